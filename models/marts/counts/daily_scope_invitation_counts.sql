-- sqlfluff:dialect:postgres
-- (its duckdb dialect does not know grouping sets)
{{ config(
    pre_hook="{{ take_out('sent_date', changes_of('fct_survey_invitations', 'sent_date'), type='date') }}",
    post_hook="{{ note_added('sent_date', type='date') }}",
) }}
{% set scopes = invitation_scopes() %}
{% set keys_of_invitations = scopes.values() | sum(start=[]) | unique | list %}

with

invitations as (

    select
        {% for key in keys_of_invitations -%}
            {{ key }},
        {% endfor -%}
        sent_date,
        survey_type,
        responses
    from {{ changed_rows(ref('fct_survey_invitations'), 'sent_date', type='date') }}
    where
        not is_bounced
        and sent_date is not null

),

-- Numerator and denominator are one cohort: of the invitations sent that day, those answered.
{{ counts_by_scope(
    'invitations',
    scopes,
    by=['survey_type', 'sent_date'],
    measures='''count(*) as invitations,
        cast(sum(case when responses > 0 then 1 else 0 end) as bigint) as answered''',
    shown=['invitations', 'answered'],
) }}
