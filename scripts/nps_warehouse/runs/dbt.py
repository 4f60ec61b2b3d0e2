"""dbt in this process: parsed once, its connections closed when a step is over."""

from __future__ import annotations

import contextlib
import gc
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nps_warehouse.exit_codes import BAD_INPUT, CRITICAL_FAILED, INTERNAL
from nps_warehouse.landing.contract import PROJECT_DIR
from nps_warehouse.runs.problems import (
    StepError,
    exit_code_of,
    exit_code_of_text,
    is_lock,
    plain,
)
from nps_warehouse.runs.record import Node

# dbt takes seconds to import: nobody waits for it who is refused before it is needed.
if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest

OnNode = Callable[[int, int, str], None]
"""Called when dbt begins a node: its number, how many there are, what it is."""

OnEvent = Callable[[Any], None]
"""Called with every event of dbt's own log, as its library gives them (`EventMsg`)."""

MOST_NAMED = 5
"""Nodes that a sentence names; the rest are counted."""

_BROKEN = {"error", "runtime error", "partial success"}
_FAILED = "fail"
"""Statuses of nodes, as dbt calls them."""


class Dbt:
    """The project, as dbt has parsed it with the vars of a run."""

    def __init__(
        self,
        variables: dict[str, object],
        manifest: Manifest | None = None,
        on_node: OnNode | None = None,
        on_event: OnEvent | None = None,
    ) -> None:
        """Prepare; nothing is parsed yet.

        Args:
            variables: dbt vars that differ from those in `dbt_project.yml`.
            manifest: of the project, parsed before with the same vars.
            on_node: is told what dbt begins.
            on_event: is told all that dbt says.
        """
        self._vars = ["--vars", json.dumps(variables, sort_keys=True)] if variables else []
        self._manifest = manifest
        self._on_node = on_node
        self._heard = [on_event] if on_event is not None else []
        self._said: defaultdict[str, list[str]] = defaultdict(list)

    @property
    def manifest(self) -> Manifest:
        """The parsed project.

        Raises:
            StepError: it cannot be parsed.
        """
        if self._manifest is None:
            result = self._invoke(["parse"])
            if not result.success:
                raise _error("The project cannot be parsed", result)
            self._manifest = cast("Manifest", result.result)
        return self._manifest

    def build(
        self, select: Sequence[str], exclude: Sequence[str], full_refresh: bool
    ) -> tuple[list[Node], StepError | None]:
        """Run `dbt build` but for unit tests, which look at no data.

        Args:
            select: dbt's selection; empty: everything that is built.
            exclude: what is left out of it.
            full_refresh: whether incremental models are built from nothing.

        Returns:
            What was done of each node, and why that is not all of it.

        Raises:
            StepError: it did not begin.
        """
        arguments = ["build", "--exclude-resource-type", "unit_test"]
        if select or exclude:
            for kind in ("exposure", "saved_query"):
                arguments += ["--exclude-resource-type", kind]
        if select:
            arguments += ["--select", *select]
        if exclude:
            arguments += ["--exclude", *exclude]
        if select or exclude:
            # A data test that also looks at what is left out is left out, too.
            arguments += ["--indirect-selection", "buildable"]
        if full_refresh:
            arguments.append("--full-refresh")
        result = self._invoke(arguments, self.manifest)
        results = getattr(result.result, "results", None)
        if results is None:
            raise _error("dbt build did not begin", result)
        nodes = [_node(one) for one in results]
        if result.success and all(node.unique_id.startswith("operation.") for node in nodes):
            raise StepError(BAD_INPUT, "dbt build had nothing to do: the selection names nothing")
        return nodes, None if result.success else _problem(nodes, result)

    def land(self) -> list[str]:
        """Check the vars and land the files as schema raw, as a build does before its first model.

        Returns:
            Warnings.

        Raises:
            StepError: a var or a file cannot be used; nothing was landed.
        """
        manifest = self.manifest
        self._said.clear()
        result = self._invoke(["run-operation", "land"], manifest)
        if result.exception is not None:
            raise _error("The delivery cannot be landed", result)
        if not result.success:
            text = plain("\n".join(self._said["errors"]))
            code = exit_code_of_text(text)
            raise StepError(BAD_INPUT if code == INTERNAL else code, text)
        return [plain(text) for text in self._said["warnings"]]

    def docs(self) -> None:
        """Run `dbt docs generate`: catalog.json, and the pages, in the target folder.

        Raises:
            StepError: it did not succeed.
        """
        # Compiled already, by the build.
        result = self._invoke(["docs", "generate", "--no-compile"], self.manifest)
        if not result.success:
            raise _error("dbt docs generate failed", result)

    def _invoke(
        self, arguments: Sequence[str], manifest: Manifest | None = None
    ) -> dbtRunnerResult:
        from dbt.cli.main import dbtRunner

        known = ["--log-level", "none", "--no-use-colors", "--no-print"]
        folders = ["--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR)]
        runner = dbtRunner(manifest=manifest, callbacks=[self._told, *self._heard])
        # Paths in the profile are relative to the project.
        with contextlib.chdir(PROJECT_DIR):
            try:
                return runner.invoke([*known, *arguments, *folders, *self._vars])
            finally:
                close_connections()

    def _told(self, event: Any) -> None:
        match event.info.name:
            case "LogStartLine" if self._on_node is not None:
                self._on_node(event.data.index, event.data.total, event.data.description)
            case "RunningOperationCaughtError" | "RunningOperationUncaughtError":
                self._said["errors"].append(event.data.exc)
            case "JinjaLogWarning":
                self._said["warnings"].append(event.data.msg)


def close_connections() -> None:
    """Close the connections that dbt-duckdb keeps open between its commands."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    manager: Any = DuckDBConnectionManager
    if manager._ENV is not None:
        manager._ENV.close()
    manager.close_all_connections()
    # Cursors of the landing's function and of finished threads hang in cycles.
    gc.collect()


def is_open_here(file: Path) -> bool:
    """Whether this process has a file open; False where the system does not tell.

    Args:
        file: the file.
    """
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        return False
    for descriptor in descriptors.iterdir():
        with contextlib.suppress(OSError):
            if descriptor.readlink() == file.resolve():
                return True
    return False


def _node(result: Any) -> Node:
    return Node(
        unique_id=result.node.unique_id,
        status=str(result.status),
        seconds=float(result.execution_time),
        message=result.message,
        failures=result.failures,
    )


def _error(what: str, result: dbtRunnerResult) -> StepError:
    problem = result.exception
    text = plain(str(problem or ""))
    code = exit_code_of(problem) if problem is not None else INTERNAL
    if code == INTERNAL:
        code = exit_code_of_text(text)
    error = StepError(code, f"{what}: {text or 'dbt does not say why'}")
    error.__cause__ = problem
    return error


def _problem(nodes: list[Node], result: dbtRunnerResult) -> StepError:
    """Why a build is not whole: the first cause, not what follows from it."""
    broken = [node for node in nodes if node.status in _BROKEN]
    for node in broken:
        if node.unique_id.startswith("operation."):
            text = plain(node.message or "")
            # What prepare_run refuses: vars, files. DuckDB's error() says it.
            code = exit_code_of_text(text) if is_lock(text) else BAD_INPUT
            return StepError(code, text)
    for node in broken:
        if exit_code_of_text(node.message or "") != INTERNAL:
            text = plain(node.message or "")
            return StepError(exit_code_of_text(text), f"{node.unique_id}: {text}")
    if broken:
        # No message of DuckDB here: it may quote what a cell holds. The run's folder has it.
        names = [replace(node, message=None) for node in broken]
        return StepError(INTERNAL, f"dbt build failed in {_named(names)}")
    failed = [node for node in nodes if node.status == _FAILED]
    if failed:
        return StepError(CRITICAL_FAILED, f"data tests failed: {_named(failed)}")
    return _error("dbt build failed", result)


def _named(nodes: Sequence[Node]) -> str:
    named = [
        f"{node.unique_id} ({plain(node.message)})" if node.message else node.unique_id
        for node in nodes[:MOST_NAMED]
    ]
    more = len(nodes) - len(named)
    return "; ".join(named) + (f"; and {more:,} more" if more > 0 else "")
