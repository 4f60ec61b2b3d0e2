"""Makes schema `raw` of a DuckDB database hold exactly what the delivered folder holds."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from nps_warehouse.landing import comment_readers, contract, sql
from nps_warehouse.landing.contract import Table
from nps_warehouse.landing.csv_loader import (
    CSV_TABLE_PREFIX,
    TEMPORARY,
    CsvFile,
    FastPathError,
    create_csv_table_sql,
    csv_table_name,
    load_csv,
)
from nps_warehouse.landing.csv_reader import Header, read_header
from nps_warehouse.landing.csv_scan import Scan, hash_file, scan
from nps_warehouse.landing.discover import CSV, SourceFile, discover
from nps_warehouse.landing.forget import LINKS, TABLES, Forgetting
from nps_warehouse.landing.names import clean_name, shown_name
from nps_warehouse.landing.parquet_reader import (
    ParquetFile,
    check_float_keys,
    parquet_selects,
    presented_types,
    read_parquet_file,
)
from nps_warehouse.landing.report import FileError, Report, name_list
from nps_warehouse.landing.seeds import SEED_PREFIX, Seed, read_seeds
from nps_warehouse.landing.text_rows import insert_text_rows
from nps_warehouse.landing.theme_labels import land_labels
from nps_warehouse.privacy.suppression import Suppression

# Raise this when rows already landed would be landed otherwise today.
LANDING_VERSION = 3

SCHEMA = "raw"
FILES = "_files"
LANDING = "_landing"
PARQUET_TABLE_PREFIX = "_parquet_"
PENDING_PREFIX = "_pending_"

# Where macros/increments remember what the models have taken in.
APPLIED_SCHEMA, APPLIED = "staging", "_applied"

# Table, relative path, size in bytes and SHA-256: a file that is the same as before.
Identity = tuple[str, str, int, str]


@dataclass
class Delivery:
    """The delivered files of one table."""

    table: Table
    csv_files: list[tuple[SourceFile, Header]] = field(default_factory=list)
    parquet_files: list[ParquetFile] = field(default_factory=list)


@dataclass(frozen=True)
class LandedFile:
    """A file as `raw._files` describes it.

    `presented` says in which types a Parquet file shows its columns; it is empty for others.
    """

    source: SourceFile
    sha256: str
    records: int
    presented: str = ""


@dataclass(frozen=True)
class Before:
    """What an earlier landing of the same folder left.

    `files`: CSV files whose rows are here, with their number of records. `landed_in`: in which
    landing the rows of a file became what they are, by identity and `presented`. `number` and
    `history_since`: as `raw._landing` has them.
    """

    files: dict[Identity, int] = field(default_factory=dict)
    landed_in: dict[tuple[Identity, str], int] = field(default_factory=dict)
    number: int = 0
    history_since: int | None = None


@dataclass(frozen=True)
class Project:
    """Where the landing finds what belongs to the project itself."""

    contract_file: Path = contract.CONTRACT_FILE
    sample_dir: Path = contract.SAMPLE_DIR
    seeds_dir: Path = contract.SEEDS_DIR


def land(
    connection: duckdb.DuckDBPyConnection,
    raw_dir: str | None = None,
    seeds_dir: str | None = None,
    project: Project | None = None,
    adapted: Sequence[str] = (),
    suppression: Suppression | None = None,
    labels: Path | None = None,
    database: str | None = None,
) -> Report:
    """Land every table of the contract in schema `raw` of a database.

    Args:
        connection: where to land; the work is done on cursors of it, in one transaction. Its
            database no longer keeps what it read of files.
        raw_dir: the delivered folder; the shipped sample where null or empty.
        seeds_dir: the business's own seeds; none where null or empty.
        project: where contract, sample and shipped seeds are, if not in this project.
        adapted: tables that need no files, as adapters bring them.
        suppression: customers who are to be forgotten.
        labels: the file of the classifier's labels, if there is one.
        database: attached to the connection; its default one where null.

    Returns:
        All problems found in all tables. With any error nothing was changed.
    """
    project = project or Project()
    tables = tuple(
        replace(table, required=False) if table.name in adapted else table
        for table in contract.load_contract(project.contract_file)
    )
    folder = Path(raw_dir or project.sample_dir).resolve()
    report = Report()
    cursor = connection.cursor()
    try:
        # DuckDB takes a file that was written over for what it read of it before, where size and
        # second are the same.
        cursor.execute("set enable_external_file_cache = false")
        if database is not None:
            cursor.execute(f"use {sql.name(database)}")
        deliveries = _inspect(cursor, folder, tables, report)
        seeds: list[Seed] = []
        if seeds_dir:
            seeds = read_seeds(Path(seeds_dir).resolve(), project.seeds_dir, report)
        reading = comment_readers.read(seeds, project.seeds_dir, report)
        if not report.errors:
            writer = _Writer(cursor, folder, deliveries, seeds, report, suppression)
            writer.write()
            comment_readers.create_functions(cursor, writer.schema, reading)
            land_labels(cursor, writer.schema, labels, report)
    finally:
        cursor.close()
    return report


def _inspect(
    cursor: duckdb.DuckDBPyConnection, folder: Path, tables: tuple[Table, ...], report: Report
) -> list[Delivery]:
    """Read the header of every file and check it against the contract."""
    found = discover(folder, tables, report)
    deliveries = []
    for table in tables:
        delivery = Delivery(table)
        extra: dict[str, None] = {}
        for source in found.get(table.name, []):
            try:
                names = _inspect_file(cursor, source, delivery)
            except FileError as problem:
                report.error(str(problem))
                continue
            _check_columns(table, source, names, report)
            known = table.column_names
            extra.update((shown_name(n), None) for n in names if clean_name(n) not in known)
        if extra:
            report.warn(
                f"table {table.name}: columns that are ignored because the contract has none of "
                f"that name: {name_list(extra)}."
            )
        check_float_keys(cursor, table, delivery.parquet_files, report)
        deliveries.append(delivery)
    return deliveries


def _inspect_file(
    cursor: duckdb.DuckDBPyConnection, source: SourceFile, delivery: Delivery
) -> Sequence[str]:
    if source.format == CSV:
        header = read_header(source.path, source.table, source.relative)
        delivery.csv_files.append((source, header))
        return header.names
    parquet = read_parquet_file(cursor, source)
    delivery.parquet_files.append(parquet)
    return [column.delivered for column in parquet.columns]


def _check_columns(table: Table, source: SourceFile, names: Sequence[str], report: Report) -> None:
    delivered = {clean_name(name) for name in names}
    missing = [c.name for c in table.columns if c.must_exist and c.name not in delivered]
    if missing:
        plural = "s" if len(missing) > 1 else ""
        report.error(
            f"table {table.name}: file {source.path} lacks the required column{plural} "
            f"{name_list(missing)}. Found there: {name_list(map(shown_name, names))}."
        )


class _Writer:
    """Writes one landing; every attempt is one transaction."""

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        folder: Path,
        deliveries: list[Delivery],
        seeds: list[Seed],
        report: Report,
        suppression: Suppression | None,
    ) -> None:
        self.suppression = suppression if suppression and suppression.digests else None
        self.cursor = cursor
        self.folder = folder
        self.deliveries = deliveries
        self.seeds = seeds
        self.report = report
        self.header_only: list[SourceFile] = []
        self.before = Before()
        self.number = 1
        row = cursor.execute("select current_database()").fetchone()
        assert row is not None
        self.catalog = str(row[0])
        self.schema = f"{sql.name(self.catalog)}.{sql.name(SCHEMA)}"
        self.digest = contract.contract_digest(tuple(d.table for d in deliveries))

    def write(self) -> None:
        """Land everything, or leave the database as it was."""
        relations = self._relations()
        self.before = self._landed_before(relations)
        self.number = self.before.number + 1
        known = self.before.files
        sizes = {identity[:3] for identity in known}
        scans = {
            source.relative: _scan_or_hash(source, header, known, sizes)
            for delivery in self.deliveries
            for source, header in delivery.csv_files
        }
        slow: set[str] = set()
        while True:
            try:
                self._attempt(relations, known, scans, slow)
                break
            except FastPathError as problem:
                slow.add(problem.relative)
        for source in self.header_only:
            self.report.warn(
                f"table {source.table}: file {source.relative} has a header and no rows. "
                "If rows were expected, deliver it again."
            )

    def _attempt(
        self,
        relations: dict[str, str],
        known: dict[Identity, int],
        scans: dict[str, Scan],
        slow: set[str],
    ) -> None:
        order = self.cursor.execute("select current_setting('preserve_insertion_order')").fetchone()
        # Rows are numbered by their order in the file.
        self.cursor.execute("set preserve_insertion_order = true")
        self.cursor.execute("begin")
        try:
            self._write_schema(relations, known, scans, slow)
            self.cursor.execute("commit")
        except BaseException:
            # A commit that failed has ended the transaction already.
            with suppress(duckdb.TransactionException):
                self.cursor.execute("rollback")
            raise
        finally:
            if order is not None and not order[0]:
                self.cursor.execute("set preserve_insertion_order = false")

    def _write_schema(
        self,
        relations: dict[str, str],
        known: dict[Identity, int],
        scans: dict[str, Scan],
        slow: set[str],
    ) -> None:
        self.cursor.execute(f"create schema if not exists {self.schema}")
        kept = {csv_table_name(d.table) for d in self.deliveries if d.csv_files} if known else set()
        for relation, kind in relations.items():
            if relation not in kept and self._is_ours(relation):
                self.cursor.execute(f"drop {kind} {self._relation(relation)}")
        same_delivery = self.before.history_since is not None
        if LINKS in relations and (self.suppression is None or not same_delivery):
            # Keys of another delivery are other keys.
            self.cursor.execute(f"drop table {self._relation(LINKS)}")
        links_before = self._links() if self.suppression is not None else 0
        landed: list[LandedFile] = []
        for delivery in self.deliveries:
            if delivery.csv_files:
                is_there = csv_table_name(delivery.table) in kept & set(relations)
                landed += self._write_csv(delivery, known if is_there else {}, scans, slow)
            landed += [_landed_parquet(file, delivery) for file in delivery.parquet_files]
        history_since = self.before.history_since
        if history_since is None:
            history_since = self.number
        if self.suppression is not None:
            self._forget(self.suppression)
            if self._links() != links_before:
                # Rows of unchanged files may have lost their comment.
                history_since = self.number
        for delivery in self.deliveries:
            view = _view_sql(delivery, self._is_personal(delivery))
            self.cursor.execute(f"create view {self._relation(delivery.table.name)} as {view}")
            self._write_pending(delivery, landed)
        self._write_files(landed)
        self._write_landing(history_since)
        self.header_only = [file.source for file in landed if file.records == 0]
        for seed in self.seeds:
            self._write_seed(seed)

    def _is_personal(self, delivery: Delivery) -> bool:
        """Whether rows of forgotten customers may be in it."""
        return self.suppression is not None and delivery.table.name in TABLES

    def _forget(self, suppression: Suppression) -> None:
        """Take forgotten customers out of what is here and of what is new, then keep what is new.

        What is new waits in temporary tables: a row that was once written to the file leaves its
        bytes there.
        """
        personal = [delivery for delivery in self.deliveries if self._is_personal(delivery)]
        relations: dict[str, list[str]] = {}
        moves = []
        for delivery in personal:
            table = delivery.table
            found = relations.setdefault(table.name, [])
            if delivery.csv_files:
                name = csv_table_name(table)
                kept, fresh = self._relation(name), f"{TEMPORARY}.{sql.name(name)}"
                found += [kept, fresh]
                moves.append((fresh, f"insert into {kept} select * from {fresh}"))
            if delivery.parquet_files:
                name = PARQUET_TABLE_PREFIX + table.name
                kept, fresh = self._relation(name), f"{TEMPORARY}.{sql.name(name)}"
                rows = " union all ".join(
                    parquet_selects(
                        table,
                        delivery.parquet_files,
                        presented_types(table, delivery.parquet_files, bool(delivery.csv_files)),
                    )
                )
                self.cursor.execute(f"create temp table {fresh} as {rows}")
                found.append(fresh)
                moves.append((fresh, f"create table {kept} as select * from {fresh}"))
        Forgetting(self.cursor, self.schema, suppression).apply(
            [delivery.table for delivery in personal], relations
        )
        for fresh, move in moves:
            self.cursor.execute(move)
            self.cursor.execute(f"drop table {fresh}")

    def _write_csv(
        self,
        delivery: Delivery,
        known: dict[Identity, int],
        scans: dict[str, Scan],
        slow: set[str],
    ) -> list[LandedFile]:
        """Replace the rows of changed files, delete those of vanished ones."""
        table = delivery.table
        target = self._relation(csv_table_name(table))
        files = [
            CsvFile(source, header, scans[source.relative]) for source, header in delivery.csv_files
        ]
        unchanged = {f.source.relative: known[_id(f)] for f in files if _id(f) in known}
        if unchanged:
            self._delete_other_rows(target, table, known, unchanged)
        else:
            self.cursor.execute(f"drop table if exists {target}")
            self.cursor.execute(create_csv_table_sql(self.schema, table))
        if self._is_personal(delivery):
            target = f"{TEMPORARY}.{sql.name(csv_table_name(table))}"
            self.cursor.execute(create_csv_table_sql(TEMPORARY, table))
        landed = []
        for file in files:
            records = unchanged.get(file.source.relative)
            if records is None:
                records = load_csv(
                    self.cursor, target, table, file, file.source.relative not in slow
                )
            landed.append(LandedFile(file.source, file.scan.sha256, records))
        return landed

    def _delete_other_rows(
        self, target: str, table: Table, known: dict[Identity, int], unchanged: dict[str, int]
    ) -> None:
        gone = [
            relative
            for (name, relative, _, _) in known
            if name == table.name and relative not in unchanged
        ]
        if gone:
            names = ", ".join(sql.text(relative) for relative in gone)
            self.cursor.execute(
                f"delete from {target} where {sql.name(contract.SOURCE_FILE)} in ({names})"
            )

    def _write_files(self, landed: list[LandedFile]) -> None:
        self.cursor.execute(
            f"create table {self._relation(FILES)} (table_name varchar, source_file varchar, "
            "file_format varchar, size_bytes bigint, sha256 varchar, records bigint, "
            "presented varchar, landed_in bigint)"
        )
        rows = []
        for file in landed:
            source = file.source
            rows.append(
                [
                    source.table,
                    source.relative,
                    source.format,
                    str(source.size),
                    file.sha256,
                    str(file.records),
                    file.presented,
                    str(self._landed_in(file)),
                ]
            )
        insert_text_rows(self.cursor, self._relation(FILES), 8, rows)

    def _write_landing(self, history_since: int) -> None:
        self.cursor.execute(
            f"create table {self._relation(LANDING)} (landing_version integer, contract varchar, "
            "raw_dir varchar, suppression varchar, landing_number bigint, history_since bigint, "
            "project varchar)"
        )
        self.cursor.execute(
            f"insert into {self._relation(LANDING)} values (?, ?, ?, ?, ?, ?, ?)",
            [*self._state(), self.number, history_since, contract.project_digest()],
        )

    def _state(self) -> tuple[int, str, str, str]:
        """What has to be as it was for rows that were landed before to be right today."""
        suppressed = _digest_of(self.suppression) if self.suppression else ""
        return (LANDING_VERSION, self.digest, str(self.folder), suppressed)

    def _landed_in(self, file: LandedFile) -> int:
        """The landing since which the file's rows are what they are."""
        source = file.source
        identity = (source.table, source.relative, source.size, file.sha256)
        return self.before.landed_in.get((identity, file.presented), self.number)

    def _write_pending(self, delivery: Delivery, landed: list[LandedFile]) -> None:
        """The view of the rows that `parsed_<table>` has not taken in, and of no other file's."""
        applied = self._applied(f"parsed_{delivery.table.name}")
        new = {
            file.source.relative
            for file in landed
            if file.source.table == delivery.table.name and self._landed_in(file) > applied
        }
        view = _view_sql(delivery, self._is_personal(delivery), only=new)
        relation = self._relation(PENDING_PREFIX + delivery.table.name)
        self.cursor.execute(f"create view {relation} as {view}")

    def _applied(self, model: str) -> int:
        """The landing up to which a model has taken in files; before the first where none."""
        there = self.cursor.execute(
            "select count(*) from duckdb_tables() "
            "where database_name = ? and schema_name = ? and table_name = ?",
            [self.catalog, APPLIED_SCHEMA, APPLIED],
        ).fetchone()
        if not there or not there[0]:
            return -1
        row = self.cursor.execute(
            f"select max(landing) from {sql.name(self.catalog)}.{APPLIED_SCHEMA}.{APPLIED} "
            "where model = ?",
            [model],
        ).fetchone()
        return -1 if row is None or row[0] is None else int(row[0])

    def _links(self) -> int:
        """How many keys of forgotten customers' rows are remembered."""
        if LINKS not in self._relations():
            return 0
        row = self.cursor.execute(f"select count(*) from {self._relation(LINKS)}").fetchone()
        return int(row[0]) if row else 0

    def _write_seed(self, seed: Seed) -> None:
        target = self._relation(seed.table_name)
        columns = ", ".join(f"{sql.name(column)} varchar" for column in seed.columns)
        self.cursor.execute(f"create table {target} ({columns})")
        insert_text_rows(self.cursor, target, len(seed.columns), seed.rows)

    def _relation(self, relation: str) -> str:
        return f"{self.schema}.{sql.name(relation)}"

    def _is_ours(self, relation: str) -> bool:
        names = {d.table.name for d in self.deliveries} | {FILES, LANDING}
        return relation in names or relation.startswith(
            (CSV_TABLE_PREFIX, PARQUET_TABLE_PREFIX, PENDING_PREFIX, SEED_PREFIX)
        )

    def _relations(self) -> dict[str, str]:
        """Every relation in schema `raw` with its kind, table or view."""
        rows = self.cursor.execute(
            "select table_name, 'table' from duckdb_tables() "
            "where database_name = $1 and schema_name = $2 and not internal union all "
            "select view_name, 'view' from duckdb_views() "
            "where database_name = $1 and schema_name = $2 and not internal",
            [self.catalog, SCHEMA],
        ).fetchall()
        return {str(relation): str(kind) for relation, kind in rows}

    def _landed_before(self, relations: dict[str, str]) -> Before:
        """What is here of the same folder; nothing but the number where that can't be told."""
        if relations.get(FILES) != "table" or relations.get(LANDING) != "table":
            return Before(number=self._newest_number())
        columns = self._columns(LANDING)
        if "landing_number" not in columns:
            return Before(number=self._newest_number())
        state = self.cursor.execute(
            "select landing_version, contract, raw_dir, suppression, landing_number, history_since "
            f"from {self._relation(LANDING)}"
        ).fetchall()
        number = max([self._newest_number(), *(row[4] for row in state)])
        if [tuple(row[:4]) for row in state] != [self._state()]:
            return Before(number=number)
        rows = self.cursor.execute(
            "select table_name, source_file, size_bytes, sha256, file_format, records, "
            f"coalesce(presented, ''), landed_in from {self._relation(FILES)}"
        ).fetchall()
        return Before(
            {tuple(row[:4]): row[5] for row in rows if row[4] == CSV},
            {(tuple(row[:4]), row[6]): row[7] for row in rows},
            number,
            state[0][5],
        )

    def _newest_number(self) -> int:
        """The newest landing that any model knows of: numbers never come twice in a warehouse."""
        return max(0, *(self._applied(f"parsed_{d.table.name}") for d in self.deliveries))

    def _columns(self, relation: str) -> set[str]:
        rows = self.cursor.execute(
            "select column_name from duckdb_columns() "
            "where database_name = ? and schema_name = ? and table_name = ?",
            [self.catalog, SCHEMA, relation],
        ).fetchall()
        return {str(row[0]) for row in rows}


