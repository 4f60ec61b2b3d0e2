"""The macros that read and label delivered values, as SQL, against references in Python.

Examples come in batches: one query judges a whole list.
"""

# Instants are naive datetimes in UTC here, as the warehouse's timestamps are.
# ruff: noqa: DTZ001

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rendered import rendered
from stdnum import luhn

UTC_ZONE = "UTC"
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
PERIOD_TYPES = ["day", "week", "month", "quarter", "year"]
WORDS = ["transactional", "relational", "in_app"]

# Vars that hold an instant, and vars that hold none.
INSTANTS = {
    "date_alone": "2026-03-29",
    "minutes": "2026-03-29 01:30",
    "skipped_in_berlin": "2026-03-29T02:30:00",
    "doubled_in_berlin": "2026-10-25 02:30:00",
    "fraction": "2026-10-25T02:30:00,250",
    "zulu": "2026-10-25T02:30:00.123456Z",
    "offset": "2026-10-25 02:30+05:30",
    "offset_without_colon": "2026-10-25T02:30:00-0930",
    "offset_of_hours": "2026-10-25T02:30:00+02",
}
NO_INSTANTS = {
    "american": "01/15/2026",
    "words": "yesterday",
    "hour_alone": "2026-01-15T10",
    "two_digit_year": "26-01-15",
    "offset_of_a_date": "2026-01-15+01:00",
    "trailing": "2026-01-15 10:00 UTC",
}


def of_cells(expression: str) -> str:
    """A query of one parser over the table `cells`, prepared as staging prepares a column."""
    return f"""
        with texts as (
            select ordinal, cell as delivered_cell, {{{{ text_of_raw('cell') }}}} as text_cell
            from cells
        )
        select {expression} from texts order by ordinal
    """


PARSERS = {
    "text": "text_cell",
    "parsed_timestamp": "{{ parsed_timestamp('cell') }}",
    "parsed_number": "{{ parsed_number('cell') }}",
    "parsed_number_of_any_sign": "{{ parsed_number('cell', none) }}",
    "parsed_integer": "{{ parsed_integer('cell', 0, none) }}",
    "parsed_integer_1_7": "{{ parsed_integer('cell', 1, 7) }}",
    "parsed_boolean": "{{ parsed_boolean('cell') }}",
    "parsed_word": f"{{{{ parsed_word('cell', {WORDS}) }}}}",
    "parsed_score": "{{ parsed_score('cell') }}",
    "trimmed": "{{ trimmed('delivered_cell') }}",
    "masked_cell": "{{ masked_cell('delivered_cell') }}",
    "digest": "{{ digest('delivered_cell') }}",
    "local_times": """
        {{ utc_to_local('delivered_cell') }},
        {{ local_date('delivered_cell') }},
        {{ local_weekday('delivered_cell') }},
        {{ local_hour('delivered_cell') }}
    """,
    "local_to_utc": "{{ local_to_utc('delivered_cell') }}",
    "end_of_local_date": "{{ end_of_local_date('delivered_cell') }}",
    "periods": ", ".join(
        f"{{{{ period_start('{each}', 'delivered_cell') }}}}, "
        f"{{{{ period_end('{each}', period_start('{each}', 'delivered_cell')) }}}}"
        for each in PERIOD_TYPES
    ),
    "calendar": """
        {{ iso_weekday('delivered_cell') }},
        {{ plus_days('delivered_cell', '40') }},
        {{ plus_days('delivered_cell', '-40') }},
        {{ plus_months('delivered_cell', '1') }},
        {{ plus_months('delivered_cell', '-13') }}
    """,
}
MODELS = {name: of_cells(expression) for name, expression in PARSERS.items()} | {
    # Texts without a row are not changed.
    "masked": """
        with masked as ({{ masked_texts('cells', key='ordinal', text='cell') }})
        select coalesce(masked.cell, cells.cell) as cell
        from cells
        left join masked on cells.ordinal = masked.ordinal
        order by cells.ordinal
    """,
    "instants_of_vars": "select "
    + ", ".join(f"{{{{ instant_of_var('{name}') }}}} as {name}" for name in INSTANTS),
    "refused_vars": "select "
    + ", ".join(
        f"{{{{ parsed_var_instant('{name}') is none }}}} as {name}" for name in NO_INSTANTS
    ),
}


