"""The cost of a day is counted as the line counts it."""

import json
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from inventory.cost import Cost, by_kind, day_cost, day_costs, look_cost, total
from inventory.read import load
from model.check import Check
from model.inventory import CENTRE_SITE
from model.kinds import Dns, Http, Snmp, Throughput

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "inventory.yaml"
SHARE = 0.05
"""Of a day: fifteen looks of what is looked at every five minutes."""
NEAR = {"application:port": 0.18}
"""Six packets or seven."""
SITE = """
province: {code: 61, name: Kalimantan Barat, timezone: Asia/Pontianak}
kabupaten: [{code: 61.01, name: Kabupaten Sambas}]
providers: {p: {name: P}}
sites:
  desa: {name: Desa, kind: kantor_desa, village: 61.01.13.2002, access: fibre, provider: p,
         in_service_from: 2026-01-01, address: 10.9.1.2, has_probe: true}
village_targets:
  - {name: gateway, rung: lan, address: 10.9.1.2}
  - {name: national, rung: national, address: 10.9.1.2}
checks:
  port: {kind: tcp, address: 10.9.1.2, port: 80, sites: [desa]}
  certificate: {kind: tls, address: 10.9.1.2, ca_file: FOLDER/pem, answer_bytes: 1500,
                sites: [desa]}
  page: {kind: http, url: 'http://10.9.1.2/page', answer_bytes: 2740, sites: [desa]}
  secure: {kind: http, url: 'https://10.9.1.2/page', ca_file: FOLDER/pem, answer_bytes: 4300,
           sites: [desa]}
  resolver: {kind: dns, rung: dns, address: 10.9.1.2, name: siap.example, sites: [desa]}
  hotspot: {kind: captive, rung: international, url: 'http://10.9.1.2/generate_204',
            answer_bytes: 110, sites: [desa]}
  camera: {kind: rtsp, address: 10.9.1.2, user: loket, password_file: FOLDER/password,
           answer_bytes: 300, sites: [desa]}
  way: {kind: path, rung: international, address: 10.9.1.2, sites: [desa]}
"""


@pytest.mark.namespace
def test_as_counted_on_the_wire(tmp_path: Path) -> None:
    """A site's whole day on a cable between two namespaces is within 5 % of the prediction, and
    each kind of look near it: whether an acknowledgement goes alone hangs on microseconds, most of
    all for a connection that is only opened. A traced path has one hop here, and usually 12."""
    needed = ("unshare", "nginx", "dnsmasq", "openssl", "ip")
    if missing := [name for name in needed if not shutil.which(name)]:
        pytest.skip(f"not installed: {', '.join(missing)} (./setup.sh test)")
    unshare = str(shutil.which("unshare"))
    if subprocess.run([unshare, "-Urn", "true"], check=False).returncode:
        pytest.skip("no user namespace here: there is no cable to count on")
    (tmp_path / "inventory.yaml").write_text(SITE.replace("FOLDER", str(tmp_path)))
    (tmp_path / "page").write_bytes(b"siap " * 500)
    script = [sys.executable, str(ROOT / "tests" / "probes" / "namespace_cost.py")]
    done = subprocess.run(
        [unshare, "-Urn", *script, str(tmp_path), str(SHARE)],
        cwd=ROOT,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, int]] = json.loads(done.stdout)
    day: defaultdict[str, float] = defaultdict(float)
    for target, seen in found.items():
        assert seen["up"] == seen["looks"], (target, seen)
        if target != "international:way":
            near = pytest.approx(seen["predicted_bytes"], rel=NEAR.get(target, 0.08))
            assert seen["bytes"] == near, (target, seen)
        for name in ("bytes", "predicted_bytes"):
            day[name] += seen[name] * seen["looks_a_day"] / seen["looks"]
    print(dict(day))  # noqa: T201 - shown when it fails
    assert day["bytes"] == pytest.approx(day["predicted_bytes"], rel=0.05)


@pytest.mark.parametrize(
    ("address", "interval_seconds", "count", "packets", "byte_count"),
    [
        ("127.61.1.13", 300, 5, 2880, 2880 * 44),
        ("2001:db8::13", 300, 5, 2880, 2880 * 64),
        ("127.61.1.13", 86_400, 1, 2, 88),
        ("127.61.1.13", 50_000, 1, 4, 176),
    ],
)
def test_a_day_of_echoes(
    address: str, interval_seconds: int, count: int, packets: int, byte_count: int
) -> None:
    """Headers and payload, both ways, for every look that begins within a day."""
    check = Check("s", "centre", "ping", "site", address, interval_seconds, count=count)
    assert day_cost(check) == Cost(packets, byte_count)


def test_what_a_kind_adds() -> None:
    """A name is resolved first; a trusted resolver is asked too; TLS costs a handshake; a device's
    own word costs nothing and its SNMP agent's does."""

    def cost(kind: str, settings: object, address: str = "10.0.0.1") -> int:
        return look_cost(Check("s", "village", kind, "t", address, 300, settings=settings)).bytes  # type: ignore[arg-type] - each its own

    plain = cost("http", Http("http://10.0.0.1/"))
    assert cost("http", Http("http://siap.example/")) > plain + 100
    assert cost("http", Http("https://10.0.0.1/")) > plain + 4000
    assert cost("http", Http("http://[2001:db8::1]/")) > plain + 200
    alone = cost("dns", Dns("siap.example"))
    assert cost("dns", Dns("siap.example", trusted="9.9.9.9")) == alone + 58 + 74
    assert cost("dns", Dns("siap.example", trusted="9.9.9.9", trusted_name="x")) > alone + 4000
    assert cost("dns", Dns("siap.example", missing_below="")) == 58 + 74
    assert cost("device", None) == 0 < cost("device", Snmp("c"))


def test_throughput_is_reserved() -> None:
    """Tests take what they take: what is known is the bound, by the day's tests and the month."""
    settings = Throughput("http://10.0.0.1/", month_megabytes=300, test_megabytes=1)
    check = Check("s", "village", "throughput", "t", "", 21_600, settings=settings)
    assert day_cost(check) == Cost(reserved_bytes=8_000_000)
    more = Throughput("http://10.0.0.1/", month_megabytes=30, test_megabytes=20)
    check = Check("s", "village", "throughput", "t", "", 21_600, settings=more)
    assert day_cost(check) == Cost(reserved_bytes=1_000_000)


def test_whose_line(tmp_path: Path) -> None:
    """A look from the centre at a site's address is on the site's line, and so is what its own
    probe looks at beyond its own network; the gateway in the house is not."""
    file = tmp_path / "inventory.yaml"
    more = "  far: {kind: tcp, from: centre, address: 10.8.0.1, port: 80, sites: [desa]}\n"
    file.write_text(SITE + more)
    inventory = load(file)
    costs = day_costs(inventory)
    assert set(costs) == {CENTRE_SITE, "desa"}
    assert costs["desa"]["ping"] == Cost(2 * 2880, 2 * 2880 * 44)  # the centre's and the national
    assert set(costs[CENTRE_SITE]) == {"tcp"}
    kinds = by_kind(costs.values())
    assert total(kinds.values()) == total(one for some in costs.values() for one in some.values())
    assert next(iter(kinds)) == "http"


def test_example() -> None:
    """Every site has its cost; a site without an address costs what its own probe looks at."""
    inventory = load(EXAMPLE)
    costs = day_costs(inventory)
    assert set(costs) == {CENTRE_SITE, *inventory.by_id}
    assert costs["semparuk-kd"]["ping"].packets % 2880 == 0
