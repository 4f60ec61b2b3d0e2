{{ config(materialized='table') }}

with

rules as (

    select * from {{ ref('metric_rules') }}

),

fingerprints as (

    select
        {{ digest(joined_texts(
            "rule_name || '|' || rule_key || '|' || rule_value || '|'", 'rule_name, rule_key'
        )) }} as fingerprint
    from rules

),

published as (

    select * from {{ ref('state_metric_versions') }}

),

newest as (

    select coalesce(max(metric_version), 0) as metric_version from published

),

last_publications as (

    select coalesce(max(publication_number), 0) as publication_number
    from {{ ref('state_publications') }}

),

dating as (

    select count(*) as changed_rules
    from rules
    inner join {{ ref('published_rules') }} as last_rules
        on
            rules.rule_name = last_rules.rule_name
            and rules.rule_key = last_rules.rule_key
            and rules.rule_value <> last_rules.rule_value
    where
        rules.rule_name = 'var'
        and rules.rule_key in ({{ dating_vars() }})

)

select
    cast(coalesce(published.metric_version, newest.metric_version + 1) as integer)
        as metric_version,
    fingerprints.fingerprint,
    published.metric_version is not null as is_published,
    cast(last_publications.publication_number as integer) as last_publication_number,
    dating.changed_rules > 0 as is_dated_otherwise
from fingerprints
cross join newest
cross join last_publications
cross join dating
left join published
    on fingerprints.fingerprint = published.fingerprint
