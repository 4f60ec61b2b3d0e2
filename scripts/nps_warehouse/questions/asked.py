"""The questions: which there are, what their analyses say of themselves, and their compiled SQL."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from nps_warehouse.landing.contract import PROJECT_DIR

ANALYSES = PROJECT_DIR / "analyses"

NAMES = (
    "which_department_moved",
    "why_did_the_score_move",
    "what_would_it_take",
    "how_do_we_compare",
    "where_do_we_lose_most",
    "which_complaint_weighs_most",
    "which_agents_differ",
    "are_detractors_called_back",
    "did_our_last_initiative_help",
    "which_customers_to_keep",
    "who_answers",
    "what_changed_in_what_we_published",
)
"""Names of their analyses, in the order in which they are asked."""

_HEAD = re.compile(r"(?:--[^\n]*\n)+")


class CompileError(Exception):
    """dbt could not compile the analyses; the text is dbt's."""


@dataclass(frozen=True)
class Question:
    """A question, as the comment that its analysis begins with has it.

    Attributes:
        name: of the analysis.
        text: the question.
        how_to_read: what the rows of the analysis say, and what they don't.
    """

    name: str
    text: str
    how_to_read: str

    @property
    def path(self) -> str:
        """The analysis, from the project's folder."""
        return f"analyses/{self.name}.sql"


def question(name: str) -> Question:
    """A question by its name.

    Args:
        name: one of NAMES.

    Raises:
        ValueError: its analysis does not begin with a question and how to read the answer.
    """
    head = _HEAD.match((ANALYSES / f"{name}.sql").read_text(encoding="utf-8"))
    lines = [line.removeprefix("--").strip() for line in head.group().splitlines()] if head else []
    if len(lines) < 2 or not lines[0].endswith("?"):
        raise ValueError(f"{name}.sql has to begin with a question, then how to read its answer")
    return Question(name, lines[0], " ".join(lines[1:]))


def compiled(target_dir: Path | None = None) -> dict[str, str]:
    """The SQL of every question, compiled by dbt; it names tables by schema and name.

    Args:
        target_dir: dbt's; by default the one that builds use, where dbt need not parse again.

    Raises:
        CompileError: dbt could not compile it.
    """
    folder = target_dir or Path(os.environ.get("DBT_TARGET_PATH") or PROJECT_DIR / "target")
    command = [
        str(Path(sys.executable).with_name("dbt")),
        *("--quiet", "--no-use-colors", "compile", "--no-populate-cache"),
        *("--select", "path:analyses"),
    ]
    finished = subprocess.run(
        command,
        cwd=PROJECT_DIR,
        env=os.environ | {"DBT_TARGET_PATH": str(folder.absolute())},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise CompileError(finished.stdout.strip())
    return read_compiled(folder / "compiled")


def read_compiled(folder: Path) -> dict[str, str]:
    """The SQL of every question, as dbt has left it.

    Args:
        folder: `compiled` in dbt's target folder.

    Raises:
        OSError: one is not there.
    """
    analyses = folder / "nps_warehouse" / "analyses"
    return {name: (analyses / f"{name}.sql").read_text(encoding="utf-8") for name in NAMES}
