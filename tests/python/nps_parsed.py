"""`nps run` on a project that has been parsed before: `nps_parsed.py PARSED ARGUMENT …`."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

from dbt.contracts.graph.manifest import Manifest
from nps_warehouse.runs import pipeline
from nps_warehouse.runs.cli import run_command


def main() -> None:
    """Run the command with the arguments given; it ends the process."""
    manifest = Manifest.from_msgpack(Path(sys.argv[1]).read_bytes())
    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    pipeline.run = functools.partial(pipeline.run, manifest=manifest)
    run_command(sys.argv[2:])


if __name__ == "__main__":
    main()
