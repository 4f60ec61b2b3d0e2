"""Copies marts of a lake into a DuckDB file, for comparisons and for who reads such files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nps_warehouse.ducklake.lake import ALIAS, Lake, connected
from nps_warehouse.landing import sql

SCHEMAS = ("marts", "quality")
COPY = "nps_copy"


def copy(
    place: Lake, file: Path, version: int | None = None, schemas: Sequence[str] = SCHEMAS
) -> int:
    """Make a file with all tables and views of some schemas, as tables; returns how many there are.

    Args:
        place: the lake.
        file: the DuckDB file; one that is there is replaced.
        version: the lake as it was then; as it is now where null.
        schemas: of the lake.
    """
    file.unlink(missing_ok=True)
    with connected(place, version=version) as connection:
        connection.execute(f"attach {sql.text(str(file))} as {COPY}")
        file.chmod(0o640)
        # All tables and views as they are at one moment.
        connection.execute("begin")
        tables = connection.execute(
            "select distinct schema_name, table_name from duckdb_columns() "
            "where database_name = $1 and list_contains($2, schema_name) order by all",
            [ALIAS, list(schemas)],
        ).fetchall()
        for schema, table in tables:
            relation = f"{sql.name(schema)}.{sql.name(table)}"
            connection.execute(f"create schema if not exists {COPY}.{sql.name(schema)}")
            connection.execute(
                f"create table {COPY}.{relation} as select * from {ALIAS}.{relation}"
            )
        connection.execute("commit")
    return len(tables)
