"""The command line ``nps run``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime

import click

from nps_warehouse.instant import Instant
from nps_warehouse.runs.settings import STEPS, Asked
from nps_warehouse.variables import Vars

FORMATS = ("parquet", "csv", "xlsx")


class Formats(click.ParamType["tuple[str, ...]"]):
    """Formats with commas between."""

    name = "formats"

    def convert(
        self,
        value: str | tuple[str, ...],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, ...]:
        """The formats that were asked for.

        Args:
            value: what was typed.
            param: the option.
            ctx: the context of the call.
        """
        if isinstance(value, tuple):
            return value
        asked = tuple(part.strip() for part in value.split(",") if part.strip())
        for part in asked:
            if part not in FORMATS:
                self.fail(f"{part!r} is none of {', '.join(FORMATS)}", param, ctx)
        return asked


@click.command(
    name="run",
    epilog="Exit codes: 0 done, 3 a gate or a data test stopped it and what was published before "
    "still stands, 65 something given cannot be used, 69 a file or disk cannot be used, 70 a "
    "defect, 75 another run is at work, 128 and more a signal. See docs/nightly.md.",
)
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(STEPS),
    help="Only this step; may be given several times.",
)
@click.option("--from", "first", type=click.Choice(STEPS), help="This step and those after it.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=0,
    show_default=True,
    help="Seconds to wait for another run to end, before leaving with 75.",
)
@click.option("--vars", "variables", type=Vars(), default="{}", help="dbt vars, as YAML.")
@click.option("--now", type=Instant(), help="When this is.  [default: the clock]")
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    help="Published versions that are kept.  [default: NPS_KEEP, else 7]",
)
@click.option(
    "--copies",
    type=Formats(),
    default="",
    help=f"Copies of what is published, with commas between: {', '.join(FORMATS)}.",
)
@click.option("--select", multiple=True, help="dbt's selection of what is built.  [default: all]")
@click.option("--exclude", multiple=True, help="What dbt leaves out.")
@click.option("--full-refresh", is_flag=True, help="Build everything from nothing.")
def run_command(
    only: Sequence[str],
    first: str | None,
    wait: float,
    variables: dict[str, object],
    now: datetime | None,
    keep: int | None,
    copies: tuple[str, ...],
    select: Sequence[str],
    exclude: Sequence[str],
    full_refresh: bool,
) -> None:
    """Land, check, build, check, publish: everything a night needs, in one command.

    What fails a gate is not published, and readers keep what they have. On a terminal the run shows
    its progress; elsewhere it prints its events, one JSON object a line.
    """
    if only and first:
        raise click.UsageError("--only and --from exclude each other")
    steps = tuple(step for step in STEPS if step in only) if only else STEPS
    if first:
        steps = STEPS[STEPS.index(first) :]
    # dbt takes seconds to import.
    from nps_warehouse.runs.pipeline import run
    from nps_warehouse.runs.progress import progress

    asked = Asked(
        steps=steps,
        wait=wait,
        variables=variables,
        now=now,
        keep=keep,
        copies=copies,
        select=tuple(select),
        exclude=tuple(exclude),
        full_refresh=full_refresh,
    )
    with progress() as shown:
        finished = run(asked, listener=shown.event, on_node=shown.node)
    if finished.sentence is not None:
        click.echo(f"nps run: {finished.sentence}", err=True)
    sys.exit(finished.exit_code)
