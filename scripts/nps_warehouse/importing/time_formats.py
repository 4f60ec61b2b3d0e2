"""Declared formats of times, as SQL that reads them.

A format is `iso`, `excel_serial`, `unix_seconds`, `unix_milliseconds`, or a pattern of strptime's
codes. Nothing is guessed: a text that is not in the format is no time. As the library knows no
two-digit years without a pivot, they need one here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nps_warehouse.landing import sql

# What `blank_characters` of the macros is, for a character class.
BLANKS = (
    r"\x{00}-\x{20}\x{85}\x{A0}\x{1680}\x{180E}\x{2000}-\x{200F}\x{2028}\x{2029}\x{202F}"
    r"\x{205F}-\x{2064}\x{3000}\x{FEFF}"
)

NAMED = ("iso", "excel_serial", "unix_seconds", "unix_milliseconds")

_CODES = {
    "Y": ("year", r"\d{4}"),
    "y": ("short_year", r"\d{2}"),
    "m": ("month", r"\d{1,2}"),
    "b": ("month_name", r"[A-Za-z]{3}"),
    "B": ("month_name", r"[A-Za-z]{3,9}"),
    "d": ("day", r"\d{1,2}"),
    "H": ("hour", r"\d{1,2}"),
    "I": ("hour", r"\d{1,2}"),
    "M": ("minute", r"\d{2}"),
    "S": ("second", r"\d{2}"),
    "f": ("fraction", r"\d{1,9}"),
    "p": ("half", r"[AaPp]\.?[Mm]\.?"),
    "z": ("offset", r"Z|[+-]\d{2}:?(?:\d{2})?"),
}
_SERIAL = r"^\d{1,7}(\.\d+)?$"
_ISO = (
    r"^(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"
    r"(?:[T ](?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)"
    r"(?::(?P<second>[0-5]\d)(?:[.,](?P<fraction>\d+))?)?"
    r"(?P<offset>Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?)?$"
)


@dataclass(frozen=True)
class TimeFormat:
    """A declared format.

    `parts` are the groups of `pattern`, in its order; `last_short_year` is the last year that two
    digits may mean.
    """

    text: str
    pattern: str
    parts: tuple[str, ...]
    last_short_year: int | None = None

    @property
    def needs_zone(self) -> bool:
        """Whether a text in this format says a local time without saying where."""
        if self.text == "iso":
            return True
        return ("hour" in self.parts or self.text == "excel_serial") and "offset" not in self.parts


def compile_format(text: str, last_short_year: int | None = None) -> TimeFormat:
    """Check a format and compile it.

    Args:
        text: the format as a mapping has it.
        last_short_year: the last year that two digits may mean; None where they may not occur.

    Raises:
        ValueError: it is no format; the text says what is allowed.
    """
    if text == "iso":
        return TimeFormat(text, _unnamed(_ISO), tuple(re.findall(r"\?P<(\w+)>", _ISO)))
    if text in NAMED:
        return TimeFormat(text, "", ())
    pattern, parts = "", []
    position = 0
    while position < len(text):
        letter = text[position]
        if letter != "%":
            # A blank of any width and number stands for a blank.
            pattern += r"\s+" if letter.isspace() else re.escape(letter)
            position += 1
            continue
        code = text[position + 1 : position + 2]
        if code == "%":
            pattern += "%"
        elif code not in _CODES:
            raise ValueError(
                f"{text!r} has %{code}, which is no code of a time format. Allowed are "
                f"{', '.join('%' + known for known in _CODES)}, and the formats {', '.join(NAMED)}."
            )
        else:
            part, expression = _CODES[code]
            if part in parts:
                raise ValueError(f"{text!r} says the {part} twice.")
            # Hours and minutes that touch, as in 1653, have two digits each.
            if part in ("hour", "month", "day") and text[position + 2 : position + 3] == "%":
                expression = r"\d{2}"
            if part in ("month", "day") and position >= 2 and text[position - 2] == "%":
                expression = r"\d{2}"
            pattern += f"({expression})"
            parts.append(part)
        position += 2
    _check(text, parts, last_short_year)
    return TimeFormat(text, f"^{pattern}$", tuple(parts), last_short_year)


def _check(text: str, parts: list[str], last_short_year: int | None) -> None:
    if "year" not in parts and "short_year" not in parts:
        raise ValueError(
            f"{text!r} has no year (%Y or %y): it is no format of a time. Allowed are "
            f"strptime's codes and the formats {', '.join(NAMED)}."
        )
    if "short_year" in parts and last_short_year is None:
        raise ValueError(
            f"{text!r} has a year of two digits. Say what they mean with "
            "`two_digit_years_up_to: 2049` (the last year that two digits may mean)."
        )
    if ("%I" in text) != ("half" in parts):
        raise ValueError(f"{text!r}: %I (hours 1 to 12) and %p (AM or PM) belong together.")
    if "day" in parts and not {"month", "month_name"} & set(parts):
        raise ValueError(f"{text!r} has a day without a month.")
    if "hour" in parts and "day" not in parts:
        raise ValueError(f"{text!r} has an hour without a day.")
    if "minute" in parts and "hour" not in parts:
        raise ValueError(f"{text!r} has minutes without an hour (%H, or %I with %p).")


def _unnamed(pattern: str) -> str:
    return re.sub(r"\?P<\w+>", "", pattern)


def parts_sql(text: str, format_: TimeFormat) -> str:
    """SQL of the parts of a trimmed text in a format; all of them empty where it is not in it.

    Args:
        text: SQL of the trimmed text.
        format_: the format.
    """
    if not format_.parts:
        return "null"
    return f"regexp_extract({text}, {sql.text(format_.pattern)}, {_names(format_)})"


def instant_sql(text: str, parts: str, format_: TimeFormat, zone: str) -> str:
    """SQL of the instant (a timestamp in UTC) that a trimmed text states; null where it is none.

    A day without an hour is its midnight in the zone. A doubled local time is the later instant, a
    skipped one moves forward by the gap, as everywhere in the warehouse.

    Args:
        text: SQL of the trimmed text.
        parts: SQL of its parts, as `parts_sql` makes them.
        format_: its format.
        zone: IANA zone of local times.
    """
    # The engine may evaluate a branch for texts that are not its own: each is bounded in itself.
    if format_.text == "excel_serial":
        days = f"try_cast(regexp_extract({text}, '{_SERIAL}') as double)"
        # To the second: a time of day is no exact fraction of a day.
        seconds = f"to_seconds(cast(round({days} * 86400) as bigint))"
        local = _to_utc(f"timestamp '1899-12-30' + {seconds}", zone)
        return f"case when {days} >= 1 then {local} end"
    if format_.text in ("unix_seconds", "unix_milliseconds"):
        factor, digits = (1000000, 11) if format_.text == "unix_seconds" else (1000, 14)
        number = rf"try_cast(regexp_extract({text}, '^\d{{1,{digits}}}$') as bigint)"
        return f"make_timestamp({number} * {factor})"
    local = _local(format_, parts)
    if "offset" not in format_.parts:
        inner = _to_utc(local, zone)
    else:
        offset = _part(parts, "offset")
        minutes = (
            f"(60 * try_cast(substring({offset}, 1, 3) as integer) + "
            f"try_cast(substring({offset}, 1, 1) || coalesce(nullif("
            f"substring(replace({offset}, ':', ''), 4, 2), ''), '00') as integer))"
        )
        inner = (
            f"case when {offset} = '' then {_to_utc(local, zone)} "
            f"when {offset} = 'Z' then {local} "
            f"else {local} - to_minutes({minutes}) end"
        )
    # Every text in a format has a year, so an empty one is in another format.
    year = _part(parts, "year" if "year" in format_.parts else "short_year")
    return f"case when {year} <> '' then {inner} end"


def _names(format_: TimeFormat) -> str:
    return "[" + ", ".join(sql.text(part) for part in format_.parts) + "]"


def _part(parts: str, name: str) -> str:
    return f"struct_extract({parts}, {sql.text(name)})"


def _local(format_: TimeFormat, parts: str) -> str:
    """SQL of the local timestamp that the struct `parts` states; null where there is none such."""
    has = set(format_.parts)
    if "year" in has:
        year = _part(parts, "year")
    else:
        assert format_.last_short_year is not None
        first = format_.last_short_year - 99
        short = f"try_cast({_part(parts, 'short_year')} as integer)"
        year = f"cast({first} + ({short} - {first} % 100 + 100) % 100 as varchar)"
    month, day = "'01'", "'01'"
    if "month" in has:
        month = f"lpad({_part(parts, 'month')}, 2, '0')"
    if "month_name" in has:
        name = f"lower(left({_part(parts, 'month_name')}, 3))"
        at = f"instr('janfebmaraprmayjunjulaugsepoctnovdec', {name})"
        month = f"lpad(cast(if({at} % 3 = 1, ({at} + 2) // 3, 0) as varchar), 2, '0')"
    if "day" in has:
        day = f"lpad({_part(parts, 'day')}, 2, '0')"
    date = f"{year} || '-' || {month} || '-' || {day}"
    if "hour" not in has:
        return f"try_cast({date} as timestamp)"
    hour = _part(parts, "hour")
    if format_.text == "iso":
        hour = f"coalesce(nullif({hour}, ''), '00')"
    if "half" in has:
        number = f"try_cast({hour} as integer)"
        hour = (
            f"cast(case when {number} between 1 and 12 then {number} % 12 "
            f"+ if(lower(left({_part(parts, 'half')}, 1)) = 'p', 12, 0) else 99 end as varchar)"
        )
    hour = f"lpad({hour}, 2, '0')"
    minute = (
        "'00'" if "minute" not in has else f"coalesce(nullif({_part(parts, 'minute')}, ''), '00')"
    )
    second = (
        "'00'" if "second" not in has else f"coalesce(nullif({_part(parts, 'second')}, ''), '00')"
    )
    fraction = ""
    if "fraction" in has:
        fraction = f" || '.' || coalesce(nullif(left({_part(parts, 'fraction')}, 6), ''), '0')"
    time = f"{hour} || ':' || {minute} || ':' || {second}{fraction}"
    # 2400 is the next day's midnight; any other hour past 23 is none.
    midnight = f"{hour} = '24' and {minute} || {second} = '0000'"
    return (
        f"case when {midnight} then try_cast({date} as timestamp) + interval 1 day "
        f"else try_cast({date} || ' ' || {time} as timestamp) end"
    )


def _to_utc(local: str, zone: str) -> str:
    if zone == "UTC":
        return local
    return f"timezone('UTC', timezone({sql.text(zone)}, {local}))"


def written_sql(text: str, parts: str, instant: str, format_: TimeFormat) -> str:
    """SQL of an instant as the raw table holds it: ISO 8601 in UTC, or a bare date.

    A format that says no hour says a day, which is written as one: it is the business's own.

    Args:
        text: SQL of the trimmed text.
        parts: SQL of its parts.
        instant: SQL of the instant, not null.
        format_: the format the text is in.
    """
    moment = f"replace(cast({instant} as varchar), ' ', 'T') || 'Z'"
    if format_.text == "iso":
        return f"case when length({text}) = 10 then {text} else {moment} end"
    if format_.text == "excel_serial":
        day = (
            "cast(timestamp '1899-12-30' + to_days(try_cast("
            f"regexp_extract({text}, '{_SERIAL}') as integer)) as date)"
        )
        return f"case when not contains({text}, '.') then cast({day} as varchar) else {moment} end"
    if format_.parts and "hour" not in format_.parts:
        return f"cast(cast({_local(format_, parts)} as date) as varchar)"
    return moment
