"""Accounts: milliseconds that add up, repairs that count once."""

from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.accounting import account, repair, window_of
from collector.settings import AccountingSettings
from model.definition import Definition, Quality
from model.inventory import Inventory, Maintenance, Province, Upstream
from model.measurement import Outcome
from model.outage import Cause, Outage
from model.site import Access, ServiceHours, Site
from model.summary import SiteWeek, Summary
from model.timeline import Interval, Run
from model.week import Week, local_midnight_ms

HOUR = 3_600_000
WEEK = Week.parse("2026-W46")
ZONE = "Asia/Pontianak"
START, END = WEEK.interval(ZONE)
SITE = Site(
    id="a",
    name="a",
    kind="kantor_desa",
    village="61.01.13.2002",
    access=Access.CELLULAR,
    provider="isp",
    timezone=ZONE,
    service_hours=ServiceHours.parse("Mon-Fri 07:30-15:30"),
    service_critical=True,
    interval_seconds=300,
    in_service_from=date(2020, 1, 1),
    upstream="pop",
)


def inventory(*maintenance: Maintenance) -> Inventory:
    return Inventory(
        province=Province("61", "Kalimantan Barat", ZONE),
        kabupaten=(),
        providers={},
        upstreams={"pop": Upstream("pop", "pop", "isp")},
        kinds={},
        sites=(SITE,),
        definition=Definition(),
        maintenance=maintenance,
    )


def hours(start: float, end: float) -> Interval:
    """A stretch in hours after Monday 00:00."""
    return Interval(START + round(start * HOUR), START + round(end * HOUR))


def outage(start: float, end: float, cause: Cause = Cause.LINK, *, is_open: bool = False) -> Outage:
    return Outage("a", *hours(start, end), is_open, cause, 1.0)


def runs_of(cuts: list[tuple[int, Outcome]]) -> list[Run]:
    """Runs of these lengths (minutes) one after the other, the last one to the week's end."""
    runs: list[Run] = []
    at = START
    for minutes, outcome in cuts:
        end = min(END, at + minutes * 60_000)
        if at < end:
            runs.append(Run(at, end, outcome))
        at = end
    return [*runs, Run(at, END, Outcome.UP)] if at < END else runs


def settle(
    runs: list[Run],
    outages: list[Outage],
    *maintenance: Maintenance,
    window: Interval | None = None,
) -> SiteWeek:
    return account(
        SITE,
        WEEK,
        window or Interval(START, END),
        runs,
        outages,
        Quality(),
        inventory(*maintenance),
        Definition(),
        AccountingSettings(),
    )


CUTS = st.lists(st.tuples(st.integers(1, 3000), st.sampled_from(Outcome)), max_size=12)
SPANS = st.lists(st.tuples(st.integers(-30, 190), st.integers(1, 60)), max_size=4)


@given(CUTS, SPANS, st.sampled_from(["sites", "upstreams"]))
def test_every_summary_adds_up_to_its_window(
    cuts: list[tuple[int, Outcome]], spans: list[tuple[int, int]], on: str
) -> None:
    """Up + down + unknown + excluded is 168 h of the week and 40 h of service, to the millisecond,
    whatever happened and whatever was announced (overlapping or beyond the week)."""
    covers = {on: frozenset({"a" if on == "sites" else "pop"})}
    work = [Maintenance(hours(s, s + n), "work", **covers) for s, n in spans]
    runs = runs_of(cuts)
    outages = [
        Outage("a", run.start_ms, run.end_ms, False, Cause.POWER, 1.0)
        for run in runs
        if run.outcome is Outcome.DOWN
    ]
    week = settle(runs, outages, *work)
    assert week.raw.window_ms == 168 * HOUR
    assert week.raw.excluded_ms == 0
    assert week.service.window_ms == 40 * HOUR
    assert week.sla.window_ms == 168 * HOUR
    assert week.sla.down_ms == 0  # all of it is power, which the contract exempts
    assert sum(run.end_ms - run.start_ms for run in week.runs) == 168 * HOUR


@given(CUTS, st.lists(st.integers(1, 167), max_size=5))
def test_parts_of_a_window_add_up(cuts: list[tuple[int, Outcome]], bounds: list[int]) -> None:
    """Cutting a week into parts and adding their summaries gives the week's."""
    edges = [0, *sorted(set(bounds)), 168]
    runs = runs_of(cuts)
    parts = [settle(runs, [], window=hours(a, b)) for a, b in pairwise(edges)]
    whole = settle(runs, [])
    assert sum((part.raw for part in parts), Summary()) == whole.raw
    assert sum((part.service for part in parts), Summary()) == whole.service


