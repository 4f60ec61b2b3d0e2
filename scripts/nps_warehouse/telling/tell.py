"""Tells what became of a run: files in its folder, and a message where a webhook is configured."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from nps_warehouse.durable import write
from nps_warehouse.publishing import PublishingError, Version, current
from nps_warehouse.runs.record import Run, read_runs
from nps_warehouse.telling.ages import parsed_age
from nps_warehouse.telling.alerts import (
    Alert,
    compared,
    of_age,
    of_figures,
    of_run,
    of_trouble,
    to_text,
)
from nps_warehouse.telling.channels import FORMATS, Message, encoded
from nps_warehouse.telling.figures import Figures, read_figures
from nps_warehouse.telling.memory import (
    FILE_NAME,
    Told,
    broken_expectations,
    read_told,
    told_before,
)
from nps_warehouse.telling.page import html_of
from nps_warehouse.telling.summary import Summary, dumped, json_of, text_of
from nps_warehouse.telling.webhook import Sent, WebhookError, address_of, send

MAX_AGE_VARIABLE = "NPS_MAX_AGE"
DEFAULT_MAX_AGE = "26h"
"""A day, and two hours for a run that takes longer than the one before."""


def tell(
    run: Run,
    runs_dir: Path,
    published_dir: Path,
    warehouse: Path,
    now: datetime,
    environ: Mapping[str, str],
) -> None:
    """Write a run's summary and alerts into its folder, and send new alerts where configured.

    What a webhook does or does not changes nothing of a run: it is written into alerts.json.

    Args:
        run: one that has ended.
        runs_dir: the folder of all runs.
        published_dir: the folder of published files; figures are those that readers see.
        warehouse: the file that the run built. Nothing is told of it: it may be half built.
        now: with an offset.
        environ: environment variables.

    Raises:
        OSError: the run's folder can't be written.
    """
    del warehouse
    summary = summary_of(run, runs_dir, published_dir, now, environ)
    folder = runs_dir / run.run_id
    # First what is needed when the rest fails.
    write(folder / "summary.txt", text_of(summary))
    write(folder / "summary.json", dumped(json_of(summary)))
    alerts, sent = deliver(summary, environ)
    summary = replace(summary, alerts=alerts)
    write_alerts(folder, run.run_id, summary.alerts, sent)
    write(folder / "summary.json", dumped(json_of(summary)))
    write(folder / "summary.html", html_of(summary))


def summary_of(
    run: Run, runs_dir: Path, published_dir: Path, now: datetime, environ: Mapping[str, str]
) -> Summary:
    """All that there is to tell of a run.

    Args:
        run: the run.
        runs_dir: the folder of all runs.
        published_dir: the folder of published files.
        now: with an offset.
        environ: environment variables.
    """
    version, figures, trouble = _published(published_dir, environ)
    max_age = max_age_of(environ)
    before, earlier = told_before(runs_dir, run.run_id)
    alerts = [
        *of_run(run, broken_expectations(runs_dir / run.run_id)),
        *(alert for dead in _died_since(runs_dir, before, run.run_id) for alert in of_run(dead)),
        *([of_trouble(trouble)] if trouble else of_age(version, now, max_age)),
        *of_figures(figures),
    ]
    told = as_told(compared(alerts, earlier, now), read_told(runs_dir / run.run_id / FILE_NAME))
    return Summary(run, now, max_age, version, figures, told, trouble)


def as_told(alerts: Sequence[Alert], told: Told | None) -> list[Alert]:
    """Alerts of a run as it told them itself, where it did: a second look sends nothing twice.

    Args:
        alerts: from `compared`.
        told: what the run has left; None where it has told nothing yet.
    """
    before = {one["fingerprint"]: one for one in (told or {"alerts": []})["alerts"]}
    names = ("first_told_at", "told_at", "repeated", "sent_at")
    return [
        replace(alert, **{name: own[name] for name in names})
        if (own := before.get(alert.fingerprint))
        else alert
        for alert in alerts
    ]


def max_age_of(environ: Mapping[str, str]) -> timedelta:
    """How old what is shown may be; the default where NPS_MAX_AGE is no age.

    Args:
        environ: environment variables.
    """
    try:
        return parsed_age(environ.get(MAX_AGE_VARIABLE) or DEFAULT_MAX_AGE)
    except ValueError:
        return parsed_age(DEFAULT_MAX_AGE)


def deliver(
    summary: Summary, environ: Mapping[str, str], alerts: Sequence[Alert] | None = None
) -> tuple[list[Alert], Sent | None]:
    """Send the alerts that were not sent yet, in one message, where a webhook is configured.

    Args:
        summary: of a run.
        environ: environment variables.
        alerts: those to tell; by default the summary's.

    Returns:
        The alerts, with when they were sent, and what became of the message: None where there was
        nothing to send or nothing is configured.
    """
    told = list(summary.alerts if alerts is None else alerts)
    due = [alert for alert in told if alert.sent_at is None]
    try:
        address = address_of(environ)
    except WebhookError as problem:
        return told, Sent("", "", ok=False, reason=str(problem))
    if address is None or not due:
        return told, None
    message = Message(
        summary.run.run_id,
        summary.now.isoformat(timespec="seconds"),
        summary.headline,
        summary.shown,
        due,
        json_of(replace(summary, alerts=())),
    )
    # Signed by the machine's clock, whatever a run was told to take for now: receivers compare.
    at = datetime.now(UTC)
    sent = send(address, _message_id(summary, due), encoded(FORMATS[address.form](message)), at)
    if not sent.ok:
        return told, sent
    when = at.isoformat(timespec="seconds")
    return [replace(one, sent_at=one.sent_at or when) for one in told], sent


def write_alerts(folder: Path, run_id: str, alerts: Sequence[Alert], sent: Sent | None) -> None:
    """Leave alerts as files.

    Args:
        folder: where to.
        run_id: the run that tells them.
        alerts: from `compared`.
        sent: what became of the message.

    Raises:
        OSError: they can't be written.
    """
    told: Told = {
        "run_id": run_id,
        "webhook": asdict(sent) if sent else None,
        "alerts": [alert.to_json() for alert in alerts],
    }
    write(folder / FILE_NAME, dumped(told))
    write(folder / "alerts.txt", to_text(alerts) + webhook_line(sent))


def webhook_line(sent: Sent | None) -> str:
    """What became of a message, in a line; empty where none was sent.

    Args:
        sent: from `deliver`.
    """
    if sent is None:
        return ""
    if sent.ok:
        return f"\nSent to {sent.host}.\n"
    to = f" to {sent.host}" if sent.host else ""
    status = f" (status {sent.status})" if sent.status else ""
    return f"\nNot sent{to}: {sent.reason}{status}. The next run tries again.\n"


def _published(
    folder: Path, environ: Mapping[str, str]
) -> tuple[Version | None, Figures, str | None]:
    """What readers see, in figures, or the sentence that says why that can't be said."""
    try:
        version = current(folder, environ)
    except PublishingError as problem:
        return None, Figures(), f"What is published can't be read: {problem}"
    if version is None:
        return None, Figures(), None
    try:
        # The version's own file: what is shown may change while it is read.
        return version, read_figures(version.file), None
    except click.ClickException as problem:
        return version, Figures(), f"What is published can't be read: {problem.message}"


def _died_since(runs_dir: Path, after: str, before: str) -> list[Run]:
    """Runs that died since somebody last told anything; the first one ever is told all."""
    return [
        run for run in read_runs(runs_dir) if after < run.run_id < before and run.status == "died"
    ]


def _message_id(summary: Summary, due: Sequence[Alert]) -> str:
    """The same for the same message, so that a receiver knows a repetition."""
    text = "\x1f".join([summary.run.run_id, *(f"{one.fingerprint}{one.told_at}" for one in due)])
    return f"msg_{hashlib.sha256(text.encode()).hexdigest()[:32]}"
