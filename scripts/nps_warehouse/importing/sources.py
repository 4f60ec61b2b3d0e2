"""Reads the files of an export into DuckDB, every cell as text, and counts every record."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import python_calamine

from nps_warehouse.importing.encodings import first_bytes, refuse_binary, utf8_file
from nps_warehouse.importing.headers import HEADER_ROWS, Column, Header, read_header
from nps_warehouse.importing.mapping import SourceRule, describe
from nps_warehouse.importing.refusal import ImportRefusedError, closest
from nps_warehouse.importing.time_formats import BLANKS
from nps_warehouse.landing import sql
from nps_warehouse.landing.csv_loader import LEAST_LINE_SIZE, LONGEST_FAST_RECORD
from nps_warehouse.landing.csv_reader import Record, read_rows, wrong_count
from nps_warehouse.landing.csv_scan import hash_file, scan
from nps_warehouse.landing.text_rows import insert_text_rows

BATCH_ROWS = 20_000
BATCH_CHARACTERS = 16 * 1024 * 1024
EXCEL_SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
GREATEST_WHOLE_DOUBLE = 2**53


@dataclass
class Source:
    """One file of an export.

    `used` are the places of the columns that are loaded, `mapped` of those that the mapping names.
    `rows` counts the records after the header, broken ones included, and `broken` says what is
    wrong with those.
    """

    rule: SourceRule
    path: Path
    header: Header
    sha256: str
    notes: list[str]
    records: Iterable[Record] | None = None
    utf8: Path | None = None
    used: set[int] = field(default_factory=set)
    mapped: set[int] = field(default_factory=set)
    rows: int = 0
    broken: list[str] = field(default_factory=list)

    @property
    def table(self) -> str:
        """Quoted name of the DuckDB table that holds its rows."""
        return sql.name(f"source_{self.rule.name}")

    def use(self, column: Column, alias: str, *, is_mapped: bool = True) -> str:
        """SQL of a column's cell as it came; null where it is empty.

        Args:
            column: a column of the header.
            alias: what the query calls the file's table.
            is_mapped: whether the column is then no left-over.
        """
        self.used.add(column.position)
        if is_mapped:
            self.mapped.add(column.position)
        cell = f"{alias}.c{column.position}"
        if not self.rule.empty:
            return cell
        words = ", ".join(sql.text(word.strip().lower()) for word in self.rule.empty)
        return f"case when lower({trimmed(cell)}) in ({words}) then null else {cell} end"

    def left_over(self) -> list[str]:
        """Names of the columns that the mapping does not read."""
        return [c.name for c in self.header.columns if c.position not in self.mapped and c.names]


def trimmed(text: str) -> str:
    """SQL of a text without the blanks around it; null when nothing is left.

    Args:
        text: SQL of the text.
    """
    return f"nullif(regexp_replace({text}, '^[{BLANKS}]+|[{BLANKS}]+$', '', 'g'), '')"


def is_excel(rule: SourceRule, path: Path) -> bool:
    """Whether a file is read as a workbook.

    Args:
        rule: what the mapping says of it.
        path: the file.
    """
    if rule.format is not None:
        return rule.format == "excel"
    return path.suffix.lower() in EXCEL_SUFFIXES


def open_source(rule: SourceRule, path: Path, work: Path) -> Source:
    """Read the header of a file, and find out all that can make it unusable.

    Args:
        rule: what the mapping says of it.
        path: the file.
        work: folder for a copy in UTF-8.

    Raises:
        ImportRefusedError: it cannot be used; the text says why and what to do.
    """
    if is_excel(rule, path):
        return _open_excel(rule, path)
    refuse_binary(path)
    text = utf8_file(path, rule.encoding, rule.fallback_encoding, work / f"{rule.name}.utf8")
    records = _skip(_records(text.path, rule), rule.skip_rows)
    first: list[Sequence[str]] = []
    for record in itertools.islice(records, HEADER_ROWS):
        if record.error is not None:
            if not first:
                raise ImportRefusedError(
                    f"{path}: its header row cannot be read: {record.error}. Declare the "
                    "`delimiter` and `encoding` of its source, or export it again."
                )
            break
        first.append(record.fields)
    header = read_header(rule.header, first, str(path))
    # A blank stays in no name, so a file with another delimiter has one long name.
    if len(header.columns) == 1 and (other := _other_delimiter(header.columns[0].name, rule)):
        raise ImportRefusedError(
            f"{path}: its header is one column, {header.columns[0].name!r}. Declare "
            f"`delimiter: {other!r}` for its source."
        )
    source = Source(
        rule, path, _with_unpivot(rule, header), hash_file(path), [text.note], utf8=text.path
    )
    if header.kind != "one header row":
        source.notes.append(header.kind)
    return source


def _with_unpivot(rule: SourceRule, header: Header) -> Header:
    """The header with the two columns that an unpivot adds."""
    if rule.unpivot is None:
        return header
    width = len(header.columns)
    added = (Column(width, (rule.unpivot.label,)), Column(width + 1, (rule.unpivot.value,)))
    return Header(header.shown, (*header.columns, *added), header.rows, header.kind)


def _other_delimiter(name: str, rule: SourceRule) -> str | None:
    for delimiter, written in ((";", ";"), ("\t", "tab"), ("|", "|"), (",", ",")):
        if delimiter in name and delimiter != rule.delimiter:
            return written
    return None


def _records(path: Path, rule: SourceRule) -> Iterator[Record]:
    """Every record but empty lines, which are none."""
    for record in read_rows(path, delimiter=rule.delimiter, escape=rule.escape):
        if record.fields or record.error is not None:
            yield record


def _skip(records: Iterator[Record], count: int) -> Iterator[Record]:
    return itertools.islice(records, count, None)


def load_source(cursor: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Read the rows of a file into its DuckDB table: the used columns, in its order.

    Args:
        cursor: connection to write with.
        source: an opened file; receives its counts.

    Raises:
        ImportRefusedError: it has records, and none can be read.
    """
    unpivot = source.rule.unpivot
    width = len(source.header.columns) - (2 if unpivot else 0)
    if unpivot is not None:
        unpivoted = {_column(source, name).position for name in unpivot.columns}
        source.used |= unpivoted
        source.mapped |= unpivoted
    used = sorted(position for position in source.used if position < width)
    if source.records is None and source.rule.delimiter == "," and source.rule.escape is None:
        _load_fast(cursor, source, width, used)
    if not source.rows:
        _load_slowly(cursor, source, width, used)
    if source.rows and source.rows == len(source.broken):
        raise ImportRefusedError(
            f"{source.path}: none of its {source.rows:,} records can be read; of the first: "
            f"{source.broken[0]}. Declare the `delimiter`, `escape` and `skip_rows` of its source, "
            "or export it again."
        )
    if unpivot is not None:
        _unpivot(cursor, source, width)


