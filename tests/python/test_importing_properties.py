"""What holds of any exports: their order does not count, no row is lost, no bytes do harm."""

from __future__ import annotations

import csv
import itertools
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from importing_helpers import accepted, as_csv, files_of, imported, picked, rows_of, written
from nps_warehouse.importing.refusal import ImportRefusedError

HEADER = ["response_id", "score", "responded_at", "comment"]


def rolling(folder: Path, windows: Sequence[tuple[int, int]]) -> tuple[list[Path], dict[str, str]]:
    """Overlapping exports, and what has to stay of them.

    The n-th export holds the answers of the days of its window, each with the score that it had
    when it was exported: later exports correct earlier ones. A later export ends on a later day.
    """
    paths, truth = [], {}
    for number, (first, last) in enumerate(windows):
        rows = []
        for day in range(first, last + 1):
            score = str((day * 7 + number * 3) % 11)
            rows.append([f"r{day}", score, f"2024-01-{day + 1:02}T10:00:00Z", f"as of {number}"])
            truth[f"r{day}"] = f"as of {number}"
        paths.append(written(folder / f"export{number}.csv", as_csv([HEADER, *rows])))
    return paths, truth


def comments(raw_dir: Path) -> dict[str, str]:
    return {key: row["comment"] for key, row in accepted(rows_of(raw_dir)).items()}


# Q63 of figures/export_quirks.csv
def test_every_order_of_overlapping_exports_gives_the_same(tmp_path: Path) -> None:
    paths, truth = rolling(tmp_path, [(0, 9), (5, 14), (8, 19)])
    results = []
    for number, order in enumerate(itertools.permutations(paths)):
        raw = tmp_path / f"raw{number}"
        for path in (*order, order[0]):
            imported(raw, "plain_responses", path)
        results.append(files_of(raw))
        assert comments(raw) == truth
    assert all(result == results[0] for result in results)
    assert len(results[0]) == len(paths)


@settings(max_examples=8)
@given(data=st.data())
def test_any_order_and_repetition(data: st.DataObject) -> None:
    lasts = data.draw(st.lists(st.integers(0, 27), min_size=1, max_size=4, unique=True).map(sorted))
    windows = [(data.draw(st.integers(0, last)), last) for last in lasts]
    order = data.draw(
        st.permutations(range(len(windows))).flatmap(
            lambda every: st.lists(st.sampled_from(every), max_size=2).map(
                lambda again: [*every, *again]
            )
        )
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths, truth = rolling(folder, windows)
        imported(folder / "at once", "plain_responses", *paths)
        for number in order:
            imported(folder / "one by one", "plain_responses", paths[number])
        assert files_of(folder / "at once") == files_of(folder / "one by one")
        assert comments(folder / "at once") == truth


def test_same_export_under_another_name_is_the_same(tmp_path: Path) -> None:
    paths, _ = rolling(tmp_path, [(0, 3)])
    copy = written(tmp_path / "export (1).csv", paths[0].read_bytes())
    imported(tmp_path / "raw", "plain_responses", paths[0], copy)
    assert len(files_of(tmp_path / "raw")) == 1


def test_correction_counts_whatever_the_order_of_files(tmp_path: Path) -> None:
    header = [*HEADER, "updated_at"]
    old = [["r1", "9", "2024-01-01T10:00:00Z", "old", "2024-01-01T10:00:00Z"]]
    # The corrected answer is in an export whose newest answer is older.
    new = [["r1", "2", "2024-01-01T10:00:00Z", "new", "2024-01-05T10:00:00Z"]]
    later = [["r2", "9", "2024-02-01T10:00:00Z", "", "2024-02-01T10:00:00Z"]]
    first = written(tmp_path / "a.csv", as_csv([header, *old, *later]))
    second = written(tmp_path / "b.csv", as_csv([header, *new]))
    for number, order in enumerate(itertools.permutations([first, second])):
        imported(tmp_path / f"raw{number}", "plain_responses", *order)
        assert comments(tmp_path / f"raw{number}")["r1"] == "new"


@pytest.mark.parametrize("reverse", [False, True])
def test_declared_order_of_exports_with_the_same_newest_time(tmp_path: Path, reverse: bool) -> None:
    """An answer was edited, and nothing in the export says when: its name or the call does."""
    row = ["r1", "9", "2024-01-01T10:00:00Z"]
    # Six pairs, so that no lucky order of hashes hides a mistake.
    for number in range(6):
        old = written(
            tmp_path / f"{number}" / "nps_20240201.csv", as_csv([HEADER, [*row, f"old {number}"]])
        )
        new = written(
            tmp_path / f"{number}" / "nps_20240301.csv", as_csv([HEADER, [*row, f"new {number}"]])
        )
        rules = written(
            tmp_path / "mine.yml",
            "extends: plain_responses\norder: {file_name: 'nps_(\\d{8})', format: '%Y%m%d'}\n",
        )
        raw = tmp_path / f"raw{number}"
        for path in (new, old) if reverse else (old, new):
            imported(raw, rules, path)
        assert comments(raw) == {"r1": f"new {number}"}


def test_exports_that_end_at_the_same_time_are_noted(tmp_path: Path) -> None:
    row = ["r1", "9", "2024-01-01T10:00:00Z"]
    first = written(tmp_path / "a.csv", as_csv([HEADER, [*row, "old"]]))
    second = written(tmp_path / "b.csv", as_csv([HEADER, [*row, "new"]]))
    (result,) = imported(tmp_path / "raw", "plain_responses", first)
    assert result.tables[0].notes == []
    (result,) = imported(tmp_path / "raw", "plain_responses", second)
    assert "2 exports end at the same time" in result.tables[0].notes[0]


def test_exports_without_any_time_need_an_order(tmp_path: Path) -> None:
    rules = written(
        tmp_path / "mine.yml",
        "sources: {export: {}}\ntables:\n  departments:\n    columns:\n"
        "      department_id: id\n      department_name: name\n",
    )
    first = written(tmp_path / "a.csv", "id,name\n1,Sales\n")
    second = written(tmp_path / "b.csv", "id,name\n1,Sales and service\n")
    imported(tmp_path / "raw", rules, first)
    imported(tmp_path / "raw", rules, first)
    before = files_of(tmp_path / "raw")
    with pytest.raises(ImportRefusedError, match="--exported-at"):
        imported(tmp_path / "raw", rules, second)
    assert files_of(tmp_path / "raw") == before
    for path, moment in ((second, "20240301T000000000000Z"), (first, "20240201T000000000000Z")):
        imported(tmp_path / "dated", rules, path, exported_at=moment)
    rows = accepted(rows_of(tmp_path / "dated", "departments"), "department_id")
    assert rows["1"]["department_name"] == "Sales and service"


CELLS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=8)


