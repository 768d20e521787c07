"""A week is its own local week, whatever the clocks do; nothing falls between two weeks."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from model.week import Week, local_midnight_ms

HOUR_MS = 3_600_000
FIRST, LAST = Week(2024, 1), Week(2030, 52)


def all_weeks() -> list[Week]:
    """Every ISO week of 2024 to 2030, by the calendar and not by our own arithmetic."""
    monday = date(2024, 1, 1)
    weeks = []
    while monday.isocalendar()[0] <= 2030:
        weeks.append(Week(*monday.isocalendar()[:2]))
        monday += timedelta(days=7)
    return weeks


def test_weeks_touch_in_every_zone() -> None:
    """2024-2030 in every IANA zone: the end of a week is the start of the next, and its length is
    168 h less what the zone's offset gained in it."""
    weeks = all_weeks()
    assert (weeks[0], weeks[-1]) == (FIRST, LAST)
    zones = sorted(available_timezones() - {"localtime"})
    assert len(zones) > 400
    for name in zones:
        zone = ZoneInfo(name)
        previous_end = weeks[0].interval(name).start_ms
        for week in weeks:
            start, end = week.interval(name)
            assert start == previous_end, (name, week)
            offset_gained = (
                datetime.fromtimestamp(end / 1000, zone).utcoffset()
                - datetime.fromtimestamp(start / 1000, zone).utcoffset()
            )
            assert end - start == 168 * HOUR_MS - offset_gained.total_seconds() * 1000, (name, week)
            previous_end = end


@pytest.mark.parametrize("zone", ["Asia/Pontianak", "Asia/Makassar", "Asia/Jayapura"])
def test_every_indonesian_week_has_168_hours(zone: str) -> None:
    """No summer time in Indonesia: 168 h, and Monday 00:00 local belongs to the week it begins."""
    for week in all_weeks():
        start, end = week.interval(zone)
        assert end - start == 168 * HOUR_MS
        assert Week.containing(start, zone) == week == Week.containing(end - 1, zone)


@pytest.mark.parametrize(
    ("zone", "week", "hours"),
    [
        ("Europe/Amsterdam", "2026-W13", 167),  # 29 March: 02:00 becomes 03:00
        ("Europe/Amsterdam", "2026-W43", 169),  # 25 October: 03:00 becomes 02:00
        ("America/Santiago", "2026-W36", 167),  # 5 September 24:00: the midnight is skipped
        ("America/Havana", "2026-W44", 169),  # 1 November: 00:00 comes twice
        ("Australia/Lord_Howe", "2026-W40", 167.5),  # 4 October: half an hour
        ("Asia/Makassar", "2026-W46", 168),
    ],
)
def test_weeks_with_a_clock_change(zone: str, week: str, hours: float) -> None:
    """A week that has a clock change is as long as the clocks of the place say."""
    assert Week.parse(week).interval(zone).length_ms == hours * HOUR_MS


@pytest.mark.parametrize(
    ("zone", "day", "utc"),
    [
        # Offset -4 h before, -3 h after: the skipped midnight is the moment of the change, 04:00 Z.
        ("America/Santiago", date(2026, 9, 6), "2026-09-06T04:00:00+00:00"),
        # Midnight comes with -4 h first, with -5 h an hour later; the first one begins the day.
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00:00+00:00"),
        ("Asia/Makassar", date(2026, 11, 9), "2026-11-08T16:00:00+00:00"),
    ],
)
def test_a_day_begins_at_its_first_moment(zone: str, day: date, utc: str) -> None:
    """A midnight that a clock change skips or doubles is still one moment."""
    assert local_midnight_ms(day, zone) == datetime.fromisoformat(utc).timestamp() * 1000


@pytest.mark.parametrize(
    ("utc", "pontianak", "makassar"),
    [
        ("2026-11-15T15:59:59.999+00:00", "2026-W46", "2026-W46"),
        ("2026-11-15T16:00:00+00:00", "2026-W46", "2026-W47"),
        ("2026-11-15T17:00:00+00:00", "2026-W47", "2026-W47"),
    ],
)
def test_the_same_moment_lies_in_two_weeks(utc: str, pontianak: str, makassar: str) -> None:
    """Between 16:00 and 17:00 UTC of a Sunday, WITA is in the new week and WIB in the old one
    (the trap of matomo#24980)."""
    at_ms = round(datetime.fromisoformat(utc).timestamp() * 1000)
    assert str(Week.containing(at_ms, "Asia/Pontianak")) == pontianak
    assert str(Week.containing(at_ms, "Asia/Makassar")) == makassar


@pytest.mark.parametrize(
    ("year", "weeks"),
    [(2024, 52), (2025, 52), (2026, 53), (2027, 52), (2028, 52), (2029, 52), (2030, 52)],
)
def test_years_have_52_or_53_weeks(year: int, weeks: int) -> None:
    """2026 begins on a Thursday and has week 53; plus() walks over every year's end and back."""
    assert Week(year, weeks).plus(1) == Week(year + 1, 1)
    assert Week(year + 1, 1).plus(-1) == Week(year, weeks)
    if weeks == 52:
        with pytest.raises(ValueError, match="does not exist"):
            Week.parse(f"{year}-W53")


@pytest.mark.parametrize("text", ["2026-46", "2026W46", "2026-W00", "2026-W54", "2026-W4", " "])
def test_what_is_no_week_is_refused(text: str) -> None:
    """A week that is not written as 2026-W46 is named in the error."""
    with pytest.raises(ValueError, match=repr(text)):
        Week.parse(text)


def test_text_and_parse_are_inverse() -> None:
    """str() writes what parse() reads, and its text sorts as the weeks do."""
    weeks = all_weeks()
    assert [Week.parse(str(week)) for week in weeks] == weeks
    assert sorted(str(week) for week in weeks) == [str(week) for week in weeks]
