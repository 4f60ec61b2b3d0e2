"""The dbt command on a project that has been parsed before: `run_parsed.py PARSED ARGUMENT …`."""

from __future__ import annotations

import sys
from pathlib import Path

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest


def main() -> int:
    """Run dbt with the arguments given.

    Returns:
        The status dbt's own command ends with: 0, 1 for what failed, 2 for what could not be run.
    """
    manifest = Manifest.from_msgpack(Path(sys.argv[1]).read_bytes())
    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    result = dbtRunner(manifest=manifest).invoke(sys.argv[2:])
    if result.exception is not None:
        print(result.exception)
        return 2
    return 0 if result.success else 1


if __name__ == "__main__":
    sys.exit(main())
