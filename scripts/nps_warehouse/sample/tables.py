"""Turns a simulated block into the raw tables of the input contract, as pyarrow tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nps_warehouse.sample.comments import PERSONAL_DATA, write_comments
from nps_warehouse.sample.draws import Bools, Floats, Ints, Stream
from nps_warehouse.sample.simulate import CHUNK, Block
from nps_warehouse.sample.world import (
    ACQUIRED_BY,
    CHANNELS,
    CRITERIA,
    DAY,
    DEPARTMENTS,
    END,
    EVALUATED_SHARE,
    FIRST_DAY,
    LANGUAGES,
    MENTION_SHARE,
    OUTCOMES,
    PRODUCT_LINES,
    REGIONS,
    SEGMENTS,
    SITES,
    SPELLINGS,
    SURVEY_CHANNELS,
    THEMES,
    World,
)

COLUMNS: dict[str, tuple[str, ...]] = {
    "survey_responses": (
        "response_id",
        "score",
        "responded_at",
        "survey_type",
        "survey_id",
        "invitation_id",
        "contact_id",
        "customer_id",
        "survey_channel",
        "csat_score",
        "effort_score",
        "comment",
        "language",
        "status",
        "is_test",
        "updated_at",
    ),
    "contacts": (
        "contact_id",
        "department_id",
        "channel",
        "started_at",
        "agent_id",
        "customer_id",
        "reason",
        "product_line",
        "site",
        "ended_at",
        "queue_seconds",
        "hold_seconds",
        "handle_seconds",
        "transfers",
        "is_resolved",
        "updated_at",
    ),
    "departments": (
        "department_id",
        "department_name",
        "parent_department_id",
        "site",
        "updated_at",
    ),
    "agents": ("agent_id", "agent_name", "hired_on", "left_on", "updated_at"),
    "agent_assignments": ("agent_id", "department_id", "team", "valid_from", "valid_to"),
    "contact_legs": (
        "contact_id",
        "leg_number",
        "agent_id",
        "department_id",
        "started_at",
        "handle_seconds",
    ),
    "customers": (
        "customer_id",
        "segment",
        "region",
        "product_line",
        "customer_since",
        "acquired_by",
        "churned_on",
        "email",
        "updated_at",
    ),
    "customer_revenue": ("customer_id", "month", "revenue"),
    "survey_invitations": (
        "invitation_id",
        "survey_id",
        "survey_type",
        "contact_id",
        "customer_id",
        "survey_channel",
        "sent_at",
        "delivered_at",
        "opened_at",
        "status",
        "updated_at",
    ),
    "follow_ups": (
        "follow_up_id",
        "response_id",
        "owner_agent_id",
        "opened_at",
        "first_contacted_at",
        "closed_at",
        "outcome",
        "root_cause",
        "updated_at",
    ),
    "initiatives": (
        "initiative_id",
        "initiative_name",
        "scope_type",
        "scope_id",
        "started_on",
        "ended_on",
    ),
    "evaluations": ("contact_id", "criterion", "score", "evaluated_at"),
}
# These grow with the number of contacts; the others are written once.
BIG = (
    "survey_responses",
    "contacts",
    "contact_legs",
    "customers",
    "customer_revenue",
    "survey_invitations",
    "follow_ups",
    "evaluations",
)

LONG_ID = 3_074_457_000_000_000_000
_RELATIONAL_ID = 1_000_000_000_000
_IN_APP = SURVEY_CHANNELS.index("in_app")
ROOT_CAUSES = ("process", "knowledge", "product", "attitude", "waiting")

# Every so many rows one is delivered twice, each time in the next of five ways.
REPEATED_CONTACT, REPEATED_RESPONSE = 331, 199
REPEATS = (
    "older_after",
    "without_updated_at_after",
    "same_updated_at_before",
    "exact_after",
    "older_before",
)


@dataclass
class BlockTables:
    """The tables of one block, with what the truth needs to know of the rows written."""

    tables: dict[str, Any]
    repeated: dict[str, dict[str, int]]
    excluded: int
    mentions: Bools
    contradictions: list[str]
    personal: list[tuple[str, str]]
    sample_ids: list[str]


def build_tables(block: Block, world: World, seed: int, *, as_text: bool) -> BlockTables:
    """Build the big tables of a block.

    Args:
        block: the simulated block.
        world: what all blocks share.
        seed: the sample's seed.
        as_text: write instants as the source systems do (CSV) instead of typed.
    """
    stream = Stream(seed, block.number, 1)
    tables: dict[str, Any] = {}
    repeated: dict[str, dict[str, int]] = {}
    tables["contacts"], repeated["contacts"] = _contacts(block)
    tables["contact_legs"] = _legs(block, world)
    tables["customers"], tables["customer_revenue"] = _customers(block)
    tables["survey_invitations"] = _invitations(block)
    tables["follow_ups"] = _follow_ups(block, stream)
    tables["evaluations"] = _evaluations(block, world, stream)
    responses = _responses(block, stream, as_text=as_text)
    tables["survey_responses"], repeated["survey_responses"] = responses[0], responses[1]
    return BlockTables(tables, repeated, *responses[2:])


def _labels(names: tuple[str, ...], numbers: Ints) -> Any:
    """Take names by number; -1 and the empty name become null."""
    texts = pa.array([n or None for n in names] + [None])
    return texts.take(pa.array(np.where(numbers < 0, len(names), numbers)))


def _ids(prefix: str, numbers: Ints) -> Any:
    return pc.binary_join_element_wise(prefix, pa.array(numbers).cast(pa.string()), "")


def _instants(seconds: Ints, present: Bools | None = None) -> Any:
    mask = None if present is None else ~present
    return pa.array(seconds, pa.int64(), mask=mask).cast(pa.timestamp("s"))


def _dates(days: Ints, present: Bools | None = None) -> Any:
    origin = int(FIRST_DAY.astype(np.int64))
    mask = None if present is None else ~present
    return pa.array((days + origin).astype(np.int32), pa.int32(), mask=mask).cast(pa.date32())


def _numbers(values: Ints, present: Bools | None = None) -> Any:
    return pa.array(values, pa.int64(), mask=None if present is None else ~present)


def _nothing(count: int, kind: Any = None) -> Any:
    return pa.nulls(count, kind or pa.string())


def _table(name: str, columns: dict[str, Any]) -> Any:
    return pa.table([columns[c] for c in COLUMNS[name]], names=list(COLUMNS[name]))


AGENT_NAMES = tuple(f"A{a:03d}" for a in range(1, 151))
DEPARTMENT_IDS = tuple(d.id for d in DEPARTMENTS)


def _contacts(block: Block) -> tuple[Any, dict[str, int]]:
    c = block.contacts
    size = len(c.day)
    spellings = [w for ch in CHANNELS for w in (SPELLINGS[ch] + ("",) * 4)[:4]]
    reasons = [r for d in DEPARTMENTS for r in ([x[0] for x in d.reasons] + [""] * 3)[:3]]
    is_live = c.channel <= 1
    columns = {
        "contact_id": _ids("C", np.arange(size) + c.first),
        "department_id": _labels(DEPARTMENT_IDS, c.department),
        "channel": _labels(tuple(spellings), c.channel * 4 + c.spelling),
        "started_at": _instants(c.started),
        "agent_id": _labels(AGENT_NAMES, c.agent),
        "customer_id": _ids("K", c.customer + block.customers.first),
        "reason": _labels(tuple(reasons), c.department * 3 + c.reason),
        "product_line": _labels(PRODUCT_LINES, c.product),
        "site": _labels(SITES, c.site),
        "ended_at": _instants(c.ended),
        "queue_seconds": _numbers(c.queue, is_live),
        "hold_seconds": _numbers(c.hold, is_live),
        "handle_seconds": _numbers(c.handle),
        "transfers": _numbers(c.transfers),
        "is_resolved": pa.array(c.resolved == 1),
        "updated_at": _nothing(size, pa.timestamp("s")),
    }
    table = _table("contacts", columns)
    stale = {
        "handle_seconds": _numbers(c.handle + 60),
        "is_resolved": pa.array(c.resolved == 0),
    }
    return _repeat(table, stale, c.started, np.arange(5, size, REPEATED_CONTACT))


def _repeat(table: Any, stale: dict[str, Any], at: Ints, rows: Ints) -> tuple[Any, dict[str, int]]:
    """Deliver some rows twice: corrected later, out of order, or plainly again.

    The row that counts is always the one of the model; `stale` holds what the other one says.
    """
    kind = np.arange(len(rows)) % len(REPEATS)
    newest = np.minimum(at + 3 * DAY, END)
    dated = np.zeros(len(at), dtype=bool)
    dated[rows[np.isin(kind, (0, 1, 4))]] = True
    position = table.column_names.index("updated_at")
    table = table.set_column(position, "updated_at", _instants(newest, dated))
    old = table
    for name, values in stale.items():
        old = old.set_column(old.column_names.index(name), name, values)
    has_older = np.zeros(len(at), dtype=bool)
    has_older[rows[np.isin(kind, (0, 4))]] = True
    old = old.set_column(
        position, "updated_at", _instants(np.minimum(at + DAY, END - 60), has_older)
    )
    before = old.take(pa.array(rows[np.isin(kind, (2, 4))]))
    after = old.take(pa.array(rows[np.isin(kind, (0, 1))]))
    again = table.take(pa.array(rows[kind == 3]))
    counts = {name: int((kind == i).sum()) for i, name in enumerate(REPEATS)}
    return pa.concat_tables([before, table, after, again]), counts


def _legs(block: Block, world: World) -> Any:
    c = block.contacts
    handled = np.flatnonzero(c.agent >= 0)
    legs = c.transfers[handled] + 1
    contact = np.repeat(handled, legs)
    last = np.repeat(legs, legs)
    ends = np.cumsum(legs)
    number = np.arange(len(contact)) - np.repeat(ends - legs, legs) + 1
    is_last = number == last
    draw = (c.leg_uniform[contact] * 97.0 * number) % 1.0
    first_line = (draw * 3).astype(np.int64)
    where = world.roster_start[first_line, c.day[contact]] + (
        (draw * 977.0) % 1.0 * world.roster_size[first_line, c.day[contact]]
    ).astype(np.int64)
    agent = np.where(is_last, c.agent[contact], world.roster[where])
    department = np.where(is_last, c.department[contact], first_line)
    piece = c.handle[contact] // last
    seconds = np.where(is_last, c.handle[contact] - piece * (last - 1), piece)
    started = np.minimum(c.started[contact] + c.queue[contact] + piece * (number - 1), END)
    return _table(
        "contact_legs",
        {
            "contact_id": _ids("C", contact + c.first),
            "leg_number": _numbers(number),
            "agent_id": _labels(AGENT_NAMES, agent),
            "department_id": _labels(DEPARTMENT_IDS, department),
            "started_at": _instants(started),
            "handle_seconds": _numbers(seconds),
        },
    )


def _customers(block: Block) -> tuple[Any, Any]:
    k = block.customers
    count = len(k.kind)
    ids = _ids("K", np.arange(count) + k.first)
    customers = _table(
        "customers",
        {
            "customer_id": ids,
            "segment": _labels(SEGMENTS, k.segment),
            "region": _labels(REGIONS, k.region),
            "product_line": _labels(PRODUCT_LINES, k.product),
            "customer_since": _dates(k.since),
            "acquired_by": _labels(ACQUIRED_BY, k.acquired),
            "churned_on": _dates(k.churned, k.churned < 1096),
            "email": pc.binary_join_element_wise(ids, "example.com", "@"),
            "updated_at": _nothing(count, pa.timestamp("s")),
        },
    )
    row, quarter = np.nonzero(k.bills)
    months = np.array([np.datetime64("2023-01") + m for m in range(36)])
    days = (months.astype("datetime64[D]") - FIRST_DAY).astype(np.int64)
    revenue = _table(
        "customer_revenue",
        {
            "customer_id": ids.take(pa.array(row)),
            "month": _dates(days[k.bill_month[row, quarter]]),
            "revenue": pa.array(k.bills[row, quarter] / 100.0),
        },
    )
    return customers, revenue


def _survey_ids(wave: Ints) -> Any:
    waves = tuple(f"relationship-{2023 + q // 4}Q{q % 4 + 1}" for q in range(12))
    return _labels((*waves, "post-contact"), np.where(wave < 0, 12, wave))


def _row_ids(block: Block, rows: Ints, prefix: str) -> Any:
    """Ids of answers and invitations: the contact's number, or the customer's and the survey's."""
    a, c = block.answers, block.contacts
    contact = _ids(prefix, rows + c.first)
    wave = pa.array(a.wave[rows] + 1).cast(pa.string())
    survey = pc.binary_join_element_wise(
        _ids(prefix + "K", a.customer[rows] + block.customers.first), wave, "W"
    )
    return pc.if_else(pa.array(a.wave[rows] < 0), contact, survey)


