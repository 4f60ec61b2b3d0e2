"""A published file made by hand: the marts that telling reads, with rows that a test plants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb

Row = Mapping[str, object]

SCORE_COLUMNS = {
    "survey_type": "varchar",
    "period_type": "varchar",
    "period_start": "date",
    "period_end": "date",
    "is_complete": "boolean",
    "responses": "bigint",
    "nps": "double",
    "nps_ci_low": "double",
    "nps_ci_high": "double",
    "nps_band": "varchar",
    "is_reportable": "boolean",
}

MARTS: dict[str, dict[str, str]] = {
    "nps_by_period": SCORE_COLUMNS,
    "nps_trends": {
        "scope_type": "varchar",
        "survey_type": "varchar",
        "period_type": "varchar",
        "period_start": "date",
        "is_complete": "boolean",
        "nps": "double",
        "previous_start": "date",
        "nps_change": "double",
        "nps_change_ci_low": "double",
        "nps_change_ci_high": "double",
        "adjusted_p_value": "double",
        "verdict": "varchar",
    },
    "nps_control_charts": {
        "scope_type": "varchar",
        "scope_id": "varchar",
        "survey_type": "varchar",
        "charted_on": "date",
        "is_judged": "boolean",
        "center": "double",
        "signal_kind": "varchar",
        "signal_direction": "varchar",
        "signal_started_on": "date",
    },
    "nps_rolling": {
        "scope_type": "varchar",
        "scope_id": "varchar",
        "survey_type": "varchar",
        "period_start": "date",
        "period_end": "date",
        "rolling_months": "integer",
        "responses": "bigint",
        "nps": "double",
        "nps_ci_low": "double",
        "nps_ci_high": "double",
        "is_reportable": "boolean",
    },
    "dim_departments": {"department_id": "varchar", "department_name": "varchar"},
    "detractor_cases": {
        "case_id": "varchar",
        "department_id": "varchar",
        "case_status": "varchar",
        "is_overdue": "boolean",
        "due_at": "timestamp",
    },
}

ALL: Row = {
    "survey_type": "all",
    "period_type": "all",
    "period_start": "2024-01-10",
    "period_end": "2026-03-20",
    "is_complete": False,
    "responses": 2000,
    "nps": 12.5,
    "nps_ci_low": 9.0,
    "nps_ci_high": 16.0,
    "nps_band": "good",
    "is_reportable": True,
}


def published(
    folder: Path,
    at: datetime,
    rows: Mapping[str, Sequence[Row]] | None = None,
    version_id: str = "20260320T020000Z-aaaaaa",
    without: Sequence[str] = (),
) -> Path:
    """What `nps publish` leaves, as far as telling looks at it.

    Args:
        folder: the folder of published files; made.
        at: when it was published, with an offset.
        rows: by mart; a column that a row does not name is null. nps_by_period has one of all time.
        version_id: of the version.
        without: marts that are not in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "nps.duckdb"
    file.unlink(missing_ok=True)
    given = {"nps_by_period": [ALL], **(rows or {})}
    with duckdb.connect(str(file)) as connection:
        connection.execute("begin; create schema marts; create schema quality")
        connection.execute(
            "create table quality.published_version (version_id varchar, run_id varchar, "
            "published_at timestamp, as_of timestamp, responses bigint, nps double)"
        )
        connection.execute(
            "insert into quality.published_version values (?, ?, ?, ?, 2000, 12.5)",
            [version_id, version_id, *[at.astimezone(UTC).replace(tzinfo=None)] * 2],
        )
        for mart, columns in MARTS.items():
            if mart in without:
                continue
            typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            connection.execute(f"create table marts.{mart} ({typed})")
            for row in given.get(mart, ()):
                assert set(row) <= set(columns), row
                connection.execute(
                    f"insert into marts.{mart} ({', '.join(row)}) "
                    f"values ({', '.join('?' * len(row))})",
                    list(row.values()),
                )
        connection.execute("commit")
    return file
