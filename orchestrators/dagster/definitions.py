"""The nightly run in Dagster: every model an asset, every test and expectation a check.

``delivery`` → dbt's models → ``proven_marts`` → ``published``. A check of a gate that fails stops
what comes after it. dbt and the gates run in the project's own environment (``.venv``).
"""

import os
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)
from nps_warehouse.orchestrators import commands, settling
from pydantic import Field

os.environ.update(commands.environment())

PROJECT = DbtProject(
    project_dir=commands.PROJECT_DIR, target_path=Path(os.environ["DBT_TARGET_PATH"])
)
if not PROJECT.manifest_path.is_file():
    raise FileNotFoundError(
        f"there is no {PROJECT.manifest_path}: start Dagster by scripts/dagster, or run "
        "`orchestrators/dbt parse` before"
    )

DELIVERY = dg.AssetKey("delivery")
PUBLISHED = dg.AssetKey("published")


class Layers(DagsterDbtTranslator):
    """Groups by layer, and the delivery as one asset: it is landed and judged as a whole."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """A source of schema raw is part of the delivery; a model is named by schema and name."""
        if dbt_resource_props["resource_type"] == "source":
            if dbt_resource_props["source_name"] in {"raw", "labels"}:
                return DELIVERY
            return super().get_asset_key(dbt_resource_props)
        return dg.AssetKey([self._layer(dbt_resource_props), dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The layer; what all marts are made of is one of its own."""
        layer = self._layer(dbt_resource_props)
        if layer == "marts" and dbt_resource_props["fqn"][2] in {"facts", "dimensions", "counts"}:
            return "facts"
        return layer

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        """The folder of a mart: the question that it answers."""
        tags = dict(super().get_tags(dbt_resource_props))
        if self._layer(dbt_resource_props) == "marts":
            tags["question"] = dbt_resource_props["fqn"][2]
        return tags

    @staticmethod
    def _layer(props: Mapping[str, Any]) -> str:
        if props["resource_type"] == "source":
            return str(props["source_name"])
        return "reference" if props["resource_type"] == "seed" else str(props["fqn"][1])


class Build(dg.Config):
    """What a build may be told: further arguments of `dbt build`."""

    arguments: list[str] = Field(default_factory=list)


TRANSLATOR = Layers(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))


def _specs(gate: str, asset: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(name, asset=asset, blocking=stops)
        for name, stops in commands.expectations(gate)
    ]


def _results(gate: str, asset: dg.AssetKey, *before: str) -> list[dg.AssetCheckResult]:
    return [
        dg.AssetCheckResult(
            asset_key=asset,
            check_name=check.name,
            passed=check.success,
            severity=(dg.AssetCheckSeverity.ERROR if check.stops else dg.AssetCheckSeverity.WARN),
            description=None if check.success else f"{check.meaning} {check.to_do}",
            metadata={"failures": dg.MetadataValue.json(list(check.failures))},
        )
        for check in commands.judge(gate, *before)
    ]


@dg.asset(key=DELIVERY, check_specs=_specs("raw", DELIVERY), group_name="raw", kinds={"file"})
def delivery() -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """The delivered files: copied in one state of each, landed, and judged (`nps check raw`)."""
    results = _results("raw", DELIVERY, "land")
    files = [file for file in commands.taken().rglob("*") if file.is_file()]
    yield dg.MaterializeResult(
        metadata={
            "files": len(files),
            "bytes": sum(file.stat().st_size for file in files),
            "folder": dg.MetadataValue.path(str(commands.delivery())),
        }
    )
    yield from results


# Without `project`: with it Dagster would copy all of the folder for a selection of many models.
@dbt_assets(manifest=PROJECT.manifest_path, dagster_dbt_translator=TRANSLATOR)
def dbt_models(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, config: Build
) -> Iterator[Any]:
    """`dbt build`: seeds, models, and their tests as checks."""
    yield from dbt.cli(["build", *config.arguments], context=context).stream()


# What was published before is kept outside of all runs; dbt reads it.
STATE = [
    dg.AssetSpec(key, group_name="state", description="Kept by publications, in NPS_STATE_DIR.")
    for key in sorted(set(dbt_models.dependency_keys) - set(dbt_models.keys) - {DELIVERY})
]
MARTS = sorted(key for key in dbt_models.keys if key.path[0] in {"marts", "quality"})
PROVEN = dg.AssetKey("proven_marts")


@dg.asset(
    key=PROVEN,
    deps=MARTS,
    check_specs=_specs("marts", PROVEN),
    group_name="published",
    kinds={"duckdb"},
)
def proven_marts() -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """`nps check marts`: all marts, judged; a critical expectation that fails stops publishing."""
    results = _results("marts", PROVEN)
    yield dg.MaterializeResult(metadata={"expectations": len(results)})
    yield from results


@dg.asset(
    key=PUBLISHED,
    deps=[PROVEN],
    group_name="published",
    kinds={"duckdb"},
    freshness_policy=dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=30), warn_window=timedelta(hours=26)
    ),
)
def published() -> dg.MaterializeResult:
    """What people look at: the file `nps.duckdb`, replaced in one step."""
    commands.call(commands.step("publish", "docs"))
    file = Path(commands.environment()["NPS_PUBLISHED_DIR"]) / "nps.duckdb"
    return dg.MaterializeResult(
        metadata={"file": dg.MetadataValue.path(str(file)), "bytes": file.stat().st_size}
    )


nightly = dg.define_asset_job(
    "nightly",
    selection=dg.AssetSelection.all(),
    description="Delivery, gate, build, gate, publication.",
)

every_night = dg.ScheduleDefinition(
    name="every_night",
    job=nightly,
    cron_schedule=os.environ.get("NPS_NIGHTLY_CRON") or "30 3 * * *",
    execution_timezone=os.environ.get("NPS_NIGHTLY_TIMEZONE") or "UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)


@dg.sensor(job=nightly, minimum_interval_seconds=60)
def delivered(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Starts a run once for every delivery that has settled. Off until someone switches it on."""
    folder = commands.delivery()
    watched, starts = settling.look(folder, settling.Watched.from_json(context.cursor), time.time())
    cursor = watched.to_json()
    if not starts:
        why = f"{folder}: nothing new that has settled"
        return dg.SensorResult(skip_reason=why, cursor=cursor)
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=watched.started)], cursor=cursor)


definitions = dg.Definitions(
    assets=[*STATE, delivery, dbt_models, proven_marts, published],
    jobs=[nightly],
    schedules=[every_night],
    sensors=[delivered],
    resources={"dbt": DbtCliResource(project_dir=PROJECT, dbt_executable=str(commands.DBT))},
    # One writer: nothing here gains by a process an asset.
    executor=dg.in_process_executor,
)
