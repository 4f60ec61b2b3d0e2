"""Figures that others published, against the SQL that the macros make."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import PROJECT
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from rendered import rendered

FIGURES = Path(__file__).parent / "figures"
Z = 1.959963984540054

# What floating point may lose, in points.
EXACT = 1e-9

Row = dict[str, Any]
Counts = tuple[float, float, float]  # detractors, passives, promoters


def rows_of(name: str) -> list[dict[str, str]]:
    with (FIGURES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


VECTORS: list[Row] = json.loads((FIGURES / "nps_vectors.json").read_text())["vectors"]
PEERS = rows_of("peer_cases.csv")
SCORES = rows_of("score_cases.csv")

# Figures that are asserted beside the statistic's other tests: the module, which names the figure.
ASSERTED_ELSEWHERE = {
    "SD-1": "test_comparisons",
    "B-1": "test_comparisons",
    "AW2-2": "test_comparisons",
    "K-1": "test_causes",
    "K-3": "test_causes",
    "I-1": "test_causes",
    "TG-1": "test_goals",
    "MU-1": "test_goals",
    "S-2": "test_trends",
    "S-3": "test_trends",
    "S-5": "test_trends",
    "S-8": "test_trends",
    "S-10": "test_trends",
    "T-2": "test_surveys",
    "T-4": "test_surveys",
    "T-5": "test_surveys",
    "LMG-2": "test_drivers",
}

# Figures that no SQL of the project computes yet. A mart that publishes the statistic takes its
# line out of here and asserts the figure.
NO_MART_YET = {
    "G-1": "no mart has simultaneous intervals of the three shares",
    "S-6": "charts widen by Laney's sigma_z; no mart tests over-dispersion",
    "S-7": "charts widen by Laney's sigma_z; no mart tests over-dispersion",
    "J-1": "James and Stein divide by k - 3, the marts' DerSimonian and Laird by k - 1; "
    "test_rankings asserts what the two share",
    "SC-2": "the published interval is adjusted Wald, not the score interval",
    "SC-3": "the published interval is adjusted Wald, not the score interval",
    "P095": "z-score among airlines whose counts its source does not give",
}

COUNTS = "detractors, passives, promoters"
EACH = "'detractors', 'passives', 'promoters'"
MODELS = {
    # Where the shipped seeds are once dbt has loaded them.
    "nps_bands": "{{ config(schema='reference') }} select 1",
    "nps_categories": "{{ config(schema='reference') }} select 1",
    # answers -> labelled, as staging and the categorized layer do it.
    "labels": """
        with texts as (
            select case_id, cell as delivered_cell, {{ text_of_raw('cell') }} as text_cell
            from answers
        ),
        scored as (select case_id, {{ parsed_score('cell') }} as score from texts)
        select scored.case_id, scored.score, categories.category as nps_category
        from scored
        left join {{ ref('nps_categories') }} as categories on scored.score = categories.score
    """,
    # labelled -> counted.
    "counts": """
        select case_id, {{ category_counts() }}
        from labelled
        where nps_category is not null
        group by case_id
    """,
    # counted -> counted.
    "pooled": "select 'pooled' as case_id, {{ summed_counts() }} from counted",
    "statistics": f"""
        select
            case_id,
            {{{{ nps({EACH}) }}}} as nps,
            {{{{ nps_variance({EACH}) }}}} as nps_variance,
            {{{{ nps_plain_standard_error({EACH}) }}}} as nps_plain_standard_error,
            {{{{ nps_adjusted({EACH}) }}}} as nps_adjusted,
            {{{{ nps_standard_error({EACH}) }}}} as nps_standard_error,
            {{{{ normal_quantile_95() }}}} as quantile,
            {{{{ share_pct('promoters', 'responses') }}}} as promoter_pct
        from counted
    """,
    "blocks": """
        with {{ nps_block_of('counted') }}
        select case_id, {{ nps_block() }} from with_block
    """,
}


class Warehouse:
    """The shipped seeds in DuckDB, and the macros' SQL to run on counts and answers."""

    def __init__(self, sql: Mapping[str, str]) -> None:
        self.sql = sql
        self.connection = duckdb.connect()
        self.connection.execute("create schema reference")
        for seed, types in {
            "nps_categories": "score integer, category varchar",
            "nps_bands": 'band varchar, "above" double, up_to double',
        }.items():
            self.connection.execute(f"create table reference.{seed} ({types})")
            self.connection.execute(
                f"insert into reference.{seed} from read_csv(?)",
                [str(PROJECT / "seeds" / f"{seed}.csv")],
            )

    def fill(self, table: str, columns: str, rows: Iterable[Sequence[object]]) -> None:
        self.connection.execute(f"create or replace table {table} ({columns})")
        parameters = [list(row) for row in rows]
        if parameters:
            places = ", ".join("?" for _ in parameters[0])
            self.connection.executemany(f"insert into {table} values ({places})", parameters)

    def run(self, name: str) -> list[Row]:
        result = self.connection.execute(self.sql[name])
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def labels(self, answers: Mapping[str, Sequence[str | None]]) -> list[Row]:
        """Score and category of each delivered score."""
        cells = [(name, cell) for name, delivered in answers.items() for cell in delivered]
        self.fill("answers", "case_id varchar, cell varchar", cells)
        return self.run("labels")

    def counts(self, labels: Iterable[tuple[str, str | None]]) -> dict[str, Row]:
        """Counts of each case that has a labelled answer."""
        self.fill("labelled", "case_id varchar, nps_category varchar", labels)
        return {row["case_id"]: row for row in self.run("counts")}

    def figures(self, counts: Mapping[str, Counts], of: str = "bigint") -> dict[str, Row]:
        """All that the macros say of each case's counts; shares of 1 pass as counts, too."""
        columns = ", ".join(f"{name} {of}" for name in [*COUNTS.split(", "), "responses"])
        cases = [(name, *each, sum(each)) for name, each in counts.items()]
        self.fill("counted", f"case_id varchar, {columns}", cases)
        blocks = {row["case_id"]: row for row in self.run("blocks")}
        return {
            row["case_id"]: row | {"block": blocks[row["case_id"]]}
            for row in self.run("statistics")
        }


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return Warehouse(rendered(tmp_path_factory.mktemp("figures"), MODELS))


