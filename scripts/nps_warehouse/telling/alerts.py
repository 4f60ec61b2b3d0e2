"""What somebody should know about: each alert says what it means, what to do, and how sure it is.

An alert has a fingerprint of what it is about, not of its figures of the day. What was told by an
earlier run is `repeated`, and not told again until it changes or a week has passed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from nps_warehouse.exit_codes import BAD_INPUT, CRITICAL_FAILED, LOCKED, UNREACHABLE
from nps_warehouse.publishing.versions import Version
from nps_warehouse.runs.record import Run
from nps_warehouse.summary import node_name, shown
from nps_warehouse.telling.ages import shown_age
from nps_warehouse.telling.figures import Figures, Overdue, Signal

Severity = Literal["critical", "warning", "notice"]

SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "notice")
"""The most urgent first."""

TOLD_AGAIN_AFTER = timedelta(days=7)
"""How long an alert that does not change is not told again."""

MOST_NAMED = 5
"""Failed tests, or departments, that an alert names; the rest are counted."""

CHARTS = {
    "shewhart": "the score of one day is outside the limits that chance seldom passes",
    "p_prime": "the share of detractors of one day is outside the limits that chance seldom passes",
    "ewma": "the score, smoothed over the last days, has left the limits of chance",
    "cusum": "small differences from the usual score have added up to more than chance explains",
}
"""What each control chart's signal says."""

WHAT_TO_DO = {
    BAD_INPUT: "Correct what the reason names, in the delivery or the configuration; run again.",
    CRITICAL_FAILED: "Read what failed; correct the delivery or change the rule; run again.",
    UNREACHABLE: "Make room on the disk, or give back the permission the reason names; run again.",
    LOCKED: "Nothing, if the other run ends; otherwise see who holds the lock.",
}
"""By exit code; every other one but those of signals is a defect of the project."""

DEFECT = "Run again; if it fails again, show the run's folder to whoever looks after the project."

INTERRUPTED = "Nothing by hand: somebody ended it, and the next run goes on from there."

SIGNALS = range(129, 128 + 65)
"""Exit codes of a run that a signal ended: 128 and its number."""


def what_to_do(exit_code: int) -> str:
    """What to do about a run that failed.

    Args:
        exit_code: of its command.
    """
    return INTERRUPTED if exit_code in SIGNALS else WHAT_TO_DO.get(exit_code, DEFECT)


@dataclass(frozen=True)
class Figure:
    """A number of an alert with its certainty in words: an interval, or that it is a count."""

    name: str
    value: float | None
    unit: str
    certainty: str


@dataclass(frozen=True)
class Alert:
    """One thing to know about.

    `subject` is what the fingerprint is made of besides the kind. `first_told_at` and `told_at`
    are ISO 8601 in UTC: of the first time, and of the last time it was told anew. `sent_at` is when
    the webhook took it; None where it has not.
    """

    kind: str
    severity: Severity
    title: str
    meaning: str
    to_do: str
    scope: str
    subject: tuple[str, ...]
    figures: tuple[Figure, ...] = ()
    first_told_at: str | None = None
    told_at: str | None = None
    repeated: bool = False
    sent_at: str | None = None

    @property
    def fingerprint(self) -> str:
        """The same for the same thing, on every machine and in every run."""
        text = "\x1f".join((self.kind, *self.subject))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """The alert as JSON values."""
        content = {"fingerprint": self.fingerprint, **asdict(self)}
        del content["subject"]
        return content


