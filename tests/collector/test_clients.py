"""A real collector and real clients: InfluxDB's own, curl, crowds, slow ones, hostile ones."""

import gzip
import http.client
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest
from influxdb_client import InfluxDBClient, WriteOptions  # noqa: TID251 - plays the client

from collector.credentials import Keys
from collector.server import DEAF_SECONDS
from tests.collector.running import LINE, ROOT, WRITE, Collector

NOW_MS = time.time_ns() // 1_000_000


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Fewer files than some tests keep connections: the collector must see to it that it may.
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, soft), hard))
    try:
        collector = Collector(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    yield collector
    collector.end()


def test_influxdb_s_own_client_in_batching_mode(collector: Collector) -> None:
    """Its WriteApi delivers what it was given, gzip or not (the example of docs/collector.md)."""
    for compressed in (False, True):
        with (
            InfluxDBClient(
                collector.url, token=collector.key, org="-", enable_gzip=compressed
            ) as client,
            client.write_api(WriteOptions(batch_size=500)) as api,
        ):
            for n in range(1200):
                api.write("-", "-", f"{LINE},gap_looks={n}i {NOW_MS + n + 5000 * compressed}", "ms")
    numbers = sorted(int(line.rpartition(" ")[2]) - NOW_MS for line in collector.lines())
    assert numbers == [*range(1200), *range(5000, 6200)]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_as_the_page_says(collector: Collector) -> None:
    """The one-liner of docs/collector.md, word for word but for the port, is accepted."""
    page = (ROOT / "docs" / "collector.md").read_text()
    command = page.partition("```\ncurl -H")[2].partition("```")[0]
    (collector.folder / "key").write_text(collector.key)
    done = subprocess.run(
        ["/bin/sh", "-c", "curl -sf -H" + command.replace("127.0.0.1:8086", collector.url[7:])],
        cwd=collector.folder, check=False, capture_output=True, timeout=20,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert collector.lines()[0].startswith("ping,site=desa-semparuk,")


def test_telegraf_as_the_page_says(collector: Collector) -> None:
    """The configuration of docs/collector.md, delivered as Telegraf's outputs.influxdb_v2 does it:
    gzip in chunks without a length, nanoseconds, the organization and the bucket in the query."""
    page = (ROOT / "docs" / "collector.md").read_text()
    text = page.partition("```\n[[outputs.influxdb_v2]]")[2].partition("```")[0]
    (output,) = tomllib.loads("[[outputs.influxdb_v2]]" + text)["outputs"]["influxdb_v2"]
    assert output.keys() == {"urls", "token", "organization", "bucket", "tls_ca"}
    assert output["token"] == "$JANGKAU_KEY"  # noqa: S105 - a variable's name
    lines = [f"{LINE},gap_looks={n}i {NOW_MS + n}000000" for n in range(100)]
    body = gzip.compress("\n".join([*lines, ""]).encode())
    query = urlencode({"bucket": output["bucket"], "org": output["organization"]})
    with closing(http.client.HTTPConnection("127.0.0.1", collector.port, timeout=30)) as line:
        for _ in range(2):  # a batch whose answer was lost is sent again
            line.request(
                "POST", f"/api/v2/write?{query}", iter([body[:50], body[50:]]), encode_chunked=True,
                headers={
                    "Authorization": f"Token {collector.key}", "Content-Encoding": "gzip",
                    "Content-Type": "text/plain; charset=utf-8", "User-Agent": "Telegraf/1.30.0",
                },
            )  # fmt: skip
            answer = line.getresponse()
            assert (answer.status, answer.read()) == (204, b"")
    assert len(collector.lines()) == 100


def test_bombs_cost_little_memory(collector: Collector) -> None:
    """Bombs with and without a key, nested and concatenated, declared falsely: each is refused,
    and the peak of memory grows by 16 MiB at most (S-03)."""
    zeros = gzip.compress(bytes(64 * 1024 * 1024))
    nested = gzip.compress(gzip.compress(zeros))
    assert collector.post(LINE.encode())[0] == 204
    before = collector.rss_bytes()
    for _ in range(5):
        assert collector.post(zeros, Content_Encoding="gzip")[0] == 413
        assert collector.post(zeros, key="x", Content_Encoding="gzip")[0] == 401
        assert collector.post(zeros + zeros, Content_Encoding="gzip")[0] == 413
        assert collector.post(nested, Content_Encoding="gzip")[0] == 400
        assert collector.post(gzip.compress(b"x") + b"tail", Content_Encoding="gzip")[0] == 400
    assert collector.rss_bytes() - before <= 16 * 1024 * 1024
    assert len(collector.lines()) == 1


def test_a_crowd_is_turned_away_early(collector: Collector) -> None:
    """With 64 requests held open, the 65th gets 503 without its body being read, others stay
    served, and when the crowd is gone all is as before (N-05)."""
    head = (
        f"POST {WRITE} HTTP/1.1\r\nHost: c\r\nAuthorization: Token {collector.key}\r\n"
        "Content-Length: 1000\r\n\r\nx"
    ).encode()
    crowd = [socket.create_connection(("127.0.0.1", collector.port), 10) for _ in range(64)]
    for one in crowd:
        one.sendall(head)
    try:
        end = time.monotonic() + 10
        status, _ = collector.post(b"x")
        while status != 503 and time.monotonic() < end:  # until all 64 have been seen
            status, _ = collector.post(b"bad")
        assert status == 503
        took = []
        for _ in range(21):
            with socket.create_connection(("127.0.0.1", collector.port), 10) as late:
                began = time.monotonic()
                late.sendall(head)  # (its body never comes)
                assert late.recv(100).startswith(b"HTTP/1.1 503")
                took.append(time.monotonic() - began)
        assert sorted(took)[10] <= 0.05
        collector.healthy_within(1.0)
    finally:
        for one in crowd:
            one.close()
    end = time.monotonic() + 10
    while (status := collector.post(LINE.encode())[0]) == 503 and time.monotonic() < end:
        pass
    assert status == 204


def test_bytes_for_a_throughput_test(collector: Collector) -> None:
    """Whoever may write fetches as many bytes as asked for, at the very address that the probe
    asks; others get 401, a mistake 400, and unreadable keys 507."""
    path = "/api/v1/throughput"
    reader = Keys(collector.folder).add_reader("r", None, 1)

    def fetch(query: str, method: str = "GET", **headers: str) -> tuple[int, int]:
        with closing(http.client.HTTPConnection("127.0.0.1", collector.port, timeout=30)) as one:
            one.request(method, path + query, headers=headers)
            answer = one.getresponse()
            return answer.status, len(answer.read())

    bearing = {"Authorization": f"Token {collector.key}"}
    assert fetch("?bytes=100000", **bearing) == (200, 100_000)
    for wrong in ({}, {"Authorization": "Token x"}, {"Authorization": f"Token {reader}"}):
        assert fetch("?bytes=100000", **wrong)[0] == 401
        assert fetch("?bytes=100000", "POST", **wrong)[0] == 401
    for query in ("", "?bytes=x", "?bytes=0", "?bytes=-1"):
        assert fetch(query, **bearing)[0] == 400
    assert fetch("?bytes=1", "PUT", **bearing)[0] == 405
    (collector.folder / "keys.json").write_text("{")
    assert fetch("?bytes=1", **bearing)[0] == 507


def test_one_probe_at_a_hundred_times_its_rate(collector: Collector) -> None:
    """It is slowed down with 429 and Retry-After; another probe is not (N-06)."""
    other = Keys(collector.folder).add("q", None, 1)
    statuses = [collector.post(f"{LINE} {NOW_MS + n}".encode())[0] for n in range(250)]
    assert statuses.count(204) >= 100
    assert 429 in statuses
    assert all(
        collector.post(f"{LINE} {NOW_MS + n}".encode(), key=other)[0] == 204 for n in range(20)
    )


def test_who_asks_too_often_is_not_listened_to_for_a_while(collector: Collector) -> None:
    """After a 429 the next request on that connection waits a second for its answer; requests on
    others do not (N-06)."""
    greedy = http.client.HTTPConnection("127.0.0.1", collector.port, timeout=30)
    with closing(greedy):

        def ask() -> int:
            greedy.request("POST", WRITE, LINE, {"Authorization": f"Token {collector.key}"})
            answer = greedy.getresponse()
            answer.read()
            return answer.status

        while ask() != 429:
            pass
        other = Keys(collector.folder).add("q", None, 1)
        began = time.monotonic()
        assert collector.post(LINE.encode(), key=other)[0] == 204
        between = time.monotonic() - began
        ask()
        assert time.monotonic() - began >= DEAF_SECONDS * 0.9 > between


@pytest.mark.faults
def test_a_collector_that_stands_still_for_a_while(collector: Collector) -> None:
    """Stopped and continued at random moments under a writer: what was acknowledged is stored
    once (R-14)."""
    pauses = max(5, int(os.environ.get("JANGKAU_FAULTS", "0")) // 5)
    seed = int(os.environ.get("JANGKAU_SEED", str(random.randrange(10**6))))  # noqa: S311 - no secret
    print(f"{seed=}")  # noqa: T201 - to repeat it
    draw = random.Random(seed)  # noqa: S311 - no secret
    acked, stop = [0], threading.Event()

    def write() -> None:
        while not stop.is_set():
            number = acked[0]
            status, _ = collector.post(
                f"{LINE},gap_looks={number}i {NOW_MS - number}".encode(),
                X_Jangkau_Probe="p", X_Jangkau_Epoch="00000000000000aa",
                X_Jangkau_First=str(number), X_Jangkau_Last=str(number),
            )  # fmt: skip
            acked[0] += status == 200

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(pauses):
        collector.process.send_signal(signal.SIGSTOP)
        threading.Event().wait(draw.uniform(0.05, 0.5))  # the pause is the test
        collector.process.send_signal(signal.SIGCONT)
        threading.Event().wait(draw.uniform(0.01, 0.1))
    stop.set()
    writer.join()
    numbers = sorted(NOW_MS - int(line.rpartition(" ")[2]) for line in collector.lines())
    assert acked[0] > 0
    assert numbers == list(range(acked[0]))
