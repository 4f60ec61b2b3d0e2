-- What was published: the publications, the answers each of them counted, and the rules they were
-- counted by. An answer's row holds from one publication until before another.
create table publications (
    publication_number integer primary key,
    publication_id varchar not null unique,
    as_of timestamp not null,
    as_of_date date not null,
    metric_version integer not null,
    contract_version varchar not null
);

create table metric_versions (
    metric_version integer primary key,
    fingerprint varchar not null unique
);

create table metric_rules (
    metric_version integer not null,
    rule_name varchar not null,
    rule_key varchar not null,
    rule_value varchar not null
);

-- response_id is null, and responses the number of answers, where their customers were forgotten.
create table published_answers (
    response_id varchar,
    survey_type varchar not null,
    period_date date not null,
    department_id varchar not null,
    score integer not null,
    nps_category varchar not null,
    responses bigint not null,
    valid_from_publication integer not null,
    opened_as varchar not null,
    valid_to_publication integer,
    closed_as varchar
);
