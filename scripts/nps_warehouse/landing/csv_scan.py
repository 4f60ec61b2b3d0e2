"""One pass over a CSV file: its hash, and whether every record in it is beyond doubt.

DuckDB's CSV reader is many times faster than Python's and reads well-formed files alike, but the
two differ on broken ones. A file is regular when the quotes, the line ends and the number of
fields of every single record are as they should be; only such a file is left to DuckDB.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nps_warehouse.landing.csv_reader import BOM

CHUNK = 8 * 1024 * 1024
LONGEST_LINE = 64 * 1024 * 1024

_QUOTE, _COMMA, _LF, _CR = 34, 44, 10, 13

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Scan:
    """What one pass over a file found.

    `records` (without the header) and `longest_record` (bytes) mean something only where
    `irregular` is null; else that says what was seen first.
    """

    sha256: str
    irregular: str | None
    records: int
    longest_record: int


class _IrregularError(Exception):
    """A block of the file is not beyond doubt."""


def hash_file(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def scan(path: Path, field_count: int, chunk: int = CHUNK) -> Scan:
    """Hash the file and check the structure of every record.

    Args:
        path: a CSV file whose header is its first line and was accepted.
        field_count: number of columns in the header.
        chunk: bytes read at a time.
    """
    digest = hashlib.sha256()
    structure = _Structure(field_count)
    irregular: str | None = None
    pending = bytearray()
    with path.open("rb") as stream:
        first = True
        while data := stream.read(chunk):
            digest.update(data)
            if irregular is not None:
                continue
            if first and data.startswith(BOM):
                data = data[len(BOM) :]
            first = False
            cut = data.rfind(b"\n") + 1
            pending += data[:cut] if cut else data
            try:
                if cut:
                    structure.add(bytes(pending))
                    pending = bytearray(data[cut:])
                elif len(pending) > LONGEST_LINE:
                    raise _IrregularError("a line of more than 64 MiB")
            except _IrregularError as problem:
                irregular = str(problem)
                pending = bytearray()
    if irregular is None:
        try:
            structure.finish(bytes(pending))
        except _IrregularError as problem:
            irregular = str(problem)
    return Scan(
        digest.hexdigest(),
        irregular,
        structure.rows - 1,
        structure.longest,
    )


class _Structure:
    """Checks consecutive blocks, each of them ending in LF."""

    def __init__(self, field_count: int) -> None:
        self.field_count = field_count
        self.rows = 0
        self.longest = 0
        self.line_ends = 0
        self.crlf = 0
        self.in_quotes = False
        self.open_commas = 0
        self.open_bytes = 0

    def finish(self, rest: bytes) -> None:
        """Check what follows the last LF, and that nothing is left open."""
        if rest:
            if b"\r" in rest:
                raise _IrregularError("a carriage return in the last line")
            self.add(rest + b"\n", is_line_end_delivered=False)
        if self.in_quotes:
            raise _IrregularError("an unclosed quote")
        if self.crlf not in (0, self.line_ends):
            raise _IrregularError("both LF and CRLF as line ends")

    def add(self, block: bytes, is_line_end_delivered: bool = True) -> None:
        _check_text(block)
        data = np.frombuffer(block, dtype=np.uint8)
        outside = self._outside_quotes(block, data)
        line_feed = data == _LF
        line_end = line_feed if outside is None else line_feed & outside
        ends = np.flatnonzero(line_end)
        self._check_carriage_returns(block, data, outside, ends, is_line_end_delivered)
        line_end[self._empty_lines(data, ends)] = False
        self._check_fields(data, outside, line_end)

    def _outside_quotes(self, block: bytes, data: Bytes) -> Mask | None:
        """Which bytes are outside quotes; nothing where all of them are."""
        if b'"' not in block:
            return np.zeros(len(data), dtype=bool) if self.in_quotes else None
        is_quote = data == _QUOTE
        quotes = np.flatnonzero(is_quote)
        opening = (np.arange(len(quotes)) % 2 == 0) != self.in_quotes
        before = data[quotes[opening] - 1]
        # Byte -1 wraps around to the block's last one, the LF before this block.
        if not np.isin(before, (_COMMA, _LF, _QUOTE)).all():
            raise _IrregularError("a quote inside an unquoted field")
        closing = quotes[~opening]
        after = data[closing + 1]
        is_closed = np.isin(after, (_COMMA, _LF, _QUOTE))
        crlf = closing[after == _CR]
        if not (is_closed | (after == _CR)).all() or not (data[crlf + 2] == _LF).all():
            raise _IrregularError("text after a closing quote")
        parity = np.cumsum(is_quote, dtype=np.uint8) & 1
        outside: Mask = parity == int(self.in_quotes)
        if len(quotes) % 2:
            self.in_quotes = not self.in_quotes
        return outside

    def _check_carriage_returns(
        self,
        block: bytes,
        data: Bytes,
        outside: Mask | None,
        ends: Positions,
        is_line_end_delivered: bool,
    ) -> None:
        if is_line_end_delivered:
            self.line_ends += len(ends)
        if b"\r" not in block:
            return
        returns = data == _CR
        if outside is not None:
            returns &= outside
        positions = np.flatnonzero(returns)
        if not (data[positions + 1] == _LF).all():
            raise _IrregularError("a lone carriage return")
        self.crlf += len(positions)

    def _empty_lines(self, data: Bytes, ends: Positions) -> Positions:
        """Where empty lines end, which are no records; notes the longest record too."""
        if not len(ends):
            self.open_bytes += len(data)
            return ends
        lengths = np.diff(ends, prepend=-1)
        lengths[0] += self.open_bytes
        self.open_bytes = len(data) - 1 - int(ends[-1])
        self.longest = max(self.longest, int(lengths.max()))
        crlf_only = (lengths == 2) & (data[ends - 1] == _CR)
        empty: Positions = ends[(lengths == 1) | crlf_only]
        # DuckDB takes an empty line for a record where there is a single column.
        if len(empty) and self.field_count == 1:
            raise _IrregularError("an empty line")
        return empty

    def _check_fields(self, data: Bytes, outside: Mask | None, line_end: Mask) -> None:
        separator = data == _COMMA
        if outside is not None:
            separator &= outside
        separator |= line_end
        kinds = data[separator]
        ends = np.flatnonzero(kinds == _LF)
        count = self.field_count
        expected = np.arange(1, len(ends) + 1) * count - 1 - self.open_commas
        if not np.array_equal(ends, expected):
            raise _IrregularError("a wrong number of fields")
        if len(ends):
            self.open_commas = len(kinds) - 1 - int(ends[-1])
        else:
            self.open_commas += len(kinds)
        self.rows += len(ends)


def _check_text(block: bytes) -> None:
    if b"\0" in block:
        raise _IrregularError("a NUL byte")
    if not block.isascii():
        try:
            block.decode()
        except UnicodeDecodeError:
            raise _IrregularError("invalid UTF-8") from None
