"""Brings what was delivered to PostgreSQL: our own reader makes raw tables, COPY carries them over.

The files are read by the one landing there is, into a DuckDB file, so that unchanged files are not
read again. From there the rows of files that are new or changed go into
the tables of schema ``raw``, and those of files that are gone leave them, in one transaction. The
state (what was published) comes along as schema ``state``.
"""

from __future__ import annotations

import os
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import duckdb
import psycopg2
from psycopg2 import extensions

from nps_warehouse.landing import comment_readers, contract, sql
from nps_warehouse.landing.land import (
    APPLIED,
    APPLIED_SCHEMA,
    FILES,
    LANDING,
    PENDING_PREFIX,
    SCHEMA,
    land,
)
from nps_warehouse.landing.report import Report
from nps_warehouse.landing.seeds import SEED_PREFIX, read_seeds
from nps_warehouse.landing.theme_labels import TABLE as LABELS
from nps_warehouse.landing.theme_labels import labels_file
from nps_warehouse.postgres.server import Address
from nps_warehouse.privacy.suppression import load
from nps_warehouse.state.store import ALIAS, migrate, state_file, tables

FUNCTIONS = Path(__file__).parent / "functions.sql"
SCRATCH_VARIABLE = "NPS_POSTGRES_LANDING"
RUN_VARIABLE = "NPS_POSTGRES_RUN"
# A run that lands or builds holds this advisory lock; macro land_raw_files asks for it.
LOCK = 7687
READER = "nps_reader"
READ_SCHEMAS = ("marts", "quality", "reference")
EXACT_TYPES = ("smallint", "integer", "bigint", "numeric")
TYPES = {"DOUBLE": "double precision", "BLOB": "bytea", "HUGEINT": "numeric"}


@contextmanager
def connected(address: Address) -> Iterator[extensions.connection]:
    """A connection, closed at the end; what is not committed is undone.

    Args:
        address: of the server.
    """
    connection = psycopg2.connect(
        host=address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        dbname=address.database,
        options="-c timezone=UTC -c client_min_messages=warning",
    )
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def run_alone(address: Address) -> Iterator[int]:
    """Hold the lock of runs, waiting for another run to end; gives the id of who holds it.

    Args:
        address: of the server.
    """
    with connected(address) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(%s)", [LOCK])
        # The server lets go of it when this connection ends, however it does.
        yield connection.info.backend_pid


def land_postgres(
    address: Address, raw_dir: str | None = None, seeds_dir: str | None = None
) -> Report:
    """Make schemas ``raw`` and ``state`` of a database hold what the folders hold.

    The caller holds the lock (`run_alone`).

    Args:
        address: of the server.
        raw_dir: the delivered folder; the shipped sample where null or empty.
        seeds_dir: the business's own seeds; none where null or empty.

    Returns:
        What the landing says. With any error nothing was changed.
    """
    scratch = scratch_file(address)
    scratch.parent.mkdir(parents=True, exist_ok=True)
    files = duckdb.connect(str(scratch))
    scratch.chmod(0o640)
    try:
        files.execute("set TimeZone = 'UTC'")
        _tell_what_was_applied(files, address)
        report = land(files, raw_dir, seeds_dir, suppression=load(), labels=labels_file())
        if report.errors:
            return report
        attach_state(files)
        with connected(address) as connection, connection, connection.cursor() as cursor:
            _make_functions(cursor, seeds_dir)
            _let_readers_in(cursor)
            _Copy(files, cursor).everything()
    finally:
        files.close()
    return report


def scratch_file(address: Address) -> Path:
    """Where files are read into before they are copied; NPS_POSTGRES_LANDING says otherwise.

    Args:
        address: of the server: each database has its own.
    """
    name = f"landing_{address.host}_{address.port}_{address.database}.duckdb"
    folder = Path(__file__).resolve().parents[3] / "target"
    return Path(os.environ.get(SCRATCH_VARIABLE) or folder / name)


def _tell_what_was_applied(files: duckdb.DuckDBPyConnection, address: Address) -> None:
    """Copy what models have noted: the number of a landing never comes twice in a warehouse.

    A landing file that was lost would begin with 1 again, and models would take its files for ones
    they know.
    """
    files.execute(f"create schema if not exists {APPLIED_SCHEMA}")
    files.execute(
        f"create or replace table {APPLIED_SCHEMA}.{APPLIED} "
        "(model varchar, definition varchar, seq bigint, landing bigint)"
    )
    with connected(address) as connection, connection.cursor() as cursor:
        cursor.execute("select to_regclass(%s)", [f"{APPLIED_SCHEMA}.{APPLIED}"])
        if cursor.fetchone() == (None,):
            return
        cursor.execute(f"select model, definition, seq, landing from {APPLIED_SCHEMA}.{APPLIED}")
        for row in cursor.fetchall():
            files.execute(f"insert into {APPLIED_SCHEMA}.{APPLIED} values (?, ?, ?, ?)", row)