def three(row: Mapping[str, Any] | None) -> Counts:
    """Counts of a row; no row is no answers."""
    if row is None:
        return 0, 0, 0
    return row["detractors"], row["passives"], row["promoters"]


def figures_of_scores(warehouse: Warehouse, scores: Sequence[object]) -> Row:
    """All that the macros say of delivered scores, by way of their categories."""
    cells = [None if score is None else str(score) for score in scores]
    labels = warehouse.labels({"case": cells})
    counts = warehouse.counts((row["case_id"], row["nps_category"]) for row in labels)
    return warehouse.figures({"case": three(counts.get("case"))})["case"]


# --- the shipped definition -------------------------------------------------------------------


def test_the_shipped_seed_is_the_definition() -> None:
    with (PROJECT / "seeds" / "nps_categories.csv").open(newline="") as file:
        shipped = list(csv.DictReader(file))
    assert {row["score"]: row["category"] for row in shipped} == {
        "0": "detractor",
        "1": "detractor",
        "2": "detractor",
        "3": "detractor",
        "4": "detractor",
        "5": "detractor",
        "6": "detractor",
        "7": "passive",
        "8": "passive",
        "9": "promoter",
        "10": "promoter",
    }
    assert len(shipped) == 11


# --- vectors ----------------------------------------------------------------------------------


def on_unit_scale(figures: Mapping[str, Any]) -> Row:
    return {
        "nps": figures["nps"] / 100,
        "var": figures["nps_variance"],
        "se": figures["nps_plain_standard_error"] / 100,
    }


def of_counts(warehouse: Warehouse, given: Row) -> Row:
    return on_unit_scale(warehouse.figures({"case": three(given)})["case"])


def of_scores(warehouse: Warehouse, given: Row) -> Row:
    return on_unit_scale(figures_of_scores(warehouse, given["scores"]))


def of_own_cut(warehouse: Warehouse, given: Row) -> Row:
    """Another scale with another cut: the categories are data, the macros stay."""
    lowest, detractor, passive, highest = given["breaks"]

    def label(score: int) -> str:
        assert lowest <= score <= highest
        if score <= detractor:
            return "detractor"
        return "passive" if score <= passive else "promoter"

    counts = warehouse.counts(("case", label(score)) for score in given["scores"])
    return of_counts(warehouse, counts["case"])


def of_shares(warehouse: Warehouse, given: Row) -> Row:
    assert given["order"] == "promoter,passive,detractor"
    promoters, passives, detractors = given["p"]
    shares = {"case": (detractors, passives, promoters)}
    return on_unit_scale(warehouse.figures(shares, of="double")["case"])


