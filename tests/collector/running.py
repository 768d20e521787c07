"""A collector in a process of its own, for tests that talk to it over sockets."""

import http.client
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from collector.credentials import Keys
from collector.journal import JournalReader

WRITE = "/api/v2/write?precision=ms"
ROOT = Path(__file__).parents[2]
LINE = "ping,site=a,target=site,vantage=centre outcome=1i,sent=5i"


class Collector:
    """A collector in a process of its own."""

    def __init__(self, folder: Path, first: str = "", more: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.key = Keys(folder).add("p", None, 1)
        code = f"{first}\nfrom cli.main import main; main()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "collector", "run",
             "--data", str(folder), "--listen", "127.0.0.1:0", *more],
            cwd=ROOT, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stderr is not None
        told = next(line for line in self.process.stderr if "listening on" in line)
        self.url = told.split()[-1]
        self.port = int(self.url.rpartition(":")[2])
        self.said: list[str] = []  # drained, so that no full pipe stops the collector
        self.listener = threading.Thread(target=self.said.extend, args=(self.process.stderr,))
        self.listener.start()

    def post(self, body: bytes, key: str | None = None, **headers: str) -> tuple[int, bytes]:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        named["Authorization"] = f"Token {key or self.key}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with closing(connection):
            connection.request("POST", WRITE, body, named)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def healthy_within(self, seconds: float) -> float:
        """How long ``/healthz`` took; fails when it took longer."""
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with closing(connection):
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200
        took = time.monotonic() - began
        assert took <= seconds
        return took

    def rss_bytes(self) -> int:
        """The peak of what it held in memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024

    def end(self) -> None:
        """SIGTERM, and it ends well."""
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        assert self.process.wait(20) == 0
        self.listener.join()
        assert self.process.stderr is not None
        self.process.stderr.close()

    def lines(self) -> list[str]:
        with JournalReader(self.folder) as reader:
            return [line.text() for batch in reader.batches(0) for line in batch.lines()]


@contextmanager
def running(folder: Path, first: str = "", more: tuple[str, ...] = ()) -> Iterator[Collector]:
    """A collector until the block ends. ``first``: Python that its process runs before all else."""
    collector = Collector(folder, first, more)
    try:
        yield collector
    finally:
        collector.end()
