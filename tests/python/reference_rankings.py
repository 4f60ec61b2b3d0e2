"""Rankings worked out in Python from counts: no SQL, and none of the models' code.

Counts are (detractors, passives, promoters) of a group; scores, errors and spreads are in points.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests

Z = 1.959963984540054
Counts = tuple[int, int, int]


def score(counts: Sequence[float]) -> float:
    """NPS in points."""
    return 100 * (counts[2] - counts[0]) / sum(counts)


def answer_variance(counts: Sequence[float]) -> float:
    """Variance of one answer on -1/0/+1."""
    values = np.repeat([-1.0, 0.0, 1.0], 1)
    shares = np.array(counts, dtype=float) / sum(counts)
    return float(shares @ values**2 - (shares @ values) ** 2)


def adjusted(counts: Sequence[int]) -> tuple[float, float]:
    """Middle and standard error of the adjusted Wald interval, in points."""
    more = (counts[0] + 0.75, counts[1] + 1.5, counts[2] + 0.75)
    return score(more), 100 * math.sqrt(answer_variance(more) / sum(more))


@dataclass(frozen=True)
class Shrunk:
    """Shrunk scores of a set of groups: tau, mu, and per group B, the score and its half width."""

    spread: float
    mean: float
    weights: np.ndarray
    scores: np.ndarray
    half_widths: np.ndarray


def shrunk(groups: Sequence[Counts]) -> Shrunk:
    """DerSimonian and Laird's tau^2 by statsmodels, then the normal-normal posterior.

    Args:
        groups: counts of two groups or more, whose answers are not all alike.
    """
    answers = np.array([sum(counts) for counts in groups], dtype=float)
    raw = np.array([score(counts) for counts in groups])
    total = np.sum(np.array(groups), axis=0)
    variances = 1e4 * answer_variance(tuple(total)) / answers
    # Method of moments; statsmodels leaves negative ones as they are.
    combined = combine_effects(raw, variances, method_re="chi2", use_t=False)
    tau2 = max(0.0, float(combined.tau2))
    precision = 1 / (variances + tau2)
    mean = float(np.sum(precision * raw) / np.sum(precision))
    believed = tau2 / (tau2 + variances)
    errors = np.sqrt(believed * variances + (1 - believed) ** 2 / np.sum(precision))
    return Shrunk(
        math.sqrt(tau2), mean, believed, mean + believed * (raw - mean), Z * errors
    )  # fmt: skip


def rank_intervals(groups: Sequence[Counts]) -> list[tuple[int, int]]:
    """Ranks each group can have, every interval compared with every other."""
    k = len(groups)
    z = float(stats.norm.isf((1 - 0.95 ** (1 / k)) / 2))
    ends = [(a - z * e, a + z * e) for a, e in map(adjusted, groups)]
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
    first, number = 0, 1
    while first is not None:
        later = range(first + 1, len(groups))
        if not later:
            break
        middle, error = adjusted(groups[first])
        zs = []
        for i in later:
            other, other_error = adjusted(groups[i])
            zs.append((other - middle) / math.hypot(error, other_error))
        p_values = multipletests(2 * stats.norm.sf(np.abs(zs)), method="fdr_bh")[1]
        starts = [
            i
            for i, z, p in zip(later, zs, p_values, strict=True)
            if p < 0.05 and z < 0 and shrunk_scores[i] < shrunk_scores[first]
        ]
        if not starts:
            break
        first, number = starts[0], number + 1
        numbers[first:] = [number] * (len(groups) - first)
    return numbers


STRATA = (
    ("department_id", "contact_reason", "channel"),
    ("contact_reason", "channel"),
    ("contact_reason",),
    ("channel",),
    (),
)


@dataclass(frozen=True)
class Expected:
    """Expected score of a group: raw, of adjusted middles, its error, answers without a reason."""

    nps: float
    adjusted: float
    error: float
    unmatched: int


def expected(
    own: Sequence[Mapping[str, str]], others: Sequence[Mapping[str, str]], least: int = 30
) -> Expected | None:
    """What others score on the contacts of a group; None where there are no others.

    Args:
        own: the group's answers, with the keys of STRATA and nps_category.
        others: the answers of all other named groups.
        least: answers of others that a stratum needs.
    """
    if not others:
        return None
    categories = ("detractor", "passive", "promoter")

    def pool(keys: tuple[str, ...], answer: Mapping[str, str]) -> Counts:
        alike = [
            other["nps_category"]
            for other in others
            if all(other[key] == answer[key] for key in keys)
        ]
        return tuple(alike.count(category) for category in categories)  # type: ignore[return-value]

    used: dict[tuple[int, tuple[str, ...]], tuple[int, Counts]] = {}
    for answer in own:
        for level, keys in enumerate(STRATA):
            counts = pool(keys, answer)
            if sum(counts) >= least or not keys:
                key = (level, tuple(answer[k] for k in keys))
                used[key] = (used.get(key, (0, counts))[0] + 1, counts)
                break
    nps = sum(n / len(own) * score(counts) for n, counts in used.values())
    middle = sum(n / len(own) * adjusted(counts)[0] for n, counts in used.values())
    error = 0.0
    for level in range(len(STRATA)):
        error += math.sqrt(
            sum(
                (n / len(own) * adjusted(counts)[1]) ** 2
                for (at, _), (n, counts) in used.items()
                if at == level
            )
        )
    unmatched = sum(n for (level, _), (n, _) in used.items() if level >= 3)
    return Expected(nps, middle, error, unmatched)
