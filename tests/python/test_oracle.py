"""The oracle against cases small enough to be worked out by hand."""

# Instants are naive datetimes in UTC here, as the warehouse's timestamps are.
# ruff: noqa: DTZ001

import csv
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from oracle import SCORE_MARTS, ContractError, Warehouse
from oracle.periods import period
from oracle.score import Band, adjusted_wald, band_of, block, nps, standard_error, variance
from oracle.values import BAD, Clock, parse_boolean, parse_score, parse_seconds, trim, whole_number

Rows = Iterable[Mapping[str, object]]
Fact = dict[str, Any]

BANDS = (
    Band("needs_work", -100.0, 0.0),
    Band("good", 0.0, 50.0),
    Band("excellent", 50.0, 100.0),
)
SEEDS = {
    "nps_categories.csv": "score,category\n"
    + "".join(f"{score},detractor\n" for score in range(7))
    + "7,passive\n8,passive\n9,promoter\n10,promoter\n",
    "nps_bands.csv": "band,above,up_to\nneeds_work,-100,0\ngood,0,50\nexcellent,50,100\n",
    "channel_aliases.csv": "alias,channel\nphone,voice\nVoice,voice\nchat,chat\n",
    "excluded_responses.csv": (
        "response_id,reason,decided_by,decided_on\nlisted,survey sent twice,quality,2026-01-01\n"
    ),
    "languages.csv": "code,name\nen,English\nde,German\n",
}
REQUIRED_COLUMNS = {
    "survey_responses": ("response_id", "score", "responded_at"),
    "contacts": ("contact_id", "department_id", "channel", "started_at"),
    "departments": ("department_id", "department_name"),
}


class Folder:
    """A folder of raw tables under construction."""

    def __init__(self, root: Path) -> None:
        self.raw = root / "raw"
        self.seeds = root / "seeds"
        self.raw.mkdir()
        self.seeds.mkdir()
        for name, text in SEEDS.items():
            (self.seeds / name).write_text(text, encoding="utf-8")
        for name, columns in REQUIRED_COLUMNS.items():
            self.text(f"{name}.csv", ",".join(columns) + "\n")

    def text(self, name: str, text: str | bytes) -> None:
        """Writes a file byte for byte."""
        path = self.raw / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def table(self, name: str, rows: Rows, file: str | None = None) -> None:
        """Writes a CSV file with the columns of all the rows."""
        listed = list(rows)
        columns = list(dict.fromkeys(column for row in listed for column in row))
        for column in REQUIRED_COLUMNS.get(name, ()):
            if column not in columns:
                columns.append(column)
        path = self.raw / (file or f"{name}.csv")
        path.parent.mkdir(exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, columns)
            writer.writeheader()
            writer.writerows(listed)

    def read(self, **options: Any) -> Warehouse:
        """The oracle's reading of the folder."""
        return Warehouse.from_folder(self.raw, self.seeds, **options)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def answer(response_id: str, score: object, at: str = "2026-01-05", **more: object) -> Fact:
    return {"response_id": response_id, "score": score, "responded_at": at, **more}


def contact(contact_id: str, at: str = "2026-01-05", **more: object) -> Fact:
    defaults = {"department_id": "d1", "channel": "phone"}
    return {"contact_id": contact_id, "started_at": at, **defaults, **more}


def department(department_id: str, parent: str = "", **more: object) -> Fact:
    name = {"department_name": department_id.upper(), "parent_department_id": parent}
    return {"department_id": department_id, **name, **more}


def findings(rows: list[Fact]) -> list[tuple[str, str, int, str | None]]:
    return sorted(
        (row["table_name"], row["source_file"], row["source_row"], row["column_name"])
        for row in rows
    )


def rejected(warehouse: Warehouse) -> list[tuple[str, int, str | None]]:
    """Table, row and column of what was rejected, where each table is one file."""
    return [(table, row, column) for table, _, row, column in findings(warehouse.rejected_rows)]


def rejected_cells(warehouse: Warehouse) -> list[tuple[str, int, str | None]]:
    return [(table, row, column) for table, _, row, column in findings(warehouse.rejected_values)]


def over_all(warehouse: Warehouse, mart: str, survey_type: str = "all") -> list[Fact]:
    """The rows of a score mart over all time."""
    return [
        row
        for row in warehouse.score_mart(mart)
        if row["period_type"] == "all" and row["survey_type"] == survey_type
    ]


def counts(rows: list[Fact], *columns: str) -> dict[Any, tuple[int, int, int]]:
    """Detractors, passives and promoters by the given columns."""
    return {
        tuple(row[column] for column in columns) if len(columns) > 1 else row[columns[0]]: (
            row["detractors"],
            row["passives"],
            row["promoters"],
        )
        for row in rows
    }


# --- the score -------------------------------------------------------------------------------

# reference/score_cases.csv, whole; None: rejected.
SCORE_CASES = [
    ("9", 9),
    ("9.0", 9),
    ("10.0", 10),
    ("8.5", None),
    ("6.5", None),
    ("9.5", None),
    (" 9", 9),
    ("9\u00a0", 9),
    ("9\u200b", 9),
    ("\uff19", None),
    ("1e1", None),
    ("0x9", None),
    ("1_0", None),
    ("+9", None),
    ("09", None),
    ("-1", None),
    ("11", None),
    ("99", None),
    ("-2147483648", None),
    ("", None),
    ("NA", None),
    ("N/A", None),
    ("NaN", None),
    ("inf", None),
    ("null", None),
    ("10 - Very Likely >", 10),
    ("0 - < Very Unlikely", 0),
    ("10 - extremely likely", 10),
    ("8th", None),
    ("9,0", None),
    ("9/10", None),
    ("true", None),
    ("\u2b50\u2b50\u2b50\u2b50\u2b50", None),
    ("ten", None),
    ("0", 0),
    ("10", 10),
    ("7.0", 7),
    (" 10 ", 10),
    ("10 \u2013 extremely likely", 10),
    ("10-Extremely likely", 10),
    ("0.0", 0),
    ("9-10", None),
    ("10/10", None),
    ("100", None),
    ("1.0", 1),
    ("8.50", None),
    ("-0", None),
    ("\u0669", None),
    ("5 - ", None),
    ("3 -neutral", 3),
    ("2\n", 2),
]


@pytest.mark.parametrize(("raw", "score"), SCORE_CASES)
def test_score_text(raw: str, score: int | None) -> None:
    assert parse_score(trim(raw)) == (BAD if score is None else score)


def test_score_texts_from_file_to_fact(folder: Folder) -> None:
    folder.table(
        "survey_responses", [answer(str(i), raw) for i, (raw, _) in enumerate(SCORE_CASES)]
    )
    warehouse = folder.read()
    assert {fact["response_id"]: fact["score"] for fact in warehouse.responses} == {
        str(i): score for i, (_, score) in enumerate(SCORE_CASES) if score is not None
    }
    assert rejected(warehouse) == [
        ("survey_responses", i + 1, "score")
        for i, (_, score) in enumerate(SCORE_CASES)
        if score is None
    ]


def test_every_score_has_its_category(folder: Folder) -> None:
    folder.table("survey_responses", [answer(f"r{score}", score) for score in range(11)])
    facts = {fact["score"]: fact for fact in folder.read().responses}
    assert [facts[score]["nps_contribution"] for score in range(11)] == [-1] * 7 + [0] * 2 + [1] * 2
    assert (facts[6]["nps_category"], facts[7]["nps_category"]) == ("detractor", "passive")
    assert (facts[8]["nps_category"], facts[9]["nps_category"]) == ("passive", "promoter")


