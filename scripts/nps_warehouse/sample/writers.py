"""Writes raw tables as CSV or Parquet, piece by piece and always with the same bytes.

CSV is put together from pyarrow's text columns: its own CSV writer quotes every text, which makes
the files a fifth larger.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nps_warehouse.sample.dirty import DirtyRow
from nps_warehouse.sample.tables import BIG, COLUMNS

_NEEDS_QUOTES = '[",\r\n]|^ | $'
BYTE_ORDER_MARK_TABLE, CRLF_TABLE = "customers", "follow_ups"
_FREE_TEXT = ("comment", "initiative_name", "channel", "scope_id")


class Writer(Protocol):
    """Takes the pieces of every table in order."""

    def write(self, table: str, data: Any) -> None:
        """Append rows, a pyarrow table with the contract's columns."""

    def write_dirty(self, rows: list[DirtyRow]) -> None:
        """Append planted rows of one table."""

    def close(self) -> None:
        """Finish all files."""


class CsvWriter:
    """One CSV file per table."""

    def __init__(self, folder: Path) -> None:
        """Open nothing yet.

        Args:
            folder: where the files go; it exists.
        """
        self._folder = folder
        self._files: dict[str, BinaryIO] = {}

    def write(self, table: str, data: Any) -> None:
        """Append rows, a pyarrow table with the contract's columns."""
        for batch in data.combine_chunks().to_batches():
            self._append(table, _csv_bytes(batch))

    def write_dirty(self, rows: list[DirtyRow]) -> None:
        """Append planted rows of one table."""
        for row in rows:
            self._append(row.table, row.csv_line())

    def close(self) -> None:
        """Finish all files."""
        for file in self._files.values():
            file.close()

    def _append(self, table: str, lines: bytes) -> None:
        file = self._files.get(table)
        if file is None:
            file = self._files[table] = (self._folder / f"{table}.csv").open("wb")
            if table == BYTE_ORDER_MARK_TABLE:
                file.write(b"\xef\xbb\xbf")
            lines = ",".join(COLUMNS[table]).encode() + b"\n" + lines
        # No value of that table holds a newline, so that every one ends a record.
        file.write(lines.replace(b"\n", b"\r\n") if table == CRLF_TABLE else lines)


def _csv_bytes(batch: Any) -> bytes:
    texts = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        text = column.cast(pa.string())
        if name in _FREE_TEXT:
            doubled = pc.replace_substring(text, '"', '""')
            quoted = pc.binary_join_element_wise('"', doubled, '"', "")
            text = pc.if_else(pc.match_substring_regex(text, _NEEDS_QUOTES), quoted, text)
        texts.append(text)
    texts[-1] = pc.binary_join_element_wise(
        texts[-1], "\n", "", null_handling="replace", null_replacement=""
    )
    lines = pc.binary_join_element_wise(*texts, ",", null_handling="replace", null_replacement="")
    if not len(lines):
        return b""
    offsets = lines.buffers()[1].to_pybytes()
    first = int.from_bytes(offsets[lines.offset * 4 : lines.offset * 4 + 4], "little")
    end = (lines.offset + len(lines)) * 4
    last = int.from_bytes(offsets[end : end + 4], "little")
    return bytes(memoryview(lines.buffers()[2])[first:last])


class ParquetWriter:
    """A folder of Parquet files per big table, one file per small one.

    Good rows carry real types. Dirty rows need text: they are a part of their own in a big table's
    folder, and turn a small table into text.
    """

    def __init__(self, folder: Path, blocks_per_part: int = 10) -> None:
        """Open nothing yet.

        Args:
            folder: where the files go; it exists.
            blocks_per_part: how many pieces of a big table make one part file.
        """
        self._folder = folder
        self._blocks_per_part = blocks_per_part
        self._open: dict[str, Any] = {}
        self._pieces: dict[str, int] = {}
        self._small: dict[str, list[Any]] = {}

    def write(self, table: str, data: Any) -> None:
        """Append rows, a pyarrow table with the contract's columns."""
        if table not in BIG:
            self._small.setdefault(table, []).append(data)
            return
        data = _microseconds(data)
        piece = self._pieces.get(table, 0)
        if piece % self._blocks_per_part == 0:
            self._finish(table)
            path = self._folder / table / f"part-{piece // self._blocks_per_part:05d}.parquet"
            self._open[table] = _parquet_file(path, data.schema)
        self._open[table].write_table(data)
        self._pieces[table] = piece + 1

    def write_dirty(self, rows: list[DirtyRow]) -> None:
        """Append planted rows of one table."""
        rows = [r for r in rows if r.line is None]
        if not rows:
            return
        table = rows[0].table
        data = pa.table(
            {
                c: pa.array([r.values.get(c) or None for r in rows], pa.string())
                for c in COLUMNS[table]
            }
        )
        if table not in BIG:
            self._small.setdefault(table, []).append(data)
            return
        path = self._folder / table / "part-dirty.parquet"
        with _parquet_file(path, data.schema) as file:
            file.write_table(data)

    def close(self) -> None:
        """Finish all files."""
        for table in list(self._open):
            self._finish(table)
        for table, parts in self._small.items():
            same = all(p.schema == parts[0].schema for p in parts)
            data = pa.concat_tables([_microseconds(p) if same else _as_text(p) for p in parts])
            with _parquet_file(self._folder / f"{table}.parquet", data.schema) as file:
                file.write_table(data)

    def _finish(self, table: str) -> None:
        if table in self._open:
            self._open.pop(table).close()


def _parquet_file(path: Path, schema: Any) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    repeating = [
        f.name
        for f in schema
        if (pa.types.is_string(f.type) and not f.name.endswith("_id"))
        or f.name in ("agent_id", "department_id", "survey_id", "owner_agent_id")
    ]
    return pq.ParquetWriter(
        path, schema, compression="zstd", compression_level=1, use_dictionary=repeating
    )


def _microseconds(data: Any) -> Any:
    fields = [
        pa.field(f.name, pa.timestamp("us") if pa.types.is_timestamp(f.type) else f.type)
        for f in data.schema
    ]
    return data.cast(pa.schema(fields))


def _as_text(data: Any) -> Any:
    return data.cast(pa.schema([pa.field(f.name, pa.string()) for f in data.schema]))
