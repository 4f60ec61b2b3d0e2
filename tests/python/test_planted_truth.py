"""The marts recover what the generator planted in 300,000 contacts.

Nothing but chance stands between a truth and its mart, so a truth is met within four standard
errors of the mart; the seed is fixed, so a value that is met today is met tomorrow.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from conftest import Build, built
from nps_warehouse.sample.cli import main as generate_sample

CONTACTS = 300_000
STANDARD_ERRORS = 4.0
OUTCOMES = ("rows_read", "accepted", "rejected", "superseded", "excluded")

pytestmark = pytest.mark.thorough


@dataclass(frozen=True)
class Recovered:
    """The build of a generated contact center, and what was planted."""

    build: Build
    truth: Mapping[str, Any]


@pytest.fixture(scope="module")
def recovered(tmp_path_factory: pytest.TempPathFactory) -> Recovered:
    folder = tmp_path_factory.mktemp("planted")
    truth_file = folder / "truth.json"
    arguments = ["--contacts", str(CONTACTS), "--format", "parquet"]
    arguments += ["--output", str(folder / "raw"), "--truth", str(truth_file)]
    assert generate_sample(arguments) == 0
    build = built(folder, raw_dir=folder / "raw")
    return Recovered(build, json.loads(truth_file.read_text()))


def number(value: object) -> float:
    """A number of the warehouse."""
    assert isinstance(value, int | float)
    return float(value)


def scores(
    recovered: Recovered, mart: str, keys: str, period_type: str = "all", where: str = "true"
) -> dict[Any, tuple[float, int, float]]:
    """NPS, responses and standard error of transactional answers, by key.

    Args:
        recovered: the build.
        mart: name of a score mart.
        keys: SQL of one key.
        period_type: of the mart's grain.
        where: SQL of further conditions.
    """
    rows = recovered.build.rows(
        f"select {keys}, nps, responses, nps_standard_error from marts.{mart} "
        f"where survey_type = 'transactional' and period_type = '{period_type}' and ({where})"
    )
    found = {key: (number(nps), int(number(n)), number(error)) for key, nps, n, error in rows}
    assert len(found) == len(rows)
    return found


def distances(
    ours: Mapping[Any, tuple[float, int, float]], truth: Mapping[Any, float]
) -> dict[Any, float]:
    """How far each score lies from its truth, in standard errors."""
    return {key: (ours[key][0] - truth[key]) / ours[key][2] for key in truth}


def assert_met(found: Mapping[Any, float]) -> None:
    """No value is far from its truth, and together they lean to neither side."""
    far = {key: z for key, z in found.items() if abs(z) >= STANDARD_ERRORS}
    assert not far
    mean = sum(found.values()) / len(found)
    assert abs(mean) < STANDARD_ERRORS / math.sqrt(len(found)), f"on average {mean} off"


def answering(truth: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Expected NPS of the answers by key; a key that nobody is asked about has none."""
    return {
        key: float(row["nps_answering"])
        for key, row in truth.items()
        if row["nps_answering"] is not None
    }


def pooled(rows: Iterable[tuple[object, ...]]) -> tuple[float, float, int]:
    """NPS, its standard error and responses of rows of promoters, passives and detractors."""
    counts = [tuple(int(number(value)) for value in row) for row in rows]
    promoters, passives, detractors = (sum(row[i] for row in counts) for i in range(3))
    responses = promoters + passives + detractors
    score = (promoters - detractors) / responses
    variance = (promoters + detractors) / responses - score**2
    return 100 * score, 100 * math.sqrt(variance / responses), responses


def test_every_row_of_every_table_is_where_it_belongs(recovered: Recovered) -> None:
    ours = {
        row["table_name"]: {name: row[name] for name in OUTCOMES}
        for row in recovered.build.dicts("select * from quality.reconciliation")
    }
    planted = recovered.truth["reconciliation"]
    assert ours == {table: {name: row[name] for name in OUTCOMES} for table, row in planted.items()}
    assert all(row == (True,) for row in recovered.build.rows(
        "select reconciles from quality.reconciliation"
    ))  # fmt: skip


def test_every_planted_cell_is_null_and_listed(recovered: Recovered) -> None:
    ours: dict[str, dict[str, int]] = {}
    for table, column, cells in recovered.build.rows(
        "select table_name, column_name, count(*) from quality.rejected_values group by all"
    ):
        ours.setdefault(str(table), {})[str(column)] = int(number(cells))
    assert ours == recovered.truth["rejected_values"]


