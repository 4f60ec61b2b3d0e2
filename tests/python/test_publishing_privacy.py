"""Who is forgotten goes from what was published, too, under those who read it."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result
from nps_warehouse.cli import main
from nps_warehouse.landing.land import land
from nps_warehouse.privacy import cli
from nps_warehouse.privacy.retention import OldRows
from published import SEEN, Site, run_of
from test_forget import GONE, SALT, write_raw

COMMENT = "planted words of the answer"


def build(site: Site, night: int) -> None:
    """A night's build, with the customer's answer in it and what was delivered of them."""
    site.build(night)
    with duckdb.connect(str(site.warehouse)) as connection:
        connection.execute("drop schema raw cascade")
        land(connection, str(site.root / "raw"))
        connection.execute("alter table marts.fct_survey_responses add column customer_id varchar")
        connection.execute(
            "update marts.fct_survey_responses set customer_id = ?, comment = ? "
            "where response_id = 'R1'",
            [GONE, COMMENT],
        )


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    write_raw(tmp_path / "raw")
    for night in (1, 2):
        build(made, night)
        made.publish(night)
    return made


def nps(site: Site, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    # The project itself is built anew by the tests of `nps forget` and `nps retain`.
    monkeypatch.setattr(cli, "_rebuild", lambda *_: site.build(3))
    environment = {
        **site.environ, "NPS_PUBLISHED_DIR": str(site.folder), "NPS_WAREHOUSE": str(site.warehouse),
        "NPS_RAW_DIR": str(site.root / "raw"), "NPS_PRIVACY_SALT": SALT,
    }  # fmt: skip
    return CliRunner(env=environment).invoke(main, list(arguments))


def published(site: Site) -> list[Path]:
    return [site.shown, *sorted((site.folder / "versions").glob("*.duckdb"))]


@pytest.mark.parametrize("named", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_versions_forget_and_readers_are_left_alone(
    site: Site, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    site.rollback()
    assert all(COMMENT.encode() in file.read_bytes() for file in published(site))
    with duckdb.connect(str(site.shown), read_only=True) as reader:
        copies = ["--copies", str(site.folder)] if named else []
        done = nps(site, monkeypatch, "forget", GONE, *copies)
        assert done.exit_code == 0, done.output
        # Its file is gone from the folder, and the reader's until it opens another one.
        assert reader.execute(SEEN).fetchone() == (run_of(1), 1, 1, 1, 1, 1)
    assert "and 2 copies" in done.output
    assert "0 hits" in done.output
    for file in published(site):
        content = file.read_bytes()
        assert COMMENT.encode() not in content
        assert GONE.encode() not in content
        assert file.stat().st_mode & 0o777 == 0o640
        with duckdb.connect(str(file), read_only=True) as connection:
            ((_, first),) = connection.execute(
                "select comment, customer_id from marts.fct_survey_responses "
                "where response_id = 'R1'"
            ).fetchall()
            assert first == "unknown"
            described = connection.execute(
                "select comment from duckdb_columns() where comment is not null"
            ).fetchall()
            assert described == [("What it's worth",)]
            version = connection.execute(
                "select tags['storage_version'] from duckdb_databases() where not internal"
            ).fetchall()
            assert version == [("v1.2.0+",)]
    shown = site.current()
    assert shown is not None
    assert shown.id == run_of(1)
    assert shown.file.samefile(site.shown)
    assert site.repair() == []


@pytest.mark.thorough
def test_a_copy_without_a_version_forgets_too(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    site.rollback()
    (site.folder / "versions" / f"{run_of(1)}.duckdb").unlink()
    done = nps(site, monkeypatch, "forget", GONE)
    assert done.exit_code == 0, done.output
    assert not any(COMMENT.encode() in file.read_bytes() for file in published(site))


@pytest.mark.thorough
def test_interrupted_the_same_command_does_the_rest(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nps_warehouse.publishing import rewriting

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(rewriting, "link", stop)
        assert nps(site, broken, "forget", GONE).exit_code == 1
    assert COMMENT.encode() in site.shown.read_bytes()
    done = nps(site, monkeypatch, "forget", GONE)
    assert done.exit_code == 0, done.output
    assert not any(COMMENT.encode() in file.read_bytes() for file in published(site))
    shown = site.current()
    assert shown is not None
    assert shown.file.samefile(site.shown)


@pytest.mark.thorough
def test_rows_that_are_too_old_go_from_versions(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = OldRows({}, {"survey_responses": frozenset({"R1"})})
    monkeypatch.setattr(cli, "empty_old_rows", lambda _: old)
    done = nps(site, monkeypatch, "retain")
    assert done.exit_code == 0, done.output
    for file in published(site):
        with duckdb.connect(str(file), read_only=True) as connection:
            assert connection.execute(
                "select count(*) from marts.fct_survey_responses where response_id = 'R1'"
            ).fetchall() == [(0,)]
    shown = site.current()
    assert shown is not None
    assert shown.file.samefile(site.shown)
