"""The nightly run in forked processes: the project is parsed once, each run is a child to kill.

`nps run` costs twenty seconds of start before its first model. Here the libraries are imported and
the project is parsed in one process, which never opens DuckDB and has one thread; every run is a
fork of it that calls the function behind the command.
"""

from __future__ import annotations

import gc
import json
import os
import pickle
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from nps_warehouse.faults.by_hand import OF_STATE
from nps_warehouse.landing.contract import PROJECT_DIR

PUBLISHING, SCORE_MARTS, EVERYTHING = "publishing", "score_marts", "everything"
TO_SCORE_MARTS = ("models/marts/facts/", "models/marts/scores/", "models/quality/")
"""Files whose models are built with `score_marts`, and what leads to them."""
RECORDED = ("unpublished_changes", "unpublished_member_changes")
"""Models that a publication records."""

QUIET = {
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    # A quarter of a small build's processor time.
    "DBT_LOG_LEVEL_FILE": "none",
    "OPENBLAS_NUM_THREADS": "1",
    "NPS_THREADS": "2",
}
LIMIT_SECONDS = 900.0
"""After which a run hangs."""

Result = TypeVar("Result")


class FaultsError(Exception):
    """The harness itself cannot go on; the text says why."""


@dataclass(frozen=True)
class Told:
    """What a run told: a step or a node that begins, with the time it was told, in seconds."""

    at: float
    kind: str
    name: str


@dataclass
class Ended:
    """How a run ended: exit code, or None where it was killed; what it told; what it said."""

    code: int | None
    seconds: float
    cpu_seconds: float = 0.0
    told: list[Told] = field(default_factory=list)
    sentence: str = ""
    operations: int = 0

    def began(self, kind: str, name: str) -> float | None:
        """When something was told to begin, in seconds after the run's start."""
        return next((one.at for one in self.told if (one.kind, one.name) == (kind, name)), None)


@dataclass(frozen=True)
class Places:
    """The folders of one pipeline."""

    folder: Path

    @property
    def warehouse(self) -> Path:
        """The private file that is built."""
        return self.folder / "warehouse.duckdb"

    @property
    def raw(self) -> Path:
        """The delivered folder."""
        return self.folder / "raw"

    @property
    def published(self) -> Path:
        """The folder that readers know."""
        return self.folder / "published"

    @property
    def shown(self) -> Path:
        """The file that readers open."""
        return self.published / "nps.duckdb"

    @property
    def runs(self) -> Path:
        """The records."""
        return self.folder / "runs"

    @property
    def state(self) -> Path:
        """What no build makes anew."""
        return self.folder / "state"

    def environment(self) -> dict[str, str]:
        """The variables that name these folders."""
        return QUIET | {
            "NPS_RAW_DIR": str(self.raw),
            "NPS_WAREHOUSE": str(self.warehouse),
            "NPS_STATE_DIR": str(self.state),
            "NPS_PUBLISHED_DIR": str(self.published),
            "NPS_RUNS_DIR": str(self.runs),
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
        }


class Project:
    """The project, parsed once.

    With `score_marts` it is cut down to what leads to the score marts and to what a publication
    records, without data tests and without the descriptions that are written to the warehouse:
    dbt's own work, a tenth of a second a model, is most of what a small build costs.
    """

    def __init__(self, selection: str, scratch: Path) -> None:
        """Parse, and import what a run imports.

        Args:
            selection: `score_marts` or `everything`; with `publishing` nothing is parsed, as runs
                do nothing but publish what was built by hand.
            scratch: a folder for what parsing writes.

        Raises:
            FaultsError: the project does not parse, or a library has started a thread.
        """
        self.selection = selection
        self.manifest: Manifest | None = None
        self.folders: dict[str, str] = {}
        places = Places(scratch)
        os.environ.update(places.environment())
        os.environ.pop("NPS_SEEDS_DIR", None)
        if selection != PUBLISHING:
            self.manifest = self._parse()
        _import_all()
        # DuckDB and Arrow have a thread each that waits for work no one gives it here.
        if threading.active_count() > 1:
            raise FaultsError("a library has started a thread, so that forks are not safe")
        gc.collect()
        # Else each child would copy the whole parse by counting its references.
        gc.freeze()

    def _parse(self) -> Manifest:
        parsed = dbtRunner().invoke([
            "--quiet", "parse", "--project-dir", str(PROJECT_DIR),
            "--profiles-dir", str(PROJECT_DIR),
        ])  # fmt: skip
        if not isinstance(parsed.result, Manifest):
            raise FaultsError(f"the project does not parse: {parsed.exception}")
        manifest = parsed.result
        if self.selection == SCORE_MARTS:
            _cut(manifest)
        manifest.build_flat_graph()  # type: ignore[no-untyped-call]
        self.folders = {
            node.alias: str(node.original_file_path)
            for node in manifest.nodes.values()
            if str(node.resource_type) == "model"
        }
        # What a first call of dbt makes once, such as its own schemas: no database is opened.
        dbtRunner(manifest=manifest).invoke([
            "--quiet", "ls", "--resource-type", "exposure", "--project-dir", str(PROJECT_DIR),
            "--profiles-dir", str(PROJECT_DIR),
        ])  # fmt: skip
        return manifest

    def state_readers(self) -> frozenset[str]:
        """Published models that are made of earlier publications, as `schema.name`."""
        if self.manifest is None:
            return OF_STATE
        children: dict[str, list[str]] = {}
        for node in self.manifest.nodes.values():
            for parent in node.depends_on_nodes:
                children.setdefault(parent, []).append(node.unique_id)
        found: set[str] = set()
        todo = [
            id_ for id_, source in self.manifest.sources.items() if source.source_name == "state"
        ]
        while todo:
            for child in children.get(todo.pop(), []):
                if child not in found:
                    found.add(child)
                    todo.append(child)
        return frozenset(
            f"{self.manifest.nodes[id_].schema}.{self.manifest.nodes[id_].alias}" for id_ in found
        )