class Engine:
    """DuckDB and the macros' SQL, rendered for one time zone."""

    def __init__(self, sql: Mapping[str, str]) -> None:
        self.sql = sql
        self.connection = duckdb.connect()
        # No answer may hang on the session's zone, which is not always that of profiles.yml.
        self.connection.execute("set TimeZone = 'Asia/Kathmandu'")

    def rows(self, name: str, cells: Sequence[object], of: str = "varchar") -> list[Any]:
        """What a query says of each cell: a value, or a tuple where it says several things.

        Args:
            name: which query.
            cells: the delivered values.
            of: their SQL type.
        """
        # As JSON, because a list of parameters takes DuckDB a hundred times as long.
        texts = json.dumps([None if cell is None else str(cell) for cell in cells])
        self.connection.execute(
            "create or replace table cells as "
            """with given as (select from_json(?, '["varchar"]') as cells) """
            f"select unnest(range(len(cells))) as ordinal, cast(unnest(cells) as {of}) as cell "
            "from given",
            [texts],
        )
        found = self.connection.execute(self.sql[name]).fetchall()
        assert len(found) == len(cells)
        return [row[0] if len(row) == 1 else row for row in found]


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Engine]:
    """An engine for each time zone."""
    names = {zone: re.sub(r"\W", "_", zone.lower()) for zone in ZONES}
    sql = rendered(
        tmp_path_factory.mktemp("macros"),
        MODELS,
        variables=INSTANTS | NO_INSTANTS,
        variants={name: {"nps_timezone": zone} for zone, name in names.items()},
    )
    prefixes = {UTC_ZONE: ""} | {zone: f"{name}." for zone, name in names.items()}
    return {
        zone: Engine({name: sql[prefix + name] for name in MODELS})
        for zone, prefix in prefixes.items()
    }


@pytest.fixture(scope="module")
def engine(engines: dict[str, Engine]) -> Engine:
    return engines[UTC_ZONE]


def agree(cells: Sequence[object], ours: Sequence[object], theirs: Iterable[object]) -> None:
    """Fail with every cell that two readers see differently."""
    pairs = zip(cells, ours, theirs, strict=True)
    different = [
        f"{cell!r}: {a!r} in SQL, {b!r} in Python"
        for cell, a, b in pairs
        if a != b or type(a) is not type(b)
    ]
    assert not different


def batch(examples: st.SearchStrategy[Any], size: int = 50) -> st.SearchStrategy[list[Any]]:
    return st.lists(examples, min_size=size, max_size=size)


batches = settings(
    max_examples=20,
    # A batch says itself which of its examples are wrong; making it smaller takes minutes.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.large_base_example, HealthCheck.data_too_large],
)

# --- blanks -----------------------------------------------------------------------------------

# What \s and str.isspace() know, the C0 controls, and what has no width: the Mongolian vowel
# separator, zero-width space, non-joiner and joiner, direction marks, word joiner and the invisible
# operators after it, byte-order mark.
BLANKS = {chr(code) for code in range(0x110000) if chr(code).isspace()}
BLANKS |= {chr(code) for code in range(0x20)}
BLANKS |= set(map(chr, [0x180E, *range(0x200B, 0x2010), *range(0x2060, 0x2065), 0xFEFF]))
SOME_BLANKS = "".join(sorted(BLANKS - {"\0"}))

blanks = st.text(st.sampled_from(SOME_BLANKS), max_size=3)
any_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
# Texts that are nearly a value: what values are made of, and what is often taken for it.
NEARLY = "0123456789" * 3 + "..,,--++ :/TZeExX_naNifyYs" + "–—−٩９½²\u00a0\u200b\n\t"
nearly = st.text(st.sampled_from(NEARLY), max_size=8)


def trim(text: str) -> str | None:
    return text.strip("".join(BLANKS)) or None


def test_every_character_that_is_blank_is_trimmed_and_no_other(engine: Engine) -> None:
    characters = [
        chr(code) for code in range(1, 0x110000) if unicodedata.category(chr(code)) != "Cs"
    ]
    around = engine.rows("trimmed", [f"{each}a{each}b{each}" for each in characters])
    theirs = [f"a{each}b" if each in BLANKS else f"{each}a{each}b{each}" for each in characters]
    agree(characters, around, theirs)
    alone = engine.rows("trimmed", characters)
    agree(characters, alone, [None if each in BLANKS else each for each in characters])


@batches
@given(batch(st.builds("".join, st.tuples(blanks, any_text, blanks, any_text, blanks))))
def test_trimmed(engine: Engine, cells: list[str]) -> None:
    cells = [*cells, "", " ", "\r\n"]
    theirs = [trim(cell) for cell in cells]
    agree(cells, engine.rows("trimmed", cells), theirs)
    agree(cells, engine.rows("text", cells), theirs)


def test_no_text_stays_none(engine: Engine) -> None:
    for name in PARSERS:
        if name not in ("local_times", "local_to_utc", "end_of_local_date", "periods", "calendar"):
            assert engine.rows(name, [None]) == [None], name


def test_a_typed_column_has_no_text(engine: Engine) -> None:
    assert engine.rows("text", [1.5], of="double") == [None]
    assert engine.rows("text", [datetime(2026, 1, 1)], of="timestamp") == [None]


# --- numbers ----------------------------------------------------------------------------------


def read(pattern: str, value: Callable[[str], Any]) -> Callable[[str], Any]:
    """A reader of trimmed texts that match as a whole; everything else is None."""
    known = re.compile(pattern)

    def reader(cell: str) -> Any:
        text = trim(cell)
        return value(text) if text is not None and known.fullmatch(text) else None

    return reader


def finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def whole(least: int, greatest: int) -> Callable[[str], int | None]:
    def value(text: str) -> int | None:
        number = int(text.partition(".")[0])
        return number if least <= number <= greatest else None

    return value


READERS: dict[str, Callable[[str], Any]] = {
    "parsed_number": read(r"[0-9]+(\.[0-9]*)?|\.[0-9]+", finite),
    "parsed_number_of_any_sign": read(r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)", finite),
    "parsed_integer": read(r"[0-9]+(\.0*)?", whole(0, 2**63 - 1)),
    "parsed_integer_1_7": read(r"[0-9]+(\.0*)?", whole(1, 7)),
    "parsed_boolean": read(
        r"(?i:true|yes|1|false|no|0)", lambda text: text.lower() in ("true", "yes", "1")
    ),
    "parsed_word": read(rf"(?ai:{'|'.join(WORDS)})", str.lower),
}

digits = st.text(st.sampled_from("0123456789"), max_size=6)
number = st.one_of(
    st.builds("{}{}{}{}".format, st.sampled_from(["", "", "-", "+"]), digits, st.just("."), digits),
    st.builds("{}{}".format, st.sampled_from(["", "", "-", "+"]), digits),
    st.builds("{}.{}".format, st.integers(0, 9), st.sampled_from(["", "0", "00", "5", "000001"])),
    st.integers(-(2**64), 2**64).map(str),
    st.floats().map(repr),
    nearly,
)
NUMBERS = [
    *("0", "7", "8", "007", "2.0", "2.5", "2.", ".5", ".", "-0", "-2", "+2", "1e1", "0x9", "1_0"),
    *("NaN", "inf", "-inf", "Infinity", "1,5", "1 000", "٣", "９", "½", "2²", "9" * 400, "1" * 30),
    *(str(2**63 - 1), str(2**63), str(2**53 + 1), "8.50", "0.1", "1e400", "-2147483648", ""),
]


@pytest.mark.parametrize(
    "name",
    ["parsed_number", "parsed_number_of_any_sign", "parsed_integer", "parsed_integer_1_7"],
)
@batches
@given(batch(st.builds("".join, st.tuples(blanks, number, blanks))))
def test_parsed_numbers(engine: Engine, name: str, cells: list[str]) -> None:
    cells = [*cells, *NUMBERS]
    agree(cells, engine.rows(name, cells), map(READERS[name], cells))


@batches
@given(batch(st.one_of(st.floats(), st.floats(-10, 10), st.integers(-9, 9).map(float))))
def test_parsed_numbers_of_a_typed_column(engine: Engine, cells: list[float]) -> None:
    def at_least_zero(cell: float) -> float | None:
        return cell if math.isfinite(cell) and cell >= 0 else None

    def one_to_seven(cell: float) -> int | None:
        return int(cell) if cell in range(1, 8) else None

    cells = [*cells, 2.0, 2.5, -0.5, -1.0, 0.0, 1.0, 7.0, 8.0, math.nan, math.inf, -math.inf]
    agree(cells, engine.rows("parsed_number", cells, of="double"), map(at_least_zero, cells))
    signed = engine.rows("parsed_number_of_any_sign", cells, of="double")
    agree(cells, signed, [cell if math.isfinite(cell) else None for cell in cells])
    small = engine.rows("parsed_integer_1_7", cells, of="double")
    agree(cells, small, map(one_to_seven, cells))


# --- words ------------------------------------------------------------------------------------


def in_any_case(words: Sequence[str]) -> st.SearchStrategy[str]:
    def mixed(word: str, upper: list[bool]) -> str:
        pairs = zip(word, upper, strict=False)
        return "".join(letter.upper() if up else letter for letter, up in pairs)

    cases = st.lists(st.booleans(), min_size=20, max_size=20)
    return st.builds(mixed, st.sampled_from(words), cases)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("parsed_boolean", ["true", "false", "yes", "no", "1", "0", "2", "y", "t", "on", "1.0"]),
        ("parsed_word", [*WORDS, "relation", "in app", "transactional2"]),
    ],
)
def test_parsed_words(engine: Engine, name: str, words: list[str]) -> None:
    @batches
    @given(batch(st.builds("".join, st.tuples(blanks, in_any_case(words) | nearly, blanks))))
    def every_batch(cells: list[str]) -> None:
        agree(cells, engine.rows(name, cells), map(READERS[name], cells))

    every_batch()


# --- scores -----------------------------------------------------------------------------------

# The input contract's expression. Its digits are ASCII's, as those of the scores are.
SCORE = re.compile(r"^(10|[0-9])(\.0+)?(\s*[-–—]\s*[^0-9].*)?$")


def score_of(cell: str) -> int | None:
    text = trim(cell)
    match = SCORE.match(text) if text is not None else None
    return int(match[1]) if match else None


