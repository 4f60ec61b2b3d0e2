"""Runs a gate: figures, judgement, the rows to look at, what is remembered."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd

from nps_warehouse.gates.data_docs import clean_site, may_be_replaced
from nps_warehouse.gates.delivery import DeliveredTable, inspect, open_scratch
from nps_warehouse.gates.expectations import BadInputError, Declaration, load
from nps_warehouse.gates.figure import Figure, to_frame
from nps_warehouse.gates.history import Run, last_accepted, record, remembered
from nps_warehouse.gates.judge import Outcome, judge
from nps_warehouse.gates.marts_figures import (
    SCALE,
    answers_out_of_range,
    marts_figures,
    open_warehouse,
)
from nps_warehouse.gates.project_sql import ProjectSql
from nps_warehouse.gates.raw_figures import (
    RawTable,
    batch_figures,
    cell_figures,
    context,
    count_table,
    day_figures,
    last_run_figures,
    structure_figures,
)
from nps_warehouse.gates.report import Result
from nps_warehouse.landing.contract import SAMPLE_DIR

MOST_KEYS = 20
"""Rows that are named for a figure that fails."""

_RAW_MEMORY = ("rows", "readable_share")
_MARTS_MEMORY = ("rows", "rejected_share")

FindKeys = Callable[[Figure], str]


@dataclass(frozen=True)
class Options:
    """How a gate is run.

    `now` is an instant in UTC, `variables` are dbt vars; without `docs` no pages are made.
    """

    expectations: Path
    state: Path
    docs: Path | None
    now: datetime
    variables: Mapping[str, object] = field(default_factory=dict)
    memory: str = "1GB"
    accept: bool = False


@dataclass(frozen=True)
class Gathered:
    """The figures of a run, and what is needed to explain and remember them."""

    figures: list[Figure]
    find_keys: FindKeys
    as_of: datetime | None = None
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def check_raw(raw_dir: Path | None, seeds_dir: Path | None, options: Options) -> Result:
    """Judge a delivery before dbt reads it.

    Args:
        raw_dir: the delivered folder; None: the shipped sample.
        seeds_dir: the business's own seeds; None: the shipped ones.
        options: how.

    Raises:
        BadInputError: something that was given cannot be read or used.
    """
    declaration = load(options.expectations)
    last = last_accepted(options.state, declaration.gate)
    source = (raw_dir or SAMPLE_DIR).resolve()
    with gather_raw(raw_dir, seeds_dir, declaration, last, options) as gathered:
        return _finish(declaration, gathered, source, last, _RAW_MEMORY, options)


@contextmanager
def gather_raw(
    raw_dir: Path | None,
    seeds_dir: Path | None,
    declaration: Declaration,
    last: Run | None,
    options: Options,
) -> Iterator[Gathered]:
    """The figures of a delivery; its rows can be asked for as long as the context lasts.

    Args:
        raw_dir: the delivered folder; None: the shipped sample.
        seeds_dir: the business's own seeds; None: the shipped ones.
        declaration: which timestamp says when a row happened, and how large a batch has to be.
        last: the last accepted run.
        options: how.

    Raises:
        BadInputError: something that was given cannot be read or used.
    """
    # Vars that cannot be used are refused before anything is read.
    sql = ProjectSql(options.variables)
    delivered = inspect(raw_dir)
    figures = structure_figures(delivered, last)
    columns = {one.table.name: one.columns for one in delivered if one.files}
    if any(one.missing or (one.table.required and not one.files) for one in delivered):
        note = (
            "what is required is not all there, so that dbt build would refuse the delivery: "
            "nothing else was judged"
        )
        yield Gathered(figures, lambda _: "", None, columns, (note,))
        return
    with tempfile.TemporaryDirectory(prefix="nps_check_") as folder:
        connection = open_scratch(Path(folder), raw_dir, seeds_dir, options.memory)
        try:
            yield _gather_raw(connection, sql, delivered, declaration, figures, last, options)
        finally:
            connection.close()


def _gather_raw(
    connection: duckdb.DuckDBPyConnection,
    sql: ProjectSql,
    delivered: list[DeliveredTable],
    declaration: Declaration,
    structure: list[Figure],
    last: Run | None,
    options: Options,
) -> Gathered:
    tables = {
        one.table.name: RawTable(
            one.table.name,
            sql.columns_of(one.table.name),
            declaration.events.get(one.table.name),
        )
        for one in delivered
        if one.files
    }
    counted = [count_table(connection, sql, table) for table in tables.values()]
    figures = list(structure)
    for one in counted:
        figures += cell_figures(one)
    answers = tables["survey_responses"]
    figures += batch_figures(connection, sql, answers, declaration)
    newest = max((c.cells["newest"] for c in counted if c.cells.get("newest")), default=None)
    as_of = newest
    if sql.variables["as_of"] is not None:
        as_of = _instant(connection, sql.instant("as_of"))
    if as_of is not None and newest is not None:
        literal = f"cast('{as_of}' as timestamp)"
        local = _instant(connection, sql.local(literal))
        for one in counted:
            if one.table.event:
                figures += day_figures(one, local)
        age = (options.now.replace(tzinfo=None) - newest) / timedelta(days=1)
        rows = sum(sum(c.days.values()) for c in counted)
        detail = f"newest event {newest.isoformat(' ', 'seconds')} UTC"
        figures.append(Figure("delivery_age_days", "all tables", age, rows, detail=detail))
    figures += last_run_figures(figures, last)

    def find_keys(figure: Figure) -> str:
        if not figure.condition:
            return ""
        query = sql.figure(
            "raw/rows",
            **context(tables[figure.table_name]),
            condition=figure.condition,
            column=figure.column_name,
            most_rows=MOST_KEYS,
        )
        by_file: dict[str, list[str]] = {}
        for file, row in connection.execute(query).fetchall():
            by_file.setdefault(file, []).append(str(row))
        return "; ".join(f"{file}: {', '.join(rows)}" for file, rows in by_file.items())

    columns = {one.table.name: one.columns for one in delivered if one.files}
    return Gathered(figures, find_keys, as_of, columns)


def _instant(connection: duckdb.DuckDBPyConnection, expression: str) -> datetime:
    row = connection.execute(f"select {expression}").fetchone()
    assert row is not None
    assert isinstance(row[0], datetime)
    return row[0]


def check_marts(warehouse: Path, options: Options) -> Result:
    """Judge the marts before they are published.

    Args:
        warehouse: the DuckDB file that dbt built.
        options: how.

    Raises:
        BadInputError: something that was given cannot be read or used.
    """
    declaration = load(options.expectations)
    last = last_accepted(options.state, declaration.gate)
    with gather_marts(warehouse, declaration, last, options) as gathered:
        return _finish(declaration, gathered, warehouse, last, _MARTS_MEMORY, options)


@contextmanager
def gather_marts(
    warehouse: Path, declaration: Declaration, last: Run | None, options: Options
) -> Iterator[Gathered]:
    """The figures of a warehouse; its rows can be asked for as long as the context lasts.

    Args:
        warehouse: the DuckDB file that dbt built.
        declaration: the ends of the scales.
        last: the last accepted run.
        options: how.

    Raises:
        BadInputError: something that was given cannot be read or used.
    """
    connection = open_warehouse(warehouse, options.memory)
    try:
        sql = ProjectSql(options.variables)

        def find_keys(figure: Figure) -> str:
            if figure.figure != SCALE or figure.table_name != "fct_survey_responses":
                return ""
            bounds = _bounds(declaration, figure)
            if bounds is None:
                return ""
            found = answers_out_of_range(connection, sql, figure.column_name, bounds, MOST_KEYS)
            return f"response_id: {', '.join(found)}"

        yield Gathered(marts_figures(connection, sql, last), find_keys)
    finally:
        connection.close()


def _bounds(declaration: Declaration, figure: Figure) -> tuple[float, float] | None:
    for one in declaration.expectations:
        if one.figure == SCALE and one.where.get("column_name") == figure.column_name:
            low, high = one.arguments.get("min_value"), one.arguments.get("max_value")
            if low is not None and high is not None:
                return low, high
    return None


def _finish(
    declaration: Declaration,
    gathered: Gathered,
    source: Path,
    last: Run | None,
    names: tuple[str, ...],
    options: Options,
) -> Result:
    outcomes = _explained(declaration, gathered, options.docs)
    stops = any(outcome.stops for outcome in outcomes)
    # An incomplete delivery was not counted: there is nothing later runs could compare with.
    accepted = not stops or (options.accept and not gathered.notes)
    at = options.now.astimezone(UTC).isoformat(timespec="seconds")
    record(
        options.state,
        Run(
            declaration.gate,
            at,
            accepted,
            gathered.columns,
            remembered(gathered.figures, names),
        ),
    )
    return Result(
        declaration.gate,
        source,
        at,
        gathered.as_of.isoformat(" ", "seconds") if gathered.as_of else None,
        last.at if last else None,
        accepted,
        tuple(outcomes),
        tuple(gathered.figures),
        declaration.figures,
        gathered.notes,
        options.docs,
    )


def _explained(declaration: Declaration, gathered: Gathered, docs: Path | None) -> list[Outcome]:
    """Judge; the rows to look at are asked for only where a figure fails."""
    frame = to_frame(gathered.figures)
    outcomes = judge(declaration, frame)
    failing = {key for outcome in outcomes for key in outcome.failing}
    keys = {
        (figure.figure, *figure.place): gathered.find_keys(figure)
        for figure in gathered.figures
        if (figure.figure, *figure.place) in failing
    }
    if docs is not None:
        found = [keys.get((figure.figure, *figure.place), "") for figure in gathered.figures]
        _write_docs(declaration, frame.assign(keys=found), docs)
    return [outcome.with_keys(keys) for outcome in outcomes]


def _write_docs(declaration: Declaration, frame: pd.DataFrame, docs: Path) -> None:
    try:
        if not may_be_replaced(docs):
            raise BadInputError(
                f"data docs {docs}: the folder holds something else, and would be replaced. Name "
                "another one, or an empty one."
            )
        docs.parent.mkdir(parents=True, exist_ok=True)
        # Written beside and moved, so that a broken run leaves the older pages whole.
        with tempfile.TemporaryDirectory(dir=docs.parent, prefix=".new-") as folder:
            site = Path(folder) / "site"
            judge(declaration, frame, site)
            clean_site(site)
            if docs.exists():
                shutil.rmtree(docs)
            site.rename(docs)
    except OSError as problem:
        raise BadInputError(f"data docs {docs} cannot be written: {problem}") from problem
