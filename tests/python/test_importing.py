"""Exports as survey tools and contact centers make them, imported by their presets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from importing_helpers import as_csv, files_of, imported, picked, rows_of, written
from nps_warehouse.benchmark.importing import IMPORT, READ, measure, table, write_export
from nps_warehouse.importing.mapping import PRESETS, SCHEMA_FILE, load_mapping, preset_names
from nps_warehouse.importing.refusal import ImportRefusedError
from nps_warehouse.landing.contract import load_contract

CODES = ["RecordedDate", "ResponseId", "Status", "Finished", "UserLanguage", "Q3_NPS_GROUP", "Q3"]
GERMAN = [
    "Erfassungsdatum", "Antwort-ID", "Antworttyp", "Beendet", "Benutzersprache",
    "Wie wahrscheinlich ist es, dass Sie uns weiterempfehlen? - Group",
    "Wie wahrscheinlich ist es,\ndass Sie uns weiterempfehlen?",
]  # fmt: skip
IMPORT_IDS = ["recordedDate", "_recordId", "status", "finished", "userLanguage", "Q3_NPS_GROUP"]
ANSWERS = [
    ["2024-03-31 02:30:00", "R_1", "0", "1", "DE", "Promoter", "9"],
    ["2024-03-30 12:00:00", "R_2", "1", "0", "DE", "", ""],
    ["2024-03-29 08:00:00", "R_3", "Survey Preview", "True", "EN", "Detractor", "0 - < Unlikely"],
]


def qualtrics(quote: str = '"', codes: list[str] = CODES, texts: list[str] = GERMAN) -> str:
    ids = [f"{{{quote}ImportId{quote}:{quote}{name}{quote}}}" for name in [*IMPORT_IDS, "QID3"]]
    return as_csv([codes, texts, ids, *ANSWERS])


# Q01, Q03 and Q76 of figures/export_quirks.csv.
@pytest.mark.parametrize(
    "export",
    [
        qualtrics(),
        qualtrics("'"),
        qualtrics().replace("\n", "\r\n"),
        "\ufeff" + qualtrics(),
        # The first row in the language of the interface: found by the ids of the third.
        qualtrics(codes=[*GERMAN[:5], "F3 Gruppe", "F3"]),
    ],
    ids=["plain", "single quotes", "CRLF", "byte-order mark", "translated codes"],
)
def test_qualtrics_header_rows(tmp_path: Path, export: str) -> None:
    imported(tmp_path / "raw", "qualtrics_csv", written(tmp_path / "a.csv", export), timezone="UTC")
    assert picked(
        rows_of(tmp_path / "raw"),
        *("response_id", "score", "responded_at", "status", "is_test", "language"),
    ) == [
        ("R_1", "9", "2024-03-31T02:30:00Z", "complete", "false", "DE"),
        ("R_2", "", "2024-03-30T12:00:00Z", "partial", "true", "DE"),
        ("R_3", "0 - < Unlikely", "2024-03-29T08:00:00Z", "complete", "true", "EN"),
    ]


def test_qualtrics_in_a_zone_with_a_skipped_hour(tmp_path: Path) -> None:
    export = written(tmp_path / "a.csv", qualtrics())
    imported(tmp_path / "raw", "qualtrics_csv", export, timezone="Europe/Berlin")
    # 02:30 does not exist on that night: it moves forward by the gap, to 03:30 of summer time.
    assert picked(rows_of(tmp_path / "raw"), "responded_at")[0] == ("2024-03-31T01:30:00Z",)


def test_qualtrics_says_no_zone(tmp_path: Path) -> None:
    export = written(tmp_path / "a.csv", qualtrics())
    with pytest.raises(ImportRefusedError, match=r"3 values .* --timezone"):
        imported(tmp_path / "raw", "qualtrics_csv", export)
    assert not (tmp_path / "raw").exists()


# Q02
def test_qualtrics_legacy_header(tmp_path: Path) -> None:
    export = written(
        tmp_path / "a.csv",
        "\ufeffV1,V7,V9,V10,Q1,\nResponseID,Status,EndDate,Finished,How likely are you to recommend"
        " us?,\nR_9,0,2017-07-18 08:28:48,1,7,\n",
    )
    imported(tmp_path / "raw", "qualtrics_csv", export, timezone="UTC")
    assert picked(rows_of(tmp_path / "raw"), "response_id", "score", "status") == [
        ("R_9", "7", "complete")
    ]


# Q34: both questions are of one scale.
@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["How satisfied are you?"] * 2, r"no column is the question .*score: \{column: …\}"),
        (
            ["How likely are you to recommend us?", "How likely would you recommend our app?"],
            "2 columns are the question",
        ),
    ],
)
def test_question_is_chosen_by_its_text(tmp_path: Path, texts: list[str], message: str) -> None:
    ids = [json.dumps({"ImportId": name}) for name in ("_recordId", "recordedDate", "Q1", "Q2")]
    export = as_csv(
        [
            ["ResponseId", "RecordedDate", "Q1", "Q2"],
            ["Response ID", "Recorded Date", *texts],
            ids,
            ["R_1", "2024-01-01 00:00:00", "10", "9"],
        ]
    )
    with pytest.raises(ImportRefusedError, match=message):
        imported(
            tmp_path / "raw",
            "qualtrics_csv",
            written(tmp_path / "a.csv", export),
            timezone="UTC",
        )


DUTCH = "Hoe waarschijnlijk is het dat u ons zou aanbevelen?"


@pytest.mark.parametrize(
    ("group", "score"), [(["Q1_NPS_GROUP"], "3"), (["Q2_NPS_GROUP"], "9"), ([], None)]
)
def test_question_of_its_type_is_found_in_any_language(
    tmp_path: Path, group: list[str], score: str | None
) -> None:
    codes = ["ResponseId", "RecordedDate", "Q1", "Q2", *group]
    ids = [json.dumps({"ImportId": name}) for name in ("_recordId", "recordedDate", *codes[2:])]
    texts = ["Antwoord-ID", "Datum", DUTCH, DUTCH, *group]
    answer = ["R_1", "2024-01-01 00:00:00", "3", "9", *("Promoter" for _ in group)]
    export = written(tmp_path / "a.csv", as_csv([codes, texts, ids, answer]))
    if score is None:
        with pytest.raises(ImportRefusedError, match="no column is the question"):
            imported(tmp_path / "raw", "qualtrics_csv", export, timezone="UTC")
    else:
        imported(tmp_path / "raw", "qualtrics_csv", export, timezone="UTC")
        assert picked(rows_of(tmp_path / "raw"), "score") == [(score,)]


# Q04
def test_surveymonkey(tmp_path: Path) -> None:
    question = "How likely is it that you would recommend us to a friend?"
    export = as_csv(
        [
            [
                "Respondent ID",
                "Collector ID",
                "Start Date",
                "End Date",
                question,
                "Rate us",
                "",
                "",
            ],
            ["", "", "", "", "Response", "Price", "Speed", "Price"],
            ["118", "77", "01/31/2024 11:58:00 PM", "02/01/2024 12:03:04 AM", "10", "1", "2", "3"],
        ]
    )
    imported(
        tmp_path / "raw",
        "surveymonkey",
        written(tmp_path / "a.csv", export),
        timezone="America/New_York",
    )
    assert picked(rows_of(tmp_path / "raw"), "response_id", "score", "responded_at") == [
        ("118", "10", "2024-02-01T05:03:04Z")
    ]


def fivetran(folder: Path, question: str = "How likely are you to recommend us?") -> Path:
    written(
        folder / "survey_response.csv",
        "id,survey_id,recorded_date,finished,status,user_language,distribution_channel,"
        "last_modified_date\n"
        "R_1,SV_1,2023-06-05 03:05:38.341000,1,0,EN,email,2023-06-06 00:00:00.000000\n"
        "R_2,SV_2,2023-06-05 04:05:38.000000,1,1,EN,anonymous,\n"
        "R_3,SV_3,2023-06-05 05:05:38.000000,1,0,EN,email,\n",
    )
    written(
        folder / "question_response.csv",
        "_fivetran_id,question,question_id,response_id,text,value\n"
        f"a,{question},QID1,R_1,,4\n"
        f"b,{question},QID1,R_1,,9\n"
        f"c,{question},QID7,R_2,8 - Likely,\n"
        "d,How satisfied are you?,QID2,R_1,,1\n"
        "e,How satisfied are you?,QID1,R_3,,5\n"
        f"f,{question},QID1,R_4,,10\n",
    )
    written(
        folder / "distribution_contact.csv",
        "contact_id,distribution_id,opened_at,response_id,sent_at,status\n"
        "C_0,D_0,,R_1,2023-06-03 01:00:00.000000,SoftBounce\n"
        "C_1,D_1,2023-06-05 01:00:00.000000,R_1,2023-06-04 01:00:00.000000,SurveyFinished\n"
        "C_2,D_1,,,2023-06-04 01:00:00.000000,HardBounce\n",
    )
    return folder


def test_fivetran_schema(tmp_path: Path) -> None:
    (result,) = imported(tmp_path / "raw", "qualtrics_fivetran", fivetran(tmp_path / "qualtrics"))
    columns = ("response_id", "score", "invitation_id", "survey_id", "is_test", "updated_at")
    assert picked(rows_of(tmp_path / "raw"), *columns) == [
        ("R_1", "9", "D_1-C_1", "SV_1", "false", "2023-06-06T00:00:00Z"),
        ("R_2", "8 - Likely", "", "SV_2", "true", ""),
    ]
    assert picked(
        rows_of(tmp_path / "raw", "survey_invitations"), "invitation_id", "survey_id", "status"
    ) == [
        ("D_0-C_0", "SV_1", "bounced"),
        ("D_1-C_1", "SV_1", "responded"),
        ("D_1-C_2", "", "bounced"),
    ]
    responses = result.tables[0]
    assert responses.left_out == {"no answer to the question": 1}
    assert any("1 repeated answer" in note for note in responses.notes)
    assert any("1 answers belong to no row" in note for note in responses.notes)


def test_fivetran_with_two_such_questions_in_a_survey(tmp_path: Path) -> None:
    folder = fivetran(tmp_path / "qualtrics")
    with (folder / "question_response.csv").open("a") as stream:
        stream.write("z,How likely are you to recommend our shop?,QID9,R_1,,2\n")
    with pytest.raises(ImportRefusedError, match="survey_id 'SV_1' has 2 questions"):
        imported(tmp_path / "raw", "qualtrics_fivetran", folder)


LONG = (
    "response_id,question_id,question,answer,answered_at\n"
    "1,sat,How satisfied are you?,10,2024-01-01T10:00:00Z\n"
    "1,nps,How likely are you to recommend us?,3,2024-01-01T10:00:00Z\n"
    "2,sat,How satisfied are you?,9,2024-01-02\n"
    "3,nps,How likely are you to recommend us?,7,2024-01-03T10:00:00Z\n"
    "3,nps,How likely are you to recommend us?,8,2024-01-03T10:00:00Z\n"
    ",nps,How likely are you to recommend us?,8,2024-01-03T10:00:00Z\n"
)


# Q34 and Q66
def test_long_answers_count_every_row(tmp_path: Path) -> None:
    (result,) = imported(tmp_path / "raw", "long_answers", written(tmp_path / "a.csv", LONG))
    assert picked(rows_of(tmp_path / "raw"), "response_id", "score") == [("1", "3"), ("3", "8")]
    (made,) = result.tables
    assert result.sources[0].rows == 6 == made.rows + sum(made.left_out.values())


def test_long_answers_by_id(tmp_path: Path) -> None:
    mapping = written(
        tmp_path / "mine.yml",
        "extends: long_answers\ntables:\n  survey_responses:\n    columns:\n"
        "      score: {answer_to: {id: sat}, take: answer}\n",
    )
    imported(tmp_path / "raw", mapping, written(tmp_path / "a.csv", LONG))
    assert picked(rows_of(tmp_path / "raw"), "response_id", "score") == [("1", "10"), ("2", "9")]


# Q77
def test_zendesk_offered_is_no_answer_and_the_latest_rating_counts(tmp_path: Path) -> None:
    written(
        tmp_path / "z" / "tickets.csv",
        "id,group_id,via_channel,created_at,updated_at,assignee_id,requester_id\n"
        "1,20,web,2024-01-01T09:00:00Z,2024-01-01T10:00:00Z,5,9\n",
    )
    written(
        tmp_path / "z" / "satisfaction_ratings.csv",
        "id,ticket_id,score,comment,created_at,updated_at\n"
        "a,1,offered,,2024-01-01T10:00:00Z,2024-01-01T10:00:00Z\n"
        "b,1,9,great,2024-01-01T11:00:00Z,2024-01-01T11:00:00Z\n"
        "c,1,2,worse,2024-01-01T11:00:00Z,2024-01-02T11:00:00Z\n"
        "d,2,offered,,2024-01-01T10:00:00Z,2024-01-01T10:00:00Z\n"
        "e,3,unoffered,,2024-01-01T10:00:00Z,2024-01-01T10:00:00Z\n",
    )
    (result,) = imported(tmp_path / "raw", "zendesk", tmp_path / "z")
    assert picked(rows_of(tmp_path / "raw"), "response_id", "score", "updated_at") == [
        ("1", "9", "2024-01-01T11:00:00Z"),
        ("1", "2", "2024-01-02T11:00:00Z"),
    ]
    assert result.tables[1].left_out == {"no answer was given": 3}
    assert picked(rows_of(tmp_path / "raw", "survey_invitations"), "invitation_id", "status") == [
        ("1", "sent"), ("1", "responded"), ("1", "responded"), ("2", "sent"),
    ]  # fmt: skip
    assert picked(rows_of(tmp_path / "raw", "contacts"), "contact_id", "channel", "agent_id") == [
        ("1", "web", "5")
    ]


# Q06
def test_salesforce_report_keeps_labels(tmp_path: Path) -> None:
    export = (
        'Survey Response: ID,"How likely are you to recommend Acme – with everything (price,'
        ' service, our app) in mind – to a friend, a colleague or somebody of your family?",'
        "Completion Date/Time,Status\n"
        "0Ks1,10 - Extremely likely,31.01.2024 14:05,Completed\n"
    )
    mapping = written(
        tmp_path / "mine.yml",
        "extends: salesforce_survey\ntimezone: Europe/Berlin\ntables:\n  survey_responses:\n"
        "    columns:\n      responded_at: {column: Completion Date/Time,"
        ' format: "%d.%m.%Y %H:%M"}\n',
    )
    imported(tmp_path / "raw", mapping, written(tmp_path / "a.csv", export))
    assert picked(rows_of(tmp_path / "raw"), "response_id", "score", "responded_at", "status") == [
        ("0Ks1", "10 - Extremely likely", "2024-01-31T13:05:00Z", "complete")
    ]


def test_amazon_connect(tmp_path: Path) -> None:
    export = as_csv(
        [
            ["ContactId", "Channel", "InitiationTimestamp", "DisconnectTimestamp", "Queue.Name",
             "Queue.Duration", "Agent.Username", "Agent.AgentInteractionDuration",
             "Agent.CustomerHoldDuration", "Agent.AfterContactWorkDuration"],
            ["c-1", "VOICE", "2024-01-01T10:00:00Z", "2024-01-01T10:09:00Z", "billing", "12",
             "ann", "400", "", "30.5"],
            ["c-2", "VOICE", "2024-01-01T11:00:00Z", "", "", "", "", "", "", ""],
            ["c-3", "CHAT", "2024-01-01T11:00:00Z", "", "billing", "x", "", "1", "n/a", "2"],
        ]
    )  # fmt: skip
    imported(tmp_path / "raw", "amazon_connect", written(tmp_path / "a.csv", export))
    assert picked(
        rows_of(tmp_path / "raw", "contacts"), "contact_id", "handle_seconds", "queue_seconds"
    ) == [("c-1", "430.5", "12"), ("c-2", "", ""), ("c-3", "1 + n/a + 2", "x")]


def test_genesys_milliseconds(tmp_path: Path) -> None:
    export = (
        "Conversation ID,Media Type,Date,Queue,Users,Total Handle,Total Hold\n"
        "g-1,voice,2024-01-01T10:00:00.000Z,sales,Ann,300000,1500\n"
        "g-2,voice,2024-01-01T10:00:00.000Z,sales,Ann,1,0\n"
    )
    imported(tmp_path / "raw", "genesys_cloud", written(tmp_path / "a.csv", export))
    assert picked(rows_of(tmp_path / "raw", "contacts"), "handle_seconds", "hold_seconds") == [
        ("300", "1.5"),
        ("0.001", "0"),
    ]


@pytest.mark.parametrize("name", preset_names())
def test_preset_fits_the_schema_and_the_contract(name: str) -> None:
    assert load_mapping(name, "UTC").tables
    first = (PRESETS / f"{name}.yml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../mapping.schema.json"
    assert yaml.safe_load((PRESETS / f"{name}.yml").read_text())["name"] == name


def test_schema_knows_the_columns_of_the_contract() -> None:
    schema = json.loads(SCHEMA_FILE.read_text())
    known = {
        table: tuple(schema["$defs"][table]["properties"]["columns"]["properties"])
        for table in schema["properties"]["tables"]["properties"]
    }
    assert known == {table.name: table.column_names for table in load_contract()}


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    export = written(tmp_path / "a.csv", qualtrics())
    (result,) = imported(tmp_path / "raw", "qualtrics_csv", export, timezone="UTC", dry_run=True)
    assert result.tables[0].rows == 3
    assert not (tmp_path / "raw").exists()
    assert list(tmp_path.iterdir()) == [export]


def test_files_of_an_import_are_only_the_tables(tmp_path: Path) -> None:
    export = written(tmp_path / "a.csv", qualtrics())
    imported(tmp_path / "raw", "qualtrics_csv", export, timezone="UTC")
    (name,) = files_of(tmp_path / "raw")
    assert name.startswith("survey_responses/20240331T023000000000Z-qualtrics_csv-")


def test_export_of_the_benchmark_is_imported_whole(tmp_path: Path) -> None:
    export = tmp_path / "export.csv"
    write_export(export, 500)
    (result,) = imported(tmp_path / "raw", "qualtrics_csv", export, timezone="Europe/Berlin")
    assert (result.sources[0].rows, result.tables[0].rows) == (500, 500)
    rows = rows_of(tmp_path / "raw")
    # The second answer: score 7, ended 41 + 31 seconds after midnight, in winter time.
    second = picked(rows, "score", "responded_at", "customer_id")[1]
    assert second == ("7", "2023-12-31T23:01:12Z", "C000001")


@pytest.mark.thorough
def test_benchmark_measures_both(tmp_path: Path) -> None:
    runs = measure(2000, 1, tmp_path)
    assert set(runs) == {IMPORT, READ}
    text = table(2000, runs)
    assert text.count("\n") == 3
    assert [path.name for path in tmp_path.iterdir()] == ["qualtrics-2000.csv"]
