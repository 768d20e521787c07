"""The providers' evidence: it adds up to the SLA figure, for weeks and for months."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from collector.accounting import account, window_of
from collector.settings import AccountingSettings
from maps.report.evidence import Counts, Evidence, add_up, evidence
from maps.report.month import Month, site_months
from model.definition import Quality
from model.inventory import Inventory, Maintenance
from model.measurement import Outcome
from model.outage import Cause, Outage
from model.summary import SiteWeek, Summary, WeekRecord
from model.timeline import Interval, Run
from model.week import Week, local_midnight_ms
from tests.maps.made import HOUR_MS, ZONE, make_record, make_site

SETTINGS = AccountingSettings()
EXEMPT = frozenset(SETTINGS.exempt_causes)
FAR = 10**15
Make = Callable[..., Inventory]


def timeline(rng: random.Random, span: Interval) -> tuple[list[Run], list[Outage]]:
    """A random timeline without holes, and an outage for each stretch that is DOWN."""
    runs: list[Run] = []
    outages: list[Outage] = []
    at = span.start_ms
    while at < span.end_ms:
        end = min(span.end_ms, at + rng.randrange(1, 40 * HOUR_MS))
        outcome = rng.choice(list(Outcome))
        runs.append(Run(at, end, outcome))
        if outcome is Outcome.DOWN:
            cause = rng.choice([Cause.POWER, Cause.LINK, Cause.UPSTREAM, Cause.MAINTENANCE])
            outages.append(Outage("a", at, end, open=False, cause=cause, confidence=0.9))
        at = end
    return runs, outages


def concluded(
    inventory: Inventory, week: Week, runs: list[Run], outages: list[Outage]
) -> SiteWeek | None:
    """The week as the collector's own accounting concludes it."""
    site = inventory.by_id["a"]
    window = window_of(site, week, FAR)
    if window is None:
        return None
    touching = [one for one in outages if one.interval.clip(window) is not None]
    return account(
        site, week, window, runs, touching, Quality(), inventory, inventory.definition, SETTINGS
    )


def rows_of(inventory: Inventory, item: SiteWeek, period: Interval) -> Evidence:
    return evidence(inventory, [item], {"a": period}, EXEMPT)


@pytest.mark.parametrize("seed", range(40))
def test_the_rows_add_up_to_the_weekly_figure(seed: int, make_inventory: Make) -> None:
    """Adding the rows up gives the collector's SLA summary to the millisecond, and no two rows
    of a site overlap."""
    rng = random.Random(seed)  # noqa: S311 - data of a test
    week = Week(2026, 46)
    span = week.interval(ZONE)
    begin = span.start_ms + rng.randrange(150 * HOUR_MS)
    work = Maintenance(Interval(begin, begin + 9 * HOUR_MS), "work", frozenset({"a"}))
    inventory = replace(make_inventory(make_site("a", "61.01.01.1001")), maintenance=(work,))
    item = concluded(inventory, week, *timeline(rng, span))
    assert item is not None
    rows = rows_of(inventory, item, span).rows
    assert add_up(rows, span) == item.sla
    assert all(one.interval.end_ms <= two.interval.start_ms
               for one, two in pairwise(rows))  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_a_month_is_cut_out_of_its_weeks(seed: int, make_inventory: Make) -> None:
    """A month counted from its weeks is what the accounting finds over the month itself: raw,
    service hours and SLA, in every month of a year with summer time too."""
    rng = random.Random(seed)  # noqa: S311 - data of a test
    zone = rng.choice([ZONE, "Asia/Makassar", "Asia/Jayapura", "Europe/Berlin"])
    month = Month(2026, rng.randrange(1, 13))
    start = date(2026, month.number, rng.choice([1, 2, 15])) if seed % 2 else date(2025, 1, 1)
    site = make_site("a", "61.01.01.1001", timezone=zone, in_service_from=start)
    inventory = make_inventory(site)
    span = Interval(month.weeks[0].interval(zone).start_ms, month.weeks[-1].interval(zone).end_ms)
    runs, outages = timeline(rng, span)
    weeks = [concluded(inventory, week, runs, outages) for week in month.weeks]
    records: list[WeekRecord] = [
        make_record(item.week, [item], inventory.definition) for item in weeks if item is not None
    ]
    bounds = month.interval(zone)
    period = Interval(max(bounds.start_ms, local_midnight_ms(start, zone)), bounds.end_ms)
    [found] = site_months(inventory, records, {"a": period}, EXEMPT)
    touching = [one for one in outages if one.interval.clip(period) is not None]
    whole = account(
        site, month.weeks[0], period, runs, touching, Quality(), inventory,
        inventory.definition, SETTINGS,
    )  # fmt: skip
    assert (found.raw, found.service, found.sla) == (whole.raw, whole.service, whole.sla)
    assert sum(o.interval.length_ms for o in found.outages) == whole.raw.down_ms


