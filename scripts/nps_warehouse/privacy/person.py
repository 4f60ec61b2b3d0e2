"""Where forgotten customers stand in the delivered files, and what they said there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from nps_warehouse.landing import sql
from nps_warehouse.landing.forget import LINKED, OWNED, trimmed
from nps_warehouse.landing.land import land
from nps_warehouse.privacy.rewrite import Person

# A comment shorter than this is written by many.
LEAST_COMMENT = 12


@dataclass(frozen=True)
class Place:
    """Rows of a delivered file, numbered from 1, that name someone or hold their words."""

    source_file: str
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Delivered:
    """What a raw folder still holds of people."""

    person: Person
    places: tuple[Place, ...]


def as_delivered(customer_ids: Iterable[str]) -> frozenset[str]:
    """Ids trimmed as the contract reads keys; empty ones are dropped.

    Args:
        customer_ids: as the user typed them.
    """
    rows = duckdb.execute(
        f"select {trimmed('id')} from (select unnest(?::varchar[]) as id)", [list(customer_ids)]
    ).fetchall()
    return frozenset(str(row[0]) for row in rows if row[0] is not None)


def find_delivered(raw_dir: Path, customer_ids: frozenset[str]) -> Delivered:
    """Land a folder once more, beside the warehouse, and look people up in it.

    Args:
        raw_dir: the folder of raw files.
        customer_ids: whom to look for, trimmed.

    Raises:
        ValueError: the folder can't be landed; the text says why.
    """
    with (
        tempfile.TemporaryDirectory(prefix="nps-forget-") as folder,
        duckdb.connect(str(Path(folder) / "delivered.duckdb")) as connection,
    ):
        report = land(connection, str(raw_dir))
        if report.errors:
            raise ValueError("\n".join(report.errors))
        connection.execute("create temp table people as select unnest(?::varchar[]) as customer_id",
                           [sorted(customer_ids)])  # fmt: skip
        return _look_up(connection, customer_ids)


def _look_up(connection: duckdb.DuckDBPyConnection, customer_ids: frozenset[str]) -> Delivered:
    def is_of(column: str) -> str:
        return f"{trimmed(column)} in (select customer_id from temp.people)"

    for table in ("contacts", "survey_invitations"):
        connection.execute(
            f"create temp table of_{table} as select distinct {trimmed(LINKED[table])} as key "
            f"from raw.{table} where {is_of('customer_id')}"
        )
    # The answer's customer, else its contact's, else its invitation's; and every version of it.
    connection.execute(
        f"create temp table of_survey_responses as select distinct {trimmed('response_id')} as key "
        f"from raw.survey_responses where {is_of('customer_id')} or ("
        f"{trimmed('customer_id')} is null and ("
        f"{trimmed('contact_id')} in (select key from temp.of_contacts) or "
        f"{trimmed('invitation_id')} in (select key from temp.of_survey_invitations)))"
    )
    of_answers = f"{trimmed('response_id')} in (select key from temp.of_survey_responses)"
    places: dict[str, list[int]] = {}
    for table in (*LINKED, *OWNED):
        condition = is_of("customer_id")
        if table == "survey_responses":
            condition = f"({condition} or ({of_answers} and {trimmed('comment')} is not null))"
        rows = connection.execute(
            f"select _source_file, _source_row from raw.{sql.name(table)} where {condition} "
            "order by 1, 2"
        ).fetchall()
        for file, row in rows:
            places.setdefault(str(file), []).append(int(row))
    comments = connection.execute(
        f"select comment from raw.survey_responses where length(comment) >= {LEAST_COMMENT} "
        f"group by comment having bool_and(coalesce({of_answers}, false))"
    ).fetchall()

    def keys(table: str) -> frozenset[str]:
        rows = connection.execute(f"select key from temp.of_{table} where key is not null")
        return frozenset(str(row[0]) for row in rows.fetchall())

    return Delivered(
        Person(
            customer_ids,
            keys("survey_responses"),
            keys("contacts"),
            frozenset(str(row[0]) for row in comments),
        ),
        tuple(Place(file, tuple(rows)) for file, rows in places.items()),
    )
