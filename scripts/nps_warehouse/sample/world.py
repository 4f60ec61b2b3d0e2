"""The contact center that is simulated: its calendar, departments, agents and planted effects.

All effects are in NPS points and add up to the expected NPS of one contact, so that what is planted
can be stated exactly. None of them depends on how many contacts are generated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nps_warehouse.sample.draws import Categorical, Floats, Ints, Stream

DAY = 86_400
FIRST_DAY = np.datetime64("2023-01-01")
DAYS = 1096
START = int(FIRST_DAY.astype("datetime64[s]").astype(np.int64))
END = START + DAYS * DAY - 1
YEARS = (2023, 2024, 2025)

CHANNELS = ("phone", "chat", "email", "sms", "social", "self_service")
PHONE, CHAT, EMAIL, SMS, SOCIAL, SELF_SERVICE = range(6)
SPELLINGS: dict[str, tuple[str, ...]] = {
    "phone": ("Phone", "voice", "VOICE ", "Telephone"),
    "chat": ("chat", "Live Chat", "webchat"),
    "email": ("E-Mail", "email", "Mail"),
    "sms": ("SMS", "text message"),
    "social": ("social", "Social Media"),
    "self_service": ("Self-Service", "self_service", "Self Service"),
}
UNMAPPED_CHANNEL = "Kiosk"
SURVEY_CHANNELS = ("email", "sms", "ivr", "web", "in_app")
# How the customers of each contact channel are asked, in the order of SURVEY_CHANNELS.
SURVEY_CHANNEL_SHARES = (
    (0.35, 0.25, 0.40, 0.00, 0.00),
    (0.20, 0.00, 0.00, 0.60, 0.20),
    (1.00, 0.00, 0.00, 0.00, 0.00),
    (0.00, 1.00, 0.00, 0.00, 0.00),
    (0.30, 0.00, 0.00, 0.70, 0.00),
    (0.20, 0.00, 0.00, 0.45, 0.35),
)
CHANNEL_EFFECT = (0.0, 4.0, -5.0, 2.0, -8.0, -2.0)

SITES = ("Lisbon", "Leipzig", "Austin")
SEGMENTS = ("consumer", "business", "enterprise")
REGIONS = ("North", "South", "East", "West")
PRODUCT_LINES = ("Internet", "Mobile", "Television")
LANGUAGES = ("en", "es", "de")
ACQUIRED_BY = ("referral", "paid", "")


@dataclass(frozen=True)
class Department:
    """One department and what is true of it.

    Attributes:
        base: expected NPS of an ordinary contact in 2023, in points, before all other effects.
        shares: share of the contacts in 2023, 2024 and 2025, up to a common factor.
        always_open: open day and night; otherwise see `OPENING_HOURS`.
        phone_share: share of contacts by telephone while the department is open.
        reasons: reason, share, effect in points, chance that it is solved at once.
    """

    id: str
    name: str
    parent: str
    site: int
    base: float
    shares: tuple[float, float, float]
    always_open: bool
    phone_share: float
    reasons: tuple[tuple[str, float, float, float], ...]


DEPARTMENTS = (
    Department(
        "D01",
        "Customer Care",
        "",
        0,
        46.0,
        (12, 4, 4),
        False,
        0.60,
        (
            ("General question", 0.5, 2, 0.85),
            ("Complaint", 0.2, -12, 0.60),
            ("Change of address", 0.3, 3, 0.95),
        ),
    ),
    Department(
        "D02",
        "Technical Support",
        "",
        1,
        12.0,
        (3.6, 10, 10),
        True,
        0.55,
        (("Outage", 0.4, -8, 0.55), ("Slow service", 0.4, 0, 0.65), ("How to", 0.2, 6, 0.90)),
    ),
    Department(
        "D03",
        "Sales and Retention",
        "",
        2,
        44.0,
        (11, 4, 4),
        False,
        0.55,
        (("Offer question", 0.6, 2, 0.88), ("Price complaint", 0.4, -6, 0.60)),
    ),
    Department(
        "D04",
        "Billing",
        "D01",
        0,
        10.0,
        (3.8, 12, 12),
        False,
        0.55,
        (("Wrong bill", 0.4, -8, 0.60), ("Payment", 0.4, 3, 0.85), ("Refund", 0.2, -3, 0.70)),
    ),
    Department(
        "D05",
        "Orders and Delivery",
        "D01",
        0,
        47.0,
        (22, 8, 8),
        False,
        0.82,
        (
            ("Order status", 0.6, 3, 0.88),
            ("Late delivery", 0.3, -9, 0.65),
            ("Return", 0.1, 0, 0.80),
        ),
    ),
    Department(
        "D06",
        "Account Services",
        "D01",
        1,
        43.0,
        (13, 5, 5),
        False,
        0.50,
        (
            ("Password reset", 0.4, 5, 0.95),
            ("Contract data", 0.4, 0, 0.85),
            ("Data request", 0.2, -5, 0.75),
        ),
    ),
    Department(
        "D07",
        "Internet",
        "D02",
        1,
        11.0,
        (3.6, 12, 12),
        True,
        0.65,
        (("Outage", 0.4, -6, 0.55), ("Router", 0.4, 2, 0.75), ("Speed", 0.2, 0, 0.60)),
    ),
    Department(
        "D08",
        "Mobile",
        "D02",
        1,
        14.0,
        (3.6, 11, 11),
        True,
        0.60,
        (("No signal", 0.5, -5, 0.60), ("SIM card", 0.3, 4, 0.90), ("Roaming", 0.2, 0, 0.75)),
    ),
    Department(
        "D09",
        "Devices and Repair",
        "D02",
        1,
        9.0,
        (3.6, 11, 11),
        False,
        0.55,
        (("Repair status", 0.5, -3, 0.70), ("Defect", 0.5, 0, 0.60)),
    ),
    Department(
        "D10",
        "Field Service",
        "D02",
        0,
        13.0,
        (3.6, 10, 10),
        False,
        0.65,
        (("Appointment", 0.7, 2, 0.80), ("Missed appointment", 0.3, -14, 0.60)),
    ),
    Department(
        "D11",
        "New Business",
        "D03",
        2,
        45.0,
        (12, 4, 4),
        False,
        0.60,
        (("New contract", 0.7, 3, 0.90), ("Moving house", 0.3, -3, 0.75)),
    ),
    Department(
        "D12",
        "Loyalty",
        "D03",
        2,
        44.0,
        (11, 4, 4),
        False,
        0.60,
        (("Cancellation", 0.4, -9, 0.70), ("Renewal", 0.6, 4, 0.90)),
    ),
)
DEPARTMENT_NUMBER = {d.id: i for i, d in enumerate(DEPARTMENTS)}
# Telephone and chat of a department that is not always open: [from, to) hours, by kind of day.
OPENING_HOURS = {"weekday": (8, 20), "saturday": (9, 14)}

IMPROVEMENT = 11.0  # points gained everywhere on 1 January 2024, when the mix turns

AGENTS = 150
BETTER_AGENT, BETTER_DEPARTMENT, BETTER_EFFECT = "A017", "D06", 42.0
WORSE_AGENT, WORSE_DEPARTMENT, WORSE_EFFECT = "A042", "D09", -42.0
AGENT_SPREAD = 4.0

BREAK_DEPARTMENT = "D05"
BREAK_DAY = "2023-05-09"
BREAK_DAYS = 21
HOLD_MEAN = 35.0
BREAK_HOLD_MEAN = 600.0
HOLD_EFFECT_PER_MINUTE, HOLD_EFFECT_CAP = -10.0, -85.0
QUEUE_EFFECT_PER_MINUTE, QUEUE_EFFECT_CAP = -2.0, -12.0
TRANSFER_EFFECT = -10.0
RESOLVED_EFFECT, UNRESOLVED_EFFECT = 5.0, -19.0
# Some contacts come from a customer whose unresolved contact is less than a week old.
REPEAT_DAYS, REPEAT_CHANCE, REPEAT_EFFECT = 7, 0.35, -8.0
NEW_AGENT_DAYS, NEW_AGENT_EFFECT = 90, -6.0
NEVER_INVITED_AGENT = "A060"


@dataclass(frozen=True)
class Initiative:
    """A change, its scope, its dates and the points it is worth from its first day."""

    id: str
    name: str
    scope_type: str
    scope_id: str
    started_on: str
    ended_on: str
    effect: float


INITIATIVES = (
    Initiative("N1", "Bills in plain words", "department", "D04", "2025-07-01", "", 18.0),
    Initiative("N2", "New headsets", "channel", "phone", "2025-02-01", "2025-02-28", 0.0),
    Initiative("N3", "Training: listening", "team", "D08-1", "2025-04-01", "2025-04-30", 15.0),
    Initiative(
        "N4", "Training: product knowledge", "agent", "A021", "2025-03-03", "2025-03-05", 0.0
    ),
    Initiative("N5", "New telephone menu", "company", "company", "2024-10-01", "", 0.0),
)

# theme, sign, family, effect in points, usual share of the contacts; shares by department below.
THEMES: tuple[tuple[str, int, str, float, float], ...] = (
    ("none", 0, "", 0.0, 0.300),
    ("promise_broken", -1, "keeps promises", -42.0, 0.060),
    ("not_listening", -1, "listens and engages", -36.0, 0.045),
    ("repeat_myself", -1, "solves with low effort", -30.0, 0.065),
    ("wrong_diagnosis", -1, "assesses", -26.0, 0.040),
    ("bare_minimum", -1, "exceeds", -18.0, 0.030),
    ("billing_error", -1, "billing", -28.0, 0.030),
    ("long_wait", -1, "waiting", -22.0, 0.070),
    ("promise_kept", 1, "keeps promises", 16.0, 0.055),
    ("listened", 1, "listens and engages", 18.0, 0.090),
    ("easy", 1, "solves with low effort", 20.0, 0.105),
    ("understood", 1, "assesses", 14.0, 0.060),
    ("exceeded", 1, "exceeds", 24.0, 0.050),
)
THEME_SHARES_OF_DEPARTMENTS = {
    "D04": {"billing_error": 0.16},
    "D10": {"promise_broken": 0.14},
    "D02": {"wrong_diagnosis": 0.09},
}

# Customers differ for good: share, effect in points, chance to leave within a year, growth a year.
CUSTOMER_TYPES = (
    ("loyal", 0.35, 9.0, 0.03, 1.08),
    ("neutral", 0.45, 0.0, 0.08, 1.00),
    ("at_risk", 0.20, -18.0, 0.25, 0.92),
)
CUSTOMER_SPREAD = 6.0
CONTACTS_PER_CUSTOMER = 12
BILL = (90.0, 400.0, 2500.0)  # a quarter's revenue by segment

INVITED_SHARE = 0.75
BASE_RESPONSE = (0.19, 0.21, 0.24, 0.18, 0.20)  # by survey channel
# Chance to answer, relative to a promoter's: detractor, passive, promoter.
RESPONSE_FACTOR = (1.6, 0.9, 1.0)
UNRESOLVED_RESPONSE_FACTOR = 1.3
DISMISSED_SHARE = 0.012
RELATIONAL_SHARE = 0.15
RELATIONAL_BASE = 22.0
COMMENT_SHARE = (0.70, 0.40, 0.45)  # detractor, passive, promoter
MENTION_SHARE = 0.9

FOLLOW_UP_SHARE = 0.5
OUTCOMES = ("fixed", "explained", "unreachable")
OUTCOME_SHARES = (0.5, 0.3, 0.2)
RECOVERED_SHARE = (0.6, 0.2, 0.0)  # of the customers followed up, by outcome
RECOVERY_EFFECT = 60.0  # points, for good, from the moment the case is closed

CRITERIA = ("listening", "assessing", "low effort", "exceeding", "keeping promises")
EVALUATED_SHARE = 0.03

LIMIT = 0.97  # the expected NPS of one contact stays within ±97 points
DETRACTOR_SCORES = (0.10, 0.05, 0.07, 0.10, 0.14, 0.26, 0.28)  # share of 0 … 6
PASSIVE_SCORES = (0.42, 0.58)
PROMOTER_SCORES = (0.38, 0.62)


def day_number(date: str) -> int:
    """Return how many days an ISO date lies after the first day of the sample."""
    return int((np.datetime64(date) - FIRST_DAY).astype(np.int64))


@dataclass(frozen=True)
class Assignment:
    """An agent's time in one department and team; days count from the sample's first."""

    agent: int
    department: int
    team: str
    first: int
    last: int | None


@dataclass(frozen=True)
class World:
    """Everything that is the same for all chunks of one sample."""

    agent_effect: Floats
    hired: Ints
    left: list[int | None]
    assignments: list[Assignment]
    roster: Ints
    roster_start: Ints
    roster_size: Ints
    team_of: Ints
    day_department: Categorical
    channel: Categorical
    hour: Categorical
    reason: Categorical
    theme: Categorical
    survey_channel: Categorical
    spelling: Categorical
    weekday: Ints
    month: Ints
    year: Ints


def build_world(seed: int) -> World:
    """Make departments' calendars, agents and their assignments for a seed."""
    stream = Stream(seed, 1_000_000)
    days = FIRST_DAY + np.arange(DAYS)
    weekday = (days.astype("datetime64[D]").astype(np.int64) + 3) % 7
    month = days.astype("datetime64[M]").astype(np.int64) - 53 * 12
    year = days.astype("datetime64[Y]").astype(np.int64) - 53
    agent_effect, hired, left, assignments = _agents(stream)
    roster, start, size = _roster(assignments)
    team_of = np.zeros((AGENTS, DAYS), dtype=np.int64)
    for a in assignments:
        team_of[a.agent, max(a.first, 0) : a.last] = int(a.team[-1])
    return World(
        agent_effect=agent_effect,
        hired=hired,
        left=left,
        assignments=assignments,
        roster=roster,
        roster_start=start,
        roster_size=size,
        team_of=team_of,
        day_department=_day_department(weekday, month, year),
        channel=_channel(),
        hour=_hour(),
        reason=Categorical(_padded([[r[1] for r in d.reasons] for d in DEPARTMENTS])),
        theme=_theme(),
        survey_channel=Categorical(np.array(SURVEY_CHANNEL_SHARES)),
        spelling=Categorical(_padded([[4.0] + [1.0] * (len(SPELLINGS[c]) - 1) for c in CHANNELS])),
        weekday=weekday,
        month=month,
        year=year,
    )


