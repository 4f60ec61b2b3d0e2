"""Is a movement real: the trend marts against published figures and a second computation.

The models run as dbt renders them, in DuckDB in memory, on the counts of the built sample or on
days made up here.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
import trends_reference as reference
from conftest import PROJECT, Build
from rendered import rendered
from scipy.signal import lfilter
from trends_reference import CHANGE, COUNTS, MEMBER, PERIOD, Frame, Settings

TOLERANCE = 1e-9
VECTORS = {
    vector["id"]: vector
    for vector in json.loads((Path(__file__).parent / "figures" / "nps_vectors.json").read_text())[
        "vectors"
    ]
}
FOLDER = PROJECT / "models" / "marts" / "trends"
MAPPING = PROJECT / "tests" / "mappings" / "every_declared_baseline_has_answers.sql"
# What the models read that is not theirs.
GIVEN = {
    "period_response_counts": (
        "scope_type varchar, scope_id varchar, second_scope_id varchar, survey_type varchar, "
        "period_type varchar, period_start date, period_end date, is_complete boolean, "
        "responses bigint, promoters bigint, passives bigint, detractors bigint"
    ),
    "as_of": "as_of_date date, first_response_date date, last_response_date date",
    "nps_bands": 'band varchar, "above" double, up_to double',
    "declared_baselines": (
        "scope_type varchar, scope_id varchar, survey_type varchar, starts_on date, "
        "ends_on date, note varchar"
    ),
    "metric_changes": ("changed_on date, what varchar, breaks_comparability boolean, note varchar"),
}
# In the order in which they are built.
MODELS = [
    "trend_scores", "trend_changes", "trend_adjusted_p_values", "nps_rolling", "baseline_windows",
    "chart_baseline_days", "chart_baselines", "chart_points", "chart_signals", "period_signals",
    "nps_control_charts", "nps_trends", "baseline_scores", "baseline_changes", "nps_baselines",
    "year_pairs", "year_comparisons", "nps_multi_year",
]  # fmt: skip
# Small enough for the sample's agents and departments to be compared and charted.
LOW: Mapping[str, object] = {
    "nps_min_responses": 3,
    "nps_chart_baseline_days": 20,
    "nps_ewma_weight": 0.05,
}
POINTS = "from points_charted order by chart, day"
MACROS = {
    **{
        f"ewma_{weight}": f"""
            with points as (select * from given),
            {{{{ ewma_and_cusum('points', ['chart'], ['day'], weight=0.{weight}, slack=0.5) }}}}
            select *, {{{{ ewma_limit('place', 0.{weight}, 3) }}}} as ewma_limit {POINTS}
        """
        for weight in ("05", "2", "3", "5", "9")
    },
    "standardized": "select {{ standardized('mean', 'center', 'variance', 'n') }} as x from given",
    "shares": """
        with pooled as (
            select sum(x) / cast(sum(n) as double) as share from given
        ),
        points as (
            select
                'all' as chart, given.day, pooled.share,
                {{ standardized(
                    'given.x / cast(given.n as double)', 'pooled.share',
                    'pooled.share * (1 - pooled.share)', 'given.n'
                ) }} as standardized_share
            from given cross join pooled
        ),
        {{ dispersion('points', ['chart'], ['day']) }}
        select
            sigma_z,
            {{ p_prime_factor('sigma_z') }} as factor,
            {{ p_prime_limit('share', '50', p_prime_factor('sigma_z'), '+') }} as ucl,
            {{ p_prime_limit('share', '50', p_prime_factor('sigma_z'), '-') }} as lcl
        from points_dispersed cross join pooled
    """,
    "factor": "select {{ p_prime_factor('sigma_z') }} as factor from given",
    "starts": """
        select
            {{ previous_period_start('period_type', 'period_start') }} as previous_start,
            {{ previous_year_start('period_type', 'period_start') }} as year_start
        from given
    """,
    "mistyped_baselines": MAPPING.read_text(encoding="utf-8").partition("}}\n")[2],
}


def models_and_inputs() -> dict[str, str]:
    models = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.sql")}
    assert set(models) == set(MODELS)
    return models | dict.fromkeys(GIVEN, "select 1") | MACROS


@pytest.fixture(scope="module")
def sql(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """All SQL, rendered in one go: as shipped, and with low thresholds as `low.<name>`."""
    folder = tmp_path_factory.mktemp("trends")
    return rendered(folder, models_and_inputs(), variants={"low": LOW})


class Engine:
    """The models' SQL in DuckDB, to run on given tables."""

    def __init__(self, sql: Mapping[str, str], *, low: bool = False, threads: int = 2) -> None:
        self.sql = sql
        self.prefix = "low." if low else ""
        self.schema = "main"
        self.connection = duckdb.connect(config={"threads": threads})
        for name, columns in GIVEN.items():
            self.connection.execute(f"create table main.{name} ({columns})")
        bands = str(PROJECT / "seeds" / "nps_bands.csv")
        self.fill("nps_bands", f"select * from read_csv('{bands}')")

    def fill(self, table: str, query: str) -> None:
        self.connection.execute(f"delete from main.{table}")
        self.connection.execute(f"insert into main.{table} by name {query}")

    def build(self) -> Engine:
        for model in MODELS:
            text = self.sql[self.prefix + model]
            self.connection.execute(f"create or replace table main.{model} as {text}")
        return self

    def frame(self, table: str) -> Frame:
        found = self.connection.execute(f"select * from {self.schema}.{table}").df()
        for column in found.columns[found.columns.str.contains(r"_start$|_end$|_on$")]:
            found[column] = pd.to_datetime(found[column])
        for column in found.columns[[pd.api.types.is_string_dtype(kind) for kind in found.dtypes]]:
            texts = found[column].astype(object)
            found[column] = texts.where(texts.notna(), None)
        return found

    def rows(self, name: str, columns: str, rows: Sequence[Sequence[object]]) -> list[Any]:
        """Rows of a macro's SQL on a table `given`."""
        self.connection.execute(f"create or replace table given ({columns})")
        places = ", ".join("?" for _ in rows[0])
        self.connection.executemany(f"insert into given values ({places})", rows)
        result = self.connection.execute(self.sql[name])
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@pytest.fixture(scope="module")
def engine(sql: dict[str, str]) -> Engine:
    return Engine(sql)


