"""``checks:`` is read into looks, whole or not at all, and says whose they are."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from inventory.checks import CHECK, KIND_KEYS, rungs
from inventory.read import load
from inventory.write import write_inventory
from model.errors import InputError
from model.kinds import SETTINGS, Captive, Dns, Http, Rtsp, Throughput
from model.measurement import Rung

ROOT = Path(__file__).parents[2]
CHECKS = """
checks:
  siap:
    {kind: http, url: 'https://siap.example/health', body_contains: siap, site_kinds: [kantor_desa]}
  resolver:
    {kind: dns, rung: dns, address: 10.61.0.53, name: siap.example, expected: [10.61.0.1],
     site_kinds: [kantor_desa]}
  hotspot:
    {kind: captive, from: centre, rung: lan, url: 'http://{address}/204', site_kinds: [public_wifi]}
  camera: {kind: rtsp, from: centre, address: '{address}', path: /s1, sites: [sintang-cctv]}
  speed: {kind: throughput, url: 'https://pusat.example/api/v1/throughput', sites: [semparuk-kd]}
"""


def written(folder: Path, more: str) -> Path:
    path = folder / "inventory.yaml"
    path.write_text((ROOT / "inventory.yaml").read_text(encoding="utf-8") + more, encoding="utf-8")
    return path


def test_whose_looks(tmp_path: Path) -> None:
    """A village's looks go to its own probe, the centre's to the centre; each at its own rung."""
    inventory = load(written(tmp_path, CHECKS))
    found = {
        check.target: check for check in inventory.village_checks(inventory.by_id["semparuk-kd"])
    }
    assert found["application:siap"].settings == Http(
        "https://siap.example/health", body_contains="siap"
    )
    assert found["dns:resolver"].settings == Dns("siap.example", expected=("10.61.0.1",))
    assert found["dns:resolver"].address == "10.61.0.53"
    speed = found["application:speed"]
    assert isinstance(speed.settings, Throughput)
    assert (speed.settings.upstream, speed.interval_seconds) == ("pop-sambas", 21_600)
    centre = {check.key: check for check in inventory.centre_checks() if check.kind != "ping"}
    camera = centre["sintang-cctv/centre/rtsp/application:camera"]
    assert (camera.address, camera.settings) == ("127.61.5.1", Rtsp(path="/s1"))
    wifi = centre["kendawangan-wifi/centre/captive/lan:hotspot"]
    assert wifi.settings == Captive("http://127.61.4.4/204")
    assert len(centre) == 1 + sum(s.kind == "public_wifi" for s in inventory.sites)


def test_rungs_of_a_site(tmp_path: Path) -> None:
    """What is not among a site's rungs is not looked at for it."""
    path = written(tmp_path, CHECKS)
    text = path.read_text(encoding="utf-8")
    text = text.replace("contact_name: Operator desa", "rungs: isp_gateway national")
    path.write_text(text, encoding="utf-8")
    inventory = load(path)
    targets = {one.target for one in inventory.village_checks(inventory.by_id["semparuk-kd"])}
    assert targets == {"isp_gateway", "national"}


def test_written_and_read_again(tmp_path: Path) -> None:
    """An inventory with checks is written so that it reads as the same."""
    inventory = load(written(tmp_path, CHECKS))
    (tmp_path / "again").mkdir()
    assert load(write_inventory(inventory, None, tmp_path / "again")).checks == inventory.checks


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{kind: sonar, sites: [semparuk-kd]}", "'sonar' is not a kind of look"),
        ("{kind: tcp, address: a.example, sites: [semparuk-kd]}", "'port' is missing"),
        ("{kind: tcp, port: 99999, address: a.example, sites: [semparuk-kd]}", "out of range"),
        ("{kind: tcp, port: 80, sites: [semparuk-kd]}", "'address' is missing"),
        ("{kind: tcp, port: 80, address: a.example}", "is for nobody"),
        ("{kind: tcp, port: 80, address: a.example, sites: [nowhere]}", "'nowhere' is not known"),
        ("{kind: tcp, port: 80, address: a.example, site_kinds: [x]}", "'x' is not known"),
        (
            "{kind: tcp, port: 80, url: 'http://a/', address: b, sites: [semparuk-kd]}",
            "'url' is not",
        ),
        ("{kind: http, url: 'file:///etc/passwd', sites: [semparuk-kd]}", "not an http or https"),
        (
            "{kind: http, url: 'http://u:p@a.example/', sites: [semparuk-kd]}",
            "not an http or https",
        ),
        ("{kind: http, url: 'http://[::1', sites: [semparuk-kd]}", "not an http or https"),
        ("{kind: rtsp, address: 169.254.1.1, sites: [semparuk-kd]}", "is link-local"),
        ("{kind: dns, address: 10.0.0.1, name: '..', sites: [semparuk-kd]}", "not a domain name"),
        (
            "{kind: ping, address: 10.0.0.1, rung: roof, sites: [semparuk-kd]}",
            "'roof' is not known",
        ),
    ],
)
def test_mistakes(tmp_path: Path, line: str, message: str) -> None:
    """Each mistake is named at its line, and nothing is built."""
    path = written(tmp_path, f"checks:\n  wrong: {line}\n")
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        load(path)
    last = len(path.read_text(encoding="utf-8").splitlines())
    assert f"inventory.yaml:{last}: checks.wrong" in str(caught.value)


def test_keys_are_those_of_the_settings() -> None:
    """Every setting of a kind of look can be written, save the address that a test may fix."""
    for kind, made in SETTINGS.items():
        assert set(KIND_KEYS[kind]) == {key.name for key in fields(made)} - (
            {"address"} if kind == "http" else set()
        )


def test_documentation() -> None:
    """docs/inventory.md names every key of every kind of look."""
    text = (ROOT / "docs" / "inventory.md").read_text(encoding="utf-8")
    section = text.split("\n## checks\n")[1].split("\n## ")[0]
    common, own = section.split("\n### Keys")
    assert set(re.findall(r"^\| `(\w+)` \|", common, re.MULTILINE)) == set(CHECK)
    found: dict[str, set[str]] = {"ping": set()}
    current = ""
    for kind, key in re.findall(r"^\| (?:`(\w+)` )?\| `(\w+)` \|", own, re.MULTILINE):
        current = kind or current
        found.setdefault(current, set()).add(key)
    assert found == {kind: set(keys) for kind, keys in KIND_KEYS.items()}


def test_rungs() -> None:
    """Rungs come in the ladder's order, whatever the file's."""
    assert rungs("national lan") == (Rung.LAN, Rung.NATIONAL)
    with pytest.raises(ValueError, match="'roof' is not a rung"):
        rungs("roof")
