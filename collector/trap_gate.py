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


def require_whole(datagram: bytes) -> None:
    """Raise ValueError for what is no SNMP message or promises more than it holds: the cheapest
    thing to send, and the dearest for a decoder to find out."""
    _content(datagram, 0x30)


def engine_id_of(datagram: bytes) -> bytes:
    """The engine that an SNMPv3 message names (msgAuthoritativeEngineID, RFC 3414, 2.4), read
    without decoding the rest. Raises ValueError for what is no such message."""
    message = _content(datagram, 0x30)
    _, rest = _element(message)  # msgVersion
    _, rest = _element(rest)  # msgGlobalData
    parameters, _ = _element(rest)
    return _element(_content(parameters, 0x30))[0]


def _content(data: bytes, tag: int) -> bytes:
    if not data or data[0] != tag:
        raise ValueError("this is no SNMP message")
    return _element(data)[0]


def _element(data: bytes) -> tuple[bytes, bytes]:
    """The content of the first BER element, and what follows it."""
    if len(data) < 2:
        raise ValueError("a message that ends early")
    size, start = data[1], 2
    if size & 0x80:
        octets = size & 0x7F
        if not 1 <= octets <= 4:  # some agents always write four
            raise ValueError("a length that no trap has")
        size, start = int.from_bytes(data[2 : 2 + octets], "big"), 2 + octets
    if start + size > len(data):
        raise ValueError("a message that ends early")
    return data[start : start + size], data[start + size :]
