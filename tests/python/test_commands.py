"""The environment that the commands make, and what scripts/build says at its end."""

import ast
import json
import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import duckdb
import pytest
from nps_warehouse import environment, summary

ROOT = Path(__file__).resolve().parents[2]


def warehouse(path: Path, score: str | None, tables: str = "('contacts', 100, 3)") -> Path:
    """A warehouse of the two relations that the summary reads.

    Args:
        path: the DuckDB file to write.
        score: the score's columns as SQL values; None for no answers.
        tables: the reconciliation's rows as SQL values.
    """
    with duckdb.connect(str(path)) as connection:
        for schema in ("marts", "quality"):
            connection.execute(f'create schema "{path.stem}"."{schema}"')
        connection.execute(
            f'create table "{path.stem}".marts.nps_by_period (survey_type text, period_type text, '
            "responses bigint, nps double, nps_ci_low double, nps_ci_high double, nps_band text, "
            "is_reportable boolean)"
        )
        for grain in ("'all', 'year'", "'relational', 'all'"):
            connection.execute(
                f'insert into "{path.stem}".marts.nps_by_period '
                f"values ({grain}, 1, 100, 100, 100, 'excellent', false)"
            )
        if score is not None:
            connection.execute(
                f"insert into \"{path.stem}\".marts.nps_by_period values ('all', 'all', {score})"
            )
        connection.execute(
            f'create table "{path.stem}".quality.reconciliation as '
            f"from (values {tables}) t(table_name, rows_read, rejected)"
        )
    return path


def report(file: Path, status: int = 0, started: float = 0) -> str:
    return "\n".join(summary.report(file, file.parent / "target", started, status))


def results(folder: Path, *messages: str) -> Path:
    """dbt's results of a build: one test that warned per message, and one that passed."""
    (folder / "target").mkdir()
    file = folder / "target" / "run_results.json"
    rows = [
        {"status": "warn", "unique_id": f"test.nps_warehouse.named_{i}.ab", "message": message}
        for i, message in enumerate(messages)
    ]
    passed = {"status": "pass", "unique_id": "test.nps_warehouse.passed.ab", "message": None}
    file.write_text(json.dumps({"results": [*rows, passed]}))
    return file


@pytest.mark.parametrize("name", ["w.duckdb", "marts.duckdb", "it's here.duckdb"])
def test_summary_shows_the_company(tmp_path: Path, name: str) -> None:
    file = warehouse(tmp_path / name, "12000, 43.175, 41.749, 44.55, 'needs_work', true")
    text = report(file)
    assert "43.2 (95 % interval 41.7 to 44.5), needs work" in text
    assert "12,000" in text
    assert "too few" not in text
    assert str(file) in text


def test_summary_never_shows_a_negative_zero(tmp_path: Path) -> None:
    file = warehouse(tmp_path / "w.duckdb", "29, -0.01, -0.04, 0.04, 'needs_work', false")
    assert "NPS        0.0 (95 % interval 0.0 to 0.0), needs work, too few" in report(file)


def test_summary_shows_rejected_rows_by_table(tmp_path: Path) -> None:
    tables = "('contacts', 1000, 3), ('departments', 12, 0), ('survey_responses', 500, 1)"
    file = warehouse(tmp_path / "w.duckdb", "1, 100, 0, 100, 'excellent', false", tables)
    text = report(file)
    assert "4 of 1,512 raw rows" in text
    assert "3 of 1,000 in contacts" in text
    assert "1 of 500 in survey_responses" in text
    assert "departments" not in text


def test_summary_without_answers(tmp_path: Path) -> None:
    assert "no answer was accepted" in report(warehouse(tmp_path / "w.duckdb", None))


def test_summary_without_a_warehouse(tmp_path: Path) -> None:
    text = report(tmp_path / "gone.duckdb")
    assert "dbt wrote no warehouse" in text
    assert "gone.duckdb (not there)" in text
    assert not (tmp_path / "gone.duckdb").exists()


