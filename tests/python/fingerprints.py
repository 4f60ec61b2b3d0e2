"""What a warehouse holds, short enough to compare two of them bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb


def tables_of(connection: duckdb.DuckDBPyConnection, schema: str) -> list[str]:
    """Names of the tables and views of a schema."""
    rows = connection.execute(
        "select table_name from information_schema.tables "
        "where table_catalog = current_database() and table_schema = ? order by table_name",
        [schema],
    ).fetchall()
    return [str(row[0]) for row in rows]


def fingerprints_in(
    connection: duckdb.DuckDBPyConnection, schemas: Sequence[str] = ("marts",)
) -> dict[str, str]:
    """Per relation its columns, number of rows and a hash of all rows, whatever their order.

    Args:
        connection: to the warehouse.
        schemas: whose relations to read.
    """
    found = {}
    for schema in schemas:
        for table in tables_of(connection, schema):
            relation = f'"{schema}"."{table}"'
            columns = connection.execute(f"describe {relation}").fetchall()
            # A row as JSON: nulls, empty texts and every digit of a double are told apart.
            content = connection.execute(
                "select count(*), coalesce(md5(string_agg(row_hash, '' order by row_hash)), '')"
                f" from (select md5(cast(to_json(t) as varchar)) as row_hash from {relation} t)"
            ).fetchone()
            found[f"{schema}.{table}"] = f"{[c[:2] for c in columns]} {content}"
    return found


def fingerprints(warehouse: Path, schemas: Sequence[str] = ("marts",)) -> dict[str, str]:
    """As `fingerprints_in`, of a file.

    Args:
        warehouse: the DuckDB file.
        schemas: whose relations to read.
    """
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return fingerprints_in(connection, schemas)


def negative_zeros(warehouse: Path, schemas: Sequence[str] = ("marts", "quality")) -> list[str]:
    """Columns that hold -0.

    DuckDB stores 0 and -0 as whichever comes first, where a piece of a column has no other value:
    the same rows could have other bytes.

    Args:
        warehouse: the DuckDB file.
        schemas: whose relations to read.
    """
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        columns = connection.execute(
            "select table_schema, table_name, column_name from information_schema.columns "
            "where table_catalog = current_database() and data_type = 'DOUBLE' "
            "and list_contains($1, table_schema) order by all",
            [list(schemas)],
        ).fetchall()
        assert columns
        found = []
        for schema, table, column in columns:
            held = connection.execute(
                f'select 1 from "{schema}"."{table}" '
                f'where "{column}" = 0 and cast("{column}" as varchar) like \'-%\' limit 1'
            ).fetchone()
            if held:
                found.append(f"{schema}.{table}.{column}")
    return found
