"""The steps of a run: each does one thing to what the steps before it left."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
from click import ClickException

from nps_warehouse import lineage
from nps_warehouse.exit_codes import CRITICAL_FAILED
from nps_warehouse.landing import sql
from nps_warehouse.publishing.place import place_of
from nps_warehouse.runs import delivery, tables
from nps_warehouse.runs.dbt import Dbt, is_open_here
from nps_warehouse.runs.problems import StepError, is_damage
from nps_warehouse.runs.record import Clock, Run, RunRecord, TableRows
from nps_warehouse.runs.repair import ARTIFACTS, set_aside
from nps_warehouse.runs.settings import Asked, Places

Detail = dict[str, Any]


class Proof:
    """What is known of the warehouse file as it lies there: which gates it has passed.

    A step that is run alone goes on from what earlier runs have noted, if the file still is the one
    that they left.
    """

    NONE = {"delivery": False, "built": False, "marts": False}  # noqa: RUF012

    def __init__(self, warehouse: Path, noted: Mapping[str, Any] | None) -> None:
        """Take over what was noted of the very same file.

        Args:
            warehouse: the file.
            noted: what `note` gave for an earlier run, if anything.
        """
        self._warehouse = warehouse
        self.passed = dict(self.NONE)
        if noted is not None and noted["file"] == self._look():
            self.passed |= noted["passed"]

    def note(self) -> Detail:
        """What is known, with what tells that the file is another."""
        return {"file": self._look(), "passed": self.passed}

    def _look(self) -> list[int] | None:
        try:
            found = self._warehouse.stat()
        except FileNotFoundError:
            return None
        return [found.st_size, found.st_mtime_ns, found.st_ino]


class Work:
    """A run at work: what its steps share."""

    def __init__(
        self,
        asked: Asked,
        places: Places,
        record: RunRecord,
        clock: Clock,
        dbt: Dbt,
        earlier: Sequence[Run],
        proof: Proof,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """Prepare; nothing is done yet.

        Args:
            asked: what the run is to do.
            places: where things are.
            record: of the run.
            clock: what "now" is.
            dbt: the project.
            earlier: the runs before it, the oldest first.
            proof: what is known of the warehouse.
            environ: environment variables.
        """
        self.asked = asked
        self.places = places
        self.record = record
        self.clock = clock
        self.dbt = dbt
        self.earlier = earlier
        self.proof = proof
        self.environ = environ
        self.version_id: str | None = None
        self.steps: dict[str, Callable[[], Detail]] = {
            "land": self.land,
            "check_raw": self.check_raw,
            "build": self.build,
            "check_marts": self.check_marts,
            "publish": self.publish,
            "docs": self.docs,
        }

    def land(self) -> Detail:
        """Take what is delivered, and land it as schema raw."""
        self.proof.passed = dict(Proof.NONE)
        taken = delivery.take(self.places.delivered, self.places.taken)
        warnings = [*taken.warnings, *self._shown_as_delivered(self.dbt.land)]
        return {
            "files": taken.files,
            "copied": taken.copied,
            "removed": taken.removed,
            "warnings": warnings,
        }

    def check_raw(self) -> Detail:
        """Judge what was taken, by the expectations on raw."""
        from nps_warehouse.gates.run import check_raw

        self._taken()
        self.proof.passed["delivery"] = False
        detail = self._gate(
            "raw", lambda options: check_raw(self.places.taken, self.places.seeds, options)
        )
        self.proof.passed["delivery"] = True
        return detail

    def build(self) -> Detail:
        """Run `dbt build`."""
        self._taken()
        self.proof.passed |= {"built": False, "marts": False}
        nodes, problem = self.dbt.build(
            self.asked.select, self.asked.exclude, self.asked.full_refresh
        )
        self.record.nodes(nodes)
        self._keep(self.places.target / "run_results.json")
        counts: dict[str, int] = {}
        for node in nodes:
            counts[node.status] = counts.get(node.status, 0) + 1
        if problem is not None:
            for node in nodes:
                if node.message and is_damage(node.message) and self.places.warehouse.exists():
                    why = set_aside(self.places.warehouse, self.record.run_id, node.message)
                    self.record.decided(f"{why} The next run does that.")
                    break
            raise problem
        self.proof.passed["built"] = True
        self._count_rows()
        return {"nodes": len(nodes), "statuses": counts}

    def check_marts(self) -> Detail:
        """Judge the marts, by the expectations on them."""
        from nps_warehouse.gates.run import check_marts

        self.proof.passed["marts"] = False
        detail = self._gate("marts", lambda options: check_marts(self.places.warehouse, options))
        self.proof.passed["marts"] = self.proof.passed["built"]
        return detail

    def publish(self) -> Detail:
        """Show the marts to readers, if they have passed all there is to pass."""
        from nps_warehouse import publishing

        missing = [name for name, passed in self.proof.passed.items() if not passed]
        if missing:
            steps = {"delivery": "check_raw", "built": "build", "marts": "check_marts"}
            raise StepError(
                CRITICAL_FAILED,
                "The warehouse is not proven as it lies there, and so it is not published: run "
                f"{', '.join(steps[name] for name in missing)} first (`nps run` does all of "
                "it).",
            )
        # Written anew by `also`; publishing proves that all else is as the warehouse has it.
        self._on_warehouse(tables.remove)
        before = publishing.current(self.places.published, self.environ)
        version = publishing.publish(
            self.record.run_id,
            warehouse=self.places.warehouse,
            folder=self.places.published,
            keep=self.asked.keep,
            now=self.clock.now(),
            environ=self.environ,
            also=self._write_published_runs,
        )
        self.version_id = version.id
        self.record.published(version.id)
        if version.run_id != self.record.run_id:
            self.record.decided(
                f"There was nothing new to publish: version {version.id} has this very build."
            )
        copies = self._copies(version.file) if self.asked.copies else []
        return {
            "version_id": version.id,
            "before": before.id if before else None,
            "responses": version.responses,
            "nps": version.nps,
            "copies": [str(copy) for copy in copies],
        }

    def docs(self) -> Detail:
        """Leave dbt's manifest, results and catalog where catalogues pick them up, and a report."""
        self.dbt.docs()
        folder = self.record.folder / ARTIFACTS
        folder.mkdir(mode=0o750, exist_ok=True)
        manifest: Any = self.dbt.manifest
        manifest.write(str(folder / "manifest.json"))
        self._keep(self.places.target / "catalog.json")
        if lineage.is_installed() and (folder / "run_results.json").is_file():
            lineage.write(self.record.folder, folder)
        artifacts = sorted(path.name for path in folder.iterdir())
        return {"artifacts": artifacts, "report": self._report()}

    def finish(self, run: Run) -> None:
        """Write the runs into the private warehouse, too.

        Args:
            run: this one, as it ends.
        """
        runs = [*self.earlier, run]
        if self.places.warehouse.is_file():
            self._on_warehouse(lambda connection: tables.write(connection, "warehouse", runs))

    def _report(self) -> list[str]:
        """Write the report of what is shown; its pages, none where a selection left figures out."""
        from nps_warehouse.report.figures import NoFiguresError
        from nps_warehouse.report.pages import report_for_run

        shown = place_of(self.places.published, self.environ).shown
        if not shown.is_file():
            return []
        try:
            pages = report_for_run(shown, self.record.folder)
        except (NoFiguresError, ClickException) as problem:
            self.record.decided(f"There is no report: {str(problem).rstrip('.')}.")
            return []
        return [str(page.relative_to(self.record.folder)) for page in pages]

    def _taken(self) -> None:
        if not self.places.taken.is_dir():
            delivery.take(self.places.delivered, self.places.taken)

    def _shown_as_delivered(self, do: Callable[[], list[str]]) -> list[str]:
        """Name files as their owners know them, not our copies of them."""
        ours, theirs = str(self.places.taken), str(self.places.delivered)
        try:
            return [text.replace(ours, theirs) for text in do()]
        except StepError as problem:
            raise StepError(problem.exit_code, str(problem).replace(ours, theirs)) from problem

    def _gate(self, gate: str, check: Callable[[Any], Any]) -> Detail:
        from nps_warehouse.gates.expectations import EXPECTATIONS_DIR
        from nps_warehouse.gates.report import to_json, to_text
        from nps_warehouse.gates.run import Options

        options = Options(
            expectations=EXPECTATIONS_DIR / f"{gate}.yml",
            state=self.places.gates,
            docs=self.places.target / "data_docs" / gate,
            now=self.clock.now(),
            variables=self.asked.variables,
        )
        # Great Expectations tells every temporary folder it makes.
        logging.disable(logging.INFO)
        try:
            result = check(options)
        finally:
            logging.disable(logging.NOTSET)
        for suffix, text in ((".json", to_json(result)), (".txt", to_text(result))):
            file = self.record.folder / f"check_{gate}{suffix}"
            file.write_text(text + "\n", encoding="utf-8")
        failed = [one for one in result.outcomes if one.failures]
        stopping = [one.expectation for one in failed if one.stops]
        if stopping:
            said = "; ".join(f"{one.id}: {one.meaning} {one.to_do}" for one in stopping)
            raise StepError(
                CRITICAL_FAILED,
                f"The gate {gate} stopped the run. {said} See {self.record.folder}/"
                f"check_{gate}.txt.",
            )
        return {
            "expectations": len(result.outcomes),
            "warnings": [one.expectation.id for one in failed],
            "as_of": result.as_of,
        }

    def _count_rows(self) -> None:
        """Note what became of the rows; nothing where a selection left that out."""
        columns = ", ".join(TableRows._fields)
        with duckdb.connect() as connection:
            connection.execute(
                f"attach {sql.text(str(self.places.warehouse))} as warehouse (read_only)"
            )
            try:
                rows = connection.execute(
                    f"select {columns} from warehouse.quality.reconciliation order by table_name"
                ).fetchall()
                score = connection.execute(
                    "select responses from warehouse.marts.nps_by_period "
                    "where survey_type = 'all' and period_type = 'all'"
                ).fetchone()
            except duckdb.CatalogException:
                return
        self.record.tables([TableRows(*row) for row in rows], int(score[0]) if score else 0)

    def _write_published_runs(self, connection: duckdb.DuckDBPyConnection, catalog: str) -> None:
        """As readers are to see it: where they see this run, it was published."""
        now = self.clock.now()
        run = replace(
            self.record.read(),
            status="published",
            exit_code=0,
            ended_at=now,
            version_id=self.record.run_id,
        )
        steps = [
            replace(step, status="done") if step.status == "running" else step for step in run.steps
        ]
        tables.write(connection, catalog, [*self.earlier, replace(run, steps=steps)])

    def _on_warehouse(self, do: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
        assert not is_open_here(self.places.warehouse), "the build left the warehouse open"
        with duckdb.connect() as connection:
            connection.execute(f"attach {sql.text(str(self.places.warehouse))} as warehouse")
            connection.execute("begin")
            do(connection)
            connection.execute("commit")
            connection.execute("checkpoint warehouse")

    def _copies(self, published: Path) -> list[Path]:
        from nps_warehouse.publishing.export import export_all

        folder = self.places.published / "copies"
        return list(export_all(published, folder, self.asked.copies).rows)

    def _keep(self, file: Path) -> None:
        if not file.is_file():
            return
        folder = self.record.folder / ARTIFACTS
        folder.mkdir(mode=0o750, exist_ok=True)
        shutil.copyfile(file, folder / file.name)


def age_in_words(age: timedelta) -> str:
    """How old something is, as people say it.

    Args:
        age: 0 or more.
    """
    hours = age / timedelta(hours=1)
    if hours < 1:
        return f"{max(0, int(hours * 60))} minutes old"
    return f"{hours:.0f} hours old" if hours < 72 else f"{hours / 24:.0f} days old"


def noted(folder: Path, file_name: str) -> Mapping[str, Any] | None:
    """What the newest run that came to its end has noted of the warehouse.

    Args:
        folder: of all runs.
        file_name: of the records.
    """
    from nps_warehouse.runs.record import run_folders

    for run in reversed(run_folders(folder)):
        try:
            lines = (run / file_name).read_text(encoding="utf-8").splitlines()
        except OSError:
            continue
        for line in reversed(lines):
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if event.get("event") == "warehouse":
                found: Mapping[str, Any] = event
                return found
    return None
