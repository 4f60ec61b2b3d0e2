"""Mappings: small YAML files that say which column of an export is which column of a raw table.

The shape is `mapping.schema.json`, which editors complete from. A mapping may extend a preset or
another file; what it states replaces what it extends, column by column, and null takes away.
"""

from __future__ import annotations

import codecs
import json
import re
import zoneinfo
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from nps_warehouse.importing.refusal import ImportRefusedError, closest
from nps_warehouse.importing.time_formats import TimeFormat, compile_format
from nps_warehouse.landing import contract
from nps_warehouse.landing.names import clean_name
from nps_warehouse.landing.report import name_list

FOLDER = Path(__file__).resolve().parent
SCHEMA_FILE = FOLDER / "mapping.schema.json"
PRESETS = FOLDER / "presets"

WAYS = ("column", "columns", "sum", "question", "answer_to", "constant", "row_hash")
"""What a column can come from; a column has exactly one of them."""


@dataclass(frozen=True)
class Choice:
    """How one question is chosen among those of an export: by its id, its text or a pattern.

    Before all these by `beside`: the suffix of a column that stands beside a question of its type.
    """

    ids: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    matching: tuple[re.Pattern[str], ...] = ()
    excluding: tuple[re.Pattern[str], ...] = ()
    beside: str | None = None

    def fits(self, names: Iterable[str]) -> bool:
        """Whether a question of these names is meant. Any blanks in a text count as one.

        Args:
            names: its ids and texts.
        """
        folded = [" ".join(name.split()) for name in names]
        wanted = {" ".join(clean_name(name).split()) for name in (*self.ids, *self.texts)}
        is_meant = not wanted.isdisjoint(clean_name(name) for name in folded) or any(
            pattern.search(name) for pattern in self.matching for name in folded
        )
        return is_meant and not any(
            pattern.search(name) for pattern in self.excluding for name in folded
        )


@dataclass(frozen=True)
class ColumnRule:
    """Where the values of one column of a raw table come from.

    `way` is one of `WAYS`; `names` are the columns of the export it reads. `formats` are empty for
    a column that is no time.
    """

    way: str
    names: tuple[str, ...] = ()
    choice: Choice | None = None
    constant: str | None = None
    lookup: str | None = None
    joined_by: str = " "
    formats: tuple[TimeFormat, ...] = ()
    values: Dict[str, str] = field(default_factory=dict)
    otherwise: str | None = None
    unit: str | None = None
    optional: bool = False


@dataclass(frozen=True)
class LeftOut:
    """Rows that are no rows of the table: `column` of the export holds one of `values`.

    With `target` instead, those whose column of the raw table is empty.
    """

    because: str
    column: str | None = None
    values: tuple[str, ...] = ()
    target: str | None = None


@dataclass(frozen=True)
class Answers:
    """Answers that come one per row: where they are and how they belong to a row of the table."""

    source: str
    by: Dict[str, str]
    question: tuple[str, ...]
    text: tuple[str, ...]
    per: str | None


@dataclass(frozen=True)
class Lookup:
    """Another file of the export that is asked by key."""

    source: str
    by: Dict[str, str]


@dataclass(frozen=True)
class TableRule:
    """How one raw table comes out of an export."""

    table: contract.Table
    source: str
    one_row_per: tuple[str, ...]
    answers: Answers | None
    lookups: Dict[str, Lookup]
    left_out: tuple[LeftOut, ...]
    columns: Dict[str, ColumnRule]


@dataclass(frozen=True)
class Unpivot:
    """Columns that become rows: each of `columns` is one, with its `label` in a new column."""

    columns: Dict[str, str]
    label: str
    value: str


@dataclass(frozen=True)
class SourceRule:
    """How one kind of file of an export is read."""

    name: str
    file: str
    format: str | None
    header: str
    delimiter: str
    escape: str | None
    encoding: str | None
    fallback_encoding: str | None
    sheet: str | None
    skip_rows: int
    empty: tuple[str, ...]
    optional: bool
    unpivot: Unpivot | None


@dataclass(frozen=True)
class Order:
    """How exports are put in order of time: by a date in the name of their file."""

    pattern: re.Pattern[str]
    format: TimeFormat


@dataclass(frozen=True)
class Mapping:
    """A whole mapping, checked."""

    name: str
    timezone: str | None
    order: Order | None
    sources: Dict[str, SourceRule]
    tables: tuple[TableRule, ...]


