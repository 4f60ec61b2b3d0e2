"""The figures that the gates judge, against hand calculations and scipy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from conftest import PROJECT
from gate_cases import write_warehouse
from nps_warehouse.gates.data_docs import may_be_replaced, stands_alone
from nps_warehouse.gates.delivery import inspect, open_scratch
from nps_warehouse.gates.expectations import EXPECTATIONS_DIR, BadInputError, load
from nps_warehouse.gates.figure import Figure
from nps_warehouse.gates.history import Run, last_accepted, record
from nps_warehouse.gates.marts_figures import marts_figures, open_warehouse
from nps_warehouse.gates.project_sql import ProjectSql
from nps_warehouse.gates.raw_figures import (
    Counted,
    RawTable,
    cell_figures,
    count_table,
    day_figures,
)
from nps_warehouse.landing.contract import load_contract
from scipy import stats
from test_conventions import (
    Rule,
    breaches,
    reads_the_clock,
    templates,
    uses_bare_union,
    uses_select_distinct,
)

RAW = load(EXPECTATIONS_DIR / "raw.yml")


def counted(
    folder: Path, columns: Mapping[str, Sequence[str]], **variables: object
) -> dict[tuple[str, str], Figure]:
    """The figures of survey_responses with the given cells, by figure and column."""
    raw_dir = folder / "raw"
    raw_dir.mkdir()
    length = max(map(len, columns.values()))
    cells = {
        "response_id": [f"R{number}" for number in range(length)],
        "score": ["9"] * length,
        "responded_at": ["2026-01-15T10:00:00Z"] * length,
        **columns,
    }
    lines = [",".join(f'"{value}"' for value in row) for row in zip(*cells.values(), strict=True)]
    (raw_dir / "survey_responses.csv").write_text("\n".join([",".join(cells), *lines, ""]))
    (raw_dir / "contacts.csv").write_text("contact_id,department_id,channel,started_at\n")
    (raw_dir / "departments.csv").write_text("department_id,department_name\n")
    sql = ProjectSql(variables)
    table = RawTable("survey_responses", sql.columns_of("survey_responses"), "responded_at")
    connection = open_scratch(folder, raw_dir, None, "1GB")
    found = count_table(connection, sql, table)
    connection.close()
    days = [Figure("days", "", rows, column_name=str(day)) for day, rows in found.days.items()]
    return {(one.figure, one.column_name): one for one in [*cell_figures(found), *days]}


def test_cells_are_readable_as_the_contract_says(tmp_path: Path) -> None:
    scores = ["9", "9.0", "9 - Very likely", "10 – Extremely likely", "0", " 7 ", ""]
    bad_scores = ["8.5", "11", "-1", "n/a", "-2147483648", "9/10", "+9"]
    times = ["2026-01-15", "2026-01-15 10:00", "2026-01-15T10:00:00+05:30", ""]
    bad_times = ["01/15/2026", "2026-02-31", "24:00"]
    figures = counted(
        tmp_path,
        {
            "score": scores + bad_scores,
            "updated_at": times + bad_times + [""] * 7,
            "csat_score": ["1", "5", "0", "6", "2.0", "2.5", "", "x"] + [""] * 6,
        },
    )
    score = figures["readable_share", "score"]
    assert score.value == pytest.approx(6 / 13)
    assert score.volume == 13
    updated_at = figures["readable_share", "updated_at"]
    assert (updated_at.value, updated_at.volume) == (0.5, 6)
    csat = figures["readable_share", "csat_score"]
    assert csat.value == pytest.approx(3 / 7)
    assert csat.volume == 7
    # Numbers: 9, 9.0, 0, 7 are scores; 8.5, 11, -1, -2147483648 and +9 are not.
    in_range = figures["score_in_range_share", "score"]
    assert in_range.value == pytest.approx(4 / 9)
    assert in_range.volume == 9


def test_days_are_those_of_the_zone_and_of_what_is_possible(tmp_path: Path) -> None:
    times = ["2026-01-15T23:30:00Z", "2026-01-16 10:00", "1999-12-31", "2026-03-01"]
    figures = counted(
        tmp_path, {"responded_at": times}, nps_timezone="Europe/Berlin", as_of="2026-02-01"
    )
    assert {column: f.value for (figure, column), f in figures.items() if figure == "days"} == {
        "2026-01-16": 2
    }


# Letters of European languages that are two bytes of UTF-8, and typographic marks.
WORDS = [
    "Käufer",
    "naïve",
    "façade",
    "mañana",
    "Ærø",
    "Übergröße",
    "it’s",
    "“quoted”",
    "5 €",
    "São",
]


def garbled(word: str) -> set[str]:
    """A word whose UTF-8 was decoded by a code page of one byte a letter."""
    found = {word.encode().decode("latin-1")}
    with suppress(UnicodeDecodeError):
        found.add(word.encode().decode("cp1252"))
    return found


def test_garbled_words_are_found(tmp_path: Path) -> None:
    words = sorted(wrong for word in WORDS for wrong in garbled(word))
    # € begins with the byte 0xE2 as the marks do, but goes on otherwise.
    words = [word for word in words if not word.startswith("5")]
    words += ["caf�", "cafï¿½"]
    figure = counted(tmp_path, {"comment": words})["garbled_share", "comment"]
    assert (figure.value, figure.volume) == (1, len(words))


def test_words_of_many_languages_are_not_garbled(tmp_path: Path) -> None:
    words = [
        *WORDS,
        "PÂTÉ",
        "NÃO",
        "ÂNGULO",
        "São Tomé – Ãntes",
        "Ελληνικά",
        "עברית",
        "日本語",
        "👍",
    ]
    words += ["Â", "Ã", "à bientôt", "Straße", "Łódź", "Ünïcödé", "crème brûlée…"]
    figure = counted(tmp_path, {"comment": words})["garbled_share", "comment"]
    assert (figure.value, figure.volume) == (0, len(words))


def days_of(rows: Sequence[int], until: datetime) -> dict[str, Figure]:
    """Figures of a table that had so many rows on the days before an instant, the latest first."""
    days = {
        until.date() - timedelta(days=back + 1): number
        for back, number in enumerate(rows)
        if number
    }
    found = Counted(RawTable("contacts", [], "started_at"), {}, days)
    return {figure.figure: figure for figure in day_figures(found, until)}


AS_OF = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_recent_volume_is_the_week_against_the_mean_of_four() -> None:
    figures = days_of([10] * 7 + [20] * 7 + [30] * 7 + [20] * 7 + [30] * 7 + [1000], AS_OF)
    ratio = figures["recent_volume_ratio"]
    # 70 rows against (140 + 210 + 140 + 210) / 4.
    assert (ratio.value, ratio.volume) == (0.4, 175)
    assert figures["silent_days"].value == 0
    assert figures["days_behind"].value == 1


def test_day_is_silent_only_where_its_weekday_never_was() -> None:
    # Two days are closed every week; a third one falls silent in the last.
    week = [0, 5, 5, 5, 5, 5, 0]
    figures = days_of([0, 5, 0, 5, 5, 5, 0] + week * 4, AS_OF)
    assert figures["silent_days"].value == 1
    assert figures["silent_days"].detail == str((AS_OF - timedelta(days=3)).date())
    assert figures["silent_days"].volume == pytest.approx(25 / 7)
    # A day that was closed once before is not missed.
    once = [0, 5, 0, 5, 5, 5, 0]
    assert days_of(once + once + week * 3, AS_OF)["silent_days"].value == 0


def test_table_that_is_new_has_no_past() -> None:
    assert set(days_of([5] * 7, AS_OF)) == {"days_behind"}
    assert days_of([0] * 9 + [5], AS_OF)["days_behind"].value == 10


def figures_of(file: Path, last: Run | None = None) -> dict[tuple[str, ...], Figure]:
    connection = open_warehouse(file, "1GB")
    found = marts_figures(connection, ProjectSql(), last)
    connection.close()
    return {(one.figure, one.column_name, one.part): one for one in found}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """July: sms answers 2 and 3 become 9, half of D1's contacts are gone; no sms is ever a 5."""
    return write_warehouse(
        tmp_path_factory.mktemp("marts") / "marts_of_july.duckdb",
        "update marts.fct_survey_responses set score = 9 where score in (2, 3) "
        "and survey_channel = 'sms' and period_date = date '2026-07-01'",
        "delete from marts.fct_survey_responses where score = 5 and survey_channel = 'sms'",
        "delete from marts.fct_contacts where department_id = 'D1' "
        "and contact_date = date '2026-07-01' and rowid // 4 % 2 = 0",
        "update marts.fct_survey_invitations set responses = 0, is_bounced = rowid % 3 = 0 "
        "where sent_date = date '2026-07-01' and rowid % 8 = 3",
        "update marts.nps_by_period set passives = passives + 120, responses = responses + 120 "
        "where survey_type = 'transactional' and period_start = date '2026-07-01'",
    )


