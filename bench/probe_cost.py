"""What a probe costs: memory, CPU, and bytes on the wire beside two other agents' ways.

A day of 1,440 rounds of five targets, sent to a real collector over TLS on loopback. Bytes are the
kernel's own count of each connection, from the IP header up (``probes/meter.py``), both ways. The
peers send the same figures in their way: OpenWISP's agent as JSON, uncompressed, every five minutes
on a new connection; Telegraf as line protocol, gzip, a flush every 10 s (here every round of a
minute, since nothing comes between) on a kept connection.
"""

import gzip
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from model.measurement import Measurement
from probes.clock import SystemClock
from probes.echo import EchoRequest, EchoResult
from probes.known_time import KnownTime, boot_text, stamp
from probes.line_protocol import encode, thin
from probes.link import Link
from probes.ping import look_of
from probes.spool import Spool
from probes.uplink import Uplink

ROOT = Path(__file__).parents[1]
MAIN = [sys.executable, "-c", "from cli.main import main; main()"]
TARGETS = ("lan", "isp_gateway", "national", "international", "application:siap")
ROUNDS = 1440
PYTHON = "/usr/bin/python3.11" if Path("/usr/bin/python3.11").exists() else sys.executable
"""What a device would run it with: Debian's own, where there is one."""
AGENT_SECONDS = 20
FLUSH_ROUNDS = 3
AGENT = """
import sys
from pathlib import Path
from cli.probe_service import Plan, serve
from model.check import Check
folder, url = sys.argv[1:]
names = ("lan", "isp_gateway", "national", "international", "application:siap")
places = enumerate(names, 1)
checks = tuple(Check("v-1", "village", "ping", n, f"127.0.0.{i}", 1) for i, n in places)
serve(Plan("v-1", "v-1", "village", url, Path(folder, "key").read_text().strip(), Path(folder),
           Path(folder, "spool"), ca_file=Path(folder, "cert"), checks=checks, flush_seconds=5,
           every_seconds=5))
"""


def day(site: str) -> list[list[Measurement]]:
    """A day's looks, with round-trip times that wander and now and then a loss."""
    draws = random.Random(1)  # noqa: S311 - the same day in every run
    start_ms = (int(time.time()) - 86_400) * 1000
    base = [0.002, 0.012, 0.024, 0.19, 0.03]
    rounds = []
    for number in range(ROUNDS):
        looks = []
        for place, target in enumerate(TARGETS):
            rtts = [base[place] * draws.lognormvariate(0, 0.15) for _ in range(5)]
            lost = [None] if draws.random() < 0.02 else []
            answered = tuple([*lost, *rtts][:5])
            at_ms = start_ms + number * 60_000 + place * 7919 % 60_000
            at_ms += draws.choice((0, 1, 1, 2, 4))  # the loop is never quite on time
            echoed = EchoResult(EchoRequest("", "127.0.0.1"), at_ms, 5, 5 - len(lost), answered)
            look = look_of(echoed)
            looks.append(
                Measurement(site, "village", "ping", target, at_ms, look.outcome, look.readings)
            )
        rounds.append(looks)
    return rounds


