"""How numbers and dates are written: by the reader's locale, in text that is English."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal

ENGLISH = Locale("en")
MINUS = "−"
ONE_DECIMAL = "#,##0.0"


class UnknownLocaleNameError(ValueError):
    """There is no such locale; the text says what one looks like."""


@dataclass(frozen=True)
class Formats:
    """Numbers and dates of a locale."""

    locale: Locale

    @classmethod
    def of(cls, name: str) -> Formats:
        """The formats of a locale.

        Args:
            name: as `en`, `de_DE` or `pt-BR`.

        Raises:
            UnknownLocaleNameError: there is none of that name.
        """
        try:
            return cls(Locale.parse(name.replace("-", "_")))
        except (UnknownLocaleError, ValueError):
            raise UnknownLocaleNameError(
                f"{name} is no locale; one looks like en, en_GB or de_DE"
            ) from None

    def count(self, number: int) -> str:
        """A whole number with its groups.

        Args:
            number: a count.
        """
        return format_decimal(number, locale=self.locale).replace("-", MINUS)

    def points(self, number: float) -> str:
        """A score or a share with one decimal, never a negative zero.

        Args:
            number: points or per cent.
        """
        rounded = round(number, 1) + 0.0
        written = format_decimal(abs(rounded), ONE_DECIMAL, locale=self.locale)
        return MINUS + written if rounded < 0 else written

    def signed(self, number: float) -> str:
        """A difference with its sign.

        Args:
            number: points.
        """
        return ("+" if round(number, 1) > 0 else "") + self.points(number)

    def day(self, day: date) -> str:
        """A date: with the month's name where that is English, else as the locale writes figures.

        Args:
            day: the date.
        """
        if self.locale.language == "en":
            return format_date(day, "medium", locale=self.locale)
        return format_skeleton("yMd", day, locale=self.locale)

    def days(self, first: date, last: date) -> str:
        """A range of dates.

        Args:
            first: its first day.
            last: its last day, in it.
        """
        return f"{self.day(first)} – {self.day(last)}"

    def period(self, period_type: str, start: date, end: date) -> str:
        """A period's name: English, as all text is.

        Args:
            period_type: `week`, `month`, `quarter` or `year`; others are written as their days.
            start: its first day.
            end: its last day.
        """
        if period_type == "month":
            return format_date(start, "MMMM y", locale=ENGLISH)
        if period_type == "quarter":
            return f"Q{(start.month + 2) // 3} {start.year}"
        if period_type == "year":
            return str(start.year)
        return self.days(start, end)

    def tick(self, period_type: str, start: date) -> str:
        """A period on an axis, as short as can be.

        Args:
            period_type: as of `period`.
            start: its first day.
        """
        if period_type == "month":
            return format_date(start, "MMM yy", locale=ENGLISH)
        if period_type == "week":
            return format_date(start, "d MMM", locale=ENGLISH)
        return self.period(period_type, start, start)
