"""Whole runs through the real command: what is published, and what still stands when one fails."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from conftest import PROJECT, environment_of
from gate_cases import NOW, Delivery, clean_delivery
from nps_warehouse import exit_codes
from nps_warehouse.runs.record import Run, read_runs

pytestmark = pytest.mark.thorough

# What publishing needs, and little more: facts, scores, what is said of earlier publications.
MARTS = ("facts", "dimensions", "counts", "scores", "history")
LEFT_OUT = [
    argument
    for folder in sorted((PROJECT / "models" / "marts").iterdir())
    if folder.is_dir() and folder.name not in MARTS
    for argument in ("--exclude", f"path:models/marts/{folder.name}")
]


class Nightly:
    """Runs in one folder, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = folder / "runs"
        self.shown = folder / "published" / "nps.duckdb"
        self.environ = environment_of(folder, raw_dir=folder / "raw") | {
            "NPS_RUNS_DIR": str(self.runs),
            "NPS_PUBLISHED_DIR": str(folder / "published"),
            "PYTHONPATH": str(PROJECT / "scripts"),
        }

    def deliver(self, delivery: Delivery) -> None:
        for file in (self.folder / "raw").glob("*"):
            file.unlink()
        delivery.write(self.folder / "raw")

    def run(self, *arguments: str) -> tuple[subprocess.CompletedProcess[str], Run]:
        finished = subprocess.run(
            [
                *(sys.executable, "-m", "nps_warehouse.cli", "run", "--now", NOW.isoformat()),
                *LEFT_OUT,
                *arguments,
            ],
            env=self.environ, cwd=self.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        for line in finished.stdout.splitlines():
            assert isinstance(json.loads(line), dict)
        return finished, read_runs(self.runs)[-1]

    def digest(self) -> str:
        return hashlib.sha256(self.shown.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def nightly(tmp_path_factory: pytest.TempPathFactory) -> Nightly:
    """A folder in which a clean delivery was published."""
    one = Nightly(tmp_path_factory.mktemp("nightly"))
    one.deliver(clean_delivery())
    finished, _ = one.run()
    assert finished.returncode == exit_codes.OK, finished.stderr
    return one


def test_a_run_publishes_and_leaves_its_record(nightly: Nightly) -> None:
    run = read_runs(nightly.runs)[0]
    assert (run.status, run.exit_code, run.version_id) == ("published", 0, run.run_id)
    assert [(step.name, step.status) for step in run.steps] == [
        (name, "done") for name in ("land", "check_raw", "build", "check_marts", "publish", "docs")
    ]
    # As they were delivered: 56 days of 12 answers and 24 contacts.
    rows = {table.table_name: table for table in run.tables}
    assert rows["survey_responses"][1:] == (672, 672, 0, 0, 0)
    assert rows["contacts"][1:] == (1344, 1344, 0, 0, 0)
    assert run.responses == 672
    left = {path.name for path in (nightly.runs / run.run_id).iterdir()}
    assert {"events.jsonl", "check_raw.txt", "check_marts.json", "summary.txt"} <= left
    artifacts = nightly.runs / run.run_id / "artifacts"
    assert {path.name for path in artifacts.iterdir()} == {
        "manifest.json",
        "catalog.json",
        "run_results.json",
    }
    built = {node.unique_id for node in run.nodes if node.status == "success"}
    results = json.loads((artifacts / "run_results.json").read_text())["results"]
    assert built == {one["unique_id"] for one in results if one["status"] == "success"}
    with duckdb.connect(str(nightly.shown), read_only=True) as connection:
        shown = connection.execute(
            "select runs.run_id, runs.status, runs.responses, count(nodes.unique_id) "
            "from quality.runs as runs inner join quality.run_nodes as nodes using (run_id) "
            "group by all"
        ).fetchall()
    assert shown == [(run.run_id, "published", 672, len(run.nodes))]
    for path in (*nightly.runs.rglob("*"), *nightly.shown.parent.rglob("*")):
        assert path.stat().st_mode & 0o027 == 0, path


def test_a_gate_that_fails_leaves_what_was_published(nightly: Nightly) -> None:
    before = nightly.digest()
    delivery = clean_delivery()
    # A scale from 1 to 5, read as one from 0 to 10.
    for row in delivery.tables["survey_responses"]:
        row["score"] = str(1 + int(row["score"]) * 4 // 10)
    nightly.deliver(delivery)
    finished, run = nightly.run()
    assert finished.returncode == exit_codes.CRITICAL_FAILED
    assert (run.status, run.failed_step, run.exit_code) == ("not published", "check_raw", 3)
    assert "the_scale_reaches_beyond_five" in finished.stderr
    assert f"Readers still see version {read_runs(nightly.runs)[0].run_id}" in finished.stderr
    assert "minutes old" in finished.stderr
    assert nightly.digest() == before


def test_a_data_test_that_fails_is_not_published(nightly: Nightly) -> None:
    before = nightly.digest()
    delivery = clean_delivery()
    nightly.deliver(delivery)
    with (nightly.folder / "raw" / "survey_responses.csv").open("a") as stream:
        stream.write('R9999,9,2026-03-01T10:00:00Z,C0000,S1,email,1,"never closed\n')
    finished, run = nightly.run("--only", "land", "--only", "build")
    assert finished.returncode == exit_codes.CRITICAL_FAILED, finished.stderr
    assert (run.status, run.failed_step) == ("not published", "build")
    assert "no_unclosed_quote" in finished.stderr
    finished, run = nightly.run("--only", "publish")
    assert finished.returncode == exit_codes.CRITICAL_FAILED
    assert "not proven" in finished.stderr
    assert nightly.digest() == before


def test_a_column_that_is_missing_is_bad_input(nightly: Nightly) -> None:
    before = nightly.digest()
    delivery = clean_delivery()
    for row in delivery.tables["contacts"]:
        del row["channel"]
    nightly.deliver(delivery)
    finished, run = nightly.run()
    assert finished.returncode == exit_codes.BAD_INPUT
    assert (run.status, run.failed_step) == ("failed", "land")
    # The file's name is the owner's, not that of our copy.
    assert f"{nightly.folder}/raw/contacts.csv lacks the required column channel" in finished.stderr
    assert nightly.digest() == before


def test_a_var_that_cannot_be_used_is_bad_input(nightly: Nightly) -> None:
    nightly.deliver(clean_delivery())
    finished, run = nightly.run("--vars", "{nps_min_responses: -1}", "--only", "land")
    assert finished.returncode == exit_codes.BAD_INPUT
    assert "nps_min_responses" in finished.stderr
    assert run.status == "failed"
