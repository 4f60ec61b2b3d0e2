"""Cases of detractors: business time, deadlines, priorities, waiting times, recovery, the queue."""

# Instants are in UTC without a zone, as in the warehouse.
# ruff: noqa: DTZ001, DTZ901

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from conftest import PROJECT
from marts_in_memory import Marts, Row
from opening_hours import OpeningHours
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.proportion import proportion_confint

# In the order in which they are built.
CASES = (
    *(
        "business_calendars",
        "calendar_holidays",
        "calendar_hours",
        "declared_openings",
        "business_openings",
    ),
    *("case_follow_ups", "follow_ups_without_case", "case_revenue", "case_priorities"),
    *("priority_ranks", "case_moments", "case_clocks", "case_deadlines", "detractor_cases"),
)
MARTS = (
    *CASES,
    *("case_period_counts", "case_waits", "closed_loop_performance", "open_case_queue"),
    *("recovery_cases", "recovery_cells", "recovery_treated", "recovery_weights"),
    *("recovery_scores", "closed_loop_recovery"),
)
# What the models read, as far as they read it.
INPUTS = {
    "as_of": (
        "as_of timestamp, as_of_date date, first_response_date date, last_response_date date"
    ),
    "dim_dates": "date_day date",
    "dim_departments": "department_id varchar, department_name varchar",
    "department_ancestors": "department_id varchar, ancestor_id varchar, levels_above integer",
    "business_hours": (
        "scope_type varchar, scope_id varchar, weekday integer, opens_at varchar, "
        "closes_at varchar, timezone varchar"
    ),
    "holidays": "holiday_on date, name varchar, scope_type varchar, scope_id varchar",
    "case_sla": "priority varchar, hours double",
    "case_priority_rules": (
        "rule_number integer, priority varchar, segment varchar, revenue_is_known boolean, "
        "revenue_at_least double, score_at_most integer, has_comment boolean, is_repeat boolean, "
        "why varchar"
    ),
    "categorized_follow_ups": (
        "follow_up_id varchar, response_id varchar, owner_agent_id varchar, opened_at timestamp, "
        "first_contacted_at timestamp, closed_at timestamp, outcome varchar, root_cause varchar"
    ),
    "categorized_customer_revenue": "customer_id varchar, month date, revenue double",
    "fct_contacts": "contact_id varchar, started_at timestamp",
    "fct_survey_responses": (
        "response_id varchar, customer_id varchar, contact_id varchar, survey_type varchar, "
        "score integer, nps_category varchar, responded_at timestamp, response_date date, "
        "period_date date, comment varchar, agent_id varchar, department_id varchar, "
        "team varchar, channel varchar, contact_reason varchar, segment varchar"
    ),
}
MINIMUM, LEAST = 6, 4
VARIABLES = {"nps_min_responses": MINIMUM, "nps_min_stratum_responses": LEAST}
EXACT = 1e-9

SURVIVAL = """
    with
    {{ kaplan_meier('given', duration='wait', is_event='is_over', within=['sample']) }},
    limited as (
        select
            *,
            {{ survival_limit('survival', 'greenwood', 'low') }} as survival_ci_low,
            {{ survival_limit('survival', 'greenwood', 'high') }} as survival_ci_high
        from given_survival
    )
"""
QUERIES = {
    "survival": f"{SURVIVAL} select * from limited order by sample, duration",
    "percentiles": f"""{SURVIVAL}
        select
            sample,
            {{{{ survival_percentile(50) }}}} as p50,
            {{{{ survival_percentile(90) }}}} as p90,
            {{{{ survival_percentile(50, 'survival_ci_low') }}}} as p50_ci_low,
            {{{{ survival_percentile(50, 'survival_ci_high') }}}} as p50_ci_high
        from limited
        group by sample
        order by sample
    """,
}
# A data test of the project, on rows that a business might write.
QUERIES["unreadable"] = (
    PROJECT / "tests" / "mappings" / "business_hours_can_be_read.sql"
).read_text(encoding="utf-8")
WAITS = "sample varchar, wait double, is_over boolean"


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Marts:
    return Marts(
        tmp_path_factory.mktemp("follow_ups"),
        [f"follow_ups/{name}" for name in MARTS],
        queries=QUERIES,
        inputs=INPUTS,
        variables=VARIABLES,
    )


def columns_of(table: str) -> list[str]:
    return [column.split()[0] for column in INPUTS[table].split(", ")]


def answer(response_id: str, at: datetime, **others: object) -> dict[str, object]:
    """An answer of a detractor, unless `others` say something else."""
    score = others.get("score", 3)
    assert isinstance(score, int)
    category = "detractor" if score <= 6 else "passive" if score <= 8 else "promoter"
    return {
        "response_id": response_id,
        "customer_id": "unknown",
        "contact_id": "unknown",
        "survey_type": "transactional",
        "score": score,
        "nps_category": category,
        "responded_at": at,
        "response_date": at.date(),
        "period_date": at.date(),
        "comment": None,
        "agent_id": "A1",
        "department_id": "unknown",
        "team": "T1",
        "channel": "phone",
        "contact_reason": "bill",
        "segment": "consumer",
        **others,
    }


def follow_up(follow_up_id: str, response_id: str | None, **others: object) -> dict[str, object]:
    return {"follow_up_id": follow_up_id, "response_id": response_id, **others}


NINE_TO_FIVE = [("company", "all", weekday, "09:00", "17:00", None) for weekday in range(1, 6)]