def _contact_links(block: Block, rows: Ints) -> Any:
    is_contact = pa.array(block.answers.wave[rows] < 0)
    return pc.if_else(
        is_contact, _ids("C", rows + block.contacts.first), pa.scalar(None, pa.string())
    )


def _invitations(block: Block) -> Any:
    a = block.answers
    rows = np.flatnonzero(a.is_invited)
    answered, opened = a.is_answered[rows], (a.is_opened | a.is_dismissed)[rows]
    is_delivered = ~a.is_bounced[rows] & ~a.is_unconfirmed[rows] | answered | opened
    status = np.select(
        [a.is_bounced[rows], a.is_opted_out[rows], answered, opened, ~is_delivered],
        [4, 5, 3, 2, 0],
        default=1,
    )
    seen = np.where(
        answered,
        np.maximum(a.sent[rows] + 30, a.responded[rows] - 90),
        np.minimum(a.sent[rows] + 7200, END),
    )
    types = pa.array(["transactional", "relational"])
    return _table(
        "survey_invitations",
        {
            "invitation_id": _row_ids(block, rows, "I"),
            "survey_id": _survey_ids(a.wave[rows]),
            "survey_type": types.take(pa.array((a.wave[rows] >= 0).astype(np.int64))),
            "contact_id": _contact_links(block, rows),
            "customer_id": _ids("K", a.customer[rows] + block.customers.first),
            "survey_channel": _labels(SURVEY_CHANNELS, a.survey_channel[rows]),
            "sent_at": _instants(a.sent[rows]),
            "delivered_at": _instants(np.minimum(a.sent[rows] + 20, END), is_delivered),
            "opened_at": _instants(seen, answered | opened),
            "status": _labels(
                ("sent", "delivered", "opened", "responded", "bounced", "opted_out"), status
            ),
            "updated_at": _nothing(len(rows), pa.timestamp("s")),
        },
    )


