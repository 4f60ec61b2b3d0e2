"""What the rows of an analysis say, in a sentence or two; nothing is computed that they lack.

An answer is said of the first rows of its analysis, which come in the order of what matters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from nps_warehouse.questions.asked import NAMES
from nps_warehouse.report import words
from nps_warehouse.report.figures import Figures, Row
from nps_warehouse.report.formats import Formats

Rows = Sequence[Row]
MOST_NAMED = 3
"""Members that a sentence names; the rest are counted."""

REALLY = ("up", "down")
"""Verdicts that are more than chance."""

FORMATS = Formats.of("en")
NOTHING = "Nothing to say: no such period is over, or nothing of it was delivered."


def answered(figures: Figures, compiled: Mapping[str, str]) -> dict[str, str]:
    """The answer to every question.

    Args:
        figures: queries on a warehouse or a published file.
        compiled: the SQL of every question by its name.

    Raises:
        NoFiguresError: a mart is not there.
    """
    return {name: ANSWERS[name](figures.rows(compiled[name])) for name in NAMES}


def _period(kind: str, row: Row) -> str:
    start = row["period_start"]
    assert isinstance(start, date)
    return FORMATS.period(kind, start, start)


def _interval(row: Row, low: str, high: str) -> str:
    return f"{FORMATS.points(row[low])} to {FORMATS.points(row[high])}"


def _several(number: int, one: str, more: str) -> str:
    return f"{FORMATS.count(number)} {one if number == 1 else more}"


def _named(parts: Sequence[str]) -> str:
    rest = len(parts) - MOST_NAMED
    shown = ", ".join(parts[:MOST_NAMED])
    return f"{shown} and {rest:,} more" if rest > 0 else shown


def _department(row: Row) -> str:
    return str(row["department_name"] or row["department_id"])


def which_department_moved(rows: Rows) -> str:
    """The departments with a verdict, else that there are none, and the largest change.

    Args:
        rows: of the analysis.
    """
    if not rows:
        return NOTHING
    period = _period("month", rows[0])
    moved = [row for row in rows if row["verdict"] in REALLY]
    if moved:
        parts = [
            f"{_department(row)} is {row['verdict']} by {FORMATS.points(abs(row['nps_change']))} "
            f"points ({_interval(row, 'nps_change_ci_low', 'nps_change_ci_high')})"
            for row in moved
        ]
        return f"{period}: {_named(parts)}; more than chance makes."
    tested = sum(bool(row["is_tested"]) for row in rows)
    said = (
        f"{period}: none for real; {tested} of {_several(len(rows), 'department', 'departments')} "
        "had enough answers in both months to be tested."
    )
    changed: Any = next((row for row in rows if row["nps_change"] is not None), None)
    if changed is None:
        return said
    return (
        f"{said} The largest change, {FORMATS.signed(changed['nps_change'])} in "
        f"{_department(changed)}, is of {_several(changed['responses'], 'answer', 'answers')} "
        f"against {changed['previous_responses']:,}."
    )


def what_would_it_take(rows: Rows) -> str:
    """Detractors and steps for each goal.

    Args:
        rows: of the analysis.
    """
    if not rows:
        return NOTHING
    first = rows[0]
    parts = []
    for row in rows:
        goal = "the target of " if row["goal"] == "target" else ""
        to = f"{goal}{FORMATS.points(row['goal_nps'])}"
        turn, steps = row["detractors_to_turn"], row["one_step_moves"]
        if steps == 0:
            parts.append(f"{to} is reached")
        elif turn is None:
            parts.append(f"{to} is out of reach by detractors alone")
        else:
            parts.append(
                f"for {to}, {_several(turn, 'detractor', 'detractors')} would have to have been "
                f"{'a promoter' if turn == 1 else 'promoters'}, or "
                f"{_several(steps, 'answer', 'answers')} one step better ({row['status']})"
            )
    return (
        f"{_period('month', first)}, at {FORMATS.points(first['nps'])} of "
        f"{_several(first['responses'], 'answer', 'answers')}: {'; '.join(parts)}."
    )


def why_did_the_score_move(rows: Rows) -> str:
    """Mix and rate, and who weighs most.

    Args:
        rows: of the analysis.
    """
    if not rows:
        return NOTHING
    first = rows[0]
    return (
        f"{_period('month', first)}: {FORMATS.signed(first['company_nps_change'])} points, of "
        f"which {FORMATS.signed(first['company_mix_effect'])} because answers came from other "
        f"departments (mix) and {FORMATS.signed(first['company_rate_effect'])} because departments "
        f"were rated otherwise (rate). {_department(first)} weighs most, "
        f"{FORMATS.signed(first['total_effect'])}."
    )


def which_agents_differ(rows: Rows) -> str:
    """Agents with a verdict, else how many could be compared.

    Args:
        rows: of the analysis.
    """
    if not rows:
        return NOTHING
    period = _period("year", rows[0])
    differ = [row for row in rows if row["vs_expected_verdict"] in REALLY]
    compared = sum(row["vs_expected_adjusted_p_value"] is not None for row in rows)
    agents = _several(len(rows), "agent", "agents")
    of = f"{compared:,} of {agents} had enough answers to be compared"
    if not differ:
        return f"{period}: none for real; {of}, the most had {max(r['responses'] for r in rows):,}."
    parts = [
        f"{row['agent_name'] or row['agent_id']} {FORMATS.signed(row['nps_vs_expected'])} points "
        f"({_interval(row, 'vs_expected_ci_low', 'vs_expected_ci_high')})"
        for row in differ
    ]
    return f"{period}: {_named(parts)}, beside the same contacts with others; {of}."


def where_do_we_lose_most(rows: Rows) -> str:
    """The department with the lowest impact, and those that are rated lower than the rest.

    Args:
        rows: of the analysis.
    """
    first: Any = next((row for row in rows if row["impact"] is not None), None)
    if first is None:
        return NOTHING
    lower = [_department(row) for row in rows if row["verdict"] == "down"]
    for_real = f"rated lower than the rest for real: {_named(lower)}" if lower else (
        "no department is rated lower than the rest for real"
    )  # fmt: skip
    return (
        f"{_period('year', first)}: {_department(first)}. Without its "
        f"{_several(first['responses'], 'answer', 'answers')} the company would stand at "
        f"{FORMATS.points(first['company_nps'] - first['impact'])} instead of "
        f"{FORMATS.points(first['company_nps'])} (impact {FORMATS.signed(first['impact'])}); "
        f"{for_real}."
    )


def which_complaint_weighs_most(rows: Rows) -> str:
    """The complaint with the lowest impact.

    Args:
        rows: of the analysis.
    """
    first: Any = next((row for row in rows if row["impact"] is not None), None)
    if first is None:
        return NOTHING
    few = "" if first["is_reportable"] else "; too few to be sure"
    return (
        f"{_period('year', first)}: “{words.plain(first['theme'])}”, in "
        f"{first['responses']:,} of "
        f"{_several(first['commented_responses'], 'comment', 'comments')} "
        f"({_several(first['detractors'], 'detractor', 'detractors')}), costs "
        f"{FORMATS.points(-first['impact'])} points{few}."
    )


def did_our_last_initiative_help(rows: Rows) -> str:
    """The verdict on the last initiative, or why there is none.

    Args:
        rows: of the analysis.
    """
    if not rows:
        return "There was none."
    first = rows[0]
    because = "" if first["cannot_tell_because"] is None else f" ({first['cannot_tell_because']})"
    said = (
        f"“{first['initiative_name']}” of {FORMATS.day(first['started_on'])}: "
        f"{first['verdict']}{because}."
    )
    if first["nps_change"] is None:
        return said
    said = (
        f"{said} {FORMATS.signed(first['nps_change'])} points from "
        f"{first['before_responses']:,} to "
        f"{_several(first['after_responses'], 'answer', 'answers')}"
    )
    if first["difference_in_differences"] is None:
        return f"{said}, with nobody to compare with."
    return (
        f"{said}; beside {_several(first['control_members'], 'control', 'controls')} "
        f"{FORMATS.signed(first['difference_in_differences'])} "
        f"({_interval(first, 'did_ci_low', 'did_ci_high')})."
    )


def are_detractors_called_back(rows: Rows) -> str:
    """The share in time, and what it brings.

    Args:
        rows: of the analysis.
    """
    if not rows:
        return NOTHING
    first = rows[0]
    if first["within_sla_pct"] is None:
        said = f"{_period('month', first)}: no deadline is over yet"
    else:
        said = (
            f"{_period('month', first)}: {first['within_sla']:,} of "
            f"{_several(first['sla_cases'], 'case', 'cases')} in time, "
            f"{FORMATS.points(first['within_sla_pct'])} % "
            f"({_interval(first, 'within_sla_pct_ci_low', 'within_sla_pct_ci_high')})"
        )
    if first["recovery"] is None:
        return f"{said}. Whether it helps nobody can tell: nobody was called back and asked again."
    verdict = {"up": "it helps", "down": "it hurts"}.get(
        str(first["recovery_verdict"]), "no evidence that it helps"
    )
    return (
        f"{said}; {verdict}: what {first['followed_up_customers']:,} called-back customers said "
        f"next is {FORMATS.signed(first['recovery'])} points "
        f"({_interval(first, 'recovery_ci_low', 'recovery_ci_high')}) beside others like them."
    )


def who_answers(rows: Rows) -> str:
    """The company's rate, the channels at both ends, and the score weighted to all contacts.

    Args:
        rows: of the analysis.
    """
    company: Any = next((row for row in rows if row["scope_type"] == "company"), None)
    if company is None or company["response_rate"] is None:
        return NOTHING
    channels = [
        row
        for row in rows
        if row["scope_type"] == "channel"
        and row["scope_id"] != "unknown"
        and row["response_rate"] is not None
    ]
    said = (
        f"{_period('quarter', company)}: {FORMATS.points(company['response_rate'])} % of "
        f"{_several(company['invitations'], 'invitation', 'invitations')}"
    )
    if len(channels) > 1:
        most, least = channels[0], channels[-1]
        said += ", " + " and ".join(
            f"{how} by {words.plain(row['scope_id'])} ({FORMATS.points(row['response_rate'])} % of "
            f"{row['invitations']:,})"
            for how, row in (("most", most), ("least", least))
        )
    if company["nps_weighted"] is None:
        return f"{said}."
    inside = company["nps_weighted_ci_low"] <= company["nps"] <= company["nps_weighted_ci_high"]
    return (
        f"{said}. Weighted to all contacts the score is {FORMATS.points(company['nps_weighted'])} "
        f"({_interval(company, 'nps_weighted_ci_low', 'nps_weighted_ci_high')}) instead of "
        f"{FORMATS.points(company['nps'])}: "
        + (
            "who answers may explain some of it, but not for sure."
            if inside
            else "who answers explains a part of it."
        )
    )


def how_do_we_compare(rows: Rows) -> str:
    """Where the score stands among others, and whether that is certain.

    Args:
        rows: of the analysis.
    """
    if not rows:
        return NOTHING
    first = rows[0]
    observed = words.POSITIONS.get(first["observed_position"], first["observed_position"])
    decided = "" if first["decided_position"] != "undecided" else ", but that is not certain"
    return (
        f"{_period('quarter', first)}: {FORMATS.points(first['nps'])} "
        f"({_interval(first, 'nps_ci_low', 'nps_ci_high')}) is {observed}{decided}; the middle of "
        f"{first['benchmark_year']} is {FORMATS.points(first['p50'])} (source: "
        f"{first['benchmark_source']})."
    )


def which_customers_to_keep(rows: Rows) -> str:
    """How many are a point from detractor, and how many of them came down.

    Args:
        rows: of the analysis.
    """
    if not rows:
        return "None is a point from detractor."
    down = [row for row in rows if row["direction"] == "down"]
    said = (
        f"{_several(len(rows), 'customer is', 'customers are')} a point from detractor and still "
        f"there; {len(down):,} of them came down to it"
    )
    if not down:
        return f"{said}."
    newest = down[0]
    return f"{said}, the last on {FORMATS.day(newest['response_date'])}: {newest['action']}"


def what_changed_in_what_we_published(rows: Rows) -> str:
    """How many numbers changed, the largest change, and why.

    Args:
        rows: of the analysis.
    """
    publications = rows[0]["publications"] if rows else 0
    if not publications:
        return "Nothing was published yet."
    changed = [row for row in rows if row["period_start"] is not None]
    of = _several(publications, "publication", "publications")
    if not changed:
        return f"Nothing, in {of}."
    first = changed[0]
    shown = "no score" if first["nps"] is None else FORMATS.points(first["nps"])
    now = "no score" if first["now_nps"] is None else FORMATS.points(first["now_nps"])
    return (
        f"{_several(len(changed), 'number', 'numbers')}, in {of}; the most that of "
        f"{_period(first['period_type'], first)}, from {shown} to {now}: "
        f"{words.restatement(first)}."
    )


ANSWERS: Mapping[str, Callable[[Rows], str]] = {
    "which_department_moved": which_department_moved,
    "why_did_the_score_move": why_did_the_score_move,
    "what_would_it_take": what_would_it_take,
    "how_do_we_compare": how_do_we_compare,
    "where_do_we_lose_most": where_do_we_lose_most,
    "which_complaint_weighs_most": which_complaint_weighs_most,
    "which_agents_differ": which_agents_differ,
    "are_detractors_called_back": are_detractors_called_back,
    "did_our_last_initiative_help": did_our_last_initiative_help,
    "which_customers_to_keep": which_customers_to_keep,
    "who_answers": who_answers,
    "what_changed_in_what_we_published": what_changed_in_what_we_published,
}
"""The sentence of each question, by the name of its analysis."""
