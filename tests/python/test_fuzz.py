"""A fuzz run breaks data the same way twice, and reports whatever goes wrong."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from compiled import Compiled
from fuzz.__main__ import main
from fuzz.mutations import MUTATIONS, Mutation, broken
from fuzz.run import Worker, fuzz
from fuzz.targets import TARGETS, Importer, Landing
from fuzz_targets import CRASHES, HANGS, RAISES, WRONG, Misbehaving
from hypothesis import given
from hypothesis import strategies as st
from nps_warehouse.importing.run import Imported, import_exports

DATA = b"response_id,score,responded_at\nR1,9,2025-01-01\nR2,3,2025-01-02\n"


@given(st.binary(max_size=200), st.integers(0, 10_000))
def test_whatever_is_broken_is_broken_alike_again(data: bytes, seed: int) -> None:
    assert broken(random.Random(seed), data) == broken(random.Random(seed), data)


@pytest.mark.parametrize("mutation", [one for one, _ in MUTATIONS], ids=lambda one: one.__name__)
def test_every_mutation_changes_something(mutation: Mutation) -> None:
    results = {mutation(random.Random(seed), DATA) for seed in range(50)}
    assert len(results - {DATA}) > (1 if mutation.__name__ == "shift_commas" else 3)


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    worker = Worker(Misbehaving, tmp_path_factory.mktemp("kept"), limit=3)
    yield worker
    worker.close()


def test_everything_that_goes_wrong_is_a_failure_with_its_seed(worker: Worker) -> None:
    *_, summary = fuzz(worker, 0, 7, 100)
    assert summary.batches == 7
    assert sorted(summary.failures) == [WRONG, RAISES, CRASHES, HANGS]
    assert summary.failures[WRONG] == ["a row is missing"]
    assert "ValueError: no such thing" in summary.failures[RAISES][0]
    assert summary.failures[CRASHES] == ["crash: exit code 11"]
    assert summary.failures[HANGS] == ["hang: no end after 3 seconds"]
    # The others were run, before and after.
    rows = sum(int(random.Random(seed).random() * 1000) for seed in (0, 5, 6))
    assert (summary.outcome.examples, summary.outcome.rows) == (4, rows)


def test_what_failed_is_kept(worker: Worker) -> None:
    assert worker.keep is not None
    for seed in (0, WRONG, RAISES):
        worker.batch(seed)
    assert sorted(path.name for path in worker.keep.iterdir()) == [str(WRONG), str(RAISES)]
    assert (worker.keep / str(WRONG) / "delivered").read_text() == str(WRONG)


def test_no_batch_is_begun_when_the_time_is_over(worker: Worker) -> None:
    assert list(fuzz(worker, 5, None, 0)) == []


def test_command_says_which_seed_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TARGETS, "landing", Misbehaving)
    bad = CliRunner().invoke(main, ["--seed", "0", "--batches", "2"])
    assert bad.exit_code == 1
    assert f"FAILURE seed {WRONG}:\n  a row is missing" in bad.output
    assert "1 failures" in bad.output
    good = CliRunner().invoke(main, ["--seed", "5", "--batches", "2"])
    assert good.exit_code == 0
    assert "2 examples" in good.output
    assert "no failure" in good.output


# The landing's target.

SEED = 7


@pytest.fixture(scope="module")
def landing(project: Compiled, tmp_path_factory: pytest.TempPathFactory) -> Landing:
    return Landing(tmp_path_factory.mktemp("prepared"), project)


def test_deliveries_broken_by_chance_reconcile(landing: Landing, tmp_path: Path) -> None:
    outcome = landing.batch(random.Random(SEED), tmp_path)
    assert outcome.failures == []
    assert outcome.examples == 40
    assert outcome.refused > 0
    assert outcome.rows > 50


@pytest.mark.parametrize("layer", ["stg", "flawed", "superseded"])
def test_lost_rows_are_found(
    landing: Landing, project: Compiled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layer: str
) -> None:
    lossy = {
        id_: replace(node, query=f"select * from ({node.query}) limit 1")
        if node.name.startswith(f"{layer}_")
        else node
        for id_, node in project.nodes.items()
    }
    monkeypatch.setattr(landing.warehouse, "project", Compiled(lossy))
    failures: list[str] = []
    for seed in range(SEED, SEED + 5):
        folder = tmp_path / str(seed)
        folder.mkdir()
        failures = failures or landing.batch(random.Random(seed), folder).failures
    assert failures


# The importer's target.


@pytest.fixture(scope="module")
def importer(project: Compiled, tmp_path_factory: pytest.TempPathFactory) -> Importer:
    return Importer(tmp_path_factory.mktemp("prepared"), project)


def test_exports_broken_by_chance_reconcile(importer: Importer, tmp_path: Path) -> None:
    outcome = importer.batch(random.Random(SEED), tmp_path)
    assert outcome.failures == []
    assert outcome.examples == 20
    assert outcome.refused > 0
    assert outcome.rows > 50


def test_records_lost_by_the_importer_are_found(
    importer: Importer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lossy(*given: Any) -> list[Imported]:
        (result,) = import_exports(*given)
        (made,) = result.tables
        return [replace(result, tables=(replace(made, rows=made.rows - 1),))]

    monkeypatch.setattr("fuzz.targets.import_exports", lossy)
    assert importer.batch(random.Random(SEED), tmp_path).failures
