"""A PostgreSQL server of one's own, on loopback, in a folder under ``target/``.

For a developer and for tests: nothing but Debian's package ``postgresql`` has to be there. The
server refuses to be started by root; as root it is run as the user that the package makes.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

VARIABLES = ("HOST", "PORT", "USER", "PASSWORD", "DATABASE")
PREFIX = "NPS_POSTGRES_"
FOLDER_VARIABLE = "NPS_POSTGRES_FOLDER"
PROJECT = Path(__file__).resolve().parents[3]
SYSTEM_USER = "postgres"
OWNER = "nps"
DATABASE = "nps_warehouse"
LOOPBACK = "127.0.0.1"
# What a build of the sample needs to be fast; durability is no concern of a folder under target/.
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "shared_buffers": "256MB",
    "work_mem": "64MB",
    "max_wal_size": "2GB",
    "fsync": "off",
    "synchronous_commit": "off",
    "jit": "off",
    "timezone": "UTC",
}


class ServerError(Exception):
    """The server can't be used; the text says why and what to do."""


@dataclass(frozen=True)
class Address:
    """Where a server listens, and who it lets in."""

    host: str
    port: int
    user: str
    password: str
    database: str

    def environment(self, prefix: str = PREFIX) -> dict[str, str]:
        """The variables that ``profiles.yml`` and the commands read.

        Args:
            prefix: what their names begin with.
        """
        values = (self.host, str(self.port), self.user, self.password, self.database)
        return {prefix + name: value for name, value in zip(VARIABLES, values, strict=True)}


def address(
    environ: Mapping[str, str] = os.environ, prefix: str = PREFIX, database: str = DATABASE
) -> Address:
    """The server that the environment names; on loopback where it names none.

    Args:
        environ: environment variables.
        prefix: what the names of the variables begin with.
        database: the one that is meant where the environment names none.

    Raises:
        ServerError: the port is no number.
    """
    port = environ.get(f"{prefix}PORT") or "5432"
    if not port.isdecimal():
        raise ServerError(f"{prefix}PORT is {port}, which is no number")
    return Address(
        environ.get(f"{prefix}HOST") or LOOPBACK,
        int(port),
        environ.get(f"{prefix}USER") or OWNER,
        environ.get(f"{prefix}PASSWORD") or "",
        environ.get(f"{prefix}DATABASE") or database,
    )


def programs() -> Path:
    """The folder of the newest PostgreSQL server of this machine.

    Raises:
        ServerError: there is none.
    """
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(path.parts[-3]) if path.parts[-3].isdecimal() else 0,
    )
    if found:
        return found[-1].parent
    program = shutil.which("initdb")
    if program is None:
        raise ServerError("there is no PostgreSQL server; on Debian: apt-get install postgresql")
    return Path(program).parent


class Server:
    """A server whose files lie in one folder."""

    def __init__(
        self, folder: Path, database: str = DATABASE, variable: str = FOLDER_VARIABLE
    ) -> None:
        """Make nothing yet.

        Args:
            folder: where its data, its log and its password lie.
            database: that it is to have.
            variable: which of the environment names the folder.
        """
        self.folder = folder
        self.database = database
        self.variable = variable
        self.data = folder / "data"
        self.password_file = folder / "password"
        self.port_file = folder / "port"

    def start(self) -> Address:
        """Start the server, making it first where there is none; returns where it listens.

        Raises:
            ServerError: it does not start; the text has the end of its log.
        """
        if not (self.data / "PG_VERSION").exists():
            self._make()
        if not self.is_running():
            port = _free_port()
            self._write(self.port_file, str(port))
            options = " ".join(f"-c {name}='{value}'" for name, value in SETTINGS.items())
            self._run(
                "pg_ctl", "-D", self.data, "-l", self.folder / "log", "-w", "-t", "60",
                "-o", f"-p {port} {options}", "start",
            )  # fmt: skip
        address = self.address()
        with contextlib.suppress(ServerError):
            # It is there already, but for a server just made.
            self._run("createdb", *self._login(address), address.database)
        return address

    def stop(self) -> None:
        """Stop the server, if it runs; who is connected is sent away."""
        if self.is_running():
            self._run("pg_ctl", "-D", self.data, "-m", "fast", "-w", "-t", "60", "stop")

    def remove(self) -> None:
        """Stop the server and delete its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def is_running(self) -> bool:
        """Whether the server runs."""
        if not (self.data / "PG_VERSION").exists():
            return False
        with contextlib.suppress(ServerError):
            self._run("pg_ctl", "-D", self.data, "status")
            return True
        return False

    def address(self) -> Address:
        """Where the server listens.

        Raises:
            ServerError: it was never started.
        """
        try:
            port = int(self.port_file.read_text())
            password = self.password_file.read_text()
        except FileNotFoundError:
            raise ServerError(f"no server was started in {self.folder}") from None
        return Address(LOOPBACK, port, OWNER, password, self.database)

    def _login(self, address: Address) -> list[str]:
        return ["-h", address.host, "-p", str(address.port), "-U", address.user]

    def _make(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o750)
        if os.geteuid() == 0:
            shutil.chown(self.folder, _system_user())
            self._let_server_in()
        self._write(self.password_file, secrets.token_urlsafe(24))
        # Texts are ordered by their code points, as in DuckDB; letters are those of Unicode.
        self._run(
            "initdb", "-D", self.data, "-U", OWNER, "-A", "scram-sha-256",
            "--pwfile", self.password_file, "-E", "UTF8", "--locale=C.UTF-8", "--lc-collate=C",
            "--no-sync",
        )  # fmt: skip

    def _let_server_in(self) -> None:
        """Let the server's own user pass through folders of the project to its files.

        Raises:
            ServerError: it can't pass through another folder.
        """
        for parent in self.folder.resolve().parents:
            if not parent.stat().st_mode & 0o001:
                if not parent.is_relative_to(PROJECT):
                    raise ServerError(
                        f"the user {SYSTEM_USER} can't pass through {parent}; name another folder "
                        f"for the server in {self.variable}"
                    )
                parent.chmod(parent.stat().st_mode | 0o001)

    def _write(self, file: Path, text: str) -> None:
        file.touch(mode=0o600)
        file.chmod(0o600)
        file.write_text(text)
        if os.geteuid() == 0:
            shutil.chown(file, _system_user())

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [str(programs() / program), *map(str, arguments)]
        if os.geteuid() == 0:
            command = ["runuser", "-u", _system_user(), "--", *command]
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        with contextlib.suppress(FileNotFoundError):
            environment["PGPASSWORD"] = self.password_file.read_text()
        # The server keeps what it inherits open: a pipe would never end.
        log = self.folder / "commands.log"
        with log.open("a+") as output:
            ended = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False,
                cwd="/", env=environment,
            )  # fmt: skip
        if ended.returncode != 0:
            said = log.read_text().splitlines()[-5:]
            raise ServerError(f"{program} failed: {' '.join(said)}")


def _system_user() -> str:
    try:
        return pwd.getpwnam(SYSTEM_USER).pw_name
    except KeyError:
        raise ServerError(
            f"PostgreSQL can't be started by root, and there is no user {SYSTEM_USER}"
        ) from None


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((LOOPBACK, 0))
        return int(one.getsockname()[1])
