"""Deliveries and warehouses for the tests of the gates: a clean one, and what spoils it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

DAYS = 56
CONTACTS_A_DAY = 24
ANSWERS_A_DAY = 12
FIRST_DAY = datetime(2026, 1, 5, tzinfo=UTC)
LAST_DAY = FIRST_DAY + timedelta(days=DAYS - 1)
# The newest event is at 11 o'clock of the last day.
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCORES = ["0", "10", "9", "8", "7", "6", "10", "9", "5", "3", "10", "8"]

Row = dict[str, str]


@dataclass
class Delivery:
    """The rows of each table as text, and how the files are written.

    `suffixes` adds bytes to the end of lines of a CSV file, by table and number of the row (from
    0); `types` are DuckDB types of columns of the Parquet file of survey_invitations.
    """

    tables: dict[str, list[Row]]
    now: datetime = NOW
    suffixes: dict[str, dict[int, bytes]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)

    def each(self, table: str, every: int, first: int = 0) -> Iterator[Row]:
        """One row in so many."""
        yield from self.tables[table][first::every]

    def keep(self, table: str, condition: Callable[[int, Row], bool]) -> None:
        """Keep rows by number and content."""
        rows = self.tables[table]
        self.tables[table] = [row for number, row in enumerate(rows) if condition(number, row)]

    def write(self, folder: Path) -> Path:
        """Write the files; returns the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for table, rows in self.tables.items():
            text = _csv(rows, self.suffixes.get(table, {}))
            if table == "survey_invitations":
                _write_parquet(folder / f"{table}.parquet", text, self.types)
            else:
                (folder / f"{table}.csv").write_bytes(text)
        return folder


def _csv(rows: list[Row], suffixes: dict[int, bytes]) -> bytes:
    lines = []
    for number, fields in enumerate([list(rows[0]), *(list(row.values()) for row in rows)], -1):
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(fields)
        lines.append(line.getvalue().encode() + suffixes.get(number, b""))
    return b"\n".join([*lines, b""])


def _write_parquet(path: Path, text: bytes, types: dict[str, str]) -> None:
    source = path.with_suffix(".source")
    source.write_bytes(text)
    with duckdb.connect() as connection:
        casts = ", ".join(f'cast("{c}" as {t}) as "{c}"' for c, t in types.items())
        connection.execute(
            f"copy (select * replace ({casts}) from read_csv('{source}', all_varchar = true)) "
            f"to '{path}' (format parquet)"
        )
    source.unlink()


def clean_delivery() -> Delivery:
    """A delivery that meets every expectation, large enough for each of them to be judged."""
    contacts, answers, invitations = [], [], []
    for day in range(DAYS):
        for number in range(CONTACTS_A_DAY):
            key = f"{day:02}{number:02}"
            started_at = FIRST_DAY + timedelta(days=day, minutes=30 * number)
            contacts.append(
                {
                    "contact_id": f"C{key}",
                    "department_id": f"D{number % 2}",
                    "channel": ("Phone", "email")[number % 2],
                    "started_at": f"{started_at:%Y-%m-%dT%H:%M:%S}Z",
                    "reason": ("Rechnung für Käufer", "delivery")[number % 2],
                }
            )
            invitations.append(
                {
                    "invitation_id": f"I{key}",
                    "contact_id": f"C{key}",
                    "sent_at": f"{started_at:%Y-%m-%d %H:%M:%S}",
                }
            )
        for number in range(ANSWERS_A_DAY):
            key = f"{day:02}{number:02}"
            responded_at = FIRST_DAY + timedelta(days=day, hours=number)
            answers.append(
                {
                    "response_id": f"R{key}",
                    "score": SCORES[number],
                    "responded_at": f"{responded_at:%Y-%m-%dT%H:%M:%S}Z",
                    "contact_id": f"C{key}",
                    "survey_id": "S1",
                    "survey_channel": "email",
                    "csat_score": str(1 + number % 5),
                    "comment": "Très bien, São Paulo",
                }
            )
    departments = [
        {"department_id": f"D{number}", "department_name": f"Team {number}"} for number in range(2)
    ]
    return Delivery(
        {
            "contacts": contacts,
            "departments": departments,
            "survey_invitations": invitations,
            "survey_responses": answers,
        },
        types={"sent_at": "timestamp"},
    )


@dataclass(frozen=True)
class RawCase:
    """What spoils a clean delivery, and which other expectations notice it too."""

    spoil: Callable[[Delivery], None]
    also: frozenset[str] = frozenset()


def _set(
    table: str, column: str, value: str, every: int, first: int = 0
) -> Callable[[Delivery], None]:
    def spoil(delivery: Delivery) -> None:
        for row in delivery.each(table, every, first):
            row[column] = value

    return spoil


def _replace_scores(new: Callable[[str], str]) -> Callable[[Delivery], None]:
    def spoil(delivery: Delivery) -> None:
        for row in delivery.each("survey_responses", 1):
            row["score"] = new(row["score"])

    return spoil


