"""When will every village meet the target? A date with a band, or an honest "not yet".

Law: a forecast says no more than the weeks behind it. Too few weeks, progress that does not stand
out from its own scatter, or a date further away than the history can carry: then there is none,
and the reason is given.

Method: the villages on target are a random walk with drift. The drift is the mean weekly gain; its
scatter is the long-run variance of the gains (Newey and West 1987, Econometrica 55:703), because
the target looks back over several weeks and neighbouring gains therefore resemble each other. After
h weeks the gain has mean h·drift and variance h·s² + h²·s²/n: the second part is what we do not
know of the drift itself. The band holds the middle 80 %, with Student's quantile for few weeks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from statistics import NormalDist, fmean

WEEKS_MIN = 8
"""Fewer known weeks than this say nothing of a trend: half of them share their data."""
WEEKS_USED = 26
"""Progress of half a year; what was true before has little to say of the next months."""
REACH = 4
"""A date is given at most so many times as far ahead as the weeks that carry it."""
BAND = 0.80


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
    drift, variance = fmean(gains), _long_run_variance(gains, window_weeks - 1)
    # Gains within one window share data: so many independent pieces there are.
    quantile = _student(0.5 + BAND / 2, max(2, len(gains) // window_weeks + 1))
    missing, reach = total - used[-1], REACH * weeks

    def after(ahead: int, sign: int) -> float:
        spread = math.sqrt(ahead * variance + ahead * ahead * variance / len(gains))
        return ahead * drift + sign * quantile * spread

    def within(ahead: int, sign: int) -> float:
        return min(max(0.0, used[-1] + after(ahead, sign)), float(total))

    def path(weeks_ahead: int) -> tuple[tuple[int, float, float], ...]:
        return tuple((h, within(h, -1), within(h, 1)) for h in range(1, weeks_ahead + 1))

    # The far end of the lower bound decides whether there is progress at all: when even the drift
    # may be nothing, no date follows however long one waits.
    if drift - quantile * math.sqrt(variance / len(gains)) <= 0:
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
    lags = min(lags, count - 1)
    shared = sum((1 - lag / (lags + 1)) * covariance(lag) for lag in range(1, lags + 1))
    return max(plain, plain + 2 * shared)


def _student(share: float, freedom: int) -> float:
    """Quantile of Student's t (Abramowitz and Stegun 26.7.5; within 1 % from two degrees on at the
    90th percentile)."""
    z = NormalDist().inv_cdf(share)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3
