"""Judges the figures by Great Expectations: one suite, one checkpoint per gate.

Great Expectations' SQL source does not work on DuckDB, and a frame of all rows would not fit into
memory: DuckDB computes the figures, and this judges their small frame.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

# Read when the library is imported: it would else report its use.
os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
import pandas as pd
from great_expectations.data_context.data_context.abstract_data_context import AbstractDataContext
from great_expectations.expectations.core.expect_column_values_to_be_between import (
    ExpectColumnValuesToBeBetween,
)
from great_expectations.expectations.expectation import Expectation as Configured
from great_expectations.expectations.metadata_types import FailureSeverity

from nps_warehouse.gates.expectations import CRITICAL, Declaration, Expectation

_SITE = "data_docs"
_SHOWN = ["table_name", "column_name", "part", "volume", "detail", "keys"]
_MOST_SHOWN = 100


@dataclass(frozen=True)
class Failure:
    """A figure beyond its bounds: where, what was seen, on how much, and which rows to look at."""

    table_name: str
    column_name: str
    part: str
    value: float
    volume: float
    detail: str
    keys: str


@dataclass(frozen=True)
class Outcome:
    """What became of an expectation.

    `judged` counts the figures that were held against it, `too_small` those whose volume is too
    small to tell.
    """

    expectation: Expectation
    judged: int
    too_small: int
    failures: tuple[Failure, ...]

    @property
    def failing(self) -> list[tuple[str, str, str, str]]:
        """Figure, table, column and part of every failure."""
        return [self._key(one) for one in self.failures]

    def with_keys(self, keys: Mapping[tuple[str, str, str, str], str]) -> Outcome:
        """The same, with the rows to look at.

        Args:
            keys: by figure, table, column and part.
        """
        failures = [replace(one, keys=keys[self._key(one)]) for one in self.failures]
        return replace(self, failures=tuple(failures))

    def _key(self, one: Failure) -> tuple[str, str, str, str]:
        return (self.expectation.figure, one.table_name, one.column_name, one.part)

    @property
    def stops(self) -> bool:
        """Whether publishing has to stop."""
        return bool(self.failures) and self.expectation.severity == CRITICAL


def judge(declaration: Declaration, frame: pd.DataFrame, docs: Path | None = None) -> list[Outcome]:
    """Hold every declared expectation against the figures.

    Args:
        declaration: the expectations of a gate.
        frame: from `to_frame`, with the rows to look at in `keys`.
        docs: an empty folder for Great Expectations' own pages; None: none are made.

    Returns:
        An outcome per expectation, in the order of their declaration.

    Raises:
        RuntimeError: Great Expectations could not evaluate one.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    name = declaration.gate
    suite = context.suites.add(
        gx.ExpectationSuite(
            name=name, expectations=[_configured(e) for e in declaration.expectations]
        )
    )
    source = context.data_sources.add_pandas("figures")
    batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe(name)
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name=name, data=batch, suite=suite)
    )
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(
            name=name,
            validation_definitions=[definition],
            result_format={
                "result_format": "COMPLETE",
                "unexpected_index_column_names": _SHOWN,
                "return_unexpected_index_query": False,
                "partial_unexpected_count": _MOST_SHOWN,
            },
        )
    )
    if docs is not None:
        _add_site(context, docs)
    (result,) = checkpoint.run(
        batch_parameters={"dataframe": _with_columns(declaration, frame)}
    ).run_results.values()
    if docs is not None:
        context.build_data_docs(site_names=[_SITE])
    by_id = {
        one.expectation_config.meta["id"]: one
        for one in result.results
        if one.expectation_config is not None
    }
    return [_outcome(e, by_id[e.id], frame) for e in declaration.expectations]


def _asked(expectation: Expectation, frame: pd.DataFrame) -> pd.Series:
    """Which figures an expectation is about."""
    asked: pd.Series = frame["figure"] == expectation.figure
    for column, wanted in expectation.where.items():
        asked &= frame[column] == wanted
    return asked


def _with_columns(declaration: Declaration, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a column for every expectation: what it judges, else nothing.

    Row conditions would do the same, and take ten times as long.
    """
    columns = {
        one.id: frame["value"].where(_asked(one, frame) & (frame["volume"] >= one.minimum_volume))
        for one in declaration.expectations
    }
    return frame.assign(**columns)


def _configured(expectation: Expectation) -> Configured:
    """A declared expectation as Great Expectations' own, on the column of its name."""
    return ExpectColumnValuesToBeBetween(
        column=expectation.id,
        min_value=expectation.arguments.get("min_value"),
        max_value=expectation.arguments.get("max_value"),
        severity=FailureSeverity(expectation.severity),
        description=(
            f"{expectation.severity}: {expectation.figure} {expectation.expected}. "
            f"{expectation.meaning} To do: {expectation.to_do} ({expectation.who})"
        ),
        meta={"id": expectation.id, "figure": expectation.figure},
    )


def _outcome(
    expectation: Expectation,
    result: gx.core.ExpectationValidationResult,
    frame: pd.DataFrame,
) -> Outcome:
    if (result.exception_info or {}).get("raised_exception"):
        raise RuntimeError(f"{expectation.id}: {result.exception_info}")
    failures = [
        Failure(
            str(row["table_name"]),
            str(row["column_name"]),
            str(row["part"]),
            float(row[expectation.id]),
            float(row["volume"]),
            str(row["detail"]),
            str(row["keys"]),
        )
        for row in result.result.get("unexpected_index_list") or []
    ]
    assert bool(failures) != bool(result.success), expectation.id
    judged = int(result.result["element_count"]) - int(result.result["missing_count"])
    too_small = int(_asked(expectation, frame).sum()) - judged
    return Outcome(expectation, judged, too_small, tuple(failures))


def _add_site(context: AbstractDataContext, folder: Path) -> None:
    context.add_data_docs_site(
        _SITE,
        {
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(folder),
            },
        },
    )
