"""Whose an answer is: each policy against a loop over the legs, and against the published block."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date
from fractions import Fraction
from math import sqrt
from typing import Any

import pytest
from compiled import Compiled, Instant
from conftest import Build

Z = 1.959963984540054
POLICIES = ("last_agent", "first_agent", "longest_leg", "shared")
BY_HAND = {
    "marts.fct_survey_responses": "response_id varchar, contact_id varchar, agent_id varchar, "
    "survey_type varchar, period_date date, nps_category varchar",
    "categorized.categorized_contact_legs": "contact_id varchar, leg_number bigint, "
    "agent_id varchar, source_agent_id varchar, handle_seconds double",
    "categorized.as_of": "as_of_date date, first_response_date date, last_response_date date",
    "marts.dim_agents": "agent_id varchar, agent_name varchar",
}
SCORE = {"promoter": 1, "passive": 0, "detractor": -1}
DAY = date(2025, 3, 3)

# response, contact, agent, category; contact to (agent or None, seconds or None) by leg.
Responses = list[tuple[str, str, str, str]]
Legs = dict[str, list[tuple[str | None, int | None]]]


@pytest.fixture(scope="module")
def warehouse(project: Compiled) -> Instant:
    made = Instant(project)
    for table, columns in BY_HAND.items():
        made.connection.execute(f"create table {table} ({columns})")
    return made


def build(warehouse: Instant, responses: Responses, legs: Legs) -> None:
    """The attribution marts of these answers and legs, all of one day."""
    rows: dict[str, list[list[Any]]] = {table: [] for table in BY_HAND}
    rows["marts.fct_survey_responses"] = [
        [id_, contact, agent, "transactional", DAY, category]
        for id_, contact, agent, category in responses
    ]
    rows["categorized.categorized_contact_legs"] = [
        [contact, number, agent or "unknown", agent, seconds]
        for contact, parts in legs.items()
        for number, (agent, seconds) in enumerate(parts, start=1)
    ]
    rows["categorized.as_of"] = [[date(2025, 5, 1), DAY, DAY]]
    for table, values in rows.items():
        warehouse.connection.execute(f"delete from {table}")
        for row in values:
            places = ", ".join("?" for _ in row)
            warehouse.connection.execute(f"insert into {table} values ({places})", row)
    filled = {table.split(".")[1] for table in BY_HAND}
    by_hand = [
        node
        for node in warehouse.project.in_order(["agent_policy_dependence"])
        if "attribution" in node.path and node.name not in filled
    ]
    warehouse.build(by_hand)


def shares(
    agent: str, parts: list[tuple[str | None, int | None]]
) -> dict[str, dict[str, Fraction]]:
    """Weights of a contact's agents by policy."""
    legs = [(one, seconds) for one, seconds in parts if one is not None]
    whole = Fraction(1)
    found: dict[str, dict[str, Fraction]] = {"last_agent": {agent: whole}}
    if not legs:
        return {policy: {agent: whole} for policy in POLICIES}
    found["first_agent"] = {legs[0][0]: whole}
    longest = max(seconds or 0 for _, seconds in legs)
    found["longest_leg"] = {[one for one, seconds in legs if (seconds or 0) == longest][-1]: whole}
    known = all(seconds is not None for _, seconds in legs)
    total = sum(seconds or 0 for _, seconds in legs)
    shared: dict[str, Fraction] = defaultdict(Fraction)
    for one, seconds in legs:
        shared[one] += Fraction(seconds or 0, total) if known and total else Fraction(1, len(legs))
    found["shared"] = {one: weight for one, weight in shared.items() if weight}
    return found


def expected(responses: Responses, legs: Legs) -> dict[tuple[str, str], list[tuple[Fraction, int]]]:
    """Weights and scores (-1, 0, 1) by policy and agent."""
    found: dict[tuple[str, str], list[tuple[Fraction, int]]] = defaultdict(list)
    for _, contact, agent, category in responses:
        for policy, weights in shares(agent, legs.get(contact, [])).items():
            for one, weight in weights.items():
                found[policy, one].append((weight, SCORE[category]))
    return found


def interval(weighted: list[tuple[Fraction, int]]) -> tuple[float, float]:
    """Adjusted Wald of the effective number of answers."""
    total = sum(weight for weight, _ in weighted)
    effective = total**2 / sum(weight**2 for weight, _ in weighted)
    counts = {value: sum(w for w, x in weighted if x == value) / total for value in (-1, 0, 1)}
    d, _, p = (
        float(counts[value] * effective) + more for value, more in ((-1, 0.75), (0, 1.5), (1, 0.75))
    )
    n = float(effective) + 3
    middle, error = (p - d) / n, sqrt(((p + d) / n - ((p - d) / n) ** 2) / n)
    return max(-100, 100 * (middle - Z * error)), min(100, 100 * (middle + Z * error))


