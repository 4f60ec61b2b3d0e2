"""Comments whose themes are known."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nps_warehouse.landing.contract import SAMPLE_DIR
from nps_warehouse.landing.csv_reader import read_header, read_records
from nps_warehouse.sample.comments import BODIES
from nps_warehouse.sample.world import LANGUAGES

COLUMNS = ("language", "comment", "themes")


@dataclass(frozen=True)
class Labelled:
    """A comment with what it says.

    Attributes:
        language: ISO 639-1.
        comment: the customer's words.
        themes: what they say; empty for nothing.
        wording: which of the ways in which the sample says it; None for a comment of people.
    """

    language: str
    comment: str
    themes: frozenset[str]
    wording: int | None = None


def read_labelled(path: Path) -> list[Labelled]:
    """Labelled comments of a CSV file with the columns language, comment, themes (`a|b`).

    Args:
        path: the file.

    Raises:
        ValueError: it lacks a column.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"{path} lacks the columns {', '.join(missing)}")
        return [Labelled(row["language"], row["comment"], _themes(row["themes"])) for row in reader]


def _themes(text: str) -> frozenset[str]:
    return frozenset(theme.strip() for theme in text.split("|") if theme.strip())


def sample_comments(folder: Path = SAMPLE_DIR) -> list[Labelled]:
    """The shipped sample's comments: the generator's own phrases tell what each is about.

    Args:
        folder: the sample's folder, as CSV.
    """
    file = folder / "survey_responses.csv"
    header = read_header(file, file.stem, file.name).names
    comment, language = header.index("comment"), header.index("language")
    labelled = []
    seen = set()
    for record in read_records(file, len(header)):
        # Planted dirty rows are no answers of the generator.
        row = record.fields
        if record.error or not row[comment] or row[language] not in LANGUAGES:
            continue
        # An answer that was delivered twice is one comment.
        key = (row[0], row[comment])
        if key not in seen:
            seen.add(key)
            labelled.append(_labelled(row[language], row[comment]))
    return labelled


def _labelled(language: str, comment: str) -> Labelled:
    for theme, bodies in BODIES.items():
        for number, body in enumerate(bodies[language]):
            if body in comment:
                return Labelled(language, comment, frozenset([theme]), number)
    # What is about nothing has wordings, too: dealt out by length, they are told apart.
    return Labelled(language, comment, frozenset(), len(comment) % 3)


def themes_of(comments: Iterable[Labelled]) -> list[str]:
    """Every theme that some of the comments say, in order.

    Args:
        comments: labelled comments.
    """
    return sorted({theme for one in comments for theme in one.themes})
