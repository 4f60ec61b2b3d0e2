"""The command ``nps questions``."""

from __future__ import annotations

from pathlib import Path

import click

from nps_warehouse.questions.asked import NAMES, CompileError, compiled, question
from nps_warehouse.report.cli import WAREHOUSE, reported_file
from nps_warehouse.report.figures import Figures, NoFiguresError
from nps_warehouse.warehouse import reading


@click.command(name="questions")
@click.option(
    "--to",
    type=click.Path(dir_okay=False, path_type=Path),
    help="also write question, answer and how to read it, in Markdown",
)
@WAREHOUSE
def questions_command(to: Path | None, warehouse: Path | None) -> None:
    """Answer the twelve questions that people ask first, each in a sentence.

    The rows behind an answer: `dbt show --select NAME`, with a name of a file in analyses/.
    """
    from nps_warehouse.questions.answers import answered
    from nps_warehouse.questions.page import page

    file = reported_file(warehouse)
    try:
        queries = compiled()
        with reading(file) as connection:
            figures = Figures(connection)
            answers = answered(figures, queries)
            as_of = figures.about().as_of
        if to is not None:
            to.write_text(page(answers, as_of), encoding="utf-8")
    except (CompileError, NoFiguresError, OSError) as problem:
        raise click.ClickException(str(problem)) from None
    for name in NAMES:
        click.echo(f"{question(name).text}\n  {answers[name]}")
