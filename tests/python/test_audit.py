"""`scripts/audit`: locks that hold a release by its hashes, advisories that name one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from nps_warehouse import exit_codes
from nps_warehouse.audit import cli
from nps_warehouse.audit.advisories import Advisory, affects, read_advisories
from nps_warehouse.audit.locks import LockError, held_together, problems_of, read_lock
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
HASH = "--hash=sha256:" + "0123456789abcdef" * 4


def a_lock(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def problems(folder: Path, **texts: str) -> list[str]:
    locks = {name: read_lock(a_lock(folder, name, text)) for name, text in texts.items()}
    return list(problems_of(locks, {"y": {"x", "y"}}))


def test_the_projects_own_locks_hold_every_release_by_its_hashes() -> None:
    locks = {file.name: read_lock(file) for file in (ROOT / "requirements").glob("*.txt")}
    assert {"build.txt", "tools.txt", "test.txt"} <= set(locks)
    assert {release.name for release in locks["build.txt"]} >= {"dbt-core", "duckdb", "jinja2"}
    together = held_together(ROOT / "requirements")
    assert together["test.txt"] >= {"build.txt", "tools.txt", "themes.txt", "benchmark.txt"}
    assert together["build.txt"] == {"build.txt"}
    assert list(problems_of(locks, together)) == []


def test_a_release_is_read_with_its_marker_and_hashes(tmp_path: Path) -> None:
    text = (
        f"# a comment\nJinja2==3.1.6 \\\n    {HASH} \\\n    {HASH}\n"
        f"tzdata==2025.1 ; sys_platform == 'win32' \\\n    {HASH}  # why\n"
    )
    found = read_lock(a_lock(tmp_path, "x.txt", text))
    assert [(one.name, str(one.version), one.marker, one.hashes) for one in found] == [
        ("jinja2", "3.1.6", "", 2),
        ("tzdata", "2025.1", 'sys_platform == "win32"', 1),
    ]


@pytest.mark.parametrize(
    "line",
    ["jinja2", "jinja2>=3", "jinja2==3.*", "jinja2==3.1,!=3.2", "a @ https://x.example.com/a.whl",
     "-r other.txt", "./folder"],
)  # fmt: skip
def test_what_is_not_one_release_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(LockError, match=r"requirement|pinned"):
        read_lock(a_lock(tmp_path, "x.txt", f"{line} {HASH}\n"))


def test_a_release_without_a_hash_is_found(tmp_path: Path) -> None:
    short = f"{HASH}"[:-1]
    assert problems(tmp_path, x=f"a==1 {HASH}\nb==2\nc==3 {short}\n") == [
        "x: b 2 has no hash",
        "x: c 3 has no hash",
    ]


def test_locks_that_differ_are_found(tmp_path: Path) -> None:
    assert problems(tmp_path, x=f"a==1 {HASH}\n", y=f"A==1.0 {HASH}\n") == []
    assert problems(tmp_path, x=f"a==1 {HASH}\n", y=f"a==2 {HASH}\n") == ["a is 2 in y and 1 in x"]
    # An environment of its own has its own releases.
    assert problems(tmp_path, x=f"a==1 {HASH}\n", z=f"a==2 {HASH}\n") == []
    split = f"a==1 ; python_version < '3.12' {HASH}\na==2 ; python_version >= '3.12' {HASH}\n"
    assert problems(tmp_path, x=split) == []


# PYSEC-2023-74 of PyPI's advisory database, on requests, as published.
REQUESTS: dict[str, Any] = {
    "id": "PYSEC-2023-74",
    "aliases": ["CVE-2023-32681"],
    "modified": "2023-06-05T01:13:00Z",
    "affected": [
        {
            "package": {"name": "requests", "ecosystem": "PyPI"},
            "ranges": [
                {"type": "GIT", "events": [{"introduced": "0"}]},
                {"type": "ECOSYSTEM", "events": [{"introduced": "2.3.0"}, {"fixed": "2.31.0"}]},
            ],
            "versions": ["2.10.0", "2.30.0"],
        }
    ],
}


def one(
    *events: dict[str, str], versions: tuple[str, ...] = (), kind: str = "ECOSYSTEM"
) -> Advisory:
    affected = {
        "package": {"name": "Some_Project", "ecosystem": "PyPI"},
        "ranges": [{"type": kind, "events": list(events)}],
        "versions": versions,
    }
    return Advisory("X-1", (), datetime(2024, 1, 1, tzinfo=UTC), (affected,))


@pytest.mark.parametrize(
    ("advisory", "version", "expected"),
    [
        (one({"introduced": "0"}, {"fixed": "2"}), "1.9", True),
        (one({"introduced": "0"}, {"fixed": "2"}), "0.0.0.dev1", True),
        (one({"introduced": "0"}, {"fixed": "2"}), "2", False),
        (one({"introduced": "0"}, {"fixed": "2"}), "2.0.post1", False),
        (one({"introduced": "0"}, {"fixed": "2"}), "2.0rc1", True),
        (one({"introduced": "1.10"}), "1.9", False),
        (one({"introduced": "1.10"}), "1.10", True),
        (one({"introduced": "1"}, {"last_affected": "3"}), "3", True),
        (one({"introduced": "1"}, {"last_affected": "3"}), "3.0.1", False),
        # Fixed, and broken again: in the order of releases, however they are listed.
        (one({"introduced": "5"}, {"fixed": "2"}, {"introduced": "1"}), "3", False),
        (one({"introduced": "5"}, {"fixed": "2"}, {"introduced": "1"}), "6", True),
        (one({"introduced": "1"}, {"fixed": "2"}, {"introduced": "2"}, {"fixed": "3"}), "2", True),
        (one(versions=("1.0",)), "1", True),
        (one(versions=("1.0", "old-style")), "1.1", False),
        (one({"introduced": "0"}, kind="GIT"), "1", False),
    ],
)
def test_a_release_is_affected_as_the_format_says(
    advisory: Advisory, version: str, expected: bool
) -> None:
    assert affects(advisory, "some-project", Version(version)) is expected
    assert not affects(advisory, "other", Version(version))


def test_advisories_are_read_from_a_folder(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.json").write_text(json.dumps(REQUESTS))
    # A version is a text: 1.10 is not 1.1.
    (tmp_path / "b.yaml").write_text(
        "id: B\nmodified: 2024-01-01T00:00:00Z\naffected:\n- package: {name: b, ecosystem: PyPI}\n"
        "  versions: [1.10]\n"
    )
    (tmp_path / "w.json").write_text(json.dumps({**REQUESTS, "id": "W", "withdrawn": "2024"}))
    other = [{"package": {"name": "requests", "ecosystem": "npm"}, "versions": ["2.30.0"]}]
    (tmp_path / "n.json").write_text(json.dumps({**REQUESTS, "id": "N", "affected": other}))
    (tmp_path / "config.yml").write_text("jobs: []\n")
    found = {advisory.id: advisory for advisory in read_advisories(tmp_path)}
    assert set(found) == {"PYSEC-2023-74", "B"}
    assert affects(found["B"], "b", Version("1.10"))
    assert not affects(found["B"], "b", Version("1.1"))


def audited(folder: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.audit_command, ["--requirements", str(folder), *arguments])
    return result.exit_code, result.output


def test_the_command_names_what_it_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_unfit", list)
    (tmp_path / "advisories").mkdir()
    (tmp_path / "advisories" / "a.json").write_text(json.dumps(REQUESTS))
    given = ("--advisories", str(tmp_path / "advisories"))
    a_lock(tmp_path, "x.txt", f"requests==2.30.0 {HASH}\n")
    code, text = audited(tmp_path, *given)
    assert code == exit_codes.CRITICAL_FAILED
    assert "FOUND      requests 2.30.0 in x.txt: PYSEC-2023-74, CVE-2023-32681" in text
    assert "Advisories 1, the newest of 05 June 2023" in text
    a_lock(tmp_path, "x.txt", f"requests==2.31.0 {HASH}\n")
    code, text = audited(tmp_path, *given)
    assert code == exit_codes.OK
    assert "Result     nothing found" in text
    code, text = audited(tmp_path)
    assert code == exit_codes.OK
    assert "Advisories not looked at" in text
    a_lock(tmp_path, "x.txt", "requests\n")
    assert audited(tmp_path, *given)[0] == exit_codes.BAD_INPUT