class _Loader(yaml.SafeLoader):
    """YAML in which only what looks like nothing else is no text.

    `no` is a word, `0123` and `1.10` are texts, `2024-01-01` is one, and a key stands once.
    """


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(~|null|)$"), ["~", "n", ""])
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^(0|-?[1-9][0-9]*)$"), list("-0123456789")
)


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = _text(loader.construct_object(key_node, deep=True))
        if key in content:
            raise yaml.YAMLError(
                f"the key {key!r} stands twice (line {key_node.start_mark.line + 1})"
            )
        content[key] = loader.construct_object(value_node, deep=True)
    return content


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def preset_names() -> list[str]:
    """Names of the presets that come with the project."""
    return sorted(path.stem for path in PRESETS.glob("*.yml"))


def load_mapping(name_or_file: str, timezone: str | None = None) -> Mapping:
    """Read and check a mapping.

    Args:
        name_or_file: a preset's name, or the path of a YAML file.
        timezone: IANA zone that replaces the mapping's own.

    Raises:
        ImportRefusedError: the text names file, key and what is allowed.
    """
    document, shown = _resolved(name_or_file, Path.cwd(), ())
    if timezone is not None:
        document["timezone"] = timezone
    return _Reader(shown).mapping(document)


def _resolved(
    name_or_file: str, folder: Path, above: tuple[str, ...]
) -> tuple[dict[str, Any], str]:
    """A mapping with all that it extends, and how messages name it."""
    preset = PRESETS / f"{name_or_file}.yml"
    is_name = re.fullmatch(r"\w+", name_or_file) is not None
    path = preset if is_name else (folder / name_or_file)
    if not path.is_file():
        raise ImportRefusedError(
            f"mapping {name_or_file}: there is no such "
            + ("preset" if is_name else f"file ({path})")
            + f".{closest(name_or_file, preset_names())} Presets are {name_list(preset_names())}; "
            "anything else is the path of a YAML file."
        )
    if str(path.resolve()) in above:
        raise ImportRefusedError(f"mapping {name_or_file}: `extends` leads back to itself.")
    shown = f"preset {name_or_file}" if is_name else f"mapping {name_or_file}"
    document = _document(path, shown)
    if "extends" not in document:
        return document, shown
    base, _ = _resolved(document.pop("extends"), path.parent, (*above, str(path.resolve())))
    document.setdefault("name", path.stem if not is_name else name_or_file)
    return _merged(base, document, ()), shown