class Child:
    """A run in a process of its own."""

    def __init__(
        self,
        project: Project,
        places: Places,
        now: datetime,
        *,
        wait: float = 0,
        at_step: tuple[str, Callable[[], None]] | None = None,
        die_before: int | None = None,
    ) -> None:
        """Begin the run.

        Args:
            project: parsed.
            places: of the pipeline.
            now: when the run believes it is.
            wait: seconds to wait for another run.
            at_step: a step, and what is called in the child when it begins: limits, for example.
            die_before: the child kills itself before so manyth change of the published files or
                the state.
        """
        self._told: list[Told] = []
        self._rest = b""
        self._end: dict[str, Any] = {}
        reading, writing = os.pipe()
        self._begun = time.monotonic()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(reading)
            _be_the_run(project, places, now, wait, at_step, die_before, writing)
        os.close(writing)
        self._pipe = reading
        self._ended: Ended | None = None

    def wait_for(self, kind: str, name: str, limit: float = LIMIT_SECONDS) -> bool:
        """Wait until the run says that something begins; False where it ended before.

        Args:
            kind: `step` or `node`.
            name: of what begins.
            limit: in seconds.
        """
        until = time.monotonic() + limit
        while not any((one.kind, one.name) == (kind, name) for one in self._told):
            if not self._read(until - time.monotonic()):
                return False
        return True

    def sleep(self, seconds: float) -> None:
        """Let the run go on for a while, and take in what it tells; shorter where it ends.

        Args:
            seconds: how long.
        """
        until = time.monotonic() + seconds
        while self._read(until - time.monotonic()):
            pass

    def kill(self) -> Ended:
        """SIGKILL."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        return self.end()

    def end(self, limit: float = LIMIT_SECONDS) -> Ended:
        """Wait for the end; a run that takes too long is killed.

        Args:
            limit: in seconds.
        """
        if self._ended is not None:
            return self._ended
        until = time.monotonic() + limit
        while self._read(until - time.monotonic()):
            pass
        if time.monotonic() >= until:
            os.killpg(self.pid, signal.SIGKILL)
        _, status, usage = os.wait4(self.pid, 0)
        os.close(self._pipe)
        code = os.waitstatus_to_exitcode(status)
        self._ended = Ended(
            code=None if code == -signal.SIGKILL else code,
            seconds=time.monotonic() - self._begun,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            told=self._told,
            sentence=str(self._end.get("sentence") or ""),
            operations=int(self._end.get("operations", 0)),
        )
        return self._ended

    def _read(self, seconds: float) -> bool:
        """Take in what is told; False at the end."""
        if seconds <= 0:
            return False
        ready, _, _ = select.select([self._pipe], [], [], seconds)
        if not ready:
            return False
        content = os.read(self._pipe, 1 << 16)
        if not content:
            return False
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            told = json.loads(line)
            if told["kind"] == "end":
                self._end = told
            else:
                at = told["at"] - self._begun
                self._told.append(Told(at, told["kind"], told["name"]))
        return True


def in_child(work: Callable[[], Result]) -> Result:
    """Do something in a forked process, so that this one never opens DuckDB.

    Args:
        work: what to do; what it returns can be pickled.

    Raises:
        FaultsError: it failed there.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            content = pickle.dumps((True, work()))
        except BaseException:
            content = pickle.dumps((False, traceback.format_exc()))
        with os.fdopen(writing, "wb") as stream:
            stream.write(content)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        content = stream.read()
    os.waitpid(pid, 0)
    if not content:
        raise FaultsError("a process that checks has crashed")
    good, value = pickle.loads(content)
    if not good:
        raise FaultsError(str(value))
    result: Result = value
    return result


