"""Customers over time: journeys, migration, value, retention and growth, against plain Python.

The second reading below goes customer by customer and answer by answer, with scipy's and
statsmodels' statistics; it shares no code with the models.
"""

from __future__ import annotations

import calendar
import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import PROJECT, SAMPLE, Build
from marts_in_memory import Marts, Row
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

EXACT = 1e-9
Z = 1.959963984540054
MIN_RESPONSES = 5
COST_PER_HOUR = 36.0  # a hundredth a second
AS_OF = date(2025, 6, 20)
FOLDER = PROJECT / "models" / "marts" / "customers"
# In the order in which they are built.
MARTS = (
    "customer_data_span",
    "customer_score_journey",
    "nps_migration",
    "nps_paired_changes",
    "years_after_answers",
    "customer_outcomes",
    "nps_value",
    "value_move_strata",
    "value_moves",
    "nps_value_of_moves",
    "promoter_engagement",
    "passive_watch",
    "retention_by_category",
    "customer_revenue_pairs",
    "earned_growth",
)
INPUTS = {
    "as_of": (
        "as_of timestamp, as_of_date date, first_response_date date, last_response_date date"
    ),
    "invitation_span": "first_date date, last_date date",
    "fct_survey_responses": (
        "response_id varchar, customer_id varchar, survey_type varchar, responded_at timestamp, "
        "response_date date, period_date date, score integer, nps_category varchar, "
        "nps_contribution integer"
    ),
    "fct_contacts": (
        "contact_id varchar, customer_id varchar, contact_reason varchar, channel varchar, "
        "started_at timestamp, handle_seconds bigint"
    ),
    "dim_customers": (
        "customer_id varchar, segment varchar, region varchar, product_line varchar, "
        "acquired_by varchar, churned_on date, is_delivered boolean"
    ),
    "categorized_customer_revenue": "customer_id varchar, month date, revenue double",
    "nps_categories": "score integer, category varchar",
    "passive_actions": "near varchar, direction varchar, action varchar",
}
CATEGORIES = ["detractor"] * 7 + ["passive"] * 2 + ["promoter"] * 2
VALUES = {"detractor": -1, "passive": 0, "promoter": 1}
PERIODS = ("month", "quarter", "year", "all")

Group = tuple[Any, ...]
Day = TypeVar("Day", bound=date)


def later(day: Day, months: int) -> Day:
    """The same day of a later (or earlier) month, or its last one."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return day.replace(year=year, month=month + 1, day=min(day.day, last))


def instant(year: int, month: int, day: int, hour: int = 0) -> datetime:
    """An instant as the warehouse keeps it: UTC, without a zone."""
    return datetime(year, month, day, hour)  # noqa: DTZ001


@dataclass(frozen=True)
class Answer:
    """An answer; `months` before its period_date the answer itself was given."""

    id: str
    customer: str
    survey_type: str
    at: datetime
    score: int
    period_date: date

    @property
    def category(self) -> str:
        return CATEGORIES[self.score]

    @property
    def day(self) -> date:
        return self.at.date()


@dataclass(frozen=True)
class Customer:
    """A customer as delivered."""

    id: str
    segment: str = "consumer"
    acquired_by: str | None = None
    churned_on: date | None = None
    is_delivered: bool = True


@dataclass
class World:
    """What the marts are made of."""

    answers: list[Answer] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    contacts: list[tuple[str, datetime, int | None]] = field(default_factory=list)
    revenue: dict[tuple[str, date], float] = field(default_factory=dict)
    as_of: date | None = AS_OF

    @property
    def first_day(self) -> date | None:
        return min((a.day for a in self.answers), default=None)

    @property
    def last_day(self) -> date | None:
        return max((a.day for a in self.answers), default=None)

    def customer(self, name: str) -> Customer:
        return next(c for c in self.customers if c.id == name)

    def revenue_through(self) -> date:
        newest = max(month for _, month in self.revenue)
        return min(later(newest, 1) - timedelta(days=1), AS_OF - timedelta(days=1))


def random_world(seed: int) -> World:
    """A company of few customers and every oddity: ties, orphans, leavers, refunds, nobody."""
    draw = random.Random(seed)
    world = World()
    first = instant(2023, 1, 3)
    for n in range(90):
        name = f"C{n:02d}"
        gone = date(2023, 6, 1) + timedelta(draw.randrange(900)) if draw.random() < 0.4 else None
        segment = draw.choice(["consumer", "business", "unknown"])
        origin = draw.choice(["referral", "paid", None])
        world.customers.append(Customer(name, segment, origin, gone, draw.random() < 0.9))
        bill = draw.uniform(10, 200) * (30 if segment == "business" else 1)
        begins = draw.randrange(0, 24)
        for month in range(begins, 29):
            if n % 9 and draw.random() < 0.8:
                starts = later(date(2023, 1, 1), month)
                refund = -0.2 if draw.random() < 0.05 else 1
                world.revenue[name, starts] = round(bill * draw.uniform(0.8, 1.2) * refund, 2)
        for _ in range(draw.randrange(0, 30)):
            started = first + timedelta(minutes=draw.randrange(890 * 1440))
            world.contacts.append((name, started, draw.choice([None, 60, 300, 1234])))
    world.customers.append(Customer("unknown", "unknown", is_delivered=False))
    for n in range(700):
        name = draw.choice(world.customers).id
        # Few instants, so that answers of a customer tie.
        at = first + timedelta(days=draw.randrange(890), hours=draw.choice([9, 9, 15]))
        if draw.random() < 0.1:
            at = instant(2024, 2, 1)
        kind = draw.choice(["transactional", "transactional", "relational"])
        shown = at.date() - timedelta(draw.choice([0, 0, 3]))
        world.answers.append(Answer(f"R{n:03d}", name, kind, at, draw.randrange(11), shown))
    # A company's switchboard: many contacts of one customer.
    world.contacts += [("C00", first + timedelta(hours=18 * hour), 30) for hour in range(1000)]
    return world


def fill(marts: Marts, world: World) -> None:
    """Make the tables the marts read."""
    rows: dict[str, Iterable[Sequence[Any]]] = {
        "as_of": [(world.as_of, world.as_of, world.first_day, world.last_day)],
        "invitation_span": [(world.first_day, world.last_day)],
        "fct_survey_responses": [
            (a.id, a.customer, a.survey_type, a.at, a.day, a.period_date, a.score, a.category,
             VALUES[a.category])
            for a in world.answers
        ],
        "fct_contacts": [
            (f"K{n}", customer, "billing", "phone", started, seconds)
            for n, (customer, started, seconds) in enumerate(world.contacts)
        ],
        "dim_customers": [
            (c.id, c.segment, "North", "Mobile", c.acquired_by, c.churned_on, c.is_delivered)
            for c in world.customers
        ],
        "categorized_customer_revenue": [
            (customer, month, revenue) for (customer, month), revenue in world.revenue.items()
        ],
        "nps_categories": list(enumerate(CATEGORIES)),
        "passive_actions": [
            tuple(line.split(",", 2))
            for line in (PROJECT / "seeds" / "passive_actions.csv").read_text().splitlines()[1:]
        ],
    }  # fmt: skip
    for table, values in rows.items():
        marts.fill(table, [], INPUTS[table])
        frame = pd.DataFrame([list(row) for row in values], dtype=object)
        if len(frame):
            marts.connection.execute(f"insert into {table} select * from frame")


@pytest.fixture(scope="module")
def empty_marts(tmp_path_factory: pytest.TempPathFactory) -> Marts:
    return Marts(
        tmp_path_factory.mktemp("customers"),
        ["drivers/contact_repeats", *(f"customers/{name}" for name in MARTS)],
        inputs=INPUTS,
        variables={"nps_min_responses": MIN_RESPONSES, "nps_cost_per_hour": COST_PER_HOUR},
    )


@pytest.fixture(scope="module", params=[1, 2])
def case(request: pytest.FixtureRequest, empty_marts: Marts) -> tuple[World, dict[str, list[Row]]]:
    """A world and the rows of every mart."""
    world = random_world(request.param)
    fill(empty_marts, world)
    empty_marts.build()
    return world, {name: empty_marts.rows(f"select * from {name}") for name in MARTS}


Case = tuple[World, dict[str, list[Row]]]


# --- the second reading -----------------------------------------------------------------------


def journeys(world: World) -> Iterator[tuple[str, list[Answer]]]:
    """Every customer's answers in order, by survey type and of all."""
    for kind in ("transactional", "relational", "all"):
        mine: dict[str, list[Answer]] = defaultdict(list)
        for answer in world.answers:
            if answer.customer != "unknown" and kind in ("all", answer.survey_type):
                mine[answer.customer].append(answer)
        for answers in mine.values():
            yield kind, sorted(answers, key=lambda a: (a.at, a.id))


