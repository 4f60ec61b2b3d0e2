"""The report: what its pages show is what the marts have, and nothing else gets into them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import stat
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result
from conftest import Build
from html_pages import Element, parsed
from nps_warehouse.cli import main
from nps_warehouse.report import charts, report_for_run, words
from nps_warehouse.report.formats import Formats, UnknownLocaleNameError
from nps_warehouse.report.pages import file_names

SCRIPT = "<script>alert('comment')</script><img src=x onerror=alert(1)>"
DEPARTMENT = 'Sales </svg><script>alert("department")</script>'
SAMPLE_MONTH = date(2025, 11, 1)
"""The last month of the sample that is over."""

SILENT_MONTH = date(2025, 3, 1)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


def page(file: Path) -> Element:
    return parsed(file.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def planted(sample_build: Build, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The sample with markup where text of others is shown, and with a month without answers."""
    file = tmp_path_factory.mktemp("planted") / "warehouse.duckdb"
    shutil.copy(sample_build.warehouse, file)
    file.chmod(0o600)
    with duckdb.connect(str(file)) as connection:
        catalog = f'"{file.stem}"'
        connection.execute(f"update {catalog}.marts.huddle_verbatims set comment = ?", [SCRIPT])
        connection.execute(
            f"update {catalog}.marts.dim_departments set department_name = ? "
            "where department_id = 'D04'",
            [DEPARTMENT],
        )
        connection.execute(
            f"delete from {catalog}.marts.nps_trends "
            "where period_type = 'month' and scope_type = 'company' and period_start = ?",
            [SILENT_MONTH],
        )
        # What the sample has not: a published number that changed.
        connection.execute(
            f"insert into {catalog}.marts.nps_restatements by name "
            "select scope_type, scope_id, survey_type, period_type, period_start, period_end, "
            "1 as publication_number, 'first' as publication_id, "
            "timestamp '2025-07-01' as published_as_of, 1 as metric_version, "
            "1 as last_publication_number, 0 as revision, 41 as responses, 20 as promoters, "
            "10 as passives, 11 as detractors, 900.0 / 41 as nps, responses as now_responses, "
            "promoters as now_promoters, passives as now_passives, detractors as now_detractors, "
            "nps as now_nps, nps - 900.0 / 41 as nps_restatement, true as is_restated, "
            "2 as late_responses, 0 as corrected_in_responses, 0 as corrected_out_responses, "
            "1 as deleted_responses, 0 as definition_in_responses, 0 as definition_out_responses "
            f"from {catalog}.marts.nps_trends where scope_type = 'company' "
            "and survey_type = 'all' and period_type = 'month' and period_start = '2025-06-01'"
        )
    return Build(0, "", file)


@pytest.fixture(scope="module")
def small(planted: Build, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The same with two teams."""
    file = tmp_path_factory.mktemp("small") / "small.duckdb"
    shutil.copy(planted.warehouse, file)
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "delete from small.marts.huddle_pack where team not in ('D05-1', 'D05-2')"
        )
    return Build(0, "", file)


@pytest.fixture(scope="module")
def report(planted: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of it."""
    folder = tmp_path_factory.mktemp("report")
    result = run("--to", folder, "--warehouse", planted.warehouse)
    assert result.exit_code == 0, result.output
    return folder


def pages(report: Path) -> list[Path]:
    return [report / "index.html", *sorted((report / "teams").glob("*.html"))]


def shown(element: Element, of: str) -> list[float]:
    return [float(data.attributes["value"]) for data in element.all("data", data_of=of)]


def one(build: Build, query: str) -> tuple[Any, ...]:
    (row,) = build.rows(query)
    return row


def test_every_team_has_a_page_and_the_first_page_leads_there(
    report: Path, sample_build: Build
) -> None:
    teams = [
        str(row[0])
        for row in sample_build.rows(
            "select team from marts.huddle_pack where team <> 'unknown' group by team order by team"
        )
    ]
    links = {a.text: a.attributes["href"] for a in page(report / "index.html").all("a")}
    assert len(teams) == 24
    for team in teams:
        assert f"Team {team}" in page(report / links[team]).all("h1")[0].text
    assert len(pages(report)) == 25
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o640 for file in pages(report))


