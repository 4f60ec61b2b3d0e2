"""Run by Airflow's own Python: the DAG as Airflow loads it, then its tasks one after the other.

Prints one JSON object as its last line. With the argument `load` nothing is run.
"""

import json
import sys
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag

FOLDER = Path(__file__).resolve().parents[3] / "orchestrators" / "airflow"
PRODUCER = "build.dbt_producer_watcher"


def main() -> None:
    """Load, and run unless told not to."""
    bag = DagBag(FOLDER)
    dag = bag.dags["nps_nightly"]
    found = {
        "import_errors": {str(file): why for file, why in bag.import_errors.items()},
        "upstream": {one.task_id: sorted(one.upstream_task_ids) for one in dag.tasks},
        "states": {},
    }
    if sys.argv[1:] != ["load"]:
        # `dag.test` runs one task at a time: a sensor that waited for a build beside it would wait
        # for ever. Here they come after it.
        for task in dag.tasks:
            if "Watcher" in type(task).__name__ and task.task_id != PRODUCER:
                dag.get_task(PRODUCER) >> task
        run = dag.test()
        found["states"] = {one.task_id: str(one.state) for one in run.get_task_instances()}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