# --- published figures ------------------------------------------------------------------------


def charted(engine: Engine, weight: str, points: Sequence[float]) -> list[Any]:
    rows = [["a", day, float(x)] for day, x in enumerate(points)]
    return engine.rows(f"ewma_{weight}", "chart varchar, day bigint, x double", rows)


def standardized(
    engine: Engine, means: Sequence[float], sizes: Sequence[int], mu: float, sd: float
) -> list[float]:
    rows = [[mean, mu, sd**2, n] for mean, n in zip(means, sizes, strict=True)]
    columns = "mean double, center double, variance double, n bigint"
    return [row["x"] for row in engine.rows("standardized", columns, rows)]


def test_published_p_prime_chart(engine: Engine) -> None:
    vector = VECTORS["S-2"]
    given = [[day, x, vector["input"]["n"]] for day, x in enumerate(vector["input"]["x"])]
    (row,) = engine.rows("shares", "day bigint, x bigint, n bigint", given)
    for name, expected in vector["expected"].items():
        assert row[name] == pytest.approx(expected, rel=0, abs=vector["tol"]), name
    assert row["factor"] == row["sigma_z"]


def test_published_ewma(engine: Engine) -> None:
    vector = VECTORS["S-3"]
    given, expected = vector["input"], vector["expected"]
    assert given["lam"] == 0.5
    start, sd = given["start"], given["sd"]
    rows = charted(engine, "5", standardized(engine, given["x"], [1, 1, 1], start, sd))
    ours = [start + sd * row["ewma"] for row in rows]
    assert ours == pytest.approx(expected["z"], rel=0, abs=vector["tol"])
    sigma = [sd * row["ewma_limit"] / 3 for row in rows]
    assert sigma == pytest.approx(expected["sigma"], rel=0, abs=vector["tol"])


def test_published_ewma_limits(engine: Engine) -> None:
    vector = VECTORS["S-10"]
    given, expected = vector["input"], vector["expected"]
    assert (given["lam"], given["L"]) == (0.3, 3)
    start, sd = given["start"], given["sd"]
    x = standardized(engine, given["x"], [1] * len(given["x"]), start, sd)
    last = charted(engine, "3", x)[-1]
    ours = {
        "ucl": start + sd * last["ewma_limit"],
        "lcl": start - sd * last["ewma_limit"],
        "last": start + sd * last["ewma"],
    }
    assert ours.keys() == expected.keys()
    # The last value is published with two decimals.
    tolerances = {"ucl": vector["tol"], "lcl": vector["tol"], "last": 0.005}
    for name, figure in expected.items():
        assert ours[name] == pytest.approx(figure, rel=0, abs=tolerances[name]), name


