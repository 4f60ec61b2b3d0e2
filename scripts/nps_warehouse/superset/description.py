"""What dashboards/superset says, read and checked: datasets, dashboards, charts.

Nothing of Superset or dbt is needed for it, so that both environments can read it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[3] / "dashboards" / "superset"
DASHBOARDS = (
    "company",
    "departments",
    "agents",
    "root_causes",
    "closed_loop",
    "data_quality",
)
ROWS_OF = ("everybody", "team", "agent")
TABLE = re.compile(r"\b(marts|quality|reference)\.([a-z_0-9]+)")


class DescriptionError(Exception):
    """A description cannot be used; the text says which and why."""


@dataclass(frozen=True)
class Dataset:
    """Rows that charts read.

    Attributes:
        name: its name in Superset.
        title: what it is, in words.
        sql: the query over marts.
        rows: whose rows they are, one of ROWS_OF.
        apart: whether no two rows count the same, as of a list of cases.
    """

    name: str
    title: str
    sql: str
    rows: str
    apart: bool = False

    @property
    def tables(self) -> list[tuple[str, str]]:
        """Schemas and names of what the query reads, in its order."""
        return list(dict.fromkeys((one[1], one[2]) for one in TABLE.finditer(self.sql)))


@dataclass(frozen=True)
class Datasets:
    """All datasets.

    Attributes:
        by_name: the datasets.
        counts: columns that add up over the rows of one period.
    """

    by_name: Mapping[str, Dataset]
    counts: frozenset[str]


@dataclass(frozen=True)
class Chart:
    """A chart of a dashboard.

    Attributes:
        name: unique in its dashboard.
        title: what is seen.
        kind: a function of `charts`.
        data: the dataset's name.
        width: of twelve columns.
        options: what the kind is told.
        without: names of filters that do not concern it.
    """

    name: str
    title: str
    kind: str
    data: str
    width: int
    options: Mapping[str, Any]
    without: frozenset[str]


@dataclass(frozen=True)
class Row:
    """Charts beside each other, or a text.

    Attributes:
        height: in units of eight pixels.
        charts: from left to right.
        text: Markdown, where it is a text.
    """

    height: int
    charts: tuple[Chart, ...] = ()
    text: str | None = None


@dataclass(frozen=True)
class Filter:
    """A filter of a dashboard.

    Attributes:
        name: what people read.
        column: which column it is of, in every dataset that has it.
        data: the dataset whose values are offered.
        default: chosen when the page opens; None leaves everything in.
        first: whether the first value offered is chosen when the page opens.
        newest: whether the newest complete period is offered first.
        several: whether several values may be chosen.
        within: the filters that narrow what is offered.
    """

    name: str
    column: str
    data: str
    default: str | None = None
    first: bool = False
    newest: bool = False
    several: bool = False
    within: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dashboard:
    """A page of charts.

    Attributes:
        name: the last part of its address.
        title: its title.
        description: whom it is for, and what they do with it.
        filters: in their order.
        rows: from above.
    """

    name: str
    title: str
    description: str
    filters: tuple[Filter, ...]
    rows: tuple[Row, ...] = field(default=())

    @property
    def charts(self) -> list[Chart]:
        """All its charts."""
        return [chart for row in self.rows for chart in row.charts]


def _load(name: str, folder: Path) -> dict[str, Any]:
    file = folder / f"{name}.yml"
    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise DescriptionError(f"{file} is no mapping")
    return found


def _query(given: Mapping[str, Any], expressions: Mapping[str, str]) -> str:
    """The query of a dataset: its own, or one made of `from`, `add` and `where`."""
    if "sql" in given:
        text = str(given["sql"])
    else:
        added = [
            f"{expressions.get(said, said)} as {column}"
            for column, said in given.get("add", {}).items()
        ]
        text = "select\n    " + ",\n    ".join(["t.*", *added]) + f"\nfrom {given['from']}"
        if "where" in given:
            text += f"\nwhere {given['where']}"
    for name, expression in expressions.items():
        text = text.replace(f"{{{name}}}", expression)
    return text


def datasets(folder: Path = FOLDER) -> Datasets:
    """All datasets.

    Args:
        folder: of the descriptions.

    Raises:
        DescriptionError: one of them cannot be used.
    """
    said = _load("datasets", folder)
    found = {}
    for name, given in said["datasets"].items():
        rows = given.get("rows", "everybody")
        if rows not in ROWS_OF:
            raise DescriptionError(f"rows of {name} are one of {', '.join(ROWS_OF)}, not {rows}")
        query = _query(given, said["expressions"])
        found[name] = Dataset(name, given["title"], query, rows, given.get("apart", False))
    return Datasets(found, frozenset(said["counts"]))


def _chart(given: Mapping[str, Any], known: Datasets) -> Chart:
    options = dict(given)
    title = options.pop("title")
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    data = options.pop("data")
    if data not in known.by_name:
        raise DescriptionError(f"chart {title!r} reads {data}, which is no dataset")
    return Chart(
        name,
        title,
        options.pop("kind"),
        data,
        options.pop("width", 12),
        {key: value for key, value in options.items() if key != "without"},
        frozenset(options.get("without", ())),
    )


def dashboard(name: str, known: Datasets, folder: Path = FOLDER) -> Dashboard:
    """A dashboard.

    Args:
        name: one of DASHBOARDS.
        known: the datasets.
        folder: of the descriptions.

    Raises:
        DescriptionError: it cannot be used.
    """
    said = _load(name, folder)
    filters = tuple(
        Filter(**{**one, "within": tuple(one.get("within", ()))}) for one in said["filters"]
    )
    rows = []
    for given in said["rows"]:
        charts = tuple(_chart(one, known) for one in given.get("charts", ()))
        if charts and sum(chart.width for chart in charts) > 12:
            raise DescriptionError(f"a row of {name} is wider than 12: {charts[0].title!r} …")
        rows.append(Row(given["height"], charts, given.get("text")))
    found = Dashboard(name, said["title"], said["description"].strip(), filters, tuple(rows))
    names = [chart.name for chart in found.charts]
    if len(set(names)) < len(names):
        raise DescriptionError(f"two charts of {name} have one title")
    return found


def dashboards(folder: Path = FOLDER) -> list[Dashboard]:
    """All dashboards, in the order in which they are read.

    Args:
        folder: of the descriptions.
    """
    known = datasets(folder)
    return [dashboard(name, known, folder) for name in DASHBOARDS]


def tables_read(page: Dashboard, known: Datasets) -> set[tuple[str, str]]:
    """Schemas and names of all that a dashboard reads, its filters included.

    Args:
        page: the dashboard.
        known: the datasets.
    """
    names = {chart.data for chart in page.charts} | {one.data for one in page.filters}
    return {table for name in names for table in known.by_name[name].tables}
