{{ config(severity='warn') }}
-- What: the industry and region of the vars are in the seed nps_benchmarks.
-- When it matters: a mistyped one leaves nps_benchmark_gap empty.
-- How to resolve: the analyst corrects nps_benchmark_industry or nps_benchmark_region.
select count(*) as benchmarks
from {{ ref('nps_benchmarks') }}
where
    industry = '{{ (var("nps_benchmark_industry") | string).replace("'", "''") }}'
    and region = '{{ (var("nps_benchmark_region") | string).replace("'", "''") }}'
having count(*) = 0
