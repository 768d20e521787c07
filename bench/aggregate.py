"""The plain weekly aggregate (availability, exact p95 of RTT, loss, per site) beside
VictoriaMetrics on the same looks, in the same run. Goal: at most half of its time.

Debian's ``victoria-metrics`` is started on a loopback port with a folder of its own, given every
look through its own import, and asked by its own query language.
"""

import shutil
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

from bench.process import jangkau, measured
from collector.archive.parquet import ParquetArchive
from collector.engine import Engine
from model.week import Week

WEEK, END, ZONE = Week(2026, 46), "2026-11-16", "Asia/Pontianak"
ROUNDS = 5
LINES_A_BATCH = 200_000

_OURS = """
SELECT site, avg(outcome) AS availability, quantile_cont(rtt_median_seconds, 0.95) AS p95,
       1 - sum(received) / sum(sent) AS loss
FROM looks WHERE vantage = 'centre' AND target = 'site' GROUP BY site
"""
_THEIRS = (
    "avg_over_time(look_outcome[7d])",
    "quantile_over_time(0.95, look_rtt_median_seconds[7d])",
    "1 - sum_over_time(look_received[7d]) / sum_over_time(look_sent[7d])",
)


def run() -> None:
    """2,145 sites, one week at one minute: 21.6 million looks in both."""
    server = shutil.which("victoria-metrics")
    if server is None:
        print("victoria-metrics is not installed: apt-get install victoria-metrics")
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        measured(jangkau("simulate", "province", "--out", str(folder / "p"), "--end", END))
        measured(
            jangkau(
                *("simulate", "history", "--province", str(folder / "p")),
                *("--data", str(folder / "data"), "--weeks", "1", "--centre-interval", "60"),
            )
        )
        files = ParquetArchive(folder / "data" / "archive").files(WEEK.interval(ZONE))
        port = _free_port()
        child = subprocess.Popen(
            [
                server, f"-storageDataPath={folder / 'vm'}", f"-httpListenAddr=127.0.0.1:{port}",
                "-retentionPeriod=20y", "-search.maxQueryDuration=300s", "-loggerLevel=ERROR",
            ]
        )  # fmt: skip
        try:
            with Engine() as engine:
                engine.open_looks(files)
                given = sum(_feed(path, port) for path in files)
                print(f"given to VictoriaMetrics: {given:,} looks")
                ours = [_timed(lambda: len(engine.rows(_OURS))) for _ in range(ROUNDS)]
            theirs = [_timed(lambda: _ask(port)) for _ in range(ROUNDS)]
        finally:
            child.terminate()
            child.wait()
    mine, other = statistics.median(ours), statistics.median(theirs)
    print(f"jangkau (DuckDB over Parquet)  {mine:.2f} s wall, median of {ROUNDS}")
    print(f"VictoriaMetrics                {other:.2f} s wall, median of {ROUNDS}")
    print(f"ratio {mine / other:.2f} (goal <= 0.5)")


def _feed(path: Path, port: int) -> int:
    """The centre's looks of one part file as line protocol; returns how many."""
    with Engine() as engine:
        engine.open_looks([path])
        rows = engine.rows(
            'SELECT site, outcome, sent, received, rtt_median_seconds, epoch_ms("at") FROM looks '
            "WHERE vantage = 'centre' AND target = 'site'"
        )
    for start in range(0, len(rows), LINES_A_BATCH):
        lines = [
            f"look,site={site} outcome={outcome},sent={sent},received={received}"
            + (f",rtt_median_seconds={rtt}" if rtt is not None else "")
            + f" {at}"
            for site, outcome, sent, received, rtt, at in rows[start : start + LINES_A_BATCH]
        ]
        _call(port, "/write?precision=ms", "\n".join(lines).encode())
    _call(port, "/internal/force_flush")
    return len(rows)


def _ask(port: int) -> int:
    at = WEEK.interval(ZONE).end_ms / 1000
    size = 0
    for query in _THEIRS:
        words = urllib.parse.urlencode({"query": query, "time": at, "nocache": 1})
        size += len(_call(port, f"/api/v1/query?{words}"))
    return size


def _call(port: int, path: str, body: bytes | None = None) -> bytes:
    """One request, repeated while the server starts (bounded)."""
    for attempt in range(100):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", body, 300) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.URLError:
            if attempt == 99:
                raise
            time.sleep(0.1)  # a server that is starting tells nobody when it is ready
    raise AssertionError("unreachable")


def _timed(work: Callable[[], int]) -> float:
    begun = time.perf_counter()
    if not work():
        raise RuntimeError("an aggregate came back empty")
    return time.perf_counter() - begun


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
