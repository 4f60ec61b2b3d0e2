"""Differences, p-values and verdicts in SQL, against scipy, statsmodels and published cases."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rendered import rendered
from scipy import stats
from statsmodels.stats.multitest import multipletests

VECTORS = {
    vector["id"]: vector
    for vector in json.loads((Path(__file__).parent / "figures" / "nps_vectors.json").read_text())[
        "vectors"
    ]
}
COUNTS = ("detractors", "passives", "promoters")
SIDES = "'before_adjusted', 'before_error', 'after_adjusted', 'after_error'"


def of(side: str) -> str:
    return ", ".join(f"'{side}_{count}'" for count in COUNTS)


MODELS = {
    "p_values": "select z, {{ two_sided_p('z') }} as p from given",
    "adjusted": """
        with comparisons as (select * from given),
        {{ benjamini_hochberg('comparisons', within=['family'], key=['name']) }}
        select family, name, adjusted_p_value from comparisons_adjusted
    """,
    "differences": f"""
        with scored as (
            select
                *,
                {{{{ nps({of("after")}) }}}} - {{{{ nps({of("before")}) }}}} as change,
                {{{{ nps_adjusted({of("before")}) }}}} as before_adjusted,
                {{{{ nps_standard_error({of("before")}) }}}} as before_error,
                {{{{ nps_adjusted({of("after")}) }}}} as after_adjusted,
                {{{{ nps_standard_error({of("after")}) }}}} as after_error,
                {{{{ nps_plain_standard_error({of("before")}) }}}} as before_plain,
                {{{{ nps_plain_standard_error({of("after")}) }}}} as after_plain
            from given
        ),
        tested as (
            select
                *,
                {{{{ difference_z({SIDES}) }}}} as z,
                {{{{ difference_standard_error('before_plain', 'after_plain') }}}} as plain_error
            from scored
        ),
        with_p as (select *, {{{{ two_sided_p('z') }}}} as p from tested)
        select *, {{{{ two_sided_p('change / plain_error') }}}} as plain_p,
            {{{{ verdict('change', 'z', 'p', 'is_comparable') }}}} as verdict
        from with_p
    """,
    "sums": "select {{ sum_of_doubles('x') }} as total from given",
    "running": """
        select i, {{ sum_of_doubles('x', over='order by i rows unbounded preceding') }} as total
        from given
    """,
}


class Engine:
    """The macros' SQL, to run on rows."""

    def __init__(self, sql: Mapping[str, str]) -> None:
        self.sql = sql
        self.connection = duckdb.connect()

    def run(self, name: str, columns: str, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        self.connection.execute(f"create or replace table given ({columns})")
        places = ", ".join("?" for _ in rows[0])
        self.connection.executemany(f"insert into given values ({places})", rows)
        result = self.connection.execute(self.sql[name])
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def difference(
        self, before: Sequence[int], after: Sequence[int], is_comparable: bool | None = True
    ) -> dict[str, Any]:
        columns = ", ".join(f"{side}_{c} bigint" for side in ("before", "after") for c in COUNTS)
        (row,) = self.run(
            "differences",
            f"{columns}, is_comparable boolean",
            [[*before, *after, is_comparable]],
        )
        return row


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(rendered(tmp_path_factory.mktemp("comparisons"), MODELS))


# --- two_sided_p: both tails of the standard normal distribution ------------------------------


def test_p_is_that_of_scipy(engine: Engine) -> None:
    zs = np.concatenate([np.linspace(-39, 39, 4001), [7.07106781186546, 7.07106781186548, 37.0]])
    for row in engine.run("p_values", "z double", [[float(z)] for z in zs]):
        expected = 2 * stats.norm.sf(abs(row["z"]))
        assert row["p"] == pytest.approx(expected, rel=0, abs=1e-14), row["z"]
        # Far out in the tail, too, its first digits hold.
        assert row["p"] == pytest.approx(expected, rel=1e-6, abs=1e-298), row["z"]


def test_no_z_has_no_p(engine: Engine) -> None:
    (row,) = engine.run("p_values", "z double", [[None]])
    assert row["p"] is None


# --- Benjamini and Hochberg -------------------------------------------------------------------


def test_published_case_of_many_comparisons(engine: Engine) -> None:
    vector = VECTORS["B-1"]
    p_values = vector["input"]["p"]
    rows = engine.run(
        "adjusted",
        "family varchar, name varchar, p_value double",
        [["a", f"{i:02}", p] for i, p in enumerate(p_values)],
    )
    rejected = sum(row["adjusted_p_value"] <= vector["input"]["alpha"] for row in rows)
    assert rejected == vector["expected"]["rejected"]


P_VALUE = st.one_of(st.none(), st.sampled_from([0.0, 0.01, 0.04, 0.05, 0.5, 1.0]), st.floats(0, 1))


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from("abcd"), st.lists(P_VALUE, min_size=1), min_size=1))
def test_adjusted_p_is_that_of_statsmodels(
    engine: Engine, families: dict[str, list[float | None]]
) -> None:
    """Ties, zeros and ones; what is not tested counts nowhere; families do not touch."""
    rows = [[family, f"{i:04}", p] for family, ps in families.items() for i, p in enumerate(ps)]
    ours = {
        (row["family"], row["name"]): row["adjusted_p_value"]
        for row in engine.run("adjusted", "family varchar, name varchar, p_value double", rows)
    }
    assert len(ours) == len(rows)
    for family, ps in families.items():
        tested = [p for p in ps if p is not None]
        expected = iter(multipletests(tested, method="fdr_bh")[1] if tested else [])
        for i, p in enumerate(ps):
            adjusted = ours[family, f"{i:04}"]
            if p is None:
                assert adjusted is None
            else:
                assert adjusted == pytest.approx(next(expected), rel=1e-12, abs=1e-300)
                assert adjusted >= p


