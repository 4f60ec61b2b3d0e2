{{ config(materialized='table') }}

with

publications as (

    select * from {{ ref('state_publications') }}

),

last_publications as (

    select max(publication_number) as publication_number from publications

)

select
    publications.publication_number,
    rules.rule_name,
    rules.rule_key,
    rules.rule_value
from {{ ref('state_metric_rules') }} as rules
inner join publications
    on rules.metric_version = publications.metric_version
inner join last_publications
    on publications.publication_number = last_publications.publication_number
