"""Makes the file of a version out of a warehouse, and proves it before anybody sees it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import yaml

from nps_warehouse import exit_codes
from nps_warehouse.durable import FILE_MODE
from nps_warehouse.landing import sql
from nps_warehouse.landing.contract import PROJECT_DIR
from nps_warehouse.memory import MemorySettingError, limited
from nps_warehouse.publishing.place import SCHEMAS, PublishingError
from nps_warehouse.publishing.versions import TABLE, Version, read_version, utc

STORAGE_VERSION = "v1.2.0"
"""The oldest DuckDB that opens what is published; later ones all do."""

CATALOG = "version"
"""What the file that is being made is attached as."""

NEEDED = "marts.nps_by_period"
"""Without it a file is no published one."""

Also = Callable[[duckdb.DuckDBPyConnection, str], None]
"""Writes more tables into the version: a connection, and the catalog to write to."""


@dataclass(frozen=True)
class Built:
    """What a warehouse says of itself before it is published."""

    after_publication: int
    as_of: datetime | None
    responses: int
    nps: float | None
    contract_version: str
    rows: dict[str, int]


@contextmanager
def attached(warehouse: Path, spill: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with a warehouse attached as `warehouse`, which it only reads.

    Args:
        warehouse: the DuckDB file.
        spill: a folder for what does not fit into memory; gone afterwards.

    Raises:
        PublishingError: it isn't there, somebody builds it, it can't be read, or NPS_MEMORY is no
            size.
    """
    if not warehouse.is_file():
        raise PublishingError(f"there is no warehouse {warehouse}; run a build first")
    config: dict[str, str | bool | int | float | list[str]] = (
        {} if spill is None else {"temp_directory": str(spill)}
    )
    try:
        with duckdb.connect(config=config) as connection:
            try:
                limited(connection)
                connection.execute(f"attach {sql.text(str(warehouse))} as warehouse (read_only)")
            except MemorySettingError as problem:
                raise PublishingError(str(problem)) from None
            except duckdb.Error as problem:
                reason = str(problem).splitlines()[0]
                locked = "lock" in reason
                raise PublishingError(
                    f"warehouse {warehouse}: "
                    + ("another program builds it" if locked else "it can't be opened")
                    + f". DuckDB says: {reason}",
                    exit_codes.LOCKED if locked else exit_codes.BAD_INPUT,
                ) from None
            yield connection
    finally:
        if spill is not None:
            shutil.rmtree(spill, ignore_errors=True)


def built(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> Built:
    """What there is to publish.

    Args:
        connection: where the warehouse is attached.
        warehouse: its file, for messages.

    Raises:
        PublishingError: it holds no finished build.
    """
    try:
        row = connection.execute(
            "select versions.last_publication_number, as_of.as_of, contract.contract_version "
            "from warehouse.categorized.metric_version as versions "
            "cross join warehouse.categorized.as_of as as_of "
            "cross join warehouse.quality.contract_version as contract"
        ).fetchone()
        score = connection.execute(
            f"select responses, nps from warehouse.{NEEDED} "
            "where survey_type = 'all' and period_type = 'all'"
        ).fetchone()
    except duckdb.CatalogException:
        row = None
    if row is None:
        raise PublishingError(f"{warehouse} holds no finished build; run one first")
    return Built(
        int(row[0]),
        None if row[1] is None else utc(row[1]),
        int(score[0]) if score else 0,
        score[1] if score else None,
        str(row[2]),
        rows_of(connection, "warehouse"),
    )


def rows_of(connection: duckdb.DuckDBPyConnection, catalog: str) -> dict[str, int]:
    """Rows of every relation of the published schemas, by `schema.name`.

    Args:
        connection: where the database is attached.
        catalog: the name it is attached as.
    """
    found: dict[str, int] = {}
    for schema, name in relations(connection, catalog):
        row = connection.execute(
            f"select count(*) from {sql.name(catalog)}.{sql.name(schema)}.{sql.name(name)}"
        ).fetchone()
        assert row is not None
        found[f"{schema}.{name}"] = int(row[0])
    return found


def relations(connection: duckdb.DuckDBPyConnection, catalog: str) -> list[tuple[str, str]]:
    """Schema and name of the tables and views that are published, sorted.

    Args:
        connection: where the database is attached.
        catalog: the name it is attached as.
    """
    rows = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = $1 "
        "union all select schema_name, view_name from duckdb_views() where database_name = $1 "
        "order by 1, 2",
        [catalog],
    ).fetchall()
    return [(schema, name) for schema, name in rows if schema in SCHEMAS]


