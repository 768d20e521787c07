"""Misfortune as data: what goes wrong, where, from when to when.

Law: an event says what *happens*; what follows from it (who is silent, what a device remembers) is
worked out in ``fate.py`` alone. A scenario file is TOML: a list of ``[[event]]`` tables, each with
``kind``, one target (``site = "..."``, ``feeder``, ``upstream``, ``kecamatan``, ``kabupaten`` or
``centre = true``), ``start`` (a TOML date-time with an offset) or ``start_minutes`` (after the
moment at which the scenario begins), ``duration_minutes``, and the parameters of its kind.
``service = "..."`` names a check of the inventory: what befalls it, all who need it share.
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeGuard

from model.errors import InputError
from model.inventory import Inventory, Maintenance
from model.timeline import Interval

Parameter = float | str | bool

_SITE_LIKE = frozenset({"site", "feeder", "upstream", "kecamatan", "kabupaten"})
_CENTRE = frozenset({"centre"})
_SERVICE = frozenset({"service"})


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of event may befall, its parameters with their defaults, and their bounds: from
    and to for a number, the words to choose from for a text."""

    targets: frozenset[str]
    defaults: Mapping[str, Parameter] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float, float] | tuple[str, ...]] = field(default_factory=dict)


KINDS: Mapping[str, Kind] = {
    "power_cut": Kind(_SITE_LIKE),
    "power_schedule": Kind(
        frozenset({"site"}),
        {"hours_a_day": 12.0, "starts_hour": 17.5},
        {"hours_a_day": (1, 23), "starts_hour": (0, 24)},
    ),
    "device_hang": Kind(_SITE_LIKE),
    "reboot": Kind(_SITE_LIKE),
    "link_cut": Kind(_SITE_LIKE),
    "upstream_cut": Kind(frozenset({"upstream"}), {"dead": False}),
    "brown_out": Kind(
        _SITE_LIKE,
        {"loss": 0.2, "delay_factor": 3.0},
        {"loss": (0, 0.9), "delay_factor": (1, 20)},
    ),
    "flapping": Kind(_SITE_LIKE, {"times": 4.0}, {"times": (1, 100)}),
    "rain_fade": Kind(
        _SITE_LIKE,
        {"edge_minutes": 10.0, "total": True},
        {"edge_minutes": (0, 120)},
    ),
    "collector_blind": Kind(_CENTRE, {"mode": "off"}, {"mode": ("off", "line")}),
    "probe_off": Kind(_SITE_LIKE),
    "spool_overflow": Kind(_SITE_LIKE),
    "clock_wrong": Kind(_SITE_LIKE, {"offset_seconds": 30.0}, {"offset_seconds": (-120, 120)}),
    "maintenance": Kind(frozenset({"site", "upstream"})),
    "late": Kind(_SITE_LIKE, {"delay_hours": 48.0}, {"delay_hours": (0, 24 * 60)}),
    "lan_cut": Kind(_SITE_LIKE),
    "dns_trouble": Kind(_SITE_LIKE, {"how": "dead"}, {"how": ("dead", "lies", "rewrites")}),
    "portal": Kind(_SITE_LIKE),
    "quota": Kind(_SITE_LIKE, {"total": False}),
    "service_trouble": Kind(
        _SITE_LIKE | _SERVICE,
        {"how": "error"},
        {"how": ("error", "refused", "half_dead", "slow", "certificate")},
    ),
    "deserted": Kind(_SITE_LIKE),
    "path_change": Kind(_SITE_LIKE),
    "mtu_black_hole": Kind(_SITE_LIKE, {"mtu_bytes": 1400.0}, {"mtu_bytes": (576, 1499)}),
    "shaped": Kind(_SITE_LIKE, {"mbit_s": 1.0}, {"mbit_s": (0.05, 100)}),
    "obstruction": Kind(_SITE_LIKE, {"share": 0.1}, {"share": (0, 0.9)}),
}
_OWN_KEYS = frozenset({"kind", "start", "start_minutes", "duration_minutes"})


@dataclass(frozen=True, slots=True)
class Event:
    """One misfortune. ``on`` names the sort of target, ``target`` its id ("" for the centre)."""

    kind: str
    on: str
    target: str
    start_ms: int
    end_ms: int
    parameters: Mapping[str, Parameter] = field(default_factory=dict)

    @property
    def interval(self) -> Interval:
        return Interval(self.start_ms, self.end_ms)

    def number(self, name: str) -> float:
        """A numeric parameter, or the default of its kind."""
        return float(self.parameters.get(name, KINDS[self.kind].defaults[name]))

    def flag(self, name: str) -> bool:
        """A yes-or-no parameter, or the default of its kind."""
        return bool(self.parameters.get(name, KINDS[self.kind].defaults[name]))

    def word(self, name: str) -> str:
        """A parameter that is one of a few words, or the default of its kind."""
        return str(self.parameters.get(name, KINDS[self.kind].defaults[name]))


