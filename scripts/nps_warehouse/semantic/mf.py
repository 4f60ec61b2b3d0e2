"""MetricFlow's own command ``mf``, told where this project keeps things.

``mf`` reads the semantic manifest that ``dbt parse`` and ``dbt build`` leave. Here it may lie where
DBT_TARGET_PATH says, holds of any file (a warehouse, a published version of it), whatever that is
called, and nothing outside is asked whether there is a newer release.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from dbt_metricflow.cli import main
from dbt_metricflow.cli.dbt_connectors.dbt_config_accessor import dbtArtifacts
from metricflow_semantic_interfaces.protocols.semantic_manifest import SemanticManifest
from metricflow_semantics.model.dbt_manifest_parser import (
    parse_manifest_from_dbt_generated_manifest,
)

from nps_warehouse.landing.contract import PROJECT_DIR
from nps_warehouse.warehouse import warehouse_file

PROFILES = Path(__file__).parent


def manifest_file() -> Path:
    """The semantic manifest of the last parse."""
    target = os.environ.get("DBT_TARGET_PATH") or "target"
    return PROJECT_DIR / target / "semantic_manifest.json"


def of_any_file(manifest: dict[str, Any]) -> dict[str, Any]:
    """A semantic manifest whose relations name no database: it is the file that is opened.

    Args:
        manifest: as dbt writes it, with the database of the file that was parsed for.

    Returns:
        The same, changed in place.
    """
    relations = [one["node_relation"] for one in manifest["semantic_models"]]
    relations += [one["node_relation"] for one in manifest["project_configuration"]["time_spines"]]
    for relation in relations:
        relation["database"] = None
        relation["relation_name"] = f'"{relation["schema_name"]}"."{relation["alias"]}"'
    return manifest


def last_parsed(project_root: Path) -> SemanticManifest:
    """The manifest of the last parse.

    Args:
        project_root: ignored: MetricFlow would look in that folder's ``target`` alone.
    """
    del project_root
    manifest = of_any_file(json.loads(manifest_file().read_text(encoding="utf-8")))
    return parse_manifest_from_dbt_generated_manifest(json.dumps(manifest))


class _NoChecker:
    """Stands for the library that asks the package index for newer releases."""

    def check(self, *_: object) -> None:
        """Finds nothing newer."""


def prepare() -> None:
    """Point dbt to the project, to this folder's profile, and to one file.

    Raises:
        SystemExit: there is no such file, or nothing was parsed.
    """
    for needed, hint in (
        (warehouse_file(), "run ./scripts/build, or name a file with NPS_WAREHOUSE"),
        (manifest_file(), "run `dbt parse`"),
    ):
        if not needed.exists():
            raise SystemExit(f"mf: there is no {needed}; {hint}")
    os.environ["NPS_WAREHOUSE"] = str(warehouse_file().absolute())
    os.environ.setdefault("DBT_PROFILES_DIR", str(PROFILES))
    os.environ["DBT_PROJECT_DIR"] = str(PROJECT_DIR)
    main.UpdateChecker = _NoChecker
    dbtArtifacts.build_semantic_manifest_from_dbt_project_root = staticmethod(last_parsed)


def run() -> None:
    """The command line; it ends the process."""
    prepare()
    main.cli(prog_name="mf")


if __name__ == "__main__":
    run()
