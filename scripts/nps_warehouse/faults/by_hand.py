"""A warehouse made by hand in a moment: what publishing reads of a build, what a reader asks."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb

from nps_warehouse.faults.deliveries import Truth
from nps_warehouse.landing import sql
from nps_warehouse.state.store import attached, create, state_file

CELL = ("response_id", "survey_type", "period_date", "department_id", "score", "nps_category")
OPEN = f"select {', '.join(CELL)} from state.published_answers where valid_to_publication is null"
OF_STATE = frozenset({"marts.unpublished_changes"})
"""Tables that hang on earlier publications, beside the delivery."""

MEMBER_CHANGES = """
    create table marts.unpublished_member_changes (
        member_type varchar, member_id varchar, was_seen boolean, is_there boolean,
        member_name varchar, parent_id varchar, site varchar, team varchar, changed_at timestamp
    )
"""


def build(warehouse: Path, state: Path, truth: Truth) -> None:
    """Leave what a whole build of a delivery leaves, as far as publishing and readers look at it.

    Args:
        warehouse: the DuckDB file; it appears whole, in place of one that is there.
        state: the folder of what no build makes anew.
        truth: of the delivery.
    """
    file = state_file({"NPS_STATE_DIR": str(state)})
    if not file.exists():
        create(file)
    with attached(file, read_only=True) as connection:
        last = connection.execute(
            "select coalesce(max(publication_number), 0) from state.publications"
        ).fetchall()[0][0]
        before = set(connection.execute(OPEN).fetchall())
    fresh = warehouse.with_name(f"{warehouse.name}.fresh")
    fresh.unlink(missing_ok=True)
    day = datetime.fromisoformat(truth.as_of).date()
    now = {
        (key, "transactional", day, "service", score, _category(score))
        for key, score in truth.scores.items()
    }
    with duckdb.connect(str(fresh)) as connection:
        for schema in ("categorized", "marts", "quality", "reference"):
            connection.execute(f"create schema {schema}")
        for statement in _statements(truth, int(last)):
            connection.execute(statement)
        for row in sorted(now):
            connection.execute("insert into marts.fct_survey_responses values (?,?,?,?,?,?)", row)
        for kind, rows in (("closed", before - now), ("opened", now - before)):
            for row in sorted(rows):
                values = f"('{kind}', 'why', ?, ?, ?, ?, ?, ?, 1)"
                connection.execute(f"insert into marts.unpublished_changes values {values}", row)
    fresh.replace(warehouse)


def _category(score: int) -> str:
    return "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"


def _statements(truth: Truth, last: int) -> list[str]:
    cell = (
        "response_id varchar, survey_type varchar, period_date date, department_id varchar, "
        "score integer, nps_category varchar"
    )
    answers = len(truth.keys)
    of_group = (
        "select 'all' as survey_type, 'all' as period_type, "
        f"{answers}::bigint as responses, {truth.nps!r}::double as nps"
    )
    as_of = f"timestamp {sql.text(truth.as_of.rstrip('Z').replace('T', ' '))}"
    return [
        (
            "create table categorized.metric_version as select 1 as metric_version, "
            f"'rules' as fingerprint, {last} as last_publication_number"
        ),
        (
            "create table categorized.metric_rules as select 'r' as rule_name, 'k' as rule_key, "
            "'v' as rule_value"
        ),
        (
            f"create table categorized.as_of as select {as_of} as as_of, "
            f"cast({as_of} as date) as as_of_date"
        ),
        "create table quality.contract_version as select '1.0.0' as contract_version",
        (
            "create table quality.reconciliation as select 'survey_responses' as table_name, "
            f"{truth.rows_read} as rows_read, {truth.accepted} as accepted, "
            f"{truth.rejected} as rejected, {truth.superseded} as superseded, 0 as excluded"
        ),
        f"create table marts.fct_survey_responses ({cell})",
        f"create table marts.fct_contacts as select range as n from range({truth.contacts})",
        *(f"create table marts.nps_by_{group} as {of_group}" for group in (
            "period", "channel", "agent",
        )),
        (
            f"create table marts.unpublished_changes (change_type varchar, reason varchar, {cell}, "
            "responses bigint)"
        ),
        MEMBER_CHANGES,
        # Something to write: a version is a file of some size.
        f"create table marts.padding as select range as n, {answers} as answers from range(30000)",
        "create table reference.nps_bands as select 'good' as band",
    ]  # fmt: skip
