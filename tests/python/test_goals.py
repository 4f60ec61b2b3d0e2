"""Targets and benchmarks: what is lacking, whether that is certain, what it would take."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT, WAREHOUSE, Build, run_dbt
from hypothesis import given, settings
from hypothesis import strategies as st
from marts_in_memory import Marts, Row
from oracle.periods import period
from oracle.score import adjusted_wald
from statsmodels.stats.proportion import proportion_confint

FIGURES = Path(__file__).parent / "figures"
VECTORS = {
    vector["id"]: vector
    for vector in json.loads((FIGURES / "nps_vectors.json").read_text())["vectors"]
}
EXACT = 1e-9
Z = 1.959963984540054
MIN_RESPONSES = 30
AS_OF = date(2025, 5, 20)

GOALS = ["goals/target_ranges", "goals/nps_counts_with_targets", "goals/nps_targets_gap"]
EACH = "'detractors', 'passives', 'promoters', 'target'"
QUERIES = {
    "moves": f"""
        select
            detractors, passives, promoters, target,
            {{{{ detractors_to_turn({EACH}) }}}} as detractors_to_turn,
            {{{{ one_step_moves({EACH}) }}}} as one_step_moves
        from given
    """,
    "statuses": """
        select
            {{ target_status('low', 'high', 'target', 'is_decidable', 'lower_is_better') }}
                as status
        from given
    """,
    "sample_size": """
        select {{ responses_needed('variance', 'margin', z='z') }} as responses from given
    """,
    "sample_size_95": "select {{ responses_needed('variance', 'margin') }} as responses from given",
    "positions": "select {{ benchmark_position('score') }} as position from given",
}
Counts = tuple[int, int, int]  # detractors, passives, promoters


@pytest.fixture(scope="module")
def goals(tmp_path_factory: pytest.TempPathFactory) -> Marts:
    marts = Marts(tmp_path_factory.mktemp("goals"), GOALS, queries=QUERIES)
    marts.fill_bands()
    marts.fill("as_of", [[AS_OF, date(2023, 1, 1), AS_OF]])
    return marts


# --- how many would have to move --------------------------------------------------------------


def moves(goals: Marts, counts: Counts, target: str) -> Row:
    columns = "detractors bigint, passives bigint, promoters bigint, target decimal(18, 4)"
    (row,) = goals.run("moves", columns, [[*counts, Decimal(target)]])
    return row


@pytest.mark.parametrize(
    ("counts", "target", "turned", "stepped"),
    [
        # Floats give 6: 6 x 100 + 400 is 1000, and a little more.
        ((5, 0, 1), "100", 5, 10),
        # Four detractors are not enough; two of the passives would have to move, too.
        ((4, 2, 0), "100", None, 10),
        ((2, 2, 2), "0", 0, 0),
        ((2, 2, 2), "0.0001", 1, 1),
        ((2, 2, 2), "-5", 0, 0),
        ((0, 10, 0), "10", None, 1),
        ((0, 0, 10), "100", 0, 0),
        ((3, 0, 0), "33.3333", 2, 4),
        ((3, 0, 0), "33.3334", 3, 5),
    ],
    ids=str,
)
def test_moves_by_hand(
    goals: Marts, counts: Counts, target: str, turned: int | None, stepped: int | None
) -> None:
    row = moves(goals, counts, target)
    assert (row["detractors_to_turn"], row["one_step_moves"]) == (turned, stepped)


def ceiling(value: Fraction) -> int:
    return -((-value.numerator) // value.denominator)


@settings(max_examples=150)
@given(
    st.tuples(*[st.one_of(st.integers(0, 12), st.integers(0, 10**7))] * 3).filter(
        lambda counts: sum(counts) > 0
    ),
    st.one_of(
        st.integers(-100, 100).map(Decimal),
        st.decimals(-100, 100, places=4, allow_nan=False, allow_infinity=False),
    ),
)
def test_moves_are_exact(goals: Marts, counts: Counts, target: Decimal) -> None:
    """Fewest moves after which the score, in fractions, is at the target."""
    detractors, passives, promoters = counts
    short = sum(counts) * Fraction(target) - 100 * (promoters - detractors)
    turned, stepped = (max(0, ceiling(short / points)) for points in (200, 100))
    row = moves(goals, counts, str(target))
    assert row["detractors_to_turn"] == (turned if turned <= detractors else None)
    assert row["one_step_moves"] == (stepped if stepped <= 2 * detractors + passives else None)
    if row["detractors_to_turn"]:
        net = promoters - detractors + 2 * turned
        assert Fraction(100 * net, sum(counts)) >= Fraction(target)
        assert Fraction(100 * (net - 2), sum(counts)) < Fraction(target)


@pytest.mark.parametrize(
    ("low", "high", "is_decidable", "lower_is_better", "status"),
    [
        (50, 60, True, False, "met"),  # the end itself reaches it
        (49.9, 60, True, False, "undecided"),
        (40, 50, True, False, "undecided"),
        (40, 49.9, True, False, "missed"),
        (60, 70, False, False, "undecided"),
        (60, 70, None, False, "undecided"),
        (40, 50, True, True, "met"),
        (40, 50.1, True, True, "undecided"),
        (50, 60, True, True, "undecided"),
        (50.1, 60, True, True, "missed"),
        (None, None, True, False, "undecided"),
    ],
)
def test_statuses_at_their_ends(
    goals: Marts,
    low: float | None,
    high: float | None,
    is_decidable: bool | None,
    lower_is_better: bool,
    status: str,
) -> None:
    columns = (
        "low double, high double, target double, is_decidable boolean, lower_is_better boolean"
    )
    (row,) = goals.run("statuses", columns, [[low, high, 50.0, is_decidable, lower_is_better]])
    assert row["status"] == status


def test_published_sample_size(goals: Marts) -> None:
    vector = VECTORS["MU-1"]["input"]
    rows = [[vector["var"], 100 * vector["d"], vector["z"]]]
    columns = "variance double, margin double, z double"
    (row,) = goals.run("sample_size", columns, rows)
    assert row["responses"] == VECTORS["MU-1"]["expected"]["n"]


def test_sample_size_gives_the_interval(goals: Marts) -> None:
    """Half of the answers at either end: 1 x (1.96 / .05)^2 - 3 = 1533.6."""
    columns = "variance double, margin double"
    (row,) = goals.run("sample_size_95", columns, [[1.0, 5.0]])
    assert row["responses"] == 1534
    half = 767
    _, error, _, _ = adjusted_wald(half, 0, half)
    assert Z * error == pytest.approx(5, abs=0.01)


# --- through the marts ------------------------------------------------------------------------


def counts_row(
    scope: str,
    member: str,
    counts: Counts,
    *,
    survey_type: str = "all",
    period_type: str = "month",
    start: date = date(2025, 3, 1),
) -> list[Any]:
    """A row of period_response_counts."""
    first, last = period(period_type, start)
    detractors, passives, promoters = counts
    return [
        scope, member, None, survey_type, period_type, first, last, last < AS_OF,
        sum(counts), promoters, passives, detractors,
    ]  # fmt: skip


def gaps(
    goals: Marts,
    counts: list[list[Any]],
    targets: list[list[Any]],
    rollups: Sequence[list[Any]] = (),
) -> dict[tuple[Any, ...], Row]:
    """Rows of nps_targets_gap by scope type, member, is_rollup and period_start."""
    goals.fill("period_response_counts", counts)
    goals.fill("nps_targets", targets)
    goals.fill("nps_by_department", rollups)
    goals.build()
    rows = goals.rows("select * from nps_targets_gap")
    found = {
        (row["scope_type"], row["scope_id"], row["is_rollup"], row["period_start"]): row
        for row in rows
    }
    assert len(found) == len(rows)
    return found


MARCH = date(2025, 3, 1)
COMPANY_GOAL = ["company", None, "nps", date(2025, 1, 1), Decimal(60), date(2025, 9, 30)]


def test_published_gaps_of_two_departments(goals: Marts) -> None:
    """Goal 60, Sales 50, Support 22: departments without a target have the company's."""
    vector = VECTORS["TG-1"]
    expected = vector["expected"]
    assert (vector["input"]["goal"], vector["input"]["n"]) == (60, 100)
    assert vector["input"]["dept"] == {"sales": 50, "support": 22}
    departments = {"sales": (20, 10, 70), "support": (30, 18, 52)}
    rows = gaps(
        goals,
        [
            counts_row("company", "all", (50, 28, 122)),
            *(counts_row("department", name, counts) for name, counts in departments.items()),
        ],
        [COMPANY_GOAL],
    )
    for name in departments:
        row = rows["department", name, False, MARCH]
        assert row["gap"] == expected["gap"][name]
        assert row["detractors_to_turn"] == expected["detractor_to_promoter"][name]
        assert row["one_step_moves"] == expected["passive_to_promoter"][name]
        assert (row["target"], row["target_scope_type"]) == (60, "company")
        # Half of the answers each: half of its gap is the company's.
        assert row["company_gap_points"] == expected["gap"][name] / 2
    company = rows["company", "all", False, MARCH]
    assert company["gap"] == company["company_gap"] == 24
    shares = [
        rows["department", name, False, MARCH]["company_gap_share_pct"] for name in departments
    ]
    assert shares == pytest.approx([100 * 5 / 24, 100 * 19 / 24], abs=EXACT)


