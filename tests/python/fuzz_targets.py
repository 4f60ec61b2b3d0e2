"""Targets of fuzz runs that behave badly on purpose, for `test_fuzz.py`."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from fuzz.targets import Outcome

WRONG, RAISES, CRASHES, HANGS = 1, 2, 3, 4


class Misbehaving:
    """Does to each seed what its number says; what it draws is in the outcome."""

    def __init__(self, folder: Path) -> None:
        del folder

    def batch(self, draw: random.Random, folder: Path) -> Outcome:
        """See `fuzz.targets.Target`."""
        first = draw.random()
        kind = next((n for n in range(9) if random.Random(n).random() == first), 0)
        (folder / "delivered").write_text(str(kind))
        match kind:
            case 1:
                return Outcome(examples=1, failures=["a row is missing"])
            case 2:
                raise ValueError("no such thing")
            case 3:
                os._exit(11)
            case 4:
                time.sleep(60)
        return Outcome(examples=1, rows=int(first * 1000))
