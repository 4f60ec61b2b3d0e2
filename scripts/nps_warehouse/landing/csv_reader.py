"""Reads CSV record by record with Python's strict `csv` module.

This module defines what a record is; the faster way in `csv_loader` must agree with it. The rules:
comma, quote `"` doubled, no escape character, lines end in LF or CRLF, and after a record that
cannot be read the next line starts afresh.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from nps_warehouse.landing import line_errors
from nps_warehouse.landing.names import shown_name, twice
from nps_warehouse.landing.report import FileError

BOM = b"\xef\xbb\xbf"
LONGEST_FIELD = 64 * 1024 * 1024
LONGEST_HEADER = 1024 * 1024

LFS_START = b"version https://git-lfs"
_WIDE_MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


@dataclass(frozen=True)
class Header:
    """The header of a CSV file.

    `names` are as delivered. `plain` says that the header is the first line of the file and a
    single one, so that a reader may skip it as a line.
    """

    names: tuple[str, ...]
    plain: bool


class Record(NamedTuple):
    """One record: its `fields`, or why there are none; `line` is where it starts, from 1."""

    fields: list[str]
    error: str | None = None
    line: int = 0


class _LineTooLongError(Exception):
    """A physical line is longer than any field may be."""


class _Lines:
    """Physical lines as text; remembers what the lines of the record at hand contained."""

    def __init__(self, stream: BinaryIO, longest: int) -> None:
        self.stream = stream
        self.longest = longest
        self.number = 0
        self.has_nul = False
        self.has_bad_bytes = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.stream.readline(self.longest + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if self.number == 1 and line.startswith(BOM):
            line = line[len(BOM) :]
        if len(line) > self.longest:
            raise _LineTooLongError
        if b"\0" in line:
            self.has_nul = True
        try:
            return line.decode()
        except UnicodeDecodeError:
            self.has_bad_bytes = True
            return line.decode(errors="replace")

    def new_record(self) -> None:
        self.has_nul = False
        self.has_bad_bytes = False

    def skip_rest_of_line(self) -> None:
        while True:
            rest = self.stream.readline(1024 * 1024)
            if not rest or rest.endswith(b"\n"):
                return

    def skip_rest_of_file(self) -> None:
        self.stream.seek(0, 2)


def wide_encoding(start: bytes) -> str | None:
    """The encoding of more than one byte a character that a file begins in; None for any other.

    Args:
        start: the first bytes of the file.
    """
    encoding = next((name for mark, name in _WIDE_MARKS.items() if start.startswith(mark)), None)
    if encoding is None:
        sample = start[: min(len(start), 64) // 4 * 4]
        if sample and sample.count(0) * 4 == len(sample) * 3:
            encoding = "UTF-32"
        elif any(sample[0::2]) != any(sample[1::2]):
            encoding = "UTF-16"
    return encoding


def refuse_unreadable(path: Path, table: str, relative: str) -> bytes:
    """Refuse a file that is no data at all.

    Args:
        path: the file.
        table: the table it belongs to, for the message.
        relative: how messages name the file.

    Returns:
        The first bytes of the file.

    Raises:
        FileError: 0 bytes, a Git LFS pointer, or not readable.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(4096)
    except OSError as problem:
        raise FileError(
            f"table {table}: file {relative} cannot be read: {problem.strerror}."
        ) from problem
    if not start:
        raise FileError(
            f"table {table}: file {relative} is empty (0 bytes). Deliver it again; a table "
            "without rows still needs its header."
        )
    if start.startswith(LFS_START):
        raise FileError(
            f"table {table}: file {relative} is a Git LFS pointer, not the data. "
            "Run `git lfs pull` in the repository that holds it."
        )
    return start


def read_header(path: Path, table: str, relative: str) -> Header:
    """Read and check the header of a CSV file.

    Args:
        path: the file.
        table: the table it belongs to, for the message.
        relative: how messages name the file.

    Raises:
        FileError: the file or its header cannot be used.
    """
    start = refuse_unreadable(path, table, relative)
    encoding = wide_encoding(start)
    if encoding is not None:
        raise FileError(
            f"table {table}: file {relative} is {encoding}, not UTF-8. "
            "Save or convert it as UTF-8 (for example `iconv -t UTF-8`)."
        )
    with path.open("rb") as stream:
        lines = _Lines(stream, LONGEST_HEADER)
        record = _next_record(_reader(lines), lines)
        while record is not None and record.error is None and not record.fields:
            record = _next_record(_reader(lines), lines)
    if record is None:
        raise FileError(f"table {table}: file {relative} has no header row, only empty lines.")
    if record.error is not None:
        raise FileError(
            f"table {table}: the header row of file {relative} cannot be read: {record.error}. "
            "It must be one row of comma-separated column names in UTF-8, lines ending in LF or "
            "CRLF."
        )
    for first, second in twice(record.fields):
        raise FileError(
            f"table {table}: file {relative} has two columns named {shown_name(first)} "
            f"({first!r} and {second!r}): names are compared without case and without blanks "
            "around them. Rename or remove one."
        )
    return Header(tuple(record.fields), plain=record.line == 1 and lines.number == 1)


