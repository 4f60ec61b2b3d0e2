"""Every declared expectation catches what it is for, and lets a clean delivery pass.

The library that judges takes seconds to import: it is imported by fixtures, so that only the worker
that runs this module waits for it.
"""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
from click.testing import CliRunner
from click.testing import Result as CliResult
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
from nps_warehouse.gates.figure import Figure, to_frame

if TYPE_CHECKING:
    from nps_warehouse.gates.judge import Outcome
    from nps_warehouse.gates.report import Result

RAW = load(EXPECTATIONS_DIR / "raw.yml")
MARTS = load(EXPECTATIONS_DIR / "marts.yml")
BY_ID = {e.id: (d, e) for d in (RAW, MARTS) for e in d.expectations}
BOUNDLESS = {"min_value": -1e300, "max_value": 1e300}
IMPOSSIBLE = {"min_value": 1e300}


def judged(declaration: Declaration, figures: Sequence[Figure]) -> list[Outcome]:
    """Figures of a run held against other expectations."""
    from nps_warehouse.gates.judge import judge

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
        self,
        name: str,
        spoil: Callable[[Delivery], None],
        state: str = "runs.jsonl",
        *,
        accept: bool = False,
    ) -> Result:
        from nps_warehouse.gates.run import Options, check_raw

        delivery = clean_delivery()
        spoil(delivery)
        raw_dir = delivery.write(self.folder / "raw" / name)
        options = Options(
            EXPECTATIONS_DIR / "raw.yml", self.folder / state, None, delivery.now, accept=accept
        )
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
    """With bounds that nothing exceeds the case above is caught no more, nor on less volume."""
    declaration, expectation = BY_ID[id_]
    loosened = replace(expectation, id="loosened", arguments=BOUNDLESS)
    figures = [f for f in gates.spoiled(id_).seen if f.figure == expectation.figure]
    least = expectation.minimum_volume
    enough = [replace(figure, part=f"{figure.part} enough", volume=least) for figure in figures]
    little = [replace(figure, part=f"{figure.part} little", volume=least - 1) for figure in figures]
    declaration = replace(declaration, expectations=(expectation, loosened))
    as_declared, not_at_all = judged(declaration, [*enough, *little])
    assert not not_at_all.failures
    assert as_declared.failures
    assert all(failure.part.endswith("enough") for failure in as_declared.failures)
    assert as_declared.too_small == as_declared.judged > 0


def test_tightened_expectations_are_noticed(gates: Gates) -> None:
    """With bounds that everything exceeds, no clean run passes any more."""
    for declaration in (RAW, MARTS):
        tightened = with_arguments(declaration, IMPOSSIBLE)
        outcomes = judged(tightened, gates.clean[declaration.gate].seen)
        assert failed(outcomes) == {e.id for e in declaration.expectations}


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
    one = Expectation(
        "one", "f", "expect_column_values_to_be_between", arguments, "critical", "", "", ""
    )
    declaration = Declaration("raw", {"f": ""}, (one,), {})
    figures = [Figure("f", "t", value, part=str(value)) for value in inside + outside]
    (outcome,) = judged(declaration, figures)
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


def test_order_and_case_of_columns_change_nothing(gates: Gates) -> None:
    def shuffle(delivery: Delivery) -> None:
        delivery.tables = {
            table: [{f" {k.upper()}": v for k, v in reversed(row.items())} for row in rows]
            for table, rows in delivery.tables.items()
        }
        delivery.types = {"SENT_AT": "timestamp"}

    result = gates.run_raw("shuffled", shuffle, state="clean.jsonl")
    assert failed(result.outcomes) == set()
    assert result.seen == gates.clean["raw"].seen


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


def test_run_that_stops_is_no_measure_until_a_person_accepts_it(gates: Gates) -> None:
    state = gates.folder / "collapsed.jsonl"
    state.write_text((gates.folder / "clean.jsonl").read_text())
    spoil = RAW_CASES["tables_do_not_collapse"].spoil
    stops = [
        gates.run_raw("collapsed", spoil, state=state.name, accept=accept).stops
        for accept in (False, True, False)
    ]
    assert stops == [True, True, False]
    lines = [json.loads(line) for line in state.read_text().splitlines()]
    assert [line["accepted"] for line in lines[-3:]] == [False, True, True]


def test_incomplete_delivery_cannot_be_accepted(gates: Gates) -> None:
    result = gates.run_raw(
        "incomplete", RAW_CASES["required_tables_are_there"].spoil, "incomplete.jsonl", accept=True
    )
    assert not result.accepted
    # With no earlier run there is nothing to compare with, and what is missing is missing.
    assert result.compared_with is None
    assert failed(result.outcomes) == {"required_tables_are_there"}


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


# The commands.


