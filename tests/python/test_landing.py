"""What the landing makes of a delivered folder: tables, files, problems, seeds."""

from __future__ import annotations

import codecs
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from nps_warehouse.landing import csv_loader
from nps_warehouse.landing import land as landing
from nps_warehouse.landing.contract import load_contract
from nps_warehouse.landing.land import Project, land
from nps_warehouse.landing.plugin import register
from nps_warehouse.landing.report import Report

CONTACTS = "contact_id,department_id,channel,started_at\nC1,D1,phone,2025-01-01\n"
DEPARTMENTS = "department_id,department_name\nD1,North\n"
RESPONSES = "response_id,score,responded_at\nR1,9,2025-01-02\n"

Rows = list[tuple[object, ...]]


class Delivery:
    """A raw folder with the required tables, and the database it is landed in."""

    def __init__(self, folder: Path) -> None:
        self.raw = folder / "raw"
        self.raw.mkdir()
        self.write("contacts.csv", CONTACTS)
        self.write("departments.csv", DEPARTMENTS)
        self.write("survey_responses.csv", RESPONSES)
        self.connection = duckdb.connect()

    def write(self, name: str, data: str | bytes) -> Path:
        path = self.raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def remove(self, name: str) -> None:
        (self.raw / name).unlink()

    def land(self, seeds: Path | None = None, project: Project | None = None) -> Report:
        return land(self.connection, str(self.raw), str(seeds) if seeds else None, project)

    def problem(self) -> str:
        """The only error."""
        report = self.land()
        assert len(report.errors) == 1, report.errors
        return report.errors[0]

    def warning(self) -> str:
        """The only warning, of a landing without errors."""
        report = self.land()
        assert report.errors == []
        assert len(report.warnings) == 1, report.warnings
        return report.warnings[0]

    def query(self, query: str) -> Rows:
        return self.connection.execute(query).fetchall()


@pytest.fixture
def delivery(tmp_path: Path) -> Delivery:
    return Delivery(tmp_path)


def test_every_table_has_the_columns_of_the_contract(delivery: Delivery) -> None:
    report = delivery.land()
    assert (report.errors, report.warnings) == ([], [])
    provenance = [
        ("_source_file", "VARCHAR"), ("_source_row", "BIGINT"), ("_line_error", "VARCHAR"),
    ]  # fmt: skip
    tables = load_contract()
    assert len(tables) == 12
    for table in tables:
        described = [row[:2] for row in delivery.query(f"describe raw.{table.name}")]
        assert described == [(name, "VARCHAR") for name in table.column_names] + provenance


def test_absent_optional_tables_are_empty(delivery: Delivery) -> None:
    delivery.land()
    assert delivery.query("select count(*) from raw.agents") == [(0,)]


def test_rows_carry_file_and_row(delivery: Delivery) -> None:
    delivery.write("contacts.csv", CONTACTS + "broken\nC2,D1,chat,2025-01-02\n")
    delivery.land()
    assert delivery.query(
        "select contact_id, channel, site, _source_file, _source_row, _line_error "
        "from raw.contacts order by _source_row"
    ) == [
        ("C1", "phone", None, "contacts.csv", 1, None),
        (None, None, None, "contacts.csv", 2,
         "wrong number of fields: 1 where the header has 4 (line 3)"),
        ("C2", "chat", None, "contacts.csv", 3, None),
    ]  # fmt: skip


def test_files_are_listed(delivery: Delivery) -> None:
    path = delivery.write("contacts.csv", CONTACTS + "broken\n")
    delivery.land()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert delivery.query("select * from raw._files where table_name = 'contacts'") == [
        ("contacts", "contacts.csv", "csv", path.stat().st_size, digest, 2, None, 1)
    ]
    assert delivery.query("select count(*) from raw._files") == [(3,)]


def test_header_names_are_trimmed_and_caseless(delivery: Delivery) -> None:
    delivery.write(
        "departments.csv",
        '\ufeff\u200bDEPARTMENT_NAME\u00a0,"  Department_ID "\nNorth,D1\n',
    )
    delivery.land()
    query = "select department_id, department_name from raw.departments"
    assert delivery.query(query) == [("D1", "North")]


