{% set keys = ['scope_type', 'scope_id', 'survey_type', 'period_type', 'period_start'] %}
{% set each = ['detractors', 'passives', 'promoters'] %}

with

funnel as (

    select * from {{ ref('survey_funnel') }}
    where
        scope_type in ('department', 'agent')
        and survey_type = 'transactional'
        and period_type in ('month', 'quarter', 'year')
        and is_complete
        and is_mature
        and {{ can_be_asked('scope_id') }}

),

counts as (

    select * from {{ ref('period_response_counts') }}
    where responses >= {{ var('nps_min_responses') }}

),

scored as (

    select
        {% for key in keys -%}
            funnel.{{ key }},
        {% endfor -%}
        funnel.period_end,
        cast({{ plus_days('funnel.period_end', 1) }} as date) as next_start,
        funnel.invitations,
        funnel.answered,
        {{ nps(*each) }} as nps,
        {{ nps_adjusted(*each) }} as nps_adjusted,
        {{ nps_standard_error(*each) }} as nps_standard_error
    from funnel
    inner join counts
        on {% for key in keys %}
            {{ "and " if not loop.first }}funnel.{{ key }} = counts.{{ key }}
        {%- endfor %}

),

changes as (

    select
        later.*,
        earlier.nps as nps_before,
        cast(earlier.answered as {{ double_type() }}) / earlier.invitations * later.invitations
            as expected,
        {{ two_proportion_z(
            'earlier.answered', 'earlier.invitations', 'later.answered', 'later.invitations'
        ) }} as z_rate,
        {{ difference_z(
            'earlier.nps_adjusted',
            'earlier.nps_standard_error',
            'later.nps_adjusted',
            'later.nps_standard_error',
        ) }} as z_nps
    from scored as later
    inner join scored as earlier
        on
            later.scope_type = earlier.scope_type
            and later.scope_id = earlier.scope_id
            and later.survey_type = earlier.survey_type
            and later.period_type = earlier.period_type
            and later.period_start = earlier.next_start

),

-- Both have to be there, so the weaker of the two decides.
comparisons as (

    select
        *,
        invitations as cases,
        cast(answered as {{ double_type() }}) as observed,
        greatest({{ two_sided_p('z_rate') }}, {{ two_sided_p('z_nps') }}) as p_value
    from changes

),

{{ suspicions_of(
    'fewer_answers_higher_score',
    'transactional',
    'z_rate < 0 and z_nps > 0 and nps > nps_before',
    "'Who was asked differently: of ' || " ~ in_words('cases') ~ " || ' invitations of ' || "
    ~ whom_and_when() ~ " || ', ' || " ~ in_words('observed') ~ " || ' were answered, when ' || "
    ~ in_words('expected') ~ " || ' would be as many as in the period before, and the score rose"
    ~ " from ' || " ~ in_words('nps_before') ~ " || ' to ' || " ~ in_words('nps') ~ " || '?'",
) }}
