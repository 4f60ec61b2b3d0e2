"""The sample as it was delivered the day before, for engines that take in what has changed."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

from conftest import SAMPLE

# What grows with history, and what it is made of.
GROWS = "+config.materialized:incremental"
FILES = ("survey_responses.csv", "contacts.csv")


def deliver_first_day(folder: Path) -> None:
    """Lay down the sample without its newest answers and contacts, with some of them otherwise.

    The next day corrects scores and departments, and takes an answer and a contact away.

    Args:
        folder: does not exist yet.
    """
    shutil.copytree(SAMPLE, folder)
    _rewrite(folder / "survey_responses.csv", "score", "9", "0")
    _rewrite(folder / "contacts.csv", "department_id", "D01", "D02")


def deliver_second_day(folder: Path) -> None:
    """Lay down the sample's own files instead of those of the first day.

    Args:
        folder: where `deliver_first_day` laid its own.
    """
    for name in FILES:
        shutil.copy(SAMPLE / name, folder / name)


def _rewrite(file: Path, column: str, one: str, other: str) -> None:
    # By record: a comment may have several lines. Byte for byte: one is not in UTF-8.
    with file.open(encoding="latin-1", newline="") as opened:
        header, *rows = csv.reader(opened)
    place = header.index(column)
    rows = rows[: -len(rows) // 20]
    for row in rows[::40]:
        row[place] = other if row[place] == one else one
    gone = rows[7].copy()
    gone[0] += "-gone"
    with file.open("w", encoding="latin-1", newline="") as opened:
        csv.writer(opened).writerows([header, *rows, gone])
