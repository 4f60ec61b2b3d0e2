"""Measures `nps import` of a Qualtrics export beside DuckDB's read_csv of the same file."""

from __future__ import annotations

import csv
import datetime as dt
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
import duckdb

from nps_warehouse.benchmark.measure import Usage, measured
from nps_warehouse.landing import sql

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / "target" / "benchmark"
IMPORT, READ = "nps import", "read_csv into a table"

COLUMNS = {
    "StartDate": ("Start Date", "startDate"),
    "EndDate": ("End Date", "endDate"),
    "Status": ("Response Type", "status"),
    "IPAddress": ("IP Address", "ipAddress"),
    "Progress": ("Progress", "progress"),
    "Duration (in seconds)": ("Duration (in seconds)", "duration"),
    "Finished": ("Finished", "finished"),
    "RecordedDate": ("Recorded Date", "recordedDate"),
    "ResponseId": ("Response ID", "_recordId"),
    "ExternalReference": ("External Data Reference", "externalDataReference"),
    "DistributionChannel": ("Distribution Channel", "distributionChannel"),
    "UserLanguage": ("User Language", "userLanguage"),
    "Q1_NPS_GROUP": ("How likely are you to recommend us? - Group", "QID1_NPS_GROUP"),
    "Q1": ("How likely are you to recommend us?", "QID1"),
    "Q2": ("What is the reason for your score?", "QID2_TEXT"),
}
COMMENTS = (
    "",
    "Quick and friendly, thank you.",
    'I was told "tomorrow", twice.\nNobody called back.',
    "Très bien, même s'il fallait attendre; 好的 🎉",
)


def write_export(path: Path, rows: int) -> None:
    """Write an export of the shape that Qualtrics gives, always the same.

    Args:
        path: the file to write.
        rows: number of answers.
    """
    start = dt.datetime(2024, 1, 1)  # noqa: DTZ001 - local times, as an export has them
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerow(text for text, _ in COLUMNS.values())
        writer.writerow(f'{{"ImportId":"{name}"}}' for _, name in COLUMNS.values())
        for number in range(rows):
            score = (number * 7 + number // 11) % 11
            moment = start + dt.timedelta(seconds=number * 31)
            end = moment + dt.timedelta(seconds=40 + number % 500)
            group = "Promoter" if score > 8 else "Passive" if score > 6 else "Detractor"
            writer.writerow(
                [
                    *(moment, end, 0, f"192.0.2.{number % 250}", 100, 40 + number % 500, 1, end),
                    *(f"R_{number:015}", f"C{number % 50_000:06}", "email", "EN"),
                    *(group, score, COMMENTS[number % 4]),
                ]
            )


def read_export(path: Path, database: Path) -> None:
    """What is measured beside: every column as text into a table of a file, nothing else.

    Args:
        path: the export.
        database: the DuckDB file to make.
    """
    columns = ", ".join(f"'c{number}': 'VARCHAR'" for number in range(len(COLUMNS)))
    with duckdb.connect(str(database), config={"memory_limit": "512MB"}) as connection:
        connection.execute(
            f"create table export as from read_csv({sql.path(path)}, auto_detect = false, "
            f"columns = {{{columns}}}, header = false, skip = 3, delim = ',', quote = '\"', "
            "escape = '\"', strict_mode = true)"
        )


def measure(rows: int, repeat: int, cache: Path) -> dict[str, list[Usage]]:
    """Measure both, one after the other, several times.

    Args:
        rows: number of answers.
        repeat: runs of each.
        cache: folder that keeps the export.

    Raises:
        BenchmarkError: a run failed.
    """
    cache.mkdir(parents=True, exist_ok=True)
    export = cache / f"qualtrics-{rows}.csv"
    if not export.exists():
        unfinished = export.with_suffix(".new")
        write_export(unfinished, rows)
        unfinished.rename(export)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("NPS_", "PYTHON"))
    } | {"PYTHONPATH": str(ROOT / "scripts")}
    runs: dict[str, list[Usage]] = {IMPORT: [], READ: []}
    for _ in range(repeat):
        scratch = Path(tempfile.mkdtemp(dir=cache, prefix=".run-"))
        try:
            commands = {
                IMPORT: [
                    *(sys.executable, "-m", "nps_warehouse.cli", "import", str(export)),
                    *("--mapping", "qualtrics_csv", "--timezone", "Europe/Berlin"),
                    *("--into", str(scratch / "raw")),
                ],
                READ: [
                    *(sys.executable, "-m", "nps_warehouse.benchmark.importing"),
                    *("--read", str(export), str(scratch / "read.duckdb")),
                ],
            }
            for name, command in commands.items():
                runs[name].append(measured(name, command, environment, ROOT).usage)
        finally:
            shutil.rmtree(scratch)
    return runs


def table(rows: int, runs: dict[str, list[Usage]]) -> str:
    """The measurements as Markdown: medians of the runs, and both against reading alone.

    Args:
        rows: number of answers.
        runs: what each run took.
    """
    seconds = {name: statistics.median(u.seconds for u in usages) for name, usages in runs.items()}
    cpu = {name: statistics.median(u.cpu_seconds for u in usages) for name, usages in runs.items()}
    lines = [
        f"| {rows:,} rows | seconds | CPU seconds | rows/s | times reading (CPU) | peak MiB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, usages in runs.items():
        peak = max(usage.peak_bytes for usage in usages) / 2**20
        lines.append(
            f"| {name} | {seconds[name]:.1f} | {cpu[name]:.1f} | {rows / seconds[name]:,.0f} "
            f"| {seconds[name] / seconds[READ]:.1f} ({cpu[name] / cpu[READ]:.1f}) | {peak:,.0f} |"
        )
    return "\n".join(lines)


@click.command()
@click.option("--rows", default=1_000_000, show_default=True, help="Answers in the export.")
@click.option("--repeat", default=3, show_default=True, help="Runs of each.")
@click.option("--cache", default=CACHE, type=click.Path(path_type=Path), help="Keeps the export.")
@click.option("--read", nargs=2, type=click.Path(path_type=Path), hidden=True)
def main(rows: int, repeat: int, cache: Path, read: Sequence[Path] | None) -> None:
    """Measure `nps import` of a Qualtrics export beside DuckDB's read_csv of the same file."""
    if read:
        read_export(*read)
    else:
        click.echo(table(rows, measure(rows, repeat, cache)))


if __name__ == "__main__":
    main()