def read_records(
    path: Path, field_count: int, longest_field: int = LONGEST_FIELD
) -> Iterator[Record]:
    """Every record after the header, in file order; empty lines are no records.

    A record without an error has exactly `field_count` fields.

    Args:
        path: a file whose header `read_header` accepted.
        field_count: number of columns in the header.
        longest_field: limit of one field, in characters; an unclosed quote may not use more
            memory than that.
    """
    header_seen = False
    for record in read_rows(path, longest_field):
        if record.error is None and not record.fields:
            continue
        if not header_seen:
            header_seen = True
        elif record.error is None and len(record.fields) != field_count:
            yield Record([], wrong_count(record, field_count), record.line)
        else:
            yield record


def read_rows(
    path: Path,
    longest_field: int = LONGEST_FIELD,
    delimiter: str = ",",
    escape: str | None = None,
) -> Iterator[Record]:
    """Every record of a file in UTF-8, the header included, each of any number of fields.

    An empty line is a record without fields.

    Args:
        path: the file.
        longest_field: limit of one field, in characters.
        delimiter: one character.
        escape: the character before a quote inside quotes, where that is not doubled.
    """
    limit_before = csv.field_size_limit(longest_field)
    try:
        with path.open("rb") as stream:
            lines = _Lines(stream, longest_field)
            reader = _reader(lines, delimiter, escape)
            while (record := _next_record(reader, lines)) is not None:
                yield record
    finally:
        csv.field_size_limit(limit_before)


def _reader(lines: _Lines, delimiter: str = ",", escape: str | None = None) -> Iterator[list[str]]:
    return csv.reader(
        lines,
        delimiter=delimiter,
        quotechar='"',
        doublequote=escape is None,
        escapechar=escape,
        strict=True,
    )


def wrong_count(record: Record, field_count: int) -> str:
    """Why a record without an error of its own is none of this file's.

    Args:
        record: the record.
        field_count: number of columns in the header.
    """
    reason = f"{line_errors.FIELD_COUNT}: {len(record.fields)} where the header has {field_count}"
    return line_errors.at_line(reason, record.line)


def _next_record(reader: Iterator[list[str]], lines: _Lines) -> Record | None:
    lines.new_record()
    first = lines.number + 1
    try:
        fields = next(reader)
    except StopIteration:
        return None
    except _LineTooLongError:
        return Record([], _too_long(lines, first), first)
    except csv.Error as problem:
        return Record([], _broken(lines, first, str(problem)), first)
    if lines.has_nul:
        return Record([], line_errors.at_line(line_errors.NUL_BYTE, first), first)
    if lines.has_bad_bytes:
        return Record([], line_errors.at_line(line_errors.INVALID_UTF8, first), first)
    return Record(fields, None, first)


def _too_long(lines: _Lines, first: int) -> str:
    if lines.number > first:
        return _unclosed_to_the_end(lines, first)
    lines.skip_rest_of_line()
    return line_errors.at_line(line_errors.LINE_TOO_LONG, first)


def _unclosed_to_the_end(lines: _Lines, first: int) -> str:
    lines.skip_rest_of_file()
    return line_errors.at_line(f"{line_errors.UNCLOSED_QUOTE} to the end of the file", first)


def _broken(lines: _Lines, first: int, problem: str) -> str:
    if "unexpected end of data" in problem or "field limit" in problem:
        return _unclosed_to_the_end(lines, first)
    # A broken quote that is found lines later may have swallowed good rows in between.
    if lines.number > first:
        return line_errors.at_lines(line_errors.UNCLOSED_QUOTE, first, lines.number)
    if lines.has_nul:
        return line_errors.at_line(line_errors.NUL_BYTE, first)
    if lines.has_bad_bytes:
        return line_errors.at_line(line_errors.INVALID_UTF8, first)
    if "new-line character" in problem:
        return line_errors.at_line(line_errors.LONE_CARRIAGE_RETURN, first)
    return line_errors.at_line(line_errors.BROKEN_QUOTES, first)
