"""The locks of requirements/: which releases they name, and whether each is held by its hashes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})(?=\s|$)")


@dataclass(frozen=True)
class Release:
    """A release that a lock names, for the machines that `marker` says (empty: all)."""

    lock: str
    name: str
    version: Version
    marker: str
    hashes: int


class LockError(Exception):
    """A line of a lock is no pinned release; the text says which and why."""


def read_lock(file: Path) -> list[Release]:
    """The releases of a lock.

    Args:
        file: requirements as pip reads them, without options but hashes.

    Raises:
        LockError: a line names no single release.
        OSError: it can't be read.
    """
    return [_release(file.name, line) for line in _lines(file.read_text(encoding="utf-8"))]


def problems_of(locks: Mapping[str, Sequence[Release]]) -> Iterator[str]:
    """What is wrong with locks: releases without a hash, or that differ from lock to lock.

    Args:
        locks: by file name. One environment holds several of them.
    """
    versions: dict[tuple[str, str], dict[Version, str]] = {}
    for lock, releases in locks.items():
        for release in releases:
            if not release.hashes:
                yield f"{lock}: {release.name} {release.version} has no hash"
            known = versions.setdefault((release.name, release.marker), {})
            known.setdefault(release.version, lock)
    for (name, _), found in sorted(versions.items()):
        if len(found) > 1:
            where = ", ".join(f"{version} in {lock}" for version, lock in sorted(found.items()))
            yield f"{name} is not the same everywhere: {where}"


def _lines(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").splitlines():
        content = re.sub(r"(^|\s)#.*", "", line).strip()
        if content:
            yield content


def _release(lock: str, line: str) -> Release:
    text = line.partition(" --hash")[0].strip()
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        raise LockError(f"{lock}: {text[:100]!r} is no requirement") from None
    pins = list(requirement.specifier)
    exact = len(pins) == 1 and pins[0].operator == "==" and "*" not in pins[0].version
    if requirement.url or not exact:
        raise LockError(f"{lock}: {requirement.name} is not pinned to one release")
    return Release(
        lock,
        canonicalize_name(requirement.name),
        Version(pins[0].version),
        str(requirement.marker or ""),
        len(_HASH.findall(line)),
    )