def test_a_folder_is_one_table_by_name_in_byte_order(delivery: Delivery) -> None:
    delivery.remove("departments.csv")
    delivery.write("departments/b.csv", "department_name,department_id\nB,D2\n")
    delivery.write("departments/B.csv", "department_id,site,department_name\nD1,S,A\n")
    delivery.write("departments/2025/é 'x'.csv", "department_id,department_name\nD3,C\n")
    delivery.write("departments/_old/x.csv", "department_id,department_name\nDX,X\n")
    delivery.write("departments/.hidden.csv", "department_id,department_name\nDX,X\n")
    assert delivery.land().warnings == []
    columns = "department_id, department_name, site, _source_file"
    assert delivery.query(f"select {columns} from raw.departments order by _source_file") == [
        ("D3", "C", None, "departments/2025/é 'x'.csv"),
        ("D1", "A", "S", "departments/B.csv"),
        ("D2", "B", None, "departments/b.csv"),
    ]
    files = "select source_file from raw._files where table_name = 'departments'"
    assert [row[0] for row in delivery.query(files)] == [
        "departments/2025/é 'x'.csv", "departments/B.csv", "departments/b.csv",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["a*b", "a[1]", "a?", "x=1", 'quo"te', "back\\slash", "%s {0}"])
def test_odd_names_of_folders(tmp_path: Path, name: str) -> None:
    # The twin would be read too if the name were taken as a pattern.
    twin = tmp_path / "aab"
    twin.mkdir()
    Delivery(twin)
    folder = tmp_path / name
    folder.mkdir()
    delivery = Delivery(folder)
    delivery.remove("departments.csv")
    target = str(delivery.raw / "departments.parquet").replace("'", "''")
    delivery.query(f"copy (select 'D9' department_id, 'N' department_name) to '{target}'")
    assert delivery.land().errors == []
    assert delivery.query("select contact_id, _source_file from raw.contacts") == [
        ("C1", "contacts.csv")
    ]
    assert delivery.query("select department_id, _source_file from raw.departments") == [
        ("D9", "departments.parquet")
    ]


