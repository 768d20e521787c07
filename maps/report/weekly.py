"""The weekly report as values: every figure that any form of it (HTML now, PDF and XLSX later)
shows is computed here, once.

Law: figures come from the coverage and the weeks' records alone; nothing is averaged twice, and a
percentile is taken of the outages themselves. An outage that crosses a week's end counts its time
in each week, and once, by its end, where repairs are counted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, median

from maps.coverage import Coverage, RegionCoverage, VillageCoverage
from model.definition import State
from model.inventory import Inventory, Provider
from model.outage import Cause
from model.region import Register, Village
from model.site import Site
from model.summary import SiteWeek, Summary, WeekRecord

WORST_SITES = 10
CHRONIC_OUTAGES = 3
FLAPPING_CHANGES = 2
WINDOW_WEEKS = 4
"""Chronic: at least so many outages, flapping: at least so many comings and goings of "stable",
in the last WINDOW_WEEKS weeks."""


@dataclass(frozen=True, slots=True)
class WorstSite:
    """A site that was down in its service hours; ``outages`` counts the last WINDOW_WEEKS weeks."""

    site: Site
    village: Village
    service: Summary
    state: State
    cause: Cause | None
    outages: int

    @property
    def chronic(self) -> bool:
        return self.outages >= CHRONIC_OUTAGES


@dataclass(frozen=True, slots=True)
class Moves:
    """Villages whose state crossed the line of "stable" since the week before, in code order."""

    newly_stable: tuple[VillageCoverage, ...]
    newly_lost: tuple[VillageCoverage, ...]
    flapping: tuple[VillageCoverage, ...]


@dataclass(frozen=True, slots=True)
class Outages:
    """The outages of a set of sites in the week. Durations in seconds; None where there are none.

    ``count`` touch the week, ``ended`` ended in it, ``open`` last beyond it; ``down_seconds`` is
    their time within it. MTTR figures are of the ended ones, each with its whole length as far as
    the given weeks reach; MTBF is the time up / count.
    """

    sites: int
    count: int
    ended: int
    open: int
    down_seconds: float
    mttr_mean_seconds: float | None
    mttr_median_seconds: float | None
    mttr_p90_seconds: float | None
    mtbf_seconds: float | None
    service: Summary


@dataclass(frozen=True, slots=True)
class DataQuality:
    """What is not as it should be in the data themselves."""

    silent: tuple[Site, ...]
    without_coordinates: tuple[Site, ...]
    outside_register: tuple[str, ...]
    villages_without_critical_site: tuple[Village, ...]


@dataclass(frozen=True)
class WeeklyReport:
    """All sections that exist so far; ``coverage`` carries target, states and funnel."""

    coverage: Coverage
    region: str
    timezone: str
    kabupaten: tuple[tuple[str, RegionCoverage], ...]
    worst: tuple[WorstSite, ...]
    weighted_by_people: bool
    moves: Moves | None
    outages: Outages
    by_cause: tuple[tuple[Cause, int, float], ...]
    by_provider: tuple[tuple[Provider, Outages], ...]
    service: Summary
    quality: DataQuality


def weekly_report(
    register: Register, inventory: Inventory, records: Sequence[WeekRecord], result: Coverage
) -> WeeklyReport:
    """The report on the last week of ``records`` (consecutive, oldest first), of which ``result``
    is the coverage. Sites outside the register appear under data quality and nowhere else."""
    record = records[-1]
    sites = {site.id: site for site in inventory.sites if site.village in register.by_code}
    week_of = {item.site: item for item in record.site_weeks if item.site in sites}
    ends = {
        (o.site, o.end_ms): o.start_ms for r in records for w in r.site_weeks for o in w.outages
    }
    minutes: Counter[Cause] = Counter()
    counts: Counter[Cause] = Counter()
    for item in week_of.values():
        for outage in item.outages:
            minutes[outage.cause] += outage.interval.length_ms
            counts[outage.cause] += 1
    worst, weighted = _worst(register, sites, records)
    return WeeklyReport(
        coverage=result,
        region=inventory.province.name,
        timezone=inventory.province.timezone,
        kabupaten=tuple((register.name(code), result.regions[code]) for code in register.kabupaten),
        worst=worst,
        weighted_by_people=weighted,
        moves=_moves(result),
        outages=_outages(week_of.values(), sites, ends),
        by_cause=tuple(
            (cause, counts[cause], ms / 1000)
            for cause, ms in sorted(minutes.items(), key=lambda pair: -pair[1])
        ),
        by_provider=tuple(
            (provider, _outages(theirs, sites, ends))
            for provider in inventory.providers.values()
            if (theirs := [w for w in week_of.values() if sites[w.site].provider == provider.id])
        ),
        service=sum((item.service for item in week_of.values()), Summary()),
        quality=_quality(register, sites, week_of, result),
    )


def _outages(
    weeks: Iterable[SiteWeek],
    sites: Mapping[str, Site],
    ends: Mapping[tuple[str, int], int],
) -> Outages:
    """``ends`` gives the start of every outage of the given weeks by site and end: an outage that
    begins where one of the week before ends is the same one, cut at the week's bound."""
    weeks = list(weeks)
    lengths: list[float] = []
    count = still_open = down_ms = up_ms = 0
    service = Summary()
    for item in weeks:
        week_end = item.week.interval(sites[item.site].timezone).end_ms
        service += item.service
        up_ms += item.raw.up_ms
        for outage in item.outages:
            count += 1
            down_ms += outage.interval.length_ms
            if outage.open or outage.end_ms >= week_end:
                still_open += 1
                continue
            start = outage.start_ms
            while (earlier := ends.get((item.site, start), start)) < start:
                start = earlier
            lengths.append((outage.end_ms - start) / 1000)
    return Outages(
        sites=len(weeks),
        count=count,
        ended=len(lengths),
        open=still_open,
        down_seconds=down_ms / 1000,
        mttr_mean_seconds=mean(lengths) if lengths else None,
        mttr_median_seconds=median(lengths) if lengths else None,
        mttr_p90_seconds=_p90(lengths) if lengths else None,
        mtbf_seconds=up_ms / 1000 / count if count else None,
        service=service,
    )


