"""How much memory a build may take: from the machine, or as the environment says."""

from pathlib import Path

import duckdb
import pytest
from conftest import run_dbt
from nps_warehouse import memory
from nps_warehouse.landing.plugin import Plugin


def test_without_a_word_it_is_a_sixth_of_the_machine() -> None:
    with duckdb.connect() as connection:
        # Set by DuckDB itself, in GiB with one decimal: four fifths of the machine.
        (own,) = connection.execute("select current_setting('memory_limit')").fetchone() or ("",)
    number, unit = str(own).split()
    assert unit == "GiB"
    whole = float(number) * 2**30
    expected = max(whole / 5, min(whole, 2 * 2**30))
    assert memory.limit({}) == pytest.approx(expected, rel=0.02)
    assert memory.limit({memory.VARIABLE: ""}) == memory.limit({})


@pytest.mark.parametrize(
    ("given", "size"),
    [("4GB", 4 * 10**9), ("512 MiB", 512 * 2**20), (" 1.5 GB ", 1_500_000_000)],
)
def test_a_size_is_taken_as_given(given: str, size: int) -> None:
    assert memory.limit({memory.VARIABLE: given}) == size
    with duckdb.connect() as connection:
        memory.limited(connection, {memory.VARIABLE: given})
        shown = connection.execute(
            "select parse_formatted_bytes(current_setting('memory_limit'))"
        ).fetchone()
    assert shown is not None
    # Shown with one decimal, which is cut, not rounded.
    assert shown[0] == pytest.approx(size, rel=0.1)


@pytest.mark.parametrize("given", ["much", "4", "-3GB", "0GB", "40%", "4GB; drop table x", "'"])
def test_what_is_no_size_is_said(given: str) -> None:
    with pytest.raises(memory.MemorySettingError, match="has to be a size, such as 4GB"):
        memory.limit({memory.VARIABLE: given})


def test_a_build_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(memory.VARIABLE, "777MiB")
    with duckdb.connect() as connection:
        Plugin("landing", {}).configure_connection(connection)
        assert connection.execute("select current_setting('memory_limit')").fetchone() == (
            "777.0 MiB",
        )


def test_dbt_says_what_is_wrong_without_a_traceback(tmp_path: Path) -> None:
    build = run_dbt(tmp_path, environment={memory.VARIABLE: "a lot"})
    assert build.returncode != 0
    assert "NPS_MEMORY is 'a lot': it has to be a size" in build.output
    assert "Traceback" not in build.output
