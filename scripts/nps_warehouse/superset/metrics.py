"""Certified metrics of a dataset: counts are added up, scores come from counts, none is averaged.

Periods and survey types overlap: a month is part of its year, an answer is one of its own survey
type and of all. So a metric says nothing where rows of two of them would be put together. What is
neither a count nor made of counts (an interval, a p-value) is shown of one row or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

OVERLAPPING = ("survey_type", "period_type", "scope_type")
"""Columns whose values count the same answers again."""

NUMBERS = ("BIGINT", "INTEGER", "DOUBLE", "HUGEINT")
ABBREVIATIONS = {"nps": "NPS", "ewma": "EWMA", "csat": "CSAT", "sla": "SLA", "p": "p", "z": "z"}
NEWEST = "newest_first"
"""The metric that orders periods."""


@dataclass(frozen=True)
class Column:
    """A column of a dataset.

    Attributes:
        name: its name.
        type: DuckDB's name of its type.
        description: what dbt says of it.
    """

    name: str
    type: str
    description: str

    @property
    def is_number(self) -> bool:
        """Whether there is a metric of it."""
        return self.type in NUMBERS

    @property
    def is_time(self) -> bool:
        """Whether it is a date or a time."""
        return self.type.startswith(("DATE", "TIMESTAMP"))


@dataclass(frozen=True)
class Metric:
    """A certified metric.

    Attributes:
        name: its name, that of its column.
        title: what people read.
        expression: its SQL.
        description: what dbt says of it, and how it is put together.
        how: in a few words, why it may be trusted.
    """

    name: str
    title: str
    expression: str
    description: str
    how: str

    @property
    def key(self) -> str:
        """Its name in Superset, which takes a column of the same name for the metric."""
        return f"certified_{self.name}"


def title_of(name: str) -> str:
    """A column's name as people read it.

    Args:
        name: as in the mart, such as `nps_ci_low`.
    """
    said = f"{name} ".replace("_ci_low ", " from").replace("_ci_high ", " to")
    said = said.replace("_pct ", " % ")
    words = [ABBREVIATIONS.get(word, word) for word in said.replace("_", " ").split()]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def _of_one_kind(names: Collection[str], expression: str) -> str:
    """An expression, empty where rows that overlap would be put together."""
    guards = " and ".join(
        f"count(distinct {column}) = 1" for column in OVERLAPPING if column in names
    )
    return f"case when {guards} then {expression} end" if guards else expression


def _shares(names: Collection[str]) -> Mapping[str, str]:
    """What is made of counts, by its name; nothing where they are not all there."""
    if not {"responses", "promoters", "passives", "detractors"} <= set(names):
        return {}
    made = {
        "nps": "sum(promoters) - sum(detractors)",
        "promoter_pct": "sum(promoters)",
        "passive_pct": "sum(passives)",
        "detractor_pct": "sum(detractors)",
    }
    return {
        name: f"100 * cast({counted} as double) / nullif(sum(responses), 0)"
        for name, counted in made.items()
    }


def metrics_of(
    columns: Collection[Column], counts: Collection[str], *, apart: bool = False
) -> list[Metric]:
    """The metrics of a dataset, one for each number in it.

    Args:
        columns: of the dataset.
        counts: names of columns that add up.
        apart: whether no two rows count the same, whatever their period or survey type.
    """
    names = [column.name for column in columns]
    overlapping = () if apart else names
    shares = _shares(names)
    found = []
    for column in columns:
        if not column.is_number:
            continue
        if column.name in shares:
            expression = _of_one_kind(overlapping, shares[column.name])
            how = "Made of added-up counts, never an average of rows"
        elif column.name in counts:
            expression = _of_one_kind(overlapping, f"sum({column.name})")
            how = "Adds up" if apart else "Adds up over groups of one period and survey type"
        else:
            expression = f"case when count(*) = 1 then max({column.name}) end"
            how = "The value of one row of the mart; empty where there are several"
        description = f"{column.description} {how}.".strip()
        found.append(Metric(column.name, title_of(column.name), expression, description, how))
    if {"is_complete", "period_start"} <= set(names):
        found.append(
            Metric(
                NEWEST,
                "Newest complete period first",
                "max(case when is_complete then "
                "date_diff('day', date '1970-01-01', period_start) else -1 end)",
                "Orders periods in filters: the newest that is over first.",
                "Only an order",
            )
        )
    return found
