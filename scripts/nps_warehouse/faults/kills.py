"""Kills the nightly run at random moments, and judges what the next run makes of it."""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

import duckdb

from nps_warehouse.faults import by_hand
from nps_warehouse.faults.deliveries import Deliveries, Truth, deliver
from nps_warehouse.faults.pipeline import (
    PUBLISHING,
    Child,
    Ended,
    FaultsError,
    Places,
    Project,
    in_child,
)
from nps_warehouse.faults.reader import Reader, Reading, read
from nps_warehouse.landing import sql

STAGING, FACTS, SCORES, OTHERS = "build: staging", "build: facts", "build: score marts", "build"
BETWEEN = "between two operations of publishing"
STEPS = ("land", "check_raw", "check_marts", "publish", "docs")
CHAIN = 3
"""Deliveries, one after the other and around."""
MOST_TRIES = 3
"""How often a moment is drawn anew where the run was over before it."""
UNCOMPARED = frozenset(
    f"quality.{name}"
    for name in ("published_version", "runs", "run_steps", "run_nodes", "run_tables")
)
"""Tables that say when and by which run, which no two pipelines have alike."""


@dataclass(frozen=True)
class Moment:
    """When to kill: after something began and a while has passed, or before a change of files.

    `seconds` is the while, `change` the number of the change; `kind` and `name` are what begins.
    """

    stratum: str
    kind: str = ""
    name: str = ""
    seconds: float = 0.0
    change: int | None = None


@dataclass(frozen=True)
class Published:
    """What is published: version, its figures, a hash per table, keys of the answers in the facts.

    `publications` are those of the state, number and id.
    """

    version_id: str
    figures: tuple[float, ...]
    hashes: dict[str, str]
    keys: tuple[str, ...]
    publications: tuple[tuple[int, str], ...]


@dataclass
class Kill:
    """A kill and what came of it: problems in words, rows lost and doubled, seconds of recovery."""

    moment: Moment
    where: str
    after_seconds: float
    recovery_seconds: float = 0.0
    unrecovered: bool = False
    lost: int = 0
    doubled: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass
class Campaign:
    """All kills of a call, and what the reader saw meanwhile."""

    selection: str
    seed: int
    kills: list[Kill] = field(default_factory=list)
    too_late: int = 0
    reads: int = 0
    versions_seen: int = 0
    wrong_reads: list[str] = field(default_factory=list)
    undisturbed_seconds: float = 0.0

    @property
    def unrecovered(self) -> int:
        """Kills after which the next run did not put everything right by itself."""
        return sum(kill.unrecovered or bool(kill.problems) for kill in self.kills)

    @property
    def lost(self) -> int:
        """Rows that were lost."""
        return sum(kill.lost for kill in self.kills)

    @property
    def doubled(self) -> int:
        """Rows that were there twice."""
        return sum(kill.doubled for kill in self.kills)

    @property
    def clean(self) -> bool:
        """Whether nothing at all went wrong."""
        return not (self.wrong_reads or self.unrecovered or self.lost or self.doubled)

    def recovery(self) -> tuple[float, float]:
        """Median and 95th percentile of the seconds of a recovery."""
        seconds = [kill.recovery_seconds for kill in self.kills]
        if len(seconds) < 2:
            return (seconds[0], seconds[0]) if seconds else (0.0, 0.0)
        return median(seconds), quantiles(seconds, n=20, method="inclusive")[-1]


def content(places: Places) -> Published:
    """What is published now; to be called in a process of its own.

    Args:
        places: of the pipeline.
    """
    version_id, figures = read(places.shown)
    with duckdb.connect(str(places.shown), read_only=True) as connection:
        hashes = {}
        for schema, name in connection.execute(
            "select schema_name, table_name from duckdb_tables() order by 1, 2"
        ).fetchall():
            relation = f"{sql.name(schema)}.{sql.name(name)}"
            described = [row[:2] for row in connection.execute(f"describe {relation}").fetchall()]
            # A row as JSON: nulls, empty texts and every digit of a double are told apart.
            row = connection.execute(
                "select count(*), coalesce(md5(string_agg(row_hash, '' order by row_hash)), '')"
                f" from (select md5(cast(to_json(t) as varchar)) as row_hash from {relation} t)"
            ).fetchone()
            hashes[f"{schema}.{name}"] = f"{described} {row}"
        keys = connection.execute("select response_id from marts.fct_survey_responses").fetchall()
    state = next(places.state.glob("*.duckdb"))
    with duckdb.connect(str(state), read_only=True) as connection:
        publications = connection.execute(
            "select publication_number, publication_id from publications order by all"
        ).fetchall()
    return Published(
        version_id=version_id,
        figures=figures,
        hashes=hashes,
        keys=tuple(str(key) for (key,) in keys),
        publications=tuple((int(number), str(id_)) for number, id_ in publications),
    )


