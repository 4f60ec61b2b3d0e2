"""Whether the warehouse file can be opened, said in words before dbt tries."""

from __future__ import annotations

from pathlib import Path

import duckdb


def problem_of_warehouse_file(path: str) -> str | None:
    """Say why a DuckDB file can't be built in.

    Args:
        path: the file, as the environment variable NPS_WAREHOUSE names it; it need not exist.

    Returns:
        A sentence, or None where nothing is wrong.
    """
    if path == ":memory:":
        return None
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        return f"NPS_WAREHOUSE is {path}: there is no folder {folder}; make it first."
    try:
        duckdb.connect(path).close()
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
