"""Open cases as CSV or JSON lines: all of them, or what has changed since a cursor.

A cursor is a file with a digest of every case that was handed out. What changed is told from the
cases themselves, not from times in them: a row that is delivered late changes a case that is old.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import click
import duckdb

from nps_warehouse.durable import replacing
from nps_warehouse.quarantine.rows import neutral
from nps_warehouse.warehouse import reading

OPENED, CHANGED, CLOSED, WITHDRAWN = "opened", "changed", "closed", "withdrawn"
CHANGES = (OPENED, CHANGED, CLOSED, WITHDRAWN)
FORMATS = ("csv", "jsonl")

# What moves with every build, whatever becomes of the case.
VOLATILE = ("queue_rank", "business_hours_open")
CURSOR_VERSION = 1
BATCH = 10_000

Row = dict[str, Any]


@dataclass(frozen=True)
class Cursor:
    """The cases that a reader has: a digest of each by its case_id."""

    digests: Mapping[str, str]


def read_cursor(file: Path) -> Cursor:
    """The cursor in a file; one of nothing where there is no file yet.

    Args:
        file: where the last export left it.

    Raises:
        click.ClickException: the file is no cursor.
    """
    if not file.exists():
        return Cursor({})
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        version, digests = content["version"], content["cases"]
    except (OSError, ValueError, KeyError, TypeError):
        raise click.ClickException(f"{file} is no cursor of `nps cases export`") from None
    if version != CURSOR_VERSION or not isinstance(digests, dict):
        raise click.ClickException(
            f"{file} is a cursor of another version; remove it to get all open cases again"
        )
    return Cursor(digests)


def _digest(row: Row) -> str:
    stable = {name: value for name, value in row.items() if name not in VOLATILE}
    return hashlib.sha256(json.dumps(stable).encode()).hexdigest()[:32]


def _shown(value: object) -> object:
    """A value as both formats show it: times are UTC and say so."""
    return f"{value.isoformat()}Z" if isinstance(value, datetime) else value


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[Row]:
    result = connection.execute(query)
    names = [column[0] for column in result.description or []]
    while batch := result.fetchmany(BATCH):
        for row in batch:
            yield dict(zip(names, map(_shown, row), strict=True))


def _cell(value: object) -> str:
    """A cell of CSV; true and false as JSON writes them."""
    return str(value).lower() if isinstance(value, bool) else neutral(value)


def _writer(stream: TextIO, form: str, columns: list[str]) -> Callable[[Row], object]:
    if form == "jsonl":
        return lambda row: stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    lines = csv.writer(stream)
    lines.writerow(columns)
    return lambda row: lines.writerow([_cell(row[column]) for column in columns])


def export(warehouse: Path, into: Path, form: str, cursor_file: Path | None) -> Counter[str]:
    """Write open cases, and move the cursor on.

    The file is in place before the cursor moves: what is interrupted in between is handed out
    again, never lost.

    Args:
        warehouse: the DuckDB file; it is only read.
        into: the file to write; whatever was there is replaced.
        form: one of FORMATS.
        cursor_file: where the cursor is and goes; None: all open cases, and no cursor.

    Returns:
        How many cases of each of CHANGES were written.

    Raises:
        click.ClickException: the warehouse or the cursor can't be read.
    """
    known = dict(read_cursor(cursor_file).digests) if cursor_file else {}
    now: dict[str, str] = {}
    written: Counter[str] = Counter()
    with reading(warehouse) as connection:
        try:
            queue = connection.execute("describe marts.open_case_queue").fetchall()
            connection.execute("select case_id from marts.detractor_cases limit 0")
        except duckdb.CatalogException:
            raise click.ClickException(
                f"{warehouse} has no table marts.open_case_queue: run a build first"
            ) from None
        columns = ["change", *(str(column[0]) for column in queue)]
        into.parent.mkdir(parents=True, exist_ok=True)
        with replacing(into) as stream:
            write = _writer(stream, form, columns)
            for row in _rows(connection, "select * from marts.open_case_queue order by queue_rank"):
                key = row["case_id"]
                now[key] = _digest(row)
                change = CHANGED if key in known else OPENED
                if now[key] != known.pop(key, None):
                    write({"change": change, **row})
                    written[change] += 1
            # What the reader has and the queue has not: closed, or no case any more, because the
            # answer was corrected, left out or forgotten.
            nothing = dict.fromkeys(columns)
            cases = {
                row["case_id"]
                for row in _rows(connection, "select case_id from marts.detractor_cases")
                if row["case_id"] in known
            }
            for key in sorted(known):
                change = CLOSED if key in cases else WITHDRAWN
                write({**nothing, "change": change, "case_id": key})
                written[change] += 1
    if cursor_file is not None:
        cursor_file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(cursor_file) as stream:
            json.dump({"version": CURSOR_VERSION, "cases": now}, stream)
    return written