def fill(
    marts: Marts,
    *,
    answers: Sequence[Mapping[str, object]] = (),
    follow_ups: Sequence[Mapping[str, object]] = (),
    as_of: datetime = datetime(2025, 12, 31),
    dates: tuple[date, date] = (date(2024, 1, 1), date(2025, 12, 31)),
    hours: Sequence[Sequence[object]] = NINE_TO_FIVE,
    parents: Mapping[str, str | None] | None = None,
    sla: Mapping[str, float] | None = None,
    rules: Sequence[Sequence[object]] = ((1, "normal", *[None] * 6, ""),),
    **tables: Sequence[Sequence[object]],
) -> None:
    """Fill every table that the models read.

    Args:
        marts: the models.
        answers: rows of `answer`.
        follow_ups: rows of `follow_up`.
        as_of: what is now.
        dates: the first and last date known.
        hours: rows of business_hours.
        parents: the department above each department.
        sla: hours by priority.
        rules: rows of case_priority_rules.
        tables: rows of any other table.
    """
    above = parents or {}
    ancestors = []
    for department in above:
        path, level = department, 0
        while path is not None:
            ancestors.append((department, path, level))
            path, level = above[path], level + 1  # type: ignore[assignment]
    days: list[Any] = [row["response_date"] for row in answers]
    rows: dict[str, Any] = {
        "as_of": [(as_of, as_of.date(), min(days, default=None), max(days, default=None))],
        "dim_dates": [(day,) for day in pd.date_range(*dates).date],
        "dim_departments": [(name, f"Department {name}") for name in [*above, "unknown"]],
        "department_ancestors": ancestors,
        "business_hours": hours,
        "case_sla": list((sla or {"normal": 8}).items()),
        "case_priority_rules": rules,
        "categorized_follow_ups": follow_ups,
        "fct_survey_responses": answers,
        **tables,
    }
    for table, columns in INPUTS.items():
        names = columns_of(table)
        given = [
            [row.get(name) for name in names] if isinstance(row, Mapping) else list(row)
            for row in rows.get(table, ())
        ]
        marts.connection.execute(f"create or replace table {table} ({columns})")
        if given:
            frame = pd.DataFrame(given, columns=names, dtype=object)
            marts.connection.register("frame", frame)
            marts.connection.execute(f"insert into {table} select * from frame")
            marts.connection.unregister("frame")


def build(marts: Marts, names: Iterable[str] = MARTS) -> None:
    for name in names:
        marts.connection.execute(f"create or replace table {name} as {marts.sql[name]}")


def cases(marts: Marts) -> dict[str, Row]:
    """Rows of detractor_cases by response_id."""
    build(marts, CASES)
    return {row["response_id"]: row for row in marts.rows("select * from detractor_cases")}


# --- survival ---------------------------------------------------------------------------------


def waits(
    sample: str, over: Iterable[float], still: Iterable[float] = ()
) -> list[tuple[str, float, bool]]:
    return [(sample, x, True) for x in over] + [(sample, x, False) for x in still]


def test_survival_of_a_published_trial(marts: Marts) -> None:
    # Weeks in remission under 6-mercaptopurine: Freireich et al. 1963, Blood 21:699; the estimates
    # as Kleinbaum and Klein print them (Survival Analysis, 3rd edition, table 2.1).
    over = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    still = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    rows = marts.run("survival", WAITS, waits("drug", over, still))
    printed = {6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482}
    found = {row["duration"]: row["survival"] for row in rows if row["events"]}
    assert found == pytest.approx(printed, abs=5e-5)
    assert [row["at_risk"] for row in rows if row["events"]] == [21, 17, 15, 12, 11, 7, 6]
    (percentiles,) = marts.rows(marts.sql["percentiles"])
    # R's survfit(conf.type = "log-log") prints a median of 23 weeks, from 13 to none.
    assert percentiles["p50"] == 23
    assert percentiles["p90"] is None
    assert (percentiles["p50_ci_low"], percentiles["p50_ci_high"]) == (13, None)


def test_survival_is_that_of_statsmodels(marts: Marts) -> None:
    draws = np.random.default_rng(20250101)
    samples = {}
    for number in range(60):
        size = int(draws.integers(1, 120))
        # Whole hours: with ties, some of them with events and censored at once.
        wait = draws.integers(0, 40, size).astype(float)
        samples[f"{number:02}"] = (wait, draws.random(size) < draws.choice([0.2, 0.6, 1.0]))
    given = [
        (name, float(x), bool(over))
        for name, (wait, is_over) in samples.items()
        for x, over in zip(wait, is_over, strict=True)
    ]
    rows: dict[str, list[Row]] = {}
    for row in marts.run("survival", WAITS, [*given, ("00", None, True), ("none", None, False)]):
        rows.setdefault(row["sample"], []).append(row)
    assert rows.keys() == samples.keys()
    for name, (wait, is_over) in samples.items():
        theirs = SurvfuncRight(wait, is_over.astype(int))
        ours = [row for row in rows[name] if row["events"]]
        assert [row["duration"] for row in ours] == list(theirs.surv_times)
        assert [row["at_risk"] for row in ours] == list(theirs.n_risk)
        assert [row["survival"] for row in ours] == pytest.approx(list(theirs.surv_prob), abs=1e-12)
        errors = [row["survival"] * np.sqrt(row["greenwood"]) for row in ours if row["greenwood"]]
        assert errors == pytest.approx(list(theirs.surv_prob_se[: len(errors)]), abs=1e-12)
        assert len(ours) - len(errors) == sum(theirs.surv_prob == 0)
        for row in rows[name]:
            if 0 < row["survival"] < 1:
                assert 0 <= row["survival_ci_low"] < row["survival"] < row["survival_ci_high"] <= 1


def test_without_censoring_a_percentile_is_of_the_values(marts: Marts) -> None:
    draws = np.random.default_rng(7)
    samples = {str(size): draws.random(size) for size in [1, 2, 3, *range(10, 211, 20)]}
    given = [wait for name, values in samples.items() for wait in waits(name, values.tolist())]
    marts.fill("given", given, WAITS)
    for row in marts.rows(marts.sql["percentiles"]):
        values = samples[row["sample"]]
        for percent in (50, 90):
            nearest = np.quantile(values, percent / 100, method="inverted_cdf")
            assert row[f"p{percent}"] == nearest, row["sample"]


# --- business time ----------------------------------------------------------------------------

WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
# By department: its zone, hours by weekday (breaks, nights over a change of the clocks, a day that
# runs on into the next) and holidays of its own.
CENTERS: dict[str, tuple[str, dict[int, list[tuple[str, str]]], list[date]]] = {
    "berlin": (
        "Europe/Berlin",
        {
            **{day: [("08:00", "12:30"), ("13:00", "18:00")] for day in range(1, 6)},
            6: [("09:00", "14:00")],
            7: [("01:00", "06:00")],
        },
        [date(2024, 5, 1), date(2025, 4, 18), date(2025, 5, 1)],
    ),
    "new york": (
        "America/New_York",
        {**{day: [("09:00", "17:30")] for day in range(1, 6)}, 7: [("00:00", "24:00")]},
        [date(2024, 7, 4), date(2024, 11, 28), date(2025, 7, 4), date(2025, 3, 9)],
    ),
    "sydney": (
        "Australia/Sydney",
        {
            **{day: [("00:00", "07:15"), ("21:00", "24:00")] for day in range(1, 5)},
            7: [("00:30", "05:00"), ("10:00", "11:00")],
        },
        [date(2024, 1, 26), date(2025, 1, 27), date(2025, 10, 6)],
    ),
}
EVERYWHERE = [date(2024, 1, 1), date(2024, 12, 25), date(2025, 1, 1), date(2025, 12, 25)]
CENTER_TABLES: dict[str, Any] = {
    "hours": [
        ("department", name, weekday, *opening, zone)
        for name, (zone, week, _) in CENTERS.items()
        for weekday, openings in week.items()
        for opening in openings
    ],
    "holidays": [
        *[(day, "everywhere", "company", "all") for day in EVERYWHERE],
        *[(day, "here", "department", name) for name, at in CENTERS.items() for day in at[2]],
    ],
    "parents": dict.fromkeys(CENTERS),
}


class Center:
    """Business time by the opening_hours library: no line of ours in it."""

    def __init__(self, name: str) -> None:
        zone, week, closed = CENTERS[name]
        self.zone = ZoneInfo(zone)
        text = [
            f"{WEEKDAYS[weekday - 1]} {','.join('-'.join(opening) for opening in openings)}"
            for weekday, openings in week.items()
        ]
        text += [f"{day:%Y %b %d} off" for day in [*EVERYWHERE, *closed]]
        self.hours = OpeningHours("; ".join(text), timezone=self.zone)

    def local(self, at: datetime) -> datetime:
        return at.replace(tzinfo=UTC).astimezone(self.zone)

    def is_first_of_two(self, at: datetime) -> bool:
        """Whether the wall shows the same time again an hour later, as clocks are put back."""
        local = self.local(at)
        return local.fold == 0 and local.utcoffset() != local.replace(fold=1).utcoffset()

    def seconds(self, since: datetime, until: datetime) -> float:
        """Open time between two instants in UTC."""
        spans = self.hours.intervals(self.local(since), self.local(until))
        return sum(
            (span[1].astimezone(UTC) - span[0].astimezone(UTC)).total_seconds()
            for span in spans
            if str(span[2]) == "open"
        )


def random_instants(draws: np.random.Generator, count: int) -> list[datetime]:
    """Half of them anywhere in two years, half in the days around changes of the clocks."""
    first = datetime(2024, 1, 3)
    anywhere = draws.integers(0, 725 * 86_400, count)
    # 2024 and 2025: Berlin, New York, Sydney.
    changes = [
        *[datetime(2024, 3, 31), datetime(2024, 10, 27), datetime(2025, 3, 30)],
        *[datetime(2025, 10, 26), datetime(2024, 3, 10), datetime(2024, 11, 3)],
        *[datetime(2025, 3, 9), datetime(2025, 11, 2), datetime(2024, 4, 7)],
        *[datetime(2024, 10, 6), datetime(2025, 4, 6), datetime(2025, 10, 5)],
    ]
    around = draws.integers(-2 * 86_400, 2 * 86_400, count)
    near = draws.random(count) < 0.5
    return [
        (changes[int(which)] + timedelta(seconds=int(beside)))
        if is_near
        else first + timedelta(seconds=int(offset))
        for which, beside, is_near, offset in zip(
            draws.integers(0, len(changes), count), around, near, anywhere, strict=True
        )
    ]


def test_business_time_is_that_of_a_library(marts: Marts) -> None:
    draws = np.random.default_rng(20240331)
    centers = {name: Center(name) for name in CENTERS}
    intervals: list[tuple[str, datetime, datetime]] = []
    for number, since in enumerate(random_instants(draws, 10_100)):
        name = list(CENTERS)[number % 3]
        until = since + timedelta(seconds=int(draws.integers(0, draws.choice([3, 40]) * 86_400)))
        # The library reads wall time, and takes a time that occurs twice for the later one: an end
        # of an interval in the first of a doubled hour is beyond it (see the hand-made cases).
        if not any(centers[name].is_first_of_two(at) for at in (since, until)):
            intervals.append((name, since, until))
    assert len(intervals) >= 10_000
    fill(
        marts,
        answers=[
            answer(f"R{number}", since, department_id=name)
            for number, (name, since, _) in enumerate(intervals)
        ],
        follow_ups=[
            follow_up(f"F{number}", f"R{number}", closed_at=until)
            for number, (_, _, until) in enumerate(intervals)
        ],
        sla={"normal": 7.25},
        **CENTER_TABLES,
    )
    found = cases(marts)
    assert len(found) == len(intervals)
    across = Counter[str]()
    for number, (name, since, until) in enumerate(intervals):
        center, case = centers[name], found[f"R{number}"]
        expected = center.seconds(since, until)
        assert case["business_hours_to_close"] * 3600 == pytest.approx(expected, abs=1e-5), number
        across[name] += center.local(since).utcoffset() != center.local(until).utcoffset()
        due = case["due_at"]
        # Due is when the hours have run out, and not a second earlier.
        if number % 10 == 0 and not center.is_first_of_two(due):
            assert center.seconds(since, due) == pytest.approx(7.25 * 3600, abs=1e-5), number
            assert center.seconds(since, due - timedelta(seconds=1)) < 7.25 * 3600, number
        assert case["is_within_sla"] == (until <= due)
    assert min(across[name] for name in CENTERS) > 300, "too few changes of the clocks"


