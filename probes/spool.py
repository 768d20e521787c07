"""The durable queue of what was seen and is not yet known to be kept elsewhere.

Law: what ``append`` returned from survives a power cut; what leaves the queue was named by a
receipt, or is accounted for in a gap record; damage costs the damaged bytes, never the queue.

A directory of append-only segment files (``probes/segment.py``) and a ledger of what may be
forgotten (``probes/ledger.py``). Numbers rise by one and are never used twice within an epoch: the
collector tells a repeated record from a new one by (probe, epoch, number) alone. So after any end
that was not a proper ``close``, when numbers may have been used of which nothing is left, the count
goes on a great step later.
"""

import logging
import os
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from probes.ledger import Ledger, Ranges
from probes.segment import OVERHEAD_BYTES, Gap, Kind, Record, frame
from probes.spool_files import Segment, SpoolFiles

log = logging.getLogger(__name__)

STEP = 2**32
"""How far numbering moves on after a crash: more than a probe writes between two of them."""
NOTE_EVERY = 10
"""Receipts until the ledger is written, since flash wears by the page. A power cut costs that the
records since are sent once more, which changes nothing."""
CLOCK_SET_MS = 1_735_689_600_000
"""2025-01-01. An earlier time is that of a clock that was not set yet, and says nothing of age."""
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Limits:
    """How large and how old a spool may become, and how large its files are. The default holds
    six days of five looks a minute. An append may go over ``max_bytes`` by itself."""

    max_bytes: int = 8 * 2**20
    max_age_days: int = 60
    segment_bytes: int = 128 * 2**10


class Batch(NamedTuple):
    """Waiting records with consecutive numbers, as lines."""

    first: int
    last: int
    lines: list[bytes]


