"""Echoes: CPU, losses and truthfulness of our engine beside fping, gufo-ping and icmplib.

Goals: no lost answer, at most half of fping's CPU seconds, and a median RTT within 5 µs of what the
kernel itself measures, even when the loop stalls. Every round runs every pinger once, in turn, on
the same loopback targets; the table shows medians.
"""

import json
import os
import re
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

RATE = 10_000
ROUNDS = 5
STALL_SECONDS = 0.005
SIZES = (2_145, 20_000)
TRUTH_ECHOES = 2_000
GOAL_CPU_RATIO = 0.5
GOAL_RTT_SECONDS = 5e-6


class Run(NamedTuple):
    """One run of one pinger: wall and CPU seconds of the whole process, answers, median RTT."""

    wall_seconds: float
    cpu_seconds: float
    received: int
    rtt_median_seconds: float | None


def runner(kind: str, stall_seconds: float = 0.0) -> list[str]:
    return [sys.executable, "-m", "bench.echo_runner", kind, str(RATE), str(stall_seconds)]


FPING = ["fping", "-q", "-s", "-r", "0", "-i", str(1000 / RATE)]
STALLED = "ours, 5 ms stalls"
PINGERS = {
    "fping": FPING,
    "ours": runner("ours"),
    STALLED: runner("ours", STALL_SECONDS),
    "gufo-ping": runner("gufo"),
    "icmplib": runner("icmplib"),
}
SLOW = {"icmplib"}  # seconds of CPU: the small size only


def measure(command: list[str], addresses: list[str]) -> Run:
    """Run a pinger to its end and count what it used (wait4)."""
    with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile("w+") as out:
        given.write("\n".join(addresses) + "\n")
        given.seek(0)
        begun = time.perf_counter()
        # fping writes its summary on standard error, our runner on standard output
        child = subprocess.Popen(command, stdin=given, stdout=out, stderr=out)
        _, status, used = os.wait4(child.pid, 0)
        wall_seconds = time.perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    if alive := re.search(r"(\d+) alive", text):
        received, rtt = int(alive[1]), None
    else:
        try:
            answer = json.loads(text)
        except ValueError:
            raise RuntimeError(f"{' '.join(command)} failed: {text[-2000:]}") from None
        received, rtt = answer["received"], answer["rtt_median_seconds"]
    return Run(wall_seconds, used.ru_utime + used.ru_stime, received, rtt)


def kernel_rtt_seconds(echoes: int) -> float:
    """The median RTT between the kernel's own stamps: the request handed to the driver
    (SO_TIMESTAMPING, software) and the answer come in (SO_TIMESTAMPNS); one echo at a time."""
    so_timestampns, so_timestamping, tx_software, software, only_stamp = 35, 37, 2, 16, 2048
    timespec = struct.Struct("@ll")

    def stamp_ns(ancillary: list[tuple[int, int, bytes]], kind: int) -> int:
        (data,) = (data for level, found, data in ancillary if (level, found) == (1, kind))
        seconds, nanoseconds = timespec.unpack_from(data)
        return int(seconds * 1_000_000_000 + nanoseconds)

    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as icmp:
        icmp.setsockopt(255, 1, struct.pack("=I", 0xFFFFFFFE))  # ICMP_FILTER: echo replies only
        icmp.setsockopt(socket.SOL_SOCKET, so_timestampns, 1)
        icmp.setsockopt(socket.SOL_SOCKET, so_timestamping, tx_software | software | only_stamp)
        icmp.settimeout(1)
        for number in range(echoes):
            packet = struct.pack("!BBHHHQQ", 8, 0, 0, 4711, number, 0, 0)
            checksum = 0xFFFF - int.from_bytes(packet, "big") % 0xFFFF
            icmp.sendto(packet[:2] + checksum.to_bytes(2, "big") + packet[4:], ("127.61.0.1", 0))
            _, received, _, _ = icmp.recvmsg(128, 256)
            _, sent, _, _ = icmp.recvmsg(128, 256, socket.MSG_ERRQUEUE)
            found.append(stamp_ns(received, so_timestampns) - stamp_ns(sent, so_timestamping))
    return statistics.median(found[echoes // 10 :]) / 1e9  # without the first, unstamped ones


def run() -> None:
    """Print the tables and, for each size, how we stand to the goals."""
    if shutil.which("fping") is None:
        print("fping is not installed (apt install fping): our rows stand alone")
    truth = kernel_rtt_seconds(TRUTH_ECHOES)
    print(f"the kernel's own median RTT, one echo at a time: {truth * 1e6:.2f} µs")
    for size in SIZES:
        addresses = [
            f"127.{61 + i // 65536}.{i // 256 % 256}.{i % 256}" for i in range(1, size + 1)
        ]
        names = [
            name
            for name in PINGERS
            if not (name in SLOW and size > min(SIZES))
            and (name != "fping" or shutil.which("fping"))
        ]
        runs: dict[str, list[Run]] = {name: [] for name in names}
        for _ in range(ROUNDS):
            for name in names:
                runs[name].append(measure(PINGERS[name], addresses))
        report(size, runs, truth)


def report(size: int, runs: dict[str, list[Run]], truth: float) -> None:
    """One table and its verdict."""
    print(f"\n{size:,} targets, one echo each, {RATE:,}/s where the pinger can pace")
    print(f"{'':<20}{'wall s':>8}{'CPU s':>8}{'lost':>7}{'median RTT µs':>15}")
    cpu: dict[str, float] = {}
    for name, measured in runs.items():
        cpu[name] = statistics.median(run.cpu_seconds for run in measured)
        wall = statistics.median(run.wall_seconds for run in measured)
        lost = sum(size - run.received for run in measured)
        rtts = [run.rtt_median_seconds for run in measured if run.rtt_median_seconds is not None]
        rtt = f"{statistics.median(rtts) * 1e6:.1f}" if rtts else "–"
        print(f"{name:<20}{wall:>8.2f}{cpu[name]:>8.3f}{lost:>7}{rtt:>15}")
    if "fping" in runs:
        ratios = [
            mine.cpu_seconds / theirs.cpu_seconds
            for mine, theirs in zip(runs["ours"], runs["fping"], strict=True)
        ]
        ratio = statistics.median(ratios)
        print(
            f"{word(ratio <= GOAL_CPU_RATIO)}: {ratio:.2f} of fping's CPU (goal {GOAL_CPU_RATIO})"
        )
    for name in ("ours", STALLED):
        lost = sum(size - run.received for run in runs[name])
        off = statistics.median((run.rtt_median_seconds or 0) - truth for run in runs[name])
        near = word(abs(off) <= GOAL_RTT_SECONDS)
        print(f"{word(lost == 0)}: {name}: {lost} lost (goal 0)")
        print(f"{near}: {name}: median RTT {off * 1e6:+.2f} µs from the truth")


def word(met: bool) -> str:
    return "met    " if met else "NOT MET"
