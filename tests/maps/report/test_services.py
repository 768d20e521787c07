"""Services of a report: malls by kabupaten, causes in words, and nothing from outside."""

from dataclasses import replace

from maps.report import readiness
from maps.report.document import Paragraph
from maps.report.services import services
from maps.words import load
from model.definition import Definition
from model.inventory import Inventory, Province
from model.outage import Cause
from model.region import Register
from model.service import ServiceWeek
from model.site import Site, SiteKind
from model.timeline import Interval
from tests.maps.made import HOUR_MS, LAST_WEEK, OFFICE_HOURS, ZONE, make_site
from tests.maps.report.province import random_report

START = LAST_WEEK.interval(ZONE).start_ms
PERIOD = Interval(START, START + 168 * HOUR_MS)


def week(site: str, ready: int, **stopped: int) -> ServiceWeek:
    """40 service hours: ready ones first, then what stopped the rest."""
    at = START + ready * HOUR_MS
    named = {}
    for what, hours in stopped.items():
        named[what.replace("_", " ").replace("  ", ": ")] = (Interval(at, at + hours * HOUR_MS),)
        at += hours * HOUR_MS
    window = (Interval(START, START + 40 * HOUR_MS),)
    return ServiceWeek(site, LAST_WEEK, window, (Interval(START, START + ready * HOUR_MS),), named)


def given(register: Register, *listed: Site) -> tuple[Register, Inventory, dict[str, Site]]:
    kinds = {
        kind: SiteKind(kind, kind, kind, OFFICE_HOURS, True, 300)
        for kind in ("kantor_desa", "mpp", "disdukcapil")
    }

    inventory = Inventory(
        Province("61", "Kalimantan Barat", ZONE), (), {}, {}, kinds, listed, Definition()
    )
    return register, inventory, {site.id: site for site in listed}


def test_malls_are_counted_by_kabupaten(register: Register) -> None:
    """Two lines of one mall and a second mall in the same kabupaten: one of two kabupaten has a
    mall that is ready, though only one line of three was up all the time."""
    sites = (
        make_site("m1", "61.01.01.1001", kind="mpp"),
        make_site("m2", "61.01.01.1001", kind="mpp"),
        make_site("m3", "61.01.02.2001", kind="mpp"),
    )
    weeks = [week("m1", 40), week("m2", 0, power=40), week("m3", 10, link=30)]
    found = services(*given(register, *sites), weeks, dict.fromkeys(("m1", "m2", "m3"), PERIOD))
    [mall] = found.kinds
    assert (mall.ready, mall.wanted, mall.existing, mall.seen) == (1, 2, 1, 1)
    assert mall.ready_ms == 50 * HOUR_MS
    assert mall.stopped == ((Cause.LINK, 30 * HOUR_MS),)
    [stopped] = found.stopped
    assert (stopped.site.id, stopped.ready) == ("m3", False)


def test_a_failing_service_is_named_by_what_failed(register: Register) -> None:
    """Causes of the line keep their names; a service's own failures are its application, its
    names or the portal."""
    site = make_site("d", "61.01.01.1001", kind="disdukcapil")
    one = week("d", 10, power=2, application__wrong_status_502=9, dns__no_answer=8,
               international__captive_portal=7)  # fmt: skip
    [stopped] = services(*given(register, site), [one], {"d": PERIOD}).stopped
    hours = {cause: ms // HOUR_MS for cause, ms in stopped.stopped}
    assert hours == {Cause.SERVICE: 9, Cause.DNS: 8, Cause.CAPTIVE_PORTAL: 7, Cause.POWER: 2}
    assert stopped.stopped[0][0] is Cause.SERVICE


def test_what_nobody_saw_is_neither_ready_nor_stopped(register: Register) -> None:
    """A place without a look is wanted, not seen, not ready, and in no list of stopped ones; a
    site that the report is not about is in none at all."""
    known = make_site("a", "61.01.01.1001", kind="disdukcapil")
    weeks = [week("a", 0), week("far", 0, power=40)]
    found = services(*given(register, known), weeks, {"a": PERIOD, "far": PERIOD})
    [kind] = found.kinds
    assert (kind.wanted, kind.seen, kind.ready, kind.ready_share) == (1, 0, 0, None)
    assert kind.observed_share == 0
    assert found.stopped == ()


def test_a_period_cuts_the_hours(register: Register) -> None:
    """Half of the hours lie in the period: half of them are counted."""
    site = replace(make_site("a", "61.01.01.1001"), kind="kantor_desa")
    half = Interval(START, START + 20 * HOUR_MS)
    [kind] = services(*given(register, site), [week("a", 30, link=10)], {"a": half}).kinds
    assert (kind.window_ms, kind.ready_ms, kind.stopped_ms) == (20 * HOUR_MS, 20 * HOUR_MS, 0)


def test_a_service_without_a_site_is_named() -> None:
    """A service of the target that the inventory has no site of is said to be missing, by name."""
    report = random_report(3, weeks=1)
    kinds = dict(report.inventory.kinds)
    kinds["cctv"] = SiteKind("cctv", "CCTV layanan publik", "Camera", OFFICE_HOURS, False, 300)
    words = load("id")
    section = readiness.services(
        replace(report, inventory=replace(report.inventory, kinds=kinds)), words
    )
    said = [block.text for block in section.blocks if isinstance(block, Paragraph)]
    assert words("report.services_missing", kinds="CCTV layanan publik") in said