def test_the_target_in_force(goals: Marts) -> None:
    """From its date to the next one's; of a period that is not over by what holds today."""
    targets = [
        ["channel", "chat", "nps", date(2025, 2, 1), Decimal(10), None],
        ["channel", "chat", "nps", date(2025, 3, 31), Decimal(20), None],
        ["channel", "chat", "nps", date(2025, 5, 21), Decimal(30), None],
        # Of another metric, member or scope: of no concern.
        ["channel", "chat", "csat", date(2025, 1, 1), Decimal(4), None],
        ["channel", "phone", "nps", date(2025, 1, 1), Decimal(-7), None],
        ["department", "chat", "nps", date(2025, 1, 1), Decimal(-8), None],
    ]
    months = [date(2025, month, 1) for month in (1, 2, 3, 4, 5)]
    rows = gaps(goals, [counts_row("channel", "chat", (9, 9, 9), start=m) for m in months], targets)
    assert {
        key[3].month: (row["target"], row["target_valid_from"]) for key, row in rows.items()
    } == {
        2: (10, date(2025, 2, 1)),
        3: (20, date(2025, 3, 31)),
        4: (20, date(2025, 3, 31)),
        5: (20, date(2025, 3, 31)),
    }
    assert all(row["target_scope_type"] == "channel" for row in rows.values())
    # Without a target of the company nothing can be said of its gap.
    assert {row["company_gap_points"] for row in rows.values()} == {None}


