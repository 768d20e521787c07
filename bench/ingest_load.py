"""The load of bench/ingest.py: sends prepared requests over keep-alive connections as fast as they
are answered, or at a rate. Run in a process of its own, so that its work is not booked on the
server.

Usage: ``python -m bench.ingest_load HOST PORT CONNECTIONS [REQUESTS_PER_SECOND]`` with a pickled
list of requests (bytes) on standard input; prints
``{"seconds": s, "latencies": [s, ...], "statuses": {"204": n}}``.
"""

import asyncio
import json
import math
import pickle
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable


async def _send(
    host: str,
    port: int,
    requests: list[bytes],
    told: dict[str, list[float]],
    due: Callable[[int], float],
) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for number, request in enumerate(requests):
        if (early := due(number) - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        if (at := lower.find(b"content-length:")) >= 0:
            await reader.readexactly(int(lower[at + 15 : lower.index(b"\r\n", at)]))
        status = head[9:12].decode()
        told.setdefault(status, []).append(time.perf_counter() - began)
    writer.close()
    await writer.wait_closed()


async def _main(host: str, port: int, connections: int, requests: list[bytes], rate: float) -> None:
    told: dict[str, list[float]] = {}
    began = time.perf_counter()

    def part(at: int) -> Awaitable[None]:
        # Whoever sends late is late by himself: what is due later is not put off (no coordinated
        # omission), and a connection has one request under way at most.
        def due(number: int) -> float:
            return began + (at + number * connections) / rate

        return _send(host, port, requests[at::connections], told, due)

    await asyncio.gather(*(part(at) for at in range(connections)))
    seconds = time.perf_counter() - began
    latencies = sorted(one for some in told.values() for one in some)
    statuses = Counter({status: len(some) for status, some in told.items()})
    print(json.dumps({"seconds": seconds, "latencies": latencies, "statuses": statuses}))


if __name__ == "__main__":
    asyncio.run(
        _main(
            sys.argv[1],
            int(sys.argv[2]),
            int(sys.argv[3]),
            pickle.load(sys.stdin.buffer),  # noqa: S301 - our own parent wrote it
            float(sys.argv[4]) if len(sys.argv) > 4 else math.inf,
        )
    )
