"""Header names: trimmed of every Unicode blank and zero-width character, and caseless."""

from __future__ import annotations

from collections.abc import Sequence

# Beside all that str.isspace() knows: the C0 controls and what has no width. The macro
# `blank_characters` trims the same from keys and codes.
_CONTROLS = "".join(map(chr, range(0x20)))
_ZERO_WIDTH = "\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff"
UNNAMED = "(unnamed)"


def clean_name(name: str) -> str:
    """`name` as it is compared with the contract."""
    start, end = 0, len(name)
    while start < end and _is_blank(name[start]):
        start += 1
    while end > start and _is_blank(name[end - 1]):
        end -= 1
    return name[start:end].lower()


def shown_name(name: str) -> str:
    """`name` as messages show it."""
    return clean_name(name) or UNNAMED


def twice(names: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of delivered names that are alike once cleaned; unnamed columns do not count."""
    seen: dict[str, str] = {}
    pairs = []
    for name in names:
        key = clean_name(name)
        if key and key in seen:
            pairs.append((seen[key], name))
        seen.setdefault(key, name)
    return pairs


def _is_blank(character: str) -> bool:
    return character.isspace() or character in _CONTROLS + _ZERO_WIDTH
