"""Half-open intervals of time and their arithmetic.

Law: time is counted in whole milliseconds since the Unix epoch (UTC), an interval holds its start
and not its end, and no operation here gains or loses a millisecond.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from model.measurement import Outcome


class Interval(NamedTuple):
    """``start_ms <= t < end_ms``."""

    start_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms

    def clip(self, other: "Interval") -> "Interval | None":
        """The part that lies in ``other``; None when that is empty."""
        start, end = max(self.start_ms, other.start_ms), min(self.end_ms, other.end_ms)
        return Interval(start, end) if start < end else None


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of one outcome, seen from one vantage or concluded from several.

    ``looks`` is the number of measurements in it (0 for a gap); ``reason`` says why it is not UP.
    """

    start_ms: int
    end_ms: int
    outcome: Outcome
    reason: str = ""
    looks: int = 0

    @property
    def interval(self) -> Interval:
        return Interval(self.start_ms, self.end_ms)


def clip(runs: Iterable[Run], within: Interval) -> list[Run]:
    """The parts of runs that lie in ``within``, in their order."""
    return [
        replace(run, start_ms=piece.start_ms, end_ms=piece.end_ms)
        for run in runs
        if (piece := run.interval.clip(within)) is not None
    ]


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time as disjoint intervals in order; touching ones become one, empty ones vanish."""
    merged: list[Interval] = []
    for item in sorted(intervals):
        if item.start_ms >= item.end_ms:
            continue
        if merged and item.start_ms <= merged[-1].end_ms:
            if item.end_ms > merged[-1].end_ms:
                merged[-1] = Interval(merged[-1].start_ms, item.end_ms)
        else:
            merged.append(Interval(*item))
    return merged


def intersect(left: Sequence[Interval], right: Sequence[Interval]) -> list[Interval]:
    """The time that is in both. Each side must be disjoint and in order (see ``union``)."""
    common: list[Interval] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start = max(left[i].start_ms, right[j].start_ms)
        end = min(left[i].end_ms, right[j].end_ms)
        if start < end:
            common.append(Interval(start, end))
        if left[i].end_ms < right[j].end_ms:
            i += 1
        else:
            j += 1
    return common


def subtract(left: Sequence[Interval], right: Sequence[Interval]) -> list[Interval]:
    """The time in ``left`` that is not in ``right``. Each side must be disjoint and in order."""
    rest: list[Interval] = []
    j = 0
    for first, end in left:
        start = first
        while j < len(right) and right[j].end_ms <= start:
            j += 1
        k = j
        while k < len(right) and right[k].start_ms < end:
            if right[k].start_ms > start:
                rest.append(Interval(start, right[k].start_ms))
            start = max(start, right[k].end_ms)
            k += 1
        if start < end:
            rest.append(Interval(start, end))
    return rest


def total_ms(intervals: Iterable[Interval]) -> int:
    """The summed length; count overlaps once by calling ``union`` first."""
    return sum(item.end_ms - item.start_ms for item in intervals)