def test_statuses(goals: Marts) -> None:
    """The same score is judged by its interval, its answers and whether its period is over."""
    targets = [["company", "all", "nps", date(2024, 1, 1), Decimal(50), None]]
    april, may = date(2025, 4, 1), date(2025, 5, 1)
    rows = gaps(
        goals,
        [
            counts_row("channel", "far above", (10, 10, 180)),
            counts_row("channel", "near", (20, 10, 70)),
            counts_row("channel", "far below", (100, 50, 50)),
            counts_row("channel", "few", (29, 0, 0), start=april),
            counts_row("channel", "enough", (30, 0, 0), start=april),
            counts_row("channel", "unfinished", (100, 0, 0), start=may),
        ],
        targets,
    )
    assert {key[1]: row["status"] for key, row in rows.items()} == {
        "far above": "met",
        "near": "undecided",
        "far below": "missed",
        "few": "undecided",
        "enough": "missed",
        "unfinished": "undecided",
    }


def test_pace(goals: Marts) -> None:
    """What is lacking over the months that are left, from the period's end on, or from today."""

    def pace(start: date, due_on: date | None, counts: Counts) -> tuple[Any, Any]:
        target = ["company", "all", "nps", date(2024, 1, 1), Decimal(50), due_on]
        (row,) = gaps(goals, [counts_row("company", "all", counts, start=start)], [target]).values()
        return row["months_left"], row["points_needed_per_month"]

    # 2025-03-31 to 2025-09-30 are 183 days; of a score of 20, 30 points are lacking.
    months, points = pace(MARCH, date(2025, 9, 30), (30, 20, 50))
    assert months == pytest.approx(183 / (365.25 / 12), abs=EXACT)
    assert points == pytest.approx(30 / months, abs=EXACT)
    # May is not over: 2025-05-20 to 2025-09-30 are 133 days.
    months, _ = pace(date(2025, 5, 1), date(2025, 9, 30), (30, 20, 50))
    assert months == pytest.approx(133 / (365.25 / 12), abs=EXACT)
    assert pace(MARCH, date(2025, 3, 31), (30, 20, 50)) == (None, None)
    assert pace(MARCH, None, (30, 20, 50)) == (None, None)
    assert pace(MARCH, None, (0, 50, 50)) == (None, 0)


