"""The report as values: every figure that any form of it (HTML, PDF, XLSX, CSV) shows is computed
here or in the modules that this one calls, once.

Law: figures come from the coverage and the weeks' records alone; nothing is averaged twice. Sites
outside the register stand under data quality and nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from maps.coverage import Coverage, RegionCoverage, VillageCoverage
from maps.forecast import Forecast, forecast
from maps.report.evidence import Evidence, evidence
from maps.report.month import Month, site_months
from maps.report.obstacles import Standing, obstacles
from maps.report.outages import CauseTotal, Outages, by_cause, outages_of, starts_of
from maps.report.places import WorstSite, worst_sites
from maps.report.services import Services, services
from model.clock import ClockTrouble
from model.definition import State
from model.inventory import Inventory, Provider
from model.region import Register, Village
from model.service import ServiceWeek
from model.site import Site
from model.summary import SiteWeek, Summary, WeekRecord
from model.timeline import Interval
from model.week import Week, local_midnight_ms

FLAPPING_CHANGES = 2
WINDOW_WEEKS = 4
"""Flapping: at least so many comings and goings of "stable" in the last WINDOW_WEEKS weeks."""


@dataclass(frozen=True, slots=True)
class Moves:
    """Villages whose state crossed the line of "stable" since the week before, in code order."""

    newly_stable: tuple[VillageCoverage, ...]
    newly_lost: tuple[VillageCoverage, ...]
    flapping: tuple[VillageCoverage, ...]


@dataclass(frozen=True, slots=True)
class ProviderScore:
    """A provider's lines in the period, against its contract. ``sites_below`` fell short of the
    contract's availability, each judged alone; None where the contract names none."""

    provider: Provider
    outages: Outages
    sites_below: int | None

    @property
    def met(self) -> bool | None:
        """Whether all its lines together reached the contract; None where that cannot be said."""
        reached, agreed = self.outages.sla.availability, self.provider.sla_availability
        return None if reached is None or agreed is None else reached >= agreed


@dataclass(frozen=True, slots=True)
class DataQuality:
    """What is not as it should be in the data themselves."""

    silent: tuple[Site, ...]
    without_coordinates: tuple[Site, ...]
    outside_register: tuple[str, ...]
    villages_without_critical_site: tuple[Village, ...]
    clocks: tuple[ClockTrouble, ...]
    """The probes that doubted their clock, the worst first."""


@dataclass(frozen=True, slots=True)
class Moved:
    """So many seconds of a site's week that were ``before`` and are now ``after`` (``up``,
    ``unknown``, ``absent`` or a cause)."""

    site: str
    before: str
    after: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Revised:
    """Which revision of a week the report rests on, and what it changed against the one before."""

    week: Week
    revision: int
    moved: tuple[Moved, ...] = ()


@dataclass(frozen=True)
class WeeklyReport:
    """All sections. ``coverage`` carries target, states and funnel; ``regions`` are the kabupaten
    and kota of a province, or the kecamatan of a kabupaten; ``items`` are the sites' periods."""

    coverage: Coverage
    register: Register
    inventory: Inventory
    month: Month | None
    first_day: date
    last_day: date
    region: str
    timezone: str
    regions: tuple[tuple[str, RegionCoverage], ...]
    worst: tuple[WorstSite, ...]
    weighted_by_people: bool
    moves: Moves | None
    outages: Outages
    by_cause: tuple[CauseTotal, ...]
    providers: tuple[ProviderScore, ...]
    obstacles: tuple[Standing, ...]
    services: Services
    evidence: Evidence
    exempt_causes: frozenset[str]
    items: tuple[SiteWeek, ...]
    service: Summary
    quality: DataQuality
    forecast: Forecast
    revised: tuple[Revised, ...]
    records: tuple[WeekRecord, ...]