def test_a_contract_from_the_second_is_judged_over_thirty_days(make_inventory: Make) -> None:
    """The audit office's case: in service from 2 October, so the period has 30 days, and 36 hours
    down are 5.00 % of it and not 4.84 % of 31 days."""
    site = make_site("a", "61.01.01.1001", in_service_from=date(2026, 10, 2))
    inventory = make_inventory(site)
    month = Month.parse("2026-10")
    begun = round(datetime(2026, 10, 14, tzinfo=UTC).timestamp() * 1000)
    down = Interval(begun, begun + 36 * HOUR_MS)
    span = Interval(month.weeks[0].interval(ZONE).start_ms, month.weeks[-1].interval(ZONE).end_ms)
    runs = [
        Run(span.start_ms, down.start_ms, Outcome.UP),
        Run(*down, Outcome.DOWN),
        Run(down.end_ms, span.end_ms, Outcome.UP),
    ]
    outage = Outage("a", *down, open=False, cause=Cause.LINK, confidence=0.9)
    weeks = [concluded(inventory, week, runs, [outage]) for week in month.weeks]
    records = [make_record(one.week, [one], inventory.definition) for one in weeks if one]
    period = Interval(local_midnight_ms(date(2026, 10, 2), ZONE), month.interval(ZONE).end_ms)
    [item] = site_months(inventory, records, {"a": period}, EXEMPT)
    assert item.sla.window_ms == 30 * 24 * HOUR_MS
    assert item.sla.availability == pytest.approx(1 - 36 / 720)
    [row] = rows_of(inventory, item, period).rows
    assert (row.counts, row.interval, row.cause) == (Counts.DOWN, down, "link")


def test_exempt_time_is_excluded_and_blindness_counts_for_nobody(make_inventory: Make) -> None:
    """A power cut is excluded, a blind centre is neither up nor down: 10 h each, 4 h counted."""
    week = Week(2026, 46)
    at = week.interval(ZONE).start_ms
    marks = [at + hours * HOUR_MS for hours in (0, 10, 20, 30, 34, 168)]
    outcomes = (Outcome.UP, Outcome.DOWN, Outcome.UNKNOWN, Outcome.DOWN, Outcome.UP)
    runs = [Run(a, b, o) for a, b, o in zip(marks[:-1], marks[1:], outcomes, strict=True)]
    outages = [
        Outage("a", marks[1], marks[2], open=False, cause=Cause.POWER, confidence=0.9),
        Outage("a", marks[3], marks[4], open=False, cause=Cause.LINK, confidence=0.9),
    ]
    inventory = make_inventory(make_site("a", "61.01.01.1001"))
    item = concluded(inventory, week, runs, outages)
    assert item is not None
    rows = rows_of(inventory, item, week.interval(ZONE)).rows
    assert [row.counts for row in rows] == [Counts.EXEMPT, Counts.UNKNOWN, Counts.DOWN]
    hours = [144, 4, 10, 10]
    assert item.sla == Summary(*(each * HOUR_MS for each in hours))


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "26-10", "2026-W10", "", "9999-12"])
def test_what_is_no_month_is_refused(text: str) -> None:
    """The message says how a month is written."""
    with pytest.raises(ValueError, match="write it as 2026-10"):
        Month.parse(text)


def test_every_month_is_covered_by_its_weeks() -> None:
    """From 2024 to 2030 the weeks of a month hold all its days, and its last whole week ends in
    it."""
    for year in range(2024, 2031):
        for number in range(1, 13):
            month = Month(year, number)
            assert month.weeks[0].monday <= month.first
            assert month.weeks[-1].sunday >= month.last
            assert month.first <= month.last_whole_week.sunday <= month.last
            assert 4 <= len(month.weeks) <= 6
