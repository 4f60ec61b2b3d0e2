"""The command line of the benchmark."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from nps_warehouse.benchmark import engines, in_polars, increment, once, readers
from nps_warehouse.benchmark.measure import BenchmarkError, Usage, measured
from nps_warehouse.benchmark.report import (
    BY_HAND,
    CORE,
    IDLE,
    INCREMENT,
    START_UP,
    TESTED,
    WHOLE,
    Result,
    markdown,
    plot,
    with_section,
)
from nps_warehouse.memory import limit
from nps_warehouse.warehouse import warehouse_file

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / "target" / "benchmark"
SIZES = (100_000, 1_000_000, 10_000_000, 20_000_000)
POLARS, SCAN = "Polars", "scan"
PACKAGE = "nps_warehouse.benchmark"
# What the hand-written script makes, and what that is made of; no test of anything else.
SCORE_MARTS = (
    *("--indirect-selection", "cautious"),
    "--select",
    *(f"+path:models/marts/{folder}" for folder in ("facts", "dimensions", "scores")),
)
TO_SCORE_MARTS = ("--resource-type", "seed", "--resource-type", "model", *SCORE_MARTS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return the exit code.

    Args:
        arguments: the command line without the program's name; default: the process's own.
    """
    parser = argparse.ArgumentParser(
        prog="benchmark",
        description=(
            "Measure the build, and a day's increment, beside one hand-written script that makes "
            "the same marts, beside Polars, and beside reading alone."
        ),
    )
    parser.add_argument(
        "--contacts",
        type=int,
        action="append",
        metavar="N",
        help=f"size of the generated data; repeatable (default: {', '.join(map(str, SIZES))})",
    )
    parser.add_argument("--repeat", type=int, default=3, help="runs of each (default: %(default)s)")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="also write the tables there, and the plot beside it as an SVG of the same name",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=CACHE,
        metavar="DIR",
        help="keeps the generated data (default: target/benchmark)",
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help=(
            "measure nothing but one whole build, a day more, and the dashboards' queries; "
            "its warehouse stays in the cache"
        ),
    )
    parser.add_argument(
        "--engines",
        nargs="+",
        choices=engines.ENGINES,
        metavar="NAME",
        help="measure nothing but a build on each of these: " + ", ".join(engines.ENGINES),
    )
    parser.add_argument(
        "--readers",
        type=int,
        metavar="N",
        help="measure nothing but N readers of the published file while versions are published",
    )
    parser.add_argument(
        "--publications",
        type=int,
        default=5,
        metavar="N",
        help="of --readers: versions that are published meanwhile (default: %(default)s)",
    )
    parser.add_argument(
        "--pause",
        type=float,
        default=1.0,
        metavar="S",
        help="of --readers: seconds between two looks of a reader (default: %(default)s)",
    )
    parser.add_argument(
        "--warehouse",
        type=Path,
        metavar="FILE",
        help="of --readers: what is published (default: NPS_WAREHOUSE)",
    )
    options = parser.parse_args(arguments)
    if options.readers is not None:
        if min(options.readers, options.publications) < 1 or options.pause < 0:
            parser.error("--readers and --publications are at least 1, --pause is not negative")
        return read(options)
    sizes = options.contacts or SIZES
    if min(sizes) < 1000 or options.repeat < 1:
        parser.error("--contacts is at least 1000, --repeat at least 1")
    if options.engines:
        return by_engine(sizes, options.engines, options.cache, options.output)
    if options.once:
        return build_once(sizes, options.cache, options.output)
    results: list[Result] = []
    for size in sizes:
        try:
            results.append(run(size, options.repeat, options.cache))
        except BenchmarkError as problem:
            print(f"benchmark: {problem}", file=sys.stderr)
            return 1
        # After each size: the largest takes an hour, and what came before it is not to be lost.
        if options.output is not None:
            write(results, options.repeat, options.output)
    print(markdown(results, options.repeat), end="")
    return 0


