"""The command `nps cases export`: what a CRM gets, and what it gets next time."""

from __future__ import annotations

import csv
import json
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result
from nps_warehouse.cases import export as exporting
from nps_warehouse.cli import main

COLUMNS = {
    "case_id": "varchar",
    "queue_rank": "bigint",
    "priority": "varchar",
    "due_at": "timestamp",
    "is_overdue": "boolean",
    "business_hours_open": "double",
    "contact_reason": "varchar",
    "score": "integer",
}
CASE: dict[str, object] = {
    "priority": "normal",
    "due_at": "2025-06-02 17:00:00",
    "is_overdue": False,
    "business_hours_open": 1.5,
    "contact_reason": "bill",
    "score": 3,
}


def warehouse(
    file: Path, queue: Sequence[Mapping[str, object]], closed: Sequence[str] = ()
) -> Path:
    """A warehouse of the two relations that the export reads.

    Args:
        file: the DuckDB file; replaced.
        queue: open cases in their order.
        closed: keys of further cases.
    """
    file.unlink(missing_ok=True)
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema marts")
        typed = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        connection.execute(f"create table marts.open_case_queue ({typed})")
        connection.execute("create table marts.detractor_cases (case_id varchar)")
        for rank, case in enumerate(queue, start=1):
            row = {**CASE, "queue_rank": rank, **case}
            connection.execute(
                f"insert into marts.open_case_queue values ({', '.join('?' * len(COLUMNS))})",
                [row[name] for name in COLUMNS],
            )
        for key in [*(case["case_id"] for case in queue), *closed]:
            connection.execute("insert into marts.detractor_cases values (?)", [key])
    return file


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["cases", "export", *map(str, arguments)])


def exported(folder: Path, *arguments: object) -> list[dict[str, Any]]:
    """Rows of an export of folder/w.duckdb as JSON lines."""
    into = folder / "cases.jsonl"
    given = ("--warehouse", folder / "w.duckdb", "--format", "jsonl", "--into", into)
    result = run(*given, *arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in into.read_text(encoding="utf-8").splitlines()]


def changes(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(row["case_id"], row["change"]) for row in rows]


def test_both_formats_hold_the_queue(tmp_path: Path) -> None:
    file = warehouse(
        tmp_path / "w.duckdb",
        [
            {"case_id": "case-2", "contact_reason": '=HYPERLINK("x"), ü\n', "is_overdue": True},
            {"case_id": "case-1", "due_at": None, "contact_reason": "@SUM(1)"},
        ],
        closed=["case-3"],
    )
    first, second = exported(tmp_path)
    assert first == {
        "change": "opened",
        "case_id": "case-2",
        "queue_rank": 1,
        "priority": "normal",
        "due_at": "2025-06-02T17:00:00Z",
        "is_overdue": True,
        "business_hours_open": 1.5,
        "contact_reason": '=HYPERLINK("x"), ü\n',
        "score": 3,
    }
    assert (second["case_id"], second["due_at"]) == ("case-1", None)
    into = tmp_path / "deep" / "cases.csv"
    result = run("--warehouse", file, "--into", into)
    assert (result.exit_code, result.output) == (0, f"{into}: 2 opened\n")
    with into.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["change", *COLUMNS]
    # What a spreadsheet would run is text to it.
    assert [row["contact_reason"] for row in rows] == ['\'=HYPERLINK("x"), ü\n', "'@SUM(1)"]
    assert [row["is_overdue"] for row in rows] == ["true", "false"]
    assert [row["due_at"] for row in rows] == ["2025-06-02T17:00:00Z", ""]