def _p90(lengths: Iterable[float]) -> float:
    """The shortest length that at least nine in ten do not exceed (nearest rank)."""
    ordered = sorted(lengths)
    return ordered[-(-len(ordered) * 9 // 10) - 1]


def _worst(
    register: Register, sites: Mapping[str, Site], records: Sequence[WeekRecord]
) -> tuple[tuple[WorstSite, ...], bool]:
    """The sites with the most service-hours downtime times people. People count only where they
    are known of every village that a site stands in: half a list of them would rank by luck."""
    people = {site.village: register.by_code[site.village].population for site in sites.values()}
    weighted = bool(people) and all(number is not None for number in people.values())
    repeats = Counter(
        outage_id
        for outage_id, _ in {
            # A cut outage comes once a week, with another id each time: count its first part.
            (item.site, outage.start_ms)
            for record in records[-WINDOW_WEEKS:]
            for item in record.site_weeks
            for outage in item.outages
        }
        - _continuations(records[-WINDOW_WEEKS:])
    )
    found = []
    for item in records[-1].site_weeks:
        if item.site not in sites or not item.service.down_ms:
            continue
        site = sites[item.site]
        length: Counter[Cause] = Counter()
        for outage in item.outages:
            length[outage.cause] += outage.interval.length_ms
        found.append(
            WorstSite(
                site,
                register.by_code[site.village],
                item.service,
                item.state,
                max(length, key=lambda cause: length[cause]) if length else None,
                repeats[item.site],
            )
        )
    found.sort(
        key=lambda worst: (
            -worst.service.down_ms * ((worst.village.population or 0) if weighted else 1),
            worst.site.id,
        )
    )
    return tuple(found[:WORST_SITES]), weighted


def _continuations(records: Sequence[WeekRecord]) -> set[tuple[str, int]]:
    """Site and start of the outages that begin where another of the same site ends."""
    outages = [(item.site, o) for r in records for item in r.site_weeks for o in item.outages]
    ends = {(site, outage.end_ms) for site, outage in outages}
    return {(site, o.start_ms) for site, o in outages if (site, o.start_ms) in ends}


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
    week_of: Mapping[str, SiteWeek],
    result: Coverage,
) -> DataQuality:
    in_service = [s for s in sites.values() if s.in_service_from <= result.week.sunday]
    return DataQuality(
        silent=tuple(
            site
            for site in in_service
            if site.id not in week_of or not week_of[site.id].raw.observed_share
        ),
        without_coordinates=tuple(s for s in sites.values() if s.lat is None or s.lon is None),
        outside_register=result.sites_outside_register,
        villages_without_critical_site=tuple(
            register.by_code[code] for code in result.villages_without_critical_site
        ),
    )
