"""Effects of initiatives computed a second time, answer by answer, in pandas and statsmodels.

Shares no code with the models: it reads answers, not counts, and leaves errors and slopes to
statsmodels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

CONTRIBUTION = {"detractor": -1, "passive": 0, "promoter": 1}
KEYS = {
    "department": "department_id",
    "channel": "channel",
    "site": "site",
    "product_line": "product_line",
    "team": "team",
    "agent": "agent_id",
}
EARLIER = 3
FOREVER = date(9999, 12, 31)


@dataclass(frozen=True)
class Initiative:
    """One of the raw table's rows, under the keys that the facts show."""

    id: str
    scope_type: str
    scope_id: str
    started_on: date | None
    ended_on: date | None = None
    name: str | None = None

    @property
    def is_training(self) -> bool:
        return self.scope_type in ("team", "agent")

    def touched_until(self, days: int) -> date:
        """Last day on which it may move a score."""
        assert self.started_on is not None
        if self.is_training:
            return (self.ended_on or self.started_on) + timedelta(days=days)
        return self.ended_on or FOREVER


@dataclass(frozen=True)
class World:
    """All answers, and what else the models read.

    Attributes:
        answers: a row per answer with keys, `period_date` (dates) and `nps_category`.
        parents: department to the one above it.
        as_of: the day that is not over.
        days: of a window; `least` answers of a group; `controls` of an initiative.
    """

    answers: pd.DataFrame
    parents: Mapping[str, str | None]
    as_of: date
    days: int
    controls: int
    least: int = 30

    def family(self, department: str) -> set[str]:
        """A department and all below it."""
        below = {department}
        for _ in self.parents:
            below |= {each for each, above in self.parents.items() if above in below}
        return below

    def level(self, department: str) -> int:
        above = self.parents[department]
        return 0 if above is None else 1 + self.level(above)

    def of(self, scope_type: str, scope_id: str) -> pd.DataFrame:
        """Answers of a member."""
        if scope_type == "company":
            return self.answers
        column = self.answers[KEYS[scope_type]]
        if scope_type == "department":
            return self.answers[column.isin(self.family(scope_id))]
        return self.answers[column == scope_id]

    def members(self, scope_type: str) -> list[str]:
        if scope_type == "company":
            return []
        if scope_type == "department":
            return sorted(self.parents)
        return sorted(set(self.answers[KEYS[scope_type]]) - {"unknown"})


@dataclass(frozen=True)
class Span:
    """The two windows."""

    days: int
    started_on: date
    after_start: date
    is_over: bool

    def window(self, number: int) -> tuple[date, date]:
        """First and last day: 0 after, -1 before, and so on."""
        first = self.after_start
        if number < 0:
            first = self.started_on + timedelta(days=self.days * number)
        return first, first + timedelta(days=self.days - 1)


def span(world: World, initiative: Initiative) -> Span | None:
    """When an initiative is measured; none where there is nothing to measure."""
    start, end = initiative.started_on, initiative.ended_on
    if start is None:
        return None
    after, planned = start, world.days
    if initiative.is_training:
        if end is not None and end >= start:
            after = end + timedelta(days=1)
    elif end is not None:
        planned = min(planned, (end - start).days + 1)
    whole = (world.as_of - after).days
    days = min(planned, whole, (start - min(world.answers["period_date"])).days)
    return Span(days, start, after, whole >= planned) if days >= 1 else None


def in_window(answers: pd.DataFrame, window: tuple[date, date]) -> np.ndarray:
    """Contributions of the answers in a window."""
    chosen = answers[answers["period_date"].between(*window)]
    return np.asarray(chosen["nps_category"].map(CONTRIBUTION))


def adjusted(values: np.ndarray) -> tuple[float, float]:
    """Middle and standard error of the adjusted Wald interval, by a weighted regression.

    Args:
        values: -1, 0 or 1 of every answer.
    """
    padded = np.concatenate([values, [-1, 0, 1]])
    weights = np.concatenate([np.ones(len(values)), [0.75, 1.5, 0.75]])
    mean = float(np.average(padded, weights=weights))
    variance = float(np.average((padded - mean) ** 2, weights=weights))
    return 100 * mean, 100 * float(np.sqrt(variance / weights.sum()))


