"""The six rungs of every village: CPU, lateness and agreement beside prometheus-blackbox-exporter.

Goals: 2,145 sites with six rungs (echo, port, page, certificate, resolver, portal) every five
minutes take at most 15 % of one core, no look begins later than five seconds after its time, and
both see the same outcome and times within 5 ms or 10 %. Ours run by the probe's own schedule and
round for ``WINDOW_SECONDS``; blackbox_exporter is then asked for as many looks of each kind. CPU is
that of the whole process. An echo look of ours is five echoes, one of theirs is one.
"""

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from contextlib import ExitStack
from pathlib import Path

from tests.probes.blackbox import ADDRESS, Servers, missing, serving

SITES, INTERVAL_SECONDS = 2_145, 300
RUNGS = ("ping", "tcp", "http", "tls", "dns", "captive")
LOOKS_A_SECOND = SITES * len(RUNGS) / INTERVAL_SECONDS
WINDOW_SECONDS = 60
GOAL_CPU_SHARE, GOAL_LATE_SECONDS = 0.15, 5.0
PHASES = {
    "tcp": {"connect_seconds": "probe_duration_seconds"},
    "http": {
        "connect_seconds": 'probe_http_duration_seconds{phase="connect"}',
        "first_byte_seconds": 'probe_http_duration_seconds{phase="processing"}',
        "transfer_seconds": 'probe_http_duration_seconds{phase="transfer"}',
    },
    "tls": {"connect_seconds tls_seconds": "probe_duration_seconds"},
    "dns": {"dns_seconds": 'probe_dns_duration_seconds{phase="request"}'},
    "ping": {"rtt_median_seconds": 'probe_icmp_duration_seconds{phase="rtt"}'},
}
"""What of ours (a sum) is what of theirs."""


def our_looks(servers: Servers) -> None:
    """In a process of its own: what falls due in the window, when it does; prints JSON."""
    from model.check import Check  # noqa: PLC0415 - only the child loads it
    from model.measurement import Measurement, Outcome  # noqa: PLC0415 - the same
    from probes.clock import SystemClock  # noqa: PLC0415 - the same
    from probes.kinds import open_probes  # noqa: PLC0415 - the same
    from probes.round import Round  # noqa: PLC0415 - the same
    from probes.schedule import Schedule, phase_ms  # noqa: PLC0415 - the same

    told = servers.looks()
    checks = [
        Check(f"s-{n}", "centre", kind, f"application:{kind}", ADDRESS, INTERVAL_SECONDS, 5.0,
              5 if kind == "ping" else 1, told[kind][0])
        for n in range(SITES) for kind in RUNGS
    ]  # fmt: skip
    phases = {(check.site, check.kind): phase_ms(check) for check in checks}
    late: list[int] = []
    times: defaultdict[str, list[float]] = defaultdict(list)
    up: Counter[str] = Counter()
    looks: Counter[str] = Counter()

    def keep(seen: Measurement, _: int) -> None:
        late.append((seen.at_ms - phases[seen.site, seen.kind]) % (INTERVAL_SECONDS * 1000))
        looks[seen.kind] += 1
        up[seen.kind] += seen.outcome is Outcome.UP
        for name in PHASES.get(seen.kind, {}):
            found = sum(seen.readings.get(part, 0.0) for part in name.split())
            times[f"{seen.kind} {name}"].append(found)

    async def run() -> float:
        clock = SystemClock()
        with ExitStack() as stack:
            round_ = Round(open_probes(checks, clock, stack), clock, keep)
            schedule = Schedule(checks, clock.wall_ms())
            used = cpu_of_us()
            end_ms = clock.wall_ms() + WINDOW_SECONDS * 1000
            async with asyncio.TaskGroup() as group:
                while (now_ms := clock.wall_ms()) < end_ms:
                    if due := schedule.due(now_ms):
                        group.create_task(round_.run(due))
                    wait_ms = schedule.wait_ms(clock.wall_ms()) or 0
                    await asyncio.sleep(min(wait_ms, max(0, end_ms - clock.wall_ms())) / 1000)
            return cpu_of_us() - used

    cpu = asyncio.run(run())
    median = {name: statistics.median(some) for name, some in times.items()}
    late_seconds = max(late) / 1000
    print(
        json.dumps({"cpu": cpu, "looks": looks, "up": up, "late": late_seconds, "median": median})
    )


def cpu_of_us() -> float:
    """CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def cpu_of(pid: int) -> float:
    """CPU seconds of another process so far (proc(5) stat, fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run() -> None:
    """Print both, and how we stand to the goals."""
    if names := missing():
        print(f"not installed: {', '.join(names)}: no bench")
        return
    with tempfile.TemporaryDirectory() as made, serving(Path(made)) as servers:
        told = json.dumps([str(servers.folder), *list(vars(servers).values())[1:]])
        child = [sys.executable, "-m", "bench.ladder", told]
        done = subprocess.run(child, capture_output=True, text=True, check=True)
        ours = json.loads(done.stdout)
        before = cpu_of(servers.judge_pid)
        judged: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
        for kind, (_, target) in servers.looks().items():
            for _ in range(ours["looks"][kind]):
                judged[kind].append(servers.ask(kind, target))
        theirs = cpu_of(servers.judge_pid) - before
    report(ours, theirs, judged)


def report(
    ours: dict[str, dict[str, float]], theirs: float, judged: dict[str, list[dict[str, float]]]
) -> None:
    """The table and its verdict."""
    cpu, late, looks = (
        float(str(ours["cpu"])),
        float(str(ours["late"])),
        sum(ours["looks"].values()),
    )
    up = sum(ours["up"].values())
    their_up = sum(bool(one["probe_success"]) for some in judged.values() for one in some)
    kinds = ", ".join(RUNGS)
    print(f"{SITES:,} sites x {len(RUNGS)} rungs ({kinds}) every {INTERVAL_SECONDS} s:")
    print(f"{looks:,.0f} looks in {WINDOW_SECONDS} s")
    print(f"{'':<20}{'CPU ms/look':>12}{'of a core':>11}{'up':>7}")
    for name, used, good in (("ours", cpu, up), ("blackbox_exporter", theirs, their_up)):
        share = used / looks * LOOKS_A_SECOND
        print(f"{name:<20}{used / looks * 1e3:>12.3f}{share:>11.1%}{good:>7.0f}")
    share = cpu / looks * LOOKS_A_SECOND
    print(f"{word(share <= GOAL_CPU_SHARE)}: {share:.1%} of a core (goal {GOAL_CPU_SHARE:.0%})")
    print(f"{word(late <= GOAL_LATE_SECONDS)}: latest look {late:.3f} s after its time (goal 5 s)")
    print(f"{word(up == their_up == looks)}: both see every target up")
    for kind, names in PHASES.items():
        for our_name, their_name in names.items():
            mine = ours["median"][f"{kind} {our_name}"]
            judge = statistics.median(one[their_name] for one in judged[kind])
            near = abs(mine - judge) <= max(0.005, 0.1 * judge)
            what = f"{kind} {our_name.replace(' ', ' + ').replace('_seconds', '')}"
            print(
                f"{word(near)}: {what} {mine * 1e3:.2f} ms, blackbox {judge * 1e3:.2f} ms (median)"
            )


def word(met: bool) -> str:
    """The verdict of a line."""
    return "met    " if met else "NOT MET"


if __name__ == "__main__":
    folder, *numbers = json.loads(sys.argv[1])
    our_looks(Servers(Path(folder), *numbers))