near_score = st.builds(
    "".join,
    st.tuples(
        st.sampled_from([*map(str, range(-1, 13)), "", "09", "+9", "９", "٩", "1e1", "0x9"]),
        st.sampled_from(["", "", "", ".0", ".00", ".", ".5", ".01", ",0"]),
        st.sampled_from(["", "", " ", "\t", "\u00a0 ", "\u3000"]),
        st.sampled_from(["", "-", "–", "—", "−", "/", ":", "--", "- –"]),
        st.sampled_from(["", "", " ", "\u2009"]),
        st.one_of(
            st.sampled_from(["", "Very likely", "< Very Unlikely", "10", "1st", ">", "a 9", "é"]),
            any_text,
        ),
    ),
)
score = st.builds(
    "{}{}{}".format,
    st.integers(0, 10),
    st.sampled_from(["", ".0", ".000"]),
    st.sampled_from(["", " - Very likely", "-x", " – 9 of 10", "\u00a0—\u00a0très", "\t-\tñ"]),
)
# As often right as not.
score_like = st.booleans().flatmap(lambda right: score if right else near_score | nearly)
NO_SCORES = ["", "8.5", "11", "-1", "n/a", "-2147483648", "9/10", "+9", "9,0", "8th", "100", "1O"]


@batches
@given(batch(st.builds("".join, st.tuples(blanks, score_like, blanks))))
def test_parsed_score(engine: Engine, cells: list[str]) -> None:
    agree(cells, engine.rows("parsed_score", cells), map(score_of, cells))


def test_every_score_alone_and_labelled(engine: Engine) -> None:
    for shape in ("{}", "{}.0", "{}.000", " {} ", "{} - Very likely", "{} – x", "{}—x", "{}.0 -x"):
        cells = [shape.format(value) for value in range(11)]
        assert engine.rows("parsed_score", cells) == list(range(11)), shape
    assert engine.rows("parsed_score", NO_SCORES) == [None] * len(NO_SCORES)


# --- timestamps -------------------------------------------------------------------------------

ISO = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"([T ](?P<time>[0-9]{2}:[0-9]{2}(:[0-9]{2})?)([.,](?P<fraction>[0-9]+))?(?P<offset>Z|"
    r"[+-][0-9]{2}(:?[0-9]{2})?)?)?"
)


def instant_of(cell: str, zone: str) -> datetime | None:
    """The instant of an ISO 8601 text, by datetime's own reading of its parts."""
    text = trim(cell)
    match = ISO.fullmatch(text) if text is not None else None
    if match is None:
        return None
    clock = match["time"] or "00:00:00"
    if match["fraction"] and len(clock) < len("00:00:00"):
        return None
    try:
        # A fraction is cut where the clock ends: at microseconds.
        microseconds = int((match["fraction"] or "").ljust(6, "0")[:6])
        hour, minute, second = [*map(int, clock.split(":")), 0][:3]
        wall = datetime.combine(
            date.fromisoformat(match["date"]), time(hour, minute, second, microseconds)
        )
        if match["offset"] is None:
            return local_to_utc(wall, zone)
        return wall - offset_of(match["offset"])
    except ValueError:
        return None


def offset_of(text: str) -> timedelta:
    if text == "Z":
        return timedelta()
    hours, minutes = int(text[1:3]), int(text[3:].removeprefix(":") or 0)
    if hours > 23 or minutes > 59:
        raise ValueError(text)
    return timedelta(hours=hours, minutes=minutes) * (-1 if text[0] == "-" else 1)


def local_to_utc(wall: datetime, zone: str) -> datetime:
    """The instant of a wall time: a doubled one the later, a skipped one moved on by the gap."""
    candidates = []
    for fold in (0, 1):
        offset = wall.replace(tzinfo=ZoneInfo(zone), fold=fold).utcoffset()
        assert offset is not None
        candidates.append(wall - offset)
    return max(candidates)


def utc_to_local(instant: datetime, zone: str) -> datetime:
    return instant.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def changes_of_clock(zone: str) -> list[datetime]:
    """The instants from 1996 to 2035 at which a zone's clock is changed."""

    def offset(instant: datetime) -> timedelta | None:
        return instant.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset()

    found = []
    day = datetime(1996, 1, 1)
    while day.year < 2036:
        following = day + timedelta(days=1)
        if offset(day) != offset(following):
            low, high = day, following
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) // 2
                low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
            found.append(high)
        day = following
    return found


