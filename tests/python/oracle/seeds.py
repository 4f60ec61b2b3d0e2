"""The reference tables the business owns, as far as the marts of this contract need them."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from .score import Band
from .values import trim


@dataclass(frozen=True)
class Seeds:
    """The reference tables, ready for look-ups.

    Args:
        categories: category by score.
        bands: the bands of the score.
        aliases: channel by its spelling in lower case.
        excluded: response_ids that do not count.
        languages: known language codes.
    """

    categories: dict[int, str]
    bands: tuple[Band, ...]
    aliases: dict[str, str]
    excluded: frozenset[str]
    languages: frozenset[str]

    @classmethod
    def from_folder(cls, folder: Path) -> "Seeds":
        """Reads the five seeds.

        Raises:
            FileNotFoundError: one is not in the folder.
            KeyError: one lacks a column.
        """
        return cls(
            categories={
                int(row["score"]): row["category"] for row in _rows(folder / "nps_categories.csv")
            },
            bands=tuple(
                Band(
                    row["band"],
                    float(row["above"]) if row["above"] else -math.inf,
                    float(row["up_to"]) if row["up_to"] else math.inf,
                )
                for row in _rows(folder / "nps_bands.csv")
            ),
            aliases={
                row["alias"].lower(): row["channel"]
                for row in _rows(folder / "channel_aliases.csv")
            },
            excluded=frozenset(
                row["response_id"] for row in _rows(folder / "excluded_responses.csv")
            ),
            languages=frozenset(row["code"].lower() for row in _rows(folder / "languages.csv")),
        )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [
            {trim(name).lower(): trim(text or "") for name, text in row.items() if name}
            for row in csv.DictReader(file)
        ]
