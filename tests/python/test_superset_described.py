"""What is described for Superset: what it reads, how its numbers are made, who sees which rows.

Nothing of Superset is needed here; test_superset.py runs it.
"""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
import yaml
from conftest import PROJECT
from nps_warehouse.superset import people as people_of
from nps_warehouse.superset.charts import GREY, params_of
from nps_warehouse.superset.description import (
    DASHBOARDS,
    DescriptionError,
    dashboards,
    datasets,
    tables_read,
)
from nps_warehouse.superset.metrics import Column, metrics_of, title_of
from nps_warehouse.superset.people import PeopleError, Person, people_in, rules_of

KNOWN = datasets()
PAGES = dashboards()
NO_MODEL = "quality.published_version"
"""It is made when a version is published."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_exposures_name_what_dashboards_read(page) -> None:  # type: ignore[no-untyped-def]
    said = yaml.safe_load((PROJECT / "models" / "exposures_superset.yml").read_text())
    [exposure] = [one for one in said["exposures"] if one["name"] == f"superset_{page.name}"]
    named = {re.fullmatch(r"ref\('(\w+)'\)", one)[1] for one in exposure["depends_on"]}  # type: ignore[index]
    # DuckDB's own reading of the queries.
    names = {chart.data for chart in page.charts} | {one.data for one in page.filters}
    read = {
        # It names a table with its alias.
        table.partition(" AS ")[0]
        for name in names
        for table in duckdb.get_table_names(KNOWN.by_name[name].sql, qualified=True)
    }
    assert named == {table.partition(".")[2] for table in read - {NO_MODEL}}
    assert {f"{schema}.{name}" for schema, name in tables_read(page, KNOWN)} == read


def test_there_is_an_exposure_for_each_dashboard_and_no_other() -> None:
    said = yaml.safe_load((PROJECT / "models" / "exposures_superset.yml").read_text())
    assert [one["name"] for one in said["exposures"]] == [f"superset_{name}" for name in DASHBOARDS]


BLOCK = [
    *(Column(name, "VARCHAR", "") for name in ("survey_type", "period_type", "member")),
    *(Column(name, "BIGINT", "") for name in ("responses", "promoters", "passives", "detractors")),
    *(Column(name, "DOUBLE", "") for name in ("nps", "detractor_pct", "nps_ci_low")),
]
COUNTS = {"responses", "promoters", "passives", "detractors"}


def asked(rows: list[tuple[object, ...]], name: str) -> object:
    """What a metric says of rows of BLOCK."""
    [metric] = [one for one in metrics_of(BLOCK, COUNTS) if one.name == name]
    with duckdb.connect() as connection:
        columns = ", ".join(f"{column.name} {column.type}" for column in BLOCK)
        connection.execute(f"create table t ({columns})")
        if rows:
            connection.executemany(f"insert into t values ({', '.join('?' * len(BLOCK))})", rows)
        found = connection.execute(f"select {metric.expression} from t").fetchone()
    assert found is not None
    return found[0]


def row(member: str, p: int, n: int, d: int, period: str = "month") -> tuple[object, ...]:
    """A row with its own score, which is of no use where rows are put together."""
    whole = p + n + d
    return ("all", period, member, whole, p, n, d, 100 * (p - d) / whole, 100 * d / whole, -5.0)


# Two groups as (D, Pa, P): (0, 0, 2) and (50, 30, 20). The mean of their scores is 35; the score of
# all their answers is 100 (22 - 50) / 102.
TWO = [row("a", 2, 0, 0), row("b", 20, 30, 50)]


@pytest.mark.parametrize(
    ("rows", "name", "expected"),
    [
        (TWO, "nps", -2800 / 102),
        (TWO, "detractor_pct", 5000 / 102),
        (TWO, "responses", 102),
        # An interval is of one row.
        (TWO, "nps_ci_low", None),
        (TWO[:1], "nps_ci_low", -5.0),
        # A month and its quarter are the same answers twice.
        ([TWO[0], row("a", 20, 0, 20, "quarter")], "nps", None),
        ([TWO[0], row("a", 20, 0, 20, "quarter")], "responses", None),
        # No answers, no score.
        ([], "nps", None),
        ([], "nps_ci_low", None),
    ],
)
def test_metrics_are_of_counts_or_of_one_row(
    rows: list[tuple[object, ...]], name: str, expected: float | None
) -> None:
    found = asked(rows, name)
    assert found == (expected if expected is None else pytest.approx(expected, abs=1e-12))


def test_cases_add_up_over_survey_types() -> None:
    # Each case is in the list once; of counts of answers, one survey type is part of all.
    columns = [Column("survey_type", "VARCHAR", ""), Column("cases", "BIGINT", "")]
    with duckdb.connect() as connection:
        connection.execute(
            "create table t as select * from (values ('a', 2), ('b', 3)) as t (survey_type, cases)"
        )
        found = [
            connection.execute(f"select {metric.expression} from t").fetchone()
            for apart in (True, False)
            for metric in metrics_of(columns, {"cases"}, apart=apart)
        ]
    assert found == [(5,), (None,)]


def test_titles_are_read_by_people() -> None:
    assert title_of("nps_ci_low") == "NPS from"
    assert title_of("within_sla_pct_ci_high") == "Within SLA % to"
    assert title_of("detractor_pct") == "Detractor %"


def test_every_score_is_shown_with_its_answers_and_its_certainty() -> None:
    # A table that has a score says of how many answers, and turns grey what they cannot bear.
    looked_at = 0
    for page in PAGES:
        for chart in page.charts:
            if chart.kind != "table":
                continue
            columns = chart.options["columns"]
            scores = {"nps", "shrunk_nps", "within_sla_pct", "recovery"} & set(columns)
            if not scores or chart.data == "published":
                continue
            looked_at += 1
            where = f"{page.name}: {chart.title}"
            assert {"responses", "sla_cases", "compared_customers"} & set(columns), where
            assert "certainty" in columns, where
            grey = params_of(chart, [])["conditional_formatting"]
            assert {one["targetValue"] for one in grey} == {"too few answers", "period not over"}
            assert {one["colorScheme"] for one in grey} == {GREY}
            assert {one["columnFormatting"] for one in grey} == {"ENTIRE_ROW"}
    assert looked_at > 8


def test_bars_of_scores_are_coloured_by_certainty() -> None:
    scores = [
        chart
        for page in PAGES
        for chart in page.charts
        if chart.kind == "bars" and chart.options.get("metric") == "nps"
    ]
    assert len(scores) >= 4
    for chart in scores:
        assert chart.options.get("by", "certainty") == "certainty"


def test_rows_of_agents_and_teams_are_declared() -> None:
    # Whatever shows an agent, or one case of a team, is somebody's.
    for dataset in KNOWN.by_name.values():
        tables = {name for _, name in dataset.tables}
        if tables & {"agent_ranking", "agent_scorecard", "nps_by_agent", "dim_agents"}:
            assert dataset.rows == "agent", dataset.name
        elif tables & {"team_scores", "open_case_queue", "detractor_cases", "huddle_pack"}:
            assert dataset.rows == "team", dataset.name
        # Scopes of many kinds have agents among them, unless they are left out.
        if tables & {"nps_trends", "nps_impacts", "suspicions", "survey_funnel"}:
            assert "scope_type" in dataset.sql.partition("\nwhere ")[2], dataset.name


LEAD = Person("lea", "lead", team="North 1")
AGENT = Person("ann", "agent", team="O'Neil", agent="A:1")


def test_rules_let_through_what_is_theirs_and_nothing_by_default() -> None:
    rules = rules_of([LEAD, AGENT, Person("max", "manager")], KNOWN.by_name)
    base = [rule for rule in rules if rule.is_base]
    assert [rule.clause for rule in base] == ["1 = 0"]
    assert "agents_ranked" in base[0].datasets
    assert "open_cases" in base[0].datasets
    assert not {"company", "departments", "groups"} & set(base[0].datasets)
    assert set(base[0].roles) == {"Admin", "NPS manager", LEAD.roles[-1], AGENT.roles[-1]}
    with duckdb.connect() as connection:
        connection.execute(
            "create table rows_of as select * from (values "
            "('A:1', 'O''Neil'), ('A2', 'O''Neil'), ('A3', 'North 1')) as t (agent_id, team)"
        )

        def seen(person: Person, dataset: str) -> list[str]:
            clauses = [
                rule.clause
                for rule in rules
                if not rule.is_base and set(rule.roles) & set(person.roles)
                if dataset in rule.datasets
            ]
            assert len(clauses) == 1
            found = connection.execute(
                f"select agent_id from rows_of where {clauses[0]} order by 1"
            )
            return [one for (one,) in found.fetchall()]

        assert seen(LEAD, "agents_ranked") == ["A3"]
        assert seen(LEAD, "teams") == ["A3"]
        assert seen(AGENT, "agents_ranked") == ["A:1"]
        assert seen(AGENT, "teams") == ["A2", "A:1"]


def test_everybody_whose_rows_are_nobodys_is_told_apart() -> None:
    # Without anybody in the list, the rows of agents are nobody's but the managers'.
    [base] = rules_of([], KNOWN.by_name)
    assert base.is_base
    assert set(base.roles) == {people_of.ADMIN, people_of.MANAGER}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {username: a, role: agent, agent: A1}", "needs the team"),
        ("- {username: a, role: agent, team: T1}", "needs the agent"),
        ("- {username: a, role: lead}", "needs the team"),
        ("- {username: a, role: lead, team: unknown}", "needs the team"),
        ("- {username: a, role: boss}", "one of manager, lead, agent"),
        ('- {username: "a\' or 1=1", role: manager}', "cannot be a username"),
        ("- {username: a, role: manager}\n- {username: a, role: manager}", "twice"),
        ("- {username: a, role: manager, password: secret}", "password, which means nothing"),
        ("- {role: manager}", "no username"),
        ("username: a", "is no list"),
        ("- [", "cannot be read"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "people.yml"
    file.write_text(text)
    with pytest.raises(PeopleError, match=re.escape(said)):
        people_in(file)


def test_a_list_is_read(tmp_path: Path) -> None:
    file = tmp_path / "people.yml"
    assert (file.write_text(""), people_in(file))[1] == []
    file.write_text("- {username: lea, role: lead, team: North 1}\n")
    assert people_in(file) == [LEAD]


def test_a_chart_of_no_dataset_is_refused(tmp_path: Path) -> None:
    for file in (PROJECT / "dashboards" / "superset").glob("*.yml"):
        text = file.read_text()
        (tmp_path / file.name).write_text(text.replace("data: control_chart", "data: nowhere"))
    with pytest.raises(DescriptionError, match="nowhere, which is no dataset"):
        dashboards(tmp_path)
