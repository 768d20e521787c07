"""The places of a report: the worst sites of a period, and which services are ready.

Law: a place is ready when one of its lines reached the availability that its access technology
must reach in its service hours; a place that nobody could see is not called ready.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maps.report.outages import continuations
from model.definition import State
from model.inventory import Inventory
from model.outage import Cause
from model.region import RegionCode, Register, Village
from model.site import Site, SiteKind
from model.summary import SiteWeek, Summary, WeekRecord
from model.week import Week

WORST_SITES = 10
CHRONIC_OUTAGES = 3
"""Chronic: at least so many outages in the weeks given to ``worst_sites`` (four in a report)."""
_READY = frozenset({State.STABLE, State.FAIR})
SERVICE_KINDS = (
    "mpp",
    "disdukcapil",
    "kantor_camat",
    "pos_layanan_desa_digital",
    "public_wifi",
    "cctv",
)
"""The services of the target, in the order of the report; other kinds follow in theirs."""


@dataclass(frozen=True, slots=True)
class WorstSite:
    """A site that was down in its service hours; ``outages`` counts the last four weeks."""

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
class Readiness:
    """The places of one kind: lines of one kind in one village are one place. ``ready`` of
    ``places`` are ready, ``seen`` of them were observed well enough to tell. ``kabupaten`` have
    such a place and ``kabupaten_ready`` a ready one; ``service`` is of all lines, service hours."""

    kind: SiteKind
    places: int
    seen: int
    ready: int
    kabupaten: frozenset[RegionCode]
    kabupaten_ready: frozenset[RegionCode]
    service: Summary


def readiness(
    inventory: Inventory, items: Sequence[SiteWeek], sites: Mapping[str, Site], week: Week
) -> tuple[Readiness, ...]:
    """One for each kind that has a site in service by the end of ``week``."""
    by_site = {item.site: item for item in items}
    lines: dict[str, dict[RegionCode, list[SiteWeek | None]]] = {}
    for site in sites.values():
        if site.in_service_from <= week.sunday:
            places = lines.setdefault(site.kind, {})
            places.setdefault(site.village, []).append(by_site.get(site.id))
    order = [*SERVICE_KINDS, *(kind for kind in inventory.kinds if kind not in SERVICE_KINDS)]
    return tuple(
        _ready(inventory.kinds[kind], lines[kind])
        for kind in order
        if kind in lines and kind in inventory.kinds
    )


def _ready(kind: SiteKind, places: Mapping[RegionCode, Sequence[SiteWeek | None]]) -> Readiness:
    seen, ready = [], []
    service = Summary()
    for village, lines in places.items():
        states = {item.state for item in lines if item is not None}
        service = sum((item.service for item in lines if item is not None), service)
        if states - {State.NOT_OBSERVED}:
            seen.append(village)
        if states & _READY:
            ready.append(village)
    return Readiness(
        kind,
        len(places),
        len(seen),
        len(ready),
        frozenset(village[:5] for village in places),
        frozenset(village[:5] for village in ready),
        service,
    )


def worst_sites(
    register: Register,
    sites: Mapping[str, Site],
    items: Sequence[SiteWeek],
    records: Sequence[WeekRecord],
) -> tuple[tuple[WorstSite, ...], bool]:
    """The sites with the most service-hours downtime times people, and whether people counted:
    only where they are known of every village that a site stands in, for half a list of them would
    rank by luck. ``records`` are the weeks in which outages are counted as repeats."""
    people = {site.village: register.by_code[site.village].population for site in sites.values()}
    weighted = bool(people) and all(number is not None for number in people.values())
    # An outage across a week's end comes once a week: count its first part.
    begun = {
        (item.site, outage.start_ms)
        for record in records
        for item in record.site_weeks
        for outage in item.outages
        if outage.cause is not Cause.MAINTENANCE
    } - continuations(records)
    repeats = Counter(site for site, _ in begun)
    found = [
        WorstSite(
            sites[item.site],
            register.by_code[sites[item.site].village],
            item.service,
            item.state,
            _main_cause(item),
            repeats[item.site],
        )
        for item in items
        if item.service.down_ms
    ]
    found.sort(
        key=lambda worst: (
            -worst.service.down_ms * ((worst.village.population or 0) if weighted else 1),
            worst.site.id,
        )
    )
    return tuple(found[:WORST_SITES]), weighted


def _main_cause(item: SiteWeek) -> Cause | None:
    length: Counter[Cause] = Counter()
    for outage in item.outages:
        length[outage.cause] += outage.interval.length_ms
    return max(length, key=lambda cause: length[cause]) if length else None
