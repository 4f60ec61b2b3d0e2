"""Where the lake is, and how a connection of DuckDB comes to it.

A lake is a folder of Parquet files and a database of PostgreSQL, the catalogue, that says which of
them make up which table at which moment. The environment names both (``NPS_DUCKLAKE_*``); builds,
readers and maintenance come to them by the functions here.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import duckdb
import psycopg2
from psycopg2 import errors, extensions

from nps_warehouse.landing import sql
from nps_warehouse.postgres.server import PROJECT, Address, ServerError, address

PREFIX = "NPS_DUCKLAKE_"
FOLDER_VARIABLE = f"{PREFIX}FOLDER"
DATA_VARIABLE = f"{PREFIX}DATA"
WAIT_VARIABLE = f"{PREFIX}WAIT"
RUN_VARIABLE = f"{PREFIX}RUN"
DATABASE = "nps_lake"
ALIAS = "lake"
SECRET = "nps_lake"
CATALOGUE_SECRET = "nps_lake_catalogue"
# PyPI's packages, of the very release of DuckDB: nothing is downloaded when they are loaded.
EXTENSIONS = ("ducklake", "postgres_scanner")
NO_DOWNLOADS = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
# Snapshots have numbers without gaps, and who commits later tries the next one. With ten tries, as
# DuckDB has it, and a pause that grows, a busy writer keeps a build from ever committing.
TRIES = {
    "ducklake_max_retry_count": 600,
    "ducklake_retry_wait_ms": 100,
    "ducklake_retry_backoff": 1,
}
# Whoever changes tables of the project holds this advisory lock of the catalogue.
LOCK = 7688
# Seconds that a run waits for another to end.
WAIT = 3600

_HOLDERS = """
select pid from pg_locks
where locktype = 'advisory' and classid = 0 and objid = %s and granted
and database = (select oid from pg_database where datname = current_database())
"""


class LakeError(Exception):
    """The lake can't be used; the text says why and what to do."""


class LakeLockedError(LakeError):
    """Another run is changing the lake, and did not end in time."""


@dataclass(frozen=True)
class Lake:
    """A lake.

    Attributes:
        catalogue: the database that lists tables and files.
        data: the folder of the files.
    """

    catalogue: Address
    data: Path

    def environment(self) -> dict[str, str]:
        """The variables that `lake` reads."""
        return {**self.catalogue.environment(PREFIX), DATA_VARIABLE: str(self.data)}


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where one's own server and, unless the environment says otherwise, the files are.

    Args:
        environ: environment variables.
    """
    return Path(environ.get(FOLDER_VARIABLE) or PROJECT / "target" / "ducklake").absolute()


def lake(environ: Mapping[str, str] = os.environ) -> Lake:
    """The lake that the environment names.

    Args:
        environ: environment variables.

    Raises:
        ServerError: a variable can't be used.
    """
    data = environ.get(DATA_VARIABLE)
    return Lake(
        address(environ, PREFIX, DATABASE),
        Path(data).absolute() if data else folder(environ) / "data",
    )


def extension_file(name: str) -> Path:
    """The file of one of DuckDB's extensions, as its package brought it.

    Args:
        name: as DuckDB calls it.

    Raises:
        LakeError: there is none for this release of DuckDB.
    """
    package = importlib.util.find_spec(f"duckdb_extension_{name}")
    if package is not None and package.origin is not None:
        release = f"v{duckdb.__version__}"
        extensions_folder = Path(package.origin).parent / "extensions"
        file = extensions_folder / release / f"{name}.duckdb_extension"
        if file.exists():
            return file
    raise LakeError(
        f"DuckDB {duckdb.__version__} has no extension {name} here; scripts/ducklake makes "
        ".venv-ducklake, which has it"
    )


def prepare(connection: duckdb.DuckDBPyConnection, place: Lake) -> None:
    """Load what a lake needs, and tell the connection where it is: `attach 'ducklake:nps_lake'`.

    The password is in a secret that lives as long as the process, and that DuckDB shows to nobody.

    Args:
        connection: to DuckDB.
        place: the lake.

    Raises:
        LakeError: an extension is missing.
    """
    for name in EXTENSIONS:
        connection.execute(f"load {sql.text(str(extension_file(name)))}")
    for name, value in TRIES.items():
        connection.execute(f"set global {name} = {value}")
    server = place.catalogue
    connection.execute(
        f"create or replace temporary secret {CATALOGUE_SECRET} (type postgres, "
        f"host {sql.text(server.host)}, port {server.port}, user {sql.text(server.user)}, "
        f"password {sql.text(server.password)}, database {sql.text(server.database)})"
    )
    connection.execute(
        f"create or replace temporary secret {SECRET} (type ducklake, metadata_path '', "
        f"data_path {sql.text(f'{place.data}/')}, "
        f"metadata_parameters map {{'TYPE': 'postgres', 'SECRET': '{CATALOGUE_SECRET}'}})"
    )


@contextmanager
def connected(
    place: Lake, *, version: int | None = None, read_only: bool = True
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to DuckDB of which the lake is the default database.

    Args:
        place: the lake.
        version: the lake as it was then; as it is at each query where null.
        read_only: whether nothing may be changed.

    Raises:
        LakeError: the catalogue can't be reached, or there is no lake in it.
    """
    options = ["read_only"] if read_only else []
    if version is not None:
        options.append(f"snapshot_version {version}")
    listed = f" ({', '.join(options)})" if options else ""
    with duckdb.connect(config=dict(NO_DOWNLOADS)) as connection:
        prepare(connection, place)
        connection.execute("set TimeZone = 'UTC'")
        try:
            connection.execute(f"attach 'ducklake:{SECRET}' as {ALIAS}{listed}")
        except duckdb.Error as problem:
            raise LakeError(" ".join(str(problem).split())) from None
        connection.execute(f"use {ALIAS}")
        yield connection


