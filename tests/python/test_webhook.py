"""The outgoing webhook: what is sent, how often, to whom, and what nobody may find of it."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
import logging
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, cast

import pytest
from click.testing import CliRunner, Result
from nps_warehouse import exit_codes
from nps_warehouse.cli import main
from nps_warehouse.runs.record import Clock, Run, RunRecord, read_run
from nps_warehouse.telling import tell, webhook
from nps_warehouse.telling.alerts import Alert, Figure
from nps_warehouse.telling.channels import (
    SLACK_HEADER,
    SLACK_SECTION,
    SLACK_TEXT,
    TEAMS_BYTES,
    Message,
    encoded,
    to_json,
    to_slack,
    to_teams,
)
from nps_warehouse.telling.status import WATCHDOG_FILE
from nps_warehouse.telling.webhook import Address, WebhookError, address_of, send
from published_by_hand import published
from standardwebhooks import Webhook

NOW = datetime(2026, 3, 21, 2, 30, tzinfo=UTC)
KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
TOKEN = "T0planted/B0token"
SHIPPED_TIMEOUTS = webhook.TIMEOUTS


@dataclass
class Answer:
    """What the server says next: after how many seconds, with which status and headers."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0


class Receiver(ThreadingHTTPServer):
    """Listens on the loopback, answers as planned (then 200), and keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.plan: list[Answer] = []
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/services/{TOKEN}"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = cast(Receiver, self.server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): text for name, text in self.headers.items()}
        server.requests.append((self.command, self.path, headers, body))
        answer = server.plan.pop(0) if server.plan else Answer(200)
        threading.Event().wait(answer.after)
        self.send_response(answer.status)
        for name, text in answer.headers.items():
            self.send_header(name, text)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST  # noqa: N815

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Says nothing."""


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(webhook, "BACKOFF", 0.01)
    monkeypatch.setattr(webhook, "TIMEOUTS", (0.3, 0.3))
    with Receiver() as server:
        yield server


def to(server: Receiver, form: str = "json") -> Address:
    given = {"NPS_WEBHOOK_URL": server.url, "NPS_WEBHOOK_FORMAT": form}
    address = address_of({**given, "NPS_WEBHOOK_SECRET": SECRET})
    assert address is not None
    return address


def test_nothing_is_configured_and_nothing_is_sent() -> None:
    assert address_of({}) is None
    assert address_of({"NPS_WEBHOOK_SECRET": SECRET}) is None


def test_a_published_signature() -> None:
    # The example of the Standard Webhooks specification and of its reference libraries.
    headers = webhook._signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        # The library takes any time for UTC: a time elsewhere has to be the same moment.
        datetime.fromtimestamp(1614265330, timezone(timedelta(hours=5))),
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_what_is_sent_is_signed(receiver: Receiver) -> None:
    body = encoded({"name": "Zürich"})
    now = datetime.now(UTC)
    assert send(to(receiver), "msg_1", body, now).ok
    ((method, path, headers, got),) = receiver.requests
    assert (method, path, got) == ("POST", f"/services/{TOKEN}", body)
    assert headers["content-type"] == "application/json"
    # By hand, and by the library as a receiver uses it.
    signed = b"msg_1." + headers["webhook-timestamp"].encode() + b"." + got
    digest = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"
    assert Webhook(SECRET).verify(got, headers) == {"name": "Zürich"}
    assert "authorization" not in headers


@pytest.mark.parametrize(
    ("plan", "tries", "ok", "status"),
    [
        pytest.param([Answer(500), Answer(500), Answer(200)], 3, True, 200, id="fails twice"),
        pytest.param([Answer(429, {"Retry-After": "0"}), Answer(204)], 2, True, 204, id="busy"),
        pytest.param([Answer(503)] * 9, 5, False, 503, id="fails always"),
        pytest.param([Answer(404)], 1, False, 404, id="not there"),
        pytest.param([Answer(400)], 1, False, 400, id="not understood"),
        pytest.param([Answer(200, after=0.6), Answer(200)], 2, True, 200, id="slow once"),
    ],
)
def test_it_is_tried_again_where_that_may_help(
    receiver: Receiver, plan: list[Answer], tries: int, ok: bool, status: int
) -> None:
    receiver.plan = plan
    sent = send(to(receiver), "msg_1", b"{}", NOW)
    assert (sent.ok, sent.status) == (ok, status)
    assert len(receiver.requests) == tries
    # The same message each time, so that a receiver knows a repetition.
    assert (
        len({(got[2]["webhook-id"], got[2]["webhook-signature"]) for got in receiver.requests}) == 1
    )


