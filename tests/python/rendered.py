"""SQL of macros and generic tests as dbt renders it, in a project that has nothing but them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import yaml
from conftest import PROJECT, built


def rendered(
    folder: Path,
    models: Mapping[str, str],
    *,
    properties: Mapping[str, object] | None = None,
    variables: Mapping[str, object] | None = None,
) -> dict[str, str]:
    """Render models, and the data tests on them, with the project's macros and generic tests.

    Args:
        folder: where the throwaway project and all that dbt writes go.
        models: the Jinja of each model by its name.
        properties: content of a properties file: which data tests the models have.
        variables: dbt vars that differ from the project's own.

    Returns:
        The SQL of each model and data test, by name.
    """
    project = folder / "project"
    (project / "models").mkdir(parents=True)
    for name, jinja in models.items():
        (project / "models" / f"{name}.sql").write_text(jinja)
    # JSON is YAML.
    if properties is not None:
        (project / "models" / "properties.yml").write_text(json.dumps(properties))
    shipped = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())
    (project / "dbt_project.yml").write_text(
        json.dumps(
            {
                "name": "rendered",
                "config-version": 2,
                "profile": shipped["profile"],
                "macro-paths": [str(PROJECT / "macros"), str(PROJECT / "tests" / "generic")],
                "vars": shipped["vars"] | dict(variables or {}),
                "flags": shipped["flags"],
            }
        )
    )
    built(
        folder,
        command="compile",
        raw_dir=None,
        arguments=("--project-dir", str(project)),
    )
    compiled = folder / "target" / "compiled"
    return {path.stem: path.read_text() for path in compiled.rglob("*.sql")}