def write(results: Sequence[Result], repeat: int, page: Path) -> None:
    """Write the tables, and the plot beside them; sizes that were built once stay on the page.

    Args:
        results: one per size.
        repeat: runs of each kind per size.
        page: the Markdown file; the plot is an SVG of the same name.
    """
    picture = page.with_suffix(".svg")
    plot(results, picture)
    built_once = once.sections(page.read_text(encoding="utf-8")) if page.is_file() else []
    text = markdown(results, repeat)
    figure = f"![Seconds by contacts, both logarithmic]({picture.name})\n"
    page.write_text("\n".join([text, figure, *built_once]), encoding="utf-8")


def read(options: argparse.Namespace) -> int:
    """Measure readers and return the exit code: 1 where any met an error or a mixture.

    Args:
        options: of the command line.
    """
    options.cache.mkdir(parents=True, exist_ok=True)
    try:
        with _scratch(options.cache) as scratch:
            reading = readers.measure(
                options.warehouse or warehouse_file(),
                scratch,
                options.readers,
                options.publications,
                options.pause,
            )
    except BenchmarkError as problem:
        print(f"benchmark: {problem}", file=sys.stderr)
        return 1
    text = readers.section(reading)
    print(text, end="")
    if options.output is not None:
        page = options.output.read_text(encoding="utf-8") if options.output.is_file() else ""
        options.output.write_text(
            with_section(page or "# Benchmark", readers.HEADING, text), encoding="utf-8"
        )
    return 1 if reading.errors or reading.mixtures else 0


def by_engine(sizes: Sequence[int], names: Sequence[str], cache: Path, output: Path | None) -> int:
    """Measure engines at some sizes and return the exit code.

    Args:
        sizes: in contacts.
        names: of the engines.
        cache: folder that keeps the data.
        output: the page whose section is written anew; none where null.
    """
    timings: list[engines.Timing] = []
    try:
        for size in sizes:
            raw_dir = sample(size, cache.resolve())
            with _scratch(cache) as scratch:
                environment = _environment(raw_dir, scratch / "warehouse.duckdb", scratch)
                timings += engines.measure(
                    size, raw_dir, names, TO_SCORE_MARTS, environment, scratch
                )
        text = engines.section(timings)
    except BenchmarkError as problem:
        print(f"benchmark: {problem}", file=sys.stderr)
        return 1
    print(text, end="")
    if output is not None:
        page = output.read_text(encoding="utf-8") if output.is_file() else "# Engines"
        output.write_text(with_section(page, engines.HEADING, text), encoding="utf-8")
    return 0


def build_once(sizes: Sequence[int], cache: Path, output: Path | None) -> int:
    """Build everything once at some sizes and return the exit code.

    Args:
        sizes: in contacts.
        cache: folder that keeps the data, and each warehouse.
        output: the page whose sections are written anew; none where null.
    """
    for size in sizes:
        folder = cache.resolve() / f"once-{size}"
        try:
            raw_dir = sample(size, cache.resolve())
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            text = once.section(measure_once(raw_dir, size, folder))
        except (BenchmarkError, duckdb.Error) as problem:
            print(f"benchmark: {problem}", file=sys.stderr)
            return 1
        print(text, end="")
        if output is not None:
            page = output.read_text(encoding="utf-8") if output.is_file() else "# Benchmark"
            output.write_text(with_section(page, once.heading(size), text), encoding="utf-8")
    return 0


