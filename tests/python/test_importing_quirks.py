"""What exports are really like: times, encodings, broken files; what is refused, and why."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import duckdb
import pytest
from click.testing import CliRunner
from conftest import PROJECT
from importing_helpers import as_csv, files_of, imported, picked, rows_of, written
from nps_warehouse.cli import main
from nps_warehouse.importing import raw_folder
from nps_warehouse.importing.encodings import GUESSED
from nps_warehouse.importing.mapping import load_mapping
from nps_warehouse.importing.refusal import ImportRefusedError
from nps_warehouse.importing.time_formats import (
    BLANKS,
    compile_format,
    instant_sql,
    parts_sql,
    written_sql,
)
from nps_warehouse.importing.units import summed_sql
from nps_warehouse.landing import sql
from nps_warehouse.landing.land import land

HEADER = "response_id,score,responded_at,comment\n"


def read_time(text: str, pattern: str, zone: str, last: int | None = None) -> str | None:
    """What the importer writes for a text in a format; None where it is not in the format."""
    format_ = compile_format(pattern, last)
    with duckdb.connect() as connection:
        parts = parts_sql("x", format_)
        instant = instant_sql("x", "p", format_, zone)
        row = connection.execute(
            f"with a as (select x, {parts} as p from (select {sql.text(text)} as x)), "
            f"b as (select *, {instant} as i from a) "
            f"select case when i is not null then {written_sql('x', 'p', 'i', format_)} end from b"
        ).fetchone()
    assert row is not None
    return None if row[0] is None else str(row[0])


# Q50, Q51, Q54, Q55 and Q57 of figures/export_quirks.csv: declared, never guessed.
@pytest.mark.parametrize(
    ("text", "pattern", "zone", "expected"),
    [
        ("1/9/21", "%d/%m/%y", "UTC", "2021-09-01"),
        ("1/9/21", "%m/%d/%y", "UTC", "2021-01-09"),
        ("25/12/2021", "%d/%m/%y", "UTC", None),
        ("1/1/50", "%d/%m/%y", "UTC", "1950-01-01"),
        ("1/1/49", "%d/%m/%y", "UTC", "2049-01-01"),
        ("31/02/2021", "%d/%m/%Y", "UTC", None),
        ("29/02/2024", "%d/%m/%Y", "UTC", "2024-02-29"),
        ("42075", "excel_serial", "Europe/Berlin", "2015-03-12"),
        ("42075.5", "excel_serial", "Europe/Berlin", "2015-03-12T11:00:00Z"),
        ("0", "excel_serial", "UTC", None),
        ("1e400", "excel_serial", "UTC", None),
        ("202104", "%Y%m", "UTC", "2021-04-01"),
        ("202113", "%Y%m", "UTC", None),
        ("2015", "%Y", "UTC", "2015-01-01"),
        ("2024-01-31 2400", "%Y-%m-%d %H%M", "UTC", "2024-02-01T00:00:00Z"),
        ("2024-01-31 1653", "%Y-%m-%d %H%M", "UTC", "2024-01-31T16:53:00Z"),
        ("2024-01-31 2401", "%Y-%m-%d %H%M", "UTC", None),
        ("2024-01-31 2561", "%Y-%m-%d %H%M", "UTC", None),
        ("31 Jan 2024 12.10 am", "%d %b %Y %I.%M %p", "UTC", "2024-01-31T00:10:00Z"),
        ("31 Jan 2024 12.10 pm", "%d %b %Y %I.%M %p", "UTC", "2024-01-31T12:10:00Z"),
        ("31 Jan 2024 13.10 pm", "%d %b %Y %I.%M %p", "UTC", None),
        ("31 Xan 2024 3.10 am", "%d %b %Y %I.%M %p", "UTC", None),
        ("12/31/1899 09:30:00 AM", "%m/%d/%Y %I:%M:%S %p", "UTC", "1899-12-31T09:30:00Z"),
        ("2024-07-01 10:00", "iso", "America/New_York", "2024-07-01T14:00:00Z"),
        ("2024-07-01T10:00:00.25+05:30", "iso", "America/New_York", "2024-07-01T04:30:00.25Z"),
        ("2024-07-01T10:00-0800", "iso", "UTC", "2024-07-01T18:00:00Z"),
        ("2024-07-01", "iso", "America/New_York", "2024-07-01"),
        ("01/07/2024", "iso", "UTC", None),
        # A doubled hour is the later instant.
        ("2024-10-27 02:30", "iso", "Europe/Berlin", "2024-10-27T01:30:00Z"),
        ("1704067200", "unix_seconds", "Europe/Berlin", "2024-01-01T00:00:00Z"),
        ("1704067200123", "unix_milliseconds", "UTC", "2024-01-01T00:00:00.123Z"),
        ("99999999999999999999", "unix_seconds", "UTC", None),
        ("5th Jan 2020", "%d %b %Y", "UTC", None),
    ],
)
def test_declared_format(text: str, pattern: str, zone: str, expected: str | None) -> None:
    last = 2049 if "%y" in pattern else None
    assert read_time(text, pattern, zone, last) == expected


def test_days_of_excel_by_its_own_epoch() -> None:
    # Independent of the engine: the date 42,075 days after 1899-12-30.
    expected = (dt.date(1899, 12, 30) + dt.timedelta(days=42075)).isoformat()
    assert read_time("42075", "excel_serial", "UTC") == expected


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("%d/%m/%y", "two_digit_years_up_to"),
        ("%d/%m", "no year"),
        ("%Y-%q", "%q"),
        ("%Y-%m-%d %I:%M", "belong together"),
        ("yyyy-mm-dd", "no year"),
        ("%Y %Y", "twice"),
        ("%Y-%d", "day without a month"),
    ],
)
def test_format_that_is_none(pattern: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compile_format(pattern)


def test_blanks_are_those_of_the_macros() -> None:
    assert BLANKS in (PROJECT / "macros" / "engine" / "text.sql").read_text()


@pytest.mark.parametrize(
    ("cells", "unit", "expected"),
    [
        (["90"], "seconds", "90"),
        (["100.50"], "seconds", "100.5"),
        (["1500", "500"], "milliseconds", "2"),
        (["1:02:03"], "clock", "3723"),
        (["62:03", " 0:07 "], "clock", "3730"),
        (["1:75"], "clock", "1:75"),
        (["1.5"], "minutes", "90"),
        (["10", ""], "seconds", "10"),
        (["", " "], "seconds", None),
        (["10", "-1"], "seconds", "10 + -1"),
        (["1e3"], "seconds", "1e3"),
    ],
)
def test_durations_are_exact_or_stay_as_they_came(
    cells: list[str], unit: str, expected: str | None
) -> None:
    with duckdb.connect() as connection:
        columns = ", ".join(f"{sql.text(cell)} as c{n}" for n, cell in enumerate(cells))
        query = summed_sql([f"c{n}" for n in range(len(cells))], unit)
        assert connection.execute(f"select {query} from (select {columns})").fetchone() == (
            expected,
        )


def mapping(folder: Path, column: str, extra: str = "", source: str = "") -> Path:
    """A mapping of the plain preset with its own responded_at."""
    return written(
        folder / "mine.yml",
        f"extends: plain_responses\n{extra}\nsources:\n  export: {{{source}}}\ntables:\n"
        f"  survey_responses:\n    columns:\n      responded_at: {column}\n",
    )


def test_cell_in_another_format_is_passed_on(tmp_path: Path) -> None:
    export = HEADER + "1,9,31/01/2024,\n2,9,January,\n3,9,,\n"
    rules = mapping(tmp_path, '{column: responded_at, format: "%d/%m/%Y"}')
    (result,) = imported(tmp_path / "raw", rules, written(tmp_path / "a.csv", export))
    assert picked(rows_of(tmp_path / "raw"), "responded_at") == [
        ("2024-01-31",),
        ("January",),
        ("",),
    ]
    assert "1 of 2 values are not in the declared format" in result.tables[0].notes[0]


def test_format_that_no_cell_has_is_refused(tmp_path: Path) -> None:
    export = HEADER + "".join(f"{n},9,0{n}-02-2024,\n" for n in range(1, 6))
    rules = mapping(tmp_path, '{column: responded_at, format: "%d/%m/%Y"}')
    with pytest.raises(ImportRefusedError) as refusal:
        imported(tmp_path / "raw", rules, written(tmp_path / "a.csv", export))
    text = str(refusal.value)
    assert "survey_responses.responded_at" in text
    assert "'01-02-2024', '02-02-2024', '03-02-2024'." in text
    assert "%d/%m/%Y %H:%M" in text
    assert not (tmp_path / "raw").exists()


def test_two_formats_that_read_a_text_differently_are_refused(tmp_path: Path) -> None:
    rules = mapping(tmp_path, '{column: responded_at, format: ["%d/%m/%Y", "%m/%d/%Y"]}')
    with pytest.raises(ImportRefusedError, match="fit the same texts"):
        load_mapping(str(rules))


@pytest.mark.parametrize(
    ("content", "source", "message"),
    [
        (b"", "", "it is empty"),
        (b"\r\n", "", r"it is empty \(2 bytes"),
        (b"version https://git-lfs.github.com/spec/v1\n", "", "git lfs pull"),
        ((HEADER + "1,9,2024-01-01,x\n").encode("utf-16"), "", "encoding: utf-16"),
        (b"PK\x03\x04rest", "", "format: excel"),
        (b"Score,response_id,score,responded_at\n1,2,3,4\n", "", "'Score' and 'score'"),
        (b"response_id;score;responded_at\n1;9;2024-01-01\n", "", "delimiter: ';'"),
        (HEADER.encode() + b"1,9\n2,9\n", "", "none of its 2 records"),
        (b"id,score,responded_at\n1,9,2024-01-01\n", "",
         r"no column 'response_id'.*There are 'id'"),
        (b"respnse_id,score,responded_at\n", "", "Did you mean 'respnse_id'"),
        (b"response_id,score,responded_at\n1,9,\xe9\n", "encoding: utf-8",
         "line 2 is not UTF-8"),
        # One line in UTF-8, one in cp1252.
        (HEADER.encode() + "1,9,2024-01-01,é\n".encode() + b"2,9,2024-01-01,\xe9t\xe9\n", "",
         "mixes encodings"),
        # 0x82 is é in cp850 and a control character in latin-1.
        (HEADER.encode() + b"1,9,2024-01-01,\xe8 \x82\n", "encoding: latin-1",
         "82 have no meaning"),
    ],
)  # fmt: skip
def test_refused_with_what_to_do(tmp_path: Path, content: bytes, source: str, message: str) -> None:
    rules = mapping(tmp_path, "{column: responded_at, format: iso}", source=source)
    with pytest.raises(ImportRefusedError, match=re.compile(message, re.DOTALL)):
        imported(tmp_path / "raw", rules, written(tmp_path / "a.csv", content))
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "cp1250", "cp932"])
def test_declared_encoding(tmp_path: Path, encoding: str) -> None:
    comment = {"cp1250": "Miejscowość", "cp932": "とても良い"}.get(encoding, "déjà “vu”")
    export = written(tmp_path / "a.csv", (HEADER + f"1,9,2024-01-01,{comment}\n").encode(encoding))
    rules = mapping(tmp_path, "{column: responded_at, format: iso}", source=f"encoding: {encoding}")
    imported(tmp_path / "raw", rules, export)
    assert picked(rows_of(tmp_path / "raw"), "comment") == [(comment,)]


@pytest.mark.parametrize(
    ("encoding", "comments"),
    [
        ("cp1251", ["Очень хорошо спасибо", "Долго ждал ответа"]),
        ("cp1250", ["zażółć gęślą jaźń", "Miejscowość bez zmian"]),
        ("cp932", ["とても良いサービスです", "待ち時間が長い"]),
    ],
)
def test_detected_encoding_is_said(tmp_path: Path, encoding: str, comments: list[str]) -> None:
    export = HEADER + "".join(f"{n},9,2024-01-01,{text}\n" for n, text in enumerate(comments * 5))
    path = written(tmp_path / "a.csv", export.encode(encoding))
    (result,) = imported(tmp_path / "raw", "plain_responses", path)
    assert picked(rows_of(tmp_path / "raw"), "comment") == [(text,) for text in comments * 5]
    assert result.sources[0].notes[0] == f"{encoding} (detected, not declared)"
    assert encoding in GUESSED


def test_encoding_that_only_people_can_tell_is_refused(tmp_path: Path) -> None:
    export = HEADER + "1,9,2024-01-01,Très bien même à l'étranger\n" * 5
    path = written(tmp_path / "a.csv", export.encode("cp1252"))
    # In cp1250, as likely by its letters, the same bytes are Trčs bien męme.
    with pytest.raises(ImportRefusedError, match=r"'Trčs' in cp1250.*'Très' in cp1252"):
        imported(tmp_path / "raw", "plain_responses", path)


# Q10
@pytest.mark.parametrize(
    ("source", "content", "comment", "repaired"),
    [
        ("encoding: latin-1, fallback_encoding: cp850", b"\xe8 \x82", "è é", 1),
        ("encoding: utf-8, fallback_encoding: cp1252", b"\xc3\xa9 \xe9\x93", "é é“", 2),
    ],
)
def test_mixed_code_pages_are_counted(
    tmp_path: Path, source: str, content: bytes, comment: str, repaired: int
) -> None:
    export = written(tmp_path / "a.csv", HEADER.encode() + b"1,9,2024-01-01," + content + b"\n")
    rules = mapping(tmp_path, "{column: responded_at, format: iso}", source=source)
    (result,) = imported(tmp_path / "raw", rules, export)
    assert picked(rows_of(tmp_path / "raw"), "comment") == [(comment,)]
    assert f"{repaired} characters repaired" in result.sources[0].notes[0]


def test_text_comes_through_as_it_is(tmp_path: Path) -> None:
    comments = [
        'fix \\""auto""',
        "#1\nline 2\r\nline 3",
        "=1+1",
        "日本語 🎉 مرحبا",
        "MiejscowoĹ›Ä‡",
        "NA",
    ]
    export = written(
        tmp_path / "a.csv",
        "\ufeff" + HEADER + "".join(
            f'{n}\u00a0,9,2024-01-01,"{text.replace(chr(34), chr(34) * 2)}"\n'
            for n, text in enumerate(comments)
        ),
    )  # fmt: skip
    imported(tmp_path / "raw", "plain_responses", export)
    assert picked(rows_of(tmp_path / "raw"), "comment") == [(text,) for text in comments]


def test_fast_and_slow_reading_agree(tmp_path: Path) -> None:
    rows = [[str(n), "9", "2024-01-01", f'say "{n}",\nplease'] for n in range(300)]
    fast = written(tmp_path / "a.csv", HEADER + as_csv(rows))
    # A lone carriage return in one more row leaves the whole file to the careful reader.
    slow = written(tmp_path / "b.csv", HEADER + as_csv(rows) + "x,9,2024-01-01,a\rb\n")
    imported(tmp_path / "fast", "plain_responses", fast)
    (result,) = imported(tmp_path / "slow", "plain_responses", slow)
    assert picked(rows_of(tmp_path / "fast"), "response_id", "comment") == [
        (row[0], row[3]) for row in rows
    ]
    assert len(result.sources[0].broken) == 1
    slow_files = files_of(tmp_path / "slow")
    assert next(iter(files_of(tmp_path / "fast").values())) in slow_files.values()


def test_broken_records_reach_the_warehouse_as_rejected_rows(tmp_path: Path) -> None:
    export = HEADER + '1,9,2024-01-01,good\n2,9\n3,9,2024-01-01,"never closed\n4,9,2024-01-01,x\n'
    (result,) = imported(tmp_path / "raw", "plain_responses", written(tmp_path / "a.csv", export))
    (made,) = result.tables
    assert (result.sources[0].rows, made.rows, len(made.broken)) == (3, 1, 2)
    for table in ("contacts.csv", "departments.csv"):
        (tmp_path / "raw" / table).write_bytes((PROJECT / "scripts/sample" / table).read_bytes())
    with duckdb.connect() as connection:
        assert land(connection, str(tmp_path / "raw")).errors == []
        rows = connection.execute(
            "select response_id, _line_error is not null from raw.survey_responses order by all"
        ).fetchall()
    assert rows == [("1", False), (None, True), (None, True)]


Cell = str | float | dt.datetime


def cell_xml(cell: Cell) -> str:
    if isinstance(cell, dt.datetime):
        # Days since Excel's epoch, in the style of a date and time.
        days = (cell - dt.datetime(1899, 12, 30)) / dt.timedelta(days=1)  # noqa: DTZ001
        return f'<c s="1"><v>{days!r}</v></c>'
    if isinstance(cell, float):
        return f"<c><v>{cell!r}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>'


def workbook(path: Path, rows: list[list[Cell]], sheet: str = "Data") -> Path:
    """A small .xlsx, written by hand."""
    cells = "".join(f"<row>{''.join(map(cell_xml, row))}</row>" for row in rows)
    main_ns = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}"><Relationship Id="rId1" '
            f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main_ns}" xmlns:r="{office}"><sheets>'
            f'<sheet name="{sheet}" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}"><Relationship Id="rId1" '
            f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/styles.xml",
            f'<styleSheet xmlns="{main_ns}"><cellXfs count="2"><xf numFmtId="0"/>'
            '<xf numFmtId="22"/></cellXfs></styleSheet>',
        )
        archive.writestr(
            "xl/worksheets/sheet1.xml",
            f'<worksheet xmlns="{main_ns}"><sheetData>{cells}</sheetData></worksheet>',
        )
    return path


# Q54 and Q74
def test_excel(tmp_path: Path) -> None:
    export = workbook(
        tmp_path / "a.xlsx",
        [
            ["My report"],
            ["ID", "NPS", "When", "Why"],
            ["a", 9.0, 42075.0, 12.0],
            ["7", 8.5, 42076.25, "no reason"],
        ],
    )
    rules = written(
        tmp_path / "mine.yml",
        "extends: plain_responses\ntimezone: UTC\nsources: {export: {skip_rows: 1}}\ntables:\n"
        "  survey_responses:\n    columns:\n      response_id: ID\n      score: NPS\n"
        "      responded_at: {column: When, format: excel_serial}\n      comment: Why\n",
    )
    imported(tmp_path / "raw", rules, export)
    columns = ("response_id", "score", "responded_at", "comment")
    assert picked(rows_of(tmp_path / "raw"), *columns) == [
        ("a", "9", "2015-03-12", "12"),
        ("7", "8.5", "2015-03-13T06:00:00Z", "no reason"),
    ]


def test_excel_dates_are_known_as_such(tmp_path: Path) -> None:
    moments = [dt.datetime(2024, 7, 1, 18, 30), dt.datetime(2024, 1, 1)]  # noqa: DTZ001
    export = workbook(
        tmp_path / "a.xlsx",
        [["response_id", "score", "responded_at"], ["a", 9.0, moments[0]], ["b", 0.0, moments[1]],
         ["c", 7.0, "1/2/24"]],
    )  # fmt: skip
    rules = written(
        tmp_path / "mine.yml",
        "extends: plain_responses\ntimezone: America/New_York\ntwo_digit_years_up_to: 2049\n"
        "tables:\n  survey_responses:\n    columns:\n"
        '      responded_at: {column: responded_at, format: "%m/%d/%y"}\n',
    )
    imported(tmp_path / "raw", rules, export)
    assert picked(rows_of(tmp_path / "raw"), "response_id", "responded_at") == [
        ("a", "2024-07-01T22:30:00Z"),
        # Midnight and a day are one number to Excel: it is the day.
        ("b", "2024-01-01"),
        ("c", "2024-01-02"),
    ]


def test_excel_number_that_lost_its_digits_is_refused(tmp_path: Path) -> None:
    export = workbook(tmp_path / "a.xlsx", [["response_id", "score"], [3074457347487777543.0, 9.0]])
    with pytest.raises(ImportRefusedError, match="keeps 15 digits"):
        imported(tmp_path / "raw", "plain_responses", export)


def test_nineteen_digits_stay(tmp_path: Path) -> None:
    export = HEADER + "3074457347487777543,9,2024-01-01,\n"
    imported(tmp_path / "raw", "plain_responses", written(tmp_path / "a.csv", export))
    assert picked(rows_of(tmp_path / "raw"), "response_id") == [("3074457347487777543",)]


def test_wide_years_become_rows(tmp_path: Path) -> None:
    rules = written(
        tmp_path / "mine.yml",
        "extends: plain_responses\nsources:\n  export:\n    empty: [NA]\n"
        "    unpivot: {columns: {NPS_2015: 2015, NPS_2016: 2016}, label: year, value: nps}\n"
        "tables:\n  survey_responses:\n    leave_out: [{no: score, because: not asked}]\n"
        "    columns:\n      response_id: {columns: [ACCT, year], joined_by: '-'}\n"
        '      score: nps\n      responded_at: {column: year, format: "%Y"}\n',
    )
    export = written(tmp_path / "a.csv", "ACCT,NPS_2015,NPS_2016\n7,0,NA\n8,na,10\n")
    (result,) = imported(tmp_path / "raw", rules, export)
    assert picked(rows_of(tmp_path / "raw"), "response_id", "score", "responded_at") == [
        ("7-2015", "0", "2015-01-01"),
        ("8-2016", "10", "2016-01-01"),
    ]
    assert result.tables[0].left_out == {"not asked": 2}


def test_key_of_the_row_tells_equal_rows_apart(tmp_path: Path) -> None:
    rules = written(
        tmp_path / "mine.yml",
        "extends: plain_responses\ntables:\n  survey_responses:\n    columns:\n"
        "      response_id: {row_hash: true}\n",
    )
    body = "x,9,2024-01-01,\nx,9,2024-01-01,\nx,8,2024-01-02,\n"
    imported(tmp_path / "raw", rules, written(tmp_path / "a.csv", HEADER + body))
    keys = [key for (key,) in picked(rows_of(tmp_path / "raw"), "response_id")]
    assert len(set(keys)) == 3
    # The same rows in a longer export have the same keys.
    more = written(tmp_path / "b.csv", HEADER + "x,7,2024-01-03,\n" + body)
    imported(tmp_path / "raw2", rules, more)
    assert set(keys) < {key for (key,) in picked(rows_of(tmp_path / "raw2"), "response_id")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("extends: plain_response", "Did you mean 'plain_responses'"),
        ("extends: plain_responses\ntimezone: Europe/Berln", "Did you mean 'Europe/Berlin'"),
        ("extends: plain_responses\ntabels: {}",
         "'tabels' is not allowed here. Did you mean 'tables'"),
        ("extends: plain_responses\ntables: {survey_responses: {columns: {scor: x}}}",
         "survey_responses.columns: 'scor' is not allowed here. Did you mean 'score'"),
        ("extends: plain_responses\ntables: {survey_responses: {columns: {score: {colum: x}}}}",
         "columns.score: 'colum' is not allowed here. Did you mean 'column'"),
        ("extends: plain_responses\ntables: {survey_responses: {columns: {score: null}}}",
         "score must be mapped"),
        ("extends: plain_responses\ntables: {survey_responses: {columns: {score: {}}}}",
         "exactly one of column, "),
        ("extends: plain_responses\nsources: {export: {header: qualtric}}",
         "Did you mean 'qualtrics'"),
        ("extends: plain_responses\nsources: {export: {encoding: utf-9}}", "no encoding"),
        ("name: a\nname: b", "stands twice"),
        ("a: [", "is no YAML"),
        ("name: a", "sources: is missing"),
    ],
)  # fmt: skip
def test_mapping_that_cannot_be_worked_with(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path / "mine.yml", text)
    with pytest.raises(ImportRefusedError, match=re.escape(message)) as refusal:
        load_mapping(str(path))
    assert "mine.yml" in str(refusal.value) or "plain_response" in message


def test_words_of_yaml_stay_words(tmp_path: Path) -> None:
    rules = written(
        tmp_path / "mine.yml",
        "extends: plain_responses\ntables:\n  survey_responses:\n    columns:\n"
        "      status: {column: comment, values: {no: dismissed, 0123: partial, 1.10: complete}}\n",
    )
    export = HEADER + "1,9,2024-01-01,NO\n2,9,2024-01-01,0123\n3,9,2024-01-01,1.10\n"
    imported(tmp_path / "raw", rules, written(tmp_path / "a.csv", export))
    assert picked(rows_of(tmp_path / "raw"), "status") == [
        ("dismissed",),
        ("partial",),
        ("complete",),
    ]


def test_other_form_of_the_table_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "raw" / "survey_responses.csv", HEADER)
    export = written(tmp_path / "a.csv", HEADER + "1,9,2024-01-01,\n")
    with pytest.raises(ImportRefusedError, match="mkdir survey_responses && mv"):
        imported(tmp_path / "raw", "plain_responses", export)


def test_folder_of_exports(tmp_path: Path) -> None:
    for number in (1, 2):
        written(tmp_path / "in" / f"{number}.csv", HEADER + f"{number},9,2024-01-0{number},\n")
    written(tmp_path / "in" / "notes.md", "not an export")
    written(tmp_path / "in" / ".hidden.csv", "not an export")
    results = imported(tmp_path / "raw", "plain_responses", tmp_path / "in")
    assert len(results) == 2
    assert picked(rows_of(tmp_path / "raw"), "response_id") == [("1",), ("2",)]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["tickets.csv"], "no file is the source ratings"),
        (["tickets.csv", "ticket_2.csv", "satisfaction_ratings.csv"], "all are the source tickets"),
        ([], "There are nothing"),
    ],
)
def test_files_that_make_no_export(tmp_path: Path, names: list[str], message: str) -> None:
    (tmp_path / "in").mkdir()
    for name in names:
        written(tmp_path / "in" / name, "id\n1\n")
    with pytest.raises(ImportRefusedError, match=message):
        imported(tmp_path / "raw", "zendesk", tmp_path / "in")


def test_one_bad_export_of_many_leaves_nothing(tmp_path: Path) -> None:
    good = written(tmp_path / "a.csv", HEADER + "1,9,2024-01-01,\n")
    imported(tmp_path / "raw", "plain_responses", good)
    before = files_of(tmp_path / "raw")
    better = written(tmp_path / "b.csv", HEADER + "2,9,2024-01-02,\n")
    with pytest.raises(ImportRefusedError):
        imported(tmp_path / "raw", "plain_responses", better, written(tmp_path / "c.csv", "x\n"))
    assert files_of(tmp_path / "raw") == before


@pytest.mark.parametrize("failing", range(4))
def test_rename_that_fails_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    exports = [
        written(tmp_path / f"{n}.csv", HEADER + f"{n},9,2024-01-0{n},\n") for n in range(1, 4)
    ]
    imported(tmp_path / "raw", "plain_responses", exports[0])
    before = files_of(tmp_path / "raw")
    done = 0
    rename = Path.rename

    def counted(self: Path, target: str | Path) -> Path:
        nonlocal done
        if Path(target).name != raw_folder.JOURNAL and "raw" in self.parts:
            if done == failing:
                done += 1
                raise OSError("the disk is gone")
            done += 1
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", counted)
    with pytest.raises(OSError, match="the disk is gone"):
        imported(tmp_path / "raw", "plain_responses", *exports)
    assert files_of(tmp_path / "raw") == before


def test_killed_import_is_undone_by_the_next(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    old = written(raw / "survey_responses" / "old.csv", "old")
    work = raw / ".import-killed"
    kept = written(work / "kept", "older")
    raw_folder._write_journal(
        work, [(old, work / "old-0"), (work / "new", raw / "survey_responses" / "new.csv")], []
    )
    # Killed between the two renames.
    old.rename(work / "old-0")
    export = written(tmp_path / "a.csv", HEADER + "1,9,2024-01-01,\n")
    imported(raw, "plain_responses", export)
    assert old.read_text() == "old"
    assert not kept.exists()
    assert not any(name.startswith(".import") for name in files_of(raw))


def test_changed_mapping_replaces_what_the_export_gave_before(tmp_path: Path) -> None:
    export = written(tmp_path / "a.csv", HEADER + "1,9,01/02/2024,\n")
    for pattern in ("%d/%m/%Y", "%m/%d/%Y"):
        rules = mapping(tmp_path, f'{{column: responded_at, format: "{pattern}"}}')
        imported(tmp_path / "raw", rules, export)
    assert picked(rows_of(tmp_path / "raw"), "responded_at") == [("2024-01-02",)]


def command(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["import", *arguments])
    return result.exit_code, result.output


def test_command_shows_and_writes(tmp_path: Path) -> None:
    text = HEADER.replace("\n", ",Browser\n") + "1,9,2024-01-01,my number is 12345,Firefox\n"
    export = written(tmp_path / "a.csv", text)
    arguments = (str(export), "--mapping", "plain_responses", "--into", str(tmp_path / "raw"))
    status, output = command(*arguments, "--dry-run")
    assert status == 0
    assert "[18 characters]" in output
    assert "12345" not in output
    assert "left over in a.csv: 'Browser'" in output
    assert "Nothing was written" in output
    assert not (tmp_path / "raw").exists()
    status, output = command(*arguments)
    assert status == 0
    assert "1 rows" in output
    assert picked(rows_of(tmp_path / "raw"), "comment") == [("my number is 12345",)]


def test_command_refuses_with_its_status(tmp_path: Path) -> None:
    export = written(tmp_path / "a.csv", "")
    status, output = command(
        str(export), "--mapping", "plain_responses", "--into", str(tmp_path / "raw")
    )
    assert status == 65
    assert "refused, nothing was changed" in output
    assert "Traceback" not in output
    assert command(str(export))[0] == 2
    bad = ("--mapping", "plain_responses", "--into", str(tmp_path), "--exported-at", "soon")
    assert command(str(export), *bad)[0] == 2