def _column(source: Source, name: str) -> Column:
    column = source.header.find([name])
    if column is None:
        raise source.header.missing([name], "unpivot")
    return column


def _unpivot(cursor: duckdb.DuckDBPyConnection, source: Source, width: int) -> None:
    unpivot = source.rule.unpivot
    assert unpivot is not None
    count = len(unpivot.columns)
    selects = [
        f"select *, {sql.text(label)} as c{width}, "
        f"c{_column(source, name).position} as c{width + 1}, "
        f"rowid * {count} + {number} as place from {source.table}"
        for number, (name, label) in enumerate(unpivot.columns.items())
    ]
    cursor.execute(f"create table unpivoted as {' union all '.join(selects)}")
    cursor.execute(
        f"create or replace table {source.table} as "
        "select * exclude (place) from unpivoted order by place"
    )
    cursor.execute("drop table unpivoted")
    source.notes.append(f"{count} columns made into rows")
    source.rows *= count


def _load_fast(
    cursor: duckdb.DuckDBPyConnection, source: Source, width: int, used: list[int]
) -> None:
    """Leave a file to DuckDB where every record of it is beyond doubt; else do nothing."""
    assert source.utf8 is not None
    scanned = scan(source.utf8, width)
    expected = scanned.records + 1
    if scanned.irregular is not None or scanned.longest_record > LONGEST_FAST_RECORD:
        return
    columns = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(width))
    line_size = max(LEAST_LINE_SIZE, 2 * scanned.longest_record)
    header = source.rule.skip_rows + source.header.rows
    cells = ", ".join(f"c{position}" for position in used) or "c0"
    try:
        cursor.execute(
            f"create table {source.table} as select {cells} from read_csv({sql.path(source.utf8)}, "
            f"auto_detect = false, columns = {{{columns}}}, header = false, skip = 0, delim = ',', "
            "quote = '\"', escape = '\"', comment = '', nullstr = '', allow_quoted_nulls = true, "
            "null_padding = false, strict_mode = true, ignore_errors = false, encoding = 'utf-8', "
            "compression = 'none', hive_partitioning = false, "
            f"max_line_size = {line_size})"
        )
    except duckdb.Error:
        cursor.execute(f"drop table if exists {source.table}")
        return
    found = cursor.execute(
        f"select count(*), coalesce(max(rowid), -1) from {source.table}"
    ).fetchone()
    if found != (expected, expected - 1):
        return
    cursor.execute(f"delete from {source.table} where rowid < {header}")
    source.rows = expected - header


