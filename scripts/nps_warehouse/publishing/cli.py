"""The commands ``nps publish``, ``nps rollback``, ``nps versions`` and ``nps export``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from nps_warehouse.publishing.atomic import new_run_id, publish, repair, rollback
from nps_warehouse.publishing.export import DEFAULT_TABLES, FORMATS, export_all
from nps_warehouse.publishing.place import PublishingError, place_of
from nps_warehouse.publishing.versions import Version, kept_in, rollbacks_of, shown_at
from nps_warehouse.runs.lock import alone

into_option = click.option(
    "--published",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="folder of published files; default: NPS_PUBLISHED_DIR, else published/",
)


@contextmanager
def in_sentences() -> Iterator[None]:
    """End a command with the sentence and the exit code of what went wrong."""
    try:
        yield
    except PublishingError as problem:
        click.echo(f"Error: {problem}", err=True)
        raise click.exceptions.Exit(problem.exit_code) from problem


def _shown(version: Version) -> str:
    score = "no score" if version.nps is None else f"NPS {version.nps:.1f}"
    return (
        f"{version.id}  published {version.published_at:%Y-%m-%d %H:%M:%S}Z  "
        f"as of {version.as_of:%Y-%m-%d %H:%M}Z  {version.responses:,} answers, {score}"
    )


@click.command(name="publish")
@into_option
@click.option(
    "--warehouse",
    type=click.Path(dir_okay=False, path_type=Path),
    help="what was built; default: NPS_WAREHOUSE",
)
@click.option("--keep", type=click.IntRange(1), help="versions kept; default: NPS_KEEP, else 7")
@click.option("--run-id", help="the run it belongs to; default: an id of its own")
@alone("nps publish")
def publish_command(
    folder: Path | None, warehouse: Path | None, keep: int | None, run_id: str | None
) -> None:
    """Show what the warehouse holds to those who read.

    Writes a version, proves it, and shows it in one step. A build that was published already stays
    as it is. What fails leaves what was published before.
    """
    with in_sentences():
        for sentence in repair(folder):
            click.echo(sentence)
        name = run_id or new_run_id(datetime.now(UTC))
        version = publish(name, warehouse=warehouse, folder=folder, keep=keep)
    if version.run_id == name:
        click.echo(f"Published {_shown(version)}")
    else:
        click.echo(f"Nothing new to publish; this build is {_shown(version)}")


@click.command(name="rollback")
@click.argument("version_id", required=False, metavar="[VERSION]")
@into_option
@alone("nps rollback")
def rollback_command(version_id: str | None, folder: Path | None) -> None:
    """Show VERSION again, by default the one before the one that is shown.

    The next publication shows its own version.
    """
    with in_sentences():
        version = rollback(folder, version_id)
    click.echo(f"Shown now: {_shown(version)}")


@click.command(name="versions")
@into_option
def versions_command(folder: Path | None) -> None:
    """Print the versions that are kept, the newest first, and when older ones were shown again."""
    with in_sentences():
        place = place_of(folder)
        kept = kept_in(place)
        shown = shown_at(place)
        going_back = rollbacks_of(place)
    for version in kept:
        mark = "*" if shown is not None and version.id == shown.id else " "
        click.echo(f"{mark} {_shown(version)}")
    if not kept:
        click.echo("Nothing was published yet.")
    for one in going_back:
        click.echo(f"{one.at:%Y-%m-%d %H:%M:%S}Z  from {one.left} back to {one.shown}")


@click.command(name="export")
@click.option(
    "--to",
    "target",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="folder for the files",
)
@click.option(
    "--format",
    "formats",
    type=click.Choice(FORMATS),
    multiple=True,
    required=True,
    help="may be given more than once",
)
@click.option(
    "--table",
    "tables",
    multiple=True,
    default=DEFAULT_TABLES,
    show_default=True,
    help="which tables, as schema.table; * stands for anything; may be given more than once",
)
@click.option("--version", "version_id", help="an older version; default: the one that is shown")
@into_option
def export_command(
    target: Path,
    formats: Sequence[str],
    tables: Sequence[str],
    version_id: str | None,
    folder: Path | None,
) -> None:
    """Write what is published as Parquet, CSV or Excel files.

    Times are UTC. In CSV, texts that a spreadsheet would take for a formula begin with an
    apostrophe; numbers stay numbers. A workbook has a sheet for each table, and none is cut off.
    """
    with in_sentences():
        place = place_of(folder)
        file = place.shown if version_id is None else place.file(version_id)
        done = export_all(file, target, formats, tables)
    for written, count in done.rows.items():
        click.echo(f"{written}: {count:,} rows")
    if done.cut:
        click.echo(f"{done.cut:,} texts were longer than a cell of Excel and were cut.")
