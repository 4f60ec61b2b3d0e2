"""How much memory DuckDB may take before it puts what it works on beside the warehouse, on disk."""

from __future__ import annotations

import os
from collections.abc import Mapping

import duckdb

from nps_warehouse.landing import sql

VARIABLE = "NPS_MEMORY"

SHARE = 5
"""Of what DuckDB would take by itself, four fifths of the machine or of its container."""

LEAST = 2 * 2**30
"""Bytes below which a large build would do little but write and read again."""


class MemorySettingError(Exception):
    """NPS_MEMORY can't be used; the text says why."""


def limit(environ: Mapping[str, str] = os.environ) -> int:
    """DuckDB's limit of memory, in bytes: NPS_MEMORY, else a sixth of the machine.

    The rest is left to what else runs there, to Python and to the system's cache of files. A build
    sorts and joins on disk what is larger; the result is the same to the byte.

    Args:
        environ: environment variables.

    Raises:
        MemorySettingError: NPS_MEMORY is no size.
    """
    asked = environ.get(VARIABLE)
    with duckdb.connect() as connection:
        if not asked:
            default = _bytes(connection, "current_setting('memory_limit')")
            return max(default // SHARE, min(default, LEAST))
        try:
            given = _bytes(connection, sql.text(asked.strip()))
        except duckdb.Error:
            given = 0
    if given < 1:
        raise MemorySettingError(
            f"{VARIABLE} is {asked!r}: it has to be a size, such as 4GB or 512MB; without it a "
            "sixth of the machine's memory is taken"
        )
    return given


def problem_of_memory(environ: Mapping[str, str] = os.environ) -> str | None:
    """Say why NPS_MEMORY can't be used; None where it can, or where there is none.

    Args:
        environ: environment variables.
    """
    try:
        limit(environ)
    except MemorySettingError as problem:
        return str(problem)
    return None


def limited(
    connection: duckdb.DuckDBPyConnection, environ: Mapping[str, str] = os.environ
) -> duckdb.DuckDBPyConnection:
    """The connection, with its limit set.

    Args:
        connection: whatever else it has been set to stays.
        environ: environment variables.

    Raises:
        MemorySettingError: NPS_MEMORY is no size.
    """
    connection.execute(f"set memory_limit = '{limit(environ)}B'")
    return connection


def _bytes(connection: duckdb.DuckDBPyConnection, text: str) -> int:
    row = connection.execute(f"select parse_formatted_bytes({text})").fetchone()
    return int(row[0]) if row is not None and row[0] is not None else 0
