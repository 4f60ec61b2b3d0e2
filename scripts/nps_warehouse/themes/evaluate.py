"""How well themes are found: precision, recall and F1 by family, for both classifiers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from nps_warehouse.landing.comment_readers import Reading
from nps_warehouse.themes.labelled import Labelled, themes_of
from nps_warehouse.themes.learned import Learned
from nps_warehouse.themes.patterns import folded_comments, predicted

WORDINGS = 3
ALL = "all (micro)"


@dataclass(frozen=True)
class Score:
    """How often a theme was found, and rightly.

    Attributes:
        found: rightly.
        wrong: found where it is not said.
        missed: said and not found.
    """

    found: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float | None:
        """Share of what was found that is said, 0 to 1; None where nothing was found."""
        return self.found / (self.found + self.wrong) if self.found + self.wrong else None

    @property
    def recall(self) -> float | None:
        """Share of what is said that was found, 0 to 1; None where nothing is said."""
        return self.found / (self.found + self.missed) if self.found + self.missed else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of the two (van Rijsbergen 1979); None where there is nothing at all."""
        all_of_them = 2 * self.found + self.wrong + self.missed
        return 2 * self.found / all_of_them if all_of_them else None


def scores(
    truth: Sequence[frozenset[str]],
    said: Sequence[frozenset[str]],
    families: Mapping[str, str],
    themes: Collection[str],
) -> dict[str, Score]:
    """Scores by family, and of all themes together.

    Args:
        truth: what each comment says.
        said: what was found in it, in the same order.
        families: family by theme.
        themes: those that somebody labelled; the others are not judged.
    """
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for true, got in zip(truth, said, strict=True):
        for theme in themes:
            if theme not in true and theme not in got:
                continue
            which = 0 if theme in true and theme in got else 1 if theme in got else 2
            counts[families.get(theme, "other")][which] += 1
            counts[ALL][which] += 1
    return {family: Score(*counts[family]) for family in sorted(counts)}


def learned_across_wordings(reading: Reading, comments: Sequence[Labelled]) -> list[frozenset[str]]:
    """What the learnt classifier finds in comments of the sample, taught by other wordings.

    The sample says each theme in three ways: a comment that is judged must not have taught.

    Args:
        reading: patterns and words, for folding.
        comments: of the sample, each with its wording.
    """
    texts = [text for text, _ in folded_comments(reading, _pairs(comments))]
    found: list[frozenset[str]] = [frozenset()] * len(comments)
    for wording in range(WORDINGS):
        taught = [i for i, one in enumerate(comments) if one.wording != wording]
        judged = [i for i, one in enumerate(comments) if one.wording == wording]
        model = Learned([texts[i] for i in taught], [comments[i].themes for i in taught])
        for i, said in zip(judged, model.predicted([texts[i] for i in judged]), strict=True):
            found[i] = said
    return found


def learned_from(
    reading: Reading, taught: Sequence[Labelled], judged: Sequence[Labelled]
) -> list[frozenset[str]]:
    """What the learnt classifier finds in some comments, taught by others.

    Args:
        reading: patterns and words, for folding.
        taught: labelled comments to learn from.
        judged: labelled comments, whose labels are not looked at.
    """
    texts = [text for text, _ in folded_comments(reading, _pairs(taught))]
    model = Learned(texts, [one.themes for one in taught])
    return model.predicted([text for text, _ in folded_comments(reading, _pairs(judged))])


def evaluation(
    reading: Reading,
    families: Mapping[str, str],
    sample: Sequence[Labelled],
    held_aside: Sequence[Labelled],
    development: Sequence[Labelled] = (),
) -> dict[tuple[str, str], dict[str, Score]]:
    """Scores by set of comments and classifier, then by family.

    Args:
        reading: patterns and words.
        families: family by theme.
        sample: labelled comments of the sample, with their wording.
        held_aside: labelled comments that taught nobody.
        development: labelled comments that teach, with the sample, what is tried on those.
    """
    results = {}
    for name, comments, learned in (
        ("sample", sample, learned_across_wordings(reading, sample)),
        ("held aside", held_aside, learned_from(reading, [*sample, *development], held_aside)),
    ):
        truth, themes = [one.themes for one in comments], themes_of(comments)
        results[name, "patterns"] = scores(truth, predicted(reading, comments), families, themes)
        results[name, "learned"] = scores(truth, learned, families, themes)
    return results


def as_table(results: Mapping[tuple[str, str], Mapping[str, Score]]) -> str:
    """The scores as a Markdown table.

    Args:
        results: of `evaluation`.
    """
    figures = "precision | recall | F1"
    lines = [
        f"| comments | family | said | patterns: {figures} | learned: {figures} |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in ("sample", "held aside"):
        base, learned = results[name, "patterns"], results[name, "learned"]
        for family in sorted({*base, *learned}, key=lambda one: (one == ALL, one)):
            first = base.get(family, Score(0, 0, 0))
            second = learned.get(family, Score(0, 0, 0))
            cells = [
                _shown(value)
                for score in (first, second)
                for value in (score.precision, score.recall, score.f1)
            ]
            said = first.found + first.missed
            lines.append(f"| {name} | {family} | {said} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _shown(share: float | None) -> str:
    return "–" if share is None else f"{share:.2f}"


def _pairs(comments: Sequence[Labelled]) -> list[tuple[str | None, str]]:
    return [(one.language, one.comment) for one in comments]
