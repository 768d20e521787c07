"""``jangkau run``: children are kept alive, stopped by SIGTERM, killed when they do not listen."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli import run
from cli.run import Child

ROOT = Path(__file__).parents[2]
READY = "import sys; sys.stdout.write('x'); sys.stdout.flush();"


def test_a_child_that_dies_comes_back_later_each_time() -> None:
    """The pauses double up to a minute; one that lived long comes back at once."""
    child = Child("child", [sys.executable, "-c", ""])
    now, pauses = 0.0, []
    for _ in range(9):
        child.tend(now)
        assert child.process is not None
        child.process.wait(10)
        child.tend(now + 0.5)
        assert not child.running()
        pauses.append(child.due_seconds(now + 0.5))
        now += 0.5 + pauses[-1]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    child.tend(now)
    assert child.process is not None
    child.process.wait(10)
    child.tend(now + run.STEADY_SECONDS)
    child.stop()
    assert child.process is not None  # started again without a pause


def test_a_deaf_child_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who ignores SIGTERM is killed after the time that was given."""
    monkeypatch.setattr(run, "STOP_SECONDS", 0.1)
    code = (
        "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "os.write({0}, b'x'); signal.pause()"
    )
    read, write = os.pipe()
    os.set_inheritable(write, True)
    child = Child("deaf", [sys.executable, "-c", code.format(1)])
    saved = os.dup(1)
    os.dup2(write, 1)  # the child says on its standard output that it is deaf from now on
    try:
        child.tend(0.0)
    finally:
        os.dup2(saved, 1)
    assert os.read(read, 1) == b"x"
    child.stop()
    assert child.process is not None
    assert child.process.returncode == -signal.SIGKILL
    for handle in (read, write, saved):
        os.close(handle)


def test_stopping_waits_for_nobody_who_is_gone() -> None:
    """SIGTERM ends the waiting at once and the children after it, in order."""
    code = (
        "import sys, os, signal; from cli.run import Child, Signals, keep;"
        "signals = Signals();"
        "child = Child('child', [sys.executable, '-c', 'import signal; signal.pause()']);"
        "child.tend(0.0); print(child.process.pid, flush=True);"
        "keep(signals, [child], None); child.stop(); print(child.process.returncode)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    before = time.monotonic()
    parent.terminate()
    text, _ = parent.communicate(timeout=20)
    assert text.strip() == str(-signal.SIGTERM)
    assert time.monotonic() - before < run.STOP_SECONDS
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_key_of_the_local_probe_is_made_once(tmp_path: Path) -> None:
    """The key is kept between runs, private, and made anew only when it is no longer valid."""
    from collector.credentials import Keys  # noqa: PLC0415 - only here

    path = run._key(tmp_path)
    first = path.read_text()
    assert run._key(tmp_path).read_text() == first
    assert path.stat().st_mode & 0o077 == 0
    Keys(tmp_path).revoke(run.PROBE, 1)
    assert run._key(tmp_path).read_text() != first
