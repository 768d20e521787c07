"""Debian's snmpd for tests: one of our own on a free port of loopback."""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from model.snmp import Credentials, Version
from tests.probes.snmp_asking import device
from tests.probes.test_snmp_recordings import free_port


@contextmanager
def running(folder: Path, more: str = "") -> Iterator[int]:
    """The port of an agent with the community ``public`` and ``more`` lines of configuration."""
    program = shutil.which("snmpd") or shutil.which("snmpd", path="/usr/sbin")
    if program is None:
        pytest.skip("snmpd is not installed: apt install snmpd")
    config, port = folder / "snmpd.conf", free_port()
    config.write_text(f"agentAddress udp:127.0.0.1:{port}\nrocommunity public default\n{more}")
    child = subprocess.Popen(
        [program, "-f", "-Lf", str(folder / "log"), "-C", "-c", str(config)],
        env={**os.environ, "SNMP_PERSISTENT_DIR": str(folder / "state")},
    )
    try:
        asyncio.run(_answers(port, child, folder / "log"))
        yield port
    finally:
        child.terminate()
        child.wait(10)


async def _answers(port: int, child: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return when the agent answers; fail when it ended or half a minute has passed."""
    end = time.monotonic() + 30
    while time.monotonic() < end and child.poll() is None:
        try:
            await device(Credentials(Version.V2C, "public", port=port), timeout_seconds=0.3).poll()
        except OSError:  # the port is still closed
            continue
        return
    raise AssertionError(f"snmpd did not start: {log.read_text()[-2000:]}")
