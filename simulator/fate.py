"""What follows from misfortune: who is dark, cut off, slow or silent, and what devices remember.

Law: here, and nowhere else, an event becomes a consequence. The truth, the history and the packets
on the TUN device are all read off the same fates.

Reading a site from the inside outward: ``dark`` (the device is off or starting), ``cut`` (the
device lives, its line does not: nothing beyond the site answers), ``beyond`` (the gateway of its
provider answers, nothing behind it does). What ails a service while its line works stands in
``ailments.py``.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from model.check import ServiceCheck
from model.errors import InputError
from model.outage import Cause
from model.site import Access, Site
from model.timeline import Interval, union
from simulator import ailments
from simulator.ailments import Ailing, ailment
from simulator.province import Device, SimulatedProvince
from simulator.scenario import Event

_RESTART_MS = 10_000
_FADE_EDGE_LOSS = 0.8
_FADE_PARTIAL_LOSS = 0.6
"""What a fade that is not total loses in its middle: well below the three quarters above which
ITU-T Y.1540 calls five minutes unavailable, so that truth stays a matter of yes or no."""
_FADE_STEPS = 4
_SCHEDULE_SLACK_MINUTES = 12
DAY_MS = 86_400_000


class Blocked(NamedTuple):
    """A stretch in which the site cannot be reached, and why."""

    interval: Interval
    cause: Cause


class Degraded(NamedTuple):
    """A stretch in which the line is worse than usual but not down."""

    interval: Interval
    loss: float
    delay_factor: float


class Boot(NamedTuple):
    """A start of the device; reasons as in the metric ``boot_reason``."""

    at_ms: int
    reason: int


class OnBattery(NamedTuple):
    """A stretch without power that the battery bridges, and how long a full battery lasts."""

    interval: Interval
    battery_ms: int


class Shifted(NamedTuple):
    """A stretch in which the probe's clock is wrong by so much."""

    interval: Interval
    offset_ms: int


class Late(NamedTuple):
    """A stretch whose data arrive at a certain moment only."""

    interval: Interval
    arrives_ms: int


@dataclass(slots=True)
class Fate:
    """Everything that befalls one site. Lists are in order of events, not of time, and may
    overlap, except ``boots`` (in order of time)."""

    blocked: list[Blocked] = field(default_factory=list)
    dark: list[Interval] = field(default_factory=list)
    cut: list[Interval] = field(default_factory=list)
    beyond: list[Interval] = field(default_factory=list)
    degraded: list[Degraded] = field(default_factory=list)
    on_battery: list[OnBattery] = field(default_factory=list)
    silent: list[Interval] = field(default_factory=list)
    dropped: list[Interval] = field(default_factory=list)
    shifted: list[Shifted] = field(default_factory=list)
    late: list[Late] = field(default_factory=list)
    boots: list[Boot] = field(default_factory=list)
    ailing: list[Ailing] = field(default_factory=list)
    stopped: list[Blocked] = field(default_factory=list)
    """Stretches in which the service could not be used, whatever the line did, and why."""

    def ailed(self, kind: str) -> Iterator[Interval]:
        """The stretches of one kind of ailment."""
        return (ailing.interval for ailing in self.ailing if ailing.kind == kind)

    def block(self, layer: list[Interval], interval: Interval, cause: Cause) -> None:
        """Note a stretch in a layer (dark, cut or beyond) and that the site is unreachable."""
        layer.append(interval)
        self.blocked.append(Blocked(interval, cause))


@dataclass(frozen=True)
class Fates:
    """The fates of all sites that have one, and of the centre: ``off`` (it measures nothing) and
    ``line`` (its own line is down: nothing answers it)."""

    sites: Mapping[str, Fate]
    off: tuple[Interval, ...]
    line: tuple[Interval, ...]

    def of(self, site: str) -> Fate:
        """The fate of a site; an empty one where nothing happened."""
        return self.sites.get(site) or Fate()


