"""``scripts/postgres``: a server of one's own, and builds on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import psycopg2

from nps_warehouse.exit_codes import BAD_INPUT
from nps_warehouse.postgres.extract import extract
from nps_warehouse.postgres.landing import RUN_VARIABLE, land_postgres, run_alone
from nps_warehouse.postgres.server import (
    FOLDER_VARIABLE,
    PREFIX,
    PROJECT,
    Address,
    Server,
    ServerError,
    address,
)

DBT = Path(sys.prefix) / "bin" / "dbt"
SALT = "NPS_AGENT_SALT"


def own_server() -> Server:
    """The developer's own server."""
    return Server(Path(os.environ.get(FOLDER_VARIABLE) or PROJECT / "target" / "postgres"))


def server_address() -> Address:
    """The server that the environment names; else the developer's own, started if need be."""
    return address() if os.environ.get(f"{PREFIX}HOST") else own_server().start()


def dbt_environment(server: Address, run: int | None = None) -> dict[str, str]:
    """What dbt is started with.

    Args:
        server: where it builds.
        run: who holds the lock of runs, so that the build knows it is the holder's own.
    """
    # Rows of CTEs and of joins by six columns are estimated to be one; a loop over whole tables, or
    # a merge by the first of the six, then takes hours where a hash takes a second.
    options = "-c timezone=UTC -c enable_nestloop=off -c enable_mergejoin=off -c jit=off"
    if salt := os.environ.get(SALT):
        # A setting of the connection: SQL is stored and logged, this is not.
        escaped = "".join(f"\\{letter}" if letter in " \\" else letter for letter in salt)
        options += f" -c nps.agent_salt={escaped}"
    own = {"PGOPTIONS": options, "PGTZ": "UTC"}
    if run is not None:
        own[RUN_VARIABLE] = str(run)
    return os.environ | server.environment() | own


def build(server: Address, arguments: Sequence[str] = ("build",), *, land: bool = True) -> int:
    """Land and build, while no other run does; returns the exit status.

    Args:
        server: where.
        arguments: dbt's command and its arguments.
        land: whether files are landed before.
    """
    with run_alone(server) as run:
        if land and not _landed(server):
            return BAD_INPUT
        return subprocess.run(
            [str(DBT), *arguments, "--target", "postgres"],
            cwd=PROJECT,
            env=dbt_environment(server, run),
            check=False,
        ).returncode


def _landed(server: Address) -> bool:
    report = land_postgres(server, os.environ.get("NPS_RAW_DIR"), os.environ.get("NPS_SEEDS_DIR"))
    for warning in report.warnings:
        click.echo(f"warning: {warning}", err=True)
    for error in report.errors:
        click.echo(f"error: {error}", err=True)
    return not report.errors


@click.group(help=__doc__)
def main() -> None:
    """Group of the commands below."""


@main.command()
def start() -> None:
    """Start a server of one's own on 127.0.0.1."""
    found = own_server().start()
    click.echo(f"PostgreSQL listens on {found.host}:{found.port}; see scripts/postgres env")


@main.command()
def stop() -> None:
    """Stop it; its data stays."""
    own_server().stop()


@main.command()
def remove() -> None:
    """Stop it and delete its data."""
    own_server().remove()


@main.command()
def env() -> None:
    """Print what `eval` makes variables of: where the own server listens, and its password."""
    for name, value in own_server().address().environment().items():
        click.echo(f"export {name}='{value}'")


@main.command()
def land() -> None:
    """Bring the files of NPS_RAW_DIR (the sample where unset) into schema raw."""
    server = server_address()
    with run_alone(server):
        if not _landed(server):
            sys.exit(BAD_INPUT)


@main.command(
    "build", context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]}
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def build_command(arguments: tuple[str, ...]) -> None:
    """Land, then `dbt build --target postgres` with ARGUMENTS, alone: a second run waits."""
    sys.exit(build(server_address(), ["build", *arguments]))


@main.command("copy")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def copy_command(file: Path) -> None:
    """Copy the tables of marts and quality into a DuckDB FILE."""
    click.echo(f"{extract(server_address(), file)} tables are in {file}")


def run() -> None:
    """Run a command; what is no defect is said in one sentence."""
    try:
        main(prog_name="scripts/postgres")
    except (ServerError, psycopg2.OperationalError) as problem:
        click.echo(f"postgres: {' '.join(str(problem).split())}", err=True)
        sys.exit(BAD_INPUT)


if __name__ == "__main__":
    run()
