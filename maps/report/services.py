"""Which public services could be used in a period, and what stopped them.

Law: readiness is of service hours and of all that a service stands on, as the collector concluded
it; a place that nobody could see is called neither ready nor stopped.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from model.inventory import Inventory
from model.measurement import Reason
from model.outage import Cause
from model.region import Register, Village, kabupaten_of
from model.service import MALL, ServiceWeek, is_ready, joined, places
from model.site import Site, SiteKind
from model.timeline import Interval

PUBLIC_KINDS = (
    MALL,
    "disdukcapil",
    "kantor_camat",
    "pos_layanan_desa_digital",
    "public_wifi",
    "cctv",
)
"""The services of the target, in the order of the report; other kinds follow in theirs."""
STOPPED_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Readiness:
    """The places of one kind. ``ready`` of ``wanted`` are ready, ``seen`` of them were observed.
    Malls are counted by kabupaten and kota, each of which is to have one (``existing`` have);
    of other kinds all that exist are wanted. Milliseconds are of service hours, all places
    added up; ``stopped`` is what stopped them, the longest first."""

    kind: SiteKind
    wanted: int
    existing: int
    seen: int
    ready: int
    window_ms: int
    ready_ms: int
    stopped_ms: int
    stopped: tuple[tuple[Cause, int], ...]

    @property
    def ready_share(self) -> float | None:
        """Of the hours that were seen, those in which the service could be used."""
        seen = self.ready_ms + self.stopped_ms
        return self.ready_ms / seen if seen else None

    @property
    def observed_share(self) -> float | None:
        """Of the service hours, those that were seen."""
        return (self.ready_ms + self.stopped_ms) / self.window_ms if self.window_ms else None


@dataclass(frozen=True, slots=True)
class StoppedPlace:
    """A place of a public service that was stopped in its service hours."""

    site: Site
    village: Village
    place: ServiceWeek
    ready: bool
    stopped: tuple[tuple[Cause, int], ...]

    @property
    def observed_share(self) -> float:
        """Of its service hours, those that were seen."""
        return 1 - self.place.unknown_ms / self.place.window_ms


@dataclass(frozen=True)
class Services:
    """All kinds, and the places of public services that were stopped longest."""

    kinds: tuple[Readiness, ...]
    stopped: tuple[StoppedPlace, ...]


def services(
    register: Register,
    inventory: Inventory,
    sites: Mapping[str, Site],
    weeks: Iterable[ServiceWeek],
    periods: Mapping[str, Interval],
) -> Services:
    """The services of ``sites`` in their ``periods``; ``weeks`` are in order of time."""
    by_site: dict[str, list[ServiceWeek]] = {}
    for one in weeks:
        if one.site in sites and one.site in periods:
            by_site.setdefault(one.site, []).append(one)
    found = places((joined(some, periods[site]) for site, some in by_site.items()), sites)
    by_kind: dict[str, list[ServiceWeek]] = {}
    for place in found:
        by_kind.setdefault(sites[place.site].kind, []).append(place)
    order = [*PUBLIC_KINDS, *(kind for kind in inventory.kinds if kind not in PUBLIC_KINDS)]
    stopped = sorted(
        (one for one in found if one.stopped_ms and sites[one.site].kind in PUBLIC_KINDS),
        key=lambda one: (-one.stopped_ms, one.site),
    )
    return Services(
        tuple(
            _readiness(inventory, kind, by_kind[kind], sites, len(register.kabupaten))
            for kind in order
            if kind in by_kind and kind in inventory.kinds
        ),
        tuple(
            StoppedPlace(
                sites[one.site],
                register.by_code[sites[one.site].village],
                one,
                is_ready(one, sites[one.site], inventory.definition),
                _by_cause([one]),
            )
            for one in stopped[:STOPPED_SHOWN]
        ),
    )


def _readiness(
    inventory: Inventory,
    kind: str,
    some: list[ServiceWeek],
    sites: Mapping[str, Site],
    kabupaten: int,
) -> Readiness:
    seen = [one for one in some if one.ready_share is not None]
    ready = [one for one in some if is_ready(one, sites[one.site], inventory.definition)]

    def count(listed: list[ServiceWeek]) -> int:
        if kind != MALL:
            return len(listed)
        return len({kabupaten_of(sites[one.site].village) for one in listed})

    return Readiness(
        kind=inventory.kinds[kind],
        wanted=kabupaten if kind == MALL else len(some),
        existing=count(some),
        seen=count(seen),
        ready=count(ready),
        window_ms=sum(one.window_ms for one in some),
        ready_ms=sum(one.ready_ms for one in some),
        stopped_ms=sum(one.stopped_ms for one in some),
        stopped=_by_cause(some),
    )


def _by_cause(some: Iterable[ServiceWeek]) -> tuple[tuple[Cause, int], ...]:
    """Milliseconds by cause, the longest first. A service's own failure is named by its rung."""
    lost: Counter[Cause] = Counter()
    for one in some:
        for what, intervals in one.stopped.items():
            lost[_cause(what)] += sum(item.length_ms for item in intervals)
    return tuple(sorted(lost.items(), key=lambda pair: (-pair[1], pair[0])))


def _cause(what: str) -> Cause:
    """What stopped a service, ``power`` or ``application: wrong status 502``, as a cause."""
    rung, _, reason = what.partition(": ")
    if rung in set(Cause):
        return Cause(rung)
    at_the_portal = reason in {Reason.CAPTIVE_PORTAL, Reason.QUOTA}
    return Cause.CAPTIVE_PORTAL if at_the_portal else Cause.SERVICE
