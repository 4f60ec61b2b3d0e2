"""The record of a run: `events.jsonl` in the run's own folder, one JSON object a line.

Every event is appended and synced before the run goes on, so that the record outlives a crash.
While the run lives it holds a lock on the file, which the system frees when the process is gone: a
record without an end that nobody holds is that of a run that died.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

from nps_warehouse.durable import on_disk
from nps_warehouse.landing.contract import PROJECT_DIR

FOLDER_VARIABLE = "NPS_RUNS_DIR"
DEFAULT_RUNS_DIR = PROJECT_DIR / "runs"
FILE_NAME = "events.jsonl"

RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")
"""A run's id: when it began, to the second, in UTC, and six digits by chance."""

Status = Literal["published", "not published", "done", "failed", "died", "running"]
"""`published`; `not published`: a gate or a data test stopped it; `done`: the steps that were asked
for are, and publishing was not among them; `failed`; `died`: its record has no end and its process
is gone; `running`."""

Event = dict[str, Any]
"""A line of the record: `at` (ISO 8601, UTC), `run_id`, `event`, and what belongs to it."""


@dataclass(frozen=True)
class Step:
    """A step of a run.

    `status` is `done`, `failed`, `stopped` (what it judged must not be published), `running` or
    `died`; `seconds` is null where it has no end; `detail` is what the step says of itself.
    """

    name: str
    status: str
    seconds: float | None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Node:
    """A model, seed or test of the build: dbt's own status and message, `failures` in rows."""

    unique_id: str
    status: str
    seconds: float
    message: str | None
    failures: int | None


class TableRows(NamedTuple):
    """What became of the rows of a raw table, in rows."""

    table_name: str
    rows_read: int
    accepted: int
    rejected: int
    superseded: int
    excluded: int


@dataclass(frozen=True)
class Run:
    """A run, as its record tells it.

    Times are in UTC. `reason` is a sentence on why it did not do all of it; `version_id` names what
    it published; `versions` are those of the project, dbt, DuckDB and Python; `responses` are those
    of the company's score over all time; `asked` are the steps it was to go through; `warehouse` is
    the file it built.
    """

    run_id: str
    started_at: datetime
    ended_at: datetime | None
    status: Status
    exit_code: int | None
    failed_step: str | None
    reason: str | None
    version_id: str | None
    steps: list[Step] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    tables: list[TableRows] = field(default_factory=list)
    decisions: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    responses: int | None = None
    asked: tuple[str, ...] = ()
    warehouse: str | None = None

    @property
    def seconds(self) -> float | None:
        """How long it took; null where it has no end."""
        if self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()

    def as_json(self) -> dict[str, Any]:
        """How it went, as JSON values: times ISO 8601."""
        return {
            "run_id": self.run_id,
            "status": self.status,
            "exit_code": self.exit_code,
            "failed_step": self.failed_step,
            "reason": self.reason,
            "started_at": self.started_at.isoformat(),
            "ended_at": self.ended_at.isoformat() if self.ended_at else None,
        }


class Clock:
    """Now: the machine's clock, or a given instant and what has passed since it was given."""

    def __init__(self, start: datetime | None = None) -> None:
        """Start at an instant.

        Args:
            start: with an offset; null: the machine's clock.
        """
        self._start = (start or datetime.now(UTC)).astimezone(UTC)
        self._began = time.monotonic()

    def now(self) -> datetime:
        """The instant, in UTC."""
        return self._start + timedelta(seconds=time.monotonic() - self._began)


