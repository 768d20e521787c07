"""The load of bench/ingest.py: sends prepared requests over keep-alive connections as fast as they
are answered. Run in a process of its own, so that its work is not booked on the server.

Usage: ``python -m bench.ingest_load HOST PORT CONNECTIONS`` with a pickled list of requests (bytes)
on standard input; prints ``{"seconds": s, "latencies": [s, ...], "statuses": {"204": n}}``.
"""

import asyncio
import json
import pickle
import sys
import time
from collections import Counter


async def _send(host: str, port: int, requests: list[bytes], told: dict[str, list[float]]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for request in requests:
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


async def _main(host: str, port: int, connections: int, requests: list[bytes]) -> None:
    told: dict[str, list[float]] = {}
    began = time.perf_counter()
    parts = [requests[at::connections] for at in range(connections)]
    await asyncio.gather(*(_send(host, port, part, told) for part in parts))
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
        )
    )
