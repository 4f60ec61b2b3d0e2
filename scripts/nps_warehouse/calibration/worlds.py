"""Contact centers in which nothing changes, with the truth of every agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

FEWEST, MOST = 20, 120
"""Answers of an agent in a month, drawn evenly between."""

REASONS = ("bill", "fault", "order", "other")
CHANNELS = ("phone", "chat")
DEPARTMENTS = 10
STRATA = len(REASONS) * len(CHANNELS)


@dataclass(frozen=True)
class World:
    """Agents' true shares and mixes of contacts, the same in every month.

    Attributes:
        shares: agents x strata x (detractors, passives, promoters), each a share of 1.
        mixes: agents x strata, shares of the agent's contacts.
    """

    shares: np.ndarray
    mixes: np.ndarray

    @property
    def scores(self) -> np.ndarray:
        """True score of every agent, in points."""
        by_stratum = 100 * (self.shares[:, :, 2] - self.shares[:, :, 0])
        return np.asarray((self.mixes * by_stratum).sum(axis=1))


def wide(random: np.random.Generator, agents: int) -> World:
    """Shares of detractors and promoters anywhere between .05 and .9; one kind of contact.

    Args:
        random: where the draws come from.
        agents: how many there are.
    """
    promoters = random.uniform(0.05, 0.9, agents)
    detractors = random.uniform(0.05, 0.95 - promoters)
    return _one_kind(detractors, promoters)


def close(random: np.random.Generator, agents: int) -> World:
    """True scores normal about 10 with a standard deviation of 10 points; a quarter passives.

    Args:
        random: where the draws come from.
        agents: how many there are.
    """
    scores = np.clip(random.normal(0.1, 0.1, agents), -0.6, 0.6)
    return _one_kind((0.75 - scores) / 2, (0.75 + scores) / 2)


def equal(random: np.random.Generator, agents: int) -> World:
    """All agents alike on the same contacts; contacts and mixes differ, so that scores do, too.

    Args:
        random: where the draws come from.
        agents: how many there are.
    """
    scores = np.array([0.3, -0.1, 0.15, 0.05])[:, None] + np.array([0.0, 0.08])[None, :]
    flat = scores.ravel()
    of_one = np.stack([(0.75 - flat) / 2, np.full(STRATA, 0.25), (0.75 + flat) / 2], axis=1)
    mixes = random.dirichlet(np.full(STRATA, 2.0), agents)
    return World(np.broadcast_to(of_one, (agents, STRATA, 3)), mixes)


def same(random: np.random.Generator, agents: int) -> World:
    """All agents alike: 45 % promoters, 30 % detractors; one kind of contact.

    Args:
        random: where draws would come from.
        agents: how many there are.
    """
    del random
    return _one_kind(np.full(agents, 0.3), np.full(agents, 0.45))


def _one_kind(detractors: np.ndarray, promoters: np.ndarray) -> World:
    of_one = np.stack([detractors, 1 - detractors - promoters, promoters], axis=1)
    mixes = np.zeros((len(of_one), STRATA))
    mixes[:, 0] = 1
    return World(np.repeat(of_one[:, None, :], STRATA, axis=1), mixes)


WORLDS: Mapping[str, Callable[[np.random.Generator, int], World]] = {
    "wide": wide,
    "close": close,
    "equal": equal,
    "same": same,
}


def answers(random: np.random.Generator, world: World, months: int) -> pd.DataFrame:
    """Drawn answers, counted.

    Args:
        random: where the draws come from.
        world: the agents.
        months: how many months they work.

    Returns:
        A row per month, agent, stratum and category with answers: `month` (from 0), `agent`,
        `department`, `reason`, `channel`, `category` (0 detractor, 1 passive, 2 promoter), `n`.
    """
    agents = len(world.mixes)
    drawn = np.stack(
        [
            random.multinomial(
                random.multinomial(random.integers(FEWEST, MOST + 1, agents), world.mixes),
                world.shares,
            )
            for _ in range(months)
        ]
    )
    month, agent, stratum, category = np.nonzero(drawn)
    return pd.DataFrame(
        {
            "month": month,
            "agent": agent,
            "department": agent % DEPARTMENTS,
            "reason": np.array(REASONS)[stratum // len(CHANNELS)],
            "channel": np.array(CHANNELS)[stratum % len(CHANNELS)],
            "category": category,
            "n": drawn[month, agent, stratum, category],
        }
    )
