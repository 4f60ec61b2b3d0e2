"""Conventions of the project that no linter knows, read from its files.

Every rule is a function from a text to what breaks it, and is shown to fail on planted breaches
before the project's own files are held to it.
"""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

Rule = Callable[[str], list[str]]

# The NPS block of the output contract, in its order.
NPS_BLOCK = [
    ("responses", "bigint"),
    ("promoters", "bigint"),
    ("passives", "bigint"),
    ("detractors", "bigint"),
    ("promoter_pct", "double"),
    ("passive_pct", "double"),
    ("detractor_pct", "double"),
    ("nps", "double"),
    ("nps_standard_error", "double"),
    ("nps_ci_low", "double"),
    ("nps_ci_high", "double"),
    ("nps_band", "varchar"),
    ("is_reportable", "boolean"),
]

# The score marts of the output contract, with what their grain has besides survey_type and period.
SCORE_MARTS = {
    "nps_by_period": [],
    "nps_by_department": ["department_id", "is_rollup"],
    "nps_by_agent": ["agent_id"],
    "nps_by_channel": ["channel"],
    "nps_by_site": ["site"],
    "nps_by_product_line": ["product_line"],
    "nps_by_segment": ["segment"],
    "nps_by_contact_reason": ["contact_reason"],
    "nps_by_survey_channel": ["survey_channel"],
    "nps_by_language": ["language"],
    "nps_by_department_channel": ["department_id", "channel"],
    "nps_by_hour": ["weekday", "hour"],
}

# The hosts that a file may name; a package index is none of them.
HOSTS = (
    r"git-lfs(?:\.github\.com)?|json-schema\.org|openlineage\.io"
    r"|schemas\.(?:getdbt\.com|openxmlformats\.org)|www\.w3\.org|x"
)
MACHINE_PATHS = "|".join("/" + folder + "/" for folder in ("home", "Users", "root", "work"))


def uncommented(sql: str) -> str:
    """SQL or Jinja without its comments, which may name what the code must not use."""
    return re.sub(r"\{#.*?#\}|/\*.*?\*/|--[^\n]*", " ", sql, flags=re.DOTALL)


def jinja(sql: str) -> str:
    """The Jinja of a template alone: what dbt runs while it compiles."""
    return "\n".join(re.findall(r"\{\{.*?\}\}|\{%.*?%\}", uncommented(sql), flags=re.DOTALL))


def found(pattern: str, text: str) -> list[str]:
    """What a pattern matches in a text, caseless, with blanks folded."""
    matches = re.finditer(pattern, text, flags=re.IGNORECASE | re.VERBOSE)
    return [" ".join(match.group().split()) for match in matches]


def reads_the_clock(sql: str) -> list[str]:
    return found(
        r"""
        \b(?:current_date|current_time|current_timestamp|current_timestamp_\w+|localtime
            |localtimestamp|get_current_timestamp\w*|run_started_at|sysdate|systimestamp)\b
        | \b(?:now|today|utcnow|getdate|getutcdate|clock_timestamp|statement_timestamp
            |transaction_timestamp|unix_timestamp|curdate)\s*\(\s*\)
        | \.\s*(?:now|today|utcnow)\s*\(
        """,
        uncommented(sql),
    )


def uses_datetime_module(sql: str) -> list[str]:
    return found(r"\bmodules\s*\.\s*datetime\b", uncommented(sql))


def uses_bare_union(sql: str) -> list[str]:
    return found(r"\bunion\b(?!\s+all\b)", uncommented(sql))


def uses_select_distinct(sql: str) -> list[str]:
    return found(r"\bselect\s+distinct\b", uncommented(sql))


