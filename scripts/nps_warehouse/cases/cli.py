"""The command ``nps cases``."""

from __future__ import annotations

from pathlib import Path

import click

from nps_warehouse.cases.export import CHANGES, FORMATS, export
from nps_warehouse.warehouse import warehouse_file


@click.group(name="cases")
def cases_command() -> None:
    """Detractors to be called back: hand the open cases to a CRM."""


@cases_command.command(name="export")
@click.option("--format", "form", type=click.Choice(FORMATS), default="csv", show_default=True)
@click.option("--into", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option(
    "--since",
    type=click.Path(dir_okay=False, path_type=Path),
    help="cursor of the last export: only what has changed is written, then it is moved on; "
    "made where there is none",
)
@click.option(
    "--warehouse",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="default: NPS_WAREHOUSE",
)
def export_command(form: str, into: Path, since: Path | None, warehouse: Path | None) -> None:
    """Write marts.open_case_queue to a file, by `case_id`, in the order of the queue.

    `change` says what became of a case since the cursor: opened, changed, closed, or withdrawn
    (it is no case any more); the last two carry nothing but the key. Times are UTC. In CSV, cells
    that a spreadsheet would take for a formula begin with an apostrophe.
    """
    if since is not None and since.resolve() == into.resolve():
        raise click.UsageError("--since and --into name the same file")
    written = export(warehouse or warehouse_file(), into, form, since)
    counts = ", ".join(f"{written[change]:,} {change}" for change in CHANGES if written[change])
    click.echo(f"{into}: {counts or 'nothing has changed'}")