def test_stability_index_is_scipys(warehouse: Path) -> None:
    figure = figures_of(warehouse)["score_stability_index", "score", "survey_channel sms"]
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        rows = connection.execute(
            "select score, count(*) filter (period_date = date '2026-07-01'), "
            "count(*) filter (period_date < date '2026-07-01') from marts.fct_survey_responses "
            "where survey_channel = 'sms' group by score"
        ).fetchall()
    by_score = {score: counts for score, *counts in rows}
    recent, past = zip(*(by_score.get(score, (0, 0)) for score in range(11)), strict=True)
    assert recent[2] == recent[3] == 0 < past[2]
    assert recent[5] == past[5] == 0
    p, q = ([count + 0.5 for count in counts] for counts in (recent, past))
    # The index is the sum of the two relative entropies; entropy() makes shares of its arguments.
    assert figure.value == pytest.approx(stats.entropy(p, q) + stats.entropy(q, p), rel=1e-12)
    assert figure.volume == sum(recent)
    assert figures_of(warehouse)["score_stability_index", "score", "survey_channel email"].value < (
        0.001
    )


def test_shares_and_ratios_of_marts_are_those_by_hand(warehouse: Path) -> None:
    figures = figures_of(warehouse)
    # 1,200 answers of July and 120 passive ones more: passives were 2 of 11 scores.
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        past, recent = (
            connection.execute(
                "select sum(passives), sum(responses) from marts.nps_by_period "
                f"where survey_type = 'transactional' and period_start {condition}"
            ).fetchall()[0]
            for condition in ("< date '2026-07-01'", "= date '2026-07-01'")
        )
    assert (past[1], recent[1]) == (7200, 1320)
    change = figures["category_share_change", "passives", "survey_type transactional"]
    assert change.value == pytest.approx(100 * (recent[0] / recent[1] - past[0] / past[1]))
    assert (figures["category_share_change", "passives", "survey_type all"].volume) == 1200
    # 600 contacts a month; in July every second of D1's is gone.
    assert figures["department_volume_ratio", "department_id", "department D1"].value == 0.5
    assert figures["department_volume_ratio", "department_id", "department D0"].value == 1
    assert figures["department_volume_ratio", "department_id", "department D0"].volume == 600
    # Every 4th of 2,400 answers, every 8th did not: half of them are left; 100 of them bounced.
    rate = figures["response_rate_change", "responses", "survey_type transactional"]
    assert rate.value == pytest.approx(100 * 300 / 2300 - 25)
    assert rate.volume == 2300
    rejected = figures["rejected_share", "", ""]
    assert rejected.value in (0, 0.01)