# --- statistics ------------------------------------------------------------------------------

# reference/nps_vectors.json: from the tests of the R package NPS 2.0.999,
# CV-1 from a CrossValidated answer; (D, Pa, P), then score, variance, standard error on -1..1.
PLAIN_VECTORS = [
    pytest.param((1, 2, 3), 1 / 3, 5 / 9, 0.304, id="R-1"),
    pytest.param((1, 0, 0), -1, 0, 0, id="R-2"),
    pytest.param((0, 1, 0), 0, 0, 0, id="R-3"),
    pytest.param((0, 0, 1), 1, 0, 0, id="R-4"),
    pytest.param((1, 0, 1), 0, 1, 0.707, id="R-5"),
]


@pytest.mark.parametrize(("given", "score", "var", "error"), PLAIN_VECTORS)
def test_score_variance_and_error(
    given: tuple[int, int, int], score: float, var: float, error: float
) -> None:
    assert nps(*given) == pytest.approx(100 * score, abs=1e-9)
    assert variance(*given) == pytest.approx(var, abs=1e-9)
    assert standard_error(*given) == pytest.approx(100 * error, abs=0.1)


def test_variance_of_shares() -> None:
    # CV-1: promoters 1/2, passives 1/3, detractors 1/6.
    assert variance(1 / 6, 1 / 3, 1 / 2) == pytest.approx(5 / 9, abs=1e-12)


# reference/nps_vectors.json, kinds scores and counts: BF-1 bigfunctions, DJ-1 django-nps,
# DL-1 Delighted; (D, Pa, P) and the score in points.
@pytest.mark.parametrize(
    ("given", "score"),
    [
        pytest.param((1, 1, 2), 25.0, id="BF-1"),
        pytest.param((20, 10, 70), 50.0, id="DJ-1"),
        pytest.param((5, 5, 10), 25.0, id="DL-1"),
    ],
)
def test_score_of_counts(given: tuple[int, int, int], score: float) -> None:
    assert nps(*given) == score


# reference/nps_vectors.json, kind adjusted_wald_x100: a port of R NPS, unclipped.
@pytest.mark.parametrize(
    ("given", "score", "centre", "error", "low", "high"),
    [
        pytest.param((30, 50, 120), 45.0, 44.334975, 5.203951, 34.1354, 54.5345, id="AW-1"),
        pytest.param((1, 2, 3), 33.3333, 22.222222, 24.982847, -26.7433, 71.1877, id="AW-3"),
        pytest.param((2, 0, 9), 63.6364, 50.0, 21.428571, 8.0008, 91.9992, id="AW-5"),
        pytest.param((0, 3, 0), 0.0, 0.0, 20.412415, -40.0076, 40.0076, id="AW-7"),
    ],
)
def test_adjusted_wald(
    given: tuple[int, int, int],
    score: float,
    centre: float,
    error: float,
    low: float,
    high: float,
) -> None:
    assert nps(*given) == pytest.approx(score, abs=1e-4)
    assert adjusted_wald(*given) == pytest.approx((centre, error, low, high), abs=1e-4)


def test_plain_and_published_error_differ() -> None:
    # reference/statistics.md, Score: [7, 9].
    assert standard_error(0, 1, 1) == pytest.approx(35.36, abs=0.005)
    assert adjusted_wald(0, 1, 1)[1] == pytest.approx(30.33, abs=0.005)


def test_covariance_is_in_the_error() -> None:
    # reference/peers_mistakes.md: p .4, d .3, n 500 is ±7.28, not ±5.88.
    assert 1.96 * standard_error(150, 150, 200) == pytest.approx(7.28, abs=0.005)


def test_block_is_clipped_and_complete() -> None:
    row = block(1, 0, 0, BANDS, 1)
    # Adjusted: .75, 1.5, 1.75 of 4: S = .25, Var = .625 - .0625, SE = .375.
    assert row["nps_standard_error"] == pytest.approx(37.5)
    assert (row["nps"], row["nps_ci_high"]) == (100.0, pytest.approx(25 + 1.959963984540054 * 37.5))
    many = block(0, 0, 30, BANDS, 30)
    assert many["nps_ci_low"] == -100.0
    assert list(many) == [
        "responses",
        "promoters",
        "passives",
        "detractors",
        "promoter_pct",
        "passive_pct",
        "detractor_pct",
        "nps",
        "nps_standard_error",
        "nps_ci_low",
        "nps_ci_high",
        "nps_band",
        "is_reportable",
    ]
    assert (many["is_reportable"], block(0, 0, 29, BANDS, 30)["is_reportable"]) == (True, False)


def test_all_passive_is_nought() -> None:
    # reference/peers_mistakes.md: [7, 8] is 0, not null.
    row = block(0, 2, 0, BANDS, 30)
    assert (row["nps"], row["passive_pct"], row["nps_band"]) == (0.0, 100.0, "needs_work")


@pytest.mark.parametrize(
    ("score", "band"),
    [
        (-100.0, "needs_work"),
        (-0.001, "needs_work"),
        (0.0, "needs_work"),
        (0.001, "good"),
        (50.0, "good"),
        (50.001, "excellent"),
        (100.0, "excellent"),
    ],
)
def test_bands_hold_their_upper_bound(score: float, band: str) -> None:
    assert band_of(score, BANDS) == band
    # In whatever order they are listed.
    assert band_of(score, BANDS[::-1]) == band


def test_totals_are_pooled_not_averaged(folder: Folder) -> None:
    # reference/nps_vectors.json TRAP-1: -27.451 pooled, 35 as a mean of scores.
    folder.table("departments", [department("d1")])
    folder.table("contacts", [contact("a", channel="chat"), contact("b", channel="phone")])
    folder.table(
        "survey_responses",
        [answer(f"a{i}", 10, "2026-01-05", contact_id="a") for i in range(2)]
        + [answer(f"b{i}", 3, "2026-02-05", contact_id="b") for i in range(50)]
        + [answer(f"c{i}", 8, "2026-02-05", contact_id="b") for i in range(30)]
        + [answer(f"d{i}", 9, "2026-02-05", contact_id="b") for i in range(20)],
    )
    warehouse = folder.read()
    assert {row["channel"]: row["nps"] for row in over_all(warehouse, "nps_by_channel")} == {
        "chat": 100.0,
        "voice": -30.0,
    }
    (total,) = over_all(warehouse, "nps_by_period")
    assert total["nps"] == pytest.approx(-27.451, abs=0.001)
    (year,) = [
        row
        for row in warehouse.score_mart("nps_by_period")
        if (row["period_type"], row["survey_type"]) == ("year", "all")
    ]
    assert (year["nps"], year["responses"]) == (total["nps"], 102)


# --- values ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "trimmed"),
    [
        ("\u200b\ufeff x y\u3000\u00a0", "x y"),
        ("\u2060x\u180e\u200f", "x"),
        ("\x00x\x1f", "x"),
        ("\u2003\u202f", ""),
        ("x\u200by", "x\u200by"),
    ],
)
def test_trim(raw: str, trimmed: str) -> None:
    assert trim(raw) == trimmed


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0.0),
        ("12.5", 12.5),
        ("1e3", BAD),
        ("-5", BAD),
        ("+5", BAD),
        ("NaN", BAD),
        ("5.", 5.0),
        (".5", 0.5),
        (".", BAD),
    ],
)
def test_seconds(text: str, value: object) -> None:
    assert parse_seconds(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("5", 5), ("2.0", 2), ("2.5", BAD), ("0", BAD), ("6", BAD), ("-1", BAD)],
)
def test_whole_numbers(text: str, value: object) -> None:
    assert whole_number(1, 5)(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("TRUE", True), ("Yes", True), ("1", True), ("false", False), ("NO", False), ("0", False)],
)
def test_booleans(text: str, value: bool) -> None:
    assert parse_boolean(text) is value
    assert parse_boolean(text + "x") is BAD


