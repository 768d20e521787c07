"""Services in history: each ailment shows where it would show, and truth has what it stops."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from model.columns import Block, Coded
from model.measurement import Outcome
from model.outage import Cause
from model.site import Site
from model.timeline import Interval
from simulator.draw import draw_misfortune
from simulator.province import SimulatedProvince, make_province
from simulator.roster import Plan, Roster
from simulator.scenario import Event
from simulator.service_looks import service_looks
from simulator.truth import truth_of

from .conftest import DAY, Rows, rows_of

M, H = 60_000, 3_600_000
NOON = DAY.start_ms + 5 * H
DURING = Interval(NOON, NOON + 6 * H)
Look = Callable[..., Rows]


@pytest.fixture(scope="module")
def market() -> SimulatedProvince:
    """A province with every kind of site, and hardly any loss."""
    return make_province(7, 400, 4, loss_range=(1e-9, 2e-9))


@pytest.fixture(scope="module")
def look(market: SimulatedProvince) -> Look:
    """Plays events over a day and gives the rows of one site's look in a stretch."""

    def looked(
        events: list[Event], site: Site, target: str, during: Interval = DURING, kind: str = ""
    ) -> Rows:
        plan = Plan(market, tuple(events), DAY)
        columns = service_looks(plan, Roster(plan), DAY).columns
        sites = columns["site"]
        own = np.flatnonzero(sites.codes == list(sites.names).index(site.id))
        mine = {
            name: Coded(some.names, some.codes[own]) if isinstance(some, Coded) else some[own]
            for name, some in columns.items()
        }
        return [
            row
            for row in rows_of(Block(mine, own.size))
            if row["target"] == target
            and kind in ("", row["kind"])
            and during.start_ms <= row["at_ms"] < during.end_ms
        ]

    return looked


def of_kind(market: SimulatedProvince, kind: str) -> Site:
    return next(site for site in market.inventory.sites if site.kind == kind)


def said(rows: Rows) -> set[tuple[Outcome, str]]:
    """Which outcomes occur, with their reasons."""
    return {(Outcome(row["outcome"]), row["reason"]) for row in rows}


UP, DOWN, UNKNOWN = Outcome.UP, Outcome.DOWN, Outcome.UNKNOWN
WELL = {(UP, "")}
POST, OFFICE, HOTSPOT, CAMERA = "pos_layanan_desa_digital", "disdukcapil", "public_wifi", "cctv"


