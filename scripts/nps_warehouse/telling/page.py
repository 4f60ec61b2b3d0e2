"""The summary of a run as one page that stands alone: it fetches nothing, and runs nothing."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from nps_warehouse.summary import MAX_WARNINGS, node_name, shown
from nps_warehouse.telling.alerts import figure_text
from nps_warehouse.telling.plot import plot
from nps_warehouse.telling.summary import Summary, change_sentence

_TONES = {"critical": "bad", "warning": "odd", "notice": "good"}


def html_of(summary: Summary) -> str:
    """The page.

    Args:
        summary: of a run.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        summary=summary,
        run=summary.run,
        figures=summary.figures,
        warned=summary.warned,
        plot=_picture(summary),
        tone=_tone(summary),
        tones=_TONES,
        most_warnings=MAX_WARNINGS,
        shown=shown,
        node_name=node_name,
        figure_text=figure_text,
        change_sentence=change_sentence,
    )


def _tone(summary: Summary) -> str:
    if summary.run.status in ("published", "done") and not summary.run.exit_code:
        return "odd" if summary.is_stale else "good"
    return "odd" if summary.run.status in ("published", "running") else "bad"


def _picture(summary: Summary) -> Markup | None:
    """The plot; None without months, or where the library that draws it is not there or fails."""
    if not summary.figures.months:
        return None
    try:
        # Made by us: its words are escaped where they are put in.
        return Markup(plot(summary.figures.months))
    except (ImportError, ValueError, RuntimeError):
        return None
