"""Publishing: what readers see, what a crash leaves, what is kept, what is refused."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import stat
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result
from nps_warehouse import exit_codes
from nps_warehouse.cli import main
from nps_warehouse.durable import FRESH
from nps_warehouse.publishing import PublishingError, publish
from nps_warehouse.publishing.atomic import STEPS
from nps_warehouse.publishing.place import locked, place_of
from nps_warehouse.state.store import FILE_NAME
from published import (
    DIED,
    FIRST,
    SEEN,
    Site,
    die_after,
    die_at,
    hold,
    read_on,
    run_of,
    with_a_full_disk,
)

ROLLBACK_STEPS = ("journal", "show", "note", "journal gone")
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["published"])


@pytest.fixture(scope="module")
def two_nights(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """An installation with two versions, and a third night built."""
    made = Site(tmp_path_factory.mktemp("two_nights"))
    after_nights(made, 2, keep=2)
    made.build(3)
    return made


def copied(site: Site, root: Path) -> Site:
    """The same installation elsewhere; what is shown is the same file as its version there, too."""
    shutil.copytree(site.root, root, dirs_exist_ok=True)
    shown = site.current()
    assert shown is not None
    copy = Site(root)
    copy.shown.unlink()
    os.link(copy.folder / "versions" / shown.file.name, copy.shown)
    return copy


@pytest.fixture(scope="module")
def one_night(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """An installation with a night built."""
    made = Site(tmp_path_factory.mktemp("one_night"))
    made.build(1)
    return made


@pytest.fixture
def site(one_night: Site, tmp_path: Path) -> Site:
    """An installation with nothing published."""
    shutil.copytree(one_night.root, tmp_path, dirs_exist_ok=True)
    return Site(tmp_path)


def after_nights(site: Site, nights: int, keep: int = 7) -> None:
    for night in range(1, nights + 1):
        site.build(night)
        site.publish(night, keep=keep)


def rows(file: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(query).fetchall()


def nps(site: Site, *arguments: str, **environ: str) -> Result:
    environment = {
        **site.environ, "NPS_PUBLISHED_DIR": str(site.folder), "NPS_WAREHOUSE": str(site.warehouse),
        **environ,
    }  # fmt: skip
    return CliRunner(env=environment).invoke(main, list(arguments))


def agrees(site: Site) -> None:
    """Every promise about a folder that nobody is publishing to."""
    shown = site.current()
    assert shown is not None
    kept = site.versions()
    assert site.files() == {
        "nps.duckdb",
        *(f"versions/{one}{suffix}" for one in kept for suffix in (".duckdb", ".json")),
        *({"rollbacks.jsonl"} if (site.folder / "rollbacks.jsonl").exists() else ()),
    }
    assert shown.id in kept
    assert shown.file.samefile(site.shown)
    ((version_id, *counts),) = rows(site.shown, SEEN)
    assert (version_id, set(counts)) == (shown.id, {shown.responses})
    recorded = site.recorded()
    assert [number for number, _ in recorded] == list(range(1, len(recorded) + 1))
    assert kept == [one for _, one in reversed(recorded)][: len(kept)]


def test_what_is_published_is_what_was_built_and_nothing_else(site: Site) -> None:
    version = site.publish(1)
    assert (version.id, version.run_id, version.responses, version.nps) == (
        run_of(1), run_of(1), 1, 100.0,
    )  # fmt: skip
    assert site.current() == version
    agrees(site)
    with duckdb.connect(str(site.shown), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name, comment from duckdb_tables() order by 1"
        ).fetchall()
        views = connection.execute("select count(*) from duckdb_views() where not internal")
        assert views.fetchall() == [(0,)]
        comments = connection.execute(
            "select column_name, comment from duckdb_columns() where comment is not null"
        ).fetchall()
        score = connection.execute("select responses, nps from marts.nps_by_period").fetchall()
        said = connection.execute("select * from quality.published_version").fetchall()
    assert [name for name, _ in tables] == [
        "marts.fct_survey_responses", "marts.nps_by_period", "marts.of_tonight",
        "marts.unpublished_changes", "marts.unpublished_member_changes",
        "quality.contract_version", "quality.published_version", "reference.nps_bands",
    ]  # fmt: skip
    assert dict(tables)["marts.fct_survey_responses"] == "One row per accepted answer"
    assert comments == [("score", "What it's worth")]
    assert score == [(1, 100.0)]
    ((*names, published_at, as_of, responses, value, contract, _),) = said
    assert (names, responses, value, contract) == ([run_of(1), run_of(1)], 1, 100.0, "1.0.0")
    assert (str(published_at), str(as_of)) == ("2026-03-02 02:00:00", "2026-03-02 00:00:00")
    assert b"Planted Person" not in site.shown.read_bytes()


def test_files_are_readable_by_owner_and_group_alone(site: Site) -> None:
    old = os.umask(0)
    try:
        after_nights(site, 2)
        site.rollback()
    finally:
        os.umask(old)
    for path in [site.folder, *site.folder.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o750 if path.is_dir() else 0o640), path


def test_the_same_build_is_published_once(site: Site) -> None:
    first = site.publish(1)
    before = site.shown.stat()
    again = site.publish(2)
    assert again == first
    assert site.shown.stat().st_mtime_ns == before.st_mtime_ns
    assert site.recorded() == [(1, run_of(1))]
    # Built anew it is a publication of its own, even where nothing has changed.
    site.build(1)
    assert site.publish(2).id == run_of(2)
    agrees(site)


def test_a_build_older_than_the_last_publication_is_refused(site: Site) -> None:
    old = site.root / "old.duckdb"
    shutil.copy(site.warehouse, old)
    after_nights(site, 2)
    shutil.copy(old, site.warehouse)
    with pytest.raises(PublishingError, match="build again") as refused:
        site.publish(3)
    assert refused.value.exit_code == exit_codes.BAD_INPUT
    agrees(site)
    # One of the same age with other rows is not the one that was published.
    site.build(3)
    site.publish(3)
    with duckdb.connect(str(site.warehouse)) as connection:
        connection.execute("delete from marts.fct_survey_responses where response_id = 'R1'")
    with pytest.raises(PublishingError, match="build again"):
        site.publish(4)
    agrees(site)


def test_the_last_ones_are_kept_and_what_is_shown(site: Site) -> None:
    after_nights(site, 3, keep=2)
    assert site.versions() == [run_of(3), run_of(2)]
    site.rollback()
    site.build(4)
    site.publish(4, keep=1)
    assert site.versions() == [run_of(4)]
    agrees(site)
    # Whatever the clock said.
    site.build(5)
    publish(
        run_of(5), warehouse=site.warehouse, folder=site.folder, keep=1, now=FIRST,
        environ=site.environ,
    )  # fmt: skip
    assert site.versions() == [run_of(4), run_of(5)]
    assert rows(site.shown, SEEN) == [(run_of(5), 5, 5, 5, 5, 5)]


def test_who_has_a_version_open_keeps_it(site: Site) -> None:
    site.publish(1)
    with duckdb.connect(str(site.shown), read_only=True) as reader:
        for night in (2, 3):
            site.build(night)
            site.publish(night, keep=1)
        assert reader.execute(SEEN).fetchall() == [(run_of(1), 1, 1, 1, 1, 1)]
    assert rows(site.shown, SEEN) == [(run_of(3), 3, 3, 3, 3, 3)]


def test_rollback_shows_the_one_before_and_the_next_run_its_own(site: Site) -> None:
    after_nights(site, 3)
    recorded = site.recorded()
    assert site.rollback().id == run_of(2)
    assert site.rollback().id == run_of(1)
    assert rows(site.shown, SEEN) == [(run_of(1), 1, 1, 1, 1, 1)]
    with pytest.raises(PublishingError, match="no version before"):
        site.rollback()
    assert site.rollback(run_of(3)).id == run_of(3)
    assert site.rollback(run_of(2)).id == run_of(2)
    assert site.recorded() == recorded
    # The build that was rolled back from is not shown again by itself, one that is new is.
    assert site.publish(9).id == run_of(3)
    assert site.current() == site.rollback(run_of(2))
    agrees(site)
    site.build(4)
    assert site.publish(4) == site.current()
    agrees(site)
    listed = nps(site, "versions").output
    assert f"* {run_of(4)}" in listed
    assert f"from {run_of(3)} back to {run_of(2)}" in listed
    # Nothing that can't be read is shown.
    broken = site.folder / "versions" / f"{run_of(1)}.duckdb"
    broken.write_bytes(broken.read_bytes()[:30_000])
    with pytest.raises(PublishingError, match="can't be read"):
        site.rollback(run_of(1))
    assert rows(site.shown, SEEN) == [(run_of(4), 4, 4, 4, 4, 4)]


def died(target: object, *arguments: object) -> bool:
    process = PROCESSES.Process(target=target, args=arguments)  # type: ignore[arg-type]
    process.start()
    process.join(60)
    assert process.exitcode in (0, DIED), process.exitcode
    return process.exitcode == DIED


def recovers(site: Site, action: str) -> None:
    """After a crash: nothing half-built is shown, the next run repairs and publishes."""
    ((version_id, *counts),) = rows(site.shown, SEEN)
    assert version_id in {run_of(2), run_of(3)} if action == "publish" else {run_of(1), run_of(2)}
    assert len(set(counts)) == 1
    site.repair()
    agrees(site)
    assert site.repair() == []
    if action == "publish":
        recorded = len(site.recorded())
        shown = site.current()
        assert shown is not None
        assert shown.id == run_of(recorded)
        # The run is repeated without a new build, as a scheduler would.
        assert site.publish(3, keep=2).id == run_of(3)
        agrees(site)
        assert len(site.recorded()) == 3


def goes_on(site: Site) -> None:
    """The night after."""
    night = len(site.recorded()) + 1
    site.build(night)
    assert site.publish(night, keep=2).responses == night
    agrees(site)
    assert len(site.recorded()) == night


@pytest.mark.parametrize(
    ("action", "step"),
    [
        # Around the step that decides; the others are among the extra examples.
        *(
            pytest.param(
                "publish",
                step,
                marks=() if step in {"sidecar", "record", "show"} else pytest.mark.thorough,
            )
            for step in STEPS
        ),
        *(pytest.param("rollback", step, marks=pytest.mark.thorough) for step in ROLLBACK_STEPS),
    ],
)
def test_a_crash_after_any_step_is_repaired(
    two_nights: Site, tmp_path: Path, action: str, step: str
) -> None:
    site = copied(two_nights, tmp_path)
    assert died(die_after, str(site.root), action, 3, step)
    recovers(site, action)


@pytest.mark.thorough
@pytest.mark.parametrize(("action", "changes"), [("publish", 15), ("rollback", 8)])
def test_a_crash_before_any_change_of_a_file_is_repaired(
    two_nights: Site, tmp_path: Path, action: str, changes: int
) -> None:
    point = 1
    while died(die_at, str((site := copied(two_nights, tmp_path / str(point))).root), action, 3,
               point):  # fmt: skip
        recovers(site, action)
        goes_on(site)
        point += 1
    assert point > changes


def test_a_name_is_on_disk_before_it_is_relied_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Power may go at any time: bytes before their name, a name before the next step."""
    happened: list[tuple[str, str]] = []
    replace, fsync, link = Path.replace, os.fsync, os.link

    def replacing(self: Path, target: Path) -> Path:
        happened.append((self.name, f"-> {Path(target).name}"))
        return replace(self, target)

    def syncing(handle: int) -> None:
        happened.append((Path(f"/proc/self/fd/{handle}").readlink().name, "on disk"))
        fsync(handle)

    site.publish(1)
    site.build(2)
    monkeypatch.setattr(Path, "replace", replacing)
    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(os, "link", link)
    site.publish(2)
    renames = [at for at, (_, what) in enumerate(happened) if what.startswith("->")]
    shown = [happened[at][1] for at in renames]
    assert shown == [
        "-> doing.json", f"-> {run_of(2)}.duckdb", f"-> {run_of(2)}.json", "-> nps.duckdb",
    ]  # fmt: skip
    for at, folder in zip(renames, ("published", "versions", "versions", "published"), strict=True):
        assert happened[at - 1] == (happened[at][0], "on disk")
        assert happened[at + 1] == (folder, "on disk")