def of_adjusted_wald(warehouse: Warehouse, given: Row) -> Row:
    assert given["conf"] == 0.95
    figures = warehouse.figures({"case": three(given)})["case"]
    nps, plain = figures["nps"], figures["nps_plain_standard_error"]
    centre, error = figures["nps_adjusted"], figures["nps_standard_error"]
    z = float(figures["quantile"])
    limits = [centre - z * error, centre + z * error]
    block = figures["block"]
    assert block["nps_standard_error"] == error
    # The published interval is the same one, clipped.
    assert block["nps_ci_low"] == pytest.approx(max(-100, limits[0]), rel=0, abs=EXACT)
    assert block["nps_ci_high"] == pytest.approx(min(100, limits[1]), rel=0, abs=EXACT)
    return {
        "nps": nps,
        "wald": [nps - z * plain, nps + z * plain],
        "center": centre,
        "se": error,
        "adjusted_wald": limits,
    }


def of_pooling(warehouse: Warehouse, given: Row) -> Row:
    groups = warehouse.figures({name: tuple(given[name]) for name in ("a", "b")})
    pooled = three(warehouse.run("pooled")[0])
    return {
        "pooled": warehouse.figures({"pooled": pooled})["pooled"]["nps"],
        "mean_of_scores": (groups["a"]["nps"] + groups["b"]["nps"]) / 2,
    }


CHECKS: dict[str, Callable[[Warehouse, Row], Row]] = {
    "nps_var_se": of_counts,
    "counts": of_counts,
    "scores": of_scores,
    "scores_custom_breaks": of_own_cut,
    "var": of_shares,
    "adjusted_wald_x100": of_adjusted_wald,
    "pooling": of_pooling,
}
ASSERTED_VECTORS = [vector for vector in VECTORS if vector["kind"] in CHECKS]


@pytest.mark.parametrize("vector", ASSERTED_VECTORS, ids=lambda vector: str(vector["id"]))
def test_vector(warehouse: Warehouse, vector: Row) -> None:
    ours = CHECKS[vector["kind"]](warehouse, vector["input"])
    assert vector["expected"].keys() == vector["tol"].keys()
    for name, expected in vector["expected"].items():
        assert ours[name] == pytest.approx(expected, rel=0, abs=vector["tol"][name]), name


# --- peers ------------------------------------------------------------------------------------

METRICS = {
    "nps": "nps",
    "var": "nps_variance",
    "se": "nps_plain_standard_error",
}
COUNT_METRICS = {"n": "responses", "promoters": "promoters", "passives": "passives"}
ASSERTED_PEERS = [
    case for case in PEERS if case["metric"] in {*METRICS, *COUNT_METRICS, "category"}
]


@pytest.mark.parametrize("case", ASSERTED_PEERS, ids=lambda case: str(case["case_id"]))
def test_peer_case(warehouse: Warehouse, case: dict[str, str]) -> None:
    metric, expected = case["metric"], case["expected"]
    scores: list[object] | None = json.loads(case["scores"]) if case["scores"] else None
    if metric == "category":
        (label,) = warehouse.labels({"case": [str(score) for score in scores or ()]})
        assert label["nps_category"] == (expected or None)
        return
    if scores is None:
        promoters, passives, detractors = json.loads(case["counts_promoter_passive_detractor"])
        figures = warehouse.figures({"case": (detractors, passives, promoters)})["case"]
    else:
        figures = figures_of_scores(warehouse, scores)
    if metric in COUNT_METRICS:
        assert figures["block"][COUNT_METRICS[metric]] == int(expected)
    elif expected == "":
        assert figures[METRICS[metric]] is None
    else:
        assert figures[METRICS[metric]] == pytest.approx(
            float(expected), rel=0, abs=float(case["tolerance"])
        )


# --- nothing left out, nothing too wide -------------------------------------------------------


def test_every_figure_is_asserted_or_has_a_reason() -> None:
    vectors = [vector["id"] for vector in VECTORS]
    peers = [case["case_id"] for case in PEERS]
    known = vectors + peers
    assert len(set(known)) == len(known)
    asserted = {vector["id"] for vector in ASSERTED_VECTORS}
    asserted |= {case["case_id"] for case in ASSERTED_PEERS}
    for figure, module in ASSERTED_ELSEWHERE.items():
        text = Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8")
        assert f'"{figure}"' in text, (figure, module)
    asserted |= ASSERTED_ELSEWHERE.keys()
    assert asserted & NO_MART_YET.keys() == set(), "asserted, and listed as left out"
    assert set(known) - asserted - NO_MART_YET.keys() == set(), "neither asserted nor listed"
    assert NO_MART_YET.keys() - set(known) == set(), "listed, and in no file"


