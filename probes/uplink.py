"""Carrying home what the spool holds.

Law: only a receipt deletes. Whatever else happens on the way (no line, a portal, a proxy, a broken
server), the record stays in the spool and is sent again; sending twice changes nothing.

``Uplink.step`` is a state machine whose clock, randomness and transport are given to it, so that a
day of misfortune is tested in a moment. ``Uplink.serve`` is the thread that steps it.
"""

import gzip
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from model.wire import Trouble
from probes.backoff import Backoff, Uniform, retry_after_seconds
from probes.clock import Clock
from probes.day_budget import Budget, Saving
from probes.known_time import KnownTime, boot_text
from probes.line_protocol import thin
from probes.packing import pack
from probes.receipt import Receipt, Reply, read_receipt
from probes.spool import Batch, Spool

log = logging.getLogger(__name__)

Post = Callable[[bytes, Mapping[str, str]], Reply]
"""Send a body with headers; raises OSError when no whole answer came back."""

PostPacked = Callable[[bytes], Reply]
"""Send a packed batch; raises like ``Post``."""

ROUND_OF_TURNS = 4
"""One batch from the newest end, then three from the oldest: the map is live within a cycle while
a backlog drains."""
NOT_UNDERSTOOD = frozenset({400, 404, 405, 415, 501})
"""What a collector older than the packed form answers, or one that cannot unpack this batch: then
plain line protocol for a day."""
PLAIN_MS = 86_400_000
ATTEMPTS = 3
"""How often a single record is offered before it is put aside."""
REFUSED_WAIT_SECONDS = 300.0
"""After 401 and 403: somebody must act, and hurrying helps nobody."""


@dataclass
class Tally:
    """What happened since the start, in records (``failures``: in requests)."""

    kept: int = 0
    duplicate: int = 0
    rejected: int = 0
    put_aside: int = 0
    failures: int = 0
    receipt_ms: int | None = None
    """When the last receipt came, on the probe's own clock."""
    trouble: Trouble | None = None
    """What fails now; None after a receipt, and before the first try."""