def compares_score_with_literal(sql: str) -> list[str]:
    """Comparisons of a likelihood to recommend with a number, however they are written.

    The cut of the categories is data. The scales of csat_score and effort_score are another thing:
    the input contract gives their ends, and no category hangs on them.
    """
    number = r"""['"]? -? \d+ (?:\.\d+)? ['"]?"""
    score = r"(?<![\w]) (?!csat_score|effort_score) \w* score (?![\w(])"
    # score::integer, cast(score as integer), coalesce(score, 0): what may stand behind the name.
    wrapped = rf'{score} "? (?: \s*::\s*\w+ | \s+as\s+\w+ | \s*,\s*{number} )? \s* \)*'
    comparison = r"(?: >= | <= | <> | != | == | = | > | < )"
    return found(
        rf"""
        {wrapped} \s* {comparison} \s* {number} (?![\w.])
        | (?<![\w.]) {number} \s* {comparison} \s* (?: \w+ \( \s* )* (?: \w+ \. )? "? {score}
        | {wrapped} \s+ (?:not\s+)? between \s+ {number}
        | {wrapped} \s+ (?:not\s+)? in \s* \( \s* {number}
        | \bcase \s+ (?: \w+ \. )? {wrapped} \s+ when \s+ {number}
        """,
        uncommented(sql),
    )


def queries_while_compiling(sql: str) -> list[str]:
    return found(
        r"""
        \b(?:run_query|load_result|load_relation|execute|dbt_utils)\b
        | \bcall\s+statement\b
        # To dispatch is to choose a text.
        | \badapter\s*\.\s*(?!dispatch\b)\w+
        """,
        jinja(sql),
    )


def names_a_registry(text: str) -> list[str]:
    """Hosts in addresses that no file may name."""
    return found(
        rf"""
        https?://(?!(?:{HOSTS}|localhost|127\.0\.0\.1|(?:[\w-]+\.)*example(?:\.\w+)?)(?![\w.-]))[\w.-]+
        """,
        text,
    )


def names_a_machine_path(text: str) -> list[str]:
    return found(rf"(?<![\w.~-])(?:{MACHINE_PATHS})\w+ | \b[a-z]:\\users\\\w+", text)


def breaks_nps_block(columns: list[dict[str, Any]]) -> list[str]:
    """What a score mart's columns lack of the NPS block: all of it, together, in order, typed."""
    names = [column["name"] for column in columns]
    wanted = [name for name, _ in NPS_BLOCK]
    missing = [name for name in wanted if name not in names]
    if missing:
        return [f"missing: {', '.join(missing)}"]
    start = names.index(wanted[0])
    there = names[start : start + len(wanted)]
    if there != wanted:
        return [f"not the block in its order: {', '.join(there)}"]
    return [
        f"{column['name']} is {column.get('data_type')}, not {data_type}"
        for column, (_, data_type) in zip(columns[start:], NPS_BLOCK, strict=False)
        if column.get("data_type") != data_type
    ]


def missing_links(markdown: str, folder: Path) -> list[str]:
    """Relative links of a Markdown text that lead nowhere from the folder it lies in."""
    fenceless = re.sub(r"^```.*?^```", "", markdown, flags=re.DOTALL | re.MULTILINE)
    targets = re.findall(r"\]\(\s*<?([^)\s>]+)", fenceless)
    return [
        target
        for target in targets
        if not re.match(r"[a-z][a-z0-9+.-]*:|#", target)
        and not (folder / target.partition("#")[0]).exists()
    ]


def unlocked(lock: str) -> list[str]:
    """Lines of a lock that are no exact release, or lack a hash, or say where files come from.

    What is packaged as source alone may be named first.
    """
    lock = re.sub(r"\A(--no-binary [a-z0-9-]+\n)*", "", lock)
    findings = re.findall(r"^\s*-(?!-hash=sha256:[0-9a-f]{64}\b).*$|^.*://.*$", lock, re.MULTILINE)
    for requirement in re.split(r"\n(?=\S)", lock.strip()):
        release = re.match(r"[a-z0-9][a-z0-9.-]*==[^\s;*]+(?: ; [^\\]+)?(?= \\\n)", requirement)
        if release is None or "--hash=sha256:" not in requirement:
            findings.append(requirement.splitlines()[0])
    return findings


