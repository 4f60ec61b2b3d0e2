"""Kinds of charts: the few options of a description become what Superset keeps of a chart.

A chart asks for one row of a mart for each point it shows, or for counts that add up: its metrics
are those of `metrics`, which are empty where neither is so. An interval is a band, what may not be
acted upon is grey.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nps_warehouse.superset.description import Chart
from nps_warehouse.superset.metrics import Metric

Params = dict[str, Any]

SCHEME = ("#1d5fa6", "#b45309", "#7a8696", "#7fb0dd", "#e0a458", "#b3bac4")
"""The scheme of colours: blue first, orange against it, greys between."""

POINTS = "+.1f"
"""A score: its sign, and one decimal."""

COLOURS = {
    "enough answers": "#1d5fa6",
    "too few answers": "#9aa3ae",
    "period not over": "#b3bac4",
    "in time": "#1d5fa6",
    "overdue": "#b45309",
    "NPS": "#1d5fa6",
    "Mix": "#7a8696",
    "Rate": "#1d5fa6",
    "Detractors": "#1d5fa6",
    "Share so far, %": "#b45309",
    "Signal": "#b45309",
    "EWMA": "#1d5fa6",
    "Upper limit": "#7a8696",
    "Lower limit": "#7a8696",
    "Promoters": "#1d5fa6",
    "Passives": "#b3bac4",
    "Detractor share": "#b45309",
    "row": "#1d5fa6",
    "value": "#7fb0dd",
    "noise": "#b3bac4",
    "watch": "#e0a458",
    "structural": "#b45309",
}
"""Blue and orange: those who see no red or green can tell them apart. Grey is uncertain."""

ENDS = ("from", "to")
CERTAINTIES = ("enough answers", "too few answers", "period not over")
COLOURS |= {
    f"{label}, {certainty}": COLOURS[certainty] if label == "Score" else "#7fb0dd"
    for label in ("Score", *ENDS)
    for certainty in CERTAINTIES
}
COLOURS |= {f"{end}, {certainty}": "#d3d8de" for end in ENDS for certainty in CERTAINTIES[1:]}

GREY = "#8b95a1"
UNCERTAIN = CERTAINTIES[1:]


def _rgb(colour: str) -> dict[str, float]:
    """A colour as Superset's pickers keep it."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return {"r": red, "g": green, "b": blue, "a": 1}


def _renamed(metric: Metric, label: str) -> dict[str, Any]:
    """A metric of the dataset under another name, as a series needs it."""
    return {
        "expressionType": "SQL",
        "sqlExpression": metric.expression,
        "label": label,
        "hasCustomLabel": True,
        "optionName": f"metric_{metric.name}_{label}".replace(" ", "_").lower(),
    }


