-- The dimensions, facts and score marts of this project in one script without layers, as they are
-- written by hand for one delivery: Parquet with real types, every timestamp in UTC, all vars at
-- their defaults. The rules are those of the models, and so is the result, which the benchmark
-- checks. What the models also keep (rejected, superseded and unreadable values, reconciliation)
-- is not made here.
--
-- Reads the variables raw_dir and seeds_dir; writes schema marts of the current database.

set TimeZone = 'UTC';
create schema marts;

-- Rules for values -------------------------------------------------------------------------------

create temp macro clean(value) as nullif(regexp_replace(
    value,
    '^[\x{00}-\x{20}\x{85}\x{A0}\x{1680}\x{180E}\x{2000}-\x{200F}\x{2028}\x{2029}\x{202F}\x{205F}-\x{2064}\x{3000}\x{FEFF}]+|[\x{00}-\x{20}\x{85}\x{A0}\x{1680}\x{180E}\x{2000}-\x{200F}\x{2028}\x{2029}\x{202F}\x{205F}-\x{2064}\x{3000}\x{FEFF}]+$',
    '',
    'g'
), '');

create temp macro possible(moment) as case
    when moment between timestamp '2000-01-01' and timestamp '2100-01-01' then moment
end;

-- The small tables are delivered as text.
create temp macro moment_of(value) as case
    when regexp_full_match(
        clean(value),
        '\d{4}-\d{2}-\d{2}([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?)?'
    ) then try_cast(clean(value) as timestamp)
    when regexp_full_match(
        clean(value),
        '\d{4}-\d{2}-\d{2}[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)'
    ) then timezone('UTC', try_cast(clean(value) as timestamptz))
end;

-- The comments of the benchmark hold no figures that only look like a card or phone number: shapes
-- are enough.
create temp macro masked(value) as case
    when regexp_matches(value, '@|([0-9][^0-9]{0,3}){6}') then regexp_replace(
        regexp_replace(
            regexp_replace(
                regexp_replace(
                    value,
                    '[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+([.][A-Za-z0-9-]+)+', '[e-mail]', 'g'
                ),
                '[A-Z]{2}[0-9]{2}([ ]?[A-Z0-9]{4}){2,7}([ ]?[A-Z0-9]{1,4})?', '[iban]', 'g'
            ),
            '[2-6][0-9]{3}([ -]?[0-9]{4}){3}|3[47][0-9]{13}', '[card]', 'g'
        ),
        '[+(]{0,2}[0-9]([ ./()-]{0,3}[0-9]){6,}', '[phone]', 'g'
    )
    else value
end;

-- Seeds ------------------------------------------------------------------------------------------

create temp table categories as
select cast(score as bigint) as score, category
from read_csv(getvariable('seeds_dir') || '/nps_categories.csv', all_varchar = true);

create temp table bands as
select
    band,
    coalesce(cast(above as double), -100) as above,
    coalesce(cast(up_to as double), 100) as up_to
from read_csv(getvariable('seeds_dir') || '/nps_bands.csv', all_varchar = true);

create temp table aliases as
select lower(clean(alias)) as alias, min(clean(channel)) as channel
from read_csv(getvariable('seeds_dir') || '/channel_aliases.csv', all_varchar = true)
group by all;

create temp table excluded as
from read_csv(
    getvariable('seeds_dir') || '/excluded_responses.csv', all_varchar = true, header = true
);

create temp table languages as
select code
from read_csv(getvariable('seeds_dir') || '/languages.csv', all_varchar = true);

-- Raw tables: what is accepted -------------------------------------------------------------------
-- Files are read in the order of their names and rows stay in order, so of two rows with equal
-- updated_at the greater rowid is the later one.

create temp table departments as
select
    clean(department_id) as department_id,
    coalesce(clean(department_name), clean(department_id)) as department_name,
    clean(parent_department_id) as parent_department_id,
    clean(site) as site,
    possible(moment_of(updated_at)) as updated_at
from read_parquet(getvariable('raw_dir') || '/departments.parquet')
where clean(department_id) is not null;

