"""What becomes of each raw row: accepted, rejected, superseded or excluded."""

# Instants are naive datetimes in UTC here, as the warehouse's timestamps are.
# ruff: noqa: DTZ901

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .reading import Record
from .tables import Table
from .values import BAD, trim

SHOWN_CHARACTERS = 200


@dataclass(slots=True)
class Row:
    """A raw row that passed the rules of its own, with its values read."""

    source_file: str
    source_row: int
    values: dict[str, Any]


@dataclass
class Staged:
    """A raw table after all rules, every row of it in one of four places."""

    table: Table
    rows_read: int = 0
    accepted: list[Row] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    superseded: list[dict[str, Any]] = field(default_factory=list)
    excluded: list[dict[str, Any]] = field(default_factory=list)
    rejected_values: list[dict[str, Any]] = field(default_factory=list)

    def reject(self, row: Row, column: str, raw: Any, reason: str) -> None:
        """Files a row away as rejected for what one of its columns holds."""
        self.rejected.append(_finding(self.table, row, column, raw, reason))


def stage(table: Table, records: Iterable[Record], listed: frozenset[str]) -> Staged:
    """Applies every rule to a raw table, in the contract's order.

    Args:
        table: the table.
        records: its records.
        listed: the response_ids that the business excludes.
    """
    staged = Staged(table)
    rows = _latest(staged, _passing_row_rules(staged, records))
    if table.name == "departments":
        rows = _with_chain_to_root(staged, rows)
    if table.name == "agent_assignments":
        rows = _without_overlaps(staged, rows)
    if table.name == "survey_responses":
        rows = _not_excluded(staged, rows, listed)
    staged.accepted = rows
    return staged


def record_key(table: Table, values: dict[str, Any]) -> str:
    """The key of a row as one text, parts joined by `|`."""
    return "|".join(_shown(values[column]) for column in table.key)


def _shown(value: Any) -> str:
    return "" if value is None else str(value)


def _finding(table: Table, row: Row, column: str, raw: Any, reason: str) -> dict[str, Any]:
    return {
        "table_name": table.name,
        "source_file": row.source_file,
        "source_row": row.source_row,
        "record_key": record_key(table, row.values),
        "column_name": column,
        "raw_value": None if raw is None else str(raw)[:SHOWN_CHARACTERS],
        "reason": reason,
    }


# --- (1) row rules ---------------------------------------------------------------------------


def _passing_row_rules(staged: Staged, records: Iterable[Record]) -> list[Row]:
    table = staged.table
    passing = []
    for record in records:
        staged.rows_read += 1
        cells = record.cells
        if cells is None:
            staged.rejected.append(
                {
                    "table_name": table.name,
                    "source_file": record.source_file,
                    "source_row": record.source_row,
                    "record_key": None,
                    "column_name": None,
                    "raw_value": None,
                    "reason": "broken line",
                }
            )
            continue
        values, bad = _read_cells(table, cells)
        row = Row(record.source_file, record.source_row, values)
        column = _first_failing(table, values, bad)
        if column is not None:
            reason = "empty" if cells.get(column) is None else "impossible"
            staged.reject(row, column, cells.get(column), reason)
            continue
        for column in bad:
            staged.rejected_values.append(
                _finding(table, row, column, cells[column], "not a value of this column")
            )
        passing.append(row)
    return passing


