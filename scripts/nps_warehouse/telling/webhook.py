"""The outgoing webhook: off unless configured, signed, tried again, to the one address only.

The address and the secret are secrets both: whoever has the address of a channel may write to it.
Neither is in any repr, log, record or message of an error; only the host is.
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from standardwebhooks import Webhook
from urllib3.util import Retry

from nps_warehouse.telling.channels import FORMATS

URL_VARIABLE = "NPS_WEBHOOK_URL"
SECRET_VARIABLE = "NPS_WEBHOOK_SECRET"
FORMAT_VARIABLE = "NPS_WEBHOOK_FORMAT"
CA_VARIABLE = "REQUESTS_CA_BUNDLE"

TIMEOUTS = (5.0, 10.0)
"""Seconds until connected, and without an answer."""

RETRIES = 4
BACKOFF = 1.0
"""Seconds, doubled at each retry: 0, 2, 4, 8."""

RETRY_AFTER_MOST = 30
"""Seconds that the other side may ask us to wait. All tries fit into the five minutes for which a
receiver takes a signature."""

_SECRET_BYTES = range(24, 65)
_PREFIX = "whsec_"


class WebhookError(Exception):
    """It is not configured as it has to be; the text says what is wrong, without any secret."""


@dataclass(frozen=True)
class Address:
    """Where and how alerts are sent. Shown without the address' path and without the secret."""

    host: str
    form: str
    url: str = field(repr=False)
    secret: str | None = field(repr=False)
    ca_bundle: str | None = None


@dataclass(frozen=True)
class Sent:
    """What became of a message: `status` is the last answer's, `reason` says why it failed."""

    host: str
    form: str
    ok: bool
    status: int | None = None
    reason: str | None = None


def address_of(environ: Mapping[str, str]) -> Address | None:
    """Where alerts are sent; None where nothing is configured, and nothing is sent.

    Args:
        environ: environment variables.

    Raises:
        WebhookError: what is configured can't be used.
    """
    url = environ.get(URL_VARIABLE, "").strip()
    if not url:
        return None
    form = environ.get(FORMAT_VARIABLE) or "json"
    if form not in FORMATS:
        raise WebhookError(f"{FORMAT_VARIABLE} is {form!r}; it may be {', '.join(FORMATS)}")
    host = _checked(url)
    secret = environ.get(SECRET_VARIABLE, "").strip() or None
    if secret is not None:
        _check_secret(secret)
    elif form == "json":
        raise WebhookError(
            f"{SECRET_VARIABLE} is missing: without a signature the receiver can't know who sent "
            "what it gets"
        )
    return Address(host, form, url, secret, environ.get(CA_VARIABLE) or None)


def send(address: Address, message_id: str, body: bytes, now: datetime) -> Sent:
    """Send a message; whatever goes wrong is in the answer, never an exception.

    Args:
        address: where to.
        message_id: of the message; the receiver knows a repetition by it.
        body: JSON, as it is signed.
        now: with an offset.
    """
    headers = {"Content-Type": "application/json", "User-Agent": "nps-warehouse"}
    if address.secret is not None:
        headers |= _signature(address.secret, message_id, body, now)
    retry = Retry(
        total=RETRIES,
        redirect=0,
        status_forcelist=(429, 500, 502, 503, 504),
        allowed_methods=("POST",),
        backoff_factor=BACKOFF,
        retry_after_max=RETRY_AFTER_MOST,
        raise_on_status=False,
        raise_on_redirect=False,
    )
    with requests.Session() as session, _silence():
        # No password file, no proxy: it goes from here to the configured address.
        session.trust_env = False
        session.mount("https://", HTTPAdapter(max_retries=retry))
        session.mount("http://", HTTPAdapter(max_retries=retry))
        try:
            answer = session.post(
                address.url,
                data=body,
                headers=headers,
                timeout=TIMEOUTS,
                allow_redirects=False,
                verify=address.ca_bundle or True,
                # The answer's text is nobody's business, and may be endless.
                stream=True,
            )
        except Exception as problem:
            # Their messages hold the whole address, so only their kind is told: no traceback of
            # theirs may come to anybody who writes it down.
            return Sent(address.host, address.form, ok=False, reason=_why(problem))
        status = answer.status_code
        answer.close()
    if 200 <= status < 300:
        return Sent(address.host, address.form, ok=True, status=status)
    reason = "a redirect is not followed" if 300 <= status < 400 else "it was not accepted"
    return Sent(address.host, address.form, ok=False, status=status, reason=reason)


def _checked(url: str) -> str:
    """The host of an address that may be used."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise WebhookError(f"{URL_VARIABLE} is no address") from None
    if not host or parts.scheme not in ("https", "http"):
        raise WebhookError(f"{URL_VARIABLE} has to begin with https:// and a host")
    if parts.scheme == "http" and not _is_loopback(host):
        raise WebhookError(f"{URL_VARIABLE} has to be https, except for this machine itself")
    if parts.username is not None or parts.password is not None:
        raise WebhookError(f"{URL_VARIABLE} must not hold a name or password before the host")
    if any(letter.isspace() or not letter.isprintable() for letter in url) or "\\" in url:
        raise WebhookError(f"{URL_VARIABLE} holds a character that is in no address")
    return host


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _check_secret(secret: str) -> None:
    # The library's own reading drops what is no base64, and would sign with what is left.
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) not in _SECRET_BYTES:
        raise WebhookError(
            f"{SECRET_VARIABLE} has to be {_PREFIX} and {_SECRET_BYTES.start} to "
            f"{_SECRET_BYTES.stop - 1} bytes in base64"
        )


def _signature(secret: str, message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """The three headers of Standard Webhooks (HMAC-SHA256 over id, time and body)."""
    # The library takes any time for UTC.
    at = now.astimezone(UTC)
    signature = Webhook(secret).sign(message_id, at, body.decode())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }


@contextmanager
def _silence() -> Iterator[None]:
    """Nobody logs meanwhile: urllib3 warns of a retry with the path of the address in it."""
    names = [
        name
        for name in ("urllib3", "requests", *logging.Logger.manager.loggerDict)
        if name.split(".")[0] in ("urllib3", "requests")
    ]
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, was in zip(loggers, before, strict=True):
            logger.disabled = was


def _why(problem: Exception) -> str:
    if isinstance(problem, requests.exceptions.SSLError):
        return "its certificate is not trusted"
    if isinstance(problem, requests.Timeout):
        return "it did not answer in time"
    if isinstance(problem, requests.ConnectionError):
        return "it cannot be reached"
    return f"it could not be sent ({type(problem).__name__})"
