"""The data dictionary: a page of what is published, by the file itself and by what dbt knows of it.

Tables, columns and types are those of the file. Descriptions are dbt's, else the comments that dbt
left in the file; who reads a table is told by its description and by the exposures, which only
dbt's manifest has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

from nps_warehouse.report.figures import Figures, NoFiguresError
from nps_warehouse.report.formats import Formats
from nps_warehouse.report.pages import TEMPLATES, environment, render, write
from nps_warehouse.warehouse import reading

SCHEMAS = {"marts": "Marts", "quality": "Quality", "reference": "Reference"}
"""What is published, in the order of the page."""

NOT_DESCRIBED = "Not described."


class UnreadableManifestError(Exception):
    """dbt's manifest was asked for and can't be read; the text says which."""


@dataclass(frozen=True)
class Reader:
    """Who reads a table: an exposure of dbt."""

    label: str
    owner: str
    maturity: str


@dataclass(frozen=True)
class Column:
    """A column; its meaning as HTML."""

    name: str
    data_type: str
    text: Markup


@dataclass(frozen=True)
class Table:
    """A table; its description as HTML, without the line that says what a row is."""

    schema: str
    name: str
    group: str
    grain: str
    text: Markup
    columns: list[Column]
    readers: list[Reader]


@dataclass(frozen=True)
class Known:
    """What dbt knows of relations, by schema and name."""

    folders: dict[tuple[str, str], str] = field(default_factory=dict)
    descriptions: dict[tuple[str, str], str] = field(default_factory=dict)
    columns: dict[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    readers: dict[tuple[str, str], list[Reader]] = field(default_factory=dict)


def read_manifest(file: Path, *, required: bool) -> Known:
    """What dbt knows; nothing where there is no manifest and none is asked for.

    Args:
        file: dbt's manifest.json.
        required: whether it has to be there.

    Raises:
        UnreadableManifestError: it is not there, or is no manifest.
    """
    if not required and not file.is_file():
        return Known()
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        return _known(manifest)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UnreadableManifestError(
            f"{file} can't be read as dbt's manifest; `dbt parse` makes one"
        ) from None


def _known(manifest: Mapping[str, Any]) -> Known:
    known = Known()
    keys: dict[str, tuple[str, str]] = {}
    for unique_id, node in manifest["nodes"].items():
        if node["resource_type"] not in ("model", "seed"):
            continue
        key = (node["schema"], node.get("alias") or node["name"])
        keys[unique_id] = key
        known.folders[key] = "/".join(node["fqn"][2:-1])
        known.descriptions[key] = node["description"]
        known.columns[key] = {
            name: column["description"] for name, column in node["columns"].items()
        }
    for exposure in manifest["exposures"].values():
        owner = exposure["owner"]
        reader = Reader(
            exposure.get("label") or exposure["name"],
            owner.get("name") or owner.get("email") or "nobody named",
            exposure.get("maturity") or "not said",
        )
        for unique_id in exposure["depends_on"]["nodes"]:
            if unique_id in keys:
                known.readers.setdefault(keys[unique_id], []).append(reader)
    return known


def _group(schema: str, folder: str) -> str:
    return f"{SCHEMAS[schema]}: {folder.replace('_', ' ')}" if folder else SCHEMAS[schema]


def read_tables(warehouse: Path, known: Known) -> list[Table]:
    """What a file has in the schemas that are published, in the order of the page.

    Args:
        warehouse: the DuckDB file; it is only read.
        known: from `read_manifest`.

    Raises:
        NoFiguresError: none of these schemas is in it.
        click.ClickException: it can't be read.
    """
    # Text of descriptions is ours, and still nothing in it becomes markup of its own.
    markdown = MarkdownIt("commonmark", {"html": False})
    with reading(warehouse) as connection:
        rows = Figures(connection).rows(
            """
            with

            relations as (
                select schema_name, table_name as relation_name, comment
                from duckdb_tables() where database_name = 'warehouse'
                union all
                select schema_name, view_name, comment
                from duckdb_views() where database_name = 'warehouse' and not internal
            )

            select
                relations.schema_name, relations.relation_name, relations.comment as about,
                columns.column_name, columns.data_type, columns.comment
            from relations
            inner join duckdb_columns() as columns
                on relations.schema_name = columns.schema_name
                and relations.relation_name = columns.table_name
                and columns.database_name = 'warehouse'
            where relations.schema_name in ('marts', 'quality', 'reference')
            order by relations.schema_name, relations.relation_name, columns.column_index
            """
        )
    if not rows:
        raise NoFiguresError(f"{warehouse} has none of the schemas {', '.join(SCHEMAS)}")
    tables: dict[tuple[str, str], Table] = {}
    for row in rows:
        key = (str(row["schema_name"]), str(row["relation_name"]))
        if key not in tables:
            description = known.descriptions.get(key) or row["about"] or NOT_DESCRIBED
            grain, _, rest = description.strip().partition("\n")
            tables[key] = Table(
                *key,
                group=_group(key[0], known.folders.get(key, "")),
                grain=grain,
                # Headings go below the table's own.
                text=Markup(markdown.render(rest.replace("\n## ", "\n#### "))),
                columns=[],
                readers=known.readers.get(key, []),
            )
        name = str(row["column_name"])
        text = known.columns.get(key, {}).get(name) or row["comment"] or NOT_DESCRIBED
        tables[key].columns.append(
            Column(name, str(row["data_type"]).lower(), Markup(markdown.renderInline(text.strip())))
        )
    order = list(SCHEMAS)
    return sorted(tables.values(), key=lambda table: (order.index(table.schema), table.name))


def write_dictionary(
    warehouse: Path, manifest: Path, to: Path, *, required: bool = False
) -> tuple[int, int]:
    """Write the page.

    Args:
        warehouse: a published file or a warehouse; it is only read.
        manifest: dbt's manifest.json.
        to: the page; whatever was there is replaced.
        required: whether the manifest has to be there; without it the page has no readers.

    Returns:
        How many tables and columns it has.

    Raises:
        NoFiguresError: nothing is published in the file.
        UnreadableManifestError: the manifest can't be read.
        click.ClickException: the warehouse can't be read.
        OSError: the page can't be written.
    """
    tables = read_tables(warehouse, read_manifest(manifest, required=required))
    columns = sum(len(table.columns) for table in tables)
    script = (TEMPLATES / "search.js").read_text(encoding="utf-8")
    page = render(
        environment(Formats.of("en")),
        "dictionary.html.j2",
        script=script,
        tables=tables,
        columns=columns,
    )
    write(to, page)
    return len(tables), columns
