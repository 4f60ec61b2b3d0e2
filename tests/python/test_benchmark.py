"""The benchmark: it compares equal tables, its script follows the rules, its table is whole."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import duckdb
import pytest
from nps_warehouse.benchmark import by_hand, cli, floor, in_polars, increment, once, readers
from nps_warehouse.benchmark.compare import MUST_HAVE, Comparison, compare
from nps_warehouse.benchmark.measure import BenchmarkError, Usage, measured
from nps_warehouse.benchmark.report import (
    BY_HAND,
    CORE,
    IDLE,
    INCREMENT,
    NET,
    START_UP,
    TESTED,
    WHOLE,
    Result,
    markdown,
    plot,
)

SEEDS = cli.ROOT / "seeds"

# A row of a raw table, taken as it is except for these columns. Types stay real, so this is what a
# typed delivery can still get wrong.
PLANTED = {
    "survey_responses": [
        "'R-empty' as response_id, null::bigint as score",
        "'R-11' as response_id, 11 as score",
        "'R-below' as response_id, -1 as score",
        "' ' as response_id",
        "'R-late' as response_id, timestamp '2100-01-01 00:00:01' as responded_at",
        "'R-early' as response_id, timestamp '1999-12-31 23:59:59' as responded_at",
        "'R-status' as response_id, 'done' as status",
        "'R-type' as response_id, 'other' as survey_type",
        "'R-test' as response_id, ' YES ' as is_test",
        "'R-what' as response_id, 'maybe' as is_test",
        "'R-dismissed' as response_id, 'Dismissed' as status, null::bigint as score",
        "'R-partial' as response_id, 'PARTIAL' as status, 6 as score",
        (
            "'R-orphan' as response_id, 'C-none' as contact_id, 'I-none' as invitation_id, "
            "'K-none' as customer_id, null as survey_type, 9 as score"
        ),
        (
            "'R-alone' as response_id, null as contact_id, null as invitation_id, "
            "null as customer_id, null as survey_type, 10 as score"
        ),
        (
            "'R-cells' as response_id, 'fax' as survey_channel, 'xx' as language, 6 as csat_score, "
            "8 as effort_score, 0 as score"
        ),
        (
            "'R-words' as response_id, ' SMS' as survey_channel, 'DE ' as language, "
            "'write to a.b@example.com or +49 170 1234567' as comment, 7 as score"
        ),
        # Two versions alike: the later row counts. The newest is dismissed: none comes back.
        "'R-twice' as response_id, 3 as score, null::timestamp as updated_at",
        "' R-twice' as response_id, 8 as score, null::timestamp as updated_at",
        "'R-gone' as response_id, 5 as score, timestamp '2024-01-01' as updated_at",
        (
            "'R-gone' as response_id, null::bigint as score, 'dismissed' as status, "
            "timestamp '2024-01-02' as updated_at"
        ),
    ],
    "contacts": [
        "'C-back' as contact_id, started_at - interval 1 hour as ended_at",
        "'C-never' as contact_id, null::timestamp as started_at",
        "null as contact_id",
        "'C-cells' as contact_id, -1 as queue_seconds, -2 as transfers",
        (
            "'C-odd' as contact_id, 'Carrier pigeon' as channel, 'D-none' as department_id, "
            "'A-none' as agent_id, 'K-none' as customer_id, null as site, null as product_line"
        ),
        "'C-blank' as contact_id, ' ' as channel, '' as department_id, null as agent_id",
        "'C-twice' as contact_id, 'D01' as department_id, timestamp '2024-01-02' as updated_at",
        "'C-twice ' as contact_id, 'D02' as department_id, timestamp '2024-01-01' as updated_at",
    ],
    "survey_invitations": [
        "'I-status' as invitation_id, 'lost' as status",
        "'I-bounced' as invitation_id, ' BOUNCED' as status",
        "'I-type' as invitation_id, 'other' as survey_type",
        (
            "'I-orphan' as invitation_id, 'C-none' as contact_id, null as customer_id, "
            "null as survey_type"
        ),
        "'I-never' as invitation_id, null::timestamp as sent_at",
        "'I-twice' as invitation_id, 'opened' as status, null::timestamp as updated_at",
        "'I-twice' as invitation_id, 'sent' as status, null::timestamp as updated_at",
    ],
    "customers": [
        "'K-empty' as customer_id, null as segment, ' ' as product_line, 'gift' as acquired_by",
        "'K-twice' as customer_id, 'a' as segment, timestamp '2024-01-02' as updated_at",
        "'K-twice' as customer_id, 'b' as segment, null::timestamp as updated_at",
    ],
    "departments": [
        "'D-a' as department_id, 'D-b' as parent_department_id",
        "'D-b' as department_id, 'D-a' as parent_department_id",
        "'D-c' as department_id, 'D-nowhere' as parent_department_id",
        "'D-below' as department_id, 'D04' as parent_department_id, ' ' as department_name",
        "'D01' as department_id, 'Older' as department_name, '2001-01-01' as updated_at",
    ],
    "agents": [
        "'A-new' as agent_id, null as agent_name, '2024-02-31' as hired_on",
        "'A001' as agent_id, 'Renamed' as agent_name, '2024-01-01T00:00:00+02:00' as updated_at",
    ],
    "agent_assignments": [
        # The second overlaps the first and goes; the third begins in the second and stays.
        "'A002' as agent_id, 'T1' as team, '2001-01-01' as valid_from, '2001-02-01' as valid_to",
        "'A002' as agent_id, 'T2' as team, '2001-01-15' as valid_from, '2001-04-01' as valid_to",
        "'A002' as agent_id, 'T3' as team, '2001-03-01' as valid_from, '2001-05-01' as valid_to",
        "'A003' as agent_id, '2001-03-01' as valid_from, '2001-03-01' as valid_to",
        (
            "'A003' as agent_id, 'D-none' as department_id, '2001-01-01' as valid_from, "
            "'2001-06-01' as valid_to"
        ),
        "'A005' as agent_id, 'soon' as valid_from",
    ],
}


pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cli.sample(20_000, tmp_path_factory.mktemp("cache"))


def planted(clean: Path, folder: Path) -> Path:
    """The raw tables of `clean`, with the planted rows behind their own."""
    folder.mkdir()
    for source in clean.iterdir():
        if source.name.partition(".")[0] not in PLANTED:
            (folder / source.name).symlink_to(source)
    for table, rows in PLANTED.items():
        files = [str(path) for path in floor.files(clean, table)]
        target = folder / f"{table}.parquet"
        if (clean / table).is_dir():
            (folder / table).mkdir()
            target = folder / table / "part-00000.parquet"
        with duckdb.connect() as connection:
            connection.execute("create table raw as from read_parquet($1)", [files])
            connection.execute("create table pattern as from raw limit 1")
            for row in rows:
                connection.execute(
                    f"insert into raw by name select pattern.* exclude ({names(row)}), {row} "
                    "from pattern"
                )
            connection.execute(f"copy raw to '{target}' (format parquet)")
    return folder


def names(row: str) -> str:
    """The columns that a planted row sets."""
    return ", ".join(part.partition(",")[0].strip() for part in row.split(" as ")[1:])


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def result(small: Path, scratch: Path) -> Result:
    """Everything run once, on data with the planted rows; it has compared the tables."""
    return cli.measure(planted(small, scratch / "raw"), 20_000, 1, scratch)


def test_every_table_is_compared(result: Result) -> None:
    assert sorted(result.marts) == sorted(MUST_HAVE)
    assert all(result.marts.values())
    assert result.marts["fct_contacts"] > 20_000


def test_both_write_one_format(result: Result, scratch: Path) -> None:
    """Packing texts is a good part of the work: a script in another format would be no measure."""
    del result
    with duckdb.connect() as connection:
        for name in ("warehouse", "by_hand"):
            connection.execute(f"attach '{scratch / name}.duckdb' as {name} (read_only)")
        formats = connection.execute(
            "select distinct tags['storage_version'] from duckdb_databases() "
            "where database_name in ('warehouse', 'by_hand')"
        ).fetchall()
    assert formats == [("v1.4.0+",)]


def test_rules_are_those_of_the_project(result: Result, scratch: Path) -> None:
    """The tables were equal; here is what the planted rows became in both."""
    del result
    with duckdb.connect() as connection:
        for name in ("warehouse", "by_hand"):
            connection.execute(f"attach '{scratch / name}.duckdb' as {name} (read_only)")
            assert connection.execute(
                f"select list(response_id order by response_id) from {name}.marts"
                ".fct_survey_responses where response_id like 'R-%'"
            ).fetchone() == (["R-alone", "R-cells", "R-orphan", "R-partial", "R-twice", "R-words"],)
            assert connection.execute(
                f"select list(agent_name order by agent_id) from {name}.marts.dim_agents "
                "where agent_id in ('A-new', 'A-none', 'A001')"
            ).fetchone() == (["A-new", "A-none", "Renamed"],)
        assert connection.execute(
            "select table_name, rejected from warehouse.quality.reconciliation "
            "where rejected > 0 order by table_name"
        ).fetchall() == [
            ("agent_assignments", 3),
            ("contacts", 3),
            ("departments", 3),
            ("survey_invitations", 2),
            ("survey_responses", 9),
        ]


def test_table_is_whole(
    result: Result,
    small: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def run(contacts: int, repeat: int, cache: Path) -> Result:
        asked.append((contacts, repeat, cache))
        return result

    monkeypatch.setattr(cli, "run", run)
    output = tmp_path / "benchmark.md"
    arguments = ["--contacts", "20000", "--contacts", "30000", "--output", str(output)]
    assert cli.main(arguments) == 0
    assert asked == [(20_000, 3, cli.CACHE), (30_000, 3, cli.CACHE)]
    text = capsys.readouterr().out
    assert output.read_text(encoding="utf-8").startswith(text)
    assert f"Equal in both: {len(MUST_HAVE)} tables" in text
    assert str(small.parent) not in text
    assert str(cli.ROOT) not in text
    assert f"The day brought {result.day_rows:,} rows." in text
    picture = output.with_suffix(".svg").read_text(encoding="utf-8")
    assert f"]({output.with_suffix('.svg').name})" in output.read_text(encoding="utf-8")
    assert all(f">{name}</text>" in picture for name in result.runs)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = {
        cells[1].strip(): [cell.strip() for cell in cells[2:-1]]
        for cells in (line.split("|") for line in lines[: len(lines) // 2])
    }
    assert lines[: len(lines) // 2] == lines[len(lines) // 2 :]
    assert [name for name in rows if name not in ("", "---")] == [
        *(CORE, f"{CORE}, {NET}", IDLE, f"{IDLE}, {NET}", INCREMENT, f"{INCREMENT}, {NET}"),
        *(TESTED, f"{TESTED}, {NET}"),
        *(START_UP, WHOLE, f"{WHOLE}, {NET}", BY_HAND, cli.POLARS, cli.SCAN),
    ]
    assert {len(cells) for cells in rows.values()} == {9}
    for name in (CORE, TESTED, WHOLE, BY_HAND, cli.SCAN):
        assert all(rows[name]), rows[name]
        seconds, _, cpu, memory, per_second, disk = (
            float(cell.replace(",", "")) if "–" not in cell else 0 for cell in rows[name][:6]
        )
        assert seconds > 0
        assert cpu > 0
        assert memory > 20
        assert per_second == pytest.approx(result.rows / seconds, rel=0.05)
        assert disk > 0.1
    assert rows[BY_HAND][-3:] == ["1.00", "1.00", "1.00"]
    models, by_hand_ = (result.runs[name][0] for name in (CORE, BY_HAND))
    assert rows[CORE][-3:] == [
        f"{models.seconds / by_hand_.seconds:.2f}",
        f"{models.cpu_seconds / by_hand_.cpu_seconds:.2f}",
        f"{models.peak_bytes / by_hand_.peak_bytes:.2f}",
    ]


def of_seconds(seconds: dict[str, float]) -> Result:
    runs = {name: [Usage(time, 2 * time, 2**20)] for name, time in seconds.items()}
    return Result(1000, 5000, {}, runs, {}, 4)


SECONDS = {CORE: 110.0, IDLE: 15.0, INCREMENT: 18.0, START_UP: 10.0, BY_HAND: 50.0}


def test_what_a_day_costs() -> None:
    """By hand: start-up 10 s, all 110 s: 100 s. The day 18 s: 8 %. Without news 15 s: 3 % more."""
    text = markdown([of_seconds(SECONDS)], 1)
    assert "it took 8.0 % of the seconds and 8.0 % of the processor seconds" in text
    assert "that finds nothing new, 3.0 % and 3.0 %." in text


def test_sizes_that_are_done_are_written_before_one_fails(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(contacts: int, repeat: int, cache: Path) -> Result:
        del repeat, cache
        if contacts > 20_000:
            raise BenchmarkError("the disk is full")
        return of_seconds(SECONDS)

    monkeypatch.setattr(cli, "run", run)
    page = tmp_path / "benchmark.md"
    kept = [f"{once.heading(size)}\n\nTook an hour.\n" for size in (50_000, 100_000_000)]
    page.write_text("\n".join(["# Benchmark\n\nOld.\n\n## 7 contacts\n\nOld.\n", *kept]))
    sizes = ["--contacts", "20000", "--contacts", "30000"]
    assert cli.main([*sizes, "--output", str(page)]) == 1
    assert capsys.readouterr().err == "benchmark: the disk is full\n"
    assert page.read_text().endswith(".svg)\n\n" + "\n".join(kept))
    assert page.read_text().count("\n## ") == 1 + len(kept)
    assert "Old." not in page.read_text()
    assert page.with_suffix(".svg").exists()


def test_plot_of_equal_figures_is_equal_to_the_byte(result: Result, tmp_path: Path) -> None:
    for name in ("one", "other"):
        plot([result], tmp_path / f"{name}.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()


def test_a_day_is_a_day(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "growing"
    increment.history(small, folder)
    before = {path.relative_to(folder) for path in folder.rglob("*.parquet")}
    assert before == {path.relative_to(small) for path in small.rglob("*.parquet")}
    added = increment.add_day(folder)
    days = sorted(path for path in folder.rglob("*.parquet") if path.name == "zz-day.parquet")
    assert [path.parent.name for path in days] == [
        *("contacts", "survey_invitations", "survey_responses")
    ]
    with duckdb.connect() as connection:

        def one(sql: str) -> object:
            row = connection.execute(sql).fetchone()
            assert row is not None
            return row[0]

        rows = [one(f"select count(*) from '{path}'") for path in days]
        assert sum(int(str(count)) for count in rows) == added
        # 20,000 contacts in 1,096 days are 18 a day.
        assert 8 <= int(str(rows[0])) <= 30
        end = one(f"select max(cast(started_at as date)) from '{small}/contacts/*.parquet'")
        assert one(f"select min(cast(started_at as date)) > '{end}' from '{days[0]}'")
        # A correction has the key of an answer that was there, and says when it was made.
        assert one(
            f"select bool_and(updated_at is not null and response_id in "
            f"(select response_id from '{small}/survey_responses/*.parquet')) "
            f"from '{days[2]}' where response_id not like '%-day'"
        )
    increment.remove_day(folder)
    assert {path.relative_to(folder) for path in folder.rglob("*.parquet")} == before


def test_other_frames_give_no_figures(
    result: Result, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison sees what Polars made, and that it was made differently."""
    del result
    monkeypatch.setattr(in_polars, "_Z", 1.96)
    in_polars.build(scratch / "raw", SEEDS, tmp_path)
    with pytest.raises(BenchmarkError, match=r"nps_by_period: [0-9]+ rows of the project's"):
        cli.equal_marts(scratch / "by_hand.duckdb", cli.as_warehouse(tmp_path), in_polars.TABLES)


