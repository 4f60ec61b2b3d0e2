"""The command line of the sample generator."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from nps_warehouse.sample.generate import TRUTH_FILE, generate
from nps_warehouse.sample.tables import COLUMNS

SHIPPED = Path(__file__).resolve().parents[2] / "sample"
SHIPPED_CONTACTS = 8600
SEED = 20260101


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the generator and return the exit code.

    Args:
        arguments: the command line without the program's name; default: the process's own.
    """
    parser = argparse.ArgumentParser(
        prog="generate_sample",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Write the raw tables of a generated contact center, with planted truth.",
        epilog="The same arguments give the same bytes. Without --output the sample that ships\n"
        "with the project (scripts/sample) is written anew.",
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder for the raw tables")
    parser.add_argument(
        "--contacts",
        type=int,
        default=SHIPPED_CONTACTS,
        metavar="N",
        help="number of contacts, at least 1000 (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=SEED, help="default: %(default)s")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv", dest="file_format")
    parser.add_argument(
        "--truth",
        type=Path,
        metavar="FILE",
        help=f"where the planted truth goes (default: {TRUTH_FILE} in DIR)",
    )
    parser.add_argument(
        "--without-dirty-rows",
        action="store_true",
        help="leave out the planted dirty rows (rows delivered twice stay)",
    )
    options = parser.parse_args(arguments)
    if options.output is None and (options.contacts, options.seed, options.file_format) != (
        SHIPPED_CONTACTS,
        SEED,
        "csv",
    ):
        parser.error("the shipped sample has a fixed size, seed and format: give --output")
    if options.contacts < 1000:
        parser.error("--contacts is at least 1000")
    if options.seed < 0:
        parser.error("--seed is not negative")
    folder = options.output or SHIPPED
    folder.mkdir(parents=True, exist_ok=True)
    strangers = [
        p.name
        for p in sorted(folder.iterdir())
        if p.name.split(".")[0] not in COLUMNS and p.name != TRUTH_FILE
    ]
    if strangers:
        parser.error(
            f"{folder} holds other files ({', '.join(strangers[:5])}): give an empty folder"
        )
    # Written beside and moved, so that a broken run leaves the older sample whole.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as name:
        fresh = Path(name)
        known = generate(
            fresh,
            contacts=options.contacts,
            seed=options.seed,
            file_format=options.file_format,
            with_dirty_rows=not options.without_dirty_rows,
        )
        for old in sorted(folder.iterdir()):
            if old != fresh:
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        for new in sorted(fresh.iterdir()):
            new.rename(folder / new.name)
    if options.truth is not None:
        shutil.move(folder / TRUTH_FILE, options.truth)
    rows = sum(t["rows_read"] for t in known["reconciliation"].values())
    print(f"{folder}: {rows:,} rows in {len(COLUMNS)} tables, {options.contacts:,} contacts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
