"""Reproducible random draws.

Only the raw 64-bit stream of the bit generator is used: it is the one part of numpy's random
module that is promised to stay the same between versions. Everything else is derived here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Stream:
    """Uniform numbers of one named part of the sample."""

    def __init__(self, seed: int, *path: int) -> None:
        """Start the stream of one part.

        Args:
            seed: the sample's seed.
            path: which part the stream belongs to, for example the block's number.
        """
        self._bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=path))

    def uniform(self, count: int) -> Floats:
        """Return `count` numbers in [0, 1)."""
        raw = np.asarray(self._bits.random_raw(count), dtype=np.uint64)
        return (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def exponential(self, count: int) -> Floats:
        """Return `count` numbers with mean 1, exponentially distributed."""
        return exponential(self.uniform(count))

    def bell(self, count: int) -> Floats:
        """Return `count` numbers with mean 0 and standard deviation 1, within ±3.47."""
        total = self.uniform(count)
        for _ in range(3):
            total += self.uniform(count)
        return np.asarray((total - 2.0) * np.sqrt(3.0))


def exponential(uniforms: Floats) -> Floats:
    """Turn uniform numbers into exponential ones with mean 1."""
    return np.asarray(-np.log1p(-uniforms))


class Categorical:
    """Draws a column per row of a table of weights."""

    def __init__(self, weights: Floats) -> None:
        """Take the weights.

        Args:
            weights: one row per condition, one column per outcome; rows need not add up to 1.
        """
        cumulated = np.cumsum(weights, axis=1)
        cumulated = cumulated / cumulated[:, -1:]
        rows, self.outcomes = cumulated.shape
        self.shares = weights / weights.sum(axis=1, keepdims=True)
        self._cuts = (cumulated + np.arange(rows)[:, None]).ravel()

    def draw(self, rows: Ints, uniforms: Floats) -> Ints:
        """Return an outcome number for each row number.

        Args:
            rows: which row of the weights applies.
            uniforms: numbers in [0, 1).
        """
        found = np.searchsorted(self._cuts, rows + uniforms, side="right")
        picked = found - rows * self.outcomes
        return np.asarray(np.clip(picked, 0, self.outcomes - 1), dtype=np.int64)