def test_every_rejected_key_is_listed(recovered: Recovered) -> None:
    ours = set(recovered.build.rows("select table_name, record_key from quality.rejected_rows"))
    # Of a table with a key of several columns the truth names only the first.
    simple = {"survey_responses", "contacts", "departments", "agents", "customers"}
    planted: set[tuple[object, ...]] = {
        (kind["table"], key)
        for kind in recovered.truth["dirty"]
        if kind["table"] in simple and kind["outcomes"]["rejected"] == kind["count"]
        for key in kind["keys"]
    }
    assert len(planted) > 40
    assert not planted - ours


def test_departments(recovered: Recovered) -> None:
    ours = scores(recovered, "nps_by_department", "department_id", where="not is_rollup")
    truth = answering(recovered.truth["nps"]["departments"])
    assert set(ours) == {*truth, "unknown"}
    assert_met(distances(ours, truth))
    # Unhappy customers answer more often: what every contact would say is not what is measured.
    everybody = {d: row["nps_all"] for d, row in recovered.truth["nps"]["departments"].items()}
    assert min(-z for z in distances(ours, everybody).values()) > STANDARD_ERRORS


def test_departments_with_others_below_are_pooled(recovered: Recovered) -> None:
    # The tree has two levels.
    rows = recovered.build.rows(
        """
        with families as (
            select department_id, department_id as above from marts.dim_departments
            union all
            select department_id, parent_department_id as above from marts.dim_departments
            where parent_department_id is not null
        ),
        pooled as (
            select
                families.above as department_id, survey_type, period_type, period_start,
                sum(responses) as responses,
                100.0 * (sum(promoters) - sum(detractors)) / sum(responses) as nps
            from marts.nps_by_department
            inner join families using (department_id)
            where not is_rollup
            group by all
        )
        select
            count(*),
            count(*) filter (
                where pooled.responses = shown.responses and abs(pooled.nps - shown.nps) < 1e-9
            )
        from marts.nps_by_department as shown
        left join pooled using (department_id, survey_type, period_type, period_start)
        where is_rollup
        """
    )
    rollups, met = (number(value) for value in rows[0])
    assert met == rollups > 1000


def test_departments_by_year(recovered: Recovered) -> None:
    ours = scores(
        recovered,
        "nps_by_department",
        "department_id || ' ' || year(period_start)",
        "year",
        "not is_rollup",
    )
    truth = {
        f"{department} {year}": float(row["nps_answering"])
        for department, years in recovered.truth["nps"]["departments_by_year"].items()
        for year, row in years.items()
    }
    assert len(truth) == 36
    assert_met(distances(ours, truth))


def test_company(recovered: Recovered) -> None:
    rows = recovered.build.rows(
        "select survey_type, nps, nps_standard_error from marts.nps_by_period "
        "where period_type = 'all' and survey_type <> 'all'"
    )
    truth = {
        "transactional": recovered.truth["nps"]["company"]["nps_answering"],
        "relational": recovered.truth["nps"]["relational"]["nps_answering"],
    }
    assert_met({
        str(kind): (number(nps) - truth[str(kind)]) / number(error) for kind, nps, error in rows
    })  # fmt: skip


def test_months(recovered: Recovered) -> None:
    ours = scores(recovered, "nps_by_period", "strftime(period_start, '%Y-%m')", "month")
    truth = answering(recovered.truth["nps"]["months_of_answer"])
    assert len(truth) == 36
    assert_met(distances(ours, truth))


def test_months_hold_the_expected_number_of_answers(recovered: Recovered) -> None:
    ours = scores(recovered, "nps_by_period", "strftime(period_start, '%Y-%m')", "month")
    expected = {
        month: float(row["expected_answers"])
        for month, row in recovered.truth["nps"]["months_of_answer"].items()
    }
    assert_met({month: (ours[month][1] - n) / math.sqrt(n) for month, n in expected.items()})


def test_channels(recovered: Recovered) -> None:
    ours = scores(recovered, "nps_by_channel", "channel")
    truth = answering(recovered.truth["nps"]["channels"])
    assert set(ours) == {*truth, "unknown"}
    assert_met(distances(ours, truth))


