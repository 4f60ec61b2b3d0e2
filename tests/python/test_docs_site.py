"""dbt's documentation: a color per layer that white text is read on, and served to this machine."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import PROJECT, built, environment_of

LAYERS = ("staging", "categorized", "marts", "quality")


def luminance(color: str) -> float:
    """Relative luminance of `#rrggbb`, as WCAG 2.2 defines it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast_with_white(color: str) -> float:
    return 1.05 / (luminance(color) + 0.05)


def test_contrast_is_that_of_the_definition() -> None:
    """Black 21, white 1, and the grey #767676, known as the lightest that reaches 4.5."""
    assert contrast_with_white("#000000") == pytest.approx(21)
    assert contrast_with_white("#ffffff") == pytest.approx(1)
    assert 4.5 <= contrast_with_white("#767676") < 4.55
    assert contrast_with_white("#777777") < 4.5


def test_every_layer_has_a_color_of_its_own_that_text_is_read_on() -> None:
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    layers = project["models"]["nps_warehouse"]
    assert {name for name in layers if not name.startswith("+")} == set(LAYERS)
    colors = [layers[name]["+docs"]["node_color"] for name in LAYERS]
    colors += [layers["marts"]["facts"]["+docs"]["node_color"]]
    colors += [project["seeds"]["nps_warehouse"]["+docs"]["node_color"]]
    assert len(set(colors)) == len(colors)
    for color in colors:
        assert re.fullmatch("#[0-9a-f]{6}", color)
        assert contrast_with_white(color) >= 4.5, color


def test_overview_names_folders_and_models_that_are_there() -> None:
    text = (PROJECT / "models" / "overview.md").read_text(encoding="utf-8")
    known = {path.stem for path in (PROJECT / "models").rglob("*.sql")}
    folders = {
        path.relative_to(PROJECT / "models").as_posix()
        for path in (PROJECT / "models").rglob("*")
        if path.is_dir()
    }
    rows = [line for line in text.splitlines() if line.startswith("| ") and "`" in line]
    assert len(rows) > 15
    for row in rows:
        for name in re.findall(r"`([\w/]+)`", row):
            is_there = name in known or name in folders or f"marts/{name}" in folders
            assert is_there, row


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        content: bytes = answer.read()
    return content


@pytest.mark.servers
def test_documentation_is_served_to_this_machine_alone(tmp_path: Path) -> None:
    """What scripts/docs starts, on a target folder with the documentation of the sample."""
    if "NPS_TEST_SAMPLE" in os.environ:
        target = Path(os.environ["NPS_TEST_SAMPLE"]).parent
    else:
        built(tmp_path, command="docs", arguments=("generate",))
        target = tmp_path / "target"
    assert (target / "catalog.json").is_file()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = (PROJECT / "scripts" / "docs").read_text(encoding="utf-8")
    [command] = re.findall(r"exec \.venv/bin/dbt (docs serve .*) \"\$@\"", script)
    environment = environment_of(tmp_path) | {"DBT_TARGET_PATH": str(target)}
    process = subprocess.Popen(
        [Path(sys.executable).with_name("dbt"), *command.split(), "--port", str(port)],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 120
        while True:
            try:
                page = fetched(url)
                break
            except (urllib.error.URLError, ConnectionError):
                assert process.poll() is None, "it ended by itself"
                assert time.monotonic() < until, "it does not answer"
                time.sleep(0.2)
        assert b"<html" in page
        manifest: dict[str, Any] = json.loads(fetched(f"{url}/manifest.json"))
        colors = {
            node["fqn"][1]: node["docs"]["node_color"]
            for node in manifest["nodes"].values()
            if node["resource_type"] == "model" and node["fqn"][2] != "facts"
        }
        assert set(colors) == set(LAYERS)
        assert all(colors.values())
        listening = Path("/proc/net/tcp").read_text().splitlines()[1:]
        bound = {
            line.split()[1].partition(":")[0]
            for line in listening
            if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
        }
        assert bound == {"0100007F"}
    finally:
        process.terminate()
        process.wait(30)