def test_departments_with_others_below(goals: Marts) -> None:
    """Both rows have the department's target; only its own answers are a part of the company."""
    own, below = (10, 10, 20), (30, 10, 20)
    both = (40, 20, 40)
    rollup = [
        "all", "month", MARCH, date(2025, 3, 31), True, "D1", True, sum(both), both[2], both[1],
        both[0],
    ]  # fmt: skip
    rows = gaps(
        goals,
        [
            counts_row("company", "all", both),
            counts_row("department", "D1", own),
            counts_row("department", "D2", below),
        ],
        [COMPANY_GOAL, ["department", "D1", "nps", date(2025, 1, 1), Decimal(40), None]],
        [rollup],
    )
    assert rows["department", "D1", False, MARCH]["target"] == 40
    assert rows["department", "D1", True, MARCH]["target"] == 40
    assert rows["department", "D1", True, MARCH]["nps"] == -0.0
    assert rows["department", "D2", False, MARCH]["target"] == 60
    parts = [rows["department", name, False, MARCH]["company_gap_points"] for name in ("D1", "D2")]
    assert sum(parts) == pytest.approx(rows["company", "all", False, MARCH]["gap"], abs=EXACT)


def test_other_scopes_of_counts_have_no_row(goals: Marts) -> None:
    pair = counts_row("department_channel", "D1", (1, 1, 1))
    pair[2] = "chat"
    day = counts_row("company", "all", (1, 1, 1), period_type="day")
    assert gaps(goals, [pair, day], [COMPANY_GOAL]) == {}


# --- the sample -------------------------------------------------------------------------------


def test_gaps_of_the_sample_add_up(sample_build: Build) -> None:
    sums: dict[tuple[Any, ...], list[float]] = defaultdict(lambda: [0.0, 0.0])
    gaps_of_company: dict[tuple[Any, ...], Row] = {}
    for row in sample_build.dicts("select * from marts.nps_targets_gap where not is_rollup"):
        values: Any = row
        key = (values["survey_type"], values["period_type"], values["period_start"])
        if values["scope_type"] == "company":
            gaps_of_company[key] = values
        total = sums[*key, values["scope_type"]]
        total[0] += values["company_gap_points"]
        total[1] += values["company_gap_share_pct"] or 0.0
    assert len(gaps_of_company) > 400
    for whole_key, (points, share) in sums.items():
        company: Any = gaps_of_company[whole_key[:3]]
        assert points == pytest.approx(company["gap"], abs=EXACT), whole_key
        assert share == pytest.approx(100 if company["gap"] > 0 else 0, abs=1e-7)
    # Whatever is counted is there: every scope adds up in every period.
    assert len(sums) == 10 * len(gaps_of_company)


def facts(sample_build: Build, table: str, date_column: str, scope: str) -> list[Row]:
    column = {"company": "'all'", "department": "department_id", "channel": "channel"}[scope]
    return sample_build.dicts(
        f"select *, {column} as member, {date_column} as day from marts.{table}"
    )


def test_other_metrics_of_the_sample(sample_build: Build) -> None:
    """Value, interval, gap and status of every row, from the facts."""
    rows: list[Any] = sample_build.dicts(
        "select *, cast(period_end as date) as last from marts.targets_gap "
        "where period_type in ('month', 'quarter', 'year')"
    )
    assert {row["metric"] for row in rows} == {
        "csat",
        "effort",
        "first_contact_resolution",
        "handle_seconds",
        "response_rate",
        "follow_up_sla",
    }
    assert {row["status"] for row in rows} == {"met", "missed", "undecided"}
    sources: Mapping[str, tuple[str, str, str]] = {
        "csat": ("fct_survey_responses", "period_date", "csat_score"),
        "effort": ("fct_survey_responses", "period_date", "effort_score"),
        "first_contact_resolution": ("fct_contacts", "contact_date", "is_resolved"),
        "handle_seconds": ("fct_contacts", "contact_date", "handle_seconds"),
        "response_rate": ("fct_survey_invitations", "sent_date", "responses"),
        "follow_up_sla": ("detractor_cases", "period_date", "is_within_sla"),
    }
    observed: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    wanted = {(row["metric"], row["scope_type"]) for row in rows}
    for metric, scope in wanted:
        table, date_column, column = sources[metric]
        for fact in facts(sample_build, table, date_column, scope):
            value: Any = fact[column]
            if value is None or fact.get("is_bounced"):
                continue
            has_types = table not in ("fct_contacts", "detractor_cases")
            types = ["all", fact["survey_type"]] if has_types else ["all"]
            for period_type in ("month", "quarter", "year"):
                start = period(period_type, fact["day"])[0]
                for survey_type in types:
                    key = (metric, scope, fact["member"], survey_type, period_type, start)
                    observed[key].append(value)
    for row in rows:
        values = observed[
            row["metric"], row["scope_type"], row["scope_id"], row["survey_type"],
            row["period_type"], row["period_start"],
        ]  # fmt: skip
        check_metric(row, values)
    # Each member with a target, in each period in which it was observed.
    targeted = {(row["metric"], row["scope_type"], row["scope_id"]) for row in rows}
    assert len(rows) == sum(key[:3] in targeted for key in observed)