def fates(province: SimulatedProvince, events: Iterable[Event]) -> Fates:
    """Work out what the events do. Raises InputError for a target that the province has not."""
    found: dict[str, Fate] = defaultdict(Fate)
    no_power: dict[str, list[Interval]] = defaultdict(list)
    off: list[Interval] = []
    line: list[Interval] = []
    places = _Places(province)
    for event in events:
        if event.on == "centre":
            (off if event.word("mode") == "off" else line).append(event.interval)
            continue
        for site in places.of(event):
            device, fate = province.devices[site.id], found[site.id]
            if event.kind == "power_cut":
                no_power[site.id].append(event.interval)
            elif event.kind == "power_schedule":
                no_power[site.id] += _scheduled_off(event, site)
            _block(event, site, device, fate)
            _blur(event, fate)
            if event.kind in ailments.KINDS:
                _ail(event, site, fate, province.inventory.checks)
    for site_id, intervals in no_power.items():
        _lose_power(found[site_id], union(intervals), province.devices[site_id])
    for fate in found.values():
        fate.boots.sort()
    return Fates(dict(found), tuple(union(off)), tuple(union(line)))


class _Places:
    """Which sites an event meets."""

    def __init__(self, province: SimulatedProvince) -> None:
        self._by: dict[tuple[str, str], list[Site]] = defaultdict(list)
        for site in province.inventory.sites:
            self._by["site", site.id].append(site)
            self._by["kecamatan", site.village[:8]].append(site)
            self._by["kabupaten", site.village[:5]].append(site)
            if site.feeder is not None:
                self._by["feeder", site.feeder].append(site)
            for node in province.inventory.upstream_chain(site):
                self._by["upstream", node].append(site)
        for node in province.inventory.upstreams:
            self._by.setdefault(("upstream", node), [])
        for check in province.inventory.checks:
            self._by["service", check.id] = list(filter(check.concerns, province.inventory.sites))

    def of(self, event: Event) -> list[Site]:
        sites = self._by.get((event.on, event.target))
        if sites is None:
            raise InputError(
                f"a {event.kind} names the {event.on} {event.target!r}, which this province has "
                "not: take the ids from its inventory.yaml and sites.csv"
            )
        return sites


def _block(event: Event, site: Site, device: Device, fate: Fate) -> None:
    """What makes a site unreachable, power apart."""
    interval = event.interval
    match event.kind:
        case "device_hang":
            ready_ms = event.end_ms + device.boot_seconds * 1000
            fate.block(fate.dark, Interval(event.start_ms, ready_ms), Cause.DEVICE)
            fate.boots.append(Boot(event.end_ms, 2))
        case "reboot":
            fate.block(fate.dark, interval, Cause.DEVICE)
            fate.boots.append(Boot(min(event.start_ms + _RESTART_MS, event.end_ms), 3))
        case "link_cut":
            fate.block(fate.cut, interval, Cause.LINK)
        case "flapping":
            for part in _halves(event):
                fate.block(fate.cut, part, Cause.LINK)
        case "upstream_cut":
            # A dead node takes the gateways in it along: those of the sites that hang right on it.
            gateway_dead = event.flag("dead") and site.upstream == event.target
            fate.block(fate.cut if gateway_dead else fate.beyond, interval, Cause.UPSTREAM)
        case "maintenance":
            layer = fate.cut if event.on == "site" else fate.beyond
            fate.block(layer, interval, Cause.MAINTENANCE)
        case "quota":
            if event.flag("total"):  # nothing but its own page is let through, no echo either
                fate.block(fate.beyond, interval, Cause.CAPTIVE_PORTAL)
        case "rain_fade":
            if site.access is Access.GEO:
                _fade(event, fate)


def _ail(event: Event, site: Site, fate: Fate, checks: Sequence[ServiceCheck]) -> None:
    """What ails a service: its looks say so, and where it stops the service truth does."""
    ailing = ailment(event)
    fate.ailing.append(ailing)
    if (cause := ailments.stops(ailing, site, checks)) is not None:
        fate.stopped.append(Blocked(event.interval, cause))


