"""The command line of the calibration."""

from __future__ import annotations

import sys

import click

from nps_warehouse.calibration.measure import calibrate
from nps_warehouse.calibration.project import CalibrationError, compiled
from nps_warehouse.calibration.report import broken, markdown


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--agents", default=200, type=click.IntRange(20), help="Agents in each world.")
@click.option(
    "--replicates", default=20, type=click.IntRange(1), help="Worlds of each kind, two months each."
)
@click.option("--seed", default=20260101, type=click.IntRange(0), help="Seed of all draws.")
def main(agents: int, replicates: int, seed: int) -> None:
    """Measure intervals and verdicts where the truth is known and nothing changes.

    Draws worlds of agents, runs the project's own SQL on their answers and prints a table. Ends
    with status 1 where a limit is broken.

    Args:
        agents: how many are in each world.
        replicates: worlds of each kind.
        seed: of the draws.
    """
    try:
        found = calibrate(compiled(), agents, replicates, seed)
    except CalibrationError as failure:
        click.echo(f"calibration: {failure}", err=True)
        sys.exit(2)
    click.echo(markdown(found), nl=False)
    problems = broken(found)
    for problem in problems:
        click.echo(f"calibration: {problem}", err=True)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main(prog_name="calibration")
