"""What macros whose SQL differs between engines have to give on each of them; values by hand."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from nps_warehouse.importance.shares import shares_of_variance


@dataclass(frozen=True)
class Case:
    """A macro call as Jinja, made a text, and what that text is; None for null."""

    jinja: str
    expected: str | None


def _text(jinja: str, expected: str | None) -> Case:
    return Case("cast(" + jinja + " as varchar)", expected)


def _whole(jinja: str, expected: str | None) -> Case:
    return Case("cast(cast(" + jinja + " as bigint) as varchar)", expected)


def _yes(jinja: str, expected: bool | None) -> Case:
    words = f"case when {jinja} then 'yes' when not ({jinja}) then 'no' end"
    return Case(words, {True: "yes", False: "no", None: None}[expected])


def _date(jinja: str, expected: str | None) -> Case:
    return Case("cast(cast(" + jinja + " as date) as varchar)", expected)


_MOMENT = "timestamp '2024-02-29 23:59:59.123456'"
CASES = {
    "matches_anchored": _yes(r"""{{ matches("'12'", '^[0-9]+$') }}""", True),
    "matches_not": _yes(r"""{{ matches("'1a'", '^[0-9]+$') }}""", False),
    "matches_null": _yes(r"""{{ matches("cast(null as varchar)", '^a') }}""", None),
    # Classes of ASCII: a wide blank is no [:space:], a wide mark no [:punct:].
    "space_is_ascii": _yes(r"""{{ matches("'\u2003'", '[[:space:]]') }}""", False),
    "space_tab": _yes(r"""{{ matches("'\t'", '[[:space:]]') }}""", True),
    "punct_is_ascii": _yes(r"""{{ matches("'\u3002'", '[[:punct:]]') }}""", False),
    "punct_all": _text(r"""{{ replace_matches("'a!/:@[]^_`{|}~-b'", '[[:punct:]]', '') }}""", "ab"),
    "code_points": _text(
        r"""{{ replace_matches("'a\u2003\ufeffb'", '[\\x{2003}\\x{FEFF}]', '-') }}""", "a--b"
    ),
    "code_point_zero_in_a_class": _yes(r"""{{ matches("'\u0005'", '[\\x{00}-\\x{20}]') }}""", True),
    "astral": _yes(r"""{{ matches("'\U0001F600'", '[\\x{1F600}-\\x{1F64F}]') }}""", True),
    "replaced_groups": _text(
        r"""{{ replace_matches("'a1b2'", '([0-9])', '<' ~ matched_group(1) ~ '>') }}""", "a<1>b<2>"
    ),
    "wrapped": _text(r"""{{ wrapped_matches("'x12y345'", '[0-9]+', '|') }}""", "x|12|y|345|"),
    "extracted_whole": _text(r"""{{ extracted("'a12b'", '[0-9]+') }}""", "12"),
    "extracted_group": _text(r"""{{ extracted("'a12b'", 'a([0-9])', 1) }}""", "1"),
    "extracted_nothing": _text(r"""{{ extracted("'ab'", '[0-9]+') }}""", ""),
    "extracted_null": _text(r"""{{ extracted("cast(null as varchar)", '[0-9]+') }}""", None),
    # SHA-256 of "abc": FIPS 180-4, example B.1.
    "digest": _text(
        """{{ digest("'abc'") }}""",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ),
    "literal": _text(r"""{{ text_literal("it can't \\ tell") }}""", r"it can't \ tell"),
    "trimmed": _text(r"""{{ trimmed("'\u00a0\u200b a b \ufeff\t'") }}""", "a b"),
    "trimmed_to_nothing": _text(r"""{{ trimmed("' \u3000 '") }}""", None),
    "marked_words": _text("""{{ marked_words("'Çay 12, où?'") }}""", "␞Çay␟ ␞12␟, ␞où␟?"),
    "spaced_words": _text("""{{ spaced_words("' Ana-Zoë  (東京) 7! '") }}""", "Ana Zoë 東京 7"),
    "lower_of_any_script": _text("lower('ÄÉŁ ΣΠ ЖЯ')", "äéł σπ жя"),
    "order_of_code_points": _yes("'Z' < 'a' and 'a' < 'ä' and '-' < '0'", True),
    "whole_division": _yes("1 / 3 > 0.333 and 7 / 2 = 3.5 and cast(1 as bigint) / 4 = 0.25", True),
    "sum_division": _yes("sum(1) / 2 = 0.5", True),
    "try_double": _yes("""{{ try_cast("'12.5'", 'double') }} = 12.5""", True),
    "try_double_no_number": _text("""{{ try_cast("'12.5x'", 'double') }}""", None),
    "finite_too_large": _text("""{{ finite_number("'1" ~ '0' * 400 ~ "'", none) }}""", None),
    "finite_negative": _text("""{{ finite_number("'-1'", 0) }}""", None),
    "whole_in_range": _whole("""{{ whole_number("'7'", 1, 7) }}""", "7"),
    "whole_past_range": _whole("""{{ whole_number("'8'", 1, 7) }}""", None),
    "try_timestamp": _date("""{{ try_cast("'2024-02-29 10:00'", 'timestamp') }}""", "2024-02-29"),
    "try_no_such_day": _date("""{{ try_cast("'2023-02-29 10:00'", 'timestamp') }}""", None),
    "iso_weekday_of_a_sunday": _whole("""{{ iso_weekday("date '2024-03-31'") }}""", "7"),
    "week_across_a_year": _date(
        """{{ period_start('week', "date '2025-01-01'") }}""", "2024-12-30"
    ),
    "quarter": _date("""{{ period_start('quarter', "date '2024-02-29'") }}""", "2024-01-01"),
    "month_end_of_a_leap_year": _date(
        """{{ period_end('month', "date '2024-02-01'") }}""", "2024-02-29"
    ),
    "year_of_one_digit": _date("""{{ period_start('year', "date '0009-05-05'") }}""", "0009-01-01"),
    "plus_days": _date("""{{ plus_days("date '2024-02-28'", 2) }}""", "2024-03-01"),
    "plus_months_clamped": _date("""{{ plus_months("date '2024-01-31'", 1) }}""", "2024-02-29"),
    "minus_months": _date("""{{ plus_months("date '2024-03-31'", -1) }}""", "2024-02-29"),
    "days_between": _whole("""{{ days_between("date '2024-02-28'", "date '2024-03-01'") }}""", "2"),
    "days_between_backwards": _whole(
        """{{ days_between("date '2024-03-01'", "date '2024-02-28'") }}""", "-2"
    ),
    "microseconds_between": _whole(
        '{{ microseconds_between("timestamp \'2024-02-28 00:00:00\'", "' + _MOMENT + '") }}',
        "172799123456",
    ),
    "plus_microseconds": _yes(
        "{{ plus_microseconds(\"timestamp '2024-03-01 00:00:00'\", -876544) }} = " + _MOMENT, True
    ),
    "plus_minutes": _yes(
        "{{ plus_minutes(\"timestamp '2024-03-01 00:00:00'\", '-90') }}"
        " = timestamp '2024-02-29 22:30:00'",
        True,
    ),
    # Clocks go back at 01:00 UTC: 02:30 comes twice, the later one is 01:30 UTC.
    "doubled_hour": _yes(
        "{{ zone_time_to_utc(\"'Europe/Berlin'\", \"timestamp '2026-10-25 02:30:00'\") }}"
        " = timestamp '2026-10-25 01:30:00'",
        True,
    ),
    # They go forward at 01:00 UTC: 02:30 never comes, and is 03:30, which is 01:30 UTC.
    "skipped_hour": _yes(
        "{{ zone_time_to_utc(\"'Europe/Berlin'\", \"timestamp '2026-03-29 02:30:00'\") }}"
        " = timestamp '2026-03-29 01:30:00'",
        True,
    ),
    "minutes_of_day": _whole("""{{ minutes_of_day("'24:00'") }}""", "1440"),
    # 0.1 ten times is 1 exactly when it is added up as decimals.
    "sum_of_doubles": _yes(
        "(select {{ sum_of_doubles('v') }} from (values "
        + ", ".join(["(cast(0.1 as {{ double_type() }}))"] * 10)
        + ") as ten (v)) = 1",
        True,
    ),
    # A median by nearest rank is a value that occurs.
    "percentile": _yes(
        "(select {{ percentile('v', 50) }} from (values (1), (2), (3), (10)) as four (v)) = 2", True
    ),
    "whole_double_as_text": _text(
        "{{ text_of_double('cast(-50 as ' ~ double_type() ~ ')') }}", "-50.0"
    ),
    "double_as_text": _text("{{ text_of_double('cast(0.25 as ' ~ double_type() ~ ')') }}", "0.25"),
    "greatest_leaves_nulls_out": _whole("greatest(1, null, 3)", "3"),
}


def project_of_cases() -> dict[str, str]:
    """A model for each case, with one row and the column `value`."""
    return {name: f"select {case.jinja} as value" for name, case in CASES.items()}


def sums_and_shares() -> Iterator[tuple[list[float], list[float]]]:
    """What `shares_of_variance` takes, and R² and the shares that the Python code makes of it."""
    random = np.random.default_rng(5)
    for k in (2, 5, 8):
        x = random.normal(size=(200, k)) @ random.normal(size=(k, k))
        y = x @ random.normal(size=k) + random.normal(size=200) + 3
        if k == 5:
            # One that never varies, and one that two others make up.
            x[:, 0] = 7
            x[:, 4] = x[:, 1] - x[:, 2]
        pairs = list(itertools.combinations_with_replacement(range(k), 2))
        # The second time y does not vary.
        for measured in (y, np.full(200, 3.0)):
            sums = [
                200.0, measured.sum(), (measured**2).sum(), *x.sum(axis=0), *(x.T @ measured),
                *((x[:, i] * x[:, j]).sum() for i, j in pairs),
            ]  # fmt: skip
            r_squared, shares = shares_of_variance(sums)
            yield [float(one) for one in sums], [r_squared, *shares]
