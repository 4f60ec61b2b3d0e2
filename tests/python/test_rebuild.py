"""The same data give the same marts: in any format, any number of times, in any warehouse file."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from conftest import PROJECT, Build, built
from fingerprints import fingerprints, tables_of
from nps_warehouse.sample.cli import main as generate_sample

CONTACTS = 2_000
# Asked for with another number of contacts by NPS_LARGE_CONTACTS.
LARGE = int(os.environ.get("NPS_LARGE_CONTACTS", "300000"))
# Texts without an offset and typed timestamps without a zone are local there, others are not.
VARIABLES = {"nps_timezone": "Europe/Berlin"}
SCHEMAS = ("raw", "reference", "staging", "categorized", "marts", "quality")
PARTS = 3

# Column types as a database or a data frame exports them: a nullable whole number is a double.
TYPED: Mapping[str, Mapping[str, str]] = {
    "survey_responses": {
        "score": "double", "responded_at": "timestamptz", "invitation_id": "bigint",
        "contact_id": "double", "customer_id": "double", "csat_score": "double",
        "effort_score": "decimal(4, 1)", "is_test": "boolean", "updated_at": "timestamp_s",
    },
    "contacts": {
        "contact_id": "bigint", "started_at": "timestamp", "agent_id": "double",
        "customer_id": "integer", "ended_at": "timestamp_ms", "queue_seconds": "double",
        "hold_seconds": "float", "handle_seconds": "bigint", "transfers": "utinyint",
        "is_resolved": "boolean", "updated_at": "timestamp",
    },
    "departments": {"updated_at": "timestamp"},
    "agents": {
        "agent_id": "smallint", "hired_on": "date", "left_on": "date", "updated_at": "timestamp",
    },
    "agent_assignments": {"agent_id": "double", "valid_from": "date", "valid_to": "timestamp"},
    "contact_legs": {
        "contact_id": "hugeint", "leg_number": "double", "agent_id": "double",
        "started_at": "timestamp_ns", "handle_seconds": "integer",
    },
    "customers": {
        "customer_id": "double", "customer_since": "date", "churned_on": "timestamp",
        "updated_at": "timestamp",
    },
    "customer_revenue": {"customer_id": "bigint", "month": "date", "revenue": "decimal(12, 2)"},
    "survey_invitations": {
        "invitation_id": "bigint", "contact_id": "double", "customer_id": "double",
        "sent_at": "timestamp", "delivered_at": "timestamptz", "opened_at": "timestamp",
        "updated_at": "timestamp",
    },
    "follow_ups": {
        "owner_agent_id": "double", "opened_at": "timestamp", "first_contacted_at": "timestamptz",
        "closed_at": "timestamp", "updated_at": "timestamp",
    },
    "initiatives": {"started_on": "date", "ended_on": "date"},
    "evaluations": {"contact_id": "bigint", "score": "double", "evaluated_at": "timestamp"},
}  # fmt: skip


class Data:
    """A generated contact center as tables of text, numbered in the order of delivery."""

    def __init__(self, folder: Path) -> None:
        arguments = ["--contacts", str(CONTACTS), "--output", str(folder), "--without-dirty-rows"]
        assert generate_sample(arguments) == 0
        self.connection = duckdb.connect()
        self.connection.execute(f"set TimeZone = '{VARIABLES['nps_timezone']}'")
        self.columns: dict[str, list[str]] = {}
        for table in TYPED:
            self.connection.execute(
                f"create table {table} as select *, row_number() over () as row_number "
                f"from read_csv('{folder / table}.csv', all_varchar = true, header = true)"
            )
            described = self.connection.execute(f"describe {table}").fetchall()
            self.columns[table] = [str(c[0]) for c in described if c[0] != "row_number"]
            self._number_keys(table)

    def _number_keys(self, table: str) -> None:
        """Keys that were letters and digits become whole numbers, some of 19 digits."""
        for column in self.columns[table]:
            if column in ("contact_id", "customer_id", "agent_id", "owner_agent_id"):
                self.connection.execute(
                    f"update {table} set {column} = "
                    f"cast(cast(substring({column}, 2) as bigint) as varchar)"
                )
            elif column == "invitation_id":
                self.connection.execute(
                    f"update {table} set {column} = cast("
                    f"7000000000000000000 + hash({column}) % 1000000000000 as varchar)"
                )

    def rows(self, table: str, part: int | None = None) -> str:
        """SQL of a table's rows, or of one of three parts of them, in order.

        Args:
            table: which table.
            part: 0, 1 or 2; all rows if None.
        """
        where = ""
        if part is not None:
            share = f"(select count(*) from {table}) / {PARTS}.0"
            where = f"where least(floor((row_number - 1) / ({share})), {PARTS - 1}) = {part}"
        return f"(select * from {table} {where} order by row_number)"

    def write_csv(self, table: str, path: Path, part: int | None = None) -> None:
        """Write a CSV file; of the second part with its columns and line ends the other way."""
        columns = self.columns[table]
        if part == 1:
            columns = columns[::-1]
        rows = self.connection.execute(f"select {', '.join(columns)} from {self.rows(table, part)}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8-sig" if part == 1 else "utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\r\n" if part == 1 else "\n")
            names = [name.upper() for name in columns] if part == 2 else columns
            writer.writerow(names)
            writer.writerows(rows.fetchall())

    def write_parquet(
        self, table: str, path: Path, types: Mapping[str, str], part: int | None = None
    ) -> None:
        """Write a Parquet file, text where no other type is given."""
        columns = ", ".join(
            f"cast({name} as {types.get(name, 'varchar')}) as {name}"
            for name in self.columns[table][:: -1 if part == 1 else 1]
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        self.connection.execute(
            f"copy (select {columns} from {self.rows(table, part)}) "
            f"to '{path}' (format parquet, row_group_size 2048)"
        )

    def as_csv(self, folder: Path) -> None:
        for table in TYPED:
            self.write_csv(table, folder / f"{table}.csv")

    def as_csv_folders(self, folder: Path) -> None:
        # In byte order of their paths, as a repeated key's later row is the later file's.
        for table in TYPED:
            for part, name in enumerate(("A b.csv", "Z/it's.csv", "a.csv")):
                self.write_csv(table, folder / table / name, part)

    def as_parquet_text(self, folder: Path) -> None:
        for table in TYPED:
            self.write_parquet(table, folder / f"{table}.parquet", {})

    def as_parquet_typed(self, folder: Path) -> None:
        for table, types in TYPED.items():
            self.write_parquet(table, folder / f"{table}.parquet", types)

    def as_mixed_folders(self, folder: Path) -> None:
        whole = {"double": "bigint", "timestamptz": "timestamptz", "bigint": "varchar"}
        for table, types in TYPED.items():
            others = {name: whole.get(type_, type_) for name, type_ in types.items()}
            for part, part_types in enumerate((types, {}, others)):
                self.write_parquet(table, folder / table / f"{part}.parquet", part_types, part)
        shutil.rmtree(folder / "contacts")
        for part, name in enumerate(("1.csv", "2.parquet", "3.parquet")):
            if part == 0:
                self.write_csv("contacts", folder / "contacts" / name, part)
            else:
                self.write_parquet("contacts", folder / "contacts" / name, TYPED["contacts"], part)


FORMATS: Mapping[str, Callable[[Data, Path], None]] = {
    "csv": Data.as_csv,
    "csv_folders": Data.as_csv_folders,
    "parquet_text": Data.as_parquet_text,
    "parquet_typed": Data.as_parquet_typed,
    "mixed_folders": Data.as_mixed_folders,
}


@dataclass(frozen=True)
class Center:
    """Delivered folders of the same contact center by format, and the marts of the first."""

    folder: Path
    raw: Mapping[str, Path]
    first: Build
    marts: Mapping[str, str]
    relations: Mapping[str, list[str]]

    def build(self, raw: Path, **how: object) -> Build:
        return built(self.folder, raw_dir=raw, variables=VARIABLES, **how)


def relations_of(warehouse: Path) -> dict[str, list[str]]:
    """Every relation of a warehouse by schema."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return {schema: tables_of(connection, schema) for schema in SCHEMAS}


