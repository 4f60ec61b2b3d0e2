"""Whether the warehouse file can be opened, said in words before dbt tries."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb


def problem_of_warehouse_file(path: str, config: Mapping[str, Any] | None = None) -> str | None:
    """Say why a DuckDB file can't be built in; make one where there is none.

    Args:
        path: the file, as the environment variable NPS_WAREHOUSE names it; it need not exist.
        config: DuckDB's settings; a new file has the format that they name.

    Returns:
        A sentence, or None where nothing is wrong.
    """
    if path == ":memory:":
        return None
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        return f"NPS_WAREHOUSE is {path}: there is no folder {folder}; make it first."
    try:
        duckdb.connect(path, config=dict(config or {})).close()
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        if "lock" in reason:
            return (
                f"NPS_WAREHOUSE is {path}: another program has the file open, and DuckDB lets only "
                f"one write. Close it (a BI tool, a notebook, another build) and run again. "
                f"DuckDB says: {reason}"
            )
        return (
            f"NPS_WAREHOUSE is {path}: it can't be opened as a warehouse. Name another file, or "
            f"remove it to have it built anew. DuckDB says: {reason}"
        )
    return None
