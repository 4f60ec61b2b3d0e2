"""Forgetting a customer: gone from every table, file and later build; no count changes."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result
from conftest import PROJECT, Build, built
from nps_warehouse.cli import main
from nps_warehouse.landing import forget, plugin
from nps_warehouse.landing.land import land
from nps_warehouse.privacy import suppression
from nps_warehouse.privacy.rewrite import compacted
from nps_warehouse.runs.lock import LOCK_NAME
from nps_warehouse.state.store import FILE_NAME, attached

SALT = "a secret of the tests"
GONE = "CUSTOMER-0001"
STAYS = "CUSTOMER-00011"
# What only the forgotten customer's rows hold; none of it may be found anywhere.
NEEDLES = {
    GONE: "the id",
    "Planted Person": "the name",
    "Planted Street 1": "the address",
    "planted words of the answer": "a comment by customer_id",
    "planted words of an older version": "a comment of a superseded version",
    "planted words by contact": "a comment by the contact's customer",
    "planted words by invitation": "a comment by the invitation's customer",
    "planted words that were rejected": "a comment of a rejected row",
}
FILES = {
    "survey_responses.csv": "response_id,score,responded_at,contact_id,invitation_id,customer_id,"
    "comment,updated_at\n"
    f"R1,9,2025-01-02,,,\u00a0{GONE} ,planted words of the answer,2025-01-03\n"
    "R1,8,2025-01-02,,,,planted words of an older version,2025-01-02\n"
    "R2,3,2025-01-03,C1,,,planted words by contact,\n"
    "R3,8,2025-01-03,,I1,,planted words by invitation,\n"
    f"R4,99,2025-01-03,,,{GONE},planted words that were rejected,\n"
    f"R5,10,2025-01-04,C2,,{STAYS},words that stay for good,\n"
    f"R6,2,2025-01-04,C1,,{STAYS},words about the contact of another,\n"
    "R7,7,2025-01-04,,,,n/a,\n",
    "contacts.csv": "contact_id,department_id,channel,started_at,customer_id\n"
    f"C1,D1,phone,2025-01-01,{GONE}\nC2,D1,chat,2025-01-01,{STAYS}\n",
    "departments.csv": "department_id,department_name\nD1,North\n",
    "customers.csv": "customer_id,segment,customer_name,address\n"
    f"{GONE},gold,Planted Person,Planted Street 1\n{STAYS},silver,Somebody Else,Elsewhere 2\n"
    f"{GONE},gold,Planted Person,Planted Street 1\n",
    "customer_revenue.csv": f"customer_id,month,revenue\n{GONE},2025-01-01,5\n"
    f"{STAYS},2025-01-01,7\n{GONE},no month,6\n",
    "survey_invitations.csv": "invitation_id,sent_at,customer_id\n"
    f"I1,2025-01-01,{GONE}\nI2,2025-01-01,{STAYS}\n",
}


def write_raw(folder: Path) -> Path:
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


def texts_of(connection: duckdb.DuckDBPyConnection, schemas: str = "") -> dict[str, list[str]]:
    """Every text of every column of every table and view, by column."""
    found: dict[str, list[str]] = {}
    tables = connection.execute(
        "select table_schema, table_name from information_schema.tables "
        f"where table_schema not in ('information_schema', 'pg_catalog') {schemas}"
    ).fetchall()
    for schema, table in tables:
        result = connection.execute(f'select * from "{schema}"."{table}"')
        columns = [f"{schema}.{table}.{column[0]}" for column in result.description or []]
        for row in result.fetchall():
            for place, cell in zip(columns, row, strict=True):
                if cell is not None:
                    found.setdefault(place, []).append(str(cell))
    return found


def planted_in(texts: Mapping[str, list[str]]) -> set[str]:
    return {
        f"{what} in {place}"
        for place, cells in texts.items()
        for cell in cells
        for needle, what in NEEDLES.items()
        # The other customer's id begins like this one's.
        if needle in cell.replace(STAYS, "")
    }


@dataclass(frozen=True)
class Forgotten:
    """A warehouse before and after, and what the command said."""

    folder: Path
    before: Build
    after: Build
    result: Result
    environment: Mapping[str, str]


@pytest.fixture(scope="module")
def forgotten(tmp_path_factory: pytest.TempPathFactory) -> Forgotten:
    folder = tmp_path_factory.mktemp("forget")
    raw = write_raw(folder / "raw")
    build = built(folder, raw_dir=raw)
    kept = folder / "before.duckdb"
    shutil.copy(build.warehouse, kept)
    copies = folder / "copies" / "deep"
    copies.mkdir(parents=True)
    shutil.copy(build.warehouse, copies / "published.duckdb")
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        for table, file in (
            ("marts.fct_survey_responses", "answers.csv"),
            ("marts.fct_contacts", "contacts.parquet"),
            ("marts.dim_customers", "customers.parquet"),
            ("staging.stg_customer_revenue", "revenue.csv"),
        ):
            connection.execute(f"copy {table} to '{copies / file}'")
    environment = {
        "NPS_WAREHOUSE": str(build.warehouse),
        "NPS_RAW_DIR": str(raw),
        "NPS_SEEDS_DIR": "",
        "NPS_STATE_DIR": str(folder / "state"),
        "NPS_PUBLISHED_DIR": str(folder / "published"),
        "NPS_PRIVACY_SALT": SALT,
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "DO_NOT_TRACK": "1",
    }
    runner = CliRunner(env=environment)
    recorded = runner.invoke(main, ["publication", "record", "--id", "before"])
    assert recorded.exit_code == 0, recorded.output
    result = runner.invoke(main, ["forget", f" {GONE} ", "--copies", str(folder / "copies")])
    return Forgotten(folder, Build(0, "", kept), build, result, environment)


@pytest.mark.thorough
def test_forget_proves_that_nothing_is_left(forgotten: Forgotten) -> None:
    output = forgotten.result.output
    assert forgotten.result.exit_code == 0, output
    assert "1 of 1 customers are new on the list" in output
    assert ": 0 hits." in output
    raw = forgotten.folder / "raw"
    for file, rows in {
        "survey_responses.csv": "1, 2, 3, 4, 5",
        "contacts.csv": "1",
        "customers.csv": "1, 3",
        "customer_revenue.csv": "1, 3",
        "survey_invitations.csv": "1",
    }.items():
        assert f"Still delivered in {raw / file}: rows {rows}\n" in output
    assert GONE not in output


@pytest.mark.thorough
def test_the_warehouse_held_what_is_gone_now(forgotten: Forgotten) -> None:
    with duckdb.connect(str(forgotten.before.warehouse), read_only=True) as connection:
        before = planted_in(texts_of(connection))
    found = {text.partition(" in ")[0] for text in before}
    # Names and addresses were never landed: the contract has no such columns.
    assert found == set(NEEDLES.values()) - {"the name", "the address"}
    with duckdb.connect(str(forgotten.after.warehouse), read_only=True) as connection:
        assert not planted_in(texts_of(connection))


@pytest.mark.thorough
def test_names_of_customers_are_in_no_schema_at_all(forgotten: Forgotten) -> None:
    with duckdb.connect(str(forgotten.before.warehouse), read_only=True) as connection:
        texts = texts_of(connection, "and table_schema <> 'raw'")
    assert len({place.partition(".")[0] for place in texts}) >= 5
    cells = " ".join(cell for cells in texts.values() for cell in cells)
    for name in ("Planted Person", "Planted Street", "Somebody Else", "Elsewhere"):
        assert name not in cells


@pytest.mark.thorough
def test_no_byte_of_it_is_left_in_any_file(forgotten: Forgotten) -> None:
    places = [forgotten.after.warehouse, *(forgotten.folder / "copies").rglob("*.*")]
    places += list((forgotten.folder / "state").iterdir())
    places += list((forgotten.folder / "logs").iterdir())
    assert len(places) >= 8
    for file in places:
        content = file.read_bytes().replace(STAYS.encode(), b"")
        found = [what for needle, what in NEEDLES.items() if needle.encode() in content]
        assert not found, file
        assert SALT.encode() not in content, file


@pytest.mark.thorough
def test_counts_and_scores_are_the_same(forgotten: Forgotten) -> None:
    for query in (
        "select * from marts.nps_by_period order by all",
        "select * from marts.nps_by_department order by all",
        "select response_id, score, contact_id from marts.fct_survey_responses order by 1",
        "select contact_id, department_id, channel, responses from marts.fct_contacts order by 1",
        "select table_name, rows_read from quality.reconciliation order by 1",
    ):
        rows = forgotten.before.rows(query)
        assert rows
        assert forgotten.after.rows(query) == rows


@pytest.mark.thorough
def test_links_and_comments_are_what_goes(forgotten: Forgotten) -> None:
    assert forgotten.after.rows(
        "select response_id, customer_id, source_customer_id, segment, comment "
        "from marts.fct_survey_responses order by 1"
    ) == [
        ("R1", "unknown", None, "unknown", None),
        ("R2", "unknown", None, "unknown", None),
        ("R3", "unknown", None, "unknown", None),
        ("R5", STAYS, STAYS, "silver", "words that stay for good"),
        # Its own customer comes before the contact's.
        ("R6", STAYS, STAYS, "silver", "words about the contact of another"),
        ("R7", "unknown", None, "unknown", "n/a"),
    ]
    assert forgotten.after.rows("select customer_id from marts.dim_customers order by 1") == [
        (STAYS,), ("unknown",),
    ]  # fmt: skip


@pytest.mark.thorough
def test_emptied_rows_are_excluded_and_counted(forgotten: Forgotten) -> None:
    assert forgotten.after.rows("select * from quality.excluded_rows order by 1, 2") == [
        ("customer_revenue", "customer_revenue.csv:1", "forgotten"),
        ("customer_revenue", "customer_revenue.csv:3", "forgotten"),
        ("customers", "customers.csv:1", "forgotten"),
        ("customers", "customers.csv:3", "forgotten"),
    ]
    assert forgotten.after.rows(
        "select table_name, accepted, rejected, excluded from quality.reconciliation "
        "where excluded > 0 order by 1"
    ) == [("customer_revenue", 1, 0, 2), ("customers", 1, 0, 2)]
    assert forgotten.after.rows(
        "select count(*) from quality.reconciliation where not reconciles"
    ) == [(0,)]


@pytest.mark.thorough
def test_copies_are_rewritten(forgotten: Forgotten) -> None:
    copies = forgotten.folder / "copies" / "deep"
    answers = duckdb.execute(
        f"select response_id, customer_id, comment from '{copies / 'answers.csv'}' order by 1"
    ).fetchall()
    assert answers[0] == ("R1", "unknown", None)
    assert answers[3] == ("R5", STAYS, "words that stay for good")
    assert len(answers) == 6
    for file, left in (("customers.parquet", 2), ("contacts.parquet", 2), ("revenue.csv", 1)):
        assert duckdb.execute(f"select count(*) from '{copies / file}'").fetchall() == [(left,)]
    with duckdb.connect(str(copies / "published.duckdb"), read_only=True) as connection:
        assert not planted_in(texts_of(connection))


@pytest.mark.thorough
def test_published_numbers_stay_without_their_keys(forgotten: Forgotten) -> None:
    runner = CliRunner(env=dict(forgotten.environment))
    keys = "select response_id, sum(responses) from state.published_answers group by 1 order by 1"
    file = forgotten.folder / "state" / FILE_NAME

    def published() -> list[tuple[object, ...]]:
        with attached(file, read_only=True) as connection:
            return connection.execute(keys).fetchall()

    # R4 was rejected; of R1, R2 and R3 nothing is left but that there were three.
    left = [("R5", 1), ("R6", 1), ("R7", 1), (None, 3)]
    assert published() == left
    assert forgotten.after.rows("select count(*) from marts.unpublished_changes") == [(0,)]
    assert forgotten.after.rows(
        "select publication_id, responses from marts.publications"
    ) == [("before", 6)]  # fmt: skip
    # An answer that comes back into the state by its key is found by its digest.
    with attached(file, read_only=False) as connection:
        connection.execute(
            "update state.published_answers set response_id = 'R1', responses = 1 "
            "where response_id is null and score = 9"
        )
    recorded = runner.invoke(main, ["publication", "record", "--id", "after"])
    assert recorded.exit_code == 0, recorded.output
    assert published() == left


@pytest.mark.thorough
def test_a_build_without_the_salt_is_refused(
    forgotten: Forgotten, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NPS_STATE_DIR", forgotten.environment["NPS_STATE_DIR"])
    for salt, said in (("", "NPS_PRIVACY_SALT is empty"), ("other", "another NPS_PRIVACY_SALT")):
        monkeypatch.setenv("NPS_PRIVACY_SALT", salt)
        with duckdb.connect() as connection:
            plugin.register(connection)
            row = connection.execute("select nps_land(?, '', '')", [str(forgotten.folder / "raw")])
            (report,) = row.fetchall()
            (error,) = json.loads(report[0])["errors"]
            assert said in error
            assert connection.execute("from duckdb_tables()").fetchall() == []


# Two whole builds are too long for the core suite; what follows needs none.
# The landing alone: other files, later files, a new warehouse.


def people(*ids: str) -> suppression.Suppression:
    salt = SALT.encode()
    digests = {hmac.new(salt, one.encode(), hashlib.sha256).hexdigest() for one in ids}
    return suppression.Suppression(salt, frozenset(digests))


def landed(connection: duckdb.DuckDBPyConnection, raw: Path, *ids: str) -> set[str]:
    report = land(connection, str(raw), suppression=people(*ids))
    assert not report.errors
    return planted_in(texts_of(connection))


def test_a_new_warehouse_forgets_too(tmp_path: Path) -> None:
    raw = write_raw(tmp_path / "raw")
    with duckdb.connect() as connection:
        assert not landed(connection, raw, GONE)
    with duckdb.connect() as connection:
        assert landed(connection, raw, STAYS)


def test_parquet_is_forgotten_as_csv_is(tmp_path: Path) -> None:
    raw = write_raw(tmp_path / "raw")
    for file in raw.glob("*.csv"):
        if file.stem != "departments":
            duckdb.execute(
                f"copy (select * from read_csv('{file}', all_varchar = true)) "
                f"to '{file.with_suffix('.parquet')}'"
            )
            file.unlink()
    with duckdb.connect() as connection:
        assert not landed(connection, raw, GONE)
        assert connection.execute(
            "select _source_row, segment, _line_error from raw.customers order by 1"
        ).fetchall() == [(1, None, "forgotten"), (2, "silver", None), (3, None, "forgotten")]
        # With nobody on the list any more, views on the files are enough again.
        report = land(connection, str(raw), suppression=None)
        assert not report.errors
        assert planted_in(texts_of(connection))


def test_an_answer_that_comes_later_is_known_by_its_contact(tmp_path: Path) -> None:
    raw = write_raw(tmp_path / "raw")
    later = raw / "survey_responses.csv"
    header, *lines = FILES["survey_responses.csv"].splitlines(keepends=True)
    later.write_text(header + lines[-1])
    with duckdb.connect() as connection:
        assert not landed(connection, raw, GONE)
        # The contact's own row says nothing of its customer by now.
        later.write_text(header + "".join(lines[2:4] + lines[-1:]))
        assert not landed(connection, raw, GONE)
        assert connection.execute(
            "select count(*), count(comment) from raw.survey_responses"
        ).fetchall() == [(3, 1)]


def test_rows_that_were_never_written_leave_no_bytes(tmp_path: Path) -> None:
    raw = write_raw(tmp_path / "raw")
    filler = "".join(
        f"{GONE if n % 2 else STAYS},silver,x{n},y\n" for n in range(200_000)
    )  # fmt: skip
    (raw / "customers.csv").write_text(FILES["customers.csv"] + filler)
    file = tmp_path / "w.duckdb"
    with duckdb.connect(str(file)) as connection:
        land(connection, str(raw), suppression=people(GONE))
    assert GONE.encode() not in file.read_bytes().replace(STAYS.encode(), b"")


def test_long_salts_are_hashed_first_as_rfc_2104_says(tmp_path: Path) -> None:
    raw = write_raw(tmp_path / "raw")
    salt = b"long " * 40
    digest = hmac.new(salt, GONE.encode(), hashlib.sha256).hexdigest()
    with duckdb.connect() as connection:
        land(
            connection,
            str(raw),
            suppression=suppression.Suppression(salt, frozenset({digest})),
        )
        assert not planted_in(texts_of(connection))


def test_keys_are_trimmed_as_the_models_trim_them() -> None:
    macro = (PROJECT / "macros" / "engine" / "text.sql").read_text()
    assert f"blank_characters() -%}}\n    {forget.BLANKS}\n" in macro


# The list.


def test_the_list_is_appended_once_and_holds_no_id(tmp_path: Path) -> None:
    environ = {"NPS_STATE_DIR": str(tmp_path / "state"), "NPS_PRIVACY_SALT": SALT}
    assert suppression.load(environ) is None
    assert suppression.add(["K1", "K2"], environ) == 2
    first = suppression.list_file(environ).read_text()
    assert suppression.add(["K2", "K3"], environ) == 1
    second = suppression.list_file(environ).read_text()
    assert second.startswith(first)
    assert len(second.splitlines()) == 4
    assert "K1" not in second
    # The test vector of RFC 4231, case 2: the digest is HMAC-SHA256 and nothing else.
    assert suppression.digest(b"Jefe", "what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_a_line_cut_short_by_a_crash_is_mended(tmp_path: Path) -> None:
    environ = {"NPS_STATE_DIR": str(tmp_path), "NPS_PRIVACY_SALT": SALT}
    suppression.add(["K1", "K2"], environ)
    file = suppression.list_file(environ)
    file.write_text(file.read_text()[:-20])
    assert suppression.add(["K1", "K2"], environ) == 1
    known = suppression.load(environ)
    assert known is not None
    assert known.digests == people("K1", "K2").digests
    file.write_text(file.read_text() + "no digest\n")
    with pytest.raises(suppression.SuppressionError, match="no digest"):
        suppression.load(environ)


def test_forget_needs_a_salt_and_a_warehouse(tmp_path: Path) -> None:
    environment = {
        "NPS_WAREHOUSE": str(tmp_path / "w.duckdb"),
        "NPS_STATE_DIR": str(tmp_path / "state"),
        "NPS_PUBLISHED_DIR": str(tmp_path / "published"),
        "NPS_PRIVACY_SALT": "",
        "NPS_RAW_DIR": str(write_raw(tmp_path / "raw")),
    }
    runner = CliRunner(env=environment)
    result = runner.invoke(main, ["forget", GONE])
    assert result.exit_code == 1
    assert "there is no warehouse" in result.output
    duckdb.connect(environment["NPS_WAREHOUSE"]).close()
    result = runner.invoke(main, ["forget", GONE])
    assert result.exit_code == 1
    assert "NPS_PRIVACY_SALT is empty" in result.output
    assert [path.name for path in (tmp_path / "state").iterdir()] == [LOCK_NAME]
    result = runner.invoke(main, ["forget", GONE, "--copies", environment["NPS_RAW_DIR"]],
                           env={"NPS_PRIVACY_SALT": SALT})  # fmt: skip
    assert result.exit_code == 1
    assert "is one of the delivered files" in result.output
    # Nothing was promised, so nothing is on the list.
    assert [path.name for path in (tmp_path / "state").iterdir()] == [LOCK_NAME]


def test_a_compacted_file_holds_no_deleted_bytes(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("set force_compression = 'uncompressed'")
        words = "select 'a word that is deleted ' || range as x from range(200000)"
        connection.execute(f"create table t as {words}")
        connection.execute("create view v as select * from t")
        connection.execute("checkpoint")
        connection.execute("create table later as from t")
        connection.execute("update later set x = 'a word that stays'")
        connection.execute("delete from t")
        connection.execute("checkpoint")
    assert b"a word that is deleted" in file.read_bytes()
    compacted(file)
    assert b"a word that is deleted" not in file.read_bytes()
    with duckdb.connect(str(file), read_only=True) as connection:
        assert connection.execute("select count(*) from v").fetchall() == [(0,)]
