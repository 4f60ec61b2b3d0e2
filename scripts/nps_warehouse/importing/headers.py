"""The columns of an export and all the names they have.

A survey tool's header has several rows: codes, question texts, ids. A column may be asked for by
any of them, so that a mapping holds whatever the language of the export.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from nps_warehouse.importing.mapping import Choice, describe
from nps_warehouse.importing.refusal import ImportRefusedError, closest
from nps_warehouse.landing.names import clean_name, twice

HEADER_ROWS = 3
"""Most rows a header has."""

_IMPORT_ID = re.compile(r"^\s*\{\s*['\"]ImportId['\"]\s*:")


@dataclass(frozen=True)
class Column:
    """A column of an export: its place from 0, and its names, the plainest first."""

    position: int
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        """How messages name it."""
        return self.names[0] if self.names else f"(unnamed, number {self.position + 1})"


@dataclass(frozen=True)
class Header:
    """The columns of an export; `rows` records of it are its header."""

    shown: str
    columns: tuple[Column, ...]
    rows: int
    kind: str

    def find(self, names: Sequence[str]) -> Column | None:
        """The column of the first name that is there; None where none is.

        Names of the first row count before names of the other rows.

        Args:
            names: what the column may be called.

        Raises:
            ImportRefusedError: several columns have the name.
        """
        for name in names:
            wanted = clean_name(name)
            plain = [c for c in self.columns if c.names and clean_name(c.names[0]) == wanted]
            found = plain or [c for c in self.columns if wanted in map(clean_name, c.names)]
            if len(found) > 1:
                raise ImportRefusedError(
                    f"{self.shown}: {len(found)} columns are called {name!r} "
                    f"({describe([c.name for c in found])}). Name the one by another of its names."
                )
            if found:
                return found[0]
        return None

    def missing(self, names: Sequence[str], target: str) -> ImportRefusedError:
        """What to say where a mapped column is not there.

        Args:
            names: what was looked for.
            target: table and column that need it.
        """
        there = [column.name for column in self.columns]
        everything = [name for column in self.columns for name in column.names]
        hint = next((text for name in names if (text := closest(name, everything))), "")
        return ImportRefusedError(
            f"{self.shown}: there is no column {' or '.join(map(repr, names))}, which the mapping "
            f"takes {target} from.{hint} There are {describe(there)}. Name the column in "
            "the mapping; where the raw table may do without, mark it `optional: true`."
        )

    def question(self, choice: Choice, target: str) -> Column:
        """The one column that is the question chosen.

        Args:
            choice: how it is chosen.
            target: table and column that need it.

        Raises:
            ImportRefusedError: there is none, or more than one.
        """
        found = self._with_one_beside(choice.beside) if choice.beside is not None else []
        if not found:
            found = [column for column in self.columns if choice.fits(column.names)]
        if len(found) == 1:
            return found[0]
        there = [" = ".join(dict.fromkeys(c.names)) for c in (found or self.columns)]
        how_many = f"{len(found)} columns are" if found else "no column is"
        raise ImportRefusedError(
            f"{self.shown}: {how_many} the question that {target} comes from. "
            f"{'They' if found else 'There'} are {describe(there)}. Name the one in the mapping: "
            f"`{target.rpartition('.')[2]}: {{column: …}}`."
        )

    def _with_one_beside(self, suffix: str) -> list[Column]:
        """The columns that have another one of their own name and this suffix."""
        every = {clean_name(name) for column in self.columns for name in column.names}
        ending = clean_name(suffix)
        return [
            column
            for column in self.columns
            if any(f"{clean_name(name)}{ending}" in every for name in column.names)
        ]


def read_header(kind: str, records: Sequence[Sequence[str]], shown: str) -> Header:
    """The header of an export.

    Args:
        kind: `plain`, `qualtrics` or `surveymonkey`.
        records: its first records, at most `HEADER_ROWS`.
        shown: how messages name it.

    Raises:
        ImportRefusedError: two columns of one name, or no such header.
    """
    if not records or not any(name.strip() for name in records[0]):
        raise ImportRefusedError(f"{shown}: it has no header row.")
    if kind == "surveymonkey":
        return _surveymonkey(records, shown)
    for first, second in twice(records[0]):
        raise ImportRefusedError(
            f"{shown}: two columns are called {first!r} and {second!r}: names are compared without "
            "case and without blanks around them. Rename or remove one in the export."
        )
    if kind == "qualtrics":
        return _qualtrics(records, shown)
    return Header(shown, _columns([records[0]]), 1, "one header row")


def _columns(rows: Sequence[Sequence[str]]) -> tuple[Column, ...]:
    width = len(rows[0])
    named = []
    for position in range(width):
        names = [row[position].strip() for row in rows if position < len(row)]
        named.append(Column(position, tuple(dict.fromkeys(name for name in names if name))))
    return tuple(named)


def _import_ids(record: Sequence[str]) -> list[str] | None:
    """The ids of Qualtrics' third row, also as Python writes it; None for any other row."""
    ids = []
    for cell in record:
        if not cell.strip():
            ids.append("")
            continue
        if not _IMPORT_ID.match(cell):
            return None
        try:
            content = json.loads(cell) if '"' in cell else ast.literal_eval(cell.strip())
            ids.append(str(content["ImportId"]))
        except (ValueError, SyntaxError, KeyError, TypeError, RecursionError, MemoryError):
            return None
    return ids if any(ids) else None


def _qualtrics(records: Sequence[Sequence[str]], shown: str) -> Header:
    for number, record in enumerate(records[1:], 1):
        ids = _import_ids(record)
        if ids is not None:
            names = [records[0], ids, *records[1:number]]
            return Header(shown, _columns(names), number + 1, f"{number + 1} header rows")
    # Before 2017: codes, then labels.
    codes = [clean_name(name) for name in records[0]]
    labels = [clean_name(name) for name in records[1]] if len(records) > 1 else []
    if codes[:1] == ["v1"] and labels[:1] == ["responseid"]:
        return Header(shown, _columns(records[:2]), 2, "two header rows (legacy)")
    raise ImportRefusedError(
        f'{shown}: it has none of Qualtrics\' headers: no row of {{"ImportId": …}} under the '
        f"column names, nor V1 over ResponseID. The first row is {describe(records[0])}. Export "
        "it anew as CSV, or declare `header: plain` for its source."
    )


def _surveymonkey(records: Sequence[Sequence[str]], shown: str) -> Header:
    first = [clean_name(name) for name in records[0]]
    if first[:2] != ["respondent id", "collector id"] or len(records) < 2:
        raise ImportRefusedError(
            f"{shown}: it has not SurveyMonkey's header of two rows, which begins with "
            f"'Respondent ID' and 'Collector ID'. The first row is {describe(records[0])}. "
            "Declare `header: plain` for its source."
        )
    columns, above = [], ""
    for position, name in enumerate(records[0]):
        above = name.strip() or above
        below = records[1][position].strip() if position < len(records[1]) else ""
        both = f"{above} / {below}" if below else above
        names = (name.strip(), both) if name.strip() else (both,)
        columns.append(Column(position, tuple(dict.fromkeys(names))))
    return Header(shown, tuple(columns), 2, "two header rows")
