"""Puts files into a raw folder: all of them or none.

Files are written into a hidden folder beside the tables, then renamed into place under a journal.
What fails on the way is undone at once; what a killed process left is undone by the next import.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nps_warehouse.durable import write
from nps_warehouse.importing.refusal import ImportRefusedError

WORK_PREFIX = ".import-"
JOURNAL = "journal.json"


@dataclass(frozen=True)
class NewFile:
    """A file to put into the raw folder: what is written, for which table, under which name.

    Files of the table whose names end in one of `replaces` are earlier versions of it.
    """

    written: Path
    table: str
    name: str
    replaces: tuple[str, ...]


@contextmanager
def work_folder(raw_dir: Path) -> Iterator[Path]:
    """A hidden folder in the raw folder, alone in it: a second import waits for the first.

    Args:
        raw_dir: the raw folder; made where it does not exist, and taken away again if the import
            fails.

    Raises:
        ImportRefusedError: the folder cannot be written.
    """
    existed = raw_dir.exists()
    work: Path | None = None
    try:
        raw_dir.mkdir(parents=True, exist_ok=True)
        handle = os.open(raw_dir, os.O_RDONLY)
    except OSError as problem:
        raise ImportRefusedError(
            f"{raw_dir}: it is no folder that can be written: {problem.strerror}."
        ) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        _undo_what_was_left(raw_dir)
        try:
            work = Path(tempfile.mkdtemp(prefix=WORK_PREFIX, dir=raw_dir))
        except OSError as problem:
            raise ImportRefusedError(f"{raw_dir}: cannot be written: {problem.strerror}.") from None
        yield work
    finally:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)
        if not existed and raw_dir.is_dir() and not any(raw_dir.iterdir()):
            raw_dir.rmdir()
        os.close(handle)


def refuse_other_form(raw_dir: Path, table: str) -> None:
    """Refuse a table that the raw folder holds as a single file.

    Args:
        raw_dir: the raw folder.
        table: the raw table.

    Raises:
        ImportRefusedError: with what to do.
    """
    for suffix in ("csv", "parquet"):
        single = raw_dir / f"{table}.{suffix}"
        if single.exists():
            raise ImportRefusedError(
                f"{raw_dir}: it holds {single.name}, and a table is one file or one folder. Move "
                f"it into the folder: `mkdir {table} && mv {single.name} {table}/0.{suffix}` in "
                "there, then import again."
            )


def put(raw_dir: Path, work: Path, files: Sequence[NewFile]) -> None:
    """Rename written files into place, and take away the versions that they replace.

    Args:
        raw_dir: the raw folder.
        work: its work folder, which holds the files.
        files: what to put where.
    """
    taken: list[tuple[Path, Path]] = []
    moves: list[tuple[Path, Path]] = []
    for number, file in enumerate(files):
        folder = raw_dir / file.table
        target = folder / file.name
        if folder.is_dir():
            old = sorted(
                path
                for path in folder.iterdir()
                if path.name.endswith(file.replaces) or path.name == file.name
            )
            taken += [
                (path, work / f"old-{number}-{place}")
                for place, path in enumerate(old)
                if (path not in (known for known, _ in taken))
            ]
        moves.append((file.written, target))
    steps = [*taken, *moves]
    folders = [f for f in dict.fromkeys(raw_dir / file.table for file in files) if not f.exists()]
    _write_journal(work, steps, folders)
    try:
        for folder in folders:
            folder.mkdir()
        for source, target in steps:
            source.rename(target)
    except BaseException:
        _undo(work)
        raise
    (work / JOURNAL).unlink()


def _write_journal(work: Path, steps: Sequence[tuple[Path, Path]], folders: Sequence[Path]) -> None:
    content = {
        "steps": [[str(source), str(target)] for source, target in steps],
        "folders": [str(folder) for folder in folders],
    }
    write(work / JOURNAL, json.dumps(content))


def _undo(work: Path) -> None:
    """Take back the renames of a journal that is still there, the last one first."""
    journal = work / JOURNAL
    if not journal.exists():
        return
    content = json.loads(journal.read_text(encoding="utf-8"))
    for source, target in reversed(content["steps"]):
        if Path(target).exists() and not Path(source).exists():
            Path(target).rename(source)
    for folder in content["folders"]:
        if Path(folder).is_dir() and not any(Path(folder).iterdir()):
            Path(folder).rmdir()
    journal.unlink()


def _undo_what_was_left(raw_dir: Path) -> None:
    """What a killed import left behind; the lock says that none is at work."""
    for work in sorted(raw_dir.glob(f"{WORK_PREFIX}*")):
        if work.is_dir():
            _undo(work)
            shutil.rmtree(work, ignore_errors=True)
