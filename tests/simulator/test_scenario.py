"""Scenario files: read back as written, every mistake named."""

from pathlib import Path

import pytest

from model.errors import InputError
from model.timeline import Interval
from simulator.draw import draw_misfortune
from simulator.fate import fates
from simulator.province import SimulatedProvince
from simulator.scenario import KINDS, Event, announced, read_events, write_events

WEEK = Interval(1_793_577_600_000, 1_793_577_600_000 + 7 * 86_400_000)
SCENARIOS = sorted((Path(__file__).parents[2] / "simulator" / "scenarios").glob("*.toml"))


def test_drawn_misfortune_survives_the_file(village: SimulatedProvince, tmp_path: Path) -> None:
    """All kinds of event are drawn, are the same for the same seed, and read back as written."""
    events = draw_misfortune(village, WEEK, 1, intensity=60)
    assert events == draw_misfortune(village, WEEK, 1, intensity=60)
    assert {event.kind for event in events} == KINDS.keys()
    assert all(WEEK.start_ms <= event.start_ms < event.end_ms <= WEEK.end_ms for event in events)
    write_events(tmp_path / "drawn.toml", events)
    assert read_events(tmp_path / "drawn.toml") == events


def test_minutes_count_from_the_beginning(tmp_path: Path) -> None:
    """start_minutes is measured from the moment that the reader is given."""
    text = '[[event]]\nkind = "link_cut"\nsite = "a"\nstart_minutes = 1.5\nduration_minutes = 2\n'
    (tmp_path / "a.toml").write_text(text)
    assert read_events(tmp_path / "a.toml", 1_000_000) == (
        Event("link_cut", "site", "a", 1_090_000, 1_210_000),
    )


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('kind = "earthquake"', "use one of power_cut"),
        ('kind = "link_cut"', "exactly one target"),
        ('kind = "link_cut"\ncentre = true', "exactly one target"),
        ('kind = "upstream_cut"\nsite = "a"', "exactly one target: upstream"),
        ('kind = "link_cut"\nsite = "a"\nspeed = 2', "unknown key 'speed'"),
        ('kind = "link_cut"\nsite = "a"', "give start"),
        ('kind = "link_cut"\nsite = "a"\nstart = 2026-11-02T03:00:00', "with offset"),
        ('kind = "link_cut"\nsite = "a"\nstart_minutes = 0', "duration_minutes"),
        (
            'kind = "brown_out"\nsite = "a"\nstart_minutes = 0\nduration_minutes = 1\nloss = 2',
            "from 0 to 0.9",
        ),
        (
            'kind = "collector_blind"\ncentre = true\nstart_minutes = 0\nduration_minutes = 1\n'
            'mode = "x"',
            "use one of off, line",
        ),
    ],
)
def test_mistakes_are_named(lines: str, says: str, tmp_path: Path) -> None:
    """A wrong event is refused with its number and the remedy."""
    path = tmp_path / "bad.toml"
    path.write_text(f"[[event]]\n{lines}\n")
    with pytest.raises(InputError, match=f"event 1: .*{says}"):
        read_events(path)


def test_unknown_target_is_refused(village: SimulatedProvince) -> None:
    """An event at a place that the province has not names it."""
    with pytest.raises(InputError, match="'nowhere', which this province has not"):
        fates(village, [Event("link_cut", "site", "nowhere", 0, 1)])


def test_maintenance_is_announced_once(village: SimulatedProvince) -> None:
    """Maintenance stands in the inventory's calendar; announcing it again adds nothing."""
    site = village.inventory.sites[0].id
    events = [Event("maintenance", "site", site, 0, 60_000), Event("reboot", "site", site, 0, 9)]
    once = announced(village.inventory, events)
    assert [(m.interval, m.sites) for m in once.maintenance] == [
        (Interval(0, 60_000), frozenset({site}))
    ]
    assert announced(once, events) == once


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_shipped_scenarios_fit_the_usual_province(path: Path) -> None:
    """Every scenario that we ship reads, and names places of the province of seed 1."""
    from simulator.province import make_province  # noqa: PLC0415 - half a second, only here

    assert fates(make_province(1), read_events(path)).sites or "blind" in path.stem
