"""Whatever a file holds: each of its rows is accepted as it reads, or rejected with a reason.

Hypothesis writes the files; the landing reads them, the compiled models judge them, and the second
reading of the contract says of every single row what must have become of it.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from compiled import Compiled, Instant
from edge_cases import BLANKS, COMMENTS, INSTANTS, NO_INSTANTS, SCORES, write_edge_cases
from fates import disagreements, models_of, second_fates, second_tables, warehouse_fates
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oracle import ContractError

# An example is a file; they are landed and judged by the batch, as a build of one costs as much.
BATCH, CORE, THOROUGH = 25, 4, 40
RESPONSES = ("survey_responses",)
COLUMNS = ["response_id", "score", "responded_at", "status", "is_test", "updated_at", "comment"]
HEADER = ",".join(COLUMNS).encode()
OTHERS = {
    "contacts.csv": "contact_id,department_id,channel,started_at\n",
    "departments.csv": "department_id,department_name\n",
}


class Judge:
    """Lands folders and judges them both ways."""

    def __init__(self, folder: Path, project: Compiled) -> None:
        self.folder = folder
        self.warehouse = Instant(project)
        self.models = {
            tables: models_of(project, tables) for tables in (RESPONSES, tuple(second_tables()))
        }

    def batch(self, files: Mapping[str, bytes | Rows]) -> None:
        """Judge files of survey_responses together.

        Args:
            files: by name; rows become Parquet.
        """
        raw = self.folder / "raw"
        shutil.rmtree(raw, ignore_errors=True)
        for name, text in OTHERS.items():
            write(raw / name, text.encode())
        for name, data in files.items():
            write(raw / "survey_responses" / name, data)
        for message in self.warehouse.land(raw).errors:
            refused = FILE.findall(message)
            assert len(refused) == 1, message
            self.refused(raw / "survey_responses" / refused[0], message)
        self.agree(raw, RESPONSES)

    def refused(self, file: Path, message: str) -> None:
        """Fail where the second reading can read a file that the landing refuses; take it away."""
        alone = self.folder / "alone"
        shutil.rmtree(alone, ignore_errors=True)
        alone.mkdir()
        shutil.move(file, alone / f"survey_responses{file.suffix}")
        try:
            second_fates(alone, "survey_responses")
        except ContractError:
            return
        pytest.fail(f"refused, but the second reading reads it: {message}")

    def agree(self, raw: Path, tables: tuple[str, ...]) -> None:
        """Fail where a row of these tables is not accounted for, or not as it should be."""
        report = self.warehouse.land(raw)
        if not any((raw / "survey_responses").glob("*")) and tables == RESPONSES:
            return
        assert report.errors == []
        self.warehouse.build(self.models[tables])
        found = {}
        for table in tables:
            ours, theirs = warehouse_fates(self.warehouse, table), second_fates(raw, table)
            found[table] = disagreements(ours, theirs)
        wrong = {line for lines in found.values() for line in lines}
        assert not wrong, [*wrong, *contents(raw, wrong)]


FILE = re.compile(r"survey_responses/(\w+[.]\w+)")
Rows = Sequence[Sequence[str]]


def contents(raw: Path, lines: Iterable[str]) -> list[str]:
    """The files that lines of disagreement name, as they were delivered."""
    names = sorted({name for line in lines for name in FILE.findall(line)})
    return [f"{name}: {(raw / 'survey_responses' / name).read_bytes()!r}" for name in names]


def write(path: Path, data: bytes | Rows) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(data, bytes):
        path.write_bytes(data)
    else:
        columns = [pa.array(column, pa.string()) for column in zip(*data, strict=True)]
        table = pa.table(
            dict(zip(COLUMNS, columns or [pa.array([], pa.string())] * 7, strict=True))
        )
        pq.write_table(table, path)


@pytest.fixture(scope="module")
def judge(project: Compiled, tmp_path_factory: pytest.TempPathFactory) -> Judge:
    return Judge(tmp_path_factory.mktemp("deliveries"), project)


sizes = pytest.mark.parametrize(
    "batches", [CORE, pytest.param(THOROUGH, marks=pytest.mark.thorough)]
)


def for_all(judge: Judge, batches: int, files: st.SearchStrategy[bytes | Rows]) -> None:
    """Judge so many batches of files."""

    @settings(
        max_examples=batches,
        deadline=None,
        # A batch says itself which of its files are wrong; making it smaller takes minutes.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(files, min_size=BATCH, max_size=BATCH))
    def every(drawn: list[bytes | Rows]) -> None:
        judge.batch(
            {
                f"{number:02}.{'csv' if isinstance(data, bytes) else 'parquet'}": data
                for number, data in enumerate(drawn)
            }
        )

    every()


# --- any bytes --------------------------------------------------------------------------------

FIELDS = st.sampled_from(
    [text.encode() for text in [*SCORES, *INSTANTS, *NO_INSTANTS[:6], *BLANKS, "R1", "R2", "true"]]
) | st.binary(max_size=4)
GOOD_LINE = st.builds(
    "{},{},2025-01-0{},,,,{}".format,
    st.sampled_from(["R1", "R2", "R3", "", " R1"]),
    st.sampled_from(SCORES).map(lambda text: text.replace("\n", "")),
    st.integers(1, 9),
    st.sampled_from(["", "fine", '"a,b"', '"a\nb"']),
).map(str.encode)
PIECES = [
    b",", b",", b'"', b'""', b"\n", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xe2\x82", b"\\", b"#",
    b"\xef\xbb\xbf", b"9", b"R1", b"2025-01-01", "é😀".encode(), b"\xed\xa0\x80", b"\x1a", b"\t",
    b"\xc2\x85", b"\xe2\x80\xa8", b"\x0b\x0c\x1c",
]  # fmt: skip
LINE = st.one_of(
    GOOD_LINE,
    st.lists(FIELDS, min_size=len(COLUMNS), max_size=len(COLUMNS)).map(b",".join),
    st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join),
    st.binary(max_size=12),
)
BODY = st.tuples(st.lists(LINE, max_size=8), st.sampled_from([b"\n", b"\r\n"])).map(
    lambda drawn: drawn[1].join(drawn[0])
)


LINE_END = st.sampled_from([b"\n", b"\r\n"])
START = st.sampled_from(
    [HEADER, b"\xef\xbb\xbf" + HEADER, HEADER.upper(), b"\n" + HEADER, HEADER[1:], b"",
     HEADER.replace(b",", b" , "), HEADER + b",", HEADER + b",score", b'"' + HEADER,
     HEADER.replace(b"score", "\u200bscore\u2060".encode())]
)  # fmt: skip


@sizes
def test_any_bytes_after_a_header_reconcile(judge: Judge, batches: int) -> None:
    for_all(judge, batches, st.builds(lambda end, body: HEADER + end + body, LINE_END, BODY))


@sizes
def test_any_bytes_at_all_reconcile_or_are_refused(judge: Judge, batches: int) -> None:
    ends = LINE_END | st.sampled_from([b"\r", b""])
    for_all(judge, batches, st.tuples(START, ends, BODY).map(b"".join))


# --- any text in a score ----------------------------------------------------------------------


def as_csv(rows: Sequence[Sequence[str]], line_end: str = "\n") -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([COLUMNS, *rows])
    return text.getvalue().encode()


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10)
NEAR_SCORE = st.text(
    st.sampled_from("0123456789" * 2 + ".,+-–—eExX_ \t\n\u00a0\u200bN٩９²/"), max_size=7
)
LABELLED = st.builds(
    "{}{}{}{}".format,
    st.integers(-2, 12),
    st.sampled_from(["", ".0", ".5", " ", "\u00a0"]),
    st.sampled_from(["", "-", " - ", "–", " — ", "/", "−"]),
    st.sampled_from(["", "Likely", "10", "<x>", "\n", "\r\n", "a\nb", "é"]) | ANY_TEXT,
)


@sizes
def test_any_text_in_a_score_is_that_score_or_rejected(judge: Judge, batches: int) -> None:
    keys = st.integers(0, 10**6).map("R{}".format)
    rows = st.tuples(
        keys, ANY_TEXT | NEAR_SCORE | LABELLED, st.just("2025-01-01"), *[st.just("")] * 4
    )
    for_all(judge, batches, st.lists(rows, min_size=1, max_size=8).map(as_csv))


# --- any columns ------------------------------------------------------------------------------

CELLS = {
    "response_id": st.sampled_from(["R1", "R2", " R1 ", "R\u200b1", "", "R3", "r1", "R1\u200b"]),
    "score": st.sampled_from(SCORES),
    "responded_at": st.sampled_from([*INSTANTS, *NO_INSTANTS]),
    "status": st.sampled_from(["", "complete", "Dismissed", " partial", "done", "DISMISSED\u00a0"]),
    "is_test": st.sampled_from(["", "true", "No", "1", "maybe", "\u200b"]),
    "updated_at": st.sampled_from(["", "2025-01-05", "2025-01-06 10:00", *INSTANTS, *NO_INSTANTS]),
    "comment": st.sampled_from(COMMENTS) | ANY_TEXT,
}


@sizes
def test_rows_of_many_files_and_formats_reconcile(judge: Judge, batches: int) -> None:
    rows = st.lists(st.tuples(*CELLS.values()), max_size=6)
    as_it_is: st.SearchStrategy[bytes | Rows] = rows
    for_all(judge, batches, st.builds(as_csv, rows, st.sampled_from(["\n", "\r\n"])) | as_it_is)


# --- all tables -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "seed", [pytest.param(n, marks=[] if n < 2 else pytest.mark.thorough) for n in range(100)]
)
def test_all_tables_of_edge_cases_reconcile(judge: Judge, tmp_path: Path, seed: int) -> None:
    write_edge_cases(tmp_path, seed=seed, rows=60)
    judge.agree(tmp_path, tuple(second_tables()))
