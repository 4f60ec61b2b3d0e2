"""Simulates one block of customers with everything that happens to them in three years.

A block is independent of all others and has its own random stream, so that memory does not grow
with the size of the sample, and the blocks can be made in any order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nps_warehouse.sample.draws import Bools, Categorical, Floats, Ints, Stream
from nps_warehouse.sample.world import (
    BASE_RESPONSE,
    BETTER_AGENT,
    BILL,
    BREAK_DAY,
    BREAK_DAYS,
    BREAK_DEPARTMENT,
    BREAK_HOLD_MEAN,
    CHANNEL_EFFECT,
    CHAT,
    COMMENT_SHARE,
    CONTACTS_PER_CUSTOMER,
    CUSTOMER_SPREAD,
    CUSTOMER_TYPES,
    DAY,
    DAYS,
    DEPARTMENT_NUMBER,
    DEPARTMENTS,
    DETRACTOR_SCORES,
    DISMISSED_SHARE,
    END,
    FOLLOW_UP_SHARE,
    HOLD_EFFECT_CAP,
    HOLD_EFFECT_PER_MINUTE,
    HOLD_MEAN,
    IMPROVEMENT,
    INITIATIVES,
    INVITED_SHARE,
    LIMIT,
    NEVER_INVITED_AGENT,
    NEW_AGENT_DAYS,
    NEW_AGENT_EFFECT,
    OUTCOME_SHARES,
    PASSIVE_SCORES,
    PHONE,
    PROMOTER_SCORES,
    QUEUE_EFFECT_CAP,
    QUEUE_EFFECT_PER_MINUTE,
    RECOVERED_SHARE,
    RECOVERY_EFFECT,
    RELATIONAL_BASE,
    RELATIONAL_SHARE,
    REPEAT_CHANCE,
    REPEAT_DAYS,
    REPEAT_EFFECT,
    RESOLVED_EFFECT,
    RESPONSE_FACTOR,
    SELF_SERVICE,
    START,
    THEMES,
    TRANSFER_EFFECT,
    UNRESOLVED_EFFECT,
    UNRESOLVED_RESPONSE_FACTOR,
    WORSE_AGENT,
    World,
    day_number,
)

CHUNK = 96_000
_NEVER = np.iinfo(np.int64).max
_QUARTERS = 12
_WAVE_DAYS = np.array([day_number(f"{2023 + q // 4}-{2 + q % 4 * 3:02d}-15") for q in range(12)])
_QUARTER_STARTS = np.array(
    [day_number(f"{2023 + q // 4}-{1 + q % 4 * 3:02d}-01") for q in range(12)]
)


@dataclass
class Customers:
    """The block's customers; days count from the sample's first, money is in cents."""

    first: int
    kind: Ints
    since: Ints
    churned: Ints
    segment: Ints
    region: Ints
    product: Ints
    language: Ints
    acquired: Ints
    effect: Floats
    bills: Ints
    bill_month: Ints


@dataclass
class Contacts:
    """The block's contacts in order of time; instants are seconds since 1970."""

    first: int
    day: Ints
    department: Ints
    channel: Ints
    spelling: Ints
    customer: Ints
    started: Ints
    ended: Ints
    agent: Ints
    reason: Ints
    product: Ints
    site: Ints
    queue: Ints
    hold: Ints
    handle: Ints
    transfers: Ints
    resolved: Ints
    is_repeat: Bools
    theme: Ints
    leg_uniform: Floats