def _load_slowly(
    cursor: duckdb.DuckDBPyConnection, source: Source, width: int, used: list[int]
) -> None:
    # A table has a column, also where only the number of its rows is asked for.
    used = used or [0]
    columns = ", ".join(f"c{position} varchar" for position in used)
    cursor.execute(f"create or replace table {source.table} ({columns})")
    if source.records is None:
        assert source.utf8 is not None
        records = _skip(_records(source.utf8, source.rule), source.rule.skip_rows)
    else:
        records = iter(source.records)
    batch: list[list[str]] = []
    characters = 0
    for number, record in enumerate(records, 1):
        if number <= source.header.rows:
            continue
        source.rows += 1
        error = record.error
        if error is None and len(record.fields) != width:
            error = wrong_count(record, width)
        if error is not None:
            source.broken.append(error)
            continue
        fields = [record.fields[position] for position in used]
        characters += sum(map(len, fields))
        batch.append(fields)
        if len(batch) >= BATCH_ROWS or characters >= BATCH_CHARACTERS:
            insert_text_rows(cursor, source.table, len(used), batch)
            batch, characters = [], 0
    insert_text_rows(cursor, source.table, len(used), batch)


def _open_excel(rule: SourceRule, path: Path) -> Source:
    first_bytes(path)
    try:
        with python_calamine.CalamineWorkbook.from_path(path) as workbook:
            names = workbook.sheet_names
            if rule.sheet is None and len(names) != 1:
                raise ImportRefusedError(
                    f"{path}: it has {len(names)} sheets: {describe(names)}. Declare "
                    "`sheet: …` for its source."
                )
            if rule.sheet is not None and rule.sheet not in names:
                raise ImportRefusedError(
                    f"{path}: it has no sheet {rule.sheet!r}.{closest(rule.sheet, names)} "
                    f"There are {describe(names)}."
                )
            sheet = workbook.get_sheet_by_name(rule.sheet or names[0])
            rows = [
                [_cell(cell, path, number, place) for place, cell in enumerate(row)]
                for number, row in enumerate(sheet.iter_rows(), 1)
            ]
    except (python_calamine.CalamineError, OSError, ValueError) as problem:
        raise ImportRefusedError(
            f"{path}: it cannot be read as a workbook ({problem}). Save it again without a "
            "password, or export it as CSV."
        ) from None
    records = [Record(row) for row in rows if any(row)][rule.skip_rows :]
    header = read_header(rule.header, [r.fields for r in records[:HEADER_ROWS]], str(path))
    return Source(
        rule, path, _with_unpivot(rule, header), hash_file(path), ["Excel"], records=records
    )


def _cell(cell: object, path: Path, row: int, place: int) -> str:
    """A cell as text: a date as ISO 8601, a whole number without its fraction."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        if abs(cell) >= GREATEST_WHOLE_DOUBLE:
            raise ImportRefusedError(
                f"{path}: row {row}, column {place + 1} is the number {cell:.0f}, of which Excel "
                "keeps 15 digits. Format the column as text and fill it again, or export as CSV."
            )
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(" ")
    if isinstance(cell, (dt.date, dt.time)):
        return cell.isoformat()
    # A NUL has no meaning in a workbook's text.
    return str(cell).replace("\0", "")


def match_sources(
    rules: Iterable[SourceRule], paths: Sequence[Path], shown: str
) -> dict[str, Path]:
    """Which of an export's files is which source of the mapping.

    Args:
        rules: the sources.
        paths: the files.
        shown: how messages name the export.

    Raises:
        ImportRefusedError: a source has no file, or more than one.
    """
    matched: dict[str, Path] = {}
    for rule in rules:
        found = [path for path in paths if path.match(rule.file)]
        if len(found) > 1:
            raise ImportRefusedError(
                f"{shown}: {describe([path.name for path in found])} all are the source "
                f"{rule.name} ({rule.file}). Import them one at a time."
            )
        if found:
            matched[rule.name] = found[0]
        elif not rule.optional:
            raise ImportRefusedError(
                f"{shown}: no file is the source {rule.name} ({rule.file}). There are "
                f"{describe([path.name for path in paths])}. Add it, or say its name in "
                f"`sources.{rule.name}.file`."
            )
    return matched
