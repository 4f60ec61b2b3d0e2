"""OpenLineage events of a build, left as a file where a catalogue can pick them up.

They are made of dbt's artifacts after the build, by OpenLineage's own reading of them: nothing is
sent, and no server is needed.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

from nps_warehouse import durable
from nps_warehouse.landing.contract import PROJECT_DIR
from nps_warehouse.publishing.copying import project_version

FILE_NAME = "openlineage.ndjson"
NAMESPACE = "nps_warehouse"
"""Namespace of the jobs; datasets are in `duckdb://<warehouse>`, as dbt's profile names it."""

PRODUCER = "urn:nps_warehouse:{version}"
"""What made the events: a URI, as the specification asks for."""


def is_installed() -> bool:
    """Whether the library is there that `write` needs."""
    try:
        import openlineage.common.provider.dbt  # noqa: F401
    except ImportError:
        return False
    return True


def write(run_folder: Path, target_dir: Path) -> int:
    """Write the events of the last build to `openlineage.ndjson`, one JSON object a line.

    Every model and test that was reached has a START and a COMPLETE or FAIL, in the order of time;
    a model names what it was made from, and where there is a catalog its columns.

    Args:
        run_folder: the run's own; the file is replaced whole.
        target_dir: where dbt left `manifest.json`, `run_results.json` of a build, and
            `catalog.json` if it made one.

    Returns:
        How many events there are.

    Raises:
        ImportError: the library is not installed.
        OSError: an artifact cannot be read, or the file not written.
        ValueError: the artifacts are not those of a build.
    """
    from openlineage.client.serde import Serde
    from openlineage.common.provider.dbt import DbtLocalArtifactProcessor, UnsupportedDbtCommand

    quiet = logging.getLogger(f"{__name__}.library")
    quiet.setLevel(logging.ERROR)
    processor = DbtLocalArtifactProcessor(
        producer=PRODUCER.format(version=project_version()),
        project_dir=str(PROJECT_DIR),
        target_path=str(target_dir.absolute()),
        job_namespace=NAMESPACE,
        skip_errors=True,
        logger=quiet,
    )
    try:
        events = processor.parse().events()
    except UnsupportedDbtCommand as problem:
        raise ValueError(f"{target_dir} holds no artifacts of a build: {problem}") from problem
    made = [Serde.to_dict(event) for event in events]
    # The library groups by kind; a reader that follows the file wants time. Starts come first.
    made.sort(key=lambda one: (one["eventTime"], one["eventType"] != "START", one["run"]["runId"]))
    durable.write(run_folder / FILE_NAME, "".join(f"{json.dumps(one)}\n" for one in made))
    return len(made)