def called(*arguments: object) -> CliResult:
    from nps_warehouse.gates.cli import check_command

    return CliRunner().invoke(check_command, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def command(gates: Gates) -> Path:
    """A folder in which both commands have run on what is garbled, or out of range."""
    folder = gates.folder / "command"
    folder.mkdir()
    delivery = clean_delivery()
    for row in delivery.each("survey_responses", 4):
        row |= {"score": "n/a", "comment": "schÃ¶nes Geheimwort"}
    raw_dir = delivery.write(folder / "raw")
    common = ("--now", NOW.isoformat(), "--state", folder / "runs.jsonl")
    done = called("raw", "--raw-dir", raw_dir, *common, *_outputs(folder, "raw"))
    assert done.exit_code == 3, done.output
    warehouse = write_warehouse(
        folder / "w.duckdb", "update marts.fct_survey_responses set score = 11 where score = 10"
    )
    done = called("marts", "--warehouse", warehouse, *common, *_outputs(folder, "marts"))
    assert done.exit_code == 3, done.output
    assert "STOP" in done.output
    return folder


def _outputs(folder: Path, gate: str) -> tuple[object, ...]:
    return ("--docs", folder / "docs" / gate, "--json", folder / f"{gate}.json")


class Fetched(HTMLParser):
    """What a browser would fetch for a page, or could: every address outside of it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found = re.findall(r"(?:@import|url\()[^;)]*", page)
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if tag == "a" and name == "href":
                self.links.append(value or "")
            elif name in ("src", "href", "srcset", "data", "action", "poster", "background"):
                self.found.append(f"{tag} {name}={value}")
            elif name.startswith("on"):
                self.found.append(f"{tag} {name}")
        if tag in ("script", "iframe", "object", "embed"):
            self.found.append(tag)


def test_planted_requests_are_found() -> None:
    page = (
        '<link href="x.css"><img src="//a/b"><script>x</script><style>a{background:url(x)}</style>'
        '<b onclick="x()">'
    )
    assert len(Fetched(page).found) == 5


def test_pages_fetch_nothing(command: Path) -> None:
    pages = sorted((command / "docs").rglob("*.html"))
    # Of each gate the index, the suite and the validation.
    assert len(pages) == 6
    for page in pages:
        fetched = Fetched(page.read_text())
        assert fetched.found == []
        assert "default-src 'none'" in page.read_text()
        for link in fetched.links:
            assert not link.startswith(("http", "//"))
            path = link.partition("#")[0].partition("?")[0]
            assert not path or (page.parent / path).exists(), link
    assert {path.suffix for path in (command / "docs").rglob("*.*")} == {".html"}


def test_pages_name_the_rows(command: Path) -> None:
    pages = {
        gate: next((command / "docs" / gate / "validations").rglob("*.html")).read_text()
        for gate in ("raw", "marts")
    }
    assert "survey_responses.csv: 1, 5, 9" in pages["raw"]
    assert "scores_are_readable" in pages["raw"]
    assert "response_id: R" in pages["marts"]


def test_words_of_customers_are_nowhere(command: Path) -> None:
    files = [path for path in command.rglob("*.*") if path.suffix in (".html", ".json", ".jsonl")]
    assert len(files) == 9
    for path in files:
        assert "Geheimwort" not in path.read_text()


def test_result_is_written_as_json(command: Path) -> None:
    for gate, ids in (("raw", RAW_CASES), ("marts", MARTS_CASES)):
        result = json.loads((command / f"{gate}.json").read_text())
        assert result["exit_code"] == 3
        assert [entry["id"] for entry in result["expectations"]] == list(ids)
        assert Path(result["data_docs"]).exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["raw", "--raw-dir", "gone"], "raw folder"),
        (["raw", "--raw-dir", "wide"], "UTF-16"),
        (["raw", "--expectations", "gone.yml"], "expectations"),
        (["raw", "--memory", "lots"], "memory lots"),
        (["raw", "--as-of", "01/15/2026"], "var as_of is 01/15/2026"),
        (["raw", "--state", "broken.jsonl"], "line 1 is no run"),
        (["marts", "--warehouse", "gone.duckdb"], "run dbt build first"),
        (["marts", "--warehouse", "broken.jsonl"], "cannot be read"),
        (["marts", "--warehouse", "empty.duckdb"], "has no marts"),
        (["marts", "--warehouse", "half.duckdb"], "lacks what the gate reads"),
    ],
)
def test_what_cannot_be_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NPS_WAREHOUSE", str(tmp_path / "w.duckdb"))
    monkeypatch.delenv("NPS_RAW_DIR", raising=False)
    (tmp_path / "wide").mkdir()
    (tmp_path / "wide" / "contacts.csv").write_text("contact_id\n", encoding="utf-16")
    (tmp_path / "broken.jsonl").write_text("{}\n")
    for name, statement in (
        ("empty", "create schema marts"),
        ("half", "create schema marts; create table marts.nps_by_period (nps double)"),
    ):
        with duckdb.connect(f"{name}.duckdb") as connection:
            connection.execute(statement)
    done = called(*arguments, "--docs", tmp_path / "docs")
    assert done.exit_code == 65, done.output
    assert words in done.stderr


@pytest.mark.parametrize(
    "option", [("--now", "yesterday"), ("--vars", "no mapping"), ("--vars", "{")]
)
def test_what_is_no_option_is_refused(option: tuple[str, str]) -> None:
    assert called("raw", *option).exit_code == 2
