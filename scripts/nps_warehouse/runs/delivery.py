"""Takes what is delivered: a copy that nobody writes to, made of files that stood still.

Whatever others do in their folder while a run goes on, its steps see one state of every file. A
file that did not change since it was taken is not copied again.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nps_warehouse.durable import FRESH, put, write
from nps_warehouse.exit_codes import BAD_INPUT
from nps_warehouse.landing.contract import load_contract
from nps_warehouse.landing.discover import SourceFile, discover
from nps_warehouse.landing.report import Report
from nps_warehouse.runs.problems import StepError

TAKEN = ".taken.json"
"""What every file was when it was taken, and what its copy is."""
"""Ends the name of a copy that is being made."""

ATTEMPTS = 6
FIRST_PAUSE_SECONDS = 0.25
RACY_SECONDS = 2.0
"""File systems tell times apart no better than this: a file written so recently may be written
again without another time. Nor is it whole, perhaps: whoever writes it may only pause. A new file
is looked at again when it is this old."""

Look = tuple[int, int, int]
"""Size in bytes, time of the last change in nanoseconds, inode: what tells files apart."""


@dataclass(frozen=True)
class Delivered:
    """What was taken: counts of files, and what discovery had to say."""

    files: int
    copied: int
    removed: int
    warnings: tuple[str, ...]


class _MovingError(Exception):
    """A file was written while it was copied, or is gone."""


def take(delivered: Path, taken: Path) -> Delivered:
    """Make a folder hold what the delivered one holds, in one state of every file.

    Args:
        delivered: the folder of others; nothing is written there.
        taken: our folder; whatever else is in it is removed.

    Raises:
        StepError: there is no such folder, or a file is still being written or leads out of it.
        OSError: a file cannot be read or written.
    """
    root = Path(os.path.realpath(delivered))
    pause = FIRST_PAUSE_SECONDS
    moving = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(pause)
            pause *= 2
        try:
            return _take(root, taken)
        except _MovingError as problem:
            moving = str(problem)
    raise StepError(
        BAD_INPUT,
        f"{root / moving} is still being written: it changed each of the {ATTEMPTS} times it was "
        "read. Deliver under another name and rename when it is whole, or run when it is.",
    )


def clean(taken: Path) -> int:
    """Remove copies that a crash has left half made; returns how many.

    Args:
        taken: our folder; it need not exist.
    """
    leftovers = list(taken.rglob(f".*{FRESH}")) if taken.is_dir() else []
    for leftover in leftovers:
        leftover.unlink()
    return len(leftovers)


def _take(root: Path, taken: Path) -> Delivered:
    sources, warnings = _sources(root)
    taken.mkdir(mode=0o700, parents=True, exist_ok=True)
    known = _known(taken)
    now_known: dict[str, tuple[Look, Look]] = {}
    looks: dict[str, Look] = {}
    copied = 0
    for source in sources:
        copy = taken / source.relative
        look = looks[source.relative] = _look(source.path, source.relative)
        if known.get(source.relative) == (look, _look_or_none(copy)):
            now_known[source.relative] = known[source.relative]
            continue
        _copy(source, look, copy)
        copied += 1
        if time.time() - look[1] / 1e9 > RACY_SECONDS:
            now_known[source.relative] = (look, _look(copy, source.relative))
    if copied:
        newest = max(look[1] for look in looks.values()) / 1e9
        time.sleep(min(max(0.0, newest + RACY_SECONDS - time.time()), RACY_SECONDS))
    # Once more, all of them: what was replaced after it was read belongs to the next state.
    for source in sources:
        if _look(source.path, source.relative) != looks[source.relative]:
            raise _MovingError(source.relative)
    removed = _remove_others(taken, {source.relative for source in sources})
    _note(taken, now_known)
    return Delivered(len(sources), copied, removed, warnings)


def _sources(root: Path) -> tuple[list[SourceFile], tuple[str, ...]]:
    report = Report()
    # What is missing the landing says, which knows what adapters bring.
    tables = tuple(replace(table, required=False) for table in load_contract())
    try:
        found = discover(root, tables, report)
    except FileNotFoundError as problem:
        # Gone between the listing and the look at it.
        raise _MovingError(str(problem.filename)) from None
    if report.errors:
        raise StepError(BAD_INPUT, "\n".join(report.errors))
    sources = [source for files in found.values() for source in files]
    for source in sources:
        if not Path(os.path.realpath(source.path)).is_relative_to(root):
            raise StepError(
                BAD_INPUT,
                f"{source.path} leads out of the delivered folder, to "
                f"{os.path.realpath(source.path)}. Deliver the file itself.",
            )
    return sources, tuple(report.warnings)


def _look(path: Path, relative: str) -> Look:
    try:
        found = path.stat()
    except FileNotFoundError:
        raise _MovingError(relative) from None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _look_or_none(path: Path) -> Look | None:
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _copy(source: SourceFile, look: Look, copy: Path) -> None:
    """Copy a file that stands still; the copy is whole before it has its name."""
    if copy.parent.is_file():
        copy.parent.unlink()
    copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if copy.is_dir():
        shutil.rmtree(copy)
    fresh = copy.with_name(f".{copy.name}{FRESH}")
    fresh.unlink(missing_ok=True)
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as writing:
            try:
                with source.path.open("rb") as reading:
                    shutil.copyfileobj(reading, writing, 1 << 20)
            except FileNotFoundError:
                raise _MovingError(source.relative) from None
            written = writing.tell()
        if written != look[0] or _look(source.path, source.relative) != look:
            raise _MovingError(source.relative)
        put(fresh, copy, mode=None)
    finally:
        fresh.unlink(missing_ok=True)


def _remove_others(taken: Path, kept: set[str]) -> int:
    """Remove what is delivered no more; returns how many files."""
    removed = 0
    for folder, _, names in os.walk(taken, topdown=False):
        for name in names:
            path = Path(folder) / name
            relative = path.relative_to(taken).as_posix()
            if relative not in kept and relative != TAKEN:
                path.unlink()
                removed += 1
        if Path(folder) != taken and not any(Path(folder).iterdir()):
            Path(folder).rmdir()
    return removed


def _known(taken: Path) -> dict[str, tuple[Look, Look]]:
    try:
        content = json.loads((taken / TAKEN).read_text(encoding="utf-8"))
        return {
            str(name): (_as_look(source), _as_look(copy))
            for name, (source, copy) in content.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        # Nothing is known: everything is taken again.
        return {}


def _as_look(content: Sequence[int]) -> Look:
    size, changed, inode = map(int, content)
    return size, changed, inode


def _note(taken: Path, known: Mapping[str, tuple[Look, Look]]) -> None:
    write(taken / TAKEN, json.dumps(known), mode=0o600)