def test_readers_see_no_mixture_no_lock_and_no_gap(site: Site) -> None:
    site.publish(1)
    stop = site.root / "stop"
    queue = PROCESSES.Queue()
    readers = [
        PROCESSES.Process(target=read_on, args=(str(site.shown), str(stop), queue))
        for _ in range(4)
    ]
    for reader in readers:
        reader.start()
    for night in range(2, 12):
        site.build(night)
        site.publish(night, keep=2)
    stop.touch()
    found = [queue.get(timeout=60) for _ in readers]
    for reader in readers:
        reader.join(60)
    assert [wrong for _, wrong, _ in found] == [[], [], [], []]
    assert all(reads >= 3 for _, _, reads in found)
    assert len({one for seen, _, _ in found for one in seen}) > 3
    agrees(site)


def test_a_full_disk_changes_nothing(site: Site) -> None:
    site.publish(1)
    site.build(2)
    before = site.files()
    queue = PROCESSES.Queue()
    # Too little for the version, for the journal, and for what the state becomes.
    for limit in (100_000, 10):
        process = PROCESSES.Process(target=with_a_full_disk, args=(str(site.root), 2, limit, queue))
        process.start()
        exit_code, said = queue.get(timeout=60)
        process.join(60)
        assert exit_code == exit_codes.UNREACHABLE, said
        assert "\n" not in said
        assert site.files() == before
        agrees(site)
    assert site.publish(2).responses == 2
    agrees(site)