class Disturbed:
    """A pipeline that is disturbed, beside what it did when it was left alone."""

    def __init__(self, project: Project, folder: Path, seed: int, chain: int = CHAIN) -> None:
        """Run every delivery once without a disturbance.

        Args:
            project: parsed.
            folder: for everything.
            seed: of all chance.
            chain: how many deliveries there are.

        Raises:
            FaultsError: the pipeline fails, or is wrong, without any disturbance.
        """
        self.project = project
        self.places = Places(folder)
        self.deliveries = Deliveries(seed, chain)
        self.at = datetime(2026, 3, 31, 6, tzinfo=UTC)
        self.number = -1
        self.quiet: list[Ended] = []
        self.undisturbed: list[Published] = []
        self._history = project.state_readers()
        for _ in range(chain):
            self.bring()
            ended = self.run().end()
            if ended.code != 0:
                raise FaultsError(f"an undisturbed run ended with {ended.code}: {ended.sentence}")
            self.quiet.append(ended)
            self.undisturbed.append(self.look())
            if self.undisturbed[-1].figures != self.truth.seen:
                raise FaultsError(
                    f"undisturbed, {self.undisturbed[-1].figures} were published; "
                    f"the delivery has {self.truth.seen}"
                )

    @property
    def truth(self) -> Truth:
        """Of the newest delivery."""
        return self.deliveries.truth(self.number)

    @property
    def truths(self) -> list[tuple[float, ...]]:
        """The figures of every delivery."""
        return [self.deliveries.truth(number).seen for number in range(self.deliveries.count)]

    def bring(self) -> None:
        """The next delivery arrives."""
        self.number += 1
        deliver(self.places.raw, self.deliveries.files(self.number))
        if self.project.selection == PUBLISHING:
            places, truth = self.places, self.truth
            in_child(lambda: by_hand.build(places.warehouse, places.state, truth))

    def run(
        self,
        *,
        at_step: tuple[str, Callable[[], None]] | None = None,
        die_before: int | None = None,
        wait: float = 0,
    ) -> Child:
        """Begin a run, an hour after the last one.

        Args:
            at_step: see `Child`.
            die_before: see `Child`.
            wait: see `Child`.
        """
        self.at += timedelta(hours=1)
        return Child(
            self.project, self.places, self.at, at_step=at_step, die_before=die_before, wait=wait
        )

    def look(self) -> Published:
        """What is published now."""
        return in_child(lambda: content(self.places))

    def judge(self, kill: Kill) -> None:
        """Compare what is published with the undisturbed pipeline and with what was delivered.

        Args:
            kill: gets the problems.
        """
        try:
            now = self.look()
        except FaultsError as problem:
            kill.problems.append(f"what is published cannot be read: {str(problem)[-300:]}")
            return
        quiet = self.undisturbed[self.number % self.deliveries.count]
        names = quiet.hashes.keys() | now.hashes.keys()
        differing = sorted(
            name
            for name in names - UNCOMPARED - self._history
            if quiet.hashes.get(name) != now.hashes.get(name)
        )
        if differing:
            kill.problems.append(f"tables differ from the undisturbed pipeline's: {differing[:8]}")
        if now.hashes.keys() != quiet.hashes.keys():
            kill.problems.append("there are other tables than in the undisturbed pipeline")
        if now.figures != self.truth.seen:
            kill.problems.append(f"published are {now.figures}, delivered {self.truth.seen}")
        kill.lost += len(self.truth.keys - set(now.keys))
        kill.doubled += len(now.keys) - len(set(now.keys))
        kill.doubled += len(set(now.keys) - self.truth.keys)
        numbers = [number for number, _ in now.publications]
        if numbers != list(range(1, len(numbers) + 1)):
            kill.problems.append(f"publications are numbered {numbers}")
        recorded = now.publications[-1][1] if now.publications else None
        if recorded != now.version_id:
            kill.problems.append(f"shown is {now.version_id}, recorded last {recorded}")
        shown = now.version_id
        file = self.places.published / "versions" / f"{shown}.duckdb"
        if not file.is_file():
            kill.problems.append(f"there is no file of version {shown}")
        elif not file.samefile(self.places.shown):
            # Every file system that this is likely to be run on can link.
            kill.problems.append(f"shown is another file than that of version {shown}")
        self.leftovers(kill)

    def leftovers(self, kill: Kill) -> None:
        """Nothing half-made lies about in the published folder.

        Args:
            kill: gets the problems.
        """
        versions = self.places.published / "versions"
        files = {path.name for path in versions.iterdir()}
        stems = {name.removesuffix(".duckdb") for name in files if name.endswith(".duckdb")}
        expected = {f"{stem}{suffix}" for stem in stems for suffix in (".duckdb", ".json")}
        if files != expected:
            kill.problems.append(f"left over in versions: {sorted(files ^ expected)}")


def strata(names: Sequence[str] = ()) -> list[str]:
    """The strata of moments, in the order of a run.

    Args:
        names: which of them; default: all.
    """
    all_ = ["land", "check_raw", STAGING, FACTS, SCORES, OTHERS, "check_marts", "publish", BETWEEN,
            "docs"]  # fmt: skip
    return [name for name in all_ if not names or name in names]


