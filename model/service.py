"""Whether a public service could be used: the hours of a week, and what stopped it.

Law: a service is ready when all that it stands on was seen to work. Not seen is not ready and not
stopped either: it is unknown, and stands beside the share.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from model.definition import Definition
from model.outage import Outage
from model.site import Site
from model.timeline import Interval, intersect, subtract, total_ms, union
from model.week import Week

MALL = "mpp"
"""The kind of site whose lines in one village are one place, a Mal Pelayanan Publik: it is to be in
every kabupaten and kota, and counted by them."""


@dataclass(frozen=True)
class ServiceWeek:
    """One site's service in one week. Intervals are disjoint, in order and within ``window``, the
    service hours; ``stopped`` is by what stopped it: a cause, or a rung and a reason."""

    site: str
    week: Week
    window: tuple[Interval, ...]
    ready: tuple[Interval, ...]
    stopped: Mapping[str, tuple[Interval, ...]] = field(default_factory=dict)
    stops: tuple[Outage, ...] = ()
    """When the service could not be used although its line worked, in and out of service hours, and
    why. They are no outages of the site."""
    unused: tuple[Interval, ...] | None = None
    """When it was ready and nobody was connected; None where nobody counts."""

    @property
    def window_ms(self) -> int:
        return total_ms(self.window)

    @property
    def ready_ms(self) -> int:
        return total_ms(self.ready)

    @property
    def stopped_ms(self) -> int:
        """Time in which it could not be used, each moment once."""
        return total_ms(union(one for some in self.stopped.values() for one in some))

    @property
    def unknown_ms(self) -> int:
        return self.window_ms - self.ready_ms - self.stopped_ms

    @property
    def unused_ms(self) -> int | None:
        """On but unused; None where nobody counts."""
        return None if self.unused is None else total_ms(self.unused)

    @property
    def ready_share(self) -> float | None:
        """ready / (ready + stopped), 0 to 1; None when neither was seen."""
        seen = self.ready_ms + self.stopped_ms
        return self.ready_ms / seen if seen else None


def together(site: str, lines: Iterable[ServiceWeek]) -> ServiceWeek:
    """One place with several lines: ready while one of them is, stopped while all are, unused while
    nobody is connected through any. Stops stay with their lines. Raises ValueError without a line.
    """
    first, *others = lines
    window = union(one for line in (first, *others) for one in line.window)
    ready = union(one for line in (first, *others) for one in line.ready)
    silent = union(one for some in first.stopped.values() for one in some)
    for line in others:
        silent = intersect(silent, union(one for some in line.stopped.values() for one in some))
    stopped = {
        what: tuple(found)
        for what, some in first.stopped.items()
        if (found := subtract(intersect(some, silent), ready))
    }
    used = [
        None if line.unused is None else subtract(line.ready, line.unused)
        for line in (first, *others)
    ]
    seen = [one for some in used if some is not None for one in some]
    unused = None if None in used else tuple(subtract(ready, union(seen)))
    return ServiceWeek(site, first.week, tuple(window), tuple(ready), stopped, unused=unused)


def joined(weeks: Iterable[ServiceWeek], within: Interval) -> ServiceWeek:
    """One site's consecutive weeks as one stretch cut to ``within``; it bears the last of them.
    Raises ValueError without a week."""
    *earlier, last = weeks
    every = (*earlier, last)

    def cut(parts: Iterable[Interval]) -> tuple[Interval, ...]:
        return tuple(intersect(union(parts), [within]))

    stopped = {
        what: found
        for what in sorted({what for week in every for what in week.stopped})
        if (found := cut(one for week in every for one in week.stopped.get(what, ())))
    }
    return ServiceWeek(
        last.site,
        last.week,
        cut(one for week in every for one in week.window),
        cut(one for week in every for one in week.ready),
        stopped,
    )


def places(found: Iterable[ServiceWeek], sites: Mapping[str, Site]) -> list[ServiceWeek]:
    """The places of ``found``: the lines of a mall are one, any other site stands alone."""
    lines: dict[str, list[ServiceWeek]] = {}
    for one in found:
        site = sites[one.site]
        lines.setdefault(site.village if site.kind == MALL else one.site, []).append(one)
    return [together(some[0].site, some) for some in lines.values()]


def is_ready(place: ServiceWeek, site: Site, definition: Definition) -> bool:
    """Whether the place's share of ready hours reaches the availability that the definition asks
    of its line. One that nobody saw is not called ready."""
    wanted = definition.thresholds[site.access].availability_min
    return place.ready_share is not None and place.ready_share >= wanted
