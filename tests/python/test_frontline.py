"""Scorecards and the weekly pack against figures worked out again from the facts.

The pack's models run as dbt renders them, in DuckDB in memory, on weeks made up here; scorecards
are those of the built sample.
"""

from __future__ import annotations

import csv
import datetime as dt
import functools
import math
import random
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import MODELS_ONLY, PROJECT, SAMPLE, WAREHOUSE, Build, built, run_dbt
from marts_in_memory import Marts, Row
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

EXACT = 1e-9
Z = 1.959963984540054
MINIMUM = 6
MONDAY = dt.date(2025, 3, 3)
AS_OF = dt.date(2025, 6, 2)
RESPONSES = (
    "response_id varchar, team varchar, agent_id varchar, survey_type varchar, period_date date, "
    "nps_category varchar, score integer, contact_reason varchar, channel varchar, "
    "responded_at timestamp, comment varchar, is_resolved boolean, transfers integer, "
    "department_id varchar"
)
INPUTS = {
    "as_of": "as_of_date date, first_response_date date, last_response_date date",
    "fct_survey_responses": RESPONSES,
    "huddle_actions": (
        "rule_id varchar, priority integer, topic varchar, subject varchar, at_least integer, "
        "action varchar, owner varchar"
    ),
    "stg_agents": "agent_id varchar, agent_name varchar",
    "stg_agent_assignments": "agent_id varchar, team varchar",
    "detractor_cases": (
        "team varchar, due_at timestamp, attended_at timestamp, is_overdue boolean"
    ),
    "said_themes": (
        "team varchar, period_date date, theme varchar, family varchar, sign integer, "
        "nps_category varchar"
    ),
    "pain_points": (
        "survey_type varchar, period_type varchar, period_start date, department_id varchar, "
        "theme varchar, signal_class varchar, mentions bigint, pain_rank bigint"
    ),
    "nps_drivers": (
        "survey_type varchar, period_type varchar, period_start date, scope_type varchar, "
        "scope_id varchar, driver varchar, band varchar, responses bigint, "
        "within_reason_verdict varchar, within_reason_difference double, points_at_stake double"
    ),
    "nps_bands": 'band varchar, "above" double, up_to double',
}
VERBATIMS = ["huddle_comments", "huddle_verbatims"]
PACK = [
    f"frontline/{name}"
    for name in (
        "daily_team_counts", "period_team_counts", "team_scores", "team_week_windows",
        "team_week_changes", "huddle_headlines", "huddle_comments", "huddle_verbatims",
        "team_week_departments", "team_week_cases", "team_week_themes",
        "department_month_drivers", "huddle_focus", "huddle_topics", "huddle_suggestions",
        "huddle_pack",
    )
]  # fmt: skip
# Verdict, difference and stake of a driver that is worse.
LOW = ("down", -9.0, 3.0)
NAME_WORDS = PROJECT / "models" / "categorized" / "agents" / "team_name_words.sql"
SCORES = {"promoter": 10, "passive": 7, "detractor": 2}
RULES: list[list[Any]] = [
    ["look_back", 2, "headline", "down", 1, "Look back.", "team"],
    ["resolve", 3, "detractors", "*", 2, "Resolve.", "team lead"],
    ["read", 9, "headline", "*", 1, "Read.", None],
]


