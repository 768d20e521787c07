"""SNMP: polls a second and CPU of our seam beside Prometheus' snmp_exporter, on Debian's snmpd.

Goals: 5,000 polls of 12 objects a second (v2c) and 2,500 (v3 authPriv) on one core at 200 in
flight; CPU a poll at most a quarter of the exporter's; 2,145 known devices polled in five seconds;
24 ports in two round trips at a fifth of the CPU of the exporter's walk; 145 living devices not a
second later for 2,000 silent ones beside them.

It runs in a network namespace of its own, whose 24 TAP devices are the ports. The agent and the
exporter have the other core. CPU is that of the whole process, without its start; medians of three.
"""

import asyncio
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.snmp_peers import agent, exporter, exporter_cpu
from model.check import Check
from model.kinds import Snmp
from model.measurement import Outcome, Vantage
from model.snmp import Credentials, Version
from probes.snmp import SnmpProbe, raise_descriptor_limit
from probes.snmp_fast import open_session
from probes.snmp_profile import standard_profiles
from probes.snmp_session import Session, Value

AGENT_PORT, SILENT_PORT = 11_661, 11_662
IN_FLIGHT, POLLS, EXPORTER_POLLS = 200, 20_000, 1_000
PORTS, TABLE_POLLS = 24, 200
DEVICES, LIVING, SILENT = 2_145, 145, 2_000
RUNS = 3
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
SECRETS = {"living": V2C, "silent": Credentials(Version.V2C, "public", port=SILENT_PORT)}
TARGET = f"127.0.0.1:{AGENT_PORT}"


def run() -> None:
    """Print the table and how we stand to the goals."""
    for program in ("snmpd", "unshare", "ip"):
        if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None:
            print(f"{program} is not installed (setup.sh test): nothing to ask")
            return
    command = [sys.executable, "-c", "from bench.snmp import inside; inside()"]
    code = subprocess.run(["unshare", "-Urn", *command], check=False).returncode  # noqa: S607 - of the system
    if code:
        raise RuntimeError(f"the namespace's bench ended with code {code}")


def inside() -> None:
    """Within the namespace: the ports, the agent, the exporter, the rows."""
    ports = [f"tuntap add mode tap name port{n}\nlink set port{n} up" for n in range(1, PORTS + 1)]
    batch = "\n".join(["link set lo up", *ports])
    subprocess.run(["ip", "-batch", "-"], input=batch, text=True, check=True)  # noqa: S607 - of the system
    raise_descriptor_limit()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[0]})
    with tempfile.TemporaryDirectory() as folder, agent(Path(folder), cores[-1], V2C, V3):
        ours = rates()
        fleet()
        silent()
        with exporter(Path(folder), cores[-1], OIDS[1:], port_columns()) as pid:
            if pid is None:
                print("prometheus-snmp-exporter is not installed: our rows stand alone")
            peers(ours, pid)


def port_columns() -> list[str]:
    """The columns of which our own profile tells."""
    profile = next(one for one in standard_profiles() if one.id == "interfaces")
    return list(dict.fromkeys(reading.oid for reading in profile.readings))


def rates() -> float:
    """Polls a second by v2c and v3; CPU seconds a poll by v2c."""
    v2c, cpu, lost = many(V2C)
    line("v2c, 200 in flight", f"{v2c:,.0f} polls/s, {1e3 * cpu:.3f} ms of CPU each, {lost} lost")
    goal(v2c >= 5_000, "5,000 polls/s of 12 objects, v2c")
    v3, cpu_v3, lost = many(V3)
    line("v3 authPriv", f"{v3:,.0f} polls/s, {1e3 * cpu_v3:.3f} ms of CPU each, {lost} lost")
    goal(v3 >= 2_500, "2,500 polls/s of 12 objects, v3 SHA-256 AES")
    return cpu


def many(credentials: Credentials) -> tuple[float, float, int]:
    """Polls a second, CPU seconds a poll, and how many were lost in all."""

    async def once() -> tuple[float, float, int]:
        opened = [open_session("127.0.0.1", credentials, 2.0) for _ in range(IN_FLIGHT)]
        sessions = [await one for one in opened]
        begun, cpu = time.perf_counter(), time.process_time()
        each = POLLS // IN_FLIGHT
        lost = sum(await asyncio.gather(*(ask(session, each) for session in sessions)))
        seconds, used = time.perf_counter() - begun, time.process_time() - cpu
        return POLLS / seconds, used / POLLS, lost

    runs = [asyncio.run(once()) for _ in range(RUNS)]
    return (
        statistics.median(run[0] for run in runs),
        statistics.median(run[1] for run in runs),
        sum(run[2] for run in runs),
    )


async def ask(session: Session, times: int) -> int:
    """So many polls, one after the other; how many were lost."""
    lost = 0
    for _ in range(times):
        try:
            lost += len(await session.get(OIDS)) < len(OIDS) - 1
        except TimeoutError:
            lost += 1
    return lost


