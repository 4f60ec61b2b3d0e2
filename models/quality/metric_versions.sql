with

versions as (

    select
        metric_version,
        fingerprint
    from {{ ref('state_metric_versions') }}
    union all
    -- Rules that nothing was published by yet have the next number.
    select
        metric_version,
        fingerprint
    from {{ ref('metric_version') }}
    where not is_published

),

publications as (

    select
        metric_version,
        count(*) as publications,
        min(publication_number) as first_publication_number,
        max(publication_number) as last_publication_number,
        min(as_of) as first_published_as_of
    from {{ ref('state_publications') }}
    group by metric_version

)

select
    versions.metric_version,
    versions.fingerprint,
    versions.metric_version = current_version.metric_version as is_current,
    coalesce(publications.publications, 0) as publications,
    publications.first_publication_number,
    publications.last_publication_number,
    publications.first_published_as_of
from versions
cross join {{ ref('metric_version') }} as current_version
left join publications
    on versions.metric_version = publications.metric_version
