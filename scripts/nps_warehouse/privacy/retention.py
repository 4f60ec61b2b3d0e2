"""Takes rows that are older than their table is kept out of a warehouse's raw rows and of copies.

Which rows are too old the models say (macro left_out_reason); here their content goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from nps_warehouse.landing import sql
from nps_warehouse.landing.contract import LINE_ERROR, PROVENANCE, load_contract
from nps_warehouse.landing.csv_loader import csv_table_name
from nps_warehouse.landing.forget import trimmed
from nps_warehouse.privacy.rewrite import (
    DUCKDB_SUFFIXES,
    columns_of,
    compacted,
    empty_verbatims,
    opened,
    reader,
    replace_file,
    tables_of,
)

RETENTION = "retention"
"""Stands as `_line_error` of a row that was emptied (macro left_out_reason)."""

# Columns in which published tables say whose row it is, by raw table.
KEYS = {
    "survey_responses": "response_id",
    "contacts": "contact_id",
    "survey_invitations": "invitation_id",
    "follow_ups": "follow_up_id",
}


@dataclass(frozen=True)
class OldRows:
    """Rows that are too old: row numbers by raw table and file, and keys by raw table."""

    places: Mapping[str, Mapping[str, list[int]]]
    keys: Mapping[str, frozenset[str]]


def empty_old_rows(connection: duckdb.DuckDBPyConnection) -> OldRows:
    """Empty the raw rows that the last build left out for their age, and say which they are.

    A CSV table keeps their place, so that they are counted; Parquet is read where it lies, and has
    nothing to be emptied here.

    Args:
        connection: the warehouse as its default database, writable.
    """
    places: dict[str, dict[str, list[int]]] = {}
    keys: dict[str, frozenset[str]] = {}
    here = {name.rpartition(".")[2].strip('"') for name in tables_of(connection)}
    for table in load_contract():
        flawed = f"staging.flawed_{table.name}"
        rows = connection.execute(
            f"select _source_file, _source_row, record_key from {flawed} "
            f"where left_out_reason = {sql.text(RETENTION)} order by 1, 2"
        ).fetchall()
        if not rows:
            continue
        by_file = places.setdefault(table.name, {})
        for file, number, _ in rows:
            by_file.setdefault(str(file), []).append(int(number))
        # A key that a younger version still has is not too old.
        kept = f"select record_key from staging.parsed_{table.name} where failed_rule is null"
        found = connection.execute(
            f"select distinct record_key from {flawed} where left_out_reason = "
            f"{sql.text(RETENTION)} and record_key is not null and record_key not in "
            f"({kept} and record_key is not null)"
        ).fetchall()
        keys[table.name] = frozenset(str(row[0]) for row in found)
        name = csv_table_name(table)
        if name in here:
            emptied = ", ".join(f"{sql.name(column)} = null" for column in table.column_names)
            file_column, row_column = (sql.name(column) for column in PROVENANCE[:2])
            connection.execute(
                f"update raw.{sql.name(name)} as rows set {emptied}, "
                f"{sql.name(LINE_ERROR)} = {sql.text(RETENTION)} from {flawed} as old "
                f"where old.left_out_reason = {sql.text(RETENTION)} "
                f"and rows.{file_column} = old._source_file and rows.{row_column} = old._source_row"
            )
        connection.execute(
            f"update {flawed} set record_key = null where left_out_reason = {sql.text(RETENTION)}"
        )
    return OldRows(places, keys)


def retain_in_copy(file: Path, old: OldRows) -> int:
    """Take the rows that are too old out of a published copy; returns how many.

    Args:
        file: a CSV, Parquet or DuckDB file.
        old: which rows.
    """
    if file.suffix in DUCKDB_SUFFIXES:
        with opened(file, read_only=False) as connection:
            gone = sum(_retain_in_table(connection, name, old) for name in tables_of(connection))
        compacted(file)
        return gone
    fresh = file.with_name(file.name + ".new")
    form = "(format parquet)" if file.suffix == ".parquet" else "(format csv, header)"
    with duckdb.connect() as connection:
        connection.execute(f"create table rows as select * from {reader(file)}")
        gone = _retain_in_table(connection, "rows", old)
        connection.execute(f"copy rows to {sql.text(str(fresh))} {form}")
    replace_file(fresh, file)
    return gone


def _retain_in_table(connection: duckdb.DuckDBPyConnection, relation: str, old: OldRows) -> int:
    """Delete a table's old rows: of a mart, and of what tells of delivered rows."""
    columns = list(columns_of(connection, relation))
    if old.keys.get("survey_responses"):
        empty_verbatims(connection, relation)
    conditions = []
    # A row is of the raw table whose key comes first in it: an answer names its contact too.
    of = [(columns.index(key), table) for table, key in KEYS.items() if key in columns]
    if of:
        _, table = min(of)
        conditions.append(_in(KEYS[table], old.keys.get(table, frozenset())))
    if "record_key" in columns:
        name = relation.rpartition(".")[2].strip('"')
        for table, keys in old.keys.items():
            if "table_name" in columns:
                conditions.append(f"(table_name = {sql.text(table)} and {_in('record_key', keys)})")
            elif name.endswith(f"_{table}"):
                conditions.append(_in("record_key", keys))
    if not conditions:
        return 0
    row = connection.execute(f"delete from {relation} where {' or '.join(conditions)}").fetchone()
    return int(row[0]) if row else 0


def _in(column: str, keys: frozenset[str]) -> str:
    listed = ", ".join(sql.text(key) for key in sorted(keys)) or "null"
    return f"coalesce({trimmed(f'cast({column} as varchar)')} in ({listed}), false)"
