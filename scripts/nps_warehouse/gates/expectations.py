"""The declared expectations, read from `expectations/raw.yml` and `expectations/marts.yml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from nps_warehouse.landing.contract import PROJECT_DIR
from nps_warehouse.landing.report import name_list

EXPECTATIONS_DIR = PROJECT_DIR / "expectations"

CRITICAL, WARNING = "critical", "warning"
SEVERITIES = (CRITICAL, WARNING)
PLACES = ("table_name", "column_name", "part")
"""Columns of a figure that `where` may ask for."""

_REQUIRED = ("id", "figure", "expectation", "arguments", "severity", "meaning", "to_do", "who")
_OPTIONAL = ("where", "minimum_volume")


class BadInputError(Exception):
    """What a gate was given cannot be used; the text says what, why and what to do."""


@dataclass(frozen=True)
class Expectation:
    """One declared expectation on the column `value` of a figure.

    `expectation` and `arguments` are Great Expectations' own; `minimum_volume` is in the unit of
    the figure's volume.
    """

    id: str
    figure: str
    expectation: str
    arguments: Mapping[str, float]
    severity: str
    meaning: str
    to_do: str
    who: str
    where: Mapping[str, str] = field(default_factory=dict)
    minimum_volume: float = 0

    @property
    def expected(self) -> str:
        """The bounds in words."""
        low = self.arguments.get("min_value")
        high = self.arguments.get("max_value")
        if low is None:
            return f"at most {high:g}"
        if high is None:
            return f"at least {low:g}"
        return f"from {low:g} to {high:g}"


@dataclass(frozen=True)
class Declaration:
    """All that a gate expects.

    `figures` says of each figure what it is, `events` of each table which timestamp says when its
    rows happened.
    """

    gate: str
    figures: Mapping[str, str]
    expectations: tuple[Expectation, ...]
    events: Mapping[str, str]

    def least_volume(self, figures: tuple[str, ...]) -> float:
        """The smallest minimum volume of any expectation on some figures; infinite for none.

        Args:
            figures: names of figures.
        """
        volumes = [e.minimum_volume for e in self.expectations if e.figure in figures]
        return min(volumes, default=float("inf"))


def load(path: Path) -> Declaration:
    """Read the declared expectations of a gate.

    Args:
        path: a file like `expectations/raw.yml`.

    Raises:
        BadInputError: the file cannot be read, or declares something that is no expectation.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise BadInputError(f"expectations {path} cannot be read: {problem}") from problem
    if not isinstance(document, dict) or not {"gate", "figures", "expectations"} <= set(document):
        raise BadInputError(f"expectations {path} need gate, figures and expectations.")
    figures = document["figures"]
    expectations = tuple(_expectation(entry, path, figures) for entry in document["expectations"])
    ids = [expectation.id for expectation in expectations]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise BadInputError(f"expectations {path}: declared twice: {', '.join(twice)}.")
    return Declaration(
        str(document["gate"]), figures, expectations, dict(document.get("events") or {})
    )


def _expectation(entry: dict[str, Any], path: Path, figures: Mapping[str, str]) -> Expectation:
    name = entry.get("id", "one without an id") if isinstance(entry, dict) else repr(entry)
    problem = _problem(entry, figures) if isinstance(entry, dict) else "is no expectation"
    if problem:
        raise BadInputError(f"expectations {path}: {name} {problem}.")
    return Expectation(**entry)


def _problem(entry: dict[str, Any], figures: Mapping[str, str]) -> str | None:
    missing = [key for key in _REQUIRED if key not in entry]
    unknown = sorted(set(entry) - {*_REQUIRED, *_OPTIONAL})
    bounds = entry.get("arguments")
    if missing or unknown:
        return f"lacks {name_list(missing)} and has, unknown, {name_list(unknown)}"
    if entry["figure"] not in figures:
        return f"asks for the figure {entry['figure']}, which is none of {', '.join(figures)}"
    if entry["severity"] not in SEVERITIES:
        return f"has the severity {entry['severity']}, which is none of {', '.join(SEVERITIES)}"
    if entry["expectation"] != "expect_column_values_to_be_between":
        return f"is an {entry['expectation']}; figures are numbers and lie between bounds"
    if (
        not isinstance(bounds, dict)
        or not bounds
        or not set(bounds) <= {"min_value", "max_value"}
        or not all(isinstance(bound, int | float) for bound in bounds.values())
    ):
        return "needs arguments min_value, max_value or both, as numbers"
    if not set(entry.get("where", {})) <= set(PLACES):
        return f"may ask where for {', '.join(PLACES)} only"
    return None
