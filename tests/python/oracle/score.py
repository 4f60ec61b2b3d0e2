"""The Net Promoter Score and its interval, from counts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

Z: Final = 1.959963984540054
"""Two-sided 95 % of the standard normal distribution."""


@dataclass(frozen=True)
class Band:
    """A named range of scores in points: above its lower bound, up to its upper one."""

    name: str
    above: float
    up_to: float


def nps(detractors: float, passives: float, promoters: float) -> float:
    """The score in points: 100.0 × (promoters - detractors) / all.

    Raises:
        ZeroDivisionError: there are no answers.
    """
    return 100.0 * (promoters - detractors) / (detractors + passives + promoters)


def variance(detractors: float, passives: float, promoters: float) -> float:
    """The variance of one answer on the scale -1, 0, 1: p + d - (p - d)²."""
    answers = detractors + passives + promoters
    p, d = promoters / answers, detractors / answers
    # A difference of nearly equal numbers may come out below zero.
    return max(0.0, p + d - (p - d) ** 2)


def standard_error(detractors: float, passives: float, promoters: float) -> float:
    """The plain standard error of the score, in points."""
    answers = detractors + passives + promoters
    return 100.0 * math.sqrt(variance(detractors, passives, promoters) / answers)


def adjusted_wald(
    detractors: float, passives: float, promoters: float
) -> tuple[float, float, float, float]:
    """Centre, standard error and limits in points, unclipped, after adding ¾, 1½ and ¾ answers."""
    adjusted = detractors + 0.75, passives + 1.5, promoters + 0.75
    centre, error = nps(*adjusted), standard_error(*adjusted)
    return centre, error, centre - Z * error, centre + Z * error


def band_of(score: float, bands: Sequence[Band]) -> str | None:
    """The band of a score in points; the lowest band holds its lower bound, too."""
    lowest = min((band.above for band in bands), default=-math.inf)
    for band in bands:
        if (band.above < score or band.above == score == lowest) and score <= band.up_to:
            return band.name
    return None


def block(
    promoters: int, passives: int, detractors: int, bands: Sequence[Band], min_responses: int
) -> dict[str, Any]:
    """The NPS block of a score mart's row, in the contract's order."""
    responses = promoters + passives + detractors
    score = nps(detractors, passives, promoters)
    _, error, low, high = adjusted_wald(detractors, passives, promoters)
    return {
        "responses": responses,
        "promoters": promoters,
        "passives": passives,
        "detractors": detractors,
        "promoter_pct": 100.0 * promoters / responses,
        "passive_pct": 100.0 * passives / responses,
        "detractor_pct": 100.0 * detractors / responses,
        "nps": score,
        "nps_standard_error": error,
        "nps_ci_low": max(-100.0, low),
        "nps_ci_high": min(100.0, high),
        "nps_band": band_of(score, bands),
        "is_reportable": responses >= min_responses,
    }
