"""Recording that a build was published: what it counts goes to the state.

What has changed since the last publication the build itself says (mart unpublished_changes); here
it is only written down, and compared with what the marts show before it is kept.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from nps_warehouse.landing import sql
from nps_warehouse.landing.forget import LINKS
from nps_warehouse.privacy.rewrite import compacted
from nps_warehouse.privacy.suppression import Suppression, load
from nps_warehouse.state.store import ASIDE, FILE_NAME, StateError, attached, create, state_file
from nps_warehouse.warehouse import warehouse_file

CELL = "survey_type, period_date, department_id, score, nps_category"
OPEN = "valid_to_publication is null"


@dataclass(frozen=True)
class Publication:
    """One publication, as it was recorded."""

    number: int
    id: str
    as_of: datetime
    metric_version: int
    opened: int
    closed: int
    responses: int


def record(
    publication_id: str | None = None,
    *,
    warehouse: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Publication:
    """Write down what the warehouse shows as published, or change nothing.

    Args:
        publication_id: what to call it; by default the local date of as_of, with a number where
            that is taken.
        warehouse: the warehouse file; by default the one that NPS_WAREHOUSE names.
        environ: environment variables: where the state is, and the salt of forgotten customers.

    Raises:
        StateError: the warehouse or the state can't be used, or the warehouse was built before the
            last publication.
        SuppressionError: there are forgotten customers, and not their salt.
    """
    file = state_file(environ)
    source = warehouse or warehouse_file()
    if not source.is_file():
        raise StateError(f"there is no warehouse {source}; run a build first")
    suppression = load(environ)
    if not file.exists():
        create(file)
    with attached(file, read_only=False) as connection:
        try:
            connection.execute(f"attach {sql.text(str(source))} as warehouse (read_only)")
        except duckdb.Error as problem:
            reason = str(problem).splitlines()[0]
            raise StateError(f"{source} can't be read as a warehouse: {reason}") from None
        published = record_attached(connection, source, publication_id, suppression)
        connection.execute("checkpoint state")
    return published


def record_attached(
    connection: duckdb.DuckDBPyConnection,
    source: Path,
    publication_id: str | None = None,
    suppression: Suppression | None = None,
) -> Publication:
    """The same, of a warehouse and a state that are attached as `warehouse` and `state`.

    Args:
        connection: where they are attached; afterwards `state` is its default database.
        source: the warehouse file, for messages.
        publication_id: as for `record`.
        suppression: customers who are to be forgotten.

    Raises:
        StateError: as for `record`.
    """
    connection.execute("use state")
    forgotten = _digests_of_forgotten(connection) if suppression is not None else frozenset()
    if suppression is not None and forgotten:
        # What a restored backup still held.
        kept = "published_answers where response_id is not null"
        count_together(connection, _forgotten(connection, kept, suppression, forgotten))
    connection.execute("begin")
    try:
        published = _record(connection, source, publication_id, suppression, forgotten)
        connection.execute("commit")
    except BaseException:
        with suppress(duckdb.TransactionException):
            connection.execute("rollback")
        raise
    return published


def _record(
    connection: duckdb.DuckDBPyConnection,
    source: Path,
    publication_id: str | None,
    suppression: Suppression | None,
    forgotten: frozenset[str],
) -> Publication:
    try:
        built = _one(
            connection,
            "select versions.metric_version, versions.fingerprint, "
            "versions.last_publication_number, as_of.as_of, as_of.as_of_date, "
            "contract.contract_version from warehouse.categorized.metric_version as versions "
            "cross join warehouse.categorized.as_of as as_of "
            "cross join warehouse.quality.contract_version as contract",
        )
    except duckdb.CatalogException:
        raise StateError(f"{source} holds no finished build; run one first") from None
    metric_version, fingerprint, based_on, as_of, as_of_date, contract_version = built
    if as_of is None:
        raise StateError(f"{source} holds no data, so there is nothing to publish")
    last = _one(connection, "select coalesce(max(publication_number), 0) from publications")[0]
    if based_on != last:
        raise StateError(
            f"{source} was built after publication {based_on}, and {last} is the last one: what "
            "has changed since is known after the next build. Was this build published already?"
        )
    number = int(last) + 1
    known = connection.execute("select publication_id from publications").fetchall()
    taken = {row[0] for row in known}
    if publication_id is None:
        publication_id = str(as_of_date)
        again = 1
        while publication_id in taken:
            again += 1
            publication_id = f"{as_of_date}.{again}"
    elif publication_id in taken:
        raise StateError(f"there is a publication {publication_id} already")
    connection.execute(
        "insert into publications values (?, ?, ?, ?, ?, ?)",
        [number, publication_id, as_of, as_of_date, metric_version, contract_version],
    )
    _keep_rules(connection, int(metric_version), str(fingerprint))
    _close(connection, number)
    _gather(connection, number)
    if suppression is not None and forgotten:
        gone = _forgotten(connection, "temp.fresh", suppression, forgotten)
        connection.execute(
            "update temp.fresh set response_id = null "
            "where response_id in (select unnest(?::varchar[]))",
            [gone],
        )
    closed, opened = _open(connection, number)
    _see_members(connection, number)
    responses = _compare(connection)
    return Publication(
        number, publication_id, as_of, int(metric_version), opened, closed, responses
    )


def _keep_rules(
    connection: duckdb.DuckDBPyConnection, metric_version: int, fingerprint: str
) -> None:
    known = connection.execute(
        "select metric_version from metric_versions where fingerprint = ?", [fingerprint]
    ).fetchall()
    if known:
        return
    connection.execute("insert into metric_versions values (?, ?)", [metric_version, fingerprint])
    connection.execute(
        "insert into metric_rules select ?, rule_name, rule_key, rule_value "
        "from warehouse.categorized.metric_rules",
        [metric_version],
    )


def _close(connection: duckdb.DuckDBPyConnection, number: int) -> None:
    """End the rows of answers that are no longer counted as they were; parts go to `ended`."""
    connection.execute(
        "update published_answers as published set valid_to_publication = ?, "
        "closed_as = changes.reason from warehouse.marts.unpublished_changes as changes "
        f"where published.{OPEN} and changes.change_type = 'closed' "
        "and changes.response_id = published.response_id",
        [number],
    )
    # Of answers that are counted together a part may end: the row is split.
    connection.execute(
        f"""
        create temp table ended as
        with
        ends as (
            select {CELL}, min(reason) as reason, sum(responses) as responses
            from warehouse.marts.unpublished_changes
            where change_type = 'closed' and response_id is null
            group by {CELL}, reason
        ),
        together as (
            select *,
                coalesce(sum(responses) over (
                    partition by {CELL} order by valid_from_publication, opened_as
                    rows between unbounded preceding and 1 preceding
                ), 0) as before
            from published_answers where {OPEN} and response_id is null
        ),
        ranges as (
            select *, coalesce(sum(responses) over (
                partition by {CELL} order by reason
                rows between unbounded preceding and 1 preceding
            ), 0) as before from ends
        )
        select together.* exclude (responses, before), together.responses as responses,
            ranges.reason,
            least(together.before + together.responses, ranges.before + ranges.responses)
            - greatest(together.before, ranges.before) as ending
        from together inner join ranges using ({CELL})
        where least(together.before + together.responses, ranges.before + ranges.responses)
            > greatest(together.before, ranges.before)
        """
    )
    same = " and ".join(
        f"published.{column} = ended.{column}"
        for column in (*CELL.split(", "), "valid_from_publication", "opened_as")
    )
    connection.execute(
        "update published_answers as published set responses = published.responses - "
        "ended.ending from (select * exclude (reason, ending), sum(ending) as ending from ended "
        f"group by all) as ended where published.{OPEN} and published.response_id is null "
        f"and {same}"
    )
    connection.execute("delete from published_answers where responses = 0")


def _gather(connection: duckdb.DuckDBPyConnection, number: int) -> None:
    """Collect the rows that are new: parts that end, and what is counted from now on.

    A change that held for no time at all (a correction under rules that changed with it) begins and
    ends with this publication.
    """
    connection.execute(
        f"create temp table fresh as select null::varchar as response_id, {CELL}, "
        "ending as responses, valid_from_publication, opened_as, "
        "$1::integer as valid_to_publication, reason as closed_as from ended union all "
        f"select response_id, {CELL}, responses, $1, reason, "
        "case when change_type = 'passed' then $1 end, "
        "case when change_type = 'passed' then 'definition' end "
        "from warehouse.marts.unpublished_changes where change_type in ('opened', 'passed')",
        [number],
    )
    connection.execute("drop table temp.ended")


def _open(connection: duckdb.DuckDBPyConnection, number: int) -> tuple[int, int]:
    """Write the new rows; returns how many answers ended and began with this publication.

    In one statement: of two inserts in one transaction, the first without rows, DuckDB 1.5 loses
    the second where that is large (the comparison with the marts would tell).
    """
    span = "valid_from_publication, opened_as, valid_to_publication, closed_as"
    connection.execute(
        f"insert into published_answers select response_id, {CELL}, responses, {span} "
        f"from temp.fresh where response_id is not null union all select null, {CELL}, "
        f"cast(sum(responses) as bigint), {span} from temp.fresh where response_id is null "
        f"group by {CELL}, {span} order by 3, 1, 2, 4, 5"
    )
    connection.execute("drop table temp.fresh")
    row = _one(
        connection,
        "select coalesce(sum(case when valid_to_publication = $1 then responses end), 0), "
        f"coalesce(sum(case when valid_from_publication = $1 and {OPEN} then responses end), 0) "
        "from published_answers",
        [number],
    )
    return int(row[0]), int(row[1])


def _see_members(connection: duckdb.DuckDBPyConnection, number: int) -> None:
    """Write down what is delivered of departments and agents where it is not what was."""
    connection.execute(
        "update seen_members as seen set valid_to = changes.changed_at, valid_to_publication = ? "
        "from warehouse.marts.unpublished_member_changes as changes where seen.valid_to is null "
        "and changes.was_seen and seen.member_type = changes.member_type "
        "and seen.member_id = changes.member_id",
        [number],
    )
    connection.execute(
        "insert into seen_members select member_type, member_id, member_name, parent_id, site, "
        "team, changed_at, null, ?, null from warehouse.marts.unpublished_member_changes "
        "where is_there order by member_type, member_id",
        [number],
    )


def _digests_of_forgotten(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Digests of the answers of forgotten customers, as the landing keeps them."""
    try:
        links = connection.execute(
            f"select key_digest from warehouse.raw.{sql.name(LINKS)} "
            "where table_name = 'survey_responses'"
        ).fetchall()
    except duckdb.CatalogException:
        return frozenset()
    return frozenset(str(row[0]) for row in links)