TIMES = [
    *("00:00", "09:05", "23:59:59", "24:00", "12:60", "12:30:60", "7:00", "12", "1200", "12:30:"),
    *("23:59:59.999999", "10:00:00,5", "10:00:00.1234567", "10:00:00.", "10:00.5", "10:00 AM"),
]
OFFSETS = [
    *("", "", "Z", "z", "+00:00", "-00:00", "+05:30", "-0930", "+02", "+14:00", "-12:00", "+23:59"),
    *("+24:00", "+05:60", "+5", "+5:30", "+05:3", "-05:30:00", " +02:00", "+", "UTC", "−05:00"),
]
YEARS = st.integers(2, 9998)
some_date = st.one_of(
    st.dates(date(2, 1, 1), date(9998, 12, 31)).map(str),
    st.builds("{:04}-{:02}-{:02}".format, YEARS, st.integers(0, 14), st.integers(0, 32)),
    st.builds("{:04}-02-{}".format, YEARS, st.sampled_from(["28", "29", "30"])),
    st.builds("{}/{}/{}".format, st.integers(1, 12), st.integers(1, 31), YEARS),
    st.builds("{:02}-{}-{}".format, st.integers(0, 99), st.integers(1, 12), st.integers(1, 31)),
    st.dates(date(2, 1, 1), date(9998, 12, 31)).map(lambda day: day.strftime("%Y%m%d")),
)
some_time = st.one_of(
    st.sampled_from(TIMES),
    st.times().map(str),
    st.builds("{:02}:{:02}".format, st.integers(0, 25), st.integers(0, 61)),
    st.builds("{:02}:{:02}:{:02}".format, *[st.integers(0, 61)] * 3),
)
some_offset = st.sampled_from(OFFSETS) | st.builds(
    "{}{:02}{}{:02}".format,
    st.sampled_from("+-"),
    st.integers(0, 25),
    st.sampled_from([":", ""]),
    st.integers(0, 61),
)


def typing_slip(text: str, place: int, character: str) -> str:
    place %= len(text) + 1
    return text[:place] + character + text[place + 1 :]


timestamp = st.builds(
    "".join, st.tuples(some_date, st.sampled_from(["T", " ", " ", "t", "  ", "_"]), some_time)
)


def written(at: datetime) -> st.SearchStrategy[str]:
    """The ways in which the contract lets a wall time be written."""
    shapes = [
        str(at),
        at.isoformat(),
        at.isoformat(timespec="minutes"),
        at.isoformat(" ", timespec="seconds"),
        at.isoformat(timespec="milliseconds").replace(".", ","),
    ]
    return st.sampled_from(shapes)


valid_offset = st.one_of(
    st.just(""),
    st.just("Z"),
    st.builds("{}{:02}".format, st.sampled_from("+-"), st.integers(0, 23)),
    st.builds(
        "{}{:02}{}{:02}".format,
        st.sampled_from("+-"),
        st.integers(0, 23),
        st.sampled_from([":", ""]),
        st.integers(0, 59),
    ),
)


def valid_timestamps(first: int, last: int) -> st.SearchStrategy[str]:
    """Timestamps of the years from first to last, as the contract lets them be written."""
    instants = st.datetimes(datetime(first, 1, 2), datetime(last, 12, 30))
    return st.builds("{}{}".format, instants.flatmap(written), valid_offset)


near_iso = st.one_of(
    some_date,
    timestamp,
    st.builds("".join, st.tuples(timestamp, some_offset)),
    st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)).map(str),
    st.builds(
        typing_slip,
        st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)).map(lambda at: at.isoformat()),
        st.integers(0, 30),
        st.sampled_from("0123456789-+:.,TZ /\n"),
    ),
)
# As often right as not.
iso_like = st.booleans().flatmap(lambda right: valid_timestamps(2, 9998) if right else near_iso)
NO_TIMESTAMPS = [
    *("", "01/15/2026", "2026-02-31", "2026-1-5", "20260115", "42075", "5th Jan 2020", "now"),
    *("2026-01-15T", "2026-01-15T10", "2026-01-15 24:00:00", "infinity", "epoch", "202601"),
    *(f"2026-01-15T10:00:00{offset}" for offset in OFFSETS[OFFSETS.index("+24:00") :]),
    *(f"2026-01-15 {clock}" for clock in ("24:00", "12:60", "12:30:60", "7:00", "1200", "10:00.5")),
    *("2026-13-01", "2026-00-10", "2026-02-29 10:00", "2026-01-15t10:00", "2026-01-15T10:00z"),
    *("2026-01-15 10:00 Europe/Berlin", "2026-01-15+01:00", "2026-01-15 (BC)", "12/31/1899"),
]


@batches
@given(batch(st.builds("".join, st.tuples(blanks, iso_like, blanks))))
def test_parsed_timestamp(engine: Engine, cells: list[str]) -> None:
    cells = [*cells, *NO_TIMESTAMPS]
    theirs = [instant_of(cell, UTC_ZONE) for cell in cells]
    agree(cells, engine.rows("parsed_timestamp", cells), theirs)