def test_company_figures_are_those_of_the_marts(report: Path, planted: Build) -> None:
    index = page(report / "index.html")
    # Of nps_by_period, and not of what the page reads: nps_trends.
    nps, low, high, responses = one(
        planted,
        "select nps, nps_ci_low, nps_ci_high, responses from marts.nps_by_period "
        f"where survey_type = 'all' and period_type = 'month' and period_start = '{SAMPLE_MONTH}'",
    )
    (before,) = one(
        planted,
        "select nps from marts.nps_by_period where survey_type = 'all' "
        "and period_type = 'month' and period_start = '2025-10-01'",
    )
    tiles = index.all("ul", **{"class": "tiles"})[0]
    assert shown(tiles, "nps_trends.nps") == [nps]
    assert shown(tiles, "nps_trends.nps_ci_low") == [low]
    assert shown(tiles, "nps_trends.nps_ci_high") == [high]
    assert shown(tiles, "nps_trends.responses") == [responses]
    assert shown(tiles, "nps_trends.nps_change") == pytest.approx([nps - before])
    assert "no evidence" in tiles.text
    rejected, read = one(
        planted, "select sum(rejected), sum(rows_read) from quality.reconciliation"
    )
    assert shown(index, "reconciliation.rejected") == [rejected]
    assert shown(index, "reconciliation.rows_read") == [read]


def test_every_department_is_there_and_what_is_not_reportable_is_grey(
    report: Path, planted: Build
) -> None:
    table = page(report / "index.html").all("table", data_table="departments")[0]
    found = table.all("tr", data_department=None)
    rows = {row.attributes["data-department"]: row for row in found}
    assert len(found) == len(rows)
    scores = {
        str(row["department_id"]): row
        for row in planted.dicts(
            "select * from marts.nps_by_department where survey_type = 'all' and not is_rollup "
            f"and period_type = 'month' and period_start = '{SAMPLE_MONTH}'"
        )
    }
    departments = {str(row[0]) for row in planted.rows("from marts.dim_departments")}
    assert set(rows) == departments
    assert set(scores) < departments
    assert len({bool(score["is_reportable"]) for score in scores.values()} | {None}) == 2
    for department, row in rows.items():
        score = scores.get(department)
        grey = row.attributes.get("class") == "few"
        assert grey == (score is None or not score["is_reportable"])
        if score is None:
            assert "no answers" in row.text
            continue
        assert "too few" in row.text
        for column in ("responses", "nps", "nps_ci_low", "nps_ci_high"):
            assert shown(row, f"nps_by_department.{column}") == [score[column]]


def test_parts_of_the_change_add_up_to_it(report: Path, planted: Build) -> None:
    index = page(report / "index.html")
    parts = shown(index, "nps_change_decomposition.total_effect")
    (change,) = shown(index, "nps_change_decomposition.company_nps_change")
    (moved,) = one(
        planted,
        "select max(nps) filter (where period_start = '2025-11-01') "
        "- max(nps) filter (where period_start = '2025-10-01') from marts.nps_by_period "
        "where survey_type = 'all' and period_type = 'month'",
    )
    assert change == pytest.approx(moved)
    assert len(parts) > 8
    assert sum(parts) == pytest.approx(change)


