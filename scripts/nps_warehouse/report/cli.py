"""The command ``nps report``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from nps_warehouse.landing.contract import PROJECT_DIR
from nps_warehouse.publishing.place import PublishingError, place_of
from nps_warehouse.report.figures import PERIOD_TYPES, NoFiguresError
from nps_warehouse.report.formats import UnknownLocaleNameError
from nps_warehouse.warehouse import warehouse_file


def reported_file(given: Path | None) -> Path:
    """The file that is reported: what was given, else what was published, else what was built.

    Args:
        given: of the option `--warehouse`.

    Raises:
        click.ClickException: the folder of published files can't be used.
    """
    if given is not None:
        return given
    try:
        published = place_of().shown
    except PublishingError as problem:
        raise click.ClickException(str(problem)) from None
    return published if published.is_file() else warehouse_file()


def manifest_file() -> Path:
    """Where dbt leaves what it knows of the project."""
    return Path(os.environ.get("DBT_TARGET_PATH") or PROJECT_DIR / "target") / "manifest.json"


WAREHOUSE = click.option(
    "--warehouse",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="default: the published file, else NPS_WAREHOUSE",
)


@click.group(name="report", invoke_without_command=True)
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="folder of the pages")
@click.option("--team", "teams", multiple=True, help="only the page of this team; may be repeated")
@click.option(
    "--period",
    "period_type",
    type=click.Choice(PERIOD_TYPES),
    default="month",
    show_default=True,
    help="of the executive summary: the last one that is over",
)
@click.option(
    "--locale",
    envvar="NPS_REPORT_LOCALE",
    default="en",
    show_default=True,
    help="how numbers and dates are written, as en_GB or de_DE",
)
@WAREHOUSE
@click.pass_context
def report_command(
    context: click.Context,
    to: Path | None,
    teams: tuple[str, ...],
    period_type: str,
    locale: str,
    warehouse: Path | None,
) -> None:
    """Write pages that need no server: an executive summary, and one per team for its huddle.

    Each page is one HTML file that asks for nothing beside it: it can be mailed, printed on A4, and
    opened on a phone.
    """
    if context.invoked_subcommand is not None:
        return
    if to is None:
        raise click.UsageError("Missing option '--to'.")
    # Drawing takes a second to load, and --help needs none of it.
    from nps_warehouse.report.pages import UnknownTeamError, write_report

    try:
        files = write_report(
            reported_file(warehouse), to, period_type=period_type, locale=locale, teams=teams
        )
    except (NoFiguresError, UnknownTeamError, UnknownLocaleNameError, OSError) as problem:
        raise click.ClickException(str(problem)) from None
    click.echo(f"{files[0]}, {len(files):,} {'page' if len(files) == 1 else 'pages'} in all")


@report_command.command(name="dictionary")
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option(
    "--manifest",
    type=click.Path(dir_okay=False, path_type=Path),
    help="dbt's manifest.json, which knows who reads what; default: of the last build",
)
@WAREHOUSE
def dictionary_command(to: Path, manifest: Path | None, warehouse: Path | None) -> None:
    """Write a page of every published table and column: type, meaning, grain, who reads it."""
    from nps_warehouse.report.dictionary import UnreadableManifestError, write_dictionary

    try:
        tables, columns = write_dictionary(
            reported_file(warehouse), manifest or manifest_file(), to, required=manifest is not None
        )
    except (NoFiguresError, UnreadableManifestError, OSError) as problem:
        raise click.ClickException(str(problem)) from None
    click.echo(f"{to}: {tables:,} tables, {columns:,} columns")
