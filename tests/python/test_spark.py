"""Spark as the engine: a cluster of the suite's own, and marts beside those of DuckDB."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from conftest import PROJECT, SAMPLE, Build
from engine_cases import CASES, sums_and_shares
from engine_programs import command, surroundings
from nps_warehouse import environment
from nps_warehouse.engines.compare import compare, keys
from nps_warehouse.spark.cluster import Cluster, State
from nps_warehouse.spark.events import Work, newest, read
from rendered import rendered

# In the middle: staging and facts are there, most marts are not.
MODELS_BEFORE_THE_LOSS = 170


def task_end(executor: str, stage: int, rows: int, **info: bool) -> str:
    """A line of an event log, as Spark writes it."""
    return (
        json.dumps(
            {
                "Event": "SparkListenerTaskEnd",
                "Stage ID": stage,
                "Task Info": {"Executor ID": executor, "Failed": False, "Killed": False} | info,
                "Task Metrics": {
                    "Executor Run Time": 1500,
                    "Input Metrics": {"Records Read": rows},
                    "Shuffle Read Metrics": {"Total Records Read": 1},
                    "Shuffle Write Metrics": {"Shuffle Bytes Written": 10},
                },
            }
        )
        + "\n"
    )


def test_an_event_log_is_added_up() -> None:
    added = [
        json.dumps({"Event": "SparkListenerExecutorAdded", "Executor ID": name}) + "\n"
        for name in ("0", "1")
    ]
    lost = json.dumps({"Event": "SparkListenerExecutorRemoved", "Executor ID": "1"}) + "\n"
    tasks = [
        task_end("0", 1, 5),
        task_end("1", 1, 7),
        task_end("0", 2, 1),
        task_end("1", 2, 1, Failed=True),
    ]
    work = read([*added, *tasks, lost, '{"Event": "SparkListenerTaskEnd", "Stage'])
    first, second = work.executors["0"], work.executors["1"]
    assert (first.tasks, first.failed, first.seconds, first.shuffled_bytes) == (2, 0, 3.0, 20)
    assert (second.tasks, second.failed, second.is_lost) == (1, 1, True)
    assert not first.is_lost
    # Of stage 2 the second executor finished nothing.
    assert work.shared_stages == 1
    assert work.task_rows == {1: [6, 8], 2: [2]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["land"], "no Thrift server of Spark answers at 127.0.0.1:1; scripts/spark start starts"),
        (["copy", "marts.duckdb"], "no Thrift server of Spark answers at 127.0.0.1:1"),
        (["work"], "has no event log: no build ran on a cluster there"),
        (["status"], "nothing was started"),
    ],
)
def test_what_needs_a_cluster_says_that_there_is_none(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    environment.ensure(PROJECT, ["from_source", "spark"], ".venv-spark")
    done = subprocess.run(
        command("spark", "python", "-m", "nps_warehouse.spark.cli", *arguments),
        env=surroundings(
            tmp_path,
            {
                "NPS_SPARK_DIR": tmp_path / "none",
                "NPS_SPARK_HOST": "127.0.0.1",
                # Nothing listens at the first port: it is the system's.
                "NPS_SPARK_PORT": "1",
            },
        ),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@dataclass(frozen=True)
class Spark:
    """A cluster, and how programs reach it."""

    cluster: Cluster
    state: State
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Of programs of `.venv-spark`."""
        return surroundings(
            self.folder,
            {
                "NPS_SPARK_DIR": self.cluster.folder,
                "NPS_SPARK_PORT": str(self.state.thrift_port),
                "NPS_RAW_DIR": SAMPLE,
                "NPS_WAREHOUSE": self.folder / "unused.duckdb",
            },
        )

    def run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program of `.venv-spark`; what it says is kept."""
        return subprocess.run(
            command("spark", program, *arguments),
            env=self.environment,
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )

    def work(self) -> Work:
        """What the executors have done so far."""
        with newest(self.cluster.events).open(encoding="utf-8") as lines:
            return read(lines)

    def python(self, program: str, *arguments: str | Path) -> str:
        """What a program of Python prints; it has `session`, a session with the cluster."""
        head = (
            "import sys\nfrom pathlib import Path\nfrom nps_warehouse.spark.cli import session\n"
            "with session() as spark:\n"
        )
        body = "".join(f"    {line}\n" for line in program.strip().splitlines())
        done = self.run("python", "-c", head + body, *arguments)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    """The suite's own cluster, with the sample landed in it."""
    environment.ensure(PROJECT, ["from_source", "spark"], ".venv-spark")
    folder = tmp_path_factory.mktemp("spark")
    cluster = Cluster(folder / "cluster")
    python = PROJECT / ".venv-spark" / "bin" / "python"
    try:
        started = subprocess.run(
            [python, "-m", "nps_warehouse.spark.cli", "start", "--port", "0"],
            env=os.environ
            | {"NPS_SPARK_DIR": str(cluster.folder), "PYTHONPATH": str(PROJECT / "scripts")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert started.returncode == 0, started.stdout + started.stderr
        state = cluster.state()
        assert state is not None
        found = Spark(cluster, state, folder)
        landed = found.run("python", "-m", "nps_warehouse.spark.cli", "land")
        assert landed.returncode == 0, landed.stderr[-3000:]
        yield found
    finally:
        cluster.stop()


@dataclass(frozen=True)
class Built:
    """A build in the midst of which a worker was killed."""

    marts: Path
    # The event log as it was before, and at the end.
    before: Work
    whole: Work


@pytest.fixture(scope="module")
def built(spark: Spark) -> Built:
    """All models, built while a worker and its executor are killed; the marts as a DuckDB file."""
    log = spark.folder / "build.log"
    with log.open("w+", encoding="utf-8") as stream:
        build = subprocess.Popen(
            command(
                *("spark", "dbt", "--no-use-colors", "build", "--target", "spark"),
                *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
            ),
            env=spark.environment,
            cwd=PROJECT,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        try:
            while log.read_text(encoding="utf-8").count("OK created") < MODELS_BEFORE_THE_LOSS:
                assert build.poll() is None, log.read_text(encoding="utf-8")[-6000:]
                time.sleep(0.2)
            before = spark.work()
            worker = spark.state.process("worker_2")
            assert worker is not None
            # A worker begins a session of its own; the executor is in it.
            os.killpg(worker.pid, signal.SIGKILL)
            ended = build.wait()
        finally:
            build.kill()
    assert ended == 0, log.read_text(encoding="utf-8")[-6000:]
    file = spark.folder / "spark.duckdb"
    spark.python(
        "from nps_warehouse.spark.extract import extract\nprint(extract(spark, Path(sys.argv[1])))",
        file,
    )
    return Built(file, before, spark.work())


@pytest.mark.servers
@pytest.mark.environments
@pytest.mark.timeout(2400)
class TestOnACluster:
    """Needs `.venv-spark` and Java."""

    def test_files_are_landed_whole(self, spark: Spark, sample_build: Build) -> None:
        names = ["survey_responses", "contacts", "departments", "contact_legs"]
        counted = spark.python(
            "for name in sys.argv[1:]:\n"
            "    spark.execute(f'select count(*) from raw.{name}')\n"
            "    print(spark.fetchall()[0][0])",
            *names,
        )
        with duckdb.connect(str(sample_build.warehouse), read_only=True) as warehouse:
            expected = [
                row[0]
                for name in names
                for row in warehouse.execute(f"select count(*) from raw.{name}").fetchall()
            ]
        assert [int(line) for line in counted.split()] == expected

    def test_macros_give_what_they_give_elsewhere(self, spark: Spark, tmp_path: Path) -> None:
        # No text of Spark's is called varchar without a length.
        models = {
            name: f"select {case.jinja} as value".replace("as varchar)", "as string)")
            for name, case in CASES.items()
        }
        shares = {}
        for number, (sums, expected) in enumerate(sums_and_shares()):
            listed = [f"cast('{one!r}' as double)" for one in sums]
            call = f"{{{{ shares_of_variance({listed}) }}}}"
            models[f"shares_{number}"] = f"select to_json({call}) as value"
            shares[f"shares_{number}"] = expected
        rendered(tmp_path, models)
        compiled = spark.run(
            *("dbt", "compile", "--target", "spark", "--no-populate-cache"),
            *("--project-dir", tmp_path / "project"),
        )
        assert compiled.returncode == 0, compiled.stdout
        queries = {
            file.stem: file.read_text()
            for file in (spark.folder / "target" / "compiled" / "rendered").rglob("*.sql")
        }
        file = tmp_path / "queries.json"
        file.write_text(json.dumps({name: queries[name] for name in models}))
        answered = spark.python(
            "import json\n"
            "found = {}\n"
            "for name, query in json.loads(Path(sys.argv[1]).read_text()).items():\n"
            "    try:\n"
            "        spark.execute(query)\n"
            "        found[name] = spark.fetchall()[0][0]\n"
            "    except Exception as problem:\n"
            "        found[name] = f'failed: {str(problem)[:300]}'\n"
            "print(json.dumps(found))",
            file,
        )
        found = json.loads(answered)
        for name, expected in shares.items():
            assert json.loads(found.pop(name)) == pytest.approx(expected, abs=1e-9)
        assert found == {name: case.expected for name, case in CASES.items()}

    def test_every_mart_is_that_of_duckdb(self, built: Built, sample_build: Build) -> None:
        compared = compare(built.marts, sample_build.warehouse, keys())
        assert len(compared) > 200
        assert [one for one in compared if not one.is_equal] == []

    def test_both_workers_work(self, built: Built) -> None:
        assert len(built.before.executors) == 2
        tasks = [one.tasks for one in built.before.executors.values()]
        assert min(tasks) > 0.2 * sum(tasks)
        assert built.before.shared_stages > 10

    def test_a_lost_worker_is_made_up_for(self, built: Built) -> None:
        lost = [one for one in built.whole.executors.values() if one.is_lost]
        assert lost != []
        # What went on went on without it.
        done = sum(one.tasks for one in built.whole.executors.values())
        assert done > 1.2 * sum(one.tasks for one in built.before.executors.values())

    def test_facts_are_partitioned_by_month(self, spark: Spark, built: Built) -> None:
        assert built.marts.exists()
        said = spark.python(
            "spark.execute('describe marts.fct_survey_responses')\n"
            "print([row[1] for row in spark.fetchall() if str(row[0]).startswith('Part ')])"
        )
        assert "months(period_date)" in said

    def test_it_listens_on_loopback_alone(self, spark: Spark) -> None:
        listening = subprocess.run(
            ["ss", "-Hltnp"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        pids = {process.pid for process in spark.state.processes}
        own = [line for line in listening if any(f"pid={pid}," in line for pid in pids)]
        assert own
        assert [line for line in own if "127.0.0.1" not in line.split()[3]] == []

    def test_no_secret_is_readable_by_others(self, spark: Spark) -> None:
        file = spark.cluster.folder / "spark-defaults.conf"
        assert "spark.authenticate.secret" in file.read_text()
        assert file.stat().st_mode & 0o077 == 0
