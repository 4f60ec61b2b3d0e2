"""Who was asked, who answered, and whether the numbers can be trusted.

The statistics of the marts in `models/marts/surveys/` against statsmodels, numpy and published
figures; the marts against a second computation from the facts, which shares no SQL with them; the
suspicions against planted cases and as many innocent ones.
"""

from __future__ import annotations

import bisect
import datetime as dt
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from conftest import PROJECT, SAMPLE, Build
from hypothesis import given, settings
from hypothesis import strategies as st
from rendered import rendered
from statsmodels.regression.linear_model import WLS
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint, proportions_ztest

Row = dict[str, Any]
SURVEYS = PROJECT / "models" / "marts" / "surveys"
VECTORS = {
    vector["id"]: vector
    for vector in json.loads((Path(__file__).parent / "figures" / "nps_vectors.json").read_text())[
        "vectors"
    ]
}
EACH = "'detractors', 'passives', 'promoters'"
EXACT = 1e-9

# Models whose SQL is run as it is, on tables made here, and the models that they read.
RUN_AS_THEY_ARE = [
    "cell_weights",
    "invitation_stages",
    "suspicion_never_invited",
    "suspicion_selective_inviting",
    "suspicion_bursts",
    "suspicion_fewer_answers_higher_score",
    "suspicion_heaped_scores",
    "heaped_score_counts",
]
READ = [
    "as_of",
    "fct_survey_invitations",
    "fct_survey_responses",
    "inviting_counts",
    "period_response_counts",
    "survey_funnel",
    "weighting_cells",
]
MODELS = {
    "shares": """
        select
            part,
            {{ wilson_limit('part', 'whole', 'low') }} as low,
            {{ wilson_limit('part', 'whole', 'high') }} as high,
            {{ two_proportion_z('part', 'whole', 'part_after', 'whole_after') }} as z
        from given
    """,
    "strata": """
        select
            {{ stratified_expected('members', 'holders', 'size') }} as expected,
            {{ stratified_z('observed', 'members', 'holders', 'size') }} as z
        from given
    """,
    "percentiles": """
        with ranked as (
            select x, row_number() over (order by x) as place, count(*) over () as places from given
        )
        select
            {{ percentile_by_rank('x', 50, 'place', 'places') }} as p50,
            {{ percentile_by_rank('x', 90, 'place', 'places') }} as p90,
            {{ percentile_by_rank('x', 95, 'place', 'places') }} as p95
        from ranked
    """,
    "weights": "select name, {{ cell_weight('target', 'observed') }} as weight from given",
    "scores": f"""
        with scored as (select {{{{ weighted_nps('weight', {EACH}) }}}} as score from given)
        select
            max(scored.score) as score,
            {{{{ weighted_nps_standard_error('weight', {EACH}, score='scored.score') }}}} as error,
            {{{{ effective_sample_size('weight', 'detractors + passives + promoters') }}}}
                as effective
        from given cross join scored
    """,
    "raked": """
        with cells as (select * from given),
        {{ raking('cells', ['name'], ['a', 'b', 'c']) }}
        select name, a, b, c, responses, weight, margin_error_pct from cells_raked
    """,
    "caps": "select {{ capped('x') }} as capped, {{ exceeds_cap('x') }} as exceeds from given",
    **{name: (SURVEYS / f"{name}.sql").read_text() for name in RUN_AS_THEY_ARE},
    **dict.fromkeys(READ, "select 1"),
}


class Engine:
    """The SQL that dbt makes of macros and models, to run on rows."""

    def __init__(self, sql: Mapping[str, str]) -> None:
        self.sql = sql
        self.connection = duckdb.connect()

    def fill(self, table: str, rows: Sequence[Row], columns: str | None = None) -> None:
        """Make a table of rows; of the columns that are given, or the rows' own."""
        if columns is None:
            types = {int: "bigint", float: "double", str: "varchar", bool: "boolean"}
            types |= {dt.datetime: "timestamp", dt.date: "date"}
            columns = ", ".join(
                f"{name} {next(types[type(r[name])] for r in rows if r[name] is not None)}"
                for name in rows[0]
            )
        self.connection.execute(f"create or replace table {table} ({columns})")
        names = [column.split()[0] for column in columns.split(", ")]
        if rows:
            places = ", ".join("?" for _ in names)
            self.connection.executemany(
                f"insert into {table} values ({places})",
                [[row.get(name) for name in names] for row in rows],
            )

    def run(self, name: str, given: Sequence[Row] | None = None) -> list[Row]:
        """Rows of a query; `given` is the table of that name which the macros' queries read."""
        if given is not None:
            self.fill("given", given)
        return self.query(self.sql[name])

    def query(self, sql: str) -> list[Row]:
        """Rows of any query."""
        result = self.connection.execute(sql)
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def store(self, name: str) -> None:
        """Make a table of a model."""
        self.connection.execute(f"create or replace table {name} as {self.sql[name]}")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    variants = {"uncapped": {"nps_weight_cap": None}}
    return Engine(rendered(tmp_path_factory.mktemp("surveys"), MODELS, variants=variants))


# --- shares and percentiles -------------------------------------------------------------------

WHOLE = st.one_of(st.integers(1, 12), st.integers(1, 100_000))


@st.composite
def two_shares(draw: Callable[[st.SearchStrategy[int]], int]) -> Row:
    whole, whole_after = draw(WHOLE), draw(WHOLE)
    return {
        "part": draw(st.integers(0, whole)),
        "whole": whole,
        "part_after": draw(st.integers(0, whole_after)),
        "whole_after": whole_after,
    }


