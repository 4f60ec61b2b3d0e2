"""A warehouse file that can't be opened is refused in one sentence."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from conftest import run_dbt
from nps_warehouse.landing.warehouse_file import problem_of_warehouse_file


def test_a_file_that_does_not_exist_yet_is_fine(tmp_path: Path) -> None:
    assert problem_of_warehouse_file(str(tmp_path / "new.duckdb")) is None


@pytest.mark.parametrize("version", ["v1.2.0", "v1.4.0"])
def test_a_new_file_has_the_format_that_is_asked_for(tmp_path: Path, version: str) -> None:
    """dbt opens it only after this has made it."""
    path = tmp_path / "new.duckdb"
    assert problem_of_warehouse_file(str(path), {"storage_compatibility_version": version}) is None
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(
            "select tags['storage_version'] from duckdb_databases() where database_name = 'new'"
        ).fetchone()
    assert found is not None
    assert found[0].startswith(version)


def test_a_file_that_exists_is_fine_and_keeps_its_tables(tmp_path: Path) -> None:
    path = tmp_path / "old.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table kept as select 1 as one")
    assert problem_of_warehouse_file(str(path)) is None
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("select one from kept").fetchone() == (1,)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.write_text("no database"), "remove it to have it built anew"),
        (lambda path: path.mkdir(), "can't be opened as a warehouse"),
    ],
)
def test_what_is_no_warehouse_is_named(
    tmp_path: Path, make: Callable[[Path], object], says: str
) -> None:
    path = tmp_path / "odd.duckdb"
    make(path)
    problem = problem_of_warehouse_file(str(path))
    assert problem is not None
    assert str(path) in problem
    assert says in problem


def test_dbt_says_it_without_a_traceback(tmp_path: Path) -> None:
    warehouse = tmp_path / "nowhere" / "warehouse.duckdb"
    build = run_dbt(tmp_path, warehouse=warehouse)
    assert build.returncode != 0
    assert f"there is no folder {warehouse.parent}" in build.output
    assert "Traceback" not in build.output
    assert 'File "' not in build.output


def test_a_file_another_program_has_open_is_named(tmp_path: Path) -> None:
    path = tmp_path / "open.duckdb"
    program = (
        f"import duckdb, sys; c = duckdb.connect({str(path)!r}); "
        "print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        problem = problem_of_warehouse_file(str(path))
        other.communicate("")
    assert problem is not None
    assert "another program has the file open" in problem