def test_summary_of_a_part(tmp_path: Path) -> None:
    duckdb.connect(str(tmp_path / "w.duckdb")).close()
    assert "only a part" in report(tmp_path / "w.duckdb")


def test_summary_of_a_failed_build_shows_no_figures(tmp_path: Path) -> None:
    file = warehouse(tmp_path / "w.duckdb", "12000, 43.175, 41.7, 44.6, 'good', true")
    text = report(file, status=1)
    assert "43" not in text.replace(str(file), "")
    assert "failed" in text
    assert "logs/dbt.log" in text


def test_summary_lists_warnings_and_counts_the_rest(tmp_path: Path) -> None:
    results(tmp_path, *(f"Got {number} results" for number in range(summary.MAX_WARNINGS + 2)))
    text = report(tmp_path / "gone.duckdb")
    assert f"Warnings   {summary.MAX_WARNINGS + 2}" in text
    assert "named_0: Got 0 results" in text
    assert "and 2 more" in text
    assert "passed" not in text


def test_summary_leaves_out_the_results_of_an_older_build(tmp_path: Path) -> None:
    file = results(tmp_path, "Got 1 result")
    os.utime(file, (1_000, 1_000))
    assert "Warnings" in report(tmp_path / "gone.duckdb", started=1_000)
    assert "Warnings" not in report(tmp_path / "gone.duckdb", started=1_001)


