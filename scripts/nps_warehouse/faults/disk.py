"""The disk is full, at a step chosen by chance: a file can't grow any more.

What a file may grow to is limited for the run alone (RLIMIT_FSIZE), so that nobody has to be root;
what fails is the write, as on a full disk.
"""

from __future__ import annotations

import random
import resource
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from nps_warehouse.exit_codes import OK, UNREACHABLE
from nps_warehouse.faults.kills import Disturbed, Kill, Moment
from nps_warehouse.faults.pipeline import PUBLISHING, Project
from nps_warehouse.faults.reader import Reader

MIB = 2**20
FULL_IN = ("land", "build", "check_marts", "publish")


@dataclass
class FullDisk:
    """A run on a full disk: the step it was full from, the limit in bytes, and what came of it."""

    step: str
    limit: int
    code: int | None
    sentence: str
    after: Kill


@dataclass
class FullDisks:
    """All of a call."""

    runs: list[FullDisk] = field(default_factory=list)
    reads: int = 0
    wrong_reads: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """What went wrong, in words."""
        return [
            *self.wrong_reads,
            *(f"{run.step}: {text}" for run in self.runs for text in run.after.problems),
        ]


def full_disks(
    project: Project,
    folder: Path,
    *,
    times: int,
    seed: int,
    said: Callable[[str], None] = lambda _: None,
) -> FullDisks:
    """Run on a full disk, then on one that is not.

    Args:
        project: parsed.
        folder: for everything.
        times: how often.
        seed: of all chance.
        said: is told how it goes.
    """
    steps = ("publish",) if project.selection == PUBLISHING else FULL_IN
    chance = random.Random(seed)
    result = FullDisks()
    disturbed = Disturbed(project, folder / "pipeline", seed, chain=2)
    reader = Reader(disturbed.places.shown, folder / "seen.jsonl")
    try:
        for number in range(times):
            step = steps[number % len(steps)]
            limit = _limit(disturbed, step, chance)
            disturbed.bring()
            before = disturbed.look().version_id
            ended = disturbed.run(at_step=(step, _limited(limit))).end()
            after = Kill(Moment(f"disk full in {step}"), step, ended.seconds)
            if ended.code not in (OK, UNREACHABLE):
                after.problems.append(f"exit code {ended.code}: {ended.sentence}")
            if ended.code != OK and disturbed.look().version_id != before:
                after.problems.append("something was published by a run that failed")
            disturbed.bring()
            recovered = disturbed.run().end()
            after.recovery_seconds = recovered.seconds
            if recovered.code != OK:
                after.unrecovered = True
                after.problems.append(f"the next run ended with {recovered.code}")
            else:
                disturbed.judge(after)
            run = FullDisk(step, limit, ended.code, ended.sentence, after)
            result.runs.append(run)
            said(
                f"disk full from {step} on, files up to {limit / MIB:.2f} MiB: exit code "
                f"{ended.code}; next run {recovered.code}: "
                + ("; ".join(after.problems) or "as undisturbed")
            )
    finally:
        reading = reader.stop()
    result.reads = reading.reads
    result.wrong_reads = reading.wrong(disturbed.truths)
    return result


def _limit(disturbed: Disturbed, step: str, chance: random.Random) -> int:
    """Less than some file of the step needs, in bytes."""
    if step == "land":
        return chance.randrange(200, 4_000)
    if step == "publish":
        return int(disturbed.places.shown.stat().st_size * chance.uniform(0.02, 0.98))
    warehouse = disturbed.places.warehouse
    return int(warehouse.stat().st_size * chance.uniform(0.02, 0.9))


def _limited(limit: int) -> Callable[[], None]:
    def apply() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return apply