def attach_state(files: duckdb.DuckDBPyConnection) -> None:
    """Attach the state, read only; an empty one where none was made yet.

    Args:
        files: a connection to DuckDB.
    """
    file = state_file()
    if file.exists():
        files.execute(f"attach {sql.text(str(file))} as {ALIAS} (read_only)")
    else:
        own = files.execute("select current_database()").fetchone()
        assert own is not None
        files.execute(f"attach ':memory:' as {ALIAS}")
        migrate(files, before=0)
        files.execute(f"use {sql.name(str(own[0]))}")


def _make_functions(cursor: extensions.cursor, seeds_dir: str | None) -> None:
    make_engine(cursor)
    cursor.execute(f"create schema if not exists {SCHEMA}")
    report = Report()
    seeds = read_seeds(Path(seeds_dir), contract.SEEDS_DIR, report) if seeds_dir else []
    reading = comment_readers.read(seeds, contract.SEEDS_DIR, report)
    postgres = comment_readers.PostgreSQL()
    cursor.execute(
        f"create or replace function {SCHEMA}.folded_comment(comment_text text) returns text "
        "language sql immutable parallel safe as "
        + sql.text(f"select {comment_readers.folded_sql('comment_text', postgres)}")
    )
    themes = comment_readers.theme_findings(reading)
    words = comment_readers.word_findings(reading)
    for table, what, findings in (
        ("theme", "theme text", themes),
        ("word", "weight float8", words),
    ):
        relation = f"{SCHEMA}._{table}_findings"
        cursor.execute(
            f"create table if not exists {relation} "
            f"({what}, language text, pattern text, denied text, known_languages text [])"
        )
        cursor.execute(f"delete from {relation}")
        known = sorted({one.language for one in findings} - {""})
        for one in findings:
            denied = None if one.denied is None else postgres.own_pattern(one.denied)
            cursor.execute(
                f"insert into {relation} values (%s, %s, %s, %s, %s)",
                [one.what, one.language, postgres.own_pattern(one.pattern), denied, known],
            )


def _let_readers_in(cursor: extensions.cursor) -> None:
    """Grant what is read, and what later builds put there, to the role of readers."""
    cursor.execute("select count(*) from pg_roles where rolname = %s", [READER])
    if cursor.fetchone() == (0,):
        # People's own roles are made members of it; nobody logs in by it.
        cursor.execute(f"create role {READER} nologin")
    for schema in READ_SCHEMAS:
        cursor.execute(f"create schema if not exists {schema}")
        cursor.execute(f"grant usage on schema {schema} to {READER}")
        cursor.execute(f"grant select on all tables in schema {schema} to {READER}")
        cursor.execute(
            f"alter default privileges in schema {schema} grant select on tables to {READER}"
        )


def make_engine(cursor: extensions.cursor) -> None:
    """Make schema ``nps_engine``: what the macros call, and the quotients of whole numbers.

    Args:
        cursor: of the owner.
    """
    text = FUNCTIONS.read_text(encoding="utf-8")
    operators = "\n".join(
        _QUOTIENT.format(left=left, right=right) for left, right in product(EXACT_TYPES, repeat=2)
    )
    cursor.execute(text.replace("{word}", word_class()).replace("{operators}", operators))


_QUOTIENT = """
create or replace function nps_engine.quotient({left}, {right}) returns double precision
language sql immutable strict parallel safe as
'select $1::double precision operator(pg_catalog./) $2::double precision';
do $$ begin
    create operator nps_engine./ (
        function = nps_engine.quotient, leftarg = {left}, rightarg = {right}
    );
exception when duplicate_function then null;
end $$;
"""


def word_class() -> str:
    """Every letter and figure of any script (Unicode's L and N), for a class of PostgreSQL's."""
    ranges: list[list[int]] = []
    for code in range(1, 0x110000):
        if unicodedata.category(chr(code))[0] in "LN":
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


