"""The command ``nps themes``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from nps_warehouse.landing.theme_labels import labels_file
from nps_warehouse.themes import evaluate as evaluating
from nps_warehouse.themes.labelled import Labelled, read_labelled, sample_comments
from nps_warehouse.themes.labels import write_labels
from nps_warehouse.themes.learned import Learned, MissingLibraryError
from nps_warehouse.themes.patterns import PatternError, families, folded_comments, reading_of
from nps_warehouse.warehouse import warehouse_file

existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(name="themes")
def themes_command() -> None:
    """Themes of comments: how well they are found, and a classifier that learns them."""


def _seeds_dir() -> Path | None:
    name = os.environ.get("NPS_SEEDS_DIR")
    return Path(name) if name else None


def _labelled(file: Path) -> list[Labelled]:
    try:
        return read_labelled(file)
    except (ValueError, UnicodeDecodeError) as problem:
        raise click.ClickException(str(problem)) from None


@themes_command.command()
@click.argument("held_aside", type=existing_file)
@click.option("--labels", type=existing_file, help="labelled comments that teach, with the sample")
def evaluate(held_aside: Path, labels: Path | None) -> None:
    """Print precision, recall and F1 of both classifiers as a Markdown table.

    HELD_ASIDE is a CSV file of labelled comments that taught nobody: language, comment, themes
    (`a|b`). The other set is the shipped sample, whose generator knows what it wrote.
    """
    development = [] if labels is None else _labelled(labels)
    try:
        seeds = _seeds_dir()
        results = evaluating.evaluation(
            reading_of(seeds),
            families(seeds),
            sample_comments(),
            _labelled(held_aside),
            development,
        )
    except (PatternError, MissingLibraryError) as problem:
        raise click.ClickException(str(problem)) from None
    click.echo(evaluating.as_table(results))


@themes_command.command()
@click.option("--warehouse", type=existing_file, help="default: NPS_WAREHOUSE")
@click.option(
    "--labels",
    type=existing_file,
    help="labelled comments to learn from, beside the sample's: language, comment, themes",
)
def classify(warehouse: Path | None, labels: Path | None) -> None:
    """Label the comments of a warehouse by a classifier that learned them.

    The labels go to NPS_STATE_DIR; the next build shows them in marts.comment_theme_labels, beside
    what the patterns found.
    """
    taught = sample_comments() + ([] if labels is None else _labelled(labels))
    try:
        reading = reading_of(_seeds_dir())
        texts = [
            text for text, _ in folded_comments(reading, [(t.language, t.comment) for t in taught])
        ]
        model = Learned(texts, [one.themes for one in taught])
        count = write_labels(warehouse or warehouse_file(), reading, model, labels_file())
    except (PatternError, MissingLibraryError, ValueError) as problem:
        raise click.ClickException(str(problem)) from None
    click.echo(f"{labels_file()}: {count:,} labels; the next build shows them")
