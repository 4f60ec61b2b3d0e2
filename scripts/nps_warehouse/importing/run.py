"""Imports exports into a raw folder: read, made into raw tables, written, all or nothing."""

from __future__ import annotations

import csv
import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from nps_warehouse.importing.mapping import Mapping, describe
from nps_warehouse.importing.raw_folder import NewFile, put, refuse_other_form, work_folder
from nps_warehouse.importing.refusal import ImportRefusedError
from nps_warehouse.importing.sources import (
    EXCEL_SUFFIXES,
    Source,
    load_source,
    match_sources,
    open_source,
)
from nps_warehouse.importing.tables import MadeTable, make_table, use_columns
from nps_warehouse.importing.time_formats import instant_sql, parts_sql
from nps_warehouse.landing import sql

MEMORY_LIMIT = "512MB"
SMALL = 16 * 1024 * 1024
"""Bytes of an export that is worked on in memory; a larger one in a file beside the tables."""
UNDATED = "undated"
SUFFIXES = (".csv", ".tsv", ".txt", *EXCEL_SUFFIXES)


@dataclass(frozen=True)
class Imported:
    """What became of one export: its files and its raw tables.

    `order` is the time that puts it among other exports, `digest` is of its files' bytes.
    """

    shown: str
    sources: tuple[Source, ...]
    tables: tuple[MadeTable, ...]
    order: str
    digest: str

    def file_name(self, mapping: str) -> str:
        """Name of its file in a raw table's folder, without suffix: in byte order of its time.

        Args:
            mapping: name of the mapping.
        """
        return f"{self.order}-{mapping}-{self.digest}"


def exports_of(mapping: Mapping, paths: Sequence[Path]) -> list[tuple[str, dict[str, Path]]]:
    """Put the files given together to exports: one each, or one of several where these belong.

    Args:
        mapping: the mapping.
        paths: files and folders.

    Returns:
        Each export's name in messages, and its file by the name of the source.

    Raises:
        ImportRefusedError: nothing to import, or a part is missing.
    """
    rules = list(mapping.sources.values())
    exports = []
    loose: list[Path] = []
    for path in paths:
        if not path.exists():
            raise ImportRefusedError(f"{path}: there is no such file or folder.")
        if not path.is_dir():
            loose.append(path)
            continue
        inside = sorted(
            file
            for file in path.iterdir()
            if file.is_file() and file.suffix.lower() in SUFFIXES and file.name[0] not in "._"
        )
        if len(rules) > 1:
            exports.append((str(path), match_sources(rules, inside, str(path))))
            continue
        found = [file for file in inside if file.match(rules[0].file)]
        if not found:
            raise ImportRefusedError(
                f"{path}: it holds no file {rules[0].file} with one of the suffixes "
                f"{', '.join(SUFFIXES)}. There are {describe([file.name for file in inside])}."
            )
        loose += found
    if len(rules) > 1 and loose:
        shown = " and ".join(map(str, loose))
        exports.append((shown, match_sources(rules, loose, shown)))
    elif loose:
        exports += [(str(file), {rules[0].name: file}) for file in loose]
    return exports


def import_exports(
    mapping: Mapping,
    paths: Sequence[Path],
    raw_dir: Path,
    *,
    dry_run: bool = False,
    exported_at: str | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Imported]:
    """Import exports into a raw folder, all of them or none.

    Args:
        mapping: how they are read.
        paths: files and folders.
        raw_dir: the raw folder.
        dry_run: read everything, write nothing.
        exported_at: when they were exported, as `YYYYMMDDTHHMMSSffffffZ`; None: as the mapping
            says, or when the newest thing in them happened.
        progress: receives a line about each step.

    Returns:
        What became of every export.

    Raises:
        ImportRefusedError: nothing was changed; the text says why and what to do.
    """
    exports = exports_of(mapping, paths)
    for table in mapping.tables:
        refuse_other_form(raw_dir, table.table.name)
    results: list[Imported] = []
    files: list[NewFile] = []
    with _work(raw_dir, dry_run) as work:
        for number, (shown, members) in enumerate(exports):
            progress(f"reading {shown}")
            folder = work / str(number)
            folder.mkdir()
            result = _import_one(mapping, shown, members, folder, exported_at, files, dry_run)
            results.append(result)
        _refuse_undated(mapping, results, raw_dir)
        _note_other_mappings(mapping, results, raw_dir)
        _note_equal_order(mapping, results, raw_dir)
        if not dry_run:
            put(raw_dir, work, list({(f.table, f.name): f for f in files}.values()))
    return results


@contextmanager
def _work(raw_dir: Path, dry_run: bool) -> Iterator[Path]:
    if dry_run:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
    else:
        with work_folder(raw_dir) as folder_in_raw:
            yield folder_in_raw


def _import_one(
    mapping: Mapping,
    shown: str,
    members: dict[str, Path],
    work: Path,
    exported_at: str | None,
    files: list[NewFile],
    dry_run: bool,
) -> Imported:
    is_small = sum(path.stat().st_size for path in members.values()) < SMALL
    with duckdb.connect(
        ":memory:" if is_small else str(work / "work.duckdb"),
        config={"memory_limit": MEMORY_LIMIT, "temp_directory": str(work / "spilled")},
    ) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set preserve_insertion_order = true")
        sources = {
            name: open_source(mapping.sources[name], path, work) for name, path in members.items()
        }
        use_columns(mapping, sources)
        for source in sources.values():
            load_source(connection, source)
        tables = []
        # A broken record belongs to the first table that its file makes.
        with_broken: set[str] = set()
        for rule in mapping.tables:
            if rule.source not in sources:
                continue
            made = make_table(connection, mapping, rule, sources)
            if rule.source not in with_broken:
                made.broken = sources[rule.source].broken
                with_broken.add(rule.source)
            tables.append(made)
        digest = _digest(sources)
        order = exported_at or _order(connection, mapping, sources, tables)
        result = Imported(shown, tuple(sources.values()), tuple(tables), order, digest)
        if not dry_run:
            for made in tables:
                _write(connection, mapping, made, result, work, files)
    for leftover in work.glob("work.duckdb*"):
        leftover.unlink()
    for source in sources.values():
        (work / f"{source.rule.name}.utf8").unlink(missing_ok=True)
    return result


