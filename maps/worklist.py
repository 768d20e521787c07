"""The work list: which sites of a region need somebody, in which order, and what to take along.

Law: a site is on the list for what was seen in the week (cut off, unstable, or silent), nothing is
guessed; the order is nearest first from a start, along straight lines, which the list says.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from maps.map_pack import last_good, minutes_down
from model.definition import State
from model.errors import InputError
from model.inventory import Inventory
from model.outage import Cause, Evidence, Outage
from model.region import RegionCode, Register, Village
from model.site import Access, Site
from model.summary import SiteWeek, WeekRecord
from model.week import Week

LISTED = (State.CUT_OFF, State.UNSTABLE, State.NOT_OBSERVED)
"""The states that put a site on the list. Fair lines work; what ails them is the provider's."""

ELSEWHERE = frozenset(
    {Cause.UPSTREAM, Cause.SATELLITE_FADE, Cause.MAINTENANCE, Cause.COLLECTOR, Cause.CAPTIVE_PORTAL}
)
"""Causes that nobody mends in the village: call first."""

_EARTH_KM = 6371.0088  # the mean radius (IUGG)
Place = tuple[float, float]
"""Latitude and longitude in degrees, WGS 84: the order of ``geo:`` links (RFC 5870)."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One site to see to.

    ``cause`` is what most of the week's time down is put down to (None: no outage, it was silent);
    ``sure`` is the confidence of its longest outage, ``evidence`` what speaks for it there.
    ``leg_km`` is the straight distance from the stop before (None without coordinates);
    ``place`` is the site's, or else its village's (``exact`` says which).
    """

    site: Site
    village: Village
    week: SiteWeek
    cause: Cause | None
    down_minutes: float
    sure: float | None
    open_since_ms: int | None
    evidence: tuple[Evidence, ...]
    good: tuple[Week, SiteWeek] | None
    place: Place | None
    exact: bool
    leg_km: float | None

    @property
    def call_first(self) -> bool:
        """Whether the cause lies where no visit mends it."""
        return self.cause in ELSEWHERE

    @property
    def bring(self) -> tuple[str, ...]:
        """The keys of what to take along: by the cause, and for the line by its technology."""
        if self.cause is None or self.cause in {Cause.UNKNOWN, Cause.DEVICE}:
            return ("bring_device", "bring_power")
        if self.cause is Cause.LINK:
            return (f"bring_link_{self.site.access.value}",)
        if self.call_first:
            return ()
        return ("bring_power",) if self.cause is Cause.POWER else ("bring_lan",)


BRINGS = (
    "bring_device",
    "bring_power",
    "bring_lan",
    *(f"bring_link_{one.value}" for one in Access),
)
"""Every key that ``Stop.bring`` can give."""


@dataclass(frozen=True, slots=True)
class WorkList:
    """The stops of a region in order, those without coordinates last. ``start`` is where the way
    begins; ``watched`` counts the region's sites in the week, ``revision`` its truth."""

    region: RegionCode
    name: str
    week: Week
    revision: int
    data_until_ms: int | None
    start: Place | None
    watched: int
    stops: tuple[Stop, ...]


def work_list(
    register: Register,
    inventory: Inventory,
    records: Sequence[WeekRecord],
    region: RegionCode,
    start: Place | None = None,
) -> WorkList:
    """The work list of the last week in ``records`` (oldest first, at least one) for a region.

    Without ``start`` the way begins in the middle of the region's villages. Raises InputError when
    the register has no village there.
    """
    villages = register.within(region)
    if not villages:
        raise InputError(
            f"no village of register {register.version} lies in {region!r}; "
            "write a code such as 61.06"
        )
    by_code = {village.code: village for village in villages}
    weeks = [{item.site: item for item in record.site_weeks} for record in records]
    start = start or _middle(villages)
    sites = [s for s in inventory.sites if s.village in by_code and s.id in weeks[-1]]
    found = [
        _stop(site, by_code[site.village], weeks, records)
        for site in sites
        if weeks[-1][site.id].state in LISTED
    ]
    last = records[-1]
    return WorkList(
        region,
        register.name(region),
        last.week,
        last.revision,
        last.data_until_ms,
        start,
        len(sites),
        _nearest_first(found, start),
    )


def _stop(
    site: Site,
    village: Village,
    weeks: Sequence[Mapping[str, SiteWeek]],
    records: Sequence[WeekRecord],
) -> Stop:
    item = weeks[-1][site.id]
    minutes = minutes_down(item)
    cause = next(iter(minutes), None)
    of_cause = [outage for outage in item.outages if outage.cause is cause]
    longest = max(of_cause, key=lambda outage: outage.interval.length_ms, default=None)
    ongoing = next((outage for outage in item.outages if outage.open), None)
    good = last_good(site.id, weeks)
    exact = site.lat is not None and site.lon is not None
    lat, lon = (site.lat, site.lon) if exact else (village.lat, village.lon)
    return Stop(
        site=site,
        village=village,
        week=item,
        cause=cause,
        down_minutes=sum(minutes.values()),
        sure=longest.confidence if longest else None,
        open_since_ms=ongoing.start_ms if ongoing else None,
        evidence=_speaking(longest),
        good=(records[good[0]].week, good[1]) if good else None,
        place=(lat, lon) if lat is not None and lon is not None else None,
        exact=exact,
        leg_km=None,
    )


def _speaking(outage: Outage | None) -> tuple[Evidence, ...]:
    """What speaks for an outage's cause, the strongest first, each rule once; what is usual only
    where nothing else speaks."""
    if outage is None:
        return ()
    found: dict[str, Evidence] = {}
    for one in sorted(outage.evidence, key=lambda each: -each.weight):
        if one.cause is outage.cause:
            found.setdefault(one.rule, one)
    if len(found) > 1:
        found.pop("prior", None)
    return tuple(found.values())


def _nearest_first(stops: Sequence[Stop], start: Place | None) -> tuple[Stop, ...]:
    waiting = sorted((s for s in stops if s.place is not None), key=lambda s: s.site.id)
    here = start
    found: list[Stop] = []
    while waiting:
        distance, at = min(
            (distance_km(here, stop.place) if here and stop.place else 0.0, at)
            for at, stop in enumerate(waiting)
        )
        stop = waiting.pop(at)
        found.append(replace(stop, leg_km=distance if here else None))
        here = stop.place
    return (*found, *(stop for stop in stops if stop.place is None))


def _middle(villages: Sequence[Village]) -> Place | None:
    placed = [(v.lat, v.lon) for v in villages if v.lat is not None and v.lon is not None]
    if not placed:
        return None
    return sum(lat for lat, _ in placed) / len(placed), sum(lon for _, lon in placed) / len(placed)


def distance_km(one: Place, other: Place) -> float:
    """The great-circle distance (haversine) in kilometres."""
    lat1, lon1, lat2, lon2 = map(math.radians, (*one, *other))
    half = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * _EARTH_KM * math.asin(math.sqrt(half))