# Clocks in Berlin, 2025: 2 to 3 o'clock does not exist on March 30th and comes twice on October
# 26th, both Sundays. Opening hours, begin and end in UTC, business hours by hand.
CLOCKS = {
    "begins in the skipped hour: at 3:30": ("02:30", "05:00", (3, 30, 0), (3, 30, 12), 1.5),
    "ends in the skipped hour: at 3:30": ("01:00", "02:30", (3, 29, 23), (3, 30, 12), 1.5),
    "lies in the skipped hour: an hour later": ("02:15", "02:45", (3, 30, 0), (3, 30, 12), 0.5),
    "around the skipped hour": ("00:00", "24:00", (3, 29, 23), (3, 30, 22), 23.0),
    "begins in the doubled hour: the second time": (
        "02:30",
        "05:00",
        (10, 26, 0),
        (10, 26, 12),
        2.5,
    ),
    "ends in the doubled hour: the second time": (
        "01:00",
        "02:30",
        (10, 25, 22),
        (10, 26, 12),
        2.5,
    ),
    "around the doubled hour": ("00:00", "24:00", (10, 25, 22), (10, 26, 23), 25.0),
    "from the first to the second time": ("01:00", "06:00", (10, 26, 0), (10, 26, 1), 1.0),
    "to the first time": ("01:00", "06:00", (10, 25, 22), (10, 26, 0), 1.0),
}


@pytest.mark.parametrize("case", CLOCKS)
def test_changes_of_the_clocks(marts: Marts, case: str) -> None:
    opens, closes, since, until, hours = CLOCKS[case]
    fill(
        marts,
        answers=[answer("R", datetime(2025, *since))],
        follow_ups=[follow_up("F", "R", first_contacted_at=datetime(2025, *until))],
        hours=[("company", "all", 7, opens, closes, "Europe/Berlin")],
    )
    assert cases(marts)["R"]["business_hours_to_first_contact"] == pytest.approx(hours, abs=EXACT)


def test_openings_that_overlap_count_once(marts: Marts) -> None:
    # Monday 09-12, 11-14 and 10-11 are five hours. On the Sunday 2:45 is skipped, so the first
    # opening runs to 3:45, into the next, and two others become one: 01-05 less the skipped hour.
    hours = [
        ("company", "all", 1, *span, "Europe/Berlin")
        for span in (("09:00", "12:00"), ("9:00", "12:00"), ("11:00", "14:00"), ("10:00", "11:00"))
    ]
    hours += [
        ("company", "all", 7, "01:00", "02:45", "Europe/Berlin"),
        ("company", "all", 7, "03:00", "05:00", "Europe/Berlin"),
        ("company", "all", 7, "02:15", "02:45", "Europe/Berlin"),
        ("company", "all", 7, "03:15", "03:45", "Europe/Berlin"),
    ]
    fill(
        marts,
        answers=[answer("R", datetime(2025, 3, 29, 12))],
        follow_ups=[follow_up("F", "R", closed_at=datetime(2025, 3, 31, 22))],
        hours=hours,
    )
    assert cases(marts)["R"]["business_hours_to_close"] == pytest.approx(3 + 5, abs=EXACT)


def test_whose_hours_and_holidays_hold(marts: Marts) -> None:
    parents = {"top": None, "hours": "top", "below": "hours", "feast": "below", "other": None}
    monday = date(2025, 6, 2)
    fill(
        marts,
        answers=[
            answer(f"R {name}", datetime(2025, 6, 1), department_id=name)
            for name in [*parents, "unknown"]
        ],
        follow_ups=[
            follow_up(f"F {name}", f"R {name}", closed_at=datetime(2025, 6, 4))
            for name in [*parents, "unknown"]
        ],
        parents=parents,
        # The company works 8 hours; from "hours" downwards it is 2.
        hours=[
            *NINE_TO_FIVE,
            *[("department", "hours", day, "10:00", "12:00", None) for day in (1, 2)],
        ],
        holidays=[(monday, "feast", "department", "feast"), (monday, "n", "department", "nobody")],
    )
    found = {key: row["business_hours_to_close"] for key, row in cases(marts).items()}
    assert found == {
        "R top": 16,
        "R hours": 4,
        "R below": 4,
        "R feast": 2,
        "R other": 16,
        "R unknown": 16,
    }


def test_without_hours_work_goes_on_around_the_clock(marts: Marts) -> None:
    fill(
        marts,
        answers=[answer("R", datetime(2025, 6, 1, 3))],
        follow_ups=[follow_up("F", "R", closed_at=datetime(2025, 6, 4, 4, 30))],
        hours=[],
        holidays=[(date(2025, 6, 2), "a day off", "company", "all")],
    )
    case = cases(marts)["R"]
    assert case["business_hours_to_close"] == 2 * 24 + 1.5
    assert case["due_at"] == datetime(2025, 6, 1, 11)


READABLE = {
    "single digit": ("8:30", "24:00", None, True),
    "a zone": ("00:00", "0:01", "America/St_Johns", True),
    "an hour that is none": ("24:00", "24:00", None, False),
    "a minute that is none": ("08:60", "18:00", None, False),
    "past midnight": ("22:00", "06:00", None, False),
    "no time at all": ("09:00", "09:00", None, False),
    "words": ("nine", "18:00", None, False),
    "an hour alone": ("9", "18", None, False),
    "no zone": ("09:00", "18:00", "Mars/Olympus", False),
    "after midnight": ("09:00", "24:30", None, False),
}


