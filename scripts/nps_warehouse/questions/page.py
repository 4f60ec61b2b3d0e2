"""The answers as a page in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from nps_warehouse.questions.asked import NAMES, question

HEAD = """\
# The first questions

Twelve questions that people ask first, each a short query on marts in `analyses/`, with its answer
on the shipped sample. On your own warehouse, after a build:

```sh
./scripts/nps questions                            # the answers, each in a sentence
./scripts/nps questions --to questions.md          # this page, with your answers
.venv/bin/dbt show --limit 50 --select who_answers # the rows behind one
```

`dbt compile --select path:analyses` leaves plain SQL in `target/compiled/`, for any tool. The
sample has 50 answers a month for a dozen departments: that little of it is certain is right.
"""

TAIL = """\
This page is written by `./scripts/nps questions --to docs/questions.md` on a build of the sample
(as of {as_of}); a test compares it with one.
"""


def page(answers: Mapping[str, str], as_of: date) -> str:
    """The page.

    Args:
        answers: by the question's name.
        as_of: "now" of the warehouse that was asked.
    """
    parts = [HEAD.strip()]
    for number, name in enumerate(NAMES, start=1):
        one = question(name)
        link = f"[{name}](../{one.path})"
        parts += [f"## {number}. {one.text}", f"**{answers[name]}**", f"{one.how_to_read} {link}"]
    parts.append(TAIL.format(as_of=as_of.isoformat()).strip())
    return "\n\n".join(parts) + "\n"
