"""In a network namespace: a shaped loopback, our endpoint behind uvicorn, and looks at it.

``python namespace_throughput.py FOLDER MBIT_S ...``: one JSON object, figures by shaped rate.
"""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import uvicorn  # noqa: TID251 - the server that stands before the endpoint in the collector too

from collector.throughput import Throughput as Endpoint
from model.kinds import Throughput
from probes.clock import SystemClock
from probes.dns import resolve
from probes.throughput import ThroughputProbe
from tests.probes.looking import check_of

PORT = 18086


def run(*words: str) -> None:
    subprocess.run(words, check=True)


async def main(folder: Path, rates: list[str]) -> dict[str, object]:
    config = uvicorn.Config(Endpoint(lambda _: True), port=PORT, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    found: dict[str, object] = {}
    probe = ThroughputProbe(resolve, SystemClock(), carried=lambda: 0)
    settings = Throughput(
        f"http://127.0.0.1:{PORT}/api/v1/throughput", budget_file=str(folder / "budget.json")
    )
    for rate in rates:
        shape = ("rate", f"{rate}mbit", "burst", "16kb", "latency", "200ms")
        run("tc", "qdisc", "replace", "dev", "lo", "root", "tbf", *shape)
        look = await probe(check_of(settings, timeout_seconds=40))
        found[rate] = {"outcome": look.outcome.name, "reason": look.reason, **look.readings}
    server.should_exit = True
    await serving
    return found


if __name__ == "__main__":
    run("ip", "link", "set", "lo", "mtu", "1500", "up")
    print(json.dumps(asyncio.run(main(Path(sys.argv[1]), sys.argv[2:]))))  # noqa: T201 - the answer
