"""One workbook of published tables: a sheet each, described by a first and a second sheet."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import xlsxwriter
from xlsxwriter.exceptions import XlsxFileError

from nps_warehouse.landing import sql
from nps_warehouse.publishing.place import FOLDER_MODE
from nps_warehouse.publishing.versions import Version

LONGEST_NAME = 31
LONGEST_TEXT = 32_767
"""Characters of a cell; Excel keeps no more."""
EXACT = 2**53
"""Excel's numbers are doubles: a larger whole number is written as text."""
FIRST_YEAR = 1900
BATCH = 10_000
CONTENTS, COLUMNS = "contents", "columns"
# Excel keeps this name for itself.
TAKEN = (CONTENTS, COLUMNS, "history")

Tables = Mapping[tuple[str, str], int]


def write_workbook(
    connection: duckdb.DuckDBPyConnection, file: Path, tables: Tables, version: Version
) -> int:
    """Write a workbook; returns how many texts were longer than a cell and were cut.

    Args:
        connection: where the published file is attached as `shown`.
        file: where to write.
        tables: rows by schema and name; no more than a sheet has.
        version: what is published.

    Raises:
        OSError: the file can't be written.
    """
    names = sheet_names([name for _, name in tables])
    # What an interrupted call has left goes.
    folder = file.with_name(".sheets.new")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=FOLDER_MODE)
    try:
        book = xlsxwriter.Workbook(
            file,
            {
                # Rows leave memory as they are written.
                "constant_memory": True,
                "tmpdir": str(folder),
                # A text is a text, whatever it begins with.
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "use_zip64": True,
            },
        )
        # The same version is the same bytes.
        moment = version.published_at.replace(tzinfo=None)
        book.set_properties({"title": f"NPS, version {version.id}", "created": moment})
        formats = {
            "header": book.add_format({"bold": True, "bottom": 1}),
            "link": book.add_format({"font_color": "blue", "underline": 1}),
            "wrapped": book.add_format({"text_wrap": True, "valign": "top"}),
            date: book.add_format({"num_format": "yyyy-mm-dd"}),
            datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        }
        _contents(book, connection, tables, names, formats)
        _columns(book, connection, tables, names, formats)
        cut = 0
        for (table, count), name in zip(tables.items(), names, strict=True):
            cut += _sheet(book.add_worksheet(name), connection, table, count, formats)
        try:
            book.close()
        except XlsxFileError as problem:
            raise OSError(str(problem)) from problem
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return cut


def sheet_names(tables: list[str]) -> list[str]:
    """Names of sheets: at most 31 characters, and no two the same whatever their case.

    Args:
        tables: names of tables.
    """
    taken = set(TAKEN)
    names = []
    for table in tables:
        name, again = table[:LONGEST_NAME], 1
        while name.lower() in taken:
            again += 1
            mark = f"~{again}"
            name = table[: LONGEST_NAME - len(mark)] + mark
        taken.add(name.lower())
        names.append(name)
    return names


def _header(sheet: Any, names: list[str], rows: int, formats: Mapping[Any, Any]) -> None:
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(rows, 1), len(names) - 1)
    for number, name in enumerate(names):
        sheet.write_string(0, number, name, formats["header"])
        sheet.set_column(number, number, max(10, min(len(name) + 3, 40)))


def _contents(
    book: Any,
    connection: duckdb.DuckDBPyConnection,
    tables: Tables,
    names: list[str],
    formats: Mapping[Any, Any],
) -> None:
    described = {
        (row[0], row[1]): row[2]
        for row in connection.execute(
            "select schema_name, table_name, comment from duckdb_tables() "
            "where database_name = 'shown' and comment is not null"
        ).fetchall()
    }
    sheet = book.add_worksheet(CONTENTS)
    _header(sheet, ["sheet", "table", "rows", "description"], len(tables), formats)
    sheet.set_column(0, 1, 40)
    sheet.set_column(3, 3, 110)
    for number, ((schema, table), count, name) in enumerate(
        ((table, tables[table], name) for table, name in zip(tables, names, strict=True)), start=1
    ):
        sheet.write_url(number, 0, f"internal:'{name}'!A1", formats["link"], name)
        sheet.write_string(number, 1, f"{schema}.{table}")
        sheet.write_number(number, 2, count)
        text = str(described.get((schema, table), ""))
        sheet.write_string(number, 3, text[:LONGEST_TEXT], formats["wrapped"])


def _columns(
    book: Any,
    connection: duckdb.DuckDBPyConnection,
    tables: Tables,
    names: list[str],
    formats: Mapping[Any, Any],
) -> None:
    sheet_of = dict(zip(tables, names, strict=True))
    rows = [
        (sheet_of[(schema, table)], column, kind.lower(), comment or "")
        for schema, table, column, kind, comment in connection.execute(
            "select schema_name, table_name, column_name, data_type, comment "
            "from duckdb_columns() where database_name = 'shown' order by 1, 2, column_index"
        ).fetchall()
        if (schema, table) in sheet_of
    ]
    sheet = book.add_worksheet(COLUMNS)
    _header(sheet, ["sheet", "column", "type", "description"], len(rows), formats)
    sheet.set_column(0, 1, 40)
    sheet.set_column(3, 3, 110)
    for number, row in enumerate(rows, start=1):
        for column, text in enumerate(row):
            sheet.write_string(number, column, text[:LONGEST_TEXT], formats["wrapped"])


def _sheet(
    sheet: Any,
    connection: duckdb.DuckDBPyConnection,
    table: tuple[str, str],
    count: int,
    formats: Mapping[Any, Any],
) -> int:
    result = connection.execute(f"select * from shown.{sql.name(table[0])}.{sql.name(table[1])}")
    _header(sheet, [str(column[0]) for column in result.description or []], count, formats)
    cut = number = 0
    while batch := result.fetchmany(BATCH):
        for row in batch:
            number += 1
            for column, value in enumerate(row):
                cut += _cell(sheet, number, column, value, formats)
    return cut


def _cell(sheet: Any, row: int, column: int, value: object, formats: Mapping[Any, Any]) -> bool:
    """Write a cell of the value's own type; whether it was cut."""
    if value is None:
        return False
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, date) and value.year >= FIRST_YEAR:
        kind = datetime if isinstance(value, datetime) else date
        sheet.write_datetime(row, column, value, formats[kind])
    elif isinstance(value, int | float | Decimal) and _is_exact(value):
        sheet.write_number(row, column, value)
    else:
        text = str(value)
        sheet.write_string(row, column, text[:LONGEST_TEXT])
        return len(text) > LONGEST_TEXT
    return False


def _is_exact(value: float | Decimal) -> bool:
    """Whether Excel has the number: no infinity, and no whole number that a double can't hold."""
    return math.isfinite(value) and not (isinstance(value, int) and abs(value) > EXACT)
