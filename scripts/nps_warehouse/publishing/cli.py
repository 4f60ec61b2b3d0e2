"""The commands ``nps publish``, ``nps rollback``, ``nps versions`` and ``nps export``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from nps_warehouse.publishing.atomic import new_run_id, publish, repair, rollback
from nps_warehouse.publishing.place import PublishingError, place_of
from nps_warehouse.publishing.versions import Version, kept_in, rollbacks_of, shown_at

into_option = click.option(
    "--into",
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
        refused = click.ClickException(str(problem))
        refused.exit_code = problem.exit_code
        raise refused from problem


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
