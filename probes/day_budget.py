"""Bytes a day, kept by slowing down.

Law: in any 24 hours no more than the declared bytes go over the line, looks and deliveries
together; what was not looked at for that reason is UNKNOWN "budget", never silence.

A leaky bucket: seven eighths of the day's bytes leak out evenly over the day, the last eighth is
what may be spent at once. So no window of 24 hours holds more than the declared bytes, whatever the
wall clock does. The fuller the bucket, the more is saved, in the order of ``Saving``.
"""

import json
import logging
from collections import Counter
from dataclasses import replace
from enum import IntEnum
from pathlib import Path

from model.check import Check
from model.measurement import Measurement, Rung
from probes.clock import Clock
from probes.ledger import replace_file

log = logging.getLogger(__name__)

METERED_BYTES_A_DAY = 1_000_000
UNMETERED_BYTES_A_DAY = 10_000_000
SAVE_EVERY_MS = 3_600_000
DAY_MS = 86_400_000

ECHO_BYTES = 20 + 24
"""An echo or its answer over IPv4: header, ICMP header, our payload (``probes/echo_packet.py``)."""
LOOK_BYTES = {"dns": 300, "tcp": 400, "tls": 6_000, "rtsp": 1_500, "device": 0}
"""What a look of a kind costs that does not say so in its readings; others: ``OTHER_BYTES``."""
OTHER_BYTES = 10_000
FAR = frozenset({Rung.NATIONAL, Rung.INTERNATIONAL, Rung.APPLICATION})
ONE_IN = 5
SPARING_ECHOES = 2


class Saving(IntEnum):
    """What is saved at, each step with all before it."""

    NOTHING = 0
    DELIVERIES = 1
    """A delivery every 15 minutes, without the details of echoes (``line_protocol.thin``)."""
    ECHOES = 2
    """Two echoes a look."""
    FAR = 3
    """Of the looks beyond the provider's first hop one in five."""
    ALL = 4
    """Of every look one in five; a delivery every hour."""
    STOP = 5
    """Only the device's report, which costs nothing until it is sent; nothing is sent."""


_STEPS = (0.3, 0.5, 0.7, 0.85, 1.0)
"""How full the bucket is when each step of saving begins."""
DELIVERY_SECONDS = {Saving.DELIVERIES: 900.0, Saving.ECHOES: 900.0, Saving.FAR: 900.0}
SLOWEST_DELIVERY_SECONDS = 3600.0


class Budget:
    """Counts bytes and says what may still be done. ``path`` holds the count over restarts."""

    def __init__(self, bytes_a_day: int, clock: Clock, path: Path) -> None:
        self.bytes_a_day = bytes_a_day
        self._clock = clock
        self._path = path
        self._at_ms = self._saved_ms = clock.monotonic_ms()
        self._fill = self._load()
        self._turns: Counter[str] = Counter()
        self.spent: Counter[str] = Counter()

    @property
    def capacity_bytes(self) -> float:
        """What may be spent at once."""
        return self.bytes_a_day / 8

    @property
    def fill_bytes(self) -> float:
        """What was spent and has not leaked out yet."""
        now_ms = self._clock.monotonic_ms()
        leak = (now_ms - self._at_ms) * self.bytes_a_day * 7 / 8 / DAY_MS
        self._fill, self._at_ms = max(0.0, self._fill - leak), now_ms
        return self._fill

    @property
    def saving(self) -> Saving:
        """At what is saved now."""
        share = self.fill_bytes / self.capacity_bytes
        return Saving(sum(share >= step for step in _STEPS))

    def spend(self, what: str, count: int) -> None:
        """Note bytes that went over the line, by what for."""
        self._fill = self.fill_bytes + count
        self.spent[what] += count
        if self._at_ms - self._saved_ms >= SAVE_EVERY_MS:
            self.save()

    def looked(self, measurement: Measurement) -> None:
        """Note what a look cost, as far as its readings say; otherwise what its kind usually does.
        An IPv6 echo is 20 bytes more, which the spare eighth covers."""
        readings = measurement.readings
        if "sent" in readings:
            count = int(readings["sent"] + readings.get("received", 0)) * ECHO_BYTES
        else:
            count = int(readings.get("test_bytes", readings.get("body_bytes", 0)))
            count += LOOK_BYTES.get(measurement.kind, OTHER_BYTES)
        self.spend("looks", count)

    def allowed(self, check: Check) -> Check | None:
        """The check as it may be looked at now; None when it may not."""
        saving = self.saving
        if check.kind == "device" or saving <= Saving.DELIVERIES:
            return check
        far = check.target.partition(":")[0] in FAR
        if saving is Saving.STOP:
            return None
        if saving is Saving.ALL or (far and saving is Saving.FAR):
            self._turns[check.key] += 1
            if self._turns[check.key] % ONE_IN != 1:
                return None
        return replace(check, count=min(check.count, SPARING_ECHOES))

    def delivery_seconds(self, usual: float) -> float:
        """The least time between two deliveries."""
        saving = self.saving
        if saving is Saving.NOTHING:
            return usual
        return max(usual, DELIVERY_SECONDS.get(saving, SLOWEST_DELIVERY_SECONDS))

    def hold_seconds(self) -> float:
        """How long nothing may be sent: until the bucket has room again."""
        excess = self.fill_bytes - self.capacity_bytes
        if excess < 0:
            return 0.0
        return 60 + excess * 8 / 7 / self.bytes_a_day * DAY_MS / 1000

    def save(self) -> None:
        """Note the count, so that a restart is no fresh day."""
        text = json.dumps({"fill_bytes": round(self.fill_bytes), "spent": dict(self.spent)})
        try:
            replace_file(self._path, text.encode())
        except OSError as error:
            log.warning("the budget's count could not be written: %s", error)
        self._saved_ms = self._at_ms

    def _load(self) -> float:
        try:
            return max(0.0, float(json.loads(self._path.read_bytes())["fill_bytes"]))
        except FileNotFoundError:
            return 0.0
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s is not readable (%s): counting from zero", self._path, error)
            return 0.0