def period_start(period: str, day: date, world: World) -> date:
    if period == "all":
        assert world.first_day is not None
        return world.first_day
    first_month = {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}[period]
    return date(day.year, first_month, 1)


def period_end(period: str, start: date, world: World) -> date:
    if period == "all":
        assert world.last_day is not None
        return world.last_day
    months = {"month": 1, "quarter": 3, "year": 12}[period]
    return later(start, months) - timedelta(days=1)


@dataclass(frozen=True)
class Year:
    """What happened in the twelve months after an answer; None where it is not known."""

    contacts: int | None
    repeats: int | None
    seconds: int | None
    repeat_seconds: int | None
    revenue: float | None
    value: float | None
    has_churned: bool | None


def year_after(world: World, answer: Answer) -> Year:
    end_at = later(answer.at, 12)
    end_on = later(answer.day, 12)
    theirs = sorted(
        (started, seconds or 0) for name, started, seconds in world.contacts
        if name == answer.customer
    )  # fmt: skip
    marked = [
        (started, seconds, n > 0 and started - theirs[n - 1][0] <= timedelta(days=7))
        for n, (started, seconds) in enumerate(theirs)
    ]
    inside = [row for row in marked if answer.at < row[0] <= end_at]
    is_over = end_on < AS_OF
    seconds = sum(row[1] for row in inside)
    months = [
        revenue for (name, month), revenue in world.revenue.items()
        if name == answer.customer and answer.at < instant(month.year, month.month, 1) <= end_at
    ]  # fmt: skip
    last_month = later(end_on.replace(day=1), 1) - timedelta(days=1)
    is_billed = (
        is_over
        and last_month <= world.revenue_through()
        and any(name == answer.customer for name, _ in world.revenue)
    )
    customer = world.customer(answer.customer)
    knows = (
        is_over
        and customer.is_delivered
        and not (customer.churned_on and customer.churned_on < answer.day)
    )
    return Year(
        len(inside) if is_over else None,
        sum(row[2] for row in inside) if is_over else None,
        seconds if is_over else None,
        sum(row[1] for row in inside if row[2]) if is_over else None,
        sum(months) if is_billed else None,
        sum(months) - seconds / 100 if is_billed else None,
        (customer.churned_on is not None and customer.churned_on <= end_on) if knows else None,
    )