def _document(path: Path, shown: str) -> dict[str, Any]:
    try:
        document = yaml.load(path.read_bytes(), _Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise ImportRefusedError(f"{shown} is no YAML: {' '.join(str(problem).split())}") from None
    if not isinstance(document, dict):
        raise ImportRefusedError(
            f"{shown} holds no keys; it needs at least `sources` and `tables`."
        )
    validator = jsonschema.Draft202012Validator(_schema())
    errors = sorted(validator.iter_errors(document), key=lambda error: list(map(str, error.path)))
    if errors:
        raise ImportRefusedError("\n".join(f"{shown}: {_explained(error)}" for error in errors[:5]))
    if "name" not in document:
        document["name"] = re.sub(r"\W+", "_", path.stem.lower()).strip("_") or "mapping"
    return document


@cache
def _contract() -> tuple[contract.Table, ...]:
    return contract.load_contract()


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return schema


def _explained(error: jsonschema.ValidationError) -> str:
    """One sentence: where, what is wrong, what is allowed."""
    key = ".".join(map(str, error.absolute_path)) or "(top level)"
    schema = error.schema if isinstance(error.schema, dict) else {}
    if error.validator == "additionalProperties":
        allowed = list(schema.get("properties", {}))
        strange = [name for name in error.instance if name not in allowed]
        hint = closest(strange[0], allowed)
        return f"{key}: {strange[0]!r} is not allowed here.{hint} Allowed are {', '.join(allowed)}."
    if error.validator == "enum":
        allowed = [str(value) for value in error.validator_value]
        hint = closest(str(error.instance), allowed)
        return f"{key}: {error.instance!r} is not allowed.{hint} Allowed are {', '.join(allowed)}."
    if error.validator == "type":
        types = error.validator_value
        kinds = " or ".join([types] if isinstance(types, str) else types)
        return f"{key}: {error.instance!r} is not allowed; it must be of type {kinds}."
    if error.validator == "required":
        return f"{key}: {error.message}."
    described = f" ({schema['description']})" if "description" in schema else ""
    return f"{key}: {error.message}{described}."


# Below these the two sides are merged key by key; anything else is replaced as a whole.
_MERGED = (
    ("sources",), ("sources", "*"), ("tables",), ("tables", "*"), ("tables", "*", "columns"),
    ("tables", "*", "lookups"),
)  # fmt: skip


def _merged(base: dict[str, Any], over: dict[str, Any], at: tuple[str, ...]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        if value is None:
            merged.pop(key, None)
            continue
        place = (*at, key)
        is_deep = any(
            len(place) == len(deep) and all(a in ("*", b) for a, b in zip(deep, place, strict=True))
            for deep in _MERGED
        )
        before = merged.get(key)
        if is_deep and isinstance(before, dict) and isinstance(value, dict):
            merged[key] = _merged(before, value, place)
        else:
            merged[key] = value
    return merged


def _list(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, (list, tuple)):
        return tuple(_text(item) for item in value)
    return (_text(value),)


class _Reader:
    """Makes the typed mapping of a document that fits the schema."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.pivot: int | None = None
        self.tables = {table.name: table for table in _contract()}

    def refuse(self, key: str, problem: str) -> ImportRefusedError:
        return ImportRefusedError(f"{self.shown}: {key}: {problem}")

    def mapping(self, document: dict[str, Any]) -> Mapping:
        for key in ("sources", "tables"):
            if not document.get(key):
                raise self.refuse(key, "is missing; a mapping needs `sources` and `tables`.")
        zone = document.get("timezone")
        if zone is not None and zone not in zoneinfo.available_timezones():
            raise self.refuse(
                "timezone",
                f"{zone!r} is no IANA zone.{closest(zone, zoneinfo.available_timezones())} "
                "Write one like Europe/Berlin or UTC.",
            )
        self.pivot = document.get("two_digit_years_up_to")
        sources = {
            name: self.source(name, entry or {}) for name, entry in document["sources"].items()
        }
        tables = tuple(
            self.table(name, entry, sources) for name, entry in document["tables"].items() if entry
        )
        return Mapping(document["name"], zone, self.order(document.get("order")), sources, tables)

    def order(self, entry: dict[str, Any] | None) -> Order | None:
        if entry is None:
            return None
        pattern = self.pattern("order.file_name", entry["file_name"])
        if pattern.groups != 1:
            raise self.refuse("order.file_name", "needs one group in parentheses: the date.")
        return Order(pattern, self.format("order.format", entry["format"]))

    def source(self, name: str, entry: dict[str, Any]) -> SourceRule:
        at = f"sources.{name}"
        for key in ("encoding", "fallback_encoding"):
            if entry.get(key) is not None:
                self.encoding(f"{at}.{key}", entry[key])
        unpivot = entry.get("unpivot")
        return SourceRule(
            name=name,
            file=entry.get("file", "*"),
            format=entry.get("format"),
            header=entry.get("header", "plain"),
            delimiter={"tab": "\t"}.get(entry.get("delimiter", ","), entry.get("delimiter", ",")),
            escape=entry.get("escape"),
            encoding=entry.get("encoding"),
            fallback_encoding=entry.get("fallback_encoding"),
            sheet=entry.get("sheet"),
            skip_rows=entry.get("skip_rows", 0),
            empty=_list(entry.get("empty")),
            optional=entry.get("optional", False),
            unpivot=None
            if unpivot is None
            else Unpivot(
                {k: _text(v) for k, v in unpivot["columns"].items()},
                unpivot["label"],
                unpivot["value"],
            ),
        )

    def encoding(self, key: str, name: str) -> None:
        try:
            is_text = codecs.lookup(name)._is_text_encoding
        except LookupError:
            is_text = False
        if not is_text:
            raise self.refuse(
                key, f"{name!r} is no encoding. Write one like utf-8, cp1252, latin-1 or utf-16."
            )

    def table(self, name: str, entry: dict[str, Any], sources: Dict[str, SourceRule]) -> TableRule:
        at = f"tables.{name}"
        table = self.tables[name]
        default = next(iter(sources)) if len(sources) == 1 else None
        source = self.known_source(f"{at}.from", entry.get("from", default), sources)
        answers = entry.get("answers")
        lookups = {
            key: Lookup(
                self.known_source(f"{at}.lookups.{key}.from", lookup["from"], sources),
                dict(lookup["by"]),
            )
            for key, lookup in entry.get("lookups", {}).items()
            if lookup is not None
        }
        columns = {
            column: self.column(f"{at}.columns.{column}", rule)
            for column, rule in entry.get("columns", {}).items()
            if rule is not None
        }
        for column, rule in columns.items():
            if rule.lookup is not None and rule.lookup not in lookups:
                raise self.refuse(
                    f"{at}.columns.{column}.lookup",
                    f"{rule.lookup!r} is none of the table's lookups ({name_list(lookups)}).",
                )
            if rule.way == "answer_to" and answers is None:
                raise self.refuse(
                    f"{at}.columns.{column}.answer_to",
                    f"needs `{at}.answers`, which says where the answers are.",
                )
        missing = [c.name for c in table.columns if c.must_exist and c.name not in columns]
        if missing:
            raise self.refuse(
                f"{at}.columns",
                f"{name_list(missing)} must be mapped: the raw table {name} needs "
                f"{'it' if len(missing) == 1 else 'them'}. Name the export's column, or write "
                "`constant:` with what holds for every row.",
            )
        return TableRule(
            table=table,
            source=source,
            one_row_per=_list(entry.get("one_row_per")),
            answers=None
            if answers is None
            else Answers(
                self.known_source(f"{at}.answers.from", answers["from"], sources),
                dict(answers["by"]),
                _list(answers["question"]),
                _list(answers.get("text")),
                answers.get("per"),
            ),
            lookups=lookups,
            left_out=tuple(
                self.left_out(f"{at}.leave_out", rule, columns)
                for rule in entry.get("leave_out", [])
            ),
            columns=columns,
        )

    def left_out(self, key: str, entry: dict[str, Any], columns: Dict[str, ColumnRule]) -> LeftOut:
        if ("no" in entry) == ("column" in entry) or ("column" in entry) != ("is" in entry):
            raise self.refuse(key, "needs `column` with `is`, or else `no`.")
        if "no" in entry and entry["no"] not in columns:
            raise self.refuse(
                key, f"`no` must be one of the table's columns: {name_list(columns)}."
            )
        return LeftOut(
            entry["because"], entry.get("column"), _list(entry.get("is")), entry.get("no")
        )

    def known_source(self, key: str, name: str | None, sources: Dict[str, SourceRule]) -> str:
        if name is None or name not in sources:
            raise self.refuse(key, f"must be one of the sources: {name_list(sources)}.")
        return name

    def column(self, key: str, entry: str | dict[str, Any]) -> ColumnRule:
        if isinstance(entry, str):
            entry = {"column": entry}
        ways = [way for way in WAYS if way in entry]
        if len(ways) != 1:
            raise self.refuse(key, f"needs exactly one of {', '.join(WAYS)}; it has {len(ways)}.")
        way = ways[0]
        names = _list(entry[way]) if way in ("column", "columns", "sum") else ()
        if way == "answer_to":
            names = _list(entry.get("take"))
            if not names:
                raise self.refuse(
                    key, "`answer_to` needs `take`: the column that holds the answer."
                )
        choice = (
            self.choice(f"{key}.{way}", entry[way]) if way in ("question", "answer_to") else None
        )
        formats = tuple(self.format(f"{key}.format", text) for text in _list(entry.get("format")))
        for number, format_ in enumerate(formats):
            twin = next(
                (f for f in formats[:number] if f.pattern and f.pattern == format_.pattern), None
            )
            if twin is not None:
                raise self.refuse(
                    f"{key}.format",
                    f"{twin.text!r} and {format_.text!r} fit the same texts and read them "
                    "differently. Declare the one that this export is in.",
                )
        return ColumnRule(
            way=way,
            names=names,
            choice=choice,
            constant=_text(entry["constant"]) if way == "constant" else None,
            lookup=entry.get("lookup"),
            joined_by=entry.get("joined_by", " "),
            formats=formats,
            values={_text(k).strip().lower(): _text(v) for k, v in entry.get("values", {}).items()},
            otherwise=None if entry.get("else") is None else _text(entry["else"]),
            unit=entry.get("unit"),
            optional=entry.get("optional", False),
        )

    def choice(self, key: str, entry: dict[str, Any]) -> Choice:
        choice = Choice(
            _list(entry.get("id")),
            _list(entry.get("text")),
            self.patterns(f"{key}.matching", entry.get("matching")),
            self.patterns(f"{key}.except", entry.get("except")),
            entry.get("beside"),
        )
        if not (choice.ids or choice.texts or choice.matching or choice.beside):
            raise self.refuse(
                key, "needs `id`, `text`, `matching` or `beside`, which say the question."
            )
        return choice

    def patterns(self, key: str, entry: object) -> tuple[re.Pattern[str], ...]:
        return tuple(self.pattern(key, text) for text in _list(entry))

    def pattern(self, key: str, text: str) -> re.Pattern[str]:
        try:
            return re.compile(text, re.IGNORECASE)
        except re.error as problem:
            raise self.refuse(key, f"{text!r} is no regular expression: {problem}.") from None

    def format(self, key: str, text: str) -> TimeFormat:
        try:
            return compile_format(text, self.pivot)
        except ValueError as problem:
            raise self.refuse(key, str(problem)) from None


def describe(names: Sequence[str]) -> str:
    """Names of columns as messages show them."""
    return name_list(repr(name) for name in names)
