"""Every generic test on tables that keep its promise, and on tables that break it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb
import pytest
from conftest import PROJECT
from rendered import rendered

Row = tuple[object, ...]
Rows = Sequence[Row]


@dataclass(frozen=True)
class Table:
    """Rows of the tested model, and of the other table where the test reads one."""

    rows: Rows
    other: Rows = ()


@dataclass(frozen=True)
class Twins:
    """A generic test with its arguments, on valid tables and on invalid ones.

    Args:
        test: the generic test.
        columns: the tested model's columns as SQL.
        valid: tables in which the test must find nothing.
        invalid: tables in which it must find something: each with how many rows.
        arguments: the test's arguments.
        other: name and columns of the other table that the test reads.
    """

    test: str
    columns: str
    valid: Mapping[str, Table]
    invalid: Mapping[str, tuple[Table, int]]
    arguments: Mapping[str, object] = field(default_factory=dict)
    other: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        """What the tested model is called, one for each entry of TWINS."""
        return f"{self.test}_{TWINS.index(self)}"


def numbers(*values: object) -> Table:
    """A table of one column."""
    return Table([(value,) for value in values])


# Per period, of one survey type: the company, and two groups of it.
COUNTED = (
    "survey_type varchar, period_type varchar, period_start date, "
    "responses bigint, promoters bigint, passives bigint, detractors bigint"
)
JANUARY: Row = ("all", "month", "2026-01-01", 6, 3, 2, 1)
FEBRUARY: Row = ("all", "month", "2026-02-01", 4, 0, 4, 0)
COMPANY = [JANUARY, FEBRUARY]
GROUPS: list[Row] = [
    ("all", "month", "2026-01-01", 4, 2, 2, 0),
    ("all", "month", "2026-01-01", 2, 1, 0, 1),
    FEBRUARY,
]


def one_more(place: int) -> Rows:
    """The groups, with one more of the count at a place of February."""
    counts = [4, 0, 4, 0]
    counts[place] += 1
    return [*GROUPS[:2], ("all", "month", "2026-02-01", *counts)]


def of_both_levels(own: Rows, rollup: Rows) -> Rows:
    return [*((*row, False) for row in own), *((*row, True) for row in rollup)]


PERIOD_TYPES = ["day", "week", "month", "quarter", "year", "all"]
STAGED: list[Row] = [("r1",), ("r2",), ("r3",)]
# Several periods of a type share its answers.
PUBLISHED: list[Row] = [
    ("all", "day", 2),
    ("all", "day", 1),
    *(("all", period_type, 3) for period_type in PERIOD_TYPES[1:]),
    ("relational", "day", 1),
]

# Two invitations, counted in each scope and period type.
INVITED: list[Row] = [("i1", "2026-01-01"), ("i2", "2026-01-02")]
SCOPE_TYPES = ["company", "department", "channel", "survey_channel", "agent"]
SENT: list[Row] = [
    (scope_type, "all", period_type, 2)
    for scope_type in SCOPE_TYPES
    for period_type in PERIOD_TYPES
]

# Invitations and response rate of two days.
SHOWN = (
    "survey_type varchar, period_type varchar, period_start date, "
    "invitations bigint, response_rate double"
)
RATES: list[Row] = [
    ("all", "day", "2026-01-01", 4, 25.0),
    ("all", "day", "2026-01-02", 2, 50.0),
]


TWINS = [
    Twins(
        "adds_up_to_the_company",
        COUNTED,
        other=("nps_by_period", COUNTED),
        valid={
            "sums_agree": Table(GROUPS, COMPANY),
            "both_empty": Table([], []),
        },
        invalid={
            "no_groups": (Table([], COMPANY), 2),
            "no_company": (Table(GROUPS, []), 2),
            "a_group_is_missing": (Table(GROUPS[1:], COMPANY), 1),
            "a_group_is_there_twice": (Table([*GROUPS, GROUPS[0]], COMPANY), 1),
            "a_period_is_missing": (Table(GROUPS[:2], COMPANY), 1),
            "the_company_lacks_a_period": (Table(GROUPS, COMPANY[:1]), 1),
            "one_response_more": (Table(one_more(0), COMPANY), 1),
            "one_promoter_more": (Table(one_more(1), COMPANY), 1),
            "one_passive_more": (Table(one_more(2), COMPANY), 1),
            "one_detractor_more": (Table(one_more(3), COMPANY), 1),
            "of_another_survey_type": (
                Table([*GROUPS[:2], ("relational", *FEBRUARY[1:])], COMPANY),
                2,
            ),
            "of_another_period_type": (
                Table([*GROUPS[:2], ("all", "day", *FEBRUARY[2:])], COMPANY),
                2,
            ),
            "of_another_period": (
                Table([*GROUPS[:2], ("all", "month", "2026-03-01", 4, 0, 4, 0)], COMPANY),
                2,
            ),
            "of_no_survey_type": (Table([*GROUPS, (None, *FEBRUARY[1:])], COMPANY), 1),
        },
    ),
    Twins(
        "adds_up_to_the_company",
        f"{COUNTED}, is_rollup boolean",
        arguments={"only": "not is_rollup"},
        other=("nps_by_period", COUNTED),
        valid={
            "rollups_do_not_count": Table(of_both_levels(GROUPS, COMPANY), COMPANY),
            "no_rollups": Table(of_both_levels(GROUPS, []), COMPANY),
        },
        invalid={
            "only_rollups_add_up": (Table(of_both_levels(GROUPS[1:], COMPANY), COMPANY), 1),
            "rollups_alone": (Table(of_both_levels([], COMPANY), COMPANY), 2),
        },
    ),
    Twins(
        "adds_up_to_the_company",
        COUNTED,
        arguments={"periods": "period_start < date '2026-02-01'"},
        other=("nps_by_period", COUNTED),
        valid={"other_periods_are_not_looked_for": Table(GROUPS[:2], COMPANY)},
        invalid={
            "no_groups": (Table([], COMPANY), 1),
            "a_group_is_missing": (Table(GROUPS[1:2], COMPANY), 1),
        },
    ),
    Twins(
        "at_most",
        "part bigint, whole bigint",
        arguments={"column": "part", "whole": "whole"},
        valid={
            "less_or_equal": Table([(0, 0), (2, 3), (3, 3)]),
            # Absence is another test's.
            "nulls": Table([(None, 3), (3, None), (None, None)]),
            "empty": Table([]),
        },
        invalid={"more": (Table([(3, 3), (4, 3), (1, 0)]), 2)},
    ),
    Twins(
        "bands_cover",
        'band varchar, "above" double, up_to double',
        arguments={"above": '"above"', "up_to": "up_to", "lowest": -100, "highest": 100},
        valid={
            "end_to_end": Table([("a", -100, 0), ("b", 0, 50), ("c", 50, 100)]),
            "open_ends": Table([("c", 50, None), ("a", None, 0), ("b", 0, 50)]),
            "one_band": Table([("a", None, None)]),
        },
        invalid={
            "gap": (Table([("a", None, 0), ("b", 1, None)]), 1),
            "overlap": (Table([("a", None, 1), ("b", 0, None)]), 1),
            "begins_too_high": (Table([("a", -99, 0), ("b", 0, None)]), 1),
            "begins_too_low": (Table([("a", -101, 0), ("b", 0, None)]), 1),
            "ends_too_low": (Table([("a", None, 0), ("b", 0, 99.9)]), 1),
            "ends_too_high": (Table([("a", None, 0), ("b", 0, 101)]), 1),
            "of_no_width": (Table([("a", None, 0), ("b", 0, 0), ("c", 0, None)]), 1),
            "backwards": (Table([("a", 100, -100)]), 1),
            "twice_the_same": (Table([("a", None, None), ("b", None, None)]), 1),
            "open_in_the_middle": (Table([("a", None, 0), ("b", None, 50), ("c", 50, None)]), 1),
        },
    ),
    Twins(
        "bands_cover",
        'driver varchar, "above" double, up_to double',
        arguments={
            "above": '"above"',
            "up_to": "up_to",
            "lowest": -1e30,
            "highest": 1e30,
            "per": "driver",
        },
        valid={
            "each_its_own": Table([("a", None, 0), ("b", None, 5), ("a", 0, None), ("b", 5, None)]),
        },
        invalid={
            "gap_in_one": (
                Table([("a", None, 0), ("a", 0, None), ("b", None, 0), ("b", 1, None)]),
                1,
            ),
            "one_ends_where_another_begins": (Table([("a", None, 0), ("b", 0, None)]), 2),
        },
    ),
    Twins(
        "counts_every_accepted_response",
        "survey_type varchar, period_type varchar, responses bigint",
        other=("stg_survey_responses", "response_id varchar"),
        valid={
            "as_many": Table(PUBLISHED, STAGED),
            "both_empty": Table([], []),
        },
        invalid={
            "none_published": (Table([], STAGED), len(PERIOD_TYPES)),
            "none_staged": (Table(PUBLISHED, []), len(PERIOD_TYPES)),
            "one_staged_is_lost": (Table(PUBLISHED, [*STAGED, ("r4",)]), len(PERIOD_TYPES)),
            "one_day_is_missing": (Table(PUBLISHED[1:], STAGED), 1),
            "one_day_is_there_twice": (Table([*PUBLISHED, PUBLISHED[0]], STAGED), 1),
            "responses_are_null": (
                Table([*PUBLISHED[:-2], ("all", "all", None)], STAGED),
                1,
            ),
            "no_survey_type_pools_them": (
                Table([("transactional", *row[1:]) for row in PUBLISHED], STAGED),
                len(PERIOD_TYPES),
            ),
            **{
                f"no_{missing}": (
                    Table([row for row in PUBLISHED if row[1] != missing], STAGED),
                    1,
                )
                for missing in PERIOD_TYPES
            },
        },
    ),
    Twins(
        "counts_every_invitation",
        "scope_type varchar, survey_type varchar, period_type varchar, sent bigint",
        other=("categorized_survey_invitations", "invitation_id varchar, sent_date date"),
        valid={
            "as_many": Table(SENT, INVITED),
            "both_empty": Table([], []),
            "no_date_no_period": Table(SENT, [*INVITED, ("i3", None)]),
        },
        invalid={
            "none_counted": (Table([], INVITED), len(SENT)),
            "none_delivered": (Table(SENT, []), len(SENT)),
            "one_is_lost": (Table(SENT, [*INVITED, ("i3", "2026-01-01")]), len(SENT)),
            "a_scope_is_missing": (
                Table([row for row in SENT if row[0] != "agent"], INVITED),
                len(PERIOD_TYPES),
            ),
            "one_row_is_there_twice": (Table([*SENT, SENT[0]], INVITED), 1),
            "counts_are_null": (Table([*SENT[:-1], (*SENT[-1][:3], None)], INVITED), 1),
        },
    ),
    Twins(
        "every_contact_is_counted",
        "contacts bigint",
        other=("categorized_contacts", "contact_id varchar"),
        valid={
            "as_many": Table([(1,), (2,)], [("c1",), ("c2",), ("c3",)]),
            "both_empty": Table([], []),
        },
        invalid={
            "one_is_lost": (Table([(2,)], [("c1",), ("c2",), ("c3",)]), 1),
            "one_is_counted_twice": (Table([(2,), (2,)], [("c1",), ("c2",), ("c3",)]), 1),
            "none_counted": (Table([], [("c1",)]), 1),
            "none_accepted": (Table([(1,)], []), 1),
        },
    ),
    Twins(
        "every_key_in",
        "child varchar",
        arguments={"column": "child", "to": "ref('parents')", "field": "parent"},
        other=("parents", "parent varchar"),
        valid={
            "known": Table([("a",), ("b",), ("a",)], [("a",), ("b",), ("c",)]),
            "no_children": Table([], [("a",)]),
            "both_empty": Table([], []),
            "parents_with_a_null": Table([("a",)], [("a",), (None,)]),
        },
        invalid={
            "unknown": (Table([("a",), ("d",), ("d",)], [("a",)]), 1),
            "null": (Table([("a",), (None,)], [("a",)]), 1),
            "null_on_both_sides": (Table([(None,)], [(None,)]), 1),
            "unknown_beside_a_null_parent": (Table([("d",)], [("a",), (None,)]), 1),
            "no_parents": (Table([("a",), ("b",)], []), 2),
            "in_other_letters": (Table([("A",)], [("a",)]), 1),
        },
    ),
    Twins(
        "invitations_as_in_nps_by_period",
        f"scope_type varchar, {SHOWN}",
        other=("nps_by_period", SHOWN),
        valid={
            "the_same": Table([("company", *row) for row in RATES], RATES),
            "periods_without_answers": Table([("company", *row) for row in RATES], RATES[:1]),
            "other_scopes": Table(
                [*(("company", *row) for row in RATES), ("agent", *RATES[0][:3], 7, 1.0)], RATES
            ),
            "nobody_invited": Table([], [("all", "day", "2026-01-05", 0, None)]),
        },
        invalid={
            "a_period_is_missing": (Table([("company", *RATES[0])], RATES), 1),
            "of_another_scope": (Table([("agent", *row) for row in RATES], RATES), 2),
            "one_invitation_more": (
                Table([("company", *RATES[0][:3], 5, 25.0), ("company", *RATES[1])], RATES),
                1,
            ),
            "another_rate": (
                Table([("company", *RATES[0][:3], 4, 50.0), ("company", *RATES[1])], RATES),
                1,
            ),
            "no_rate": (
                Table([("company", *RATES[0][:3], 4, None), ("company", *RATES[1])], RATES),
                1,
            ),
        },
    ),
    Twins(
        "never_null",
        "a varchar, b bigint",
        arguments={"columns": ["a", "b"]},
        valid={"filled": Table([("", 0), ("x", 1)]), "empty": Table([])},
        invalid={
            "the_first": (Table([(None, 0), ("x", 1)]), 1),
            "the_last": (Table([("x", None), ("x", 1)]), 1),
            "both": (Table([(None, None), ("x", None)]), 2),
        },
    ),
    Twins(
        "never_null",
        "a varchar",
        arguments={"columns": ["a"]},
        valid={"filled": numbers("x")},
        invalid={"null": (numbers("x", None), 1)},
    ),
    Twins(
        "one_of",
        "word varchar",
        arguments={"column": "word", "words": ["promoter", "passive"]},
        valid={"the_words": numbers("promoter", "passive", "promoter"), "empty": numbers()},
        invalid={
            "another_word": (numbers("promoter", "detractor"), 1),
            "null": (numbers("promoter", None), 1),
            "empty_text": (numbers(""), 1),
            "in_other_letters": (numbers("Promoter", " passive"), 2),
        },
    ),
    Twins(
        "one_row_per",
        "a varchar, b bigint",
        arguments={"columns": ["a", "b"]},
        valid={
            "no_two_alike": Table([("x", 1), ("x", 2), ("y", 1)]),
            "one_null_each": Table([("x", None), ("y", None), (None, 1), (None, None)]),
            "empty": Table([]),
        },
        invalid={
            "twice": (Table([("x", 1), ("x", 1), ("x", 2)]), 1),
            "null_twice": (Table([("x", None), ("x", None)]), 1),
            "two_that_repeat": (Table([("x", 1), ("y", 1)] * 3), 2),
        },
    ),
    Twins(
        "one_row_per",
        "alias varchar",
        arguments={"columns": ["lower(trim(alias))"]},
        valid={"spellings": numbers("phone", "voice")},
        invalid={"alike_but_for_case_and_blanks": (numbers("phone", " Phone"), 1)},
    ),
    Twins(
        "one_value_per",
        "theme varchar, family varchar, owner varchar",
        arguments={"key": "theme", "columns": ["family", "owner"]},
        valid={
            "one_each": Table([("x", "a", "o"), ("x", "a", "o"), ("y", "b", "p")]),
            "nobody_owns_it": Table([("x", "a", None), ("x", "a", None)]),
            "empty": Table([]),
        },
        invalid={
            "two_families": (Table([("x", "a", "o"), ("x", "b", "o"), ("y", "a", "o")]), 1),
            "owned_in_one_row": (Table([("x", "a", "o"), ("x", "a", None)]), 1),
            "two_owners": (Table([("x", "a", "o"), ("x", "a", "p")] * 2), 1),
        },
    ),
    Twins(
        "parts_add_up",
        "responses bigint, promoters bigint, detractors bigint",
        arguments={"total": "responses", "parts": ["promoters", "detractors"]},
        valid={"sums": Table([(3, 1, 2), (0, 0, 0)]), "empty": Table([])},
        invalid={
            "too_few": (Table([(3, 1, 1), (3, 1, 2)]), 1),
            "too_many": (Table([(3, 2, 2)]), 1),
            "no_total": (Table([(None, 1, 2)]), 1),
            "a_part_is_null": (Table([(3, 3, None), (3, None, 3)]), 2),
            "all_null": (Table([(None, None, None)]), 1),
        },
    ),
    Twins(
        "row_count_is",
        "a bigint",
        arguments={"rows": 2},
        valid={"as_many": numbers(1, 2), "nulls_are_rows": numbers(None, None)},
        invalid={
            "one_less": (numbers(1), 1),
            "one_more": (numbers(1, 2, 3), 1),
            "empty": (numbers(), 1),
        },
    ),
    Twins(
        "row_count_is",
        "a bigint",
        arguments={"rows": 0},
        valid={"empty": numbers()},
        invalid={"one": (numbers(1), 1)},
    ),
    Twins(
        "within",
        "a double",
        arguments={"column": "a", "at_least": -100, "at_most": 100},
        valid={
            "both_ends": numbers(-100, 0, 100),
            "nulls": numbers(None, None),
            "empty": numbers(),
        },
        invalid={
            "below": (numbers(-100.001, 0), 1),
            "above": (numbers(100.001, None), 1),
            "no_number": (numbers(math.nan, 0), 1),
            "infinite": (numbers(math.inf, -math.inf), 2),
        },
    ),
]


@pytest.fixture(scope="module")
def sql(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The SQL of each entry of TWINS, all rendered in one go, by its name."""
    # None of these models is ever built: the test of a table makes the table.
    models = {twins.name: "select 1" for twins in TWINS}
    models |= {twins.other[0]: "select 1" for twins in TWINS if twins.other}
    properties = [
        {
            "name": twins.name,
            "data_tests": [
                {twins.test: {"name": f"test_{twins.name}", "arguments": twins.arguments}}
            ],
        }
        for twins in TWINS
    ]
    folder = tmp_path_factory.mktemp("generic")
    return rendered(folder, models, properties={"models": properties})


