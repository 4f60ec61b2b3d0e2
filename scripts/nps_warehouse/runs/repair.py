"""What a crash leaves, put right at the start of every run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import duckdb

from nps_warehouse.exit_codes import BAD_INPUT
from nps_warehouse.landing.warehouse_file import problem_of_warehouse_file
from nps_warehouse.runs import delivery
from nps_warehouse.runs.problems import StepError, exit_code_of_text, is_damage, is_lock
from nps_warehouse.runs.record import Run, run_folders
from nps_warehouse.runs.settings import Places

ARTIFACTS = "artifacts"
"""Folder of dbt's own files, in a run's."""
KEPT_ARTIFACTS = 7
"""Runs whose dbt files are kept: they are by far the largest, and catalogues read the newest."""

_MAGIC = b"DUCK"
_MAGIC_AT = 8
"""Where a DuckDB file says what it is."""


def repair(
    places: Places, run_id: str, earlier: Sequence[Run], environ: Mapping[str, str] = os.environ
) -> Iterator[str]:
    """Put right what an earlier run has left; yields a sentence for each thing done.

    Args:
        places: of the run.
        run_id: of the run that repairs.
        earlier: the runs before it, the oldest first.
        environ: environment variables.

    Raises:
        StepError: the warehouse file is none, or another program has it open.
        OSError: something cannot be read or written.
    """
    yield from died(earlier)
    yield from _repair_published(places, environ)
    half_copied = delivery.clean(places.taken)
    if half_copied:
        yield f"{half_copied} half-made copies of delivered files were removed."
    if _whole_lines(places.gates):
        yield f"The last line of {places.gates} was torn and was removed."
    yield from repair_warehouse(places, run_id, earlier)
    empty_scratch(places)


def died(earlier: Sequence[Run]) -> Iterator[str]:
    """Say which runs died since the last one that came to an end.

    Args:
        earlier: runs, the oldest first.
    """
    since: list[Run] = []
    for run in earlier:
        if run.status == "died":
            since.append(run)
        elif run.ended_at is not None:
            since = []
    for run in since:
        yield f"Run {run.run_id}: {run.reason}"


def repair_warehouse(places: Places, run_id: str, earlier: Sequence[Run]) -> Iterator[str]:
    """Set a warehouse file aside that DuckDB can't open any more: it is built from nothing.

    Args:
        places: of the run.
        run_id: of the run that repairs.
        earlier: the runs before it.

    Raises:
        StepError: the file can't be used, and it is none of ours or not damaged.
    """
    file = places.warehouse
    if not file.parent.is_dir():
        # A folder of ours is made; one that somebody named and mistyped is not.
        if file.parent == places.target:
            file.parent.mkdir(mode=0o750, parents=True)
        else:
            raise StepError(BAD_INPUT, f"{problem_of_warehouse_file(str(file))}")
    if not file.exists():
        # The log of a file that is gone belongs to nothing.
        _log_of(file).unlink(missing_ok=True)
        return
    try:
        duckdb.connect(str(file)).close()
    except duckdb.Error as problem:
        text = str(problem)
        if is_lock(text) or not is_damage(text) or "version number" in text.lower():
            sentence = problem_of_warehouse_file(str(file)) or text
            raise StepError(exit_code_of_text(text), sentence) from problem
        if not _is_ours(file, earlier):
            raise StepError(
                BAD_INPUT,
                f"NPS_WAREHOUSE is {file}, which is no DuckDB file and was never built by a run: "
                "it is left alone. Name another file.",
            ) from problem
        yield set_aside(file, run_id, text)


def set_aside(file: Path, run_id: str, why: str) -> str:
    """Give a damaged warehouse another name, so that the next build makes it from nothing.

    Args:
        file: the warehouse.
        run_id: of the run that found it.
        why: what DuckDB said.

    Returns:
        What was done, in a sentence.
    """
    aside = file.with_name(f"{file.name}.damaged-{run_id}")
    if _log_of(file).exists():
        _log_of(file).replace(_log_of(aside))
    file.replace(aside)
    reason = why.splitlines()[0]
    return (
        f"{file} is damaged ({reason}); it is kept as {aside.name}, and the warehouse is built "
        "from nothing."
    )


def empty_scratch(places: Places) -> None:
    """Have an empty private folder for temporary files; also what DuckDB has left of its own.

    Args:
        places: of the run.
    """
    spill = places.warehouse.with_name(f"{places.warehouse.name}.tmp")
    for folder in (places.scratch, spill):
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)
    places.scratch.mkdir(mode=0o700)


def prune(runs: Path, now_run: Run, days: int) -> int:
    """Remove the folders of runs that are too old, and dbt's files of all but the newest.

    Returns:
        How many folders were removed.

    Args:
        runs: the folder of all runs.
        now_run: the run that removes; it stays.
        days: how long they are kept.
    """
    oldest = f"{now_run.started_at - timedelta(days=days):%Y%m%dT%H%M%SZ}"
    gone = [folder for folder in run_folders(runs) if folder.name < oldest]
    for folder in gone:
        shutil.rmtree(folder)
    with_artifacts = [f for f in run_folders(runs) if (f / ARTIFACTS).is_dir()]
    for folder in with_artifacts[:-KEPT_ARTIFACTS]:
        shutil.rmtree(folder / ARTIFACTS)
    return len(gone)


def _repair_published(places: Places, environ: Mapping[str, str]) -> list[str]:
    from nps_warehouse.publishing import repair as repair_published

    return repair_published(places.published, environ)


def _log_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.wal")


def _is_ours(file: Path, earlier: Sequence[Run]) -> bool:
    if any(run.warehouse == str(file) for run in earlier):
        return True
    with file.open("rb") as stream:
        return stream.read(_MAGIC_AT + len(_MAGIC))[_MAGIC_AT:] == _MAGIC


def _whole_lines(file: Path) -> bool:
    """Cut a file of lines after its last whole one; returns whether there was more."""
    if not file.is_file():
        return False
    content = file.read_bytes()
    end = content.rfind(b"\n") + 1
    if end == len(content):
        return False
    with file.open("r+b") as stream:
        stream.truncate(end)
        stream.flush()
        os.fsync(stream.fileno())
    return True