def _response_ids(block: Block, rows: Ints) -> Any:
    """The in-app survey tool has 19-digit ids, the others short ones."""
    a = block.answers
    number = np.where(
        a.wave[rows] < 0,
        rows + block.contacts.first,
        _RELATIONAL_ID + (a.customer[rows] + block.customers.first) * 100 + a.wave[rows],
    )
    long = pa.array(LONG_ID + number).cast(pa.string())
    return pc.if_else(pa.array(a.survey_channel[rows] == _IN_APP), long, _row_ids(block, rows, "R"))


def _responses(
    block: Block, stream: Stream, *, as_text: bool
) -> tuple[Any, dict[str, int], int, Bools, list[str], list[tuple[str, str]], list[str]]:
    a, c = block.answers, block.contacts
    rows = np.flatnonzero(a.is_answered | a.is_dismissed)
    rows = rows[np.argsort(a.responded[rows], kind="stable")]
    count = len(rows)
    answered = a.is_answered[rows]
    is_in_app = a.survey_channel[rows] == _IN_APP
    ids = _response_ids(block, rows)

    theme = np.concatenate([c.theme, np.zeros(len(a.wave) - len(c.theme), dtype=np.int64)])[rows]
    uniforms = stream.uniform(4 * count).reshape(4, count)
    theme = np.where(uniforms[3] < MENTION_SHARE, theme, 0)
    text, mentions, contradicts = write_comments(
        a.category[rows], a.score[rows], theme, a.language[rows], uniforms[:3]
    )
    has_comment = answered & a.has_comment[rows]
    personal: list[tuple[str, str]] = []
    if block.number == 0:
        text, personal = _add_personal_data(text, np.flatnonzero(has_comment), ids)
    text = pc.if_else(pa.array(has_comment), text, pa.scalar(None, pa.string()))

    responded: Any = _instants(a.responded[rows])
    if as_text:
        plain = responded.cast(pa.string())
        zoned = pc.binary_join_element_wise(pc.replace_substring(plain, " ", "T"), "Z", "")
        responded = pc.if_else(pa.array(is_in_app), zoned, plain)
    kind = pa.array(["transactional", "relational", None])
    status = np.where(answered, np.where(np.arange(count) % 50 == 3, 1, 0), 2)
    sent_comment = has_comment & (theme >= 0)
    table = _table(
        "survey_responses",
        {
            "response_id": ids,
            "score": _numbers(a.score[rows], answered),
            "responded_at": responded,
            "survey_type": kind.take(
                pa.array(np.where(is_in_app, 2, (a.wave[rows] >= 0).astype(np.int64)))
            ),
            "survey_id": _survey_ids(a.wave[rows]),
            "invitation_id": _row_ids(block, rows, "I"),
            "contact_id": _contact_links(block, rows),
            "customer_id": _ids("K", a.customer[rows] + block.customers.first),
            "survey_channel": _labels(SURVEY_CHANNELS, a.survey_channel[rows]),
            "csat_score": _numbers(a.csat[rows], answered & (a.csat[rows] > 0)),
            "effort_score": _numbers(a.effort[rows], answered & (a.effort[rows] > 0)),
            "comment": text,
            "language": _labels(LANGUAGES, np.where(sent_comment, a.language[rows], -1)),
            "status": _labels(("", "partial", "dismissed"), status),
            "is_test": _nothing(count),
            "updated_at": _nothing(count, pa.timestamp("s")),
        },
    )
    stale = {"score": _numbers((a.score[rows] + 5) % 11, answered)}
    # A dismissed answer is never repeated, so that what it is excluded for stays plain.
    candidates = np.flatnonzero(answered)
    first = min(3, max(len(candidates) - 1, 0))
    table, counts = _repeat(table, stale, a.responded[rows], candidates[first::REPEATED_RESPONSE])
    marked = np.zeros(len(a.wave), dtype=bool)
    marked[rows[mentions & has_comment]] = True
    odd = ids.take(pa.array(np.flatnonzero(contradicts & has_comment))).to_pylist()
    some = ids.take(pa.array(candidates[7:10])).to_pylist() if block.number == 0 else []
    return table, counts, int((~answered).sum()), marked, odd, personal, some


