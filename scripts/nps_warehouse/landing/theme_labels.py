"""Lands the labels of the learnt classifier, a file of the state folder, as `raw.theme_labels`."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from nps_warehouse.landing import sql
from nps_warehouse.landing.report import Report
from nps_warehouse.privacy.suppression import DEFAULT_STATE_DIR, STATE_VARIABLE

FILE_NAME = "theme_labels.parquet"
TABLE = "theme_labels"
COLUMNS = {
    "response_id": "varchar",
    "theme": "varchar",
    "likelihood": "double",
    "classifier": "varchar",
}


def labels_file() -> Path:
    """Where the labels are: in NPS_STATE_DIR, else in the project's folder `state`."""
    return Path(os.environ.get(STATE_VARIABLE) or DEFAULT_STATE_DIR) / FILE_NAME


def land_labels(
    cursor: duckdb.DuckDBPyConnection, schema: str, file: Path | None, report: Report
) -> None:
    """Make the table hold what the file holds; empty where there is none.

    Args:
        cursor: a connection.
        schema: the schema, quoted.
        file: the Parquet file; None for none.
        report: receives that the file can't be read.
    """
    target = f"{schema}.{TABLE}"
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    cursor.execute(f"create or replace table {target} ({columns})")
    if file is None or not file.exists():
        return
    wanted = ", ".join(f"cast({name} as {kind})" for name, kind in COLUMNS.items())
    try:
        cursor.execute(f"insert into {target} select {wanted} from read_parquet({sql.path(file)})")
    except duckdb.Error as problem:
        reason = str(problem).splitlines()[0]
        report.error(
            f"labels of themes: {file} can't be read ({reason}). Make it anew with "
            "`nps themes classify`, or remove it."
        )
