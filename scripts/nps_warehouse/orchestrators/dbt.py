"""dbt as an orchestrator calls it: the same commands, at the places and under the lock of a run.

What builds holds the lock that every run takes, so that no two write to a warehouse; and reads the
delivery that step ``land`` has taken, so that it does not change underneath.
"""

from __future__ import annotations

import os
import sys

from dbt.cli.main import cli

from nps_warehouse.exit_codes import LOCKED
from nps_warehouse.orchestrators.commands import LOCK_WAIT_SECONDS, environment, taken
from nps_warehouse.runs.lock import LockedError, at_work

WRITING = frozenset({"build", "run", "seed", "snapshot", "test", "run-operation"})
"""Commands that open the warehouse for writing."""


def main() -> None:
    """Command line: dbt's own."""
    os.environ.update(environment())
    if taken().is_dir():
        os.environ["NPS_RAW_DIR"] = str(taken())
    if WRITING.isdisjoint(sys.argv[1:]):
        cli(prog_name="dbt")
    try:
        with at_work(os.environ, LOCK_WAIT_SECONDS, command=f"dbt {sys.argv[1]}"):
            cli(prog_name="dbt")
    except LockedError as problem:
        print(problem, file=sys.stderr)
        sys.exit(LOCKED)


if __name__ == "__main__":
    main()