@settings(max_examples=20)
@given(st.lists(two_shares(), min_size=20, max_size=20))
def test_interval_and_change_of_shares_are_those_of_statsmodels(
    engine: Engine, rows: list[Row]
) -> None:
    given_rows = [{"id": i, **row} for i, row in enumerate(rows)]
    for row, ours in zip(rows, engine.run("shares", given_rows), strict=True):
        low, high = proportion_confint(row["part"], row["whole"], method="wilson")
        assert ours["low"] == pytest.approx(100 * low, rel=0, abs=EXACT)
        assert ours["high"] == pytest.approx(100 * high, rel=0, abs=EXACT)
        assert 0 <= ours["low"] <= 100 * row["part"] / row["whole"] <= ours["high"] <= 100
        having = row["part"] + row["part_after"]
        if 0 < having < row["whole"] + row["whole_after"]:
            z, _ = proportions_ztest(
                [row["part_after"], row["part"]], [row["whole_after"], row["whole"]]
            )
            assert ours["z"] == pytest.approx(z, rel=1e-9, abs=EXACT)


def test_share_of_nothing_has_no_interval(engine: Engine) -> None:
    row = {"part": 0, "whole": 0, "part_after": 1, "whole_after": 1}
    (ours,) = engine.run("shares", [row])
    assert (ours["low"], ours["high"]) == (None, None)


def test_no_change_where_all_have_it(engine: Engine) -> None:
    row = {"part": 5, "whole": 5, "part_after": 3, "whole_after": 3}
    assert engine.run("shares", [row])[0]["z"] is None


@settings(max_examples=40)
@given(st.lists(st.tuples(*[st.integers(1, 40)] * 4), min_size=1, max_size=6))
def test_group_against_the_rest_over_strata_is_that_of_statsmodels(
    engine: Engine, strata: list[tuple[int, int, int, int]]
) -> None:
    """Cochran, Mantel and Haenszel: of group and rest, how many have it and how many do not."""
    rows = [
        {"observed": a, "members": a + b, "holders": a + c, "size": a + b + c + d}
        for a, b, c, d in strata
    ]
    (ours,) = engine.run("strata", rows)
    tables = [np.array([[a, b], [c, d]], dtype=float) for a, b, c, d in strata]
    expected = StratifiedTable(tables).test_null_odds(correction=False).statistic
    assert ours["z"] ** 2 == pytest.approx(expected, rel=1e-9, abs=1e-12)
    excess = sum(row["observed"] - row["members"] * row["holders"] / row["size"] for row in rows)
    assert sum(row["observed"] for row in rows) - ours["expected"] == pytest.approx(
        excess, rel=0, abs=EXACT
    )
    assert ours["z"] * excess >= 0 or abs(excess) < EXACT


@settings(max_examples=40)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=120))
def test_percentiles_are_by_nearest_rank(engine: Engine, values: list[int]) -> None:
    (ours,) = engine.run("percentiles", [{"x": value} for value in values])
    for percent in (50, 90, 95):
        # In whole numbers: numpy's "inverted_cdf" is the nearest rank, but for its rounding.
        place = -(-percent * len(values) // 100)
        assert ours[f"p{percent}"] == sorted(values)[place - 1]


# --- weights ----------------------------------------------------------------------------------


def test_published_cell_weights(engine: Engine) -> None:
    for vector_id, observed, target in (("T-4", "observed", "target"), ("T-5", "sample", "pop")):
        vector = VECTORS[vector_id]
        given_cells = vector["input"]
        rows = [
            {"name": name, "target": given_cells[target][name], "observed": count}
            for name, count in given_cells[observed].items()
        ]
        ours = {row["name"]: row["weight"] for row in engine.run("weights", rows)}
        assert ours == pytest.approx(vector["expected"], rel=0, abs=vector["tol"])


def cell(weight: float, detractors: int, passives: int, promoters: int) -> Row:
    return {
        "weight": float(weight),
        "detractors": detractors,
        "passives": passives,
        "promoters": promoters,
    }


def test_published_weighted_score(engine: Engine) -> None:
    vector = VECTORS["T-2"]
    labels = {10: (0, 0, 1), 7: (0, 1, 0), 5: (1, 0, 0)}
    rows = [
        cell(weight, *labels[score])
        for score, weight in zip(vector["input"]["scores"], vector["input"]["weights"], strict=True)
    ]
    (ours,) = engine.run("scores", rows)
    assert ours["score"] / 100 == pytest.approx(vector["expected"]["nps"], abs=vector["tol"])
    # By hand: (3 + 1 + 1)^2 / (9 + 1 + 1).
    assert ours["effective"] == pytest.approx(25 / 11, rel=1e-12)
    # By hand: sqrt(9 * .6^2 + 1.4^2 + .4^2) / 5.
    assert ours["error"] == pytest.approx(100 * math.sqrt(3.24 + 1.96 + 0.16) / 5, rel=1e-12)


CELL = st.tuples(st.floats(0.05, 20), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))


@settings(max_examples=40)
@given(st.lists(CELL, min_size=1, max_size=8).filter(lambda cells: any(sum(c[1:]) for c in cells)))
def test_weighted_score_and_error_are_those_of_statsmodels(
    engine: Engine, cells: list[tuple[float, int, int, int]]
) -> None:
    (ours,) = engine.run("scores", [cell(*each) for each in cells])
    x, w = [], []
    for weight, *counts in cells:
        for value, count in zip((-100.0, 0.0, 100.0), counts, strict=True):
            x += [value] * count
            w += [weight] * count
    # A mean is a regression on nothing; White's covariance is the linearised one.
    fit = WLS(x, np.ones(len(x)), weights=w).fit(cov_type="HC0")
    assert ours["score"] == pytest.approx(fit.params[0], rel=0, abs=EXACT)
    assert ours["error"] == pytest.approx(fit.bse[0], rel=0, abs=1e-7)
    assert ours["effective"] == pytest.approx(sum(w) ** 2 / np.square(w).sum(), rel=1e-10)
    assert -100 <= ours["score"] <= 100


