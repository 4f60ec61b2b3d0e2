"""Brings what was delivered to Spark: our own reader makes raw tables, Parquet files carry them.

The files are read by the one landing there is, into a DuckDB file. Each of its tables becomes
Parquet files in a folder that the workers see, and Spark's executors make an Iceberg table of
these: no row passes the driver. The state (what was published) comes along as schema ``state``.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import duckdb

from nps_warehouse.landing import comment_readers, contract, sql
from nps_warehouse.landing.land import FILES, LANDING, SCHEMA, land
from nps_warehouse.landing.report import Report
from nps_warehouse.landing.seeds import SEED_PREFIX, read_seeds
from nps_warehouse.landing.theme_labels import TABLE as LABELS
from nps_warehouse.landing.theme_labels import labels_file
from nps_warehouse.privacy.suppression import load
from nps_warehouse.state.store import ALIAS, migrate, state_file, tables

# Rows of a Parquet file, so that several executors read a large table at once.
ROWS_A_FILE = 500_000
# What dbt builds into. It asks what there is in each before it would make them.
BUILT = ("staging", "categorized", "marts", "quality", "reference")
ZONES, READERS = "_zones", "_comment_readers"


class Session(Protocol):
    """What the landing needs of a connection to Spark."""

    def execute(self, operation: str) -> Any:
        """Run a statement."""

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Rows of the last statement."""


@contextmanager
def connected(host: str, port: int, user: str) -> Iterator[Session]:
    """A session with the Thrift server.

    Args:
        host: where the server listens.
        port: as ``host``.
        user: a name, as what the session is known.

    Raises:
        ConnectionError: no server answers there.
    """
    from pyhive import hive  # Only .venv-spark has these.
    from thrift.transport.TTransport import TTransportException

    try:
        opened = hive.connect(host=host, port=port, username=user)
    except TTransportException as problem:
        raise ConnectionError(
            f"no Thrift server of Spark answers at {host}:{port}; scripts/spark start starts one"
        ) from problem
    with closing(opened) as connection:
        yield connection.cursor()


def land_spark(
    session: Session, folder: Path, raw_dir: str | None = None, seeds_dir: str | None = None
) -> Report:
    """Make schemas ``raw`` and ``state`` of Spark hold what the folders hold.

    Args:
        session: a session with Spark.
        folder: where files are read into, and Parquet files are made; the workers see it.
        raw_dir: the delivered folder; the shipped sample where null or empty.
        seeds_dir: the business's own seeds; none where null or empty.

    Returns:
        What the landing says. With any error nothing was changed.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    scratch = folder / "landing.duckdb"
    files = duckdb.connect(str(scratch))
    scratch.chmod(0o640)
    try:
        files.execute("set TimeZone = 'UTC'")
        report = land(files, raw_dir, seeds_dir, suppression=load(), labels=labels_file())
        if report.errors:
            return report
        _attach_state(files)
        seeds = read_seeds(Path(seeds_dir), contract.SEEDS_DIR, Report()) if seeds_dir else []
        _note_readers(files, comment_readers.read(seeds, contract.SEEDS_DIR, Report()))
        parts = folder / "parquet"
        shutil.rmtree(parts, ignore_errors=True)
        for schema in BUILT:
            session.execute(f"create schema if not exists {schema}")
        for schema, names in _tables(files).items():
            session.execute(f"create schema if not exists {schema}")
            for name in _gone(session, schema, names):
                session.execute(f"drop table {schema}.{name} purge")
            for name in names:
                _bring(files, session, schema, name, parts / schema / name)
        shutil.rmtree(parts, ignore_errors=True)
    finally:
        files.close()
    return report


def _attach_state(files: duckdb.DuckDBPyConnection) -> None:
    """Attach the state, read only; an empty one where none was made yet."""
    file = state_file()
    if file.exists():
        files.execute(f"attach {sql.text(str(file))} as {ALIAS} (read_only)")
        return
    own = files.execute("select current_database()").fetchone()
    assert own is not None
    files.execute(f"attach ':memory:' as {ALIAS}")
    migrate(files, before=0)
    files.execute(f"use {sql.name(str(own[0]))}")


def _note_readers(files: duckdb.DuckDBPyConnection, reading: comment_readers.Reading) -> None:
    """Tables that stand for what DuckDB has as functions: what reads comments, the time zones."""
    files.execute(
        f"create or replace table {SCHEMA}.{READERS} "
        "(name varchar, parameters varchar, body varchar)"
    )
    for name, parameters, body in comment_readers.functions(reading, comment_readers.Spark()):
        files.execute(
            f"insert into {SCHEMA}.{READERS} values (?, ?, ?)", [name, ", ".join(parameters), body]
        )
    files.execute(
        f"create or replace table {SCHEMA}.{ZONES} as "
        "select name as zone from pg_timezone_names() order by name"
    )


def _tables(files: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    found = files.execute(
        "select table_name from duckdb_tables() where schema_name = $1 "
        "and database_name = current_database() and starts_with(table_name, $2) order by 1",
        [SCHEMA, SEED_PREFIX],
    ).fetchall()
    delivered = [table.name for table in contract.load_contract()]
    own = [FILES, LABELS, ZONES, READERS, *(str(row[0]) for row in found)]
    # The landing's own record comes last: with it there, everything is.
    return {ALIAS: list(tables(files)), SCHEMA: [*delivered, *own, LANDING]}


def _gone(session: Session, schema: str, names: list[str]) -> list[str]:
    session.execute(f"show tables in {schema}")
    return [str(row[1]) for row in session.fetchall() if row[1] not in names]


def _bring(
    files: duckdb.DuckDBPyConnection, session: Session, schema: str, name: str, folder: Path
) -> None:
    folder.mkdir(parents=True, mode=0o750)
    source = f"{schema}.{sql.name(name)}"
    described = files.execute(f"describe select * from {source}").fetchall()
    columns = ", ".join(_column(str(row[0]), str(row[1])) for row in described)
    row = files.execute(f"select count(*) from {source}").fetchone()
    assert row is not None
    # A folder without a file has no columns: an empty table is a file, too.
    for number in range(max(1, -(-int(row[0]) // ROWS_A_FILE))):
        part = folder / f"part-{number:05}.parquet"
        files.execute(
            f"copy (select {columns} from {source} limit {ROWS_A_FILE} "
            f"offset {number * ROWS_A_FILE}) to {sql.text(str(part))} (format parquet)"
        )
        part.chmod(0o640)
    session.execute(
        f"create or replace table {schema}.{name} using iceberg "
        f"as select * from parquet.`{folder.as_uri()}`"
    )


def _column(name: str, type_: str) -> str:
    """A column in a type that Spark has."""
    own = {"HUGEINT": "decimal(38, 0)", "UBIGINT": "bigint", "UINTEGER": "bigint"}.get(type_)
    shown = sql.name(name)
    return f"cast({shown} as {own}) as {shown}" if own else shown
