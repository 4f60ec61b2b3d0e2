"""What Superset imports, made of the description, the published file and dbt's manifest.

The format is Superset's own, of its exports (`metadata.yaml`, one file for each object). Ids are
made of names, so that an import changes what the one before has made.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import yaml

from nps_warehouse.superset.charts import COLOURS, SCHEME, params_of
from nps_warehouse.superset.description import (
    Chart,
    Dashboard,
    Dataset,
    Datasets,
    DescriptionError,
    Filter,
)
from nps_warehouse.superset.metrics import NEWEST, Column, Metric, metrics_of, title_of

FORMAT = "1.0.0"
DATABASE = "NPS, as published"
CERTIFIED_BY = "nps_warehouse"
_NAMES = uuid.uuid5(uuid.NAMESPACE_URL, "urn:nps_warehouse:superset")

Item = dict[str, Any]


def id_of(*names: str) -> str:
    """The id of an object: always the same for the same names.

    Args:
        names: its kind first, then its name.
    """
    return str(uuid.uuid5(_NAMES, "/".join(names)))


def descriptions(manifest: Path) -> dict[tuple[str, str], dict[str, str]]:
    """What dbt says of columns, by schema and table.

    Args:
        manifest: dbt's `manifest.json`.

    Raises:
        DescriptionError: it is not there.
    """
    try:
        nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    except FileNotFoundError:
        raise DescriptionError(f"{manifest} is not there: `dbt parse` writes it") from None
    return {
        (one["schema"], one["alias"]): {
            name: " ".join(column["description"].split()) for name, column in one["columns"].items()
        }
        for one in nodes.values()
        if one["resource_type"] in {"model", "seed"}
    }


def columns_of(
    dataset: Dataset,
    connection: duckdb.DuckDBPyConnection,
    said: Mapping[tuple[str, str], Mapping[str, str]],
) -> list[Column]:
    """Columns of a dataset as the published file has them, with what dbt says of each.

    Args:
        dataset: the dataset.
        connection: to the published file.
        said: what dbt says of columns.

    Raises:
        DescriptionError: its query does not run on what is published.
    """
    try:
        rows = connection.execute(f"describe {dataset.sql}").fetchall()
    except duckdb.Error as problem:
        raise DescriptionError(f"dataset {dataset.name}: {problem}") from None
    return [
        Column(
            name,
            kind,
            next((said[one][name] for one in dataset.tables if name in said.get(one, {})), ""),
        )
        for name, kind, *_ in rows
    ]


def _refuse_names_of_tables(known: Datasets, connection: duckdb.DuckDBPyConnection) -> None:
    """Superset takes a dataset for the table of its name: access to one would be to the other."""
    tables = {
        name
        for (name,) in connection.execute(
            "select table_name from information_schema.tables"
        ).fetchall()
    }
    if clashing := sorted(tables & set(known.by_name)):
        raise DescriptionError(f"{', '.join(clashing)}: a dataset cannot have a table's name")


def database(published: Path) -> Item:
    """The database: the published file, read and never written.

    Args:
        published: the file that is shown.
    """
    # A query opens the file and lets it go (Superset keeps no pool), and so sees what was published
    # last. Its SQL reaches no other file, and nothing of this can be changed by SQL.
    config = {
        "enable_external_access": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "lock_configuration": True,
        "threads": 2,
    }
    return {
        "database_name": DATABASE,
        "sqlalchemy_uri": f"duckdb:///{published}?access_mode=read_only",
        "cache_timeout": None,
        "expose_in_sqllab": False,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_csv_upload": False,
        "extra": {
            "engine_params": {"connect_args": {"config": config}},
            "allows_virtual_table_explore": False,
            "disable_data_preview": True,
            "disable_drill_to_detail": False,
        },
        "uuid": id_of("database"),
        "version": FORMAT,
    }


def dataset_item(dataset: Dataset, columns: Sequence[Column], metrics: Sequence[Metric]) -> Item:
    """A dataset.

    Args:
        dataset: as described.
        columns: what its query gives.
        metrics: what may be asked of it.
    """
    tables = ", ".join(f"{schema}.{name}" for schema, name in dataset.tables)
    return {
        "table_name": dataset.name,
        "main_dttm_col": None,
        "description": f"{dataset.title}. Reads {tables}.",
        "offset": 0,
        "cache_timeout": None,
        "schema": "marts",
        "sql": dataset.sql,
        "filter_select_enabled": True,
        "normalize_columns": False,
        "always_filter_main_dttm": False,
        "is_managed_externally": True,
        "extra": {"certification": {"certified_by": CERTIFIED_BY, "details": dataset.title}},
        "uuid": id_of("dataset", dataset.name),
        "columns": [
            {
                "column_name": column.name,
                "verbose_name": title_of(column.name),
                "is_dttm": column.is_time,
                "is_active": True,
                "type": column.type,
                "groupby": not column.is_number,
                "filterable": True,
                "expression": None,
                "description": column.description,
                "extra": {},
            }
            for column in columns
        ],
        "metrics": [
            {
                "metric_name": metric.key,
                "verbose_name": metric.title,
                "metric_type": None,
                "expression": metric.expression,
                "description": metric.description,
                "extra": {"certification": {"certified_by": CERTIFIED_BY, "details": metric.how}},
            }
            for metric in metrics
        ],
        "version": FORMAT,
        "database_uuid": id_of("database"),
    }


def chart_item(page: Dashboard, chart: Chart, metrics: Sequence[Metric]) -> Item:
    """A chart.

    Args:
        page: the dashboard that it is on.
        chart: as described.
        metrics: those of its dataset.
    """
    params = params_of(chart, metrics)
    return {
        "slice_name": chart.title,
        "description": chart.options.get("about"),
        "certified_by": CERTIFIED_BY,
        "certification_details": f"Of the dashboard {page.title}",
        "viz_type": params["viz_type"],
        "params": params,
        "query_context": None,
        "cache_timeout": None,
        "is_managed_externally": True,
        "uuid": id_of("chart", page.name, chart.name),
        "version": FORMAT,
        "dataset_uuid": id_of("dataset", chart.data),
    }


def _filter_id(page: Dashboard, name: str) -> str:
    return f"NATIVE_FILTER-{id_of('filter', page.name, name)[:12]}"


def filter_item(
    page: Dashboard, one: Filter, columns: Mapping[str, Collection[str]], numbers: Mapping[str, int]
) -> Item:
    """A filter of a dashboard; charts that have no such column are out of its reach.

    Args:
        page: the dashboard.
        one: the filter.
        columns: names of columns by dataset.
        numbers: of its charts.
    """
    chosen = [] if one.default is None else [one.default]
    outside = [
        numbers[chart.name]
        for chart in page.charts
        if one.column not in columns[chart.data] or one.name in chart.without
    ]
    return {
        "id": _filter_id(page, one.name),
        "name": one.name,
        "type": "NATIVE_FILTER",
        "filterType": "filter_select",
        "description": "",
        "targets": [{"datasetUuid": id_of("dataset", one.data), "column": {"name": one.column}}],
        "controlValues": {
            "multiSelect": one.several,
            "enableEmptyFilter": bool(chosen) or one.first,
            "defaultToFirstItem": one.first,
            "inverseSelection": False,
            "searchAllOptions": False,
            "sortAscending": not one.newest,
        },
        # Else the page would wait for somebody to press the button.
        "requiredFirst": one.first,
        "sortMetric": f"certified_{NEWEST}" if one.newest else None,
        "defaultDataMask": {
            "extraFormData": (
                {"filters": [{"col": one.column, "op": "IN", "val": chosen}]} if chosen else {}
            ),
            "filterState": {"value": chosen, "label": ", ".join(chosen)} if chosen else {},
        },
        "cascadeParentIds": [_filter_id(page, name) for name in one.within],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": outside},
    }


def _position(page: Dashboard, numbers: Mapping[str, int]) -> Item:
    """Where charts and texts stand."""
    made: Item = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": [], "parents": ["ROOT_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": page.title}},
    }
    for at, row in enumerate(page.rows):
        name = f"ROW-{at}"
        parents = ["ROOT_ID", "GRID_ID"]
        children = []
        if row.text is not None:
            children.append(f"MARKDOWN-{at}")
            made[f"MARKDOWN-{at}"] = {
                "type": "MARKDOWN",
                "id": f"MARKDOWN-{at}",
                "children": [],
                "parents": [*parents, name],
                "meta": {"code": row.text, "width": 12, "height": row.height},
            }
        for chart in row.charts:
            key = f"CHART-{chart.name}"
            children.append(key)
            made[key] = {
                "type": "CHART",
                "id": key,
                "children": [],
                "parents": [*parents, name],
                "meta": {
                    "chartId": numbers[chart.name],
                    "uuid": id_of("chart", page.name, chart.name),
                    "sliceName": chart.title,
                    "width": chart.width,
                    "height": row.height,
                },
            }
        made[name] = {
            "type": "ROW",
            "id": name,
            "children": children,
            "parents": parents,
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
        made["GRID_ID"]["children"].append(name)
    return made


def dashboard_item(page: Dashboard, columns: Mapping[str, Collection[str]]) -> Item:
    """A dashboard.

    Args:
        page: as described.
        columns: names of columns by dataset.
    """
    # Superset puts its own numbers in place of these.
    numbers = {chart.name: at for at, chart in enumerate(page.charts, 1)}
    return {
        "dashboard_title": page.title,
        "description": page.description,
        "css": "",
        "slug": page.name,
        "certified_by": CERTIFIED_BY,
        "certification_details": page.description,
        "published": True,
        "is_managed_externally": True,
        "uuid": id_of("dashboard", page.name),
        "position": _position(page, numbers),
        "metadata": {
            "color_scheme": "nps",
            "label_colors": COLOURS,
            # Else each page that is opened would try to write them (and be refused).
            "map_label_colors": COLOURS,
            "color_scheme_domain": list(SCHEME),
            "shared_label_colors": [],
            "cross_filters_enabled": False,
            "refresh_frequency": 0,
            "expanded_slices": {},
            "timed_refresh_immune_slices": [],
            "native_filter_configuration": [
                filter_item(page, one, columns, numbers) for one in page.filters
            ],
        },
        "version": FORMAT,
    }


def assets(
    pages: Sequence[Dashboard], known: Datasets, published: Path, manifest: Path
) -> dict[str, str]:
    """All that is imported: YAML texts by file name.

    Args:
        pages: the dashboards.
        known: the datasets.
        published: the file that is shown.
        manifest: dbt's `manifest.json`.

    Raises:
        DescriptionError: a description does not fit what is published.
    """
    said = descriptions(manifest)
    items: dict[str, Item] = {
        "metadata.yaml": {
            "version": FORMAT, "type": "assets", "timestamp": "2000-01-01T00:00:00+00:00"
        },
        "databases/nps.yaml": database(published),
    }  # fmt: skip
    metrics = {}
    columns = {}
    with duckdb.connect(str(published), read_only=True) as connection:
        _refuse_names_of_tables(known, connection)
        for name, dataset in known.by_name.items():
            found = columns_of(dataset, connection, said)
            metrics[name] = metrics_of(found, known.counts, apart=dataset.apart)
            columns[name] = {column.name for column in found}
            items[f"datasets/nps/{name}.yaml"] = dataset_item(dataset, found, metrics[name])
    for page in pages:
        for chart in page.charts:
            try:
                made = chart_item(page, chart, metrics[chart.data])
            except KeyError as missing:
                raise DescriptionError(
                    f"chart {chart.title!r} of {page.name}: there is no {missing} in its dataset, "
                    "or no such kind"
                ) from None
            items[f"charts/{page.name}/{chart.name}.yaml"] = made
        items[f"dashboards/{page.name}.yaml"] = dashboard_item(page, columns)
    return {
        name: yaml.safe_dump(item, sort_keys=False, allow_unicode=True)
        for name, item in items.items()
    }
