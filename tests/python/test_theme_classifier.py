"""The classifier that learns themes: what it needs, what it finds, what it leaves for a build."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from nps_warehouse.landing.land import land
from nps_warehouse.landing.theme_labels import FILE_NAME
from nps_warehouse.themes import evaluate
from nps_warehouse.themes.labelled import Labelled, read_labelled, sample_comments, themes_of
from nps_warehouse.themes.learned import NAME, Learned, MissingLibraryError
from nps_warehouse.themes.patterns import families, reading_of
from sklearn import metrics as sklearn_metrics

TAUGHT = [
    (" waited an hour ", "wait"), (" waiting for hours ", "wait"), (" a long wait ", "wait"),
    (" waited and waited ", "wait"), (" so kind ", "kind"), (" a kind man ", "kind"),
    (" kindness itself ", "kind"), (" very kind lady ", "kind"), (" fine ", ""), (" ok ", ""),
]  # fmt: skip


def taught() -> Learned:
    return Learned(
        [text for text, _ in TAUGHT],
        [frozenset(filter(None, [theme])) for _, theme in TAUGHT],
    )


def test_what_was_taught_is_found_in_other_words() -> None:
    model = taught()
    assert model.themes == ["kind", "wait"]
    found = model.predicted([" i had to wait ", " kind people ", " "])
    assert found == [frozenset(["wait"]), frozenset(["kind"]), frozenset()]
    assert model.likelihoods([]) == []
    again = taught().likelihoods([" i had to wait "])
    assert again == model.likelihoods([" i had to wait "])


def test_there_is_something_to_learn() -> None:
    with pytest.raises(ValueError, match="nothing to learn"):
        Learned([" a ", " b "], [frozenset(), frozenset()])


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(MissingLibraryError, match=r"requirements/themes\.txt"):
        taught()


def test_precision_and_recall_are_those_of_scikit_learn() -> None:
    comments = [
        Labelled("en", "", frozenset(themes))
        for themes in (["a"], ["a", "b"], [], ["b"], ["c"], ["a", "c"])
    ]
    said = [frozenset(themes) for themes in (["a"], ["b"], ["a"], [], ["c", "a"], ["a", "c"])]
    themes = themes_of(comments)
    truth = [one.themes for one in comments]
    found = evaluate.scores(truth, said, {}, themes)[evaluate.ALL]
    matrix = [[[theme in one for theme in themes] for one in rows] for rows in (truth, said)]
    precision, recall, f1, _ = sklearn_metrics.precision_recall_fscore_support(
        *matrix, average="micro"
    )
    assert found.precision == pytest.approx(precision)
    assert found.recall == pytest.approx(recall)
    assert found.f1 == pytest.approx(f1)


def run_nps(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nps_warehouse.cli", "themes", *arguments],
        env={"PYTHONPATH": ":".join(sys.path), "PATH": "", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_labels_of_a_warehouse_are_landed_by_the_next_build(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.fct_survey_responses as select * from (values "
            "('r1', 'en', 'I waited far too long.'), ('r2', 'unknown', null), "
            "('r3', 'de', 'Es war ganz einfach, mit einem Anruf gelöst.')"
            ") as t (response_id, language, comment)"
        )
    done = run_nps("classify", "--warehouse", str(warehouse), NPS_STATE_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    with duckdb.connect() as connection:
        assert not land(connection, labels=tmp_path / FILE_NAME).errors
        labels = connection.execute(
            "select response_id, theme, classifier from raw.theme_labels order by 1, 2"
        ).fetchall()
        bounds = connection.execute("select min(likelihood) from raw.theme_labels").fetchone()
    assert ("r1", "long_wait", NAME) in labels
    assert ("r3", "easy", NAME) in labels
    assert bounds is not None
    assert bounds[0] >= 0.5


def test_a_warehouse_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = run_nps("classify", NPS_WAREHOUSE=str(tmp_path / "none.duckdb"))
    assert done.returncode == 1
    assert "there is no warehouse" in done.stderr


@pytest.mark.thorough
def test_the_published_table_is_what_the_command_prints() -> None:
    """The table in DECISIONS.md is the command's, to the last digit."""
    figures = Path(__file__).parent / "figures"
    results = evaluate.evaluation(
        reading_of(None),
        families(None),
        sample_comments(),
        read_labelled(figures / "theme_comments_held_aside.csv"),
        read_labelled(figures / "theme_comments_development.csv"),
    )
    decisions = (Path(__file__).parents[2] / "DECISIONS.md").read_text(encoding="utf-8")
    for line in evaluate.as_table(results).splitlines():
        assert line in decisions