def test_it_waits_as_long_as_it_is_asked_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    receiver.plan = [Answer(429, {"Retry-After": "7"}), Answer(429, {"Retry-After": "86400"})]
    assert send(to(receiver), "msg_1", b"{}", NOW).ok
    assert [wait for wait in waits if wait >= 1] == [7, webhook.RETRY_AFTER_MOST]
    # Everything fits into the five minutes for which receivers take a signature.
    tries = webhook.RETRIES + 1
    assert tries * sum(SHIPPED_TIMEOUTS) + webhook.RETRIES * webhook.RETRY_AFTER_MOST < 300


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    with Receiver() as other:
        for status in (301, 302, 307, 308):
            receiver.plan = [Answer(status, {"Location": other.url})]
            sent = send(to(receiver), "msg_1", b"{}", NOW)
            assert (sent.ok, sent.status, sent.reason) == (
                False, status, "a redirect is not followed",
            )  # fmt: skip
        assert other.requests == []


def test_no_proxy_and_no_password_file_has_a_say(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert send(to(receiver), "msg_1", b"{}", NOW).ok
    assert "authorization" not in receiver.requests[0][2]


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/x",
        "ftp://hooks.example.com/x",
        "https:///path",
        "hooks.example.com",
        "https://example:b@hooks.example.com/x",
        "https://hooks.example.com:port/x",
        "https://hooks.example.com/x y",
        "https://hooks.example.com\\@other.example.com/",
        "http://127.0.0.1.example.com/x",
        "https://[::1/x",
    ],
)
def test_an_address_that_is_not_safe_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(WebhookError) as refused:
        address_of({"NPS_WEBHOOK_URL": url, "NPS_WEBHOOK_SECRET": SECRET})
    assert url not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    "url", ["https://x.example.com/y", "http://localhost:1/y", "http://[::1]/"]
)
def test_https_anywhere_and_http_on_this_machine(url: str) -> None:
    assert address_of({"NPS_WEBHOOK_URL": url, "NPS_WEBHOOK_SECRET": SECRET}) is not None


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "hunter2",
        "correct horse battery staple correct horse",
        "whsec_",
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        SECRET[:-3] + "*" + SECRET[-2:],
    ],
)
def test_a_secret_that_is_none_is_refused_without_being_shown(secret: str) -> None:
    given = {"NPS_WEBHOOK_URL": "https://x.example.com", "NPS_WEBHOOK_SECRET": secret}
    with pytest.raises(WebhookError) as refused:
        address_of(given)
    assert not secret or secret == "whsec_" or secret not in str(refused.value)


def test_channels_know_their_address_alone() -> None:
    given = {"NPS_WEBHOOK_URL": "https://x.example.com/y"}
    for form in ("slack", "teams"):
        address = address_of({**given, "NPS_WEBHOOK_FORMAT": form})
        assert address is not None
        assert address.secret is None
    with pytest.raises(WebhookError, match="it may be json, slack, teams"):
        address_of({**given, "NPS_WEBHOOK_FORMAT": "telegram"})


def an_alert(number: int, text: str = "x") -> Alert:
    figures = (Figure("NPS", -0.04, "points", "95 % interval -9.0 to 9.0"),)
    return Alert(
        "gate_failed",
        "critical",
        f"{number} {text}",
        text,
        text,
        "company",
        (str(number),),
        figures,
    )


def a_message(alerts: Sequence[Alert], text: str = "said") -> Message:
    return Message("20260321T020000Z-aaaaaa", NOW.isoformat(), text, text, alerts, {})


LONG = "<&>" * 2000
HOSTILE = "<!channel> & <https://evil.example.com|click> [x](https://evil.example.com) *b*"


