"""Shares of variance as a SQL function of dbt-duckdb: `nps_lmg([…])`."""

from __future__ import annotations

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from nps_warehouse.importance.shares import shares_of_variance


class Plugin(BasePlugin):
    """Registers `nps_lmg` on every connection."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Called by dbt-duckdb before anything else uses the connection."""
        register(conn)


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `nps_lmg` known to a connection.

    `nps_lmg(sums)` takes the sums that `shares_of_variance` takes, and returns R² and then the
    share of each variable.
    """

    def nps_lmg(sums: list[float]) -> list[float]:
        r_squared, shares = shares_of_variance(sums)
        return [r_squared, *shares]

    connection.create_function("nps_lmg", nps_lmg, ["DOUBLE[]"], "DOUBLE[]")
