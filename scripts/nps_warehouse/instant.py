"""A moment on a command line."""

from __future__ import annotations

from datetime import UTC, datetime

import click


class Instant(click.ParamType["datetime"]):
    """ISO 8601; without an offset in UTC."""

    name = "instant"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The instant in UTC.

        Args:
            value: what was typed.
            param: the option.
            ctx: the context of the call.
        """
        if isinstance(value, datetime):
            return value
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no ISO 8601 timestamp", param, ctx)
        return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)
