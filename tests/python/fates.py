"""What becomes of every delivered row: by the warehouse, and by the second reading."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from compiled import Compiled, Instant, Node
from conftest import PROJECT
from oracle.reading import read_table
from oracle.rules import stage
from oracle.seeds import Seeds
from oracle.tables import Table, raw_tables
from oracle.values import Clock

# A delivered row: its file and its number there.
Place = tuple[str, int]

ACCEPTED, REJECTED, SUPERSEDED, EXCLUDED = "accepted", "rejected", "superseded", "excluded"
_WITH_SET_RULES = ("departments", "agent_assignments")


@dataclass
class Fates:
    """What becomes of the rows of a raw table.

    Args:
        rows: number of rows read.
        fates: for each row what became of it, and the column that rejects it, the row that
            supersedes it, the reason that excludes it.
        values: for each accepted row its values, by column.
        reasons: for each rejected row the reason given (none in the second reading).
        twice: rows that more than one thing became of.
    """

    rows: int
    fates: dict[Place, tuple[str, str | None]] = field(default_factory=dict)
    values: dict[Place, dict[str, Any]] = field(default_factory=dict)
    reasons: dict[Place, str | None] = field(default_factory=dict)
    twice: list[Place] = field(default_factory=list)

    def add(self, file: str, row: int, fate: str, detail: str | None = None) -> None:
        """Note what became of a row."""
        if (file, row) in self.fates:
            self.twice.append((file, row))
        self.fates[file, row] = (fate, detail)


@cache
def second_tables() -> Mapping[str, Table]:
    """The raw tables of the second reading, with the project's own settings."""
    return raw_tables(Clock("UTC", "2000-01-01", "2100-01-01", None), second_seeds().languages)


@cache
def second_seeds() -> Seeds:
    """The shipped seeds as the second reading knows them."""
    return Seeds.from_folder(PROJECT / "seeds")


def second_fates(raw_dir: Path, name: str) -> Fates:
    """Read a table the second way.

    Args:
        raw_dir: the delivered folder.
        name: of the raw table.

    Raises:
        ContractError: the delivery stops a build.
    """
    table = second_tables()[name]
    staged = stage(table, read_table(raw_dir, table), second_seeds().excluded)
    fates = Fates(staged.rows_read)
    for row in staged.accepted:
        fates.add(row.source_file, row.source_row, ACCEPTED)
        fates.values[row.source_file, row.source_row] = row.values
    for finding in staged.rejected:
        place = finding["source_file"], finding["source_row"]
        fates.add(*place, REJECTED, finding["column_name"])
    for finding in staged.superseded:
        place = finding["source_file"], finding["source_row"]
        fates.add(*place, SUPERSEDED, finding["superseded_by"])
    for finding in staged.excluded:
        fates.add(finding["source_file"], finding["source_row"], EXCLUDED, finding["reason"])
    return fates


def models_of(project: Compiled, tables: Collection[str]) -> list[Node]:
    """The models that decide what becomes of the rows of these raw tables, in their order."""
    names = [
        f"{layer}_{table}" for table in tables for layer in ("stg", "flawed", "superseded")
    ] + [f"judged_{table}" for table in tables if f"judged_{table}" in project.models]
    return project.in_order(names)


def warehouse_fates(warehouse: Instant, name: str) -> Fates:
    """What the models made of a table; they have been built.

    Args:
        warehouse: with the raw folder landed.
        name: of the raw table.
    """
    fates = Fates(int(warehouse.rows(f"select count(*) from raw.{name}")[0][0]))
    columns = list(second_tables()[name].columns)
    for file, row, *values in warehouse.rows(
        f"select parsed._source_file, parsed._source_row, "
        f"{', '.join(f'parsed.{column}' for column in columns)} "
        f"from staging.parsed_{name} as parsed inner join staging.stg_{name} as accepted "
        "on parsed._source_file = accepted._source_file "
        "and parsed._source_row = accepted._source_row"
    ):
        fates.values[file, row] = dict(zip(columns, values, strict=True))
    for file, row in warehouse.rows(f"select _source_file, _source_row from staging.stg_{name}"):
        fates.add(file, row, ACCEPTED)
    rejections = [f"flawed_{name}"]
    if name in _WITH_SET_RULES:
        rejections.append(f"judged_{name}")
    for relation in rejections:
        for file, row, column, reason in warehouse.rows(
            "select _source_file, _source_row, rejected_column, rejection_reason "
            f"from staging.{relation} where rejection_reason is not null"
        ):
            fates.add(file, row, REJECTED, column)
            fates.reasons[file, row] = reason
    for file, row, by in warehouse.rows(
        f"select _source_file, _source_row, superseded_by from staging.superseded_{name}"
    ):
        fates.add(file, row, SUPERSEDED, by)
    if name == "survey_responses":
        for file, row, reason in warehouse.rows(
            "select _source_file, _source_row, exclusion_reason "
            "from staging.judged_survey_responses where exclusion_reason is not null"
        ):
            fates.add(file, row, EXCLUDED, reason)
    return fates


def disagreements(ours: Fates, theirs: Fates) -> list[str]:
    """Every row that does not reconcile, or that the two readings see differently, as a line each.

    Args:
        ours: the warehouse's.
        theirs: the second reading's.
    """
    lines = []
    if ours.rows != theirs.rows:
        lines.append(f"{ours.rows} rows read, {theirs.rows} by the second reading")
    if ours.rows != len(ours.fates):
        lines.append(f"{ours.rows} rows read, {len(ours.fates)} accounted for")
    lines += [f"{place}: more than one fate" for place in ours.twice]
    lines += [f"{place}: no reason" for place, reason in ours.reasons.items() if not reason]
    for place in sorted(ours.fates.keys() | theirs.fates.keys()):
        fate, other = ours.fates.get(place), theirs.fates.get(place)
        if fate != other:
            lines.append(f"{place}: {fate}, in the second reading {other}")
        elif fate == (ACCEPTED, None):
            values, read = ours.values[place], theirs.values[place]
            lines += [
                f"{place} {column}: {values[column]!r}, in the second reading {read[column]!r}"
                for column in read
                if values[column] != read[column]
            ]
    return lines
