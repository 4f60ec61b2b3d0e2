"""Runs by_hand.sql on a folder of Parquet files: ``python -m … RAW_DIR SEEDS_DIR DATABASE``."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

SCRIPT = Path(__file__).with_name("by_hand.sql")
# The format of the file as in profiles.yml. Its rows' order the script needs: of two versions of a
# row the later wins.
CONFIG = {"storage_compatibility_version": "v1.4.0"}


def build(raw_dir: Path, seeds_dir: Path, database: Path) -> None:
    """Make the marts of a folder of raw tables in a new DuckDB file.

    Args:
        raw_dir: Parquet files as ``generate_sample --format parquet --without-dirty-rows`` names
            and types them.
        seeds_dir: the reference tables, as CSV.
        database: the file to make.

    Raises:
        duckdb.Error: a file cannot be read or lacks a column.
    """
    with duckdb.connect(str(database), config=dict(CONFIG)) as connection:
        for name, folder in (("raw_dir", raw_dir), ("seeds_dir", seeds_dir)):
            quoted = str(folder).replace("'", "''")
            connection.execute(f"set variable {name} = '{quoted}'")
        connection.execute(SCRIPT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    build(*(Path(argument) for argument in sys.argv[1:4]))
