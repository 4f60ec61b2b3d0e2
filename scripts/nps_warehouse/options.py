"""Kinds of options that several commands take."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import yaml


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


class Vars(click.ParamType["dict[str, object]"]):
    """YAML, as dbt takes it."""

    name = "yaml"

    def convert(
        self,
        value: str | dict[str, object],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> dict[str, object]:
        """The vars by their names.

        Args:
            value: what was typed.
            param: the option.
            ctx: the context of the call.
        """
        try:
            parsed = yaml.safe_load(value) if isinstance(value, str) else value
        except yaml.YAMLError:
            parsed = None
        if not isinstance(parsed, dict):
            self.fail(f"{value!r} is no YAML mapping", param, ctx)
        return parsed
