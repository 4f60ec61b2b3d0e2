"""Both ways of reading CSV give the rows that Python's strict csv module gives."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from nps_warehouse.landing import csv_loader
from nps_warehouse.landing.contract import Column, Table
from nps_warehouse.landing.csv_loader import CsvFile, FastPathError, load_csv
from nps_warehouse.landing.csv_reader import read_header, read_records
from nps_warehouse.landing.csv_scan import scan
from nps_warehouse.landing.discover import SourceFile

Row = tuple[str | int | None, ...]

NAMES = ("a", "b", "c")


def reference(data: bytes, width: int) -> list[Row]:
    """Rows of a whole file in memory, by the csv module alone: fields, row number, reason."""
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    lines = [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    rows: list[Row] = []
    at = 0
    is_header = True
    while at < len(lines):
        consumed = 0

        def feed(start: int = at) -> Iterator[str]:
            nonlocal consumed
            for line in itertools.islice(lines, start, None):
                consumed += 1
                yield line.decode("latin-1")

        error = None
        fields: list[str] = []
        try:
            fields = next(csv.reader(feed(), strict=True))
        except csv.Error as problem:
            error = str(problem)
        first, last = at + 1, at + consumed
        block = b"".join(lines[at:last])
        at = last
        if error is None and not fields:
            continue
        if is_header:
            is_header = False
            continue
        reason = None
        if error is not None and "unexpected end" in error:
            reason = f"unclosed quote to the end of the file (line {first})"
        elif error is not None and last > first:
            reason = f"unclosed quote (lines {first}-{last})"
        elif b"\0" in block:
            reason = f"NUL byte (line {first})"
        elif not is_utf8(block):
            reason = f"invalid UTF-8 (line {first})"
        elif error is not None and "new-line" in error:
            reason = f"lone carriage return (line {first})"
        elif error is not None:
            reason = f"broken quotes (line {first})"
        elif len(fields) != width:
            reason = (
                f"wrong number of fields: {len(fields)} where the header has {width} (line {first})"
            )
        if reason is None:
            values = [field.encode("latin-1").decode() or None for field in fields]
            rows.append((*values, len(rows) + 1, None))
        else:
            rows.append((*[None] * width, len(rows) + 1, reason))
    return rows


def is_utf8(block: bytes) -> bool:
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


class Loader:
    """Loads bytes as a file with columns a, b, c; says which way was taken."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "t.csv"
        self.fallbacks = 0
        self.connection = duckdb.connect()
        self.connection.execute("set threads = 2")
        self.connection.execute("create schema raw")

    def file(self, data: bytes, width: int, chunk: int = 64) -> CsvFile:
        self.path.write_bytes(data)
        source = SourceFile("t", self.path, "t.csv", "csv", len(data))
        header = read_header(self.path, "t", "t.csv")
        assert len(header.names) == width
        assert header.plain
        return CsvFile(source, header, scan(self.path, width, chunk))

    def rows(self, file: CsvFile, fast: bool) -> list[Row]:
        width = len(file.header.names)
        table = Table("t", True, tuple(Column(n, "text", False) for n in NAMES[:width]))
        self.connection.execute('drop table if exists raw."_csv_t"')
        self.connection.execute(csv_loader.create_csv_table_sql("raw", table))
        try:
            count = load_csv(self.connection, 'raw."_csv_t"', table, file, fast)
        except FastPathError:
            self.fallbacks += 1
            return self.rows(file, fast=False)
        rows = self.connection.execute(
            'select * exclude (_source_file) from raw."_csv_t" order by _source_row'
        ).fetchall()
        assert count == len(rows)
        return rows


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> Loader:
    return Loader(tmp_path_factory.mktemp("csv"))


def header(width: int, line_end: bytes = b"\n") -> bytes:
    return ",".join(NAMES[:width]).encode() + line_end


