"""The spool: nothing lost, nothing invented, by limits, restarts, full disks and kill -9."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from model.errors import UnavailableError
from probes.line_protocol import thin
from probes.segment import Gap
from probes.spool import DAY_MS, Limits, Spool
from tests.probes.spooling import NOW_MS, drain, fill, gap_line, line, open_spool

FAULTS = int(os.environ.get("JANGKAU_FAULTS", "0"))
ROOT = Path(__file__).parents[2]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = open_spool(tmp_path / "spool", segment_bytes=2048)
    yield opened
    opened.close()


def test_keeps_order_and_numbers_from_one(spool: Spool) -> None:
    """What goes in comes out, numbered without holes."""
    fill(spool, 1, 100)
    assert spool.pending_records == 100
    assert drain(spool) == {number: line(number) for number in range(1, 101)}
    assert spool.pending_records == 0


def test_both_ends(spool: Spool) -> None:
    """The newest batch ends with the last record, the oldest begins with the first."""
    fill(spool, 1, 100)
    newest = spool.batch(newest=True, max_records=3)
    oldest = spool.batch(newest=False, max_records=3)
    assert newest is not None
    assert newest.lines == [line(98), line(99), line(100)]
    assert oldest is not None
    assert (oldest.first, oldest.last) == (1, 3)


def test_batch_limits(spool: Spool) -> None:
    """A batch stops at its bytes and at a number to be skipped, and is never empty."""
    fill(spool, 1, 9)
    some = spool.batch(newest=False, max_records=9, max_bytes=2 * len(line(1)) + 2)
    one = spool.batch(newest=False, max_records=9, max_bytes=1)
    skipped = spool.batch(newest=False, max_records=9, skip={1, 5})
    assert some is not None
    assert (some.first, some.last) == (1, 2)
    assert one is not None
    assert (one.first, one.last) == (1, 1)
    assert skipped is not None
    assert (skipped.first, skipped.last) == (2, 4)


def test_acknowledged_stays_forgotten_and_files_go(tmp_path: Path) -> None:
    """Receipts outlive a restart, files that are done with are removed, numbers go on."""
    spool = open_spool(tmp_path, segment_bytes=1024)
    epoch = spool.epoch
    fill(spool, 1, 60)
    spool.acknowledge([(1, 40), (45, 50)])
    spool.close()
    again = open_spool(tmp_path, segment_bytes=1024)
    assert again.epoch == epoch
    assert sorted(drain(again)) == [*range(41, 45), *range(51, 61)]
    assert len(list(tmp_path.glob("seg-*"))) == 1
    fill(again, 61, 61)
    assert drain(again) == {61: line(61)}
    assert (again.missing_records, again.damaged_bytes) == (0, 0)
    again.close()


def test_overflow_leaves_an_account(tmp_path: Path) -> None:
    """The oldest goes first, one gap record says since when, until when and how many."""
    spool = open_spool(tmp_path, max_bytes=6000, segment_bytes=1000)
    fill(spool, 1, 500)
    assert spool.size_bytes <= 6000 + 1000
    kept = drain(spool)
    gaps = [text.split() for text in kept.values() if text.startswith(b"gap")]
    looks = sorted(int(text.split()[-1]) for text in kept.values() if not text.startswith(b"gap"))
    assert looks == list(range(looks[0], 501))
    assert sum(int(looks) for *_, looks in gaps) == looks[0] - 1 == spool.dropped_looks
    assert min(int(start) for _, start, _, _ in gaps) == NOW_MS + 1
    assert max(int(end) for _, _, end, _ in gaps) == NOW_MS + looks[0] - 1
    spool.close()


DETAILED = (
    b"ping,site=a,target=x,vantage=village outcome=1i,sent=5i,received=5i,late=0i,duplicates=0i,"
    b"rtt_min_seconds=0.0123,rtt_median_seconds=0.0234,rtt_p95_seconds=0.0456,"
    b'rtt_max_seconds=0.05,jitter_seconds=0.003,monotonic_ms=1i,boot="0123456789ab" %d'
)


def test_details_go_before_looks(tmp_path: Path) -> None:
    """A full spool first loses RTT details, in place; only when all files are thin does one go."""
    kept = {}
    for name, shorter in (("plain", lambda text: text), ("thinning", thin)):
        directory = tmp_path / name
        spool = Spool(directory, gap_line, Limits(20_000, segment_bytes=2000), shorter)
        for number in range(1, 106):
            spool.append([(NOW_MS + number, DETAILED % number)], NOW_MS)
        spool.close()  # what was thinned is as sound as it was
        spool = Spool(directory, gap_line, Limits(20_000, segment_bytes=2000), shorter)
        assert spool.damaged_bytes == spool.missing_records == 0
        assert spool.size_bytes <= 20_000 + 2000
        texts = list(drain(spool).values())
        looks = [text for text in texts if text.startswith(b"ping")]
        gone = sum(int(text.split()[-1]) for text in texts if text.startswith(b"gap"))
        assert len(looks) + gone == 105
        assert all(b"rtt_median_seconds=0.0234" in text for text in looks)
        kept[name] = looks
        spool.close()
    assert len(kept["plain"]) < 80
    assert len(kept["thinning"]) == 105
    assert kept["thinning"][0] == thin(DETAILED % 1)
    assert kept["thinning"][-1] == DETAILED % 105


def test_gap_of_the_caller(spool: Spool) -> None:
    """What was dropped before it came to the spool is accounted for in the same way."""
    spool.append([(5, b"x")], NOW_MS, lost=Gap(1, 4, 3))
    assert drain(spool) == {1: b"gap 1 4 3", 2: b"x"}


def test_old_files_go_but_not_by_a_clock_that_was_not_set(tmp_path: Path) -> None:
    """Age drops one file an append; times before 2025 say nothing of age."""
    spool = open_spool(tmp_path, segment_bytes=200, max_age_days=60)
    spool.append([(3_600_000, b"1970" * 30)], NOW_MS)
    spool.append([(NOW_MS, b"old" * 40)], NOW_MS)
    spool.append([(NOW_MS, b"old" * 40)], NOW_MS)
    spool.append([(NOW_MS + 61 * DAY_MS, b"new")], NOW_MS + 61 * DAY_MS)
    assert spool.dropped_looks == 0, "the oldest file bears no valid time: it stays"
    spool.acknowledge([(1, 1)])
    spool.append([(NOW_MS + 61 * DAY_MS, b"new")], NOW_MS + 61 * DAY_MS)
    assert spool.dropped_looks == 1
    spool.close()


def test_one_probe_at_a_time(spool: Spool, tmp_path: Path) -> None:
    """A second probe on the same spool is told so."""
    with pytest.raises(UnavailableError, match="in use by another probe"):
        open_spool(tmp_path / "spool")


def test_failed_write_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that does not take an append leaves the spool as it was."""
    spool = open_spool(tmp_path)
    fill(spool, 1, 3)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            fill(spool, 4, 6)
    fill(spool, 7, 8)
    assert list(drain(spool).values()) == [line(number) for number in (1, 2, 3, 7, 8)]
    assert spool.damaged_bytes == 0
    spool.close()