def dicts(warehouse: Instant, query: str) -> list[dict[str, Any]]:
    result = warehouse.connection.execute(query)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def random_case(rng: random.Random) -> tuple[Responses, Legs]:
    agents = ["A1", "A2", "A3", "A4"]
    responses, legs = [], {}
    for number in range(rng.randrange(1, 60)):
        contact = f"C{number // 2 if rng.random() < 0.2 else number}"
        responses.append(
            (f"R{number}", contact, rng.choice([*agents, "unknown"]), rng.choice(list(SCORE)))
        )
        if rng.random() < 0.8:
            legs[contact] = [
                (rng.choice([*agents, None]), rng.choice([None, 0, 60, 60, 100, 333]))
                for _ in range(rng.randrange(1, 5))
            ]
    return responses, legs


def test_every_policy_is_what_a_loop_over_the_legs_gives(warehouse: Instant) -> None:
    for seed in range(12):
        responses, legs = random_case(random.Random(seed))
        build(warehouse, responses, legs)
        found = {
            (row["attribution_policy"], row["agent_id"]): row
            for row in dicts(
                warehouse,
                "select * from marts.agent_scores_by_policy "
                "where survey_type = 'all' and period_type = 'month'",
            )
        }
        wanted = expected(responses, legs)
        assert set(found) == set(wanted)
        for key, weighted in wanted.items():
            row, total = found[key], sum(weight for weight, _ in weighted)
            score = 100 * sum(weight * x for weight, x in weighted) / total
            assert row["answers"] == len(weighted)
            assert row["attributed_responses"] == pytest.approx(float(total), rel=1e-12)
            assert row["nps"] == pytest.approx(float(score), abs=1e-9)
            assert row["effective_responses"] == pytest.approx(
                float(total**2 / sum(weight**2 for weight, _ in weighted)), rel=1e-9
            )
            assert (row["nps_ci_low"], row["nps_ci_high"]) == pytest.approx(
                interval(weighted), abs=1e-9
            )


def test_without_legs_all_policies_are_the_contacts_agent(warehouse: Instant) -> None:
    responses, _ = random_case(random.Random(5))
    build(warehouse, responses, {})
    rows = dicts(
        warehouse,
        "select * exclude (attribution_policy) from marts.agent_scores_by_policy order by all",
    )
    assert rows
    assert all(rows.count(row) == len(POLICIES) for row in rows)
    for row in dicts(warehouse, "select * from marts.agent_policy_dependence"):
        assert (row["nps_range"], row["is_policy_dependent"]) == (0, False)


def test_an_agent_whose_score_is_another_agents_work(warehouse: Instant) -> None:
    """By hand: A1 takes every call and passes it on; who had it at the end gets the score."""
    responses: Responses = []
    legs: Legs = {}
    for number in range(60):
        # A2 is handed the failed ones, A1 keeps the others.
        failed = number % 2 == 1
        last = "A2" if failed else "A1"
        category = "detractor" if failed else "promoter"
        responses.append((f"R{number}", f"C{number}", last, category))
        legs[f"C{number}"] = [("A1", 300), ("A2", 100)] if failed else [("A1", 300)]
    build(warehouse, responses, legs)
    rows = {
        row["agent_id"]: row
        for row in dicts(
            warehouse,
            "select * from marts.agent_policy_dependence "
            "where survey_type = 'all' and period_type = 'month'",
        )
    }
    first = rows["A1"]
    assert (first["last_agent_nps"], first["first_agent_nps"], first["longest_leg_nps"]) == (
        100, 0, 0,
    )  # fmt: skip
    # 30 promoters, and three quarters of 30 detractors: 100 x (30 - 22.5) / 52.5.
    assert first["shared_responses"] == pytest.approx(52.5)
    assert first["shared_nps"] == pytest.approx(100 * 7.5 / 52.5)
    assert first["nps_range"] == 100
    assert first["is_policy_dependent"]
    # A2 is nobody by two policies, so that there is nothing to judge.
    assert rows["A2"]["first_agent_nps"] is None
    assert not rows["A2"]["is_reportable"]
    assert not rows["A2"]["is_policy_dependent"]
    assert (first["last_agent_nps_rank"], rows["A2"]["last_agent_nps_rank"]) == (1, 2)


@pytest.mark.thorough
def test_the_default_policy_is_the_published_score(sample_build: Build) -> None:
    """Every figure that both have, of every agent and period of the sample."""
    rows = sample_build.rows(
        "select count(*), count(a.nps), count(b.nps), "
        "max(abs(a.nps - b.nps)), max(abs(a.nps_ci_low - b.nps_ci_low)), "
        "max(abs(a.nps_ci_high - b.nps_ci_high)), max(abs(a.attributed_responses - b.responses)), "
        "count(*) filter (a.is_reportable <> b.is_reportable) "
        "from (from marts.agent_scores_by_policy where attribution_policy = 'last_agent') as a "
        "full join (from marts.nps_by_agent where period_type not in ('day', 'week')) as b "
        "using (survey_type, period_type, period_start, agent_id)"
    )
    ((every, ours, theirs, *off),) = rows
    assert every == ours == theirs
    assert every
    assert off == pytest.approx([0] * 5, abs=1e-9)
