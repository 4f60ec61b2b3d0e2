"""The records of runs as tables of schema `quality`: what BI can ask about runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb

from nps_warehouse.landing import sql
from nps_warehouse.runs.record import Run

SCHEMA = "quality"

COLUMNS: dict[str, dict[str, str]] = {
    "runs": {
        "run_id": "varchar",
        "started_at": "timestamp",
        "ended_at": "timestamp",
        "seconds": "double",
        "status": "varchar",
        "exit_code": "integer",
        "failed_step": "varchar",
        "reason": "varchar",
        "version_id": "varchar",
        "responses": "bigint",
        "project_version": "varchar",
        "dbt_version": "varchar",
        "duckdb_version": "varchar",
        "python_version": "varchar",
        "decisions": "varchar",
    },
    "run_steps": {
        "run_id": "varchar",
        "step_number": "integer",
        "step_name": "varchar",
        "status": "varchar",
        "seconds": "double",
    },
    "run_nodes": {
        "run_id": "varchar",
        "unique_id": "varchar",
        "resource_type": "varchar",
        "status": "varchar",
        "seconds": "double",
        "failures": "bigint",
        "message": "varchar",
    },
    "run_tables": {
        "run_id": "varchar",
        "table_name": "varchar",
        "rows_read": "bigint",
        "accepted": "bigint",
        "rejected": "bigint",
        "superseded": "bigint",
        "excluded": "bigint",
    },
}
"""Every table with its columns; docs/nightly.md says what they mean."""

DESCRIPTIONS = {
    "runs": "One row per run of nps run whose record is kept.",
    "run_steps": "One row per run and step that began.",
    "run_nodes": "One row per run and model, seed or data test that its build reached.",
    "run_tables": "One row per run and raw table: what became of its rows.",
}


def write(connection: duckdb.DuckDBPyConnection, catalog: str, runs: Sequence[Run]) -> None:
    """Make the four tables of schema `quality` say what the records say.

    Args:
        connection: where the database is attached, writable; in a transaction of the caller's.
        catalog: its name.
        runs: all that are to be in it, the oldest first.

    Raises:
        duckdb.Error: it cannot be written.
    """
    # It takes long to import, and a run that is refused needs none of it.
    import pandas as pd

    connection.execute(f"create schema if not exists {sql.name(catalog)}.{SCHEMA}")
    for table, rows in _rows(runs).items():
        columns = COLUMNS[table]
        target = f"{sql.name(catalog)}.{SCHEMA}.{sql.name(table)}"
        # As a frame: one statement, whatever the number of rows.
        frame = pd.DataFrame(rows, columns=list(columns), dtype="object")
        casts = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in columns.items())
        connection.register("_run_rows", frame)
        try:
            connection.execute(f"create or replace table {target} as select {casts} from _run_rows")
        finally:
            connection.unregister("_run_rows")
        connection.execute(f"comment on table {target} is {sql.text(DESCRIPTIONS[table])}")


def remove(connection: duckdb.DuckDBPyConnection) -> None:
    """Take the tables out of a warehouse that is attached as `warehouse`.

    Args:
        connection: where it is attached, writable.
    """
    for table in COLUMNS:
        connection.execute(f"drop table if exists warehouse.{SCHEMA}.{sql.name(table)}")


def _rows(runs: Sequence[Run]) -> dict[str, list[tuple[Any, ...]]]:
    return {
        "runs": [_run(run) for run in runs],
        "run_steps": [
            (run.run_id, number, step.name, step.status, step.seconds)
            for run in runs
            for number, step in enumerate(run.steps, 1)
        ],
        "run_nodes": list(_nodes(runs)),
        "run_tables": [(run.run_id, *table) for run in runs for table in run.tables],
    }


def _run(run: Run) -> tuple[Any, ...]:
    return (
        run.run_id,
        _plain(run.started_at),
        _plain(run.ended_at),
        run.seconds,
        run.status,
        run.exit_code,
        run.failed_step,
        run.reason,
        run.version_id,
        run.responses,
        *(run.versions.get(name) for name in ("project", "dbt", "duckdb", "python")),
        "\n".join(run.decisions) or None,
    )


def _nodes(runs: Sequence[Run]) -> Iterator[tuple[Any, ...]]:
    for run in runs:
        for node in run.nodes:
            kind = node.unique_id.split(".", maxsplit=1)[0]
            yield (
                run.run_id,
                node.unique_id,
                kind,
                node.status,
                node.seconds,
                node.failures,
                # An error's may quote what a cell holds; it stays in the run's folder.
                None if node.status == "error" else node.message,
            )


def _plain(moment: datetime | None) -> datetime | None:
    """An instant in UTC, as every timestamp of the warehouse is."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)
