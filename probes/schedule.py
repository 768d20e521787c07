"""When each check is due.

Law: a check falls due at its own phase of its interval, for ever: the phase is a hash of the
check's key, so a province of probes never looks in step, and a restart moves nothing. A pause
(suspended device, jumped clock) costs looks and is never made up by a burst: each check looks once
and goes on.
"""

import heapq
import zlib
from collections.abc import Iterable

from model.check import Check


def phase_ms(check: Check) -> int:
    """Where in its interval a check falls due: 0 <= phase < interval, in milliseconds."""
    return zlib.crc32(check.key.encode()) % (check.interval_seconds * 1000)


def next_after_ms(check: Check, now_ms: int) -> int:
    """The first due time of a check that lies after ``now_ms`` (Unix milliseconds)."""
    interval_ms = check.interval_seconds * 1000
    return now_ms + interval_ms - (now_ms - phase_ms(check)) % interval_ms


class Schedule:
    """The order of a probe's checks. Pure: it knows the time only from its caller.

    A check waits for its first due time after the start, so a start is no burst either.
    """

    def __init__(self, checks: Iterable[Check], now_ms: int) -> None:
        self._checks = tuple(checks)
        self._now_ms = now_ms
        self._queue = self._arranged(now_ms)

    def due(self, now_ms: int) -> list[Check]:
        """The checks that fell due up to ``now_ms`` and were not handed out yet, each once."""
        if now_ms < self._now_ms:  # the wall clock was set back: what is planned lies too far off
            self._queue = self._arranged(now_ms)
        self._now_ms = now_ms
        found = []
        while self._queue and self._queue[0][0] <= now_ms:
            _, index = self._queue[0]
            check = self._checks[index]
            heapq.heapreplace(self._queue, (next_after_ms(check, now_ms), index))
            found.append(check)
        return found

    def wait_ms(self, now_ms: int) -> int | None:
        """How long nothing is due (0 when something is); None when there are no checks at all."""
        return max(0, self._queue[0][0] - now_ms) if self._queue else None

    def _arranged(self, now_ms: int) -> list[tuple[int, int]]:
        """A heap of (due time, index of the check)."""
        queue = [(next_after_ms(check, now_ms), index) for index, check in enumerate(self._checks)]
        heapq.heapify(queue)
        return queue
