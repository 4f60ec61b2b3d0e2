"""The benchmark's table, in Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

from nps_warehouse.benchmark.measure import Usage

BY_HAND = "by hand"
CORE = "to score marts"
TESTED = "to score marts, tested"
WHOLE = "whole build"
START_UP = "dbt parse, nothing changed"
NET = "without start-up"
INCREMENT = "a day more"
IDLE = "nothing new"

MIB = 2**20

INTRODUCTION = """\
Seconds, processor seconds and memory are {figures}.
Each run is a process of its own, all are on the same Parquet files; builds may take a sixth of the
machine's memory (`NPS_MEMORY`), the others what DuckDB takes by default. Rows are those of the raw
tables that the marts are made of. `{core}` builds facts, dimensions, score marts and what they are
made of, `{tested}` runs their tests, too; `{idle}` builds them once more, `{increment}` after a
day's files have come (one part in 1,096 of the contacts with their surveys, and corrections);
`{whole}` is `dbt build`: every model with its tests. `{by_hand}` makes the same facts, dimensions
and score marts with one hand-written script, `Polars` the facts and `nps_by_period`; the tables of
all of them were equal in every run of this table, after the day too. `scan` reads the needed
columns and does nothing else. On disk: the warehouse, and for `scan` the Parquet files.
"""


@dataclass(frozen=True)
class Result:
    """Runs of everything at one size: rows read, bytes left, equal tables' rows, a day's rows."""

    contacts: int
    rows: int
    disk_bytes: Mapping[str, int]
    runs: Mapping[str, Sequence[Usage]]
    marts: Mapping[str, int]
    day_rows: int = 0


def machine() -> str:
    """Cores, memory and versions; nothing that tells one machine from its likes."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    releases = ", ".join(f"{name} {version(name)}" for name in ("dbt-core", "dbt-duckdb", "duckdb"))
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}, {releases}"
    )


def markdown(results: Sequence[Result], repeat: int) -> str:
    """The whole report.

    Args:
        results: one per size.
        repeat: runs of each kind per size.
    """
    parts = [
        "# Benchmark",
        INTRODUCTION.format(
            figures=(
                f"medians of {repeat} runs, the runs of all lines interleaved"
                if repeat > 1
                else "those of one run of each line"
            ),
            core=CORE,
            tested=TESTED,
            idle=IDLE,
            increment=INCREMENT,
            whole=WHOLE,
            by_hand=BY_HAND,
        ),
        f"Machine: {machine()}.",
    ]
    for result in results:
        parts += [
            f"## {result.contacts:,} contacts, {result.rows:,} rows",
            "\n".join(_table(result)),
            (
                f"Equal in both: {len(result.marts)} tables, {sum(result.marts.values()):,} rows. "
                f"The day brought {result.day_rows:,} rows. {_share_of_a_day(result)}"
            ),
        ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _table(result: Result) -> list[str]:
    lines = [
        (
            "| | seconds | fastest–slowest | processor seconds | peak MiB | rows/s | MiB on disk "
            f"| time ÷ {BY_HAND} | processor ÷ {BY_HAND} | memory ÷ {BY_HAND} |"
        ),
        "| --- " + "| ---: " * 9 + "|",
    ]
    base = _medians(result.runs[BY_HAND])
    for name, runs in result.runs.items():
        seconds, cpu, peak = _medians(runs)
        times = [run.seconds for run in runs]
        disk = result.disk_bytes.get(name)
        lines.append(
            f"| {name} | {seconds:.2f} | {min(times):.2f}–{max(times):.2f} | {cpu:.2f} "
            f"| {peak / MIB:,.0f} | {'' if name == START_UP else f'{result.rows / seconds:,.0f}'} "
            f"| {'' if disk is None else f'{disk / MIB:,.1f}'} "
            f"| {seconds / base[0]:.2f} | {cpu / base[1]:.2f} | {peak / base[2]:.2f} |"
        )
        if name in (CORE, IDLE, INCREMENT, TESTED, WHOLE):
            start_up = _medians(result.runs[START_UP])
            seconds, cpu = max(seconds - start_up[0], 0.01), max(cpu - start_up[1], 0.01)
            lines.append(
                f"| {name}, {NET} | {seconds:.2f} | | {cpu:.2f} | | {result.rows / seconds:,.0f} | "
                f"| {seconds / base[0]:.2f} | {cpu / base[1]:.2f} | |"
            )
    return lines


def _share_of_a_day(result: Result) -> str:
    """What a day costs beside everything: without start-up, and beyond a night without news."""
    start_up, full, idle, day = (
        _medians(result.runs[name]) for name in (START_UP, CORE, IDLE, INCREMENT)
    )
    shares = [
        100 * (day[i] - base[i]) / (full[i] - start_up[i])
        for base in (start_up, idle)
        for i in (0, 1)
    ]
    return (
        "Of a build from nothing to the score marts, start-up left out, it took {:.1f} % of the "
        "seconds and {:.1f} % of the processor seconds; beyond what a build takes that finds "
        "nothing new, {:.1f} % and {:.1f} %.".format(*shares)
    )


def _medians(runs: Sequence[Usage]) -> tuple[float, float, float]:
    return (
        median(run.seconds for run in runs),
        median(run.cpu_seconds for run in runs),
        median(run.peak_bytes for run in runs),
    )


def plot(results: Sequence[Result], path: Path) -> None:
    """Draw seconds by size, one line per kind of run.

    Args:
        results: one per size.
        path: the SVG file to write.
    """
    # Only a report needs it, and it takes a second to load.
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # The same figures give the same bytes.
    with mpl.rc_context({"svg.hashsalt": "benchmark", "svg.fonttype": "none"}):
        figure = Figure(figsize=(8.5, 4.5), layout="constrained")
        axes = figure.subplots()
        for name in results[0].runs:
            points = sorted((result.contacts, _medians(result.runs[name])[0]) for result in results)
            axes.plot(*zip(*points, strict=True), marker="o", label=name)
        axes.set(xscale="log", yscale="log", xlabel="contacts", ylabel="seconds")
        axes.grid(visible=True, which="major", alpha=0.3)
        # Beside the lines, which cross each other from corner to corner.
        figure.legend(loc="outside right upper", frameon=False, fontsize="small")
        figure.savefig(path, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))


def with_section(page: str, heading: str, text: str) -> str:
    """A page with a section, in the place of an earlier one, else at its end.

    Args:
        page: Markdown; may be empty.
        heading: the first line of the section.
        text: the section, with that line.
    """
    before, found, rest = page.partition(heading)
    if not found:
        return f"{page.rstrip()}\n\n{text}".lstrip()
    _, following, after = rest.partition("\n## ")
    tail = f"\n## {after}" if following else ""
    return f"{before}{text}{tail}"
