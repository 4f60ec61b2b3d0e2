"""The figures of a delivery, computed by DuckDB over the landed files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import duckdb

from nps_warehouse.gates.delivery import TEXT, DeliveredTable
from nps_warehouse.gates.expectations import Declaration
from nps_warehouse.gates.figure import Figure
from nps_warehouse.gates.history import Run, compared, rows_against_last_run
from nps_warehouse.gates.project_sql import ProjectSql
from nps_warehouse.landing.report import name_list

MOST_BATCHES = 500
"""Batches of answers that are judged, the largest first."""

RECENT_DAYS = 7
PAST_WEEKS = 4

BATCH_FIGURES = ("tens", "zeros", "highest_score")


@dataclass(frozen=True)
class RawTable:
    """A landed table: how its columns are read, and which timestamp says when a row happened."""

    name: str
    columns: Sequence[Mapping[str, Any]]
    event: str | None

    @property
    def readable(self) -> list[Mapping[str, Any]]:
        """Columns that can be read or not."""
        return [c for c in self.columns if c["type"] not in ("text", "verbatim")]

    @property
    def texts(self) -> list[Mapping[str, Any]]:
        """Columns that are text as they come, keys left out."""
        return [
            c
            for c in self.columns
            if c["type"] == "verbatim" or (c["type"] == "text" and not c["name"].endswith("_id"))
        ]


@dataclass(frozen=True)
class Counted:
    """What was counted of a table: its cells, and its rows by local date."""

    table: RawTable
    cells: Mapping[str, Any]
    days: Mapping[date, int]


def structure_figures(delivered: Sequence[DeliveredTable], last: Run | None) -> list[Figure]:
    """What headers tell: tables and columns that are missing, gone, new or of another type.

    Args:
        delivered: every table of the contract.
        last: the last accepted run; None: only what is missing can be told.
    """
    figures = []
    for one in delivered:
        name = one.table.name
        if one.table.required:
            figures.append(Figure("table_is_there", name, float(bool(one.files))))
        if not one.files:
            continue
        figures.append(
            Figure(
                "missing_required_columns", name, len(one.missing), detail=name_list(one.missing)
            )
        )
        if last and last.columns.get(name):
            figures += _drift(one, last.columns[name])
    return figures


def _drift(now: DeliveredTable, then: Mapping[str, str]) -> list[Figure]:
    optional = {column.name for column in now.table.columns if not column.must_exist}
    vanished = [c for c in then if c in optional and c not in now.columns]
    new = [c for c in now.columns if c not in now.table.column_names and c not in then]
    # A file that comes in the other format has no types to compare.
    retyped = [
        f"{c} ({then[c]} -> {type_})"
        for c, type_ in now.columns.items()
        if c in then and type_ != then[c] and TEXT not in (type_, then[c])
    ]
    found = {"vanished_optional_columns": vanished, "new_columns": new, "retyped_columns": retyped}
    return [
        Figure(figure, now.table.name, len(names), len(then), detail=name_list(names, ""))
        for figure, names in found.items()
    ]


def count_table(connection: duckdb.DuckDBPyConnection, sql: ProjectSql, table: RawTable) -> Counted:
    """Count what there is to count of a table: two passes over it.

    Args:
        connection: with the landed delivery.
        sql: the project's macros.
        table: which.
    """
    how = context(table)
    result = connection.execute(sql.figure("raw/cells", **how))
    names = [column[0] for column in result.description or []]
    cells = dict(zip(names, result.fetchall()[0], strict=True))
    days = {}
    if table.event:
        days = dict(connection.execute(sql.figure("raw/days", **how)).fetchall())
    return Counted(table, cells, days)


def context(table: RawTable) -> dict[str, object]:
    """What the SQL of a raw table's figures asks for.

    Args:
        table: which.
    """
    return {
        "table": table.name,
        "columns": table.columns,
        "readable": table.readable,
        "texts": table.texts,
        "names": [column["name"] for column in table.columns],
        "event": table.event,
    }


def cell_figures(counted: Counted) -> list[Figure]:
    """Shares of cells and lines that cannot be used.

    Args:
        counted: a table.
    """
    name, cells = counted.table.name, counted.cells
    rows = cells["rows_read"]
    figures = [Figure("rows", name, rows, rows)]
    if rows:
        figures += [
            _share("bad_bytes_share", name, cells["bad_bytes"], rows, condition="bad_bytes"),
            _share("broken_line_share", name, cells["broken_lines"], rows, condition="broken_line"),
        ]
    for kind, figure, columns, condition in (
        ("unreadable", "readable_share", counted.table.readable, "unreadable"),
        ("garbled", "garbled_share", counted.table.texts, "garbled"),
    ):
        for column in columns:
            filled, bad = cells[f"filled_{column['name']}"], cells[f"{kind}_{column['name']}"]
            if filled:
                good = filled - bad if figure == "readable_share" else bad
                figures.append(
                    _share(figure, name, good, filled, column["name"], condition=condition)
                )
    if cells.get("channels"):
        unmapped = cells["unmapped_channels"]
        figures.append(
            _share(
                "unmapped_channel_share", name, unmapped, cells["channels"], "channel", "unmapped"
            )
        )
    if cells.get("numbers"):
        inside = cells["numbers"] - cells["out_of_range"]
        figures.append(
            _share("score_in_range_share", name, inside, cells["numbers"], "score", "out_of_range")
        )
    return figures


def _share(
    figure: str, table: str, part: int, whole: int, column: str = "", condition: str = ""
) -> Figure:
    detail = f"{part:,} of {whole:,}"
    return Figure(figure, table, part / whole, whole, column, detail=detail, condition=condition)


def batch_figures(
    connection: duckdb.DuckDBPyConnection,
    sql: ProjectSql,
    table: RawTable,
    declaration: Declaration,
) -> list[Figure]:
    """Tens, zeros and the highest score of every batch of answers that is large enough.

    Args:
        connection: with the landed delivery.
        sql: the project's macros.
        table: survey_responses.
        declaration: says how large is large enough.
    """
    least = declaration.least_volume(BATCH_FIGURES)
    if least == float("inf"):
        return []
    query = sql.figure(
        "raw/score_batches",
        **context(table),
        least_volume=int(least),
        most_batches=MOST_BATCHES,
    )
    figures = []
    for part, scores, tens, zeros, highest in connection.execute(query).fetchall():
        for figure, value in zip(BATCH_FIGURES, (tens, zeros, highest), strict=True):
            figures.append(Figure(figure, table.name, value, scores, "score", part))
    return figures


def day_figures(counted: Counted, as_of: datetime) -> list[Figure]:
    """What happened lately in a table, against the weeks before.

    The day of `as_of` is not over: the last complete day is the one before.

    Args:
        counted: a table with events.
        as_of: "now", local.
    """
    name, event = counted.table.name, counted.table.event or ""
    today = as_of.date()
    recent = _days(counted.days, today, RECENT_DAYS)
    weeks = [
        _days(counted.days, today - timedelta(days=RECENT_DAYS * (week + 1)), RECENT_DAYS)
        for week in range(PAST_WEEKS)
    ]
    mean = sum(map(sum, weeks)) / PAST_WEEKS
    newest = max(counted.days, default=None)
    figures = []
    if mean > 0:
        detail = f"{sum(recent):,} rows in {RECENT_DAYS} days, {mean:,.1f} before"
        figures.append(
            Figure("recent_volume_ratio", name, sum(recent) / mean, mean, event, detail=detail)
        )
        silent = [
            str(today - timedelta(days=back + 1))
            for back in range(RECENT_DAYS)
            if not recent[back] and all(week[back] for week in weeks)
        ]
        daily = mean / RECENT_DAYS
        figures.append(
            Figure("silent_days", name, len(silent), daily, event, detail=name_list(silent, ""))
        )
    if newest is not None:
        rows = sum(counted.days.values())
        behind = (today - newest).days
        figures.append(
            Figure("days_behind", name, behind, rows, event, detail=f"newest day {newest}")
        )
    return figures


def _days(days: Mapping[date, int], before: date, number: int) -> list[int]:
    """Rows of the days before a date, the latest first."""
    return [days.get(before - timedelta(days=back + 1), 0) for back in range(number)]


def last_run_figures(figures: Sequence[Figure], last: Run | None) -> list[Figure]:
    """What changed since the last accepted run.

    Args:
        figures: those of this run.
        last: the last accepted run; None: nothing can be told.
    """
    rows = {figure.table_name: int(figure.value) for figure in figures if figure.figure == "rows"}
    return [
        *rows_against_last_run(rows, last),
        *compared(figures, last, "readable_share", "readable_share_lost", loss=True),
    ]
