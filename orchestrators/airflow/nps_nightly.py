"""The nightly run in Airflow: land, gate, build, gate, publish.

dbt builds once, in the task ``dbt_producer_watcher``; Cosmos' sensors show what became of each mart
as it goes. dbt, the gates and the publication run in the project's own environment (``.venv``).
"""

import os
from datetime import timedelta
from pathlib import Path

import pendulum
from airflow.sdk import DAG, task
from cosmos import (
    DbtTaskGroup,
    ExecutionConfig,
    ExecutionMode,
    InvocationMode,
    LoadMode,
    ProfileConfig,
    ProjectConfig,
    RenderConfig,
    TestBehavior,
)
from nps_warehouse.orchestrators import commands

ENVIRONMENT = commands.environment()
MANIFEST = Path(ENVIRONMENT["DBT_TARGET_PATH"]) / "manifest.json"
SHOWN = (os.environ.get("NPS_AIRFLOW_SHOWN") or "path:models/marts/scores").split()
"""Which models get a task of their own; all are built whatever is shown."""


def _one_step(name: str, *steps: str):
    @task(task_id=name, retries=0)
    def do() -> None:
        commands.call(commands.step(*steps))

    return do()


with DAG(
    dag_id="nps_nightly",
    schedule=os.environ.get("NPS_NIGHTLY_CRON") or "30 3 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz=os.environ.get("NPS_NIGHTLY_TIMEZONE") or "UTC"),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    doc_md=__doc__,
    tags=["nps"],
) as dag:
    build = DbtTaskGroup(
        group_id="build",
        project_config=ProjectConfig(dbt_project_path=commands.PROJECT_DIR, manifest_path=MANIFEST),
        profile_config=ProfileConfig(
            profile_name="nps_warehouse",
            target_name="duckdb",
            profiles_yml_filepath=commands.PROJECT_DIR / "profiles.yml",
        ),
        execution_config=ExecutionConfig(
            execution_mode=ExecutionMode.WATCHER,
            invocation_mode=InvocationMode.SUBPROCESS,
            dbt_executable_path=str(commands.DBT),
        ),
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            test_behavior=TestBehavior.AFTER_EACH,
            select=SHOWN,
            emit_datasets=False,
        ),
        operator_args={"install_deps": False, "env": ENVIRONMENT, "retries": 0},
    )
    # Cosmos would build what is shown, and no more.
    build.children["build.dbt_producer_watcher"].select = None
    landed = _one_step("land", "land")
    judged = _one_step("check_raw", "check_raw")
    proven = _one_step("check_marts", "check_marts")
    published = _one_step("publish", "publish", "docs")
    landed >> judged >> build >> proven >> published