def _read_cells(
    table: Table, cells: dict[str, str | None]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The values of a row, and the columns whose text was no value (None among the values)."""
    values: dict[str, Any] = {}
    bad: tuple[str, ...] = ()
    for column, parse in table.columns.items():
        raw = cells.get(column)
        text = trim(raw) if raw else ""
        if not text:
            values[column] = None
            continue
        value = parse(text)
        if value is BAD:
            values[column] = None
            bad += (column,)
        else:
            values[column] = raw if column in table.verbatim else value
    return values, bad


def _first_failing(table: Table, values: dict[str, Any], bad: tuple[str, ...]) -> str | None:
    """The column of the first row rule that a row fails, in the order the contract lists them."""
    for column in table.key:
        if values[column] is None:
            return column
    for column in table.needed:
        # A dismissed answer needs no score.
        is_excused = column == "score" and values["status"] == "dismissed"
        if values[column] is None and not is_excused:
            return column
    if bad:
        for column in table.strict:
            if column in bad:
                return column
    if table.name == "contacts":
        ended_at = values["ended_at"]
        if ended_at is not None and ended_at < values["started_at"]:
            return "ended_at"
    return None


# --- (2) the same key twice ------------------------------------------------------------------


def _latest(staged: Staged, rows: list[Row]) -> list[Row]:
    """Of the rows with one key, the one updated last; the others are superseded."""
    table = staged.table
    winners: dict[tuple[Any, ...], Row] = {}
    losers: list[tuple[tuple[Any, ...], Row]] = []
    for row in rows:
        key = tuple([row.values[column] for column in table.key])
        other = winners.get(key)
        if other is None:
            winners[key] = row
        elif _age(row) > _age(other):
            winners[key] = row
            losers.append((key, other))
        else:
            losers.append((key, row))
    for key, row in losers:
        winner = winners[key]
        staged.superseded.append(
            {
                "table_name": table.name,
                "record_key": record_key(table, row.values),
                "source_file": row.source_file,
                "source_row": row.source_row,
                "superseded_by": f"{winner.source_file}:{winner.source_row}",
            }
        )
    return list(winners.values())


def _age(row: Row) -> tuple[datetime, bytes, int]:
    """Greater for the row that counts; without updated_at a row is older than any with one."""
    updated_at = row.values.get("updated_at") or datetime.min
    return updated_at, row.source_file.encode("utf-8", "surrogateescape"), row.source_row


# --- (3) set rules ---------------------------------------------------------------------------


def _with_chain_to_root(staged: Staged, rows: list[Row]) -> list[Row]:
    """Departments whose chain of parents ends at one that has none."""
    parents = {row.values["department_id"]: row.values["parent_department_id"] for row in rows}
    staying = []
    for row in rows:
        seen: set[str] = set()
        department: str | None = row.values["department_id"]
        while department is not None and department in parents and department not in seen:
            seen.add(department)
            department = parents[department]
        if department is None:
            staying.append(row)
        else:
            parent = row.values["parent_department_id"]
            staged.reject(row, "parent_department_id", parent, "no chain of parents to a root")
    return staying


def _without_overlaps(staged: Staged, rows: list[Row]) -> list[Row]:
    """Assignments [valid_from, valid_to) that do not overlap an earlier one that stays."""
    by_agent: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        valid_to = row.values["valid_to"]
        if valid_to is not None and valid_to <= row.values["valid_from"]:
            staged.reject(row, "valid_to", valid_to, "empty or negative range")
        else:
            by_agent[row.values["agent_id"]].append(row)
    staying = []
    for assignments in by_agent.values():
        assignments.sort(key=lambda row: row.values["valid_from"])
        free_from: datetime | None = datetime.min
        for row in assignments:
            valid_from = row.values["valid_from"]
            if free_from is None or valid_from < free_from:
                staged.reject(row, "valid_from", valid_from, "overlaps an earlier range")
            else:
                staying.append(row)
                free_from = row.values["valid_to"]
    return staying


# --- (4) exclusions --------------------------------------------------------------------------


def _not_excluded(staged: Staged, rows: list[Row], listed: frozenset[str]) -> list[Row]:
    staying = []
    for row in rows:
        values = row.values
        if values["status"] == "dismissed":
            reason = "dismissed"
        elif values["is_test"]:
            reason = "test"
        elif values["response_id"] in listed:
            reason = "listed"
        else:
            staying.append(row)
            continue
        staged.excluded.append(
            {
                "table_name": staged.table.name,
                "record_key": record_key(staged.table, values),
                "source_file": row.source_file,
                "source_row": row.source_row,
                "reason": reason,
            }
        )
    return staying