@functools.cache
def seed(name: str) -> list[dict[str, str]]:
    """Rows of a shipped seed."""
    with (PROJECT / "seeds" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def at(day: dt.date, minute: int = 0) -> dt.datetime:
    """So many minutes after noon of a day."""
    return dt.datetime.combine(day, dt.time(12)) + dt.timedelta(minutes=minute)


def answer(
    number: int,
    category: str,
    *,
    team: str = "North",
    day: dt.date = MONDAY,
    comment: str | None = None,
    agent: str = "A1",
    minute: int = 0,
    survey_type: str = "transactional",
    is_resolved: bool | None = True,
    transfers: int | None = 0,
    department: str = "D1",
) -> list[Any]:
    """A row of fct_survey_responses."""
    return [
        f"R{number:05}", team, agent, survey_type, day, category, SCORES[category], "billing",
        "chat", at(day, minute), comment, is_resolved, transfers, department,
    ]  # fmt: skip


def answers(
    counts: Sequence[int], *, start: int, team: str = "North", day: dt.date = MONDAY
) -> list[list[Any]]:
    """So many detractors, passives and promoters of one team and day."""
    categories = [
        name
        for name, count in zip(("detractor", "passive", "promoter"), counts, strict=True)
        for _ in range(count)
    ]
    return [
        answer(start + place, category, team=team, day=day)
        for place, category in enumerate(categories)
    ]


class Pack(Marts):
    """The models of the pack, on answers of a test."""

    def of(
        self,
        rows: Sequence[Sequence[Any]],
        *,
        names: Sequence[tuple[str, str]] = (),
        rules: Sequence[Sequence[Any]] = RULES,
        as_of: dt.date = AS_OF,
        others: Mapping[str, Sequence[Sequence[Any]]] | None = None,
        marts: Sequence[str] | None = None,
    ) -> None:
        """Build everything anew.

        Args:
            rows: answers.
            names: team and name of agents.
            rules: of the seed huddle_actions.
            as_of: today.
            others: rows of detractor_cases, said_themes, pain_points, nps_drivers.
            marts: what is to be built, where not everything is.
        """
        self.fill_bands()
        days = [row[4] for row in rows] or [None]
        self.fill("as_of", [[as_of, min(days), max(days)]], INPUTS["as_of"])
        self.fill("fct_survey_responses", rows, RESPONSES)
        self.fill("huddle_actions", rules, INPUTS["huddle_actions"])
        for table in ("detractor_cases", "said_themes", "pain_points", "nps_drivers"):
            self.fill(table, (others or {}).get(table, ()), INPUTS[table])
        agents = [[f"A{place}", name] for place, (_, name) in enumerate(names)]
        self.fill("stg_agents", agents, INPUTS["stg_agents"])
        assigned = [[f"A{place}", team] for place, (team, _) in enumerate(names)]
        self.fill("stg_agent_assignments", assigned, INPUTS["stg_agent_assignments"])
        self.connection.execute(
            f"create or replace table team_name_words as {self.sql['team_name_words']}"
        )
        for mart in marts or self.marts:
            self.connection.execute(f"create or replace table {mart} as {self.sql[mart]}")

    def pack(self, team: str = "North", week: dt.date = MONDAY) -> Row:
        """One row of huddle_pack."""
        (row,) = self.rows(
            f"select * from huddle_pack where team = '{team}' and period_start = date '{week}'"
        )
        return row

    def comments(self, sign: str, team: str = "North") -> list[str]:
        """Comments of a sign in their order."""
        rows = self.rows(
            f"select comment from huddle_verbatims where sign = '{sign}' and team = '{team}' "
            "order by period_start, place"
        )
        return [row["comment"] for row in rows]


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return Pack(
        tmp_path_factory.mktemp("pack"),
        PACK,
        queries={"team_name_words": NAME_WORDS.read_text()},
        inputs=INPUTS,
        variables={"nps_min_responses": MINIMUM, "nps_huddle_comment_characters": 40},
    )


def adjusted(counts: Sequence[int]) -> tuple[float, float]:
    """Middle and standard error in points of the adjusted Wald interval (Rocks 2016).

    Args:
        counts: detractors, passives, promoters.
    """
    d, pa, p = counts[0] + 0.75, counts[1] + 1.5, counts[2] + 0.75
    n = d + pa + p
    score = (p - d) / n
    return 100 * score, 100 * math.sqrt(((p + d) / n - score**2) / n)


def nps(counts: Sequence[int]) -> float:
    return 100 * (counts[2] - counts[0]) / sum(counts)


# --- the headline -----------------------------------------------------------------------------

TEAMS: dict[str, list[Sequence[int]]] = {
    # Detractors, passives, promoters of five weeks in a row, the last is told of.
    "falls": [(2, 10, 40), (3, 10, 38), (2, 12, 40), (1, 9, 41), (40, 10, 5)],
    "rises": [(20, 5, 2), (22, 5, 1), (18, 5, 3), (20, 6, 2), (2, 4, 30)],
    "stays": [(10, 10, 20), (11, 10, 19), (10, 9, 21), (10, 11, 20), (10, 10, 21)],
    "few": [(1, 0, 0), (0, 0, 2), (0, 1, 0), (0, 0, 0), (0, 0, 1)],
    "small": [(1, 1, 3), (0, 1, 4), (1, 0, 3), (1, 1, 2), (2, 0, 3)],
    "new": [(0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0), (3, 4, 9)],
    "few before": [(0, 0, 0), (0, 0, 0), (0, 0, 0), (1, 2, 2), (3, 4, 9)],
    "gap": [(3, 3, 10), (2, 4, 11), (0, 0, 0), (0, 0, 0), (4, 4, 9)],
}


@dataclass(frozen=True)
class Weeks:
    """What the models make of TEAMS."""

    packs: Mapping[str, Row]
    changes: Sequence[Row]


@pytest.fixture(scope="module")
def weeks(pack: Pack) -> Weeks:
    rows: list[list[Any]] = []
    for team, counted in TEAMS.items():
        for place, counts in enumerate(counted):
            day = MONDAY + dt.timedelta(days=7 * (place - 4) + place)
            rows += answers(counts, start=len(rows), team=team, day=day)
    pack.of(rows)
    return Weeks(
        {team: pack.pack(team) for team in TEAMS}, pack.rows("select * from team_week_changes")
    )


def test_certainty_of_a_week(weeks: Weeks) -> None:
    assert {team: weeks.packs[team]["certainty"] for team in TEAMS} == {
        "falls": "down",
        "rises": "up",
        "stays": "no evidence",
        "few": "too few answers",
        "small": "too few answers",
        "new": "nothing to compare",
        "few before": "nothing to compare",
        "gap": "no evidence",
    }


def test_headlines_by_hand(weeks: Weeks) -> None:
    # few: one answer of ten, and three in the two weeks of the three before that have any: four.
    assert weeks.packs["few"]["headline"] == "Too few answers this week to tell (1)"
    # small: D 4, Pa 2, P 12 in the four weeks; S~ = 100 (12.75 - 4.75) / 21 = 38.1,
    # SE~ = 100 sqrt((17.5 / 21 - .381^2) / 21) = 18.10; 38.1 -+ 1.96 x 18.10.
    assert weeks.packs["small"]["headline"] == (
        "Too few answers this week to tell (5); the four weeks up to now: "
        "NPS 44 (95 % between 3 and 74) from 18 answers"
    )
    # new: D 3, Pa 4, P 9; S~ = 100 x 6 / 19 = 31.6,
    # SE~ = 100 sqrt((13.5 / 19 - .0997) / 19) = 17.9.
    assert weeks.packs["new"]["headline"] == (
        "NPS 38 (95 % between -4 and 67) from 16 answers; too few answers before it to compare with"
    )
    endings = {
        "falls": "; down against the four weeks before",
        "rises": "; up against the four weeks before",
        "stays": "; no evidence of a change against the four weeks before",
    }
    for team, ending in endings.items():
        assert weeks.packs[team]["headline"].endswith(ending)


def test_week_that_is_not_over_gets_no_verdict(pack: Pack) -> None:
    rows: list[list[Any]] = []
    for place, counts in enumerate(TEAMS["falls"]):
        day = MONDAY + dt.timedelta(days=7 * (place - 4))
        rows += answers(counts, start=len(rows), day=day)
    # The week ends on the day that is today: not over. A day later it is.
    pack.of(rows, as_of=MONDAY + dt.timedelta(days=6))
    row = pack.pack()
    assert (row["certainty"], row["four_weeks_before_verdict"]) == ("not over", "no evidence")
    assert row["headline"].endswith("; the week is not over")
    windows = pack.rows(
        f"select pooled_weeks from team_week_windows where period_start = date '{MONDAY}' "
        "and not is_complete"
    )
    assert [window["pooled_weeks"] for window in windows] == ["last_four_weeks"]
    pack.of(rows, as_of=MONDAY + dt.timedelta(days=7))
    assert pack.pack()["certainty"] == "down"


def test_minimum_counts_to_the_answer(pack: Pack) -> None:
    before = answers((0, 0, MINIMUM), start=0, day=MONDAY - dt.timedelta(days=7))
    for responses, certainty in ((MINIMUM - 1, "too few answers"), (MINIMUM, "down")):
        pack.of([*before, *answers((responses, 0, 0), start=100)])
        assert pack.pack()["certainty"] == certainty
    # One answer fewer before: nothing to compare with.
    pack.of([*before[1:], *answers((MINIMUM, 0, 0), start=100)])
    assert pack.pack()["certainty"] == "nothing to compare"


def test_one_answer_is_never_certain(pack: Pack) -> None:
    """A team of one answer, whatever its score, and whatever was before."""
    for category, score in (("promoter", "100"), ("detractor", "-100")):
        before = answers((0, 3, 20), start=0, day=MONDAY - dt.timedelta(days=7))
        pack.of([*before, answer(100, category)])
        row = pack.pack()
        assert row["certainty"] == "too few answers"
        assert score not in row["headline"]
        assert not row["is_reportable"]
        assert row["nps_ci_high"] - row["nps_ci_low"] > 90
        assert row["four_weeks_before_verdict"] == row["week_before_verdict"] == "no evidence"


def test_changes_against_scipy_and_statsmodels(weeks: Weeks) -> None:
    """Change, interval and p of both comparisons; adjusted over the teams of a week."""
    rows: list[Any] = list(weeks.changes)
    p_values: dict[tuple[Any, ...], dict[str, float]] = {}
    for row in rows:
        counted = TEAMS[row["team"]]
        week = 4 - (MONDAY - row["period_start"]).days // 7
        back = 1 if row["compared_with"] == "week_before" else 4
        others = [counts for counts in counted[max(0, week - back) : week] if sum(counts)]
        now, before = counted[week], [sum(column) for column in zip(*others, strict=True)]
        assert row["weeks_with_answers"] == len(others)
        assert row["earlier_responses"] == sum(before)
        assert row["earlier_nps"] == pytest.approx(nps(before), abs=EXACT)
        assert row["nps_change"] == pytest.approx(nps(now) - nps(before), abs=EXACT)
        (middle, error), (other_middle, other_error) = adjusted(now), adjusted(before)
        width = math.hypot(error, other_error)
        assert row["z_value"] == pytest.approx((middle - other_middle) / width, abs=EXACT)
        assert row["nps_change_ci_low"] == pytest.approx(
            middle - other_middle - Z * width, abs=EXACT
        )
        p_value = 2 * float(norm.sf(abs(middle - other_middle) / width))
        assert row["p_value"] == pytest.approx(p_value, rel=1e-9)
        assert row["is_testable"] == (sum(now) >= MINIMUM and sum(before) >= MINIMUM)
        if row["is_testable"]:
            p_values.setdefault((row["period_start"], row["compared_with"]), {})[row["team"]] = (
                p_value
            )
        else:
            assert row["adjusted_p_value"] is None
            assert row["verdict"] == "no evidence"
    tested = 0
    for (week_start, compared_with), by_team in p_values.items():
        expected = dict(
            zip(by_team, multipletests(list(by_team.values()), method="fdr_bh")[1], strict=True)
        )
        for row in rows:
            if (row["period_start"], row["compared_with"]) != (week_start, compared_with):
                continue
            if row["is_testable"]:
                tested += 1
                assert row["adjusted_p_value"] == pytest.approx(expected[row["team"]], rel=1e-9)
                significant = expected[row["team"]] < 0.05
                direction = "up" if row["nps_change"] > 0 else "down"
                assert row["verdict"] == (direction if significant else "no evidence")
    # Weeks without answers before them are compared with nothing; the rest is.
    assert len(rows) > tested > 20


# --- verbatims --------------------------------------------------------------------------------


def test_comments_are_chosen_by_the_rule(pack: Pack) -> None:
    longest = "0123456789 " * 3 + "1234567"
    assert len(longest) == 40
    rows = [
        answer(1, "promoter", comment="short"),
        answer(2, "promoter", comment=longest),
        answer(3, "promoter", comment=longest + "8"),  # too long to be read aloud
        answer(4, "promoter", comment="the very same words"),
        answer(5, "promoter", comment="The very same  words!", minute=5),  # newer
        answer(6, "promoter", comment=" … "),
        answer(7, "promoter", comment=None),
        answer(8, "passive", comment="neither of the two, and not chosen"),
        answer(9, "promoter", comment="the week before, and long", day=MONDAY - dt.timedelta(1)),
        answer(10, "promoter", comment="another team's, and long", team="South"),
    ]
    pack.of(rows)
    week = [row for row in pack.comments("positive") if "before" not in row]
    assert week == [longest, "The very same  words!", "short"]
    assert pack.comments("negative") == []
    assert [pack.pack()[f"verbatim_positive_{place}"] for place in (1, 2, 3)] == week
    assert pack.pack()["verbatim_negative_1"] is None
    # Too long ones only where there are not enough, the shortest first.
    # One without words is not one of them.
    pack.of([rows[0], rows[2], rows[5], answer(11, "promoter", comment="x" * 300)])
    assert pack.comments("positive") == ["short", longest + "8", "x" * 300]


def test_of_alike_comments_the_newest_then_the_first_key(pack: Pack) -> None:
    rows = [
        answer(1, "detractor", comment="aaaa bb", minute=1),
        answer(4, "detractor", comment="cccc dd", minute=2),
        answer(2, "detractor", comment="eeee ff", minute=2),
        answer(3, "detractor", comment="gggg hh", minute=0),
    ]
    for order in (rows, rows[::-1]):
        pack.of(order, marts=VERBATIMS)
        assert pack.comments("negative") == ["eeee ff", "cccc dd", "aaaa bb"]


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '=HYPERLINK("http://x","y")',
        "@SUM(A1:A9)",
        "-- '; drop table x",
        "{{ 7 * 7 }} ${7}",
        "\\1 $1 \\g<0> %s",
        "مرحبا ‮ 👍🏽\n\ttab",
        "␞ marks ␟ of ours",
    ],
)
def test_comment_stays_the_text_it_is(pack: Pack, text: str) -> None:
    """Nothing in a comment is taken for a command, by the models or by the masking of names."""
    named = f"{text} Ines"
    pack.of(
        [answer(1, "promoter", comment=text), answer(2, "detractor", comment=named)],
        names=[("North", "Inés O'Hara"), ("North", "Ines Q")],
        marts=VERBATIMS,
    )
    assert pack.comments("positive") == [text]
    if "␞" not in text:
        assert pack.comments("negative") == [f"{text} [agent]"]