def test_every_spelling_of_a_channel_is_mapped(recovered: Recovered) -> None:
    rows = recovered.build.rows(
        "select source_channel, min(channel) from marts.fct_contacts "
        "where source_channel is not null group by source_channel "
        "having count(distinct channel) = 1"
    )
    ours = {str(spelling): str(channel) for spelling, channel in rows}
    planted = recovered.truth["channels"]
    for spelling, channel in planted["spellings"].items():
        assert ours[spelling.strip()] == channel
    unmapped = recovered.build.rows("select channel from quality.unmapped_channels")
    assert sorted(str(row[0]) for row in unmapped) == planted["unmapped"]
    assert all(ours[channel] == channel for channel in planted["unmapped"])


def test_agents(recovered: Recovered) -> None:
    ours = scores(recovered, "nps_by_agent", "agent_id", where="is_reportable")
    truth = answering(recovered.truth["nps"]["agents"])
    told_apart = {agent: nps for agent, nps in truth.items() if agent in ours}
    assert len(told_apart) > 100
    assert_met(distances(ours, told_apart))


@pytest.mark.parametrize(("which", "sign"), [("better", 1), ("worse", -1)])
def test_extreme_agents_stand_apart(recovered: Recovered, which: str, sign: int) -> None:
    planted = recovered.truth["agents"][which]["agent_id"]
    ours = scores(recovered, "nps_by_agent", "agent_id", where="is_reportable")
    order = sorted(ours, key=lambda agent: sign * ours[agent][0], reverse=True)
    assert order[0] == planted
    # Its interval ends before the next agent's score begins.
    nps, _, error = ours[planted]
    assert sign * nps - 2 * error > sign * ours[order[1]][0]


