"""The company's score of the last months as a picture: an SVG that needs nothing from outside."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nps_warehouse.summary import shown
from nps_warehouse.telling.figures import Month

WIDTH, HEIGHT = 480, 240
"""Pixels; the page scales it."""

LETTERS = 14
"""Pixels: on a telephone, where the picture is scaled to two thirds, they can still be read."""


def plot(months: Sequence[Month]) -> str:
    """An SVG of scores with their intervals; months without answers are gaps.

    Colours are left to the page's style, by the classes `band`, `score`, `open` and Vega's own.

    Args:
        months: one or more, the oldest first.
    """
    # Both take a second to import.
    import altair as alt
    import vl_convert

    runs = _runs(months)
    rows = [
        {
            "month": f"{month.start:%Y-%m-%d}",
            "nps": month.nps,
            "low": month.ci_low,
            "high": month.ci_high,
            "run": run,
            "kind": "whole" if month.is_complete and month.is_reportable else "open",
        }
        for month, run in zip(months, runs, strict=True)
    ]
    chart = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X(
            "month:T",
            title=None,
            axis=alt.Axis(format="%b %y", labelAngle=0, labelOverlap=True, grid=False),
        )
    )
    layers = alt.layer(
        alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule().encode(y="zero:Q"),
        chart.mark_rule(strokeWidth=5).encode(
            y=alt.Y("low:Q", title="NPS, points"), y2="high:Q"
        ),
        chart.mark_line().encode(y="nps:Q", detail="run:N"),
        chart.transform_filter("datum.kind == 'whole'").mark_circle(size=45).encode(y="nps:Q"),
        chart.transform_filter("datum.kind == 'open'").mark_point(size=45).encode(y="nps:Q"),
    ).properties(width=WIDTH, height=HEIGHT, background=None)
    sized = layers.configure_axis(labelFontSize=LETTERS, titleFontSize=LETTERS)
    svg: str = vl_convert.vegalite_to_svg(sized.to_dict())
    return _for_a_page(svg, alternative(months))


def alternative(months: Sequence[Month]) -> str:
    """What the picture shows, in words.

    Args:
        months: one or more, the oldest first.
    """
    best = max(months, key=lambda month: (month.nps, month.start))
    worst = min(months, key=lambda month: (month.nps, month.start))
    last = months[-1]
    return (
        f"NPS by month from {months[0].start:%B %Y} to {last.start:%B %Y}, with its 95 % interval. "
        f"Lowest {shown(worst.nps)} in {worst.start:%B %Y}, highest {shown(best.nps)} in "
        f"{best.start:%B %Y}, last {shown(last.nps)} ({shown(last.ci_low)} to "
        f"{shown(last.ci_high)}){'' if last.is_complete else ', a month that is not over'}."
    )


def _runs(months: Sequence[Month]) -> list[int]:
    """A number for each stretch of months without a gap: the line does not cross one."""
    runs: list[int] = []
    before: int | None = None
    for month in months:
        number = month.start.year * 12 + month.start.month
        last = runs[-1] if runs else 0
        runs.append(last if before is None or number == before + 1 else last + 1)
        before = number
    return runs


def _for_a_page(svg: str, words: str) -> str:
    """The picture as a part of a page: it scales, and has its alternative in words."""
    from markupsafe import escape

    start, end = re.match(r"\s*<svg\b[^>]*>", svg), "</svg>"
    if start is None or end not in svg:
        raise ValueError("the plot is no SVG")
    box = re.search(r'viewBox="[^"]*"', start.group())
    frame = box.group() if box else f'viewBox="0 0 {WIDTH} {HEIGHT}"'
    inside = svg[start.end() : svg.rindex(end)]
    # The page's own letters, and its colours by class: what is said here is said there.
    inside = re.sub(r'\s(?:font-family|fill|stroke|aria-[a-z]+|role)="[^"]*"', _kept, inside)
    return f'<svg class="plot" role="img" aria-label="{escape(words)}" {frame}>{inside}</svg>'


def _kept(attribute: re.Match[str]) -> str:
    # No colour is one: an outline must not be filled.
    return attribute.group() if attribute.group().endswith(('="none"', '="transparent"')) else ""