def test_published_cusum_of_unequal_groups(engine: Engine) -> None:
    vector = VECTORS["S-5"]
    given = vector["input"]
    assert given["k"] == 0.5
    x = standardized(engine, given["means"], given["n"], given["mu"], given["sd"])
    ours = [row["cusum_up"] for row in charted(engine, "2", x)]
    assert ours == pytest.approx(vector["expected"]["pos"], rel=0, abs=vector["tol"])


def test_published_cusum(engine: Engine) -> None:
    vector = VECTORS["S-8"]
    given, expected = vector["input"], vector["expected"]
    assert given["k"] == 0.5
    x = standardized(engine, given["x"], [1] * len(given["x"]), given["mu"], given["sd"])
    ours = [row["cusum_up"] for row in charted(engine, "2", x)]
    assert ours[27:30] == pytest.approx(expected["cplus_28_30"], rel=0, abs=vector["tol"])
    first = next(i for i, value in enumerate(ours, 1) if value > given["h"])
    assert first == expected["first_signal"]


# --- macros -----------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", ["05", "2", "3", "5", "9"])
def test_ewma_and_cusum_of_long_series(engine: Engine, weight: str) -> None:
    """Over several blocks; without recursion, as a recursive filter has them."""
    share = float(f"0.{weight}")
    x = np.random.default_rng(3).normal(0.1, 1.5, 1_000) * 10
    x[500:510] = 400  # far out, so that what a block keeps of the one before shows
    rows = charted(engine, weight, x.tolist())
    assert [row["place"] for row in rows] == list(range(1, 1_001))
    ours = np.array([row["ewma"] for row in rows])
    filtered = lfilter([share], [1, share - 1], x)
    # Of the last 200 points, unlike the filter, which forgets nothing.
    weights = share * (1 - share) ** np.arange(200)
    windowed = np.array(
        [math.fsum(weights[: min(i, 200)] * x[max(0, i - 200) : i][::-1]) for i in range(1, 1_001)]
    )
    assert ours == pytest.approx(windowed, rel=1e-12, abs=TOLERANCE)
    if share >= 0.2:
        assert ours == pytest.approx(filtered, rel=1e-12, abs=TOLERANCE)
    above = below = 0.0
    for row, point in zip(rows, x, strict=True):
        above, below = max(0.0, above + point - 0.5), max(0.0, below - point - 0.5)
        assert row["cusum_up"] == pytest.approx(above, rel=1e-12, abs=TOLERANCE)
        assert row["cusum_down"] == pytest.approx(below, rel=1e-12, abs=TOLERANCE)


@pytest.mark.parametrize("weight", ["05", "2", "9"])
def test_points_of_the_largest_size_fit(engine: Engine, weight: str) -> None:
    rows = charted(engine, weight, [1e4] * 400)
    assert rows[-1]["ewma"] == pytest.approx(1e4, rel=1e-4)


@pytest.mark.parametrize(
    ("scattered", "factor"), [(1.2, 1), (1.2000001, 1.2000001), (0.7, 1), (None, 1)]
)
def test_limits_widen_only_above_a_fifth(
    engine: Engine, scattered: float | None, factor: float
) -> None:
    (row,) = engine.rows("factor", "sigma_z double", [[scattered]])
    assert row["factor"] == factor


STARTS = [
    # period_type, its start, the period before, the same period of the year before
    ("day", "2024-03-01", "2024-02-29", "2023-03-03"),
    ("week", "2024-01-01", "2023-12-25", "2023-01-02"),
    ("week", "2021-01-04", "2020-12-28", "2019-12-30"),  # 2020 has a week 53
    ("week", "2020-12-28", "2020-12-21", None),  # that week 53
    ("week", "2021-12-27", "2021-12-20", "2020-12-21"),  # week 52 of both
    ("month", "2024-01-01", "2023-12-01", "2023-01-01"),
    ("quarter", "2024-01-01", "2023-10-01", "2023-01-01"),
    ("year", "2024-01-01", "2023-01-01", "2023-01-01"),
    ("all", "2024-01-01", None, None),
]


def test_periods_that_are_compared(engine: Engine) -> None:
    rows = engine.rows(
        "starts", "period_type varchar, period_start date", [row[:2] for row in STARTS]
    )
    for row, (kind, start, previous, year) in zip(rows, STARTS, strict=True):
        found = tuple(None if date is None else str(date) for date in row.values())
        assert found == (previous, year), (kind, start)