def test_links_are_followed(delivery: Delivery, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.move(delivery.raw / "departments.csv", elsewhere / "d.csv")
    (delivery.raw / "departments.csv").symlink_to(elsewhere / "d.csv")
    delivery.remove("contacts.csv")
    (elsewhere / "more").mkdir()
    (elsewhere / "more" / "c.csv").write_text(CONTACTS)
    (elsewhere / "more" / "again").symlink_to(elsewhere / "more")
    (delivery.raw / "contacts").symlink_to(elsewhere / "more")
    assert delivery.land().errors == []
    assert delivery.query("select department_id from raw.departments") == [("D1",)]
    assert delivery.query("select _source_file from raw.contacts") == [("contacts/c.csv",)]


def test_link_to_nothing(delivery: Delivery) -> None:
    (delivery.raw / "agents.csv").symlink_to(delivery.raw / "nowhere.csv")
    assert "agents.csv is a link to a file that does not exist" in delivery.problem()


def test_missing_table_says_what_was_found(delivery: Delivery) -> None:
    delivery.remove("contacts.csv")
    delivery.write("contact.csv", CONTACTS)
    problem = delivery.problem()
    assert problem.startswith("table contacts is required and missing")
    assert str(delivery.raw) in problem
    assert "contact.csv, departments.csv, survey_responses.csv" in problem


def test_a_long_listing_is_cut(delivery: Delivery) -> None:
    delivery.remove("contacts.csv")
    for number in range(30):
        delivery.write(f"x{number:02}.csv", "a\n")
    assert "x17.csv and 12 more" in delivery.problem()


def test_a_long_name_is_cut(delivery: Delivery) -> None:
    delivery.write("contacts.csv", f"{'x' * 200},{'y' * 201},{'z' * 1000}\n")
    found = f"Found there: {'x' * 200}, {'y' * 199}…, {'z' * 199}…."
    assert delivery.problem().endswith(found)


def test_all_problems_are_reported_together(delivery: Delivery) -> None:
    delivery.remove("contacts.csv")
    delivery.write("departments.csv", "")
    delivery.write("agents.csv", "agent_name\nx\n")
    errors = delivery.land().errors
    assert len(errors) == 3
    assert [error.split()[1].rstrip(":") for error in errors] == [
        "contacts", "departments", "agents",
    ]  # fmt: skip
    assert delivery.query("select count(*) from duckdb_views() where schema_name = 'raw'") == [(0,)]


def test_empty_folder(delivery: Delivery) -> None:
    delivery.remove("contacts.csv")
    (delivery.raw / "agents").mkdir()
    delivery.write("contacts/readme.txt", "x")
    report = delivery.land()
    assert len(report.errors) == 1
    assert "folder" in report.errors[0]
    assert "contacts/readme.txt" in report.errors[0]
    assert "The table is required" in report.errors[0]
    assert any("agents" in w and "taken as absent" in w for w in report.warnings)


def test_two_places_for_one_table(delivery: Delivery) -> None:
    delivery.write("contacts.parquet", "x")
    assert "contacts.csv and contacts.parquet are both in" in delivery.problem()


def test_file_and_folder_for_one_table(delivery: Delivery) -> None:
    (delivery.raw / "contacts").mkdir()
    assert "contacts.csv and contacts are both in" in delivery.problem()


def test_no_raw_folder(tmp_path: Path) -> None:
    report = land(duckdb.connect(), str(tmp_path / "nowhere"))
    assert len(report.errors) == 1
    assert f"{tmp_path / 'nowhere'} does not exist" in report.errors[0]
    (tmp_path / "file").touch()
    assert "is a file, not a folder" in land(duckdb.connect(), str(tmp_path / "file")).errors[0]


def test_missing_required_column(delivery: Delivery) -> None:
    delivery.write("contacts.csv", "contact_id,Channel,begin\nC1,phone,2025\n")
    problem = delivery.problem()
    assert str(delivery.raw / "contacts.csv") in problem
    assert "lacks the required columns department_id, started_at" in problem
    assert "Found there: contact_id, channel, begin" in problem


def test_optional_table_needs_its_key(delivery: Delivery) -> None:
    delivery.write("contact_legs.csv", "contact_id,agent_id\nC1,A1\n")
    assert "lacks the required column leg_number" in delivery.problem()


def test_invitations_need_sent_at(delivery: Delivery) -> None:
    delivery.write("survey_invitations.csv", "invitation_id\nI1\n")
    assert "lacks the required column sent_at" in delivery.problem()


def test_every_file_of_a_folder_needs_the_columns(delivery: Delivery) -> None:
    delivery.remove("departments.csv")
    delivery.write("departments/a.csv", DEPARTMENTS)
    delivery.write("departments/b.csv", "department_id\nD2\n")
    assert "b.csv lacks the required column department_name" in delivery.problem()


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"", "0 bytes"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "`git lfs pull`"),
        (codecs.BOM_UTF16_LE + CONTACTS.encode("utf-16-le"), "UTF-16"),
        (codecs.BOM_UTF16_BE + CONTACTS.encode("utf-16-be"), "UTF-16"),
        (CONTACTS.encode("utf-16-le"), "UTF-16"),
        (CONTACTS.encode("utf-16-be"), "UTF-16"),
        (codecs.BOM_UTF32_LE + CONTACTS.encode("utf-32-le"), "UTF-32"),
        (CONTACTS.encode("utf-32-be"), "UTF-32"),
        (b"\r\n", "no header row"),
        (b"contact_id,\xff\n", "invalid UTF-8 (line 1)"),
        (b"contact_id,a\0b\n", "NUL byte (line 1)"),
        (b'contact_id,"channel\n1,2\n', "unclosed quote"),
        (b'contact_id,"channel"x\n1,2\n', "broken quotes (line 1)"),
        (b"contact_id,channel\rC1,x\r", "lone carriage return (line 1)"),
        (b"contact_id,a, Contact_ID\n", "two columns named contact_id"),
        (b"contact_id,A,a\n", "two columns named a"),
    ],
)
def test_files_that_stop_the_build(delivery: Delivery, data: bytes, part: str) -> None:
    delivery.write("contacts.csv", data)
    problem = delivery.problem()
    assert "table contacts" in problem
    assert "contacts.csv" in problem
    assert part in problem


def test_header_alone_is_a_warning(delivery: Delivery) -> None:
    delivery.write("contacts.csv", CONTACTS.splitlines()[0])
    assert "contacts.csv has a header and no rows" in delivery.warning()
    assert delivery.query("select count(*) from raw.contacts") == [(0,)]
    # The second time the file is not read again, and still has no rows.
    assert "contacts.csv has a header and no rows" in delivery.warning()


