"""Runs a target in a process of its own, and sees to it that a crash or a hang is a finding."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from fuzz.targets import Outcome, Target

READY = "ready"


@dataclass
class Summary:
    """A fuzz run so far.

    Args:
        batches: how many.
        seconds: how long, without preparation.
        outcome: of all batches together.
        failures: what went wrong, by the seed that repeats it.
    """

    batches: int = 0
    seconds: float = 0.0
    outcome: Outcome = field(default_factory=Outcome)
    failures: dict[int, list[str]] = field(default_factory=dict)

    def add(self, seed: int, outcome: Outcome) -> None:
        """Add a batch."""
        self.batches += 1
        self.outcome.examples += outcome.examples
        self.outcome.refused += outcome.refused
        self.outcome.rows += outcome.rows
        if outcome.failures:
            self.failures[seed] = outcome.failures


def work(make: Callable[[Path], Target], keep: Path | None, pipe: Connection) -> None:
    """Run one batch for every seed that comes through the pipe; the other process's part.

    Args:
        make: of the target.
        keep: where the deliveries of a failure are kept; None keeps nothing.
        pipe: to the process that watches.
    """
    with tempfile.TemporaryDirectory() as place:
        target = make(Path(place) / "prepared")
        pipe.send(READY)
        while True:
            seed = pipe.recv()
            if seed is None:
                return
            folder = Path(place) / "batch"
            folder.mkdir()
            try:
                outcome = target.batch(random.Random(seed), folder)
            except Exception:
                outcome = Outcome(failures=[traceback.format_exc()])
            if outcome.failures and keep is not None:
                shutil.copytree(folder, keep / str(seed), dirs_exist_ok=True)
            shutil.rmtree(folder)
            pipe.send(outcome)


class Worker:
    """A process with a target, begun again after a crash or a hang.

    Args:
        make: of the target; has to be importable by the new process.
        keep: where the deliveries of a failure are kept.
        limit: seconds after which a batch hangs.
    """

    def __init__(self, make: Callable[[Path], Target], keep: Path | None, limit: float) -> None:
        self.make = make
        self.keep = keep
        self.limit = limit
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(self.make, self.keep, theirs))
        self.process.start()
        # Else the end of the process would not be the end of the pipe.
        theirs.close()
        if self.pipe.recv() != READY:
            raise RuntimeError("the target was not prepared")

    def batch(self, seed: int) -> Outcome:
        """The outcome of a seed; a crash or a hang is a failure."""
        self.pipe.send(seed)
        try:
            if self.pipe.poll(self.limit):
                outcome = self.pipe.recv()
                assert isinstance(outcome, Outcome)
                return outcome
            what = f"hang: no end after {self.limit} seconds"
        except EOFError:
            self.process.join()
            what = f"crash: exit code {self.process.exitcode}"
        self._end()
        self._start()
        return Outcome(failures=[what])

    def _end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()

    def close(self) -> None:
        """End the process."""
        self.pipe.send(None)
        self.process.join()
        self.pipe.close()


def fuzz(worker: Worker, seed: int, batches: int | None, seconds: float) -> Iterator[Summary]:
    """Run batches with the seeds from `seed` on, and say after each how things stand.

    Args:
        worker: runs them.
        seed: of the first batch.
        batches: how many; None for as many as there is time for.
        seconds: after which no batch is begun.
    """
    summary = Summary()
    begun = time.monotonic()
    while batches is None or summary.batches < batches:
        if summary.seconds >= seconds:
            return
        at = seed + summary.batches
        summary.add(at, worker.batch(at))
        summary.seconds = time.monotonic() - begun
        yield summary
