"""The street of services: what our own looks find at every stall is its truth."""

import asyncio
import socket
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

from probes.clock import SystemClock
from probes.kinds import open_probes
from probes.look import Look
from simulator.province import make_province
from simulator.street import Stall, checks, open_street, street


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _look_at_all(stalls: tuple[Stall, ...]) -> dict[str, Look]:
    """Every stall is looked at once, all at the same time."""
    sites = make_province(1, 60, 4).inventory.sites
    asked = {
        check.id: check.check(sites[number], echoes=1, echo_timeout_seconds=1)
        for number, check in enumerate(checks(stalls, sites, 20))
    }
    async with AsyncExitStack() as servers:
        await open_street(stalls, servers)
        with ExitStack() as stack:
            probes = open_probes(list(asked.values()), SystemClock(), stack)
            looks = await asyncio.gather(*(probes[one.kind](one) for one in asked.values()))
    return dict(zip(asked, looks, strict=True))


def test_every_state_is_told(tmp_path: Path) -> None:
    """Good, slow, half-dead, wrong, refused, expired, portal, quota, lies, cameras, dishes: each
    look says what the stall is, and how it is where it works."""
    stalls = street(tmp_path, free_port())
    looks = asyncio.run(_look_at_all(stalls))
    told = {name: (look.outcome, look.reason) for name, look in looks.items()}
    assert told == {stall.id: (stall.outcome, stall.reason) for stall in stalls}
    read = {name: look.readings for name, look in looks.items()}
    assert read["page-slow"]["first_byte_seconds"] > 1.9 > read["page-good"]["first_byte_seconds"]
    assert 4 < read["certificate-ends-soon"]["certificate_days"] < 5
    assert read["certificate-good"]["certificate_days"] > 50
    assert read["resolver-rewrites"]["dns_nxdomain_rewritten"] == 1
    assert read["resolver-honest"]["dns_nxdomain_rewritten"] == 0
    assert read["hotspot-quota"]["captive_state"] == 2
    assert read["camera-good"]["rtsp_status"] == 200
    assert read["dish-obstructed"]["dish_obstructed"] == 1