@pytest.mark.parametrize(("which", "verdict"), [("better", "better"), ("worse", "worse")])
def test_extreme_agents_are_at_the_ends_of_the_ranking(
    recovered: Recovered, which: str, verdict: str
) -> None:
    planted = recovered.truth["agents"][which]
    rows = recovered.build.dicts(
        "select * from marts.agent_ranking where survey_type = 'transactional' "
        "and ((period_type = 'year' and is_complete) or period_type = 'all')"
    )
    assert len({row["period_start"] for row in rows if row["period_type"] == "year"}) >= 2
    for start in {(row["period_type"], row["period_start"]) for row in rows}:
        ranked = [
            row
            for row in rows
            if (row["period_type"], row["period_start"]) == start and row["tie_rank"] is not None
        ]
        (own,) = [row for row in ranked if row["agent_id"] == planted["agent_id"]]
        ends = {"better": 1, "worse": len(ranked)}
        assert own["shrunk_rank"] == ends[which]
        # The middle of the ranking is in another tie group.
        middle = sorted(ranked, key=lambda row: number(row["shrunk_nps"]))[len(ranked) // 2]
        assert own["tie_rank"] != middle["tie_rank"]
        if start[0] == "all":
            assert own["tie_size"] == 1
            # What the same contacts had brought without the planted effect.
            z = number(own["expected_nps"]) - planted["nps_answering_without"]
            z /= number(own["expected_standard_error"])
            assert abs(z) < STANDARD_ERRORS
        else:
            assert own["vs_expected_verdict"] == verdict
            assert own["incentive_eligible"]


def test_only_the_extreme_agents_are_told_apart_from_what_their_contacts_let_expect(
    recovered: Recovered,
) -> None:
    """Agents differ by 20 points; 4 are their own, the rest departments and contacts."""
    rows = recovered.build.rows(
        "select agent_id, count(*) from marts.agent_ranking "
        "where vs_expected_verdict <> 'no evidence' and survey_type = 'transactional' "
        "and period_type = 'year' group by agent_id"
    )
    extremes = {recovered.truth["agents"][which]["agent_id"] for which in ("better", "worse")}
    assert {str(agent) for agent, _ in rows} == extremes


def test_agent_who_is_never_invited_has_contacts_and_no_score(recovered: Recovered) -> None:
    agent = recovered.truth["never_invited_agent"]
    query = "select count(*) from marts.{} where agent_id = '" + agent + "'"
    assert recovered.build.rows(query.format("fct_contacts")) > [(100,)]
    assert recovered.build.rows(query.format("fct_survey_invitations")) == [(0,)]
    assert recovered.build.rows(query.format("nps_by_agent")) == [(0,)]


def test_every_department_improves_and_the_company_falls(recovered: Recovered) -> None:
    shift = recovered.truth["mix_shift"]
    between = f"period_start in ('{shift['from']}', '{shift['to']}')"
    start = "cast(period_start as varchar)"
    company = scores(recovered, "nps_by_period", start, "year", between)
    ours = scores(
        recovered,
        "nps_by_department",
        f"department_id || ' ' || {start}",
        "year",
        f"not is_rollup and {between}",
    )
    planted = shift["answering"]
    assert planted["every_department_improves"]
    assert planted["company_falls"]
    changes = {}
    for department, change in planted["change_by_department"].items():
        before, after = (ours[f"{department} {shift[end]}"] for end in ("from", "to"))
        assert after[0] > before[0], department
        changes[department] = (after[0] - before[0] - change) / math.hypot(before[2], after[2])
    assert len(changes) == 12
    assert_met(changes)
    assert company[shift["to"]][0] < company[shift["from"]][0]
    assert_met(
        distances(
            company,
            {shift["from"]: planted["company_from"], shift["to"]: planted["company_to"]},
        )
    )


def test_the_fall_is_all_mix(recovered: Recovered) -> None:
    """Every department improves and the company falls: a shift towards those with low scores."""
    shift = recovered.truth["mix_shift"]
    planted = shift["answering"]
    assert planted["mix"] < 0 < planted["rate"]
    rows = recovered.build.dicts(
        "select * from marts.nps_change_decomposition where survey_type = 'transactional' "
        "and period_type = 'year' and comparison = 'previous_period' "
        f"and scope_type = 'department' and period_start = '{shift['to']}'"
    )
    assert {str(row["scope_id"]) for row in rows} == set(planted["change_by_department"])
    for row in rows:
        assert row["segment_status"] == "both"
        assert number(row["rate_effect"]) > 0, row["scope_id"]
    mix, rate = (
        sum(number(row[effect]) for row in rows) for effect in ("mix_effect", "rate_effect")
    )
    start = "cast(period_start as varchar)"
    company = scores(recovered, "nps_by_period", start, "year")
    before, after = company[shift["from"]], company[shift["to"]]
    assert mix + rate == pytest.approx(after[0] - before[0], abs=1e-9)
    # The change's own error; the rest is exact but for the shares, which are drawn, too.
    error = math.hypot(before[2], after[2])
    assert_met({
        "mix": (mix - planted["mix"]) / error, "rate": (rate - planted["rate"]) / error
    })  # fmt: skip


@pytest.mark.parametrize("period_type", ["day", "week"])
def test_the_day_a_department_breaks_shows(recovered: Recovered, period_type: str) -> None:
    planted = recovered.truth["break"]
    first = f"date '{planted['first_date']}'"

    def score(days: str) -> tuple[float, float, int]:
        return pooled(
            recovered.build.rows(
                "select promoters, passives, detractors from marts.nps_by_department "
                "where survey_type = 'transactional' and not is_rollup "
                f"and period_type = '{period_type}' and {days} "
                f"and department_id = '{planted['department_id']}'"
            )
        )

    # Answers come days after their contacts, and weeks begin on Mondays: the first days of the
    # break and those after it still hold others' answers.
    last = f"{first} + {planted['days']}"
    before = score(f"period_start >= {first} - 70 and period_end < {first}")
    during = score(f"period_start >= {first} - 1 and period_end < {last}")
    after = score(f"period_start >= {last} + 14 and period_start < {last} + 84")
    assert min(before[2], during[2], after[2]) > 100
    for usual in (before, after):
        fall = during[0] - usual[0]
        assert fall < planted["nps_answering_effect"] / 2
        assert fall < -STANDARD_ERRORS * math.hypot(during[1], usual[1])
    assert abs(before[0] - after[0]) < STANDARD_ERRORS * math.hypot(before[1], after[1])


@pytest.mark.parametrize("survey_type", ["transactional", "all"])
def test_the_day_a_department_breaks_signals(recovered: Recovered, survey_type: str) -> None:
    """Its control chart says so within ten days, as a fall, and nothing before."""
    planted = recovered.truth["break"]
    ((first, days, direction),) = recovered.build.rows(
        f"select min(charted_on), min(charted_on) - date '{planted['first_date']}', "
        "arg_min(signal_direction, charted_on) from marts.nps_control_charts "
        f"where scope_type = 'department' and scope_id = '{planted['department_id']}' "
        f"and survey_type = '{survey_type}' and signal_kind is not null"
    )
    assert direction == "down"
    assert 0 <= number(days) <= 10
    # Its month and year name that day.
    rows = recovered.build.rows(
        "select first_signal_on, first_signal_direction, first_signal_started_on "
        "from marts.nps_trends where scope_type = 'department' "
        f"and scope_id = '{planted['department_id']}' and survey_type = '{survey_type}' "
        f"and period_type in ('month', 'year', 'all') "
        f"and date '{planted['first_date']}' between period_start and period_end"
    )
    assert rows == [(first, "down", first)] * 3
    # Of the other departments none signals a fall in these days by the same chance.
    ((others,),) = recovered.build.rows(
        "select count(*) from marts.nps_control_charts where scope_type = 'department' "
        f"and scope_id <> '{planted['department_id']}' and survey_type = '{survey_type}' "
        f"and signal_direction = 'down' and charted_on between date '{planted['first_date']}' "
        f"and date '{planted['first_date']}' + 10"
    )
    assert number(others) == 0


def test_answers_to_broken_days_have_the_planted_score(recovered: Recovered) -> None:
    planted = recovered.truth["break"]
    rows = recovered.build.rows(
        "select count(*) filter (responses.nps_contribution = 1), "
        "count(*) filter (responses.nps_contribution = 0), "
        "count(*) filter (responses.nps_contribution = -1) "
        "from marts.fct_survey_responses as responses "
        "inner join marts.fct_contacts as contacts "
        "on responses.contact_id = contacts.contact_id "
        f"where contacts.department_id = '{planted['department_id']}' "
        f"and contacts.contact_date >= date '{planted['first_date']}' "
        f"and contacts.contact_date < date '{planted['first_date']}' + {planted['days']}"
    )
    nps, error, answers = pooled(rows)
    assert abs(nps - planted["nps_answering"]) < STANDARD_ERRORS * error
    expected = planted["expected_answers"]
    assert abs(answers - expected) < STANDARD_ERRORS * math.sqrt(expected)


def test_hold_time_of_broken_days(recovered: Recovered) -> None:
    planted = recovered.truth["break"]
    first = f"date '{planted['first_date']}'"
    rows = recovered.build.rows(
        "select contact_date >= " + first + " as is_during, avg(hold_seconds), "
        "stddev_samp(hold_seconds) / sqrt(count(hold_seconds)) from marts.fct_contacts "
        f"where department_id = '{planted['department_id']}' and channel = '{planted['channel']}' "
        f"and contact_date >= {first} - 60 and contact_date < {first} + {planted['days']} "
        "group by is_during"
    )
    truth = {
        False: planted["hold_seconds_mean_before"],
        True: planted["hold_seconds_mean_during"],
    }
    found = {bool(during): (number(mean), number(error)) for during, mean, error in rows}
    assert set(found) == {False, True}
    assert_met({key: (found[key][0] - truth[key]) / found[key][1] for key in truth})


def test_hold_time_is_the_top_driver_of_the_broken_department(recovered: Recovered) -> None:
    broken = recovered.truth["break"]
    where = (
        f"scope_id = '{broken['department_id']}' and survey_type = 'transactional' "
        "and period_type = 'month'"
    )
    month = f"period_start = date_trunc('month', date '{broken['first_date']}')"
    effects = f"from marts.nps_driver_effects where {where}"
    ((driver, importance),) = recovered.build.rows(
        f"select driver, importance_pct {effects} and {month} and importance_rank = 1"
    )
    assert driver == "hold_seconds"
    assert number(importance) > 50
    # In no other month does it explain half as much.
    ((explained,),) = recovered.build.rows(
        f"select lmg {effects} and {month} and driver = 'hold_seconds'"
    )
    others = recovered.build.rows(f"select lmg {effects} and not {month} and driver = '{driver}'")
    assert len([lmg for (lmg,) in others if lmg is not None]) >= 30
    assert all(number(lmg) < number(explained) / 2 for (lmg,) in others if lmg is not None)
    (costliest,) = recovered.build.rows(
        f"select driver, performance, verdict from marts.nps_drivers where {where} and {month} "
        "and within_reason_verdict = 'down' order by points_at_stake desc limit 1"
    )
    assert costliest == ("hold_seconds", "low", "down")


@pytest.mark.parametrize(
    ("driver", "band", "planted"),
    [
        ("agent_tenure_days", "under 90 days", "new_agent_points"),
        # Customers also come back within a week by chance: fewer points than planted.
        ("repeat_contact", "repeat", "repeat_points"),
    ],
)
def test_a_circumstance_costs_points_as_planted_within_reasons(
    recovered: Recovered, driver: str, band: str, planted: str
) -> None:
    ((difference, error),) = recovered.build.rows(
        "select within_reason_difference, within_reason_standard_error from marts.nps_drivers "
        "where scope_type = 'company' and survey_type = 'transactional' and period_type = 'all' "
        f"and driver = '{driver}' and band = '{band}'"
    )
    points = recovered.truth["drivers"][planted]
    assert abs(number(difference) - points) < STANDARD_ERRORS * number(error)
    assert number(difference) < -STANDARD_ERRORS * number(error)


def test_response_rate(recovered: Recovered) -> None:
    ours = recovered.build.dicts("select * from marts.nps_by_period where period_type = 'all'")
    dirty_invitations = 100
    for row in ours:
        if row["survey_type"] == "all":
            continue
        planted = recovered.truth["response"][row["survey_type"]]
        extra = int(number(row["invitations"])) - planted["invitations_not_bounced"]
        assert 0 <= extra < dirty_invitations
        # Nothing is drawn here: only the few planted invitations move the rate.
        assert row["response_rate"] == pytest.approx(planted["response_rate"], abs=0.05)
    assert len(ours) == 3


def test_response_rate_of_every_month(recovered: Recovered) -> None:
    rows = recovered.build.rows(
        "select strftime(period_start, '%Y-%m'), invitations, response_rate "
        "from marts.nps_by_period "
        "where survey_type = 'transactional' and period_type = 'month' order by period_start"
    )
    # An invitation follows its contact within hours.
    expected = recovered.truth["nps"]["months_of_contact"]
    assert len(expected) == 36
    found = {}
    for month, invitations, rate in rows:
        if month in expected:
            share = expected[month]["expected_answers"] / number(invitations)
            error = math.sqrt(share * (1 - share) / number(invitations))
            found[month] = (number(rate) / 100 - share) / error
    assert len(found) == 36
    assert_met(found)


@pytest.mark.parametrize("weighting", ["cells", "raking"])
def test_weighting_takes_scores_towards_those_of_all_contacts(
    recovered: Recovered, weighting: str
) -> None:
    rows = recovered.build.rows(
        "select scope_id, nps, nps_weighted, nps_weighted_standard_error, margin_error_pct "
        f"from marts.nps_weighted where period_type = 'all' and weighting = '{weighting}'"
    )
    planted = recovered.truth["nps"]
    truth = planted["departments"] | {"all": planted["company"]}
    ours = {
        str(scope): (number(raw), number(weighted), number(error), miss)
        for scope, raw, weighted, error, miss in rows
        if scope in truth
    }
    assert ours.keys() == truth.keys()
    for scope, (raw, weighted, _, miss) in ours.items():
        everybody = truth[scope]["nps_all"]
        assert abs(weighted - everybody) < abs(raw - everybody), scope
        # Part of why people answer is not in the margins: what they think of us.
        assert weighted < everybody, scope
        assert miss is None or number(miss) < 1e-9
    raw, weighted, error, _ = ours["all"]
    assert weighted - raw > STANDARD_ERRORS * error


def test_agent_who_is_never_invited_is_asked_about_and_nobody_else(recovered: Recovered) -> None:
    rows = recovered.build.rows(
        "select scope_id, count(*) from marts.suspicions where kind = 'never_invited' "
        "group by scope_id"
    )
    ((agent, periods),) = rows
    assert agent == recovered.truth["never_invited_agent"]
    assert number(periods) > 20


def test_nobody_is_asked_about_what_was_not_planted(recovered: Recovered) -> None:
    """Invitations and answers are drawn alike for all: what is left is chance, at five percent."""
    rows = recovered.build.rows(
        "select kind, count(*) from marts.suspicions where kind <> 'never_invited' group by kind"
    )
    ours = {str(kind): int(number(count)) for kind, count in rows}
    # The planted dirty answers all came in one second.
    assert ours.pop("bursts") == 1
    assert sum(ours.values()) <= 3


def test_a_follow_up_recovers_what_was_planted(recovered: Recovered) -> None:
    """A share of those followed up recovers, by the planted points; nobody was picked for it."""
    truth = recovered.truth["follow_ups"]
    rows = {
        str(row["follow_up"]): row
        for row in recovered.build.dicts(
            "select * from marts.closed_loop_recovery where scope_type = 'company'"
        )
    }
    shares = truth["recovered_share_by_outcome"]
    shares["any"] = sum(
        shares[outcome] * share for outcome, share in truth["outcome_shares"].items()
    )
    for follow_up, share in shares.items():
        row = rows[follow_up]
        low, high = number(row["recovery_ci_low"]), number(row["recovery_ci_high"])
        assert low < share * truth["recovery_points"] < high, follow_up
        assert high - low < 15
        assert row["verdict"] == ("up" if share > 0 else "no evidence"), follow_up


def test_waits_for_a_contact_count_those_who_still_wait(recovered: Recovered) -> None:
    """Half of the detractors are never followed up: the median of the closed cases hides it."""
    (row,) = recovered.build.dicts(
        "select * from marts.closed_loop_performance "
        "where scope_type = 'company' and period_type = 'all'"
    )
    share = 100 * recovered.truth["follow_ups"]["share_of_detractors_followed_up"]
    outcomes = recovered.truth["follow_ups"]["outcome_shares"]
    assert number(row["closed_pct"]) == pytest.approx(share, abs=1.5)
    for outcome, share_of_closed in outcomes.items():
        assert number(row[f"{outcome}_pct"]) == pytest.approx(100 * share_of_closed, abs=1.5)
    # 0.5 x 0.8 are ever contacted, less than half.
    assert row["hours_to_contact_p50"] is None
    assert 0 < number(row["closed_hours_p50"]) < 30


def test_earned_growth_is_the_planted_one(recovered: Recovered) -> None:
    ours = {
        (row["period_type"], str(row["period_start"])): row
        for row in recovered.build.dicts("select * from marts.earned_growth where is_reportable")
    }
    planted = {
        ("year", f"{year}-01-01"): row
        for year, row in recovered.truth["earned_growth"]["years"].items()
    }
    for name, row in recovered.truth["earned_growth"]["quarters"].items():
        year, quarter = name.split("-Q")
        planted["quarter", f"{year}-{3 * int(quarter) - 2:02d}-01"] = row
    assert ours.keys() == planted.keys()
    for key, row in planted.items():
        for name in ("net_revenue_retention", "earned_growth_rate"):
            # The truth has six decimals.
            assert number(ours[key][name]) == pytest.approx(row[name], abs=6e-7), (key, name)


def test_loyal_customers_stay_and_are_worth_more(recovered: Recovered) -> None:
    # Loyal customers score higher, leave less and grow; those at risk score lower and leave.
    build = recovered.build
    within_a_year = {
        category: (number(low), number(high))
        for category, low, high in build.rows(
            "select nps_category, min(retained_ci_low), min(retained_ci_high) "
            "from marts.retention_by_category "
            "where survey_type = 'all' and days_since_answer <= 365 group by nps_category"
        )
    }
    assert within_a_year["promoter"][0] > within_a_year["detractor"][1]
    leaves = [100 * row["leaves_within_a_year"] for row in recovered.truth["customers"].values()]
    for category, pct, low, high in build.rows(
        "select nps_category, churned_pct, churned_ci_low, churned_ci_high from marts.nps_value "
        "where survey_type = 'all' and period_type = 'all'"
    ):
        assert min(leaves) < number(low) < number(high) < max(leaves), category
        # The same year, by customers who are observed for all of it and by survival.
        kept = within_a_year[category]
        assert kept[0] < 100 - number(pct) < kept[1], category
    (verdict,) = build.rows(
        "select verdict from marts.nps_value_of_moves where survey_type = 'all' "
        "and period_type = 'year' and period_start = '2024-01-01' "
        "and value_move = 'promoter_over_detractor'"
    )
    assert verdict == ("up",)


# What customers say.


def test_every_planted_mention_is_found(recovered: Recovered) -> None:
    found = {
        str(theme): (number(detractors), number(passives), number(promoters))
        for theme, detractors, passives, promoters in recovered.build.rows(
            "select theme, detractors, passives, promoters from marts.nps_by_theme "
            "where scope_type = 'company' and survey_type = 'all' and period_type = 'all'"
        )
    }
    for theme, planted in recovered.truth["themes"].items():
        mentions = sum(planted["mentions"].values())
        if mentions:
            # A phrase may say a second theme, too ("wrong diagnosis, so the fault is still there").
            assert mentions <= sum(found[theme]) < 1.01 * mentions, theme
            assert found[theme][0] >= planted["mentions"]["detractor"], theme


def test_themes_with_planted_effects_rank_first(recovered: Recovered) -> None:
    impacts = recovered.build.rows(
        "select theme from marts.nps_by_theme "
        "where scope_type = 'company' and survey_type = 'all' and period_type = 'all' "
        "order by impact"
    )
    planted = recovered.truth["themes"]
    harmful = {theme for theme, row in planted.items() if row["planted_effect"] < 0}
    assert {str(theme) for (theme,) in impacts[: len(harmful)]} == harmful
    # What costs most is what was planted to: the effect times how many contacts have it.
    costs = {
        theme: row["planted_effect"] * row["contacts"]
        for theme, row in planted.items()
        if row["planted_effect"] < 0
    }
    assert str(impacts[0][0]) == min(costs, key=lambda theme: costs[theme])


@pytest.mark.parametrize(
    ("department", "theme"), [("D04", "billing_error"), ("D10", "promise_broken")]
)
def test_a_department_s_planted_theme_is_its_first_pain_point(
    recovered: Recovered, department: str, theme: str
) -> None:
    rows = recovered.build.rows(
        "select theme, signal_class from marts.pain_points "
        "where survey_type = 'all' and period_type = 'quarter' and pain_rank = 1 "
        f"and department_id = '{department}' and period_start >= date '2024-01-01'"
    )
    # Eight quarters, one of them perhaps not over.
    assert len(rows) == 8
    assert rows.count((theme, "structural")) >= 7


def test_angry_tens_are_contradictions_and_nobody_else(recovered: Recovered) -> None:
    planted = recovered.truth["contradictions"]["response_ids"]
    assert len(planted) == 50
    listed = recovered.build.rows(
        "select response_id, nps_category from marts.comment_sentiment where is_contradiction"
    )
    accepted = recovered.build.rows(
        "select response_id from marts.comment_sentiment "
        f"where response_id in ({', '.join(repr(one) for one in planted)})"
    )
    assert {str(one) for (one,) in accepted} <= {str(one) for one, _ in listed}
    assert len(accepted) >= 48
    # One in a hundred tens with a comment is planted; nothing else contradicts its score.
    assert {str(category) for _, category in listed} == {"promoter"}
    tens = recovered.build.rows("select count(*) from marts.comment_sentiment where score = 10")
    assert number(tens[0][0]) * 0.005 < len(listed) < number(tens[0][0]) * 0.02


def test_initiatives(recovered: Recovered) -> None:
    """What was worth something helped, by as much as it was worth; the others did not."""
    effects = {
        str(row["initiative_id"]): row
        for row in recovered.build.dicts(
            "select * from marts.initiative_effects where survey_type = 'transactional'"
        )
    }
    planted = {row["initiative_id"]: row for row in recovered.truth["initiatives"]}
    assert {key for key, row in planted.items() if row["planted_effect"]} == {"N1", "N3"}
    for key, truth in planted.items():
        row = effects[key]
        if truth["planted_effect"]:
            assert row["verdict"] == "helped", key
            low, high = number(row["did_ci_low"]), number(row["did_ci_high"])
            assert low <= truth["nps_answering_effect"] <= high, key
        else:
            assert row["verdict"] == "can't tell", key
    # Nothing tells the company's own from what happened to everybody.
    assert effects["N5"]["cannot_tell_because"] == "no control"
    assert {effects[key]["cannot_tell_because"] for key in ("N2", "N4")} == {"within chance"}


def test_best_practices(recovered: Recovered) -> None:
    """The planted agent is one of the better; that nothing of the contacts is why, is said."""
    rows = recovered.build.dicts(
        "select * from marts.best_practices where scope_type = 'agent' and period_type = 'year'"
    )
    better = recovered.truth["agents"]["better"]["agent_id"]
    assert {row["scope_id"] for row in rows} == {better}
    assert not any(row["is_different"] for row in rows)
    first = [str(row["for_the_huddle"]) for row in rows if row["driver_rank"] == 1]
    assert first
    assert all("No figure of the contacts explains it" in text for text in first)
