"""From the text of one cell to its value, or to `BAD`."""

# Instants are naive datetimes in UTC here, as the warehouse's timestamps are.
# ruff: noqa: DTZ001

import math
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo


class _Bad:
    def __repr__(self) -> str:
        return "BAD"


BAD: Final = _Bad()
"""What a parser returns for text that is there but cannot be read."""

Parser = Callable[[str], Any]
"""Takes a trimmed text that is not empty; returns its value or `BAD`."""

_ZERO_WIDTH = [*range(0x200B, 0x2010), *range(0x2060, 0x2065), 0xFEFF, 0x180E, *range(0x20)]
BLANKS: Final = "".join(
    # Every character that str.isspace() knows lies below U+10000.
    chr(code)
    for code in range(0x10000)
    if chr(code).isspace() or code in _ZERO_WIDTH
)


def trim(text: str) -> str:
    """The text without Unicode blanks and zero-width characters at either end."""
    return text.strip(BLANKS)


# --- score -----------------------------------------------------------------------------------

# [^0-9] and not \D, so that only ASCII digits count as digits, as in the group before it.
_SCORE = re.compile(r"(10|[0-9])(\.0+)?(\s*[-–—]\s*[^0-9].*)?")


def parse_score(text: str) -> Any:
    """The likelihood to recommend: a whole number 0-10, alone or with its label after a dash."""
    match = _SCORE.fullmatch(text)
    return int(match[1]) if match else BAD


# --- numbers ---------------------------------------------------------------------------------

_WHOLE = re.compile(r"([0-9]+)(\.0*)?")
_PLAIN = re.compile(r"[0-9]+(\.[0-9]*)?|\.[0-9]+")
_SIGNED = re.compile(r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)")


_LARGEST_WHOLE = 2**63 - 1


def whole_number(least: int, greatest: int = _LARGEST_WHOLE) -> Parser:
    """A parser of whole numbers (`2` or `2.0`) from least to greatest, both included.

    Args:
        least: the least number.
        greatest: the greatest; unless given, that of the marts' type, 64 bits with a sign.
    """

    def parse(text: str) -> Any:
        match = _WHOLE.fullmatch(text)
        if match is None:
            return BAD
        value = int(match[1])
        return value if least <= value <= greatest else BAD

    return parse


def parse_seconds(text: str) -> Any:
    """A duration in seconds: digits with an optional fraction, no sign, no exponent."""
    return _finite(text) if _PLAIN.fullmatch(text) else BAD


def parse_amount(text: str) -> Any:
    """A plain number that may be negative (revenue after refunds, an evaluation's score)."""
    return _finite(text) if _SIGNED.fullmatch(text) else BAD


def _finite(text: str) -> Any:
    """The number, unless it has more digits before its point than a double has room for."""
    value = float(text)
    return value if math.isfinite(value) else BAD


# --- words -----------------------------------------------------------------------------------


def parse_code(text: str) -> Any:
    """Keys, codes and names: the trimmed text itself."""
    return text


def vocabulary(words: Iterable[str]) -> Parser:
    """A parser of one of the words, in any case; the value is in lower case."""
    known = frozenset(words)

    def parse(text: str) -> Any:
        word = text.lower()
        return word if word in known else BAD

    return parse


_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def parse_boolean(text: str) -> Any:
    """true/false, yes/no, 1/0 in any case."""
    return _BOOLEANS.get(text.lower(), BAD)


# --- time ------------------------------------------------------------------------------------

_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:[.,]([0-9]+))?)?"
    r"(?:(Z)|([+-])([01][0-9]|2[0-3])(?::?([0-5][0-9]))?)?)?"
)
_LAST_MICROSECOND = timedelta(days=1) - timedelta(microseconds=1)


class Clock:
    """Reads timestamps in one time zone; instants are naive datetimes in UTC.

    Args:
        timezone: IANA name of the zone that times without an offset are in, and that dates are
            taken in.
        earliest: instants before it are out of range.
        latest: instants after it are out of range.
        as_of: "now", where it is given: instants after it are out of range, too.

    Raises:
        ValueError: one of the three limits is not a timestamp.
        zoneinfo.ZoneInfoNotFoundError: the zone is unknown.
    """

    def __init__(
        self, timezone: str, earliest: str, latest: str, as_of: str | datetime | None
    ) -> None:
        self._zone = ZoneInfo(timezone)
        self._is_utc = timezone == "UTC"
        self.earliest = self._limit(earliest)
        self.latest = self._limit(latest)
        self.as_of = None if as_of is None else self._limit(as_of)
        self._greatest = self.latest if self.as_of is None else min(self.latest, self.as_of)

    def _limit(self, given: str | datetime) -> datetime:
        if isinstance(given, datetime):
            if given.tzinfo is None:
                return self.to_utc(given)
            return given.astimezone(UTC).replace(tzinfo=None)
        instant = self.parse(trim(given))
        if not isinstance(instant, datetime):
            raise ValueError(f"not a timestamp: {given!r}")
        return instant

    def to_utc(self, local: datetime) -> datetime:
        """The instant of a naive local time.

        Of the two offsets around a change of the clock the smaller gives the later instant:
        the second of two equal local times, and a skipped one moved forward by the gap.
        """
        if self._is_utc:
            return local
        before = local.replace(tzinfo=self._zone, fold=0).utcoffset()
        after = local.replace(tzinfo=self._zone, fold=1).utcoffset()
        assert before is not None
        assert after is not None
        return local - min(before, after)

    def to_local(self, instant: datetime) -> datetime:
        """The naive local time of an instant."""
        if self._is_utc:
            return instant
        return instant.replace(tzinfo=UTC).astimezone(self._zone).replace(tzinfo=None)

    def end_of_day(self, day: date) -> datetime:
        """The instant of the last microsecond of a local day."""
        return self.to_utc(datetime(day.year, day.month, day.day) + _LAST_MICROSECOND)

    def parse(self, text: str) -> Any:
        """The instant of an ISO 8601 text, of whatever time."""
        match = _MOMENT.fullmatch(text)
        if match is None:
            return BAD
        year, month, day, hour, minute, second, fraction, zulu, sign, off_h, off_m = match.groups()
        try:
            written = datetime(
                int(year),
                int(month),
                int(day),
                int(hour or 0),
                int(minute or 0),
                int(second or 0),
                int((fraction + "000000")[:6]) if fraction else 0,
            )
            if zulu:
                return written
            if sign:
                offset = timedelta(hours=int(off_h), minutes=int(off_m or 0))
                return written - offset if sign == "+" else written + offset
            return self.to_utc(written)
        except (ValueError, OverflowError):
            return BAD

    def parse_in_range(self, text: str) -> Any:
        """The instant of an ISO 8601 text, if it is neither too early nor too late."""
        instant = self.parse(text)
        if instant is BAD or not self.earliest <= instant <= self._greatest:
            return BAD
        return instant

    def parse_date(self, text: str) -> Any:
        """The local date of a timestamp of whatever time."""
        instant = self.parse(text)
        return BAD if instant is BAD else self.to_local(instant).date()

    def parse_date_in_range(self, text: str) -> Any:
        """The local date of a timestamp that is neither too early nor too late."""
        instant = self.parse_in_range(text)
        return BAD if instant is BAD else self.to_local(instant).date()

    def parse_month(self, text: str) -> Any:
        """The first date of a month."""
        day = self.parse_date_in_range(text)
        return day if day is not BAD and day.day == 1 else BAD
