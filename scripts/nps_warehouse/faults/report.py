"""The tables of docs/faults.md, each between two comments that name it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nps_warehouse.faults.disk import MIB, FullDisks
from nps_warehouse.faults.kills import Campaign, Kill, strata
from nps_warehouse.faults.moving import Moving

NONE = "none"


def replace_part(file: Path, name: str, text: str) -> None:
    """Write a part of a page anew; the rest stays.

    Args:
        file: the page; made where it does not exist.
        name: of the part.
        text: Markdown.
    """
    begins, ends = f"<!-- {name} -->", f"<!-- end of {name} -->"
    page = file.read_text(encoding="utf-8") if file.exists() else ""
    part = f"{begins}\n\n{text.strip()}\n\n{ends}"
    if begins in page and ends in page:
        head, _, rest = page.partition(begins)
        page = head + part + rest.partition(ends)[2]
    else:
        page = f"{page.rstrip()}\n\n{part}\n".lstrip()
    file.write_text(page, encoding="utf-8")


def of_kills(result: Campaign) -> str:
    """A campaign of kills as Markdown.

    Args:
        result: the campaign.
    """
    median, high = result.recovery()
    rows = []
    for stratum in strata():
        kills = [kill for kill in result.kills if kill.moment.stratum == stratum]
        if kills:
            rows.append(_row(stratum, kills))
    rows.append(_row("**all**", result.kills))
    lines = [
        "| killed in | kills | unrecovered | rows lost | rows doubled |",
        "| --- | ---: | ---: | ---: | ---: |",
        *rows,
        "",
        (
            f"{len(result.kills)} kills (`--select {result.selection} --seed {result.seed}`; "
            f"{result.too_late} further runs were over before their moment). "
            f"{result.reads:,} reads meanwhile, of {result.versions_seen} versions; wrong reads: "
            f"**{len(result.wrong_reads)}**. An undisturbed run took "
            f"{result.undisturbed_seconds:.0f} s, the run after a kill {median:.0f} s (median; "
            f"95 % within {high:.0f} s)."
        ),
        *_problems([text for kill in result.kills for text in kill.problems] + result.wrong_reads),
    ]
    return "\n".join(lines)


def of_disks(result: FullDisks) -> str:
    """Runs on a full disk as Markdown.

    Args:
        result: of the runs.
    """
    lines = [
        "| full from | a file could grow to, MiB | exit code | next run, s | after it |",
        "| --- | ---: | ---: | ---: | --- |",
        *(
            f"| {run.step} | {run.limit / MIB:.3f} | {run.code} "
            f"| {run.after.recovery_seconds:.0f} | "
            f"{'as undisturbed' if not run.after.problems else 'see below'} |"
            for run in result.runs
        ),
        "",
        (
            f"{len(result.runs)} runs, {result.reads:,} reads meanwhile; wrong reads: "
            f"**{len(result.wrong_reads)}**."
        ),
        *_problems(result.problems),
    ]
    return "\n".join(lines)


def of_moving(result: Moving) -> str:
    """Runs over a delivery that changed as Markdown.

    Args:
        result: of the runs.
    """
    codes = ", ".join(str(code) for code in result.codes)
    lines = [
        (
            f"{len(result.codes)} runs (exit codes {codes}) while files were replaced, rewritten "
            f"in place or deleted {result.changes} times; files published in parts or mixed: "
            f"**{len(result.problems)}**."
        ),
        *_problems(result.problems),
    ]
    return "\n".join(lines)


def _row(name: str, kills: Sequence[Kill]) -> str:
    bad = sum(kill.unrecovered or bool(kill.problems) for kill in kills)
    lost, doubled = sum(kill.lost for kill in kills), sum(kill.doubled for kill in kills)
    return f"| {name} | {len(kills)} | {bad} | {lost} | {doubled} |"


def _problems(problems: Sequence[str]) -> list[str]:
    return ["", *(f"- {text}" for text in problems)] if problems else []