@pytest.mark.parametrize("alerts", [0, 1, 40])
@pytest.mark.parametrize("text", ["said", LONG, HOSTILE])
def test_slack_gets_what_it_takes(alerts: int, text: str) -> None:
    # Limits of Block Kit's reference: blocks, characters of a header and of a section.
    body = to_slack(a_message([an_alert(number, text) for number in range(alerts)], text))
    assert set(body) == {"text", "blocks"}
    assert len(body["text"]) <= SLACK_TEXT == 4000
    assert 1 <= len(body["blocks"]) <= 50
    for block in body["blocks"]:
        if block["type"] == "divider":
            continue
        content = block["text"]["text"]
        assert content
        if block["type"] == "header":
            assert block["text"]["type"] == "plain_text"
            assert len(content) <= SLACK_HEADER == 150
            continue
        assert (block["type"], block["text"]["type"]) == ("section", "mrkdwn")
        assert len(content) <= SLACK_SECTION == 3000
        assert not set("<>") & set(content)
        # Every & begins a whole entity.
        rest = content
        for entity in ("&amp;", "&lt;", "&gt;"):
            rest = rest.replace(entity, "")
        assert "&" not in rest
    if alerts == 40:
        assert "And 30 more" in body["blocks"][-1]["text"]["text"]


@pytest.mark.parametrize("alerts", [0, 1, 40])
@pytest.mark.parametrize("text", ["said", LONG, HOSTILE])
def test_teams_gets_what_it_takes(alerts: int, text: str) -> None:
    body = to_teams(a_message([an_alert(number, text) for number in range(alerts)], text))
    assert len(encoded(body)) <= TEAMS_BYTES == 28 * 1024
    assert body["type"] == "message"
    (attachment,) = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    for element in card["body"]:
        # TextBlocks read Markdown, text runs do not: a name can't become a link.
        assert element["type"] == "RichTextBlock"
        (run,) = element["inlines"]
        assert run["type"] == "TextRun"
        assert isinstance(run["text"], str)
    if alerts == 1:
        words = [element["inlines"][0]["text"] for element in card["body"]]
        assert any(word.startswith("Critical: 0 ") for word in words)
        assert "NPS 0.0 (95 % interval -9.0 to 9.0)" in words


def test_programs_get_everything() -> None:
    alerts = [an_alert(number) for number in range(40)]
    body = json.loads(encoded(to_json(a_message(alerts))))
    assert set(body) == {"type", "timestamp", "data"}
    assert [one["fingerprint"] for one in body["data"]["alerts"]] == [
        one.fingerprint for one in alerts
    ]


def failed_run(number: int) -> Run:
    return Run(
        f"20260321T02000{number}Z-aaaaaa", NOW, NOW, "failed", 65, "land", "A file is missing", None
    )


def test_an_alert_is_sent_once_and_tried_again_until_it_was(
    receiver: Receiver, tmp_path: Path
) -> None:
    published(tmp_path / "published", NOW)
    receiver.plan = [Answer(404)]
    environ = {"NPS_WEBHOOK_URL": receiver.url, "NPS_WEBHOOK_SECRET": SECRET}
    seen = []
    for number in range(3):
        run = failed_run(number)
        (tmp_path / "runs" / run.run_id).mkdir(parents=True)
        tell(run, tmp_path / "runs", tmp_path / "published", tmp_path / "w", NOW, environ)
        told = json.loads((tmp_path / "runs" / run.run_id / "alerts.json").read_text())
        (alert,) = told["alerts"]
        outcome = told["webhook"] and told["webhook"]["ok"]
        seen.append((outcome, alert["repeated"], alert["sent_at"] is not None))
    assert seen == [(False, False, False), (True, True, True), (None, True, True)]
    assert len(receiver.requests) == 2
    data = json.loads(receiver.requests[1][3])["data"]
    assert data["headline"] == "Failed: what was published before still stands."
    assert [alert["kind"] for alert in data["alerts"]] == ["run_failed"]


