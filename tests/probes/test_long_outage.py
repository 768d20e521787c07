"""Real agents through a long outage and a recovery that stumbles (N-02); one that keeps dying."""

import json
import os
import signal
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from probes.watchdog import STARTS_MAX
from tests.probes.real_agents import Agent, Collector, wait_for

FAULTS = int(os.environ.get("JANGKAU_FAULTS", "0"))
AGENTS = 40 if FAULTS else 4
OUTAGE_SECONDS = 176 if FAULTS else 22
HOUR_SECONDS = OUTAGE_SECONDS / 88
"""The test's hour: 2 s, of 88 that the outage of opentelemetry-collector#15324 had."""
RESTARTS = 3
TARGETS = {"isp_gateway": "127.0.0.1", "national": "127.0.0.2"}


@pytest.mark.faults
def test_eighty_eight_hours_without_a_collector(tmp_path: Path) -> None:
    """N-02: every look of every agent arrives once, those of the first four hours are looked for
    by name, though the collector is killed three times while they come."""
    collector = Collector(tmp_path)
    keys = {f"v-{number}": collector.key(f"v-{number}") for number in range(AGENTS)}
    agents = [Agent(tmp_path, name, collector.url, key, TARGETS) for name, key in keys.items()]
    try:
        collector.start()
        for agent in agents:
            agent.start(flush=2.0, cap=2.0)
        wait_for(lambda: len(sites(collector)) == AGENTS, "every agent's first look")
        collector.stop(signal.SIGKILL)
        cut = uptime_seconds()
        time.sleep(OUTAGE_SECONDS)  # the outage is what is tested
        restored = uptime_seconds()
        for _ in range(RESTARTS):
            collector.start()
            known = len(collector.lines())
            wait_for(lambda known=known: len(collector.lines()) > known, "a batch between kills")  # type: ignore[misc]  # a default that binds the loop's value
            collector.stop(signal.SIGKILL)
        collector.start()
        wait_for(lambda: oldest_newest(collector) > restored + 2, "all to be live again")
        assert all(agent.lives for agent in agents)
        assert {agent.stop() for agent in agents} == {0}
        spooled = [path for agent in agents for path in (agent.folder / "spool").glob("*.bad")]
        assert not spooled
        for agent in agents:  # what the stop left in the spools
            agent.start(flush=2.0, cap=2.0)
        wait_for(lambda: whole(collector, cut, restored), "the backlog to drain")
    finally:
        for agent in agents:
            if agent.lives:
                agent.stop()
        collector.stop()
    for name, kinds in looks(collector).items():
        assert kinds.keys() == {"device", *TARGETS}
        for target, times in kinds.items():
            assert len(set(times)) == len(times), f"{name} {target}: a look came twice"
            first_hours = [at for at in times if cut <= at <= cut + 4 * HOUR_SECONDS + 1]
            assert len(first_hours) >= int(4 * HOUR_SECONDS), f"{name}: the first four hours"
    print(f"{len(collector.lines())} looks of {AGENTS} agents, none lost, none twice")  # noqa: T201


def whole(collector: Collector, first: float, last: float) -> bool:
    """Whether no series has a hole there: looks are a second apart."""
    for kinds in looks(collector).values():
        for times in kinds.values():
            inside = sorted(at for at in times if first - 2 <= at <= last)
            if not inside or inside[0] > first or inside[-1] < last - 2:
                return False
            if max((b - a for a, b in pairwise(inside)), default=99) > 2.2:
                return False
    return True


def looks(collector: Collector) -> dict[str, dict[str, list[float]]]:
    """By site and target, when (in seconds of this machine's uptime)."""
    began = time.time() - uptime_seconds()
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for line in collector.lines():
        found[line.series.site][line.series.target].append((line.at_ms or 0) / 1000 - began)
    return found


def sites(collector: Collector) -> set[str]:
    return {line.series.site for line in collector.lines()}


def oldest_newest(collector: Collector) -> float:
    """Of each site the newest look, of these the oldest."""
    return min(max(map(max, kinds.values())) for kinds in looks(collector).values())


def uptime_seconds() -> float:
    return float(Path("/proc/uptime").read_text().split()[0])


def test_a_probe_that_keeps_dying_reports_only_that_it_lives(tmp_path: Path) -> None:
    """O-05, live: after ten starts that did not last the agent looks at nothing, says so in its
    status, reports its device and stops within five seconds."""
    collector = Collector(tmp_path)
    agent = Agent(tmp_path, "v-1", collector.url, collector.key("v-1"), TARGETS)
    collector.start()
    try:
        for number in range(STARTS_MAX):
            agent.start()
            wait_for(lambda n=number: starts(agent) == n + 1, "a start")  # type: ignore[misc]  # a default that binds the loop's value
            agent.stop(signal.SIGKILL)
        agent.start()
        kinds = lambda: [line.series.kind for line in collector.lines()]  # noqa: E731 - asked twice
        before = kinds().count("ping")
        wait_for(lambda: kinds().count("device") >= 3, "three reports")
        assert kinds().count("ping") == before
        assert "safe mode" in agent.log
        begun = time.monotonic()
        assert agent.stop() == 0
        assert time.monotonic() - begun < 5
        assert '"safe_mode": true' in (agent.folder / "status.json").read_text()
    finally:
        if agent.lives:
            agent.stop()
        collector.stop()


def starts(agent: Agent) -> int:
    """How many starts the agent has counted."""
    try:
        return int(json.loads((agent.folder / "starts").read_bytes())["starts"])
    except FileNotFoundError:
        return 0
