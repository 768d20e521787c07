"""Who may send us a trap, and how often.

Law: a datagram is looked into only when it comes from an address of the inventory, has a size that
a trap can have, and its sender is within its rate. Whatever is turned away is counted, never kept.
"""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from model.snmp import Credentials

MOST_BYTES = 4096
"""A trap fits a packet; pysnmp needs milliseconds for each kilobyte."""
PER_SENDER = 10
"""Traps from one address in ``WINDOW_SECONDS``: a flapping port, not a flood."""
IN_ALL = 200
WINDOW_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Sender:
    """A device of the inventory, and what its notifications must be made with."""

    site: str
    credentials: Credentials


@dataclass
class Gate:
    """Admission by address, size and rate. ``counts``: how many were taken or why not."""

    senders: Mapping[str, Sender]
    counts: Counter[str] = field(default_factory=Counter)
    _recent: dict[str, deque[float]] = field(default_factory=dict)
    _all: deque[float] = field(default_factory=deque)

    def admit(self, address: str, size: int, now_seconds: float) -> Sender | None:
        """The sender whose datagram may be decoded; None otherwise. ``now_seconds``: monotonic."""
        sender = self.senders.get(address)
        if sender is None:
            return self._refuse("stranger")
        if not 0 < size <= MOST_BYTES:
            return self._refuse("size")
        recent = self._recent.setdefault(address, deque())
        for window in (recent, self._all):
            while window and window[0] <= now_seconds - WINDOW_SECONDS:
                window.popleft()
        if len(recent) >= PER_SENDER or len(self._all) >= IN_ALL:
            return self._refuse("rate")
        recent.append(now_seconds)
        self._all.append(now_seconds)
        return sender

    def _refuse(self, why: str) -> Sender | None:
        self.counts[why] += 1
        return None