class Spool:
    """See the module. All methods may be called from any thread.

    ``gap_line`` writes a gap as the line that is sent for it; ``thin`` takes the details out of a
    line, which is what goes first when the spool is full. Opening never fails because of what
    is *in* the files; it raises UnavailableError when another process has the spool, OSError when
    the directory cannot be used.
    """

    def __init__(
        self,
        directory: Path,
        gap_line: Callable[[Gap], bytes],
        limits: Limits | None = None,
        thin: Callable[[bytes], bytes] = lambda line: line,
    ) -> None:
        self._gap_line = gap_line
        self._thin = thin
        self._limits = limits or Limits()
        self._mutex = threading.Lock()
        self._active: BinaryIO | None = None
        self._unnoted = 0
        self.missing_records = 0
        self.dropped_looks = 0
        self._files = SpoolFiles(directory, self._limits.max_bytes // 8)
        try:
            self._ledger, self._segments, self._next = self._recovered()
        except BaseException:
            self._files.release()
            raise

    @property
    def epoch(self) -> str:
        """16 hex digits, drawn when the spool was created: a wiped device is not a replay."""
        return self._ledger.epoch

    @property
    def damaged_bytes(self) -> int:
        """Bytes that were found damaged and put aside since the spool was opened."""
        return self._files.damaged_bytes

    @property
    def written_bytes(self) -> int:
        """Bytes written since the spool was opened: what the flash wears by."""
        return self._files.written_bytes

    @property
    def pending_records(self) -> int:
        """How many records wait to be sent."""
        with self._mutex:
            runs = [run for segment in self._segments for run in self._pending(segment)]
            return sum(last - first + 1 for first, last in runs)

    @property
    def size_bytes(self) -> int:
        """What the segment files take."""
        with self._mutex:
            return sum(segment.size for segment in self._segments)

    def append(
        self, looks: Sequence[tuple[int, bytes]], now_ms: int, lost: Gap | None = None
    ) -> None:
        """Make ``looks`` durable: (time in Unix milliseconds, line without line feed).

        ``lost`` is what the caller itself had to drop before. Where the limits ask for it the
        oldest files lose their details; when all have, the oldest goes, after a record of the gap
        is durable. Raises OSError when the disk takes
        it not; then nothing of this call is kept.
        """
        with self._mutex:
            need = sum(len(line) + OVERHEAD_BYTES for _, line in looks)
            self._thin_for(need)
            victims = self._victims(need, now_ms)
            dropped = [record for item in victims for record in self._read_pending(item)]
            if lost is not None:
                dropped.append(lost.record(self._next))
            gap = Gap.of(dropped)
            records = [] if gap is None else [gap.record(self._next)]
            first = self._next + len(records)
            records += [
                Record(Kind.LOOK, seq, at_ms, line)
                for seq, (at_ms, line) in enumerate(looks, first)
            ]
            if records:
                self._write(records, new_file=victims == self._segments)
            if victims:
                self.dropped_looks += sum(record.kind == Kind.LOOK for record in dropped)
                self._forget_files(victims)

    def batch(
        self,
        *,
        newest: bool,
        max_records: int,
        max_bytes: int = 2**20,
        skip: Collection[int] = (),
    ) -> Batch | None:
        """Waiting records from one end of the queue, at least one; None when nothing waits.
        ``max_bytes`` is of the lines; ``skip`` are numbers to leave for later."""
        with self._mutex:
            for segment in list(reversed(self._segments) if newest else self._segments):
                if any(self._pending(segment, skip)):
                    records = self._read_pending(segment, skip)
                    if records:  # otherwise damage took them
                        return self._cut(records, newest, max_records, max_bytes)
            return None

    def acknowledge(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Forget what a receipt named: ranges of numbers with both ends included."""
        with self._mutex:
            for first, last in ranges:
                self._ledger.forgotten.add(first, last)
            done = [item for item in self._segments[:-1] if not any(self._pending(item))]
            self._unnoted += 1
            if done or self._unnoted >= NOTE_EVERY:
                self._forget_files(done)

    def set_aside(self, seq: int) -> None:
        """Take a record that nobody accepts out of the queue; its bytes go to a .bad file."""
        with self._mutex:
            for segment in self._segments:
                if seq in segment.numbers:
                    for record in self._read_pending(segment):
                        if record.seq == seq:
                            self._files.keep_bad(f"record-{seq:020d}", frame(record))
            self._ledger.forgotten.add(seq, seq)
            self._files.save_ledger(self._ledger)

    def close(self) -> None:
        """Let go of the files. All that was appended is durable already; what this adds is the
        next number, so that numbering goes on without a step."""
        with self._mutex:
            self._close_active()
            self._ledger.next = self._next
            try:
                self._files.save_ledger(self._ledger)
            except OSError as error:
                log.warning("spool: could not note the proper end: %s", error)
            self._files.release()

    def _write(self, records: list[Record], *, new_file: bool) -> None:
        """All of ``records`` to one file, or none: what a failed write left is cut off again."""
        data = b"".join(frame(record) for record in records)
        last = self._segments[-1] if self._segments else None
        if last is None or new_file or last.size + len(data) > self._limits.segment_bytes:
            self._close_active()
            self._segments.append(self._files.create_segment(records[0].seq, self.epoch))
        segment = self._segments[-1]
        if self._active is None:
            self._active = segment.path.open("ab", buffering=0)
        try:
            if self._active.write(data) != len(data):
                raise OSError(f"the disk took only a part of {len(data)} bytes")
            os.fsync(self._active.fileno())
        except OSError:
            os.ftruncate(self._active.fileno(), segment.size)
            raise
        self._files.written_bytes += len(data)
        segment.take(records, len(data))
        self._next = records[-1].seq + 1

    def _thin_for(self, need: int) -> None:
        """Take details out of the oldest files, until there is room or none is left to thin."""
        total = sum(segment.size for segment in self._segments) + need
        for segment in list(self._segments[:-1]):
            if total <= self._limits.max_bytes:
                return
            if not segment.thinned:
                before = segment.size
                self._read_pending(segment)  # meets and accounts for damage
                try:
                    self._files.thin(segment, self._thin)
                except OSError as error:  # no room for the thinner copy: the file itself must go
                    log.warning("spool: %s could not be thinned: %s", segment.path, error)
                    return
                segment.thinned = True
                total -= before - segment.size

    def _victims(self, need: int, now_ms: int) -> list[Segment]:
        """The oldest files, as many as must go to stay in the limits. Of those that are only too
        old one at a time: a clock that jumps ahead must not empty a spool at once."""
        total = sum(segment.size for segment in self._segments) + need
        oldest_ms = max(now_ms - self._limits.max_age_days * DAY_MS, CLOCK_SET_MS)
        victims: list[Segment] = []
        for segment in self._segments:
            aged = CLOCK_SET_MS <= segment.latest_ms < oldest_ms and not victims
            if total <= self._limits.max_bytes and not aged:
                break
            victims.append(segment)
            total -= segment.size
        return victims

    def _pending(self, segment: Segment, skip: Collection[int] = ()) -> Iterator[tuple[int, int]]:
        """The runs of numbers in a file that are neither forgotten nor to be skipped."""
        done = self._ledger.forgotten
        if skip:
            done = Ranges([*done, *((seq, seq) for seq in skip)])
        for first, last in segment.numbers:
            yield from done.without(first, last)

    def _read_pending(self, segment: Segment, skip: Collection[int] = ()) -> list[Record]:
        before = list(segment.numbers)
        damaged_before = self._files.damaged_bytes
        records = self._files.read(segment)
        if list(segment.numbers) != before or self._files.damaged_bytes != damaged_before:
            self._close_active()  # what is open is no longer the file of that name
            for first, last in before:
                for gone in segment.numbers.without(first, last):
                    self._count_missing(*gone)
            if not segment.size:
                self._segments.remove(segment)
            self._files.save_ledger(self._ledger)
        forgotten = self._ledger.forgotten
        return [item for item in records if item.seq not in forgotten and item.seq not in skip]

    def _cut(self, records: list[Record], newest: bool, max_records: int, max_bytes: int) -> Batch:
        """As many consecutive records from one end as the limits allow."""
        step = -1 if newest else 1
        chosen: list[tuple[int, bytes]] = []
        size = 0
        for record in records[::step]:
            line = record.payload
            if record.kind == Kind.GAP:
                line = self._gap_line(Gap.from_record(record))
            size += len(line) + 1
            full = len(chosen) == max_records or size > max_bytes
            if chosen and (full or record.seq != chosen[-1][0] + step):
                break
            chosen.append((record.seq, line))
        chosen = chosen[::step]
        return Batch(chosen[0][0], chosen[-1][0], [line for _, line in chosen])

    def _forget_files(self, segments: list[Segment]) -> None:
        """The ledger first: a file that outlives it by a power cut is known to be done."""
        self._unnoted = 0
        for segment in segments:
            for first, last in segment.numbers:
                self._ledger.forgotten.add(first, last)
        try:
            self._files.save_ledger(self._ledger)
        except OSError:  # a full disk: it is the files that must go to make room for the ledger
            self._files.remove(segments)
            self._files.save_ledger(self._ledger)
        self._files.remove(segments)
        self._segments = [item for item in self._segments if item not in segments]

    def _count_missing(self, first: int, last: int) -> None:
        for low, high in self._ledger.forgotten.without(first, last):
            self.missing_records += high - low + 1
            self._ledger.forgotten.add(low, high)

    def _close_active(self) -> None:
        if self._active is not None:
            self._active.close()
            self._active = None

    def _recovered(self) -> tuple[Ledger, list[Segment], int]:
        """What the directory holds: the ledger, the files, and the next number to use."""
        ledger = self._files.load_ledger()
        segments = self._files.load_segments()
        epochs = [item.epoch for item in segments if item.epoch is not None]
        known = ledger is not None
        if ledger is None:
            ledger = Ledger(epochs[-1] if epochs else os.urandom(8).hex())
        live = Ranges()
        for segment in list(segments):
            if (
                segment.epoch not in (None, ledger.epoch)
                or 0 < segment.numbers.lowest <= live.highest
            ):
                log.warning("spool: %s is not of this spool", segment.path)
                self._files.put_aside(segment)
                segments.remove(segment)
                continue
            for first, last in segment.numbers:
                live.add(first, last)
        highest = max(live.highest, ledger.forgotten.highest)
        proper_end = known and ledger.next > highest
        if proper_end:
            highest = ledger.next - 1
        for first, last in Ranges([*live, *ledger.forgotten]).without(1, highest):
            if known:
                self.missing_records += last - first + 1
            ledger.forgotten.add(first, last)
        if not proper_end and (known or segments):
            ledger.forgotten.add(highest + 1, highest + STEP)
            highest += STEP
        ledger.next = 0
        self._files.save_ledger(ledger)
        self._ledger = ledger  # for _pending
        done = [item for item in segments[:-1] if not any(self._pending(item))]
        self._files.remove(done)
        return ledger, [item for item in segments if item not in done], highest + 1
