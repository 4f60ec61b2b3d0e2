"""What is told of a run: its summary, its alerts, the status for a watchdog."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from click.testing import CliRunner
from nps_warehouse import exit_codes
from nps_warehouse.cli import main
from nps_warehouse.runs.record import Clock, Node, Run, RunRecord, Step, TableRows, read_run
from nps_warehouse.telling import tell
from nps_warehouse.telling.ages import parsed_age, shown_age
from nps_warehouse.telling.alerts import Alert, compared, of_age, of_run, to_text
from nps_warehouse.telling.figures import Change, Month, read_figures
from nps_warehouse.telling.plot import plot
from nps_warehouse.telling.summary import change_sentence, text_of
from nps_warehouse.telling.tell import summary_of
from published_by_hand import ALL, MARTS, Row, published

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 21, 2, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
ID = "20260321T020000Z-{:06x}"


def a_run(**what: Any) -> Run:
    """A run that published, or what is said of it."""
    run = Run(
        run_id=ID.format(1),
        started_at=NOW - HOUR / 2,
        ended_at=NOW,
        status="published",
        exit_code=0,
        failed_step=None,
        reason=None,
        version_id=ID.format(1),
        steps=[Step("land", "done", 4.0), Step("build", "done", 80.0)],
        nodes=[
            Node("model.nps_warehouse.slow", "success", 12.0, "OK", None),
            Node("model.nps_warehouse.fast", "success", 0.1, "OK", None),
            Node("test.nps_warehouse.slow_test.0a", "pass", 99.0, None, 0),
            Node("test.nps_warehouse.unmapped_channels.0b", "warn", 0.1, "Got 3 results", 3),
        ],
        tables=[TableRows("contacts", 100, 90, 7, 2, 1), TableRows("agents", 10, 10, 0, 0, 0)],
        decisions=["The run before died in step build."],
        versions={"dbt": "1.11.16"},
    )
    return replace(run, **what)


def months(count: int, until: date = date(2026, 3, 1)) -> list[dict[str, object]]:
    """Rows of the company's months, the score being the month's number from the newest, 0."""
    rows = []
    for back in range(count):
        number = until.year * 12 + until.month - 1 - back
        start = date(number // 12, number % 12 + 1, 1)
        rows.append(
            {
                **ALL,
                "period_type": "month",
                "period_start": start,
                "is_complete": back > 0,
                "responses": 50,
                "nps": float(-back),
                "nps_ci_low": float(-back - 5),
                "nps_ci_high": float(-back + 5),
            }
        )
    return rows


@pytest.mark.parametrize("mart", MARTS)
def test_the_marts_made_by_hand_are_those_of_the_contract(mart: str) -> None:
    (file,) = (ROOT / "models" / "marts").rglob(f"{mart}.yml")
    (model,) = yaml.safe_load(file.read_text())["models"]
    declared = {column["name"]: column["data_type"] for column in model["columns"]}
    assert MARTS[mart].items() <= declared.items()


def signal(**what: object) -> dict[str, object]:
    """A judged day of the company's chart that signals, or what is said of it."""
    return {
        "scope_type": "company",
        "scope_id": "all",
        "survey_type": "all",
        "charted_on": "2026-03-19",
        "is_judged": True,
        "center": 15.0,
        "signal_kind": "cusum",
        "signal_direction": "down",
        "signal_started_on": "2026-03-17",
        **what,
    }


def rolling(**what: object) -> dict[str, object]:
    """The member's three months that hold the day, or what is said of them."""
    return {
        "scope_type": "company",
        "scope_id": "all",
        "survey_type": "all",
        "period_start": "2026-03-01",
        "period_end": "2026-03-31",
        "rolling_months": 3,
        "responses": 300,
        "nps": 4.0,
        "nps_ci_low": -1.0,
        "nps_ci_high": 9.0,
        "is_reportable": True,
        **what,
    }