def test_extra_columns_are_listed_once(delivery: Delivery) -> None:
    delivery.remove("departments.csv")
    for name in "ab":
        data = "department_id,department_name,Cost,,_source_row\n" + name + ",N,1,2,3\n"
        delivery.write(f"departments/{name}.csv", data)
    warning = delivery.warning()
    assert warning.startswith("table departments: columns that are ignored")
    assert "cost, (unnamed), _source_row." in warning
    assert delivery.query("select department_id, _source_row from raw.departments order by 1") == [
        ("a", 1), ("b", 1),
    ]  # fmt: skip


def test_other_files_are_named(delivery: Delivery) -> None:
    delivery.write("contact.csv", "x")
    delivery.write("contacts.xlsx", "x")
    delivery.write("_truth.json", "x")
    delivery.write(".git/x", "x")
    (delivery.raw / "agents.parquet").mkdir()
    assert "agents.parquet, contact.csv, contacts.xlsx" in delivery.warning()


def test_other_files_in_a_folder_are_named(delivery: Delivery) -> None:
    delivery.remove("contacts.csv")
    delivery.write("contacts/a.csv", CONTACTS)
    delivery.write("contacts/sub/a.csv.gz", "x")
    assert "contacts/sub/a.csv.gz" in delivery.warning()


def rowids(delivery: Delivery) -> Rows:
    return delivery.query("select _source_file, rowid from raw._csv_contacts order by 1, 2")


