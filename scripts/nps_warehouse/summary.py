"""What ``scripts/build`` says at its end: the company's score, what was rejected, where to look.

The summary of a nightly run (``nps_warehouse.telling``) says the same in the same words.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb

MAX_WARNINGS = 20
"""Warnings that are listed; the rest are counted."""

FIRST_QUERY = (
    "select department_name, responses, nps, nps_ci_low, nps_ci_high "
    "from {{ ref('nps_by_department') }} "
    "where survey_type = 'all' and period_type = 'all' and not is_rollup order by nps"
)
"""A first look at the marts, for `dbt show`."""


@dataclass(frozen=True)
class Score:
    """The company's score over all answers: counts of responses, and points from -100 to 100."""

    responses: int
    nps: float
    ci_low: float
    ci_high: float
    band: str | None
    is_reportable: bool


class Rows(Protocol):
    """What became of one raw table's rows, in rows."""

    @property
    def table_name(self) -> str:
        """Its name."""

    @property
    def rows_read(self) -> int:
        """Rows delivered."""

    @property
    def rejected(self) -> int:
        """Rows that are not used, each with its reason."""


@dataclass(frozen=True)
class Reconciliation:
    """What became of one raw table's rows, in rows."""

    table_name: str
    rows_read: int
    rejected: int


def open_warehouse(file: Path) -> duckdb.DuckDBPyConnection:
    """A connection that reads a warehouse, which it calls ``warehouse``.

    A file that is opened plainly is called by its own name, and marts.duckdb with its schema marts
    is then ambiguous.

    Args:
        file: the DuckDB file.

    Raises:
        duckdb.Error: it cannot be read.
    """
    connection = duckdb.connect()
    quoted = str(file).replace("'", "''")
    connection.execute(f"attach '{quoted}' as warehouse (read_only)")
    return connection


def read_score(connection: duckdb.DuckDBPyConnection) -> Score | None:
    """The company's score over all answers of all time; None where there are no answers.

    Args:
        connection: from open_warehouse.

    Raises:
        duckdb.CatalogException: the warehouse has no such mart.
    """
    row = connection.execute(
        """
        select responses, nps, nps_ci_low, nps_ci_high, nps_band, is_reportable
        from warehouse.marts.nps_by_period
        where survey_type = 'all' and period_type = 'all'
        """
    ).fetchone()
    return None if row is None else Score(*row)


def read_reconciliation(connection: duckdb.DuckDBPyConnection) -> list[Reconciliation]:
    """What became of the rows of each raw table, in the order of their names.

    Args:
        connection: from open_warehouse.

    Raises:
        duckdb.CatalogException: the warehouse has no such table.
    """
    rows = connection.execute(
        """
        select table_name, rows_read, rejected
        from warehouse.quality.reconciliation
        order by table_name
        """
    ).fetchall()
    return [Reconciliation(*row) for row in rows]


@dataclass(frozen=True)
class Warned:
    """A test that warned, with dbt's message."""

    name: str
    message: str | None


def read_warnings(target: Path, started: float) -> list[Warned] | None:
    """The tests of the build that warned; None where it got no further than its start.

    Args:
        target: dbt's target folder.
        started: when the build began, in seconds since 1970; older results are another build's.
    """
    results = target / "run_results.json"
    # File systems that keep whole seconds only round down.
    if not results.exists() or results.stat().st_mtime < int(started):
        return None
    content: list[dict[str, Any]] = json.loads(results.read_text(encoding="utf-8"))["results"]
    return [
        Warned(node_name(result["unique_id"]), result.get("message"))
        for result in content
        if result["status"] == "warn"
    ]


def node_name(unique_id: str) -> str:
    """What people call a node of dbt.

    Args:
        unique_id: as dbt writes it: test.nps_warehouse.unmapped_channels.0f1e2d.
    """
    return unique_id.split(".")[2]


def shown(number: float) -> str:
    """A score as people read it: one decimal, and never a negative zero.

    Args:
        number: points from -100 to 100.
    """
    return f"{number:z.1f}"


