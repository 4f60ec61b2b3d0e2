"""The warehouse file of the commands: which one it is, and reading it without a traceback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import duckdb

from nps_warehouse.landing import sql
from nps_warehouse.landing.contract import PROJECT_DIR

DEFAULT_FILE = PROJECT_DIR / "target" / "nps_warehouse.duckdb"


def warehouse_file() -> Path:
    """The file that NPS_WAREHOUSE names, else the one that a plain build makes."""
    return Path(os.environ.get("NPS_WAREHOUSE") or DEFAULT_FILE)


@contextmanager
def reading(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that only reads a warehouse, as its default database.

    Args:
        file: the DuckDB file.

    Raises:
        click.ClickException: there is no such file, or it is no warehouse.
    """
    if not file.is_file():
        raise click.ClickException(
            f"there is no warehouse {file}; run a build, or name one with NPS_WAREHOUSE"
        )
    # Attached under a name of ours: a file called marts.duckdb would be ambiguous with its schema.
    with duckdb.connect() as connection:
        try:
            connection.execute(f"attach {sql.text(str(file))} as warehouse (read_only)")
            connection.execute("use warehouse")
        except duckdb.Error as problem:
            reason = str(problem).splitlines()[0]
            raise click.ClickException(f"{file} can't be read as a warehouse: {reason}") from None
        try:
            yield connection
        except duckdb.Error as problem:
            # A view over Parquet files that have moved, for example.
            reason = str(problem).splitlines()[0]
            raise click.ClickException(f"{file} can't be read to the end: {reason}") from None