@pytest.mark.parametrize(
    ("at", "kind", "parameters", "target", "outcome", "reason", "stopped"),
    [
        (POST, "lan_cut", {}, "lan:router", DOWN, "no answer", Cause.LAN),
        (POST, "lan_cut", {}, "application:siap", UNKNOWN, "below: lan", Cause.LAN),
        (POST, "dns_trouble", {"how": "dead"}, "dns:resolver", DOWN, "no answer", Cause.DNS),
        (POST, "dns_trouble", {"how": "dead"}, "application:siap", UNKNOWN, "below: dns",
         Cause.DNS),
        (POST, "dns_trouble", {"how": "lies"}, "dns:resolver", DOWN, "answer tampered with",
         Cause.DNS),
        (POST, "dns_trouble", {"how": "rewrites"}, "dns:resolver", UP, "", None),
        (HOTSPOT, "portal", {}, "national:hotspot", DOWN, "captive portal", Cause.CAPTIVE_PORTAL),
        (HOTSPOT, "quota", {}, "national:hotspot", DOWN, "quota used up", Cause.CAPTIVE_PORTAL),
        # Nothing else passes: that is an outage of the line, and no stop.
        (HOTSPOT, "quota", {"total": True}, "national:hotspot", DOWN, "quota used up", None),
        (POST, "service_trouble", {"how": "error"}, "application:siap", DOWN, "wrong status 502",
         Cause.SERVICE),
        (POST, "service_trouble", {"how": "refused"}, "application:siap", DOWN,
         "connection refused", Cause.SERVICE),
        (POST, "service_trouble", {"how": "half_dead"}, "application:siap", DOWN, "no answer",
         Cause.SERVICE),
        (POST, "service_trouble", {"how": "slow"}, "application:siap", UP, "", None),
        (OFFICE, "service_trouble", {"how": "certificate"}, "application:sertifikat", DOWN,
         "certificate expired", Cause.SERVICE),
        (OFFICE, "service_trouble", {"how": "certificate"}, "application:rekam", DOWN,
         "certificate expired", Cause.SERVICE),
        (CAMERA, "service_trouble", {"how": "refused"}, "application:kamera", DOWN,
         "connection refused", Cause.SERVICE),
        (CAMERA, "service_trouble", {"how": "error"}, "application:kamera", DOWN,
         "wrong status 503", Cause.SERVICE),
        (CAMERA, "link_cut", {}, "application:kamera", UNKNOWN, "below: site", None),
        (POST, "link_cut", {}, "application:siap", UNKNOWN, "below: isp_gateway", None),
        (POST, "link_cut", {}, "lan:router", UP, "", None),
        (POST, "mtu_black_hole", {"mtu_bytes": 1400.0}, "application:siap", DOWN, "no answer",
         Cause.UPSTREAM),
        (POST, "path_change", {}, "application:siap", UP, "", None),
    ],
)  # fmt: skip
def test_what_each_ailment_shows_and_stops(
    market: SimulatedProvince,
    look: Look,
    at: str,
    kind: str,
    parameters: dict[str, Any],
    target: str,
    outcome: Outcome,
    reason: str,
    stopped: Cause | None,
) -> None:
    """While it lasts its look says so, before and after all is well; truth names what it stops."""
    site = of_kind(market, at)
    event = Event(kind, "site", site.id, *DURING, parameters)
    assert said(look([event], site, target)) == {(outcome, reason)}
    assert said(look([event], site, target, Interval(DAY.start_ms, NOON))) == WELL
    assert said(look([event], site, target, Interval(DURING.end_ms, DAY.end_ms))) == WELL
    truth = truth_of(market, [event], DAY)
    assert [(one.interval, one.cause) for one in truth.stops] == (
        [(DURING, stopped)] if stopped else []
    )
    cut = {"link_cut": Cause.LINK}.get(kind)
    cut = Cause.CAPTIVE_PORTAL if parameters.get("total") else cut
    assert {one.cause for one in truth.outages} == ({cut} if cut else set())


def test_readings_that_explain(market: SimulatedProvince, look: Look) -> None:
    """What stops nothing is read off: a slow page, made-up names, another path, a hole for large
    packets, a shaped line, branches in front of a dish."""
    post = of_kind(market, POST)
    dish = next(one for one in market.inventory.checks if one.kind == "starlink")
    leo = market.inventory.by_id[min(dish.sites)]
    for site, kind, parameters, target, metric, during, usually in (
        (post, "service_trouble", {"how": "slow"}, "application:siap", "first_byte_seconds", 4, 0),
        (post, "dns_trouble", {"how": "rewrites"}, "dns:resolver", "dns_nxdomain_rewritten", 1, 0),
        (post, "path_change", {}, "application:jalur", "hop_count", 9, 7),
        (post, "mtu_black_hole", {"mtu_bytes": 1400.0}, "application:jalur", "path_mtu_bytes",
         1400, 1500),
        (post, "mtu_black_hole", {}, "application:jalur", "mtu_black_hole", 1, 0),
        (post, "shaped", {"mbit_s": 1.0}, "application:laju", "download_mbit_s", 1, 8),
        (leo, "obstruction", {"share": 0.1}, "wan:parabola", "dish_obstructed_share", 0.1, 0),
    ):  # fmt: skip
        event = Event(kind, "site", site.id, *DURING, parameters)
        there = [row[metric] for row in look([event], site, target)]
        before = [row[metric] for row in look([], site, target)]
        assert np.median(there) == pytest.approx(during, abs=0.2 if during < 5 else 1), kind
        assert np.median(before) == pytest.approx(usually, abs=2.5 if usually == 8 else 0.5), kind


