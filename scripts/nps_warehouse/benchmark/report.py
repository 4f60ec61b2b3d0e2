"""The benchmark's table, in Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median

from nps_warehouse.benchmark.measure import Usage

BY_HAND = "by hand"
MODELS = "models"
START_UP = "dbt parse, nothing changed"
NET = "models without start-up"

MIB = 2**20

INTRODUCTION = """\
Seconds, processor seconds and memory are medians of {repeat} runs, the runs of all lines
interleaved, each in a process of its own, on the same Parquet files and with DuckDB's default
settings. Rows are those of the raw tables that the marts are made of. `{models}` builds seeds and
models, `whole build` tests them too; `{by_hand}` makes the same facts, dimensions and score marts
with one hand-written script, and its tables were equal to the project's in every run of this table;
`scan` reads the needed columns and does nothing else. On disk: the warehouse, and for `scan` the
Parquet files.
"""


@dataclass(frozen=True)
class Result:
    """Runs of everything at one size: rows read, bytes each kind left, and equal tables' rows."""

    contacts: int
    rows: int
    disk_bytes: Mapping[str, int]
    runs: Mapping[str, Sequence[Usage]]
    marts: Mapping[str, int]


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
        INTRODUCTION.format(repeat=repeat, models=MODELS, by_hand=BY_HAND),
        f"Machine: {machine()}.",
    ]
    for result in results:
        parts += [
            f"## {result.contacts:,} contacts, {result.rows:,} rows",
            "\n".join(_table(result)),
            f"Equal in both: {len(result.marts)} tables, {sum(result.marts.values()):,} rows.",
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
        if name == MODELS:
            start_up = _medians(result.runs[START_UP])
            seconds, cpu = max(seconds - start_up[0], 0.01), max(cpu - start_up[1], 0.01)
            lines.append(
                f"| {NET} | {seconds:.2f} | | {cpu:.2f} | | {result.rows / seconds:,.0f} | "
                f"| {seconds / base[0]:.2f} | {cpu / base[1]:.2f} | |"
            )
    return lines


def _medians(runs: Sequence[Usage]) -> tuple[float, float, float]:
    return (
        median(run.seconds for run in runs),
        median(run.cpu_seconds for run in runs),
        median(run.peak_bytes for run in runs),
    )