def half_a_unit(shown: str) -> float:
    """Half a unit of the last digit that a figure shows."""
    exponent = Decimal(shown).as_tuple().exponent
    assert isinstance(exponent, int)
    return float(Decimal(5).scaleb(exponent - 1))


def test_no_tolerance_is_wider_than_the_rounding() -> None:
    shown = json.loads((FIGURES / "nps_vectors.json").read_text(), parse_float=str)["vectors"]
    for vector, texts in zip(VECTORS, shown, strict=True):
        if vector["kind"] in CHECKS:
            for name, figure in texts["expected"].items():
                figures = figure if isinstance(figure, list) else [figure]
                # One rounding for a pair of limits: the more digits of the two are its own.
                finest = min(half_a_unit(str(each)) for each in figures)
                assert vector["tol"][name] <= max(finest, 1e-12), (vector["id"], name)
    for case in PEERS:
        if case["tolerance"] not in ("", "0"):
            widest = max(half_a_unit(case["expected"]), EXACT)
            assert float(case["tolerance"]) <= widest, case["case_id"]


# --- scores as exports spell them -------------------------------------------------------------


@pytest.mark.parametrize("case", SCORES, ids=lambda case: repr(case["raw_value"]))
def test_score_case(warehouse: Warehouse, case: dict[str, str]) -> None:
    (label,) = warehouse.labels({"case": [case["raw_value"]]})
    assert label["score"] == (int(case["score"]) if case["score"] else None)
    assert (label["nps_category"] is None) == (case["score"] == "")


# --- the block --------------------------------------------------------------------------------


def test_both_standard_errors_of_one_passive_and_one_promoter(warehouse: Warehouse) -> None:
    figures = figures_of_scores(warehouse, [7, 9])
    assert figures["nps_plain_standard_error"] == pytest.approx(35.355339, rel=0, abs=5e-7)
    assert figures["nps_standard_error"] == pytest.approx(30.33, rel=0, abs=0.005)
    assert figures["block"]["nps_standard_error"] == figures["nps_standard_error"]


def test_a_group_of_passives_alone_scores_zero(warehouse: Warehouse) -> None:
    figures = figures_of_scores(warehouse, [7, 8])
    block = figures["block"]
    assert (block["responses"], block["promoters"], block["detractors"]) == (2, 0, 0)
    assert (block["nps"], block["passive_pct"], figures["nps_variance"]) == (0, 100, 0)


def test_no_answers_have_no_score(warehouse: Warehouse) -> None:
    figures = warehouse.figures({"none": (0, 0, 0)})["none"]
    for name in ("nps", "nps_variance", "nps_plain_standard_error", "promoter_pct"):
        assert figures[name] is None, name
    assert warehouse.counts([("case", None)]) == {}


def test_a_total_is_of_summed_counts(warehouse: Warehouse) -> None:
    warehouse.figures({"a": (0, 0, 2), "b": (50, 30, 20)})
    (pooled,) = warehouse.run("pooled")
    assert pooled == {
        "case_id": "pooled",
        "responses": 102,
        "promoters": 22,
        "passives": 30,
        "detractors": 50,
    }
    nps = warehouse.figures({"pooled": three(pooled)})["pooled"]["nps"]
    assert nps == pytest.approx(-27.450980, rel=0, abs=5e-7)


def test_the_covariance_of_the_shares_is_in_the_interval(warehouse: Warehouse) -> None:
    figures = warehouse.figures({"case": (150, 150, 200)})["case"]
    half_width = float(figures["quantile"]) * figures["nps_plain_standard_error"]
    assert half_width == pytest.approx(7.28, rel=0, abs=0.005)


def test_the_whole_block(warehouse: Warehouse) -> None:
    block = warehouse.figures({"case": (30, 50, 120)})["case"]["block"]
    exact = {name: value for name, value in block.items() if not name.startswith("nps_")}
    assert exact == {
        "case_id": "case",
        "responses": 200,
        "promoters": 120,
        "passives": 50,
        "detractors": 30,
        "promoter_pct": 60,
        "passive_pct": 25,
        "detractor_pct": 15,
        "nps": 45,
        "is_reportable": True,
    }
    assert block["nps_standard_error"] == pytest.approx(5.203951, rel=0, abs=5e-7)
    assert block["nps_ci_low"] == pytest.approx(34.1354, rel=0, abs=5e-5)
    assert block["nps_ci_high"] == pytest.approx(54.5345, rel=0, abs=5e-5)
    assert block["nps_band"] == "good"


