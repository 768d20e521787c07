"""A wide sheet: one row per site, one column per look that any site may have in a stretch of time.

Law: looks are placed, never sorted. The columns stand in the order of vantage, kind, target and
time, the rows in the order of sites; reading off the cells that hold a look gives a Block that is
sorted already. No Python statement runs per look.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from model.columns import Block, Coded
from model.measurement import METRICS, Outcome, Reason, Rung
from model.timeline import Interval

REASONS = (
    "",
    Reason.NO_ANSWER,
    Reason.SPOOL_OVERFLOW,
    Reason.REFUSED,
    Reason.TAMPERED,
    Reason.NAME_NOT_RESOLVED,
    Reason.CERTIFICATE_EXPIRED,
    Reason.CAPTIVE_PORTAL,
    Reason.QUOTA,
    f"{Reason.WRONG_STATUS} 502",
    f"{Reason.WRONG_STATUS} 503",
    Reason.BELOW + Rung.SITE,
    Reason.BELOW + Rung.LAN,
    Reason.BELOW + Rung.ISP_GATEWAY,
    Reason.BELOW + Rung.DNS,
    Reason.BELOW + Rung.NATIONAL,
)
"""The reasons that a simulated look may give; a cell holds the index."""

_WIDE = frozenset(
    {"boot_id", "supply_volts", "path_id", "test_bytes"}
)  # a float32 would blur their digits

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Series:
    """One kind of look at every site: ``first_ms`` is each site's first look in the stretch,
    ``step_ms`` the interval, ``looks`` how many there are at most."""

    vantage: str
    kind: str
    target: str
    step_ms: int
    first_ms: Array
    looks: int

    @property
    def at_ms(self) -> Array:
        """The time of every look, sites by looks."""
        return self.first_ms[:, None] + np.arange(self.looks, dtype=np.int64) * self.step_ms

    def columns_in(self, row: int, interval: Interval) -> slice:
        """The looks of one site that fall into an interval."""
        first = int(self.first_ms[row])
        low = -((first - interval.start_ms) // self.step_ms)
        high = -((first - interval.end_ms) // self.step_ms)
        return slice(min(max(low, 0), self.looks), min(max(high, 0), self.looks))

    def paint(self, rows: Iterable[tuple[int, Sequence[Interval]]]) -> Array:
        """True for the looks that fall into their site's intervals."""
        hit = np.zeros((self.first_ms.size, self.looks), dtype=bool)
        for row, intervals in rows:
            for interval in intervals:
                hit[row, self.columns_in(row, interval)] = True
        return hit


class Sheet:
    """The cells of a stretch of time for so many sites and these series, in their order."""

    def __init__(self, sites: int, series: Sequence[Series]) -> None:
        self._series = tuple(series)
        bounds = np.cumsum([0, *(item.looks for item in series)])
        self._at = [slice(int(a), int(b)) for a, b in pairwise(bounds)]
        self._shape = (sites, int(bounds[-1]))
        self._present = np.zeros(self._shape, dtype=bool)
        self._outcome = np.full(self._shape, int(Outcome.UP), dtype=np.int8)
        self._reason = np.zeros(self._shape, dtype=np.int8)
        self._at_ms = np.zeros(self._shape, dtype=np.int64)
        self._metrics: dict[str, Array] = {}
        for item, where in zip(self._series, self._at, strict=True):
            self._at_ms[:, where] = item.at_ms

    def place(self, series: Series, mask: Array) -> None:
        """Say which looks of a series took place."""
        self._present[:, self._where(series)] = mask

    def fail(
        self, series: Series, mask: Array, reason: str, outcome: Outcome = Outcome.DOWN
    ) -> None:
        """Give the looks of the mask another outcome than UP."""
        where = self._where(series)
        self._outcome[:, where][mask] = int(outcome)
        self._reason[:, where][mask] = REASONS.index(reason)

    def read(self, series: Series, mask: Array, metric: str, values: Any) -> None:
        """Enter what the looks of the mask read; values are in site, then time order."""
        if metric not in self._metrics:
            if metric not in METRICS:
                raise KeyError(metric)
            kind = np.float64 if metric in _WIDE else np.float32
            self._metrics[metric] = np.full(self._shape, np.nan, dtype=kind)
        self._metrics[metric][:, self._where(series)][mask] = values

    def shift(self, series: Series, row: int, columns: slice, offset_ms: int) -> None:
        """Date some looks of a site wrongly."""
        self._at_ms[:, self._where(series)][row, columns] += offset_ms

    def date(self, series: Series, row: int, column: int, at_ms: int) -> None:
        """Date one look by hand (a series whose looks follow no interval)."""
        self._at_ms[:, self._where(series)][row, column] = at_ms

    def block(self, sites: Sequence[str]) -> Block:
        """The looks that took place, as columns; ``sites`` names the rows."""
        cells = np.flatnonzero(self._present)
        site, column = np.divmod(cells, self._shape[1])
        columns: dict[str, Any] = {"site": Coded(sites, site.astype(np.int32))}
        for field in ("vantage", "kind", "target"):
            values = [str(getattr(item, field)) for item in self._series]
            names = sorted(set(values))
            codes = np.repeat(
                np.array([names.index(value) for value in values], dtype=np.int32),
                [item.looks for item in self._series],
            )
            columns[field] = Coded(names, codes[column])
        columns["reason"] = Coded(REASONS, self._reason.ravel()[cells].astype(np.int32))
        columns["at_ms"] = self._at_ms.ravel()[cells]
        columns["outcome"] = self._outcome.ravel()[cells]
        for metric in METRICS:
            if metric in self._metrics:
                columns[metric] = self._metrics.pop(metric).ravel()[cells]
        return Block(columns, int(cells.size))

    def _where(self, series: Series) -> slice:
        return self._at[self._series.index(series)]
