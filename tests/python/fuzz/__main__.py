"""The command `scripts/fuzz`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from fuzz.run import Summary, Worker, fuzz
from fuzz.targets import TARGETS

EVERY_SECONDS = 30


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--minutes", default=10.0, show_default=True, help="How long to go on.")
@click.option("--batches", type=int, help="How many batches at most; 1 repeats a seed.")
@click.option("--seed", type=int, help="Of the first batch; drawn from the clock unless given.")
@click.option("--target", type=click.Choice(sorted(TARGETS)), default="landing", show_default=True)
@click.option("--limit", default=120.0, show_default=True, help="Seconds until a batch hangs.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the deliveries of each failure, by seed.",
)
def main(
    minutes: float, batches: int | None, seed: int | None, target: str, limit: float, keep: Path
) -> None:
    """Break deliveries by chance and have them read.

    Fails with exit code 1 where one crashes, hangs, does not reconcile, or is read otherwise than
    by the second reading; each with the seed that repeats it.
    """
    first = int(time.time()) * 1000 if seed is None else seed
    click.echo(f"fuzz: target {target}, seeds from {first}")
    worker = Worker(TARGETS[target], keep, limit)
    summary, said, told = Summary(), 0.0, 0
    for summary in fuzz(worker, first, batches, minutes * 60):
        for at, lines in list(summary.failures.items())[told:]:
            told += 1
            click.echo(f"FAILURE seed {at}:\n  " + "\n  ".join(lines))
        if summary.seconds - said >= EVERY_SECONDS:
            said = summary.seconds
            click.echo(line_of(summary))
    worker.close()
    click.echo(line_of(summary))
    if summary.failures:
        seeds = ", ".join(map(str, summary.failures))
        click.echo(f"fuzz: failed with the seeds {seeds}; repeat one by --batches 1 --seed")
        sys.exit(1)
    click.echo("fuzz: no failure")


def line_of(summary: Summary) -> str:
    """How a run stands, as a line."""
    outcome = summary.outcome
    speed = outcome.examples / summary.seconds if summary.seconds else 0.0
    return (
        f"fuzz: {summary.seconds:.0f} s, {outcome.examples} examples ({speed:.1f}/s) in "
        f"{summary.batches} batches, {outcome.refused} refused, {outcome.rows} rows accounted "
        f"for, {len(summary.failures)} failures"
    )


if __name__ == "__main__":
    main(prog_name="fuzz")