delete from departments where rowid in (
    select rowid from departments
    qualify row_number() over (
        partition by department_id order by updated_at desc nulls last, rowid desc
    ) > 1
);

-- Down from the roots, with the way kept: who is not reached has no root.
create temp table ancestors as
with recursive reached as (
    select department_id, [department_id] as way
    from departments
    where parent_department_id is null
    union all
    select here.department_id, list_prepend(here.department_id, above.way)
    from departments as here
    inner join reached as above on here.parent_department_id = above.department_id
)

select
    department_id,
    unnest(way) as ancestor_id,
    unnest(range(len(way))) as levels_above
from reached;

delete from departments where department_id not in (select department_id from ancestors);

create temp table agents as
select
    clean(agent_id) as agent_id,
    coalesce(clean(agent_name), clean(agent_id)) as agent_name,
    cast(possible(moment_of(hired_on)) as date) as hired_on,
    cast(possible(moment_of(left_on)) as date) as left_on,
    possible(moment_of(updated_at)) as updated_at
from read_parquet(getvariable('raw_dir') || '/agents.parquet')
where clean(agent_id) is not null;

delete from agents where rowid in (
    select rowid from agents
    qualify row_number() over (
        partition by agent_id order by updated_at desc nulls last, rowid desc
    ) > 1
);

create temp table assignments as
select
    clean(agent_id) as agent_id,
    clean(department_id) as department_id,
    clean(team) as team,
    moment_of(valid_from) as valid_from,
    coalesce(moment_of(valid_to), timestamp 'infinity') as valid_to
from read_parquet(getvariable('raw_dir') || '/agent_assignments.parquet')
where clean(agent_id) is not null and moment_of(valid_from) is not null;

delete from assignments where rowid in (
    select rowid from assignments
    qualify row_number() over (partition by agent_id, valid_from order by rowid desc) > 1
);

delete from assignments where valid_to <= valid_from;

-- Of overlapping ranges the earlier stays: the first one, then the first after the end of each.
delete from assignments where (agent_id, valid_from) not in (
    with recursive kept as (
        select agent_id, min(valid_from) as valid_from, arg_min(valid_to, valid_from) as valid_to
        from assignments
        group by agent_id
        union all
        select
            kept.agent_id,
            min(later.valid_from) as valid_from,
            arg_min(later.valid_to, later.valid_from) as valid_to
        from kept
        inner join assignments as later
            on kept.agent_id = later.agent_id and kept.valid_to <= later.valid_from
        group by kept.agent_id
    )

    select agent_id, valid_from from kept
);

create temp table customers as
select
    clean(customer_id) as customer_id,
    coalesce(clean(segment), 'unknown') as segment,
    coalesce(clean(region), 'unknown') as region,
    coalesce(clean(product_line), 'unknown') as product_line,
    cast(possible(customer_since) as date) as customer_since,
    case when lower(clean(acquired_by)) in ('referral', 'paid') then lower(clean(acquired_by)) end
        as acquired_by,
    cast(possible(churned_on) as date) as churned_on,
    possible(updated_at) as updated_at
from read_parquet(getvariable('raw_dir') || '/customers/*.parquet')
where clean(customer_id) is not null;

delete from customers where rowid in (
    select rowid from customers
    where customer_id in (select customer_id from customers group by all having count(*) > 1)
    qualify row_number() over (
        partition by customer_id order by updated_at desc nulls last, rowid desc
    ) > 1
);

create temp table contacts as
select
    clean(contact_id) as contact_id,
    clean(department_id) as department_id,
    clean(channel) as channel,
    possible(started_at) as started_at,
    clean(agent_id) as agent_id,
    clean(customer_id) as customer_id,
    clean(reason) as contact_reason,
    clean(product_line) as product_line,
    clean(site) as site,
    possible(ended_at) as ended_at,
    case when queue_seconds >= 0 then cast(queue_seconds as double) end as queue_seconds,
    case when hold_seconds >= 0 then cast(hold_seconds as double) end as hold_seconds,
    case when handle_seconds >= 0 then cast(handle_seconds as double) end as handle_seconds,
    case when transfers >= 0 then transfers end as transfers,
    is_resolved,
    possible(updated_at) as updated_at
