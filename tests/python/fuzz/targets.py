"""What can be fuzzed. A new target is a class like `Landing` and a line in `TARGETS`."""

from __future__ import annotations

import csv
import random
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import duckdb
from compiled import Compiled, Instant, compiled
from conftest import SAMPLE
from edge_cases import write_edge_cases
from fates import disagreements, models_of, second_fates, second_tables, warehouse_fates
from nps_warehouse.importing.mapping import load_mapping
from nps_warehouse.importing.refusal import ImportRefusedError
from nps_warehouse.importing.run import import_exports
from oracle import ContractError

from fuzz.mutations import broken, flip_bits, write_parquet

FILES_OF_A_TABLE = 20
ROWS_OF_A_FILE = 12
REQUIRED = ("survey_responses", "contacts", "departments")
FILE = re.compile(r"\b([a-z_]+/\d+[.](?:csv|parquet))\b")


@dataclass
class Outcome:
    """What a batch of examples came to.

    Args:
        examples: mutated files that were read.
        refused: those of them that were refused with a message.
        rows: delivered rows that were accounted for.
        failures: what went wrong, a line each.
    """

    examples: int = 0
    refused: int = 0
    rows: int = 0
    failures: list[str] = field(default_factory=list)


class Target(Protocol):
    """Something that reads what others deliver."""

    def batch(self, draw: random.Random, folder: Path) -> Outcome:
        """Break some deliveries and have them read.

        Args:
            draw: the only source of chance.
            folder: empty; what is left in it after a failure is what repeats it.
        """


def read_rows(path: Path) -> list[list[str]]:
    """The header of a CSV file and its whole rows.

    Args:
        path: of the file; bytes that are no UTF-8 are replaced, broken lines left out.
    """
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = list(csv.reader(file))
    return [row for row in rows if len(row) == len(rows[0])]


class Landing:
    """The landing and the staging models, against the second reading of the contract.

    Whatever a file holds, it is refused with a message that names it, by both readings; or every
    row of it is accepted, rejected, superseded or excluded, alike by both readings.
    """

    def __init__(self, folder: Path, project: Compiled | None = None) -> None:
        """Compile the project and prepare what is going to be broken.

        Args:
            folder: for dbt and the good deliveries.
            project: where it is compiled already.
        """
        self.warehouse = Instant(project or compiled(folder))
        write_edge_cases(folder / "edge_cases", rows=200)
        self.good = {table: SAMPLE / f"{table}.csv" for table in second_tables()}
        self.rows = {
            table: [read_rows(path), read_rows(folder / "edge_cases" / path.name)]
            for table, path in self.good.items()
        }

    def batch(self, draw: random.Random, folder: Path) -> Outcome:
        """See `Target`."""
        raw = folder / "raw"
        tables = draw.sample(sorted(self.good), k=2)
        # Parquet with flipped bits is another file to every reader: it only has to reconcile.
        is_rotten = draw.random() < 0.1
        outcome = Outcome()
        for table in sorted({*tables, *REQUIRED}):
            (raw / table).mkdir(parents=True)
            if table not in tables:
                shutil.copy(self.good[table], raw / table / "0.csv")
                continue
            for number in range(FILES_OF_A_TABLE):
                rows = draw.choice(self.rows[table])
                self._write(draw, raw / table / str(number), rows, is_rotten)
                outcome.examples += 1
        if self._land(raw, outcome, is_rotten):
            for table in tables:
                self._judge(raw, table, outcome, is_rotten)
        return outcome

    def _write(
        self, draw: random.Random, path: Path, good: list[list[str]], is_rotten: bool
    ) -> None:
        header = good[0]
        rows = draw.choices(good[1:], k=draw.randint(1, ROWS_OF_A_FILE))
        if is_rotten or draw.random() < 0.3:
            named = [dict(zip(header, row, strict=True)) for row in rows]
            target = path.with_suffix(".parquet")
            write_parquet(draw, target, named, draw.choice([0, 0.3, 0.6]))
            if is_rotten:
                target.write_bytes(flip_bits(draw, target.read_bytes()))
            return
        target = path.with_suffix(".csv")
        with target.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])
        if draw.random() < 0.95:
            target.write_bytes(broken(draw, target.read_bytes()))

    def _land(self, raw: Path, outcome: Outcome, is_rotten: bool) -> bool:
        """Land what can be landed; what is refused is taken away."""
        while True:
            try:
                errors = self.warehouse.land(raw).errors
            except duckdb.Error as problem:
                if not is_rotten:
                    outcome.failures.append(f"landing: {problem}")
                return False
            if not errors:
                return True
            for message in errors:
                named = sorted(set(FILE.findall(message)))
                if len(named) != 1:
                    outcome.failures.append(f"no file named in: {message}")
                    return False
                outcome.refused += 1
                self._check_refusal(raw / named[0], message, outcome, is_rotten)
                if not any((raw / named[0]).parent.iterdir()):
                    # All of the table's files are refused: the good one, for those it needs.
                    table = named[0].partition("/")[0]
                    shutil.copy(self.good[table], raw / table / "0.csv")

    def _check_refusal(self, path: Path, message: str, outcome: Outcome, is_rotten: bool) -> None:
        table = path.parent.name
        alone = path.parents[2] / "refused" / f"{table}-{path.name}"
        alone.mkdir(parents=True)
        shutil.move(path, alone / f"{table}{path.suffix}")
        if is_rotten:
            return
        try:
            second_fates(alone, table)
        except ContractError:
            shutil.rmtree(alone)
        else:
            outcome.failures.append(f"refused, but the second reading reads it: {message}")

    def _judge(self, raw: Path, table: str, outcome: Outcome, is_rotten: bool) -> None:
        try:
            self.warehouse.build(models_of(self.warehouse.project, [table]))
            ours = warehouse_fates(self.warehouse, table)
        except duckdb.Error as problem:
            # A build that fails with the engine's words about a damaged page hides nothing.
            if not is_rotten:
                outcome.failures.append(f"{table}: {problem}")
            return
        outcome.rows += ours.rows
        theirs = ours if is_rotten else second_fates(raw, table)
        outcome.failures += [f"{table}: {line}" for line in disagreements(ours, theirs)[:5]]


