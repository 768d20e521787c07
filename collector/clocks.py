"""Probes whose clock could not be trusted in a week.

Law: only what the probe itself said of a look's date counts (``clock_error_seconds``); a look that
arrived late is no sign of a wrong clock.
"""

import time
from pathlib import Path

from collector.archive.parquet import ParquetArchive
from collector.engine import Engine
from model.clock import ClockTrouble
from model.inventory import Inventory
from model.measurement import Vantage
from model.timeline import Interval
from model.week import Week

_DOUBTFUL = """
SELECT site, count(*), count(clock_error_seconds), max(clock_error_seconds) FROM looks
WHERE vantage = $village
  AND "at" >= make_timestamptz($start_ms * 1000) AND "at" < make_timestamptz($end_ms * 1000)
GROUP BY site HAVING count(clock_error_seconds) > 0 ORDER BY site
"""


def clock_troubles(
    data: Path, inventory: Inventory, week: Week, *, now_ms: int | None = None
) -> list[ClockTrouble]:
    """The sites of ``inventory`` whose probe doubted a date in ``week`` (of the province's zone),
    in site id order. ``data`` is the collector's folder."""
    now = now_ms if now_ms is not None else time.time_ns() // 1_000_000
    bounds = week.interval(inventory.province.timezone)
    interval = Interval(bounds.start_ms, max(bounds.start_ms, min(bounds.end_ms, now)))
    with Engine() as engine:
        engine.open_looks(ParquetArchive(data / "archive").files(interval))
        rows = engine.rows(
            _DOUBTFUL,
            {
                "village": Vantage.VILLAGE.value,
                "start_ms": interval.start_ms,
                "end_ms": interval.end_ms,
            },
        )
    return [ClockTrouble(*row) for row in rows if row[0] in inventory.by_id]