# --- difference and verdict -------------------------------------------------------------------


def test_published_two_samples(engine: Engine) -> None:
    vector = VECTORS["AW2-2"]
    row = engine.difference(vector["input"]["old_d_pa_p"], vector["input"]["new_d_pa_p"])
    ours = {
        "wald_z": row["change"] / row["plain_error"],
        "wald_p": row["plain_p"],
        "adj_z": row["z"],
        "adj_p": row["p"],
    }
    for name, expected in vector["expected"].items():
        assert ours[name] == pytest.approx(expected, abs=1e-5), name


def test_published_plain_difference(engine: Engine) -> None:
    vector = VECTORS["SD-1"]
    first, second = (tuple(vector["input"][side][c] for c in ("d", "pa", "p")) for side in "ba")
    row = engine.difference(first, second)
    assert row["change"] / 100 == pytest.approx(vector["expected"]["delta"], abs=1e-6)
    assert row["plain_error"] / 100 == pytest.approx(vector["expected"]["se"], abs=1e-6)
    assert row["change"] / row["plain_error"] == pytest.approx(vector["expected"]["z"], abs=1e-6)
    assert row["plain_p"] == pytest.approx(vector["expected"]["p"], abs=1e-6)


def test_the_method_decides(engine: Engine) -> None:
    """Plain Wald p is .0486, adjusted .0505: the adjusted one is published."""
    row = engine.difference((40, 60, 100), (30, 50, 120))
    assert row["plain_p"] == pytest.approx(0.0486, abs=5e-5)
    assert row["p"] == pytest.approx(0.0505, abs=5e-5)
    assert row["verdict"] == "no evidence"


def test_a_change_keeps_its_sign(engine: Engine) -> None:
    """(0, 0, 1) to (0, 1, 270) falls, and has z = +1.96: no verdict may come of it."""
    row = engine.difference((0, 0, 1), (0, 1, 270))
    assert row["change"] < 0
    assert row["z"] == pytest.approx(1.96, abs=0.005)
    # A little more of the same, so that p is under the level.
    row = engine.difference((0, 0, 1), (0, 1, 2700))
    assert row["change"] < 0
    assert row["z"] > 1.96
    assert row["p"] < 0.05
    assert row["verdict"] == "no evidence"


@pytest.mark.parametrize(
    ("before", "after", "is_comparable", "verdict"),
    [
        ((60, 60, 80), (20, 50, 130), True, "up"),
        ((20, 50, 130), (60, 60, 80), True, "down"),
        ((20, 50, 130), (60, 60, 80), False, "no evidence"),
        ((20, 50, 130), (60, 60, 80), None, "no evidence"),
        ((20, 50, 130), (20, 50, 130), True, "no evidence"),
    ],
    ids=str,
)
def test_verdicts(
    engine: Engine,
    before: tuple[int, ...],
    after: tuple[int, ...],
    is_comparable: bool | None,
    verdict: str,
) -> None:
    assert engine.difference(before, after, is_comparable)["verdict"] == verdict


# --- sums that do not depend on the order -----------------------------------------------------


@settings(max_examples=100)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.randoms(use_true_random=False))
def test_sum_is_the_same_in_any_order(engine: Engine, values: list[float], random: Any) -> None:
    (ours,) = engine.run("sums", "x double", [[value] for value in values])
    # Each term is good to half a unit of the fifteenth place, and to its own precision.
    assert ours["total"] == pytest.approx(math.fsum(values), rel=1e-12, abs=1e-9)
    random.shuffle(values)
    (again,) = engine.run("sums", "x double", [[value] for value in values])
    assert again["total"] == ours["total"]
    running = engine.run("running", "i bigint, x double", list(enumerate(values)))
    assert max(running, key=lambda row: row["i"])["total"] == ours["total"]
