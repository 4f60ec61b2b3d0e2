"""Whether two warehouses hold the same marts: ``python -m … PROJECT BY_HAND [TABLE …]``.

Prints JSON: rows per table, and what differs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import duckdb

MUST_HAVE = (
    *("dim_agents", "dim_channels", "dim_customers", "dim_dates", "dim_departments"),
    *("fct_contacts", "fct_survey_invitations", "fct_survey_responses"),
    *("nps_by_agent", "nps_by_channel", "nps_by_contact_reason", "nps_by_department"),
    *("nps_by_department_channel", "nps_by_hour", "nps_by_language", "nps_by_period"),
    *("nps_by_product_line", "nps_by_segment", "nps_by_site", "nps_by_survey_channel"),
)
"""The marts of the output contract, which both have to hold."""

TOLERANCE = 1e-9
"""How far two floating-point numbers may be apart, in their own unit."""


@dataclass
class Comparison:
    """Rows of every mart of the first warehouse, and one sentence per difference."""

    rows: dict[str, int] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)


def compare(project: Path, by_hand: Path, tables: Sequence[str] = MUST_HAVE) -> Comparison:
    """Compare marts in two DuckDB files.

    Column order does not count and row order does not; names, types and values do.

    Args:
        project: one file.
        by_hand: the other.
        tables: the marts that both have to hold.

    Raises:
        duckdb.Error: a file cannot be read.
    """
    result = Comparison()
    with duckdb.connect() as connection:
        for name, file in (("project", project), ("by_hand", by_hand)):
            quoted = str(file).replace("'", "''")
            connection.execute(f"attach '{quoted}' as {name} (read_only)")
        for table in tables:
            columns, other = (_columns(connection, name, table) for name in ("project", "by_hand"))
            if not columns or columns != other:
                unlike = sorted(f"{c} {t}" for c, t in set(columns.items()) ^ set(other.items()))
                result.differences.append(
                    f"{table}: columns are not the same: {', '.join(unlike) or 'none in either'}"
                )
                continue
            rows = connection.execute(f"select count(*) from project.marts.{table}").fetchone()
            assert rows is not None
            result.rows[table] = int(rows[0])
            unmatched = _unmatched(connection, table, columns)
            if any(unmatched):
                result.differences.append(
                    f"{table}: {unmatched[0]} rows of the project's are not in the one by hand, "
                    f"{unmatched[1]} the other way"
                )
    return result


def _columns(connection: duckdb.DuckDBPyConnection, name: str, table: str) -> dict[str, str]:
    rows = connection.execute(
        "select column_name, data_type from duckdb_columns() "
        "where database_name = $1 and schema_name = 'marts' and table_name = $2 "
        "order by column_name",
        [name, table],
    ).fetchall()
    return {str(column): str(type_) for column, type_ in rows}


def _unmatched(
    connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str]
) -> tuple[int, int]:
    """Rows of either table without an equal one in the other."""
    listed = ", ".join(f'"{column}"' for column in columns)
    # Equal tables, which is the rule, are told by one reading of each.
    prints = [
        connection.execute(
            f"select count(*), bit_xor(hash({listed})), sum(cast(hash({listed}) as hugeint)) "
            f"from {name}.marts.{table}"
        ).fetchone()
        for name in ("project", "by_hand")
    ]
    if prints[0] == prints[1]:
        return (0, 0)
    for left, right in (("project", "by_hand"), ("by_hand", "project")):
        connection.execute(
            f"create or replace temp table only_{left} as "
            f"select {listed} from {left}.marts.{table} "
            f"except all select {listed} from {right}.marts.{table}"
        )
    floating = [f'"{column}"' for column, type_ in columns.items() if type_ == "DOUBLE"]
    exact = [f'"{column}"' for column, type_ in columns.items() if type_ != "DOUBLE"]
    alike = [f"l.{column} is not distinct from r.{column}" for column in exact] + [
        f"(l.{column} is not distinct from r.{column} "
        f"or abs(l.{column} - r.{column}) <= {TOLERANCE})"
        for column in floating
    ]
    counts = []
    for left, right in (("project", "by_hand"), ("by_hand", "project")):
        row = connection.execute(
            f"select count(*) from only_{left} as l "
            f"where not exists (select 1 from only_{right} as r where {' and '.join(alike)})"
        ).fetchone()
        assert row is not None
        counts.append(int(row[0]))
    sizes = connection.execute(
        "select (select count(*) from only_project) - (select count(*) from only_by_hand)"
    ).fetchone()
    assert sizes is not None
    # A row too many in one table may still be like one in the other.
    return (max(counts[0], int(sizes[0])), max(counts[1], -int(sizes[0])))


if __name__ == "__main__":
    print(
        json.dumps(asdict(compare(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] or MUST_HAVE)))
    )
