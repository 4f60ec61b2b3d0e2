"""Charts as drawings inside the page: Vega-Altair draws, the page's style colours, a text tells.

A chart is SVG without style, script or reference. Its colours are those of the palette, word for
word, so that the page's style can exchange each for the one of a dark screen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

import altair as alt
import vl_convert
from markupsafe import Markup

from nps_warehouse.report.figures import Row
from nps_warehouse.report.formats import Formats

WIDTH = 380
"""Width of a plot in its own units: wide enough for two years, readable at 320 pixels."""

PALETTE = {
    "ink": ("#1c2431", "#e9eef4"),
    "muted": ("#566070", "#aab5c3"),
    "grid": ("#dce2e9", "#333d4a"),
    "line": ("#1d5fa6", "#82b8f4"),
    "band": ("#c9dcf1", "#27456a"),
    "other": ("#b45309", "#f0a35e"),
    "few": ("#7a8696", "#8f9bab"),
    "paper": ("#fffffe", "#171d26"),
}
"""Colours on light and on dark; on `paper` those of text have 4.5 to 1, those of marks 3 to 1."""

LABEL_ROOM = 30
MOST_EFFECTS = 8
"""Departments in the chart of effects; the table beside it has all."""

SAFE_TAGS = frozenset({"svg", "g", "path", "line", "text", "tspan", "rect", "defs", "clipPath"})
SAFE_REFERENCE = re.compile(r"url\(#[\w-]+\)")
DROPPED = frozenset(
    {"class", "pointer-events", "aria-hidden", "aria-roledescription", "role", "version", "opacity"}
)


class UnsafeDrawingError(Exception):
    """A drawing has something in it that a page must not carry."""


@dataclass(frozen=True)
class Chart:
    """A drawing with its text alternative.

    Attributes:
        svg: the drawing; it names its title and description itself.
        description: what it shows, in words.
    """

    svg: Markup
    description: str


def light(name: str) -> str:
    """A colour of the palette, as charts are drawn.

    Args:
        name: a key of PALETTE.
    """
    return PALETTE[name][0]


def palette_css() -> str:
    """Style that gives drawings the page's colours, light or dark."""
    return "\n".join(
        f'svg [fill="{light(name)}"] {{ fill: var(--{name}); }}\n'
        f'svg [stroke="{light(name)}"] {{ stroke: var(--{name}); }}'
        for name in PALETTE
    )


def variables_css(dark: bool) -> str:
    """The palette as variables of style.

    Args:
        dark: whether for a dark screen.
    """
    return " ".join(f"--{name}: {colours[dark]};" for name, colours in PALETTE.items())


def inline(svg: str, key: str, title: str, description: str) -> Markup:
    """A drawing of Vega as a part of a page.

    Args:
        svg: what Vega drew.
        key: what no other drawing of the page is called.
        title: its name.
        description: its text alternative.

    Raises:
        UnsafeDrawingError: it would run something or ask for something.
    """
    root = ET.fromstring(svg)
    for parent in list(root.iter()):
        for child in list(parent):
            # Vega leaves frames without an outline.
            outline = child.get("d") if child.tag.rpartition("}")[2] == "path" else None
            if outline in ("", "M0,0h0v0h0Z"):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        if element.tag not in SAFE_TAGS:
            raise UnsafeDrawingError(f"a drawing has an element {element.tag}")
        for name, value in list(element.attrib.items()):
            if name.startswith(("on", "{")) or name in ("href", "style"):
                raise UnsafeDrawingError(f"a drawing has an attribute {name}")
            if "url(" in value and not SAFE_REFERENCE.fullmatch(value):
                raise UnsafeDrawingError(f"a drawing refers to {value}")
            if name == "opacity" and value != "1":
                continue
            if name in DROPPED:
                del element.attrib[name]
            elif name == "id":
                element.set(name, f"{key}-{value}")
            elif "url(#" in value:
                element.set(name, value.replace("url(#", f"url(#{key}-"))
    box = root.attrib["viewBox"]
    root.attrib.clear()
    root.attrib.update(
        {"viewBox": box, "role": "img", "aria-labelledby": f"{key}-title {key}-description"}
    )
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        name = "title" if tag == "title" else "description"
        element = ET.Element(tag, {"id": f"{key}-{name}"})
        element.text = text
        root.insert(place, element)
    return Markup(ET.tostring(root, encoding="unicode"))


