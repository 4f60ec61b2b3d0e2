"""What was published stays known: replayed, explained, kept through corrections and forgetting."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from compiled import Compiled, Instant
from nps_warehouse.state import publication

DEPARTMENTS = ("D1", "D2", "unknown")
CUT = {score: "detractor" if score < 7 else "promoter" if score > 8 else "passive"
       for score in range(11)}  # fmt: skip
HISTORY = ("nps_restatements", "publications")
COUNTS = ("responses", "promoters", "passives", "detractors")
REASONS = {
    "late": 1, "corrected_in": 1, "corrected_out": -1, "deleted": -1,
    "definition_in": 1, "definition_out": -1,
}  # fmt: skip

# scope_type, scope_id, survey_type, period_type, period_start
Cell = tuple[str, str, str, str, date]


@dataclass(frozen=True)
class Answer:
    """An answer as the fact shows it."""

    response_id: str
    survey_type: str
    period_date: date
    department_id: str
    score: int


def starts(day: date) -> Iterator[tuple[str, date, date]]:
    """The periods a day is in: type, first day, last day."""
    yield "day", day, day
    monday = day - timedelta(days=day.weekday())
    yield "week", monday, monday + timedelta(days=6)
    for kind, months in (("month", 1), ("quarter", 3), ("year", 12)):
        first = date(day.year, (day.month - 1) // months * months + 1, 1)
        last = date(day.year + (first.month + months > 12), (first.month + months - 1) % 12 + 1, 1)
        yield kind, first, last - timedelta(days=1)


def recount(answers: list[Answer], cut: dict[int, str]) -> dict[Cell, Counter[str]]:
    """Counts of every scope, survey type and period, by a loop over the answers."""
    found: dict[Cell, Counter[str]] = {}
    for answer in answers:
        for scope in (("company", "all"), ("department", answer.department_id)):
            for survey_type in (answer.survey_type, "all"):
                for kind, first, _ in starts(answer.period_date):
                    counts = found.setdefault((*scope, survey_type, kind, first), Counter())
                    counts["responses"] += 1
                    counts[cut[answer.score] + "s"] += 1
    return found


class World:
    """The project's history models over answers that a test makes."""

    def __init__(self, project: Compiled) -> None:
        self.warehouse = Instant(project)
        self.connection = self.warehouse.connection
        order = project.in_order(HISTORY)
        # What the test fills by hand, and all that is only made for it, is not built.
        by_hand = {"fct_survey_responses", "as_of"}
        self.models = [
            node
            for node in order
            if node.schema in ("marts", "categorized")
            and "history" in node.path
        ]
        assert {node.name for node in self.models} > set(HISTORY)
        assert not by_hand & {node.name for node in self.models}
        self.connection.execute(
            "create or replace table quality.contract_version as select '1.0.0' contract_version"
        )

    def build(self, answers: list[Answer], as_of: date, cut: dict[int, str]) -> None:
        """Everything anew from these answers."""
        execute = self.connection.execute
        execute("delete from reference.nps_categories")
        self.connection.executemany("insert into reference.nps_categories values (?, ?)",
                                    [list(item) for item in cut.items()])  # fmt: skip
        execute(
            "create or replace table marts.fct_survey_responses (response_id varchar, survey_type "
            "varchar, period_date date, department_id varchar, score bigint, nps_category varchar)"
        )
        rows = [
            [a.response_id, a.survey_type, a.period_date, a.department_id, a.score, cut[a.score]]
            for a in answers
        ]
        if rows:
            self.connection.executemany(
                "insert into marts.fct_survey_responses values (?, ?, ?, ?, ?, ?)", rows
            )
        execute(
            "create or replace table categorized.as_of as select ?::timestamp as as_of, "
            "?::date as as_of_date, min(period_date) as first_response_date, "
            "max(period_date) as last_response_date from marts.fct_survey_responses",
            [datetime.combine(as_of, datetime.min.time()), as_of],
        )
        self.warehouse.build(self.models)

    def publish(self) -> publication.Publication:
        """Record what was built."""
        self.connection.execute("use state")
        self.connection.execute("begin")
        try:
            done = publication._record(self.connection, Path("here"), None, None)
            self.connection.execute("commit")
        finally:
            self.connection.execute("use warehouse")
        return done

    def dicts(self, query: str) -> list[dict[str, object]]:
        """Rows by column name."""
        result = self.connection.execute(query)
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@dataclass
class Published:
    """What the test remembers of a publication."""

    as_of: date
    answers: dict[str, Answer]
    cut: dict[int, str]
    listed: frozenset[str]