def test_every_week_is_compared_with_the_week_of_its_number(engine: Engine) -> None:
    mondays = [dt.date(1999, 1, 4) + dt.timedelta(weeks=week) for week in range(53 * 30)]
    rows = engine.rows(
        "starts", "period_type varchar, period_start date", [["week", day] for day in mondays]
    )
    for monday, row in zip(mondays, rows, strict=True):
        year, week, _ = monday.isocalendar()
        try:
            expected = dt.date.fromisocalendar(year - 1, week, 1)
        except ValueError:
            expected = None
        assert row["year_start"] == expected, monday


# --- the marts against a second computation ---------------------------------------------------

CHART_COLUMNS = [
    "baseline_start", "baseline_end", "is_judged", "center", "shewhart_low", "shewhart_high",
    "detractor_pct_center", "sigma_z", "p_prime_low", "p_prime_high", "standardized_nps", "ewma",
    "ewma_limit", "cusum_up", "cusum_down", "shewhart_signal", "p_prime_signal", "ewma_signal",
    "cusum_signal", "signal_kind", "signal_direction", "signal_started_on", "signal_started_by",
]  # fmt: skip


def assert_same(ours: Frame, theirs: Frame, key: Sequence[str], columns: Sequence[str]) -> None:
    """Two frames agree: the same keys, and the same values but for floating point.

    Args:
        ours: of the warehouse.
        theirs: computed a second time.
        key: columns that tell the rows apart.
        columns: what is compared.
    """
    key, columns = list(key), list(columns)
    first, second = (
        frame.set_index(key)[columns].sort_index(kind="stable") for frame in (ours, theirs)
    )
    assert first.index.is_unique
    assert second.index.is_unique
    assert len(first) > 0
    assert first.index.equals(second.index)
    for column in columns:
        a, b = first[column], second[column]
        nothing = (a.isna(), b.isna())
        assert nothing[0].equals(nothing[1]), (column, (nothing[0] != nothing[1]).sum())
        a, b = a[~nothing[0]], b[~nothing[1]]
        if pd.api.types.is_float_dtype(a) or pd.api.types.is_float_dtype(b):
            gap = np.abs(a.astype(float) - b.astype(float))
            far = gap > TOLERANCE * np.maximum(1, np.abs(b.astype(float)))
        else:
            far = a.astype(object) != b.astype(object)
        assert not far.any(), (column, a[far].head(), b[far].head())


