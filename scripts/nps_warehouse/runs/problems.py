"""What can go wrong in a run: the exit code of it, and a sentence for who reads the mail."""

from __future__ import annotations

import re

import duckdb

from nps_warehouse.exit_codes import (
    BAD_INPUT,
    CRITICAL_FAILED,
    INTERNAL,
    LOCKED,
    UNREACHABLE,
)
from nps_warehouse.gates.expectations import BadInputError
from nps_warehouse.privacy.suppression import SuppressionError
from nps_warehouse.runs.lock import LockedError
from nps_warehouse.state.store import StateError

_LOCKED = re.compile(r"set lock on file|conflicting lock|another (program|process) has", re.I)
_UNREACHABLE = re.compile(
    r"no space left|disk quota|file too large|read-only file system|permission denied|"
    r"input/output error|too many open files|IO Error|could not (write|read|open|create|fsync)|"
    r"cannot open file|can't be opened|out of memory|there is no folder",
    re.I,
)
_DAMAGED = re.compile(
    r"corrupt|checksum|serialization error|failed to deserialize|not a valid DuckDB database|"
    r"failure while replaying WAL",
    re.I,
)
_BOILERPLATE = re.compile(
    r"^(Runtime Error|Database Error|Compilation Error|Invalid Input Error|Encountered an error:?)"
    r"[^:\n]*:?\s*$",
    re.M,
)


class StepError(Exception):
    """A step did not do what it was to do; the text says why, and what to do."""

    def __init__(self, exit_code: int, text: str) -> None:
        """An error.

        Args:
            exit_code: one of `nps_warehouse.exit_codes`.
            text: for people.
        """
        super().__init__(text)
        self.exit_code = exit_code

    @property
    def stops(self) -> bool:
        """Whether a gate or a data test stopped the run: all worked, and it must not go out."""
        return self.exit_code == CRITICAL_FAILED


class InterruptedRunError(Exception):
    """A signal ended the run."""

    def __init__(self, signal_number: int, name: str) -> None:
        """An error.

        Args:
            signal_number: of the signal.
            name: its name.
        """
        super().__init__(f"It was interrupted by {name}; the next run goes on from what is there.")
        self.exit_code = 128 + signal_number
        """What shells say of a process that a signal ended."""


def exit_code_of(problem: BaseException) -> int:
    """The exit code that a problem ends a run with.

    Args:
        problem: what a step raised.
    """
    # Errors of this project's commands know it themselves.
    own = getattr(problem, "exit_code", None)
    if isinstance(own, int):
        return own
    if isinstance(problem, LockedError):
        return LOCKED
    if isinstance(problem, (BadInputError, SuppressionError)):
        return BAD_INPUT
    if isinstance(problem, StateError):
        return LOCKED if is_lock(str(problem)) else UNREACHABLE
    if isinstance(problem, duckdb.Error):
        return exit_code_of_text(str(problem))
    if isinstance(problem, (OSError, MemoryError)):
        return UNREACHABLE
    return INTERNAL


def exit_code_of_text(text: str) -> int:
    """The same, of a message that is all there is.

    Args:
        text: what DuckDB, or dbt, said.
    """
    if is_lock(text):
        return LOCKED
    return UNREACHABLE if _UNREACHABLE.search(text) else INTERNAL


def is_lock(text: str) -> bool:
    """Whether a message says that another program has the file open.

    Args:
        text: what DuckDB, or dbt, said.
    """
    return _LOCKED.search(text) is not None


def is_damage(text: str) -> bool:
    """Whether a message says that a DuckDB file is torn.

    Args:
        text: what DuckDB, or dbt, said.
    """
    return _DAMAGED.search(text) is not None and not is_lock(text)


def plain(message: str) -> str:
    """A message of dbt without its headings, on one line.

    Args:
        message: what dbt said.
    """
    return " ".join(_BOILERPLATE.sub("", message).split())
