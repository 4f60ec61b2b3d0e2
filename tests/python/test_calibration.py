"""The calibration: its worlds are what they say, it counts right, and a small run is sound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from nps_warehouse.calibration import cli, measure
from nps_warehouse.calibration.measure import Found, Share, calibrate
from nps_warehouse.calibration.project import CalibrationError, compiled
from nps_warehouse.calibration.report import LIMITS, MEANINGS, broken, markdown
from nps_warehouse.calibration.worlds import FEWEST, MOST, WORLDS, World, answers
from scipy import stats

AGENTS = 60


def world(kind: str, seed: int = 1, agents: int = 400) -> World:
    return WORLDS[kind](np.random.default_rng(seed), agents)


@pytest.mark.parametrize("kind", WORLDS)
def test_worlds_have_whole_shares(kind: str) -> None:
    drawn = world(kind)
    assert drawn.shares.sum(axis=2) == pytest.approx(1)
    assert drawn.mixes.sum(axis=1) == pytest.approx(1)
    assert drawn.shares.min() >= 0.05 - 1e-12
    assert drawn.shares.max() <= 0.9


def test_worlds_differ_as_they_say() -> None:
    spreads = {kind: float(np.std(world(kind).scores)) for kind in WORLDS}
    assert spreads["same"] == pytest.approx(0, abs=1e-9)
    assert spreads["close"] == pytest.approx(10, abs=1)
    assert spreads["wide"] > 30
    # Alike on every kind of contact, and yet with different scores.
    assert np.ptp(world("equal").shares, axis=0).max() == 0
    assert spreads["equal"] > 2


@pytest.mark.parametrize("kind", WORLDS)
def test_answers_are_drawn_from_the_true_scores(kind: str) -> None:
    drawn = world(kind, agents=300)
    frame = answers(np.random.default_rng(2), drawn, 2)
    per_month = frame.groupby(["month", "agent"])["n"].sum()
    assert len(per_month) == 600
    assert per_month.between(FEWEST, MOST).all()
    contributions = frame["n"] * (frame["category"] - 1)
    scores = 100 * contributions.groupby(frame["agent"]).sum() / frame.groupby("agent")["n"].sum()
    distances = scores.to_numpy() - drawn.scores
    assert abs(distances.mean()) < 4 * distances.std() / np.sqrt(300)
    # The same agents have the same truth in both months.
    both = contributions.groupby([frame["month"], frame["agent"]]).sum() / per_month
    pulled = stats.linregress(both[0], both[1]).slope
    assert (pulled > 0.2) == (kind in ("wide", "close"))


@pytest.fixture(scope="module")
def sql() -> dict[str, str]:
    return compiled()


@pytest.fixture(scope="module")
def small(sql: dict[str, str]) -> dict[str, Found]:
    return calibrate(sql, AGENTS, 2, 3)


def test_small_run_counts_every_agent(small: dict[str, Found]) -> None:
    assert list(small) == list(WORLDS)
    for kind, found in small.items():
        assert found.months_with_false_changes.of == 2
        # Nearly nine in ten have the answers in a month, and eight in both.
        assert 4 * AGENTS * 0.7 < found.published.of < 4 * AGENTS
        assert 2 * AGENTS * 0.6 < found.false_changes.of < 2 * AGENTS
        assert found.published.percent > 85
        assert (found.shrunk is None) == (kind != "close")
        assert (found.expected is None) == (kind not in ("equal", "same"))
    assert small["close"].rankings is not None
    assert small["close"].rankings.of == 4


@pytest.mark.thorough
def test_another_seed_gives_other_figures(sql: dict[str, str], small: dict[str, Found]) -> None:
    assert calibrate(sql, AGENTS, 2, 3) == small
    assert calibrate(sql, AGENTS, 2, 4) != small


def test_a_change_that_is_there_is_called(
    sql: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were nothing ever called, no share of false calls would say anything."""

    def moved(random: np.random.Generator, drawn: World, months: int) -> pd.DataFrame:
        assert months == 2
        turned = replace(drawn, shares=drawn.shares[:, :, ::-1])
        after = answers(random, turned, 1)
        return pd.concat([answers(random, drawn, 1), after.assign(month=1)])

    monkeypatch.setattr(measure, "answers", moved)
    found = calibrate(sql, AGENTS, 1, 3)
    assert found["wide"].false_changes.percent > 30
    assert found["wide"].published.percent < 80
    assert any("wide" in problem for problem in broken(found))


@pytest.mark.thorough
def test_intervals_that_are_too_narrow_are_found(sql: dict[str, str]) -> None:
    """Were the quantile the one-sided 1.645, the table would say so."""
    narrow = {name: text.replace("1.959963984540054", "1.645") for name, text in sql.items()}
    found = calibrate(narrow, AGENTS, 4, 3)
    assert {problem.partition(":")[0] for problem in broken(found)} == set(WORLDS)


def test_command_prints_the_table_and_ends_by_the_limits(
    sql: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "compiled", lambda: sql)
    arguments = ["--agents", "20", "--replicates", "1", "--seed", "1"]
    result = CliRunner().invoke(cli.main, arguments)
    expected = calibrate(sql, 20, 1, 1)
    assert result.stdout == markdown(expected)
    assert result.exit_code == (1 if broken(expected) else 0)
    assert result.stderr.splitlines() == [f"calibration: {text}" for text in broken(expected)]

    def fails() -> dict[str, str]:
        raise CalibrationError("dbt compile failed")

    monkeypatch.setattr(cli, "compiled", fails)
    result = CliRunner().invoke(cli.main, arguments)
    assert (result.exit_code, result.stderr) == (2, "calibration: dbt compile failed\n")


def test_table_and_limits() -> None:
    fine = Found(Share(1, 100), Share(1, 10), Share(95, 100))
    bad = replace(fine, false_changes=Share(6, 100), expected=Share(0, 0))
    text = markdown({"fine": fine, "bad": bad})
    assert text.splitlines()[0] == "| | fine | bad | limits |"
    assert f"| {MEANINGS['published']} | 95.00 of 100 | 95.00 of 100 | 93-97 |" in text
    assert broken({"fine": fine}) == []
    assert [problem.split(":")[1].strip() for problem in broken({"bad": bad})] == [
        MEANINGS["false_changes"],
        MEANINGS["expected"],
    ]
    assert set(LIMITS) < set(MEANINGS)
