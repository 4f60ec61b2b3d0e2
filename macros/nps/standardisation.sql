{# What a group's score would be expected to be for the contacts it answered for: indirect
   standardisation by what the others score on the same kinds of contact. #}

{# The kinds of contact that answers are compared within, finest first. One with too few answers of others falls back to the next, the last is all contacts. #}
{% macro contact_strata() %}
    {% do return([
        ['department_id', 'contact_reason', 'channel'],
        ['contact_reason', 'channel'],
        ['contact_reason'],
        ['channel'],
        [],
    ]) %}
{% endmacro %}

{# The columns of the finest stratum. #}
{% macro stratum_keys() %}
    {% do return(contact_strata()[0]) %}
{% endmacro %}

{# A stratum's keys at the level it fell back to; those that the level does not look at are `all`. #}
{% macro keys_at_level(stratum_level) -%}
    {%- for key in stratum_keys() -%}
        {%- set looked_at = [] -%}
        {%- for keys in contact_strata() if key in keys -%}
            {%- do looked_at.append(contact_strata().index(keys) + 1) -%}
        {%- endfor -%}
        case when {{ stratum_level }} in ({{ looked_at | join(', ') }}) then {{ key }} else 'all' end
            as {{ key }}
        {{- ",
        " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# Number of the first level of contact_strata that does not look at the reason. #}
{% macro first_level_without_reason() -%}
    {%- set levels = [] -%}
    {%- for keys in contact_strata() if 'contact_reason' not in keys -%}
        {%- do levels.append(contact_strata().index(keys) + 1) -%}
    {%- endfor -%}
    {{ levels | first }}
{%- endmacro %}

{# Expected scores of groups: the scores of pools of others, weighted by the answers the group has in
   each. Adds CTEs of which the last, `<of>_expected`, has a row per group and

   expected_responses         answers that have an expectation,
   unmatched_responses        of them, those compared with others regardless of the reason,
   expected_nps               the expected score,
   expected_adjusted          the same of the middles of the pools' adjusted Wald intervals,
   expected_standard_error    its standard error, in points.

   Pools of one level share no answer and their errors are independent. Pools of two levels can hold
   the same answers, at worst all of them: their errors are added up, which is never too little.

   of:  a CTE with stratum_level, responses (the group's own answers in the pool), and of the others
        in it others_detractors, others_passives and others_promoters; a row per group and pool.
   key: the columns that tell groups apart. #}
{% macro expected_scores(of, key) -%}
    {%- set groups = key | join(', ') -%}
    {%- set others = ['others_detractors', 'others_passives', 'others_promoters'] -%}
    {%- set share = '(responses / answered)' -%}
{{ of }}_scored as (

    select
        *,
        cast(sum(responses) over (partition by {{ groups }}) as {{ double_type() }}) as answered,
        {{ nps(*others) }} as others_nps,
        {{ nps_adjusted(*others) }} as others_adjusted,
        {{ nps_standard_error(*others) }} as others_error
    from {{ of }}

),

{{ of }}_levels as (

    select
        {{ groups }},
        stratum_level,
        cast(sum(responses) as bigint) as responses,
        {{ sum_of_doubles(share ~ ' * others_nps') }} as nps,
        {{ sum_of_doubles(share ~ ' * others_adjusted') }} as adjusted,
        sqrt({{ sum_of_doubles('power(' ~ share ~ ' * others_error, 2)') }}) as standard_error
    from {{ of }}_scored
    group by {{ groups }}, stratum_level

),

{{ of }}_expected as (

    select
        {{ groups }},
        cast(sum(responses) as bigint) as expected_responses,
        cast(
            sum(
                case
                    when stratum_level >= {{ first_level_without_reason() }} then responses else 0
                end
            ) as bigint
        ) as unmatched_responses,
        {{ sum_of_doubles('nps') }} as expected_nps,
        {{ sum_of_doubles('adjusted') }} as expected_adjusted,
        {{ sum_of_doubles('standard_error') }} as expected_standard_error
    from {{ of }}_levels
    group by {{ groups }}

)
{%- endmacro %}
