"""Every declared expectation catches what it is for, and lets a clean delivery pass.

The library that judges takes seconds to import: it is imported by fixtures, so that only the worker
that runs this module waits for it.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gate_cases import (
    MARTS_CASES,
    NOW,
    RAW_CASES,
    Delivery,
    clean_delivery,
    write_warehouse,
)
from nps_warehouse.gates.expectations import (
    EXPECTATIONS_DIR,
    Declaration,
    Expectation,
    load,
)
from nps_warehouse.gates.figure import to_frame

if TYPE_CHECKING:
    from nps_warehouse.gates.judge import Outcome
    from nps_warehouse.gates.report import Result

RAW = load(EXPECTATIONS_DIR / "raw.yml")
MARTS = load(EXPECTATIONS_DIR / "marts.yml")
BY_ID = {e.id: (d, e) for d in (RAW, MARTS) for e in d.expectations}
BOUNDLESS = {"min_value": -1e300, "max_value": 1e300}
IMPOSSIBLE = {"min_value": 1e300}


def judged(declaration: Declaration, result: Result, volume: float | None = None) -> list[Outcome]:
    """The figures of a run held against other expectations, or as if they rested on less."""
    from nps_warehouse.gates.judge import judge

    figures = result.seen
    if volume is not None:
        figures = tuple(replace(figure, volume=volume) for figure in figures)
    return judge(declaration, to_frame(figures))


def with_arguments(declaration: Declaration, arguments: dict[str, float]) -> Declaration:
    """The same expectations with other bounds."""
    return replace(
        declaration,
        expectations=tuple(replace(e, arguments=arguments) for e in declaration.expectations),
    )


def failed(outcomes: list[Outcome] | tuple[Outcome, ...]) -> set[str]:
    return {outcome.expectation.id for outcome in outcomes if outcome.failures}


class Gates:
    """Runs of both gates, each case once, each compared with the clean one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.results: dict[str, Result] = {}
        self.clean = {
            "raw": self.run_raw("clean", lambda _: None),
            "marts": self.run_marts("clean"),
        }

    def run_raw(
        self, name: str, spoil: Callable[[Delivery], None], state: str = "runs.jsonl"
    ) -> Result:
        from nps_warehouse.gates.run import Options, check_raw

        delivery = clean_delivery()
        spoil(delivery)
        raw_dir = delivery.write(self.folder / "raw" / name)
        options = Options(EXPECTATIONS_DIR / "raw.yml", self.folder / state, None, delivery.now)
        return check_raw(raw_dir, None, options)

    def run_marts(self, name: str, *spoil: str, state: str = "runs.jsonl") -> Result:
        from nps_warehouse.gates.run import Options, check_marts

        file = write_warehouse(self.folder / f"{name}.duckdb", *spoil)
        options = Options(EXPECTATIONS_DIR / "marts.yml", self.folder / state, None, NOW)
        return check_marts(file, options)

    def spoiled(self, id_: str) -> Result:
        """The run of the case of an expectation."""
        if id_ not in self.results:
            # A warning is accepted: it would be what the next case is compared with.
            state = self.folder / f"{id_}.jsonl"
            state.write_text((self.folder / "clean.jsonl").read_text())
            if id_ in RAW_CASES:
                self.results[id_] = self.run_raw(id_, RAW_CASES[id_].spoil, state.name)
            else:
                self.results[id_] = self.run_marts(id_, MARTS_CASES[id_].spoil, state=state.name)
        return self.results[id_]


@pytest.fixture(scope="module", autouse=True)
def library() -> None:
    # What the library itself imports is deprecated; that is not ours to mend.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import nps_warehouse.gates.judge  # noqa: F401 - the import is what is wanted


@pytest.fixture(scope="module")
def gates(library: None, tmp_path_factory: pytest.TempPathFactory) -> Gates:  # noqa: ARG001
    found = Gates(tmp_path_factory.mktemp("gates"))
    (found.folder / "clean.jsonl").write_text((found.folder / "runs.jsonl").read_text())
    # Once more, now that there is an earlier run to compare with.
    found.clean = {
        "raw": found.run_raw("clean again", lambda _: None),
        "marts": found.run_marts("clean again"),
    }
    return found


def test_every_expectation_has_its_case() -> None:
    assert [e.id for e in RAW.expectations] == list(RAW_CASES)
    assert [e.id for e in MARTS.expectations] == list(MARTS_CASES)


def test_every_figure_is_expected_something_of() -> None:
    for declaration in (RAW, MARTS):
        assert set(declaration.figures) == {e.figure for e in declaration.expectations}


@pytest.mark.parametrize("id_", BY_ID)
def test_case_is_caught(gates: Gates, id_: str) -> None:
    result = gates.spoiled(id_)
    also = RAW_CASES[id_].also if id_ in RAW_CASES else MARTS_CASES[id_].also
    assert failed(result.outcomes) == {id_, *also}
    severities = {BY_ID[one][1].severity for one in failed(result.outcomes)}
    assert result.exit_code == (3 if "critical" in severities else 0)


