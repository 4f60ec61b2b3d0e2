"""Makes the raw tables of one export in DuckDB, as its mapping says."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb

from nps_warehouse.importing.mapping import (
    ColumnRule,
    Mapping,
    TableRule,
    describe,
)
from nps_warehouse.importing.questions import QUESTION_SEPARATOR, choose
from nps_warehouse.importing.refusal import ImportRefusedError, quoted
from nps_warehouse.importing.sources import Source, trimmed
from nps_warehouse.importing.time_formats import (
    TimeFormat,
    compile_format,
    instant_sql,
    parts_sql,
    written_sql,
)
from nps_warehouse.importing.units import summed_sql
from nps_warehouse.landing import sql

# What dates an export: when the newest thing in it happened.
EVENTS = (
    "updated_at", "responded_at", "ended_at", "started_at", "sent_at", "delivered_at", "opened_at",
    "first_contacted_at", "closed_at", "evaluated_at",
)  # fmt: skip

PREVIEW_ROWS = 5


@dataclass
class MadeTable:
    """One raw table of an export, ready in DuckDB.

    `rows` are those it has; `left_out` counts the others by their reason. `broken` are records of
    the file that could not be split into columns, `absent` the columns that
    the export lacks. `newest` is the newest event, in UTC.
    """

    name: str
    relation: str
    columns: tuple[str, ...]
    origins: Dict[str, str]
    rows: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    preview: list[tuple[str | None, ...]] = field(default_factory=list)
    newest: str | None = None


def use_columns(mapping: Mapping, sources: Dict[str, Source]) -> None:
    """Find every column that the mapping reads, so that only those are loaded.

    Args:
        mapping: the mapping.
        sources: the opened files by the name of their source.

    Raises:
        ImportRefusedError: a column or the question is not there.
    """
    for table in mapping.tables:
        if table.source in sources:
            _Query(mapping, table, sources, None).sql()


def make_table(
    cursor: duckdb.DuckDBPyConnection,
    mapping: Mapping,
    table: TableRule,
    sources: Dict[str, Source],
) -> MadeTable:
    """Make one raw table out of the loaded files.

    Args:
        cursor: the connection that holds them.
        mapping: the mapping.
        table: its table.
        sources: the loaded files by the name of their source.

    Raises:
        ImportRefusedError: no question or several, or a time that no row has in its format.
    """
    query = _Query(mapping, table, sources, cursor)
    statement = query.sql()
    relation = sql.name(f"made_{table.table.name}")
    cursor.execute(f"create table {relation} as {statement}")
    made = MadeTable(table.table.name, relation, tuple(query.finals), query.origins)
    source = sources[table.source]
    made.notes += query.notes
    made.absent += query.absent
    for number, rule in enumerate(table.left_out, 1):
        if rule.column is not None:
            made.left_out[rule.because] = made.left_out.get(rule.because, 0) + _count(
                cursor, f"select count(*) from ({query.base}) where left_out = {number}"
            )
    kept = _count(cursor, f"select count(*) from {relation}")
    if table.one_row_per:
        merged = source.rows - len(source.broken) - sum(made.left_out.values()) - kept
        made.left_out[f"merged into one row per {', '.join(table.one_row_per)}"] = merged
    for rule in table.left_out:
        if rule.target is not None:
            condition = f"{trimmed(sql.name(rule.target))} is null"
            count = _count(cursor, f"select count(*) from {relation} where {condition}")
            cursor.execute(f"delete from {relation} where {condition}")
            made.left_out[rule.because] = made.left_out.get(rule.because, 0) + count
    made.rows = _count(cursor, f"select count(*) from {relation}")
    _check_times(cursor, query, made)
    names = ", ".join(map(sql.name, made.columns))
    made.preview = cursor.execute(
        f"select {names} from {relation} order by rowid limit {PREVIEW_ROWS}"
    ).fetchall()
    return made


def _count(cursor: duckdb.DuckDBPyConnection, statement: str) -> int:
    found = cursor.execute(statement).fetchone()
    assert found is not None
    return int(found[0])


def _check_times(cursor: duckdb.DuckDBPyConnection, query: _Query, made: MadeTable) -> None:
    newest = []
    for column, formats in query.times.items():
        value, instant = sql.name(column), sql.name(f"instant of {column}")
        texts, fits, local, newest_instant = cursor.execute(
            f"select count({trimmed(value)}), count({instant}), "
            f"count_if({sql.name(f'needs zone of {column}')}), "
            f"max({instant}) filter ({instant} between timestamp '1900-01-01' and "
            f"timestamp '2100-01-01') from {made.relation}"
        ).fetchall()[0]
        shown = f"{made.name}.{column}"
        if query.mapping.timezone is None and local:
            raise ImportRefusedError(
                f"{query.source.path}: {local:,} values of {shown} are local times without an "
                "offset, and nothing says of which zone. Declare `timezone: …` (IANA, such as "
                "Europe/Berlin or UTC) in the mapping, or pass --timezone."
            )
        if fits < texts:
            odd = [
                str(row[0])
                for row in cursor.execute(
                    f"select {value} from {made.relation} where {instant} is null "
                    f"and {trimmed(value)} is not null order by rowid limit 3"
                ).fetchall()
            ]
            declared = " or ".join(repr(format_.text) for format_ in formats)
            if not fits:
                raise ImportRefusedError(
                    f"{query.source.path}: no value of {shown} is in its declared format "
                    f"({declared}). The first values are {quoted(odd)}. Declare the format they "
                    f"are in: `{column}: {{…, format: …}}` with iso, excel_serial, unix_seconds, "
                    "unix_milliseconds or a pattern such as '%d/%m/%Y %H:%M'."
                )
            made.notes.append(
                f"{column}: {texts - fits:,} of {texts:,} values are not in the declared format "
                f"({declared}) and are passed on as they came: {quoted(odd)}"
            )
        if column in EVENTS and newest_instant is not None:
            newest.append(newest_instant)
    if newest:
        made.newest = max(newest).strftime("%Y%m%dT%H%M%S%fZ")


class _Query:
    """The SQL of one raw table. Without a cursor no question is chosen: it only finds columns."""

    def __init__(
        self,
        mapping: Mapping,
        table: TableRule,
        sources: Dict[str, Source],
        cursor: duckdb.DuckDBPyConnection | None,
    ) -> None:
        self.mapping = mapping
        self.table = table
        self.sources = sources
        self.cursor = cursor
        self.source = sources[table.source]
        self.joins: list[str] = []
        self.notes: list[str] = []
        self.absent: list[str] = []
        self.origins: dict[str, str] = {}
        self.times: dict[str, tuple[TimeFormat, ...]] = {}
        self.finals: list[str] = []
        self.base = ""
        self.answers_joined = 0
        self.is_reordered = bool(table.one_row_per)

    def sql(self) -> str:
        self.base = self._base()
        for name in self.table.lookups:
            self._join_lookup(name)
        raw = {}
        for column in self.table.table.column_names:
            rule = self.table.columns.get(column)
            if rule is None:
                continue
            cell = self._cell(column, rule)
            if cell is not None:
                raw[column] = cell
                self.finals.append(column)
        return self._layers(raw)

    # What rows there are.

    def _base(self) -> str:
        """Every row of the source with its place; rows left out and rows merged are not in it."""
        conditions = []
        for number, rule in enumerate(self.table.left_out, 1):
            if rule.column is None:
                continue
            column = self.source.header.find([rule.column])
            if column is None:
                raise self.source.header.missing([rule.column], f"{self._shown()}.leave_out")
            words = ", ".join(sql.text(word.strip().lower()) for word in rule.values)
            cell = trimmed(self.source.use(column, "source"))
            conditions.append(f"when coalesce(lower({cell}), '') in ({words}) then {number}")
        flag = f"case {' '.join(conditions)} end" if conditions else "cast(null as integer)"
        return f"select *, rowid as place, {flag} as left_out from {self.source.table} as source"

    def _rows(self) -> str:
        keys = [
            trimmed(self._column_of(self.source, [name], "one_row_per", "base"))
            for name in self.table.one_row_per
        ]
        if not keys:
            return f"select * from ({self.base}) as base where left_out is null"
        # A row without the key is on its own.
        alone = f"case when {' or '.join(f'{key} is null' for key in keys)} then place end"
        return (
            f"select * from ({self.base}) as base where left_out is null qualify row_number() "
            f"over (partition by {', '.join(keys)}, {alone} order by place desc) = 1"
        )

    def _join_lookup(self, name: str) -> None:
        lookup = self.table.lookups[name]
        self.is_reordered = True
        if lookup.source not in self.sources:
            return
        source = self.sources[lookup.source]
        alias = sql.name(f"lookup {name}")
        theirs = [
            trimmed(self._column_of(source, [key], f"lookups.{name}.by", "there"))
            for key in lookup.by
        ]
        ours = [
            trimmed(self._column_of(self.source, [key], f"lookups.{name}.by", "base"))
            for key in lookup.by.values()
        ]
        keys = ", ".join(f"{key} as k{number}" for number, key in enumerate(theirs))
        self.joins.append(
            f"left join (select *, {keys} from {source.table} as there qualify row_number() over "
            f"(partition by {', '.join(theirs)} order by rowid desc) = 1) as {alias} on "
            + " and ".join(f"{key} = {alias}.k{number}" for number, key in enumerate(ours))
        )

    # What a column holds.

    def _shown(self) -> str:
        return self.table.table.name

    def _column_of(self, source: Source, names: Sequence[str], target: str, alias: str) -> str:
        column = source.header.find(names)
        if column is None:
            raise source.header.missing(names, f"{self._shown()}.{target}")
        return source.use(column, alias)

    def _cell(self, target: str, rule: ColumnRule) -> str | None:
        """SQL of a column before its format; None where an optional column is not there."""
        cell = self._plain(target, rule)
        if cell is None:
            return None
        if rule.values or rule.otherwise is not None:
            words = " ".join(
                f"when {sql.text(word)} then {sql.text(becomes)}"
                for word, becomes in rule.values.items()
            )
            other = cell if rule.otherwise is None else sql.text(rule.otherwise)
            text = f"coalesce(lower({trimmed(cell)}), '')"
            cell = f"case {text} {words} else {other} end" if words else other
            self.origins[target] += ", by its values"
        if rule.unit is not None and rule.way != "sum":
            cell = summed_sql([cell], rule.unit)
            self.origins[target] += f", {rule.unit} as seconds"
        return cell

    def _plain(self, target: str, rule: ColumnRule) -> str | None:
        shown = f"{self._shown()}.{target}"
        if rule.way == "constant":
            self.origins[target] = f"always {rule.constant!r}"
            return sql.text(rule.constant or "")
        if rule.way == "row_hash":
            self.origins[target] = "made of the row's content"
            return self._row_hash()
        if rule.way == "answer_to":
            return self._answer(target, rule)
        source, alias = self.source, "base"
        if rule.lookup is not None:
            lookup = self.table.lookups[rule.lookup]
            if lookup.source not in self.sources:
                return self._absent(target)
            source, alias = self.sources[lookup.source], sql.name(f"lookup {rule.lookup}")
        if rule.way == "question":
            assert rule.choice is not None
            try:
                asked = source.header.question(rule.choice, shown)
            except ImportRefusedError:
                if not rule.optional:
                    raise
                return self._absent(target)
            self.origins[target] = " = ".join(map(repr, asked.names))
            return source.use(asked, alias)
        if rule.way == "column":
            column = source.header.find(rule.names)
            if column is None:
                if not rule.optional:
                    raise source.header.missing(rule.names, shown)
                return self._absent(target)
            self.origins[target] = repr(column.name)
            return source.use(column, alias)
        found = [
            column for name in rule.names if (column := source.header.find([name])) is not None
        ]
        if len(found) < len(rule.names) and not (rule.optional and (rule.way == "sum" and found)):
            if not rule.optional:
                lacking = [n for n in rule.names if source.header.find([n]) is None]
                raise source.header.missing(lacking, shown)
            return self._absent(target)
        cells = [source.use(column, alias) for column in found]
        sign = " + " if rule.way == "sum" else " and "
        self.origins[target] = sign.join(repr(column.name) for column in found)
        if rule.way == "sum":
            return summed_sql(cells, rule.unit or "seconds")
        joined = ", ".join(map(trimmed, cells))
        return f"nullif(concat_ws({sql.text(rule.joined_by)}, {joined}), '')"

    def _absent(self, target: str) -> str | None:
        self.absent.append(target)
        column = next(c for c in self.table.table.columns if c.name == target)
        if not column.must_exist:
            return None
        self.origins[target] = "nothing"
        return "cast(null as varchar)"

    def _row_hash(self) -> str:
        """A key of the row's content; alike rows of a file are told apart by their number."""
        self.is_reordered = True
        cells = ", ".join(
            f"coalesce({self.source.use(column, 'base', is_mapped=False)}, '')"
            for column in self.source.header.columns
        )
        digest = f"md5(concat_ws(chr(31), {cells}))"
        return f"{digest} || '-' || row_number() over (partition by {digest} order by base.place)"

    # Answers that come one per row.

    def _answer(self, target: str, rule: ColumnRule) -> str | None:
        answers = self.table.answers
        assert answers is not None
        assert rule.choice is not None
        self.is_reordered = True
        if answers.source not in self.sources:
            return self._absent(target)
        source = self.sources[answers.source]
        cells = {
            names: [trimmed(self._column_of(source, [name], "answers", "answer")) for name in names]
            for names in (answers.question, answers.text)
        }
        theirs = [
            trimmed(self._column_of(source, [name], "answers.by", "answer")) for name in answers.by
        ]
        ours = [
            trimmed(self._column_of(self.source, [name], "answers.by", "base"))
            for name in answers.by.values()
        ]
        takes = [self._column_of(source, [name], f"{target}.take", "answer") for name in rule.names]
        identity = [f"coalesce({cell}, '')" for cell in cells[answers.question]]
        relation = f"(select *, rowid as place from {source.table}) as answer"
        if answers.per is not None:
            # An id of a question may mean another one in another survey.
            per = trimmed(self._column_of(self.source, [answers.per], "answers.per", "base"))
            keys = ", ".join(f"{key} as k{number}" for number, key in enumerate(ours))
            same = " and ".join(f"{key} = base.k{number}" for number, key in enumerate(theirs))
            relation = (
                f"(select answer.*, answer.rowid as place, base.per from {source.table} as answer "
                f"left join (select {keys}, max({per}) as per from ({self.base}) as base "
                f"group by {', '.join(f'k{number}' for number in range(len(ours)))}) as base "
                f"on {same}) as answer"
            )
            identity.insert(0, "coalesce(answer.per, '')")
        question = f"concat_ws({QUESTION_SEPARATOR}, {', '.join(identity)})"
        if self.cursor is None:
            return "cast(null as varchar)"
        try:
            chosen = choose(
                self.cursor, source, relation, question, cells[answers.text], rule.choice,
                f"{self._shown()}.{target}", is_single=answers.per is None,
            )  # fmt: skip
        except ImportRefusedError:
            if not rule.optional:
                raise
            return self._absent(target)
        self.origins[target] = "the answer to " + " and ".join(
            repr(name) for name in chosen.values()
        )
        alias = sql.name(f"answer {target}")
        keys = ", ".join(f"{key} as k{number}" for number, key in enumerate(theirs))
        filled = [f"case when {trimmed(take)} is not null then {take} end" for take in takes]
        value = f"coalesce({', '.join(filled)})"
        wanted = f"{question} in ({', '.join(map(sql.text, chosen))})"
        on = " and ".join(f"{key} = {alias}.k{number}" for number, key in enumerate(ours))
        per_column = "answer.per" if answers.per is not None else "cast(null as varchar)"
        all_answers = (
            f"(select {keys}, {value} as value, {question} as question, {per_column} as per, place "
            f"from {relation} where {wanted})"
        )
        if answers.per is not None:
            self._refuse_several_per(all_answers, answers.per, chosen, target)
        numbers = ", ".join(f"k{number}" for number in range(len(theirs)))
        self.joins.append(
            f"left join (select * from {all_answers} qualify row_number() over "
            f"(partition by {numbers} order by place desc) = 1) as {alias} on {on}"
        )
        self._note_answers(all_answers, numbers, alias, on, target)
        return f"{alias}.value"

    def _refuse_several_per(
        self, all_answers: str, per: str, chosen: Dict[str, str], target: str
    ) -> None:
        assert self.cursor is not None
        several = self.cursor.execute(
            f"select per, list_sort(list(distinct question)) from {all_answers} as answers "
            "where per is not null group by per having count(distinct question) > 1 "
            "order by per limit 1"
        ).fetchone()
        if several is not None:
            raise ImportRefusedError(
                f"{self.source.path}: {per} {several[0]!r} has {len(several[1])} "
                f"questions that {self._shown()}.{target} could come from: "
                f"{describe([chosen[question] for question in several[1]])}. Choose by `id`, or "
                "leave the others out with `except`."
            )

    def _note_answers(self, all_answers: str, keys: str, alias: str, on: str, target: str) -> None:
        assert self.cursor is not None
        repeated = _count(
            self.cursor,
            f"select coalesce(sum(n - 1), 0) from (select count(*) as n from {all_answers} "
            f"group by {keys})",
        )
        orphans = _count(
            self.cursor,
            f"select count(*) from {all_answers} as {alias} "
            f"anti join ({self.base}) as base on {on}",
        )
        if repeated:
            self.notes.append(
                f"{target}: {repeated:,} repeated answers to the question, of which the last counts"
            )
        if orphans:
            self.notes.append(
                f"{target}: {orphans:,} answers belong to no row of {self.source.path.name} and "
                "are not imported"
            )

    # From texts to what the raw table holds.

    def _layers(self, raw: Dict[str, str]) -> str:
        for column in raw:
            formats = self.table.columns[column].formats
            if formats and self.source.records is not None:
                # A cell that Excel itself knows as a date.
                formats = (*formats, compile_format("iso"))
            if formats:
                self.times[column] = formats
                self.origins[column] += ", as " + " or ".join(
                    format_.text for format_ in self.table.columns[column].formats
                )
        zone = self.mapping.timezone or "UTC"
        cells = ", ".join(f"{cell} as {sql.name(column)}" for column, cell in raw.items())
        parts, instants, needs, finals, kept = [], [], [], [], []
        for column in raw:
            name = sql.name(column)
            formats = self.times.get(column, ())
            if not formats:
                finals.append(name)
                continue
            text = sql.name(f"text of {column}")
            parts.append(f"{trimmed(name)} as {text}")
            cases, zones = [], []
            for number, format_ in enumerate(formats):
                part = sql.name(f"parts {number} of {column}")
                instant = sql.name(f"instant {number} of {column}")
                parts.append(f"{parts_sql(trimmed(name), format_)} as {part}")
                instants.append(f"{instant_sql(text, part, format_, zone)} as {instant}")
                cases.append(
                    f"when {instant} is not null then {written_sql(text, part, instant, format_)}"
                )
                if format_.needs_zone:
                    local = f"{instant} is not null"
                    if format_.text == "iso":
                        local += (
                            f" and struct_extract({part}, 'hour') <> '' "
                            f"and struct_extract({part}, 'offset') = ''"
                        )
                    elif format_.text == "excel_serial":
                        local += f" and contains({text}, '.')"
                    zones.append(f"({local})")
            needs_zone = sql.name(f"needs zone of {column}")
            needs.append(f"({' or '.join(zones) or 'false'}) as {needs_zone}")
            every = ", ".join(
                sql.name(f"instant {number} of {column}") for number in range(len(formats))
            )
            kept.append(f"coalesce({every}) as {sql.name(f'instant of {column}')}")
            finals.append(f"case {' '.join(cases)} else {name} end as {name}")
        columns = ", ".join([*finals, *kept, *needs])
        order = " order by place" if self.is_reordered else ""
        return (
            f"with rows as ({self._rows()}), "
            f"cells as (select base.place, {cells} from rows as base {' '.join(self.joins)}), "
            f"parts as (select {', '.join(['*', *parts])} from cells), "
            f"instants as (select {', '.join(['*', *instants])} from parts) "
            f"select {columns} from instants{order}"
        )
