"""History: each misfortune leaves the evidence that it would leave, and nothing else does."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from model.columns import Block, Coded
from model.measurement import Outcome
from model.site import Site
from model.timeline import Interval
from simulator.history import History, blocks
from simulator.province import SimulatedProvince, make_province
from simulator.roster import Plan
from simulator.scenario import Event

from .conftest import DAY, Rows

M, H = 60_000, 3_600_000
NOON = DAY.start_ms + 5 * H
Play = Callable[..., Rows]


def at(site: Site, kind: str, minutes: float, **parameters: Any) -> Event:
    """An event at a site that begins at noon."""
    return Event(kind, "site", site.id, NOON, NOON + round(minutes * M), parameters)


def series(rows: Rows, vantage: str, kind: str, target: str, during: Interval) -> Rows:
    """The rows of one series that lie in an interval."""
    return [
        row
        for row in rows
        if (row["vantage"], row["kind"], row["target"]) == (vantage, kind, target)
        and during.start_ms <= row["at_ms"] < during.end_ms
    ]


def outcomes(rows: Rows) -> set[Outcome]:
    """Which outcomes occur."""
    return {Outcome(row["outcome"]) for row in rows}


def seen(rows: Rows, during: Interval) -> dict[str, set[Outcome]]:
    """The outcomes of the four series of a site in an interval."""
    return {
        "centre": outcomes(series(rows, "centre", "ping", "site", during)),
        "device": outcomes(series(rows, "village", "device", "device", during)),
        "gateway": outcomes(series(rows, "village", "ping", "isp_gateway", during)),
        "national": outcomes(series(rows, "village", "ping", "national", during)),
    }


UP, DOWN, NONE = {Outcome.UP}, {Outcome.DOWN}, set[Outcome]()
BELOW = {Outcome.UNKNOWN}
"""What failed above a rung that failed too."""
Seen = tuple[set[Outcome], ...]
"""What the centre, the device, the gateway and the national target said."""


def test_a_quiet_day(play: Play, probed: Site) -> None:
    """Without misfortune everything is up, at its interval, in its phase, within the day."""
    rows = play([], probed.id)
    assert seen(rows, DAY) == {"centre": UP, "device": UP, "gateway": UP, "national": UP}
    for vantage, kind, target, count in (
        ("centre", "ping", "site", 288),
        ("centre", "device", "device", 96),
        ("village", "device", "device", 288),
        ("village", "ping", "national", 288),
    ):
        times = [row["at_ms"] for row in series(rows, vantage, kind, target, DAY)]
        assert len(times) == count
        assert set(np.diff(times)) == {86_400_000 // count}
    ping = series(rows, "centre", "ping", "site", DAY)[7]
    assert (ping["sent"], ping["received"], ping["reason"]) == (5, 5, "")
    assert ping["rtt_min_seconds"] < ping["rtt_median_seconds"] < ping["rtt_max_seconds"]
    own = series(rows, "village", "device", "device", DAY)
    assert len({row["boot_id"] for row in own}) == 1
    assert all(0 < row["boot_id"] < 1 << 48 and row["boot_id"] % 1 == 0 for row in own)


@pytest.mark.parametrize(
    ("kind", "parameters", "expected"),
    [
        ("power_cut", {}, (DOWN, NONE, NONE, NONE)),
        ("device_hang", {}, (DOWN, NONE, NONE, NONE)),
        ("link_cut", {}, (DOWN, UP, DOWN, BELOW)),
        ("maintenance", {}, (DOWN, UP, DOWN, BELOW)),
        ("probe_off", {}, (UP, NONE, NONE, NONE)),
        ("spool_overflow", {}, (UP, NONE, NONE, NONE)),
        ("brown_out", {"loss": 0.0, "delay_factor": 3.0}, (UP, UP, UP, UP)),
        ("clock_wrong", {"offset_seconds": 30.0}, (UP, UP, UP, UP)),
    ],
)
def test_what_each_vantage_sees(
    play: Play, probed: Site, kind: str, parameters: dict[str, float], expected: Seen
) -> None:
    """During the event each vantage sees what it can, an hour before and after all is well."""
    rows = play([at(probed, kind, 120, **parameters)], probed.id)
    core = Interval(NOON + 5 * M, NOON + 115 * M)
    assert tuple(seen(rows, core).values()) == expected
    well = {"centre": UP, "device": UP, "gateway": UP, "national": UP}
    assert seen(rows, Interval(NOON - H, NOON - M)) == well
    assert seen(rows, Interval(NOON + 3 * H, NOON + 4 * H)) == well
    down = [row for row in rows if row["outcome"] == Outcome.DOWN]
    assert all(row["reason"] == "no answer" and row["sent"] == 10 for row in down)
    assert all(NOON <= row["at_ms"] < NOON + 125 * M for row in down)
    polled = series(rows, "centre", "device", "device", core)
    assert bool(polled) == (expected[0] == UP)


@pytest.mark.parametrize(("kind", "reason"), [("power_cut", 1), ("device_hang", 2), ("reboot", 3)])
def test_a_device_remembers_its_start(play: Play, probed: Site, kind: str, reason: int) -> None:
    """After a start the boot id is new, the uptime counts from the start, the reason is given, to
    the village's probe and through the tunnel alike."""
    event = at(probed, kind, 3 if kind == "reboot" else 60)
    rows = play([event], probed.id)
    for vantage in ("village", "centre"):
        before = series(rows, vantage, "device", "device", Interval(DAY.start_ms, NOON))
        after = series(rows, vantage, "device", "device", Interval(NOON + 2 * H, DAY.end_ms))
        assert len({row["boot_id"] for row in before}) == 1
        assert len({row["boot_id"] for row in after}) == 1
        assert before[0]["boot_id"] != after[0]["boot_id"]
        assert {row["boot_reason"] for row in after} == {reason}
        started = {round(row["at_ms"] / 1000 - row["uptime_seconds"]) for row in after}
        expected = (event.start_ms + 10_000 if kind == "reboot" else event.end_ms) / 1000
        assert max(started) - min(started) <= 1
        assert min(started) == pytest.approx(expected, abs=1)


