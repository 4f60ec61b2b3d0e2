"""What the pages show, read from the marts: nothing is computed here that a mart has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb

Row = dict[str, Any]

PERIOD_TYPES = ("month", "quarter", "year")
TREND_PERIODS = {"week": 26, "month": 24, "quarter": 12, "year": 6}
"""How many periods a trend goes back."""

PAIN_POINT_PERIODS = {"month": "month", "quarter": "quarter", "year": "quarter"}
"""Pain points are judged by quarter at the longest."""

CALENDAR = {
    "week": "week_start",
    "month": "month_start",
    "quarter": "quarter_start",
    "year": "year_start",
}
MOST_PAIN_POINTS = 5
MOST_REASONS = 3
MOST_RESTATEMENTS = 6
MOST_VERBATIMS = 3
MOST_STRENGTHS = 3
HUDDLE_WEEKS = 4
"""Comments are read of the week and the three before, as `recent_…` of `huddle_pack` counts."""

STRENGTH_WEEKS = 13
PRACTICE_DAYS = 400
"""How old what went well elsewhere may be, in days: last year's quarter is still told."""


class NoFiguresError(Exception):
    """The warehouse has nothing to report; the text says what is missing."""


@dataclass(frozen=True)
class About:
    """What holds for all pages of a report.

    Attributes:
        as_of: "now" of the warehouse.
        first: the date of the first answer.
        last: the date of the last one.
        least: answers that a score needs to be reported.
    """

    as_of: date
    first: date
    last: date
    least: int


@dataclass(frozen=True)
class Executive:
    """The summary of a period; each list in the order it is shown in."""

    period: Row
    trend: list[Row]
    target: Row | None
    benchmark: Row | None
    effects: list[Row]
    departments: list[Row]
    pain_points: list[Row]
    pain_period: Row | None
    cases: Row | None
    case_target: Row | None
    recovery: list[Row]
    tables: list[Row]
    reasons: list[Row]
    questions: int
    publications: int
    restated: list[Row]


@dataclass(frozen=True)
class Team:
    """What a team looks at in its weekly huddle.

    Attributes:
        pack: the team's row of `huddle_pack`, of the last complete week with an answer.
        is_current: whether that week is the last complete one of the company.
    """

    team: str
    department_name: str
    pack: Row
    is_current: bool
    trend_type: str
    trend: list[Row]
    strengths: list[Row]
    practice: Row | None
    positive: list[Row]
    negative: list[Row]


