"""Bad input through the real command: what stops a build, and what a build survives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from conftest import MODELS_ONLY, PROJECT, TO_SCORE_MARTS, Build, built, run_dbt
from fingerprints import fingerprints

CONTACTS = (
    "contact_id,department_id,channel,started_at,agent_id\n"
    "C1,D1,Phone,2025-01-01 08:00:00,A1\n"
    "C2,D1,hotline,2025-01-02 08:00:00,A2\n"
)
DEPARTMENTS = "department_id,department_name\nD1,North\n"
RESPONSES = (
    "response_id,score,responded_at,contact_id\n"
    "R1,9,2025-01-02 08:00:00,C1\n"
    "R2,3,2025-01-03 08:00:00,C2\n"
    "R3,8,2025-01-03 09:00:00,C2\n"
)
GIT_LFS_POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    f"oid sha256:{'0' * 64}\nsize 1234\n"
)  # fmt: skip
BUILT = ("marts", "quality", "reference", "categorized")
EVERY_RESOURCE = ()


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files, by path below the folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


def write_good(folder: Path) -> Path:
    """The smallest delivery that builds."""
    return write(
        folder,
        {
            "contacts.csv": CONTACTS,
            "departments.csv": DEPARTMENTS,
            "survey_responses.csv": RESPONSES,
        },
    )


def write_parquet(path: Path, query: str) -> None:
    duckdb.execute(f"copy ({query}) to '{path}' (format parquet)")


def assert_no_traceback(build: Build) -> None:
    assert "Traceback" not in build.output
    assert 'File "' not in build.output
    assert "defect of the landing" not in build.output


def assert_stopped(build: Build) -> None:
    """The build failed before anything was built, and says so in sentences."""
    assert build.returncode != 0
    assert_no_traceback(build)
    assert "OK created" not in build.output
    assert "OK loaded" not in build.output


def message_about(build: Build, start: str) -> str:
    """The one line of the output that starts so."""
    lines = [
        line.strip().removeprefix("Invalid Input Error: ") for line in build.output.splitlines()
    ]
    found = [line for line in lines if line.startswith(start)]
    assert len(found) == 1, build.output
    return found[0]


@dataclass(frozen=True)
class Workplace:
    """A folder with a good delivery and the warehouse that was built from it."""

    folder: Path
    good: Build
    before: Mapping[str, str]

    def build(self, raw_dir: Path | None = None, **how: object) -> Build:
        """Build into the same warehouse, from the good delivery unless told otherwise."""
        raw = raw_dir if raw_dir is not None else self.folder / "good"
        return run_dbt(self.folder, raw_dir=raw, **how)  # type: ignore[arg-type]

    def assert_untouched(self) -> None:
        assert fingerprints(self.good.warehouse, BUILT) == self.before


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    folder = tmp_path_factory.mktemp("bad_input")
    good = built(folder, raw_dir=write_good(folder / "good"))
    assert good.rows("select count(*) from marts.fct_survey_responses") == [(3,)]
    return Workplace(folder, good, fingerprints(good.warehouse, BUILT))


# What stops a build: many tables in one delivery, each broken in its own way.


def write_broken(raw: Path) -> Path:
    write(
        raw,
        {
            "survey_responses.csv": "response_id,rating,submitted\nR1,9,2025-01-01\n",
            "contact.csv": CONTACTS,
            "departments.csv": "department_id,Department_Name,\u00a0department_name \nD1,North,N\n",
            "agents.csv": "agent_name,hired_on\nAgent 1,2020-01-01\n",
            "agent_assignments.csv": "agent_id,department_id,team\nA1,D1,T1\n",
            "contact_legs.csv": "contact_id,leg_number\nC1,1\n".encode("utf-16"),
            "customers.csv": b"",
            "customer_revenue.csv": "customer_id,month,revenue\n",
            "follow_ups.csv": GIT_LFS_POINTER,
            "initiatives.parquet": "initiative_id,initiative_name\n",
            "evaluations/a.csv": "contact_id,criterion,score\nC1,listening,5\n",
            "evaluations/b.csv": "contact_id,score\nC1,5\n",
        },
    )
    write_parquet(raw / "customer_revenue.parquet", "select 'K1' as customer_id")
    write_parquet(
        raw / "survey_invitations.parquet",
        "select 'I1' as invitation_id, timestamp '2025-01-01' as sent_at, "
        "cast(9007199254740992 as double) as contact_id",
    )
    return raw


@pytest.fixture(scope="module")
def broken(workplace: Workplace) -> Build:
    return workplace.build(write_broken(workplace.folder / "broken"))


# Table to what its message has to say.
BROKEN = {
    "survey_responses": ["broken/survey_responses.csv", "score, responded_at",
                         "Found there: response_id, rating, submitted"],
    "contacts": ["is required and missing", "bad_input", "/broken has", "contacts.csv",
                 "contacts.parquet", "folder contacts", "Found there:", "contact.csv"],
    "departments": ["departments.csv", "two columns named department_name", "'Department_Name'"],
    "agents": ["broken/agents.csv", "lacks the required column agent_id",
               "Found there: agent_name, hired_on"],
    "agent_assignments": ["broken/agent_assignments.csv", "lacks the required column valid_from",
                          "Found there: agent_id, department_id, team"],
    "contact_legs": ["contact_legs.csv", "UTF-16"],
    "customers": ["customers.csv", "empty (0 bytes)"],
    "customer_revenue": ["customer_revenue.csv and customer_revenue.parquet", "/broken"],
    "survey_invitations": ["survey_invitations.parquet", "contact_id", "DOUBLE",
                           "9007199254740992", "2^53"],
    "follow_ups": ["follow_ups.csv", "Git LFS pointer", "git lfs pull"],
    "initiatives": ["initiatives.parquet", "not a Parquet file"],
    "evaluations": ["broken/evaluations/b.csv", "lacks the required column criterion",
                    "Found there: contact_id, score"],
}  # fmt: skip


def test_broken_delivery_stops_the_build(workplace: Workplace, broken: Build) -> None:
    assert_stopped(broken)
    workplace.assert_untouched()


@pytest.mark.parametrize("table", BROKEN)
def test_every_broken_table_is_named(broken: Build, table: str) -> None:
    message = message_about(broken, f"table {table}")
    missing = [part for part in BROKEN[table] if part not in message]
    assert not missing, message


def test_required_tables_that_are_no_data_stop_the_build(workplace: Workplace) -> None:
    raw = write(
        workplace.folder / "no_data",
        {
            "survey_responses.csv": GIT_LFS_POINTER,
            "contacts/2024.csv": CONTACTS,
            "contacts/2025.csv": CONTACTS.encode("utf-16-le"),
            "departments.csv": b"",
        },
    )
    build = workplace.build(raw)
    assert_stopped(build)
    workplace.assert_untouched()
    assert "survey_responses.csv is a Git LFS pointer" in message_about(
        build, "table survey_responses"
    )
    assert "contacts/2025.csv is UTF-16" in message_about(build, "table contacts")
    assert "departments.csv is empty (0 bytes)" in message_about(build, "table departments")


@pytest.mark.parametrize("kind", ["nothing", "a file", "an empty folder"])
def test_raw_folder_without_tables_stops_the_build(workplace: Workplace, kind: str) -> None:
    raw = workplace.folder / f"it's {kind}"
    if kind == "a file":
        raw.write_text("no folder")
    elif kind == "an empty folder":
        raw.mkdir()
    build = workplace.build(raw)
    assert_stopped(build)
    workplace.assert_untouched()
    if kind == "an empty folder":
        for table in ("survey_responses", "contacts", "departments"):
            message = message_about(build, f"table {table} is required and missing")
            assert str(raw) in message
            assert "Found there: nothing" in message
    else:
        message = message_about(build, f"raw folder {raw}")
        said = {"nothing": "does not exist", "a file": "is a file, not a folder"}[kind]
        assert said in message
        assert "NPS_RAW_DIR" in message


# Vars and environment.

REFUSED: Mapping[str, Mapping[str, object]] = {
    "words": {
        "nps_timezone": "Mars/Olympus",
        "nps_earliest": "01/15/2020",
        "nps_latest": "later",
        "as_of": "yesterday",
        "nps_period_basis": "sent",
        "nps_min_responses": 0,
        "nps_precision_points": 100.5,
        "nps_benchmark_industry": 7,
        "nps_min_stratum_responses": 0,
        "nps_most_tie_groups": 1,
        "nps_fiscal_year_start_month": 13,
        "nps_chart_baseline_days": 19,
        "nps_ewma_weight": 1,
        "nps_ewma_limit": 0,
        "nps_cusum_slack": -0.5,
        "nps_cusum_limit": 0,
        "nps_retention_months": {"agents": 12},
        "agent_identity": "initials",
        "nps_fatigue_invitations": -1,
        "nps_nonresponse_points": 201,
        "nps_weight_cap": 1,
        "nps_burst_answers": 1,
        "nps_expected_invitations": 0,
        "nps_heaped_scores": [5, 11],
        "nps_selective_inviting_ratio": 1,
        "nps_repeat_same_reason": "sometimes",
        "nps_transfer_path_legs": "four",
        "nps_importance_drivers": ["hold_seconds"],
        "nps_repeat_detractor_days": 0,
        "nps_recovery_days": -30,
        "nps_cost_per_hour": -1,
        "nps_initiative_days": 6,
        "nps_initiative_controls": 0,
        "nps_pain_periods": 1,
        "nps_pain_mentions": 0,
        "nps_contradiction_weight": 0,
        "nps_huddle_comment_characters": 19,
    },
    "what only looks right": {
        "nps_timezone": None,
        "nps_earliest": "2020-13-01",
        "nps_latest": "2026-02-31",
        "as_of": "2025-01-01T25:00",
        "nps_period_basis": "Responded",
        "nps_min_responses": "30",
        "nps_precision_points": 0,
        "nps_benchmark_region": None,
        "nps_min_stratum_responses": 29.5,
        "nps_most_tie_groups": "64",
        "nps_fiscal_year_start_month": "April",
        "nps_chart_baseline_days": 90.5,
        "nps_ewma_weight": "0.2",
        "nps_ewma_limit": None,
        "nps_cusum_slack": "half",
        "nps_cusum_limit": None,
        "nps_retention_months": {"contacts": 0},
        "agent_identity": None,
        "nps_fatigue_invitations": 2.5,
        "nps_nonresponse_points": "10",
        "nps_weight_cap": True,
        "nps_burst_answers": None,
        "nps_expected_invitations": "many",
        "nps_heaped_scores": "5",
        "nps_selective_inviting_ratio": 0,
        "nps_repeat_same_reason": "true",
        "nps_transfer_path_legs": True,
        "nps_importance_drivers": ["hold_seconds", "hold_seconds"],
        "nps_repeat_detractor_days": "365",
        "nps_recovery_days": 30.5,
        "nps_cost_per_hour": "30",
        "nps_initiative_days": 90.5,
        "nps_initiative_controls": True,
        "nps_pain_recurring": 7,
        "nps_contradiction_weight": "two",
        "nps_huddle_comment_characters": "280",
    },
    "what is too small": {"nps_transfer_path_legs": 0},
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused_vars_stop_the_build_and_are_all_named(workplace: Workplace, kind: str) -> None:
    # Once as users have it: dbt parses the project with such vars.
    build = workplace.build(variables=REFUSED[kind], parse=kind == "words")
    assert_stopped(build)
    workplace.assert_untouched()
    for name, value in REFUSED[kind].items():
        assert f'"{value}"' in message_about(build, f"var {name} ")


def test_pseudonyms_without_a_salt_stop_the_build(workplace: Workplace) -> None:
    build = workplace.build(variables={"agent_identity": "pseudonym"})
    assert_stopped(build)
    workplace.assert_untouched()
    assert "NPS_AGENT_SALT" in message_about(build, "agent_identity is pseudonym")


@pytest.mark.parametrize(
    "name", ["marts.duckdb", pytest.param("Raw.db", marks=pytest.mark.thorough)]
)
def test_warehouse_named_like_a_schema_stops_the_build(workplace: Workplace, name: str) -> None:
    build = workplace.build(warehouse=workplace.folder / name)
    assert_stopped(build)
    assert Path(name).stem.lower() in message_about(build, "NPS_WAREHOUSE").lower()
    assert build.rows("select count(*) from information_schema.tables") == [(0,)]


# Business seeds.


def test_broken_business_seeds_stop_the_build(workplace: Workplace) -> None:
    seeds = write(
        workplace.folder / "broken_seeds",
        {
            "nps_categories.csv": "score,label\n0,detractor\n",
            "nps_bands.csv": "band,above,up_to\ngood,0\n",
            "channel_aliases.csv": b"",
            "excluded_responses.csv": GIT_LFS_POINTER,
            "languages.csv": "code,name,Code\nen,English,x\n",
        },
    )
    build = workplace.build(seeds_dir=seeds)
    assert_stopped(build)
    workplace.assert_untouched()
    said = {
        "nps_categories": ["lacks the column category", "Found there: score, label"],
        "nps_bands": ["wrong number of fields: 2 where the header has 3 (line 2)"],
        "channel_aliases": ["empty (0 bytes)"],
        "excluded_responses": ["Git LFS pointer"],
        "languages": ["two columns named code"],
    }
    for seed, parts in said.items():
        message = message_about(build, f"seed {seed}")
        missing = [part for part in [str(seeds / f"{seed}.csv"), *parts] if part not in message]
        assert not missing, message


def test_missing_seeds_folder_stops_the_build(workplace: Workplace) -> None:
    gone = workplace.folder / "no_such_seeds"
    build = workplace.build(seeds_dir=gone)
    assert_stopped(build)
    workplace.assert_untouched()
    message = message_about(build, f"seeds folder {gone}")
    assert "does not exist" in message
    assert "NPS_SEEDS_DIR" in message


@pytest.mark.thorough
def test_short_cut_of_categories_changes_no_score(workplace: Workplace) -> None:
    shipped = (PROJECT / "seeds" / "nps_categories.csv").read_text().splitlines()
    seeds = write(workplace.folder / "short", {"nps_categories.csv": "\n".join(shipped[:-1])})
    build = workplace.build(seeds_dir=seeds, arguments=EVERY_RESOURCE)
    assert build.returncode != 0
    assert_no_traceback(build)
    assert "nps_categories" in build.output
    after = fingerprints(build.warehouse)
    scores = [name for name in after if ".nps_by_" in name or ".fct_" in name]
    assert len(scores) >= 15
    assert {name: after[name] for name in scores} == {
        name: workplace.before[name] for name in scores
    }


@dataclass(frozen=True)
class OwnSeeds:
    """A build with the business's own seeds, and the next one without, in one warehouse."""

    own: Mapping[str, list[tuple[object, ...]]]
    shipped: Mapping[str, list[tuple[object, ...]]]
    after: Mapping[str, str]


