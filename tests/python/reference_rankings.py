"""Rankings worked out in Python from single answers: no SQL, and nothing of the models' code.

Counts are (detractors, passives, promoters) of a group; scores, errors and spreads are in points.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests

Z = 1.959963984540054
CATEGORIES = ("detractor", "passive", "promoter")
STRATA = (
    ("department_id", "contact_reason", "channel"),
    ("contact_reason", "channel"),
    ("contact_reason",),
    ("channel",),
    (),
)
FIRST_WITHOUT_REASON = 3

Counts = tuple[int, int, int]
Answer = Mapping[str, Any]
Row = dict[str, Any]


def score(counts: Sequence[float]) -> float:
    """NPS in points."""
    return 100 * (counts[2] - counts[0]) / sum(counts)


def answer_variance(counts: Sequence[float]) -> float:
    """Variance of one answer on -1/0/+1."""
    mean = (counts[2] - counts[0]) / sum(counts)
    return (counts[2] + counts[0]) / sum(counts) - mean**2


def adjusted(counts: Sequence[int]) -> tuple[float, float]:
    """Middle and standard error of the adjusted Wald interval, in points."""
    more = (counts[0] + 0.75, counts[1] + 1.5, counts[2] + 0.75)
    return score(more), 100 * math.sqrt(answer_variance(more) / sum(more))


def counted(answers: Iterable[Answer]) -> Counts:
    """Detractors, passives and promoters among answers."""
    found = Counter(answer["nps_category"] for answer in answers)
    return found["detractor"], found["passive"], found["promoter"]


def between_groups_variance(effects: np.ndarray, variances: np.ndarray) -> float:
    """tau^2 by the method of moments of DerSimonian and Laird, never negative."""
    # Of a negative tau^2 statsmodels goes on to take roots, and divides by a Q of 0.
    with np.errstate(all="ignore"):
        return max(0.0, float(combine_effects(effects, variances, method_re="chi2").tau2))


def shrunk(groups: Sequence[Counts]) -> list[Row]:
    """DerSimonian and Laird's tau^2 by statsmodels, then the normal-normal posterior.

    Args:
        groups: counts of each group, none of them without answers.

    Returns:
        The columns of a group's shrinkage; empty rows where there is only one group.
    """
    if len(groups) == 1:
        return [{}]
    answers = np.array([sum(counts) for counts in groups], dtype=float)
    raw = np.array([score(counts) for counts in groups])
    total = tuple(sum(counts[i] for counts in groups) for i in range(3))
    # Where all answers are alike any variance gives the same scores.
    variances = 1e4 * (answer_variance(total) or 1.0) / answers
    tau2 = between_groups_variance(raw, variances)
    precision = 1 / (variances + tau2)
    mean = float(np.sum(precision * raw) / np.sum(precision))
    believed = tau2 / (tau2 + variances)
    values = mean + believed * (raw - mean)
    half = Z * np.sqrt(believed * variances + (1 - believed) ** 2 / np.sum(precision))
    known = answer_variance(total) > 0
    return [
        {
            "compared_groups": len(groups),
            "between_groups_sd": math.sqrt(tau2),
            "mean_of_groups": mean,
            "shrinkage_weight": float(believed[i]),
            "shrunk_nps": float(values[i]),
            "shrunk_ci_low": max(-100.0, float(values[i] - half[i])) if known else None,
            "shrunk_ci_high": min(100.0, float(values[i] + half[i])) if known else None,
        }
        for i in range(len(groups))
    ]


def rank_intervals(groups: Sequence[Counts]) -> list[tuple[int, int]]:
    """Ranks each group can have, every interval compared with every other."""
    k = len(groups)
    z = float(stats.norm.isf((1 - 0.95 ** (1 / k)) / 2))
    ends = [(middle - z * error, middle + z * error) for middle, error in map(adjusted, groups)]
    return [
        (
            1 + sum(other_low > high for other_low, _ in ends),
            k - sum(other_high < low for _, other_high in ends),
        )
        for low, high in ends
    ]


def tie_groups(groups: Sequence[Counts], shrunk_scores: Sequence[float]) -> list[int]:
    """Number of each group's tie group; `groups` stand in the order of their shrunk scores."""
    numbers = [1] * len(groups)
    first = 0
    while first + 1 < len(groups):
        middle, error = adjusted(groups[first])
        later = range(first + 1, len(groups))
        zs = [
            (other - middle) / math.hypot(error, other_error)
            for other, other_error in map(adjusted, groups[first + 1 :])
        ]
        p_values = multipletests(2 * stats.norm.sf(np.abs(zs)), method="fdr_bh")[1]
        starts = [
            i
            for i, z, p in zip(later, zs, p_values, strict=True)
            if p < 0.05 and z < 0 and shrunk_scores[i] < shrunk_scores[first]
        ]
        if not starts:
            break
        number = numbers[first] + 1
        first = starts[0]
        numbers[first:] = [number] * (len(groups) - first)
    return numbers