PIECES = [
    b"a", b"1", b",", b",", b'"', b'"', b'""', b"\n", b"\n", b"\r", b"\r\n", b"\\", b" ", b"#",
    b"'", b"\t", "é😀".encode(), "\u200b\u00a0".encode(), b"\0", b"\xff", b"\xe2\x82", b"NULL",
    b'"a"', b'"a,""b\n"', b"=1", b"\xef\xbb\xbf",
]  # fmt: skip
FIELDS = [
    b"", b"a", b"1", b'""', b'"x"', b'"a,b"', b'"a""b"', b'""""', b'"a\nb"', b'"\n"', b'","',
    b"\\", b'"\\"', b"#", b" ", b" a ", "é😀".encode(), b"NULL", b"'", b'"a\r\nb"', b'"\r"',
    b'"\n\n"', b"\xc2\xa0", b"\t", b'"# "', b'"\\"",b"',
]  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    width=st.integers(1, 3),
    body=st.lists(st.sampled_from(PIECES), max_size=16).map(b"".join),
    line_end=st.sampled_from([b"\n", b"\r\n"]),
    bom=st.booleans(),
    chunk=st.sampled_from([4, 7, 64, 1024]),
)
@example(width=2, body=b"1,2,\n", line_end=b"\n", bom=False, chunk=64)
@example(width=2, body=b' "x",2\n', line_end=b"\n", bom=False, chunk=64)
@example(width=1, body=b"1\n\n2\n", line_end=b"\n", bom=False, chunk=64)
@example(width=2, body=b'1,"a\n2,"x",3\n4,5\n', line_end=b"\n", bom=False, chunk=64)
def test_any_bytes(
    loader: Loader, width: int, body: bytes, line_end: bytes, bom: bool, chunk: int
) -> None:
    data = (b"\xef\xbb\xbf" if bom else b"") + header(width, line_end) + body
    file = loader.file(data, width, chunk)
    expected = reference(data, width)
    assert loader.rows(file, fast=True) == expected
    assert loader.rows(file, fast=False) == expected


@st.composite
def regular_files(draw: st.DrawFn) -> tuple[int, bytes]:
    width = draw(st.integers(1, 3))
    line_end = draw(st.sampled_from([b"\n", b"\r\n"]))
    record = st.lists(st.sampled_from(FIELDS), min_size=width, max_size=width)
    records = draw(st.lists(record | st.just([b""]), min_size=1, max_size=12))
    body = line_end.join(b",".join(fields) for fields in records)
    return width, header(width, line_end) + body + draw(st.sampled_from([b"", line_end]))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(regular_files(), st.sampled_from([4, 7, 64, 1024]))
def test_well_formed_records(loader: Loader, delivered: tuple[int, bytes], chunk: int) -> None:
    width, data = delivered
    file = loader.file(data, width, chunk)
    expected = reference(data, width)
    assert loader.rows(file, fast=False) == expected
    assert loader.rows(file, fast=True) == expected
    if file.scan.irregular is None:
        assert file.scan.records == len(expected)
    else:
        last_line = data.rpartition(b"\n")[2]
        assert width == 1 or b"\r" in last_line
    assert loader.fallbacks == 0


def errors(path: Path, data: bytes, width: int = 3, longest: int = 1 << 26) -> list[str | None]:
    path.write_bytes(data)
    return [record.error for record in read_records(path, width, longest)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1,2\0,3", "NUL byte (line 3)"),
        (b"1,\xff,3", "invalid UTF-8 (line 3)"),
        (b"1,\xed\xa0\x80,3", "invalid UTF-8 (line 3)"),
        (b"1,2", "wrong number of fields: 2 where the header has 3 (line 3)"),
        (b"1,2,3,", "wrong number of fields: 4 where the header has 3 (line 3)"),
        (b"   ", "wrong number of fields: 1 where the header has 3 (line 3)"),
        (b'1,"2"x,3', "broken quotes (line 3)"),
        (b"1,2\r3,4", "lone carriage return (line 3)"),
    ],
)
def test_one_broken_line_is_one_row(tmp_path: Path, line: bytes, reason: str) -> None:
    data = b"a,b,c\n1,2,3\n" + line + b"\n4,5,6\n"
    assert errors(tmp_path / "t.csv", data) == [None, reason, None]


