"""An outage: since when, until when, why, and what says so."""

from dataclasses import dataclass, replace
from enum import StrEnum

from model.timeline import Interval


class Cause(StrEnum):
    """Why a site had no internet (domain list; one per outage)."""

    POWER = "power"
    DEVICE = "device"
    LINK = "link"
    UPSTREAM = "upstream"
    SATELLITE_FADE = "satellite_fade"
    LAN = "lan"
    DNS = "dns"
    CAPTIVE_PORTAL = "captive_portal"
    SERVICE = "service"
    MAINTENANCE = "maintenance"
    COLLECTOR = "collector"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence: which rule found it, which cause it speaks for and how strongly
    (0 to 1), and a sentence that an engineer can check against the data."""

    rule: str
    cause: Cause
    weight: float
    text: str


@dataclass(frozen=True, slots=True)
class Outage:
    """A stretch in which a site was DOWN.

    It begins with the first failed look and ends with the first good one (or with the end of
    what was looked at: then ``open`` is true). ``parent`` is the id of the outage that owns it.
    ``began_ms`` is its true start where it is cut at the beginning of a week.
    """

    site: str
    start_ms: int
    end_ms: int
    open: bool
    cause: Cause
    confidence: float
    evidence: tuple[Evidence, ...] = ()
    parent: str | None = None
    began_ms: int | None = None

    @property
    def id(self) -> str:
        """Stable as long as the start stands, over all weeks that it touches: the site and the
        second it began."""
        began_ms = self.start_ms if self.began_ms is None else self.began_ms
        return f"{self.site}@{began_ms // 1000}"

    @property
    def interval(self) -> Interval:
        return Interval(self.start_ms, self.end_ms)

    def cut(self, window: Interval) -> "Outage | None":
        """As much of it as lies in ``window``, under the id of the whole; open when it goes on
        beyond the window's end. None when nothing does."""
        part = self.interval.clip(window)
        if part is None:
            return None
        return replace(
            self,
            start_ms=part.start_ms,
            end_ms=part.end_ms,
            open=self.open or self.end_ms > window.end_ms,
            began_ms=self.start_ms if self.start_ms < window.start_ms else self.began_ms,
        )
