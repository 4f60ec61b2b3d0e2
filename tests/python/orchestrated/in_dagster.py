"""Run by Dagster's own Python: the project as Dagster loads it, then its nightly job.

Prints one JSON object as its last line. Arguments are folders of `models/marts` that are left out.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[3] / "orchestrators" / "dagster"
sys.path.insert(0, str(FOLDER))

import dagster as dg  # noqa: E402
import definitions as project  # noqa: E402


def loaded() -> dict[str, Any]:
    """What is there: assets by group, checks by asset, schedules, sensors."""
    graph = project.definitions.resolve_asset_graph()
    keys = graph.get_all_asset_keys()
    return {
        "groups": dict(Counter(str(graph.get(key).group_name) for key in keys)),
        "checks": dict(Counter(key.asset_key.to_user_string() for key in graph.asset_check_keys)),
        "parents_of_published": sorted(
            key.to_user_string() for key in graph.get(project.PUBLISHED).parent_keys
        ),
        "schedules": {one.name: one.cron_schedule for one in project.definitions.schedules or []},
        "is_fresh_for": str(graph.get(project.PUBLISHED).freshness_policy),
    }


def sensor() -> list[int]:
    """How many runs the sensor asks for at its first looks at the delivery."""
    with dg.DagsterInstance.ephemeral() as instance:
        asked, cursor = [], None
        for _ in range(2):
            context = dg.build_sensor_context(instance=instance, cursor=cursor)
            result = project.delivered(context)
            asked.append(len(result.run_requests or []))
            cursor = result.cursor
        return asked


def run(left_out: set[str]) -> dict[str, Any]:
    """The nightly job, without the models that answer some questions."""
    graph = project.definitions.resolve_asset_graph()
    selected = [
        key
        for key in graph.materializable_asset_keys
        if graph.get(key).tags.get("question") not in left_out
    ]
    with dg.DagsterInstance.ephemeral() as instance:
        job = project.definitions.resolve_job_def("nightly")
        result = job.execute_in_process(
            instance=instance, raise_on_error=False, asset_selection=selected
        )
        events = result.all_events
        checks = [
            one.event_specific_data for one in events if one.event_type_value.endswith("EVALUATION")
        ]
        return {
            "success": result.success,
            "failed": {
                str(one.step_key): str(getattr(one.event_specific_data, "error", ""))[:2000]
                for one in events
                if one.is_step_failure
            },
            "materialized": sorted(
                one.asset_key.to_user_string() for one in events if one.is_step_materialization
            ),
            "judged": len(checks),
            "checks_failed": sorted(one.check_name for one in checks if not one.passed),
        }


if __name__ == "__main__":
    print(json.dumps(loaded() | {"sensor": sensor()} | run(set(sys.argv[1:]))))