def test_two_at_once_and_a_lock_of_the_dead(site: Site) -> None:
    site.publish(1)
    site.build(2)
    with locked(place_of(site.folder)):
        for refused in (
            nps(site, "publish"), nps(site, "rollback", run_of(1)),
        ):  # fmt: skip
            assert (refused.exit_code, "another process" in refused.output) == (
                exit_codes.LOCKED, True,
            ), refused.output  # fmt: skip
    # The file of a lock stays when its process is killed; the lock does not.
    assert (site.folder / ".lock").exists()
    assert nps(site, "publish").exit_code == exit_codes.OK
    agrees(site)
    assert len(site.recorded()) == 2


def test_a_state_that_is_written_to_meanwhile_is_a_lock(site: Site) -> None:
    queue = PROCESSES.Queue()
    site.publish(1)
    site.build(2)
    holder = PROCESSES.Process(target=hold, args=(str(site.root / "state" / FILE_NAME), queue))
    holder.start()
    assert queue.get(timeout=60) == "held"
    refused = nps(site, "publish")
    assert refused.exit_code == exit_codes.LOCKED, refused.output
    holder.kill()
    holder.join(60)
    assert nps(site, "publish").exit_code == exit_codes.OK
    agrees(site)


def test_a_disk_without_hard_links_has_a_copy(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    after_nights(site, 2)
    shown = site.current()
    assert shown is not None
    assert shown.id == run_of(2)
    assert not shown.file.samefile(site.shown)
    assert shown.file.read_bytes() == site.shown.read_bytes()
    assert site.rollback().id == run_of(1)
    assert rows(site.shown, SEEN) == [(run_of(1), 1, 1, 1, 1, 1)]


@pytest.mark.parametrize(
    "name",
    ["marts.duckdb", "Quality.duckdb", "marts.v2.duckdb", "main.db", "../nps.duckdb", "/tmp/x.db",
     "nps.csv", ".duckdb", "a/b.duckdb", "nps\n.duckdb"],
)  # fmt: skip
def test_names_that_mislead_are_refused(site: Site, name: str) -> None:
    refused = nps(site, "publish", NPS_PUBLISHED_NAME=name)
    assert refused.exit_code == exit_codes.BAD_INPUT, refused.output
    assert not site.folder.exists()


def test_another_name_is_taken(site: Site) -> None:
    assert nps(site, "publish", NPS_PUBLISHED_NAME="scores.duckdb").exit_code == exit_codes.OK
    # The database is named after the file, and its schemas are told from it.
    assert rows(site.folder / "scores.duckdb", "select count(*) from scores.marts.nps_by_period")


def test_ids_lead_nowhere_else(site: Site) -> None:
    site.publish(1)
    before = site.warehouse.read_bytes()
    for version in ("../../private", "/etc/passwd", "..", ".new", "a/b", "", "x*", "a\n"):
        refused = nps(site, "rollback", version)
        assert (refused.exit_code, "is no id" in refused.output) == (exit_codes.BAD_INPUT, True)
        refused = nps(site, "publish", "--run-id", version or "-")
        assert refused.exit_code == exit_codes.BAD_INPUT
    assert site.warehouse.read_bytes() == before
    agrees(site)


def test_links_out_of_the_folder_are_not_followed(site: Site) -> None:
    site.publish(1)
    elsewhere = site.root / "elsewhere"
    elsewhere.mkdir()
    outside = site.folder / "versions" / "outside.duckdb"
    outside.symlink_to(site.warehouse)
    assert site.versions() == [run_of(1)]
    assert "no version outside" in nps(site, "rollback", "outside").output
    outside.unlink()
    shutil.rmtree(site.folder / "versions")
    (site.folder / "versions").symlink_to(elsewhere)
    refused = nps(site, "publish")
    assert (refused.exit_code, "symbolic link" in refused.output) == (exit_codes.BAD_INPUT, True)
    assert list(elsewhere.iterdir()) == []


def test_a_journal_that_is_none_is_said_and_kept(site: Site) -> None:
    site.publish(1)
    site.build(2)
    journal = site.folder / "doing.json"
    for text in ("no json", json.dumps({"action": "publish", "version_id": "../../private"})):
        journal.write_text(text)
        assert nps(site, "publish").exit_code == exit_codes.BAD_INPUT
        assert journal.read_text() == text
        assert site.warehouse.exists()
    journal.unlink()
    assert nps(site, "publish").exit_code == exit_codes.OK


def test_other_files_in_the_folder_are_left_alone(site: Site) -> None:
    site.publish(1)
    kept = [site.folder / "notes.new", site.folder / "versions" / "README", site.folder / ".hidden"]
    for file in kept:
        file.touch()
    gone = [
        site.folder / f".nps.duckdb{FRESH}", site.folder / "versions" / f".x.duckdb{FRESH}.wal",
        site.folder / "versions" / "lost.json",
    ]  # fmt: skip
    for file in gone:
        file.touch()
    assert len(site.repair()) == len(gone)
    assert [file.exists() for file in kept] == [True] * 3
    assert [file.exists() for file in gone] == [False] * 3
    # A sidecar that is lost is written anew: the version itself knows.
    sidecar = site.folder / "versions" / f"{run_of(1)}.json"
    text = sidecar.read_text()
    sidecar.unlink()
    assert len(site.repair()) == 1
    assert sidecar.read_text() == text


def test_a_warehouse_that_is_none_is_said(site: Site) -> None:
    site.warehouse.unlink()
    assert "run a build first" in nps(site, "publish").output
    site.warehouse.write_text("no database")
    assert nps(site, "publish").exit_code == exit_codes.BAD_INPUT
    site.warehouse.unlink()
    duckdb.connect(str(site.warehouse)).close()
    refused = nps(site, "publish")
    assert (refused.exit_code, "no finished build" in refused.output) == (
        exit_codes.BAD_INPUT, True,
    )  # fmt: skip
    assert "Nothing was published yet." in nps(site, "versions").output
    assert nps(site, "publish", NPS_KEEP="0").exit_code == exit_codes.BAD_INPUT


def test_what_a_disk_has_changed_is_not_shown(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version is opened anew and compared before the state knows of it."""
    from nps_warehouse.publishing import copying

    site.publish(1)
    site.build(2)
    make = copying.make

    def loses_a_row(connection: duckdb.DuckDBPyConnection, file: Path, *rest: object) -> None:
        make(connection, file, *rest)  # type: ignore[arg-type]
        with duckdb.connect(str(file)) as other:
            other.execute("delete from marts.of_tonight where rowid = 7")

    monkeypatch.setattr(copying, "make", loses_a_row)
    with pytest.raises(PublishingError, match=r"of_tonight.*not shown") as refused:
        site.publish(2)
    assert refused.value.exit_code == exit_codes.INTERNAL
    assert len(site.recorded()) == 1
    agrees(site)
