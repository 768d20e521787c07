"""The weekly report's figures, by hand."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from maps.coverage import coverage
from maps.report.html import render
from maps.report.weekly import WeeklyReport, weekly_report
from maps.words import LANGUAGES, load
from model.definition import Definition, State
from model.inventory import Inventory
from model.outage import Cause
from model.region import Register
from model.site import Site
from model.summary import SiteWeek, WeekRecord
from tests.maps.made import LAST_WEEK, make_record, make_site, make_site_week

S, U, X, N = State.STABLE, State.UNSTABLE, State.CUT_OFF, State.NOT_OBSERVED
PASAR, DALAM, LUBUK = "61.01.01.1001", "61.01.01.2002", "61.01.02.2001"
Build = Callable[..., WeeklyReport]


@pytest.fixture
def build(register: Register, make_inventory: Callable[..., Inventory]) -> Build:
    """Builds the report from sites and the site weeks of each week, oldest first."""

    def make(sites: list[Site], *weeks: list[SiteWeek]) -> WeeklyReport:
        inventory = make_inventory(*sites)
        records: list[WeekRecord] = [
            make_record(LAST_WEEK.plus(at + 1 - len(weeks)), each, Definition())
            for at, each in enumerate(weeks)
        ]
        return weekly_report(register, inventory, records, coverage(register, inventory, records))

    return make


def test_an_outage_across_the_week_is_repaired_once(build: Build) -> None:
    """Its time counts in each week; its repair counts where it ends, with its whole length."""
    before = make_site_week("a", LAST_WEEK.plus(-1), U, [(162, 6, Cause.POWER)])
    now = make_site_week("a", LAST_WEEK, U, [(0, 4, Cause.POWER), (50, 2, Cause.LINK)])
    outages = build([make_site("a", PASAR)], [before], [now]).outages
    assert (outages.count, outages.ended, outages.open) == (2, 2, 0)
    assert outages.down_seconds == 6 * 3600
    assert outages.mttr_mean_seconds == (10 + 2) / 2 * 3600
    assert outages.mttr_p90_seconds == 10 * 3600
    assert outages.mtbf_seconds == 30 * 3600


def test_an_open_outage_is_not_repaired(build: Build) -> None:
    """What lasts beyond the week is counted as open and enters no time to repair."""
    week = make_site_week("a", LAST_WEEK, X, [(100, 68, Cause.POWER)])
    outages = build([make_site("a", PASAR)], [week]).outages
    assert (outages.count, outages.ended, outages.open) == (1, 0, 1)
    assert outages.mttr_median_seconds is None


def test_causes_and_providers_add_up(build: Build) -> None:
    """Hours by cause and by provider are the same hours."""
    report = build(
        [make_site("a", PASAR), make_site("b", DALAM)],
        [
            make_site_week("a", LAST_WEEK, U, [(0, 3, Cause.POWER), (10, 1, Cause.LINK)]),
            make_site_week("b", LAST_WEEK, U, [(0, 2, Cause.POWER)]),
        ],
    )
    assert [(c.cause, c.count, c.sites, c.seconds) for c in report.by_cause] == [
        (Cause.POWER, 2, 2, 5 * 3600),
        (Cause.LINK, 1, 1, 3600),
    ]
    [score] = report.providers
    assert score.provider.id == "satu"
    assert score.outages == report.outages
    assert score.outages.service.availability == pytest.approx(60 / 80)


def test_the_worst_sites_weigh_people_where_all_are_known(build: Build) -> None:
    """40 h in a village of 500 and 10 h in one of 1,000: people turn the order of two sites."""
    sites = [make_site("a", PASAR), make_site("b", DALAM), make_site("c", LUBUK)]
    week = [
        make_site_week("a", LAST_WEEK, U, [(1, 3, Cause.POWER)]),
        make_site_week("b", LAST_WEEK, U, [(1, 3, Cause.DNS), (9, 4, Cause.LINK)]),
        make_site_week("c", LAST_WEEK, X),
    ]
    report = build(sites, week)
    assert report.weighted_by_people
    assert [worst.site.id for worst in report.worst] == ["a", "c", "b"]
    assert [worst.cause for worst in report.worst] == [Cause.POWER, None, Cause.LINK]
    unknown = build([*sites, make_site("d", "61.06.01.2001")], week)
    assert not unknown.weighted_by_people
    assert [worst.site.id for worst in unknown.worst] == ["c", "a", "b"]


def test_three_outages_in_four_weeks_are_chronic(build: Build) -> None:
    """An outage that crosses a week's end is one of them, not two."""
    weeks = [
        [make_site_week("a", LAST_WEEK.plus(-2), U, [(10, 1, Cause.POWER)])],
        [make_site_week("a", LAST_WEEK.plus(-1), U, [(160, 8, Cause.POWER)])],
        [make_site_week("a", LAST_WEEK, U, [(0, 2, Cause.POWER)])],
    ]
    [worst] = build([make_site("a", PASAR)], *weeks).worst
    assert worst.outages == 2
    assert not worst.chronic
    weeks[-1] = [make_site_week("a", LAST_WEEK, U, [(0, 2, Cause.POWER), (9, 1, Cause.POWER)])]
    [worst] = build([make_site("a", PASAR)], *weeks).worst
    assert worst.chronic


