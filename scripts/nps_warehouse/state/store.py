"""The state file: a DuckDB file in NPS_STATE_DIR that builds read and publications write.

It outlives the warehouse: `--full-refresh` and an emptied `target/` leave it alone. Its tables are
made by the numbered files in ``migrations/``, in their order; the number of the last one is the
version of a state.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from nps_warehouse.landing import sql
from nps_warehouse.privacy.suppression import DEFAULT_STATE_DIR, STATE_VARIABLE

FILE_NAME = "nps_state.duckdb"
ASIDE = ".before-restore"
"""Ends the name of the state that a restored one has replaced."""
ALIAS = "state"
"""The database's name wherever it is attached; on another engine the schema with these tables."""

VERSION_TABLE = "state_version"
MIGRATIONS = {
    int(file.name[:3]): file
    for file in sorted((Path(__file__).parent / "migrations").glob("*.sql"))
}
VERSION = max(MIGRATIONS)
"""The version of a state that this release reads and writes."""


class StateError(Exception):
    """The state can't be used; the text says why and what to do."""


def state_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the state file is, in NPS_STATE_DIR, else in the project's folder `state`.

    Args:
        environ: environment variables.
    """
    return Path(environ.get(STATE_VARIABLE) or DEFAULT_STATE_DIR) / FILE_NAME


def tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Names of the tables of an attached state, its version's aside.

    Args:
        connection: where the state is attached.
    """
    rows = connection.execute(
        "select table_name from duckdb_tables() where database_name = $1 and table_name <> $2 "
        "order by table_name",
        [ALIAS, VERSION_TABLE],
    ).fetchall()
    return [str(row[0]) for row in rows]


def migrate(connection: duckdb.DuckDBPyConnection, *, before: int, after: int = VERSION) -> None:
    """Bring an attached state from one version to a later one, or leave it as it was.

    Args:
        connection: where the state is attached, writable.
        before: the version it has; 0 for an empty file.
        after: the version it is to have.
    """
    database = connection.execute("select current_database()").fetchone()
    assert database is not None
    connection.execute(f"use {ALIAS}")
    connection.execute("begin")
    try:
        if before == 0:
            connection.execute(f"create table {VERSION_TABLE} (version integer not null)")
            connection.execute(f"insert into {VERSION_TABLE} values (0)")
        for number in range(before + 1, after + 1):
            connection.execute(MIGRATIONS[number].read_text(encoding="utf-8"))
        connection.execute(f"update {VERSION_TABLE} set version = {after}")
        connection.execute("commit")
    except BaseException:
        with suppress(duckdb.TransactionException):
            connection.execute("rollback")
        raise
    finally:
        connection.execute(f"use {sql.name(str(database[0]))}")


def version_of(connection: duckdb.DuckDBPyConnection) -> int | None:
    """The version of an attached state; None where the file is no state.

    Args:
        connection: where it is attached.
    """
    try:
        rows = connection.execute(f"select version from {ALIAS}.{VERSION_TABLE}").fetchall()
    except duckdb.CatalogException:
        return None
    return int(rows[0][0]) if len(rows) == 1 else None


def create(file: Path, *, version: int = VERSION) -> None:
    """Make a state file with nothing in it; one that exists stays.

    Args:
        file: where; its folder is made.
        version: the version of the state.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and linked: of two that make it at once one wins, and nobody sees half a file.
    fresh = file.with_name(f"{file.name}.{os.getpid()}.new")
    fresh.unlink(missing_ok=True)
    try:
        with duckdb.connect() as connection:
            connection.execute(f"attach {sql.text(str(fresh))} as {ALIAS}")
            migrate(connection, before=0, after=version)
        with suppress(FileExistsError):
            os.link(fresh, file)
    finally:
        fresh.unlink(missing_ok=True)
        fresh.with_name(fresh.name + ".wal").unlink(missing_ok=True)


@contextmanager
def attached(
    file: Path, *, read_only: bool, of_version: int | None = VERSION
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the state file attached as `state`.

    Args:
        file: the state file.
        read_only: whether it is only read.
        of_version: the version it has to have; None takes any.

    Raises:
        StateError: there is none, it can't be opened, or it is of another version.
    """
    if not file.is_file():
        raise StateError(f"there is no state {file}; a build or a publication makes it")
    with duckdb.connect() as connection:
        try:
            mode = " (read_only)" if read_only else ""
            connection.execute(f"attach {sql.text(str(file))} as {ALIAS}{mode}")
        except duckdb.Error as problem:
            reason = str(problem).splitlines()[0]
            what = (
                "another program has it open (a build, a publication); run again when it is done"
                if "lock" in reason
                else "it can't be opened; restore a backup (scripts/nps state restore)"
            )
            raise StateError(f"state {file}: {what}. DuckDB says: {reason}") from None
        found = version_of(connection)
        if found is None:
            raise StateError(f"{file} is no state of nps_warehouse: it has no {VERSION_TABLE}")
        if of_version is not None and found != of_version:
            raise StateError(other_version(file, found))
        yield connection


def other_version(file: Path, found: int) -> str:
    """What to do with a state of another version than this release's.

    Args:
        file: the state file.
        found: its version.
    """
    if found < VERSION:
        return (
            f"state {file} is of version {found}, this release needs {VERSION}: run `scripts/nps "
            "state migrate`, which keeps a backup beside it"
        )
    return (
        f"state {file} is of version {found}, this release knows {VERSION}: use the release that "
        "wrote it, or restore a backup made before the upgrade"
    )


def problem_of_state_file(path: str) -> str | None:
    """Make the state file if there is none, and say why a build can't read it.

    Args:
        path: the file.

    Returns:
        A sentence, or None where nothing is wrong.
    """
    file = Path(path)
    try:
        if not file.exists():
            create(file)
        with attached(file, read_only=True):
            return None
    except (StateError, OSError) as problem:
        return f"{STATE_VARIABLE}: {problem}."