def test_range_of_what_has_no_value_is_no_figure(tmp_path: Path) -> None:
    file = write_warehouse(
        tmp_path / "w.duckdb", "update marts.fct_survey_responses set csat_score = null"
    )
    columns = {column for figure, column, _ in figures_of(file) if figure == "extremes"}
    assert columns == {"score", "effort_score", "nps"}


def test_every_event_is_a_timestamp_of_its_table() -> None:
    tables = {table.name: table for table in load_contract()}
    for table, event in RAW.events.items():
        kinds = {column.name: column.kind for column in tables[table].columns}
        assert kinds[event] == "timestamp"


def test_every_column_of_the_contract_is_read_as_its_model_reads_it() -> None:
    sql = ProjectSql()
    for table in load_contract():
        assert [c["name"] for c in sql.columns_of(table.name)] == list(table.column_names)


def test_shipped_sample_is_inspected() -> None:
    delivered = {one.table.name: one for one in inspect(None)}
    assert set(delivered) == {table.name for table in load_contract()}
    assert not any(one.missing for one in delivered.values())
    assert set(delivered["departments"].columns.values()) == {"text"}


@pytest.mark.parametrize("rule", [reads_the_clock, uses_bare_union, uses_select_distinct])
def test_sql_of_figures_keeps_the_rules_of_models(rule: Rule) -> None:
    assert list(breaches(rule, templates("scripts/nps_warehouse/gates"))) == []