def reasons_between(
    before: Published, after: Published
) -> Iterator[tuple[str, Answer, str]]:
    """Why answers moved: reason, the answer as it was or is, its category there."""
    for id_ in sorted(set(before.answers) | set(after.answers)):
        was, now = before.answers.get(id_), after.answers.get(id_)
        if was is None and now is not None:
            yield ("definition_in" if id_ in before.listed else "late"), now, after.cut[now.score]
        elif now is None and was is not None:
            gone = "definition_out" if id_ in after.listed else "deleted"
            yield gone, was, before.cut[was.score]
        elif was is not None and now is not None:
            here, corrected = before.cut[was.score], before.cut[now.score]
            if (replace(was, score=0), here) != (replace(now, score=0), corrected):
                yield "corrected_out", was, here
                yield "corrected_in", now, corrected
            if corrected != after.cut[now.score]:
                yield "definition_out", now, corrected
                yield "definition_in", now, after.cut[now.score]


def random_answer(rng: random.Random, number: int, today: date) -> Answer:
    return Answer(
        f"R{number}",
        rng.choice(["transactional", "relational"]),
        today - timedelta(days=rng.choice([0, 1, 2, 9, 40])),
        rng.choice(DEPARTMENTS),
        rng.randrange(11),
    )


def changed(rng: random.Random, answer: Answer) -> Answer:
    other = random_answer(rng, 0, answer.period_date)
    field = rng.choice(["survey_type", "period_date", "department_id", "score", "score"])
    return replace(answer, **{field: getattr(other, field)})


def other_cut(rng: random.Random) -> dict[int, str]:
    low, high = rng.choice([(7, 9), (6, 9), (7, 8)])
    return {
        score: "detractor" if score < low else "passive" if score < high else "promoter"
        for score in range(11)
    }


def live_through(world: World, seed: int, steps: int, *, forgetting: bool) -> None:
    """A random history; after every build each published number is replayed and explained."""
    rng = random.Random(seed)
    execute = world.connection.execute
    for table in ("publications", "metric_versions", "metric_rules", "published_answers",
                  "seen_members"):  # fmt: skip
        execute(f"delete from state.{table}")
    execute("delete from reference.excluded_responses")
    now = Published(date(2025, 11, 20), {}, dict(CUT), frozenset())
    # Answers that are delivered, and left out because somebody listed them.
    put_aside: dict[str, Answer] = {}
    published: list[Published] = []
    number = 0
    for _ in range(steps):
        for _ in range(rng.randrange(8)):
            number += 1
            now.answers[f"R{number}"] = random_answer(rng, number, now.as_of)
        for id_ in rng.sample(sorted(now.answers), min(len(now.answers), rng.randrange(4))):
            if rng.random() < 0.6:
                now.answers[id_] = changed(rng, now.answers[id_])
            else:
                gone = now.answers.pop(id_)
                if rng.random() < 0.4:
                    put_aside[id_] = gone
        if put_aside and rng.random() < 0.3:
            back = rng.choice(sorted(put_aside))
            now.answers[back] = put_aside.pop(back)
        now.listed = frozenset(put_aside)
        if rng.random() < 0.2:
            now.cut = other_cut(rng)
        execute("delete from reference.excluded_responses")
        for id_ in sorted(put_aside):
            execute("insert into reference.excluded_responses values (?, 'x', 'y', null)", [id_])
        if forgetting and rng.random() < 0.3 and now.answers:
            execute("use state")
            publication.count_together(
                world.connection, rng.sample(sorted(now.answers), min(3, len(now.answers)))
            )
            execute("use warehouse")
        world.build(list(now.answers.values()), now.as_of, now.cut)
        check_restatements(world, published, now, with_reasons=not forgetting)
        if rng.random() < 0.7:
            world.publish()
            published.append(
                Published(now.as_of, dict(now.answers), dict(now.cut), now.listed)
            )
            if rng.random() < 0.2:
                world.build(list(now.answers.values()), now.as_of, now.cut)
                check_restatements(world, published, now, with_reasons=not forgetting)
                assert not world.warehouse.rows("select 1 from marts.unpublished_changes limit 1")
        now.as_of += timedelta(days=rng.choice([-1, 0, 1, 1, 5, 30]))


