"""Advisories in the Open Source Vulnerability format, from a folder: which releases they name.

pip-audit asks a service for them. A folder works where no service can be reached, and its date says
what it can know: a copy of the repository pypa/advisory-database, or an export of OSV.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version


@dataclass(frozen=True)
class Advisory:
    """One record: its names, and what it says of PyPI's projects, as OSV's `affected`."""

    id: str
    aliases: tuple[str, ...]
    modified: datetime
    affected: tuple[Mapping[str, Any], ...]


class AdvisoryError(Exception):
    """A record can't be read; the text says which and why."""


def read_advisories(folder: Path) -> Iterator[Advisory]:
    """Every advisory on a project of PyPI that was not withdrawn.

    Args:
        folder: with records as YAML or JSON, at any depth.

    Raises:
        AdvisoryError: a file is no record.
        OSError: a file can't be read.
    """
    for file in sorted(folder.rglob("*")):
        if file.suffix not in (".yaml", ".yml", ".json") or not file.is_file():
            continue
        record = _parsed(file)
        # Configuration beside the records has no id.
        if record is None or record.get("withdrawn"):
            continue
        affected = tuple(
            one
            for one in record.get("affected", ())
            if one.get("package", {}).get("ecosystem") == "PyPI"
        )
        if affected:
            yield Advisory(
                record["id"], tuple(record.get("aliases", ())), _instant(record), affected
            )


def affects(advisory: Advisory, name: str, version: Version) -> bool:
    """Whether a release is affected.

    OSV schema, "Evaluation": listed among the versions, or inside one of the ranges.

    Args:
        advisory: the record.
        name: of the project, canonical.
        version: the release.
    """
    return any(
        canonicalize_name(one["package"]["name"]) == name
        and (_is_listed(one, version) or _is_in_a_range(one, version))
        for one in advisory.affected
    )


def _is_listed(affected: Mapping[str, Any], version: Version) -> bool:
    return any(_version(text) == version for text in affected.get("versions", ()))


def _is_in_a_range(affected: Mapping[str, Any], version: Version) -> bool:
    for limits in affected.get("ranges", ()):
        if limits.get("type") != "ECOSYSTEM":
            # Commits, which no lock names.
            continue
        vulnerable = False
        events = [
            (at, kind)
            for event in limits.get("events", ())
            for kind, text in event.items()
            if (at := _version("0.dev0" if str(text) == "0" else text)) is not None
        ]
        # Where one range ends and the next begins with the same release, it is affected.
        for at, kind in sorted(events, key=lambda event: (event[0], event[1] == "introduced")):
            if kind == "introduced" and version >= at:
                vulnerable = True
            elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
                vulnerable = False
        if vulnerable:
            return True
    return False


def _version(text: object) -> Version | None:
    try:
        return Version(str(text))
    except InvalidVersion:
        # Releases from before PEP 440; no lock can name one.
        return None


def _parsed(file: Path) -> dict[str, Any] | None:
    text = file.read_text(encoding="utf-8")
    try:
        if file.suffix == ".json":
            record = json.loads(text)
        else:
            # Strings only: a version 1.10 is no number.
            record = yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except (ValueError, yaml.YAMLError) as problem:
        raise AdvisoryError(f"{file}: {str(problem).splitlines()[0]}") from None
    return record if isinstance(record, dict) and "id" in record else None


def _instant(record: Mapping[str, Any]) -> datetime:
    instant = datetime.fromisoformat(str(record["modified"]))
    return instant.replace(tzinfo=instant.tzinfo or UTC)
