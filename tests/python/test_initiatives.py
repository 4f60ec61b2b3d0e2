"""Whether an initiative helped: against a second reading, published figures and planted cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import initiatives_reference as reference
import numpy as np
import pandas as pd
import pytest
from conftest import PROJECT
from initiatives_reference import Initiative, World
from marts_in_memory import Marts, Row
from statsmodels.stats.proportion import proportions_ztest

EXACT = 1e-7
DAYS = 60
CONTROLS = 3
FIRST = date(2024, 1, 1)
AS_OF = date(2025, 6, 1)
PARENTS = {"D1": None, "D2": "D1", "D3": "D1", "D4": None, "D5": "D4", "D6": "D4"}
LEAVES = ["D2", "D3", "D5", "D6"]

INITIATIVE_MARTS = [
    *(
        "windows",
        "days",
        "memberships",
        "touches",
        "scope_days",
        "member_windows",
        "controls",
        "sides",
        "counts",
    ),
    *("trends", "answers", "stratum_counts", "mix", "comparisons", "verdicts", "effects"),
    "pooled_weights",
    *("pooled_errors", "pooled_estimates", "effects_pooled", "theme_changes"),
]
PRACTICES = ["members", "everyone", "own", "differences"]
MARTS = [
    "counts/daily_response_counts",
    *(f"initiatives/initiative_{name}" for name in INITIATIVE_MARTS),
    *(f"frontline/best_practice_{name}" for name in PRACTICES),
    "frontline/best_practices",
]
RANKING = (
    "survey_type varchar, period_type varchar, period_start date, period_end date, "
    "vs_expected_verdict varchar, responses bigint, nps double, expected_nps double, "
    "nps_vs_expected double, vs_expected_ci_low double, vs_expected_ci_high double, "
)
INPUTS = {
    "stg_initiatives": (
        "initiative_id varchar, initiative_name varchar, scope_type varchar, scope_id varchar, "
        "started_on date, ended_on date"
    ),
    "categorized_channels": "source_channel varchar, channel varchar",
    "as_of": "as_of_date date, first_response_date date, last_response_date date",
    "dim_dates": "date_day date",
    "dim_departments": "department_id varchar, department_level integer",
    "department_ancestors": "department_id varchar, ancestor_id varchar, levels_above integer",
    "agent_ranking": RANKING + "agent_id varchar, agent_name varchar",
    "department_ranking": RANKING + "department_id varchar, department_name varchar",
    "site_ranking": RANKING + "site varchar",
    "said_themes": "response_id varchar, theme varchar",
    "fct_survey_responses": (
        "response_id varchar, comment varchar, department_id varchar, agent_id varchar, "
        "team varchar, channel varchar, site varchar, "
        "product_line varchar, segment varchar, contact_reason varchar, survey_channel varchar, "
        "language varchar, weekday integer, hour integer, period_date date, survey_type varchar, "
        "nps_category varchar, queue_seconds double, hold_seconds double, handle_seconds double, "
        "transfers integer, is_resolved boolean"
    ),
}
CATEGORIZED = "models/categorized/initiatives/categorized_initiatives.sql"
CASE = (
    "b double, b_se double, a double, a_se double, cb double, cb_se double, ca double, ca_se double"
)
QUERIES = {
    "categorized_initiatives": (PROJECT / CATEGORIZED).read_text(encoding="utf-8"),
    "did": """
        select
            {{ difference_in_differences('b', 'a', 'cb', 'ca') }} as did,
            {{ did_standard_error('b_se', 'a_se', 'cb_se', 'ca_se') }} as error
        from given
    """,
}


def drawn(seed: int = 1, per_day: float = 0.9) -> pd.DataFrame:
    """Answers of twelve agents in six teams and four departments, who differ and do not change."""
    random = np.random.default_rng(seed)
    agents = [f"A{number:02}" for number in range(12)]
    better = random.uniform(-0.15, 0.15, len(agents))
    days = (AS_OF - FIRST).days + 1
    counts = random.poisson(per_day, (len(agents), days))
    agent, day = (np.repeat(where, counts[counts > 0]) for where in np.nonzero(counts))
    n = len(agent)
    channel = random.choice(["phone", "chat", "email"], n, p=[0.5, 0.3, 0.2])
    reason = random.choice(["bill", "fault"], n)
    score = 0.1 + better[agent] + np.where(reason == "bill", -0.1, 0.1)
    promoters = 0.35 + score / 2
    u = random.uniform(size=n)
    category = np.where(u < promoters, "promoter", np.where(u < promoters + 0.25, "passive", ""))
    frame = pd.DataFrame(
        {
            "department_id": np.array(LEAVES)[agent // 3],
            "agent_id": np.array(agents)[agent],
            "team": np.array([f"T{number}" for number in range(6)])[agent // 2],
            "channel": channel,
            "site": np.where(agent < 6, "north", "south"),
            "product_line": random.choice(["mobile", "internet"], n),
            "segment": "all",
            "contact_reason": reason,
            "survey_channel": "email",
            "language": "en",
            "weekday": 1,
            "hour": 9,
            "period_date": [FIRST + timedelta(days=int(number)) for number in day],
            "survey_type": "transactional",
            "nps_category": np.where(category == "", "detractor", category),
            "queue_seconds": np.round(random.exponential(60, n)),
            "hold_seconds": np.round(random.exponential(30, n)),
            "handle_seconds": np.round(random.exponential(400, n)),
            "transfers": random.poisson(0.3, n),
            "is_resolved": random.uniform(size=n) < 0.8,
        }
    )
    # Some answers are of no contact.
    loose = frame.sample(frac=0.05, random_state=seed).assign(survey_type="relational")
    for column in ("department_id", "agent_id", "team", "channel", "site", "contact_reason"):
        loose[column] = "unknown"
    every = pd.concat([frame, loose], ignore_index=True)
    return every.assign(response_id=every.index.map("R{}".format), comment=None)


def turned(answers: pd.DataFrame, chosen: pd.Series, share: float, seed: int = 5) -> pd.DataFrame:
    """The same answers, where a share of the chosen detractors are promoters."""
    random = np.random.default_rng(seed)
    hit = chosen & (answers["nps_category"] == "detractor")
    hit &= random.uniform(size=len(answers)) < share
    return answers.assign(nps_category=answers["nps_category"].mask(hit, "promoter"))


def since(answers: pd.DataFrame, first: date) -> pd.Series:
    return answers["period_date"] >= first


def world(answers: pd.DataFrame, as_of: date = AS_OF) -> World:
    return World(answers, PARENTS, as_of, DAYS, CONTROLS)


class Company:
    """The marts on a world."""

    def __init__(self, marts: Marts) -> None:
        self.marts = marts

    def judge(
        self, of: World, initiatives: Sequence[Initiative], mart: str = "initiative_effects"
    ) -> dict[str, Row]:
        """Rows of a mart about all answers, by initiative (or its name)."""
        marts = self.marts
        marts.fill(
            "stg_initiatives",
            [
                [i.id, i.name, i.scope_type, i.scope_id, i.started_on, i.ended_on]
                for i in initiatives
            ],
        )
        channels = [[name.upper(), name] for name in sorted(set(of.answers["channel"]))]
        marts.fill("categorized_channels", channels)
        span = [min(of.answers["period_date"]), max(of.answers["period_date"])]
        marts.fill("as_of", [[of.as_of, *span]])
        marts.connection.execute(
            "create or replace table dim_dates as select cast(range as date) as date_day "
            "from range(date '2024-01-01', date '2026-01-01', interval '1 day')"
        )
        levels = [[each, of.level(each)] for each in of.parents]
        marts.fill("dim_departments", [*levels, ["unknown", 0]])
        ancestors = [
            [below, above, of.level(below) - of.level(above)]
            for above in of.parents
            for below in sorted(of.family(above))
        ]
        marts.fill("department_ancestors", ancestors)
        for ranking in ("agent", "department", "site"):
            marts.fill(f"{ranking}_ranking", [])
        marts.fill("said_themes", [])
        marts.fill("fct_survey_responses", [])
        frame = of.answers
        marts.connection.register("frame", frame)
        marts.connection.execute("insert into fct_survey_responses by name from frame")
        marts.connection.unregister("frame")
        marts.connection.execute(
            "create or replace table categorized_initiatives as "
            + marts.sql["categorized_initiatives"]
        )
        self.build(mart)
        key = "initiative_name" if mart.endswith("pooled") else "initiative_id"
        rows = marts.rows(f"select * from {mart} where survey_type = 'all'")
        assert len({row[key] for row in rows}) == len(rows)
        return {row[key]: row for row in rows}

    def build(self, last: str) -> None:
        """The marts up to one of them, or all."""
        every = self.marts.marts
        self.marts.marts = every[: every.index(last) + 1]
        self.marts.build()
        self.marts.marts = every

    def one(self, of: World, initiative: Initiative, *others: Initiative) -> Row:
        return self.judge(of, [initiative, *others])[initiative.id]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    variables = {"nps_initiative_days": DAYS, "nps_initiative_controls": CONTROLS}
    folder: Path = tmp_path_factory.mktemp("initiatives")
    marts = Marts(folder, MARTS, queries=QUERIES, inputs=INPUTS, variables=variables)
    for name, columns in INPUTS.items():
        marts.fill(name, [], columns)
    marts.fill = _filling(marts)  # type: ignore[method-assign]
    return Company(marts)


def _filling(marts: Marts) -> Any:
    plain = marts.fill

    def fill(table: str, rows: Sequence[Sequence[Any]], columns: str | None = None) -> None:
        plain(table, rows, columns or INPUTS.get(table))

    return fill


START = date(2025, 1, 15)
ONE = Initiative("N1", "department", "D2", START)
CASES = [
    ONE,
    Initiative("N2", "company", "everybody", START),
    Initiative("N3", "channel", "Phone", date(2025, 2, 1), date(2025, 2, 20)),
    Initiative("N4", "team", "T4", date(2024, 11, 1), date(2024, 11, 12)),
    Initiative("N5", "agent", "A03", date(2025, 3, 1)),
    Initiative("N6", "site", "north", date(2024, 9, 1)),
    Initiative("N7", "product_line", "mobile", date(2024, 12, 1)),
    Initiative("N8", "department", "D1", date(2024, 8, 1), date(2024, 8, 31)),
    Initiative("N9", "department", "D5", date(2025, 4, 20)),  # not over
    Initiative("N10", "agent", "A07", date(2024, 1, 20)),  # little before it
    Initiative("N11", "agent", "A01", date(2025, 1, 5), date(2025, 1, 9)),
    Initiative("N12", "team", "T9", START),  # nobody
    Initiative("N13", "unknown", "D2", START),
    Initiative("N14", "agent", "A02", None),
    Initiative("N15", "department", "D6", date(2026, 1, 1)),  # to come
]


# --- published figures ------------------------------------------------------------------------


def test_published_difference_in_differences(company: Company) -> None:
    """Card and Krueger (1994), American Economic Review 84, table 3, row 4.

    Employment of fast-food restaurants in New Jersey changed by 0.59 (0.54), in Pennsylvania by
    -2.16 (1.25): a difference of 2.76 (1.36), of figures that are rounded.
    """
    (row,) = company.marts.run("did", CASE, [[0, 0.54, 0.59, 0, 0, 1.25, -2.16, 0]])
    assert row["did"] == pytest.approx(2.76, abs=0.011)
    assert row["error"] == pytest.approx(1.36, abs=0.005)


# --- a second reading -------------------------------------------------------------------------


def shown(initiative: Initiative) -> Initiative:
    """As the facts show it."""
    if initiative.scope_type == "channel":
        return replace(initiative, scope_id=initiative.scope_id.lower())
    return initiative


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.thorough)])
def test_effects_are_those_of_a_second_reading(company: Company, seed: int) -> None:
    of = world(drawn(seed))
    ours = company.judge(of, CASES)
    assert ours.keys() == {case.id for case in CASES}
    measured = 0
    known = [shown(case) for case in CASES if case.scope_type != "unknown"]
    for case in known:
        expected = reference.effect(of, case, known)
        row = ours[case.id]
        measured += "difference_in_differences" in expected
        assert row["window_days"] == expected.get("window_days")
        for name, figure in expected.items():
            if figure is None or isinstance(figure, bool | str):
                assert row[name] == figure, (case.id, name)
            else:
                assert row[name] == pytest.approx(figure, rel=0, abs=EXACT), (case.id, name)
        if "mix_effect" in expected:
            assert row["mix_adjusted_change"] + row["mix_effect"] == pytest.approx(
                row["nps_change"], abs=EXACT
            )
    assert measured >= 8


def test_every_initiative_has_its_windows(company: Company) -> None:
    """By hand: the days of the two windows, cut to what there is."""
    company.judge(world(drawn()), CASES)
    rows = company.marts.rows("select * from initiative_windows")
    found = {
        row["initiative_id"]: (
            row["before_start"],
            row["before_end"],
            row["after_start"],
            row["after_end"],
        )
        for row in rows
    }
    day = date.fromisoformat
    assert found["N1"] == tuple(map(day, ("2024-11-16", "2025-01-14", "2025-01-15", "2025-03-15")))
    # Switched off after twenty days.
    assert found["N3"] == tuple(map(day, ("2025-01-12", "2025-01-31", "2025-02-01", "2025-02-20")))
    # A training: its twelve days are in neither window.
    assert found["N4"] == tuple(map(day, ("2024-09-02", "2024-10-31", "2024-11-13", "2025-01-11")))
    # 42 whole days so far, of 60.
    assert found["N9"] == tuple(map(day, ("2025-03-09", "2025-04-19", "2025-04-20", "2025-05-31")))
    # 19 days of answers before.
    assert found["N10"] == tuple(map(day, ("2024-01-01", "2024-01-19", "2024-01-20", "2024-02-07")))
    assert found["N14"] == found["N15"] == (None, None, None, None)


# --- verdicts ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def helped() -> World:
    """Half the detractors of department D2 turn when it begins; nothing else happens."""
    answers = drawn(3)
    return world(turned(answers, (answers["department_id"] == "D2") & since(answers, START), 0.5))


def test_what_helped_and_what_hurt(company: Company, helped: World) -> None:
    row = company.one(helped, ONE)
    assert (row["verdict"], row["cannot_tell_because"]) == ("helped", None)
    assert row["did_ci_low"] > 0
    flip = {"promoter": "detractor", "detractor": "promoter", "passive": "passive"}
    hurt = helped.answers.assign(nps_category=helped.answers["nps_category"].map(flip))
    row = company.one(replace(helped, answers=hurt), ONE)
    assert (row["verdict"], row["cannot_tell_because"]) == ("hurt", None)


@pytest.mark.thorough
def test_a_placebo_is_within_chance(company: Company) -> None:
    row = company.one(world(drawn(3)), ONE)
    assert (row["verdict"], row["cannot_tell_because"]) == ("can't tell", "within chance")


def test_what_happened_to_everybody_is_no_effect(company: Company) -> None:
    """Before and after differ beyond doubt; so they do for the control."""
    answers = drawn(3)
    row = company.one(world(turned(answers, since(answers, START), 0.5)), ONE)
    assert row["p_value"] < 0.001
    assert row["nps_change_ci_low"] > 0
    assert row["cannot_tell_because"] == "within chance"


def test_a_company_has_no_control(company: Company, helped: World) -> None:
    row = company.one(helped, Initiative("N", "company", "company", START))
    assert (row["scope_id"], row["control_members"], row["controls"]) == ("all", 0, None)
    assert row["difference_in_differences"] is None
    assert row["cannot_tell_because"] == "no control"
    assert row["nps_change"] is not None


@pytest.mark.thorough
def test_window_that_is_not_over(company: Company, helped: World) -> None:
    last = START + timedelta(days=DAYS)
    before = helped.answers[helped.answers["period_date"] < last]
    row = company.one(replace(helped, answers=before, as_of=last - timedelta(days=1)), ONE)
    assert row["cannot_tell_because"] == "window not over"
    assert row["window_days"] == DAYS - 1
    assert row["difference_in_differences"] is not None
    row = company.one(replace(helped, answers=before, as_of=last), ONE)
    assert (row["verdict"], row["window_days"]) == ("helped", DAYS)


@pytest.mark.parametrize("side", [pytest.param("before", marks=pytest.mark.thorough), "after"])
@pytest.mark.thorough
def test_too_few_answers(company: Company, helped: World, side: str) -> None:
    inside = helped.answers["period_date"].between(
        *((START - timedelta(days=DAYS), START - timedelta(days=1)) if side == "before"
          else (START, START + timedelta(days=DAYS - 1)))
    )  # fmt: skip
    own = (helped.answers["department_id"] == "D2") & inside
    for kept, reason in ((29, "too few answers"), (30, None)):
        dropped = helped.answers.index[own][kept:]
        row = company.one(replace(helped, answers=helped.answers.drop(dropped)), ONE)
        assert row[f"{side}_responses"] == kept
        assert (row["cannot_tell_because"] == "too few answers") == (reason is not None)


@pytest.mark.thorough
def test_no_control_is_left(company: Company, helped: World) -> None:
    others = [
        Initiative(f"O{name}", "department", name, START - timedelta(days=3))
        for name in LEAVES
        if name != "D2"
    ]
    row = company.one(helped, ONE, *others)
    assert (row["control_members"], row["cannot_tell_because"]) == (0, "no control")
    # With one left, it is the control.
    row = company.one(helped, ONE, *others[1:])
    assert (row["controls"], row["cannot_tell_because"] == "no control") == ("D3", False)
    # Unless it has no answers in a window, or too few before both.
    day = helped.answers["period_date"]
    own = helped.answers["department_id"] == "D3"
    windows = {
        "before": day.between(START - timedelta(days=DAYS), START - timedelta(days=1)),
        "after": day.between(START, START + timedelta(days=DAYS - 1)),
        "history": day < START - timedelta(days=DAYS),
    }
    for name, inside in windows.items():
        kept = helped.answers[~(own & inside)]
        row = company.one(replace(helped, answers=kept), ONE, *others[1:])
        assert row["control_members"] == 0, name


@pytest.mark.parametrize(
    ("started", "ended", "scope_id", "overlaps"),
    [
        pytest.param(*(-61, -61, "D2", False), marks=pytest.mark.thorough),
        (-60, None, "D2", True),
        (59, None, "D2", True),
        pytest.param(*(60, None, "D2", False), marks=pytest.mark.thorough),
        pytest.param(*(-300, None, "D2", False), marks=pytest.mark.thorough),  # there all the time
        pytest.param(*(-300, -60, "D2", True), marks=pytest.mark.thorough),
        pytest.param(*(-300, 59, "D2", True), marks=pytest.mark.thorough),
        pytest.param(*(-300, 60, "D2", False), marks=pytest.mark.thorough),
        (5, None, "D1", True),  # above it
        pytest.param(*(5, None, "D5", False), marks=pytest.mark.thorough),
    ],
)
def test_another_initiative_overlaps(
    company: Company, helped: World, started: int, ended: int | None, scope_id: str, overlaps: bool
) -> None:
    other = Initiative(
        "N2",
        "department",
        scope_id,
        START + timedelta(days=started),
        None if ended is None else START + timedelta(days=ended),
    )
    row = company.one(helped, ONE, other)
    assert row["overlapping_initiatives"] == int(overlaps)
    assert row["cannot_tell_because"] == ("another initiative overlaps" if overlaps else None)


def test_a_change_of_the_department_overlaps_with_a_training_in_it(company: Company) -> None:
    of = world(drawn(3))
    training = Initiative("N1", "agent", "A01", START, START)
    department = Initiative("N2", "department", "D2", START + timedelta(days=9))
    for other, scope_id, overlaps in (
        (department, "D2", 1),
        (department, "D1", 1),  # the one above it
        (department, "D3", 0),
        (Initiative("N2", "team", "", START - timedelta(days=9)), "T0", 1),
        (Initiative("N2", "team", "", START - timedelta(days=9)), "T1", 0),
        (Initiative("N2", "agent", "", START), "A02", 0),
    ):
        row = company.one(of, training, replace(other, scope_id=scope_id))
        assert row["overlapping_initiatives"] == overlaps, scope_id
        # Nor do those that it is done to serve as control.
        assert not {"A00", "A01", "A02"} & set(row["controls"].split(", ")) or scope_id != "D2"


def test_trends_that_are_not_parallel(company: Company, helped: World) -> None:
    """The department had been falling for months before."""
    own = helped.answers["department_id"] == "D2"
    day = helped.answers["period_date"]
    answers = helped.answers
    for number in range(1, 5):
        early = (day >= START - timedelta(days=number * DAYS)) & (
            day < START - timedelta(days=(number - 1) * DAYS)
        )
        answers = turned(answers, own & early, (number - 1) * 0.3)
    row = company.one(replace(helped, answers=answers), ONE)
    assert row["cannot_tell_because"] == "trends not parallel"
    assert row["trend_difference"] < 0
    assert row["trend_p_value"] < 0.05


@pytest.mark.thorough
def test_too_little_history(company: Company, helped: World) -> None:
    """Answers begin with the window before: nobody knows how the two moved until then."""
    short = helped.answers[since(helped.answers, START - timedelta(days=DAYS))]
    row = company.one(replace(helped, answers=short), ONE)
    assert row["cannot_tell_because"] == "no control"
    # One window more, and there is a control and a slope.
    longer = helped.answers[since(helped.answers, START - timedelta(days=2 * DAYS))]
    row = company.one(replace(helped, answers=longer), ONE)
    assert row["history_windows"] == 2
    assert row["cannot_tell_because"] in (None, "trends not parallel")
    # A control that is known is no use where the treated is not.
    early = ~since(helped.answers, START - timedelta(days=DAYS))
    own = helped.answers.index[early & (helped.answers["department_id"] == "D2")]
    row = company.one(replace(helped, answers=helped.answers.drop(own[:-29])), ONE)
    assert row["history_windows"] == 1
    assert (row["trend_p_value"], row["cannot_tell_because"]) == (None, "too little history")


@pytest.mark.thorough
def test_agents_that_are_not_shown(company: Company) -> None:
    answers = drawn(3)
    hidden = answers.assign(
        agent_id=answers["agent_id"].where(answers["agent_id"] == "?", "withheld")
    )
    row = company.one(world(hidden), Initiative("N", "agent", "withheld", START))
    assert (row["before_responses"], row["cannot_tell_because"]) == (0, "agents are not shown")


def test_unknown_scope_or_start(company: Company, helped: World) -> None:
    rows = company.judge(helped, CASES)
    for case in ("N13", "N14"):
        assert rows[case]["cannot_tell_because"] == "scope or start unknown"
    assert rows["N12"]["cannot_tell_because"] == "too few answers"
    assert rows["N15"]["cannot_tell_because"] == "window not over"


# --- staggered starts -------------------------------------------------------------------------

STAGGERED = [
    Initiative(
        f"S{number}",
        "agent",
        f"A{number:02}",
        date(2024, 10, 1) + timedelta(days=20 * number),
        date(2024, 10, 2) + timedelta(days=20 * number),
        "Training: listening",
    )
    for number in range(7)
]


def test_who_is_trained_later_is_a_control_until_then(company: Company) -> None:
    of = world(drawn(4))
    company.judge(of, STAGGERED)
    rows = company.marts.rows("select initiative_id, control_id from initiative_controls")
    chosen = {(row["initiative_id"], row["control_id"]) for row in rows}
    by_id = {case.id: case for case in STAGGERED}
    trained = {case.scope_id: case for case in STAGGERED}
    later = 0
    for initiative_id, control in chosen:
        if control in trained:
            span = reference.span(of, by_id[initiative_id])
            assert span is not None
            other = trained[control].started_on
            assert other is not None
            # Not yet trained when the window ends, never trained before.
            assert other > span.window(0)[1]
            later += 1
    assert later > 0


def answers_of(of: World, cases: Sequence[Initiative]) -> tuple[float, float]:
    """The pooled effect and its error as a weighted sum of answers, in a matrix of all of them."""
    value = of.answers["nps_category"].map(reference.CONTRIBUTION).to_numpy(dtype=float)
    total = np.zeros(len(value))
    coefficients, weights = [], []
    for case in cases:
        span = reference.span(of, case)
        assert span is not None
        own = np.zeros(len(value))
        names = reference.controls(of, case, cases)
        for members, sign in (([case.scope_id], 1), (names, -1)):
            for number, when in ((0, 1), (-1, -1)):
                chosen = of.answers["agent_id"].isin(members).to_numpy(copy=True)
                chosen &= of.answers["period_date"].between(*span.window(number)).to_numpy()
                own[chosen] += sign * when / chosen.sum()
                if sign == 1 and number == 0:
                    weights.append(chosen.sum())
        coefficients.append(own)
    for own, weight in zip(coefficients, weights, strict=True):
        total += own * weight / sum(weights)
    # An answer whose part cancels out, of a control before and after, counts as one of the pool.
    used = value[np.any(np.array(coefficients) != 0, axis=0)]
    spread = (reference.adjusted(used)[1] / 100) ** 2 * (len(used) + 3)
    return 100 * float(total @ value), 100 * float(np.sqrt(spread * (total**2).sum()))


def test_staggered_starts_are_pooled_answer_by_answer(company: Company) -> None:
    of = world(drawn(4))
    rows = company.judge(of, [*STAGGERED, ONE], "initiative_effects_pooled")
    assert rows.keys() == {"Training: listening"}
    row = rows["Training: listening"]
    assert (row["initiatives"], row["pooled_initiatives"]) == (7, 7)
    effect, error = answers_of(of, STAGGERED)
    assert row["difference_in_differences"] == pytest.approx(effect, abs=EXACT)
    assert row["did_standard_error"] == pytest.approx(error, abs=1e-5)
    singles = company.marts.rows(
        "select sum(pool_weight) as whole, sum(pool_weight * did) as did "
        "from initiative_pooled_weights where survey_type = 'all'"
    )
    assert singles[0]["whole"] == pytest.approx(1, abs=EXACT)
    assert singles[0]["did"] == pytest.approx(effect, abs=EXACT)


@pytest.mark.thorough
def test_a_training_that_helped_all_of_them(company: Company) -> None:
    """Each alone has too few answers to tell; all together it can be told."""
    answers = drawn(4, per_day=0.45)
    trained = pd.Series(False, index=answers.index)
    for case in STAGGERED:
        assert case.ended_on is not None
        trained |= (answers["agent_id"] == case.scope_id) & since(answers, case.ended_on)
    of = world(turned(answers, trained, 0.6))
    row = company.judge(of, STAGGERED, "initiative_effects_pooled")["Training: listening"]
    assert row["verdict"] == "helped"
    reasons = company.marts.rows(
        "select count(*) as n from initiative_effects "
        "where survey_type = 'all' and cannot_tell_because = 'too few answers'"
    )
    assert reasons[0]["n"] > 0


@pytest.mark.thorough
def test_no_effect_is_seldom_called_one(company: Company) -> None:
    """Where nothing changes, z is standard normal, of one initiative and of pooled ones."""
    singles, pooled, called = [], [], 0
    for seed in range(60):
        of = world(drawn(1000 + seed))
        row = company.judge(of, [*STAGGERED, ONE], "initiative_effects_pooled")
        whole = row["Training: listening"]
        pooled.append(whole["difference_in_differences"] / whole["did_standard_error"])
        rows = company.marts.rows("select * from initiative_effects where survey_type = 'all'")
        singles += [row["did_z_value"] for row in rows]
        called += sum(row["verdict"] != "can't tell" for row in rows)
    assert called / len(singles) <= 0.05
    for zs in (singles, pooled):
        # Within four standard errors of the share that chance gives.
        far = np.mean(np.abs(zs) > 1.96)
        assert abs(far - 0.05) < 4 * np.sqrt(0.05 * 0.95 / len(zs)), far
        assert abs(np.std(zs) - 1) < 4 / np.sqrt(2 * len(zs))


# --- themes -----------------------------------------------------------------------------------


def test_themes_that_moved(company: Company, helped: World) -> None:
    """Of comments in the department: a theme that vanishes, and one that stays."""
    answers = helped.answers.assign(comment="said")
    own = (answers["department_id"] == "D2").to_numpy()
    before = answers["period_date"].between(START - timedelta(days=DAYS), START - timedelta(days=1))
    after = answers["period_date"].between(START, START + timedelta(days=DAYS - 1))
    ids = answers["response_id"]
    gone, stays = ids[own & before][::3], ids[own & (before | after)][::4]
    told = [[each, "bills"] for each in gone] + [[each, "waiting"] for each in stays]
    elsewhere = [[each, "bills"] for each in ids[~own & after]]
    company.judge(replace(helped, answers=answers), [ONE])
    company.marts.fill("said_themes", told + elsewhere)
    company.build("initiative_theme_changes")
    rows = {row["theme"]: row for row in company.marts.rows("from initiative_theme_changes")}
    sizes = [int((own & window).sum()) for window in (before, after)]
    bills = rows["bills"]
    assert [bills["before_comments"], bills["after_comments"]] == sizes
    assert (bills["before_mentions"], bills["after_mentions"]) == (len(gone), 0)
    assert (bills["moved"], rows["waiting"]["moved"]) == ("fewer", "no evidence")
    z, p = proportions_ztest([0, len(gone)], sizes[::-1])
    assert z < 0
    assert bills["p_value"] == pytest.approx(p, rel=1e-6)
    assert bills["share_change"] == pytest.approx(-100 * len(gone) / sizes[0])


# --- nothing, and the same bytes --------------------------------------------------------------


def test_no_initiatives_and_no_answers(company: Company) -> None:
    of = world(drawn(1))
    assert company.judge(of, [], "initiative_effects_pooled") == {}
    company.build("initiative_theme_changes")
    for name in set(INITIATIVE_MARTS) - {"memberships"}:
        assert company.marts.rows(f"select * from initiative_{name}") == [], name
    # Without an answer there are no windows, and still a row.
    marts = company.marts
    marts.fill("stg_initiatives", [["N", None, "department", "D2", START, None]])
    marts.connection.execute(
        "create or replace table categorized_initiatives as " + marts.sql["categorized_initiatives"]
    )
    marts.fill("fct_survey_responses", [])
    marts.fill("as_of", [[AS_OF, None, None]])
    marts.build()
    (row,) = marts.rows("select * from initiative_effects")
    assert (row["initiative_name"], row["before_responses"], row["before_nps"]) == ("N", 0, None)
    assert row["verdict"] == "can't tell"


@pytest.mark.thorough
def test_the_same_bytes_in_any_order_and_on_any_threads(company: Company) -> None:
    of = world(drawn(4, per_day=0.5))
    prints = []
    for threads, seed in ((1, None), (4, 9)):
        shuffled = of.answers if seed is None else of.answers.sample(frac=1, random_state=seed)
        company.marts.connection.execute(f"set threads = {threads}")
        company.judge(replace(of, answers=shuffled), [*STAGGERED, *CASES])
        company.marts.build()
        with_rows = [
            name
            for name in company.marts.marts
            if company.marts.rows(f"select 1 from {name} limit 1")
        ]
        company.marts.marts, every = with_rows, company.marts.marts
        prints.append(company.marts.fingerprints())
        company.marts.marts = every
    assert prints[0] == prints[1]
    assert len(prints[0]) > len(INITIATIVE_MARTS)


# --- best practices ---------------------------------------------------------------------------


def best(company: Company, answers: pd.DataFrame, agent: str = "A03") -> list[Row]:
    """Best practices of an agent whom the ranking calls better in a month, and of nobody else."""
    company.judge(world(answers), [], "initiative_effects")
    month = ["transactional", "month", date(2025, 3, 1), date(2025, 3, 31)]
    figures = [40, 50.0, 20.0, 30.4, 10.0, 50.0]
    marts = company.marts
    rows = [
        ["all", *month[1:], "better", *figures, agent, "Kim"],
        [*month, "better", *figures, agent, "Kim"],
        ["all", *month[1:], "no evidence", *figures, "A05", "Lee"],
        ["all", *month[1:], "worse", *figures, "A06", "Max"],
    ]
    marts.fill("agent_ranking", rows)
    company.build("best_practices")
    return marts.rows("select * from best_practices order by driver_rank")


def test_what_is_different_where_it_is_better(company: Company) -> None:
    answers = drawn(6, per_day=1.2)
    own = answers["agent_id"] == "A03"
    answers.loc[own, "hold_seconds"] = 5.0
    rows = best(company, answers)
    assert {row["scope_id"] for row in rows} == {"A03"}
    assert [row["driver"] for row in rows if row["is_different"]] == ["hold_seconds"]
    first = rows[0]
    march = answers[answers["period_date"].between(date(2025, 3, 1), date(2025, 3, 31))]
    own = march["agent_id"] == "A03"
    strata = ["contact_reason", "channel"]
    # Others' means of each kind of contact, weighted by her answers.
    others = march[~own].groupby(strata)["hold_seconds"].agg(["mean", "count", "var"])
    others.columns = ["others_mean", "others", "others_variance"]
    mine = march[own].groupby(strata)["hold_seconds"].agg(["mean", "count"]).join(others)
    mine = mine[mine["others"] >= 30]
    share = mine["count"] / mine["count"].sum()
    expected = float((share * mine["others_mean"]).sum())
    variance = mine["others_variance"] * (mine["others"] - 1) / mine["others"]
    error = np.sqrt((share**2 * variance * (1 / mine["count"] + 1 / mine["others"])).sum())
    assert first["own_value"] == 5
    assert first["others_value"] == pytest.approx(expected, abs=EXACT)
    assert first["compared_responses"] == mine["count"].sum()
    half = first["difference_ci_high"] - first["difference"]
    assert half == pytest.approx(1.959963984540054 * float(error), abs=EXACT)
    assert first["for_the_huddle"] == (
        "Kim: 30 points above what the same contacts score with others. Different there: customers "
        f"are on hold for 5 seconds, with others {round(expected)}."
    )


@pytest.mark.thorough
def test_where_nothing_is_different_it_says_so(company: Company) -> None:
    rows = best(company, drawn(6, per_day=1.2))
    assert not any(row["is_different"] for row in rows)
    texts = [row["for_the_huddle"] for row in rows]
    assert texts[0] is not None
    assert "No figure of the contacts explains it" in texts[0]
    assert texts[1:] == [None] * 4


@pytest.mark.thorough
def test_nobody_to_compare_with(company: Company) -> None:
    answers = drawn(6)
    own = answers["agent_id"] == "A03"
    answers.loc[own, "contact_reason"] = "her own"
    (row,) = best(company, answers)
    assert (row["driver"], row["compared_responses"], row["is_different"]) == ("none", None, False)
    assert "Nobody else has such contacts" in row["for_the_huddle"]
