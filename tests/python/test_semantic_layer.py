"""The semantic layer: MetricFlow's numbers are those of the marts, and of SQL over the facts.

The SQL here is written another way than the metrics are: means of signs and truth values where they
divide sums, scores where they look at categories. What a mart has is compared with the mart, too.
"""

from __future__ import annotations

import csv
import functools
import itertools
import json
import math
import os
import random
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from conftest import PROJECT, Build, parsed_project
from nps_warehouse import environment

HERE = Path(__file__).with_name("semantic")
DEFINITIONS = sorted((PROJECT / "models" / "semantic").glob("*.yml"))
MF = PROJECT / "scripts" / "mf"
COMBINATIONS = 50
SEED = int(os.environ.get("NPS_SEMANTIC_SEED", "20251122"))

GRAINS = ("day", "week", "month", "quarter", "year")
Cells = dict[tuple[str, ...], float]


@dataclass(frozen=True)
class Fact:
    """Rows that metrics are made of.

    Attributes:
        table: its name.
        date: column that dates a row.
        own: prefix of its own dimensions, and their columns where they are called otherwise.
        shared: keys it shares with other facts.
        where: which rows count.
    """

    table: str
    date: str
    own: tuple[str, Mapping[str, str]]
    shared: tuple[str, ...] = ("department", "agent", "channel", "customer", "survey_type")
    where: str = "true"


def same(*names: str, **others: str) -> dict[str, str]:
    return {name: name for name in names} | others


