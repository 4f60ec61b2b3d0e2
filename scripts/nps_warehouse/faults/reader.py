"""A reader that queries what is published without pause, and what it may see."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

QUERIES = (
    (
        "select responses, round(nps, 9) from marts.nps_by_period "
        "where survey_type = 'all' and period_type = 'all'"
    ),
    "select count(*), count(distinct response_id) from marts.fct_survey_responses",
    (
        "select sum(responses) from marts.nps_by_channel "
        "where survey_type = 'all' and period_type = 'all'"
    ),
    (
        "select sum(responses) from marts.nps_by_agent "
        "where survey_type = 'all' and period_type = 'all'"
    ),
    "select count(*) from marts.fct_contacts",
    (
        "select rows_read, accepted, rejected, superseded from quality.reconciliation "
        "where table_name = 'survey_responses'"
    ),
)
VERSION = "select version_id from quality.published_version"
HELD_EVERY = 25
"""Of so many openings, one is held for a while and read again and again."""
HELD_READS = 40


@dataclass(frozen=True)
class Seen:
    """What a reader saw from one moment until something else: version and figures, or an error."""

    at: float
    version_id: str | None
    figures: tuple[float, ...]
    error: str | None


@dataclass(frozen=True)
class Reading:
    """All that a reader saw: how often it read, and what, in its order."""

    reads: int
    seen: Sequence[Seen]

    def wrong(
        self, true: Collection[tuple[float, ...]], versions: Collection[str] | None = None
    ) -> list[str]:
        """What must not have been seen, in words.

        Args:
            true: the figures of every delivery that may have been published.
            versions: ids that were ever published; None: not asked.
        """
        return wrong(self.seen, true, versions)


def wrong(
    seen: Sequence[Seen],
    true: Collection[tuple[float, ...]],
    versions: Collection[str] | None = None,
) -> list[str]:
    """Which of the things seen are no whole version, or one that was over.

    Args:
        seen: in the order of time.
        true: the figures of every delivery that may have been published.
        versions: ids that were ever published; None: not asked.
    """
    found = []
    figures_of: dict[str | None, tuple[float, ...]] = {}
    over: set[str | None] = set()
    before: str | None = None
    for one in seen:
        if one.error is not None:
            found.append(f"error: {one.error}")
            continue
        if one.figures not in true:
            found.append(f"{one.version_id}: {one.figures} are the figures of no delivery")
        if figures_of.setdefault(one.version_id, one.figures) != one.figures:
            found.append(f"{one.version_id}: {figures_of[one.version_id]}, then {one.figures}")
        if versions is not None and one.version_id not in versions:
            found.append(f"{one.version_id} was never published")
        if one.version_id != before:
            if one.version_id in over:
                found.append(f"{one.version_id} came back after {before}")
            over.add(before)
            before = one.version_id
    return found


def look(connection: duckdb.DuckDBPyConnection) -> tuple[str, tuple[float, ...]]:
    """The version and its figures.

    Args:
        connection: to the published file.
    """
    version = connection.execute(VERSION).fetchall()
    figures = [
        float(value)
        for query in QUERIES
        for row in connection.execute(query).fetchall()
        for value in row
    ]
    return ",".join(str(row[0]) for row in version), tuple(figures)


def read(file: Path) -> tuple[str, tuple[float, ...]]:
    """Open the published file, look, and close it.

    Args:
        file: what readers know.
    """
    with duckdb.connect(str(file), read_only=True, config={"threads": 1}) as connection:
        return look(connection)


class Reader:
    """A process that reads until it is stopped."""

    def __init__(self, file: Path, log: Path, niceness: int = 3) -> None:
        """Begin to read.

        Args:
            file: the published file.
            log: where what is seen is written.
            niceness: by how much it gives way to the pipeline.
        """
        self._log = log
        log.unlink(missing_ok=True)
        self.pid = os.fork()
        if self.pid == 0:
            os.setpgid(0, 0)
            os.nice(niceness)
            _read_on(file, log)

    def seen(self) -> Reading:
        """What was seen so far."""
        return _reading(self._log)

    def stop(self) -> Reading:
        """End it, and tell what it saw."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        _, status = os.waitpid(self.pid, 0)
        reading = _reading(self._log)
        if status != 0:
            error = f"the reader ended with {os.waitstatus_to_exitcode(status)}"
            return Reading(reading.reads, [*reading.seen, Seen(0, None, (), error)])
        return reading


def _reading(log: Path) -> Reading:
    reads, seen = 0, []
    if log.exists():
        for line in log.read_text(encoding="utf-8").splitlines():
            one = json.loads(line)
            reads = one["reads"]
            if "error" in one:
                figures = tuple(one["figures"])
                seen.append(Seen(one["at"], one["version_id"], figures, one["error"]))
    return Reading(reads, seen)


def _read_on(file: Path, log: Path) -> None:
    """The process's part; does not return."""
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    last: object = None
    reads = 0
    try:
        with log.open("a", encoding="utf-8", buffering=1) as stream:
            while not stopping:
                reads += 1
                now = _seen(file, held=reads % HELD_EVERY == 0)
                if (now["version_id"], now["figures"], now["error"]) != last:
                    last = (now["version_id"], now["figures"], now["error"])
                    line = {"at": time.monotonic(), "reads": reads, **now}
                    stream.write(json.dumps(line) + "\n")
            stream.write(json.dumps({"reads": reads}) + "\n")
        os._exit(0)
    except BaseException:
        os._exit(1)


def _seen(file: Path, held: bool) -> dict[str, object]:
    try:
        if not held:
            version, figures = read(file)
            return {"version_id": version, "figures": figures, "error": None}
        with duckdb.connect(str(file), read_only=True, config={"threads": 1}) as connection:
            version, figures = look(connection)
            for _ in range(HELD_READS):
                time.sleep(0.02)
                again = look(connection)
                if again != (version, figures):
                    error = f"changed while it was open: {version} {figures}, then {again}"
                    return {"version_id": version, "figures": figures, "error": error}
        return {"version_id": version, "figures": figures, "error": None}
    except Exception as problem:
        text = f"{type(problem).__name__}: {str(problem).splitlines()[0]}"
        return {"version_id": None, "figures": (), "error": text}
