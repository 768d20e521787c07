"""In a network namespace: a target behind two routers in a row, with two ways to it, and looks.

``python namespace_path.py``: one JSON object: by scene and method the outcome and the readings.
"""

import asyncio
import json

from model.kinds import Path, PathMethod
from probes.dns import resolve
from probes.look import Look
from probes.path import PathProbe
from tests.probes.looking import check_of
from tests.probes.netns import Place, line

TARGET = "10.9.99.1"
HOPS_MAX = 5
BALANCED_LOOKS = 6
NARROW_BYTES = 1400
"""In silence veth lets four more pass: the room of a VLAN's tag."""


def shown(look: Look) -> dict[str, object]:
    return {"outcome": look.outcome.name, "reason": look.reason, **look.readings}


def main() -> dict[str, object]:
    home, first, usual, other, target = (Place(held=False), *(Place() for _ in range(4)))
    for router in (first, usual, other):
        router.set("net.ipv4.ip_forward", "1")
    line(home, first, 1)
    line(first, usual, 2)
    line(first, other, 3)
    line(usual, target, 4, mtu_bytes=NARROW_BYTES)
    line(other, target, 5)
    target.run("ip", "addr", "add", f"{TARGET}/32", "dev", "lo")
    home.run("ip", "route", "add", "default", "via", "10.9.1.2")
    for router, gateway in ((usual, "10.9.4.2"), (other, "10.9.5.2"), (first, "10.9.2.2")):
        router.run("ip", "route", "add", TARGET, "via", gateway)
    for router, gateway in ((usual, "10.9.2.1"), (other, "10.9.3.1"), (target, "10.9.4.1")):
        router.run("ip", "route", "add", "default", "via", gateway)
    probes = {method: PathProbe(resolve) for method in PathMethod}

    def looks() -> dict[str, object]:
        """By each method, each with the memory of its own probe."""

        async def all_of_them() -> list[Look]:
            checks = [
                check_of(Path(method, hops_max=HOPS_MAX), TARGET, timeout_seconds=20)
                for method in probes
            ]
            return await asyncio.gather(
                *(probe(check) for probe, check in zip(probes.values(), checks, strict=True))
            )

        return {
            method: shown(look)
            for method, look in zip(probes, asyncio.run(all_of_them()), strict=True)
        }

    scenes = {"first": looks(), "again": looks()}
    # One end takes less than the other believes: what is larger vanishes (veth drops it).
    usual.run("ip", "link", "set", "to-4", "mtu", "1500")
    scenes["nobody says too big"] = looks()
    first.run("ip", "route", "replace", TARGET, "via", "10.9.3.2")
    scenes["another way"] = looks()
    usual.run("ip", "link", "set", "to-4", "mtu", str(NARROW_BYTES))
    both = ["nexthop", "via", "10.9.2.2", "nexthop", "via", "10.9.3.2"]
    first.set("net.ipv4.fib_multipath_hash_policy", "1")  # by ports too, as providers balance
    first.run("ip", "route", "replace", TARGET, *both)
    looks()
    for number in range(BALANCED_LOOKS):
        scenes[f"balanced {number}"] = looks()
    first.run("ip", "route", "replace", "blackhole", TARGET)
    scenes["no way"] = looks()
    return scenes


if __name__ == "__main__":
    print(json.dumps(main()))  # noqa: T201 - the answer
