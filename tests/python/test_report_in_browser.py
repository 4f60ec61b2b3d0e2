"""The report in a real browser: what it asks for, what axe-core finds, how it fits and prints."""

from __future__ import annotations

import json
import shutil
import subprocess
import venv
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import PROJECT, Build
from nps_warehouse.report.dictionary import write_dictionary
from nps_warehouse.report.pages import write_report

pytestmark = pytest.mark.environments

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SCRIPT = "<script>document.title = 'run'; alert('run')</script>"
A4 = (595, 842)
"""In points of a 72nd of an inch."""


@pytest.fixture(scope="module")
def browser_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that holds requirements/browser.txt."""
    folder = tmp_path_factory.mktemp("browser") / "environment"
    venv.create(folder, with_pip=True, symlinks=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [
            *(python, "-m", "pip", "--disable-pip-version-check", "-qq", "install", "--no-input"),
            *("--require-hashes", "--no-deps", "--only-binary", ":all:"),
            *("-r", PROJECT / "requirements" / "browser.txt"),
        ],
        check=True,
    )
    return python


@pytest.fixture(scope="module")
def findings(
    browser_environment: Path, sample_build: Build, tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    """What the browser finds in the pages of the sample, with a script in every comment."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.fail(f"no browser is installed: one of {', '.join(BROWSERS)} is needed")
    folder = tmp_path_factory.mktemp("pages")
    warehouse = folder / "planted.duckdb"
    shutil.copy(sample_build.warehouse, warehouse)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            "update planted.marts.huddle_verbatims set comment = comment || ?", [SCRIPT]
        )
        # A name without a blank to break at.
        connection.execute(
            "update planted.marts.dim_departments set department_name = ? "
            "where department_id = 'D05'",
            ["Auftragsbearbeitungsundlieferterminauskunft"],
        )
    write_report(warehouse, folder)
    write_dictionary(warehouse, folder / "none.json", folder / "dictionary.html")
    pages = [folder / "index.html", folder / "teams" / "d05-1.html", folder / "dictionary.html"]
    done = subprocess.run(
        [browser_environment, PROJECT / "tests/python/browser_checks.py", program, *pages],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(found) == 10
    return found


def test_pages_ask_for_nothing_and_run_nothing(findings: list[dict[str, Any]]) -> None:
    for found in findings:
        assert found["requests"] == [], found["page"]
        assert found["said"] == [], found["page"]


def test_a_script_in_a_comment_is_text(findings: list[dict[str, Any]]) -> None:
    shown = [found["verbatim"] for found in findings if found["page"] != "dictionary.html"]
    assert len(shown) == 8
    assert all(text.endswith(SCRIPT) for text in shown)


def test_axe_finds_nothing(findings: list[dict[str, Any]]) -> None:
    assert [(found["page"], found["violations"]) for found in findings if found["violations"]] == []


def test_nothing_is_wider_than_a_phone(findings: list[dict[str, Any]]) -> None:
    assert {found["width"] for found in findings} == {360, 1200}
    assert [(found["page"], found["width"]) for found in findings if found["overflow"] > 0] == []


def test_tables_behind_charts_open_by_keyboard(findings: list[dict[str, Any]]) -> None:
    assert all(found["opened"] for found in findings)


def test_pages_and_charts_follow_the_color_scheme(findings: list[dict[str, Any]]) -> None:
    looks = {
        (found["scheme"], found["background"], found["line"])
        for found in findings
        if found["page"] != "dictionary.html"
    }
    assert looks == {
        ("light", "rgb(255, 255, 254)", "rgb(29, 95, 166)"),
        ("dark", "rgb(23, 29, 38)", "rgb(130, 184, 244)"),
    }


def test_pages_print_on_a4(findings: list[dict[str, Any]]) -> None:
    printed = {found["page"]: found for found in findings if "sheets" in found}
    for found in printed.values():
        assert found["size"] == pytest.approx(A4, abs=1.5)
    # The first sheet is a summary that is whole, the second begins with departments.
    first, second = printed["index.html"]["sheets"]
    assert first.startswith("What customers say")
    for heading in ("How it went so far", "Why it moved", "What hurts"):
        assert heading in first
        assert heading not in second
    assert second.lstrip().startswith("Departments")
    assert len(printed["d05-1.html"]["sheets"]) == 1


def test_the_dictionary_is_searched_in_the_page(findings: list[dict[str, Any]]) -> None:
    for found in findings:
        if found["page"] == "dictionary.html":
            assert "marts.huddle_pack" in found["visible"]
            assert "marts.nps_by_hour" not in found["visible"]
            assert found["found"].startswith(f"{len(found['visible'])} of ")