def _add_personal_data(text: Any, rows: Ints, ids: Any) -> tuple[Any, list[tuple[str, str]]]:
    texts = text.to_pylist()
    planted = []
    step = max(1, len(rows) // (len(PERSONAL_DATA) + 1))
    for (kind, words), row in zip(PERSONAL_DATA, rows[step::step], strict=False):
        texts[row] = f"{texts[row]} {words}"
        planted.append((kind, str(ids[int(row)])))
    return pa.array(texts, pa.string()), planted


def _follow_ups(block: Block, stream: Stream) -> Any:
    a, c = block.answers, block.contacts
    rows = np.flatnonzero(a.is_followed_up)
    count = len(rows)
    u = stream.uniform(count)
    agent = np.concatenate([c.agent, np.full(len(a.wave) - len(c.agent), -1)])[rows]
    owner = np.where(agent >= 0, agent, (u * 48).astype(np.int64))
    reached = (a.first_contacted[rows] <= END) & (a.outcome[rows] != 2)
    is_closed = a.closed[rows] <= END
    cause = np.where(is_closed & (a.outcome[rows] < 2), (u * 997 % 1 * 5).astype(np.int64), -1)
    return _table(
        "follow_ups",
        {
            "follow_up_id": _row_ids(block, rows, "F"),
            "response_id": _response_ids(block, rows),
            "owner_agent_id": _labels(AGENT_NAMES, owner),
            "opened_at": _instants(a.opened[rows]),
            "first_contacted_at": _instants(a.first_contacted[rows], reached),
            "closed_at": _instants(a.closed[rows], is_closed),
            "outcome": _labels(OUTCOMES, np.where(is_closed, a.outcome[rows], -1)),
            "root_cause": _labels(ROOT_CAUSES, cause),
            "updated_at": _nothing(count, pa.timestamp("s")),
        },
    )


def _evaluations(block: Block, world: World, stream: Stream) -> Any:
    c = block.contacts
    chosen = np.flatnonzero(
        (c.agent >= 0) & (c.leg_uniform * 61.0 % 1.0 < EVALUATED_SHARE) & (c.ended + 9 * DAY < END)
    )
    count = len(CRITERIA)
    contact = np.repeat(chosen, count)
    criterion = np.tile(np.arange(count), len(chosen))
    families = {
        "listens and engages": 0,
        "assesses": 1,
        "solves with low effort": 2,
        "exceeds": 3,
        "keeps promises": 4,
    }
    about = np.array([families.get(t[2], -1) for t in THEMES])[c.theme[contact]]
    sign = np.array([t[1] for t in THEMES])[c.theme[contact]]
    level: Floats = (
        3.5
        + world.agent_effect[c.agent[contact]] / 30.0
        + np.where(about == criterion, 1.2 * sign, 0.0)
        + stream.bell(len(contact)) * 0.8
    )
    score = np.clip(np.rint(level), 1, 5).astype(np.int64)
    after = DAY + (c.leg_uniform[contact] * 31.0 % 1.0 * 7 * DAY).astype(np.int64)
    return _table(
        "evaluations",
        {
            "contact_id": _ids("C", contact + c.first),
            "criterion": _labels(CRITERIA, criterion),
            "score": _numbers(score),
            "evaluated_at": _instants(c.ended[contact] + after),
        },
    )


__all__ = ["AGENT_NAMES", "BIG", "CHUNK", "COLUMNS", "BlockTables", "build_tables"]
