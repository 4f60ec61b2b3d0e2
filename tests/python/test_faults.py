"""Runs that are killed, and that the harness that kills them would notice a defect."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from conftest import PROJECT
from nps_warehouse.faults.deliveries import Deliveries, deliver, truth_of
from nps_warehouse.faults.reader import Seen, wrong
from nps_warehouse.faults.report import replace_part
from nps_warehouse.faults.schedule import EMPTY, LATE, TRUNCATED, WRONG_COLUMNS, Sources
from nps_warehouse.runs.delivery import take

BY_HAND = {
    "contacts/a.csv": b"contact_id,ended_at\nC1,2026-01-02T00:00:00Z\nC1,2026-01-02T00:00:00Z\n",
    "survey_responses/a.csv": (
        b"response_id,score,responded_at,updated_at\n"
        b"R1,9,2026-01-01T00:00:00Z,\nR2,3,2026-01-01T00:00:00Z,\nR3,11,2026-01-01T00:00:00Z,\n"
    ),
    "survey_responses/b.csv": (
        b"response_id,score,responded_at,updated_at\n"
        b"R2,10,2026-01-01T00:00:00Z,2026-01-03T00:00:00Z\nR4,0,2026-01-01T00:00:00Z,\nR5,7\n"
    ),
}
"""R1 and the corrected R2 are promoters, R4 a detractor; R3 is no score, R5 no whole line."""

TRUE = {(1.0,), (2.0,)}


def test_the_truth_of_a_delivery_by_hand() -> None:
    truth = truth_of(BY_HAND)
    assert truth.scores == {"R1": 9, "R2": 10, "R4": 0}
    assert truth.nps == pytest.approx(100 / 3)
    assert (truth.rows_read, truth.accepted, truth.rejected, truth.superseded) == (6, 3, 2, 1)
    assert (truth.contacts, truth.as_of) == (1, "2026-01-03T00:00:00Z")


def test_deliveries_differ_and_files_vanish(tmp_path: Path) -> None:
    deliveries = Deliveries(seed=5, count=3)
    assert len({deliveries.truth(number).seen for number in range(3)}) == 3
    assert {deliveries.truth(number).as_of for number in range(6)} == {"2026-03-30T18:00:00Z"}
    for number in (0, 2, 3):
        deliver(tmp_path, deliveries.files(number))
        found = {str(p.relative_to(tmp_path)): p.read_bytes() for p in tmp_path.rglob("*.csv")}
        assert found == deliveries.files(number)
    assert deliveries.files(3) == deliveries.files(0)


@pytest.mark.parametrize(
    ("seen", "noticed"),
    [
        ([("v1", (1.0,), None), ("v2", (2.0,), None)], ""),
        ([("v1", (1.0,), None), ("v2", (1.0,), None)], ""),
        ([("v1", (1.5,), None)], "figures of no delivery"),
        ([("v1", (1.0,), None), ("v1", (2.0,), None)], "then"),
        ([("v1", (1.0,), None), ("v2", (2.0,), None), ("v1", (1.0,), None)], "came back"),
        ([("v3", (1.0,), None)], "never published"),
        ([(None, (), "IOException: lock")], "lock"),
    ],
)
def test_what_a_reader_must_not_see(
    seen: list[tuple[str | None, tuple[float, ...], str | None]], noticed: str
) -> None:
    found = wrong([Seen(0.0, *one) for one in seen], TRUE, {"v1", "v2"})
    assert noticed in "; ".join(found)
    assert bool(found) == bool(noticed)


def test_a_day_has_what_is_late_and_broken() -> None:
    sources = Sources(seed=1)
    before: dict[str, bytes] = {}
    for hour in range(24):
        good = sources.arrive(hour)
        assert good == (hour not in (WRONG_COLUMNS, EMPTY))
        if good:
            truth = truth_of(sources.files)
            assert truth.rejected == (1 if hour == TRUNCATED else 0)
            assert (sources.files == before) == (hour == LATE or hour == 9)
        before = dict(sources.files)
    # Every hour but the one that never comes, once: 5 to 8 answers each.
    assert truth.accepted == 240 + sum(5 + hour % 4 for hour in range(24) if hour != 9)


def test_a_report_replaces_its_part_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Head\n\n<!-- a -->\n\nold\n\n<!-- end of a -->\n\ntail\n")
    replace_part(page, "a", "new")
    replace_part(page, "b", "more")
    text = page.read_text()
    assert "old" not in text
    assert re.search(r"# Head.*new.*tail.*more", text, re.DOTALL)


def test_a_file_whose_writer_pauses_is_taken_whole(tmp_path: Path) -> None:
    files = Deliveries(seed=5, count=2).files(1)
    deliver(tmp_path / "raw", files)
    path = "survey_responses/hour_01.csv"
    (tmp_path / "raw" / path).write_bytes(files[path][:400])
    writer = threading.Timer(0.5, (tmp_path / "raw" / path).write_bytes, [files[path]])
    writer.start()
    take(tmp_path / "raw", tmp_path / "taken")
    writer.join()
    assert (tmp_path / "taken" / path).read_bytes() == files[path]


MUTANTS = {
    "written over in place": "atomic.link = lambda source, file: shutil.copyfile(source, file)",
    "not recorded": "atomic.record = lambda *args, **options: None",
    "not repaired": "atomic._repair = lambda *args: []",
}


def faults(*arguments: str, mutant: str = "") -> subprocess.CompletedProcess[str]:
    """The command, in a process that has no threads yet."""
    program = (
        "import shutil\nfrom nps_warehouse.publishing import atomic\n"
        f"{mutant}\nfrom nps_warehouse.faults.cli import main\nmain()\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=PROJECT,
        env=os.environ | {"PYTHONPATH": str(PROJECT / "scripts")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.thorough
def test_publications_that_are_killed(tmp_path: Path) -> None:
    report = tmp_path / "report.md"
    ran = faults("--select", "publishing", "--kills", "7", "--seed", "3", "--report", str(report))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "| **all** | 7 | 0 | 0 | 0 |" in report.read_text()
    assert "wrong reads: **0**" in report.read_text()


@pytest.mark.thorough
@pytest.mark.parametrize("name", MUTANTS)
def test_a_defect_of_publishing_is_noticed(name: str) -> None:
    ran = faults("--select", "publishing", "--kills", "6", "--seed", "3", mutant=MUTANTS[name])
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert re.search(r"^- ", ran.stdout, re.MULTILINE), ran.stdout + ran.stderr


@pytest.mark.thorough
def test_whole_runs_that_are_killed(tmp_path: Path) -> None:
    """From the files to the score marts; `scripts/faults` itself does it two hundred times."""
    report = tmp_path / "report.md"
    ran = faults("--kills", "3", "--seed", "4", "--only", "build: facts", "--only", "land",
                 "--only", "build: score marts", "--report", str(report))  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "| **all** | 3 | 0 | 0 | 0 |" in report.read_text()
    assert "wrong reads: **0**" in report.read_text()
