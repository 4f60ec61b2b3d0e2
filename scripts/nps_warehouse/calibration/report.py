"""The table of a calibration, and what it breaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from nps_warehouse.calibration.measure import Found, Share

MEANINGS = {
    "false_changes": "changes called up or down where nothing changed, %",
    "months_with_false_changes": "months with any such call, %",
    "published": "score intervals that hold the truth, %",
    "shrunk": "shrunk intervals that hold it, %",
    "rankings": "rankings whose rank intervals all hold, %",
    "expected": "intervals against the expected score that hold it, %",
    "false_verdicts": "called better or worse than expected without being it, %",
    "false_ties": "rankings of equal agents that are split into tie groups, %",
}
"""What each figure of `Found` is called."""

LIMITS = {
    "false_changes": (0.0, 5.0),
    "published": (93.0, 97.0),
    "expected": (93.0, 97.0),
    "false_verdicts": (0.0, 5.0),
    "rankings": (95.0, 100.0),
}
"""Between which percentages a figure has to lie, in every kind of world that has it."""


def markdown(found: Mapping[str, Found]) -> str:
    """A Markdown table: a line a figure, a column a kind of world.

    Args:
        found: by kind of world.
    """
    lines = [
        f"| | {' | '.join(found)} | limits |",
        "|---" * (len(found) + 2) + "|",
    ]
    for field in fields(Found):
        shares: list[Share | None] = [getattr(of, field.name) for of in found.values()]
        cells = [
            "" if share is None else f"{share.percent:.2f} of {share.of:,}" for share in shares
        ]
        low, high = LIMITS.get(field.name, (None, None))
        limits = "" if low is None else f"{low:g}-{high:g}"
        lines.append(f"| {MEANINGS[field.name]} | {' | '.join(cells)} | {limits} |")
    return "\n".join(lines) + "\n"


def broken(found: Mapping[str, Found]) -> list[str]:
    """A sentence for every figure outside its limits, or without anything counted.

    Args:
        found: by kind of world.
    """
    problems = []
    for world, of in found.items():
        for name, (low, high) in LIMITS.items():
            share: Share | None = getattr(of, name)
            if share is not None and not low <= share.percent <= high:
                problems.append(
                    f"{world}: {MEANINGS[name]}: {share.percent:.2f}, not {low:g}-{high:g}"
                )
    return problems
