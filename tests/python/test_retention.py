"""Retention: what is too old is left out, counted, and taken out of raw rows and copies."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from conftest import Build, built, run_dbt
from nps_warehouse.cli import main
from nps_warehouse.privacy import suppression
from test_forget import texts_of
from test_quarantine import QUALITY_ONLY

# Ages count from the end of February: twelve months before it is the 28th of the year before.
AS_OF = "2025-02-28T12:00:00"
MONTHS = {
    "survey_responses": 12, "contacts": 24, "contact_legs": 1, "customer_revenue": 2,
    "survey_invitations": 3, "follow_ups": 4, "evaluations": 5,
}  # fmt: skip
# The first row of a table is the oldest that is kept, the second a microsecond (or a day) older;
# the third is too old and breaks a rule: its content is in no quality table either.
FILES = {
    "survey_responses": "response_id,score,responded_at,comment\n"
    "R1,9,2024-02-28T12:00:00,kept words\n"
    "R2,9,2024-02-28T11:59:59.999999,old words one\n"
    "R3,old words two,2023-01-01,old words three\n",
    "contacts": "contact_id,department_id,channel,started_at,ended_at\n"
    "C1,D1,phone,2023-02-28T12:00:00,\nC2,D1,phone,2023-02-28T11:59:59,old words four\n"
    "C3,D1,phone,2022-01-02,2022-01-01\n",
    "contact_legs": "contact_id,leg_number,started_at\n"
    "C1,1,2025-01-28T12:00:00\nC1,2,2025-01-28T11:59:59\nC1,0,2020-01-01\n",
    "customer_revenue": "customer_id,month,revenue\n"
    "K1,2025-01-01,5\nK1,2024-12-01,5\nK1,2024-11-02,5\n",
    "survey_invitations": "invitation_id,sent_at,status\n"
    "I1,2024-11-28T12:00:00,sent\nI2,2024-11-28T11:59:59,sent\nI3,2020-01-01,lost\n",
    "follow_ups": "follow_up_id,opened_at\n"
    "F1,2024-10-28T12:00:00\nF2,2024-10-28T11:59:59\n,2020-01-01\n",
    "evaluations": "contact_id,criterion,evaluated_at\n"
    "C1,empathy,2024-09-28T12:00:00\nC1,listening,2024-09-28T11:59:59\n,empathy,2020-01-01\n",
    "departments": "department_id,department_name\nD1,North\n",
    # A customer is no event and has no age; K2 is forgotten.
    "customers": "customer_id,updated_at\nK1,2001-01-01\nK2,2001-01-01\n",
}


def write_raw(folder: Path) -> Path:
    folder.mkdir()
    for table, text in FILES.items():
        (folder / f"{table}.csv").write_text(text)
    return folder


@pytest.fixture(scope="module")
def retained(tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder = tmp_path_factory.mktemp("retention")
    environment = {"NPS_STATE_DIR": str(folder / "state"), "NPS_PRIVACY_SALT": "of the tests"}
    suppression.add(["K2"], environment)
    return built(
        folder,
        raw_dir=write_raw(folder / "raw"),
        arguments=QUALITY_ONLY,
        variables={"as_of": AS_OF, "nps_retention_months": MONTHS},
        environment=environment,
    )


def test_rows_on_one_side_of_the_day_are_excluded(retained: Build) -> None:
    expected = [
        (table, f"{table}.csv:{row}", "retention") for table in sorted(MONTHS) for row in (2, 3)
    ]
    assert (
        retained.rows(
            "select * from quality.excluded_rows where reason = 'retention' order by 1, 2"
        )
        == expected
    )


def test_forgotten_rows_are_excluded_beside_them(retained: Build) -> None:
    assert retained.rows("select * from quality.excluded_rows where reason <> 'retention'") == [
        ("customers", "customers.csv:2", "forgotten")
    ]


def test_every_row_is_counted(retained: Build) -> None:
    found = retained.rows(
        "select table_name, rows_read, accepted, rejected, superseded, excluded, reconciles "
        "from quality.reconciliation where rows_read > 0 order by 1"
    )
    expected = {table: (table, 3, 1, 0, 0, 2, True) for table in MONTHS}
    expected["customers"] = ("customers", 2, 1, 0, 0, 1, True)
    expected["departments"] = ("departments", 1, 1, 0, 0, 0, True)
    assert found == [expected[table] for table in sorted(expected)]


def test_their_content_is_in_no_quality_table(retained: Build) -> None:
    with duckdb.connect(str(retained.warehouse), read_only=True) as connection:
        texts = texts_of(connection, "and table_schema = 'quality'")
    cells = " ".join(cell for place in texts.values() for cell in place)
    assert "old words" not in cells
    assert "customers.csv:2" in cells


# The command: whole builds.


@pytest.mark.thorough
def test_retain_empties_raw_rows_and_copies(tmp_path: Path) -> None:
    variables: Mapping[str, object] = {"as_of": AS_OF}
    build = built(tmp_path, raw_dir=write_raw(tmp_path / "raw"), variables=variables)
    copies = tmp_path / "copies"
    copies.mkdir()
    shutil.copy(build.warehouse, copies / "published.duckdb")
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        connection.execute(f"copy marts.fct_survey_responses to '{copies / 'answers.parquet'}'")
        connection.execute(f"copy marts.fct_contacts to '{copies / 'contacts.csv'}'")
    environment = {
        "NPS_WAREHOUSE": str(build.warehouse), "NPS_RAW_DIR": str(tmp_path / "raw"),
        "NPS_SEEDS_DIR": "", "NPS_STATE_DIR": str(tmp_path / "state"),
        "DBT_TARGET_PATH": str(tmp_path / "target"), "DBT_LOG_PATH": str(tmp_path / "logs"),
        "NPS_COPIES": str(copies), "NPS_PUBLISHED_DIR": str(tmp_path / "published"),
    }  # fmt: skip
    months = ", ".join(f"{table}: {count}" for table, count in MONTHS.items())
    given = f"{{as_of: '{AS_OF}', nps_retention_months: {{{months}}}}}"
    result = CliRunner(env=environment).invoke(main, ["retain", "--vars", given])
    assert result.exit_code == 0, result.output
    assert "survey_responses: 2 rows too old" in result.output
    assert f"{tmp_path / 'raw' / 'contacts.csv'}: rows 2, 3" in result.output
    assert "answers.parquet: 1 rows taken out" in result.output
    for file in (build.warehouse, copies / "published.duckdb"):
        with duckdb.connect(str(file), read_only=True) as connection:
            cells = [cell for place in texts_of(connection).values() for cell in place]
        assert "kept words" in cells
        assert not [cell for cell in cells if "old words" in cell], file
        assert b"old words" not in file.read_bytes()
    answers = duckdb.execute(f"select response_id from '{copies / 'answers.parquet'}'").fetchall()
    assert answers == [("R1",)]
    # Emptied rows stay excluded, and stay counted, without the var.
    again = run_dbt(tmp_path, raw_dir=tmp_path / "raw", variables=variables)
    assert again.rows(
        "select excluded, reconciles from quality.reconciliation where table_name = 'contacts'"
    ) == [(2, True)]


@pytest.mark.thorough
def test_retention_without_a_day_is_refused(tmp_path: Path) -> None:
    build = run_dbt(
        tmp_path,
        raw_dir=write_raw(tmp_path / "raw"),
        variables={"nps_retention_months": {"contacts": 3}},
    )
    assert build.returncode != 0
    assert "nps_retention_months is given and as_of is not" in build.output