def test_a_battery_drains_visibly(play: Play, village: SimulatedProvince) -> None:
    """A site with a battery measures on in a power cut, with falling volts, until it dies."""
    site = next(
        site
        for site in village.inventory.sites
        if site.has_probe and village.devices[site.id].battery_seconds and site.feeder
    )
    battery_ms = village.devices[site.id].battery_seconds * 1000
    rows = play([at(site, "power_cut", 8 * 60)], site.id)
    dying = series(rows, "village", "device", "device", Interval(NOON, NOON + battery_ms))
    volts = [row["supply_volts"] for row in dying]
    assert len(volts) >= battery_ms // (5 * M)
    assert volts[0] > 12.2
    assert volts[-1] < 11.2
    assert {row["on_battery"] for row in dying} == {1}
    dead = Interval(NOON + battery_ms, NOON + 8 * H)
    assert not series(rows, "village", "device", "device", dead)
    assert outcomes(series(rows, "centre", "ping", "site", dead)) == DOWN


@pytest.mark.parametrize(
    ("dead", "expected"), [(False, (DOWN, UP, UP, DOWN)), (True, (DOWN, UP, DOWN, BELOW))]
)
def test_upstream_cut_takes_all_below(
    play: Play, village: SimulatedProvince, probed: Site, dead: bool, expected: Seen
) -> None:
    """All sites on a cut node fall together; their gateways answer unless the node itself died."""
    event = Event(
        "upstream_cut", "upstream", probed.upstream or "", NOON, NOON + 60 * M, {"dead": dead}
    )
    rows = play([event])
    core = Interval(NOON, event.end_ms)
    for site in village.inventory.sites:
        below = probed.upstream in village.inventory.upstream_chain(site)
        mine = [row for row in rows if row["site"] == site.id]
        assert outcomes(series(mine, "centre", "ping", "site", core)) == (DOWN if below else UP)
    own = [row for row in rows if row["site"] == probed.id]
    assert tuple(seen(own, core).values()) == expected


