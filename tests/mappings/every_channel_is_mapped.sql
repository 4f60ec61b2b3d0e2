{{ config(severity='warn') }}
-- What: every channel a source system names is in the seed channel_aliases.
-- When it matters: an unmapped spelling is a channel of its own, and splits its channel's score.
-- How to resolve: operations add a line to channel_aliases (alias, channel).
select
    channel,
    contacts
from {{ ref('unmapped_channels') }}