@pytest.mark.parametrize("case", READABLE)
def test_hours_that_can_be_read(marts: Marts, case: str) -> None:
    opens, closes, zone, is_readable = READABLE[case]
    marts.fill(
        "business_hours",
        [
            ("company", "all", 1, "09:00", "17:00", "Asia/Kolkata"),
            ("company", "all", 2, opens, closes, zone),
        ],
        INPUTS["business_hours"],
    )
    found = marts.rows(marts.sql["unreadable"])
    assert [row["weekday"] for row in found] == ([] if is_readable else [2])


def test_deadlines(marts: Marts) -> None:
    friday = datetime(2025, 6, 6)
    opened = {
        "in the morning": (friday.replace(hour=9), friday.replace(hour=17)),
        # What runs out at the close of a day is due then, not on Monday.
        "at night": (friday.replace(hour=1), friday.replace(hour=17)),
        "at noon": (friday.replace(hour=12), datetime(2025, 6, 9, 12)),
        "after work": (friday.replace(hour=17), datetime(2025, 6, 9, 17)),
    }
    fill(marts, answers=[answer(key, at) for key, (at, _) in opened.items()])
    found = cases(marts)
    assert {key: found[key]["due_at"] for key in found} == {
        key: due for key, (_, due) in opened.items()
    }


def test_what_is_late_depends_on_now(marts: Marts) -> None:
    monday = datetime(2025, 6, 2, 9)
    due = monday.replace(hour=17)
    answers = [answer(key, monday) for key in ("new", "late", "in time", "closed", "closed late")]
    follow_ups = [
        follow_up("1", "late", first_contacted_at=due + timedelta(seconds=1)),
        follow_up("2", "in time", first_contacted_at=due),
        follow_up("3", "closed", closed_at=due, outcome="unreachable"),
        follow_up("4", "closed late", first_contacted_at=due, closed_at=due + timedelta(days=9)),
    ]
    fill(marts, answers=answers, follow_ups=follow_ups, as_of=due)
    found = cases(marts)
    assert [key for key in found if found[key]["is_overdue"]] == []
    assert found["new"]["is_within_sla"] is None
    fill(marts, answers=answers, follow_ups=follow_ups, as_of=due + timedelta(seconds=1))
    found = cases(marts)
    assert [key for key in found if found[key]["is_overdue"]] == ["new"]
    assert {key: found[key]["is_within_sla"] for key in found} == {
        "new": False,
        "late": False,
        "in time": True,
        "closed": True,
        "closed late": True,
    }
    assert {key: found[key]["case_status"] for key in found} == {
        "new": "new",
        "late": "contacted",
        "in time": "contacted",
        "closed": "closed",
        "closed late": "closed",
    }


def test_deadlines_after_the_last_date_and_times_beyond_it(marts: Marts) -> None:
    fill(
        marts,
        answers=[answer(key, datetime(2025, 12, 31, 16)) for key in ("R", "far", "early")],
        follow_ups=[
            follow_up("1", "far", closed_at=datetime(2099, 1, 1)),
            follow_up("2", "early", first_contacted_at=datetime(2001, 1, 1)),
        ],
        sla={"normal": 2000},
    )
    found = cases(marts)
    # 2,000 hours are 250 working days: 1 h on December 31st, then 249 days and 7 h: a Wednesday
    # of the second year.
    days = pd.bdate_range("2026-01-01", periods=250)
    assert found["R"]["due_at"] == datetime.combine(days[-1].date(), time(16))
    assert found["far"]["business_hours_to_close"] is None
    assert found["early"]["business_hours_to_first_contact"] == 0
    fill(marts, answers=[answer("R", datetime(2025, 12, 31, 16))], sla={"normal": 20_000})
    case = cases(marts)["R"]
    assert (case["due_at"], case["is_overdue"], case["is_within_sla"]) == (None, False, None)


# --- follow-ups, priorities -------------------------------------------------------------------


def test_several_follow_ups_are_one_case(marts: Marts) -> None:
    day = datetime(2025, 6, 2)

    def hour(number: int) -> datetime:
        return day + timedelta(hours=number)

    fill(
        marts,
        answers=[
            *(answer(key, day) for key in ("two", "one open", "same time", "no time", "nobody")),
            answer("happy", day, score=10),
            answer("passive", day, score=7),
        ],
        follow_ups=[
            follow_up("1", "two", opened_at=hour(1), first_contacted_at=hour(9), closed_at=hour(20),
                      outcome="unreachable", root_cause="late", owner_agent_id="A1"),
            follow_up("2", "two", opened_at=hour(2), first_contacted_at=hour(5), closed_at=hour(10),
                      outcome="fixed", root_cause="early", owner_agent_id="A2"),
            follow_up("3", "one open", opened_at=hour(3), closed_at=hour(4), outcome="fixed",
                      owner_agent_id="A3"),
            follow_up("4", "one open", first_contacted_at=hour(2), owner_agent_id="A4"),
            follow_up("5", "same time", closed_at=hour(3), outcome="fixed", owner_agent_id="A5"),
            follow_up("6", "same time", closed_at=hour(3), outcome="explained",
                      owner_agent_id="A6"),
            # An outcome without a time: nobody knows when, so it is still to be closed.
            follow_up("7", "no time", outcome="fixed", opened_at=hour(1), owner_agent_id="A7"),
            follow_up("8", "happy", closed_at=hour(1)),
            follow_up("9", "passive", closed_at=hour(1)),
            follow_up("10", "gone", closed_at=hour(1)),
            follow_up("11", None, closed_at=hour(1)),
        ],
    )  # fmt: skip
    found = cases(marts)
    shown = ("follow_ups", "follow_up_opened_at", "first_contacted_at", "closed_at", "outcome")
    assert {
        key: (*(row[column] for column in shown), row["root_cause"], row["owner_agent_id"])
        for key, row in found.items()
    } == {
        "two": (2, hour(1), hour(5), hour(20), "unreachable", "late", "A2"),
        "one open": (2, hour(3), hour(2), None, None, None, "A3"),
        "same time": (2, None, None, hour(3), "explained", None, "A6"),
        "no time": (1, hour(1), None, None, None, None, "A7"),
        "nobody": (0, None, None, None, None, None, None),
    }
    assert {key: row["case_status"] for key, row in found.items()} == {
        "two": "closed",
        "one open": "contacted",
        "same time": "closed",
        "no time": "assigned",
        "nobody": "new",
    }
    others = marts.rows("select follow_up_id, reason from follow_ups_without_case")
    assert {row["follow_up_id"]: row["reason"] for row in others} == {
        "8": "promoter",
        "9": "passive",
        "10": "unknown answer",
        "11": "no answer named",
    }


