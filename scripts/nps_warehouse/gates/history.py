"""What earlier runs of a gate saw: a file with one JSON object a line, and the comparison with it.

A run is compared with the last *accepted* one: one that stopped nothing, or that a person accepted
with `--accept`. A bad delivery that is checked twice is so never its own measure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from nps_warehouse.gates.expectations import BadInputError
from nps_warehouse.gates.figure import Figure


@dataclass(frozen=True)
class Run:
    """What is remembered of a run.

    `columns` holds the type of every delivered column by table; `figures` the value and the volume
    of the figures that later runs are compared with, by figure, then by table, column and part
    joined by a bar.
    """

    gate: str
    at: str
    accepted: bool
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    figures: Mapping[str, Mapping[str, tuple[float, float]]] = field(default_factory=dict)


def last_accepted(state: Path, gate: str) -> Run | None:
    """The last accepted run of a gate; None where there is none yet.

    Args:
        state: the file of runs; it need not exist.
        gate: `raw` or `marts`.

    Raises:
        BadInputError: the file is no file of runs.
    """
    if not state.exists():
        return None
    last = None
    try:
        lines = state.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise BadInputError(f"runs {state} cannot be read: {problem}") from problem
    for number, line in enumerate(lines, 1):
        try:
            run = Run(**json.loads(line))
        except (ValueError, TypeError) as problem:
            raise BadInputError(
                f"runs {state}: line {number} is no run ({problem}). Remove the line; the gate "
                "then compares with an earlier run."
            ) from problem
        if run.gate == gate and run.accepted:
            last = run
    return last


def record(state: Path, run: Run) -> None:
    """Append a run.

    Args:
        state: the file of runs; made with its folder where it does not exist.
        run: what to remember.

    Raises:
        BadInputError: the file cannot be written.
    """
    try:
        state.parent.mkdir(parents=True, exist_ok=True)
        with state.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(run), ensure_ascii=False, sort_keys=True) + "\n")
    except OSError as problem:
        raise BadInputError(f"runs {state} cannot be written: {problem}") from problem


def remembered(
    figures: Sequence[Figure], names: Sequence[str]
) -> dict[str, dict[str, tuple[float, float]]]:
    """The values of some figures, as a run remembers them.

    Args:
        figures: all figures of this run.
        names: which of them later runs are compared with.
    """
    return {
        name: {_key(f): (f.value, f.volume) for f in figures if f.figure == name} for name in names
    }


def compared(
    figures: Sequence[Figure], last: Run | None, name: str, as_name: str, *, loss: bool
) -> list[Figure]:
    """A figure now less what it was in the last accepted run, or the other way round.

    Args:
        figures: all figures of this run.
        last: the last accepted run; None: there is nothing to compare with.
        name: the figure.
        as_name: name of the comparison.
        loss: whether a fall counts as positive.

    Returns:
        One figure for every place seen in both runs; its volume is the smaller of the two.
    """
    then = last.figures.get(name, {}) if last else {}
    sign = -1 if loss else 1
    return [
        Figure(
            as_name,
            figure.table_name,
            sign * (figure.value - then[_key(figure)][0]),
            min(figure.volume, then[_key(figure)][1]),
            figure.column_name,
            figure.part,
            f"{then[_key(figure)][0]:.4g} then, {figure.value:.4g} now",
            figure.condition,
        )
        for figure in figures
        if figure.figure == name and _key(figure) in then
    ]


def rows_against_last_run(rows: Mapping[str, int], last: Run | None) -> list[Figure]:
    """Rows of every table of the last accepted run, as a share of what they were.

    Args:
        rows: rows now by table; a table that is gone counts as none.
        last: the last accepted run; None: there is nothing to compare with.
    """
    then = last.figures.get("rows", {}) if last else {}
    ratios = []
    for key, (before, _) in sorted(then.items()):
        table = key.split("|")[0]
        now = rows.get(table, 0)
        if before > 0:
            detail = f"{before:,.0f} rows then, {now:,} now"
            ratios.append(
                Figure("rows_against_last_run", table, now / before, before, detail=detail)
            )
    return ratios


def _key(figure: Figure) -> str:
    return "|".join(figure.place)
