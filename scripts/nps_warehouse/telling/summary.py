"""The summary of a run: what became of it, what is shown now, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from nps_warehouse.exit_codes import CRITICAL_FAILED
from nps_warehouse.publishing.versions import Version
from nps_warehouse.runs.record import Node, Run
from nps_warehouse.summary import (
    Warned,
    node_name,
    rejection_lines,
    score_lines,
    shown,
    warning_lines,
)
from nps_warehouse.telling.ages import shown_age
from nps_warehouse.telling.alerts import Alert, to_text, what_to_do
from nps_warehouse.telling.figures import Change, Figures

SLOWEST = 5
"""Models that are named as the slowest."""

_HEADLINES = {
    "published": "Published: readers see the numbers of this run.",
    "not published": "Not published: what was published before still stands.",
    "done": "Done as asked; publishing was not among the steps.",
    "failed": "Failed: what was published before still stands.",
    "died": "Died before its end: what was published before still stands.",
    "running": "Still running.",
}


@dataclass(frozen=True)
class Summary:
    """All that is told of a run.

    `version` is what readers see at `now`, whichever run made it; None where nothing was published
    or it cannot be read, which `trouble` says. `max_age` is how old that may be.
    """

    run: Run
    now: datetime
    max_age: timedelta
    version: Version | None
    figures: Figures
    alerts: Sequence[Alert] = ()
    trouble: str | None = None

    @property
    def headline(self) -> str:
        """What became of the run, in a sentence."""
        if self.run.status == "published" and self.run.exit_code:
            return f"Published, then failed in step {self.run.failed_step}."
        return _HEADLINES[self.run.status]

    @property
    def to_do(self) -> str | None:
        """What to do about it; None for nothing."""
        if self.run.status == "not published":
            return what_to_do(CRITICAL_FAILED)
        if self.run.status == "died":
            return "Nothing by hand: the next run repairs what was left."
        if self.run.exit_code:
            return what_to_do(self.run.exit_code)
        return None

    @property
    def age(self) -> timedelta | None:
        """The age of what is shown."""
        return None if self.version is None else self.now - self.version.published_at

    @property
    def is_stale(self) -> bool:
        """Whether what is shown is older than it may be, or nothing is."""
        return self.age is None or self.age > self.max_age

    @property
    def shown(self) -> str:
        """What readers see, and how old it is, in a sentence."""
        if self.trouble:
            return self.trouble
        if self.version is None or self.age is None:
            return "Nothing is published yet."
        as_of = self.version.as_of
        answers = f", with answers up to {as_of:%d %B %Y, %H:%M} UTC" if as_of else ""
        late = f"; it may be {shown_age(self.max_age)}" if self.is_stale else ""
        return (
            f"Readers see version {self.version.id}, published "
            f"{self.version.published_at:%d %B %Y, %H:%M} UTC{answers}: "
            f"{shown_age(self.age)} old{late}."
        )

    @property
    def warned(self) -> list[Warned]:
        """The tests of the build that warned."""
        return [
            Warned(node_name(node.unique_id), node.message)
            for node in self.run.nodes
            if node.status == "warn"
        ]

    @property
    def slowest(self) -> list[Node]:
        """The models that took longest, by name where they took the same."""
        models = [node for node in self.run.nodes if node.unique_id.startswith("model.")]
        return sorted(models, key=lambda node: (-node.seconds, node.unique_id))[:SLOWEST]


def text_of(summary: Summary) -> str:
    """The summary for people.

    Args:
        summary: of a run.
    """
    return "\n".join(_lines(summary)) + "\n"


def json_of(summary: Summary) -> dict[str, Any]:
    """The summary as JSON values: ages in seconds, times ISO 8601 in UTC.

    Args:
        summary: of a run.
    """
    run, version = summary.run, summary.version
    return {
        "run": {
            **run.as_json(),
            "seconds": run.seconds,
            "headline": summary.headline,
            "to_do": summary.to_do,
            "steps": [
                {"name": step.name, "status": step.status, "seconds": step.seconds}
                for step in run.steps
            ],
            "decisions": run.decisions,
            "versions": run.versions,
        },
        "shown": {
            "version_id": version.id if version else None,
            "published_at": version.published_at.isoformat() if version else None,
            "as_of": version.as_of.isoformat() if version and version.as_of else None,
            "age_seconds": summary.age.total_seconds() if summary.age is not None else None,
            "max_age_seconds": summary.max_age.total_seconds(),
            "is_stale": summary.is_stale,
            "sentence": summary.shown,
        },
        "score": asdict(summary.figures.score) if summary.figures.score else None,
        "change": _plain(summary.figures.change),
        "months": [_plain(month) for month in summary.figures.months],
        "not_published": list(summary.figures.missing),
        "tables": [table._asdict() for table in run.tables],
        "warnings": [asdict(warning) for warning in summary.warned],
        "slowest": [
            {"model": node_name(node.unique_id), "seconds": node.seconds}
            for node in summary.slowest
        ],
        "alerts": [alert.to_json() for alert in summary.alerts],
    }


def change_sentence(change: Change) -> str:
    """The newest complete month beside the one before, in words.

    Args:
        change: of the company.
    """
    month = f"{change.month:%B %Y}: {shown(change.nps)}"
    if change.change is None or change.previous is None:
        return f"{month}; the month before has no answers"
    certainty = "not tested: too few answers on a side"
    if change.adjusted_p is not None:
        interval = ""
        if change.ci_low is not None and change.ci_high is not None:
            interval = f"95 % interval {shown(change.ci_low)} to {shown(change.ci_high)}"
        word = {"up": "it rose", "down": "it fell"}.get(change.verdict, "no evidence of a change")
        certainty = f"{interval}: {word}"
    return f"{month}, {change.change:+z.1f} against {change.previous:%B %Y} ({certainty})"


def dumped(content: dict[str, Any]) -> str:
    """JSON as it is written into a run's folder.

    Args:
        content: JSON values.
    """
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _lines(summary: Summary) -> Iterator[str]:
    run = summary.run
    took = "" if run.seconds is None else f", took {run.seconds:,.0f} s"
    yield f"Run        {run.run_id}, began {run.started_at:%d %B %Y, %H:%M} UTC{took}"
    yield f"Result     {summary.headline}"
    if run.reason:
        yield f"Reason     {run.reason}"
    if summary.to_do:
        yield f"To do      {summary.to_do}"
    yield f"Shown      {summary.shown}"
    if summary.version is not None and "nps_by_period" not in summary.figures.missing:
        yield from score_lines(summary.figures.score)
    if summary.figures.change:
        yield f"Month      {change_sentence(summary.figures.change)}"
    if run.tables:
        yield from rejection_lines(run.tables)
    if run.nodes:
        yield from warning_lines(summary.warned)
    for number, node in enumerate(summary.slowest):
        label = "" if number else "Slowest"
        yield f"{label:<10} {node_name(node.unique_id)}: {node.seconds:,.1f} s"
    for number, decision in enumerate(run.decisions):
        label = "" if number else "Decided"
        yield f"{label:<10} {decision}"
    new = sum(not alert.repeated for alert in summary.alerts)
    yield f"Alerts     {len(summary.alerts):,}, {new:,} of them new"
    if summary.alerts:
        yield ""
        yield to_text(summary.alerts).rstrip()


def _plain(thing: Any) -> dict[str, Any] | None:
    """A dataclass with dates as JSON values."""
    if thing is None:
        return None
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in asdict(thing).items()
    }
