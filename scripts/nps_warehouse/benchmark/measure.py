"""Seconds, processor time and peak memory of one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in the unit of `ru_maxrss`."""


@dataclass(frozen=True)
class Usage:
    """What a process took: seconds by the clock and on processors, bytes of memory at most."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Run:
    """A process that ended well: what it took and what it wrote to both its outputs."""

    usage: Usage
    output: str


class BenchmarkError(Exception):
    """The benchmark cannot say anything; the text says why."""


def measured(
    name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path
) -> Run:
    """Run a command to its end.

    Linux counts the memory of the process that starts another in the other's peak. A small process
    therefore stands between: this file, run as a program.

    Args:
        name: what the command is called when it fails.
        command: program and arguments.
        environment: the environment variables of the process, all of them.
        folder: its working folder.

    Raises:
        BenchmarkError: the command failed.
    """
    with tempfile.NamedTemporaryFile(mode="r", suffix=".json") as report:
        finished = subprocess.run(
            [sys.executable, "-I", "-S", __file__, report.name, *command],
            env=dict(environment),
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if finished.returncode != 0:
            raise BenchmarkError(
                f"{name} failed (status {finished.returncode}):\n{finished.stdout[-4000:]}"
            )
        return Run(Usage(**json.load(report)), finished.stdout)


def _launch(report: Path, command: Sequence[str]) -> int:
    """Run a command, write what it took as JSON, and return its exit status."""
    started = time.perf_counter()
    process = subprocess.Popen(list(command))
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    report.write_text(
        json.dumps(
            {
                "seconds": seconds,
                "cpu_seconds": usage.ru_utime + usage.ru_stime,
                "peak_bytes": usage.ru_maxrss * RSS_UNIT,
            }
        )
    )
    return process.returncode


if __name__ == "__main__":
    sys.exit(_launch(Path(sys.argv[1]), sys.argv[2:]))
