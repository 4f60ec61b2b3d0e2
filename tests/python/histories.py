"""Deliveries that change by chance: files that come, go, grow, are corrected or sorted anew."""

from __future__ import annotations

import csv
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb

Rows = list[list[str]]

COLUMNS = {
    "survey_responses": [
        "response_id",
        "score",
        "responded_at",
        "survey_type",
        "invitation_id",
        "contact_id",
        "customer_id",
        "csat_score",
        "comment",
        "language",
        "status",
        "is_test",
        "updated_at",
    ],
    "contacts": [
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
        "handle_seconds",
        "is_resolved",
        "updated_at",
    ],
    "departments": [
        "department_id",
        "department_name",
        "parent_department_id",
        "site",
        "updated_at",
    ],
    "agents": ["agent_id", "agent_name", "hired_on", "updated_at"],
    "agent_assignments": ["agent_id", "department_id", "team", "valid_from", "valid_to"],
    "contact_legs": ["contact_id", "leg_number", "agent_id", "department_id", "handle_seconds"],
    "customers": ["customer_id", "segment", "product_line", "acquired_by", "updated_at"],
    "survey_invitations": [
        "invitation_id",
        "contact_id",
        "customer_id",
        "sent_at",
        "status",
        "updated_at",
    ],
    "evaluations": ["contact_id", "criterion", "score", "evaluated_at"],
}
MOST_ROWS = {"survey_responses": 14, "contacts": 18, "survey_invitations": 8, "departments": 6}
COMMENTS = ("", "ok", "call 0171 2345678 please", "mail me: a.b@example.org", "slow, sorry")
WHEN = "2026-0{}-{:02d}T{:02d}:00:00Z"