def measure_once(raw_dir: Path, contacts: int, folder: Path) -> once.Once:
    """Build everything once, a day more, and ask what dashboards ask.

    Args:
        raw_dir: Parquet files as the generator names and types them.
        contacts: how many contacts they hold.
        folder: an empty one, on the disk that is to be measured; the warehouse is left in it.

    Raises:
        BenchmarkError: a build failed.
        duckdb.Error: a query cannot be answered.
    """
    warehouse, growing = folder / "warehouse.duckdb", folder / "growing"
    increment.history(raw_dir, growing)
    environment = _environment(growing, warehouse, folder)
    dbt = [str(Path(sys.executable).with_name("dbt")), "--quiet", "--no-use-colors", "build"]
    floor = [sys.executable, "-m", f"{PACKAGE}.floor", str(growing)]
    rows = int(json.loads(measured(SCAN, floor, environment, ROOT).output)["rows"])
    with once.Spilled(warehouse) as spilled:
        whole = measured(WHOLE, dbt, environment, ROOT).usage
    file_bytes = warehouse.stat().st_size
    print(f"{contacts:,} contacts: {WHOLE} {whole.seconds:.1f} s", file=sys.stderr, flush=True)
    parts = once.seconds_by_part(folder / "target")
    asked = once.asked(warehouse)
    day_rows = increment.add_day(growing)
    day = measured(INCREMENT, [*dbt, *TO_SCORE_MARTS], environment, ROOT).usage
    return once.Once(
        contacts=contacts,
        rows=rows,
        whole=whole,
        day=day,
        day_rows=day_rows,
        memory_bytes=limit(environment),
        file_bytes=file_bytes,
        spilled_bytes=spilled.most,
        parts=parts,
        asked=asked,
    )


def run(contacts: int, repeat: int, cache: Path = CACHE) -> Result:
    """Measure every kind of run at one size.

    Args:
        contacts: size of the generated data.
        repeat: runs of each kind.
        cache: folder that keeps the data.

    Raises:
        BenchmarkError: a run failed, or the tables differ.
    """
    raw_dir = sample(contacts, cache.resolve())
    with _scratch(cache) as scratch:
        return measure(raw_dir, contacts, repeat, scratch)


def measure(raw_dir: Path, contacts: int, repeat: int, scratch: Path) -> Result:
    """Measure every kind of run on a folder of raw tables.

    Args:
        raw_dir: Parquet files as the generator names and types them.
        contacts: how many contacts they hold.
        repeat: runs of each kind.
        scratch: an empty folder, on the disk that is to be measured.

    Raises:
        BenchmarkError: a run failed, or the tables differ.
    """
    warehouse, by_hand = scratch / "warehouse.duckdb", scratch / "by_hand.duckdb"
    in_frames = scratch / "polars"
    in_frames.mkdir()
    growing = scratch / "growing"
    increment.history(raw_dir, growing)
    environment = _environment(growing, warehouse, scratch)
    dbt = [str(Path(sys.executable).with_name("dbt")), "--quiet", "--no-use-colors"]
    seeds = str(ROOT / "seeds")
    script = [sys.executable, "-m", f"{PACKAGE}.by_hand", str(growing), seeds, str(by_hand)]
    commands = {
        CORE: [*dbt, "build", *TO_SCORE_MARTS],
        # On the warehouse that the run before has left, as is the next.
        IDLE: [*dbt, "build", *TO_SCORE_MARTS],
        INCREMENT: [*dbt, "build", *TO_SCORE_MARTS],
        TESTED: [*dbt, "build", *SCORE_MARTS],
        START_UP: [*dbt, "parse"],
        WHOLE: [*dbt, "build"],
        BY_HAND: script,
        POLARS: [
            *(sys.executable, "-m", f"{PACKAGE}.in_polars", str(growing), seeds, str(in_frames))
        ],
        SCAN: [sys.executable, "-m", f"{PACKAGE}.floor", str(growing)],
    }
    # Not measured: the parse that the others then need not do again, and files read for once.
    measured(START_UP, commands[START_UP], environment, ROOT)
    read = json.loads(measured(SCAN, commands[SCAN], environment, ROOT).output)
    runs: dict[str, list[Usage]] = {name: [] for name in commands}
    disk_bytes = {SCAN: int(read["bytes"])}
    marts: Mapping[str, int] = {}
    for number in range(repeat):
        for name, command in commands.items():
            made = {TESTED: warehouse, CORE: warehouse, WHOLE: warehouse, BY_HAND: by_hand}.get(
                name
            )
            if made is not None:
                _remove(made)
            if name == INCREMENT:
                day_rows = increment.add_day(growing)
            runs[name].append(measured(name, command, environment, ROOT).usage)
            print(
                f"{contacts:,} contacts, run {number + 1}: {name} {runs[name][-1].seconds:.1f} s",
                file=sys.stderr,
                flush=True,
            )
            if name == INCREMENT:
                # What it gave is what the script makes of the same files from nothing.
                _remove(by_hand)
                measured(BY_HAND, script, environment, ROOT)
                equal_marts(warehouse, by_hand)
                increment.remove_day(growing)
            if made is not None:
                disk_bytes[name] = made.stat().st_size
        marts = equal_marts(warehouse, by_hand)
        equal_marts(by_hand, as_warehouse(in_frames), in_polars.TABLES)
    return Result(contacts, int(read["rows"]), disk_bytes, runs, marts, day_rows)


