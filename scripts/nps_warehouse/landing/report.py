"""What the landing found: problems that stop the build, and warnings."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

MOST_NAMES = 20
LONGEST_NAME = 200


@dataclass
class Report:
    """Complete, readable messages; a non-empty `errors` means that nothing was landed."""

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def error(self, message: str) -> None:
        """Add a problem that stops the build."""
        self.errors.append(message)

    def warn(self, message: str) -> None:
        """Add a warning."""
        self.warnings.append(message)

    def to_json(self) -> str:
        """The two lists as a JSON object."""
        return json.dumps({"errors": self.errors, "warnings": self.warnings}, ensure_ascii=False)


class FileError(Exception):
    """A delivered file cannot be used; the text says which, why and what to do."""


def name_list(names: Iterable[str], nothing: str = "nothing") -> str:
    """The names with commas between, cut after twenty, long ones shortened, or `nothing`."""
    # What is taken for a name may be a line of data, or a file without line ends.
    every = [n if len(n) <= LONGEST_NAME else f"{n[: LONGEST_NAME - 1]}…" for n in names]
    if not every:
        return nothing
    shown = ", ".join(every[:MOST_NAMES])
    more = len(every) - MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
