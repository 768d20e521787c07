"""What a collector costs and bears beside its ordinary day: 2,145 probes that report once a minute;
a week that is concluded, backups that are taken one after the other, and one probe that has lost
all measure.

Goals: 5 % of a core; no write waits more than 100 ms for a reader; a backup slows writing by 5 % at
most; the flood makes the others' p99 10 % longer at most. The peer in each row is the same
collector left alone at the same rate.
"""

import gzip
import shutil
import subprocess
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.ingest import START_MS, bodies, collector, enveloped, load, plain
from bench.process import jangkau, measured
from collector.credentials import Keys

PROBES, LOOKS, SECONDS = 2145, 6, 60
"""A probe's minute: six rungs of the ladder."""
RATE = 200.0
"""Batches a second of 60 looks: 300 times what a province at one look a minute brings."""
WEEK, END, VILLAGES = "2026-W46", "2026-11-16", 600
ROUNDS = 3


def run() -> None:
    """One row each."""
    with tempfile.TemporaryDirectory() as scratch:
        _province_a_minute(Path(scratch) / "minute")
        _week_beside(Path(scratch))
        _backup_beside(Path(scratch) / "backup")
        _flood_beside(Path(scratch) / "flood")


def _province_a_minute(data: Path) -> None:
    key, rate = Keys(data).add("bench", None, 1), PROBES / 60
    sent = [gzip.compress(_minute(n).encode(), mtime=0) for n in range(int(rate * SECONDS))]
    # Fed twice, so that what the archive costs is in the figure.
    with collector(data, "--feed-seconds", "30") as (process, port):
        load(port, enveloped(key, sent[:200], LOOKS, epoch=1), process)  # imports and first uses
        row = load(port, enveloped(key, sent, LOOKS), process, rate)
    _say(f"{PROBES} probes once a minute, {LOOKS} looks each", row)
    print(f"  {row['cpu'] / row['seconds']:.1%} of a core")


def _minute(number: int) -> str:
    """What one probe's minute looks like on the wire."""
    at = START_MS + number // PROBES * 60_000
    return "\n".join(
        f"ping,site=desa-{number % PROBES},target=rung{n},vantage=village outcome=1i,sent=5i,"
        f"received=5i,rtt_min_seconds=0.0{30 + n},rtt_median_seconds=0.0{40 + number % 37},"
        f"rtt_max_seconds=0.0{80 + number % 13},jitter_seconds=0.00{n + 1} {at}"
        for n in range(LOOKS)
    )


def _week_beside(scratch: Path) -> None:
    province, data = scratch / "province", scratch / "week"
    common = ("--villages", str(VILLAGES), "--kabupaten", "4", "--end", END)
    measured(jangkau("simulate", "province", "--out", str(province), *common))
    history = ("--province", str(province), "--data", str(data), "--weeks", "1")
    measured(jangkau("simulate", "history", *history))
    key = Keys(data).add("bench", None, 1)
    reading = jangkau(
        *("availability", "--week", WEEK, "--data", str(data)),
        *("--inventory", str(province / "inventory.yaml"), "--json"),
    )
    with collector(data) as (process, port):
        sent = bodies()
        alone = load(port, enveloped(key, sent[:2000]), process, RATE)
        with _over_and_over(reading, forget=data / "weeks") as read:
            beside = load(port, enveloped(key, sent[2000:4000], epoch=0xBB), process, RATE)
    _say(f"{RATE:.0f} batches/s, nobody reads", alone)
    _say(f"{RATE:.0f} batches/s, a week concluded {read.times} times meanwhile", beside)


def _backup_beside(data: Path) -> None:
    key = Keys(data).add("bench", None, 1)
    saving = jangkau("backup", "--data", str(data), "--out", "-")
    sent = bodies()[:2000]
    with collector(data) as (process, port):
        for number in range(ROUNDS):
            alone = load(port, enveloped(key, sent, epoch=2 * number), process, RATE)
            with _over_and_over(saving) as saved:
                again = enveloped(key, sent, epoch=2 * number + 1)
                beside = load(port, again, process, RATE)
            _say(f"{RATE:.0f} batches/s, nobody saves", alone)
            _say(f"{RATE:.0f} batches/s, {saved.times} backups meanwhile", beside)
            print(f"  slower by {beside['seconds'] / alone['seconds'] - 1:.1%}")


def _flood_beside(data: Path) -> None:
    keys = Keys(data)
    steady, greedy = keys.add("bench", None, 1), keys.add("greedy", None, 1)
    sent = [gzip.compress(_minute(n).encode(), mtime=0) for n in range(PROBES)]
    with collector(data, "--requests-per-second", "40") as (process, port):
        load(port, enveloped(steady, sent[:100], LOOKS, epoch=1), process, PROBES / 60)
        requests = enveloped(steady, sent[:500], LOOKS)
        alone = load(port, requests, process, PROBES / 60)
        # As fast as it is answered on 16 connections, which after a 429 is once a second each.
        flood = [plain(greedy, sent[0])] * 400
        with ThreadPoolExecutor(1) as other:
            flooding = other.submit(load, port, flood, process)
            again = enveloped(steady, sent[500:1000], LOOKS, epoch=2)
            beside = load(port, again, process, PROBES / 60)
            flooded = flooding.result()
    _say(f"{PROBES / 60:.0f} batches/s, alone", alone)
    _say("the same beside one probe that sends all it can", beside)
    print(f"  that probe: answers {flooded['statuses']}")


class _over_and_over:  # noqa: N801 - reads as a statement
    """A command run again and again while the block lasts, a whole number of times, at the priority
    that what can wait should have (nice); a folder that holds what it found is forgotten before."""

    def __init__(self, command: list[str], forget: Path | None = None) -> None:
        self._command, self._forget = command, forget
        self._done, self.times = threading.Event(), 0
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "_over_and_over":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.is_set():
            if self._forget is not None:
                shutil.rmtree(self._forget, ignore_errors=True)
            command = ["nice", *self._command]
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            self.times += 1


def _say(what: str, row: dict[str, Any]) -> None:
    latencies = row["latencies"]
    print(
        f"{what}: {len(latencies) / row['seconds']:.0f} batches/s, "
        f"p99 {latencies[int(len(latencies) * 0.99)] * 1000:.1f} ms, "
        f"slowest {latencies[-1] * 1000:.1f} ms, answers {row['statuses']}"
    )
