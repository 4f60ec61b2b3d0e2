"""The project's own models and data tests as plain SQL, run on DuckDB without dbt.

A dbt build takes most of a minute; what dbt compiles, run as it stands, takes a few seconds for all
models and a tenth of one for those of a table. So hundreds of deliveries can be judged by the very
SQL that a build runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
from conftest import PROJECT, built
from nps_warehouse.importance.plugin import register as register_importance
from nps_warehouse.landing import sql
from nps_warehouse.landing.land import land
from nps_warehouse.landing.report import Report
from nps_warehouse.state.store import ALIAS, migrate


@dataclass(frozen=True)
class Node:
    """A model, a seed or a data test, as dbt's manifest describes it."""

    id: str
    kind: str
    name: str
    alias: str
    schema: str
    materialized: str
    path: str
    query: str
    needs: tuple[str, ...]
    column_types: Mapping[str, str]


class Compiled:
    """What `dbt compile` says of the whole project."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self.nodes = nodes

    @cached_property
    def models(self) -> dict[str, Node]:
        """Models by name."""
        return {node.name: node for node in self.nodes.values() if node.kind == "model"}

    @cached_property
    def data_tests(self) -> dict[str, Node]:
        """Data tests by name."""
        return {node.name: node for node in self.nodes.values() if node.kind == "test"}

    def in_order(self, names: Iterable[str] | None = None) -> list[Node]:
        """The models of these names and all they are made of, what is needed first.

        Args:
            names: of models; every model where none are given.
        """
        order: dict[str, Node] = {}

        def add(node: Node) -> None:
            for id_ in node.needs:
                if id_ in self.nodes and id_ not in order:
                    add(self.nodes[id_])
            if node.kind == "model":
                order[node.id] = node

        for name in self.models if names is None else names:
            add(self.models[name])
        return list(order.values())


def _node(id_: str, node: Mapping[str, Any]) -> Node:
    config = node["config"]
    return Node(
        id_,
        str(node["resource_type"]),
        str(node["name"]),
        str(node["alias"]),
        str(node["schema"]),
        str(config.get("materialized")),
        str(node["original_file_path"]),
        str(node.get("compiled_code") or ""),
        tuple(node.get("depends_on", {}).get("nodes", ())),
        dict(config.get("column_types") or {}),
    )


def compiled(folder: Path, **how: object) -> Compiled:
    """Compile the project.

    Args:
        folder: where dbt writes.
        how: further arguments of `run_dbt`, such as `variables`.
    """
    built(folder, command="compile", raw_dir=None, arguments=(), **how)
    manifest = json.loads((folder / "target" / "manifest.json").read_text())
    return Compiled({id_: _node(id_, node) for id_, node in manifest["nodes"].items()})


class Instant:
    """A warehouse in memory that is built in an instant, again and again."""

    def __init__(self, project: Compiled, database: str | None = None) -> None:
        """An empty warehouse.

        Args:
            project: what is built.
            database: its name, where that matters; a landing needs the connection's own.
        """
        self.project = project
        self.connection = duckdb.connect()
        register_importance(self.connection)
        if database is not None:
            self.connection.execute(f"attach ':memory:' as {database}")
            self.connection.execute(f"use {database}")
        # As profiles.yml has it.
        self.connection.execute(f"attach ':memory:' as {ALIAS}")
        migrate(self.connection, before=0)
        self.connection.execute("set TimeZone = 'UTC'")
        self.connection.execute("set threads = 2")
        self.connection.execute("set enable_progress_bar = false")
        for schema in {node.schema for node in project.nodes.values()}:
            self.connection.execute(f"create schema if not exists {sql.name(schema)}")
        for node in project.nodes.values():
            if node.kind == "seed":
                self._seed(node)

    def _seed(self, node: Node) -> None:
        path = PROJECT / "seeds" / f"{node.name}.csv"
        columns = ", ".join(
            f"cast({sql.name(column)} as {type_}) as {sql.name(column)}"
            for column, type_ in node.column_types.items()
        )
        self.connection.execute(
            f"create table {node.schema}.{node.alias} as select {columns} "
            f"from read_csv({sql.path(path)}, header = true, all_varchar = true)"
        )

    def land(self, raw_dir: Path) -> Report:
        """Land a folder."""
        return land(self.connection, str(raw_dir))

    def build(self, models: Iterable[Node] | None = None) -> None:
        """Build models anew.

        Args:
            models: in their order; all of them where none are given.
        """
        for node in self.project.in_order() if models is None else models:
            if node.materialized == "ephemeral":
                continue
            kind = "view" if node.materialized == "view" else "table"
            self.connection.execute(
                f"create or replace {kind} {node.schema}.{node.alias} as {node.query}"
            )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        return self.connection.execute(query).fetchall()

    def findings(self, data_test: str) -> list[tuple[Any, ...]]:
        """The rows that a data test of this name finds fault with."""
        return self.rows(self.project.data_tests[data_test].query)
