"""Rankings in SQL against the same worked out in Python, published figures and known cases."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import PROJECT, Build
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_rankings import (
    MONTHS,
    PERIODS,
    Row,
    answer_variance,
    between_groups_variance,
    rankings,
    ranks,
    score,
    shrunk,
)
from rendered import rendered
from scipy import stats

RANKINGS = PROJECT / "models" / "marts" / "rankings"
MINIMUM, LEAST = 6, 4
VARIABLES = {
    "nps_min_responses": MINIMUM,
    "nps_min_stratum_responses": LEAST,
    "nps_most_tie_groups": 12,
}
# In the order in which they are built.
MODELS = (
    *("ranking_shrunk", "ranking_ranks", "ranking_stratum_months", "ranking_strata"),
    *("ranking_pools", "ranking_expected"),
    *("agent_ranking", "department_ranking", "site_ranking"),
)
SCOPES = {"agent": "agent_id", "department": "department_id", "site": "site"}
# What the models read, as far as they read it.
INPUTS = {
    "as_of": "as_of_date date, first_response_date date, last_response_date date",
    "fct_survey_responses": (
        "agent_id varchar, department_id varchar, site varchar, contact_reason varchar, "
        "channel varchar, period_date date, survey_type varchar, nps_category varchar"
    ),
    "period_response_counts": (
        "scope_type varchar, scope_id varchar, second_scope_id varchar, survey_type varchar, "
        "period_type varchar, period_start date, period_end date, is_complete boolean, "
        "responses bigint, promoters bigint, passives bigint, detractors bigint"
    ),
    "nps_bands": 'band varchar, "above" double, up_to double',
    "dim_agents": "agent_id varchar, agent_name varchar",
    "dim_departments": (
        "department_id varchar, department_name varchar, parent_department_id varchar"
    ),
    "agent_departments_by_period": "agent_id varchar, period_end date, department_id varchar",
}
KEYS = ("survey_type", "period_type", "period_start")
EXACT = 1e-9

Counts = tuple[int, int, int]


class Marts:
    """The models' SQL on rows in memory."""

    def __init__(self, sql: Mapping[str, str]) -> None:
        self.sql = sql
        self.connection = duckdb.connect()
        for name, columns in INPUTS.items():
            self.connection.execute(f"create table {name} ({columns})")
        self.connection.execute("insert into nps_bands values ('any', null, null)")

    def fill(self, table: str, rows: Iterable[Sequence[object]]) -> None:
        self.connection.execute(f"delete from {table}")
        frame = pd.DataFrame([list(row) for row in rows], dtype=object)
        if len(frame):
            self.connection.execute(f"insert into {table} select * from frame")

    def make(self, *models: str) -> None:
        for model in models:
            self.connection.execute(f"create or replace table {model} as {self.sql[model]}")

    def rows(self, sql: str) -> list[Row]:
        result = self.connection.execute(sql)
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def sets(self, sets: Mapping[str, Mapping[str, Counts]], models: Sequence[str]) -> list[Row]:
        """Rows of the last model on counts of agents; each set is a survey type."""
        day = date(2025, 1, 1)
        self.fill(
            "period_response_counts",
            (
                ("agent", name, None, survey_type, "year", day, day, True, sum(c), c[2], c[1], c[0])
                for survey_type, groups in sets.items()
                for name, c in groups.items()
            ),
        )
        self.make(*models)
        return self.rows(f"select * from {models[-1]}")


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Marts:
    stubs = dict.fromkeys(INPUTS, "select 1")
    quantile = {"quantiles": "select tail, {{ upper_normal_quantile('tail') }} as z from given"}
    models = {name: (RANKINGS / f"{name}.sql").read_text() for name in MODELS}
    folder = tmp_path_factory.mktemp("rankings")
    sql = rendered(folder, stubs | quantile | models, variables=VARIABLES)
    return Marts({name: text.replace('"main".', "") for name, text in sql.items()})


def assert_alike(ours: Mapping[str, Any], theirs: Mapping[str, Any], where: object) -> None:
    """Every column of the second is in the first: numbers within EXACT of points, or of 1."""
    for column, value in theirs.items():
        found = ours[column]
        if isinstance(value, float) and found is not None:
            assert found == pytest.approx(value, rel=EXACT, abs=EXACT), (where, column)
        else:
            assert found == value, (where, column)


# --- the quantile -----------------------------------------------------------------------------


def test_quantile_is_that_of_scipy(marts: Marts) -> None:
    marts.connection.execute("create or replace table given (tail double)")
    tails = [*np.geomspace(1.5e-11, 0.075, 400), 0.025]
    marts.fill("given", ([float(tail)] for tail in tails))
    for row in marts.rows(marts.sql["quantiles"]):
        assert row["z"] == pytest.approx(float(stats.norm.isf(row["tail"])), rel=1e-13)
    marts.fill("given", [[0.076], [1e-11], [None]])
    assert [row["z"] for row in marts.rows(marts.sql["quantiles"])] == [None] * 3