def test_unclosed_quote_is_one_row_to_the_end(tmp_path: Path) -> None:
    data = b'a,b,c\n1,2,3\n4,"5,6\n7,8,9\n1,2,3\n'
    reason = "unclosed quote to the end of the file (line 3)"
    assert errors(tmp_path / "t.csv", data) == [None, reason]


def test_unclosed_quote_that_meets_another_names_its_lines(tmp_path: Path) -> None:
    data = b'a,b,c\n1,"2,3\n4,5,6\n7,"8",9\n1,2,3\n'
    assert errors(tmp_path / "t.csv", data) == ["unclosed quote (lines 2-4)", None]


def test_unclosed_quote_is_held_to_the_longest_field(tmp_path: Path) -> None:
    data = b'a,b,c\n1,"2,3\n' + b"4,5,6\n" * 1000
    reason = "unclosed quote to the end of the file (line 2)"
    assert errors(tmp_path / "t.csv", data, longest=100) == [reason]


def test_line_without_end_is_one_row(tmp_path: Path) -> None:
    data = b"a,b,c\n1,2," + b"x" * 3_000_000 + b"\n4,5,6\n"
    reason = "line too long (line 2)"
    assert errors(tmp_path / "t.csv", data, longest=1000) == [reason, None]


def test_field_size_limit_of_the_csv_module_is_put_back(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    errors(tmp_path / "t.csv", b"a,b,c\n1,2,3\n")
    assert csv.field_size_limit() == before


@pytest.mark.parametrize("tail", [b"", b"broken\n"], ids=["fast", "slow"])
@pytest.mark.parametrize("size", [1_000_000, 20_000_000])
def test_great_field(loader: Loader, size: int, tail: bytes) -> None:
    comment = ("é, " * (size // 4)).strip()
    file = loader.file(b'a,b\n1,"' + comment.encode() + b'"\n2,x\n' + tail, 2, 1 << 20)
    assert (file.scan.irregular is None) == (tail == b"")
    rows = loader.rows(file, fast=True)
    assert rows[0] == ("1", comment, 1, None)
    assert rows[1] == ("2", "x", 2, None)


@pytest.mark.parametrize(
    "data",
    [
        b"a,b\n1,2\n", b"a,b\r\n1,2\r\n", b"a,b\n1,2", b"a,b\r\n1,2",
        b"\xef\xbb\xbfa,b\n1,2\n", b'"a","b"\n"1","2"\n',
    ],
)  # fmt: skip
def test_line_ends_mark_and_quotes_make_no_difference(loader: Loader, data: bytes) -> None:
    file = loader.file(data, 2)
    assert file.scan.irregular is None
    assert loader.rows(file, fast=True) == [("1", "2", 1, None)]


def test_empty_fields_are_null_and_blanks_stay(loader: Loader) -> None:
    data = b'a,b,c\n,"", \n " ",#,\\\n'
    assert loader.rows(loader.file(data, 3), fast=True) == [
        (None, None, " ", 1, None),
        (' " "', "#", "\\", 2, None),
    ]


def test_empty_lines_are_not_counted(loader: Loader) -> None:
    rows = loader.rows(loader.file(b"a,b\n\n1,2\n\n\n3,4\n\n", 2), fast=True)
    assert rows == [("1", "2", 1, None), ("3", "4", 2, None)]


def test_rows_of_a_large_file_are_numbered_in_file_order(loader: Loader) -> None:
    body = "".join(f'{n},"line\nof {n}",{n % 7}\n' for n in range(400_000))
    file = loader.file(b"a,b,c\n" + body.encode(), 3, 1 << 20)
    assert file.scan.irregular is None
    loader.rows(file, fast=True)
    wrong = loader.connection.execute(
        "select count(*) from raw._csv_t where a::bigint + 1 <> _source_row "
        "or b <> 'line' || chr(10) || 'of ' || a or c::bigint <> a::bigint % 7"
    ).fetchone()
    assert wrong == (0,)
