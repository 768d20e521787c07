"""One behaviour of all probes: the same misfortune, the same data at the collector.

Real agents (Python; POSIX sh under busybox with nothing but busybox's tools), a real collector, and
a line between them that misbehaves. RouterOS cannot run here: ``test_routeros.py`` holds what its
script sends against the same decoder.
"""

import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest

from collector.journal import JournalReader
from collector.line_protocol import Line
from probes.clock import SystemClock
from probes.link import PACKED_PATH

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "probes" / "openwrt" / "files" / "jangkau-probe"
SITE = "v-1"
TARGETS = {"isp_gateway": "127.0.0.1", "national": "127.0.0.2", "international": "127.0.0.3"}
APPLETS = "wget ping awk date grep sleep timeout mv rm mkdir wc cat sync gzip nslookup logger"
PATIENCE_SECONDS = 60.0

BUSYBOX = shutil.which("busybox")
needs_busybox = pytest.mark.skipif(BUSYBOX is None, reason="needs Debian's busybox")

PYTHON_AGENT = """
import logging, sys
from pathlib import Path
from cli.probe_service import Plan, serve
from model.check import Check
logging.basicConfig(level=logging.INFO)
folder, url, *targets = sys.argv[1:]
pairs = [target.split("=") for target in targets]
checks = tuple(Check("v-1", "village", "ping", n, a, 1, 1.0, 2) for n, a in pairs)
serve(Plan("v-1", "v-1", "village", url, Path(folder, "key").read_text().strip(), Path(folder),
           Path(folder, "spool"), checks=checks, flush_seconds=2.0, fleet=False,
           budget_bytes_a_day=1_000_000_000))
"""


