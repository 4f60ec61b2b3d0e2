{# The NPS block of a score mart: counts in, block out. Adds CTEs of which the last, `with_block`,
   has the columns of `counts` and the block.

   counts: a CTE with detractors, passives, promoters, responses and whatever else the mart shows;
           one row per group, none of them without answers. #}
{% macro nps_block_of(counts) -%}
    {%- set each = ['detractors', 'passives', 'promoters'] -%}
scored as (

    select
        *,
        {{ share_pct('promoters', 'responses') }} as promoter_pct,
        {{ share_pct('passives', 'responses') }} as passive_pct,
        {{ share_pct('detractors', 'responses') }} as detractor_pct,
        {{ nps(*each) }} as nps,
        {{ nps_adjusted(*each) }} as nps_adjusted,
        {{ nps_standard_error(*each) }} as nps_standard_error,
        responses >= {{ var('nps_min_responses') }} as is_reportable
    from {{ counts }}
    {{ computed_once() }}

),

with_interval as (

    select
        *,
        greatest(
            -100.0, nps_adjusted - {{ normal_quantile_95() }} * nps_standard_error
        ) as nps_ci_low,
        least(
            100.0, nps_adjusted + {{ normal_quantile_95() }} * nps_standard_error
        ) as nps_ci_high
    from scored
    {{ computed_once() }}

),

with_block as (

    select
        with_interval.*,
        bands.band as nps_band
    from with_interval
    -- Bands begin above their lower bound; only the lowest one includes it. An empty bound is the
    -- end of the scale.
    left join {{ ref('nps_bands') }} as bands
        on
            with_interval.nps <= coalesce(bands.up_to, 100)
            and (
                with_interval.nps > coalesce(bands.above, -100)
                or (with_interval.nps = -100 and coalesce(bands.above, -100) = -100)
            )

)
{%- endmacro %}

{# The columns of the block, in the order in which every score mart shows them. #}
{% macro nps_block() -%}
    responses,
    promoters,
    passives,
    detractors,
    promoter_pct,
    passive_pct,
    detractor_pct,
    nps,
    nps_standard_error,
    nps_ci_low,
    nps_ci_high,
    nps_band,
    is_reportable
{%- endmacro %}

{# Additive counts of a set of answers that carry nps_category. #}
{% macro category_counts() -%}
    count(*) as responses,
    {% for category in ['promoter', 'passive', 'detractor'] -%}
        cast(sum(case when nps_category = '{{ category }}' then 1 else 0 end) as bigint)
            as {{ category }}s{{ "," if not loop.last }}
    {% endfor %}
{%- endmacro %}

{# The same counts, added up from counts of smaller groups. #}
{% macro summed_counts(alias=none) -%}
    {%- set prefix = alias ~ '.' if alias else '' -%}
    {% for count in ['responses', 'promoters', 'passives', 'detractors'] -%}
        cast(sum({{ prefix }}{{ count }}) as bigint) as {{ count }}{{ "," if not loop.last }}
    {% endfor %}
{%- endmacro %}
