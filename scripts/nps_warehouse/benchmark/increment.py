"""A day's delivery behind one that is there: new contacts with their surveys, corrections."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from nps_warehouse.benchmark.floor import files

DAYS = 1096
"""Days the generated data spans: a day is that part of it."""

_CORRECTED = 20
"""Of so many answers of a day's number, one is a correction of an older answer."""

_TABLES = ("contacts", "survey_invitations", "survey_responses")
_DAY_FILE = "zz-day.parquet"


def history(raw_dir: Path, folder: Path) -> None:
    """A folder of its own that holds the same deliveries, so that a day can be added to it.

    Args:
        raw_dir: Parquet files as the generator names and types them.
        folder: made; its files are the same files (hard links) where the disk allows.
    """

    def place(source: str, target: str) -> None:
        try:
            Path(target).hardlink_to(Path(source).resolve())
        except OSError:
            shutil.copyfile(source, target)

    shutil.copytree(raw_dir, folder, copy_function=place)


def add_day(folder: Path) -> int:
    """Add a file to each table that grows by the day.

    A day's contacts are like those of the history, one of so many as it has days, moved behind its
    end; their invitations and answers come with them. One in twenty answers of the day is a
    correction of an older one.

    Args:
        folder: made by `history`.

    Returns:
        Rows added.

    Raises:
        FileNotFoundError: a table has no Parquet files.
        duckdb.Error: a file cannot be read or lacks a column.
    """
    with duckdb.connect() as connection:
        for table in _TABLES:
            paths = [str(path) for path in files(folder, table)]
            connection.execute(f"create view {table} as select * from read_parquet({paths!r})")
        connection.execute(
            f"""
            create table chosen as
            select contact_id, date_diff('day', cast(started_at as date), end_date) as days
            from contacts
            cross join (select max(cast(started_at as date)) + 1 as end_date from contacts)
            where hash(contact_id) % {DAYS} = 0
            """
        )
        later = {
            "contacts": ("contact_id", ("started_at", "ended_at", "updated_at")),
            "survey_invitations": (
                "invitation_id",
                ("sent_at", "delivered_at", "opened_at", "updated_at"),
            ),
            "survey_responses": ("response_id", ("responded_at", "updated_at")),
        }
        rows = 0
        for table, (key, moments) in later.items():
            keys = {key, "contact_id", *(["invitation_id"] if table == "survey_responses" else [])}
            replaced = [f"t.{name} || '-day' as {name}" for name in sorted(keys)]
            replaced += [f"t.{name} + to_days(cast(days as integer)) as {name}" for name in moments]
            select = (
                f"select t.* replace ({', '.join(replaced)}) "
                f"from {table} as t inner join chosen using (contact_id)"
            )
            if table == "survey_responses":
                select += (
                    " union all select t.* replace (10 - t.score as score, "
                    "(select max(started_at) from contacts) as updated_at) "
                    "from (from survey_responses order by hash(response_id), response_id limit ("
                    f"select greatest(1, count(*) // {DAYS * _CORRECTED}) from survey_responses"
                    ")) as t"
                )
            target = folder / table / _DAY_FILE
            connection.execute(f"copy ({select}) to '{target}' (format parquet)")
            counted = connection.execute(
                "select count(*) from read_parquet($1)", [str(target)]
            ).fetchone()
            assert counted is not None
            rows += int(counted[0])
    return rows


def remove_day(folder: Path) -> None:
    """Take the day's files away again.

    Args:
        folder: made by `history`.
    """
    for table in _TABLES:
        (folder / table / _DAY_FILE).unlink(missing_ok=True)
