"""Builds of the project in folders of their own, through the real command."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

if TYPE_CHECKING:
    from compiled import Compiled

PROJECT = Path(__file__).resolve().parents[2]
SAMPLE = PROJECT / "scripts" / "sample"
RUN_PARSED = Path(__file__).with_name("run_parsed.py")
# As a plain build names it: dbt writes the name into what it keeps of a parse.
WAREHOUSE = "nps_warehouse.duckdb"
# Vars that decide whether a model exists: dbt needs them when it parses.
OF_ADAPTERS = "_schema"
MODELS_ONLY = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
# Raw tables to facts, dimensions and score marts, less than half of all models: what a test of
# reading and counting needs. `buildable`: a data test that also looks at what is left out is left
# out, too.
TO_SCORE_MARTS = (
    "--exclude",
    "resource_type:exposure",
    "resource_type:saved_query",
    *(
        f"path:models/marts/{folder.name}"
        for folder in sorted((PROJECT / "models" / "marts").iterdir())
        if folder.is_dir() and folder.name not in {"facts", "dimensions", "counts", "scores"}
    ),
    "--indirect-selection",
    "buildable",
)


@dataclass(frozen=True)
class Build:
    """A finished `dbt` command and the warehouse it left."""

    returncode: int
    output: str
    warehouse: Path

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Rows of a query on the warehouse."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def dicts(self, sql: str) -> list[dict[str, object]]:
        """Rows of a query on the warehouse, by column name."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            result = connection.execute(sql)
            names = [column[0] for column in result.description or []]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@functools.cache
def parsed_project() -> Path:
    """The project as dbt parses it, once per worker: parsing is most of what a small build costs.

    scripts/test has parsed it before pytest starts, and says where that is kept.

    Returns:
        What dbt itself keeps of a parse, for a warehouse file of the name WAREHOUSE.
    """
    if "NPS_TEST_PARSED" in os.environ:
        return Path(os.environ["NPS_TEST_PARSED"])
    folder = Path(tempfile.mkdtemp(prefix="nps_parsed_"))
    _run([_DBT, "parse"], environment_of(folder, raw_dir=None)).check_returncode()
    return folder / "target" / "partial_parse.msgpack"


_DBT = str(Path(sys.executable).with_name("dbt"))


def _run(
    command: Sequence[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def environment_of(
    folder: Path,
    warehouse: Path | None = None,
    raw_dir: Path | None = SAMPLE,
    seeds_dir: Path | None = None,
) -> dict[str, str]:
    """The environment of a command on a warehouse file in `folder`; as `run_dbt` has it.

    Args:
        folder: where the warehouse, dbt's target and its logs go.
        warehouse: the warehouse file, where it is not the usual one of the folder.
        raw_dir: folder of raw files; None leaves NPS_RAW_DIR unset.
        seeds_dir: folder of the business's own seeds.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith("NPS_")}
    env |= {
        "NPS_WAREHOUSE": str(warehouse or folder / WAREHOUSE),
        # Not the project's own, in which someone may be listed.
        "NPS_STATE_DIR": str(folder / "state"),
        "DO_NOT_TRACK": "1",
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    if raw_dir is not None:
        env["NPS_RAW_DIR"] = str(raw_dir)
    if seeds_dir is not None:
        env["NPS_SEEDS_DIR"] = str(seeds_dir)
    return env


def run_dbt(
    folder: Path,
    *,
    command: str = "build",
    raw_dir: Path | None = SAMPLE,
    seeds_dir: Path | None = None,
    variables: Mapping[str, object] | None = None,
    arguments: Sequence[str] = MODELS_ONLY,
    environment: Mapping[str, str] | None = None,
    warehouse: Path | None = None,
    parse: bool | None = None,
) -> Build:
    """Run dbt on a warehouse file in `folder`.

    Args:
        folder: where the warehouse, dbt's target and its logs go.
        command: dbt's subcommand.
        raw_dir: folder of raw files; None leaves NPS_RAW_DIR unset.
        seeds_dir: folder of the business's own seeds.
        variables: dbt vars.
        arguments: further arguments; by default models are built and not tested.
        environment: further environment variables.
        warehouse: the warehouse file, where it is not the usual one of the folder.
        parse: whether dbt parses the project itself, as users have it. Else it is given the parse
            that this worker has, and the vars decide when models are compiled. By default it
            parses where that would be another: for adapters, another project, another name of
            the warehouse.
    """
    own_warehouse = warehouse or folder / WAREHOUSE
    env = environment_of(folder, own_warehouse, raw_dir, seeds_dir) | dict(environment or {})
    if parse is None:
        parse = (
            own_warehouse.name != WAREHOUSE
            or "--project-dir" in arguments
            or any(name.endswith(OF_ADAPTERS) for name in variables or ())
        )
    given = ("--vars", json.dumps(dict(variables), sort_keys=True)) if variables else ()
    dbt = [_DBT] if parse else [sys.executable, str(RUN_PARSED), str(parsed_project())]
    finished = _run([*dbt, "--no-use-colors", command, *given, *arguments], env)
    return Build(finished.returncode, finished.stdout, own_warehouse)


def built(folder: Path, **how: object) -> Build:
    """Like `run_dbt`, for builds that must succeed."""
    build = run_dbt(folder, **how)  # type: ignore[arg-type]
    assert build.returncode == 0, build.output
    return build


@pytest.fixture(scope="session")
def sample_build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The shipped sample, built once; to be read only.

    scripts/test has built it before pytest starts, and says where.
    """
    if "NPS_TEST_SAMPLE" in os.environ:
        return Build(0, "", Path(os.environ["NPS_TEST_SAMPLE"]))
    return built(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """The project's models and data tests as plain SQL, compiled once."""
    from compiled import compiled

    return compiled(tmp_path_factory.mktemp("compiled"))
