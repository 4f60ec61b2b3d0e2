"""OpenLineage events of a build, from artifacts as dbt leaves them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conftest import PROJECT
from nps_warehouse import lineage

# What https://openlineage.io/spec/2-0-2/OpenLineage.json requires of a RunEvent and of facets.
FACETS = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["_producer", "_schemaURL"],
        "properties": {
            "_producer": {"type": "string", "format": "uri"},
            "_schemaURL": {"type": "string", "format": "uri"},
        },
    },
}
DATASETS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["namespace", "name"],
        "properties": {
            "namespace": {"type": "string", "minLength": 1},
            "name": {"type": "string", "minLength": 1},
            "facets": FACETS,
        },
    },
}
RUN_EVENT = {
    "type": "object",
    "required": ["eventTime", "producer", "schemaURL", "run", "job"],
    "properties": {
        "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
        "eventTime": {"type": "string", "format": "date-time"},
        "producer": {"type": "string", "format": "uri"},
        "schemaURL": {"type": "string", "format": "uri"},
        "run": {
            "type": "object",
            "required": ["runId"],
            "properties": {"runId": {"type": "string", "format": "uuid"}, "facets": FACETS},
        },
        "job": {
            "type": "object",
            "required": ["namespace", "name"],
            "properties": {"facets": FACETS},
        },
        "inputs": DATASETS,
        "outputs": DATASETS,
    },
}
FINISHED = {"COMPLETE", "FAIL", "ABORT"}


def node(name: str, schema: str, kind: str = "model", **more: Any) -> dict[str, Any]:
    """A node of a manifest."""
    return {
        "unique_id": f"{kind}.nps_warehouse.{name}",
        "resource_type": kind,
        "name": name,
        "alias": name,
        "package_name": "nps_warehouse",
        "database": "warehouse",
        "schema": schema,
        "description": f"One row per {name}.",
        "columns": {"score": {"name": "score", "description": "0-10", "data_type": "integer"}},
        "compiled_code": "select 1 as score",
        "depends_on": {"nodes": []},
        "config": {},
        "meta": {},
        "tags": [],
        "path": f"{name}.sql",
        "original_file_path": f"models/{name}.sql",
        **more,
    }


def result(unique_id: str, status: str, second: int) -> dict[str, Any]:
    """A result that took a second."""
    timing = {
        "name": "execute",
        "started_at": f"2026-01-01T03:30:{second:02}.000000Z",
        "completed_at": f"2026-01-01T03:30:{second + 1:02}.000000Z",
    }
    return {
        "unique_id": unique_id,
        "status": status,
        "timing": [timing | {"name": "compile"}, timing],
        "message": status,
        "failures": 0,
        "adapter_response": {},
        "execution_time": 1.0,
    }


def artifacts(folder: Path, which: str = "build") -> None:
    """A build of two models, the second of which failed, as dbt tells it."""
    first, second = node("stg_answers", "staging"), node("nps_by_period", "marts")
    seed = node("nps_bands", "reference", "seed")
    manifest = {
        "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"},
        "nodes": {one["unique_id"]: one for one in (first, second, seed)},
        "sources": {},
        "exposures": {},
        "parent_map": {
            first["unique_id"]: [],
            second["unique_id"]: [first["unique_id"]],
            seed["unique_id"]: [],
        },
    }
    results = {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json",
            "dbt_version": "1.11.16",
            "invocation_id": "2f8fadb6-1dd8-4541-a96f-28a9f243280e",
        },
        "args": {"which": which, "profiles_dir": str(PROJECT)},
        "results": [
            result(second["unique_id"], "error", 5),
            result(first["unique_id"], "success", 1),
            result(seed["unique_id"], "success", 0),
        ],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "run_results.json").write_text(json.dumps(results))


def written(folder: Path) -> list[dict[str, Any]]:
    text = (folder / lineage.FILE_NAME).read_text()
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(autouse=True)
def warehouse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPS_WAREHOUSE", "/var/lib/nps/build/warehouse.duckdb")


def test_every_model_begins_and_ends_and_says_what_it_was_made_from(tmp_path: Path) -> None:
    artifacts(tmp_path)
    count = lineage.write(tmp_path, tmp_path)
    events = written(tmp_path)
    # The library leaves seeds out: they are made from nothing.
    assert len(events) == count == 4

    validator = jsonschema.Draft202012Validator(
        RUN_EVENT, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    for event in events:
        validator.validate(event)
    assert [event["eventTime"] for event in events] == sorted(e["eventTime"] for e in events)

    runs = {event["run"]["runId"] for event in events}
    for run in runs:
        kinds = [event["eventType"] for event in events if event["run"]["runId"] == run]
        assert kinds[0] == "START"
        assert len(kinds) == 2
        assert kinds[1] in FINISHED
    assert Counter(event["eventType"] for event in events) == {"START": 2, "COMPLETE": 1, "FAIL": 1}

    [failed] = [event for event in events if event["eventType"] == "FAIL"]
    assert [one["name"] for one in failed["inputs"]] == ["warehouse.staging.stg_answers"]
    # Nothing was made of it.
    assert failed["outputs"] == []
    assert failed["eventTime"].startswith("2026-01-01T03:30:06")
    [made] = [event for event in events if event["eventType"] == "COMPLETE"]
    [output] = made["outputs"]
    assert output["name"] == "warehouse.staging.stg_answers"
    assert output["namespace"] == "duckdb:///var/lib/nps/build/warehouse.duckdb"
    assert [one["name"] for one in output["facets"]["schema"]["fields"]] == ["score"]


def test_the_file_is_replaced_whole_and_is_not_for_everyone(tmp_path: Path) -> None:
    artifacts(tmp_path)
    (tmp_path / lineage.FILE_NAME).write_text("of an earlier night\n")
    lineage.write(tmp_path, tmp_path)
    lineage.write(tmp_path, tmp_path)
    assert len(written(tmp_path)) == 4
    assert (tmp_path / lineage.FILE_NAME).stat().st_mode & 0o777 == 0o640
    assert not list(tmp_path.glob("*.new"))


def test_artifacts_of_no_build_are_refused(tmp_path: Path) -> None:
    artifacts(tmp_path, which="docs")
    with pytest.raises(ValueError, match="no artifacts of a build"):
        lineage.write(tmp_path, tmp_path)
