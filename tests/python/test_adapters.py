"""Schemas that a loader landed in the warehouse, read as raw tables beside the files."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from conftest import Build, run_dbt

pytestmark = pytest.mark.thorough

QUESTION = "How likely are you to recommend us?"


def loaded(path: Path) -> Path:
    """A warehouse file in which a loader has landed Qualtrics and Zendesk."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema qualtrics")
        connection.execute(
            "create table qualtrics.survey_response as select * from (values "
            "('R_1', 'SV_1', timestamp '2024-01-01 10:00:00', 1, 0, 'EN', 'email', "
            "timestamp '2024-01-02 10:00:00'), "
            "('R_2', 'SV_2', timestamp '2024-01-01 11:00:00', 0, 0, 'DE', 'anonymous', null), "
            "('R_3', 'SV_1', timestamp '2024-01-01 12:00:00', 1, 1, 'EN', 'gl', null), "
            "('R_4', 'SV_3', timestamp '2024-01-01 12:00:00', 1, 0, 'EN', 'gl', null)"
            ") t(id, survey_id, recorded_date, finished, status, user_language, "
            "distribution_channel, last_modified_date)"
        )
        connection.execute(
            "create table qualtrics.question_response as select * from (values "
            f"('a', timestamp '2024-01-01', 'R_1', 'QID1', '{QUESTION}', '4', null), "
            f"('b', timestamp '2024-01-02', 'R_1', 'QID1', '{QUESTION}', '9', null), "
            f"('c', timestamp '2024-01-01', 'R_2', 'QID7', '{QUESTION}', null, '11'), "
            f"('d', timestamp '2024-01-01', 'R_3', 'QID1', '{QUESTION}', '2', null), "
            "('e', timestamp '2024-01-01', 'R_4', 'QID1', 'How was it?', '10', null)"
            ") t(_fivetran_id, _fivetran_synced, response_id, question_id, question, value, text)"
        )
        connection.execute(
            "create table qualtrics.distribution_contact as select * from (values "
            "('C_1', 'D_1', 'R_1', timestamptz '2023-12-31 10:00:00+01', null, 'SurveyFinished'), "
            "('C_2', 'D_1', null, timestamptz '2023-12-31 10:00:00+01', null, 'HardBounce')"
            ") t(contact_id, distribution_id, response_id, sent_at, opened_at, status)"
        )
        connection.execute("create schema zendesk")
        connection.execute(
            "create table zendesk.ticket as select * from (values "
            "(1, 20, 'web', timestamp '2024-01-03 10:00:00', timestamp '2024-01-04 10:00:00', "
            "5, 9, 'problem'), "
            "(2, 20, 'email', timestamp '2024-01-03 10:00:00', timestamp '2024-01-04 10:00:00', "
            "null, 9, null)"
            ") t(id, group_id, via_channel, created_at, updated_at, assignee_id, requester_id, "
            "type)"
        )
        connection.execute(
            "create table zendesk.ticket_field_history as select * from (values "
            "(1, 'satisfaction_score', timestamp '2024-01-04 10:00:00', 'offered'), "
            "(1, 'satisfaction_score', timestamp '2024-01-04 11:00:00', '9'), "
            "(1, 'satisfaction_score', timestamp '2024-01-04 12:00:00', '3'), "
            "(1, 'status', timestamp '2024-01-04 13:00:00', '10'), "
            "(2, 'satisfaction_score', timestamp '2024-01-04 12:00:00', 'good')"
            ") t(ticket_id, field_name, updated, value)"
        )
    return path


def build(folder: Path, raw_dir: Path | None, **variables: object) -> Build:
    return run_dbt(
        folder,
        raw_dir=raw_dir,
        variables=variables,
        warehouse=loaded(folder / "warehouse.duckdb"),
        # Models, data tests and unit tests, all of them.
        arguments=(),
    )


def test_landed_schemas_are_raw_tables(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    # What no adapter brings is still required; a file of survey_responses comes beside.
    (raw / "departments.csv").write_text("department_id,department_name\n20,Support\n")
    (raw / "survey_responses.csv").write_text(
        "response_id,score,responded_at\nmine,10,2024-01-01\nR_1,0,2023-01-01\n"
    )
    done = build(tmp_path, raw, qualtrics_schema="qualtrics", zendesk_schema="zendesk")
    assert done.returncode == 0, done.output
    assert done.rows(
        "select response_id, score, survey_channel, contact_id, invitation_id, "
        "cast(responded_at as varchar) from staging.stg_survey_responses order by response_id"
    ) == [
        ("1", 3, None, "1", None, "2024-01-04 12:00:00"),
        ("R_1", 9, "email", None, "D_1-C_1", "2024-01-01 10:00:00"),
        ("mine", 10, None, None, None, "2024-01-01 00:00:00"),
    ]
    assert done.rows(
        "select record_key, raw_value from quality.rejected_rows order by record_key"
    ) == [("2", "good"), ("R_2", "11")]
    assert done.rows("select record_key from quality.excluded_rows") == [("R_3",)]
    assert done.rows(
        "select contact_id, agent_id, cast(started_at as varchar) from staging.stg_contacts "
        "order by contact_id"
    ) == [("1", "5", "2024-01-03 10:00:00"), ("2", None, "2024-01-03 10:00:00")]
    assert done.rows(
        "select invitation_id, status, cast(sent_at as varchar) "
        "from staging.stg_survey_invitations order by invitation_id"
    ) == [
        ("D_1-C_1", "responded", "2023-12-31 09:00:00"),
        ("D_1-C_2", "bounced", "2023-12-31 09:00:00"),
    ]
    assert done.rows(
        "select table_name, rows_read, accepted, rejected, superseded, excluded, reconciles "
        "from quality.reconciliation where rows_read > 0 and table_name <> 'departments' "
        "order by table_name"
    ) == [
        ("contacts", 2, 2, 0, 0, 0, True),
        ("survey_invitations", 2, 2, 0, 0, 0, True),
        ("survey_responses", 8, 3, 2, 2, 1, True),
    ]


def test_adapter_beside_the_sample_is_refused(tmp_path: Path) -> None:
    done = build(tmp_path, None, zendesk_schema="zendesk")
    assert done.returncode != 0
    assert "zendesk_schema is set, and NPS_RAW_DIR is not" in done.output