def test_no_timestamps(engine: Engine) -> None:
    found = engine.rows("parsed_timestamp", NO_TIMESTAMPS)
    assert found == [None] * len(NO_TIMESTAMPS)


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        ("Europe/Berlin", "2026-03-29 02:30", "2026-03-29 01:30"),  # skipped: it is 03:30
        ("Europe/Berlin", "2026-10-25 02:30", "2026-10-25 01:30"),  # doubled: the second
        ("America/New_York", "2026-03-08T02:00:00", "2026-03-08 07:00"),
        ("America/New_York", "2026-11-01 01:59:59.999999", "2026-11-01 06:59:59.999999"),
        ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:45"),  # half an hour
        ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 15:15"),
        ("Europe/Berlin", "2026-10-25 02:30+02:00", "2026-10-25 00:30"),
        ("Europe/Berlin", "2026-07-01", "2026-06-30 22:00"),
        ("Europe/Berlin", "2026-07-01T00:00Z", "2026-07-01 00:00"),
        ("Europe/Berlin", "2026-07-01 12:00-0930", "2026-07-01 21:30"),
        ("Europe/Berlin", "2026-07-01 12:00:00,5-09", "2026-07-01 21:00:00.500000"),
        ("Europe/Berlin", "2026-07-01 12:00+05:45", "2026-07-01 06:15"),
    ],
)
def test_zones_and_offsets(engines: dict[str, Engine], zone: str, wall: str, instant: str) -> None:
    expected = datetime.fromisoformat(instant)
    assert engines[zone].rows("parsed_timestamp", [wall]) == [expected]
    assert instant_of(wall, zone) == expected


@pytest.mark.parametrize("zone", ZONES)
def test_times_around_every_change_of_clock(engines: dict[str, Engine], zone: str) -> None:
    changes = changes_of_clock(zone)
    assert len(changes) == 80
    minutes = [-151, -91, -61, -60, -59, -31, -30, -29, -1, 0, 1, 29, 30, 31, 59, 60, 61, 91, 151]
    instants = [change + timedelta(minutes=each) for change in changes for each in minutes]
    walls = [
        utc_to_local(change, zone) + timedelta(minutes=m) for change in changes for m in minutes
    ]
    cells = [str(wall) for wall in walls]
    theirs = [local_to_utc(wall, zone) for wall in walls]
    agree(cells, engines[zone].rows("parsed_timestamp", cells), theirs)
    agree(walls, engines[zone].rows("local_to_utc", walls, of="timestamp"), theirs)
    agree(instants, *local_times(engines[zone], instants, zone))


def local_times(
    engine: Engine, instants: list[datetime], zone: str
) -> tuple[list[Any], list[tuple[object, ...]]]:
    """Wall time, date, weekday and hour of instants: in SQL, in Python."""
    walls = [utc_to_local(instant, zone) for instant in instants]
    theirs = [(wall, wall.date(), wall.isoweekday(), wall.hour) for wall in walls]
    return engine.rows("local_times", instants, of="timestamp"), list(theirs)


@pytest.mark.parametrize("zone", [UTC_ZONE, *ZONES])
def test_local_times(engines: dict[str, Engine], zone: str) -> None:
    years = datetime(1996, 1, 1), datetime(2035, 12, 30)

    @batches
    @given(batch(st.datetimes(*years)), batch(valid_timestamps(1996, 2035)))
    def every_batch(drawn: list[datetime], texts: list[str]) -> None:
        engine = engines[zone]
        theirs = [local_to_utc(wall, zone) for wall in drawn]
        cells = [*map(str, drawn), *texts]
        expected = [*theirs, *(instant_of(text, zone) for text in texts)]
        agree(cells, engine.rows("parsed_timestamp", cells), expected)
        agree(drawn, engine.rows("parsed_timestamp", drawn, of="timestamp"), theirs)
        zoned = [instant.replace(tzinfo=UTC) for instant in drawn]
        agree(drawn, engine.rows("parsed_timestamp", zoned, of="timestamptz"), drawn)
        agree(drawn, *local_times(engine, drawn, zone))
        days = [instant.date() for instant in drawn]
        last = [
            local_to_utc(datetime.combine(day + timedelta(days=1), datetime.min.time()), zone)
            - timedelta(microseconds=1)
            for day in days
        ]
        agree(days, engine.rows("end_of_local_date", days, of="date"), last)

    every_batch()


@pytest.mark.parametrize("zone", [UTC_ZONE, *ZONES])
def test_vars_are_read_by_the_same_rule(engines: dict[str, Engine], zone: str) -> None:
    (found,) = engines[zone].connection.execute(engines[zone].sql["instants_of_vars"]).fetchall()
    assert dict(zip(INSTANTS, found, strict=True)) == {
        name: instant_of(text, zone) for name, text in INSTANTS.items()
    }


def test_vars_that_hold_no_instant(engine: Engine) -> None:
    (found,) = engine.connection.execute(engine.sql["refused_vars"]).fetchall()
    assert dict(zip(NO_INSTANTS, found, strict=True)) == dict.fromkeys(NO_INSTANTS, True)


# --- periods ----------------------------------------------------------------------------------


