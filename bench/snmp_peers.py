"""The agent and the exporter that the SNMP bench runs beside us, each a process of its own."""

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from model.snmp import Credentials
from probes.snmp_fast import open_session

EXPORTER_PORT = 11_663
SYS_UPTIME = "1.3.6.1.2.1.1.3.0"
IF_NAME = "1.3.6.1.2.1.31.1.1.1.1"
IF_TABLES = ("1.3.6.1.2.1.2.2", "1.3.6.1.2.1.31.1.1")
"""ifTable and ifXTable: what the exporter's own module ``if_mib`` walks."""


@contextmanager
def agent(folder: Path, core: int, plain: Credentials, secure: Credentials) -> Iterator[None]:
    """snmpd on all of 127/8. Two hundred requests at once fill the usual receive buffer."""
    config = folder / "snmpd.conf"
    config.write_text(
        f"agentAddress udp:0.0.0.0:{plain.port}\nrocommunity {plain.community} default\n"
        "dontLogTCPWrappersConnects yes\n[snmp] serverRecvBuf 4194304\n"
        f'createUser {secure.user} SHA-256 "{secure.authentication_password}" '
        f'AES "{secure.privacy_password}"\nrouser {secure.user} priv\n'
    )
    child = subprocess.Popen(
        [shutil.which("snmpd") or "/usr/sbin/snmpd", "-f", "-LE", "e", "-C", "-c", str(config)],
        env={**os.environ, "MIBS": "", "SNMP_PERSISTENT_DIR": str(folder / "state")},
    )
    os.sched_setaffinity(child.pid, {core})
    try:
        asyncio.run(answers(plain))
        yield
    finally:
        child.terminate()
        child.wait()


async def answers(credentials: Credentials) -> None:
    """Return when the agent does. Raises RuntimeError when it does not start."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        session = await open_session("127.0.0.1", credentials, 0.1)
        try:
            await session.get([SYS_UPTIME])
        except OSError:  # silent, or the port is closed
            continue
        return
    raise RuntimeError("snmpd did not start")


@contextmanager
def exporter(
    folder: Path, core: int, objects: Sequence[str], columns: Sequence[str]
) -> Iterator[int | None]:
    """The process id of snmp_exporter, ready; None where it is not installed. Its module ``poll``
    gets ``objects``, its module ``walk`` walks the tables of ports and tells their ``columns``."""
    program = shutil.which("prometheus-snmp-exporter")
    if program is None:
        yield None
        return
    config = folder / "snmp.yml"  # JSON is YAML
    samples = [sample(oid.rpartition(".")[0], oid.endswith(".1")) for oid in objects]
    modules = {
        "poll": {"get": list(objects), "metrics": samples},
        "walk": {"walk": list(IF_TABLES), "metrics": [named(column) for column in columns]},
    }
    config.write_text(json.dumps(modules))
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


def sample(oid: str, of_port: bool) -> dict[str, object]:
    """How the exporter is told of an object."""
    indexes = [{"labelname": "ifIndex", "type": "gauge"}] if of_port else []
    name = "object_" + oid.replace(".", "_")
    return {"name": name, "oid": oid, "type": "gauge", "indexes": indexes}


def named(column: str) -> dict[str, object]:
    """The same of a column of ports, with the port's name as its module ``if_mib`` gives it."""
    name = {"labels": ["ifIndex"], "labelname": "ifName", "oid": IF_NAME, "type": "DisplayString"}
    return {**sample(column, True), "lookups": [name]}


def exporter_cpu(pid: int, module: str, target: str, polls: int, runs: int) -> float:
    """CPU seconds of the exporter for one poll by ``module``, the median of some runs."""
    path = f"/snmp?module={module}&target={target}"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fetch, [path] * (polls // 10)))  # warm
        found = []
        for _ in range(runs):
            before = cpu_seconds(pid)
            texts = list(pool.map(fetch, [path] * polls))
            found.append((cpu_seconds(pid) - before) / polls)
            if not all(b"\nobject_" in text for text in texts):
                raise RuntimeError("the exporter lost polls")
    return statistics.median(found)


def cpu_seconds(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fetch(path: str) -> bytes:
    """A page of the exporter; empty while it does not serve."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{EXPORTER_PORT}{path}", timeout=10) as page:
            return bytes(page.read())
    except (urllib.error.URLError, OSError):
        return b""
