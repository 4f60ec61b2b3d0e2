"""What the executors of a Spark application did, by its event log."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Executor:
    """What one executor did.

    `tasks` ended well, `failed` did not. `seconds` they took, `stages` they were of.
    `shuffled_bytes` were written by it for others to read.
    """

    name: str
    tasks: int = 0
    failed: int = 0
    seconds: float = 0.0
    shuffled_bytes: int = 0
    stages: set[int] = field(default_factory=set)
    is_lost: bool = False


@dataclass
class Work:
    """What an application did.

    `task_rows` is by stage the records that each of its tasks read, to see skew by.
    """

    executors: dict[str, Executor] = field(default_factory=dict)
    task_rows: dict[int, list[int]] = field(default_factory=dict)

    @property
    def shared_stages(self) -> int:
        """How many stages more than one executor worked at."""
        stages = [stage for one in self.executors.values() for stage in one.stages]
        return sum(stages.count(stage) > 1 for stage in set(stages))


def newest(folder: Path) -> Path:
    """The newest event log of a folder.

    Raises:
        FileNotFoundError: there is none.
    """
    logs = [path for path in folder.glob("app-*") if path.is_file()]
    if not logs:
        raise FileNotFoundError(f"{folder} has no event log")
    return max(logs, key=lambda path: path.stat().st_mtime)


def read(lines: Iterable[str]) -> Work:
    """Add up an event log, one JSON object a line (Spark's `SparkListenerEvent`).

    Args:
        lines: of the log; a last one that is being written is left out.
    """
    work = Work()
    for line in lines:
        if not line.endswith("\n"):
            break
        event = json.loads(line)
        kind = event["Event"]
        if kind == "SparkListenerExecutorAdded":
            name = event["Executor ID"]
            work.executors[name] = Executor(name)
        elif kind == "SparkListenerExecutorRemoved":
            work.executors[event["Executor ID"]].is_lost = True
        elif kind == "SparkListenerTaskEnd":
            _add(work, event)
    return work


def _add(work: Work, event: dict[str, object]) -> None:
    info = event["Task Info"]
    assert isinstance(info, dict)
    name = str(info["Executor ID"])
    executor = work.executors.setdefault(name, Executor(name))
    if info["Failed"] or info["Killed"]:
        executor.failed += 1
        return
    stage = event["Stage ID"]
    assert isinstance(stage, int)
    executor.tasks += 1
    executor.stages.add(stage)
    metrics = event.get("Task Metrics")
    if isinstance(metrics, dict):
        executor.seconds += metrics["Executor Run Time"] / 1000
        executor.shuffled_bytes += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
        rows = metrics["Input Metrics"]["Records Read"]
        rows += metrics["Shuffle Read Metrics"]["Total Records Read"]
        work.task_rows.setdefault(stage, []).append(rows)


def table(log: Path) -> list[str]:
    """Lines that say what each executor of a log did.

    Args:
        log: an event log.
    """
    with log.open(encoding="utf-8") as stream:
        work = read(stream)
    lines = ["executor    tasks  failed  stages  seconds  shuffled MB"]
    for name, one in sorted(work.executors.items()):
        lines.append(
            f"{name:8} {one.tasks:8} {one.failed:7} {len(one.stages):7} "
            f"{one.seconds:8.1f} {one.shuffled_bytes / 1e6:12.1f}{'  lost' if one.is_lost else ''}"
        )
    lines.append(f"stages that several executors worked at: {work.shared_stages}")
    return lines
