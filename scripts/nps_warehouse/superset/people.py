"""Who may see which rows: a list of people becomes roles and rules of rows.

Rows of agents and teams are nobody's by default. A rule for each team and each agent that somebody
in the list stands for lets those rows through, by a plain comparison; no rule runs code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from nps_warehouse.superset.description import Dataset

ADMIN = "Admin"
READER = "NPS reader"
MANAGER = "NPS manager"
OURS = "NPS "
"""Roles whose names begin so are made here, and taken from who is no longer in the list."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}")
KEY = re.compile(r"[^\x00-\x1f\x7f]{1,120}")
WHAT_EACH_NEEDS = {"manager": (), "lead": ("team",), "agent": ("team", "agent")}
FIELDS = {"username", "role", "team", "agent", "password_from"}
GROUP = "nps_rows"
NOBODYS = "1 = 0"


class PeopleError(Exception):
    """The list of people cannot be used; the text says why."""


@dataclass(frozen=True)
class Person:
    """Somebody who logs in.

    Attributes:
        username: how they log in.
        role: `manager`, `lead` or `agent`.
        team: the team that they lead or are in, as marts show it.
        agent: the agent that they are, as marts show it.
        password_from: the environment variable that has their first password.
    """

    username: str
    role: str
    team: str | None = None
    agent: str | None = None
    password_from: str | None = None

    @property
    def roles(self) -> list[str]:
        """Names of their roles."""
        own = {
            "manager": MANAGER,
            "lead": f"NPS lead {self.team}",
            "agent": f"NPS agent {self.agent} of {self.team}",
        }
        return [READER, own[self.role]]


@dataclass(frozen=True)
class Rule:
    """A rule of rows.

    Attributes:
        name: unique.
        is_base: whether it holds for all but the roles, instead of for the roles.
        roles: names of roles.
        datasets: names of datasets.
        clause: a condition in SQL.
        group: rules of one group let rows through that any of them does.
    """

    name: str
    is_base: bool
    roles: tuple[str, ...]
    datasets: tuple[str, ...]
    clause: str
    group: str | None


def people_in(file: Path) -> list[Person]:
    """People of a list.

    Args:
        file: YAML, a list of mappings with `username`, `role`, and what the role needs.

    Raises:
        PeopleError: the list cannot be used.
    """
    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise PeopleError(f"{file} cannot be read: {problem}") from None
    if said is None:
        return []
    if not isinstance(said, list):
        raise PeopleError(f"{file} is no list")
    found = [_person(one, f"{file}, entry {at}") for at, one in enumerate(said, 1)]
    names = [person.username for person in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PeopleError(f"{file} names {', '.join(twice)} twice")
    return found


def _person(said: Any, where: str) -> Person:
    if not isinstance(said, dict) or not {"username", "role"} <= set(said):
        raise PeopleError(f"{where} has no username and role")
    unknown = sorted(set(map(str, said)) - FIELDS)
    if unknown:
        raise PeopleError(f"{where} has {', '.join(unknown)}, which means nothing here")
    given = {name: str(value) for name, value in said.items() if value is not None}
    if NAME.fullmatch(given["username"]) is None:
        raise PeopleError(f"{where}: {given['username']!r} cannot be a username")
    if given["role"] not in WHAT_EACH_NEEDS:
        raise PeopleError(
            f"{where}: a role is one of {', '.join(WHAT_EACH_NEEDS)}, not {given['role']!r}"
        )
    for name in WHAT_EACH_NEEDS[given["role"]]:
        if KEY.fullmatch(given.get(name, "")) is None or given[name] == "unknown":
            raise PeopleError(f"{where}: {given['username']} needs the {name} they belong to")
    return Person(**given)


def literal(value: str) -> str:
    """A text in SQL.

    Args:
        value: any text.
    """
    # A bound parameter is not to be had in a rule, and a colon would be taken for one.
    return "'" + value.replace("'", "''") + "'"


def rules_of(people: Sequence[Person], datasets: Mapping[str, Dataset]) -> list[Rule]:
    """The rules of rows.

    Args:
        people: who logs in.
        datasets: all datasets.
    """
    of_agents = tuple(sorted(one.name for one in datasets.values() if one.rows == "agent"))
    of_teams = tuple(sorted(one.name for one in datasets.values() if one.rows == "team"))
    rules: dict[str, Rule] = {}
    for person in people:
        if person.role == "manager":
            continue
        role = person.roles[-1]
        team = f"team = {literal(str(person.team))}"
        if person.role == "lead":
            found = [Rule(role, False, (role,), of_agents + of_teams, team, GROUP)]
        else:
            own = f"agent_id = {literal(str(person.agent))}"
            found = [
                Rule(f"{role}: own rows", False, (role,), of_agents, own, GROUP),
                Rule(f"{role}: the team's rows", False, (role,), of_teams, team, GROUP),
            ]
        rules |= {rule.name: rule for rule in found}
    roles = sorted({role for rule in rules.values() for role in rule.roles})
    nobodys = Rule(
        "NPS rows of agents and teams are nobody else's",
        True,
        (ADMIN, MANAGER, *roles),
        of_agents + of_teams,
        NOBODYS,
        None,
    )
    return [nobodys, *rules.values()]