FACTS = {
    "answers": Fact(
        "marts.fct_survey_responses",
        "period_date",
        (
            "response",
            same("survey_channel", "language", "team", "site", "product_line", "contact_reason",
                 "segment", "weekday", "nps_category", "is_resolved", hour_of_day="hour"),
        ),
    ),
    "invitations": Fact(
        "marts.fct_survey_invitations",
        "sent_date",
        ("invitation", same("survey_channel")),
        where="not f.is_bounced and f.sent_date is not null",
    ),
    "contacts": Fact(
        "marts.fct_contacts",
        "contact_date",
        ("contact", same("team", "site", "product_line", "contact_reason", "segment",
                         is_answered="responses > 0")),
        shared=("department", "agent", "channel", "customer"),
    ),
    "cases": Fact(
        "marts.detractor_cases",
        "period_date",
        ("case", same("team", "contact_reason", "segment", "case_status", "priority", "outcome",
                      "root_cause")),
    ),
}  # fmt: skip
# What members of shared keys are called: the dimension, its column, its table and key.
LOOKED_UP = {
    "department__department_name": ("department_name", "dim_departments", "department_id"),
    "department__department_level": ("department_level", "dim_departments", "department_id"),
    "agent__agent_name": ("agent_name", "dim_agents", "agent_id"),
    "channel__is_mapped": ("is_mapped", "dim_channels", "channel"),
    "customer__region": ("region", "dim_customers", "customer_id"),
    "customer__acquired_by": ("acquired_by", "dim_customers", "customer_id"),
}
METRICS = {
    "responses": ("answers", "count(*)"),
    "promoters": ("answers", "count(*) filter (where score in (9, 10))"),
    "passives": ("answers", "count(*) filter (where score in (7, 8))"),
    "detractors": ("answers", "count(*) filter (where score <= 6)"),
    "nps": ("answers", "100 * avg(case when score >= 9 then 1 when score <= 6 then -1 else 0 end)"),
    "promoter_pct": ("answers", "100 * avg(cast(score >= 9 as integer))"),
    "passive_pct": ("answers", "100 * avg(cast(score between 7 and 8 as integer))"),
    "detractor_pct": ("answers", "100 * avg(cast(score < 7 as integer))"),
    "csat_responses": ("answers", "count(csat_score)"),
    "csat_total": ("answers", "sum(csat_score)"),
    "csat_mean": ("answers", "avg(csat_score)"),
    "effort_responses": ("answers", "count(effort_score)"),
    "effort_total": ("answers", "sum(effort_score)"),
    "effort_mean": ("answers", "avg(effort_score)"),
    "invitations": ("invitations", "count(*)"),
    "answered": ("invitations", "count(*) filter (where responses >= 1)"),
    "response_rate": ("invitations", "100 * avg(cast(responses >= 1 as integer))"),
    "contacts": ("contacts", "count(*)"),
    "contacts_of_known_outcome": ("contacts", "count(*) filter (where is_resolved is not null)"),
    "resolved_contacts": ("contacts", "count(*) filter (where is_resolved)"),
    "first_contact_resolution": ("contacts", "100 * avg(cast(is_resolved as integer))"),
    "detractor_cases": ("cases", "count(*)"),
    "closed_cases": ("cases", "count(*) filter (where closed_at is not null)"),
    "closed_pct": ("cases", "100 * avg(cast(closed_at is not null as integer))"),
    "sla_cases": ("cases", "count(*) filter (where is_within_sla is not null)"),
    "within_sla": ("cases", "count(*) filter (where is_within_sla)"),
    "within_sla_pct": ("cases", "100 * avg(cast(is_within_sla as integer))"),
    "overdue_cases": ("cases", "count(*) filter (where is_overdue)"),
}
OF_FACTS = r"\b(score|csat_score|effort_score|responses|is_\w+|closed_at)\b"
BLOCK = (
    "nps", "responses", "promoters", "passives", "detractors", "promoter_pct", "passive_pct",
    "detractor_pct",
)  # fmt: skip
# Cuts that a score mart has, with its column for each dimension.
SCORE_MARTS: dict[frozenset[str], tuple[str, dict[str, str]]] = {
    frozenset(keys): (mart, keys)
    for mart, keys in {
        "nps_by_period": {},
        "nps_by_department": {"department": "department_id"},
        "nps_by_agent": {"agent": "agent_id"},
        "nps_by_channel": {"channel": "channel"},
        "nps_by_site": {"response__site": "site"},
        "nps_by_product_line": {"response__product_line": "product_line"},
        "nps_by_segment": {"response__segment": "segment"},
        "nps_by_contact_reason": {"response__contact_reason": "contact_reason"},
        "nps_by_survey_channel": {"response__survey_channel": "survey_channel"},
        "nps_by_language": {"response__language": "language"},
        "nps_by_department_channel": {"department": "department_id", "channel": "channel"},
        "nps_by_hour": {"response__weekday": "weekday", "response__hour_of_day": "hour"},
    }.items()
}
# Marts with a row for each scope and a period of a week or more: their columns, and the dimensions
# they have as scopes.
SCOPED = {
    "period_invitation_counts": (
        {"invitations": "invitations", "answered": "answered"},
        ("department", "agent", "channel", "invitation__survey_channel"),
    ),
    "experience_scores": (
        {name: name for name in ("csat_mean", "csat_responses", "effort_mean", "effort_responses")},
        ("department", "agent", "channel", "response__site", "response__product_line",
         "response__segment", "response__contact_reason", "response__language"),
    ),
    "period_contact_counts": (
        {
            "contacts": "contacts",
            "contacts_of_known_outcome": "contacts_of_known_outcome",
            "resolved_contacts": "resolved",
        },
        ("department", "agent", "channel", "contact__site", "contact__product_line",
         "contact__segment", "contact__contact_reason"),
    ),
    "closed_loop_performance": (
        {
            "detractor_cases": "cases", "closed_cases": "closed", "closed_pct": "closed_pct",
            "sla_cases": "sla_cases", "within_sla": "within_sla", "overdue_cases": "overdue",
            "within_sla_pct": "within_sla_pct",
        },
        ("department",),
    ),
    "metric_values": (
        {"response_rate": "response_rate", "first_contact_resolution": "first_contact_resolution"},
        ("department", "agent", "channel"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A query: metrics by dimensions and a grain of time, which may be none."""

    metrics: tuple[str, ...]
    dimensions: tuple[str, ...]
    grain: str | None

    def __str__(self) -> str:
        by = [*self.dimensions, *([f"metric_time__{self.grain}"] if self.grain else [])]
        return f"{', '.join(self.metrics)} by {', '.join(by) or 'nothing'}"

    @property
    def group_by(self) -> list[str]:
        return [*self.dimensions, *([f"metric_time__{self.grain}"] if self.grain else [])]


def dimensions_of(fact: Fact) -> list[str]:
    """Whatever a fact's metrics can be grouped by."""
    prefix, own = fact.own
    looked_up = [name for name in LOOKED_UP if name.split("__")[0] in fact.shared]
    return [*fact.shared, *(f"{prefix}__{name}" for name in own), *looked_up]


def cuts_of_marts(metric: str) -> list[tuple[str, ...]]:
    """Groups that a mart shows a metric by."""
    if metric in BLOCK:
        return [tuple(sorted(cut)) for cut in SCORE_MARTS]
    scopes = [cuts for columns, cuts in SCOPED.values() if metric in columns]
    return [(), *((cut,) for cuts in scopes for cut in cuts)]


def combinations(seed: int, number: int) -> list[Asked]:
    """Random queries: every metric in turn, every other one by a cut that marts have."""
    draw = random.Random(seed)
    metrics = list(METRICS)
    draw.shuffle(metrics)
    asked = []
    for position, metric in enumerate(itertools.islice(itertools.cycle(metrics), number)):
        fact = FACTS[METRICS[metric][0]]
        possible = dimensions_of(fact)
        if position % 2:
            dimensions = list(draw.choice(cuts_of_marts(metric)))
            if "survey_type" in fact.shared and draw.random() < 0.4:
                dimensions.append("survey_type")
            grain = draw.choice([None, *GRAINS])
        else:
            dimensions = draw.sample(possible, draw.choice([1, 1, 2, 3]))
            grain = draw.choice([None, *GRAINS, "fiscal_year"])
        beside = [
            other
            for other, (name, _) in METRICS.items()
            if other != metric and set(dimensions) <= set(dimensions_of(FACTS[name]))
        ]
        further = draw.sample(beside, draw.choice([0, 1, 2])) if beside else []
        asked.append(Asked((metric, *further), tuple(dimensions), grain))
    return asked


def cells(rows: Iterable[Sequence[Any]]) -> Cells:
    """Values by group, from rows that end with the value; what is empty is not there."""
    found = {}
    for *key, value in rows:
        if value is not None:
            group = tuple(str(part) for part in key)
            assert group not in found, f"{group} twice"
            found[group] = float(value)
    return found


def from_facts(connection: duckdb.DuckDBPyConnection, metric: str, asked: Asked) -> Cells:
    """The metric by SQL over its fact."""
    name, formula = METRICS[metric]
    fact = FACTS[name]
    prefix, own = fact.own
    keys, joins = [], []
    for dimension in asked.dimensions:
        head, _, tail = dimension.partition("__")
        if dimension in LOOKED_UP:
            column, table, key = LOOKED_UP[dimension]
            joins.append(f"left join marts.{table} as {table} on {table}.{key} = f.{key}")
            keys.append(f"{table}.{column}")
        elif head == prefix:
            keys.append(f"f.{own[tail]}")
        else:
            keys.append("f." + {"channel": head, "survey_type": head}.get(head, f"{head}_id"))
    if asked.grain == "fiscal_year":
        joins.append(f"join marts.dim_dates as dates on dates.date_day = f.{fact.date}")
        keys.append("dates.fiscal_year")
    elif asked.grain:
        keys.append(f"cast(date_trunc('{asked.grain}', f.{fact.date}) as date)")
    formula = re.sub(OF_FACTS, r"f.\1", formula)
    shown = ", ".join([*keys, formula])
    group = f"group by {', '.join(keys)}" if keys else ""
    unique = " ".join(dict.fromkeys(joins))
    return cells(
        connection.execute(
            f"select {shown} from {fact.table} as f {unique} where {fact.where} {group}"
        ).fetchall()
    )


def from_marts(connection: duckdb.DuckDBPyConnection, metric: str, asked: Asked) -> Cells | None:
    """The metric as a mart shows it; None where none has this cut."""
    if asked.grain == "fiscal_year":
        return None
    by_type = "survey_type" in asked.dimensions
    period = f"period_type = '{asked.grain or 'all'}'"
    types = "survey_type <> 'all'" if by_type else "survey_type = 'all'"
    cut = [name for name in asked.dimensions if name != "survey_type"]
    if metric in BLOCK:
        if frozenset(cut) not in SCORE_MARTS:
            return None
        mart, columns = SCORE_MARTS[frozenset(cut)]
        own = " and not is_rollup" if mart == "nps_by_department" else ""
        where = f"{period} and {types}{own}"
        keys = {**columns, "survey_type": "survey_type"}
        value = metric
    else:
        [(mart, (names, cuts))] = [one for one in SCOPED.items() if metric in one[1][0]] or [
            ("", ({}, ()))
        ]
        if not mart or len(cut) > 1 or not set(cut) <= set(cuts):
            return None
        typed = (
            mart in {"period_invitation_counts", "experience_scores"} or metric == "response_rate"
        )
        if (by_type and not typed) or asked.grain == "day":
            return None
        scope = cut[0].rpartition("__")[2] if cut else "company"
        where = f"{period} and scope_type = '{scope}'" + (f" and {types}" if typed else "")
        value = names[metric]
        if mart == "metric_values":
            where, value = f"{where} and metric = '{value}'", "metric_value"
        keys = dict.fromkeys(cut, "scope_id") | {"survey_type": "survey_type"}
    shown = [keys[name] for name in asked.dimensions] + (["period_start"] if asked.grain else [])
    return cells(
        connection.execute(
            f"select {', '.join([*shown, value])} from marts.{mart} where {where}"
        ).fetchall()
    )


def differences(found: Cells, wanted: Cells) -> list[str]:
    """Groups that only one of two has, and those whose values are not the same to 1e-9."""
    return [
        f"{key}: {found.get(key)} instead of {wanted.get(key)}"
        for key in sorted(found.keys() | wanted.keys())
        if key not in found
        or key not in wanted
        or not math.isclose(found[key], wanted[key], rel_tol=0, abs_tol=1e-9)
    ]


def metric_cells(answer: Mapping[str, Any], asked: Asked, metric: str) -> Cells:
    """One metric of an answer."""
    places = [answer["columns"].index(name) for name in [*asked.group_by, metric]]
    return cells([row[place] for place in places] for row in answer["rows"])


# --- what needs no environment ----------------------------------------------------------------


@functools.cache
def everything(kind: str) -> list[dict[str, Any]]:
    """All entries of a kind in the definitions."""
    return [
        entry
        for file in DEFINITIONS
        for entry in yaml.safe_load(file.read_text(encoding="utf-8")).get(kind, [])
    ]


def measures() -> dict[str, dict[str, Any]]:
    return {
        measure["name"]: measure
        for model in everything("semantic_models")
        for measure in model.get("measures", [])
    }


def metrics() -> dict[str, dict[str, Any]]:
    """All metrics, those that measures make of themselves too."""
    made = {name: one for name, one in measures().items() if one.get("create_metric")}
    return made | {one["name"]: one for one in everything("metrics")}


def test_every_metric_is_compared() -> None:
    assert metrics().keys() == METRICS.keys()


def test_nothing_is_averaged_but_by_one_division_of_sums() -> None:
    assert {one["agg"] for one in measures().values()} == {"count", "sum", "sum_boolean"}
    for metric in everything("metrics"):
        given = metric["type_params"]
        if metric["type"] == "derived":
            assert given["expr"].count("/") == 1, metric["name"]
            parts = given["metrics"]
        elif metric["type"] == "ratio":
            parts = [given["numerator"], given["denominator"]]
        else:
            assert given["measure"] in measures(), metric["name"]
            continue
        counted = [metrics()[part] for part in parts]
        assert all(part.get("type", "simple") == "simple" for part in counted), metric["name"]


def test_a_category_is_cut_nowhere_in_the_definitions() -> None:
    for file in DEFINITIONS:
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if "expr:" in line]
        assert not [line for line in lines if re.search(r"score\W*[<>=]", line)], file.name


def test_every_metric_is_labelled_and_names_its_mart_in_the_documents() -> None:
    text = (PROJECT / "docs" / "semantic_layer.md").read_text(encoding="utf-8")
    marts = {file.stem for file in (PROJECT / "models" / "marts").rglob("*.sql")}
    for name, metric in metrics().items():
        meta = metric["config"]["meta"]
        assert metric["label"], name
        assert len(metric["description"]) > 10, name
        assert meta["mart"] in marts, name
        row = rf"^\| `{name}` \|.*\| {meta['unit']} \|.*`{meta['mart']}`"
        assert re.search(row, text, re.MULTILINE), name


def test_a_saved_query_shows_what_its_scores_stand_on() -> None:
    known = metrics()
    saved = everything("saved_queries")
    assert len(saved) >= 5
    for query in saved:
        shown = set(query["query_params"]["metrics"])
        for name in shown:
            given = known[name].get("type_params", {})
            if known[name].get("type") == "derived":
                below = given["expr"].partition("/")[2]
                [base] = [part for part in given["metrics"] if part in below]
            elif known[name].get("type") == "ratio":
                base = given["denominator"]
            else:
                continue
            assert base in shown, f"{query['name']} shows {name} without {base}"


def test_saved_queries_have_an_exposure_with_their_metrics() -> None:
    [exposure] = [one for one in everything("exposures") if one["name"] == "saved_queries"]
    named = set(re.findall(r"metric\('(\w+)'\)", " ".join(exposure["depends_on"])))
    asked = {name for one in everything("saved_queries") for name in one["query_params"]["metrics"]}
    assert named == asked


def test_the_combinations_are_what_they_should_be() -> None:
    asked = combinations(SEED, COMBINATIONS)
    assert len(asked) == COMBINATIONS
    assert {metric for one in asked for metric in one.metrics} == METRICS.keys()
    assert {one.grain for one in asked} == {None, *GRAINS, "fiscal_year"}
    assert combinations(SEED, COMBINATIONS) == asked
    assert combinations(SEED + 1, COMBINATIONS) != asked


def test_a_difference_is_found() -> None:
    assert differences({("a",): 1.0}, {("a",): 1.0 + 1e-12}) == []
    assert differences({("a",): 1.0}, {("a",): 1.0 + 1e-8}) != []
    assert differences({("a",): 1.0}, {}) != []
    assert differences({}, {("a",): 0.0}) != []


# --- MetricFlow itself ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def python() -> str:
    environment.ensure(PROJECT, ["from_source", "metricflow"], ".venv-metricflow")
    return str(PROJECT / ".venv-metricflow" / "bin" / "python")


def setting(warehouse: Path, folder: Path) -> dict[str, str]:
    """The environment of MetricFlow on a file; the project has been parsed."""
    found = {name: value for name, value in os.environ.items() if not name.startswith("NPS_")}
    return found | {
        "NPS_WAREHOUSE": str(warehouse),
        "DBT_TARGET_PATH": str(parsed_project().parent),
        "DBT_LOG_PATH": str(folder / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "PYTHONPATH": str(PROJECT / "scripts"),
    }


def answers(
    python: str, warehouse: Path, folder: Path, queries: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What MetricFlow answers to queries, asked in one process."""
    done = subprocess.run(
        [python, str(HERE / "in_metricflow.py")],
        input=json.dumps(list(queries)),
        env=setting(warehouse, folder),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    assert len(found) == len(queries)
    return found


def compare(
    warehouse: Path, asked: Sequence[Asked], found: Sequence[Mapping[str, Any]]
) -> tuple[list[str], Counter[str]]:
    """What differs, and how often was compared with what."""
    problems, compared = [], Counter[str]()
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for query, answer in zip(asked, found, strict=True):
            for metric in query.metrics:
                shown = metric_cells(answer, query, metric)
                sides = {"facts": from_facts(connection, metric, query)}
                mart = from_marts(connection, metric, query)
                if mart is not None:
                    sides["marts"] = mart
                for side, wanted in sides.items():
                    compared[side] += 1
                    compared[f"cells of {side}"] += len(wanted)
                    problems += [
                        f"{metric} of [{query}] and {side}: {one}"
                        for one in differences(shown, wanted)[:3]
                    ]
    return problems, compared


@pytest.mark.environments
@pytest.mark.timeout(900)
def test_random_combinations_and_saved_queries_are_those_of_the_marts_and_facts(
    python: str, sample_build: Build, tmp_path: Path
) -> None:
    asked = combinations(SEED, COMBINATIONS)
    print(f"seed {SEED} (NPS_SEMANTIC_SEED)", *asked, sep="\n")
    saved = everything("saved_queries")
    queries: list[dict[str, Any]] = [
        {"metrics": one.metrics, "group_by": one.group_by} for one in asked
    ]
    queries += [{"saved_query": one["name"]} for one in saved]
    found = answers(python, sample_build.warehouse, tmp_path, queries)
    for one, answer in zip(saved, found[COMBINATIONS:], strict=True):
        assert set(one["query_params"]["metrics"]) <= set(answer["columns"]), one["name"]
        assert len(answer["rows"]) > 10, one["name"]
    problems, compared = compare(sample_build.warehouse, asked, found[:COMBINATIONS])
    print(dict(compared))
    assert problems == []
    assert compared["facts"] >= COMBINATIONS
    assert compared["marts"] >= COMBINATIONS // 3
    assert compared["cells of marts"] > 1000


@pytest.mark.environments
@pytest.mark.timeout(900)
def test_what_does_not_count_is_left_out_of_any_file(
    python: str, sample_build: Build, tmp_path: Path
) -> None:
    """Invitations without a date, cases not due, other dates, in a file of another name."""
    other = tmp_path / "some other name.duckdb"
    shutil.copy(sample_build.warehouse, other)
    with duckdb.connect(str(other)) as connection:
        for change in (
            "fct_survey_invitations set sent_date = null where hash(invitation_id) % 5 = 0",
            "fct_survey_invitations set is_bounced = true where hash(invitation_id) % 5 = 1",
            "detractor_cases set is_within_sla = null where hash(case_id) % 3 = 0",
            "fct_contacts set is_resolved = null where hash(contact_id) % 3 = 0",
            # Another date than that of the answer, as with another nps_period_basis.
            (
                "fct_survey_responses set period_date = "
                "cast(period_date - interval 40 day as date) where hash(response_id) % 2 = 0"
            ),
            # Nobody's mean, and a group of passives alone, whose score is 0 and not empty.
            "fct_survey_responses set csat_score = null where channel = 'phone'",
            (
                "fct_survey_responses set score = 8, nps_category = 'passive', "
                "nps_contribution = 0 where language = 'en'"
            ),
        ):
            connection.execute(f"update marts.{change}")
    asked = [
        Asked(("invitations", "answered", "response_rate"), (), None),
        Asked(("response_rate",), ("invitation__survey_channel",), "month"),
        Asked(("within_sla_pct", "sla_cases"), ("department",), "quarter"),
        Asked(("first_contact_resolution",), ("contact__team",), "week"),
        Asked(("csat_mean", "csat_responses"), ("channel",), "month"),
        Asked(("nps", "passive_pct"), ("response__language",), "month"),
    ]
    queries = [{"metrics": one.metrics, "group_by": one.group_by} for one in asked]
    found = answers(python, other, tmp_path, queries)
    with duckdb.connect(str(other), read_only=True) as connection:
        for query, answer in zip(asked, found, strict=True):
            for metric in query.metrics:
                wanted = from_facts(connection, metric, query)
                assert differences(metric_cells(answer, query, metric), wanted) == [], query
    passives = metric_cells(found[-1], asked[-1], "nps")
    assert {value for key, value in passives.items() if key[0] == "en"} == {0.0}
    means = metric_cells(found[4], asked[4], "csat_mean")
    assert "phone" not in {key[0] for key in means}


@pytest.mark.environments
@pytest.mark.timeout(900)
def test_the_command_answers_a_saved_query_and_validates(
    python: str, sample_build: Build, tmp_path: Path
) -> None:
    assert Path(python).exists()
    env = setting(sample_build.warehouse, tmp_path)
    # As a person has it: scripts/mf says where the code is.
    del env["PYTHONPATH"]

    def command(*arguments: str) -> str:
        done = subprocess.run(
            [str(MF), *arguments],
            env=env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
        return done.stdout

    command("query", "--saved-query", "company_by_month", "--csv", "company.csv", "--quiet")
    with (tmp_path / "company.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    block = [
        "nps", "responses", "promoter_pct", "passive_pct", "detractor_pct", "invitations",
        "response_rate",
    ]  # fmt: skip
    shown = {
        (row["metric_time__month"][:10], row["survey_type"]): [float(row[name]) for name in block]
        for row in rows
        if row["nps"] and row["response_rate"]
    }
    wanted = {
        (str(month), str(survey_type)): values
        for month, survey_type, *values in sample_build.rows(
            f"select period_start, survey_type, {', '.join(block)} from marts.nps_by_period "
            "where period_type = 'month' and survey_type <> 'all' and response_rate is not null"
        )
    }
    assert len(wanted) > 30
    assert wanted.keys() <= shown.keys()
    for key, values in wanted.items():
        assert shown[key] == pytest.approx(values, abs=1e-9), key

    valid = command("validate-configs")
    assert valid.count("ERRORS: 0, FUTURE_ERRORS: 0, WARNINGS: 0") == 6
