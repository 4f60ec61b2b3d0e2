"""The facts, the score marts and the quality tables of the output contract."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from .periods import PERIOD_TYPES, period
from .reading import read_table
from .rules import Staged, stage
from .score import block
from .seeds import Seeds
from .tables import raw_tables
from .values import Clock

Fact = dict[str, Any]
Group = tuple[Any, ...]

UNKNOWN: Final = "unknown"
UNKNOWN_NAME: Final = "Unknown"
POOLED: Final = "all"

SCORE_MARTS: Final[dict[str, tuple[str, ...]]] = {
    "nps_by_period": (),
    "nps_by_department": ("department_id", "is_rollup"),
    "nps_by_agent": ("agent_id",),
    "nps_by_channel": ("channel",),
    "nps_by_site": ("site",),
    "nps_by_product_line": ("product_line",),
    "nps_by_segment": ("segment",),
    "nps_by_contact_reason": ("contact_reason",),
    "nps_by_survey_channel": ("survey_channel",),
    "nps_by_language": ("language",),
    "nps_by_department_channel": ("department_id", "channel"),
    "nps_by_hour": ("weekday", "hour"),
}
"""Grain of each score mart, beside survey_type, period_type and period_start."""

PERIOD_BASES: Final = ("responded", "contact", "invitation")
CONTRIBUTIONS: Final = {"promoter": 1, "passive": 0, "detractor": -1}
_POSITIONS: Final = {"promoter": 0, "passive": 1, "detractor": 2}


class Warehouse:
    """What the warehouse must hold for one folder of raw files.

    Instants are naive datetimes in UTC; dates are local.

    Args:
        staged: the raw tables after all rules, by name.
        seeds: the reference tables.
        clock: reads and converts times.
        min_responses: answers from which on a score is reportable.
        period_basis: whose date puts an answer into a period: `responded`, `contact` or
            `invitation`.

    Raises:
        ValueError: the period basis is none of these.
    """

    def __init__(
        self,
        staged: dict[str, Staged],
        seeds: Seeds,
        clock: Clock,
        *,
        min_responses: int,
        period_basis: str,
    ) -> None:
        if period_basis not in PERIOD_BASES:
            raise ValueError(f"period_basis {period_basis!r} is none of {PERIOD_BASES}")
        self._staged = staged
        self._seeds = seeds
        self._clock = clock
        self._min_responses = min_responses
        self._period_basis = period_basis

    @classmethod
    def from_folder(
        cls,
        raw_dir: Path,
        seeds_dir: Path,
        *,
        timezone: str = "UTC",
        as_of: str | datetime | None = None,
        earliest: str = "2000-01-01",
        latest: str = "2100-01-01",
        min_responses: int = 30,
        period_basis: str = "responded",
        agent_identity: str = "name",
    ) -> "Warehouse":
        """Reads raw files and seeds.

        Args:
            raw_dir: folder of the raw tables.
            seeds_dir: folder of nps_categories.csv, nps_bands.csv, channel_aliases.csv,
                excluded_responses.csv and languages.csv.
            timezone: IANA name of the local time zone.
            as_of: "now"; without it, the newest instant of the accepted rows.
            earliest: instants before it are out of range.
            latest: instants after it are out of range.
            min_responses: answers from which on a score is reportable.
            period_basis: `responded`, `contact` or `invitation`.
            agent_identity: only `name` is recomputed here.

        Raises:
            ContractError: an input that must stop a build.
            NotImplementedError: an agent identity other than `name`.
            ValueError: an argument that cannot be used.
        """
        if agent_identity != "name":
            raise NotImplementedError(f"agent_identity {agent_identity!r}")
        clock = Clock(timezone, earliest, latest, as_of)
        seeds = Seeds.from_folder(seeds_dir)
        staged = {
            name: stage(table, read_table(raw_dir, table), seeds.excluded)
            for name, table in raw_tables(clock, seeds.languages).items()
        }
        return cls(staged, seeds, clock, min_responses=min_responses, period_basis=period_basis)

    # --- what was accepted -------------------------------------------------------------------

    def _accepted(self, table_name: str) -> list[Fact]:
        return [row.values for row in self._staged[table_name].accepted]

    def _accepted_by_key(self, table_name: str) -> dict[str, Fact]:
        (key,) = self._staged[table_name].table.key
        return {values[key]: values for values in self._accepted(table_name)}

    @cached_property
    def _raw_contacts(self) -> dict[str, Fact]:
        return self._accepted_by_key("contacts")

    @cached_property
    def _raw_invitations(self) -> dict[str, Fact]:
        return self._accepted_by_key("survey_invitations")

    @cached_property
    def _departments(self) -> dict[str, Fact]:
        return self._accepted_by_key("departments")

    @cached_property
    def _agents(self) -> dict[str, Fact]:
        return self._accepted_by_key("agents")

    @cached_property
    def _customers(self) -> dict[str, Fact]:
        return self._accepted_by_key("customers")

    @cached_property
    def as_of(self) -> datetime | None:
        """The moment that counts as now: as given, else the newest instant of the accepted rows.

        None where nothing is given and nothing was accepted.
        """
        if self._clock.as_of is not None:
            return self._clock.as_of
        instants = (
            values[column]
            for table_name, column in (
                ("survey_responses", "responded_at"),
                ("contacts", "started_at"),
                ("contacts", "ended_at"),
                ("survey_invitations", "sent_at"),
            )
            for values in self._accepted(table_name)
            if values[column] is not None
        )
        return max(instants, default=None)

    def _local_date(self, instant: datetime) -> date:
        return self._clock.to_local(instant).date()

    # --- attributes --------------------------------------------------------------------------

    def _department_shown(self, department_id: str | None) -> str:
        return department_id if department_id in self._departments else UNKNOWN

    def _channel_shown(self, channel: str | None) -> str:
        if channel is None:
            return UNKNOWN
        return self._seeds.aliases.get(channel.lower(), channel)

    def _of_customer(self, customer_id: str | None, column: str) -> str | None:
        customer = self._customers.get(customer_id) if customer_id else None
        value: str | None = customer[column] if customer else None
        return value

    @cached_property
    def _assignments(self) -> dict[str, tuple[list[datetime], list[Fact]]]:
        """Per agent the starts of the assignments, in order, and the assignments."""
        by_agent: defaultdict[str, list[Fact]] = defaultdict(list)
        for values in self._accepted("agent_assignments"):
            by_agent[values["agent_id"]].append(values)
        indexed = {}
        for agent_id, assignments in by_agent.items():
            assignments.sort(key=lambda values: values["valid_from"])
            indexed[agent_id] = ([values["valid_from"] for values in assignments], assignments)
        return indexed

    def _assignment(self, agent_id: str | None, moment: datetime) -> Fact | None:
        """The agent's assignment with valid_from <= moment < valid_to."""
        if agent_id is None or agent_id not in self._assignments:
            return None
        starts, assignments = self._assignments[agent_id]
        position = bisect_right(starts, moment) - 1
        if position < 0:
            return None
        assignment = assignments[position]
        valid_to = assignment["valid_to"]
        return assignment if valid_to is None or moment < valid_to else None

    def _contact_attributes(self, contact: Fact | None) -> Fact:
        """What an answer takes over from its contact, unknown or None where there is none."""
        if contact is None:
            return {
                "agent_id": UNKNOWN,
                "source_agent_id": None,
                "department_id": UNKNOWN,
                "source_department_id": None,
                "team": UNKNOWN,
                "channel": UNKNOWN,
                "source_channel": None,
                "site": UNKNOWN,
                "contact_reason": UNKNOWN,
                "queue_seconds": None,
                "hold_seconds": None,
                "handle_seconds": None,
                "transfers": None,
                "is_resolved": None,
            }
        department = self._departments.get(contact["department_id"])
        assignment = self._assignment(contact["agent_id"], contact["started_at"])
        return {
            "agent_id": contact["agent_id"] or UNKNOWN,
            "source_agent_id": contact["agent_id"],
            "department_id": self._department_shown(contact["department_id"]),
            "source_department_id": contact["department_id"],
            "team": (assignment["team"] if assignment else None) or UNKNOWN,
            "channel": self._channel_shown(contact["channel"]),
            "source_channel": contact["channel"],
            # The contact's site, else its department's.
            "site": contact["site"] or (department["site"] if department else None) or UNKNOWN,
            "contact_reason": contact["reason"] or UNKNOWN,
            "queue_seconds": contact["queue_seconds"],
            "hold_seconds": contact["hold_seconds"],
            "handle_seconds": contact["handle_seconds"],
            "transfers": contact["transfers"],
            "is_resolved": contact["is_resolved"],
        }

    # --- facts -------------------------------------------------------------------------------

    @cached_property
    def responses(self) -> list[Fact]:
        """fct_survey_responses: one per accepted answer, with the comment as delivered."""
        return [self._response(values) for values in self._accepted("survey_responses")]

    def _response(self, answer: Fact) -> Fact:
        contact = self._raw_contacts.get(answer["contact_id"])
        # The answer's customer, else the contact's.
        customer_id = answer["customer_id"] or (contact["customer_id"] if contact else None)
        product_line = contact["product_line"] if contact else None
        category = self._seeds.categories[answer["score"]]
        by_kind = "transactional" if answer["contact_id"] else "relational"
        occasion = self._clock.to_local(
            contact["started_at"] if contact else answer["responded_at"]
        )
        return {
            "response_id": answer["response_id"],
            "survey_id": answer["survey_id"],
            "invitation_id": (
                answer["invitation_id"]
                if answer["invitation_id"] in self._raw_invitations
                else UNKNOWN
            ),
            "source_invitation_id": answer["invitation_id"],
            "contact_id": answer["contact_id"] if contact else UNKNOWN,
            "source_contact_id": answer["contact_id"],
            "customer_id": customer_id or UNKNOWN,
            "source_customer_id": answer["customer_id"],
            "score": answer["score"],
            "nps_category": category,
            "nps_contribution": CONTRIBUTIONS[category],
            "csat_score": answer["csat_score"],
            "effort_score": answer["effort_score"],
            "responded_at": answer["responded_at"],
            "response_date": self._local_date(answer["responded_at"]),
            "period_date": self._period_date(answer, contact),
            "survey_type": answer["survey_type"] or by_kind,
            "survey_channel": answer["survey_channel"] or UNKNOWN,
            "language": answer["language"] or UNKNOWN,
            "status": answer["status"] or "complete",
            "raw_comment": answer["comment"],
            **self._contact_attributes(contact),
            # The contact's product line, else the customer's.
            "product_line": (
                product_line or self._of_customer(customer_id, "product_line") or UNKNOWN
            ),
            "segment": self._of_customer(customer_id, "segment") or UNKNOWN,
            # Of the contact's local start, else of the answer.
            "weekday": occasion.isoweekday(),
            "hour": occasion.hour,
        }

    def _period_date(self, answer: Fact, contact: Fact | None) -> date:
        instant = None
        if self._period_basis == "contact" and contact is not None:
            instant = contact["started_at"]
        elif self._period_basis == "invitation":
            invitation = self._raw_invitations.get(answer["invitation_id"])
            instant = invitation["sent_at"] if invitation else None
        return self._local_date(instant or answer["responded_at"])

    @cached_property
    def contacts(self) -> list[Fact]:
        """fct_contacts: one per accepted contact, with its answers counted."""
        answers: defaultdict[str, list[Fact]] = defaultdict(list)
        for response in self.responses:
            answers[response["contact_id"]].append(response)
        facts = []
        for contact_id, contact in self._raw_contacts.items():
            own = answers.get(contact_id, [])
            latest = max(own, key=lambda r: (r["responded_at"], r["response_id"]), default=None)
            customer_id = contact["customer_id"]
            facts.append(
                {
                    "contact_id": contact_id,
                    "customer_id": customer_id or UNKNOWN,
                    "source_customer_id": customer_id,
                    "started_at": contact["started_at"],
                    "ended_at": contact["ended_at"],
                    **self._contact_attributes(contact),
                    "product_line": (
                        contact["product_line"]
                        or self._of_customer(customer_id, "product_line")
                        or UNKNOWN
                    ),
                    "segment": self._of_customer(customer_id, "segment") or UNKNOWN,
                    "responses": len(own),
                    "response_id": latest["response_id"] if latest else None,
                    "nps_category": latest["nps_category"] if latest else None,
                }
            )
        return facts

    @cached_property
    def invitations(self) -> list[Fact]:
        """fct_survey_invitations: one per accepted invitation, with its answers counted."""
        answers = Counter(response["invitation_id"] for response in self.responses)
        return [
            {
                "invitation_id": invitation_id,
                "survey_id": values["survey_id"],
                "survey_type": (
                    values["survey_type"]
                    or ("transactional" if values["contact_id"] else "relational")
                ),
                "contact_id": (
                    values["contact_id"] if values["contact_id"] in self._raw_contacts else UNKNOWN
                ),
                "source_contact_id": values["contact_id"],
                "customer_id": values["customer_id"] or UNKNOWN,
                "source_customer_id": values["customer_id"],
                "survey_channel": values["survey_channel"] or UNKNOWN,
                "sent_at": values["sent_at"],
                "delivered_at": values["delivered_at"],
                "opened_at": values["opened_at"],
                "status": values["status"],
                "responses": answers[invitation_id],
            }
            for invitation_id, values in self._raw_invitations.items()
        ]

    # --- score marts -------------------------------------------------------------------------

    def score_mart(self, name: str) -> list[Fact]:
        """One score mart: a row per survey_type, period and group that has answers.

        Args:
            name: one of `SCORE_MARTS`.

        Raises:
            KeyError: there is no such score mart.
        """
        grain = SCORE_MARTS[name]
        groups_of: Callable[[Fact], Iterable[Group]]
        if name == "nps_by_department":
            groups_of = self._departments_counting
        else:

            def groups_of(response: Fact) -> Iterable[Group]:
                return (tuple([response[column] for column in grain]),)

        extras: dict[str, Callable[[Fact], Fact]] = {
            "nps_by_period": self._invitation_columns,
            "nps_by_department": self._department_columns,
            "nps_by_agent": self._agent_columns,
        }
        mart = []
        for (survey_type, period_type, start, end, group), counts in self._counts(groups_of):
            promoters, passives, detractors = counts
            row = {
                "survey_type": survey_type,
                "period_type": period_type,
                "period_start": start,
                **dict(zip(grain, group, strict=True)),
                "period_end": end,
                "is_complete": self._is_complete(end),
                **block(promoters, passives, detractors, self._seeds.bands, self._min_responses),
            }
            mart.append(row | extras[name](row) if name in extras else row)
        return mart

    def _counts(
        self, groups_of: Callable[[Fact], Iterable[Group]]
    ) -> list[tuple[tuple[str, str, date, date, Group], list[int]]]:
        """Promoters, passives and detractors by survey_type, period and group."""
        daily: defaultdict[tuple[str, date, Group], list[int]] = defaultdict(lambda: [0, 0, 0])
        for response in self.responses:
            position = _POSITIONS[response["nps_category"]]
            for group in groups_of(response):
                daily[response["survey_type"], response["period_date"], group][position] += 1
        counts: defaultdict[tuple[str, str, date, date, Group], list[int]]
        counts = defaultdict(lambda: [0, 0, 0])
        for (survey_type, day, group), of_day in daily.items():
            for period_type, start, end in self._periods(day):
                for kind in (survey_type, POOLED):
                    total = counts[kind, period_type, start, end, group]
                    for position in range(3):
                        total[position] += of_day[position]
        return sorted(counts.items())

    def _periods(self, day: date) -> list[tuple[str, date, date]]:
        periods = [(period_type, *period(period_type, day)) for period_type in PERIOD_TYPES]
        return [*periods, ("all", *self._whole_time)]

    @cached_property
    def _whole_time(self) -> tuple[date, date]:
        """First and last response_date in the data, whatever the period basis."""
        dates = [response["response_date"] for response in self.responses]
        return min(dates), max(dates)

    def _is_complete(self, period_end: date) -> bool:
        return self.as_of is not None and period_end < self._local_date(self.as_of)

    # --- by period: invitations

    @cached_property
    def _invited(self) -> dict[tuple[str, str, date], list[int]]:
        """Invitations, and those of them with an answer, by survey_type and period."""
        invited: defaultdict[tuple[str, str, date], list[int]] = defaultdict(lambda: [0, 0])
        for invitation in self.invitations:
            if invitation["status"] == "bounced" or invitation["sent_at"] is None:
                continue
            has_answer = invitation["responses"] > 0
            sent_on = self._local_date(invitation["sent_at"])
            for period_type, start, _ in self._periods(sent_on):
                for survey_type in (invitation["survey_type"], POOLED):
                    numbers = invited[survey_type, period_type, start]
                    numbers[0] += 1
                    numbers[1] += has_answer
        return dict(invited)

    def _invitation_columns(self, row: Fact) -> Fact:
        key = row["survey_type"], row["period_type"], row["period_start"]
        invitations, answered = self._invited.get(key, (0, 0))
        return {
            "invitations": invitations,
            "response_rate": 100.0 * answered / invitations if invitations else None,
        }

    # --- by department: own answers, and those of all below

    @cached_property
    def _departments_above(self) -> dict[str, list[str]]:
        """The departments that show a department's answers as a roll-up, itself included."""
        parents = {
            department_id: values["parent_department_id"]
            for department_id, values in self._departments.items()
        }
        with_any_below = set(parents.values())
        above = {}
        for department_id in parents:
            chain = []
            current: str | None = department_id
            while current is not None:
                chain.append(current)
                current = parents[current]
            above[department_id] = [one for one in chain if one in with_any_below]
        return above

    def _departments_counting(self, response: Fact) -> Iterable[Group]:
        own = response["department_id"]
        yield own, False
        for department_id in self._departments_above.get(own, ()):
            yield department_id, True

    def _department_columns(self, row: Fact) -> Fact:
        department_id = row["department_id"]
        department = self._departments.get(department_id)
        if department is None:
            return {"department_name": UNKNOWN_NAME, "parent_department_id": None}
        return {
            "department_name": department["department_name"] or department_id,
            "parent_department_id": department["parent_department_id"],
        }

    # --- by agent: name and department

    @cached_property
    def _agent_contacts(self) -> dict[str, tuple[list[datetime], list[str | None]]]:
        """Per agent the starts of the contacts, in order, and their departments."""
        by_agent: defaultdict[str, list[tuple[datetime, str, str | None]]] = defaultdict(list)
        for contact_id, contact in self._raw_contacts.items():
            if contact["agent_id"] is not None:
                by_agent[contact["agent_id"]].append(
                    (contact["started_at"], contact_id, contact["department_id"])
                )
        indexed = {}
        for agent_id, contacts in by_agent.items():
            contacts.sort(key=lambda contact: contact[:2])
            indexed[agent_id] = (
                [started_at for started_at, _, _ in contacts],
                [department_id for _, _, department_id in contacts],
            )
        return indexed

    def _agent_columns(self, row: Fact) -> Fact:
        agent_id = row["agent_id"]
        if agent_id == UNKNOWN:
            return {"agent_name": UNKNOWN_NAME, "department_id": UNKNOWN}
        agent = self._agents.get(agent_id)
        return {
            "agent_name": (agent["agent_name"] if agent else None) or agent_id,
            "department_id": self._agent_department(agent_id, row["period_end"]),
        }

    def _agent_department(self, agent_id: str, period_end: date) -> str:
        """Where the agent belonged at the end of the period, or at as_of if that is earlier."""
        moment = self._clock.end_of_day(period_end)
        if self.as_of is not None:
            moment = min(moment, self.as_of)
        assignment = self._assignment(agent_id, moment)
        if assignment is not None and assignment["department_id"] is not None:
            return self._department_shown(assignment["department_id"])
        starts, departments = self._agent_contacts.get(agent_id, ([], []))
        position = bisect_right(starts, moment) - 1
        return UNKNOWN if position < 0 else self._department_shown(departments[position])

    # --- quality -----------------------------------------------------------------------------

    @cached_property
    def rejected_rows(self) -> list[Fact]:
        """quality.rejected_rows, raw values unmasked."""
        return [row for staged in self._staged.values() for row in staged.rejected]

    @cached_property
    def rejected_values(self) -> list[Fact]:
        """quality.rejected_values, raw values unmasked."""
        return [row for staged in self._staged.values() for row in staged.rejected_values]

    @cached_property
    def superseded_rows(self) -> list[Fact]:
        """quality.superseded_rows; `superseded_by` is `file:row` of the row that counts."""
        return [row for staged in self._staged.values() for row in staged.superseded]

    @cached_property
    def excluded_rows(self) -> list[Fact]:
        """quality.excluded_rows."""
        return [row for staged in self._staged.values() for row in staged.excluded]

    @cached_property
    def unmapped_channels(self) -> list[Fact]:
        """quality.unmapped_channels: spellings that the aliases lack, with their contacts."""
        spellings = Counter(
            contact["channel"]
            for contact in self._raw_contacts.values()
            if contact["channel"] is not None
            and contact["channel"].lower() not in self._seeds.aliases
        )
        return [
            {"channel": channel, "contacts": contacts}
            for channel, contacts in sorted(spellings.items())
        ]

    @cached_property
    def reconciliation(self) -> list[Fact]:
        """quality.reconciliation: one row per raw table."""
        rows = []
        for name, staged in self._staged.items():
            parts = {
                "accepted": len(staged.accepted),
                "rejected": len(staged.rejected),
                "superseded": len(staged.superseded),
                "excluded": len(staged.excluded),
            }
            rows.append(
                {
                    "table_name": name,
                    "rows_read": staged.rows_read,
                    **parts,
                    "reconciles": staged.rows_read == sum(parts.values()),
                }
            )
        return rows