from read_parquet(getvariable('raw_dir') || '/contacts/*.parquet')
where
    clean(contact_id) is not null
    and possible(started_at) is not null
    and coalesce(possible(ended_at) >= started_at, true);

delete from contacts where rowid in (
    select rowid from contacts
    where contact_id in (select contact_id from contacts group by all having count(*) > 1)
    qualify row_number() over (
        partition by contact_id order by updated_at desc nulls last, rowid desc
    ) > 1
);

create temp table responses as
with
cleaned as (
    select
        * replace (
            clean(response_id) as response_id,
            possible(responded_at) as responded_at,
            lower(clean(survey_type)) as survey_type,
            clean(survey_id) as survey_id,
            clean(invitation_id) as invitation_id,
            clean(contact_id) as contact_id,
            clean(customer_id) as customer_id,
            lower(clean(survey_channel)) as survey_channel,
            lower(clean(language)) as language,
            lower(clean(status)) as status,
            lower(clean(is_test)) as is_test,
            possible(updated_at) as updated_at
        )
    from read_parquet(getvariable('raw_dir') || '/survey_responses/*.parquet')
)

select
    cleaned.response_id,
    categories.score,
    categories.category as nps_category,
    cleaned.responded_at,
    coalesce(survey_type, case when contact_id is null then 'relational' else 'transactional' end)
        as survey_type,
    survey_id,
    invitation_id,
    contact_id,
    customer_id,
    case when survey_channel in ('email', 'sms', 'ivr', 'web', 'in_app') then survey_channel end
        as survey_channel,
    case when csat_score between 1 and 5 then csat_score end as csat_score,
    case when effort_score between 1 and 7 then effort_score end as effort_score,
    case when clean(comment) is not null then masked(comment) end as comment,
    case when language in (select code from languages) then language end as language,
    coalesce(status, 'complete') as status,
    coalesce(is_test in ('true', 'yes', '1'), false) as is_test,
    updated_at
from cleaned
left join categories on cleaned.score = categories.score
where
    response_id is not null
    and responded_at is not null
    and coalesce(status in ('complete', 'partial', 'dismissed'), true)
    and coalesce(is_test in ('true', 'yes', '1', 'false', 'no', '0'), true)
    and coalesce(survey_type in ('transactional', 'relational'), true)
    and (categories.score is not null or status = 'dismissed');

delete from responses where rowid in (
    select rowid from responses
    where response_id in (select response_id from responses group by all having count(*) > 1)
    qualify row_number() over (
        partition by response_id order by updated_at desc nulls last, rowid desc
    ) > 1
);

-- Only a survivor can be excluded: an older version does not come back.
delete from responses
where
    status = 'dismissed'
    or is_test
    or response_id in (select response_id from excluded);

create temp table invitations as
with
cleaned as (
    select
        * replace (
            clean(invitation_id) as invitation_id,
            clean(survey_id) as survey_id,
            lower(clean(survey_type)) as survey_type,
            clean(contact_id) as contact_id,
            clean(customer_id) as customer_id,
            lower(clean(survey_channel)) as survey_channel,
            possible(sent_at) as sent_at,
            possible(delivered_at) as delivered_at,
            possible(opened_at) as opened_at,
            lower(clean(status)) as status,
            possible(updated_at) as updated_at
        )
    from read_parquet(getvariable('raw_dir') || '/survey_invitations/*.parquet')
)

select
    * replace (
        coalesce(
            survey_type, case when contact_id is null then 'relational' else 'transactional' end
        ) as survey_type,
        case when survey_channel in ('email', 'sms', 'ivr', 'web', 'in_app') then survey_channel end
            as survey_channel
    )
from cleaned
where
    invitation_id is not null
    and coalesce(
        status in ('sent', 'delivered', 'opened', 'responded', 'bounced', 'opted_out'), true
    )
    and coalesce(survey_type in ('transactional', 'relational'), true);

delete from invitations where rowid in (
    select rowid from invitations
    where invitation_id in (
        select invitation_id from invitations group by all having count(*) > 1
    )
    qualify row_number() over (
        partition by invitation_id order by updated_at desc nulls last, rowid desc
    ) > 1
);

