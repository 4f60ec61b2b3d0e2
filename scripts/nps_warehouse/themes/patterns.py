"""What the patterns of the seed `comment_themes` find: the very functions that a build uses."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import duckdb

from nps_warehouse.landing import comment_readers
from nps_warehouse.landing.contract import SEEDS_DIR
from nps_warehouse.landing.report import Report
from nps_warehouse.landing.seeds import read_seeds
from nps_warehouse.themes.labelled import Labelled


class PatternError(Exception):
    """The seeds can't be worked with; the text says why."""


def reading_of(seeds_dir: Path | None) -> comment_readers.Reading:
    """The effective seeds.

    Args:
        seeds_dir: the business's own; None for the shipped ones alone.

    Raises:
        PatternError: a row can't be worked with.
    """
    report = Report()
    seeds = [] if seeds_dir is None else read_seeds(seeds_dir, SEEDS_DIR, report)
    reading = comment_readers.read(seeds, SEEDS_DIR, report)
    if report.errors:
        raise PatternError("\n".join(report.errors))
    return reading


def folded_comments(
    reading: comment_readers.Reading, comments: Sequence[tuple[str | None, str]]
) -> list[tuple[str, frozenset[str]]]:
    """Each comment folded, and the themes that the patterns find in it.

    Args:
        reading: patterns and words.
        comments: pairs of language and text.
    """
    with duckdb.connect() as connection:
        connection.execute("create schema raw")
        comment_readers.create_functions(connection, "raw", reading)
        connection.execute("create table given (place bigint, language varchar, comment varchar)")
        if comments:
            connection.executemany(
                "insert into given values (?, ?, ?)",
                [[place, *pair] for place, pair in enumerate(comments)],
            )
        rows = connection.execute(
            "with folded as materialized ("
            "select place, language, raw.folded_comment(comment) as folded_text from given"
            ") select folded_text, raw.said_themes(folded_text, language) from folded "
            "order by place"
        ).fetchall()
    return [(str(text), frozenset(filter(None, str(said).split("|")))) for text, said in rows]


def predicted(
    reading: comment_readers.Reading, comments: Sequence[Labelled]
) -> list[frozenset[str]]:
    """The themes that the patterns find in labelled comments.

    Args:
        reading: patterns and words.
        comments: labelled comments, whose labels are not looked at.
    """
    pairs = [(one.language, one.comment) for one in comments]
    return [said for _, said in folded_comments(reading, pairs)]


def families(seeds_dir: Path | None) -> dict[str, str]:
    """Family by theme, of the effective seed.

    Args:
        seeds_dir: the business's own seeds; None for the shipped ones alone.
    """
    file = SEEDS_DIR / "comment_themes.csv"
    if seeds_dir is not None and (seeds_dir / file.name).exists():
        file = seeds_dir / file.name
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return {row["theme"]: row["family"] for row in csv.DictReader(opened)}
