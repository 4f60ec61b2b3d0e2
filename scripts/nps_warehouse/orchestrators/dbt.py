"""dbt as an orchestrator calls it: `dbt build` is the step ``build`` of a run, said as dbt says it.

So the build of an orchestrator holds the lock that every run takes, reads the delivery that step
``land`` has taken, leaves a record, and may be published; and the orchestrator follows it node by
node in dbt's own JSON log. Other commands, such as ``parse``, go to dbt as they are.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from dbt.cli.main import cli
from dbt_common.events.functions import msg_to_json
from dbt_common.exceptions.base import env_secrets, scrub_secrets

from nps_warehouse import lineage
from nps_warehouse.orchestrators.commands import LOCK_WAIT_SECONDS, environment, taken
from nps_warehouse.runs.pipeline import run
from nps_warehouse.runs.repair import ARTIFACTS
from nps_warehouse.runs.settings import Asked, places_of

EVERYTHING = "fqn:*"
"""How Dagster selects all there is; dbt is then told nothing."""

FURTHER = "NPS_BUILD_ARGUMENTS"
"""Environment variable with further arguments of every build, as a shell writes them."""

_OWN_FLAGS = (
    "--project-dir",
    "--profiles-dir",
    "--profile",
    "--target",
    "--log-format",
    "--log-path",
    "--target-path",
)
"""Options with a value of which a run knows better."""


def asked_of(arguments: Sequence[str]) -> Asked:
    """What a command line of `dbt build` asks of a run.

    Args:
        arguments: those after `build`.

    Raises:
        SystemExit: it asks for something that a run does not do.
    """
    parser = argparse.ArgumentParser(prog="dbt build", allow_abbrev=False)
    for names in (("--select", "-s", "--models", "-m"), ("--exclude",)):
        parser.add_argument(*names, nargs="+", action="extend", default=[])
    parser.add_argument("--full-refresh", action="store_true")
    parser.add_argument("--vars", type=yaml.safe_load, default={})
    for name in _OWN_FLAGS:
        parser.add_argument(name)
    parser.add_argument("--no-static-parser", "--no-version-check", action="store_true")
    found = parser.parse_args(arguments)
    select = [part for part in " ".join(found.select).split() if part != EVERYTHING]
    return Asked(
        steps=("build",),
        wait=LOCK_WAIT_SECONDS,
        variables=found.vars or {},
        select=tuple(select),
        exclude=tuple(" ".join(found.exclude).split()),
        full_refresh=found.full_refresh,
    )


def build(arguments: Sequence[str]) -> int:
    """Do the step `build`, with dbt's log on stdout; returns the exit code of the run.

    Args:
        arguments: those after `build`.
    """
    secrets = env_secrets()
    # dbt's threads all speak here, and an event is a line of its own.
    one_at_a_time = threading.Lock()

    def say(event: Any) -> None:
        if event.info.level != "debug" or event.info.name.startswith(("Node", "Log")):
            line = scrub_secrets(msg_to_json(event), secrets)
            with one_at_a_time:
                print(line, flush=True)

    finished = run(asked_of(arguments), on_event=say)
    if finished.run is not None:
        places = places_of()
        folder = places.runs / finished.run.run_id
        artifacts = folder / ARTIFACTS
        if (artifacts / "run_results.json").is_file():
            _keep(places.target / "manifest.json", artifacts)
            if lineage.is_installed():
                lineage.write(folder, artifacts)
    if finished.sentence is not None:
        print(finished.sentence, file=sys.stderr)
    return finished.exit_code


def _keep(file: Path, folder: Path) -> None:
    if file.is_file():
        shutil.copyfile(file, folder / file.name)


def main() -> None:
    """Command line: dbt's own."""
    os.environ.update(environment())
    os.umask(0o027)
    if "build" in sys.argv[1:]:
        begin = sys.argv.index("build")
        further = shlex.split(os.environ.get(FURTHER, ""))
        sys.exit(build([*sys.argv[begin + 1 :], *further]))
    if taken().is_dir():
        os.environ["NPS_RAW_DIR"] = str(taken())
    cli(prog_name="dbt")


if __name__ == "__main__":
    main()
