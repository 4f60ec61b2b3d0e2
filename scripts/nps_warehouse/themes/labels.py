"""What the learnt classifier finds in a warehouse, as a file of the state folder.

The next build lands the file as `raw.theme_labels`; `marts.comment_theme_labels` shows it beside
what the patterns found. It replaces nothing.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from nps_warehouse.landing import sql
from nps_warehouse.landing.comment_readers import Reading
from nps_warehouse.landing.theme_labels import COLUMNS
from nps_warehouse.themes.learned import NAME, THRESHOLD, Learned
from nps_warehouse.themes.patterns import folded_comments
from nps_warehouse.warehouse import reading as reading_warehouse

BATCH = 20_000


def write_labels(warehouse: Path, reading: Reading, model: Learned, target: Path) -> int:
    """Label the masked comments of a warehouse.

    Args:
        warehouse: the DuckDB file.
        reading: patterns and words, for folding.
        model: the classifier.
        target: the Parquet file that is written, or replaced.

    Returns:
        How many labels there are.

    Raises:
        click.ClickException: the warehouse can't be read.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}")
    with duckdb.connect() as scratch, reading_warehouse(warehouse) as source:
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        scratch.execute(f"create table labels ({columns})")
        rows = source.execute(
            "select response_id, language, comment from marts.fct_survey_responses "
            "where comment is not null order by response_id"
        )
        while batch := rows.fetchmany(BATCH):
            folded = folded_comments(reading, [(row[1], row[2]) for row in batch])
            likely = model.likelihoods([text for text, _ in folded])
            labels = [
                [row[0], theme, likelihood, NAME]
                for row, themes in zip(batch, likely, strict=True)
                for theme, likelihood in themes.items()
                if likelihood >= THRESHOLD
            ]
            if labels:
                scratch.executemany("insert into labels values (?, ?, ?, ?)", labels)
        counted = scratch.execute("select count(*) from labels").fetchone()
        scratch.execute(
            "copy (select * from labels order by response_id, theme) "
            f"to {sql.text(str(unfinished))} (format parquet)"
        )
    unfinished.replace(target)
    assert counted is not None
    return int(counted[0])
