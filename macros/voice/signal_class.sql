{# `structural`: mentioned in enough of the last complete periods, often enough in all of them, and by
   more detractors than comments of the company have, at 95 %. `watch`: a complete period in which a
   greater share of the comments mentions it than in those before. Everything else is `noise`, few
   mentions above all: three customers who say the same are three customers. #}
{% macro signal_class() -%}
    case
        when
            recurring_periods >= {{ var('nps_pain_recurring') }}
            and window_mentions >= {{ var('nps_pain_mentions') }}
            and window_detractor_pct_ci_low > company_detractor_pct
            then 'structural'
        when
            is_complete
            and mentions >= {{ var('nps_pain_mentions') }}
            and rise_z > 0
            and rise_p_value < {{ significance_level() }}
            then 'watch'
        else 'noise'
    end
{%- endmacro %}