def test_goals_and_cases_are_those_of_the_marts(report: Path, planted: Build) -> None:
    index = page(report / "index.html")
    of_company = (
        "scope_type = 'company' and period_type = 'month' and "
        f"period_start = '{SAMPLE_MONTH}' and survey_type = 'all'"
    )
    # Counted and subtracted here: the answers of fct_survey_responses, the seeds of goals.
    responses, detractors, nps = one(
        planted,
        "select count(*), count(*) filter (where score <= 6), 100.0 * "
        "(count(*) filter (where score >= 9) - count(*) filter (where score <= 6)) / count(*) "
        "from marts.fct_survey_responses where period_date between '2025-11-01' and '2025-11-30'",
    )
    (target,) = one(
        planted,
        "select target from reference.nps_targets where scope_type = 'company' and metric = 'nps' "
        "and valid_from <= '2025-11-30' order by valid_from desc limit 1",
    )
    (status,) = one(planted, f"select status from marts.nps_targets_gap where {of_company}")
    assert shown(index, "nps_targets_gap.target") == [float(target)]
    assert shown(index, "nps_targets_gap.gap.abs") == pytest.approx([abs(float(target) - nps)])
    assert shown(index, "nps_targets_gap.responses") == [responses]
    assert words.TARGETS[str(status)] in index.text
    (median,) = shown(index, "nps_benchmark_gap.p50")
    assert shown(index, "nps_benchmark_gap.gap_to_p50") == pytest.approx([nps - median])
    assert shown(index, "closed_loop_performance.cases") == [detractors]


def test_pain_points_are_those_that_weigh_most(report: Path, planted: Build) -> None:
    points = planted.dicts(
        "select * from marts.pain_points where survey_type = 'all' and period_type = 'month' "
        f"and period_start = '{SAMPLE_MONTH}'"
    )
    weight = {"structural": 2, "watch": 1, "noise": 0}
    heaviest = sorted(
        (
            (weight[str(point["signal_class"])], point["detractor_mentions"], point["mentions"])
            for point in points
        ),
        reverse=True,
    )[:5]
    items = page(report / "index.html").all("ol", **{"class": "pains"})[0].all("li")
    assert len(points) > len(items) == 5
    assert [shown(item, "pain_points.mentions") for item in items] == [[m] for _, _, m in heaviest]
    assert [shown(item, "pain_points.detractor_mentions") for item in items] == [
        [count] if count else [] for _, count, _ in heaviest
    ]


def test_figures_are_written_as_they_are(report: Path) -> None:
    figures = [data for file in pages(report) for data in page(file).all("data")]
    assert len(figures) > 1000
    for data in figures:
        value = float(data.attributes["value"])
        whole = re.fullmatch(r"-?\d+", data.attributes["value"]) is not None
        # Python's own rounding and grouping; a sign beside it is the difference's.
        text = f"{abs(value):,.0f}" if whole else f"{abs(round(value, 1)):,.1f}"
        sign = "−" if round(value, 1) < 0 else ""
        assert data.text.lstrip("+") == sign + text, data.attributes


def test_a_month_without_answers_is_said_and_not_skipped(report: Path) -> None:
    trend = page(report / "index.html").all("table")[0]
    rows = [row.text for row in trend.all("tr")[1:]]
    assert len(rows) == 24
    assert [row for row in rows if "no answers" in row] == ["March 2025 no answers"]
    assert rows[-1].startswith("November 2025")


def test_a_restated_number_has_its_reasons(report: Path) -> None:
    text = page(report / "index.html").text
    assert "June 2025: published 22.0 (41 answers), now" in text
    assert "answers came late, answers were deleted" in text


def test_team_figures_are_those_of_the_pack(report: Path, planted: Build) -> None:
    packs = planted.dicts(
        """
        select *, row_number() over (partition by team order by period_start desc) as place
        from marts.huddle_pack where is_complete and team <> 'unknown'
        """
    )
    last = {str(pack["team"]): pack for pack in packs if pack["place"] == 1}
    newest = max(str(pack["period_start"]) for pack in last.values())
    for file in pages(report)[1:]:
        content = page(file)
        pack = last[content.all("h1")[0].text.removeprefix("Team ")]
        tiles = content.all("ul", **{"class": "tiles"})[0]
        assert shown(tiles, "huddle_pack.responses") == [pack["responses"]]
        assert shown(tiles, "huddle_pack.recent_responses") == [pack["recent_responses"]]
        # A score of few answers is none.
        assert shown(tiles, "huddle_pack.nps") == ([pack["nps"]] if pack["is_reportable"] else [])
        assert str(pack["action"]) in content.text
        assert ("No customer of yours" in content.text) == (str(pack["period_start"]) != newest)