@pytest.mark.parametrize(
    ("comment", "shown"),
    [
        ("Anna was great", "[agent] was great"),
        ("thanks anna!", "thanks [agent]!"),
        ("ANNA's help", "[agent]'s help"),
        ("Thanks, Anna Müller.", "Thanks, [agent]."),
        ("Frau Müller-Lüdenscheidt half", "Frau [agent]-[agent] half"),
        ("Annabel and Hanna", "Annabel and Hanna"),
        ("Mr McDonald, or Mcdonald", "Mr [agent], or [agent]"),
        ("Bo is too short a name", "Bo is too short a name"),
        ("Zoe is of another team", "Zoe is of another team"),
        # In letters nobody writes it in: not shown at all.
        ("AnNa hid the name", None),
    ],
)
def test_names_of_colleagues_are_taken_out(pack: Pack, comment: str, shown: str | None) -> None:
    names = [
        ("North", "Anna Müller-Lüdenscheidt"),
        ("North", "Bo McDonald"),
        ("South", "Zoe Zimmer"),
    ]
    pack.of([answer(1, "detractor", comment=comment)], names=names, marts=VERBATIMS)
    assert pack.comments("negative") == ([] if shown is None else [shown])
    # An answer without a team may speak of anybody.
    pack.of(
        [answer(1, "detractor", comment="Zoe, Anna", team="unknown")],
        names=names,
        marts=VERBATIMS,
    )
    assert pack.comments("negative", team="unknown") == ["[agent], [agent]"]


