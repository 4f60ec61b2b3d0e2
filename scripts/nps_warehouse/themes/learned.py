"""A classifier that learns themes from labelled comments: TF-IDF of letters, logistic regression.

It is of scikit-learn, works offline, and is as transparent as its weights are. `requirements/
themes.txt` brings the library, which nothing else of the project needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# A theme is said where it is more likely than not.
THRESHOLD = 0.5
NAME = "tfidf_logistic_regression"
SEED = 20260101


class MissingLibraryError(Exception):
    """scikit-learn is not installed."""


class Learned:
    """A theme classifier, one logistic regression a theme."""

    def __init__(self, texts: Sequence[str], labels: Sequence[frozenset[str]]) -> None:
        """Learn.

        Args:
            texts: folded comments, as `raw.folded_comment` makes them.
            labels: the themes each says.

        Raises:
            MissingLibraryError: scikit-learn is not installed.
            ValueError: no comment says anything, or all say the same.
        """
        try:
            from sklearn.feature_extraction.text import TfidfVectorizer
            from sklearn.linear_model import LogisticRegression
        except ImportError:
            raise MissingLibraryError(
                "scikit-learn is not installed: install requirements/themes.txt"
            ) from None
        self.themes = [
            theme
            for theme in sorted({theme for said in labels for theme in said})
            if not all(theme in said for said in labels)
        ]
        if not self.themes:
            raise ValueError("there is nothing to learn: no theme that some comments say")
        # Letters within words: stems and endings without a list of them, in any language.
        self._letters: Any = TfidfVectorizer(
            analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2
        )
        features = self._letters.fit_transform(texts)
        self._models: list[Any] = []
        for theme in self.themes:
            # Themes are rare: weighted as if as many comments said one as do not.
            model = LogisticRegression(
                C=10.0, class_weight="balanced", max_iter=1000, random_state=SEED
            )
            model.fit(features, [theme in said for said in labels])
            self._models.append(model)

    def likelihoods(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """How likely each text says each theme, from 0 to 1.

        Args:
            texts: folded comments.
        """
        if not texts:
            return []
        features = self._letters.transform(texts)
        columns = [model.predict_proba(features)[:, 1] for model in self._models]
        return [
            {theme: float(column[row]) for theme, column in zip(self.themes, columns, strict=True)}
            for row in range(len(texts))
        ]

    def predicted(self, texts: Sequence[str]) -> list[frozenset[str]]:
        """The themes each text says.

        Args:
            texts: folded comments.
        """
        return [
            frozenset(theme for theme, likely in row.items() if likely >= THRESHOLD)
            for row in self.likelihoods(texts)
        ]