def test_impossible_sizes_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--contacts", "999"], ["--repeat", "0"]):
        with pytest.raises(SystemExit):
            cli.main(arguments)
        assert "--contacts is at least 1000, --repeat at least 1" in capsys.readouterr().err


def test_data_is_made_once(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(small.parent.iterdir()) == [small]
    monkeypatch.setattr(cli, "measured", None)
    assert cli.sample(20_000, small.parent) == small


def test_every_unlike_table_is_found(tmp_path: Path) -> None:
    for name in ("one", "other", "wide"):
        with duckdb.connect(str(tmp_path / f"{name}.duckdb")) as connection:
            connection.execute("create schema marts")
            for table in MUST_HAVE:
                extra = ", 1 as more" if name == "wide" and table == "dim_dates" else ""
                connection.execute(
                    f"create table marts.{table} as select 'a' as key, 1/3::double as value{extra}"
                )
    one, other = tmp_path / "one.duckdb", tmp_path / "other.duckdb"

    def change(sql: str) -> Comparison:
        with duckdb.connect(str(other)) as connection:
            connection.execute(sql)
        return compare(one, other)

    assert compare(one, other).differences == []
    assert change("update marts.nps_by_hour set value = value + 1e-12").differences == []
    assert change("update marts.nps_by_hour set value = value + 1e-8").differences == [
        "nps_by_hour: 1 rows of the project's are not in the one by hand, 1 the other way"
    ]
    assert change("update marts.nps_by_hour set value = 1/3::double").differences == []
    assert change("insert into marts.nps_by_hour from marts.nps_by_hour").differences == [
        "nps_by_hour: 0 rows of the project's are not in the one by hand, 1 the other way"
    ]
    assert change("delete from marts.nps_by_hour").differences == [
        "nps_by_hour: 1 rows of the project's are not in the one by hand, 0 the other way"
    ]
    assert compare(one, tmp_path / "wide.duckdb").differences == [
        "dim_dates: columns are not the same: more INTEGER"
    ]


def test_unlike_tables_give_no_figures(
    result: Result, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del result
    script = tmp_path / "by_hand.sql"
    text = by_hand.SCRIPT.read_text(encoding="utf-8")
    script.write_text(text.replace("responses + 3", "responses + 4"), encoding="utf-8")
    monkeypatch.setattr(by_hand, "SCRIPT", script)
    other = tmp_path / "other.duckdb"
    by_hand.build(scratch / "raw", SEEDS, other)
    with pytest.raises(BenchmarkError, match=r"nps_by_period: [0-9]+ rows of the project's"):
        cli.equal_marts(scratch / "warehouse.duckdb", other)


def test_processes_are_measured_apart(tmp_path: Path) -> None:
    def python(code: str) -> list[str]:
        return [sys.executable, "-c", code]

    little = measured("little", python("print(1)"), {}, tmp_path)
    great = measured("great", python("x = b'x' * 2**28; print(len(x))"), {}, tmp_path)
    assert great.output == f"{2**28}\n"
    assert great.usage.peak_bytes > 2**28
    # Not the peak of this process, which has loaded an engine, and not that of the run before.
    assert little.usage.peak_bytes < 2**26
    busy = measured("busy", python("sum(range(10**7))"), {}, tmp_path).usage
    idle = measured("idle", python("import time; time.sleep(0.3)"), {}, tmp_path).usage
    assert idle.seconds >= 0.3
    assert idle.cpu_seconds < idle.seconds
    assert busy.cpu_seconds > little.usage.cpu_seconds
    with pytest.raises(BenchmarkError, match=r"broken failed \(status 3\):\nwhy"):
        measured("broken", python("print('why'); raise SystemExit(3)"), {}, tmp_path)


def test_one_build_of_everything(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A whole build, a day more, and every query of the dashboards; the page keeps its rest."""
    page = tmp_path / "benchmark.md"
    page.write_text("# Benchmark\n\nText.\n")
    cache = small.parent
    arguments = ["--once", "--contacts", "20000", "--cache", str(cache), "--output", str(page)]
    try:
        assert cli.main(arguments) == 0
        said = capsys.readouterr()
        assert page.read_text() == f"# Benchmark\n\nText.\n\n{said.out}"
        warehouse = cache / "once-20000" / "warehouse.duckdb"
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            # The day's contacts are in it, and marts that a build to the score marts leaves out.
            later = connection.execute(
                "select count(*) from marts.fct_contacts where contact_id like '%-day'"
            ).fetchone()
            assert connection.execute("select count(*) > 0 from marts.nps_trends").fetchone() == (
                True,
            )
        assert later is not None
        assert 8 <= later[0] <= 30
    finally:
        shutil.rmtree(cache / "once-20000", ignore_errors=True)
    assert said.out.startswith(once.heading(20_000) + "\n")
    rows = {line.split(" | ")[0][2:] for line in said.out.splitlines() if line[:2] == "| "}
    assert rows >= {once.TESTS, readers.OPENING, *readers.QUERIES}
    assert str(cache) not in said.out
    assert str(cli.ROOT) not in said.out


def test_section_of_one_build() -> None:
    """By hand: 300 of 400 seconds are three quarters; the median of 1, 2, 6 ms is 2, p95 is 6."""
    mib = 2**20
    text = once.section(
        once.Once(
            contacts=1_000_000,
            rows=6_000,
            whole=Usage(60.0, 100.0, 50 * mib),
            day=Usage(5.0, 6.0, 7 * mib),
            day_rows=3,
            memory_bytes=40 * mib,
            file_bytes=900 * mib,
            spilled_bytes=1_200 * mib,
            parts={"models/marts/facts": 300.0, once.TESTS: 100.0},
            asked={readers.OPENING: [0.5], "score by month": [0.001, 0.006, 0.002]},
        )
    )
    assert "**60 s** (100 rows/s), 100 processor seconds, 50 MiB" in text
    assert "DuckDB might take 40 MiB. The warehouse has 900 MiB; 1,200 MiB lay beside it" in text
    assert "A day more (3 rows), to the score marts: 5 s, 6 processor seconds, 7 MiB" in text
    assert "| models/marts/facts | 300 | 75 % |" in text
    assert "| tests | 100 | 25 % |" in text
    assert "| opening the file | 500.0 | 500.0 | 500.0 |" in text
    assert "| score by month | 2.0 | 6.0 | 6.0 |" in text


def test_the_rest_of_many_folders_is_one_line() -> None:
    parts = {f"models/{number:02}": 10.0 for number in range(once.LISTED + 5)}
    lines = once._shares(parts)
    assert len(lines) == once.LISTED + 1
    assert lines[-1] == "| all others | 50 | 29 % |"


def test_seconds_are_summed_by_folder_of_models(tmp_path: Path) -> None:
    def node(kind: str, path: str) -> dict[str, str]:
        return {"resource_type": kind, "original_file_path": path}

    nodes = {
        "model.a": node("model", "models/staging/a.sql"),
        "model.b": node("model", "models/marts/facts/b.sql"),
        "model.c": node("model", "models/staging/c.sql"),
        "test.d": node("test", "models/staging/staging.yml"),
        "seed.e": node("seed", "seeds/e.csv"),
    }
    took = {"model.a": 1.0, "model.b": 5.0, "model.c": 2.0, "test.d": 4.0, "seed.e": 9.0}
    results = [{"unique_id": name, "execution_time": seconds} for name, seconds in took.items()]
    # An operation of the project's own is no node of the manifest.
    results.append({"unique_id": "operation.f", "execution_time": 7.0})
    (tmp_path / "manifest.json").write_text(json.dumps({"nodes": nodes}))
    (tmp_path / "run_results.json").write_text(json.dumps({"results": results}))
    assert list(once.seconds_by_part(tmp_path).items()) == [
        ("models/marts/facts", 5.0), (once.TESTS, 4.0), ("models/staging", 3.0),
    ]  # fmt: skip


def test_what_is_spilled_is_seen_at_its_most(tmp_path: Path) -> None:
    """A sort of more than its memory: bytes beside the file, which are gone at its end."""
    file = tmp_path / "big.duckdb"
    with once.Spilled(file, every=0.01) as spilled:
        with duckdb.connect(str(file), config={"memory_limit": "100MB", "threads": 1}) as big:
            big.execute(
                "create table sorted as select hash(i) as h, repeat('x', 20) || i as t "
                "from range(5000000) as r(i) order by h"
            )
        assert spilled.most > 50 * 2**20
    with once.Spilled(tmp_path / "none.duckdb", every=0.01) as nothing:
        pass
    assert nothing.most == 0
