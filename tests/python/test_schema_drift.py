"""A delivery that changes its shape: what the next build makes of it, in the same warehouse.

| what changes | what happens |
| --- | --- |
| a new column | ignored, and listed by the build |
| another order, names in other case or with blanks | nothing |
| an optional column vanishes | its cells are null, the rows stay |
| a required column vanishes or is renamed, another separator | refused; nothing changes |
| another Parquet type with the same values, or CSV in place of Parquet | nothing |
| a Parquet type that loses digits of keys | refused |
| cells that no longer read | the rows, or the cells, are rejected with a reason |
| an optional table vanishes | empty |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from compiled import Compiled, Instant
from fates import models_of
from nps_warehouse.landing.names import clean_name
from oracle.values import trim

Columns = dict[str, list[Any]]

RESPONSES: Columns = {
    "response_id": ["1234567890123456789", "2", "3"],
    "score": ["9", "3", "7"],
    "responded_at": ["2025-01-02 10:00:00", "2025-01-03 00:00:00", "2025-01-04 23:59:59"],
    "csat_score": ["5", "1", ""],
    "customer_id": ["11", "12", ""],
}
CONTACTS = "contact_id,department_id,channel,started_at\nC1,D1,Phone,2025-01-01\n"
DEPARTMENTS = "department_id,department_name\nD1,North\n"
AGENTS = "agent_id\nA1\n"
SHOWN = (
    "select response_id, score, cast(responded_at as varchar), csat_score, customer_id "
    "from staging.stg_survey_responses order by responded_at"
)
BEFORE = [
    ("1234567890123456789", 9, "2025-01-02 10:00:00", 5, "11"),
    ("2", 3, "2025-01-03 00:00:00", 1, "12"),
    ("3", 7, "2025-01-04 23:59:59", None, None),
]


def write_csv(folder: Path, columns: Columns, name: str = "survey_responses.csv") -> None:
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    (folder / name).write_text("".join(",".join(map(str, row)) + "\n" for row in rows))


def write_parquet(folder: Path, types: Mapping[str, pa.DataType]) -> None:
    """The same answers as Parquet, with these types and text elsewhere."""
    (folder / "survey_responses.csv").unlink()
    arrays = {}
    for name, cells in RESPONSES.items():
        given = pa.array([cell or None for cell in cells], pa.string())
        if name in types and pa.types.is_timestamp(types[name]):
            # Text without an offset is cast to a time without a zone alone, which is UTC here.
            given = given.cast(pa.timestamp("us"))
        arrays[name] = given.cast(types[name]) if name in types else given
    pq.write_table(pa.table(arrays), folder / "survey_responses.parquet")


def move_into_folder(folder: Path) -> None:
    (folder / "survey_responses.csv").unlink()
    (folder / "survey_responses").mkdir()
    write_csv(folder, dict(reversed(RESPONSES.items())), "survey_responses/2025.csv")


def with_names(rename: Callable[[str], str]) -> Columns:
    return {rename(name): cells for name, cells in RESPONSES.items()}


def without(*names: str) -> Columns:
    return {name: cells for name, cells in RESPONSES.items() if name not in names}


@dataclass(frozen=True)
class Drift:
    """The next delivery.

    Args:
        write: makes it, in the folder that holds the first.
        after: the answers then; where refused those of before.
        refused: parts of the message that stops the build.
        warned: parts of the only warning.
        rejected: column and reason of rejected rows.
    """

    write: Callable[[Path], object]
    after: Sequence[tuple[object, ...]] = tuple(BEFORE)
    refused: Sequence[str] = ()
    warned: Sequence[str] = ()
    rejected: Sequence[tuple[str, str]] = ()


def null_at(position: int) -> list[tuple[object, ...]]:
    return [(*row[:position], None, *row[position + 1 :]) for row in BEFORE]


DRIFTS: Mapping[str, Drift] = {
    "new column": Drift(
        lambda folder: write_csv(folder, {"Browser": ["x"] * 3, **RESPONSES}),
        warned=["table survey_responses: columns that are ignored", ": browser."],
    ),
    "other order": Drift(
        lambda folder: write_csv(folder, dict(reversed(RESPONSES.items()))),
    ),
    "other case": Drift(lambda folder: write_csv(folder, with_names(str.upper))),
    "blanks around names": Drift(
        lambda folder: write_csv(folder, with_names(" {}\u00a0".format)),
    ),
    "invisible characters around names": Drift(
        lambda folder: write_csv(folder, with_names("\u200b\u2063{}\u2064\ufeff".format)),
    ),
    "optional column vanished": Drift(
        lambda folder: write_csv(folder, without("csat_score")), after=null_at(3)
    ),
    "optional column renamed": Drift(
        lambda folder: write_csv(folder, with_names(lambda n: n.replace("csat_score", "csat"))),
        after=null_at(3),
        warned=["columns that are ignored", ": csat."],
    ),
    "required column vanished": Drift(
        lambda folder: write_csv(folder, without("score")),
        refused=["lacks the required column score", "Found there: response_id, responded_at"],
    ),
    "required column renamed": Drift(
        lambda folder: write_csv(folder, with_names(lambda n: n.replace("score", "rating"))),
        refused=["lacks the required column score", "rating"],
    ),
    "column twice": Drift(
        lambda folder: write_csv(folder, {**RESPONSES, "Score": ["1"] * 3}),
        refused=["two columns named score"],
    ),
    "another separator": Drift(
        lambda folder: (folder / "survey_responses.csv").write_text(
            "response_id;score;responded_at\n1;9;2025-01-02\n"
        ),
        refused=["lacks the required columns", "Found there: response_id;score;responded_at."],
    ),
    "Parquet of text": Drift(lambda folder: write_parquet(folder, {})),
    "Parquet of types": Drift(
        lambda folder: write_parquet(
            folder,
            {
                "response_id": pa.int64(),
                "score": pa.int8(),
                "responded_at": pa.timestamp("us"),
                "csat_score": pa.float64(),
                "customer_id": pa.float64(),
            },
        )
    ),
    "Parquet of other types": Drift(
        lambda folder: write_parquet(
            folder,
            {
                "response_id": pa.decimal128(25, 0),
                "score": pa.float32(),
                "responded_at": pa.timestamp("ms", "UTC"),
                "csat_score": pa.decimal128(5, 2),
                "customer_id": pa.int32(),
            },
        )
    ),
    "Parquet with keys as doubles": Drift(
        lambda folder: write_parquet(folder, {"response_id": pa.float64()}),
        refused=["key column response_id as DOUBLE", "2^53"],
    ),
    "days for instants": Drift(
        lambda folder: write_csv(folder, {**RESPONSES, "responded_at": ["2025-01-02"] * 3}),
        after=[(*row[:2], "2025-01-02 00:00:00", *row[3:]) for row in BEFORE],
    ),
    "another format of dates": Drift(
        lambda folder: write_csv(folder, {**RESPONSES, "responded_at": ["02.01.2025"] * 3}),
        after=[],
        rejected=[("responded_at", "no possible timestamp")] * 3,
    ),
    "words for numbers": Drift(
        lambda folder: write_csv(folder, {**RESPONSES, "csat_score": ["good"] * 3}),
        after=null_at(3),
    ),
    "optional table vanished": Drift(lambda folder: (folder / "agents.csv").unlink()),
    "one file becomes a folder": Drift(move_into_folder),
}


def test_names_are_trimmed_of_what_keys_are() -> None:
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    trimmed = {c for c in characters if clean_name(f"{c}a{c}") == "a"}
    assert trimmed == {c for c in characters if not trim(c)}


@pytest.fixture(scope="module")
def warehouse(project: Compiled) -> Instant:
    return Instant(project)


@pytest.mark.parametrize("name", DRIFTS)
def test_drift(warehouse: Instant, tmp_path: Path, name: str) -> None:
    drift = DRIFTS[name]
    models = models_of(warehouse.project, ["survey_responses", "agents"])
    (tmp_path / "contacts.csv").write_text(CONTACTS)
    (tmp_path / "departments.csv").write_text(DEPARTMENTS)
    (tmp_path / "agents.csv").write_text(AGENTS)
    write_csv(tmp_path, RESPONSES)
    assert warehouse.land(tmp_path).errors == []
    warehouse.build(models)
    assert warehouse.rows(SHOWN) == BEFORE

    drift.write(tmp_path)
    report = warehouse.land(tmp_path)
    messages = report.errors if drift.refused else report.warnings
    wanted = drift.refused or drift.warned
    assert len(messages) == (1 if wanted else 0), messages
    assert not [part for part in wanted if part not in messages[0]], messages
    assert bool(report.errors) == bool(drift.refused)

    # After a refusal too: the landed rows are still those of before.
    warehouse.build(models)
    assert warehouse.rows(SHOWN) == list(drift.after)
    assert warehouse.rows(
        "select rejected_column, rejection_reason from staging.flawed_survey_responses "
        "where rejection_reason is not null"
    ) == list(drift.rejected)
    agents = 0 if name == "optional table vanished" else 1
    assert warehouse.rows("select count(*) from staging.stg_agents") == [(agents,)]
