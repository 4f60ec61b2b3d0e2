"""Files of what is published: types, formulas, long tables, names; read by other libraries."""

from __future__ import annotations

import csv
import json
import stat
import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from nps_warehouse import exit_codes
from nps_warehouse.cli import main
from nps_warehouse.publishing import PublishingError
from nps_warehouse.publishing.excel import sheet_names
from nps_warehouse.publishing.export import MOST_ROWS, export_all
from python_calamine import CalamineWorkbook

# What a spreadsheet would calculate, fetch or start; OWASP, "CSV Injection".
FORMULAS = (
    "=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://example.com","x")',
    "=cmd|' /C calc'!A0", "'quoted",
)  # fmt: skip
HARMLESS = ("plain, with comma", 'a "quote"', "two\nlines", "http://example.com", "5", "a=b", "ñ😀")
TEXTS = (*FORMULAS, *HARMLESS)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A published file with a table of every type, and one of a long name."""
    file = tmp_path / "published" / "nps.duckdb"
    file.parent.mkdir()
    with duckdb.connect(str(file)) as connection:
        for statement in (
            "create schema marts",
            "create schema quality",
            (
                "create table quality.published_version as select 'v1' as version_id, 'r1' as "
                "run_id, timestamp '2026-03-02 02:00:00' as published_at, "
                "timestamp '2026-03-01 00:00:00' as as_of, 3::bigint as responses, "
                "-12.5::double as nps"
            ),
            (
                "create table marts.nps_by_period as select -12.5::double as nps, "
                "cast(-3 as bigint) as detractors, cast('-1.2500' as decimal(18, 4)) as target, "
                "date '2025-02-28' as period_start, "
                "timestamp '2025-02-28 23:59:58' as responded_at, "
                "true as is_reportable, null::varchar as note, 9007199254740993::bigint as large, "
                "'-inf'::double as without_end, date '1850-01-01' as long_ago"
            ),
            "comment on table marts.nps_by_period is 'One row per period'",
            "comment on column marts.nps_by_period.nps is '=Net Promoter Score'",
            "create table marts.comments (number integer, comment varchar)",
            "create table marts.a_table_with_a_very_long_name_1 as select 1 as one",
            "create table marts.a_table_with_a_very_long_name_2 as select 2 as two",
        ):
            connection.execute(statement)
        connection.executemany("insert into marts.comments values (?, ?)", enumerate(TEXTS))
    return file


def nps(published: Path, *arguments: str) -> Result:
    environment = {"NPS_PUBLISHED_DIR": str(published.parent)}
    return CliRunner(env=environment).invoke(main, ["export", *arguments])


def test_parquet_keeps_types(published: Path, tmp_path: Path) -> None:
    to = tmp_path / "deep" / "copies"
    done = nps(published, "--to", str(to), "--format", "parquet")
    assert done.exit_code == 0, done.output
    table = pq.read_table(to / "parquet" / "marts" / "nps_by_period.parquet")
    assert {field.name: field.type for field in table.schema} == {
        "nps": pa.float64(), "detractors": pa.int64(), "target": pa.decimal128(18, 4),
        "period_start": pa.date32(), "responded_at": pa.timestamp("us"),
        "is_reportable": pa.bool_(), "note": pa.string(), "large": pa.int64(),
        "without_end": pa.float64(),
        "long_ago": pa.date32(),
    }  # fmt: skip
    assert table.to_pylist()[0]["target"] == Decimal("-1.2500")
    assert table.to_pylist()[0]["large"] == 9007199254740993
    texts = pq.read_table(to / "parquet" / "marts" / "comments.parquet").column("comment")
    assert tuple(texts.to_pylist()) == TEXTS
    assert json.loads((to / "version.json").read_text())["version_id"] == "v1"


def test_csv_has_no_formulas_and_its_numbers_are_numbers(published: Path, tmp_path: Path) -> None:
    assert nps(published, "--to", str(tmp_path), "--format", "csv").exit_code == 0
    folder = tmp_path / "csv" / "marts"
    with (folder / "comments.csv").open(encoding="utf-8", newline="") as stream:
        cells = [row["comment"] for row in csv.DictReader(stream)]
    assert cells == [*(f"'{text}" for text in FORMULAS), *HARMLESS]
    with (folder / "nps_by_period.csv").open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row == {
        "nps": "-12.5", "detractors": "-3", "target": "-1.2500", "period_start": "2025-02-28",
        "responded_at": "2025-02-28 23:59:58", "is_reportable": "true", "note": "",
        "large": "9007199254740993", "without_end": "-inf", "long_ago": "1850-01-01",
    }  # fmt: skip


def test_a_workbook_has_typed_cells_and_describes_itself(published: Path, tmp_path: Path) -> None:
    done = nps(published, "--to", str(tmp_path), "--format", "xlsx")
    assert done.exit_code == 0, done.output
    file = tmp_path / "xlsx" / "nps.xlsx"
    book = CalamineWorkbook.from_path(str(file))
    assert book.sheet_names == [
        "contents", "columns", "a_table_with_a_very_long_name_1", "a_table_with_a_very_long_name_2",
        "comments", "nps_by_period",
    ]  # fmt: skip
    contents = book.get_sheet_by_name("contents").to_python()
    assert contents[0] == ["sheet", "table", "rows", "description"]
    assert contents[-1] == ["nps_by_period", "marts.nps_by_period", 1, "One row per period"]
    assert ["nps_by_period", "nps", "double", "=Net Promoter Score"] in book.get_sheet_by_name(
        "columns"
    ).to_python()
    header, cells = book.get_sheet_by_name("nps_by_period").to_python()
    assert dict(zip(header, cells, strict=True)) == {
        "nps": -12.5, "detractors": -3, "target": -1.25, "period_start": date(2025, 2, 28),
        "responded_at": datetime.fromisoformat("2025-02-28 23:59:58"), "is_reportable": True,
        "note": "", "large": "9007199254740993", "without_end": "-inf", "long_ago": "1850-01-01",
    }  # fmt: skip
    rows = book.get_sheet_by_name("comments").to_python()[1:]
    # XML has no carriage return of its own: Excel's escape of it is read back by Excel alone.
    assert [str(row[1]).replace("_x000D_", "\r") for row in rows] == list(TEXTS)
    with zipfile.ZipFile(file) as archive:
        sheets = [archive.read(name).decode() for name in archive.namelist() if "sheet" in name]
    assert not any("<f>" in sheet or 'r:id="rId' in sheet for sheet in sheets[:6])
    assert sum('state="frozen"' in sheet and "<autoFilter" in sheet for sheet in sheets) == 6


def test_names_of_sheets_are_short_and_differ() -> None:
    names = sheet_names(["contents", "History", "A" * 40, "a" * 40, "a" * 31, "x"])
    assert names == [
        "contents~2", "History~2", "A" * 31, "a" * 29 + "~2", "a" * 29 + "~3", "x",
    ]  # fmt: skip


def test_the_same_version_is_the_same_bytes(published: Path, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        export_all(published, tmp_path / folder, ["xlsx", "csv", "parquet"])
    for file in (tmp_path / "one").rglob("*.*"):
        again = tmp_path / "two" / file.relative_to(tmp_path / "one")
        assert file.read_bytes() == again.read_bytes()
    for path in (tmp_path / "one").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o750 if path.is_dir() else 0o640)


def test_a_table_too_long_for_a_sheet_is_refused_not_cut(published: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(published)) as connection:
        connection.execute(f"create table marts.long as select range from range({MOST_ROWS + 1})")
    to = tmp_path / "to"
    refused = nps(published, "--to", str(to), "--format", "xlsx", "--format", "csv")
    assert refused.exit_code == exit_codes.BAD_INPUT
    assert "marts.long has 1,048,576 rows" in refused.output
    assert "Parquet or CSV" in refused.output
    assert not to.exists()
    done = nps(published, "--to", str(to), "--format", "xlsx", "--table", "marts.nps_*")
    assert done.exit_code == 0
    with pytest.raises(PublishingError, match=r"no table 'marts\.nothing'"):
        export_all(published, to, ["csv"], ["marts.nothing"])


def test_texts_longer_than_a_cell_are_cut_and_counted(published: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(published)) as connection:
        connection.execute("insert into marts.comments values (99, repeat('a', 40000))")
    done = nps(published, "--to", str(tmp_path), "--format", "xlsx", "--table", "marts.comments")
    assert "1 texts were longer" in done.output
    rows = CalamineWorkbook.from_path(str(tmp_path / "xlsx" / "nps.xlsx")).get_sheet_by_name(
        "comments"
    )
    assert rows.to_python()[-1] == [99, "a" * 32_767]


def test_a_file_that_fails_leaves_those_that_were_there(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nps_warehouse.publishing import export

    to = tmp_path / "to"
    export_all(published, to, ["csv", "xlsx"])
    before = {file: file.read_bytes() for file in to.rglob("*.*")}
    with duckdb.connect(str(published)) as connection:
        connection.execute("update marts.nps_by_period set nps = 5")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "write_workbook", full)
    refused = nps(published, "--to", str(to), "--format", "csv", "--format", "xlsx")
    assert refused.exit_code == exit_codes.UNREACHABLE
    assert "No space left" in refused.output
    assert {file: file.read_bytes() for file in to.rglob("*.*")} == before


def test_names_of_tables_lead_nowhere_else(published: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(published)) as connection:
        connection.execute('create table marts."../../out" as select 1 as one')
        connection.execute('create table marts."x""; drop table y; --" as select 1 as one')
    refused = nps(published, "--to", str(tmp_path / "to"), "--format", "csv")
    assert refused.exit_code == exit_codes.BAD_INPUT
    assert not (tmp_path / "to").exists()
    refused = nps(published, "--to", str(tmp_path / "to"), "--format", "csv", "--version", "../x")
    assert (refused.exit_code, "is no id" in refused.output) == (exit_codes.BAD_INPUT, True)
    nothing = nps(tmp_path / "none" / "nps.duckdb", "--to", str(tmp_path), "--format", "csv")
    assert (nothing.exit_code, "publish first" in nothing.output) == (exit_codes.BAD_INPUT, True)