def test_priorities_by_value_and_severity(marts: Marts) -> None:
    rules = [
        # number, priority, segment, revenue_is_known, revenue_at_least, score_at_most, has_comment,
        # is_repeat
        (10, "urgent", None, True, 1000.0, None, None, None, ""),
        (20, "high", "enterprise", False, None, None, None, None, ""),
        (30, "high", None, None, None, 2, True, None, ""),
        (40, "soon", None, None, None, None, None, True, ""),
        (50, "high", None, None, 1.0, 0, None, None, ""),
        (60, "low", None, None, None, 5, None, None, ""),
    ]
    at = datetime(2025, 6, 15, 12)
    year = timedelta(days=365)
    answers = [
        answer("rich", at, customer_id="rich", score=6),
        answer("enterprise", at, segment="enterprise"),
        answer("known", at, customer_id="known", segment="enterprise"),
        answer("says why", at, comment="bad", score=2),
        answer("says nothing", at, comment=" ", score=2),
        answer("not so angry", at, comment="bad", score=3),
        answer("first", at - year, customer_id="again", score=3),
        answer("again", at, customer_id="again", score=3),
        answer("long ago", at - year - timedelta(seconds=1), customer_id="rarely", score=3),
        answer("rarely", at, customer_id="rarely", score=3),
        answer("was happy", at - timedelta(days=1), customer_id="fell", score=9),
        answer("fell", at, customer_id="fell", score=3),
        answer("nobody known", at - timedelta(days=1), score=3),
        answer("nobody known either", at, score=3),
        answer("no rule", at, score=6),
    ]
    revenue = [
        # Twelve whole months before June 2025 are June 2024 to May 2025.
        ("rich", date(2024, 6, 1), 400.5),
        ("rich", date(2025, 5, 1), 599.5),
        ("known", date(2024, 5, 1), 9000.0),
        ("known", date(2025, 6, 1), 9000.0),
        ("known", date(2025, 1, 1), 999.75),
        ("again", date(2025, 5, 1), None),
    ]
    fill(
        marts,
        answers=answers,
        rules=rules,
        categorized_customer_revenue=revenue,
        sla={"urgent": 4, "high": 8, "low": 40},
    )
    found = cases(marts)
    assert {key: row["priority"] for key, row in found.items()} == {
        "rich": "urgent",
        "enterprise": "high",
        "known": "low",
        "says why": "high",
        "says nothing": "low",
        "not so angry": "low",
        "first": "low",
        "again": "soon",
        "long ago": "low",
        "rarely": "low",
        "fell": "low",
        "nobody known": "low",
        "nobody known either": "low",
        "no rule": "unknown",
    }
    assert found["rich"]["revenue_12_months"] == 1000.0
    assert found["known"]["revenue_12_months"] == 999.75
    assert found["again"]["revenue_12_months"] is None
    assert found["again"]["previous_detractor_at"] == at - year
    assert found["fell"]["previous_detractor_at"] is None
    ranks = {row["priority"]: row["priority_rank"] for row in found.values()}
    assert ranks == {"urgent": 10, "high": 20, "soon": 40, "low": 60, "unknown": None}
    assert found["rich"]["due_at"] == datetime(2025, 6, 16, 13)
    assert found["again"]["due_at"] is None
    assert found["no rule"]["is_overdue"] is False


# --- a random world, worked out in Python -----------------------------------------------------

DEPARTMENTS = ("D1", "D2", "D3", "unknown")
OUTCOMES = ("fixed", "explained", "unreachable", None)


def random_world(seed: int, customers: int) -> dict[str, Any]:
    """Answers and follow-ups of a year; some customers answer often, some follow-ups never end."""
    draws = np.random.default_rng(seed)
    answers: list[dict[str, object]] = []
    follow_ups: list[dict[str, object]] = []
    contacts: list[tuple[str, datetime]] = []
    for number in range(customers):
        for _ in range(int(draws.integers(1, 5))):
            key = f"R{len(answers)}"
            # Whole hours, so that waits are tied.
            at = datetime(2025, 1, 1) + timedelta(hours=int(draws.integers(0, 350 * 24)))
            answers.append(
                answer(
                    key,
                    at,
                    customer_id="unknown" if number % 20 == 0 else f"K{number}",
                    contact_id=f"C{key}" if draws.random() < 0.7 else "unknown",
                    score=int(draws.integers(4, 11)),
                    department_id=DEPARTMENTS[int(draws.integers(0, 4))],
                    contact_reason=str(
                        draws.choice(["bill", "repair", "rare"], p=[0.56, 0.36, 0.08])
                    ),
                )
            )
            began = at - timedelta(days=int(draws.integers(0, 40)))
            contacts.append((f"C{key}", began))
            if draws.random() < 0.6:
                opened = at + timedelta(hours=int(draws.integers(0, 60)))
                contacted = opened + timedelta(hours=int(draws.integers(0, 100)))
                closed = contacted + timedelta(days=int(draws.integers(0, 35)))
                is_closed = draws.random() < 0.85
                outcome = OUTCOMES[int(draws.integers(0, 4))]
                reached = draws.random() < 0.7 and outcome != "unreachable"
                follow_ups.append(
                    follow_up(
                        f"F{key}",
                        key,
                        opened_at=opened if draws.random() < 0.9 else None,
                        first_contacted_at=contacted if reached else None,
                        closed_at=closed if is_closed else None,
                        outcome=outcome if is_closed else None,
                    )
                )
    return {
        "answers": answers,
        "follow_ups": follow_ups,
        "fct_contacts": contacts,
        "parents": dict.fromkeys(("D1", "D2", "D3")),
        "dates": (date(2025, 1, 1), date(2025, 12, 31)),
        "as_of": datetime(2025, 12, 20, 12),
        "hours": [],
    }


