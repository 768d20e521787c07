"""Measurements -> islands: stretches of one outcome, per site, vantage, kind and target.

Law: the engine does the heavy part. Most hours are all UP and whole; such an hour is one row from
the first aggregate on. Only the looks of the other hours are ordered and compared one by one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from collector.engine import Engine
from collector.settings import VerdictSettings
from model.measurement import Outcome
from model.timeline import Interval

_HOUR_MS = 3_600_000

_HOURS = """
CREATE OR REPLACE TEMP TABLE hours AS
SELECT site, vantage, kind, target, epoch_ms("at") // $hour_ms AS hour,
       count(*) AS looks, min(outcome) AS lowest, max(outcome) AS highest,
       epoch_ms(min("at")) AS first_ms, epoch_ms(max("at")) AS last_ms,
       sum(sent) AS sent, sum(received) AS received
FROM looks
WHERE "at" >= make_timestamptz($start_ms * 1000) AND "at" < make_timestamptz($end_ms * 1000)
  AND kind <> 'gap'
GROUP BY ALL
"""

# The interval that a series keeps is read off its own looks, so that any client may be a probe.
# One that looks less than twice an hour is read off the steps between its hours; a single look
# claims no more than the settings allow.
_SERIES = """
CREATE OR REPLACE TEMP TABLE series AS
WITH stepped AS (
    SELECT *, first_ms - lag(first_ms) OVER (
        PARTITION BY site, vantage, kind, target ORDER BY first_ms) AS step_ms
    FROM hours
)
SELECT site, vantage, kind, target,
       coalesce(median((last_ms - first_ms) / (looks - 1)) FILTER (looks > 1),
                median(step_ms), $lone_ms) AS interval_ms
FROM stepped GROUP BY ALL
"""

# An hour is whole when at most one look is missing from it: then no gap in it is a long one. More
# looks than its length has room for (twice told, or bunched) are no proof of that.
_STEADY = """
CREATE OR REPLACE TEMP TABLE steady AS
SELECT h.*, (lowest = 1 AND highest = 1
             AND looks >= floor($hour_ms / s.interval_ms) - 1
             AND last_ms - first_ms >= (looks - 2) * s.interval_ms
             AND s.interval_ms * $gap_intervals < $hour_ms) AS whole
FROM hours h JOIN series s USING (site, vantage, kind, target)
"""

_ISLANDS = """
WITH edges AS (
    SELECT site, vantage, kind, target, first_ms, last_ms,
           1::TINYINT AS outcome, '' AS reason, looks
    FROM steady WHERE whole
    UNION ALL
    SELECT l.site, l.vantage, l.kind, l.target, epoch_ms(l."at"), epoch_ms(l."at"),
           l.outcome, coalesce(l.reason, ''), 1
    FROM looks l SEMI JOIN (FROM steady WHERE NOT whole) r
      ON l.site = r.site AND l.vantage = r.vantage AND l.kind = r.kind AND l.target = r.target
         AND epoch_ms(l."at") // $hour_ms = r.hour
    WHERE "at" >= make_timestamptz($start_ms * 1000) AND "at" < make_timestamptz($end_ms * 1000)
), marked AS (
    SELECT e.*, s.interval_ms,
           outcome IS DISTINCT FROM lag(outcome) OVER before
           OR first_ms - lag(last_ms) OVER before > $gap_intervals * s.interval_ms AS begins
    FROM edges e JOIN series s USING (site, vantage, kind, target)
    WINDOW before AS (PARTITION BY site, vantage, kind, target
                      ORDER BY first_ms, last_ms, outcome, reason)
), numbered AS (
    SELECT *, sum(begins::INT) OVER (PARTITION BY site, vantage, kind, target
                                     ORDER BY first_ms, last_ms, outcome, reason
                                     ROWS UNBOUNDED PRECEDING) AS island
    FROM marked
)
SELECT site, vantage, kind, target, outcome, arg_min(reason, (first_ms, reason)) AS reason,
       min(first_ms) AS first_ms, max(last_ms) AS last_ms, sum(looks)::BIGINT AS looks,
       round(any_value(interval_ms))::BIGINT AS interval_ms
FROM numbered GROUP BY site, vantage, kind, target, outcome, island
ORDER BY site, vantage, kind, target, first_ms
"""


@dataclass(frozen=True, slots=True)
class Island:
    """Consecutive looks of one series with one outcome.

    ``first_ms`` and ``last_ms`` are the times of its first and last look; ``interval_ms`` is the
    interval that the series keeps.
    """

    first_ms: int
    last_ms: int
    outcome: Outcome
    reason: str
    looks: int
    interval_ms: int


@dataclass(frozen=True, slots=True)
class Series:
    """All islands of one series, in order of time."""

    site: str
    vantage: str
    kind: str
    target: str
    islands: tuple[Island, ...]


def find_islands(engine: Engine, interval: Interval, settings: VerdictSettings) -> list[Series]:
    """Fold the looks of ``interval`` into islands. Leaves the tables ``hours`` and ``series`` in
    the engine for those who ask about the same interval (``quality.py``)."""
    bounds = {"start_ms": interval.start_ms, "end_ms": interval.end_ms, "hour_ms": _HOUR_MS}
    engine.run(_HOURS, bounds)
    engine.run(_SERIES, {"lone_ms": settings.lone_look_seconds * 1000})
    engine.run(_STEADY, {"hour_ms": _HOUR_MS, "gap_intervals": settings.gap_intervals})
    found = engine.columns(_ISLANDS, {**bounds, "gap_intervals": settings.gap_intervals})
    return list(_series(found))


def _series(found: Mapping[str, Any]) -> Iterator[Series]:
    """Cut the ordered result at every change of its key."""
    outcomes = [Outcome(number) for number in range(3)]
    keys = list(
        zip(
            *(np.asarray(found[name]).tolist() for name in ("site", "vantage", "kind", "target")),
            strict=True,
        )
    )
    values = zip(
        *(
            np.asarray(found[name]).tolist()
            for name in ("first_ms", "last_ms", "outcome", "reason", "looks", "interval_ms")
        ),
        strict=True,
    )
    current: tuple[str, str, str, str] | None = None
    islands: list[Island] = []
    for key, (first, last, outcome, reason, looks, interval) in zip(keys, values, strict=True):
        if key != current:
            if current is not None:
                yield Series(*current, tuple(islands))
            current, islands = key, []
        islands.append(Island(first, last, outcomes[outcome], reason, looks, interval))
    if current is not None:
        yield Series(*current, tuple(islands))
