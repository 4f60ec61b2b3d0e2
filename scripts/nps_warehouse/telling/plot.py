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

    Colours are left to the page's style, by Vega's classes.

    Args:
        months: one or more, the oldest first.
    """
    # It takes a second to import.
    import vl_convert

    rows = [
        {
            "month": f"{month.start:%Y-%m-%d}",
            "nps": month.nps,
            "low": month.ci_low,
            "high": month.ci_high,
            "stretch": stretch,
            "whole": month.is_complete and month.is_reportable,
        }
        for month, stretch in zip(months, _stretches(months), strict=True)
    ]
    axis = {"format": "%b %y", "labelAngle": 0, "labelOverlap": True, "grid": False}
    score = {"y": {"field": "nps", "type": "quantitative"}}
    interval = {
        "y": {"field": "low", "type": "quantitative", "title": "NPS, points"},
        "y2": {"field": "high"},
    }
    stretches = {**score, "detail": {"field": "stretch", "type": "nominal"}}
    spec = {
        "width": WIDTH,
        "height": HEIGHT,
        "background": None,
        "config": {"axis": {"labelFontSize": LETTERS, "titleFontSize": LETTERS}},
        "data": {"values": rows},
        "encoding": {"x": {"field": "month", "type": "temporal", "title": None, "axis": axis}},
        # The page gives each layer its colours, by its number.
        "layer": [
            {"mark": {"type": "rule"}, "encoding": {"x": None, "y": {"datum": 0}}},
            {"mark": {"type": "rule", "strokeWidth": 5}, "encoding": interval},
            {"mark": "line", "encoding": stretches},
            {
                "transform": [{"filter": "datum.whole"}],
                "mark": {"type": "circle", "size": 45},
                "encoding": score,
            },
            {
                "transform": [{"filter": "!datum.whole"}],
                "mark": {"type": "point", "size": 45},
                "encoding": score,
            },
        ],
    }
    svg: str = vl_convert.vegalite_to_svg(spec)
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


def _stretches(months: Sequence[Month]) -> list[int]:
    """A number for each stretch of months without a gap: the line does not cross one."""
    stretches: list[int] = []
    before: int | None = None
    for month in months:
        number = month.start.year * 12 + month.start.month
        last = stretches[-1] if stretches else 0
        stretches.append(last if before is None or number == before + 1 else last + 1)
        before = number
    return stretches


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
