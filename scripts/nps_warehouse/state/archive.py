"""Backup and restore of the state: one zip file with everything in NPS_STATE_DIR that counts.

A backup holds the tables as Parquet and the list of forgotten customers as it is, and a manifest
with the version of the state and what each part has to be. It is read by any later release: a
restored state is brought to that release's version.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from nps_warehouse.durable import on_disk, put, write
from nps_warehouse.landing import sql
from nps_warehouse.privacy.suppression import LIST_NAME
from nps_warehouse.state.store import (
    ALIAS,
    ASIDE,
    FILE_NAME,
    MIGRATIONS,
    VERSION,
    StateError,
    attached,
    migrate,
    tables,
    version_of,
)

FORMAT = "nps_warehouse state backup"
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Backup:
    """What a backup says of itself: the state's version, rows by table, whether a list is in it."""

    version: int
    rows: Mapping[str, int]
    has_list: bool


def backup(state_dir: Path, file: Path) -> Backup:
    """Write a backup; a file that exists already is not touched.

    Args:
        state_dir: the folder of the state.
        file: the backup to make.

    Raises:
        StateError: there is nothing to back up, the state can't be read, or the file exists.
    """
    if file.exists():
        raise StateError(f"{file} exists already; a backup never replaces another file")
    if not file.parent.is_dir():
        raise StateError(f"there is no folder {file.parent}")
    rows: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="nps-state-") as folder:
        parts: dict[str, Path] = {}
        with attached(state_dir / FILE_NAME, read_only=True, of_version=None) as connection:
            version = version_of(connection)
            assert version is not None
            for table in tables(connection):
                part = Path(folder) / f"{table}.parquet"
                counted = connection.execute(
                    f"copy (select * from {ALIAS}.{sql.name(table)} order by all) "
                    f"to {sql.text(str(part))} (format parquet)"
                ).fetchone()
                assert counted is not None
                rows[table] = int(counted[0])
                parts[part.name] = part
        listed = state_dir / LIST_NAME
        if listed.is_file():
            parts[LIST_NAME] = listed
        manifest = {
            "format": FORMAT,
            "version": version,
            "rows": rows,
            "sha256": {name: _sha256(part) for name, part in sorted(parts.items())},
        }
        fresh = file.with_name(f".{file.name}.{os.getpid()}.new")
        try:
            with zipfile.ZipFile(fresh, "w", zipfile.ZIP_STORED) as archive:
                _write(archive, MANIFEST, json.dumps(manifest, indent=2).encode())
                for name, part in sorted(parts.items()):
                    _write(archive, name, part.read_bytes())
            on_disk(fresh)
            os.link(fresh, file)
            on_disk(file.parent)
        except FileExistsError:
            raise StateError(f"{file} exists already") from None
        finally:
            fresh.unlink(missing_ok=True)
    return Backup(version, rows, LIST_NAME in parts)


def restore(file: Path, state_dir: Path) -> Backup:
    """Put a backup in place of the state, as a whole or not at all; the old state stays beside it.

    The list of forgotten customers is never made shorter: who was forgotten after the backup stays
    forgotten.

    Args:
        file: a backup.
        state_dir: the folder of the state.

    Raises:
        StateError: the file is no backup, not whole, or of a later release.
    """
    with tempfile.TemporaryDirectory(prefix="nps-state-") as folder:
        found, parts = _unpacked(file, Path(folder))
        state_dir.mkdir(parents=True, exist_ok=True)
        target = state_dir / FILE_NAME
        fresh = target.with_name(f"{FILE_NAME}.{os.getpid()}.new")
        fresh.unlink(missing_ok=True)
        try:
            with duckdb.connect() as connection:
                connection.execute(f"attach {sql.text(str(fresh))} as {ALIAS}")
                migrate(connection, before=0, after=found.version)
                _load(connection, found, parts)
                migrate(connection, before=found.version)
            if found.has_list:
                _merge_list(parts[LIST_NAME], state_dir / LIST_NAME)
            if target.exists():
                # Whoever has it open would go on with what is replaced.
                with attached(target, read_only=False, of_version=None):
                    pass
                target.with_name(target.name + ".wal").unlink(missing_ok=True)
                target.replace(target.with_name(FILE_NAME + ASIDE))
            put(fresh, target, mode=None)
        finally:
            fresh.unlink(missing_ok=True)
            fresh.with_name(fresh.name + ".wal").unlink(missing_ok=True)
    return found


