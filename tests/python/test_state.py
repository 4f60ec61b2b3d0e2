"""The state file: made once, upgraded from the release before, backed up and restored whole."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result
from conftest import WAREHOUSE, built
from nps_warehouse.cli import main
from nps_warehouse.privacy.suppression import LIST_NAME
from nps_warehouse.runs.lock import LOCK_NAME
from nps_warehouse.state import archive, store
from nps_warehouse.state.publication import forget_answers
from state_fixture import FIXTURE, STATEMENTS, write

OLD = {
    "metric_rules": 11, "metric_versions": 1, "published_answers": 4, "publications": 2,
}  # fmt: skip


def nps(folder: Path, *arguments: str) -> Result:
    return CliRunner(env={"NPS_STATE_DIR": str(folder)}).invoke(main, list(arguments))


def rows_of(file: Path) -> dict[str, list[tuple[object, ...]]]:
    with store.attached(file, read_only=True, of_version=None) as connection:
        return {
            table: connection.execute(f"select * from state.{table} order by all").fetchall()
            for table in store.tables(connection)
        }


def old_state(folder: Path) -> Path:
    """A state of version 1, with what the fixture has in it."""
    file = folder / store.FILE_NAME
    store.create(file, version=1)
    with store.attached(file, read_only=False, of_version=1) as connection:
        connection.execute("use state")
        for statement in STATEMENTS:
            connection.execute(statement)
    return file


def test_a_state_is_made_once(tmp_path: Path) -> None:
    file = tmp_path / "deep" / store.FILE_NAME
    assert store.problem_of_state_file(str(file)) is None
    made = file.read_bytes()
    assert store.problem_of_state_file(str(file)) is None
    store.create(file)
    assert file.read_bytes() == made
    assert [path.name for path in file.parent.iterdir()] == [store.FILE_NAME]
    assert "seen_members" in rows_of(file)


def test_what_is_no_state_is_refused_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / store.FILE_NAME
    file.write_text("no database")
    assert "can't be opened" in str(store.problem_of_state_file(str(file)))
    file.unlink()
    duckdb.connect(str(file)).close()
    assert "is no state" in str(store.problem_of_state_file(str(file)))
    file.unlink()
    store.create(file)
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"update state_version set version = {store.VERSION + 1}")
    assert "use the release that wrote it" in str(store.problem_of_state_file(str(file)))
    result = nps(tmp_path, "state", "migrate")
    assert result.exit_code == 1
    assert "use the release that wrote it" in result.output


def test_migrations_are_numbered_without_a_gap() -> None:
    assert sorted(store.MIGRATIONS) == list(range(1, store.VERSION + 1))


def test_the_fixture_is_what_the_script_writes(tmp_path: Path) -> None:
    write(tmp_path / "again.zip")
    with zipfile.ZipFile(tmp_path / "again.zip") as again, zipfile.ZipFile(FIXTURE) as kept:
        assert again.namelist() == kept.namelist()
        manifest = json.loads(kept.read(archive.MANIFEST))
    assert manifest["version"] == 1
    assert manifest["rows"] == OLD


def test_a_state_of_the_release_before_is_upgraded(tmp_path: Path) -> None:
    file = old_state(tmp_path)
    before = rows_of(file)
    problem = str(store.problem_of_state_file(str(file)))
    assert "is of version 1, this release needs 2" in problem
    assert "scripts/nps state migrate" in problem
    result = nps(tmp_path, "state", "migrate")
    assert result.exit_code == 0, result.output
    after = rows_of(file)
    assert after.pop("seen_members") == []
    assert after == before
    assert store.problem_of_state_file(str(file)) is None
    # The state as it was can be had back by the release that wrote it.
    with zipfile.ZipFile(tmp_path / "before-upgrade-from-1.zip") as kept:
        assert json.loads(kept.read(archive.MANIFEST))["rows"] == OLD
    assert "is of version 2 already" in nps(tmp_path, "state", "migrate").output


def test_an_upgrade_that_fails_leaves_the_state_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = old_state(tmp_path)
    before = rows_of(file)
    broken = tmp_path / "002_broken.sql"
    broken.write_text("create table seen_members (a integer); select error('out of luck');")
    monkeypatch.setitem(store.MIGRATIONS, 2, broken)
    with pytest.raises(duckdb.Error, match="out of luck"):
        archive.upgrade(tmp_path)
    assert rows_of(file) == before
    monkeypatch.undo()
    assert archive.upgrade(tmp_path)[0] == 1
    assert "seen_members" in rows_of(file)


def test_a_backup_of_the_release_before_is_restored_and_upgraded(tmp_path: Path) -> None:
    result = nps(tmp_path, "state", "restore", str(FIXTURE))
    assert result.exit_code == 0, result.output
    restored = rows_of(tmp_path / store.FILE_NAME)
    assert {table: len(rows) for table, rows in restored.items()} == OLD | {"seen_members": 0}
    assert ("R1", "D1", 2, "corrected") in {
        (row[0], row[3], row[4], row[8]) for row in restored["published_answers"]
    }


def test_backup_and_restore_bring_everything_back(tmp_path: Path) -> None:
    state = tmp_path / "state"
    old_state(state)
    (state / LIST_NAME).write_text("salt x\n" + "a" * 64 + "\n")
    archive.upgrade(state)
    kept = tmp_path / "kept.zip"
    assert nps(state, "state", "backup", str(kept)).exit_code == 0
    before = rows_of(state / store.FILE_NAME)
    again = nps(state, "state", "backup", str(kept))
    assert (again.exit_code, "exists already" in again.output) == (1, True)
    with store.attached(state / store.FILE_NAME, read_only=False) as connection:
        connection.execute("delete from state.publications")
    # Somebody was forgotten after the backup, and stays so.
    (state / LIST_NAME).write_text("salt x\n" + "b" * 64 + "\n")
    result = nps(state, "state", "restore", str(kept))
    assert result.exit_code == 0, result.output
    assert rows_of(state / store.FILE_NAME) == before
    assert (state / LIST_NAME).read_text() == f"salt x\n{'b' * 64}\n{'a' * 64}\n"
    # What was replaced stays beside it.
    assert rows_of(state / (store.FILE_NAME + store.ASIDE))["publications"] == []
    shown = nps(state, "state", "show").output
    assert "published_answers: 4 rows" in shown
    assert "2 customers" in shown
    # Into a folder with nothing in it, too.
    assert nps(tmp_path / "new", "state", "restore", str(kept)).exit_code == 0
    assert rows_of(tmp_path / "new" / store.FILE_NAME) == before


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("no zip", "is no backup"),
        ("another zip", "is no backup"),
        ("a changed part", "was changed"),
        ("a missing part", "parts are missing"),
        ("a later version", "knows up to"),
        ("no file", "there is no file"),
    ],
)
def test_restore_refuses_what_is_no_whole_backup(tmp_path: Path, what: str, said: str) -> None:
    state = tmp_path / "state"
    before = rows_of(old_state(state))
    file = tmp_path / "given.zip"
    with zipfile.ZipFile(FIXTURE) as kept:
        parts = {name: kept.read(name) for name in kept.namelist()}
    manifest = json.loads(parts[archive.MANIFEST])
    if what == "another zip":
        parts = {"word/document.xml": b"<xml/>"}
    elif what == "a changed part":
        content = bytearray(parts["publications.parquet"])
        content[20] ^= 1
        parts["publications.parquet"] = bytes(content)
    elif what == "a missing part":
        del parts["publications.parquet"]
    elif what == "a later version":
        parts[archive.MANIFEST] = json.dumps(manifest | {"version": 99}).encode()
    if what == "no zip":
        file.write_bytes(b"PK but not really")
    elif what != "no file":
        with zipfile.ZipFile(file, "w") as given:
            for name, content_ in parts.items():
                given.writestr(name, content_)
    result = nps(state, "state", "restore", str(file))
    assert result.exit_code == 1
    assert said in result.output
    assert rows_of(state / store.FILE_NAME) == before
    assert {path.name for path in state.iterdir()} == {store.FILE_NAME, LOCK_NAME}


def test_an_open_state_is_not_replaced(tmp_path: Path) -> None:
    script = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    )
    file = old_state(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", script, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        result = nps(tmp_path, "state", "restore", str(FIXTURE))
        assert result.exit_code == 1
        assert "another program has it open" in result.output
        assert "another program" in str(store.problem_of_state_file(str(file)))
        other.communicate("\n")


def test_keys_of_answers_go_and_what_was_published_stays(tmp_path: Path) -> None:
    file = old_state(tmp_path)
    gone = "A-KEY-THAT-GOES"
    aside = tmp_path / (store.FILE_NAME + store.ASIDE)
    with store.attached(file, read_only=False, of_version=1) as connection:
        connection.execute("use state")
        for old, new in (("R1", gone), ("R2", "A-KEY-THAT-STAYS")):
            connection.execute(
                f"update published_answers set response_id = '{new}' where response_id = '{old}'"
            )
    aside.write_bytes(file.read_bytes())
    counts = (
        "select survey_type, period_date, department_id, score, nps_category, sum(responses), "
        "valid_from_publication, opened_as, valid_to_publication, closed_as "
        "from state.published_answers group by all order by all"
    )

    def counted(of: Path) -> list[tuple[object, ...]]:
        with store.attached(of, read_only=True, of_version=1) as connection:
            return connection.execute(counts).fetchall()

    before = counted(file)
    assert gone.encode() in file.read_bytes()
    assert forget_answers(tmp_path, frozenset({gone, "R9"})) == [file, aside]
    for each in (file, aside):
        assert counted(each) == before
        assert gone.encode() not in each.read_bytes()
        assert b"A-KEY-THAT-STAYS" in each.read_bytes()
    keys = [row[0] for row in rows_of(file)["published_answers"]]
    assert sorted(key is None for key in keys) == [False, True, True, True]
    assert forget_answers(tmp_path / "nowhere", frozenset({gone})) == []


@pytest.mark.thorough
def test_a_build_and_a_publication_through_the_commands(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "departments.csv").write_text("department_id,department_name\nD1,North\n")
    (raw / "contacts.csv").write_text(
        "contact_id,department_id,channel,started_at\nC1,D1,phone,2025-03-02\n"
    )
    answers = "response_id,score,responded_at,contact_id,customer_id\nR1,9,2025-01-02,C1,K1\n"
    (raw / "survey_responses.csv").write_text(answers + "R2,3,2025-01-03,,\n")
    models = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test", "-s",
              "+nps_restatements", "+metric_versions", "+publications", "contract_version",
              "+unpublished_member_changes", "+agent_policy_dependence")  # fmt: skip
    environment = {
        "NPS_STATE_DIR": str(tmp_path / "state"),
        "NPS_WAREHOUSE": str(tmp_path / WAREHOUSE),
        "NPS_RAW_DIR": str(raw),
    }
    runner = CliRunner(env=environment)
    build = built(tmp_path, raw_dir=raw, arguments=models)
    assert runner.invoke(main, ["publication", "list"]).output == "Nothing was published yet.\n"
    result = runner.invoke(main, ["publication", "record", "--id", "first"])
    assert result.exit_code == 0, result.output
    assert "Publication 1 (first)" in result.output
    assert "2 answers" in result.output
    result = runner.invoke(main, ["publication", "record"])
    assert result.exit_code == 1
    assert "published already" in result.output
    # A full refresh of a new file: what was published is still known.
    build.warehouse.unlink()
    (raw / "survey_responses.csv").write_text(answers + "R2,10,2025-01-03,,\nR3,5,2025-01-04,,\n")
    build = built(tmp_path, raw_dir=raw, arguments=(*models, "--full-refresh"))
    assert build.rows(
        "select responses, promoters, now_responses, now_promoters, late_responses, "
        "corrected_in_promoters, corrected_out_detractors from marts.nps_restatements "
        "where scope_type = 'company' and survey_type = 'all' and period_type = 'month'"
    ) == [(2, 1, 3, 2, 1, 1, 1)]
    # The warehouse is read without the state, too.
    with duckdb.connect(str(build.warehouse), read_only=True) as connection:
        for schema, view in connection.execute(
            "select schema_name, view_name from duckdb_views() where not internal"
        ).fetchall():
            connection.execute(f'select * from "{schema}"."{view}" limit 1').fetchall()