@pytest.fixture(scope="module")
def world() -> dict[str, Any]:
    return random_world(5, 500)


@pytest.fixture(scope="module")
def shown(marts: Marts, world: dict[str, Any]) -> dict[str, list[Row]]:
    """Rows of the world's marts."""
    fill(marts, **world)
    build(marts)
    return {mart: marts.rows(f"select * from {mart}") for mart in MARTS}


def periods_of(day: date, first: date, last: date) -> Iterator[tuple[str, date, date]]:
    yield "week", (monday := day - timedelta(days=day.weekday())), monday + timedelta(days=6)
    for name, code in (("month", "M"), ("quarter", "Q"), ("year", "Y")):
        period = pd.Period(day, freq=code)
        yield name, period.start_time.date(), period.end_time.date()
    yield "all", first, last


def test_performance_counts_and_waits(shown: dict[str, list[Row]], world: dict[str, Any]) -> None:
    """Every figure from the cases, by pandas' periods and statsmodels."""
    as_of = world["as_of"]
    days = [row["response_date"] for row in world["answers"]]
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    ends = {}
    for case in shown["detractor_cases"]:
        for period_type, start, end in periods_of(case["period_date"], min(days), max(days)):
            for scope in (("company", "all"), ("department", case["department_id"])):
                groups[*scope, period_type, start].append(case)
                ends[period_type, start] = end
    rows = shown["closed_loop_performance"]
    assert len(rows) == len(groups)
    medians = 0
    for row in rows:
        group = groups[row["scope_type"], row["scope_id"], row["period_type"], row["period_start"]]
        end = ends[row["period_type"], row["period_start"]]
        assert (row["period_end"], row["is_complete"]) == (end, end < as_of.date())
        counts = {
            "cases": len(group),
            "followed_up": sum(case["follow_ups"] > 0 for case in group),
            "contacted": sum(case["first_contacted_at"] is not None for case in group),
            "closed": sum(case["case_status"] == "closed" for case in group),
            "within_sla": sum(case["is_within_sla"] is True for case in group),
            "past_sla": sum(case["is_within_sla"] is False for case in group),
            "overdue": sum(case["is_overdue"] for case in group),
            **{
                outcome: sum(case["outcome"] == outcome for case in group)
                for outcome in ("fixed", "explained", "unreachable")
            },
        }
        ages = [(as_of - case["opened_at"]) for case in group if case["closed_at"] is None]
        bands = {"open_to_7_days": 0, "open_8_to_30_days": 7, "open_31_to_90_days": 30}
        for (band, over), up_to in zip(
            {**bands, "open_over_90_days": 90}.items(), (7, 30, 90, 10_000), strict=True
        ):
            low = timedelta(days=over) if over else timedelta(days=-1)
            counts[band] = sum(low < age <= timedelta(days=up_to) for age in ages)
        assert {name: row[name] for name in counts} == counts
        decided = counts["within_sla"] + counts["past_sla"]
        assert row["is_reportable"] == (decided >= MINIMUM)
        if decided:
            limits = proportion_confint(counts["within_sla"], decided, method="wilson")
            assert row["within_sla_pct"] == pytest.approx(100 * counts["within_sla"] / decided)
            assert row["within_sla_pct_ci_low"] == pytest.approx(100 * limits[0], abs=1e-9)
            assert row["within_sla_pct_ci_high"] == pytest.approx(100 * limits[1], abs=1e-9)
        if counts["closed"]:
            assert row["fixed_pct"] == pytest.approx(100 * counts["fixed"] / counts["closed"])
        waits_of = []
        for case in group:
            ended = case["first_contacted_at"] or case["closed_at"] or as_of
            waited = max(0.0, (ended - case["opened_at"]).total_seconds() / 3600)
            waits_of.append((waited, case["first_contacted_at"] is not None))
        estimate = SurvfuncRight(
            np.array([wait for wait, _ in waits_of]), np.array([int(over) for _, over in waits_of])
        )
        for percent in (50, 90):
            below = np.flatnonzero(estimate.surv_prob <= 1 - percent / 100 + 1e-9)
            expected = estimate.surv_times[below[0]] if len(below) else None
            medians += expected is not None
            assert row[f"hours_to_contact_p{percent}"] == (
                None if expected is None else pytest.approx(expected, abs=EXACT)
            )
        of_closed = [
            (case["first_contacted_at"] - case["opened_at"]).total_seconds() / 3600
            for case in group
            if case["closed_at"] and case["first_contacted_at"]
        ]
        assert row["closed_hours_p50"] == (
            pytest.approx(np.quantile(of_closed, 0.5, method="inverted_cdf")) if of_closed else None
        )
    assert medians > 80


def next_answers(world: Mapping[str, Any], days: int) -> list[dict[str, Any]]:
    """Each customer's first case with the next answer, and how it was followed up."""
    began = dict(world["fct_contacts"])
    by_customer: dict[Any, list[Any]] = defaultdict(list)
    for row in world["answers"]:
        if row["customer_id"] != "unknown":
            by_customer[row["customer_id"]].append(row)
    follow_ups = {row["response_id"]: row for row in world["follow_ups"]}
    found = []
    for rows in by_customer.values():
        detractors = [row for row in rows if row["score"] <= 6]
        if not detractors:
            continue
        first = min(detractors, key=lambda row: (row["responded_at"], row["response_id"]))
        judged = first["responded_at"] + timedelta(days=days)
        case = follow_ups.get(first["response_id"])
        if case is None:
            way = "none"
        elif case["closed_at"] is not None and case["closed_at"] <= judged:
            way = case["outcome"] or "unknown"
        else:
            begun = [
                case[name]
                for name in ("opened_at", "first_contacted_at", "closed_at")
                if case[name] is not None
            ]
            if not begun or begun[0] <= judged:
                continue
            way = "none"
        later = [
            (began.get(row["contact_id"], row["responded_at"]), row["response_id"], row["score"])
            for row in rows
            if began.get(row["contact_id"], row["responded_at"]) > judged
        ]
        if later:
            score = min(later)[2]
            value = 100 if score >= 9 else -100 if score <= 6 else 0
            found.append({"way": way, "value": value, **first})
    return found


