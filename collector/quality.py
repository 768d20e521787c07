"""The quality of a line in a week: median RTT and the 95th percentile of hourly loss.

Law: percentiles come from the looks themselves and are never averaged. The village's own looks at
the national target count where there are any; the centre's looks at the site stand in otherwise.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from collector.engine import Engine
from model.definition import Quality
from model.measurement import Rung, Vantage
from model.timeline import Interval

# An hour in which every look failed belongs to an outage and is judged by availability, not twice.
_QUALITY = """
WITH chosen AS (
    SELECT site, vantage, kind, target, hour, sent, received
    FROM hours JOIN windows USING (site) WHERE kind = 'ping' AND sent > 0 AND received > 0
      AND ((vantage = $village AND target = $national) OR (vantage = $centre AND target = $at_site))
      AND hour * 3600000 >= window_start_ms AND hour * 3600000 < window_end_ms
), loss AS (
    SELECT site, vantage, quantile_cont(1 - received / sent, 0.95) AS loss_p95
    FROM chosen GROUP BY site, vantage
), rtt AS (
    SELECT site, vantage, median(rtt_median_seconds) AS rtt_median_seconds
    FROM looks JOIN windows USING (site)
    WHERE "at" >= make_timestamptz($start_ms * 1000) AND "at" < make_timestamptz($end_ms * 1000)
      AND epoch_ms("at") >= window_start_ms AND epoch_ms("at") < window_end_ms
      AND kind = 'ping' AND outcome = 1
      AND ((vantage = $village AND target = $national) OR (vantage = $centre AND target = $at_site))
    GROUP BY site, vantage
)
SELECT site, vantage, loss_p95, rtt_median_seconds
FROM loss LEFT JOIN rtt USING (site, vantage) ORDER BY site, vantage
"""


def find_quality(engine: Engine, windows: Mapping[str, Interval]) -> dict[str, Quality]:
    """Quality by site, each in its own window (weeks begin at another moment in another zone).
    Needs the table ``hours`` of ``find_islands`` over the same time."""
    if not windows:
        return {}
    columns = {
        "site": np.array(list(windows), dtype=object),
        "window_start_ms": np.array([one.start_ms for one in windows.values()], dtype=np.int64),
        "window_end_ms": np.array([one.end_ms for one in windows.values()], dtype=np.int64),
    }
    engine.table("windows", columns)
    parameters = {
        "start_ms": min(one.start_ms for one in windows.values()),
        "end_ms": max(one.end_ms for one in windows.values()),
        "village": Vantage.VILLAGE.value,
        "centre": Vantage.CENTRE.value,
        "national": Rung.NATIONAL.value,
        "at_site": Rung.SITE.value,
    }
    return dict(_preferred(engine.rows(_QUALITY, parameters)))


def _preferred(
    rows: Iterable[tuple[str, str, float | None, float | None]],
) -> Iterable[tuple[str, Quality]]:
    """Rows in the order of site and vantage: the village's comes last and wins in a dict."""
    for site, _, loss_p95, rtt_median_seconds in rows:
        yield site, Quality(rtt_median_seconds=rtt_median_seconds, loss_p95=loss_p95)