@pytest.fixture(scope="module")
def center(tmp_path_factory: pytest.TempPathFactory) -> Center:
    folder = tmp_path_factory.mktemp("rebuild")
    data = Data(folder / "generated")
    raw = {name: folder / name for name in FORMATS}
    for name, write in FORMATS.items():
        raw[name].mkdir()
        write(data, raw[name])
    first = built(folder, raw_dir=raw["csv"], variables=VARIABLES)
    return Center(folder, raw, first, fingerprints(first.warehouse), relations_of(first.warehouse))


def differing(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))


@pytest.mark.thorough
def test_the_data_is_worth_comparing(center: Center) -> None:
    assert center.first.rows("select count(*) > 200 from marts.fct_survey_responses") == [(True,)]
    repeated = center.first.rows(
        "select count(*) from quality.superseded_rows "
        "where table_name in ('contacts', 'survey_responses')"
    )
    assert repeated > [(5,)]
    assert center.first.rows(
        "select count(*) from marts.fct_survey_responses "
        "where length(invitation_id) = 19 and contact_id <> 'unknown' and customer_id <> 'unknown'"
    ) > [(200,)]
    assert center.first.rows("select count(*) from quality.rejected_rows") == [(0,)]
    assert len(center.marts) >= 20


@pytest.mark.thorough
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_marts(center: Center, name: str) -> None:
    # Into the same file every time: the first of these is the build done twice.
    build = center.build(center.raw[name])
    assert not differing(fingerprints(build.warehouse), center.marts)
    assert build.rows("select * from quality.rejected_values") == []
    assert build.rows("select * from quality.rejected_rows") == []
    assert_copy_answers(build, center.folder / f"a copy, renamed.{name}.duckdb")


