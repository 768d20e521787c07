"""Service readiness: the hours of a week in which a site's service could have been used.

Law: the site's own timeline comes first (``weeks.py``); on top of it every look at what the service
itself needs must have been good. A lone bad look stops nothing, as it is no outage either.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from collector.accounting import window_of
from collector.archive.parquet import ParquetArchive
from collector.engine import Engine
from collector.islands import Series, find_islands
from collector.settings import TruthSettings
from collector.stops import Claims, Stops, carrying, claims_of
from collector.weeks import week_entry, week_interval
from model.inventory import CENTRE_SITE, Inventory
from model.ladder import rung_of
from model.measurement import Outcome, Rung, Vantage
from model.service import ServiceWeek
from model.site import Site
from model.summary import SiteWeek
from model.timeline import Interval, Run, intersect, subtract, union
from model.week import Week

_SERVICE_RUNGS = frozenset({Rung.LAN, Rung.DNS, Rung.APPLICATION})
_SERVICE_KINDS = frozenset({"captive"})
"""Looks that decide whether a service can be used while the internet of its site works. Path,
throughput and the dish's own word explain; they stop nothing."""
_EXPLAINING_KINDS = frozenset({"path", "throughput", "starlink", "snmp", "device", "trap"})

_BLACK_HOLES = """
SELECT site, epoch_ms("at") FROM looks
WHERE "at" >= make_timestamptz($start_ms * 1000) AND "at" < make_timestamptz($end_ms * 1000)
  AND kind = 'path' AND mtu_black_hole = 1
ORDER BY ALL
"""

_DECIDING = """
CREATE TEMP TABLE deciding AS
SELECT site, vantage, kind, target, "at", outcome, reason, sent, received FROM looks
WHERE kind = 'captive' OR target LIKE 'lan%' OR target LIKE 'dns%' OR target LIKE 'application%'
"""
"""Far fewer than the centre's echoes at every site; ``decides`` has the last word."""

_COUNTED_HOURS = """
SELECT site, epoch_ms("at") // $hour_ms AS hour, max(clients) AS most FROM looks
WHERE "at" >= make_timestamptz($start_ms * 1000) AND "at" < make_timestamptz($end_ms * 1000)
  AND clients IS NOT NULL
GROUP BY ALL ORDER BY ALL
"""
_HOUR_MS = 3_600_000


def service_weeks(
    data: Path,
    inventory: Inventory,
    week: Week,
    *,
    settings: TruthSettings | None = None,
    now_ms: int | None = None,
) -> list[ServiceWeek]:
    """The readiness of every site that was in service in the week, in site id order. ``data`` is
    the collector's folder."""
    chosen = settings if settings is not None else TruthSettings()
    now = now_ms if now_ms is not None else time.time_ns() // 1_000_000
    record = week_entry(data, inventory, week, settings=chosen, now_ms=now).record
    interval = week_interval(inventory, week, now)
    files = ParquetArchive(data / "archive").files(interval)
    needs = _find_needs(files, inventory, interval, chosen)
    with Engine() as engine:
        engine.open_looks(files)
        idle = find_idle_hours(engine, interval)
    site_weeks = {one.site: one for one in record.site_weeks}
    stops = needs.stops({site: one.runs for site, one in site_weeks.items()}, chosen)
    found = []
    for site_id, site_week in site_weeks.items():
        site = inventory.by_id[site_id]
        whole = window_of(site, week, min(now, interval.end_ms))
        if whole is not None:
            window = site.service_hours.intervals(whole, site.timezone, week.monday)
            one = readiness(site, site_week, window, needs.claims.get(site_id, ()))
            unused = tuple(intersect(one.ready, idle[site_id])) if site_id in idle else None
            found.append(replace(one, stops=stops.of(site_id), unused=unused))
    return found


@dataclass(frozen=True)
class Needs:
    """What is known of what services need, by site."""

    claims: Mapping[str, Sequence[Claims]]
    targets: Mapping[str, Sequence[str]]
    black_holes: Mapping[str, Sequence[Interval]]
    every_ms: Mapping[str, int]
    """The shortest interval at which it is looked at."""

    def stops(self, runs: Mapping[str, Sequence[Run]], settings: TruthSettings) -> Stops:
        """The stops of all sites, whose timelines are given."""
        up = {
            site: union(run.interval for run in some if run.outcome is Outcome.UP)
            for site, some in runs.items()
            if site in self.claims
        }
        return Stops(self.claims, self.targets, up, self.black_holes, settings)


def decides(kind: str, target: str) -> bool:
    """Whether a look of this kind at this target decides if a service can be used."""
    if kind in _EXPLAINING_KINDS:
        return False
    return kind in _SERVICE_KINDS or rung_of(target) in _SERVICE_RUNGS