PLANTED: list[tuple[Rule, list[str], list[str]]] = [
    (
        reads_the_clock,
        [
            "select current_date",
            "where responded_at < NOW ( )",
            "select current_timestamp as loaded_at",
            "select {{ dbt.current_timestamp() }}",
            "select get_current_timestamp()",
            "select today()",
            "select '{{ run_started_at }}'",
            "{% set t = modules.datetime.datetime.now() %}",
        ],
        [
            "-- never current_date: as_of is now\nselect 1",
            "{# now() is not asked #} select 1",
            "select known(x), is_current, current_date_of_answer from t",
        ],
    ),
    (
        uses_datetime_module,
        ["{% set d = modules.datetime.date(2020, 1, 1) %}"],
        ["{% set m = modules.re.match('x', y) %}"],
    ),
    (
        uses_bare_union,
        ["select 1\nUNION\nselect 2", "select 1 union distinct select 2", "union\n-- all\nselect"],
        ["select 1 union all select 2", "select reunion from t", "union\n    all\nselect 2"],
    ),
    (
        uses_select_distinct,
        ["select distinct a from t", "SELECT\n  DISTINCT a", "select distinct on (a) b from t"],
        ["select count(distinct a) from t", "where a is not distinct from b"],
    ),
    (
        compares_score_with_literal,
        [
            "case when score >= 9 then 1 end",
            "case when r.score>6 then 1 end",
            "where 9 <= responses.score",
            "where score between 7 and 8",
            "where score not between 0 and 6",
            "where score in (9, 10)",
            "case score when 9 then 'promoter' end",
            "where cast(score as integer) >= 9",
            "where score::int >= 9",
            "where coalesce(score, 0) > 8",
            "where nps_score = '9'",
            'where "score" = 9',
            "where score\n    < 7",
        ],
        [
            "on responses.score = categories.score",
            "where csat_score between 1 and 5",
            "where effort_score >= 1",
            "where scores >= 9",
            "select score, 9 as nine",
            "-- score >= 9 is a promoter\nselect 1",
        ],
    ),
    (
        queries_while_compiling,
        [
            "{% set rows = run_query('select 1') %}",
            "{% if execute %}x{% endif %}",
            "{% call statement('a') %}select 1{% endcall %}",
            "{{ dbt_utils.star(ref('x')) }}",
            "{% set c = adapter.get_columns_in_relation(ref('x')) %}",
        ],
        [
            "select execute from t",
            "{{ ref('x') }}",
            "{# execute #}",
            "{{ adapter.dispatch('digest')(text) }}",
        ],
    ),
    (
        names_a_registry,
        # In parts, so that this file does not break its own rule.
        ["HTTPS:/" + "/INDEX.HOST.TEST/simple", "http:/" + "/json-schema.org.host.test"],
        ["https://example.com/a", "https://json-schema.org/draft", "http://127.0.0.1:80", "pypi"],
    ),
    (
        names_a_machine_path,
        [
            "/".join(("", "home", "someone")),
            "cd " + "/".join(("", "Users", "someone", "x")),
            "'" + "/".join(("", "work", "main")),
            "=" + "/".join(("", "root", ".venv")).replace(".", ""),
            "\\".join(("C:", "Users", "someone")),
        ],
        [
            "$HOME/x",
            "/".join(("https:", "", "example.com", "home", "x")),
            "/".join(("tests", "work", "x")),
            "/".join((".", "root", "x")),
        ],
    ),
    (
        unlocked,
        [
            "agate==1.9.1",
            f"agate>=1.9.1 \\\n    --hash=sha256:{'0' * 64}",
            f"--extra-index-url x\nagate==1.9.1 \\\n    --hash=sha256:{'0' * 64}",
            f"agate @ file://x \\\n    --hash=sha256:{'0' * 64}",
            "agate==1.9.1 \\\n    --hash=md5:00",
            f"agate==1.9.1 \\\n    --hash=sha256:{'0' * 64}\n--no-binary agate",
        ],
        [
            f"--no-binary agate\nagate==1.9.1 \\\n    --hash=sha256:{'0' * 64}",
            f"agate==1.9.1 \\\n    --hash=sha256:{'0' * 64} \\\n    --hash=sha256:{'1' * 64}",
            f"tzdata==2026.1 ; sys_platform == 'win32' \\\n    --hash=sha256:{'0' * 64}",
        ],
    ),
]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        pytest.param(rule, text, id=f"{rule.__name__}-{number}")
        for rule, breaches, _ in PLANTED
        for number, text in enumerate(breaches)
    ],
)
def test_rule_finds_the_planted_breach(rule: Rule, text: str) -> None:
    assert rule(text)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        pytest.param(rule, text, id=f"{rule.__name__}-{number}")
        for rule, _, innocents in PLANTED
        for number, text in enumerate(innocents)
    ],
)
def test_rule_lets_the_innocent_pass(rule: Rule, text: str) -> None:
    assert not rule(text)


