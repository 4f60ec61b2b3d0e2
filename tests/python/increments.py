"""The statements of an incremental run, recorded once from dbt and played again in memory.

dbt runs twice on a small delivery: what it compiled is how a model is built anew, what it sent to
the engine in the second run (hooks included) is how a model takes in what changed. Nothing in these
statements knows the delivery, so they hold for any: hundreds of histories can be played with them.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from compiled import Compiled, Instant, Node, _node
from conftest import PROJECT, WAREHOUSE, environment_of
from fingerprints import fingerprints_in
from nps_warehouse.landing.land import land

SELECTED = (
    *(f"path:models/{folder}" for folder in ("staging", "categorized")),
    *(f"path:models/marts/{folder}" for folder in ("facts", "counts")),
    "resource_type:seed",
)
# Tables of quality only show what staging holds; masking their cells takes long to plan.
COMPARED = ("staging", "categorized", "marts")
STATE = """
    create schema if not exists staging;
    create table if not exists staging._changes
        (producer varchar, kind varchar, value varchar, seq bigint);
    create table if not exists staging._applied
        (model varchar, definition varchar, seq bigint, landing bigint);
    create or replace table staging._definition as select 'the same' as definition;
"""
_RUN_TWICE = """
import json, os, shutil, sys
from dbt.cli.main import dbtRunner
manifest = dbtRunner().invoke(
    ["--quiet", "--log-path", sys.argv[3], "parse", "--vars", sys.argv[2]]
).result
for folder in sys.argv[3:]:
    result = dbtRunner(manifest=manifest).invoke([
        "--quiet", "--no-use-colors", "--log-path", folder, "--log-level-file", "debug",
        "--log-format-file", "json", "build", "--threads", "1",
        "--vars", sys.argv[2], *json.loads(sys.argv[1]),
    ])
    if not result.success:
        sys.exit(f"{result.exception} {open(folder + '/dbt.log').read()[-4000:]}")
    # What was compiled, which the next run writes over.
    shutil.copy(os.environ["DBT_TARGET_PATH"] + "/manifest.json", folder)
"""
_WRITES = re.compile(r"\s*(create|insert|delete|drop|update)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Recording:
    """The project's models in their order, and what an increment of each sends to the engine.

    `producers`: of each, the models and seeds that it asks whether they were built anew.
    """

    project: Compiled
    models: Sequence[Node]
    statements: Mapping[str, Sequence[str]]
    producers: Mapping[str, frozenset[str]]


def record(folder: Path, raw_dir: Path, variables: Mapping[str, object] | None = None) -> Recording:
    """Build a delivery and run again on it.

    Args:
        folder: where dbt writes.
        raw_dir: the delivery.
        variables: dbt vars.
    """
    arguments = [
        "--select",
        *SELECTED,
        "--exclude",
        "resource_type:test",
        "resource_type:unit_test",
        # Ephemeral models are put into a query once per parse, and dbt runs twice on one here.
        "path:models/categorized/history",
    ]
    logs = [folder / "full", folder / "again"]
    finished = subprocess.run(
        [
            *(sys.executable, "-c", _RUN_TWICE, json.dumps(arguments)),
            *(json.dumps(dict(variables or {})), *map(str, logs)),
        ],
        cwd=PROJECT,
        env=environment_of(folder, raw_dir=raw_dir),
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    manifest = json.loads((logs[0] / "manifest.json").read_text())
    project = Compiled({id_: _node(id_, node) for id_, node in manifest["nodes"].items()})
    statements: dict[str, list[str]] = {}
    producers: dict[str, frozenset[str]] = {}
    for line in (logs[1] / "dbt.log").read_text().splitlines():
        event = json.loads(line)
        if event["info"]["name"] != "SQLQuery":
            continue
        node = (event["data"].get("node_info") or {}).get("node_name", "")
        text = re.sub(r"^/\*.*?\*/", "", event["data"]["sql"].strip(), flags=re.DOTALL)
        # In memory the database has another name.
        text = text.replace(f'"{Path(WAREHOUSE).stem}".', "")
        # Each model of dbt's has a connection of its own, in which this is made once.
        text = re.sub(r"create\s+temporary", "create or replace temporary", text)
        if node and _WRITES.match(text):
            statements.setdefault(node, []).append(text)
        asked = re.search(r"changes\.producer in \((.*?)\)", text)
        if node and asked:
            producers[node] = frozenset(re.findall(r"'(\w+)'", asked[1]))
    built = {name for name, node in project.models.items() if node.query}
    models = [node for node in project.in_order(built) if node.query]
    incremental = {node.name: statements[node.name] for node in models if is_incremental(node)}
    return Recording(project, models, incremental, producers)


def is_incremental(node: Node) -> bool:
    """Whether a model takes in changes."""
    return node.materialized == "incremental"


class Played(Instant):
    """A warehouse in memory that follows a delivered folder."""

    def __init__(self, recording: Recording, raw_dir: Path) -> None:
        super().__init__(recording.project)
        self.recording = recording
        self.raw_dir = raw_dir
        self.connection.execute(STATE)

    def build_anew(self) -> None:
        """Land the folder and build every model from nothing."""
        report = land(self.connection, str(self.raw_dir))
        assert not report.errors, report.errors
        for node in self.recording.models:
            self.build([node])
            if is_incremental(node):
                self._note_applied(node.name)

    def take_in(self, names: Collection[str] | None = None, stop_in: str | None = None) -> None:
        """Land the folder and run the models on what changed.

        Args:
            names: of the models that are selected; all where not given.
            stop_in: a model in the middle of whose transaction the run is killed.
        """
        report = land(self.connection, str(self.raw_dir))
        assert not report.errors, report.errors
        for node in self.recording.models:
            if names is not None and node.name not in names:
                continue
            if not is_incremental(node):
                self.build([node])
                continue
            statements = self.recording.statements[node.name]
            self.connection.execute("begin")
            if node.name == stop_in:
                for statement in statements[: len(statements) // 2 + 1]:
                    self.connection.execute(statement)
                self.connection.execute("rollback")
                return
            for statement in statements:
                self.connection.execute(statement)
            self.connection.execute("commit")

    def _note_applied(self, name: str) -> None:
        self.connection.execute(
            "insert into staging._changes select $1, 'everything', '*', coalesce(max(seq), 0) + 1 "
            "from staging._changes",
            [name],
        )
        self.connection.execute(
            "insert into staging._applied select $1, 'the same', "
            "(select max(seq) from staging._changes), (select landing_number from raw._landing)",
            [name],
        )

    def content(self) -> dict[str, str]:
        """What each compared table holds, byte for byte."""
        found = fingerprints_in(self.connection, COMPARED)
        return {name: text for name, text in found.items() if "._" not in name}
