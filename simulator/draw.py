"""A random mix of misfortune, as a province of this kind has it.

Law: drawn from the seed alone. Some lines are chronically bad (a gamma-distributed weight per
site), so that weeks of every state occur.
"""

import numpy as np

from model.region import RegionCode, kecamatan_of
from model.site import Access, PowerSource, Site
from model.timeline import Interval
from simulator.dice import MINUTE_MS, Dice, Rate
from simulator.draw_services import draw_services
from simulator.province import SimulatedProvince
from simulator.scenario import Event, Parameter

_FEEDER_CUT = Rate(0.22, 75, 0.9, 20 * 60)
_SITE_RATES = {
    "power_cut": Rate(0.04, 70, 0.9, 24 * 60),
    "device_hang": Rate(0.025, 420, 1.1, 5 * 24 * 60),
    "reboot": Rate(0.3, 3, 0.2, 4),
    "link_cut": Rate(0.09, 110, 1.2, 6 * 24 * 60),
    "brown_out": Rate(0.05, 180, 0.8, 24 * 60),
    "flapping": Rate(0.02, 150, 0.4, 600),
}
_PROBE_RATES = {
    "probe_off": Rate(0.03, 480, 1.0, 4 * 24 * 60),
    "spool_overflow": Rate(0.012, 360, 0.8, 24 * 60),
    "clock_wrong": Rate(0.02, 240, 0.8, 24 * 60),
    "late": Rate(0.02, 1440, 0.5, 4 * 24 * 60),
}
_CHRONIC = frozenset({"device_hang", "link_cut", "flapping", "brown_out"})
_UPSTREAM_RATES = {
    "upstream_cut": Rate(0.12, 60, 0.8, 12 * 60),
    "brown_out": Rate(0.04, 150, 0.7, 12 * 60),
    "maintenance": Rate(0.015, 90, 0.4, 240),
}
_SITE_MAINTENANCE = Rate(0.004, 90, 0.4, 240)
_FADES_A_WEEK = 14.0
_BLIND = Rate(1.2, 70, 0.9, 8 * 60)
_UPSTREAM_SITES_MIN = 3
_UPSTREAM_SITES_MAX = 80  # the fall of a whole provider is a story of its own, told in a scenario


def draw_misfortune(
    province: SimulatedProvince, interval: Interval, seed: int, intensity: float = 1.0
) -> tuple[Event, ...]:
    """What goes wrong in the interval, in order of time. ``intensity`` scales how often; the hours
    of the generators belong to the province and are there at any intensity."""
    dice = Dice(np.random.default_rng([seed, 2]), interval, intensity)
    inventory = province.inventory
    events = [
        _schedule(province, site, interval)
        for site in inventory.sites
        if site.power is PowerSource.GENERATOR
    ]
    below: dict[str, int] = dict.fromkeys(inventory.upstreams, 0)
    for site in inventory.sites:
        for node in inventory.upstream_chain(site):
            below[node] += 1
        weight = float(dice.rng.gamma(0.6, 1 / 0.6))
        for kind, rate in _SITE_RATES.items():
            if kind == "power_cut" and site.power is not PowerSource.GRID:
                continue
            events += dice.draw(kind, "site", site.id, rate, weight if kind in _CHRONIC else 1.0)
        if site.has_probe:
            for kind, rate in _PROBE_RATES.items():
                events += dice.draw(kind, "site", site.id, rate)
        events += dice.draw("maintenance", "site", site.id, _SITE_MAINTENANCE)
    for feeder in sorted({site.feeder for site in inventory.sites if site.feeder is not None}):
        events += dice.draw("power_cut", "feeder", feeder, _FEEDER_CUT)
    for node, sites in below.items():
        if _UPSTREAM_SITES_MIN <= sites <= _UPSTREAM_SITES_MAX:
            for kind, rate in _UPSTREAM_RATES.items():
                events += dice.draw(kind, "upstream", node, rate)
    events += _rain(dice, inventory.sites)
    events += dice.draw("collector_blind", "centre", "", _BLIND)
    # Dice of their own: what befalls services leaves the misfortune of lines as it was.
    own = Dice(np.random.default_rng([seed, 7]), interval, intensity)
    events += draw_services(own, inventory)
    return tuple(sorted(events, key=lambda event: (event.start_ms, event.kind, event.target)))


def _schedule(province: SimulatedProvince, site: Site, interval: Interval) -> Event:
    plan: dict[str, Parameter] = {
        "hours_a_day": site.power_hours_a_day,
        "starts_hour": province.devices[site.id].starts_hour,
    }
    return Event("power_schedule", "site", site.id, *interval, plan)


def _rain(dice: Dice, sites: tuple[Site, ...]) -> list[Event]:
    """Showers over two to four neighbouring kecamatan that have GEO sites."""
    wet: list[RegionCode] = sorted(
        {kecamatan_of(s.village) for s in sites if s.access is Access.GEO}
    )
    if not wet:
        return []
    events: list[Event] = []
    share = len({s.id for s in sites if s.access is Access.GEO}) / 340
    for _ in range(dice.count(_FADES_A_WEEK * share)):
        first = int(dice.rng.integers(len(wet)))
        width = int(dice.rng.integers(2, 5))
        start_ms = dice.moment()
        minutes = float(dice.rng.uniform(25, 60))
        deep: dict[str, Parameter] = {
            "edge_minutes": round(minutes * 0.2, 1),
            "total": bool(dice.rng.random() < 0.8),
        }
        for number, kecamatan in enumerate(wet[first : first + width]):
            begins = start_ms + number * int(dice.rng.integers(2, 8)) * MINUTE_MS
            event = dice.fitted("rain_fade", "kecamatan", kecamatan, begins, minutes, deep)
            events += [event] if event is not None else []
    return events