def upgrade(state_dir: Path) -> tuple[int, Path | None]:
    """Bring a state to this release's version; returns its old version and the backup made first.

    Args:
        state_dir: the folder of the state.

    Raises:
        StateError: the state can't be used, or is of a later release.
    """
    file = state_dir / FILE_NAME
    with attached(file, read_only=True, of_version=None) as connection:
        version = version_of(connection)
    assert version is not None
    if version == VERSION:
        return version, None
    if version > VERSION:
        with attached(file, read_only=True):
            raise AssertionError
    kept = state_dir / f"before-upgrade-from-{version}.zip"
    if not kept.exists():
        backup(state_dir, kept)
    with attached(file, read_only=False, of_version=version) as connection:
        migrate(connection, before=version)
    return version, kept


def _unpacked(file: Path, folder: Path) -> tuple[Backup, dict[str, Path]]:
    """Take a backup apart, every part as its manifest has it."""
    refusal = f"{file} is no backup of a state"
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            if manifest["format"] != FORMAT:
                raise StateError(f"{refusal}: its manifest is of something else")
            version, rows, digests = manifest["version"], manifest["rows"], manifest["sha256"]
            if version not in MIGRATIONS:
                raise StateError(
                    f"{file} is a backup of state version {version}, this release knows up to "
                    f"{VERSION}: restore it with the release that wrote it"
                )
            expected = {f"{table}.parquet" for table in rows} | ({LIST_NAME} & set(digests))
            if set(digests) != expected or set(archive.namelist()) != expected | {MANIFEST}:
                raise StateError(f"{refusal} that is whole: parts are missing or too many")
            parts = {name: folder / name for name in sorted(digests)}
            for name, part in parts.items():
                part.write_bytes(archive.read(name))
                if _sha256(part) != digests[name]:
                    raise StateError(f"{refusal} that is whole: {name} was changed")
    except FileNotFoundError:
        raise StateError(f"there is no file {file}") from None
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, OSError) as problem:
        raise StateError(f"{refusal}: {problem}") from None
    return Backup(version, rows, LIST_NAME in parts), parts


def _load(connection: duckdb.DuckDBPyConnection, found: Backup, parts: Mapping[str, Path]) -> None:
    here = tables(connection)
    if here != sorted(found.rows):
        raise StateError(f"the backup has the tables {sorted(found.rows)}, its version {here}")
    for table, rows in found.rows.items():
        relation = f"{ALIAS}.{sql.name(table)}"
        connection.execute(
            f"insert into {relation} by name "
            f"select * from read_parquet({sql.path(parts[f'{table}.parquet'])})"
        )
        counted = connection.execute(f"select count(*) from {relation}").fetchone()
        if counted != (rows,):
            raise StateError(f"the backup's table {table} should have {rows} rows: {counted}")


def _merge_list(part: Path, target: Path) -> None:
    kept = part.read_text(encoding="ascii").splitlines()
    if target.is_file():
        here = target.read_text(encoding="ascii").splitlines()
        if here and kept and here[0] != kept[0]:
            raise StateError(
                f"{target} and the backup's list were written with different salts; keep the one "
                "that belongs to today's salt and move the other away"
            )
        kept = [*here, *(line for line in kept if line not in set(here))]
    write(target, "".join(f"{line}\n" for line in kept))


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    # The date of a part is no part of it: the same state gives the same bytes.
    archive.writestr(zipfile.ZipInfo(name), content)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
