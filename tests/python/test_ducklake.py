"""A lake as the place of a build: two days of deliveries, with readers, writers and a second run.

The sample is the second day's delivery, so that what the increment leaves is compared with DuckDB's
own build of it. Tests are in the order of what they do to the lake: the last ones forget the first
day.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import PROJECT, Build
from engine_programs import command, surroundings
from first_day import GROWS, deliver_first_day, deliver_second_day
from nps_warehouse import environment
from nps_warehouse.exit_codes import LOCKED
from nps_warehouse.postgres.server import Address, Server

pytestmark = [pytest.mark.servers, pytest.mark.environments, pytest.mark.timeout(1800)]

CLI = ("python", "-m", "nps_warehouse.ducklake.cli")
MODELS_ONLY = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
# A fact that takes in what changed, tables that are built anew, and some of them large.
READ = (
    "marts.fct_survey_responses",
    "marts.fct_contacts",
    "marts.nps_by_period",
    "marts.nps_by_agent",
    "marts.daily_response_counts",
    "quality.rejected_rows",
)

# The first day needs no more, but for what is read.
FIRST_DAY = ("-s", GROWS, *(f"+{name.split('.')[1]}" for name in READ))

FINGERPRINTS = """
import json, sys
from nps_warehouse.ducklake.lake import connected, lake
query = "select count(*) || ' ' || coalesce(bit_xor(hash(t)), 0) from {} as t"
tables = sys.argv[2].split(",")
version = int(sys.argv[1]) or None
with connected(lake(), version=version) as connection:
    found = {one: connection.execute(query.format(one)).fetchone()[0] for one in tables}
print(json.dumps(found))
"""

# Reads whole tables one after the other until a file appears, and says what it saw.
READER = """
import json, sys, time
from pathlib import Path
from nps_warehouse.ducklake.lake import connected, lake
query = "select count(*) || ' ' || coalesce(bit_xor(hash(t)), 0) from {} as t"
seen, reads = {}, 0
with connected(lake()) as connection:
    while not Path(sys.argv[1]).exists():
        for one in sys.argv[2].split(","):
            seen.setdefault(one, {})[connection.execute(query.format(one)).fetchone()[0]] = None
            reads += 1
        # It shares the processors with the build.
        time.sleep(0.1)
print(json.dumps([reads, {one: list(values) for one, values in seen.items()}]))
"""

WRITER = """
import sys, time
from pathlib import Path
from nps_warehouse.ducklake.lake import connected, lake
written = 0
with connected(lake(), read_only=False) as connection:
    connection.execute("create schema visitors")
    connection.execute("create table visitors.notes (number integer)")
    while not Path(sys.argv[1]).exists():
        connection.execute("insert into visitors.notes values (?)", [written])
        written += 1
        time.sleep(2)