def _id(file: CsvFile) -> Identity:
    return (file.source.table, file.source.relative, file.source.size, file.scan.sha256)


def _scan_or_hash(
    source: SourceFile,
    header: Header,
    known: dict[Identity, int],
    sizes: set[tuple[str, str, int]],
) -> Scan:
    """Hash a file, and check its structure unless its rows are here already."""
    if (source.table, source.relative, source.size) in sizes:
        sha256 = hash_file(source.path)
        if (source.table, source.relative, source.size, sha256) in known:
            return Scan(sha256, "landed before", 0, 0)
    if not header.plain:
        return Scan(hash_file(source.path), "a header that is not the first line", 0, 0)
    return scan(source.path, len(header.names))


def _landed_parquet(file: ParquetFile, delivery: Delivery) -> LandedFile:
    types = presented_types(delivery.table, delivery.parquet_files, bool(delivery.csv_files))
    presented = hashlib.sha256(repr(sorted(types.items())).encode()).hexdigest()[:16]
    return LandedFile(file.source, hash_file(file.source.path), file.records, presented)


def _digest_of(suppression: Suppression) -> str:
    return hashlib.sha256(repr(sorted(suppression.digests)).encode()).hexdigest()[:16]


def _view_sql(
    delivery: Delivery, parquet_is_table: bool, only: Collection[str] | None = None
) -> str:
    """The query behind `raw.<table>`: rows of CSV files, of Parquet files, of both or of none.

    Args:
        delivery: the table's files.
        parquet_is_table: whether its Parquet rows are stored.
        only: relative paths of the files whose rows are wanted; all where not given.
    """
    table = delivery.table
    columns = sql.columns((*table.column_names, *contract.PROVENANCE))
    stored = []
    files: Collection[ParquetFile] = delivery.parquet_files
    if only is not None:
        files = [file for file in files if file.source.relative in only]
    if delivery.csv_files:
        stored.append((csv_table_name(table), [source for source, _ in delivery.csv_files]))
    if delivery.parquet_files and parquet_is_table:
        sources = [file.source for file in delivery.parquet_files]
        stored.append((PARQUET_TABLE_PREFIX + table.name, sources))
        files = []
    selects = []
    for name, sources in stored:
        wanted = [s.relative for s in sources if only is None or s.relative in only]
        # Without schema and database the view still holds where the file is renamed or attached.
        rows = f"select {columns} from {sql.name(name)}"
        if len(wanted) < len(sources):
            listed = ", ".join(map(sql.text, wanted)) or "null"
            rows += f" where {sql.name(contract.SOURCE_FILE)} in ({listed})"
        selects.append(rows)
    types = presented_types(table, delivery.parquet_files, bool(delivery.csv_files))
    selects += parquet_selects(table, files, types)
    if not selects:
        types = {contract.SOURCE_ROW: "bigint"}
        columns = ", ".join(
            f"cast(null as {types.get(column, 'varchar')}) as {sql.name(column)}"
            for column in (*table.column_names, *contract.PROVENANCE)
        )
        selects.append(f"select {columns} where false")
    return " union all ".join(selects)
