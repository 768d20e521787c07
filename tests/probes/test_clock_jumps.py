"""A live agent whose wall clock is thrown about by faketime (T-01)."""

import os
import random
import shutil
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.probes.real_agents import Agent, Collector, wait_for

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
FAULTS = int(os.environ.get("JANGKAU_FAULTS", "0"))
JUMPS = 200 if FAULTS else 12
SEED = int(os.environ.get("JANGKAU_SEED", "1"))
YEAR = 365 * 86_400
OFFSETS = (0, 1, -1, 3600, -3600, 10 * YEAR, -10 * YEAR, 12 * YEAR, -57 * YEAR, 27, -27)
"""Seconds: among them beyond 2038, and before 1970."""

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(not shutil.which("faketime"), reason="needs Debian's faketime"),
    pytest.mark.skipif(not LIBRARY.exists(), reason="faketime's library lies elsewhere here"),
]


def test_the_wall_clock_only_labels(tmp_path: Path) -> None:
    """T-01: whatever the wall clock does while it looks: no crash, no look missed, and after the
    first contact every look is dated within two seconds, in order."""
    print(f"seed {SEED}")  # noqa: T201 - the seed of a random test
    draws = random.Random(SEED)  # noqa: S311 - reproducible jumps
    offset = tmp_path / "offset"
    offset.write_text("+0\n")
    collector = Collector(tmp_path)
    key = collector.key("v-1")
    collector.start()
    agent = Agent(tmp_path, "v-1", collector.url, key, {"national": "127.0.0.1"})
    faked = {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    try:
        agent.start(faked)
        wait_for(lambda: bool(collector.lines()), "the first look to arrive")
        begun = uptime_seconds()
        for _ in range(JUMPS):
            draft = offset.with_suffix(".new")
            draft.write_text(f"{draws.choice(OFFSETS):+d}\n")
            draft.replace(offset)
            time.sleep(draws.uniform(0.2, 1.2))  # how long the clock stays wrong
        ended = uptime_seconds()
        assert agent.lives, agent.log
        assert agent.stop() == 0
        assert "Traceback" not in agent.log
        agent.start()  # with the true clock: it delivers what is left
        wait_for(lambda: max(looks(collector)) > ended + 2, "the last looks to arrive")
    finally:
        if agent.lives:
            agent.stop()
        collector.stop()
    found = looks(collector)
    while_jumping = [at for at in sorted(found) if begun <= at <= ended]
    assert max(after - before for before, after in pairwise(while_jumping)) < 2, "a look was missed"
    started = time.time() - uptime_seconds()
    worst = max(abs(found[at] - started - at) for at in while_jumping)
    print(f"{len(while_jumping)} looks, the worst date off by {worst:.2f} s")  # noqa: T201 - figure
    assert worst <= 2.5, "2 s, and the half second by which Date is rounded"


def uptime_seconds() -> float:
    return float(Path("/proc/uptime").read_text().split()[0])


def looks(collector: Collector) -> dict[float, float]:
    """The dates of the device's reports (Unix seconds) by the uptime that they tell: by that they
    can be judged, since nothing fakes it."""
    return {
        line.values()[0]["uptime_seconds"]: (line.at_ms or 0) / 1000
        for line in collector.lines()
        if line.series.kind == "device"
    }
