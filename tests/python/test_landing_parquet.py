"""Parquet files are presented as raw tables, typed where the contract says so, without a copy."""

from __future__ import annotations

import datetime as dt
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from nps_warehouse.landing.land import land
from nps_warehouse.landing.report import Report

ZONED = dt.datetime(2025, 3, 30, 2, 30, tzinfo=dt.UTC)
NAIVE = ZONED.replace(microsecond=123456, tzinfo=None)
MIDNIGHT = ZONED.replace(hour=0, minute=0, tzinfo=None)
TIMESTAMPTZ = "TIMESTAMP WITH TIME ZONE"

Rows = list[tuple[Any, ...]]


class Delivery:
    """Required tables as CSV; tests add Parquet files of the table customers and others."""

    def __init__(self, folder: Path) -> None:
        self.raw = folder
        (folder / "contacts.csv").write_text("contact_id,department_id,channel,started_at\n1,1,,\n")
        (folder / "departments.csv").write_text("department_id,department_name\n1,N\n")
        (folder / "survey_responses.csv").write_text("response_id,score,responded_at\n1,9,\n")
        self.connection = duckdb.connect()
        self.connection.execute("set TimeZone = 'America/New_York'")

    def write(self, name: str, **columns: pa.Array) -> None:
        path = self.raw / name
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pa.table(columns), path)

    def land(self) -> Report:
        return land(self.connection, str(self.raw))

    def rows(self, query: str) -> Rows:
        report = self.land()
        assert report.errors == []
        return self.connection.execute(query).fetchall()

    def problem(self) -> str:
        report = self.land()
        assert len(report.errors) == 1, report.errors
        return report.errors[0]


@pytest.fixture
def delivery(tmp_path: Path) -> Delivery:
    return Delivery(tmp_path)


def test_rows_and_provenance(delivery: Delivery) -> None:
    delivery.write("customers/b.parquet", customer_id=pa.array(["c"]))
    delivery.write(
        "customers/sub.parquet", region=pa.array(["x", "y"]), Customer_ID=pa.array([1, 2])
    )
    assert delivery.rows(
        "select customer_id, region, _source_file, _source_row, _line_error "
        "from raw.customers order by all"
    ) == [
        ("1", "x", "customers/sub.parquet", 1, None),
        ("2", "y", "customers/sub.parquet", 2, None),
        ("c", None, "customers/b.parquet", 1, None),
    ]
    files = delivery.rows(
        "select source_file, file_format, records, length(sha256) from raw._files "
        "where table_name = 'customers'"
    )
    assert files == [
        ("customers/b.parquet", "parquet", 1, 64), ("customers/sub.parquet", "parquet", 2, 64),
    ]  # fmt: skip


