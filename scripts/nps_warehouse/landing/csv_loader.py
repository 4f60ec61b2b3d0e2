"""Loads CSV files into a DuckDB table, all columns as text.

A regular file (see `csv_scan`) is read by DuckDB, any other by `csv_reader`; the rows are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from nps_warehouse.landing import sql
from nps_warehouse.landing.contract import PROVENANCE, Table
from nps_warehouse.landing.csv_reader import Header, Record, read_records
from nps_warehouse.landing.csv_scan import Scan
from nps_warehouse.landing.discover import SourceFile
from nps_warehouse.landing.names import clean_name
from nps_warehouse.landing.text_rows import insert_text_rows

BATCH_ROWS = 20_000
BATCH_CHARACTERS = 16 * 1024 * 1024
LEAST_LINE_SIZE = 2 * 1024 * 1024
LONGEST_FAST_RECORD = 32 * 1024 * 1024

CSV_TABLE_PREFIX = "_csv_"

TEMPORARY = "temp"

_LOAD = "_nps_landing_load"


class FastPathError(Exception):
    """DuckDB read a regular file otherwise than expected; the transaction is lost."""

    def __init__(self, file: SourceFile, problem: str) -> None:
        """Say what was unexpected in which file."""
        super().__init__(f"{file.relative}: {problem}")
        self.relative = file.relative


@dataclass(frozen=True)
class CsvFile:
    """A CSV file with what is known of it before it is loaded."""

    source: SourceFile
    header: Header
    scan: Scan

    @property
    def is_fast(self) -> bool:
        """Whether DuckDB's reader may be used."""
        return self.scan.irregular is None and self.scan.longest_record <= LONGEST_FAST_RECORD


def csv_table_name(table: Table) -> str:
    """Name, in schema `raw`, of the table that holds the rows of a table's CSV files."""
    return f"{CSV_TABLE_PREFIX}{table.name}"


def create_csv_table_sql(schema: str, table: Table) -> str:
    """The statement that makes the empty table for a table's CSV rows.

    Args:
        schema: quoted name of its schema; TEMPORARY for a table of the connection.
        table: its contract.
    """
    temporary = "temp " if schema == TEMPORARY else ""
    columns = ", ".join(f"{sql.name(column)} varchar" for column in table.column_names)
    file_column, row_column, error_column = (sql.name(column) for column in PROVENANCE)
    return (
        f"create {temporary}table {schema}.{sql.name(csv_table_name(table))} ({columns}, "
        f"{file_column} varchar, {row_column} bigint, {error_column} varchar)"
    )


def load_csv(
    cursor: duckdb.DuckDBPyConnection, target: str, table: Table, file: CsvFile, fast: bool
) -> int:
    """Append the rows of one file to `target`.

    Args:
        cursor: connection to write with.
        target: quoted name of the table, made by `create_csv_table_sql`.
        table: its contract.
        file: what to load.
        fast: whether DuckDB's reader may be used.

    Returns:
        The number of records, broken ones included.

    Raises:
        FastPathError: load the file again with `fast` off, in a new transaction.
    """
    if fast and file.is_fast:
        return _load_fast(cursor, target, table, file)
    return _load_slowly(cursor, target, table, file)


def _positions(table: Table, header: Header) -> list[int | None]:
    """For every contract column its position in the file, if it is there."""
    delivered = {clean_name(name): index for index, name in enumerate(header.names)}
    return [delivered.get(column) for column in table.column_names]


def read_csv_sql(file: CsvFile) -> str:
    """The `read_csv` call for a regular file: columns c0, c1, …, nothing left to guess."""
    columns = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(file.header.names)))
    line_size = max(LEAST_LINE_SIZE, 2 * file.scan.longest_record)
    return (
        f"read_csv({sql.path(file.source.path)}, auto_detect = false, columns = {{{columns}}}, "
        "header = false, skip = 1, delim = ',', quote = '\"', escape = '\"', comment = '', "
        "nullstr = '', allow_quoted_nulls = true, null_padding = false, strict_mode = true, "
        "ignore_errors = false, encoding = 'utf-8', "
        f"compression = 'none', hive_partitioning = false, max_line_size = {line_size})"
    )


def _load_fast(cursor: duckdb.DuckDBPyConnection, target: str, table: Table, file: CsvFile) -> int:
    positions = _positions(table, file.header)
    delivered = [f"c{index}" for index in positions if index is not None] or ["c0"]
    values = ["null" if index is None else f"c{index}" for index in positions]
    # The number of a row is its place in a table of its own: counting during the read would
    # leave all of the reading to one thread.
    try:
        cursor.execute(
            f"create or replace temp table {_LOAD} as "
            f"select {', '.join(delivered)} from {read_csv_sql(file)}"
        )
        found = cursor.execute(
            f"select count(*), coalesce(min(rowid), 0), coalesce(max(rowid), -1) from temp.{_LOAD}"
        ).fetchone()
        assert found is not None
        count, first, last = found
        if not count == last - first + 1 == file.scan.records:
            raise FastPathError(file.source, f"{count} rows instead of {file.scan.records}")
        cursor.execute(
            f"insert into {target} select {', '.join(values)}, "
            f"{sql.text(file.source.relative)}, rowid - {first} + 1, null from temp.{_LOAD}"
        )
        cursor.execute(f"drop table temp.{_LOAD}")
    except duckdb.Error as problem:
        raise FastPathError(file.source, str(problem)) from problem
    return file.scan.records


def _load_slowly(
    cursor: duckdb.DuckDBPyConnection, target: str, table: Table, file: CsvFile
) -> int:
    positions = _positions(table, file.header)
    batch: list[Record] = []
    characters = 0
    rows = 0
    for record in read_records(file.source.path, len(file.header.names)):
        batch.append(record)
        characters += sum(map(len, record.fields))
        if len(batch) >= BATCH_ROWS or characters >= BATCH_CHARACTERS:
            _insert(cursor, target, file.source.relative, positions, batch, rows)
            rows += len(batch)
            batch = []
            characters = 0
    if batch:
        _insert(cursor, target, file.source.relative, positions, batch, rows)
    return rows + len(batch)


def _insert(
    cursor: duckdb.DuckDBPyConnection,
    target: str,
    relative: str,
    positions: Sequence[int | None],
    batch: list[Record],
    rows_before: int,
) -> None:
    nothing = [""] * len(positions)
    rows = []
    for number, record in enumerate(batch, rows_before + 1):
        fields = record.fields
        if record.error is None:
            row = ["" if index is None else fields[index] for index in positions]
        else:
            row = nothing.copy()
        row += (relative, str(number), record.error or "")
        rows.append(row)
    insert_text_rows(cursor, target, len(positions) + len(PROVENANCE), rows)
