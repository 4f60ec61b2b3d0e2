with

publications as (

    select
        publication_number,
        metric_version
    from {{ ref('state_publications') }}
    union all
    -- What is shown now, as the publication that it would be.
    select
        last_publication_number + 1 as publication_number,
        metric_version
    from {{ ref('metric_version') }}

),

followed as (

    select
        publication_number,
        metric_version,
        lag(metric_version) over (order by publication_number) as previous_version
    from publications

),

rules as (

    select
        metric_version,
        rule_name,
        rule_key,
        rule_value
    from {{ ref('state_metric_rules') }}
    union all
    select
        versions.metric_version,
        rules_now.rule_name,
        rules_now.rule_key,
        rules_now.rule_value
    from {{ ref('metric_rules') }} as rules_now
    cross join {{ ref('metric_version') }} as versions
    where not versions.is_published

),

sides as (

    {% for side in ['previous_version', 'metric_version'] -%}
        select
            changes.publication_number,
            changes.previous_version,
            changes.metric_version,
            rules.rule_name,
            rules.rule_key,
            {{ 'rules.rule_value' if side == 'previous_version' else 'null' }} as old_value,
            {{ 'rules.rule_value' if side == 'metric_version' else 'null' }} as new_value
        from followed as changes
        inner join rules
            on changes.{{ side }} = rules.metric_version
        where changes.metric_version <> changes.previous_version
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}
),

compared as (

    select
        publication_number,
        previous_version,
        metric_version,
        rule_name,
        rule_key,
        max(old_value) as old_value,
        max(new_value) as new_value
    from sides
    group by publication_number, previous_version, metric_version, rule_name, rule_key

)

select
    compared.publication_number,
    published.publication_id,
    compared.previous_version,
    compared.metric_version,
    compared.rule_name,
    compared.rule_key,
    compared.old_value,
    compared.new_value
from compared
left join {{ ref('state_publications') }} as published
    on compared.publication_number = published.publication_number
where coalesce(compared.old_value, '') <> coalesce(compared.new_value, '')
