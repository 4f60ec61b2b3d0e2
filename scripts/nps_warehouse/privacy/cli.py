"""The commands ``nps forget`` and ``nps retain``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import duckdb

from nps_warehouse.landing.contract import PROJECT_DIR, SAMPLE_DIR
from nps_warehouse.landing.theme_labels import labels_file
from nps_warehouse.landing.warehouse_file import problem_of_warehouse_file
from nps_warehouse.privacy import suppression
from nps_warehouse.privacy.person import Delivered, Place, as_delivered, find_delivered
from nps_warehouse.privacy.retention import empty_old_rows, retain_in_copy
from nps_warehouse.privacy.rewrite import compacted, copies_in, forget_in_copy, opened, search
from nps_warehouse.publishing.place import Place as PublishedPlace
from nps_warehouse.publishing.place import PublishingError
from nps_warehouse.publishing.rewriting import published_files, published_place, rewritten
from nps_warehouse.runs.lock import alone
from nps_warehouse.state.publication import forget_answers
from nps_warehouse.state.store import StateError
from nps_warehouse.warehouse import warehouse_file

MOST_ROWS = 20
"""Row numbers that are printed of a file; the rest are counted."""

COPIES_VARIABLE = "NPS_COPIES"
"""Folders of published copies, separated as in PATH, for those who always have the same."""

copies_option = click.option(
    "--copies",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help=f"a folder (or file) of published copies: CSV, Parquet, DuckDB; also {COPIES_VARIABLE}",
)
vars_option = click.option("--vars", "variables", help="dbt vars of the build, as YAML")


@click.command(name="forget")
@click.argument("customer_ids", nargs=-1, required=True, metavar="CUSTOMER_ID...")
@copies_option
@vars_option
@alone("nps forget")
def forget_command(
    customer_ids: Sequence[str], copies: Sequence[Path], variables: str | None
) -> None:
    """Forget customers, in the warehouse, its published copies and every later build.

    Their answers and contacts stay without them, so that no score changes; comments, revenue and
    whatever is kept by customer go. Needs NPS_PRIVACY_SALT. Names the raw files that still hold
    them, and ends with a search that has to find nothing.
    """
    ids = as_delivered(customer_ids)
    if not ids:
        raise click.ClickException("no customer id was given but blanks")
    file = warehouse_file()
    _refuse_open_file(file)
    raw_dir = Path(os.environ.get("NPS_RAW_DIR") or SAMPLE_DIR).resolve()
    place, published = _published(copies)
    files = [*published, *([] if place is None else published_files(place))]
    _refuse_raw_files(files, raw_dir)
    try:
        suppression.read_salt()
        delivered = find_delivered(raw_dir, ids)
        fresh = suppression.add(ids)
    except (ValueError, suppression.SuppressionError) as problem:
        raise click.ClickException(str(problem)) from None
    click.echo(
        f"{fresh:,} of {len(ids):,} customers are new on the list {suppression.list_file()}."
    )
    try:
        states = forget_answers(suppression.list_file().parent, delivered.person.response_ids)
    except StateError as problem:
        raise click.ClickException(str(problem)) from None
    _rebuild(file, variables)
    compacted(file)
    for copy in published:
        forget_in_copy(copy, delivered.person)
    shown = _in_versions(place, lambda copy: forget_in_copy(copy, delivered.person))
    published = [*published, *shown]
    click.echo(f"Built anew and rewritten: {file} and {len(published):,} copies.")
    _print_places(raw_dir, delivered.places)
    for kept in sorted(suppression.list_file().parent.glob("*.zip")):
        click.echo(f"{kept} may still hold keys of their answers: make a new backup, remove it.")
    _prove([file, *states, *published], delivered)


@click.command(name="retain")
@copies_option
@vars_option
@alone("nps retain")
def retain_command(copies: Sequence[Path], variables: str | None) -> None:
    """Enforce nps_retention_months in the warehouse file and its published copies.

    Builds anew with the vars given, takes the content of rows that are too old out of schema raw,
    and their rows out of the copies.
    """
    file = warehouse_file()
    _refuse_open_file(file)
    place, published = _published(copies)
    raw_dir = Path(os.environ.get("NPS_RAW_DIR") or SAMPLE_DIR).resolve()
    files = [*published, *([] if place is None else published_files(place))]
    _refuse_raw_files(files, raw_dir)
    _rebuild(file, variables)
    with opened(file, read_only=False) as connection:
        old = empty_old_rows(connection)
    compacted(file)
    for table, places in sorted(old.places.items()):
        click.echo(f"{table}: {sum(len(rows) for rows in places.values()):,} rows too old")
        _print_places(raw_dir, [Place(name, tuple(rows)) for name, rows in sorted(places.items())])

    def retain(copy: Path) -> None:
        gone = retain_in_copy(copy, old)
        click.echo(f"{copy.name}: {gone:,} rows taken out")

    for copy in published:
        retain(copy)
    _in_versions(place, retain)
    if not old.places:
        click.echo("No row is older than its table is kept.")


def _published(copies: Sequence[Path]) -> tuple[PublishedPlace | None, list[Path]]:
    """Where versions are published, and the copies that are elsewhere."""
    try:
        place = published_place()
    except PublishingError as problem:
        raise click.ClickException(str(problem)) from None
    found = copies_in([*copies, *_configured_copies()])
    if place is not None:
        # They are rewritten in their own way, whether they are also named as copies or not.
        folder = place.folder.resolve()
        own = {folder / file.relative_to(place.folder) for file in published_files(place)}
        own.add(folder / place.name)
        found = [file for file in found if file.resolve() not in own]
    return place, found


def _in_versions(place: PublishedPlace | None, change: Callable[[Path], object]) -> list[Path]:
    """Change what is published; returns the files."""
    if place is None:
        return []
    try:
        return rewritten(place, change)
    except PublishingError as problem:
        raise click.ClickException(f"{problem}. Run the same command again then") from None
    except duckdb.Error as problem:
        reason = str(problem).splitlines()[0]
        raise click.ClickException(
            f"a version in {place.versions} can't be rewritten, remove it: {reason}"
        ) from None


def _configured_copies() -> list[Path]:
    listed = os.environ.get(COPIES_VARIABLE, "")
    places = [Path(place) for place in listed.split(os.pathsep) if place]
    for place in places:
        if not place.exists():
            raise click.ClickException(f"{COPIES_VARIABLE} names {place}, which does not exist")
    return places


def _refuse_open_file(file: Path) -> None:
    if not file.is_file():
        raise click.ClickException(f"there is no warehouse {file}; run a build first")
    problem = problem_of_warehouse_file(str(file))
    if problem is not None:
        raise click.ClickException(problem)


def _refuse_raw_files(copies: Sequence[Path], raw_dir: Path) -> None:
    """Delivered files are their owners': a command that rewrites copies must not touch them."""
    for copy in copies:
        if copy.resolve().is_relative_to(raw_dir):
            raise click.ClickException(
                f"{copy} is one of the delivered files in {raw_dir}, which are not rewritten here; "
                "their owner takes the rows out"
            )


