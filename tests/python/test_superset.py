"""Apache Superset as it is served: every dashboard in a browser, numbers, filters, whose rows.

It is installed, set up and started once, on a copy of the sample as it is published. People are
made up here: a lead and an agent of the team with the most agents.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import time
import venv
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests
from conftest import PROJECT, Build
from nps_warehouse import environment
from nps_warehouse.publishing import publish
from nps_warehouse.superset.description import DASHBOARDS, dashboards

pytestmark = [pytest.mark.environments, pytest.mark.servers, pytest.mark.timeout(1500)]

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PASSWORD = secrets.token_urlsafe(18)
QUARTER = "survey_type = 'all' and period_type = 'quarter'"
MODULE = ("-m", "nps_warehouse.superset.cli")


@dataclass(frozen=True)
class Served:
    """A Superset that runs.

    Attributes:
        address: where.
        published: the file that it reads.
        home: what it remembers.
        team: the team of the lead and the agent.
        agent: the agent.
    """

    address: str
    published: Path
    home: Path
    team: str
    agent: str

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the published file, by nothing of Superset's."""
        with duckdb.connect(str(self.published), read_only=True) as connection:
            return connection.execute(sql).fetchall()


class Visitor:
    """Somebody who has logged in to the API."""

    def __init__(self, served: Served, name: str) -> None:
        self.address = served.address
        self.session = requests.Session()
        self.session.trust_env = False
        answer = self.session.post(
            f"{served.address}/api/v1/security/login",
            json={"username": name, "password": PASSWORD, "provider": "db", "refresh": False},
            timeout=120,
        )
        assert answer.status_code == 200, answer.text
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        # Without it whatever is sent would be refused for want of it, whoever sends it.
        token = self.get("/api/v1/security/csrf_token/")
        assert token.status_code == 200, token.text
        self.session.headers["X-CSRFToken"] = token.json()["result"]
        self.session.headers["Referer"] = served.address

    def get(self, path: str) -> requests.Response:
        """What is found at a path."""
        return self.session.get(f"{self.address}{path}", timeout=120)

    def post(self, path: str, content: Any) -> requests.Response:
        """What becomes of something that is sent."""
        return self.session.post(f"{self.address}{path}", json=content, timeout=120)

    def dataset(self, name: str) -> int:
        """A dataset's number."""
        query = f"(filters:!((col:table_name,opr:eq,value:{name})))"
        found = self.get(f"/api/v1/dataset/?q={query}").json()["result"]
        assert len(found) == 1, found
        return int(found[0]["id"])

    def ask(self, name: str, **query: object) -> requests.Response:
        """What a chart on a dataset would be given."""
        datasource = {"id": self.dataset(name), "type": "table"}
        content = {
            "datasource": datasource,
            "force": False,
            "queries": [{"row_limit": 5000, **query}],
            "result_format": "json",
            "result_type": "full",
        }
        return self.post("/api/v1/chart/data", content)

    def seen(self, name: str, columns: list[str], **query: object) -> list[dict[str, Any]]:
        """Rows of a dataset that are let through."""
        answer = self.ask(name, columns=columns, metrics=[], **query)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["result"][0]["data"]
        return rows


