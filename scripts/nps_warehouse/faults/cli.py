"""The command `scripts/faults`."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click

from nps_warehouse.faults.disk import full_disks
from nps_warehouse.faults.kills import campaign
from nps_warehouse.faults.moving import moving
from nps_warehouse.faults.pipeline import EVERYTHING, PUBLISHING, SCORE_MARTS, Project
from nps_warehouse.faults.report import of_disks, of_kills, of_moving, replace_part
from nps_warehouse.faults.schedule import simulate, to_markdown

_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--kills", type=click.IntRange(min=0), default=200, show_default=True)
@click.option("--disks", type=click.IntRange(min=0), default=0, help="Runs on a full disk.")
@click.option(
    "--moving", "moves", type=click.IntRange(min=0), default=0, help="Runs over a moving delivery."
)
@click.option("--schedule", is_flag=True, help="A day of hourly deliveries.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of all chance.")
@click.option(
    "--select",
    "selection",
    type=click.Choice([PUBLISHING, SCORE_MARTS, EVERYTHING]),
    default=SCORE_MARTS,
    show_default=True,
    help="What the runs build.",
)
@click.option("--minutes", type=float, help="After these no kill is begun.  [default: no limit]")
@click.option("--only", multiple=True, help="Only moments of this stratum; see docs/faults.md.")
@click.option("--report", type=_FILE, help="The page whose tables are written anew.")
@click.option("--keep", type=_FOLDER, help="A folder for everything, which is kept.")
def main(
    kills: int,
    disks: int,
    moves: int,
    schedule: bool,
    seed: int,
    selection: str,
    minutes: float | None,
    only: tuple[str, ...],
    report: Path | None,
    keep: Path | None,
) -> None:
    """Kill the nightly run, fill its disk, move its files, and see what readers see.

    Exit code 0: no wrong read, no unrecovered run, no row lost or doubled; 1: see what it says.
    """
    folder = keep or Path(tempfile.mkdtemp(prefix="nps_faults_"))
    begun = time.monotonic()

    def said(text: str) -> None:
        click.echo(f"{time.monotonic() - begun:6.0f} s  {text}")

    try:
        project = Project(selection, folder / "parse")
        said("ready")
        good = _all(
            project, folder, kills, disks, moves, schedule, seed, minutes, only, report, said
        )
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if good else 1)


def _all(
    project: Project,
    folder: Path,
    kills: int,
    disks: int,
    moves: int,
    schedule: bool,
    seed: int,
    minutes: float | None,
    only: tuple[str, ...],
    report: Path | None,
    said: Callable[[str], None],
) -> bool:
    parts: list[tuple[str, str, bool]] = []
    if kills:
        result = campaign(
            project, folder / "kills", kills=kills, seed=seed, only=only, said=said,
            seconds=float("inf") if minutes is None else minutes * 60,
        )  # fmt: skip
        parts.append((f"kills {project.selection}", of_kills(result), result.clean))
    if disks:
        full = full_disks(project, folder / "disks", times=disks, seed=seed, said=said)
        parts.append(("full disk", of_disks(full), not full.problems))
    if moves:
        moved = moving(project, folder / "moving", runs=moves, seed=seed, said=said)
        parts.append(("moving delivery", of_moving(moved), not moved.problems))
    if schedule:
        day = simulate(project, folder / "schedule", seed=seed, said=said)
        parts.append(("schedule", to_markdown(day), not day.problems))
    for name, text, _ in parts:
        click.echo(f"\n{text}\n")
        if report is not None:
            replace_part(report, name, text)
    return all(good for _, _, good in parts)


if __name__ == "__main__":
    main(prog_name="faults")
