"""SNMP: polls a second and CPU of our seam beside Prometheus' snmp_exporter, on Debian's snmpd.

Goals: 5,000 polls of 12 objects a second (v2c) and 2,500 (v3 authPriv) on one core at 200 in
flight; CPU a poll at most a quarter of the exporter's; 2,145 devices in five seconds. The agents
run on the other core. The exporter is asked over HTTP, and only its own process is counted.
"""

import asyncio
import os
import resource
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from model.snmp import Credentials, Version
from probes.snmp_fast import open_session
from probes.snmp_session import Session

AGENT_PORT, EXPORTER_PORT = 11_661, 11_662
IN_FLIGHT = 200
POLLS = 20_000
EXPORTER_POLLS = 2_000
DEVICES = 2_145
GOAL_V2C, GOAL_V3, GOAL_CPU_RATIO, GOAL_FLEET_SECONDS = 5_000, 2_500, 0.25, 5.0
PASSWORD = "bench-password"  # noqa: S105 - made up
OIDS = [
    "1.3.6.1.2.1.1.2.0",
    "1.3.6.1.2.1.1.3.0",
    "1.3.6.1.2.1.25.1.1.0",
    *(f"1.3.6.1.2.1.2.2.1.{column}.1" for column in (8, 9, 13, 14, 19, 20)),
    *(f"1.3.6.1.2.1.31.1.1.1.{column}.1" for column in (6, 10, 15)),
]
V2C = Credentials(Version.V2C, "public", port=AGENT_PORT)
V3 = Credentials(
    Version.V3,
    user="bench",
    authentication="sha256",
    authentication_password=PASSWORD,
    privacy="aes128",
    privacy_password=PASSWORD,
    port=AGENT_PORT,
)


def run() -> None:
    """Print the table and how we stand to the goals."""
    agent = shutil.which("snmpd") or shutil.which("snmpd", path="/usr/sbin")
    if agent is None:
        print("snmpd is not installed (apt install snmpd): nothing to ask")
        return
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        child = start_agent(agent, Path(folder), cores[-1])
        try:
            os.sched_setaffinity(0, {cores[0]})
            measure(Path(folder))
        finally:
            os.sched_setaffinity(0, set(cores))
            child.terminate()
            child.wait()


def start_agent(program: str, folder: Path, core: int) -> "subprocess.Popen[bytes]":
    """snmpd on all of 127/8, when it answers."""
    config = folder / "snmpd.conf"
    config.write_text(
        f"agentAddress udp:0.0.0.0:{AGENT_PORT}\nrocommunity public default\n"
        f'createUser bench SHA-256 "{PASSWORD}" AES "{PASSWORD}"\nrouser bench priv\n'
    )
    child = subprocess.Popen(
        [program, "-f", "-Lf", str(folder / "log"), "-C", "-c", str(config)],
        env={**os.environ, "SNMP_PERSISTENT_DIR": str(folder / "state")},
    )
    os.sched_setaffinity(child.pid, {core})
    asyncio.run(wait_for_agent())
    return child


async def wait_for_agent() -> None:
    for _ in range(50):
        session = await open_session("127.0.0.1", V2C, 0.2)
        try:
            await session.get(OIDS)
        except TimeoutError:
            continue
        return
    raise RuntimeError("snmpd did not start")


def measure(folder: Path) -> None:
    print(f"{'':<28}{'polls/s':>10}{'CPU ms/poll':>13}{'lost':>7}")
    v2c, v2c_cpu = timed("ours, v2c", POLLS, lambda: asyncio.run(many(V2C, POLLS)))
    v3, _ = timed("ours, v3 SHA-256 AES", POLLS, lambda: asyncio.run(many(V3, POLLS)))
    begun = time.perf_counter()
    lost = asyncio.run(fleet())
    seconds = time.perf_counter() - begun
    print(f"{word(v2c >= GOAL_V2C)}: v2c {v2c:,.0f} polls/s (goal {GOAL_V2C:,})")
    print(f"{word(v3 >= GOAL_V3)}: v3 {v3:,.0f} polls/s (goal {GOAL_V3:,})")
    print(
        f"{word(seconds <= GOAL_FLEET_SECONDS and not lost)}: {DEVICES:,} devices, each its own "
        f"session, in {seconds:.2f} s, {lost} lost (goal {GOAL_FLEET_SECONDS:.0f} s)"
    )
    exporter = exporter_cpu(folder)
    if exporter is not None:
        ratio = v2c_cpu / exporter
        print(f"{word(ratio <= GOAL_CPU_RATIO)}: {ratio:.2f} of snmp_exporter's CPU a poll")


def timed(name: str, polls: int, work: Callable[[], int]) -> tuple[float, float]:
    """Polls a second, and CPU seconds a poll of this process."""
    begun, cpu = time.perf_counter(), time.process_time()
    lost = work()
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    print(f"{name:<28}{polls / seconds:>10,.0f}{1000 * cpu / polls:>13.3f}{lost:>7}")
    return polls / seconds, cpu / polls


async def many(credentials: Credentials, polls: int) -> int:
    """So many polls over ``IN_FLIGHT`` open sessions; how many were lost."""
    sessions = [await open_session("127.0.0.1", credentials, 2.0) for _ in range(IN_FLIGHT)]
    each = polls // IN_FLIGHT
    return sum(await asyncio.gather(*(ask(session, each) for session in sessions)))


async def ask(session: Session, times: int) -> int:
    lost = 0
    for _ in range(times):
        try:
            lost += len(await session.get(OIDS)) < len(OIDS) - 1
        except TimeoutError:
            lost += 1
    return lost


async def fleet() -> int:
    """Every device once, each at its own address, ``IN_FLIGHT`` at a time."""
    room = asyncio.Semaphore(IN_FLIGHT)

    async def one(number: int) -> int:
        async with room:
            session = await open_session(f"127.62.{number // 250}.{number % 250 + 1}", V2C, 2.0)
            return await ask(session, 1)

    return sum(await asyncio.gather(*(one(number) for number in range(DEVICES))))


def exporter_cpu(folder: Path) -> float | None:
    """CPU seconds a poll of snmp_exporter, asked for the same objects; None where there is none."""
    program = shutil.which("prometheus-snmp-exporter")
    if program is None:
        print("prometheus-snmp-exporter is not installed: our rows stand alone")
        return None
    config = folder / "snmp.yml"
    config.write_text("bench:\n  get:\n" + "".join(f"  - {oid}\n" for oid in OIDS))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    child = subprocess.Popen(
        [program, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{EXPORTER_PORT}"],
        env={**os.environ, "GOMAXPROCS": "1"},
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{EXPORTER_PORT}/snmp?module=bench&target=127.0.0.1:{AGENT_PORT}"
    fetch(f"http://127.0.0.1:{EXPORTER_PORT}/", tries=200)
    begun = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        lost = sum(1 for text in pool.map(lambda _: fetch(url), range(EXPORTER_POLLS)) if not text)
    seconds = time.perf_counter() - begun
    child.terminate()
    child.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / EXPORTER_POLLS
    rate = EXPORTER_POLLS / seconds
    print(f"{'snmp_exporter (8 threads)':<28}{rate:>10,.0f}{1000 * cpu:>13.3f}{lost:>7}")
    return cpu


def fetch(url: str, tries: int = 1) -> bytes:
    for _ in range(tries):
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own address
                return bytes(answer.read())
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    return b""


def word(met: bool) -> str:
    return "met    " if met else "NOT MET"