@pytest.mark.parametrize("id_", BY_ID)
def test_clean_is_judged_and_passes(gates: Gates, id_: str) -> None:
    (outcome,) = (
        outcome
        for outcome in gates.clean[BY_ID[id_][0].gate].outcomes
        if outcome.expectation.id == id_
    )
    assert outcome.judged > 0
    assert not outcome.failures


def test_clean_publishes(gates: Gates) -> None:
    assert [result.exit_code for result in gates.clean.values()] == [0, 0]


@pytest.mark.parametrize("id_", BY_ID)
def test_loosened_expectation_is_noticed(gates: Gates, id_: str) -> None:
    """With bounds that nothing exceeds, the case above is not caught any more."""
    declaration, expectation = BY_ID[id_]
    loosened = with_arguments(replace(declaration, expectations=(expectation,)), BOUNDLESS)
    assert failed(judged(loosened, gates.spoiled(id_))) == set()


def test_tightened_expectations_are_noticed(gates: Gates) -> None:
    """With bounds that everything exceeds, no clean run passes any more."""
    for declaration in (RAW, MARTS):
        tightened = with_arguments(declaration, IMPOSSIBLE)
        outcomes = judged(tightened, gates.clean[declaration.gate])
        assert failed(outcomes) == {e.id for e in declaration.expectations}


@pytest.mark.parametrize("id_", [e.id for _, e in BY_ID.values() if e.minimum_volume])
def test_too_little_is_not_judged(gates: Gates, id_: str) -> None:
    declaration, expectation = BY_ID[id_]
    alone = replace(declaration, expectations=(expectation,))
    (outcome,) = judged(alone, gates.spoiled(id_), expectation.minimum_volume)
    assert outcome.failures
    assert outcome.too_small == 0
    (outcome,) = judged(alone, gates.spoiled(id_), expectation.minimum_volume - 1)
    assert not outcome.failures
    assert outcome.judged == 0
    assert outcome.too_small > 0


@pytest.mark.parametrize(
    ("arguments", "inside", "outside"),
    [
        ({"min_value": 2}, [2, 2.5], [1.999, float("-inf")]),
        ({"max_value": 2}, [2, 1.5], [2.001, float("inf"), float("nan")]),
        ({"min_value": 1, "max_value": 2}, [1, 2], [0.999, 2.001]),
    ],
)
def test_bounds_are_inside(
    arguments: dict[str, float], inside: list[float], outside: list[float]
) -> None:
    from nps_warehouse.gates.figure import Figure
    from nps_warehouse.gates.judge import judge

    one = Expectation(
        "one", "f", "expect_column_values_to_be_between", arguments, "critical", "", "", ""
    )
    declaration = Declaration("raw", {"f": ""}, (one,), {})
    figures = [Figure("f", "t", value, part=str(value)) for value in inside + outside]
    (outcome,) = judge(declaration, to_frame(figures))
    assert {failure.part for failure in outcome.failures} == {str(value) for value in outside}
    assert outcome.judged == len(figures)


def outcome_of(result: Result, id_: str) -> Outcome:
    return next(outcome for outcome in result.outcomes if outcome.expectation.id == id_)


@pytest.mark.parametrize(
    ("id_", "keys"),
    [
        # Every 500th row of 672, counted from 1.
        ("text_is_utf_8", "survey_responses.csv: 1, 501"),
        ("text_is_not_garbled", "survey_responses.csv: 1, 101, 201, 301, 401, 501, 601"),
        ("scores_are_on_their_scale", "response_id: R7"),
        ("effort_is_on_its_scale", "response_id: R9"),
    ],
)
def test_failing_rows_are_named(gates: Gates, id_: str, keys: str) -> None:
    (failure,) = outcome_of(gates.spoiled(id_), id_).failures
    assert failure.keys == keys


def test_many_failing_rows_are_named_up_to_twenty(gates: Gates) -> None:
    (failure,) = outcome_of(gates.spoiled("scores_are_readable"), "scores_are_readable").failures
    file, _, rows = failure.keys.partition(": ")
    assert file == "survey_responses.csv"
    assert rows.split(", ") == [str(2 + 4 * number) for number in range(20)]
    assert failure.detail == "504 of 672"


@pytest.mark.parametrize("id_", ["required_tables_are_there", "required_columns_are_there"])
def test_incomplete_delivery_is_judged_by_its_structure_only(gates: Gates, id_: str) -> None:
    result = gates.spoiled(id_)
    assert len(result.notes) == 1
    assert {figure.figure for figure in result.seen} <= {
        "table_is_there",
        "missing_required_columns",
        "vanished_optional_columns",
        "new_columns",
        "retyped_columns",
    }


# Drift of the schema: what is not in the list of cases.


def test_reordered_columns_change_nothing(gates: Gates) -> None:
    def reorder(delivery: Delivery) -> None:
        delivery.tables = {
            table: [dict(reversed(row.items())) for row in rows]
            for table, rows in delivery.tables.items()
        }

    result = gates.run_raw("reordered", reorder, state="clean.jsonl")
    assert failed(result.outcomes) == set()
    assert result.seen == gates.clean["raw"].seen


