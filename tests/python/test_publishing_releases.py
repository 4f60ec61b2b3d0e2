"""What is published opens in the oldest DuckDB that is promised, and in one newer than ours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from conftest import PROJECT
from published import SEEN, Site, run_of

# Opens a file as a BI tool does, by its name alone, and reads every table to its end.
READ = """
import json, sys
sys.path.insert(0, sys.argv[1])
import duckdb
connection = duckdb.connect(sys.argv[2], read_only=True)
tables = connection.execute(
    "select table_schema, table_name from information_schema.tables "
    "where table_schema in ('marts', 'quality', 'reference') order by 1, 2"
).fetchall()
rows = {
    f"{schema}.{name}": [
        list(map(str, row))
        for row in connection.execute(f'select * from "{schema}"."{name}" order by all').fetchall()
    ]
    for schema, name in tables
}
comments = connection.execute(
    "select column_name, comment from duckdb_columns() where comment is not null"
).fetchall()
seen = connection.execute(sys.argv[3]).fetchall()
print(json.dumps([duckdb.__version__, rows, comments, seen]))
"""


def read(file: Path, packages: Path) -> list[object]:
    finished = subprocess.run(
        [sys.executable, "-I", "-c", READ, str(packages), str(file), SEEN],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    content = json.loads(finished.stdout)
    assert isinstance(content, list)
    return content


@pytest.mark.environments
def test_older_and_newer_releases_read_what_is_published(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for night in (1, 2):
        site.build(night)
        site.publish(night)
    ours = read(site.shown, Path(duckdb.__file__).parents[1])
    assert ours[0] == duckdb.__version__
    assert ours[3] == [[run_of(2), 2, 2, 2, 2, 2]]
    for version in ("1.2", "2.0"):
        packages = tmp_path / version
        subprocess.run(
            [
                sys.executable, "-m", "pip", "--disable-pip-version-check", "-qq", "install",
                "--no-input", "--require-hashes", "--no-deps", "--only-binary", ":all:",
                "--target", str(packages),
                "-r", str(PROJECT / "requirements" / f"duckdb_{version}.txt"),
            ],
            check=True,
        )  # fmt: skip
        theirs = read(site.shown, packages)
        assert str(theirs[0]).startswith(version)
        assert theirs[1:] == ours[1:]
    # Theirs tells: what our release writes by itself with its newest format, 1.2 does not open.
    newest = tmp_path / "newest.duckdb"
    with duckdb.connect() as connection:
        connection.execute(f"attach '{newest}' as newest (storage_version 'latest')")
        connection.execute("create table newest.one as select 1 as one")
    with pytest.raises(AssertionError, match="storage"):
        read(newest, tmp_path / "1.2")
