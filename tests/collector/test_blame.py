"""Blame: neighbours, parents, and evidence that competes."""

from dataclasses import replace

import pytest

from collector.blame import blame
from collector.facts import Boot, Facts, Loss
from collector.islands import Island, Series
from collector.neighbours import Silence
from collector.settings import BlameSettings
from collector.verdict import SiteLooks
from model.definition import Definition
from model.inventory import Inventory, Maintenance, Province, Upstream
from model.measurement import Outcome
from model.outage import Cause, Outage
from model.site import Access, Site
from model.timeline import Interval
from tests.collector.sites import a_site

MIN = 60_000
SETTINGS = BlameSettings()
SITE = a_site("s1")
UPSTREAMS = {
    "lone": Upstream("lone", "lone", "isp"),
    "backbone": Upstream("backbone", "backbone", "isp"),
    "pop": Upstream("pop", "pop", "isp", parent="backbone"),
    "pop2": Upstream("pop2", "pop2", "isp", parent="backbone"),
}
NO_FACTS = Facts({}, {}, {})
DEFINITION = Definition()


def sites(count: int, **values: str) -> list[Site]:
    return [replace(SITE, id=f"s{n}", name=f"s{n}", **values) for n in range(1, count + 1)]


def judge(
    watched: list[Site],
    fell: dict[str, tuple[int, int]],
    facts: Facts = NO_FACTS,
    looks: dict[str, SiteLooks] | None = None,
    maintenance: tuple[Maintenance, ...] = (),
) -> dict[str, Outage]:
    """The outages of the sites that fell (minutes from, to), each watched by the centre."""
    spans = [(site, Interval(start * MIN, end * MIN)) for site, (start, end) in fell.items()]
    outages = _blamed(watched, spans, facts, looks or {}, maintenance)
    return {outage.site: outage for outage in outages}


def judge_many(watched: list[Site], fell: list[tuple[str, int]]) -> list[Outage]:
    """Outages of six minutes each that began at these minutes, in this order."""
    spans = [(site, Interval(start * MIN, (start + 6) * MIN)) for site, start in fell]
    return _blamed(watched, spans, NO_FACTS, {}, ())


def _blamed(
    watched: list[Site],
    spans: list[tuple[str, Interval]],
    facts: Facts,
    looks: dict[str, SiteLooks],
    maintenance: tuple[Maintenance, ...],
) -> list[Outage]:
    inventory = Inventory(
        province=Province("61", "Kalimantan Barat", "Asia/Pontianak"),
        kabupaten=(),
        providers={},
        upstreams=UPSTREAMS,
        kinds={},
        sites=tuple(watched),
        definition=DEFINITION,
        maintenance=maintenance,
    )
    island = Island(0, 10**9, Outcome.UP, "", 1000, MIN)
    seen: dict[str, SiteLooks] = {}
    for site in watched:
        seen[site.id] = SiteLooks()
        seen[site.id].add(Series(site.id, "centre", "ping", "site", (island,)))
    silences = [Silence(inventory.by_id[site], span, False) for site, span in spans]
    return blame(silences, inventory, {**seen, **looks}, facts, SETTINGS)


@pytest.mark.parametrize(
    ("fell", "total", "cause"),
    [
        (3, 3, Cause.UPSTREAM),
        (3, 5, Cause.UPSTREAM),
        (3, 6, Cause.LINK),  # half of what hangs on it lives
        (2, 2, Cause.LINK),  # two are a coincidence
    ],
)
def test_upstream_needs_three_and_most(fell: int, total: int, cause: Cause) -> None:
    """Three or more sites and most of the node: one parent outage; else each on its own."""
    found = judge(sites(total, upstream="lone"), {f"s{n}": (100, 160) for n in range(1, fell + 1)})
    assert {one.cause for one in found.values()} == {cause}
    parent = f"upstream:lone@{100 * 60}" if cause is Cause.UPSTREAM else None
    assert {one.parent for one in found.values()} == {parent}


def test_together_means_within_the_window() -> None:
    """Sites that fall an hour apart did not fall together."""
    found = judge(sites(3, upstream="pop"), {"s1": (100, 160), "s2": (160, 220), "s3": (220, 280)})
    assert {one.cause for one in found.values()} == {Cause.LINK}


def test_a_site_that_flaps_is_one_witness() -> None:
    """Three outages of one site are not three sites."""
    found = judge_many(sites(3, upstream="lone"), [("s1", 100), ("s1", 107), ("s1", 114)])
    assert {one.cause for one in found} == {Cause.LINK}


def test_a_node_that_fails_twice_has_two_outages() -> None:
    """The same three sites fall again an hour later: two parents, by the start of each failure."""
    times = [(site, start) for start in (100, 160) for site in ("s1", "s2", "s3")]
    found = judge_many(sites(3, upstream="lone"), times)
    assert [one.parent for one in found] == ["upstream:lone@6000"] * 3 + ["upstream:lone@9600"] * 3


def test_the_widest_whole_node_is_the_parent() -> None:
    """When both POPs under a backbone fall, the backbone owns them; when one does, that POP."""
    first = sites(3, upstream="pop")
    second = [replace(site, id=f"t{n}", upstream="pop2") for n, site in enumerate(first)]
    both = {site.id: (100, 160) for site in (*first, *second)}
    found = judge([*first, *second], both)
    assert {one.parent for one in found.values()} == {"upstream:backbone@6000"}
    one_pop = {site.id: (100, 160) for site in first}
    found = judge([*first, *second], one_pop)
    assert {one.parent for one in found.values()} == {"upstream:pop@6000"}


