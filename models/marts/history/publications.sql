with

published as (

    select * from {{ ref('state_publications') }}

),

moved as (

    select
        publication_number,
        {% for reason in restatement_reasons() -%}
            cast(sum({{ reason }}_responses) as bigint) as {{ reason }}_responses,
        {% endfor -%}
        cast(sum({{ net_movement('responses') }}) as bigint) as responses_moved
    from {{ ref('daily_restated_counts') }}
    where scope_type = 'company'
    group by publication_number

)

select
    published.publication_number,
    published.publication_id,
    published.as_of as published_as_of,
    published.as_of_date as published_as_of_date,
    published.metric_version,
    coalesce(
        published.metric_version
        <> lag(published.metric_version) over (order by published.publication_number), false
    ) as is_defined_otherwise,
    published.contract_version,
    {% for reason in restatement_reasons() -%}
        coalesce(moved.{{ reason }}_responses, 0) as {{ reason }}_responses,
    {% endfor -%}
    cast(sum(coalesce(moved.responses_moved, 0)) over (
        order by published.publication_number rows between unbounded preceding and current row
    ) as bigint) as responses
from published
left join moved
    on published.publication_number = moved.publication_number
