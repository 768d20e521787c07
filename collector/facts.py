"""Facts about outages that only the measurements know: boots, supply voltage, loss around them.

Law: one query per kind of fact for all outages together; what comes back is small.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from collector.engine import Engine
from collector.settings import BlameSettings
from model.measurement import Reason
from model.timeline import Interval

# A site has one device that its line hangs on: the probe's own, else the first by name (a UPS
# outlives what the router beside it does not). A call for help proves life as well as a look.
_BOOTS = """
SELECT site, boot_id, epoch_ms(min("at")) AS first_ms, epoch_ms(max("at")) AS last_ms,
       arg_min(uptime_seconds, "at") AS uptime, max(coalesce(boot_reason, 0)) AS reason
FROM looks
WHERE "at" >= make_timestamptz($start_ms * 1000) AND "at" < make_timestamptz($end_ms * 1000)
  AND kind IN ('device', 'sos') AND outcome = 1
  AND boot_id IS NOT NULL AND uptime_seconds IS NOT NULL
GROUP BY site, target, boot_id
QUALIFY target = min(target) OVER (PARTITION BY site)
ORDER BY site, first_ms
"""

_COLD_STARTS = """
SELECT site, epoch_ms("at") AS at_ms FROM looks
WHERE "at" >= make_timestamptz($start_ms * 1000) AND "at" < make_timestamptz($end_ms * 1000)
  AND kind = 'trap' AND target = 'device:coldStart' AND site IN (SELECT site FROM outages)
ORDER BY site, at_ms
"""

_GAPS = """
SELECT site, epoch_ms("at") AS start_ms,
       epoch_ms("at") + round(gap_seconds * 1000)::BIGINT AS end_ms
FROM looks
WHERE "at" >= make_timestamptz($start_ms * 1000) AND "at" < make_timestamptz($end_ms * 1000)
  AND kind = 'gap' AND gap_seconds IS NOT NULL
ORDER BY ALL
"""

_VOLTS = """
WITH readings AS (
    SELECT site, epoch_ms("at") AS at_ms, supply_volts AS volts, on_battery FROM looks
    WHERE "at" >= make_timestamptz($start_ms * 1000) AND "at" < make_timestamptz($end_ms * 1000)
      AND (supply_volts IS NOT NULL OR on_battery IS NOT NULL)
      AND site IN (SELECT site FROM outages)
), usual AS (SELECT site, median(volts) AS volts FROM readings GROUP BY site)
SELECT o.number, min(r.volts) AS before_volts, any_value(u.volts) AS usual_volts,
       max(r.on_battery) AS on_battery
FROM outages o
JOIN readings r ON r.site = o.site AND r.at_ms BETWEEN o.start_ms - $window_ms AND o.end_ms
LEFT JOIN usual u ON u.site = o.site
GROUP BY o.number
"""

_LOSS_AROUND = """
WITH looked AS (
    SELECT site, epoch_ms("at") AS at_ms, sent, received FROM looks
    WHERE "at" >= make_timestamptz($start_ms * 1000) AND "at" < make_timestamptz($end_ms * 1000)
      AND kind = 'ping' AND target IN ('site', 'national') AND received > 0
      AND site IN (SELECT site FROM outages WHERE fades)
)
SELECT o.number,
       sum(sent) FILTER (at_ms < o.start_ms) AS sent_before,
       sum(received) FILTER (at_ms < o.start_ms) AS received_before,
       sum(sent) FILTER (at_ms >= o.end_ms) AS sent_after,
       sum(received) FILTER (at_ms >= o.end_ms) AS received_after
FROM outages o
JOIN looked l ON l.site = o.site
     AND l.at_ms BETWEEN o.start_ms - $window_ms AND o.end_ms + $window_ms
     AND (l.at_ms < o.start_ms OR l.at_ms >= o.end_ms)
