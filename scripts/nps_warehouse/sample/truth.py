"""Adds up what is true of the sample while it is generated.

Scores are never counted here: expected NPS values are sums of the probabilities that the answers
were drawn from. "all" is over every contact, "answering" weighs each contact by its chance to be
answered: what a perfect count of infinitely many samples' answers would show.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nps_warehouse.sample import world as w
from nps_warehouse.sample.comments import PERSONAL_DATA
from nps_warehouse.sample.dirty import DirtyRow
from nps_warehouse.sample.draws import Bools, Floats, Ints
from nps_warehouse.sample.simulate import Block, shares
from nps_warehouse.sample.tables import AGENT_NAMES, COLUMNS, BlockTables

OUTCOME_COLUMNS = ("accepted", "rejected", "superseded", "excluded")


class Tally:
    """Expected NPS per group: of all contacts and of the answers to be expected."""

    def __init__(self, groups: int) -> None:
        """Start from nothing.

        Args:
            groups: how many groups there are, numbered from 0.
        """
        self.contacts = np.zeros(groups)
        self.sum_all = np.zeros(groups)
        self.answers = np.zeros(groups)
        self.sum_answers = np.zeros(groups)

    def add(self, group: Ints, expected: Floats, weight: Floats, weighted: Floats) -> None:
        """Add rows.

        Args:
            group: group number per row.
            expected: expected NPS as a share in ±1.
            weight: expected number of answers of the row.
            weighted: expected promoters less detractors among them.
        """
        size = len(self.contacts)
        self.contacts += np.bincount(group, minlength=size)
        self.sum_all += np.bincount(group, expected, minlength=size)
        self.answers += np.bincount(group, weight, minlength=size)
        self.sum_answers += np.bincount(group, weighted, minlength=size)

    def row(self, group: int) -> dict[str, float | int | None]:
        """Return one group as it stands in the truth file, NPS in points."""
        contacts, answers = int(self.contacts[group]), float(self.answers[group])
        return {
            "contacts": contacts,
            "nps_all": _points(self.sum_all[group], contacts),
            "expected_answers": round(answers, 3),
            "nps_answering": _points(self.sum_answers[group], answers),
        }


def _points(total: float, count: float) -> float | None:
    return round(100.0 * float(total) / count, 6) if count else None


class Ledger:
    """Everything the truth file says, accumulated block by block."""

    def __init__(self, world: w.World) -> None:
        """Start from nothing.

        Args:
            world: what all blocks share.
        """
        self._world = world
        departments = len(w.DEPARTMENTS)
        self._company = Tally(1)
        self._relational = Tally(1)
        self._department = Tally(departments)
        self._department_year = Tally(departments * 3)
        self._month = Tally(36)
        self._month_answered = Tally(36)
        self._agent = Tally(w.AGENTS + 1)
        self._channel = Tally(len(w.CHANNELS))
        self._theme = Tally(len(w.THEMES))
        self._mention = np.zeros((len(w.THEMES), 3), dtype=np.int64)
        self._with = Tally(3 + len(w.INITIATIVES))
        self._without = Tally(3 + len(w.INITIATIVES))
        self._invited = np.zeros((2, 3), dtype=np.int64)
        self._answered = np.zeros((2, 3), dtype=np.int64)
        self._followed = np.zeros((3, 2), dtype=np.int64)
        self._bills = np.zeros((3, 12, 4), dtype=np.int64)
        self._years = np.zeros((3, 3, 4), dtype=np.int64)
        self._customers = np.zeros((3, 2), dtype=np.int64)
        self._rows: dict[str, dict[str, int]] = {
            t: dict.fromkeys(OUTCOME_COLUMNS, 0) for t in COLUMNS
        }
        self._repeats: dict[str, dict[str, int]] = {}
        self._contradictions: list[str] = []
        self._personal: list[tuple[str, str]] = []
        self._some_ids: list[str] = []

    def add_block(self, block: Block, built: BlockTables) -> None:
        """Add a block and the rows that were written for it."""
        self._add_scores(block)
        self._add_mentions(block, built.mentions)
        self._add_money(block)
        for table, data in built.tables.items():
            repeated = sum(built.repeated.get(table, {}).values())
            excluded = built.excluded if table == "survey_responses" else 0
            self.add_rows(table, "accepted", data.num_rows - repeated - excluded)
            self.add_rows(table, "superseded", repeated)
            self.add_rows(table, "excluded", excluded)
        for table, kinds in built.repeated.items():
            total = self._repeats.setdefault(table, dict.fromkeys(kinds, 0))
            for kind, count in kinds.items():
                total[kind] += count
        self._contradictions += built.contradictions[: max(0, 50 - len(self._contradictions))]
        self._personal += built.personal
        self._some_ids += built.sample_ids

    def add_rows(self, table: str, outcome: str, count: int) -> None:
        """Count rows of a raw table by what becomes of them."""
        self._rows[table][outcome] += count

    def _add_scores(self, block: Block) -> None:
        a, c = block.answers, block.contacts
        size = len(c.day)
        weight, weighted = _answer_weights(a.expected, a.chance, a.is_eligible)
        parts = (a.expected[:size], weight[:size], weighted[:size])
        zero = np.zeros(size, dtype=np.int64)
        self._company.add(zero, *parts)
        self._department.add(c.department, *parts)
        year = self._world.year[c.day]
        self._department_year.add(c.department * 3 + year, *parts)
        self._month.add(self._world.month[c.day], *parts)
        self._agent.add(np.where(c.agent < 0, w.AGENTS, c.agent), *parts)
        self._channel.add(c.channel, *parts)
        self._theme.add(c.theme, *parts)
        answered_on = (a.responded[:size] - w.START) // w.DAY
        inside = answered_on < w.DAYS
        self._month_answered.add(
            self._world.month[np.where(inside, answered_on, 0)],
            *(np.where(inside, x, 0.0) for x in parts),
        )
        surveys = np.zeros(len(a.wave) - size, dtype=np.int64)
        self._relational.add(surveys, a.expected[size:], weight[size:], weighted[size:])
        self._add_effects(block, parts)
        for kind, rows in enumerate((slice(0, size), slice(size, None))):
            asked = a.is_invited[rows] & ~a.is_bounced[rows]
            self._invited[kind] += [int(a.is_invited[rows].sum()), int(asked.sum()), 0]
            self._answered[kind] += np.bincount(a.category[rows][a.is_answered[rows]], minlength=3)
        followed = a.is_followed_up & (a.closed <= w.END) & ~a.is_recovered
        for i in range(3):
            mine = followed & (a.outcome == i)
            self._followed[i] += [int(mine.sum()), int((mine & a.is_recovering).sum())]

    def _add_effects(self, block: Block, parts: tuple[Floats, Floats, Floats]) -> None:
        a, c = block.answers, block.contacts
        size = len(c.day)
        other, other_weight, other_weighted = (
            a.counterfactual,
            *_answer_weights(a.counterfactual, a.chance[:size], a.is_eligible[:size]),
        )
        first = w.day_number(w.BREAK_DAY)
        masks: list[Bools] = [
            (c.department == w.DEPARTMENT_NUMBER[w.BREAK_DEPARTMENT])
            & (c.day >= first)
            & (c.day < first + w.BREAK_DAYS),
            c.agent == int(w.BETTER_AGENT[1:]) - 1,
            c.agent == int(w.WORSE_AGENT[1:]) - 1,
        ]
        for i in w.INITIATIVES:
            inside = c.day >= w.day_number(i.started_on)
            if i.scope_type == "department":
                inside &= c.department == w.DEPARTMENT_NUMBER[i.scope_id]
            elif i.scope_type == "channel":
                inside &= c.channel == w.CHANNELS.index(i.scope_id)
            elif i.scope_type == "agent":
                inside &= c.agent == AGENT_NAMES.index(i.scope_id)
            elif i.scope_type == "team":
                department, team = i.scope_id.split("-")
                inside &= (c.department == w.DEPARTMENT_NUMBER[department]) & (c.agent >= 0)
                inside &= self._world.team_of[c.agent, c.day] == int(team)
            masks.append(inside)
        for number, mask in enumerate(masks):
            group = np.full(int(mask.sum()), number, dtype=np.int64)
            self._with.add(group, *(x[mask] for x in parts))
            is_real = number < 3 or w.INITIATIVES[number - 3].effect != 0
            self._without.add(
                group,
                *(x[mask] for x in ((other, other_weight, other_weighted) if is_real else parts)),
            )

    def _add_mentions(self, block: Block, mentions: Bools) -> None:
        theme, category = block.contacts.theme, block.answers.category[: len(block.contacts.theme)]
        rows = mentions[: len(theme)]
        flat = np.bincount(theme[rows] * 3 + category[rows], minlength=len(w.THEMES) * 3)
        self._mention += flat.reshape(-1, 3)

    def _add_money(self, block: Block) -> None:
        k = block.customers
        self._customers += np.stack(
            [
                np.bincount(k.kind, minlength=3),
                np.bincount(k.kind, k.churned < w.DAYS, minlength=3).astype(np.int64),
            ],
            axis=1,
        )
        before = np.concatenate([np.zeros_like(k.bills[:, :4]), k.bills[:, :-4]], axis=1)
        _growth(self._bills, k.acquired, k.bills, before)
        years = k.bills.reshape(-1, 3, 4).sum(axis=2)
        last = np.concatenate([np.zeros_like(years[:, :1]), years[:, :-1]], axis=1)
        _growth(self._years, k.acquired, years, last)

    def as_json(
        self,
        *,
        contacts: int,
        seed: int,
        dirty: list[DirtyRow],
        is_text: bool,
        extra_rows: dict[str, int],
    ) -> dict[str, Any]:
        """Return the truth as JSON-ready data.

        Args:
            contacts: number of contacts asked for.
            seed: the sample's seed.
            dirty: the planted rows that were written.
            is_text: the sample is CSV, in which lines can be broken.
            extra_rows: accepted rows of the tables that are written once.
        """
        for table, count in extra_rows.items():
            self.add_rows(table, "accepted", count)
        for row in dirty:
            self.add_rows(row.table, row.outcome, 1)
        return {
            "documentation": _DOCUMENTATION,
            "parameters": {
                "contacts": contacts,
                "seed": seed,
                "first_date": "2023-01-01",
                "last_date": "2025-12-31",
                "timezone": "UTC",
                "opening_hours": w.OPENING_HOURS,
                "always_open_departments": [d.id for d in w.DEPARTMENTS if d.always_open],
            },
            "channels": {
                "spellings": {s: c for c in w.CHANNELS for s in w.SPELLINGS[c]},
                "unmapped": [w.UNMAPPED_CHANNEL],
            },
            "nps": self._scores(),
            "response": self._response(),
            "break": {
                "department_id": w.BREAK_DEPARTMENT,
                "first_date": w.BREAK_DAY,
                "days": w.BREAK_DAYS,
                "channel": "phone",
                "hold_seconds_mean_before": w.HOLD_MEAN,
                "hold_seconds_mean_during": w.BREAK_HOLD_MEAN,
                **self._effect(0),
            },
            "mix_shift": self._mix_shift(),
            "agents": {
                "better": {
                    "agent_id": w.BETTER_AGENT,
                    "department_id": w.BETTER_DEPARTMENT,
                    "planted_effect": w.BETTER_EFFECT,
                    **self._effect(1),
                },
                "worse": {
                    "agent_id": w.WORSE_AGENT,
                    "department_id": w.WORSE_DEPARTMENT,
                    "planted_effect": w.WORSE_EFFECT,
                    **self._effect(2),
                },
                "others_standard_deviation": w.AGENT_SPREAD,
            },
            "initiatives": [
                {
                    "initiative_id": i.id,
                    "scope_type": i.scope_type,
                    "scope_id": i.scope_id,
                    "started_on": i.started_on,
                    "planted_effect": i.effect,
                    **self._effect(3 + n),
                }
                for n, i in enumerate(w.INITIATIVES)
            ],
            "themes": self._themes(),
            "drivers": {
                "hold_points_per_minute": w.HOLD_EFFECT_PER_MINUTE,
                "hold_points_at_most": w.HOLD_EFFECT_CAP,
                "queue_points_per_minute": w.QUEUE_EFFECT_PER_MINUTE,
                "queue_points_at_most": w.QUEUE_EFFECT_CAP,
                "transfer_points_each": w.TRANSFER_EFFECT,
                "repeat_within_days": w.REPEAT_DAYS,
                "repeat_points": w.REPEAT_EFFECT,
                "new_agent_days": w.NEW_AGENT_DAYS,
                "new_agent_points": w.NEW_AGENT_EFFECT,
                "resolved_points": w.RESOLVED_EFFECT,
                "unresolved_points": w.UNRESOLVED_EFFECT,
                "channel_points": dict(zip(w.CHANNELS, w.CHANNEL_EFFECT, strict=True)),
            },
            "follow_ups": {
                "share_of_detractors_followed_up": w.FOLLOW_UP_SHARE,
                "outcome_shares": dict(zip(w.OUTCOMES, w.OUTCOME_SHARES, strict=True)),
                "recovered_share_by_outcome": dict(zip(w.OUTCOMES, w.RECOVERED_SHARE, strict=True)),
                "recovery_points": w.RECOVERY_EFFECT,
                "closed": {
                    o: {"cases": int(self._followed[i, 0]), "recovered": int(self._followed[i, 1])}
                    for i, o in enumerate(w.OUTCOMES)
                },
            },
            "customers": {
                name: {
                    "share": share,
                    "nps_points": points,
                    "leaves_within_a_year": leave,
                    "revenue_growth_a_year": growth,
                    "customers": int(self._customers[n, 0]),
                    "churned": int(self._customers[n, 1]),
                }
                for n, (name, share, points, leave, growth) in enumerate(w.CUSTOMER_TYPES)
            },
            "earned_growth": {
                "years": {str(2023 + y): _growth_row(self._years[:, y]) for y in (1, 2)},
                "quarters": {
                    f"{2023 + q // 4}-Q{q % 4 + 1}": _growth_row(self._bills[:, q])
                    for q in range(4, 12)
                },
            },
            "never_invited_agent": w.NEVER_INVITED_AGENT,
            "personal_data": [
                {"kind": kind, "response_id": key, "text": text}
                for (kind, key), (_, text) in zip(self._personal, PERSONAL_DATA, strict=False)
            ],
            "contradictions": {"response_ids": self._contradictions},
            "accepted_response_ids": self._some_ids,
            "dirty": _dirty(dirty, self._repeats),
            "not_in_this_format": []
            if is_text
            else ["wrong_field_count", "nul_byte", "invalid_utf8", "byte-order mark", "CRLF"],
            "rejected_values": _rejected_values(dirty),
            "reconciliation": {
                t: {"rows_read": sum(counts.values()), **counts} for t, counts in self._rows.items()
            },
        }

    def _scores(self) -> dict[str, Any]:
        months = [f"{2023 + m // 12}-{m % 12 + 1:02d}" for m in range(36)]
        return {
            "company": self._company.row(0),
            "relational": self._relational.row(0),
            "departments": {d.id: self._department.row(i) for i, d in enumerate(w.DEPARTMENTS)},
            "departments_by_year": {
                d.id: {str(y): self._department_year.row(i * 3 + n) for n, y in enumerate(w.YEARS)}
                for i, d in enumerate(w.DEPARTMENTS)
            },
            "channels": {c: self._channel.row(i) for i, c in enumerate(w.CHANNELS)},
            "agents": {
                name: self._agent.row(i)
                for i, name in enumerate(AGENT_NAMES)
                if self._agent.contacts[i]
            },
            "without_agent": self._agent.row(w.AGENTS),
            "months_of_contact": {m: self._month.row(i) for i, m in enumerate(months)},
            "months_of_answer": {
                m: {
                    k: v
                    for k, v in self._month_answered.row(i).items()
                    if k in ("expected_answers", "nps_answering")
                }
                for i, m in enumerate(months)
            },
        }

    def _response(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "chance_relative_to_promoters": dict(
                zip(("detractor", "passive", "promoter"), w.RESPONSE_FACTOR, strict=True)
            ),
            "chance_unresolved_relative_to_resolved": w.UNRESOLVED_RESPONSE_FACTOR,
            "chance_of_promoters_by_survey_channel": dict(
                zip(w.SURVEY_CHANNELS, w.BASE_RESPONSE, strict=True)
            ),
        }
        for kind, name in enumerate(("transactional", "relational")):
            asked = int(self._invited[kind, 1])
            out[name] = {
                "invitations": int(self._invited[kind, 0]),
                "invitations_not_bounced": asked,
                "answers": int(self._answered[kind].sum()),
                "detractors": int(self._answered[kind, 0]),
                "passives": int(self._answered[kind, 1]),
                "promoters": int(self._answered[kind, 2]),
                "response_rate": _points(float(self._answered[kind].sum()), asked),
            }
        return out

    def _effect(self, number: int) -> dict[str, Any]:
        mine, other = self._with.row(number), self._without.row(number)
        out: dict[str, Any] = dict(mine)
        for key in ("nps_all", "nps_answering"):
            without, here = other[key], mine[key]
            out[key + "_without"] = without
            out[key + "_effect"] = (
                None if here is None or without is None else round(here - without, 6)
            )
        return out

    def _mix_shift(self) -> dict[str, Any]:
        tally = self._department_year
        out: dict[str, Any] = {
            "dimension": "department",
            "period_type": "year",
            "from": "2023-01-01",
            "to": "2024-01-01",
            "planted_improvement_of_every_department": w.IMPROVEMENT,
        }
        for basis, count, total in (
            ("all", tally.contacts, tally.sum_all),
            ("answering", tally.answers, tally.sum_answers),
        ):
            n, s = count.reshape(-1, 3)[:, :2], total.reshape(-1, 3)[:, :2]
            if (n == 0).any():
                out[basis] = None
                continue
            score, share = 100.0 * s / n, n / n.sum(axis=0)
            change, shift = np.diff(score, axis=1)[:, 0], np.diff(share, axis=1)[:, 0]
            out[basis] = {
                "company_from": _points(s[:, 0].sum(), n[:, 0].sum()),
                "company_to": _points(s[:, 1].sum(), n[:, 1].sum()),
                "mix": round(float((shift * score.mean(axis=1)).sum()), 6),
                "rate": round(float((change * share.mean(axis=1)).sum()), 6),
                "change_by_department": {
                    d.id: round(float(change[i]), 6) for i, d in enumerate(w.DEPARTMENTS)
                },
                "every_department_improves": bool((change > 0).all()),
                "company_falls": bool(
                    s[:, 1].sum() / n[:, 1].sum() < s[:, 0].sum() / n[:, 0].sum()
                ),
            }
        return out

    def _themes(self) -> dict[str, Any]:
        return {
            name: {
                "sign": sign,
                "family": family,
                "planted_effect": effect,
                "usual_share_of_contacts": share,
                **self._theme.row(i),
                "mentions": {
                    "detractor": int(self._mention[i, 0]),
                    "passive": int(self._mention[i, 1]),
                    "promoter": int(self._mention[i, 2]),
                },
            }
            for i, (name, sign, family, effect, share) in enumerate(w.THEMES)
        }


def _answer_weights(expected: Floats, chance: Floats, eligible: Bools) -> tuple[Floats, Floats]:
    detractor, passive, promoter = shares(expected)
    low, middle, high = w.RESPONSE_FACTOR
    reach = chance * eligible
    return (
        reach * (low * detractor + middle * passive + high * promoter),
        reach * (high * promoter - low * detractor),
    )


def _growth(into: Ints, acquired: Ints, now: Ints, before: Ints) -> None:
    """Add revenue by acquisition and period: before, kept, of new customers, of all."""
    was, is_new = before > 0, before == 0
    for kind in range(3):
        mine = acquired == kind
        into[kind, :, 0] += before[mine].sum(axis=0)
        into[kind, :, 1] += (now * was)[mine].sum(axis=0)
        into[kind, :, 2] += (now * is_new)[mine].sum(axis=0)
        into[kind, :, 3] += now[mine].sum(axis=0)


def _growth_row(cents: Ints) -> dict[str, float | None]:
    base, kept = int(cents[:, 0].sum()), int(cents[:, 1].sum())
    earned = int(cents[0, 2])
    return {
        "revenue_before": base / 100,
        "revenue_of_the_same_customers": kept / 100,
        "revenue_of_new_referred_customers": earned / 100,
        "revenue_of_new_paid_customers": int(cents[1, 2]) / 100,
        "revenue_of_new_customers_of_unknown_origin": int(cents[2, 2]) / 100,
        "net_revenue_retention": _points(kept, base),
        "earned_growth_rate": _points(kept + earned - base, base),
    }


def _dirty(rows: list[DirtyRow], repeats: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        entry = found.setdefault(
            (row.table, row.kind),
            {
                "table": row.table,
                "kind": row.kind,
                "count": 0,
                "outcomes": dict.fromkeys(OUTCOME_COLUMNS, 0),
                "keys": [],
            },
        )
        entry["count"] += 1
        entry["outcomes"][row.outcome] += 1
        key = row.values.get(COLUMNS[row.table][0], "").strip(" \u00a0\u3000\u200b\ufeff\u202f")
        if key:
            entry["keys"].append(key)
    out = list(found.values())
    for table, kinds in repeats.items():
        for kind, count in kinds.items():
            outcomes = {**dict.fromkeys(OUTCOME_COLUMNS, 0), "superseded": count}
            out.append(
                {
                    "table": table,
                    "kind": f"repeated_{kind}",
                    "count": count,
                    "outcomes": outcomes,
                    "keys": [],
                }
            )
    return out


def _rejected_values(rows: list[DirtyRow]) -> dict[str, dict[str, int]]:
    out: dict[str, dict[str, int]] = {}
    for row in rows:
        for column in row.bad_cells:
            cells = out.setdefault(row.table, {})
            cells[column] = cells.get(column, 0) + 1
    return out


_DOCUMENTATION = {
    "unit": "NPS values and effects are points (-100 to 100); rates and shares of nps are percent "
    "where named rate, retention or growth, else shares of 1; revenue is in currency units",
    "nps_all": "expected NPS over all contacts (over all invitations for relational surveys), "
    "whether or not anyone answered",
    "nps_answering": "expected NPS of the answers, given who was asked: a published raw NPS "
    "scatters around it",
    "expected_answers": "number of answers to be expected",
    "_without, _effect": "the same contacts without the planted effect, and the difference",
    "break": "hold time jumps in one department from first_date for so many days",
    "mix_shift": "between two years every department improves and the company falls; mix and rate "
    "add up to the company's change",
    "drivers": "points by which each circumstance moves the expected NPS of a contact",
    "never_invited_agent": "no contact of this agent is ever followed by an invitation",
    "follow_ups": "a recovered customer's expected NPS is higher by recovery_points for every "
    "contact that starts after the case was closed",
    "earned_growth": "a year against the year before, a quarter against the same quarter a year "
    "before; new customers have no revenue in the earlier one; dirty rows of "
    "customer_revenue are left out",
    "personal_data": "reserved or published test values, at the end of the comments named",
    "contradictions": "tens with an angry comment (the first 50)",
    "accepted_response_ids": "accepted answers that a list of exclusions may name",
    "dirty": "planted rows by table and kind, what becomes of them, and their keys after trimming; "
    "repeated_… are rows that are delivered twice, their share does not depend on size",
    "rejected_values": "cells that become null while their row stays",
    "reconciliation": "rows of each raw table by what becomes of them under the input contract",
}
