"""Presents Parquet files as a raw table without copying them.

Files with the same columns and types form a group; every group has its own casts, so that no
number is ever widened to another group's type.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from nps_warehouse.landing import sql
from nps_warehouse.landing.contract import PROVENANCE, Column, Table
from nps_warehouse.landing.csv_reader import refuse_unreadable
from nps_warehouse.landing.discover import SourceFile
from nps_warehouse.landing.line_errors import INVALID_UTF8
from nps_warehouse.landing.names import clean_name, shown_name, twice
from nps_warehouse.landing.report import FileError, Report

VARCHAR, DOUBLE = "VARCHAR", "DOUBLE"
TIMESTAMP, TIMESTAMPTZ = "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"

_MAGIC = b"PAR1"
_FILE_NAME = "__nps_file_name"
_ROW_NUMBER = "file_row_number"
_INTEGERS = frozenset(
    {
        *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
        *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
    }
)
# From here on a whole number may already have lost digits.
_FIRST_INEXACT = {"FLOAT": 2**24, "DOUBLE": 2**53}


@dataclass(frozen=True)
class ParquetColumn:
    """A column of a Parquet file: name as delivered, name in DuckDB, DuckDB type."""

    delivered: str
    name: str
    type: str


@dataclass(frozen=True)
class ParquetFile:
    """A Parquet file with its columns and its number of rows."""

    source: SourceFile
    columns: tuple[ParquetColumn, ...]
    records: int

    def find(self, column: Column) -> ParquetColumn | None:
        """The file's column for a column of the contract, if it has one."""
        for candidate in self.columns:
            if clean_name(candidate.delivered) == column.name:
                return candidate
        return None


def read_parquet_file(cursor: duckdb.DuckDBPyConnection, source: SourceFile) -> ParquetFile:
    """Read and check the schema of a Parquet file.

    Raises:
        FileError: the file cannot be used.
    """
    start = refuse_unreadable(source.path, source.table, source.relative)
    where = f"table {source.table}: file {source.relative}"
    if not start.startswith(_MAGIC) or _last_bytes(source.path) != _MAGIC or source.size < 12:
        raise FileError(
            f"{where} is not a Parquet file, though named so (it does not start and end with "
            f"{_MAGIC.decode()}). Deliver it again, or name a CSV file .csv."
        )
    location = sql.path(source.path)
    try:
        schema = cursor.execute(
            f"select name, coalesce(num_children, 0) from parquet_schema({location})"
        ).fetchall()
        described = cursor.execute(
            f"describe select * from read_parquet({location}, hive_partitioning = false)"
        ).fetchall()
        rows = cursor.execute(f"select num_rows from parquet_file_metadata({location})").fetchone()
    except duckdb.Error as problem:
        raise FileError(
            f"{where} is not a Parquet file that can be read: {str(problem).splitlines()[0]}"
        ) from problem
    delivered = _top_level_names(schema)
    for first, second in twice(delivered):
        raise FileError(
            f"{where} has two columns named {shown_name(first)} ({first!r} and {second!r}): names "
            "are compared without case and without blanks around them. Rename or remove one."
        )
    columns = tuple(
        ParquetColumn(name, str(entry[0]), str(entry[1]))
        for name, entry in zip(delivered, described, strict=True)
    )
    return ParquetFile(source, columns, int(rows[0]) if rows else 0)


def check_float_keys(
    cursor: duckdb.DuckDBPyConnection,
    table: Table,
    files: Sequence[ParquetFile],
    report: Report,
) -> None:
    """Report every key column of a floating type that holds numbers beyond its exact range."""
    for file in files:
        for column in table.columns:
            found = file.find(column)
            if column.kind != "key" or found is None or found.type not in _FIRST_INEXACT:
                continue
            limit = _FIRST_INEXACT[found.type]
            value = sql.name(found.name)
            row = cursor.execute(
                f"select {value} from read_parquet({sql.path(file.source.path)}, "
                f"hive_partitioning = false) where not isnan({value}) and abs({value}) >= {limit} "
                "limit 1"
            ).fetchone()
            if row is not None:
                power = limit.bit_length() - 1
                report.error(
                    f"table {table.name}: file {file.source.relative} has the key column "
                    f"{column.name} as {found.type}, with the value {row[0]:.0f}. From 2^{power} "
                    "on this type does not hold every whole number, digits may already be lost. "
                    "Deliver the column as text or as an integer."
                )


def presented_type(column: Column, files: Sequence[ParquetFile], has_csv: bool) -> str:
    """The DuckDB type in which a raw table shows a column.

    Args:
        column: the column.
        files: the table's Parquet files.
        has_csv: whether the table has CSV files too, which are text.
    """
    if column.kind in ("key", "text") or has_csv:
        return VARCHAR
    types = {
        _native_type(column, found.type)
        for found in (file.find(column) for file in files)
        if found is not None
    }
    return types.pop() if len(types) == 1 else VARCHAR


def presented_types(table: Table, files: Sequence[ParquetFile], has_csv: bool) -> dict[str, str]:
    """The DuckDB type in which a raw table shows each of its columns.

    Args:
        table: its contract.
        files: all of its Parquet files.
        has_csv: whether it has CSV files too.
    """
    return {column.name: presented_type(column, files, has_csv) for column in table.columns}


