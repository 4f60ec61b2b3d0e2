"""The periods a date lies in."""

from datetime import date, timedelta
from functools import cache
from typing import Final

PERIOD_TYPES: Final = ("day", "week", "month", "quarter", "year")
"""The period types of the calendar; `all` depends on the data."""

_DAY = timedelta(days=1)


@cache
def period(period_type: str, day: date) -> tuple[date, date]:
    """First and last date of the period of a type that a date lies in.

    Raises:
        ValueError: no such period type.
    """
    match period_type:
        case "day":
            return day, day
        case "week":
            monday = day - timedelta(days=day.isoweekday() - 1)
            return monday, monday + timedelta(days=6)
        case "month":
            return _months(day.year, day.month, 1)
        case "quarter":
            return _months(day.year, (day.month - 1) // 3 * 3 + 1, 3)
        case "year":
            return _months(day.year, 1, 12)
        case _:
            raise ValueError(f"no period type {period_type!r}")


def _months(year: int, month: int, count: int) -> tuple[date, date]:
    over, following = divmod(month - 1 + count, 12)
    return date(year, month, 1), date(year + over, following + 1, 1) - _DAY
