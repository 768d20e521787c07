"""How fast bytes arrived, and how sure we may be of it.

Law: the beginning is not the line (TCP still probes for its speed, a shaper lends a burst). What is
left is cut into slices; their spread is the uncertainty, and it says when enough has been seen.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

_SLICES = 8
_SKIPPED_SHARE = 0.35
_STUDENT_95 = 2.365
"""Two-sided 95 % of Student's t with seven degrees of freedom: one less than the slices."""
_ARRIVALS_MIN = 40
"""Before a figure can be called sure."""
_ARRIVALS_LEAST = 2 * _SLICES
"""When no more will come: a line so fast, or so short a test, that little was seen."""
LONGEST = 8.0
"""Times the least seconds: then the figure is given with the uncertainty that it has."""


class Rate(NamedTuple):
    """Megabits a second, and half the width of the 95 % interval as a share of it."""

    mbit_s: float
    error_share: float


def rate(arrivals: Sequence[tuple[float, int]], arrivals_min: int = _ARRIVALS_MIN) -> Rate | None:
    """The rate of ``arrivals``: (seconds, bytes so far), in order. None when there are too few.

    Slices begin and end at arrivals, so that a slow line's few packets are not counted by halves.
    """
    if len(arrivals) < arrivals_min:
        return None
    times = [at for at, _ in arrivals]
    start = times[0] + (times[-1] - times[0]) * _SKIPPED_SHARE
    step = (times[-1] - start) / _SLICES
    edges = [bisect_left(times, start + step * number) for number in range(_SLICES)]
    edges.append(len(times) - 1)
    rates = []
    for first, last in pairwise(edges):
        # No arrival: a pause longer than a slice, in which the rate was nothing.
        seconds = times[last] - times[first] if last > first else step
        if seconds <= 0:
            return None
        rates.append((arrivals[last][1] - arrivals[first][1]) / seconds)
    if times[-1] <= times[edges[0]]:
        return None
    whole = (arrivals[-1][1] - arrivals[edges[0]][1]) / (times[-1] - times[edges[0]])
    mean = sum(rates) / _SLICES
    variance = sum((one - mean) ** 2 for one in rates) / (_SLICES - 1)
    error = _STUDENT_95 * math.sqrt(variance / _SLICES)
    return Rate(whole * 8 / 1e6, error / whole)


class Meter:
    """Takes arrivals as they come and says when the rate is known well enough.

    ``enough_share``: the half width that is good enough; ``least_seconds``: never sooner, because
    a long round trip takes its time to come up to speed.
    """

    def __init__(self, enough_share: float, least_seconds: float) -> None:
        self._enough_share = enough_share
        self._least_seconds = least_seconds
        self.arrivals: list[tuple[float, int]] = []
        self._asked_seconds = 0.0

    @property
    def bytes(self) -> int:
        """What has arrived."""
        return self.arrivals[-1][1] if self.arrivals else 0

    def take(self, at_seconds: float, size: int) -> bool:
        """Note an arrival; true when the rate is known well enough, or as well as it will be."""
        self.arrivals.append((at_seconds, self.bytes + size))
        passed = at_seconds - self.arrivals[0][0]
        # Asked at growing distances: the question costs a look at all arrivals.
        if passed < max(self._least_seconds, self._asked_seconds * 1.1):
            return False
        self._asked_seconds = passed
        found = rate(self.arrivals)
        if found is None:
            return False
        return found.error_share <= self._enough_share or passed > LONGEST * self._least_seconds

    def result(self) -> Rate | None:
        """The rate so far, however unsure; None when too little has arrived."""
        return rate(self.arrivals, _ARRIVALS_LEAST)
