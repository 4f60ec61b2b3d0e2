"""The command line ``nps check``: the gates before and after ``dbt build``."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from nps_warehouse.exit_codes import BAD_INPUT
from nps_warehouse.gates.expectations import EXPECTATIONS_DIR, BadInputError
from nps_warehouse.gates.report import Result, to_json, to_text
from nps_warehouse.instant import Instant
from nps_warehouse.landing.contract import PROJECT_DIR
from nps_warehouse.variables import Vars

DOCS_DIR = PROJECT_DIR / "target" / "data_docs"
DEFAULT_WAREHOUSE = PROJECT_DIR / "target" / "nps_warehouse.duckdb"

_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


def _common(gate: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    options = [
        click.option(
            "--now",
            type=Instant(),
            help="When this is; the age of a delivery is measured from it.  [default: the clock]",
        ),
        click.option(
            "--expectations",
            type=_FILE,
            default=EXPECTATIONS_DIR / f"{gate}.yml",
            help=f"The declared expectations.  [default: expectations/{gate}.yml]",
        ),
        click.option(
            "--state",
            type=_FILE,
            help="What earlier runs saw, JSON lines.  [default: beside the warehouse]",
        ),
        click.option(
            "--docs",
            type=_FOLDER,
            default=DOCS_DIR / gate,
            help=f"Folder of the pages, which is replaced.  [default: target/data_docs/{gate}]",
        ),
        click.option("--json", "json_file", type=_FILE, help="The result as JSON, to this file."),
        click.option(
            "--memory", default="1GB", show_default=True, help="DuckDB's limit of memory."
        ),
        click.option("--vars", "variables", type=Vars(), default="{}", help="dbt vars, as YAML."),
        click.option(
            "--accept",
            is_flag=True,
            help="Later runs compare with this one, even if it stops: what looks wrong is true.",
        ),
    ]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@click.group(
    name="check",
    epilog="Exit codes: 0 nothing critical failed, 3 do not publish, 65 something cannot be read. "
    "See docs/quality_gates.md.",
)
def check_command() -> None:
    """Quality gates: `raw` before dbt build, `marts` after it."""


@check_command.command(name="raw")
@click.option(
    "--raw-dir",
    type=_FOLDER,
    envvar="NPS_RAW_DIR",
    help="The delivered folder.  [default: NPS_RAW_DIR, else the shipped sample]",
)
@click.option(
    "--seeds-dir",
    type=_FOLDER,
    envvar="NPS_SEEDS_DIR",
    help="The business's own seeds.  [default: NPS_SEEDS_DIR, else none]",
)
@click.option(
    "--as-of",
    help="'Now' of the delivery, nothing later counts: dbt's var.  [default: its newest event]",
)
@_common("raw")
def check_raw_command(
    raw_dir: Path | None, seeds_dir: Path | None, as_of: str | None, **common: Any
) -> None:
    """Check the delivered files, before dbt build reads them."""
    # Great Expectations takes seconds to import.
    from nps_warehouse.gates.run import Options, check_raw

    if as_of is not None:
        common["variables"]["as_of"] = as_of
    _run(lambda how: check_raw(raw_dir, seeds_dir, Options(**how)), common)


@check_command.command(name="marts")
@click.option(
    "--warehouse",
    type=_FILE,
    envvar="NPS_WAREHOUSE",
    default=DEFAULT_WAREHOUSE,
    help="The DuckDB file dbt built.  [default: NPS_WAREHOUSE, else target/nps_warehouse.duckdb]",
)
@_common("marts")
def check_marts_command(warehouse: Path, **common: Any) -> None:
    """Check the marts, after dbt build and before anyone reads them."""
    from nps_warehouse.gates.run import Options, check_marts

    common["state"] = common["state"] or _state_beside(warehouse)
    _run(lambda how: check_marts(warehouse, Options(**how)), common)


def _state_beside(warehouse: Path) -> Path:
    return warehouse.with_name(f"{warehouse.name}.checks.jsonl")


def _run(check: Callable[[dict[str, Any]], Result], common: dict[str, Any]) -> None:
    how = dict(common)
    json_file: Path | None = how.pop("json_file")
    how["now"] = how["now"] or datetime.now(UTC)
    warehouse = Path(os.environ.get("NPS_WAREHOUSE") or DEFAULT_WAREHOUSE)
    how["state"] = how["state"] or _state_beside(warehouse)
    how["docs"] = how["docs"].absolute()
    try:
        result = check(how)
        if json_file is not None:
            json_file.write_text(to_json(result) + "\n", encoding="utf-8")
    except (BadInputError, OSError) as problem:
        click.echo(f"nps check: {problem}", err=True)
        raise click.exceptions.Exit(BAD_INPUT) from problem
    click.echo(to_text(result))
    raise click.exceptions.Exit(result.exit_code)
