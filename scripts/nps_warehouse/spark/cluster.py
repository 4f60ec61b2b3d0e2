"""A Spark cluster of one's own, on loopback: PySpark's standalone master, workers, Thrift server.

For a developer and for tests. Each part is a process of its own, so that a worker can be lost. All
files lie in one folder under ``target/``. Nothing but Java has to be there beside ``.venv-spark``.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
CATALOG = "nps"
MASTER, THRIFT = "master", "thrift"
MASTER_CLASS = "org.apache.spark.deploy.master.Master"
WORKER_CLASS = "org.apache.spark.deploy.worker.Worker"
THRIFT_CLASS = "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"
ICEBERG_PACKAGE, ICEBERG_JARS = (
    "snowpark_connect_deps_iceberg",
    "iceberg-spark-runtime-3.5_2.12-*.jar",
)
# Megabytes of Java heap: a master and two workers that only look after others, the Thrift server
# that plans, two executors that do the work. With what Java takes beside its heap: about 6 GB.
DAEMON_HEAP, DRIVER_HEAP, EXECUTOR_HEAP = 128, 3072, 768
# Few cores, short statements: what the first compiler makes of the code is fast soon enough. The
# plan of a long query is a deep tree, which is walked on the stack.
JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xss16m"
SECONDS_TO_START, SECONDS_TO_STOP = 120, 30


class ClusterError(Exception):
    """The cluster can't be used; the text says why and what to do."""


@dataclass(frozen=True)
class Process:
    """A part of the cluster, as `cluster.json` remembers it.

    `started` is the kernel's start time of the process: a process id is given out again.
    """

    name: str
    pid: int
    started: str

    def is_running(self) -> bool:
        """Whether this very process still runs."""
        return _start_time(self.pid) == self.started


@dataclass(frozen=True)
class State:
    """What runs, and where it listens."""

    master_port: int
    ui_port: int
    thrift_port: int
    processes: tuple[Process, ...] = ()

    def process(self, name: str) -> Process | None:
        """The part of this name."""
        return next((one for one in self.processes if one.name == name), None)