def test_the_interval_ends_where_the_scale_ends(warehouse: Warehouse) -> None:
    figures = warehouse.figures({"up": (0, 0, 5), "down": (5, 0, 0)})
    width = float(figures["up"]["quantile"]) * figures["up"]["nps_standard_error"]
    # Five promoters: 62.5 in the middle, and unclipped up to 107.5.
    assert figures["up"]["nps_adjusted"] + width == pytest.approx(107.5, rel=0, abs=0.05)
    assert figures["up"]["block"]["nps_ci_high"] == 100
    assert figures["down"]["block"]["nps_ci_low"] == -100
    assert figures["up"]["block"]["nps_ci_low"] == pytest.approx(62.5 - width, rel=0, abs=EXACT)


@pytest.mark.parametrize(
    ("counts", "band"),
    [
        ((1, 0, 0), "needs_work"),  # -100
        ((1, 1, 0), "needs_work"),
        ((0, 1, 0), "needs_work"),  # 0: a band begins above its lower bound
        ((50, 1, 51), "good"),
        ((1, 0, 3), "good"),  # 50
        ((99, 0, 299), "excellent"),
        ((0, 0, 1), "excellent"),  # 100
    ],
    ids=str,
)
def test_bands_at_their_ends(warehouse: Warehouse, counts: Counts, band: str) -> None:
    assert warehouse.figures({"case": counts})["case"]["block"]["nps_band"] == band


@pytest.mark.parametrize(("responses", "reportable"), [(1, False), (29, False), (30, True)])
def test_reportable_from_the_minimum_on(
    warehouse: Warehouse, responses: int, reportable: bool
) -> None:
    block = warehouse.figures({"case": (0, 0, responses)})["case"]["block"]
    assert block["is_reportable"] is reportable


# --- the interval, a second time --------------------------------------------------------------


def exact_statistics(counts: Counts) -> dict[str, float]:
    """The same statistics in exact fractions, square roots in fifty digits."""

    def moments(detractors: int, passives: int, promoters: int) -> tuple[Fraction, Fraction]:
        answers = detractors + passives + promoters
        mean = Fraction(promoters - detractors, answers)
        return mean, Fraction(promoters + detractors, answers) - mean**2

    def root(value: Fraction) -> float:
        with localcontext(prec=50):
            return float((Decimal(value.numerator) / Decimal(value.denominator)).sqrt())

    whole = [int(count) for count in counts]
    mean, variance = moments(*whole)
    # In quarters of an answer, so that the three that are added stay whole.
    quarters = [4 * count + added for count, added in zip(whole, (3, 6, 3), strict=True)]
    centre, adjusted_variance = moments(*quarters)
    error = 100 * root(adjusted_variance / Fraction(sum(quarters), 4))
    middle = float(100 * centre)
    return {
        "nps": float(100 * mean),
        "nps_variance": float(variance),
        "nps_plain_standard_error": 100 * root(variance / sum(whole)),
        "nps_adjusted": middle,
        "nps_standard_error": error,
        "nps_ci_low": max(-100.0, middle - Z * error),
        "nps_ci_high": min(100.0, middle + Z * error),
    }


COUNT = st.one_of(st.just(0), st.integers(0, 12), st.integers(0, 3000), st.integers(0, 10_000_000))
ANSWERED = st.tuples(COUNT, COUNT, COUNT).filter(any)


@settings(max_examples=25, phases=[Phase.generate])  # a failure names its counts
@given(st.lists(ANSWERED, min_size=40, max_size=40, unique=True))
def test_statistics_of_any_counts(warehouse: Warehouse, drawn: list[Counts]) -> None:
    extremes: list[Counts] = [(10_000_000, 0, 0), (0, 10_000_000, 0), (1, 0, 9_999_999), (0, 0, 1)]
    cases = {str(counts): counts for counts in [*drawn, *extremes]}
    for name, figures in warehouse.figures(cases).items():
        ours = figures | figures["block"]
        for statistic, expected in exact_statistics(cases[name]).items():
            assert math.isclose(ours[statistic], expected, rel_tol=0, abs_tol=EXACT), (
                name,
                statistic,
            )
        block = figures["block"]
        assert block["responses"] == sum(cases[name])
        shares = sum(block[f"{each}_pct"] for each in ("promoter", "passive", "detractor"))
        assert math.isclose(shares, 100, rel_tol=0, abs_tol=EXACT)
        assert -100 <= block["nps_ci_low"] < block["nps_ci_high"] <= 100
