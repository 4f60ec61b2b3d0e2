"""Data broken by chance, the way files break: in transfer, by spreadsheets, by careless scripts."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

BOM = b"\xef\xbb\xbf"
SPLINTERS = [
    b'"', b'""', b",", b";", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xe2\x82", b"\xed\xa0\x80",
    b"\\", b"\x1a", BOM, b"\xc2\xa0", b"\xe2\x80\x8b", b"\xe2\x80\xa8", b"\xc2\x85", b"#", b"'",
    b"NULL", b"NaN", b"9.0", b"8.5", b"-1", b"11", b"1e1", b"\xd9\xa9", b"2025-02-31", b"\t",
    b"2025-03-30T02:30:00+01:00", b"1899-12-31", b"9" * 400, b"x" * 70_000, b'"\n' * 50,
]  # fmt: skip
ENCODINGS = ["latin-1", "cp1252", "cp850", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7"]

Mutation = Callable[[random.Random, bytes], bytes]


def _at(draw: random.Random, data: bytes) -> int:
    return draw.randrange(len(data) + 1)


def flip_bits(draw: random.Random, data: bytes) -> bytes:
    """Some bits turned over."""
    broken = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        if broken:
            broken[draw.randrange(len(broken))] ^= 1 << draw.randrange(8)
    return bytes(broken)


def cut_off(draw: random.Random, data: bytes) -> bytes:
    """The end is missing, as of a transfer that stopped."""
    return data[: _at(draw, data)]


def take_out(draw: random.Random, data: bytes) -> bytes:
    """A piece is missing."""
    at = _at(draw, data)
    return data[:at] + data[at + draw.randint(1, 40) :]


def put_in(draw: random.Random, data: bytes) -> bytes:
    """A splinter somewhere."""
    at = _at(draw, data)
    return data[:at] + draw.choice(SPLINTERS) + data[at:]


def replace_cell(draw: random.Random, data: bytes) -> bytes:
    """A cell gets another content."""
    lines = data.split(b"\n")
    line = draw.randrange(len(lines))
    cells = lines[line].split(b",")
    cells[draw.randrange(len(cells))] = draw.choice(SPLINTERS)
    lines[line] = b",".join(cells)
    return b"\n".join(lines)


def move_lines(draw: random.Random, data: bytes) -> bytes:
    """Lines swapped, repeated or lost."""
    lines = data.split(b"\n")
    one, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    match draw.randrange(3):
        case 0:
            lines[one], lines[other] = lines[other], lines[one]
        case 1:
            lines.insert(one, lines[other])
        case _:
            del lines[one]
    return b"\n".join(lines)


def change_line_ends(draw: random.Random, data: bytes) -> bytes:
    """All line ends of another kind, or some of them."""
    end = draw.choice([b"\r\n", b"\r", b"\n\n", b"\n\r"])
    if draw.random() < 0.5:
        return data.replace(b"\n", end)
    at = _at(draw, data)
    return data[:at] + data[at:].replace(b"\n", end)


def encode_anew(draw: random.Random, data: bytes) -> bytes:
    """Saved in another encoding, or read as one and saved again."""
    text = data.decode("utf-8", "replace")
    encoding = draw.choice(ENCODINGS)
    if draw.random() < 0.5:
        return text.encode(encoding, "replace")
    return data.decode("latin-1").encode("utf-8")


def rewrite_header(draw: random.Random, data: bytes) -> bytes:
    """Names in other case, with blanks, in other order, one lost or one more."""
    header, newline, rest = data.partition(b"\n")
    names = header.split(b",")
    at = draw.randrange(len(names))
    match draw.randrange(6):
        case 0:
            names = [name.upper() for name in names]
        case 1:
            names[at] = b" \xc2\xa0" + names[at] + b"\xe2\x80\x8b"
        case 2:
            draw.shuffle(names)
        case 3:
            del names[at]
        case 4:
            names.insert(at, draw.choice([b"extra", b"", names[at], b"_source_row"]))
        case _:
            return BOM + data
    return b",".join(names) + newline + rest


def shift_commas(draw: random.Random, data: bytes) -> bytes:
    """Another separator, in the whole file."""
    return data.replace(b",", draw.choice([b";", b"\t", b",,", b"|"]))


MUTATIONS: Sequence[tuple[Mutation, int]] = [
    (flip_bits, 4), (cut_off, 2), (take_out, 3), (put_in, 6), (replace_cell, 6), (move_lines, 3),
    (change_line_ends, 2), (encode_anew, 1), (rewrite_header, 2), (shift_commas, 1),
]  # fmt: skip


def broken(draw: random.Random, data: bytes) -> bytes:
    """The data after one to four mutations.

    Args:
        draw: the source of chance; equal states break equal data equally.
        data: a CSV file, or anything.
    """
    mutations, weights = zip(*MUTATIONS, strict=True)
    for mutation in draw.choices(mutations, weights, k=draw.randint(1, 4)):
        data = mutation(draw, data)
    return data


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


def _typed(draw: random.Random, cells: Sequence[str]) -> pa.Array:
    """Cells as a Parquet column of a type drawn by chance; null where one has no such value."""
    kind = draw.randrange(9)
    numbers = [_number(cell) for cell in cells]
    whole = [n if n is None or abs(n) < 2**53 else None for n in numbers]
    moments = [_moment(cell) for cell in cells]
    match kind:
        case 0:
            return pa.array(numbers, pa.float64())
        case 1:
            return pa.array([n if n is None else int(n) for n in _finite(whole)], pa.int64())
        case 2:
            zone = draw.choice([None, "UTC", "Europe/Berlin"])
            shown = [m and (m.replace(tzinfo=UTC) if zone else m) for m in moments]
            return pa.array(shown, pa.timestamp(draw.choice(["ms", "us"]), zone))
        case 3:
            return pa.array([m and m.date() for m in moments], pa.date32())
        case 4:
            return pa.array([cell.encode("utf-8") for cell in cells], pa.binary())
        case 5:
            return pa.array(cells, pa.string()).dictionary_encode()
        case 6:
            exact = [n if n is None else Decimal(str(round(n, 2))) for n in _finite(whole)]
            return pa.array(exact, pa.decimal128(20, 2))
        case 7:
            return pa.array([{"true": True, "false": False}.get(cell.lower()) for cell in cells])
        case _:
            return pa.array(cells, pa.large_string())


def _finite(numbers: Sequence[float | None]) -> list[float | None]:
    return [n if n is not None and abs(n) < 1e15 else None for n in numbers]


def write_parquet(
    draw: random.Random, path: Path, rows: Sequence[Mapping[str, str]], typed: float
) -> None:
    """Write rows as Parquet, with columns lost, renamed in case, added and of other types.

    Args:
        draw: the source of chance.
        path: of the file.
        rows: texts by column.
        typed: share of columns that are not text.
    """
    names = list(rows[0])
    draw.shuffle(names)
    if draw.random() < 0.1:
        names.pop()
    columns: dict[str, Any] = {}
    for name in names:
        cells = [row[name] for row in rows]
        shown = name.upper() if draw.random() < 0.1 else name
        columns[shown] = _typed(draw, cells) if draw.random() < typed else pa.array(cells)
    if draw.random() < 0.1:
        columns["extra"] = pa.array([[1]] * len(rows))
    pq.write_table(
        pa.table(columns),
        path,
        compression=draw.choice(["none", "snappy", "zstd", "gzip"]),
        row_group_size=draw.choice([1, 7, 1000]),
        use_dictionary=draw.random() < 0.5,
    )
