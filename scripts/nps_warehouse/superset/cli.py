"""The command behind scripts/superset; runs in the environment of requirements/superset.txt."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

import click

from nps_warehouse import exit_codes
from nps_warehouse.superset.description import DescriptionError, dashboards, datasets
from nps_warehouse.superset.people import PeopleError, people_in

ADMIN_VARIABLE = "NPS_SUPERSET_ADMIN"
PASSWORD_VARIABLE = "NPS_SUPERSET_ADMIN_PASSWORD"
KEY_VARIABLE = "NPS_SUPERSET_SECRET_KEY"
HOME_VARIABLE = "NPS_SUPERSET_HOME"
PEOPLE_VARIABLE = "NPS_SUPERSET_PEOPLE"
KEY_FILE = "secret_key"
SHORTEST_PASSWORD = 12
HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parents[3]


class CannotStart(click.ClickException):
    """Something is missing; the text says what."""

    exit_code = exit_codes.BAD_INPUT


def _home() -> Path:
    home = Path(os.environ.get(HOME_VARIABLE) or ROOT / "target" / "superset").absolute()
    os.umask(0o077)
    home.mkdir(parents=True, exist_ok=True)
    return home


def _secret_key(home: Path) -> str:
    """The key that signs sessions: of the environment, else made once and kept for its owner."""
    given = os.environ.get(KEY_VARIABLE)
    if given:
        return given
    file = home / KEY_FILE
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return file.read_text(encoding="utf-8").strip()


def _set_up() -> None:
    """Tell Superset where its settings and its own tables are."""
    home = _home()
    os.environ[HOME_VARIABLE] = str(home)
    os.environ[KEY_VARIABLE] = _secret_key(home)
    os.environ["SUPERSET_CONFIG_PATH"] = str(ROOT / "dashboards/superset/superset_config.py")
    os.environ["FLASK_APP"] = "superset.app:create_app()"
    # Superset itself asks for a picture that counts its users, unless this is so.
    os.environ["SCARF_ANALYTICS"] = "false"


def _published() -> Path:
    folder = Path(os.environ.get("NPS_PUBLISHED_DIR") or ROOT / "published")
    file = (folder / (os.environ.get("NPS_PUBLISHED_NAME") or "nps.duckdb")).absolute()
    if not file.is_file():
        raise CannotStart(
            f"{file} is not there: nothing was published yet. `./scripts/nps run` publishes; "
            "NPS_PUBLISHED_DIR names another folder."
        )
    return file


def _password() -> str:
    found = os.environ.get(PASSWORD_VARIABLE, "")
    if len(found) < SHORTEST_PASSWORD:
        problem = "too short" if found else "not set"
        raise CannotStart(
            f"{PASSWORD_VARIABLE} is {problem}: put the administrator's password into it, "
            f"{SHORTEST_PASSWORD} characters or more. It stands in no file."
        )
    return found


@click.group()
def main() -> None:
    """Apache Superset on what is published."""


@main.command()
def prepare() -> None:
    """Bring Superset to what dashboards/superset describes."""
    password = _password()
    published = _published()
    manifest = Path(os.environ.get("DBT_TARGET_PATH") or ROOT / "target") / "manifest.json"
    listed = os.environ.get(PEOPLE_VARIABLE)
    try:
        people = people_in(Path(listed)) if listed else []
        _set_up()
        # Superset reads its settings when it is loaded.
        from nps_warehouse.superset.loading import load

        load(
            dashboards(),
            datasets(),
            published,
            manifest,
            people,
            (os.environ.get(ADMIN_VARIABLE) or "admin", password),
            os.environ,
        )
    except (DescriptionError, PeopleError) as problem:
        raise CannotStart(str(problem)) from None


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8088, show_default=True)
@click.option("--workers", type=click.IntRange(1, 32), default=1, show_default=True)
def serve(port: int, workers: int) -> None:
    """Serve it on this machine alone, until it is stopped."""
    _published()
    _set_up()
    print(f"Superset is on http://{HOST}:{port}/dashboard/list/", file=sys.stderr, flush=True)
    gunicorn = Path(sys.executable).with_name("gunicorn")
    arguments = [
        *("--bind", f"{HOST}:{port}", "--workers", str(workers)),
        *("--worker-class", "gthread", "--threads", "8", "--timeout", "120"),
        *("--log-level", "warning", "superset.app:create_app()"),
    ]
    os.execv(gunicorn, [str(gunicorn), *arguments])


if __name__ == "__main__":
    main()