def clock(timezone: str = "UTC") -> Clock:
    return Clock(timezone, "2000-01-01", "2100-01-01", None)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-15", datetime(2026, 1, 15)),
        ("2026-01-15T10:20", datetime(2026, 1, 15, 10, 20)),
        ("2026-01-15 10:20:30", datetime(2026, 1, 15, 10, 20, 30)),
        ("2026-01-15 10:20:30.1234569", datetime(2026, 1, 15, 10, 20, 30, 123456)),
        ("2026-01-15 10:20:30,5", datetime(2026, 1, 15, 10, 20, 30, 500000)),
        ("2026-01-15T10:20Z", datetime(2026, 1, 15, 10, 20)),
        ("2026-01-15T10:20:30+02", datetime(2026, 1, 15, 8, 20, 30)),
        ("2026-01-15T10:20:30+0530", datetime(2026, 1, 15, 4, 50, 30)),
        ("2026-01-15T23:30:00-05:00", datetime(2026, 1, 16, 4, 30)),
        ("2024-02-29", datetime(2024, 2, 29)),
    ],
)
def test_timestamps(text: str, instant: datetime) -> None:
    assert clock().parse_in_range(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "01/15/2026",
        "2026-02-31",
        "2025-02-29",
        "2026-1-5",
        "2026-01-15T24:00",
        "2026-01-15T10:60",
        "2026-01-15T10:20:60",
        "2026-01-15T10",
        "2026-01-15  10:20",
        "2026-01-15T10:20:30+24:00",
        "2026-01-15T10:20:30 +02:00",
        "2026-01-15Z",
        "20260115",
        "42075",
        "0000-01-01",
        "1999-12-31T23:59:59",
        "2100-01-01T00:00:01",
        "\u0662\u0660\u0662\u0666-01-15",
    ],
)
def test_no_timestamps(text: str) -> None:
    assert clock().parse_in_range(text) is BAD


@pytest.mark.parametrize(
    ("timezone", "text", "instant"),
    [
        ("Europe/Berlin", "2026-01-15 00:30", datetime(2026, 1, 14, 23, 30)),
        ("Europe/Berlin", "2026-07-15 00:30", datetime(2026, 7, 14, 22, 30)),
        # 02:00-03:00 comes twice on 2025-10-26: at 00:30 and at 01:30 UTC; the later counts.
        ("Europe/Berlin", "2025-10-26 02:30", datetime(2025, 10, 26, 1, 30)),
        ("Europe/Berlin", "2025-10-26 02:30+02:00", datetime(2025, 10, 26, 0, 30)),
        # 02:00-03:00 does not exist on 2025-03-30: 02:30 becomes 03:30, 01:30 UTC.
        ("Europe/Berlin", "2025-03-30 02:30", datetime(2025, 3, 30, 1, 30)),
        ("America/New_York", "2025-11-02 01:30", datetime(2025, 11, 2, 6, 30)),
        ("America/New_York", "2025-03-09 02:30", datetime(2025, 3, 9, 7, 30)),
        # Lord Howe's gap is half an hour: 02:15 becomes 02:45 at +11:00.
        ("Australia/Lord_Howe", "2025-10-05 02:15", datetime(2025, 10, 4, 15, 45)),
        # Beirut's clock changes at midnight: 00:00 becomes 01:00 at +03:00.
        ("Asia/Beirut", "2025-03-30", datetime(2025, 3, 29, 22, 0)),
    ],
)
def test_local_times(timezone: str, text: str, instant: datetime) -> None:
    assert clock(timezone).parse(text) == instant


def test_a_day_ends_with_its_last_microsecond() -> None:
    berlin = clock("Europe/Berlin")
    assert berlin.end_of_day(date(2025, 10, 26)) == datetime(2025, 10, 26, 22, 59, 59, 999999)
    assert berlin.end_of_day(date(2025, 10, 25)) == datetime(2025, 10, 25, 21, 59, 59, 999999)


