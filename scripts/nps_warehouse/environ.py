"""Numbers that environment variables give."""

from __future__ import annotations

from collections.abc import Mapping


def whole_number(environ: Mapping[str, str], name: str, default: int, unit: str = "") -> int:
    """A whole number, 1 or more.

    Args:
        environ: environment variables.
        name: the variable; where it is empty or not there, the default counts.
        default: see there.
        unit: what is counted, for the message: `days`.

    Raises:
        ValueError: the variable is no such number; the text says so.
    """
    text = environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        what = f"a number of {unit}" if unit else "a number"
        raise ValueError(f"{name} is {text!r}: it has to be {what}, 1 or more")
    return int(text)