set variable as_of = greatest(
    (select max(responded_at) from responses),
    (select greatest(max(started_at), max(ended_at)) from contacts),
    (select max(sent_at) from invitations)
);

-- Facts ------------------------------------------------------------------------------------------

create temp table channels as
select
    spellings.channel as source_channel,
    coalesce(aliases.channel, spellings.channel) as channel,
    aliases.channel is not null as is_mapped
from (select channel from contacts where channel is not null group by all) as spellings
left join aliases on lower(spellings.channel) = aliases.alias;

create temp table answers_of_contacts as
select
    contact_id,
    count(*) as responses,
    arg_max(
        {'response_id': response_id, 'nps_category': nps_category},
        {'responded_at': responded_at, 'response_id': response_id}
    ) as latest
from responses
where contact_id is not null
group by contact_id;

create table marts.fct_contacts as
select
    contacts.contact_id,
    coalesce(departments.department_id, 'unknown') as department_id,
    contacts.department_id as source_department_id,
    coalesce(channels.channel, 'unknown') as channel,
    contacts.channel as source_channel,
    coalesce(contacts.agent_id, 'unknown') as agent_id,
    contacts.agent_id as source_agent_id,
    coalesce(assignments.team, 'unknown') as team,
    coalesce(contacts.customer_id, 'unknown') as customer_id,
    contacts.customer_id as source_customer_id,
    coalesce(customers.segment, 'unknown') as segment,
    coalesce(contacts.contact_reason, 'unknown') as contact_reason,
    contacts.contact_reason as source_contact_reason,
    coalesce(contacts.product_line, customers.product_line, 'unknown') as product_line,
    contacts.product_line as source_product_line,
    coalesce(contacts.site, departments.site, 'unknown') as site,
    contacts.site as source_site,
    contacts.started_at,
    contacts.ended_at,
    cast(contacts.started_at as date) as contact_date,
    cast(isodow(contacts.started_at) as integer) as contact_weekday,
    cast(hour(contacts.started_at) as integer) as contact_hour,
    contacts.queue_seconds,
    contacts.hold_seconds,
    contacts.handle_seconds,
    contacts.transfers,
    contacts.is_resolved,
    coalesce(answers.responses, 0) as responses,
    answers.latest.response_id,
    answers.latest.nps_category
from contacts
left join departments on contacts.department_id = departments.department_id
left join customers on contacts.customer_id = customers.customer_id
left join channels on contacts.channel = channels.source_channel
left join assignments
    on
        contacts.agent_id = assignments.agent_id
        and contacts.started_at >= assignments.valid_from
        and contacts.started_at < assignments.valid_to
left join answers_of_contacts as answers on contacts.contact_id = answers.contact_id;

create table marts.fct_survey_invitations as
select
    invitations.invitation_id,
    coalesce(invitations.survey_id, 'unknown') as survey_id,
    invitations.survey_id as source_survey_id,
    invitations.survey_type,
    coalesce(contacts.contact_id, 'unknown') as contact_id,
    invitations.contact_id as source_contact_id,
    coalesce(invitations.customer_id, contacts.source_customer_id, 'unknown') as customer_id,
    invitations.customer_id as source_customer_id,
    coalesce(invitations.survey_channel, 'unknown') as survey_channel,
    coalesce(contacts.agent_id, 'unknown') as agent_id,
    coalesce(contacts.department_id, 'unknown') as department_id,
    coalesce(contacts.channel, 'unknown') as channel,
    invitations.sent_at,
    cast(invitations.sent_at as date) as sent_date,
    invitations.delivered_at,
    invitations.opened_at,
    invitations.status,
    coalesce(invitations.status = 'bounced', false) as is_bounced,
    coalesce(answers.responses, 0) as responses
from invitations
left join marts.fct_contacts as contacts on invitations.contact_id = contacts.contact_id
left join (
    select invitation_id, count(*) as responses
    from responses
    where invitation_id is not null
    group by all
) as answers
    on invitations.invitation_id = answers.invitation_id;