def test_rain_fades_only_geo(play: Play, village: SimulatedProvince) -> None:
    """Loss climbs towards the middle of a fade and falls again; the delay stays what it is; sites
    without a satellite do not notice."""
    geo = {site.id for site in village.inventory.sites if site.access == "geo"}
    events = [
        Event("rain_fade", "kabupaten", code, NOON, NOON + 60 * M, {"edge_minutes": 20.0})
        for code in village.register.kabupaten
    ]
    rows = series(play(events), "centre", "ping", "site", DAY)
    fading = [row for row in rows if NOON <= row["at_ms"] < NOON + 60 * M]
    assert all(row["received"] == 5 for row in fading if row["site"] not in geo)
    wet = [row for row in fading if row["site"] in geo]
    middle = [row for row in wet if NOON + 20 * M <= row["at_ms"] < NOON + 40 * M]
    assert outcomes(middle) == DOWN
    first, second = (
        np.mean([row["received"] / row["sent"] for row in wet
                 if NOON + part * M <= row["at_ms"] < NOON + (part + 10) * M])
        for part in (0, 10)
    )  # fmt: skip
    assert first > second > 0
    usual = [row for row in rows if row["site"] in geo and row["at_ms"] < NOON]
    least = min(row["rtt_min_seconds"] for row in usual)
    answered = [row["rtt_min_seconds"] for row in wet if row["received"]]
    assert least - 0.01 < min(answered) < max(answered) < 1.0


def test_brown_out_slows(play: Play, probed: Site) -> None:
    """A brown-out shows in delay and loss, and nowhere as an outage of any length."""
    rows = play([at(probed, "brown_out", 600, loss=0.15, delay_factor=4.0)], probed.id)
    core = Interval(NOON, NOON + 600 * M)
    pings = series(rows, "village", "ping", "national", core)
    usual = series(rows, "village", "ping", "national", Interval(DAY.start_ms, NOON))
    lost = 1 - sum(row["received"] for row in pings) / sum(row["sent"] for row in pings)
    assert 0.08 < lost < 0.25
    slow, quick = (np.nanmedian([row["rtt_median_seconds"] for row in r]) for r in (pings, usual))
    assert slow > 1.8 * quick


def test_blind_centre(play: Play, village: SimulatedProvince, probed: Site) -> None:
    """Mode off: the centre has no row at all. Mode line: every look fails, its anchors too, and no
    device can be read. The villages measure on in both."""
    stretch = Interval(NOON, NOON + H)
    for mode in ("off", "line"):
        rows = play([Event("collector_blind", "centre", "", *stretch, {"mode": mode})])
        during = [row for row in rows if stretch.start_ms <= row["at_ms"] < stretch.end_ms]
        centre = [row for row in during if row["vantage"] == "centre"]
        assert outcomes(centre) == (NONE if mode == "off" else DOWN)
        assert {row["kind"] for row in centre} == (set() if mode == "off" else {"ping"})
        if mode == "line":
            anchors = [row for row in centre if row["target"].startswith("anchor:")]
            assert {row["site"] for row in anchors} == {"centre"}
            assert len({row["target"] for row in anchors}) == 2
        own = [row for row in during if row["vantage"] == "village" and row["site"] == probed.id]
        assert outcomes(own) == UP
        assert outcomes([row for row in rows if row["at_ms"] >= stretch.end_ms]) == UP


def test_a_full_spool_leaves_a_gap_record(play: Play, probed: Site) -> None:
    """What was dropped is one UNKNOWN record with its start, length and number of looks."""
    rows = play([at(probed, "spool_overflow", 100)], probed.id)
    (gap,) = [row for row in rows if row["kind"] == "gap"]
    assert (gap["outcome"], gap["reason"]) == (Outcome.UNKNOWN, "spool overflow")
    assert (gap["vantage"], gap["target"], gap["at_ms"]) == ("village", "device", NOON)
    assert (gap["gap_seconds"], gap["gap_looks"]) == (6000, 60)


def test_a_wrong_clock_misdates_villages_only(play: Play, probed: Site) -> None:
    """Village rows are shifted by the offset and keep their order; the centre's are not."""
    right = play([], probed.id)
    wrong = play([at(probed, "clock_wrong", 60, offset_seconds=-40.0)], probed.id)
    for vantage, shifted in (("village", -40_000), ("centre", 0)):
        before, after = (
            [row["at_ms"] for row in series(rows, vantage, "device", "device", DAY)]
            for rows in (right, wrong)
        )
        assert {b - a for a, b in zip(before, after, strict=True)} == {0, shifted}
        assert after == sorted(after)


def test_late_data_are_withheld(play: Play, probed: Site) -> None:
    """Asked for what had arrived by a moment, the history holds back what was cut off then, what
    comes later, and what an event delays; the centre's rows are there until the end."""
    cut = at(probed, "link_cut", 120)
    rows = play([cut], probed.id, until_arrived_ms=NOON + H)
    village_times = [row["at_ms"] for row in rows if row["vantage"] == "village"]
    assert NOON - 5 * M <= max(village_times) < NOON
    rows = play([cut], probed.id, until_arrived_ms=cut.end_ms + M)
    village_times = [row["at_ms"] for row in rows if row["vantage"] == "village"]
    assert NOON + 110 * M < max(village_times) < cut.end_ms + M
    late = at(probed, "late", 60, delay_hours=3.0)
    for until_ms, held in ((NOON + 2 * H, True), (NOON + 5 * H, False)):
        rows = play([late], probed.id, until_arrived_ms=until_ms)
        delayed = series(rows, "village", "device", "device", late.interval)
        assert bool(delayed) != held


