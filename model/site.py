"""A site: one place in a village whose internet matters, and what it hangs on."""

import re
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from functools import lru_cache

from model.measurement import Rung
from model.region import RegionCode
from model.timeline import Interval, union
from model.week import local_midnight_ms, local_ms

SITE_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)
"""Site ids: 1 to 40 lower-case letters, digits and hyphens. Safe in paths, tags and URLs."""

DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Access(StrEnum):
    """Access technology: how the last mile is made. Decides which thresholds apply."""

    FIBRE = "fibre"
    FWA = "fwa"
    LEO = "leo"
    CELLULAR = "4g"
    GEO = "geo"


class PowerSource(StrEnum):
    """What feeds the site."""

    GRID = "grid"
    GENERATOR = "generator"
    SOLAR = "solar"


@dataclass(frozen=True, slots=True)
class ServiceHours:
    """The hours of the week in which a service is promised, in the site's local time.

    ``windows`` holds (weekday 0-6 from Monday, opens, closes); a window closes after it opens, and
    24:00 is written as ``time.min`` closing, meaning the end of that day.
    """

    windows: tuple[tuple[int, time, time], ...]

    @classmethod
    def parse(cls, text: str) -> "ServiceHours":
        """Read ``Mon-Fri 07:30-15:30; Sat 08:00-12:00``. Raises ValueError with the remedy."""
        windows: list[tuple[int, time, time]] = []
        for part in text.split(";"):
            match = re.fullmatch(
                r"\s*([A-Z][a-z]{2})(?:-([A-Z][a-z]{2}))?\s+"
                r"([0-2]\d:[0-5]\d)-([0-2]\d:[0-5]\d)\s*",
                part,
                re.ASCII,
            )
            days = [match[1], match[2] or match[1]] if match else []
            if match is None or any(day not in DAY_NAMES for day in days):
                raise ValueError(
                    f"{part.strip()!r} are not service hours: write them as 'Mon-Fri 07:30-15:30'"
                )
            first, last = (DAY_NAMES.index(day) for day in days)
            closes = time.min if match[4] == "24:00" else time.fromisoformat(match[4])
            opens = time.fromisoformat(match[3])
            if first > last or (closes != time.min and closes <= opens):
                raise ValueError(
                    f"{part.strip()!r} runs backwards: write a range that ends after it begins"
                )
            windows.extend((day, opens, closes) for day in range(first, last + 1))
        return cls(tuple(windows))

    def intervals(self, within: Interval, zone: str, first_day: date) -> list[Interval]:
        """The service hours that lie in ``within``, for the days from ``first_day`` on."""
        return list(_service_intervals(self.windows, within, zone, first_day))


@lru_cache(maxsize=1024)
def _service_intervals(
    windows: tuple[tuple[int, time, time], ...], within: Interval, zone: str, first_day: date
) -> tuple[Interval, ...]:
    """Remembered: of all the sites of a province only a few differ in these four."""
    found: list[Interval] = []
    day = first_day
    while local_midnight_ms(day, zone) < within.end_ms:
        for weekday, opens, closes in windows:
            if weekday == day.weekday():
                end = (
                    local_midnight_ms(day + timedelta(days=1), zone)
                    if closes == time.min
                    else local_ms(day, closes, zone)
                )
                piece = Interval(local_ms(day, opens, zone), end).clip(within)
                if piece is not None:
                    found.append(piece)
        day += timedelta(days=1)
    return tuple(union(found))


@dataclass(frozen=True, slots=True)
class SiteKind:
    """What is usual for a kind of site: read from a data file, overridable site by site."""

    id: str
    name_id: str
    name_en: str
    service_hours: ServiceHours
    service_critical: bool
    interval_seconds: int
    rungs: tuple[Rung, ...] = ()
    """Of the check ladder those that the service stands on; empty: every one that is looked at."""


@dataclass(frozen=True, slots=True)
class Site:
    """One watched place.

    ``address`` is what the centre pings (None: push only); ``upstream`` and ``feeder`` name what it
    shares with its neighbours (an upstream node of the inventory, an electricity feeder);
    ``power_hours_a_day`` below 24 says that the power is off for part of every day by plan;
    ``rungs`` are those of the check ladder that its service stands on (none: those of its kind).
    """

    id: str
    name: str
    kind: str
    village: RegionCode
    access: Access
    provider: str
    timezone: str
    service_hours: ServiceHours
    service_critical: bool
    interval_seconds: int
    in_service_from: date
    address: str | None = None
    upstream: str | None = None
    feeder: str | None = None
    power: PowerSource = PowerSource.GRID
    power_hours_a_day: float = 24.0
    has_probe: bool = False
    metered: bool = False
    lat: float | None = None
    lon: float | None = None
    contact_name: str | None = None
    contact_phone: str | None = None
    rungs: tuple[Rung, ...] = ()
