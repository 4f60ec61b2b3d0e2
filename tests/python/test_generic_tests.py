"""Every generic test on rows that keep its promise, and on rows that break it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb
import pytest
from conftest import PROJECT
from rendered import rendered

Rows = Sequence[tuple[object, ...]]


@dataclass(frozen=True)
class Table:
    """Rows of the tested model, and of other tables where the test reads some."""

    rows: Rows
    others: Mapping[str, Rows] = field(default_factory=dict)


@dataclass(frozen=True)
class Twins:
    """A generic test with its arguments, on valid tables and on invalid ones.

    Args:
        test: the generic test.
        columns: the tested model's columns as SQL.
        valid: tables in which the test must find nothing.
        invalid: tables in which it must find something: each with how many rows.
        arguments: the test's arguments.
        others: columns of the other tables that the test reads.
    """

    test: str
    columns: str
    valid: Mapping[str, Table]
    invalid: Mapping[str, tuple[Table, int]]
    arguments: Mapping[str, object] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)


EMPTY = Table([])
PERIODS = ["day", "week", "month", "quarter", "year", "all"]
COUNTED = (
    "survey_type varchar, period_type varchar, period_start date, "
    "responses bigint, promoters bigint, passives bigint, detractors bigint"
)
COMPANY = [
    ("all", "month", "2026-01-01", 6, 3, 2, 1),
    ("all", "month", "2026-02-01", 4, 0, 4, 0),
]
TWO_GROUPS = [
    ("all", "month", "2026-01-01", 4, 2, 2, 0),
    ("all", "month", "2026-01-01", 2, 1, 0, 1),
    ("all", "month", "2026-02-01", 4, 0, 4, 0),
]


def groups(rows: Rows, company: Rows = COMPANY) -> Table:
    return Table(rows, {"nps_by_period": company})


def rolled_up(rows: Rows, is_rollup: bool) -> list[tuple[object, ...]]:
    return [(*row, is_rollup) for row in rows]


def published(counts: Mapping[str, int], staged: int, survey_type: str = "all") -> Table:
    rows = [(survey_type, period, responses) for period, responses in counts.items()]
    return Table(rows, {"stg_survey_responses": [(str(n),) for n in range(staged)]})


def bands(*bounds: tuple[float | None, float | None]) -> Table:
    return Table(bounds)


TWINS = [
    Twins(
        "adds_up_to_the_company",
        COUNTED,
        others={"nps_by_period": COUNTED},
        valid={
            "groups_and_company": groups(TWO_GROUPS),
            "neither": groups([], []),
        },
        invalid={
            "no_groups": (groups([]), 2),
            "no_company": (groups(TWO_GROUPS, []), 2),
            "a_period_without_groups": (groups(TWO_GROUPS[:2]), 1),
            "a_group_missing": (groups(TWO_GROUPS[1:]), 1),
            "a_group_twice": (groups([*TWO_GROUPS, TWO_GROUPS[0]]), 1),
            "a_survey_type_of_its_own": (
                groups([*TWO_GROUPS, ("relational", "month", "2026-01-01", 1, 1, 0, 0)]),
                1,
            ),
            "a_group_without_survey_type": (
                groups([*TWO_GROUPS, (None, "month", "2026-02-01", 1, 0, 1, 0)]),
                1,
            ),
            "another_period_type": (
                groups([*TWO_GROUPS[:2], ("all", "day", "2026-02-01", 4, 0, 4, 0)]),
                2,
            ),
            # Each count is compared, not the total alone.
            **{
                f"other_{name}": (
                    groups(
                        [
                            *TWO_GROUPS[:2],
                            tuple(
                                value + (3 <= i and i == place)  # type: ignore[operator]
                                for i, value in enumerate(TWO_GROUPS[2])
                            )
                            if False
                            else (*TWO_GROUPS[2][:place], 5, *TWO_GROUPS[2][place + 1 :]),
                        ]
                    ),
                    1,
                )
                for place, name in enumerate(COUNTED.split()[::2])
                if place >= 3
            },
        },
    ),
]