def files_of_the_project() -> list[Path]:
    """What git tracks, and what it would track once added."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    # A file that was removed but not yet committed is still listed.
    return sorted({path for path in paths if path.is_file()})


def templates(*folders: str) -> list[Path]:
    """The SQL files of some top-level folders; never none, or a rule would hold of nothing."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.sql"))]
    assert paths, f"no SQL in {folders}"
    return paths


def breaches(rule: Rule, paths: list[Path]) -> Iterator[str]:
    for path in paths:
        for finding in rule(path.read_text(encoding="utf-8", errors="replace")):
            yield f"{path.relative_to(ROOT)}: {finding}"


@pytest.mark.parametrize(
    "rule",
    [
        reads_the_clock,
        uses_datetime_module,
        uses_bare_union,
        uses_select_distinct,
        compares_score_with_literal,
        queries_while_compiling,
    ],
)
def test_models(rule: Rule) -> None:
    assert list(breaches(rule, templates("models"))) == []


@pytest.mark.parametrize(
    "rule",
    [reads_the_clock, uses_bare_union, uses_select_distinct, compares_score_with_literal],
)
def test_macros_that_models_are_written_with(rule: Rule) -> None:
    assert list(breaches(rule, templates("macros"))) == []


def test_only_the_start_of_a_run_and_hooks_query_while_compiling() -> None:
    asking = ("run_start", "increments", "materialization")
    later = [path for path in templates("macros") if path.parent.name not in asking]
    assert list(breaches(queries_while_compiling, later)) == []


def unpaired(folder: Path) -> list[str]:
    """Models of a folder without their x.yml beside x.sql, or whose x.yml is about another."""
    findings = []
    for model in sorted(folder.rglob("*.sql")):
        properties = model.with_suffix(".yml")
        if not properties.exists():
            findings.append(f"{model.relative_to(folder)} has no {properties.name}")
            continue
        models = (yaml.safe_load(properties.read_text(encoding="utf-8")) or {}).get("models", [])
        if [entry["name"] for entry in models] != [model.stem]:
            findings.append(f"{properties.relative_to(folder)} is not about {model.stem} alone")
    return findings


def test_unpaired_model_is_found(tmp_path: Path) -> None:
    for name in ("lonely", "paired", "mistaken"):
        (tmp_path / f"{name}.sql").write_text("select 1")
    (tmp_path / "paired.yml").write_text("models: [{name: paired}]")
    (tmp_path / "mistaken.yml").write_text("models: [{name: other}]")
    assert unpaired(tmp_path) == [
        "lonely.sql has no lonely.yml",
        "mistaken.yml is not about mistaken alone",
    ]


def test_every_model_has_its_properties_beside_it() -> None:
    assert templates("models")
    assert unpaired(ROOT / "models") == []


def test_files_name_no_registry_and_no_machine() -> None:
    paths = files_of_the_project()
    assert len(paths) > len(SCORE_MARTS)
    findings = [*breaches(names_a_registry, paths), *breaches(names_a_machine_path, paths)]
    assert findings == []


def oversized(sizes: dict[str, int]) -> list[str]:
    """Files that are too large, in bytes: one over 1 MiB, or a sample over 3 MB as a whole."""
    sample = sum(size for name, size in sizes.items() if name.startswith("scripts/sample/"))
    findings = [name for name, size in sizes.items() if size > 2**20]
    return [*findings, "scripts/sample"] if sample > 3_000_000 else findings


def test_oversized_file_is_found() -> None:
    assert oversized({"a": 2**20, "scripts/sample/a.csv": 2**20}) == []
    assert oversized({"a": 2**20 + 1}) == ["a"]
    many = {f"scripts/sample/{number}.csv": 1_000_001 for number in range(3)}
    assert oversized(many) == ["scripts/sample"]


def test_files_are_small() -> None:
    sizes = {
        path.relative_to(ROOT).as_posix(): path.stat().st_size for path in files_of_the_project()
    }
    assert oversized(sizes) == []


def columns_of(mart: str) -> list[dict[str, Any]]:
    """The columns of a mart's contract."""
    (properties,) = (ROOT / "models" / "marts").rglob(f"{mart}.yml")
    (model,) = yaml.safe_load(properties.read_text(encoding="utf-8"))["models"]
    columns: list[dict[str, Any]] = model["columns"]
    return columns