OWN_SEED_QUERIES = {
    "categories": "select score, nps_category from marts.fct_survey_responses order by score",
    "score": "select responses, promoters, passives, detractors, nps, nps_band "
             "from marts.nps_by_period where period_type = 'all' and survey_type = 'all'",
    "channels": "select source_channel, channel from marts.fct_contacts order by contact_id",
    "unmapped": "select * from quality.unmapped_channels order by channel",
    "excluded": "select * from quality.excluded_rows order by record_key",
}  # fmt: skip


@pytest.fixture(scope="module")
def own_seeds(tmp_path_factory: pytest.TempPathFactory) -> OwnSeeds:
    folder = tmp_path_factory.mktemp("own_seeds")
    raw = write_good(folder / "raw")
    cut = {**dict.fromkeys(range(4), "detractor"), **dict.fromkeys(range(4, 8), "passive"),
           **dict.fromkeys(range(8, 11), "promoter")}  # fmt: skip
    seeds = write(
        folder / "seeds",
        {
            "nps_categories.csv": "Category, SCORE \r\n"
            + "".join(f"{category},{score}\r\n" for score, category in cut.items()),
            "nps_bands.csv": "band,above,up_to\npoor,-100,-50\nfair,-50,100\n",
            "channel_aliases.csv": "alias,channel\n HotLine ,phone\n",
            "excluded_responses.csv": "response_id,reason,decided_by,decided_on\n"
            "R1,not a customer,the team,2025-01-05\n",
        },
    )

    def look(build: Build) -> dict[str, list[tuple[object, ...]]]:
        return {name: build.rows(query) for name, query in OWN_SEED_QUERIES.items()}

    how = (*MODELS_ONLY, *TO_SCORE_MARTS)
    own = look(built(folder, raw_dir=raw, seeds_dir=seeds, arguments=how))
    again = built(folder, raw_dir=raw, arguments=how)
    return OwnSeeds(own, look(again), fingerprints(again.warehouse, BUILT))


