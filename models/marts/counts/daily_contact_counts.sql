-- sqlfluff:dialect:postgres
-- (its duckdb dialect does not know grouping sets)
{{ config(
    pre_hook="{{ take_out('contact_date', changes_of('fct_contacts', 'contact_date'), type='date') }}",
    post_hook="{{ note_added('contact_date', type='date') }}",
) }}
{% set scopes = contact_scopes() %}
{% set keys_of_contacts = scopes.values() | sum(start=[]) | unique | list %}

with

contacts as (

    select
        {% for key in keys_of_contacts -%}
            {{ key }},
        {% endfor -%}
        contact_date,
        is_resolved,
        case when handle_seconds <= {{ longest_handle_seconds() }} then handle_seconds end
            as handle_seconds
    from {{ changed_rows(ref('fct_contacts'), 'contact_date', type='date') }}

),

{{ counts_by_scope(
    'contacts',
    scopes,
    by=['contact_date'],
    measures=contact_measures(),
    shown=[
        'contacts', 'contacts_of_known_outcome', 'resolved', 'timed_contacts',
        'handle_seconds_total', 'handle_seconds_squared',
    ],
) }}
