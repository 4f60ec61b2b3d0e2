{{ config(severity='warn') }}
-- What: the seed passive_actions has an action for every passive customer.
-- When it matters: a team that works the list finds nothing to do beside the customer.
-- How to resolve: the owner of the list adds the place and direction to the seed.
select
    near,
    direction,
    count(*) as customers
from {{ ref('passive_watch') }}
where action is null
group by near, direction
