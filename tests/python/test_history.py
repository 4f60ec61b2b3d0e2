"""What was published stays known: replayed, explained, kept through corrections and forgetting."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from compiled import Compiled, Instant, Node
from nps_warehouse.state import publication
from nps_warehouse.state.store import StateError, tables

DEPARTMENTS = ("D1", "D2", "unknown")
CUT = {score: "detractor" if score < 7 else "promoter" if score > 8 else "passive"
       for score in range(11)}  # fmt: skip
HISTORY = ("nps_restatements", "publications", "unpublished_member_changes")
DEFINITIONS = ("metric_versions", "metric_rule_changes")
ATTRIBUTION = ("agent_scores_by_policy", "agent_policy_dependence")
# What these read and a test fills: names and columns.
BY_HAND = {
    "marts.dim_departments": "department_id varchar, department_name varchar, "
    "parent_department_id varchar, site varchar",
    "marts.dim_agents": "agent_id varchar, agent_name varchar",
    "marts.agent_last_contacts": "agent_id varchar, contact_date date, contact_id varchar, "
    "department_id varchar",
    "categorized.categorized_agent_assignments": "agent_id varchar, department_id varchar, "
    "team varchar, valid_from timestamp, valid_to timestamp, valid_until timestamp",
    "categorized.categorized_contact_legs": "contact_id varchar, leg_number bigint, "
    "agent_id varchar, source_agent_id varchar, handle_seconds double",
}
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


def at(year: int, month: int, day: int) -> datetime:
    """An instant of UTC, as DuckDB gives it."""
    return datetime.combine(date(year, month, day), datetime.min.time())


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
        self.warehouse = Instant(project, "warehouse")
        self.connection = self.warehouse.connection
        for table, columns in BY_HAND.items():
            self.connection.execute(f"create table {table} ({columns})")
        self.connection.execute(
            "create or replace table quality.contract_version as select '1.0.0' contract_version"
        )

    def models(self, *names: str) -> list[Node]:
        """The models of these names and what they are made of, but for what a test fills."""
        by_hand = {"fct_survey_responses", "as_of", *(table.split(".")[1] for table in BY_HAND)}
        needed: dict[str, Node] = {}

        def add(node: Node) -> None:
            for id_ in node.needs:
                found = self.warehouse.project.nodes.get(id_)
                if found is not None and found.kind == "model" and found.name not in by_hand:
                    add(found)
            needed[node.id] = node

        for name in names:
            add(self.warehouse.project.models[name])
        return list(needed.values())

    def build(
        self,
        answers: list[Answer],
        as_of: date,
        cut: dict[int, str] = CUT,
        marts: tuple[str, ...] = HISTORY,
    ) -> None:
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
        self.warehouse.build(self.models(*marts))

    def publish(self) -> publication.Publication:
        """Record what was built."""
        try:
            return publication.record_attached(self.connection, Path("here"))
        finally:
            self.connection.execute("use warehouse")

    def fill(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        """Replace the rows of a table of BY_HAND."""
        self.connection.execute(f"delete from {table}")
        if rows:
            places = ", ".join("?" for _ in rows[0])
            self.connection.executemany(
                f"insert into {table} values ({places})", [list(row) for row in rows]
            )

    def forget_all(self) -> None:
        """A state with nothing in it."""
        for table in tables(self.connection):
            self.connection.execute(f"delete from state.{table}")
        self.connection.execute("delete from reference.excluded_responses")

    def dicts(self, query: str) -> list[dict[str, Any]]:
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


def reasons_between(before: Published, after: Published) -> Iterator[tuple[str, Answer, str]]:
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
    world.forget_all()
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
            published.append(Published(now.as_of, dict(now.answers), dict(now.cut), now.listed))
            if rng.random() < 0.2:
                world.build(list(now.answers.values()), now.as_of, now.cut)
                check_restatements(world, published, now, with_reasons=not forgetting)
                assert not world.warehouse.rows("select 1 from marts.unpublished_changes limit 1")
        now.as_of += timedelta(days=rng.choice([-1, 0, 1, 1, 5, 30]))


def check_restatements(
    world: World, published: list[Published], now: Published, *, with_reasons: bool
) -> None:
    rows = world.dicts("select * from marts.nps_restatements")
    by_cell: dict[Cell, list[dict[str, Any]]] = {}
    for row in rows:
        cell = (row["scope_type"], row["scope_id"], row["survey_type"], row["period_type"],
                row["period_start"])  # fmt: skip
        by_cell.setdefault(cell, []).append(row)
        for count in COUNTS:
            moved = sum(sign * row[f"{reason}_{count}"] for reason, sign in REASONS.items())
            assert row[count] + moved == row[f"now_{count}"]
        for before in ("", "now_"):
            n, p, d = (row[before + count] for count in ("responses", "promoters", "detractors"))
            nps = pytest.approx(100 * (p - d) / n, abs=1e-9) if n else None
            assert row[f"{before}nps"] == nps
    recounts = [recount(list(one.answers.values()), one.cut) for one in published]
    today = recount(list(now.answers.values()), now.cut)
    steps = [*published, now]
    moves: list[dict[Cell, Counter[str]]] = []
    for earlier, later in pairwise(steps):
        found: dict[Cell, Counter[str]] = {}
        for reason, answer, category in reasons_between(earlier, later):
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
        first = next((i for i, one in enumerate(published) if one.as_of > ends[cell[3:]]), None)
        if first is None:
            assert cell not in by_cell
            continue
        expected_cells.add(cell)
        for index in range(first, len(published)):
            covering = [
                row for row in by_cell[cell]
                if row["publication_number"] <= index + 1 <= row["last_publication_number"]
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
    live_through(world, 1, 7, forgetting=False)
    live_through(world, 2, 7, forgetting=True)


@pytest.mark.thorough
def test_of_many_histories_every_number_is_replayed(world: World) -> None:
    for seed in range(100, 140):
        live_through(world, seed, 12, forgetting=seed % 3 == 0)


# By hand: one answer of each reason.


def test_reasons_are_told_apart(world: World) -> None:
    world.forget_all()
    day, as_of = date(2025, 3, 3), date(2025, 5, 1)

    def answer(id_: str, score: int, department: str = "D1") -> Answer:
        return Answer(id_, "transactional", day, department, score)

    world.build([answer("stays", 9), answer("goes", 9), answer("corrected", 9),
                 answer("moves", 7), answer("listed", 0),
                 answer("rescored", 9)], as_of)  # fmt: skip
    world.publish()
    world.connection.execute(
        "insert into reference.excluded_responses values ('listed','','',null)"
    )
    later = [answer("stays", 9), answer("corrected", 2), answer("moves", 7, "D2"),
             answer("late", 10), answer("rescored", 10)]  # fmt: skip
    world.build(later, as_of)
    (row,) = world.dicts(
        "select * from marts.nps_restatements where scope_id = 'D1' and survey_type = 'all' "
        "and period_type = 'month'"
    )
    assert [row[name] for name in COUNTS] == [6, 4, 1, 1]
    assert [row[f"now_{name}"] for name in COUNTS] == [4, 3, 0, 1]
    moved = {name: value for name, value in row.items()
             if name.rpartition("_")[0] in REASONS and value}  # fmt: skip
    assert moved == {
        "late_responses": 1, "late_promoters": 1,
        "corrected_in_responses": 1, "corrected_in_detractors": 1,
        "corrected_out_responses": 2, "corrected_out_promoters": 1, "corrected_out_passives": 1,
        "deleted_responses": 1, "deleted_promoters": 1,
        "definition_out_responses": 1, "definition_out_detractors": 1,
    }  # fmt: skip
    # 4 of 6 promoters and 1 detractor; 3 of 4 and 1.
    assert (row["nps"], row["now_nps"]) == (50, 50)
    (company,) = world.dicts(
        "select * from marts.nps_restatements where scope_type = 'company' and survey_type = 'all' "
        "and period_type = 'month'"
    )
    # For the company the answer that changed its department left and came.
    assert company["corrected_in_passives"] == company["corrected_out_passives"] == 1


def test_another_score_of_the_same_category_is_no_revision(world: World) -> None:
    world.forget_all()
    for score in (9, 10):
        world.build([Answer("R1", "relational", date(2025, 1, 1), "D1", score)], date(2025, 3, 1))
        world.publish()
    world.build([Answer("R1", "relational", date(2025, 1, 1), "D1", 10)], date(2025, 3, 1))
    assert world.warehouse.rows(
        "select max(revision), min(last_publication_number) from marts.nps_restatements"
    ) == [(1, 2)]
    # The state knows the score of today all the same: a new cut of the categories needs it.
    assert world.warehouse.rows(
        "select score, opened_as, closed_as from state.published_answers order by score"
    ) == [(9, "arrived", "rescored"), (10, "rescored", None)]


def test_answers_of_forgotten_customers_are_known_by_their_number(world: World) -> None:
    world.forget_all()
    day, as_of = date(2025, 1, 1), date(2025, 3, 1)
    answers = [Answer(f"R{number}", "relational", day, "D1", 9) for number in range(4)]
    world.build(answers, as_of)
    world.publish()
    world.connection.execute("use state")
    publication.count_together(world.connection, ["R1", "R2"])
    world.connection.execute("use warehouse")
    changes = (
        "select change_type, reason, response_id, score, responses "
        "from marts.unpublished_changes order by all"
    )
    world.build(answers, as_of)
    assert world.warehouse.rows(changes) == []
    # One is corrected: its key says nothing, so that one has gone and another has come.
    answers[1] = replace(answers[1], score=3)
    world.build(answers, as_of)
    assert world.warehouse.rows(changes) == [
        ("closed", "deleted", None, 9, 1), ("opened", "arrived", "R1", 3, 1),
    ]  # fmt: skip
    world.publish()
    world.build([answers[0], answers[3]], as_of)
    assert world.warehouse.rows(changes) == [
        ("closed", "deleted", "R1", 3, 1), ("closed", "deleted", None, 9, 1),
    ]  # fmt: skip
    # Another cut moves those that are counted together, too.
    world.build(answers, as_of, CUT | {9: "passive"})
    (row,) = world.dicts(
        "select * from marts.nps_restatements where scope_type = 'company' "
        "and survey_type = 'all' and period_type = 'month' and revision = 2"
    )
    assert (row["promoters"], row["now_promoters"], row["now_passives"]) == (3, 0, 3)
    assert row["definition_out_promoters"] == row["definition_in_passives"] == 3


def test_nothing_published_is_an_empty_mart(world: World) -> None:
    world.forget_all()
    world.build([Answer("R1", "relational", date(2025, 1, 1), "D1", 9)], date(2025, 3, 1))
    assert world.dicts("select * from marts.nps_restatements") == []
    assert world.dicts("select * from marts.publications") == []
    assert len(world.dicts("select * from marts.unpublished_changes")) == 1


def test_a_build_is_recorded_once_and_only_as_the_marts_show_it(world: World) -> None:
    world.forget_all()
    answers = [Answer("R1", "relational", date(2025, 1, 1), "D1", 9)]
    world.build(answers, date(2025, 3, 1))
    assert world.publish().id == "2025-03-01"
    with pytest.raises(StateError, match="published already"):
        world.publish()
    world.build(answers, date(2025, 3, 1))
    assert world.publish().id == "2025-03-01.2"
    world.build(answers, date(2025, 3, 1))
    # A fact that went on without the marts of what has changed.
    world.connection.execute("update marts.fct_survey_responses set department_id = 'D2'")
    with pytest.raises(StateError, match="not be what the marts show in 2 places"):
        world.publish()
    assert world.warehouse.rows("select count(*) from state.publications") == [(2,)]


def test_changed_rules_are_a_new_version_and_the_same_ones_the_old(world: World) -> None:
    world.forget_all()
    other = CUT | {8: "promoter"}
    answers = [Answer("R1", "relational", date(2025, 1, 1), "D1", 8)]
    versions = []
    for cut in (CUT, other, CUT):
        world.build(answers, date(2025, 3, 1), cut, (*HISTORY, *DEFINITIONS))
        versions.append(world.publish().metric_version)
    assert versions == [1, 2, 1]
    world.build(answers, date(2025, 3, 1), CUT | {6: "passive"}, (*HISTORY, *DEFINITIONS))
    assert world.warehouse.rows(
        "select metric_version, is_current, publications, first_publication_number, "
        "last_publication_number from quality.metric_versions order by 1"
    ) == [(1, False, 2, 1, 3), (2, False, 1, 2, 2), (3, True, 0, None, None)]
    assert world.warehouse.rows(
        "select publication_number, publication_id is null, previous_version, metric_version, "
        "rule_name, rule_key, old_value, new_value from quality.metric_rule_changes order by 1"
    ) == [
        (2, False, 1, 2, "nps_categories", "8", "passive", "promoter"),
        (3, False, 2, 1, "nps_categories", "8", "promoter", "passive"),
        (4, True, 1, 3, "nps_categories", "6", "detractor", "passive"),
    ]
    # Every seed that rules come from, and every var, is in them; a listed answer not by its id.
    assert {row[0] for row in world.warehouse.rows("select rule_name from categorized.metric_rules")
            } == {"nps_categories", "nps_bands", "channel_aliases", "var"}  # fmt: skip
    world.connection.execute("insert into reference.excluded_responses values ('R7','','',null)")
    world.build(answers, date(2025, 3, 1), CUT, (*HISTORY, *DEFINITIONS))
    assert world.warehouse.rows(
        "select rule_key from categorized.metric_rules where rule_name = 'excluded_responses'"
    ) == [(hashlib.sha256(b"R7").hexdigest(),)]


# Departments and agents.


def test_a_reorganised_department_keeps_its_history(world: World) -> None:
    world.forget_all()
    was = [("D0", "Head", None, "X"), ("D1", "North", "D0", "X"), ("D2", "South", None, "X"),
           ("D3", "East", "D1", "X")]  # fmt: skip
    now = [("D0", "Head", None, "X"), ("D1", "Arctic", "D2", "X"), ("D2", "South", None, "X"),
           ("D3", "East", "D1", "X")]  # fmt: skip
    answers = [
        Answer("R1", "transactional", date(2025, 1, 10), "D3", 10),
        Answer("R2", "transactional", date(2025, 1, 10), "D2", 0),
        Answer("R3", "transactional", date(2025, 2, 10), "D3", 10),
    ]
    world.fill("marts.dim_departments", was)
    world.build(answers[:2], date(2025, 1, 31))
    world.publish()
    world.fill("marts.dim_departments", now)
    world.build(answers, date(2025, 3, 1), marts=(*HISTORY, "department_history"))
    as_seen = world.warehouse.rows(
        "select department_id, department_name, parent_department_id, valid_from_on, "
        "valid_until_on, department_name_today, parent_department_id_today "
        "from marts.department_history where department_id in ('D1', 'D2') "
        "order by department_id, version_number"
    )
    far, first = date(9999, 12, 31), date(2000, 1, 1)
    assert as_seen == [
        ("D1", "North", "D0", first, date(2025, 3, 1), "Arctic", "D2"),
        ("D1", "Arctic", "D2", date(2025, 3, 1), far, "Arctic", "D2"),
        ("D2", "South", None, first, far, "South", None),
    ]
    # Published or not, it is the same; and it stays when the next one brings nothing.
    for as_of in (date(2025, 3, 1), date(2025, 4, 1)):
        world.build(answers, as_of, marts=(*HISTORY, "department_history"))
        world.publish()
        world.build(answers, as_of, marts=(*HISTORY, "department_history"))
        assert world.warehouse.rows(
            "select count(*), count(*) filter (not is_current) from marts.department_history"
        ) == [(6, 1)]
    answers.append(Answer("R4", "transactional", date(2025, 3, 5), "D3", 10))
    world.build(answers, date(2025, 4, 2), marts=(*HISTORY, "dated_department_ancestors"))
    day_by_day = world.warehouse.rows(
        "select day, ancestor_id from (values (date '2025-01-10'), (date '2025-03-05')) as d (day) "
        "inner join marts.dated_department_ancestors as a "
        "on a.department_id = 'D3' and day >= valid_from_on and day < valid_until_on order by 1, 2"
    )
    assert day_by_day == [
        (date(2025, 1, 10), "D0"), (date(2025, 1, 10), "D1"),
        (date(2025, 3, 5), "D1"), (date(2025, 3, 5), "D2"),
    ]  # fmt: skip


def test_agents_without_assignments_are_where_publications_saw_them(world: World) -> None:
    world.forget_all()
    world.fill("marts.dim_agents", [("A1", "x"), ("A2", "y"), ("unknown", "Unknown")])
    start = at(2024, 1, 1)
    far = at(9999, 12, 31)
    world.fill("categorized.categorized_agent_assignments",
               [("A2", "D1", "T1", start, at(2025, 2, 1), at(2025, 2, 1)),
                ("A2", "D2", "T2", at(2025, 2, 1), None, far)])  # fmt: skip
    for day, department in ((date(2025, 1, 10), "D1"), (date(2025, 3, 10), "D2")):
        world.fill("marts.agent_last_contacts", [("A1", day, "C1", department)])
        world.build([], day, marts=(*HISTORY, "agent_history"))
        if day.month == 1:
            world.publish()
    assert world.warehouse.rows(
        "select agent_id, version_number, valid_from, department_id, team, known_from, "
        "department_id_today from marts.agent_history order by 1, 2"
    ) == [
        ("A1", 1, at(2000, 1, 1), "D1", "unknown", "publications", "D2"),
        ("A1", 2, at(2025, 3, 10), "D2", "unknown", "publications", "D2"),
        ("A2", 1, start, "D1", "T1", "assignments", "D2"),
        ("A2", 2, at(2025, 2, 1), "D2", "T2", "assignments", "D2"),
    ]
    for table in BY_HAND:
        world.fill(table, [])