@pytest.mark.parametrize(
    ("states", "newly", "lost", "flapping"),
    [
        ([X, S], True, False, False),
        ([S, U], False, True, False),
        ([S, X, S], True, False, True),
        ([S, S], False, False, False),
    ],
)
def test_moves(states: list[State], newly: bool, lost: bool, flapping: bool, build: Build) -> None:
    """A village moves when it crosses the line of "stable"; twice in four weeks is flapping."""
    weeks = [
        [make_site_week("a", LAST_WEEK.plus(at + 1 - len(states)), state)]
        for at, state in enumerate(states)
    ]
    moves = build([make_site("a", PASAR)], *weeks).moves
    assert moves is not None
    assert (bool(moves.newly_stable), bool(moves.newly_lost)) == (newly, lost)
    assert bool(moves.flapping) is flapping


def test_data_quality_names_what_is_wrong(build: Build) -> None:
    """Silent sites, missing coordinates and foreign codes are listed, each once."""
    report = build(
        [
            make_site("a", PASAR, lat=None, lon=None),
            make_site("b", DALAM),
            make_site("far", "64.02.19.2005"),
        ],
        [make_site_week("a", LAST_WEEK, S), make_site_week("far", LAST_WEEK, S)],
    )
    assert [site.id for site in report.quality.silent] == ["b"]
    assert [site.id for site in report.quality.without_coordinates] == ["a"]
    assert report.quality.outside_register == ("far",)
    assert report.outages.sites == 1


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("weeks", [1, 2, 6])
@pytest.mark.parametrize("state", [None, N, X, S])
def test_odd_weeks_read_well(lang: str, weeks: int, state: State | None, build: Build) -> None:
    """No site, no data, all down, all well; the first week and later ones: a page comes of each,
    with the denominator and the definition's hash."""
    sites = [] if state is None else [make_site("a", PASAR)]
    history = [
        [make_site_week(site.id, LAST_WEEK.plus(at + 1 - weeks), state or N) for site in sites]
        for at in range(weeks)
    ]
    report = build(sites, *history)
    page = render(report, load(lang))
    met = int(state is S and weeks >= 3)
    assert f"<span>{met} / 5</span>" in page
    assert report.coverage.definition.hash in page
    assert "None" not in page
    assert not re.search(r"\bnan\b", page)


def test_a_revision_and_a_fiction_are_said(build: Build) -> None:
    """The page tells which revision it is and that a made-up province is made up."""
    report = build([make_site("a", PASAR)], [make_site_week("a", LAST_WEEK, S)])
    report = replace(report, coverage=replace(report.coverage, revision=2))
    page = render(report, load("id"), fictional=True)
    assert "Revisi 2" in page
    assert load("id")("both.fictional") in page
