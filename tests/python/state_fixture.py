"""Writes tests/fixtures/state_of_version_1.zip: a backup as the release before wrote it.

`python tests/python/state_fixture.py` makes it again, byte by byte. When the version of a state
goes up, the fixture of the version before is written first, by the release that has it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from nps_warehouse.state import archive
from nps_warehouse.state.store import FILE_NAME, attached, create

FIXTURE = Path(__file__).resolve().parents[1] / "fixtures" / "state_of_version_1.zip"
VERSION = 1
STATEMENTS = (
    (
        "insert into publications values "
        "(1, 'January', '2025-01-31 20:00:00', '2025-01-31', 1, '1.0.0'), "
        "(2, 'February', '2025-02-28 20:00:00', '2025-02-28', 1, '1.0.0')"
    ),
    "insert into metric_versions values (1, 'made by another release')",
    (
        "insert into metric_rules select 1, 'nps_categories', cast(score as varchar), case when "
        "score < 7 then 'detractor' when score > 8 then 'promoter' else 'passive' end "
        "from range(11) as scores (score)"
    ),
    (
        "insert into published_answers values "
        "('R1', 'transactional', '2025-01-10', 'D1', 9, 'promoter', 1, 1, 'arrived', 2, "
        "'corrected'), "
        "('R1', 'transactional', '2025-01-10', 'D1', 2, 'detractor', 1, 2, 'corrected', null, "
        "null), "
        "('R2', 'relational', '2025-01-11', 'D2', 8, 'passive', 1, 2, 'arrived', null, null), "
        "(null, 'relational', '2025-01-12', 'D2', 8, 'passive', 3, 1, 'arrived', null, null)"
    ),
)


def write(file: Path) -> None:
    """Write the backup.

    Args:
        file: where; it must not exist.
    """
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / FILE_NAME
        create(state, version=VERSION)
        with attached(state, read_only=False, of_version=VERSION) as connection:
            connection.execute("use state")
            for statement in STATEMENTS:
                connection.execute(statement)
        archive.backup(Path(folder), file)


if __name__ == "__main__":
    FIXTURE.unlink(missing_ok=True)
    write(FIXTURE)
