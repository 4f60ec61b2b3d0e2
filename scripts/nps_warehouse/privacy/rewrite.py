"""Takes people out of published copies, and the bytes of what was deleted out of DuckDB files."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path

import duckdb

from nps_warehouse.durable import put
from nps_warehouse.landing import sql
from nps_warehouse.landing.forget import trimmed

DUCKDB_SUFFIXES = (".duckdb", ".db")
SUFFIXES = (".csv", ".parquet", *DUCKDB_SUFFIXES)

CUSTOMER_COLUMNS = ("customer_id", "source_customer_id")
EVENT_KEYS = ("response_id", "contact_id", "invitation_id")
UNKNOWN = "unknown"
# What tables of quality show of a delivered row, and staging of its key.
DELIVERED_TEXTS = ("record_key", "raw_value", "rejected_value", "first_key", "value")
# Columns of comments in a table that has no answers' keys: nothing tells whose they are.
VERBATIMS = "verbatim_"


@dataclass(frozen=True)
class Person:
    """What is known of the people to be forgotten: their ids, and what they said and did.

    `comments` are texts that nobody else wrote too.
    """

    customer_ids: frozenset[str]
    response_ids: frozenset[str]
    contact_ids: frozenset[str]
    comments: frozenset[str]


def copies_in(folders: Iterable[Path]) -> list[Path]:
    """Every CSV, Parquet and DuckDB file below the folders (or that is one of them itself).

    Args:
        folders: folders, or single files.
    """
    found = []
    for place in folders:
        candidates = sorted(place.rglob("*")) if place.is_dir() else [place]
        found += [file for file in candidates if file.is_file() and file.suffix in SUFFIXES]
    return found


@contextmanager
def opened(file: Path, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose default database is the file, under the name `copy`.

    Args:
        file: a DuckDB file.
        read_only: whether it is only read.
    """
    with duckdb.connect() as connection:
        mode = " (read_only)" if read_only else ""
        connection.execute(f"attach {sql.text(str(file))} as copy{mode}")
        connection.execute("use copy")
        yield connection


