"""What changed on the ways to targets: another way, another packet size, large packets that vanish.

Law: an event is the difference of two looks that both saw. It is told by what the archive keeps of
each (``path_id``), not by what a probe remembers: a restart hides no change.
"""

from pathlib import Path
from typing import NamedTuple

from collector.archive.parquet import ParquetArchive
from collector.engine import Engine
from model.timeline import Interval

_BEFORE_MS = 86_400_000
"""What was before the interval's first look is looked for so far back."""

_EVENTS = """
SELECT site, vantage, target, epoch_ms("at") AS at_ms,
       path_id <> path_before AS other_way, hops_before, hops, mtu_before, mtu,
       hole_before, hole
FROM (
    SELECT site, vantage, target, "at", path_id,
           CAST(hop_count AS BIGINT) AS hops, CAST(path_mtu_bytes AS BIGINT) AS mtu,
           mtu_black_hole AS hole,
           lag(path_id) OVER way AS path_before,
           CAST(lag(hop_count) OVER way AS BIGINT) AS hops_before,
           CAST(lag(path_mtu_bytes IGNORE NULLS) OVER way AS BIGINT) AS mtu_before,
           lag(mtu_black_hole IGNORE NULLS) OVER way AS hole_before
    FROM looks
    WHERE kind = 'path' AND path_id IS NOT NULL
      AND "at" >= make_timestamptz($before_ms * 1000) AND "at" < make_timestamptz($end_ms * 1000)
    WINDOW way AS (PARTITION BY site, vantage, target ORDER BY "at")
)
WHERE "at" >= make_timestamptz($start_ms * 1000)
  AND (path_id <> path_before OR mtu <> mtu_before OR hole <> hole_before)
ORDER BY at_ms, site, vantage, target
"""


class PathEvent(NamedTuple):
    """One change, dated to the look that saw it first. ``mtu_bytes`` are None where the target
    answers no echoes, ``hole`` (large packets vanish without a word) likewise."""

    site: str
    vantage: str
    target: str
    at_ms: int
    other_way: bool
    hops_before: int
    hops: int
    mtu_before_bytes: int | None
    mtu_bytes: int | None
    hole_before: bool | None
    hole: bool | None

    @property
    def words(self) -> str:
        """What changed, in one line."""
        said = []
        if self.other_way:
            same = self.hops == self.hops_before
            hops = f"{self.hops} hops" if same else f"{self.hops_before} to {self.hops} hops"
            said.append(f"another way ({hops})")
        sizes = self.mtu_before_bytes, self.mtu_bytes
        if None not in sizes and sizes[0] != sizes[1]:
            said.append(f"packets of {sizes[0]} to {sizes[1]} bytes")
        if self.hole and not self.hole_before:
            said.append("large packets vanish")
        if self.hole_before and self.hole is False:
            said.append("large packets are answered again")
        return ", ".join(said)


def path_events(data: Path, interval: Interval) -> list[PathEvent]:
    """All changes in an interval, in order of time. ``data`` is the collector's folder."""
    wider = Interval(interval.start_ms - _BEFORE_MS, interval.end_ms)
    bounds = {
        "before_ms": wider.start_ms,
        "start_ms": interval.start_ms,
        "end_ms": interval.end_ms,
    }
    with Engine() as engine:
        engine.open_looks(ParquetArchive(data / "archive").files(wider))
        rows = engine.rows(_EVENTS, bounds)
    found = []
    for *what, other_way, hops_before, hops, mtu_before, mtu, hole_before, hole in rows:
        site, vantage, target, at_ms = what
        sizes, holes = (mtu_before, mtu), (_truth(hole_before), _truth(hole))
        found.append(
            PathEvent(
                site, vantage, target, at_ms, bool(other_way), hops_before, hops, *sizes, *holes
            )
        )
    return found


def _truth(value: float | None) -> bool | None:
    return None if value is None else bool(value)