create table marts.fct_survey_responses as
select
    responses.response_id,
    coalesce(invitations.invitation_id, 'unknown') as invitation_id,
    responses.invitation_id as source_invitation_id,
    coalesce(contacts.contact_id, 'unknown') as contact_id,
    responses.contact_id as source_contact_id,
    coalesce(responses.customer_id, contacts.source_customer_id, 'unknown') as customer_id,
    responses.customer_id as source_customer_id,
    coalesce(responses.survey_id, 'unknown') as survey_id,
    responses.survey_id as source_survey_id,
    responses.survey_type,
    cast(responses.score as integer) as score,
    responses.nps_category,
    case responses.nps_category when 'promoter' then 1 when 'passive' then 0 else -1 end
        as nps_contribution,
    responses.csat_score,
    responses.effort_score,
    responses.responded_at,
    cast(responses.responded_at as date) as response_date,
    cast(responses.responded_at as date) as period_date,
    coalesce(contacts.contact_weekday, cast(isodow(responses.responded_at) as integer)) as weekday,
    coalesce(contacts.contact_hour, cast(hour(responses.responded_at) as integer)) as hour,
    coalesce(responses.survey_channel, 'unknown') as survey_channel,
    coalesce(responses.language, 'unknown') as language,
    responses.comment,
    responses.status,
    coalesce(contacts.agent_id, 'unknown') as agent_id,
    contacts.source_agent_id,
    coalesce(contacts.department_id, 'unknown') as department_id,
    contacts.source_department_id,
    coalesce(contacts.team, 'unknown') as team,
    coalesce(contacts.channel, 'unknown') as channel,
    contacts.source_channel,
    coalesce(contacts.site, 'unknown') as site,
    contacts.source_site,
    coalesce(contacts.source_product_line, customers.product_line, 'unknown') as product_line,
    contacts.source_product_line,
    coalesce(contacts.contact_reason, 'unknown') as contact_reason,
    contacts.source_contact_reason,
    coalesce(customers.segment, 'unknown') as segment,
    contacts.queue_seconds,
    contacts.hold_seconds,
    contacts.handle_seconds,
    contacts.transfers,
    contacts.is_resolved
from responses
left join marts.fct_contacts as contacts on responses.contact_id = contacts.contact_id
left join invitations on responses.invitation_id = invitations.invitation_id
left join customers
    on coalesce(responses.customer_id, contacts.source_customer_id) = customers.customer_id;

-- Dimensions -------------------------------------------------------------------------------------

create table marts.dim_departments as
select
    departments.department_id,
    departments.department_name,
    departments.parent_department_id,
    cast(levels.department_level as integer) as department_level,
    departments.department_id in (select parent_department_id from departments
        where parent_department_id is not null) as has_departments_below,
    departments.site
from departments
inner join (
    select department_id, max(levels_above) as department_level from ancestors group by all
) as levels
    on departments.department_id = levels.department_id
where departments.department_id <> 'unknown'
union all
select 'unknown', 'Unknown', null, 0, false, null;

create table marts.dim_agents as
select
    keys.agent_id,
    case
        when keys.agent_id = 'unknown' then 'Unknown'
        else coalesce(agents.agent_name, keys.agent_id)
    end as agent_name,
    agents.hired_on,
    agents.left_on,
    agents.agent_id is not null as is_delivered
from (
    select agent_id from marts.fct_contacts
    union
    select agent_id from agents
    union
    select 'unknown'
) as keys
left join agents on keys.agent_id = agents.agent_id;

create table marts.dim_channels as
select channel, bool_or(is_mapped) as is_mapped
from (
    select channel, is_mapped from channels
    union all
    select channel, true from aliases
)
where channel is not null and channel <> 'unknown'
group by channel
union all
select 'unknown', false;

create table marts.dim_customers as
select
    keys.customer_id,
    coalesce(customers.segment, 'unknown') as segment,
    coalesce(customers.region, 'unknown') as region,
    coalesce(customers.product_line, 'unknown') as product_line,
    customers.customer_since,
    customers.acquired_by,
    customers.churned_on,
    customers.customer_id is not null as is_delivered
