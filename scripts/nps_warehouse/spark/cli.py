"""`scripts/spark`: start and stop a Spark cluster, land files in it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from nps_warehouse.spark import events
from nps_warehouse.spark.cluster import LOOPBACK, Cluster, ClusterError, State
from nps_warehouse.spark.extract import extract
from nps_warehouse.spark.landing import Session, connected, land_spark

PROJECT = Path(__file__).resolve().parents[3]
DEFAULT_THRIFT_PORT = 10015


def folder() -> Path:
    """Where the cluster's files lie: NPS_SPARK_DIR, else target/spark of the project."""
    return Path(os.environ.get("NPS_SPARK_DIR") or PROJECT / "target" / "spark").resolve()


def _say(state: State) -> None:
    for process in state.processes:
        running = "runs" if process.is_running() else "is over"
        click.echo(f"{process.name:10} process {process.pid:>7} {running}")
    click.echo(f"Thrift server: 127.0.0.1:{state.thrift_port} (NPS_SPARK_PORT)")


@click.group()
def main() -> None:
    """A Spark cluster on this machine: a master, two workers, a Thrift server, Iceberg tables."""


@main.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=lambda: int(os.environ.get("NPS_SPARK_PORT") or DEFAULT_THRIFT_PORT),
    help="Where the Thrift server listens; 0: a free port.  [default: NPS_SPARK_PORT or 10015]",
)
@click.option("--workers", type=click.IntRange(1, 8), default=2, show_default=True)
def start(port: int, workers: int) -> None:
    """Start it, where it does not run yet."""
    try:
        _say(Cluster(folder()).start(workers, port or None))
    except ClusterError as problem:
        raise click.ClickException(str(problem)) from problem


@main.command()
@click.option("--delete", is_flag=True, help="Delete its tables and all its other files, too.")
def stop(delete: bool) -> None:
    """Stop it: Thrift server, workers, master."""
    cluster = Cluster(folder())
    if delete:
        cluster.remove()
    else:
        cluster.stop()


@main.command()
def status() -> None:
    """Say what runs; exits 1 where something does not."""
    cluster = Cluster(folder())
    state = cluster.state()
    if state is None:
        raise click.ClickException("nothing was started")
    _say(state)
    if not cluster.is_running(state):
        raise click.exceptions.Exit(1)


@contextmanager
def session() -> Iterator[Session]:
    """A session with the Thrift server that the environment names, else with one's own."""
    state = Cluster(folder()).state()
    port = os.environ.get("NPS_SPARK_PORT") or (state.thrift_port if state else DEFAULT_THRIFT_PORT)
    host = os.environ.get("NPS_SPARK_HOST") or LOOPBACK
    try:
        with connected(host, int(port), os.environ.get("NPS_SPARK_USER") or "nps") as connection:
            yield connection
    except ConnectionError as problem:
        raise click.ClickException(str(problem)) from problem


def land_files() -> list[str]:
    """Land what the environment names; returns what is wrong, warnings are printed."""
    with session() as connection:
        report = land_spark(
            connection,
            folder() / "landing",
            os.environ.get("NPS_RAW_DIR"),
            os.environ.get("NPS_SEEDS_DIR"),
        )
    for warning in report.warnings:
        click.echo(f"Warning: {warning}", err=True)
    return report.errors


@main.command()
def land() -> None:
    """Land the files of NPS_RAW_DIR and the seeds of NPS_SEEDS_DIR as schema raw of Spark."""
    errors = land_files()
    if errors:
        raise click.ClickException("\n".join(errors))


def build(arguments: Sequence[str]) -> int:
    """Land files, then `dbt build`; returns the exit status. The own cluster is started.

    Args:
        arguments: of `dbt build`.
    """
    environment = os.environ.copy()
    if "NPS_SPARK_HOST" not in environment:
        port = int(environment.get("NPS_SPARK_PORT") or DEFAULT_THRIFT_PORT)
        state = Cluster(folder()).start(thrift_port=port or None)
        environment["NPS_SPARK_PORT"] = os.environ["NPS_SPARK_PORT"] = str(state.thrift_port)
    errors = land_files()
    if errors:
        click.echo("\n".join(errors), err=True)
        return 1
    dbt = str(PROJECT / ".venv-spark" / "bin" / "dbt")
    command = [dbt, "build", "--target", "spark", *arguments]
    return subprocess.run(command, cwd=PROJECT, env=environment, check=False).returncode


@main.command("build", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def build_command(arguments: tuple[str, ...]) -> None:
    """Start the cluster, land files, build: `dbt build --target spark ARGUMENTS`."""
    try:
        raise click.exceptions.Exit(build(arguments))
    except ClusterError as problem:
        raise click.ClickException(str(problem)) from problem


@main.command("copy")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def copy_command(file: Path) -> None:
    """Copy the tables of marts and quality into a DuckDB FILE."""
    with session() as connection:
        click.echo(f"{extract(connection, file)} tables are in {file}")


@main.command()
def work() -> None:
    """Say what each executor did, by the newest event log."""
    try:
        log = events.newest(folder() / "events")
    except FileNotFoundError as problem:
        raise click.ClickException(f"{problem}: no build ran on a cluster there") from problem
    for line in events.table(log):
        click.echo(line)


if __name__ == "__main__":
    main()
