"""ISO weeks in a place's own time zone.

Law: a week runs from Monday 00:00 local to the next Monday 00:00 local, whatever the clock does
in between (ISO 8601; 168 hours, or one less or more where summer time begins or ends).
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from model.timeline import Interval

_WEEK = re.compile(r"(\d{4})-W(\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """An ISO week, for example ``2026-W46``."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> "Week":
        """Read ``2026-W46``. Raises ValueError with the remedy."""
        match = _WEEK.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not an ISO week: write it as 2026-W46")
        try:
            date.fromisocalendar(int(match[1]), int(match[2]), 1)
        except ValueError as error:
            raise ValueError(f"{text!r} does not exist: {error}") from None
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def containing(cls, at_ms: int, zone: str) -> "Week":
        """The week in which a moment lies, by the calendar of ``zone``."""
        year, number, _ = datetime.fromtimestamp(at_ms / 1000, _zone(zone)).isocalendar()
        return cls(year, number)

    @property
    def monday(self) -> date:
        return date.fromisocalendar(self.year, self.number, 1)

    @property
    def sunday(self) -> date:
        return date.fromisocalendar(self.year, self.number, 7)

    def plus(self, weeks: int) -> "Week":
        """The week so many weeks later (earlier when negative)."""
        year, number, _ = (self.monday + timedelta(weeks=weeks)).isocalendar()
        return Week(year, number)

    def interval(self, zone: str) -> Interval:
        """Its bounds in ``zone``."""
        return Interval(
            local_midnight_ms(self.monday, zone),
            local_midnight_ms(self.monday + timedelta(days=7), zone),
        )

    def __str__(self) -> str:
        return f"{self.year}-W{self.number:02d}"


def local_midnight_ms(day: date, zone: str) -> int:
    """The moment at which ``day`` begins in ``zone``."""
    return local_ms(day, time(0), zone)


def local_ms(day: date, at: time, zone: str) -> int:
    """The moment of a wall-clock time in ``zone``.

    A time that comes twice means its first coming; one that a clock change skips is read with the
    offset before the change (PEP 495, fold=0), so a skipped midnight is the moment of the change.
    """
    return round(datetime.combine(day, at, tzinfo=_zone(zone)).timestamp() * 1000)


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - a village's probe needs none, and has no room

    return ZoneInfo(name)
