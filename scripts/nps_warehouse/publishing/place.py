"""Where published files are, how they are called, and who may publish."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from nps_warehouse import exit_codes
from nps_warehouse.durable import FILE_MODE, FRESH, put
from nps_warehouse.environ import whole_number
from nps_warehouse.landing.contract import PROJECT_DIR

FOLDER_VARIABLE = "NPS_PUBLISHED_DIR"
NAME_VARIABLE = "NPS_PUBLISHED_NAME"
KEEP_VARIABLE = "NPS_KEEP"
DEFAULT_FOLDER = PROJECT_DIR / "published"
DEFAULT_NAME = "nps.duckdb"
DEFAULT_KEEP = 7

SCHEMAS = ("marts", "quality", "reference")
"""What is published; raw, staging, categorized and the state are not."""

# DuckDB names a database after its file: the same name for a schema makes `marts.x` ambiguous.
RESERVED = (*SCHEMAS, "main", "temp", "system", "information_schema", "pg_catalog")
SUFFIX = ".duckdb"
SIDECAR = ".json"
FOLDER_MODE = 0o750

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(\.[A-Za-z0-9_-]{1,19}){0,2}")


class PublishingError(Exception):
    """Nothing was published, and what was before still stands; the text says why.

    Attributes:
        exit_code: one of nps_warehouse.exit_codes.
    """

    def __init__(self, text: str, exit_code: int = exit_codes.BAD_INPUT) -> None:
        """An error.

        Args:
            text: what is wrong and what to do.
            exit_code: how a command ends with it.
        """
        super().__init__(text)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Place:
    """A folder of published files; no path of it leads out of it."""

    folder: Path
    name: str

    @property
    def shown(self) -> Path:
        """The file that BI reads."""
        return self.folder / self.name

    @property
    def versions(self) -> Path:
        """The folder of versions."""
        return self.folder / "versions"

    @property
    def journal(self) -> Path:
        """What is being done, while it is."""
        return self.folder / "doing.json"

    @property
    def rollbacks(self) -> Path:
        """When an older version was shown again, a line each."""
        return self.folder / "rollbacks.jsonl"

    def file(self, version_id: str) -> Path:
        """The file of a version.

        Args:
            version_id: its id.

        Raises:
            PublishingError: it is no id, and so might lead out of the folder.
        """
        return self.versions / (checked_id(version_id) + SUFFIX)

    def sidecar(self, version_id: str) -> Path:
        """What is known of a version without opening it.

        Args:
            version_id: its id.

        Raises:
            PublishingError: it is no id.
        """
        return self.versions / (checked_id(version_id) + SIDECAR)


def checked_id(version_id: str) -> str:
    """An id that is a plain file name.

    Args:
        version_id: as it was given.

    Raises:
        PublishingError: it isn't.
    """
    if not _ID.fullmatch(version_id):
        raise PublishingError(
            f"{version_id!r} is no id of a run or version: letters, figures, `-`, `_` and single "
            "points, 100 at most"
        )
    return version_id


def place_of(
    folder: Path | None = None, environ: Mapping[str, str] = os.environ, *, make: bool = False
) -> Place:
    """The place of published files.

    Args:
        folder: the folder; by default the one that NPS_PUBLISHED_DIR names.
        environ: environment variables.
        make: whether folders that are not there are made.

    Raises:
        PublishingError: the name of the published file can't be taken, or a folder leads elsewhere.
    """
    given = folder or Path(environ.get(FOLDER_VARIABLE) or DEFAULT_FOLDER)
    place = Place(given.absolute(), checked_name(environ.get(NAME_VARIABLE) or DEFAULT_NAME))
    for path in (place.versions, place.shown):
        if path.is_symlink():
            raise PublishingError(f"{path} is a symbolic link; published files stay in {given}")
    if make:
        try:
            for path in (place.folder, place.versions):
                made(path)
        except OSError as problem:
            raise unreachable(problem) from None
    return place


def checked_name(name: str) -> str:
    """The name of the file that BI reads.

    Args:
        name: as it was configured.

    Raises:
        PublishingError: it is no plain name of a DuckDB file, or tools would mistake it for one of
            its schemas.
    """
    suffix = SUFFIX if name.endswith(SUFFIX) else ".db"
    stem = name.removesuffix(suffix)
    if stem == name or not _ID.fullmatch(stem):
        raise PublishingError(
            f"{NAME_VARIABLE} is {name!r}: it has to be a plain file name that ends in {SUFFIX}"
        )
    if {stem.lower(), name.split(".", maxsplit=1)[0].lower()} & set(RESERVED):
        raise PublishingError(
            f"{NAME_VARIABLE} is {name!r}: DuckDB names the database after its file, and a schema "
            f"has that name already; any other will do, such as {DEFAULT_NAME}"
        )
    return name


def keep_of(environ: Mapping[str, str] = os.environ) -> int:
    """How many versions are kept, 1 or more.

    Args:
        environ: environment variables.

    Raises:
        PublishingError: NPS_KEEP is no such number.
    """
    try:
        return whole_number(environ, KEEP_VARIABLE, DEFAULT_KEEP)
    except ValueError as problem:
        raise PublishingError(str(problem)) from None


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Be the only one who publishes here; the lock ends with the process, however that ends.

    Args:
        place: where.

    Raises:
        PublishingError: somebody else does.
    """
    # Never a lock that is only a file: it would outlive a process that was killed.
    lock = FileLock(place.folder / ".lock", timeout=0, mode=FILE_MODE, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise PublishingError(
            f"{place.folder} is being published to by another process; try again when it is done",
            exit_codes.LOCKED,
        ) from None
    except OSError as problem:
        raise unreachable(problem) from None
    try:
        yield
    finally:
        lock.release()


def unreachable(problem: Exception) -> PublishingError:
    """The error for a disk that is full, or a folder that can't be written.

    Args:
        problem: what the system said.
    """
    text = str(problem).splitlines()[0]
    return PublishingError(f"can't be read or written: {text}", exit_codes.UNREACHABLE)


def made(folder: Path) -> None:
    """Make a folder, and those above it, for owner and group alone; one that is there stays.

    Args:
        folder: the folder.
    """
    if not folder.is_dir():
        made(folder.parent)
        folder.mkdir(exist_ok=True, mode=FOLDER_MODE)


def link(source: Path, file: Path) -> None:
    """Make a file be another one, at once: by a hard link, or a copy where there are none.

    Args:
        source: the file that is there.
        file: what is to be the same; whatever it was is replaced, and stays with who has it open.
    """
    fresh = file.with_name(f".{file.name}{FRESH}")
    fresh.unlink(missing_ok=True)
    try:
        try:
            os.link(source, fresh, follow_symlinks=False)
        except OSError:
            _copy(source, fresh)
        # Two links of one file are not renamed onto each other: nothing happens, and fresh stays.
        if file.exists() and file.samefile(fresh):
            fresh.unlink()
            return
        put(fresh, file)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _copy(source: Path, fresh: Path) -> None:
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with source.open("rb") as reading, os.fdopen(handle, "wb") as writing:
        while block := reading.read(1 << 20):
            writing.write(block)