def checks(name: str, count: int) -> list[Check]:
    """So many devices, each at an address of its own."""
    net = 62 if name == "living" else 63
    return [
        Check(
            f"{name}-{number}",
            Vantage.CENTRE,
            "device",
            "device:bench",
            f"127.{net}.{number // 250}.{number % 250 + 1}",
            300,
            timeout_seconds=20.0,
            settings=Snmp(name),
        )
        for number in range(count)
    ]


def new_probe() -> SnmpProbe:
    """The probe as the agent runs it, with credentials of the bench."""
    return SnmpProbe(open_session, load=lambda _: SECRETS)


def fleet() -> None:
    """Every village's device once, as the probe polls it: all its ports, politely."""
    probe, all_of_them = new_probe(), checks("living", DEVICES)

    async def look() -> tuple[float, int]:
        begun = time.perf_counter()
        looks = await asyncio.gather(*map(probe, all_of_them))
        return time.perf_counter() - begun, sum(one.outcome is Outcome.UP for one in looks)

    async def both() -> tuple[tuple[float, int], tuple[float, int]]:
        return await look(), await look()

    (met, _), (polled, up) = asyncio.run(both())
    line("2,145 devices", f"met in {met:.1f} s, then polled in {polled:.2f} s, {up:,} answered")
    goal(polled <= 5.0 and up == DEVICES, "2,145 known devices polled in 5 s")


def silent() -> None:
    """The slowest of the living, alone and beside the silent."""

    async def slowest(extra: Sequence[Check]) -> float:
        probe, living = new_probe(), checks("living", LIVING)

        async def one(check: Check) -> float:
            look = await probe(check)
            if look.outcome is not Outcome.UP:
                raise RuntimeError(f"{check.site}: {look.reason}")
            return time.perf_counter() - begun

        begun = time.perf_counter()
        dead = [asyncio.create_task(probe(check)) for check in extra]
        took = max(await asyncio.gather(*map(one, living)))
        for look in await asyncio.gather(*dead):
            if look.outcome is not Outcome.DOWN:
                raise RuntimeError(f"a silent device is {look.outcome.name}")
        return took

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:  # never read
        deaf.bind(("0.0.0.0", SILENT_PORT))  # noqa: S104 - all of 127/8, in our own namespace
        alone = asyncio.run(slowest(()))
        beside = asyncio.run(slowest(checks("silent", SILENT)))
    line("145 living devices", f"{alone:.2f} s alone, {beside:.2f} s beside 2,000 silent ones")
    goal(beside - alone <= 1.0, "2,000 silent devices delay 145 living ones by 1 s at most")


def peers(cpu_a_poll: float, pid: int | None) -> None:
    """The same objects, and the table of 24 ports, beside the exporter."""
    theirs = None if pid is None else exporter_cpu(pid, "poll", TARGET, EXPORTER_POLLS, RUNS)
    if theirs is not None:
        line("snmp_exporter", f"{1e3 * theirs:.3f} ms of CPU a poll")
        goal(cpu_a_poll <= theirs / 4, f"a quarter of its CPU: {cpu_a_poll / theirs:.2f}")
    cpu, trips = asyncio.run(table())
    line("24 ports", f"{1e3 * cpu:.2f} ms of CPU, {trips} round trips")
    theirs = None if pid is None else exporter_cpu(pid, "walk", TARGET, TABLE_POLLS, RUNS)
    if theirs is not None:
        line("snmp_exporter's walk", f"{1e3 * theirs:.2f} ms of CPU")
        goal(trips <= 2 and cpu <= theirs / 5, f"a fifth of its CPU: {cpu / theirs:.2f}")


async def table() -> tuple[float, int]:
    """CPU seconds a poll of the agent with its ports, from the request to the readings, and the
    round trips that one takes."""
    requests = 0

    async def counting(address: str, credentials: Credentials, timeout: float) -> Session:
        session = await open_session(address, credentials, timeout)
        get = session.get

        async def counted(oids: Sequence[str]) -> Mapping[str, Value]:
            nonlocal requests
            requests += 1
            return await get(oids)

        session.get = counted  # type: ignore[method-assign] # watched
        return session

    probe = SnmpProbe(counting, load=lambda _: SECRETS)
    devices = checks("living", TABLE_POLLS)
    await asyncio.gather(*map(probe, devices))
    runs = []
    for _ in range(RUNS):
        requests, begun = 0, time.process_time()
        looks = await asyncio.gather(*map(probe, devices))
        runs.append((time.process_time() - begun) / TABLE_POLLS)
        told = [one.readings["interfaces_up"] + one.readings["interfaces_down"] for one in looks]
        if set(told) != {PORTS}:
            raise RuntimeError("not all ports were told")
    return statistics.median(runs), requests // TABLE_POLLS


def line(name: str, text: str) -> None:
    """A row of the table."""
    print(f"{name:<24}{text}")


def goal(met: bool, text: str) -> None:
    """How we stand to a goal."""
    print(f"{'':<24}{'met' if met else 'NOT MET'}: {text}")
