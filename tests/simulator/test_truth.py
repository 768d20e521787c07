"""Truth: what is an outage, what is not, and the arithmetic of both."""

from pathlib import Path

import pytest

from model.errors import InputError
from model.outage import Cause
from model.timeline import Interval
from simulator.fate import Blocked, Fate
from simulator.province import SimulatedProvince
from simulator.scenario import Event
from simulator.truth import (
    SHORTEST_MS,
    TrueOutage,
    Truth,
    read_truth,
    stretches,
    truth_of,
    write_truth,
)

M = 60_000
START = 1_793_577_600_000
DAY = Interval(START, START + 86_400_000)


@pytest.mark.parametrize(
    ("blocked", "outages", "interruptions"),
    [
        ([(0, 10, "link")], [(0, 10, "link")], []),
        ([(0, 4, "device")], [], [(0, 4, "device")]),
        ([(0, 10, "link"), (8, 20, "power")], [(0, 20, "link")], []),
        ([(0, 10, "link"), (14, 16, "device")], [(0, 16, "link")], []),
        ([(0, 3, "device"), (6, 9, "device")], [], [(0, 3, "device"), (6, 9, "device")]),
        ([(0, 10, "link"), (15, 25, "link")], [(0, 10, "link"), (15, 25, "link")], []),
        ([(5, 20, "power"), (0, 6, "link"), (7, 9, "device")], [(0, 20, "link")], []),
    ],
)
def test_what_is_an_outage(
    blocked: list[tuple[int, int, str]],
    outages: list[tuple[int, int, str]],
    interruptions: list[tuple[int, int, str]],
) -> None:
    """Five minutes make an outage, five good minutes end it, the first cause names it."""
    assert SHORTEST_MS == 5 * M

    def stretch(start: int, end: int, cause: str) -> Blocked:
        return Blocked(Interval(start * M, end * M), Cause(cause))

    found = stretches(Fate(blocked=[stretch(*item) for item in blocked]))
    assert found == (
        [stretch(*item) for item in outages],
        [stretch(*item) for item in interruptions],
    )


def test_availability_counts_time_in_service() -> None:
    """Availability is the share without outage, of the window that was in service and played."""
    truth = Truth(
        Interval(0, 100 * M),
        (
            TrueOutage("a", 10 * M, 30 * M, Cause.LINK),
            TrueOutage("a", 95 * M, 100 * M, Cause.POWER),
        ),
        in_service_ms={"a": -5, "late": 80 * M},
    )
    assert truth.availability("a", Interval(0, 100 * M)) == pytest.approx(0.75)
    assert truth.availability("a", Interval(20 * M, 40 * M)) == pytest.approx(0.5)
    assert truth.availability("a", Interval(90 * M, 500 * M)) == pytest.approx(0.5)
    assert truth.availability("late", Interval(0, 100 * M)) == 1.0
    assert truth.availability("late", Interval(0, 80 * M)) is None


def test_causes_of_the_kinds(village: SimulatedProvince) -> None:
    """Each kind of event that cuts a site off gives an outage of its cause, the others none."""
    grid = next(
        s for s in village.inventory.sites if s.feeder and not village.devices[s.id].battery_seconds
    )
    geo = next(s for s in village.inventory.sites if s.access == "geo")
    expected = {
        ("power_cut", "feeder", grid.feeder): Cause.POWER,
        ("power_schedule", "site", grid.id): Cause.POWER,
        ("device_hang", "site", grid.id): Cause.DEVICE,
        ("link_cut", "site", grid.id): Cause.LINK,
        ("flapping", "site", grid.id): Cause.LINK,
        ("upstream_cut", "upstream", grid.upstream): Cause.UPSTREAM,
        ("maintenance", "site", grid.id): Cause.MAINTENANCE,
        ("rain_fade", "kecamatan", geo.village[:8]): Cause.SATELLITE_FADE,
        ("reboot", "site", grid.id): None,
        ("brown_out", "site", grid.id): None,
        ("probe_off", "site", grid.id): None,
        ("collector_blind", "centre", ""): None,
    }
    for (kind, on, target), cause in expected.items():
        length = 4 * M if kind == "reboot" else 120 * M
        length = 24 * 60 * M if kind == "power_schedule" else length
        event = Event(kind, on, target or "", START, START + length)
        truth = truth_of(village, [event], DAY)
        assert {outage.cause for outage in truth.outages} == ({cause} if cause else set())
        assert bool(truth.interruptions) == (kind == "reboot")
        assert bool(truth.blind) == (kind == "collector_blind")


def test_a_battery_bridges_a_short_cut(village: SimulatedProvince) -> None:
    """A power cut takes a site with a battery off only when the battery is empty."""
    site, device = next(
        (site, device) for site, device in village.devices.items() if device.battery_seconds
    )
    battery_ms = device.battery_seconds * 1000
    short = Event("power_cut", "site", site, START, START + battery_ms)
    assert not truth_of(village, [short], DAY).outages
    long = Event("power_cut", "site", site, START, START + battery_ms + 30 * M)
    assert truth_of(village, [long], DAY).outages == (
        TrueOutage(site, START + battery_ms, long.end_ms + device.boot_seconds * 1000, Cause.POWER),
    )


def test_truth_survives_its_file(village: SimulatedProvince, tmp_path: Path) -> None:
    """A truth file reads back as it was written; a damaged line is named."""
    site = village.inventory.sites[0].id
    events = [
        Event("link_cut", "site", site, START - 5 * M, START + 30 * M),
        Event("reboot", "site", site, START + 90 * M, START + 93 * M),
        Event("collector_blind", "centre", "", START, START + M),
    ]
    truth = truth_of(village, events, DAY)
    assert truth.outages[0].start_ms == START
    path = tmp_path / "truth.jsonl"
    write_truth(path, truth)
    assert read_truth(path) == truth
    path.write_text(path.read_text() + '{"type": "outage"}\n')
    with pytest.raises(InputError, match=rf"truth.jsonl:{len(village.inventory.sites) + 5}: "):
        read_truth(path)