@pytest.mark.parametrize("mart", SCORE_MARTS)
def test_score_mart_has_the_nps_block(mart: str) -> None:
    assert breaks_nps_block(columns_of(mart)) == []


@pytest.mark.parametrize("mart", SCORE_MARTS)
def test_score_mart_begins_with_its_grain(mart: str) -> None:
    names = [column["name"] for column in columns_of(mart)]
    grain = ["survey_type", "period_type", "period_start", *SCORE_MARTS[mart]]
    assert [name for name in names[: names.index("responses")] if name in grain] == grain


def test_every_score_mart_is_in_the_contract() -> None:
    models = {path.stem for path in templates("models") if path.stem.startswith("nps_by_")}
    # More marts are welcome, and each has the block.
    assert models >= set(SCORE_MARTS)
    for mart in models:
        assert breaks_nps_block(columns_of(mart)) == [], mart


def test_broken_nps_block_is_found() -> None:
    block = [{"name": name, "data_type": data_type} for name, data_type in NPS_BLOCK]
    grain = {"name": "survey_type", "data_type": "varchar"}
    assert breaks_nps_block([grain, *block, grain]) == []
    assert breaks_nps_block(block[1:]) == ["missing: responses"]
    assert breaks_nps_block([*block[:5], grain, *block[5:]])
    assert breaks_nps_block([block[1], block[0], *block[2:]])
    assert breaks_nps_block([{"name": "responses", "data_type": "integer"}, *block[1:]]) == [
        "responses is integer, not bigint"
    ]


def test_dead_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("")
    text = "[a](there.md#x) [b](gone.md) [c](https://example.com) [d](#x)\n```\n[e](x.md)\n```\n"
    assert missing_links(text, tmp_path) == ["gone.md"]


def test_documents_link_to_what_is_there() -> None:
    documents = [path for path in files_of_the_project() if path.suffix == ".md"]
    dead = {
        path.relative_to(ROOT).as_posix(): missing
        for path in documents
        if (missing := missing_links(path.read_text(encoding="utf-8"), path.parent))
    }
    assert dead == {}


def test_exposures_point_to_documents_that_are_there() -> None:
    missing = []
    for path in sorted((ROOT / "models").rglob("*.yml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        for exposure in content.get("exposures", []):
            url = exposure.get("url", "")
            if url and "://" not in url and not (ROOT / url).exists():
                missing.append(f"{exposure['name']}: {url}")
    assert missing == []


def untyped(header: str, types: dict[str, str]) -> list[str]:
    """Columns of a seed whose type is left to be guessed from the rows it happens to have."""
    return [name for name in header.strip().split(",") if name not in types]


def test_untyped_seed_column_is_found() -> None:
    assert untyped("score,category\n", {"score": "integer"}) == ["category"]


def test_every_seed_column_has_a_type() -> None:
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))
    configured = project["seeds"]["nps_warehouse"]
    seeds = sorted((ROOT / "seeds").rglob("*.csv"))
    assert seeds
    for seed in seeds:
        with seed.open(encoding="utf-8-sig") as lines:
            types = configured.get(seed.stem, {}).get("+column_types", {})
            assert untyped(next(lines), types) == [], seed.name


LOCKS = sorted(path.stem for path in (ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_is_whole(lock: str) -> None:
    assert unlocked((ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")) == []


def test_locks_agree() -> None:
    """What shares an environment holds the same releases."""
    releases = {
        name: set(
            re.split(r"\n(?=\S)", (ROOT / "requirements" / f"{name}.txt").read_text().strip())
        )
        for name in LOCKS
    }
    wants = {name: (ROOT / "requirements" / f"{name}.in").read_text() for name in LOCKS}
    in_venv = {"build", *re.findall(r"(?m)^-r (\w+)\.in$", wants["test"])}
    assert {"build", "tools"} <= in_venv
    for name in in_venv:
        assert releases[name] < releases["test"], name
    # One that has dbt in an environment of its own has the project's.
    beside = {name for name in LOCKS if "\n-r build.in\n" in wants[name]}
    assert {"tools", "dagster"} <= beside
    for name in beside:
        assert releases["build"] < releases[name], name
