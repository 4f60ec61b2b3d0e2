"""What answers hang on: drivers, their bands, contrasts, importance, paths and costs."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from conftest import PROJECT
from marts_in_memory import Marts, Row
from nps_warehouse.importance.shares import lmg, shares_of_variance
from oracle.score import adjusted_wald
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

VECTORS = {
    vector["id"]: vector
    for vector in json.loads((Path(__file__).parent / "figures" / "nps_vectors.json").read_text())[
        "vectors"
    ]
}
EXACT = 1e-9
Z = 1.959963984540054
MIN_RESPONSES = 30

# Each after those it reads.
DRIVERS = [
    f"drivers/{name}"
    for name in (
        "contact_paths",
        "contact_repeats",
        "response_drivers",
        "response_evaluations",
        "driver_band_ranges",
        "response_bands",
        "monthly_driver_counts",
        "period_driver_counts",
        "driver_sides",
        "driver_contrasts",
        "driver_reason_contrasts",
        "driver_doses",
        "driver_rewards",
        "monthly_driver_products",
        "period_driver_products",
        "driver_importance",
        "nps_driver_effects",
        "nps_drivers",
        "monthly_path_counts",
        "period_path_counts",
        "monthly_path_contacts",
        "period_path_contacts",
        "nps_by_transfer_path",
        "monthly_resolution_counts",
        "period_resolution_counts",
        "resolution_costs",
        "first_contact_resolution_frontier",
    )
]
LAST = DRIVERS[-1].partition("/")[2]
INPUTS = {
    "as_of": (
        "as_of timestamp, as_of_date date, first_response_date date, last_response_date date"
    ),
    "fct_survey_responses": (
        "response_id varchar, survey_type varchar, period_date date, contact_id varchar, "
        "department_id varchar, contact_reason varchar, nps_category varchar, "
        "nps_contribution integer, queue_seconds double, hold_seconds double, "
        "handle_seconds double, transfers bigint, is_resolved boolean, responded_at timestamp, "
        "agent_id varchar"
    ),
    "fct_contacts": (
        "contact_id varchar, department_id varchar, agent_id varchar, customer_id varchar, "
        "contact_reason varchar, channel varchar, started_at timestamp, ended_at timestamp, "
        "contact_date date, handle_seconds double, transfers bigint, is_resolved boolean"
    ),
    "categorized_contact_legs": (
        "contact_id varchar, leg_number bigint, department_id varchar, "
        "source_department_id varchar, agent_id varchar"
    ),
    "categorized_evaluations": "contact_id varchar, criterion varchar, evaluation_score double",
    "dim_agents": "agent_id varchar, hired_on date",
    "driver_bands": (
        'driver varchar, band varchar, "above" double, up_to double, performance varchar'
    ),
    "nps_bands": 'band varchar, "above" double, up_to double',
}
CATEGORIES = {1: "promoter", 0: "passive", -1: "detractor"}
START = datetime(2024, 1, 10, 12, tzinfo=UTC).replace(tzinfo=None)
with (PROJECT / "seeds" / "driver_bands.csv").open(newline="") as seed:
    SHIPPED_BANDS = [
        (
            row["driver"],
            row["band"],
            float(row["above"]) if row["above"] else None,
            float(row["up_to"]) if row["up_to"] else None,
            row["performance"],
        )
        for row in csv.DictReader(seed)
    ]


@dataclass
class Center:
    """A contact center made by hand."""

    contacts: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    legs: list[tuple[Any, ...]] = field(default_factory=list)
    evaluations: list[tuple[Any, ...]] = field(default_factory=list)
    agents: list[tuple[Any, ...]] = field(default_factory=list)
    bands: Sequence[tuple[Any, ...]] = tuple(SHIPPED_BANDS)
    as_of: datetime = START + timedelta(days=170)

    def contact(self, contact_id: str = "", **given: Any) -> str:
        """A contact of an own customer, unless it says otherwise."""
        contact_id = contact_id or f"c{len(self.contacts)}"
        started = given.get("started_at", START)
        self.contacts.append(
            {
                "contact_id": contact_id,
                "department_id": "D1",
                "agent_id": "A1",
                "customer_id": f"customer of {contact_id}",
                "contact_reason": "Outage",
                "channel": "phone",
                "started_at": started,
                "ended_at": started + timedelta(minutes=10),
                "contact_date": started.date(),
                "handle_seconds": 200.0,
                "transfers": 0,
                "is_resolved": True,
            }
            | {name: value for name, value in given.items() if name in INPUTS["fct_contacts"]}
        )
        return contact_id

    def answer(self, contribution: int, contact: str | None = None, **given: Any) -> None:
        """An answer to a contact, by default one of its own; `contact` "unknown": to none."""
        contact = contact or self.contact(**given)
        found = next((c for c in self.contacts if c["contact_id"] == contact), {})
        responded = given.get("responded_at", found.get("started_at", START) + timedelta(hours=2))
        self.answers.append(
            {
                "response_id": f"r{len(self.answers)}",
                "survey_type": given.get("survey_type", "transactional"),
                "period_date": responded.date(),
                "contact_id": contact,
                "department_id": found.get("department_id", "unknown"),
                "contact_reason": found.get("contact_reason", "unknown"),
                "nps_category": CATEGORIES[contribution],
                "nps_contribution": contribution,
                "queue_seconds": given.get("queue_seconds", 20.0) if found else None,
                "hold_seconds": given.get("hold_seconds", 0.0) if found else None,
                "handle_seconds": found.get("handle_seconds"),
                "transfers": found.get("transfers"),
                "is_resolved": found.get("is_resolved"),
                "responded_at": responded,
                "agent_id": found.get("agent_id", "unknown"),
            }
        )

    def build(self, marts: Marts, until: str = "nps_drivers") -> None:
        """The marts of this center, up to one of DRIVERS."""
        days = [answer["period_date"] for answer in self.answers] or [None]
        marts.fill(
            "as_of", [[self.as_of, self.as_of.date(), min(days), max(days)]], INPUTS["as_of"]
        )
        tables: dict[str, Iterable[Iterable[Any]]] = {
            "fct_contacts": [list(row.values()) for row in self.contacts],
            "fct_survey_responses": [list(row.values()) for row in self.answers],
            "categorized_contact_legs": self.legs,
            "categorized_evaluations": self.evaluations,
            "dim_agents": self.agents,
            "driver_bands": self.bands,
        }
        for table, rows in tables.items():
            fill(marts, table, rows)
        marts.fill_bands()
        for mart in marts.marts[: marts.marts.index(until) + 1]:
            marts.connection.execute(f"create or replace table {mart} as {marts.sql[mart]}")


def fill(marts: Marts, table: str, rows: Iterable[Iterable[Any]]) -> None:
    """Replace a table by these rows, in one go."""
    columns = INPUTS[table]
    marts.fill(table, [], columns)
    frame = pd.DataFrame([list(row) for row in rows], dtype=object)
    if len(frame):
        names = [column.split()[0] for column in columns.split(", ")]
        frame.columns = pd.Index(name.strip('"') for name in names)
        marts.connection.register("frame", frame)
        marts.connection.execute(f"insert into {table} select * from frame")
        marts.connection.unregister("frame")


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Marts:
    return Marts(tmp_path_factory.mktemp("drivers"), DRIVERS, inputs=INPUTS)


def bands(
    marts: Marts, driver: str, where: str = "survey_type = 'transactional'", **more: str
) -> dict[str, Row]:
    """Rows of nps_drivers for a month of the company, by band."""
    conditions = {"period_type": "month", "scope_type": "company"} | more
    rows = marts.rows(
        f"select * from nps_drivers where driver = '{driver}' and {where} "
        + "".join(f"and {name} = '{value}' " for name, value in conditions.items())
    )
    found = {row["band"]: row for row in rows}
    assert len(found) == len(rows)
    return found


# --- what an answer's contact was like -----------------------------------------------------------


def drivers_of(marts: Marts, response_id: str) -> Row:
    (row,) = marts.rows(f"select * from response_drivers where response_id = '{response_id}'")
    return row


def test_repeats_are_counted_to_the_second(marts: Marts) -> None:
    week = timedelta(days=7)
    second = timedelta(seconds=1)
    center = Center(as_of=START + 2 * week)
    center.contact("first", customer_id="a", channel="chat")
    center.contact("in time", customer_id="a", started_at=START + week, contact_reason="Bill")
    center.contact("too late", customer_id="a", started_at=START + 2 * week + second)
    center.contact("of another", customer_id="b", started_at=START + second)
    center.contact("of nobody", customer_id="unknown")
    center.contact("of nobody, too", customer_id="unknown", started_at=START + second)
    center.build(marts, "response_drivers")
    repeats = {row["contact_id"]: row for row in marts.rows("select * from contact_repeats")}
    assert {name: row["is_repeat"] for name, row in repeats.items()} == {
        "first": False,
        "in time": True,
        "too late": False,
        "of another": False,
    }
    assert {
        name: row["is_channel_switch"] for name, row in repeats.items() if row["is_repeat"]
    } == {"in time": True}
    # Whether a contact was repeated is not known before its week is over, as of this moment.
    assert {name: row["is_repeated"] for name, row in repeats.items()} == {
        "first": True,
        "in time": False,
        "too late": None,
        "of another": False,
    }
    assert repeats["first"]["repeat_handle_seconds"] == 200.0
    assert repeats["in time"]["repeat_handle_seconds"] is None


def test_drivers_of_an_answer(marts: Marts) -> None:
    center = Center(agents=[("A1", date(2023, 10, 12)), ("A2", date(2024, 1, 11)), ("A3", None)])
    center.contact("before", customer_id="a", channel="chat", started_at=START - timedelta(days=1))
    center.contact("legs", customer_id="a", transfers=2, is_resolved=False, agent_id="A1")
    center.legs = [
        ("legs", 1, "D2", "D2", "A9"),
        ("legs", 4, "unknown", "gone", "unknown"),
        ("legs", 7, "D2", "D2", "A1"),
    ]
    center.answer(1, "legs", queue_seconds=31.5, hold_seconds=None)
    center.answer(
        0, agent_id="A2", hold_seconds=60.0, transfers=1, customer_id="unknown", is_resolved=None
    )
    center.answer(-1, agent_id="A3", hold_seconds=200.5, responded_at=START + timedelta(minutes=5))
    center.answer(-1, responded_at=START - timedelta(seconds=1))
    center.answer(-1, "unknown", survey_type="relational")
    center.build(marts, "response_drivers")
    legs = drivers_of(marts, "r0")
    assert legs["queue_seconds"] == 31.5
    assert legs["hold_seconds"] is None
    assert (legs["handle_seconds"], legs["talk_seconds"]) == (200, 200)
    assert (legs["transfers"], legs["departments_touched"]) == (2, 2)
    assert legs["transfer_path"] == "D2 > unknown > D2"
    assert (legs["first_contact_resolution"], legs["repeat_contact"]) == (0, 1)
    assert legs["channel_switch"] == 1
    # Two hours after the start, of which ten minutes were the contact.
    assert legs["hours_to_answer"] == pytest.approx(2 - 1 / 6, abs=EXACT)
    assert legs["agent_tenure_days"] == 90
    unknown = drivers_of(marts, "r1")
    assert (unknown["handle_seconds"], unknown["talk_seconds"]) == (200, 140)
    # Transferred without legs: through which departments nobody knows; hired after the contact.
    for driver in ("departments_touched", "repeat_contact", "channel_switch", "agent_tenure_days"):
        assert unknown[driver] is None, driver
    assert unknown["first_contact_resolution"] is None
    during = drivers_of(marts, "r2")
    assert during["talk_seconds"] is None
    assert (during["hours_to_answer"], during["agent_tenure_days"]) == (0, None)
    assert (during["departments_touched"], during["repeat_contact"]) == (1, 0)
    assert drivers_of(marts, "r3")["hours_to_answer"] is None
    without = drivers_of(marts, "r4")
    assert without["transfer_path"] == "unknown"
    for driver in ("queue_seconds", "talk_seconds", "transfers", "repeat_contact"):
        assert without[driver] is None, driver


def test_bands_begin_above_and_end_at(marts: Marts) -> None:
    center = Center()
    for queue_seconds in (0, 30, 30.001, 60, 300, 300.001, 1e12, None):
        center.answer(1, queue_seconds=queue_seconds)
    center.answer(-1, "unknown")
    center.build(marts)
    counts = {name: row["responses"] for name, row in bands(marts, "queue_seconds").items()}
    assert counts == {
        "up to 30 s": 2,
        "30-60 s": 2,
        "2-5 min": 1,
        "over 5 min": 2,
        "unknown": 2,
    }
    row = bands(marts, "queue_seconds")["unknown"]
    assert row["difference_from_rest"] is row["within_reason_difference"] is row["band_order"]
    assert (row["band_order"], row["performance"], row["verdict"]) == (None, None, "no evidence")


def test_criteria_have_bands_of_their_own_or_share_them(marts: Marts) -> None:
    own = ("evaluation:tone", "any", None, None, "middle")
    center = Center(bands=[*SHIPPED_BANDS, own])
    center.answer(1, center.contact("judged"))
    center.answer(-1)
    center.evaluations = [
        ("judged", "tone", 1.0),
        ("judged", "listening", 1.0),
        # The same criterion in another spelling: the middle of both, 2.5.
        ("judged", "listening", 4.0),
        ("judged", "nothing given", None),
        ("of another", "listening", 1.0),
    ]
    center.build(marts)
    assert {name: row["responses"] for name, row in bands(marts, "evaluation:tone").items()} == {
        "any": 1,
        "unknown": 1,
    }
    listening = bands(marts, "evaluation:listening")
    assert {name: row["nps"] for name, row in listening.items()} == {
        "above 2 up to 4": 100,
        "unknown": -100,
    }
    assert not bands(marts, "evaluation:nothing given")


# --- against the rest: crude, and within the same reasons ----------------------------------------


def simpson() -> Center:
    """Long queues look bad, for outages have them; within each reason they are the better ones.

    Promoters and detractors: outages with a short queue 2 and 18 (-80), with a long one 16 and 64
    (-60); orders 64 and 16 (60), and 18 and 2 (80). Pooled 66 and 34 (32) against 34 and 66 (-32).
    """
    center = Center()
    for reason, queue_seconds, promoters, detractors in (
        ("Outage", 10, 2, 18),
        ("Outage", 400, 16, 64),
        ("Order", 10, 64, 16),
        ("Order", 400, 18, 2),
    ):
        for contribution in [1] * promoters + [-1] * detractors:
            center.answer(contribution, contact_reason=reason, queue_seconds=queue_seconds)
    return center


def test_a_contrast_that_turns_round_within_reasons(marts: Marts) -> None:
    simpson().build(marts)
    long = bands(marts, "queue_seconds")["over 5 min"]
    assert (long["nps"], long["rest_nps"]) == (-32, 32)
    assert long["difference_from_rest"] == -64
    assert long["verdict"] == "down"
    # Two reasons with weights 20 x 80 / 100 and a difference of 20 each.
    assert long["reasons"] == 2
    assert long["within_reason_difference"] == pytest.approx(20, abs=EXACT)
    # Deviations of a side: 20 - 16 x 16 / 20 = 7.2 and 80 - 48 x 48 / 80 = 51.2; with the three
    # answers more their variance is (58.4 + 1.5) / (100 - 2 + 3). Both sides have the same, and
    # each has 16 x 16 / 20 + 16 x 16 / 80 = 16.
    error = 100 * math.sqrt(59.9 / 101 * 16 * 2) / 32
    assert long["within_reason_standard_error"] == pytest.approx(error, abs=EXACT)
    assert long["within_reason_ci_low"] == pytest.approx(20 - Z * error, abs=EXACT)
    assert long["within_reason_ci_high"] == pytest.approx(20 + Z * error, abs=EXACT)
    assert long["within_reason_p_value"] == pytest.approx(2 * stats.norm.sf(20 / error), abs=1e-12)
    assert long["within_reason_verdict"] == "no evidence"
    # Half of the answers, and 20 points better than the others of their reasons.
    assert long["points_at_stake"] == pytest.approx(-10, abs=EXACT)
    short = bands(marts, "queue_seconds")["up to 30 s"]
    assert short["within_reason_difference"] == pytest.approx(-20, abs=EXACT)
    assert short["points_at_stake"] == pytest.approx(10, abs=EXACT)


def test_no_verdict_on_few_answers_or_an_incomplete_period(marts: Marts) -> None:
    center = simpson()
    center.as_of = START + timedelta(days=21)
    center.build(marts)
    row = bands(marts, "queue_seconds")["over 5 min"]
    assert not row["is_complete"]
    assert row["adjusted_p_value"] < 0.05
    assert row["verdict"] == "no evidence"
    few = Center()
    for contribution, queue_seconds, answers in ((1, 10, 100), (-1, 400, MIN_RESPONSES - 1)):
        for _ in range(answers):
            few.answer(contribution, queue_seconds=queue_seconds)
    few.build(marts)
    row = bands(marts, "queue_seconds")["over 5 min"]
    assert row["difference_from_rest"] == -200
    assert row["p_value"] is row["within_reason_p_value"] is None
    assert row["verdict"] == row["within_reason_verdict"] == "no evidence"
    few.answer(-1, queue_seconds=400)
    few.build(marts)
    row = bands(marts, "queue_seconds")["over 5 min"]
    assert row["verdict"] == row["within_reason_verdict"] == "down"


def test_a_reason_with_one_side_alone_compares_nothing(marts: Marts) -> None:
    center = Center()
    for reason, queue_seconds in (("Outage", 400), ("Order", 10)):
        for _ in range(40):
            center.answer(1, contact_reason=reason, queue_seconds=queue_seconds)
    center.build(marts)
    row = bands(marts, "queue_seconds")["over 5 min"]
    assert (row["rest_responses"], row["difference_from_rest"]) == (40, 0)
    assert row["within_reason_difference"] is row["reasons"] is row["points_at_stake"] is None


# --- a center by chance, against regressions ------------------------------------------------------


def band_orders(driver: str, values: Sequence[float]) -> list[int]:
    """Order of the band of each value, read from the seed anew."""
    ends = [up_to for name, _, _, up_to, _ in SHIPPED_BANDS if name == driver and up_to is not None]
    return [1 + sum(value > end for end in ends) for value in values]


@dataclass(frozen=True)
class World:
    """Answers by chance, in which queue, hold and transfers go together and with the reason."""

    center: Center
    frame: pd.DataFrame


def world(size: int = 700, seed: int = 5) -> World:
    random = np.random.default_rng(seed)
    reason = random.choice(["Outage", "Order", "Bill"], size, p=[0.5, 0.3, 0.2])
    load = random.normal(size=size) + (reason == "Outage")
    queue = np.round(np.maximum(0, 60 + 70 * load + 30 * random.normal(size=size)))
    hold = np.round(np.maximum(0, 40 * load + 40 * random.normal(size=size)))
    transfers = np.minimum(2, np.maximum(0, np.round(0.4 * load + random.normal(size=size) * 0.6)))
    resolved = random.random(size) < 0.8 - 0.2 * (transfers > 0)
    level = 0.6 + 0.8 * resolved - 0.006 * hold - 0.2 * transfers - 0.5 * (reason == "Outage")
    y = np.sign(np.round(level + random.normal(size=size) * 0.8)).astype(int)
    center = Center()
    departments = random.choice(["D1", "D2"], size)
    for i in range(size):
        center.answer(
            int(y[i]),
            contact_reason=str(reason[i]),
            department_id=str(departments[i]),
            queue_seconds=float(queue[i]),
            hold_seconds=float(hold[i]),
            transfers=int(transfers[i]),
            is_resolved=bool(resolved[i]),
            # All of them take 200 seconds besides.
            handle_seconds=200.0 + float(hold[i]),
        )
    frame = pd.DataFrame(
        {
            "y": y,
            "reason": reason,
            "department": departments,
            "queue_seconds": band_orders("queue_seconds", list(queue)),
            "hold_seconds": band_orders("hold_seconds", list(hold)),
            "transfers": band_orders("transfers", list(transfers)),
            "first_contact_resolution": band_orders(
                "first_contact_resolution", list(resolved * 1.0)
            ),
        }
    )
    return World(center, frame)


def with_reasons(frame: pd.DataFrame, x: pd.Series[Any]) -> pd.DataFrame:
    """Regressors: x, and a constant for each reason."""
    return pd.get_dummies(frame["reason"], dtype=float).assign(x=x.astype(float))


def counts(y: pd.Series[Any]) -> tuple[int, int, int]:
    return int((y == -1).sum()), int((y == 0).sum()), int((y == 1).sum())


def test_contrasts_are_those_of_regressions(marts: Marts) -> None:
    by_chance = world()
    by_chance.center.build(marts)
    frame = by_chance.frame
    tested = 0
    for driver in ("queue_seconds", "hold_seconds", "transfers", "first_contact_resolution"):
        for row in bands(marts, driver).values():
            inside = frame[driver] == row["band_order"]
            own, rest = (adjusted_wald(*counts(frame["y"][side])) for side in (inside, ~inside))
            assert row["responses"] == inside.sum()
            assert row["rest_responses"] == (~inside).sum()
            error = math.hypot(own[1], rest[1])
            middle = own[0] - rest[0]
            assert row["difference_ci_low"] == pytest.approx(middle - Z * error, abs=EXACT)
            assert row["difference_ci_high"] == pytest.approx(middle + Z * error, abs=EXACT)
            crude = 100 * (frame["y"][inside].mean() - frame["y"][~inside].mean())
            assert row["difference_from_rest"] == pytest.approx(crude, abs=EXACT)
            if row["p_value"] is not None:
                p = 2 * stats.norm.sf(abs(middle / error))
                assert row["p_value"] == pytest.approx(p, abs=1e-12)
                tested += 1
            fit = sm.OLS(frame["y"].astype(float), with_reasons(frame, inside)).fit()
            assert row["within_reason_difference"] == pytest.approx(100 * fit.params["x"], abs=1e-8)
            # Its error allows for unequal variances, as White's does, and for three answers more.
            robust = 100 * fit.get_robustcov_results("HC1").bse[-1]
            if min(inside.sum(), (~inside).sum()) >= 100:
                assert row["within_reason_standard_error"] == pytest.approx(robust, rel=0.05)
    assert tested > 8


def test_penalty_reward_and_dose_are_those_of_regressions(marts: Marts) -> None:
    by_chance = world()
    by_chance.center.build(marts)
    frame = by_chance.frame
    y = frame["y"].astype(float)
    effects = {
        row["driver"]: row
        for row in marts.rows(
            "select * from nps_driver_effects where period_type = 'month' "
            "and scope_type = 'company' and survey_type = 'transactional'"
        )
    }
    for driver in ("queue_seconds", "hold_seconds", "transfers"):
        row = effects[driver]
        performance = [name for of, *_, name in SHIPPED_BANDS if of == driver]
        seen = frame[driver].map(lambda order, names=performance: names[order - 1])
        dummies = pd.DataFrame({name: (seen == name).astype(float) for name in ("low", "high")})
        if not dummies["high"].any():
            assert row["reward"] is None
            dummies = dummies[["low"]]
        fit = sm.OLS(y, sm.add_constant(dummies)).fit()
        assert row["penalty"] == pytest.approx(100 * fit.params["low"], abs=1e-8)
        if "high" in dummies:
            assert row["reward"] == pytest.approx(100 * fit.params["high"], abs=1e-8)
            low, middle = (adjusted_wald(*counts(frame["y"][seen == p])) for p in ("low", "middle"))
            error = math.hypot(low[1], middle[1])
            difference = low[0] - middle[0]
            assert row["penalty_ci_low"] == pytest.approx(difference - Z * error, abs=EXACT)
            assert row["penalty_p_value"] == pytest.approx(
                2 * stats.norm.sf(abs(difference / error)), abs=1e-12
            )
        for prefix, x in {
            "": sm.add_constant(frame[[driver]].astype(float).rename(columns={driver: "x"})),
            "within_reason_": with_reasons(frame, frame[driver]),
        }.items():
            fit = sm.OLS(y, x).fit()
            slope = 100 * fit.params["x"]
            assert row[f"{prefix}dose_slope"] == pytest.approx(slope, abs=1e-8)
            # The regression's variance, with 1.5 squares and 3 degrees of freedom more.
            more = (fit.ssr + 1.5) / (fit.df_resid + 3) / (fit.ssr / fit.df_resid)
            error = 100 * fit.bse["x"] * math.sqrt(more)
            assert row[f"{prefix}dose_slope_ci_high"] == pytest.approx(slope + Z * error, abs=1e-8)
            assert row[f"{prefix}dose_p_value"] == pytest.approx(
                2 * stats.norm.sf(abs(slope / error)), abs=1e-10
            )


def test_p_values_are_adjusted_over_all_bands_of_a_scope_type(marts: Marts) -> None:
    world().center.build(marts)
    for prefix in ("", "within_reason_"):
        families = defaultdict(list)
        for row in marts.rows(f"select * from nps_drivers where {prefix}p_value is not null"):
            key = (row["survey_type"], row["period_type"], row["period_start"], row["scope_type"])
            families[key].append(row)
        assert len(families) >= 12
        for family in families.values():
            expected = multipletests([row[f"{prefix}p_value"] for row in family], method="fdr_bh")
            for row, p in zip(family, expected[1], strict=True):
                assert row[f"{prefix}adjusted_p_value"] == pytest.approx(p, abs=1e-12)


# --- importance among drivers that go together ----------------------------------------------------


def test_published_shares_of_variance() -> None:
    vector = VECTORS["LMG-2"]
    correlations = np.eye(3)
    correlations[:2, :2] = vector["input"]["Rxx"]
    correlations[2, :2] = correlations[:2, 2] = vector["input"]["rxy"]
    r_squared, shares = lmg(correlations)
    assert r_squared == pytest.approx(vector["expected"]["r2"], abs=vector["tol"])
    assert shares == pytest.approx(vector["expected"]["lmg"], abs=vector["tol"])


def by_all_orders(y: Any, x: Any) -> tuple[float, list[float]]:
    """R² and its shares, by a regression for every set of variables and a mean over all orders."""
    k = x.shape[1]
    fitted = {
        members: sm.OLS(y, sm.add_constant(x[:, list(members)], has_constant="add")).fit().rsquared
        if members
        else 0.0
        for size in range(k + 1)
        for members in itertools.combinations(range(k), size)
    }
    shares = [0.0] * k
    orders = list(itertools.permutations(range(k)))
    for order in orders:
        for place, variable in enumerate(order):
            before = tuple(sorted(order[:place]))
            gain = fitted[tuple(sorted((*before, variable)))] - fitted[before]
            shares[variable] += gain / len(orders)
    return fitted[tuple(range(k))], shares


def sums_of(y: Any, x: Any) -> list[float]:
    """What shares_of_variance takes."""
    k = x.shape[1]
    return [
        len(y),
        y.sum(),
        (y * y).sum(),
        *x.sum(axis=0),
        *(x * y[:, None]).sum(axis=0),
        *((x[:, i] * x[:, j]).sum() for i in range(k) for j in range(i, k)),
    ]


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_shares_are_means_over_all_orders(k: int) -> None:
    random = np.random.default_rng(k)
    x = random.normal(size=(80, k)) + random.normal(size=(80, 1))
    y = x @ np.arange(1, k + 1) + 3 * random.normal(size=80) + 7
    r_squared, shares = shares_of_variance(sums_of(y, x))
    expected = by_all_orders(y, x)
    assert r_squared == pytest.approx(expected[0], abs=1e-10)
    assert shares == pytest.approx(expected[1], abs=1e-10)
    assert sum(shares) == pytest.approx(r_squared, abs=1e-12)


def test_shares_of_variables_that_say_the_same_or_nothing() -> None:
    random = np.random.default_rng(9)
    x = random.normal(size=60)
    other = random.normal(size=60)
    y = x + other + random.normal(size=60)
    r_squared, shares = shares_of_variance(
        sums_of(y, np.column_stack([x, 5 - 2 * x, other, np.full(60, 3.0)]))
    )
    alone = by_all_orders(y, np.column_stack([x, other]))
    assert r_squared == pytest.approx(alone[0], abs=1e-9)
    # Two that say the same share what one of them would have, the constant has nothing.
    assert shares[0] == pytest.approx(shares[1], abs=1e-9)
    assert shares[3] == 0
    assert sum(shares) == pytest.approx(r_squared, abs=1e-9)
    assert shares_of_variance(sums_of(np.ones(60), np.column_stack([x, other]))) == (0, [0, 0])
    assert shares_of_variance([0.0] * 6) == (0, [0])
    with pytest.raises(ValueError, match="7 sums"):
        shares_of_variance([1.0] * 7)


def test_importance_is_that_of_regressions(marts: Marts) -> None:
    by_chance = world()
    by_chance.center.build(marts, "nps_driver_effects")
    # Tenure is known of nobody; the others that do not vary explain nothing.
    used = ["queue_seconds", "hold_seconds", "transfers", "first_contact_resolution"]
    for scope_id, frame in {
        "all": by_chance.frame,
        "D1": by_chance.frame[by_chance.frame["department"] == "D1"],
    }.items():
        rows = marts.rows(
            f"select * from nps_driver_effects where scope_id = '{scope_id}' "
            "and period_type = 'month' and survey_type = 'transactional'"
        )
        found = {row["driver"]: row for row in rows}
        y, x = frame["y"].to_numpy(float), frame[used].to_numpy(float)
        r_squared, shares = by_all_orders(y, x)
        assert found["agent_tenure_days"]["lmg"] is None
        assert found["repeat_contact"]["lmg"] == pytest.approx(0, abs=1e-12)
        for driver, share in zip(used, shares, strict=True):
            row = found[driver]
            assert row["importance_responses"] == row["measured_responses"] == len(frame)
            assert row["r_squared"] == pytest.approx(r_squared, abs=1e-9)
            assert row["lmg"] == pytest.approx(share, abs=1e-9)
            assert row["importance_pct"] == pytest.approx(100 * share / r_squared, abs=1e-6)
        ranked = sorted(used, key=lambda driver: -shares[used.index(driver)])
        assert sorted(used, key=lambda driver: found[driver]["importance_rank"]) == ranked


def test_a_driver_that_is_mostly_unknown_costs_no_answers(marts: Marts) -> None:
    """Known of 49 of 100, hold is left out and all count; known of 50, these alone do."""
    for known, responses in ((49, 100), (50, 50)):
        center = Center()
        for i in range(100):
            center.answer(
                (-1, 1, 1)[i % 3],
                hold_seconds=(0.0, 90.0)[i % 2] if i < known else None,
                queue_seconds=(10.0, 90.0)[i // 3 % 2],
            )
        center.answer(1, "unknown")
        center.build(marts, "nps_driver_effects")
        rows = {
            row["driver"]: row
            for row in marts.rows(
                "select * from driver_importance where period_type = 'month' "
                "and scope_type = 'company' and survey_type = 'transactional'"
            )
        }
        assert ("hold_seconds" in rows) == (known == 50)
        assert {row["importance_responses"] for row in rows.values()} == {responses}
        assert {row["measured_responses"] for row in rows.values()} == {100}


def test_drivers_that_say_the_same_are_in_the_order_of_their_names(marts: Marts) -> None:
    """Their shares are equal but for rounding, which must not decide."""
    random = np.random.default_rng(17)
    center = Center()
    for i in range(1600):
        is_long = bool(random.random() < 0.4)
        transfers = int(random.integers(3))
        center.answer(
            int(np.sign(np.round(0.6 - 0.7 * is_long - 0.2 * transfers + random.normal()))),
            department_id=f"D{i % 20}",
            queue_seconds=300.0 if is_long else 10.0,
            hold_seconds=400.0 if is_long else 0.0,
            transfers=transfers,
            is_resolved=bool(random.random() < 0.7),
            handle_seconds=900.0 + 400 * is_long,
        )
    center.build(marts, "nps_driver_effects")
    by_set: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in marts.rows("select * from driver_importance where r_squared > 0"):
        key = (row["scope_type"], row["scope_id"], row["survey_type"], row["period_type"])
        by_set.setdefault((*key, row["period_start"]), {})[row["driver"]] = row
    assert len(by_set) > 20
    differing = 0
    for drivers in by_set.values():
        hold, queue = drivers["hold_seconds"], drivers["queue_seconds"]
        assert hold["lmg"] == pytest.approx(queue["lmg"], abs=1e-12)
        assert queue["importance_rank"] == hold["importance_rank"] + 1
        differing += queue["lmg"] > hold["lmg"]
    # Else there was nothing to decide.
    assert differing > 0


def test_no_importance_of_few_answers(marts: Marts) -> None:
    center = Center()
    for i in range(MIN_RESPONSES - 1):
        center.answer((-1, 1, 1)[i % 3], queue_seconds=(10.0, 90.0)[i % 2])
    center.build(marts, "nps_driver_effects")
    assert not marts.rows("select * from driver_importance")
    center.answer(1)
    center.build(marts, "nps_driver_effects")
    assert marts.rows("select * from driver_importance")


# --- ways through the departments -----------------------------------------------------------------


def test_paths_of_transfers(marts: Marts) -> None:
    center = Center()
    for contact, departments in {
        "one": ["D3"],
        "four": ["D1", "D2", "D2", "D3"],
        "five": ["D1", "D2", "D3", "D4", "D5"],
        "six": ["D1", "D2", "D3", "D4", "D4", "D1"],
        "none": [],
    }.items():
        center.contact(contact, department_id="D9", agent_id="A9")
        # Numbers with gaps, out of order.
        center.legs += [
            (contact, 3 * n + 2, department, department, f"A{n}")
            for n, department in reversed(list(enumerate(departments)))
        ]
    center.contact("unanswered", department_id="D9")
    for contact, contribution in (("four", 1), ("five", -1), ("six", 0), ("none", 1)):
        center.answer(contribution, contact)
    center.answer(1, "unknown")
    center.build(marts, LAST)
    paths = {row["contact_id"]: row for row in marts.rows("select * from contact_paths")}
    assert {name: row["transfer_path"] for name, row in paths.items()} == {
        "one": "D3",
        "four": "D1 > D2 > D2 > D3",
        "five": "D1 > D2 > D3 > D4 > …",
        "six": "D1 > D2 > D3 > D4 > …",
        "none": "D9",
        "unanswered": "D9",
    }
    assert {name: row["departments_touched"] for name, row in paths.items()} == {
        "one": 1,
        "four": 3,
        "five": 5,
        "six": 4,
        "none": 1,
        "unanswered": 1,
    }
    assert (paths["six"]["first_department_id"], paths["six"]["first_agent_id"]) == ("D1", "A0")
    assert (paths["none"]["first_department_id"], paths["none"]["first_agent_id"]) == ("D9", "A9")
    rows = {
        row["transfer_path"]: row
        for row in marts.rows(
            "select * from nps_by_transfer_path where period_type = 'month' and survey_type = 'all'"
        )
    }
    assert {
        name: (row["responses"], row["nps"], row["contacts"]) for name, row in rows.items()
    } == {
        "D1 > D2 > D2 > D3": (1, 100, 1),
        "D1 > D2 > D3 > D4 > …": (2, -50, 2),
        "D9": (1, 100, 2),
        "unknown": (1, 100, 0),
    }
    assert rows["D9"]["response_share_pct"] == 20
    assert rows["D9"]["contact_share_pct"] == pytest.approx(100 * 2 / 6, abs=EXACT)
    assert rows["unknown"]["contact_share_pct"] is None


# --- what resolving costs -------------------------------------------------------------------------


def test_frontier_by_hand(marts: Marts) -> None:
    """Of 40 short contacts 20 are resolved, of 40 middle ones 36, of 40 long ones 30.

    Ten of the short ones are followed by a contact of another reason within the week, which takes
    600 seconds; of the others none.
    """
    center = Center(as_of=START + timedelta(days=60))
    for band, seconds, resolved in (("short", 100, 20), ("middle", 200, 36), ("long", 600, 30)):
        for i in range(40):
            center.contact(
                f"{band} {i}",
                handle_seconds=seconds,
                is_resolved=i < resolved,
                customer_id=f"{band} {i}",
            )
    for i in range(10):
        center.contact(
            f"again {i}",
            customer_id=f"short {i}",
            started_at=START + timedelta(days=3),
            contact_reason="Bill",
            handle_seconds=600,
            is_resolved=None,
        )
    # Of nobody, for ever, and not yet over: they count as contacts alone.
    center.contact("nobody", customer_id="unknown", handle_seconds=100, is_resolved=None)
    center.contact("slip", handle_seconds=1e9, is_resolved=None)
    center.answer(1, "short 0", responded_at=START + timedelta(days=40))
    center.answer(-1, "short 1")
    center.build(marts, LAST)
    rows = {
        (row["contact_reason"], row["handle_band"]): row
        for row in marts.rows(
            "select * from first_contact_resolution_frontier where period_type = 'month'"
        )
    }
    short = rows["Outage", "up to 2 min"]
    assert (short["contacts"], short["contacts_of_known_outcome"], short["resolved"]) == (
        41,
        40,
        20,
    )
    assert (short["followed_contacts"], short["repeated"]) == (40, 10)
    assert (short["resolved_pct"], short["repeated_pct"]) == (50, 25)
    low, high = proportion_confint(20, 40, method="wilson")
    assert short["resolved_ci_low"] == pytest.approx(100 * low, abs=EXACT)
    assert short["resolved_ci_high"] == pytest.approx(100 * high, abs=EXACT)
    low, high = proportion_confint(10, 40, method="wilson")
    assert short["repeated_ci_low"] == pytest.approx(100 * low, abs=EXACT)
    assert short["repeated_ci_high"] == pytest.approx(100 * high, abs=EXACT)
    # A quarter comes back for 600 seconds; half of all are resolved.
    assert short["cost_seconds"] == pytest.approx(100 + 150, abs=EXACT)
    assert short["cost_seconds_per_resolved"] == pytest.approx(500, abs=EXACT)
    middle = rows["Outage", "2-5 min"]
    assert (middle["cost_seconds"], middle["resolved_pct"]) == (200, 90)
    assert middle["cost_seconds_per_resolved"] == pytest.approx(200 / 0.9, abs=EXACT)
    # The middle ones are cheaper than either and resolve more.
    assert [
        rows["Outage", band]["is_on_frontier"]
        for band in ("up to 2 min", "2-5 min", "8-15 min", "over 15 min")
    ] == [False, True, False, None]
    assert rows["Outage", "over 15 min"]["cost_seconds"] is None
    # Answers to the contacts of the period, whenever they came.
    assert (short["responses"], short["nps"]) == (2, 0)
    assert (middle["responses"], middle["nps"], middle["is_reportable"]) == (0, None, False)
    assert middle["nps_ci_low"] is middle["promoter_pct"] is middle["nps_band"] is None


# --- little or nothing ----------------------------------------------------------------------------


def test_without_optional_tables_and_with_few_answers(marts: Marts) -> None:
    center = Center()
    for contribution in (-1, 0, 1):
        center.answer(contribution, agent_id="unknown")
    center.build(marts)
    found = {row["driver"] for row in marts.rows("select driver from nps_drivers")}
    assert not {driver for driver in found if driver.startswith("evaluation:")}
    assert bands(marts, "departments_touched")["1"]["responses"] == 3
    assert bands(marts, "agent_tenure_days").keys() == {"unknown"}
    assert not marts.rows("select * from nps_drivers where verdict <> 'no evidence'")


def test_nothing_delivered_leaves_every_mart_empty_and_typed(marts: Marts) -> None:
    center = Center(bands=[])
    center.build(marts, LAST)
    for mart in marts.marts:
        assert not marts.rows(f"select * from {mart}"), mart
    center = Center(bands=[])
    center.answer(1)
    center.build(marts, LAST)
    assert {row["band"] for row in marts.rows("select band from nps_drivers")} == {"unknown"}


def test_every_answer_is_in_one_band_of_each_driver(marts: Marts) -> None:
    by_chance = world()
    by_chance.center.answer(1, "unknown", survey_type="relational")
    contact = by_chance.center.contact("judged")
    by_chance.center.answer(1, contact)
    by_chance.center.evaluations = [("judged", "listening", 3.0)]
    by_chance.center.build(marts)
    doubled = "select 1 from response_bands group by response_id, driver having count(*) > 1"
    assert marts.rows(doubled) == []
    sums = marts.rows(
        "select driver, survey_type, period_type, sum(responses) as responses from nps_drivers "
        "where scope_type = 'company' group by all"
    )
    answers: Mapping[str, int] = {"all": 702, "transactional": 701, "relational": 1}
    assert {row["driver"] for row in sums} > {"queue_seconds", "evaluation:listening"}
    for row in sums:
        assert row["responses"] == answers[row["survey_type"]], row


def test_threads_change_no_byte(marts: Marts) -> None:
    by_chance = world(2000)
    for i, contact in enumerate(by_chance.center.contacts):
        contact["customer_id"] = f"customer {i % 300}"
        contact["handle_seconds"] = 100 / 3 + i / 7
        contact["started_at"] += timedelta(minutes=i)
    found = []
    for threads in (1, 2):
        marts.connection.execute(f"set threads = {threads}")
        marts.connection.execute(f"set preserve_insertion_order = {str(threads == 1).lower()}")
        by_chance.center.build(marts, LAST)
        found.append(
            {
                mart: marts.rows(
                    f"select cast(to_json(t) as varchar) as x from {mart} t order by 1"
                )
                for mart in marts.marts
            }
        )
    assert found[0] == found[1]