def tables_of(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Quoted names of all tables of the database `copy`."""
    rows = connection.execute(
        "select schema_name, table_name from duckdb_tables() "
        "where database_name = 'copy' and not internal order by 1, 2"
    ).fetchall()
    return [f"{sql.name(schema)}.{sql.name(table)}" for schema, table in rows]


def columns_of(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Types of a relation's columns by name."""
    rows = connection.execute(f"describe select * from {relation}").fetchall()
    return {str(row[0]): str(row[1]) for row in rows}


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(sql.text(text) for text in sorted(texts)) or "null"


def _key(column: str) -> str:
    """SQL of a key; a copy of raw rows has it as it was delivered."""
    return trimmed(f"cast({column} as varchar)")


def _names(cell: str, one: str) -> str:
    """SQL: whether an id stands in a cell, alone or between signs that are no letter or figure."""
    return (
        f"regexp_matches({cell}, '(^|[^A-Za-z0-9])' || regexp_escape({one}) || '($|[^A-Za-z0-9])')"
    )


def empty_verbatims(connection: duckdb.DuckDBPyConnection, relation: str) -> None:
    """Take every comment out of a table that does not tell whose they are.

    Args:
        connection: where the table is.
        relation: its quoted name.
    """
    verbatims = [name for name in columns_of(connection, relation) if name.startswith(VERBATIMS)]
    if verbatims:
        emptied = ", ".join(f"{name} = null" for name in verbatims)
        connection.execute(f"update {relation} set {emptied}")


def forget_in_table(connection: duckdb.DuckDBPyConnection, relation: str, person: Person) -> None:
    """Take people out of one table.

    A table of events (it has the key of an answer, a contact or an invitation) keeps its rows
    without their customer, and without the comment; of any other table the customer's rows go.
    Comments in a table without such a key (the weekly packs of teams) all go: names were taken out
    of them, so that their text does not tell whose they are, and the next build has the others'.

    Args:
        connection: where the table is.
        relation: its quoted name.
        person: whom to forget.
    """
    columns = columns_of(connection, relation)
    customers = [name for name in CUSTOMER_COLUMNS if name in columns]
    is_of = " or ".join(f"{_key(name)} in ({_listed(person.customer_ids)})" for name in customers)
    if columns.get("comment") == "VARCHAR":
        conditions = [is_of] if customers else []
        keyed = {"response_id": person.response_ids, "contact_id": person.contact_ids}
        conditions += [
            f"{_key(key)} in ({_listed(keys)})" for key, keys in keyed.items() if key in columns
        ]
        conditions.append(f"comment in ({_listed(person.comments)})")
        connection.execute(f"update {relation} set comment = null where {' or '.join(conditions)}")
    if person.response_ids:
        empty_verbatims(connection, relation)
    for name in DELIVERED_TEXTS:
        if columns.get(name) == "VARCHAR":
            for one in sorted(person.customer_ids):
                connection.execute(
                    f"update {relation} set {name} = null where {_names(name, sql.text(one))}"
                )
    if not customers:
        return
    if any(key in columns for key in EVENT_KEYS):
        shown = {"customer_id": sql.text(UNKNOWN), "source_customer_id": "null"}
        values = ", ".join(f"{name} = {shown[name]}" for name in customers)
        connection.execute(f"update {relation} set {values} where {is_of}")
    else:
        connection.execute(f"delete from {relation} where {is_of}")


def compacted(file: Path) -> None:
    """Write a DuckDB file anew and put it in place of the old one.

    What was deleted or changed stays in a file's free blocks; a copy has none.

    Args:
        file: the DuckDB file; nothing else may have it open.
    """
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    storage_version = _storage_version(file)
    with duckdb.connect() as connection:
        connection.execute(f"attach {sql.text(str(file))} as old")
        connection.execute("checkpoint old")
        connection.execute(
            f"attach {sql.text(str(fresh))} as fresh (storage_version '{storage_version}')"
        )
        connection.execute("copy from database old to fresh")
        connection.execute("checkpoint fresh")
    replace_file(fresh, file)
    file.with_name(file.name + ".wal").unlink(missing_ok=True)


def _storage_version(file: Path) -> str:
    """The oldest DuckDB that opens a file, so that one that takes its place opens there, too."""
    with duckdb.connect() as connection:
        connection.execute(f"attach {sql.text(str(file))} as old (read_only)")
        row = connection.execute(
            "select tags['storage_version'] from duckdb_databases() where database_name = 'old'"
        ).fetchone()
    assert row is not None
    return str(row[0]).partition("+")[0].partition(" ")[0]


def forget_in_copy(file: Path, person: Person) -> None:
    """Take people out of a published copy; the file is replaced as a whole.

    Args:
        file: a CSV, Parquet or DuckDB file.
        person: whom to forget.
    """
    if file.suffix in DUCKDB_SUFFIXES:
        with opened(file, read_only=False) as connection:
            for relation in tables_of(connection):
                forget_in_table(connection, relation, person)
        compacted(file)
        return
    fresh = file.with_name(file.name + ".new")
    form = "(format parquet)" if file.suffix == ".parquet" else "(format csv, header)"
    with duckdb.connect() as connection:
        connection.execute(f"create table rows as select * from {reader(file)}")
        forget_in_table(connection, "rows", person)
        connection.execute(f"copy rows to {sql.text(str(fresh))} {form}")
    replace_file(fresh, file)


def reader(file: Path) -> str:
    """SQL that reads a CSV file as text, or a Parquet file as it is.

    Args:
        file: the file.
    """
    if file.suffix == ".parquet":
        return f"read_parquet({sql.path(file)}, hive_partitioning = false)"
    return (
        f"read_csv({sql.path(file)}, all_varchar = true, header = true, delim = ',', quote = '\"', "
        "escape = '\"', hive_partitioning = false)"
    )


def replace_file(fresh: Path, file: Path) -> None:
    """Put a finished file in place of another, with the same rights.

    Args:
        fresh: the finished file.
        file: the file it replaces.
    """
    put(fresh, file, mode=stat.S_IMODE(file.stat().st_mode))


@dataclass(frozen=True)
class Search:
    """What was looked through, and where something was found."""

    columns: int
    hits: tuple[str, ...]


def search(files: Sequence[Path], person: Person) -> Search:
    """Look for people in every text column of every table of files.

    An id counts where it stands alone or between signs that are no letter or figure; a comment
    where it stands whole in a text.

    Args:
        files: CSV, Parquet and DuckDB files.
        person: whom to look for.
    """
    columns = 0
    hits = []
    for file in files:
        if file.suffix in DUCKDB_SUFFIXES:
            with opened(file, read_only=True) as connection:
                for relation in tables_of(connection):
                    found = _search_relation(connection, relation, person)
                    columns += found.columns
                    hits += [f"{file}: {relation}.{hit}" for hit in found.hits]
        else:
            with duckdb.connect() as connection:
                found = _search_relation(connection, reader(file), person)
            columns += found.columns
            hits += [f"{file}: {hit}" for hit in found.hits]
        if not file.name.endswith(".csv") and _holds_bytes(file, person):
            hits.append(f"{file}: in its bytes")
    return Search(columns, tuple(hits))


def _search_relation(
    connection: duckdb.DuckDBPyConnection, relation: str, person: Person
) -> Search:
    connection.execute("create or replace temp table temp.needles (needle varchar, is_id boolean)")
    connection.execute(
        "insert into temp.needles select unnest(?::varchar[]), true "
        "union all select unnest(?::varchar[]), false",
        [sorted(person.customer_ids), sorted(person.comments)],
    )
    hits = []
    texts = [
        name
        for name, type_ in columns_of(connection, relation).items()
        if type_.startswith("VARCHAR") or type_ in ("JSON", "BLOB")
    ]
    for name in texts:
        row = connection.execute(
            f"with cells as (select cast({sql.name(name)} as varchar) as cell from {relation} "
            f"where {sql.name(name)} is not null group by 1) "
            "select count(*) from cells where exists (select 1 from temp.needles "
            f"where contains(cell, needle) and (not is_id or {_names('cell', 'needle')}))"
        ).fetchone()
        assert row is not None
        if row[0]:
            hits.append(f"{sql.name(name)} ({row[0]} texts)")
    return Search(len(texts), tuple(hits))


# Shorter texts are in any file by chance.
_LEAST_BYTES = 12


def _holds_bytes(file: Path, person: Person) -> bool:
    """Whether a comment is in a file's bytes, deleted or not, where they are not compressed.

    An id is not looked for so: in the bytes it may be the beginning of another one.
    """
    needles = [text.encode() for text in person.comments if len(text.encode()) >= _LEAST_BYTES]
    if not needles or file.stat().st_size == 0:
        return False
    with file.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as content:
        return any(content.find(needle) >= 0 for needle in needles)
