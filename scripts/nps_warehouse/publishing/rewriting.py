"""Rewrites what was published already, where somebody has to be forgotten or rows are too old."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from nps_warehouse.durable import FRESH, put
from nps_warehouse.publishing.atomic import repair
from nps_warehouse.publishing.place import (
    SUFFIX,
    Place,
    checked_id,
    link,
    locked,
    made,
    place_of,
)
from nps_warehouse.publishing.versions import ids_in, shown_at


def published_place(environ: Mapping[str, str] = os.environ) -> Place | None:
    """Where versions are; None where nothing was ever published.

    Args:
        environ: environment variables.

    Raises:
        PublishingError: the folder can't be used.
    """
    place = place_of(environ=environ)
    return place if place.versions.is_dir() or place.shown.exists() else None


def published_files(place: Place) -> list[Path]:
    """The versions, and what is shown where that is a file of its own.

    Args:
        place: where they are.
    """
    files = [place.file(version_id) for version_id in ids_in(place.versions, SUFFIX)]
    if place.shown.is_file() and not any(place.shown.samefile(file) for file in files):
        files.append(place.shown)
    return files


def rewritten(
    place: Place, change: Callable[[Path], object], environ: Mapping[str, str] = os.environ
) -> list[Path]:
    """Change every version, and show the changed one; who reads meanwhile sees one or the other.

    A version is changed as a copy, which takes its place when it is done: a file that is read is
    never written to. Interrupted, the same call again does the rest.

    Args:
        place: where they are.
        change: changes a DuckDB file where it lies.
        environ: environment variables.

    Returns:
        The files.

    Raises:
        PublishingError: somebody publishes, or a file can't be read.
    """
    repair(place.folder, environ)
    with locked(place):
        shown = shown_at(place)
        versions = [place.file(version_id) for version_id in ids_in(place.versions, SUFFIX)]
        for file in versions:
            _changed(file, change)
            if shown is not None and file.stem == shown.id:
                link(file, place.shown)
        if shown is not None and place.file(checked_id(shown.id)) not in versions:
            # Its version is not kept any more.
            _changed(place.shown, change)
    return published_files(place)


def _changed(file: Path, change: Callable[[Path], object]) -> None:
    # A folder that the next repair removes, should this be its end.
    folder = file.with_name(f".{file.name}{FRESH}")
    shutil.rmtree(folder, ignore_errors=True)
    made(folder)
    try:
        copy = folder / file.name
        shutil.copyfile(file, copy)
        change(copy)
        put(copy, file)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