def assert_copy_answers(build: Build, copy: Path) -> None:
    """A copy under another name holds the same, alone and attached, where the original is gone."""
    original = fingerprints(build.warehouse, SCHEMAS)
    shutil.copy(build.warehouse, copy)
    away = build.warehouse.rename(build.warehouse.with_suffix(".away"))
    try:
        assert not differing(fingerprints(copy, SCHEMAS), original)
        with duckdb.connect() as connection:
            connection.execute(f"attach '{copy}' as elsewhere (read_only)")
            for relation in original:
                connection.execute(f"from elsewhere.{relation}").fetchall()
    finally:
        away.rename(build.warehouse)
    assert len(original) > 80


@pytest.mark.thorough
def test_another_folder_and_back_leaves_nothing_over(center: Center) -> None:
    small = center.folder / "small"
    small.mkdir()
    for table in ("survey_responses", "contacts", "departments"):
        shutil.copy(center.raw["csv"] / f"{table}.csv", small)
    lines = (small / "survey_responses.csv").read_text().splitlines(keepends=True)
    (small / "survey_responses.csv").write_text("".join(lines[:100]))

    there = center.build(small)
    after_another = fingerprints(there.warehouse, SCHEMAS)
    assert there.rows("select count(*) from marts.fct_survey_invitations") == [(0,)]
    assert there.rows("select count(*) from raw.agents") == [(0,)]
    assert there.rows("select count(*) from marts.dim_agents where is_delivered") == [(0,)]

    there.warehouse.unlink()
    alone = center.build(small)
    # What increments note of themselves is of the landings there were.
    noted = {"raw._files", "raw._landing"} | {
        name for name in after_another if name.startswith("staging._")
    }
    found = differing(after_another, fingerprints(alone.warehouse, SCHEMAS))
    assert not set(found) - noted

    back = center.build(center.raw["csv"])
    assert not differing(fingerprints(back.warehouse), center.marts)
    assert relations_of(back.warehouse) == center.relations


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("threads", "name"),
    [
        ("1", "my ware-house v1.2.duckdb"),
        ("8", "it's here/in 'quotes'/v1.2 (2025-01-01).db"),
    ],
)
def test_threads_and_file_names_change_nothing(center: Center, threads: str, name: str) -> None:
    warehouse = center.folder / name
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    build = center.build(
        center.raw["csv"], warehouse=warehouse, environment={"NPS_THREADS": threads}
    )
    assert not differing(fingerprints(build.warehouse), center.marts)


@pytest.mark.thorough
@pytest.mark.timeout(3600)  # three builds of everything
def test_threads_that_share_a_table_change_nothing(tmp_path: Path) -> None:
    """1, 2 and 8 models at once, each on as many threads of DuckDB, on tables of many row groups.

    DuckDB deals out a table to its threads by row groups of 122,880 rows: sums of doubles, the last
    of equal rows and the order of texts put behind each other could come out otherwise every time.
    """
    raw_dir = tmp_path / "raw"
    arguments = ["--contacts", str(LARGE), "--output", str(raw_dir), "--format", "parquet"]
    assert generate_sample(arguments) == 0
    profiles = (PROJECT / "profiles.yml").read_text(encoding="utf-8")
    as_shipped = "settings: {TimeZone: UTC, preserve_insertion_order: false}"
    assert profiles.count(as_shipped) == 1
    found: dict[str, Mapping[str, str]] = {}
    for threads in ("1", "2", "8"):
        folder = tmp_path / threads
        folder.mkdir()
        (folder / "profiles.yml").write_text(
            profiles.replace(as_shipped, as_shipped.replace("}", f", threads: {threads}}}"))
        )
        build = built(
            folder,
            raw_dir=raw_dir,
            environment={"NPS_THREADS": threads, "DBT_PROFILES_DIR": str(folder)},
        )
        found[threads] = fingerprints(build.warehouse, ("marts", "quality"))
        assert build.rows("select count(*) from marts.fct_contacts") > [(LARGE - 1,)]
        build.warehouse.unlink()
    assert len(found["1"]) > 200
    assert not differing(found["2"], found["1"])
    assert not differing(found["8"], found["1"])