# The pages.


def test_folder_of_something_else_is_not_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    assert may_be_replaced(folder)
    folder.mkdir()
    assert may_be_replaced(folder)
    page = folder / "index.html"
    page.write_text("<html><head></head></html>")
    assert not may_be_replaced(folder)
    page.write_text(stands_alone(page.read_text()))
    assert may_be_replaced(folder)
    page.rename(folder / "precious.html")
    assert not may_be_replaced(folder)


# What earlier runs saw.


def test_last_accepted_run_of_the_gate_counts(tmp_path: Path) -> None:
    state = tmp_path / "new folder" / "runs.jsonl"
    assert last_accepted(state, "raw") is None
    for at, gate, accepted in (("1", "raw", True), ("2", "marts", True), ("3", "raw", False)):
        record(state, Run(gate, at, accepted, {"t": {"c": "text"}}, {"rows": {"t||": (1, 2)}}))
    found = last_accepted(state, "raw")
    assert found is not None
    assert found.at == "1"
    assert found.columns == {"t": {"c": "text"}}
    assert [json.loads(line)["at"] for line in state.read_text().splitlines()] == ["1", "2", "3"]


# The declarations.

GOOD = """
gate: raw
figures: {f: a figure}
expectations:
  - id: one
    figure: f
    expectation: expect_column_values_to_be_between
    arguments: {min_value: 1}
    severity: critical
    meaning: m
    to_do: t
    who: w
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("figure: f", "figure: g", "none of f"),
        ("severity: critical", "severity: fatal", "none of critical, warning"),
        ("{min_value: 1}", "{min_value: low}", "as numbers"),
        ("{min_value: 1}", "{}", "as numbers"),
        ("{min_value: 1}", "{least: 1}", "as numbers"),
        ("between", "unique", "lie between bounds"),
        ("    who: w\n", "", "lacks who"),
        ("who: w", "who: w\n    whom: x", "whom"),
        ("who: w", "who: w\n    where: {detail: x}", "table_name, column_name, part"),
        ("gate: raw", "gates: raw", "need gate"),
        ("- id: one", "- id: [", "cannot be read"),
    ],
)
def test_what_is_no_expectation_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    file = tmp_path / "raw.yml"
    file.write_text(GOOD)
    assert load(file).expectations[0].id == "one"
    assert old in GOOD
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(BadInputError, match=words):
        load(file)


def test_expectation_declared_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "raw.yml"
    file.write_text(GOOD + GOOD.partition("expectations:\n")[2])
    with pytest.raises(BadInputError, match="declared twice: one"):
        load(file)


def test_documentation_names_every_expectation() -> None:
    text = (PROJECT / "docs" / "quality_gates.md").read_text()
    for gate in ("raw", "marts"):
        for one in load(EXPECTATIONS_DIR / f"{gate}.yml").expectations:
            assert f"| `{one.id}` | {one.severity} | {one.meaning} |\n" in text, one.id
