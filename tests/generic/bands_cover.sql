{# Bands lie end to end from the lowest to the highest value, without gap or overlap; `per` names the
   column of whatever has bands of its own. #}
{% test bands_cover(model, above, up_to, lowest, highest, per="'all'") %}
select *
from (
    select
        owner,
        begins,
        ends,
        lag(ends) over (partition by owner order by begins, ends) as previous_ends,
        lead(begins) over (partition by owner order by begins, ends) as next_begins
    from (
        select
            {{ per }} as owner,
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
