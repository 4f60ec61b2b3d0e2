"""What exports are known to hold, and what becomes of it: each quirk a small delivery.

The quirks stand in `figures/export_quirks.csv`; those of importers and of checks of a delivery are
shown by the modules that the column `shown_by` names, which name the quirk.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest
from compiled import Compiled, Instant

HERE = Path(__file__)
with (HERE.parent / "figures" / "export_quirks.csv").open(encoding="utf-8", newline="") as _file:
    LISTED = {row["id"]: row for row in csv.DictReader(_file)}

GOOD = {
    "contacts.csv": "contact_id,department_id,channel,started_at\n"
    "C1,D1,Phone,2025-01-01 08:00\n"
    "C2,D1,Chat,2025-01-01 09:00\n",
    "departments.csv": "department_id,department_name\nD1,North\n",
    "survey_responses.csv": "response_id,score,responded_at,contact_id\nR1,9,2025-01-02,C1\n",
}
HEADER = "response_id,score,responded_at"

NO_SCORE = "not a score from 0 to 10"
EMPTY = "empty score"
NO_INSTANT = "no possible timestamp"

SCORES = (
    "select rejected_value, rejection_reason, _source_row from staging.flawed_survey_responses "
    "where rejected_column = '{0}' union all "
    "select '', cast({0} as varchar), _source_row from staging.stg_survey_responses"
)
ANSWERS = "select response_id, score from staging.stg_survey_responses order by response_id"
CATEGORIES = "select response_id, nps_category from marts.fct_survey_responses order by response_id"
BLOCK = (
    "select responses, promoters, passives, detractors, round(nps, 4) from marts.nps_by_period "
    "where survey_type = 'all' and period_type = 'all'"
)
COMMENTS = "select comment from staging.stg_survey_responses order by _source_row"
REJECTED = (
    "select _source_row, rejection_reason from staging.flawed_survey_responses order by _source_row"
)
SUPERSEDED = (
    "select record_key, _source_row, superseded_by from staging.superseded_survey_responses "
    "order by _source_file, _source_row"
)
EXCLUDED = "select record_key, reason from quality.excluded_rows order by record_key"
BY_DEPARTMENT = (
    "select department_id, responses, round(nps, 4) from marts.nps_by_department "
    "where survey_type = 'all' and period_type = 'all' order by department_id"
)

Row = tuple[object, ...]


@dataclass(frozen=True)
class Parquet:
    """A Parquet file with the rows of a query."""

    query: str


@dataclass(frozen=True)
class Quirk:
    """A delivery, and what must come of it.

    Args:
        files: what is delivered, beside what of the good delivery it does not replace.
        shows: rows by the query that shows them.
        refused: parts of the only message that stops the build.
        warned: parts of a warning of the landing.
        found: by the name of a data test, how many rows it finds fault with.
    """

    files: Mapping[str, str | bytes | Parquet]
    shows: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    refused: Sequence[str] = ()
    warned: Sequence[str] = ()
    found: Mapping[str, int] = field(default_factory=dict)


def answers(*rows: str, header: str = HEADER) -> dict[str, str | bytes | Parquet]:
    return {"survey_responses.csv": "\n".join([header, *rows, ""])}


def contacts(*rows: str) -> dict[str, str | bytes | Parquet]:
    header = GOOD["contacts.csv"].partition("\n")[0]
    return {"contacts.csv": "\n".join([header, *rows, ""])}


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def cells(column: str, become: Mapping[str, str]) -> Quirk:
    """One answer for each text of a column: the value it becomes, or why it is rejected."""
    usual = {"score": "9", "responded_at": "2025-01-02"}
    rows = [
        ",".join([f"R{number}", *({**usual, column: quoted(cell)}.values())])
        for number, cell in enumerate(become)
    ]
    reasons = {NO_SCORE, EMPTY, NO_INSTANT}
    expected = [
        ((cell or None) if value in reasons else "", value, number)
        for number, (cell, value) in enumerate(become.items(), 1)
    ]
    return Quirk(
        answers(*rows), {f"{SCORES.format(column)} order by _source_row": expected}
    )  # fmt: skip


def comments(*said: str) -> Quirk:
    rows = [f"R{number:02},9,2025-01-02,{quoted(text)}" for number, text in enumerate(said)]
    return Quirk(answers(*rows, header=f"{HEADER},comment"), {COMMENTS: [(c,) for c in said]})


def numbered(*given: str, contact: str = "") -> dict[str, str | bytes | Parquet]:
    """Answers with these scores, R1 and on."""
    rows = [f"R{number},{score},2025-01-02,{contact}" for number, score in enumerate(given, 1)]
    return answers(*rows, header=f"{HEADER},contact_id")


TWO_DEPARTMENTS: dict[str, str | bytes | Parquet] = {
    "departments.csv": "department_id,department_name\nD1,North\nD2,South\n",
    **contacts("C1,D1,Phone,2025-01-01", "C2,D2,Phone,2025-01-01"),
}
NO_COLUMNS = ["lacks the required columns response_id, score, responded_at", "survey_responses.csv"]
QUESTION = (
    "On a scale of 0 to 10, how likely are you – all things considered [service, price, speed] – "
    "to recommend us to a friend, a colleague or somebody in your family?"
)
MONTHS = (
    "select cast(period_start as varchar), responses from marts.nps_by_period "
    "where survey_type = 'all' and period_type = 'month' order by period_start"
)

# By id, or by id and what tells the cases of a quirk apart.
QUIRKS: Mapping[str, Quirk] = {
    # Headers.
    "Q01": Quirk(
        answers(
            '"Start Date","Response ID","How likely are you to recommend us?"',
            '"{""ImportId"":""startDate""}","{""ImportId"":""_recordId""}","{""ImportId"":""QID4""}"',
            "2025-01-02 10:00:00,R_1,9",
            header="StartDate,ResponseId,QID4",
        ),
        refused=[*NO_COLUMNS, "Found there: startdate, responseid, qid4"],
    ),
    "Q02": Quirk(
        answers("ResponseID,Score,", "R_1,9,", header="\ufeffV1,Q4,"),
        refused=[*NO_COLUMNS, "Found there: v1, q4, (unnamed)"],
    ),
    "Q03": Quirk(
        answers("{'ImportId': '_recordId'},{'ImportId': 'QID4-1-1'}", header="id,QID4"),
        refused=[*NO_COLUMNS, "Found there: id, qid4"],
    ),
    "Q04": Quirk(
        answers(",,Response,Open,", header="Respondent ID,Collector ID,Why?,why? ,Date"),
        refused=["two columns named why?", "'Why?' and 'why? '"],
    ),
    "Q05 blanks": Quirk(
        answers("R1,9,2025-01-02", header="response_id  , SCORE ,responded_at\u00a0"),
        {ANSWERS: [("R1", 9)]},
    ),
    "Q05 asterisk": Quirk(
        answers("R1,9,2025-01-02", header="*response_id,score,responded_at"),
        refused=["lacks the required column response_id", "Found there: *response_id, score"],
    ),
    "Q06": Quirk(
        answers("R1,9,2025-01-02,x", header=f"{HEADER},{quoted(QUESTION)}"),
        {ANSWERS: [("R1", 9)]},
        warned=["table survey_responses: columns that are ignored", QUESTION.lower()],
    ),
    "Q07": Quirk(
        {
            "survey_responses/2025-01.csv": f"{HEADER},survey_id\nR1,9,2025-01-02,S1\n",
            "survey_responses/2025-02.csv": "response_id,Browser,survey_id,score,responded_at\n"
            "R2,Firefox,S2,3,2025-02-02\n",
        },
        {
            "select response_id, score, survey_id from staging.stg_survey_responses order by 1": [
                ("R1", 9, "S1"), ("R2", 3, "S2"),
            ],
        },
        warned=["table survey_responses: columns that are ignored", ": browser."],
    ),
    "Q08": Quirk(
        answers("R1,9,2025-01-02,1,2", header=f"{HEADER},Month,month"),
        refused=["two columns named month", "'Month' and 'month'"],
    ),
    # Encodings.
    "Q09": Quirk(answers("R1,9,2025-01-02", header=f"\ufeff{HEADER}"), {ANSWERS: [("R1", 9)]}),
    "Q10": Quirk(
        {
            "survey_responses.csv": b"response_id,score,responded_at,comment\n"
            b"R1,9,2025-01-02,tr\xe8s bien\nR2,8,2025-01-02,caf\x82\n"
            b"R3,7,2025-01-02,caf\xc3\xa9\n",
        },
        {
            REJECTED: [(1, "invalid UTF-8 (line 2)"), (2, "invalid UTF-8 (line 3)")],
            COMMENTS: [("café",)],
        },
    ),
    "Q11": comments("MiejscowoĹ›Ä‡", "trÃ©s bien", "â€œgoodâ€\u009d"),
    "Q12 scores": cells("score", {"9\u00a0": "9", "\u202f8": "8", "7\u3000": "7", "\u2009 6": "6"}),
    "Q12 numbers": Quirk(
        {
            "contacts.csv": "contact_id,department_id,channel,started_at,queue_seconds\n"
            "C1,D1,Phone,2025-01-01,20\u3000\nC2,D1,Phone,\u00a02025-01-01\u00a0,\u202f7.5\n",
        },
        {
            "select contact_id, queue_seconds from staging.stg_contacts order by 1": [
                ("C1", 20.0), ("C2", 7.5),
            ],
        },
    ),
    "Q13": Quirk(
        answers(
            "\u200bR1\ufeff,9,2025-01-02,\u200bfine\u200b",
            "R1,8,2025-01-02,\ufeffbetter",
            header="response_id\u200b,score,\ufeffresponded_at,comment",
        ),
        {
            ANSWERS: [("R1", 8)],
            COMMENTS: [("\ufeffbetter",)],
            SUPERSEDED: [("R1", 1, "survey_responses.csv:2")],
        },
    ),
    "Q14": Quirk(
        answers(
            "R1,9,2025-01-02,😀👍🏽", "R2,9,2025-01-02,很好",
            "R3,9,2025-01-02,Rất tốt", "R4,9,2025-01-02,ممتاز",
            header=f"{HEADER},comment",
        ),
        {
            "select comment, length(comment) from marts.fct_survey_responses "
            "order by response_id": [("😀👍🏽", 3), ("很好", 2), ("Rất tốt", 7), ("ممتاز", 5)],
        },
    ),
    # CSV.
    "Q15": Quirk(
        answers(
            *[f'R{n:02},9,2025-01-02,"one\ntwo\r\n\nfour\n{n}"' for n in range(60)],
            header=f"{HEADER},comment",
        ),
        {
            "select records from raw._files where table_name = 'survey_responses'": [(60,)],
            "select count(*), count(distinct comment), max(_source_row) "
            "from staging.stg_survey_responses": [(60, 60, 60)],
        },
    ),
    "Q16": Quirk(
        answers(
            r'R1,9,2025-01-02,"said \"" twice\"',
            r'R2,8,2025-01-02,"the end\"',
            "R3,7,2025-01-02,fine",
            header=f"{HEADER},comment",
        ),
        {COMMENTS: [("said \\\" twice\\",), ("the end\\",), ("fine",)]},
    ),
    "Q17": Quirk(
        answers(
            *[f"R{n},9,2025-01-02,fine" for n in range(25_000)],
            'last,3,2025-01-02,"slow, and ""rude"""',
            header=f"{HEADER},comment",
        ),
        {
            "select count(*) from staging.stg_survey_responses": [(25_001,)],
            "select score, comment from staging.stg_survey_responses where response_id = 'last'": [
                (3, 'slow, and "rude"')
            ],
        },
    ),
    "Q18": Quirk(
        answers("#1,9,2025-01-02,# 1", "R2,8,2025-01-02,#", header=f"{HEADER},comment"),
        {ANSWERS: [("#1", 9), ("R2", 8)], COMMENTS: [("# 1",), ("#",)]},
    ),
    "Q19": comments("=1+1", "+1 for the team", "-5", "@home", "=HYPERLINK(\"x\",\"y\")"),
    "Q20": Quirk(
        {
            "survey_responses.csv": "version https://git-lfs.github.com/spec/v1\n"
            f"oid sha256:{'0' * 64}\nsize 1234\n",
        },
        refused=["table survey_responses", "Git LFS pointer", "git lfs pull"],
    ),
    "Q21 nothing": Quirk({"survey_responses.csv": b""}, refused=["empty (0 bytes)"]),
    "Q21 two bytes": Quirk({"survey_responses.csv": b"\r\n"}, refused=["no header row"]),
    "Q21 brackets": Quirk({"survey_responses.csv": b"[]"}, refused=NO_COLUMNS),
    "Q21 header": Quirk(
        answers(),
        {BLOCK: [], "select count(*) from marts.fct_survey_responses": [(0,)]},
        warned=["survey_responses.csv has a header and no rows"],
        found={"required_tables_have_rows": 1},
    ),
    **{
        f"Q22 {name}": Quirk(
            {"survey_responses.csv": text},
            {ANSWERS: [("R1", 9), ("R2", 8)], COMMENTS: [("a\nb",), ("c",)]},
        )
        for name, text in {
            "lf": f'{HEADER},comment\nR1,9,2025-01-02,"a\nb"\nR2,8,2025-01-02,c\n',
            "crlf": f'{HEADER},comment\r\nR1,9,2025-01-02,"a\nb"\r\nR2,8,2025-01-02,c\r\n',
            "open end": f'{HEADER},comment\nR1,9,2025-01-02,"a\nb"\nR2,8,2025-01-02,c',
        }.items()
    },
    # Scores.
    "Q23": cells(
        "score",
        {
            "0 - < Very Unlikely": "0", "10 - Very Likely >": "10", "10 - extremely likely": "10",
            "9 – Likely": "9", "7—neutral": "7", "5 neutral": NO_SCORE, "Very likely": NO_SCORE,
        },
    ),
    "Q24": cells("score", {"9.5": NO_SCORE, "-1": NO_SCORE, "9,5": NO_SCORE, "1-": NO_SCORE}),
    "Q25": cells("score", {"9.0": "9", "10.00": "10", "0.0": "0", "11.0": NO_SCORE,
                           "9.5": NO_SCORE, "9.": NO_SCORE}),
    "Q26": cells("score", dict.fromkeys(["8.5", "6.5", "1e1", "0x9", "1_0", "09", "٩"], NO_SCORE)),
    "Q27 text": cells("score", dict.fromkeys(["NaN", "nan", "inf", "-inf"], NO_SCORE)),
    "Q27 double": Quirk(
        {
            "survey_responses.parquet": Parquet(
                "select * from (values ('R1', double 'nan', date '2025-01-02'), "
                "('R2', double 'inf', date '2025-01-02'), ('R3', double '3', date '2025-01-02')) "
                "as t(response_id, score, responded_at)"
            ),
        },
        {ANSWERS: [("R3", 3)], REJECTED: [(1, EMPTY), (2, NO_SCORE)], BLOCK: [(1, 0, 0, 1, -100)]},
    ),
    "Q28": Quirk(
        {
            "survey_responses.parquet": Parquet(
                "select 'R' || n as response_id, 6 + n / 2 as score, date '2025-01-02' as "
                "responded_at from range(7) as t(n)"
            ),
        },
        {
            CATEGORIES: [("R0", "detractor"), ("R2", "passive"), ("R4", "passive"),
                         ("R6", "promoter")],
            BLOCK: [(4, 1, 2, 1, 0)],
            REJECTED: [(2, NO_SCORE), (4, NO_SCORE), (6, NO_SCORE)],
        },
    ),
    "Q29": Quirk(
        numbered("9", "11", "3", "11"),
        {BLOCK: [(2, 1, 0, 1, 0)], REJECTED: [(2, NO_SCORE), (4, NO_SCORE)]},
    ),
    "Q30": cells("score", {"11": NO_SCORE, "10": "10", "12": NO_SCORE, "99": NO_SCORE}),
    "Q31": Quirk(
        numbered("9", "-2147483648", "8"),
        {BLOCK: [(2, 1, 1, 0, 50)], REJECTED: [(2, NO_SCORE)]},
    ),
    "Q32": Quirk(
        numbered("9", "-1", "8"), {BLOCK: [(2, 1, 1, 0, 50)], REJECTED: [(2, NO_SCORE)]}
    ),
    "Q33": Quirk(
        numbered("9", "NA", "N/A", "", "NaN", " ", "null"),
        {
            BLOCK: [(1, 1, 0, 0, 100)],
            REJECTED: [(2, NO_SCORE), (3, NO_SCORE), (4, EMPTY), (5, NO_SCORE), (6, EMPTY),
                       (7, NO_SCORE)],
        },
    ),
    "Q38": Quirk(
        numbered("4 - Detractor", "5 - Passive", "7 - Promoter", "8 - Passive", "9 - Promoter"),
        {
            CATEGORIES: [("R1", "detractor"), ("R2", "detractor"), ("R3", "passive"),
                         ("R4", "passive"), ("R5", "promoter")],
        },
    ),
    "Q39": Quirk(
        answers("R1,6,2025-01-02,Pasivo", "R2,9,2025-01-02,Pasivo", header=f"{HEADER},NPS_Group"),
        {CATEGORIES: [("R1", "detractor"), ("R2", "promoter")]},
        warned=["columns that are ignored", "nps_group"],
    ),
    "Q40": cells("score", {"8th": NO_SCORE, "8 th": NO_SCORE, "eight": NO_SCORE}),
    # Aggregation.
    "Q41": Quirk(
        {
            **answers(
                "R1,10,2025-01-02,complete,I1", "R2,,2025-01-02,dismissed,I2",
                "R3,,2025-01-02,Dismissed,I3", header=f"{HEADER},status,invitation_id",
            ),
            "survey_invitations.csv": "invitation_id,sent_at\nI1,2025-01-01\nI2,2025-01-01\n"
            "I3,2025-01-01\nI4,2025-01-01\n",
        },
        {
            BLOCK: [(1, 1, 0, 0, 100)],
            EXCLUDED: [("R2", "dismissed"), ("R3", "dismissed")],
            "select invitations, response_rate from marts.nps_by_period "
            "where survey_type = 'all' and period_type = 'all'": [(4, 25.0)],
        },
    ),
    "Q42": Quirk(numbered("7", "8", "7"), {BLOCK: [(3, 0, 3, 0, 0)]}),
    # Floors of 66.67 and 33.33 differ by 33, rounded shares by 34; of 51.5 and 30.3 by 21.
    "Q43 rounded": Quirk(numbered("9", "10", "0"), {BLOCK: [(3, 2, 0, 1, 33.3333)]}),
    "Q43 cut off": Quirk(
        numbered(*["9"] * 17, *["7"] * 6, *["6"] * 10), {BLOCK: [(33, 17, 6, 10, 21.2121)]}
    ),
    "Q44": Quirk(
        {
            **TWO_DEPARTMENTS,
            **answers("R1,9,2025-01-02,C1", "R2,0,2025-01-02,C2", "R3,1,2025-01-02,C2",
                      "R4,7,2025-01-02,C2", header=f"{HEADER},contact_id"),
        },
        # The mean of the departments is 16.67.
        {BY_DEPARTMENT: [("D1", 1, 100), ("D2", 3, -66.6667)], BLOCK: [(4, 1, 1, 2, -25)]},
    ),
    # Means 8 and 6.5.
    "Q45 mean of eight": Quirk(numbered("7", "9"), {BLOCK: [(2, 1, 1, 0, 50)]}),
    "Q45 mean below seven": Quirk(numbered("9", "4"), {BLOCK: [(2, 1, 0, 1, 0)]}),
    "Q46": Quirk(
        {**TWO_DEPARTMENTS, **numbered("9", "11", contact="C1")},
        {
            BY_DEPARTMENT: [("D1", 1, 100)],
            "select count(*) from marts.nps_by_department where responses = 0 or nps is null": [
                (0,)
            ],
            "select department_id from marts.dim_departments order by 1": [
                ("D1",), ("D2",), ("unknown",),
            ],
        },
    ),
    "Q47": Quirk(
        numbered("9"),
        {
            "select distinct nps, is_reportable, nps_ci_low < 0, nps_standard_error > 0 "
            "from marts.nps_by_period": [(100, False, True, True)],
        },
    ),
    "Q48": Quirk(
        numbered(*map(str, range(-1, 12)), "8.5", "", "9 - Likely", "x"),
        {
            BLOCK: [(12, 3, 2, 7, -33.3333)],
            "select rows_read, accepted, rejected, reconciles from quality.reconciliation "
            "where table_name = 'survey_responses'": [(17, 12, 5, True)],
            "select count(*) from marts.nps_by_period "
            "where promoters + passives + detractors <> responses": [(0,)],
        },
        found={"every_row_is_accounted_for": 0},
    ),
    "Q49": Quirk(
        answers("R1,10,2025-01-02", "R1,0,2025-01-02", "R1,7,2025-01-02"),
        {ANSWERS: [("R1", 7)], BLOCK: [(1, 0, 1, 0, 0)]},
    ),
    # Time.
    "Q50": cells(
        "responded_at",
        dict.fromkeys(["31/12/2024", "1/15/2025 9:30", "15-01-2025", "15.01.2025", "2025/01/19",
                       "01/02/2025"], NO_INSTANT)
        | {"2025-01-15 09:30": "2025-01-15 09:30:00", "2025-01-15": "2025-01-15 00:00:00"},
    ),
    "Q51": cells("responded_at", dict.fromkeys(["15/01/25", "25-01-15", "0025-01-15"], NO_INSTANT)),
    "Q52": cells("responded_at", dict.fromkeys(["14", "1", "31"], NO_INSTANT)),
    "Q53": cells(
        "responded_at",
        dict.fromkeys(["12/31/1899 09:30:00 AM", "1899-12-31 09:30:00", "1900-01-00"], NO_INSTANT),
    ),
    "Q54 text": cells("responded_at", dict.fromkeys(["42075", "42075.5"], NO_INSTANT)),
    "Q54 integer": Quirk(
        {
            "survey_responses.parquet": Parquet(
                "select 'R1' as response_id, 9 as score, 42075 as responded_at"
            ),
        },
        {REJECTED: [(1, NO_INSTANT)]},
    ),
    "Q55 row": cells(
        "responded_at",
        dict.fromkeys(["5th Jan 2020", "Monday - 13th Jan", "2020/01/19", "3.10 am", "1653", "2400",
                       "2025-01-01 24:00"], NO_INSTANT),
    ),
    "Q55 cell": Quirk(
        answers("R1,9,2025-01-02,3.10 am", "R2,9,2025-01-02,2400", header=f"{HEADER},updated_at"),
        {
            "select updated_at from staging.stg_survey_responses": [(None,), (None,)],
            "select record_key, column_name, raw_value from quality.rejected_values order by 1": [
                ("R1", "updated_at", "3.10 am"), ("R2", "updated_at", "2400"),
            ],
        },
    ),
    "Q56": cells("responded_at", dict.fromkeys(["2026-02-31", "2023-02-29", "2025-04-31",
                                                "2025-13-01", "2025-00-10"], NO_INSTANT)),
    "Q57": Quirk(
        {
            "customer_revenue.csv": "customer_id,month,revenue\nK1,202104,5\nK1,2021-04-01,6\n"
            "K1,2021-05-02,7\n",
        },
        {
            "select cast(month as varchar), revenue from staging.stg_customer_revenue": [
                ("2021-04-01", 6.0)
            ],
            "select record_key, rejected_column from staging.flawed_customer_revenue "
            "order by _source_row": [("K1|202104", "month"), ("K1|2021-05-02", "month")],
        },
    ),
    "Q58": Quirk(
        answers("R1,9,2025-01-31 23:30", "R2,9,2025-01-31T23:30:00-05:00", "R3,9,2025-01-31T23:30Z",
                "R4,9,2025-02-01 00:30+01:00"),
        {MONTHS: [("2025-01-01", 3), ("2025-02-01", 1)]},
    ),
    "Q59": Quirk(
        {
            **contacts("C1,D1,Phone,2025-01-02 08:00"),
            **answers("R1,9,2025-01-02 07:59:59,C1", "R2,3,2025-01-02 08:00,C1", "R3,3,2025-01-01,",
                      header=f"{HEADER},contact_id"),
        },
        {BLOCK: [(3, 1, 0, 2, -33.3333)]},
        found={"answers_follow_their_contact": 1},
    ),
    "Q60": Quirk(
        {
            **contacts("C1,D1,Phone,2024-10-20"),
            **answers("R1,9,2024-10-21,C1", "R2,3,2024-12-01,C1", header=f"{HEADER},contact_id"),
        },
        {
            MONTHS: [("2024-10-01", 1), ("2024-12-01", 1)],
            "select nps_period_basis from quality.contract_version": [("responded",)],
        },
    ),
    # Keys.
    "Q62": Quirk(
        answers("R1,9,2025-01-02,C1", "R1,9,2025-01-02,C2", header=f"{HEADER},contact_id"),
        {
            "select response_id, contact_id from marts.fct_survey_responses": [("R1", "C2")],
            "select count(distinct contact_id) from marts.fct_contacts where responses > 0": [(1,)],
            SUPERSEDED: [("R1", 1, "survey_responses.csv:2")],
        },
    ),
    "Q63": Quirk(
        {
            "survey_responses/a.csv": f"{HEADER},updated_at\nR1,9,2025-01-02,2025-01-09\n"
            "R2,8,2025-01-02,\nR3,7,2025-01-02,2025-01-03\n",
            "survey_responses/b.csv": f"{HEADER},updated_at\nR1,0,2025-01-02,2025-01-03\n"
            "R2,1,2025-01-02,\nR3,2,2025-01-02,2025-01-04\nR4,6,2025-01-05,\n",
        },
        {
            ANSWERS: [("R1", 9), ("R2", 1), ("R3", 2), ("R4", 6)],
            SUPERSEDED: [("R2", 2, "survey_responses/b.csv:2"),
                         ("R3", 3, "survey_responses/b.csv:3"),
                         ("R1", 1, "survey_responses/a.csv:1")],
        },
    ),
    "Q64": Quirk(
        answers("R1,9,2025-01-02", "R2,3,2025-01-02", "R1,9,2025-01-02"),
        {ANSWERS: [("R1", 9), ("R2", 3)], SUPERSEDED: [("R1", 1, "survey_responses.csv:3")]},
    ),
    "Q65": Quirk(
        answers("R1,9,2025-01-02,K1,complete", "R2,2,2025-01-02,K1,complete",
                header=f"{HEADER},customer_id,status"),
        {BLOCK: [(2, 1, 0, 1, 0)]},
    ),
    "Q66": Quirk(
        {
            "evaluations.csv": "contact_id,criterion,score\nC1,listening,5\nC1,Listening,4\n"
            "C1,listening,3\nC2,listening,2\n",
        },
        {
            "select contact_id, criterion, score from staging.stg_evaluations order by 1, 2": [
                ("C1", "Listening", 4), ("C1", "listening", 3), ("C2", "listening", 2),
            ],
            "select record_key, _source_row from staging.superseded_evaluations": [
                ("C1|listening", 1)
            ],
        },
    ),
    "Q67 text": Quirk(
        answers("1234567890123456789,9,2025-01-02", "1234567890123456788,3,2025-01-02"),
        {ANSWERS: [("1234567890123456788", 3), ("1234567890123456789", 9)]},
    ),
    "Q67 integer": Quirk(
        {
            "survey_responses.parquet": Parquet(
                "select 1234567890123456788 + n as response_id, 9 as score, date '2025-01-02' as "
                "responded_at from range(2) as t(n)"
            ),
        },
        {ANSWERS: [("1234567890123456788", 9), ("1234567890123456789", 9)]},
    ),
    "Q67 double": Quirk(
        {
            "survey_responses.parquet": Parquet(
                "select cast(1234567890123456789 as double) as response_id, 9 as score, "
                "date '2025-01-02' as responded_at"
            ),
        },
        refused=["key column response_id as DOUBLE", "2^53"],
    ),
    "Q68": Quirk(
        contacts(*["C1,D1,Phone,2025-01-01"] * 3),
        {
            "select contact_id from staging.stg_contacts": [("C1",)],
            "select _source_row, superseded_by from staging.superseded_contacts order by 1": [
                (1, "contacts.csv:3"), (2, "contacts.csv:3"),
            ],
        },
    ),
    # Dimensions.
    "Q69": Quirk(
        contacts(*[f"C{n},D1,{spelt},2025-01-01" for n, spelt in enumerate(
            ["Phone", "phone ", "PHONE\u00a0", "voice", "Teléfono", "TEL.", "phone call"])]),
        {
            "select channel, count(*) from marts.fct_contacts group by channel": [("phone", 7)],
            "select count(*) from quality.unmapped_channels": [(0,)],
        },
        found={"every_channel_is_mapped": 0},
    ),
    "Q70": Quirk(
        answers("R1,9,2025-01-02,C1,Premier Bet Chat EN", "R2,9,2025-01-02,C2,Premierbet Email EN",
                header=f"{HEADER},contact_id,survey_id"),
        {BY_DEPARTMENT: [("D1", 2, 100)]},
    ),
    "Q71": Quirk(
        contacts("C1,D1,Ph0ne,2025-01-01", "C2,Dl,phone,2025-01-01", "C3,D1,ph0ne,2025-01-01"),
        {
            "select channel, contacts from quality.unmapped_channels order by channel": [
                ("Ph0ne", 1), ("ph0ne", 1),
            ],
            "select contact_id, department_id, source_department_id from marts.fct_contacts "
            "order by 1": [("C1", "D1", "D1"), ("C2", "unknown", "Dl"), ("C3", "D1", "D1")],
        },
        found={"every_channel_is_mapped": 2, "every_department_of_contacts_is_delivered": 1},
    ),
    "Q72": Quirk(
        {
            "contacts.csv": "contact_id,department_id,channel,started_at,agent_id\n"
            "C1,D1,,2025-01-01,\nC2,D1,Phone,2025-01-01,A1\n",
            **answers("R1,9,2025-01-02,C1,K1", "R2,3,2025-01-02,C2,", "R3,8,2025-01-02,C9,",
                      header=f"{HEADER},contact_id,customer_id"),
        },
        {
            "select response_id, agent_id, channel, customer_id, segment "
            "from marts.fct_survey_responses order by 1": [
                ("R1", "unknown", "unknown", "K1", "unknown"),
                ("R2", "A1", "phone", "unknown", "unknown"),
                ("R3", "unknown", "unknown", "unknown", "unknown"),
            ],
            BLOCK: [(3, 1, 1, 1, 0)],
            **{
                f"select {key}, responses from marts.{mart} where survey_type = 'all' "
                "and period_type = 'all' order by 1": rows
                for mart, key, rows in [
                    ("nps_by_agent", "agent_id", [("A1", 1), ("unknown", 2)]),
                    ("nps_by_channel", "channel", [("phone", 1), ("unknown", 2)]),
                    ("nps_by_segment", "segment", [("unknown", 3)]),
                ]
            },
        },
    ),
    # Texts.
    "Q73 words": comments(".", "-", "No", "None", "N/A", "NA", "nil", "Nothing", "0", "hi"),
    "Q73 blanks": Quirk(
        answers('R1,9,2025-01-02,', 'R2,9,2025-01-02,"  "', "R3,9,2025-01-02,\u200b\u00a0",
                header=f"{HEADER},comment"),
        {COMMENTS: [(None,)] * 3},
    ),
    "Q74 text": comments("42", "9.5", "1e3", "true"),
    "Q74 number": Quirk(
        {
            "survey_responses.parquet": Parquet(
                "select 'R1' as response_id, 9 as score, date '2025-01-02' as responded_at, "
                "cast(42 as double) as comment"
            ),
        },
        {COMMENTS: [("42",)]},
    ),
    "Q75": Quirk(
        answers(
            "R1,9,2025-01-02,Write to jane.roe@example.com please.",
            "R2,9,2025-01-02,Call (212) 555-0187 after 5.",
            "R3,9,2025-01-02,Order 12345 took 3 days.",
            header=f"{HEADER},comment",
        ),
        {
            "select comment from marts.fct_survey_responses order by response_id": [
                ("Write to [e-mail] please.",), ("Call [phone] after 5.",),
                ("Order 12345 took 3 days.",),
            ],
        },
    ),
    # Status.
    "Q76": Quirk(
        answers("R1,9,2025-01-02,Partial,", "R2,,2025-01-02,partial,", "R3,9,2025-01-02,,TRUE",
                "R4,9,2025-01-02,Survey Preview,", header=f"{HEADER},status,is_test"),
        {
            "select response_id, status from staging.stg_survey_responses": [("R1", "partial")],
            REJECTED: [(2, EMPTY), (4, "not complete, partial or dismissed")],
            EXCLUDED: [("R3", "test")],
        },
    ),
    "Q77": Quirk(
        answers("R1,,2025-01-02,dismissed,2025-01-02", "R2,10,2025-01-02,,2025-01-03",
                "R2,0,2025-01-02,,2025-01-04", "R2,9,2025-01-02,,2025-01-02",
                header=f"{HEADER},status,updated_at"),
        {EXCLUDED: [("R1", "dismissed")], ANSWERS: [("R2", 0)], BLOCK: [(1, 0, 0, 1, -100)]},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(project: Compiled) -> Instant:
    return Instant(project)


def deliver(folder: Path, files: Mapping[str, str | bytes | Parquet]) -> Path:
    """Write a delivery: these files, and of the good one the tables they do not hold."""
    tables = {name.partition("/")[0].partition(".")[0] for name in files}
    good = {name: data for name, data in GOOD.items() if name.partition(".")[0] not in tables}
    for name, data in {**good, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(data, Parquet):
            duckdb.execute(f"copy ({data.query}) to '{path}' (format parquet)")
        else:
            path.write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


def models_in(queries: Iterable[str], warehouse: Instant) -> set[str]:
    """The models that queries name, with their schema."""
    named = set(re.findall(r"\b\w+\.(\w+)", " ".join(queries)))
    return named & warehouse.project.models.keys()


@pytest.mark.parametrize("name", QUIRKS)
def test_quirk(warehouse: Instant, tmp_path: Path, name: str) -> None:
    quirk = QUIRKS[name]
    report = warehouse.land(deliver(tmp_path, quirk.files))
    if quirk.refused:
        assert len(report.errors) == 1, report.errors
        missing = [part for part in quirk.refused if part not in report.errors[0]]
        assert not missing, report.errors[0]
        return
    assert report.errors == []
    if quirk.warned:
        assert any(all(part in warning for part in quirk.warned) for warning in report.warnings), (
            report.warnings
        )
    else:
        assert report.warnings == []
    tests = [warehouse.project.data_tests[name].query.replace('"', "") for name in quirk.found]
    warehouse.build(warehouse.project.in_order(models_in([*quirk.shows, *tests], warehouse)))
    seen = {query: warehouse.rows(query) for query in quirk.shows}
    assert seen == {query: list(rows) for query, rows in quirk.shows.items()}
    found = {name: len(warehouse.findings(name)) for name in quirk.found}
    assert found == quirk.found


# Every quirk is shown.


def test_all_quirks_are_listed() -> None:
    assert list(LISTED) == [f"Q{number:02}" for number in range(1, 78)]
    assert all(all(cell.strip() for cell in row.values()) for row in LISTED.values())


def test_every_quirk_is_shown_where_the_list_says() -> None:
    here = {name.split()[0] for name in QUIRKS}
    assert here == {id_ for id_, row in LISTED.items() if HERE.stem in row["shown_by"].split()}
    for name, quirk in QUIRKS.items():
        assert quirk.shows or quirk.refused, f"{name} shows nothing"


SHOWN_ELSEWHERE = sorted(
    {
        (module, id_)
        for id_, row in LISTED.items()
        for module in row["shown_by"].split()
        if module != HERE.stem
    }
)


@pytest.mark.parametrize("module", sorted({module for module, _ in SHOWN_ELSEWHERE}))
def test_other_modules_name_their_quirks(module: str) -> None:
    # A command's tests may be several modules of one name and an ending.
    texts = [path.read_text(encoding="utf-8") for path in HERE.parent.glob(f"{module}*.py")]
    named = {id_ for text in texts for id_ in re.findall(r"\bQ\d\d\b", text)}
    missing = [id_ for name, id_ in SHOWN_ELSEWHERE if name == module and id_ not in named]
    assert not missing, f"{module} shows no {', '.join(missing)}"
