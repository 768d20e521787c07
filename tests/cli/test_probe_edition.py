"""A newer edition of the one-file probe: proved by a receipt, or put aside by itself."""

import asyncio
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from cli.probe_edition import MARK, STARTS_MAX, Edition, judge
from model.check import Check
from model.errors import InputError
from model.wire import Trouble
from probes.config import ConfigKeeper
from probes.enrol import Home
from probes.packaging.build import build
from probes.uplink import Tally
from tests.probes.real_agents import Collector, wait_for

PYTHON = [sys._base_executable, "-I", "-S"]  # type: ignore[attr-defined]  # the interpreter without our packages


def edition(source: Path, target: Path, main: str) -> Path:
    """The one-file probe with another beginning."""
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w") as changed:
        for name in archive.namelist():
            text = archive.read(name)
            changed.writestr(name, main.encode() if name == "__main__.py" else text)
    return target


NEWER = """
import sys
sys.stderr.write("the newer one\\n")
from cli.probe_main import main
main()
"""
DYING = """
import sys
if "--version" not in sys.argv:
    sys.exit("dead on arrival")
print("jangkau-probe 9")
"""


class Device:
    """An installed one-file probe that is started again and again, as a service is."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        self.installed = folder / "jangkau-probe.pyz"
        build(self.installed)
        self.collector = Collector(folder)
        Home("v-1", "v-1", self.collector.url, None, 0).write(self.home, self.collector.key("v-1"))
        check = Check("v-1", "village", "ping", "national", "127.0.0.1", 10)
        config = {"version": 1, "site": "v-1", "checks": [asdict(check)]}
        ConfigKeeper(self.home / "config.json", "v-1").offer(config)

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        command = [*PYTHON, str(self.installed), *words, "--home", str(self.home)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def life(self, until: Callable[[], bool]) -> str:
        """Start it, wait, stop it; what it said."""
        log = self.folder / "log"
        command = [*PYTHON, str(self.installed), "run", "--home", str(self.home), "--flush", "1"]
        with log.open("wb") as file:
            process = subprocess.Popen(command, stderr=file)
        try:
            wait_for(lambda: until() or process.poll() is not None, log.read_text())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)
        return log.read_text()


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path)


def test_an_edition_that_delivers_stays(device: Device) -> None:
    """It runs in the installed one's place, and a receipt makes it the one; a newly installed file
    takes over from all of them."""
    newer = edition(device.installed, device.folder / "newer.pyz", NEWER)
    assert device.run("upgrade", str(newer)).returncode == 0
    device.collector.start()
    try:
        said = device.life((device.home / "current.pyz").exists)
        assert "the newer one" in said
        assert "proved itself" in said
        assert not (device.home / "next.pyz").exists()
        assert '"edition_on_trial": false' in device.run("status", "--json").stdout
        known = len(device.collector.lines())
        assert "the newer one" in device.life(lambda: len(device.collector.lines()) > known)
        edition(newer, device.folder / "x.pyz", NEWER.replace("newer", "newest"))
        (device.folder / "x.pyz").replace(device.installed)
        known = len(device.collector.lines())
        assert "the newest one" in device.life(lambda: len(device.collector.lines()) > known)
        assert not (device.home / "current.pyz").exists()
    finally:
        device.collector.stop()


def test_an_edition_that_dies_is_put_aside(device: Device) -> None:
    """Three starts, and the one before it looks on; what was seen stays in the spool."""
    dying = edition(device.installed, device.folder / "dying.pyz", DYING)
    assert "jangkau-probe 9 is on trial" in device.run("upgrade", str(dying)).stdout
    for _ in range(STARTS_MAX):
        assert "dead on arrival" in device.life(lambda: False)
    said = device.life(lambda: (device.home / "status.json").exists() or any(spooled(device)))
    assert "put aside" in said
    assert (device.home / "refused.pyz").exists()
    assert not (device.home / "next.pyz").exists()


def spooled(device: Device) -> list[Path]:
    """Files of the spool with something in them."""
    return [path for path in device.home.glob("spool/seg-*.log") if path.stat().st_size > 100]


def test_what_is_no_probe_is_not_taken(tmp_path: Path) -> None:
    """Neither a text nor a zip that does not run."""
    for content in (b"#!/bin/sh\n", b""):
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(InputError, match="no probe that runs here"):
            Edition(tmp_path).install(tmp_path / "file")
    assert not (tmp_path / "next.pyz").exists()


@pytest.mark.parametrize(
    ("trouble", "refused"),
    [("no connection", False), (None, False), ("not the collector", True), ("key refused", True)],
)
def test_a_line_that_is_down_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Trouble | None, refused: bool
) -> None:
    """Without a line the trial waits; answered for twenty minutes without a receipt it is over."""
    (tmp_path / "next.pyz").write_bytes(b"x")
    monkeypatch.setenv(MARK, str(tmp_path / "next.pyz"))
    turns, stopped = iter(range(241)), list[bool]()

    async def passed(_seconds: float) -> None:
        if next(turns, None) is None:
            raise TimeoutError

    monkeypatch.setattr("asyncio.sleep", passed)
    judging = judge(Edition(tmp_path), lambda: Tally(trouble=trouble), lambda: stopped.append(True))
    if refused:
        asyncio.run(judging)
    else:
        with pytest.raises(TimeoutError):
            asyncio.run(judging)
    assert stopped == [True] * refused
    assert (tmp_path / "refused.pyz").exists() == refused