def _padded(rows: list[list[float]]) -> Floats:
    width = max(len(r) for r in rows)
    return np.array([r + [0.0] * (width - len(r)) for r in rows], dtype=np.float64)


def _day_department(weekday: Ints, month: Ints, year: Ints) -> Categorical:
    season = np.array([1.05, 0.98, 0.97, 0.95, 0.94, 0.92, 0.85, 0.86, 1.0, 1.06, 1.18, 1.28])
    growth = 1.0 + 0.04 * np.arange(DAYS) / 365.0
    closed = np.array([1.2, 1.1, 1.05, 1.0, 0.95, 0.40, 0.10])
    always = np.array([1.1, 1.05, 1.0, 1.0, 1.0, 0.80, 0.65])
    weights = np.empty((DAYS, len(DEPARTMENTS)))
    for i, d in enumerate(DEPARTMENTS):
        week = always if d.always_open else closed
        share = np.array(d.shares)
        share = share / np.array([sum(x.shares[y] for x in DEPARTMENTS) for y in range(3)])
        weights[:, i] = share[year] * week[weekday] * season[month % 12] * growth
    return Categorical(weights.reshape(1, -1))


def _channel() -> Categorical:
    rows = []
    for d in DEPARTMENTS:
        rest = 1.0 - d.phone_share
        usual = [d.phone_share, rest * 0.4, rest * 0.28, rest * 0.08, rest * 0.06, rest * 0.18]
        asynchronous = [0.0, 0.0, *usual[2:]]
        rows += [usual, usual, usual if d.always_open else asynchronous]
    return Categorical(np.array(rows))


