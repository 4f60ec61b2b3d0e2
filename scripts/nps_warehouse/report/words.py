"""What the marts' words mean to who reads a page. Nothing is judged here."""

from __future__ import annotations

import re

from nps_warehouse.report.figures import Row

LANGUAGE_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
BANDS = {"needs_work": "needs work", "good": "good", "excellent": "excellent"}
TARGETS = {
    "met": "met, and certain",
    "missed": "missed, and certain",
    "undecided": "undecided",
}
POSITIONS = {
    "below_p10": "in the lowest tenth",
    "p10_to_p50": "in the lower half",
    "p50_to_p90": "in the upper half",
    "above_p90": "in the best tenth",
    "undecided": "undecided",
}
CLASSES = {
    "structural": "structural: it comes back period after period",
    "watch": "to watch: more often than before",
    "noise": "noise: may well be chance",
}
NO_EVIDENCE = "no evidence"
FOLLOW_UPS = {
    "any": "called back",
    "fixed": "called back and fixed",
    "explained": "called back and explained",
    "unreachable": "not reached",
    "unknown": "outcome not noted",
}
RESTATEMENTS = {
    "late": "answers came late",
    "corrected_in": "answers were corrected",
    "corrected_out": "answers were corrected",
    "deleted": "answers were deleted",
    "definition_in": "the definition changed",
    "definition_out": "the definition changed",
}


def plain(name: str) -> str:
    """A name made for machines as people read it.

    Args:
        name: such as `long_wait`.
    """
    return name.replace("_", " ")


def band(name: str | None) -> str:
    """A band of the seed `nps_bands` in words.

    Args:
        name: the band; None where none holds the score.
    """
    return "" if name is None else BANDS.get(name, plain(name))


def verdict(row: Row, prefix: str = "") -> str:
    """The verdict on a change, in words: what it says, or why there is none.

    Args:
        row: with `verdict`, `adjusted_p_value`, `is_complete`, `nps_change` and the like.
        prefix: of the columns' names: `year_` for the year before.
    """
    found = row[f"{prefix}verdict"]
    if row[f"{prefix}nps_change"] is None:
        return "nothing to compare with"
    if row[f"{prefix}adjusted_p_value"] is None:
        why = "too few answers" if row["is_complete"] else "the period is not over"
        return f"{NO_EVIDENCE} ({why})"
    return {
        "up": "up, more than chance makes",
        "down": "down, more than chance makes",
    }.get(str(found), str(found))


def language(name: str | None) -> str | None:
    """A language as pages declare it; None where it is none that they may.

    Args:
        name: as delivered, such as `es` or `pt-BR`.
    """
    return name if name and LANGUAGE_TAG.fullmatch(name) else None


def restatement(row: Row) -> str:
    """Why a published number is not today's.

    Args:
        row: of `nps_restatements`.
    """
    reasons = [text for name, text in RESTATEMENTS.items() if row[f"{name}_responses"]]
    return ", ".join(dict.fromkeys(reasons)) or "an answer's category changed"
