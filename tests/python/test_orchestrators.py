"""What the orchestrators share, and the units and lines that schedulers of the machine read."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import PROJECT
from nps_warehouse.exit_codes import BAD_INPUT
from nps_warehouse.orchestrators import commands
from nps_warehouse.orchestrators.dbt import asked_of
from nps_warehouse.orchestrators.settling import Watched, look

SYSTEMD = PROJECT / "orchestrators" / "systemd"
CRONTAB = PROJECT / "orchestrators" / "crontab"
INSTALLED, DATA = "/opt/nps_warehouse", "/var/lib/nps"


def looks(
    folder: Path, times: list[float], known: Watched | None = None
) -> tuple[Watched, list[bool]]:
    """Looks at a folder at times in seconds, with 120 of them to settle; what each said."""
    known = known or Watched()
    said = []
    for now in times:
        # Kept as an orchestrator keeps it.
        known, starts = look(folder, Watched.from_json(known.to_json()), now, settled=120)
        said.append(starts)
    return known, said


def test_a_delivery_starts_one_run_once_it_has_settled(tmp_path: Path) -> None:
    (tmp_path / "contacts.csv").write_text("contact_id\n1\n")
    known, said = looks(tmp_path, [0, 60, 119, 120, 180, 3600])
    assert said == [False, False, False, True, False, False]

    # Still arriving: each change begins the waiting anew.
    (tmp_path / "agents.csv").write_text("agent_id\n")
    known, said = looks(tmp_path, [4000, 4100], known)
    assert said == [False, False]
    (tmp_path / "agents.csv").write_text("agent_id\n1\n")
    known, said = looks(tmp_path, [4130, 4249, 4250, 9000], known)
    assert said == [False, False, True, False]


def test_a_file_replaced_by_one_of_the_same_size_and_time_is_another_delivery(
    tmp_path: Path,
) -> None:
    file = tmp_path / "part" / "contacts.csv"
    file.parent.mkdir()
    file.write_text("1")
    os.utime(file, (1000, 1000))
    known, said = looks(tmp_path, [0, 120])
    assert said == [False, True]

    other = tmp_path / "part" / "other"
    other.write_text("2")
    os.utime(other, (1000, 1000))
    other.replace(file)
    assert looks(tmp_path, [200, 320], known)[1] == [False, True]


def test_nothing_starts_for_an_empty_folder_or_hidden_files(tmp_path: Path) -> None:
    (tmp_path / ".contacts.csv.part").write_text("1")
    (tmp_path / ".incoming").mkdir()
    (tmp_path / ".incoming" / "agents.csv").write_text("1")
    assert looks(tmp_path, [0, 120, 240])[1] == [False, False, False]


def test_dagsters_and_cosmos_command_lines_are_understood() -> None:
    asked = asked_of(["--select", "fqn:*"])
    assert (asked.steps, asked.select, asked.exclude) == (("build",), (), ())

    asked = asked_of(
        [
            *("--select", "a b", "--exclude", "c", "--select", "d", "--exclude", "e", "f"),
            *("--log-format", "json", "--project-dir", "/x", "--profiles-dir", "/x"),
            *("--profile", "nps_warehouse", "--target", "duckdb"),
            *("--vars", "{nps_min_responses: 5}", "--full-refresh"),
        ]
    )
    assert asked.select == ("a", "b", "d")
    assert asked.exclude == ("c", "e", "f")
    assert asked.variables == {"nps_min_responses": 5}
    assert asked.full_refresh


def test_what_a_run_cannot_do_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        asked_of(["--selector", "dagster_run_1"])
    assert refused.value.code == 2
    assert "--selector" in capsys.readouterr().err


def test_a_steps_environment_is_absolute_and_reports_nothing_home() -> None:
    found = commands.environment({"NPS_WAREHOUSE": "w.duckdb", "PYTHONHOME": "/x", "A": "1"})
    assert found["NPS_WAREHOUSE"] == str(PROJECT / "w.duckdb")
    assert all(
        Path(found[name]).is_absolute()
        for name in ("NPS_STATE_DIR", "NPS_PUBLISHED_DIR", "NPS_RUNS_DIR", "DBT_TARGET_PATH")
    )
    assert "PYTHONHOME" not in found
    assert found["A"] == "1"
    assert (found["DO_NOT_TRACK"], found["GX_ANALYTICS_ENABLED"]) == ("1", "false")


@pytest.mark.environments
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    assert shutil.which("systemd-analyze"), "Debian's package systemd is missing"
    for unit in SYSTEMD.iterdir():
        # The program has to exist where the units are verified.
        text = unit.read_text().replace(INSTALLED, str(PROJECT))
        (tmp_path / unit.name).write_text(text)
    units = sorted(str(unit) for unit in tmp_path.iterdir())
    assert len(units) == 4
    done = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def crontab() -> tuple[dict[str, str], list[str]]:
    """Settings and commands of the crontab, as cron reads them, for another folder than printed."""
    settings, found = {}, []
    for line in CRONTAB.read_text().splitlines():
        if line and not line.startswith("#"):
            setting = re.fullmatch(r"(\w+)=(.*)", line)
            if setting:
                settings[setting[1]] = setting[2]
            else:
                # Five fields of time; cron makes a new line of an unescaped %.
                command = line.split(None, 5)[5]
                assert "%" not in command
                found.append(command)
    return settings, found


def as_cron(command: str, data: Path) -> subprocess.CompletedProcess[str]:
    """Run a line's command as cron does, with nothing but cron's own environment."""
    settings, _ = crontab()
    env = {"HOME": str(data), "LOGNAME": "nps", "PATH": "/usr/bin:/bin"} | settings
    moved = {name: value.replace(DATA, str(data)) for name, value in env.items()}
    line = command.replace(DATA, str(data)).replace(INSTALLED, str(PROJECT))
    return subprocess.run(
        [settings["SHELL"], "-c", line],
        cwd=data,
        env=moved,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_crontabs_lines_work_as_printed(tmp_path: Path) -> None:
    _, (nightly, watchdog) = crontab()
    (tmp_path / "secrets.env").write_text("NPS_KEEP_RUNS=none\n")

    # What the file of secrets says reaches the run, which refuses it; cron has nothing to mail.
    done = as_cron(nightly, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (BAD_INPUT, "", "")
    log = tmp_path / "nightly.log"
    assert "NPS_KEEP_RUNS is 'none'" in log.read_text()
    assert log.stat().st_mode & 0o027 == 0

    # Nothing is published: the watchdog prints why, and cron mails what is printed.
    said = as_cron(watchdog, tmp_path)
    assert (said.returncode, said.stderr) == (0, "")
    assert "no publication yet" in said.stdout


@pytest.mark.thorough
def test_crons_run_leaves_its_record_where_the_crontab_says(tmp_path: Path) -> None:
    _, (nightly, _) = crontab()
    for name in ("delivery", "build"):
        (tmp_path / name).mkdir()
    (tmp_path / "delivery" / "agents.csv").write_text("agent_id\n")

    # Required tables are missing: the run begins, and says so.
    assert as_cron(nightly, tmp_path).returncode == BAD_INPUT
    [run] = (tmp_path / "runs").iterdir()
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    assert events[-1]["exit_code"] == BAD_INPUT
    assert str(tmp_path / "delivery") in (tmp_path / "nightly.log").read_text()
    assert run.stat().st_mode & 0o027 == 0
