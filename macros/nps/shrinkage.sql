{# Small groups: normal-normal empirical Bayes with the between-group variance of DerSimonian and
   Laird (1986, "Meta-analysis in clinical trials", Controlled Clinical Trials 7). Adds CTEs of which
   the last, `<of>_shrunk`, has the columns of `of` and:

   compared_groups    how many groups the set has,
   between_groups_sd  tau, the spread of the true scores, in points,
   mean_of_groups     mu, the mean that small groups are pulled to,
   shrinkage_weight   B, how much of a group's distance from it is believed,
   shrunk_nps         the shrunk score, shrunk_ci_low and shrunk_ci_high its 95 % interval.

   All are null in a set of one. The variance of an answer is that of the whole set: with each
   group's own, 150 equal agents with 1-20 answers seem to differ by 13 points where the truth is 0.
   Where all answers of a set are alike nothing is known about width, and there is no interval.

   of:     a CTE with the counts of groups, each with answers, and nps in points.
   within: the columns that make a set of groups. #}
{% macro shrunk_scores(of, within) -%}
    {%- set sets = within | join(', ') -%}
{{ of }}_pooled as (

    -- Weights are relative to the variance of one answer: a group's is its number of answers.
    select
        *,
        count(*) over (partition by {{ sets }}) as compared_groups,
        {{ pooled_score('promoters', 'detractors', sets) }} as pooled_nps,
        10000 * {{ pooled_variance('detractors', 'passives', 'promoters', sets) }}
            as answer_variance,
        cast(sum(responses) over (partition by {{ sets }}) as {{ double_type() }}) as weights,
        {{ sum_of_doubles(
            'cast(responses as ' ~ double_type() ~ ') * responses', over='partition by ' ~ sets
        ) }} as squared_weights
    from {{ of }}

),

{{ of }}_dispersed as (

    select
        *,
        {{ sum_of_doubles(
            'responses * power(nps - pooled_nps, 2)', over='partition by ' ~ sets
        ) }} as squared_distances
    from {{ of }}_pooled

),

{{ of }}_spread as (

    -- tau^2 = (Q - (k - 1)) / C, here as a multiple of the variance of one answer; 0 where all
    -- answers are alike.
    select
        *,
        case
            when compared_groups > 1
                then greatest(0.0, coalesce(
                    (squared_distances / nullif(answer_variance, 0) - (compared_groups - 1))
                    / nullif(weights - squared_weights / weights, 0),
                    0.0
                ))
        end as relative_spread
    from {{ of }}_dispersed

),

{{ of }}_weighted as (

    select
        *,
        responses / (1 + relative_spread * responses) as random_weight,
        relative_spread * responses / (1 + relative_spread * responses) as shrinkage_weight
    from {{ of }}_spread

),

{{ of }}_centred as (

    select
        *,
        sqrt(relative_spread * answer_variance) as between_groups_sd,
        {{ sum_of_doubles('random_weight', over='partition by ' ~ sets) }} as random_weights,
        {{ sum_of_doubles('random_weight * nps', over='partition by ' ~ sets) }}
        / {{ sum_of_doubles('random_weight', over='partition by ' ~ sets) }} as mean_of_groups
    from {{ of }}_weighted

),

{{ of }}_estimated as (

    select
        *,
        mean_of_groups + shrinkage_weight * (nps - mean_of_groups) as shrunk_nps,
        sqrt(nullif(
            answer_variance
            * (shrinkage_weight / responses + power(1 - shrinkage_weight, 2) / random_weights),
            0
        )) as shrunk_standard_error
    from {{ of }}_centred

),

{{ of }}_shrunk as (

    select
        *,
        case
            when shrunk_standard_error is not null
                then greatest(
                    -100.0, shrunk_nps - {{ normal_quantile_95() }} * shrunk_standard_error
                )
        end as shrunk_ci_low,
        case
            when shrunk_standard_error is not null
                then least(
                    100.0, shrunk_nps + {{ normal_quantile_95() }} * shrunk_standard_error
                )
        end as shrunk_ci_high
    from {{ of }}_estimated

)
{%- endmacro %}

{# Score of all answers of a set of groups, from summed counts. #}
{% macro pooled_score(promoters, detractors, sets) -%}
    cast(100 * sum({{ promoters }} - {{ detractors }}) over (partition by {{ sets }})
        as {{ double_type() }})
    / sum(responses) over (partition by {{ sets }})
{%- endmacro %}

{# Variance of one answer on -1/0/+1 over a set of groups. #}
{% macro pooled_variance(detractors, passives, promoters, sets) -%}
    {%- set summed = [] -%}
    {%- for count in [detractors, passives, promoters] -%}
        {%- do summed.append('sum(' ~ count ~ ') over (partition by ' ~ sets ~ ')') -%}
    {%- endfor -%}
    {{ nps_variance(*summed) }}
{%- endmacro %}