def _forgotten(
    connection: duckdb.DuckDBPyConnection,
    rows: str,
    suppression: Suppression,
    digests: frozenset[str],
) -> list[str]:
    """Keys of answers of forgotten customers among rows of a table."""
    found = connection.execute(f"select response_id from {rows} group by response_id").fetchall()
    keys = (str(row[0]) for row in found if row[0] is not None)
    return [key for key in keys if suppression.digest(f"survey_responses:{key}") in digests]


def forget_answers(state_dir: Path, response_ids: frozenset[str]) -> list[Path]:
    """Take answers' keys out of a state and of what a restore has put aside, also of their bytes.

    Args:
        state_dir: the folder of the state; without a state nothing is done.
        response_ids: whose keys go.

    Returns:
        The files that were rewritten.

    Raises:
        StateError: a file can't be used.
    """
    kept = [state_dir / FILE_NAME, state_dir / f"{FILE_NAME}{ASIDE}"]
    files = [file for file in kept if file.exists()]
    for file in files:
        with attached(file, read_only=False, of_version=None) as connection:
            connection.execute("use state")
            count_together(connection, sorted(response_ids))
            connection.execute("use memory")
            connection.execute("detach state")
        compacted(file)
    return files


def count_together(connection: duckdb.DuckDBPyConnection, response_ids: list[str]) -> None:
    """Take answers' keys out of the state: what was published of them stays as a count.

    Args:
        connection: a state as its default database, writable.
        response_ids: whose keys go.
    """
    if not response_ids:
        return
    connection.execute(
        "create temp table gone as select unnest(?::varchar[]) as response_id", [response_ids]
    )
    of_them = (
        "published_answers where response_id is null "
        "or response_id in (select response_id from temp.gone)"
    )
    span = "valid_from_publication, opened_as, valid_to_publication, closed_as"
    connection.execute(
        f"create temp table together as select null::varchar as response_id, {CELL}, "
        f"cast(sum(responses) as bigint) as responses, {span} from {of_them} "
        f"group by {CELL}, {span}"
    )
    connection.execute("begin")
    connection.execute(f"delete from {of_them}")
    connection.execute("insert into published_answers select * from temp.together")
    connection.execute("commit")
    connection.execute("drop table temp.together")
    connection.execute("drop table temp.gone")


def _compare(connection: duckdb.DuckDBPyConnection) -> int:
    """Refuse to keep what is not, number by number, what the marts show; returns the answers."""
    keys = "survey_type, period_date, department_id, nps_category"
    shown = (
        f"select {keys}, count(*) as responses from warehouse.marts.fct_survey_responses "
        f"group by {keys}"
    )
    kept = (
        f"select {keys}, cast(sum(responses) as bigint) as responses from published_answers "
        f"where {OPEN} group by {keys}"
    )
    differing = _one(
        connection,
        f"select count(*) from (({shown} except {kept}) union all ({kept} except {shown}))",
    )[0]
    if differing:
        raise StateError(
            f"the state would not be what the marts show in {differing} places, so nothing was "
            "recorded: build the warehouse again, as a whole, and record then"
        )
    return int(
        _one(
            connection,
            f"select coalesce(sum(responses), 0) from published_answers where {OPEN}",
        )[0]
    )


def _one(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: list[object] | None = None
) -> tuple[Any, ...]:
    row = connection.execute(query, parameters or []).fetchone()
    assert row is not None
    return row