def as_warehouse(folder: Path) -> Path:
    """A DuckDB file whose marts are Parquet files.

    Args:
        folder: where `in_polars.build` has written; the file is made in it.
    """
    path = folder / "polars.duckdb"
    _remove(path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        for table in in_polars.TABLES:
            connection.execute(
                f"create view marts.{table} as from read_parquet('{folder / table}.parquet')"
            )
    return path


def sample(contacts: int, cache: Path) -> Path:
    """The folder of generated data of a size, made if it is not there.

    Args:
        contacts: its size.
        cache: where such folders are kept.

    Raises:
        BenchmarkError: the generator failed.
    """
    digest = hashlib.sha256()
    for source in sorted((ROOT / "scripts" / "nps_warehouse" / "sample").glob("*.py")):
        digest.update(source.read_bytes())
    folder = cache / f"contacts-{contacts}-{digest.hexdigest()[:12]}"
    if folder.exists():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".new-") as name:
        command = [
            *(sys.executable, "-m", "nps_warehouse.sample.cli", "--output", f"{name}/raw"),
            *("--contacts", str(contacts), "--format", "parquet", "--without-dirty-rows"),
            *("--truth", f"{name}/truth.json"),
        ]
        measured("generate_sample", command, _base_environment(), ROOT)
        Path(name, "raw").rename(folder)
    return folder


def equal_marts(warehouse: Path, by_hand: Path, tables: Sequence[str] = ()) -> dict[str, int]:
    """Rows of every mart, which two warehouses hold alike.

    Args:
        warehouse: the DuckDB file of a build.
        by_hand: the one of the hand-written script.
        tables: the marts to compare; every one that the contract names, where none are given.

    Raises:
        BenchmarkError: a mart differs; the text names each that does.
    """
    command = [sys.executable, "-m", f"{PACKAGE}.compare", str(warehouse), str(by_hand), *tables]
    found = json.loads(measured("compare", command, _base_environment(), ROOT).output)
    if found["differences"]:
        raise BenchmarkError(
            "the figures would not count, as the tables differ:\n" + "\n".join(found["differences"])
        )
    return {str(table): int(rows) for table, rows in found["rows"].items()}


def _base_environment() -> dict[str, str]:
    """The caller's environment without what would change the build."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("NPS_", "DBT_", "PYTHON"))
    }
    return kept | {"PYTHONPATH": str(ROOT / "scripts"), "DO_NOT_TRACK": "1"}


def _environment(raw_dir: Path, warehouse: Path, scratch: Path) -> dict[str, str]:
    return _base_environment() | {
        "NPS_RAW_DIR": str(raw_dir),
        "NPS_WAREHOUSE": str(warehouse),
        # What was published of other data is nothing to compare with.
        "NPS_STATE_DIR": str(scratch / "state"),
        "DBT_TARGET_PATH": str(scratch / "target"),
        "DBT_LOG_PATH": str(scratch / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


@contextmanager
def _scratch(cache: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir=cache, prefix=".run-")).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _remove(database: Path) -> None:
    for file in (database, database.with_name(f"{database.name}.wal")):
        file.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