class _Copy:
    def __init__(self, files: duckdb.DuckDBPyConnection, cursor: extensions.cursor) -> None:
        self.files = files
        self.cursor = cursor

    def everything(self) -> None:
        delivered = [table.name for table in contract.load_contract()]
        changed = self._changed_files()
        for table in delivered:
            self._delivered(table, changed)
        found = self.files.execute(
            "select table_name from duckdb_tables() "
            "where schema_name = $1 and database_name = current_database() order by table_name",
            [SCHEMA],
        ).fetchall()
        named = [str(row[0]) for row in found]
        seeds = [name for name in named if name.startswith(SEED_PREFIX)]
        self._drop_seeds_but(seeds)
        for name in [FILES, LANDING, LABELS, *seeds]:
            self._whole(SCHEMA, name, f"{SCHEMA}.{sql.name(name)}")
        self.cursor.execute(f"create schema if not exists {ALIAS}")
        for name in tables(self.files):
            self._whole(ALIAS, name, f"{ALIAS}.{sql.name(name)}")

    def _changed_files(self) -> dict[str, tuple[list[str], list[str]]] | None:
        """Per table, files whose rows have to go and files whose rows have to come.

        None where every row has to be copied: nothing is there yet, or it was landed otherwise.
        """
        self.cursor.execute("select to_regclass('raw._files'), to_regclass('raw._landing')")
        if None in (self.cursor.fetchone() or (None,)):
            return None
        identity = "landing_version, contract, raw_dir, suppression, history_since"
        self.cursor.execute(f"select {identity} from raw._landing")
        now = self.files.execute(f"select {identity} from raw._landing").fetchall()
        if self.cursor.fetchall() != now:
            return None
        columns = "table_name, source_file, sha256, coalesce(presented, ''), landed_in"
        self.cursor.execute(f"select {columns} from raw._files")
        there = set(self.cursor.fetchall())
        here = set(self.files.execute(f"select {columns} from raw._files").fetchall())
        changed: dict[str, tuple[list[str], list[str]]] = {}
        for side, rows in enumerate((there - here, here - there)):
            for row in rows:
                changed.setdefault(row[0], ([], []))[side].append(row[1])
        return changed

    def _delivered(
        self, table: str, changed: dict[str, tuple[list[str], list[str]]] | None
    ) -> None:
        source = f"{SCHEMA}.{sql.name(table)}"
        columns = self._columns(source)
        if changed is None or columns != self._columns_there(SCHEMA, table):
            self._whole(SCHEMA, table, source)
            self.cursor.execute(f"create index on {source} (_source_file)")
            pending = f"{SCHEMA}.{sql.name(PENDING_PREFIX + table)}"
            self.cursor.execute(f"drop view if exists {pending} cascade")
            self.cursor.execute(f"create view {pending} as select * from {source}")
            return
        gone, new = changed.get(table, ([], []))
        if gone or new:
            self.cursor.execute(f"delete from {source} where _source_file = any(%s)", [gone + new])
        if new:
            listed = ", ".join(map(sql.text, new))
            self._rows(source, f"select * from {source} where _source_file in ({listed})", columns)

    def _drop_seeds_but(self, seeds: list[str]) -> None:
        self.cursor.execute(
            "select tablename from pg_tables where schemaname = %s and starts_with(tablename, %s)",
            [SCHEMA, SEED_PREFIX],
        )
        for (name,) in self.cursor.fetchall():
            if name not in seeds:
                self.cursor.execute(f"drop table {SCHEMA}.{sql.name(name)} cascade")

    def _whole(self, schema: str, table: str, source: str) -> None:
        target = f"{schema}.{sql.name(table)}"
        columns = self._columns(source)
        if columns == self._columns_there(schema, table):
            # Views of models stay.
            self.cursor.execute(f"delete from {target}")
        else:
            listed = ", ".join(f"{sql.name(name)} {type_}" for name, type_ in columns)
            self.cursor.execute(f"drop table if exists {target} cascade")
            self.cursor.execute(f"create table {target} ({listed})")
        self._rows(target, f"select * from {source}", columns)
        self.cursor.execute(f"analyze {target}")

    def _rows(self, target: str, query: str, columns: list[tuple[str, str]]) -> None:
        # No text of PostgreSQL holds the character 0; everywhere it counts as a blank.
        shown = ", ".join(
            f"replace({sql.name(name)}, chr(0), chr(1)) as {sql.name(name)}"
            if type_ == "character varying"
            else sql.name(name)
            for name, type_ in columns
        )
        with tempfile.TemporaryDirectory(prefix="nps_copy_") as folder:
            file = Path(folder) / "rows.csv"
            self.files.execute(
                f"copy (select {shown} from ({query})) to {sql.text(str(file))} "
                "(format csv, header false, force_quote *)"
            )
            with file.open(encoding="utf-8", newline="") as rows:
                self.cursor.copy_expert(f"copy {target} from stdin (format csv)", rows)

    def _columns(self, source: str) -> list[tuple[str, str]]:
        described = self.files.execute(f"describe select * from {source}").fetchall()
        return [(str(row[0]), own_type(str(row[1]))) for row in described]

    def _columns_there(self, schema: str, table: str) -> list[tuple[str, str]]:
        self.cursor.execute(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute "
            "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum",
            [f"{schema}.{sql.name(table)}"],
        )
        return [(str(name), str(type_)) for name, type_ in self.cursor.fetchall()]


def own_type(type_: str) -> str:
    """PostgreSQL's name, as it shows it itself, of a type of DuckDB's.

    Args:
        type_: as DuckDB describes a column.
    """
    known = {
        "VARCHAR": "character varying",
        "TIMESTAMP": "timestamp without time zone",
        "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    }
    return TYPES.get(type_) or known.get(type_) or type_.lower().replace("decimal", "numeric")