def _digest(sources: dict[str, Source]) -> str:
    """Of the bytes of an export's files, whatever these are called."""
    if len(sources) == 1:
        return next(iter(sources.values())).sha256[:16]
    every = "\n".join(f"{name} {source.sha256}" for name, source in sorted(sources.items()))
    return hashlib.sha256(every.encode()).hexdigest()[:16]


def _order(
    connection: duckdb.DuckDBPyConnection,
    mapping: Mapping,
    sources: dict[str, Source],
    tables: Sequence[MadeTable],
) -> str:
    if mapping.order is None:
        return max((made.newest for made in tables if made.newest), default=UNDATED)
    names = [source.path.name for source in sources.values()]
    dates = [match.group(1) for name in names if (match := mapping.order.pattern.search(name))]
    for date in dates:
        zone = mapping.timezone or "UTC"
        format_ = mapping.order.format
        parts = parts_sql("date", format_)
        found = connection.execute(
            f"select {instant_sql('date', 'parts', format_, zone)} "
            f"from (select date, {parts} as parts from (select {sql.text(date)} as date))"
        ).fetchone()
        if found is not None and found[0] is not None:
            return str(found[0].strftime("%Y%m%dT%H%M%S%fZ"))
    raise ImportRefusedError(
        f"{' and '.join(names)}: the name holds no date that `order` of the mapping finds "
        f"({mapping.order.pattern.pattern!r} in the format {mapping.order.format.text!r}). "
        "Rename the file, correct `order`, or pass --exported-at."
    )


def _write(
    connection: duckdb.DuckDBPyConnection,
    mapping: Mapping,
    made: MadeTable,
    result: Imported,
    work: Path,
    files: list[NewFile],
) -> None:
    stem = result.file_name(mapping.name)
    replaces = (
        f"-{mapping.name}-{result.digest}.csv",
        f"-{mapping.name}-{result.digest}-broken.csv",
    )
    if made.rows:
        path = work / f"{made.name}.csv"
        names = ", ".join(map(sql.name, made.columns))
        connection.execute(
            f"copy (select {names} from {made.relation}) to {sql.text(str(path))} "
            "(format csv, header true, delimiter ',', quote '\"', escape '\"', nullstr '')"
        )
        files.append(NewFile(path, made.name, f"{stem}.csv", replaces))
    if made.broken:
        # Beside, not in, the file of good records: that one can then be read fast. A record of one
        # field is rejected by the warehouse, which counts it and shows what stands here.
        path = work / f"{made.name}-broken.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
            writer.writerow(made.columns)
            writer.writerows([f"broken record of the export: {reason}"] for reason in made.broken)
        files.append(NewFile(path, made.name, f"{stem}-broken.csv", replaces))


def _refuse_undated(mapping: Mapping, results: Sequence[Imported], raw_dir: Path) -> None:
    """Refuse exports of which nothing says which is newer."""
    for table in mapping.tables:
        name = table.table.name
        digests = {
            result.digest
            for result in results
            if result.order == UNDATED
            and any(made.name == name and made.rows for made in result.tables)
        }
        if not digests:
            continue
        start = f"{UNDATED}-{mapping.name}-"
        folder = raw_dir / name
        there = [] if not folder.is_dir() else [path.stem for path in folder.glob(f"{start}*.csv")]
        others = {stem.removeprefix(start).removesuffix("-broken") for stem in there} | digests
        if len(others) > 1:
            raise ImportRefusedError(
                f"{raw_dir}: {len(others)} exports hold rows of {name} and no time at all, so "
                "nothing says which of them is newer. Pass --exported-at with each, declare "
                "`order` in the mapping (a date in the file's name), or remove the older "
                f"{start}….csv from {folder}."
            )


def _note_other_mappings(mapping: Mapping, results: Sequence[Imported], raw_dir: Path) -> None:
    """Say where an export has been imported before by a mapping of another name."""
    for result in results:
        for made in result.tables:
            folder = raw_dir / made.name
            others = [
                path.name
                for path in sorted(folder.glob(f"*-{result.digest}.csv"))
                if not path.name.endswith(f"-{mapping.name}-{result.digest}.csv")
            ]
            if others:
                made.notes.append(
                    f"the same export is there by another mapping: {describe(others)}. Remove that "
                    "file if this one takes its place"
                )


def _note_equal_order(mapping: Mapping, results: Sequence[Imported], raw_dir: Path) -> None:
    """Say where an answer could be in two exports of which none is known to be newer."""
    for result in results:
        for made in result.tables:
            # A row that says itself when it was corrected needs no order of files.
            if result.order == UNDATED or "updated_at" in made.columns:
                continue
            start = f"{result.order}-{mapping.name}-"
            there = (path.stem for path in (raw_dir / made.name).glob(f"{start}*.csv"))
            digests = {stem.removeprefix(start).removesuffix("-broken") for stem in there} | {
                other.digest for other in results if other.order == result.order
            }
            if len(digests) > 1:
                made.notes.append(
                    f"{len(digests)} exports end at the same time ({result.order}): if one of them "
                    "corrects another, say which is newer with --exported-at or `order`"
                )
