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
from model.measurement import Outcome, Reason
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

# From here on a series is its number: joining and ordering by four texts would cost several times
# as much.
_NUMBERS = """
CREATE OR REPLACE TEMP TABLE numbers AS
SELECT site, vantage, kind, target, max(last_ms) AS last_ms, sum(looks) AS looks,
       row_number() OVER (ORDER BY site, vantage, kind, target) AS number
FROM hours GROUP BY site, vantage, kind, target
"""
_NUMBERED = """
CREATE OR REPLACE TEMP TABLE numbered AS
SELECT n.number, h.hour, h.looks, h.lowest, h.highest, h.first_ms, h.last_ms
FROM hours h JOIN numbers n USING (site, vantage, kind, target)
"""

# The interval that a series keeps is read off its own looks, so that any client may be a probe.
# One that looks less than twice an hour is read off the steps between its hours; a single look
# claims no more than the settings allow.
_SERIES = """
CREATE OR REPLACE TEMP TABLE series AS
WITH known AS (
    SELECT number, median((last_ms - first_ms) / (looks - 1)) FILTER (looks > 1) AS interval_ms
    FROM numbered GROUP BY number
), stepped AS (
    SELECT number, first_ms - lag(first_ms) OVER (PARTITION BY number ORDER BY first_ms) AS step_ms
    FROM numbered SEMI JOIN (FROM known WHERE interval_ms IS NULL) USING (number)
), sparse AS (
    SELECT number, median(step_ms) AS step_ms FROM stepped GROUP BY number
)
SELECT n.*, coalesce(interval_ms, step_ms, $lone_ms) AS interval_ms
FROM numbers n JOIN known USING (number) LEFT JOIN sparse USING (number)
"""

# An hour is whole when at most one look is missing from it: then no gap in it is a long one. More
# looks than its length has room for (twice told, or bunched) are no proof of that. A lone look is
# always whole. A day is whole by the same law when all its hours are, where none of them counts for
# more looks than it has room for.
_STEADY = """
CREATE OR REPLACE TEMP TABLE steady AS
SELECT h.*, hour // 24 AS day, s.interval_ms, (lowest = 1 AND highest = 1 AND (h.looks = 1
             OR (h.looks >= floor($hour_ms / s.interval_ms) - 1
                 AND h.last_ms - first_ms >= (h.looks - 2) * s.interval_ms
                 AND s.interval_ms * $gap_intervals < $hour_ms))) AS whole
FROM numbered h JOIN series s USING (number)
"""
_DAYS = """
CREATE OR REPLACE TEMP TABLE whole_days AS
SELECT number, day, min(first_ms) AS first_ms, max(last_ms) AS last_ms, sum(looks) AS looks
FROM steady WHERE interval_ms * $gap_intervals < 24 * $hour_ms
GROUP BY number, day, interval_ms
HAVING bool_and(whole)
   AND sum(least(looks, ceil($hour_ms / interval_ms))) >= floor(24 * $hour_ms / interval_ms) - 1
"""

_EDGES = """
CREATE OR REPLACE TEMP TABLE edges AS
SELECT number, first_ms, last_ms, 1::TINYINT AS outcome, '' AS reason, looks::INTEGER AS looks
FROM whole_days
UNION ALL
SELECT number, first_ms, last_ms, 1, '', looks
FROM steady ANTI JOIN whole_days USING (number, day) WHERE whole
UNION ALL
SELECT n.number, epoch_ms(l."at"), epoch_ms(l."at"), l.outcome, coalesce(l.reason, ''), 1
FROM looks l
JOIN (SELECT site, vantage, kind, target, hour, number
      FROM steady JOIN numbers USING (number) WHERE NOT whole) n
  ON l.site = n.site AND l.vantage = n.vantage AND l.kind = n.kind AND l.target = n.target
     AND epoch_ms(l."at") // $hour_ms = n.hour
WHERE "at" >= make_timestamptz($start_ms * 1000) AND "at" < make_timestamptz($end_ms * 1000)
"""

# All edges are ordered once; what follows works on the few that begin an island.
_ISLANDS = """
WITH ordered AS (
    SELECT number, first_ms, outcome, reason,
           lag(outcome) OVER before AS outcome_before, lag(last_ms) OVER before AS last_before_ms,
           lag(reason) OVER before AS reason_before,
           coalesce(sum(looks) OVER (before ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
               AS looks_before
    FROM edges WINDOW before AS (PARTITION BY number ORDER BY first_ms, outcome, reason)
), begun AS MATERIALIZED (
    SELECT o.*, s.interval_ms, s.last_ms AS series_last_ms, s.looks AS series_looks
    FROM ordered o JOIN series s USING (number)
    WHERE outcome IS DISTINCT FROM outcome_before
       OR (outcome = $unknown AND reason <> reason_before)
       OR first_ms - last_before_ms > $gap_intervals * s.interval_ms
), folded AS (
    SELECT number, outcome, reason, first_ms,
           coalesce(lead(last_before_ms) OVER following, series_last_ms) AS last_ms,
           coalesce(lead(looks_before) OVER following, series_looks) - looks_before AS looks,
           interval_ms
    FROM begun WINDOW following AS (PARTITION BY number ORDER BY first_ms, looks_before)
)
SELECT site, vantage, kind, target, outcome, reason, f.first_ms, f.last_ms,
       f.looks::BIGINT AS looks, round(f.interval_ms)::BIGINT AS interval_ms
FROM folded f JOIN series s USING (number) ORDER BY number, f.first_ms, f.last_ms
"""


@dataclass(frozen=True, slots=True)
class Island:
    """Consecutive looks of one series with one outcome; where that is UNKNOWN, with one reason.

    ``first_ms`` and ``last_ms`` are the times of its first and last look; ``interval_ms`` is the
    interval that the series keeps.
    """

    first_ms: int
    last_ms: int
    outcome: Outcome
    reason: str
    looks: int
    interval_ms: int

    @property
    def failed(self) -> bool:
        """Nothing answered. Above a broken rung that is not said of the rung that was looked at
        (its outcome is UNKNOWN), but of what lies beyond it all the same."""
        return self.outcome is Outcome.DOWN or self.reason.startswith(Reason.BELOW)


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
    engine.run(_NUMBERS)
    engine.run(_NUMBERED)
    engine.run(_SERIES, {"lone_ms": settings.lone_look_seconds * 1000})
    steadiness = {"hour_ms": _HOUR_MS, "gap_intervals": settings.gap_intervals}
    engine.run(_STEADY, steadiness)
    engine.run(_DAYS, steadiness)
    engine.run(_EDGES, bounds)
    found = engine.columns(
        _ISLANDS,
        {"gap_intervals": settings.gap_intervals, "unknown": Outcome.UNKNOWN.value},
    )
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