@dataclass
class Answers:
    """What could be asked after each contact, then in each customer's quarterly survey.

    Rows are the contacts of the block followed by the relational surveys; `expected` is the
    expected NPS as a share in ±1. Category, score and responded say what would be answered, whether
    or not anybody was asked.
    """

    customer: Ints
    wave: Ints
    at: Ints
    survey_channel: Ints
    is_invited: Bools
    is_bounced: Bools
    is_opted_out: Bools
    is_unconfirmed: Bools
    is_opened: Bools
    is_eligible: Bools
    is_answered: Bools
    is_dismissed: Bools
    sent: Ints
    responded: Ints
    expected: Floats
    chance: Floats
    category: Ints
    score: Ints
    has_comment: Bools
    csat: Ints
    effort: Ints
    language: Ints
    is_followed_up: Bools
    opened: Ints
    first_contacted: Ints
    closed: Ints
    outcome: Ints
    is_recovered: Bools
    is_recovering: Bools
    counterfactual: Floats


@dataclass
class Block:
    """One simulated block."""

    number: int
    customers: Customers
    contacts: Contacts
    answers: Answers


def block_sizes(contacts: int) -> list[int]:
    """Return how many contacts each block has."""
    sizes = [CHUNK] * (contacts // CHUNK)
    if contacts % CHUNK:
        sizes.append(contacts % CHUNK)
    return sizes


def simulate(world: World, seed: int, number: int, size: int) -> Block:
    """Simulate one block.

    Args:
        world: what all blocks share.
        seed: the sample's seed.
        number: the block's number, from 0.
        size: its number of contacts.
    """
    stream = Stream(seed, number)
    customers = _customers(stream, number, size)
    contacts = _contacts(world, stream, number, size, customers)
    answers = _answers(world, stream, customers, contacts)
    return Block(number, customers, contacts, answers)


def _customers(stream: Stream, number: int, size: int) -> Customers:
    count = max(20, -(-size // CONTACTS_PER_CUSTOMER))
    u = stream.uniform
    zero = np.zeros(count, dtype=np.int64)
    kind = Categorical(np.array([[k[1] for k in CUSTOMER_TYPES]])).draw(zero, u(count))
    since = np.where(
        u(count) < 0.62,
        -1 - (u(count) * 2900).astype(np.int64),
        (u(count) * (DAYS - 30)).astype(np.int64),
    )
    hazard = -np.log1p(-np.array([k[3] for k in CUSTOMER_TYPES]))[kind] / 365.0
    churned = np.maximum(since, 0) + 20 + (stream.exponential(count) / hazard).astype(np.int64)
    anchors = max(1, count // 8)
    since[:anchors] = np.minimum(since[:anchors], -1 - since[:anchors] % 1000)
    churned[:anchors] = DAYS
    churned = np.minimum(churned, DAYS)
    segment = Categorical(np.array([[0.7, 0.25, 0.05]])).draw(zero, u(count))
    growth = np.array([k[4] for k in CUSTOMER_TYPES])[kind]
    quarter = np.arange(_QUARTERS)
    base = np.array(BILL)[segment] * (0.7 + 0.6 * u(count))
    powers = np.stack([growth**y for y in range(4)], axis=1)
    noise = 0.95 + 0.1 * u(count * _QUARTERS).reshape(count, _QUARTERS)
    bills = np.rint(base[:, None] * powers[:, quarter // 4] * noise * 100).astype(np.int64)
    phase = (u(count) * 3).astype(np.int64)
    bill_month = quarter[None, :] * 3 + phase[:, None]
    bill_day = _month_starts()[bill_month]
    bills[(bill_day < since[:, None]) | (bill_day >= churned[:, None])] = 0
    return Customers(
        first=number * (CHUNK // CONTACTS_PER_CUSTOMER) + 1,
        kind=kind,
        since=since,
        churned=churned,
        segment=segment,
        region=(u(count) * 4).astype(np.int64),
        product=Categorical(np.array([[0.45, 0.35, 0.20]])).draw(zero, u(count)),
        language=Categorical(np.array([[0.5, 0.25, 0.25]])).draw(zero, u(count)),
        acquired=Categorical(np.array([[0.3, 0.6, 0.1]])).draw(zero, u(count)),
        effect=np.array([k[2] for k in CUSTOMER_TYPES])[kind]
        + stream.bell(count) * CUSTOMER_SPREAD,
        bills=bills,
        bill_month=bill_month,
    )


def _month_starts() -> Ints:
    return np.array([day_number(f"{2023 + m // 12}-{m % 12 + 1:02d}-01") for m in range(36)])


def _contacts(
    world: World, stream: Stream, number: int, size: int, customers: Customers
) -> Contacts:
    u = stream.uniform
    departments = len(DEPARTMENTS)
    day, department = np.divmod(
        world.day_department.draw(np.zeros(size, dtype=np.int64), u(size)), departments
    )
    day_kind = np.maximum(world.weekday[day] - 4, 0)
    channel = world.channel.draw(department * 3 + day_kind, u(size))
    is_always = np.array([d.always_open for d in DEPARTMENTS])[department]
    profile = np.where(is_always | (channel > CHAT), 2, np.minimum(day_kind, 1))
    hour = world.hour.draw(profile, u(size))
    second = (u(size) * 3600).astype(np.int64)
    started = START + day * DAY + hour * 3600 + second
    order = np.argsort(started, kind="stable")
    day, department, channel, started = (x[order] for x in (day, department, channel, started))

    count = len(customers.kind)
    customer = (u(size) * count).astype(np.int64)
    for attempt in range(4):
        is_away = (customers.since[customer] > day) | (customers.churned[customer] <= day)
        if not is_away.any():
            break
        pool = count if attempt < 3 else max(1, count // 8)
        customer[is_away] = (u(int(is_away.sum())) * pool).astype(np.int64)

    drawn = world.roster_start[department, day] + (
        u(size) * world.roster_size[department, day]
    ).astype(np.int64)
    agent = np.where(channel == SELF_SERVICE, -1, world.roster[drawn])
    reason = world.reason.draw(department, u(size))
    transfer = u(size)
    transfers = (transfer > 0.83).astype(np.int64) + (transfer > 0.96) + (transfer > 0.993)
    transfers[channel == SELF_SERVICE] = 0
    solved = _by_reason(3)[department, reason] - 0.12 * transfers
    resolved = (u(size) < solved).astype(np.int64)
    customer, is_repeat = _repeats(customers, day, started, customer, resolved, u(size), u(size))
    is_phone = channel == PHONE
    is_live = channel <= CHAT
    is_broken = (
        is_phone
        & (department == DEPARTMENT_NUMBER[BREAK_DEPARTMENT])
        & (day >= day_number(BREAK_DAY))
        & (day < day_number(BREAK_DAY) + BREAK_DAYS)
    )
    holding = stream.exponential(size) * np.where(is_broken, BREAK_HOLD_MEAN, HOLD_MEAN)
    hold = _seconds(np.where(is_phone, np.minimum(holding, 3000), 0))
    waiting = stream.exponential(size) * np.where(is_phone, 70.0, 40.0)
    queue = _seconds(np.where(is_live, np.minimum(waiting, 1800), 0))
    work = np.array([330.0, 420.0, 300.0, 180.0, 240.0, 90.0])[channel]
    talk = work * (0.35 + 0.325 * (stream.exponential(size) + stream.exponential(size)))
    handle = _seconds(talk * (1 + 0.5 * transfers)) + hold
    site = np.array([d.site for d in DEPARTMENTS])[department]
    elsewhere = u(size)
    site = np.where(elsewhere < 0.1, (site + 1) % 3, np.where(elsewhere > 0.8, -1, site))
    about = u(size)
    product = customers.product[customer]
    product = np.where(about < 0.06, (product + 1) % 3, np.where(about > 0.9, -1, product))
    return Contacts(
        first=number * CHUNK + 1,
        day=day,
        department=department,
        channel=channel,
        spelling=world.spelling.draw(channel, u(size)),
        customer=customer,
        started=started,
        ended=np.minimum(started + queue + handle, END),
        agent=agent,
        reason=reason,
        product=product,
        site=site,
        queue=queue,
        hold=hold,
        handle=handle,
        transfers=transfers,
        resolved=resolved,
        is_repeat=is_repeat,
        theme=world.theme.draw(department, u(size)),
        leg_uniform=u(size),
    )


def _seconds(amount: Floats) -> Ints:
    return amount.astype(np.int64)


def _repeats(
    customers: Customers,
    day: Ints,
    started: Ints,
    customer: Ints,
    resolved: Ints,
    uniforms: Floats,
    back: Floats,
) -> tuple[Ints, Bools]:
    """Let some contacts come from the customer of an unresolved one of the days before."""
    earlier = np.searchsorted(started, started - (back * REPEAT_DAYS * DAY).astype(np.int64))
    wants = uniforms < REPEAT_CHANCE
    # Only from a first contact, whose own customer stands.
    chosen = wants & (resolved[earlier] == 0) & ~wants[earlier] & (started[earlier] < started)
    chosen &= started - started[earlier] < REPEAT_DAYS * DAY
    who = customer[earlier]
    chosen &= (customers.since[who] <= day) & (customers.churned[who] > day)
    return np.where(chosen, who, customer), chosen


def _by_reason(column: int) -> Floats:
    width = max(len(d.reasons) for d in DEPARTMENTS)
    table = np.zeros((len(DEPARTMENTS), width))
    for i, d in enumerate(DEPARTMENTS):
        for j, reason in enumerate(d.reasons):
            table[i, j] = float(reason[column])
    return table


def hold_effect(seconds: Floats) -> Floats:
    """Return the points a hold time in seconds costs."""
    return np.maximum(seconds / 60.0 * HOLD_EFFECT_PER_MINUTE, HOLD_EFFECT_CAP)


def _initiative_effect(world: World, c: Contacts) -> Floats:
    effect = np.zeros(len(c.day))
    for i in INITIATIVES:
        if not i.effect:
            continue
        touched = c.day >= day_number(i.started_on)
        if i.scope_type == "department":
            touched &= c.department == DEPARTMENT_NUMBER[i.scope_id]
        else:  # a team
            department, team = i.scope_id.split("-")
            touched &= (c.department == DEPARTMENT_NUMBER[department]) & (c.agent >= 0)
            touched &= world.team_of[c.agent, c.day] == int(team)
        effect += np.where(touched, i.effect, 0.0)
    return effect


def _answers(world: World, stream: Stream, k: Customers, c: Contacts) -> Answers:
    u = stream.uniform
    size = len(c.day)
    count = len(k.kind)
    agent_effect = np.append(world.agent_effect, 0.0)[c.agent]
    hold_points = np.where(c.channel == PHONE, hold_effect(c.hold.astype(np.float64)), 0.0)
    initiative = _initiative_effect(world, c)
    is_new = (c.agent >= 0) & (c.day - np.append(world.hired, -DAYS)[c.agent] < NEW_AGENT_DAYS)
    points = (
        np.array([d.base for d in DEPARTMENTS])[c.department]
        + np.where(c.day >= 365, IMPROVEMENT, 0.0)
        + agent_effect
        + _by_reason(2)[c.department, c.reason]
        + np.array(CHANNEL_EFFECT)[c.channel]
        + np.where(c.resolved == 1, RESOLVED_EFFECT, UNRESOLVED_EFFECT)
        + c.transfers * TRANSFER_EFFECT
        + np.where(c.is_repeat, REPEAT_EFFECT, 0.0)
        + np.where(is_new, NEW_AGENT_EFFECT, 0.0)
        + hold_points
        + np.maximum(c.queue / 60.0 * QUEUE_EFFECT_PER_MINUTE, QUEUE_EFFECT_CAP)
        + np.array([t[3] for t in THEMES])[c.theme]
        + initiative
        + k.effect[c.customer]
    )
    # What the same contact would have been worth without the planted effect: no break, no
    # initiative, an ordinary agent.
    is_broken = (
        (c.department == DEPARTMENT_NUMBER[BREAK_DEPARTMENT])
        & (c.channel == PHONE)
        & (c.day >= day_number(BREAK_DAY))
        & (c.day < day_number(BREAK_DAY) + BREAK_DAYS)
    )
    usual_hold = hold_effect(np.floor(c.hold * (HOLD_MEAN / BREAK_HOLD_MEAN)))
    special = (c.agent == int(BETTER_AGENT[1:]) - 1) | (c.agent == int(WORSE_AGENT[1:]) - 1)
    without = (
        points
        - initiative
        + np.where(is_broken, usual_hold - hold_points, 0.0)
        - np.where(special, agent_effect, 0.0)
    )

    survey_channel = world.survey_channel.draw(c.channel, u(size))
    customer, wave = np.nonzero(
        (u(count * _QUARTERS).reshape(count, _QUARTERS) < RELATIONAL_SHARE)
        & (k.since[:, None] < _QUARTER_STARTS[None, :])
        & (k.churned[:, None] > _WAVE_DAYS[None, :])
    )
    surveys = len(customer)
    rows = size + surveys
    asked_at = START + _WAVE_DAYS[wave] * DAY + 9 * 3600 + (u(surveys) * 14_400).astype(np.int64)
    relational = RELATIONAL_BASE + 1.4 * k.effect[customer] + np.where(wave >= 4, IMPROVEMENT, 0.0)

    all_customer = np.concatenate([c.customer, customer])
    base = np.concatenate([points, relational])
    at = np.concatenate([c.started, asked_at])
    channel = np.concatenate([survey_channel, np.where(u(surveys) < 0.8, 0, 4)]).astype(np.int64)
    is_invited = np.concatenate(
        [
            (u(size) < INVITED_SHARE) & ~((c.channel == SELF_SERVICE) & (c.leg_uniform < 0.4)),
            np.ones(surveys, dtype=bool),
        ]
    )
    after = 600 + (u(rows) * 3000).astype(np.int64)
    sent = np.concatenate([c.ended, asked_at - 600]) + after
    is_invited[:size] &= c.agent != int(NEVER_INVITED_AGENT[1:]) - 1
    is_invited &= sent <= END
    delivery = u(rows)
    reachable = channel <= 1
    is_bounced = is_invited & reachable & (delivery < 0.025)
    is_opted_out = is_invited & ~is_bounced & (delivery > 0.988)
    is_unconfirmed = is_invited & ~reachable & (delivery < 0.03)
    lag_kind = u(rows)
    lag_mean = np.where(lag_kind < 0.6, 3.0, np.where(lag_kind < 0.92, 30.0, 264.0)) * 3600
    responded = (
        sent + 45 + np.minimum(stream.exponential(rows) * lag_mean, 90 * DAY).astype(np.int64)
    )
    is_eligible = is_invited & ~is_bounced & ~is_opted_out & (responded <= END)
    unresolved = np.concatenate([c.resolved == 0, np.zeros(surveys, dtype=bool)])
    chance = np.array(BASE_RESPONSE)[channel] * np.where(
        unresolved, UNRESOLVED_RESPONSE_FACTOR, 1.0
    )

    u_score, u_answer, u_follow = u(rows), u(rows), u(rows)
    u_recover = u(rows)
    outcome = Categorical(np.array([OUTCOME_SHARES])).draw(np.zeros(rows, dtype=np.int64), u(rows))
    opened = responded + 1800 + (stream.exponential(rows) * 10 * 3600).astype(np.int64)
    first_contacted = opened + 900 + (stream.exponential(rows) * 26 * 3600).astype(np.int64)
    closed = first_contacted + 600 + (stream.exponential(rows) * 4 * DAY).astype(np.int64)
    factor = np.array(RESPONSE_FACTOR)

    expected = _limited(base)
    category, _ = _score(expected, u_score)
    is_answered = is_eligible & (u_answer < chance * factor[category])
    is_followed = is_answered & (category == 0) & (u_follow < FOLLOW_UP_SHARE) & (opened <= END)
    is_recovering = is_followed & (u_recover < np.array(RECOVERED_SHARE)[outcome])
    # The earliest recovery of a customer is untouched by later ones, so one pass is exact.
    recovered_at = np.full(count, _NEVER)
    np.minimum.at(recovered_at, all_customer[is_recovering], closed[is_recovering])
    is_recovered = at > recovered_at[all_customer]
    expected = _limited(base + np.where(is_recovered, RECOVERY_EFFECT, 0.0))
    counterfactual = _limited(without + np.where(is_recovered[:size], RECOVERY_EFFECT, 0.0))
    category, score = _score(expected, u_score)
    is_answered = is_eligible & (u_answer < chance * factor[category])
    is_followed = is_answered & (category == 0) & (u_follow < FOLLOW_UP_SHARE) & (opened <= END)
    is_recovering = is_followed & (u_recover < np.array(RECOVERED_SHARE)[outcome]) & ~is_recovered

    own = np.concatenate([k.language[c.customer], k.language[customer]])
    u_extra = u(rows)
    jitter = np.floor(u(rows) * 3).astype(np.int64) - 1
    return Answers(
        customer=all_customer,
        wave=np.concatenate([np.full(size, -1), wave]),
        at=at,
        survey_channel=channel,
        is_invited=is_invited,
        is_bounced=is_bounced,
        is_opted_out=is_opted_out,
        is_unconfirmed=is_unconfirmed,
        is_opened=is_eligible & (u(rows) < 0.45),
        is_eligible=is_eligible,
        is_answered=is_answered,
        is_dismissed=is_eligible & ~is_answered & (u_answer > 1 - DISMISSED_SHARE),
        sent=sent,
        responded=responded,
        expected=expected,
        chance=chance,
        category=category,
        score=score,
        has_comment=u_extra < np.array(COMMENT_SHARE)[category],
        csat=np.where(u(rows) < 0.6, np.clip((score + 3) // 3 + jitter, 1, 5), 0),
        effort=np.where(u(rows) < 0.5, np.clip((score * 6 + 15) // 10 + jitter, 1, 7), 0),
        language=own,
        is_followed_up=is_followed,
        opened=opened,
        first_contacted=first_contacted,
        closed=closed,
        outcome=outcome,
        is_recovered=is_recovered,
        is_recovering=is_recovering,
        counterfactual=counterfactual,
    )


def _limited(points: Floats) -> Floats:
    return np.asarray(np.clip(points / 100.0, -LIMIT, LIMIT))


def shares(expected: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the chances of a detractor, a passive and a promoter.

    Args:
        expected: expected NPS as a share in ±1; chance of a promoter less that of a detractor.
    """
    passive = 0.32 * (1.0 - expected * expected)
    detractor = (1.0 - passive - expected) / 2.0
    return detractor, passive, detractor + expected


def _score(expected: Floats, uniforms: Floats) -> tuple[Ints, Ints]:
    """Draw category and score; a higher expectation never lowers the score."""
    detractor, passive, promoter = shares(expected)
    edge = detractor + passive
    category = (uniforms >= detractor).astype(np.int64) + (uniforms >= edge)
    lows = np.cumsum(DETRACTOR_SCORES)[:-1]
    low = np.searchsorted(lows, uniforms / detractor, side="right")
    middle = 7 + (uniforms >= detractor + passive * PASSIVE_SCORES[0])
    high = 9 + (uniforms >= edge + promoter * PROMOTER_SCORES[0])
    return category, np.where(category == 0, low, np.where(category == 1, middle, high))