def test_who_falls_an_hour_later_is_no_child() -> None:
    """A node that takes half of its sites twice fell neither time; a lone site that falls an hour
    after the others is not owned by their outage."""
    early = {f"s{n}": (100, 110) for n in range(1, 4)}
    late = {f"s{n}": (200, 210) for n in range(4, 7)}
    found = judge(sites(6, upstream="lone"), {**early, **late})
    assert {one.cause for one in found.values()} == {Cause.LINK}  # half of the node each time
    found = judge(sites(5, upstream="lone"), {**early, "s4": (200, 210)})
    assert {found[one].parent for one in early} == {"upstream:lone@6000"}
    assert found["s4"].parent is None


def test_the_feeder_owns_who_fell_with_it_and_whose_battery_ran_down() -> None:
    """A battery's outage belongs to the feeder's failure that goes on; once that is over, not."""
    watched = sites(6, feeder="f")
    fell = {"s1": (100, 300), "s2": (100, 300), "s3": (101, 300), "s4": (200, 300)}
    found = judge(watched, {**fell, "s5": (400, 460)})
    assert {one.parent for one in found.values() if one.site != "s5"} == {"feeder:f@6000"}
    assert found["s4"].cause is Cause.POWER
    assert (found["s5"].cause, found["s5"].parent) == (Cause.LINK, None)


def boots(*ids: str, reason: int, at: int) -> Facts:
    return Facts({one: [Boot(at * MIN, at * MIN, 10**9, reason)] for one in ids}, {}, {})


@pytest.mark.parametrize(
    ("reason", "at", "cause"),
    [
        (1, 158, Cause.POWER),
        (2, 158, Cause.DEVICE),
        (0, 158, Cause.POWER),
        (3, 158, Cause.LINK),  # a planned restart says nothing; the line is the usual cause
        (1, 162, Cause.POWER),  # clocks differ a little
        (1, 170, Cause.LINK),  # long after: another story
        (1, 90, Cause.LINK),
    ],
)
def test_a_boot_within_the_outage_names_the_cause(reason: int, at: int, cause: Cause) -> None:
    """Power or device by what the device says of its start, if the start belongs to the outage."""
    found = judge(sites(1), {"s1": (100, 160)}, boots("s1", reason=reason, at=at))
    assert found["s1"].cause is cause


def village(national: Outcome, gateway: Outcome, first: int, last: int) -> SiteLooks:
    """The looks of a site's own probe outward, one a minute."""
    looks = SiteLooks()
    for target, outcome in (("national", national), ("isp_gateway", gateway)):
        island = Island(first * MIN, last * MIN, outcome, "", last - first + 1, MIN)
        looks.add(Series("s1", "village", "ping", target, (island,)))
    return looks


@pytest.mark.parametrize(
    ("looks", "cause", "rule"),
    [
        (village(Outcome.DOWN, Outcome.DOWN, 100, 159), Cause.LINK, "rungs"),
        (village(Outcome.DOWN, Outcome.UP, 100, 159), Cause.UPSTREAM, "rungs"),
        # It fell silent with its last good look before the outage: that look says nothing of it.
        (village(Outcome.UP, Outcome.UP, 40, 99), Cause.LINK, "prior"),
    ],
)
def test_the_probe_that_lived_tells_link_from_upstream(
    looks: SiteLooks, cause: Cause, rule: str
) -> None:
    """Whether the provider's first hop answered decides; looks outside the outage do not."""
    found = judge(sites(1), {"s1": (100, 160)}, looks={"s1": looks})["s1"]
    assert (found.cause, found.evidence[0].rule) == (cause, rule)


def test_neighbours_that_fade_lend_their_evidence() -> None:
    """Satellite sites whose loss climbed speak for a third that fell too fast to show it."""
    watched = sites(3, access=Access.GEO)
    fell = {"s1": (100, 140), "s2": (110, 150), "s3": (105, 150)}
    climbed = {0: Loss(30, 100, 0.0), 1: Loss(30, 100, 0.0)}
    found = judge(watched, fell, Facts({}, {}, climbed))
    assert {one.cause for one in found.values()} == {Cause.SATELLITE_FADE}
    alone = judge(watched, fell, Facts({}, {}, {0: climbed[0]}))
    assert (alone["s1"].cause, alone["s3"].cause) == (Cause.SATELLITE_FADE, Cause.LINK)


def test_announced_work_outweighs_everything() -> None:
    """Maintenance is the cause even when the whole upstream fell and boots say power."""
    watched = sites(4, upstream="pop", feeder="f")
    fell = {site.id: (100, 160) for site in watched}
    work = Maintenance(Interval(90 * MIN, 170 * MIN), "splice", upstreams=frozenset({"backbone"}))
    found = judge(watched, fell, boots(*fell, reason=1, at=158), maintenance=(work,))
    assert {one.cause for one in found.values()} == {Cause.MAINTENANCE}


def test_evidence_that_decided_stands_first_and_confidence_is_a_share() -> None:
    """The first evidence is for the cause; agreement raises the confidence, contradiction
    lowers it."""
    bare = judge(sites(1), {"s1": (100, 160)})["s1"]
    power = judge(sites(1), {"s1": (100, 160)}, boots("s1", reason=1, at=158))["s1"]
    watched = sites(3, upstream="pop")
    fell = {site.id: (100, 160) for site in watched}
    contradicted = judge(watched, fell, boots("s1", reason=1, at=158))["s1"]
    for one in (bare, power, contradicted):
        assert one.evidence[0].cause is one.cause
        assert 0 < one.confidence < 1
    assert bare.confidence < contradicted.confidence < power.confidence
