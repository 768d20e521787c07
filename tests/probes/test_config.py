"""What a hostile or careless collector may not make a probe do (S-10), and the way back."""

import copy
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from inventory.read import load
from model.check import Check
from probes.config import Config, ConfigError, ConfigKeeper

ROOT = Path(__file__).parents[2]
CHECK: dict[str, Any] = {
    "site": "v-1",
    "vantage": "village",
    "kind": "ping",
    "target": "national",
    "address": "192.0.2.1",
    "interval_seconds": 60,
    "timeout_seconds": 1.0,
    "count": 5,
    "settings": None,
}


def document(version: int = 1, *checks: dict[str, Any], **changes: Any) -> dict[str, Any]:
    found = {"version": version, "site": "v-1", "checks": list(checks) or [CHECK]}
    return {**found, "budget_bytes_a_day": None, **changes}


def http(url: str, **settings: Any) -> dict[str, Any]:
    return {
        **CHECK,
        "kind": "http",
        "target": "application:x",
        "address": "",
        "settings": {"url": url, **settings},
    }


def test_what_the_collector_gives_is_taken() -> None:
    """A village's part of the example inventory passes, and is the checks that it was."""
    inventory = load(ROOT / "inventory.yaml")
    site = inventory.sites[0]
    checks = inventory.village_checks(site)
    told = {"version": 3, "site": site.id, "checks": [asdict(item) for item in checks]}
    config = Config(json.loads(json.dumps({**told, "budget_bytes_a_day": 1_000_000})), site.id)
    assert config.checks == tuple(checks)
    assert config.version == 3
    again = Config(json.loads(json.dumps(config.document(site.id))), site.id)
    assert again.checks == config.checks


@pytest.mark.parametrize(
    "change",
    [
        {"site": "v-2"},
        {"vantage": "centre"},
        {"kind": "shell"},
        {"kind": "throughput"},
        {"target": "nowhere"},
        {"target": 7},
        {"kind": "tcp", "settings": {"port": 22}, "address": "127.0.0.1"},
        {"kind": "tcp", "settings": {"port": 22}, "address": "::1"},
        {"address": "0.0.0.0"},  # noqa: S104 - refused
        {"address": "224.0.0.1"},
        {"address": "255.255.255.255"},
        {"address": "169.254.169.254"},
        {"address": "10.0.0.1"},
        {"address": "localhost"},
        {"address": "a.name.example"},
        {"interval_seconds": 9},
        {"interval_seconds": True},
        {"interval_seconds": 1e9},
        {"count": 21},
        {"count": 0},
        {"timeout_seconds": 31},
        {"timeout_seconds": float("nan")},
        {"timeout_seconds": "1"},
        {"command": "reboot"},
        {"settings": {"port": 1}},
        {"interval_seconds": 10, "count": 20, "address": None},
    ],
)
def test_a_check_outside_the_rules(change: dict[str, Any]) -> None:
    """One wrong check refuses the whole document: nothing of it is followed."""
    good = {**CHECK, "target": "international"}
    with pytest.raises(ConfigError):
        Config(document(1, good, {**CHECK, **change}), "v-1")


@pytest.mark.parametrize(
    "check",
    [
        http("file:///etc/passwd"),
        http("http://127.0.0.1:8086/"),
        http("http://user:secret@192.0.2.1/"),
        http("https://localhost/"),
        http("https://c.example/", ca_file="/etc/shadow"),
        http("https://c.example/", status="200"),
        http("https://c.example/", unknown=1),
        http("https://c.example/", address="10.0.0.1"),
        {**CHECK, "kind": "rtsp", "settings": {"password_file": "/etc/jangkau/key"}},
        {**CHECK, "kind": "tcp", "settings": {}},
        {**CHECK, "kind": "tcp", "settings": None},
    ],
)
def test_settings_outside_the_rules(check: dict[str, Any]) -> None:
    """No local address, no file of the device, no value of a wrong type gets in by a setting."""
    with pytest.raises(ConfigError):
        Config(document(1, check), "v-1")