class History:
    """A delivered folder, and what may happen to it.

    Args:
        folder: the raw folder, which is made.
        seed: of all chance.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self.files: dict[str, tuple[str, Rows]] = {}
        self.told: list[str] = []
        for table in COLUMNS:
            # Folders, so that a table can have any number of files; some tables come later.
            for _ in range(self.random.randint(1, 3)):
                self._add(table)
        self.write()

    def step(self) -> None:
        """Let one to four things happen, and deliver."""
        for _ in range(self.random.randint(1, 4)):
            action = self.random.choice(self._actions())
            action()
        self.write()

    def write(self) -> None:
        """Make the folder hold what is delivered now."""
        if self.folder.exists():
            shutil.rmtree(self.folder)
        for name, (table, rows) in self.files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".csv":
                with path.open("w", encoding="utf-8", newline="") as file:
                    csv.writer(file).writerows([COLUMNS[table], *rows])
            else:
                _write_parquet(path, COLUMNS[table], rows)

    def _actions(self) -> Sequence[Callable[[], None]]:
        return [
            *[self._add_any] * 2, *[self._correct] * 4, self._remove_file, self._remove_rows,
            self._rename, self._sort_anew, self._move_rows, self._move_department, self._nothing,
            self._copy_file,
        ]  # fmt: skip

    def _nothing(self) -> None:
        self.told.append("nothing")

    def _add_any(self) -> None:
        self._add(self.random.choice(list(COLUMNS)))

    def _add(self, table: str) -> None:
        suffix = self.random.choice(["csv", "csv", "parquet"])
        name = f"{table}/{self.random.randrange(10**6):06d}.{suffix}"
        count = self.random.randint(0 if self.told else 1, MOST_ROWS.get(table, 5))
        self.files[name] = (table, [self._row(table) for _ in range(count)])
        self.told.append(f"add {name}")

    def _file(self, tables: Sequence[str] = tuple(COLUMNS)) -> str | None:
        names = [name for name, (table, rows) in self.files.items() if table in tables and rows]
        return self.random.choice(names) if names else None

    def _correct(self) -> None:
        name = self._file()
        if name is None:
            return
        table, rows = self.files[name]
        for _ in range(self.random.randint(1, 3)):
            at = self.random.randrange(len(rows))
            changed, column = self._row(table), self.random.randrange(len(rows[at]))
            rows[at] = [*rows[at][:column], changed[column], *rows[at][column + 1 :]]
        self.told.append(f"correct {name}")

    def _remove_file(self) -> None:
        name = self._file()
        if name is None:
            return
        table = self.files[name][0]
        if sum(table == other for other, _ in self.files.values()) > 1:
            del self.files[name]
            self.told.append(f"remove {name}")

    def _remove_rows(self) -> None:
        name = self._file()
        if name is not None:
            rows = self.files[name][1]
            del rows[self.random.randrange(len(rows))]
            self.told.append(f"remove a row of {name}")

    def _rename(self) -> None:
        name = self._file()
        if name is not None:
            table, rows = self.files.pop(name)
            new = f"{table}/{self.random.randrange(10**6):06d}.{name.rpartition('.')[2]}"
            self.files[new] = (table, rows)
            self.told.append(f"rename {name} {new}")

    def _copy_file(self) -> None:
        name = self._file()
        if name is not None:
            table, rows = self.files[name]
            self.files[f"{table}/again-{name.rpartition('/')[2]}"] = (table, [*map(list, rows)])
            self.told.append(f"deliver {name} again")

    def _sort_anew(self) -> None:
        name = self._file()
        if name is not None:
            self.random.shuffle(self.files[name][1])
            self.told.append(f"sort {name}")

    def _move_rows(self) -> None:
        one = self._file()
        if one is None:
            return
        table, rows = self.files[one]
        other = self._file([table])
        if other is not None and other != one:
            self.files[other][1].append(rows.pop(self.random.randrange(len(rows))))
            self.told.append(f"move a row of {one} to {other}")

    def _move_department(self) -> None:
        name = self._file(["departments"])
        if name is not None:
            row = self.random.choice(self.files[name][1])
            row[2], row[3] = self._key("d", 7), self.random.choice(["", "north", "south"])
            self.told.append(f"move {row[0]} of {name}")

    def _key(self, letter: str, most: int, blank: float = 0.1) -> str:
        return "" if self.random.random() < blank else f"{letter}{self.random.randrange(most)}"

    def _when(self, blank: float = 0.03) -> str:
        if self.random.random() < blank:
            return self.random.choice(["", "01/15/2026"])
        draw = self.random.randint
        return WHEN.format(draw(1, 3), draw(1, 28), draw(0, 23))

    def _row(self, table: str) -> list[str]:
        pick, key, when = self.random.choice, self._key, self._when
        contact, customer, agent = key("c", 30), key("u", 9), key("a", 5)
        updated = when(0.4)
        channel = pick(["Phone", "voice", "chat", "pigeon", ""])
        reason = pick(["billing", ""])
        language = pick(["en", "de", "xx", ""])
        row = {
            "survey_responses": [
                key("r", 40, 0.03), pick([*map(str, range(11)), ""]), when(),
                pick([*[""] * 5, "relational", "transactional", "odd"]), key("i", 16, 0.3), contact,
                key("u", 9, 0.5), pick(["", "1", "5", "9"]), pick(COMMENTS), language,
                pick([*["", "complete"] * 4, "dismissed"]), pick([*["", "false"] * 4, "true"]),
                updated,
            ],
            "contacts": [
                key("c", 30, 0.03), key("d", 7), channel, when(), agent, customer, reason,
                pick(["", "home", "mobile"]), pick(["", "", "east"]), when(0.5),
                pick(["", "12.5", "x", "300"]), pick(["", "yes", "no"]), updated,
            ],
            "departments": [
                key("d", 7, 0.03), pick(["Care", "Sales", ""]), key("d", 7, 0.6),
                pick(["", "north", "south"]), updated,
            ],
            "agents": [key("a", 5, 0.03), pick(["Ann", "Bob", ""]), "2020-01-01", updated],
            "agent_assignments": [
                key("a", 5, 0.03), key("d", 7), pick(["red", "blue", ""]), when(), when(0.5),
            ],
            "contact_legs": [contact, pick(["1", "2", "02", "x"]), agent, key("d", 7), "10"],
            "customers": [
                key("u", 9, 0.03), pick(["gold", ""]), pick(["home", ""]),
                pick(["paid", "referral", "luck"]), updated,
            ],
            "survey_invitations": [
                key("i", 16, 0.03), contact, customer, when(), pick(["sent", "bounced", "odd"]),
                updated,
            ],
            "evaluations": [contact, pick(["listening", "effort"]), pick(["1", "2"]), when()],
        }  # fmt: skip
        return row[table]


def _write_parquet(path: Path, columns: Sequence[str], rows: Rows) -> None:
    with duckdb.connect() as connection:
        names = ", ".join(f'"{column}" varchar' for column in columns)
        connection.execute(f"create table delivered ({names})")
        for row in rows:
            places = ", ".join("nullif(?, '')" for _ in row)
            connection.execute(f"insert into delivered values ({places})", row)
        connection.execute(f"copy delivered to '{path}' (format parquet)")
