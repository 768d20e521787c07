"""Service readiness: the hours of a week in which a site's service could have been used.

Law: the site's own timeline comes first (``weeks.py``); on top of it every look at what the service
itself needs must have been good. A lone bad look stops nothing, as it is no outage either.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from collector.accounting import window_of
from collector.archive.parquet import ParquetArchive
from collector.engine import Engine
from collector.islands import Island, Series, find_islands
from collector.settings import TruthSettings, VerdictSettings
from collector.weeks import week_entry, week_interval
from model.inventory import CENTRE_SITE, Inventory
from model.ladder import rung_of
from model.measurement import Outcome, Rung
from model.service import ServiceWeek
from model.site import Site
from model.summary import SiteWeek
from model.timeline import Interval, intersect, subtract, union
from model.week import Week

_SERVICE_RUNGS = frozenset({Rung.DNS, Rung.APPLICATION})
_SERVICE_KINDS = frozenset({"captive"})
"""Looks that decide whether a service can be used while the internet of its site works. Path,
throughput and the dish's own word explain; they stop nothing."""
_EXPLAINING_KINDS = frozenset({"path", "throughput", "starlink", "snmp", "device"})


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
    with Engine() as engine:
        engine.open_looks(ParquetArchive(data / "archive").files(interval))
        needed: dict[str, list[Series]] = defaultdict(list)
        for series in find_islands(engine, interval, chosen.verdict):
            if series.site != CENTRE_SITE and decides(series.kind, series.target):
                needed[series.site].append(series)
    found = []
    for site_week in record.site_weeks:
        site = inventory.by_id[site_week.site]
        whole = window_of(site, week, min(now, interval.end_ms))
        if whole is not None:
            window = site.service_hours.intervals(whole, site.timezone, week.monday)
            found.append(readiness(site, site_week, window, needed[site.id], chosen.verdict))
    return found


def decides(kind: str, target: str) -> bool:
    """Whether a look of this kind at this target decides if a service can be used."""
    if kind in _EXPLAINING_KINDS:
        return False
    return kind in _SERVICE_KINDS or rung_of(target) in _SERVICE_RUNGS


def readiness(
    site: Site,
    site_week: SiteWeek,
    window: Sequence[Interval],
    needed: Iterable[Series],
    settings: VerdictSettings,
) -> ServiceWeek:
    """One site's readiness in its service hours ``window``, from its timeline and the looks that
    its service needs."""
    up = union(run.interval for run in site_week.runs if run.outcome is Outcome.UP)
    stopped: dict[str, list[Interval]] = defaultdict(list)
    for outage in site_week.outages:
        stopped[outage.cause.value].append(Interval(outage.start_ms, outage.end_ms))
    ready = intersect(window, up)
    for series in needed:
        good, bad = _claims(series.islands, settings)
        for reason, some in bad.items():
            what = f"{series.target.partition(':')[0]}: {reason}"
            # A service look that fails during an outage of the line is that outage.
            stopped[what] += intersect(union(some), up)
        ready = intersect(ready, good)
    left = subtract(window, ready)
    named: dict[str, tuple[Interval, ...]] = {}
    for what, found in sorted(stopped.items(), key=lambda item: item[0]):
        if part := intersect(left, union(found)):
            named[what] = tuple(part)
            left = subtract(left, part)  # each moment has one reason, so that they add up
    return ServiceWeek(site.id, site_week.week, tuple(window), tuple(ready), named)


def _claims(
    islands: Sequence[Island], settings: VerdictSettings
) -> tuple[list[Interval], dict[str, list[Interval]]]:
    """When one series was good, and when it was bad by reason. A good look speaks until the next
    one is due; what is too short to be an outage between good looks was good."""
    good: list[Interval] = []
    bad: dict[str, list[Interval]] = defaultdict(list)
    for island in islands:
        stretch = Interval(island.first_ms, island.last_ms + island.interval_ms)
        if island.outcome is Outcome.UP:
            good.append(stretch)
        elif island.outcome is Outcome.DOWN:
            if island.looks >= settings.confirm_looks:
                bad[island.reason].append(stretch)
            else:
                good.append(stretch)
    return union(good), bad