def test_summary_of_a_broken_file_is_an_error_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "w.duckdb").write_text("no database, but long enough to be read as one " * 200)
    run = subprocess.run(
        [sys.executable, "-m", "nps_warehouse.summary", "--started", "0", "--status", "0"],
        env={**os.environ, "NPS_WAREHOUSE": "w.duckdb", "PYTHONPATH": str(ROOT / "scripts")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr.startswith("summary: cannot read")
    assert "Traceback" not in run.stderr


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in a folder with a blank in its name, whose locks need no network: they are empty.

    pip is asked to install nothing; everything else happens.
    """
    root = tmp_path / "a project"
    for folder in ("requirements", "scripts"):
        (root / folder).mkdir(parents=True)
    for name in ("build", "test"):
        (root / "requirements" / f"{name}.txt").write_text(f"# {name}\n")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return root


def locks_of(root: Path) -> list[str]:
    marker = environment.read_marker(root / ".venv")
    assert marker is not None
    return list(marker["locks"])


def test_environment_is_made_once_and_grows(project: Path) -> None:
    environment.ensure(project, ["build"])
    assert locks_of(project) == ["build"]
    witness = project / ".venv" / "witness"
    witness.touch()
    environment.ensure(project, ["build"])
    environment.ensure(project, ["build", "test"])
    assert locks_of(project) == ["build", "test"]
    assert witness.exists()


def test_environment_finds_the_code_in_scripts(project: Path) -> None:
    (project / "scripts" / "found_there.py").touch()
    environment.ensure(project, ["build"])
    python = project / ".venv" / "bin" / "python"
    subprocess.run([python, "-c", "import found_there"], check=True, cwd=project.parent)


def test_environment_is_made_anew_when_a_lock_changes(project: Path) -> None:
    environment.ensure(project, ["build", "test"])
    witness = project / ".venv" / "witness"
    witness.touch()
    (project / "requirements" / "test.txt").write_text("# test, changed\n")
    environment.ensure(project, ["build"])
    assert not witness.exists()
    assert locks_of(project) == ["build"]


def test_environment_is_made_anew_where_the_project_was_moved(project: Path) -> None:
    environment.ensure(project, ["build"])
    moved = project.rename(project.parent / "elsewhere")
    (moved / ".venv" / "witness").touch()
    environment.ensure(moved, ["build"])
    assert not (moved / ".venv" / "witness").exists()


def test_environment_is_made_anew_when_it_no_longer_runs(project: Path) -> None:
    environment.ensure(project, ["build"])
    python = project / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("gone")
    environment.ensure(project, ["build"])
    subprocess.run([python, "-c", "pass"], check=True)


def test_environment_that_failed_is_not_taken_for_whole(project: Path) -> None:
    lock = project / "requirements" / "build.txt"
    lock.write_text("no such requirement !\n")
    with pytest.raises(environment.SetupError, match=r"could not install .*build\.txt"):
        environment.ensure(project, ["build"])
    assert locks_of(project) == []
    lock.write_text("# build\n")
    environment.ensure(project, ["build"])
    assert locks_of(project) == ["build"]


def test_environment_of_somebody_else_is_left_alone(project: Path) -> None:
    (project / ".venv").mkdir()
    (project / ".venv" / "precious").touch()
    with pytest.raises(environment.SetupError, match="was not made by this project"):
        environment.ensure(project, ["build"])
    assert (project / ".venv" / "precious").exists()


def test_missing_lock_is_named(project: Path) -> None:
    with pytest.raises(environment.SetupError, match=r"there is no lock .*none\.txt"):
        environment.ensure(project, ["none"])


@pytest.mark.parametrize("command", ["build", "lint", "test"])
def test_command_without_a_python_says_so(command: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [ROOT / "scripts" / command],
        env={**os.environ, "NPS_PYTHON": "/nonexistent"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert run.stderr == (
        "setup: no Python 3.11 or newer was found; install one, or name it in NPS_PYTHON\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_test_command_refuses_an_unknown_suite() -> None:
    run = subprocess.run(
        [ROOT / "scripts" / "test", "everything"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert run.stderr == "usage: scripts/test [all]\n"


def test_relative_folders_are_the_callers(tmp_path: Path) -> None:
    script = 'root=$1; . "$root/scripts/setup"; absolute ./raw; absolute /raw; absolute ""'
    run = subprocess.run(
        ["sh", "-c", script, "sh", ROOT], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines() == [f"{tmp_path}/./raw", "/raw", ""]


def scripts_and_locks() -> list[tuple[str, str, list[str]]]:
    """Each script, the module it runs, and the locks that its environment has by then."""
    found = []
    for script in sorted(file for file in (ROOT / "scripts").iterdir() if file.is_file()):
        text = script.read_text(encoding="utf-8")
        module = re.search(r"-m (nps_warehouse[\w.]*)", text)
        locks = re.search(r"^setup (?:--into \S+ )?(.+)$", text, re.MULTILINE)
        if module and locks:
            found.append((script.name, module[1], locks[1].split()))
    return found


def imported_packages(module: str, seen: set[str]) -> set[str]:
    """Packages of others that a module of ours needs before its first line of work.

    Args:
        module: its full name.
        seen: modules that were looked at; this one and those it imports are added.
    """
    seen.add(module)
    path = ROOT / "scripts" / module.replace(".", "/")
    file = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
    if not file.is_file():  # a name out of a module
        return set()
    names = []
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
    parents = [module.rpartition(".")[0]] if module.startswith("nps_warehouse.") else []
    ours = {name for name in (*names, *parents) if name.partition(".")[0] == "nps_warehouse"}
    others = {name.partition(".")[0] for name in names} - {
        "nps_warehouse",
        *sys.stdlib_module_names,
    }
    for name in sorted(ours - seen):
        others |= imported_packages(name, seen)
    return others


SCRIPTS = scripts_and_locks()


def test_scripts_are_found() -> None:
    assert {"audit", "benchmark", "spark"} <= {name for name, _, _ in SCRIPTS}


@pytest.mark.parametrize(("script", "module", "locks"), SCRIPTS, ids=[name for name, *_ in SCRIPTS])
def test_a_scripts_locks_have_what_it_imports(script: str, module: str, locks: list[str]) -> None:
    held = "\n".join(
        (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8") for name in locks
    )
    # What this environment does not have is of the engine's own, and not looked for.
    distributions = packages_distributions()
    for package in imported_packages(module, set()) & distributions.keys():
        names = [re.sub("[-_.]+", "-", name).lower() for name in distributions[package]]
        assert any(re.search(rf"^{re.escape(name)}==", held, re.MULTILINE) for name in names), (
            f"scripts/{script} imports {package}, which is in none of {', '.join(locks)}"
        )