def test_a_path_changes_twice(market: SimulatedProvince, look: Look) -> None:
    """The event of a change is seen once when it begins and once when it ends, by another id."""
    post = of_kind(market, POST)
    rows = look([Event("path_change", "site", post.id, *DURING)], post, "application:jalur", DAY)
    changed = [row["at_ms"] for row in rows if row["path_changed"]]
    assert len(rows) == 24
    assert [Interval(NOON, NOON + H).start_ms <= changed[0] < NOON + H, len(changed)] == [True, 2]
    assert DURING.end_ms <= changed[1] < DURING.end_ms + H
    assert len({row["path_id"] for row in rows}) == 2


def test_a_certificate_counts_down(market: SimulatedProvince, look: Look) -> None:
    """The days left fall to nothing when the event begins, and are many when it is over."""
    office = of_kind(market, OFFICE)
    event = Event("service_trouble", "site", office.id, *DURING, {"how": "certificate"})
    rows = look([event], office, "application:sertifikat", DAY)
    days = {row["at_ms"]: row["certificate_days"] for row in rows}
    for at_ms, left in days.items():
        if at_ms < DURING.end_ms:
            assert left == pytest.approx((NOON - at_ms) / 86_400_000, abs=1e-3)
        else:
            assert left > 25


def test_what_befalls_a_service_befalls_all_who_need_it(
    market: SimulatedProvince, look: Look
) -> None:
    """An application that fails does so for every site that uses it, and for no other."""
    event = Event("service_trouble", "service", "siap", *DURING, {"how": "error"})
    stopped = {one.site for one in truth_of(market, [event], DAY).stops}
    assert stopped == {site.id for site in market.inventory.sites if site.kind == POST}
    assert said(look([event], of_kind(market, OFFICE), "application:rekam")) == WELL


def test_a_stop_is_the_services_and_an_outage_the_lines(market: SimulatedProvince) -> None:
    """While the line is down the stop of a service is that outage, and counted once."""
    post = of_kind(market, POST)
    events = [
        Event("service_trouble", "site", post.id, *DURING, {"how": "error"}),
        Event("link_cut", "site", post.id, NOON + H, NOON + 2 * H),
    ]
    truth = truth_of(market, events, DAY)
    assert [one.interval for one in truth.stops] == [
        Interval(NOON, NOON + H),
        Interval(NOON + 2 * H, DURING.end_ms),
    ]
    assert [one.interval for one in truth.outages] == [Interval(NOON + H, NOON + 2 * H)]


def test_every_state_occurs_in_a_drawn_week(market: SimulatedProvince) -> None:
    """A week as it is drawn has each trouble of services at least once, and a calm one none."""
    week = Interval(DAY.start_ms, DAY.start_ms + 7 * 86_400_000)
    events = draw_misfortune(market, week, 3)
    states = {(event.kind, event.parameters.get("how", "")) for event in events}
    assert {("service_trouble", how) for how in
            ("error", "refused", "half_dead", "slow", "certificate")} <= states  # fmt: skip
    assert {("dns_trouble", how) for how in ("dead", "lies", "rewrites")} <= states
    assert {(kind, "") for kind in ("lan_cut", "portal", "quota", "deserted", "path_change",
            "mtu_black_hole", "shaped", "obstruction")} <= states  # fmt: skip
    causes = {one.cause for one in truth_of(market, events, week).stops}
    assert causes == {Cause.LAN, Cause.DNS, Cause.CAPTIVE_PORTAL, Cause.SERVICE, Cause.UPSTREAM}
    assert {event.kind for event in draw_misfortune(market, week, 3, 0.0)} == {"power_schedule"}