def test_since_a_cursor_only_what_has_changed(tmp_path: Path) -> None:
    cursor = tmp_path / "state" / "crm.cursor"
    keys: list[dict[str, object]] = [{"case_id": f"case-{n}"} for n in range(1, 5)]
    warehouse(tmp_path / "w.duckdb", keys)
    assert changes(exported(tmp_path, "--since", cursor)) == [
        (str(row["case_id"]), "opened") for row in keys
    ]
    assert exported(tmp_path, "--since", cursor) == []
    # Places and ages move with every build; that is no change of a case.
    older = [{**row, "business_hours_open": 9.0} for row in reversed(keys)]
    warehouse(tmp_path / "w.duckdb", older)
    assert exported(tmp_path, "--since", cursor) == []
    now: list[dict[str, object]] = [
        {"case_id": "case-5"},
        {"case_id": "case-4"},
        {"case_id": "case-1", "is_overdue": True},
    ]
    warehouse(tmp_path / "w.duckdb", now, closed=["case-2"])
    rows = exported(tmp_path, "--since", cursor)
    assert changes(rows) == [
        ("case-5", "opened"),
        ("case-1", "changed"),
        ("case-2", "closed"),
        ("case-3", "withdrawn"),
    ]
    assert {value for key, value in rows[2].items() if key not in ("case_id", "change")} == {None}
    # Opened again after it was closed.
    warehouse(tmp_path / "w.duckdb", [*now, {"case_id": "case-2"}])
    assert changes(exported(tmp_path, "--since", cursor)) == [("case-2", "opened")]
    # Without the cursor: all that is open.
    assert len(exported(tmp_path)) == 4


def test_files_are_of_the_owner_and_the_group_alone(tmp_path: Path) -> None:
    warehouse(tmp_path / "w.duckdb", [{"case_id": "case-1"}])
    cursor = tmp_path / "crm.cursor"
    before = os.umask(0)
    try:
        exported(tmp_path, "--since", cursor)
    finally:
        os.umask(before)
    for file in (tmp_path / "cases.jsonl", cursor):
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "cases.jsonl",
        "crm.cursor",
        "w.duckdb",
    ]


def test_what_is_interrupted_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = warehouse(tmp_path / "w.duckdb", [{"case_id": "case-1"}, {"case_id": "case-2"}])
    cursor, into = tmp_path / "crm.cursor", tmp_path / "cases.jsonl"
    into.write_text("an earlier export")

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(exporting, "_digest", full)
        with pytest.raises(OSError, match="No space left"):
            exporting.export(file, into, "jsonl", cursor)
    assert into.read_text() == "an earlier export"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cases.jsonl", "w.duckdb"]
    # The export is there and the cursor could not be moved: the same is handed out again.
    with monkeypatch.context() as patched:
        patched.setattr(json, "dump", full)
        with pytest.raises(OSError, match="No space left"):
            exporting.export(file, into, "jsonl", cursor)
    assert not cursor.exists()
    assert len(exported(tmp_path, "--since", cursor)) == 2


def test_the_warehouse_is_only_read(tmp_path: Path) -> None:
    file = warehouse(tmp_path / "w.duckdb", [{"case_id": "case-1"}])
    file.chmod(0o440)
    before = file.read_bytes()
    assert len(exported(tmp_path)) == 1
    assert file.read_bytes() == before


def test_refusals_say_what_to_do(tmp_path: Path) -> None:
    file, into = tmp_path / "w.duckdb", tmp_path / "cases.csv"
    with duckdb.connect(str(file)):
        pass
    result = run("--warehouse", file, "--into", into)
    assert result.exit_code == 1
    assert "no table marts.open_case_queue: run a build first" in result.output
    warehouse(file, [{"case_id": "case-1"}])
    for text in ("not json", "[]", '{"version": 1, "cases": []}', '{"version": 2, "cases": {}}'):
        cursor = tmp_path / "crm.cursor"
        cursor.write_text(text)
        result = run("--warehouse", file, "--into", into, "--since", cursor)
        assert result.exit_code == 1
        assert "cursor" in result.output
        assert cursor.read_text() == text
    result = run("--warehouse", file, "--into", into, "--since", into)
    assert result.exit_code == 2
    assert not into.exists()