def slope(answers: pd.DataFrame, of: Span) -> tuple[float, float, int] | None:
    """Level, slope (points a window) and number of the answers of the earlier windows."""
    xs, ys = [], []
    for number in range(-1 - EARLIER, -1):
        values = in_window(answers, of.window(number))
        xs += [number] * len(values)
        ys += list(100 * values)
    if not xs:
        return None
    fitted = np.nan if len(set(xs)) < 2 else float(sm.OLS(ys, sm.add_constant(xs)).fit().params[1])
    return float(np.mean(ys)), fitted, len(xs)


def barred(
    world: World, initiative: Initiative, others: Sequence[Initiative], of: Span
) -> set[str]:
    """Members that an initiative touches between the first day before and the last one after."""
    found = set()
    for other in others:
        if other.started_on is None:
            continue
        if (
            other.started_on <= of.window(0)[1]
            and other.touched_until(world.days) >= of.window(-1)[0]
        ):
            found |= touched(world, other, initiative.scope_type)
    return found


def touched(world: World, initiative: Initiative, scope_type: str) -> set[str]:
    """Members of a scope that an initiative touches."""
    own = initiative.scope_type, scope_type
    if own[0] == own[1]:
        if own[0] != "department" or initiative.scope_id not in world.parents:
            return {initiative.scope_id}
        above = {each for each in world.parents if initiative.scope_id in world.family(each)}
        return world.family(initiative.scope_id) | above
    if own not in {("department", "team"), ("department", "agent"), ("team", "agent")}:
        return set()
    if own[0] == "department" and initiative.scope_id not in world.parents:
        return set()
    # Teams and agents most of whose answers are in it.
    everywhere = world.answers[KEYS[scope_type]].value_counts()
    inside = world.of(*own[:1], initiative.scope_id)[KEYS[scope_type]].value_counts()
    return {str(each) for each in inside.index if 2 * inside[each] > everywhere[each]} - {"unknown"}


def controls(world: World, initiative: Initiative, others: Sequence[Initiative]) -> list[str]:
    """The control members, the most alike first."""
    of = span(world, initiative)
    if of is None or initiative.scope_type == "company":
        return []
    own = slope(world.of(initiative.scope_type, initiative.scope_id), of)
    excluded = barred(world, initiative, others, of)
    ranked = []
    for member in world.members(initiative.scope_type):
        answers = world.of(initiative.scope_type, member)
        theirs = slope(answers, of)
        if own is None or theirs is None or member in excluded or theirs[2] < world.least:
            continue
        if not all(len(in_window(answers, of.window(number))) for number in (-1, 0)):
            continue
        if initiative.scope_type == "department" and world.level(member) != world.level(
            initiative.scope_id
        ):
            continue
        trend = theirs[1] - own[1]
        distance = np.hypot(theirs[0] - own[0], 0 if np.isnan(trend) else trend)
        ranked.append((round(float(distance), 9), member))
    return [member for _, member in sorted(ranked)[: world.controls]]


def effect(world: World, initiative: Initiative, others: Sequence[Initiative]) -> dict[str, Any]:
    """What initiative_effects says of all answers, as far as it is numbers."""
    of = span(world, initiative)
    if of is None:
        return {}
    treated = world.of(initiative.scope_type, initiative.scope_id)
    names = controls(world, initiative, others)
    control = pd.concat([treated.iloc[:0], *(world.of(initiative.scope_type, n) for n in names)])
    four = {
        "before": in_window(treated, of.window(-1)),
        "after": in_window(treated, of.window(0)),
        "control_before": in_window(control, of.window(-1)),
        "control_after": in_window(control, of.window(0)),
    }
    found: dict[str, Any] = {
        "window_days": of.days,
        "is_window_over": of.is_over,
        "controls": ", ".join(names) or None,
    }
    for side, values in four.items():
        found[f"{side}_responses"] = len(values)
        found[f"{side}_nps"] = 100 * float(values.mean()) if len(values) else None
    if len(four["before"]) and len(four["after"]):
        found |= mix(treated, of)
    if all(len(values) for values in four.values()):
        found |= difference_in_differences(four)
    return found | parallel(world, treated, control, of)


