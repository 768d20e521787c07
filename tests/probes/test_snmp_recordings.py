"""Recordings of real devices, played by snmpsim; what is expected was read from them by hand."""

import asyncio
import bz2
import importlib.metadata
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.probes.snmp_asking import at, device

SHARED = Path(os.environ.get("JANGKAU_SHARED", Path(__file__).parents[3] / "shared"))
HAP = SHARED / "snmp" / "mikrotik-hap-ac-lite.snmprec"
READ = re.compile(
    rb"1\.3\.6\.1\.(?:2\.1\.1\.|2\.1\.2\.2\.1\.(?:2|3|7|8|9)\.|2\.1\.25\.|2\.1\.33\.|4\.1\.2021\."
    rb"|4\.1\.4881\.1\.1\.10\.2\.3[56]\.|4\.1\.534\.1\.|4\.1\.41112\.|4\.1\.50001\.)"
)
"""What is played of the larger recordings: snmpsim takes minutes to index a million objects."""

EXPECTED: Mapping[str, tuple[set[str], Mapping[str, float | None]]] = {
    "mikrotik-hap-ac-lite": (
        {"mikrotik", "interfaces", "system"},
        {
            "supply_volts": 15.4,  # mtxrHlVoltage 154, tenths of a volt
            "temperature_celsius": 33.0,  # mtxrHlTemperature 330
            "clients": 11,  # 7 + 0 + 0 + 4, typed Counter32
            "dhcp_leases": 33,
            "uptime_seconds": 20205.00,  # hrSystemUptime 2020500, not sysUpTime 2020400
            "cpu_share": 0.21,
            "memory_used_share": 27196 / 65536,  # main memory, not the disk
            "noise_dbm": -112,  # of -117 and -112; 0 is a virtual access point
            "link_quality_share": 0.70,  # of 70 and 75 per cent
            "poe_ports_on": 0,  # ether5: waitingForLoad
            "interfaces_up": 7,  # 1 3 4 9 10 11 12
            "interfaces_down": 4,  # 2 5 6 8; 7 was switched off on purpose
            "interface_change_seconds": 20204.0,
        },
    ),
    "ubiquiti-m5": (
        {"airmax", "interfaces", "system"},
        {"signal_dbm": -64, "noise_dbm": -101, "clients": 1, "uptime_seconds": 8431538.00},
    ),
    "hikvision-network-video-recorder": (
        {"interfaces", "system"},
        {"uptime_seconds": 21780496.73},
    ),
    "eastpower-istars-swv053": (
        {"ups", "interfaces", "system"},
        {
            "on_battery": 0,
            "battery_charge_share": 1.0,
            "battery_volts": 213.0,
            "battery_celsius": 36,
            "mains_volts": 236,
            "uptime_seconds": 14395240.52,
        },
    ),
    "eaton-93e-80": (
        {"ups", "interfaces", "system"},
        {
            "on_battery": 0,
            "battery_charge_share": 1.0,
            "battery_left_seconds": 65520,
            "battery_volts": 521.0,
            "battery_celsius": 25,
            "mains_volts": 233,
            "uptime_seconds": 674237.32,
        },
    ),
    "eaton-9px-partial": (
        {"ups"},  # no UPS-MIB, no sysUpTime in it: only Eaton's own objects
        {
            "on_battery": 0,  # xupsOutputSource 3
            "battery_charge_share": 1.0,
            "battery_left_seconds": 17218,
            "battery_volts": 78.0,
            "mains_volts": 243,
        },
    ),
    "huawei-gse200m": (
        {"ups", "interfaces", "system"},
        {
            "on_battery": 0,
            "battery_volts": 538.5,
            "mains_volts": 236.9,  # counted in tenths: 2369
            "battery_charge_share": None,  # -1: not known
            "uptime_seconds": 20030119.98,
        },
    ),
    "phoenixtec-power": (
        {"ups", "interfaces", "system"},
        {
            "on_battery": 0,
            "battery_charge_share": 1.0,
            "battery_volts": 41.0,
            "battery_celsius": 31,
            "mains_volts": 238,  # one phase; the other two say 0
            "uptime_seconds": 216585.42,
        },
    ),
    "slackware": (
        {"netsnmp", "interfaces", "system"},
        {
            "uptime_seconds": 2335121.42,
            "cpu_share": 0.11,  # 13 and 9 per cent
            "memory_used_share": 958176 / 1021976,
            "load_average": 0.46,
            "interfaces_up": 1,  # eth0; lo does not count
            "interfaces_down": 0,
        },
    ),
    "ruijie-s5750-24gt12sfp": (
        {"ruijie", "interfaces", "system"},
        {
            "cpu_share": 0.39,
            "memory_used_share": 0.50,
            "interfaces_up": 15,
            "interfaces_down": 12,
            "uptime_seconds": 5276812.12,
        },
    ),
    "ruijie-m18000": (
        {"ruijie", "interfaces", "system"},
        {"cpu_share": 0.10, "memory_used_share": 0.50, "uptime_seconds": 7319026.89},
    ),
    "ruckus-smartcell-gateway": (
        {"netsnmp", "interfaces", "system"},  # a Linux inside: UCD-SNMP-MIB answers
        {
            "uptime_seconds": 16954146.55,
            "interfaces_up": 13,  # 14 without lo
            "interfaces_down": 3,  # 2, 4, 6; 10, 11, 14, 15 were switched off on purpose
        },
    ),
}