def test_agents_are_named_nowhere(report: Path, planted: Build) -> None:
    agents = [str(row[0]) for row in planted.rows("select agent_name from marts.dim_agents")]
    for file in pages(report):
        text = page(file).text
        assert not [name for name in agents if name != "Unknown" and name in text]


def test_markup_of_others_shows_as_text(report: Path) -> None:
    verbatims = [
        quote.raw for file in pages(report) for quote in page(file).all("span", data_verbatim=None)
    ]
    assert len(verbatims) > 30
    assert set(verbatims) == {SCRIPT}
    index = page(report / "index.html")
    assert DEPARTMENT in [row.text for row in index.all("th", scope="row")]
    assert any(DEPARTMENT[:5] in text.text for text in index.all("text"))


def test_pages_run_nothing_and_ask_for_nothing(report: Path) -> None:
    for file in pages(report):
        content = page(file)
        assert not content.all("script")
        assert not [e for tag in ("img", "iframe", "object", "base") for e in content.all(tag)]
        for element in content.all():
            assert not [name for name in element.attributes if name.startswith("on")]
            assert not {"style", "src", "srcset", "action"} & set(element.attributes)
            href = element.attributes.get("href", "#")
            assert re.fullmatch(r"#\w+|#|data:,|teams/[\w-]+\.html|\.\./index\.html", href)
        assert "url(" not in content.all("style")[0].raw


def test_the_policy_allows_the_pages_own_style_alone(report: Path) -> None:
    for file in pages(report):
        content = page(file)
        policy = content.all("meta", http_equiv="Content-Security-Policy")[0].attributes["content"]
        (style,) = content.all("style")
        digest = base64.b64encode(hashlib.sha256(style.raw.encode()).digest()).decode()
        rules = [rule.strip() for rule in policy.split(";")]
        assert rules[0] == "default-src 'none'"
        assert f"style-src 'sha256-{digest}'" in rules
        assert not [rule for rule in rules if "unsafe" in rule or rule.startswith("script-src")]


def test_every_chart_has_words_and_a_table(report: Path) -> None:
    for file in pages(report):
        content = page(file)
        drawings = content.all("svg")
        assert drawings
        names = [element.attributes["id"] for element in content.all(id=None)]
        assert len(names) == len(set(names))
        for drawing in drawings:
            assert drawing.attributes["role"] == "img"
            told = [
                "".join(str(part) for part in element.children)
                for name in drawing.attributes["aria-labelledby"].split()
                for element in content.all(id=name)
            ]
            assert len(told) == 2
            assert all(told)
            assert drawing.parent is not None
            section = drawing.parent.parent
            assert section is not None
            assert section.all("table"), told[0]
            assert section.all("h2")


def test_only_the_team_that_was_asked_for(small: Build, tmp_path: Path) -> None:
    result = run("--to", tmp_path, "--warehouse", small.warehouse, "--team", "D05-1")
    assert result.exit_code == 0, result.output
    assert [file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.html")] == [
        "teams/d05-1.html"
    ]
    unknown = run("--to", tmp_path, "--warehouse", small.warehouse, "--team", "nobody")
    assert unknown.exit_code == 1
    assert "no team nobody" in unknown.output


def test_another_period_and_locale(small: Build, tmp_path: Path) -> None:
    given = ("--warehouse", small.warehouse, "--period", "quarter", "--locale", "de_DE")
    (tmp_path / "teams").mkdir()
    (tmp_path / "teams" / "gone.html").write_text("a team that is no more")
    result = run("--to", tmp_path, *given)
    assert result.exit_code == 0, result.output
    index = page(tmp_path / "index.html")
    assert index.all("h1")[0].text.endswith("Q3 2025")
    assert "31.12.2025" in index.text
    (nps,) = one(
        small,
        "select nps from marts.nps_by_period where survey_type = 'all' "
        "and period_type = 'quarter' and period_start = '2025-07-01'",
    )
    tile = index.all("ul", **{"class": "tiles"})[0].all("data", data_of="nps_trends.nps")[0]
    assert float(tile.attributes["value"]) == nps
    assert tile.text.lstrip("−") == f"{abs(nps):.1f}".replace(".", ",")
    assert not (tmp_path / "teams" / "gone.html").exists()
    assert run("--to", tmp_path, *given[:-1], "xx_nowhere").exit_code == 1