def runs_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Where runs leave their records: NPS_RUNS_DIR, else the project's folder `runs`.

    Args:
        environ: environment variables.
    """
    return Path(environ.get(FOLDER_VARIABLE) or DEFAULT_RUNS_DIR)


def new_run_id(at: datetime, before: str = "") -> str:
    """An id that sorts by time, and after another one of the same second.

    Args:
        at: when the run begins, with an offset.
        before: the newest id there is.
    """
    second = f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    least = int(before[-6:], 16) + 1 if before.startswith(f"{second}-") else 0
    return f"{second}-{least + secrets.randbelow(min(2**20, 16**6 - least)):06x}"


class RunRecord:
    """Writes the record of one run."""

    def __init__(self, folder: Path, run_id: str, clock: Clock) -> None:
        """Open the record; `begin` makes one.

        Args:
            folder: the run's own.
            run_id: its id.
            clock: what the events' times are taken from.

        Raises:
            OSError: it cannot be written.
        """
        self.folder = folder
        self.run_id = run_id
        self.clock = clock
        self._torn = False
        self._listeners: list[Callable[[Event], None]] = []
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(folder / FILE_NAME, flags, 0o640)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    @classmethod
    def begin(
        cls,
        runs_dir: Path,
        *,
        clock: Clock,
        asked: Sequence[str],
        versions: Mapping[str, str],
        warehouse: Path,
        listener: Callable[[Event], None] | None = None,
    ) -> RunRecord:
        """Make a run's folder and the first event of its record.

        Args:
            runs_dir: the folder of all runs; made where it does not exist.
            clock: what times are taken from.
            asked: names of the steps that are to be done.
            versions: of what runs.
            warehouse: the file that is built.
            listener: is told every event after it was written.

        Raises:
            OSError: it cannot be written.
        """
        run_id = new_run_id(clock.now(), max((f.name for f in run_folders(runs_dir)), default=""))
        folder = runs_dir / run_id
        runs_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
        folder.mkdir(mode=0o750)
        record = cls(folder, run_id, clock)
        if listener is not None:
            record.listen(listener)
        record.event(
            "run_started",
            steps=list(asked),
            versions=dict(versions),
            warehouse=str(warehouse),
            pid=os.getpid(),
            host=socket.gethostname(),
        )
        for place in (folder, runs_dir):
            on_disk(place)
        return record

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Tell every later event to a function, after it was written.

        Args:
            listener: called with the event.
        """
        self._listeners.append(listener)

    def event(self, kind: str, **what: Any) -> Event:
        """Append an event, and come back when it is on the disk.

        Args:
            kind: what happened.
            what: JSON values that belong to it.

        Raises:
            OSError: it cannot be written.
        """
        at = self.clock.now().isoformat(timespec="milliseconds")
        event: Event = {"at": at, "run_id": self.run_id, "event": kind, **what}
        line = (json.dumps(event, ensure_ascii=False, default=str) + "\n").encode()
        if self._torn:
            line = b"\n" + line
        # Until it is whole: what is half written must not swallow the next line.
        self._torn = True
        while line:
            line = line[os.write(self._descriptor, line) :]
        self._torn = False
        os.fsync(self._descriptor)
        for listener in self._listeners:
            listener(event)
        return event

    def step_started(self, name: str) -> None:
        """A step begins.

        Args:
            name: of the step.
        """
        self.event("step_started", step=name)

    def step_ended(
        self, name: str, status: str, seconds: float, detail: Mapping[str, Any] | None = None
    ) -> None:
        """A step is over.

        Args:
            name: of the step.
            status: `done`, `failed` or `stopped`.
            seconds: how long it took.
            detail: what it says of itself, as JSON values.
        """
        self.event(
            "step_ended", step=name, status=status, seconds=seconds, detail=dict(detail or {})
        )

    def nodes(self, nodes: Sequence[Node]) -> None:
        """What dbt did.

        Args:
            nodes: all that were reached.
        """
        self.event("nodes", nodes=[vars(node) for node in nodes])

    def tables(self, tables: Sequence[TableRows], responses: int | None) -> None:
        """What became of the raw rows.

        Args:
            tables: one for each raw table.
            responses: of the company's score over all time.
        """
        self.event("tables", tables=[table._asdict() for table in tables], responses=responses)

    def decided(self, sentence: str) -> None:
        """Something was decided that nobody was asked about.

        Args:
            sentence: what, and why.
        """
        self.event("decision", text=sentence)

    def published(self, version_id: str) -> None:
        """Readers see this run's numbers.

        Args:
            version_id: of what they see.
        """
        self.event("published", version_id=version_id)

    def ended(
        self, status: Status, exit_code: int, failed_step: str | None, reason: str | None
    ) -> None:
        """The run is over; nothing is written after this.

        Args:
            status: how it ended.
            exit_code: of the command.
            failed_step: the step that did not do what it was to do.
            reason: why, in a sentence.
        """
        self.event(
            "run_ended", status=status, exit_code=exit_code, failed_step=failed_step, reason=reason
        )

    def close(self) -> None:
        """Let go of the record. Without an end it is that of a run that died."""
        os.close(self._descriptor)

    def read(self) -> Run:
        """The run so far; it is `running` as long as it has no end."""
        return read_run(self.folder)