def signals_of(
    folder: Path, charts: Sequence[Row], pooled: Sequence[Row]
) -> list[tuple[str, str, int]]:
    names = [{"department_id": "D1", "department_name": "Sales"}]
    rows: dict[str, Sequence[Row]] = {
        "nps_control_charts": charts,
        "nps_rolling": pooled,
        "dim_departments": names,
    }
    found = read_figures(published(folder, NOW, rows)).signals
    return [(one.scope_id, one.name, one.days) for one in found]


QUIET = {"signal_kind": None, "signal_direction": None, "signal_started_on": None}
SALES = {"scope_type": "department", "scope_id": "D1"}


def test_a_signal_that_is_on_is_told_with_its_days(tmp_path: Path) -> None:
    before = signal(charted_on="2026-03-17")
    charts = [before, signal(), signal(**SALES)]
    assert signals_of(tmp_path, charts, [rolling(), rolling(**SALES)]) == [
        ("all", "the company", 2),
        ("D1", "Sales", 1),
    ]


@pytest.mark.parametrize(
    ("charts", "pooled"),
    [
        pytest.param(
            [signal(), signal(charted_on="2026-03-20", **QUIET)], [rolling()], id="it is over"
        ),
        pytest.param([signal(**SALES)], [rolling(**SALES, is_reportable=False)], id="few answers"),
        pytest.param(
            [signal(charted_on="2026-03-30", **QUIET), signal(**SALES)],
            [rolling(), rolling(**SALES)],
            id="long ago",
        ),
        pytest.param(
            [signal(scope_type="agent", scope_id="A1")],
            [rolling(scope_type="agent", scope_id="A1")],
            id="of one person",
        ),
        pytest.param([signal(survey_type="relational")], [rolling()], id="of a part"),
        pytest.param([signal(is_judged=False)], [rolling()], id="the day is not over"),
        pytest.param([signal()], [rolling(rolling_months=12)], id="other months"),
    ],
)
def test_a_signal_that_is_no_news_is_not_told(
    tmp_path: Path, charts: Sequence[Row], pooled: Sequence[Row]
) -> None:
    assert signals_of(tmp_path, charts, pooled) == []


def test_overdue_cases_are_counted_by_department(tmp_path: Path) -> None:
    def case(department: str, status: str, overdue: bool, due: str) -> Row:
        return {
            "case_id": f"{department}{due}",
            "department_id": department,
            "case_status": status,
            "is_overdue": overdue,
            "due_at": due,
        }

    cases = [
        case("D1", "new", True, "2026-03-02 10:00:00"),
        case("D1", "new", False, "2026-03-25 10:00:00"),
        case("D1", "closed", False, "2026-01-01 10:00:00"),
        case("D2", "assigned", True, "2026-03-01 10:00:00"),
        case("D2", "new", True, "2026-03-09 10:00:00"),
        case("D3", "new", False, "2026-02-01 10:00:00"),
    ]
    names = [{"department_id": "D1", "department_name": "Sales"}]
    rows: dict[str, Sequence[Row]] = {"detractor_cases": cases, "dim_departments": names}
    published(tmp_path / "published", NOW, rows)
    figures = read_figures(tmp_path / "published" / "nps.duckdb")
    assert [(one.department_name, one.cases, one.open_cases) for one in figures.overdue] == [
        ("D2", 2, 2),
        ("Sales", 1, 2),
    ]
    text = to_text(told(tmp_path, a_run()))
    assert "3 customers wait for a call back" in text
    assert "the first since 01 March 2026" in text
    assert "overdue cases 3 (counted)" in text


def test_months_are_the_newest_24_with_gaps(tmp_path: Path) -> None:
    rows = [row for row in months(30) if row["nps"] != -5.0]
    found = read_figures(published(tmp_path, NOW, {"nps_by_period": [ALL, *rows]})).months
    assert [month.nps for month in found] == [
        float(-back) for back in reversed(range(24)) if back != 5
    ]
    assert [month.is_complete for month in found[-2:]] == [True, False]


