{% set keys = [
    'scope_type', 'scope_id', 'period_type', 'period_start', 'contact_reason', 'channel',
] %}

with

members as (

    select * from {{ ref('best_practice_members') }}

),

answers as (

    select * from {{ ref('fct_survey_responses') }}

),

own_answers as (

    {% for scope in ranked_scopes() -%}
        select
            {{ prefixed(keys[:4], 'members') }},
            answers.contact_reason,
            answers.channel,
            answers.queue_seconds,
            answers.hold_seconds,
            answers.handle_seconds,
            answers.transfers,
            answers.is_resolved
        from answers
        inner join members
            on
                members.scope_type = '{{ scope }}'
                and answers.{{ score_scopes()[scope][0] }} = members.scope_id
                and answers.period_date >= members.period_start
                and answers.period_date <= members.period_end
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

),

summed as (

    select
        {{ keys | join(',
        ') }},
        {{ practice_sums() }}
    from own_answers
    group by {{ keys | join(', ') }}

)

{{ row_per_driver('summed', keys) }}
