"""From an archive to the record of a week: the way that every figure of a report goes.

Law: looks -> islands -> verdicts -> outages -> causes -> accounts, in this order and nowhere else.
"""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from collector.accounting import account, window_of
from collector.archive.parquet import ParquetArchive
from collector.blame import blame
from collector.blind import not_looking, own_line_down, targets_down
from collector.engine import Engine
from collector.facts import (
    Boot,
    find_boots,
    find_facts,
    find_gaps,
    find_last_good,
    find_usual_loss,
)
from collector.islands import Series, find_islands
from collector.ledger import Entry, Ledger, fingerprint
from collector.neighbours import Silence
from collector.quality import find_quality
from collector.settings import TruthSettings
from collector.verdict import Blindness, SiteLooks, verdict
from model.definition import Quality
from model.inventory import CENTRE_SITE, Inventory
from model.measurement import Outcome
from model.outage import Outage
from model.site import Access, Site
from model.summary import SiteWeek, WeekRecord
from model.timeline import Interval, Run
from model.week import Week, local_midnight_ms

_MARGIN_BEFORE_MS = 24 * 3600 * 1000
"""How far before its week an analysis looks back, so that a battery that ran down has its grid
failure and most outages their start (for the others see ``_date_back``)."""
_MARGIN_AFTER_MS = 24 * 3600 * 1000
"""How far beyond: an outage of the last minutes needs to be confirmed, and the start of a device on
Monday names the cause of its silence since Sunday."""
_DATE_BACK_MS = 28 * 24 * 3600 * 1000


@dataclass(frozen=True)
class Analysis:
    """The truth about a stretch of time, before it is cut into weeks."""

    interval: Interval
    runs: dict[str, list[Run]]
    outages: dict[str, list[Outage]]
    blindness: Blindness
    quality: dict[str, Quality]
    data_until_ms: int | None


def week_records(
    data: Path,
    inventory: Inventory,
    weeks: Sequence[Week],
    *,
    settings: TruthSettings | None = None,
    now_ms: int | None = None,
) -> list[WeekRecord]:
    """The newest revision of each of ``weeks``, concluded again where anything has changed.

    ``data`` is the collector's folder: it is read from ``archive`` and kept in ``weeks``.
    """
    return [
        week_entry(data, inventory, week, settings=settings, now_ms=now_ms).record for week in weeks
    ]


def week_entry(
    data: Path,
    inventory: Inventory,
    week: Week,
    *,
    settings: TruthSettings | None = None,
    now_ms: int | None = None,
) -> Entry:
    """The newest revision of one week with what it changed."""
    chosen = settings if settings is not None else TruthSettings()
    now = now_ms if now_ms is not None else time.time_ns() // 1_000_000
    archive = ParquetArchive(data / "archive")
    interval = week_interval(inventory, week, now)
    files = archive.files(interval)
    ledger = Ledger(data / "weeks")
    mark = fingerprint(
        files,
        _inventory_digest(inventory),
        repr(chosen),
        str(interval.end_ms),
    )
    entry = ledger.newest(week)
    if entry is not None and entry.fingerprint == mark:
        return entry
    with Engine() as engine:
        engine.open_looks(files)
        windows = {site.id: window_of(site, week, interval.end_ms) for site in inventory.sites}
        analysis = analyse(
            engine,
            inventory,
            interval,
            chosen,
            {site: one for site, one in windows.items() if one is not None},
        )
    _date_back(archive, analysis, inventory)
    return ledger.add(_record(week, inventory, analysis, now, chosen), mark)


def week_interval(inventory: Inventory, week: Week, now_ms: int) -> Interval:
    """What has to be read to conclude a week: its bounds in all zones of the sites, with margins,
    up to now."""
    zones = {inventory.province.timezone} | {site.timezone for site in inventory.sites}
    bounds = [week.interval(zone) for zone in zones]
    start = min(item.start_ms for item in bounds) - _MARGIN_BEFORE_MS
    end = max(item.end_ms for item in bounds) + _MARGIN_AFTER_MS
    return Interval(start, max(start, min(end, now_ms)))


def analyse(
    engine: Engine,
    inventory: Inventory,
    interval: Interval,
    settings: TruthSettings,
    windows: Mapping[str, Interval],
) -> Analysis:
    """Conclude what happened in ``interval`` from the engine's ``looks``, and how good the lines
    were in each site's ``windows``."""
    all_series: list[Series] = []
    boots: dict[str, list[Boot]] = {}
    gaps: dict[str, list[tuple[Interval, str]]] = {}
    usual_loss: dict[str, float] = {}
    quality: dict[str, Quality] = {}
    for _ in engine.in_parts(site.id for site in inventory.sites):
        all_series += find_islands(engine, interval, settings.verdict)
        started = find_boots(engine, interval)
        boots |= started
        gaps |= find_gaps(engine, interval, started)
        usual_loss |= find_usual_loss(engine)
        quality |= find_quality(engine, windows)
    blindness = Blindness(
        own_line_down=own_line_down(all_series, settings.verdict),
        not_looking=not_looking(all_series, interval),
        targets_down=targets_down(all_series, settings.verdict),
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
        last_up = max((r.end_ms for r in runs[site.id] if r.outcome is Outcome.UP), default=0)
        silences += [Silence(site, item, item.end_ms > last_up) for item in silent]
    facts = find_facts(
        engine,
        interval,
        [(silence.site.id, silence.interval) for silence in silences],
        (site.id for site in inventory.sites if site.access is Access.GEO),
        boots,
        usual_loss,
        settings.blame,
    )
    outages: dict[str, list[Outage]] = defaultdict(list)
    for outage in blame(silences, inventory, looks, facts, settings.blame):
        outages[outage.site].append(outage)
    return Analysis(interval, runs, outages, blindness, quality, data_until)


def _date_back(archive: ParquetArchive, analysis: Analysis, inventory: Inventory) -> None:
    """Give outages that were under way when the analysis begins their true start: the interval
    after the last good look before it, as far back as four weeks."""
    start = analysis.interval.start_ms
    under_way = [site for site, outages in analysis.outages.items() if outages[0].start_ms <= start]
    if not under_way:
        return
    earlier = Interval(start - _DATE_BACK_MS, start)
    with Engine() as engine:
        engine.open_looks(archive.files(earlier))
        last_good = find_last_good(engine, earlier, under_way)
    for site, good_ms in last_good.items():
        first, *rest = analysis.outages[site]
        began = max(
            good_ms + inventory.by_id[site].interval_seconds * 1000,
            local_midnight_ms(
                inventory.by_id[site].in_service_from, inventory.by_id[site].timezone
            ),
        )
        analysis.outages[site] = [replace(first, start_ms=min(first.start_ms, began)), *rest]


def _inventory_digest(inventory: Inventory) -> str:
    """A text that differs when the inventory does (sets are sorted: their order is random)."""
    work = [
        (item.interval, item.reason, sorted(item.sites), sorted(item.upstreams))
        for item in inventory.maintenance
    ]
    content = (
        inventory.province,
        sorted(inventory.providers.items()),
        sorted(inventory.upstreams.items()),
        inventory.sites,
        inventory.definition,
        work,
    )
    return repr(content)


def _in_service(site: Site, interval: Interval) -> Interval | None:
    return Interval(
        max(interval.start_ms, local_midnight_ms(site.in_service_from, site.timezone)),
        interval.end_ms,
    ).clip(interval)


def _record(
    week: Week,
    inventory: Inventory,
    analysis: Analysis,
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
                    analysis.quality.get(site.id, Quality()),
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
