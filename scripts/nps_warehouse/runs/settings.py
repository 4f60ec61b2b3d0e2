"""Where a run finds what it reads and leaves what it makes, and what it was asked to do."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from nps_warehouse.environ import whole_number
from nps_warehouse.exit_codes import BAD_INPUT
from nps_warehouse.landing.contract import PROJECT_DIR, SAMPLE_DIR
from nps_warehouse.runs.problems import StepError
from nps_warehouse.runs.record import runs_dir
from nps_warehouse.state.store import state_file
from nps_warehouse.warehouse import DEFAULT_FILE

STEPS = ("land", "check_raw", "build", "check_marts", "publish", "docs")
"""The steps of a run, in their order."""

PUBLISHED_VARIABLE = "NPS_PUBLISHED_DIR"
DEFAULT_PUBLISHED_DIR = PROJECT_DIR / "published"

KEEP_RUNS_VARIABLE = "NPS_KEEP_RUNS"
DEFAULT_KEEP_RUNS = 90


@dataclass(frozen=True)
class Asked:
    """What a run was asked to do.

    `steps` are some of STEPS, in their order; `wait` is in seconds; `variables` are dbt vars; `now`
    has an offset, null is the clock; `keep` counts published versions, null is the environment's;
    `copies` are formats of published copies; `select` and `exclude` are dbt's.
    """

    steps: tuple[str, ...] = STEPS
    wait: float = 0
    variables: Mapping[str, object] = field(default_factory=dict)
    now: datetime | None = None
    keep: int | None = None
    copies: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    full_refresh: bool = False


@dataclass(frozen=True)
class Places:
    """Files and folders of a run, all absolute.

    `delivered` is the folder of others; `taken` is our copy of it, beside the warehouse; `scratch`
    holds what is of use only while a run lives; `seeds` is null where the business has none of its
    own.
    """

    warehouse: Path
    delivered: Path
    seeds: Path | None
    state: Path
    published: Path
    runs: Path
    target: Path
    logs: Path

    @property
    def taken(self) -> Path:
        """The folder that every step reads instead of the delivered one."""
        return self.warehouse.with_name(f"{self.warehouse.name}.delivery")

    @property
    def scratch(self) -> Path:
        """A private folder for temporary files, where the next run finds what a crash has left."""
        return self.warehouse.with_name(f"{self.warehouse.name}.scratch")

    @property
    def gates(self) -> Path:
        """What earlier runs of the gates saw."""
        return self.warehouse.with_name(f"{self.warehouse.name}.checks.jsonl")

    def environment(self) -> dict[str, str]:
        """The variables by which dbt and the gates find the same places."""
        return {
            "NPS_WAREHOUSE": str(self.warehouse),
            "NPS_RAW_DIR": str(self.taken),
            "NPS_SEEDS_DIR": str(self.seeds or ""),
            "NPS_STATE_DIR": str(self.state),
            PUBLISHED_VARIABLE: str(self.published),
            "NPS_RUNS_DIR": str(self.runs),
            "DBT_TARGET_PATH": str(self.target),
            "DBT_LOG_PATH": str(self.logs),
            "TMPDIR": str(self.scratch),
            # Nothing that this project runs reports home.
            "DO_NOT_TRACK": "1",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "GX_ANALYTICS_ENABLED": "false",
        }


def places_of(environ: Mapping[str, str] = os.environ) -> Places:
    """The places that the environment names; relative ones are the caller's.

    Args:
        environ: environment variables.
    """

    def place(name: str, default: Path) -> Path:
        return Path(environ.get(name) or default).absolute()

    seeds = environ.get("NPS_SEEDS_DIR")
    return Places(
        warehouse=place("NPS_WAREHOUSE", DEFAULT_FILE),
        delivered=place("NPS_RAW_DIR", SAMPLE_DIR),
        seeds=Path(seeds).absolute() if seeds else None,
        state=state_file(environ).absolute().parent,
        published=place(PUBLISHED_VARIABLE, DEFAULT_PUBLISHED_DIR),
        runs=runs_dir(environ).absolute(),
        target=place("DBT_TARGET_PATH", PROJECT_DIR / "target"),
        logs=place("DBT_LOG_PATH", PROJECT_DIR / "logs"),
    )


def kept_days(environ: Mapping[str, str] = os.environ) -> int:
    """How many days the record of a run is kept.

    Args:
        environ: environment variables.

    Raises:
        StepError: NPS_KEEP_RUNS is no such number.
    """
    try:
        return whole_number(environ, KEEP_RUNS_VARIABLE, DEFAULT_KEEP_RUNS, "days")
    except ValueError as problem:
        raise StepError(BAD_INPUT, str(problem)) from None


@contextmanager
def surroundings(places: Places, environ: Mapping[str, str]) -> Iterator[None]:
    """The environment of a run's steps, put back afterwards.

    Files are made for the owner to write, the group to read, others not at all; temporary ones go
    where the next run finds what a crash has left of them.

    Args:
        places: of the run.
        environ: environment variables of the run.
    """
    before = dict(os.environ)
    mask = os.umask(0o027)
    temporary, tempfile.tempdir = tempfile.tempdir, str(places.scratch)
    os.environ.update({**environ, **places.environment()})
    try:
        yield
    finally:
        tempfile.tempdir = temporary
        os.umask(mask)
        os.environ.clear()
        os.environ.update(before)
