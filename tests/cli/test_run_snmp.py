"""``jangkau run`` with SNMP: what a real agent answers and a real sender announces stands in the
archive, in the words that the rules of blame read."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from cli.status import newest_looks
from collector.archive.parquet import ParquetArchive
from collector.engine import Engine
from collector.facts import find_boots, find_facts
from collector.feeder import Feeder
from collector.journal import Journal
from collector.settings import BlameSettings
from model.timeline import Interval
from tests.collector.test_traps import COLD, DOWN, V2C, send
from tests.probes.test_snmp_recordings import free_port
from tests.probes.test_snmp_snmpd import snmpd  # noqa: F401 - a fixture

ROOT = Path(__file__).parents[2]
SITE = "semparuk-kd"
ON_BATTERY = "1.3.6.1.2.1.33.2.1"
WAIT_SECONDS = 60.0
Stop = Callable[[], None]


def inventory(folder: Path, agent_port: int) -> Path:
    """The example with the tests' agent as the device of one site."""
    text = (ROOT / "tests" / "data" / "inventories" / "good.yaml").read_text()
    assert "address: 127.61.1.13" in text
    path, secrets = folder / "inventory.yaml", folder / "snmp_secrets.toml"
    path.write_text(
        text.replace("address: 127.61.1.13", "address: 127.0.0.1")
        + "checks:\n  routers: {kind: snmp, address: '{address}', credentials: routers, "
        f"sites: [{SITE}], interval_seconds: 10}}\n"
    )
    secrets.write_text(f'[routers]\nversion = "v2c"\ncommunity = "public"\nport = {agent_port}\n')
    secrets.chmod(0o600)
    return path


def tcp_port() -> int:
    """A TCP port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def province(tmp_path: Path, snmpd: int) -> Iterator[tuple[Stop, Path, int]]:  # noqa: F811 - the fixture
    """A running Jangkau: how to stop it, its folder of data, and the port where it hears traps."""
    traps = free_port()
    words = {
        "--inventory": inventory(tmp_path, snmpd),
        "--data": tmp_path / "data",
        "--listen": f"127.0.0.1:{tcp_port()}",
        "--traps": f"127.0.0.1:{traps}",
    }
    command = ["run", *(str(word) for pair in words.items() for word in pair)]
    child = subprocess.Popen(
        [sys.executable, "-c", "from cli.main import main; main()", *command],
        cwd=ROOT,
        env={**os.environ, "JANGKAU_SNMP_SECRETS": str(tmp_path / "snmp_secrets.toml")},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stderr is not None

    def stop() -> None:
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=30)

    try:
        said = iter(child.stderr.readline, "")
        assert any(f"listening for 1 devices on port {traps}" in line for line in said)
        yield stop, tmp_path / "data", traps
    finally:
        if child.returncode is None:
            stop()


def arrived(data: Path, wanted: set[str]) -> None:
    """Return when the collector has looks at all of these targets of the site."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        looks, _ = newest_looks(data)
        found = {look["target"] for look in looks if look["site"] == SITE}
        if wanted <= found:
            return
        time.sleep(0.1)
    raise AssertionError(f"only {sorted(found)} came")


def test_from_the_device_to_the_facts(province: tuple[Stop, Path, int]) -> None:
    """linkDown, coldStart, a UPS on battery and a poll become the facts of an outage at the time:
    a port that changed, a start of the device, a UPS that carried."""
    stop, data, port = province
    for trap in (DOWN, COLD, ON_BATTERY):
        assert asyncio.run(send(*V2C, f"127.0.0.1:{port}", "4200", trap)) == 0
    names = ("linkDown", "coldStart", "upsOnBattery", "routers")
    arrived(data, {f"device:{name}" for name in names})
    stop()
    journal = Journal(data)
    try:
        Feeder(journal, ParquetArchive(data / "archive")).feed()
    finally:
        journal.close()
    now_ms = time.time_ns() // 1_000_000
    outage = Interval(now_ms - 120_000, now_ms)
    with Engine() as engine:
        engine.open_looks(ParquetArchive(data / "archive").files())
        around = Interval(now_ms - 3_600_000, now_ms + 60_000)
        boots = find_boots(engine, around)
        facts = find_facts(engine, around, [(SITE, outage)], [], boots, {}, BlameSettings())
    assert facts.port_changes == {0}
    assert facts.on_battery == {0}
    starts = np.array([boot.started_ms for boot in facts.boots[SITE]])
    assert (np.abs(starts - now_ms) < 120_000).any()
    uptime_ms = float(Path("/proc/uptime").read_text().split()[0]) * 1000
    polled = [boot for boot in boots[SITE] if abs(now_ms - uptime_ms - boot.started_ms) < 60_000]
    assert polled, "the agent's own uptime came by polling"
