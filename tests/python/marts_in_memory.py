"""Marts as the project ships them, computed in DuckDB in memory from tables a test fills."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from conftest import PROJECT
from nps_warehouse.importance.plugin import register as register_importance
from rendered import rendered

Row = dict[str, Any]

BLOCK_COLUMNS = "responses bigint, promoters bigint, passives bigint, detractors bigint"
PERIOD_COLUMNS = (
    "survey_type varchar, period_type varchar, period_start date, period_end date, "
    "is_complete boolean"
)
# What the tested marts read: name, columns of a table made by hand.
INPUTS = {
    "as_of": "as_of_date date, first_response_date date, last_response_date date",
    "period_response_counts": (
        f"scope_type varchar, scope_id varchar, second_scope_id varchar, {PERIOD_COLUMNS}, "
        f"{BLOCK_COLUMNS}"
    ),
    "nps_by_department": (
        f"{PERIOD_COLUMNS}, department_id varchar, is_rollup boolean, {BLOCK_COLUMNS}"
    ),
    "nps_targets": (
        "scope_type varchar, scope_id varchar, metric varchar, valid_from date, "
        "target decimal(18, 4), due_on date"
    ),
    "nps_bands": 'band varchar, "above" double, up_to double',
}


class Marts:
    """The SQL of marts and of a test's own queries, run on tables in memory.

    Args:
        folder: where the throwaway dbt project goes.
        marts: paths of the marts under models/marts without suffix, each after those it reads.
        queries: further queries, by name, in Jinja with the project's macros.
        inputs: names of the relations they read.
        variables: dbt vars that differ from the project's own.
    """

    def __init__(
        self,
        folder: Path,
        marts: Sequence[str],
        *,
        queries: Mapping[str, str] | None = None,
        inputs: Iterable[str] = INPUTS,
        variables: Mapping[str, object] | None = None,
    ) -> None:
        self.marts = [path.rpartition("/")[2] for path in marts]
        texts = {
            name: (PROJECT / "models" / "marts" / f"{path}.sql").read_text(encoding="utf-8")
            for name, path in zip(self.marts, marts, strict=True)
        }
        stubs = dict.fromkeys(inputs, "select 1 as nothing")
        self.sql = rendered(folder, stubs | texts | dict(queries or {}), variables=variables)
        self.connection = duckdb.connect()
        register_importance(self.connection)

    def rows(self, query: str) -> list[Row]:
        """Rows of a query, by column name."""
        result = self.connection.execute(query)
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def run(self, name: str, columns: str, rows: Sequence[Sequence[Any]]) -> list[Row]:
        """Rows of one of the test's own queries on a table `given`."""
        self.fill("given", rows, columns)
        return self.rows(self.sql[name])

    def fill(self, table: str, rows: Sequence[Sequence[Any]], columns: str | None = None) -> None:
        """Replace a table by these rows.

        Args:
            table: one of INPUTS, or any name with `columns`.
            rows: the values of each row.
            columns: the table's columns as SQL.
        """
        self.connection.execute(f"create or replace table {table} ({columns or INPUTS[table]})")
        if rows:
            places = ", ".join("?" for _ in rows[0])
            self.connection.executemany(
                f"insert into {table} values ({places})", [list(row) for row in rows]
            )

    def fill_bands(self) -> None:
        """The shipped bands."""
        with (PROJECT / "seeds" / "nps_bands.csv").open(newline="") as file:
            self.fill("nps_bands", [list(row.values()) for row in csv.DictReader(file)])

    def build(self) -> None:
        """Compute the marts, in their order."""
        for mart in self.marts:
            self.connection.execute(f"create or replace table {mart} as {self.sql[mart]}")

    def fingerprints(self) -> dict[str, str]:
        """Per mart a hash of all rows to the last bit, whatever their order."""
        found = {}
        for mart in self.marts:
            rows = self.connection.execute(
                f"select cast(to_json(t) as varchar) as row_text from {mart} as t order by row_text"
            ).fetchall()
            assert rows, mart
            found[mart] = hashlib.md5(str(rows).encode()).hexdigest()
        return found