def test_list_of_people_is_not_read_out(pack: Pack) -> None:
    people = ["Ada", "Ben", "Cem", "Dora", "Emil", "Fritz", "Gerd"]
    names = [("North", name) for name in people]
    six, seven = " and ".join(people[:6]), " and ".join(people)
    pack.of(
        [answer(1, "promoter", comment=six), answer(2, "detractor", comment=seven)],
        names=names,
        marts=VERBATIMS,
    )
    assert pack.comments("positive") == [" and ".join(["[agent]"] * 6)]
    assert pack.comments("negative") == []


# --- the action -------------------------------------------------------------------------------


def test_first_rule_that_holds_is_suggested(pack: Pack) -> None:
    unresolved = [answer(n, "detractor", is_resolved=False, transfers=1) for n in (1, 2)]
    pack.of([*unresolved, answer(3, "promoter", is_resolved=False)])
    row = pack.pack()
    # Both subjects hold with two each: the first by name. A promoter's contact is not counted.
    assert [row[f"action_{name}"] for name in ("rule_id", "topic", "subject", "topic_value")] == [
        "resolve", "detractors", "transferred", 2,
    ]  # fmt: skip
    assert (row["action"], row["action_owner"]) == ("Resolve.", "team lead")
    pack.of([*unresolved, answer(3, "detractor", is_resolved=False, transfers=None)])
    assert (pack.pack()["action_subject"], pack.pack()["action_topic_value"]) == ("unresolved", 3)
    # One is not two; an unknown outcome is not an unresolved one.
    pack.of([unresolved[0], answer(3, "detractor", is_resolved=None)])
    row = pack.pack()
    assert (row["action_rule_id"], row["action_subject"]) == ("read", "too few answers")
    assert row["action_owner"] is None
    # Of equal priority the first by its id; a smaller number goes first.
    tied = [["b", 1, "headline", "*", 1, "B", ""], ["a", 1, "headline", "*", 1, "A", ""]]
    pack.of(unresolved, rules=[*RULES, *tied])
    assert pack.pack()["action_rule_id"] == "a"


def test_week_without_a_rule_that_holds_has_no_action(pack: Pack) -> None:
    pack.of([answer(1, "promoter")], rules=[])
    row = pack.pack()
    assert row["responses"] == 1
    assert row["action"] is row["action_rule_id"] is None


def test_change_of_the_headline_can_be_a_rule(weeks: Weeks) -> None:
    assert weeks.packs["falls"]["action_rule_id"] == "look_back"
    assert weeks.packs["stays"]["action_rule_id"] == "read"


# --- cases, pain point, praise, driver --------------------------------------------------------


def test_overdue_cases_at_the_end_of_each_week(pack: Pack) -> None:
    """Counted one by one, for cases that run out and are attended to at random."""
    chance = random.Random(7)
    now = at(dt.date(2025, 4, 16))
    cases: list[list[Any]] = []
    for _ in range(400):
        due = at(dt.date(2025, 1, 1)) + dt.timedelta(minutes=chance.randrange(180 * 1440))
        wait = dt.timedelta(minutes=chance.randrange(-9, 60) * 1440 + chance.randrange(1440))
        attended = due + wait if chance.random() < 0.6 and due + wait <= now else None
        team = chance.choice(["North", "South", "nobody answers"])
        cases.append([team, due, attended, attended is None and due < now])
    rows = [
        answer(10 * week + place, "passive", team=team, day=MONDAY + dt.timedelta(days=7 * week))
        for place, team in enumerate(("North", "South"))
        for week in (-8, -3, 0, 1, 6)
    ]
    pack.of(rows, as_of=now.date(), others={"detractor_cases": cases})
    found = pack.rows("select * from huddle_focus")
    assert len(found) == 10
    for row in found:
        begin = dt.datetime.combine(row["period_start"], dt.time())
        # The last of these weeks is not over.
        end = min(begin + dt.timedelta(days=7), now)
        overdue = [
            due
            for team, due, attended, _ in cases
            if team == row["team"] and due < end and (attended is None or attended >= end)
        ]
        assert row["overdue_cases"] == len(overdue)
        assert row["newly_overdue_cases"] == sum(due >= begin for due in overdue)
    assert sum(row["newly_overdue_cases"] for row in found) > 10


