"""The device's own power and clients, from files and words as devices have them."""

import asyncio
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from model.measurement import METRICS
from probes.agent import device_check
from probes.board import Board
from probes.clock import SystemClock
from probes.device import DeviceProbe

IW_DEV = """phy#0
\tInterface wlan0
\t\tifindex 5
\t\ttype AP
\tInterface wlan0-sta
\t\ttype managed
phy#1
\tInterface wlan1
\t\ttype AP
"""
STATION = """Station 02:00:00:00:00:01 (on wlan0)
\tinactive time:\t10 ms
Station 02:00:00:00:00:02 (on wlan0)
\tinactive time:\t20 ms
"""


def no_iw(_: Sequence[str]) -> str:
    raise FileNotFoundError


def put(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize(
    ("files", "readings"),
    [
        ({}, {}),
        (
            {"ac/type": "Mains\n", "ac/online": "1\n", "ac/voltage_now": "12150000\n"},
            {"supply_volts": 12.15, "on_battery": 0.0},
        ),
        (
            {
                "ac/type": "Mains\n",
                "ac/online": "0\n",
                "bat/type": "Battery\n",
                "bat/voltage_now": "3700000\n",
                "bat/capacity": "64\n",
            },
            {"on_battery": 1.0, "battery_volts": 3.7, "battery_charge_share": 0.64},
        ),
        ({"ac/type": "Mains\n", "ac/voltage_now": "nothing\n", "ac/online": ""}, {}),
        ({"bat/type": "Battery\n", "bat/capacity": "4000\n"}, {}),
    ],
)
def test_power(tmp_path: Path, files: dict[str, str], readings: dict[str, float]) -> None:
    """Volts of the supply and of the battery apart; on battery when no supply is there."""
    put(tmp_path / "sys/class/power_supply", files)
    assert Board(tmp_path, no_iw).readings(0) == readings
    assert readings.keys() <= METRICS.keys()


def test_a_board_s_own_volts(tmp_path: Path) -> None:
    """hwmon has millivolts under a label; other rails are not the supply."""
    rails = {"in0_label": "Vcore", "in0_input": "900", "in1_label": "VIN\n", "in1_input": "23900\n"}
    put(tmp_path / "sys/class/hwmon/hwmon2", rails)
    assert Board(tmp_path, no_iw).readings(0) == {"supply_volts": 23.9}


def test_leases_are_counted(tmp_path: Path) -> None:
    """Those that run still and those without an end; no address leaves the file."""
    lines = ["2000 02:00:00:00:00:01 10.0.0.2 a *", "900 02:00:00:00:00:02 10.0.0.3 b *"]
    lines += ["0 02:00:00:00:00:03 10.0.0.4 * *", "duid 00:01", ""]
    put(tmp_path, {"tmp/dhcp.leases": "\n".join(lines)})
    assert Board(tmp_path, no_iw).readings(1000) == {"dhcp_leases": 2.0}


def test_clients_are_counted(tmp_path: Path) -> None:
    """Stations of access points alone; without any there is no count, which is not nought."""
    asked = []

    def run(command: Sequence[str]) -> str:
        asked.append(command[-1] if command[-1] == "dev" else command[2])
        return IW_DEV if command[-1] == "dev" else STATION if command[2] == "wlan0" else ""

    assert Board(tmp_path, run).readings(0) == {"clients": 2.0}
    assert asked == ["dev", "wlan0", "wlan1"]
    assert Board(tmp_path, lambda _: "").readings(0) == {}


def test_an_iw_that_fails_is_asked_again(tmp_path: Path) -> None:
    """An error now is no answer now; where there is no iw it is not looked for every minute."""
    calls = []

    def fails(command: Sequence[str]) -> str:
        calls.append(command)
        raise subprocess.CalledProcessError(1, command)

    board = Board(tmp_path, fails)
    assert [board.readings(0), board.readings(0)] == [{}, {}]
    assert len(calls) == 2
    missing: list[Sequence[str]] = []

    def none(command: Sequence[str]) -> str:
        missing.append(command)
        raise FileNotFoundError

    board = Board(tmp_path, none)
    assert [board.readings(0), board.readings(0)] == [{}, {}]
    assert len(missing) == 1


def test_the_report_has_it_all(tmp_path: Path) -> None:
    """The device's report: its clocks, and what the board says."""
    put(tmp_path / "sys/class/power_supply/ac", {"type": "Mains", "voltage_now": "5000000"})
    probe = DeviceProbe(SystemClock(), Board(tmp_path, no_iw))
    look = asyncio.run(probe(device_check("v-1", "village", 60)))
    assert look.readings.keys() == {"uptime_seconds", "boot_id", "supply_volts"}
