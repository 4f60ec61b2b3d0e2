"""What is sent: the same message as plain JSON, as Slack's blocks, as a card for Teams.

Names in a message come from the data. Slack's control characters are escaped; Teams gets text runs,
which know no Markdown: no name becomes a link, or calls a whole channel.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nps_warehouse.telling.alerts import Alert, figure_text

SLACK_HEADER = 150
"""Characters of a header block (Slack, Block Kit reference)."""

SLACK_SECTION = 3000
"""Characters of a section's text."""

SLACK_TEXT = 4000
"""Characters of the text that notifications show; Slack's advice, it cuts at 40,000."""

TEAMS_BYTES = 28 * 1024
"""Bytes of a message that Teams takes by webhook."""

MOST_ALERTS = 10
"""Alerts that a message for a channel has; a Slack message may have 50 blocks."""

_WORDS = {"critical": "Critical", "warning": "Warning", "notice": "Notice"}

Body = dict[str, Any]


@dataclass(frozen=True)
class Message:
    """What there is to tell: one line on the run, one on what is shown, and new alerts.

    `at` is ISO 8601.
    """

    run_id: str
    at: str
    headline: str
    shown: str
    alerts: Sequence[Alert]
    summary: Mapping[str, Any]


def to_json(message: Message) -> Body:
    """For programs: everything, in the shape that Standard Webhooks recommends.

    Args:
        message: what there is to tell.
    """
    return {
        "type": "nps.alerts",
        "timestamp": message.at,
        "data": {
            "run_id": message.run_id,
            "headline": message.headline,
            "shown": message.shown,
            "alerts": [alert.to_json() for alert in message.alerts],
            "summary": message.summary,
        },
    }


def to_slack(message: Message) -> Body:
    """For an incoming webhook of Slack.

    Args:
        message: what there is to tell.
    """
    blocks: list[Body] = [
        {
            "type": "header",
            # Plain text: nothing in it is read as markup, so nothing is escaped.
            "text": {"type": "plain_text", "text": _cut(message.headline, SLACK_HEADER)},
        },
        _slack_section(_slack(message.shown, SLACK_SECTION)),
    ]
    for alert in message.alerts[:MOST_ALERTS]:
        title = f"*{_slack(f'{_WORDS[alert.severity]}: {alert.title}', 300)}*"
        rest = "\n".join(_lines(alert))
        blocks.append({"type": "divider"})
        blocks.append(_slack_section(f"{title}\n{_slack(rest, SLACK_SECTION - len(title) - 1)}"))
    left = len(message.alerts) - MOST_ALERTS
    if left > 0:
        blocks.append(_slack_section(_slack(_more(left, message.run_id), SLACK_SECTION)))
    return {"text": _slack(f"{message.headline} {message.shown}", SLACK_TEXT), "blocks": blocks}


def to_teams(message: Message) -> Body:
    """For a webhook of Teams (Workflows): a message with one Adaptive Card.

    Args:
        message: what there is to tell.
    """
    alerts = list(message.alerts[:MOST_ALERTS])
    while True:
        body = [
            _teams_text(_cut(message.headline, 300), size="Large", weight="Bolder"),
            _teams_text(_cut(message.shown, 1000)),
        ]
        for alert in alerts:
            title = f"{_WORDS[alert.severity]}: {alert.title}"
            first = _teams_text(_cut(title, 300), weight="Bolder")
            first["separator"] = True
            body.append(first)
            body += [_teams_text(_cut(line, 1000)) for line in _lines(alert)]
        left = len(message.alerts) - len(alerts)
        if left > 0:
            body.append(_teams_text(_more(left, message.run_id)))
        card = {
            "type": "message",
            "attachments": [
                {
                    "contentType": "application/vnd.microsoft.card.adaptive",
                    "contentUrl": None,
                    "content": {
                        "type": "AdaptiveCard",
                        "version": "1.4",
                        "msteams": {"width": "Full"},
                        "body": body,
                    },
                }
            ],
        }
        if len(encoded(card)) <= TEAMS_BYTES or not alerts:
            return card
        alerts.pop()


FORMATS: Mapping[str, Callable[[Message], Body]] = {
    "json": to_json,
    "slack": to_slack,
    "teams": to_teams,
}
"""By the name that NPS_WEBHOOK_FORMAT has."""


def encoded(body: Body) -> bytes:
    """The bytes that are signed and sent.

    Args:
        body: of a message.
    """
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _lines(alert: Alert) -> Iterator[str]:
    yield alert.meaning
    yield from (figure_text(figure) for figure in alert.figures)
    yield f"To do: {alert.to_do}"


def _more(left: int, run_id: str) -> str:
    return f"And {left} more: nps alerts {run_id}".rstrip()


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _slack(text: str, most: int) -> str:
    """A text for Slack, escaped as it asks, whole characters and entities only."""
    escaped = _escaped(text)
    keep = len(text)
    while len(escaped) > most:
        # Escaping lengthens; what is too much is a lower bound of what has to go, over five.
        keep -= max(1, (len(escaped) - most) // 5)
        escaped = _escaped(text[:keep]) + "…"
    return escaped


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _slack_section(text: str) -> Body:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _teams_text(text: str, **how: str) -> Body:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **how}]}
