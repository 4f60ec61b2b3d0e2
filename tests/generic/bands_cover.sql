{# Bands lie end to end from the lowest to the highest score, without gap or overlap. #}
{% test bands_cover(model, above, up_to, lowest, highest) %}
select *
from (
    select
        begins,
        ends,
        lag(ends) over (order by begins, ends) as previous_ends,
        lead(begins) over (order by begins, ends) as next_begins
    from (
        select
            coalesce({{ above }}, {{ lowest }}) as begins,
            coalesce({{ up_to }}, {{ highest }}) as ends
        from {{ model }}
    ) as bounds
) as bands
where
    begins >= ends
    or (previous_ends is null and begins <> {{ lowest }})
    or previous_ends <> begins
    or (next_begins is null and ends <> {{ highest }})
{% endtest %}