@contextmanager
def run_alone(place: Lake, environ: Mapping[str, str] = os.environ) -> Iterator[int]:
    """Hold the lock of runs, waiting for another run to end; gives the id of who holds it.

    Args:
        place: the lake.
        environ: environment variables; NPS_DUCKLAKE_WAIT has the seconds to wait.

    Raises:
        LakeLockedError: the other run did not end.
        LakeError: the catalogue can't be reached.
    """
    connection = locked(place, environ)
    try:
        yield connection.info.backend_pid
    finally:
        connection.close()


def locked(place: Lake, environ: Mapping[str, str] = os.environ) -> extensions.connection:
    """A connection to the catalogue that holds the lock of runs until it ends, however it does.

    Args:
        place: the lake.
        environ: environment variables; NPS_DUCKLAKE_WAIT has the seconds to wait. Where
            NPS_DUCKLAKE_RUN has the id of who holds the lock, this run is part of that one.

    Raises:
        LakeLockedError: another run did not end.
        LakeError: the catalogue can't be reached.
    """
    wait = _wait(environ)
    server = place.catalogue
    try:
        connection = psycopg2.connect(
            host=server.host,
            port=server.port,
            user=server.user,
            password=server.password,
            dbname=server.database,
            # The server sees a run that is gone within two minutes, and the run a server that is.
            keepalives_idle=60,
            keepalives_interval=20,
            keepalives_count=3,
        )
    except psycopg2.OperationalError as problem:
        raise LakeError(
            f"the catalogue of the lake can't be reached: {' '.join(str(problem).split())}"
        ) from None
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, [LOCK])
        if environ.get(RUN_VARIABLE) in {str(pid) for (pid,) in cursor.fetchall()}:
            return connection
        cursor.execute("select pg_try_advisory_lock(%s)", [LOCK])
        if cursor.fetchone() == (True,):
            return connection
        click.echo("Another run is changing the lake; waiting for it to end.", err=True)
        try:
            # 0 would be for ever.
            cursor.execute("select set_config('lock_timeout', %s, false)", [f"{wait * 1000 or 1}"])
            cursor.execute("select pg_advisory_lock(%s)", [LOCK])
        except errors.LockNotAvailable:
            connection.close()
            raise LakeLockedError(
                f"another run is changing the lake, and did not end in {wait} s; try again later"
            ) from None
    return connection


def _wait(environ: Mapping[str, str]) -> int:
    given = environ.get(WAIT_VARIABLE) or str(WAIT)
    if not given.isdecimal() or int(given) > 2_000_000:
        raise ServerError(f"{WAIT_VARIABLE} is {given}, which is no number of seconds")
    return int(given)
