"""What is published, in figures: the company's score, its months, signals, overdue cases.

Read from the published file alone, so that nothing is told that readers do not see. A mart that is
not in it (a run may publish a selection) is not told about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from nps_warehouse.summary import Score
from nps_warehouse.warehouse import reading

MONTHS = 24
"""Months that are shown."""

NEWEST_DAYS = 7
"""Days before the newest day charted in which a signal is news."""


@dataclass(frozen=True)
class Month:
    """The company's score of a month: a count, and points from -100 to 100."""

    start: date
    is_complete: bool
    responses: int
    nps: float
    ci_low: float
    ci_high: float
    is_reportable: bool


@dataclass(frozen=True)
class Change:
    """The newest complete month beside the one before: points, and whether chance explains it.

    What cannot be compared, because the month before has no answers, is None.
    """

    month: date
    nps: float
    previous: date | None
    change: float | None
    ci_low: float | None
    ci_high: float | None
    adjusted_p: float | None
    verdict: str


@dataclass(frozen=True)
class Signal:
    """A control chart's signal that is on, with the member's score of three months."""

    scope_type: str
    scope_id: str
    name: str
    kind: str
    direction: str
    started_on: date
    charted_on: date
    days: int
    centre: float
    rolling_responses: int
    rolling_nps: float
    rolling_ci_low: float
    rolling_ci_high: float


@dataclass(frozen=True)
class Overdue:
    """Cases of a department that should have been attended: counts, and since when (UTC)."""

    department_id: str
    department_name: str
    cases: int
    open_cases: int
    due_since: datetime


@dataclass(frozen=True)
class Figures:
    """What the published file says; `missing` are the marts that are not in it."""

    score: Score | None = None
    months: tuple[Month, ...] = ()
    change: Change | None = None
    signals: tuple[Signal, ...] = ()
    overdue: tuple[Overdue, ...] = ()
    missing: tuple[str, ...] = field(default=())


_SCORE = """
select responses, nps, nps_ci_low, nps_ci_high, nps_band, is_reportable
from marts.nps_by_period
where survey_type = 'all' and period_type = 'all'
"""

_MONTHS = f"""
select period_start, is_complete, responses, nps, nps_ci_low, nps_ci_high, is_reportable
from marts.nps_by_period
where survey_type = 'all' and period_type = 'month'
    and period_start > (
        select max(period_start) - interval {MONTHS} month
        from marts.nps_by_period
        where survey_type = 'all' and period_type = 'month'
    )
order by period_start
"""

_CHANGE = """
select
    period_start, nps, previous_start, nps_change, nps_change_ci_low, nps_change_ci_high,
    adjusted_p_value, verdict
from marts.nps_trends
where scope_type = 'company' and survey_type = 'all' and period_type = 'month' and is_complete
order by period_start desc
limit 1
"""

# A member's last judged day, if it signals and is among the newest of all members. Only members
# whose three months are reportable: one answer on one day is no reason to call anybody.
_SIGNALS = f"""
with charts as (
    select
        *,
        max(charted_on) over (partition by scope_type, scope_id) as last_on,
        max(charted_on) over () as newest_on
    from marts.nps_control_charts
    where survey_type = 'all' and scope_type in ('company', 'department') and is_judged
),

signalling as (
    select
        charts.*,
        (
            select count(*)
            from charts as days
            where days.scope_type = charts.scope_type and days.scope_id = charts.scope_id
                and days.charted_on between charts.signal_started_on and charts.charted_on
        ) as signal_days
    from charts
    where charted_on = last_on and signal_kind is not null
        and charted_on > newest_on - {NEWEST_DAYS}
)

select
    signalling.scope_type, signalling.scope_id,
    coalesce(departments.department_name, 'the company') as member_name,
    signalling.signal_kind, signalling.signal_direction, signalling.signal_started_on,
    signalling.charted_on, signalling.signal_days, signalling.center,
    rolling.responses, rolling.nps, rolling.nps_ci_low, rolling.nps_ci_high
from signalling
inner join marts.nps_rolling as rolling
    on rolling.scope_type = signalling.scope_type
        and rolling.scope_id = signalling.scope_id
        and rolling.survey_type = signalling.survey_type
        and rolling.rolling_months = 3
        and signalling.charted_on between rolling.period_start and rolling.period_end
left join marts.dim_departments as departments
    on signalling.scope_type = 'department' and departments.department_id = signalling.scope_id
where rolling.is_reportable
order by signalling.scope_type, signalling.scope_id
"""

_OVERDUE = """
select
    cases.department_id,
    coalesce(departments.department_name, cases.department_id) as department_name,
    count(*) filter (where cases.is_overdue) as overdue_cases,
    count(*) filter (where cases.case_status <> 'closed') as open_cases,
    min(cases.due_at) filter (where cases.is_overdue) as due_since
from marts.detractor_cases as cases
left join marts.dim_departments as departments
    on departments.department_id = cases.department_id
group by cases.department_id, departments.department_name
having count(*) filter (where cases.is_overdue) > 0
order by overdue_cases desc, cases.department_id
"""


def read_figures(file: Path) -> Figures:
    """What a published file says.

    Args:
        file: the DuckDB file that readers open.

    Raises:
        click.ClickException: it is not there, or cannot be read.
    """
    missing: list[str] = []
    with reading(file) as connection:

        def rows(query: str, what: str) -> Sequence[tuple[Any, ...]]:
            try:
                return connection.execute(query).fetchall()
            except duckdb.CatalogException:
                missing.append(what)
                return ()

        scores = rows(_SCORE, "nps_by_period")
        months = rows(_MONTHS, "nps_by_period")
        changes = rows(_CHANGE, "nps_trends")
        signals = rows(_SIGNALS, "nps_control_charts")
        overdue = rows(_OVERDUE, "detractor_cases")
    return Figures(
        score=Score(*scores[0]) if scores else None,
        months=tuple(Month(*row) for row in months),
        change=Change(*changes[0]) if changes else None,
        signals=tuple(Signal(*row) for row in signals),
        overdue=tuple(Overdue(*row) for row in overdue),
        missing=tuple(sorted(set(missing))),
    )
