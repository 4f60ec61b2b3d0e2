"""Runs: their record, their lock, what they take, what they repair, and how the command ends."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from conftest import PROJECT, SAMPLE, WAREHOUSE, environment_of, parsed_project
from nps_warehouse import exit_codes
from nps_warehouse.privacy.suppression import SuppressionError
from nps_warehouse.publishing import PublishingError
from nps_warehouse.runs import delivery, repair, tables
from nps_warehouse.runs.lock import LockedError, at_work
from nps_warehouse.runs.problems import StepError, exit_code_of, is_damage
from nps_warehouse.runs.progress import JsonLines, Terminal
from nps_warehouse.runs.record import (
    FILE_NAME,
    Clock,
    Node,
    Run,
    RunRecord,
    TableRows,
    read_run,
    read_runs,
)
from nps_warehouse.runs.settings import places_of
from nps_warehouse.runs.steps import Proof
from nps_warehouse.state.store import StateError
from rich.console import Console

NPS_PARSED = Path(__file__).with_name("nps_parsed.py")
AT = datetime(2026, 3, 1, 2, tzinfo=UTC)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Of a run whose every folder is below one."""
    return environment_of(folder) | {
        "NPS_RUNS_DIR": str(folder / "runs"),
        "NPS_PUBLISHED_DIR": str(folder / "published"),
        "PYTHONPATH": str(PROJECT / "scripts"),
        **more,
    }


