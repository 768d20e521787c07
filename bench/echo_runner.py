"""One pinger as a process of its own, so that all its CPU can be counted, start-up included.

``python -m bench.echo_runner KIND RATE STALL_SECONDS < addresses``: one echo to each address on
standard input; one JSON object with what was answered and the median RTT on standard output.
"""

import json
import sys
import time
from collections.abc import Callable


def ours(addresses: list[str], rate: float, stall_seconds: float) -> list[float]:
    """Our engine; ``stall_seconds`` is slept between its steps, as a busy event loop would."""
    from probes.icmp import EchoEngine, EchoRequest  # noqa: PLC0415 - each kind loads its own

    engine = EchoEngine(rate)
    for address in addresses:
        engine.add(EchoRequest(address, address, 1))
    rtts: list[float] = []
    while engine.pending:
        for result in engine.step(1):
            rtts += [rtt for rtt in result.rtt_seconds if rtt is not None]
        if stall_seconds:
            time.sleep(stall_seconds)  # the misfortune under test
    engine.close()
    return rtts


def gufo(addresses: list[str], _rate: float, _stall_seconds: float) -> list[float]:
    """gufo-ping with 200 echoes in flight; it cannot pace."""
    import asyncio  # noqa: PLC0415 - each kind loads its own

    from gufo.ping import Ping  # noqa: PLC0415 - each kind loads its own

    async def ask_all() -> list[float]:
        ping, room = Ping(timeout=2.0), asyncio.Semaphore(200)

        async def ask(address: str) -> float | None:
            async with room:
                return await ping.ping(address)

        found = await asyncio.gather(*(ask(address) for address in addresses))
        return [rtt for rtt in found if rtt is not None]

    return asyncio.run(ask_all())


def icmplib(addresses: list[str], _rate: float, _stall_seconds: float) -> list[float]:
    """icmplib with 200 tasks (a raw socket each); it cannot pace."""
    from icmplib import multiping  # noqa: PLC0415 - each kind loads its own

    hosts = multiping(addresses, count=1, concurrent_tasks=200)
    return [rtt / 1000 for host in hosts for rtt in host.rtts]


KINDS: dict[str, Callable[[list[str], float, float], list[float]]] = {
    "ours": ours,
    "gufo": gufo,
    "icmplib": icmplib,
}


if __name__ == "__main__":
    kind, rate, stall_seconds = sys.argv[1:]
    rtts = sorted(KINDS[kind](sys.stdin.read().split(), float(rate), float(stall_seconds)))
    median = rtts[len(rtts) // 2] if rtts else None
    print(json.dumps({"received": len(rtts), "rtt_median_seconds": median}))