def manifest_of(build: Build) -> Path:
    """What dbt has left of a build; scripts/test keeps it beside the warehouse."""
    folder = build.warehouse.parent
    [found] = [
        file
        for file in (folder / "manifest.json", folder / "target" / "manifest.json")
        if file.is_file()
    ][:1]
    return found


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers."""
    until = time.monotonic() + 300
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < until:
            assert server.poll() is None, "Superset ended"
            try:
                if session.get(f"{address}/health", timeout=5).text == "OK":
                    return
            except requests.RequestException:
                time.sleep(0.5)
    pytest.fail("Superset does not answer")


def prepared(python: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Bring Superset to what is described."""
    return subprocess.run(
        [python, *MODULE, "prepare"], env=env, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def python() -> Path:
    environment.ensure(PROJECT, ["from_source", "superset"], ".venv-superset")
    return PROJECT / ".venv-superset" / "bin" / "python"


def setting(folder: Path, manifest: Path) -> dict[str, str]:
    """The environment of Superset whose files are all in a folder."""
    (folder / "dbt").mkdir()
    shutil.copy(manifest, folder / "dbt" / "manifest.json")
    found = {name: value for name, value in os.environ.items() if not name.startswith("NPS_")}
    return found | {
        "PYTHONPATH": str(PROJECT / "scripts"),
        "DBT_TARGET_PATH": str(folder / "dbt"),
        "NPS_PUBLISHED_DIR": str(folder / "published"),
        "NPS_SUPERSET_HOME": str(folder / "home"),
        "NPS_SUPERSET_ADMIN_PASSWORD": PASSWORD,
        "PASSWORD_OF_ALL": PASSWORD,
    }


@pytest.fixture(scope="module")
def served(
    python: Path, sample_build: Build, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("superset")
    env = setting(folder, manifest_of(sample_build))
    state = {"NPS_STATE_DIR": str(folder / "state")}
    publish(warehouse=sample_build.warehouse, folder=folder / "published", environ=state)
    shown = folder / "published" / "nps.duckdb"
    with duckdb.connect(str(shown), read_only=True) as connection:
        found = connection.execute(
            # Of the quarter that a page shows when it opens.
            f"select team, max(agent_id) from marts.agent_scorecard where {QUARTER} "
            "and team <> 'unknown' and agent_id <> 'unknown' and period_start = (select "
            f"max(period_start) from marts.nps_by_period where {QUARTER} and is_complete) "
            "group by team order by count(distinct agent_id) desc, team limit 1"
        ).fetchone()
    assert found is not None
    team, agent = found
    people = folder / "people.yml"
    people.write_text(
        json.dumps(
            [
                {"username": "manager", "role": "manager", "password_from": "PASSWORD_OF_ALL"},
                {"username": "lead", "role": "lead", "team": team,
                 "password_from": "PASSWORD_OF_ALL"},
                {"username": "agent", "role": "agent", "team": team, "agent": agent,
                 "password_from": "PASSWORD_OF_ALL"},
            ]
        )
    )  # fmt: skip
    env["NPS_SUPERSET_PEOPLE"] = str(people)
    done = prepared(python, env)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
    port = free_port()
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [python, *MODULE, "serve", "--port", str(port)], env=env, stdout=log, stderr=log
        )
        try:
            wait_for(f"http://127.0.0.1:{port}", server)
            yield Served(f"http://127.0.0.1:{port}", shown, folder / "home", team, agent)
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


@pytest.fixture(scope="module")
def lead(served: Served) -> Visitor:
    return Visitor(served, "lead")


@pytest.fixture(scope="module")
def agent(served: Served) -> Visitor:
    return Visitor(served, "agent")


@pytest.fixture(scope="module")
def manager(served: Served) -> Visitor:
    return Visitor(served, "manager")


def test_it_says_what_is_missing(python: Path, tmp_path: Path, sample_build: Build) -> None:
    env = setting(tmp_path, manifest_of(sample_build))
    del env["NPS_SUPERSET_ADMIN_PASSWORD"]
    done = prepared(python, env)
    assert (done.returncode, "NPS_SUPERSET_ADMIN_PASSWORD is not set" in done.stderr) == (65, True)
    done = prepared(python, env | {"NPS_SUPERSET_ADMIN_PASSWORD": "short"})
    assert (done.returncode, "too short" in done.stderr) == (65, True)
    done = prepared(python, env | {"NPS_SUPERSET_ADMIN_PASSWORD": PASSWORD})
    assert (done.returncode, "nothing was published yet" in done.stderr) == (65, True)
    assert not (tmp_path / "home").exists()


def test_what_it_remembers_is_its_owners(served: Served) -> None:
    assert served.home.stat().st_mode & 0o077 == 0
    for file in served.home.rglob("*"):
        assert file.stat().st_mode & 0o077 == 0, file
    assert (served.home / "secret_key").stat().st_mode & 0o777 == 0o600
    assert PASSWORD.encode() not in (served.home / "superset.db").read_bytes()


def test_each_sees_the_rows_that_are_theirs(
    served: Served, lead: Visitor, agent: Visitor, manager: Visitor
) -> None:
    def agents(visitor: Visitor) -> set[str]:
        return {row["agent_id"] for row in visitor.seen("agent_scores", ["agent_id"])}

    def teams(visitor: Visitor, dataset: str) -> set[str]:
        return {row["team"] for row in visitor.seen(dataset, ["team"])}

    everyone = "select distinct agent_id from marts.agent_scorecard where agent_id <> 'unknown'"
    everybody = {one for (one,) in served.rows(everyone)}
    mates = {one for (one,) in served.rows(f"{everyone} and team = '{served.team}'")}
    assert 1 < len(mates) < len(everybody)
    assert agents(manager) == everybody
    assert agents(lead) == mates
    assert agents(agent) == {served.agent}
    assert teams(manager, "teams") > {served.team}
    for visitor in (lead, agent):
        assert teams(visitor, "teams") == {served.team}
        assert teams(visitor, "open_cases") <= {served.team}
        assert {row["agent_id"] for row in visitor.seen("agents_ranked", ["agent_id"])} <= mates
    # What is of no agent and no team is everybody's.
    for dataset, columns in (("company", ["period", "nps"]), ("departments", ["department_name"])):
        # In no order: none was asked for.
        ours, all_of_them = (
            sorted(map(json.dumps, one.seen(dataset, columns))) for one in (agent, manager)
        )
        assert ours == all_of_them
        assert ours


def test_no_way_leads_around_the_rules(served: Served, agent: Visitor) -> None:
    def others(answer: requests.Response) -> bool:
        if answer.status_code != 200:
            return False
        return any(
            row.get("agent_id", served.agent) != served.agent
            for one in answer.json()["result"]
            for row in one.get("data") or []
        )

    wide = agent.ask("agent_scores", columns=["agent_id"], metrics=[],
                     extras={"where": "1 = 1) or (1 = 1"})  # fmt: skip
    assert not others(wide)
    calm = agent.ask("agent_scores", columns=["agent_id"], metrics=[], extras={"where": "1 = 1"})
    assert calm.status_code == 200
    assert not others(calm)
    for sql in (
        "(select max(agent_id) from marts.agent_scorecard)",
        "(select count(*) from read_text('/etc/passwd'))",
    ):
        metric = {"expressionType": "SQL", "sqlExpression": sql, "label": "found"}
        answer = agent.ask("company", columns=[], metrics=[metric])
        found = answer.json().get("result", [{}])[0].get("data") if answer.ok else None
        assert not found, sql
    # That there is a database is no secret; what is in it, and where it lies, is not told.
    for path in (
        "connection",
        "table_metadata/?name=agent_scorecard&schema=marts",
        "select_star/agent_scorecard/marts/",
    ):
        assert agent.get(f"/api/v1/database/1/{path}").status_code in {401, 403, 404}, path
    for table in ("agent_scorecard", "agent_ranking", "dim_agents"):
        sql = f"select * from marts.{table}"
        refused = agent.post("/api/v1/sqllab/execute/", {"database_id": 1, "sql": sql})
        assert refused.status_code in {401, 403}, refused.text
    for path, content in (
        ("/api/v1/chart/", {"slice_name": "x", "datasource_id": 1, "datasource_type": "table"}),
        ("/api/v1/dashboard/", {"dashboard_title": "x"}),
        ("/api/v1/dataset/", {"database": 1, "table_name": "fct_survey_responses"}),
        ("/api/v1/rowlevelsecurity/", {"name": "x"}),
    ):
        assert agent.post(path, content).status_code in {401, 403, 404}, path
    with requests.Session() as nobody:
        nobody.trust_env = False
        answer = nobody.get(f"{served.address}/api/v1/dashboard/", timeout=120)
        assert answer.status_code == 401 or answer.json()["count"] == 0


def test_metrics_are_those_of_the_mart(served: Served, manager: Visitor) -> None:
    asked = ["nps", "responses", "nps_ci_low", "nps_ci_high", "response_rate"]
    answer = manager.ask(
        "company",
        columns=["period"],
        metrics=[f"certified_{name}" for name in asked],
        filters=[
            {"col": "survey_type", "op": "IN", "val": ["all"]},
            {"col": "period_type", "op": "IN", "val": ["month"]},
        ],
    )
    assert answer.status_code == 200, answer.text
    found = {
        row["period"]: [row[f"certified_{name}"] for name in asked]
        for row in answer.json()["result"][0]["data"]
    }
    expected = {
        str(start)[:7]: values
        for start, *values in served.rows(
            f"select period_start, {', '.join(asked)} from marts.nps_by_period "
            "where survey_type = 'all' and period_type = 'month'"
        )
    }
    assert found.keys() == expected.keys()
    for period, values in expected.items():
        assert found[period] == pytest.approx(values, abs=1e-9), period
    # Several months have a score together, but no interval.
    [pooled] = manager.ask(
        "company",
        columns=[],
        metrics=[f"certified_{name}" for name in asked],
        filters=[
            {"col": "survey_type", "op": "IN", "val": ["all"]},
            {"col": "period_type", "op": "IN", "val": ["month"]},
        ],
    ).json()["result"][0]["data"]
    [(score, answers)] = served.rows(
        "select nps, responses from marts.nps_by_period "
        "where survey_type = 'all' and period_type = 'all'"
    )
    assert pooled["certified_nps"] == pytest.approx(score, abs=1e-9)
    assert pooled["certified_responses"] == answers
    assert pooled["certified_nps_ci_low"] is None


def test_metrics_are_certified_and_described_by_dbt(served: Served, manager: Visitor) -> None:
    dataset = manager.get(f"/api/v1/dataset/{manager.dataset('company')}").json()["result"]
    assert served.published.name in {"nps.duckdb"}
    [nps] = [one for one in dataset["metrics"] if one["metric_name"] == "certified_nps"]
    assert json.loads(nps["extra"])["certification"]["certified_by"] == "nps_warehouse"
    comment = served.rows(
        "select comment from duckdb_columns() where schema_name = 'marts' "
        "and table_name = 'nps_trends' and column_name = 'nps'"
    )[0][0]
    assert " ".join(comment.split()) in nps["description"]
    undescribed = [one["column_name"] for one in dataset["columns"] if not one["description"]]
    # What is added here to the marts' columns.
    assert set(undescribed) <= {"period", "certainty"}


BROWSER_SCRIPT = PROJECT / "tests" / "python" / "superset_in_browser.py"


@pytest.fixture(scope="module")
def looked(served: Served, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a browser finds on all dashboards, and what an agent does."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.fail(f"no browser is installed: one of {', '.join(BROWSERS)} is needed")
    python = Path(os.environ.get("NPS_TEST_BROWSER_PYTHON", ""))
    if not python.is_file():
        folder = tmp_path_factory.mktemp("browser") / "environment"
        venv.create(folder, with_pip=True, symlinks=True)
        python = folder / "bin" / "python"
        subprocess.run(
            [
                *(python, "-m", "pip", "--disable-pip-version-check", "-qq", "install"),
                *("--no-input", "--require-hashes", "--no-deps", "--only-binary", ":all:"),
                *("-r", PROJECT / "requirements" / "browser.txt"),
            ],
            check=True,
        )
    done = subprocess.run(
        [python, BROWSER_SCRIPT, program, served.address, *DASHBOARDS],
        env=os.environ | {"PASSWORD_OF_ALL": PASSWORD},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("page", dashboards(), ids=lambda page: page.name)
def test_dashboards_load_whole(looked: dict[str, Any], page: Any) -> None:
    found = looked["pages"][page.name]
    assert found["failed"] == []
    # Readers write nothing, colours of labels neither: the page's one attempt is refused, which
    # Superset's page reports as an error, and does without.
    assert found["colours"] in ([], [403])
    assert found["errors"] == ["Response"] * len(found["colours"])
    assert found["charts"] == len(page.charts)
    assert found["drawn"] >= sum(
        chart.kind not in {"number", "table", "totals"} for chart in page.charts
    )
    assert found["answered_from_outside"] == []


def test_a_charts_number_is_the_marts_and_a_filter_changes_it(
    served: Served, looked: dict[str, Any]
) -> None:
    def shown(period_type: str) -> tuple[str, str]:
        [(nps, answers)] = served.rows(
            "select nps, responses from marts.nps_by_period where survey_type = 'all' "
            f"and period_type = '{period_type}' and is_complete "
            "order by period_start desc limit 1"
        )
        return f"{nps:+.1f}", f"{answers:,}"

    numbers = looked["numbers"]
    assert (numbers["month"]["Score"], numbers["month"]["Answers"]) == shown("month")
    assert (numbers["year"]["Score"], numbers["year"]["Answers"]) == shown("year")
    assert numbers["month"] != numbers["year"]


def test_an_agents_page_names_nobody_else(served: Served, looked: dict[str, Any]) -> None:
    names = dict(served.rows("select agent_id, agent_name from marts.dim_agents"))
    text = looked["agent"]
    assert names[served.agent] in text
    others = [name for agent, name in names.items() if agent not in {served.agent, "unknown"}]
    assert [name for name in others if name != names[served.agent] and name in text] == []
    lead = looked["lead"]
    mates = {
        names[agent]
        for (agent,) in served.rows(
            f"select agent_id from marts.agent_scorecard where team = '{served.team}'"
        )
    }
    strangers = {name for name in names.values() if name not in mates and name != "Unknown"}
    assert {name for name in strangers if name in lead} == set()
    assert len({name for name in mates if name in lead}) > 1


def test_a_publication_is_seen_at_once_and_disturbs_nobody(
    served: Served, manager: Visitor
) -> None:
    # Last, as it changes what is published.
    def answers() -> int:
        answer = manager.ask(
            "periods",
            columns=[],
            metrics=["certified_responses"],
            filters=[
                {"col": "survey_type", "op": "IN", "val": ["all"]},
                {"col": "period_type", "op": "IN", "val": ["all"]},
            ],
        )
        assert answer.status_code == 200, answer.text
        return int(answer.json()["result"][0]["data"][0]["certified_responses"])

    before = answers()
    # As a publication does it: another file takes the place by one rename.
    fresh = served.published.with_name("fresh.duckdb")
    shutil.copy(served.published, fresh)
    with duckdb.connect(str(fresh)) as connection:
        connection.execute(
            "update fresh.marts.nps_by_period set responses = responses + 1000 "
            "where survey_type = 'all' and period_type = 'all'"
        )
    with ThreadPoolExecutor(4) as readers:
        early = [readers.submit(answers) for _ in range(8)]
        fresh.replace(served.published)
        late = [readers.submit(answers) for _ in range(8)]
        assert {one.result() for one in early + late} <= {before, before + 1000}
    assert answers() == before + 1000
