"""No personal data in anything that is published: every text of every column is looked through."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
from conftest import built
from nps_warehouse.publishing import publish
from nps_warehouse.publishing.export import export_all
from test_forget import FILES, texts_of

SALT = "a secret of the tests"
# What only the raw files may hold of customers. Numbers are those kept free for fiction.
CUSTOMERS = (
    "Planted Person", "Planted Street", "planted.person@example.com", "jane.roe@example.com",
    "555-0142", "555-0187", "555-0119", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00",
)  # fmt: skip
AGENTS = ("Planted Agent", "PLANTEDAGENT1", "PLANTEDAGENT2")
COMMENTS = (
    "Write to jane.roe@example.com please.",
    "Call me on 555-0142 or (212) 555-0187, or +1 303-555-0119.",
    "My card 4111 1111 1111 1111 was charged, IBAN DE89 3704 0044 0532 0130 00.",
    "planted.person@example.com waited for an hour.",
)


def write_raw(folder: Path) -> Path:
    """Deliveries with personal data wherever somebody could put it, in rejected rows, too."""
    folder.mkdir()
    files = dict(FILES)
    files["customers.csv"] = files["customers.csv"].replace(
        "customer_name,address", "customer_name,email"
    ).replace("Planted Street 1", "planted.person@example.com")  # fmt: skip
    answers = files["survey_responses.csv"]
    for number, comment in enumerate(COMMENTS):
        answers += f'P{number},{number},2025-01-0{number + 2},C{number + 1},,,"{comment}",\n'
    answers += f'P9,eleven,2025-01-02,C1,,,"{COMMENTS[0]}",\n'
    answers += 'P8,9,Call 555-0142,C1,,,"never",\n'
    files["survey_responses.csv"] = answers
    files["contacts.csv"] = (
        "contact_id,department_id,channel,started_at,ended_at,customer_id,agent_id,team\n"
        + "".join(
            f"C{number},D1,phone,2025-01-0{number} 09:00:00,2025-01-0{number} 09:05:00,"
            f"CUSTOMER-000{number},PLANTEDAGENT{number % 2 + 1},T1\n"
            for number in range(1, 6)
        )
        + "C9,D1,jane.roe@example.com,no time,,,PLANTEDAGENT1,T1\n"
    )
    files["agents.csv"] = (
        "agent_id,agent_name,hired_on\nPLANTEDAGENT1,Planted Agent One,2024-01-01\n"
        "PLANTEDAGENT2,Planted Agent Two,2024-01-01\nPLANTEDAGENT2,Planted Agent Two,soon\n"
    )
    files["agent_assignments.csv"] = (
        "agent_id,department_id,team,valid_from\nPLANTEDAGENT1,D1,T1,2024-01-01\n"
        "PLANTEDAGENT2,D1,T1,2024-01-01\nPLANTEDAGENT1,D9,T1,never\n"
    )
    files["follow_ups.csv"] = (
        "follow_up_id,response_id,owner_agent_id,opened_at\n"
        "F1,P0,PLANTEDAGENT1,2025-01-05 10:00:00\nF2,P1,PLANTEDAGENT2,odd\n"
    )
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def found(file: Path, needles: tuple[str, ...], salt: str = "") -> set[str]:
    """Where a needle stands in a DuckDB file, whatever signs its figures are told apart by.

    Args:
        file: the DuckDB file.
        needles: what is looked for.
        salt: what views need that make pseudonyms; those of published files need none.
    """
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("set variable nps_agent_salt = ?", [salt])
        texts = texts_of(connection)
    assert len({place.rsplit(".", 1)[0] for place in texts}) > 100
    return {
        f"{needle} in {place}"
        for place, cells in texts.items()
        for cell in set(cells)
        for needle in needles
        if needle in cell or re.sub(r"\W", "", needle).lower() in re.sub(r"\W", "", cell).lower()
    }


@pytest.mark.thorough
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("identity", ["pseudonym", "none"])
def test_what_is_published_names_nobody(tmp_path: Path, identity: str) -> None:
    build = built(
        tmp_path, raw_dir=write_raw(tmp_path / "raw"), variables={"agent_identity": identity},
        environment={"NPS_AGENT_SALT": SALT},
    )  # fmt: skip
    # They were delivered, and are where nobody reads.
    assert found(build.warehouse, CUSTOMERS, SALT)
    assert found(build.warehouse, AGENTS, SALT)
    folder = tmp_path / "published"
    version = publish(
        warehouse=build.warehouse, folder=folder, environ={"NPS_STATE_DIR": str(tmp_path / "state")}
    )
    assert version.responses >= len(COMMENTS)
    assert found(folder / "nps.duckdb", (*CUSTOMERS, *AGENTS)) == set()
    done = export_all(folder / "nps.duckdb", tmp_path / "copies", ["csv"], ["marts.*", "quality.*"])
    for file in done.rows:
        text = file.read_text(encoding="utf-8")
        assert [needle for needle in (*CUSTOMERS, *AGENTS) if needle in text] == [], file
