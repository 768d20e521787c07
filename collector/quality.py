"""The quality of a line in a week: median RTT and the 95th percentile of hourly loss.

Law: percentiles come from the looks themselves and are never averaged. The village's own looks at
the national target count where there are any; the centre's looks at the site stand in otherwise.
"""

from collections.abc import Mapping

import numpy as np

from collector.engine import Engine
from model.definition import Quality
from model.measurement import Rung, Vantage
from model.timeline import Interval

# An hour in which every look failed belongs to an outage and is judged by availability, not twice.
_QUALITY = """
WITH asked AS (
    SELECT site, vantage, sent, received FROM hours JOIN windows USING (site)
    WHERE kind = 'ping' AND received > 0
      AND ((vantage = $village AND target = $national) OR (vantage = $centre AND target = $at_site))
      AND hour * 3600000 >= window_start_ms AND hour * 3600000 < window_end_ms
), chosen AS (
    SELECT site, max(vantage) AS vantage FROM asked GROUP BY site
), loss AS (
    SELECT site, quantile_cont(1 - received / sent, 0.95) AS loss_p95
    FROM asked SEMI JOIN chosen USING (site, vantage) GROUP BY site
), rtt AS (
    SELECT site, median(rtt_median_seconds) AS rtt_median_seconds
    FROM looks JOIN chosen USING (site, vantage) JOIN windows USING (site)
    WHERE "at" >= make_timestamptz($start_ms * 1000) AND "at" < make_timestamptz($end_ms * 1000)
      AND epoch_ms("at") >= window_start_ms AND epoch_ms("at") < window_end_ms
      AND kind = 'ping' AND outcome = 1 AND target IN ($national, $at_site)
    GROUP BY site
)
SELECT site, loss_p95, rtt_median_seconds FROM loss LEFT JOIN rtt USING (site) ORDER BY site
"""
"""``max(vantage)``: 'village' comes after 'centre', so the village's own looks are preferred."""


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
    return {
        site: Quality(rtt_median_seconds=rtt_median_seconds, loss_p95=loss_p95)
        for site, loss_p95, rtt_median_seconds in engine.rows(_QUALITY, parameters)
    }