class Case:
    """Built trends beside their second computation."""

    def __init__(self, engine: Engine, answers: Frame, settings: Settings) -> None:
        self.engine = engine
        self.settings = settings
        self.scores = reference.period_scores(answers, settings)

    @cached_property
    def charts(self) -> Frame:
        return reference.charts(self.scores, self.settings)

    def assert_trends(self) -> None:
        ours = self.engine.frame("nps_trends")
        theirs = reference.trends(self.scores)
        shown = [*COUNTS, "nps", "nps_standard_error", "nps_ci_low", "nps_ci_high"]
        shown += ["period_end", "is_complete", "is_reportable"]
        for other, prefix in (("previous", ""), ("previous_year", "year_")):
            shown += [f"{other}_{name}" for name in ("start", "responses", "nps")]
            shown += [prefix + column for column in CHANGE]
        assert_same(ours, theirs, PERIOD, shown)

    def assert_rolling(self) -> None:
        ours = self.engine.frame("nps_trends")
        for length in (3, 12):
            figures = [*COUNTS, "nps", "nps_standard_error", "nps_ci_low", "nps_ci_high"]
            names = {name: f"rolling_{length}_month_{name}" for name in figures}
            names["months_with_answers"] = f"rolling_{length}_months_with_answers"
            assert ours[ours["period_type"] != "month"][list(names.values())].isna().all(axis=None)
            theirs = reference.rolling(self.scores, length, self.settings).rename(columns=names)
            months = ours[ours["period_type"] == "month"]
            assert_same(months, theirs, [*MEMBER, "period_start"], list(names.values()))

    def assert_charts(self) -> Frame:
        ours = self.engine.frame("nps_control_charts")
        theirs = self.charts
        assert_same(ours, theirs, [*MEMBER, "charted_on"], [*COUNTS, "nps", *CHART_COLUMNS])
        return ours

    def assert_signals_of_periods(self) -> None:
        theirs = self.charts
        trends = self.engine.frame("nps_trends")
        limits = theirs.drop_duplicates(MEMBER)[[*MEMBER, "baseline_end", "center", "variance"]]
        both = trends.merge(limits, on=MEMBER, how="left")
        after = both["period_start"] > both["baseline_end"]
        assert both["chart_center"].notna().equals(after)
        reach = 300 * np.sqrt(both["variance"] / both["responses"])
        low = np.maximum(both["center"] - reach, -100)
        assert np.abs(both["chart_low"] - low)[after].max() < TOLERANCE
        assert (
            np.abs(both["chart_high"] - np.minimum(both["center"] + reach, 100))[after].max()
            < TOLERANCE
        )
        signals = theirs[theirs["signal_kind"].notna()].sort_values("charted_on")
        names = {
            "charted_on": "first_signal_on",
            "signal_kind": "first_signal_kind",
            "signal_direction": "first_signal_direction",
            "signal_started_on": "first_signal_started_on",
        }
        parts = []
        for kind, rows in trends.groupby("period_type"):
            inside = rows[[*PERIOD, "period_end"]].merge(signals[[*MEMBER, *names]], on=MEMBER)
            inside = inside[
                inside["charted_on"].between(inside["period_start"], inside["period_end"])
            ]
            periods = inside.groupby(PERIOD)
            first = periods[list(names)].first().rename(columns=names)
            parts.append(first.assign(signal_days=periods.size()).reset_index())
            assert set(parts[-1]["period_type"]) == {kind}
        expected = pd.concat(parts)
        shown = trends[trends["signal_days"] > 0]
        assert len(shown) > 100
        assert_same(shown, expected, PERIOD, ["signal_days", *names.values()])
        quiet = trends[trends["signal_days"] == 0]
        assert quiet[list(names.values())].isna().all(axis=None)

    def assert_baselines(self) -> None:
        ours = self.engine.frame("nps_baselines")
        theirs = reference.baselines(self.scores, self.settings)
        shown = ["baseline_start", "baseline_end", "is_in_baseline", "baseline_nps"]
        shown += [f"baseline_{name}" for name in COUNTS]
        shown += [f"baseline_nps_{end}" for end in ("standard_error", "ci_low", "ci_high")]
        assert_same(ours, theirs, PERIOD, [*COUNTS, "nps", *shown, *CHANGE])

    def assert_years(self) -> Frame:
        ours = self.engine.frame("nps_multi_year")
        theirs = reference.years(self.scores, self.settings)
        shown = [*COUNTS, "nps"]
        for other, prefix in (("year_before", ""), ("first_year", "first_year_")):
            shown += [f"{other}_{name}" for name in ("start", "responses", "nps")]
            shown += [prefix + column for column in CHANGE]
            shown += [f"is_{prefix}comparable", f"{prefix}not_comparable_because"]
        assert_same(ours, theirs, PERIOD, shown)
        return ours


def answers_of(build: Build) -> Frame:
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        return connection.execute("select * from marts.fct_survey_responses").df()


def settings_of(build: Build) -> Settings:
    ((as_of, first),) = build.rows("select as_of_date, first_response_date from categorized.as_of")
    assert isinstance(as_of, dt.date)
    assert isinstance(first, dt.date)
    return Settings(as_of=as_of, first_response=first)


@pytest.fixture(scope="module")
def shipped(sample_build: Build) -> Iterator[Case]:
    """The sample as `dbt build` leaves it: its own marts, not the rendered ones."""

    class Warehouse(Engine):
        def __init__(self) -> None:
            self.schema = "marts"
            self.connection = duckdb.connect(str(sample_build.warehouse), read_only=True)

    warehouse = Warehouse()
    yield Case(warehouse, answers_of(sample_build), settings_of(sample_build))
    warehouse.connection.close()


DECLARED = {
    ("department", "D05", "all"): (dt.date(2023, 3, 1), dt.date(2023, 9, 15)),
    ("department", "D05", "*"): (dt.date(2023, 1, 1), dt.date(2023, 2, 28)),
    ("department", "*", "transactional"): (dt.date(2024, 1, 1), dt.date(2024, 12, 31)),
    ("company", "all", "*"): (dt.date(2023, 2, 1), dt.date(2023, 4, 30)),
    # Answers after "now", none at all, one day: no baseline to chart by.
    ("channel", "phone", "all"): (dt.date(2025, 6, 1), dt.date(2026, 6, 1)),
    ("channel", "chat", "all"): (dt.date(2019, 1, 1), dt.date(2019, 12, 31)),
    ("channel", "*", "*"): (dt.date(2023, 1, 10), dt.date(2023, 1, 10)),
}
CHANGES = [(dt.date(2024, 7, 1), "the scale"), (dt.date(2025, 1, 1), "the question")]


