"""One build of everything at one size, a day more behind it, and what dashboards then ask of it.

For a size at which every line of the whole table would take a day.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Self

import duckdb

from nps_warehouse.benchmark.measure import Usage
from nps_warehouse.benchmark.readers import OPENING, QUERIES, ask, percentile
from nps_warehouse.benchmark.report import MIB, machine

LOOKS = 20
"""How often each query is asked, after once that is not measured."""

TESTS = "tests"
LISTED = 12
"""Folders of models that are listed, of those that take longest."""


@dataclass(frozen=True)
class Once:
    """What one size took.

    Attributes:
        contacts: how many there are.
        rows: of all raw tables that the facts are made of.
        whole: `dbt build`, every model with its tests, from nothing.
        day: the build of the score marts after a day's files.
        day_rows: rows of these files.
        memory_bytes: what DuckDB might take of memory.
        file_bytes: of the warehouse after the whole build.
        spilled_bytes: the most that lay on the disk beside it meanwhile.
        parts: seconds of dbt's threads, by folder of the models; and of the tests.
        asked: seconds of every time a query was asked, by its name.
    """

    contacts: int
    rows: int
    whole: Usage
    day: Usage
    day_rows: int
    memory_bytes: int
    file_bytes: int
    spilled_bytes: int
    parts: Mapping[str, float]
    asked: Mapping[str, Sequence[float]]


class Spilled:
    """Watches the folder into which DuckDB puts what does not fit into memory."""

    def __init__(self, warehouse: Path, every: float = 2.0) -> None:
        """Watch from now on, in a thread of its own.

        Args:
            warehouse: the DuckDB file; its folder is beside it.
            every: seconds between two looks.
        """
        self.most = 0
        self._folder = warehouse.with_name(f"{warehouse.name}.tmp")
        self._every = every
        self._over = Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End; `most` is the answer, in bytes."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            found = 0
            for file in self._folder.glob("*"):
                try:
                    found += file.stat().st_blocks * 512
                except FileNotFoundError:  # DuckDB has just done with it
                    continue
            self.most = max(self.most, found)
            self._over.wait(self._every)


def seconds_by_part(target: Path) -> dict[str, float]:
    """Seconds of dbt's threads by folder of the models, and of all tests, longest first.

    Args:
        target: where dbt left what it ran and what the project is.
    """
    nodes = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    parts: dict[str, float] = {}
    for result in results:
        node = nodes.get(result["unique_id"], {})
        if node.get("resource_type") == "model":
            part = str(Path(node["original_file_path"]).parent)
        elif node.get("resource_type") == "test":
            part = TESTS
        else:
            continue
        parts[part] = parts.get(part, 0.0) + float(result["execution_time"])
    return dict(sorted(parts.items(), key=lambda part: -part[1]))


def asked(warehouse: Path, looks: int = LOOKS) -> dict[str, list[float]]:
    """Seconds of every query of the dashboards, as a reader with one thread asks it.

    Args:
        warehouse: a built one; it is only read.
        looks: how often each query is asked, after once that is not measured.

    Raises:
        duckdb.Error: a query cannot be answered.
    """
    spent: dict[str, list[float]] = {}
    started = time.perf_counter()
    with duckdb.connect(str(warehouse), read_only=True, config={"threads": 1}) as connection:
        opening = time.perf_counter() - started
        ask(connection, {})
        for _ in range(looks):
            ask(connection, spent)
    return {OPENING: [opening], **spent}


def heading(contacts: int) -> str:
    """The first line of the section.

    Args:
        contacts: how many there are.
    """
    return f"## {contacts:,} contacts, built once"


def sections(page: str) -> list[str]:
    """The sections of sizes that were built once, as a page has them.

    Args:
        page: Markdown.
    """
    found = re.findall(
        r"^## [\d,]+ contacts, built once\n.*?(?=^## |\Z)", page, flags=re.DOTALL | re.MULTILINE
    )
    return [f"{text.strip()}\n" for text in found]


def section(once: Once) -> str:
    """What came of it, in Markdown.

    Args:
        once: one size.
    """
    whole, day = once.whole, once.day
    parts = [
        heading(once.contacts),
        (
            f"`dbt build`, every model with its tests, from nothing, of {once.rows:,} rows: "
            f"**{whole.seconds:,.0f} s** ({once.rows / whole.seconds:,.0f} rows/s), "
            f"{whole.cpu_seconds:,.0f} processor seconds, {whole.peak_bytes / MIB:,.0f} MiB of "
            f"memory at most, of which DuckDB might take {once.memory_bytes / MIB:,.0f} MiB. The "
            f"warehouse has {once.file_bytes / MIB:,.0f} MiB; {once.spilled_bytes / MIB:,.0f} MiB "
            "lay beside it at most while it was built. "
            f"A day more ({once.day_rows:,} rows), to the score marts: "
            f"{day.seconds:,.0f} s, {day.cpu_seconds:,.0f} processor seconds, "
            f"{day.peak_bytes / MIB:,.0f} MiB; dbt's start-up is in both."
        ),
        "\n".join(
            [
                "| seconds of dbt's threads | | share |",
                "| --- | ---: | ---: |",
                *_shares(once.parts),
            ]
        ),
        (
            f"What dashboards ask, of the warehouse, with one thread, {LOOKS} times each after one "
            "that is not counted; milliseconds:"
        ),
        "\n".join(
            [
                "| query | median | p95 | slowest |",
                "| --- | ---: | ---: | ---: |",
                *(
                    f"| {name} | {1000 * median(times):.1f} | {1000 * percentile(times, 0.95):.1f} "
                    f"| {1000 * max(times):.1f} |"
                    for name in (OPENING, *QUERIES)
                    if (times := once.asked.get(name))
                ),
            ]
        ),
        f"Machine: {machine()}.",
    ]
    return "\n\n".join(parts) + "\n"


def _shares(parts: Mapping[str, float]) -> list[str]:
    total = sum(parts.values()) or 1.0
    shown = list(parts.items())
    rest = sum(seconds for _, seconds in shown[LISTED:])
    if rest:
        shown = [*shown[:LISTED], ("all others", rest)]
    return [
        f"| {name} | {seconds:,.0f} | {100 * seconds / total:.0f} % |" for name, seconds in shown
    ]
