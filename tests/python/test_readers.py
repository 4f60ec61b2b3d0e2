"""Readers of the published file while versions are published: what is measured and found."""

from __future__ import annotations

import json
import multiprocessing
import re
from pathlib import Path

import duckdb
import pytest
from conftest import PROJECT, Build
from nps_warehouse.benchmark import cli, readers
from nps_warehouse.benchmark.measure import BenchmarkError
from nps_warehouse.benchmark.readers import Look, Night, Reading, Timed
from nps_warehouse.benchmark.report import with_section

# What is published must have, besides what the dashboards ask.
NEEDED = (
    *("categorized.as_of", "categorized.metric_version", "categorized.metric_rules"),
    *("quality.contract_version", "marts.unpublished_changes", "marts.unpublished_member_changes"),
    "reference.nps_bands",
)


@pytest.fixture(scope="module")
def small(sample_build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of nothing but what the dashboards ask, which is published in a second."""
    file = tmp_path_factory.mktemp("small") / "small.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"attach '{sample_build.warehouse}' as sample (read_only)")
        asked = {
            # An alias stands behind the name.
            table.split()[0]
            for query in readers.QUERIES.values()
            for table in connection.get_table_names(query, qualified=True)
        }
        for schema in ("categorized", "marts", "quality", "reference"):
            connection.execute(f"create schema {schema}")
        for table in sorted({*asked, *NEEDED}):
            connection.execute(f"create table {table} as from sample.{table}")
    return file


@pytest.mark.thorough
def test_four_readers_meet_no_error_while_versions_are_published(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Benchmark\n\nText.\n")
    status = cli.main([
        *("--readers", "4", "--publications", "2", "--pause", "0.05"),
        *("--warehouse", str(small), "--cache", str(tmp_path / "cache"), "--output", str(page)),
    ])  # fmt: skip
    said = capsys.readouterr()
    assert status == 0, said
    assert "**0 errors, 0 mixtures of versions**; " in said.out
    # The one that was there, and two more: some reader has seen each, or not reached the first.
    seen = re.search(r"(\d) versions were seen", said.out)
    assert seen
    assert int(seen[1]) in (2, 3)
    rows = {line.split(" | ")[0][2:]: line for line in said.out.splitlines() if line[:2] == "| "}
    assert set(rows) >= {readers.OPENING, *readers.QUERIES}
    assert page.read_text() == f"# Benchmark\n\nText.\n\n{said.out}"
    assert not list((tmp_path / "cache").iterdir())
    assert multiprocessing.active_children() == []


def test_what_is_asked_is_what_dashboards_may_ask(sample_build: Build) -> None:
    """Published tables alone, and each query finds something on the sample."""
    with duckdb.connect(str(sample_build.warehouse), read_only=True) as connection:
        for name, query in readers.QUERIES.items():
            tables = connection.get_table_names(query, qualified=True)
            assert all(table.startswith(("marts.", "quality.")) for table in tables), name
            assert connection.execute(query).fetchall(), name


def version(file: Path, **differing: int) -> Path:
    """A published file of one row a table.

    Args:
        file: where to write.
        differing: `told`, `scored` or a schema, with the number that it says.
    """
    numbers = dict.fromkeys(["told", "scored", *readers.MARKED], 7) | differing
    with duckdb.connect(str(file)) as connection:
        for schema in readers.MARKED:
            connection.execute(f"create schema {schema}")
            connection.execute(
                f"create table {schema}.readers_mark as select {numbers[schema]} as mark"
            )
        connection.execute(
            "create table quality.published_version as select 'v1' as version_id, "
            f"{numbers['told']} as responses"
        )
        connection.execute(
            "create table marts.nps_by_period as select 'all' as survey_type, 'all' as "
            f"period_type, {numbers['scored']} as responses"
        )
    return file


def looked(file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[list[str], ...]:
    """Errors and mixtures of a reader who looks at a file six times."""
    monkeypatch.setattr(readers, "QUERIES", {"one": "select 1"})
    monkeypatch.setattr(readers, "ALONE_LOOKS", 6)
    log = tmp_path / "log.json"
    readers.read_on(Look(file, log, None, 0, 1))
    found = json.loads(log.read_text())
    return found["errors"], found["mixtures"]


def test_a_whole_version_is_no_mixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked(version(tmp_path / "nps.duckdb"), monkeypatch, tmp_path) == ([], [])


@pytest.mark.parametrize("where", ["told", "scored", *readers.MARKED])
def test_a_mixture_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    file = version(tmp_path / "nps.duckdb", **{where: 8})
    errors, mixtures = looked(file, monkeypatch, tmp_path)
    assert (errors, len(mixtures)) == ([], 6)
    assert "is of several builds" in mixtures[0]


def test_a_version_that_changes_while_it_is_open_is_found() -> None:
    first, later = [("v1", 7, 7, 1, 1, 1)], [("v2", 8, 8, 2, 2, 2)]
    assert readers._wrong(first, None) is None
    assert readers._wrong(first, first) is None
    assert "changed while it was open" in str(readers._wrong(later, first))
    assert "0 versions" in str(readers._wrong([], None))


def test_a_file_that_is_gone_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    errors, mixtures = looked(tmp_path / "gone.duckdb", monkeypatch, tmp_path)
    assert (len(errors), mixtures) == (6, [])
    assert errors[0].startswith("IOException: ")


def reading(**differing: object) -> Reading:
    """A measurement of one query: twenty times 1 to 20 ms together, 1 ms alone."""
    timed = {
        name: Timed([0.001] * 3, [number / 1000 for number in range(1, 21)])
        for name in (readers.OPENING, "one")
    }
    values: dict[str, object] = {
        "readers": 20, "publications": 3, "seconds": 12.0, "versions_seen": 4, "errors": [],
        "mixtures": [], "timed": timed, "load": (0.5, 2.0), "megabytes": 150.0, "pause": 1.0,
    }  # fmt: skip
    return Reading(**(values | differing))  # type: ignore[arg-type]


def test_section_has_median_p95_and_ratios() -> None:
    """By hand: the median of 1 to 20 is 10.5, the 95th percentile by nearest rank the 19th."""
    text = readers.section(reading())
    assert "| one | 20 | 10.5 | 19.0 | 1.0 | 1.0 | 10.5 | 19.0 |" in text
    assert "20 queries and 20 openings in 12 s" in text
    assert "load of the machine 0.5 before, 2.0 at the end" in text
    assert [readers.percentile(range(1, 101), share) for share in (0.5, 0.95, 1)] == [50, 95, 100]
    failed = readers.section(reading(errors=["IOException: gone"] * 2))
    assert "**2 errors, 0 mixtures" in failed
    assert failed.count("- IOException: gone") == 1


def test_section_takes_the_place_of_the_one_before() -> None:
    old, new = readers.section(reading(seconds=1.0)), readers.section(reading(seconds=99.0))
    assert with_section("# Page\n", readers.HEADING, old) == f"# Page\n\n{old}"
    page = f"# Page\n\n{old}\n## After\n\nText.\n"
    assert with_section(page, readers.HEADING, new) == f"# Page\n\n{new}\n## After\n\nText.\n"
    assert with_section(f"# Page\n\n{old}", readers.HEADING, new) == f"# Page\n\n{new}"


def test_errors_end_with_a_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--readers", "2", "--cache", str(tmp_path)]
    for found, status in (({}, 0), ({"errors": ["x"]}, 1), ({"mixtures": ["x"]}, 1)):
        monkeypatch.setattr(readers, "measure", lambda *_, found=found: reading(**found))
        assert cli.main(arguments) == status
    monkeypatch.undo()
    assert cli.main([*arguments, "--warehouse", str(tmp_path / "gone.duckdb")]) == 1
    assert "there is no warehouse" in capsys.readouterr().err
    for wrong in (["--readers", "0"], ["--readers", "1", "--publications", "0"]):
        with pytest.raises(SystemExit):
            cli.main(wrong)


def test_no_warehouse_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "empty.duckdb"
    duckdb.connect(str(file)).close()
    (tmp_path / "scratch").mkdir()
    with pytest.raises(BenchmarkError, match="can't be published"):
        Night(file, tmp_path / "scratch").publish()


def test_page_of_the_measurement_has_every_query() -> None:
    """What is kept of the last measurement: 20 readers, no error, every query with its p95."""
    text = (PROJECT / "docs" / "readers.md").read_text(encoding="utf-8")
    assert "20 readers" in text
    assert "**0 errors, 0 mixtures of versions**" in text
    for name in (readers.OPENING, *readers.QUERIES):
        assert f"\n| {name} | " in text