# What is shown of people.

SALT = "a salt of the test's own"
SECRETS = {
    "NPS_PRIVACY_SALT": "planted-privacy-salt",
    "NPS_WEBHOOK_SECRET": "planted-webhook-secret",
    "NPS_WEBHOOK_URL": "https://hooks.example.com/planted-webhook-url",
}
CUSTOMER_DATA = {
    "jane.roe@example.com": "Write to me at jane.roe@example.com please.",
    "JANE@EXAMPLE.ORG": "JANE@EXAMPLE.ORG",
    "josé@example.org": "Mi correo: josé@example.org",
    "maría.muñoz": "Mi correo: maría.muñoz@example.org",
    "müller": "Adresse: j.müller@exämple.example",
    "555-0142": "Call me on 555-0142.",
    "(212) 555-0187": "My number is (212) 555-0187.",
    "+1 303-555-0119": "Llámeme al +1 303-555-0119.",
    "+49\u00a030\u00a0555\u00a00142": "Tel. +49\u00a030\u00a0555\u00a00142",
    "555–0142–99": "Bitte 555–0142–99 anrufen",
    "4111 1111 1111 1111": "I paid with 4111 1111 1111 1111.",
    "5555-5555-5555-4444": "Karte 5555-5555-5555-4444 wurde doppelt belastet.",
    "378282246310005": "Mi tarjeta es 378282246310005.",
    "DE89 3704 0044 0532 0130 00": "Bitte an DE89 3704 0044 0532 0130 00 erstatten.",
    "es9121000418450200051332": "La cuenta es es9121000418450200051332.",
    "GB29NWBK60161331926819": "Refund to GB29NWBK60161331926819, thanks.",
}


@dataclass(frozen=True)
class People:
    """A delivery in which every agent and every piece of customers' data is told from chance."""

    folder: Path
    raw: Path

    def build(self, **how: object) -> Build:
        return built(self.folder, raw_dir=self.raw, **how)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    folder = tmp_path_factory.mktemp("people")
    raw = folder / "raw"
    arguments = ["--contacts", str(CONTACTS), "--output", str(raw)]
    truth = folder / "truth.json"
    assert generate_sample([*arguments, "--truth", str(truth)]) == 0
    for path in raw.glob("*.csv"):
        text = path.read_bytes()
        text = re.sub(rb"\b(X?A\d{2,4})\b", rb"zqid\1", text)
        path.write_bytes(re.sub(rb"\b(Agent \d{3})\b", rb"zqname\1", text))
    responses = raw / "survey_responses.csv"
    columns = responses.read_bytes().partition(b"\n")[0].decode().split(",")
    with responses.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        for number, comment in enumerate(CUSTOMER_DATA.values()):
            row = {"response_id": f"zq{number}", "score": "9", "responded_at": "2025-06-01"}
            writer.writerow({**row, "comment": comment})
            # In the wrong columns, as a shifted export has it.
            writer.writerow({**row, "response_id": f"zqs{number}", "score": comment})
            writer.writerow({**row, "response_id": f"zqc{number}", "language": comment})
    planted = json.loads(truth.read_text())["personal_data"]
    assert len(planted) == 12
    return People(folder, raw)


def texts(build: Build) -> dict[str, set[str]]:
    """Every text in marts and quality, by column."""
    found: dict[str, set[str]] = {}
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        columns = connection.execute(
            "select table_schema, table_name, column_name from information_schema.columns "
            "where table_schema in ('marts', 'quality') and data_type = 'VARCHAR'"
        ).fetchall()
        for schema, table, column in columns:
            rows = connection.execute(
                f'select distinct "{column}" from {schema}.{table} where "{column}" is not null'
            ).fetchall()
            found[f"{schema}.{table}.{column}"] = {str(row[0]) for row in rows}
    assert len(found) > 80
    return found


def columns_with(found: Mapping[str, set[str]], pattern: str) -> dict[str, str]:
    """Columns in which a text has the pattern, each with one such text."""
    hits = {}
    for column, values in found.items():
        hit = next((value for value in sorted(values) if re.search(pattern, value)), None)
        if hit is not None:
            hits[column] = hit
    return hits