def _drawn(
    chart: alt.LayerChart | alt.FacetChart | alt.Chart,
    key: str,
    title: str,
    description: str,
    left: int = 5,
) -> Chart:
    axis: dict[str, Any] = {
        "labelColor": light("muted"),
        "titleColor": light("muted"),
        "domainColor": light("grid"),
        "tickColor": light("grid"),
        "gridColor": light("grid"),
        "labelFontSize": 13,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "labelLimit": 150,
    }
    whole = chart.configure(
        aria=False,
        background="transparent",
        font="sans-serif",
        axis=alt.AxisConfig(**axis),
        view=alt.ViewConfig(stroke=None),
        legend=alt.LegendConfig(
            labelColor=light("ink"),
            labelFontSize=13,
            orient="top",
            title=None,
            symbolSize=120,
            columnPadding=40,
        ),
        # A browser's letters are wider than those that the drawing was measured with.
        padding={"left": left, "right": 8, "top": 8, "bottom": 5},
    )
    svg = vl_convert.vegalite_to_svg(whole.to_json(validate=False))
    return Chart(inline(svg, key, title, description), description)


def _data(rows: Sequence[Row]) -> alt.InlineData:
    return alt.InlineData(values=list(rows))


def _described(rows: Sequence[Row], formats: Formats, period_type: str) -> str:
    """A trend in words: from where to where, its lowest and highest."""
    known = [row for row in rows if row["responses"]]
    if not known:
        return "No answers."

    def said(row: Row) -> str:
        name = formats.period(period_type, row["period_start"], row["period_end"])
        few = "" if row["is_reportable"] else ", too few answers to report"
        return (
            f"{formats.points(row['nps'])} in {name} (95 % interval "
            f"{formats.points(row['nps_ci_low'])} to {formats.points(row['nps_ci_high'])}{few})"
        )

    text = f"NPS of {len(known)} periods, from {said(known[0])} to {said(known[-1])}."
    sure = [row for row in known if row["is_reportable"]]
    if len(sure) > 1:
        low = min(sure, key=lambda row: float(row["nps"]))
        high = max(sure, key=lambda row: float(row["nps"]))
        text += f" Of those with enough answers the lowest is {said(low)}, "
        text += f"the highest {said(high)}."
    return text + " The intervals are as much a part of it as the line."