def ranks(ids: Sequence[str], groups: Sequence[Counts], values: Sequence[float]) -> dict[str, Row]:
    """The columns of each group's rank.

    Args:
        ids: the groups that are ranked.
        groups: their counts.
        values: their shrunk scores.
    """
    if len(ids) < 2:
        return {}
    order = sorted(range(len(ids)), key=lambda i: (-values[i], -score(groups[i]), ids[i]))
    tied = tie_groups([groups[i] for i in order], [values[i] for i in order])
    possible = rank_intervals(groups)
    found = {}
    for place, i in enumerate(order):
        rank = 1 + sum(value > values[i] for value in values)
        found[ids[i]] = {
            "ranked_groups": len(ids),
            "shrunk_rank": rank,
            "rank_low": min(rank, possible[i][0]),
            "rank_high": max(rank, possible[i][1]),
            "tie_group": tied[place],
            "tie_rank": 1 + tied.index(tied[place]),
            "tie_size": tied.count(tied[place]),
        }
    return found


@dataclass(frozen=True)
class Expected:
    """Expected score of a group: raw, of adjusted middles, its error, answers without a reason."""

    nps: float
    adjusted: float
    error: float
    unmatched: int


Pools = Mapping[tuple[int, tuple[str, ...]], Counter[str]]


def pools(answers: Iterable[Answer], within_departments: bool) -> Pools:
    """Categories of answers by level and stratum."""
    found: dict[tuple[int, tuple[str, ...]], Counter[str]] = defaultdict(Counter)
    for answer in answers:
        for stratum in strata_of(answer, within_departments):
            found[stratum][answer["nps_category"]] += 1
    return found


def strata_of(answer: Answer, within_departments: bool) -> Iterable[tuple[int, tuple[str, ...]]]:
    """Level and stratum of an answer, finest first."""
    for level, keys in enumerate(STRATA):
        if level > 0 or within_departments:
            yield level, tuple(answer[key] for key in keys)


def expected(
    own: Sequence[Answer], everyone: Pools, least: int, within_departments: bool
) -> Expected | None:
    """What others score on the contacts of a group; None where there are no others.

    Args:
        own: the group's answers.
        everyone: the answers of all named groups, this one included.
        least: answers of others that a stratum needs.
        within_departments: whether departments are strata.
    """
    mine = pools(own, within_departments)
    used: dict[int, Counter[tuple[tuple[str, ...], Counts]]] = defaultdict(Counter)
    for answer in own:
        for level, key in strata_of(answer, within_departments):
            others = tuple(
                everyone[level, key][name] - mine[level, key][name] for name in CATEGORIES
            )
            if sum(others) >= least or (not key and sum(others) > 0):
                used[level][key, others] += 1  # type: ignore[index]
                break
        else:
            return None
    shares = {
        (level, key, others): n / len(own)
        for level, found in used.items()
        for (key, others), n in found.items()
    }
    levels = {
        level: math.sqrt(
            sum((w * adjusted(o)[1]) ** 2 for (at, _, o), w in shares.items() if at == level)
        )
        for level in used
    }
    return Expected(
        sum(w * score(others) for (_, _, others), w in shares.items()),
        sum(w * adjusted(others)[0] for (_, _, others), w in shares.items()),
        sum(levels.values()),
        sum(used[level].total() for level in used if level >= FIRST_WITHOUT_REASON),
    )


def comparison(counts: Counts, against: Expected | None, minimum: int) -> Row:
    """The columns of a group's comparison with its expected score, before adjustment."""
    if against is None:
        return {"unmatched_responses": None, "expected_nps": None, "vs_expected_p_value": None}
    middle, error = adjusted(counts)
    difference, width = middle - against.adjusted, math.hypot(error, against.error)
    p_value = 2 * float(stats.norm.sf(abs(difference / width)))
    return {
        "expected_nps": against.nps,
        "expected_standard_error": against.error,
        "unmatched_responses": against.unmatched,
        "nps_vs_expected": score(counts) - against.nps,
        "vs_expected_ci_low": max(-200.0, difference - Z * width),
        "vs_expected_ci_high": min(200.0, difference + Z * width),
        "vs_expected_p_value": p_value if sum(counts) >= minimum else None,
    }


