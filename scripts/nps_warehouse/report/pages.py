"""The pages of a report, each a file that needs nothing beside it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from slugify import slugify

from nps_warehouse.report import charts, words
from nps_warehouse.report.figures import About, Executive, Figures, Row, Team
from nps_warehouse.report.formats import Formats
from nps_warehouse.warehouse import reading

TEMPLATES = Path(__file__).with_name("templates")
FILE_MODE = 0o640
FOLDER_MODE = 0o750
INDEX = "index.html"
TEAMS = "teams"


@dataclass(frozen=True)
class Link:
    """Where a team's page is, from the first page."""

    team: str
    href: str


def hash_source(content: str) -> str:
    """What a content policy calls an inline style or script that it allows.

    Args:
        content: all of the element's text.
    """
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{b64encode(digest).decode()}'"


def policy(css: str, script: str | None = None) -> str:
    """A content policy: this style, this script, and nothing from anywhere.

    Args:
        css: the page's style.
        script: the page's script; None where it has none.
    """
    rules = ["default-src 'none'", f"style-src {hash_source(css)}", "img-src data:"]
    if script is not None:
        rules.append(f"script-src {hash_source(script)}")
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


def stylesheet() -> str:
    """The style of all pages."""
    text = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    text = text.replace("LIGHT", charts.variables_css(dark=False))
    return text.replace("DARK", charts.variables_css(dark=True)) + charts.palette_css() + "\n"


def environment(formats: Formats) -> jinja2.Environment:
    """Templates; whatever they show is escaped, and a name that is missing is an error.

    Args:
        formats: how numbers and dates are written.
    """
    jinja = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters.update(
        points=formats.points,
        signed=formats.signed,
        count=formats.count,
        day=formats.day,
        plain=words.plain,
    )
    jinja.globals.update(
        period=formats.period,
        days=formats.days,
        band=words.band,
        verdict=words.verdict,
        language=words.language,
        restatement=words.restatement,
        targets=words.TARGETS,
        positions=words.POSITIONS,
        classes=words.CLASSES,
        follow_ups=words.FOLLOW_UPS,
    )
    return jinja


def render(
    jinja: jinja2.Environment, template: str, script: str | None = None, **values: object
) -> str:
    """A page.

    Args:
        jinja: from `environment`.
        template: its file.
        script: the page's script; None where it has none.
        values: what the template shows.
    """
    css = stylesheet()
    return jinja.get_template(template).render(
        css=Markup(css),
        policy=policy(css, script),
        script=None if script is None else Markup(script),
        **values,
    )


def write(file: Path, text: str) -> None:
    """Put a page in place at once, readable by its owner and group.

    Args:
        file: where it goes; whatever was there is replaced.
        text: all of it.

    Raises:
        OSError: it cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    handle, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            os.fchmod(stream.fileno(), FILE_MODE)
            stream.write(text)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def file_names(teams: Iterable[str]) -> dict[str, str]:
    """A file name for each team: readable, safe, and no two the same.

    Args:
        teams: their names, in the order in which they get the shorter one.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for team in teams:
        slug = slugify(team) or "team"
        if slug in taken:
            # Of the name, not of the place: the same team keeps its address.
            slug = f"{slug}-{hashlib.sha256(team.encode()).hexdigest()[:8]}"
        taken.add(slug)
        names[team] = f"{slug}.html"
    return names


def totals(tables: Sequence[Row]) -> dict[str, Any]:
    """What became of the rows of all raw tables together.

    Args:
        tables: rows of `reconciliation`.
    """
    counted = ("rows_read", "rejected", "superseded", "excluded")
    total: dict[str, Any] = {name: sum(int(row[name]) for row in tables) for name in counted}
    return total | {"reconciles": all(row["reconciles"] for row in tables)}