def moments(disturbed: Disturbed, stratum: str, chance: random.Random) -> Moment | None:
    """A moment in a stratum, uniform over what an undisturbed run spends there; None: it has none.

    Args:
        disturbed: with its undisturbed runs.
        stratum: of which.
        chance: draws.
    """
    quiet = disturbed.quiet[-1]
    if stratum == BETWEEN:
        return Moment(stratum, change=chance.randint(1, quiet.operations))
    if stratum in STEPS:
        began, ended = quiet.began("step", stratum), quiet.began("after", stratum)
        if began is None or ended is None:
            return None
        return Moment(stratum, "step", stratum, chance.uniform(0, ended - began))
    # Nodes go on two at a time: a node, and a while as long as until the next one begins.
    nodes = [told for told in quiet.told if told.kind == "node"]
    spans = [
        (told, following.at - told.at)
        for told, following in itertools.pairwise(nodes)
        if _stratum_of(disturbed.project, told.name) == stratum
    ]
    if not spans:
        return None
    told, span = chance.choices(spans, [span + 1e-6 for _, span in spans])[0]
    return Moment(stratum, "node", told.name, chance.uniform(0, span))


def _stratum_of(project: Project, description: str) -> str:
    relation = description.split(".")[-1]
    path = project.folders.get(relation, "")
    for part, stratum in (
        ("models/staging/", STAGING), ("models/marts/facts/", FACTS),
        ("models/marts/scores/", SCORES),
    ):  # fmt: skip
        if path.startswith(part):
            return stratum
    return OTHERS


def kill_once(disturbed: Disturbed, moment: Moment) -> Kill | None:
    """Kill a run, bring the next delivery, let the next run repair, and judge.

    Args:
        disturbed: the pipeline.
        moment: when.

    Returns:
        What came of it; None where the run was over before the moment.
    """
    disturbed.bring()
    child = disturbed.run(die_before=moment.change)
    begun = time.monotonic()
    if moment.change is None and child.wait_for(moment.kind, moment.name):
        child.sleep(moment.seconds)
        ended = child.kill()
    else:
        ended = child.end()
    if ended.code is not None:
        if ended.code != 0:
            kill = Kill(moment, "not killed", 0, unrecovered=True)
            kill.problems.append(f"a run that was not killed ended with {ended.code}")
            return kill
        return None
    last = ended.told[-1] if ended.told else None
    where = "before the first step" if last is None else f"{last.kind} {last.name}"
    kill = Kill(moment, where, time.monotonic() - begun)
    disturbed.bring()
    recovered = disturbed.run().end()
    kill.recovery_seconds = recovered.seconds
    if recovered.code != 0:
        kill.unrecovered = True
        kill.problems.append(f"the next run ended with {recovered.code}: {recovered.sentence}")
        return kill
    disturbed.judge(kill)
    return kill


def campaign(
    project: Project,
    folder: Path,
    *,
    kills: int,
    seed: int,
    seconds: float = float("inf"),
    only: Sequence[str] = (),
    said: Callable[[str], None] = lambda _: None,
) -> Campaign:
    """Kill runs under a reader.

    Args:
        project: parsed.
        folder: for everything.
        kills: how many.
        seed: of all chance.
        seconds: after which no kill is begun.
        only: strata; default: all.
        said: is told how it goes.

    Raises:
        FaultsError: the pipeline fails without being killed.
    """
    chance = random.Random(seed)
    result = Campaign(project.selection, seed)
    disturbed = Disturbed(project, folder / "pipeline", seed)
    result.undisturbed_seconds = median(quiet.seconds for quiet in disturbed.quiet)
    said(f"undisturbed, a run takes {result.undisturbed_seconds:.1f} s")
    # Those published before the reader begins: only the newest may be seen.
    reader = Reader(disturbed.places.shown, folder / "seen.jsonl")
    begun = time.monotonic()
    order = [stratum for stratum in strata(only) if moments(disturbed, stratum, chance)]
    tries = 0
    try:
        while len(result.kills) < kills and time.monotonic() - begun < seconds:
            stratum = order[(len(result.kills) + tries // MOST_TRIES) % len(order)]
            moment = moments(disturbed, stratum, chance)
            assert moment is not None
            kill = kill_once(disturbed, moment)
            if kill is None:
                result.too_late += 1
                tries += 1
                continue
            result.kills.append(kill)
            problems = "; ".join(kill.problems) or "as undisturbed"
            said(
                f"{len(result.kills):3d} {stratum}, in {kill.where}, "
                f"{kill.after_seconds:.1f} s; next run {kill.recovery_seconds:.1f} s: {problems}"
            )
    finally:
        reading = reader.stop()
    _see(result, disturbed, reading)
    return result


def _see(result: Campaign, disturbed: Disturbed, reading: Reading) -> None:
    published = {id_ for _, id_ in disturbed.look().publications}
    result.reads = reading.reads
    result.versions_seen = len({one.version_id for one in reading.seen})
    result.wrong_reads = reading.wrong(disturbed.truths, published)


def to_json(result: Campaign) -> str:
    """All of a campaign, for later.

    Args:
        result: the campaign.
    """
    return json.dumps(result, default=vars)
