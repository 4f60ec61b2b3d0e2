"""A day of hourly deliveries, late, missing, doubled and broken: what a reader saw at each hour."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from nps_warehouse.exit_codes import BAD_INPUT, CRITICAL_FAILED, LOCKED, OK, STALE
from nps_warehouse.faults.deliveries import (
    BASE_ANSWERS,
    Row,
    Truth,
    as_csv,
    deliver,
    drawn,
    standing_files,
    truth_of,
)
from nps_warehouse.faults.pipeline import Child, Places, Project, in_child
from nps_warehouse.faults.reader import Reader, read

DAY = datetime(2026, 3, 31, tzinfo=UTC)
RUNS_AT = timedelta(minutes=5)
"""After the hour."""
LOOKS_AT = timedelta(minutes=55)
"""After the hour: when the reader of the table looks."""
MAX_AGE = timedelta(minutes=90)
"""What is shown is stale when it is older."""

LATE, ARRIVES = 5, 7
MISSING, DOUBLED = 9, 11
TRUNCATED, WHOLE_AGAIN = 13, 14
WRONG_COLUMNS, RIGHT_AGAIN = 15, 16
EMPTY, FILLED = 17, 18
TWO_AT_ONCE, DEAD, SILENT = 19, 20, 22
REFUSED = frozenset({BAD_INPUT, CRITICAL_FAILED})

HAPPENS = {
    LATE: "nothing comes, the file is late",
    ARRIVES: "two files come, one of them late",
    MISSING: "nothing comes",
    DOUBLED: "the file comes twice, under two names",
    TRUNCATED: "the file is cut off in the middle of a line",
    WHOLE_AGAIN: "that file comes again, whole",
    WRONG_COLUMNS: "the file lacks the column score",
    RIGHT_AGAIN: "that file comes again, right",
    EMPTY: "the file has no byte",
    FILLED: "that file comes again, filled",
    TWO_AT_ONCE: "two runs at once",
    DEAD: "the run is killed while it builds",
    SILENT: "the scheduler is dead: no run",
}


@dataclass(frozen=True)
class Shown:
    """What is shown: version, when it was published and its as_of (UTC), figures of a reader."""

    version_id: str
    published_at: datetime
    as_of: str
    figures: tuple[float, ...]


@dataclass(frozen=True)
class Hour:
    """An hour of the table: exit codes of its runs (null: killed), what was shown, its age.

    `verdict` is that of `nps status`; `problems` say how it is not what it should be.
    """

    hour: int
    happens: str
    codes: tuple[int | None, ...]
    shown: Shown
    age: timedelta
    verdict: int
    problems: tuple[str, ...]


@dataclass
class Day:
    """All hours, and what the reader that never paused saw."""

    hours: list[Hour] = field(default_factory=list)
    reads: int = 0
    wrong_reads: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """What went wrong, in words."""
        hours = [f"{one.hour} h: {text}" for one in self.hours for text in one.problems]
        return hours + self.wrong_reads


class Sources:
    """The delivered files hour by hour, and which of them a run has to refuse."""

    def __init__(self, seed: int) -> None:
        """Draw them.

        Args:
            seed: of all chance.
        """
        contacts, answers = drawn(seed, "base", BASE_ANSWERS)
        self.files = standing_files() | {
            "contacts/base.csv": as_csv(contacts),
            "survey_responses/base.csv": as_csv(answers),
        }
        self._hours = {hour: _of_hour(seed, hour) for hour in range(24)}

    def arrive(self, hour: int) -> bool:
        """What arrives before the run of an hour; False where it cannot be used.

        Args:
            hour: of the day, from 0.
        """
        if hour in (LATE, MISSING):
            return True
        if hour == ARRIVES:
            self._whole(LATE)
        if hour in (WHOLE_AGAIN, RIGHT_AGAIN, FILLED):
            self._whole(hour - 1)
        self._whole(hour)
        path = f"survey_responses/hour_{hour:02d}.csv"
        content = self.files[path]
        if hour == DOUBLED:
            self.files[path.replace(".csv", "_copy.csv")] = content
        elif hour == TRUNCATED:
            lines = content.split(b"\n")
            last = lines[-2].split(b",")
            self.files[path] = b"\n".join([*lines[:-2], b",".join(last[:2])])
        elif hour == WRONG_COLUMNS:
            self.files[path] = content.replace(b"score", b"points", 1)
        elif hour == EMPTY:
            self.files[path] = b""
        return hour not in (WRONG_COLUMNS, EMPTY)

    def _whole(self, hour: int) -> None:
        contacts, answers = self._hours[hour]
        self.files[f"contacts/hour_{hour:02d}.csv"] = as_csv(contacts)
        self.files[f"survey_responses/hour_{hour:02d}.csv"] = as_csv(answers)


def simulate(
    project: Project,
    folder: Path,
    *,
    seed: int,
    hours: Sequence[int] = tuple(range(24)),
    said: Callable[[str], None] = lambda _: None,
) -> Day:
    """Let the day go by.

    Args:
        project: parsed.
        folder: for everything.
        seed: of all chance.
        hours: that are looked at; the first is one with a good delivery.
        said: is told every hour.
    """
    places, sources, day = Places(folder / "pipeline"), Sources(seed), Day()
    chance = random.Random(seed)
    expected: Truth | None = None
    since: datetime | None = None
    truths: list[tuple[float, ...]] = []
    reader: Reader | None = None
    try:
        for hour in hours:
            good = sources.arrive(hour)
            deliver(places.raw, sources.files)
            begins = DAY + timedelta(hours=hour) + RUNS_AT
            if good:
                # May be shown from now on; has to be, where the run comes to its end.
                truths.append(truth_of(sources.files).seen)
            codes = _run(project, places, hour, begins, chance)
            if good and OK in codes:
                expected, since = truth_of(sources.files), begins
            assert expected is not None, f"the first run ended with {codes}"
            assert since is not None
            reader = reader or Reader(places.shown, folder / "seen.jsonl")
            now = DAY + timedelta(hours=hour) + LOOKS_AT
            day.hours.append(_look(places, hour, codes, good, expected, since, now))
            said(_row(day.hours[-1]))
    finally:
        reading = reader.stop() if reader is not None else None
    if reading is not None:
        day.reads, day.wrong_reads = reading.reads, reading.wrong(truths)
    return day


def to_markdown(day: Day) -> str:
    """The day as a table of 24 lines.

    Args:
        day: that went by.
    """
    lines = [
        "| hour | what happens | exit code | answers | NPS | as of | age | status | as expected |",
        "| ---: | --- | --- | ---: | ---: | --- | ---: | --- | --- |",
        *(_row(hour) for hour in day.hours),
        "",
        f"{day.reads:,} reads meanwhile; wrong reads: **{len(day.wrong_reads)}**.",
        *([""] if day.problems else []),
        *(f"- {problem}" for problem in day.problems),
    ]
    return "\n".join(lines)


def _run(
    project: Project, places: Places, hour: int, now: datetime, chance: random.Random
) -> tuple[int | None, ...]:
    if hour == SILENT:
        return ()
    child = Child(project, places, now)
    if hour == TWO_AT_ONCE:
        child.wait_for("step", "build")
        second = Child(project, places, now).end()
        return child.end().code, second.code
    if hour == DEAD:
        child.wait_for("node", "marts.fct_contacts")
        child.sleep(chance.uniform(0, 1))
        return (child.kill().code,)
    return (child.end().code,)


def _look(
    places: Places,
    hour: int,
    codes: tuple[int | None, ...],
    good: bool,
    expected: Truth,
    since: datetime,
    now: datetime,
) -> Hour:
    shown = in_child(lambda: _shown(places))
    age = now - shown.published_at
    verdict = in_child(lambda: _status(places, now))
    problems = []
    if shown.figures != expected.seen:
        problems.append(f"shown are {shown.figures}, to be shown {expected.seen}")
    if shown.as_of != expected.as_of:
        problems.append(f"as of {shown.as_of}, to be {expected.as_of}")
    # The run's own minutes come on top.
    if not since <= shown.published_at < since + timedelta(minutes=20):
        problems.append(f"published at {shown.published_at}, the last good run was at {since}")
    if verdict != (STALE if age > MAX_AGE else OK):
        problems.append(f"status says {verdict} at an age of {age}")
    if not _may_end(hour, codes, good):
        problems.append(f"exit codes {codes}")
    return Hour(hour, HAPPENS.get(hour, ""), codes, shown, age, verdict, tuple(problems))


def _may_end(hour: int, codes: tuple[int | None, ...], good: bool) -> bool:
    if hour == SILENT:
        return codes == ()
    if hour == TWO_AT_ONCE:
        return codes == (OK, LOCKED)
    if hour == DEAD:
        return codes == (None,)
    return codes == (OK,) if good else len(codes) == 1 and codes[0] in REFUSED


def _shown(places: Places) -> Shown:
    version_id, figures = read(places.shown)
    with duckdb.connect(str(places.shown), read_only=True) as connection:
        row = connection.execute(
            "select published_at, strftime(as_of, '%Y-%m-%dT%H:%M:%SZ') "
            "from quality.published_version"
        ).fetchone()
    assert row is not None
    return Shown(version_id, row[0].replace(tzinfo=UTC), str(row[1]), figures)


def _status(places: Places, now: datetime) -> int:
    from click.testing import CliRunner

    from nps_warehouse.cli import main

    os.environ.update(places.environment())
    minutes = int(MAX_AGE / timedelta(minutes=1))
    arguments = ["status", "--max-age", f"{minutes}m", "--now", now.isoformat()]
    return CliRunner().invoke(main, arguments).exit_code


def _of_hour(seed: int, hour: int) -> tuple[list[Row], list[Row]]:
    """Contacts and answers of the hour before a run."""
    contacts, answers = drawn(seed + 100 + hour, f"hour_{hour:02d}", 5 + hour % 4)
    for number, (contact, answer) in enumerate(zip(contacts, answers, strict=True)):
        began = DAY + timedelta(hours=hour - 1, minutes=number)
        contact |= {"started_at": _text(began), "ended_at": _text(began + timedelta(minutes=9))}
        answer["responded_at"] = _text(began + timedelta(minutes=20))
    return contacts, answers


def _text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def _row(one: Hour) -> str:
    codes = ", ".join("killed" if code is None else str(code) for code in one.codes) or "no run"
    minutes = int(one.age / timedelta(minutes=1))
    verdict = {OK: "fresh", STALE: "stale"}.get(one.verdict, f"exit code {one.verdict}")
    good = "; ".join(one.problems) or "yes"
    return (
        f"| {one.hour} | {one.happens} | {codes} | {one.shown.figures[0]:.0f} "
        f"| {one.shown.figures[1]:.2f} | {one.shown.as_of} | {minutes} min | {verdict} | {good} |"
    )
