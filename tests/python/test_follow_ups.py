"""Cases of detractors: business time, deadlines, waiting times, recovery, the queue and its export."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from marts_in_memory import Marts, Row
from statsmodels.duration.survfunc import SurvfuncRight

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
WAITS = "sample varchar, wait double, is_over boolean"


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Marts:
    return Marts(tmp_path_factory.mktemp("follow_ups"), [], queries=QUERIES)


# --- survival ---------------------------------------------------------------------------------

Wait = tuple[str, float | None, bool]


def waits(sample: str, over: Iterable[float], still: Iterable[float] = ()) -> list[Wait]:
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
        errors = [
            row["survival"] * np.sqrt(row["greenwood"]) for row in ours if row["greenwood"]
        ]
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