def test_unchanged_files_are_not_read_again(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery.remove("contacts.csv")
    for name in "abc":
        delivery.write(f"contacts/{name}.csv", CONTACTS.replace("C1", name))
    delivery.land()
    read: list[str] = []
    load = csv_loader.load_csv

    def watched(*arguments: object) -> int:
        read.append(arguments[3].source.relative)  # type: ignore[attr-defined]
        return load(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(landing, "load_csv", watched)
    delivery.land()
    assert read == []
    # Same size, other content; one file gone; one new.
    delivery.write("contacts/b.csv", CONTACTS.replace("C1", "B"))
    delivery.remove("contacts/c.csv")
    delivery.write("contacts/d.csv", CONTACTS.replace("C1", "d"))
    delivery.land()
    assert read == ["contacts/b.csv", "contacts/d.csv"]
    assert delivery.query("select contact_id from raw.contacts order by _source_file") == [
        ("a",), ("B",), ("d",),
    ]  # fmt: skip
    assert [r[1] for r in delivery.query("select * from raw._files where table_name = 'contacts'")
            ] == ["contacts/a.csv", "contacts/b.csv", "contacts/d.csv"]  # fmt: skip


def test_a_vanished_optional_table_leaves_nothing(delivery: Delivery) -> None:
    delivery.write("agents.csv", "agent_id\nA1\n")
    delivery.land()
    assert delivery.query("select count(*) from raw.agents") == [(1,)]
    delivery.remove("agents.csv")
    delivery.land()
    assert delivery.query("select count(*) from raw.agents") == [(0,)]
    assert delivery.query("select count(*) from duckdb_tables() where table_name = '_csv_agents'"
                          ) == [(0,)]  # fmt: skip


def test_csv_then_parquet_then_csv(delivery: Delivery) -> None:
    delivery.land()
    delivery.remove("departments.csv")
    target = delivery.raw / "departments.parquet"
    delivery.query(f"copy (select 'D2' department_id, 'S' department_name) to '{target}'")
    delivery.land()
    assert delivery.query("select department_id from raw.departments") == [("D2",)]
    target.unlink()
    delivery.write("departments.csv", DEPARTMENTS)
    delivery.land()
    assert delivery.query("select department_id from raw.departments") == [("D1",)]


def test_another_folder_lands_everything_anew(delivery: Delivery, tmp_path: Path) -> None:
    delivery.write("agents.csv", "agent_id\nA1\n")
    delivery.land()
    (tmp_path / "second").mkdir()
    second = Delivery(tmp_path / "second")
    # The same bytes as in the first folder are read again all the same.
    delivery.query("update raw._csv_contacts set contact_id = 'old'")
    land(delivery.connection, str(second.raw))
    assert delivery.query("select contact_id from raw.contacts") == [("C1",)]
    assert delivery.query("select count(*) from raw.agents") == [(0,)]
    assert delivery.query("select raw_dir from raw._landing") == [(str(second.raw),)]


@pytest.mark.parametrize(
    "change",
    ["update raw._landing set landing_version = 0", "update raw._landing set contract = 'x'",
     "drop table raw._landing", "drop table raw._files", "drop table raw._csv_contacts"],
)  # fmt: skip
def test_an_older_state_is_landed_anew(delivery: Delivery, change: str) -> None:
    delivery.land()
    delivery.query("update raw._csv_contacts set contact_id = 'old'")
    delivery.query(change)
    assert delivery.land().errors == []
    assert delivery.query("select contact_id from raw.contacts") == [("C1",)]


def test_relations_of_others_make_way_or_stay(delivery: Delivery) -> None:
    delivery.query("create schema raw")
    delivery.query("create table raw.contacts as select 1 as x")
    delivery.query("create table raw.notes as select 2 as y")
    assert delivery.land().errors == []
    assert delivery.query("select contact_id from raw.contacts") == [("C1",)]
    assert delivery.query("select y from raw.notes") == [(2,)]


def test_a_failed_landing_leaves_the_old_state(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery.land()
    before = delivery.query("select * from raw._files")
    delivery.write("contacts.csv", CONTACTS.replace("C1", "C2"))

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(landing, "_landed_parquet", interrupted)
        patch.setattr(landing, "_view_sql", interrupted)
        with pytest.raises(KeyboardInterrupt):
            delivery.land()
    assert delivery.query("select contact_id from raw.contacts") == [("C1",)]
    assert delivery.query("select * from raw._files") == before
    delivery.land()
    assert delivery.query("select contact_id from raw.contacts") == [("C2",)]


def test_a_file_that_the_fast_way_fails_on_is_read_the_other_way(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = csv_loader.read_csv_sql

    def wrong(file: csv_loader.CsvFile) -> str:
        if file.source.table == "contacts":
            return right(file).replace("skip = 1", "skip = 0")
        return right(file).replace("delim = ','", "delim = ';'")

    monkeypatch.setattr(csv_loader, "read_csv_sql", wrong)
    assert delivery.land().errors == []
    assert delivery.query("select contact_id, _source_row from raw.contacts") == [("C1", 1)]
    assert delivery.query("select department_id from raw.departments") == [("D1",)]


@pytest.mark.parametrize("name", ["raw.duckdb", "my 'odd\" name.duckdb", "main.duckdb"])
def test_a_database_may_be_called_anything_and_renamed(
    delivery: Delivery, tmp_path: Path, name: str
) -> None:
    delivery.connection = duckdb.connect(tmp_path / name)
    assert delivery.land().errors == []
    assert delivery.land().errors == []
    delivery.connection.close()
    (tmp_path / name).rename(tmp_path / "published.duckdb")
    with duckdb.connect(tmp_path / "published.duckdb") as connection:
        rows = connection.execute("select contact_id from raw.contacts").fetchall()
    assert rows == [("C1",)]


def test_rows_are_numbered_without_insertion_order(delivery: Delivery) -> None:
    rows = "".join(f"{n},D1,phone,2025-01-01 00:00:00\n" for n in range(1, 600_001))
    delivery.write("contacts.csv", CONTACTS.splitlines()[0] + "\n" + rows)
    delivery.query("set threads = 4")
    delivery.query("set preserve_insertion_order = false")
    delivery.land()
    wrong = "select count(*) from raw.contacts where contact_id::bigint <> _source_row"
    assert delivery.query(wrong) == [(0,)]
    assert delivery.query("select current_setting('preserve_insertion_order')") == [(False,)]


def test_no_files_are_left_behind(delivery: Delivery, tmp_path: Path) -> None:
    delivery.write("contacts.csv", CONTACTS + "broken\n")
    before = sorted(delivery.raw.iterdir())
    delivery.land()
    assert sorted(delivery.raw.iterdir()) == before
    tables = {row[0] for row in delivery.query("select table_name from duckdb_tables()")}
    assert tables == {
        "_csv_contacts", "_csv_departments", "_csv_survey_responses", "_files", "_landing",
        "theme_labels",
    }  # fmt: skip
    assert list(tmp_path.iterdir()) == [delivery.raw]


@pytest.fixture
def seeded(delivery: Delivery, tmp_path: Path) -> tuple[Delivery, Path, Callable[[], Report]]:
    """A delivery, the business's seeds folder, and its landing with two shipped seeds."""
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    (shipped / "bands.csv").write_text("band,up_to\ngood,50\n")
    (shipped / "aliases.csv").write_text("alias,channel\ntel,phone\n")
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    project = Project(seeds_dir=shipped)
    return delivery, seeds, lambda: delivery.land(seeds, project)


Seeded = tuple[Delivery, Path, Callable[[], Report]]


def test_seeds_are_landed_as_text(seeded: Seeded) -> None:
    delivery, seeds, run = seeded
    (seeds / "bands.csv").write_text('Up_To , band,note\n" ",fine,x\n050, ok ,\n')
    report = run()
    assert report.errors == []
    assert len(report.warnings) == 1
    assert "seed bands" in report.warnings[0]
    assert "note" in report.warnings[0]
    assert delivery.query("select * from raw.seed_bands") == [("fine", None), (" ok ", "050")]
    assert [row[:2] for row in delivery.query("describe raw.seed_bands")] == [
        ("band", "VARCHAR"), ("up_to", "VARCHAR"),
    ]  # fmt: skip


def test_seeds_no_longer_given_are_dropped(seeded: Seeded) -> None:
    delivery, seeds, run = seeded
    (seeds / "bands.csv").write_text("band,up_to\nx,1\n")
    (seeds / "aliases.csv").write_text("alias,channel\nx,1\n")
    run()
    (seeds / "bands.csv").unlink()
    run()
    query = "select table_name from duckdb_tables() where table_name like 'seed%'"
    assert delivery.query(query) == [("seed_aliases",)]
    delivery.land()
    assert delivery.query(query) == []


def test_unknown_seeds_are_named(seeded: Seeded) -> None:
    _, seeds, run = seeded
    (seeds / "band.csv").write_text("band,up_to\nx,1\n")
    (seeds / "_draft.csv").write_text("x")
    report = run()
    assert len(report.warnings) == 1
    assert "band.csv is ignored" in report.warnings[0]
    assert "aliases.csv, bands.csv" in report.warnings[0]


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        ("band\nx\n", ["lacks the column up_to", "Found there: band"]),
        ("band,up_to\nx,1\ny\n", ["1 broken line", "(line 3)"]),
        ('band,up_to\nx,"1\n', ["unclosed quote", "(line 2)"]),
        ("", ["0 bytes"]),
    ],
)
def test_seeds_that_stop_the_build(seeded: Seeded, data: str, parts: list[str]) -> None:
    _, seeds, run = seeded
    (seeds / "bands.csv").write_text(data)
    errors = run().errors
    assert len(errors) == 1
    for part in ["seed bands", str(seeds / "bands.csv"), *parts]:
        assert part in errors[0]


def test_no_seeds_folder(delivery: Delivery, tmp_path: Path) -> None:
    errors = delivery.land(tmp_path / "nowhere").errors
    assert len(errors) == 1
    assert "nowhere does not exist" in errors[0]


def call(delivery: Delivery, raw: str | None, seeds: str | None) -> dict[str, list[str]]:
    row = delivery.connection.execute("select nps_land(?, ?, null)", [raw, seeds]).fetchone()
    assert row is not None
    answer: dict[str, list[str]] = json.loads(row[0])
    assert sorted(answer) == ["errors", "warnings"]
    return answer


def test_sql_function(delivery: Delivery) -> None:
    register(delivery.connection)
    assert call(delivery, str(delivery.raw), None) == {"errors": [], "warnings": []}
    assert delivery.query("select contact_id from raw.contacts") == [("C1",)]
    assert len(call(delivery, str(delivery.raw / "no"), "")["errors"]) == 1


def test_sql_function_takes_paths_relative_to_the_current_folder(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(delivery.connection)
    monkeypatch.chdir(delivery.raw.parent)
    assert call(delivery, "raw", None)["errors"] == []
    assert delivery.query("select raw_dir from raw._landing") == [(str(delivery.raw),)]


@pytest.mark.parametrize("nothing", ["", None])
def test_the_sample_is_the_default(delivery: Delivery, nothing: str | None) -> None:
    register(delivery.connection)
    assert call(delivery, nothing, nothing)["errors"] == []
    raw_dir = delivery.query("select raw_dir from raw._landing")[0][0]
    assert Path(str(raw_dir)).parts[-2:] == ("scripts", "sample")


def test_a_defect_is_one_line(delivery: Delivery, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("first\n  second")

    register(delivery.connection)
    monkeypatch.setattr(landing, "_inspect", broken)
    errors = call(delivery, str(delivery.raw), None)["errors"]
    assert errors == [
        "RuntimeError: first second (this is a defect of the landing, not of the delivered files)"
    ]
