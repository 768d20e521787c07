"""Looks beyond echoes: CPU and agreement beside Debian's prometheus-blackbox-exporter.

Goals: 2,145 sites with six rungs every five minutes (43 looks a second) take at most 15 % of one
core, no look begins later than five seconds after its time, and both see the same outcome and
times within 5 ms or 10 %. Both look at the same nginx; CPU is that of the whole process.
"""

import asyncio
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

SITES, RUNGS, INTERVAL_SECONDS = 2_145, 6, 300
LOOKS_A_SECOND = SITES * RUNGS / INTERVAL_SECONDS
LOOKS = 1_200
PORT, JUDGE = 18_187, 18_188
GOAL_CPU_SHARE, GOAL_LATE_SECONDS = 0.15, 5.0
NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/log; events {{}} worker_processes 1;
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
server {{ listen 127.0.0.1:{port}; location / {{ return 200 "halo\\n"; }} }} }}
"""
MODULES = {"http": "http_2xx", "tcp": "tcp_connect"}
CONFIG = "modules: {http_2xx: {prober: http, timeout: 5s}, tcp_connect: {prober: tcp, timeout: 5s}}"


def our_looks(count: int, per_second: float) -> None:
    """In a process of its own: so many looks, half http, half tcp, at an even pace; prints JSON."""
    from model.check import Check  # noqa: PLC0415 - only the child loads it
    from model.kinds import Http, Settings, Tcp  # noqa: PLC0415 - the same
    from probes.clock import SystemClock  # noqa: PLC0415 - the same
    from probes.kinds import open_probes  # noqa: PLC0415 - the same

    kinds: list[tuple[str, Settings]] = [
        ("http", Http(f"http://127.0.0.1:{PORT}/")),
        ("tcp", Tcp(PORT)),
    ]
    checks = [
        Check(f"s-{n}", "centre", *(kinds[n % 2][0], "application", "127.0.0.1", 300, 5.0, 1),
              settings=kinds[n % 2][1])
        for n in range(count)
    ]  # fmt: skip

    async def run() -> dict[str, object]:
        late: list[float] = []
        times: dict[str, list[float]] = {"http": [], "tcp": []}
        up = 0
        with ExitStack() as stack:
            probes = open_probes(checks, SystemClock(), stack)
            used = resource.getrusage(resource.RUSAGE_SELF)
            begun = time.perf_counter()

            async def one(number: int, check: Check) -> bool:
                due = begun + number / per_second
                await asyncio.sleep(max(0.0, due - time.perf_counter()))  # its time has come
                late.append(time.perf_counter() - due)
                seen = await probes[check.kind](check)
                phases = [value for name, value in seen.readings.items() if "_seconds" in name]
                times[check.kind].append(sum(phases))
                return seen.outcome.name == "UP"

            up = sum(await asyncio.gather(*(one(n, check) for n, check in enumerate(checks))))
            after = resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
        median = {kind: statistics.median(some) for kind, some in times.items()}
        return {"cpu": cpu, "up": up, "late": max(late), "median": median}

    print(json.dumps(asyncio.run(run())))


def cpu_seconds(pid: int) -> float:
    """CPU that a process has used so far (proc(5) stat, fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fetched(url: str) -> str:
    """The text of a page of ours on loopback."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own http address
        return str(answer.read().decode())


def judged(kind: str) -> tuple[bool, float]:
    """One look by blackbox_exporter: success, and the sum of its phases (HTTP) or the whole."""
    target = f"http://127.0.0.1:{PORT}/" if kind == "http" else f"127.0.0.1:{PORT}"
    said = fetched(f"http://127.0.0.1:{JUDGE}/probe?module={MODULES[kind]}&target={target}")
    phases = re.findall(r"^probe_http_duration_seconds\{.*\} (\S+)$", said, re.MULTILINE)
    whole = re.findall(r"^probe_duration_seconds (\S+)$", said, re.MULTILINE)
    return "probe_success 1" in said, sum(map(float, phases or whole))


def wait_until_up(url: str) -> None:
    """Ask until a server answers, ten seconds at most."""
    deadline = time.monotonic() + 10
    while True:
        try:
            fetched(url)
        except OSError:
            if time.monotonic() > deadline:
                raise
        else:
            return


def run() -> None:
    """Print both, and how we stand to the goals."""
    nginx, judge = shutil.which("nginx"), shutil.which("prometheus-blackbox-exporter")
    if nginx is None or judge is None:
        print("nginx or prometheus-blackbox-exporter is not installed: no bench")
        return
    with tempfile.TemporaryDirectory() as made, ExitStack() as stack:
        folder = Path(made)
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=PORT))
        (folder / "blackbox.yml").write_text(CONFIG)
        flags = [f"--config.file={folder}/blackbox.yml", f"--web.listen-address=127.0.0.1:{JUDGE}"]
        servers = [
            subprocess.Popen(command, stderr=subprocess.DEVNULL)
            for command in ([nginx, "-c", f"{folder}/nginx.conf"], [judge, *flags])
        ]
        for server in servers:
            stack.callback(server.wait)
            stack.callback(server.terminate)
        wait_until_up(f"http://127.0.0.1:{PORT}/")
        wait_until_up(f"http://127.0.0.1:{JUDGE}/metrics")
        child = [sys.executable, "-m", "bench.ladder", str(LOOKS), str(LOOKS_A_SECOND)]
        done = subprocess.run(child, capture_output=True, text=True, check=True)
        ours = json.loads(done.stdout)
        before = cpu_seconds(servers[1].pid)
        seen: dict[str, list[tuple[bool, float]]] = {"http": [], "tcp": []}
        for number in range(LOOKS):
            kind = ("http", "tcp")[number % 2]
            seen[kind].append(judged(kind))
        theirs = cpu_seconds(servers[1].pid) - before
    report(ours, theirs, seen)


def report(
    ours: dict[str, object], theirs: float, seen: dict[str, list[tuple[bool, float]]]
) -> None:
    """The table and its verdict."""
    cpu, median = float(str(ours["cpu"])), ours["median"]
    share = cpu / LOOKS * LOOKS_A_SECOND
    their_up = sum(good for some in seen.values() for good, _ in some)
    print(
        f"{LOOKS:,} looks, {LOOKS_A_SECOND:.1f} a second: {SITES:,} sites x {RUNGS} rungs / 5 min"
    )
    print(f"{'':<20}{'CPU ms/look':>12}{'of a core':>11}{'up':>7}")
    print(f"{'ours':<20}{cpu / LOOKS * 1e3:>12.3f}{share:>11.1%}{ours['up']:>7}")
    their_share = theirs / LOOKS * LOOKS_A_SECOND
    print(
        f"{'blackbox_exporter':<20}{theirs / LOOKS * 1e3:>12.3f}{their_share:>11.1%}{their_up:>7}"
    )
    print(f"{word(share <= GOAL_CPU_SHARE)}: {share:.1%} of a core (goal {GOAL_CPU_SHARE:.0%})")
    late = float(str(ours["late"]))
    print(f"{word(late <= GOAL_LATE_SECONDS)}: latest look {late:.3f} s after its time (goal 5 s)")
    print(f"{word(ours['up'] == their_up == LOOKS)}: both see every target up")
    for kind, some in seen.items():
        mine = median[kind] if isinstance(median, dict) else 0.0
        judge = statistics.median(seconds for _, seconds in some)
        near = abs(mine - judge) <= max(0.005, 0.1 * judge)
        print(f"{word(near)}: {kind} {mine * 1e3:.2f} ms, blackbox {judge * 1e3:.2f} ms (median)")


def word(met: bool) -> str:
    return "met    " if met else "NOT MET"


if __name__ == "__main__":
    our_looks(int(sys.argv[1]), float(sys.argv[2]))
