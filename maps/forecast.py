"""When will every village meet the target? A date with a band, or an honest "not yet".

Law: a forecast says no more than the weeks behind it. Too few weeks, progress that does not stand
out from its own scatter, or a date further away than the history can carry: then there is none,
and the reason is given.

Method: the villages on target are a random walk with drift. The drift is the mean weekly gain; its
scatter is the long-run variance of the gains (Newey and West 1987, Econometrica 55:703), because
the target looks back over several weeks and neighbouring gains therefore resemble each other. After
h weeks the gain has mean h·drift and variance h·s² + h²·s²/n: the second part is what we do not
know of the drift itself. A long-run variance of few weeks is itself uncertain, so the quantiles are
those of Kiefer and Vogelsang (2005, Econometric Theory 21:1130), which are wider than the normal
ones the fewer weeks there are. A date needs a drift above nothing at 97.5 %; the band holds the
middle 90 %, so that one date in twenty comes too early at most.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from statistics import fmean

WEEKS_MIN = 12
"""Fewer known weeks than this say nothing of a trend: they are less than three windows of the usual
four weeks, and within a window neighbours share their data."""
WEEKS_USED = 26
"""Progress of half a year; what was true before has little to say of the next months."""
REACH = 4
"""A date is given at most so many times as far ahead as the weeks that carry it."""
BAND = 0.90
_BAND_QUANTILE = (1.6449, 2.1859, 0.3142, -0.3427)
_PROGRESS_QUANTILE = (1.9600, 2.9694, 0.4160, -0.5324)
"""The 95 % and 97.5 % quantiles as cubics of the share of lags (Kiefer and Vogelsang 2005, table 1,
Bartlett weights). Without lags they are the normal ones."""


class Outlook(StrEnum):
    """What can be said. All but DATED and REACHED are ways to say "not yet"."""

    REACHED = "reached"
    DATED = "dated"
    TOO_FEW = "too_few"
    NO_PROGRESS = "no_progress"
    TOO_FAR = "too_far"


@dataclass(frozen=True, slots=True)
class Forecast:
    """Weeks from the last known week until all are on target: ``early`` and ``late`` bound the
    band, ``middle`` is its middle; None where nothing is said. ``path`` is (weeks ahead, low, high)
    in villages for drawing: to the band's end, or as far ahead as it looks back where there is no
    date but a trend.
    ``gain`` is the mean weekly gain in villages, ``weeks`` how many weeks it rests on."""

    outlook: Outlook
    weeks: int
    gain: float | None = None
    early: int | None = None
    middle: int | None = None
    late: int | None = None
    path: tuple[tuple[int, float, float], ...] = ()


def forecast(on_target: Sequence[int], total: int, window_weeks: int) -> Forecast:
    """From the villages on target in consecutive known weeks, oldest first.

    ``window_weeks``: how many weeks the target looks back, which is how far gains resemble each
    other. A register of nobody is never reached.
    """
    used = on_target[-WEEKS_USED:]
    weeks = len(used)
    if used and total and used[-1] >= total:
        return Forecast(Outlook.REACHED, weeks)
    if weeks < WEEKS_MIN:
        return Forecast(Outlook.TOO_FEW, weeks)
    gains = [later - earlier for earlier, later in pairwise(used)]
    lags = min(window_weeks, len(gains)) - 1
    drift, variance = fmean(gains), _long_run_variance(gains, lags)
    quantile, progress = (
        _quantile(each, (lags + 1) / len(gains)) for each in (_BAND_QUANTILE, _PROGRESS_QUANTILE)
    )
    missing, reach = total - used[-1], REACH * weeks

    def after(ahead: int, sign: int) -> float:
        spread = math.sqrt(ahead * variance + ahead * ahead * variance / len(gains))
        return ahead * drift + sign * quantile * spread

    def within(ahead: int, sign: int) -> float:
        return min(max(0.0, used[-1] + after(ahead, sign)), float(total))

    def path(weeks_ahead: int) -> tuple[tuple[int, float, float], ...]:
        return tuple((h, within(h, -1), within(h, 1)) for h in range(1, weeks_ahead + 1))

    # When even the drift may be nothing, no date follows however long one waits.
    if drift - progress * math.sqrt(variance / len(gains)) <= 0:
        return Forecast(Outlook.NO_PROGRESS, weeks, drift, path=path(weeks))
    early, middle, late = (
        next((h for h in range(1, reach + 1) if after(h, sign) >= missing), None)
        for sign in (1, 0, -1)
    )
    if late is None:
        return Forecast(Outlook.TOO_FAR, weeks, drift, path=path(weeks))
    return Forecast(Outlook.DATED, weeks, drift, early, middle, late, path(late))


def _long_run_variance(gains: Sequence[float], lags: int) -> float:
    """Variance of a mean of gains times their number, Bartlett weights; never below the plain one,
    which a short series would otherwise undercut by chance."""
    mean, count = fmean(gains), len(gains)

    def covariance(lag: int) -> float:
        pairs = zip(gains[lag:], gains[: count - lag], strict=True)
        return sum((a - mean) * (b - mean) for a, b in pairs) / (count - 1)

    plain = covariance(0)
    weights = [1 - lag / (lags + 1) for lag in range(1, lags + 1)]
    shared = sum(weight * covariance(lag) for lag, weight in enumerate(weights, 1))
    # Of gains that are moving means over the window, these weights find only a part.
    found = (1 + 2 * sum(weight**2 for weight in weights)) / (lags + 1)
    return max(plain, (plain + 2 * shared) / found)


def _quantile(cubic: Sequence[float], lag_share: float) -> float:
    """The quantile of a t statistic whose variance used so large a share of the lags."""
    return sum(factor * lag_share**power for power, factor in enumerate(cubic))
