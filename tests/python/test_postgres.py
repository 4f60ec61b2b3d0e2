"""PostgreSQL as the engine: a server of the suite's own, and the marts beside those of DuckDB."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pytest
from conftest import PROJECT, SAMPLE, Build
from engine_cases import CASES, project_of_cases
from nps_warehouse import environment
from nps_warehouse.importance.shares import shares_of_variance
from nps_warehouse.postgres.server import Address, Server, programs
from rendered import rendered

pytestmark = [pytest.mark.servers, pytest.mark.environments, pytest.mark.timeout(1200)]


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
        found = {name: value for name, value in os.environ.items() if not name.startswith("NPS_")}
        return found | {
            **self.address.environment(),
            "NPS_RAW_DIR": str(SAMPLE),
            "NPS_STATE_DIR": str(self.folder / "state"),
            "NPS_POSTGRES_LANDING": str(self.folder / "landing.duckdb"),
            "NPS_WAREHOUSE": str(self.folder / "duckdb_engine.duckdb"),
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "PYTHONPATH": str(PROJECT / "scripts"),
            "DO_NOT_TRACK": "1",
        }

    def run(
        self, *arguments: str | Path, also: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of `.venv-postgres`; what it says is kept."""
        program, *rest = map(str, arguments)
        return subprocess.run(
            [str(PROJECT / ".venv-postgres" / "bin" / program), *rest],
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
    """The comparison that is printed after a build of the sample."""
    done = postgres.run(
        "python", "-m", "nps_warehouse.engines.cli", sample_build.warehouse, "postgres"
    )
    assert done.returncode in (0, 3), done.stdout[-4000:] + done.stderr[-4000:]
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
    random = np.random.default_rng(5)
    for k in (2, 5, 8):
        x = random.normal(size=(200, k)) @ random.normal(size=(k, k))
        y = x @ random.normal(size=k) + random.normal(size=200) + 3
        if k == 5:
            # One that never varies, and one that two others make up.
            x[:, 0] = 7
            x[:, 4] = x[:, 1] - x[:, 2]
        pairs = itertools.combinations_with_replacement(range(k), 2)
        sums = [
            200.0, y.sum(), (y * y).sum(), *x.sum(axis=0), *(x.T @ y),
            *((x[:, i] * x[:, j]).sum() for i, j in pairs),
        ]  # fmt: skip
        r_squared, shares = shares_of_variance(sums)
        listed = ", ".join(repr(float(one)) for one in sums)
        [row] = postgres.rows(
            f"select to_json(shares_of_variance(array[{listed}]::float8 [])) as shares"
        )
        assert json.loads(row["shares"]) == pytest.approx([r_squared, *shares], abs=1e-9)


def test_two_landings_at_once_leave_what_one_leaves(postgres: Postgres) -> None:
    [before] = postgres.rows("select count(*) as n from raw.contacts")
    programs_ = [
        subprocess.Popen(
            [
                str(PROJECT / ".venv-postgres" / "bin" / "python"),
                "-m",
                "nps_warehouse.postgres.cli",
                "land",
            ],
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
        [
            str(PROJECT / ".venv-postgres" / "bin" / "python"),
            "-c",
            HOLD,
        ],
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
