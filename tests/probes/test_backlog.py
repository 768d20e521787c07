"""A large backlog at the start (R-10), and a probe that keeps dying (O-05)."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from model.measurement import Measurement, Outcome
from probes.agent import gap_writer
from probes.known_time import stamp
from probes.line_protocol import encode
from probes.spool import Limits, Spool
from probes.watchdog import STARTS_MAX, Notifier, Starts

ROOT = Path(__file__).parents[2]
FAULTS = int(os.environ.get("JANGKAU_FAULTS", "0"))
START = """
import re, sys, time
from pathlib import Path
begun = time.monotonic()
from probes.agent import gap_writer
from probes.clock import SystemClock
from probes.known_time import KnownTime
from probes.spool import Limits, Spool
from probes.uplink import Uplink
sent = []
def post(body, headers):
    sent.append(time.monotonic() - begun)
    raise ConnectionRefusedError
clock = SystemClock()
folder = Path(sys.argv[1])
spool = Spool(folder, gap_writer("v-1", "village"), Limits(96 * 2**20, segment_bytes=2**19))
uplink = Uplink(spool, post, clock, lambda low, high: high, probe="p",
                dates=KnownTime(folder / "time", clock))
uplink.step()
peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
print(sent[0], peak, spool.pending_records)
"""


@pytest.mark.faults
def test_a_large_backlog_starts_small(tmp_path: Path) -> None:
    """A week's backlog (64 MiB in the long run): 40 MiB of memory at most, sending within 5 s."""
    size = 64 * 2**20 if FAULTS else 8 * 2**20
    spool = Spool(tmp_path, gap_writer("v-1", "village"), Limits(96 * 2**20, segment_bytes=2**19))
    looks = 0
    while spool.size_bytes < size:
        lines = []
        for place in range(2000):
            at_ms = 1_800_000_000_000 + (looks + place) * 12_000
            readings = {"sent": 5.0, "received": 5.0, "rtt_median_seconds": 0.0234}
            look = Measurement("v-1", "village", "ping", "national", at_ms, Outcome.UP, readings)
            lines.append((at_ms, stamp(encode(look), at_ms % 10**9, boot())))
        spool.append(lines, 1_800_000_000_000)
        looks += len(lines)
    spool.close()
    command = [sys.executable, "-c", START, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    seconds, kilobytes, pending = done.stdout.split()
    assert int(pending) == looks
    assert int(kilobytes) <= 40 * 1024
    assert float(seconds) <= 5


def boot() -> str:
    """This machine's own start: such lines can be dated at once."""
    from probes.clock import SystemClock  # noqa: PLC0415 - only here
    from probes.known_time import boot_text  # noqa: PLC0415 - only here

    return boot_text(SystemClock())


def test_ten_deaths_mean_safe_mode(tmp_path: Path) -> None:
    """The eleventh start without a good one between is a safe one; one good start ends it."""
    path = tmp_path / "starts"
    counts = [Starts(path).too_many for _ in range(STARTS_MAX + 1)]
    assert counts == [False] * STARTS_MAX + [True]
    Starts(path).lived()
    assert not Starts(path).too_many
    path.write_text("{")
    assert Starts(path).count == 1


def test_the_watchdog_is_told(tmp_path: Path) -> None:
    """READY once, then WATCHDOG; without systemd nothing, and a deaf one is no end of the probe."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        notifier = Notifier(address)
        for expected in (b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"):
            notifier.beat()
            assert systemd.recv(100) == expected
    notifier.beat()
    Notifier("").beat()
