"""Why a score moved, what weighs, how answers spread, against published cases and exact sums."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from conftest import Build
from hypothesis import given, settings
from hypothesis import strategies as st
from marts_in_memory import Marts, Row
from oracle.periods import period
from oracle.score import adjusted_wald
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

FIGURES = Path(__file__).parent / "figures"
VECTORS = {
    vector["id"]: vector
    for vector in json.loads((FIGURES / "nps_vectors.json").read_text())["vectors"]
}
EXACT = 1e-9
Z = 1.959963984540054
MIN_RESPONSES = 30

CAUSES = [
    "causes/nps_period_pairs",
    "causes/nps_segment_pairs",
    "causes/nps_change_decomposition",
    "causes/nps_group_contrasts",
    "causes/nps_impacts",
]
SIDES = "'share0', 'score0', 'share1', 'score1'"
QUERIES = {
    "effects": f"""
        select
            {{{{ mix_effect({SIDES}, centre='centre') }}}} as mix,
            {{{{ rate_effect({SIDES}) }}}} as rate
        from given
    """,
    "uncentred": f"""
        select {{{{ mix_effect({SIDES}) }}}} as mix, {{{{ rate_effect({SIDES}) }}}} as rate
        from given
    """,
    "impact": "select {{ leave_one_out_impact('n_t', 's_t', 'n', 's') }} as impact from given",
    "wilson": """
        select
            part,
            whole,
            {{ wilson_limit('part', 'whole', 'low') }} as low,
            {{ wilson_limit('part', 'whole', 'high') }} as high
        from given
    """,
    "means": """
        with summed as (
            select
                count(x) as n, coalesce(sum(x), 0) as total, coalesce(sum(x * x), 0) as squares
            from given
        )
        select
            {{ mean_of('total', 'n') }} as mean,
            {{ variance_of('squares', 'total', 'n') }} as variance,
            {{ mean_standard_error('squares', 'total', 'n') }} as error
        from summed
    """,
}


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Marts:
    return Marts(tmp_path_factory.mktemp("causes"), CAUSES, queries=QUERIES)


# --- published figures ------------------------------------------------------------------------

EFFECT_COLUMNS = "share0 double, score0 double, share1 double, score1 double, centre double"


def test_published_decomposition(marts: Marts) -> None:
    vector = VECTORS["K-1"]
    given_, expected = vector["input"], vector["expected"]
    shares = [[x / sum(given_[side]) for x in given_[side]] for side in ("size0", "size1")]
    crude = [
        sum(w * s for w, s in zip(weights, given_[rates], strict=True))
        for weights, rates in zip(shares, ("rate0", "rate1"), strict=True)
    ]
    rows = [
        [*sides, sum(crude) / 2]
        for sides in zip(shares[0], given_["rate0"], shares[1], given_["rate1"], strict=True)
    ]
    effects = marts.run("effects", EFFECT_COLUMNS, rows)
    ours = {
        "mix": sum(row["mix"] for row in effects),
        "rate": sum(row["rate"] for row in effects),
        "crude0": crude[0],
        "crude1": crude[1],
    }
    ours["total"] = ours["mix"] + ours["rate"]
    for name, figure in expected.items():
        assert ours[name] == pytest.approx(figure, abs=vector["tol"]), name


def test_published_product_of_two_factors(marts: Marts) -> None:
    """A single segment, uncentred, is a product of two factors."""
    vector = VECTORS["K-3"]
    given_ = [[vector["input"][name] for name in ("a0", "b0", "a1", "b1")]]
    columns = EFFECT_COLUMNS.removesuffix(", centre double")
    (row,) = marts.run("uncentred", columns, given_)
    assert row["mix"] == pytest.approx(vector["expected"]["a_effect"], abs=vector["tol"])
    assert row["rate"] == pytest.approx(vector["expected"]["b_effect"], abs=vector["tol"])


def test_no_mix_is_zero_without_a_sign(marts: Marts) -> None:
    """A share that stays, below the company and above it; one that grows, at its middle."""
    given_ = [
        [1.0, -100.0, 1.0, -50.0, 0.0],
        [1.0, 0.0, 1.0, 50.0, 0.0],
        [0.5, 10.0, 0.3, 10.0, 10.0],
    ]
    found = [row["mix"] for row in marts.run("effects", EFFECT_COLUMNS, given_)]
    assert [math.copysign(1, mix) for mix in found] == [1, 1, 1]
    assert found == [0, 0, 0]


def test_published_impact_of_a_topic(marts: Marts) -> None:
    vector = VECTORS["I-1"]
    n, n_t = vector["input"]["N"], vector["input"]["n_topic"]
    score, rest = vector["input"]["nps_topic"], vector["input"]["nps_rest"]
    overall = (n_t * score + (n - n_t) * rest) / n
    assert overall == vector["expected"]["overall"]
    columns = "n_t bigint, s_t double, n bigint, s double"
    (row,) = marts.run("impact", columns, [[n_t, score, n, overall]])
    assert row["impact"] == pytest.approx(vector["expected"]["impact"], abs=vector["tol"])
    # Where there is nobody else, there is no company without the group.
    (row,) = marts.run("impact", columns, [[n, score, n, score]])
    assert row["impact"] is None


# --- cases by hand, through the marts ---------------------------------------------------------

Counts = tuple[int, int, int]  # detractors, passives, promoters


def counted(score: int, answers: int) -> Counts:
    """Counts of so many answers with that score, of one kind besides passives."""
    net, remainder = divmod(score * answers, 100)
    assert remainder == 0
    return (max(0, -net), answers - abs(net), max(0, net))


def count_rows(
    years: dict[int, dict[str, Counts]], scope: str = "department", *, is_complete: bool = True
) -> list[list[Any]]:
    """Rows of period_response_counts: the groups of each year, and the company they add up to."""
    rows: list[list[Any]] = []
    for year, groups in years.items():
        company = tuple(sum(counts[i] for counts in groups.values()) for i in range(3))
        for scope_type, scope_id, (detractors, passives, promoters) in [
            ("company", "all", company),
            *((scope, name, counts) for name, counts in groups.items()),
        ]:
            first, last = period("year", date(year, 1, 1))
            responses = detractors + passives + promoters
            rows.append([
                scope_type, scope_id, None, "all", "year", first, last, is_complete,
                responses, promoters, passives, detractors,
            ])  # fmt: skip
    return rows


def decomposed(marts: Marts, years: dict[int, dict[str, Counts]]) -> dict[str, Row]:
    marts.fill("period_response_counts", count_rows(years))
    marts.build()
    rows = marts.rows(
        "select * from nps_change_decomposition where comparison = 'previous_period' "
        "and period_start = '2024-01-01'"
    )
    return {row["scope_id"]: row for row in rows}


def test_every_segment_rose_and_the_company_fell(marts: Marts) -> None:
    """Shares .5/.3/.2 to .3/.3/.4, scores 40/20/-10 to 42/25/-5: -5.9 = mix -9.7 + rate 3.8."""
    rows = decomposed(
        marts,
        {
            2023: {"a": counted(40, 500), "b": counted(20, 300), "c": counted(-10, 200)},
            2024: {"a": counted(42, 300), "b": counted(25, 300), "c": counted(-5, 400)},
        },
    )
    assert all(row["nps_change"] > 0 for row in rows.values())
    (change,) = {row["company_nps_change"] for row in rows.values()}
    assert change == pytest.approx(-5.9, abs=EXACT)
    assert sum(row["mix_effect"] for row in rows.values()) == pytest.approx(-9.7, abs=EXACT)
    assert sum(row["rate_effect"] for row in rows.values()) == pytest.approx(3.8, abs=EXACT)
    # By hand, with the centre (24 + 18.1) / 2 = 21.05: -.2 x (41 - 21.05), 0, .2 x (-7.5 - 21.05).
    mix = {name: row["mix_effect"] for name, row in rows.items()}
    assert mix == pytest.approx({"a": -3.99, "b": 0.0, "c": -5.71}, abs=EXACT)
    rate = {name: row["rate_effect"] for name, row in rows.items()}
    assert rate == pytest.approx({"a": 0.8, "b": 1.5, "c": 1.5}, abs=EXACT)


def test_a_segment_of_one_period_is_all_mix(marts: Marts) -> None:
    """50 to 20 points: the good half vanishes, a bad one comes."""
    rows = decomposed(
        marts,
        {
            2023: {"stays": counted(20, 100), "goes": counted(80, 100)},
            2024: {"stays": counted(20, 100), "comes": counted(20, 100)},
        },
    )
    assert {name: row["segment_status"] for name, row in rows.items()} == {
        "stays": "both",
        "goes": "vanished",
        "comes": "new",
    }
    assert all(row["rate_effect"] == 0 for row in rows.values())
    # The centre is 35: -.5 x (80 - 35), and +.5 x (20 - 35).
    mix = {name: row["mix_effect"] for name, row in rows.items()}
    assert mix == pytest.approx({"stays": 0, "goes": -22.5, "comes": -7.5}, abs=EXACT)
    assert rows["goes"]["nps"] is None
    assert rows["comes"]["previous_nps"] is None
    assert not rows["comes"]["is_reportable"]
    assert rows["stays"]["is_reportable"]


def test_a_period_after_a_gap_is_compared_with_nothing(marts: Marts) -> None:
    marts.fill(
        "period_response_counts",
        count_rows({2021: {"a": (1, 1, 1)}, 2023: {"a": (1, 1, 1)}, 2024: {"a": (1, 1, 1)}}),
    )
    marts.build()
    pairs = marts.rows("select * from nps_period_pairs order by comparison")
    assert [(row["comparison"], row["period_start"].year) for row in pairs] == [
        ("previous_period", 2024),
        ("previous_year", 2024),
    ]


SEGMENTS = st.dictionaries(
    st.sampled_from("abcde"),
    st.tuples(*[st.integers(0, 40)] * 3).filter(lambda counts: sum(counts) > 0),
    min_size=1,
)


@settings(max_examples=40)
@given(SEGMENTS, SEGMENTS)
def test_nothing_is_left_over(
    marts: Marts, before: dict[str, Counts], after: dict[str, Counts]
) -> None:
    rows = decomposed(marts, {2023: before, 2024: after})
    assert rows.keys() == before.keys() | after.keys()
    scores = [
        sum(Fraction(100 * (c[2] - c[0])) for c in groups.values())
        / sum(sum(c) for c in groups.values())
        for groups in (before, after)
    ]
    explained = sum(row["mix_effect"] + row["rate_effect"] for row in rows.values())
    assert explained == pytest.approx(float(scores[1] - scores[0]), abs=EXACT)
    assert sum(row["total_effect"] for row in rows.values()) == pytest.approx(explained, abs=EXACT)


def impacts(marts: Marts, groups: dict[str, Counts], *, is_complete: bool = True) -> dict[str, Row]:
    marts.fill(
        "period_response_counts",
        count_rows({2024: groups}, scope="channel", is_complete=is_complete),
    )
    marts.build()
    return {row["scope_id"]: row for row in marts.rows("select * from nps_impacts")}


def test_groups_against_the_rest(marts: Marts) -> None:
    groups = {"bad": (60, 20, 20), "good": (10, 40, 150), "usual": (50, 50, 100), "few": (0, 0, 29)}
    rows = impacts(marts, groups)
    total = tuple(sum(c[i] for c in groups.values()) for i in range(3))
    tested = {}
    for name, counts in groups.items():
        rest = tuple(total[i] - counts[i] for i in range(3))
        (own_centre, own_error, *_), (centre, error, *_) = (
            adjusted_wald(*counts),
            adjusted_wald(*rest),
        )
        both = math.hypot(own_error, error)
        p = 2 * stats.norm.sf(abs(own_centre - centre) / both)
        low = own_centre - centre - Z * both
        assert rows[name]["difference_ci_low"] == pytest.approx(low, abs=EXACT)
        assert rows[name]["difference_ci_high"] == pytest.approx(low + 2 * Z * both, abs=EXACT)
        if sum(counts) >= MIN_RESPONSES:
            assert rows[name]["p_value"] == pytest.approx(p, abs=1e-12)
            tested[name] = p
    assert rows["few"]["p_value"] is rows["few"]["adjusted_p_value"] is None
    adjusted = multipletests(list(tested.values()), method="fdr_bh")[1]
    for name, p in zip(tested, adjusted, strict=True):
        assert rows[name]["adjusted_p_value"] == pytest.approx(p, abs=1e-12)
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "bad": "down",
        "good": "up",
        "usual": "no evidence",
        "few": "no evidence",
    }
    unfinished = impacts(marts, groups, is_complete=False)
    assert {row["verdict"] for row in unfinished.values()} == {"no evidence"}


def test_detractors_by_rank(marts: Marts) -> None:
    rows = impacts(marts, {"b": (30, 0, 10), "a": (30, 20, 0), "c": (40, 0, 0), "d": (0, 0, 100)})
    shown = {
        name: (
            row["detractor_rank"],
            row["detractor_share_pct"],
            row["cumulative_detractor_share_pct"],
        )
        for name, row in rows.items()
    }
    assert shown == {"c": (1, 40, 40), "a": (2, 30, 70), "b": (3, 30, 100), "d": (4, 0, 100)}
    assert sum(row["response_share_pct"] for row in rows.values()) == pytest.approx(100, abs=EXACT)


def test_a_group_that_is_everybody_has_no_rest(marts: Marts) -> None:
    (row,) = impacts(marts, {"all of them": (0, 50, 50)}).values()
    empty = ["impact", "rest_nps", "difference_from_rest", "difference_ci_low", "p_value"]
    assert [row[name] for name in empty] == [None] * len(empty)
    # Without detractors there are no shares of them.
    assert row["detractor_share_pct"] is row["cumulative_detractor_share_pct"] is None
    assert row["verdict"] == "no evidence"


# --- means and shares -------------------------------------------------------------------------


def test_interval_of_a_share_is_wilsons(marts: Marts) -> None:
    cases = [(x, n) for n in (1, 2, 7, 30, 500) for x in {0, 1, n // 3, n}]
    for row in marts.run("wilson", "part bigint, whole bigint", cases):
        low, high = proportion_confint(row["part"], row["whole"], method="wilson")
        assert row["low"] == pytest.approx(100 * low, abs=EXACT)
        assert row["high"] == pytest.approx(100 * high, abs=EXACT)
    (row,) = marts.run("wilson", "part bigint, whole bigint", [(0, 0)])
    assert row["low"] is row["high"] is None


@settings(max_examples=40)
@given(st.lists(st.integers(0, 10), max_size=60))
def test_mean_and_its_error(marts: Marts, values: list[int]) -> None:
    (row,) = marts.run("means", "x bigint", [[value] for value in values] or [[None]])
    n = len(values)
    if n == 0:
        assert row == {"mean": None, "variance": None, "error": None}
        return
    mean = Fraction(sum(values), n)
    squares = sum((value - mean) ** 2 for value in values)
    assert row["mean"] == pytest.approx(float(mean), abs=EXACT)
    assert row["variance"] == pytest.approx(float(squares / n), abs=EXACT)
    if n == 1:
        assert row["error"] is None
    else:
        assert row["error"] ** 2 == pytest.approx(float(squares / (n - 1) / n), abs=EXACT)


# --- the sample, a second time from its answers -----------------------------------------------

DIMENSIONS = {
    "department": "department_id",
    "agent": "agent_id",
    "channel": "channel",
    "site": "site",
    "product_line": "product_line",
    "segment": "segment",
    "contact_reason": "contact_reason",
    "survey_channel": "survey_channel",
    "language": "language",
}
DECOMPOSED = ("department", "channel", "contact_reason", "product_line", "site")
PERIOD_TYPES = ("week", "month", "quarter", "year", "all")
Key = tuple[str, str, date, str, str]  # survey type, period type and start, scope type and id


@dataclass
class Group:
    """The answers of one member in one period."""

    categories: Counter[int] = field(default_factory=Counter)  # -1, 0, 1
    scores: Counter[int] = field(default_factory=Counter)
    csat: list[int] = field(default_factory=list)
    effort: list[int] = field(default_factory=list)

    @property
    def n(self) -> int:
        return self.categories.total()

    @property
    def net(self) -> int:
        return self.categories[1] - self.categories[-1]

    @property
    def score(self) -> Fraction:
        return Fraction(100 * self.net, self.n)

    @property
    def counts(self) -> Counts:
        return self.categories[-1], self.categories[0], self.categories[1]


Groups = dict[Key, Group]


@pytest.fixture(scope="module")
def groups(sample_build: Build) -> Groups:
    """Every answer of the sample in every group it belongs to."""
    found: Groups = defaultdict(Group)
    answers = sample_build.dicts("select * from marts.fct_survey_responses")
    first = min(row["response_date"] for row in answers)  # type: ignore[type-var]
    assert isinstance(first, date)
    for row in answers:
        day: Any = row["period_date"]
        members = [("company", "all")]
        members += [(scope, str(row[column])) for scope, column in DIMENSIONS.items()]
        for survey_type in (str(row["survey_type"]), "all"):
            for period_type in PERIOD_TYPES:
                start = first if period_type == "all" else period(period_type, day)[0]
                for scope, member in members:
                    group = found[survey_type, period_type, start, scope, member]
                    contribution: Any = row["nps_contribution"]
                    score: Any = row["score"]
                    csat: Any = row["csat_score"]
                    effort: Any = row["effort_score"]
                    group.categories[contribution] += 1
                    group.scores[score] += 1
                    group.csat += [csat] if csat is not None else []
                    group.effort += [effort] if effort is not None else []
    assert len(found) > 20_000
    return found


def key_of(row: Row) -> Key:
    return (
        row["survey_type"],
        row["period_type"],
        row["period_start"],
        row["scope_type"],
        row["scope_id"],
    )


def company_of(key: Key) -> Key:
    return (*key[:3], "company", "all")


def earlier(comparison: str, period_type: str, start: date) -> date:
    """First date of the period a period is compared with."""
    if period_type == "week":
        return start - timedelta(weeks=1 if comparison == "previous_period" else 52)
    if comparison == "previous_year":
        return start.replace(year=start.year - 1)
    return period(period_type, start - timedelta(days=1))[0]


def test_changes_of_the_sample(sample_build: Build, groups: Groups) -> None:
    rows = sample_build.dicts("select * from marts.nps_change_decomposition")
    shown: dict[tuple[Any, ...], Row] = {(row["comparison"], *key_of(row)): row for row in rows}
    assert len(shown) == len(rows)
    seen = 0
    for comparison, key, before_key in pairs_of(groups):
        company, before = groups[key], groups[before_key]
        centre = (company.score + before.score) / 2
        for scope in DECOMPOSED:
            sums = [Fraction(0), Fraction(0)]
            members = members_of(groups, key, scope) | members_of(groups, before_key, scope)
            for member in members:
                row = shown[(comparison, *key[:3], scope, member)]
                seen += 1
                now = groups.get((*key[:3], scope, member))
                then = groups.get((*before_key[:3], scope, member))
                share = Fraction(now.n if now else 0, company.n)
                share_then = Fraction(then.n if then else 0, before.n)
                if now and then:
                    middle, change = (now.score + then.score) / 2, now.score - then.score
                    status = "both"
                else:
                    middle, change = (now or then or Group()).score, Fraction(0)
                    status = "new" if now else "vanished"
                mix = (share - share_then) * (middle - centre)
                rate = change * (share + share_then) / 2
                assert row["segment_status"] == status
                assert row["mix_effect"] == pytest.approx(float(mix), rel=0, abs=EXACT)
                assert row["rate_effect"] == pytest.approx(float(rate), rel=0, abs=EXACT)
                sums[0] += Fraction(row["mix_effect"])
                sums[1] += Fraction(row["rate_effect"])
            difference = company.score - before.score
            assert float(sum(sums)) == pytest.approx(float(difference), rel=0, abs=EXACT)
    assert seen == len(rows) > 5_000


def pairs_of(groups: Groups) -> Iterator[tuple[str, Key, Key]]:
    """Every period of the company with the one it is compared with, where both have answers."""
    for key in [key for key in groups if key[3] == "company" and key[1] != "all"]:
        for comparison in ("previous_period", "previous_year"):
            start = earlier(comparison, key[1], key[2])
            before = (key[0], key[1], start, "company", "all")
            if before in groups:
                yield comparison, key, before


_MEMBERS: dict[int, dict[tuple[Any, ...], set[str]]] = {}


def members_of(groups: Groups, key: Key, scope: str) -> set[str]:
    """The members of a scope that have answers in a period."""
    if id(groups) not in _MEMBERS:
        index: dict[tuple[Any, ...], set[str]] = defaultdict(set)
        for survey_type, period_type, start, scope_type, member in groups:
            index[survey_type, period_type, start, scope_type].add(member)
        _MEMBERS[id(groups)] = index
    return _MEMBERS[id(groups)][(*key[:3], scope)]


def test_impacts_of_the_sample(sample_build: Build, groups: Groups) -> None:
    rows = sample_build.dicts("select * from marts.nps_impacts")
    assert {key_of(row) for row in rows} == {key for key in groups if key[3] != "company"}
    families: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        key = key_of(row)
        families[key[:4]].append(row)
        own, company = groups[key], groups[company_of(key)]
        others = company.n - own.n
        if others == 0:
            assert row["impact"] is None
            assert row["rest_nps"] is None
            continue
        without = Fraction(100 * (company.net - own.net), others)
        assert row["impact"] == pytest.approx(float(company.score - without), rel=0, abs=EXACT)
        difference = own.score - without
        assert row["difference_from_rest"] == pytest.approx(float(difference), rel=0, abs=EXACT)
        # S_g - S = (1 - w)(S_g - S_rest).
        share = Fraction(own.n, company.n)
        assert own.score - company.score == (1 - share) * difference
    for family in families.values():
        check_family(family, groups)


def check_family(family: Sequence[Row], groups: Groups) -> None:
    """The groups of one scope type and period: ranks, shares, p-values."""
    company = groups[company_of(key_of(family[0]))]
    so_far = 0
    order = sorted(family, key=lambda row: (-row["detractors"], row["scope_id"]))
    for rank, row in enumerate(order, start=1):
        so_far += groups[key_of(row)].categories[-1]
        assert row["detractor_rank"] == rank
        if company.categories[-1]:
            share = 100 * so_far / company.categories[-1]
            assert row["cumulative_detractor_share_pct"] == pytest.approx(share, abs=EXACT)
    assert so_far == company.categories[-1]
    assert sum(row["response_share_pct"] for row in family) == pytest.approx(100, abs=EXACT)
    tested = []
    for row in family:
        own = groups[key_of(row)].counts
        rest = tuple(company.counts[i] - own[i] for i in range(3))
        if min(sum(own), sum(rest)) < MIN_RESPONSES:
            assert row["p_value"] is None
            assert row["verdict"] == "no evidence"
            continue
        (centre, error, *_), (other, other_error, *_) = adjusted_wald(*own), adjusted_wald(*rest)
        z = (centre - other) / math.hypot(error, other_error)
        assert row["p_value"] == pytest.approx(2 * stats.norm.sf(abs(z)), abs=1e-12)
        tested.append((row, z))
    if not tested:
        return
    adjusted = multipletests([row["p_value"] for row, _ in tested], method="fdr_bh")[1]
    for (row, z), p in zip(tested, adjusted, strict=True):
        assert row["adjusted_p_value"] == pytest.approx(p, abs=1e-12)
        difference = row["difference_from_rest"]
        verdict = "no evidence"
        if row["is_complete"] and p < 0.05 and z * difference > 0:
            verdict = "up" if difference > 0 else "down"
        assert row["verdict"] == verdict


def test_distributions_of_the_sample(sample_build: Build, groups: Groups) -> None:
    rows = sample_build.dicts("select * from marts.score_distributions")
    assert {key_of(row) for row in rows} == set(groups)
    for row in rows:
        group = groups[key_of(row)]
        assert [row[f"score_{score}"] for score in range(11)] == [
            group.scores[score] for score in range(11)
        ]
        assert row["responses"] == group.scores.total()
        mean = Fraction(sum(score * n for score, n in group.scores.items()), group.n)
        variance = sum(n * (score - mean) ** 2 for score, n in group.scores.items()) / group.n
        assert row["mean_score"] == pytest.approx(float(mean), abs=EXACT)
        assert row["polarisation"] == pytest.approx(float(variance / 25), abs=EXACT)
        assert row["zero_pct"] == pytest.approx(100 * group.scores[0] / group.n, abs=EXACT)
        assert row["ten_pct"] == pytest.approx(100 * group.scores[10] / group.n, abs=EXACT)


def mean_and_limits(
    values: Sequence[int], lowest: int, highest: int
) -> tuple[float | None, float | None, float | None]:
    """Mean and its z interval on a scale, by exact moments."""
    if not values:
        return None, None, None
    mean = Fraction(sum(values), len(values))
    if len(values) == 1:
        return float(mean), None, None
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    half = Z * math.sqrt(variance / len(values))
    return float(mean), max(lowest, float(mean) - half), min(highest, float(mean) + half)


def test_experience_of_the_sample(sample_build: Build, groups: Groups) -> None:
    rows = sample_build.dicts("select * from marts.experience_scores")
    assert {key_of(row) for row in rows} == set(groups)
    for row in rows:
        group = groups[key_of(row)]
        assert row["nps"] == pytest.approx(float(group.score), abs=EXACT)
        for name, values, scale, best, share in [
            ("csat", group.csat, (1, 5), 4, "csat_top2"),
            ("effort", group.effort, (1, 7), 5, "effort_easy"),
        ]:
            assert row[f"{name}_responses"] == len(values)
            assert row[f"{name}_is_reportable"] == (len(values) >= MIN_RESPONSES)
            wanted = mean_and_limits(values, *scale)
            for column, figure in zip(("mean", "mean_ci_low", "mean_ci_high"), wanted, strict=True):
                shown = row[f"{name}_{column}"]
                # The root of a variance that is 0 but for a rounding.
                assert shown == (None if figure is None else pytest.approx(figure, abs=1e-7))
            columns = [f"{share}_pct", f"{share}_ci_low", f"{share}_ci_high"]
            if not values:
                assert [row[column] for column in columns] == [None] * 3
                continue
            good = sum(value >= best for value in values)
            limits = proportion_confint(good, len(values), method="wilson")
            figures = [100 * good / len(values), *(100 * limit for limit in limits)]
            assert [row[column] for column in columns] == pytest.approx(figures, abs=EXACT)


def test_relationship_and_contacts_of_the_sample(sample_build: Build, groups: Groups) -> None:
    rows = sample_build.dicts("select * from marts.nps_relational_gap")
    relational = {key[1:] for key in groups if key[0] == "relational"}
    transactional = {key[1:] for key in groups if key[0] == "transactional"}
    assert {key_of({**row, "survey_type": ""})[1:] for row in rows} == relational & transactional
    families: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        ours, theirs = (
            groups[key_of({**row, "survey_type": survey_type})]
            for survey_type in ("relational", "transactional")
        )
        gap = float(ours.score - theirs.score)
        assert row["relational_gap"] == pytest.approx(gap, abs=EXACT)
        (centre, error, *_), (other, other_error, *_) = (
            adjusted_wald(*ours.counts),
            adjusted_wald(*theirs.counts),
        )
        both = math.hypot(error, other_error)
        low = centre - other - Z * both
        assert row["relational_gap_ci_low"] == pytest.approx(low, abs=EXACT)
        if min(ours.n, theirs.n) < MIN_RESPONSES:
            assert row["p_value"] is None
        else:
            p = 2 * stats.norm.sf(abs(centre - other) / both)
            assert row["p_value"] == pytest.approx(p, abs=1e-12)
            families[row["period_type"], row["period_start"], row["scope_type"]].append(row)
    assert families
    for family in families.values():
        adjusted = multipletests([row["p_value"] for row in family], method="fdr_bh")[1]
        for row, p in zip(family, adjusted, strict=True):
            assert row["adjusted_p_value"] == pytest.approx(p, abs=1e-12)


# --- the same bytes, whatever the number of threads -------------------------------------------

ALL_MARTS = [
    "counts/daily_score_counts",
    "counts/period_score_counts",
    "counts/daily_contact_counts",
    "counts/period_contact_counts",
    "counts/daily_scope_invitation_counts",
    "counts/period_invitation_counts",
    *CAUSES,
    "experience/score_distributions",
    "experience/experience_scores",
    "experience/nps_relational_contrasts",
    "experience/nps_relational_gap",
    "goals/target_ranges",
    "goals/nps_counts_with_targets",
    "goals/nps_targets_gap",
    "goals/metric_values",
    "goals/targets_gap",
    "goals/nps_benchmark_gap",
]
READ = {
    "as_of": "categorized",
    "fct_survey_responses": "marts",
    "fct_contacts": "marts",
    "fct_survey_invitations": "marts",
    "period_response_counts": "marts",
    "nps_by_period": "marts",
    "nps_by_department": "marts",
    "closed_loop_performance": "marts",
    "nps_targets": "reference",
    "nps_benchmarks": "reference",
    "nps_bands": "reference",
}


def test_threads_change_no_byte(
    sample_build: Build, tmp_path_factory: pytest.TempPathFactory
) -> None:
    marts = Marts(tmp_path_factory.mktemp("threads"), ALL_MARTS, inputs=READ)
    marts.connection.execute(f"attach '{sample_build.warehouse}' as built (read_only)")
    for name, schema in READ.items():
        marts.connection.execute(f"create table {name} as select * from built.{schema}.{name}")
    found = []
    for threads in (1, 2):
        marts.connection.execute(f"set threads = {threads}")
        # Small pieces in changing order, so that threads have something to disagree about.
        marts.connection.execute(f"set preserve_insertion_order = {str(threads == 1).lower()}")
        marts.build()
        found.append(marts.fingerprints())
    assert found[0] == found[1]
    # And as dbt built them.
    for mart in marts.marts:
        (row,) = sample_build.rows(f"select count(*) from (select * from marts.{mart})")
        (ours,) = marts.connection.execute(f"select count(*) from {mart}").fetchall()
        assert row == ours, mart
