"""What a week was like for one site: seconds up, down and unknown, and what follows from them.

Law: availability = up / (up + down), by time. The observed share stands beside it, always, and the
bounds say what the unknown time could hide.
"""

from dataclasses import dataclass, field

from model.definition import Quality, State
from model.outage import Outage
from model.timeline import Run
from model.week import Week


@dataclass(frozen=True, slots=True)
class Summary:
    """Milliseconds by outcome within some window. They add up to the window exactly.

    ``excluded_ms`` is time that the accounting rule leaves out (announced maintenance and, in the
    SLA-adjusted summary, what the contract exempts); it is in none of the other three.
    """

    up_ms: int = 0
    down_ms: int = 0
    unknown_ms: int = 0
    excluded_ms: int = 0

    @property
    def window_ms(self) -> int:
        return self.up_ms + self.down_ms + self.unknown_ms + self.excluded_ms

    @property
    def availability(self) -> float | None:
        """up / (up + down), 0 to 1; None when neither was seen."""
        seen = self.up_ms + self.down_ms
        return self.up_ms / seen if seen else None

    @property
    def observed_share(self) -> float:
        """(up + down) / (up + down + unknown), 0 to 1; 0 for an empty window."""
        all_ms = self.up_ms + self.down_ms + self.unknown_ms
        return (self.up_ms + self.down_ms) / all_ms if all_ms else 0.0

    @property
    def availability_bounds(self) -> tuple[float, float] | None:
        """Availability with all unknown time counted as down, and as up."""
        all_ms = self.up_ms + self.down_ms + self.unknown_ms
        if not all_ms:
            return None
        return self.up_ms / all_ms, (self.up_ms + self.unknown_ms) / all_ms

    def __add__(self, other: "Summary") -> "Summary":
        return Summary(
            self.up_ms + other.up_ms,
            self.down_ms + other.down_ms,
            self.unknown_ms + other.unknown_ms,
            self.excluded_ms + other.excluded_ms,
        )


@dataclass(frozen=True, slots=True)
class Repair:
    """Outage figures of a window (GEANT definitions). Durations in seconds; None when there were
    no outages that ended in the window."""

    count: int = 0
    mttr_mean_seconds: float | None = None
    mttr_median_seconds: float | None = None
    mttr_p90_seconds: float | None = None
    mtbf_seconds: float | None = None


@dataclass(frozen=True)
class SiteWeek:
    """All that is known of one site in one week.

    ``raw`` covers the whole week in service, ``service`` the service hours, ``sla`` the whole week
    without announced maintenance and exempt causes. ``outages`` are those that touch the week,
    cut at its bounds; ``runs`` is the timeline they came from, in order, without holes.
    """

    site: str
    week: Week
    raw: Summary
    service: Summary
    sla: Summary
    repair: Repair
    quality: Quality
    state: State
    outages: tuple[Outage, ...] = ()
    runs: tuple[Run, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class WeekRecord:
    """What is known of a week: every site's SiteWeek, and which revision of the truth this is.

    ``data_until_ms`` is the newest measurement that went in; ``site_weeks`` is in site id order.
    """

    week: Week
    revision: int
    generated_at_ms: int
    data_until_ms: int | None
    definition_hash: str
    site_weeks: tuple[SiteWeek, ...]