def fitted(cells: Sequence[Row], margins: Sequence[str]) -> list[float]:
    """Weights of cells with answers by iterative proportional fitting, run until nothing moves."""
    contacts = np.array([float(row["contacts"]) for row in cells])
    responses = np.array([float(row["responses"]) for row in cells])
    weight = np.ones(len(cells))
    for _ in range(20_000):
        before = weight.copy()
        for margin in margins:
            labels = [row[margin] for row in cells]
            of = {label: np.array([each == label for each in labels]) for label in set(labels)}
            answered = {label: at for label, at in of.items() if responses[at].sum() > 0}
            total = sum(contacts[at].sum() for at in answered.values())
            for at in answered.values():
                target = contacts[at].sum() / total * responses.sum()
                weight[at] *= target / (responses * weight)[at].sum()
        if np.abs(weight - before)[responses > 0].max() < 1e-14:
            break
    return [float(value) for value in weight]


@settings(max_examples=8)
@given(st.lists(st.integers(1, 60), min_size=36, max_size=36), st.randoms(use_true_random=False))
def test_raking_is_iterative_proportional_fitting(
    engine: Engine, responses: list[int], random: Any
) -> None:
    cells = [
        {
            "name": name,
            "a": f"a{i % 3}",
            "b": f"b{i // 3 % 3}",
            "c": f"c{i // 9 % 2}",
            # Two groups that share their labels, and a category that nobody answers in.
            "contacts": count + random.randrange(1, 200),
            "responses": 0 if name == "y" and i % 3 == 2 else count,
        }
        for name in ("x", "y")
        for i, count in enumerate(responses[:18] if name == "x" else responses[18:])
    ]
    ours = {(r["name"], r["a"], r["b"], r["c"]): r for r in engine.run("raked", cells)}
    assert len(ours) == sum(row["responses"] > 0 for row in cells)
    for name in ("x", "y"):
        group = [row for row in cells if row["name"] == name]
        for row, expected in zip(group, fitted(group, "abc"), strict=True):
            if row["responses"]:
                mine = ours[name, row["a"], row["b"], row["c"]]
                assert mine["margin_error_pct"] < 1e-9
                assert mine["weight"] == pytest.approx(expected, rel=0, abs=EXACT)


def test_raking_that_cannot_be_done_says_so(engine: Engine) -> None:
    """Answers on a diagonal: a and b are one, and their targets are not."""
    cells = [
        {"name": "x", "a": "1", "b": "1", "c": "-", "contacts": 90, "responses": 10},
        {"name": "x", "a": "2", "b": "2", "c": "-", "contacts": 10, "responses": 10},
        {"name": "x", "a": "1", "b": "2", "c": "-", "contacts": 100, "responses": 0},
    ]
    # a wants 190 to 10, b wants 90 to 110: the last margin wins, and the other is 50 % off.
    ours = engine.run("raked", cells)
    assert [row["margin_error_pct"] for row in ours] == pytest.approx([50, 50], rel=0, abs=EXACT)


def test_cells_without_answers_are_stood_for(engine: Engine) -> None:
    keys = {
        "scope_type": "company",
        "scope_id": "all",
        "period_type": "all",
        "period_start": dt.date(2025, 1, 1),
    }
    counts = [
        ("phone", "bill", 60, 6),
        ("phone", "fault", 20, 4),
        ("phone", "move", 40, 0),  # stood for by phone: 30 more for bill, 10 more for fault
        ("chat", "bill", 20, 2),
        ("chat", "fault", 20, 8),
        ("fax", "bill", 40, 0),  # by all: each 200 / 160 as many
    ]
    names = ("channel", "contact_reason", "contacts", "responses")
    engine.fill("weighting_cells", [keys | dict(zip(names, row, strict=True)) for row in counts])
    ours = {(row["channel"], row["contact_reason"]): row for row in engine.run("cell_weights")}
    stood_for = {key: row["contacts_stood_for"] for key, row in ours.items()}
    assert stood_for == pytest.approx({
        ("phone", "bill"): 90 * 1.25, ("phone", "fault"): 30 * 1.25,
        ("chat", "bill"): 20 * 1.25, ("chat", "fault"): 20 * 1.25,
    })  # fmt: skip
    assert sum(stood_for.values()) == pytest.approx(200)
    assert ours["phone", "bill"]["weight"] == pytest.approx(112.5 / 6 * 20 / 200)
    assert sum(row["weight"] * row["responses"] for row in ours.values()) == pytest.approx(20)


def test_weights_are_capped_where_that_is_wanted(engine: Engine) -> None:
    rows = [{"x": x} for x in (0.5, 5.0, 5.5)]
    assert [(r["capped"], r["exceeds"]) for r in engine.run("caps", rows)] == [
        (0.5, False), (5.0, False), (5.0, True),
    ]  # fmt: skip
    assert [(r["capped"], r["exceeds"]) for r in engine.run("uncapped.caps", rows)] == [
        (0.5, False), (5.0, False), (5.5, False),
    ]  # fmt: skip


# --- stages of an invitation ------------------------------------------------------------------

SENT_AT = dt.datetime.fromisoformat("2025-03-03 12:00")
INVITATION = (
    "invitation_id varchar, survey_type varchar, customer_id varchar, department_id varchar, "
    "channel varchar, survey_channel varchar, agent_id varchar, sent_at timestamp, sent_date date, "
    "delivered_at timestamp, opened_at timestamp, status varchar, is_bounced boolean, "
    "responses bigint"
)


def invitation(number: int, **differing: object) -> Row:
    row: Row = {
        "invitation_id": f"i{number}",
        "survey_type": "transactional",
        "customer_id": "k1",
        "department_id": "d1",
        "channel": "phone",
        "survey_channel": "email",
        "agent_id": "a1",
        "sent_at": SENT_AT,
        "delivered_at": None,
        "opened_at": None,
        "status": "sent",
        "is_bounced": False,
        "responses": 0,
    } | differing
    sent_at = row["sent_at"]
    return row | {"sent_date": sent_at and sent_at.date()}


