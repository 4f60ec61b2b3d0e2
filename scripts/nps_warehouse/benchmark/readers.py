"""Many readers of the published file at once while versions are published: errors, and how long.

Each reader is a process with a connection of its own that only reads, as a dashboard has it: it
asks a dashboard's queries, rests, asks again, and opens the file anew now and then. Beside it one
reader asks the same while nobody else does anything.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import random
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from statistics import median

import duckdb

from nps_warehouse.benchmark.measure import BenchmarkError
from nps_warehouse.landing import sql
from nps_warehouse.publishing import publish
from nps_warehouse.publishing.place import PublishingError
from nps_warehouse.state.store import create, state_file

QUERIES: Mapping[str, str] = {
    "score by month": """
        select period_start, responses, nps, nps_ci_low, nps_ci_high, is_reportable
        from marts.nps_by_period
        where survey_type = 'all' and period_type = 'month' order by period_start
    """,
    "changes, limits and signals": """
        select period_start, nps, nps_change, adjusted_p_value, verdict, chart_low, chart_high,
            first_signal_kind
        from marts.nps_trends
        where scope_type = 'company' and survey_type = 'all' and period_type = 'month'
        order by period_start
    """,
    "departments of a month": """
        select departments.department_name, scores.responses, scores.nps, scores.nps_ci_low,
            scores.nps_ci_high, trends.nps_change, trends.verdict
        from marts.nps_by_department as scores
        left join marts.nps_trends as trends
            on scores.department_id = trends.scope_id and trends.scope_type = 'department'
            and scores.survey_type = trends.survey_type
            and scores.period_type = trends.period_type
            and scores.period_start = trends.period_start
        left join marts.dim_departments as departments
            on scores.department_id = departments.department_id
        where scores.survey_type = 'all' and scores.period_type = 'month' and not scores.is_rollup
            and scores.period_start = (
                select max(period_start) from marts.nps_by_period
                where survey_type = 'all' and period_type = 'month' and is_complete
            )
        order by scores.nps desc, scores.department_id
    """,
    "ranking of agents": """
        select agent_name, responses, shrunk_nps, shrunk_ci_low, shrunk_ci_high, tie_rank,
            nps_vs_expected, vs_expected_verdict
        from marts.agent_ranking
        where survey_type = 'all' and period_type = 'quarter'
            and period_start = (
                select max(period_start) from marts.nps_by_period
                where survey_type = 'all' and period_type = 'quarter'
            )
        order by tie_rank nulls last, agent_id
    """,
    "Pareto of complaints": """
        select theme, responses, detractors, impact, cumulative_detractor_share_pct
        from marts.nps_by_theme
        where survey_type = 'all' and period_type = 'quarter' and scope_type = 'company'
            and period_start = (
                select max(period_start) from marts.nps_by_theme
                where period_type = 'quarter' and is_complete
            )
        order by detractor_rank
    """,
    "queue of cases": """
        select case_id, queue_rank, priority, due_at, is_overdue, department_id, team
        from marts.open_case_queue
        order by queue_rank limit 100
    """,
    "data quality": """
        select table_name, reason, count(*) as rejected
        from quality.rejected_rows
        group by table_name, reason order by rejected desc, table_name, reason
    """,
    "answers by reason and channel": """
        select contact_reason, channel, count(*) as responses, 100 * avg(nps_contribution) as nps
        from marts.fct_survey_responses
        where period_date >= (select max(period_date) - 90 from marts.fct_survey_responses)
        group by contact_reason, channel order by contact_reason, channel
    """,
}
"""What the dashboards ask, at their first look."""

OPENING = "opening the file"
MARK = "readers_mark"
MARKED = ("marts", "quality", "reference")
SEEN = f"""
    select version.version_id, version.responses, scores.responses,
        {", ".join(f"{schema}.mark" for schema in MARKED)}
    from quality.published_version as version
    cross join marts.nps_by_period as scores
    {" ".join(f"cross join {schema}.{MARK} as {schema}" for schema in MARKED)}
    where scores.survey_type = 'all' and scores.period_type = 'all'
