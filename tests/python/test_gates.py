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
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
from click.testing import CliRunner
from click.testing import Result as CliResult
from conftest import PROJECT, Build
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
from nps_warehouse.gates.history import last_accepted

if TYPE_CHECKING:
    from nps_warehouse.gates.judge import Failure, Outcome
    from nps_warehouse.gates.report import Result
    from nps_warehouse.gates.run import Options

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
    """Deliveries and warehouses, clean and spoiled, each compared with the clean one.

    The library takes longer to be called than to judge: the figures of all cases are judged at
    once, the name of the case before their `part`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clean_state = folder / "clean.jsonl"
        self.run_raw("clean", lambda _: None, self.clean_state.name)
        self.run_marts("clean", state=self.clean_state.name)
        self.cases: dict[str, list[Figure]] = {
            "raw": self.raw_figures("clean again", lambda _: None),
            "marts": self.marts_figures("clean again"),
            **{id_: self.raw_figures(id_, case.spoil) for id_, case in RAW_CASES.items()},
            **{id_: self.marts_figures(id_, case.spoil) for id_, case in MARTS_CASES.items()},
        }
        self.failed: dict[str, set[str]] = {case: set() for case in self.cases}
        self.seen: dict[tuple[str, str], Failure] = {}
        self.judged_clean: dict[str, int] = {}
        for declaration in (RAW, MARTS):
            named = [
                replace(figure, part=f"{case}|{figure.part}")
                for case, figures in self.cases.items()
                for figure in figures
                if BY_ID.get(case, (declaration,))[0] is declaration
            ]
            for outcome in judged(declaration, named):
                for one in outcome.failures:
                    case = one.part.split("|")[0]
                    self.failed[case].add(outcome.expectation.id)
                    self.seen[case, outcome.expectation.id] = one
            clean = judged(declaration, self.cases[declaration.gate])
            self.judged_clean |= {one.expectation.id: one.judged for one in clean}

    def options(self, gate: str, state: str, delivery: Delivery | None = None) -> Options:
        from nps_warehouse.gates.run import Options

        now = delivery.now if delivery else NOW
        return Options(EXPECTATIONS_DIR / f"{gate}.yml", self.folder / state, None, now)

    def raw_figures(self, name: str, spoil: Callable[[Delivery], None]) -> list[Figure]:
        from nps_warehouse.gates.run import gather_raw

        raw_dir, delivery = self.delivered(name, spoil)
        options = self.options("raw", self.clean_state.name, delivery)
        last = last_accepted(self.clean_state, "raw")
        with gather_raw(raw_dir, None, RAW, last, options) as gathered:
            return gathered.figures

    def marts_figures(self, name: str, *spoil: str) -> list[Figure]:
        from nps_warehouse.gates.run import gather_marts

        file = write_warehouse(self.folder / f"{name}.duckdb", *spoil)
        last = last_accepted(self.clean_state, "marts")
        with gather_marts(file, MARTS, last, self.options("marts", "none")) as gathered:
            return gathered.figures

    def delivered(self, name: str, spoil: Callable[[Delivery], None]) -> tuple[Path, Delivery]:
        delivery = clean_delivery()
        spoil(delivery)
        return delivery.write(self.folder / "raw" / name), delivery

    def run_raw(
        self, name: str, spoil: Callable[[Delivery], None], state: str, *, accept: bool = False
    ) -> Result:
        """The whole gate."""
        from nps_warehouse.gates.run import check_raw

        raw_dir, delivery = self.delivered(name, spoil)
        return check_raw(
            raw_dir, None, replace(self.options("raw", state, delivery), accept=accept)
        )

    def run_marts(self, name: str, *spoil: str, state: str) -> Result:
        """The whole gate."""
        from nps_warehouse.gates.run import check_marts

        file = write_warehouse(self.folder / f"{name}.duckdb", *spoil)
        return check_marts(file, self.options("marts", state))

    def copied_state(self, name: str) -> str:
        (self.folder / name).write_text(self.clean_state.read_text())
        return name


@pytest.fixture(scope="module", autouse=True)
def library() -> None:
    # What the library itself imports is deprecated; that is not ours to mend.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import nps_warehouse.gates.judge  # noqa: F401 - the import is what is wanted


@pytest.fixture(scope="module")
def gates(library: None, tmp_path_factory: pytest.TempPathFactory) -> Gates:  # noqa: ARG001
    return Gates(tmp_path_factory.mktemp("gates"))


def test_every_expectation_has_its_case() -> None:
    assert [e.id for e in RAW.expectations] == list(RAW_CASES)
    assert [e.id for e in MARTS.expectations] == list(MARTS_CASES)


def test_every_figure_is_expected_something_of() -> None:
    for declaration in (RAW, MARTS):
        assert set(declaration.figures) == {e.figure for e in declaration.expectations}


# Q35, Q36, Q37 and Q61 of figures/export_quirks.csv are cases: no 10s, no 0s, another scale, a
# missing day.
@pytest.mark.parametrize("id_", BY_ID)
def test_case_is_caught(gates: Gates, id_: str) -> None:
    case = RAW_CASES[id_] if id_ in RAW_CASES else MARTS_CASES[id_]
    assert gates.failed[id_] == {id_, *case.also}


@pytest.mark.parametrize("id_", BY_ID)
def test_clean_is_judged_and_passes(gates: Gates, id_: str) -> None:
    gate = BY_ID[id_][0].gate
    assert gates.judged_clean[id_] > 0
    assert id_ not in gates.failed[gate]


@pytest.fixture(scope="module")
def loosened(gates: Gates) -> dict[str, Outcome]:
    """Every expectation, and beside it one without bounds, on enough volume and on too little."""
    outcomes: dict[str, Outcome] = {}
    for declaration in (RAW, MARTS):
        figures: list[Figure] = []
        for one in declaration.expectations:
            for volume in (one.minimum_volume, one.minimum_volume - 1):
                figures += [
                    replace(figure, figure=one.id, part=f"{volume}|{figure.part}", volume=volume)
                    for figure in gates.cases[one.id]
                    if figure.figure == one.figure
                ]
        # Named for the expectation, so that each is held against its own case alone.
        alone = [replace(one, figure=one.id) for one in declaration.expectations]
        boundless = [replace(one, id=f"loose_{one.id}", arguments=BOUNDLESS) for one in alone]
        both = replace(declaration, expectations=(*alone, *boundless))
        outcomes |= {one.expectation.id: one for one in judged(both, figures)}
    return outcomes


@pytest.mark.parametrize("id_", BY_ID)
def test_loosened_expectation_is_noticed(loosened: dict[str, Outcome], id_: str) -> None:
    """With bounds that nothing exceeds, the case above would be caught no more."""
    assert loosened[id_].failures
    assert not loosened[f"loose_{id_}"].failures
    assert loosened[f"loose_{id_}"].judged > 0


@pytest.mark.parametrize("id_", BY_ID)
def test_too_little_is_not_judged(loosened: dict[str, Outcome], id_: str) -> None:
    volume = BY_ID[id_][1].minimum_volume
    assert {one.part.split("|")[0] for one in loosened[id_].failures} == {str(volume)}
    assert loosened[id_].too_small == loosened[id_].judged > 0


def test_tightened_expectations_are_noticed(gates: Gates) -> None:
    """With bounds that everything exceeds, no clean run passes any more."""
    for declaration in (RAW, MARTS):
        tightened = with_arguments(declaration, IMPOSSIBLE)
        outcomes = judged(tightened, gates.cases[declaration.gate])
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


def test_failing_rows_are_named(gates: Gates) -> None:
    def spoil(delivery: Delivery) -> None:
        RAW_CASES["scores_are_readable"].spoil(delivery)
        RAW_CASES["text_is_not_garbled"].spoil(delivery)
        RAW_CASES["text_is_utf_8"].spoil(delivery)

    result = gates.run_raw("unreadable", spoil, "first.jsonl")
    assert result.exit_code == 3
    # It is the first run: nothing is judged that compares it with another.
    assert result.compared_with is None
    keys = {
        outcome.expectation.id: [(one.column_name, one.keys) for one in outcome.failures]
        for outcome in result.outcomes
        if outcome.failures
    }
    # Of 672 rows every 4th from the second, the first 20 of them; every 100th; every 500th.
    fourth = ", ".join(str(2 + 4 * number) for number in range(20))
    scores = [("score", f"survey_responses.csv: {fourth}")]
    assert keys == {
        "scores_are_readable": scores,
        "cells_are_readable": scores,
        "text_is_utf_8": [("", "survey_responses.csv: 1, 501")],
        # A broken line has no cells any more.
        "text_is_not_garbled": [("comment", "survey_responses.csv: 101, 201, 301, 401, 601")],
    }


@pytest.mark.parametrize("id_", ["required_tables_are_there", "required_columns_are_there"])
def test_incomplete_delivery_is_judged_by_its_structure_only(gates: Gates, id_: str) -> None:
    assert {figure.figure for figure in gates.cases[id_]} == {
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

    assert gates.raw_figures("shuffled", shuffle) == gates.cases["raw"]


def test_vanished_optional_table_is_noticed(gates: Gates) -> None:
    def drop(delivery: Delivery) -> None:
        del delivery.tables["survey_invitations"]

    outcomes = judged(RAW, gates.raw_figures("without invitations", drop))
    assert failed(outcomes) == {"tables_do_not_shrink", "tables_do_not_collapse"}
    (failure,) = next(one.failures for one in outcomes if one.stops)
    assert (failure.table_name, failure.value) == ("survey_invitations", 0)


def test_table_in_another_format_is_the_same_table(gates: Gates) -> None:
    from nps_warehouse.gates.run import gather_raw

    raw_dir, _ = gates.delivered("other format", lambda _: None)
    contacts = raw_dir / "contacts.csv"
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (from read_csv('{contacts}')) to '{raw_dir / 'contacts.parquet'}'"
        )
    contacts.unlink()
    last = last_accepted(gates.clean_state, "raw")
    with gather_raw(raw_dir, None, RAW, last, gates.options("raw", "none")) as gathered:
        assert gathered.figures == gates.cases["raw"]


def test_channels_may_be_mapped_by_the_business(gates: Gates, tmp_path: Path) -> None:
    from nps_warehouse.gates.run import gather_raw

    aliases = (PROJECT / "seeds" / "channel_aliases.csv").read_text()
    (tmp_path / "channel_aliases.csv").write_text(f"{aliases.rstrip()}\nkiosk,Kiosk\n")
    raw_dir, _ = gates.delivered("mapped", RAW_CASES["channels_are_mapped"].spoil)
    with gather_raw(raw_dir, tmp_path, RAW, None, gates.options("raw", "none")) as gathered:
        assert failed(judged(RAW, gathered.figures)) == set()


def test_shipped_sample_has_the_warnings_that_are_documented(gates: Gates) -> None:
    from nps_warehouse.gates.run import gather_raw

    options = replace(gates.options("raw", "none"), now=datetime(2026, 1, 2, tzinfo=UTC))
    with gather_raw(None, None, RAW, None, options) as gathered:
        assert failed(judged(RAW, gathered.figures)) == {"text_is_utf_8"}


@pytest.mark.thorough
def test_marts_of_the_shipped_sample_have_the_warnings_that_are_documented(
    gates: Gates, sample_build: Build
) -> None:
    from nps_warehouse.gates.run import check_marts

    result = check_marts(sample_build.warehouse, gates.options("marts", "sample.jsonl"))
    assert failed(result.outcomes) == {"few_rows_are_rejected"}
    assert result.exit_code == 0


def test_run_that_stops_is_no_measure_until_a_person_accepts_it(gates: Gates) -> None:
    state = gates.folder / gates.copied_state("collapsed.jsonl")
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

    assert failed(judged(RAW, gates.raw_figures("early", early))) == {"delivery_is_new"}


def test_text_and_json_say_what_was_expected_seen_where_and_what_to_do(gates: Gates) -> None:
    from nps_warehouse.gates.report import to_json, to_text

    state = gates.copied_state("range.jsonl")
    result = gates.run_raw("range", RAW_CASES["scores_are_in_range"].spoil, state)
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
    assert sorted(path for path in (command / "docs").rglob("*") if path.is_file()) == pages


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


def test_folder_of_something_else_is_refused(command: Path) -> None:
    warehouse, state = command / "w.duckdb", command / "refused" / "runs"
    done = called("marts", "--warehouse", warehouse, "--state", state, "--docs", command / "raw")
    assert done.exit_code == 65
    assert "holds something else" in done.stderr
    assert (command / "raw" / "contacts.csv").exists()


def test_result_is_written_as_json(command: Path) -> None:
    for gate, ids in (("raw", RAW_CASES), ("marts", MARTS_CASES)):
        result = json.loads((command / f"{gate}.json").read_text())
        assert result["exit_code"] == 3
        assert [entry["id"] for entry in result["expectations"]] == list(ids)
        assert Path(result["data_docs"]).exists()


# Q21 of figures/export_quirks.csv: an empty file.
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["raw", "--raw-dir", "gone"], "raw folder"),
        (["raw", "--raw-dir", "wide"], "UTF-16"),
        (["raw", "--raw-dir", "void"], "contacts.csv"),
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
    (tmp_path / "void").mkdir()
    (tmp_path / "void" / "contacts.csv").touch()
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
