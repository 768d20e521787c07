"""Unknown is neither up nor down (T-06): what a blind stretch may change in a report."""

from collections.abc import Callable

import pytest

from collector.accounting import account, window_of
from collector.settings import AccountingSettings
from maps.coverage import coverage
from maps.report.compose import compose
from maps.report.document import Facts, Form, Table
from maps.report.seal import seal
from maps.report.weekly import WeeklyReport, weekly_report
from maps.words import load
from model.definition import Quality
from model.inventory import Inventory
from model.measurement import Outcome
from model.outage import Cause, Outage
from model.region import Register
from model.timeline import Run
from tests.maps.made import HOUR_MS, LAST_WEEK, ZONE, make_record, make_site
from tests.maps.report.province import random_report

START = LAST_WEEK.interval(ZONE).start_ms
Build = Callable[..., WeeklyReport]


@pytest.fixture
def build(register: Register, make_inventory: Callable[..., Inventory]) -> Build:
    """A report on one site whose week is given as (hours, outcome)."""

    def make(*stretches: tuple[int, Outcome]) -> WeeklyReport:
        inventory = make_inventory(make_site("a", "61.01.01.1001"))
        site, at, runs, outages = inventory.sites[0], START, [], []
        for hours, outcome in stretches:
            end = at + hours * HOUR_MS
            runs.append(Run(at, end, outcome))
            if outcome is Outcome.DOWN:
                outages.append(Outage("a", at, end, False, Cause.LINK, 0.9))
            at = end
        window = window_of(site, LAST_WEEK, 10**15)
        assert window is not None
        item = account(site, LAST_WEEK, window, runs, outages, Quality(), inventory,
                       inventory.definition, AccountingSettings())  # fmt: skip
        records = [make_record(LAST_WEEK, [item], inventory.definition)]
        return weekly_report(register, inventory, records, coverage(register, inventory, records))

    return make


UP, DOWN, UNKNOWN = Outcome.UP, Outcome.DOWN, Outcome.UNKNOWN


def test_a_blind_centre_adds_no_downtime(build: Build) -> None:
    """A day in which nobody could see: no second of downtime, no outage, the same availability;
    only the observed share falls, from 168 of 168 hours to 144."""
    calm, blind = build((168, UP)), build((48, UP), (24, UNKNOWN), (96, UP))
    for one in (calm, blind):
        assert (one.outages.count, one.outages.down_seconds) == (0, 0)
        assert one.outages.raw.availability == one.service.availability == 1
        assert one.worst == ()
        assert all(score.outages.sla.availability == 1 for score in one.providers)
    assert calm.outages.raw.observed_share == 1
    assert blind.outages.raw.observed_share == pytest.approx(144 / 168)


def test_the_three_are_counted_by_time(build: Build) -> None:
    """100 h up, 20 h down, 48 h unknown: 100 / 120 available, 120 / 168 observed, exactly."""
    raw = build((60, UP), (20, DOWN), (48, UNKNOWN), (40, UP)).outages.raw
    assert (raw.up_ms, raw.down_ms, raw.unknown_ms) == (100 * HOUR_MS, 20 * HOUR_MS, 48 * HOUR_MS)
    assert raw.availability == pytest.approx(100 / 120)
    assert raw.observed_share == pytest.approx(120 / 168)


def test_availability_never_stands_alone() -> None:
    """In every table that shows an availability, the column beside it is the observed share (but
    for the limits, which are asked and not reached); among the facts it follows."""
    report, words = random_report(3), load("id")
    shares = {
        words(key) for key in ("both.availability", "report.sla_reached", "report.hours_ready")
    }
    observed, found = words("both.observed_share"), 0
    for section in compose(report, words, seal(report, "id")).sections:
        for block in section.blocks:
            if isinstance(block, Table) and block.key != "limits":
                heads = [column.heading for column in block.columns]
                for at, head in enumerate(heads):
                    if head in shares:
                        found += 1
                        assert heads[at + 1] == observed
                        assert block.columns[at + 1].form is Form.SHARE
            elif isinstance(block, Facts):
                labels = [fact.label for fact in block.rows]
                if words("report.raw_availability") in labels:
                    found += 1
                    at = labels.index(words("report.raw_availability"))
                    assert labels[at + 1] == words("report.raw_observed")
    assert found == 5