def make(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    version: Version,
    built_: Built,
    also: Also | None,
) -> None:
    """Write the file of a version: every published relation as a table, with its comments.

    Args:
        connection: where the warehouse is attached; the file's database is gone from it after.
        file: where to write; there must be nothing.
        version: what the file is to say of itself.
        built_: what the warehouse said.
        also: what else goes into it.
    """
    connection.execute(
        f"attach {sql.text(str(file))} as {CATALOG} (storage_version '{STORAGE_VERSION}')"
    )
    file.chmod(FILE_MODE)
    connection.execute("begin")
    for schema in SCHEMAS:
        connection.execute(f"create schema {CATALOG}.{schema}")
    for schema, name in relations(connection, "warehouse"):
        relation = f"{sql.name(schema)}.{sql.name(name)}"
        connection.execute(
            f"create table {CATALOG}.{relation} as select * from warehouse.{relation}"
        )
    _comment(connection)
    connection.execute(
        f"create table {CATALOG}.{TABLE} (version_id varchar, run_id varchar, "
        "published_at timestamp, as_of timestamp, responses bigint, nps double, "
        "contract_version varchar, project_version varchar)"
    )
    connection.execute(
        f"insert into {CATALOG}.{TABLE} values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            version.id,
            version.run_id,
            version.published_at.replace(tzinfo=None),
            version.as_of.replace(tzinfo=None) if version.as_of else None,
            version.responses,
            version.nps,
            built_.contract_version,
            project_version(),
        ],
    )
    connection.execute(
        f"comment on table {CATALOG}.{TABLE} is 'One row: which version this file is, of which run'"
    )
    if also is not None:
        also(connection, CATALOG)
    connection.execute("commit")
    connection.execute(f"checkpoint {CATALOG}")
    connection.execute(f"detach {CATALOG}")


def _comment(connection: duckdb.DuckDBPyConnection) -> None:
    """What tables and columns mean, as dbt wrote it into the warehouse."""
    described = connection.execute(
        "select schema_name, table_name, null, comment from duckdb_tables() "
        "where database_name = 'warehouse' and comment is not null "
        "union all select schema_name, view_name, null, comment from duckdb_views() "
        "where database_name = 'warehouse' and comment is not null "
        "union all select schema_name, table_name, column_name, comment from duckdb_columns() "
        "where database_name = 'warehouse' and comment is not null order by all"
    ).fetchall()
    for schema, table, column, comment in described:
        if schema not in SCHEMAS:
            continue
        what = f"{CATALOG}.{sql.name(schema)}.{sql.name(table)}"
        kind = "table" if column is None else "column"
        named = what if column is None else f"{what}.{sql.name(column)}"
        connection.execute(f"comment on {kind} {named} is {sql.text(comment)}")


def prove(file: Path, version: Version, built_: Built) -> None:
    """Refuse a file that does not hold, opened anew, what the warehouse held.

    Args:
        file: the file that was made.
        version: what it has to say of itself.
        built_: what the warehouse said.

    Raises:
        PublishingError: it holds something else: a defect, or a disk that does not keep what it is
            given.
    """
    said = read_version(file, version.file)
    with duckdb.connect() as connection:
        connection.execute(f"attach {sql.text(str(file))} as {CATALOG} (read_only)")
        rows = rows_of(connection, CATALOG)
    differing = sorted(name for name, count in built_.rows.items() if rows.get(name, -1) != count)
    if said != version or differing or NEEDED not in rows:
        raise PublishingError(
            f"the version that was written is not what the warehouse holds ({differing[:5]}), so "
            "it is not shown",
            exit_codes.INTERNAL,
        )


def project_version() -> str:
    """The project's version, as dbt_project.yml says it."""
    content = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8"))
    return str(content["version"])


def is_disk(problem: BaseException) -> bool:
    """Whether an error is the disk's: full, not writable, not there.

    Args:
        problem: the error.
    """
    if isinstance(problem, duckdb.IOException | OSError):
        return True
    return isinstance(problem, duckdb.Error) and bool(
        re.search(os.strerror(28) + "|" + os.strerror(27), str(problem))
    )