def _hour() -> Categorical:
    weekday = [0.0] * 8 + [6, 9, 11, 10, 8, 8, 9, 10, 9, 8, 6, 4] + [0.0] * 4
    saturday = [0.0] * 9 + [8, 10, 10, 8, 6] + [0.0] * 10
    always = [2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 10, 10, 9, 9, 9, 9, 9, 10, 11, 10, 9, 7, 5, 3]
    return Categorical(np.array([weekday, saturday, always], dtype=np.float64))


def _theme() -> Categorical:
    rows = []
    for d in DEPARTMENTS:
        own = THEME_SHARES_OF_DEPARTMENTS.get(d.id, {})
        rows.append([own.get(t[0], t[4]) for t in THEMES])
    return Categorical(np.array(rows))


def _agents(stream: Stream) -> tuple[Floats, Ints, list[int | None], list[Assignment]]:
    """Four agents of each department stay throughout; the others join, leave and move."""
    effect = stream.bell(AGENTS) * AGENT_SPREAD
    u = stream.uniform(AGENTS * 6).reshape(6, AGENTS)
    size = np.array([sum(d.shares) for d in DEPARTMENTS])
    by_size = Categorical(size.reshape(1, -1))
    home = by_size.draw(np.zeros(AGENTS, dtype=np.int64), u[0])
    stays = np.zeros(AGENTS, dtype=bool)
    home[:48] = np.arange(48) % 12
    stays[:48] = True
    better, worse = int(BETTER_AGENT[1:]) - 1, int(WORSE_AGENT[1:]) - 1
    home[better], home[worse] = (
        DEPARTMENT_NUMBER[BETTER_DEPARTMENT],
        DEPARTMENT_NUMBER[WORSE_DEPARTMENT],
    )
    effect[better], effect[worse] = BETTER_EFFECT, WORSE_EFFECT
    hired = np.where(
        stays | (u[1] < 0.5), -1 - (u[2] * 1800).astype(np.int64), (u[2] * 800).astype(np.int64)
    )
    left: list[int | None] = []
    assignments: list[Assignment] = []
    for a in range(AGENTS):
        begin = int(hired[a])
        gone = None
        if not stays[a] and u[3, a] < 0.35:
            gone = max(begin, 0) + 150 + int(u[4, a] * 700)
            gone = gone if gone < DAYS else None
        left.append(gone)
        first = max(begin, 0)
        length = (gone or DAYS) - first
        team = 1 + a // 12 % 2
        here = int(home[a])
        if not stays[a] and u[5, a] < 0.4 and length > 120:
            moved = first + 60 + int(u[5, a] / 0.4 * (length - 90))
            there = (here + 1 + int(u[4, a] * 11)) % 12
            assignments.append(_assignment(a, here, team, begin, moved))
            assignments.append(_assignment(a, there, 3 - team, moved, gone))
        elif stays[a] and a % 8 == 3:
            changed = 300 + a * 5
            assignments.append(_assignment(a, here, team, begin, changed))
            assignments.append(_assignment(a, here, 3 - team, changed, gone))
        else:
            assignments.append(_assignment(a, here, team, begin, gone))
    return effect, hired, left, assignments


def _assignment(agent: int, department: int, team: int, first: int, last: int | None) -> Assignment:
    return Assignment(agent, department, f"{DEPARTMENTS[department].id}-{team}", first, last)


def _roster(assignments: list[Assignment]) -> tuple[Ints, Ints, Ints]:
    present = np.zeros((len(DEPARTMENTS), DAYS, AGENTS), dtype=bool)
    for a in assignments:
        present[a.department, max(a.first, 0) : a.last, a.agent] = True
    size = present.sum(axis=2).astype(np.int64)
    start = np.concatenate([[0], np.cumsum(size.ravel())[:-1]]).reshape(size.shape)
    roster = np.nonzero(present)[2].astype(np.int64)
    return roster, start, size