def _blur(event: Event, fate: Fate) -> None:
    """What leaves a site reachable but slows it, or changes what its own probe reports."""
    interval = event.interval
    match event.kind:
        case "brown_out":
            loss, factor = event.number("loss"), event.number("delay_factor")
            fate.degraded.append(Degraded(interval, loss, factor))
        case "obstruction":  # branches in front of a dish: it goes on, losing packets
            fate.degraded.append(Degraded(interval, event.number("share"), 1.0))
        case "probe_off":
            fate.silent.append(interval)
        case "spool_overflow":
            fate.dropped.append(interval)
        case "clock_wrong":
            fate.shifted.append(Shifted(interval, round(event.number("offset_seconds") * 1000)))
        case "late":
            delay_ms = round(event.number("delay_hours") * 3_600_000)
            fate.late.append(Late(interval, event.end_ms + delay_ms))


def _lose_power(fate: Fate, without: list[Interval], device: Device) -> None:
    """No power: the battery first, where there is one; then darkness until the device is up."""
    battery_ms = device.battery_seconds * 1000
    for start, end in without:
        dies = min(start + battery_ms, end)
        if dies > start:
            fate.on_battery.append(OnBattery(Interval(start, dies), battery_ms))
        if dies < end:
            fate.block(fate.dark, Interval(dies, end + device.boot_seconds * 1000), Cause.POWER)
            fate.boots.append(Boot(end, 1))


def _scheduled_off(event: Event, site: Site) -> list[Interval]:
    """The stretches without power of a generator that runs some hours of every local day."""
    zone = ZoneInfo(site.timezone)
    hours, starts = event.number("hours_a_day"), event.number("starts_hour")
    first = datetime.fromtimestamp(event.start_ms / 1000, zone).date() - timedelta(days=1)
    last = datetime.fromtimestamp(event.end_ms / 1000, zone).date()
    rng = np.random.default_rng(zlib.crc32(f"{site.id}/{event.start_ms}".encode()))
    off: list[Interval] = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        midnight_ms = round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)
        slack = rng.integers(-_SCHEDULE_SLACK_MINUTES, _SCHEDULE_SLACK_MINUTES + 1, 2)
        stops_ms = midnight_ms + round((starts + hours) * 3_600_000) + int(slack[0]) * 60_000
        again_ms = midnight_ms + round((starts + 24) * 3_600_000) + int(slack[1]) * 60_000
        if part := Interval(stops_ms, again_ms).clip(event.interval):
            off.append(part)
    return off


def _halves(event: Event) -> list[Interval]:
    """A flapping line: equal parts down and up in turn, beginning and ending with a down one."""
    times = round(event.number("times"))
    step = (event.end_ms - event.start_ms) / (2 * times - 1)
    return [
        Interval(
            round(event.start_ms + 2 * n * step),
            round(event.start_ms + (2 * n + 1) * step),
        )
        for n in range(times)
    ]


def _fade(event: Event, fate: Fate) -> None:
    """Rain on a satellite link: loss climbs in steps, the middle is lost where the fade is total,
    the delay stays what it is."""
    edge_ms = min(
        round(event.number("edge_minutes") * 60_000), (event.end_ms - event.start_ms) // 3
    )
    middle = Interval(event.start_ms + edge_ms, event.end_ms - edge_ms)
    for step in range(_FADE_STEPS):
        loss = _FADE_EDGE_LOSS * (step + 1) / _FADE_STEPS
        near, far = edge_ms * step // _FADE_STEPS, edge_ms * (step + 1) // _FADE_STEPS
        rising = Interval(event.start_ms + near, event.start_ms + far)
        falling = Interval(event.end_ms - far, event.end_ms - near)
        fate.degraded += [Degraded(rising, loss, 1.0), Degraded(falling, loss, 1.0)]
    if event.flag("total"):
        fate.block(fate.cut, middle, Cause.SATELLITE_FADE)
    else:
        fate.degraded.append(Degraded(middle, _FADE_PARTIAL_LOSS, 1.0))
