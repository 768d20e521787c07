"""A random mix of misfortune, as a province of this kind has it.

Law: drawn from the seed alone. Some lines are chronically bad (a gamma-distributed weight per
site), so that weeks of every state occur. Every outage that is drawn lasts ``_SHORTEST`` or
longer, so that what is an outage never hangs on a look's luck.
"""

from dataclasses import dataclass

import numpy as np

from model.region import RegionCode, kecamatan_of
from model.site import Access, PowerSource, Site
from model.timeline import Interval
from simulator.province import SimulatedProvince
from simulator.scenario import Event, Parameter

WEEK_MS = 7 * 86_400_000
_MINUTE_MS = 60_000
_SHORTEST = 10.0


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something befalls one target in a week, and for how many minutes: the median, the
    spread of a lognormal, and the most."""

    a_week: float
    median: float
    spread: float
    most: float


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
    dice = _Dice(np.random.default_rng([seed, 2]), interval, intensity)
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
    return tuple(sorted(events, key=lambda event: (event.start_ms, event.kind, event.target)))


def _schedule(province: SimulatedProvince, site: Site, interval: Interval) -> Event:
    plan: dict[str, Parameter] = {
        "hours_a_day": site.power_hours_a_day,
        "starts_hour": province.devices[site.id].starts_hour,
    }
    return Event("power_schedule", "site", site.id, *interval, plan)


def _rain(dice: "_Dice", sites: tuple[Site, ...]) -> list[Event]:
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
            begins = start_ms + number * int(dice.rng.integers(2, 8)) * _MINUTE_MS
            event = dice.fitted("rain_fade", "kecamatan", kecamatan, begins, minutes, deep)
            events += [event] if event is not None else []
    return events


class _Dice:
    """Draws events within an interval."""

    def __init__(self, rng: np.random.Generator, interval: Interval, intensity: float) -> None:
        self.rng = rng
        self._interval = interval
        self._weeks = intensity * interval.length_ms / WEEK_MS

    def count(self, a_week: float) -> int:
        """How often something happens that happens so often a week."""
        return int(self.rng.poisson(a_week * self._weeks))

    def moment(self) -> int:
        """A whole second within the interval."""
        start_ms, end_ms = self._interval
        return int(self.rng.integers(start_ms // 1000, end_ms // 1000)) * 1000

    def draw(self, kind: str, on: str, target: str, rate: Rate, weight: float = 1.0) -> list[Event]:
        """The events of one kind at one target."""
        events = []
        for _ in range(self.count(rate.a_week * weight)):
            minutes = min(rate.median * float(self.rng.lognormal(0, rate.spread)), rate.most)
            minutes = max(minutes, 2.0 if kind == "reboot" else _SHORTEST)
            parameters = self._parameters(kind, minutes)
            start_ms = self._night() if kind == "maintenance" else self.moment()
            event = self.fitted(kind, on, target, start_ms, minutes, parameters)
            events += [event] if event is not None else []
        return events

    def fitted(
        self,
        kind: str,
        on: str,
        target: str,
        start_ms: int,
        minutes: float,
        parameters: dict[str, Parameter],
    ) -> Event | None:
        """An event of whole seconds; one that would outlast the interval ends with it, and is left
        out when less than ``_SHORTEST`` minutes of it remain (a restart: less than all of it)."""
        end_ms = start_ms + round(minutes * 60) * 1000
        if end_ms > self._interval.end_ms:
            end_ms = self._interval.end_ms
            if kind == "reboot" or end_ms - start_ms < _SHORTEST * _MINUTE_MS:
                return None
        return Event(kind, on, target, start_ms, end_ms, parameters)

    def _night(self) -> int:
        """A start between 23:00 and 02:00 at UTC+7, when providers work on their nodes."""
        day = self.moment() // 86_400_000 * 86_400_000
        start_ms = day + 16 * 3_600_000 + int(self.rng.integers(0, 180)) * _MINUTE_MS
        return min(max(start_ms, self._interval.start_ms), self._interval.end_ms - 1000)

    def _parameters(self, kind: str, minutes: float) -> dict[str, Parameter]:
        rng = self.rng
        parameters: dict[str, Parameter] = {}
        match kind:
            case "upstream_cut":
                parameters["dead"] = bool(rng.random() < 0.35)
            case "brown_out":
                parameters["loss"] = round(float(rng.uniform(0.05, 0.3)), 3)
                parameters["delay_factor"] = round(float(rng.uniform(1.5, 4)), 2)
            case "flapping":
                parameters["times"] = max(2, min(6, int(minutes / 30)))
            case "collector_blind":
                parameters["mode"] = "off" if rng.random() < 0.5 else "line"
            case "clock_wrong":
                parameters["offset_seconds"] = round(float(rng.uniform(-45, 45)), 1)
            case "late":
                parameters["delay_hours"] = round(float(rng.uniform(20, 150)), 1)
        return parameters