def executive_page(
    jinja: jinja2.Environment,
    formats: Formats,
    about: About,
    executive: Executive,
    links: Sequence[Link],
) -> str:
    """The executive summary.

    Args:
        jinja: from `environment`.
        formats: how numbers and dates are written.
        about: what holds for the whole report.
        executive: its figures.
        links: pages of teams.
    """
    now = executive.period
    return render(
        jinja,
        "index.html.j2",
        about=about,
        executive=executive,
        links=links,
        total=totals(executive.tables),
        trend=charts.trend_chart(
            executive.trend,
            now["period_type"],
            formats,
            key="nps",
            title="NPS over time",
            target=executive.target["target"] if executive.target else None,
            height=250,
        ),
        effects=charts.effects_chart(
            executive.effects, formats, key="effects", title="Parts of the change by department"
        )
        if executive.effects
        else None,
        departments=charts.members_chart(
            executive.departments,
            formats,
            key="departments-nps",
            title="NPS of departments",
            company=now["nps"],
        ),
    )


def team_page(jinja: jinja2.Environment, formats: Formats, about: About, team: Team) -> str:
    """A team's page for its huddle.

    Args:
        jinja: from `environment`.
        formats: how numbers and dates are written.
        about: what holds for the whole report.
        team: its figures.
    """
    trend = None
    if team.trend:
        trend = charts.trend_chart(
            team.trend, team.trend_type, formats, key="nps", title="NPS of the team over time"
        )
    return render(jinja, "team.html.j2", about=about, team=team, trend=trend)


class UnknownTeamError(Exception):
    """There is no such team; the text says which there are."""


def chosen(packs: Sequence[Row], names: Sequence[str]) -> list[Row]:
    """The packs of the teams that were asked for.

    Args:
        packs: of all teams.
        names: of those wanted; none: all.

    Raises:
        UnknownTeamError: there is none of a name.
    """
    known = [str(pack["team"]) for pack in packs]
    for name in names:
        if name not in known:
            there = ", ".join(known) or "none"
            raise UnknownTeamError(f"there is no team {name} with answers; there are: {there}")
    return [pack for pack in packs if not names or pack["team"] in names]


def write_report(
    warehouse: Path,
    folder: Path,
    *,
    period_type: str = "month",
    locale: str = "en",
    teams: Sequence[str] = (),
) -> list[Path]:
    """Write the executive summary and a page per team.

    Args:
        warehouse: a published file or a warehouse; it is only read.
        folder: where the pages go: index.html and teams/….html. Pages of teams that are no more
            are removed where all teams are written.
        period_type: of the summary, see `figures.PERIOD_TYPES`: the last that is complete.
        locale: how numbers and dates are written.
        teams: names of teams; none: all, and the summary. With names, only these pages.

    Returns:
        The files, the summary first.

    Raises:
        NoFiguresError: there is nothing to report.
        UnknownTeamError: a team is not there.
        UnknownLocaleNameError: the locale is not there.
        click.ClickException: the warehouse can't be read.
        OSError: a file can't be written.
    """
    formats = Formats.of(locale)
    jinja = environment(formats)
    with reading(warehouse) as connection:
        figures = Figures(connection)
        about = figures.about()
        packs = figures.packs()
        last = figures.last_week()
        wanted = [
            figures.team(pack, is_current=pack["period_start"] == last)
            for pack in chosen(packs, teams)
        ]
        executive = None if teams else figures.executive(period_type)
    names = file_names(str(pack["team"]) for pack in packs)
    pages: dict[Path, str] = {}
    if executive is not None:
        links = [Link(team, f"{TEAMS}/{name}") for team, name in names.items()]
        pages[folder / INDEX] = executive_page(jinja, formats, about, executive, links)
    for team in wanted:
        pages[folder / TEAMS / names[team.team]] = team_page(jinja, formats, about, team)
    _put(pages)
    if executive is not None:
        for stale in sorted((folder / TEAMS).glob("*.html")):
            if stale not in pages:
                stale.unlink()
    return list(pages)


def _put(pages: Mapping[Path, str]) -> None:
    for file, text in pages.items():
        write(file, text)


def report_for_run(published_file: Path, folder: Path) -> list[Path]:
    """The report of a run, as its last step writes it.

    Args:
        published_file: what was published.
        folder: of the run; the pages go into its folder `report`.

    Returns:
        The files, the summary first.

    Raises:
        NoFiguresError: there is nothing to report.
        click.ClickException: the file can't be read.
        OSError: a page can't be written.
    """
    locale = os.environ.get("NPS_REPORT_LOCALE") or "en"
    return write_report(published_file, folder / "report", locale=locale)
