"""Quoting of names, texts and paths in the SQL that the landing writes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def name(identifier: str) -> str:
    """`identifier` as a quoted SQL name."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: str) -> str:
    """`value` as a SQL text literal."""
    return "'" + value.replace("'", "''") + "'"


def path(file: Path) -> str:
    """The path of one file as a SQL text literal that no wildcard in it changes."""
    escaped = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(file))
    return text(escaped)


def columns(names: Iterable[str]) -> str:
    """Quoted names with commas between."""
    return ", ".join(name(one) for one in names)