def test_recovery_of_a_random_world(shown: dict[str, list[Row]], world: dict[str, Any]) -> None:
    """Controls weighted one by one, as the description says it."""
    people = next_answers(world, days=30)
    controls = [person for person in people if person["way"] == "none"]
    levels: list[Callable[[Any], object]] = [
        lambda row: (row["score"], row["contact_reason"], row["department_id"]),
        lambda row: (row["score"], row["contact_reason"]),
        lambda row: (row["score"],),
        lambda _: (),
    ]
    rows = shown["closed_loop_recovery"]
    assert {row["follow_up"] for row in rows} >= {"any", "fixed", "explained", "unreachable"}
    used = Counter[int]()
    seen = 0
    for row in rows:
        treated = [
            person
            for person in people
            if person["way"] != "none"
            and row["follow_up"] in ("any", person["way"])
            and row["scope_id"] in ("all", person["department_id"])
        ]
        seen += len(treated)
        weights = np.zeros(len(controls))
        for person in treated:
            for level, key in enumerate(levels):
                alike = [n for n, other in enumerate(controls) if key(other) == key(person)]
                if len(alike) >= LEAST or level == len(levels) - 1:
                    weights[alike] += 1 / len(alike)
                    used[level] += 1
                    break
        values = np.array([person["value"] for person in controls])
        mean = float(np.average(values, weights=weights))
        error = math.sqrt(float(np.sum(weights**2 * (values - mean) ** 2))) / weights.sum()
        own = np.array([person["value"] for person in treated])
        n = len(own)
        assert row["followed_up_customers"] == n
        assert row["compared_customers"] == np.count_nonzero(weights)
        assert row["effective_customers"] == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
        assert row["comparison_nps"] == pytest.approx(mean, abs=1e-9)
        assert row["recovery"] == pytest.approx(own.mean() - mean, abs=1e-9)
        # Adjusted Wald: three answers more, a quarter of them at each end.
        centre = own.sum() / (n + 3)
        second = 10_000 * (np.count_nonzero(own) + 1.5) / (n + 3)
        both = math.hypot(math.sqrt((second - centre**2) / (n + 3)), error)
        assert row["recovery_standard_error"] == pytest.approx(both, abs=1e-9)
        for column, side in (("recovery_ci_low", -1), ("recovery_ci_high", 1)):
            expected = centre - mean + side * 1.959963984540054 * both
            assert row[column] == pytest.approx(expected, abs=1e-9)
        assert (row["p_value"] is not None) == row["is_reportable"]
    assert seen > 200
    assert min(used[level] for level in range(3)) > 3, used


def test_queue_is_the_open_cases_in_order(shown: dict[str, list[Row]]) -> None:
    cases_found = [row for row in shown["detractor_cases"] if row["closed_at"] is None]
    queue = sorted(shown["open_case_queue"], key=lambda row: row["queue_rank"])
    assert [row["queue_rank"] for row in queue] == list(range(1, len(cases_found) + 1))
    far = datetime.max
    expected = sorted(
        cases_found,
        key=lambda row: (
            row["priority_rank"], row["due_at"] or far, row["opened_at"], row["case_id"]
        ),
    )  # fmt: skip
    assert [row["case_id"] for row in queue] == [row["case_id"] for row in expected]
    assert {"comment", "customer_name", "email"} & queue[0].keys() == set()


def test_same_bytes_on_any_number_of_threads(marts: Marts, world: dict[str, Any]) -> None:
    found = []
    for threads, order in ((1, 1), (4, -1)):
        marts.connection.execute(f"set threads = {threads}")
        shuffled: dict[str, Any] = {
            key: value[::order] if isinstance(value, list) else value
            for key, value in world.items()
        }
        revenue = [
            (f"K{n}", date(2024, m, 1), 0.1 * n + m / 7) for n in range(400) for m in (3, 5, 9)
        ]
        fill(marts, **shuffled, categorized_customer_revenue=revenue[::order])
        build(marts)
        prints = {}
        for mart in MARTS:
            rows = marts.connection.execute(
                f"select cast(to_json(t) as varchar) as row_text from {mart} as t order by row_text"
            ).fetchall()
            assert rows or mart in ("calendar_holidays", "follow_ups_without_case"), mart
            prints[mart] = hash(tuple(rows))
        found.append(prints)
    assert found[0] == found[1]


def test_nothing_delivered_is_nothing_shown(marts: Marts) -> None:
    fill(marts, as_of=datetime(2025, 12, 31))
    build(marts)
    for mart in MARTS[MARTS.index("case_follow_ups") :]:
        rows = marts.rows(f"select * from {mart}")
        assert rows == [] or mart == "priority_ranks", mart
    # Answers without any follow-up, customer revenue or rule are cases all the same.
    fill(marts, answers=[answer("R", datetime(2025, 6, 2))], rules=[], hours=[])
    build(marts)
    (case,) = marts.rows("select * from detractor_cases")
    assert (case["priority"], case["follow_ups"], case["due_at"]) == ("unknown", 0, None)
    (row,) = [row for row in marts.rows("select * from closed_loop_performance")
              if (row["scope_type"], row["period_type"]) == ("company", "all")]  # fmt: skip
    assert (row["cases"], row["within_sla_pct"], row["hours_to_contact_p50"]) == (1, None, None)
    assert marts.rows("select * from closed_loop_recovery") == []