def found(sql: Mapping[str, str], twins: Twins, table: Table) -> list[Row]:
    """The rows that a generic test finds in a table."""
    tables = [(twins.name, twins.columns, table.rows)]
    if twins.other is not None:
        tables.append((*twins.other, table.other))
    with duckdb.connect() as connection:
        for name, columns, rows in tables:
            connection.execute(f"create table {name} ({columns})")
            for row in rows:
                places = ", ".join("?" for _ in row)
                connection.execute(f"insert into {name} values ({places})", row)
        return connection.execute(sql[f"test_{twins.name}"]).fetchall()


@pytest.mark.parametrize(
    ("twins", "table"),
    [
        pytest.param(twins, table, id=f"{twins.name}-{case}")
        for twins in TWINS
        for case, table in twins.valid.items()
    ],
)
def test_valid_twin(sql: dict[str, str], twins: Twins, table: Table) -> None:
    assert found(sql, twins, table) == []


@pytest.mark.parametrize(
    ("twins", "table", "breaches"),
    [
        pytest.param(twins, table, breaches, id=f"{twins.name}-{case}")
        for twins in TWINS
        for case, (table, breaches) in twins.invalid.items()
    ],
)
def test_invalid_twin(sql: dict[str, str], twins: Twins, table: Table, breaches: int) -> None:
    assert breaches > 0
    assert len(found(sql, twins, table)) == breaches


def test_every_generic_test_has_both_twins() -> None:
    files = sorted((PROJECT / "tests" / "generic").rglob("*.sql"))
    shipped = [
        name
        for file in files
        for name in re.findall(r"\{%-?\s*test\s+(\w+)", file.read_text(encoding="utf-8"))
    ]
    assert len(shipped) >= len(files) > 0
    assert {twins.test for twins in TWINS if twins.valid} == set(shipped)
    assert {twins.test for twins in TWINS if twins.invalid} == set(shipped)
