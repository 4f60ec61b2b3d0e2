"""A run from its first event to its last: one at a time, repaired first, told at the end."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from types import FrameType
from typing import TYPE_CHECKING

from nps_warehouse.exit_codes import INTERNAL, OK
from nps_warehouse.publishing.copying import project_version
from nps_warehouse.runs.dbt import Dbt
from nps_warehouse.runs.lock import LockedError, at_work
from nps_warehouse.runs.problems import InterruptedRunError, StepError, exit_code_of
from nps_warehouse.runs.record import (
    FILE_NAME,
    Clock,
    Event,
    Run,
    RunRecord,
    Status,
    read_run,
    read_runs,
)
from nps_warehouse.runs.repair import prune, repair
from nps_warehouse.runs.settings import Asked, Places, kept_days, places_of, surroundings
from nps_warehouse.runs.steps import Proof, Work, age_in_words, noted

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

    from nps_warehouse.runs.dbt import OnEvent, OnNode

ERROR_FILE = "error.txt"
"""The traceback of what went wrong, in the run's folder and nowhere else."""

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True)
class Finished:
    """A run that is over; `run` is null where it did not begin, `sentence` where all went well."""

    exit_code: int
    sentence: str | None
    run: Run | None


def run(
    asked: Asked,
    *,
    environ: Mapping[str, str] = os.environ,
    manifest: Manifest | None = None,
    listener: Callable[[Event], None] | None = None,
    on_node: OnNode | None = None,
    on_event: OnEvent | None = None,
) -> Finished:
    """Do what was asked, as the only one at work, and leave a record of it.

    Args:
        asked: which steps, and how.
        environ: environment variables.
        manifest: the project, parsed before with the same vars, for who runs many in a process.
        listener: is told every event of the record.
        on_node: is told what dbt begins.
        on_event: is told all that dbt says.
    """
    places = places_of(environ)
    try:
        days = kept_days(environ)
        with (
            at_work(environ, asked.wait, command="nps run"),
            surroundings(places, environ),
            _signals() as caught,
        ):
            return _run(asked, places, days, manifest, listener, on_node, on_event, caught)
    except OSError as problem:
        # The record itself cannot be written, or what is needed before it.
        sentence = f"A file or folder that every run needs cannot be used: {problem}."
        return Finished(exit_code_of(problem), sentence, None)
    except (LockedError, StepError) as problem:
        return Finished(exit_code_of(problem), str(problem), None)


def _run(
    asked: Asked,
    places: Places,
    days: int,
    manifest: Manifest | None,
    listener: Callable[[Event], None] | None,
    on_node: OnNode | None,
    on_event: OnEvent | None,
    caught: list[int],
) -> Finished:
    earlier = read_runs(places.runs)
    known = noted(places.runs, FILE_NAME)
    clock = Clock(asked.now)
    record = RunRecord.begin(
        places.runs,
        clock=clock,
        asked=asked.steps,
        versions=versions(),
        warehouse=places.warehouse,
        listener=listener,
    )
    try:
        dbt = Dbt(dict(asked.variables), manifest, on_node, on_event)
        proof = Proof(places.warehouse, known)
        work = Work(asked, places, record, clock, dbt, earlier, proof)
        failed_step, problem = _steps(work, caught)
        # What is left to do is short, and is to be done.
        _ignore_signals()
        ended = _end(work, failed_step, problem)
    finally:
        record.close()
    prune(places.runs, ended, days)
    told = _tell(ended, places, clock)
    if told is not None and ended.exit_code == OK:
        return Finished(INTERNAL, told, ended)
    return Finished(ended.exit_code or OK, ended.reason, ended)


def versions() -> dict[str, str]:
    """Versions of what runs: the project, dbt, DuckDB and Python."""
    return {
        "project": project_version(),
        "dbt": importlib.metadata.version("dbt-core"),
        "duckdb": importlib.metadata.version("duckdb"),
        "python": platform.python_version(),
    }


def _steps(work: Work, caught: list[int]) -> tuple[str | None, BaseException | None]:
    """Repair, then do the steps; returns the step that failed, and why."""
    step: str | None = None
    try:
        for sentence in repair(work.places, work.record.run_id, work.earlier):
            work.record.decided(sentence)
        for step in work.asked.steps:
            _step(work, step, caught)
    except Exception as problem:
        return step, problem
    except KeyboardInterrupt as problem:
        return step, _interrupted(caught) or problem
    return None, None


