"""What runs have left in their folders: what they told, what their gates found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nps_warehouse.gates.expectations import CRITICAL
from nps_warehouse.runs.record import run_folders

FILE_NAME = "alerts.json"

Told = dict[str, Any]
"""The content of an alerts.json."""


def read_told(file: Path) -> Told | None:
    """What an alerts.json says; None where it is not there or is none.

    Args:
        file: its path.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and "alerts" in content else None


def told_before(runs_dir: Path, run_id: str) -> tuple[str, Mapping[str, Mapping[str, Any]]]:
    """The run before that told anything, `` without one, and its alerts by fingerprint.

    Args:
        runs_dir: the folder of all runs.
        run_id: the run that tells now; only runs before it count.
    """
    for folder in reversed(run_folders(runs_dir)):
        if folder.name >= run_id:
            continue
        told = read_told(folder / FILE_NAME)
        if told is not None:
            return folder.name, {alert["fingerprint"]: alert for alert in told["alerts"]}
    return "", {}


def broken_expectations(folder: Path) -> list[str]:
    """Ids of the critical expectations that the gates of a run found broken.

    Args:
        folder: the run's own, with the gates' reports.
    """
    broken = []
    for report in sorted(folder.glob("check_*.json")):
        try:
            content = json.loads(report.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        broken += [
            str(one["id"])
            for one in content["expectations"]
            if not one["success"] and one["severity"] == CRITICAL
        ]
    return broken
