{# Each spelling of a channel that contacts have, with the channel it stands for; `named` as in
   labelled_contacts. The spellings that occur are few; each is looked up once here, not once per
   contact.

   contacts: relation with rows of stg_contacts. #}
{% macro labelled_channels(contacts, named) -%}
with

spellings as (

    select
        channel as source_channel,
        count(*) as contacts
    from {{ contacts }}
    where channel is not null
    group by channel

),

aliases as (

    select
        lower({{ trimmed('alias') }}) as alias,
        -- An alias given twice would double its contacts; the test of the seed names it.
        min({{ trimmed('channel') }}) as channel
    from {{ named('channel_aliases') }}
    group by lower({{ trimmed('alias') }})

)

select
    spellings.source_channel,
    -- A spelling nobody mapped shows as itself.
    coalesce(aliases.channel, spellings.source_channel) as channel,
    aliases.channel is not null as is_mapped,
    spellings.contacts
from spellings
left join aliases
    on lower(spellings.source_channel) = aliases.alias
{%- endmacro %}