def test_what_is_not_there_is_said(small: Build, tmp_path: Path) -> None:
    file = tmp_path / "little.duckdb"
    shutil.copy(small.warehouse, file)
    empty = (
        *("nps_targets_gap", "targets_gap", "nps_benchmark_gap", "nps_change_decomposition"),
        *("pain_points", "closed_loop_performance", "closed_loop_recovery", "nps_restatements"),
        *("best_practices", "huddle_verbatims", "comment_themes", "team_scores", "suspicions"),
    )
    with duckdb.connect(str(file)) as connection:
        for mart in empty:
            connection.execute(f"delete from little.marts.{mart}")
        # An unfinished first month: nothing to compare with, nobody invited.
        connection.execute("delete from little.marts.nps_trends where period_start < '2025-12-01'")
        connection.execute(
            "update little.marts.nps_trends set nps_change = null, year_nps_change = null, "
            "verdict = null, year_verdict = null, is_reportable = false"
        )
        connection.execute("update little.marts.nps_by_period set response_rate = null")
    result = run("--to", tmp_path / "report", "--warehouse", file)
    assert result.exit_code == 0, result.output
    text = page(tmp_path / "report" / "index.html").text
    for said in (
        "the month is not over, so nothing is judged",
        "too few for a score that could be relied on (at least 30)",
        "no answers then to compare with",
        "no target is in force",
        "no benchmark is in force",
        "no invitation was sent in the period",
        "no month with answers directly before",
        "No complaint was found",
        "No detractor answered",
        "No odd pattern",
        "nothing to compare with",
    ):
        assert said in text, said
    team = page(tmp_path / "report" / "teams" / "d05-1.html").text
    assert "No praise was written down" in team
    assert "Nobody wrote a complaint" in team
    assert "There is no quarter that is over" in team
    assert run("--to", tmp_path / "r", "--warehouse", file, "--period", "year").exit_code == 1


def test_a_warehouse_without_answers_says_so(sample_build: Build, tmp_path: Path) -> None:
    file = tmp_path / "empty.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"attach '{sample_build.warehouse}' as sample (read_only)")
        for relation in ("quality.contract_version", "marts.nps_by_period"):
            connection.execute(f"create schema if not exists {relation.split('.')[0]}")
            connection.execute(f"create table {relation} as from sample.{relation} limit 0")
    result = run("--to", tmp_path / "report", "--warehouse", file)
    assert result.exit_code == 1
    assert "no answer was accepted" in result.output
    assert not (tmp_path / "report").exists()
    with duckdb.connect(str(file)) as connection:
        connection.execute("drop table marts.nps_by_period")
    partly = run("--to", tmp_path / "report", "--warehouse", file)
    assert partly.exit_code == 1
    assert "nps_by_period" in partly.output


