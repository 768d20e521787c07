"""Noticing that the wall clock was set.

Law: the distance between the wall clock and the monotonic clock is constant until somebody sets the
wall clock; slewing (NTP, adjtime) moves both alike (clock_gettime(2)).
"""

from collections.abc import Callable

STEP_NS = 1_000_000
"""A change of at least so much is a step; less is the noise of reading two clocks."""

_READINGS = 3
_CLOSE_NS = 20_000


class StepWatch:
    """Compares the two clocks, nanoseconds each, whenever asked."""

    def __init__(self, wall_ns: Callable[[], int], monotonic_ns: Callable[[], int]) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self._distance_ns = self._read()

    def stepped(self) -> bool:
        """Whether the wall clock was set since the last call."""
        before_ns, self._distance_ns = self._distance_ns, self._read()
        return abs(self._distance_ns - before_ns) >= STEP_NS

    def _read(self) -> int:
        """Wall minus monotonic, from the closest of a few readings: we may be interrupted."""
        readings = []
        for _ in range(_READINGS):
            before_ns, wall_ns = self._monotonic_ns(), self._wall_ns()
            took_ns = self._monotonic_ns() - before_ns
            readings.append((took_ns, wall_ns - before_ns))
            if took_ns < _CLOSE_NS:
                break
        return min(readings)[1]
