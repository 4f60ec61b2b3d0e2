"""The steps of a night as commands of the project's environment, for an orchestrator to call."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PROJECT_DIR = Path(__file__).resolve().parents[3]
PYTHON = PROJECT_DIR / ".venv" / "bin" / "python"
DBT = PROJECT_DIR / "orchestrators" / "dbt"
"""dbt as an orchestrator may call it: see `nps_warehouse.orchestrators.dbt`."""

LOCK_WAIT_SECONDS = 3600
"""How long a step waits for another run, as an orchestrator has nothing better to do."""


class StepFailedError(Exception):
    """A step did not do what it was to do; the text is what it said."""

    def __init__(self, command: Sequence[str], exit_code: int, said: str) -> None:
        """Keep the exit code.

        Args:
            command: what was called.
            exit_code: one of `nps_warehouse.exit_codes`.
            said: what it wrote.
        """
        super().__init__(f"{' '.join(command[1:])} ended with {exit_code}:\n{said}")
        self.exit_code = exit_code


@dataclass(frozen=True)
class Check:
    """An expectation of a gate as it was judged.

    `failures` are the figures that are not as they should be; `stops` says whether nothing may be
    published while it fails.
    """

    name: str
    success: bool
    stops: bool
    meaning: str
    to_do: str
    failures: Sequence[Mapping[str, Any]]


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of a step.

    Relative folders are the project's, as a daemon's own means nothing. Nothing reports home.

    Args:
        environ: what the orchestrator was started with.
    """
    found = dict(environ)
    for name, default in (
        ("NPS_WAREHOUSE", "target/nps_warehouse.duckdb"),
        ("NPS_STATE_DIR", "state"),
        ("NPS_PUBLISHED_DIR", "published"),
        ("NPS_RUNS_DIR", "runs"),
        ("DBT_TARGET_PATH", "target"),
        ("DBT_LOG_PATH", "logs"),
    ):
        found[name] = str(PROJECT_DIR / (found.get(name) or default))
    for name in ("NPS_RAW_DIR", "NPS_SEEDS_DIR"):
        if found.get(name):
            found[name] = str(PROJECT_DIR / found[name])
    # The orchestrator's own Python is none of the project's business.
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
        found.pop(name, None)
    return found | {
        "PYTHONPATH": str(PROJECT_DIR / "scripts"),
        "DO_NOT_TRACK": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "GX_ANALYTICS_ENABLED": "false",
    }


def delivery(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder that others deliver into.

    Args:
        environ: what the orchestrator was started with.
    """
    return Path(environment(environ).get("NPS_RAW_DIR") or PROJECT_DIR / "scripts" / "sample")


def taken(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder that step `land` has copied the delivery to; every later step reads that.

    Args:
        environ: what the orchestrator was started with.
    """
    return Path(f"{environment(environ)['NPS_WAREHOUSE']}.delivery")


def nps(*arguments: str) -> list[str]:
    """A command of `nps`, in the project's environment.

    Args:
        arguments: of the command.
    """
    return [str(PYTHON), "-m", "nps_warehouse.cli", *arguments]


def step(*names: str) -> list[str]:
    """The command that does steps of a run.

    Args:
        names: `land`, `publish`, …
    """
    only = [part for name in names for part in ("--only", name)]
    return nps("run", *only, "--wait", str(LOCK_WAIT_SECONDS))


def call(command: Sequence[str], environ: Mapping[str, str] = os.environ) -> str:
    """Run a command to its end; returns what it wrote to stdout.

    Args:
        command: with its arguments.
        environ: what the orchestrator was started with.

    Raises:
        StepFailedError: it ended with another exit code than 0.
    """
    done = _run(command, environ)
    if done.returncode != 0:
        raise StepFailedError(command, done.returncode, _said(done))
    return done.stdout


def expectations(gate: str) -> list[tuple[str, bool]]:
    """What a gate expects: names, and whether each stops what comes after.

    Args:
        gate: `raw` or `marts`.
    """
    file = PROJECT_DIR / "expectations" / f"{gate}.yml"
    declared = yaml.safe_load(file.read_text(encoding="utf-8"))["expectations"]
    return [(one["id"], one["severity"] == "critical") for one in declared]


def judge(gate: str, *before: str, environ: Mapping[str, str] = os.environ) -> list[Check]:
    """Run a gate; what fails is in the result, not raised.

    Args:
        gate: `raw` or `marts`.
        before: steps to be done before it, in the same run.
        environ: what the orchestrator was started with.

    Raises:
        StepFailedError: there is nothing it could judge, or it cannot be read.
    """
    command = step(*before, f"check_{gate}")
    done = _run(command, environ)
    run_id = _run_id(done.stdout)
    report = Path(environment(environ)["NPS_RUNS_DIR"]) / run_id / f"check_{gate}.json"
    if not run_id or not report.is_file():
        raise StepFailedError(command, done.returncode, _said(done))
    # A gate that stops says so in its report.
    found = json.loads(report.read_text(encoding="utf-8"))
    return [
        Check(
            one["id"],
            one["success"],
            one["severity"] == "critical",
            one["meaning"],
            one["to_do"],
            one["failures"],
        )
        for one in found["expectations"]
    ]


def _run(command: Sequence[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=PROJECT_DIR,
        env=environment(environ),
        capture_output=True,
        text=True,
        check=False,
    )


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """What people are to read: the sentences, else the events."""
    return done.stderr.strip() or done.stdout.strip()


def _run_id(events: str) -> str:
    """The id of a run, from the first of its events; empty where it did not begin."""
    first, _, _ = events.partition("\n")
    try:
        return str(json.loads(first)["run_id"])
    except (ValueError, KeyError, TypeError):
        return ""