def _append(table: str, suffix: bytes, every: int) -> Callable[[Delivery], None]:
    def spoil(delivery: Delivery) -> None:
        rows = range(0, len(delivery.tables[table]), every)
        delivery.suffixes[table] = dict.fromkeys(rows, suffix)

    return spoil


def _keep(table: str, condition: Callable[[int, Row], bool]) -> Callable[[Delivery], None]:
    return lambda delivery: delivery.keep(table, condition)


def _drop_column(table: str, column: str) -> Callable[[Delivery], None]:
    def spoil(delivery: Delivery) -> None:
        for row in delivery.tables[table]:
            del row[column]

    return spoil


def _days_before_the_last(row: Row) -> int:
    return (LAST_DAY - datetime.fromisoformat(f"{row['started_at'][:10]}T00:00Z")).days


def _is_recent(row: Row) -> bool:
    return 1 <= _days_before_the_last(row) <= 7


def _drop_table(delivery: Delivery) -> None:
    del delivery.tables["contacts"]


def _later(delivery: Delivery) -> None:
    delivery.now = NOW + timedelta(days=8)


def _as_text(delivery: Delivery) -> None:
    delivery.types["sent_at"] = "varchar"


def _is_before_the_last_eight_days(_: int, row: Row) -> bool:
    return _days_before_the_last(row) >= 8


UNREADABLE = frozenset({"cells_are_readable", "cells_are_as_readable_as_before"})

