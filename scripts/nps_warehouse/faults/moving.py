"""The delivered folder changes while runs go on: replaced, rewritten in place, deleted."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nps_warehouse.exit_codes import BAD_INPUT, OK
from nps_warehouse.faults.deliveries import as_csv, deliver, drawn, standing_files, truth_of
from nps_warehouse.faults.kills import content
from nps_warehouse.faults.pipeline import Child, FaultsError, Places, Project, in_child

FILES = 4
ANSWERS = 40
SIDES = ("a", "b")


@dataclass
class Moving:
    """All of a call: exit codes of the runs, changes made meanwhile, what went wrong in words."""

    codes: list[int | None] = field(default_factory=list)
    changes: int = 0
    problems: list[str] = field(default_factory=list)


class Files:
    """Files of which each has two contents with no answer in common."""

    def __init__(self, seed: int) -> None:
        """Draw them.

        Args:
            seed: of all chance.
        """
        self.content: dict[tuple[str, str], bytes] = {}
        self.keys: dict[tuple[str, str], frozenset[str]] = {}
        contacts = []
        for number in range(FILES):
            for side in SIDES:
                path = f"survey_responses/part_{number}.csv"
                more, answers = drawn(seed + number, f"{number}{side}", ANSWERS)
                contacts += more
                self.content[path, side] = as_csv(answers)
                self.keys[path, side] = frozenset(row["response_id"] for row in answers)
        # One that never changes, so that there always are answers.
        more, answers = drawn(seed + FILES, "still", ANSWERS)
        self.still = standing_files() | {
            "contacts/all.csv": as_csv([*contacts, *more]),
            "survey_responses/still.csv": as_csv(answers),
        }
        self.still_keys = frozenset(row["response_id"] for row in answers)

    def first(self) -> dict[str, bytes]:
        """The delivery before anything changes."""
        return self.still | {
            path: content for (path, side), content in self.content.items() if side == SIDES[0]
        }

    def problems_of(self, published: frozenset[str]) -> list[str]:
        """Which files were published in parts, or mixed.

        Args:
            published: keys of the answers in the facts.
        """
        found = []
        for path in sorted({path for path, _ in self.content}):
            mine = published & (self.keys[path, "a"] | self.keys[path, "b"])
            if mine not in (frozenset(), self.keys[path, "a"], self.keys[path, "b"]):
                found.append(f"{path}: {len(mine)} answers, of neither content as a whole")
        if not self.still_keys <= published:
            found.append("answers of the file that stood still are missing")
        return found


def moving(
    project: Project,
    folder: Path,
    *,
    runs: int,
    seed: int,
    said: Callable[[str], None] = lambda _: None,
) -> Moving:
    """Run while somebody changes the delivered files, then once when they stand still.

    Args:
        project: parsed.
        folder: for everything.
        runs: how many.
        seed: of all chance.
        said: is told how it goes.

    Raises:
        FaultsError: the pipeline fails before anything is moved.
    """
    files, places, result = Files(seed), Places(folder / "pipeline"), Moving()
    now = datetime(2026, 3, 31, 6, tzinfo=UTC)
    deliver(places.raw, files.first())
    ended = Child(project, places, now).end()
    if ended.code != OK:
        raise FaultsError(f"an undisturbed run ended with {ended.code}: {ended.sentence}")
    for number in range(runs):
        before = in_child(lambda: content(places))
        log = folder / "changes"
        log.write_text("")
        mover = os.fork()
        if mover == 0:
            _move_on(files, places.raw, seed + number, log)
        try:
            now += timedelta(hours=1)
            ended = Child(project, places, now).end()
        finally:
            os.kill(mover, signal.SIGTERM)
            os.waitpid(mover, 0)
        result.codes.append(ended.code)
        result.changes += len(log.read_text())
        after = in_child(lambda: content(places))
        problems = files.problems_of(frozenset(after.keys))
        if ended.code not in (OK, BAD_INPUT):
            problems.append(f"exit code {ended.code}: {ended.sentence}")
        if ended.code != OK and after.version_id != before.version_id:
            problems.append("something was published by a run that failed")
        result.problems += problems
        said(f"moving files: exit code {ended.code}; " + ("; ".join(problems) or "whole files"))
    # What was interrupted in the middle is made whole, as its owner would.
    left = {str(path.relative_to(places.raw)): path.read_bytes() for path in _files(places.raw)}
    whole = files.still | {
        path: content
        for (path, side), content in files.content.items()
        if path in left and side == ("b" if left[path] == files.content[path, "b"] else "a")
    }
    deliver(places.raw, whole)
    ended = Child(project, places, now + timedelta(hours=1)).end()
    _check_still(result, ended.code, places, whole)
    return result


def _check_still(
    result: Moving, code: int | None, places: Places, whole: Mapping[str, bytes]
) -> None:
    if code != OK:
        result.problems.append(f"when the files stood still, the run ended with {code}")
        return
    published = in_child(lambda: content(places))
    if published.figures != truth_of(whole).seen:
        result.problems.append(
            f"when the files stood still, {published.figures} were published; "
            f"delivered were {truth_of(whole).seen}"
        )


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.csv") if path.is_file()]


def _move_on(files: Files, raw: Path, seed: int, log: Path) -> None:
    """The process that changes files; does not return."""
    os.setpgid(0, 0)
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    chance = random.Random(seed)
    with log.open("a", buffering=1) as stream:
        while not stopping:
            path = f"survey_responses/part_{chance.randrange(FILES)}.csv"
            content = files.content[path, chance.choice(SIDES)]
            how = chance.choice(("replace", "in place", "in place", "delete"))
            if how == "replace":
                fresh = raw / f"{path}.part"
                fresh.write_bytes(content)
                fresh.replace(raw / path)
            elif how == "in place":
                _write_slowly(raw / path, content, chance)
            else:
                (raw / path).unlink(missing_ok=True)
            stream.write(".")
            time.sleep(chance.uniform(0, chance.choice((0.2, 1, 6))))
    os._exit(0)


def _write_slowly(path: Path, content: bytes, chance: random.Random) -> None:
    with path.open("wb", buffering=0) as stream:
        for at in range(0, len(content), 400):
            stream.write(content[at : at + 400])
            time.sleep(chance.uniform(0, 0.02))