def test_pain_point_is_that_of_the_teams_department(pack: Pack) -> None:
    rows = [
        *(answer(n, "detractor", department="D2") for n in (1, 2)),
        *(answer(n, "detractor", department="D1") for n in (3, 4)),
        *(answer(n, "promoter", team="South", department="D9") for n in (5, 6)),
        answer(7, "promoter", team="South", department="D8"),
    ]
    week = ["all", "week", MONDAY]
    pains = [
        [*week, "D1", "waiting", "watch", 5, 1],
        [*week, "D1", "billing", "structural", 9, 2],
        [*week, "D2", "price", "structural", 9, 1],
        ["transactional", "week", MONDAY, "D1", "price", "noise", 3, 1],
        ["all", "month", MONDAY, "D1", "price", "noise", 3, 1],
        ["all", "week", MONDAY + dt.timedelta(7), "D1", "price", "noise", 3, 1],
    ]
    said = [
        ["North", MONDAY, "waiting", "waiting", -1, "detractor"],
        ["North", MONDAY, "waiting", "waiting", -1, "promoter"],
        ["North", MONDAY - dt.timedelta(1), "waiting", "waiting", -1, "detractor"],
        ["South", MONDAY, "waiting", "waiting", -1, "detractor"],
    ]
    pack.of(rows, others={"pain_points": pains, "said_themes": said})
    row = pack.pack()
    # As many answers of either: the first by key.
    assert row["department_id"] == "D1"
    assert [row[f"pain_point{part}"] for part in ("", "_class", "_mentions", "_team_mentions")] == [
        "waiting", "watch", 5, 2,
    ]  # fmt: skip
    row = pack.pack("South")
    assert (row["department_id"], row["pain_point"], row["pain_point_team_mentions"]) == (
        "D9", None, None,
    )  # fmt: skip


def test_praise_is_what_promoters_said_most(pack: Pack) -> None:
    said = [
        *(["North", MONDAY, "friendly", "attitude", 1, "promoter"] for _ in range(2)),
        *(["North", MONDAY, "easy", "effort", 1, "promoter"] for _ in range(2)),
        *(["North", MONDAY, "rude", "attitude", -1, "promoter"] for _ in range(3)),
        *(["North", MONDAY, "listened", "listens", 1, "detractor"] for _ in range(4)),
        ["South", MONDAY, "listened", "listens", 1, "passive"],
    ]
    pack.of(
        [answer(1, "promoter"), answer(2, "promoter", team="South")], others={"said_themes": said}
    )
    assert (pack.pack()["praise"], pack.pack()["praise_mentions"]) == ("easy", 2)
    assert pack.pack("South")["praise"] is None


