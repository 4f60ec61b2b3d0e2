"""Lands the business's own versions of the reference seeds, from NPS_SEEDS_DIR."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nps_warehouse.landing.csv_reader import read_header, read_records
from nps_warehouse.landing.names import clean_name, shown_name
from nps_warehouse.landing.report import FileError, Report, name_list

MOST_BROKEN_LINES = 20
SEED_PREFIX = "seed_"
# Columns of shipped seeds that the business's own may lack: they are empty then.
OPTIONAL = {"comment_themes": ("sign",)}


@dataclass(frozen=True)
class Seed:
    """A delivered seed: the shipped seed's columns, and rows of them, empty where blank."""

    name: str
    columns: tuple[str, ...]
    rows: list[list[str]]

    @property
    def table_name(self) -> str:
        """Name of the seed's relation in schema `raw`."""
        return f"{SEED_PREFIX}{self.name}"


def read_seeds(seeds_dir: Path, shipped_dir: Path, report: Report) -> list[Seed]:
    """Read every seed in `seeds_dir` that the project ships one of the same name of.

    Args:
        seeds_dir: the business's folder.
        shipped_dir: the folder of the seeds that come with the project.
        report: receives what stops the build and what is ignored.
    """
    if not seeds_dir.is_dir():
        what = "is a file, not a folder" if seeds_dir.exists() else "does not exist"
        report.error(
            f"seeds folder {seeds_dir} {what}. NPS_SEEDS_DIR must name a folder with CSV files "
            "named like the project's seeds, or be unset."
        )
        return []
    shipped = {path.stem: path for path in sorted(shipped_dir.glob("*.csv"))}
    seeds = []
    for path in sorted(seeds_dir.iterdir()):
        if path.name.startswith((".", "_")):
            continue
        if path.suffix != ".csv" or path.stem not in shipped or not path.is_file():
            known = name_list(f"{name}.csv" for name in shipped)
            report.warn(
                f"seeds folder {seeds_dir}: {path.name} is ignored, it is no seed. "
                f"Known are {known}."
            )
            continue
        try:
            seeds.append(_read_seed(path, shipped[path.stem], report))
        except FileError as problem:
            # The reader of headers calls everything a table.
            report.error(str(problem).removeprefix("table "))
    return seeds


def _read_seed(path: Path, shipped: Path, report: Report) -> Seed:
    seed = f"seed {path.stem}"
    columns = tuple(clean_name(name) for name in read_header(shipped, seed, shipped.name).names)
    header = read_header(path, seed, str(path))
    delivered = {clean_name(name): index for index, name in enumerate(header.names)}
    optional = OPTIONAL.get(path.stem, ())
    missing = [column for column in columns if column not in delivered and column not in optional]
    if missing:
        raise FileError(
            f"{seed}: file {path} lacks the column{'s' if len(missing) > 1 else ''} "
            f"{name_list(missing)}. Found there: {name_list(map(shown_name, header.names))}."
        )
    extra = [shown_name(name) for name in header.names if clean_name(name) not in columns]
    if extra:
        report.warn(f"{seed}: columns of {path} that are ignored: {name_list(extra)}.")
    positions = [delivered.get(column) for column in columns]
    rows: list[list[str]] = []
    broken: list[str] = []
    for record in read_records(path, len(header.names)):
        if record.error is None:
            rows.append(["" if i is None else _filled(record.fields[i]) for i in positions])
        else:
            broken.append(record.error)
    if broken:
        shown = "; ".join(broken[:MOST_BROKEN_LINES])
        raise FileError(
            f"{seed}: file {path} has {len(broken)} broken "
            f"line{'s' if len(broken) > 1 else ''}: {shown}. Correct the file."
        )
    return Seed(path.stem, columns, rows)


def _filled(value: str) -> str:
    return value if clean_name(value) else ""
