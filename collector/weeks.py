"""From an archive to the record of a week: the way that every figure of a report goes.

Law: looks -> islands -> verdicts -> outages -> causes -> accounts, in this order and nowhere else.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from collector.accounting import account, window_of
from collector.archive.parquet import ParquetArchive
from collector.blame import Silence, blame
from collector.blind import not_looking, own_line_down
from collector.engine import Engine
from collector.facts import find_boots, find_facts, find_gaps
from collector.islands import find_islands
from collector.quality import find_quality
from collector.settings import TruthSettings
from collector.verdict import Blindness, SiteLooks, verdict
from model.definition import Quality
from model.inventory import CENTRE_SITE, Inventory
from model.outage import Outage
from model.site import Access, Site
from model.summary import SiteWeek, WeekRecord
from model.timeline import Interval, Run
from model.week import Week, local_midnight_ms

_MARGIN_MS = 24 * 3600 * 1000
"""How far before its first week an analysis looks back, so that an outage that began earlier has
its true start, and a battery that ran down its grid failure."""


@dataclass(frozen=True)
class Analysis:
    """The truth about a stretch of time, before it is cut into weeks."""

    interval: Interval
    runs: dict[str, list[Run]]
    outages: dict[str, list[Outage]]
    blindness: Blindness
    data_until_ms: int | None


def week_records(
    data: Path,
    inventory: Inventory,
    weeks: Sequence[Week],
    *,
    settings: TruthSettings | None = None,
    now_ms: int | None = None,
) -> list[WeekRecord]:
    """The records of ``weeks`` (in order, without a gap between them), from what ``data`` holds."""
    chosen = settings if settings is not None else TruthSettings()
    now = now_ms if now_ms is not None else time.time_ns() // 1_000_000
    zones = {site.timezone for site in inventory.sites} or {inventory.province.timezone}
    until = {week: min(now, max(week.interval(zone).end_ms for zone in zones)) for week in weeks}
    start = min(weeks[0].interval(zone).start_ms for zone in zones) - _MARGIN_MS
    interval = Interval(start, max(until.values()))
    with Engine() as engine:
        engine.open_looks(ParquetArchive(data / "archive").files(interval))
        analysis = analyse(engine, inventory, interval, chosen)
        quality = {
            week: find_quality(engine, week.interval(inventory.province.timezone)) for week in weeks
        }
    return [_record(week, inventory, analysis, quality[week], now, chosen) for week in weeks]


def analyse(
    engine: Engine, inventory: Inventory, interval: Interval, settings: TruthSettings
) -> Analysis:
    """Conclude what happened in ``interval`` from the engine's ``looks``."""
    all_series = find_islands(engine, interval, settings.verdict)
    boots = find_boots(engine, interval)
    gaps = find_gaps(engine, interval, boots)
    blindness = Blindness(
        own_line_down=own_line_down(all_series, settings.verdict),
        not_looking=not_looking(all_series, interval),
    )
    looks: dict[str, SiteLooks] = defaultdict(SiteLooks)
    data_until = None
    for series in all_series:
        last = series.islands[-1].last_ms
        data_until = last if data_until is None else max(data_until, last)
        if series.site != CENTRE_SITE:
            looks[series.site].add(series)
    runs: dict[str, list[Run]] = {}
    silences: list[Silence] = []
    for site in inventory.sites:
        window = _in_service(site, interval)
        if window is None:
            continue
        looks[site.id].known_gaps.extend(gaps.get(site.id, ()))
        runs[site.id], silent = verdict(looks[site.id], window, blindness, settings.verdict)
        silences += [Silence(site, item, item.end_ms >= window.end_ms) for item in silent]
    facts = find_facts(
        engine,
        interval,
        [(silence.site.id, silence.interval) for silence in silences],
        (site.id for site in inventory.sites if site.access is Access.GEO),
        boots,
        settings.blame,
    )
    outages: dict[str, list[Outage]] = defaultdict(list)
    for outage in blame(silences, inventory, looks, facts, settings.blame):
        outages[outage.site].append(outage)
    return Analysis(interval, runs, outages, blindness, data_until)


def _in_service(site: Site, interval: Interval) -> Interval | None:
    return Interval(
        max(interval.start_ms, local_midnight_ms(site.in_service_from, site.timezone)),
        interval.end_ms,
    ).clip(interval)


def _record(
    week: Week,
    inventory: Inventory,
    analysis: Analysis,
    quality: dict[str, Quality],
    now_ms: int,
    settings: TruthSettings,
) -> WeekRecord:
    site_weeks: list[SiteWeek] = []
    for site in inventory.sites:
        window = window_of(site, week, min(now_ms, analysis.interval.end_ms))
        if window is not None:
            site_weeks.append(
                account(
                    site,
                    week,
                    window,
                    analysis.runs.get(site.id, []),
                    analysis.outages.get(site.id, []),
                    quality.get(site.id, Quality()),
                    inventory,
                    inventory.definition,
                    settings.accounting,
                )
            )
    return WeekRecord(
        week=week,
        revision=0,
        generated_at_ms=now_ms,
        data_until_ms=analysis.data_until_ms,
        definition_hash=inventory.definition.hash,
        site_weeks=tuple(site_weeks),
    )
