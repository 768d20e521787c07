"""Counters become rates, or nothing.

Law: a rate is told only where two readings of one life of a counter stand behind it. A restart, a
discontinuity, a new zero or an impossible step gives no number, and never a spike.
"""

from collections.abc import Hashable, Mapping

from probes.snmp_profile import Kind

WIDEST_32 = 2**31
"""A 32-bit step of more than half the range is taken for a reset: RFC 2863, 3.1.6 wants counters
read before they can wrap, and a port that fast has a 64-bit counter."""

LONGEST_SECONDS = 7200.0
"""Two readings further apart say nothing about now."""


class Rates:
    """The last reading of every counter of one device."""

    def __init__(self) -> None:
        self._last: dict[str, dict[str, tuple[int, float, Hashable]]] = {}

    def forget(self) -> None:
        """The device started anew: nothing before it counts."""
        self._last.clear()

    def rates(
        self,
        column: str,
        counts: Mapping[str, int],
        kind: Kind,
        at_seconds: float,
        lives: Mapping[str, Hashable],
    ) -> dict[str, float]:
        """Counts a second since the last reading, by row; none for the first, after a reset, or
        when its life (ifCounterDiscontinuityTime) is another. ``at_seconds``: any monotonic clock.
        """
        last = self._last.setdefault(column, {})
        found = {}
        for row, count in counts.items():
            life, before = lives.get(row), last.get(row)
            last[row] = (count, at_seconds, life)
            if before is None:
                continue
            old, then, old_life = before
            elapsed = at_seconds - then
            if life != old_life or not 0 < elapsed <= LONGEST_SECONDS:
                continue
            step = count - old
            if step < 0 and kind is Kind.COUNTER32:
                step += 2**32
                if step >= WIDEST_32:
                    continue
            # 64 bits last for decades on any port here (RFC 2863, 3.1.6): going back is a reset.
            if step >= 0:
                found[row] = step / elapsed
        return found
