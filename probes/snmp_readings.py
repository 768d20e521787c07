"""What a device answered becomes readings with names and units.

Law: pure. An object that is missing, of the wrong type or out of reason gives no reading; nothing
is filled in. Where two objects tell the same, the first that answered counts.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from model.measurement import METRICS
from probes.snmp_interfaces import DISCONTINUITY, IF_TABLES, Port, uplink
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
    """Everything that one poll of a device brought."""

    values: Mapping[str, Value]
    instances: Mapping[str, Sequence[str]]
    ports: Mapping[str, Port]
    at_seconds: float
    rates: Rates = field(default_factory=Rates)


def read(readings: Sequence[Reading], answer: Answer) -> tuple[dict[str, float], list[Found]]:
    """The readings by name, folded, and all their rows."""
    folded: dict[str, float] = {}
    shown: list[Found] = []
    by_port: dict[str, dict[str, float]] = {}
    for reading in readings:
        rows = _rows(reading, answer)
        if reading.fold is Fold.UPLINK:
            if rows and reading.name not in by_port:
                by_port[reading.name] = rows
            elif rows:
                continue
        elif rows is None or reading.name in folded:
            continue
        elif (value := _fold(reading, rows)) is not None:
            folded[reading.name] = value
        shown += [
            Found(reading.name, _label(reading, row, answer), value, reading.unit, reading.mib)
            for row, value in (rows or {}).items()
        ]
    folded |= _uplink(by_port, answer.ports)
    return {n: float(round(v)) if METRICS[n].whole else v for n, v in folded.items()}, shown


def _rows(reading: Reading, answer: Answer) -> dict[str, float] | None:
    """Values by row, ready but for folding; None when the device has no such object."""
    if not reading.column:
        rows = {"": answer.values[reading.oid]} if reading.oid in answer.values else {}
    else:
        rows = {
            row: answer.values[f"{reading.oid}.{row}"]
            for row in answer.instances.get(reading.oid, ())
            if f"{reading.oid}.{row}" in answer.values
        }
    if not rows:
        return None
    ready = {}
    for row, raw in rows.items():
        if _is_port(reading) and row in answer.ports and not answer.ports[row].counts:
            continue
        if reading.where is not None and _plain(
            answer.values.get(f"{reading.where}.{row}")
        ) not in (reading.where_in):
            continue
        value = _value(reading, row, raw, answer)
        if value is not None:
            ready[row] = value
    return ready


def _value(reading: Reading, row: str, raw: Value, answer: Answer) -> float | None:
    number = _number(reading, raw)
    if number is None or number in reading.skip:
        return None
    if reading.only is not None:
        return float(number in reading.only)
    return _scaled(reading, row, number, answer)


def _scaled(reading: Reading, row: str, number: float, answer: Answer) -> float | None:
    match reading.kind:
        case Kind.COUNTER32 | Kind.COUNTER64:
            return _rate(reading, row, int(number), answer)
        case Kind.CHANGE_TIME:
            now = answer.values.get(SYS_UPTIME)
            return (now - number) / 100 if isinstance(now, int) and now >= number else None
        case Kind.TIMETICKS:
            return number / 100
    value = number * reading.scale
    if not reading.least <= value <= reading.most:
        return None
    if reading.over is None:
        return value
    whole = answer.values.get(f"{reading.over}.{row}" if row else reading.over)
    return value / whole if isinstance(whole, int) and whole > 0 else None


def _number(reading: Reading, raw: Value) -> float | None:
    if reading.kind is Kind.TEXT_NUMBER and isinstance(raw, bytes):
        match = _NUMBER.match(raw.decode("ascii", "replace"))
        return float(match[1]) if match else None
    return raw if isinstance(raw, int | float) and math.isfinite(raw) else None


def _rate(reading: Reading, row: str, count: int, answer: Answer) -> float | None:
    life = answer.values.get(f"{DISCONTINUITY}.{row}") if _is_port(reading) else None
    oid = f"{reading.oid}.{row}" if row else reading.oid
    rate = answer.rates.rate(oid, count, reading.kind, answer.at_seconds, life)
    if rate is None:
        return None
    value = rate * reading.scale
    port = answer.ports.get(row)
    if reading.unit == "bit/s" and port is not None and port.speed_bits:
        # ifHighSpeed of a PPPoE line is often a guess of 10 Mbit/s: only ports that are wires count
        limit = max(port.speed_bits, 100e6) * _FIRST_SPEED
        return value if value <= limit else None
    return value


def _is_port(reading: Reading) -> bool:
    return reading.oid.rpartition(".")[0] in IF_TABLES


def _fold(reading: Reading, rows: Mapping[str, float]) -> float | None:
    values = list(rows.values())
    if reading.fold is Fold.COUNT:
        return sum(values)
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


def _label(reading: Reading, row: str, answer: Answer) -> str:
    port = answer.ports.get(row) if reading.by_port or _is_port(reading) else None
    return port.label if port is not None else row


def _plain(value: Value) -> int | str | None:
    """A value as a profile can name it: numbers, and text in lower case."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip().lower()
    return value if isinstance(value, int | str) else None
