"""Which probes have fallen silent, and whether it is they or we.

Law: many probes that fall silent together are one incident on the collector's side (its line, its
name, its certificate), never so many incidents of villages (reliability requirement 17).
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

QUIET_MS = 10 * 60_000
"""Nobody is silent before this."""
USUAL_GAPS = 4
"""Silent after so many of its own usual pauses: probes on paid lines deliver seldom."""
KNOWN_MS = 86_400_000
"""Who was not heard for a day is no news any more."""
TOGETHER_MS = 30 * 60_000
"""Fallen silent within this of each other: together."""
MANY_SHARE = 0.3
MANY = 5


@dataclass(slots=True)
class _Ear:
    last_ms: int
    gap_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Incident:
    """Many probes silent at once: since when (the first of them), how many, of how many."""

    since_ms: int
    silent: int
    known: int


class Ears:
    """Hears batches arrive. Times are the collector's wall clock, in ms; thread-safe.

    ``heard``: probes and when they were last heard before this start. The time in which nobody
    listened is nobody's silence: it counts from ``started_ms``.
    """

    def __init__(self, started_ms: int, heard: Iterable[tuple[str, int]] = ()) -> None:
        self._lock = threading.Lock()
        self._ears = {probe: _Ear(last) for probe, last in heard if started_ms - last < KNOWN_MS}
        self._started_ms = started_ms
        self.newest_ms = max((ear.last_ms for ear in self._ears.values()), default=0)

    def hear(self, probe: str, now_ms: int) -> None:
        """A batch of ``probe`` has come."""
        with self._lock:
            self.newest_ms = now_ms
            ear = self._ears.get(probe)
            if ear is None:
                self._ears[probe] = _Ear(now_ms)
                return
            gap = now_ms - ear.last_ms
            # Up at once, down slowly: a backlog that drains says nothing about the usual pause.
            ear.gap_ms = gap if gap > ear.gap_ms else 0.95 * ear.gap_ms + 0.05 * gap
            ear.last_ms = now_ms

    def known(self, now_ms: int) -> int:
        """How many probes were heard in the last day."""
        with self._lock:
            return sum(self._is_known(ear, now_ms) for ear in self._ears.values())

    def silent(self, now_ms: int) -> dict[str, int]:
        """The known probes that are silent, and since when."""
        with self._lock:
            return {
                probe: since
                for probe, ear in self._ears.items()
                if self._is_known(ear, now_ms)
                and (since := max(ear.last_ms, self._started_ms))
                < now_ms - max(QUIET_MS, USUAL_GAPS * min(ear.gap_ms, KNOWN_MS / 8))
            }

    def incident(self, now_ms: int) -> Incident | None:
        """One incident, when at least MANY probes and MANY_SHARE of the known ones fell silent
        within TOGETHER_MS of each other."""
        since = sorted(self.silent(now_ms).values())
        known = self.known(now_ms)
        enough = max(MANY, MANY_SHARE * known)
        first = 0
        best: Incident | None = None
        for last, at in enumerate(since):
            while at - since[first] > TOGETHER_MS:
                first += 1
            number = last - first + 1
            if number >= enough and (best is None or number > best.silent):
                best = Incident(since[first], number, known)
        return best

    def _is_known(self, ear: _Ear, now_ms: int) -> bool:
        return now_ms - max(ear.last_ms, self._started_ms) < KNOWN_MS
