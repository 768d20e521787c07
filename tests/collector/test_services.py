"""Readiness: the line first, then what the service itself needs; unknown stays unknown."""

from dataclasses import replace
from datetime import date, time

import pytest

from collector.islands import Island, Series
from collector.services import decides, readiness
from collector.settings import VerdictSettings
from collector.stops import claims_of
from model.definition import Quality, State
from model.measurement import Outcome
from model.outage import Cause, Outage
from model.region import RegionCode
from model.service import ServiceWeek, together
from model.site import Access, ServiceHours, Site
from model.summary import Repair, SiteWeek, Summary
from model.timeline import Interval, Run, total_ms
from model.week import Week

HOUR = 3_600_000
MIN = 60_000
WEEK = Week(2026, 46)
SITE = Site("pos-1", "Pos", "pos_layanan_desa_digital", RegionCode("61.01.13.2002"), Access.FIBRE,
            "p", "Asia/Pontianak", ServiceHours(((0, time(8), time(16)),)), True, 300,
            date(2026, 1, 1))  # fmt: skip
WINDOW = [Interval(0, 8 * HOUR)]
UP, DOWN, UNKNOWN = Outcome.UP, Outcome.DOWN, Outcome.UNKNOWN


def site_week(*runs: Run, outages: tuple[Outage, ...] = ()) -> SiteWeek:
    whole = Summary(up_ms=8 * HOUR)
    return SiteWeek(
        SITE.id, WEEK, whole, whole, whole, Repair(), Quality(), State.STABLE, outages, runs
    )


def series(
    *islands: tuple[int, int, Outcome], kind: str = "http", reason: str = "no answer"
) -> Series:
    """Islands as (from, to, outcome) in minutes, looks every five minutes."""
    made = tuple(
        Island(
            start * MIN, (end - 5) * MIN, outcome, "" if outcome is UP else reason,
            (end - start) // 5, 5 * MIN,
        )
        for start, end, outcome in islands
    )  # fmt: skip
    return Series(SITE.id, "village", "http", "application:siap", made)


def found(week: SiteWeek, *needed: Series) -> ServiceWeek:
    claims = [claims_of(one, [], VerdictSettings()) for one in needed]
    result = readiness(SITE, week, WINDOW, claims)
    parts = result.ready_ms + result.stopped_ms + result.unknown_ms
    assert parts == result.window_ms == 8 * HOUR
    assert result.stopped_ms == sum(total_ms(some) for some in result.stopped.values())
    return result


ALL_UP = Run(0, 8 * HOUR, UP)


def test_all_is_well() -> None:
    """A line that is up and an application that answers make every hour usable."""
    one = found(site_week(ALL_UP), series((0, 480, UP)))
    assert (one.ready_ms, one.ready_share, dict(one.stopped)) == (8 * HOUR, 1.0, {})


def test_internet_works_and_the_application_does_not() -> None:
    """An application that fails stops the service, with rung and reason, though the line is up."""
    one = found(site_week(ALL_UP), series((0, 60, UP), (60, 180, DOWN), (180, 480, UP)))
    assert {what: total_ms(some) for what, some in one.stopped.items()} == {
        "application: no answer": 2 * HOUR
    }
    assert one.ready_share == pytest.approx(0.75)


def test_an_outage_of_the_line_is_named_by_its_cause() -> None:
    """While the line is down the cause of the outage stops the service; the application's own
    failure at that time says nothing more."""
    runs = (Run(0, 2 * HOUR, UP), Run(2 * HOUR, 4 * HOUR, DOWN), Run(4 * HOUR, 8 * HOUR, UP))
    outage = Outage(SITE.id, 2 * HOUR, 4 * HOUR, False, Cause.POWER, 0.9)
    app = series((0, 120, UP), (120, 240, DOWN), (240, 480, UP))
    one = found(site_week(*runs, outages=(outage,)), app)
    assert {what: total_ms(some) for what, some in one.stopped.items()} == {"power": 2 * HOUR}


def test_unknown_is_neither_ready_nor_stopped() -> None:
    """Hours in which nobody looked at the line, or at the application, are unknown."""
    runs = (Run(0, 2 * HOUR, UNKNOWN), Run(2 * HOUR, 8 * HOUR, UP))
    one = found(site_week(*runs), series((0, 360, UP)))
    assert (one.ready_ms, one.stopped_ms, one.unknown_ms) == (4 * HOUR, 0, 4 * HOUR)
    assert one.ready_share == 1.0


def test_unknown_because_of_a_lower_rung() -> None:
    """An application that is UNKNOWN because of a rung below accuses nobody by itself."""
    app = series((0, 240, UP), (240, 480, UNKNOWN), reason="below: dns")
    assert found(site_week(ALL_UP), app).unknown_ms == 4 * HOUR


def test_a_lone_bad_look() -> None:
    """One look that failed is no reason to close the office."""
    app = series((0, 60, UP), (60, 65, DOWN), (65, 480, UP))
    assert found(site_week(ALL_UP), app).ready_ms == 8 * HOUR


def test_what_decides() -> None:
    """DNS, applications and portals decide; paths, throughput and the dish only explain."""
    assert decides("http", "application:siap")
    assert decides("ping", "application")
    assert decides("captive", "international:hotspot")
    assert not decides("path", "application:siap")
    assert not decides("ping", "national")


def test_two_lines_of_a_mall() -> None:
    """A mall with two lines is ready while one is, and stopped while both are."""
    first = ServiceWeek(
        "a",
        WEEK,
        tuple(WINDOW),
        (Interval(0, 4 * HOUR),),
        {"link": (Interval(4 * HOUR, 8 * HOUR),)},
    )
    second = ServiceWeek(
        "b", WEEK, tuple(WINDOW), (Interval(3 * HOUR, 6 * HOUR),),
        {"power": (Interval(0, 3 * HOUR), Interval(6 * HOUR, 7 * HOUR))},
    )  # fmt: skip
    mall = together("a", [first, second])
    assert mall.ready == (Interval(0, 6 * HOUR),)
    assert dict(mall.stopped) == {"link": (Interval(6 * HOUR, 7 * HOUR),)}
    assert mall.unknown_ms == HOUR


def test_on_but_unused() -> None:
    """A place is unused while it is ready and nobody is connected through any of its lines; where a
    line counts nobody there is nothing to say."""
    ready = (Interval(0, 4 * HOUR),)
    first = ServiceWeek("a", WEEK, tuple(WINDOW), ready, unused=(Interval(HOUR, 3 * HOUR),))
    second = ServiceWeek("b", WEEK, tuple(WINDOW), ready, unused=(Interval(2 * HOUR, 4 * HOUR),))
    assert together("a", [first]).unused_ms == 2 * HOUR
    assert together("a", [first, second]).unused == (Interval(2 * HOUR, 3 * HOUR),)
    assert together("a", [first, replace(second, unused=None)]).unused_ms is None
    assert together("a", [replace(first, unused=())]).unused_ms == 0
