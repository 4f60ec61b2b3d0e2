"""``scripts/compare_engines``: builds on two engines and prints whether their marts are equal."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from nps_warehouse.engines.compare import PROJECT, compare, keys, printed
from nps_warehouse.exit_codes import CRITICAL_FAILED

MODELS_ONLY = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
DUCKDB = "duckdb"
SERVERS = ("ducklake", "postgres", "spark")


class BuildError(Exception):
    """A build failed; what it said is above."""


def duckdb_file(folder: Path, full_refresh: bool) -> Path:
    """Build on DuckDB; returns the warehouse.

    Args:
        folder: where files of the comparison go, unless NPS_WAREHOUSE names the warehouse.
        full_refresh: whether everything is built anew.
    """
    file = Path(os.environ.get("NPS_WAREHOUSE") or folder / "duckdb_engine.duckdb")
    # The project's own environment, as for every build.
    dbt = [str(PROJECT / ".venv" / "bin" / "dbt"), "build", *MODELS_ONLY]
    if full_refresh:
        dbt.append("--full-refresh")
    environment = os.environ | {"NPS_WAREHOUSE": str(file)}
    if subprocess.run(dbt, cwd=PROJECT, env=environment, check=False).returncode:
        raise BuildError("the build on DuckDB failed")
    return file


def server_file(engine: str, folder: Path, full_refresh: bool) -> Path:
    """Build on another engine, the one that the environment names or one's own; returns a copy.

    Args:
        engine: of SERVERS.
        folder: where the copy goes.
        full_refresh: whether everything is built anew.
    """
    file = folder / f"{engine}_engine.duckdb"
    # Each engine's client is in an environment of its own.
    python = str(PROJECT / f".venv-{engine}" / "bin" / "python")
    build = ["build", *MODELS_ONLY, *(["--full-refresh"] if full_refresh else [])]
    for arguments in (build, ["copy", str(file)]):
        command = [python, "-m", f"nps_warehouse.{engine}.cli", *arguments]
        if subprocess.run(command, cwd=PROJECT, check=False).returncode:
            raise BuildError(f"the build on {engine} failed")
    return file


def _side(text: str, folder: Path, full_refresh: bool) -> Path:
    if text == DUCKDB:
        return duckdb_file(folder, full_refresh)
    return server_file(text, folder, full_refresh) if text in SERVERS else Path(text)


@click.command()
@click.argument("first", default="duckdb", metavar="[FIRST")
@click.argument("second", default="postgres", metavar="SECOND]")
@click.option("--full-refresh", is_flag=True, help="Build everything anew.")
def main(first: str, second: str, full_refresh: bool) -> None:
    """Compare two engines (duckdb, ducklake, postgres, spark), or DuckDB files with their tables.

    Both build from NPS_RAW_DIR (the sample where unset). Exit status 3 where a table differs.
    """
    with tempfile.TemporaryDirectory(prefix="nps_engines_") as folder:
        try:
            files = [_side(text, Path(folder), full_refresh) for text in (first, second)]
        except BuildError as problem:
            click.echo(f"compare_engines: {problem}", err=True)
            sys.exit(CRITICAL_FAILED)
        compared = compare(files[0], files[1], keys())
    names = (Path(first).stem[:9], Path(second).stem[:9])
    click.echo(printed(compared, names))
    if not compared or not all(one.is_equal for one in compared):
        sys.exit(CRITICAL_FAILED)


if __name__ == "__main__":
    main(prog_name="scripts/compare_engines")
