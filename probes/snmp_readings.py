"""What a device answered becomes readings with names and units.

Law: pure. An object that is missing, of the wrong type or out of reason gives no reading; nothing
is filled in. Where two objects tell the same, the first that answered counts.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import NamedTuple

from model.measurement import METRICS
from probes.snmp_interfaces import DISCONTINUITY, IF_TABLES, Port, uplink
from probes.snmp_objects import concerns
from probes.snmp_profile import Fold, Kind, Reading
from probes.snmp_rates import Rates
from probes.snmp_session import Value

SYS_UPTIME = "1.3.6.1.2.1.1.3.0"
_NUMBER = re.compile(r"\s*(-?\d{1,9}(?:\.\d{1,6})?)", re.ASCII)
_IN, _OUT = "in_bits_per_second", "out_bits_per_second"
_FIRST_SPEED = 1.05
"""A port cannot carry more than its speed; a rate beyond is a counter that was reset unseen. Five
per cent of grace for the two clocks."""


class Found(NamedTuple):
    """One row: what ``jangkau snmp`` shows. ``row`` is empty for a scalar."""

    name: str
    row: str
    value: float
    unit: str
    mib: str


@dataclass
class Answer:
    """Everything that one poll of a device brought. ``objects``: by column the OID of each row."""

    values: Mapping[str, Value]
    objects: Mapping[str, Mapping[str, str]]
    ports: Mapping[str, Port]
    at_seconds: float
    rates: Rates = field(default_factory=Rates)

    @cached_property
    def lives(self) -> dict[str, Value]:
        """ifCounterDiscontinuityTime by port: its counters began anew when that is another."""
        return {
            row: self.values.get(oid) for row, oid in self.objects.get(DISCONTINUITY, {}).items()
        }


Rows = list[tuple[Reading, dict[str, float]]]
"""What was read: the values of each reading by row."""


def read(readings: Sequence[Reading], answer: Answer) -> tuple[dict[str, float], Rows]:
    """The readings by name, folded, and all their rows."""
    folded: dict[str, float] = {}
    seen: Rows = []
    by_port: dict[str, dict[str, float]] = {}
    for reading in readings:
        if reading.name in folded:
            continue
        rows = _rows(reading, answer)
        if reading.fold is Fold.UPLINK:
            uplinks = by_port.setdefault(reading.name, {})
            rows = {row: value for row, value in rows.items() if row not in uplinks}
            uplinks |= rows
        elif (value := _fold(reading, rows)) is not None:
            folded[reading.name] = value
        seen.append((reading, rows))
    folded |= _uplink(by_port, answer.ports)
    return {n: float(round(v)) if METRICS[n].whole else v for n, v in folded.items()}, seen


def found(seen: Rows, ports: Mapping[str, Port]) -> list[Found]:
    """The same rows as people read them: ports by their names."""
    return [
        Found(reading.name, _label(reading, row, ports), value, reading.unit, reading.mib)
        for reading, rows in seen
        for row, value in rows.items()
    ]


def _rows(reading: Reading, answer: Answer) -> dict[str, float]:
    """Values by row, ready for folding."""
    values, skip = answer.values, reading.skip
    objects: Mapping[str, str] = {"": reading.oid}
    if reading.column:
        objects = answer.objects.get(reading.oid, {})
    if reading.where is not None:
        judged = answer.objects
        objects = {
            row: oid for row, oid in objects.items() if concerns(reading, row, judged, values)
        }
    raws = {row: raw for row, oid in objects.items() if (raw := values.get(oid)) not in skip}
    if reading.kind is Kind.TEXT_NUMBER or (reading.only is None and reading.kind is Kind.GAUGE):
        gauges = {row: _gauge(reading, row, raw, answer) for row, raw in raws.items()}
        return {row: value for row, value in gauges.items() if value is not None}
    whole = {row: raw for row, raw in raws.items() if isinstance(raw, int)}
    if (only := reading.only) is not None:
        return {row: float(raw in only) for row, raw in whole.items()}
    if reading.kind is Kind.TIMETICKS:
        return {row: raw / 100 for row, raw in whole.items()}
    if reading.kind is Kind.CHANGE_TIME:
        now = values.get(SYS_UPTIME)
        now = now if isinstance(now, int) else -1
        return {row: (now - raw) / 100 for row, raw in whole.items() if now >= raw}
    return _rates(reading, whole, answer)


def _rates(reading: Reading, counts: Mapping[str, int], answer: Answer) -> dict[str, float]:
    scale, ports = reading.scale, answer.ports if _is_port(reading.oid) else {}
    lives = answer.lives if ports else {}
    rates = answer.rates.rates(reading.oid, counts, reading.kind, answer.at_seconds, lives)
    if not ports or reading.unit != "bit/s":
        return {row: rate * scale for row, rate in rates.items()}
    # ifHighSpeed of a PPPoE line is often a guess of 10 Mbit/s: only ports that are wires count
    return {
        row: rate * scale
        for row, rate in rates.items()
        if not (port := ports.get(row))
        or not port.speed_bits
        or rate * scale <= max(port.speed_bits, 100e6) * _FIRST_SPEED
    }


def _gauge(reading: Reading, row: str, raw: Value, answer: Answer) -> float | None:
    if reading.kind is Kind.TEXT_NUMBER and isinstance(raw, bytes):
        match = _NUMBER.match(raw.decode("ascii", "replace"))
        raw = float(match[1]) if match else None
    if not isinstance(raw, int | float) or not math.isfinite(raw) or raw in reading.skip:
        return None
    value = raw * reading.scale
    if not reading.least <= value <= reading.most:
        return None
    if reading.over is None:
        return value
    whole = answer.values.get(f"{reading.over}.{row}" if row else reading.over)
    return value / whole if isinstance(whole, int) and whole > 0 else None


@cache
def _is_port(column: str) -> bool:
    return column.rpartition(".")[0] in IF_TABLES


def _fold(reading: Reading, rows: Mapping[str, float]) -> float | None:
    values = rows.values()
    if not values:
        return None
    match reading.fold:
        case Fold.MIN:
            return min(values)
        case Fold.MAX:
            return max(values)
        case Fold.MEAN:
            return sum(values) / len(values)
        case _:
            return sum(values)


def _uplink(
    by_port: Mapping[str, Mapping[str, float]], found: Mapping[str, Port]
) -> dict[str, float]:
    incoming, outgoing = by_port.get(_IN, {}), by_port.get(_OUT, {})
    both = {row: incoming[row] + outgoing[row] for row in incoming.keys() & outgoing.keys()}
    chosen = uplink(found, both)
    if chosen is None:
        return {}
    folded = {_IN: incoming[chosen], _OUT: outgoing[chosen]}
    if (speed := found[chosen].speed_bits) > 0:
        folded["utilisation_share"] = min(1.0, max(folded.values()) / speed)
    return folded


def _label(reading: Reading, row: str, ports: Mapping[str, Port]) -> str:
    port = ports.get(row) if reading.by_port or _is_port(reading.oid) else None
    return port.label if port is not None else row
