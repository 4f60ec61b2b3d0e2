"""The first questions: what each analysis says of the sample is what single answers say.

The second opinion is pandas, scipy and statsmodels on the facts, seeds and raw files; no SQL of the
analyses, and none of the marts that they read.
"""

from __future__ import annotations

import csv
import math
import os
import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import PROJECT, SAMPLE, Build, built
from nps_warehouse.cli import main
from nps_warehouse.questions import asked, cli
from nps_warehouse.questions.answers import ANSWERS, answered
from nps_warehouse.questions.asked import NAMES, question, read_compiled
from nps_warehouse.questions.page import page
from nps_warehouse.report.figures import Figures, Row
from nps_warehouse.warehouse import reading
from reference_rankings import Counts, adjusted
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from test_surveys import contacts_with_answers, weighted_reference

NOVEMBER, QUARTER, YEAR = date(2025, 11, 1), date(2025, 7, 1), date(2024, 1, 1)
"""The last periods of the sample that are over."""

LEAST = 30
EXACT = 1e-9
Z = 1.959963984540054


@pytest.fixture(scope="module")
def queries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The compiled analyses; scripts/test has compiled them beside the sample that it built."""
    if "NPS_TEST_SAMPLE" in os.environ:
        folder = Path(os.environ["NPS_TEST_SAMPLE"]).parent / "compiled"
        if (folder / "nps_warehouse" / "analyses").is_dir():
            return read_compiled(folder)
    folder = tmp_path_factory.mktemp("analyses")
    built(folder, command="compile", arguments=("--select", "path:analyses"))
    return read_compiled(folder / "target" / "compiled")


@pytest.fixture(scope="module")
def rows(sample_build: Build, queries: dict[str, str]) -> dict[str, list[Row]]:
    """What each analysis gives on the sample."""
    with reading(sample_build.warehouse) as connection:
        figures = Figures(connection)
        return {name: figures.rows(query) for name, query in queries.items()}


@pytest.fixture(scope="module")
def said(rows: dict[str, list[Row]]) -> dict[str, str]:
    return {name: ANSWERS[name](rows[name]) for name in NAMES}


@pytest.fixture(scope="module")
def answers(sample_build: Build) -> pd.DataFrame:
    """Every accepted answer, with months, quarters and years as their first days."""
    with duckdb.connect(str(sample_build.warehouse), read_only=True) as connection:
        frame = connection.execute(
            "select response_id, customer_id, department_id, agent_id, score, nps_category, "
            "nps_contribution, period_date, responded_at, response_date, "
            "comment is not null as has_comment from marts.fct_survey_responses "
            "order by response_id"
        ).df()
    frame["period_date"] = pd.to_datetime(frame["period_date"])
    for name, alias in (("month", "M"), ("quarter", "Q"), ("year", "Y")):
        frame[name] = frame["period_date"].dt.to_period(alias).dt.start_time.dt.date
    return frame


def counts_of(frame: pd.DataFrame) -> Counts:
    """Detractors, passives and promoters among answers."""
    found = frame["nps_category"].value_counts()
    return found.get("detractor", 0), found.get("passive", 0), found.get("promoter", 0)


def score(frame: pd.DataFrame) -> float:
    """NPS in points, of single answers."""
    return 100 * float(frame["nps_contribution"].mean())


def test_there_are_twelve_and_each_says_how_to_read_it() -> None:
    assert len(NAMES) == len(set(NAMES)) == len(ANSWERS) == 12
    for name in NAMES:
        one = question(name)
        assert one.text.endswith("?")
        assert len(one.how_to_read) > 80, name
        text = (PROJECT / one.path).read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 100
        # Marts alone: nothing that is not published.
        for model in re.findall(r"ref\('(\w+)'\)", text):
            assert list((PROJECT / "models" / "marts").rglob(f"{model}.sql")), model


def test_a_file_without_a_question_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked, "ANALYSES", tmp_path)
    for text in ("select 1\n", "-- No question.\n-- Read it.\n", "-- Is it?\nselect 1\n"):
        (tmp_path / "x.sql").write_text(text)
        with pytest.raises(ValueError, match="has to begin with a question"):
            question("x")


def moved(later: pd.DataFrame, earlier: pd.DataFrame) -> tuple[float, float]:
    """Raw change of the score and p-value, of adjusted Wald scores."""
    before, error_before = adjusted(counts_of(earlier))
    after, error_after = adjusted(counts_of(later))
    z = (after - before) / math.hypot(error_before, error_after)
    return score(later) - score(earlier), float(2 * stats.norm.sf(abs(z)))


def test_departments_that_moved(
    rows: dict[str, list[Row]], said: dict[str, str], answers: pd.DataFrame
) -> None:
    last = answers[answers["month"] == NOVEMBER]
    before = answers[answers["month"] == date(2025, 10, 1)]
    found = {row["department_id"]: row for row in rows["which_department_moved"]}
    assert set(found) == set(last["department_id"])
    tested = {}
    changes = {}
    for department, group in last.groupby("department_id"):
        earlier = before[before["department_id"] == department]
        row = found[department]
        assert row["period_start"] == NOVEMBER
        assert row["responses"] == len(group)
        if earlier.empty:
            assert row["nps_change"] is None
            continue
        changes[department], p_value = moved(group, earlier)
        assert row["nps_change"] == pytest.approx(changes[department], abs=EXACT)
        if min(len(group), len(earlier)) >= LEAST:
            tested[department] = p_value
    rejected = list(multipletests(list(tested.values()), method="fdr_bh")[0]) if tested else []
    really = {name for name, is_real in zip(tested, rejected, strict=True) if is_real}
    assert {name for name, row in found.items() if row["is_tested"]} == set(tested)
    assert {name for name, row in found.items() if row["verdict"] in ("up", "down")} == really
    largest = max(changes, key=lambda name: abs(changes[name]))
    assert not really
    assert (
        f"none for real; {len(tested)} of {len(found)} departments"
        in said["which_department_moved"]
    )
    assert (
        f"{changes[largest]:+.1f} in {found[largest]['department_name']}"
        in said["which_department_moved"]
    )


def fewest(counts: Sequence[int], goal: Fraction, step: int) -> int:
    """Tries one after the other: how many answers have to be `step` categories better."""
    detractors, _, promoters = counts
    n = sum(counts)
    moves = 0
    while Fraction(100 * (promoters - detractors + step * moves), n) < goal:
        moves += 1
    return moves


def test_what_it_takes(
    rows: dict[str, list[Row]], said: dict[str, str], answers: pd.DataFrame
) -> None:
    counts = counts_of(answers[answers["month"] == NOVEMBER])
    with (PROJECT / "seeds" / "nps_targets.csv").open(encoding="utf-8", newline="") as lines:
        targets = [
            (line["valid_from"], Fraction(line["target"]))
            for line in csv.DictReader(lines)
            if (line["scope_type"], line["metric"]) == ("company", "nps")
        ]
    target = max(one for one in targets if one[0] <= "2025-11-30")[1]
    middle, error = adjusted(counts)
    low, high = middle - Z * error, middle + Z * error
    found = {row["goal"]: row for row in rows["what_would_it_take"]}
    for name, goal in (("target", target), ("fifty", Fraction(50))):
        row = found[name]
        assert Fraction(row["goal_nps"]) == goal
        assert row["responses"] == sum(counts)
        turn, steps = fewest(counts, goal, 2), fewest(counts, goal, 1)
        assert (row["detractors_to_turn"], row["one_step_moves"]) == (turn, steps)
        status = "met" if low >= goal else "missed" if high < goal else "undecided"
        assert row["status"] == status
        assert (
            f"{float(goal):.1f}, {turn} detractors would have to have been promoters, or"
            in said["what_would_it_take"]
        )
        assert f"{steps} answers one step better ({status})" in said["what_would_it_take"]


def test_why_it_moved(
    rows: dict[str, list[Row]], said: dict[str, str], answers: pd.DataFrame
) -> None:
    """Kitagawa in fractions: the effects of the sets of answers, segment by segment."""
    sides = [
        {
            name: (len(group), int(group["nps_contribution"].sum()))
            for name, group in answers[answers["month"] == month].groupby("department_id")
        }
        for month in (date(2025, 10, 1), NOVEMBER)
    ]
    n = [sum(count for count, _ in side.values()) for side in sides]
    totals = [
        Fraction(100 * sum(x for _, x in side.values()), count)
        for side, count in zip(sides, n, strict=True)
    ]
    effects: dict[str, tuple[Fraction, Fraction]] = {}
    for name in {*sides[0], *sides[1]}:
        w = [
            Fraction(side.get(name, (0, 0))[0], count) for side, count in zip(sides, n, strict=True)
        ]
        s = [
            Fraction(100 * side[name][1], side[name][0]) if name in side else None for side in sides
        ]
        known = [one for one in s if one is not None]
        first, second = (known[0], known[-1])
        mix = (w[1] - w[0]) * ((first + second) / 2 - (totals[0] + totals[1]) / 2)
        effects[name] = mix, (second - first) * (w[0] + w[1]) / 2
    for row in rows["why_did_the_score_move"]:
        mix, rate = effects.pop(row["department_id"])
        assert row["mix_effect"] == pytest.approx(float(mix), abs=EXACT)
        assert row["rate_effect"] == pytest.approx(float(rate), abs=EXACT)
        effects[row["department_id"]] = mix, rate
    assert len(rows["why_did_the_score_move"]) == len(effects)
    mix_sum, rate_sum = (float(sum(one[i] for one in effects.values())) for i in (0, 1))
    assert mix_sum + rate_sum == pytest.approx(float(totals[1] - totals[0]), abs=EXACT)
    most = max(effects, key=lambda name: abs(float(sum(effects[name]))))
    assert rows["why_did_the_score_move"][0]["department_id"] == most
    text = said["why_did_the_score_move"].replace("−", "-")
    assert f"{float(totals[1] - totals[0]):+.1f} points, of which {mix_sum:+.1f} because" in text
    assert f"and {rate_sum:+.1f} because departments" in text
    assert f"weighs most, {float(sum(effects[most])):+.1f}." in text


def test_how_we_compare(
    rows: dict[str, list[Row]], said: dict[str, str], answers: pd.DataFrame
) -> None:
    with (PROJECT / "seeds" / "nps_benchmarks.csv").open(encoding="utf-8", newline="") as lines:
        [benchmark] = [
            line
            for line in csv.DictReader(lines)
            if (line["industry"], line["region"], line["year"])
            == ("telecommunications", "global", "2025")
        ]
    quarter = answers[answers["quarter"] == QUARTER]
    middle, error = adjusted(counts_of(quarter))
    low, high = middle - Z * error, middle + Z * error
    cuts = [float(benchmark[name]) for name in ("p10", "p50", "p90")]
    names = ("in the lowest tenth", "in the lower half", "in the upper half", "in the best tenth")

    def place(value: float) -> str:
        return names[sum(value >= cut for cut in cuts)]

    [row] = rows["how_do_we_compare"]
    assert row["nps"] == pytest.approx(score(quarter), abs=EXACT)
    assert row["nps_ci_low"] == pytest.approx(low, abs=EXACT)
    assert row["nps_ci_high"] == pytest.approx(high, abs=EXACT)
    is_certain = place(low) == place(high)
    assert (row["decided_position"] != "undecided") == is_certain
    assert (
        f"is {place(score(quarter))}{'' if is_certain else ', but that is not certain'}; "
        in said["how_do_we_compare"]
    )
    assert f"the middle of 2025 is {cuts[1]:.1f}" in said["how_do_we_compare"]


def test_where_most_is_lost(
    rows: dict[str, list[Row]], said: dict[str, str], answers: pd.DataFrame
) -> None:
    year = answers[answers["year"] == YEAR]
    impacts, tested = {}, {}
    for department, group in year.groupby("department_id"):
        rest = year[year["department_id"] != department]
        impacts[department] = score(year) - score(rest)
        difference, p_value = moved(group, rest)
        if len(group) >= LEAST:
            tested[department] = (p_value, difference)
    is_real = multipletests([p for p, _ in tested.values()], method="fdr_bh")[0]
    lower = {
        name
        for (name, (_, difference)), real in zip(tested.items(), is_real, strict=True)
        if real and difference < 0
    }
    found = {row["department_id"]: row for row in rows["where_do_we_lose_most"]}
    assert {name: row["impact"] for name, row in found.items()} == pytest.approx(impacts, abs=EXACT)
    assert {name for name, row in found.items() if row["verdict"] == "down"} == lower
    assert lower
    most = min(impacts, key=lambda name: impacts[name])
    assert rows["where_do_we_lose_most"][0]["department_id"] == most
    text = said["where_do_we_lose_most"].replace("−", "-")
    rest_score = score(year[year["department_id"] != most])
    assert f"2024: {found[most]['department_name']}. Without its" in text
    assert f"would stand at {rest_score:.1f} instead of {score(year):.1f}" in text
    for name in lower:
        assert found[name]["department_name"] in text.partition("for real")[2]


def test_complaint_that_weighs_most(
    rows: dict[str, list[Row]], said: dict[str, str], answers: pd.DataFrame, sample_build: Build
) -> None:
    year = answers[answers["year"] == YEAR]
    mentions: dict[str, set[str]] = {}
    for response_id, theme in sample_build.rows(
        "select response_id, theme from marts.comment_themes where sign = -1"
    ):
        mentions.setdefault(str(theme), set()).add(str(response_id))
    impacts = {}
    for theme, ids in mentions.items():
        rest = year[~year["response_id"].isin(ids)]
        if len(rest) < len(year):
            impacts[theme] = score(year) - score(rest)
    found = {row["theme"]: row["impact"] for row in rows["which_complaint_weighs_most"]}
    assert found == pytest.approx(impacts, abs=EXACT)
    most = min(impacts, key=lambda name: impacts[name])
    with_it = year["response_id"].isin(mentions[most])
    commented = int(year["has_comment"].sum())
    text = said["which_complaint_weighs_most"]
    assert f"“{most.replace('_', ' ')}”, in {with_it.sum()} of {commented} comments" in text
    assert f"costs {-impacts[most]:.1f} points" in text
    assert ("too few" in text) == (with_it.sum() < LEAST)


def test_agents_who_differ(
    rows: dict[str, list[Row]], said: dict[str, str], answers: pd.DataFrame
) -> None:
    year = answers[(answers["year"] == YEAR) & (answers["agent_id"] != "unknown")]
    sizes = year.groupby("agent_id").size()
    found = {row["agent_id"]: row for row in rows["which_agents_differ"]}
    assert {name: row["responses"] for name, row in found.items()} == sizes.to_dict()
    # Nobody of the sample has enough, so nobody may differ, however far from what was expected.
    assert sizes.max() < LEAST
    assert (
        f"none for real; 0 of {len(sizes)} agents had enough answers" in said["which_agents_differ"]
    )
    assert f"the most had {sizes.max()}." in said["which_agents_differ"]


def test_calling_back(
    rows: dict[str, list[Row]], said: dict[str, str], sample_build: Build
) -> None:
    cases = sample_build.dicts("select * from marts.detractor_cases")
    month = [
        case
        for case in cases
        if str(case["period_date"])[:7] == f"{NOVEMBER:%Y-%m}" and case["is_within_sla"] is not None
    ]
    within = sum(bool(case["is_within_sla"]) for case in month)
    low, high = proportion_confint(within, len(month), method="wilson")
    [row] = rows["are_detractors_called_back"]
    assert (row["within_sla"], row["sla_cases"]) == (within, len(month))
    assert row["within_sla_pct_ci_low"] == pytest.approx(100 * low, abs=EXACT)
    assert row["within_sla_pct_ci_high"] == pytest.approx(100 * high, abs=EXACT)

    first = pd.DataFrame(sample_build.dicts("select * from marts.recovery_cases"))
    called, others = first[first["follow_up"] != "none"], first[first["follow_up"] == "none"]
    # No kind of detractor has thirty who were not called: each is compared with all of them.
    assert others.groupby("score").size().max() < LEAST
    recovery = 100 * (
        called["nps_category"].map(CONTRIBUTION).mean()
        - others["nps_category"].map(CONTRIBUTION).mean()
    )
    assert row["recovery"] == pytest.approx(recovery, abs=EXACT)
    text = said["are_detractors_called_back"]
    assert f"{within} of {len(month)} cases in time, {100 * within / len(month):.1f} %" in text
    assert f"what {len(called)} called-back customers said next is {recovery:+.1f} points" in text
    assert row["recovery_ci_low"] < 0 < row["recovery_ci_high"]
    assert "no evidence that it helps" in text


CONTRIBUTION = {"promoter": 1, "passive": 0, "detractor": -1}


def test_last_initiative(
    rows: dict[str, list[Row]],
    said: dict[str, str],
    answers: pd.DataFrame,
    sample_build: Build,
) -> None:
    with (SAMPLE / "initiatives.csv").open(encoding="utf-8", newline="") as lines:
        delivered = [line for line in csv.DictReader(lines) if re.fullmatch(r"N\d", line[ID])]
    last = max(delivered, key=lambda line: line["started_on"])
    row = rows["did_our_last_initiative_help"][0]
    assert row["initiative_id"] == last[ID]
    start = pd.Timestamp(last["started_on"])
    window = timedelta(days=90)

    def side(members: Sequence[str], begin: pd.Timestamp) -> pd.DataFrame:
        return answers[
            answers["department_id"].isin(members)
            & (answers["period_date"] >= begin)
            & (answers["period_date"] < begin + window)
        ]

    own = [side([last["scope_id"]], begin) for begin in (start - window, start)]
    change = score(own[1]) - score(own[0])
    assert (row["before_responses"], row["after_responses"]) == (len(own[0]), len(own[1]))
    assert row["nps_change"] == pytest.approx(change, abs=EXACT)
    [(controls,)] = sample_build.rows(
        f"select controls from marts.initiative_effects where initiative_id = '{last[ID]}' "
        "and survey_type = 'all'"
    )
    members = str(controls).split(", ")
    assert last["scope_id"] not in members
    other = [side(members, begin) for begin in (start - window, start)]
    did = change - (score(other[1]) - score(other[0]))
    assert row["difference_in_differences"] == pytest.approx(did, abs=EXACT)
    # Under thirty answers nothing is said, whatever the difference.
    assert min(len(own[0]), len(own[1])) < LEAST
    text = said["did_our_last_initiative_help"].replace("−", "-")
    assert f"“{last['initiative_name']}”" in text
    assert "can't tell (too few answers)" in text
    assert f"{change:+.1f} points from {len(own[0])} to {len(own[1])} answers" in text
    assert f"beside {len(members)} controls {did:+.1f} (" in text


ID = "initiative_id"


def test_customers_to_keep(
    rows: dict[str, list[Row]],
    said: dict[str, str],
    answers: pd.DataFrame,
    sample_build: Build,
) -> None:
    left = {
        row["customer_id"]
        for row in sample_build.dicts("select * from marts.dim_customers")
        if row["churned_on"] is not None and row["churned_on"] <= date(2025, 12, 31)  # type: ignore[operator]
    }
    known = answers[answers["customer_id"] != "unknown"].sort_values(
        ["responded_at", "response_id"]
    )
    expected_rows: dict[str, tuple[int, int | None]] = {}
    for customer, group in known.groupby("customer_id"):
        scores = [int(one) for one in group["score"]]
        # Seven is the lowest passive score: one point from detractor, two from promoter.
        if scores[-1] == 7 and customer not in left:
            expected_rows[str(customer)] = scores[-1], scores[-2] if len(scores) > 1 else None
    found = {
        row["customer_id"]: (row["score"], row["previous_score"])
        for row in rows["which_customers_to_keep"]
    }
    assert found == expected_rows
    down = [name for name, (now, before) in expected_rows.items() if before and before > now]
    ordered = [row["customer_id"] for row in rows["which_customers_to_keep"]]
    assert set(ordered[: len(down)]) == set(down)
    newest = known[known["customer_id"].isin(down)]["response_date"].max()
    text = said["which_customers_to_keep"]
    assert f"{len(found)} customers are a point from detractor" in text
    assert f"{len(down)} of them came down" in text
    assert f"the last on {newest:%b} {newest.day}, {newest.year}" in text


def test_who_answers(rows: dict[str, list[Row]], said: dict[str, str], sample_build: Build) -> None:
    sent = pd.DataFrame(
        sample_build.dicts(
            "select * from marts.fct_survey_invitations where survey_type = 'transactional' "
            "and not is_bounced and sent_date between date '2025-07-01' and date '2025-09-30'"
        )
    )
    by_channel = sent.groupby("channel")["responses"]
    rates = (100 * by_channel.agg(lambda counts: (counts > 0).mean())).to_dict()
    found = rows["who_answers"]
    assert found[0]["scope_type"] == "company"
    assert {
        row["scope_id"]: row["response_rate"] for row in found if row["scope_type"] == "channel"
    } == pytest.approx(rates, abs=EXACT)
    rate = 100 * float((sent["responses"] > 0).mean())
    assert found[0]["response_rate"] == pytest.approx(rate, abs=EXACT)
    named = {name: rate for name, rate in rates.items() if name != "unknown"}
    most, least = max(named, key=lambda n: named[n]), min(named, key=lambda n: named[n])
    group = [
        contact
        for contact in contacts_with_answers(sample_build)
        if QUARTER <= contact["contact_date"] <= date(2025, 9, 30)
    ]
    weighted = weighted_reference(group, "raking")
    # Raking stops where no margin is off by more than a thousandth.
    assert found[0]["nps_weighted"] == pytest.approx(weighted["nps_weighted"], abs=1e-3)
    text = said["who_answers"].replace("−", "-")
    assert f"{rate:.1f} % of {len(sent)} invitations" in text
    assert f"most by {most} ({named[most]:.1f} %" in text
    assert f"least by {least} ({named[least]:.1f} %" in text
    assert f"the score is {weighted['nps_weighted']:.1f}" in text
    assert f"instead of {weighted['nps']:.1f}: " in text
    explains = not (
        weighted["nps_weighted_ci_low"] <= weighted["nps"] <= weighted["nps_weighted_ci_high"]
    )
    assert text.endswith("explains a part of it.") == explains


# --- what the sample does not show ------------------------------------------------------------


def tables_of(queries: dict[str, str]) -> set[str]:
    """The marts that the analyses read."""
    with duckdb.connect() as connection:
        named = {
            table
            for query in queries.values()
            for table in connection.get_table_names(query, qualified=True)
        }
    return {table.split()[0].removeprefix("marts.") for table in named}


@pytest.fixture
def planted(sample_build: Build, queries: dict[str, str]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection where every mart is the sample's until a test puts another in its place."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{sample_build.warehouse}' as sample (read_only)")
        connection.execute("create schema marts")
        for name in tables_of(queries):
            connection.execute(f"create view marts.{name} as from sample.marts.{name}")
        yield connection


def replaced(connection: duckdb.DuckDBPyConnection, table: str, *statements: str) -> None:
    connection.execute(f"drop view marts.{table}")
    connection.execute(f"create table marts.{table} as from sample.marts.{table}")
    for statement in statements:
        connection.execute(statement)


def answer(connection: duckdb.DuckDBPyConnection, queries: dict[str, str], name: str) -> str:
    return ANSWERS[name](Figures(connection).rows(queries[name]))


def test_a_real_move_is_told_first(
    planted: duckdb.DuckDBPyConnection, queries: dict[str, str]
) -> None:
    replaced(
        planted,
        "nps_trends",
        "update marts.nps_trends set verdict = 'down', adjusted_p_value = 0.01, "
        "nps_change = -4.25, nps_change_ci_low = -8, nps_change_ci_high = -0.5 "
        "where scope_type = 'department' and survey_type = 'all' and period_type = 'month' "
        "and period_start = '2025-11-01' and scope_id = 'D08'",
    )
    text = answer(planted, queries, "which_department_moved")
    assert re.fullmatch(
        r"November 2025: .+ is down by 4\.2 points \(−8\.0 to −0\.5\); more than chance makes\.",
        text,
    )


def test_agents_who_differ_are_named(
    planted: duckdb.DuckDBPyConnection, queries: dict[str, str]
) -> None:
    """Of another year or survey nobody is told; the first four of this one are, by certainty."""
    columns = (
        "agent_id, agent_name, survey_type, period_type, period_start, vs_expected_verdict, "
        "vs_expected_adjusted_p_value, nps_vs_expected"
    )
    planted_rows = [
        ("A1", "One", "all", "2024-01-01", "up", 0.03, 20.0),
        ("A2", "Two", "all", "2024-01-01", "down", 0.001, -30.0),
        ("A3", "Three", "all", "2024-01-01", "up", 0.02, 10.0),
        ("A4", "Four", "all", "2024-01-01", "up", 0.04, 15.0),
        ("A5", "Five", "all", "2024-01-01", "no evidence", 0.5, 90.0),
        ("A6", "Six", "all", "2024-01-01", "no evidence", None, 99.0),
        ("A7", "Seven", "all", "2023-01-01", "up", 0.0001, 50.0),
        ("A8", "Eight", "relational", "2024-01-01", "up", 0.0001, 50.0),
        ("unknown", "Unknown", "all", "2024-01-01", "up", 0.0001, 50.0),
    ]
    replaced(planted, "agent_ranking", "delete from marts.agent_ranking")
    for agent, name, survey_type, start, verdict, p_value, points in planted_rows:
        planted.execute(
            f"insert into marts.agent_ranking by name select {columns}, 40 as responses, "
            "nps_vs_expected - 5 as vs_expected_ci_low, "
            "nps_vs_expected + 5 as vs_expected_ci_high, true as is_complete, "
            "true as is_reportable "
            f"from (values (?, ?, ?, 'year', date '{start}', ?, ?, ?)) as given ({columns})",
            [agent, name, survey_type, verdict, p_value, points],
        )
    assert answer(planted, queries, "which_agents_differ") == (
        "2024: Two −30.0 points (−35.0 to −25.0), Three +10.0 points (5.0 to 15.0), One +20.0 "
        "points (15.0 to 25.0) and 1 more, beside the same contacts with others; 5 of 6 "
        "agents had enough answers to be compared."
    )


def test_what_was_published_and_changed(
    planted: duckdb.DuckDBPyConnection, queries: dict[str, str]
) -> None:
    name = "what_changed_in_what_we_published"
    assert answer(planted, queries, name) == "Nothing was published yet."
    replaced(
        planted,
        "publications",
        "insert into marts.publications by name select 1 as publication_number, "
        "'first' as publication_id",
    )
    assert answer(planted, queries, name) == "Nothing, in 1 publication."
    replaced(
        planted,
        "nps_restatements",
        *(
            "insert into marts.nps_restatements by name select 'company' as scope_type, "
            f"'{survey_type}' as survey_type, '{period_type}' as period_type, "
            f"date '{start}' as period_start, 1 as publication_number, {nps} as nps, "
            f"{now} as now_nps, {now} - {nps} as nps_restatement, {is_restated} as is_restated, "
            f"{late} as late_responses, 0 as corrected_in_responses, "
            "0 as corrected_out_responses, 1 as deleted_responses, "
            "0 as definition_in_responses, 0 as definition_out_responses"
            for survey_type, period_type, start, nps, now, is_restated, late in (
                ("all", "month", "2025-06-01", 10.0, 12.0, True, 2),
                ("all", "quarter", "2025-04-01", 20.0, 15.5, True, 0),
                ("all", "month", "2025-05-01", 20.0, 20.0, False, 0),
                ("relational", "month", "2025-06-01", 0.0, 90.0, True, 2),
                ("all", "week", "2025-06-02", 0.0, 90.0, True, 2),
            )
        ),
    )
    assert answer(planted, queries, name) == (
        "2 numbers, in 1 publication; the most that of Q2 2025, from 20.0 to 15.5: "
        "answers were deleted."
    )


def test_questions_of_an_empty_warehouse(
    planted: duckdb.DuckDBPyConnection, queries: dict[str, str]
) -> None:
    """Nothing was delivered: every question still has an answer, and none a number."""
    for table in tables_of(queries):
        replaced(planted, table, f"delete from marts.{table}")
    for name, text in answered(Figures(planted), queries).items():
        assert text, name
        assert not re.search(r"\d", text), (name, text)


# --- the page and the command -----------------------------------------------------------------


def test_page_is_what_the_sample_says(said: dict[str, str]) -> None:
    """`./scripts/nps questions --to docs/questions.md` on a build of the sample writes it."""
    written = (PROJECT / "docs" / "questions.md").read_text(encoding="utf-8")
    assert written == page(said, date(2025, 12, 31))


def test_command_prints_and_writes(
    sample_build: Build,
    queries: dict[str, str],
    said: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cli, "compiled", lambda: queries)
    to = tmp_path / "answers.md"
    arguments = ["questions", "--warehouse", str(sample_build.warehouse), "--to", str(to)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    for name in NAMES:
        assert f"{question(name).text}\n  {said[name]}\n" in result.output
    assert to.read_text(encoding="utf-8") == page(said, date(2025, 12, 31))


def test_command_without_a_whole_warehouse(
    queries: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "compiled", lambda: queries)
    empty = tmp_path / "empty.duckdb"
    duckdb.connect(str(empty)).close()
    result = CliRunner().invoke(main, ["questions", "--warehouse", str(empty)])
    assert result.exit_code == 1
    assert "not complete, run a build" in result.output


@pytest.mark.thorough
def test_command_compiles_by_itself(tmp_path: Path) -> None:
    found = asked.compiled(tmp_path / "target")
    assert set(found) == set(NAMES)
    assert all("ref(" not in query and '"marts".' in query for query in found.values())