def _where(options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Conditions of a chart's own: {column: value}, or {column: [values]}."""
    return [
        {
            "expressionType": "SIMPLE",
            "clause": "WHERE",
            "subject": column,
            "operator": "IN" if isinstance(value, list) else "==",
            "comparator": value,
        }
        for column, value in options.get("where", {}).items()
    ]


def number(chart: Chart, metrics: Mapping[str, Metric]) -> Params:
    """One number."""
    options = chart.options
    return {
        "viz_type": "big_number_total",
        "metric": metrics[options["metric"]].key,
        "y_axis_format": options.get("format", POINTS),
        "subtitle": options.get("says", ""),
        "header_font_size": 0.4,
        "subtitle_font_size": 0.125,
    }


def _time_axis(options: Mapping[str, Any]) -> Params:
    return {
        "x_axis": options["x"],
        "time_grain_sqla": None,
        "x_axis_sort_asc": True,
        "row_limit": 2000,
        "x_axis_time_format": "%Y-%m-%d",
        "truncateXAxis": False,
        "rich_tooltip": True,
        "show_legend": True,
        "legendOrientation": "top",
        "legendType": "plain",
    }


def band(chart: Chart, metrics: Mapping[str, Metric]) -> Params:
    """A score in the course of time, each point within its interval."""
    options = chart.options
    middle, low, high = (metrics[name] for name in options["metrics"])
    label = options.get("label", "NPS")
    return {
        "viz_type": "echarts_timeseries_line",
        **_time_axis(options),
        "metrics": [
            _renamed(middle, label),
            _renamed(low, f"{label}__yhat_lower"),
            _renamed(high, f"{label}__yhat_upper"),
        ],
        "groupby": [],
        "y_axis_format": options.get("format", "+.0f"),
        "y_axis_title": options.get("y", ""),
        "y_axis_title_margin": 30,
        "markerEnabled": True,
        "markerSize": 7,
        # A band is stacked from zero: on an axis without it, pieces of the band are left out.
        "truncateYAxis": False,
        "opacity": 0.25,
    }


def control(chart: Chart, metrics: Mapping[str, Metric]) -> Params:
    """A line between its limits, with a mark where it signals."""
    options = chart.options
    lines = [_renamed(metrics[name], label) for name, label in options["lines"].items()]
    marks = [_renamed(metrics[name], label) for name, label in options["marks"].items()]
    return {
        "viz_type": "mixed_timeseries",
        **_time_axis(options),
        "metrics": lines,
        "groupby": [],
        "seriesType": "line",
        "markerEnabled": False,
        "metrics_b": marks,
        "groupby_b": [],
        "seriesTypeB": "scatter",
        "markerEnabledB": True,
        "markerSizeB": 7,
        "row_limit_b": 2000,
        "order_desc": False,
        "order_desc_b": False,
        "y_axis_format": options.get("format", "+.1f"),
        "yAxisTitle": options.get("y", ""),
        "yAxisTitleMargin": 40,
        "show_query_identifiers": False,
    }


def bars(chart: Chart, metrics: Mapping[str, Metric]) -> Params:
    """A bar for each member; what may not be acted upon in grey, or parts in their colours."""
    options = chart.options
    series = options.get("by", "certainty")
    given = options["metrics"] if "metrics" in options else {options["metric"]: None}
    shown = [
        _renamed(metrics[name], label) if label else metrics[name].key
        for name, label in given.items()
    ]
    upright = options.get("upright", False)
    return {
        "viz_type": "echarts_timeseries_bar",
        "x_axis": options["x"],
        "xAxisForceCategorical": True,
        "metrics": shown,
        "groupby": [series] if series else [],
        "orientation": "vertical" if upright else "horizontal",
        "stack": "Stack",
        "x_axis_sort": options.get("sort", options["x"]),
        "x_axis_sort_asc": options.get("ascending", True),
        "x_axis_sort_series": options.get("sort_series", "sum"),
        "x_axis_sort_series_ascending": options.get("ascending", True),
        "row_limit": 1000,
        "y_axis_format": options.get("format", "+.0f"),
        "y_axis_title": options.get("y", ""),
        "y_axis_title_margin": 30,
        "show_value": options.get("values", True),
        "only_total": True,
        "show_legend": options.get("legend", True),
        "legendOrientation": "top",
        "legendType": "plain",
        "rich_tooltip": True,
        "truncateYAxis": False,
        "truncateXAxis": True,
        "xAxisLabelInterval": 0,
        "xAxisLabelRotation": options.get("rotation", 0),
    }


def intervals(chart: Chart, metrics: Mapping[str, Metric]) -> Params:
    """Members, each between the ends of its interval."""
    options = chart.options
    return {
        "viz_type": "echarts_timeseries_scatter",
        "x_axis": options["x"],
        "xAxisForceCategorical": True,
        "metrics": [
            _renamed(metrics[name], label)
            for name, label in zip(options["metrics"], ("Score", *ENDS), strict=True)
        ],
        "groupby": ["certainty"],
        "row_limit": 1000,
        "y_axis_format": options.get("format", "+.0f"),
        "y_axis_title": options.get("y", ""),
        "y_axis_title_margin": 30,
        "markerEnabled": True,
        "markerSize": 7,
        "xAxisLabelRotation": 90,
        "rich_tooltip": True,
        "show_legend": True,
        "legendOrientation": "top",
        "legendType": "plain",
        "truncateYAxis": False,
    }


def pareto(chart: Chart, metrics: Mapping[str, Metric]) -> Params:
    """Bars from the largest, and the share that they make up together."""
    options = chart.options
    return {
        "viz_type": "mixed_timeseries",
        "x_axis": options["x"],
        "xAxisForceCategorical": True,
        "x_axis_sort_asc": True,
        "metrics": [_renamed(metrics[options["metric"]], options["label"])],
        "groupby": [],
        "seriesType": "bar",
        "metrics_b": [_renamed(metrics[options["share"]], "Share so far, %")],
        "groupby_b": [],
        "seriesTypeB": "line",
        "yAxisIndexB": 1,
        "markerEnabledB": True,
        "row_limit": options.get("rows", 15),
        "row_limit_b": options.get("rows", 15),
        "timeseries_limit_metric": metrics[options["rank"]].key,
        "timeseries_limit_metric_b": metrics[options["rank"]].key,
        "order_desc": False,
        "order_desc_b": False,
        "y_axis_format": ",d",
        "y_axis_format_secondary": ".0f",
        "yAxisTitle": options["label"],
        "yAxisTitleMargin": 40,
        "y_axis_bounds": [0, None],
        "y_axis_bounds_secondary": [0, 100],
        "truncateYAxis": True,
        "truncateYAxisSecondary": True,
        "xAxisLabelRotation": 45,
        "xAxisLabelInterval": 0,
        "rich_tooltip": True,
        "show_legend": True,
        "show_query_identifiers": False,
    }


def waterfall(chart: Chart, metrics: Mapping[str, Metric]) -> Params:
    """Steps from one number to another."""
    options = chart.options
    return {
        "viz_type": "waterfall",
        "x_axis": options["x"],
        "groupby": [],
        "metric": metrics[options["metric"]].key,
        "time_grain_sqla": None,
        "row_limit": 100,
        "increase_color": _rgb("#1d5fa6"),
        "decrease_color": _rgb("#b45309"),
        "total_color": _rgb("#7a8696"),
        "increase_label": "up",
        "decrease_label": "down",
        "total_label": "now",
        "show_total": True,
        "show_value": True,
        "show_legend": True,
        "y_axis_format": "+.1f",
        "y_axis_label": options.get("y", ""),
        "x_ticks_layout": "45°",
        "x_axis_label": "",
    }


def heatmap(chart: Chart, metrics: Mapping[str, Metric]) -> Params:
    """A count for each pair of two things. Not a score: a cell cannot be grey."""
    options = chart.options
    return {
        "viz_type": "heatmap_v2",
        "x_axis": options["x"],
        "xAxisForceCategorical": True,
        "groupby": options["by"],
        "metric": metrics[options["metric"]].key,
        "row_limit": 1000,
        "sort_x_axis": "alpha_asc",
        "sort_y_axis": "alpha_desc",
        "normalize_across": "heatmap",
        "legend_type": "continuous",
        "linear_color_scheme": "nps_white_to_blue",
        "y_axis_format": options.get("format", ",d"),
        "show_values": True,
        "show_legend": True,
        "show_percentage": False,
        "bottom_margin": "auto",
        "left_margin": "auto",
        "xscale_interval": 1,
        "yscale_interval": 1,
    }


def table(chart: Chart, _: Mapping[str, Metric]) -> Params:
    """Rows of a dataset as they are; those that may not be acted upon in grey."""
    options = chart.options
    columns: Mapping[str, str | None] = options["columns"]
    grey = [
        {
            "column": "certainty",
            "operator": "containing",
            "targetValue": words,
            "colorScheme": GREY,
            "columnFormatting": "ENTIRE_ROW",
            "objectFormatting": "TEXT_COLOR",
            "useGradient": False,
        }
        for words in UNCERTAIN
        if "certainty" in columns
    ]
    return {
        "viz_type": "table",
        "query_mode": "raw",
        "all_columns": list(columns),
        "order_by_cols": [
            f'["{column}", {"true" if ascending else "false"}]'
            for column, ascending in options.get("order", {}).items()
        ],
        "row_limit": options.get("rows", 200),
        "server_page_length": 10,
        "page_length": options.get("page", 0),
        "include_search": options.get("search", False),
        "column_config": {
            column: {"d3NumberFormat": said, "d3SmallNumberFormat": said}
            for column, said in columns.items()
            if said
        },
        "conditional_formatting": grey,
        "show_cell_bars": False,
        "color_pn": False,
        "allow_render_html": False,
        "table_timestamp_format": "%Y-%m-%d %H:%M",
    }


def totals(chart: Chart, metrics: Mapping[str, Metric]) -> Params:
    """Counts by one or two columns, as a table."""
    options = chart.options
    return {
        "viz_type": "table",
        "query_mode": "aggregate",
        "groupby": options["by"],
        "metrics": [metrics[name].key for name in options["metrics"]],
        "row_limit": options.get("rows", 200),
        "order_desc": True,
        "include_search": False,
        "show_cell_bars": False,
        "color_pn": False,
        "column_config": {
            metrics[name].key: {"d3NumberFormat": ",d"} for name in options["metrics"]
        },
        "conditional_formatting": [],
        "allow_render_html": False,
    }


KINDS: Mapping[str, Callable[[Chart, Mapping[str, Metric]], Params]] = {
    kind.__name__: kind
    for kind in (
        number, band, control, bars, intervals, pareto, waterfall, heatmap, table, totals
    )
}  # fmt: skip


def params_of(chart: Chart, metrics: Sequence[Metric]) -> Params:
    """What Superset keeps of a chart.

    Args:
        chart: as described.
        metrics: those of its dataset.
    """
    made = KINDS[chart.kind](chart, {metric.name: metric for metric in metrics})
    return made | {
        "adhoc_filters": _where(chart.options),
        "color_scheme": "nps",
        "extra_form_data": {},
    }