class Cluster:
    """A cluster whose files lie in one folder."""

    def __init__(self, folder: Path) -> None:
        """Args: folder: absolute; of tables, logs, event logs and scratch files."""
        self.folder = folder
        self.warehouse = folder / "warehouse"
        self.events = folder / "events"
        self.logs = folder / "logs"
        self._state_file = folder / "cluster.json"
        self._settings_file = folder / "spark-defaults.conf"

    def start(self, workers: int = 2, thrift_port: int | None = None) -> State:
        """Start what does not run yet.

        Args:
            workers: how many worker processes, of one core each.
            thrift_port: where the Thrift server listens; a free port where it is None.

        Returns:
            Where the cluster listens.

        Raises:
            ClusterError: a part does not start; the text has the end of its log.
        """
        state = self.state()
        if state is not None and self.is_running(state):
            return state
        self.stop()
        # A session begins in the schema `default`, which is a folder.
        for folder in (self.warehouse / "default", self.events, self.logs, self.folder / "scratch"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        self.folder.chmod(0o750)
        state = State(_free_port(), _free_port(), thrift_port or _free_port())
        self._write_settings()
        try:
            state = self._start_all(state, workers)
        except BaseException:
            self.stop()
            raise
        return state

    def stop(self) -> None:
        """Stop the Thrift server, the workers and the master, in this order."""
        state = self.state()
        if state is None:
            return
        for process in sorted(state.processes, key=_order_of_stopping):
            stop_process(process)
        self._state_file.unlink()

    def remove(self) -> None:
        """Stop the cluster and delete all its files, tables among them."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def state(self) -> State | None:
        """What was started; None where nothing was."""
        try:
            content = json.loads(self._state_file.read_text())
        except FileNotFoundError:
            return None
        processes = tuple(Process(**one) for one in content.pop("processes"))
        return State(**content, processes=processes)

    def is_running(self, state: State) -> bool:
        """Whether every part still runs."""
        return bool(state.processes) and all(one.is_running() for one in state.processes)

    def workers_alive(self, state: State) -> int:
        """How many workers the master counts as alive.

        Raises:
            ClusterError: the master does not answer.
        """
        try:
            with urllib.request.urlopen(
                f"http://{LOOPBACK}:{state.ui_port}/json/", timeout=5
            ) as answer:
                return int(json.load(answer)["aliveworkers"])
        except (OSError, ValueError, KeyError) as problem:
            raise ClusterError(f"the master does not answer: {problem}") from problem

    def _start_all(self, state: State, workers: int) -> State:
        properties = ["--properties-file", str(self._settings_file)]
        master = f"spark://{LOOPBACK}:{state.master_port}"
        state = self._spawn(
            state,
            MASTER,
            "spark-class",
            [
                *(MASTER_CLASS, "--host", LOOPBACK, "--port", str(state.master_port)),
                *("--webui-port", str(state.ui_port), *properties),
            ],
        )
        self._wait(state, MASTER, lambda: _answers(lambda: self.workers_alive(state) >= 0))
        for number in range(1, workers + 1):
            state = self.start_worker(f"worker_{number}", state)
        self._wait(state, "worker_1", lambda: self.workers_alive(state) == workers)
        state = self._spawn(
            state,
            THRIFT,
            "spark-submit",
            [
                *("--master", master, *properties, "--name", "nps_warehouse thrift"),
                *("--class", THRIFT_CLASS, "spark-internal"),
                *("--hiveconf", f"hive.server2.thrift.bind.host={LOOPBACK}"),
                *("--hiveconf", f"hive.server2.thrift.port={state.thrift_port}"),
                # dbt's client ends no statement before its session ends, and what is not ended
                # keeps its plans: gigabytes in a build.
                *("--hiveconf", "hive.server2.idle.operation.timeout=20s"),
                *("--hiveconf", "hive.server2.session.check.interval=5s"),
            ],
        )
        self._wait(state, THRIFT, lambda: _listens(state.thrift_port))
        return state

    def start_worker(self, name: str, state: State) -> State:
        """Start a worker of one core; returns the state with it.

        Args:
            name: of the part, such as ``worker_1``.
            state: what runs.
        """
        return self._spawn(
            state,
            name,
            "spark-class",
            [
                *(WORKER_CLASS, "--host", LOOPBACK, "--cores", "1"),
                *("--memory", f"{EXECUTOR_HEAP}m", "--work-dir", str(self.folder / "work" / name)),
                *("--webui-port", str(_free_port())),
                *("--properties-file", str(self._settings_file)),
                f"spark://{LOOPBACK}:{state.master_port}",
            ],
        )

    def _spawn(self, state: State, name: str, program: str, arguments: list[str]) -> State:
        scratch = str(self.folder / "scratch")
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith("SPARK_")
        } | {
            "SPARK_HOME": str(spark_home()),
            "SPARK_CONF_DIR": str(self.folder),
            # Everything binds to this address, the pages of master and workers too.
            "SPARK_LOCAL_IP": LOOPBACK,
            # The Thrift server counts as a daemon here, whatever spark.driver.memory says.
            "SPARK_DAEMON_MEMORY": f"{DRIVER_HEAP if name == THRIFT else DAEMON_HEAP}m",
            "SPARK_LOCAL_DIRS": scratch,
            "SPARK_DAEMON_JAVA_OPTS": f"{JAVA} -Djava.io.tmpdir={scratch}",
            "TZ": "UTC",
        }
        log = self.logs / f"{name}.log"
        with log.open("ab") as stream:
            # A session of its own: what ends the terminal does not end the cluster.
            child = subprocess.Popen(
                [str(spark_home() / "bin" / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=self.folder,
                start_new_session=True,
                umask=0o027,
            )
        process = Process(name, child.pid, _start_time(child.pid) or "")
        others = tuple(one for one in state.processes if one.name != name)
        state = State(state.master_port, state.ui_port, state.thrift_port, (*others, process))
        content = {**state.__dict__, "processes": [one.__dict__ for one in state.processes]}
        unfinished = self._state_file.with_suffix(".new")
        unfinished.write_text(json.dumps(content, indent=2))
        unfinished.chmod(0o640)
        unfinished.replace(self._state_file)
        return state

    def _wait(self, state: State, name: str, is_up: Callable[[], bool]) -> None:
        process = state.process(name)
        assert process is not None
        until = time.monotonic() + SECONDS_TO_START
        while not is_up():
            if time.monotonic() > until or not process.is_running():
                log = self.logs / f"{name}.log"
                end = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
                raise ClusterError(f"{name} does not start; the end of {log}:\n{end}")
            time.sleep(0.25)

    def _write_settings(self) -> None:
        jar = iceberg_jar()
        catalog = f"spark.sql.catalog.{CATALOG}"
        scratch = self.folder / "scratch"
        java = f"{JAVA} -Duser.timezone=UTC -Djava.io.tmpdir={scratch}"
        settings = {
            # Who has no secret gets no executor, from this machine either.
            "spark.authenticate": "true",
            "spark.authenticate.secret": secrets.token_hex(32),
            "spark.driver.host": LOOPBACK,
            "spark.driver.bindAddress": LOOPBACK,
            "spark.ui.enabled": "false",
            "spark.driver.memory": f"{DRIVER_HEAP}m",
            "spark.executor.memory": f"{EXECUTOR_HEAP}m",
            "spark.executor.cores": "1",
            "spark.driver.extraJavaOptions": f"{java} -Dderby.system.home={scratch}",
            "spark.executor.extraJavaOptions": java,
            # Not --jars: what is shipped at run time is not seen by the class loader of catalogs.
            "spark.driver.extraClassPath": str(jar),
            "spark.executor.extraClassPath": str(jar),
            "spark.sql.extensions": (
                "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
            ),
            catalog: "org.apache.iceberg.spark.SparkCatalog",
            f"{catalog}.type": "hadoop",
            f"{catalog}.warehouse": self.warehouse.as_uri(),
            "spark.sql.defaultCatalog": CATALOG,
            # The session's own catalog is not used; it is kept in memory, never in a Derby file.
            "spark.hadoop.javax.jdo.option.ConnectionURL": (
                "jdbc:derby:memory:metastore;create=true"
            ),
            "spark.hadoop.hive.metastore.schema.verification": "false",
            "spark.hadoop.datanucleus.schema.autoCreateAll": "true",
            "spark.sql.warehouse.dir": str(scratch / "session_catalog"),
            "spark.sql.session.timeZone": "UTC",
            # Errors where DuckDB has errors, and "names" in double quotes.
            "spark.sql.ansi.enabled": "true",
            "spark.sql.ansi.doubleQuotedIdentifiers": "true",
            # Few partitions, which adaptive execution joins, or splits where rows are skew.
            "spark.sql.shuffle.partitions": "4",
            "spark.sql.adaptive.enabled": "true",
            "spark.sql.adaptive.skewJoin.enabled": "true",
            "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
            # What is known of a column is known of all that is computed from it: for a p value of a
            # z value of standard errors that takes more than all memory.
            "spark.sql.constraintPropagation.enabled": "false",
            # Nor is what several CTEs compute, one from the other, written as one expression.
            "spark.sql.optimizer.excludedRules": (
                "org.apache.spark.sql.catalyst.optimizer.CollapseProject"
            ),
            "spark.sql.autoBroadcastJoinThreshold": "4m",
            # The driver remembers the last statements alone, and no plan of a megabyte.
            "spark.sql.ui.retainedExecutions": "10",
            "spark.ui.retainedJobs": "100",
            "spark.ui.retainedStages": "100",
            "spark.ui.retainedTasks": "1000",
            "spark.sql.thriftserver.ui.retainedStatements": "20",
            "spark.sql.maxPlanStringLength": "2000",
            "spark.scheduler.mode": "FAIR",
            "spark.locality.wait": "0s",
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": self.events.as_uri(),
            "spark.eventLog.compress": "false",
            "spark.cleaner.periodicGC.interval": "5min",
            "spark.log.level": "WARN",
        }
        unfinished = self._settings_file.with_suffix(".new")
        unfinished.touch(mode=0o600)
        unfinished.chmod(0o600)
        unfinished.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
        unfinished.replace(self._settings_file)


def spark_home() -> Path:
    """The folder of PySpark, whose programs and jars are the cluster's.

    Raises:
        ClusterError: PySpark is not installed.
    """
    return _package("pyspark")


def iceberg_jar() -> Path:
    """The jar of Iceberg for PySpark's Spark, as a package of PyPI brings it.

    Raises:
        ClusterError: it is not there.
    """
    found = sorted((_package(ICEBERG_PACKAGE) / "jars").glob(ICEBERG_JARS))
    if not found:
        raise ClusterError(f"{ICEBERG_PACKAGE} has no {ICEBERG_JARS}")
    return found[-1]


def stop_process(process: Process, how: int = signal.SIGTERM) -> None:
    """End a part of the cluster and wait for its end; what does not end in time is killed.

    Args:
        process: the part.
        how: the signal that it gets first.
    """
    for number in (how, signal.SIGKILL):
        if not process.is_running():
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
        until = time.monotonic() + SECONDS_TO_STOP
        while process.is_running() and time.monotonic() < until:
            _reap(process.pid)
            time.sleep(0.1)


def _order_of_stopping(process: Process) -> int:
    return {THRIFT: 0, MASTER: 2}.get(process.name, 1)


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _start_time(pid: int) -> str | None:
    """Start time of a process that is not over, in the kernel's ticks."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in {"Z", "X"} else fields[19]


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ClusterError(f"{name} is not installed; scripts/spark installs it")
    return Path(next(iter(spec.submodule_search_locations)))


def _answers(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except ClusterError:
        return False


def _listens(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex((LOOPBACK, port)) == 0


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((LOOPBACK, 0))
        return int(one.getsockname()[1])
