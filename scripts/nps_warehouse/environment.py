"""Make the project's own Python environments, ``.venv`` first, from the locks in ``requirements/``.

Run by ``scripts/setup`` with the machine's Python, before anything is installed: standard library
only. An orchestrator has an environment of its own beside it, ``.venv-<name>``. An environment that
already holds the locks asked for is left alone. One that was made from other locks, for another
folder or by a Python that is gone is made anew, so that it never holds what no lock names.
"""

import argparse
import fcntl
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import TypedDict

MARKER = "nps_warehouse.json"
ENVIRONMENT = ".venv"
ENVIRONMENTS = (
    ENVIRONMENT,
    ".venv-airflow",
    ".venv-dagster",
    ".venv-ducklake",
    ".venv-metricflow",
    ".venv-postgres",
    ".venv-spark",
    ".venv-superset",
)


class Marker(TypedDict):
    """What an environment records of itself, in its ``nps_warehouse.json``."""

    folder: str
    python: str
    locks: dict[str, str]


class SetupError(Exception):
    """The environment cannot be made; the text says why and what to do."""


def lock_digest(lock: Path) -> str:
    """SHA-256 of a lock file.

    Args:
        lock: a file of ``requirements/``.

    Raises:
        SetupError: there is no such lock.
    """
    try:
        return hashlib.sha256(lock.read_bytes()).hexdigest()
    except FileNotFoundError:
        raise SetupError(f"there is no lock {lock}") from None


def read_marker(folder: Path) -> Marker | None:
    """What the environment in ``folder`` recorded; None where that cannot be read.

    Args:
        folder: the environment.
    """
    try:
        content = json.loads((folder / MARKER).read_text())
        return Marker(
            folder=content["folder"], python=content["python"], locks=dict(content["locks"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_current(root: Path, marker: Marker, environment: str = ENVIRONMENT) -> bool:
    """Whether an environment still is what its marker says.

    Args:
        root: the project's folder.
        marker: what the environment recorded when it was made.
        environment: the environment's folder in ``root``.
    """
    if marker["folder"] != str(root):
        return False
    for name, digest in marker["locks"].items():
        lock = root / "requirements" / f"{name}.txt"
        if not lock.exists() or lock_digest(lock) != digest:
            return False
    # A Python that the machine has since upgraded or removed leaves a dangling or wrong link.
    try:
        answer = subprocess.run(
            [root / environment / "bin" / "python", "-c", "import pip, sys; print(sys.version)"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.rstrip("\n") == marker["python"]


def create(root: Path, environment: str = ENVIRONMENT) -> Marker:
    """Make an empty environment that finds the code in ``scripts/``; returns its marker.

    Args:
        root: the project's folder.
        environment: the environment's folder in ``root``.

    Raises:
        SetupError: the machine's Python cannot make environments.
    """
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupError(
            f"{sys.executable} has no ensurepip, so it cannot make environments; "
            "on Debian and Ubuntu the package python3-venv brings it"
        )
    folder = root / environment
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    marker = Marker(folder=str(root), python=sys.version, locks={})
    # Written first: a folder that was left half-made is then still known to be ours.
    (folder / MARKER).write_text(json.dumps(marker))
    try:
        venv.create(folder, with_pip=True, symlinks=True)
    except subprocess.CalledProcessError as error:
        raise SetupError(f"{sys.executable} could not make {folder}: {error}") from error
    base = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", scheme="venv", vars=base))
    (packages / "nps_warehouse.pth").write_text(f"{root / 'scripts'}\n")
    return marker


def install(root: Path, name: str, environment: str = ENVIRONMENT) -> None:
    """Install the lock ``requirements/<name>.txt`` into an environment.

    Args:
        root: the project's folder.
        name: the lock's name, without its suffix.
        environment: the environment's folder in ``root``.

    Raises:
        SetupError: pip could not install the lock, or what is installed does not agree.
    """
    python = str(root / environment / "bin" / "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "-qq"]
    lock = str(root / "requirements" / f"{name}.txt")
    # The lock is whole, so pip has nothing to resolve. Where it says nothing else, a wheel of each
    # release is there, so nothing is compiled and no release's own set-up code runs. What it names
    # after --no-binary is made by what from_source.txt has installed, not by what pip would fetch.
    options = ["--no-input", "--require-hashes", "--no-deps", "--only-binary", ":all:"]
    options += ["--use-pep517", "--no-build-isolation"]
    for command in ([*pip, "install", *options, "-r", lock], [*pip, "check"]):
        if subprocess.run(command, check=False).returncode != 0:
            raise SetupError(f"could not install {lock}; pip's message is above")


def ensure(root: Path, names: list[str], environment: str = ENVIRONMENT) -> None:
    """Make an environment hold the locks asked for, if it does not yet.

    Args:
        root: the project's folder.
        names: locks of ``requirements/``, without their suffix, in the order of installation.
        environment: the environment's folder in ``root``.

    Raises:
        SetupError: it cannot be done; the text says why.
    """
    folder = root / environment
    # The system releases the lock when the process ends, however it ends.
    with (root / f"{environment}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).exists():
            raise SetupError(
                f"{folder} exists and was not made by this project; move it away and try again"
            )
        marker = read_marker(folder)
        if marker is None or not is_current(root, marker, environment):
            marker = create(root, environment)
        for name in names:
            if name in marker["locks"]:
                continue
            what = f"requirements/{name}.txt into {environment}"
            print(f"Installing {what} ...", file=sys.stderr, flush=True)
            # The digest is taken first: a lock edited meanwhile is then seen as changed.
            digest = lock_digest(root / "requirements" / f"{name}.txt")
            install(root, name, environment)
            marker["locks"][name] = digest
            unfinished = folder / f"{MARKER}.new"
            unfinished.write_text(json.dumps(marker, indent=2))
            unfinished.replace(folder / MARKER)


def main() -> int:
    """Command line: the names of the locks to have installed. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("locks", nargs="+", metavar="LOCK", help="a lock's name, as in build")
    parser.add_argument(
        "--into", default=ENVIRONMENT, choices=ENVIRONMENTS, help="the folder  [default: .venv]"
    )
    root = Path(__file__).resolve().parents[2]
    arguments = parser.parse_args()
    try:
        ensure(root, arguments.locks, arguments.into)
    except SetupError as failure:
        print(f"setup: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