def check_restatements(
    world: World, published: list[Published], now: Published, *, with_reasons: bool
) -> None:
    rows = world.dicts("select * from marts.nps_restatements")
    by_cell: dict[Cell, list[dict[str, object]]] = {}
    for row in rows:
        cell = (row["scope_type"], row["scope_id"], row["survey_type"], row["period_type"],
                row["period_start"])  # fmt: skip
        by_cell.setdefault(cell, []).append(row)  # type: ignore[arg-type]
        for count in COUNTS:
            moved = sum(sign * row[f"{reason}_{count}"] for reason, sign in REASONS.items())  # type: ignore[operator]
            assert row[count] + moved == row[f"now_{count}"]  # type: ignore[operator]
        for before in ("", "now_"):
            n, p, d = (row[f"{before}{count}"] for count in ("responses", "promoters", "detractors"))
            assert row[f"{before}nps"] == (pytest.approx(100 * (p - d) / n, abs=1e-9) if n else None)  # type: ignore[operator]
    recounts = [recount(list(one.answers.values()), one.cut) for one in published]
    today = recount(list(now.answers.values()), now.cut)
    steps = [*published, now]
    moves: list[dict[Cell, Counter[str]]] = []
    for before, after in zip(steps, steps[1:], strict=False):
        found: dict[Cell, Counter[str]] = {}
        for reason, answer, category in reasons_between(before, after):
            for cell in recount([answer], CUT):
                counter = found.setdefault(cell, Counter())
                counter[f"{reason}_responses"] += 1
                counter[f"{reason}_{category}s"] += 1
        moves.append(found)
    every = {cell for counts in [*recounts, today] for cell in counts}
    ends = {
        (kind, first): last
        for cell in every
        for kind, first, last in starts(cell[4])
        if kind == cell[3]
    }
    expected_cells = set()
    for cell in every:
        first = next(
            (i for i, one in enumerate(published) if one.as_of > ends[cell[3:]]), None
        )
        if first is None:
            assert cell not in by_cell
            continue
        expected_cells.add(cell)
        for index in range(first, len(published)):
            covering = [
                row for row in by_cell[cell]
                if row["publication_number"] <= index + 1 <= row["last_publication_number"]  # type: ignore[operator]
            ]  # fmt: skip
            assert len(covering) == 1, (cell, index)
            counts = recounts[index].get(cell, Counter())
            assert [covering[0][count] for count in COUNTS] == [counts[c] for c in COUNTS]
            counts = today.get(cell, Counter())
            assert [covering[0][f"now_{count}"] for count in COUNTS] == [counts[c] for c in COUNTS]
            if with_reasons and covering[0]["publication_number"] == index + 1:
                summed: Counter[str] = Counter()
                for step in moves[index:]:
                    summed.update(step.get(cell, Counter()))
                for reason in REASONS:
                    for count in COUNTS:
                        name = f"{reason}_{count}"
                        assert covering[0][name] == summed[name], (cell, name)
    # What was there between two publications only was never published.
    assert expected_cells == set(by_cell)


@pytest.fixture(scope="module")
def world(project: Compiled) -> World:
    return World(project)


def test_every_published_number_is_replayed_and_explained(world: World) -> None:
    for seed in range(4):
        live_through(world, seed, 8, forgetting=False)
    for seed in range(4, 6):
        live_through(world, seed, 8, forgetting=True)


@pytest.mark.thorough
def test_of_many_histories_every_number_is_replayed(world: World) -> None:
    for seed in range(100, 350):
        live_through(world, seed, 14, forgetting=seed % 3 == 0)