def of_run(run: Run, expectations: Sequence[str] = ()) -> Iterator[Alert]:
    """What a run itself gives reason to tell.

    Args:
        run: one that has ended, or died.
        expectations: ids of the critical ones that a gate found broken.
    """
    if run.status == "not published":
        yield _gate_failed(run, expectations)
    elif run.status == "died":
        yield Alert(
            "run_died",
            "critical",
            f"The run of {run.started_at:%d %B, %H:%M} UTC did not come to its end",
            f"{_sentence(run.reason)} What was published before still stands.",
            "Nothing by hand: the next run repairs what was left. If runs die again and again, see "
            "whether the machine is short of memory, or restarts.",
            f"run {run.run_id}",
            (run.run_id,),
        )
    elif run.status == "failed" or (run.status == "published" and run.exit_code):
        after = run.status == "published"
        code = run.exit_code or 0
        standing = (
            "The numbers of this run are published."
            if after
            else "What was published still stands."
        )
        yield Alert(
            "run_failed",
            "notice" if code == LOCKED or code in SIGNALS else "warning" if after else "critical",
            f"The run failed in step {run.failed_step}" if run.failed_step else "The run failed",
            f"{_sentence(run.reason)} {standing}",
            what_to_do(code),
            f"run {run.run_id}",
            (str(run.failed_step), str(code)),
        )


def of_age(version: Version | None, now: datetime, max_age: timedelta) -> Iterator[Alert]:
    """Whether what is shown is too old.

    Args:
        version: what is shown; None where nothing was published yet.
        now: with an offset.
        max_age: how old it may be.
    """
    if version is None:
        yield Alert(
            "stale",
            "critical",
            "Nothing is published yet",
            "Readers find no numbers.",
            "Look at the last run (nps summary) and at the scheduler; then run nps run.",
            "published file",
            ("nothing",),
        )
        return
    age = now - version.published_at
    if age > max_age:
        yield Alert(
            "stale",
            "critical",
            f"The numbers shown are {shown_age(age)} old",
            f"They were published on {version.published_at:%d %B %Y, %H:%M} UTC and may be "
            f"{shown_age(max_age)} old. They are right for their time; what came since is missing.",
            "See whether the scheduler runs, and why the last run published nothing (nps summary).",
            "published file",
            (version.id,),
            (
                Figure(
                    "age", age.total_seconds() / 3600, "hours", "measured by this machine's clock"
                ),
            ),
        )


def of_trouble(trouble: str) -> Alert:
    """That readers may not be able to read what is shown.

    Args:
        trouble: why, in a sentence.
    """
    return Alert(
        "unreadable",
        "critical",
        "What is published can't be read",
        f"{trouble.rstrip('.')}. Readers may see nothing.",
        "Look at the folder of published files, its permissions and its disk; nps rollback shows "
        "the version before.",
        "published file",
        ("unreadable",),
    )


def of_figures(figures: Figures) -> Iterator[Alert]:
    """What the published numbers give reason to tell.

    Args:
        figures: of the published file.
    """
    for signal in figures.signals:
        yield _signal(signal)
    if figures.overdue:
        yield _overdue(figures.overdue)


def compared(
    alerts: Sequence[Alert], earlier: Mapping[str, Mapping[str, Any]], now: datetime
) -> list[Alert]:
    """Alerts with what was told before, the most urgent first, new ones before repeated ones.

    Args:
        alerts: of this run.
        earlier: the alerts that the last run before told, as JSON values by fingerprint. What was
            not among them any more has ended, and is new when it comes again.
        now: with an offset.
    """
    at = now.isoformat(timespec="seconds")
    marked = []
    for alert in alerts:
        before = earlier.get(alert.fingerprint)
        if before is None:
            marked.append(replace(alert, first_told_at=at, told_at=at))
            continue
        lasting = now - datetime.fromisoformat(before["told_at"]) < TOLD_AGAIN_AFTER
        marked.append(
            replace(
                alert,
                first_told_at=before["first_told_at"],
                told_at=before["told_at"] if lasting else at,
                repeated=lasting,
                sent_at=before["sent_at"] if lasting else None,
            )
        )
    return sorted(
        marked,
        key=lambda one: (one.repeated, SEVERITIES.index(one.severity), one.kind, one.subject),
    )


