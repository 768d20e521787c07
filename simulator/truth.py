"""What really happened: the answer sheet that measurements are scored against.

Law: truth is worked out from the events, never from measurements. An outage is what the project
calls one (ITU-T Y.1540 judges availability over five minutes): a site that cannot be reached for
``SHORTEST_MS`` or longer, until it can be reached for that long again. What is shorter (a restart
of two to four minutes) is an interruption and stands apart. The cause is that of the first thing
that made the site unreachable. A stop is the same of a service while its line worked.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

from model.errors import InputError
from model.outage import Cause
from model.site import Site
from model.timeline import Interval, intersect, subtract, total_ms, union
from model.week import local_midnight_ms
from simulator.fate import Blocked, Fate, fates
from simulator.province import SimulatedProvince
from simulator.scenario import Event

SHORTEST_MS = 300_000


@dataclass(frozen=True, slots=True)
class TrueOutage:
    """A stretch in which a site had no internet, and why."""

    site: str
    start_ms: int
    end_ms: int
    cause: Cause

    @property
    def interval(self) -> Interval:
        return Interval(self.start_ms, self.end_ms)


@dataclass(frozen=True)
class Truth:
    """What happened within ``interval``, in order of site and time. Outages and interruptions are
    clipped to the interval and to the sites' time in service; ``blind`` is when the centre saw
    nothing. ``stops``: a service could not be used although its line worked."""

    interval: Interval
    outages: tuple[TrueOutage, ...]
    interruptions: tuple[TrueOutage, ...] = ()
    blind: tuple[Interval, ...] = ()
    in_service_ms: Mapping[str, int] = field(default_factory=dict)
    stops: tuple[TrueOutage, ...] = ()

    @cached_property
    def by_site(self) -> Mapping[str, tuple[TrueOutage, ...]]:
        """The outages of every site that had one."""
        found: dict[str, list[TrueOutage]] = {}
        for outage in self.outages:
            found.setdefault(outage.site, []).append(outage)
        return {site: tuple(outages) for site, outages in found.items()}

    def availability(self, site: str, interval: Interval) -> float | None:
        """The share of the interval (in service, within the truth's own bounds) without an outage;
        None when nothing of it was in service."""
        start = max(self.interval.start_ms, self.in_service_ms.get(site, self.interval.start_ms))
        window = (
            Interval(start, self.interval.end_ms).clip(interval)
            if start < (self.interval.end_ms)
            else None
        )
        if window is None:
            return None
        down = intersect([o.interval for o in self.by_site.get(site, ())], [window])
        return 1 - total_ms(down) / window.length_ms


def truth_of(province: SimulatedProvince, events: Iterable[Event], interval: Interval) -> Truth:
    """What the events do to the province within the interval."""
    all_fates = fates(province, events)
    outages: list[TrueOutage] = []
    interruptions: list[TrueOutage] = []
    stops: list[TrueOutage] = []
    in_service = {site.id: in_service_ms(site) for site in province.inventory.sites}
    for site in province.inventory.sites:
        fate = all_fates.of(site.id)
        long, short = stretches(fate)
        service = Interval(in_service[site.id], max(in_service[site.id], interval.end_ms))
        for found, blocked in (
            (outages, long),
            (interruptions, short),
            (stops, service_stops(fate)),
        ):
            for part, cause in blocked:
                clipped = part.clip(interval)
                clipped = clipped and clipped.clip(service)
                if clipped is not None:
                    found.append(TrueOutage(site.id, *clipped, cause))
    blind = [part.clip(interval) for part in sorted(all_fates.off + all_fates.line)]
    return Truth(
        interval,
        tuple(outages),
        tuple(interruptions),
        tuple(part for part in blind if part is not None),
        in_service,
        tuple(stops),
    )


def in_service_ms(site: Site) -> int:
    """The moment from which a site exists: the midnight that begins its first day, local."""
    return local_midnight_ms(site.in_service_from, site.timezone)


def stretches(fate: Fate) -> tuple[list[Blocked], list[Blocked]]:
    """The outages and the interruptions of a site, each in order and apart from one another."""
    touching = _merged(fate.blocked)
    long: list[Blocked] = []
    short: list[Blocked] = []
    for interval, cause in touching:
        if long and interval.start_ms - long[-1].interval.end_ms < SHORTEST_MS:
            start_ms = long[-1].interval.start_ms
            long[-1] = Blocked(Interval(start_ms, interval.end_ms), long[-1].cause)
        else:
            (long if interval.length_ms >= SHORTEST_MS else short).append(Blocked(interval, cause))
    return long, short


def service_stops(fate: Fate) -> list[Blocked]:
    """When the service of a site could not be used while its line worked."""
    off = union(blocked.interval for blocked in fate.blocked)
    return [
        Blocked(part, cause)
        for interval, cause in _merged(fate.stopped)
        for part in subtract([interval], off)
        if part.length_ms >= SHORTEST_MS
    ]


def _merged(several: Iterable[Blocked]) -> list[Blocked]:
    """Stretches that touch as one, under the first one's cause."""
    touching: list[Blocked] = []
    for interval, cause in sorted(several, key=lambda item: item.interval):
        if touching and interval.start_ms <= touching[-1].interval.end_ms:
            first = touching[-1].interval
            end_ms = max(first.end_ms, interval.end_ms)
            touching[-1] = Blocked(Interval(first.start_ms, end_ms), touching[-1].cause)
        else:
            touching.append(Blocked(interval, cause))
    return touching


def write_truth(path: Path, truth: Truth) -> None:
    """One JSON object a line: the interval first, then blind stretches, services, outages."""
    lines: list[Mapping[str, object]] = [{"type": "interval", **truth.interval._asdict()}]
    lines += [{"type": "blind", **part._asdict()} for part in truth.blind]
    lines += [
        {"type": "site", "site": site, "in_service_ms": ms}
        for site, ms in truth.in_service_ms.items()
    ]
    lines += [{"type": "outage", **asdict(outage)} for outage in truth.outages]
    lines += [{"type": "interruption", **asdict(brief)} for brief in truth.interruptions]
    lines += [{"type": "stop", **asdict(stop)} for stop in truth.stops]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def read_truth(path: Path) -> Truth:
    """Read what ``write_truth`` wrote. Raises InputError naming the line."""
    interval: Interval | None = None
    blind: list[Interval] = []
    service: dict[str, int] = {}
    kinds: dict[str, list[TrueOutage]] = {"outage": [], "interruption": [], "stop": []}
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                entry = json.loads(line)
                kind = entry["type"]
                if kind == "site":
                    service[entry["site"]] = int(entry["in_service_ms"])
                    continue
                part = Interval(int(entry["start_ms"]), int(entry["end_ms"]))
                if kind == "interval":
                    interval = part
                elif kind == "blind":
                    blind.append(part)
                else:
                    kinds[kind].append(TrueOutage(entry["site"], *part, Cause(entry["cause"])))
            except (KeyError, ValueError, TypeError) as error:
                raise InputError(
                    f"{path}:{number}: not a line of a truth file: {error!r}"
                ) from None
    if interval is None:
        raise InputError(f"{path}: no interval in it: is it a truth file?")
    return Truth(
        interval,
        tuple(kinds["outage"]),
        tuple(kinds["interruption"]),
        tuple(blind),
        service,
        tuple(kinds["stop"]),
    )
