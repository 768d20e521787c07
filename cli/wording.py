"""How times, durations and shares are written in tables of the terminal (English, local time)."""

from datetime import datetime
from zoneinfo import ZoneInfo


def local_time(at_ms: int, zone: str) -> str:
    """``Mon 16 Nov 08:10`` in the site's own zone."""
    return datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone)).strftime("%a %d %b %H:%M")


def iso_time(at_ms: int, zone: str) -> str:
    """ISO 8601 with the zone's offset, for machines."""
    return datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone)).isoformat(timespec="seconds")


def duration(seconds: float) -> str:
    """``6 h 10 min``, ``2 d 3 h``, ``45 s``: the two largest units."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = whole // 60 % 60, whole // 3600 % 24, whole // 86400
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def share(value: float | None, digits: int = 2) -> str:
    """``98.76 %``; a dash where nothing was seen."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def percent(value: float | None) -> str:
    """``98.76`` for 0.9876, where the heading says percent; a dash where nothing was seen."""
    return "–" if value is None else f"{100 * value:.2f}"


def milliseconds(seconds: float | None) -> str:
    """``23.4`` for 0.0234 s; a dash where nothing was measured."""
    return "–" if seconds is None else f"{1000 * seconds:.1f}"
