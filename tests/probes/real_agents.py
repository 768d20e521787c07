"""A real collector and real agents as processes, for the tests that let misfortune meet both."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from collector.credentials import Keys
from collector.journal import JournalReader
from collector.line_protocol import Line

ROOT = Path(__file__).parents[2]
MAIN = [sys.executable, "-c", "from cli.main import main; main()"]
PATIENCE_SECONDS = 90.0

AGENT = """
import logging, sys
from pathlib import Path
import probes.backoff
from cli.probe_service import Plan, serve
from model.check import Check
logging.basicConfig(level=logging.INFO)
name, folder, url, flush, cap, *targets = sys.argv[1:]
probes.backoff.CAP_SECONDS, probes.backoff.BASE_SECONDS = float(cap), 0.1
pairs = [target.split("=") for target in targets]
checks = tuple(Check(name, "village", "ping", n, a, 1, 0.5, 1) for n, a in pairs)
serve(Plan(name, name, "village", url, Path(folder, "key").read_text().strip(), Path(folder),
           Path(folder, "spool"), checks=checks, flush_seconds=float(flush), fleet=False,
           budget_bytes_a_day=1_000_000_000))
"""


def wait_for(reached: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Look again and again, since another process decides when."""
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, what
        time.sleep(0.05)


class Collector:
    """A collector at a port that stays the same over its restarts."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[str] | None = None
        self.log = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def key(self, name: str) -> str:
        """A key for a probe at the site of its own name."""
        return Keys(self.data).add(name, (name,), 1)

    def start(self, *more: str) -> None:
        """Start and wait until it listens."""
        run = ["collector", "run", "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}"]
        self._process = subprocess.Popen(
            [*MAIN, *run, *more], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stderr is not None
        said = self._process.stderr.readline()
        assert re.search(r":\d+\s*$", said), said

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, if it runs."""
        if self._process is None:
            return
        self._process.send_signal(number)
        _, more = self._process.communicate()
        self.log += more
        self._process = None

    def lines(self) -> list[Line]:
        """All looks that it keeps."""
        with JournalReader(self.data) as reader:
            return [line for batch in reader.batches(0) for line in batch.lines()]


class Agent:
    """A Python agent that looks once a second. ``cap_seconds`` is the longest back-off: a test's
    hours are seconds."""

    def __init__(
        self, folder: Path, name: str, url: str, key: str, targets: Mapping[str, str]
    ) -> None:
        self.folder, self.name, self.url = folder / name, name, url
        self.folder.mkdir()
        (self.folder / "key").write_text(key)
        self._targets = [f"{target}={address}" for target, address in targets.items()]
        self._process: subprocess.Popen[bytes] | None = None

    def start(
        self, environment: Mapping[str, str] | None = None, flush: float = 1.0, cap: float = 1.0
    ) -> None:
        words = [self.name, str(self.folder), self.url, str(flush), str(cap), *self._targets]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", AGENT, *words],
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stderr=log,
            )

    @property
    def lives(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; its exit code."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
        return self._process.wait(10)