def read_events(path: Path, begins_ms: int = 0) -> tuple[Event, ...]:
    """The events of a scenario file; ``begins_ms`` is what ``start_minutes`` counts from.

    Raises InputError that lists every mistake with the number of its event.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"{path}: {error}: a scenario is a TOML file of [[event]] tables"
        ) from None
    entries = document.get("event", [])
    mistakes = [
        f"{key!r}: unknown key, only [[event]] tables" for key in document if key != "event"
    ]
    events: list[Event] = []
    if not isinstance(entries, list) or not all(isinstance(item, dict) for item in entries):
        raise InputError(f"{path}: 'event' is not a list of tables: write [[event]]")
    for number, entry in enumerate(entries, start=1):
        try:
            events.append(_event(entry, begins_ms))
        except ValueError as error:
            mistakes.append(f"event {number}: {error}")
    if mistakes:
        raise InputError("\n".join(f"{path}: {mistake}" for mistake in mistakes))
    return tuple(events)


def write_events(path: Path, events: Iterable[Event]) -> None:
    """Write a scenario file that ``read_events`` reads back as it was."""
    parts = []
    for event in events:
        start = datetime.fromtimestamp(event.start_ms / 1000, UTC)
        lines = [
            "[[event]]",
            f"kind = {json.dumps(event.kind)}",
            "centre = true" if event.on == "centre" else f"{event.on} = {json.dumps(event.target)}",
            f"start = {start.isoformat(timespec='milliseconds')}",
            f"duration_minutes = {(event.end_ms - event.start_ms) / 60_000!r}",
        ]
        lines += [f"{name} = {json.dumps(value)}" for name, value in event.parameters.items()]
        parts.append("\n".join(lines) + "\n")
    path.write_text("\n".join(parts), encoding="utf-8")


def announced(inventory: Inventory, events: Iterable[Event]) -> Inventory:
    """The inventory with the maintenance among the events in its calendar."""
    known = set(inventory.maintenance)
    added = []
    for event in events:
        if event.kind == "maintenance":
            one = frozenset({event.target})
            window = Maintenance(
                event.interval,
                "announced work (simulated)",
                sites=one if event.on == "site" else frozenset(),
                upstreams=one if event.on == "upstream" else frozenset(),
            )
            added += [window] if window not in known else []
    return replace(inventory, maintenance=inventory.maintenance + tuple(added))


def _event(entry: Mapping[str, Any], begins_ms: int) -> Event:
    """One table as an Event. Raises ValueError with the remedy."""
    kind = KINDS.get(str(entry.get("kind")))
    if kind is None:
        raise ValueError(f"kind {entry.get('kind')!r}: use one of {', '.join(KINDS)}")
    targets = sorted((_SITE_LIKE | _CENTRE | _SERVICE) & entry.keys())
    if len(targets) != 1 or targets[0] not in kind.targets:
        raise ValueError(
            f"a {entry['kind']} needs exactly one target: {' or '.join(sorted(kind.targets))}"
        )
    if unknown := entry.keys() - _OWN_KEYS - set(targets) - kind.defaults.keys():
        known = ", ".join(sorted(kind.defaults)) or "none"
        raise ValueError(f"unknown key {min(unknown)!r}: parameters of {entry['kind']}: {known}")
    start_ms = _start_ms(entry, begins_ms)
    minutes = entry.get("duration_minutes")
    if not _is_number(minutes) or not 0 < minutes <= 60 * 24 * 366:
        raise ValueError("duration_minutes is missing or not above 0: say how long it lasts")
    parameters = {name: entry[name] for name in kind.defaults if name in entry}
    for name, value in parameters.items():
        _check_parameter(kind, name, value)
    on = targets[0]
    target = "" if on == "centre" else entry[on]
    if not isinstance(target, str):
        raise ValueError(f"{on} is not text: write its id in quotes")
    return Event(
        str(entry["kind"]), on, target, start_ms, start_ms + round(minutes * 60_000), parameters
    )


def _start_ms(entry: Mapping[str, Any], begins_ms: int) -> int:
    start, minutes = entry.get("start"), entry.get("start_minutes")
    if isinstance(start, datetime) and start.tzinfo is not None and minutes is None:
        return round(start.timestamp() * 1000)
    if start is None and _is_number(minutes):
        return begins_ms + round(float(minutes) * 60_000)
    raise ValueError("give start (a date-time with offset, 2026-11-02T03:00:00Z) or start_minutes")


def _check_parameter(kind: Kind, name: str, value: Any) -> None:
    usual, bounds = kind.defaults[name], kind.bounds.get(name, ())
    if isinstance(usual, bool):
        if not isinstance(value, bool):
            raise ValueError(f"{name} = {value!r}: write true or false")
    elif isinstance(usual, str):
        if value not in bounds:
            raise ValueError(f"{name} {value!r}: use one of {', '.join(map(str, bounds))}")
    else:
        low, high = (float(bound) for bound in bounds)
        if not _is_number(value) or not low <= value <= high:
            raise ValueError(f"{name} = {value!r}: write a number from {low:g} to {high:g}")


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
