"""The looks of one stretch of history at services: who looks when, and which rung is in the way.

Law: as in ``looks.py``, every answer follows from the site's fate alone (``answers.py``). What
stands on a broken rung is UNKNOWN because of it, as with our own probe (``probes/ladder.py``).
"""

import zlib
from collections.abc import Callable, Iterable

import numpy as np

from model.check import ServiceCheck
from model.columns import Block
from model.kinds import INTERVAL_SECONDS
from model.measurement import Outcome, Reason, Rung, Vantage
from model.timeline import Interval
from simulator.ailments import Ailing
from simulator.answers import ANSWERS, Seen, hit, no_names
from simulator.fate import Fate
from simulator.looks import misdate
from simulator.roster import Plan, Roster
from simulator.sheet import Array, Series, Sheet


def service_looks(plan: Plan, roster: Roster, piece: Interval) -> Block:
    """All rows of the services in a stretch, sorted by site, vantage, kind, target and time."""
    return _Stretch(plan, roster, piece).block()


class _Stretch:
    """One stretch in the making."""

    def __init__(self, plan: Plan, roster: Roster, piece: Interval) -> None:
        self._plan, self._roster, self._piece = plan, roster, piece
        self._rows = roster.served.tolist()
        self._sites = [plan.province.inventory.sites[row] for row in self._rows]
        self._fates = [roster.fates[row] for row in self._rows]
        self._loss = roster.loss[roster.served][:, None]
        self._rtt = roster.base_seconds[roster.served][:, None]
        self._rng = np.random.default_rng([plan.province.seed, 6, piece.start_ms // 3_600_000])

    def block(self) -> Block:
        """Play every check's part and read the sheet off."""
        checks = {
            (one.vantage.value, one.kind, f"{one.rung}:{one.id}"): one
            for one in self._plan.province.inventory.checks
        }
        several = {key: self._series(key, checks[key]) for key in sorted(checks)}
        sheet = Sheet(len(self._rows), list(several.values()))
        for key, series in several.items():
            check = checks[key]
            looked = self._looked(check, series)
            sheet.place(series, looked)
            blocked = self._below(sheet, series, check, looked)
            ANSWERS[check.kind](
                Seen(
                    sheet,
                    series,
                    check,
                    looked,
                    looked & ~blocked,
                    self._sites,
                    self._fates,
                    self._piece,
                    self._rtt,
                    self._loss,
                    self._rng,
                )
            )
        village = [one for one in several.values() if one.vantage == Vantage.VILLAGE]
        misdate(sheet, self._fates, self._piece, village)
        return sheet.block([site.id for site in self._sites])

    def _series(self, key: tuple[str, str, str], check: ServiceCheck) -> Series:
        seconds = check.interval_seconds or INTERVAL_SECONDS.get(
            check.kind, self._plan.village_interval_seconds
        )
        step_ms = seconds * 1000
        phases = [zlib.crc32(f"{site.id}/{check.id}".encode()) % step_ms for site in self._sites]
        return Series(
            *key,
            step_ms,
            # A stretch shorter than the interval holds the look or does not, by the phase.
            self._piece.start_ms + (np.array(phases) - self._piece.start_ms) % step_ms,
            -(-(self._piece.end_ms - self._piece.start_ms) // step_ms),
        )

    def _hit(self, series: Series, what: Callable[[Fate], Iterable[Interval]]) -> Array:
        return hit(series, self._fates, self._piece, what)

    def _ailing(self, series: Series, those: Callable[[Ailing], bool]) -> Array:
        return self._hit(series, lambda fate: (one.interval for one in fate.ailing if those(one)))

    def _looked(self, check: ServiceCheck, series: Series) -> Array:
        """The looks that were taken, kept and delivered."""
        since = np.maximum(
            self._roster.in_service_ms[self._roster.served], self._plan.interval.start_ms
        )
        at_ms = series.at_ms
        looked: Array = (at_ms >= since[:, None]) & (
            at_ms < min(self._plan.interval.end_ms, self._piece.end_ms)
        )
        looked &= np.array([check.concerns(site) for site in self._sites])[:, None]
        if check.vantage is Vantage.CENTRE:
            return looked & ~series.paint((row, self._roster.off) for row in range(len(self._rows)))
        off = self._hit(series, lambda fate: [*fate.dark, *fate.silent, *fate.dropped])
        withheld = series.paint(
            (row, self._roster.withheld[site]) for row, site in enumerate(self._rows)
        )
        return looked & ~off & ~withheld

    def _below(self, sheet: Sheet, series: Series, check: ServiceCheck, looked: Array) -> Array:
        """The looks below which a rung is broken, and so that they say it."""
        broken: dict[Rung, Array] = {}
        if check.vantage is Vantage.CENTRE:
            broken[Rung.SITE] = self._hit(series, lambda fate: (b.interval for b in fate.blocked))
            broken[Rung.SITE] |= series.paint(
                (row, self._roster.line) for row in range(len(self._rows))
            )
        else:
            broken = self._broken_inside(series, check)
        blocked = np.zeros(looked.shape, dtype=bool)
        for rung, where in broken.items():
            sheet.fail(series, looked & where & ~blocked, Reason.BELOW + rung, Outcome.UNKNOWN)
            blocked |= where
        return blocked

    def _broken_inside(self, series: Series, check: ServiceCheck) -> dict[Rung, Array]:
        """The rungs between a village's probe and what it looks at, from the inside outward."""
        broken: dict[Rung, Array] = {}
        if check.rung is not Rung.LAN:
            broken[Rung.LAN] = self._ailing(series, lambda one: one.kind == "lan_cut")
        if check.rung in (Rung.DNS, Rung.NATIONAL, Rung.APPLICATION):
            broken[Rung.ISP_GATEWAY] = self._hit(series, lambda fate: fate.cut)
        if check.rung is Rung.APPLICATION:
            if check.kind in ("http", "throughput"):
                broken[Rung.DNS] = self._ailing(series, no_names)
            broken[Rung.NATIONAL] = self._hit(series, lambda fate: fate.beyond)
        return broken