def test_the_change_is_that_of_the_newest_month_that_is_over(tmp_path: Path) -> None:
    def change(month: str, complete: bool, **what: object) -> Row:
        return {
            "scope_type": "company",
            "survey_type": "all",
            "period_type": "month",
            "period_start": month,
            "is_complete": complete,
            "nps": 10.0,
            "verdict": "no evidence",
            **what,
        }

    rows = [
        change("2026-03-01", False),
        change("2026-02-01", True, previous_start="2026-01-01", nps_change=-2.25),
        change("2026-02-01", True, scope_type="department", nps=99.0),
        change("2026-01-01", True),
    ]
    found = read_figures(published(tmp_path, NOW, {"nps_trends": rows})).change
    assert found is not None
    assert (found.month, found.nps, found.change) == (date(2026, 2, 1), 10.0, -2.25)


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        (
            {"adjusted_p": 0.01, "verdict": "down"},
            "February 2026: 10.0, -8.3 against January 2026 (95 % interval -12.0 to -4.5: it fell)",
        ),
        (
            {"adjusted_p": 0.4, "verdict": "no evidence"},
            (
                "February 2026: 10.0, -8.3 against January 2026 "
                "(95 % interval -12.0 to -4.5: no evidence of a change)"
            ),
        ),
        (
            {"verdict": "no evidence"},
            (
                "February 2026: 10.0, -8.3 against January 2026 "
                "(not tested: too few answers on a side)"
            ),
        ),
        (
            {"previous": None, "change": None},
            "February 2026: 10.0; the month before has no answers",
        ),
    ],
)
def test_a_change_is_worded_as_surely_as_it_is_known(
    what: Mapping[str, Any], sentence: str
) -> None:
    change = Change(
        month=date(2026, 2, 1),
        nps=10.0,
        previous=date(2026, 1, 1),
        change=-8.26,
        ci_low=-12.0,
        ci_high=-4.5,
        adjusted_p=None,
        verdict="no evidence",
    )
    assert change_sentence(replace(change, **what)) == sentence


def told(folder: Path, run: Run, now: datetime = NOW, **environ: str) -> list[Alert]:
    """Alerts of a run under folder/runs, of what is published under folder/published."""
    found = summary_of(run, folder / "runs", folder / "published", now, environ)
    return list(found.alerts)


