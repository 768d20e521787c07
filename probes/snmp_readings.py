"""What a device answered becomes readings with names and units.

Law: pure. An object that is missing, of the wrong type or out of reason gives no reading; nothing
is filled in. Where two objects tell the same, the first that answered counts.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
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
    """Everything that one poll of a device brought. ``objects``: by column the OID of each row."""

    values: Mapping[str, Value]
    objects: Mapping[str, Mapping[str, str]]
    ports: Mapping[str, Port]
    at_seconds: float
    rates: Rates = field(default_factory=Rates)


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


def answering_objects(
    readings: Sequence[Reading],
    wanted: Mapping[str, Mapping[str, str]],
    present: Mapping[str, Value],
) -> dict[str, dict[str, str]]:
    """Of each wanted column the rows that the device has and that are worth asking again.

    A port's 32-bit counter is not asked beside its 64-bit one; unless that stands at nought while
    the other counts: some firmwares have it in name only.
    """
    objects = {
        column: {row: oid for row, oid in rows.items() if oid in present}
        for column, rows in wanted.items()
    }
    best: dict[tuple[str, str], str] = {}
    columns = [one for one in readings if one.fold is Fold.UPLINK]
    for reading in columns:
        for row, oid in objects[reading.oid].items():
            if not present.get(best.setdefault((reading.name, row), oid)) and present[oid]:
                best[reading.name, row] = oid
    for reading in columns:
        objects[reading.oid] = {
            row: oid for row, oid in objects[reading.oid].items() if best[reading.name, row] == oid
        }
    return objects


def _rows(reading: Reading, answer: Answer) -> dict[str, float]:
    """Values by row, ready for folding."""
    values = answer.values
    objects = answer.objects.get(reading.oid, {}) if reading.column else {"": reading.oid}
    ready = {}
    for row, oid in objects.items():
        if (raw := values.get(oid)) is None:
            continue
        if reading.where is not None:
            judge = answer.objects.get(reading.where, {}).get(row, "")
            if _plain(values.get(judge)) not in reading.where_in:
                continue
        if (value := _value(reading, row, oid, raw, answer)) is not None:
            ready[row] = value
    return ready


def _value(reading: Reading, row: str, oid: str, raw: Value, answer: Answer) -> float | None:
    number = _number(reading, raw)
    if number is None or number in reading.skip:
        return None
    if reading.only is not None:
        return float(number in reading.only)
    return _scaled(reading, row, oid, number, answer)


def _scaled(reading: Reading, row: str, oid: str, number: float, answer: Answer) -> float | None:
    match reading.kind:
        case Kind.COUNTER32 | Kind.COUNTER64:
            return _rate(reading, row, oid, int(number), answer)
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


def _rate(reading: Reading, row: str, oid: str, count: int, answer: Answer) -> float | None:
    life = answer.values.get(f"{DISCONTINUITY}.{row}") if _is_port(reading.oid) else None
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


def _plain(value: Value) -> int | str | None:
    """A value as a profile can name it: numbers, and text in lower case."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip().lower()
    return value if isinstance(value, int | str) else None