def period_of(period_type: str, day: date) -> tuple[date, date]:
    """First and last date of the period that a date is in."""
    match period_type:
        case "day":
            return day, day
        case "week":
            year, week, _ = day.isocalendar()
            return date.fromisocalendar(year, week, 1), date.fromisocalendar(year, week, 7)
        case "month":
            first, last = day.month, day.month
        case "quarter":
            first = (day.month - 1) // 3 * 3 + 1
            last = first + 2
        case _:
            first, last = 1, 12
    following = date(day.year + last // 12, last % 12 + 1, 1)
    return date(day.year, first, 1), following - timedelta(days=1)


def in_months(day: date, months: int) -> date:
    """The same day of another month, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    _, last = period_of("month", date(year, month + 1, 1))
    return last.replace(day=min(day.day, last.day))


ENDS_OF_YEARS = [
    date(year, month, day)
    for year in (1999, 2000, 2020, 2021, 2024, 2026, 2100)
    for month, day in (
        (1, 1),
        (1, 3),
        (1, 4),
        (2, 28),
        (3, 1),
        (6, 30),
        (10, 1),
        (12, 28),
        (12, 31),
    )
]


@batches
@given(batch(st.dates(date(1900, 1, 1), date(2200, 12, 31))))
def test_periods_and_calendar(engine: Engine, days: list[date]) -> None:
    days = [*days, *ENDS_OF_YEARS, date(2000, 2, 29), date(2024, 2, 29)]
    expected = [
        tuple(bound for each in PERIOD_TYPES for bound in period_of(each, day)) for day in days
    ]
    agree(days, engine.rows("periods", days, of="date"), expected)
    found = [
        (weekday, *(at.date() if isinstance(at, datetime) else at for at in dates))
        for weekday, *dates in engine.rows("calendar", days, of="date")
    ]
    theirs = [
        (
            day.isoweekday(),
            day + timedelta(days=40),
            day - timedelta(days=40),
            in_months(day, 1),
            in_months(day, -13),
        )
        for day in days
    ]
    agree(days, found, theirs)


# --- personal data ----------------------------------------------------------------------------

SMALL_WORDS = [
    "please",
    "danke",
    "asked",
    "waiting",
    "größer",
    "résumé",
    "très",
    "客服很好",
    "🙂🙂🙂🙂",
]
word = st.sampled_from(SMALL_WORDS)
small_number = st.integers(0, 999_999).map(str)
# Figures that follow each other at once would be a number of many digits.
prose = st.builds(" ".join, st.tuples(word, small_number | word, word))


def grouped(digits: str, sizes: Sequence[int], separator: str) -> str:
    """Digits in groups of these sizes, again and again, with a sign between them."""
    groups, rest, turn = [], digits, 0
    while rest:
        size = sizes[turn % len(sizes)]
        groups.append(rest[:size])
        rest, turn = rest[size:], turn + 1
    return separator.join(groups)


def some_digits(least: int, most: int) -> st.SearchStrategy[str]:
    return st.text(st.sampled_from("0123456789"), min_size=least, max_size=most)


LOCAL_PART = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-"
LABEL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
email = st.builds(
    "{}@{}.{}".format,
    st.text(st.sampled_from(LOCAL_PART), min_size=1, max_size=20),
    st.lists(st.text(st.sampled_from(LABEL), min_size=1, max_size=12), min_size=1, max_size=3).map(
        ".".join
    ),
    st.sampled_from(["com", "de", "co.uk", "museum", "xn--p1ai"]),
)
CARD_LENGTHS = [13, 14, 15, 16, 19]


def with_luhn_digit(figures: str) -> str:
    return figures + luhn.calc_check_digit(figures)


card_figures = st.sampled_from(CARD_LENGTHS).flatmap(
    lambda length: st.builds(
        lambda first, rest: with_luhn_digit(first + rest),
        st.sampled_from("23456"),
        some_digits(length - 2, length - 2),
    )
)
card = st.builds(
    grouped,
    card_figures,
    st.sampled_from([[4], [4, 6, 5], [19]]),
    st.sampled_from(["", " ", "-", ".", " - "]),
)
# Countries with what follows the check digits: some of the registry, spelt out here once more.
# The check digits themselves are any: who mistypes an account number gives it away all the same.
IBAN_SHAPES = {
    "DE": "18n", "ES": "20n", "PL": "24n", "AT": "16n", "BE": "12n", "SE": "20n", "PT": "21n",
    "CZ": "20n", "HU": "24n", "NO": "11n", "GB": "4a14n", "NL": "4a10n", "IE": "4a14n",
    "GI": "4a15c", "BG": "4a6n8c", "LV": "4a13c", "RO": "4a16c", "FR": "10n11c2n",
    "IT": "1a10n12c", "CH": "5n12c", "MT": "4a5n18c",
}  # fmt: skip
SIGNS = {"n": "0123456789", "a": "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
SIGNS["c"] = SIGNS["n"] + SIGNS["a"]


def account_of(country: str) -> st.SearchStrategy[str]:
    parts = re.findall(r"([0-9]+)([nac])", IBAN_SHAPES[country])
    texts = [
        st.text(st.sampled_from(SIGNS[kind]), min_size=int(count), max_size=int(count))
        for count, kind in [("2", "n"), *parts]
    ]
    return st.tuples(*texts).map(lambda found: country + "".join(found))


iban = st.builds(
    lambda account, separator: grouped(account, [4], separator),
    st.sampled_from(sorted(IBAN_SHAPES)).flatmap(account_of),
    st.sampled_from(["", " ", "-", "\u00a0"]),
)
phone = st.one_of(
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["+49 ", "+1 ", "+44 (0)", "0049-", "(030) ", "(0)", "+1-", "+61"]),
        st.sampled_from(["", "1", "30 ", "(2) ", "151/"]),
        st.builds(
            grouped,
            some_digits(8, 10),
            st.sampled_from([[2], [3, 4], [3], [10]]),
            st.sampled_from([" ", "-", ".", "/", " - "]),
        ),
    ),
    # Alone between words: figures with a leading zero or a country's code.
    st.builds("0{}".format, some_digits(9, 9).filter(lambda text: text[0] != "0")),
    st.builds("{}{}".format, st.sampled_from(["49", "44", "34", "33"]), some_digits(10, 10)),
)
PLANTED = {"email": email, "card": card, "iban": iban, "phone": phone}
MARKER = {"email": "[e-mail]", "card": "[card]", "iban": "[iban]", "phone": "[phone]"}
# A cell that could not be read is masked by the look of it alone.
MARKER_IN_CELL = MARKER | {"card": "[number]", "phone": "[number]"}


# The query is a long one to plan: a few batches of texts, each asked about at once.
long_batches = settings(batches, max_examples=6)


@pytest.mark.parametrize("kind", PLANTED)
def test_planted_personal_data_does_not_survive(engine: Engine, kind: str) -> None:
    @long_batches
    @given(batch(st.tuples(prose, PLANTED[kind], prose), size=40), batch(PLANTED[kind], size=40))
    def every_batch(planted: list[tuple[str, str, str]], alone: list[str]) -> None:
        comments = [" ".join(parts) for parts in planted]
        # Beside signs, and more than once in one text.
        thrice = [f"({cell}), <{cell}>; {cell}!" for cell in alone]
        marker = MARKER[kind]
        theirs = [
            *(f"{before} {marker} {after}" for before, _, after in planted),
            *([marker] * len(alone)),
            *([f"({marker}), <{marker}>; {marker}!"] * len(alone)),
        ]
        texts = [*comments, *alone, *thrice]
        agree(texts, engine.rows("masked", texts), theirs)
        # Ten digits alone may be a plain number in a cell; the rule keeps those.
        cells = [cell for cell in alone if not re.fullmatch(r"[+]?[0-9]{1,10}", cell)]
        marker = MARKER_IN_CELL[kind]
        theirs = [f"{before} {marker} {after}" for before, _, after in planted]
        theirs += [marker] * len(cells)
        cells = [*comments, *cells]
        agree(cells, engine.rows("masked_cell", cells), theirs)

    every_batch()


ordinary = st.lists(
    st.one_of(
        word,
        small_number,
        st.sampled_from(["10:30", "12,50 €", "24/7", "100%", "A-12", "(3)", "#42", "1.000", "5-6"]),
    ),
    max_size=12,
)


@long_batches
@given(batch(ordinary))
def test_ordinary_comments_stay(engine: Engine, drawn: list[list[str]]) -> None:
    comments = [" waiting ".join(parts) for parts in drawn]
    agree(comments, engine.rows("masked", comments), comments)
    agree(comments, engine.rows("masked_cell", comments), comments)


DATE_SHAPES = [
    *("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%d/%m/%y"),
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%f", "%d.%m.%Y %H:%M"),
    *("%Y-%m-%d %H:%M:%S+02:00", "%Y-%m-%dT%H:%M:%S-0930", "%d.%m.%Y, %H:%M"),
]


@batches
@given(
    batch(
        st.builds(
            lambda at, shape: at.strftime(shape),
            st.datetimes(datetime(1900, 1, 1)),
            st.sampled_from(DATE_SHAPES),
        )
    ),
    batch(
        st.one_of(
            st.integers(-2_147_483_648, 9_999_999_999).map(str),
            st.builds("{}{}{}".format, st.integers(-999, 99_999), st.sampled_from(".,"), digits),
        )
    ),
)
def test_dates_and_plain_numbers_stay_in_a_cell(
    engine: Engine, dates: list[str], numbers: list[str]
) -> None:
    cells = [*dates, *numbers, "2026-02-31", "01/15/2026", "8.5", "+9", "42075", "n/a", "2.5"]
    agree(cells, engine.rows("masked_cell", cells), cells)


# --- digests ----------------------------------------------------------------------------------


@batches
@given(batch(any_text))
def test_digest(engine: Engine, cells: list[str]) -> None:
    theirs = [hashlib.sha256(cell.encode()).hexdigest() for cell in cells]
    agree(cells, engine.rows("digest", cells), theirs)
