with

initiatives as (

    select * from {{ ref('stg_initiatives') }}

),

channels as (

    select
        lower(source_channel) as spelling,
        min(channel) as channel
    from {{ ref('categorized_channels') }}
    group by lower(source_channel)

)

select
    initiatives.initiative_id,
    coalesce(initiatives.initiative_name, initiatives.initiative_id) as initiative_name,
    coalesce(initiatives.scope_type, 'unknown') as scope_type,
    -- Under the key that the facts show: the company's is `all`.
    case
        when initiatives.scope_type = 'company' then 'all'
        when initiatives.scope_type = 'agent'
            then coalesce({{ shown_agent('initiatives.scope_id') }}, 'unknown')
        when initiatives.scope_type = 'channel'
            then coalesce(channels.channel, initiatives.scope_id, 'unknown')
        else coalesce(initiatives.scope_id, 'unknown')
    end as scope_id,
    -- A training of people: what was learnt stays when the teaching is over.
    coalesce(initiatives.scope_type in ('team', 'agent'), false) as is_training,
    initiatives.started_on,
    initiatives.ended_on
from initiatives
left join channels
    on lower(initiatives.scope_id) = channels.spelling
