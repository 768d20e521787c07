"""Service hours: promised in local time, counted in real milliseconds."""

from datetime import date

import pytest

from model.site import ServiceHours
from model.timeline import Interval, total_ms
from model.week import Week

HOUR_MS = 3_600_000
OFFICE = "Mon-Fri 07:30-15:30"


def hours_in(text: str, week: str, zone: str) -> float:
    """The service hours of a whole week, in hours."""
    chosen = Week.parse(week)
    found = ServiceHours.parse(text).intervals(chosen.interval(zone), zone, chosen.monday)
    return total_ms(found) / HOUR_MS


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        (OFFICE, 5 * 8),
        ("Mon-Sun 06:00-22:00", 7 * 16),
        ("Mon-Fri 07:30-15:30; Sat 08:00-12:00", 5 * 8 + 4),
        ("Mon-Sun 00:00-24:00", 168),
        ("Mon-Fri 08:00-12:00; Mon-Fri 10:00-14:00", 5 * 6),  # overlaps count once
        ("Sun 23:00-24:00; Mon 00:00-01:00", 2),
    ],
)
def test_hours_of_a_week(text: str, hours: float) -> None:
    """The hours of a week are those written, each counted once."""
    assert hours_in(text, "2026-W46", "Asia/Pontianak") == hours


@pytest.mark.parametrize(
    ("text", "week", "hours"),
    [
        ("Mon-Sun 00:00-24:00", "2026-W13", 167),
        ("Mon-Sun 00:00-24:00", "2026-W43", 169),
        ("Sun 01:00-04:00", "2026-W13", 2),  # 02:00-03:00 does not exist that day
        ("Sun 01:00-04:00", "2026-W43", 4),  # 02:00-03:00 comes twice
        (OFFICE, "2026-W13", 40),
    ],
)
def test_clock_changes_shorten_and_lengthen(text: str, week: str, hours: float) -> None:
    """Hours that a clock change skips or doubles are counted as the place lives them."""
    assert hours_in(text, week, "Europe/Amsterdam") == hours


def test_hours_lie_in_the_window() -> None:
    """A window that cuts a service day keeps the part inside, in UTC milliseconds."""
    zone = "Asia/Pontianak"  # UTC+7: 07:30 is 00:30 UTC
    monday = Week.parse("2026-W46").interval(zone).start_ms
    window = Interval(monday + 8 * HOUR_MS, monday + 33 * HOUR_MS)  # Mon 08:00 to Tue 09:00
    found = ServiceHours.parse(OFFICE).intervals(window, zone, date(2026, 11, 9))
    assert found == [
        Interval(monday + 8 * HOUR_MS, monday + 31 * HOUR_MS // 2),
        Interval(monday + 63 * HOUR_MS // 2, monday + 33 * HOUR_MS),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Mon-Fri 7:30-15:30", "write them as"),
        ("Mo-Fr 07:30-15:30", "write them as"),
        ("mon 07:30-15:30", "write them as"),
        ("Mon 07:30–15:30", "write them as"),
        ("Mon 15:30-07:30", "runs backwards"),
        ("Fri-Mon 07:30-15:30", "runs backwards"),
        ("Mon 08:00-08:00", "runs backwards"),
        ("", "write them as"),
        ("Mon 08:00-12:00;", "write them as"),
        ("Mon 25:00-26:00", "must be in"),
    ],
)
def test_what_are_no_hours_is_refused(text: str, message: str) -> None:
    """Hours that cannot be read are refused with the remedy."""
    with pytest.raises(ValueError, match=message):
        ServiceHours.parse(text)