def test_many_files_of_one_schema_are_numbered_each(delivery: Delivery) -> None:
    for number in range(30):
        ids = [f"{number}-{row}" for row in range(1, 4)]
        delivery.write(f"customers/{number:02}.parquet", customer_id=pa.array(ids))
    rows = delivery.rows("select customer_id, _source_file, _source_row from raw.customers")
    assert len(rows) == 90
    for customer_id, file, row in rows:
        assert customer_id == f"{int(file[10:12])}-{row}"


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array(["  x ", "", None]), ["  x ", "", None]),
        (pa.array([1, -2, None], pa.int8()), ["1", "-2", None]),
        (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
        (pa.array([3074457347487777543]), ["3074457347487777543"]),
        (pa.array([7.0, 2.0**53 - 1, -3.0, -0.0]), ["7", "9007199254740991", "-3", "0"]),
        (pa.array([8.5, float("nan"), None]), ["8.5", None, None]),
        (pa.array([1e-7, -2.5e-10]), ["0.0000001", "-0.00000000025"]),
        (pa.array([8.1, 9.0, 2.0**24 - 1], pa.float32()), ["8.1", "9", "16777215"]),
        (pa.array([Decimal("9.00"), Decimal("9.50"), Decimal("-0.25")]), ["9", "9.50", "-0.25"]),
        (pa.array([Decimal(10) ** 30], pa.decimal128(31, 0)), ["1" + "0" * 30]),
        (pa.array([True, False, None]), ["true", "false", None]),
        (pa.array(["é😀".encode(), None]), ["é😀", None]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
        (pa.array([dt.date(2025, 1, 2)]), ["2025-01-02"]),
        (pa.array([ZONED]), ["2025-03-30 02:30:00Z"]),
        (pa.array([[1, 2]]), ["[1, 2]"]),
        (pa.array([{"a": 1}]), ["{'a': 1}"]),
        (pa.nulls(2), [None, None]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
@pytest.mark.parametrize("column", ["customer_id", "segment"])
def test_keys_and_text_are_text(
    delivery: Delivery, column: str, array: pa.Array, expected: list[str | None]
) -> None:
    other = "segment" if column == "customer_id" else "customer_id"
    blank = pa.array(["k"] * len(array))
    delivery.write("customers.parquet", **{column: array, other: blank})
    query = f"select {column}, typeof({column}) from raw.customers order by _source_row"
    assert delivery.rows(query) == [(value, "VARCHAR") for value in expected]


def test_great_floats_in_text_have_all_their_digits(delivery: Delivery) -> None:
    delivery.write("customers.parquet", customer_id=pa.array(["k"]), segment=pa.array([1e20]))
    assert delivery.rows("select segment from raw.customers") == [("100000000000000000000",)]


@pytest.mark.parametrize(
    ("type_", "value", "shown"),
    [
        (pa.float64(), 2.0**53, "9007199254740992"),
        (pa.float64(), -(2.0**60), "-1152921504606846976"),
        (pa.float32(), 2.0**24, "16777216"),
    ],
)
def test_float_keys_that_may_have_lost_digits(
    delivery: Delivery, type_: pa.DataType, value: float, shown: str
) -> None:
    delivery.write("customers/a.parquet", customer_id=pa.array([1.0, float("nan")], type_))
    delivery.write("customers/b.parquet", customer_id=pa.array([1.0, None, value], type_))
    problem = delivery.problem()
    for part in ["table customers", "customers/b.parquet", "customer_id", shown]:
        assert part in problem


def test_float_links_are_checked_too(delivery: Delivery) -> None:
    (delivery.raw / "contacts.csv").unlink()
    text = pa.array(["x"])
    delivery.write(
        "contacts.parquet", contact_id=text, department_id=text, channel=text, started_at=text,
        customer_id=pa.array([1e17]),
    )  # fmt: skip
    assert "customer_id" in delivery.problem()


def test_integers_keep_their_digits_beside_a_file_of_floats(delivery: Delivery) -> None:
    delivery.write("customers/a.parquet", customer_id=pa.array([3074457347487777543]))
    delivery.write("customers/b.parquet", customer_id=pa.array([5.0]))
    delivery.write("customers/c.parquet", customer_id=pa.array(["x"]))
    assert delivery.rows("select customer_id from raw.customers order by _source_file") == [
        ("3074457347487777543",), ("5",), ("x",),
    ]  # fmt: skip


def typed(delivery: Delivery, column: str) -> Rows:
    return delivery.rows(
        f"select {column}, typeof({column}) from raw.customers order by _source_file, _source_row"
    )


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([NAIVE]), (NAIVE, "TIMESTAMP")),
        (pa.array([NAIVE], pa.timestamp("ns")), (NAIVE, "TIMESTAMP")),
        (pa.array([ZONED.replace(tzinfo=None)], pa.timestamp("ms")),
         (ZONED.replace(tzinfo=None), "TIMESTAMP")),
        (pa.array([MIDNIGHT.date()]), (MIDNIGHT, "TIMESTAMP")),
        (pa.array(["2025-01-02T03:04:05Z"]), ("2025-01-02T03:04:05Z", "VARCHAR")),
        (pa.array([20250102]), ("20250102", "VARCHAR")),
        (pa.array([42075.0]), ("42075", "VARCHAR")),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)  # fmt: skip
def test_timestamps(delivery: Delivery, array: pa.Array, expected: tuple[object, str]) -> None:
    delivery.write("customers.parquet", customer_id=pa.array(["k"]), updated_at=array)
    assert typed(delivery, "updated_at") == [expected]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_zoned_timestamps(delivery: Delivery, unit: str) -> None:
    array = pa.array([ZONED], pa.timestamp(unit, "Europe/Amsterdam"))
    delivery.write("customers.parquet", customer_id=pa.array(["k"]), updated_at=array)
    assert typed(delivery, "epoch_us(updated_at)")[0][0] == int(ZONED.timestamp()) * 1_000_000
    assert typed(delivery, "updated_at::text")[0][0] == "2025-03-29 22:30:00-04"
    types = delivery.rows("select typeof(updated_at) from raw.customers")
    assert types == [(TIMESTAMPTZ,)]


def test_timestamps_that_differ_are_text(delivery: Delivery) -> None:
    key = pa.array(["k"])
    delivery.write("customers/a.parquet", customer_id=key, updated_at=pa.array([NAIVE]))
    delivery.write("customers/b.parquet", customer_id=key, updated_at=pa.array([ZONED]))
    delivery.write("customers/c.parquet", customer_id=key, updated_at=pa.array(["soon"]))
    delivery.write("customers/d.parquet", customer_id=key)
    day = pa.array([dt.date(2025, 1, 2)])
    delivery.write("customers/e.parquet", customer_id=key, updated_at=day)
    assert typed(delivery, "updated_at") == [
        ("2025-03-30 02:30:00.123456", "VARCHAR"),
        ("2025-03-30 02:30:00Z", "VARCHAR"),
        ("soon", "VARCHAR"),
        (None, "VARCHAR"),
        ("2025-01-02", "VARCHAR"),
    ]


def test_a_file_without_the_column_changes_no_type(delivery: Delivery) -> None:
    key = pa.array(["k"])
    delivery.write("customers/a.parquet", customer_id=key)
    delivery.write("customers/b.parquet", customer_id=key, updated_at=pa.array([ZONED]))
    types = {type_ for _, type_ in typed(delivery, "updated_at")}
    assert types == {TIMESTAMPTZ}


def test_csv_beside_parquet_makes_all_text(delivery: Delivery) -> None:
    delivery.write(
        "customers/b.parquet", customer_id=pa.array([1]), updated_at=pa.array([NAIVE]),
        email=pa.array(["x"]),
    )  # fmt: skip
    (delivery.raw / "customers" / "a.csv").write_text("updated_at,customer_id\n2025-01-01,7\n")
    assert delivery.rows(
        "select customer_id, updated_at, _source_file, _source_row from raw.customers order by 3"
    ) == [
        ("7", "2025-01-01", "customers/a.csv", 1),
        ("1", "2025-03-30 02:30:00.123456", "customers/b.parquet", 1),
    ]
    warnings = delivery.land().warnings
    assert len(warnings) == 1
    assert warnings[0].startswith("table customers: columns that are ignored")
    assert warnings[0].endswith(" email.")


def numbers(delivery: Delivery, *arrays: pa.Array | None) -> Rows:
    for index, array in enumerate(arrays):
        columns = {"customer_id": pa.array(["k"]), "month": pa.array(["2025-01-01"])}
        if array is not None:
            columns["revenue"] = array
        delivery.write(f"customer_revenue/{index}.parquet", **columns)
    return delivery.rows(
        "select revenue, typeof(revenue) from raw.customer_revenue order by _source_file"
    )


def test_numbers_are_double(delivery: Delivery) -> None:
    arrays = pa.array([1]), pa.array([2.5]), pa.array([Decimal("3.25")]), None
    assert numbers(delivery, *arrays) == [
        (1.0, "DOUBLE"), (2.5, "DOUBLE"), (3.25, "DOUBLE"), (None, "DOUBLE"),
    ]  # fmt: skip


def test_numbers_beside_text_are_text(delivery: Delivery) -> None:
    arrays = pa.array([1]), pa.array([2.0]), pa.array(["many"]), pa.array([True])
    assert [row[0] for row in numbers(delivery, *arrays)] == ["1", "2", "many", "true"]


def test_a_number_that_is_none_is_null(delivery: Delivery) -> None:
    assert numbers(delivery, pa.array([float("nan")])) == [(None, "DOUBLE")]


def test_bytes_that_are_no_text_reject_the_row(delivery: Delivery) -> None:
    delivery.write(
        "customers.parquet", customer_id=pa.array([b"a", b"\xff"]), region=pa.array(["x", "y"])
    )
    assert delivery.rows(
        "select customer_id, region, _line_error from raw.customers order by _source_row"
    ) == [("a", "x", None), (None, None, "invalid UTF-8")]


def test_columns_named_like_what_duckdb_adds(delivery: Delivery) -> None:
    key = pa.array(["a", "b"])
    extra = pa.array(["p", "q"])
    delivery.write(
        "customers/a.parquet", customer_id=key, file_row_number=extra, filename=extra, rowid=extra
    )
    delivery.write("customers/b.parquet", customer_id=key, file_row_number=extra)
    rows = delivery.rows("select customer_id, _source_file, _source_row from raw.customers")
    assert sorted(rows) == [
        ("a", "customers/a.parquet", 1), ("a", "customers/b.parquet", 1),
        ("b", "customers/a.parquet", 2), ("b", "customers/b.parquet", 2),
    ]  # fmt: skip


def test_rows_are_numbered_where_a_build_keeps_no_order(delivery: Delivery) -> None:
    """Such a file's rows are counted as they come; builds read files in several threads."""
    count = 500_000
    number = pa.array(range(count))
    delivery.connection.execute("set preserve_insertion_order = false")
    delivery.write("customers/counted.parquet", customer_id=number, file_row_number=number)
    delivery.write("customers/numbered.parquet", customer_id=number)
    assert delivery.land().errors == []
    delivery.connection.execute("create table parsed as select * from raw.customers")
    assert delivery.connection.execute(
        "select count(*), count_if(cast(customer_id as bigint) + 1 = _source_row) from parsed"
    ).fetchone() == (2 * count, 2 * count)


def test_nested_columns_do_not_hide_later_ones(delivery: Delivery) -> None:
    nested = pa.array([{"customer_id": 1, "more": {"x": [1]}}])
    delivery.write("customers.parquet", tags=nested, customer_id=pa.array(["k"]), region=nested)
    rows = delivery.rows("select customer_id, region from raw.customers")
    assert rows == [("k", "{'customer_id': 1, 'more': {'x': [1]}}")]


def test_names_alike(delivery: Delivery) -> None:
    delivery.write(
        "customers.parquet", **{"customer_id": pa.array([1]), " Customer_ID": pa.array([1])}
    )
    assert "two columns named customer_id" in delivery.problem()


def test_missing_column(delivery: Delivery) -> None:
    delivery.write("customers.parquet", id=pa.array([1]), Region=pa.array(["x"]))
    problem = delivery.problem()
    assert "customers.parquet lacks the required column customer_id" in problem
    assert "Found there: id, region" in problem


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"", "0 bytes"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "`git lfs pull`"),
        (b"customer_id\n1\n", "not a Parquet file"),
        (b"PAR1", "not a Parquet file"),
        (b"PAR1" + b"\0" * 40 + b"PAR1", "not a Parquet file that can be read"),
    ],
)
def test_files_that_are_no_parquet(delivery: Delivery, data: bytes, part: str) -> None:
    (delivery.raw / "customers.parquet").write_bytes(data)
    problem = delivery.problem()
    assert "table customers: file customers.parquet" in problem
    assert part in problem


