"""Run by MetricFlow's own Python: queries from standard input, answers on standard output.

In goes a JSON list of objects with `metrics` and `group_by`, or with `saved_query`; out comes, as
the last line, a JSON list of objects with `columns` and `rows`.
"""

import datetime as dt
import json
import sys
from decimal import Decimal
from typing import Any

from dbt_metricflow.cli.cli_configuration import CLIConfiguration
from metricflow.engine.metricflow_engine import MetricFlowQueryRequest
from nps_warehouse.semantic import mf


def plain(value: Any) -> Any:
    """A cell as JSON has it; dates without their midnight."""
    if isinstance(value, dt.date):
        return value.isoformat()[:10]
    return float(value) if isinstance(value, Decimal) else value


def main() -> None:
    """Ask everything by one engine."""
    mf.prepare()
    configuration = CLIConfiguration()
    configuration.setup(configure_file_logging=False)
    answers = []
    for asked in json.load(sys.stdin):
        request = MetricFlowQueryRequest.create(
            saved_query_name=asked.get("saved_query"),
            metric_names=asked.get("metrics"),
            group_by_names=asked.get("group_by"),
        )
        table = configuration.mf.query(request).result_df
        assert table is not None
        rows = [[plain(cell) for cell in row] for row in table.rows]
        answers.append({"columns": list(table.column_names), "rows": rows})
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