def test_what_was_published_comes_first(
    planted: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nps_warehouse.report.cli import reported_file

    monkeypatch.setenv("NPS_PUBLISHED_DIR", str(tmp_path))
    monkeypatch.setenv("NPS_WAREHOUSE", str(planted.warehouse))
    assert reported_file(None) == planted.warehouse
    (tmp_path / "nps.duckdb").touch()
    assert reported_file(None) == tmp_path / "nps.duckdb"
    assert reported_file(planted.warehouse) == planted.warehouse


def test_the_report_of_a_run_lies_in_its_folder(
    small: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NPS_REPORT_LOCALE", "en_GB")
    files = report_for_run(small.warehouse, tmp_path)
    assert files[0] == tmp_path / "report" / "index.html"
    assert "31 Dec 2025" in page(files[0]).text


@pytest.mark.parametrize(
    ("locale", "count", "points", "day"),
    [
        ("en", "12,345", "−0.4", "Jan 31, 2025"),
        ("en_GB", "12,345", "−0.4", "31 Jan 2025"),
        ("de_DE", "12.345", "−0,4", "31.1.2025"),
        ("sv-SE", "12\xa0345", "−0,4", "2025-01-31"),
        ("de_CH", "12’345", "−0.4", "31.1.2025"),
    ],
)
def test_numbers_and_dates_go_by_the_locale(locale: str, count: str, points: str, day: str) -> None:
    formats = Formats.of(locale)
    assert formats.count(12345) == count
    assert formats.points(-0.44) == points
    assert formats.day(date(2025, 1, 31)) == day


def test_text_is_english_in_every_locale() -> None:
    formats = Formats.of("de_DE")
    assert formats.period("month", date(2025, 5, 1), date(2025, 5, 31)) == "May 2025"
    assert formats.period("quarter", date(2025, 10, 1), date(2025, 12, 31)) == "Q4 2025"
    assert formats.tick("month", date(2025, 12, 1)) == "Dec 25"
    # Never a negative zero, and a rounded nothing has no sign.
    assert Formats.of("en").points(-0.04) == "0.0"
    assert Formats.of("en").signed(0.04) == "0.0"
    assert Formats.of("en").signed(0.06) == "+0.1"
    with pytest.raises(UnknownLocaleNameError, match="no locale"):
        Formats.of("klingon")


@pytest.mark.parametrize(
    ("found", "p_value", "is_complete", "change", "said"),
    [
        ("up", 0.01, True, 5.0, "up, more than chance makes"),
        ("down", 0.01, True, -5.0, "down, more than chance makes"),
        ("no evidence", 0.4, True, 5.0, "no evidence"),
        ("no evidence", None, True, 5.0, "no evidence (too few answers)"),
        ("no evidence", None, False, 5.0, "no evidence (the period is not over)"),
        (None, None, True, None, "nothing to compare with"),
    ],
)
def test_verdicts_in_words(
    found: str | None, p_value: float | None, is_complete: bool, change: float | None, said: str
) -> None:
    row = {
        "verdict": found,
        "adjusted_p_value": p_value,
        "is_complete": is_complete,
        "nps_change": change,
    }
    assert words.verdict(row) == said


def test_file_names_are_safe_and_no_two_the_same() -> None:
    names = file_names(["../Team A", "Team A", "team-a", "Équipe 7", "???", "日本"])
    assert len(set(names.values())) == 6
    assert all(re.fullmatch(r"[a-z0-9-]+\.html", name) for name in names.values())
    assert names["Équipe 7"] == "equipe-7.html"


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("dark", [False, True])
def test_colours_have_the_contrast_of_aa(dark: bool) -> None:
    def contrast(one: str, other: str) -> float:
        low, high = sorted((luminance(one), luminance(other)))
        return (high + 0.05) / (low + 0.05)

    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    colours = {name: both[dark] for name, both in charts.PALETTE.items()}
    for background in (colours["paper"], "#1f2732" if dark else "#f3f6f9"):
        for text in ("ink", "muted", "line"):
            assert contrast(colours[text], background) >= 4.5, (text, background)
        for mark in ("few", "other"):
            assert contrast(colours[mark], background) >= 3, (mark, background)


@pytest.mark.parametrize(
    "part",
    [
        "<script>alert(1)</script>",
        "<foreignObject/>",
        '<image href="x"/>',
        '<path d="M1,1" onclick="alert(1)"/>',
        '<path d="M1,1" style="fill:red"/>',
        '<path d="M1,1" fill="url(https://example.com/x)"/>',
        '<a xmlns:xlink="x" xlink:href="x"/>',
    ],
)
def test_a_drawing_that_could_run_or_ask_is_refused(part: str) -> None:
    with pytest.raises(charts.UnsafeDrawingError):
        charts.inline(f'<svg viewBox="0 0 1 1">{part}</svg>', "k", "title", "words")


def test_a_drawing_keeps_what_it_shows() -> None:
    drawing = (
        '<svg viewBox="0 0 9 9" width="9"><defs><clipPath id="c0"><rect/></clipPath></defs>'
        '<g clip-path="url(#c0)" role="x"><path d="M0,0h9" opacity="0.5"/><path d=""/></g></svg>'
    )
    (svg,) = parsed(charts.inline(drawing, "k", "A < B", "words")).all("svg")
    assert svg.all("clippath")[0].attributes["id"] == "k-c0"
    assert svg.all("g")[0].attributes == {"clip-path": "url(#k-c0)"}
    assert [path.attributes for path in svg.all("path")] == [{"d": "M0,0h9", "opacity": "0.5"}]
    assert svg.all("title")[0].children == ["A < B"]


MANIFEST = {
    "nodes": {
        "model.p.nps_by_period": {
            "resource_type": "model",
            "schema": "marts",
            "name": "nps_by_period",
            "fqn": ["p", "marts", "scores", "nps_by_period"],
            "description": "One row per period.\n\n## Overview\nText with `code` and <b>none</b>.",
            "columns": {"nps": {"description": "The *score*."}},
        }
    },
    "exposures": {
        "exposure.p.board": {
            "name": "board",
            "label": "Board",
            "maturity": "high",
            "owner": {"name": "Directors"},
            "depends_on": {"nodes": ["model.p.nps_by_period"]},
        }
    },
}


@pytest.fixture(scope="module")
def dictionary(planted: Build, tmp_path_factory: pytest.TempPathFactory) -> Element:
    folder = tmp_path_factory.mktemp("dictionary")
    (folder / "manifest.json").write_text(json.dumps(MANIFEST))
    result = run(
        *("dictionary", "--to", folder / "d.html", "--warehouse", planted.warehouse),
        *("--manifest", folder / "manifest.json"),
    )
    assert result.exit_code == 0, result.output
    return page(folder / "d.html")


def test_the_dictionary_has_every_published_column(dictionary: Element, planted: Build) -> None:
    expected: dict[str, dict[str, str]] = {}
    for schema, table, column, kind in planted.rows(
        "select table_schema, table_name, column_name, lower(data_type) "
        "from information_schema.columns where table_schema in ('marts', 'quality', 'reference')"
    ):
        expected.setdefault(f"{schema}.{table}", {})[str(column)] = str(kind)
    there = {
        entry.attributes["id"]: {
            row.all("th")[0].text: row.all("td")[0].text for row in entry.all("tr")[1:]
        }
        for entry in dictionary.all("article")
    }
    assert there == expected
    assert "Not described" not in dictionary.text


def test_the_dictionary_says_what_a_row_is_and_who_reads_it(dictionary: Element) -> None:
    (entry,) = dictionary.all("article", id="marts.nps_by_period")
    assert entry.all("p", data_grain=None)[0].text == "One row per period."
    assert "Read by: Board (Directors, maturity high)." in entry.text
    assert "<b>none</b>" in entry.text
    (row,) = [row for row in entry.all("tr") if row.all("th")[0].text == "nps"]
    assert row.all("td")[1].text == "The score."
    # Of what dbt's manifest does not know, the comments in the file tell.
    (other,) = dictionary.all("article", id="marts.huddle_pack")
    assert other.all("p", data_grain=None)[0].text == "One row per team and ISO week with answers."


def test_the_dictionarys_script_is_the_one_that_its_policy_names(dictionary: Element) -> None:
    policy = dictionary.all("meta", http_equiv="Content-Security-Policy")[0].attributes["content"]
    (script,) = dictionary.all("script")
    digest = base64.b64encode(hashlib.sha256(script.raw.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "src" not in script.attributes


def test_a_manifest_that_was_asked_for_has_to_be_there(planted: Build, tmp_path: Path) -> None:
    given = ("dictionary", "--to", tmp_path / "d.html", "--warehouse", planted.warehouse)
    (tmp_path / "manifest.json").write_text("[]")
    for manifest in (tmp_path / "none.json", tmp_path / "manifest.json"):
        result = run(*given, "--manifest", manifest)
        assert result.exit_code == 1
        assert "manifest" in result.output
    assert not (tmp_path / "d.html").exists()