# --- shrunk scores and ranks of counts --------------------------------------------------------

COUNTS = st.tuples(*[st.integers(0, 60)] * 3).filter(any)
SMALL = st.tuples(*[st.integers(0, 3)] * 3).filter(any)
PASSIVE = st.builds(lambda n: (0, n, 0), st.integers(1, 9))
SET = st.one_of(
    st.lists(COUNTS, min_size=1, max_size=12),
    st.lists(st.one_of(COUNTS, SMALL), min_size=1, max_size=12),
    st.lists(PASSIVE, min_size=1, max_size=3),
)


@settings(max_examples=30)
@given(st.lists(SET, min_size=1, max_size=4))
def test_shrunk_scores_and_ranks_are_those_of_the_reference(
    marts: Marts, sets: list[list[Counts]]
) -> None:
    """tau^2 by statsmodels; every interval and every follower compared one by one."""
    named = {
        f"s{i}": {f"g{j:02}": c for j, c in enumerate(groups)} for i, groups in enumerate(sets)
    }
    found = marts.sets(named, ["ranking_shrunk"])
    marts.make("ranking_ranks")
    ranked = {
        (row["survey_type"], row["scope_id"]): row
        for row in marts.rows("select * from ranking_ranks")
    }
    ours = {(row["survey_type"], row["scope_id"]): row for row in found}
    assert len(ours) == sum(len(groups) for groups in sets)
    for survey_type, groups in named.items():
        for name, theirs in zip(groups, shrunk(list(groups.values())), strict=True):
            alone = {"shrunk_nps": None, "between_groups_sd": None, "shrinkage_weight": None}
            assert_alike(ours[survey_type, name], theirs or alone, (survey_type, groups))
        # Of the values in SQL, which may be equal where the reference's differ in the last digit.
        reportable = [name for name, c in groups.items() if sum(c) >= MINIMUM and len(groups) > 1]
        theirs_by_name = ranks(
            reportable,
            [groups[name] for name in reportable],
            [ours[survey_type, name]["shrunk_nps"] for name in reportable],
        )
        for name in groups:
            assert ((survey_type, name) in ranked) == (name in theirs_by_name)
        for name, theirs in theirs_by_name.items():
            assert_alike(ranked[survey_type, name], theirs, (survey_type, groups))


def spread_of(counts: Sequence[Counts], by: Sequence[float]) -> float:
    """tau in points, by statsmodels, of given variances of an answer."""
    raw = np.array([score(c) for c in counts])
    variances = 1e4 * np.array(by) / np.array([sum(c) for c in counts])
    return float(np.sqrt(between_groups_variance(raw, variances)))


def test_equal_agents_with_few_answers_seem_equal(marts: Marts) -> None:
    """150 agents of one true score: with each one's own variance they would seem to differ."""
    random = np.random.default_rng(5)
    spreads, own = [], []
    for _ in range(8):
        counts = [
            tuple(int(n) for n in random.multinomial(random.integers(1, 21), (0.3, 0.25, 0.45)))
            for _ in range(150)
        ]
        agents = {f"g{i:03}": c for i, c in enumerate(counts)}
        row = marts.sets({"s": agents}, ["ranking_shrunk"])[0]  # type: ignore[dict-item]
        spreads.append(row["between_groups_sd"])
        more = [(c[0] + 0.75, c[1] + 1.5, c[2] + 0.75) for c in counts]
        by = [answer_variance(c) for c in more]
        own.append(spread_of(counts, by))  # type: ignore[arg-type]
    assert float(np.mean(spreads)) < 7
    assert float(np.mean(own)) > 2 * float(np.mean(spreads))


def test_published_baseball_averages(marts: Marts) -> None:
    """J-1: James and Stein pull by (k - 3) / Q, we by (k - 1) / Q; mean and Q are the same.

    Hits as promoters and misses as passives: the variance of an answer is that of a hit.
    """
    figures = json.loads((Path(__file__).parent / "figures" / "nps_vectors.json").read_text())
    (vector,) = [vector for vector in figures["vectors"] if vector["id"] == "J-1"]
    hits, at_bats = vector["input"]["hits"], vector["input"]["n"]
    k = len(hits)
    players = {f"p{i:02}": (0, at_bats - h, h) for i, h in enumerate(hits)}
    first = marts.sets({"s": players}, ["ranking_shrunk"])[0]
    mean = first["mean_of_groups"] / 100
    factor = 1 - (1 - first["shrinkage_weight"]) * (k - 3) / (k - 1)
    published = vector["expected"]
    assert mean == pytest.approx(published["mean"], abs=vector["tol"])
    assert factor == pytest.approx(published["c"], abs=vector["tol"])
    for hit, name in ((hits[0], "first"), (hits[-1], "last")):
        theirs = mean + factor * (hit / at_bats - mean)
        assert theirs == pytest.approx(published[name], abs=vector["tol"])


