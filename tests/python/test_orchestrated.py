"""Dagster and Airflow, each in its own environment, which is made where it is not there yet.

They are run end to end on a small delivery, to the score marts. Loading them takes seconds; a run
is five processes that import dbt.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import PROJECT, SAMPLE, TO_SCORE_MARTS
from nps_warehouse import environment
from nps_warehouse.orchestrators import commands
from nps_warehouse.orchestrators.dbt import FURTHER

pytestmark = [pytest.mark.environments, pytest.mark.timeout(1200)]
HERE = Path(__file__).with_name("orchestrated")
# A publication compares with the ones before it.
LEFT_OUT = sorted(
    part.rsplit("/", 1)[1]
    for part in TO_SCORE_MARTS
    if part.startswith("path:models/marts/") and not part.endswith("/history")
)


def setting(folder: Path) -> dict[str, str]:
    """The environment of an orchestrator whose files are all in a folder; dbt has parsed for it."""
    found = {name: value for name, value in os.environ.items() if not name.startswith("NPS_")}
    found |= {
        "NPS_RAW_DIR": str(folder / "delivery"),
        "NPS_WAREHOUSE": str(folder / "build" / "nps_warehouse.duckdb"),
        "NPS_STATE_DIR": str(folder / "state"),
        "NPS_PUBLISHED_DIR": str(folder / "published"),
        "NPS_RUNS_DIR": str(folder / "runs"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "DAGSTER_HOME": str(folder / "dagster"),
        "AIRFLOW_HOME": str(folder / "airflow"),
        FURTHER: " ".join(["--exclude", *(f"path:models/marts/{name}" for name in LEFT_OUT)]),
        "PYTHONPATH": str(PROJECT / "scripts"),
        "root": str(PROJECT),
    }
    for name in ("build", "delivery", "dagster", "airflow"):
        (folder / name).mkdir()
    for file in SAMPLE.glob("*.csv"):
        shutil.copy(file, folder / "delivery")
    shutil.copy(PROJECT / "orchestrators" / "dagster" / "dagster.yaml", folder / "dagster")
    subprocess.run([commands.DBT, "--quiet", "parse"], env=found, check=True)
    return found


def last_line(command: list[str], env: dict[str, str]) -> Any:
    """The JSON object that a program prints last; what it said where it failed."""
    done = subprocess.run(
        command, env=env, cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-8000:]}"
    return json.loads(done.stdout.splitlines()[-1])


def published_answers(env: dict[str, str]) -> int:
    """Answers of the company over all time, as readers see them."""
    file = Path(env["NPS_PUBLISHED_DIR"]) / "nps.duckdb"
    with duckdb.connect(str(file), read_only=True) as connection:
        row = connection.execute(
            "select responses from marts.nps_by_period "
            "where survey_type = 'all' and period_type = 'all'"
        ).fetchone()
    assert row is not None
    return int(row[0])


def delivered_answers(env: dict[str, str]) -> int:
    """Answers with a score that were delivered, counted by nothing of ours."""
    file = Path(env["NPS_RAW_DIR"]) / "survey_responses.csv"
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        return len({row["response_id"] for row in csv.DictReader(stream) if row["score"]})


def build_record(env: dict[str, str]) -> Path:
    """The folder of the run that built."""
    [folder] = [
        file.parents[1] for file in Path(env["NPS_RUNS_DIR"]).glob("*/artifacts/run_results.json")
    ]
    return folder


@pytest.fixture(scope="module")
def dagster() -> str:
    environment.ensure(PROJECT, ["dagster"], ".venv-dagster")
    return str(PROJECT / ".venv-dagster" / "bin" / "python")


@pytest.fixture(scope="module")
def airflow() -> str:
    environment.ensure(PROJECT, ["airflow"], ".venv-airflow")
    return str(PROJECT / ".venv-airflow" / "bin" / "python")


def test_dagster_publishes_and_a_bad_delivery_leaves_what_was_published(
    dagster: str, tmp_path: Path
) -> None:
    env = setting(tmp_path)
    manifest = json.loads((tmp_path / "target" / "manifest.json").read_text())
    built = [
        one
        for one in manifest["nodes"].values()
        if one["resource_type"] in {"model", "seed"}
        and one["config"]["materialized"] != "ephemeral"
    ]
    program = [dagster, str(HERE / "in_dagster.py"), *LEFT_OUT]

    found = last_line(program, env)
    groups = found["groups"]
    assert sum(groups.values()) - groups["state"] == len(built) + len(
        ["delivery", "proven_marts", "published"]
    )
    assert groups["raw"] == 1
    assert groups["published"] == 2
    for gate, asset in (("raw", "delivery"), ("marts", "proven_marts")):
        assert found["checks"][asset] == len(commands.expectations(gate))
    assert found["parents_of_published"] == ["proven_marts"]
    assert found["schedules"] == {"every_night": "30 3 * * *"}
    assert found["sensor"] == [0, 0]
    assert "fail_window" in found["is_fresh_for"]

    assert found["success"], found["failed"]
    assert {"delivery", "marts/nps_by_period", "proven_marts", "published"} <= set(
        found["materialized"]
    )
    assert found["judged"] > 100
    shown = published_answers(env)
    assert 0 < shown <= delivered_answers(env)
    assert (build_record(env) / "artifacts" / "manifest.json").is_file()

    # Scores that are no numbers land, but do not pass the gate: readers keep what they have.
    answers = tmp_path / "delivery" / "survey_responses.csv"
    # Bytes, as some of them are no text.
    answers.write_bytes(re.sub(rb"(?m)^([^,]+),\d+,", rb"\1,eleven,", answers.read_bytes()))
    found = last_line(program, env)
    assert not found["success"]
    assert "scores_are_readable" in found["checks_failed"]
    assert "published" not in found["materialized"]
    assert not any(name.startswith("marts/") for name in found["materialized"])
    assert published_answers(env) == shown


def test_airflow_publishes(airflow: str, tmp_path: Path) -> None:
    env = setting(tmp_path)
    settings = PROJECT / "orchestrators" / "airflow" / "environment.sh"
    inside = ["sh", "-c", f'. "{settings}"; exec "$@"', "sh"]
    subprocess.run(
        [*inside, str(Path(airflow).with_name("airflow")), "db", "migrate"],
        env=env,
        check=True,
        capture_output=True,
    )
    found = last_line([*inside, airflow, str(HERE / "in_airflow.py")], env)

    assert found["import_errors"] == {}
    upstream = found["upstream"]
    assert upstream["check_raw"] == ["land"]
    assert upstream["build.dbt_producer_watcher"] == ["check_raw"]
    assert "build.dbt_producer_watcher_done" in upstream["check_marts"]
    assert "build.nps_by_period.test" in upstream["check_marts"]
    assert upstream["publish"] == ["check_marts"]
    scores = {file.stem for file in (PROJECT / "models/marts/scores").glob("*.sql")}
    assert {name.split(".")[1] for name in upstream if name.endswith(".run")} == scores
    assert set(found["states"].values()) == {"success"}, found["states"]
    assert 0 < published_answers(env) <= delivered_answers(env)
