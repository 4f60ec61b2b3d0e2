"""PostgreSQL as the engine: a server of the suite's own, and the marts beside those of DuckDB."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from conftest import PROJECT, SAMPLE, Build
from engine_cases import CASES, project_of_cases, sums_and_shares
from engine_programs import command, surroundings
from first_day import GROWS, deliver_first_day, deliver_second_day
from nps_warehouse import environment
from nps_warehouse.postgres.server import Address, Server, programs
from rendered import rendered

pytestmark = [pytest.mark.servers, pytest.mark.environments, pytest.mark.timeout(1200)]


MODELS_ONLY = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")

HOLD = """
import sys
from nps_warehouse.postgres import landing, server
with landing.run_alone(server.address()):
    print(flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Postgres:
    """A server with the sample landed in it, and how programs reach it."""

    server: Server
    address: Address
    folder: Path

    @property
    def env(self) -> dict[str, str]:
        """The environment of a program."""
        return surroundings(
            self.folder,
            {
                **self.address.environment(),
                "NPS_RAW_DIR": SAMPLE,
                "NPS_POSTGRES_LANDING": self.folder / "landing.duckdb",
                "NPS_WAREHOUSE": self.folder / "duckdb_engine.duckdb",
            },
        )

    def run(
        self, *arguments: str | Path, also: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of `.venv-postgres`; what it says is kept."""
        program, *rest = map(str, arguments)
        return subprocess.run(
            command("postgres", program, *rest),
            env=self.env | dict(also or {}),
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )

    def rows(self, query: str, user: str | None = None) -> list[dict[str, str]]:
        """Rows of a query, everything as text; a query that fails raises with what was said."""
        done = self.psql(query, user)
        assert done.returncode == 0, done.stderr
        return list(csv.DictReader(io.StringIO(done.stdout)))

    def psql(self, query: str, user: str | None = None) -> subprocess.CompletedProcess[str]:
        """A query by PostgreSQL's own client; as another user where one is given."""
        address = self.address
        as_user = f"set role {user}; " if user else ""
        return subprocess.run(
            [
                str(programs() / "psql"), "--csv", "-q", "-v", "ON_ERROR_STOP=1",
                "-h", address.host, "-p", str(address.port), "-U", address.user,
                "-d", address.database, "-c",
                f"{as_user}set search_path = nps_engine, pg_catalog, public; {query}",
            ],
            env=os.environ | {"PGPASSWORD": address.password, "PGTZ": "UTC"},
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """The suite's own server; the sample is landed in it."""
    environment.ensure(PROJECT, ["postgres"], ".venv-postgres")
    # Not pytest's own: the server's user has to pass through.
    folder = Path(tempfile.mkdtemp(prefix="nps_postgres_"))
    folder.chmod(0o751)
    server = Server(folder / "server")
    try:
        found = Postgres(server, server.start(), folder)
        landed = found.run("python", "-m", "nps_warehouse.postgres.cli", "land")
        assert landed.returncode == 0, landed.stderr
        yield found
    finally:
        server.remove()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def built_on_postgres(postgres: Postgres, sample_build: Build) -> str:
    """The comparison that is printed after a build of the sample, which took in what changed."""
    delivery = postgres.folder / "delivery"
    own = {
        "NPS_RAW_DIR": str(delivery),
        "NPS_POSTGRES_LANDING": str(postgres.folder / "days.duckdb"),
    }
    deliver_first_day(delivery)
    first = postgres.run(
        "python", "-m", "nps_warehouse.postgres.cli", "build", *MODELS_ONLY, "-s", GROWS, also=own
    )
    assert first.returncode == 0, first.stdout[-4000:] + first.stderr[-4000:]
    deliver_second_day(delivery)
    done = postgres.run(
        "python", "-m", "nps_warehouse.engines.cli", sample_build.warehouse, "postgres", also=own
    )
    assert "tables are equal" in done.stdout, done.stdout[-6000:] + done.stderr[-4000:]
    return done.stdout


def test_every_mart_says_on_postgresql_what_it_says_on_duckdb(
    built_on_postgres: str, sample_build: Build
) -> None:
    [counted] = sample_build.dicts(
        "select count(*) as tables from information_schema.tables "
        "where table_schema in ('marts', 'quality')"
    )
    *_, last = built_on_postgres.splitlines()
    different = [
        line for line in built_on_postgres.splitlines() if "differs" in line or "only one" in line
    ]
    assert different == []
    assert last.startswith(f"{counted['tables']} of {counted['tables']} tables are equal")


@pytest.mark.usefixtures("built_on_postgres")
@pytest.mark.parametrize("table", ["marts.fct_contacts", "marts.fct_survey_responses"])
def test_what_did_not_change_stayed_where_it_was(postgres: Postgres, table: str) -> None:
    # Rows know the transaction that wrote them: one a day.
    days = postgres.rows(f"select xmin::text as day, count(*) as n from {table} group by xmin")
    first, second = sorted(days, key=lambda row: int(row["day"]))
    assert int(first["n"]) > int(second["n"]) > 0


@pytest.mark.usefixtures("built_on_postgres")
def test_readers_see_marts_and_nothing_else(postgres: Postgres) -> None:
    [row] = postgres.rows("select count(*) as n from marts.nps_by_period", "nps_reader")
    assert int(row["n"]) > 0
    for forbidden in (
        "select * from staging.parsed_contacts",
        "select * from raw.survey_responses",
        "delete from marts.nps_by_period",
        "create table marts.mine (n integer)",
    ):
        done = postgres.psql(forbidden, "nps_reader")
        assert done.returncode != 0
        assert "permission denied" in done.stderr


@pytest.mark.usefixtures("built_on_postgres")
def test_a_mart_has_one_row_per_key_by_the_server_s_own_word(postgres: Postgres) -> None:
    done = postgres.psql(
        "insert into marts.nps_by_period select * from marts.nps_by_period limit 1"
    )
    assert done.returncode != 0
    assert "duplicate key value violates unique constraint" in done.stderr


@pytest.mark.usefixtures("built_on_postgres")
def test_the_planner_was_told_of_every_table(postgres: Postgres) -> None:
    # Of a million contacts, a table that nobody had sampled made a join of hours.
    untold = postgres.rows(
        "select schemaname, relname from pg_stat_user_tables where last_analyze is null "
        "and schemaname in ('staging', 'categorized', 'marts', 'quality') "
        "and not starts_with(relname, '_')"
    )
    assert untold == []


def test_cases_of_macros(postgres: Postgres, tmp_path: Path) -> None:
    """What macros of `macros/engine` give, by hand, on both engines."""
    models = project_of_cases()
    queries = {"duckdb": rendered(tmp_path / "duckdb", models)}
    compiled = postgres.run(
        "dbt", "compile", "--target", "postgres", "--project-dir", tmp_path / "duckdb" / "project"
    )  # fmt: skip
    assert compiled.returncode == 0, compiled.stdout
    queries["postgres"] = {
        file.stem: file.read_text()
        for file in (postgres.folder / "target" / "compiled" / "rendered").rglob("*.sql")
    }
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for name, case in CASES.items():
            found = connection.execute(queries["duckdb"][name]).fetchone()
            assert found is not None
            assert (name, found[0]) == (name, case.expected)
    for name, case in CASES.items():
        [row] = postgres.rows(
            # Of an empty text alone CSV makes an empty line, which its reader leaves out.
            f"select 1 as one, coalesce(value, '<null>') as value "
            f"from ({queries['postgres'][name]}) as q"
        )
        assert (name, row["value"]) == (name, "<null>" if case.expected is None else case.expected)


def test_shares_of_variance_are_those_of_the_python_code(postgres: Postgres) -> None:
    for sums, shares in sums_and_shares():
        listed = ", ".join(map(repr, sums))
        [row] = postgres.rows(
            f"select to_json(shares_of_variance(array[{listed}]::float8 [])) as shares"
        )
        assert json.loads(row["shares"]) == pytest.approx(shares, abs=1e-9)


@pytest.mark.parametrize(
    "function", ["try_double", "try_bigint", "try_integer", "try_timestamp", "try_zoned"]
)
def test_a_cast_works_in_a_query_of_a_large_table(postgres: Postgres, function: str) -> None:
    # A large table is read side by side; so is a small one for which that costs nothing, and of
    # which no index can be read instead.
    costs_nothing = "".join(
        f"set {name} = {value}; "
        for name, value in {
            "parallel_setup_cost": 0,
            "parallel_tuple_cost": 0,
            "min_parallel_table_scan_size": 0,
            "enable_indexscan": "off",
            "enable_indexonlyscan": "off",
            "enable_bitmapscan": "off",
        }.items()
    )
    plan = postgres.rows(f"{costs_nothing} explain select count(contact_id) from raw.contacts")
    assert "Gather" in str(plan)
    [row] = postgres.rows(
        f"{costs_nothing} select count({function}(contact_id)) as n from raw.contacts"
    )
    assert row == {"n": "0"}


def test_two_landings_at_once_leave_what_one_leaves(postgres: Postgres) -> None:
    [before] = postgres.rows("select count(*) as n from raw.contacts")
    programs_ = [
        subprocess.Popen(
            command("postgres", "python", "-m", "nps_warehouse.postgres.cli", "land"),
            env=postgres.env,
            cwd=PROJECT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    ended = [(one.communicate()[1], one.returncode) for one in programs_]
    assert [status for _, status in ended] == [0, 0], ended
    assert postgres.rows("select count(*) as n from raw.contacts") == [before]


def test_a_file_that_is_gone_leaves_and_one_that_is_new_comes(
    postgres: Postgres, tmp_path: Path
) -> None:
    delivery = tmp_path / "delivery"
    shutil.copytree(SAMPLE, delivery)
    own = {"NPS_RAW_DIR": str(delivery), "NPS_POSTGRES_LANDING": str(tmp_path / "own.duckdb")}
    land = ("python", "-m", "nps_warehouse.postgres.cli", "land")
    try:
        assert postgres.run(*land, also=own).returncode == 0
        [whole] = postgres.rows("select count(*) as n, min(ctid) as first from raw.contacts")
        # By record: a comment may have several lines. Byte for byte: one is not in UTF-8.
        answers = (delivery / "survey_responses.csv").read_text(encoding="latin-1")
        header, *records = csv.reader(io.StringIO(answers, newline=""))
        with (delivery / "survey_responses.csv").open("w", encoding="latin-1", newline="") as file:
            csv.writer(file).writerows([header, *records[:100]])
        assert postgres.run(*land, also=own).returncode == 0
        # Rows of files that are as they were stay where they are.
        assert postgres.rows("select count(*) as n, min(ctid) as first from raw.contacts") == [
            whole
        ]
        [row] = postgres.rows(
            "select count(*) as n, max(_source_row) as last from raw.survey_responses"
        )
        assert row["n"] == "100"
    finally:
        postgres.run(*land)


def test_a_build_beside_another_run_is_refused(postgres: Postgres) -> None:
    holder = subprocess.Popen(
        command("postgres", "python", "-c", HOLD),
        env=postgres.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        done = postgres.run("dbt", "seed", "--target", "postgres", "-s", "nps_bands")
    finally:
        holder.communicate()
    assert done.returncode != 0
    assert "Another run is changing the database" in done.stdout


def test_the_password_stands_in_no_other_file_and_in_no_process(postgres: Postgres) -> None:
    assert postgres.server.password_file.stat().st_mode & 0o077 == 0
    for file in postgres.folder.rglob("*"):
        if file.is_file() and file != postgres.server.password_file:
            assert postgres.address.password.encode() not in file.read_bytes(), file
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert postgres.address.password.encode() not in process.read_bytes()
        except OSError:
            continue