RAW_CASES = {
    "required_tables_are_there": RawCase(_drop_table),
    "required_columns_are_there": RawCase(_drop_column("contacts", "channel")),
    "no_optional_column_vanished": RawCase(_drop_column("contacts", "reason")),
    "no_new_column": RawCase(_set("contacts", "email", "", 1)),
    "no_column_changed_type": RawCase(_as_text),
    "scores_are_readable": RawCase(_set("survey_responses", "score", "n/a", 4, 1), UNREADABLE),
    "answer_times_are_readable": RawCase(
        _set("survey_responses", "responded_at", "01/15/2026", 5), UNREADABLE
    ),
    "contact_times_are_readable": RawCase(
        _set("contacts", "started_at", "15.01.2026 10:00", 5), UNREADABLE
    ),
    "cells_are_readable": RawCase(
        _set("survey_responses", "csat_score", "good", 15),
        frozenset({"cells_are_as_readable_as_before"}),
    ),
    "cells_are_as_readable_as_before": RawCase(_set("survey_responses", "csat_score", "good", 25)),
    "scores_are_in_range": RawCase(_set("survey_responses", "score", "85", 10), UNREADABLE),
    "text_is_utf_8": RawCase(_append("survey_responses", b" d\xe9j\xe0", 500)),
    "text_is_utf_8_mostly": RawCase(
        _append("survey_responses", b" d\xe9j\xe0", 15), frozenset({"text_is_utf_8"})
    ),
    "lines_are_whole": RawCase(_append("survey_responses", b",one more", 15)),
    "text_is_not_garbled": RawCase(
        _set("survey_responses", "comment", "sehr schÃ¶n", 100),
    ),
    "a_large_batch_has_tens": RawCase(_replace_scores(lambda s: "9" if s == "10" else s)),
    "a_large_batch_has_zeros": RawCase(_replace_scores(lambda s: "1" if s == "0" else s)),
    "the_scale_reaches_beyond_five": RawCase(
        _replace_scores(lambda score: str(1 + int(score) * 4 // 10)),
        frozenset({"a_large_batch_has_tens", "a_large_batch_has_zeros"}),
    ),
    "channels_are_mapped": RawCase(_set("contacts", "channel", "Kiosk", 20)),
    "recent_volume_is_usual": RawCase(
        _keep("contacts", lambda number, row: not _is_recent(row) or number % 5 < 2),
    ),
    "recent_volume_did_not_collapse": RawCase(
        _keep("contacts", lambda number, row: not _is_recent(row) or number % 10 == 0),
        frozenset({"recent_volume_is_usual", "tables_do_not_shrink"}),
    ),
    "no_day_is_missing": RawCase(
        _keep("contacts", lambda _, row: _days_before_the_last(row) != 3),
    ),
    "tables_do_not_shrink": RawCase(
        _keep("contacts", lambda _, row: _days_before_the_last(row) < 48),
    ),
    "tables_do_not_collapse": RawCase(
        _keep("contacts", lambda number, _: number % 10 == 0),
        frozenset({"tables_do_not_shrink"}),
    ),
    "tables_are_as_new_as_the_delivery": RawCase(
        _keep("contacts", _is_before_the_last_eight_days),
        frozenset(
            {
                "recent_volume_is_usual",
                "recent_volume_did_not_collapse",
                "no_day_is_missing",
                "tables_do_not_shrink",
            }
        ),
    ),
    "delivery_is_new": RawCase(_later),
}

# Seven months that are over, of 1,200 answers, 2,400 contacts and invitations each; the last began
# in July 2026. August has begun.
CLEAN_WAREHOUSE = """
create schema marts;
create schema quality;

create table marts.fct_survey_responses as
select
    'R' || range as response_id,
    'transactional' as survey_type,
    ['email', 'sms'][1 + range % 2] as survey_channel,
    cast(range // 2 % 11 as integer) as score,
    1 + range % 5 as csat_score,
    1 + range % 7 as effort_score,
    cast(date '2026-01-01' + to_months(cast(range // 1200 as integer)) as date) as period_date
from range(8500);

create table marts.nps_by_period as
select
    survey_type,
    'month' as period_type,
    period_date as period_start,
    period_date < date '2026-08-01' as is_complete,
    count(*) as responses,
    count(*) filter (score >= 9) as promoters,
    count(*) filter (score in (7, 8)) as passives,
    count(*) filter (score <= 6) as detractors,
    100.0 * (promoters - detractors) / responses as nps
from (
    from marts.fct_survey_responses
    union all
    select * replace ('all' as survey_type) from marts.fct_survey_responses
)
group by survey_type, period_date;

create table marts.fct_contacts as
select
    'D' || range % 4 as department_id,
    cast(date '2026-01-01' + to_months(cast(range // 2400 as integer)) as date) as contact_date
from range(17000);

create table marts.fct_survey_invitations as
select
    'transactional' as survey_type,
    contact_date as sent_date,
    false as is_bounced,
    cast(row_number() over () % 4 = 0 as integer) as responses
from marts.fct_contacts;

create table quality.reconciliation as
select 'contacts' as table_name, 17200 as rows_read, 172 as rejected
union all
select 'departments', 4, 0
union all
select 'initiatives', 0, 0;
"""

_LAST_MONTH = "period_date = date '2026-07-01'"


@dataclass(frozen=True)
class MartsCase:
    """SQL that spoils a clean warehouse, and which other expectations notice it too."""

    spoil: str
    also: frozenset[str] = frozenset()


MARTS_CASES = {
    "scores_are_on_their_scale": MartsCase(
        "update marts.fct_survey_responses set score = 11 where response_id = 'R7'"
    ),
    "nps_is_on_its_scale": MartsCase(
        "update marts.nps_by_period set nps = -100.5 "
        "where survey_type = 'all' and period_start = date '2026-03-01'"
    ),
    "satisfaction_is_on_its_scale": MartsCase(
        "update marts.fct_survey_responses set csat_score = 6 where response_id = 'R8'"
    ),
    "effort_is_on_its_scale": MartsCase(
        "update marts.fct_survey_responses set effort_score = 0 where response_id = 'R9'"
    ),
    # Within the categories: three in four answers of 2 to 5 become a 1.
    "scores_are_distributed_as_before": MartsCase(
        "update marts.fct_survey_responses set score = 1 where score between 2 and 5 "
        f"and substr(response_id, 2)::int // 22 % 4 > 0 and {_LAST_MONTH}"
    ),
    "scores_are_answers_to_the_same_question": MartsCase(
        f"update marts.fct_survey_responses set score = 1 + score * 4 // 10 where {_LAST_MONTH}",
        frozenset({"scores_are_distributed_as_before"}),
    ),
    "category_shares_are_usual": MartsCase(
        "update marts.nps_by_period set promoters = promoters + 240, detractors = detractors - 240 "
        "where period_start = date '2026-07-01'"
    ),
    "response_rate_is_usual": MartsCase(
        "update marts.fct_survey_invitations set responses = 1 "
        "where sent_date = date '2026-07-01' and rowid % 5 = 0"
    ),
    "departments_have_their_usual_contacts": MartsCase(
        "delete from marts.fct_contacts "
        "where department_id = 'D1' and contact_date = date '2026-07-01'"
    ),
    "few_rows_are_rejected": MartsCase(
        "update quality.reconciliation set rejected = 1000 where table_name = 'contacts'",
        frozenset({"no_more_rows_are_rejected_than_before"}),
    ),
    "most_rows_are_accepted": MartsCase(
        "update quality.reconciliation set rejected = 4000 where table_name = 'contacts'",
        frozenset({"few_rows_are_rejected", "no_more_rows_are_rejected_than_before"}),
    ),
    "no_more_rows_are_rejected_than_before": MartsCase(
        "update quality.reconciliation set rejected = 600 where table_name = 'contacts'"
    ),
    "facts_do_not_collapse": MartsCase("delete from marts.fct_contacts where rowid // 4 % 10 > 0"),
}


def write_warehouse(file: Path, *statements: str) -> Path:
    """A warehouse with the tables that the gate reads; returns the file."""
    with duckdb.connect(str(file)) as connection:
        connection.execute("set threads = 1")
        for statement in (CLEAN_WAREHOUSE, *statements):
            connection.execute(statement)
    return file