@settings(max_examples=20)
@given(rows=st.lists(st.lists(CELLS, min_size=4, max_size=4), max_size=6))
def test_no_row_and_no_comment_is_lost(rows: list[list[str]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        raw = Path(name) / "raw"
        quoted = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row] for row in rows]
        body = "".join(f"{row[0]},{row[1]},2024-01-01,{row[3]}\n" for row in quoted)
        content = ",".join(HEADER) + "\n" + body
        (result,) = imported(raw, "plain_responses", written(Path(name) / "a.csv", content))
        (made,) = result.tables
        assert (made.rows, made.broken) == (len(rows), [])
        if rows:
            assert picked(rows_of(raw), "score", "comment") == [(row[1], row[3]) for row in rows]


def any_bytes(content: bytes) -> None:
    """Import bytes: refused, or every record of them is accounted for."""
    with tempfile.TemporaryDirectory() as name:
        raw = Path(name) / "raw"
        path = written(Path(name) / "a.csv", content)
        refusal = ""
        try:
            (result,) = imported(raw, "plain_responses", path, timezone="Europe/Berlin")
        except ImportRefusedError as problem:
            refusal = str(problem)
        if refusal:
            assert str(path) in refusal
            assert not raw.exists()
            return
        (made,) = result.tables
        assert result.sources[0].rows == made.rows + sum(made.left_out.values()) + len(made.broken)
        lines = 0
        for file in raw.rglob("*.csv"):
            with file.open(encoding="utf-8", newline="") as stream:
                lines += sum(1 for _ in csv.reader(stream)) - 1
        assert lines == result.sources[0].rows


BYTES = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from([b",", b'"', b"\n", b"\r\n", b"\r", b"\0", b"\xff", b"\xc3", b"\xa9", b"9",
                         b"a", b" ", b"2024-01-01", b"\xef\xbb\xbf", b"\xe2\x80\x8b", b"{", b"'"]),
        max_size=60,
    ).map(b"".join),
)  # fmt: skip


@settings(max_examples=40)
@given(content=BYTES)
def test_any_bytes_after_the_header(content: bytes) -> None:
    any_bytes(",".join(HEADER).encode() + b"\n" + content)


@settings(max_examples=20)
@given(content=BYTES)
def test_any_bytes(content: bytes) -> None:
    any_bytes(content)


@pytest.mark.thorough
@settings(max_examples=1000)
@given(content=BYTES)
def test_very_many_bytes_after_the_header(content: bytes) -> None:
    any_bytes(",".join(HEADER).encode() + b"\n" + content)