def parquet_selects(
    table: Table, files: Collection[ParquetFile], types: dict[str, str]
) -> list[str]:
    """One `select` for every group of files with the same columns and types.

    Args:
        table: its contract.
        files: those whose rows are wanted.
        types: as `presented_types` finds them for all of the table's files.
    """
    return [_select(table, group, types) for group in _groups(files)]


def _groups(files: Collection[ParquetFile]) -> Iterable[list[ParquetFile]]:
    groups: dict[object, list[ParquetFile]] = {}
    for file in files:
        # DuckDB numbers no rows of a file with a column of that name; alone it can be counted.
        alone = file.source.relative if _has_row_number_column(file) else None
        groups.setdefault((file.columns, alone), []).append(file)
    return groups.values()


def _has_row_number_column(file: ParquetFile) -> bool:
    return any(column.name.lower() == _ROW_NUMBER for column in file.columns)


def _select(table: Table, group: list[ParquetFile], types: dict[str, str]) -> str:
    first = group[0]
    broken = _broken_row(table, first)
    values = []
    for column in table.columns:
        found = first.find(column)
        type_ = types[column.name]
        if found is None:
            value = f"cast(null as {type_})"
        else:
            value = _value(found, type_)
            if broken:
                value = f"case when {broken} then null else {value} end"
        values.append(f"{value} as {sql.name(column.name)}")
    file_column, row_column, error_column = (sql.name(column) for column in PROVENANCE)
    folder = str(first.source.path)[: -len(first.source.relative)]
    values.append(f"substr({_FILE_NAME}, {len(folder) + 1}) as {file_column}")
    if _has_row_number_column(first):
        options = ""
        values.append(f"row_number() over () as {row_column}")
    else:
        options = ", file_row_number = true"
        values.append(f"{_ROW_NUMBER} + 1 as {row_column}")
    reason = f"case when {broken} then {sql.text(INVALID_UTF8)} end" if broken else "null"
    values.append(f"cast({reason} as varchar) as {error_column}")
    paths = ", ".join(sql.path(file.source.path) for file in group)
    return (
        f"select {', '.join(values)} from read_parquet([{paths}], filename = '{_FILE_NAME}', "
        f"hive_partitioning = false, union_by_name = false{options})"
    )


def _broken_row(table: Table, file: ParquetFile) -> str:
    """A condition that finds rows with bytes that are no UTF-8, or nothing without such columns."""
    conditions = []
    for column in table.columns:
        found = file.find(column)
        if found is not None and found.type == "BLOB":
            value = sql.name(found.name)
            conditions.append(f"({value} is not null and try(decode({value})) is null)")
    return " or ".join(conditions)


def _is_numeric(type_: str) -> bool:
    return type_ in _INTEGERS or type_ in _FIRST_INEXACT or type_.startswith("DECIMAL")


def _is_zoned(type_: str) -> bool:
    return type_.startswith("TIMESTAMP") and type_.endswith("WITH TIME ZONE")


def _is_naive(type_: str) -> bool:
    return type_ == "DATE" or (type_.startswith("TIMESTAMP") and not _is_zoned(type_))


def _native_type(column: Column, type_: str) -> str:
    if column.kind == "number" and _is_numeric(type_):
        return DOUBLE
    if column.kind == "timestamp" and _is_zoned(type_):
        return TIMESTAMPTZ
    if column.kind == "timestamp" and _is_naive(type_):
        return TIMESTAMP
    return VARCHAR


def _value(column: ParquetColumn, presented: str) -> str:
    value = sql.name(column.name)
    if presented == VARCHAR:
        return _as_text(value, column.type)
    if column.type in _FIRST_INEXACT:
        return f"case when not isnan({value}) then cast({value} as {presented}) end"
    return f"cast({value} as {presented})"


def _as_text(value: str, type_: str) -> str:
    as_varchar = f"cast({value} as varchar)"
    if type_ in _FIRST_INEXACT:
        # Without an exponent, which only very small and very great numbers are written with.
        return (
            f"case when isnan({value}) then null "
            f"when {value} = trunc({value}) and abs({value}) < 1e38 "
            f"then cast(cast({value} as hugeint) as varchar) "
            f"when contains({as_varchar}, 'e') and abs({value}) between 1e-20 and 1 "
            f"then rtrim(cast(cast({as_varchar} as decimal(38, 37)) as varchar), '0') "
            f"else {as_varchar} end"
        )
    if type_.startswith("DECIMAL"):
        return (
            f"case when {value} = trunc({value}) then split_part({as_varchar}, '.', 1) "
            f"else {as_varchar} end"
        )
    if type_ == "BLOB":
        return f"try(decode({value}))"
    if _is_zoned(type_):
        return f"cast({value} at time zone 'UTC' as varchar) || 'Z'"
    return as_varchar


def _top_level_names(schema: list[tuple[str, int]]) -> list[str]:
    """Names of the columns in a depth-first schema listing, without those nested in them."""
    names = []
    position = 1
    while position < len(schema):
        names.append(schema[position][0])
        position = _after(schema, position)
    return names


def _after(schema: list[tuple[str, int]], position: int) -> int:
    """Position of the entry that follows the one at `position` and all that is nested in it."""
    waiting = 1
    while waiting:
        waiting += schema[position][1] - 1
        position += 1
    return position


def _last_bytes(path: Path) -> bytes:
    with path.open("rb") as stream:
        stream.seek(-min(4, stream.seek(0, 2)), 2)
        return stream.read()