def ranked(marts: Marts, groups: Mapping[str, Counts]) -> dict[str, Row]:
    found = marts.sets({"s": groups}, ["ranking_shrunk", "ranking_ranks"])
    return {row["scope_id"]: row for row in found}


def test_nobody_who_cannot_be_told_apart_is_ordered(marts: Marts) -> None:
    # 60 and 58 of 100 promoters cannot be told apart, 20 can: no matter who has more answers.
    found = ranked(marts, {"a": (20, 20, 60), "b": (22, 20, 58), "c": (60, 20, 20)})
    assert [found[name]["tie_rank"] for name in "abc"] == [1, 1, 3]
    assert [found[name]["tie_group"] for name in "abc"] == [1, 1, 2]
    assert [found[name]["shrunk_rank"] for name in "abc"] == [1, 2, 3]
    assert [(found[name]["rank_low"], found[name]["rank_high"]) for name in "abc"] == [
        (1, 2),
        (1, 2),
        (3, 3),
    ]


def test_equal_groups_share_everything(marts: Marts) -> None:
    found = ranked(marts, dict.fromkeys("abcd", (10, 10, 10)))
    for row in found.values():
        assert (row["shrunk_rank"], row["tie_rank"], row["tie_group"], row["tie_size"]) == (
            *(1, 1, 1, 4),
        )
        assert (row["rank_low"], row["rank_high"]) == (1, 4)


def test_as_many_tie_groups_as_differ_and_no_more_than_passes(marts: Marts) -> None:
    """Ten groups that all differ; of fourteen those past the last pass are not told apart."""
    passes = VARIABLES["nps_most_tie_groups"]
    for k in (10, 14):
        groups = {f"g{i:02}": (i * 60_000, 100_000, 1_000_000 - i * 60_000) for i in range(k)}
        found = ranked(marts, groups)
        expected = [min(i + 1, passes) for i in range(k)]
        assert [found[name]["tie_group"] for name in sorted(groups)] == expected


@pytest.mark.parametrize(
    ("groups", "score_and_interval"),
    [
        ({"a": (0, 30, 0), "b": (0, 40, 0)}, (0.0, None)),
        ({"a": (0, 0, 30), "b": (0, 0, 8)}, (100.0, None)),
        ({"a": (5, 5, 30)}, (None, None)),
    ],
    ids=["all passive", "all promoters", "alone"],
)
def test_sets_that_say_nothing(
    marts: Marts, groups: Mapping[str, Counts], score_and_interval: tuple[float | None, None]
) -> None:
    for row in marts.sets({"s": groups}, ["ranking_shrunk"]):
        assert (row["shrunk_nps"], row["shrunk_ci_low"]) == score_and_interval
        assert row["shrunk_ci_high"] is None
    marts.make("ranking_ranks")
    found = marts.rows("select * from ranking_ranks")
    assert {row["tie_rank"] for row in found} == ({1} if len(groups) > 1 else set())


# --- whole marts, from answers ----------------------------------------------------------------


def drawn(seed: int, size: int) -> list[Row]:
    """Random answers: agents of two departments and some without, one much better, one worse."""
    random = np.random.default_rng(seed)
    first = date(2024, 11, 20)
    answers: list[Row] = []
    for _ in range(size):
        agent = random.choice(["a", "b", "c", "d", "e", "unknown"])
        department = random.choice(["X", "Y"]) if agent in "ab" else {"c": "X"}.get(agent, "Y")
        reason = random.choice(["bill", "fault", "other"], p=(0.5, 0.35, 0.15))
        better = {"a": 0.35, "b": -0.35}.get(agent, 0.0) + {"fault": -0.1}.get(reason, 0.1)
        category = random.choice(
            ["detractor", "passive", "promoter"], p=(0.4 - 0.8 * better, 0.2, 0.4 + 0.8 * better)
        )
        answers.append(
            {
                "agent_id": str(agent),
                "department_id": "unknown" if agent == "unknown" else department,
                "site": str(random.choice(["north", "south"])) if agent != "e" else "unknown",
                "contact_reason": str(reason),
                "channel": str(random.choice(["phone", "chat"])),
                "period_date": first + timedelta(days=int(random.integers(0, 70))),
                "survey_type": str(random.choice(["transactional", "relational"], p=(0.85, 0.15))),
                "nps_category": str(category),
            }
        )
    return answers


