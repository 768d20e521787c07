"""Whether a public service could be used: the hours of a week, and what stopped it.

Law: a service is ready when all that it stands on was seen to work. Not seen is not ready and not
stopped either: it is unknown, and stands beside the share.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from model.timeline import Interval, intersect, subtract, total_ms, union
from model.week import Week


@dataclass(frozen=True)
class ServiceWeek:
    """One site's service in one week. Intervals are disjoint, in order and within ``window``, the
    service hours; ``stopped`` is by what stopped it: a cause, or a rung and a reason."""

    site: str
    week: Week
    window: tuple[Interval, ...]
    ready: tuple[Interval, ...]
    stopped: Mapping[str, tuple[Interval, ...]] = field(default_factory=dict)

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
    def ready_share(self) -> float | None:
        """ready / (ready + stopped), 0 to 1; None when neither was seen."""
        seen = self.ready_ms + self.stopped_ms
        return self.ready_ms / seen if seen else None


def together(site: str, lines: Iterable[ServiceWeek]) -> ServiceWeek:
    """One place with several lines: ready while one of them is, stopped while all are. Raises
    ValueError without a line."""
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
    return ServiceWeek(site, first.week, tuple(window), tuple(ready), stopped)