def recordings() -> dict[str, Path]:
    """The recordings at hand, by name."""
    found = {"mikrotik-hap-ac-lite": HAP} if HAP.exists() else {}
    try:
        files = importlib.metadata.files("snmpsim-data") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        name = Path(str(file)).name.removesuffix(".snmprec.bz2")
        if name in EXPECTED:
            found[name] = Path(str(file.locate()))
    return found


def free_port() -> int:
    """A UDP port that nobody has now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def snmpsim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """snmpsim with every recording at hand; its community is the recording's name."""
    if importlib.util.find_spec("snmpsim") is None:
        pytest.skip("snmpsim is not installed: pip install 'jangkau[dev]'")
    folder = tmp_path_factory.mktemp("recordings")
    for name, path in recordings().items():
        if path.suffix != ".bz2":
            shutil.copy(path, folder / path.name)
            continue
        with bz2.open(path) as packed:
            (folder / f"{name}.snmprec").write_bytes(b"".join(filter(READ.match, packed)))
    port, log = free_port(), folder.parent / "snmpsim.log"
    command = [
        str(Path(sys.executable).with_name("snmpsim-command-responder")),
        f"--data-dir={folder}",
        f"--cache-dir={folder.parent / 'cache'}",
        f"--agent-udpv4-endpoint=127.0.0.1:{port}",
        "--process-user=root",
        "--process-group=root",
    ]
    with log.open("w") as out:
        child = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        asyncio.run(answers(port, child, log))
        yield port
    finally:
        child.terminate()
        child.wait(10)


async def answers(port: int, child: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return when the player answers; fail when it ended or a minute has passed."""
    end = time.monotonic() + 60
    while time.monotonic() < end and child.poll() is None:
        try:
            await device(at(port, "nobody-is-called-so"), timeout_seconds=0.5).poll()
        except ConnectionRefusedError:
            continue
        except TimeoutError:
            if "Listening at UDP/IPv4" in log.read_text():
                return
    raise AssertionError(f"snmpsim did not start: {log.read_text()[-2000:]}")


@pytest.mark.parametrize("name", EXPECTED)
def test_recording(name: str, snmpsim: int) -> None:
    """A real device's answers give the readings that a person reads in them."""
    if name not in recordings():
        pytest.skip(f"no recording {name}: pip install snmpsim-data, or name JANGKAU_SHARED")
    poll = asyncio.run(device(at(snmpsim, name), timeout_seconds=5).poll())
    profiles, readings = EXPECTED[name]
    assert {profile.id for profile in poll.plan.profiles} == profiles
    for reading, value in readings.items():
        assert poll.readings.get(reading) == (value and pytest.approx(value, rel=1e-6)), reading
    assert ("boot_id" in poll.readings) == ("uptime_seconds" in poll.readings)


def test_a_large_device_is_not_half_told(snmpsim: int) -> None:
    """Of a device with thousands of ports no count of ports is told: a part would mislead."""
    if "ruijie-m18000" not in recordings():
        pytest.skip("no recording ruijie-m18000: pip install snmpsim-data")
    poll = asyncio.run(device(at(snmpsim, "ruijie-m18000"), timeout_seconds=5).poll())
    assert not [name for name in poll.readings if name.startswith("interface")]