class Figures:
    """Queries on the marts.

    Args:
        connection: its default database is the warehouse, see `warehouse.reading`.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """See the class."""
        self._connection = connection

    def rows(self, query: str, parameters: Mapping[str, object] | None = None) -> list[Row]:
        """Rows of a query, by column name.

        Args:
            query: SQL with `$name` for each parameter.
            parameters: their values.

        Raises:
            NoFiguresError: a table or a column is not there.
        """
        try:
            result = self._connection.execute(query, dict(parameters or {}))
        except (duckdb.CatalogException, duckdb.BinderException) as problem:
            reason = str(problem).splitlines()[0]
            raise NoFiguresError(f"the warehouse is not complete, run a build: {reason}") from None
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def row(self, query: str, parameters: Mapping[str, object] | None = None) -> Row | None:
        """The first row of a query; None where there is none.

        Args:
            query: as of `rows`.
            parameters: as of `rows`.

        Raises:
            NoFiguresError: as of `rows`.
        """
        return next(iter(self.rows(query, parameters)), None)

    def about(self) -> About:
        """What holds for the whole report.

        Raises:
            NoFiguresError: there is no accepted answer.
        """
        row = self.row(
            """
            select
                cast(version.as_of as date) as as_of, version.nps_min_responses,
                scores.period_start, scores.period_end
            from quality.contract_version as version
            inner join marts.nps_by_period as scores
                on scores.survey_type = 'all' and scores.period_type = 'all'
            """
        )
        if row is None:
            raise NoFiguresError("there is nothing to report: no answer was accepted")
        return About(row["as_of"], row["period_start"], row["period_end"], row["nps_min_responses"])

    def executive(self, period_type: str) -> Executive:
        """The summary of the last complete period; of the last one where none is complete.

        Args:
            period_type: one of PERIOD_TYPES.

        Raises:
            NoFiguresError: there is no answer at all.
        """
        period = self.row(
            """
            select trends.*, scores.invitations, scores.response_rate
            from marts.nps_trends as trends
            inner join marts.nps_by_period as scores
                on trends.survey_type = scores.survey_type
                and trends.period_type = scores.period_type
                and trends.period_start = scores.period_start
            where trends.scope_type = 'company' and trends.survey_type = 'all'
                and trends.period_type = $period_type
            order by trends.is_complete desc, trends.period_start desc
            """,
            {"period_type": period_type},
        )
        if period is None:
            raise NoFiguresError(f"there is no {period_type} with an answer")
        grain = {"period_type": period_type, "start": period["period_start"]}
        pain_points, pain_period = self._pain_points(period)
        return Executive(
            period=period,
            trend=self.trend("company", "all", period_type, period["period_start"]),
            target=self._of_company("marts.nps_targets_gap", grain),
            benchmark=self._of_company("marts.nps_benchmark_gap", grain),
            effects=self._effects(grain),
            departments=self._departments(grain),
            pain_points=pain_points,
            pain_period=pain_period,
            cases=self._cases(grain),
            case_target=self._case_target(grain),
            recovery=self._recovery(),
            tables=self.rows("select * from quality.reconciliation order by table_name"),
            reasons=self._reasons(),
            questions=self._count("from marts.suspicions"),
            publications=self._count(
                "from (select publication_id from marts.nps_restatements group by publication_id)"
            ),
            restated=self._restated(),
        )

    def _count(self, relation: str) -> int:
        row = self.row(f"select count(*) as rows_found {relation}")
        return int(row["rows_found"]) if row else 0

    def trend(self, scope_type: str, scope_id: str, period_type: str, last: date) -> list[Row]:
        """Scores of the periods up to one; a period without answers has no figures.

        Args:
            scope_type: of `nps_trends`.
            scope_id: the member.
            period_type: a key of CALENDAR.
            last: the first day of the last period.
        """
        return self._filled(
            """
            select period_start, period_end, is_complete, responses, nps, nps_ci_low, nps_ci_high,
                is_reportable
            from marts.nps_trends
            where scope_type = $scope_type and scope_id = $scope_id and survey_type = 'all'
                and period_type = $period_type and period_start <= $last
            """,
            period_type,
            {"scope_type": scope_type, "scope_id": scope_id, "last": last},
        )

    def _filled(self, scores: str, period_type: str, parameters: Mapping[str, object]) -> list[Row]:
        """Scores in all periods of the calendar from their first to the last that was asked for."""
        column = CALENDAR[period_type]
        found = self.rows(
            f"""
            with

            scores as ({scores}),

            periods as (
                select {column} as start_day, max(date_day) as end_day
                from marts.dim_dates
                group by {column}
            )

            select
                periods.start_day as period_start,
                coalesce(scores.period_end, periods.end_day) as period_end,
                scores.is_complete, scores.responses, scores.nps, scores.nps_ci_low,
                scores.nps_ci_high, scores.is_reportable
            from periods
            left join scores on periods.start_day = scores.period_start
            where periods.start_day between
                (select min(period_start) from scores) and (select max(period_start) from scores)
            order by periods.start_day
            """,
            {**parameters, "period_type": period_type},
        )
        return found[-TREND_PERIODS[period_type] :]

    def _of_company(self, mart: str, grain: Mapping[str, object]) -> Row | None:
        return self.row(
            f"""
            select * from {mart}
            where scope_type = 'company' and survey_type = 'all' and not is_rollup
                and period_type = $period_type and period_start = $start
            """,
            grain,
        )

    def _effects(self, grain: Mapping[str, object]) -> list[Row]:
        return self.rows(
            """
            select effects.*, departments.department_name
            from marts.nps_change_decomposition as effects
            left join marts.dim_departments as departments
                on effects.scope_id = departments.department_id
            where effects.survey_type = 'all' and effects.scope_type = 'department'
                and effects.comparison = 'previous_period'
                and effects.period_type = $period_type and effects.period_start = $start
            order by abs(effects.total_effect) desc, effects.scope_id
            """,
            grain,
        )

    def _departments(self, grain: Mapping[str, object]) -> list[Row]:
        return self.rows(
            """
            select
                departments.department_id, departments.department_name,
                scores.responses, scores.nps, scores.nps_ci_low, scores.nps_ci_high,
                scores.nps_band, scores.is_reportable, scores.is_complete,
                trends.nps_change, trends.nps_change_ci_low, trends.nps_change_ci_high,
                trends.previous_responses, trends.verdict, trends.adjusted_p_value,
                goals.target, goals.gap, goals.status
            from marts.dim_departments as departments
            left join marts.nps_by_department as scores
                on departments.department_id = scores.department_id
                and not scores.is_rollup and scores.survey_type = 'all'
                and scores.period_type = $period_type and scores.period_start = $start
            left join marts.nps_trends as trends
                on departments.department_id = trends.scope_id
                and trends.scope_type = 'department' and trends.survey_type = 'all'
                and trends.period_type = $period_type and trends.period_start = $start
            left join marts.nps_targets_gap as goals
                on departments.department_id = goals.scope_id
                and goals.scope_type = 'department' and not goals.is_rollup
                and goals.survey_type = 'all'
                and goals.period_type = $period_type and goals.period_start = $start
            -- Nobody answers for what belongs to none, unless there is something.
            where departments.department_id <> 'unknown' or scores.responses is not null
            order by
                case departments.department_id when 'unknown' then 1 else 0 end,
                departments.department_name, departments.department_id
            """,
            grain,
        )

    def _pain_points(self, period: Row) -> tuple[list[Row], Row | None]:
        """The first pain points of the departments, and the period they are of."""
        period_type = PAIN_POINT_PERIODS[period["period_type"]]
        of = self.row(
            """
            select period_type, period_start, period_end from marts.pain_points
            where survey_type = 'all' and period_type = $period_type and period_end <= $last
            order by period_start desc
            """,
            {"period_type": period_type, "last": period["period_end"]},
        )
        if of is None or of["period_start"] < period["period_start"]:
            return [], None
        points = self.rows(
            """
            with

            verbatims as (
                select
                    themes.department_id, themes.theme, themes.language, verbatims.comment,
                    verbatims.score,
                    row_number() over (
                        partition by themes.department_id, themes.theme
                        order by verbatims.score, verbatims.response_id
                    ) as place
                -- Of these the names of colleagues are taken out, too.
                from marts.huddle_verbatims as verbatims
                inner join marts.comment_themes as themes
                    on verbatims.response_id = themes.response_id
                where themes.period_date between $start and $last
            )

            select points.*, departments.department_name, verbatims.comment, verbatims.score,
                verbatims.language
            from marts.pain_points as points
            left join marts.dim_departments as departments
                on points.department_id = departments.department_id
            left join verbatims
                on points.department_id = verbatims.department_id
                and points.theme = verbatims.theme and verbatims.place = 1
            where points.survey_type = 'all' and points.period_type = $period_type
                and points.period_start = $start
            order by
                case points.signal_class when 'structural' then 1 when 'watch' then 2 else 3 end,
                points.detractor_mentions desc, points.mentions desc,
                points.department_id, points.theme
            """,
            {"period_type": period_type, "start": of["period_start"], "last": of["period_end"]},
        )
        return points[:MOST_PAIN_POINTS], of

    def _cases(self, grain: Mapping[str, object]) -> Row | None:
        return self.row(
            """
            select * from marts.closed_loop_performance
            where scope_type = 'company' and period_type = $period_type and period_start = $start
            """,
            grain,
        )

    def _case_target(self, grain: Mapping[str, object]) -> Row | None:
        return self.row(
            """
            select target, gap, status from marts.targets_gap
            where scope_type = 'company' and metric = 'follow_up_sla' and survey_type = 'all'
                and period_type = $period_type and period_start = $start
            """,
            grain,
        )

    def _recovery(self) -> list[Row]:
        return self.rows(
            """
            select * from marts.closed_loop_recovery
            where scope_type = 'company'
            order by
                case follow_up
                    when 'any' then 1 when 'fixed' then 2 when 'explained' then 3
                    when 'unreachable' then 4 else 5
                end
            """
        )

    def _reasons(self) -> list[Row]:
        return self.rows(
            f"""
            select table_name, reason, count(*) as rejected
            from quality.rejected_rows
            group by table_name, reason
            order by rejected desc, table_name, reason
            limit {MOST_REASONS}
            """
        )

    def _restated(self) -> list[Row]:
        return self.rows(
            f"""
            select * from marts.nps_restatements
            where scope_type = 'company' and survey_type = 'all' and is_restated
                and period_type in ('month', 'quarter', 'year')
            order by period_start desc, period_type, publication_number desc
            limit {MOST_RESTATEMENTS}
            """
        )

    def packs(self) -> list[Row]:
        """The last complete week of each team with answers, by name; `unknown` is no team.

        A team without any has its last week, which then says that it is not over.
        """
        return self.rows(
            """
            select * from (
                select
                    packs.*, departments.department_name,
                    row_number() over (
                        partition by packs.team
                        order by packs.is_complete desc, packs.period_start desc
                    ) as place
                from marts.huddle_pack as packs
                left join marts.dim_departments as departments
                    on packs.department_id = departments.department_id
                where packs.team <> 'unknown'
            ) as ranked
            where place = 1
            order by team
            """
        )

    def last_week(self) -> date | None:
        """The first day of the company's last week that is over, else of its last one."""
        last = self.row(
            """
            select period_start from marts.nps_by_period
            where survey_type = 'all' and period_type = 'week'
            order by is_complete desc, period_start desc
            """
        )
        return last["period_start"] if last else None

    def team(self, pack: Row, *, is_current: bool) -> Team:
        """What a team looks at.

        Args:
            pack: its row of `packs`.
            is_current: whether its week is the company's last.
        """
        trend_type, trend = self._team_trend(pack)
        return Team(
            team=pack["team"],
            department_name=pack["department_name"] or "Unknown",
            pack=pack,
            is_current=is_current,
            trend_type=trend_type,
            trend=trend,
            strengths=self._strengths(pack),
            practice=self._practice(pack),
            positive=self._verbatims(pack, "positive"),
            negative=self._verbatims(pack, "negative"),
        )

    def _team_trend(self, pack: Row) -> tuple[str, list[Row]]:
        """The trend by the shortest of month and quarter of which most can be reported."""
        trend: list[Row] = []
        for period_type in ("month", "quarter"):
            trend = self._filled(
                """
                select period_start, period_end, is_complete, responses, nps, nps_ci_low,
                    nps_ci_high, is_reportable
                from marts.team_scores
                where team = $team and survey_type = 'all' and period_type = $period_type
                    and period_start <= $last and is_complete
                """,
                period_type,
                {"team": pack["team"], "last": pack["period_end"]},
            )[-12:]
            if 2 * sum(bool(row["is_reportable"]) for row in trend) >= max(len(trend), 1):
                return period_type, trend
        return "quarter", trend

    def _strengths(self, pack: Row) -> list[Row]:
        return self.rows(
            f"""
            select theme, family, count(*) as mentions
            from marts.comment_themes
            where team = $team and sign = 1 and nps_category = 'promoter'
                and period_date between $first and $last
            group by theme, family
            order by mentions desc, theme
            limit {MOST_STRENGTHS}
            """,
            {
                "team": pack["team"],
                "first": pack["period_end"] - timedelta(weeks=STRENGTH_WEEKS) + timedelta(days=1),
                "last": pack["period_end"],
            },
        )

    def _practice(self, pack: Row) -> Row | None:
        """The newest of what went better than expected among the team's own."""
        return self.row(
            """
            select practices.for_the_huddle, practices.period_type, practices.period_start,
                practices.period_end, practices.responses
            from marts.best_practices as practices
            left join marts.agent_scorecard as agents
                on practices.scope_type = 'agent' and practices.scope_id = agents.agent_id
                and practices.period_type = agents.period_type
                and practices.period_start = agents.period_start
                and agents.survey_type = 'all' and agents.team = $team
            where practices.driver_rank = 1
                and practices.period_type in ('month', 'quarter', 'year')
                and practices.period_end between $first and $last
                and (
                    agents.agent_id is not null
                    or practices.scope_type = 'department' and practices.scope_id = $department_id
                )
            order by
                practices.period_end desc, practices.is_different desc, practices.scope_type,
                practices.scope_id, practices.period_type
            """,
            {
                "team": pack["team"],
                "department_id": pack["department_id"],
                "first": pack["period_end"] - timedelta(days=PRACTICE_DAYS),
                "last": pack["period_end"],
            },
        )

    def _verbatims(self, pack: Row, sign: str) -> list[Row]:
        return self.rows(
            f"""
            select
                verbatims.comment, verbatims.score, verbatims.contact_reason, verbatims.channel,
                verbatims.period_start, responses.language
            from marts.huddle_verbatims as verbatims
            inner join marts.fct_survey_responses as responses
                on verbatims.response_id = responses.response_id
            where verbatims.team = $team and verbatims.sign = $sign
                and verbatims.period_start between $first and $last
            order by verbatims.period_start desc, verbatims.place
            limit {MOST_VERBATIMS}
            """,
            {
                "team": pack["team"],
                "sign": sign,
                "first": pack["period_start"] - timedelta(weeks=HUDDLE_WEEKS - 1),
                "last": pack["period_start"],
            },
        )
