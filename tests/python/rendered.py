"""SQL of macros and generic tests as dbt renders it, in a project that has nothing but them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import yaml
from conftest import PROJECT, built

MAIN = "rendered"


def rendered(
    folder: Path,
    models: Mapping[str, str],
    *,
    properties: Mapping[str, object] | None = None,
    variables: Mapping[str, object] | None = None,
    variants: Mapping[str, Mapping[str, object]] | None = None,
) -> dict[str, str]:
    """Render models, and the data tests on them, with the project's macros and generic tests.

    Args:
        folder: where the throwaway project and all that dbt writes go.
        models: the Jinja of each model by its name.
        properties: content of a properties file: which data tests the models have.
        variables: dbt vars that differ from the project's own.
        variants: further dbt vars, by a name; the models are rendered once more with each of them.

    Returns:
        The SQL of each model and data test, by name; of a variant, by `<variant>.<name>`.
    """
    variants = variants or {}
    project = folder / "project"
    shipped = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())
    _write_project(
        project,
        models,
        {
            "name": MAIN,
            "profile": shipped["profile"],
            "macro-paths": [str(PROJECT / "macros"), str(PROJECT / "tests" / "generic")],
            "vars": shipped["vars"] | dict(variables or {}) | dict(variants),
            # No two relations of one name.
            "models": {variant: {"+schema": variant} for variant in variants},
            "flags": shipped["flags"],
        },
    )
    if properties is not None:
        (project / "models" / "properties.yml").write_text(json.dumps(properties))
    # dbt's vars can be set for one package: each variant is a package with the same models.
    for variant in variants:
        _write_project(project / "dbt_packages" / variant, models, {"name": variant})
    built(folder, command="compile", raw_dir=None, arguments=("--project-dir", str(project)))
    queries = {}
    compiled = folder / "target" / "compiled"
    for path in compiled.rglob("*.sql"):
        package = path.relative_to(compiled).parts[0]
        name = path.stem if package == MAIN else f"{package}.{path.stem}"
        queries[name] = path.read_text()
    return queries


def _write_project(folder: Path, models: Mapping[str, str], settings: Mapping[str, object]) -> None:
    (folder / "models").mkdir(parents=True)
    for name, jinja in models.items():
        (folder / "models" / f"{name}.sql").write_text(jinja)
    # JSON is YAML.
    (folder / "dbt_project.yml").write_text(json.dumps({"config-version": 2, **settings}))
