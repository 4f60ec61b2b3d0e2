"""The project's own SQL, run on answers in memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[3]

MODELS = (
    *("daily_response_counts", "period_response_counts", "nps_by_agent"),
    *("ranking_shrunk", "ranking_ranks", "ranking_stratum_months", "ranking_strata"),
    *("ranking_pools", "ranking_expected", "agent_ranking"),
)
"""In the order in which they are built."""

CHANGES = "changes_between_months"
"""The analysis whose verdicts are looked at: columns survey_type, is_comparable and verdict."""

RENDERED = (*MODELS, CHANGES)
"""All whose SQL is needed."""

INPUTS = {
    "marts.fct_survey_responses": (
        "survey_type varchar, period_date date, nps_category varchar, agent_id varchar, "
        "department_id varchar, contact_reason varchar, channel varchar, site varchar, "
        "product_line varchar, segment varchar, survey_channel varchar, language varchar, "
        "weekday integer, hour integer"
    ),
    "categorized.as_of": "as_of_date date, first_response_date date, last_response_date date",
    "marts.dim_agents": "agent_id varchar, agent_name varchar",
    "marts.agent_departments_by_period": (
        "agent_id varchar, period_end date, department_id varchar"
    ),
}
"""What the models read, as far as they read it."""


class CalibrationError(Exception):
    """The project could not be compiled; the text says why."""


def compiled() -> dict[str, str]:
    """SQL of RENDERED as dbt compiles it, with the project's own vars.

    Raises:
        CalibrationError: dbt failed.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NPS_")}
    with tempfile.TemporaryDirectory() as folder:
        finished = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("dbt")), "--quiet", "--no-use-colors"),
                *("compile", "--select", *RENDERED, "--target-path", f"{folder}/target"),
                *("--log-path", f"{folder}/logs"),
            ],
            cwd=ROOT,
            env=kept
            | {
                "NPS_WAREHOUSE": f"{folder}/none.duckdb",
                "NPS_STATE_DIR": f"{folder}/state",
                "DO_NOT_TRACK": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if finished.returncode != 0:
            raise CalibrationError(f"dbt compile failed:\n{finished.stdout[-4000:]}")
        paths = {path.stem: path for path in Path(folder, "target", "compiled").rglob("*.sql")}
        return {name: paths[name].read_text(encoding="utf-8") for name in RENDERED}


def warehouse() -> duckdb.DuckDBPyConnection:
    """An empty warehouse in memory with the tables that are filled, and the shipped bands."""
    connection = duckdb.connect()
    for schema in ("marts", "categorized", "reference"):
        connection.execute(f"create schema {schema}")
    for table, columns in INPUTS.items():
        connection.execute(f"create table {table} ({columns})")
    connection.execute(
        'create table reference.nps_bands (band varchar, "above" double, up_to double)'
    )
    connection.execute(
        "insert into reference.nps_bands from read_csv(?)", [str(ROOT / "seeds" / "nps_bands.csv")]
    )
    return connection


def build(connection: duckdb.DuckDBPyConnection, sql: Mapping[str, str]) -> None:
    """Make every model's table, and the changes between months.

    Args:
        connection: a warehouse whose inputs are filled.
        sql: of `compiled`.
    """
    for model in MODELS:
        connection.execute(f"create table marts.{model} as {sql[model]}")
    connection.execute(f"create table marts.{CHANGES} as {sql[CHANGES]}")
