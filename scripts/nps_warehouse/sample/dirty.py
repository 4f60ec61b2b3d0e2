"""The dirty rows: every kind the input contract names, a few of each, with what becomes of them.

Their keys start with `X`, so that no simulated row depends on them. Each row says what the contract
makes of it; the reconciliation in the truth is the sum of that, not the outcome of any model.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field

from nps_warehouse.sample.tables import COLUMNS

ACCEPTED, REJECTED, SUPERSEDED, EXCLUDED = "accepted", "rejected", "superseded", "excluded"

Values = dict[str, str]


@dataclass(frozen=True)
class DirtyRow:
    """One planted row.

    Attributes:
        table: the raw table.
        kind: what is wrong with it, or odd about it.
        values: its cells; a column that is absent is empty.
        outcome: accepted, rejected, superseded or excluded.
        bad_cells: columns whose value becomes null while the row stays.
        line: the bytes of a line that is no row of text (CSV only).
    """

    table: str
    kind: str
    values: Values
    outcome: str
    bad_cells: tuple[str, ...] = field(default=())
    line: bytes | None = None

    def csv_line(self) -> bytes:
        """Return the row as one CSV record with its newline."""
        if self.line is not None:
            return self.line
        out = io.StringIO()
        cells = [self.values.get(c, "") for c in COLUMNS[self.table]]
        csv.writer(out, lineterminator="\n").writerow(cells)
        return out.getvalue().encode()


class _Table:
    """Collects the rows of one table on top of a plain good one."""

    def __init__(self, table: str, key: str, prefix: str, good: Values) -> None:
        """Start with no row.

        Args:
            table: the raw table.
            key: its first key column, which each row gets a value of its own for.
            prefix: what those values start with.
            good: the cells of a row with nothing wrong.
        """
        self.rows: list[DirtyRow] = []
        self._table, self._key, self._prefix, self._good = table, key, prefix, good
        self._count = 0

    def next_key(self) -> str:
        """Return a key that no other row has."""
        self._count += 1
        return f"{self._prefix}{self._count:03d}"

    def add(self, kind: str, outcome: str, bad: tuple[str, ...] = (), /, **values: str) -> None:
        """Add a row: the good one with some cells changed."""
        key = values.get(self._key)
        row = {**self._good, **values, self._key: self.next_key() if key is None else key}
        self.rows.append(DirtyRow(self._table, kind, row, outcome, bad))

    def add_each(
        self,
        kind: str,
        outcome: str,
        column: str,
        values: tuple[str, ...],
        *,
        is_bad_cell: bool = False,
    ) -> None:
        """Add one row for each value of a column."""
        for value in values:
            self.add(kind, outcome, (column,) if is_bad_cell else (), **{column: value})

    def add_repeats(self, **changed: str) -> None:
        """Add pairs of rows with one key: a newer correction, and one without a date."""
        key = self.next_key()
        self.add(
            "duplicate_newer",
            SUPERSEDED,
            **{**changed, self._key: key, "updated_at": "2025-06-01 10:00:00"},
        )
        self.add(
            "duplicate_newer", ACCEPTED, **{self._key: key, "updated_at": "2025-06-02 10:00:00"}
        )
        key = self.next_key()
        self.add(
            "duplicate_without_updated_at",
            ACCEPTED,
            **{self._key: key, "updated_at": "2025-06-02T10:00:00Z"},
        )
        self.add("duplicate_without_updated_at", SUPERSEDED, **{**changed, self._key: key})
        key = self.next_key()
        self.add("duplicate_exact", SUPERSEDED, **{self._key: key})
        self.add("duplicate_exact", ACCEPTED, **{self._key: key})

    def add_broken_lines(self) -> None:
        """Add lines that cannot be split into columns: CSV only."""
        columns = len(COLUMNS[self._table])
        for i in range(3):
            cells = [self.next_key()] + ["x"] * (columns - 3 + i * 3)
            self._line("wrong_field_count", ",".join(cells).encode())
        for _ in range(2):
            cells = [self.next_key(), "a\0b"] + [""] * (columns - 2)
            self._line("nul_byte", ",".join(cells).encode())
            start = f"{self.next_key()},".encode()
            self._line("invalid_utf8", start + b"caf\xe9" + b"," * (columns - 2))

    def _line(self, kind: str, line: bytes) -> None:
        self.rows.append(DirtyRow(self._table, kind, {}, REJECTED, (), line + b"\n"))


IMPOSSIBLE_SCORES = (
    "8.5",
    "6.5",
    "11",
    "-1",
    "n/a",
    "",
    "-2147483648",
    "9/10",
    "+9",
    "NaN",
    "1e1",
    "09",
    "ten",
    "9,0",
)
LABELLED_SCORES = (
    "9 - Very likely",
    "10 – Extremely likely",
    "0 - < Very Unlikely",
    "9.0",
    "10.0",
    " 7 ",
    "8\u00a0",
    "6\u200b",
)
IMPOSSIBLE_INSTANTS = (
    "2025-02-31",
    "01/15/2025",
    "2025-13-01 10:00:00",
    "yesterday",
    "",
    "2025-06-01 25:00:00",
)
OUT_OF_RANGE = ("1999-12-31 23:59:59", "2101-01-01 00:00:00", "1899-12-31")
WELL_WRITTEN_INSTANTS = (
    "2025-03-30T02:30:00+02:00",
    "2025-06-30",
    "2025-06-30T12:00",
    "2025-06-30 12:00:00.123456",
    "2025-06-30T12:00:00-05:00",
)
LONG_COMMENT = "The story is long. " + 'It went on, and on; "and on".\n' * 110


def dirty_rows() -> list[DirtyRow]:
    """Return all planted rows, table by table, in the order they are delivered."""
    rows: list[DirtyRow] = []
    for make in (
        _responses,
        _contacts,
        _departments,
        _agents,
        _assignments,
        _legs,
        _customers,
        _revenue,
        _invitations,
        _follow_ups,
        _initiatives,
        _evaluations,
    ):
        rows += make()
    return rows


def _responses() -> list[DirtyRow]:
    t = _Table(
        "survey_responses",
        "response_id",
        "XR",
        {
            "score": "7",
            "responded_at": "2025-05-05 10:00:00",
            "survey_type": "transactional",
            "survey_id": "post-contact",
            "survey_channel": "email",
        },
    )
    t.add_each("impossible_score", REJECTED, "score", IMPOSSIBLE_SCORES)
    t.add_each("labelled_score", ACCEPTED, "score", LABELLED_SCORES)
    t.add_each("impossible_instant", REJECTED, "responded_at", IMPOSSIBLE_INSTANTS)
    t.add_each("out_of_range_instant", REJECTED, "responded_at", OUT_OF_RANGE)
    t.add_each("well_written_instant", ACCEPTED, "responded_at", WELL_WRITTEN_INSTANTS)
    t.add_each("empty_key", REJECTED, "response_id", ("", "   ", "\u00a0\u200b"))
    t.add_each("odd_status", REJECTED, "status", ("abandoned", "finished", "?"))
    t.add_each("status_in_other_case", ACCEPTED, "status", ("COMPLETE", " Partial "))
    t.add("dismissed", EXCLUDED, status="dismissed", score="")
    t.add("dismissed", EXCLUDED, ("score",), status="Dismissed", score="n/a")
    t.add("dismissed", EXCLUDED, status="DISMISSED ", score="10")
    t.add_each("test_answer", EXCLUDED, "is_test", ("true", "TRUE", "yes", "1"))
    t.add_each("no_test_answer", ACCEPTED, "is_test", ("false", "No", "0"))
    t.add_each("odd_is_test", REJECTED, "is_test", ("maybe", "2", "ja"))
    t.add_each("odd_survey_type", REJECTED, "survey_type", ("pulse", "exit", "nps"))
    t.add_each("orphan_contact_id", ACCEPTED, "contact_id", ("C-gone-1", "C-gone-2", "C-gone-3"))
    t.add_each("orphan_customer_id", ACCEPTED, "customer_id", ("K-gone-1", "K-gone-2", "K-gone-3"))
    t.add_each(
        "orphan_invitation_id", ACCEPTED, "invitation_id", ("I-gone-1", "I-gone-2", "I-gone-3")
    )
    for column, values in (
        ("csat_score", ("9", "0", "4.5")),
        ("effort_score", ("0", "8", "easy")),
        ("language", ("xx-long", "English", "zz")),
        ("survey_channel", ("pigeon", "fax", "e-mail")),
        ("updated_at", ("yesterday", "2025-02-30", "01/02/2025")),
    ):
        t.add_each(f"bad_{column}", ACCEPTED, column, values, is_bad_cell=True)
    for around in ("\u00a0{}\u3000", "\u200b{}\ufeff", " {}\u202f"):
        t.add(
            "blanks_around_key",
            ACCEPTED,
            response_id=around.format(t.next_key()),
            contact_id=around.format("C1"),
        )
    t.add("blank_survey_type", ACCEPTED, survey_type="  ")
    t.add("survey_type_in_other_case", ACCEPTED, survey_type=" Relational ")
    t.add("long_comment", ACCEPTED, comment=LONG_COMMENT, language="EN")
    t.add(
        "comment_with_newlines_and_quotes",
        ACCEPTED,
        language="en",
        comment='First line,\r\nsecond "line",\n\nand a backslash \\" at the end\\',
    )
    t.add("formula_comment", ACCEPTED, language="en", comment="=1+1")
    t.add("right_to_left_comment", ACCEPTED, language="ar", comment="الخدمة ممتازة، شكرا 👍🏽")
    t.add("only_blanks_comment", ACCEPTED, comment="  \n ")
    t.add_repeats(score="0")
    t.add_broken_lines()
    return t.rows


def _contacts() -> list[DirtyRow]:
    t = _Table(
        "contacts",
        "contact_id",
        "XC",
        {
            "department_id": "D01",
            "channel": "Phone",
            "started_at": "2025-05-05 09:30:00",
            "agent_id": "A001",
            "customer_id": "K1",
            "reason": "General question",
            "site": "Lisbon",
            "ended_at": "2025-05-05 09:40:00",
            "queue_seconds": "30",
            "hold_seconds": "0",
            "handle_seconds": "500",
            "transfers": "0",
            "is_resolved": "yes",
        },
    )
    t.add_each("impossible_instant", REJECTED, "started_at", IMPOSSIBLE_INSTANTS)
    t.add_each("out_of_range_instant", REJECTED, "started_at", OUT_OF_RANGE)
    t.add_each(
        "ended_before_started",
        REJECTED,
        "ended_at",
        ("2025-05-05 09:29:59", "2024-05-05 09:40:00", "2025-05-05"),
    )
    t.add_each("empty_key", REJECTED, "contact_id", ("", " ", "\u3000"))
    t.add_each("empty_channel", ACCEPTED, "channel", ("", "  ", "\u00a0"))
    t.add_each("unmapped_channel", ACCEPTED, "channel", ("Kiosk", "Kiosk", "Kiosk", "Kiosk"))
    t.add_each("empty_department", ACCEPTED, "department_id", ("", " ", "\u200b"))
    t.add_each("unknown_department", ACCEPTED, "department_id", ("D77", "D78", "D79"))
    t.add_each("rejected_department", ACCEPTED, "department_id", ("DX1", "DX2", "DX3"))
    t.add_each("agent_not_in_agents", ACCEPTED, "agent_id", ("A901", "A902", "A903"))
    t.add_each("orphan_customer_id", ACCEPTED, "customer_id", ("K-gone-1", "K-gone-2", "K-gone-4"))
    for column, values in (
        ("queue_seconds", ("-5", "NaN", "1e3")),
        ("hold_seconds", ("-1", "abc", "+7")),
        ("handle_seconds", ("-500", "1:20", "n/a")),
        ("transfers", ("-1", "1.5", "many")),
        ("is_resolved", ("maybe", "2", "si")),
        ("ended_at", ("later", "2025-02-31", "05/05/2025")),
        ("updated_at", ("yesterday", "2025-02-30", "20250505")),
    ):
        t.add_each(f"bad_{column}", ACCEPTED, column, values, is_bad_cell=True)
    for around in ("\u00a0{}\u3000", "\u200b{}\ufeff", " {}\u202f"):
        t.add(
            "blanks_around_key",
            ACCEPTED,
            contact_id=around.format(t.next_key()),
            department_id=around.format("D01"),
        )
    t.add_repeats(is_resolved="no")
    t.add_broken_lines()
    return t.rows


def _departments() -> list[DirtyRow]:
    t = _Table("departments", "department_id", "XD", {"department_name": "Nowhere"})
    t.add("department_cycle", REJECTED, department_id="DX1", parent_department_id="DX2")
    t.add("department_cycle", REJECTED, department_id="DX2", parent_department_id="DX1")
    t.add("parent_missing", REJECTED, department_id="DX3", parent_department_id="D99")
    t.add("below_a_rejected_one", REJECTED, department_id="DX4", parent_department_id="DX3")
    t.add("its_own_parent", REJECTED, department_id="DX5", parent_department_id="DX5")
    t.add_each("empty_key", REJECTED, "department_id", ("", " ", "\u200b"))
    # Older versions of a good department, which is delivered with a date.
    t.add(
        "duplicate_older",
        SUPERSEDED,
        department_id="D12",
        department_name="Retention",
        parent_department_id="D03",
        updated_at="2022-01-01",
    )
    t.add(
        "duplicate_without_updated_at",
        SUPERSEDED,
        department_id="D12",
        department_name="Winback",
        parent_department_id="DX1",
    )
    return t.rows


def _agents() -> list[DirtyRow]:
    t = _Table(
        "agents",
        "agent_id",
        "XA",
        {"agent_name": "Agent X", "hired_on": "2022-01-01", "left_on": "2022-06-30"},
    )
    t.add_each("empty_key", REJECTED, "agent_id", ("", " ", "\u3000"))
    t.add_each(
        "bad_hired_on", ACCEPTED, "hired_on", ("2022-02-31", "01/15/2022", "soon"), is_bad_cell=True
    )
    t.add_each(
        "bad_left_on", ACCEPTED, "left_on", ("2022-06-31", "never", "1899-12-31"), is_bad_cell=True
    )
    t.add("empty_agent_name", ACCEPTED, agent_name="  ")
    t.add_repeats(agent_name="Agent Y")
    return t.rows


def _assignments() -> list[DirtyRow]:
    t = _Table(
        "agent_assignments",
        "agent_id",
        "XA",
        {
            "agent_id": "XA001",
            "department_id": "D01",
            "team": "D01-1",
            "valid_from": "2022-01-01",
            "valid_to": "2022-07-01",
        },
    )
    t.add("good_assignment", ACCEPTED, agent_id="XA001")
    for first, last in (
        ("2022-02-01", "2022-03-01"),
        ("2022-06-30", "2022-09-01"),
        ("2022-01-02", ""),
    ):
        t.add("overlapping_range", REJECTED, agent_id="XA001", valid_from=first, valid_to=last)
    for first, last in (
        ("2022-10-01", "2022-09-01"),
        ("2022-11-01", "2022-10-31"),
        ("2022-12-01", "2020-01-01"),
    ):
        t.add("negative_range", REJECTED, agent_id="XA001", valid_from=first, valid_to=last)
    for first in ("2022-08-01", "2022-08-02", "2022-08-03"):
        t.add("empty_range", REJECTED, agent_id="XA001", valid_from=first, valid_to=first)
    t.add_each("empty_key", REJECTED, "agent_id", ("", " ", "\u200b"))
    for first in ("", "2022-02-31", "01/02/2022"):
        t.add("impossible_valid_from", REJECTED, agent_id="XA002", valid_from=first)
    t.add("bad_valid_to", ACCEPTED, ("valid_to",), agent_id="XA003", valid_to="until told")
    t.add("duplicate_earlier_row", SUPERSEDED, agent_id="XA004", department_id="D02")
    t.add("duplicate_earlier_row", ACCEPTED, agent_id="XA004", department_id="D03")
    return t.rows


def _legs() -> list[DirtyRow]:
    t = _Table(
        "contact_legs",
        "contact_id",
        "XC",
        {
            "contact_id": "XC-leg",
            "leg_number": "1",
            "agent_id": "A001",
            "department_id": "D01",
            "started_at": "2025-05-05 09:30:00",
            "handle_seconds": "60",
        },
    )
    t.add_each("empty_key", REJECTED, "contact_id", ("", " ", "\u200b"))
    t.add_each("impossible_leg_number", REJECTED, "leg_number", ("", "0", "-1", "first", "1.5"))
    t.add_each(
        "bad_handle_seconds",
        ACCEPTED,
        "handle_seconds",
        ("-5", "NaN", "a minute"),
        is_bad_cell=True,
    )
    t.add("duplicate_exact", SUPERSEDED, contact_id="XC-leg")
    t.add("duplicate_exact", ACCEPTED, contact_id="XC-leg")
    t.add("whole_double", ACCEPTED, contact_id="XC-leg", leg_number="2.0")
    return t.rows


def _customers() -> list[DirtyRow]:
    t = _Table(
        "customers",
        "customer_id",
        "XK",
        {
            "segment": "consumer",
            "region": "North",
            "product_line": "Mobile",
            "customer_since": "2022-01-01",
            "acquired_by": "paid",
            "email": "x@example.com",
        },
    )
    t.add_each("empty_key", REJECTED, "customer_id", ("", " ", "\u200b"))
    t.add_each(
        "bad_acquired_by", ACCEPTED, "acquired_by", ("billboard", "radio", "?"), is_bad_cell=True
    )
    t.add_each(
        "bad_customer_since",
        ACCEPTED,
        "customer_since",
        ("2025-02-31", "01/15/2025", "1899-12-31"),
        is_bad_cell=True,
    )
    t.add_each(
        "bad_churned_on",
        ACCEPTED,
        "churned_on",
        ("no", "2025-04-31", "2101-01-01"),
        is_bad_cell=True,
    )
    for around in ("\u00a0{}\u3000", "\u200b{}\ufeff", " {}\u202f"):
        t.add("blanks_around_key", ACCEPTED, customer_id=around.format(t.next_key()))
    t.add_repeats(segment="business")
    return t.rows


def _revenue() -> list[DirtyRow]:
    t = _Table(
        "customer_revenue",
        "customer_id",
        "XK",
        {"customer_id": "XK001", "month": "2022-01-01", "revenue": "10.00"},
    )
    t.add_each("empty_key", REJECTED, "customer_id", ("", " ", "\u200b"))
    for month in ("", "2022-13-01", "202201", "January"):
        t.add("impossible_month", REJECTED, customer_id="XK001", month=month)
    for i, amount in enumerate(("n/a", "12,50", "free")):
        t.add(
            "bad_revenue",
            ACCEPTED,
            ("revenue",),
            customer_id="XK001",
            revenue=amount,
            month=f"2022-0{i + 2}-01",
        )
    t.add("refund", ACCEPTED, customer_id="XK001", revenue="-10.00", month="2022-06-01")
    t.add("duplicate_earlier_row", SUPERSEDED, customer_id="XK001", revenue="1.00")
    t.add("duplicate_earlier_row", ACCEPTED, customer_id="XK001", revenue="2.00")
    return t.rows


def _invitations() -> list[DirtyRow]:
    t = _Table(
        "survey_invitations",
        "invitation_id",
        "XI",
        {
            "survey_id": "post-contact",
            "survey_type": "transactional",
            "survey_channel": "email",
            "customer_id": "K1",
            "sent_at": "2025-05-05 12:00:00",
            "status": "sent",
        },
    )
    t.add_each("empty_key", REJECTED, "invitation_id", ("", " ", "\u200b"))
    t.add_each("odd_status", REJECTED, "status", ("lost", "queued", "?"))
    t.add_each("odd_survey_type", REJECTED, "survey_type", ("pulse", "exit", "nps"))
    t.add_each(
        "bad_survey_channel",
        ACCEPTED,
        "survey_channel",
        ("pigeon", "fax", "e-mail"),
        is_bad_cell=True,
    )
    t.add_each(
        "bad_delivered_at",
        ACCEPTED,
        "delivered_at",
        ("soon", "2025-02-31", "05/05/2025"),
        is_bad_cell=True,
    )
    t.add_each(
        "bad_opened_at",
        ACCEPTED,
        "opened_at",
        ("soon", "2025-02-31", "1899-12-31"),
        is_bad_cell=True,
    )
    t.add_each("orphan_contact_id", ACCEPTED, "contact_id", ("C-gone-1", "C-gone-2", "C-gone-5"))
    t.add_repeats(status="delivered")
    t.add_broken_lines()
    return t.rows


def _follow_ups() -> list[DirtyRow]:
    t = _Table(
        "follow_ups",
        "follow_up_id",
        "XF",
        {
            "owner_agent_id": "A001",
            "opened_at": "2025-05-06 09:00:00",
            "first_contacted_at": "2025-05-06 10:00:00",
            "closed_at": "2025-05-07 10:00:00",
            "outcome": "fixed",
            "root_cause": "process",
        },
    )
    t.add_each("empty_key", REJECTED, "follow_up_id", ("", " ", "\u200b"))
    t.add_each("bad_outcome", ACCEPTED, "outcome", ("maybe", "done", "?"), is_bad_cell=True)
    t.add_each(
        "bad_closed_at",
        ACCEPTED,
        "closed_at",
        ("open", "2025-02-31", "05/05/2025"),
        is_bad_cell=True,
    )
    t.add_each("orphan_response_id", ACCEPTED, "response_id", ("R-gone-1", "R-gone-2", "R-gone-3"))
    t.add_repeats(outcome="explained")
    return t.rows


def _initiatives() -> list[DirtyRow]:
    t = _Table(
        "initiatives",
        "initiative_id",
        "XN",
        {
            "initiative_name": "Nothing",
            "scope_type": "department",
            "scope_id": "D01",
            "started_on": "2025-03-01",
            "ended_on": "2025-03-31",
        },
    )
    t.add_each("empty_key", REJECTED, "initiative_id", ("", " ", "\u200b"))
    t.add_each(
        "bad_scope_type", ACCEPTED, "scope_type", ("galaxy", "everybody", "?"), is_bad_cell=True
    )
    t.add_each(
        "bad_started_on",
        ACCEPTED,
        "started_on",
        ("spring", "2025-02-31", "03/01/2025"),
        is_bad_cell=True,
    )
    t.add("unknown_scope_id", ACCEPTED, scope_id="D77")
    return t.rows


def _evaluations() -> list[DirtyRow]:
    t = _Table(
        "evaluations",
        "contact_id",
        "XC",
        {
            "contact_id": "XC-judged",
            "criterion": "listening",
            "score": "4",
            "evaluated_at": "2025-05-08 09:00:00",
        },
    )
    t.add_each("empty_key", REJECTED, "contact_id", ("", " ", "\u200b"))
    t.add_each("empty_criterion", REJECTED, "criterion", ("", " ", "\u200b"))
    t.add_each("bad_score", ACCEPTED, "score", ("good", "n/a", "4/5"), is_bad_cell=True)
    t.add_each(
        "bad_evaluated_at",
        ACCEPTED,
        "evaluated_at",
        ("late", "2025-02-31", "05/08/2025"),
        is_bad_cell=True,
    )
    t.add("duplicate_exact", SUPERSEDED, contact_id="XC-judged")
    t.add("duplicate_exact", ACCEPTED, contact_id="XC-judged")
    return t.rows