class LineOfFaults(ThreadingHTTPServer):
    """The way to the collector; ``fault`` is how it misbehaves just now."""

    daemon_threads = True

    def __init__(self, collector: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.collector = collector
        self.fault = "none"
        self.paths: set[str] = set()
        self.met: Counter[str] = Counter()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that we cut off is no news."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LineOfFaults

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fault = self.server.fault
        self.server.paths.add(self.path.partition("?")[0])
        try:
            self.answer(fault, body)
        finally:
            self.server.met[fault] += 1

    def answer(self, fault: str, body: bytes) -> None:
        if fault == "cut":
            self.close_connection = True
        elif fault == "portal":
            self.reply(200, "text/html", b"<html>Selamat datang, silakan masuk</html>")
        elif fault == "busy":
            self.reply(503, "application/json", b"{}", ("Retry-After", "1"))
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.server.collector, timeout=10)
            headers = {name: value for name, value in self.headers.items() if name != "Host"}
            connection.request("POST", self.path, body, headers)
            response = connection.getresponse()
            content = response.read()
            connection.close()
            if fault == "answer lost":
                self.close_connection = True
            elif fault == "answer cut":
                self.reply(response.status, "application/json", content[: len(content) // 2])
            else:
                short = response.headers.get("Receipt")
                more = [("Receipt", short)] if short else []
                self.reply(response.status, response.headers["Content-Type"], content, *more)

    def reply(self, status: int, kind: str | None, body: bytes, *more: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *more):
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silence: the tests say what they expect."""


class Rig:
    """A collector, the line to it, and an agent of one kind."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder, self.kind = folder, kind
        self.data = folder / "data"
        words = ["keys", "add", SITE, "--site", SITE, "--data", str(self.data)]
        main = [sys.executable, "-c", "from cli.main import main; main()"]
        key = [*words, "--out", str(folder / "key")]
        subprocess.run([*main, *key], cwd=ROOT, check=True, capture_output=True)
        run = ["collector", "run", "--data", str(self.data), "--listen", "127.0.0.1:0"]
        self.collector = subprocess.Popen(
            [*main, *run], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        assert self.collector.stderr is not None
        said = self.collector.stderr.readline()
        port = re.search(r":(\d+)\s*$", said)
        assert port is not None, said
        self.line = LineOfFaults(int(port[1]))
        self.thread = threading.Thread(target=self.line.serve_forever, args=(0.01,))
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.line.server_address[1]}"
        self.agent: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the agent."""
        if self.kind == "python":
            pairs = [f"{name}={address}" for name, address in TARGETS.items()]
            arguments = [sys.executable, "-c", PYTHON_AGENT, str(self.folder), self.url, *pairs]
            environment = dict(os.environ)
        else:
            assert BUSYBOX is not None
            tools = self.folder / "bin"
            if not tools.exists():
                tools.mkdir()
                for name in APPLETS.split():
                    (tools / name).symlink_to(BUSYBOX)
                self.configure()
            arguments = [BUSYBOX, "ash", str(stripped(self.folder)), str(self.folder / "config")]
            environment = {"PATH": str(tools)}
        with (self.folder / "agent.log").open("ab") as log:
            self.agent = subprocess.Popen(arguments, cwd=ROOT, env=environment, stderr=log)

    def configure(self) -> None:
        """The sh agent's configuration, in UCI's format."""
        options = {
            "site": SITE,
            "collector": self.url,
            "key_file": self.folder / "key",
            "interval": 1,
            "flush": 2,
            "echoes": 2,
            "timeout": 1,
            "budget": 1_000_000_000,
            "spool": self.folder / "spool",
            "ram": self.folder / "ram",
        }
        lines = [f"\toption {name} '{value}'" for name, value in options.items()]
        lines += [f"\tlist target '{name} {address}'" for name, address in TARGETS.items()]
        (self.folder / "config").write_text("\n".join(["config probe 'probe'", *lines, ""]))

    def end(self, number: int) -> int:
        """Signal the agent; its exit code."""
        assert self.agent is not None
        self.agent.send_signal(number)
        return self.agent.wait(10)

    def meet(self, fault: str, times: int = 1) -> None:
        """Let the line misbehave until the agent has met it so often."""
        before = self.line.met[fault]
        self.line.fault = fault
        self.wait_for(lambda: self.line.met[fault] >= before + times, f"meeting {fault!r}")

    def wait_for(self, reached: Callable[[], bool], what: str) -> None:
        """Look again and again, since another process decides when."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not reached():
            assert time.monotonic() < end, f"{what}: {(self.folder / 'agent.log').read_text()}"
            time.sleep(0.05)

    def lines(self) -> list[Line]:
        """All looks that the collector keeps."""
        with JournalReader(self.data) as reader:
            return [line for batch in reader.batches(0) for line in batch.lines()]

    def close(self) -> None:
        """End everything."""
        if self.agent is not None and self.agent.poll() is None:
            self.agent.kill()
            self.agent.wait()
        self.line.shutdown()
        self.line.server_close()
        self.thread.join()
        self.collector.terminate()
        assert self.collector.stderr is not None
        self.collector.stderr.close()
        self.collector.wait()


def stripped(folder: Path) -> Path:
    """The script as the package installs it."""
    path = folder / "jangkau-probe"
    strip = SCRIPT.with_name("strip.sed")
    command = ["/usr/bin/env", "sed", "-f", str(strip), str(SCRIPT)]
    done = subprocess.run(command, capture_output=True, check=True)
    path.write_bytes(done.stdout)
    return path


@pytest.fixture(params=["python", pytest.param("sh", marks=needs_busybox)])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, request.param)
    yield made
    made.close()


def test_the_same_misfortune_the_same_data(rig: Rig) -> None:
    """No line, a portal, lost and cut answers, a busy collector, kill -9, a proper end: what was
    on flash arrives exactly once, and nothing but the kill leaves a hole."""
    rig.start()
    rig.meet("cut", 2)
    rig.meet("portal")
    rig.meet("answer lost")
    killed_ms = time.time() * 1000
    rig.end(signal.SIGKILL)
    rig.start()
    rig.meet("answer cut")
    rig.meet("busy")
    rig.meet("none", 2)
    begun = time.monotonic()
    assert rig.end(signal.SIGTERM) == 0
    assert time.monotonic() - begun < 5
    rig.start()  # what was saved at the stop is delivered by the next start
    seen = len(rig.lines())
    rig.wait_for(lambda: len(rig.lines()) >= seen + 4, "delivering what was saved")
    found = rig.lines()
    looks = Counter((line.series.kind, line.series.target, line.at_ms) for line in found)
    assert max(looks.values()) == 1, "a look came twice"
    kinds = {(line.series.kind, line.series.target, line.outcome) for line in found}
    assert kinds == {("ping", name, 1) for name in TARGETS} | {("device", "device", 1)}
    for name in TARGETS:
        times = sorted(line.at_ms or 0 for line in found if line.series.target == name)
        # A lost echo on a busy machine is asked again 5 s later, and the sh agent waits for it.
        holes = [(a, b) for a, b in pairwise(times) if b - a > 9000]
        assert all(a - 1000 <= killed_ms <= b + 6000 for a, b in holes), (name, holes)
    numbers = [line.values()[0] for line in found if line.series.kind == "ping"]
    assert all(0 < item["rtt_median_seconds"] < 1 for item in numbers)
    assert all(item["sent"] == 2 for item in numbers)
    boots = {line.values()[0]["boot_id"] for line in found if line.series.kind == "device"}
    assert boots == {float(SystemClock().boot_id)}
    assert rig.line.paths == {PACKED_PATH if rig.kind == "python" else "/api/v2/write"}


def test_a_refused_key_deletes_nothing(rig: Rig) -> None:
    """S-09: a revoked probe keeps what it saw, and not one more point is stored."""
    main = [sys.executable, "-c", "from cli.main import main; main()"]
    revoke = [*main, "keys", "revoke", SITE, "--data", str(rig.data)]
    subprocess.run(revoke, cwd=ROOT, check=True, capture_output=True)
    rig.start()
    rig.meet("none")
    assert rig.end(signal.SIGTERM) == 0
    assert rig.lines() == []
    names = [path.name for path in (rig.folder / "spool").iterdir()]
    assert any(name.endswith((".lp", ".log")) for name in names)
