"""The command line of the importer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import click

from nps_warehouse.importing.mapping import Mapping, load_mapping, preset_names
from nps_warehouse.importing.refusal import ImportRefusedError
from nps_warehouse.importing.run import Imported, import_exports
from nps_warehouse.importing.sources import Source
from nps_warehouse.importing.tables import MadeTable
from nps_warehouse.landing.report import name_list

REFUSED = 65
"""Exit status of an import that is refused: EX_DATAERR of sysexits.h."""

# What is not shown on a screen: the customers' own words.
MASKED = ("comment",)
WIDEST = 24


@click.command(
    name="import",
    epilog=f"Presets: {', '.join(preset_names())}. Exit status: 0, 2 for a wrong call, {REFUSED} "
    "for an import that is refused; then nothing was changed.",
)
@click.argument(
    "sources", nargs=-1, required=True, metavar="SOURCE...", type=click.Path(path_type=Path)
)
@click.option(
    "--mapping", required=True, metavar="PRESET|FILE", help="A preset, or a mapping in YAML."
)
@click.option(
    "--into",
    "raw_dir",
    required=True,
    metavar="RAW_DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The raw folder, which NPS_RAW_DIR names for the build.",
)
@click.option("--dry-run", is_flag=True, help="Show what would become of it; write nothing.")
@click.option("--timezone", metavar="ZONE", help="IANA zone of local times in the export.")
@click.option(
    "--exported-at",
    metavar="TIME",
    help="When the exports were made, in ISO 8601: of two with the same key the later one counts. "
    "Default: as the mapping says, or the newest time in the export.",
)
def import_command(
    sources: tuple[Path, ...],
    mapping: str,
    raw_dir: Path,
    dry_run: bool,
    timezone: str | None,
    exported_at: str | None,
) -> None:
    """Import exports of survey tools and contact centers into the raw tables.

    SOURCE is a file (CSV or Excel) or a folder of them. Each export becomes a file of its own in
    the folder of each raw table: overlapping exports may be imported in any order, and again.
    """
    try:
        rules = load_mapping(mapping, timezone)
        results = import_exports(
            rules,
            sources,
            raw_dir,
            dry_run=dry_run,
            exported_at=None if exported_at is None else _moment(exported_at),
            progress=lambda line: click.echo(line, err=True),
        )
    except ImportRefusedError as refusal:
        click.echo(f"nps import: refused, nothing was changed.\n{refusal}", err=True)
        raise SystemExit(REFUSED) from None
    for result in results:
        click.echo("\n".join(_report(rules, result, dry_run)))
    if dry_run:
        click.echo("Nothing was written (--dry-run).")
    else:
        click.echo(f"Written into {raw_dir}. Build with NPS_RAW_DIR={raw_dir} dbt build.")


def _moment(text: str) -> str:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no time in ISO 8601, such as 2024-01-31 or 2024-01-31T10:00Z.",
            param_hint="--exported-at",
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return moment.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%S%fZ")


def _report(mapping: Mapping, result: Imported, dry_run: bool) -> list[str]:
    lines = []
    for source in result.sources:
        lines.append(f"{source.path}: {source.rows:,} rows ({', '.join(source.notes)})")
        if source.broken:
            lines.append(
                f"  {len(source.broken):,} records cannot be read, first: {source.broken[0]}"
            )
    for made in result.tables:
        lines += _table(mapping, result, made, dry_run)
    lines += _left_over(result.sources)
    return lines


def _table(mapping: Mapping, result: Imported, made: MadeTable, dry_run: bool) -> list[str]:
    name = f"{made.name}/{result.file_name(mapping.name)}.csv"
    lines = [f"  -> {name}: {made.rows:,} rows" if made.rows else f"  -> {made.name}: no rows"]
    lines += [f"     {count:,} left out: {why}" for why, count in made.left_out.items() if count]
    if made.broken:
        lines.append(f"     {len(made.broken):,} broken records, which the warehouse will reject")
    lines += [f"     {note}" for note in made.notes]
    if dry_run:
        width = max(map(len, made.columns))
        lines += [f"     {column:<{width}} <- {made.origins[column]}" for column in made.columns]
        known = {*made.columns, *made.absent}
        unmapped = [c for c in _contract_columns(mapping, made.name) if c not in known]
        lines.append(f"     not in the export: {name_list(made.absent)}")
        lines.append(f"     not mapped: {name_list(unmapped)}")
        lines += _first_rows(made)
    return lines


def _contract_columns(mapping: Mapping, name: str) -> Sequence[str]:
    return next(t.table.column_names for t in mapping.tables if t.table.name == name)


def _first_rows(made: MadeTable) -> list[str]:
    shown = [[_shown(c, v) for c, v in zip(made.columns, row, strict=True)] for row in made.preview]
    if not shown:
        return []
    rows = [list(made.columns), *shown]
    widths = [max(len(row[place]) for row in rows) for place in range(len(made.columns))]
    return [
        "     | " + " | ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _shown(column: str, value: str | None) -> str:
    if value is None:
        return ""
    if column in MASKED:
        return f"[{len(value)} characters]"
    one_line = " ".join(value.split())
    return one_line if len(one_line) <= WIDEST else f"{one_line[: WIDEST - 1]}…"


def _left_over(sources: Sequence[Source]) -> list[str]:
    lines = []
    for source in sources:
        names = source.left_over()
        if names:
            lines.append(f"  left over in {source.path.name}: {name_list(map(repr, names))}")
    return lines