WHERE o.fades
GROUP BY o.number
"""


# A notification says when (IF-MIB linkDown, linkUp); a poll says how long ago (ifLastChange).
_PORTS = """
WITH changes AS (
    SELECT DISTINCT site,
           ((epoch_ms("at") - coalesce(interface_change_seconds * 1000, 0)) // 1000)::BIGINT * 1000
               AS changed_ms
    FROM looks
    WHERE "at" >= make_timestamptz($start_ms * 1000) AND "at" < make_timestamptz($end_ms * 1000)
      AND (interface_change_seconds IS NOT NULL
           OR (kind = 'trap' AND target IN ('device:linkDown', 'device:linkUp')))
      AND site IN (SELECT site FROM outages)
)
SELECT DISTINCT o.number FROM outages o
JOIN changes c ON c.site = o.site
     AND c.changed_ms BETWEEN o.start_ms - $slack_ms AND o.end_ms + $slack_ms
"""


_USUAL_LOSS = """
SELECT site, 1 - sum(received) / sum(sent) FROM hours
WHERE kind = 'ping' AND target IN ('site', 'national') AND lowest = 1 GROUP BY site
HAVING sum(sent) > 0
"""


_LAST_GOOD = """
SELECT l.site, max(epoch_ms(l."at")) FROM looks l SEMI JOIN sites_asked s ON l.site = s.site
WHERE "at" >= make_timestamptz($start_ms * 1000) AND "at" < make_timestamptz($end_ms * 1000)
  AND outcome = 1 AND kind = 'ping' AND target IN ('site', 'national', 'international')
GROUP BY l.site
"""


@dataclass(frozen=True, slots=True)
class Boot:
    """One life of a device: when it started (from its uptime), when it was first and last heard,
    and what it says of the start (``boot_reason`` of METRICS; 0 where it says nothing)."""

    started_ms: int
    first_ms: int
    last_ms: int
    reason: int


@dataclass(frozen=True, slots=True)
class Volts:
    """Lowest supply voltage shortly before (or during) an outage, and the site's usual one."""

    before: float
    usual: float


@dataclass(frozen=True, slots=True)
class Loss:
    """Echoes lost shortly before or after an outage (whichever was worse), of those sent in looks
    that were answered at all, and the share that the line usually loses."""

    lost: int
    sent: int
    usual: float

    @property
    def share(self) -> float:
        return self.lost / self.sent if self.sent else 0.0


@dataclass(frozen=True)
class Facts:
    """What the measurements say; volts and loss are by the outage's number in the given order,
    ``on_battery`` holds the numbers of those that a UPS announced, ``port_changes`` of those in
    which a port of the device went down or up."""

    boots: Mapping[str, Sequence[Boot]]
    volts: Mapping[int, Volts]
    loss: Mapping[int, Loss]
    on_battery: frozenset[int] = frozenset()
    port_changes: frozenset[int] = frozenset()


def find_boots(engine: Engine, interval: Interval) -> dict[str, list[Boot]]:
    """All boots by site, in order of time."""
    boots: dict[str, list[Boot]] = defaultdict(list)
    for site, _, first, last, uptime, reason in engine.rows(_BOOTS, _bounds(interval)):
        boots[site].append(Boot(first - round(uptime * 1000), first, last, int(reason)))
    return boots


def find_gaps(
    engine: Engine, interval: Interval, boots: Mapping[str, Sequence[Boot]]
) -> dict[str, list[tuple[Interval, str]]]:
    """Stretches with a known reason for having no data, by site: what a spool had to drop, and the
    time between a device's last word and its next start."""
    gaps: dict[str, list[tuple[Interval, str]]] = defaultdict(list)
    for site, start, end in engine.rows(_GAPS, _bounds(interval)):
        gaps[site].append((Interval(start, end), Reason.SPOOL_OVERFLOW))
    for site, lives in boots.items():
        for life, following in pairwise(lives):
            if following.first_ms > life.last_ms:
                off = Interval(life.last_ms, following.first_ms)
                gaps[site].append((off, Reason.PROBE_WITHOUT_POWER))
    return gaps


def find_usual_loss(engine: Engine) -> dict[str, float]:
    """The share of echoes that each site's line usually loses, from the hours that had no failed
    look. Needs the table ``hours`` of ``find_islands``."""
    return dict(engine.rows(_USUAL_LOSS))


def find_facts(
    engine: Engine,
    interval: Interval,
    outages: Sequence[tuple[str, Interval]],
    fading_sites: Iterable[str],
    boots: Mapping[str, Sequence[Boot]],
    usual_loss: Mapping[str, float],
    settings: BlameSettings,
) -> Facts:
    """Collect the facts around ``outages`` (site and stretch each). ``fading_sites`` are those
    whose line rain can weaken."""
    fading = frozenset(fading_sites)
    columns: dict[str, Any] = {
        "number": np.arange(len(outages)),
        "site": np.array([site for site, _ in outages], dtype=object),
        "start_ms": np.array([item.start_ms for _, item in outages], dtype=np.int64),
        "end_ms": np.array([item.end_ms for _, item in outages], dtype=np.int64),
        "fades": np.array([site in fading for site, _ in outages]),
    }
    volts: dict[int, Volts] = {}
    on_battery: set[int] = set()
    ports: set[int] = set()
    started = {site: list(lives) for site, lives in boots.items()}
    loss: dict[int, Loss] = {}
    volts_window = {"window_ms": settings.volts_window_seconds * 1000}
    fade_window = {"window_ms": settings.fade_window_seconds * 1000}
    port_slack = {"slack_ms": settings.port_slack_seconds * 1000}
    if outages:
        engine.table("outages", columns)
        for _ in engine.in_parts({site for site, _ in outages}):
            for number, before, usual, battery in engine.rows(
                _VOLTS, {**_bounds(interval), **volts_window}
            ):
                if before is not None and usual is not None:
                    volts[number] = Volts(before, usual)
                if battery:
                    on_battery.add(number)
            for number, *looks in engine.rows(_LOSS_AROUND, {**_bounds(interval), **fade_window}):
                loss[number] = _worse(looks, usual_loss.get(outages[number][0], 0.0))
            for site, at_ms in engine.rows(_COLD_STARTS, _bounds(interval)):
                _note_start(started.setdefault(site, []), at_ms, settings)
            ports.update(n for (n,) in engine.rows(_PORTS, {**_bounds(interval), **port_slack}))
    return Facts(started, volts, loss, frozenset(on_battery), frozenset(ports))


def _note_start(lives: list[Boot], at_ms: int, settings: BlameSettings) -> None:
    """Add a start that a device told of (SNMPv2-MIB coldStart), unless its uptime tells of it too.
    It does not say why."""
    slack_ms = settings.boot_slack_seconds * 1000
    if all(abs(life.started_ms - at_ms) > slack_ms for life in lives):
        lives.append(Boot(at_ms, at_ms, at_ms, 0))
        lives.sort(key=lambda life: life.first_ms)


def _worse(looks: Sequence[float | None], usual: float) -> Loss:
    """The loss before an outage or after it, whichever was worse. ``looks`` are the echoes sent and
    received before and the same after; where none was sent both are None."""
    sides = [
        Loss(int(sent - received), int(sent), usual)
        for sent, received in (looks[:2], looks[2:])
        if sent and received is not None
    ]
    return max(sides, key=lambda loss: loss.share)


def find_last_good(engine: Engine, interval: Interval, sites: Sequence[str]) -> dict[str, int]:
    """The time of the last look in ``interval`` that proved the internet of each site."""
    engine.table("sites_asked", {"site": np.array(sites, dtype=object)})
    return dict(engine.rows(_LAST_GOOD, _bounds(interval)))


def _bounds(interval: Interval) -> dict[str, int]:
    return {"start_ms": interval.start_ms, "end_ms": interval.end_ms}
