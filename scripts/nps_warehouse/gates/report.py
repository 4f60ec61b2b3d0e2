"""What a gate found, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nps_warehouse.exit_codes import CRITICAL_FAILED, OK
from nps_warehouse.gates.expectations import CRITICAL
from nps_warehouse.gates.figure import Figure
from nps_warehouse.gates.judge import Failure, Outcome

MOST_PLACES = 10
"""Places that the text shows of an expectation; the JSON has all."""


@dataclass(frozen=True)
class Result:
    """A run of a gate.

    `source` is what was checked, `at` and `as_of` are ISO 8601; `seen` are all figures, `figures`
    says what each of them is; `notes` say what could not be judged and why.
    """

    gate: str
    source: Path
    at: str
    as_of: str | None
    compared_with: str | None
    accepted: bool
    outcomes: tuple[Outcome, ...]
    seen: tuple[Figure, ...]
    figures: Mapping[str, str]
    notes: tuple[str, ...]
    docs: Path | None

    @property
    def stops(self) -> bool:
        """Whether publishing has to stop."""
        return any(outcome.stops for outcome in self.outcomes)

    @property
    def exit_code(self) -> int:
        """The exit code of the command."""
        return CRITICAL_FAILED if self.stops else OK


def to_json(result: Result) -> str:
    """The whole result.

    Args:
        result: of a run.
    """
    return json.dumps(
        {
            "gate": result.gate,
            "source": str(result.source),
            "at": result.at,
            "as_of": result.as_of,
            "compared_with": result.compared_with,
            "accepted": result.accepted,
            "exit_code": result.exit_code,
            "notes": result.notes,
            "data_docs": str(result.docs / "index.html") if result.docs else None,
            "expectations": [_outcome(outcome) for outcome in result.outcomes],
        },
        ensure_ascii=False,
        indent=2,
    )


def _outcome(outcome: Outcome) -> dict[str, object]:
    declared = outcome.expectation
    return {
        "id": declared.id,
        "success": not outcome.failures,
        "severity": declared.severity,
        "figure": declared.figure,
        "where": dict(declared.where),
        "expectation": declared.expectation,
        "arguments": dict(declared.arguments),
        "minimum_volume": declared.minimum_volume,
        "judged": outcome.judged,
        "too_small": outcome.too_small,
        "meaning": declared.meaning,
        "to_do": declared.to_do,
        "who": declared.who,
        "failures": [
            {
                "table_name": one.table_name,
                "column_name": one.column_name or None,
                "part": one.part or None,
                # JSON has no infinity.
                "value": one.value if abs(one.value) < float("inf") else None,
                "volume": one.volume,
                "detail": one.detail or None,
                "keys": one.keys.split("; ") if one.keys else [],
            }
            for one in outcome.failures
        ],
    }


def to_text(result: Result) -> str:
    """What a person needs to know: the failed expectations, critical ones first.

    Args:
        result: of a run.
    """
    failed = sorted(
        (outcome for outcome in result.outcomes if outcome.failures),
        key=lambda outcome: not outcome.stops,
    )
    critical = sum(outcome.stops for outcome in failed)
    idle = sum(not outcome.judged for outcome in result.outcomes)
    verdict = "STOP, do not publish" if critical else "passed"
    counts = (
        f"{critical} critical, {len(failed) - critical} warnings of {len(result.outcomes)} "
        f"expectations; {idle} had too little to judge."
    )
    earlier = (
        f"with the accepted run of {result.compared_with}"
        if result.compared_with
        else "with no earlier run: none was accepted yet"
    )
    lines = [
        f"check {result.gate}: {verdict}. {counts}",
        f"Checked    {result.source}",
        f"Compared   {earlier}",
    ]
    lines += [f"Note       {note}" for note in result.notes]
    for outcome in failed:
        lines += ["", *_failed_lines(outcome, result.figures[outcome.expectation.figure])]
    if result.docs:
        lines += ["", f"Data Docs  {result.docs / 'index.html'}"]
    return "\n".join(lines)


def _failed_lines(outcome: Outcome, figure: str) -> Iterator[str]:
    declared = outcome.expectation
    word = "CRITICAL" if declared.severity == CRITICAL else "WARNING"
    yield f"{word} {declared.id}"
    yield f"  expected  {declared.figure} {declared.expected} ({' '.join(figure.split())})"
    for one in outcome.failures[:MOST_PLACES]:
        detail = f" ({one.detail})" if one.detail else ""
        yield f"  seen      {one.value:.4g} in {_place(one)}{detail}"
        if one.keys:
            yield f"            rows {one.keys}"
    if len(outcome.failures) > MOST_PLACES:
        yield f"  seen      and in {len(outcome.failures) - MOST_PLACES} more places"
    yield f"  means     {declared.meaning}"
    yield f"  to do     {declared.to_do} ({declared.who})"


def _place(one: Failure) -> str:
    column = f".{one.column_name}" if one.column_name else ""
    return f"{one.table_name}{column}{f', {one.part}' if one.part else ''}"
