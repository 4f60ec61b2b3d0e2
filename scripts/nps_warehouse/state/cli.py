"""The commands ``nps publication`` and ``nps state``."""

from __future__ import annotations

from pathlib import Path

import click

from nps_warehouse.landing import sql
from nps_warehouse.privacy.suppression import LIST_NAME, SuppressionError
from nps_warehouse.runs.lock import alone
from nps_warehouse.state import archive
from nps_warehouse.state.publication import record
from nps_warehouse.state.store import ALIAS, StateError, attached, state_file, tables, version_of


@click.group(name="publication")
def publication_command() -> None:
    """What was published, so that a later change of its numbers can be explained."""


@publication_command.command(name="record")
@click.option("--id", "publication_id", help="what to call it; default: the date of as_of")
@alone("nps publication record")
def record_command(publication_id: str | None) -> None:
    """Write down that what the warehouse shows was published.

    To be called once after each publication. A build that was recorded already is refused, and so
    is one that was made before the last publication: build again, then record.
    """
    try:
        done = record(publication_id)
    except (StateError, SuppressionError) as problem:
        raise click.ClickException(str(problem)) from None
    click.echo(
        f"Publication {done.number} ({done.id}), as of {done.as_of}, metric version "
        f"{done.metric_version}: {done.responses:,} answers, {done.opened:,} new or otherwise, "
        f"{done.closed:,} gone or otherwise."
    )


@publication_command.command(name="list")
def list_command() -> None:
    """Print the publications, the oldest first."""
    try:
        with attached(state_file(), read_only=True) as connection:
            rows = connection.execute(
                "select publication_number, publication_id, as_of, metric_version, "
                f"contract_version from {ALIAS}.publications order by publication_number"
            ).fetchall()
    except StateError as problem:
        raise click.ClickException(str(problem)) from None
    for number, name, as_of, metric_version, contract in rows:
        click.echo(
            f"{number:>5}  {name}  as of {as_of}  metric version {metric_version}  "
            f"output contract {contract}"
        )
    if not rows:
        click.echo("Nothing was published yet.")


@click.group(name="state")
def state_command() -> None:
    """What no build can make again: publications, what was delivered then, who is forgotten."""


@state_command.command(name="show")
def show_command() -> None:
    """Print where the state is, its version and how much is in it."""
    file = state_file()
    try:
        with attached(file, read_only=True, of_version=None) as connection:
            click.echo(f"{file}: version {version_of(connection)}")
            for table in tables(connection):
                row = connection.execute(
                    f"select count(*) from {ALIAS}.{sql.name(table)}"
                ).fetchone()
                assert row is not None
                click.echo(f"   {table}: {row[0]:,} rows")
    except StateError as problem:
        raise click.ClickException(str(problem)) from None
    listed = file.parent / LIST_NAME
    if listed.is_file():
        lines = len(listed.read_text(encoding="ascii").splitlines())
        click.echo(f"   {LIST_NAME}: {max(0, lines - 1):,} customers")


@state_command.command(name="backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup_command(file: Path) -> None:
    """Write the state to FILE, a new zip file."""
    try:
        made = archive.backup(state_file().parent, file)
    except StateError as problem:
        raise click.ClickException(str(problem)) from None
    click.echo(f"{file}: state version {made.version}, {sum(made.rows.values()):,} rows.")


@state_command.command(name="restore")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@alone("nps state restore")
def restore_command(file: Path) -> None:
    """Put the backup FILE in place of the state; the state that was there stays beside it.

    A backup of an earlier release is brought to this one's version. Customers who were forgotten
    since stay forgotten.
    """
    try:
        found = archive.restore(file, state_file().parent)
    except StateError as problem:
        raise click.ClickException(str(problem)) from None
    click.echo(
        f"{state_file()}: restored from state version {found.version}, "
        f"{sum(found.rows.values()):,} rows. Build again, so that the marts follow."
    )


@state_command.command(name="migrate")
@alone("nps state migrate")
def migrate_command() -> None:
    """Bring the state to this release's version; a backup is made beside it first."""
    try:
        before, kept = archive.upgrade(state_file().parent)
    except StateError as problem:
        raise click.ClickException(str(problem)) from None
    if kept is None:
        click.echo(f"{state_file()} is of version {before} already.")
    else:
        click.echo(f"{state_file()}: migrated from version {before}; {kept} is what it was.")