def filled(marts: Marts, answers: Sequence[Row], as_of_date: date) -> None:
    """Answers and their period counts, as the models before hold them."""
    days = [answer["period_date"] for answer in answers]
    marts.fill("as_of", [(as_of_date, min(days), max(days))])
    columns = INPUTS["fct_survey_responses"].replace(" varchar", "").replace(" date", "")
    marts.fill(
        "fct_survey_responses",
        ([answer[name] for name in columns.split(", ")] for answer in answers),
    )
    counts: Counter[tuple[Any, ...]] = Counter()
    for answer in answers:
        for scope, key in SCOPES.items():
            for survey_type in (answer["survey_type"], "all"):
                for period_type in (*PERIODS, "all"):
                    start, end = min(days), max(days)
                    if period_type != "all":
                        start = PERIODS[period_type](answer["period_date"])
                        month = start.month - 1 + MONTHS[period_type]
                        end = date(start.year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
                    counts[
                        (scope, answer[key], survey_type, period_type, start, end),
                        answer["nps_category"],
                    ] += 1
    marts.fill(
        "period_response_counts",
        (
            (scope, key, None, survey_type, period_type, start, end, end < as_of_date, sum(n), *n)
            for scope, key, survey_type, period_type, start, end in {group for group, _ in counts}
            for n in [
                [
                    counts[(scope, key, survey_type, period_type, start, end), category]
                    for category in ("promoter", "passive", "detractor")
                ]
            ]
        ),
    )


def assert_rankings(
    ours: Mapping[str, Sequence[Row]],
    answers: Sequence[Row],
    as_of_date: date,
    *,
    minimum: int,
    least: int,
) -> None:
    """Every row and column of the three rankings is the reference's."""
    for scope, key in SCOPES.items():
        theirs = rankings(answers, key, as_of_date, minimum=minimum, least=least)
        found = {(*(row[name] for name in KEYS), row[key]): row for row in ours[scope]}
        assert found.keys() == theirs.keys()
        for group, row in theirs.items():
            empty = dict.fromkeys(("shrunk_nps", "tie_rank", "expected_nps", "rank_high"))
            assert_alike(found[group], empty | row, (scope, group))


@settings(max_examples=6)
@given(st.integers(0, 10**6), st.integers(1, 500))
def test_rankings_are_those_of_the_reference(marts: Marts, seed: int, size: int) -> None:
    answers, as_of_date = drawn(seed, size), date(2025, 1, 15)
    filled(marts, answers, as_of_date)
    marts.make(*MODELS)
    ours = {scope: marts.rows(f"select * from {scope}_ranking") for scope in SCOPES}
    assert_rankings(ours, answers, as_of_date, minimum=MINIMUM, least=LEAST)


def test_verdicts_and_what_pay_may_hang_on(marts: Marts) -> None:
    """One much better and one much worse than their contacts let expect; the rest as expected."""
    answers = drawn(1, 900)
    days = [answer["period_date"] for answer in answers]
    for as_of_date, is_complete in ((max(days) + timedelta(days=1), True), (max(days), False)):
        filled(marts, answers, as_of_date)
        marts.make(*MODELS)
        found = {
            row["agent_id"]: row
            for row in marts.rows(
                "select * from agent_ranking where survey_type = 'all' and period_type = 'all'"
            )
        }
        verdicts = {agent: row["vs_expected_verdict"] for agent, row in found.items()}
        eligible = {agent for agent, row in found.items() if row["incentive_eligible"]}
        if is_complete:
            assert (verdicts["a"], verdicts["b"]) == ("better", "worse")
            assert "no evidence" in verdicts.values()
            assert eligible == {agent for agent, word in verdicts.items() if word != "no evidence"}
        else:
            assert set(verdicts.values()) == {"no evidence"}
            assert not eligible
        assert verdicts["unknown"] == "no evidence"
        assert found["unknown"]["shrunk_nps"] is None
        assert found["unknown"]["expected_nps"] is None


@pytest.mark.thorough
def test_rankings_of_the_sample(sample_build: Build) -> None:
    answers = sample_build.dicts("select * from marts.fct_survey_responses")
    ((as_of_date,),) = sample_build.rows("select as_of_date from categorized.as_of")
    assert isinstance(as_of_date, date)
    ours = {scope: sample_build.dicts(f"select * from marts.{scope}_ranking") for scope in SCOPES}
    assert_rankings(ours, answers, as_of_date, minimum=30, least=30)


def test_threads_change_no_byte(marts: Marts) -> None:
    filled(marts, drawn(2, 900), date(2025, 1, 15))
    contents = []
    for threads in (1, 2):
        marts.connection.execute(f"set threads = {threads}")
        marts.make(*MODELS)
        contents.append({
            model: marts.rows(f"select cast(t as varchar) as row from {model} t order by all")
            for model in MODELS
        })  # fmt: skip
    assert contents[0] == contents[1]
    assert all(contents[0].values())
