{#- The first answers beyond the range of a column. -#}
select response_id
from marts.fct_survey_responses
where {{ column }} < {{ low }} or {{ column }} > {{ high }}
order by response_id
limit {{ most_rows }}