print(written)
"""

HOLD = """
import sys
from nps_warehouse.ducklake.lake import lake, run_alone
with run_alone(lake()):
    print(flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Place:
    """A lake, and how programs reach it."""

    server: Server
    address: Address
    folder: Path

    @property
    def env(self) -> dict[str, str]:
        """The environment of a program."""
        return surroundings(
            self.folder,
            {
                **self.address.environment("NPS_DUCKLAKE_"),
                "NPS_DUCKLAKE_DATA": self.folder / "data",
                "NPS_RAW_DIR": self.folder / "delivery",
                # Where extensions would be downloaded to.
                "HOME": self.folder / "home",
            },
        )

    def start(
        self, *arguments: str | Path, also: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start a program of `.venv-ducklake`."""
        program, *rest = map(str, arguments)
        return subprocess.Popen(
            command("ducklake", program, *rest),
            env=self.env | dict(also or {}),
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str | Path, also: Mapping[str, str] | None = None) -> str:
        """Run a program of `.venv-ducklake` that has to succeed; returns what it printed."""
        return said(self.start(*arguments, also=also))[0]

    def fingerprints(self, version: int = 0, tables: tuple[str, ...] = READ) -> dict[str, str]:
        """Rows and their digest, by table; 0: as the lake is now."""
        text = self.run("python", "-c", FINGERPRINTS, str(version), ",".join(tables))
        return dict(json.loads(text))

    def versions(self) -> list[int]:
        """The ends of builds that can be asked for."""
        return [int(line.split()[0]) for line in self.run(*CLI, "versions").splitlines()]


def said(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a program that has to succeed printed, and what it complained of."""
    out, err = process.communicate()
    assert process.returncode == 0, out[-4000:] + err[-4000:]
    return out, err


@dataclass(frozen=True)
class History:
    """Two days of a lake, and what others saw in the second."""

    place: Place
    first: dict[str, str]
    second: dict[str, str]
    compared: str
    waited: str
    reads: int
    seen: dict[str, list[str]]
    written: int


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """The suite's own lake, with nothing in it."""
    environment.ensure(PROJECT, ["ducklake"], ".venv-ducklake")
    # Not pytest's own: the server's user has to pass through.
    folder = Path(tempfile.mkdtemp(prefix="nps_ducklake_"))
    folder.chmod(0o751)
    server = Server(folder / "server", "nps_lake")
    try:
        (folder / "home").mkdir()
        yield Place(server, server.start(), folder)
    finally:
        server.remove()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def history(place: Place, sample_build: Build) -> History:
    """A build, then another of a later delivery, beside a reader, a writer and a second run."""
    delivery = place.folder / "delivery"
    deliver_first_day(delivery)
    place.run(*CLI, "build", *MODELS_ONLY, *FIRST_DAY)
    first = place.fingerprints()
    deliver_second_day(delivery)
    # The project as the first day parsed it; two runs would write to one folder.
    shutil.copytree(place.folder / "target", place.folder / "other_target")
    stop = place.folder / "stop"
    reader = place.start("python", "-c", READER, stop, ",".join(READ))
    writer = place.start("python", "-c", WRITER, stop)
    try:
        runs = [
            place.start(
                "python", "-m", "nps_warehouse.engines.cli", sample_build.warehouse, "ducklake"
            ),
            place.start(
                *CLI, "build", "-s", "nps_bands",
                also={"DBT_TARGET_PATH": str(place.folder / "other_target")},
            ),
        ]  # fmt: skip
        # Both at once: neither may wait for its output to be read.
        second_out, second_err = runs[1].communicate()
        compared, first_err = runs[0].communicate()
    finally:
        stop.touch()
    reads, seen = json.loads(said(reader)[0])
    written = int(said(writer)[0])
    assert runs[1].returncode == 0, second_out[-4000:] + second_err[-4000:]
    assert runs[0].returncode in (0, 3), compared[-4000:] + first_err[-4000:]
    return History(
        place, first, place.fingerprints(), compared, first_err + second_err, reads, seen, written
    )


def test_an_increment_of_the_lake_is_what_duckdb_builds_of_the_same_files(
    history: History, sample_build: Build
) -> None:
    [counted] = sample_build.dicts(
        "select count(*) as tables from information_schema.tables "
        "where table_schema in ('marts', 'quality')"
    )
    lines = history.compared.splitlines()
    assert [line for line in lines if "differs" in line or "only one" in line] == []
    assert lines[-1].startswith(f"{counted['tables']} of {counted['tables']} tables are equal")


def test_what_grows_took_in_what_changed(history: History) -> None:
    # What dbt tells of the second build: rows that were added, not the table.
    added = history.place.run(
        *CLI, "sql", "--now",
        "select count(*) || ' of ' || (select count(*) from staging.parsed_customers) from "
        "ducklake_table_insertions('lake', 'staging', 'parsed_customers', "
        f"{history.place.versions()[0] + 1}, {max(history.place.versions())})",
    )  # fmt: skip
    found = re.search(r"(\d+) of (\d+)", added)
    assert found is not None, added
    assert int(found[1]) == 0
    assert int(found[2]) > 0


def test_a_reader_sees_every_table_as_one_build_left_it(history: History) -> None:
    assert history.reads > 5 * len(READ)
    for table in READ:
        whole = {history.first[table], history.second[table]}
        assert set(history.seen[table]) <= whole, table
    # It did see both days.
    assert set(history.seen["marts.fct_survey_responses"]) == {
        history.first["marts.fct_survey_responses"], history.second["marts.fct_survey_responses"],
    }  # fmt: skip


def test_somebody_else_s_rows_are_all_there(history: History) -> None:
    [rows] = history.place.fingerprints(tables=("visitors.notes",)).values()
    assert history.written > 0
    assert rows.split()[0] == str(history.written)


def test_of_two_runs_at_once_one_waits(history: History) -> None:
    assert history.waited.count("Another run is changing the lake; waiting") == 1
    # The first day's, and those of both.
    assert len(history.place.versions()) == 3


def test_a_run_that_may_not_wait_says_why_it_does_nothing(history: History) -> None:
    holder = history.place.start("python", "-c", HOLD)
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        no_time = {"NPS_DUCKLAKE_WAIT": "1"}
        runs = [
            history.place.start(*CLI, "maintain", also=no_time),
            history.place.start(
                "dbt", "seed", "--target", "ducklake", "-s", "nps_bands", also=no_time
            ),
        ]
        ended = [run.communicate() for run in runs]
    finally:
        holder.communicate()
    assert runs[0].returncode == LOCKED
    assert runs[1].returncode not in (0, None)
    for out, err in ended:
        assert "another run is changing the lake, and did not end in 1 s" in out + err


def test_yesterday_s_lake_is_still_there(history: History) -> None:
    yesterday = history.place.versions()[0]
    assert history.place.fingerprints(yesterday) == history.first
    assert history.first["marts.nps_by_period"] != history.second["marts.nps_by_period"]
    # As a reader asks in SQL, and by the command.
    rows = int(history.first["marts.fct_survey_responses"].split()[0])
    for query, more in (
        (f"select count(*) as n from marts.fct_survey_responses at (version => {yesterday})", ()),
        ("select count(*) as n from marts.fct_survey_responses", ("--version", str(yesterday))),
    ):
        assert str(rows) in history.place.run(*CLI, "sql", query, *more)


def test_a_grain_is_tested_though_no_lake_keeps_to_it(history: History) -> None:
    test = ("dbt", "test", "--target", "ducklake", "-s", "nps_by_period,test_name:one_row_per")
    history.place.run(*test)
    change = (
        "import sys; from nps_warehouse.ducklake.lake import connected, lake\n"
        "with connected(lake(), read_only=False) as connection: connection.execute(sys.argv[1])"
    )
    again = "insert into marts.nps_by_period select * from marts.nps_by_period limit 1"
    history.place.run("python", "-c", change, again)
    refused = history.place.start(*test)
    out, _ = refused.communicate()
    undone = (
        "delete from marts.nps_by_period where rowid = (select max(rowid) from marts.nps_by_period)"
    )
    history.place.run("python", "-c", change, undone)
    assert refused.returncode == 1
    assert "one_row_per" in out
    assert history.place.fingerprints() == history.second


def test_the_password_stands_in_no_other_file_and_in_no_process(history: History) -> None:
    place = history.place
    assert place.server.password_file.stat().st_mode & 0o077 == 0
    for file in place.folder.rglob("*"):
        if file.is_file() and file != place.server.password_file:
            assert place.address.password.encode() not in file.read_bytes(), file
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert place.address.password.encode() not in process.read_bytes()
        except OSError:
            continue


def test_no_extension_is_downloaded(history: History) -> None:
    assert list((history.place.folder / "home").rglob("*.duckdb_extension*")) == []


def test_a_lake_that_is_not_there_is_said_in_one_sentence_without_the_password(
    place: Place,
) -> None:
    refused = place.start(*CLI, "versions", also={"NPS_DUCKLAKE_PORT": "1"})
    _, err = refused.communicate()
    assert refused.returncode == 65
    assert "Connection refused" in err
    assert len(err.splitlines()) == 1
    assert place.address.password not in err


def test_maintenance_forgets_versions_and_leaves_the_tables(history: History) -> None:
    place = history.place
    oldest, *_, newest = place.versions()
    before = stored(place)
    # Readers may still be in the files of an hour ago.
    place.run(*CLI, "maintain", "--keep", "1")
    assert place.versions() == [newest]
    assert place.fingerprints() == history.second
    assert before.keys() <= stored(place).keys()
    place.run(*CLI, "maintain", "--keep", "1", "--grace-minutes", "0")
    assert place.fingerprints() == history.second
    assert place.fingerprints(newest) == history.second
    # Tables of the first day that the second built anew.
    assert before.keys() - stored(place).keys()
    asked = place.start(*CLI, "sql", "select 1 as n", "--version", str(oldest))
    asked.communicate()
    assert asked.returncode != 0


def test_maintenance_makes_fewer_files_of_many(history: History) -> None:
    """Once there is a version after it: what one is made of stays as it is."""
    place = history.place
    before = stored(place)
    place.run(*CLI, "build", "-s", "nps_bands")
    place.run(*CLI, "maintain", "--keep", "1", "--grace-minutes", "0")
    assert place.fingerprints() == history.second
    after = stored(place)
    assert len(after) < len(before)
    assert sum(after.values()) < sum(before.values())


def stored(place: Place) -> dict[Path, int]:
    """The sizes of the files of the lake, in bytes."""
    data = place.folder / "data"
    return {file: file.stat().st_size for file in data.rglob("*.parquet")}