@pytest.mark.thorough
def test_own_seeds_change_the_marts(own_seeds: OwnSeeds) -> None:
    assert own_seeds.own == {
        "categories": [(3, "detractor"), (8, "promoter")],
        "score": [(2, 1, 0, 1, 0.0, "fair")],
        "channels": [("Phone", "Phone"), ("hotline", "phone")],
        "unmapped": [("Phone", 1)],
        "excluded": [("survey_responses", "R1", "listed")],
    }


@pytest.mark.thorough
def test_shipped_seeds_return_without_the_variable(
    own_seeds: OwnSeeds, workplace: Workplace
) -> None:
    assert own_seeds.shipped == {
        "categories": [(3, "detractor"), (8, "passive"), (9, "promoter")],
        "score": [(3, 1, 1, 1, 0.0, "needs_work")],
        "channels": [("Phone", "phone"), ("hotline", "hotline")],
        "unmapped": [("hotline", 1)],
        "excluded": [],
    }
    assert len(own_seeds.after) > 50
    assert own_seeds.after == {name: workplace.before[name] for name in own_seeds.after}


# What a build survives.


@pytest.fixture(scope="module")
def header_only(tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder = tmp_path_factory.mktemp("header_only")
    raw = write(
        folder / "raw",
        {
            "contacts.csv": CONTACTS.splitlines()[0],
            "departments.csv": "\ufeff" + DEPARTMENTS.splitlines()[0] + "\r\n",
            "survey_invitations.csv": "invitation_id,sent_at\n",
        },
    )
    write_parquet(
        raw / "survey_responses.parquet",
        "select '' as response_id, 1 as score, timestamp '2025-01-01' as responded_at where false",
    )
    return built(folder, raw_dir=raw, arguments=EVERY_RESOURCE)


@pytest.mark.thorough
def test_header_only_tables_build_and_warn(header_only: Build) -> None:
    assert_no_traceback(header_only)
    for name in ("contacts.csv", "departments.csv", "survey_invitations.csv",
                 "survey_responses.parquet"):  # fmt: skip
        assert f"file {name} has a header and no rows" in header_only.output
    assert re.search(r"WARN 3 required_tables_have_rows", header_only.output)


WITH_UNKNOWN = {
    f"marts.{name}"
    for name in (
        *("business_calendars", "department_history"),
        *("dim_agents", "dim_customers", "dim_departments"),
    )
}
OF_SEEDS = {
    f"marts.{name}"
    for name in (
        *("calendar_holidays", "calendar_hours", "dim_channels", "driver_band_ranges"),
        *("priority_ranks", "target_ranges", "themes"),
    )
}


@pytest.mark.thorough
def test_header_only_tables_leave_every_relation_empty(
    header_only: Build, workplace: Workplace
) -> None:
    there = fingerprints(header_only.warehouse, BUILT)
    assert there.keys() == workplace.before.keys()
    # Columns and their types are those of a warehouse with rows.
    described = {name: text.partition("] (")[0] for name, text in there.items()}
    assert described == {n: text.partition("] (")[0] for n, text in workplace.before.items()}
    for table in sorted(name for name in there if name.startswith(("marts.", "quality."))):
        rows = header_only.rows(f"select * from {table}")
        if table == "quality.reconciliation":
            assert [row[1:] for row in rows] == [(0, 0, 0, 0, 0, True)] * 12
        elif table in ("quality.contract_version", "quality.metric_versions"):
            assert len(rows) == 1
        elif table in ("marts.invitation_span", "marts.customer_data_span"):
            assert [set(row) - {False} for row in rows] == [{None}], table
        elif table in OF_SEEDS:
            assert rows, table
        elif table in WITH_UNKNOWN:
            assert [row[0] for row in rows] == ["unknown"], table
        else:
            assert rows == [], table


LONG_COMMENT = "x" * 1_000_000 + '\n"😀"'
RESPONSE_COLUMNS = (
    "response_id", "score", "responded_at", "contact_id", "status", "is_test", "comment",
    "survey_type", "csat_score", "effort_score", "survey_channel", "language", "updated_at",
    "shoe_size",
)  # fmt: skip


def response(response_id: str, score: str, at: str = "2025-03-02", **cells: str) -> str:
    """One line of survey_responses."""
    cells |= {"response_id": response_id, "score": score, "responded_at": at}
    return ",".join(cells.get(name, "") for name in RESPONSE_COLUMNS) + "\n"


SURVIVED_RESPONSES = [
    # The ids differ in a digit that a double does not hold.
    response("1234567890123456789", "9", "2025-03-01T10:00:00Z", contact_id="7777777777777777771",
             comment='"said ""thanks"", twice"', csat_score="5", survey_channel="EMail",
             language="en", shoe_size="44"),
    response(" 1234567890123456788\u200b", "3", "2025-03-01 11:00",
             contact_id="7777777777777777772"),
    response("R3", "8.5"),
    response("R4", " "),
    response("R5", "9", "2026-02-31"),
    response("R6", "9", "01/15/2026"),
    response("R7", "9", comment='"bad "quote" here"'),
    "R8,9,2025-03-02\n",
    response("R9", "9", comment="nu\0l"),
    response("R10", "9", comment="caf\udce9"),
    response("R11", "10", comment='"' + LONG_COMMENT.replace('"', '""') + '"'),
    # The same key twice: the newest updated_at counts, then the later row.
    response("R12", "2", updated_at="2025-03-05"),
    response("R12", "10", updated_at="2025-03-04"),
    response("R14", "0"),
    response("R14", "7", contact_id="7777777777777777772"),
    # Links that point to nothing: never delivered, rejected, without a department that is one.
    response("R16", "6", contact_id="NOWHERE"),
    response("R17", "9", contact_id="C4"),
    response("R18", "", status="Dismissed"),
    response("R19", "10", is_test="YES"),
    response("R20", "10", status="done"),
    response("R21", "10", is_test="maybe"),
    response("R22", "10", survey_type="other"),
    response('"\u00a0"', "9"),
    response("R24", "8", csat_score="9", effort_score="2.5", language="xx",
             survey_channel="letter", updated_at="2025-02-29", contact_id="C3"),
    response("R25", "9", "1999-12-31T23:59:59Z"),
    response("R26", "-2147483648"),
    response("R27", "10 – Extremely likely", contact_id="C5"),
    # A newer version that a row rule rejects supersedes nothing.
    response("R28", "9", contact_id="C7"),
    response("R28", "11", updated_at="2025-03-09"),
    # A newer version that is excluded does supersede.
    response("R30", "10"),
    response("R30", "10", is_test="1", updated_at="2025-03-09"),
    response("R32", "call jane.roe@example.com"),
    "R33,9,2025-03-02,too,many,fields" + "," * 20 + "\n",
]  # fmt: skip

SURVIVED_CONTACTS = [
    "7777777777777777771,D1,Phone,2025-03-01 09:00,A1,,10,,,,",
    '7777777777777777772,D2,"VOICE ",2025-03-01 09:30,A2,,,,,,',
    "C3,D1,chat,2025-02-30 09:00,A1,,,,,,",
    # Its department is in a cycle, C5's was never delivered.
    "C4,D8,Kiosk,2025-03-01 10:00,A1,,,,,,",
    "C5,D1,e-mail,2025-06-01,A1,,,,,,2025-03-03",
    "C5,D99,e-mail,2025-06-01,A1,,,,,,2025-03-04",
    "C6,D1,chat,2025-03-01 10:00,A1,2025-03-01 09:59,,,,,",
    "C7,, ,2025-03-01 10:00,,,-5,abc,2.5,perhaps,",
    "C8,D1,chat",
    ",D1,chat,2025-03-01 10:00,,,,,,,",
]

SURVIVED_DEPARTMENTS = [
    "D1,Old North,,Lisbon",
    "D2,South,D1,",
    "D3,,,",
    "D4,Below nothing,NOWHERE,",
    "D5,Its own parent,D5,",
    "D6,Below a cycle,D7,",
    "D7,Cycle 1,D8,",
    "D8,Cycle 2,D7,",
    "D1,North,,Lisbon",
    ",Nameless,,",
]

SURVIVED_ASSIGNMENTS = [
    "A1,D1,T1,2025-01-01,2025-06-01",
    "A1,D2,T2,2025-05-01,",
    "A1,D2,T3,2025-06-01,",
    "A2,D2,T4,2025-03-01,2025-03-01",
    "A2,D2,T5,2025-02-31,",
    "A2,D2,T6,2025-02-01,soon",
    "A2,D2,T7,2025-02-01,",
]

SURVIVED_INVITATIONS = [
    "I1,C3,2025-03-01,sent",
    "I2,7777777777777777771,2025-02-30,Opened",
    "I3,7777777777777777771,2025-03-01,lost",
]


@pytest.fixture(scope="module")
def survived(tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder = tmp_path_factory.mktemp("survived")
    header = ",".join(RESPONSE_COLUMNS) + "\n"
    contacts = (
        "Contact_ID,DEPARTMENT_ID, channel ,started_at,agent_id,ended_at,queue_seconds,"
        "hold_seconds,transfers,is_resolved,updated_at"
    )
    raw = write(
        folder / "raw",
        {
            # With a byte-order mark; a lone surrogate stands for the byte that is no UTF-8.
            "survey_responses.csv": ("\ufeff" + header + "".join(SURVIVED_RESPONSES)).encode(
                errors="surrogateescape"
            ),
            "contacts.csv": "\r\n".join([contacts, *SURVIVED_CONTACTS, ""]),
            "departments.csv": "\n".join(
                ["department_id,department_name,parent_department_id,site", *SURVIVED_DEPARTMENTS]
            ),
            "agent_assignments.csv": "\n".join(
                ["agent_id,department_id,team,valid_from,valid_to", *SURVIVED_ASSIGNMENTS]
            ),
            "survey_invitations.csv": "\n".join(
                ["invitation_id,contact_id,sent_at,status", *SURVIVED_INVITATIONS]
            ),
        },
    )
    return built(folder, raw_dir=raw, arguments=TO_SCORE_MARTS)


def rows_of_tables(
    build: Build, relation: str, columns: str
) -> dict[str, list[tuple[object, ...]]]:
    """Rows of a quality table by raw table, in the order of the delivered rows."""
    found: dict[str, list[tuple[object, ...]]] = {}
    rows = build.rows(
        f"select table_name, source_file, {columns} from quality.{relation} "
        "order by table_name, source_row, columns('^column_name$')"
        if relation.startswith("rejected")
        else f"select table_name, source_file, {columns} from quality.{relation} "
        "order by table_name, source_row"
    )
    for table, file, *row in rows:
        assert file == f"{table}.csv"
        found.setdefault(str(table), []).append(tuple(row))
    return found


def test_what_is_survived_is_no_traceback(survived: Build) -> None:
    assert_no_traceback(survived)
    assert "columns that are ignored" in survived.output
    assert "shoe_size" in survived.output


def test_survived_rejected_rows(survived: Build) -> None:
    columns = "source_row, record_key, column_name, raw_value, reason"
    score, instant = "not a score from 0 to 10", "no possible timestamp"
    assert rows_of_tables(survived, "rejected_rows", columns) == {
        "survey_responses": [
            (3, "R3", "score", "8.5", score),
            (4, "R4", "score", " ", "empty score"),
            (5, "R5", "responded_at", "2026-02-31", instant),
            (6, "R6", "responded_at", "01/15/2026", instant),
            (7, None, None, None, "broken quotes (line 8)"),
            (8, None, None, None, "wrong number of fields: 3 where the header has 14 (line 9)"),
            (9, None, None, None, "NUL byte (line 10)"),
            (10, None, None, None, "invalid UTF-8 (line 11)"),
            (20, "R20", "status", "done", "not complete, partial or dismissed"),
            (21, "R21", "is_test", "maybe", "neither true nor false"),
            (22, "R22", "survey_type", "other", "not transactional or relational"),
            (23, None, "response_id", "\u00a0", "empty key"),
            (25, "R25", "responded_at", "1999-12-31T23:59:59Z", instant),
            (26, "R26", "score", "-2147483648", score),
            (29, "R28", "score", "11", score),
            (32, "R32", "score", "call [e-mail]", score),
            # The long comment before it has a line more than it has rows.
            (33, None, None, None, "wrong number of fields: 26 where the header has 14 (line 35)"),
        ],
        "contacts": [
            (3, "C3", "started_at", "2025-02-30 09:00", instant),
            (7, "C6", "ended_at", "2025-03-01 09:59", "ended before it started"),
            (9, None, None, None, "wrong number of fields: 3 where the header has 11 (line 10)"),
            (10, None, "contact_id", None, "empty key"),
        ],
        "departments": [
            (number, f"D{number}", "parent_department_id", parent,
             "parent chain does not end at a root")
            for number, parent in ((4, "NOWHERE"), (5, "D5"), (6, "D7"), (7, "D8"), (8, "D7"))
        ] + [(10, None, "department_id", None, "empty key")],
        "agent_assignments": [
            (2, "A1|2025-05-01", "valid_from", "2025-05-01",
             "overlaps an earlier range of the agent"),
            (4, "A2|2025-03-01", "valid_to", "2025-03-01", "ends before it begins"),
            (5, "A2|2025-02-31", "valid_from", "2025-02-31", "empty key: no timestamp"),
        ],
        "survey_invitations": [(3, "I3", "status", "lost", "not a status of an invitation")],
    }  # fmt: skip


def test_survived_rejected_values(survived: Build) -> None:
    columns = "source_row, record_key, column_name, raw_value"
    assert rows_of_tables(survived, "rejected_values", columns) == {
        "survey_responses": [
            (24, "R24", "csat_score", "9"),
            (24, "R24", "effort_score", "2.5"),
            (24, "R24", "language", "xx"),
            (24, "R24", "survey_channel", "letter"),
            (24, "R24", "updated_at", "2025-02-29"),
        ],
        "contacts": [
            (8, "C7", "hold_seconds", "abc"),
            (8, "C7", "is_resolved", "perhaps"),
            (8, "C7", "queue_seconds", "-5"),
            (8, "C7", "transfers", "2.5"),
        ],
        "agent_assignments": [(6, "A2|2025-02-01", "valid_to", "soon")],
        "survey_invitations": [(2, "I2", "sent_at", "2025-02-30")],
    }


def test_survived_superseded_rows(survived: Build) -> None:
    assert rows_of_tables(survived, "superseded_rows", "source_row, record_key, superseded_by") == {
        "survey_responses": [
            (13, "R12", "survey_responses.csv:12"),
            (14, "R14", "survey_responses.csv:15"),
            (30, "R30", "survey_responses.csv:31"),
        ],
        "contacts": [(5, "C5", "contacts.csv:6")],
        "departments": [(1, "D1", "departments.csv:9")],
        "agent_assignments": [(6, "A2|2025-02-01", "agent_assignments.csv:7")],
    }


def test_survived_excluded_rows(survived: Build) -> None:
    assert survived.rows("select * from quality.excluded_rows order by record_key") == [
        ("survey_responses", "R18", "dismissed"),
        ("survey_responses", "R19", "test"),
        ("survey_responses", "R30", "test"),
    ]


def test_survived_reconciliation(survived: Build) -> None:
    rows = survived.rows("select * from quality.reconciliation where rows_read > 0 order by 1")
    assert rows == [
        ("agent_assignments", 7, 3, 3, 1, 0, True),
        ("contacts", 10, 5, 4, 1, 0, True),
        ("departments", 10, 3, 6, 1, 0, True),
        ("survey_invitations", 3, 2, 1, 0, 0, True),
        ("survey_responses", 33, 10, 17, 3, 3, True),
    ]


def test_survived_answers(survived: Build) -> None:
    rows = survived.rows(
        "select response_id, score, nps_category, contact_id, department_id, channel, agent_id, "
        "team from marts.fct_survey_responses order by response_id"
    )
    assert rows == [
        ("1234567890123456788", 3, "detractor", "7777777777777777772", "D2", "phone", "A2", "T7"),
        ("1234567890123456789", 9, "promoter", "7777777777777777771", "D1", "phone", "A1", "T1"),
        ("R11", 10, "promoter", *["unknown"] * 5),
        ("R12", 2, "detractor", *["unknown"] * 5),
        ("R14", 7, "passive", "7777777777777777772", "D2", "phone", "A2", "T7"),
        ("R16", 6, "detractor", *["unknown"] * 5),
        ("R17", 9, "promoter", "C4", "unknown", "Kiosk", "A1", "T1"),
        ("R24", 8, "passive", *["unknown"] * 5),
        # Its contact began in the instant in which one assignment ends and the next begins.
        ("R27", 10, "promoter", "C5", "unknown", "email", "A1", "T3"),
        ("R28", 9, "promoter", "C7", *["unknown"] * 4),
    ]


def test_survived_cells(survived: Build) -> None:
    assert survived.rows(
        "select responded_at, source_contact_id, csat_score, effort_score, survey_channel, "
        "language, survey_type from marts.fct_survey_responses where response_id = 'R24'"
    ) == survived.rows(
        "select timestamp '2025-03-02', 'C3', null, null, 'unknown', 'unknown', 'transactional'"
    )
    assert survived.rows(
        "select csat_score, survey_channel, language, comment from marts.fct_survey_responses "
        "where response_id = '1234567890123456789'"
    ) == [(5, "email", "en", 'said "thanks", twice')]
    assert survived.rows(
        "select comment from marts.fct_survey_responses where response_id = 'R11'"
    ) == [(LONG_COMMENT,)]
    assert survived.rows(
        "select source_department_id, queue_seconds, hold_seconds, transfers, is_resolved "
        "from marts.fct_contacts where contact_id = 'C7'"
    ) == [(None, None, None, None, None)]
    assert survived.rows("select sent_at from marts.fct_survey_invitations order by 1 nulls last") \
        == survived.rows("select * from (values (timestamp '2025-03-01'), (null))")  # fmt: skip


def test_survived_departments(survived: Build) -> None:
    assert survived.rows(
        "select department_id, department_name, parent_department_id from marts.dim_departments "
        "order by department_id"
    ) == [
        ("D1", "North", None),
        ("D2", "South", "D1"),
        ("D3", "D3", None),
        ("unknown", "Unknown", None),
    ]


def test_survived_scores(survived: Build) -> None:
    assert survived.rows(
        "select responses, promoters, passives, detractors, nps from marts.nps_by_period "
        "where survey_type = 'all' and period_type = 'all'"
    ) == [(10, 5, 2, 3, 20.0)]
    assert survived.rows(
        "select department_id, is_rollup, responses, nps from marts.nps_by_department "
        "where survey_type = 'all' and period_type = 'all' order by department_id, is_rollup"
    ) == [
        ("D1", False, 1, 100.0),
        # Pooled: the average of its departments' scores is 25.
        ("D1", True, 3, 0.0),
        ("D2", False, 2, -50.0),
        ("unknown", False, 7, 100 * 2 / 7),
    ]
    assert survived.rows("select * from quality.unmapped_channels") == [("Kiosk", 1)]


# An unclosed quote: the marts are there to look at, and the build fails.


@pytest.fixture(scope="module")
def unclosed(tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder = tmp_path_factory.mktemp("unclosed")
    raw = write_good(folder / "raw")
    lines = RESPONSES.splitlines()
    lines[0] += ",comment"
    lines[1] += ",fine"
    lines[2] += ',"never closed'
    lines[3] += ",swallowed"
    write(raw, {"survey_responses.csv": "\n".join(lines) + "\n"})
    return run_dbt(folder, raw_dir=raw, arguments=TO_SCORE_MARTS)


def test_unclosed_quote_fails_the_build_by_name(unclosed: Build) -> None:
    assert unclosed.returncode != 0
    assert_no_traceback(unclosed)
    failed = re.findall(r"Failure in test (\w+)", unclosed.output)
    assert failed == ["no_unclosed_quote"]
    assert "SKIP=0" in unclosed.output


def test_unclosed_quote_is_one_rejected_row(unclosed: Build) -> None:
    assert unclosed.rows("select * from quality.rejected_rows") == [
        ("survey_responses", "survey_responses.csv", 2, None, None, None,
         "unclosed quote to the end of the file (line 3)"),
    ]  # fmt: skip


def test_unclosed_quote_leaves_the_marts_with_the_rows_before(unclosed: Build) -> None:
    assert unclosed.rows("select response_id, comment from marts.fct_survey_responses") == [
        ("R1", "fine")
    ]
    assert unclosed.rows(
        "select distinct responses, nps from marts.nps_by_period where survey_type = 'all'"
    ) == [(1, 100.0)]