def interval(values: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    """Mean and 95 % interval, as DescrStatsW has them; no interval where nothing differs."""
    if not values:
        return None, None, None
    if len(values) == 1 or len({*values}) == 1:
        return values[0], None, None
    low, high = DescrStatsW(np.array(values, dtype=float)).zconfint_mean(0.05)
    return float(np.mean(values)), float(low), float(high)


def by_key(rows: Iterable[Row], *columns: str) -> dict[Group, Row]:
    found = {tuple(row[column] for column in columns): row for row in rows}
    assert found
    return found


def assert_same(row: Row, expected: Mapping[str, Any], where: object) -> None:
    for column, value in expected.items():
        if isinstance(value, float) and row[column] is not None:
            assert row[column] == pytest.approx(value, rel=EXACT, abs=1e-7), (where, column)
        else:
            assert row[column] == value, (where, column)


# --- journeys ---------------------------------------------------------------------------------


def test_every_answer_has_its_place_in_the_journey(case: Case) -> None:
    world, rows = case
    ours = by_key(rows["customer_score_journey"], "survey_type", "response_id")
    assert len(ours) == len(rows["customer_score_journey"])
    expected: dict[Group, dict[str, Any]] = {}
    for kind, answers in journeys(world):
        streak = 0
        for n, answer in enumerate(answers):
            before = answers[n - 1] if n else None
            streak = streak + 1 if before and before.category == answer.category else 1
            change = VALUES[answer.category] - VALUES[before.category] if before else None
            expected[kind, answer.id] = {
                "customer_id": answer.customer,
                "answer_number": n + 1,
                "answers": len(answers),
                "is_latest": answer is answers[-1],
                "answered_survey_type": answer.survey_type,
                "category_streak": streak,
                "previous_response_id": before and before.id,
                "previous_response_date": before and before.day,
                "days_since_previous": (answer.day - before.day).days if before else None,
                "previous_score": before.score if before else None,
                "previous_nps_category": before and before.category,
                "score_change": answer.score - before.score if before else None,
                "transition": f"{before.category} to {answer.category}" if before else None,
                "paired_change": None if change is None else 100 * change,
            }
    assert ours.keys() == expected.keys()
    for key, row in expected.items():
        assert_same(ours[key], row, key)


def pairs_by_cohort(world: World) -> dict[Group, list[tuple[Answer, Answer]]]:
    cohorts: dict[Group, list[tuple[Answer, Answer]]] = defaultdict(list)
    for kind, answers in journeys(world):
        for before, after in pairwise(answers):
            for period in PERIODS:
                start = period_start(period, after.period_date, world)
                cohorts[kind, period, start].append((before, after))
    return cohorts


def test_migration_is_that_of_the_pairs(case: Case) -> None:
    world, rows = case
    ours = by_key(
        rows["nps_migration"],
        *("survey_type", "period_type", "period_start", "previous_nps_category", "nps_category"),
    )
    expected = {}
    for cohort, pairs in pairs_by_cohort(world).items():
        flows = Counter((before.category, after.category) for before, after in pairs)
        for (before, after), count in flows.items():
            origin = sum(n for (start, _), n in flows.items() if start == before)
            low, high = proportion_confint(count, origin, method="wilson")
            end = period_end(cohort[1], cohort[2], world)
            expected[(*cohort, before, after)] = {
                "period_end": end,
                "is_complete": end < AS_OF,
                "paired_change": 100 * (VALUES[after] - VALUES[before]),
                "pairs": count,
                "cohort_pairs": len(pairs),
                "pair_share_pct": 100 * count / len(pairs),
                "previous_category_pairs": origin,
                "migrated_pct": 100 * count / origin,
                "migrated_ci_low": 100 * float(low),
                "migrated_ci_high": 100 * float(high),
                "is_reportable": origin >= MIN_RESPONSES,
            }
    assert ours.keys() == expected.keys()
    for key, row in expected.items():
        assert_same(ours[key], row, key)


def test_paired_changes_are_those_of_the_same_customers(case: Case) -> None:
    world, rows = case
    ours = by_key(rows["nps_paired_changes"], "survey_type", "period_type", "period_start")
    cohorts = pairs_by_cohort(world)
    assert ours.keys() == cohorts.keys()
    verdicts = set()
    for cohort, pairs in cohorts.items():
        now = np.array([100 * VALUES[after.category] for _, after in pairs])
        then = np.array([100 * VALUES[before.category] for before, _ in pairs])
        steps = now - then
        m = len(pairs)
        error = float(np.std(steps, ddof=1)) / m**0.5 if m > 1 else None
        mean = float(steps.mean())
        row = ours[cohort]
        expected: dict[str, Any] = {
            "pairs": m,
            "improved": int((steps > 0).sum()),
            "unchanged": int((steps == 0).sum()),
            "worsened": int((steps < 0).sum()),
            "previous_nps": float(then.mean()),
            "nps": float(now.mean()),
            "paired_nps_change": mean,
            "paired_change_standard_error": error,
            "is_reportable": m >= MIN_RESPONSES,
        }
        if error:
            z = mean / error
            p = 2 * float(stats.norm.sf(abs(z)))
            expected |= {
                "paired_change_ci_low": max(-200.0, mean - Z * error),
                "paired_change_ci_high": min(200.0, mean + Z * error),
                "z_value": z,
                "p_value": p,
            }
            is_judged = m >= MIN_RESPONSES and period_end(cohort[1], cohort[2], world) < AS_OF
            word = "up" if mean > 0 else "down"
            expected["verdict"] = word if is_judged and p < 0.05 else "no evidence"
        else:
            names = ("paired_change_ci_low", "paired_change_ci_high", "z_value", "p_value")
            expected |= dict.fromkeys(names) | {"verdict": "no evidence"}
        assert_same(row, expected, cohort)
        verdicts.add(row["verdict"])
    assert len(verdicts) > 1, "no period of these worlds says anything"


def test_paired_interval_is_that_of_scipy(empty_marts: Marts) -> None:
    # scipy's paired t has the same standard error; only its quantile is Student's.
    world = random_world(4)
    fill(empty_marts, world)
    empty_marts.build()
    (row,) = empty_marts.rows(
        "select * from nps_paired_changes where survey_type = 'all' and period_type = 'all'"
    )
    pairs = [
        pair for kind, answers in journeys(world) if kind == "all" for pair in pairwise(answers)
    ]
    after = [100 * VALUES[a.category] for _, a in pairs]
    before = [100 * VALUES[b.category] for b, _ in pairs]
    test = stats.ttest_rel(after, before)
    assert row["z_value"] == pytest.approx(float(test.statistic), rel=EXACT)
    low, high = test.confidence_interval(0.95)
    half = float(high - low) / 2 * Z / float(stats.t.ppf(0.975, len(pairs) - 1))
    assert row["paired_change_ci_high"] - row["paired_nps_change"] == pytest.approx(half, rel=EXACT)
    assert row["paired_nps_change"] - row["paired_change_ci_low"] == pytest.approx(half, rel=EXACT)


# --- value ------------------------------------------------------------------------------------


def test_a_year_after_an_answer(case: Case) -> None:
    world, rows = case
    by_id = {answer.id: answer for answer in world.answers}
    known: Counter[str] = Counter()
    for row in rows["customer_outcomes"]:
        year = year_after(world, by_id[row["response_id"]])
        assert_same(
            row,
            {
                "contacts": year.contacts,
                "repeat_contacts": year.repeats,
                "handle_seconds": year.seconds,
                "repeat_handle_seconds": year.repeat_seconds,
                "revenue": year.revenue,
                "customer_value": year.value,
                "has_churned": year.has_churned,
                "is_observed": year.contacts is not None,
                "is_billed": year.revenue is not None,
                "is_churn_known": year.has_churned is not None,
                "segment": world.customer(row["customer_id"]).segment,
            },
            row["response_id"],
        )
        known.update(column for column, value in row.items() if value not in (None, 0, False))
    assert min(known[column] for column in ("repeat_contacts", "revenue", "has_churned"))
    assert known["is_billed"] < known["is_observed"] < len(rows["customer_outcomes"])


def test_edges_of_the_year(empty_marts: Marts) -> None:
    at = instant(2023, 5, 10, 12)
    minute = timedelta(minutes=1)
    end = later(at, 12)
    world = World([Answer("R1", "C1", "relational", at, 9, at.date())], [Customer("C1")])
    # At the instant of the answer is not after it; twelve months later to the instant still is.
    # A contact exactly 7 days after another is a repeat.
    times = [at, at + minute, end - timedelta(days=7), end, end + minute]
    world.contacts = [("C1", time, 2**n) for n, time in enumerate(times)]
    months = [later(date(2023, 4, 1), month) for month in range(15)]
    world.revenue = {("C1", month): 2.0**n for n, month in enumerate(months)}
    fill(empty_marts, world)
    empty_marts.build()
    (row,) = empty_marts.rows("select * from years_after_answers")
    assert row == {
        "response_id": "R1",
        "contacts": 3,
        "repeat_contacts": 2,
        "handle_seconds": 2 + 4 + 8,
        "repeat_handle_seconds": 2 + 8,
        # June 2023 to May 2024.
        "revenue": float(sum(2**n for n in range(2, 14))),
    }


def cohort_answers(world: World, *, moves: bool) -> dict[Group, list[tuple[Answer | None, Answer]]]:
    """The answer that puts each customer into a cohort, and the one before it.

    Args:
        world: the data.
        moves: the first answer of the period that has one before it; else the first.
    """
    cohorts: dict[Group, list[tuple[Answer | None, Answer]]] = defaultdict(list)
    for kind, answers in journeys(world):
        seen = set()
        for n, answer in enumerate(answers):
            for period in PERIODS:
                cohort = (kind, period, period_start(period, answer.day, world))
                if cohort not in seen and (n or not moves):
                    seen.add(cohort)
                    cohorts[cohort].append((answers[n - 1] if n else None, answer))
    return cohorts


def test_value_of_a_category_is_that_of_its_customers(case: Case) -> None:
    world, rows = case
    ours = by_key(rows["nps_value"], "survey_type", "period_type", "period_start", "nps_category")
    years = {answer.id: year_after(world, answer) for answer in world.answers}
    expected = set()
    for cohort, entries in cohort_answers(world, moves=False).items():
        for category in VALUES:
            theirs = [years[a.id] for _, a in entries if a.category == category]
            if not theirs:
                continue
            expected.add((*cohort, category))
            row = ours[(*cohort, category)]
            observed = [y for y in theirs if y.contacts is not None]
            churn = [y.has_churned for y in theirs if y.has_churned is not None]
            figures: dict[str, Any] = {
                "customers": len(theirs),
                "observed_customers": len(observed),
                "censored_customers": len(theirs) - len(observed),
                "billed_customers": sum(y.revenue is not None for y in theirs),
                "churn_known_customers": len(churn),
                "churned_customers": sum(churn),
                "churned_pct": 100 * sum(churn) / len(churn) if churn else None,
                "is_reportable": len(observed) >= MIN_RESPONSES,
            }
            if churn:
                low, high = proportion_confint(sum(churn), len(churn), method="wilson")
                figures |= {
                    "churned_ci_low": 100 * float(low),
                    "churned_ci_high": 100 * float(high),
                }
            measures: dict[str, list[float | None]] = {
                "revenue": [y.revenue for y in theirs],
                "customer_value": [y.value for y in theirs],
                "cost_to_serve": [y.seconds and y.seconds / 100 for y in theirs],
                "repeat_cost": [y.repeat_seconds and y.repeat_seconds / 100 for y in theirs],
                "contacts": [y.contacts for y in theirs],
                "repeat_contacts": [y.repeats for y in theirs],
            }
            for name, values in measures.items():
                known = [float(value) for value in values if value is not None]
                names = (f"{name}_mean", f"{name}_ci_low", f"{name}_ci_high")
                figures |= dict(zip(names, interval(known), strict=True))
            assert_same(row, figures, (*cohort, category))
    assert ours.keys() == expected


def spread(values: Sequence[float]) -> float:
    """Squared standard error of a mean."""
    return float(np.var(values, ddof=1)) / len(values)


def differences(
    world: World, entries: list[tuple[Answer, float]], has_succeeded: Callable[[Answer], bool]
) -> dict[str, Any]:
    """Crude difference and that within segments, each with its standard error."""
    sides = [[(a, v) for a, v in entries if has_succeeded(a) is side] for side in (True, False)]
    good, bad = ([v for _, v in side] for side in sides)
    found: dict[str, Any] = {
        "succeeded_customers": len(good),
        "failed_customers": len(bad),
        "value_difference": float(np.mean(good) - np.mean(bad)) if good and bad else None,
        "value_difference_standard_error": (
            (spread(good) + spread(bad)) ** 0.5 if min(len(good), len(bad)) > 1 else None
        ),
    }
    strata: list[tuple[int, list[float], list[float]]] = []
    for segment in {world.customer(a.customer).segment for a, _ in entries}:
        both = [[v for a, v in s if world.customer(a.customer).segment == segment] for s in sides]
        if min(map(len, both)) > 1:
            strata.append((sum(map(len, both)), both[0], both[1]))
    weight = sum(n for n, _, _ in strata)
    found["compared_customers"] = weight
    if strata:
        found["within_segment_difference"] = sum(
            n / weight * float(np.mean(g) - np.mean(b)) for n, g, b in strata
        )
        found["within_segment_standard_error"] = (
            sum((n / weight) ** 2 * (spread(g) + spread(b)) for n, g, b in strata) ** 0.5
        )
    else:
        found |= {"within_segment_difference": None, "within_segment_standard_error": None}
    return found


def test_value_of_moves(case: Case) -> None:
    world, rows = case
    ours = by_key(
        rows["nps_value_of_moves"], "survey_type", "period_type", "period_start", "value_move"
    )
    years = {answer.id: year_after(world, answer) for answer in world.answers}
    everybody = cohort_answers(world, moves=False)
    movers = cohort_answers(world, moves=True)
    expected: dict[Group, dict[str, Any]] = {}
    for cohort in everybody:
        first = [(a, years[a.id].value) for _, a in everybody[cohort]]
        moved = [(b, a, years[a.id].value) for b, a in movers.get(cohort, [])]
        of = {
            "promoter_over_detractor": (
                [(a, v) for a, v in first if a.category != "passive" and v is not None],
                lambda a: a.category == "promoter",
            ),
            "keep_promoter": (
                [(a, v) for b, a, v in moved if b and b.category == "promoter" and v is not None],
                lambda a: a.category == "promoter",
            ),
            "win_back_detractor": (
                [(a, v) for b, a, v in moved if b and b.category == "detractor" and v is not None],
                lambda a: a.category != "detractor",
            ),
        }
        for move, (entries, has_succeeded) in of.items():
            if entries:
                expected[(*cohort, move)] = differences(world, entries, has_succeeded)
        keep, win = (expected.get((*cohort, m)) for m in ("keep_promoter", "win_back_detractor"))
        if keep and win:
            both: dict[str, Any] = {
                name: keep[name] + win[name]
                for name in ("succeeded_customers", "failed_customers", "compared_customers")
            }
            for name in ("value_difference", "within_segment"):
                shown = name if name == "value_difference" else f"{name}_difference"
                known = None not in (keep[shown], win[shown])
                both[shown] = keep[shown] - win[shown] if known else None
                error = f"{name}_standard_error"
                known = None not in (keep[error], win[error])
                both[error] = (keep[error] ** 2 + win[error] ** 2) ** 0.5 if known else None
            expected[(*cohort, "keep_over_win_back")] = both
    assert ours.keys() == expected.keys()
    for key, figures in expected.items():
        row = ours[key]
        assert_same(row, figures, key)
        for name in ("value_difference", "within_segment"):
            shown = name if name == "value_difference" else f"{name}_difference"
            if figures[f"{name}_standard_error"] and figures[shown] is not None:
                reach = Z * figures[f"{name}_standard_error"]
                assert row[f"{name}_ci_low"] == pytest.approx(figures[shown] - reach, rel=EXACT)
                assert row[f"{name}_ci_high"] == pytest.approx(figures[shown] + reach, rel=EXACT)
        if figures["within_segment_standard_error"]:
            z = figures["within_segment_difference"] / figures["within_segment_standard_error"]
            assert row["p_value"] == pytest.approx(2 * float(stats.norm.sf(abs(z))), rel=1e-7)


def test_verdicts_follow_the_test(case: Case) -> None:
    _, rows = case
    ours = by_key(
        rows["nps_value_of_moves"], "survey_type", "period_type", "period_start", "value_move"
    )
    seen: Counter[bool] = Counter()
    for (*cohort, move), row in ours.items():
        is_judged = row["is_reportable"] and row["is_complete"] and row["p_value"] is not None
        judged = is_judged and row["p_value"] < 0.05
        word = "up" if (row["within_segment_difference"] or 0) > 0 else "down"
        assert row["verdict"] == (word if judged else "no evidence")
        if move == "keep_over_win_back":
            both = [ours[(*cohort, name)] for name in ("keep_promoter", "win_back_detractor")]
            assert row["is_reportable"] is all(one["is_reportable"] for one in both)
        else:
            fewest = min(row["succeeded_customers"], row["failed_customers"])
            assert row["is_reportable"] is (fewest >= MIN_RESPONSES)
        seen[row["is_reportable"]] += 1
    assert seen.keys() == {True, False}


def promoters_kept_and_lost(*, until: date) -> World:
    """Twelve promoters who stay and pay 100 a month, twelve who become detractors and pay 10."""
    world = World()
    for n in range(24):
        world.customers.append(Customer(f"C{n}"))
        for day, score in (instant(2023, 1, 10), 9), (instant(2023, 5, 10), 9 if n < 12 else 2):
            world.answers.append(
                Answer(f"R{n}-{day.month}", f"C{n}", "relational", day, score, day.date())
            )
        for month in range(29):
            bill = (100.0 if n < 12 else 10.0) + n
            world.revenue[f"C{n}", later(date(2023, 1, 1), month)] = bill
    last = instant(until.year, until.month, until.day)
    world.customers.append(Customer("unknown", is_delivered=False))
    world.answers.append(Answer("R-last", "unknown", "relational", last, 5, until))
    return world


@pytest.mark.parametrize(
    ("until", "verdict"), [(date(2025, 6, 19), "up"), (AS_OF, "no evidence")], ids=str
)
def test_no_verdict_on_a_period_that_is_not_over(
    empty_marts: Marts, until: date, verdict: str
) -> None:
    fill(empty_marts, promoters_kept_and_lost(until=until))
    empty_marts.build()
    rows = by_key(
        empty_marts.rows(
            "select * from nps_value_of_moves where survey_type = 'all' "
            "and value_move = 'keep_promoter'"
        ),
        "period_type",
    )
    assert rows["all",]["p_value"] < 1e-9
    # 12 x (105.5 - 27.5): those who stay pay 100 to 111, the others 22 to 33.
    assert rows["all",]["within_segment_difference"] == pytest.approx(936.0, rel=EXACT)
    assert (rows["all",]["verdict"], rows["year",]["verdict"]) == (verdict, "up")
    changes = by_key(
        empty_marts.rows("select * from nps_paired_changes where survey_type = 'all'"),
        "period_type",
    )
    # Half of them fell by 200 points.
    assert changes["all",]["paired_nps_change"] == -100
    fell = "down" if verdict == "up" else "no evidence"
    assert (changes["all",]["verdict"], changes["year",]["verdict"]) == (fell, "down")


@pytest.mark.parametrize(
    ("churned_on", "has_churned"),
    [
        (date(2023, 5, 9), None),
        (date(2023, 5, 10), True),
        (date(2024, 5, 10), True),
        (date(2024, 5, 11), False),
        (None, False),
    ],
)
def test_leaving_within_a_year(
    empty_marts: Marts, churned_on: date | None, has_churned: bool | None
) -> None:
    at = instant(2023, 5, 10, 12)
    world = World([Answer("R1", "C1", "relational", at, 9, at.date())])
    # Somebody leaves, so that leaving is recorded.
    world.customers = [Customer("C1", churned_on=churned_on), Customer("C2", churned_on=AS_OF)]
    fill(empty_marts, world)
    empty_marts.build()
    rows = empty_marts.rows("select has_churned, is_churn_known from customer_outcomes")
    assert rows == [{"has_churned": has_churned, "is_churn_known": has_churned is not None}] * 2
    # Who had left before answering is in no survival; who left on the day is, at day 0.
    waits = empty_marts.rows("select days_since_answer, churned from retention_by_category")
    if has_churned is None:
        assert not waits
    else:
        days = ((churned_on or AS_OF) - at.date()).days
        assert waits == [{"days_since_answer": days, "churned": int(churned_on is not None)}] * 2


# --- promoters and passives -------------------------------------------------------------------


def test_promoters(case: Case) -> None:
    world, rows = case
    ours = by_key(rows["promoter_engagement"], "survey_type", "customer_id")
    expected = set()
    words = set()
    for kind, answers in journeys(world):
        promoting = [a for a in answers if a.category == "promoter"]
        if not promoting:
            continue
        customer = world.customer(answers[0].customer)
        expected.add((kind, customer.id))
        text = "".join("P" if a.category == "promoter" else "." for a in answers)
        streak = len(text) - len(text.rstrip("P"))
        has_left = customer.churned_on is not None and customer.churned_on <= AS_OF
        if text == "P":
            engagement = "new"
        elif text.endswith("P"):
            engagement = "steady" if streak > 1 else "regained"
        else:
            engagement = "slipped" if text.endswith("P.") else "lapsed"
        months = [
            revenue for (name, month), revenue in world.revenue.items()
            if name == customer.id and later(AS_OF, -12) < month <= AS_OF
        ]  # fmt: skip
        last = answers[-1]
        assert_same(
            ours[kind, customer.id],
            {
                "answers": len(answers),
                "promoter_answers": len(promoting),
                "promoter_streak": streak,
                "longest_promoter_streak": max(map(len, text.split("."))),
                "first_promoter_on": promoting[0].day,
                "last_promoter_on": promoting[-1].day,
                "response_id": last.id,
                "days_since_last_answer": (AS_OF - last.day).days,
                "score": last.score,
                "nps_category": last.category,
                "previous_score": answers[-2].score if len(answers) > 1 else None,
                "engagement": engagement,
                "has_left": has_left,
                "is_at_risk": engagement == "slipped" and not has_left,
                "was_referred": customer.acquired_by and customer.acquired_by == "referral",
                "revenue_last_12_months": float(sum(months)) if months else None,
            },
            (kind, customer.id),
        )
        words.add(engagement)
    assert ours.keys() == expected
    assert words == {"new", "steady", "regained", "slipped", "lapsed"}


def test_passives(case: Case) -> None:
    world, rows = case
    ours = by_key(rows["passive_watch"], "survey_type", "customer_id")
    expected = {
        (kind, answers[-1].customer): answers
        for kind, answers in journeys(world)
        if answers[-1].category == "passive"
    }
    assert ours.keys() == expected.keys()
    for key, answers in expected.items():
        last = answers[-1]
        before = answers[-2].score if len(answers) > 1 else None
        if before is None:
            direction = "first"
        else:
            direction = {1: "up", 0: "level", -1: "down"}[int(np.sign(last.score - before))]
        row = ours[key]
        assert_same(
            row,
            {
                "score": last.score,
                "previous_score": before,
                "direction": direction,
                "points_to_promoter": 9 - last.score,
                "points_to_detractor": last.score - 6,
                "near": "promoter" if last.score == 8 else "detractor",
            },
            key,
        )
        assert row["action"]


def test_nearest_category_is_that_of_the_seed(empty_marts: Marts) -> None:
    world = World([Answer("R1", "C1", "relational", instant(2025, 1, 2), 7, date(2025, 1, 2))])
    world.customers = [Customer("C1")]
    fill(empty_marts, world)
    # A business whose passives are 6, 7 and 8.
    rows = [(n, "detractor" if n < 6 else "passive" if n < 9 else "promoter") for n in range(11)]
    empty_marts.fill("nps_categories", rows, INPUTS["nps_categories"])
    empty_marts.build()
    (row,) = empty_marts.rows("select * from passive_watch where survey_type = 'all'")
    assert (row["near"], row["points_to_promoter"], row["points_to_detractor"]) == ("neither", 2, 2)
    assert row["action"]


# --- retention --------------------------------------------------------------------------------


def test_retention_is_that_of_statsmodels(case: Case) -> None:
    world, rows = case
    waits: dict[Group, list[tuple[int, int]]] = defaultdict(list)
    for kind, answers in journeys(world):
        first = answers[0]
        customer = world.customer(first.customer)
        left = customer.churned_on
        if customer.is_delivered and not (left and left < first.day):
            has_left = left is not None and left <= AS_OF
            ends = left if has_left and left else AS_OF
            waits[kind, first.category].append(((ends - first.day).days, int(has_left)))
    ours = by_key(rows["retention_by_category"], "survey_type", "nps_category", "days_since_answer")
    assert {key[:2] for key in ours} == waits.keys()
    assert len(ours) == sum(len({days for days, _ in group}) for group in waits.values())
    for group, durations in waits.items():
        days, events = (np.array(column) for column in zip(*durations, strict=True))
        survival = SurvfuncRight(days, events)
        for time, share, error, at_risk, churned in zip(
            survival.surv_times, survival.surv_prob, survival.surv_prob_se,
            survival.n_risk, survival.n_events, strict=True,
        ):  # fmt: skip
            row = ours[(*group, int(time))]
            expected: dict[str, Any] = {
                "customers": len(days),
                "at_risk": int(at_risk),
                "churned": int(churned),
                "censored": int(((days == time) & (events == 0)).sum()),
                "retained_pct": 100 * float(share),
                "is_reportable": int(at_risk) >= MIN_RESPONSES,
            }
            if 0 < share < 1:
                expected["retained_standard_error"] = 100 * float(error)
            assert_same(row, expected, (group, time))
            if 0 < share < 1:
                assert row["retained_ci_low"] < row["retained_pct"] < row["retained_ci_high"]


def test_nothing_is_said_of_leaving_where_it_is_not_recorded(empty_marts: Marts) -> None:
    world = random_world(5)
    world.customers = [Customer(c.id, c.segment) for c in world.customers]
    fill(empty_marts, world)
    empty_marts.build()
    assert not empty_marts.rows("select * from retention_by_category")
    (row,) = empty_marts.rows("select sum(churn_known_customers) as n from nps_value")
    assert row["n"] == 0


# --- growth -----------------------------------------------------------------------------------


def test_earned_growth_of_the_worked_case(empty_marts: Marts) -> None:
    # Base 100, retained 85, earned 25, bought 20: 85 + 25 - 100 = 10 %.
    world = World()
    world.customers = [
        Customer("stays"), Customer("leaves"), Customer("back"),
        Customer("referred", acquired_by="referral"), Customer("paid", acquired_by="paid"),
    ]  # fmt: skip
    world.revenue = {
        ("stays", date(2023, 1, 1)): 60.0, ("leaves", date(2023, 2, 1)): 40.0,
        ("stays", date(2024, 3, 1)): 85.0, ("referred", date(2024, 2, 1)): 25.0,
        ("paid", date(2024, 12, 1)): 20.0,
    }  # fmt: skip
    fill(empty_marts, world)
    empty_marts.build()
    years = empty_marts.rows("select * from earned_growth where period_type = 'year'")
    (year,) = years
    assert_same(
        year,
        {
            "period_start": date(2024, 1, 1),
            "period_end": date(2024, 12, 31),
            "is_complete": True,
            "customers_before": 2,
            "customers_lost": 1,
            "new_customers": 2,
            "revenue_before": 100.0,
            "revenue": 130.0,
            "retained_revenue": 85.0,
            "earned_new_revenue": 25.0,
            "bought_new_revenue": 20.0,
            "unknown_new_revenue": 0.0,
            "net_revenue_retention": 85.0,
            "earned_new_pct": 25.0,
            "bought_new_pct": 20.0,
            "unknown_new_pct": 0.0,
            "earned_growth_rate": 10.0,
            "revenue_growth": 30.0,
            "is_reportable": False,
        },
        "worked case",
    )
    # Of quarters the last has nothing a year before, and says so.
    quarters = empty_marts.rows("select * from earned_growth where period_type = 'quarter'")
    rates = {row["period_start"].month: row["earned_growth_rate"] for row in quarters}
    assert rates == {1: -75.0 + 85.0, 10: None}


@pytest.mark.parametrize(
    ("as_of", "is_complete"), [(date(2024, 3, 31), False), (date(2024, 4, 1), True)], ids=str
)
def test_growth_of_a_quarter_is_complete_when_it_is_over(
    empty_marts: Marts, as_of: date, is_complete: bool
) -> None:
    months = [date(2023, 1, 1), date(2024, 1, 1), date(2024, 3, 1)]
    world = World(revenue={("C1", month): 10.0 for month in months}, as_of=as_of)
    fill(empty_marts, world)
    empty_marts.build()
    rows = empty_marts.rows("select * from earned_growth where period_type = 'quarter'")
    assert [(row["period_start"], row["is_complete"]) for row in rows] == [
        (date(2024, 1, 1), is_complete)
    ]


def test_more_refunds_than_revenue_are_no_base(empty_marts: Marts) -> None:
    world = World(revenue={("C1", date(2023, 1, 1)): -5.0, ("C1", date(2024, 1, 1)): 10.0})
    fill(empty_marts, world)
    empty_marts.build()
    (row,) = empty_marts.rows("select * from earned_growth where period_type = 'year'")
    assert (row["customers_before"], row["new_customers"], row["revenue_before"]) == (1, 0, -5.0)
    for rate in ("net_revenue_retention", "earned_growth_rate", "revenue_growth"):
        assert row[rate] is None, rate


def test_growth_is_that_of_every_customer(case: Case) -> None:
    world, rows = case
    first = min(month for _, month in world.revenue)
    newest = max(month for _, month in world.revenue)
    ours = by_key(rows["earned_growth"], "period_type", "period_start")
    sums: dict[Group, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for (name, month), revenue in world.revenue.items():
        for period in ("quarter", "year"):
            sums[period, period_start(period, month, world)][name] += revenue
    expected = set()
    starts = {*sums} | {(p, later(start, 12)) for p, start in sums}
    for period, start in starts:
        earlier = later(start, -12)
        if first > earlier or start > newest:
            continue
        expected.add((period, start))
        before, now = sums[period, earlier], sums[period, start]
        base = sum(before.values())
        kept = sum(now[name] for name in before)
        new = {name: value for name, value in now.items() if not before.get(name)}
        earned = sum(v for name, v in new.items() if world.customer(name).acquired_by == "referral")
        end = period_end(period, start, world)
        assert_same(
            ours[period, start],
            {
                "customers_before": len([v for v in before.values() if v]),
                "revenue_before": base,
                "revenue": sum(now.values()),
                "retained_revenue": kept,
                "net_revenue_retention": 100 * kept / base,
                "earned_new_revenue": float(earned),
                "earned_growth_rate": 100 * (kept + earned - base) / base,
                "is_complete": end <= world.revenue_through(),
            },
            (period, start),
        )
    assert ours.keys() == expected
    assert {row["is_complete"] for row in ours.values()} == {True, False}


# --- whatever the data ------------------------------------------------------------------------


def test_without_data_every_mart_is_empty_and_has_the_types_it_promises(empty_marts: Marts) -> None:
    fill(empty_marts, World(as_of=None))
    empty_marts.build()
    for name in MARTS:
        promised = yaml.safe_load((FOLDER / f"{name}.yml").read_text())["models"][0]["columns"]
        found = empty_marts.rows(f"describe {name}")
        assert [(c["column_name"], c["column_type"].lower()) for c in found] == [
            (c["name"], c["data_type"]) for c in promised
        ], name
        rows = empty_marts.rows(f"select * from {name}")
        assert len(rows) == (1 if name == "customer_data_span" else 0), name


def test_without_revenue_or_customers_the_rest_stands(empty_marts: Marts) -> None:
    world = random_world(6)
    world.revenue = {}
    world.customers = [Customer(c.id, "unknown", is_delivered=False) for c in world.customers]
    fill(empty_marts, world)
    empty_marts.build()
    for name in ("earned_growth", "customer_revenue_pairs", "nps_value_of_moves"):
        assert not empty_marts.rows(f"select * from {name}"), name
    rows = empty_marts.rows("select * from nps_value where period_type = 'all'")
    assert rows
    for row in rows:
        assert row["contacts_mean"] is not None
        assert (row["revenue_mean"], row["churned_pct"]) == (None, None)
        assert row["billed_customers"] == row["churn_known_customers"] == 0


def test_same_bytes_whatever_the_threads_and_the_order_of_rows(empty_marts: Marts) -> None:
    world = random_world(7)
    prints = []
    for threads in (1, 4):
        fill(empty_marts, world)
        empty_marts.connection.execute(f"set threads = {threads}")
        empty_marts.build()
        prints.append(empty_marts.fingerprints())
        for rows in (world.answers, world.customers):
            random.Random(8).shuffle(rows)
        world.revenue = dict(sorted(world.revenue.items(), key=lambda item: -item[1]))
    assert prints[0] == prints[1]


def test_large_amounts_keep_their_interval(empty_marts: Marts) -> None:
    # A billion a month, as in a currency of small units.
    world = World()
    for n in range(40):
        at = instant(2023, 5, 2, 10)
        world.customers.append(Customer(f"C{n}"))
        world.answers.append(Answer(f"R{n}", f"C{n}", "relational", at, 10, at.date()))
        for month in range(20):
            starts = later(date(2023, 1, 1), month)
            world.revenue[f"C{n}", starts] = 1e9 + 1e7 * n
    fill(empty_marts, world)
    empty_marts.build()
    (row,) = empty_marts.rows(
        "select * from nps_value where survey_type = 'all' and period_type = 'all'"
    )
    low, high = DescrStatsW(np.array([12 * (1e9 + 1e7 * n) for n in range(40)])).zconfint_mean(0.05)
    assert row["revenue_ci_low"] == pytest.approx(float(low), rel=EXACT)
    assert row["revenue_ci_high"] == pytest.approx(float(high), rel=EXACT)


# --- the sample -------------------------------------------------------------------------------


def test_earned_growth_of_the_sample_is_the_planted_one(sample_build: Build) -> None:
    truth = json.loads((Path(SAMPLE) / "_planted_truth.json").read_text())["earned_growth"]
    names = {
        "revenue_before": "revenue_before",
        "retained_revenue": "revenue_of_the_same_customers",
        "earned_new_revenue": "revenue_of_new_referred_customers",
        "bought_new_revenue": "revenue_of_new_paid_customers",
        "unknown_new_revenue": "revenue_of_new_customers_of_unknown_origin",
        "net_revenue_retention": "net_revenue_retention",
        "earned_growth_rate": "earned_growth_rate",
    }
    planted = {("year", date(int(year), 1, 1)): row for year, row in truth["years"].items()}
    for name, row in truth["quarters"].items():
        year, quarter = name.split("-Q")
        planted["quarter", date(int(year), 3 * int(quarter) - 2, 1)] = row
    ours = by_key(
        sample_build.dicts("select * from marts.earned_growth where is_reportable"),
        *("period_type", "period_start"),
    )
    assert ours.keys() == planted.keys()
    for key, row in planted.items():
        for column, name in names.items():
            # The truth has six decimals.
            assert ours[key][column] == pytest.approx(row[name], abs=6e-7), (key, column)