@contextmanager
def collector(folder: Path) -> Iterator[str]:
    """A real collector with TLS; its URL. The key is in ``key``, the certificate in ``cert``."""
    certificate = [
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-days", "2", "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1"),
        *("-keyout", str(folder / "private"), "-out", str(folder / "cert")),
    ]
    subprocess.run(["/usr/bin/env", *certificate], check=True, capture_output=True)
    data = str(folder / "data")
    key = ["keys", "add", "v-1", "--site", "v-1", "--data", data, "--out", str(folder / "key")]
    subprocess.run([*MAIN, *key], cwd=ROOT, check=True, capture_output=True)
    words = ["collector", "run", "--data", data, "--listen", "127.0.0.1:0"]
    words += ["--requests-per-second", "10000", "--certificate", str(folder / "cert")]
    words += ["--private-key", str(folder / "private")]
    process = subprocess.Popen([*MAIN, *words], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    if process.stderr is None:
        raise RuntimeError("no pipe")
    try:
        said = process.stderr.readline()
        port = re.search(r":(\d+)\s*$", said)
        if port is None:
            raise RuntimeError(f"the collector says: {said}")
        yield f"https://127.0.0.1:{port[1]}"
    finally:
        process.terminate()
        process.communicate()


def ours(
    folder: Path, url: str, rounds: list[list[Measurement]], batch: int, *, kept: bool, lean: bool
) -> int:
    """Bytes of a day with deliveries every ``batch`` rounds, by the real uplink; ``lean``: as while
    bytes are saved, with outcome, loss and median alone."""
    clock = SystemClock()
    key = (folder / "key").read_text().strip()
    state = Path(tempfile.mkdtemp(dir=folder))
    known = KnownTime(state / "time", clock)
    link = Link(url, key, version="0.1.0", ca_file=folder / "cert")
    spool = Spool(state / "spool", lambda _: no_gap())
    uplink = Uplink(
        spool,
        link.post,
        clock,
        random.uniform,
        probe="v-1",
        dates=known,
        post_packed=link.post_packed,
    )
    written = (lambda look: thin(encode(look))) if lean else encode
    offset_ms = clock.wall_ms() - clock.monotonic_ms()
    for start in range(0, len(rounds), batch):
        looks = [look for some in rounds[start : start + batch] for look in some]
        lines = [
            (look.at_ms, stamp(written(look), look.at_ms - offset_ms, boot_text(clock)))
            for look in looks
        ]
        spool.append(lines, clock.wall_ms())
        while uplink.step() is not None:
            if uplink.tally.failures:
                raise RuntimeError("a delivery failed")
        if not kept:
            link.close()
    link.close()
    spool.close()
    return link.wire_bytes


def no_gap() -> bytes:
    """Nothing is dropped here."""
    raise RuntimeError("a gap in a bench")


def telegraf(folder: Path, url: str, rounds: list[list[Measurement]]) -> int:
    """Plain line protocol, gzip, one write a round, one kept connection."""
    link = Link(url, (folder / "key").read_text().strip(), version="", ca_file=folder / "cert")
    for looks in rounds:
        body = gzip.compress(b"\n".join(encode(look) for look in looks), mtime=0)
        headers = {"Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "gzip"}
        link.post(body, headers)
    link.close()
    return link.wire_bytes


def openwisp(folder: Path, url: str, rounds: list[list[Measurement]]) -> int:
    """The same figures as JSON, uncompressed, every five minutes, each time a new connection."""
    total = 0
    for start in range(0, len(rounds), 5):
        link = Link(url, (folder / "key").read_text().strip(), version="", ca_file=folder / "cert")
        looks = [look for some in rounds[start : start + 5] for look in some]
        document = [
            {
                "target": look.target,
                "time": look.at_ms,
                "outcome": int(look.outcome),
                **look.readings,
            }
            for look in looks
        ]
        body = json.dumps({"type": "DeviceMonitoring", "ping": document}).encode()
        link.post(body, {"Content-Type": "application/json"})
        link.close()
        total += link.wire_bytes
    return total


def flash(folder: Path, rounds: list[list[Measurement]]) -> tuple[int, int]:
    """Bytes that a day of looks writes, as the spool counts them and by the page as the kernel
    does (``write_bytes`` of proc(5); without the file system's own), at the usual flush."""
    clock = SystemClock()
    state = Path(tempfile.mkdtemp(dir=folder))
    before = _written_bytes()
    with closing(KnownTime(state / "time", clock)), closing(Spool(state, lambda _: b"")) as spool:
        for start in range(0, len(rounds), FLUSH_ROUNDS):
            looks = [look for some in rounds[start : start + FLUSH_ROUNDS] for look in some]
            lines = [(look.at_ms, stamp(encode(look), 1, boot_text(clock))) for look in looks]
            spool.append(lines, clock.wall_ms())
            batch = spool.batch(newest=True, max_records=2000)
            if batch is not None:
                spool.acknowledge([(batch.first, batch.last)])
        counted = spool.written_bytes
    return counted, _written_bytes() - before


def _written_bytes() -> int:
    found = re.search(r"^write_bytes: (\d+)", Path("/proc/self/io").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def agent_cost(folder: Path, url: str) -> tuple[float, float]:
    """(peak RSS in MiB, CPU seconds per round of five targets), of the agent at a round a second,
    under the system's Python with the unit file's environment."""
    environment = {**os.environ, "MALLOC_ARENA_MAX": "1"}
    command = [PYTHON, "-c", AGENT, str(folder), url]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    path = Path(f"/proc/{process.pid}")
    try:
        time.sleep(5)  # the start is paid once, not every round
        begun, began = time.monotonic(), _cpu_seconds(path)
        time.sleep(AGENT_SECONDS)
        rounds = time.monotonic() - begun
        used = _cpu_seconds(path) - began
        text = (path / "status").read_text()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    peak = re.search(r"VmHWM:\s+(\d+) kB", text)
    return (int(peak[1]) / 1024 if peak else float("nan")), used / rounds


def _cpu_seconds(path: Path) -> float:
    fields = (path / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run() -> None:
    """Print the table."""
    folder = Path(tempfile.mkdtemp(prefix="jangkau-bench-"))
    rounds = day("v-1")
    try:
        with collector(folder) as url:
            five = ours(folder, url, rounds, 5, kept=True, lean=False)
            hour = ours(folder, url, rounds, 60, kept=False, lean=False)
            lean_five = ours(folder, url, rounds, 5, kept=True, lean=True)
            lean_hour = ours(folder, url, rounds, 60, kept=False, lean=True)
            plain = telegraf(folder, url, rounds)
            loud = openwisp(folder, url, rounds)
            written, by_page = flash(folder, rounds)
            peak, per_round = agent_cost(folder, url)
    finally:
        shutil.rmtree(folder)
    print("bytes a day on the wire, 1,440 rounds of five targets, from IP up, TLS included")
    for name, count in (
        ("ours, five minutes, kept connection", five),
        ("ours, hourly, TLS session resumed", hour),
        ("ours, five minutes, saving", lean_five),
        ("ours, hourly, saving", lean_hour),
        ("Telegraf's way: line protocol, gzip, every round", plain),
        ("OpenWISP's way: JSON, every five minutes", loud),
    ):
        print(f"  {name:52} {count / 1000:8.0f} kB  x {count / five:.2f}")
    print(f"flash: {written / 1e6:.1f} MB a day as counted, {by_page / 1e6:.1f} MB by the page")
    print(
        f"agent ({PYTHON}): peak RSS {peak:.1f} MiB; {per_round * 1000:.1f} ms of CPU a round, ",
        end="",
    )
    print(f"{per_round / 60:.3%} of a core at one a minute; this bench {_own():.0f} s of CPU")


def _own() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
