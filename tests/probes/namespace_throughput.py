"""In a network namespace: a shaped line, our endpoint behind uvicorn at its far end, and looks.

``python namespace_throughput.py FOLDER MBIT_S ...``: one JSON object, by shaped rate the look and,
where iperf3 is installed and ``IPERF3`` is set, what it found in its own time and with our bytes.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import uvicorn  # noqa: TID251 - the server that stands before the endpoint in the collector too

from collector.throughput import Throughput as Endpoint
from model.kinds import Throughput
from probes.clock import SystemClock
from probes.dns import resolve
from probes.look import Look
from probes.throughput import ThroughputProbe
from tests.probes.looking import check_of
from tests.probes.netns import Place, line, shaped

PORT = 18086
PACKET_SHARE = 1500 / 1448
"""IP packet to payload (RFC 7323 time stamps on): iperf3 counts payload."""


class _Told(uvicorn.Server):
    """Says when it listens."""

    async def startup(self, sockets: "list[object] | None" = None) -> None:
        await super().startup(sockets)  # type: ignore[arg-type] - none are given
        print("listening", flush=True)  # noqa: T201 - to whoever started us


def serve() -> None:
    config = uvicorn.Config(
        Endpoint(lambda _: True), "0.0.0.0", PORT, log_level="error", lifespan="off"  # noqa: S104 - in a namespace of its own
    )  # fmt: skip
    asyncio.run(_Told(config).serve())


def iperf3(address: str, *more: str) -> dict[str, float] | None:
    """Mbit/s of IP packets at the receiver, and the bytes that took; None where iperf3 has no
    figure, as of very few bytes."""
    command = ["iperf3", "-c", address, "-J", *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    received = json.loads(done.stdout)["end"].get("sum_received")
    if not received or not received["seconds"]:
        return None
    return {
        "mbit_s": received["bits_per_second"] / 1e6 * PACKET_SHARE,
        "bytes": received["bytes"] * PACKET_SHARE,
    }


def peer(address: str, look: Look) -> dict[str, object]:
    """iperf3, ten seconds each way as it does by itself, and again with no more bytes than we."""
    half = ("-l", "8K", "-n", str(int(look.readings["test_bytes"] / 2)))
    return {
        "download": iperf3(address, "-R"),
        "upload": iperf3(address),
        "download_of_our_bytes": iperf3(address, "-R", *half),
        "upload_of_our_bytes": iperf3(address, *half),
    }


def main(folder: Path, rates: list[str]) -> dict[str, object]:
    home, away = Place(held=False), Place()
    _, address = line(home, away, 1)
    servers = [away.start(sys.executable, str(Path(__file__)), "serve")]
    judged = bool(os.environ.get("IPERF3")) and shutil.which("iperf3") is not None
    if judged:
        servers.append(away.start("iperf3", "-s", "--forceflush"))
    url = f"http://{address}:{PORT}/api/v1/throughput"
    settings = Throughput(url, budget_file=str(folder / "budget.json"))
    probe = ThroughputProbe(resolve, SystemClock(), carried=lambda: 0)
    found: dict[str, object] = {}
    try:
        for rate in rates:
            shaped(home, away, 1, rate)
            look = asyncio.run(probe(check_of(settings, timeout_seconds=60)))
            seen = {"outcome": look.outcome.name, "reason": look.reason, **look.readings}
            found[rate] = seen | ({"iperf3": peer(address, look)} if judged else {})
    finally:
        for server in servers:
            server.terminate()
            server.wait()
    return found


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve()
    else:
        print(json.dumps(main(Path(sys.argv[1]), sys.argv[2:])))  # noqa: T201 - the answer
