with

{{ ranking_of('site', key='site') }}

select
    {{ period_columns() }},
    site,
    {{ nps_block() }},
    {{ ranking_columns() }}
from ranking
