"""Programs of an engine's own environment, as a user of it runs them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from conftest import PROJECT


def command(engine: str, program: str, *arguments: str | Path) -> list[str]:
    """A command line of a program of the environment `.venv-ENGINE`."""
    return [str(PROJECT / f".venv-{engine}" / "bin" / program), *map(str, arguments)]


def surroundings(folder: Path, own: Mapping[str, str | Path]) -> dict[str, str]:
    """Environment variables under which whatever is written goes to a folder.

    Args:
        folder: for state, targets and logs.
        own: the engine's variables.
    """
    found = {name: value for name, value in os.environ.items() if not name.startswith("NPS_")}
    return found | {
        "NPS_STATE_DIR": str(folder / "state"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "PYTHONPATH": str(PROJECT / "scripts"),
        "DO_NOT_TRACK": "1",
        **{name: str(value) for name, value in own.items()},
    }
