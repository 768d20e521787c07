"""What a device says of its own power and of how many use it.

Law: counts only. No address and no name of a user is kept longer than it takes to count it, and
what the device does not say is left out, not guessed.

Sources: Linux Documentation/ABI/testing/sysfs-class-power (microvolts, per cent, ``online``) and
hwmon/sysfs-interface (millivolts, labels); dnsmasq(8) ``--dhcp-leasefile``; iw(8) ``station dump``.
"""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

SUPPLY_LABELS = frozenset({"vin", "vsupply", "supply", "vdc", "dcin", "input"})
LEASE_FILES = ("tmp/dhcp.leases", "var/lib/misc/dnsmasq.leases")
IW_SECONDS = 5.0

Run = Callable[[Sequence[str]], str]
"""Run a command, give its output; raises OSError or subprocess.SubprocessError."""


class Board:
    """``root`` is where ``sys`` and ``tmp`` lie. Reads small files, and asks ``iw`` where it is."""

    def __init__(self, root: Path = Path("/"), run: Run | None = None) -> None:
        self._root = root
        self._run = run or _run
        self._has_iw = True

    def readings(self, now_seconds: float) -> dict[str, float]:
        """Those of METRICS that this device can tell; it may take some milliseconds."""
        found = dict(self._power())
        leases = self._leases(now_seconds)
        if leases is not None:
            found["dhcp_leases"] = float(leases)
        clients = self._clients()
        if clients is not None:
            found["clients"] = float(clients)
        return found

    def _power(self) -> Iterator[tuple[str, float]]:
        online: list[bool] = []
        for supply in sorted(self._root.glob("sys/class/power_supply/*")):
            kind, volts = _text(supply / "type"), _number(supply / "voltage_now")
            if kind in ("Battery", "UPS"):
                if volts is not None:
                    yield "battery_volts", volts / 1e6
                charge = _number(supply / "capacity")
                if charge is not None and 0 <= charge <= 100:
                    yield "battery_charge_share", charge / 100
            else:
                if volts is not None:
                    yield "supply_volts", volts / 1e6
                if (state := _number(supply / "online")) is not None:
                    online.append(state > 0)
        if online:
            yield "on_battery", float(not any(online))
        for label in sorted(self._root.glob("sys/class/hwmon/hwmon*/in*_label")):
            if _text(label).lower() in SUPPLY_LABELS:
                millivolts = _number(label.with_name(label.name.replace("_label", "_input")))
                if millivolts is not None:
                    yield "supply_volts", millivolts / 1000
                    return

    def _leases(self, now_seconds: float) -> int | None:
        """Leases that run still; one without an end has the time 0."""
        for name in LEASE_FILES:
            with suppress(OSError):
                lines = (self._root / name).read_text(errors="replace").splitlines()
                ends = [line.partition(" ")[0] for line in lines]
                numbers = [int(end) for end in ends if end.isascii() and end.isdecimal()]
                return sum(end == 0 or end > now_seconds for end in numbers)
        return None

    def _clients(self) -> int | None:
        """Stations of all access points."""
        if not self._has_iw:
            return None
        try:
            points = _access_points(self._run(("iw", "dev")))
            dumps = [self._run(("iw", "dev", name, "station", "dump")) for name in points]
        except FileNotFoundError:
            self._has_iw = False  # and it will not come while we run
            return None
        except (OSError, subprocess.SubprocessError):
            return None
        if not points:
            return None
        return sum(line.startswith("Station ") for dump in dumps for line in dump.splitlines())


def _access_points(listed: str) -> list[str]:
    """The interfaces of type AP in the output of ``iw dev``."""
    name, found = "", []
    for line in listed.splitlines():
        word, _, value = line.strip().partition(" ")
        if word == "Interface":
            name = value
        elif (word, value) == ("type", "AP"):
            found.append(name)
    return found


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(  # noqa: S603 - our own words and a name that the kernel gave; no shell
        command, capture_output=True, text=True, errors="replace", timeout=IW_SECONDS, check=True
    )
    return done.stdout


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:  # this one does not say
        return ""


def _number(path: Path) -> float | None:
    try:
        return float(_text(path))
    except ValueError:
        return None