"""

LOOKS_PER_OPENING = 5
ALONE_LOOKS = 20
"""Looks of the reader who is alone."""

STARTING_SECONDS = 600
STOPPING_SECONDS = 300


@dataclass(frozen=True)
class Look:
    """What a reader asks, and how long it rests between two looks.

    Attributes:
        file: the published file.
        log: where it writes what it saw, when it is done.
        stop: a file that ends it; None: it ends after `ALONE_LOOKS`.
        pause: seconds of rest, on average.
        seed: of the rests.
    """

    file: Path
    log: Path
    stop: Path | None
    pause: float
    seed: int


@dataclass(frozen=True)
class Timed:
    """Seconds of every time something was asked."""

    alone: Sequence[float]
    together: Sequence[float]


@dataclass(frozen=True)
class Reading:
    """What came of it all.

    Attributes:
        readers: how many.
        publications: versions that were published while they read.
        seconds: how long they read.
        versions_seen: versions that any of them saw.
        errors: whatever a reader could not do, in words.
        mixtures: whatever it saw that is of no one version, in words.
        timed: by query, in seconds.
        load: of the machine, its one-minute load average before and at the end.
        megabytes: of the published file.
        pause: seconds that a reader rests between two looks, on average.
    """

    readers: int
    publications: int
    seconds: float
    versions_seen: int
    errors: Sequence[str]
    mixtures: Sequence[str]
    timed: Mapping[str, Timed]
    load: tuple[float, float]
    megabytes: float
    pause: float


def percentile(values: Sequence[float], share: float) -> float:
    """The value that a share of all do not exceed, by nearest rank.

    Args:
        values: one or more.
        share: above 0, up to 1.
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def ask(connection: duckdb.DuckDBPyConnection, spent: dict[str, list[float]]) -> None:
    """Ask every query once.

    Args:
        connection: of a published file, or of a warehouse.
        spent: seconds by query; what each took is added to it.

    Raises:
        duckdb.Error: a query cannot be answered.
    """
    for name, query in QUERIES.items():
        started = time.perf_counter()
        connection.execute(query).fetchall()
        spent.setdefault(name, []).append(time.perf_counter() - started)


def _wrong(seen: object, before: object) -> str | None:
    rows = seen if isinstance(seen, list) else []
    if len(rows) != 1:
        return f"{len(rows)} versions in one file: {seen}"
    version, told, scored, *marks = rows[0]
    if told != scored or len(set(marks)) != 1:
        return f"{version} is of several builds: {rows[0]}"
    if before is not None and seen != before:
        return f"{version} changed while it was open: {before}, then {seen}"
    return None


def read_on(look: Look) -> None:
    """The part of a reader's process: look again and again, then write what was seen.

    Args:
        look: what to ask, and until when.
    """
    chance = random.Random(look.seed)
    spent: dict[str, list[float]] = {}
    versions: set[str] = set()
    errors: list[str] = []
    mixtures: list[str] = []
    looks = 0
    look.log.with_suffix(".ready").touch()

    def is_over() -> bool:
        return looks >= ALONE_LOOKS if look.stop is None else look.stop.exists() and looks > 0

    while not is_over():
        try:
            started = time.perf_counter()
            with duckdb.connect(str(look.file), read_only=True, config={"threads": 1}) as opened:
                spent.setdefault(OPENING, []).append(time.perf_counter() - started)
                before: object = None
                for _ in range(LOOKS_PER_OPENING):
                    ask(opened, spent)
                    seen = opened.execute(SEEN).fetchall()
                    looks += 1
                    wrong = _wrong(seen, before)
                    if wrong is not None:
                        mixtures.append(wrong)
                    elif isinstance(seen, list):
                        versions.add(str(seen[0][0]))
                    before = seen
                    if is_over():
                        break
                    time.sleep(chance.uniform(0, 2 * look.pause))
        except duckdb.Error as problem:
            looks += 1
            errors.append(f"{type(problem).__name__}: {str(problem).splitlines()[0]}")
    found = {"spent": spent, "versions": sorted(versions), "errors": errors, "mixtures": mixtures}
    fresh = look.log.with_suffix(".new")
    fresh.write_text(json.dumps(found), encoding="utf-8")
    fresh.replace(look.log)


