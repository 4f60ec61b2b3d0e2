"""The delivered files: what is there, and their rows in a scratch DuckDB file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from nps_warehouse.gates.expectations import BadInputError
from nps_warehouse.landing import sql
from nps_warehouse.landing.contract import SAMPLE_DIR, SEEDS_DIR, Table, load_contract
from nps_warehouse.landing.csv_reader import read_header
from nps_warehouse.landing.discover import CSV, SourceFile, discover
from nps_warehouse.landing.land import land
from nps_warehouse.landing.names import clean_name
from nps_warehouse.landing.parquet_reader import read_parquet_file
from nps_warehouse.landing.report import FileError, Report
from nps_warehouse.landing.seeds import Seed, read_seeds
from nps_warehouse.landing.text_rows import insert_text_rows

TEXT = "text"
"""Type of every column of a CSV file."""


@dataclass(frozen=True)
class DeliveredTable:
    """A table of the contract with what was delivered of it.

    `columns` holds the type of every column of every file by its cleaned name (`text`, a Parquet
    type, or several types joined by a bar); `missing` the required columns that some file lacks.
    """

    table: Table
    files: tuple[SourceFile, ...]
    columns: Mapping[str, str]
    missing: tuple[str, ...]


def inspect(raw_dir: Path | None) -> list[DeliveredTable]:
    """Read the headers of all delivered files.

    Args:
        raw_dir: the delivered folder; None: the shipped sample.

    Raises:
        BadInputError: the folder or a file in it cannot be read at all.
    """
    tables = load_contract()
    report = Report()
    # What is missing is judged, not refused: the gate says it in the words of its expectation.
    found = discover(
        (raw_dir or SAMPLE_DIR).resolve(), tuple(replace(t, required=False) for t in tables), report
    )
    connection = duckdb.connect()
    delivered = []
    for table in tables:
        files = tuple(found.get(table.name, ()))
        types: dict[str, set[str]] = {}
        missing: dict[str, None] = {}
        for file in files:
            try:
                columns = _columns(connection, file)
            except FileError as problem:
                report.error(str(problem))
                continue
            for name, type_ in columns.items():
                types.setdefault(name, set()).add(type_)
            missing |= {
                column.name: None
                for column in table.columns
                if column.must_exist and column.name not in columns
            }
        joined = {name: "|".join(sorted(types[name])) for name in sorted(types)}
        delivered.append(DeliveredTable(table, files, joined, tuple(missing)))
    connection.close()
    if report.errors:
        raise BadInputError("\n".join(report.errors))
    return delivered


def _columns(connection: duckdb.DuckDBPyConnection, file: SourceFile) -> dict[str, str]:
    if file.format == CSV:
        names = read_header(file.path, file.table, file.relative).names
        return {clean_name(name): TEXT for name in names}
    columns = read_parquet_file(connection, file).columns
    return {clean_name(column.delivered): column.type for column in columns}


def open_scratch(
    scratch: Path, raw_dir: Path | None, seeds_dir: Path | None, memory: str
) -> duckdb.DuckDBPyConnection:
    """Land a delivery, read as `dbt build` reads it, in a DuckDB file of its own.

    The warehouse is left alone: a delivery that is refused has then changed nothing.

    Args:
        scratch: an empty folder, for the file and for what does not fit into memory.
        raw_dir: the delivered folder; None: the shipped sample.
        seeds_dir: the business's own seeds; None: the shipped ones.
        memory: DuckDB's limit, such as `1GB`.

    Returns:
        A connection with the schemas `raw` and `reference`.

    Raises:
        BadInputError: the delivery, the seeds or the limit cannot be used.
    """
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory,
        "temp_directory": str(scratch / "spill"),
        "threads": 2,
    }
    try:
        connection = duckdb.connect(str(scratch / "delivery.duckdb"), config=settings)
    except duckdb.Error as problem:
        raise BadInputError(f"memory {memory}: {problem}") from problem
    connection.execute("set TimeZone = 'UTC'")
    report = land(
        connection, str(raw_dir) if raw_dir else None, str(seeds_dir) if seeds_dir else None
    )
    if report.errors:
        raise BadInputError("\n".join(report.errors))
    seeds = {seed.name: seed for seed in read_seeds(SEEDS_DIR, SEEDS_DIR, report)}
    if seeds_dir is not None:
        seeds |= {seed.name: seed for seed in read_seeds(seeds_dir.resolve(), SEEDS_DIR, report)}
    connection.execute("create schema reference")
    for seed in seeds.values():
        _write(connection, seed)
    return connection


def _write(connection: duckdb.DuckDBPyConnection, seed: Seed) -> None:
    target = f"reference.{sql.name(seed.name)}"
    columns = ", ".join(f"{sql.name(column)} varchar" for column in seed.columns)
    connection.execute(f"create table {target} ({columns})")
    insert_text_rows(connection, target, len(seed.columns), seed.rows)
