"""In a network namespace: a narrow line that loses packets, a real collector, and a backlog.

``python namespace_bad_line.py FOLDER KBIT_S LOSS_PER_CENT LOOKS``: one JSON object of what the
delivery took, by our own count and by that of the interface.
"""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

from model.measurement import Measurement, Outcome
from probes.clock import SystemClock
from probes.known_time import KnownTime, boot_text, stamp
from probes.line_protocol import encode
from probes.link import Link
from probes.spool import Spool
from probes.uplink import Uplink
from tests.probes.real_agents import Collector

QUEUE_MILLISECONDS = 600
"""What a packet may wait in the line: as on a satellite's, which hides its narrowness so."""


def main(folder: Path, kilobits: int, loss: int, looks: int) -> None:
    run("ip", "link", "set", "lo", "up", "mtu", "1500")
    collector = Collector(folder)
    key = collector.key("v-1")
    collector.start()
    shape = ("rate", f"{kilobits}kbit", "burst", "3kb", "latency", f"{QUEUE_MILLISECONDS}ms")
    run("tc", "qdisc", "add", "dev", "lo", "root", "tbf", *shape)
    run("nft", "add table inet bad; add chain inet bad out { type filter hook output priority 0; }")
    run("nft", f"add rule inet bad out meta l4proto tcp numgen random mod 100 < {loss} drop")
    clock = SystemClock()
    spool = filled(folder, clock, looks)
    link = Link(collector.url, key, version="")
    longest = sent = 0.0

    def post_packed(body: bytes) -> object:
        nonlocal longest, sent
        begun = time.monotonic()
        try:
            return link.post_packed(body)
        finally:
            sent += len(body)
            longest = max(longest, time.monotonic() - begun)

    uplink = Uplink(
        spool,
        link.post,
        clock,
        lambda _, high: min(high, 1.0),
        probe="v-1",
        dates=KnownTime(folder / "time", clock),
        post_packed=post_packed,  # type: ignore[arg-type]  # it returns what the link does
    )
    before, begun = interface_bytes(), time.monotonic()
    while (wait := uplink.step()) is not None:
        time.sleep(min(wait, 1.0))  # the uplink says how long
    took = time.monotonic() - begun
    link.close()
    crossed = interface_bytes() - before
    kept = collector.lines()
    collector.stop()
    print(  # noqa: T201 - to whoever started us
        json.dumps(
            {
                "seconds": took,
                "longest_seconds": longest,
                "packed_bytes": sent,
                "wire_bytes": link.wire_bytes,
                "interface_bytes": crossed,
                "failures": uplink.tally.failures,
                "kept": len(kept),
                "distinct": len({(line.series, line.at_ms) for line in kept}),
            }
        )
    )


def filled(folder: Path, clock: SystemClock, looks: int) -> Spool:
    """A backlog of looks a minute apart at four targets."""
    draws = random.Random(4)  # noqa: S311 - the same looks in every run
    spool = Spool(folder / "spool", lambda _: b"gap")
    lines = []
    for number in range(looks):
        at_ms = clock.wall_ms() - (looks - number) * 15_000
        median = 0.6 * draws.lognormvariate(0, 0.1)
        readings = {"sent": 5.0, "received": 5.0, "rtt_median_seconds": median}
        target = ("lan", "isp_gateway", "national", "international")[number % 4]
        look = Measurement("v-1", "village", "ping", target, at_ms, Outcome.UP, readings)
        line = stamp(encode(look), clock.monotonic_ms(), boot_text(clock))
        lines.append((at_ms, line.rpartition(b",monotonic_ms=")[0] + b" %d" % at_ms))
    for start in range(0, looks, 500):
        spool.append(lines[start : start + 500], clock.wall_ms())
    return spool


def interface_bytes() -> int:
    """IP packets that have crossed the loopback."""
    rows = Path("/proc/net/dev").read_text().splitlines()
    return next(int(row.split()[1]) for row in rows if row.strip().startswith("lo:"))


def run(*words: str) -> None:
    subprocess.run(words, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