@pytest.mark.parametrize(
    ("period_type", "day", "start", "end"),
    [
        ("day", date(2026, 1, 1), date(2026, 1, 1), date(2026, 1, 1)),
        ("week", date(2026, 1, 1), date(2025, 12, 29), date(2026, 1, 4)),
        ("week", date(2025, 12, 29), date(2025, 12, 29), date(2026, 1, 4)),
        ("month", date(2024, 2, 29), date(2024, 2, 1), date(2024, 2, 29)),
        ("month", date(2025, 12, 31), date(2025, 12, 1), date(2025, 12, 31)),
        ("quarter", date(2026, 6, 30), date(2026, 4, 1), date(2026, 6, 30)),
        ("quarter", date(2026, 11, 1), date(2026, 10, 1), date(2026, 12, 31)),
        ("year", date(2026, 7, 1), date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_periods(period_type: str, day: date, start: date, end: date) -> None:
    assert period(period_type, day) == (start, end)


# --- reading ---------------------------------------------------------------------------------


def test_csv_as_it_comes(folder: Folder) -> None:
    folder.text(
        "survey_responses.csv",
        '\ufeff" Score ",Comment,RESPONSE_ID,responded_at,Browser\r\n'
        '9,"says ""fine"",\r\nand more \U0001f600 ",1234567890123456789,2026-01-05,x\r\n'
        "\r\n"
        "6,   ,b,2026-01-05,\r\n"
        f"7,{'x' * 1_000_000},c,2026-01-05,last without a newline",
    )
    facts = {fact["response_id"]: fact for fact in folder.read().responses}
    assert list(facts) == ["1234567890123456789", "b", "c"]
    comment = facts["1234567890123456789"]["raw_comment"]
    assert comment == 'says "fine",\r\nand more \U0001f600 '
    assert facts["b"]["raw_comment"] is None
    assert len(facts["c"]["raw_comment"]) == 1_000_000


def test_broken_lines_are_one_rejected_row_each(folder: Folder) -> None:
    folder.text(
        "survey_responses.csv",
        b"response_id,score,responded_at,comment\n"
        b"r1,9,2026-01-05,fine\n"
        b"r2,9,2026-01-05,one,too many\n"
        b"r3,9,2026-01-05\n"
        b"\n"
        b"r4,9,2026-01-05,a \x00 NUL\n"
        b"r5,9,2026-01-05,latin-1 \xe8\n"
        b'r6,9,2026-01-05,"two\nlines \xff"\n'
        b'r7,9,2026-01-05,"text"after\n'
        b"r8,9,2026-01-05,fine\n"
        b'r9,9,2026-01-05,"open\n'
        b"r10,9,2026-01-05,swallowed\n",
    )
    warehouse = folder.read()
    assert [fact["response_id"] for fact in warehouse.responses] == ["r1", "r8"]
    assert rejected(warehouse) == [("survey_responses", row, None) for row in (2, 3, 4, 5, 6, 7, 9)]
    (line,) = [row for row in warehouse.reconciliation if row["table_name"] == "survey_responses"]
    assert (line["rows_read"], line["accepted"], line["rejected"]) == (9, 2, 7)
    assert line["reconciles"]


def test_a_folder_of_files(folder: Folder) -> None:
    (folder.raw / "survey_responses.csv").unlink()
    folder.text("survey_responses/b.csv", "score,response_id,responded_at\n9,r1,2026-01-05\n")
    folder.text("survey_responses/a.csv", "response_id,score,responded_at\nr1,5,2026-01-06\n")
    folder.text("survey_responses/_late.csv", "response_id,score,responded_at\nx,1,2026-01-06\n")
    folder.text("survey_responses/.tmp.csv", "response_id,score,responded_at\ny,1,2026-01-06\n")
    warehouse = folder.read()
    assert [(fact["response_id"], fact["score"]) for fact in warehouse.responses] == [("r1", 9)]
    assert warehouse.superseded_rows == [
        {
            "table_name": "survey_responses",
            "record_key": "r1",
            "source_file": "survey_responses/a.csv",
            "source_row": 1,
            "superseded_by": "survey_responses/b.csv:1",
        }
    ]


def test_parquet_gives_what_csv_gives(folder: Folder, tmp_path: Path) -> None:
    rows = [
        answer("1", "9.0", "2026-01-05 10:00:00", contact_id="7", is_test="false"),
        answer("2", "8.5", "2026-01-05 10:00:00", contact_id="", is_test="false"),
        answer("3", "0.0", "2026-03-05 10:00:00", contact_id="8", is_test="true"),
    ]
    starts = ["2026-01-05T08:00:00Z", "2026-01-05T09:00:00.000001Z"]
    contacts = [
        contact(id_, at, handle_seconds="12.5", site="s1")
        for id_, at in zip(["7", "8"], starts, strict=True)
    ]
    folder.table("survey_responses", rows)
    folder.table("contacts", contacts)

    (tmp_path / "typed").mkdir()
    typed = Folder(tmp_path / "typed")
    for name in ("survey_responses", "contacts"):
        (typed.raw / f"{name}.csv").unlink()
    responses = pa.table(
        {
            "response_id": pa.array([1.0, 2.0, 3.0]),
            "score": pa.array([9.0, 8.5, 0.0]),
            "responded_at": pa.array(
                [datetime.fromisoformat(row["responded_at"]) for row in rows], pa.timestamp("ms")
            ),
            "contact_id": pa.array([7, None, 8], pa.int64()),
            # Tools without a null for booleans write numbers.
            "is_test": pa.array([0.0, 0.0, 1.0]),
        }
    )
    pq.write_table(responses, typed.raw / "survey_responses.parquet")
    started_at = [datetime.fromisoformat(start) for start in starts]
    more = pa.table(
        {
            "contact_id": pa.array(["7", "8"]),
            "department_id": pa.array(["d1", "d1"]).dictionary_encode(),
            "channel": pa.array(["phone", "phone"]),
            "started_at": pa.array(started_at, pa.timestamp("us", tz="UTC")),
            "handle_seconds": pa.array([12.5, 12.5]),
            "site": pa.array(["s1", "s1"]),
        }
    )
    pq.write_table(more, typed.raw / "contacts.parquet")

    options = {"timezone": "Europe/Berlin"}
    one, other = folder.read(**options), typed.read(**options)
    assert one.responses == other.responses
    assert one.contacts == other.contacts
    assert one.reconciliation == other.reconciliation
    assert [fact["responded_at"] for fact in one.responses] == [datetime(2026, 1, 5, 9)]
    assert rejected(one) == rejected(other) == [("survey_responses", 2, "score")]
    excluded = [
        [(row["record_key"], row["reason"]) for row in each.excluded_rows] for each in (one, other)
    ]
    assert excluded == [[("3", "test")]] * 2


def test_not_a_number_is_no_link_no_score_and_no_duration(folder: Folder) -> None:
    (folder.raw / "survey_responses.csv").unlink()
    nan = float("nan")
    columns: dict[str, list[Any]] = {
        "response_id": ["r1", "r2"],
        "score": [9.0, nan],
        "responded_at": [date(2026, 1, 5), date(2026, 1, 5)],
        "contact_id": [nan, 2.0],
        "csat_score": [nan, 5.0],
    }
    pq.write_table(pa.table(columns), folder.raw / "survey_responses.parquet")
    warehouse = folder.read()
    (fact,) = warehouse.responses
    assert (fact["source_contact_id"], fact["survey_type"]) == (None, "relational")
    assert fact["responded_at"] == datetime(2026, 1, 5)
    assert rejected(warehouse) == [("survey_responses", 2, "score")]
    assert rejected_cells(warehouse) == [("survey_responses", 1, "csat_score")]


def test_a_double_that_lost_digits_stops(folder: Folder) -> None:
    (folder.raw / "survey_responses.csv").unlink()
    columns: dict[str, list[Any]] = {
        "response_id": [2.0**53],
        "score": [9],
        "responded_at": ["2026-01-05"],
    }
    pq.write_table(pa.table(columns), folder.raw / "survey_responses.parquet")
    with pytest.raises(ContractError, match="response_id"):
        folder.read()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "0 bytes"),
        (b"\r\n", "no header"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS"),
        ("response_id,score,responded_at\n".encode("utf-16"), "UTF-16"),
        (b"response_id,score\nr1,9\n", "responded_at"),
        (b"response_id,score,SCORE ,responded_at\n", "two columns"),
    ],
)
def test_files_that_stop_a_build(folder: Folder, text: bytes, message: str) -> None:
    folder.text("survey_responses.csv", text)
    with pytest.raises(ContractError, match=message):
        folder.read()


def test_tables_that_stop_a_build(folder: Folder) -> None:
    folder.text("contacts/a.csv", "contact_id,department_id,channel,started_at\n")
    with pytest.raises(ContractError, match="contacts: there twice"):
        folder.read()
    (folder.raw / "contacts" / "a.csv").unlink()
    (folder.raw / "contacts.csv").unlink()
    with pytest.raises(ContractError, match="contacts: required"):
        folder.read()


def test_nothing_at_all_is_empty(folder: Folder) -> None:
    warehouse = folder.read()
    assert all(warehouse.score_mart(name) == [] for name in SCORE_MARTS)
    assert len(warehouse.reconciliation) == 12
    assert all(line["rows_read"] == 0 and line["reconciles"] for line in warehouse.reconciliation)
    assert warehouse.as_of is None


# --- row rules -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (answer(" \u200b", 9), "response_id"),
        (answer("r", ""), "score"),
        (answer("r", 11), "score"),
        (answer("r", 9, ""), "responded_at"),
        (answer("r", 9, "01/15/2026"), "responded_at"),
        (answer("r", 9, "1999-12-31"), "responded_at"),
        (answer("r", 9, status="unheard of"), "status"),
        (answer("r", 9, is_test="maybe"), "is_test"),
        (answer("r", 9, survey_type="other"), "survey_type"),
        # The first failing rule is named.
        (answer("", "n/a", "never"), "response_id"),
        (answer("r", "n/a", "never", status="odd"), "score"),
        (answer("r", 9, "never", status="odd"), "responded_at"),
        (answer("r", 9, status="odd", is_test="odd", survey_type="odd"), "status"),
        # A dismissed answer needs a moment, though no score.
        (answer("r", "", "", status="dismissed"), "responded_at"),
    ],
)
def test_rejected_answers(folder: Folder, row: Fact, column: str) -> None:
    folder.table("survey_responses", [answer("ok", 9), row])
    warehouse = folder.read()
    assert rejected(warehouse) == [("survey_responses", 2, column)]
    assert [fact["response_id"] for fact in warehouse.responses] == ["ok"]
    assert warehouse.rejected_values == []


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (contact(""), "contact_id"),
        (contact("c", ""), "started_at"),
        (contact("c", "2026-02-31"), "started_at"),
        (contact("c", "2026-01-05 10:00", ended_at="2026-01-05 09:59"), "ended_at"),
    ],
)
def test_rejected_contacts(folder: Folder, row: Fact, column: str) -> None:
    folder.table("contacts", [row])
    assert rejected(folder.read()) == [("contacts", 1, column)]


