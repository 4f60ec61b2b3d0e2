"""The commands ``nps status``, ``nps summary`` and ``nps alerts``."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta

import click

from nps_warehouse.exit_codes import BAD_INPUT, UNREACHABLE
from nps_warehouse.instant import Instant
from nps_warehouse.publishing import PublishingError
from nps_warehouse.publishing.place import place_of
from nps_warehouse.runs.record import RUN_ID, Run, read_run, read_runs, runs_dir
from nps_warehouse.telling import channels, status, summary
from nps_warehouse.telling.ages import Age
from nps_warehouse.telling.alerts import to_text
from nps_warehouse.telling.page import html_of
from nps_warehouse.telling.tell import (
    DEFAULT_MAX_AGE,
    MAX_AGE_VARIABLE,
    deliver,
    summary_of,
    webhook_line,
    write_alerts,
)
from nps_warehouse.telling.webhook import WebhookError, address_of, send

_NOW = click.option("--now", type=Instant(), help="When this is.  [default: the clock]")


@click.command(
    name="status",
    epilog="Exit codes: 0 what is shown is fresh, 4 it is stale or nothing is published, 65 or 69 "
    "it can't be read. See docs/telling.md.",
)
@click.option(
    "--max-age",
    type=Age(),
    envvar=MAX_AGE_VARIABLE,
    default=DEFAULT_MAX_AGE,
    show_default=True,
    help=f"How old what is shown may be: 26h, 90m, 1d12h. Also {MAX_AGE_VARIABLE}.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option(
    "--alert", is_flag=True, help="Where it is stale, tell so by the webhook: once, then weekly."
)
@_NOW
def status_command(max_age: timedelta, as_json: bool, alert: bool, now: datetime | None) -> None:
    """Say what is published, how old it is, and how the last run ended.

    For a watchdog that notices a scheduler that died. Reads the published folder and the records of
    runs, whether or not a run is at work; the warehouse that is built is not needed.
    """
    folder = runs_dir()
    try:
        found = status.read_status(None, folder, max_age, now or datetime.now(UTC), os.environ)
        told = status.raise_alarm(found, folder, os.environ) if alert else ""
    except PublishingError as problem:
        raise _ended(str(problem), problem.exit_code) from None
    except OSError as problem:
        raise _ended(str(problem), UNREACHABLE) from None
    click.echo(json.dumps(status.json_of(found), indent=2) if as_json else status.text_of(found))
    if told:
        click.echo(told, err=True)
    raise click.exceptions.Exit(found.exit_code)


@click.command(name="summary")
@click.argument("run_id", required=False, metavar="[RUN]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    show_default=True,
)
@_NOW
def summary_command(run_id: str | None, form: str, now: datetime | None) -> None:
    """Print the summary of RUN, by default of the last one.

    Made from the run's record, also where the run died, and from what is published now; the run's
    folder holds the summary of its own time.
    """
    found = _summary(_run(run_id), now)
    made = {
        "text": lambda: summary.text_of(found),
        "json": lambda: summary.dumped(summary.json_of(found)),
        "html": lambda: html_of(found),
    }
    click.echo(made[form](), nl=False)


@click.command(name="alerts")
@click.argument("run_id", required=False, metavar="[RUN]")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--send", "send_now", is_flag=True, help="Send those that were not sent yet.")
@click.option("--test", is_flag=True, help="Send a message without alerts, to try the webhook.")
@_NOW
def alerts_command(
    run_id: str | None, as_json: bool, send_now: bool, test: bool, now: datetime | None
) -> None:
    """Print what RUN, by default the last one, gives reason to tell.

    Nothing is sent unless asked for here, or by a run where NPS_WEBHOOK_URL is set.
    """
    if test:
        _try_webhook()
        return
    found = _summary(_run(run_id), now)
    alerts, sent = list(found.alerts), None
    if send_now:
        alerts, sent = deliver(found, os.environ)
        try:
            write_alerts(runs_dir() / found.run.run_id, found.run.run_id, alerts, sent)
        except OSError as problem:
            raise _ended(str(problem), UNREACHABLE) from None
    if as_json:
        click.echo(json.dumps([alert.to_json() for alert in alerts], indent=2, ensure_ascii=False))
    else:
        click.echo(to_text(alerts), nl=False)
    if sent is not None:
        click.echo(webhook_line(sent).strip(), err=True)
        if not sent.ok:
            raise click.exceptions.Exit(UNREACHABLE)


def _try_webhook() -> None:
    try:
        address = address_of(os.environ)
    except WebhookError as problem:
        raise _ended(str(problem), BAD_INPUT) from None
    if address is None:
        raise _ended("NPS_WEBHOOK_URL is not set: nothing is ever sent", BAD_INPUT)
    at = datetime.now(UTC)
    message = channels.Message(
        "", at.isoformat(timespec="seconds"), "This is a test of nps alerts.",
        "Alerts of the nightly run will come here.", (), {},
    )  # fmt: skip
    body = channels.encoded(channels.FORMATS[address.form](message))
    sent = send(address, f"msg_test_{at:%Y%m%dT%H%M%S}", body, at)
    if not sent.ok:
        raise _ended(webhook_line(sent).strip(), UNREACHABLE)
    click.echo(webhook_line(sent).strip())


def _run(run_id: str | None) -> Run:
    folder = runs_dir()
    if run_id is None:
        runs = read_runs(folder)
        if not runs:
            raise _ended(f"no run has left a record in {folder}", BAD_INPUT)
        return runs[-1]
    # An id is a name of a folder: nothing else may lead anywhere.
    if not RUN_ID.fullmatch(run_id):
        raise _ended(f"{run_id!r} is no id of a run", BAD_INPUT)
    try:
        return read_run(folder / run_id)
    except (OSError, ValueError):
        raise _ended(f"{folder / run_id} holds no record of a run", BAD_INPUT) from None


def _summary(run: Run, now: datetime | None) -> summary.Summary:
    try:
        published = place_of().folder
    except PublishingError as problem:
        raise _ended(str(problem), problem.exit_code) from None
    return summary_of(run, runs_dir(), published, now or datetime.now(UTC), os.environ)


def _ended(text: str, exit_code: int) -> click.exceptions.Exit:
    click.echo(f"nps: {text}", err=True)
    return click.exceptions.Exit(exit_code)
