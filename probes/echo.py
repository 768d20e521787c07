"""Asking one target by echoes: the request, its course, its result. It sends nothing and
reads no clock.

Law: what became of every echo is told apart: answered with a time, answered without a trustworthy
time, refused by an ICMP error, late, lost, or never sent. Only what was sent can be lost.
"""

from enum import IntEnum
from typing import Any, NamedTuple

from probes.echo_line import EchoLine
from probes.echo_packet import IcmpError


class Fate(IntEnum):
    """What became of an echo that has no round-trip time; a time in nanoseconds is >= 0."""

    WAITING = -1
    UNTIMED = -2
    REFUSED = -3
    LATE = -4
    LOST = -5
    NOT_SENT = -6


# Compared for every answer: plain numbers are much faster.
_WAITING, _LOST, _NOT_SENT = int(Fate.WAITING), int(Fate.LOST), int(Fate.NOT_SENT)


class EchoRequest(NamedTuple):
    """Ask ``address`` (an IP literal) ``count`` times, ``spacing_seconds`` apart; an answer counts
    within ``timeout_seconds``. With ``confirm_after_seconds``: when nothing was answered, the same
    again so long after giving up, because bursts of loss must not look like outages."""

    key: str
    address: str
    count: int = 5  # type: ignore[assignment]  # hides tuple.count, unneeded here
    spacing_seconds: float = 0.2
    timeout_seconds: float = 2.0
    confirm_after_seconds: float | None = None

    @property
    def longest_seconds(self) -> float:
        """How long it takes, from its first echo on, when nothing answers."""
        salvo = (self.count - 1) * self.spacing_seconds + self.timeout_seconds
        if self.confirm_after_seconds is None:
            return salvo
        return 2 * salvo + self.confirm_after_seconds


class EchoResult(NamedTuple):
    """What came of a request.

    ``rtt_seconds`` has a place for every echo that went out, in order: None where it was not
    answered in time or its time cannot be trusted. ``late`` and ``duplicates`` count answers;
    ``error`` is the last ICMP error about it; ``failure`` says why an echo could not go out;
    ``answers_dropped`` says that our own buffer overflowed while we waited.
    """

    request: EchoRequest
    started_at_ms: int
    sent: int
    received: int
    rtt_seconds: tuple[float | None, ...]
    duplicates: int = 0
    late: int = 0
    error: IcmpError | None = None
    failure: str = ""
    answers_dropped: bool = False


class EchoCourse:
    """A request under way. Its echo with index i has the serial number ``first_serial + i``."""

    __slots__ = (
        "answers_dropped", "destination", "due_ns", "duplicates", "error", "failure", "fates",
        "first_serial", "goal", "late", "line", "received", "request", "sent_ns", "started_ns",
        "timeout_ns", "waiting",
    )  # fmt: skip

    def __init__(
        self, request: EchoRequest, line: EchoLine, destination: tuple[Any, ...], first_serial: int
    ) -> None:
        self.request = request
        self.line = line
        self.destination = destination
        self.first_serial = first_serial
        self.timeout_ns = int(request.timeout_seconds * 1e9)
        self.goal = request.count
        self.sent_ns: list[int] = []
        self.fates: list[int] = []
        self.waiting = self.received = self.duplicates = self.late = 0
        self.due_ns = self.started_ns = 0
        self.error: IcmpError | None = None
        self.failure = ""
        self.answers_dropped = False

    @property
    def settled(self) -> bool:
        """Nothing is left to send or to wait for."""
        return not self.waiting and len(self.fates) == self.goal

    def sent(self, sent_ns: int) -> None:
        """The next echo went out, by the wall clock."""
        self.started_ns = self.started_ns or sent_ns
        self.sent_ns.append(sent_ns)
        self.fates.append(_WAITING)
        self.waiting += 1

    def not_sent(self, now_ns: int, failure: str) -> None:
        """The next echo could not go out."""
        self.started_ns = self.started_ns or now_ns
        self.sent_ns.append(now_ns)
        self.fates.append(_NOT_SENT)
        self.failure = failure

    def answered(self, index: int, received_ns: int) -> None:
        """An answer came, by the same clock as ``sent``."""
        fate = self.fates[index]
        if fate == _WAITING:
            self.waiting -= 1
            rtt_ns = received_ns - self.sent_ns[index]
            if 0 <= rtt_ns <= self.timeout_ns:
                self.fates[index] = rtt_ns
                self.received += 1
            elif rtt_ns < 0:  # the clock was set meanwhile: it answered, that much is true
                self.fates[index] = Fate.UNTIMED
                self.received += 1
            else:
                self.fates[index] = Fate.LATE
                self.late += 1
        elif fate == _LOST:
            self.fates[index] = Fate.LATE
            self.late += 1
        else:
            self.duplicates += 1

    def refused(self, index: int, error: IcmpError) -> None:
        """An ICMP error says that this echo did not arrive."""
        if self.fates[index] == _WAITING:
            self.fates[index] = Fate.REFUSED
            self.waiting -= 1
            self.error = error

    def distrust_times(self) -> None:
        """The clock was set: what is not answered yet shall have no round-trip time."""
        for index, fate in enumerate(self.fates):
            if fate == _WAITING:
                self.sent_ns[index] = _NEVER_NS

    def give_up(self) -> float | None:
        """Stop waiting. When all shall be asked once more: after how many seconds."""
        if self.waiting:
            self.fates = [_LOST if fate == _WAITING else fate for fate in self.fates]
            self.waiting = 0
        if self.received or self.failure or self.goal != self.request.count:
            return None
        if self.request.confirm_after_seconds is not None:
            self.goal *= 2
        return self.request.confirm_after_seconds

    def result(self) -> EchoResult:
        rtt_seconds = tuple(
            [fate / 1e9 if fate >= 0 else None for fate in self.fates if fate != _NOT_SENT]
        )
        return EchoResult(
            self.request,
            self.started_ns // 1_000_000,
            len(rtt_seconds),
            self.received,
            rtt_seconds,
            self.duplicates,
            self.late,
            self.error,
            self.failure,
            self.answers_dropped,
        )


_NEVER_NS = 1 << 63
"""A sending time after any answer: the difference is negative, which means no time."""
