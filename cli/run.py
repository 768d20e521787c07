"""``jangkau run``: the one-machine case, a collector and a local probe in one process group.

Law: what was started here is stopped here. A child that dies is started again, later each time;
SIGTERM reaches both, and who does not stop within five seconds is killed.
"""

import os
import select
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cli import terminal
from model.errors import UnavailableError

PROBE = "centre"
"""Name of the local probe; it may write for every site."""
TRAPS = "traps"
"""Name of the receiver of SNMP notifications; so may it."""
STOP_SECONDS = 5.0
READY_SECONDS = 15.0
BACKOFF_MAX_SECONDS = 60.0
STEADY_SECONDS = 60.0
"""A child that lived so long starts again without delay."""


class Child:
    """One process that is kept alive."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self._command = command
        self._failures = 0
        self._start_at = 0.0
        self._started = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def tend(self, now: float) -> None:
        """Start it when it is not running and its time has come. ``now``: monotonic seconds."""
        if self.process is not None:
            if (code := self.process.poll()) is None:
                return
            self.process = None
            lived = now - self._started
            self._failures = 0 if lived >= STEADY_SECONDS else self._failures + 1
            wait = min(BACKOFF_MAX_SECONDS, 2.0 ** (self._failures - 1)) if self._failures else 0.0
            self._start_at = now + wait
            terminal.stderr.print(f"{self.name} ended ({code}); again in {wait:.0f} s")
        if now >= self._start_at:
            self.process = subprocess.Popen(self._command)  # noqa: S603 - our own command
            self._started = now

    def running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def due_seconds(self, now: float) -> float:
        """How long ``tend`` can wait when nothing happens."""
        return BACKOFF_MAX_SECONDS if self.process is not None else max(0.0, self._start_at - now)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that was not heard."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            terminal.stderr.print(f"{self.name} did not stop in time: killed")
            self.process.kill()
            self.process.wait()


class Signals:
    """Waits for "stop" (SIGTERM, SIGINT) or "a child ended" (SIGCHLD), without a race."""

    def __init__(self) -> None:
        self._read, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, lambda _number, _frame: None)

    def stop_within(self, seconds: float) -> bool:
        """True when we are to stop; False when a child ended or the time is over."""
        ready, _, _ = select.select([self._read], [], [], max(0.0, seconds))
        numbers = os.read(self._read, 64) if ready else b""
        return signal.SIGTERM in numbers or signal.SIGINT in numbers


def run(
    inventory: Annotated[Path, typer.Option(help="What is watched.")] = Path("inventory.yaml"),
    data: Annotated[Path, typer.Option(help="Folder for all that is kept.")] = Path("data"),
    listen: Annotated[str, typer.Option(help="HOST:PORT of the collector.")] = "127.0.0.1:8086",
    traps: Annotated[
        str | None, typer.Option(help="HOST:PORT for SNMP traps and informs; default: none.")
    ] = None,
    for_seconds: Annotated[
        float | None, typer.Option("--for", help="Stop after so many seconds.")
    ] = None,
) -> None:
    """Run a collector and a local probe until SIGTERM (or for some seconds)."""
    url = f"http://{listen}"
    collector = Child(
        "collector",
        _jangkau(
            *("collector", "run", "--data", str(data), "--listen", listen),
            *("--inventory", str(inventory)),
        ),
    )
    probe = Child(
        "probe",
        _jangkau(
            *("probe", "run", "--inventory", str(inventory), "--vantage", "centre"),
            *("--collector", url, "--key-file", str(_key(data))),
            *("--spool", str(data / "spool"), "--probe", PROBE),
        ),
    )
    children = [collector, probe]
    if traps is not None:
        children.append(_trap_receiver(traps, inventory, url, data))
    signals = Signals()
    try:
        collector.tend(time.monotonic())
        if not _ready(url, collector, signals):
            return
        keep(signals, children, for_seconds)
    finally:
        # The collector last: what the others saw last can still be delivered.
        for child in reversed(children):
            child.stop()


def keep(signals: Signals, children: Sequence[Child], seconds: float | None) -> None:
    """Keep the children alive until we are to stop or the time is over."""
    end = None if seconds is None else time.monotonic() + seconds
    while (now := time.monotonic()) < (end or now + 1):
        for child in children:
            child.tend(now)
        pause = min((child.due_seconds(now) for child in children), default=60.0)
        if signals.stop_within(pause if end is None else min(pause, end - now)):
            return


def _ready(url: str, collector: Child, signals: Signals) -> bool:
    """Wait until the collector answers; False when we are to stop before that."""
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and collector.running():
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=1):  # noqa: S310 - http, our own
                return True
        except (urllib.error.URLError, OSError):
            if signals.stop_within(0.05):
                return False
    raise UnavailableError(
        f"the collector did not start to answer at {url} within {READY_SECONDS:.0f} s: see its "
        "message above"
    )


def _trap_receiver(listen: str, inventory: Path, url: str, data: Path) -> Child:
    return Child(
        "traps",
        _jangkau(
            *("snmp", "traps", "--listen", listen, "--inventory", str(inventory)),
            *("--collector", url, "--key-file", str(_key(data, TRAPS))),
            *("--spool", str(data / "trap_spool"), "--probe", TRAPS),
        ),
    )


def _key(data: Path, name: str = PROBE) -> Path:
    """The file with a valid key of a local sender, made when there is none."""
    from collector.credentials import Keys, write_private  # only for this command

    keys, path = Keys(data), data / f"{name}.key"
    now_ms = time.time_ns() // 1_000_000
    if not path.exists() or keys.verify(path.read_text().strip(), now_ms=now_ms) is None:
        write_private(path, keys.add(name, None, now_ms) + "\n")
    return path


def _jangkau(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from cli.main import main; main()", *arguments]