def test_set_aside(spool: Spool, tmp_path: Path) -> None:
    """A poison record leaves the queue; its bytes stay on the device."""
    fill(spool, 1, 5)
    spool.set_aside(3)
    assert sorted(drain(spool)) == [1, 2, 4, 5]
    (bad,) = (tmp_path / "spool").glob("record-*.bad")
    assert line(3) in bad.read_bytes()


class SpoolMachine(RuleBasedStateMachine):
    """Appends, receipts, restarts and overflow against a dictionary."""

    root: Path

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(dir=self.root))
        self.spool = open_spool(self.directory, max_bytes=4000, segment_bytes=600)
        self.appended = 0
        self.waiting: dict[int, bytes] = {}
        self.accounted = 0

    @rule(count=st.integers(1, 12))
    def append(self, count: int) -> None:
        numbers = range(self.appended + 1, self.appended + count + 1)
        self.spool.append([(NOW_MS + number, line(number)) for number in numbers], NOW_MS)
        self.appended += count
        self.waiting |= {number: line(number) for number in numbers}

    @rule(newest=st.booleans(), size=st.integers(1, 20), data=st.data())
    def send(self, newest: bool, size: int, data: st.DataObject) -> None:
        batch = self.spool.batch(newest=newest, max_records=size)
        assert (batch is None) == (self.spool.pending_records == 0)
        if batch is None:
            return
        first = data.draw(st.integers(batch.first, batch.last))
        last = data.draw(st.integers(first, batch.last))
        self.spool.acknowledge([(first, last)])
        for seq, text in enumerate(batch.lines, batch.first):
            if first <= seq <= last:
                if text.startswith(b"gap"):
                    self.accounted += int(text.split()[-1])
                else:
                    assert self.waiting.pop(int(text.split()[-1])) == text

    @rule()
    def restart(self) -> None:
        self.spool.close()
        self.spool = open_spool(self.directory, max_bytes=4000, segment_bytes=600)

    @invariant()
    def nothing_is_wrong(self) -> None:
        assert self.spool.damaged_bytes == self.spool.missing_records == 0
        assert self.spool.size_bytes <= 4000 + 1000

    def teardown(self) -> None:
        for text in drain(self.spool).values():
            if text.startswith(b"gap"):
                self.accounted += int(text.split()[-1])
            else:
                assert self.waiting.pop(int(text.split()[-1])) == text
        assert len(self.waiting) == self.accounted, "what is not there is in a gap record"
        self.spool.close()