@pytest.mark.parametrize(
    ("monday", "month"),
    [
        (dt.date(2025, 3, 24), dt.date(2025, 2, 1)),  # to 30 March
        (dt.date(2025, 3, 31), dt.date(2025, 3, 1)),
        (dt.date(2025, 8, 25), dt.date(2025, 8, 1)),  # to 31 August, the last day
        (dt.date(2024, 12, 30), dt.date(2024, 12, 1)),  # to 5 January
    ],
)
def test_driver_is_of_the_last_month_that_was_over(
    pack: Pack, monday: dt.date, month: dt.date
) -> None:
    def driver(start: dt.date, name: str, stake: float, **other: Any) -> list[Any]:
        row = {
            "survey_type": "all", "period_type": "month", "period_start": start,
            "scope_type": "department", "scope_id": "D1", "driver": name, "band": "long",
            "responses": 40, "verdict": "down", "difference": -20.0, "stake": stake,
        }  # fmt: skip
        return list((row | other).values())

    begins = [dt.date(2024 + n // 12, n % 12 + 1, 1) for n in range(24)]
    rows = [driver(start, f"{start:%Y-%m}", 2.0) for start in begins]
    rows += [driver(start, "less at stake", 1.0) for start in begins]
    rows += [driver(start, "better", 9.0, verdict="up") for start in begins]
    rows += [driver(start, "no evidence", 9.0, verdict="no evidence") for start in begins]
    rows += [driver(start, "other department", 9.0, scope_id="D2") for start in begins]
    rows += [driver(start, "company", 9.0, scope_type="company") for start in begins]
    rows += [driver(start, "relational", 9.0, survey_type="relational") for start in begins]
    rows += [driver(start, "quarter", 9.0, period_type="quarter") for start in begins]
    pack.of([answer(1, "passive", day=monday)], others={"nps_drivers": rows})
    row = pack.pack(week=monday)
    assert (row["driver_month"], row["driver"]) == (month, f"{month:%Y-%m}")
    assert (row["driver_band"], row["driver_responses"], row["driver_difference"]) == (
        "long", 40, -20.0,
    )  # fmt: skip


def test_every_topic_a_rule_can_ask_for(pack: Pack) -> None:
    others: dict[str, list[list[Any]]] = {
        "detractor_cases": [["North", at(dt.date(2025, 3, day)), None, True] for day in (1, 4, 5)],
        "said_themes": [
            ["North", MONDAY, "rude", "attitude", -1, "detractor"],
            ["North", MONDAY, "cold", "attitude", None, "detractor"],
            ["North", MONDAY, "rude", "attitude", -1, "passive"],
            ["North", MONDAY, "easy", "effort", 1, "promoter"],
            ["North", MONDAY, "easy", "effort", 1, "detractor"],
        ],
        "pain_points": [["all", "week", MONDAY, "D1", "rude", "structural", 8, 1]],
        "nps_drivers": [
            [
                "all",
                "month",
                dt.date(2025, 2, 1),
                "department",
                "D1",
                "hold_seconds",
                "long",
                44,
                *LOW,
            ]
        ],
    }
    pack.of([answer(1, "detractor", is_resolved=False, transfers=2)], others=others)
    rows = pack.rows("select topic, subject, topic_value from huddle_topics")
    assert {(row["topic"], row["subject"]): row["topic_value"] for row in rows} == {
        ("headline", "too few answers"): 1,
        ("detractors", "unresolved"): 1,
        ("detractors", "transferred"): 1,
        ("cases", "newly overdue"): 2,
        ("cases", "overdue"): 3,
        ("complaint", "attitude"): 2,
        ("praise", "effort"): 1,
        ("pain point", "structural"): 8,
        ("driver", "hold_seconds"): 44,
    }


def test_shipped_rules_ask_for_topics_that_there_are() -> None:
    """Words that no topic has would be a rule that never holds."""
    rules = seed("huddle_actions")
    families = {row["family"] for row in seed("comment_themes")}
    drivers = {row["driver"] for row in seed("driver_bands")}
    subjects = {
        "cases": {"newly overdue", "overdue"},
        "complaint": families,
        "praise": families,
        "driver": drivers,
        "pain point": {"structural", "watch", "noise"},
        "detractors": {"unresolved", "transferred"},
        "headline": {
            "too few answers", "not over", "nothing to compare", "no evidence", "up", "down",
        },
    }  # fmt: skip
    for rule in rules:
        assert rule["subject"] in subjects[rule["topic"]] | {"*"}, rule
    # The last one holds whatever the week was like.
    last = max(rules, key=lambda rule: int(rule["priority"]))
    assert (last["topic"], last["subject"], last["at_least"]) == ("headline", "*", "1")


# --- the whole pack ---------------------------------------------------------------------------


def test_nothing_gives_empty_tables(pack: Pack) -> None:
    pack.of([])
    for mart in pack.marts:
        assert pack.rows(f"select * from {mart}") == []


def test_unknown_team_is_kept(pack: Pack) -> None:
    rows = [
        answer(1, "promoter", team="unknown", agent="unknown"),
        answer(2, "detractor", team="unknown", survey_type="relational", agent="withheld"),
    ]
    pack.of(rows)
    assert pack.pack("unknown")["responses"] == 2
    (row,) = pack.rows(
        "select agents from team_scores where period_type = 'week' and survey_type = 'all'"
    )
    assert row["agents"] == 0


def test_same_bytes_in_any_order_on_any_threads(pack: Pack) -> None:
    rows: list[list[Any]] = []
    for team, counted in TEAMS.items():
        for place, counts in enumerate(counted):
            day = MONDAY + dt.timedelta(days=7 * (place - 4))
            rows += answers(counts, start=len(rows), team=team, day=day)
    for row in rows:
        row[10] = f"comment {int(row[0][1:]) % 7} Anna"
    others: dict[str, list[list[Any]]] = {
        "detractor_cases": [
            [team, at(dt.date(2025, 2, n + 1)), None, True] for n, team in enumerate(TEAMS)
        ],
        "said_themes": [
            [team, MONDAY, theme, "family", sign, category]
            for team in TEAMS
            for theme, sign, category in (("a", 1, "promoter"), ("b", 1, "promoter"))
        ],
        "pain_points": [["all", "week", MONDAY, "D1", "a", "watch", 8, 1]],
        "nps_drivers": [
            ["all", "month", dt.date(2025, 2, 1), "department", "D1", driver, "long", 44, *LOW]
            for driver in ("hold", "queue")
        ],
    }
    found = []
    for reverse, threads in ((1, 1), (-1, 4)):
        pack.connection.execute(f"set threads = {threads}")
        pack.of(
            rows[::reverse],
            names=[("stays", "Anna")],
            rules=RULES[::reverse],
            others={table: list(given)[::reverse] for table, given in others.items()},
        )
        found.append(pack.fingerprints())
    assert found[0] == found[1]


# --- scorecards of the sample -----------------------------------------------------------------


def period_of(day: dt.date, period_type: str) -> dt.date:
    if period_type == "week":
        return day - dt.timedelta(days=day.weekday())
    if period_type == "month":
        return day.replace(day=1)
    if period_type == "quarter":
        return day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)
    return day.replace(month=1, day=1)


PERIODS = ("week", "month", "quarter", "year")


def frame(build: Build, query: str) -> pd.DataFrame:
    return pd.DataFrame(build.dicts(query))


def by_period(facts: pd.DataFrame, day: str, *, survey_types: bool) -> pd.DataFrame:
    """Each fact once per period type, and per survey type and all together."""
    parts = []
    for period_type in PERIODS:
        starts = {date: period_of(date, period_type) for date in facts[day].unique()}
        part = facts.assign(period_type=period_type, period_start=facts[day].map(starts))
        parts.append(part.assign(survey_type="all"))
        if survey_types:
            parts.append(part)
    return pd.concat(parts)


KEYS = ["survey_type", "period_type", "period_start"]


@pytest.fixture(scope="module")
def facts(sample_build: Build) -> dict[str, pd.DataFrame]:
    responses = frame(
        sample_build,
        "select survey_type, period_date, agent_id, team, department_id, nps_contribution, "
        "csat_score, effort_score from marts.fct_survey_responses",
    )
    contacts = frame(
        sample_build,
        "select contact_date, agent_id, department_id, is_resolved, handle_seconds "
        "from marts.fct_contacts",
    )
    cases = frame(
        sample_build,
        "select period_date, department_id, is_within_sla from marts.detractor_cases",
    )
    return {
        "cases": by_period(cases, "period_date", survey_types=False),
        "responses": by_period(responses, "period_date", survey_types=True),
        "contacts": by_period(contacts, "contact_date", survey_types=False),
    }


def test_agents_own_figures(sample_build: Build, facts: dict[str, pd.DataFrame]) -> None:
    rows = frame(sample_build, "select * from marts.agent_scorecard where period_type <> 'all'")
    keys = [*KEYS, "agent_id"]
    own = facts["responses"].groupby(keys)
    expected = pd.DataFrame(
        {
            "responses": own["nps_contribution"].size(),
            "nps": 100 * own["nps_contribution"].mean(),
            "csat_observations": own["csat_score"].count(),
            "csat_value": own["csat_score"].mean(),
            "effort_value": own["effort_score"].mean(),
        }
    )
    found = rows.set_index(keys)
    assert len(found) == len(expected) > 5000
    joined = found.join(expected.add_suffix("_expected"))
    for column in expected:
        pd.testing.assert_series_equal(
            joined[column].astype(float),
            joined[f"{column}_expected"].astype(float),
            check_names=False,
            rtol=0,
            atol=EXACT,
        )
    contacts = facts["contacts"]
    contacts = contacts.assign(is_resolved=contacts["is_resolved"].astype("boolean"))
    theirs = contacts.groupby(["period_type", "period_start", "agent_id"])
    handled = pd.DataFrame(
        {
            "handle_seconds_value": theirs["handle_seconds"].mean(),
            "first_contact_resolution_value": 100 * theirs["is_resolved"].mean(),
        }
    )
    joined = rows.join(handled.add_suffix("_expected"), on=list(handled.index.names))
    for column in handled:
        pd.testing.assert_series_equal(
            joined[column].astype(float),
            joined[f"{column}_expected"].astype(float),
            check_names=False,
            rtol=1e-12,
        )


def test_agents_team_is_shown_from_three_agents_on(
    sample_build: Build, facts: dict[str, pd.DataFrame]
) -> None:
    rows = frame(sample_build, "select * from marts.agent_scorecard where period_type <> 'all'")
    responses = facts["responses"]
    keys = [*KEYS, "team"]
    teams = responses.groupby(keys).agg(
        responses=("nps_contribution", "size"), mean=("nps_contribution", "mean")
    )
    named = responses[~responses["agent_id"].isin(["unknown", "withheld"])]
    teams["agents"] = named.groupby(keys)["agent_id"].nunique()
    joined = rows.join(teams.add_suffix("_expected"), on=keys)
    is_shown = (joined["team"] != "unknown") & (joined["agents_expected"] >= 3)
    assert is_shown.sum() > 1000
    assert (~is_shown).sum() > 100
    hidden, shown = joined[~is_shown], joined[is_shown]
    assert (
        hidden[["team_agents", "team_responses", "team_nps", "team_nps_ci_low"]]
        .isna()
        .all(axis=None)
    )
    for column, expected in (
        ("team_agents", shown["agents_expected"]),
        ("team_responses", shown["responses_expected"]),
        ("team_nps", 100 * shown["mean_expected"]),
    ):
        assert (shown[column].astype(float) - expected).abs().max() < EXACT


def test_scorecard_says_of_agents_what_other_marts_say(sample_build: Build) -> None:
    (row,) = sample_build.rows(
        "select count(*), count(*) filter (scorecard.verdict is distinct from trends.verdict), "
        "count(*) filter (scorecard.shrunk_nps is distinct from ranking.shrunk_nps "
        "or scorecard.tie_group is distinct from ranking.tie_group "
        "or scorecard.vs_expected_verdict is distinct from ranking.vs_expected_verdict), "
        "count(*) filter (scorecard.department_id is distinct from scores.department_id), "
        "count(scorecard.shrunk_nps) "
        "from marts.agent_scorecard as scorecard "
        "left join marts.nps_trends as trends on trends.scope_type = 'agent' "
        "and trends.scope_id = scorecard.agent_id and trends.survey_type = scorecard.survey_type "
        "and trends.period_type = scorecard.period_type "
        "and trends.period_start = scorecard.period_start "
        "left join marts.agent_ranking as ranking on ranking.agent_id = scorecard.agent_id "
        "and ranking.survey_type = scorecard.survey_type "
        "and ranking.period_type = scorecard.period_type "
        "and ranking.period_start = scorecard.period_start "
        "left join marts.nps_by_agent as scores on scores.agent_id = scorecard.agent_id "
        "and scores.survey_type = scorecard.survey_type "
        "and scores.period_type = scorecard.period_type "
        "and scores.period_start = scorecard.period_start"
    )
    assert row[1:4] == (0, 0, 0)
    assert isinstance(row[4], int)
    assert row[4] > 1000


@functools.cache
def target_of(department: str, metric: str, day: dt.date) -> tuple[float, str] | None:
    """The department's own target in force, else the company's."""
    for scope_type, scope_id in (("department", department), ("company", "all")):
        found = [
            (dt.date.fromisoformat(row["valid_from"]), float(row["target"]))
            for row in seed("nps_targets")
            if (row["scope_type"], row["scope_id"], row["metric"]) == (scope_type, scope_id, metric)
            and dt.date.fromisoformat(row["valid_from"]) <= day
        ]
        if found:
            return max(found)[1], scope_type
    return None


def test_departments_against_their_targets(
    sample_build: Build, facts: dict[str, pd.DataFrame]
) -> None:
    rows = frame(
        sample_build, "select * from marts.department_scorecard where period_type <> 'all'"
    )
    (as_of,) = sample_build.rows("select as_of_date from categorized.as_of")[0]
    assert isinstance(as_of, dt.date)
    responses, contacts = facts["responses"], facts["contacts"]
    keys = [*KEYS, "department_id"]
    values: dict[tuple[Any, ...], tuple[float, int]] = {}
    for metric, table, column, times in (
        ("nps", responses, "nps_contribution", 100),
        ("csat", responses, "csat_score", 1),
        ("effort", responses, "effort_score", 1),
        ("first_contact_resolution", contacts, "is_resolved", 100),
        ("handle_seconds", contacts, "handle_seconds", 1),
        ("follow_up_sla", facts["cases"], "is_within_sla", 100),
    ):
        known = table.dropna(subset=[column]).astype({column: float})
        figures = known.groupby(keys)[column].agg(["mean", "size"])
        for key, mean, size in figures.itertuples():
            values[*key, metric] = (times * mean, size)
    own, usual, statuses = 0, 0, set()
    for row in rows.to_dict("records"):
        if row["metric"] != "response_rate":
            value, n = values.pop((*(row[k] for k in keys), row["metric"]))
            assert row["metric_value"] == pytest.approx(value, rel=1e-12, abs=EXACT)
            assert row["observations"] == n
        target = target_of(row["department_id"], row["metric"], min(row["period_end"], as_of))
        if target is None:
            assert pd.isna(row["target"])
            assert pd.isna(row["gap"])
            assert row["status"] is None
            continue
        assert (row["target"], row["target_scope_type"]) == target
        own += target[1] == "department"
        usual += target[1] == "company"
        sign = -1 if row["metric"] == "handle_seconds" else 1
        assert row["gap"] == pytest.approx(sign * (row["target"] - row["metric_value"]), abs=EXACT)
        status = "undecided"
        if row["is_complete"] and row["observations"] >= 30:
            ends = sorted((sign * row["value_ci_low"], sign * row["value_ci_high"]))
            if ends[0] >= sign * row["target"]:
                status = "met"
            elif ends[1] < sign * row["target"]:
                status = "missed"
        assert row["status"] == status
        statuses.add(status)
    # Every department that was observed has its row.
    assert values == {}
    assert own > 100
    assert usual > 1000
    assert statuses == {"met", "missed", "undecided"}


def test_one_interval_of_a_department(sample_build: Build) -> None:
    """The widest and narrowest share by statsmodels: shares have Wilson's interval."""
    rows: list[Any] = sample_build.dicts(
        "select * from marts.department_scorecard where metric = 'response_rate' "
        "and period_type = 'year' order by observations desc"
    )
    for row in rows[:20]:
        answered = round(row["metric_value"] * row["observations"] / 100)
        low, high = proportion_confint(answered, row["observations"], method="wilson")
        assert row["value_ci_low"] == pytest.approx(100 * low, abs=1e-9)
        assert row["value_ci_high"] == pytest.approx(100 * high, abs=1e-9)


def test_scorecard_and_targets_agree(sample_build: Build) -> None:
    """Where targets_gap and nps_targets_gap have the department, all three say the same."""
    for mart, where in (
        ("targets_gap", "true"),
        ("nps_targets_gap", "not gaps.is_rollup"),
    ):
        value = "metric_value" if mart == "targets_gap" else "nps"
        metric = "gaps.metric" if mart == "targets_gap" else "'nps'"
        ((count, differing),) = sample_build.rows(
            f"select count(*), count(*) filter (gaps.status <> scorecard.status "
            f"or gaps.target <> scorecard.target or gaps.gap <> scorecard.gap "
            f"or gaps.{value} <> scorecard.metric_value or scorecard.metric is null) "
            f"from marts.{mart} as gaps left join marts.department_scorecard as scorecard "
            f"on gaps.scope_id = scorecard.department_id and {metric} = scorecard.metric "
            "and gaps.survey_type = scorecard.survey_type "
            "and gaps.period_type = scorecard.period_type "
            "and gaps.period_start = scorecard.period_start "
            f"where gaps.scope_type = 'department' and {where}"
        )
        assert isinstance(count, int)
        assert count > 100
        assert differing == 0


def test_pack_of_the_sample_holds_every_answer(sample_build: Build) -> None:
    ((weeks, answers_counted, answers_given),) = sample_build.rows(
        "select count(*), sum(responses), (select count(*) from marts.fct_survey_responses) "
        "from marts.huddle_pack"
    )
    assert answers_counted == answers_given
    ((expected,),) = sample_build.rows(
        "select count(*) from (select team, date_trunc('week', period_date) as week "
        "from marts.fct_survey_responses group by all)"
    )
    assert weeks == expected
    ((unmasked,),) = sample_build.rows(
        "select count(*) from marts.huddle_verbatims as shown "
        "inner join marts.fct_survey_responses as facts using (response_id) "
        "where shown.comment <> facts.comment and shown.comment not like '%[agent]%'"
    )
    assert unmasked == 0


# --- names, and the business's own rules ------------------------------------------------------

TEXT_COLUMNS = (
    "select table_name, column_name from information_schema.columns "
    "where table_schema = 'marts' and data_type = 'VARCHAR' and table_name in ({})"
)
FRONTLINE = sorted(path.stem for path in (PROJECT / "models" / "marts" / "frontline").glob("*.sql"))


@pytest.mark.thorough
@pytest.mark.parametrize("identity", ["none", "pseudonym", "name"])
def test_no_name_is_in_any_text(tmp_path: Path, identity: str) -> None:
    """An agent whose name is in the list and in every comment, as attackers would have it."""
    raw = tmp_path / "raw"
    shutil.copytree(SAMPLE, raw)
    for table, old, new in (
        ("agents", b"Agent 0", b"Querida Xylander0"),
        # Not quoted: without a comma.
        ("survey_responses", b"really listened", b"really listened thanks to QUERIDA or querida"),
    ):
        path = raw / f"{table}.csv"
        delivered = path.read_bytes()
        assert old in delivered
        path.write_bytes(delivered.replace(old, new))
    build = built(
        tmp_path,
        raw_dir=raw,
        variables={"agent_identity": identity},
        environment={"NPS_AGENT_SALT": "salt"},
        arguments=(*MODELS_ONLY, "--select", "+path:models/marts/frontline"),
    )
    names = ", ".join(f"'{name}'" for name in FRONTLINE)
    columns = build.rows(TEXT_COLUMNS.format(names))
    assert len(columns) > 50
    for mart, column in columns:
        ((found,),) = build.rows(
            f"select count(*) from marts.{mart} "
            f"where {column} ilike '%querida%' or {column} ilike '%xylander%'"
        )
        # Who is shown by name is so in the scorecard, as oneself, and nowhere else.
        is_own = [identity, mart, column] == ["name", "agent_scorecard", "agent_name"]
        assert (found == 0) is not is_own, (mart, column)
    ((shown,),) = build.rows(
        "select count(*) from marts.huddle_verbatims "
        "where comment like '%thanks to [agent] or [agent]%'"
    )
    assert shown != 0


@pytest.mark.thorough
def test_business_sets_its_own_rules(sample_build: Build, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "huddle_actions.csv").write_text(
        "rule_id,priority,topic,subject,at_least,action,owner\n"
        "ours,5,headline,too few answers,1,Ask more customers.,survey team\n"
        "never,1,no such topic,*,1,Never.,\n"
    )
    warehouse = tmp_path / WAREHOUSE
    warehouse.write_bytes(sample_build.warehouse.read_bytes())
    build = run_dbt(
        tmp_path,
        seeds_dir=seeds,
        arguments=["--select", "huddle_actions", "huddle_suggestions", "huddle_pack"],
    )
    assert build.returncode == 0, build.output
    assert set(
        build.rows("select certainty, action_rule_id, action, action_owner from marts.huddle_pack")
    ) >= {("too few answers", "ours", "Ask more customers.", "survey team")}
    assert build.rows("select 1 from marts.huddle_pack where action_rule_id = 'never'") == []
