"""The input contract, read from `models/staging/raw_tables.yml`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PROJECT_DIR = Path(__file__).resolve().parents[3]
CONTRACT_FILE = PROJECT_DIR / "models" / "staging" / "raw_tables.yml"
SAMPLE_DIR = PROJECT_DIR / "scripts" / "sample"
SEEDS_DIR = PROJECT_DIR / "seeds"

SOURCE_FILE = "_source_file"
SOURCE_ROW = "_source_row"
LINE_ERROR = "_line_error"
# What decides a row of an incremental model, besides what is delivered.
ROW_CODE = (
    "dbt_project.yml",
    "macros/**/*.sql",
    "models/staging/**/*.sql",
    "models/categorized/**/*.sql",
    "models/marts/facts/*.sql",
    "models/marts/counts/*.sql",
)

PROVENANCE = (SOURCE_FILE, SOURCE_ROW, LINE_ERROR)

KINDS = ("key", "text", "timestamp", "number")


@dataclass(frozen=True)
class Column:
    """A column of a raw table; `must_exist` where a delivered table may not lack it."""

    name: str
    kind: str
    must_exist: bool


@dataclass(frozen=True)
class Table:
    """A raw table of the contract, its columns in contract order."""

    name: str
    required: bool
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns, in contract order."""
        return tuple(column.name for column in self.columns)


def load_contract(path: Path = CONTRACT_FILE) -> tuple[Table, ...]:
    """Read every table of the contract.

    Args:
        path: the YAML file with the dbt source `raw`.

    Raises:
        ValueError: the file names no source `raw`, or a column of unknown kind.
    """
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    for source in document["sources"]:
        if source["name"] == "raw":
            return tuple(_table(entry) for entry in source["tables"])
    raise ValueError(f"{path} has no source named raw")


def contract_digest(tables: tuple[Table, ...]) -> str:
    """A short text that changes with any table or column of the contract."""
    return hashlib.sha256(repr(tables).encode()).hexdigest()[:16]


def project_digest(folder: Path = PROJECT_DIR) -> str:
    """A short text that changes with any code that decides a row of an incremental model.

    Args:
        folder: of the project.
    """
    digest = hashlib.sha256()
    for pattern in ROW_CODE:
        for path in sorted(folder.glob(pattern)):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _meta(entry: dict[str, Any]) -> dict[str, Any]:
    meta: dict[str, Any] = entry.get("config", {}).get("meta", {})
    return meta


def _table(entry: dict[str, Any]) -> Table:
    columns = tuple(
        _column(entry["name"], column)
        for column in entry["columns"]
        if column["name"] not in PROVENANCE
    )
    return Table(entry["name"], bool(_meta(entry).get("required")), columns)


def _column(table: str, entry: dict[str, Any]) -> Column:
    meta = _meta(entry)
    kind = meta.get("kind")
    if kind not in KINDS:
        raise ValueError(f"column {table}.{entry['name']} of the contract has kind {kind!r}")
    return Column(entry["name"], kind, bool(meta.get("required") or meta.get("key")))