def test_columns_are_compared_in_any_case_of_letters(gates: Gates) -> None:
    def shout(delivery: Delivery) -> None:
        rows = delivery.tables["contacts"]
        delivery.tables["contacts"] = [{f" {k.upper()}": v for k, v in r.items()} for r in rows]

    assert failed(gates.run_raw("shouted", shout, state="clean.jsonl").outcomes) == set()


def test_vanished_optional_table_is_noticed(gates: Gates) -> None:
    def drop(delivery: Delivery) -> None:
        del delivery.tables["survey_invitations"]

    result = gates.run_raw("without invitations", drop, state="clean.jsonl")
    assert failed(result.outcomes) == {"tables_do_not_shrink", "tables_do_not_collapse"}
    (failure,) = outcome_of(result, "tables_do_not_collapse").failures
    assert (failure.table_name, failure.value) == ("survey_invitations", 0)


def test_table_in_another_format_is_the_same_table(gates: Gates, tmp_path: Path) -> None:
    import duckdb
    from nps_warehouse.gates.run import Options, check_raw

    raw_dir = clean_delivery().write(tmp_path / "raw")
    contacts = raw_dir / "contacts.csv"
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (from read_csv('{contacts}')) to '{raw_dir / 'contacts.parquet'}'"
        )
    contacts.unlink()
    state = tmp_path / "runs.jsonl"
    state.write_text((gates.folder / "clean.jsonl").read_text())
    result = check_raw(raw_dir, None, Options(EXPECTATIONS_DIR / "raw.yml", state, None, NOW))
    assert failed(result.outcomes) == set()


def test_first_run_has_nothing_to_compare_with(gates: Gates) -> None:
    result = gates.run_raw("first", RAW_CASES["tables_do_not_collapse"].spoil, state="first.jsonl")
    assert failed(result.outcomes) == set()
    assert result.compared_with is None


def test_run_that_stops_is_no_measure_for_the_next(gates: Gates) -> None:
    state = gates.folder / "again.jsonl"
    state.write_text((gates.folder / "clean.jsonl").read_text())
    spoil = RAW_CASES["tables_do_not_collapse"].spoil
    for _ in range(2):
        assert gates.run_raw("collapsed", spoil, state=state.name).stops
    lines = [json.loads(line) for line in state.read_text().splitlines()]
    assert [line["accepted"] for line in lines[-2:]] == [False, False]


def test_person_may_accept_what_stops(gates: Gates) -> None:
    from nps_warehouse.gates.run import Options, check_raw

    state = gates.folder / "accepted.jsonl"
    state.write_text((gates.folder / "clean.jsonl").read_text())
    spoil = RAW_CASES["tables_do_not_collapse"].spoil
    gates.run_raw("halved", spoil, state=state.name)
    options = Options(EXPECTATIONS_DIR / "raw.yml", state, None, NOW, accept=True)
    assert check_raw(gates.folder / "raw" / "halved", None, options).stops
    assert not gates.run_raw("halved", spoil, state=state.name).stops


def test_incomplete_delivery_cannot_be_accepted(gates: Gates) -> None:
    from nps_warehouse.gates.run import Options, check_raw

    gates.spoiled("required_tables_are_there")
    state = gates.folder / "incomplete.jsonl"
    options = Options(EXPECTATIONS_DIR / "raw.yml", state, None, NOW, accept=True)
    raw_dir = gates.folder / "raw" / "required_tables_are_there"
    assert not check_raw(raw_dir, None, options).accepted


def test_future_is_noticed_as_well_as_age(gates: Gates) -> None:
    def early(delivery: Delivery) -> None:
        delivery.now = NOW - timedelta(days=2)

    result = gates.run_raw("early", early, state="clean.jsonl")
    assert failed(result.outcomes) == {"delivery_is_new"}


def test_text_and_json_say_what_was_expected_seen_where_and_what_to_do(gates: Gates) -> None:
    from nps_warehouse.gates.report import to_json, to_text

    result = gates.spoiled("scores_are_in_range")
    text = to_text(result)
    declared = BY_ID["scores_are_in_range"][1]
    assert text.startswith("check raw: STOP, do not publish. 1 critical, 2 warnings of ")
    assert "CRITICAL scores_are_in_range" in text
    assert text.index("CRITICAL") < text.index("WARNING")
    for words in ("at least 0.95", "0.8988 in survey_responses.score (604 of 672)", declared.to_do):
        assert words in text
    entries = {entry["id"]: entry for entry in json.loads(to_json(result))["expectations"]}
    assert set(entries) == set(RAW_CASES)
    entry = entries["scores_are_in_range"]
    assert (entry["success"], entry["severity"]) == (False, "critical")
    assert entry["to_do"] == declared.to_do
    (failure,) = entry["failures"]
    assert failure["value"] == pytest.approx(604 / 672)
    assert failure["keys"][0].startswith("survey_responses.csv: 1, 11, 21")


def test_library_is_told_to_report_to_nobody() -> None:
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