def test_a_contact_may_end_as_it_starts(folder: Folder) -> None:
    folder.table("contacts", [contact("c", "2026-01-05 10:00", ended_at="2026-01-05T10:00Z")])
    warehouse = folder.read()
    assert (len(warehouse.contacts), warehouse.rejected_rows) == (1, [])


def test_validity_and_ends_may_lie_out_of_range(folder: Folder) -> None:
    folder.table(
        "agent_assignments",
        [{"agent_id": "a", "valid_from": "1990-01-01", "valid_to": "9999-12-31"}],
    )
    folder.table(
        "initiatives",
        [{"initiative_id": "i", "started_on": "2026-01-05", "ended_on": "2199-01-01"}],
    )
    warehouse = folder.read(as_of="2026-02-01")
    assert (warehouse.rejected_rows, warehouse.rejected_values) == ([], [])


def test_bad_keys_and_codes_of_optional_tables(folder: Folder) -> None:
    folder.table("customer_revenue", [{"customer_id": "k", "month": "2026-01-02", "revenue": 5}])
    legs = [{"contact_id": "c", "leg_number": number} for number in ("0", "1", "2.0", "x")]
    folder.table("contact_legs", legs)
    folder.table(
        "agent_assignments",
        [{"agent_id": "a", "valid_from": "soon"}, {"agent_id": "", "valid_from": "2026-01-01"}],
    )
    folder.table(
        "survey_invitations",
        [
            {"invitation_id": "i1", "sent_at": "2026-01-01", "status": "lost"},
            {"invitation_id": "i2", "sent_at": "2026-01-01", "survey_type": "x"},
            {"invitation_id": "i3", "sent_at": "never", "status": "SENT"},
        ],
    )
    warehouse = folder.read()
    assert rejected(warehouse) == [
        ("agent_assignments", 1, "valid_from"),
        ("agent_assignments", 2, "agent_id"),
        ("contact_legs", 1, "leg_number"),
        ("contact_legs", 4, "leg_number"),
        ("customer_revenue", 1, "month"),
        ("survey_invitations", 1, "status"),
        ("survey_invitations", 2, "survey_type"),
    ]
    assert rejected_cells(warehouse) == [("survey_invitations", 3, "sent_at")]
    assert [(i["status"], i["sent_at"]) for i in warehouse.invitations] == [("sent", None)]


def test_bad_cells_become_null(folder: Folder) -> None:
    folder.table(
        "survey_responses",
        [
            answer(
                "r1",
                9,
                csat_score="6",
                effort_score="2.5",
                survey_channel="fax",
                language="xx",
                updated_at="yesterday",
                contact_id="nowhere",
            ),
            answer(
                "r2", 9, csat_score="5.0", effort_score="7", survey_channel=" SMS ", language="DE"
            ),
        ],
    )
    folder.table(
        "contacts",
        [
            contact(
                "c1",
                handle_seconds="1e3",
                hold_seconds="-5",
                queue_seconds="NaN",
                transfers="1.5",
                is_resolved="perhaps",
                ended_at="late",
            )
        ],
    )
    folder.table("customers", [{"customer_id": "k", "acquired_by": "tv", "customer_since": "1990"}])
    folder.table(
        "initiatives", [{"initiative_id": "i", "scope_type": "moon", "ended_on": "1999-01-01"}]
    )
    warehouse = folder.read()
    assert rejected_cells(warehouse) == [
        ("contacts", 1, "ended_at"),
        ("contacts", 1, "handle_seconds"),
        ("contacts", 1, "hold_seconds"),
        ("contacts", 1, "is_resolved"),
        ("contacts", 1, "queue_seconds"),
        ("contacts", 1, "transfers"),
        ("customers", 1, "acquired_by"),
        ("customers", 1, "customer_since"),
        ("initiatives", 1, "scope_type"),
        ("survey_responses", 1, "csat_score"),
        ("survey_responses", 1, "effort_score"),
        ("survey_responses", 1, "language"),
        ("survey_responses", 1, "survey_channel"),
        ("survey_responses", 1, "updated_at"),
    ]
    assert warehouse.rejected_rows == []
    first, second = warehouse.responses
    assert (first["csat_score"], first["survey_channel"], first["language"]) == (
        None,
        "unknown",
        "unknown",
    )
    assert (second["csat_score"], second["effort_score"]) == (5, 7)
    assert (second["survey_channel"], second["language"]) == ("sms", "de")
    assert warehouse.contacts[0]["handle_seconds"] is None


# --- the same key twice, sets, exclusions ----------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "score"),
    [
        # The newest updated_at counts, wherever it stands.
        ([(1, "2026-01-08"), (2, "2026-01-09"), (3, "2026-01-07")], 2),
        # Missing is older than any.
        ([(1, "2026-01-08"), (2, "")], 1),
        # Equal: the later row.
        ([(1, ""), (2, "")], 2),
        ([(1, "2026-01-08T00:00Z"), (2, "2026-01-08 01:00+01:00")], 2),
        # A rejected row takes no part.
        ([(1, "2026-01-08"), (11, "2026-01-09")], 1),
    ],
)
def test_the_newest_counts(folder: Folder, rows: list[tuple[int, str]], score: int) -> None:
    folder.table(
        "survey_responses", [answer(" r ", raw, updated_at=updated_at) for raw, updated_at in rows]
    )
    warehouse = folder.read()
    assert [fact["score"] for fact in warehouse.responses] == [score]
    winner = 1 + [raw for raw, _ in rows].index(score)
    assert {row["superseded_by"] for row in warehouse.superseded_rows} <= {
        f"survey_responses.csv:{winner}"
    }
    assert len(warehouse.superseded_rows) + len(warehouse.rejected_rows) == len(rows) - 1


def test_departments_whose_chain_ends_nowhere(folder: Folder) -> None:
    folder.table(
        "departments",
        [
            department("root"),
            department("child", "root"),
            department("a", "b"),
            department("b", "a"),
            department("below", "a"),
            department("self", "self"),
            department("orphan", "gone"),
            department("twice", "", updated_at="2026-01-01"),
            department("twice", "gone", updated_at="2026-01-02"),
        ],
    )
    folder.table("contacts", [contact("c", department_id="twice")])
    folder.table("survey_responses", [answer("r", 9, contact_id="c")])
    warehouse = folder.read()
    assert rejected(warehouse) == [
        ("departments", row, "parent_department_id") for row in (3, 4, 5, 6, 7, 9)
    ]
    # The rejected survivor's older version does not come back.
    assert [row["source_row"] for row in warehouse.superseded_rows] == [8]
    (fact,) = warehouse.responses
    assert (fact["department_id"], fact["source_department_id"]) == ("unknown", "twice")


