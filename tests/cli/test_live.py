"""The live part of the demo: what is staged, and how what was seen is held against it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import live
from cli.simulate import app
from inventory.read import load
from simulator.scenario import read_events


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A province of a hundred villages, as the demo makes it."""
    words = ["province", "--out", str(tmp_path), "--villages", "100", "--interval", "20"]
    assert CliRunner().invoke(app, words, catch_exceptions=False).exit_code == 0
    return tmp_path


@pytest.mark.parametrize("real", [True, False])
def test_services_stand_where_lines_are_left_alone(folder: Path, real: bool) -> None:
    """Every service has a site of its own, none on a line that is cut, and its truth in the file;
    paths are looked along only where packets are real."""
    staged = live.stage(folder, 60, 20, ("127.0.0.1", 8086, folder / "key"), real=real)
    inventory = load(folder / "inventory.yaml")
    cut = {site for _, sites in staged.cuts for site in sites}
    sites = [min(check.sites) for check in inventory.checks]
    assert bool(cut) == real
    assert len(set(sites)) == len(sites) == len(staged.services)
    assert not cut & set(sites)
    assert ("path" in {check.kind for check in inventory.checks}) == real
    lines = [json.loads(line) for line in (folder / "services.jsonl").read_text().splitlines()]
    told = {(line["site"], line["target"]): (line["outcome"], line["reason"]) for line in lines}
    assert told == staged.services
    kinds = {event.kind for event in read_events(folder / "misfortune.toml")}
    assert kinds == (
        {"upstream_cut", "link_cut", "path_change", "mtu_black_hole"} if real else set()
    )
    looks = {check.target for check in inventory.centre_checks()}
    assert {target for _, target in staged.services} <= looks


def test_what_was_seen_otherwise_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Services that were seen as they are are counted; the others are named with both."""
    truth = {
        ("a", "application:page"): ("UP", ""),
        ("b", "application:shop"): ("DOWN", "connection refused"),
        ("c", "application:late"): ("UP", ""),
    }
    looks = [
        {"site": "a", "target": "application:page", "outcome": "UP", "reason": ""},
        {"site": "b", "target": "application:shop", "outcome": "UNKNOWN", "reason": "below: site"},
    ]
    live.say_services(looks, truth)
    said = " ".join(capsys.readouterr().out.split())
    assert "3 services in as many states: the newest look says the truth for 1" in said
    assert "application:shop is DOWN connection refused, seen: UNKNOWN below: site" in said
    assert "application:late is UP, seen: nothing yet" in said
