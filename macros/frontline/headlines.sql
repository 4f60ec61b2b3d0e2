{# What a team's pack says first, in words, of the columns of huddle_headlines. The score of few
   answers is not named: whoever reads a number remembers it. #}
{% macro huddle_headline() -%}
    {%- set answers = 'cast(responses as ' ~ dbt.type_string() ~ ')' -%}
    {%- set ends = shown_points('nps_ci_low') ~ " || ' and ' || " ~ shown_points('nps_ci_high') -%}
    {%- set score = "'NPS ' || " ~ shown_points('nps') ~ " || ' from ' || " ~ answers
        ~ " || ' answers, between ' || " ~ ends -%}
    case certainty
        when 'too few answers' then
            'Too few answers to tell: ' || {{ answers }}
            || case responses when 1 then ' answer' else ' answers' end
            || ', NPS somewhere between ' || {{ ends }}
        when 'not over' then {{ score }} || '; the week is not over'
        when 'nothing to compare' then
            {{ score }} || '; too few answers before it to compare with'
        when 'up' then {{ score }} || '; up against the four weeks before'
        when 'down' then {{ score }} || '; down against the four weeks before'
        when 'no evidence' then
            {{ score }} || '; no evidence of a change against the four weeks before'
    end
{%- endmacro %}

{# Points as a whole number, for a text; columns are never rounded. #}
{% macro shown_points(points) -%}
    cast(cast(round({{ points }}) as integer) as {{ dbt.type_string() }})
{%- endmacro %}