def test_overlapping_assignments(folder: Folder) -> None:
    ranges = [
        ("2026-01-01", "2026-02-01"),  # stays
        ("2026-01-15", "2026-03-01"),  # overlaps the first
        ("2026-02-01", "2026-03-01"),  # begins as the first ends; the one before is out
        ("2026-01-10", "2026-01-10"),  # empty
        ("2026-01-20", "2026-01-10"),  # negative
        ("2026-04-01", ""),  # stays, for good
        ("2030-01-01", "2031-01-01"),  # overlaps it
    ]
    folder.table(
        "agent_assignments",
        [
            {"agent_id": "a", "department_id": "d1", "valid_from": start, "valid_to": end}
            for start, end in ranges
        ],
    )
    assert rejected(folder.read()) == [
        ("agent_assignments", 2, "valid_from"),
        ("agent_assignments", 4, "valid_to"),
        ("agent_assignments", 5, "valid_to"),
        ("agent_assignments", 7, "valid_from"),
    ]


def test_excluded_by_the_first_that_holds(folder: Folder) -> None:
    folder.table(
        "survey_responses",
        [
            answer("kept", 9, status="Partial", is_test="no"),
            answer("gone", "n/a", status="DISMISSED", is_test="yes"),
            answer("quiet", "", status="dismissed"),
            answer("test", 9, is_test="1"),
            answer("listed", 9),
        ],
    )
    warehouse = folder.read()
    assert {row["record_key"]: row["reason"] for row in warehouse.excluded_rows} == {
        "gone": "dismissed",
        "quiet": "dismissed",
        "test": "test",
        "listed": "listed",
    }
    assert [fact["response_id"] for fact in warehouse.responses] == ["kept"]
    # The unreadable score of a dismissed answer is a bad cell; an empty one is not.
    assert rejected_cells(warehouse) == [("survey_responses", 2, "score")]


def test_dismissed_answers_are_no_denominator(folder: Folder) -> None:
    # reference/peers_mistakes.md: P 6, Pa 2, D 2, dismissed 10: 40, not 20.
    scores = [9] * 6 + [7] * 2 + [0] * 2
    folder.table(
        "survey_responses",
        [answer(f"r{i}", score) for i, score in enumerate(scores)]
        + [answer(f"d{i}", "", status="dismissed") for i in range(10)],
    )
    assert over_all(folder.read(), "nps_by_period")[0]["nps"] == 40.0


# --- attributes ------------------------------------------------------------------------------


def test_whose_attribute(folder: Folder) -> None:
    folder.table("departments", [department("d1", site="from department")])
    folder.table(
        "customers",
        [
            {"customer_id": "k1", "segment": "gold", "product_line": "of k1"},
            {"customer_id": "k2", "segment": "iron", "product_line": "of k2"},
        ],
    )
    folder.table(
        "contacts",
        [
            contact("full", site="own", product_line="own", customer_id="k1", reason="bill"),
            contact("bare", customer_id="k1", agent_id="a9", channel=" VOICE\u00a0"),
            contact("lost", department_id="nowhere", channel="Fax"),
            contact("blank", department_id="", channel=""),
        ],
    )
    folder.table(
        "survey_responses",
        [
            answer("full", 9, contact_id="full", customer_id="k2"),
            answer("bare", 9, contact_id="bare"),
            answer("bare2", 9, contact_id="bare", customer_id="k2"),
            answer("lost", 9, contact_id="lost", customer_id="k3"),
            answer("blank", 9, contact_id="blank"),
            answer("orphan", 9, contact_id="gone", invitation_id="gone", customer_id="k2"),
            answer("alone", 9, survey_type="Relational"),
        ],
    )
    warehouse = folder.read()
    columns = ("site", "product_line", "segment", "customer_id", "contact_reason", "channel")
    assert {
        fact["response_id"]: tuple(fact[column] for column in columns)
        for fact in warehouse.responses
    } == {
        "full": ("own", "own", "iron", "k2", "bill", "voice"),
        "bare": ("from department", "of k1", "gold", "k1", "unknown", "voice"),
        "bare2": ("from department", "of k2", "iron", "k2", "unknown", "voice"),
        "lost": ("unknown", "unknown", "unknown", "k3", "unknown", "Fax"),
        "blank": ("unknown", "unknown", "unknown", "unknown", "unknown", "unknown"),
        "orphan": ("unknown", "of k2", "iron", "k2", "unknown", "unknown"),
        "alone": ("unknown", "unknown", "unknown", "unknown", "unknown", "unknown"),
    }
    facts = {fact["response_id"]: fact for fact in warehouse.responses}
    orphan = facts["orphan"]
    assert (orphan["contact_id"], orphan["source_contact_id"]) == ("unknown", "gone")
    assert (orphan["invitation_id"], orphan["source_invitation_id"]) == ("unknown", "gone")
    # An orphan has a contact_id, if a useless one.
    assert (orphan["survey_type"], facts["alone"]["survey_type"]) == ("transactional", "relational")
    assert facts["lost"]["source_department_id"] == "nowhere"
    assert facts["bare"]["agent_id"] == "a9"
    assert warehouse.unmapped_channels == [{"channel": "Fax", "contacts": 1}]


def test_team_as_it_was_at_contact_time(folder: Folder) -> None:
    folder.table(
        "agent_assignments",
        [
            {"agent_id": "a", "team": "old", "valid_from": "2026-01-01", "valid_to": "2026-02-01"},
            {"agent_id": "a", "team": "new", "valid_from": "2026-02-01", "valid_to": "2026-03-01"},
        ],
    )
    starts = {
        "before": "2025-12-31T23:59:59",
        "first": "2026-01-01",
        "last": "2026-01-31T23:59:59.999999",
        "next": "2026-02-01",
        "end": "2026-03-01",
    }
    folder.table("contacts", [contact(id_, at, agent_id="a") for id_, at in starts.items()])
    assert {fact["contact_id"]: fact["team"] for fact in folder.read().contacts} == {
        "before": "unknown",
        "first": "old",
        "last": "old",
        "next": "new",
        "end": "unknown",
    }


def test_contacts_show_their_latest_answer(folder: Folder) -> None:
    folder.table("contacts", [contact("c1"), contact("c2")])
    folder.table(
        "survey_responses",
        [
            answer("r3", 9, "2026-01-06", contact_id="c1"),
            answer("r1", 3, "2026-01-07", contact_id="c1"),
            answer("r2", 8, "2026-01-07", contact_id="c1"),
        ],
    )
    first, second = folder.read().contacts
    assert (first["responses"], first["response_id"], first["nps_category"]) == (3, "r2", "passive")
    assert (second["responses"], second["response_id"], second["nps_category"]) == (0, None, None)


# --- score marts -----------------------------------------------------------------------------


def test_rollups_pool_all_below(folder: Folder) -> None:
    folder.table(
        "departments",
        [
            department("top"),
            department("mid", "top"),
            department("low", "mid", department_name=""),
            department("side"),
        ],
    )
    owners = ["top", "mid", "low", "low", "side", "gone"]
    scores = [10, 0, 7, 10, 0, 0]
    folder.table("contacts", [contact(str(i), department_id=d) for i, d in enumerate(owners)])
    folder.table(
        "survey_responses",
        [answer(str(i), score, contact_id=str(i)) for i, score in enumerate(scores)],
    )
    rows = over_all(folder.read(), "nps_by_department")
    assert counts(rows, "department_id", "is_rollup") == {
        ("top", False): (0, 0, 1),
        ("mid", False): (1, 0, 0),
        ("low", False): (0, 1, 1),
        ("side", False): (1, 0, 0),
        ("unknown", False): (1, 0, 0),
        ("top", True): (1, 1, 2),
        ("mid", True): (1, 1, 1),
    }
    names = {row["department_id"]: row["department_name"] for row in rows}
    assert (names["top"], names["low"], names["unknown"]) == ("TOP", "low", "Unknown")
    parents = {row["department_id"]: row["parent_department_id"] for row in rows}
    assert (parents["top"], parents["low"], parents["unknown"]) == (None, "mid", None)


