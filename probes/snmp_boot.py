"""Which life of a device this is, told from nothing but its uptime.

Law: within one life the number stays the same, however the clocks drift; after a restart it is
another. SNMP has no boot id: the moment of the start (now minus uptime) stands in for it.

The moment wanders by seconds: the answer's delay, the device's clock, ours. While it stays within
``TOLERANCE_SECONDS`` of where it was, the life is the same. A probe that starts anew has no memory
and takes the minute of the start, so it may number a life anew once; facts are none the wiser, as
both numbers tell the same moment of start.
"""

import hashlib

TOLERANCE_SECONDS = 90.0
WRAP_SECONDS = 2**32 / 100
"""TimeTicks begin again after 497 days (RFC 2578, 7.1.8): no restart."""


class Life:
    """The running life of one device. ``name`` makes its numbers its own."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._started: float | None = None
        self._number = 0
        self.restarted = False

    def boot_id(self, uptime_seconds: float, now_seconds: float) -> int:
        """A number of 48 bits. ``now_seconds``: Unix time. Sets ``restarted`` when it is another
        one than last time."""
        started = now_seconds - uptime_seconds
        self.restarted = False
        if self._started is not None:
            later = started - self._started
            if abs(later) <= TOLERANCE_SECONDS:
                self._started = started  # follow the drift, however far it leads in a year
                return self._number
            if abs(later - WRAP_SECONDS) <= TOLERANCE_SECONDS:
                return self._number
            self.restarted = True
        self._started = started
        text = f"{self._name}/{round(started / 60)}"
        self._number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")
        return self._number
