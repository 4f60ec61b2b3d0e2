"""Versions: what is kept of what was published, and which one is shown."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from nps_warehouse.durable import write
from nps_warehouse.landing import sql
from nps_warehouse.publishing.place import SUFFIX, Place, PublishingError, checked_id, place_of

TABLE = "quality.published_version"
"""One row in every version: which one it is. A reader's tables are all of that one."""


@dataclass(frozen=True)
class Version:
    """A published version.

    Attributes:
        id: its name, and the state's publication_id.
        run_id: the run that made it.
        file: its DuckDB file.
        published_at: when it was made, UTC.
        as_of: the "now" of its numbers, UTC.
        responses: all accepted answers.
        nps: their score, points; None without any.
    """

    id: str
    run_id: str
    file: Path
    published_at: datetime
    as_of: datetime | None
    responses: int
    nps: float | None


@dataclass(frozen=True)
class Rollback:
    """An older version that was shown again."""

    at: datetime
    left: str | None
    shown: str


def utc(moment: datetime) -> datetime:
    """A moment in UTC; one without a zone, as DuckDB gives it, is UTC already.

    Args:
        moment: the moment.
    """
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def read_version(file: Path, at: Path | None = None) -> Version:
    """What a published file says of itself.

    Args:
        file: a DuckDB file that was published.
        at: the file that the answer names, if another one.

    Raises:
        PublishingError: it can't be opened or is no published file.
    """
    try:
        with duckdb.connect() as connection:
            connection.execute(f"attach {sql.text(str(file))} as shown (read_only)")
            row = connection.execute(
                f"select version_id, run_id, published_at, as_of, responses, nps from shown.{TABLE}"
            ).fetchone()
    except duckdb.Error as problem:
        reason = str(problem).splitlines()[0]
        raise PublishingError(f"{file} can't be read as a published file: {reason}") from None
    if row is None:
        raise PublishingError(f"{file} does not say which version it is")
    known = None if row[3] is None else utc(row[3])
    return Version(row[0], row[1], at or file, utc(row[2]), known, int(row[4]), row[5])


def write_sidecar(place: Place, version: Version) -> None:
    """Write down beside a version's file what is in it.

    Args:
        place: where it is published.
        version: the version.
    """
    content = {
        "version_id": version.id,
        "run_id": version.run_id,
        "published_at": version.published_at.isoformat(),
        "as_of": version.as_of.isoformat() if version.as_of else None,
        "responses": version.responses,
        "nps": version.nps,
    }
    write(place.sidecar(version.id), json.dumps(content, indent=2) + "\n")


def version_at(place: Place, version_id: str) -> Version | None:
    """A version of the folder; None where there is no such file.

    Args:
        place: where it is published.
        version_id: its id.

    Raises:
        PublishingError: it is no id, or the file can't be read.
    """
    file = place.file(version_id)
    if file.is_symlink() or not file.is_file():
        return None
    try:
        content = json.loads(place.sidecar(version_id).read_text(encoding="utf-8"))
        as_of = content["as_of"]
        return Version(
            version_id,
            str(content["run_id"]),
            file,
            utc(datetime.fromisoformat(content["published_at"])),
            utc(datetime.fromisoformat(as_of)) if as_of else None,
            int(content["responses"]),
            content["nps"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        # Its sidecar is lost; the file itself knows.
        return read_version(file)


def ids_in(folder: Path, suffix: str) -> list[str]:
    """Ids of the files of a kind in a folder; what has another name is nobody's here.

    Args:
        folder: the folder of versions.
        suffix: SUFFIX or SIDECAR.
    """
    found = []
    for file in sorted(folder.glob(f"*{suffix}")):
        name = file.name.removesuffix(suffix)
        try:
            checked_id(name)
        except PublishingError:
            continue
        if not file.is_symlink() and file.is_file():
            found.append(name)
    return found


def versions(folder: Path | None = None, environ: Mapping[str, str] = os.environ) -> list[Version]:
    """The versions that are kept, the newest first; one that can't be read is left out.

    Args:
        folder: the folder of published files; by default NPS_PUBLISHED_DIR.
        environ: environment variables.

    Raises:
        PublishingError: the folder can't be used.
    """
    return kept_in(place_of(folder, environ))


def kept_in(place: Place) -> list[Version]:
    """The same, of a place.

    Args:
        place: where they are published.
    """
    found = []
    for version_id in ids_in(place.versions, SUFFIX):
        try:
            version = version_at(place, version_id)
        except PublishingError:
            continue
        if version is not None:
            found.append(version)
    return sorted(found, key=lambda one: (one.published_at, one.id), reverse=True)


def current(folder: Path | None = None, environ: Mapping[str, str] = os.environ) -> Version | None:
    """The version that is shown; None where nothing was published yet.

    Args:
        folder: the folder of published files; by default NPS_PUBLISHED_DIR.
        environ: environment variables.

    Raises:
        PublishingError: the folder can't be used, or what is shown can't be read.
    """
    return shown_at(place_of(folder, environ))


def shown_at(place: Place) -> Version | None:
    """The same, of a place.

    Args:
        place: where it is published.

    Raises:
        PublishingError: what is shown can't be read.
    """
    if not place.shown.is_file():
        return None
    for version_id in ids_in(place.versions, SUFFIX):
        # Whoever publishes meanwhile may remove it.
        with suppress(FileNotFoundError):
            if place.file(version_id).samefile(place.shown):
                return version_at(place, version_id)
    # A copy, where there are no hard links, or a version that somebody removed.
    named = read_version(place.shown)
    file = place.file(named.id)
    return read_version(place.shown, file if file.is_file() else None)


def rollbacks_of(place: Place) -> list[Rollback]:
    """When older versions were shown again, the oldest first.

    Args:
        place: where it is published.
    """
    try:
        lines = place.rollbacks.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        content = json.loads(line)
        found.append(
            Rollback(utc(datetime.fromisoformat(content["at"])), content["from"], content["shown"])
        )
    return found