def test_a_rollup_without_own_answers(folder: Folder) -> None:
    folder.table("departments", [department("top"), department("low", "top")])
    folder.table("contacts", [contact("c", department_id="low")])
    folder.table("survey_responses", [answer("r", 9, contact_id="c")])
    rows = over_all(folder.read(), "nps_by_department")
    assert counts(rows, "department_id", "is_rollup") == {
        ("low", False): (0, 0, 1),
        ("top", True): (0, 0, 1),
    }


def test_survey_types_and_their_pool(folder: Folder) -> None:
    folder.table(
        "survey_responses", [answer("r1", 9), answer("r2", 0, survey_type="transactional")]
    )
    rows = [r for r in folder.read().score_mart("nps_by_period") if r["period_type"] == "day"]
    assert counts(rows, "survey_type") == {
        "relational": (0, 0, 1),
        "transactional": (1, 0, 0),
        "all": (1, 0, 1),
    }


def test_periods_are_local_and_complete_before_as_of(folder: Folder) -> None:
    folder.table(
        "survey_responses",
        [
            answer("r1", 9, "2025-12-31T22:59:59Z"),
            answer("r2", 9, "2025-12-31T23:00:00Z"),
            answer("r3", 9, "2026-01-05T11:00:00Z"),
        ],
    )
    rows = [
        row
        for row in folder.read(timezone="Europe/Berlin").score_mart("nps_by_period")
        if row["survey_type"] == "all"
    ]
    assert [
        (row["period_type"], row["period_start"], row["responses"], row["is_complete"])
        for row in rows
    ] == [
        ("all", date(2025, 12, 31), 3, False),
        ("day", date(2025, 12, 31), 1, True),
        ("day", date(2026, 1, 1), 1, True),
        ("day", date(2026, 1, 5), 1, False),
        ("month", date(2025, 12, 1), 1, True),
        ("month", date(2026, 1, 1), 2, False),
        ("quarter", date(2025, 10, 1), 1, True),
        ("quarter", date(2026, 1, 1), 2, False),
        ("week", date(2025, 12, 29), 2, True),
        ("week", date(2026, 1, 5), 1, False),
        ("year", date(2025, 1, 1), 1, True),
        ("year", date(2026, 1, 1), 2, False),
    ]
    assert rows[0]["period_end"] == date(2026, 1, 5)


def test_as_of(folder: Folder) -> None:
    folder.table("survey_responses", [answer("r1", 9, "2026-01-05"), answer("r2", 9, "2026-01-20")])
    folder.table("contacts", [contact("c", "2026-01-06", ended_at="2026-02-01T10:00")])
    folder.table("survey_invitations", [{"invitation_id": "i", "sent_at": "2026-01-31"}])
    # Without one: the newest accepted instant, of an end of a contact here; nothing is filtered.
    free = folder.read()
    assert (free.as_of, len(free.responses)) == (datetime(2026, 2, 1, 10), 2)
    (total,) = over_all(free, "nps_by_period")
    assert total["is_complete"]
    # With one, what comes after it is out of range.
    fixed = folder.read(as_of="2026-01-20")
    assert fixed.as_of == datetime(2026, 1, 20)
    assert len(fixed.responses) == 2
    assert not over_all(fixed, "nps_by_period")[0]["is_complete"]
    assert rejected_cells(fixed) == [
        ("contacts", 1, "ended_at"),
        ("survey_invitations", 1, "sent_at"),
    ]
    earlier = folder.read(as_of=datetime(2026, 1, 19, 23, 59))
    assert rejected(earlier) == [("survey_responses", 2, "responded_at")]


def test_period_basis(folder: Folder) -> None:
    folder.table("contacts", [contact("c", "2026-01-02")])
    folder.table("survey_invitations", [{"invitation_id": "i", "sent_at": "2026-01-03"}])
    folder.table(
        "survey_responses",
        [
            answer("r1", 9, "2026-02-05", contact_id="c", invitation_id="i"),
            answer("r2", 9, "2026-02-06", contact_id="gone", invitation_id="gone"),
        ],
    )
    days = {
        basis: [
            row["period_start"]
            for row in folder.read(period_basis=basis).score_mart("nps_by_period")
            if (row["survey_type"], row["period_type"]) == ("all", "day")
        ]
        for basis in ("responded", "contact", "invitation")
    }
    assert days == {
        "responded": [date(2026, 2, 5), date(2026, 2, 6)],
        "contact": [date(2026, 1, 2), date(2026, 2, 6)],
        "invitation": [date(2026, 1, 3), date(2026, 2, 6)],
    }
    # The whole time is that of the answers.
    (total,) = over_all(folder.read(period_basis="contact"), "nps_by_period")
    assert (total["period_start"], total["period_end"]) == (date(2026, 2, 5), date(2026, 2, 6))
    with pytest.raises(ValueError, match="period_basis"):
        folder.read(period_basis="closed")


def test_response_rate_is_of_the_invited(folder: Folder) -> None:
    folder.table("contacts", [contact("c")])
    invited = [
        ("i1", "2026-01-30", "sent", "c"),
        ("i2", "2026-01-30", "", ""),
        ("i3", "2026-01-30", "bounced", "c"),
        ("i4", "2026-02-02", "delivered", "c"),
        ("i5", "", "sent", "c"),
        ("i6", "2025-06-01", "opted_out", "c"),
    ]
    folder.table(
        "survey_invitations",
        [
            {"invitation_id": id_, "sent_at": at, "status": status, "contact_id": contact_id}
            for id_, at, status, contact_id in invited
        ],
    )
    folder.table(
        "survey_responses",
        [
            # Answered a month after it was sent: an answer of January's invitations.
            answer("r1", 9, "2026-02-10", invitation_id="i1", contact_id="c"),
            answer("r2", 9, "2026-02-11", invitation_id="i1", contact_id="c"),
            answer("r3", 9, "2026-01-31", invitation_id="i3", contact_id="c"),
            answer("r4", "", "2026-02-03", invitation_id="i4", status="dismissed"),
        ],
    )
    rates = {
        (row["survey_type"], row["period_type"], row["period_start"].month): (
            row["invitations"],
            row["response_rate"],
        )
        for row in folder.read().score_mart("nps_by_period")
        if row["period_type"] in ("month", "all", "day")
    }
    assert rates["transactional", "month", 1] == (1, 100.0)
    assert rates["transactional", "month", 2] == (1, 0.0)
    assert rates["all", "month", 1] == (2, 50.0)
    assert rates["all", "all", 1] == (4, 25.0)
    assert rates["transactional", "all", 1] == (3, pytest.approx(100 / 3))
    assert rates["transactional", "day", 1] == (0, None)


def agent_departments(warehouse: Warehouse, agent_id: str = "a") -> dict[tuple[str, date], str]:
    return {
        (row["period_type"], row["period_start"]): row["department_id"]
        for row in warehouse.score_mart("nps_by_agent")
        if row["agent_id"] == agent_id and row["survey_type"] == "all"
    }