def _wait(done: Callable[[], bool], seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            raise BenchmarkError(f"{what} took more than {seconds:.0f} s")
        time.sleep(0.05)


class Night:
    """A warehouse that is published again and again, each time with another mark in it."""

    def __init__(self, warehouse: Path, scratch: Path) -> None:
        """Copy the warehouse: what is published is nobody's but ours.

        Args:
            warehouse: a built one.
            scratch: an empty folder.
        """
        self.folder = scratch / "published"
        self._warehouse = scratch / "readers.duckdb"
        self._environ = {"NPS_STATE_DIR": str(scratch / "state")}
        self._count = 0
        shutil.copyfile(warehouse, self._warehouse)
        create(state_file(self._environ))

    @property
    def shown(self) -> Path:
        """The file that readers open."""
        return self.folder / "nps.duckdb"

    def publish(self) -> None:
        """As a nightly run does it, of a build that says which one it is.

        Raises:
            BenchmarkError: the warehouse is none, or could not be published.
        """
        try:
            with duckdb.connect(str(self._warehouse)) as connection:
                for schema in MARKED:
                    where = f"{sql.name(self._warehouse.stem)}.{schema}.{MARK}"
                    connection.execute(
                        f"create or replace table {where} as select {self._count} as mark"
                    )
                connection.execute(
                    "update categorized.metric_version set last_publication_number = $1",
                    [self._count],
                )
                # As after a publication: what was published by the last one is no longer new.
                if self._count:
                    connection.execute("delete from marts.unpublished_changes")
                    connection.execute("delete from marts.unpublished_member_changes")
            self._count += 1
            publish(
                f"readers-{self._count:04}",
                warehouse=self._warehouse,
                folder=self.folder,
                keep=2,
                environ=self._environ,
            )
        except (duckdb.Error, PublishingError) as problem:
            raise BenchmarkError(f"{self._warehouse.name} can't be published: {problem}") from None


def measure(
    warehouse: Path, scratch: Path, readers: int, publications: int, pause: float
) -> Reading:
    """Let readers read while versions are published.

    Args:
        warehouse: a built warehouse; it is copied.
        scratch: an empty folder, on the disk that is to be measured.
        readers: how many there are, 1 or more.
        publications: how many versions are published while they read, 1 or more.
        pause: seconds that a reader rests between two looks, on average.

    Raises:
        BenchmarkError: the warehouse can't be published, or a reader was lost.
    """
    if not warehouse.is_file():
        raise BenchmarkError(f"there is no warehouse {warehouse}; run a build first")
    before = os.getloadavg()[0]
    night = Night(warehouse, scratch)
    night.publish()
    processes = multiprocessing.get_context("spawn")
    alone = _read(processes, [Look(night.shown, scratch / "alone.json", None, 0, 0)])[0]
    stop = scratch / "stop"
    looks = [
        Look(night.shown, scratch / f"reader{number}.json", stop, pause, number)
        for number in range(1, readers + 1)
    ]
    started = 0.0

    def meanwhile() -> None:
        nonlocal started
        started = time.monotonic()
        for _ in range(publications):
            night.publish()
        # The last version is to be seen, too.
        time.sleep(2 * pause + 1)
        stop.touch()

    together = _read(processes, looks, meanwhile)
    return Reading(
        readers=readers,
        publications=publications,
        seconds=time.monotonic() - started,
        versions_seen=len({version for one in together for version in one["versions"]}),
        errors=[*alone["errors"], *(error for one in together for error in one["errors"])],
        mixtures=[*alone["mixtures"], *(wrong for one in together for wrong in one["mixtures"])],
        timed={
            name: Timed(
                alone["spent"].get(name, []),
                [seconds for one in together for seconds in one["spent"].get(name, [])],
            )
            for name in (OPENING, *QUERIES)
        },
        load=(before, os.getloadavg()[0]),
        megabytes=night.shown.stat().st_size / 1e6,
        pause=pause,
    )


def _read(
    processes: SpawnContext,
    looks: Sequence[Look],
    meanwhile: Callable[[], None] = lambda: None,
) -> list[dict[str, dict[str, list[float]]]]:
    """Start readers, wait until all read, do something, and collect what they saw."""
    started: list[SpawnProcess] = []
    try:
        for look in looks:
            process = processes.Process(target=read_on, args=(look,))
            process.start()
            started.append(process)
        _wait(
            lambda: all(look.log.with_suffix(".ready").exists() for look in looks),
            STARTING_SECONDS,
            "starting the readers",
        )
        meanwhile()
        for process in started:
            process.join(STOPPING_SECONDS)
        lost = sum(process.exitcode != 0 for process in started)
        if lost:
            raise BenchmarkError(f"{lost} of {len(looks)} readers did not come to their end")
        return [json.loads(look.log.read_text(encoding="utf-8")) for look in looks]
    finally:
        for process in started:
            if process.is_alive():
                process.kill()
            with suppress(OSError):
                process.join(STOPPING_SECONDS)


HEADING = "## Readers while versions are published"


def section(reading: Reading) -> str:
    """What came of it, in Markdown.

    Args:
        reading: from `measure`.
    """
    openings = len(reading.timed[OPENING].together)
    asked = sum(len(timed.together) for name, timed in reading.timed.items() if name != OPENING)
    parts = [
        HEADING,
        (
            f"{reading.readers} readers, each a process with its own connection that only reads, "
            f"ask the queries of the dashboards, rest {reading.pause:g} s on average, and open the "
            f"file anew every {LOOKS_PER_OPENING} looks, while {reading.publications} versions of "
            f"{reading.megabytes:,.0f} MB are published one after the other: {asked:,} queries "
            f"and {openings:,} openings in {reading.seconds:,.0f} s, "
            f"**{len(reading.errors)} errors, {len(reading.mixtures)} mixtures of versions**; "
            f"{reading.versions_seen} versions were seen. Beside it the same queries of one reader "
            "alone, before. Milliseconds; load of the machine "
            f"{reading.load[0]:.1f} before, {reading.load[1]:.1f} at the end, "
            f"{os.cpu_count()} cores."
        ),
        "\n".join(_table(reading)),
    ]
    if reading.errors or reading.mixtures:
        wrong = dict.fromkeys([*reading.errors, *reading.mixtures])
        parts.append("\n".join(f"- {one}" for one in list(wrong)[:20]))
    return "\n\n".join(parts) + "\n"


def _table(reading: Reading) -> list[str]:
    lines = [
        (
            "| query | times | median | p95 | median alone | p95 alone "
            "| median ÷ alone | p95 ÷ alone |"
        ),
        "| --- " + "| ---: " * 7 + "|",
    ]
    for name, timed in reading.timed.items():
        if not timed.alone or not timed.together:
            continue
        middle, high = median(timed.together), percentile(timed.together, 0.95)
        own, own_high = median(timed.alone), percentile(timed.alone, 0.95)
        lines.append(
            f"| {name} | {len(timed.together):,} | {1000 * middle:.1f} | {1000 * high:.1f} "
            f"| {1000 * own:.1f} | {1000 * own_high:.1f} | {middle / own:.1f} "
            f"| {high / own_high:.1f} |"
        )
    return lines
