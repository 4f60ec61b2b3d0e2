"""The landing as a SQL function of dbt-duckdb: `select nps_land(raw_dir, seeds_dir, adapted)`."""

from __future__ import annotations

import os
from typing import Any

import duckdb
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError
from duckdb.func import SPECIAL

from nps_warehouse.landing.land import land
from nps_warehouse.landing.report import Report
from nps_warehouse.landing.theme_labels import labels_file
from nps_warehouse.landing.warehouse_file import problem_of_warehouse_file
from nps_warehouse.memory import limited, problem_of_memory
from nps_warehouse.privacy.suppression import SuppressionError, load
from nps_warehouse.state.store import ALIAS, problem_of_state_file

AGENT_SALT_VARIABLE = "NPS_AGENT_SALT"


class Plugin(BasePlugin):
    """Registers `nps_land` on every connection."""

    def update_connection_config(
        self,
        creds: DuckDBCredentials,
        config: dict[str, Any],
    ) -> None:
        """Refuse what can't be opened or used, in one sentence; make a state where there is none.

        Args:
            creds: dbt's profile; `path` is the warehouse, the state is attached.
            config: DuckDB's settings, with which the file is then opened; left as they are.

        Raises:
            DbtRuntimeError: one of the files can't be opened, or NPS_MEMORY is no size.
        """
        problem = problem_of_memory() or problem_of_warehouse_file(creds.path, config)
        for attachment in creds.attach or []:
            if problem is None and attachment.alias == ALIAS:
                problem = problem_of_state_file(attachment.path)
        if problem is not None:
            raise DbtRuntimeError(problem)

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Called by dbt-duckdb before anything else uses it; the profile's settings come later."""
        register(limited(conn), attached_database(self.creds))

    def configure_cursor(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Give the agents' salt to a connection as a value: SQL is stored and logged, this is not.

        Args:
            cursor: called by dbt-duckdb for each one, before anything else uses it.
        """
        salt = os.environ.get(AGENT_SALT_VARIABLE)
        if salt:
            cursor.execute("set variable nps_agent_salt = ?", [salt])


def attached_database(creds: DuckDBCredentials | None) -> str | None:
    """The database that a build writes to, if it is no file that is opened but one attached to it.

    Args:
        creds: dbt's profile.
    """
    attached = [one.alias for one in (creds.attach or [])] if creds else []
    return creds.database if creds and creds.database in attached else None


def register(connection: duckdb.DuckDBPyConnection, database: str | None = None) -> None:
    """Make `nps_land` known to a connection.

    `nps_land(raw_dir, seeds_dir, adapted)` lands the files of `raw_dir` (null or empty: the shipped
    sample) and the seeds of `seeds_dir` (null or empty: none). The tables in `adapted`, with commas
    between, come from adapters too: their files may be missing. It returns JSON text with the
    lists `errors` and `warnings`, and raises nothing.

    Args:
        connection: the build's.
        database: attached to it, to land in; its default one where null.
    """

    def nps_land(raw_dir: str | None, seeds_dir: str | None, adapted: str | None) -> str:
        try:
            tables = tuple(filter(None, (adapted or "").split(",")))
            return land(
                connection,
                raw_dir,
                seeds_dir,
                adapted=tables,
                suppression=load(),
                labels=labels_file(),
                database=database,
            ).to_json()
        except SuppressionError as problem:
            # Who was forgotten must not come back because a variable is missing.
            report = Report()
            report.error(str(problem))
            return report.to_json()
        except Exception as problem:
            what = " ".join(f"{type(problem).__name__}: {problem}".split())
            report = Report()
            report.error(f"{what} (this is a defect of the landing, not of the delivered files)")
            return report.to_json()

    connection.create_function(
        "nps_land",
        nps_land,
        ["VARCHAR", "VARCHAR", "VARCHAR"],
        "VARCHAR",
        null_handling=SPECIAL,
        side_effects=True,
    )
