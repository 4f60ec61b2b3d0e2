"""Copies marts of Spark into a DuckDB file, for comparisons and for whoever reads such files.

Spark says which Parquet files a table is made of; DuckDB reads these. No row passes the driver.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import duckdb

from nps_warehouse.landing import sql
from nps_warehouse.spark.landing import Session

SCHEMAS = ("marts", "quality")
TYPES = {"string": "varchar", "timestamp_ntz": "timestamp"}


def extract(session: Session, file: Path, schemas: Sequence[str] = SCHEMAS) -> int:
    """Make a file with all tables of some schemas; returns how many there are.

    Args:
        session: a session with Spark.
        file: the DuckDB file; one that is there is replaced.
        schemas: of Spark's catalog; one that is not there has no tables.
    """
    file.unlink(missing_ok=True)
    session.execute("show schemas")
    known = {str(row[0]) for row in session.fetchall()}
    tables: list[tuple[str, str]] = []
    for schema in schemas:
        if schema in known:
            session.execute(f"show tables in {schema}")
            tables += [(schema, str(row[1])) for row in session.fetchall()]
    with duckdb.connect(str(file)) as target:
        target.execute("set TimeZone = 'UTC'")
        for schema, table in tables:
            _copy(session, target, schema, table)
    return len(tables)


def _copy(session: Session, target: duckdb.DuckDBPyConnection, schema: str, table: str) -> None:
    session.execute(f"describe {schema}.{table}")
    columns: dict[str, str] = {}
    for name, type_, *_ in session.fetchall():
        if not name or name.startswith("#"):
            break
        columns[str(name)] = TYPES.get(type_, str(type_))
    session.execute(f"select file_path from {schema}.{table}.files")
    files = [unquote(urlsplit(str(row[0])).path) for row in session.fetchall()]
    relation = f"{sql.name(schema)}.{sql.name(table)}"
    listed = ", ".join(f"{sql.name(name)} {type_}" for name, type_ in columns.items())
    target.execute(f"create schema if not exists {sql.name(schema)}")
    target.execute(f"create table {relation} ({listed})")
    if files:
        paths = ", ".join(sql.text(path) for path in files)
        # A timestamp is an instant there; the session's zone, UTC, makes it what it is here.
        target.execute(
            f"insert into {relation} by name "
            f"select {sql.columns(list(columns))} from read_parquet([{paths}])"
        )