def weekly_report(
    register: Register,
    inventory: Inventory,
    records: Sequence[WeekRecord],
    result: Coverage,
    *,
    month: Month | None = None,
    exempt_causes: frozenset[str] = frozenset(),
    revised: tuple[Revised, ...] = (),
    service_weeks: Sequence[ServiceWeek] = (),
    clocks: Sequence[ClockTrouble] = (),
) -> WeeklyReport:
    """The report on the last week of ``result``, or on ``month``.

    ``records``: consecutive weeks, oldest first; those of ``result``, and for a month also the one
    that runs beyond its end. ``exempt_causes`` are left out of SLA figures (the collector's
    accounting says which). ``service_weeks``: the readiness of the sites' services in the weeks of
    the period, in order of time; ``clocks``: the probes that doubted theirs in the last week.
    """
    sites = {site.id: site for site in inventory.sites if site.village in register.by_code}
    last = result.week
    if month is None:
        now = next(record for record in records if record.week == last)
        items = tuple(item for item in now.site_weeks if item.site in sites)
        periods = {item.site: _week_period(sites[item.site], item) for item in items}
        ends = {item.site: last.interval(sites[item.site].timezone).end_ms for item in items}
    else:
        periods = _month_periods(month, sites, records)
        items = tuple(site_months(inventory, records, periods, exempt_causes))
        ends = {site: period.end_ms for site, period in periods.items()}
    known = [record for record in records if record.week <= last]
    worst, weighted = worst_sites(register, sites, items, known[-WINDOW_WEEKS:])
    starts = starts_of(records)
    zone = inventory.province.timezone
    met = [tally.meets_target for tally in result.total.weeks]
    window = result.definition.target_window_weeks
    return WeeklyReport(
        coverage=result,
        register=register,
        inventory=inventory,
        month=month,
        first_day=month.first if month else last.monday,
        last_day=month.last if month else last.sunday,
        region=inventory.province.name,
        timezone=zone,
        regions=tuple(
            (register.name(code), region)
            for code, region in result.regions.items()
            if code != result.province and code.count(".") == result.province.count(".") + 1
        ),
        worst=worst,
        weighted_by_people=weighted,
        moves=_moves(result),
        outages=outages_of(items, ends, starts),
        by_cause=by_cause(items),
        providers=_providers(inventory, items, sites, ends, starts),
        obstacles=obstacles(result),
        services=services(register, inventory, sites, service_weeks, periods),
        evidence=evidence(inventory, items, periods, exempt_causes),
        exempt_causes=exempt_causes,
        items=items,
        service=sum((item.service for item in items), Summary()),
        quality=_quality(register, sites, items, result, clocks),
        forecast=forecast(met[window - 1 :], len(register.villages), window),
        revised=revised or tuple(Revised(item.week, item.revision) for item in known),
        records=tuple(known),
    )


def _week_period(site: Site, item: SiteWeek) -> Interval:
    start = max(
        item.week.interval(site.timezone).start_ms,
        local_midnight_ms(site.in_service_from, site.timezone),
    )
    return Interval(start, start + item.raw.window_ms)


def _month_periods(
    month: Month, sites: Mapping[str, Site], records: Sequence[WeekRecord]
) -> dict[str, Interval]:
    """Each site's days of the month: from its in-service date, as far as its weeks are known."""
    found: dict[str, Interval] = {}
    for record in records:
        for item in record.site_weeks:
            site = sites.get(item.site)
            if site is None:
                continue
            piece = _week_period(site, item).clip(month.interval(site.timezone))
            if piece is not None:
                begun = found.get(site.id, piece).start_ms
                found[site.id] = Interval(begun, piece.end_ms)
    return found


def _providers(
    inventory: Inventory,
    items: Sequence[SiteWeek],
    sites: Mapping[str, Site],
    ends: Mapping[str, int],
    starts: Mapping[tuple[str, int], int],
) -> tuple[ProviderScore, ...]:
    found = []
    for provider in inventory.providers.values():
        theirs = [item for item in items if sites[item.site].provider == provider.id]
        if not theirs:
            continue
        agreed = provider.sla_availability
        below = None
        if agreed is not None:
            reached = [item.sla.availability for item in theirs]
            below = sum(share is not None and share < agreed for share in reached)
        found.append(ProviderScore(provider, outages_of(theirs, ends, starts), below))
    return tuple(found)


def _moves(result: Coverage) -> Moves | None:
    if len(result.weeks) < 2:
        return None
    stable = [
        (item, [week.state is State.STABLE for week in item.weeks]) for item in result.villages
    ]
    return Moves(
        newly_stable=tuple(item for item, weeks in stable if weeks[-1] and not weeks[-2]),
        newly_lost=tuple(item for item, weeks in stable if weeks[-2] and not weeks[-1]),
        flapping=tuple(item for item, weeks in stable if _changes(weeks) >= FLAPPING_CHANGES),
    )


def _changes(weeks: Sequence[bool]) -> int:
    recent = weeks[-WINDOW_WEEKS:]
    return sum(before != after for before, after in pairwise(recent))


def _quality(
    register: Register,
    sites: Mapping[str, Site],
    items: Sequence[SiteWeek],
    result: Coverage,
    clocks: Sequence[ClockTrouble],
) -> DataQuality:
    heard = {item.site for item in items if item.raw.observed_share}
    return DataQuality(
        silent=tuple(
            site
            for site in sites.values()
            if site.in_service_from <= result.week.sunday and site.id not in heard
        ),
        without_coordinates=tuple(s for s in sites.values() if s.lat is None or s.lon is None),
        outside_register=result.sites_outside_register,
        villages_without_critical_site=tuple(
            register.by_code[code] for code in result.villages_without_critical_site
        ),
        clocks=tuple(
            sorted(
                (one for one in clocks if one.site in sites),
                key=lambda one: (-one.error_max_seconds, one.site),
            )
        ),
    )
