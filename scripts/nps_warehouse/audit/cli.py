"""Command line of ``scripts/audit``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from nps_warehouse.audit.advisories import AdvisoryError, affects, read_advisories
from nps_warehouse.audit.locks import LockError, Release, held_together, problems_of, read_lock
from nps_warehouse.exit_codes import BAD_INPUT, CRITICAL_FAILED
from nps_warehouse.landing.contract import PROJECT_DIR


@click.command(
    name="audit",
    epilog="Exit codes: 0 nothing was found, 3 something was, 65 a file can't be read.",
)
@click.option(
    "--advisories",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of advisories in OSV's format: a copy of PyPI's advisory database.",
)
@click.option(
    "--requirements",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=PROJECT_DIR / "requirements",
    help="Folder of the locks.  [default: requirements/]",
)
def audit_command(advisories: Path | None, requirements: Path) -> None:
    """Check the locks of all environments, and what is installed.

    Every line has to be one release with its hashes, locks of one environment have to agree, what
    is installed has to fit together, and no advisory may name a release. Nothing is asked of the
    network: advisories come from a folder, and are as new as that.
    """
    try:
        locks = {file.name: read_lock(file) for file in sorted(requirements.glob("*.txt"))}
        releases = {
            (release.name, release.version): release for lock in locks.values() for release in lock
        }
        found = list(problems_of(locks, held_together(requirements)))
        click.echo(
            f"Locks      {len(locks)} with {len(releases):,} releases, "
            f"{sum(release.hashes for release in releases.values()):,} hashes"
        )
        found += _unfit()
        if advisories is None:
            click.echo("Advisories not looked at: name a folder of them with --advisories")
        else:
            found += _advised(advisories, list(releases.values()))
    except (LockError, AdvisoryError, OSError) as problem:
        click.echo(f"audit: {problem}", err=True)
        raise click.exceptions.Exit(BAD_INPUT) from problem
    for sentence in found:
        click.echo(f"FOUND      {sentence}")
    click.echo(f"Result     {len(found) or 'nothing'} found")
    if found:
        raise click.exceptions.Exit(CRITICAL_FAILED)


def _unfit() -> list[str]:
    """What `pip check` says of the environment that runs this."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "check"],
        capture_output=True,
        text=True,
        check=False,
    )
    click.echo(f"Installed  {(done.stdout or done.stderr).strip().splitlines()[-1]}")
    return [f"installed: {line}" for line in done.stdout.splitlines()] if done.returncode else []


def _advised(folder: Path, releases: list[Release]) -> list[str]:
    advisories = list(read_advisories(folder))
    if not advisories:
        raise AdvisoryError(f"{folder} holds no advisory on a project of PyPI")
    newest = max(advisory.modified for advisory in advisories)
    click.echo(f"Advisories {len(advisories):,}, the newest of {newest:%d %B %Y}")
    return [
        f"{release.name} {release.version} in {release.lock}: "
        f"{', '.join((advisory.id, *advisory.aliases))}"
        for advisory in advisories
        for release in releases
        if affects(advisory, release.name, release.version)
    ]


if __name__ == "__main__":
    audit_command(prog_name="scripts/audit")
