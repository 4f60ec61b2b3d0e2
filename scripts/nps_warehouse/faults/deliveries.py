"""Small deliveries, one after the other, and what has to come of each by a plain count."""

from __future__ import annotations

import csv
import io
import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

Row = dict[str, str]

BEGINS = datetime(2026, 1, 5, 8, tzinfo=UTC)
"""When the first contact starts, UTC."""
ENDS = datetime(2026, 3, 30, 18, tzinfo=UTC)
"""The newest event of every delivery, UTC: what is newest does not change from one to the next."""

CHANNELS = ("phone", "email", "chat")
DEPARTMENTS = ("sales", "service", "billing")
AGENTS = tuple(f"agent_{number}" for number in range(1, 7))
SCORES = (0, 3, 5, 6, 7, 7, 8, 8, 9, 9, 9, 10, 10, 10)
BASE_ANSWERS = 240
CORRECTIONS = 3


@dataclass(frozen=True)
class Truth:
    """What a delivery has to show: scores that count, by key; rows of survey_responses.

    `nps` is in points, `as_of` the newest event, ISO 8601; `rows_read` = `accepted` + `rejected` +
    `superseded`, in rows.
    """

    scores: Mapping[str, int]
    nps: float
    contacts: int
    rows_read: int
    accepted: int
    rejected: int
    superseded: int
    as_of: str

    @property
    def keys(self) -> frozenset[str]:
        """Of the answers that count."""
        return frozenset(self.scores)

    @property
    def seen(self) -> tuple[float, ...]:
        """What a reader finds of it, in the order of `reader.QUERIES`."""
        answers = len(self.keys)
        return (
            answers, round(self.nps, 9), answers, answers, answers, answers, self.contacts,
            self.rows_read, self.accepted, self.rejected, self.superseded,
        )  # fmt: skip


class Deliveries:
    """A chain of deliveries: each has the files of the one before, and those of an hour more.

    After the last comes the first again, so that files also vanish.
    """

    def __init__(self, seed: int, count: int) -> None:
        """Draw them.

        Args:
            seed: of all chance.
            count: how many there are.
        """
        chance = random.Random(seed)
        self.count = count
        contacts, answers = _drawn(chance, "base", BASE_ANSWERS)
        contacts[-1] |= {"started_at": _text(ENDS), "ended_at": _text(ENDS)}
        self._hours: list[tuple[list[Row], list[Row]]] = [(contacts, answers)]
        for hour in range(1, count):
            contacts, new = _drawn(chance, f"hour_{hour:02d}", 6 + hour)
            corrected = [
                row | {"score": str((int(row["score"]) + 4) % 11), "updated_at": _text(ENDS)}
                for row in chance.sample(answers[(hour - 1) * 20 : hour * 20], CORRECTIONS)
            ]
            self._hours.append((contacts, [*new, *corrected]))

    def files(self, number: int) -> dict[str, bytes]:
        """The files of a delivery, by their paths in the folder.

        Args:
            number: of the delivery, from 0.
        """
        files = {"departments.csv": _csv(_departments()), "agents.csv": _csv(_agents())}
        for hour, (contacts, answers) in enumerate(self._hours[: number % self.count + 1]):
            files[f"contacts/hour_{hour:02d}.csv"] = _csv(contacts)
            files[f"survey_responses/hour_{hour:02d}.csv"] = _csv(answers)
        return files

    def truth(self, number: int) -> Truth:
        """What has to come of a delivery.

        Args:
            number: of the delivery, from 0.
        """
        return truth_of(self.files(number))