def _find_needs(
    files: Sequence[Path], inventory: Inventory, interval: Interval, settings: TruthSettings
) -> Needs:
    """What the looks of ``interval`` say of what services need: all that the villages' probes saw,
    and of the centre's looks the few that are no echoes at sites."""
    several: list[Series] = []
    with Engine() as engine:
        engine.open_looks(files, Vantage.VILLAGE)
        for _ in engine.in_parts(site.id for site in inventory.sites):
            several += filter(_matters, find_islands(engine, interval, settings.verdict))
        black_holes = find_black_holes(engine, interval, settings)
    with Engine() as engine:
        engine.open_looks(files, Vantage.CENTRE)
        engine.run(_DECIDING)
        engine.run("CREATE OR REPLACE TEMP VIEW looks AS FROM deciding")
        several += find_islands(engine, interval, settings.verdict)
    return needs_of(several, black_holes, settings)


def needs_of(
    several: Iterable[Series],
    black_holes: Mapping[str, Sequence[Interval]],
    settings: TruthSettings,
) -> Needs:
    """The same from series that are known already."""
    by_site: dict[str, list[Series]] = defaultdict(list)
    for series in several:
        if series.site != CENTRE_SITE and _matters(series):
            by_site[series.site].append(series)
    claims: dict[str, list[Claims]] = {}
    targets: dict[str, list[str]] = {}
    every_ms: dict[str, int] = {}
    for site, all_of_site in by_site.items():
        needed = [one for one in all_of_site if decides(one.kind, one.target)]
        if needed:
            targets[site] = [one.target for one in needed]
            every_ms[site] = min(one.islands[0].interval_ms for one in needed)
            claims[site] = [
                claims_of(one, carrying(one, all_of_site), settings.verdict) for one in needed
            ]
    return Needs(claims, targets, black_holes, every_ms)


def find_black_holes(
    engine: Engine, interval: Interval, settings: TruthSettings
) -> dict[str, list[Interval]]:
    """By site, when a look at its path found that large packets vanish; a lone look speaks for so
    long before and after it."""
    hold_ms = settings.verdict.lone_look_seconds * 1000
    bounds = {"start_ms": interval.start_ms, "end_ms": interval.end_ms}
    holes: dict[str, list[Interval]] = defaultdict(list)
    for site, at_ms in engine.rows(_BLACK_HOLES, bounds):
        holes[site].append(Interval(at_ms - hold_ms, at_ms + hold_ms))
    return holes


def find_idle_hours(engine: Engine, interval: Interval) -> dict[str, list[Interval]]:
    """By site, the hours in which clients were counted and none was there; sites whose clients
    nobody counts are left out."""
    bounds = {"start_ms": interval.start_ms, "end_ms": interval.end_ms, "hour_ms": _HOUR_MS}
    counted = engine.columns(_COUNTED_HOURS, bounds)
    idle: dict[str, list[Interval]] = {}
    columns = (counted[name].tolist() for name in ("site", "hour", "most"))
    for site, hour, most in zip(*columns, strict=True):
        hours = idle.setdefault(site, [])
        if not most:
            hours.append(Interval(hour * _HOUR_MS, (hour + 1) * _HOUR_MS))
    return {site: union(hours) for site, hours in idle.items()}


def _matters(series: Series) -> bool:
    """Whether a series decides, or proves that the site's own network works."""
    return decides(series.kind, series.target) or series.vantage == Vantage.VILLAGE


def readiness(
    site: Site,
    site_week: SiteWeek,
    window: Sequence[Interval],
    needed: Iterable[Claims],
) -> ServiceWeek:
    """One site's readiness in its service hours ``window``, from its timeline and what the looks
    say that its service needs."""
    up = union(run.interval for run in site_week.runs if run.outcome is Outcome.UP)
    stopped: dict[str, list[Interval]] = defaultdict(list)
    for outage in site_week.outages:
        stopped[outage.cause.value].append(Interval(outage.start_ms, outage.end_ms))
    ready = intersect(window, up)
    for one in needed:
        for claim in one.bad:
            what = f"{claim.target.partition(':')[0]}: {claim.reason}"
            # A service look that fails during an outage of the line is that outage.
            stopped[what] += intersect([claim.interval], up)
        ready = intersect(ready, one.good)
    left = subtract(window, ready)
    named: dict[str, tuple[Interval, ...]] = {}
    for what, found in sorted(stopped.items(), key=lambda item: item[0]):
        if part := intersect(left, union(found)):
            named[what] = tuple(part)
            left = subtract(left, part)  # each moment has one reason, so that they add up
    return ServiceWeek(site.id, site_week.week, tuple(window), tuple(ready), named)