def test_what_was_not_taken_is_sent_by_hand_once(receiver: Receiver, tmp_path: Path) -> None:
    published(tmp_path / "published", NOW)
    record = RunRecord.begin(
        tmp_path / "runs", clock=Clock(NOW), asked=["land"], versions={}, warehouse=tmp_path / "w"
    )
    record.ended("failed", 65, "land", "A file is missing")
    record.close()
    environ = {"NPS_WEBHOOK_URL": receiver.url, "NPS_WEBHOOK_FORMAT": "slack"}
    receiver.plan = [Answer(404)]
    run = read_run(record.folder)
    tell(run, tmp_path / "runs", tmp_path / "published", tmp_path / "w", NOW, environ)
    given = {
        **environ,
        "NPS_PUBLISHED_DIR": str(tmp_path / "published"),
        "NPS_RUNS_DIR": str(tmp_path / "runs"),
    }
    for said in ("Sent to 127.0.0.1.", ""):
        result = CliRunner().invoke(
            main, ["alerts", "--send", "--now", NOW.isoformat()], env=given, catch_exceptions=False
        )
        assert result.exit_code == 0
        assert result.stderr.strip() == said
    assert len(receiver.requests) == 2


def command(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nps_warehouse.cli", *arguments],
        env={
            **{name: text for name, text in os.environ.items() if not name.startswith("NPS_")},
            **environ,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_watchdog_tells_once_that_the_scheduler_died(
    receiver: Receiver, tmp_path: Path
) -> None:
    environ = {
        "NPS_WEBHOOK_URL": receiver.url,
        "NPS_WEBHOOK_FORMAT": "slack",
        "NPS_PUBLISHED_DIR": str(tmp_path / "published"),
        "NPS_RUNS_DIR": str(tmp_path / "runs"),
    }
    published(tmp_path / "published", NOW)
    for said in ("Sent to 127.0.0.1.\n", ""):
        found = command("status", "--alert", **environ)
        assert found.returncode == exit_codes.STALE
        assert found.stderr == said
    assert len(receiver.requests) == 1
    assert "The numbers shown are" in receiver.requests[0][3].decode()
    assert TOKEN not in (tmp_path / "runs" / WATCHDOG_FILE).read_text()


def test_trying_it_says_whether_it_works(receiver: Receiver) -> None:
    def tried(url: str | None) -> Result:
        environ = {"NPS_WEBHOOK_URL": url, "NPS_WEBHOOK_FORMAT": "teams"}
        return CliRunner().invoke(main, ["alerts", "--test"], env=environ, catch_exceptions=False)

    found = tried(receiver.url)
    assert (found.exit_code, found.output) == (0, "Sent to 127.0.0.1.\n")
    receiver.plan = [Answer(403)]
    found = tried(receiver.url)
    assert found.exit_code == exit_codes.UNREACHABLE
    assert "it was not accepted (status 403)" in found.stderr
    assert tried(None).exit_code == exit_codes.BAD_INPUT


@pytest.mark.parametrize("trouble", ["refused", "closed", "slow", "unknown host"])
def test_neither_address_nor_secret_is_left_anywhere(
    receiver: Receiver,
    tmp_path: Path,
    trouble: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    url = receiver.url
    if trouble == "refused":
        receiver.plan = [Answer(500)] * 9
    elif trouble == "slow":
        receiver.plan = [Answer(200, after=0.5)] * 9
    elif trouble == "closed":
        monkeypatch.setattr(webhook, "RETRIES", 1)
        url = f"http://127.0.0.1:9/{TOKEN}"
    else:
        monkeypatch.setattr(webhook, "RETRIES", 0)
        url = f"https://nowhere.example.invalid/{TOKEN}"
    environ = {"NPS_WEBHOOK_URL": url, "NPS_WEBHOOK_SECRET": SECRET}
    address = address_of(environ)
    run = failed_run(0)
    (tmp_path / "runs" / run.run_id).mkdir(parents=True)
    tell(run, tmp_path / "runs", tmp_path / "published", tmp_path / "w", NOW, environ)
    out, err = capfd.readouterr()
    written = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    everything = "\n".join([*written, out, err, caplog.text, repr(address), str(address)])
    assert "Not sent to " in everything
    for planted in (TOKEN, "T0planted", SECRET, SECRET.removeprefix("whsec_"), url):
        assert planted not in everything
    assert dataclasses.asdict(webhook.Sent("x", "json", ok=True)).keys() == {
        "host", "form", "ok", "status", "reason",
    }  # fmt: skip
    assert not logging.getLogger("urllib3.connectionpool").disabled