def test_no_rows_is_a_warning(delivery: Delivery) -> None:
    delivery.write("customers.parquet", customer_id=pa.array([], pa.string()))
    assert delivery.rows("select count(*) from raw.customers") == [(0,)]
    assert "customers.parquet has a header and no rows" in delivery.land().warnings[0]


def test_nothing_is_copied_and_columns_are_pruned(delivery: Delivery) -> None:
    delivery.write(
        "customers.parquet", customer_id=pa.array([1]), region=pa.array(["x"]),
        segment=pa.array(["y"]),
    )  # fmt: skip
    delivery.land()
    tables = delivery.connection.execute("select table_name from duckdb_tables()").fetchall()
    assert ("_csv_customers",) not in tables
    plan = delivery.connection.execute("explain select customer_id from raw.customers").fetchall()
    assert "region" not in plan[0][1]
    assert "segment" not in plan[0][1]


def test_relative_file_of_a_vanished_parquet_leaves_nothing(delivery: Delivery) -> None:
    delivery.write("customers/a.parquet", customer_id=pa.array([1]))
    delivery.write("customers/b.parquet", customer_id=pa.array([2]))
    delivery.land()
    (delivery.raw / "customers" / "a.parquet").unlink()
    assert delivery.rows("select customer_id from raw.customers") == [("2",)]
    files = "select source_file from raw._files where table_name = 'customers'"
    assert delivery.rows(files) == [("customers/b.parquet",)]


def test_a_file_written_over_within_a_second_is_read_anew(delivery: Delivery) -> None:
    """DuckDB keeps what it has read of a file while its size and the second of its time stay."""
    moment = (1_700_000_000, 1_700_000_000)
    path = delivery.raw / "customers.parquet"
    sizes = set()
    for region in ("north", "south"):
        delivery.write("written.parquet", customer_id=pa.array(["c"]), region=pa.array([region]))
        # In place: the file stays the same one to the file system, too.
        path.write_bytes((delivery.raw / "written.parquet").read_bytes())
        os.utime(path, moment)
        sizes.add(path.stat().st_size)
        found = delivery.rows(f"select customer_id from raw.customers where region = '{region}'")
        assert found == [("c",)], region
    assert len(sizes) == 1
