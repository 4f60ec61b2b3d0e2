"""What a run on yesterday's warehouse gives is what a build from nothing gives, to the byte."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from histories import History
from increments import Played, Recording, record

STEPS = 4


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    folder = tmp_path_factory.mktemp("recorded")
    History(folder / "raw", seed=0)
    return record(folder, folder / "raw")


def follow(recording: Recording, folder: Path, seed: int) -> None:
    """Play one history, with runs that are killed or select some models, and compare at its end."""
    chance = random.Random(seed)
    history = History(folder / "raw", seed)
    followed = Played(recording, folder / "raw")
    followed.build_anew()
    names = [node.name for node in recording.models]
    incremental = list(recording.statements)
    for _ in range(STEPS):
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