def nps(
    folder: Path, *arguments: str, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The real command; every line of its output is JSON."""
    finished = subprocess.run(
        [sys.executable, "-m", "nps_warehouse.cli", "run", *arguments],
        env=dict(environ or environment(folder)),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    for line in finished.stdout.splitlines():
        assert isinstance(json.loads(line), dict)
    assert "Traceback" not in finished.stderr
    return finished


def breaking(folder: Path, how: str) -> str:
    """A PYTHONPATH with which the run's first step does something else."""
    patched = folder / "patched"
    patched.mkdir(exist_ok=True)
    (patched / "sitecustomize.py").write_text(
        "import time\nfrom nps_warehouse.runs import delivery\n"
        f"def take(*arguments):\n    {how}\ndelivery.take = take\n"
    )
    return f"{patched}{os.pathsep}{PROJECT / 'scripts'}"


@contextmanager
def started(folder: Path, environ: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A run that hangs in its first step."""
    process = subprocess.Popen(
        [sys.executable, "-m", "nps_warehouse.cli", "run", "--only", "land"],
        env=dict(environ), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if json.loads(line)["event"] == "step_started":
                break
        yield process
    finally:
        process.kill()
        process.communicate()


class Still(Clock):
    """A clock that stands still."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at)
        self.at = at

    def now(self) -> datetime:
        return self.at


def begun(runs: Path, *, at: datetime = AT) -> RunRecord:
    return RunRecord.begin(
        runs, clock=Still(at), asked=["land"], versions={"dbt": "1.11"}, warehouse=Path("/w.duckdb")
    )


def ended(runs: Path, *, at: datetime = AT) -> Run:
    """A run with all that a record holds."""
    record = begun(runs, at=at)
    record.decided("Something was found.")
    record.step_started("land")
    record.step_ended("land", "done", 1.5, {"files": 3})
    record.nodes(
        [Node("model.p.a", "success", 0.5, "OK", None), Node("test.p.b", "fail", 1, "2", 2)]
    )
    record.tables([TableRows("contacts", 10, 5, 2, 2, 1)], 7)
    record.published("v1")
    record.ended("published", 0, None, None)
    record.close()
    return read_run(record.folder)


# The record


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    run = ended(tmp_path)
    assert (run.status, run.exit_code, run.version_id, run.responses) == ("published", 0, "v1", 7)
    assert (run.started_at, run.ended_at, run.seconds) == (AT, AT, 0)
    assert [(s.name, s.status, s.seconds, s.detail) for s in run.steps] == [
        ("land", "done", 1.5, {"files": 3})
    ]
    assert run.nodes[1] == Node("test.p.b", "fail", 1, "2", 2)
    assert run.tables == [("contacts", 10, 5, 2, 2, 1)]
    assert run.decisions == ["Something was found."]
    assert run.asked == ("land",)


def test_ids_sort_by_time(tmp_path: Path) -> None:
    later = ended(tmp_path, at=AT + timedelta(hours=1))
    earlier = ended(tmp_path, at=AT)
    assert Clock(AT).now() >= AT
    assert earlier.run_id.startswith("20260301T020000Z-")
    assert [run.run_id for run in read_runs(tmp_path)] == [earlier.run_id, later.run_id]


def test_ids_of_one_second_sort_by_time(tmp_path: Path) -> None:
    runs = [ended(tmp_path).run_id for _ in range(5)]
    assert runs == sorted(set(runs))


def test_a_run_is_running_while_its_process_lives_and_died_after(tmp_path: Path) -> None:
    script = (
        "import sys, time, pathlib\nfrom nps_warehouse.runs.record import *\n"
        "r = RunRecord.begin(pathlib.Path(sys.argv[1]), clock=Clock(), asked=['land', 'build'],\n"
        "    versions={}, warehouse=pathlib.Path('w'))\n"
        "r.step_started('land'); r.step_ended('land', 'done', 1)\n"
        "r.step_started('build'); print('here', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "scripts")},
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (run,) = read_runs(tmp_path)
        assert (run.status, run.steps[1].status) == ("running", "running")
        process.kill()
        process.wait()
    (run,) = read_runs(tmp_path)
    assert (run.status, run.failed_step, run.ended_at) == ("died", "build", None)
    assert [step.status for step in run.steps] == ["done", "died"]
    assert run.reason is not None
    assert "build" in run.reason


@pytest.mark.parametrize("lost", [1, 20])
def test_a_torn_last_line_is_left_out(tmp_path: Path, lost: int) -> None:
    whole = ended(tmp_path)
    file = tmp_path / whole.run_id / FILE_NAME
    file.write_bytes(file.read_bytes()[: -1 - lost])
    run = read_run(file.parent)
    assert (run.status, run.version_id, run.tables) == ("died", "v1", whole.tables)


def test_a_line_that_the_disk_did_not_take_does_not_swallow_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = begun(tmp_path)
    real = os.write

    def half(descriptor: int, content: bytes) -> int:
        if len(content) > 40:
            return real(descriptor, content[:40])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        with pytest.raises(OSError, match="No space"):
            record.decided("This is not written to its end.")
    record.decided("There is room again.")
    assert record.read().decisions == ["There is room again."]
    record.close()


def test_records_are_for_their_owner_and_group(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    run = ended(folder)
    for path, mode in ((folder, 0o750), (folder / run.run_id, 0o750)):
        assert path.stat().st_mode & 0o777 & ~mode == 0
    assert (folder / run.run_id / FILE_NAME).stat().st_mode & 0o137 == 0


def test_old_records_are_removed_and_nothing_else(tmp_path: Path) -> None:
    old = ended(tmp_path, at=AT - timedelta(days=91))
    kept = ended(tmp_path, at=AT - timedelta(days=89))
    now = ended(tmp_path)
    (tmp_path / "notes").mkdir()
    assert repair.prune(tmp_path, now, 90) == 1
    assert [run.run_id for run in read_runs(tmp_path)] == [kept.run_id, now.run_id]
    assert not (tmp_path / old.run_id).exists()
    assert (tmp_path / "notes").is_dir()


def test_tables_tell_what_records_tell(tmp_path: Path) -> None:
    first, second = ended(tmp_path), ended(tmp_path, at=AT + timedelta(days=1))
    with duckdb.connect() as connection:
        for runs in ([first], [first, second]):
            tables.write(connection, "memory", runs)
        rows = connection.execute(
            "select run_id, status, exit_code, version_id, responses, dbt_version, decisions "
            "from quality.runs order by run_id"
        ).fetchall()
        shared = ("published", 0, "v1", 7, "1.11", "Something was found.")
        assert rows == [(first.run_id, *shared), (second.run_id, *shared)]
        (started_at,) = connection.execute("select min(started_at) from quality.runs").fetchall()[0]
        assert started_at == AT.replace(tzinfo=None)
        nodes = connection.execute("select * from quality.run_nodes where failures = 2").fetchall()
        assert [row[1:3] for row in nodes] == [("test.p.b", "test")] * 2
        for table, grain in {
            "runs": "run_id",
            "run_steps": "run_id, step_name",
            "run_nodes": "run_id, unique_id",
            "run_tables": "run_id, table_name",
        }.items():
            counted = connection.execute(
                f"select count(*), count(distinct ({grain})) from quality.{table}"
            ).fetchall()[0]
            assert counted[0] == counted[1] > 0
            described = {
                (name, kind.lower())
                for name, kind in connection.execute(
                    "select column_name, data_type from duckdb_columns() where table_name = ?",
                    [table],
                ).fetchall()
            }
            assert described == set(tables.COLUMNS[table].items())


def test_what_an_error_quotes_is_not_published(tmp_path: Path) -> None:
    record = begun(tmp_path)
    record.nodes([Node("model.p.a", "error", 1, "Could not convert 'Jane Doe' to INT32", None)])
    record.close()
    with duckdb.connect() as connection:
        tables.write(connection, "memory", read_runs(tmp_path))
        assert connection.execute("select message from quality.run_nodes").fetchall() == [(None,)]


def test_the_largest_files_of_older_runs_are_removed(tmp_path: Path) -> None:
    runs = [ended(tmp_path, at=AT + timedelta(days=day)) for day in range(9)]
    for run in runs:
        (tmp_path / run.run_id / repair.ARTIFACTS).mkdir()
    repair.prune(tmp_path, runs[-1], 90)
    kept = [run.run_id for run in runs if (tmp_path / run.run_id / repair.ARTIFACTS).exists()]
    assert kept == [run.run_id for run in runs[-7:]]
    assert len(read_runs(tmp_path)) == 9


# The lock


def test_the_lock_of_a_dead_process_is_none(tmp_path: Path) -> None:
    environ = {"NPS_STATE_DIR": str(tmp_path)}
    script = (
        "import time\nfrom nps_warehouse.runs.lock import at_work\n"
        "with at_work(command='nps run'):\n    print('in', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        env={**os.environ, **environ, "PYTHONPATH": str(PROJECT / "scripts")},
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with (
            pytest.raises(LockedError, match=f"nps run, process {process.pid} on "),
            at_work(environ),
        ):
            raise AssertionError
        process.kill()
        process.wait()
    # Its file is still there, and says nothing any more.
    assert (tmp_path / "nps.lock").exists()
    with at_work(environ):
        pass


def test_the_lock_is_waited_for(tmp_path: Path) -> None:
    environ = {"NPS_STATE_DIR": str(tmp_path)}
    script = (
        "import time\nfrom nps_warehouse.runs.lock import at_work\n"
        "with at_work():\n    print('in', flush=True)\n    time.sleep(1)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        env={**os.environ, **environ, "PYTHONPATH": str(PROJECT / "scripts")},
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with at_work(environ, wait=30):
            assert process.wait() == 0


# The delivery


def delivered(folder: Path, **files: str) -> Path:
    folder.mkdir()
    for name, text in files.items():
        file = folder / f"{name.replace('__', '/')}.csv"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        os.utime(file, (1e9, 1e9))
    return folder


def content(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def test_what_is_taken_is_what_is_delivered(tmp_path: Path) -> None:
    source, taken = (
        delivered(tmp_path / "in", contacts="a", agents__1="b", agents__2="c"),
        tmp_path / "t",
    )
    (source / "_truth.json").write_text("not ours")
    (source / "notes.txt").write_text("not ours")
    first = delivery.take(source, taken)
    assert (first.files, first.copied) == (3, 3)
    assert content(taken) == {"contacts.csv": "a", "agents/1.csv": "b", "agents/2.csv": "c"}
    assert any("notes.txt" in warning for warning in first.warnings)
    inodes = {path: path.stat().st_ino for path in taken.rglob("*.csv")}
    assert delivery.take(source, taken).copied == 0
    assert inodes == {path: path.stat().st_ino for path in taken.rglob("*.csv")}
    # One is written anew in place, one is gone, one comes.
    (source / "contacts.csv").write_text("A")
    (source / "agents" / "1.csv").unlink()
    (source / "customers.csv").write_text("d")
    again = delivery.take(source, taken)
    assert (again.copied, again.removed) == (2, 1)
    assert content(taken) == {"contacts.csv": "A", "customers.csv": "d", "agents/2.csv": "c"}
    # A folder becomes a file, and a file a folder.
    (source / "agents" / "2.csv").unlink()
    (source / "agents").rmdir()
    (source / "agents.csv").write_text("e")
    (source / "contacts.csv").unlink()
    (source / "contacts").mkdir()
    (source / "contacts" / "1.csv").write_text("f")
    delivery.take(source, taken)
    assert content(taken) == {"contacts/1.csv": "f", "customers.csv": "d", "agents.csv": "e"}


def test_a_copy_that_somebody_changed_is_taken_again(tmp_path: Path) -> None:
    source, taken = delivered(tmp_path / "in", contacts="a"), tmp_path / "t"
    delivery.take(source, taken)
    (taken / "contacts.csv").write_text("x")
    assert delivery.take(source, taken).copied == 1
    assert content(taken) == {"contacts.csv": "a"}


def test_a_file_written_within_the_same_tick_is_taken_again(tmp_path: Path) -> None:
    source, taken = delivered(tmp_path / "in", contacts="a"), tmp_path / "t"
    # Ahead of the clock, as a file server's may be: as if it were written this moment.
    now = time.time_ns() + 60_000_000_000
    os.utime(source / "contacts.csv", ns=(now, now))
    delivery.take(source, taken)
    with (source / "contacts.csv").open("r+") as stream:
        stream.write("b")
    os.utime(source / "contacts.csv", ns=(now, now))
    delivery.take(source, taken)
    assert content(taken) == {"contacts.csv": "b"}


def test_a_file_that_changes_while_it_is_copied_is_copied_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, taken = delivered(tmp_path / "in", contacts="1", agents="1"), tmp_path / "t"
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0)
    real, writes = delivery._copy, iter(["22", "3"])

    def moving(*arguments: object) -> None:
        real(*arguments)  # type: ignore[arg-type]
        # After its copy was proved: only the last look tells.
        for text in writes:
            (source / "agents.csv").write_text(text)
            break

    monkeypatch.setattr(delivery, "_copy", moving)
    delivery.take(source, taken)
    assert content(taken) == {"contacts.csv": "1", "agents.csv": "3"}


def test_a_file_that_never_stands_still_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, taken = delivered(tmp_path / "in", contacts="1"), tmp_path / "t"
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0)
    real = shutil.copyfileobj

    def growing(*arguments: object) -> None:
        real(*arguments)  # type: ignore[arg-type]
        with (source / "contacts.csv").open("a") as stream:
            stream.write("more")

    monkeypatch.setattr(shutil, "copyfileobj", growing)
    with pytest.raises(StepError, match=r"contacts\.csv is still being written") as refused:
        delivery.take(source, taken)
    assert refused.value.exit_code == exit_codes.BAD_INPUT
    assert content(taken) == {}


def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    source, taken = delivered(tmp_path / "in", contacts="1"), tmp_path / "t"
    (tmp_path / "secret.csv").write_text("secret")
    (source / "agents.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(StepError, match="leads out of the delivered folder"):
        delivery.take(source, taken)
    assert "secret" not in content(taken).values()
    # One that stays inside, and a folder that is itself a link, are as good as files.
    (source / "agents.csv").unlink()
    (source / "agents.csv").symlink_to("contacts.csv")
    (tmp_path / "link").symlink_to(source)
    delivery.take(tmp_path / "link", taken)
    assert content(taken) == {"contacts.csv": "1", "agents.csv": "1"}


def test_half_made_copies_are_removed(tmp_path: Path) -> None:
    source, taken = delivered(tmp_path / "in", agents__1="1"), tmp_path / "t"
    delivery.take(source, taken)
    (taken / "agents" / ".2.csv.new").write_text("ha")
    assert delivery.clean(taken) == 1
    assert delivery.clean(taken) == 0


# Repair


def test_a_torn_warehouse_is_set_aside(tmp_path: Path) -> None:
    places = places_of(environment(tmp_path))
    with duckdb.connect(str(places.warehouse)) as connection:
        connection.execute("create table t as select range as a from range(300000)")
    whole = places.warehouse.read_bytes()
    assert list(repair.repair_warehouse(places, "r1", [])) == []
    # The headers lost a page in a power cut.
    places.warehouse.write_bytes(whole[:4096] + bytes(8192) + whole[12288:])
    (sentence,) = repair.repair_warehouse(places, "r2", [])
    assert "is damaged" in sentence
    assert not places.warehouse.exists()
    assert places.warehouse.with_name(f"{WAREHOUSE}.damaged-r2").stat().st_size == len(whole)


def test_a_file_that_is_no_warehouse_is_left_alone(tmp_path: Path) -> None:
    places = places_of(environment(tmp_path))
    places.warehouse.write_text("my letters\n" * 2000)
    with pytest.raises(StepError, match="left alone") as refused:
        list(repair.repair_warehouse(places, "r1", []))
    assert refused.value.exit_code == exit_codes.BAD_INPUT
    assert places.warehouse.read_text().startswith("my letters")
    # Where runs built this file, it was a warehouse.
    run = ended(tmp_path / "runs")
    ours = [Run(**{**vars(run), "warehouse": str(places.warehouse)})]
    assert len(list(repair.repair_warehouse(places, "r2", ours))) == 1


def test_a_torn_memory_of_the_gates_is_cut(tmp_path: Path) -> None:
    file = tmp_path / "checks.jsonl"
    file.write_text('{"gate": "raw"}\n{"gate": "ma')
    assert repair._whole_lines(file)
    assert file.read_text() == '{"gate": "raw"}\n'
    assert not repair._whole_lines(file)


def test_runs_that_died_are_told_once(tmp_path: Path) -> None:
    dead = begun(tmp_path)
    dead.step_started("build")
    dead.close()
    assert len(list(repair.died(read_runs(tmp_path)))) == 1
    ended(tmp_path, at=AT + timedelta(hours=1))
    assert list(repair.died(read_runs(tmp_path))) == []


# What is proven


def test_what_was_proven_holds_for_that_file_alone(tmp_path: Path) -> None:
    file = tmp_path / "w"
    file.write_text("1")
    proof = Proof(file, None)
    proof.passed = dict.fromkeys(proof.passed, True)
    noted = json.loads(json.dumps(proof.note()))
    assert all(Proof(file, noted).passed.values())
    file.write_text("22")
    assert not any(Proof(file, noted).passed.values())


# Progress


def test_a_terminal_shows_what_there_is_as_text() -> None:
    stream = io.StringIO()
    event = {"at": "", "run_id": "r1"}
    with Terminal(Console(file=stream, force_terminal=True, width=200, color_system=None)) as shown:
        shown.event({**event, "event": "run_started"})
        shown.event({**event, "event": "step_started", "step": "build"})
        shown.node(3, 7, "sql model [red]x[/red]")
        detail = {"warnings": ["ignored: [bold]notes.txt"]}
        ends = {"step": "build", "status": "failed", "seconds": 1.25, "detail": detail}
        shown.event({**event, "event": "step_ended", **ends})
        shown.event({**event, "event": "run_ended", "status": "failed", "exit_code": 70})
    text = stream.getvalue()
    assert "Run r1" in text
    assert re.search(r"✗ build +1\.2 s", text)
    assert "ignored: [bold]notes.txt" in text
    assert "failed (exit code 70)" in text
    # The cursor that was hidden is there again.
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def test_json_lines_count_the_nodes() -> None:
    stream = io.StringIO()
    with JsonLines(stream) as shown:
        shown.event({"at": "", "run_id": "r1", "event": "nodes", "nodes": [{}, {}]})
    assert json.loads(stream.getvalue()) == {
        "at": "",
        "run_id": "r1",
        "event": "nodes",
        "nodes": 2,
    }


# Exit codes


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (duckdb.IOException("Could not set lock on file"), exit_codes.LOCKED),
        (duckdb.IOException('Could not write file "x": No space left'), exit_codes.UNREACHABLE),
        (duckdb.BinderException("no column a"), exit_codes.INTERNAL),
        (StateError("another program has it open; DuckDB says: lock"), exit_codes.LOCKED),
        (StateError("state x: it can't be opened"), exit_codes.UNREACHABLE),
        (SuppressionError("there is no salt"), exit_codes.BAD_INPUT),
        (PublishingError("no space", exit_codes.UNREACHABLE), exit_codes.UNREACHABLE),
        (OSError(28, "No space left on device"), exit_codes.UNREACHABLE),
        (KeyError("a"), exit_codes.INTERNAL),
    ],
)
def test_problems_have_exit_codes(problem: Exception, code: int) -> None:
    assert exit_code_of(problem) == code


def test_damage_is_told_from_a_lock() -> None:
    assert is_damage("Corrupt database file: computed checksum 1 does not match")
    assert not is_damage('Could not set lock on file "/tmp/corrupt.duckdb"')


def test_a_folder_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    environ = environment(tmp_path, NPS_RAW_DIR=str(tmp_path / "nowhere"))
    finished = nps(tmp_path, environ=environ)
    assert finished.returncode == exit_codes.BAD_INPUT
    assert "nowhere does not exist" in finished.stderr
    assert "Readers see nothing yet" in finished.stderr
    (run,) = read_runs(tmp_path / "runs")
    assert (run.status, run.failed_step, run.exit_code) == ("failed", "land", 65)
    assert json.loads(finished.stdout.splitlines()[-1])["event"] == "run_ended"


def test_the_second_of_two_runs_leaves_with_locked(tmp_path: Path) -> None:
    with at_work(environment(tmp_path), command="nps forget"):
        finished = nps(tmp_path)
    assert finished.returncode == exit_codes.LOCKED
    assert f"nps forget, process {os.getpid()}" in finished.stderr
    assert read_runs(tmp_path / "runs") == []


def test_a_warehouse_that_another_program_has_open_is_locked(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / WAREHOUSE)):
        finished = nps(tmp_path)
    assert finished.returncode == exit_codes.LOCKED
    assert "another program has the file open" in finished.stderr


def test_a_folder_that_cannot_be_made_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    finished = nps(
        tmp_path, environ=environment(tmp_path, NPS_RUNS_DIR=str(tmp_path / "file/runs"))
    )
    assert finished.returncode == exit_codes.UNREACHABLE
    assert "file/runs" in finished.stderr


def test_what_is_not_proven_is_not_published(tmp_path: Path) -> None:
    finished = nps(tmp_path, "--only", "publish")
    assert finished.returncode == exit_codes.CRITICAL_FAILED
    assert "run check_raw, build, check_marts first" in finished.stderr
    (run,) = read_runs(tmp_path / "runs")
    assert run.status == "not published"
    assert not list((tmp_path / "published").rglob("*.duckdb"))


def test_a_defect_is_internal_and_its_traceback_stays_in_the_folder(tmp_path: Path) -> None:
    path = breaking(tmp_path, "raise ZeroDivisionError('planted')")
    finished = nps(tmp_path, environ=environment(tmp_path, PYTHONPATH=path))
    assert finished.returncode == exit_codes.INTERNAL
    assert "planted" not in finished.stderr + finished.stdout
    (run,) = read_runs(tmp_path / "runs")
    assert "planted" in (tmp_path / "runs" / run.run_id / "error.txt").read_text()


@pytest.mark.parametrize(("sent", "code"), [("SIGTERM", 143), ("SIGINT", 130), ("SIGHUP", 129)])
def test_a_signal_is_recorded(tmp_path: Path, sent: str, code: int) -> None:
    environ = environment(tmp_path, PYTHONPATH=breaking(tmp_path, "time.sleep(60)"))
    with started(tmp_path, environ) as process:
        process.send_signal(signal.Signals[sent])
        _, stderr = process.communicate()
    assert process.returncode == code
    assert f"interrupted by {sent}" in stderr
    (run,) = read_runs(tmp_path / "runs")
    assert (run.status, run.failed_step, run.exit_code) == ("failed", "land", code)


def test_a_wrong_command_line_is_two(tmp_path: Path) -> None:
    assert nps(tmp_path, "--only", "land", "--from", "build").returncode == 2


def test_landing_alone_leaves_the_raw_tables(tmp_path: Path) -> None:
    environ = environment(tmp_path)
    finished = subprocess.run(
        [sys.executable, str(NPS_PARSED), str(parsed_project()), "--only", "land"],
        env=environ, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == exit_codes.OK, finished.stderr
    events = [json.loads(line) for line in finished.stdout.splitlines()]
    assert [event["event"] for event in events] == [
        "run_started",
        "step_started",
        "step_ended",
        "warehouse",
        "run_ended",
    ]
    assert finished.stderr == ""
    (run,) = read_runs(tmp_path / "runs")
    assert (run.status, run.exit_code) == ("done", 0)
    assert run.steps[0].detail["copied"] == len(list(SAMPLE.glob("*.csv")))
    with duckdb.connect(str(tmp_path / WAREHOUSE), read_only=True) as connection:
        rows = connection.execute(
            "select count(*), min(_source_file) from raw.survey_responses"
        ).fetchall()
        assert rows == [(1925, "survey_responses.csv")]
        runs = connection.execute("select run_id, status from quality.runs").fetchall()
        assert runs == [(run.run_id, "done")]
    # Nothing of the delivery is for others to read, and no temporary file stays.
    taken = tmp_path / f"{WAREHOUSE}.delivery"
    assert all(path.stat().st_mode & 0o077 == 0 for path in (taken, *taken.iterdir()))
    assert (tmp_path / WAREHOUSE).stat().st_mode & 0o137 == 0
    assert list((tmp_path / f"{WAREHOUSE}.scratch").iterdir()) == []
