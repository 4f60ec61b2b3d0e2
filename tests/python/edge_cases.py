"""Raw tables made of edge cases: every column drawn from what real exports hold, good and bad."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from pathlib import Path

SCORES = [
    *(["0", "6", "7", "8", "9", "10"] * 6),
    *["9.0", "10.00", " 9", "9\u00a0", "\u200b7", "9 - Very likely", "10 – Extremely likely"],
    *["0 - < Very Unlikely", "8—passive", "9\u00a0-\u00a0likely", "9 - 5"],
    *["8.5", "11", "-1", "n/a", "", "  ", "-2147483648", "9/10", "+9", "09", "1e1", "９", "9-5"],
    *["9 -", "NaN", "true", "9,0", "8th", "10\n"],
]
INSTANTS = [
    *["2024-12-31 23:59:59", "2025-01-01T00:00:00", "2025-01-01", "2024-12-30", "2025-02-28T12:30"],
    *["2025-03-30 02:30:00", "2025-10-26 02:30:00", "2025-03-09T02:30:00", "2025-11-02T01:30:00"],
    *["2025-03-30T01:00:00Z", "2025-10-26T00:59:59.999999Z", "2025-06-15T12:00:00"],
    *["2025-06-15T14:00:00+02:00", "2025-06-15T23:30:00-0500", "2025-01-01T01:30:00+05"],
    *["2025-01-01 00:30:00.1234567", "2025-01-01 00:30:00,5", " 2025-04-05 06:07:08 "],
    *["2024-02-29T08:00:00", "2025-04-01 09:10", "2025-05-05", "2025-08-17T16:45:00+05:45"],
]
NO_INSTANTS = [
    *["", "2025-02-31", "2025-13-01", "01/15/2025", "2025-01-01 24:00:00", "2025-01-01T10"],
    *["2025-1-1", "20250101", "2025-01-01T10:00:60", "2025-01-01T10:00+24:00", "1999-12-31"],
    *["2100-01-01T00:00:01", "2125-01-01", "45000", "now", "2025-01-01 10:00:00 Z", "2023-02-29"],
]
WORDS = ["true", "FALSE", "Yes", "no", "1", "0", "", "maybe", "t", "2"]
AMOUNTS = [
    *["0", "12", "340", "12.5", "7.", ".5", "", "-5", "+5", "1e3", "NaN", "abc", " 60 ", "9" * 25]
]
WHOLES = ["0", "1", "2", "3.0", "5", "7", "", "8", "2.5", "-1", "1e0", "six", "99999999999"]
BLANKS = ["", " ", "\u00a0", "\u200b", "\ufeff", "\t"]
CHANNELS = ["Phone", "voice", "VOICE ", "e-mail", "Chat", "Kiosk", "KIOSK", "", "unknown", "x"]
COMMENTS = [
    *["", "fine", "=1+1", 'said "no", twice', "line\nbreak", "  kept  ", "😀 mañana", "\u200b", "0"]
]
LANGUAGES = ["en", "ES", " de ", "", "xx", "english", "pt-BR"]

Row = dict[str, str]


def write_edge_cases(folder: Path, *, seed: int = 7, rows: int = 900) -> None:
    """Write all raw tables as CSV.

    Args:
        folder: where to, made if need be.
        seed: of the draws; the same seed writes the same bytes.
        rows: of the two large tables.
    """
    draw = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)

    def key(prefix: str, count: int, empty: float = 0.03) -> str:
        """A key that occurs again now and then, with blanks around it now and then."""
        if draw.random() < empty:
            return draw.choice(BLANKS)
        text = f"{prefix}{draw.randrange(count)}"
        if draw.random() < 0.1:
            text = draw.choice(BLANKS) + text + draw.choice(BLANKS)
        return text

    def instant(bad: float = 0.08) -> str:
        return draw.choice(NO_INSTANTS if draw.random() < bad else INSTANTS)

    def some(values: list[str], usual: str, odd: float) -> str:
        return draw.choice(values) if draw.random() < odd else usual

    def write(table: str, count: int, make: Callable[[], Row], newline: str = "\n") -> None:
        made = [make() for _ in range(count)]
        made += [dict(row) for row in draw.choices(made, k=max(2, count // 50))]
        text = io.StringIO()
        names = list(made[0])
        draw.shuffle(names)
        writer = csv.DictWriter(text, names, lineterminator=newline)
        writer.writeheader()
        writer.writerows(made)
        (folder / f"{table}.csv").write_bytes(text.getvalue().encode())

    write(
        "survey_responses",
        rows,
        lambda: {
            "response_id": key("r", rows * 4 // 5),
            "score": draw.choice(SCORES),
            "responded_at": instant(0.05),
            "survey_type": some(["relational", "Transactional", "other"], "", 0.3),
            "survey_id": key("s", 3, 0.5),
            "invitation_id": key("i", rows, 0.3),
            "contact_id": key("c", rows * 11 // 10, 0.3),
            "customer_id": key("u", 40, 0.4),
            "survey_channel": some(["sms", "WEB", "in_app", "letter"], "email", 0.4),
            "csat_score": draw.choice(WHOLES),
            "effort_score": draw.choice(WHOLES),
            "comment": draw.choice(COMMENTS),
            "language": draw.choice(LANGUAGES),
            "status": some(["Complete", "partial", "dismissed", "done"], "", 0.3),
            "is_test": some(WORDS, "", 0.2),
            "updated_at": instant() if draw.random() < 0.5 else "",
        },
    )
    write(
        "contacts",
        rows,
        lambda: {
            "contact_id": key("c", rows * 9 // 10),
            "department_id": key("d", 14, 0.1),
            "channel": draw.choice(CHANNELS),
            "started_at": instant(0.05),
            "agent_id": key("a", 9, 0.15),
            "customer_id": key("u", 40, 0.2),
            "reason": key("reason", 4, 0.3),
            "product_line": key("line", 3, 0.5),
            "site": key("site", 3, 0.5),
            "ended_at": instant() if draw.random() < 0.4 else "",
            "queue_seconds": draw.choice(AMOUNTS),
            "hold_seconds": draw.choice(AMOUNTS),
            "handle_seconds": draw.choice(AMOUNTS),
            "transfers": draw.choice(WHOLES),
            "is_resolved": draw.choice(WORDS),
            "updated_at": instant() if draw.random() < 0.5 else "",
        },
        newline="\r\n",
    )
    # d0 and d5 are roots, d1-d4 and d6 hang below them in up to three levels; d7 and d8 are each
    # other's parent, d9 is its own, d10 hangs below a cycle, d11 below nothing.
    parents = ["", "d0", "d1", "d2", "d0", "", "d5", "d8", "d7", "d9", "d7", "nowhere"]
    with (folder / "departments.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        header = [" Department_ID ", "\ufeffdepartment_name", "PARENT_DEPARTMENT_ID", "site"]
        writer.writerow(header)
        for number, parent in enumerate(parents):
            writer.writerow(
                [f"d{number}", "" if number == 4 else f"Name {number}", parent, f"site{number % 3}"]
            )
        writer.writerow(["d0", "Renamed", "", "site9"])
    write(
        "agents",
        8,
        lambda: {
            "agent_id": key("a", 7),
            "agent_name": some(["", " Name \u00a0"], "Agent", 0.3),
            "hired_on": instant(0.2),
            "left_on": instant(0.2) if draw.random() < 0.3 else "",
            "updated_at": instant() if draw.random() < 0.5 else "",
        },
    )
    write(
        "agent_assignments",
        40,
        lambda: {
            "agent_id": key("a", 9),
            "department_id": key("d", 14, 0.1),
            "team": key("team", 4, 0.1),
            "valid_from": draw.choice(["1990-01-01", *INSTANTS, *NO_INSTANTS]),
            "valid_to": draw.choice(["", "", "2199-01-01", *INSTANTS, "someday"]),
        },
    )
    write(
        "customers",
        40,
        lambda: {
            "customer_id": key("u", 36),
            "segment": key("segment", 3, 0.3),
            "region": key("region", 3, 0.3),
            "product_line": key("line", 3, 0.4),
            "customer_since": instant(0.2),
            "acquired_by": some(["Paid", "friend", ""], "referral", 0.5),
            "churned_on": instant(0.2) if draw.random() < 0.3 else "",
            "updated_at": instant() if draw.random() < 0.5 else "",
            "e_mail": "somebody@example.com",
        },
    )
    write(
        "survey_invitations",
        rows,
        lambda: {
            "invitation_id": key("i", rows * 9 // 10),
            "survey_id": key("s", 3, 0.5),
            "survey_type": some(["relational", "Transactional", "other"], "", 0.3),
            "contact_id": key("c", rows * 11 // 10, 0.3),
            "customer_id": key("u", 40, 0.4),
            "survey_channel": some(["sms", "WEB", "letter"], "email", 0.4),
            "sent_at": instant(0.1),
            "delivered_at": instant(),
            "opened_at": instant(),
            "status": draw.choice(["sent", "Opened", "responded", "bounced", "", "", "lost"]),
            "updated_at": instant() if draw.random() < 0.5 else "",
        },
    )
    write(
        "contact_legs",
        60,
        lambda: {
            "contact_id": key("c", 30),
            "leg_number": draw.choice(WHOLES),
            "agent_id": key("a", 9, 0.2),
            "department_id": key("d", 14, 0.1),
            "started_at": instant(),
            "handle_seconds": draw.choice(AMOUNTS),
        },
    )
    write(
        "customer_revenue",
        60,
        lambda: {
            "customer_id": key("u", 36),
            "month": draw.choice(["2025-01-01", "2025-02-01", "2025-02-02", "202504", *INSTANTS]),
            "revenue": draw.choice([*AMOUNTS, "-12.50"]),
        },
    )
    write(
        "follow_ups",
        40,
        lambda: {
            "follow_up_id": key("f", 35),
            "response_id": key("r", rows, 0.1),
            "owner_agent_id": key("a", 9, 0.2),
            "opened_at": instant(),
            "first_contacted_at": instant(),
            "closed_at": instant(),
            "outcome": some(["Explained", "unreachable", "", "gone"], "fixed", 0.6),
            "root_cause": key("cause", 3, 0.3),
            "updated_at": instant() if draw.random() < 0.5 else "",
        },
    )
    write(
        "initiatives",
        12,
        lambda: {
            "initiative_id": key("n", 11),
            "initiative_name": key("name", 4, 0.2),
            "scope_type": some(["Team", "agent", "planet", ""], "department", 0.5),
            "scope_id": key("d", 14, 0.1),
            "started_on": instant(0.2),
            "ended_on": draw.choice(["", "2199-12-31", "soon", *INSTANTS]),
        },
    )
    write(
        "evaluations",
        40,
        lambda: {
            "contact_id": key("c", 20),
            "criterion": draw.choice(["Listening", "empathy", " empathy ", ""]),
            "score": draw.choice([*AMOUNTS, "-3"]),
            "evaluated_at": instant(),
        },
    )
