"""What the importer does not do, with the reason and what to do instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class ImportRefusedError(Exception):
    """An export is not imported; the text says which, why and what to do."""


def closest(wanted: str, names: Iterable[str]) -> str:
    """` Did you mean …?`, or nothing where no name is like the one wanted.

    Args:
        wanted: what was written.
        names: what there is.
    """
    by_lower = {name.lower(): name for name in names}
    match = difflib.get_close_matches(wanted.lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean {by_lower[match[0]]!r}?" if match else ""


def quoted(values: Sequence[str], most: int = 3) -> str:
    """The first values, quoted, with commas between.

    Args:
        values: texts of a file.
        most: how many are shown.
    """
    return ", ".join(repr(value) for value in values[:most])
