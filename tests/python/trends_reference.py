"""Trends, control charts, baselines and years a second time: pandas, scipy and statsmodels.

Written from the statistics' formulas; shares no SQL with the models. Scores are in points.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

SCOPES: Mapping[str, str | None] = {
    "company": None,
    "department": "department_id",
    "site": "site",
    "channel": "channel",
    "product_line": "product_line",
    "segment": "segment",
    "agent": "agent_id",
}
COUNTS = ["responses", "promoters", "passives", "detractors"]
MEMBER = ["scope_type", "scope_id", "survey_type"]
PERIOD = [*MEMBER, "period_type", "period_start"]
FREQUENCIES = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}
Z = stats.norm.ppf(0.975)

Frame = Any  # pandas ships no types


@dataclass(frozen=True)
class Settings:
    """What the business decides.

    Args:
        as_of: the date of "now".
        first_response: date of the first answer.
        min_responses: answers a side of a comparison needs.
        chart_days: charted days of a baseline that is not declared.
        weight: of the newest point of an EWMA.
        declared: baselines by scope type, member and survey type (`*` for each).
        changes: dates on which a definition changed, and what changed.
    """

    as_of: dt.date
    first_response: dt.date
    min_responses: int = 30
    chart_days: int = 90
    weight: float = 0.2
    declared: Mapping[tuple[str, str, str], tuple[dt.date, dt.date]] | None = None
    changes: Sequence[tuple[dt.date, str]] = ()


# --- counts and scores ------------------------------------------------------------------------


def day_counts(answers: Frame) -> Frame:
    """Counts of each member, survey type and day.

    Args:
        answers: a row per answer with the scopes' keys, survey_type, period_date and
            nps_contribution (1, 0, -1).
    """
    parts = []
    for scope, key in SCOPES.items():
        for pooled in (False, True):
            rows = pd.DataFrame({
                "scope_type": scope,
                "scope_id": answers[key] if key else "all",
                "survey_type": "all" if pooled else answers["survey_type"],
                "period_start": pd.to_datetime(answers["period_date"]),
                "promoters": (answers["nps_contribution"] == 1).astype(int),
                "passives": (answers["nps_contribution"] == 0).astype(int),
                "detractors": (answers["nps_contribution"] == -1).astype(int),
            })  # fmt: skip
            parts.append(rows)
    days = pd.concat(parts).groupby([*MEMBER, "period_start"], as_index=False).sum()
    days["responses"] = days[["promoters", "passives", "detractors"]].sum(axis=1)
    return days


def scored(counts: Frame, settings: Settings) -> Frame:
    """Counts with the score, its adjusted centre and standard error, and the interval."""
    n = counts["responses"].astype(float)
    counts = counts.assign(nps=100 * (counts["promoters"] - counts["detractors"]) / n)
    p = (counts["promoters"] + 0.75) / (n + 3)
    d = (counts["detractors"] + 0.75) / (n + 3)
    error = np.sqrt((p + d - (p - d) ** 2) / (n + 3))
    counts["centre"] = 100 * (p - d)
    counts["nps_standard_error"] = 100 * error
    counts["nps_ci_low"] = np.maximum(counts["centre"] - Z * 100 * error, -100)
    counts["nps_ci_high"] = np.minimum(counts["centre"] + Z * 100 * error, 100)
    counts["is_reportable"] = counts["responses"] >= settings.min_responses
    return counts


def period_scores(answers: Frame, settings: Settings) -> Frame:
    """A row per member, survey type and period with answers."""
    days = day_counts(answers)
    parts = []
    for name, frequency in FREQUENCIES.items():
        periods = days["period_start"].dt.to_period(frequency)
        part = days.assign(
            period_type=name,
            period_start=periods.dt.start_time,
            period_end=periods.dt.end_time.dt.normalize(),
        )
        parts.append(part)
    parts.append(
        days.assign(
            period_type="all",
            period_start=pd.Timestamp(settings.first_response),
            period_end=pd.to_datetime(answers["response_date"]).max(),
        )
    )
    counts = pd.concat(parts).groupby([*PERIOD, "period_end"], as_index=False)[COUNTS].sum()
    counts["is_complete"] = counts["period_end"] < pd.Timestamp(settings.as_of)
    return scored(counts, settings)


# --- comparisons ------------------------------------------------------------------------------


def earlier_start(period_type: str, start: pd.Timestamp) -> Any:
    """First date of the same period of the year before, or NaT."""
    if period_type == "day":
        return start - pd.Timedelta(days=364)
    if period_type == "week":
        year, week, _ = start.isocalendar()
        try:
            return pd.Timestamp(dt.date.fromisocalendar(year - 1, week, 1))
        except ValueError:
            return pd.NaT
    return pd.NaT if period_type == "all" else start - pd.DateOffset(years=1)


def previous_start(period_type: str, start: pd.Timestamp) -> Any:
    """First date of the period directly before, or NaT."""
    if period_type == "all":
        return pd.NaT
    return (start.to_period(FREQUENCIES[period_type]) - 1).start_time


def compared(rows: Frame, other: Frame, on: Sequence[str], sets: Sequence[str]) -> Frame:
    """The rows, each with the change from another row, its p-values and verdict.

    Args:
        rows: scored rows; those that may not be tested have is_excluded.
        other: scored rows to compare with, one per key.
        on: the key.
        sets: columns that make a set of comparisons made at once.
    """
    kept = [*on, "responses", "nps", "centre", "nps_standard_error"]
    kept += ["is_complete", "is_reportable"]
    both = rows.merge(other[kept], on=list(on), how="left", suffixes=("", "_other"))
    both["nps_change"] = both["nps"] - both["nps_other"]
    error = np.hypot(both["nps_standard_error"], both["nps_standard_error_other"])
    moved = both["centre"] - both["centre_other"]
    both["nps_change_standard_error"] = error
    both["nps_change_ci_low"] = moved - Z * error
    both["nps_change_ci_high"] = moved + Z * error
    both["z_value"] = moved / error
    both["p_value"] = 2 * stats.norm.sf(both["z_value"].abs())
    tested = both["nps_other"].notna() & both["is_reportable"] & both["is_complete"]
    for flag in ("is_reportable_other", "is_complete_other"):
        tested &= both[flag].eq(True)
    if "is_excluded" in both:
        tested &= ~both["is_excluded"]
    both["adjusted_p_value"] = np.nan
    for index in both[tested].groupby(list(sets)).groups.values():
        both.loc[index, "adjusted_p_value"] = multipletests(
            both.loc[index, "p_value"], method="fdr_bh"
        )[1]
    found = tested & (both["adjusted_p_value"] < 0.05)
    agree = np.sign(both["z_value"]) == np.sign(both["nps_change"])
    both["verdict"] = np.where(
        found & agree & (both["nps_change"] > 0),
        "up",
        np.where(found & agree & (both["nps_change"] < 0), "down", "no evidence"),
    )
    both.loc[both["nps_other"].isna(), "verdict"] = None
    return both


CHANGE = ["nps_change", "nps_change_standard_error", "nps_change_ci_low", "nps_change_ci_high"]
CHANGE += ["z_value", "p_value", "adjusted_p_value", "verdict"]


def trends(scores: Frame) -> Frame:
    """The comparisons of nps_trends: with the period before and that of the year before."""
    found = scores
    for name, prefix, start in (
        ("previous", "", previous_start),
        ("previous_year", "year_", earlier_start),
    ):
        periods = scores[["period_type", "period_start"]].drop_duplicates()
        periods["other_start"] = pd.to_datetime(
            pd.Series(
                [start(kind, first) for kind, first in periods.itertuples(index=False)],
                index=periods.index,
            )
        )
        key = [*MEMBER, "period_type", "other_start"]
        both = compared(
            scores.merge(periods, on=["period_type", "period_start"]),
            scores.rename(columns={"period_start": "other_start"}),
            key,
            ["scope_type", "survey_type", "period_type", "period_start"],
        )
        both[f"{name}_start"] = both["other_start"].where(both["nps_other"].notna())
        both[f"{name}_responses"] = both["responses_other"]
        both[f"{name}_nps"] = both["nps_other"]
        names = {column: prefix + column for column in CHANGE}
        shown = [f"{name}_start", f"{name}_responses", f"{name}_nps", *names.values()]
        both = both.rename(columns=names)
        found = found.merge(both[[*PERIOD, *shown]], on=PERIOD)
    return found


def rolling(scores: Frame, length: int, settings: Settings) -> Frame:
    """Scores of a month and the calendar months before it, of months with answers."""
    months = scores[scores["period_type"] == "month"]
    parts = []
    for key, rows in months.groupby(MEMBER):
        by_month = rows.set_index(rows["period_start"].dt.to_period("M"))[COUNTS]
        span = pd.period_range(by_month.index.min(), by_month.index.max(), freq="M")
        filled = by_month.reindex(span)
        sums = filled.fillna(0).rolling(length, min_periods=1).sum()
        sums["months_with_answers"] = (
            filled["responses"].notna().rolling(length, min_periods=1).sum()
        )
        sums = sums.loc[by_month.index]
        sums["period_start"] = sums.index.start_time
        parts.append(sums.assign(**dict(zip(MEMBER, key, strict=True))))
    return scored(pd.concat(parts, ignore_index=True), settings)


# --- baselines --------------------------------------------------------------------------------


def usual_window(scores: Frame) -> tuple[Any, Any]:
    """The first calendar year, else quarter, with answers in all of its months, once over."""
    months = scores[
        (scores["scope_type"] == "company")
        & (scores["survey_type"] == "all")
        & (scores["period_type"] == "month")
        & scores["is_complete"]
    ]["period_start"]
    for frequency, length in (("Y", 12), ("Q", 3)):
        sizes = months.groupby(months.dt.to_period(frequency)).size()
        full = sorted(sizes[sizes == length].index)
        if full:
            return full[0].start_time, full[0].end_time.normalize()
    return pd.NaT, pd.NaT


def declared_window(member: tuple[str, str, str], settings: Settings) -> Any:
    """The declared window of a member, of the narrowest row that names it; else None."""
    scope, scope_id, survey_type = member
    for name in (scope_id, "*"):
        for kind in (survey_type, "*"):
            window = (settings.declared or {}).get((scope, name, kind))
            if window:
                return tuple(pd.Timestamp(date) for date in window)
    return None


def baselines(scores: Frame, settings: Settings) -> Frame:
    """The comparisons of nps_baselines."""
    days = scores[scores["period_type"] == "day"]
    usual = usual_window(scores)
    frozen = []
    for member, rows in days.groupby(MEMBER):
        first, last = declared_window(member, settings) or usual
        inside = rows[(rows["period_start"] >= first) & (rows["period_start"] <= last)]
        frozen.append({
            **dict(zip(MEMBER, member, strict=True)),
            **{count: inside[count].sum() for count in COUNTS},
            "baseline_start": first,
            "baseline_end": last,
            "is_complete": last < pd.Timestamp(settings.as_of),
        })  # fmt: skip
    base = scored(pd.DataFrame(frozen), settings)
    rows = scores.merge(base[[*MEMBER, "baseline_start", "baseline_end"]], on=MEMBER)
    rows["is_in_baseline"] = (rows["period_start"] <= rows["baseline_end"]) & (
        rows["period_end"] >= rows["baseline_start"]
    )
    base = base[base["responses"] > 0]
    apart = rows.assign(joins=~rows["is_in_baseline"])
    both = compared(
        apart, base.assign(joins=True), [*MEMBER, "joins"], ["scope_type", "survey_type",
        "period_type", "period_start"],
    )  # fmt: skip
    shown = base.rename(
        columns={
            name: f"baseline_{name}"
            for name in [*COUNTS, "nps", "nps_standard_error", "nps_ci_low", "nps_ci_high"]
        }
    )
    columns = [name for name in shown if name.startswith("baseline_")]
    columns = [name for name in columns if name not in ("baseline_start", "baseline_end")]
    return both.merge(shown[[*MEMBER, *columns]], on=MEMBER, how="left")


# --- years ------------------------------------------------------------------------------------


def years(scores: Frame, settings: Settings) -> Frame:
    """The comparisons of nps_multi_year."""
    rows = scores[scores["period_type"] == "year"].reset_index(drop=True)
    found = rows
    first_start = rows.groupby(MEMBER)["period_start"].transform("min")
    begins = pd.Timestamp(settings.first_response)
    for name, prefix, others in (
        ("year_before", "", rows["period_start"] - pd.DateOffset(years=1)),
        ("first_year", "first_year_", first_start.where(first_start < rows["period_start"])),
    ):
        known = set(zip(*(rows[column] for column in MEMBER), rows["period_start"], strict=True))
        reasons: list[str | None] = []
        for i, other in enumerate(others):
            row = rows.loc[i]
            if (*row[MEMBER], other) not in known:
                when = "the year before" if name == "year_before" else "an earlier year"
                reasons.append(f"no answers in {when}")
            elif not row["is_complete"]:
                reasons.append("the year is not over")
            elif other.year == begins.year and begins.month > 1:
                reasons.append("the answers begin within the earlier year")
            else:
                broken = [
                    what
                    for date, what in sorted(settings.changes)
                    if other < pd.Timestamp(date) <= row["period_end"]
                ]
                reasons.append(f"the definition changed: {broken[0]}" if broken else None)
        excluded = [reason is not None for reason in reasons]
        both = compared(
            rows.assign(other_start=others, reason=reasons, is_excluded=excluded),
            rows.rename(columns={"period_start": "other_start"}),
            [*MEMBER, "other_start"],
            ["scope_type", "survey_type", "period_start"],
        )
        both[f"{name}_start"] = both["other_start"].where(both["nps_other"].notna())
        both[f"{name}_responses"] = both["responses_other"]
        both[f"{name}_nps"] = both["nps_other"]
        both[f"is_{prefix}comparable"] = both["reason"].isna()
        names = {column: prefix + column for column in CHANGE}
        names["reason"] = f"{prefix}not_comparable_because"
        shown = [f"{name}_start", f"{name}_responses", f"{name}_nps", f"is_{prefix}comparable"]
        both = both.rename(columns=names)
        found = found.merge(both[[*PERIOD, *shown, *names.values()]], on=PERIOD)
    return found


# --- control charts ---------------------------------------------------------------------------


def chart(days: Frame, window: Any, settings: Settings) -> Frame:
    """One member's days in order, each with its limits, charts and signals.

    Args:
        days: its days with answers, in order.
        window: first and last date of its declared baseline, or None.
        settings: what the business decides.
    """
    days = days.reset_index(drop=True)
    if window:
        inside = days[(days["period_start"] >= window[0]) & (days["period_start"] <= window[1])]
        is_enough = inside["responses"].sum() >= settings.min_responses
    else:
        inside = days[: settings.chart_days]
        is_enough = len(inside) == settings.chart_days
        window = (inside["period_start"].min(), inside["period_start"].max())
    n = inside["responses"].sum()
    out: list[dict[str, Any]] = []
    if is_enough:
        up, down = inside["promoters"].sum() / n, inside["detractors"].sum() / n
        variance = up + down - (up - down) ** 2
        is_enough = variance > 1e-12
    if is_enough:
        centre = up - down
        scatter = np.sqrt(down * (1 - down) / inside["responses"]) if 0 < down < 1 else np.nan
        shares = (inside["detractors"] / inside["responses"] - down) / scatter
        sigma_z = shares.diff().abs().mean() / 1.128
        factor = sigma_z if sigma_z > 1.2 else 1.0
        judged = days[(days["period_start"] > window[1]) & days["is_complete"]]
        above = below = 0.0
        run = None
        # Points older than the last 200 are left out of the EWMA.
        weights = settings.weight * (1 - settings.weight) ** np.arange(200)
        points: list[float] = []
        for place, row in enumerate(judged.to_dict("records"), 1):
            size = row["responses"]
            mean = (row["promoters"] - row["detractors"]) / size
            share = row["detractors"] / size
            x = (mean - centre) / math.sqrt(variance / size)
            points = [*points, x][-200:]
            ewma = float(np.dot(weights[: len(points)], points[::-1]))
            w = settings.weight
            limit = 3 * math.sqrt(w / (2 - w) * (1 - (1 - w) ** (2 * place)))
            above, below = max(0.0, above + x - 0.5), max(0.0, below - x - 0.5)
            reach = 3 * math.sqrt(variance / size)
            wide = 3 * factor * math.sqrt(down * (1 - down) / size)
            has_share = 0 < down < 1
            kinds = {
                "shewhart": (mean > centre + reach, mean < centre - reach),
                "p_prime": (
                    has_share and share < down - wide,
                    has_share and share > down + wide,
                ),
                "ewma": (ewma > limit, ewma < -limit),
                "cusum": (above > 5 and (below <= 5 or ewma > 0), below > 5),
            }
            signals = {
                kind: "up" if rises else "down" if falls else None
                for kind, (rises, falls) in kinds.items()
            }
            kind = next((kind for kind, way in signals.items() if way), None)
            way = signals[kind] if kind else None
            if way is None:
                run = None
            elif run is None or run[0] != way:
                run = (way, row["period_start"], kind)
            out.append({
                "charted_on": row["period_start"],
                "shewhart_low": 100 * max(-1, centre - reach),
                "shewhart_high": 100 * min(1, centre + reach),
                "p_prime_low": 100 * max(0, down - wide) if has_share else None,
                "p_prime_high": 100 * min(1, down + wide) if has_share else None,
                "standardized_nps": x, "ewma": ewma, "ewma_limit": limit,
                "cusum_up": above, "cusum_down": below,
                **{f"{name}_signal": signal for name, signal in signals.items()},
                "signal_kind": kind, "signal_direction": way,
                "signal_started_on": run[1] if run else pd.NaT,
                "signal_started_by": run[2] if run else None,
                "is_judged": True,
            })  # fmt: skip
        days = days.assign(
            baseline_start=window[0], baseline_end=window[1], center=100 * centre,
            detractor_pct_center=100 * down, sigma_z=sigma_z, variance=variance,
        )  # fmt: skip
    found = days.rename(columns={"period_start": "charted_on"})
    columns = list(out[0]) if out else ["charted_on", "is_judged", "signal_kind"]
    found = found.merge(pd.DataFrame(out, columns=columns), on="charted_on", how="left")
    return found.assign(is_judged=found["is_judged"].eq(True))


def charts(scores: Frame, settings: Settings) -> Frame:
    """The rows of nps_control_charts."""
    days = scores[scores["period_type"] == "day"].sort_values("period_start")
    return pd.concat(
        [chart(rows, declared_window(member, settings), settings)
         for member, rows in days.groupby(MEMBER)],
        ignore_index=True,
    )  # fmt: skip