def read_run(folder: Path) -> Run:
    """A run from its record; a line that a crash has torn is left out.

    Args:
        folder: the run's own.

    Raises:
        OSError: there is no record, or it cannot be read.
        ValueError: the record has no beginning.
    """
    file = folder / FILE_NAME
    # Asked first: a run that ends in between has then both a holder and an end.
    alive = _is_held(file)
    run: Run | None = None
    steps: dict[str, Step] = {}
    for event in _events(file):
        kind = event["event"]
        if kind == "run_started":
            run = Run(
                run_id=event["run_id"],
                started_at=datetime.fromisoformat(event["at"]),
                ended_at=None,
                status="running" if alive else "died",
                exit_code=None,
                failed_step=None,
                reason=None,
                version_id=None,
                versions=event["versions"],
                asked=tuple(event["steps"]),
                warehouse=event["warehouse"],
            )
        elif run is not None:
            run = _with(run, steps, kind, event)
    if run is None:
        raise ValueError(f"{file} has no beginning")
    return replace(
        _without_end(run, steps) if run.ended_at is None else run, steps=list(steps.values())
    )


def read_runs(runs_dir: Path) -> list[Run]:
    """Every run with a record, the oldest first.

    Args:
        runs_dir: the folder of all runs; it need not exist.
    """
    return [run for folder in run_folders(runs_dir) if (run := _read_or_none(folder)) is not None]


def run_folders(runs_dir: Path) -> list[Path]:
    """The folders of runs, the oldest first.

    Args:
        runs_dir: the folder of all runs; it need not exist.
    """
    if not runs_dir.is_dir():
        return []
    return sorted(
        path for path in runs_dir.iterdir() if RUN_ID.fullmatch(path.name) and path.is_dir()
    )


def _read_or_none(folder: Path) -> Run | None:
    try:
        return read_run(folder)
    except (OSError, ValueError):
        # A run that died before its first event was written, or one that is being removed.
        return None


def _is_held(file: Path) -> bool:
    """Whether the process that writes a record is alive."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _events(file: Path) -> Iterator[Event]:
    for line in file.read_bytes().split(b"\n"):
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and "event" in event:
            yield event


def _with(run: Run, steps: dict[str, Step], kind: str, event: Event) -> Run:
    match kind:
        case "step_started":
            steps[event["step"]] = Step(event["step"], "running", None)
        case "step_ended":
            steps[event["step"]] = Step(
                event["step"], event["status"], event["seconds"], event["detail"]
            )
        case "nodes":
            return replace(run, nodes=[Node(**node) for node in event["nodes"]])
        case "tables":
            rows = [TableRows(**table) for table in event["tables"]]
            return replace(run, tables=rows, responses=event["responses"])
        case "decision":
            return replace(run, decisions=[*run.decisions, event["text"]])
        case "published":
            return replace(run, version_id=event["version_id"])
        case "run_ended":
            return replace(
                run,
                ended_at=datetime.fromisoformat(event["at"]),
                status=event["status"],
                exit_code=event["exit_code"],
                failed_step=event["failed_step"],
                reason=event["reason"],
            )
    return run


def _without_end(run: Run, steps: dict[str, Step]) -> Run:
    """A run that goes on, or died: its open step says where."""
    if run.status == "running":
        return run
    open_step = next((step.name for step in steps.values() if step.status == "running"), None)
    for name in [step.name for step in steps.values() if step.status == "running"]:
        steps[name] = replace(steps[name], status="died")
    where = f"in step {open_step}" if open_step else "between two steps"
    return replace(
        run,
        failed_step=open_step,
        reason=f"It died {where}: its record has no end, and its process is gone.",
    )
