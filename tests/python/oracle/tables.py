"""The raw tables of the input contract: keys, columns and how each column is read."""

from collections.abc import Iterable
from dataclasses import dataclass

from .values import (
    Clock,
    Parser,
    parse_amount,
    parse_boolean,
    parse_code,
    parse_score,
    parse_seconds,
    vocabulary,
    whole_number,
)


@dataclass(frozen=True)
class Table:
    """One raw table.

    Args:
        name: its name, and that of its file or folder.
        key: the columns that name a row.
        columns: parser by column, of every column the contract names.
        required: columns that must exist where the table does.
        is_optional: whether the table may be absent.
        needed: columns whose empty or bad value rejects the row, in the contract's order.
        strict: columns whose bad value rejects the row, while an empty one does not.
        verbatim: columns that are not trimmed.
    """

    name: str
    key: tuple[str, ...]
    columns: dict[str, Parser]
    required: tuple[str, ...] = ()
    is_optional: bool = True
    needed: tuple[str, ...] = ()
    strict: tuple[str, ...] = ()
    verbatim: frozenset[str] = frozenset()


def raw_tables(clock: Clock, languages: Iterable[str]) -> dict[str, Table]:
    """The twelve raw tables, by name.

    Args:
        clock: reads their times.
        languages: the codes that `language` may hold.
    """
    code = parse_code
    moment = clock.parse_in_range
    day = clock.parse_date_in_range
    survey_type = vocabulary(["transactional", "relational"])
    survey_channel = vocabulary(["email", "sms", "ivr", "web", "in_app"])

    tables = [
        Table(
            "survey_responses",
            key=("response_id",),
            required=("response_id", "score", "responded_at"),
            is_optional=False,
            needed=("score", "responded_at"),
            strict=("status", "is_test", "survey_type"),
            verbatim=frozenset({"comment"}),
            columns={
                "response_id": code,
                "score": parse_score,
                "responded_at": moment,
                "survey_type": survey_type,
                "survey_id": code,
                "invitation_id": code,
                "contact_id": code,
                "customer_id": code,
                "survey_channel": survey_channel,
                "csat_score": whole_number(1, 5),
                "effort_score": whole_number(1, 7),
                "comment": code,
                "language": vocabulary(languages),
                "status": vocabulary(["complete", "partial", "dismissed"]),
                "is_test": parse_boolean,
                "updated_at": moment,
            },
        ),
        Table(
            "contacts",
            key=("contact_id",),
            required=("contact_id", "department_id", "channel", "started_at"),
            is_optional=False,
            needed=("started_at",),
            columns={
                "contact_id": code,
                "department_id": code,
                "channel": code,
                "started_at": moment,
                "agent_id": code,
                "customer_id": code,
                "reason": code,
                "product_line": code,
                "site": code,
                "ended_at": moment,
                "queue_seconds": parse_seconds,
                "hold_seconds": parse_seconds,
                "handle_seconds": parse_seconds,
                "transfers": whole_number(0),
                "is_resolved": parse_boolean,
                "updated_at": moment,
            },
        ),
        Table(
            "departments",
            key=("department_id",),
            required=("department_id", "department_name"),
            is_optional=False,
            columns={
                "department_id": code,
                "department_name": code,
                "parent_department_id": code,
                "site": code,
                "updated_at": moment,
            },
        ),
        Table(
            "agents",
            key=("agent_id",),
            columns={
                "agent_id": code,
                "agent_name": code,
                "hired_on": day,
                "left_on": day,
                "updated_at": moment,
            },
        ),
        Table(
            "agent_assignments",
            key=("agent_id", "valid_from"),
            columns={
                "agent_id": code,
                "department_id": code,
                "team": code,
                "valid_from": clock.parse,
                "valid_to": clock.parse,
            },
        ),
        Table(
            "contact_legs",
            key=("contact_id", "leg_number"),
            columns={
                "contact_id": code,
                "leg_number": whole_number(1),
                "agent_id": code,
                "department_id": code,
                "started_at": moment,
                "handle_seconds": parse_seconds,
            },
        ),
        Table(
            "customers",
            key=("customer_id",),
            columns={
                "customer_id": code,
                "segment": code,
                "region": code,
                "product_line": code,
                "customer_since": day,
                "acquired_by": vocabulary(["referral", "paid"]),
                "churned_on": day,
                "updated_at": moment,
            },
        ),
        Table(
            "customer_revenue",
            key=("customer_id", "month"),
            columns={
                "customer_id": code,
                "month": clock.parse_month,
                "revenue": parse_amount,
            },
        ),
        Table(
            "survey_invitations",
            key=("invitation_id",),
            required=("invitation_id", "sent_at"),
            strict=("status", "survey_type"),
            columns={
                "invitation_id": code,
                "survey_id": code,
                "survey_type": survey_type,
                "contact_id": code,
                "customer_id": code,
                "survey_channel": survey_channel,
                "sent_at": moment,
                "delivered_at": moment,
                "opened_at": moment,
                "status": vocabulary(
                    ["sent", "delivered", "opened", "responded", "bounced", "opted_out"]
                ),
                "updated_at": moment,
            },
        ),
        Table(
            "follow_ups",
            key=("follow_up_id",),
            columns={
                "follow_up_id": code,
                "response_id": code,
                "owner_agent_id": code,
                "opened_at": moment,
                "first_contacted_at": moment,
                "closed_at": moment,
                "outcome": vocabulary(["fixed", "explained", "unreachable"]),
                "root_cause": code,
                "updated_at": moment,
            },
        ),
        Table(
            "initiatives",
            key=("initiative_id",),
            columns={
                "initiative_id": code,
                "initiative_name": code,
                "scope_type": vocabulary(
                    ["company", "department", "channel", "site", "product_line", "team", "agent"]
                ),
                "scope_id": code,
                "started_on": day,
                "ended_on": clock.parse_date,
            },
        ),
        Table(
            "evaluations",
            key=("contact_id", "criterion"),
            columns={
                "contact_id": code,
                "criterion": code,
                "score": parse_amount,
                "evaluated_at": moment,
            },
        ),
    ]
    return {table.name: table for table in tables}