def test_nobody_looks_before_service(village: SimulatedProvince) -> None:
    """A site has no row before the day on which it came into service."""
    whole = make_province(1, 300)
    newest = max(whole.inventory.sites, key=lambda site: site.in_service_from)
    day_ms = 86_400_000
    since = int(np.datetime64(newest.in_service_from, "ms").astype(int)) - 7 * H
    interval = Interval(since // day_ms * day_ms - day_ms, since // day_ms * day_ms + 2 * day_ms)
    times = []
    for _, block in blocks(whole, [], interval):
        sites = block.columns["site"]
        if newest.id in sites.names:
            mine = sites.codes == list(sites.names).index(newest.id)
            times += block.columns["at_ms"][mine].tolist()
    assert since <= min(times) < since + 15 * M


@pytest.mark.parametrize("seconds", [300, 60])
def test_blocks_are_sorted_and_reproducible(seconds: int) -> None:
    """Every block is sorted as promised, lies within its stretch, and comes out the same when it
    is made again, alone."""
    province = make_province(1, 400)
    interval = Interval(DAY.start_ms + 3 * H, DAY.end_ms + 3 * H)
    plan = Plan(province, (), interval, seconds, 300)
    made = [item for piece in History(plan).pieces() for item in History(plan).blocks_of(piece)]
    assert len({name for name, _ in made}) == len(made)
    last = History(plan).pieces()[-1]
    for (name, block), (again, same) in zip(made[-3:], History(plan).blocks_of(last), strict=True):
        assert name == again
        assert all(
            np.array_equal(_plain(block, column), _plain(same, column), equal_nan=column[0] != "s")
            for column in ("at_ms", "outcome", "rtt_median_seconds")
        )
    for _, block in made:
        keys = [_plain(block, name) for name in ("at_ms", "target", "kind", "vantage", "site")]
        assert np.array_equal(np.lexsort(keys), np.arange(block.rows))
        assert np.all((keys[0] >= interval.start_ms) & (keys[0] < interval.end_ms))


def _plain(block: Block, name: str) -> Any:
    values = block.columns[name]
    return np.array(values.names)[values.codes] if isinstance(values, Coded) else values


def test_odd_intervals_are_refused(village: SimulatedProvince) -> None:
    """An interval that does not divide six hours is refused."""
    with pytest.raises(ValueError, match="7 s does not divide"):
        Plan(village, (), DAY, 7)


def test_nobody_comes(play: Play, probed: Site) -> None:
    """While a place is deserted nobody is connected, and all else is as ever."""
    rows = play([at(probed, "deserted", 180)], probed.id)
    core = Interval(NOON, NOON + 3 * H)
    assert {row["clients"] for row in series(rows, "village", "device", "device", core)} == {0}
    assert seen(rows, core) == {"centre": UP, "device": UP, "gateway": UP, "national": UP}
    busy = series(rows, "village", "device", "device", Interval(NOON + 6 * H, NOON + 9 * H))
    assert sum(row["clients"] for row in busy) > 0


def test_a_port_remembers_when_its_line_came_back(play: Play, probed: Site) -> None:
    """After a cut line a poll tells the moment at which the uplink came up again; a start takes all
    ports up; an upstream failure leaves them as they were."""
    upstream = Event("upstream_cut", "upstream", probed.upstream or "", NOON, NOON + H)
    for event, changed_ms in (
        (at(probed, "link_cut", 60), NOON + H),
        (at(probed, "device_hang", 60), NOON + H),
        (upstream, None),
    ):
        rows = play([event], probed.id)
        polls = series(rows, "centre", "device", "device", Interval(NOON + 2 * H, DAY.end_ms))
        moments = [row["at_ms"] - 1000 * row["interface_change_seconds"] for row in polls]
        assert max(moments) - min(moments) < 1
        if changed_ms is None:
            assert moments[0] < DAY.start_ms
        else:
            assert moments[0] == pytest.approx(changed_ms, abs=1)