def truth_of(files: Mapping[str, bytes]) -> Truth:
    """What has to come of a delivery, counted by nothing but Python's own reader of CSV.

    A line with the wrong number of fields and a score that is none are rejected; of a key the
    newest version counts, of equally old ones the last.

    Args:
        files: contents by path, of answers and contacts in folders of these names.
    """
    newest: dict[str, Row] = {}
    contacts: dict[str, str] = {}
    rows = rejected = 0
    for path in sorted(files):
        table = path.partition("/")[0]
        if table not in ("survey_responses", "contacts"):
            continue
        header, *lines = csv.reader(io.StringIO(files[path].decode()))
        for line in lines:
            row = dict(zip(header, line, strict=False))
            if table == "contacts":
                contacts[row["contact_id"]] = row["ended_at"]
                continue
            rows += 1
            if len(line) != len(header) or row["score"] not in map(str, range(11)):
                rejected += 1
            elif row["updated_at"] >= newest.get(row["response_id"], row)["updated_at"]:
                newest[row["response_id"]] = row
    scores = {key: int(row["score"]) for key, row in newest.items()}
    promoters = sum(score >= 9 for score in scores.values())
    detractors = sum(score <= 6 for score in scores.values())
    times = [row["updated_at"] or row["responded_at"] for row in newest.values()]
    return Truth(
        scores=scores,
        nps=100 * (promoters - detractors) / len(scores),
        contacts=len(contacts),
        rows_read=rows,
        accepted=len(newest),
        rejected=rejected,
        superseded=rows - rejected - len(newest),
        as_of=max(*times, *contacts.values()),
    )


def deliver(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make a folder hold files and no others; each appears whole, those there already are left.

    Args:
        folder: the delivered folder; made where it does not exist.
        files: contents by path.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if str(path.relative_to(folder)) not in files:
            path.unlink()
    for name, content in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".{path.name}.part")
            fresh.write_bytes(content)
            # Old enough to be trusted not to be written any more.
            past = fresh.stat().st_mtime - 60
            os.utime(fresh, (past, past))
            fresh.replace(path)


def drawn(seed: int, name: str, answers: int) -> tuple[list[Row], list[Row]]:
    """Contacts and their answers, by chance.

    Args:
        seed: of all chance.
        name: which the keys begin with.
        answers: how many; there is a contact for each.
    """
    return _drawn(random.Random(seed), name, answers)


def as_csv(rows: Sequence[Row]) -> bytes:
    """Rows as a CSV file.

    Args:
        rows: at least one, all with the same columns.
    """
    return _csv(rows)


def _drawn(chance: random.Random, name: str, answers: int) -> tuple[list[Row], list[Row]]:
    contacts, responses = [], []
    minutes = int((ENDS - BEGINS) / timedelta(minutes=1)) - 2 * 24 * 60
    for number in range(answers):
        began = BEGINS + timedelta(minutes=chance.randrange(minutes))
        contact_id = f"{name}_c{number:03d}"
        contacts.append(
            {
                "contact_id": contact_id,
                "department_id": chance.choice(DEPARTMENTS),
                "channel": chance.choice(CHANNELS),
                "started_at": _text(began),
                "ended_at": _text(began + timedelta(minutes=chance.randint(1, 30))),
                "agent_id": chance.choice(AGENTS),
                "customer_id": f"customer_{chance.randrange(80)}",
            }
        )
        responses.append(
            {
                "response_id": f"{name}_r{number:03d}",
                "score": str(chance.choice(SCORES)),
                "responded_at": _text(began + timedelta(hours=chance.randint(1, 40))),
                "contact_id": contact_id,
                "comment": chance.choice(("", "ok", "too slow", "friendly and quick")),
                "updated_at": "",
            }
        )
    return contacts, responses


def _departments() -> list[Row]:
    return [
        {"department_id": name, "department_name": name.title(), "parent_department_id": parent}
        for name, parent in (("all", ""), *((name, "all") for name in DEPARTMENTS))
    ]


def _agents() -> list[Row]:
    return [{"agent_id": name, "agent_name": name.replace("_", " ")} for name in AGENTS]


def _text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def _csv(rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def standing_files() -> dict[str, bytes]:
    """The files that no delivery changes."""
    return {"departments.csv": _csv(_departments()), "agents.csv": _csv(_agents())}
