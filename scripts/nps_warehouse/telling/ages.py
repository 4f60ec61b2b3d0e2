"""How long ago something was, and how long ago it may be."""

from __future__ import annotations

import re
from datetime import timedelta

import click

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_PART = re.compile(r"(\d+)([dhms])")


class Age(click.ParamType["timedelta"]):
    """A span of time as people write it: 26h, 90m, 1d12h."""

    name = "age"

    def convert(
        self,
        value: str | timedelta,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> timedelta:
        """The span.

        Args:
            value: what was typed.
            param: the option.
            ctx: the context of the call.
        """
        if isinstance(value, timedelta):
            return value
        try:
            return parsed_age(value)
        except ValueError as problem:
            self.fail(str(problem), param, ctx)


def parsed_age(text: str) -> timedelta:
    """The span of time that a text names, longer than nothing.

    Args:
        text: numbers of days, hours, minutes or seconds: `26h`, `90m`, `1d12h`.

    Raises:
        ValueError: it names none.
    """
    parts = _PART.findall(text.strip().lower())
    if not parts or "".join(number + unit for number, unit in parts) != text.strip().lower():
        raise ValueError(f"{text!r} is no age; write it as 26h, 90m or 1d12h")
    try:
        span = sum(
            (timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), timedelta()
        )
    except OverflowError:
        raise ValueError(f"{text!r} is too long for an age") from None
    if not span:
        raise ValueError(f"{text!r} is no age: it is nothing")
    return span


def shown_age(age: timedelta) -> str:
    """A span of time in words, to the hour where it is longer than one.

    Args:
        age: of something that has happened; less than nothing is shown as a clock that is ahead.
    """
    seconds = int(age.total_seconds())
    if seconds < 0:
        return "in the future: a clock is wrong"
    minutes, hours = seconds // 60, seconds // 3600
    if minutes < 1:
        return "less than a minute"
    if hours < 1:
        return _counted(minutes, "minute")
    if hours < 48:
        return _counted(hours, "hour")
    days, rest = divmod(hours, 24)
    return _counted(days, "day") + (f" and {_counted(rest, 'hour')}" if rest else "")


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
