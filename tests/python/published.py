"""A warehouse of a few rows, built and published in no time, and processes that read or die."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from nps_warehouse.publishing import Version, current, publish, repair, rollback, versions
from nps_warehouse.state.store import attached, create, state_file

FIRST = datetime(2026, 3, 1, 2, tzinfo=UTC)
DIED = 9


@dataclass(frozen=True)
class Site:
    """Folders of one installation."""

    root: Path

    @property
    def warehouse(self) -> Path:
        return self.root / "private.duckdb"

    @property
    def folder(self) -> Path:
        return self.root / "published"

    @property
    def shown(self) -> Path:
        return self.folder / "nps.duckdb"

    @property
    def environ(self) -> Mapping[str, str]:
        return {"NPS_STATE_DIR": str(self.root / "state")}

    def build(self, night: int) -> None:
        """What a whole build leaves behind on the n-th night: n answers, each table says so."""
        state = state_file(self.environ)
        if not state.exists():
            create(state)
        with attached(state, read_only=True) as connection:
            row = connection.execute(
                "select coalesce(max(publication_number), 0) from state.publications"
            ).fetchone()
            known = connection.execute(
                "select response_id from state.published_answers where valid_to_publication is null"
            ).fetchall()
        assert row is not None
        self.warehouse.unlink(missing_ok=True)
        with duckdb.connect(str(self.warehouse)) as connection:
            for schema in ("raw", "staging", "categorized", "marts", "quality", "reference"):
                connection.execute(f"create schema {schema}")
            for statement in STATEMENTS:
                connection.execute(statement.format(night=night, last=row[0]))
            connection.execute(
                "delete from marts.unpublished_changes where response_id in "
                "(select unnest(?::varchar[]))",
                [[one[0] for one in known]],
            )

    def publish(self, night: int, **more: Any) -> Version:
        """Publish as the run of a night does."""
        return publish(
            run_of(night), warehouse=self.warehouse, folder=self.folder, environ=self.environ,
            now=FIRST + timedelta(days=night), **more,
        )  # fmt: skip

    def recorded(self) -> list[tuple[int, str]]:
        """Publications of the state."""
        with attached(state_file(self.environ), read_only=True) as connection:
            return connection.execute(
                "select publication_number, publication_id from state.publications order by 1"
            ).fetchall()

    def current(self) -> Version | None:
        return current(self.folder, self.environ)

    def versions(self) -> list[str]:
        return [one.id for one in versions(self.folder, self.environ)]

    def repair(self) -> list[str]:
        return repair(self.folder, self.environ)

    def rollback(self, version_id: str | None = None, **more: Any) -> Version:
        return rollback(self.folder, version_id, environ=self.environ, **more)

    def files(self) -> set[str]:
        """All files below the folder, the lock aside."""
        found = {str(file.relative_to(self.folder)) for file in self.folder.rglob("*")}
        return found - {".lock", "versions"}


def run_of(night: int) -> str:
    return f"{FIRST + timedelta(days=night):%Y%m%dT%H%M%SZ}-{night:06x}"


# Night n has answers R1 to Rn.
STATEMENTS = (
    "create table raw.secret as select 'Planted Person' as customer_name",
    (
        "create table categorized.metric_version as select 1 as metric_version, 'rules' as "
        "fingerprint, {last} as last_publication_number"
    ),
    (
        "create table categorized.metric_rules as select 'r' as rule_name, 'k' as rule_key, 'v' "
        "as rule_value"
    ),
    (
        "create view categorized.as_of as select timestamp '2026-03-01 00:00:00' + "
        "to_days({night}) as as_of, date '2026-03-01' + {night} as as_of_date"
    ),
    "create table quality.contract_version as select '1.0.0' as contract_version",
    (
        "create table marts.fct_survey_responses as select 'R' || night as response_id, "
        "'transactional' as survey_type, date '2026-03-01' as period_date, 'D1' as department_id,"
        " 10 as score, 'promoter' as nps_category, '=1+1' as comment, null::double as "
        "queue_seconds, night % 2 = 0 as is_resolved, timestamp '2026-03-01 10:00:00' as "
        "responded_at from range(1, {night} + 1) as nights (night)"
    ),
    (
        "create view marts.nps_by_period as select 'all' as survey_type, 'all' as period_type, "
        "count(*) as responses, 100.0::double as nps from marts.fct_survey_responses"
    ),
    "create table marts.of_tonight as select {night} as night from range(2000)",
    "create table reference.nps_bands as select 'good' as band",
    "comment on table marts.fct_survey_responses is 'One row per accepted answer'",
    "comment on column marts.fct_survey_responses.score is 'What it''s worth'",
    (
        "create table marts.unpublished_changes as select 'opened' as change_type, 'arrived' as "
        "reason, response_id, survey_type, period_date, department_id, score, nps_category, "
        "1::bigint as responses from marts.fct_survey_responses"
    ),
    (
        "create table marts.unpublished_member_changes (member_type varchar, member_id varchar, "
        "was_seen boolean, is_there boolean, member_name varchar, parent_id varchar, site "
        "varchar, team varchar, changed_at timestamp)"
    ),
)

SEEN = (
    "select version.version_id, version.responses, (select count(*) from "
    "marts.fct_survey_responses) as answers, (select responses from marts.nps_by_period) as scored,"
    " (select min(night) from marts.of_tonight) as low, (select max(night) from marts.of_tonight) "
    "as high from quality.published_version as version"
)


def read_on(shown: str, stop: str, queue: Any) -> None:
    """A reader: opens the file again and again, and reads some of it over a while each time.

    Args:
        shown: the published file.
        stop: a file that ends it.
        queue: gets the version ids it saw, and what was wrong.
    """
    seen: list[str] = []
    wrong: list[str] = []
    reads = 0
    while not (stopped := Path(stop).exists()) or not reads:
        try:
            with duckdb.connect(shown, True, {"threads": 1}) as connection:
                for _ in range(3):
                    row = connection.execute(SEEN).fetchone()
                    assert row is not None
                    reads += 1
                    if len({*row[1:]}) != 1 or (seen and seen[-1] > row[0]):
                        wrong.append(f"{row} after {seen[-1:]}")
                    if seen[-1:] != [row[0]]:
                        seen.append(row[0])
        except duckdb.Error as problem:
            wrong.append(str(problem))
        time.sleep(0.1)
    assert stopped
    queue.put((seen, wrong, reads))


def die_at(root: str, action: str, night: int, point: int) -> None:
    """Publish or roll back, and be gone without a word before the n-th change of a file.

    Args:
        root: the site.
        action: `publish` or `rollback`.
        night: which night's run.
        point: before which change, from 1.
    """
    site = Site(Path(root))
    changes = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal changes
        is_change = event in {"os.rename", "os.link", "os.remove", "os.chmod"} or (
            event == "open" and isinstance(arguments[2], int)
            and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        )  # fmt: skip
        if is_change and str(site.root) in str(arguments):
            changes += 1
            if changes == point:
                os._exit(DIED)

    sys.addaudithook(watch)
    if action == "publish":
        site.publish(night, keep=2)
    else:
        site.rollback()
    os._exit(0)


def die_after(root: str, action: str, night: int, step: str) -> None:
    """The same, after a step that has a name."""
    site = Site(Path(root))

    def stop(done: str) -> None:
        if done == step:
            os._exit(DIED)

    if action == "publish":
        site.publish(night, keep=2, progress=stop)
    else:
        site.rollback(progress=stop)
    os._exit(0)


def with_a_full_disk(root: str, night: int, limit: int, queue: Any) -> None:
    """Publish where no file may become larger than so many bytes."""
    import resource

    from nps_warehouse.publishing import PublishingError

    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        Site(Path(root)).publish(night)
    except PublishingError as problem:
        queue.put((problem.exit_code, str(problem)))
    else:
        queue.put((0, ""))


def hold(file: str, queue: Any) -> None:
    """Have a DuckDB file open for writing until killed.

    Args:
        file: the file.
        queue: is told when it is open.
    """
    with duckdb.connect(file):
        queue.put("held")
        time.sleep(600)
