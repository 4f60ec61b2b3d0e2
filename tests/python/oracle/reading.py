"""From files to records: one per line of data, as text, broken ones included."""

# Instants are naive datetimes in UTC here, as the warehouse's timestamps are.
# ruff: noqa: DTZ001

import csv
import math
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .tables import Table
from .values import trim

# A byte that is no UTF-8 is decoded to one of these.
_UNDECODABLE = re.compile("[\ud800-\udfff]")
_EPOCH = datetime(1970, 1, 1)
_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_LARGEST_EXACT_DOUBLE = 2**53


class ContractError(ValueError):
    """Input that stops a build before any model runs."""


@dataclass(slots=True)
class Record:
    """One data record of a file.

    Args:
        source_file: path relative to the raw folder, with `/`.
        source_row: number of the record in its file, from 1.
        cells: text by column; None for a record that cannot be read.
    """

    source_file: str
    source_row: int
    cells: dict[str, str | None] | None


def read_table(raw_dir: Path, table: Table) -> Iterator[Record]:
    """Every record of a raw table, file after file in the byte order of their paths.

    Args:
        raw_dir: the folder that holds the table's file or folder.
        table: which table.

    Raises:
        ContractError: the table is missing though required, is there twice, or one of its files
            cannot be what the contract asks for.
    """
    for path in _files_of(raw_dir, table):
        source_file = path.relative_to(raw_dir).as_posix()
        read = _read_parquet if path.suffix == ".parquet" else _read_csv
        for number, cells in enumerate(read(path, table), start=1):
            yield Record(source_file, number, cells)


def _files_of(raw_dir: Path, table: Table) -> list[Path]:
    folder = raw_dir / table.name
    places = [
        place
        for place in (raw_dir / f"{table.name}.csv", raw_dir / f"{table.name}.parquet", folder)
        if place.exists()
    ]
    if len(places) > 1:
        raise ContractError(f"{table.name}: there twice, as {places[0].name} and {places[1].name}")
    files = [place for place in places if place.is_file()]
    if places == [folder]:
        files = [
            path
            for path in folder.rglob("*")
            if path.is_file()
            and path.suffix in (".csv", ".parquet")
            and not any(part[0] in "._" for part in path.relative_to(folder).parts)
        ]
    if not files and not table.is_optional:
        raise ContractError(f"{table.name}: required, not found in {raw_dir}")
    return sorted(files, key=lambda path: path.relative_to(raw_dir).as_posix().encode())


def _positions(header: Sequence[str], path: Path, table: Table) -> dict[str, int]:
    """Where each contract column stands in a header; names are trimmed and caseless."""
    names = [trim(name).lower() for name in header]
    named = [name for name in names if name]
    if len(set(named)) < len(named):
        raise ContractError(f"{path}: two columns of one name")
    for column in (*table.key, *table.required):
        if column not in names:
            raise ContractError(f"{path}: no column {column}; found {', '.join(names)}")
    return {column: names.index(column) for column in table.columns if column in names}


# --- CSV -------------------------------------------------------------------------------------


class _Lines:
    """The lines of a file, remembering whether a record has met a NUL or a byte that is no text."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.is_damaged = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        if "\0" in line or (not line.isascii() and _UNDECODABLE.search(line)):
            self.is_damaged = True
        return line


def _records(lines: Iterable[str]) -> Iterator[list[str] | None]:
    """The records of a CSV file; None for one that is broken."""
    # A comment may be larger than the module's own limit of 128 KiB.
    csv.field_size_limit(sys.maxsize)
    watched = _Lines(lines)
    reader = csv.reader(watched, strict=True)
    while True:
        watched.is_damaged = False
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # Text after a closing quote, or a quote that is open at the end of the file. The
            # reader starts anew with the next line.
            yield None
            continue
        if watched.is_damaged:
            yield None
        elif fields:
            yield fields


def _read_csv(path: Path, table: Table) -> Iterator[dict[str, str | None] | None]:
    with path.open("rb") as file:
        start = file.read(64)
    if not start:
        raise ContractError(f"{path}: 0 bytes")
    if start.startswith(b"version https://git-lfs"):
        raise ContractError(f"{path}: a Git LFS pointer")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ContractError(f"{path}: UTF-16")
    # newline="\n": a carriage return inside quotes is text and ends no line.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as lines:
        records = _records(lines)
        header = next(records, None)
        if header is None:
            raise ContractError(f"{path}: no header")
        positions = _positions(header, path, table).items()
        width = len(header)
        for fields in records:
            if fields is None or len(fields) != width:
                yield None
            else:
                yield {column: fields[position] for column, position in positions}


# --- Parquet ---------------------------------------------------------------------------------


def _read_parquet(path: Path, table: Table) -> Iterator[dict[str, str | None] | None]:
    with pq.ParquetFile(path) as file:
        positions = _positions(file.schema_arrow.names, path, table)
        for batch in file.iter_batches():
            columns = [
                _texts(batch.column(position), column, path)
                for column, position in positions.items()
            ]
            names = list(positions)
            for texts in zip(*columns, strict=True):
                if any(text is not None and _is_damaged(text) for text in texts):
                    yield None
                else:
                    yield dict(zip(names, texts, strict=True))


def _is_damaged(text: str) -> bool:
    return "\0" in text or (not text.isascii() and _UNDECODABLE.search(text) is not None)


def _texts(array: Any, column: str, path: Path) -> list[str | None]:
    """A Parquet column as the text a CSV file would hold."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        array, kind = array.dictionary_decode(), kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        array = array.cast(pa.binary() if pa.types.is_string(kind) else pa.large_binary())
    if pa.types.is_timestamp(kind):
        ticks = array.cast(pa.int64()).to_pylist()
        return [_timestamp_text(tick, kind.unit, kind.tz is not None) for tick in ticks]
    is_identifier = column.endswith("_id")
    return [_text(value, is_identifier, column, path) for value in array.to_pylist()]


def _timestamp_text(tick: int | None, unit: str, has_zone: bool) -> str | None:
    if tick is None:
        return None
    microseconds = tick // 1000 if unit == "ns" else tick * _MICROSECONDS[unit]
    try:
        moment = _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return f"{tick} {unit}"
    # Parquet keeps zoned times in UTC; the others are local times as they stand.
    return moment.isoformat() + ("Z" if has_zone else "")


def _text(value: Any, is_identifier: bool, column: str, path: Path) -> str | None:
    match value:
        case None | str():
            return value
        case bytes():
            return value.decode("utf-8", "surrogateescape")
        case bool():
            return "true" if value else "false"
        case float():
            return _double_text(value, is_identifier, column, path)
        case Decimal():
            is_whole = value == value.to_integral_value()
            return str(int(value)) if is_whole else format(value, "f")
        case date():
            return value.isoformat()
        case _:
            return str(value)


def _double_text(value: float, is_identifier: bool, column: str, path: Path) -> str | None:
    if math.isnan(value) and is_identifier:
        # Tools without a null for numbers write NaN for an empty link.
        return None
    if not math.isfinite(value):
        return str(value)
    if is_identifier and abs(value) >= _LARGEST_EXACT_DOUBLE:
        raise ContractError(f"{path}: {column} holds {value!r}, which has lost digits")
    if value.is_integer():
        return str(int(value))
    return format(Decimal(repr(value)), "f")