@pytest.fixture(scope="module")
def low(sql: dict[str, str], sample_build: Build) -> Case:
    """The sample's answers with low thresholds, declared baselines and changed definitions."""
    engine = Engine(sql, low=True)
    engine.connection.execute(f"attach '{sample_build.warehouse}' as built (read_only)")
    engine.fill("period_response_counts", "select * from built.marts.period_response_counts")
    engine.fill("as_of", "select * exclude (as_of) from built.categorized.as_of")
    for (scope, member, kind), window in DECLARED.items():
        engine.connection.execute(
            "insert into main.declared_baselines values (?, ?, ?, ?, ?, null)",
            [scope, member, kind, *window],
        )
    for date, what in CHANGES:
        engine.connection.execute(
            "insert into main.metric_changes values (?, ?, true, null)", [date, what]
        )
    # One that breaks nothing.
    engine.connection.execute(
        "insert into main.metric_changes values (date '2023-06-01', 'the colour', false, null)"
    )
    settings = replace(
        settings_of(sample_build),
        min_responses=3, chart_days=20, weight=0.05, declared=DECLARED, changes=CHANGES,
    )  # fmt: skip
    return Case(engine.build(), answers_of(sample_build), settings)


def test_trends_as_shipped(shipped: Case) -> None:
    shipped.assert_trends()
    shipped.assert_rolling()


def test_charts_as_shipped(shipped: Case) -> None:
    shipped.assert_charts()
    shipped.assert_signals_of_periods()


def test_baselines_as_shipped(shipped: Case) -> None:
    shipped.assert_baselines()


def test_years_as_shipped(shipped: Case) -> None:
    shipped.assert_years()


def test_trends_of_small_groups(low: Case) -> None:
    low.assert_trends()
    low.assert_rolling()
    rows = low.engine.frame("nps_trends")
    # Every verdict occurs, and the adjustment matters.
    assert set(rows["verdict"].dropna()) == {"up", "down", "no evidence"}
    assert (rows["adjusted_p_value"] > rows["p_value"] + 1e-6).any()


def test_charts_of_small_groups(low: Case) -> None:
    rows = low.assert_charts()
    low.assert_signals_of_periods()
    for kind in ("shewhart", "p_prime", "ewma", "cusum"):
        assert set(rows[f"{kind}_signal"].dropna()) >= {"down"}, kind
        assert kind in set(rows["signal_kind"]), kind
    assert (rows["sigma_z"] > 1.2).any()
    assert (rows["sigma_z"] < 1.2).any()


def test_declared_baselines(low: Case) -> None:
    low.assert_baselines()
    rows = low.engine.frame("nps_baselines")
    windows = {
        (row.scope_id, row.survey_type): str(row.baseline_start.date())
        for row in rows[rows["scope_type"] == "department"].itertuples()
    }
    # The narrowest declaration, written out once by hand.
    assert windows["D05", "all"] == "2023-03-01"
    assert windows["D05", "transactional"] == "2023-01-01"
    assert windows["D06", "transactional"] == "2024-01-01"
    assert windows["D06", "all"] == "2023-01-01"
    assert set(rows["verdict"].dropna()) == {"up", "down", "no evidence"}
    assert rows[rows["is_in_baseline"]]["verdict"].isna().all()


def test_years_beside_changed_definitions(low: Case) -> None:
    rows = low.assert_years()
    company = rows[(rows["scope_type"] == "company") & (rows["survey_type"] == "all")]
    company = company.set_index(company["period_start"].dt.year)
    assert dict(company["not_comparable_because"]) == {
        2023: "no answers in the year before",
        2024: "the definition changed: the scale",
        2025: "the year is not over",
    }
    assert set(rows[~rows["is_comparable"]]["verdict"].dropna()) == {"no evidence"}


# --- years on made-up counts ------------------------------------------------------------------


