"""The agent and the exporter that the SNMP bench runs beside us, each a process of its own."""

import asyncio
import os
import shutil
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from model.snmp import Credentials
from probes.snmp_fast import open_session

EXPORTER_PORT = 11_663
RUNS = 3
SYS_UPTIME = "1.3.6.1.2.1.1.3.0"


@contextmanager
def agent(folder: Path, core: int) -> Iterator[None]:
    """snmpd on all of 127/8. Two hundred requests at once fill the usual receive buffer."""
    config = folder / "snmpd.conf"
    config.write_text(
        f"agentAddress udp:0.0.0.0:{AGENT_PORT}\nrocommunity public default\n"
        "dontLogTCPWrappersConnects yes\n[snmp] serverRecvBuf 4194304\n"
        f'createUser bench SHA-256 "{PASSWORD}" AES "{PASSWORD}"\nrouser bench priv\n'
    )
    program = shutil.which("snmpd") or "/usr/sbin/snmpd"
    child = subprocess.Popen(
        [program, "-f", "-Lf", str(folder / "log"), "-C", "-c", str(config)],
        env={**os.environ, "MIBS": "", "SNMP_PERSISTENT_DIR": str(folder / "state")},
    )
    os.sched_setaffinity(child.pid, {core})
    try:
        asyncio.run(answers())
        yield
    finally:
        child.terminate()
        child.wait()


async def answers() -> None:
    """Return when the agent does. Raises RuntimeError when it does not start."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        session = await open_session("127.0.0.1", V2C, 0.2)
        try:
            await session.get(OIDS)
        except TimeoutError:  # at once, while the port is closed
            await asyncio.sleep(0.05)
        else:
            return
    raise RuntimeError("snmpd did not start")


@contextmanager
def exporter(folder: Path, core: int) -> Iterator[int | None]:
    """The process id of snmp_exporter, ready; None where it is not installed."""
    program = shutil.which("prometheus-snmp-exporter")
    if program is None:
        yield None
        return
    config = folder / "snmp.yml"
    polled, walked = ("".join(f"  - {oid}\n" for oid in oids) for oids in (OIDS, WALKED))
    config.write_text(f"poll:\n  get:\n{polled}walk:\n  walk:\n{walked}")
    child = subprocess.Popen(
        [program, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{EXPORTER_PORT}"],
        env={**os.environ, "GOMAXPROCS": "1"},
        stderr=subprocess.DEVNULL,
    )
    os.sched_setaffinity(child.pid, {core})
    try:
        end = time.monotonic() + 30
        while not fetch("/") and time.monotonic() < end:
            time.sleep(0.05)
        yield child.pid
    finally:
        child.terminate()
        child.wait()


def exporter_cpu(pid: int, module: str, count: int) -> float:
    """CPU seconds of the exporter for one poll by ``module``."""
    path = f"/snmp?module={module}&target=127.0.0.1:{AGENT_PORT}"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fetch, [path] * (count // 10)))  # warm
        runs = []
        for _ in range(RUNS):
            before = cpu_seconds(pid)
            texts = list(pool.map(fetch, [path] * count))
            runs.append((cpu_seconds(pid) - before) / count)
            if not all(b"snmp_scrape_pdus_returned" in text for text in texts):
                raise RuntimeError("the exporter lost polls")
    return statistics.median(runs)


def cpu_seconds(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fetch(path: str) -> bytes:
    """A page of the exporter; empty while it does not serve."""
    url = f"http://127.0.0.1:{EXPORTER_PORT}{path}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own address
            return bytes(answer.read())
    except (urllib.error.URLError, OSError):
        return b""