def trend_chart(
    rows: Sequence[Row],
    period_type: str,
    formats: Formats,
    *,
    key: str,
    title: str,
    target: float | None = None,
    height: int = 190,
) -> Chart:
    """Scores over time with their intervals; hollow where there are too few answers.

    Args:
        rows: of `Figures.trend`.
        period_type: what a row is.
        formats: how periods are written.
        key: what no other chart of the page is called.
        title: its name.
        target: the target in force, in points.
        height: of the plot, in its own units.
    """
    ticks = [formats.tick(period_type, row["period_start"]) for row in rows]
    values = [
        {
            "period": ticks[place],
            "nps": row["nps"],
            "low": row["nps_ci_low"],
            "high": row["nps_ci_high"],
            "kind": "enough" if row["is_reportable"] else "few",
        }
        for place, row in enumerate(rows)
    ]
    shown = [bound for row in values for bound in (row["low"], row["high"]) if bound is not None]
    ends = [*shown, *([target] if target is not None else []), 0]
    step = max(1, -(-len(ticks) // 4))
    x = alt.X(
        "period:O",
        title=None,
        sort=None,
        scale=alt.Scale(domain=ticks),
        axis=alt.Axis(values=ticks[::step], labelAngle=0, labelOverlap=False),
    )
    scale = alt.Scale(domain=[max(-100, min(ends) - 5), min(100, max(ends) + 5)], nice=True)
    low = alt.Y("low:Q", scale=scale, title="NPS", axis=alt.Axis(tickCount=5, format="d"))
    base = alt.Chart(_data(values)).encode(x=x)
    seen = base.transform_filter("isValid(datum.nps)")
    layers: list[alt.Chart] = [
        base.mark_area(color=light("band"), interpolate="linear").encode(y=low, y2="high:Q"),
        # A period on its own, between silent ones, has no area.
        seen.mark_rule(color=light("band"), strokeWidth=4).encode(y=alt.Y("low:Q"), y2="high:Q"),
    ]
    if target is not None:
        rule = alt.Chart(_data([{"target": target}]))
        layers.append(
            rule.mark_rule(color=light("other"), strokeDash=[5, 4], strokeWidth=1.5).encode(
                y="target:Q"
            )
        )
    layers.append(base.mark_line(color=light("line"), strokeWidth=2).encode(y="nps:Q"))
    layers.append(
        seen.transform_filter("datum.kind == 'enough'")
        .mark_point(filled=True, color=light("line"), size=38, opacity=1)
        .encode(y="nps:Q")
    )
    layers.append(
        seen.transform_filter("datum.kind == 'few'")
        .mark_point(
            filled=True, fill=light("paper"), stroke=light("few"), strokeWidth=2, size=38, opacity=1
        )
        .encode(y="nps:Q")
    )
    chart = alt.layer(*layers).properties(width=WIDTH, height=height)
    return _drawn(chart, key, title, _described(rows, formats, period_type))


def effects_chart(rows: Sequence[Row], formats: Formats, *, key: str, title: str) -> Chart:
    """What mix and rate of the departments that weigh most did to the company's score.

    Args:
        rows: of `nps_change_decomposition`, the largest effect first.
        formats: how numbers are written.
        key: what no other chart of the page is called.
        title: its name.
    """
    rows = rows[:MOST_EFFECTS]
    kinds = {"rate_effect": "rated differently", "mix_effect": "other share"}
    values = [
        {"department": row["department_name"], "effect": row[column], "kind": kind}
        for row in rows
        for column, kind in kinds.items()
    ]
    chart = (
        alt.Chart(_data(values))
        .mark_bar(height=9)
        .encode(
            y=alt.Y(
                "department:N",
                sort=[row["department_name"] for row in rows],
                title=None,
                axis=alt.Axis(domain=False, ticks=False, labelColor=light("ink")),
            ),
            yOffset=alt.YOffset("kind:N", sort=list(kinds.values())),
            x=alt.X("effect:Q", title="points of the company's NPS", axis=alt.Axis(tickCount=5)),
            color=alt.Color(
                "kind:N",
                sort=list(kinds.values()),
                scale=alt.Scale(domain=list(kinds.values()), range=[light("line"), light("other")]),
            ),
        )
        .properties(width=WIDTH - 130, height=max(60, 24 * len(rows)))
    )
    said = "; ".join(
        f"{row['department_name']} {formats.signed(row['total_effect'])}" for row in rows[:3]
    )
    text = f"Points that departments added to the change, the most first: {said}."
    return _drawn(chart, key, title, text, LABEL_ROOM)


def members_chart(
    rows: Sequence[Row], formats: Formats, *, key: str, title: str, company: float
) -> Chart:
    """Scores of departments with their intervals, in the order of the table, beside the company's.

    Args:
        rows: with `department_name` and the figures of a score mart.
        formats: how numbers are written.
        key: what no other chart of the page is called.
        title: its name.
        company: the company's score.
    """
    known = [row for row in rows if row["responses"]]
    values = [
        {
            "department": row["department_name"],
            "nps": row["nps"],
            "low": row["nps_ci_low"],
            "high": row["nps_ci_high"],
            "kind": "enough" if row["is_reportable"] else "few",
        }
        for row in known
    ]
    kinds = ["enough", "few"]
    y = alt.Y(
        "department:N",
        sort=[row["department_name"] for row in known],
        title=None,
        axis=alt.Axis(domain=False, ticks=False, grid=True, labelColor=light("ink")),
    )
    colour = alt.Color(
        "kind:N",
        legend=None,
        scale=alt.Scale(domain=kinds, range=[light("line"), light("few")]),
    )
    base = alt.Chart(_data(values)).encode(y=y)
    x = alt.X("low:Q", title="NPS", scale=alt.Scale(domain=[-100, 100]), axis=alt.Axis(format="d"))
    whole = alt.Chart(_data([{"nps": company}]))
    layers = [
        whole.mark_rule(color=light("other"), strokeDash=[5, 4]).encode(x="nps:Q"),
        base.mark_rule(strokeWidth=2.5).encode(x=x, x2="high:Q", color=colour),
        base.transform_filter("datum.kind == 'enough'")
        .mark_point(filled=True, size=60, color=light("line"), opacity=1)
        .encode(x="nps:Q"),
        base.transform_filter("datum.kind == 'few'")
        .mark_point(
            filled=True, size=60, fill=light("paper"), stroke=light("few"), strokeWidth=2, opacity=1
        )
        .encode(x="nps:Q"),
    ]
    chart = alt.layer(*layers).properties(width=WIDTH - 130, height=max(60, 24 * len(known)))
    few = sum(row["kind"] == "few" for row in values)
    text = (
        f"NPS of {len(known)} departments with 95 % intervals beside the company's "
        f"{formats.points(company)}, in the order of their names; {few} of them have too few "
        "answers to report."
    )
    return _drawn(chart, key, title, text, LABEL_ROOM)
