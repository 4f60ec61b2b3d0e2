"""Fill the warehouse with drawn worlds, build it, and count what held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from nps_warehouse.calibration.project import CHANGES, build, warehouse
from nps_warehouse.calibration.worlds import WORLDS, answers

MONTHS = 2


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    hits: int
    of: int

    @property
    def percent(self) -> float:
        """In percent; not a number of none."""
        return 100 * self.hits / self.of if self.of else float("nan")


@dataclass(frozen=True)
class Found:
    """What held in a kind of world; every share is of reportable agents and months, or of sets.

    Attributes:
        false_changes: verdicts up or down between two months, of those that could be given.
        months_with_false_changes: months with any such verdict.
        published: intervals of scores that hold the true score.
        shrunk: intervals of shrunk scores that hold it; of agents whose scores are spread normally.
        rankings: sets in which every agent's true rank is within its rank interval.
        expected: intervals of score minus expected score that hold the true difference, 0.
        false_verdicts: verdicts better or worse than expected where there is no difference.
        false_ties: sets of equal agents, with equal contacts, that are split into tie groups.
    """

    false_changes: Share
    months_with_false_changes: Share
    published: Share
    shrunk: Share | None = None
    rankings: Share | None = None
    expected: Share | None = None
    false_verdicts: Share | None = None
    false_ties: Share | None = None


def calibrate(sql: Mapping[str, str], agents: int, replicates: int, seed: int) -> dict[str, Found]:
    """What held, by kind of world.

    Args:
        sql: that of RENDERED, as `project.compiled` gives it.
        agents: how many are in each world.
        replicates: worlds of each kind; each is a survey type, and judged on its own.
        seed: of the draws.
    """
    with warehouse() as connection:
        _fill(connection, agents, replicates, seed)
        build(connection, sql)
        return {name: _found(connection, name) for name in WORLDS}


def _fill(connection: duckdb.DuckDBPyConnection, agents: int, replicates: int, seed: int) -> None:
    """Draw worlds and put their answers and truths into the warehouse."""
    connection.execute(
        "create table truths (survey_type varchar, agent_id varchar, true_nps double)"
    )
    for number, (kind, draw) in enumerate(WORLDS.items()):
        for replicate in range(replicates):
            random = np.random.default_rng([seed, number, replicate])
            world = draw(random, agents)
            counts = answers(random, world, MONTHS)
            survey_type = f"{kind} {replicate:04}"
            scores = pd.DataFrame({"agent": range(agents), "true_nps": world.scores})
            connection.register("scores", scores)
            connection.register("counts", counts)
            connection.execute(
                "insert into truths select ?, 'A' || agent, true_nps from scores", [survey_type]
            )
            connection.execute(
                """
                insert into marts.fct_survey_responses
                select
                    ?, date '2025-01-15' + to_months(cast(month as integer)),
                    ['detractor', 'passive', 'promoter'][category + 1], 'A' || agent,
                    'D' || department, reason, channel, 'S', 'P', 'G', 'email', 'en', 1, 9
                from counts, range(n)
                """,
                [survey_type],
            )
    connection.execute(
        "insert into categorized.as_of values ('2025-03-01', '2025-01-15', '2025-02-15')"
    )


def _share(connection: duckdb.DuckDBPyConnection, hit: str, rows: str) -> Share:
    """How many rows meet a condition.

    Args:
        connection: a warehouse that is built.
        hit: SQL of the condition.
        rows: SQL after `from`.
    """
    found = connection.execute(
        f"select count(*) filter (where {hit}), count(*) from {rows}"
    ).fetchone()
    assert found is not None
    return Share(*found)


def _found(connection: duckdb.DuckDBPyConnection, kind: str) -> Found:
    of_kind = f"survey_type like '{kind} %'"
    changes = f"(from marts.{CHANGES} where {of_kind} and is_comparable)"
    moved = "verdict <> 'no evidence'"
    with_truth = (
        "marts.{} as shown inner join truths using (survey_type, agent_id) "
        f"where {of_kind} and period_type = 'month' and is_reportable"
    )
    ranking = with_truth.format("agent_ranking")
    found: dict[str, Share] = {
        "false_changes": _share(connection, moved, changes),
        "months_with_false_changes": _share(
            connection,
            "hit",
            f"(select bool_or({moved}) as hit {changes[1:-1]} group by survey_type)",
        ),
        "published": _share(
            connection,
            "true_nps between nps_ci_low and nps_ci_high",
            with_truth.format("nps_by_agent"),
        ),
    }
    if kind == "close":
        found["shrunk"] = _share(
            connection, "true_nps between shrunk_ci_low and shrunk_ci_high", ranking
        )
        # The true rank among those that are ranked.
        found["rankings"] = _share(
            connection,
            "hit",
            "(select bool_and(true_place between rank_low and rank_high) as hit from (select *, "
            "rank() over (partition by survey_type, period_start order by true_nps desc) "
            f"as true_place from {ranking}) group by survey_type, period_start)",
        )
    if kind in ("equal", "same"):
        found["expected"] = _share(
            connection, "vs_expected_ci_low <= 0 and vs_expected_ci_high >= 0", ranking
        )
        found["false_verdicts"] = _share(
            connection, "vs_expected_verdict <> 'no evidence'", ranking
        )
    if kind == "same":
        found["false_ties"] = _share(
            connection,
            "hit",
            f"(select max(tie_group) > 1 as hit from {ranking} group by survey_type, period_start)",
        )
    return Found(**found)
