"""Exposures: each names the very tables that the code of its reader names, or was seen to read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from conftest import PROJECT, Build
from nps_warehouse.publishing import copying
from nps_warehouse.questions.asked import ANALYSES, NAMES
from nps_warehouse.report.figures import PERIOD_TYPES, Figures
from nps_warehouse.warehouse import reading

CODE = PROJECT / "scripts" / "nps_warehouse"
FILES = ("exposures.yml", "exposures_of_everything.yml")
TABLE = re.compile(r"\b(?:marts|quality|reference)\.[a-z_][a-z0-9_]*")

# Where the code of a reader stands. Every table it reads is named in full in a text of it.
READERS: Mapping[str, Iterable[str]] = {
    "run_summary": ("telling", "summary.py"),
    "case_queue": ("cases",),
    "quarantine": ("quarantine",),
    "marts_gate": ("gates/figures/marts", "gates/figures/macros/recent_periods.sql"),
    "theme_classifier": ("themes/labels.py",),
    "publication_record": ("state/publication.py",),
}
# What is no model: the table by which a version says which one it is.
OF_PUBLISHING = {"published_version"}


def aliases() -> dict[str, str]:
    """Names of models whose table is called otherwise, by schema and table."""
    found = {}
    for file in (PROJECT / "models").rglob("*.sql"):
        alias = re.search(r"\balias='(\w+)'", file.read_text(encoding="utf-8"))
        if alias:
            found[f"{file.relative_to(PROJECT / 'models').parts[0]}.{alias[1]}"] = file.stem
    return found


ALIASES = aliases()


def names(tables: Iterable[str]) -> set[str]:
    """How models and seeds are called that make these tables, given as schema.table."""
    return {ALIASES.get(table, table.partition(".")[2]) for table in tables}


def tables_in(file: Path) -> set[str]:
    """What of a published schema a file of SQL names, or texts of Python that are no docstrings."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".sql":
        return names(TABLE.findall(re.sub(r"--[^\n]*", "", text)))
    tree = ast.parse(text)
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return names(
        table
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said
        for table in TABLE.findall(node.value)
    )


def tables_of(path: Path) -> set[str]:
    """Published tables that a file, or any file below a folder, names."""
    files = [path] if path.is_file() else [*path.rglob("*.py"), *path.rglob("*.sql")]
    assert files, path
    return {table for file in files for table in tables_in(file)}


def exposures(*names: str) -> dict[str, dict[str, Any]]:
    """The exposures of some files of `models`, by name."""
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        content = yaml.safe_load((PROJECT / "models" / name).read_text(encoding="utf-8"))
        found |= {one["name"]: one for one in content["exposures"]}
    return found


OURS = exposures(*FILES)


def declared(name: str) -> set[str]:
    """The tables that an exposure depends on."""
    entries = OURS[name]["depends_on"]
    tables = [re.fullmatch(r"ref\('(\w+)'\)", entry) for entry in entries]
    assert all(tables), name
    assert len(set(entries)) == len(entries), name
    return {table[1] for table in tables if table}


def test_tables_are_found_in_code(tmp_path: Path) -> None:
    file = tmp_path / "code.py"
    file.write_text(
        '"""Of marts.docstring."""\nmart = "marts.given"\n# marts.comment\n'
        'query = f"from {mart} join quality.joined on reference.seed.id = {mart}.id"\n'
    )
    assert tables_in(file) == {"given", "joined", "seed"}
    other = tmp_path / "code.sql"
    other.write_text("select 1 from marts.read -- from marts.comment\n")
    assert tables_in(other) == {"read"}
    both = names(["marts.comment_themes", "reference.comment_themes"])
    assert both == {"said_themes", "comment_themes"}


def test_every_exposure_is_compared_with_something() -> None:
    seen = {"executive_summary", "team_pages", "first_questions", "files", "data_dictionary"}
    assert set(OURS) == seen | set(READERS)
    for name, one in OURS.items():
        assert one["owner"]["name"], name
        assert one["maturity"] in ("high", "medium", "low"), name
        assert one["description"].strip().endswith("."), name


@pytest.mark.parametrize("name", READERS)
def test_reader_depends_on_what_its_code_names(name: str) -> None:
    named = {table for path in READERS[name] for table in tables_of(CODE / path)}
    assert named - OF_PUBLISHING == declared(name)


def test_questions_depend_on_what_their_analyses_name() -> None:
    named = {
        table
        for name in NAMES
        for table in re.findall(
            r"ref\('(\w+)'\)", (ANALYSES / f"{name}.sql").read_text(encoding="utf-8")
        )
    }
    assert named == declared("first_questions")


class Watched:
    """A connection that remembers which published tables its queries read."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.read: set[str] = set()

    def execute(self, query: str, parameters: object = None) -> duckdb.DuckDBPyConnection:
        # A statement with parameters can't be asked for its tables.
        asked = re.sub(r"\$\w+", "null", query)
        for table in self.connection.get_table_names(asked, qualified=True):
            self.read |= names(TABLE.findall(table))
        return self.connection.execute(query, parameters)


def test_pages_of_the_report_depend_on_what_they_are_seen_to_read(sample_build: Build) -> None:
    """As `write_report` asks: first what holds for both, then the summary or the teams."""
    with reading(sample_build.warehouse) as connection:
        watched = Watched(connection)
        figures = Figures(watched)  # type: ignore[arg-type]
        figures.about()
        packs = figures.packs()
        figures.last_week()
        for_both = set(watched.read)
        for period_type in PERIOD_TYPES:
            figures.executive(period_type)
        summary = set(watched.read)
        watched.read = set(for_both)
        figures.team(packs[0], is_current=True)
        team = set(watched.read)
    assert summary == declared("executive_summary")
    assert team == declared("team_pages")
    # Nothing that the code names was left unread.
    assert summary | team == tables_of(CODE / "report" / "figures.py")


@pytest.mark.parametrize("name", ["files", "data_dictionary"])
def test_readers_of_everything_depend_on_all_that_is_published(
    sample_build: Build, name: str
) -> None:
    with copying.attached(sample_build.warehouse) as connection:
        published = names(
            f"{schema}.{table}" for schema, table in copying.relations(connection, "warehouse")
        )
    missing, surplus = published - declared(name), declared(name) - published
    assert not missing | surplus, f"models/{FILES[1]} lacks {missing}, and has {surplus} too much"
