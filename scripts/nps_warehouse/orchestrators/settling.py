"""Whether a delivery is whole: nobody has written to the folder for a while.

Nobody says when the last file of a delivery has arrived. So a folder is looked at again and again,
and what it looked like last is kept by who looks.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

SETTLED_SECONDS = 120.0
"""A folder that did not change for so long is taken to be whole."""


@dataclass(frozen=True)
class Watched:
    """What is known of a folder.

    `seen` is what it looked like at the last look, `since` the time from which on it has looked so
    (seconds since 1970), `started` what it looked like when a run was last started for it.
    """

    seen: str = ""
    since: float = 0.0
    started: str = ""

    def to_json(self) -> str:
        """As text, for an orchestrator to keep."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | None) -> Watched:
        """What `to_json` wrote; nothing is known where there is no text.

        Args:
            text: kept from an earlier look.
        """
        return cls(**json.loads(text)) if text else cls()


def look(
    folder: Path, known: Watched, now: float, settled: float = SETTLED_SECONDS
) -> tuple[Watched, bool]:
    """Look at a folder; says whether a run has to start now, once for what is there.

    Args:
        folder: that others deliver into.
        known: from the last look.
        now: seconds since 1970.
        settled: seconds without a change after which it is whole.

    Raises:
        OSError: the folder cannot be read.
    """
    seen = _digest(folder)
    if seen != known.seen:
        return replace(known, seen=seen, since=now), False
    if not seen or seen == known.started or now - known.since < settled:
        return known, False
    return replace(known, started=seen), True


def _digest(folder: Path) -> str:
    """What tells that a delivery is another; empty where no file is there."""
    found = []
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(path) / name
            try:
                state = file.stat()
            except FileNotFoundError:
                # Gone between the listing and the look: the next look sees another folder.
                continue
            if not name.startswith("."):
                relative = file.relative_to(folder).as_posix()
                found.append((relative, state.st_size, state.st_mtime_ns, state.st_ino))
    if not found:
        return ""
    return hashlib.sha256(json.dumps(sorted(found)).encode()).hexdigest()
