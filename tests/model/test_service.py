"""Services over weeks and places: nothing is counted twice, and unseen is not ready."""

from datetime import date, time

import pytest

from model.definition import Definition
from model.region import RegionCode
from model.service import ServiceWeek, is_ready, joined, places
from model.site import Access, ServiceHours, Site
from model.timeline import Interval
from model.week import Week

HOUR = 3_600_000
WEEK = Week(2026, 46)


def site(name: str, kind: str, village: str = "61.01.13.2002") -> Site:
    hours = ServiceHours(((0, time(8), time(16)),))
    return Site(name, name, kind, RegionCode(village), Access.FIBRE, "p", "Asia/Pontianak", hours,
                True, 300, date(2026, 1, 1))  # fmt: skip


def week(name: str, start: int, ready: int, stopped: int) -> ServiceWeek:
    """Ten service hours from hour ``start``, the first ``ready`` ready, the next stopped."""
    at = start * HOUR
    middle = at + ready * HOUR
    return ServiceWeek(
        name,
        WEEK,
        (Interval(at, at + 10 * HOUR),),
        (Interval(at, middle),),
        {"power": (Interval(middle, middle + stopped * HOUR),)} if stopped else {},
    )


def test_weeks_join_and_are_cut_at_the_bounds() -> None:
    """Two weeks of ten hours, cut after the fifth hour of the second: their sums, cut."""
    found = joined([week("a", 0, 8, 2), week("a", 100, 3, 7)], Interval(0, 105 * HOUR))
    assert found.window_ms == 15 * HOUR
    assert found.ready_ms == 11 * HOUR
    assert found.stopped_ms == 4 * HOUR
    assert joined([week("a", 0, 8, 2)], Interval(0, 10 * HOUR)) == week("a", 0, 8, 2)


def test_lines_of_a_mall_are_one_place_and_other_sites_are_not() -> None:
    """Two mall lines in one village are one place, in two villages two; two posts stay two."""
    sites = {
        one.id: one
        for one in (
            site("m1", "mpp"),
            site("m2", "mpp"),
            site("m3", "mpp", "61.02.13.2002"),
            site("p1", "post"),
            site("p2", "post"),
        )
    }
    found = places([week(name, 0, 5, 5) for name in sites], sites)
    assert [one.site for one in found] == ["m1", "m3", "p1", "p2"]


@pytest.mark.parametrize(("ready", "stopped", "is_so"), [(10, 0, True), (9, 1, False),
                                                         (1, 0, True), (0, 0, False)])  # fmt: skip
def test_ready_by_the_hours_that_were_seen(ready: int, stopped: int, is_so: bool) -> None:
    """98 % of the seen hours make a fibre site ready; one that nobody saw is not."""
    assert is_ready(week("a", 0, ready, stopped), site("a", "post"), Definition()) is is_so