def check_metric(row: Any, values: list[Any]) -> None:
    """One row of targets_gap against its observations."""
    n = len(values)
    assert row["observations"] == n
    low: float | None
    high: float | None
    if row["metric"] in ("first_contact_resolution", "response_rate", "follow_up_sla"):
        good = sum(value > 0 for value in values)
        value = 100 * good / n
        low, high = (100 * limit for limit in proportion_confint(good, n, method="wilson"))
    else:
        value = math.fsum(values) / n
        low = high = None
        if n > 1:
            variance = math.fsum((x - value) ** 2 for x in values) / (n - 1)
            half = Z * math.sqrt(variance / n)
            ends = {"csat": (1, 5), "effort": (1, 7), "handle_seconds": (0, math.inf)}
            lowest, highest = ends[row["metric"]]
            low, high = max(lowest, value - half), min(highest, value + half)
    assert row["metric_value"] == pytest.approx(value, abs=EXACT)
    for column, limit in (("value_ci_low", low), ("value_ci_high", high)):
        assert row[column] == (None if limit is None else pytest.approx(limit, abs=1e-6))
    sign = -1 if row["metric"] == "handle_seconds" else 1
    assert row["gap"] == pytest.approx(sign * (row["target"] - value), abs=EXACT)
    status = "undecided"
    if row["is_complete"] and n >= MIN_RESPONSES and low is not None and high is not None:
        best, worst = (high, low) if sign == 1 else (-low, -high)
        if worst >= sign * row["target"]:
            status = "met"
        elif best < sign * row["target"]:
            status = "missed"
    assert row["status"] == status


def test_response_rate_is_that_of_the_score_mart(sample_build: Build) -> None:
    """Two marts, one rate."""
    rows = sample_build.rows(
        "select count(*), max(abs(gaps.metric_value - scores.response_rate)) "
        "from marts.metric_values as gaps inner join marts.nps_by_period as scores "
        "using (survey_type, period_type, period_start) "
        "where gaps.metric = 'response_rate' and gaps.scope_type = 'company'"
    )
    (count, difference), *_ = rows
    assert isinstance(count, int)
    assert count > 400
    assert difference == 0


# --- benchmarks -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "position"),
    [
        (-21, "below_p10"),
        (-20, "p10_to_p50"),
        (9.9, "p10_to_p50"),
        (10, "p50_to_p90"),
        (40, "above_p90"),
        (None, None),
    ],
)
def test_positions_at_their_ends(goals: Marts, score: float | None, position: str | None) -> None:
    columns = "score double, p10 double, p50 double, p90 double"
    (row,) = goals.run("positions", columns, [[score, -20, 10, 40]])
    assert row["position"] == position


BENCHMARK_INPUTS = {
    "nps_benchmarks": (
        "industry varchar, region varchar, year integer, p10 decimal(18, 4), "
        "p50 decimal(18, 4), p90 decimal(18, 4), source varchar"
    ),
    "nps_by_period": (
        "survey_type varchar, period_type varchar, period_start date, period_end date, "
        "is_complete boolean, responses bigint, promoters bigint, passives bigint, "
        "detractors bigint, promoter_pct double, passive_pct double, detractor_pct double, "
        "nps double, nps_standard_error double, nps_ci_low double, nps_ci_high double, "
        "nps_band varchar, is_reportable boolean"
    ),
}