def stages(engine: Engine, invitations: list[Row], answers: list[Row]) -> dict[str, Row]:
    engine.fill("fct_survey_invitations", invitations, INVITATION)
    engine.fill(
        "fct_survey_responses", answers, "source_invitation_id varchar, responded_at timestamp"
    )
    return {row["invitation_id"]: row for row in engine.run("invitation_stages")}


@pytest.mark.parametrize(
    ("differing", "delivered", "opened", "responded"),
    [
        ({}, False, False, False),
        ({"status": None}, False, False, False),
        ({"status": "delivered"}, True, False, False),
        ({"status": "opened"}, True, True, False),
        ({"status": "responded"}, True, True, True),
        ({"status": "opted_out"}, True, False, False),
        # A date says more than the status.
        ({"delivered_at": SENT_AT}, True, False, False),
        ({"opened_at": SENT_AT}, True, True, False),
        ({"status": "delivered", "opened_at": SENT_AT}, True, True, False),
        # So does an answer.
        ({"responses": 1}, True, True, True),
    ],
)
def test_stages(
    engine: Engine, differing: Row, delivered: bool, opened: bool, responded: bool
) -> None:
    row = stages(engine, [invitation(1, **differing)], [])["i1"]
    found = (row["is_delivered"], row["is_opened"], row["is_responded"])
    assert found == (delivered, opened, responded)


def test_an_answer_older_than_its_invitation_took_no_time(engine: Engine) -> None:
    found = stages(
        engine,
        [invitation(1, responses=2), invitation(2, responses=1), invitation(3, responses=1)],
        [
            {"source_invitation_id": "i1", "responded_at": SENT_AT + dt.timedelta(hours=9)},
            {"source_invitation_id": "i1", "responded_at": SENT_AT + dt.timedelta(minutes=90)},
            {"source_invitation_id": "i2", "responded_at": SENT_AT - dt.timedelta(seconds=1)},
            {"source_invitation_id": "i3", "responded_at": SENT_AT},
            {"source_invitation_id": "gone", "responded_at": SENT_AT},
        ],
    )
    hours = {name: row["hours_to_answer"] for name, row in found.items()}
    assert hours == {"i1": 1.5, "i2": None, "i3": 0.0}


def test_invitations_of_the_last_ninety_days(engine: Engine) -> None:
    def after(days: float) -> dt.datetime:
        return SENT_AT + dt.timedelta(days=days)

    found = stages(
        engine,
        [
            invitation(1),
            invitation(2, sent_at=after(90)),  # 90 days are within
            invitation(3, sent_at=after(90.001)),
            invitation(4, sent_at=after(90.001)),  # at one instant both count
            invitation(5, sent_at=after(1), is_bounced=True),
            invitation(6, sent_at=after(2), customer_id="k2"),
            invitation(7, sent_at=after(3), customer_id="unknown"),
            invitation(8, sent_at=None),
        ],
        [],
    )
    assert {name: row["recent_invitations"] for name, row in found.items()} == {
        "i1": 1, "i2": 2, "i3": 3, "i4": 3, "i5": None, "i6": 1, "i7": None,
    }  # fmt: skip


# --- the funnel, a second time ----------------------------------------------------------------

FUNNEL_SCOPES = {
    "company": None,
    "department": "department_id",
    "channel": "channel",
    "survey_channel": "survey_channel",
    "agent": "agent_id",
}
PERIOD_TYPES = ("day", "week", "month", "quarter", "year", "all")
FATIGUE = ("customers", "recent_invitations_mean", "recent_invitations_p90", "fatigued_pct")
Key = tuple[str, str, str, str, dt.date]