from (
    select customer_id from marts.fct_contacts
    union
    select customer_id from marts.fct_survey_responses
    union
    select customer_id from marts.fct_survey_invitations
    union
    select customer_id from customers
    union
    select 'unknown'
) as keys
left join customers on keys.customer_id = customers.customer_id;

create table marts.dim_dates as
with
bounds as (
    select
        date_trunc('year', min(first_date)) as first_date,
        date_trunc('year', max(last_date)) + interval '1 year' as end_date
    from (
        select min(contact_date), max(contact_date) from marts.fct_contacts
        union all
        select min(response_date), max(response_date) from marts.fct_survey_responses
        union all
        select min(sent_date), max(sent_date) from marts.fct_survey_invitations
        union all
        select cast(getvariable('as_of') as date), cast(getvariable('as_of') as date)
    ) as dates(first_date, last_date)
),

days as (
    select cast(unnest(range(first_date, end_date, interval '1 day')) as date) as date_day
    from bounds
)

select
    date_day,
    cast(isodow(date_day) as integer) as weekday,
    isodow(date_day) >= 6 as is_weekend,
    cast(date_trunc('week', date_day) as date) as week_start,
    cast(week(date_day) as integer) as iso_week,
    cast(date_trunc('month', date_day) as date) as month_start,
    cast(month(date_day) as integer) as month_number,
    cast(date_trunc('quarter', date_day) as date) as quarter_start,
    cast(quarter(date_day) as integer) as quarter_number,
    cast(date_trunc('year', date_day) as date) as year_start,
    cast(year(date_day) as integer) as year_number,
    cast(year(date_day) as integer) as fiscal_year,
    cast(quarter(date_day) as integer) as fiscal_quarter,
    cast(month(date_day) as integer) as fiscal_month
from days;

-- Counts of every scope and period, longer periods from shorter ones ------------------------------

create temp table daily as
select
    case
        when grouping(department_id, channel) = 0 then 'department_channel'
        when grouping(weekday, hour) = 0 then 'weekday_hour'
        when grouping(department_id) = 0 then 'department'
        when grouping(agent_id) = 0 then 'agent'
        when grouping(channel) = 0 then 'channel'
        when grouping(site) = 0 then 'site'
        when grouping(product_line) = 0 then 'product_line'
        when grouping(segment) = 0 then 'segment'
        when grouping(contact_reason) = 0 then 'contact_reason'
        when grouping(survey_channel) = 0 then 'survey_channel'
        when grouping(language) = 0 then 'language'
        else 'company'
    end as scope,
    coalesce(
        department_id, agent_id, channel, site, product_line, segment, contact_reason,
        survey_channel, language, cast(weekday as varchar)
    ) as key,
    coalesce(
        case when department_id is not null then channel end, cast(hour as varchar)
    ) as second_key,
    survey_type,
    period_date,
    count(*) as responses,
    count(*) filter (nps_category = 'promoter') as promoters,
    count(*) filter (nps_category = 'passive') as passives,
    count(*) filter (nps_category = 'detractor') as detractors
from marts.fct_survey_responses
group by grouping sets (
    (survey_type, period_date),
    (survey_type, period_date, department_id),
    (survey_type, period_date, agent_id),
    (survey_type, period_date, channel),
    (survey_type, period_date, site),
    (survey_type, period_date, product_line),
    (survey_type, period_date, segment),
    (survey_type, period_date, contact_reason),
    (survey_type, period_date, survey_channel),
    (survey_type, period_date, language),
    (survey_type, period_date, department_id, channel),
    (survey_type, period_date, weekday, hour)
);

create temp macro added_up(counts, period) as table
select
    scope,
    key,
    second_key,
    survey_type,
    cast(date_trunc(period, period_start) as date) as period_start,
    cast(sum(responses) as bigint) as responses,
    cast(sum(promoters) as bigint) as promoters,
    cast(sum(passives) as bigint) as passives,
    cast(sum(detractors) as bigint) as detractors
from query_table(counts)
group by all;

