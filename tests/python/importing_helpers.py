"""Small exports, imported in this process, and what the raw folder then holds."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from nps_warehouse.importing.mapping import load_mapping
from nps_warehouse.importing.run import Imported, import_exports

Row = dict[str, str]


def written(path: Path, content: str | bytes) -> Path:
    """A file with this content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def imported(
    raw_dir: Path,
    mapping: str | Path,
    *exports: Path,
    timezone: str | None = None,
    dry_run: bool = False,
    exported_at: str | None = None,
) -> list[Imported]:
    """Import exports into a raw folder."""
    return import_exports(
        load_mapping(str(mapping), timezone),
        exports,
        raw_dir,
        dry_run=dry_run,
        exported_at=exported_at,
    )


def rows_of(raw_dir: Path, table: str = "survey_responses") -> list[Row]:
    """The rows of a raw table, of all its files in byte order of their names."""
    rows: list[Row] = []
    for path in sorted((raw_dir / table).iterdir()):
        with path.open(encoding="utf-8", newline="") as stream:
            rows += csv.DictReader(stream)
    return rows


def files_of(raw_dir: Path) -> dict[str, bytes]:
    """Every file of a raw folder by its path, with its content."""
    return {
        path.relative_to(raw_dir).as_posix(): path.read_bytes()
        for path in sorted(raw_dir.rglob("*"))
        if path.is_file()
    }


def as_csv(rows: Iterable[Sequence[str]]) -> str:
    """Rows as CSV."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()


def accepted(rows: Iterable[Row], key: str = "response_id") -> dict[str, Row]:
    """The version of each key that the input contract lets stay.

    The newest updated_at, missing older than any; among equals the later row of the later file.
    """
    newest: dict[str, tuple[dt.datetime, Row]] = {}
    for row in rows:
        text = row.get("updated_at") or "0001-01-01T00:00:00Z"
        moment = dt.datetime.fromisoformat(text)
        if row[key] not in newest or moment >= newest[row[key]][0]:
            newest[row[key]] = (moment, row)
    return {name: row for name, (_, row) in sorted(newest.items())}


def picked(rows: Iterable[Mapping[str, str]], *columns: str) -> list[tuple[str, ...]]:
    """Some columns of rows."""
    return [tuple(row.get(column, "") for column in columns) for row in rows]
