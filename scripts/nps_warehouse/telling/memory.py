"""Which alerts were told before: what the runs before have left."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
