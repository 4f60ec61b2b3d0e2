"""What a run on yesterday's warehouse gives is what a build from nothing gives, to the byte."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import duckdb
import pytest
from conftest import PROJECT, Build, built, run_dbt
from fingerprints import fingerprints, negative_zeros
from histories import History
from increments import Played, Recording, is_incremental, record

STEPS = 2
# A full count is asked for with NPS_HISTORIES=500 and NPS_REAL_HISTORIES=25.
# Which date decides an answer's periods: its own, or one that another table's row can change.
PERIOD_BASES = ("responded", "contact", "invitation")
MANY = int(os.environ.get("NPS_HISTORIES", "20"))
REAL = int(os.environ.get("NPS_REAL_HISTORIES", "1"))

# What a model hears of through another one.
TOLD_BY = {"superseded_survey_responses": "masked_comments"}
# A contact shows no comment of its answers.
NOT_SHOWN = {("fct_contacts", "masked_comments")}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Recording]:
    """What makes, once, the recording of a period basis."""

    @cache
    def recording_of(period_basis: str) -> Recording:
        folder = tmp_path_factory.mktemp("recorded")
        History(folder / "raw", seed=0)
        return record(folder, folder / "raw", {"nps_period_basis": period_basis})

    return recording_of


@pytest.fixture(scope="module")
def recording(recordings: Callable[[str], Recording]) -> Recording:
    """As the project is shipped."""
    return recordings(PERIOD_BASES[0])


def follow(recording: Recording, folder: Path, seed: int, steps: int = STEPS) -> None:
    """Play one history, with runs that are killed or select some models, and compare at its end."""
    chance = random.Random(seed)
    history = History(folder / "raw", seed)
    followed = Played(recording, folder / "raw")
    followed.build_anew()
    names = [node.name for node in recording.models]
    incremental = list(recording.statements)
    kind = "whole"
    for _ in range(steps):
        history.step()
        history.told.append("--")
        kind = chance.choice(["whole", "whole", "killed", "some"])
        if kind == "killed":
            followed.take_in(stop_in=chance.choice(incremental))
        elif kind == "some":
            followed.take_in(chance.sample(names, len(names) // 3))
        else:
            followed.take_in()
        history.told.append(kind)
    if kind != "whole":
        followed.take_in()
    fresh = Played(recording, folder / "raw")
    fresh.build_anew()
    content, expected = followed.content(), fresh.content()
    differing = [name for name in expected if content[name] != expected[name]]
    assert not differing, (seed, differing, history.told)


@pytest.mark.parametrize("seed", range(5))
def test_a_history_ends_where_a_rebuild_does(
    recording: Recording, tmp_path: Path, seed: int
) -> None:
    follow(recording, tmp_path, seed)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(100, 100 + MANY))
def test_many_longer_histories(
    recordings: Callable[[str], Recording], tmp_path: Path, seed: int
) -> None:
    follow(recordings(PERIOD_BASES[seed % len(PERIOD_BASES)]), tmp_path, seed, steps=5)


@pytest.mark.thorough
@pytest.mark.timeout(1800)  # four builds of everything
@pytest.mark.parametrize("seed", range(1000, 1000 + REAL))
def test_a_history_through_dbt(tmp_path: Path, seed: int) -> None:
    """Three deliveries through the real command, all marts and tables of quality compared."""
    history = History(tmp_path / "raw", seed)
    variables = {"nps_period_basis": PERIOD_BASES[seed % len(PERIOD_BASES)]}
    how = {"raw_dir": tmp_path / "raw", "variables": variables}
    followed = built(tmp_path, **how)
    for _ in range(2):
        history.step()
        followed = built(tmp_path, **how)
        assert "Full refresh" not in followed.output
    # A rebuild has the same state; what lies there is not made of deliveries.
    (tmp_path / "fresh").mkdir()
    state = {"NPS_STATE_DIR": str(tmp_path / "state")}
    fresh = built(tmp_path / "fresh", environment=state, **how)
    schemas = ("marts", "quality")
    assert fingerprints(followed.warehouse, schemas) == fingerprints(fresh.warehouse, schemas)
    assert negative_zeros(fresh.warehouse) == []


def test_the_sample_shows_no_negative_zero(sample_build: Build) -> None:
    assert negative_zeros(sample_build.warehouse) == []


def test_a_negative_zero_is_found(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.some as select 0.0::double as a, -1.5 * a as b")
    assert negative_zeros(warehouse) == ["marts.some.b"]


@pytest.mark.thorough
def test_what_decides_rows_besides_files_builds_them_anew(tmp_path: Path) -> None:
    """A seed, a var and another folder: each gives what a build from nothing gives."""
    chosen = ("--select", "path:models/staging", "path:models/categorized", "resource_type:seed",
              "path:models/marts/facts", "path:models/marts/counts",
              "--exclude", "resource_type:test", "resource_type:unit_test")  # fmt: skip
    History(tmp_path / "one", seed=1)
    History(tmp_path / "other", seed=2)
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    categories = "score,category\n" + "".join(
        f"{score},{'promoter' if score > 6 else 'passive' if score > 3 else 'detractor'}\n"
        for score in range(11)
    )
    (seeds / "nps_categories.csv").write_text(categories)
    built(tmp_path, raw_dir=tmp_path / "one", arguments=chosen)
    runs = [
        (tmp_path / "one", seeds, {}),
        (tmp_path / "one", seeds, {"nps_timezone": "Asia/Tokyo"}),
        (tmp_path / "other", seeds, {"nps_timezone": "Asia/Tokyo"}),
    ]
    for number, (raw, seeds_dir, variables) in enumerate(runs):
        how = {"seeds_dir": seeds_dir, "variables": variables, "arguments": chosen}
        followed = built(tmp_path, raw_dir=raw, **how)
        fresh = built(tmp_path, raw_dir=raw, warehouse=tmp_path / f"{number}.duckdb", **how)
        assert fingerprints(followed.warehouse) == fingerprints(fresh.warehouse), number


@pytest.mark.thorough
def test_a_failed_model_loses_nothing(tmp_path: Path) -> None:
    """A run that breaks off after staging: the next one still takes in what it brought."""
    history = History(tmp_path / "raw", seed=3)
    arguments = ("--select", "+daily_response_counts", "--exclude", "resource_type:test",
                 "resource_type:unit_test")  # fmt: skip
    built(tmp_path, raw_dir=tmp_path / "raw", arguments=arguments)
    history.step()
    some = ("--select", "+superseded_survey_responses", "--exclude", "resource_type:test",
            "resource_type:unit_test")  # fmt: skip
    assert run_dbt(tmp_path, raw_dir=tmp_path / "raw", arguments=some).returncode == 0
    followed = built(tmp_path, raw_dir=tmp_path / "raw", arguments=arguments)
    fresh = built(
        tmp_path, raw_dir=tmp_path / "raw", arguments=arguments, warehouse=tmp_path / "f.duckdb"
    )
    assert fingerprints(followed.warehouse) == fingerprints(fresh.warehouse)


def nearest_that_tell(recording: Recording, name: str) -> set[str]:
    """The incremental models and the seeds that a model is made of, through views and tables."""
    found: set[str] = set()
    for id_ in recording.project.models[name].needs:
        node = recording.project.nodes.get(id_)
        if node is None:
            continue
        if node.kind == "seed" or is_incremental(node):
            found.add(node.name)
        else:
            found |= nearest_that_tell(recording, node.name)
    return found


def test_every_model_asks_all_that_it_is_made_of(recording: Recording) -> None:
    missing = set()
    for name, statements in recording.statements.items():
        asked = recording.producers[name]
        if any("_before_stg_" in statement for statement in statements):
            # Made as a whole, whatever changed.
            continue
        for producer in nearest_that_tell(recording, name):
            superseded = producer.replace("parsed_", "superseded_", 1)
            if not asked & {producer, superseded, TOLD_BY.get(superseded, superseded)}:
                missing.add((name, producer))
    assert missing == NOT_SHOWN


def test_every_var_that_decides_a_row_is_watched() -> None:
    folders = ("staging", "engine", "parsing", "periods", "privacy", "labels")
    texts = [
        path.read_text(encoding="utf-8")
        for folder in (
            *(PROJECT / "macros" / folder for folder in folders),
            *(PROJECT / "models" / folder for folder in ("staging", "categorized")),
            *(PROJECT / "models" / "marts" / folder for folder in ("facts", "counts")),
        )
        for path in folder.rglob("*.sql")
    ]
    last = PROJECT / "models" / "marts" / "dimensions" / "agent_last_contacts.sql"
    texts.append(last.read_text(encoding="utf-8"))
    used = {name for text in texts for name in re.findall(r"""(?<!env_)var\(['"](\w+)['"]""", text)}
    state = (PROJECT / "macros" / "increments" / "state.sql").read_text(encoding="utf-8")
    watched = set(re.findall(r"'(\w+)'", state.partition("vars_of_rows() %}")[2].partition("]")[0]))
    assert used <= watched
