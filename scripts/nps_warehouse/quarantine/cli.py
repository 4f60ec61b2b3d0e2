"""The command ``nps quarantine``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from nps_warehouse.quarantine.rows import (
    FATES,
    STILL_REJECTED,
    RejectedRow,
    counts,
    export,
    fates,
    owners,
    read_export,
    rejected_rows,
)
from nps_warehouse.warehouse import warehouse_file

EXAMPLES = 3

existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(name="quarantine")
def quarantine_command() -> None:
    """Rejected rows: look at them, hand them to who delivered them, see which come back."""


def _line(row: RejectedRow) -> str:
    where = f"{row.source_file}:{row.source_row}"
    key = f" {row.record_key}" if row.record_key is not None else ""
    what = f" {row.column_name} = {row.raw_value!r}" if row.column_name is not None else ""
    return f"      {where}{key}{what}"


@quarantine_command.command()
@click.option("--warehouse", type=existing_file, help="default: NPS_WAREHOUSE")
@click.option("--table", help="only this raw table")
@click.option("--examples", type=click.IntRange(min=0), default=EXAMPLES, show_default=True)
def show(warehouse: Path | None, table: str | None, examples: int) -> None:
    """Print the rejected rows by table and reason, with examples; values are masked."""
    rows = rejected_rows(warehouse or warehouse_file())
    if table is not None:
        rows = [row for row in rows if row.table_name == table]
    if not rows:
        click.echo("No rejected rows.")
        return
    of_table = owners()
    by_reason = counts(rows)
    for name in sorted({row.table_name for row in rows}):
        total = sum(count for (of, _), count in by_reason.items() if of == name)
        click.echo(f"{name} (delivered by {of_table[name]}): {total:,} rejected")
        reasons = [(reason, count) for (of, reason), count in by_reason.items() if of == name]
        for reason, count in sorted(reasons, key=lambda entry: (-entry[1], entry[0])):
            click.echo(f"   {count:,} x {reason}")
            alike = [row for row in rows if (row.table_name, row.kind) == (name, reason)]
            for row in alike[:examples]:
                click.echo(_line(row))


@quarantine_command.command(name="export")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--warehouse", type=existing_file, help="default: NPS_WAREHOUSE")
def export_command(into: Path, warehouse: Path | None) -> None:
    """Write the rejected rows as CSV, a folder per owner, a file per table.

    Cells that a spreadsheet would take for a formula begin with an apostrophe.
    """
    written = export(rejected_rows(warehouse or warehouse_file()), into)
    for file, count in written.items():
        click.echo(f"{file}: {count:,} rows")
    if not written:
        click.echo("No rejected rows, nothing written.")


@quarantine_command.command()
@click.argument("before", type=click.Path(exists=True, path_type=Path))
@click.argument("after", type=existing_file)
def compare(before: Path, after: Path) -> None:
    """Say what became of rejected rows after a corrected delivery.

    BEFORE is a warehouse as it was, or a folder of `nps quarantine export`; AFTER is the warehouse
    built from the corrected delivery.
    """
    rows = read_export(before) if before.is_dir() else rejected_rows(before)
    found = fates(rows, after)
    tally = Counter((row.table_name, fate) for row, fate in found.items())
    click.echo(f"{len(rows):,} rows were rejected before.")
    for table in sorted({row.table_name for row in rows}):
        parts = [f"{tally[table, fate]:,} {fate}" for fate in FATES if tally[table, fate] > 0]
        click.echo(f"{table}: {', '.join(parts)}")
    for row, fate in found.items():
        if fate == STILL_REJECTED:
            click.echo(f"{_line(row).strip()}: {row.reason}")
    known = {(row.table_name, row.record_key, row.reason) for row in rows}
    fresh = [
        row
        for row in rejected_rows(after)
        if (row.table_name, row.record_key, row.reason) not in known
    ]
    click.echo(f"{len(fresh):,} rows are rejected now that were not, or for another reason.")
    for row in fresh[:EXAMPLES]:
        click.echo(f"{_line(row)}: {row.reason}")
