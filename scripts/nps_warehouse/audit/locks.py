"""The locks of requirements/: which releases they name, and whether each is held by its hashes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

_BESIDE = re.compile(r"^-r\s+(\S+)\.in\b", re.MULTILINE)
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
        file: requirements as pip reads them, without options but hashes and `--no-binary`.

    Raises:
        LockError: a line names no single release.
        OSError: it can't be read.
    """
    return [_release(file.name, line) for line in _lines(file.read_text(encoding="utf-8"))]


def held_together(folder: Path) -> dict[str, set[str]]:
    """By file name of a lock, the locks that one environment holds with it.

    Args:
        folder: with NAME.txt made from NAME.in, which names by `-r` what it is beside.
    """
    named = {
        file.stem: set(_BESIDE.findall(file.read_text(encoding="utf-8")))
        for file in folder.glob("*.in")
    }
    together: dict[str, set[str]] = {}
    for name in named:
        reached, to_go = {name}, [name]
        while to_go:
            new = named.get(to_go.pop(), set()) - reached
            reached |= new
            to_go += new
        together[f"{name}.txt"] = {f"{one}.txt" for one in reached}
    return together


def problems_of(
    locks: Mapping[str, Sequence[Release]], together: Mapping[str, set[str]]
) -> Iterator[str]:
    """What is wrong with locks: releases without a hash, or two in one environment.

    Args:
        locks: by file name.
        together: from `held_together`.
    """
    versions: dict[tuple[str, str], dict[str, Version]] = {}
    for lock, releases in locks.items():
        for release in releases:
            if not release.hashes:
                yield f"{lock}: {release.name} {release.version} has no hash"
            versions.setdefault((release.name, release.marker), {})[lock] = release.version
    for (name, _), found in sorted(versions.items()):
        for lock, version in sorted(found.items()):
            for other in sorted(together.get(lock, set()) & found.keys()):
                if found[other] != version:
                    yield f"{name} is {version} in {lock} and {found[other]} in {other}"


def _lines(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").splitlines():
        content = re.sub(r"(^|\s)#.*", "", line).strip()
        # What is packaged as source alone is named beside its release.
        if content and not content.startswith("--no-binary "):
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