def first_day(period_type: str, day: dt.date, all_start: dt.date) -> dt.date:
    """First date of the period a date is in."""
    return {
        "day": day,
        "week": day - dt.timedelta(days=day.weekday()),
        "month": day.replace(day=1),
        "quarter": dt.date(day.year, 3 * ((day.month - 1) // 3) + 1, 1),
        "year": dt.date(day.year, 1, 1),
        "all": all_start,
    }[period_type]


def last_day(period_type: str, start: dt.date, all_end: dt.date) -> dt.date:
    """Last date of the period that begins on a date."""
    if period_type == "all":
        return all_end
    if period_type in ("day", "week"):
        return start + dt.timedelta(days=6 if period_type == "week" else 0)
    months = {"month": 1, "quarter": 3, "year": 12}[period_type]
    years, month = divmod(start.month - 1 + months, 12)
    return dt.date(start.year + years, month + 1, 1) - dt.timedelta(days=1)


def nearest_rank(values: Iterable[Any], percent: int) -> Any:
    ordered = sorted(values)
    return ordered[-(-percent * len(ordered) // 100) - 1]


def read_invitations(build: Build) -> list[Row]:
    """Invitations of the fact table with what the funnel says of each."""
    first_answers: dict[str, dt.datetime] = {}
    for answer_row in build.dicts(
        "select invitation_id, responded_at from marts.fct_survey_responses "
        "where invitation_id <> 'unknown'"
    ):
        name, at = str(answer_row["invitation_id"]), answer_row["responded_at"]
        assert isinstance(at, dt.datetime)
        first_answers[name] = min(at, first_answers.get(name, at))
    rows: list[Row] = [
        dict(row) for row in build.dicts("select * from marts.fct_survey_invitations")
    ]
    rows = [row for row in rows if row["sent_at"] is not None]
    sent: dict[str, list[dt.datetime]] = defaultdict(list)
    for row in rows:
        if not row["is_bounced"]:
            sent[row["customer_id"]].append(row["sent_at"])
    for times in sent.values():
        times.sort()
    for row in rows:
        status, answer = row["status"], first_answers.get(row["invitation_id"])
        row["answered"] = answer is not None
        row["responded"] = row["answered"] or status == "responded"
        row["opened"] = row["responded"] or status == "opened" or row["opened_at"] is not None
        row["opted_out"] = status == "opted_out"
        row["delivered"] = (
            row["opened"]
            or row["opted_out"]
            or status == "delivered"
            or row["delivered_at"] is not None
        )
        row["hours"] = None
        if answer is not None and answer >= row["sent_at"]:
            row["hours"] = (answer - row["sent_at"]) / dt.timedelta(hours=1)
        row["load"] = None
        if not row["is_bounced"] and row["customer_id"] != "unknown":
            times = sent[row["customer_id"]]
            oldest = row["sent_at"] - dt.timedelta(days=90)
            row["load"] = bisect.bisect_right(times, row["sent_at"]) - bisect.bisect_left(
                times, oldest
            )
    return rows


def expected_row(key: Key, cohort: Sequence[Row]) -> Row:
    """What the funnel has to say of a cohort of invitations."""
    scope_type, _, _, period_type, _ = key
    asked = [row for row in cohort if not row["is_bounced"]]
    row: Row = {
        "sent": len(cohort),
        "bounced": len(cohort) - len(asked),
        "invitations": len(asked),
    }
    for stage in ("delivered", "opened", "responded", "answered", "opted_out"):
        row[stage] = sum(each[stage] for each in asked)
    row["bounce_rate"] = 100 * row["bounced"] / row["sent"]
    for rate, stage in {
        "delivery_rate": "delivered",
        "open_rate": "opened",
        "opt_out_rate": "opted_out",
        "response_rate": "answered",
    }.items():
        row[rate] = 100 * row[stage] / len(asked) if asked else None
    hours = [each["hours"] for each in asked if each["hours"] is not None]
    for limit in (1, 24, 72):
        within = sum(each <= limit for each in hours)
        row[f"within_{limit}h_pct"] = 100 * within / len(hours) if hours else None
    is_long = period_type not in ("day", "week")
    for percent in (50, 90):
        row[f"hours_to_answer_p{percent}"] = (
            nearest_rank(hours, percent) if hours and is_long else None
        )
    row |= dict.fromkeys(FATIGUE)
    peaks: dict[str, int] = {}
    for each in asked:
        if each["load"] is not None:
            customer = each["customer_id"]
            peaks[customer] = max(each["load"], peaks.get(customer, 0))
    if peaks and is_long and scope_type in ("company", "department"):
        row["customers"] = len(peaks)
        row["recent_invitations_mean"] = sum(peaks.values()) / len(peaks)
        row["recent_invitations_p90"] = nearest_rank(peaks.values(), 90)
        row["fatigued_pct"] = 100 * sum(load > 3 for load in peaks.values()) / len(peaks)
    return row


def test_funnel_is_what_the_facts_say(sample_build: Build) -> None:
    invitations = read_invitations(sample_build)
    span = sample_build.rows(
        "select first_response_date, last_response_date, as_of from categorized.as_of"
    )
    ((all_start, all_end, as_of),) = span
    assert isinstance(all_start, dt.date)
    assert isinstance(all_end, dt.date)
    assert isinstance(as_of, dt.datetime)
    cohorts: dict[Key, list[Row]] = defaultdict(list)
    for row in invitations:
        day = row["sent_at"].date()
        starts = {each: first_day(each, day, all_start) for each in PERIOD_TYPES}
        for scope_type, column in FUNNEL_SCOPES.items():
            scope_id = row[column] if column else "all"
            for survey_type in (row["survey_type"], "all"):
                for period_type, start in starts.items():
                    cohorts[scope_type, scope_id, survey_type, period_type, start].append(row)

    lags: dict[str, float] = {}
    for survey_type in ("transactional", "relational", "all"):
        company = cohorts["company", "all", survey_type, "all", all_start]
        hours = [r["hours"] for r in company if r["hours"] is not None and not r["is_bounced"]]
        lags[survey_type] = nearest_rank(hours, 95)

    ours: dict[Key, Row] = {}
    for shown in sample_build.dicts("select * from marts.survey_funnel"):
        parts = ("scope_type", "scope_id", "survey_type", "period_type", "period_start")
        ours[tuple(shown[part] for part in parts)] = shown  # type: ignore[index]
    # Every invitation once per scope, period type and survey type, and nothing else.
    assert ours.keys() == cohorts.keys()
    mature = 0
    for key, cohort in cohorts.items():
        mine = ours[key]
        for name, expected in expected_row(key, cohort).items():
            if expected is None:
                assert mine[name] is None, (key, name)
            else:
                assert math.isclose(mine[name], expected, rel_tol=0, abs_tol=EXACT), (key, name)
        end = last_day(key[3], key[4], all_end)
        assert mine["period_end"] == end
        assert mine["is_complete"] == (end < as_of.date())
        midnight = dt.datetime.combine(end + dt.timedelta(days=1), dt.time())
        waited = (as_of - midnight) / dt.timedelta(hours=1)
        # A microsecond more or less decides nothing here.
        assert mine["is_mature"] == (waited >= lags[key[2]]), key
        mature += mine["is_mature"]
    assert 0 < mature < len(ours)


def test_funnel_agrees_with_the_score_mart(sample_build: Build) -> None:
    rows = sample_build.rows(
        """
        select count(*), count(*) filter (
            scores.invitations = funnel.invitations
            and scores.response_rate is not distinct from funnel.response_rate
        )
        from marts.nps_by_period as scores
        left join marts.survey_funnel as funnel
            using (survey_type, period_type, period_start)
        where funnel.scope_type = 'company' and scores.invitations > 0
        """
    )
    ((compared, agreeing),) = rows
    assert compared == agreeing
    assert isinstance(compared, int)
    assert compared > 500


# --- weighted scores, a second time -----------------------------------------------------------


def contacts_with_answers(build: Build) -> list[Row]:
    return [
        dict(row)
        for row in build.dicts(
            """
            select
                contacts.department_id, contacts.channel, contacts.contact_reason,
                contacts.contact_date, coalesce(cast(is_resolved as varchar), '-') as resolution,
                case when transfers >= 2 then 'more' else coalesce(cast(transfers as varchar), '-')
                end as transfer_count,
                answers.contributions
            from marts.fct_contacts as contacts
            left join (
                select contact_id, list(nps_contribution) as contributions
                from marts.fct_survey_responses
                where survey_type = 'transactional' and contact_id <> 'unknown'
                group by contact_id
            ) as answers using (contact_id)
            """
        )
    ]


def weighted_reference(contacts: Sequence[Row], weighting: str) -> Row:
    """The weighted score and what it rests on, from contacts, one by one."""
    margins = ["channel", "contact_reason"]
    if weighting == "raking":
        margins += ["resolution", "transfer_count"]
    cells: dict[tuple[str, ...], Row] = {}
    for contact in contacts:
        key = tuple(contact[margin] for margin in margins)
        found = cells.setdefault(
            key, dict(zip(margins, key, strict=True)) | {"contacts": 0, "x": []}
        )
        found["contacts"] += 1
        found["x"] += contact["contributions"] or []
    rows = list(cells.values())
    for row in rows:
        row["responses"] = len(row["x"])
    n = sum(row["responses"] for row in rows)
    if weighting == "raking":
        weights = fitted(rows, margins)
    else:
        # Share of contacts over share of answers, after those without answers are handed on.
        held = {(row["channel"], row["contact_reason"]): float(row["contacts"]) for row in rows}
        for channel in {row["channel"] for row in rows}:
            of = [row for row in rows if row["channel"] == channel]
            silent = sum(row["contacts"] for row in of if not row["responses"])
            heard = sum(row["contacts"] for row in of if row["responses"])
            for row in of:
                if heard:
                    key = (channel, row["contact_reason"])
                    held[key] *= (1 + silent / heard) if row["responses"] else 0
        heard = sum(held[r["channel"], r["contact_reason"]] for r in rows if r["responses"])
        weights = [
            held[row["channel"], row["contact_reason"]] / heard / (row["responses"] / n)
            if row["responses"]
            else 0.0
            for row in rows
        ]
    x = np.array([value for row in rows for value in row["x"]], dtype=float) * 100
    uncut = np.array([w for w, row in zip(weights, rows, strict=True) for _ in row["x"]])
    w = np.minimum(uncut, 5.0)
    score = float((w * x).sum() / w.sum())
    error = math.sqrt((w**2 * (x - score) ** 2).sum()) / float(w.sum())
    silent = sum(not contact["contributions"] for contact in contacts) / len(contacts)
    return {
        "contacts": len(contacts),
        "responses": n,
        "nps": float(x.mean()),
        "nps_weighted": score,
        "nps_weighted_standard_error": error,
        "nps_weighted_ci_low": max(-100.0, score - 1.959963984540054 * error),
        "nps_weighted_ci_high": min(100.0, score + 1.959963984540054 * error),
        "nps_low": max(-100.0, score - 10 * silent),
        "nps_high": min(100.0, score + 10 * silent),
        "weight_min": float(w.min()),
        "weight_max": float(w.max()),
        "capped_responses": int((uncut > 5).sum()),
        "effective_responses": float(w.sum() ** 2 / (w**2).sum()),
        "design_effect": float(n * (w**2).sum() / w.sum() ** 2),
        "is_reportable": n >= 30,
    }


@pytest.mark.parametrize("weighting", ["cells", "raking"])
def test_weighted_scores_are_what_the_facts_say(sample_build: Build, weighting: str) -> None:
    contacts = contacts_with_answers(sample_build)
    compared = capped = 0
    for row in sample_build.dicts(
        f"select * from marts.nps_weighted where weighting = '{weighting}' and is_converged "
        "and (margin_error_pct is null or margin_error_pct < 1e-10) "
        "and (period_type in ('year', 'all') or scope_type = 'company')"
    ):
        start, end = row["period_start"], row["period_end"]
        group = [
            contact
            for contact in contacts
            if (row["scope_type"] == "company" or contact["department_id"] == row["scope_id"])
            and (row["period_type"] == "all" or start <= contact["contact_date"] <= end)
        ]
        for name, expected in weighted_reference(group, weighting).items():
            assert row[name] == pytest.approx(expected, rel=0, abs=EXACT), (row, name)
        compared += 1
        capped += int(row["capped_responses"] > 0)  # type: ignore[operator]
    assert compared > 20
    assert capped > (3 if weighting == "cells" else -1)


def test_groups_that_cannot_be_raked_are_not_reportable(sample_build: Build) -> None:
    rows = sample_build.rows(
        "select is_converged, is_reportable, responses >= 30, margin_error_pct "
        "from marts.nps_weighted where weighting = 'raking'"
    )
    for is_converged, is_reportable, is_enough, error in rows:
        assert isinstance(error, float)
        assert is_converged == (error <= 0.5)
        assert is_reportable == (is_converged and is_enough)
    assert {(row[0], row[2]) for row in rows} == {
        (True, True), (True, False), (False, True), (False, False),
    }  # fmt: skip


# --- suspicions -------------------------------------------------------------------------------

AS_OF = "as_of timestamp, as_of_date date, first_response_date date, last_response_date date"
NEW_YEAR = {"as_of": dt.datetime.fromisoformat("2026-01-10"), "as_of_date": dt.date(2026, 1, 10)}
SUSPICION_GRAIN = ("scope_type", "scope_id", "period_type", "period_start")


def inviting(agent: str, channel: str, is_hard: bool | None, contacts: int, invited: int) -> Row:
    return {
        "month_start": dt.date(2025, 4, 1),
        "department_id": "d1",
        "agent_id": agent,
        "channel": channel,
        "is_hard": is_hard,
        "contacts": contacts,
        "invited_contacts": invited,
    }


def asked_about(engine: Engine, kind: str, period_type: str) -> dict[tuple[str, str], Row]:
    found = {}
    for row in engine.run(f"suspicion_{kind}"):
        assert row["kind"] == kind
        assert row["question"].endswith("?")
        if row["period_type"] == period_type:
            found[row["scope_type"], row["scope_id"]] = row
    return found


def test_agent_who_is_never_invited(engine: Engine) -> None:
    engine.fill("as_of", [NEW_YEAR], AS_OF)
    engine.fill(
        "inviting_counts",
        [
            *(inviting(f"o{i}", "phone", False, 40, 30) for i in range(5)),
            *(inviting(f"o{i}", "chat", True, 20, 5) for i in range(5)),
            inviting("never", "phone", False, 16, 0),
            inviting("never", "chat", None, 8, 0),
            inviting("seldom", "phone", True, 40, 1),
            # Too few to tell, and nobody to ask.
            inviting("new", "phone", False, 10, 0),
            inviting("unknown", "phone", False, 40, 0),
            # In this channel nobody is invited.
            inviting("letters", "letter", False, 90, 0),
            inviting("writer", "letter", False, 90, 0),
        ],
    )
    found = asked_about(engine, "never_invited", "quarter")
    assert found.keys() == {("agent", "never")}
    row = found["agent", "never"]
    # By hand: the others' phone contacts are 5 * 40 + 40 + 10 + 40, of which 151 were invited.
    phone, chat = 151 / 290, 25 / 100
    assert (row["cases"], row["observed"]) == (24, 0)
    assert row["expected"] == pytest.approx(16 * phone + 8 * chat)
    assert "24 contacts of agent never in the quarter from 2025-04-01" in row["question"]
    none = (1 - phone) ** 16 * (1 - chat) ** 8
    assert row["p_value"] == pytest.approx(none, rel=1e-9)
    # Expected of at least ten: the five others, the one who is seldom invited, and this one.
    assert row["adjusted_p_value"] == pytest.approx(min(1, none * 7), rel=1e-9)


def test_nothing_is_asked_of_a_period_that_still_runs(engine: Engine) -> None:
    rows = [inviting(f"o{i}", "phone", False, 40, 30) for i in range(5)]
    rows.append(inviting("never", "phone", False, 40, 0))
    engine.fill("inviting_counts", rows)
    for as_of, expected in [
        (dt.date(2025, 4, 30), set()),
        (dt.date(2025, 5, 1), {"month"}),
        (dt.date(2025, 6, 30), {"month"}),
        (dt.date(2025, 7, 1), {"month", "quarter"}),
        (dt.date(2026, 1, 1), {"month", "quarter", "year"}),
    ]:
        engine.fill("as_of", [{"as_of_date": as_of}], AS_OF)
        found = {row["period_type"] for row in engine.run("suspicion_never_invited")}
        assert found == expected


def test_agent_who_has_everybody_invited_but_the_unhappy(engine: Engine) -> None:
    engine.fill("as_of", [NEW_YEAR], AS_OF)
    rows = [
        # Chat is seldom invited and has all the hard contacts: no doing of the agent's.
        inviting("chatter", "chat", True, 90, 9),
        inviting("chatter", "chat", False, 10, 1),
        inviting("chatter", "phone", False, 100, 90),
        inviting("chooser", "phone", True, 40, 4),
        inviting("chooser", "phone", False, 60, 54),
        inviting("chooser", "chat", True, 10, 2),
        inviting("chooser", "chat", False, 10, 8),
        inviting("chooser", "phone", None, 500, 0),
        # The other way round, and a little less.
        inviting("helper", "phone", True, 40, 36),
        inviting("helper", "phone", False, 60, 6),
        inviting("fair", "phone", True, 400, 240),
        inviting("fair", "phone", False, 400, 300),
    ]
    engine.fill("inviting_counts", rows)
    found = asked_about(engine, "selective_inviting", "year")
    assert found.keys() == {("agent", "chooser")}
    row = found["agent", "chooser"]
    tables = [np.array([[4.0, 36.0], [54.0, 6.0]]), np.array([[2.0, 8.0], [8.0, 2.0]])]
    own = StratifiedTable(tables).test_null_odds(correction=False).pvalue
    assert row["expected"] == pytest.approx(40 * 58 / 100 + 10 * 10 / 20)
    assert (row["cases"], row["observed"]) == (50, 6)
    assert row["p_value"] == pytest.approx(own, rel=1e-6)
    assert "Were unhappy callers of agent chooser" in row["question"]


def answers_of(agent: str, scores: Mapping[int, int], second: int | None = None) -> list[Row]:
    start = dt.datetime.fromisoformat("2025-05-05 09:00")
    labels = ["detractor"] * 7 + ["passive"] * 2 + ["promoter"] * 2
    rows: list[Row] = []
    for score, count in scores.items():
        for _ in range(count):
            at = start + dt.timedelta(
                seconds=len(rows) * 60 if second is None else second,
                microseconds=len(rows) * 1000,
            )
            rows.append({
                "department_id": "d1",
                "agent_id": agent,
                "survey_channel": "email",
                "nps_category": labels[score],
                "score": score,
                "period_date": at.date(),
                "response_date": at.date(),
                "responded_at": at,
            })  # fmt: skip
    return rows


def test_answers_that_somebody_made_up(engine: Engine) -> None:
    engine.fill("as_of", [NEW_YEAR], AS_OF)
    usual = {0: 4, 3: 4, 5: 4, 6: 8, 7: 20, 8: 20, 9: 20, 10: 20}
    given_answers = {
        "o1": usual,
        "o2": usual,
        "o3": usual,
        # Many promoters, or none, in the usual mixture of scores.
        "loved": {9: 50, 10: 50},
        "hated": {0: 20, 3: 20, 5: 20, 6: 40},
        "inventor": {0: 10, 5: 10, 8: 20, 10: 40},
        "beginner": {10: 29},
    }
    rows = [row for agent, scores in given_answers.items() for row in answers_of(agent, scores)]
    engine.fill("fct_survey_responses", rows)
    engine.store("heaped_score_counts")
    found = asked_about(engine, "heaped_scores", "quarter")
    assert found.keys() == {("agent", "inventor")}
    row = found["agent", "inventor"]

    def table(low: int, high: int, agent: str) -> np.ndarray[Any, Any]:
        cells = np.zeros((2, 2))
        for name, scores in given_answers.items():
            for score, count in scores.items():
                if low <= score <= high:
                    cells[int(name != agent), int(score not in (0, 5, 10))] += count
        return cells

    def p_of(agent: str) -> float:
        tables = [table(0, 6, agent), table(7, 8, agent), table(9, 10, agent)]
        # A category in which nobody has it, or the agent has no answers, tells nothing.
        telling = [each for each in tables if each.sum(0).all() and each.sum(1).all()]
        return float(StratifiedTable(telling).test_null_odds(correction=False).pvalue)

    agents = [agent for agent in given_answers if agent != "beginner"]
    adjusted = multipletests([p_of(agent) for agent in agents], method="fdr_bh")[1]
    assert row["p_value"] == pytest.approx(p_of("inventor"), rel=1e-6)
    assert row["adjusted_p_value"] == pytest.approx(adjusted[agents.index("inventor")], rel=1e-6)
    assert (row["cases"], row["observed"]) == (80, 60)


def test_answers_of_one_second(engine: Engine) -> None:
    rows = [
        *answers_of("robot", {10: 5}, second=7),
        *answers_of("robot", {9: 6}, second=9),
        *answers_of("robot", {9: 4}, second=11),
        *answers_of("person", {10: 4}, second=100),
        *answers_of("person", {10: 40}),
        *answers_of("unknown", {10: 9}, second=200),
    ]
    engine.fill("fct_survey_responses", rows)
    found = asked_about(engine, "bursts", "day")
    assert found.keys() == {("agent", "robot"), ("survey_channel", "email")}
    robot, channel = found["agent", "robot"], found["survey_channel", "email"]
    assert (robot["cases"], robot["observed"]) == (11, 6)
    assert (channel["cases"], channel["observed"]) == (20, 9)
    assert robot["p_value"] is None


def test_fewer_answers_and_a_higher_score(engine: Engine) -> None:
    funnel, counts = [], []

    def month(
        agent: str, number: int, answered: int, dpp: tuple[int, int, int], **differing: object
    ) -> None:
        start = dt.date(2025, number, 1)
        row = {
            "scope_type": "agent",
            "scope_id": agent,
            "survey_type": "transactional",
            "period_type": "month",
            "period_start": start,
            "period_end": last_day("month", start, start),
            "is_complete": True,
            "is_mature": True,
            "invitations": 400,
            "answered": answered,
        } | differing
        funnel.append(row)
        detractors, passives, promoters = dpp
        counts.append({
            **{name: row[name] for name in ("survey_type", *SUSPICION_GRAIN)},
            "responses": sum(dpp),
            "detractors": detractors,
            "passives": passives,
            "promoters": promoters,
        })  # fmt: skip

    low, high = (60, 20, 40), (6, 14, 40)
    month("chooser", 3, 120, low)
    month("chooser", 4, 60, high)
    month("chooser", 5, 60, high)  # no change is none
    month("better", 3, 120, low)
    month("better", 4, 121, high)
    month("quieter", 3, 120, low)
    month("quieter", 4, 60, (30, 10, 20))
    month("livelier", 3, 60, low)
    month("livelier", 4, 120, high)
    month("worse", 3, 120, high)
    month("worse", 4, 60, low)
    month("fresh", 3, 120, low)
    month("fresh", 4, 60, high, is_mature=False)
    month("small", 3, 120, low)
    month("small", 4, 60, (0, 0, 29))
    month("returned", 2, 120, low)
    month("returned", 4, 60, high)  # not the period before
    engine.fill("survey_funnel", funnel)
    engine.fill("period_response_counts", counts)
    found = asked_about(engine, "fewer_answers_higher_score", "month")
    assert found.keys() == {("agent", "chooser")}
    row = found["agent", "chooser"]
    assert row["period_start"] == dt.date(2025, 4, 1)
    assert (row["cases"], row["observed"], row["expected"]) == (400, 60, pytest.approx(120))
    _, p_rate = proportions_ztest([60, 120], [400, 400])
    # The score's change is the plainer one here, so the rate's p decides.
    assert row["p_value"] == pytest.approx(p_rate, rel=1e-6)
    assert "from -17 to 57" in row["question"]


def test_sample_has_the_planted_agent_and_nobody_else(sample_build: Build) -> None:
    truth = json.loads((SAMPLE / "_planted_truth.json").read_text())
    rows = sample_build.rows(
        "select scope_id from marts.suspicions where kind = 'never_invited' group by scope_id"
    )
    assert rows == [(truth["never_invited_agent"],)]


def test_every_kind_of_suspicion_is_in_the_mart(sample_build: Build) -> None:
    kinds = sorted(path.stem for path in SURVEYS.glob("suspicion_*.sql"))
    separate = sum(
        int(str(sample_build.rows(f"select count(*) from marts.{kind}")[0][0])) for kind in kinds
    )
    assert sample_build.rows("select count(*) from marts.suspicions") == [(separate,)]
    assert len(kinds) == 5
    listed = (SURVEYS / "suspicions.yml").read_text()
    assert all(kind.removeprefix("suspicion_") in listed for kind in kinds)
