"""Files that are whole or not there, also after a crash: written beside, synced, then renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

FRESH = ".new"
"""How the name of a file ends that is not finished; a crash may leave one."""

FILE_MODE = 0o640
"""For the owner to write and the group to read, whatever the process's own default."""


def on_disk(path: Path) -> None:
    """Wait until a file's bytes, or a folder's names, outlive a power cut.

    Args:
        path: the file or folder.

    Raises:
        OSError: it cannot be done.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put(fresh: Path, file: Path, mode: int | None = FILE_MODE) -> None:
    """Put a finished file in its place, at once and for good.

    Args:
        fresh: the finished file, on the same file system.
        file: where it goes; whatever was there is replaced.
        mode: the file's rights; None: as they are.

    Raises:
        OSError: it cannot be done; `file` is as it was, or is what was put.
    """
    if mode is not None:
        fresh.chmod(mode)
    on_disk(fresh)
    fresh.replace(file)
    on_disk(file.parent)


def write(file: Path, text: str, mode: int = FILE_MODE) -> None:
    """Write a small file, whole or not at all.

    Args:
        file: the file.
        text: what is in it.
        mode: its rights.

    Raises:
        OSError: it cannot be written; `file` is as it was.
    """
    with replacing(file, mode) as stream:
        stream.write(text)


@contextmanager
def replacing(file: Path, mode: int = FILE_MODE) -> Iterator[TextIO]:
    """A stream whose text takes the place of a file at once, and only when all of it is there.

    Two who write the same file at once do not meet: the later one's stays.

    Args:
        file: the file, in a folder that is there; line ends are written as they come.
        mode: its rights.

    Raises:
        OSError: it cannot be written; `file` is as it was.
    """
    handle, name = tempfile.mkstemp(prefix=f".{file.name}-", suffix=FRESH, dir=file.parent)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            yield stream
        put(fresh, file, mode)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
