"""A figure: one number that a gate judges, with where it was seen and how much it rests on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import pandas as pd


@dataclass(frozen=True)
class Figure:
    """One number.

    `figure` says what it is (see `expectations/*.yml`), `table_name`, `column_name` and `part`
    where it was seen, `volume` how much it rests on, in the figure's own unit; `detail` what a
    reader wants to know beside it; `condition` which rows of the table to look at.
    """

    figure: str
    table_name: str
    value: float
    volume: float = 0
    column_name: str = ""
    part: str = ""
    detail: str = ""
    condition: str = ""

    @property
    def place(self) -> tuple[str, str, str]:
        """Table, column and part."""
        return (self.table_name, self.column_name, self.part)


def to_frame(figures: Sequence[Figure]) -> pd.DataFrame:
    """Figures as the frame that Great Expectations judges, one row each.

    Args:
        figures: the figures of a gate; a value that is no number is beyond every bound.
    """
    frame = pd.DataFrame(
        [asdict(figure) for figure in figures], columns=[field.name for field in fields(Figure)]
    )
    # Great Expectations takes NaN for a missing value, and passes it.
    value = frame["value"].astype(float)
    return frame.assign(
        value=value.where(value.notna(), math.inf), volume=frame["volume"].astype(float), keys=""
    )
