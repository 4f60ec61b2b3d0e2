"""Which delivered files hold which raw table."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nps_warehouse.landing.contract import Table
from nps_warehouse.landing.report import Report, name_list

CSV = "csv"
PARQUET = "parquet"
FORMATS = (CSV, PARQUET)


@dataclass(frozen=True)
class SourceFile:
    """One delivered file.

    `path` is absolute; `relative` is the path below the raw folder, with slashes; `size` is in
    bytes.
    """

    table: str
    path: Path
    relative: str
    format: str
    size: int


def discover(
    raw_dir: Path, tables: tuple[Table, ...], report: Report
) -> dict[str, list[SourceFile]]:
    """Find the files of every table, in byte order of their relative paths.

    Args:
        raw_dir: absolute path of the delivered folder.
        tables: the contract.
        report: receives what stops the build and what is ignored.

    Returns:
        The files by table name; an absent optional table has an empty list.
    """
    if not raw_dir.is_dir():
        what = "is a file, not a folder" if raw_dir.exists() else "does not exist"
        report.error(
            f"raw folder {raw_dir} {what}. NPS_RAW_DIR must name the folder that holds the files "
            f"of the raw tables ({', '.join(table.name for table in tables)})."
        )
        return {}
    try:
        entries = sorted(_visible(raw_dir), key=os.fsencode)
    except OSError as problem:
        report.error(f"raw folder {raw_dir} cannot be listed: {problem.strerror}.")
        return {}

    found = {table.name: _files_of(raw_dir, table, entries, report) for table in tables}
    used = {place for table in tables for place in _places(raw_dir, table)}
    ignored = [_printable(name) for name in entries if name not in used]
    if ignored:
        report.warn(
            f"ignored in {raw_dir}, because no raw table of that name or form exists: "
            f"{name_list(ignored)}. Expected are <table>.csv, <table>.parquet or a folder <table>."
        )
    return found


def _visible(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if not path.name.startswith((".", "_"))]


def _places(raw_dir: Path, table: Table) -> list[str]:
    """The names below `raw_dir` that hold `table`; more than one is a mistake."""
    places = []
    for suffix in FORMATS:
        name = f"{table.name}.{suffix}"
        if os.path.lexists(raw_dir / name) and not (raw_dir / name).is_dir():
            places.append(name)
    if (raw_dir / table.name).is_dir():
        places.append(table.name)
    return places


def _files_of(raw_dir: Path, table: Table, entries: list[str], report: Report) -> list[SourceFile]:
    places = _places(raw_dir, table)
    if len(places) > 1:
        report.error(
            f"table {table.name}: {' and '.join(places)} are both in {raw_dir}. "
            "A table has one file or one folder of files: remove or rename the other."
        )
        return []
    if not places:
        if table.required:
            report.error(
                f"table {table.name} is required and missing: {raw_dir} has neither "
                f"{table.name}.csv nor {table.name}.parquet nor a folder {table.name}. "
                f"Found there: {name_list(_printable(name) for name in entries)}."
            )
        return []

    files: list[SourceFile] = []
    others: list[str] = []
    errors_before = len(report.errors)
    place = raw_dir / places[0]
    if not place.is_dir():
        _add(raw_dir, table, place, files, others, report)
        return files
    try:
        for path in _walk(place, ()):
            _add(raw_dir, table, path, files, others, report)
    except OSError as problem:
        report.error(
            f"table {table.name}: {problem.filename} cannot be listed: {problem.strerror}."
        )
    others.sort(key=os.fsencode)
    if others:
        report.warn(
            f"table {table.name}: ignored because the name ends neither in .csv nor in .parquet: "
            f"{name_list(others)}."
        )
    if not files and len(report.errors) == errors_before:
        message = (
            f"table {table.name}: folder {place} holds no .csv and no .parquet file. "
            f"Found there: {name_list(others)}."
        )
        if table.required:
            report.error(f"{message} The table is required.")
        else:
            report.warn(f"{message} The table is taken as absent.")
    return sorted(files, key=lambda file: os.fsencode(file.relative))


def _walk(folder: Path, above: tuple[str, ...]) -> Iterator[Path]:
    """Every file below `folder`; a link back to a folder above is not followed."""
    real = os.path.realpath(folder)
    if real in above:
        return
    for name in _visible(folder):
        path = folder / name
        if path.is_dir():
            yield from _walk(path, (*above, real))
        else:
            yield path


def _add(
    raw_dir: Path,
    table: Table,
    path: Path,
    files: list[SourceFile],
    others: list[str],
    report: Report,
) -> None:
    relative = path.relative_to(raw_dir).as_posix()
    format_ = path.suffix[1:]
    if format_ not in FORMATS:
        others.append(_printable(relative))
    elif _printable(relative) != relative:
        report.error(
            f"table {table.name}: the name of file {_printable(relative)} in {raw_dir} is not "
            "UTF-8. Rename the file."
        )
    elif not path.exists():
        report.error(
            f"table {table.name}: {path} is a link to a file that does not exist. "
            "Deliver the file or remove the link."
        )
    elif not path.is_file():
        others.append(relative)
    else:
        files.append(SourceFile(table.name, path, relative, format_, path.stat().st_size))


def _printable(name: str) -> str:
    """`name` with every byte that is not UTF-8 shown as a hexadecimal escape."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