def test_state_machine(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Any order of appends, receipts, restarts and overflow loses and invents nothing."""
    SpoolMachine.root = tmp_path_factory.mktemp("machines")
    run_state_machine_as_test(
        SpoolMachine,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


WRITER = """
import sys
from pathlib import Path
from probes.spool import Limits, Spool
spool = Spool(Path(sys.argv[1]), lambda gap: b"gap", Limits(segment_bytes=3000))
number = int(sys.argv[2])
while True:
    spool.append([(1, b"%d" % (number + i)) for i in range(5)], 1)
    number += 5
    print("durable", number - 1, flush=True)
    batch = spool.batch(newest=number % 2 == 0, max_records=3)
    print("sent", *(line.decode() for line in batch.lines), flush=True)
    spool.acknowledge([(batch.first, batch.last)])
"""


@pytest.mark.faults
def test_kill_9(tmp_path: Path) -> None:
    """Killed at any instant: what append had returned from is there, or was sent."""
    sent: set[int] = set()
    last = 0
    for cycle in range(FAULTS or 24):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(last + 1)],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert writer.stdout is not None
        with writer.stdout as output:
            report = [output.readline() for _ in range(1 + 7 * cycle % 23)]
            writer.send_signal(signal.SIGKILL)
            report += output.readlines()
        writer.wait()
        words = [text.split() for text in report if text.endswith(b"\n")]
        sent |= {int(number) for word, *numbers in words if word == b"sent" for number in numbers}
        last = max(int(numbers[0]) for word, *numbers in words if word == b"durable")
        spool = Spool(tmp_path, gap_line, Limits(segment_bytes=3000))
        waiting = [int(text) for text in peek(spool)]
        assert spool.missing_records == 0
        assert len(waiting) == len(set(waiting))
        assert set(range(1, last + 1)) <= sent | set(waiting)
        if len(waiting) > 300:  # so that a long run does not become a slow one
            sent |= {int(line) for line in drain(spool, 1000).values()}
        spool.close()
        last = max([last, *waiting])


def peek(spool: Spool) -> list[bytes]:
    found: list[bytes] = []
    seen: set[int] = set()
    while batch := spool.batch(newest=False, max_records=1000, skip=seen):
        found += batch.lines
        seen |= set(range(batch.first, batch.last + 1))
    return found
