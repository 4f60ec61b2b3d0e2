"""The project compiled for Spark: SQL that engines of its dialect, and more, can at least parse.

Parsing says that nothing in the text is foreign to a dialect; whether an engine has each function,
and computes the same, only that engine says. No server is needed.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import sqlglot
from conftest import PROJECT
from nps_warehouse import environment

pytestmark = [pytest.mark.environments, pytest.mark.thorough, pytest.mark.timeout(600)]

# Databricks' dialect is Spark's; of the others it is said how many models parse (docs/engines.md).
WHOLE = ("databricks", "spark")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The SQL of every model by its name."""
    environment.ensure(PROJECT, ["from_source", "spark"], ".venv-spark")
    folder = tmp_path_factory.mktemp("compiled")
    done = subprocess.run(
        [
            *(str(PROJECT / ".venv-spark" / "bin" / "dbt"), "--quiet", "compile"),
            *("--target", "spark", "--no-populate-cache", "--no-introspect"),
            *("--select", "resource_type:model"),
        ],
        env=os.environ
        | {
            # No server listens there: nothing may be asked.
            "NPS_SPARK_PORT": "1",
            "DBT_TARGET_PATH": str(folder / "target"),
            "DBT_LOG_PATH": str(folder / "logs"),
            "PYTHONPATH": str(PROJECT / "scripts"),
        },
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    nodes = json.loads((folder / "target" / "manifest.json").read_text())["nodes"].values()
    return {
        str(node["name"]): str(node["compiled_code"])
        for node in nodes
        if node["resource_type"] == "model" and node.get("compiled_code")
    }


def unparsed(queries: dict[str, str], dialect: str) -> list[str]:
    """Names of the queries that a dialect's parser refuses.

    Args:
        queries: SQL by name.
        dialect: one of sqlglot's.
    """
    names = []
    for name, query in queries.items():
        try:
            sqlglot.parse_one(query, dialect=dialect)
        except sqlglot.errors.SqlglotError:
            names.append(name)
    return names


def test_a_parser_refuses_what_is_foreign() -> None:
    foreign = {"cast": "select x::int from t", "broken": "select from where", "fine": "select 1"}
    assert unparsed(foreign, "databricks") == ["broken"]


@pytest.mark.parametrize("dialect", WHOLE)
def test_every_model_parses(compiled: dict[str, str], dialect: str) -> None:
    models = [
        path.stem
        for path in Path(PROJECT / "models").rglob("*.sql")
        if "adapters" not in path.parts
    ]
    # Ephemeral ones are part of those that read them.
    assert len(compiled) >= 0.95 * len(models)
    assert unparsed(compiled, dialect) == []


def test_nothing_is_left_of_other_engines(compiled: dict[str, str]) -> None:
    foreign = (
        *("as varchar", "timezone(", "to_minutes(", "to_days(", "to_months(", "regexp_matches("),
        *("string_agg(", "isfinite(", "isodow(", "date_diff(", "'g')", "nps_lmg("),
    )
    left = [(name, one) for name, query in compiled.items() for one in foreign if one in query]
    assert left == []


@pytest.mark.parametrize("dialect", ["bigquery", "snowflake", "trino"])
def test_the_page_says_how_many_models_parse(compiled: dict[str, str], dialect: str) -> None:
    page = (PROJECT / "docs" / "engines.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.lower().startswith(f"| {dialect} "))
    said = int(row.split("|")[2].split("of")[0])
    # A model more or less is no lie; a dialect that fell away would be.
    assert abs(len(compiled) - len(unparsed(compiled, dialect)) - said) <= 10
