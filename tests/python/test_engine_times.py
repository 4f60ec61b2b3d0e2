"""The table of engines and what they take."""

from __future__ import annotations

from pathlib import Path

import pytest
from nps_warehouse.benchmark import cli, engines
from nps_warehouse.benchmark.engines import Timing
from nps_warehouse.benchmark.measure import BenchmarkError


def test_sizes_are_rows_and_engines_are_columns() -> None:
    timings = [
        Timing(5_000_000, "duckdb", 200.0),
        Timing(5_000_000, "spark", 500.0),
        Timing(1_000_000, "spark", 100.4),
        Timing(1_000_000, "duckdb", 40.0),
        Timing(1_000_000, "postgres", 140.0),
    ]
    text = engines.section(timings)
    assert "| contacts | duckdb | postgres | spark |" in text
    assert "| 1,000,000 | 40 | 140 (3.5) | 100 (2.5) |" in text
    assert "| 5,000,000 | 200 |  | 500 (2.5) |" in text
    assert text.startswith(engines.HEADING + "\n")


def test_nothing_measured_is_no_table() -> None:
    with pytest.raises(BenchmarkError, match="no engine was measured"):
        engines.section([])


def test_a_build_that_fails_gives_no_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "sample", lambda *_: tmp_path / "nothing there")
    page = tmp_path / "page.md"
    page.write_text("# Engines\n")
    assert cli.by_engine([1000], ["duckdb"], tmp_path, page) == 1
    assert "duckdb failed" in capsys.readouterr().err
    assert page.read_text() == "# Engines\n"
