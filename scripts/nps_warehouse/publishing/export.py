"""Files for those who want no database: Parquet, CSV and Excel, of what is published.

All files of a call are written beside their places first and renamed then, `version.json` last: it
names the version that the others are of.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from nps_warehouse import exit_codes
from nps_warehouse.durable import FRESH, put, write
from nps_warehouse.landing import sql
from nps_warehouse.publishing.copying import is_disk, relations
from nps_warehouse.publishing.excel import write_workbook
from nps_warehouse.publishing.place import (
    PublishingError,
    made,
    unreachable,
)
from nps_warehouse.publishing.versions import read_version
from nps_warehouse.quarantine.rows import FORMULA_STARTS

PARQUET, CSV, XLSX = "parquet", "csv", "xlsx"
FORMATS = (PARQUET, CSV, XLSX)
DEFAULT_TABLES = ("marts.*",)
WORKBOOK = "nps.xlsx"
VERSION_FILE = "version.json"

MOST_ROWS = 1_048_575
"""Rows of an Excel sheet below its header."""

_NAME = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True)
class Exported:
    """Files that were written, with the rows in each, and texts that had to be cut."""

    rows: dict[Path, int]
    cut: int


def export_all(
    published_file: Path,
    folder: Path,
    formats: Iterable[str],
    tables: Sequence[str] = DEFAULT_TABLES,
) -> Exported:
    """Write copies of what is published: `<format>/<schema>/<table>.<format>`, or one workbook.

    Args:
        published_file: the DuckDB file; it is opened once, so that all copies are of one version.
        folder: where to; folders are made.
        formats: of FORMATS.
        tables: which tables, as `schema.table`; `*` stands for anything.

    Raises:
        PublishingError: a format or a table is not known, a table is too long for Excel, or a file
            can't be read or written. Files that were there are as they were, unless the disk failed
            while they were renamed.
    """
    wanted = list(dict.fromkeys(formats))
    unknown = [form for form in wanted if form not in FORMATS]
    if unknown:
        raise PublishingError(f"there is no format {unknown[0]!r}; there are {', '.join(FORMATS)}")
    if not published_file.is_file():
        raise PublishingError(f"there is no published file {published_file}; publish first")
    version = read_version(published_file)
    fresh: list[tuple[Path, Path]] = []
    try:
        with duckdb.connect() as connection:
            connection.execute(f"attach {sql.text(str(published_file))} as shown (read_only)")
            # The file may have been replaced since it was asked.
            if _version_id(connection) != version.id:
                return export_all(published_file, folder, wanted, tables)
            chosen = _chosen(connection, tables)
            if XLSX in wanted:
                _refuse_long(chosen)
            rows: dict[Path, int] = {}
            cut = 0
            for form in wanted:
                if form == XLSX:
                    file = folder / form / WORKBOOK
                    cut += write_workbook(connection, _fresh(file, fresh), chosen, version)
                    rows[file] = sum(chosen.values())
                    continue
                for (schema, name), count in chosen.items():
                    file = folder / form / schema / f"{name}.{form}"
                    query = _query(connection, schema, name, form)
                    _copy(connection, query, _fresh(file, fresh), form)
                    rows[file] = count
        for new, file in fresh:
            put(new, file)
        said = {"version_id": version.id, "run_id": version.run_id,
                "published_at": version.published_at.isoformat()}  # fmt: skip
        write(folder / VERSION_FILE, json.dumps(said, indent=2) + "\n")
    except (OSError, duckdb.Error) as problem:
        if is_disk(problem):
            raise unreachable(problem) from problem
        raise PublishingError(str(problem).splitlines()[0], exit_codes.INTERNAL) from problem
    finally:
        for new, _ in fresh:
            new.unlink(missing_ok=True)
    return Exported(rows, cut)


def _version_id(connection: duckdb.DuckDBPyConnection) -> str:
    row = connection.execute("select version_id from shown.quality.published_version").fetchone()
    assert row is not None
    return str(row[0])


def _fresh(file: Path, fresh: list[tuple[Path, Path]]) -> Path:
    """Where to write a file beside its place."""
    made(file.parent)
    new = file.with_name(f".{file.name}{FRESH}")
    new.unlink(missing_ok=True)
    fresh.append((new, file))
    return new


def _chosen(
    connection: duckdb.DuckDBPyConnection, patterns: Sequence[str]
) -> dict[tuple[str, str], int]:
    """Rows of the tables that are asked for, by schema and name."""
    there = relations(connection, "shown")
    chosen: set[tuple[str, str]] = set()
    for pattern in patterns:
        found = {one for one in there if fnmatch.fnmatchcase(".".join(one), pattern)}
        if not found:
            raise PublishingError(
                f"no table {pattern!r} is published; `--table marts.nps_by_period` is one, and * "
                "stands for anything"
            )
        chosen |= found
    # Names become names of files.
    odd = [one for one in chosen if not _NAME.fullmatch(one[1])]
    if odd:
        raise PublishingError(f"the name of table {odd[0][1]!r} can't be that of a file")
    rows = {}
    for schema, name in sorted(chosen):
        row = connection.execute(f"select count(*) from {_relation(schema, name)}").fetchone()
        assert row is not None
        rows[(schema, name)] = int(row[0])
    return rows


def _refuse_long(chosen: dict[tuple[str, str], int]) -> None:
    for (schema, name), count in chosen.items():
        if count > MOST_ROWS:
            raise PublishingError(
                f"{schema}.{name} has {count:,} rows and a sheet of Excel {MOST_ROWS:,} at most: "
                "export it as Parquet or CSV, or name other tables with --table"
            )


def _relation(schema: str, name: str) -> str:
    return f"shown.{sql.name(schema)}.{sql.name(name)}"


def _query(connection: duckdb.DuckDBPyConnection, schema: str, name: str, form: str) -> str:
    """All rows; in CSV no text that a spreadsheet would take for a formula."""
    relation = _relation(schema, name)
    if form == PARQUET:
        return f"select * from {relation}"
    columns = connection.execute(f"describe {relation}").fetchall()
    return (
        "select "
        + ", ".join(
            neutral_text(column) if kind == "VARCHAR" else sql.name(column)
            for column, kind, *_ in columns
        )
        + f" from {relation}"
    )


def neutral_text(column: str) -> str:
    """SQL of a text column as `nps_warehouse.quarantine.rows.neutral` writes its cells.

    Args:
        column: its name.
    """
    name = sql.name(column)
    starts = ", ".join(f"chr({ord(sign)})" for sign in (*FORMULA_STARTS, "'"))
    return f"case when left({name}, 1) in ({starts}) then '''' || {name} else {name} end as {name}"


def _copy(connection: duckdb.DuckDBPyConnection, query: str, file: Path, form: str) -> None:
    options = "format parquet, compression zstd" if form == PARQUET else "format csv, header"
    connection.execute(f"copy ({query}) to {sql.text(str(file))} ({options})")