def test_benchmark_of_the_year_and_its_position(tmp_path: Path) -> None:
    own = {"nps_benchmark_industry": "it's ours", "nps_benchmark_region": "here"}
    marts = Marts(
        tmp_path,
        ["goals/nps_benchmark_gap"],
        inputs=["nps_benchmarks", "nps_by_period", "nps_by_department"],
        variables=own,
    )
    benchmarks = [
        ["it's ours", "here", 2023, -20, 10, 40, "a"],
        ["it's ours", "here", 2025, -10, 20, 50, "b"],
        ["it's ours", "there", 2024, 1, 2, 3, "c"],
        ["theirs", "here", 2024, 1, 2, 3, "d"],
    ]
    marts.fill("nps_benchmarks", benchmarks, BENCHMARK_INPUTS["nps_benchmarks"])

    def score(
        year: int,
        low: float,
        nps: float,
        high: float,
        *,
        complete: bool = True,
        enough: bool = True,
    ) -> list[Any]:
        ends = [date(year, 1, 1), date(year, 12, 31)]
        block = [100, 0, 0, 0, 0, 0, 0, nps, 1, low, high, "good", enough]
        return ["all", "year", *ends, complete, *block]

    scores = [
        score(2022, 0, 0, 0),  # before the first benchmark
        score(2023, 11, 15, 20),
        score(2024, 11, 15, 20),  # that of 2023 still holds
        score(2025, 11, 15, 20),
        score(2026, 45, 49, 55),
        score(2027, 51, 60, 70),
        score(2028, 51, 60, 70, complete=False),
        score(2029, 51, 60, 70, enough=False),
    ]
    marts.fill("nps_by_period", scores, BENCHMARK_INPUTS["nps_by_period"])
    department_columns = BENCHMARK_INPUTS["nps_by_period"].replace(
        "is_complete boolean,", "is_complete boolean, department_id varchar, is_rollup boolean,"
    )
    marts.fill("nps_by_department", [], department_columns)
    marts.build()
    rows = {row["period_start"].year: row for row in marts.rows("select * from nps_benchmark_gap")}
    assert {
        year: (row["benchmark_year"], row["observed_position"], row["decided_position"])
        for year, row in rows.items()
    } == {
        2023: (2023, "p50_to_p90", "p50_to_p90"),
        2024: (2023, "p50_to_p90", "p50_to_p90"),
        2025: (2025, "p10_to_p50", "undecided"),
        2026: (2025, "p50_to_p90", "undecided"),
        2027: (2025, "above_p90", "above_p90"),
        2028: (2025, "above_p90", "undecided"),
        2029: (2025, "above_p90", "undecided"),
    }
    row = rows[2025]
    assert [row[f"gap_to_{p}"] for p in ("p10", "p50", "p90")] == [25, -5, -35]
    assert (row["gap_to_p50_ci_low"], row["gap_to_p50_ci_high"]) == (-9, 0)
    assert row["benchmark_source"] == "b"


# --- seeds ------------------------------------------------------------------------------------


def test_shipped_benchmarks_say_that_they_are_made_up() -> None:
    lines = (PROJECT / "seeds" / "nps_benchmarks.csv").read_text().splitlines()[1:]
    assert lines
    assert all(line.endswith(",example") for line in lines)


@pytest.mark.thorough
def test_a_target_of_nobody_warns_and_does_not_fail(
    sample_build: Build, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The business's own seed, with a department that is not there and a blank for the company."""
    folder = tmp_path_factory.mktemp("own_targets")
    seeds = folder / "seeds"
    seeds.mkdir()
    (seeds / "nps_targets.csv").write_text(
        "scope_type,scope_id,metric,valid_from,target,due_on\n"
        "company,,nps,2023-01-01,33.25,2024-12-31\n"
        "department,D404,nps,2023-01-01,10,\n"
    )
    warehouse = folder / WAREHOUSE
    warehouse.write_bytes(sample_build.warehouse.read_bytes())
    selected = ["nps_targets", "target_ranges", "every_target_names_a_member"]
    build = run_dbt(folder, seeds_dir=seeds, arguments=["--select", *selected])
    assert build.returncode == 0, build.output
    assert "WARN=1" in build.output
    assert build.rows(
        "select scope_type, scope_id, target, due_on from marts.target_ranges order by scope_type"
    ) == [
        ("company", "all", 33.25, date(2024, 12, 31)),
        ("department", "D404", 10.0, None),
    ]
