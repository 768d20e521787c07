"""What a history is made of: the plan (who looks how often, at what misfortune) and the roster
(sites, lines and fates as arrays, in the order of sites)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from model.measurement import Rung
from model.timeline import Interval
from simulator.fate import Fate, fates
from simulator.province import SimulatedProvince
from simulator.scenario import Event
from simulator.truth import in_service_ms

DAY_MS = 86_400_000
QUARTER_MS = DAY_MS // 4
_FOREVER_MS = 1 << 52


@dataclass(frozen=True)
class Plan:
    """A province, its misfortune, and how often everybody looks.

    Intervals must divide six hours. With ``until_arrived_ms``, what the villages' probes measured
    but could not have delivered by then is left out: a probe delivers when its site can be reached
    and the centre is there, and an event ``late`` holds its data back for longer.
    """

    province: SimulatedProvince
    events: tuple[Event, ...]
    interval: Interval
    centre_interval_seconds: int = 300
    village_interval_seconds: int = 300
    until_arrived_ms: int | None = None
    international: bool = False

    def __post_init__(self) -> None:
        for seconds in (self.centre_interval_seconds, self.village_interval_seconds):
            if seconds < 10 or QUARTER_MS % (seconds * 1000):
                raise ValueError(f"an interval of {seconds} s does not divide six hours")


class Roster:
    """Everything about the sites that looks depend on; made once for a plan."""

    def __init__(self, plan: Plan) -> None:
        province = plan.province
        sites = province.inventory.sites
        lines = [province.lines[site.id] for site in sites]
        devices = [province.devices[site.id] for site in sites]
        all_fates = fates(province, plan.events)
        rng = np.random.default_rng([province.seed, 3])
        self.ids: Sequence[str] = [site.id for site in sites]
        self.fates: list[Fate] = [all_fates.of(site.id) for site in sites]
        self.off, self.line = list(all_fates.off), list(all_fates.line)
        self.base_seconds = np.array([line.base_rtt_seconds for line in lines], dtype=np.float32)
        self.jitter_seconds = np.array([line.jitter_seconds for line in lines], dtype=np.float32)
        self.loss = np.array([line.loss for line in lines], dtype=np.float32)
        self.congestion = np.array([line.congestion for line in lines], dtype=np.float32)
        self.has_address = np.array([site.address is not None for site in sites])
        self.has_probe = np.array([site.has_probe for site in sites])
        self.has_tunnel = np.array([device.has_tunnel for device in devices])
        self.has_battery = np.array([device.battery_seconds > 0 for device in devices])
        checks = province.inventory.checks
        concerned = [[one for one in checks if one.concerns(site)] for site in sites]
        self.served = np.flatnonzero([bool(some) for some in concerned])
        """The rows of the sites at whose services somebody looks."""
        self.sees_lan = np.array([any(c.rung is Rung.LAN for c in some) for some in concerned])
        self.in_service_ms = np.array([in_service_ms(site) for site in sites], dtype=np.int64)
        self.first_boot_ms = plan.interval.start_ms - (
            rng.uniform(1, 90, len(sites)) * DAY_MS
        ).astype(np.int64)
        self.backbone_seconds = rng.uniform(0.004, 0.012, len(sites)).astype(np.float32)
        # Every check keeps its own phase within its interval; the anchors come last.
        self.phase = rng.random((3, len(sites)))
        self.anchor_phase = rng.random(len(province.inventory.centre_anchors))
        self.withheld: list[list[Interval]] = [
            _withheld(fate, plan.until_arrived_ms, self.off) for fate in self.fates
        ]


def _withheld(fate: Fate, until_ms: int | None, off: Iterable[Interval]) -> list[Interval]:
    """What a probe has measured but not delivered by a moment: from the beginning of the stretch
    in which it is cut off then, and what an event holds back beyond it."""
    if until_ms is None:
        return []
    held = [item.interval for item in fate.late if item.arrives_ms > until_ms]
    cut_off = [interval for interval, _ in fate.blocked] + list(off)
    since_ms = until_ms
    for interval in sorted(cut_off, reverse=True):
        if interval.start_ms < since_ms <= interval.end_ms:
            since_ms = interval.start_ms
    return [*held, Interval(since_ms, _FOREVER_MS)]
