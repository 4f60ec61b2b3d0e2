"""How long each engine takes from the files to the score marts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nps_warehouse.benchmark.measure import BenchmarkError, measured
from nps_warehouse.benchmark.report import machine

ROOT = Path(__file__).resolve().parents[3]
HEADING = "## How long they take"
DUCKDB = "duckdb"
SERVERS = ("postgres", "spark")
ENGINES = (DUCKDB, *SERVERS)


@dataclass(frozen=True)
class Timing:
    """What one engine took at one size: seconds by the clock, landing included."""

    contacts: int
    engine: str
    seconds: float


def measure(
    contacts: int,
    raw_dir: Path,
    engines: Sequence[str],
    arguments: Sequence[str],
    environment: Mapping[str, str],
    scratch: Path,
    said: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
) -> list[Timing]:
    """Build on each engine, one after the other, each in a new place.

    Args:
        contacts: how many the files hold.
        raw_dir: the files.
        engines: of ENGINES.
        arguments: of `dbt build`.
        environment: of every process.
        scratch: an empty folder, on the disk that is to be measured.
        said: called with a line for each engine.

    Raises:
        BenchmarkError: a build failed.
    """
    # A server that root starts runs as a user of its own, who has to pass through.
    scratch.chmod(0o711)
    timings = []
    for engine in engines:
        own = dict(environment) | {
            "NPS_RAW_DIR": str(raw_dir),
            "NPS_POSTGRES_FOLDER": str(scratch / "postgres"),
            "NPS_POSTGRES_LANDING": str(scratch / "landing.duckdb"),
            "NPS_SPARK_DIR": str(scratch / "spark"),
        }
        if engine == DUCKDB:
            dbt = str(Path(sys.executable).with_name("dbt"))
            seconds = measured(engine, [dbt, "build", *arguments], own, ROOT).usage.seconds
        else:
            seconds = _on_server(engine, arguments, own)
        timings.append(Timing(contacts, engine, seconds))
        said(f"{contacts:,} contacts: {engine} {seconds:.1f} s")
    return timings


def _on_server(engine: str, arguments: Sequence[str], environment: Mapping[str, str]) -> float:
    script = str(ROOT / "scripts" / engine)
    # Not measured: environment, start of the server, the first parse for its target.
    measured(engine, [script, "start"], environment, ROOT)
    try:
        command = [script, "build", *arguments]
        return measured(engine, command, environment, ROOT).usage.seconds
    finally:
        gone = ["remove"] if engine == "postgres" else ["stop", "--delete"]
        measured(engine, [script, *gone], environment, ROOT)


def section(timings: Sequence[Timing]) -> str:
    """The section of a page that says it, Markdown.

    Args:
        timings: of `measure`, at one or more sizes.

    Raises:
        BenchmarkError: there are none.
    """
    if not timings:
        raise BenchmarkError("no engine was measured")
    engines = [name for name in ENGINES if any(one.engine == name for one in timings)]
    found = {(one.contacts, one.engine): one.seconds for one in timings}
    sizes = sorted({one.contacts for one in timings})
    lines = [
        HEADING,
        "",
        "From the files to the score marts, in seconds by the clock: with the landing, without the",
        "start of a server; in brackets times DuckDB's. The data is generated, in Parquet, by",
        f"`scripts/benchmark --engines {' '.join(engines)}`.",
        "",
        f"| contacts | {' | '.join(engines)} |",
        f"| ---: |{' ---: |' * len(engines)}",
    ]
    for size in sizes:
        cells = []
        for name in engines:
            seconds = found.get((size, name))
            least = found.get((size, DUCKDB))
            ratio = f" ({seconds / least:.1f})" if seconds and least and name != DUCKDB else ""
            cells.append("" if seconds is None else f"{seconds:,.0f}{ratio}")
        lines.append(f"| {size:,} | {' | '.join(cells)} |")
    lines += ["", f"Machine: {machine()}; servers and their clients share it.", ""]
    return "\n".join(lines)