def test_agents_belong_where_they_were_at_the_end(folder: Folder) -> None:
    folder.table("departments", [department(f"d{i}") for i in range(1, 5)])
    folder.table("agents", [{"agent_id": "a", "agent_name": "Agent A"}])
    assigned = [
        ("d1", "2026-01-01", "2026-01-06"),
        ("d2", "2026-01-06", "2026-02-01"),
        ("d9", "2026-03-01", "2026-04-01"),
    ]
    folder.table(
        "agent_assignments",
        [
            {"agent_id": "a", "department_id": d, "valid_from": start, "valid_to": end}
            for d, start, end in assigned
        ],
    )
    folder.table(
        "contacts",
        [
            contact("c1", "2026-01-05", agent_id="a", department_id="d3"),
            contact("c3", "2026-02-10", agent_id="a", department_id="d4"),
            contact("c2", "2026-02-10", agent_id="a", department_id="d3"),
            contact("c4", "2026-03-10", agent_id="a", department_id="d3"),
            contact("c5", "2026-02-01", agent_id="b", department_id="nowhere"),
            contact("c6", "2026-02-01", agent_id="", department_id="d1"),
        ],
    )
    folder.table(
        "survey_responses",
        [
            answer("r1", 9, "2026-01-05", contact_id="c1"),
            answer("r2", 9, "2026-02-11", contact_id="c2"),
            answer("r3", 9, "2026-03-11", contact_id="c4"),
            answer("r4", 9, "2026-03-11", contact_id="c5"),
            answer("r5", 9, "2026-03-11", contact_id="c6"),
        ],
    )
    warehouse = folder.read()
    departments = agent_departments(warehouse)
    assert departments["day", date(2026, 1, 5)] == "d1"
    # The week ends in the next assignment, and so does the month.
    assert departments["week", date(2026, 1, 5)] == "d2"
    assert departments["month", date(2026, 1, 1)] == "d2"
    # February has no assignment: the last contact's department, of two the greatest contact_id.
    assert departments["month", date(2026, 2, 1)] == "d4"
    # An assignment to a department that does not exist.
    assert departments["month", date(2026, 3, 1)] == "unknown"
    # The year is cut at as_of, 2026-03-11, inside the last assignment.
    assert departments["year", date(2026, 1, 1)] == "unknown"
    assert set(agent_departments(warehouse, "b").values()) == {"unknown"}
    assert set(agent_departments(warehouse, "unknown").values()) == {"unknown"}
    names = {row["agent_id"]: row["agent_name"] for row in over_all(warehouse, "nps_by_agent")}
    assert names == {"a": "Agent A", "b": "b", "unknown": "Unknown"}


def test_an_assignment_without_department_says_nothing(folder: Folder) -> None:
    folder.table("departments", [department("d1")])
    folder.table(
        "agent_assignments",
        [{"agent_id": "a", "team": "t", "department_id": "", "valid_from": "2026-01-01"}],
    )
    folder.table("contacts", [contact("c", "2026-01-05", agent_id="a")])
    folder.table("survey_responses", [answer("r", 9, "2026-01-05", contact_id="c")])
    assert set(agent_departments(folder.read()).values()) == {"d1"}


def test_a_period_of_an_agent_is_cut_at_as_of(folder: Folder) -> None:
    folder.table("departments", [department("d1"), department("d2")])
    folder.table(
        "agent_assignments",
        [{"agent_id": "a", "department_id": "d2", "valid_from": "2026-01-20"}],
    )
    folder.table("contacts", [contact("c", "2026-01-05", agent_id="a")])
    folder.table("survey_responses", [answer("r", 9, "2026-01-05", contact_id="c")])
    month = ("month", date(2026, 1, 1))
    assert agent_departments(folder.read())[month] == "d1"
    assert agent_departments(folder.read(as_of="2026-01-20"))[month] == "d2"


def test_hours_are_the_contacts_local_start(folder: Folder) -> None:
    folder.table("contacts", [contact("c", "2026-01-04T23:30:00Z")])
    folder.table(
        "survey_responses",
        [
            answer("r1", 9, "2026-01-07T12:00:00Z", contact_id="c"),
            answer("r2", 0, "2026-07-11T22:15:00Z"),
        ],
    )
    rows = over_all(folder.read(timezone="Europe/Berlin"), "nps_by_hour")
    # Monday 00:30, and the answer's own Sunday 00:15.
    assert counts(rows, "weekday", "hour") == {(1, 0): (0, 0, 1), (7, 0): (1, 0, 0)}


def mixed(folder: Folder) -> None:
    """Answers with every kind of link, good, empty and dangling."""
    folder.table("departments", [department("d1"), department("d2", "d1"), department("d3", "d2")])
    folder.table("customers", [{"customer_id": f"k{i}", "segment": f"s{i % 2}"} for i in range(4)])
    folder.table(
        "contacts",
        [
            contact(
                f"c{i}",
                f"2026-01-{1 + i % 28:02}T{i % 24:02}:00",
                department_id=f"d{i % 5}",
                channel=["phone", "Chat", "fax", ""][i % 4],
                agent_id=f"a{i % 3}" if i % 7 else "",
                customer_id=f"k{i % 6}",
                site="s" if i % 2 else "",
                reason=f"r{i % 3}",
            )
            for i in range(60)
        ],
    )
    folder.table(
        "survey_responses",
        [
            answer(
                f"r{i}",
                i % 12,
                f"2026-0{1 + i % 4}-{1 + i % 28:02}T{i % 24:02}:30",
                contact_id=f"c{i}" if i % 5 else "",
                language=["en", "de", "xx", ""][i % 4],
                survey_channel=["web", "sms", "", "fax"][i % 4],
            )
            for i in range(90)
        ],
    )


@pytest.mark.parametrize("mart", SCORE_MARTS)
def test_groups_add_up_to_the_company(folder: Folder, mart: str) -> None:
    mixed(folder)
    warehouse = folder.read(timezone="America/New_York")

    def sums(rows: list[Fact]) -> dict[tuple[str, str, date], tuple[int, int, int]]:
        totals: dict[tuple[str, str, date], tuple[int, int, int]] = {}
        for row in rows:
            if row.get("is_rollup"):
                continue
            key = row["survey_type"], row["period_type"], row["period_start"]
            d, pa_, p = totals.get(key, (0, 0, 0))
            totals[key] = (d + row["detractors"], pa_ + row["passives"], p + row["promoters"])
        return totals

    totals = sums(warehouse.score_mart(mart))
    assert totals == sums(warehouse.score_mart("nps_by_period"))
    # Counted from the file: of 90 answers the 7 with an 11 (i % 12) are no scores.
    scores = [i % 12 for i in range(90) if i % 12 != 11]
    assert totals["all", "all", min(r["response_date"] for r in warehouse.responses)] == (
        sum(score <= 6 for score in scores),
        sum(score in (7, 8) for score in scores),
        sum(score >= 9 for score in scores),
    )


@pytest.mark.parametrize(("mart", "grain"), SCORE_MARTS.items())
def test_score_marts_have_their_grain(folder: Folder, mart: str, grain: tuple[str, ...]) -> None:
    mixed(folder)
    rows = folder.read().score_mart(mart)
    keys = [
        tuple(row[column] for column in ("survey_type", "period_type", "period_start", *grain))
        for row in rows
    ]
    assert len(set(keys)) == len(keys) > 0
    assert all(row["responses"] > 0 for row in rows)
