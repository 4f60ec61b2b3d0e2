"""Inserts rows of text into a DuckDB table by one parameter.

Binding values one at a time costs DuckDB's Python client many times what reading them costs.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

# No text has a NUL in it (a record with one is rejected), so neither mark occurs in a value.
_NEXT_FIELD = "\0,"
_NEXT_ROW = "\0\n"


def insert_text_rows(
    cursor: duckdb.DuckDBPyConnection, target: str, width: int, rows: Iterable[list[str]]
) -> None:
    """Insert rows, an empty text as null.

    Args:
        cursor: connection to write with.
        target: quoted name of a table with `width` columns; texts are cast to their types.
        width: fields per row.
        rows: the rows, without NUL in any text.
    """
    text = _NEXT_ROW.join(map(_NEXT_FIELD.join, rows))
    if not text:
        return
    fields = ", ".join(f"nullif(fields[{index + 1}], '')" for index in range(width))
    cursor.execute(
        f"insert into {target} select {fields} from (select string_split("
        "unnest(string_split(?, chr(0) || chr(10))), chr(0) || ',') as fields)",
        [text],
    )
