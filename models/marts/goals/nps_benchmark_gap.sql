with

benchmarks as (

    select
        benchmark_year,
        {% for percentile in ['p10', 'p50', 'p90'] -%}
            cast({{ percentile }} as {{ double_type() }}) as {{ percentile }},
        {% endfor -%}
        source,
        -- In force until a newer year is published.
        coalesce(
            lead(benchmark_year) over (order by benchmark_year), 9999
        ) as next_benchmark_year
    from (
        select
            *,
            year as benchmark_year
        from {{ ref('nps_benchmarks') }}
        where
            industry = {{ text_literal(var("nps_benchmark_industry") | string) }}
            and region = {{ text_literal(var("nps_benchmark_region") | string) }}
    ) as of_the_company

),

scores as (

    select
        {{ period_columns() }},
        'company' as scope_type,
        'all' as scope_id,
        false as is_rollup,
        {{ nps_block() }}
    from {{ ref('nps_by_period') }}
    union all
    select
        {{ period_columns() }},
        'department' as scope_type,
        department_id as scope_id,
        is_rollup,
        {{ nps_block() }}
    from {{ ref('nps_by_department') }}

),

compared as (

    select
        scores.*,
        benchmarks.benchmark_year,
        benchmarks.source as benchmark_source,
        benchmarks.p10,
        benchmarks.p50,
        benchmarks.p90
    from scores
    inner join benchmarks
        on
            extract(year from scores.period_start) >= benchmarks.benchmark_year
            and extract(year from scores.period_start) < benchmarks.next_benchmark_year
    where scores.period_type in ('month', 'quarter', 'year')

)

select
    {{ period_columns() }},
    scope_type,
    scope_id,
    is_rollup,
    benchmark_year,
    benchmark_source,
    responses,
    nps,
    nps_ci_low,
    nps_ci_high,
    is_reportable,
    {% for percentile in ['p10', 'p50', 'p90'] -%}
        {{ percentile }},
        nps - {{ percentile }} as gap_to_{{ percentile }},
        nps_ci_low - {{ percentile }} as gap_to_{{ percentile }}_ci_low,
        nps_ci_high - {{ percentile }} as gap_to_{{ percentile }}_ci_high,
    {% endfor -%}
    {{ benchmark_position('nps') }} as observed_position,
    case
        when
            is_complete
            and is_reportable
            and {{ benchmark_position('nps_ci_low') }} = {{ benchmark_position('nps_ci_high') }}
            then {{ benchmark_position('nps_ci_low') }}
        else 'undecided'
    end as decided_position
from compared
