"""Reads the columns that the marts need and nothing else: ``python -m … RAW_DIR``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TypedDict

import duckdb

COLUMNS = {
    "agent_assignments": "agent_id, department_id, team, valid_from, valid_to",
    "agents": "agent_id, agent_name, hired_on, left_on, updated_at",
    "contacts": (
        "contact_id, department_id, channel, started_at, agent_id, customer_id, reason, "
        "product_line, site, ended_at, queue_seconds, hold_seconds, handle_seconds, transfers, "
        "is_resolved, updated_at"
    ),
    "customers": (
        "customer_id, segment, region, product_line, customer_since, acquired_by, churned_on, "
        "updated_at"
    ),
    "departments": "department_id, department_name, parent_department_id, site, updated_at",
    "survey_invitations": (
        "invitation_id, survey_id, survey_type, contact_id, customer_id, survey_channel, sent_at, "
        "delivered_at, opened_at, status, updated_at"
    ),
    "survey_responses": (
        "response_id, score, responded_at, survey_type, survey_id, invitation_id, contact_id, "
        "customer_id, survey_channel, csat_score, effort_score, comment, language, status, "
        "is_test, updated_at"
    ),
}
"""The raw tables that the marts are made of, and their columns."""


class Read(TypedDict):
    """What was read: rows of all tables, and bytes of their files."""

    rows: int
    bytes: int


def files(raw_dir: Path, table: str) -> list[Path]:
    """The Parquet files of a raw table.

    Args:
        raw_dir: the folder of raw tables.
        table: a name of `COLUMNS`.

    Raises:
        FileNotFoundError: there are none.
    """
    single = raw_dir / f"{table}.parquet"
    found = [single] if single.exists() else sorted((raw_dir / table).glob("*.parquet"))
    if not found:
        raise FileNotFoundError(f"no Parquet files of table {table}")
    return found


def scan(raw_dir: Path) -> Read:
    """Decode every needed column of every table once.

    Args:
        raw_dir: the folder of raw tables.

    Raises:
        FileNotFoundError: a table has no files.
        duckdb.Error: a file cannot be read or lacks a column.
    """
    read = Read(rows=0, bytes=0)
    with duckdb.connect() as connection:
        for table, columns in COLUMNS.items():
            paths = files(raw_dir, table)
            # Counting a column's values decodes them, and does no more.
            counts = ", ".join(f"count({column})" for column in columns.split(", "))
            row = connection.execute(
                f"select count(*), {counts} from read_parquet($1)", [[str(p) for p in paths]]
            ).fetchone()
            assert row is not None
            read["rows"] += int(row[0])
            read["bytes"] += sum(path.stat().st_size for path in paths)
    return read


if __name__ == "__main__":
    print(json.dumps(scan(Path(sys.argv[1]))))