def test_kinds_with_settings() -> None:
    """A page and a resolver are taken, with their settings as the right values."""
    name = {**CHECK, "kind": "dns", "target": "dns", "address": "192.168.1.1"}
    name["settings"] = {"name": "c.example", "expected": ["192.0.2.7"]}
    config = Config(document(1, http("https://c.example/", status=200), name), "v-1")
    assert [check.kind for check in config.checks] == ["http", "dns"]
    assert getattr(config.checks[1].settings, "expected", None) == ("192.0.2.7",)


def test_no_sweep_and_no_flood() -> None:
    """More than eight private addresses, too many checks, or too many echoes a second: refused."""

    def local(count: int) -> list[dict[str, Any]]:
        return [
            {**CHECK, "target": f"lan:{n}", "address": f"192.168.1.{n}"}
            for n in range(1, count + 1)
        ]

    assert len(Config(document(1, *local(8)), "v-1").checks) == 8
    with pytest.raises(ConfigError, match="private"):
        Config(document(1, *local(9)), "v-1")
    many = [{**CHECK, "target": f"national:{n}"} for n in range(65)]
    with pytest.raises(ConfigError, match="64"):
        Config(document(1, *many), "v-1")
    fast = [{**CHECK, "target": f"national:{n}", "interval_seconds": 10} for n in range(11)]
    with pytest.raises(ConfigError, match="echoes a second"):
        Config(document(1, *fast), "v-1")
    with pytest.raises(ConfigError, match="same"):
        Config(document(1, CHECK, CHECK), "v-1")


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        "x",
        {},
        document(-1),
        document(True),
        document(1, site="v-2"),
        document(1, budget_bytes_a_day=1),
        document(1, budget_bytes_a_day="1000000"),
        document(1, checks={}),
        document(1, checks=["rm -rf /"]),
    ],
)
def test_documents_that_are_none(wrong: Any) -> None:
    """Whatever is not a configuration is refused with a reason, and never raises anything else."""
    with pytest.raises(ConfigError):
        Config(wrong, "v-1")


def changed(version: int) -> dict[str, Any]:
    return document(version, {**CHECK, "count": version})


def test_trial_and_rollback(tmp_path: Path) -> None:
    """A new version is on trial; what brings no delivery is taken back and not taken again, also
    after a restart; older versions are refused."""
    path = tmp_path / "config.json"
    keeper = ConfigKeeper(path, "v-1")
    assert keeper.current is None
    assert not keeper.roll_back()
    assert keeper.offer(changed(1), '"a"')
    keeper.confirm()
    assert not keeper.offer(changed(1))
    assert keeper.offer(changed(2), '"b"')
    keeper = ConfigKeeper(path, "v-1")
    assert keeper.on_trial
    assert keeper.current is not None
    assert keeper.current.version == 2
    assert keeper.roll_back()
    for held in (keeper, ConfigKeeper(path, "v-1")):
        assert held.current is not None
        assert held.current.version == 1
        assert not held.on_trial
        assert not held.offer(changed(2))
        with pytest.raises(ConfigError, match="older"):
            held.offer(changed(0) | {"checks": [CHECK]})
    assert keeper.offer(changed(3))
    keeper.confirm()
    assert keeper.proven is not None
    assert keeper.proven.version == 3


def test_a_refused_document_changes_nothing(tmp_path: Path) -> None:
    """What is refused leaves the configuration in force."""
    keeper = ConfigKeeper(tmp_path / "config.json", "v-1")
    keeper.offer(changed(1))
    before = copy.copy(keeper.current)
    with pytest.raises(ConfigError):
        keeper.offer(document(2, {**CHECK, "kind": "shell"}))
    assert keeper.current is not None
    assert before is not None
    assert keeper.current.checks == before.checks


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"current": {"version": 1}}'])
def test_a_damaged_file_asks_anew(tmp_path: Path, content: str) -> None:
    """A file that does not hold together counts as none; the collector is asked."""
    (tmp_path / "config.json").write_text(content)
    keeper = ConfigKeeper(tmp_path / "config.json", "v-1")
    assert keeper.current is None
    assert keeper.etag == ""
    assert Check(**CHECK) == Config(document(), "v-1").checks[0]
