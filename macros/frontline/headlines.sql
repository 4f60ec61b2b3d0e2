{# What a team's pack says first, in words, of the columns of huddle_headlines. The score of few
   answers is not named: whoever reads a number remembers it. #}
{% macro huddle_headline() -%}
    {%- set score = "'NPS ' || " ~ shown_score() -%}
    case certainty
        when 'too few answers' then
            'Too few answers this week to tell (' || cast(responses as {{ engine_type('varchar') }}) || ')'
            || case
                when recent_is_reportable
                    then '; the four weeks up to now: NPS ' || {{ shown_score('recent_') }}
                else ''
            end
        when 'not over' then {{ score }} || '; the week is not over'
        when 'nothing to compare' then
            {{ score }} || '; too few answers before it to compare with'
        when 'up' then {{ score }} || '; up against the four weeks before'
        when 'down' then {{ score }} || '; down against the four weeks before'
        when 'no evidence' then
            {{ score }} || '; no evidence of a change against the four weeks before'
    end
{%- endmacro %}

{# A score with its interval and answers, as a text. #}
{% macro shown_score(prefix='') -%}
    {{ shown_points(prefix ~ 'nps') }} || ' (95 % between '
            || {{ shown_points(prefix ~ 'nps_ci_low') }} || ' and '
            || {{ shown_points(prefix ~ 'nps_ci_high') }} || ') from '
            || cast({{ prefix }}responses as {{ engine_type('varchar') }}) || ' answers'
{%- endmacro %}

{# Points as a whole number, for a text; columns are never rounded. #}
{% macro shown_points(points) -%}
    cast(cast(round({{ points }}) as integer) as {{ engine_type('varchar') }})
{%- endmacro %}
