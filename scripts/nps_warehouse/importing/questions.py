"""Chooses a question among answers that come one per row: by id or text, never by its scale."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from nps_warehouse.importing.mapping import Choice, describe
from nps_warehouse.importing.refusal import ImportRefusedError
from nps_warehouse.importing.sources import Source

QUESTION_SEPARATOR = "' | '"
"""SQL of what stands between the columns that identify a question."""


def choose(
    cursor: duckdb.DuckDBPyConnection,
    source: Source,
    answers: str,
    question: str,
    texts: Sequence[str],
    choice: Choice,
    target: str,
    *,
    is_single: bool,
) -> dict[str, str]:
    """The questions chosen: their identity, and how messages show them.

    Args:
        cursor: the connection that holds the answers.
        source: the file of the answers.
        answers: SQL of its rows, as a relation named answer.
        question: SQL of a question's identity.
        texts: SQL of the columns with its text.
        choice: how it is chosen.
        target: table and column that need it.
        is_single: whether several are refused.

    Raises:
        ImportRefusedError: there is none, or more than one.
    """
    columns = ", ".join([question, *texts])
    every: dict[str, list[str]] = {}
    for row in cursor.execute(f"select distinct {columns} from {answers} order by all").fetchall():
        names = every.setdefault(row[0], row[0].split(" | "))
        names += [text for text in row[1:] if text is not None and text not in names]
    found = {key: names for key, names in every.items() if choice.fits([key, *names])}
    shown = {key: " = ".join(dict.fromkeys(n for n in names if n)) for key, names in found.items()}
    if not found or (is_single and len(found) > 1):
        there = shown or {
            key: " = ".join(dict.fromkeys(n for n in names if n)) for key, names in every.items()
        }
        how_many = f"{len(found)} questions are" if found else "no question is"
        raise ImportRefusedError(
            f"{source.path}: {how_many} the one that {target} comes from. "
            f"{'They' if found else 'There'} are {describe(list(there.values()))}. Choose one in "
            f"the mapping: `{target.rpartition('.')[2]}: {{answer_to: {{id: …}}, take: …}}`."
        )
    return shown
