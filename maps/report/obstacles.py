"""What stands between the villages and the target: one reason for each that does not meet it.

Law: every village short of the target stands in exactly one row, so that the rows add up to the
villages to go. A village that is stable now only waits for the weeks that the target counts.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from maps.coverage import Coverage, VillageCoverage
from model.definition import State
from model.outage import Cause
from model.summary import SiteWeek


class Obstacle(StrEnum):
    """Each asks for another decision."""

    NOT_CONNECTED = "not_connected"
    POWER = "power"
    PROVIDER = "provider"
    """The line or what lies above it."""
    EQUIPMENT = "equipment"
    """In the village: the device or the local network."""
    QUALITY = "quality"
    """Up, but too slow or too lossy."""
    OTHER = "other"
    NOT_OBSERVED = "not_observed"
    WAITING = "waiting"
    """Stable this week, and not yet for long enough."""


_BY_CAUSE = {
    Cause.POWER: Obstacle.POWER,
    Cause.LINK: Obstacle.PROVIDER,
    Cause.UPSTREAM: Obstacle.PROVIDER,
    Cause.SATELLITE_FADE: Obstacle.PROVIDER,
    Cause.DEVICE: Obstacle.EQUIPMENT,
    Cause.LAN: Obstacle.EQUIPMENT,
}
_BY_STATE = {
    State.STABLE: Obstacle.WAITING,
    State.FAIR: Obstacle.QUALITY,
    State.NOT_OBSERVED: Obstacle.NOT_OBSERVED,
    State.NOT_CONNECTED: Obstacle.NOT_CONNECTED,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """So many villages are kept from the target by ``obstacle``."""

    obstacle: Obstacle
    villages: int


def obstacles(result: Coverage) -> tuple[Standing, ...]:
    """Most villages first, those that only wait last; none where all meet the target."""
    counts = Counter(_of(item) for item in result.villages if not item.meets_target[-1])
    ordered = sorted(
        counts.items(), key=lambda pair: (pair[0] is Obstacle.WAITING, -pair[1], pair[0])
    )
    return tuple(Standing(obstacle, villages) for obstacle, villages in ordered)


def main_cause(item: SiteWeek) -> Cause | None:
    """The cause of most of a site's time down; None without an outage."""
    length: Counter[Cause] = Counter()
    for outage in item.outages:
        length[outage.cause] += outage.interval.length_ms
    return max(length, key=lambda cause: length[cause]) if length else None


def _of(item: VillageCoverage) -> Obstacle:
    if item.state in _BY_STATE:
        return _BY_STATE[item.state]
    best = item.weeks[-1].best
    cause = main_cause(best) if best else None
    return _BY_CAUSE.get(cause, Obstacle.OTHER) if cause else Obstacle.OTHER
