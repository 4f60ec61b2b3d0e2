"""Rejected rows, read from a warehouse or from an earlier export, and what became of them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import click
import duckdb
import yaml

from nps_warehouse.landing.contract import CONTRACT_FILE
from nps_warehouse.warehouse import reading

WITHHELD = "withheld"
"""What a record key reads where agents are not named (macro shown_record_key)."""

# A cell that a spreadsheet takes for a formula begins with one of these.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")

ACCEPTED = "accepted now"
SUPERSEDED = "replaced by a newer row"
EXCLUDED = "left out by decision"
STILL_REJECTED = "still rejected"
VANISHED = "no longer delivered"
FATES = (ACCEPTED, SUPERSEDED, EXCLUDED, STILL_REJECTED, VANISHED)


@dataclass(frozen=True)
class RejectedRow:
    """A row of quality.rejected_rows; its raw value is masked there already."""

    table_name: str
    source_file: str
    source_row: int
    record_key: str | None
    column_name: str | None
    raw_value: str | None
    reason: str

    @property
    def kind(self) -> str:
        """The reason; of a line that could not be split, without its fields and its number."""
        if self.column_name is not None:
            return self.reason
        return self.reason.partition(" (line")[0].partition(":")[0]


COLUMNS = tuple(field.name for field in fields(RejectedRow))


def rejected_rows(warehouse: Path) -> list[RejectedRow]:
    """All rejected rows of a warehouse, by table, file and row.

    Args:
        warehouse: the DuckDB file.

    Raises:
        click.ClickException: the file is no warehouse, or was never built.
    """
    with reading(warehouse) as connection:
        return _rejected(connection, warehouse)


def _rejected(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> list[RejectedRow]:
    try:
        found = connection.execute(
            f"select {', '.join(COLUMNS)} from quality.rejected_rows "
            "order by table_name, source_file, source_row"
        ).fetchall()
    except duckdb.CatalogException:
        raise click.ClickException(
            f"{warehouse} has no table quality.rejected_rows: run a build first"
        ) from None
    return [RejectedRow(*row) for row in found]


def owners() -> dict[str, str]:
    """Who delivers each raw table, as the input contract says."""
    document = yaml.safe_load(CONTRACT_FILE.read_text(encoding="utf-8"))
    return {
        table["name"]: table["config"]["meta"]["owner"]
        for source in document["sources"]
        for table in source["tables"]
    }


def neutral(cell: object) -> str:
    """A cell that no spreadsheet takes for a formula.

    Args:
        cell: the value; None becomes an empty cell.
    """
    text = "" if cell is None else str(cell)
    # An apostrophe says that text follows. One that is there already gets another, so that a
    # reader can take off exactly what was put on.
    return f"'{text}" if text.startswith((*FORMULA_STARTS, "'")) else text


def plain(cell: str) -> str | None:
    """What `neutral` was given; None for an empty cell."""
    return cell.removeprefix("'") or None


def export(rows: Iterable[RejectedRow], folder: Path) -> dict[Path, int]:
    """Write rejected rows as one CSV file per owner and table, with the number of rows of each.

    Args:
        rows: the rows.
        folder: where to; a folder per owner is made in it.
    """
    by_file: dict[Path, list[RejectedRow]] = {}
    of_table = owners()
    for row in rows:
        file = folder / of_table[row.table_name] / f"{row.table_name}.csv"
        by_file.setdefault(file, []).append(row)
    # What an earlier export left would be read as rejected still.
    for owner in set(of_table.values()):
        for table in of_table:
            (folder / owner / f"{table}.csv").unlink(missing_ok=True)
    for file, found in by_file.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(COLUMNS)
            writer.writerows([neutral(cell) for cell in astuple(row)] for row in found)
    return {file: len(found) for file, found in sorted(by_file.items())}


def read_export(folder: Path) -> list[RejectedRow]:
    """The rows that `export` wrote.

    Args:
        folder: the folder it was given.

    Raises:
        click.ClickException: a file in it is not what `export` writes.
    """
    rows = []
    for file in sorted(folder.glob("*/*.csv")):
        with file.open(encoding="utf-8", newline="") as stream:
            reader = csv.reader(stream)
            if tuple(next(reader, ())) != COLUMNS:
                raise click.ClickException(f"{file} is no file of `nps quarantine export`")
            for cells in reader:
                table, source, number, key, column, value, reason = map(plain, cells)
                rows.append(
                    RejectedRow(str(table), str(source), int(str(number)), key, column, value,
                                str(reason))
                )  # fmt: skip
    return rows


def fates(before: Iterable[RejectedRow], warehouse: Path) -> dict[RejectedRow, str]:
    """What became of rows that were rejected, in a warehouse built from a later delivery.

    A row is found again by its record key: a corrected file rarely keeps its row numbers. A row
    without one, or whose key is withheld, is looked for where it stood.

    Args:
        before: the rows.
        warehouse: the later warehouse.
    """
    with reading(warehouse) as connection:
        now = _rejected(connection, warehouse)
        by_key = {(row.table_name, row.record_key) for row in now}
        by_place = {(row.table_name, row.source_file, row.source_row) for row in now}
        found = {}
        tables: dict[str, _Delivered] = {}
        for row in before:
            if row.table_name not in tables:
                tables[row.table_name] = _delivered(connection, row.table_name)
            delivered = tables[row.table_name]
            if row.record_key in (None, WITHHELD):
                place = (row.source_file, row.source_row)
                if (row.table_name, *place) in by_place:
                    found[row] = STILL_REJECTED
                else:
                    found[row] = delivered.by_place.get(place, VANISHED)
            elif row.record_key in delivered.by_key:
                # Of a key's rows one is accepted at most; where one is, the key came back.
                found[row] = delivered.by_key[row.record_key]
            elif (row.table_name, row.record_key) in by_key:
                found[row] = STILL_REJECTED
            else:
                found[row] = VANISHED
    return found


@dataclass(frozen=True)
class _Delivered:
    """The fate of the rows of a table that no rule rejects, by key and by place."""

    by_key: Mapping[str | None, str]
    by_place: Mapping[tuple[str, int], str]


def _delivered(connection: duckdb.DuckDBPyConnection, table: str) -> _Delivered:
    superseded = {
        (str(file), int(row))
        for file, row in connection.execute(
            "select source_file, source_row from quality.superseded_rows where table_name = ?",
            [table],
        ).fetchall()
    }
    excluded = {
        str(key)
        for (key,) in connection.execute(
            "select record_key from quality.excluded_rows where table_name = ?", [table]
        ).fetchall()
    }
    set_rejected = {
        (row.source_file, row.source_row)
        for row in _rejected(connection, Path())
        if row.table_name == table
    }
    by_key: dict[str | None, str] = {}
    by_place = {}
    rows = connection.execute(
        f"select record_key, _source_file, _source_row from staging.parsed_{table} "
        "where failed_rule is null"
    ).fetchall()
    for key, file, number in rows:
        place = (str(file), int(number))
        if place in set_rejected:
            continue
        if key in excluded:
            fate = EXCLUDED
        elif place in superseded:
            fate = SUPERSEDED
        else:
            fate = ACCEPTED
        by_place[place] = fate
        if by_key.get(key) in (None, SUPERSEDED):
            by_key[key] = fate
    return _Delivered(by_key, by_place)


def counts(rows: Iterable[RejectedRow]) -> Counter[tuple[str, str]]:
    """How many rows each table and reason has."""
    return Counter((row.table_name, row.kind) for row in rows)
