"""``scripts/ducklake``: a lake of one's own, and builds in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import duckdb

from nps_warehouse.ducklake.copying import copy
from nps_warehouse.ducklake.lake import (
    DATA_VARIABLE,
    DATABASE,
    FOLDER_VARIABLE,
    PREFIX,
    RUN_VARIABLE,
    Lake,
    LakeError,
    LakeLockedError,
    connected,
    folder,
    lake,
    run_alone,
)
from nps_warehouse.ducklake.maintenance import contents, maintain
from nps_warehouse.ducklake.versions import note_build, versions
from nps_warehouse.exit_codes import BAD_INPUT, LOCKED
from nps_warehouse.postgres.server import PROJECT, Server, ServerError

DBT = Path(sys.prefix) / "bin" / "dbt"


def own_server() -> Server:
    """The server of the developer's own catalogue."""
    return Server(folder() / "server", DATABASE, FOLDER_VARIABLE)


def own_lake(*, start: bool) -> Lake:
    """The developer's own lake.

    Args:
        start: whether its server is started, if need be.
    """
    server = own_server()
    catalogue = server.start() if start else server.address()
    return Lake(catalogue, Path(os.environ.get(DATA_VARIABLE) or folder() / "data").absolute())


def lake_at_hand(*, start: bool = True) -> Lake:
    """The lake whose catalogue the environment names; else the developer's own.

    Args:
        start: whether the own server is started, if need be.
    """
    return lake() if os.environ.get(f"{PREFIX}HOST") else own_lake(start=start)


def build(place: Lake, arguments: Sequence[str] = ()) -> int:
    """Build, while no other run does, and note the version; returns dbt's exit status.

    Args:
        place: where.
        arguments: of `dbt build`.
    """
    place.data.mkdir(mode=0o750, parents=True, exist_ok=True)
    with run_alone(place) as run:
        status = subprocess.run(
            [str(DBT), "build", *arguments, "--target", "ducklake"],
            cwd=PROJECT,
            env=os.environ | place.environment() | {RUN_VARIABLE: str(run)},
            check=False,
        ).returncode
        if status == 0:
            number = note_build(place, " ".join(arguments))
            click.echo(f"The lake at the end of this build is version {number}.")
    return status


@click.group(help=__doc__)
def main() -> None:
    """Group of the commands below."""


@main.command()
def start() -> None:
    """Start the catalogue's server on 127.0.0.1."""
    found = own_lake(start=True)
    server = found.catalogue
    click.echo(f"The catalogue is on {server.host}:{server.port}, the files are in {found.data}")


@main.command()
def stop() -> None:
    """Stop it; the lake stays."""
    own_server().stop()


@main.command()
def remove() -> None:
    """Stop it and delete the lake."""
    own_server().remove()
    shutil.rmtree(folder(), ignore_errors=True)


@main.command()
def env() -> None:
    """Print what `eval` makes variables of: where the own lake is, and its password."""
    for name, value in own_lake(start=False).environment().items():
        click.echo(f"export {name}='{value}'")


@main.command(
    "build", context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]}
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def build_command(arguments: tuple[str, ...]) -> None:
    """`dbt build --target ducklake` with ARGUMENTS, alone: a second run waits."""
    sys.exit(build(lake_at_hand(), arguments))


@main.command("versions")
def versions_command() -> None:
    """List the ends of builds that can be asked for, the newest last."""
    for one in versions(lake_at_hand()):
        click.echo(f"{one.number:>8}  {one.ended_at:%Y-%m-%d %H:%M:%S} UTC  {one.arguments}")


@main.command()
@click.argument("query")
@click.option(
    "--version", type=int, help="The lake as it was then.  [default: the last build's end]"
)
@click.option("--now", is_flag=True, help="As it is now, in the middle of a build if there is one.")
def sql(query: str, version: int | None, now: bool) -> None:
    """Print what QUERY finds."""
    place = lake_at_hand()
    if version is None and not now:
        built = versions(place)
        version = built[-1].number if built else None
    with connected(place, version=version) as connection:
        click.echo(str(connection.sql(query)))


@main.command("copy")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--version", type=int, help="The lake as it was then; without, as it is now.")
def copy_command(file: Path, version: int | None) -> None:
    """Copy the tables of marts and quality into a DuckDB FILE."""
    click.echo(f"{copy(lake_at_hand(), file, version)} tables are in {file}")


@main.command("maintain")
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    default=30,
    show_default=True,
    help="Builds at whose ends the lake can still be asked for.",
)
@click.option(
    "--grace-minutes",
    type=click.IntRange(min=0),
    default=60,
    show_default=True,
    help="Age of a file of no more use before it is deleted: readers may be in it.",
)
def maintain_command(keep: int, grace_minutes: int) -> None:
    """Forget older versions, and make few files of many small ones."""
    place = lake_at_hand()
    with run_alone(place):
        before = contents(place)
        maintain(place, keep, grace_minutes)
        after = contents(place)
    for what, was, now in (
        ("snapshots", before.snapshots, after.snapshots),
        ("files of tables as they are", before.files, after.files),
        ("files in the folder", before.stored, after.stored),
        ("bytes in the folder", before.bytes, after.bytes),
    ):
        click.echo(f"{what:28} {was:>14,} -> {now:,}")


def run() -> None:
    """Run a command; what is no defect is said in one sentence."""
    try:
        main(prog_name="scripts/ducklake")
    except LakeLockedError as problem:
        click.echo(f"ducklake: {problem}", err=True)
        sys.exit(LOCKED)
    except (LakeError, ServerError, duckdb.Error) as problem:
        click.echo(f"ducklake: {' '.join(str(problem).split())}", err=True)
        sys.exit(BAD_INPUT)


if __name__ == "__main__":
    run()
