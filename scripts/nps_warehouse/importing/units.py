"""Numbers and durations as seconds, exactly: nothing is rounded."""

from __future__ import annotations

from collections.abc import Sequence

from nps_warehouse.importing.sources import trimmed

FACTORS = {"seconds": "1", "milliseconds": "0.001", "minutes": "60"}


def summed_sql(cells: Sequence[str], unit: str) -> str:
    """SQL of the sum of durations in seconds, as text.

    An empty one adds nothing, and all empty are no sum. Where one cannot be read, the texts stay
    as they came, with plus signs between: the warehouse then says so.

    Args:
        cells: SQL of the texts.
        unit: `seconds`, `milliseconds`, `minutes`, or `clock` (h:mm:ss or m:ss).
    """
    texts = [trimmed(cell) for cell in cells]
    numbers = [_seconds(text, unit) for text in texts]
    readable = " and ".join(
        f"({text} is null or {number} is not null)"
        for text, number in zip(texts, numbers, strict=True)
    )
    total = " + ".join(f"coalesce({number}, 0)" for number in numbers)
    plain = rf"regexp_replace(cast({total} as varchar), '\.?0+$', '')"
    # A sum without a fraction has no zeros to lose.
    whole = f"cast({total} as varchar)"
    plain = f"case when contains({whole}, '.') then {plain} else {whole} end"
    return (
        f"case when coalesce({', '.join(texts)}) is null then null when {readable} then {plain} "
        f"else concat_ws(' + ', {', '.join(texts)}) end"
    )


def _seconds(text: str, unit: str) -> str:
    if unit == "clock":
        hours = (
            rf"regexp_extract({text}, '^(?:(\d{{1,6}}):)?(\d{{1,6}}):([0-5]\d)$', ['h', 'm', 's'])"
        )
        return (
            rf"case when regexp_matches({text}, '^(?:\d{{1,6}}:)?\d{{1,6}}:[0-5]\d$') then "
            f"cast(3600 * try_cast('0' || struct_extract({hours}, 'h') as bigint) "
            f"+ 60 * try_cast(struct_extract({hours}, 'm') as bigint) "
            f"+ try_cast(struct_extract({hours}, 's') as bigint) as decimal(28, 6)) end"
        )
    return (
        rf"try_cast(regexp_extract({text}, '^\d{{1,15}}(\.\d{{1,6}})?$') as decimal(22, 6)) "
        f"* {FACTORS[unit]}"
    )
