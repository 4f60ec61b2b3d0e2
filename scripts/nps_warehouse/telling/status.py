"""What is shown, how old it is, how the last run ended: for people, and for a watchdog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from nps_warehouse.durable import write
from nps_warehouse.exit_codes import OK, STALE
from nps_warehouse.publishing import Version, current
from nps_warehouse.runs.record import Run, read_runs
from nps_warehouse.summary import shown
from nps_warehouse.telling.ages import shown_age
from nps_warehouse.telling.alerts import Alert, compared, of_age
from nps_warehouse.telling.figures import Figures
from nps_warehouse.telling.memory import read_told
from nps_warehouse.telling.summary import Summary, dumped
from nps_warehouse.telling.tell import deliver, webhook_line

WATCHDOG_FILE = "watchdog.json"
"""Beside the folders of runs: which alerts a watchdog told, as a run's alerts.json."""


@dataclass(frozen=True)
class Status:
    """What is shown at `now`, and the last run; None where there is none of it."""

    now: datetime
    max_age: timedelta
    version: Version | None
    runs: Sequence[Run]

    @property
    def age(self) -> timedelta | None:
        """How old what is shown is."""
        return None if self.version is None else self.now - self.version.published_at

    @property
    def exit_code(self) -> int:
        """OK where something is shown that is no older than it may be, else STALE."""
        return OK if self.age is not None and self.age <= self.max_age else STALE


def read_status(
    published_dir: Path | None,
    runs_dir: Path,
    max_age: timedelta,
    now: datetime,
    environ: Mapping[str, str],
) -> Status:
    """Look at the published folder and the runs' records; the warehouse is not needed.

    Args:
        published_dir: the folder of published files; by default NPS_PUBLISHED_DIR.
        runs_dir: the folder of all runs.
        max_age: how old what is shown may be.
        now: with an offset.
        environ: environment variables.

    Raises:
        PublishingError: what is published can't be read.
    """
    return Status(now, max_age, current(published_dir, environ), read_runs(runs_dir))


def text_of(status: Status) -> str:
    """The status for people.

    Args:
        status: from `read_status`.
    """
    version, age = status.version, status.age
    lines = []
    if version is None or age is None:
        lines.append("Shown      nothing: there was no publication yet")
    else:
        late = "" if status.exit_code == OK else f", STALE: it may be {shown_age(status.max_age)}"
        score = "none" if version.nps is None else shown(version.nps)
        as_of = f"{version.as_of:%Y-%m-%d %H:%M}Z" if version.as_of else "unknown"
        lines += [
            f"Shown      version {version.id}, {shown_age(age)} old{late}",
            f"           published {version.published_at:%Y-%m-%d %H:%M}Z, answers up to {as_of}",
            f"NPS        {score} of {version.responses:,} answers",
        ]
    for run, label in ((_last(status.runs), "Last run"), (_going_on(status.runs), "Now")):
        if run is not None:
            lines.append(f"{label:<10} {_run_line(run, status.now)}")
    if not status.runs:
        lines.append("Last run   none has left a record")
    return "\n".join(lines)


def json_of(status: Status) -> dict[str, Any]:
    """The status as JSON values: ages in seconds, times ISO 8601 in UTC.

    Args:
        status: from `read_status`.
    """
    version, age = status.version, status.age
    last, going_on = _last(status.runs), _going_on(status.runs)
    return {
        "at": status.now.isoformat(),
        "is_stale": status.exit_code == STALE,
        "exit_code": status.exit_code,
        "max_age_seconds": status.max_age.total_seconds(),
        "age_seconds": None if age is None else age.total_seconds(),
        "version": None
        if version is None
        else {
            "version_id": version.id,
            "run_id": version.run_id,
            "published_at": version.published_at.isoformat(),
            "as_of": version.as_of.isoformat() if version.as_of else None,
            "responses": version.responses,
            "nps": version.nps,
        },
        "last_run": None if last is None else last.as_json(),
        "running": None if going_on is None else going_on.as_json(),
    }


def raise_alarm(status: Status, runs_dir: Path, environ: Mapping[str, str]) -> str:
    """Tell that what is shown is stale, once and then each week, and what became of that.

    For a watchdog: where no run begins any more, none can tell.

    Args:
        status: from `read_status`.
        runs_dir: the folder of all runs; what was told is remembered in it.
        environ: environment variables.

    Raises:
        OSError: it can't be remembered.
    """
    file = runs_dir / WATCHDOG_FILE
    before = read_told(file) or {"alerts": []}
    earlier = {alert["fingerprint"]: alert for alert in before["alerts"]}
    alerts = compared(list(of_age(status.version, status.now, status.max_age)), earlier, status.now)
    sent = None
    if alerts:
        alerts, sent = deliver(_summary(status, alerts), environ)
    runs_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
    write(file, dumped({"alerts": [alert.to_json() for alert in alerts]}))
    return webhook_line(sent).strip()


def _summary(status: Status, alerts: Sequence[Alert]) -> Summary:
    run = _last(status.runs) or _no_run(status.now)
    return Summary(run, status.now, status.max_age, status.version, Figures(), alerts)


def _no_run(now: datetime) -> Run:
    return Run("", now, None, "died", None, None, "No run has left a record.", None)


def _last(runs: Sequence[Run]) -> Run | None:
    return next((run for run in reversed(runs) if run.status != "running"), None)


def _going_on(runs: Sequence[Run]) -> Run | None:
    return next((run for run in reversed(runs) if run.status == "running"), None)


def _run_line(run: Run, now: datetime) -> str:
    ago = f"began {shown_age(now - run.started_at)} ago"
    reason = f": {run.reason}" if run.reason else ""
    return f"{run.run_id}, {run.status}, {ago}{reason}"