def adjust(rows: Mapping[str, Row], is_complete: bool) -> None:
    """Add adjusted p-values and verdicts to the comparisons of a set."""
    tested = [row for row in rows.values() if row.get("vs_expected_p_value") is not None]
    found = (
        multipletests([row["vs_expected_p_value"] for row in tested], method="fdr_bh")[1]
        if tested
        else []
    )
    for row, p_value in zip(tested, found, strict=True):
        row["vs_expected_adjusted_p_value"] = float(p_value)
    for row in rows.values():
        row["vs_expected_verdict"] = "no evidence"
        row["incentive_eligible"] = False
        if row.get("vs_expected_adjusted_p_value", 1) < 0.05 and is_complete:
            middle = row["vs_expected_ci_low"] + row["vs_expected_ci_high"]
            if middle > 0 and row["nps_vs_expected"] > 0:
                row["vs_expected_verdict"] = "better"
            if middle < 0 and row["nps_vs_expected"] < 0:
                row["vs_expected_verdict"] = "worse"
            row["incentive_eligible"] = (
                row["vs_expected_verdict"] != "no evidence"
                and row["unmatched_responses"] < row["responses"] / 2
            )


PERIODS: Mapping[str, Callable[[date], date]] = {
    "month": lambda day: day.replace(day=1),
    "quarter": lambda day: day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1),
    "year": lambda day: day.replace(month=1, day=1),
}
MONTHS = {"month": 1, "quarter": 3, "year": 12}


def rankings(
    answers: Sequence[Answer], scope: str, as_of_date: date, *, minimum: int, least: int
) -> dict[tuple[str, str, date, str], Row]:
    """Every row of a ranking by survey type, period type, period start and group.

    Args:
        answers: with survey_type, period_date, nps_category, the scope and the keys of STRATA.
        scope: agent_id, department_id or site.
        as_of_date: the local date of now.
        minimum: answers of a reportable group.
        least: answers of others that a stratum needs.
    """
    days = [answer["period_date"] for answer in answers]
    sets: dict[tuple[str, str, date], list[Answer]] = defaultdict(list)
    for answer in answers:
        for survey_type in (answer["survey_type"], "all"):
            sets[survey_type, "all", min(days)].append(answer)
            for period_type, start_of in PERIODS.items():
                sets[survey_type, period_type, start_of(answer["period_date"])].append(answer)
    rows = {}
    for (survey_type, period_type, start), found in sets.items():
        if period_type == "all":
            is_complete = max(days) < as_of_date
        else:
            after = start.month - 1 + MONTHS[period_type]
            end = date(start.year + after // 12, after % 12 + 1, 1)
            is_complete = end <= as_of_date
        for key, row in ranking_of_set(found, scope, is_complete, minimum, least).items():
            rows[survey_type, period_type, start, key] = row | {"is_complete": is_complete}
    return rows


def ranking_of_set(
    answers: Sequence[Answer], scope: str, is_complete: bool, minimum: int, least: int
) -> dict[str, Row]:
    """Rows of the groups of one set; arguments as of `rankings`."""
    by_group: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        by_group[answer[scope]].append(answer)
    rows: dict[str, Row] = {
        key: {"responses": len(own), "nps": score(counted(own))} for key, own in by_group.items()
    }
    named = sorted(key for key in by_group if key != "unknown")
    if named:
        everyone = pools((answer for key in named for answer in by_group[key]), scope == "agent_id")
        counts = {key: counted(by_group[key]) for key in named}
        for key, columns in zip(named, shrunk(list(counts.values())), strict=True):
            rows[key] |= columns
            rows[key] |= comparison(
                counts[key],
                expected(by_group[key], everyone, least, scope == "agent_id"),
                minimum,
            )
        ranked = [key for key in named if sum(counts[key]) >= minimum and len(named) > 1]
        shown = ranks(
            ranked, [counts[key] for key in ranked], [rows[key]["shrunk_nps"] for key in ranked]
        )
        for key, columns in shown.items():
            rows[key] |= columns
    adjust(rows, is_complete)
    return rows