def _step(work: Work, name: str, caught: list[int]) -> None:
    work.record.step_started(name)
    began = time.monotonic()
    try:
        detail = work.steps[name]()
        # dbt ends quietly where a signal stopped it.
        interrupted = _interrupted(caught)
        if interrupted is not None:
            raise interrupted
    except BaseException as problem:
        interrupted = _interrupted(caught)
        stopped = isinstance(problem, StepError) and problem.stops and interrupted is None
        status = "stopped" if stopped else "failed"
        work.record.step_ended(name, status, time.monotonic() - began)
        if interrupted is not None and problem is not interrupted:
            raise interrupted from problem
        raise
    work.record.step_ended(name, "done", time.monotonic() - began, detail)


def _end(work: Work, failed_step: str | None, problem: BaseException | None) -> Run:
    """Write how it ended into the warehouse and the record."""
    record = work.record
    code = OK if problem is None else exit_code_of(problem)
    reason = None if problem is None else _reason(work, failed_step, problem, code)
    status: Status
    if work.version_id is not None:
        status = "published"
    elif problem is None:
        status = "done"
    else:
        status = "not published" if isinstance(problem, StepError) and problem.stops else "failed"
    if problem is not None:
        _keep_traceback(record, problem)
    run = replace(
        record.read(),
        ended_at=work.clock.now(),
        status=status,
        exit_code=code,
        failed_step=failed_step,
        reason=reason,
    )
    try:
        work.finish(run)
    except Exception as unwritten:
        record.decided(f"The warehouse does not tell of this run: {str(unwritten).splitlines()[0]}")
    record.event("warehouse", **work.proof.note())
    record.ended(status, code, failed_step, reason)
    return read_run(record.folder)


def _reason(work: Work, step: str | None, problem: BaseException, code: int) -> str:
    if code == INTERNAL and not isinstance(problem, StepError):
        text = (
            f"a defect of the project ({type(problem).__name__}); "
            f"{work.record.folder / ERROR_FILE} says where"
        )
    else:
        text = str(problem)
    where = f"Step {step}: " if step else "Before the first step: "
    return f"{where}{text.rstrip('.')}. {_shown(work)}"


def _shown(work: Work) -> str:
    """What readers see, and how old it is."""
    from nps_warehouse import publishing

    try:
        version = publishing.current(work.places.published)
    except publishing.PublishingError as problem:
        return f"What readers see cannot be told: {problem}"
    if version is None:
        return "Readers see nothing yet: nothing was published so far."
    if version.id == work.version_id:
        return f"Readers see this run's numbers, version {version.id}."
    age = work.clock.now() - version.published_at
    return (
        f"Readers still see version {version.id}, published "
        f"{version.published_at.isoformat(' ', 'minutes')}: {age_in_words(age)}."
    )


def _keep_traceback(record: RunRecord, problem: BaseException) -> None:
    with suppress(OSError):
        text = "".join(traceback.format_exception(problem))
        (record.folder / ERROR_FILE).write_text(text, encoding="utf-8")


def _tell(ended: Run, places: Places, clock: Clock) -> str | None:
    """Tell whoever is to know; returns why that failed."""
    try:
        from nps_warehouse.telling import tell

        tell(ended, places.runs, places.published, places.warehouse, clock.now(), os.environ)
    except Exception as problem:
        folder = places.runs / ended.run_id
        with suppress(OSError), (folder / ERROR_FILE).open("a", encoding="utf-8") as stream:
            stream.write("".join(traceback.format_exception(problem)))
        return f"Telling failed ({type(problem).__name__}); {folder / ERROR_FILE} says where."
    return None


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Turn signals that ask to end into an exception; yields those that came."""
    caught: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        del frame
        caught.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield caught
        return
    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_signals() -> None:
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def _interrupted(caught: list[int]) -> InterruptedRunError | None:
    if not caught:
        return None
    return InterruptedRunError(caught[0], signal.Signals(caught[0]).name)
