-- What was delivered of departments and agents when it was published. A row holds from one moment
-- of the data until before another.
create table seen_members (
    member_type varchar not null,
    member_id varchar not null,
    member_name varchar,
    parent_id varchar,
    site varchar,
    team varchar,
    valid_from timestamp not null,
    valid_to timestamp,
    valid_from_publication integer not null,
    valid_to_publication integer
);
