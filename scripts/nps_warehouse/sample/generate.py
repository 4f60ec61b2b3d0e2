"""Writes a whole sample: the twelve raw tables and the truth file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from nps_warehouse.sample import world as w
from nps_warehouse.sample.dirty import DirtyRow, dirty_rows
from nps_warehouse.sample.simulate import block_sizes, simulate
from nps_warehouse.sample.tables import AGENT_NAMES, BIG, COLUMNS, build_tables
from nps_warehouse.sample.truth import Ledger
from nps_warehouse.sample.writers import CsvWriter, ParquetWriter, Writer

TRUTH_FILE = "_planted_truth.json"
# Dirty rows stand among the good ones: so many pieces of the first block have some in between.
_PIECES = 24


def generate(
    folder: Path,
    *,
    contacts: int,
    seed: int,
    file_format: str,
    with_dirty_rows: bool = True,
) -> dict[str, Any]:
    """Write a sample.

    Args:
        folder: an existing folder without raw tables.
        contacts: number of contacts, at least 1,000.
        seed: the same seed and number of contacts give the same bytes.
        file_format: `csv` or `parquet`.
        with_dirty_rows: plant the fixed dirty rows; rows delivered twice are always there.

    Returns:
        What the truth file holds.

    Raises:
        ValueError: fewer than 1,000 contacts, or an unknown format.
    """
    if contacts < 1000:
        raise ValueError(f"a sample has at least 1000 contacts, not {contacts}")
    if file_format not in ("csv", "parquet"):
        raise ValueError(f"the format is csv or parquet, not {file_format}")
    is_text = file_format == "csv"
    writer: Writer = CsvWriter(folder) if is_text else ParquetWriter(folder)
    world = w.build_world(seed)
    ledger = Ledger(world)
    planted: dict[str, list[DirtyRow]] = {table: [] for table in COLUMNS}
    if with_dirty_rows:
        for row in dirty_rows():
            if is_text or row.line is None:
                planted[row.table].append(row)

    small = _small_tables(world)
    for table, data in small.items():
        writer.write(table, data)
        writer.write_dirty(planted[table])
    for number, size in enumerate(block_sizes(contacts)):
        block = simulate(world, seed, number, size)
        built = build_tables(block, world, seed, as_text=is_text)
        for table in BIG:
            if number == 0 and is_text:
                _write_mixed(writer, table, built.tables[table], planted[table])
            else:
                writer.write(table, built.tables[table])
        if number == 0 and not is_text:
            for table in BIG:
                writer.write_dirty(planted[table])
        ledger.add_block(block, built)
    writer.close()
    known = ledger.as_json(
        contacts=contacts,
        seed=seed,
        dirty=[r for rows in planted.values() for r in rows],
        is_text=is_text,
        extra_rows={t: data.num_rows for t, data in small.items()},
    )
    text = json.dumps(known, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    (folder / TRUTH_FILE).write_bytes(text.encode())
    return known


def _write_mixed(writer: Writer, table: str, data: Any, dirty: list[DirtyRow]) -> None:
    rows, count = data.num_rows, len(dirty)
    for i in range(_PIECES):
        first, last = rows * i // _PIECES, rows * (i + 1) // _PIECES
        writer.write(table, data.slice(first, last - first))
        writer.write_dirty(dirty[count * i // _PIECES : count * (i + 1) // _PIECES])


def _date(day: int | None) -> str | None:
    return None if day is None else str(w.FIRST_DAY + day)


def _small_tables(world: w.World) -> dict[str, Any]:
    departments = [
        {
            "department_id": d.id,
            "department_name": d.name,
            "parent_department_id": d.parent or None,
            "site": w.SITES[d.site],
            # Older deliveries of one department are planted as dirty rows.
            "updated_at": "2024-01-01 00:00:00" if d.id == "D12" else None,
        }
        for d in w.DEPARTMENTS
    ]
    agents = [
        {
            "agent_id": name,
            "agent_name": f"Agent {name[1:]}",
            "hired_on": _date(int(hired)),
            "left_on": _date(left),
            "updated_at": None,
        }
        for name, hired, left in zip(AGENT_NAMES, world.hired, world.left, strict=True)
    ]
    assignments = [
        {
            "agent_id": AGENT_NAMES[a.agent],
            "department_id": w.DEPARTMENTS[a.department].id,
            "team": a.team,
            "valid_from": _date(a.first),
            "valid_to": _date(a.last),
        }
        for a in world.assignments
    ]
    initiatives = [
        {
            "initiative_id": i.id,
            "initiative_name": i.name,
            "scope_type": i.scope_type,
            "scope_id": i.scope_id,
            "started_on": i.started_on,
            "ended_on": i.ended_on or None,
        }
        for i in w.INITIATIVES
    ]
    rows: dict[str, list[dict[str, str | None]]] = {
        "departments": departments,
        "agents": agents,
        "agent_assignments": assignments,
        "initiatives": initiatives,
    }
    return {
        name: pa.table({c: pa.array([r[c] for r in table], pa.string()) for c in COLUMNS[name]})
        for name, table in rows.items()
    }