create temp table days as
select * rename (period_date as period_start) from daily
union all
select
    scope,
    key,
    second_key,
    'all' as survey_type,
    period_date as period_start,
    cast(sum(responses) as bigint) as responses,
    cast(sum(promoters) as bigint) as promoters,
    cast(sum(passives) as bigint) as passives,
    cast(sum(detractors) as bigint) as detractors
from daily
group by all;

create temp table months as from added_up('days', 'month');
create temp table quarters as from added_up('months', 'quarter');
create temp table years as from added_up('quarters', 'year');

create temp table counts as
with
periods as (
    select *, 'day' as period_type, period_start as period_end from days
    union all by name
    select *, 'week' as period_type, cast(period_start + 6 as date) as period_end
    from added_up('days', 'week')
    union all by name
    select
        *,
        'month' as period_type,
        cast(period_start + interval '1 month' - interval '1 day' as date) as period_end
    from months
    union all by name
    select
        *,
        'quarter' as period_type,
        cast(period_start + interval '3 months' - interval '1 day' as date) as period_end
    from quarters
    union all by name
    select
        *,
        'year' as period_type,
        cast(period_start + interval '1 year' - interval '1 day' as date) as period_end
    from years
    union all by name
    select
        scope,
        key,
        second_key,
        survey_type,
        (select min(period_start) from days) as period_start,
        cast(sum(responses) as bigint) as responses,
        cast(sum(promoters) as bigint) as promoters,
        cast(sum(passives) as bigint) as passives,
        cast(sum(detractors) as bigint) as detractors,
        'all' as period_type,
        (select max(period_start) from days) as period_end
    from years
    group by scope, key, second_key, survey_type
)

select *, period_end < cast(getvariable('as_of') as date) as is_complete
from periods;

-- Score marts ------------------------------------------------------------------------------------

-- Roll-ups of departments are one scope more.
insert into counts by name
select
    'department_rollup' as scope,
    ancestors.ancestor_id as key,
    counts.survey_type,
    counts.period_type,
    counts.period_start,
    counts.period_end,
    counts.is_complete,
    sum(counts.responses) as responses,
    sum(counts.promoters) as promoters,
    sum(counts.passives) as passives,
    sum(counts.detractors) as detractors
from counts
inner join ancestors on counts.key = ancestors.department_id
inner join marts.dim_departments as departments on ancestors.ancestor_id = departments.department_id
where counts.scope = 'department' and departments.has_departments_below
group by all;

-- Counts of a scope in, the NPS block out. The interval is the adjusted Wald one: three answers
-- more, of which a quarter are promoters and a quarter detractors.
create temp macro score_mart(wanted) as table
with
shares as (
    select
        *,
        (promoters + 0.75::double) / (responses + 3) as p,
        (detractors + 0.75::double) / (responses + 3) as d
    from counts
    where scope = wanted
),

with_error as (
    select *, 100 * sqrt((p + d - (p - d) * (p - d)) / (responses + 3)) as nps_standard_error
    from shares
),

with_score as (
    select
        *,
        100.0::double * promoters / responses as promoter_pct,
        100.0::double * passives / responses as passive_pct,
        100.0::double * detractors / responses as detractor_pct,
        100.0::double * (promoters - detractors) / responses as nps,
        greatest(-100, 100 * (p - d) - 1.959963984540054::double * nps_standard_error)
            as nps_ci_low,
        least(100, 100 * (p - d) + 1.959963984540054::double * nps_standard_error) as nps_ci_high
    from with_error
)

select
    with_score.survey_type,
    with_score.period_type,
    with_score.period_start,
    with_score.period_end,
    with_score.is_complete,
    with_score.key,
    with_score.second_key,
    with_score.responses,
    with_score.promoters,
    with_score.passives,
    with_score.detractors,
    with_score.promoter_pct,
    with_score.passive_pct,
    with_score.detractor_pct,
    with_score.nps,
    with_score.nps_standard_error,
    with_score.nps_ci_low,
    with_score.nps_ci_high,
    bands.band as nps_band,
    with_score.responses >= 30 as is_reportable
from with_score
left join bands
    on
        with_score.nps <= bands.up_to
        and (with_score.nps > bands.above or (with_score.nps = -100 and bands.above = -100));