class Tripwire:
    """Counts what changes the published files and the state, and dies before one of them.

    What is counted are Python's own calls: opening to write, renaming, linking, removing, syncing.
    """

    EVENTS = frozenset({"os.rename", "os.link", "os.remove", "os.mkdir", "os.truncate"})

    def __init__(self, folders: Sequence[Path], die_before: int | None) -> None:
        """Begin to count.

        Args:
            folders: whose files are watched.
            die_before: the number of the change that does not happen any more.
        """
        self._folders = tuple(str(folder) for folder in folders)
        self._die_before = die_before
        self.count = 0
        sys.addaudithook(self._hook)
        sync = os.fsync

        def fsync(descriptor: Any) -> None:
            number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
            self._look(Path(f"/proc/self/fd/{number}").readlink())
            sync(descriptor)

        os.fsync = fsync  # type: ignore[assignment]

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR):
                return
            self._look(path)
        elif event in self.EVENTS:
            self._look(arguments[1] if event in ("os.rename", "os.link") else arguments[0])

    def _look(self, path: object) -> None:
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str | os.PathLike):
            return
        if str(path).startswith(self._folders):
            self.count += 1
            if self.count == self._die_before:
                os.killpg(0, signal.SIGKILL)


def _be_the_run(
    project: Project,
    places: Places,
    now: datetime,
    wait: float,
    at_step: tuple[str, Callable[[], None]] | None,
    die_before: int | None,
    writing: int,
) -> None:
    """The child's part; does not return."""
    code = 70
    end: dict[str, Any] = {"kind": "end"}

    def tell(what: Mapping[str, Any]) -> None:
        line = json.dumps({"at": time.monotonic(), **what}).encode() + b"\n"
        with suppress(OSError):
            os.write(writing, line)

    try:
        os.setpgid(0, 0)
        # The parse is no garbage, and what a short run leaves goes with its process.
        gc.disable()
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("NPS_", "DBT_"))}
        os.environ.clear()
        os.environ.update(environment | places.environment())
        places.folder.mkdir(parents=True, exist_ok=True)
        log = os.open(places.folder / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        tripwire = Tripwire((places.published, places.state), die_before)
        code, end["sentence"] = _run(project, now, wait, at_step, tell)
        end["operations"] = tripwire.count
    except BaseException:
        end["sentence"] = traceback.format_exc()
    tell(end)
    with suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _run(
    project: Project,
    now: datetime,
    wait: float,
    at_step: tuple[str, Callable[[], None]] | None,
    tell: Callable[[Mapping[str, Any]], None],
) -> tuple[int, str | None]:
    from nps_warehouse.runs.pipeline import run
    from nps_warehouse.runs.settings import Asked
    from nps_warehouse.runs.steps import Proof

    def listener(event: Mapping[str, Any]) -> None:
        if event["event"] == "step_started":
            tell({"kind": "step", "name": event["step"]})
            if at_step is not None and at_step[0] == event["step"]:
                at_step[1]()
        elif event["event"] == "step_ended":
            tell({"kind": "after", "name": event["step"]})

    def on_node(number: int, total: int, description: str) -> None:
        del number, total
        # "sql table model marts.nps_by_period"
        tell({"kind": "node", "name": description.split(" ")[-1]})

    asked = Asked(now=now, wait=wait)
    if project.selection == PUBLISHING:
        asked = replace(asked, steps=("publish",))
        # Built by hand: no gate has judged it, and in this process none is asked for.
        Proof.NONE = dict.fromkeys(Proof.NONE, True)
    finished = run(
        asked,
        environ=os.environ,
        manifest=project.manifest,
        listener=listener,
        on_node=on_node,
    )
    return finished.exit_code, finished.sentence


def _cut(manifest: Manifest) -> None:
    kept = {
        id_
        for id_, node in manifest.nodes.items()
        if str(node.resource_type) == "operation"
        or (
            str(node.resource_type) == "model"
            and (node.original_file_path.startswith(TO_SCORE_MARTS) or node.name in RECORDED)
        )
    }
    todo = list(kept)
    while todo:
        for parent in manifest.nodes[todo.pop()].depends_on_nodes:
            if parent in manifest.nodes and parent not in kept:
                kept.add(parent)
                todo.append(parent)
    manifest.nodes = {id_: node for id_, node in manifest.nodes.items() if id_ in kept}
    for node in manifest.nodes.values():
        node.config = node.config.replace(persist_docs={})  # type: ignore[no-untyped-call]
    manifest.exposures = {}
    manifest.saved_queries = {}
    manifest.metrics = {}
    manifest.semantic_models = {}
    manifest.unit_tests = {}


def _import_all() -> None:
    """Import what a run would import when it is first needed."""
    import great_expectations  # noqa: F401

    import nps_warehouse.gates.run
    import nps_warehouse.publishing
    import nps_warehouse.runs.dbt
    import nps_warehouse.runs.pipeline
    import nps_warehouse.runs.steps

    with suppress(ModuleNotFoundError):
        import nps_warehouse.telling  # noqa: F401
