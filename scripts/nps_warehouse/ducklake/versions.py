"""The lake at the end of each build: what time travel goes back to, and what is kept of it.

Every model that a build makes is a snapshot of the lake, some hundreds a build, and in those
between some tables are of this build and some of the one before. The snapshot that ends a build has
an author, so that readers find the lakes that were whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from nps_warehouse.ducklake.lake import ALIAS, Lake, connected

AUTHOR = "nps_warehouse"
BUILDS = "staging._builds"


@dataclass(frozen=True)
class Version:
    """The lake at the end of a build.

    Attributes:
        number: of the snapshot, for `at (version => …)`.
        ended_at: when the build ended.
        arguments: that dbt was given.
    """

    number: int
    ended_at: datetime
    arguments: str


def note_build(place: Lake, arguments: str) -> int:
    """Make the snapshot that ends a build; returns its number. The caller holds the lock of runs.

    Args:
        place: the lake.
        arguments: that dbt was given.
    """
    with connected(place, read_only=False) as connection:
        # A snapshot without a change is none.
        connection.execute("create schema if not exists staging")
        connection.execute(
            f"create table if not exists {BUILDS} (ended_at timestamptz, arguments varchar)"
        )
        connection.execute("begin")
        connection.execute(f"delete from {BUILDS}")
        connection.execute(f"insert into {BUILDS} values (?, ?)", [datetime.now(UTC), arguments])
        connection.execute(
            f"call {ALIAS}.set_commit_message('{AUTHOR}', ?)", [arguments or "everything"]
        )
        connection.execute("commit")
        return newest(connection)


def newest(connection: duckdb.DuckDBPyConnection) -> int:
    """The number of the lake's newest snapshot.

    Args:
        connection: to the lake.
    """
    row = connection.execute(f"select max(snapshot_id) from {ALIAS}.snapshots()").fetchone()
    assert row is not None
    return int(row[0])


def versions(place: Lake) -> list[Version]:
    """The lakes at the ends of builds that are still there, the oldest first.

    Args:
        place: the lake.
    """
    with connected(place) as connection:
        rows = connection.execute(
            "select snapshot_id, snapshot_time, commit_message "
            f"from {ALIAS}.snapshots() where author = ? order by snapshot_id",
            [AUTHOR],
        ).fetchall()
    return [Version(int(number), ended_at, str(message)) for number, ended_at, message in rows]
