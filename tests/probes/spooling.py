"""What tests of the spool share: numbered looks that go in, and a drain that takes all out."""

from pathlib import Path

from probes.segment import Gap
from probes.spool import CLOCK_SET_MS, DAY_MS, Limits, Spool

NOW_MS = CLOCK_SET_MS + 700 * DAY_MS


def gap_line(gap: Gap) -> bytes:
    return f"gap {gap.start_ms} {gap.end_ms} {gap.looks}".encode()


def line(number: int) -> bytes:
    return b"ping,site=a outcome=1i %d" % number


def open_spool(directory: Path, **limits: int) -> Spool:
    return Spool(directory, gap_line, Limits(**limits))


def fill(spool: Spool, first: int, last: int, per_append: int = 5) -> None:
    numbers = list(range(first, last + 1))
    for start in range(0, len(numbers), per_append):
        some = numbers[start : start + per_append]
        spool.append([(NOW_MS + number, line(number)) for number in some], NOW_MS)


def drain(spool: Spool, max_records: int = 7) -> dict[int, bytes]:
    """Everything that waits, acknowledged batch by batch."""
    found: dict[int, bytes] = {}
    while batch := spool.batch(newest=False, max_records=max_records):
        assert batch.last - batch.first + 1 == len(batch.lines) <= max_records
        numbered = dict(enumerate(batch.lines, batch.first))
        assert not numbered.keys() & found.keys()
        found |= numbered
        spool.acknowledge([(batch.first, batch.last)])
    return found