QUESTION = "How likely is it that you would recommend us to a friend?"
HEADERS: dict[str, list[list[str]]] = {
    "qualtrics_csv": [
        ["RecordedDate", "ResponseId", "Status", "Finished", "UserLanguage", "Q3"],
        ["Recorded Date", "Response ID", "Response Type", "Finished", "User Language", QUESTION],
        [
            f'{{"ImportId":"{name}"}}'
            for name in ("recordedDate", "_recordId", "status", "finished", "userLanguage", "QID3")
        ],
    ],
    "surveymonkey": [
        ["Respondent ID", "Collector ID", "Start Date", "End Date", QUESTION, "Rate us", ""],
        ["", "", "", "", "Response", "Price", "Speed"],
    ],
    "long_answers": [["response_id", "question_id", "question", "answer", "answered_at"]],
}


def export_rows(draw: random.Random, preset: str) -> list[list[str]]:
    """Header rows and some answers, as a survey tool exports them.

    Args:
        draw: the source of chance.
        preset: of the importer, a key of `HEADERS`.
    """
    rows = list(HEADERS[preset])
    for number in range(draw.randint(1, ROWS_OF_A_FILE)):
        key, day = f"R_{draw.randint(1, 30)}", f"{draw.randint(1, 28):02}"
        score = draw.choice([*map(str, range(11)), "10 - Very likely", "8.5", "", "n/a"])
        rows += {
            "qualtrics_csv": [[f"2024-01-{day} 10:00:00", key, "0", "1", "EN", score]],
            "surveymonkey": [
                [
                    key,
                    "77",
                    f"01/{day}/2024 09:58:00 AM",
                    f"01/{day}/2024 10:03:04 AM",
                    score,
                    "1",
                    "",
                ]
            ],
            "long_answers": [
                [key, "sat", "How satisfied are you?", "10", f"2024-01-{day}T10:00:00Z"],
                [key, "nps", QUESTION, score, f"2024-01-{day}T10:00:{number % 60:02}Z"],
            ],
        }[preset]
    return rows


class Importer:
    """The importer, and what it writes as the landing and the staging models read it.

    An export is refused with a message that names it and leaves nothing behind; or every record of
    it is written, left out with its reason or passed on as broken, and what was written lands.
    """

    def __init__(self, folder: Path, project: Compiled | None = None) -> None:
        """Compile the project.

        Args:
            folder: for dbt.
            project: where it is compiled already.
        """
        self.warehouse = Instant(project or compiled(folder))
        self.tables = {"plain_responses": "survey_responses", "plain_contacts": "contacts"}
        self.rows = {
            preset: read_rows(SAMPLE / f"{table}.csv") for preset, table in self.tables.items()
        }

    def batch(self, draw: random.Random, folder: Path) -> Outcome:
        """See `Target`."""
        raw = folder / "raw"
        outcome = Outcome()
        for number in range(FILES_OF_A_TABLE):
            preset = draw.choice([*self.rows, *HEADERS])
            if preset in self.rows:
                header, *good = self.rows[preset]
                rows = [header, *draw.choices(good, k=draw.randint(1, ROWS_OF_A_FILE))]
            else:
                rows = export_rows(draw, preset)
            export = folder / f"{number}-{preset}.csv"
            with export.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(rows)
            export.write_bytes(broken(draw, export.read_bytes()))
            outcome.examples += 1
            self._import(preset, export, raw, outcome)
        for table in REQUIRED:
            (raw / table).mkdir(parents=True, exist_ok=True)
            if not any((raw / table).iterdir()):
                shutil.copy(SAMPLE / f"{table}.csv", raw / table / "0.csv")
        errors = self.warehouse.land(raw).errors
        outcome.failures += [f"written, and refused by the landing: {error}" for error in errors]
        if not errors:
            for table in self.tables.values():
                self.warehouse.build(models_of(self.warehouse.project, [table]))
                ours = warehouse_fates(self.warehouse, table)
                outcome.rows += ours.rows
                lines = disagreements(ours, second_fates(raw, table))[:5]
                outcome.failures += [f"{table}: {line}" for line in lines]
        return outcome

    def _import(self, preset: str, export: Path, raw: Path, outcome: Outcome) -> None:
        before = {path: path.read_bytes() for path in raw.rglob("*") if path.is_file()}
        try:
            (result,) = import_exports(load_mapping(preset, "Europe/Berlin"), [export], raw)
        except ImportRefusedError as refusal:
            outcome.refused += 1
            if export.name not in str(refusal):
                outcome.failures.append(f"{export.name}: not named in: {refusal}")
            if before != {path: path.read_bytes() for path in raw.rglob("*") if path.is_file()}:
                outcome.failures.append(f"{export.name}: refused, and something was written")
            return
        (source,), (made,) = result.sources, result.tables
        told = made.rows + sum(made.left_out.values()) + len(made.broken)
        if source.rows != told:
            outcome.failures.append(f"{export.name}: {source.rows} records read, {told} told of")


TARGETS: dict[str, Callable[[Path], Target]] = {"landing": Landing, "importer": Importer}
