"""How a line behaves while nothing is wrong: delay, jitter, and loss in bursts.

Law: one set of parameters makes both the history's numbers and the packets on the TUN device.
Delay is a fixed part plus an exponential queue; loss is a two-state chain per echo (Gilbert 1960,
Elliott 1963): in the bad state everything is lost, bursts last ``BURST_ECHOES`` on average.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from model.site import Access

BURST_ECHOES = 2.5
MOST_LOSS = 0.98
"""A line that is worse than this is cut, which is the business of a misfortune."""

LONGEST_SECONDS = 1.9
"""Queues end: beyond this a packet is dropped, not delayed. Below every time-out in use."""

_FILLED_SECONDS = 0.15

Numbers = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Line:
    """One line. ``congestion`` is its share in the daily rush hours (0: none, 1: all of it)."""

    base_rtt_seconds: float
    jitter_seconds: float
    loss: float
    congestion: float


@dataclass(frozen=True, slots=True)
class Typical:
    """The ranges in which an access technology lies, and how well it is kept as a rule: the shares
    of good, fair and poor lines."""

    base_rtt_seconds: tuple[float, float]
    jitter_seconds: tuple[float, float]
    shares: tuple[float, float, float]


TYPICAL: Mapping[Access, Typical] = {
    Access.FIBRE: Typical((0.010, 0.040), (0.001, 0.004), (0.82, 0.12, 0.06)),
    Access.FWA: Typical((0.015, 0.050), (0.003, 0.010), (0.70, 0.18, 0.12)),
    Access.CELLULAR: Typical((0.040, 0.120), (0.008, 0.030), (0.62, 0.22, 0.16)),
    Access.LEO: Typical((0.040, 0.080), (0.005, 0.015), (0.72, 0.18, 0.10)),
    Access.GEO: Typical((0.600, 0.680), (0.010, 0.040), (0.60, 0.24, 0.16)),
}

_LOSS_CLASSES = ((0.0010, 0.0022), (0.0022, 0.0150), (0.0150, 0.1000))
"""Background loss of good, fair and poor lines."""


def draw_line(
    rng: np.random.Generator, access: Access, loss_range: tuple[float, float] | None = None
) -> Line:
    """A line of one technology. ``loss_range`` (shares) overrides the usual mix of loss."""
    typical = TYPICAL[access]
    rank = int(rng.choice(3, p=typical.shares))
    low, high = loss_range or _LOSS_CLASSES[rank]
    return Line(
        base_rtt_seconds=round(float(rng.uniform(*typical.base_rtt_seconds)), 5),
        jitter_seconds=round(float(rng.uniform(*typical.jitter_seconds)) * (1 + 0.5 * rank), 5),
        loss=round(float(np.exp(rng.uniform(np.log(low), np.log(high)))), 6),
        congestion=round(float(rng.uniform(0, 0.4 + 0.3 * rank)), 3),
    )


def rush(local_hour: Numbers) -> Numbers:
    """How busy a line is at an hour of the local day, 0 to 1: offices at 10:30, homes at 20:00."""
    offices = 0.6 * np.exp(-(((local_hour - 10.5) / 2.0) ** 2))
    homes = np.exp(-(((local_hour - 20.0) / 1.8) ** 2))
    busy: Numbers = (offices + homes).astype(np.float32)
    return busy


def burst_chances(loss: float) -> tuple[float, float]:
    """The chain's chances per echo: of entering the bad state and of leaving it.

    The mean burst is BURST_ECHOES; longer only where that much loss cannot be had otherwise.
    """
    loss = min(loss, MOST_LOSS)
    leave = min(1 / BURST_ECHOES, (1 - loss) / loss) if loss else 1 / BURST_ECHOES
    return leave * loss / (1 - loss), leave


def received_of(rng: np.random.Generator, loss: Numbers, echoes: int) -> "Counts":
    """How many of ``echoes`` consecutive echoes came back, for each of many looks."""
    leave = np.minimum(np.float32(1 / BURST_ECHOES), (1 - loss) / np.maximum(loss, 1e-6))
    enter = leave * loss / (1 - loss)  # the same chain as in burst_chances, for whole arrays
    bad = rng.random(loss.shape, dtype=np.float32) < loss
    received = np.full(loss.shape, echoes, dtype=np.int8) - bad
    for _ in range(echoes - 1):
        chance = np.where(bad, 1 - leave, enter)
        bad = rng.random(loss.shape, dtype=np.float32) < chance
        received -= bad
    return received


def added_delay_seconds(base_seconds: float, factor: float) -> float:
    """What a brown-out of so many times the usual delay adds. It fills queues; it does not move a
    satellite, so a long delay grows by no more than that of a short line would."""
    return (factor - 1) * min(base_seconds, _FILLED_SECONDS)


@dataclass(frozen=True, slots=True)
class RoundTrips:
    """What looks say of their round-trip times, in seconds; NaN where nothing came back."""

    least: Numbers
    median: Numbers
    p95: Numbers
    most: Numbers
    jitter: Numbers


def round_trips(
    rng: np.random.Generator, received: "Counts", base_seconds: Numbers, jitter_seconds: Numbers
) -> RoundTrips:
    """The figures of looks with so many answers each.

    The order statistics of n exponential delays are drawn directly, as sums of spacings
    (A. Renyi, Acta Math. Hung. 4, 1953), so that nothing needs to be sorted.
    """
    least, median, p95, most, jitter = (
        np.full(received.shape, np.nan, dtype=np.float32) for _ in range(5)
    )
    for count in np.unique(received[received > 0]).tolist():
        at = np.flatnonzero(received == count)
        scale, base = jitter_seconds[at], base_seconds[at]
        ordered = np.empty((count, at.size), dtype=np.float32)
        delay = base.astype(np.float32)
        for rank in range(count):
            spacing = rng.standard_exponential(at.size, dtype=np.float32) / (count - rank)
            delay = delay + scale * spacing
            ordered[rank] = np.minimum(delay, LONGEST_SECONDS)
        least[at], most[at] = ordered[0], ordered[-1]
        median[at] = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
        p95[at] = ordered[math.ceil(0.95 * count) - 1]
        if count > 1:  # the mean step lies between an even walk across the spread and all of it
            even = 1 / (count - 1)
            share = even + (1 - even) * 0.6 * rng.random(at.size, dtype=np.float32)
            jitter[at] = (ordered[-1] - ordered[0]) * share
    return RoundTrips(least, median, p95, most, jitter)


Counts = np.ndarray[Any, np.dtype[np.int8]]