def to_text(alerts: Sequence[Alert]) -> str:
    """Alerts for people.

    Args:
        alerts: from `compared`.
    """
    if not alerts:
        return "Nothing to tell.\n"
    blocks = []
    for alert in alerts:
        lines = [f"{alert.severity.upper()}  {alert.title}{' (told before)' * alert.repeated}"]
        lines.append(f"  means   {alert.meaning}")
        lines += [f"  figure  {figure_text(figure)}" for figure in alert.figures]
        lines.append(f"  to do   {alert.to_do}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def figure_text(figure: Figure) -> str:
    """A figure with its certainty, as people read it.

    Args:
        figure: of an alert.
    """
    if figure.value is None:
        value = "none"
    elif figure.unit == "points":
        value = shown(figure.value)
    else:
        value = f"{figure.value:,.0f}"
    unit = f" {figure.unit}" if figure.unit and figure.unit != "points" else ""
    return f"{figure.name} {value}{unit} ({figure.certainty})"


def _sentence(reason: str | None) -> str:
    text = (reason or "Its record does not say why").strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _gate_failed(run: Run, expectations: Sequence[str]) -> Alert:
    failed = sorted([*expectations, *_failed(run)])
    named = ", ".join(failed[:MOST_NAMED])
    more = f" and {len(failed) - MOST_NAMED} more" if len(failed) > MOST_NAMED else ""
    which = f" Failed: {named}{more}." if failed else ""
    return Alert(
        "gate_failed",
        "critical",
        f"Not published: {run.failed_step or 'a gate'} found something critical",
        f"{_sentence(run.reason)}{which} The numbers of the last publication still stand.",
        WHAT_TO_DO[CRITICAL_FAILED],
        f"run {run.run_id}",
        (str(run.failed_step), *failed),
        (Figure("critical failures", len(failed), "", "counted"),) if failed else (),
    )


def _failed(run: Run) -> Iterator[str]:
    """Names of dbt's tests and models that failed."""
    for node in run.nodes:
        if node.status in ("fail", "error"):
            yield node_name(node.unique_id)


def _signal(signal: Signal) -> Alert:
    down = signal.direction == "down"
    days = "1 day" if signal.days == 1 else f"{signal.days} days"
    return Alert(
        "control_chart_signal",
        "warning" if down else "notice",
        f"NPS of {signal.name} has {'fallen' if down else 'risen'}, beyond its usual variation",
        f"Since {signal.started_on:%d %B %Y} ({days} with answers): {CHARTS[signal.kind]}. "
        "It says that something changed, not what, and not through whom.",
        f"Ask what was different from {signal.started_on:%d %B} on: contact reasons, channels, "
        "outages, releases; nps_change_decomposition and pain_points show where to look first."
        + ("" if down else " What helped is worth keeping."),
        f"{signal.scope_type} {signal.scope_id}",
        (signal.scope_type, signal.scope_id, signal.direction, signal.started_on.isoformat()),
        (
            Figure(
                "NPS of three months",
                signal.rolling_nps,
                "points",
                f"95 % interval {shown(signal.rolling_ci_low)} to {shown(signal.rolling_ci_high)}, "
                f"{signal.rolling_responses:,} answers",
            ),
            Figure("usual score", signal.centre, "points", "centre of the chart's baseline"),
        ),
    )


def _overdue(departments: Sequence[Overdue]) -> Alert:
    cases = sum(one.cases for one in departments)
    open_cases = sum(one.open_cases for one in departments)
    since = min(one.due_since for one in departments)
    more = len(departments) - MOST_NAMED
    rest = f"; {more} more departments" if more > 0 else ""
    named = "; ".join(f"{one.department_name} {one.cases:,}" for one in departments[:MOST_NAMED])
    return Alert(
        "cases_overdue",
        "warning",
        f"{cases:,} {'customer waits' if cases == 1 else 'customers wait'} for a call back",
        "They gave a low score, and the time in which somebody wanted to come back to them has "
        f"passed; the first since {since:%d %B %Y}. By department: {named}{rest}.",
        "Go through open_case_queue from its top (nps cases export). If there are more cases than "
        "hands, say so: the seeds case_sla and case_priority_rules are there to be set.",
        "company",
        # Told again when the number has doubled or halved, not for every case.
        (f"about {1 << (cases.bit_length() - 1)}",),
        (
            Figure("overdue cases", cases, "", "counted"),
            Figure(
                "open cases of these departments", open_cases, "", "counted, those in time included"
            ),
        ),
    )
