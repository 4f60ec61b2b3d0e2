{# What a group has to do with the score of all, or with its change. Shares are of 1, scores in
   points. #}

{# Part of the company's change that comes of a group's share: (w1 - w0) x (middle of its scores -
   centre), with the middle of the company's two scores as centre (Kitagawa 1955). Over all groups
   the centre cancels out, as shares add up to 1 twice; for one group it decides what growing means:
   a group above the company helps by growing. A group without answers in one period has only the
   other's score: all of it is mix. Zero is added so that nothing is never -0, which a table may or
   may not give back as 0. #}
{% macro mix_effect(share_before, score_before, share_after, score_after, centre='0') -%}
    (
        ({{ share_after }} - {{ share_before }})
        * (
            (
                coalesce({{ score_before }}, {{ score_after }})
                + coalesce({{ score_after }}, {{ score_before }})
            ) / 2
            - {{ centre }}
        )
        + 0
    )
{%- endmacro %}

{# Part of it that comes of a group's score: (s1 - s0) x middle of its shares; 0 for a group without
   answers in one period, which has no change of score. #}
{% macro rate_effect(share_before, score_before, share_after, score_after) -%}
    coalesce({{ score_after }} - {{ score_before }}, 0)
    * ({{ share_before }} + {{ share_after }}) / 2
{%- endmacro %}

{# By how much the company's score would be lower without the group: n_t (S_t - S) / (N - n_t), which
   is S - S_without_t. Null where there is nobody else. #}
{% macro leave_one_out_impact(responses, score, all_responses, all_score) -%}
    {{ responses }} * ({{ score }} - {{ all_score }})
    / nullif({{ all_responses }} - {{ responses }}, 0)
{%- endmacro %}

{# First date of the period that a period is compared with: the one before, or the same a year
   earlier; of weeks 52 earlier, so that both begin on a Monday. #}
{% macro compared_start(comparison, period_type, period_start) -%}
    {%- set months = {
        'previous_period': {'month': 1, 'quarter': 3, 'year': 12},
        'previous_year': {'month': 12, 'quarter': 12, 'year': 12},
    }[comparison] -%}
    {%- set weeks = {'previous_period': 1, 'previous_year': 52}[comparison] -%}
    case {{ period_type }}
        when 'week' then cast({{ plus_days(period_start, -7 * weeks) }} as date)
        {% for length, number in months.items() -%}
            when '{{ length }}' then cast({{ plus_months(period_start, -number) }} as date)
        {% endfor -%}
    end
{%- endmacro %}
