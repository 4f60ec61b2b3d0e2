"""The lake for builds of dbt-duckdb: its extensions, its address, and one run at a time."""

from __future__ import annotations

from typing import Any

import duckdb
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.flags import get_flags
from dbt_common.exceptions import DbtRuntimeError
from psycopg2 import extensions

from nps_warehouse.ducklake.lake import ALIAS, LakeError, lake, locked, prepare
from nps_warehouse.postgres.server import ServerError

# Commands of dbt that change tables; the others read beside them.
CHANGING = ("build", "clone", "retry", "run", "run-operation", "seed", "snapshot")


class Plugin(BasePlugin):
    """Makes every connection one to the lake."""

    _lock: extensions.connection | None = None

    def update_connection_config(
        self,
        creds: DuckDBCredentials,  # noqa: ARG002 - dbt-duckdb passes them
        config: dict[str, Any],  # noqa: ARG002
    ) -> None:
        """Wait for another run to end, before dbt looks which tables there are.

        A lake lets two runs begin and refuses the one that commits later; rows that both add to a
        table it takes from both.

        Args:
            creds: dbt's profile.
            config: DuckDB's settings, left as they are.

        Raises:
            DbtRuntimeError: the other run does not end, or there is no lake.
        """
        command = get_flags().WHICH  # type: ignore[no-untyped-call]
        if command not in CHANGING or self._lock is not None:
            return
        try:
            # Held until the process is gone: dbt says to no plugin that a run is over.
            self._lock = locked(lake())
        except (LakeError, ServerError) as problem:
            raise DbtRuntimeError(f"ducklake: {problem}") from None

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Called by dbt-duckdb before it attaches what the profile names.

        Args:
            conn: the build's.

        Raises:
            DbtRuntimeError: an extension is missing, or a variable can't be used.
        """
        try:
            place = lake()
            place.data.mkdir(mode=0o750, parents=True, exist_ok=True)
            prepare(conn, place)
        except (LakeError, ServerError) as problem:
            raise DbtRuntimeError(f"ducklake: {problem}") from None

    def configure_cursor(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Names without a database are the lake's.

        Args:
            cursor: called by dbt-duckdb for each one, once everything is attached.
        """
        cursor.execute(f"use {ALIAS}")