def kinds(alerts: Sequence[Alert]) -> list[tuple[str, str]]:
    return [(alert.kind, alert.severity) for alert in alerts]


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ({}, []),
        ({"status": "done"}, []),
        ({"status": "not published", "exit_code": 3}, [("gate_failed", "critical")]),
        ({"status": "failed", "exit_code": 65}, [("run_failed", "critical")]),
        ({"status": "failed", "exit_code": 75}, [("run_failed", "notice")]),
        ({"status": "failed", "exit_code": 143}, [("run_failed", "notice")]),
        ({"status": "failed", "exit_code": 70}, [("run_failed", "critical")]),
        ({"status": "published", "exit_code": 70}, [("run_failed", "warning")]),
        ({"status": "died", "exit_code": None}, [("run_died", "critical")]),
    ],
)
def test_a_run_is_told_by_how_it_ended(
    what: Mapping[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert kinds(list(of_run(a_run(**what)))) == expected


def test_a_failed_gate_names_what_failed(tmp_path: Path) -> None:
    published(tmp_path / "published", NOW)
    nodes = [
        Node("test.nps_warehouse.adds_up.0a", "fail", 0.1, "Got 2 results", 2),
        Node("test.nps_warehouse.other.0b", "warn", 0.1, "Got 2 results", 2),
    ]
    run = a_run(status="not published", exit_code=3, nodes=nodes, reason="Two failed")
    # As `nps check` writes it.
    report = [
        {"id": "scores_are_readable", "success": False, "severity": "critical"},
        {"id": "no_new_column", "success": False, "severity": "warning"},
        {"id": "keys_are_there", "success": True, "severity": "critical"},
    ]
    folder = tmp_path / "runs" / run.run_id
    folder.mkdir(parents=True)
    (folder / "check_raw.json").write_text(json.dumps({"expectations": report}))
    (alert,) = told(tmp_path, run)
    assert alert.meaning.startswith("Two failed. Failed: adds_up, scores_are_readable. ")
    (other,) = told(tmp_path, replace(run, nodes=[]))
    assert other.fingerprint != alert.fingerprint
    (same,) = told(tmp_path, replace(run, reason="Worded otherwise"))
    assert same.fingerprint == alert.fingerprint


def test_what_is_shown_is_stale_only_beyond_the_age(tmp_path: Path) -> None:
    published(tmp_path / "published", NOW - 26 * HOUR)
    assert told(tmp_path, a_run()) == []
    later = NOW + timedelta(seconds=1)
    assert kinds(told(tmp_path, a_run(), later)) == [("stale", "critical")]
    assert told(tmp_path, a_run(), later, NPS_MAX_AGE="2d") == []
    assert kinds(told(tmp_path / "empty", a_run())) == [("stale", "critical")]


def test_a_published_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "nps.duckdb").write_bytes(b"torn")
    assert kinds(told(tmp_path, a_run())) == [("unreadable", "critical")]


def test_marts_that_are_not_published_are_not_told(tmp_path: Path) -> None:
    gone = ["nps_trends", "nps_control_charts", "detractor_cases"]
    published(tmp_path / "published", NOW, without=gone)
    found = summary_of(a_run(), tmp_path / "runs", tmp_path / "published", NOW, {})
    assert list(found.figures.missing) == sorted(gone)
    assert found.alerts == []
    assert "NPS        12.5 (95 % interval 9.0 to 16.0), good" in text_of(found)


STALE = next(of_age(None, NOW, HOUR))


def again(alert: Alert, now: datetime) -> Alert:
    """The alert as the next run tells it."""
    stored = json.loads(json.dumps(alert.to_json()))
    (found,) = compared([STALE], {alert.fingerprint: stored}, now)
    return found


def test_an_alert_is_told_once_and_again_after_a_week() -> None:
    (first,) = compared([STALE], {}, NOW)
    assert not first.repeated
    assert first.first_told_at == first.told_at == "2026-03-21T02:30:00+00:00"
    first = replace(first, sent_at="2026-03-21T02:30:01+00:00")
    second = again(first, NOW + timedelta(days=7) - timedelta(seconds=1))
    assert second.repeated
    assert (second.told_at, second.sent_at) == (first.told_at, first.sent_at)
    third = again(second, NOW + timedelta(days=7))
    assert not third.repeated
    assert third.sent_at is None
    assert third.first_told_at == first.first_told_at
    assert third.told_at == "2026-03-28T02:30:00+00:00"


def test_what_a_run_before_told_is_repeated_and_what_ended_is_new_again(tmp_path: Path) -> None:
    published(tmp_path / "published", NOW)
    failed = {"status": "failed", "exit_code": 65, "failed_step": "land", "reason": "No file"}
    repeated = []
    for number, what in enumerate([failed, failed, {}, failed]):
        run = a_run(run_id=ID.format(number), **what)
        (tmp_path / "runs" / run.run_id).mkdir(parents=True)
        tell(run, tmp_path / "runs", tmp_path / "published", tmp_path / "none", NOW, {})
        content = json.loads((tmp_path / "runs" / run.run_id / "alerts.json").read_text())
        repeated.append([alert["repeated"] for alert in content["alerts"]])
    assert repeated == [[False], [True], [], [False]]


def test_more_overdue_cases_are_told_when_they_have_doubled(tmp_path: Path) -> None:
    def fingerprint(cases: int) -> str:
        rows = [
            {"case_id": f"{n}", "department_id": "D1", "case_status": "new", "is_overdue": True,
             "due_at": "2026-03-01 10:00:00"}
            for n in range(cases)
        ]  # fmt: skip
        published(tmp_path / "published", NOW, {"detractor_cases": rows})
        (alert,) = told(tmp_path, a_run())
        return alert.fingerprint

    assert fingerprint(8) == fingerprint(15)
    assert fingerprint(8) != fingerprint(16)


def test_a_run_that_died_is_told_by_the_next_one_once(tmp_path: Path) -> None:
    published(tmp_path / "published", NOW)
    runs = tmp_path / "runs"
    dead = RunRecord.begin(
        runs, clock=Clock(NOW - 2 * HOUR), asked=["land"], versions={}, warehouse=tmp_path / "w"
    )
    dead.step_started("land")
    dead.close()
    ids = [f"20260321T02{minute}00Z-aaaaaa" for minute in (10, 20)]
    seen = []
    for run_id in ids:
        (runs / run_id).mkdir()
        tell(a_run(run_id=run_id), runs, tmp_path / "published", tmp_path / "w", NOW, {})
        content = json.loads((runs / run_id / "alerts.json").read_text())
        seen.append([(alert["kind"], alert["scope"]) for alert in content["alerts"]])
    assert seen == [[("run_died", f"run {dead.run_id}")], []]
    # A second look at the run that told it finds it again, as it was told.
    (alert,) = told(tmp_path, a_run(run_id=ids[0]), NOW + HOUR)
    assert (alert.kind, alert.repeated) == ("run_died", False)
    assert alert.told_at == NOW.isoformat()


EVIL = '<script>alert(1)</script>"&'


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that has been told, with a name that is markup."""
    folder = tmp_path_factory.mktemp("left")
    rows: dict[str, Sequence[Row]] = {
        "nps_by_period": [ALL, *months(24)],
        "nps_control_charts": [signal(**SALES)],
        "nps_rolling": [rolling(**SALES)],
        "dim_departments": [{"department_id": "D1", "department_name": EVIL}],
    }
    published(folder / "published", NOW - HOUR, rows)
    run = a_run(reason=f"Said {EVIL}", exit_code=70, failed_step="docs")
    place = folder / "runs" / run.run_id
    place.mkdir(parents=True)
    tell(run, folder / "runs", folder / "published", folder / "none.duckdb", NOW, {})
    return place


def test_a_run_leaves_its_summary_and_alerts_for_owner_and_group(left: Path) -> None:
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in left.iterdir()}
    names = ["alerts.json", "alerts.txt", "summary.html", "summary.json", "summary.txt"]
    assert found == dict.fromkeys(names, 0o640)


def test_the_text_says_what_happened_and_what_to_do(left: Path) -> None:
    text = (left / "summary.txt").read_text()
    for line in (
        "Result     Published, then failed in step docs.",
        "Shown      Readers see version 20260320T020000Z-aaaaaa, published 21 March 2026, 01:30",
        "NPS        12.5 (95 % interval 9.0 to 16.0), good",
        "Rejected   7 of 110 raw rows",
        "           7 of 100 in contacts",
        "           unmapped_channels: Got 3 results",
        "Slowest    slow: 12.0 s",
        "Decided    The run before died in step build.",
        "Alerts     2, 2 of them new",
        f"WARNING  NPS of {EVIL} has fallen, beyond its usual variation",
        "  figure  NPS of three months 4.0 (95 % interval -1.0 to 9.0, 300 answers)",
    ):
        assert line in text


def test_the_json_says_the_same(left: Path) -> None:
    content = json.loads((left / "summary.json").read_text())
    assert content["run"]["exit_code"] == 70
    assert content["shown"]["age_seconds"] == 3600
    assert content["shown"]["is_stale"] is False
    assert content["score"]["nps"] == 12.5
    assert len(content["months"]) == 24
    assert content["tables"][0]["rejected"] == 7
    assert content["slowest"][0] == {"model": "slow", "seconds": 12.0}
    alerts = json.loads((left / "alerts.json").read_text())
    assert alerts["alerts"] == content["alerts"]
    assert {alert["kind"] for alert in alerts["alerts"]} == {"run_failed", "control_chart_signal"}


def test_the_page_stands_alone_and_nothing_in_it_is_markup(left: Path) -> None:
    page = (left / "summary.html").read_text()
    assert EVIL not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy.group(1).startswith("default-src 'none'; style-src 'unsafe-inline'")
    # What a browser would fetch, run or follow.
    assert not re.findall(r"https?:|url\(|<script|\b(?:src|href)=|\son\w+=|@import", page)
    assert "prefers-color-scheme: dark" in page
    assert "size: A4" in page
    assert 'name="viewport"' in page
    assert page.count("<svg") == 1
    assert 'role="img" aria-label="NPS by month from April 2024 to March 2026' in page
    # The table behind the picture.
    assert len(re.findall(r'<th scope="row">\w{3} 20\d\d', page)) == 24


def test_the_picture_has_each_month_and_a_gap_is_no_line() -> None:
    def month(number: int, **what: Any) -> Month:
        return replace(Month(date(2025, number, 1), True, 50, 10.0, 5.0, 15.0, True), **what)

    picture = plot([month(1), month(2), month(4), month(5, is_complete=False)])

    def marks(layer: int, tag: str) -> int:
        group = re.search(rf'<g class="[^"]*layer_{layer}_marks"[^>]*>(.*?)</g>', picture)
        return len(re.findall(f"<{tag}", group.group(1))) if group else 0

    assert marks(1, "line") == 4
    assert marks(3, "path") == 3
    assert marks(4, "path") == 1
    lines = re.findall(r'layer_2_marks"[^>]*><path[^>]* d="([^"]*)"', picture)
    assert [line.count("L") for line in lines] == [1, 1]
    words = re.search(r'aria-label="([^"]*)"', picture)
    assert words is not None
    assert words.group(1).endswith("last 10.0 (5.0 to 15.0), a month that is not over.")


def test_figures_are_not_rounded_into_a_negative_zero() -> None:
    zero = Month(date(2025, 1, 1), True, 50, -0.01, -5.0, 5.0, True)
    assert "last 0.0 " in plot([zero])


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("26h", timedelta(hours=26)),
        ("90m", timedelta(minutes=90)),
        ("1d12h", timedelta(days=1, hours=12)),
        (" 30S ", timedelta(seconds=30)),
    ],
)
def test_ages_are_read_as_people_write_them(text: str, age: timedelta) -> None:
    assert parsed_age(text) == age


@pytest.mark.parametrize("text", ["", "26", "h", "-1h", "1.5h", "0h", "1h x", "1w", "9" * 30 + "d"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="age"):
        parsed_age(text)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "less than a minute"),
        (60, "1 minute"),
        (3599, "59 minutes"),
        (3600, "1 hour"),
        (47 * 3600 + 3599, "47 hours"),
        (48 * 3600, "2 days"),
        (73 * 3600, "3 days and 1 hour"),
        (-5, "in the future: a clock is wrong"),
    ],
)
def test_ages_are_shown_in_words(seconds: int, words: str) -> None:
    assert shown_age(timedelta(seconds=seconds)) == words


def nps(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The real command, with its folders and nothing else of ours: there is no warehouse."""
    return subprocess.run(
        [sys.executable, "-m", "nps_warehouse.cli", *arguments],
        env={
            **{name: text for name, text in os.environ.items() if not name.startswith("NPS_")},
            "NPS_PUBLISHED_DIR": str(folder / "published"),
            "NPS_RUNS_DIR": str(folder / "runs"),
            "NPS_WAREHOUSE": str(folder / "none.duckdb"),
            **environ,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_status_while_a_run_is_at_work_and_readers_read(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    file = published(tmp_path / "published", now - 3 * HOUR)
    runs = tmp_path / "runs"
    for status, code in (("failed", 65), (None, None)):
        record = RunRecord.begin(
            runs,
            clock=Clock(now - HOUR + timedelta(minutes=30 if status is None else 0)),
            asked=["land"],
            versions={},
            warehouse=tmp_path / "none.duckdb",
        )
        if status is not None:
            assert code is not None
            record.ended("failed", code, "land", "A file is missing")
            record.close()
    with duckdb.connect(str(file), read_only=True) as reader:
        reader.execute("select * from marts.nps_by_period")
        found = nps(tmp_path, "status", "--json")
    record.close()
    assert found.returncode == exit_codes.OK, found.stderr
    content = json.loads(found.stdout)
    assert content["is_stale"] is False
    assert 3 * 3600 <= content["age_seconds"] < 3 * 3600 + 60
    assert content["last_run"]["status"] == "failed"
    assert content["last_run"]["reason"] == "A file is missing"
    assert content["running"]["run_id"] == record.run_id


def invoked(folder: Path, *arguments: str, **environ: str) -> tuple[int, str]:
    given = {
        "NPS_PUBLISHED_DIR": str(folder / "published"),
        "NPS_RUNS_DIR": str(folder / "runs"),
        "NPS_MAX_AGE": None,
        "NPS_WEBHOOK_URL": None,
        **environ,
    }
    result = CliRunner().invoke(main, list(arguments), env=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_status_ends_with_stale_when_the_scheduler_has_died(tmp_path: Path) -> None:
    now = "2026-03-21T02:30:00"
    assert invoked(tmp_path, "status", "--now", now)[0] == exit_codes.STALE
    published(tmp_path / "published", NOW - 27 * HOUR)
    code, text = invoked(tmp_path, "status", "--now", now)
    assert code == exit_codes.STALE
    assert "27 hours old, STALE: it may be 26 hours" in text
    assert "Last run   none has left a record" in text
    assert invoked(tmp_path, "status", "--now", now, "--max-age", "28h")[0] == exit_codes.OK
    assert invoked(tmp_path, "status", "--now", now, NPS_MAX_AGE="27h")[0] == exit_codes.OK
    assert invoked(tmp_path, "status", "--now", now, NPS_MAX_AGE="soon")[0] == 2


def test_status_says_when_what_is_published_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "nps.duckdb").write_bytes(b"torn")
    code, text = invoked(tmp_path, "status")
    assert code in (exit_codes.BAD_INPUT, exit_codes.UNREACHABLE)
    assert "Traceback" not in text


def test_summary_and_alerts_of_a_run_that_died(tmp_path: Path) -> None:
    published(tmp_path / "published", NOW)
    record = RunRecord.begin(
        tmp_path / "runs", clock=Clock(NOW), asked=["build"], versions={}, warehouse=tmp_path / "w"
    )
    record.step_started("build")
    record.close()
    assert read_run(record.folder).status == "died"
    code, text = invoked(tmp_path, "summary", "--now", "2026-03-21T02:30:00")
    assert code == 0
    assert "Died before its end" in text
    assert "To do      Nothing by hand: the next run repairs what was left." in text
    code, text = invoked(tmp_path, "alerts", record.run_id, "--json", "--now", "2026-03-21T02:30")
    assert [alert["kind"] for alert in json.loads(text)] == ["run_died"]
    for wrong in ("../published", "20260321T020000Z-ffffff"):
        assert invoked(tmp_path, "summary", wrong)[0] == exit_codes.BAD_INPUT


@pytest.mark.parametrize("code", [exit_codes.OK, exit_codes.STALE])
def test_the_watchdogs_line_for_cron_works_as_printed(tmp_path: Path, code: int) -> None:
    page = (ROOT / "docs" / "telling.md").read_text()
    (line,) = re.findall(r"^7 \* \* \* \* (.*)$", page, flags=re.MULTILINE)
    # Cron takes a bare % for the end of the line.
    assert "%" not in line
    environment = tmp_path / "environment"
    environment.write_text(f"export NPS_RUNS_DIR={tmp_path}\n")
    command = tmp_path / "nps"
    command.write_text(f'#!/bin/sh\necho "$* in $NPS_RUNS_DIR"\necho more >&2\nexit {code}\n')
    command.chmod(0o755)
    line = line.replace("/etc/nps/environment", str(environment))
    line = line.replace("/srv/nps/scripts/nps", str(command))
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False)
    said = f"status --alert in {tmp_path}\nmore\n" if code else ""
    assert (done.stdout, done.stderr) == (said, "")
