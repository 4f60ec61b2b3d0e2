"""Renders the SQL of figures with the project's own macros, outside dbt.

What can be read, and as what, is written once, in `macros/parsing` and in the `parsed_<table>`
models. A gate that read a delivery in another way would pass what dbt rejects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
import yaml

from nps_warehouse.gates.expectations import BadInputError
from nps_warehouse.landing.contract import PROJECT_DIR

PAST_MONTHS = 6
"""Months before the last complete one that it is compared with."""

FIGURES_DIR = Path(__file__).parent / "figures"

# Macros that ask dbt for nothing but vars, below `macros`.
_MACROS = ("engine/*.sql", "parsing/parsing.sql")


class _Adapter:
    """Stands in for dbt's: chooses the macros of DuckDB, which is what gates ask."""

    def __init__(self, macro: Callable[[str], Any]) -> None:
        self._macro = macro

    def dispatch(self, name: str) -> Any:
        """The macro that DuckDB's name stands for."""
        return self._macro(f"default__{name}")


def _unchanged(value: str) -> str:
    # What dbt's `return` gives, where it is all that a macro says.
    return value


class ProjectSql:
    """The project's macros with the vars of a run."""

    def __init__(self, variables: Mapping[str, object] | None = None) -> None:
        """Read macros and vars.

        Args:
            variables: dbt vars that differ from those in `dbt_project.yml`.
        """
        project = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8"))
        self.variables: dict[str, object] = project["vars"] | dict(variables or {})
        self._environment = jinja2.Environment(
            extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined, autoescape=False
        )
        self._environment.globals |= {
            "var": self.variables.__getitem__,
            "ref": _reference,
            "adapter": _Adapter(lambda name: getattr(self._macros, name)),
            "return": _unchanged,
        }
        macros = PROJECT_DIR / "macros"
        files = [path for pattern in _MACROS for path in sorted(macros.glob(pattern))]
        files += sorted((FIGURES_DIR / "macros").glob("*.sql"))
        files.append(macros / "staging" / "parsed_rows.sql")
        # Macros see each other where they stand in one template; it is compiled once.
        texts = [path.read_text(encoding="utf-8") for path in files]
        texts[-1] = _macro("parsed_value", texts[-1])
        template = self._environment.from_string("\n".join(texts))
        self._macros: Any = template.module
        settings = {
            "earliest": self.instant("nps_earliest"),
            "latest": self._latest_instant(),
            "past_months": PAST_MONTHS,
        }
        self._macros = template.make_module(settings)
        self._environment.globals |= {
            name: macro
            for name, macro in vars(self._macros).items()
            if isinstance(macro, jinja2.runtime.Macro)
        }

    def figure(self, name: str, **context: object) -> str:
        """The SQL of a figure.

        Args:
            name: path of the file below `figures`, without its suffix.
            context: what the file asks for.
        """
        text = (FIGURES_DIR / f"{name}.sql").read_text(encoding="utf-8")
        return self._environment.from_string(text).render(**context).strip()

    def instant(self, name: str) -> str:
        """SQL of the instant that a var holds, as macro `instant_of_var` reads it.

        That macro asks dbt for Python's modules, so it cannot be rendered here.

        Args:
            name: of a var.

        Raises:
            BadInputError: it holds no instant.
        """
        value = str(self.variables[name])
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            raise BadInputError(f"var {name} is {value}, which is no ISO 8601 timestamp.") from None
        if instant.tzinfo is not None:
            return f"timestamp '{instant.astimezone(UTC).replace(tzinfo=None)}'"
        return str(self._macros.local_to_utc(f"timestamp '{instant}'")).strip()

    def local(self, instant: str) -> str:
        """SQL of an instant's wall time in the var nps_timezone.

        Args:
            instant: SQL of an instant in UTC.
        """
        return str(self._macros.utc_to_local(instant)).strip()

    def _latest_instant(self) -> str:
        """SQL of the last instant that is possible: nps_latest, or as_of where that is given."""
        latest = self.instant("nps_latest")
        if self.variables["as_of"] is None:
            return latest
        return f"least({latest}, {self.instant('as_of')})"

    def columns_of(self, table: str) -> list[dict[str, Any]]:
        """How the columns of a raw table are read: name, type and the arguments of its parser.

        Args:
            table: a raw table; `parsed_<table>.sql` lists its columns.
        """
        found: list[dict[str, Any]] = []

        def parsed_rows(
            table: str,  # noqa: ARG001 - as the model calls it
            columns: list[dict[str, Any]],
            **_: object,
        ) -> str:
            found.extend(columns)
            return ""

        path = PROJECT_DIR / "models" / "staging" / "parsed" / f"parsed_{table}.sql"
        template = self._environment.from_string(path.read_text(encoding="utf-8"))
        template.render(parsed_rows=parsed_rows)
        return found


def _reference(seed: str) -> str:
    return f"reference.{seed}"


def _macro(name: str, text: str) -> str:
    """The text of one macro of a file whose others need dbt."""
    start = text.index("{% macro " + name + "(")
    end = text.index("endmacro", start)
    return text[start : text.index("%}", end) + 2]