def agents_that_do_not_add_up(build: Build) -> list[tuple[object, ...]]:
    counts = "responses, promoters, passives, detractors"
    summed = ", ".join(f"cast(sum({name}) as bigint)" for name in counts.split(", "))
    keys = "survey_type, period_type, period_start"
    return build.rows(
        f"(select {keys}, {summed} from marts.nps_by_agent group by all "
        f"except select {keys}, {counts} from marts.nps_by_period) union all "
        f"(select {keys}, {counts} from marts.nps_by_period "
        f"except select {keys}, {summed} from marts.nps_by_agent group by all)"
    )


# Staging holds the agents as they were delivered.
AGENT_COUNTS = """
    select count(*) as responses
    from staging.stg_survey_responses as responses
    inner join staging.stg_contacts as contacts on responses.contact_id = contacts.contact_id
    where contacts.agent_id is not null
    group by contacts.agent_id
    order by responses
"""


@dataclass(frozen=True)
class Hidden:
    """A build that shows no agents, and every text that its marts and quality tables show."""

    identity: str
    build: Build
    texts: Mapping[str, set[str]]


@pytest.fixture(
    scope="module", params=["pseudonym", pytest.param("none", marks=pytest.mark.thorough)]
)
def hidden(request: pytest.FixtureRequest, people: People) -> Hidden:
    identity = str(request.param)
    build = people.build(
        variables={"agent_identity": identity}, environment={"NPS_AGENT_SALT": SALT, **SECRETS}
    )
    return Hidden(identity, build, texts(build))


def test_no_text_names_an_agent(hidden: Hidden) -> None:
    build = hidden.build
    assert build.rows("select count(*) from staging.stg_contacts where agent_id like 'zqid%'") > [
        (1000,)
    ]
    for table in ("agents", "agent_assignments"):
        assert build.rows(
            f"select rejected > 0 and superseded > 0 from quality.reconciliation "
            f"where table_name = '{table}'"
        ) == [(True,)]
    assert not columns_with(hidden.texts, f"zqid|zqname|{SALT}")


def test_no_secret_is_in_what_a_build_leaves(hidden: Hidden, people: People) -> None:
    # dbt's artifacts and logs, and the warehouse: its views are SQL that was stored.
    files = [path for path in people.folder.rglob("*") if path.is_file()]
    names = {path.name for path in files}
    left = {"manifest.json", "run_results.json", "dbt.log"}
    assert left | {hidden.build.warehouse.name} <= names
    for path in files:
        content = path.read_bytes()
        for secret in (SALT.partition("'")[0], *SECRETS.values()):
            assert secret.encode() not in content, path


def test_agents_add_up_to_the_company(hidden: Hidden) -> None:
    build = hidden.build
    assert build.rows("select count(*) > 50 from marts.nps_by_agent") == [(True,)]
    assert agents_that_do_not_add_up(build) == []


def test_pseudonyms_tell_agents_apart_and_none_does_not(hidden: Hidden) -> None:
    identity, build = hidden.identity, hidden.build
    shown = {row[0] for row in build.rows("select agent_id from marts.nps_by_agent")}
    if identity == "none":
        assert shown == {"withheld", "unknown"}
        return
    assert all(re.fullmatch("agent_[0-9a-f]{12,}", str(name)) for name in shown - {"unknown"})
    counts = build.rows(
        "select responses from marts.nps_by_agent where survey_type = 'all' "
        "and period_type = 'all' and agent_id <> 'unknown' order by responses"
    )
    assert counts == build.rows(AGENT_COUNTS)


@pytest.mark.parametrize("data", CUSTOMER_DATA)
def test_no_text_shows_customers_data(hidden: Hidden, data: str) -> None:
    assert not columns_with(hidden.texts, re.escape(data))


def test_no_text_shows_any_address_or_planted_number(hidden: Hidden, people: People) -> None:
    found = hidden.texts
    assert not columns_with(found, r"[^ ]@[^ ]+\.[a-z]+")
    truth = json.loads((people.folder / "truth.json").read_text())
    for planted in truth["personal_data"]:
        for number in re.findall(r"[A-Z]{0,2}[\d(+][\dA-Z ()-]{6,}\d", planted["text"]):
            assert not columns_with(found, re.escape(number))
    # What is around it stays.
    assert columns_with(found, "La cuenta es").keys() >= {"marts.fct_survey_responses.comment"}
