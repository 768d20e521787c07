"""Durable ingest beside VictoriaMetrics and InfluxDB 1: the same 60-line gzip batches, one after
the other on two cores.

Goal: at least 1,500 batches a second with a 99th percentile of at most 50 ms, and no more CPU a
point than InfluxDB. The peers answer before anything is fsynced; we answer after.
"""

import gzip
import json
import os
import pickle
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.process import jangkau
from collector.credentials import Keys

BATCHES = 6_000
LINES = 60
CONNECTIONS = 16
START_MS = 1_790_000_000_000

Request = Callable[[int, bytes], bytes]


def run() -> None:
    """One row a server; influxd is looked for on the PATH (Debian: influxdb, 1.6)."""
    with tempfile.TemporaryDirectory() as scratch:
        rows = {"jangkau (fsynced)": _ours(Path(scratch) / "ours")}
        if shutil.which("victoria-metrics"):
            rows["victoria-metrics"] = _victoria(Path(scratch) / "vm")
        if shutil.which("influxd"):
            rows["influxdb 1.6"] = _influx(Path(scratch) / "influx")
        print(f"{BATCHES} gzip batches of {LINES} lines over {CONNECTIONS} connections")
        for name, row in rows.items():
            latencies = row["latencies"]
            p99 = latencies[int(len(latencies) * 0.99)] * 1000
            points = BATCHES * LINES
            print(
                f"{name:20} {BATCHES / row['seconds']:7.0f} batches/s  p99 {p99:6.1f} ms  "
                f"{row['cpu'] / points * 1e6:6.2f} CPU-us/point  answers {row['statuses']}"
            )


def bodies() -> list[bytes]:
    """What 60 looks a minute of one village look like, gzipped as our probe does it: round-trip
    times with three significant digits, each village at its own distance."""
    draw, made = random.Random(1), []  # noqa: S311 - no secret; the same for every server
    for batch in range(BATCHES):
        base = 0.02 + batch % 2145 / 4000
        lines = []
        for n in range(LINES):
            least, middle, most = (base + draw.expovariate(200 / rank) for rank in (1, 3, 9))
            middle, most = max(least, middle), max(least, middle, most)
            lines.append(
                f"ping,site=desa-{batch % 2145},target=site,vantage=village outcome=1i,sent=5i,"
                f"received=5i,rtt_min_seconds={least:.3g},rtt_median_seconds={middle:.3g},"
                f"rtt_max_seconds={most:.3g},jitter_seconds={(most - least) / 3:.3g}"
                f" {START_MS + (batch // 2145 * LINES + n) * 60_000 + batch % 2145}"
            )
        made.append(gzip.compress("\n".join(lines).encode(), mtime=0))
    return made


def _post(path: str, body: bytes, **headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: bench", "Content-Encoding: gzip"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def load(
    port: int,
    requests: list[bytes],
    process: "subprocess.Popen[Any]",
    rate: float | None = None,
    connections: int = CONNECTIONS,
) -> dict[str, Any]:
    """Send them, as fast as they are answered or at a rate; ``seconds``, sorted ``latencies`` (s),
    ``statuses``, and the server's ``cpu`` seconds meanwhile."""
    before = _cpu_seconds(process.pid)
    words = ["127.0.0.1", str(port), str(connections), *([] if rate is None else [str(rate)])]
    done = subprocess.run(
        [sys.executable, "-m", "bench.ingest_load", *words],
        input=pickle.dumps(requests),
        stdout=subprocess.PIPE,
        check=True,
    )
    row: dict[str, Any] = json.loads(done.stdout)
    row["cpu"] = _cpu_seconds(process.pid) - before
    return row


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def collector(data: Path, *more: str) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """Our own server on a folder: the process and its port."""
    process = subprocess.Popen(
        jangkau(
            *("collector", "run", "--data", str(data), "--listen", "127.0.0.1:0"),
            *("--requests-per-second", "1000000", *more),
        ),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None  # noqa: S101 - it was asked for
        told = (line for line in process.stderr if "listening" in line)
        yield process, int(next(told).rpartition(":")[2])
    finally:
        process.terminate()
        process.wait(30)
        if process.stderr is not None:
            process.stderr.close()


def enveloped(key: str, sent: list[bytes], lines: int = LINES, epoch: int = 0xAA) -> list[bytes]:
    """The requests of one of our own probes, a body each."""
    return [
        _post(
            "/api/v2/write?precision=ms", body, Authorization=f"Token {key}",
            X_Jangkau_Probe="bench", X_Jangkau_Epoch=f"{epoch:016x}",
            X_Jangkau_First=str(n * lines), X_Jangkau_Last=str(n * lines + lines - 1),
        )
        for n, body in enumerate(sent)
    ]  # fmt: skip


def plain(key: str, body: bytes) -> bytes:
    """A plain client's request."""
    return _post("/api/v2/write?precision=ms", body, Authorization=f"Token {key}")


def _ours(data: Path) -> dict[str, Any]:
    key = Keys(data).add("bench", None, 1)
    with collector(data) as (process, port):
        return load(port, enveloped(key, bodies()), process)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _await(port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port}")


def _peer(command: list[str], port: int, path: str, first: str | None = None) -> dict[str, Any]:
    """``first``: a query to be posted before the load (InfluxDB 1 wants its database made)."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(port)
        if first is not None:
            form = urllib.parse.urlencode({"q": first}).encode()
            urllib.request.urlopen(f"http://127.0.0.1:{port}/query", form, timeout=10).close()
        return load(port, [_post(path, body) for body in bodies()], process)
    finally:
        process.terminate()
        process.wait(30)


def _victoria(data: Path) -> dict[str, Any]:
    port = _free_port()
    return _peer(
        ["victoria-metrics", f"-storageDataPath={data}", f"-httpListenAddr=127.0.0.1:{port}",
         "-retentionPeriod=100y"], port, "/api/v2/write?precision=ms",
    )  # fmt: skip


def _influx(data: Path) -> dict[str, Any]:
    port, rpc = _free_port(), _free_port()
    data.mkdir()
    config = data / "influxdb.conf"
    config.write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{rpc}"\n'
        f'[meta]\ndir = "{data}/meta"\n[data]\ndir = "{data}/data"\nwal-dir = "{data}/wal"\n'
        f'[http]\nbind-address = "127.0.0.1:{port}"\nlog-enabled = false\n'
    )
    process = ["influxd", "-config", str(config)]
    return _peer(process, port, "/write?db=bench&precision=ms", "CREATE DATABASE bench")
