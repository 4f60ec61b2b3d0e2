"""One at a time: whatever writes the warehouse, the state or what is published holds one lock.

The system frees it when the process that holds it is gone, however it went: a lock file that is
left lying around is no lock. Who holds it stands in a file beside it, for the message only.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import click
from filelock import FileLock, Timeout

from nps_warehouse import durable
from nps_warehouse.exit_codes import LOCKED, UNREACHABLE
from nps_warehouse.state.store import state_file

LOCK_NAME = "nps.lock"
HOLDER_NAME = "nps.lock.json"


P = ParamSpec("P")
R = TypeVar("R")


class LockedError(Exception):
    """Another process is at work; the text says which."""


@contextmanager
def at_work(
    environ: Mapping[str, str] = os.environ,
    wait: float = 0,
    *,
    command: str = "nps",
) -> Iterator[None]:
    """Be the only one at work on a state and what is built and published with it.

    Args:
        environ: environment variables; the lock is in NPS_STATE_DIR.
        wait: seconds to wait for another process to end.
        command: what is at work, for the message of who comes meanwhile.

    Raises:
        LockedError: another process still is at work.
        OSError: the lock cannot be made.
    """
    folder = state_file(environ).absolute().parent
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK_NAME, timeout=max(0, wait), mode=0o640, fallback_to_soft=False)
    holder = folder / HOLDER_NAME
    try:
        lock.acquire()
    except Timeout:
        waited = f" after {wait:g} seconds of waiting" if wait > 0 else ""
        raise LockedError(
            f"another process is at work{waited}: {_said(holder)}. Nothing was changed; run again "
            "when it is done, or let --wait wait for it."
        ) from None
    try:
        _say(holder, command)
        yield
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def alone(command: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator for click commands that must be the only one at work.

    Args:
        command: what is at work, for the message of who comes meanwhile.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def locked(*given: P.args, **named: P.kwargs) -> R:
            with ExitStack() as stack:
                try:
                    stack.enter_context(at_work(command=command))
                except (LockedError, OSError) as problem:
                    click.echo(f"Error: {problem}", err=True)
                    code = LOCKED if isinstance(problem, LockedError) else UNREACHABLE
                    raise click.exceptions.Exit(code) from None
                return function(*given, **named)

        return locked

    return decorate


def _say(holder: Path, command: str) -> None:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    who = {"command": command, "pid": os.getpid(), "host": socket.gethostname(), "since": at}
    durable.write(holder, json.dumps(who))


def _said(holder: Path) -> str:
    try:
        who = json.loads(holder.read_text(encoding="utf-8"))
        return f"{who['command']}, process {who['pid']} on {who['host']}, since {who['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "it does not say which"
