"""Copies marts of PostgreSQL into a DuckDB file, for comparisons and for who reads such files."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb

from nps_warehouse.landing import sql
from nps_warehouse.postgres.landing import connected
from nps_warehouse.postgres.server import Address

SCHEMAS = ("marts", "quality")
TYPES = {
    "double precision": "double",
    "text": "varchar",
    "character varying": "varchar",
    "timestamp without time zone": "timestamp",
}


def extract(address: Address, file: Path, schemas: Sequence[str] = SCHEMAS) -> int:
    """Make a file with all tables of some schemas; returns how many there are.

    Args:
        address: of the server.
        file: the DuckDB file; one that is there is replaced.
        schemas: of the database.
    """
    file.unlink(missing_ok=True)
    with (
        duckdb.connect(str(file)) as target,
        connected(address) as connection,
        connection.cursor() as cursor,
    ):
        # All tables as they are at one moment.
        cursor.execute("set transaction isolation level repeatable read read only")
        cursor.execute(
            "select table_schema, table_name, column_name, "
            "case when data_type = 'numeric' "
            "then format('numeric(%%s, %%s)', numeric_precision, numeric_scale) else data_type end "
            "from information_schema.columns where table_schema = any(%s) "
            "order by table_schema, table_name, ordinal_position",
            [list(schemas)],
        )
        tables: dict[tuple[str, str], dict[str, str]] = {}
        for schema, table, column, type_ in cursor.fetchall():
            tables.setdefault((schema, table), {})[column] = TYPES.get(type_, type_)
        for (schema, table), columns in tables.items():
            relation = f"{sql.name(schema)}.{sql.name(table)}"
            listed = ", ".join(f"{sql.name(name)} {type_}" for name, type_ in columns.items())
            target.execute(f"create schema if not exists {sql.name(schema)}")
            target.execute(f"create table {relation} ({listed})")
            with tempfile.TemporaryDirectory(prefix="nps_extract_") as folder:
                rows = Path(folder) / "rows.csv"
                with rows.open("w", encoding="utf-8", newline="") as opened:
                    # Numbers with all digits they have.
                    cursor.copy_expert(
                        f"copy (select * from {relation}) to stdout "
                        "(format csv, header true, force_quote *)",
                        opened,
                    )
                target.execute(
                    f"copy {relation} from {sql.text(str(rows))} (format csv, header true, "
                    "allow_quoted_nulls false, parallel false)"
                )
    return len(tables)