create table marts.nps_by_channel as
select * exclude (second_key) rename (key as channel) from score_mart('channel');

create table marts.nps_by_site as
select * exclude (second_key) rename (key as site) from score_mart('site');

create table marts.nps_by_product_line as
select * exclude (second_key) rename (key as product_line) from score_mart('product_line');

create table marts.nps_by_segment as
select * exclude (second_key) rename (key as segment) from score_mart('segment');

create table marts.nps_by_contact_reason as
select * exclude (second_key) rename (key as contact_reason) from score_mart('contact_reason');

create table marts.nps_by_survey_channel as
select * exclude (second_key) rename (key as survey_channel) from score_mart('survey_channel');

create table marts.nps_by_language as
select * exclude (second_key) rename (key as language) from score_mart('language');

create table marts.nps_by_department_channel as
select * rename (key as department_id, second_key as channel)
from score_mart('department_channel');

create table marts.nps_by_hour as
select
    * exclude (key, second_key),
    cast(key as integer) as weekday,
    cast(second_key as integer) as hour
from score_mart('weekday_hour');

create table marts.nps_by_department as
select
    scores.* exclude (second_key) rename (key as department_id),
    departments.department_name,
    departments.parent_department_id
from (
    select *, false as is_rollup from score_mart('department')
    union all
    select *, true as is_rollup from score_mart('department_rollup')
) as scores
left join marts.dim_departments as departments on scores.key = departments.department_id;

-- The department of an agent: of the assignment valid on the earlier of period end and as_of, else
-- of the agent's last contact up to then.
create temp table last_contacts as
select
    source_agent_id as agent_id,
    contact_date,
    arg_max(department_id, {'started_at': started_at, 'contact_id': contact_id}) as department_id
from marts.fct_contacts
where source_agent_id is not null
group by all;

create temp table agent_periods as
select
    key as agent_id,
    period_end,
    least(
        cast(period_end + 1 as timestamp) - interval '1 microsecond', getvariable('as_of')
    ) as moment
from counts
where scope = 'agent' and key not in ('unknown', 'withheld')
group by all;

create table marts.nps_by_agent as
select
    scores.* exclude (second_key) rename (key as agent_id),
    agents.agent_name,
    coalesce(assigned.department_id, last_contacts.department_id, 'unknown') as department_id
from score_mart('agent') as scores
left join marts.dim_agents as agents on scores.key = agents.agent_id
left join (
    select
        agent_periods.agent_id,
        agent_periods.period_end,
        case
            when assignments.department_id is not null
                then coalesce(departments.department_id, 'unknown')
        end as department_id
    from agent_periods
    inner join assignments
        on
            agent_periods.agent_id = assignments.agent_id
            and agent_periods.moment >= assignments.valid_from
            and agent_periods.moment < assignments.valid_to
    left join departments on assignments.department_id = departments.department_id
) as assigned
    on scores.key = assigned.agent_id and scores.period_end = assigned.period_end
asof left join last_contacts
    on scores.key = last_contacts.agent_id and scores.period_end >= last_contacts.contact_date;

create table marts.nps_by_period as
select
    scores.* exclude (key, second_key),
    cast(coalesce(sent.invitations, 0) as bigint) as invitations,
    100.0::double * sent.answered / sent.invitations as response_rate
from score_mart('company') as scores
left join (
    select
        coalesce(survey_type, 'all') as survey_type,
        period_type,
        case
            when period_type = 'all' then (select min(period_start) from days)
            else cast(date_trunc(period_type, sent_date) as date)
        end as period_start,
        sum(invitations) as invitations,
        sum(answered) as answered
    from (
        select
            survey_type,
            sent_date,
            count(*) as invitations,
            count(*) filter (responses > 0) as answered
        from marts.fct_survey_invitations
        where not is_bounced and sent_date is not null
        group by grouping sets ((survey_type, sent_date), (sent_date))
    )
    cross join (values ('day'), ('week'), ('month'), ('quarter'), ('year'), ('all'))
        as periods(period_type)
    group by all
) as sent
    on
        scores.survey_type = sent.survey_type
        and scores.period_type = sent.period_type
        and scores.period_start = sent.period_start;
