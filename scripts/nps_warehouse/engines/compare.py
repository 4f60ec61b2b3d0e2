"""Compares the marts of two engines, each given as a DuckDB file: table by table, cell by cell.

Rows are brought together by the key that a table's `one_row_per` test names. Keys, counts, texts,
dates and whatever else is no floating point number have to be equal; floating point numbers may
differ by `TOLERANCE` of the larger of the two, or of 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import yaml

from nps_warehouse.landing import sql

PROJECT = Path(__file__).resolve().parents[3]
SCHEMAS = ("marts", "quality")
TOLERANCE = 1e-9
FLOATING = ("DOUBLE", "FLOAT")


@dataclass(frozen=True)
class Compared:
    """What two engines say in one table.

    Attributes:
        table: its name with the schema.
        rows: rows of the first.
        other_rows: rows of the second.
        columns: columns of the first.
        unmatched: rows of either that have none of the same key in the other.
        cells: cells that differ, of rows that both have, by column.
        worst: greatest difference of two numbers, as a part of the larger of the two, or of 1.
        problem: why there was nothing to compare; '' where there was.
    """

    table: str
    rows: int
    other_rows: int
    columns: int
    unmatched: int
    cells: Mapping[str, int]
    worst: float
    problem: str = ""

    @property
    def is_equal(self) -> bool:
        """Whether both say the same."""
        same_rows = self.rows == self.other_rows and not self.unmatched
        return not self.problem and same_rows and not self.cells


def keys(project: Path = PROJECT) -> dict[str, list[str]]:
    """The columns of each model's grain, as its properties test it.

    Args:
        project: the project's folder.
    """
    found = {}
    for file in sorted((project / "models").rglob("*.yml")):
        for model in (yaml.safe_load(file.read_text()) or {}).get("models", []):
            for test in model.get("data_tests", []):
                if isinstance(test, dict) and "one_row_per" in test:
                    found[str(model["name"])] = list(test["one_row_per"]["arguments"]["columns"])
    return found


def compare(first: Path, second: Path, grain: Mapping[str, Sequence[str]]) -> list[Compared]:
    """Compare every table of the schemas `marts` and `quality` of two files.

    Args:
        first: a DuckDB file.
        second: another.
        grain: key columns by table; a table without is compared by all its exact columns.
    """
    with duckdb.connect() as connection:
        for name, file in (("a", first), ("b", second)):
            connection.execute(f"attach {sql.text(str(file))} as {name} (read_only)")
        columns = {name: _columns(connection, name) for name in ("a", "b")}
        return [
            _compared(connection, table, columns["a"].get(table), columns["b"].get(table), grain)
            for table in sorted(columns["a"] | columns["b"])
        ]


def _columns(
    connection: duckdb.DuckDBPyConnection, database: str
) -> dict[tuple[str, str], dict[str, str]]:
    rows = connection.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns() "
        "where database_name = $1 and list_contains($2, schema_name) order by all",
        [database, list(SCHEMAS)],
    ).fetchall()
    found: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, column, type_ in rows:
        found.setdefault((schema, table), {})[column] = type_
    return found


def _compared(
    connection: duckdb.DuckDBPyConnection,
    table: tuple[str, str],
    columns: dict[str, str] | None,
    others: dict[str, str] | None,
    grain: Mapping[str, Sequence[str]],
) -> Compared:
    shown = ".".join(table)
    if columns is None or others is None:
        return Compared(shown, 0, 0, 0, 0, {}, 0.0, "only one engine has it")
    if list(columns) != list(others):
        odd = sorted(columns.keys() ^ others.keys())
        return Compared(shown, 0, 0, 0, 0, {}, 0.0, f"other columns: {', '.join(odd)}")
    wanted = list(columns)
    exact = [column for column in wanted if columns[column] not in FLOATING]
    key = list(grain.get(table[1], exact))
    relations = [f"{name}.{sql.name(table[0])}.{sql.name(table[1])}" for name in ("a", "b")]
    rows, other_rows = (_number(connection, f"select count(*) from {one}") for one in relations)
    on = (
        " and ".join(f"a.{sql.name(c)} is not distinct from b.{sql.name(c)}" for c in key) or "true"
    )
    # Rows of one key are numbered, should there be several: the first is compared with the first.
    listed = ", ".join(sql.name(column) for column in wanted)
    place = f"row_number() over (partition by {sql.columns(key) or 'true'} order by {listed})"
    sides = [f"(select *, {place} as _place from {one})" for one in relations]
    measures = []
    for column in wanted:
        left, right = f"a.{sql.name(column)}", f"b.{sql.name(column)}"
        differ = f"{left} is distinct from {right}"
        worst = "0"
        if columns[column] in FLOATING:
            # NaN and the infinities are equal to themselves alone.
            worst = (
                f"coalesce(case when {left} is not distinct from {right} then 0 else "
                f"abs({left} - {right}) / greatest(1, abs({left}), abs({right})) end, 0)"
            )
            differ = (
                f"({differ} and coalesce(not {worst} <= {TOLERANCE} or {left} is null "
                f"or {right} is null, true))"
            )
        measures.append(f"count(*) filter ({differ})")
        measures.append(f"coalesce(max({worst}), 0)")
    result = connection.execute(
        f"select {', '.join(['count(*)', *measures])} from {sides[0]} as a "
        f"inner join {sides[1]} as b on {on} and a._place = b._place"
    ).fetchone()
    assert result is not None
    both = int(result[0])
    cells = {
        column: int(count)
        for column, count in zip(wanted, result[1::2], strict=True)
        if count
    }  # fmt: skip
    worst_of_all = max((float(value) for value in result[2::2]), default=0.0)
    unmatched = rows + other_rows - 2 * both
    return Compared(shown, rows, other_rows, len(wanted), unmatched, cells, worst_of_all)


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def printed(compared: Iterable[Compared], names: tuple[str, str]) -> str:
    """The table of all comparisons, and a line with the verdict.

    Args:
        compared: of each table.
        names: of the two engines.
    """
    lines = [f"{'table':50} {names[0]:>9} {names[1]:>9} {'columns':>7} {'worst':>8}  verdict"]
    tables = list(compared)
    for one in tables:
        verdict = "equal" if one.is_equal else one.problem or _what_differs(one)
        lines.append(
            f"{one.table:50} {one.rows:>9} {one.other_rows:>9} {one.columns:>7} "
            f"{one.worst:>8.1e}  {verdict}"
        )
    equal = sum(one.is_equal for one in tables)
    rows = sum(one.rows for one in tables)
    cells = sum(one.rows * one.columns for one in tables)
    worst = max((one.worst for one in tables), default=0.0)
    lines.append(
        f"{equal} of {len(tables)} tables are equal: {rows:,} rows, {cells:,} cells, "
        f"worst difference {worst:.1e} of at most {TOLERANCE:.0e}."
    )
    return "\n".join(lines)


def _what_differs(one: Compared) -> str:
    parts = [f"{one.unmatched} rows without their like"] if one.unmatched else []
    parts += [f"{column}: {count}" for column, count in one.cells.items()]
    return "differs: " + ", ".join(parts)
