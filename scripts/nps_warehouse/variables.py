"""dbt vars on a command line."""

from __future__ import annotations

import click
import yaml


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
