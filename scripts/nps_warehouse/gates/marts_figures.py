"""The figures of a warehouse's marts, computed by DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from nps_warehouse.gates.expectations import BadInputError
from nps_warehouse.gates.figure import Figure
from nps_warehouse.gates.history import Run, compared, rows_against_last_run
from nps_warehouse.gates.project_sql import ProjectSql

FACTS = ("fct_contacts", "fct_survey_invitations", "fct_survey_responses")
RANGED_COLUMNS = ("csat_score", "effort_score", "nps", "score")
"""Columns that have a published range, in whatever mart they are."""

SCALE = "extremes"
_FIGURES = (
    "score_stability_index",
    "category_share_change",
    "response_rate_change",
    "department_volume_ratio",
    "rejected_share",
)


def open_warehouse(warehouse: Path, memory: str) -> duckdb.DuckDBPyConnection:
    """A connection that reads a warehouse.

    Args:
        warehouse: the DuckDB file.
        memory: DuckDB's limit, such as `1GB`.

    Raises:
        BadInputError: it cannot be opened.
    """
    if not warehouse.is_file():
        raise BadInputError(f"warehouse {warehouse} does not exist: run dbt build first.")
    try:
        connection = duckdb.connect(config={"memory_limit": memory, "threads": 2})
        # A file that is opened plainly is called by its own name, and marts.duckdb with its schema
        # marts is then ambiguous.
        quoted = str(warehouse).replace("'", "''")
        connection.execute(f"attach '{quoted}' as warehouse (read_only)")
        connection.execute("use warehouse")
        connection.execute("set TimeZone = 'UTC'")
    except duckdb.Error as problem:
        raise BadInputError(f"warehouse {warehouse} cannot be read: {problem}") from problem
    return connection


def marts_figures(
    connection: duckdb.DuckDBPyConnection, sql: ProjectSql, last: Run | None
) -> list[Figure]:
    """Every figure of the marts.

    Args:
        connection: one whose default database is the warehouse.
        sql: the project's macros.
        last: the last accepted run; None: nothing can be compared with it.

    Raises:
        BadInputError: the warehouse lacks a table or column.
    """
    try:
        columns = connection.execute(
            "select table_name, column_name from information_schema.columns where table_schema = "
            "'marts' and table_catalog = current_database() and list_contains($1, column_name) "
            "order by table_name, column_name",
            [list(RANGED_COLUMNS)],
        ).fetchall()
        if not columns:
            raise BadInputError("the warehouse has no marts: run dbt build first.")
        figures = _figures(connection, SCALE, sql.figure(f"marts/{SCALE}", columns=columns))
        for name in _FIGURES:
            query = sql.figure(f"marts/{name}")
            figures += _figures(connection, name, query)
        figures += _figures(connection, "rows", sql.figure("marts/rows", tables=FACTS))
    except duckdb.Error as problem:
        raise BadInputError(f"the warehouse lacks what the gate reads: {problem}") from problem
    rows = {figure.table_name: int(figure.value) for figure in figures if figure.figure == "rows"}
    figures += rows_against_last_run(rows, last)
    figures += compared(figures, last, "rejected_share", "rejected_share_change", loss=False)
    return figures


def _figures(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> list[Figure]:
    rows = connection.execute(query).fetchall()
    return [
        Figure(name, table, float(value), float(volume), column, part)
        for table, column, part, value, volume in sorted(rows, key=lambda row: row[:3])
        # A column without a value has no extremes.
        if value is not None
    ]


def answers_out_of_range(
    connection: duckdb.DuckDBPyConnection,
    sql: ProjectSql,
    column: str,
    bounds: tuple[float, float],
    most_rows: int,
) -> Sequence[str]:
    """Keys of answers whose score lies outside its scale.

    Args:
        connection: from open_warehouse.
        sql: the project's macros.
        column: score, csat_score or effort_score.
        bounds: ends of the scale, both inside.
        most_rows: keys to return at most.
    """
    low, high = bounds
    query = sql.figure(
        "marts/answers_out_of_range", column=column, low=low, high=high, most_rows=most_rows
    )
    return [str(key) for (key,) in connection.execute(query).fetchall()]