def test_overlapping_announcements_count_once() -> None:
    """Two announcements of the same hours exclude them once; another site's excludes nothing."""
    work = [
        Maintenance(hours(10, 12), "a", sites=frozenset({"a"})),
        Maintenance(hours(11, 13), "b", upstreams=frozenset({"pop"})),
        Maintenance(hours(50, 60), "c", sites=frozenset({"b"})),
    ]
    week = settle(runs_of([]), [], *work)
    assert week.sla == Summary(up_ms=165 * HOUR, excluded_ms=3 * HOUR)
    assert week.service == Summary(up_ms=37 * HOUR, excluded_ms=3 * HOUR)


@pytest.mark.parametrize(
    ("cause", "charged"),
    [
        (Cause.POWER, False),
        (Cause.DEVICE, False),
        (Cause.LAN, False),
        (Cause.COLLECTOR, False),
        (Cause.LINK, True),
        (Cause.UPSTREAM, True),
        (Cause.SATELLITE_FADE, True),
        (Cause.UNKNOWN, True),
    ],
)
def test_the_contract_exempts_some_causes(cause: Cause, charged: bool) -> None:
    """What is not the provider's is left out of the SLA figure; raw and service keep it."""
    runs = runs_of([(600, Outcome.UP), (120, Outcome.DOWN)])
    week = settle(runs, [outage(10, 12, cause)])
    assert week.raw.down_ms == week.service.down_ms == 2 * HOUR
    assert week.sla.down_ms == (2 * HOUR if charged else 0)
    assert week.sla.excluded_ms == (0 if charged else 2 * HOUR)


def test_repairs_count_by_their_end() -> None:
    """An outage that began last week is repaired in this one with its full length; one that goes on
    is not repaired; maintenance is no failure."""
    outages = [
        outage(-5, 1),  # 6 h, ended here
        outage(10, 12),  # 2 h
        outage(20, 21),  # 1 h
        outage(30, 34, Cause.MAINTENANCE),
        outage(160, 170),  # ends next week
    ]
    found = repair(outages, hours(0, 168), Summary(up_ms=150 * HOUR))
    assert found.count == 4
    assert found.mttr_mean_seconds == 3 * 3600  # (6 + 2 + 1) / 3
    assert found.mttr_median_seconds == 2 * 3600
    assert found.mttr_p90_seconds == 6 * 3600
    assert found.mtbf_seconds == 50 * 3600  # three began here


def test_a_repair_at_the_boundary_counts_in_one_week() -> None:
    """An outage that ends with the week's last moment is repaired in that week and not in the next
    as well."""
    one = outage(166, 168)
    assert repair([one], hours(0, 168), Summary()).mttr_mean_seconds == 2 * 3600
    assert repair([one], hours(168, 336), Summary()).mttr_mean_seconds is None


def test_outages_are_cut_at_the_week_and_flagged() -> None:
    """What goes on beyond the week's end is cut there and open; the uncut length decides the
    state."""
    runs = [Run(START, START + 134 * HOUR, Outcome.UP), Run(START + 134 * HOUR, END, Outcome.DOWN)]
    week = settle(runs, [outage(134, 200)])
    assert [(one.start_ms, one.end_ms, one.open) for one in week.outages] == [
        (*hours(134, 168), True)
    ]
    assert week.state.value == "cut_off"
    assert week.service.down_ms == 0


@pytest.mark.parametrize(
    ("in_service_from", "until", "expected"),
    [
        (date(2020, 1, 1), END, (START, END)),
        (date(2026, 11, 11), END, (START + 48 * HOUR, END)),
        (date(2026, 11, 16), END, None),
        (date(2020, 1, 1), START + HOUR, (START, START + HOUR)),
        (date(2020, 1, 1), START, None),
        (date(2026, 11, 11), START + 48 * HOUR, None),
    ],
)
def test_window(in_service_from: date, until: int, expected: tuple[int, int] | None) -> None:
    """The window begins with the service and ends with the present."""
    site = replace(SITE, in_service_from=in_service_from)
    assert window_of(site, WEEK, until) == expected
    assert local_midnight_ms(date(2026, 11, 11), ZONE) == START + 48 * HOUR
