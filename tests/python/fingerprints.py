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
                f"""
                select count(*), coalesce(md5(string_agg(md5(row), '' order by md5(row))), ''),
                    any_value(row) filter (regexp_matches(row, '":-0[.]0[,}}]'))
                from (select cast(to_json(t) as varchar) as row from {relation} as t)
                """
            ).fetchone()
            # DuckDB stores 0 and -0 of a column as whichever comes first, where it has no other
            # value: the same rows could have other bytes.
            assert content is not None
            assert content[2] is None, f"{relation} shows -0: {content[2]}"
            found[f"{schema}.{table}"] = f"{[c[:2] for c in columns]} {content[:2]}"
    return found


def fingerprints(warehouse: Path, schemas: Sequence[str] = ("marts",)) -> dict[str, str]:
    """As `fingerprints_in`, of a file.

    Args:
        warehouse: the DuckDB file.
        schemas: whose relations to read.
    """
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return fingerprints_in(connection, schemas)
