"""The list of customers who are to be forgotten: salted hashes in a file, never an id.

The file lies in a state folder outside everything a build makes, so that it outlives the warehouse:
a delivery that still holds a forgotten customer must not bring them back. It is only ever appended
to. Its first line tells whether the salt is still the same: with another one nobody on the list
would be found, and no one would notice.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nps_warehouse.durable import on_disk
from nps_warehouse.landing.contract import PROJECT_DIR

SALT_VARIABLE = "NPS_PRIVACY_SALT"
STATE_VARIABLE = "NPS_STATE_DIR"
DEFAULT_STATE_DIR = PROJECT_DIR / "state"
LIST_NAME = "suppressed_customers.txt"

_CHECK = "salt "
_CHECK_TEXT = b"nps_warehouse suppression list"


class SuppressionError(Exception):
    """The list can't be used; the text says why and what to do."""


@dataclass(frozen=True)
class Suppression:
    """Who is to be forgotten: HMAC-SHA256 digests in hexadecimal, and their salt."""

    salt: bytes
    digests: frozenset[str]

    def digest(self, customer_id: str) -> str:
        """The digest of a customer's id, which is trimmed already.

        Args:
            customer_id: the id as the contract reads it.
        """
        return digest(self.salt, customer_id)


def digest(salt: bytes, text: str) -> str:
    """HMAC-SHA256 (RFC 2104) in hexadecimal.

    Args:
        salt: the key.
        text: the message.
    """
    return hmac.new(salt, text.encode(), hashlib.sha256).hexdigest()


def list_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the list is: in NPS_STATE_DIR, else in the project's folder `state`.

    Args:
        environ: environment variables.
    """
    return Path(environ.get(STATE_VARIABLE) or DEFAULT_STATE_DIR) / LIST_NAME


def read_salt(environ: Mapping[str, str] = os.environ) -> bytes:
    """The salt of the environment.

    Args:
        environ: environment variables.

    Raises:
        SuppressionError: there is none.
    """
    salt = environ.get(SALT_VARIABLE, "")
    if not salt:
        raise SuppressionError(
            f"the environment variable {SALT_VARIABLE} is empty: without a secret salt the hashes "
            "of forgotten customers could be turned back by trying every customer id."
        )
    return salt.encode()


def load(environ: Mapping[str, str] = os.environ) -> Suppression | None:
    """The list with its salt; None where nobody was ever forgotten.

    Args:
        environ: environment variables.

    Raises:
        SuppressionError: there is a list, and no salt, another salt, or a broken line in it.
    """
    file = list_file(environ)
    try:
        text = file.read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as problem:
        raise SuppressionError(f"{file} can't be read: {problem}") from problem
    try:
        salt = read_salt(environ)
    except SuppressionError as problem:
        raise SuppressionError(f"{file} lists customers to be forgotten, and {problem}") from None
    lines = text.splitlines()
    if not lines:
        return None
    if lines[0] != _CHECK + digest(salt, _CHECK_TEXT.decode()):
        raise SuppressionError(
            f"{file} was written with another {SALT_VARIABLE} than today's: nobody on it would be "
            "found, and those who were forgotten would come back."
        )
    broken = [line for line in lines[1:] if len(line) != 64 or set(line) - set("0123456789abcdef")]
    # Without its end a last line was cut short by a crash; then it was never promised to be there.
    if broken and not (broken == [lines[-1]] and not text.endswith("\n")):
        raise SuppressionError(f"{file} has a line that is no digest: {broken[0][:70]!r}")
    return Suppression(salt, frozenset(set(lines[1:]) - set(broken)))


def add(customer_ids: Iterable[str], environ: Mapping[str, str] = os.environ) -> int:
    """Put customers on the list, on disk when this returns; returns how many were not on it.

    Args:
        customer_ids: their ids, trimmed.
        environ: environment variables.

    Raises:
        SuppressionError: there is no salt, or the list can't be used.
    """
    salt = read_salt(environ)
    file = list_file(environ)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+", encoding="ascii") as stream:
        # Two at once would both find the same customer missing.
        fcntl.flock(stream, fcntl.LOCK_EX)
        known = load(environ)
        stream.seek(0)
        text = stream.read()
        fresh = sorted(
            {digest(salt, one) for one in customer_ids} - (known.digests if known else set())
        )
        if not text:
            stream.write(_CHECK + digest(salt, _CHECK_TEXT.decode()) + "\n")
        elif not text.endswith("\n"):
            # What a crash cut short is ended here, and written again below where it is needed.
            stream.truncate(text.rfind("\n") + 1)
        stream.writelines(f"{one}\n" for one in fresh)
        stream.flush()
        os.fsync(stream.fileno())
    on_disk(file.parent)
    return len(fresh)