class Uplink:
    """Sends the spool's records and acts on the answers.

    ``every_seconds`` is the least time between two deliveries of a drained spool (lines that are
    paid by the megabyte; ``budget`` may make it longer); ``fleet`` says that many probes share the
    collector (see ``Backoff``); ``dates`` finishes the lines and learns the collector's time. The
    number of records of a request grows by steps and halves at every failure (AIMD), so that a
    line which cannot carry much is asked for little. ``post_packed`` sends packed batches
    (``probes/packing.py``), a third of the bytes, to a collector that takes them.
    """

    def __init__(
        self,
        spool: Spool,
        post: Post,
        clock: Clock,
        uniform: Uniform,
        *,
        probe: str,
        fleet: bool = False,
        every_seconds: float = 0.0,
        max_records: int = 2000,
        dates: KnownTime | None = None,
        budget: Budget | None = None,
        post_packed: PostPacked | None = None,
    ) -> None:
        self._spool = spool
        self._post = post
        self._post_packed = post_packed
        self._plain_until_ms = 0
        self._clock = clock
        self._backoff = Backoff(uniform, fleet=fleet)
        self._probe = probe
        self._every_seconds = every_seconds
        self._dates = dates
        self._budget = budget
        self._max_records = max_records
        self._size = max_records
        self._turn = 0
        self._not_before_ms = clock.monotonic_ms()
        self._suspects: dict[int, int] = {}
        self._receipt_since: set[int] = set()
        self._wake = threading.Event()
        self._stopping = False
        self.tally = Tally()

    def serve(self) -> None:
        """Send until ``stop``: the body of a thread. A bug is logged and waited out like a failed
        line, because a probe that stops sending is worse than one that says why it stumbles."""
        while True:
            try:
                wait = self.step()
            except OSError as error:  # the post's own are dealt with: this is the spool's disk
                wait = self._failed(f"the spool's disk: {error}")
            except Exception:
                log.exception("uplink: a bug of ours")
                wait = self._failed("a bug of ours")
            if self._stopping and wait != 0.0:
                return
            self._wake.wait(wait)
            self._wake.clear()

    def wake(self) -> None:
        """There is something new in the spool."""
        self._wake.set()

    def stop(self) -> None:
        """Make ``serve`` return after what can be sent at once is sent."""
        self._stopping = True
        self._wake.set()

    def step(self) -> float | None:
        """Send one batch if it is time. Returns the seconds until the next step: 0 for at once,
        None when there is nothing to send until somebody calls ``wake``."""
        wait_ms = self._not_before_ms - self._clock.monotonic_ms()
        if wait_ms > 0 and not (self._stopping and self._backoff.failures == 0):
            return wait_ms / 1000
        hold = self._budget.hold_seconds() if self._budget is not None else 0.0
        if hold:
            self.tally.trouble = "budget"
            return hold
        batch = self._next_batch()
        if batch is None:
            return None
        sent_ms = self._clock.monotonic_ms()
        try:
            reply = self._send(batch)
        except OSError as error:
            return self._failed(f"{type(error).__name__}: {error}", _trouble(error))
        return self._answered(batch, reply, sent_ms)

    def _send(self, batch: Batch) -> Reply:
        """Packed where that is understood, otherwise as plain line protocol, which always is."""
        now_ms = self._clock.monotonic_ms()
        if self._post_packed is not None and now_ms >= self._plain_until_ms:
            head = [self._probe, self._spool.epoch, str(batch.first)]
            if self._needs_clock(batch):
                head += [boot_text(self._clock), str(now_ms)]
            reply = self._post_packed(pack(" ".join(head), batch.lines))
            if reply.status not in NOT_UNDERSTOOD:
                return reply
            log.info("uplink: status %d to a packed batch: plain for a day", reply.status)
            self._plain_until_ms = now_ms + PLAIN_MS
        body = gzip.compress(b"\n".join(batch.lines), mtime=0)
        return self._post(body, self._headers(batch))

    def _answered(self, batch: Batch, reply: Reply, sent_ms: int) -> float | None:
        """What each status means for the batch (docs/probe.md has the table)."""
        if reply.status == 200:
            try:
                receipt = read_receipt(
                    reply,
                    probe=self._probe,
                    epoch=self._spool.epoch,
                    first=batch.first,
                    last=batch.last,
                )
            except ValueError as error:
                return self._failed(
                    f"status 200, but not from our collector: {error}", "not the collector"
                )
            if self._dates is not None:
                self._dates.heard(reply.headers.get("date", ""), sent_ms)
            return self._received(receipt)
        if reply.status in (400, 413, 422):
            return self._not_taken(batch, reply)
        if reply.status in (401, 403):
            return self._failed(
                f"the collector refuses our key (status {reply.status})",
                "key refused",
                at_least_seconds=REFUSED_WAIT_SECONDS,
            )
        return self._failed(
            f"status {reply.status}",
            "busy" if reply.status in (408, 429) or reply.status >= 500 else "not the collector",
            retry_after_seconds=retry_after_seconds(reply.headers),
        )

    def _next_batch(self) -> Batch | None:
        newest = self._turn % ROUND_OF_TURNS == 0
        # Before the first contact only this start of the device has dates, and it is the newest.
        newest = newest or (self._dates is not None and not self._dates.in_contact)
        batch = self._spool.batch(newest=newest, max_records=self._size, skip=self._suspects)
        if batch is not None:
            return self._dated(batch)
        again = [seq for seq, offers in self._suspects.items() if offers < ATTEMPTS]
        if not again:
            return None
        others = set(self._suspects) - {again[0]}
        batch = self._spool.batch(newest=False, max_records=1, skip=others)
        return None if batch is None else self._dated(batch)

    def _dated(self, batch: Batch) -> Batch | None:
        """The end of a batch from where on every line has a date; None when there is no such.
        While bytes are saved the lines go without their details."""
        if self._budget is not None and self._budget.saving >= Saving.DELIVERIES:
            batch = batch._replace(lines=[thin(line) for line in batch.lines])
        if self._dates is None:
            return batch
        lines: list[bytes] = []
        for line in reversed(batch.lines):
            dated = self._dates.dated(line)
            if dated is None:
                break
            lines.insert(0, dated)
        return Batch(batch.last - len(lines) + 1, batch.last, lines) if lines else None

    def _headers(self, batch: Batch) -> dict[str, str]:
        headers = {
            "Content-Encoding": "gzip",
            "X-Jangkau-Probe": self._probe,
            "X-Jangkau-Epoch": self._spool.epoch,
            "X-Jangkau-First": str(batch.first),
            "X-Jangkau-Last": str(batch.last),
        }
        if self._needs_clock(batch):
            headers["X-Jangkau-Boot"] = boot_text(self._clock)
            headers["X-Jangkau-Monotonic-Ms"] = str(self._clock.monotonic_ms())
        return headers

    def _needs_clock(self, batch: Batch) -> bool:
        return self._dates is None or any(b",monotonic_ms=" in line for line in batch.lines)

    def _received(self, receipt: Receipt) -> float | None:
        if not receipt.ranges:
            return self._failed("the receipt names no record")
        if self._backoff.failures:
            log.info("uplink: the collector answers again")
        self._backoff.succeeded()
        self.tally.receipt_ms = self._clock.wall_ms()
        self.tally.trouble = None
        self._spool.acknowledge(receipt.ranges)
        self.tally.kept += _count(receipt.kept)
        self.tally.duplicate += _count(receipt.duplicate)
        self.tally.rejected += len(receipt.rejected)
        for seq, reason in receipt.rejected:
            log.warning("uplink: the collector rejected record %d: %.200r", seq, reason)
        for first, last in receipt.ranges:
            for seq in [seq for seq in self._suspects if first <= seq <= last]:
                del self._suspects[seq]
        for seq in self._suspects.keys() - self._receipt_since:
            self._suspects[seq] = 1  # offers before any receipt were perhaps made to a portal
        self._receipt_since |= self._suspects.keys()
        self._turn += 1
        self._size = min(self._max_records, self._size + max(1, self._max_records // 8))
        every = self._every_seconds
        if self._budget is not None:
            every = self._budget.delivery_seconds(every)
        if every and self._spool.pending_records == len(self._suspects):
            self._wait(every)
            return every
        return 0.0

    def _not_taken(self, batch: Batch, reply: Reply) -> float | None:
        """Too large, or something in it is poison: halve until it goes through or one is left.

        One record is put aside after three offers, of which only those count that followed a
        receipt: a portal that answers 400 to everything must not empty the spool.
        """
        if batch.last > batch.first:
            self._size = max(1, len(batch.lines) // 2)
            return 0.0
        seq = batch.first
        self._suspects[seq] = self._suspects.get(seq, 0) + 1
        if self._suspects[seq] == 1:
            log.warning("uplink: record %d is not taken (status %d)", seq, reply.status)
        if self._suspects[seq] >= ATTEMPTS and seq in self._receipt_since:
            log.error("uplink: record %d is put aside after %d offers", seq, ATTEMPTS)
            self._spool.set_aside(seq)
            self.tally.put_aside += 1
            del self._suspects[seq]
        self._receipt_since &= self._suspects.keys()
        return self._failed(f"status {reply.status} for a single record")

    def _failed(
        self,
        why: str,
        trouble: Trouble = "other",
        *,
        retry_after_seconds: float | None = None,
        at_least_seconds: float = 0.0,
    ) -> float:
        self.tally.failures += 1
        self.tally.trouble = trouble
        self._size = max(1, min(self._size, self._max_records // 16), self._size // 2)
        if self._backoff.failures == 0:  # the rest of an outage is the same news again
            log.warning("uplink: cannot deliver, records stay in the spool: %.300s", why)
        wait = self._backoff.failed(
            retry_after_seconds=retry_after_seconds, at_least_seconds=at_least_seconds
        )
        self._wait(wait)
        return wait

    def _wait(self, seconds: float) -> None:
        self._not_before_ms = self._clock.monotonic_ms() + round(seconds * 1000)


def _count(ranges: list[tuple[int, int]]) -> int:
    return sum(last - first + 1 for first, last in ranges)


def _trouble(error: Exception) -> Trouble:
    if isinstance(error, socket.gaierror):
        return "no name"
    return "certificate" if isinstance(error, ssl.SSLCertVerificationError) else "no connection"
