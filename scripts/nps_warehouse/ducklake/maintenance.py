"""What builds leave in a lake, taken away: old snapshots, small files, files of nobody.

An increment adds a small file to a table and a list of rows that are gone to the files it has. What
a table was before stays until nobody may ask for it any more.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from nps_warehouse.ducklake.lake import ALIAS, Lake, LakeError, connected
from nps_warehouse.ducklake.versions import newest, versions

# A table's files are written anew where so much of one is gone.
GONE_SHARE = 0.01


@dataclass(frozen=True)
class Contents:
    """What a lake holds.

    Attributes:
        snapshots: how many of them can be asked for.
        files: of all tables as they are now, with their lists of rows that are gone.
        stored: files in the folder, those of older snapshots included.
        bytes: of the files in the folder.
    """

    snapshots: int
    files: int
    stored: int
    bytes: int


def contents(place: Lake) -> Contents:
    """Count what is there.

    Args:
        place: the lake.
    """
    with connected(place) as connection:
        files = _number(
            connection,
            "select coalesce(sum(file_count + delete_file_count), 0) "
            f"from ducklake_table_info('{ALIAS}')",
        )
        snapshots = _number(connection, f"select count(*) from {ALIAS}.snapshots()")
    stored = [file.stat().st_size for file in place.data.rglob("*") if file.is_file()]
    return Contents(snapshots, files, len(stored), sum(stored))


def maintain(place: Lake, keep: int, grace_minutes: int = 60) -> None:
    """Forget what was before the last builds, and make few files of many.

    The caller holds the lock of runs. What a version that is kept is made of stays as it is.

    Args:
        place: the lake.
        keep: builds at whose ends the lake can still be asked for; 1 or more.
        grace_minutes: age of a file that is of no more use before it is deleted: a reader may be in
            the middle of it.

    Raises:
        LakeError: less than one build, or a negative number of minutes.
    """
    if keep < 1 or grace_minutes < 0:
        raise LakeError("maintenance keeps 1 build or more, and files for 0 minutes or more")
    kept = {version.number for version in versions(place)[-keep:]}
    with connected(place, read_only=False) as connection:
        # The newest stays, whoever made it. Those between two builds are half of each.
        kept.add(newest(connection))
        expired = [
            int(row[0])
            for row in connection.execute(
                f"select snapshot_id from {ALIAS}.snapshots() order by snapshot_id"
            ).fetchall()
            if row[0] not in kept
        ]
        old = f"older_than => now() - interval {grace_minutes} minutes"
        # A run that was killed left files that no table has, as have those being written right now.
        lost = "older_than => now() - interval 1 day"
        calls = [
            f"ducklake_flush_inlined_data('{ALIAS}')",
            f"ducklake_rewrite_data_files('{ALIAS}', delete_threshold => {GONE_SHARE})",
            f"ducklake_merge_adjacent_files('{ALIAS}')",
            f"ducklake_cleanup_old_files('{ALIAS}', {old})",
            f"ducklake_delete_orphaned_files('{ALIAS}', {lost})",
        ]
        if expired:
            calls.insert(1, f"ducklake_expire_snapshots('{ALIAS}', versions => {expired})")
        for call in calls:
            connection.execute(f"call {call}").fetchall()


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