def _rebuild(file: Path, variables: str | None) -> None:
    """Run every seed and model again; the landing leaves out who is on the list."""
    # They name answers that may have to go, and are quickly made again.
    if labels_file().exists():
        labels_file().unlink()
        click.echo("Labels of themes are removed; `nps themes classify` makes them again.")
    arguments = ["--vars", variables] if variables else []
    kinds = ("test", "unit_test")
    excluded = [part for kind in kinds for part in ("--exclude-resource-type", kind)]
    finished = subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), "--quiet", "build", *excluded, *arguments],
        cwd=PROJECT_DIR,
        env={**os.environ, "NPS_WAREHOUSE": str(file.resolve())},
        check=False,
    )
    if finished.returncode != 0:
        raise click.ClickException(
            "the build failed, its message is above. The list holds the customers already; run "
            "the same command again when the build works."
        )


def _print_places(raw_dir: Path, places: Sequence[Place]) -> None:
    for place in places:
        shown = ", ".join(map(str, place.rows[:MOST_ROWS]))
        more = len(place.rows) - MOST_ROWS
        rest = f" and {more:,} more" if more > 0 else ""
        click.echo(f"Still delivered in {raw_dir / place.source_file}: rows {shown}{rest}")
    if places:
        click.echo("Their owners have to take these rows out; here they are left out meanwhile.")


def _prove(files: Sequence[Path], delivered: Delivered) -> None:
    found = search(files, delivered.person)
    person = delivered.person
    click.echo(
        f"Searched {found.columns:,} text columns of {len(files):,} files for "
        f"{len(person.customer_ids):,} ids and {len(person.comments):,} comments: "
        f"{len(found.hits):,} hits."
    )
    for hit in found.hits:
        click.echo(f"  {hit}")
    if found.hits:
        raise click.ClickException("not everything is gone; the places above still hold it")
