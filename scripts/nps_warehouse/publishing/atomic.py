"""Publishes a version, shows an older one, and ends what a crash has interrupted.

Before anything is made, the journal says what is being done. Then, in this order: the version's
file and its sidecar are on disk; the state records the publication, which decides; the version is
shown; the journal goes. `repair` reads the journal: a publication that the state has recorded is
shown, of any other nothing stays.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from nps_warehouse import exit_codes
from nps_warehouse.durable import FRESH, on_disk, put, write
from nps_warehouse.landing import sql
from nps_warehouse.privacy.suppression import SuppressionError
from nps_warehouse.publishing import copying
from nps_warehouse.publishing.place import (
    SIDECAR,
    SUFFIX,
    Place,
    PublishingError,
    checked_id,
    keep_of,
    link,
    locked,
    place_of,
    unreachable,
)
from nps_warehouse.publishing.versions import (
    Version,
    ids_in,
    kept_in,
    read_version,
    shown_at,
    version_at,
    write_sidecar,
)
from nps_warehouse.state.publication import record
from nps_warehouse.state.store import StateError, attached, state_file
from nps_warehouse.warehouse import warehouse_file

STEPS = ("journal", "copy", "file", "sidecar", "record", "show", "journal gone", "old gone")
"""What publishing does, in its order; a crash may come after any of them."""

Progress = Callable[[str], None]


def _nobody(step: str) -> None:
    """Nobody is told of a step."""
    del step


PUBLISH, ROLLBACK = "publish", "rollback"


@dataclass(frozen=True)
class Doing:
    """What the journal says is being done."""

    action: str
    version_id: str
    left: str | None
    at: str


def new_run_id(now: datetime) -> str:
    """An id for what is published without a run: its time, and six figures of chance.

    Args:
        now: the time, UTC.
    """
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def publish(
    run_id: str | None = None,
    *,
    warehouse: Path | None = None,
    folder: Path | None = None,
    keep: int | None = None,
    now: datetime | None = None,
    environ: Mapping[str, str] = os.environ,
    also: copying.Also | None = None,
    progress: Progress = _nobody,
) -> Version:
    """Show what a warehouse holds to those who read, or change nothing.

    A build that was published already is not published again: what is returned then is the version
    that has it, whose `run_id` is that of the run that made it.

    Args:
        run_id: the run, which names the version; by default one of this call.
        warehouse: the DuckDB file that was built; by default NPS_WAREHOUSE.
        folder: the folder of published files; by default NPS_PUBLISHED_DIR.
        keep: how many versions are kept, 1 or more; by default NPS_KEEP, else 7.
        now: the time, UTC.
        environ: environment variables: the folders, the state, the salts.
        also: writes more tables into the version.
        progress: is told each of STEPS when it is done.

    Raises:
        PublishingError: nothing was published; `exit_code` says of what kind the reason is.
    """
    moment = now or datetime.now(UTC)
    kept = keep_of(environ) if keep is None else keep
    version_id = checked_id(run_id or new_run_id(moment))
    place = place_of(folder, environ, make=True)
    with locked(place):
        _repair(place, environ)
        try:
            return _publish(
                place, version_id, warehouse or warehouse_file(), kept, moment, environ, also,
                progress,
            )  # fmt: skip
        except (OSError, duckdb.Error, StateError, SuppressionError, PublishingError) as problem:
            # What failed may have been recorded before it failed; then it is shown after all.
            _repair(place, environ)
            shown = shown_at(place)
            if shown is not None and shown.id == version_id:
                return shown
            raise as_publishing_error(problem) from problem


def _publish(
    place: Place,
    version_id: str,
    warehouse: Path,
    keep: int,
    now: datetime,
    environ: Mapping[str, str],
    also: copying.Also | None,
    progress: Progress,
) -> Version:
    fresh = place.versions / f".{version_id}{SUFFIX}{FRESH}"
    with copying.attached(warehouse, place.versions / f".{version_id}.spill{FRESH}") as connection:
        built = copying.built(connection, warehouse)
        published = _published_already(place, built, environ)
        if published is not None:
            return published
        if built.as_of is None:
            raise PublishingError(f"{warehouse} holds no data, so there is nothing to publish")
        if place.file(version_id).exists() or version_id in _recorded(environ):
            raise PublishingError(f"there is a version {version_id} already")
        version = Version(
            version_id, version_id, place.file(version_id), now.astimezone(UTC), built.as_of,
            built.responses, built.nps,
        )  # fmt: skip
        shown = shown_at(place)
        _begin(place, Doing(PUBLISH, version_id, shown.id if shown else None, now.isoformat()))
        progress("journal")
        copying.make(connection, fresh, version, built, also)
    copying.prove(fresh, version, built)
    progress("copy")
    put(fresh, version.file)
    progress("file")
    write_sidecar(place, version)
    progress("sidecar")
    record(version_id, warehouse=warehouse, environ=environ)
    progress("record")
    link(version.file, place.shown)
    progress("show")
    _end(place)
    progress("journal gone")
    _prune(place, keep)
    progress("old gone")
    return version


def _published_already(
    place: Place, built: copying.Built, environ: Mapping[str, str]
) -> Version | None:
    """The version that has this very build; None where the build is new.

    Raises:
        PublishingError: the build is older than the last publication, and none of ours.
    """
    recorded = _recorded(environ)
    last = len(recorded)
    if built.after_publication == last:
        return None
    version = None
    if built.after_publication == last - 1:
        try:
            version = version_at(place, recorded[-1])
        except PublishingError:
            version = None
    if version is not None and version.as_of == built.as_of:
        with duckdb.connect() as connection:
            connection.execute(f"attach {sql.text(str(version.file))} as kept (read_only)")
            rows = copying.rows_of(connection, "kept")
        if all(rows.get(name) == count for name, count in built.rows.items()):
            return version
    raise PublishingError(
        f"the warehouse was built after publication {built.after_publication}, and {last} is the "
        "last one: what has changed since is known after the next build, so build again"
    )


def _recorded(environ: Mapping[str, str]) -> list[str]:
    """Ids of the publications that the state has, the first one first."""
    file = state_file(environ)
    if not file.exists():
        return []
    with attached(file, read_only=True) as connection:
        rows = connection.execute(
            "select publication_id from state.publications order by publication_number"
        ).fetchall()
    return [str(row[0]) for row in rows]


def rollback(
    folder: Path | None = None,
    version_id: str | None = None,
    *,
    now: datetime | None = None,
    environ: Mapping[str, str] = os.environ,
    progress: Progress = _nobody,
) -> Version:
    """Show a version that is kept; the next publication shows its own again.

    The state still has every publication: what changed since then is told from the last one, not
    from the one that is shown.

    Args:
        folder: the folder of published files; by default NPS_PUBLISHED_DIR.
        version_id: which one; by default the one before the one that is shown.
        now: the time, UTC.
        environ: environment variables.
        progress: is told each step when it is done.

    Raises:
        PublishingError: there is no such version, or it can't be read; nothing has changed.
    """
    moment = now or datetime.now(UTC)
    place = place_of(folder, environ, make=True)
    with locked(place):
        _repair(place, environ)
        shown = shown_at(place)
        version = _chosen(place, shown, version_id)
        if read_version(version.file).id != version.id:
            raise PublishingError(f"{version.file} is another version than its name says")
        _readable(version.file)
        try:
            doing = Doing(ROLLBACK, version.id, shown.id if shown else None, moment.isoformat())
            _begin(place, doing)
            progress("journal")
            link(version.file, place.shown)
            progress("show")
            _note(place, doing)
            progress("note")
            _end(place)
            progress("journal gone")
        except OSError as problem:
            raise unreachable(problem) from problem
    return version


def _chosen(place: Place, shown: Version | None, version_id: str | None) -> Version:
    kept = kept_in(place)
    if version_id is not None:
        version = version_at(place, version_id)
        if version is None:
            known = ", ".join(one.id for one in kept) or "none"
            raise PublishingError(f"there is no version {version_id}; kept are: {known}")
        return version
    if shown is None:
        raise PublishingError("nothing was published yet, so there is nothing to go back to")
    before = [one for one in kept if (one.published_at, one.id) < (shown.published_at, shown.id)]
    if not before:
        raise PublishingError(f"no version before {shown.id} is kept")
    return before[0]


def _readable(file: Path) -> None:
    """Read every table to its end.

    Raises:
        PublishingError: one can't be.
    """
    try:
        with duckdb.connect() as connection:
            connection.execute(f"attach {sql.text(str(file))} as version (read_only)")
            for schema, name in copying.relations(connection, "version"):
                relation = f"version.{sql.name(schema)}.{sql.name(name)}"
                connection.execute(f"select hash(one) from {relation} as one").fetchall()
    except duckdb.Error as problem:
        reason = str(problem).splitlines()[0]
        raise PublishingError(f"{file} can't be read to its end: {reason}") from None


def repair(folder: Path | None = None, environ: Mapping[str, str] = os.environ) -> list[str]:
    """End what was interrupted, forwards or backwards, and say what was done in sentences.

    Args:
        folder: the folder of published files; by default NPS_PUBLISHED_DIR.
        environ: environment variables: the folders and the state.

    Raises:
        PublishingError: it can't be done now: somebody publishes, the disk or the state can't be
            used. What is shown is what was.
    """
    place = place_of(folder, environ, make=True)
    with locked(place):
        return _repair(place, environ)


def _repair(place: Place, environ: Mapping[str, str]) -> list[str]:
    try:
        done = _settle(place, environ)
        return done + _tidy(place)
    except (OSError, duckdb.Error, StateError) as problem:
        raise as_publishing_error(problem) from problem


def _settle(place: Place, environ: Mapping[str, str]) -> list[str]:
    """Do what the journal says to its end, or undo it."""
    doing = _doing(place)
    if doing is None:
        return []
    said = []
    if doing.action == ROLLBACK:
        version = version_at(place, doing.version_id)
        if version is not None:
            link(version.file, place.shown)
            _note(place, doing)
            said.append(f"An interrupted rollback was ended: {version.id} is shown.")
    elif doing.version_id in _recorded(environ):
        version = version_at(place, doing.version_id)
        if version is None:
            said.append(
                f"Publication {doing.version_id} is recorded and its file is gone; what was shown "
                "before still is, until the next publication."
            )
        else:
            _readable(version.file)
            write_sidecar(place, version)
            link(version.file, place.shown)
            said.append(f"An interrupted publication was ended: {version.id} is shown.")
    else:
        for file in (place.file(doing.version_id), place.sidecar(doing.version_id)):
            file.unlink(missing_ok=True)
        on_disk(place.versions)
        said.append(
            f"An interrupted publication, {doing.version_id}, was taken back: what was shown "
            "before still is."
        )
    _end(place)
    return said


def _tidy(place: Place) -> list[str]:
    """Remove files that were being written, and what is left of versions that were removed."""
    said = []
    for file in sorted([*place.folder.glob(".*"), *place.versions.glob(".*")]):
        # A DuckDB file that is being written has its log beside it.
        if not file.name.endswith((FRESH, f"{FRESH}.wal")) or file.is_symlink():
            continue
        if file.is_dir():
            shutil.rmtree(file)
        else:
            file.unlink()
        said.append(f"Removed {file.name}, which was being written.")
    with_file = set(ids_in(place.versions, SUFFIX))
    for version_id in ids_in(place.versions, SIDECAR):
        if version_id not in with_file:
            place.sidecar(version_id).unlink()
            said.append(f"Removed what was left of version {version_id}.")
    for version_id in with_file - set(ids_in(place.versions, SIDECAR)):
        version = version_at(place, version_id)
        if version is not None:
            write_sidecar(place, version)
            said.append(f"Wrote anew what version {version_id} holds.")
    return said


def _prune(place: Place, keep: int) -> None:
    """Remove versions but the newest ones and the one that is shown."""
    shown = shown_at(place)
    for version in kept_in(place)[max(1, keep) :]:
        if shown is None or version.id != shown.id:
            # Who has it open keeps it.
            version.file.unlink()
            place.sidecar(version.id).unlink(missing_ok=True)
    on_disk(place.versions)


def _begin(place: Place, doing: Doing) -> None:
    content = {
        "action": doing.action, "version_id": doing.version_id, "from": doing.left, "at": doing.at,
    }  # fmt: skip
    write(place.journal, json.dumps(content) + "\n")


def _doing(place: Place) -> Doing | None:
    try:
        content = json.loads(place.journal.read_text(encoding="utf-8"))
        return Doing(
            str(content["action"]), checked_id(content["version_id"]), content["from"],
            str(content["at"]),
        )  # fmt: skip
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise PublishingError(
            f"{place.journal} is no journal of a publication; it is written whole, so somebody "
            "changed it. Compare what is shown (nps versions) with `nps publication list`, then "
            "remove it"
        ) from None


def _end(place: Place) -> None:
    place.journal.unlink()
    on_disk(place.folder)


def _note(place: Place, doing: Doing) -> None:
    """Write a rollback down, once."""
    line = json.dumps({"at": doing.at, "from": doing.left, "shown": doing.version_id})
    text = place.rollbacks.read_text(encoding="utf-8") if place.rollbacks.exists() else ""
    if line not in text.splitlines():
        write(place.rollbacks, text + line + "\n")


def as_publishing_error(problem: Exception) -> PublishingError:
    """What went wrong, with the exit code for it.

    Args:
        problem: the error.
    """
    if isinstance(problem, PublishingError):
        return problem
    if copying.is_disk(problem):
        return unreachable(problem)
    if isinstance(problem, StateError):
        busy = "another program has it open" in str(problem)
        return PublishingError(str(problem), exit_codes.LOCKED if busy else exit_codes.BAD_INPUT)
    if isinstance(problem, SuppressionError):
        return PublishingError(str(problem))
    return PublishingError(str(problem).splitlines()[0], exit_codes.INTERNAL)