def score_lines(score: Score | None) -> Iterator[str]:
    """The company's score in words.

    Args:
        score: None where there are no answers.
    """
    if score is None:
        yield "NPS        none: no answer was accepted"
        return
    # Bands are named for machines; people read them.
    band = f", {score.band.replace('_', ' ')}" if score.band else ""
    few = "" if score.is_reportable else ", too few responses to report"
    yield (
        f"NPS        {shown(score.nps)} "
        f"(95 % interval {shown(score.ci_low)} to {shown(score.ci_high)}){band}{few}"
    )
    yield f"Responses  {score.responses:,}"


def rejection_lines(tables: Sequence[Rows]) -> Iterator[str]:
    """Rows rejected, in all and by table.

    Args:
        tables: what became of the rows of every raw table.
    """
    rejected = [table for table in tables if table.rejected]
    total = sum(table.rejected for table in rejected)
    read = sum(table.rows_read for table in tables)
    yield f"Rejected   {total:,} of {read:,} raw rows"
    for table in rejected:
        yield f"           {table.rejected:,} of {table.rows_read:,} in {table.table_name}"


def warning_lines(warned: Sequence[Warned]) -> Iterator[str]:
    """The tests that warned, with dbt's message.

    Args:
        warned: of one build.
    """
    yield f"Warnings   {len(warned):,}"
    for warning in warned[:MAX_WARNINGS]:
        yield f"           {warning.name}: {warning.message or 'see the log'}"
    if len(warned) > MAX_WARNINGS:
        yield f"           and {len(warned) - MAX_WARNINGS:,} more, in logs/dbt.log"


def pointer_lines(warehouse: Path, failed: bool) -> Iterator[str]:
    """Where to look next.

    Args:
        warehouse: the DuckDB file.
        failed: whether the build failed.
    """
    state = "" if warehouse.exists() else " (not there)"
    yield f"Warehouse  {warehouse}{state}"
    if failed:
        yield "Log        logs/dbt.log"
        yield "Rejected   quality.rejected_rows and quality.rejected_values, as far as it got"
    else:
        yield f'Look       .venv/bin/dbt show --limit 20 --inline "{FIRST_QUERY}"'
    yield "Docs       README.md; .venv/bin/dbt docs generate && .venv/bin/dbt docs serve"


def figure_lines(warehouse: Path) -> Iterator[str]:
    """The figures of a build that succeeded.

    Args:
        warehouse: the DuckDB file.

    Raises:
        duckdb.Error: it cannot be read.
    """
    if not warehouse.exists():
        yield "NPS        none: dbt wrote no warehouse"
        return
    with open_warehouse(warehouse) as connection:
        try:
            score = read_score(connection)
            tables = read_reconciliation(connection)
        except duckdb.CatalogException:
            yield "NPS        none: only a part of the warehouse has been built"
            return
    yield from score_lines(score)
    yield from rejection_lines(tables)


def report(warehouse: Path, target: Path, started: float, status: int) -> list[str]:
    """The lines that end a build.

    Args:
        warehouse: the DuckDB file that was to be built.
        target: dbt's target folder.
        started: when the build began, in seconds since 1970.
        status: dbt's exit status.

    Raises:
        duckdb.Error: dbt succeeded, yet the warehouse cannot be read.
    """
    lines: list[str] = []
    if status != 0:
        lines.append("The build failed: see dbt's messages above. Its figures are not to be used.")
    else:
        lines.extend(figure_lines(warehouse))
    warned = read_warnings(target, started)
    if warned is not None:
        lines.extend(warning_lines(warned))
    lines.extend(pointer_lines(warehouse, failed=status != 0))
    return lines


def main() -> int:
    """Command line of ``scripts/build``'s last step. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--started", type=float, required=True, help="seconds since 1970")
    parser.add_argument("--status", type=int, required=True, help="dbt's exit status")
    arguments = parser.parse_args()
    warehouse = Path(os.environ.get("NPS_WAREHOUSE") or "target/nps_warehouse.duckdb")
    target = Path(os.environ.get("DBT_TARGET_PATH") or "target")
    print()
    try:
        lines = report(warehouse.absolute(), target, arguments.started, arguments.status)
    except duckdb.Error as error:
        print(f"summary: cannot read {warehouse}: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