def years_of(
    engine: Engine, changes: Sequence[Sequence[object]], first: str, as_of: str = "2027-01-01"
) -> dict[int, tuple[bool, str | None]]:
    """Of each year from 2023 to 2026, whether it is comparable with the year before, or why not."""
    engine.connection.execute("delete from main.period_response_counts")
    for year in range(2023, 2027):
        engine.connection.execute(
            "insert into main.period_response_counts "
            "values ('company', 'all', null, 'all', 'year', ?, ?, true, 300, 200, 50, 50)",
            [dt.date(year, 1, 1), dt.date(year, 12, 31)],
        )
    engine.connection.execute("delete from main.metric_changes")
    for change in changes:
        engine.connection.execute("insert into main.metric_changes values (?, ?, ?, null)", change)
    engine.fill(
        "as_of",
        f"select date '{as_of}' as as_of_date, date '{first}' as first_response_date, "
        "date '2026-12-31' as last_response_date",
    )
    engine.build()
    rows = engine.frame("nps_multi_year").itertuples()
    return {row.period_start.year: (row.is_comparable, row.not_comparable_because) for row in rows}


YES = (True, None)
FIRST = (False, "no answers in the year before")
SCALE = (False, "the definition changed: scale")


@pytest.mark.parametrize(
    ("changes", "first", "expected"),
    [
        ([], "2023-01-31", [YES, YES, YES]),
        ([], "2023-02-01", [(False, "the answers begin within the earlier year"), YES, YES]),
        # On the first day of a year: that year and those after it are alike.
        ([("2024-01-01", "scale", True)], "2023-01-01", [SCALE, YES, YES]),
        # Within a year: it is like neither of its neighbours.
        ([("2024-01-02", "scale", True)], "2023-01-01", [SCALE, SCALE, YES]),
        ([("2024-12-31", "scale", True)], "2023-01-01", [SCALE, SCALE, YES]),
        ([("2024-06-01", "scale", False)], "2023-01-01", [YES, YES, YES]),
        # The first of several is named.
        (
            [("2025-03-01", "ask", True), ("2024-03-01", "scale", True)],
            "2023-01-01",
            [SCALE, SCALE, (False, "the definition changed: ask")],
        ),
    ],
)
def test_comparable_years(
    sql: dict[str, str],
    changes: Sequence[Sequence[object]],
    first: str,
    expected: list[tuple[bool, str | None]],
) -> None:
    found = years_of(Engine(sql), changes, first)
    assert found == dict(zip(range(2023, 2027), [FIRST, *expected], strict=True))


# --- charts on made-up days -------------------------------------------------------------------


def chart_of(sql: dict[str, str], days: Sequence[tuple[int, int, int]]) -> Frame:
    """The chart of one member whose days have these promoters, passives and detractors."""
    engine = Engine(sql)
    engine.connection.executemany(
        "insert into main.period_response_counts "
        "values ('department', 'A', null, 'all', 'day', ?, ?, ?, ?, ?, ?, ?)",
        [
            [
                dt.date(2024, 1, 1) + dt.timedelta(days=i),
                dt.date(2024, 1, 1) + dt.timedelta(days=i),
                i + 1 < len(days),
                sum(counts),
                *counts,
            ]
            for i, counts in enumerate(days)
        ],
    )
    return engine.build().frame("nps_control_charts").sort_values("charted_on", ignore_index=True)


def drawn(shares: Sequence[float], days: int, size: int, seed: int) -> list[tuple[int, int, int]]:
    counts = np.random.default_rng(seed).multinomial(size, shares, days)
    return [(int(p), int(a), int(d)) for p, a, d in counts]


def test_a_break_signals_after_it_and_no_later_day_changes_that(sql: dict[str, str]) -> None:
    usual = drawn([0.5, 0.2, 0.3], 130, 8, seed=11)
    broken = usual + drawn([0.2, 0.2, 0.6], 40, 8, seed=12)
    # The last day is never over.
    rows = chart_of(sql, [*broken, (1, 0, 0)])
    signals = rows[rows["signal_kind"].notna()].index
    assert 130 <= signals[0] <= 140
    assert rows.loc[signals[0], "signal_direction"] == "down"
    assert rows.loc[signals[0], "signal_started_on"] == rows.loc[signals[0], "charted_on"]
    # What had been said before the break is said after it, and up to the day it breaks.
    for known in (100, 130, 135):
        before = chart_of(sql, [*broken[:known], (1, 0, 0)])[:known]
        pd.testing.assert_frame_equal(before, rows[:known], check_dtype=False)
    # The baseline is not judged, the last day is not over.
    assert list(rows["is_judged"]) == [False] * 90 + [True] * 80 + [False]