def difference_in_differences(four: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Interaction of a regression on side, time and both; HC0 errors of adjusted counts."""
    middles = {side: adjusted(values) for side, values in four.items()}
    raw = {side: 100 * float(values.mean()) for side, values in four.items()}
    padded, design = [], []
    for side, values in four.items():
        treated, after = not side.startswith("control"), side.endswith("after")
        row = [1, int(treated), int(after), int(treated and after)]
        for value, added in ((-1, 0.75), (0, 1.5), (1, 0.75)):
            # In quarters of an answer, so that the three that are added stay whole.
            times = round(4 * (int((values == value).sum()) + added))
            padded += [100 * value] * times
            design += [row] * times
    fitted = sm.OLS(np.array(padded, dtype=float), np.array(design, dtype=float)).fit(
        cov_type="HC0"
    )
    error = 2 * float(fitted.bse[3])
    middle = float(fitted.params[3])
    own = middles["after"][0] - middles["before"][0]
    theirs = middles["control_after"][0] - middles["control_before"][0]
    assert np.isclose(middle, own - theirs)
    half = float(stats.norm.ppf(0.975)) * error
    return {
        "difference_in_differences": (raw["after"] - raw["before"])
        - (raw["control_after"] - raw["control_before"]),
        "did_standard_error": error,
        "did_ci_low": middle - half,
        "did_ci_high": middle + half,
        "did_p_value": float(2 * stats.norm.sf(abs(middle / error))),
    }


def parallel(
    world: World, treated: pd.DataFrame, control: pd.DataFrame, of: Span
) -> dict[str, Any]:
    """Slope of the differences before, by statsmodels' weighted least squares of known errors."""
    xs, ys, errors = [], [], []
    for number in range(-1 - EARLIER, 0):
        sides = [in_window(answers, of.window(number)) for answers in (treated, control)]
        if min(len(side) for side in sides) >= world.least:
            (own, own_error), (theirs, their_error) = (adjusted(side) for side in sides)
            xs.append(number)
            ys.append(own - theirs)
            errors.append(np.hypot(own_error, their_error))
    found: dict[str, Any] = {"history_windows": len(xs) or None}
    if len(xs) < 2:
        return found | {"trend_difference": None, "trend_p_value": None}
    model = sm.WLS(ys, sm.add_constant(xs), weights=1 / np.array(errors) ** 2).fit(
        cov_type="fixed scale"
    )
    return found | {
        "trend_difference": float(model.params[1]),
        "trend_standard_error": float(model.bse[1]),
        "trend_p_value": float(model.pvalues[1]),
    }


def mix(treated: pd.DataFrame, of: Span) -> dict[str, float]:
    """Kitagawa's rate and mix over reason and channel."""
    keys = ["contact_reason", "channel"]
    sides = []
    for number in (-1, 0):
        chosen = treated[treated["period_date"].between(*of.window(number))]
        value = chosen["nps_category"].map(CONTRIBUTION)
        sides.append((chosen, value, adjusted(value.to_numpy())[1] ** 2 * (len(chosen) + 3)))
    strata = sorted(
        {key for chosen, *_ in sides for key in zip(*(chosen[k] for k in keys), strict=True)}
    )
    rate = moved = variance = 0.0
    for stratum in strata:
        share: list[float] = []
        score: list[float | None] = []
        each: list[float] = []
        for chosen, value, of_one in sides:
            here = (chosen[keys[0]] == stratum[0]) & (chosen[keys[1]] == stratum[1])
            share.append(here.mean())
            score.append(100 * value[here].mean() if here.any() else None)
            each += [of_one / here.sum()] if here.any() else []
        known = [s for s in score if s is not None]
        both = [known[0], known[-1]]
        moved += (share[1] - share[0]) * sum(both) / 2
        rate += (both[1] - both[0]) * sum(share) / 2
        if len(known) == 2:
            variance += (sum(share) / 2) ** 2 * sum(each)
    half = float(stats.norm.ppf(0.975)) * float(np.sqrt(variance))
    return {
        "mix_adjusted_change": rate,
        "mix_effect": moved,
        "mix_adjusted_ci_low": rate - half,
        "mix_adjusted_ci_high": rate + half,
    }