def test_a_fall_after_a_long_rise_is_a_fall(sql: dict[str, str]) -> None:
    """Both sums are over the limit then; the fresher movement is the one the EWMA shows."""
    days = drawn([0.5, 0.2, 0.3], 90, 8, seed=2) + [(8, 0, 0)] * 40 + [(1, 0, 7)] * 10
    rows = chart_of(sql, [*days, (1, 0, 0)])
    both = rows[(rows["cusum_up"] > 5) & (rows["cusum_down"] > 5)]
    assert len(both) >= 5
    assert (both["ewma"] < 0).any()
    assert list(both["cusum_signal"]) == ["up" if x > 0 else "down" for x in both["ewma"]]
    # On the way down the run turns: the days of the fall are a run of their own.
    assert rows["signal_direction"].iloc[-2] == "down"
    assert rows["signal_started_on"].iloc[-2] >= rows["charted_on"].iloc[130]


def test_too_few_days_make_no_chart(sql: dict[str, str]) -> None:
    rows = chart_of(sql, drawn([0.5, 0.2, 0.3], 89, 8, seed=1))
    assert len(rows) == 89
    assert not rows["is_judged"].any()
    assert rows["center"].isna().all()


@pytest.mark.parametrize("alike", [(5, 0, 0), (0, 5, 0), (0, 0, 5)])
def test_answers_that_are_all_alike_make_no_chart(
    sql: dict[str, str], alike: tuple[int, int, int]
) -> None:
    rows = chart_of(sql, [alike] * 95 + [(1, 1, 1)] * 5)
    assert rows["center"].isna().all()
    assert rows["signal_kind"].isna().all()


def test_without_detractors_their_share_has_no_limits(sql: dict[str, str]) -> None:
    rows = chart_of(sql, [(3, 2, 0)] * 95 + [(3, 1, 1)] * 5)
    assert rows["p_prime_high"].isna().all()
    assert rows["p_prime_signal"].isna().all()
    assert rows["is_judged"].sum() == 9


# --- mistyped baselines, threads --------------------------------------------------------------


def test_mistyped_baselines_are_named(sql: dict[str, str]) -> None:
    engine = Engine(sql)
    engine.connection.execute(
        "insert into main.period_response_counts values "
        "('department', 'D01', null, 'all', 'all', '2024-01-01', '2024-12-31', true, 3, 1, 1, 1), "
        "('company', 'all', null, 'relational', 'all', '2024-01-01', '2024-12-31', "
        "true, 3, 1, 1, 1)"
    )
    right = [("department", "D01", "all"), ("department", "*", "all"), ("department", "D01", "*")]
    right += [("company", "*", "*")]
    wrong = [("department", "D99", "all"), ("departments", "*", "*"), ("company", "all", "all")]
    for row in [*right, *wrong]:
        engine.connection.execute(
            "insert into main.declared_baselines values (?, ?, ?, '2024-01-01', '2024-12-31', '')",
            row,
        )
    engine.build()
    assert sorted(engine.connection.execute(sql["mistyped_baselines"]).fetchall()) == sorted(wrong)


@pytest.mark.parametrize("copies", [1, pytest.param(12, marks=pytest.mark.thorough)])
def test_same_bytes_whatever_the_threads(
    sql: dict[str, str], sample_build: Build, copies: int
) -> None:
    """Rows in another order, on more threads, also so many that they are split: the same bytes."""
    found = []
    for threads, order in ((1, "hash(scope_id || period_start)"), (4, "period_start, scope_id")):
        engine = Engine(sql, low=True, threads=threads)
        engine.connection.execute(f"attach '{sample_build.warehouse}' as built (read_only)")
        engine.fill(
            "period_response_counts",
            "select counts.* replace (scope_id || copy as scope_id) "
            "from built.marts.period_response_counts as counts "
            f"cross join (select repeat('+', unnest(range({copies}))) as copy) "
            "where scope_type in ('department', 'channel', 'agent') "
            "or (scope_type = 'company' and copy = '') "
            f"order by {order}, copy",
        )
        engine.fill("as_of", "select * exclude (as_of) from built.categorized.as_of")
        engine.build()
        hashes = {}
        for model in MODELS:
            hashes[model] = engine.connection.execute(
                "select count(*), md5(string_agg(row_hash, '' order by row_hash)) from "
                f"(select md5(cast(to_json(t) as varchar)) as row_hash from main.{model} t)"
            ).fetchone()
        found.append(hashes)
    assert found[0] == found[1]
    assert all(row and row[0] > 0 for row in found[0].values())
