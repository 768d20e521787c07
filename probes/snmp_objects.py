"""Which objects of a device are worth asking at every poll.

Law: what the meeting showed to say nothing is not asked again until the next meeting.
"""

from collections.abc import Mapping, Sequence

from probes.snmp_interfaces import DISCONTINUITY
from probes.snmp_profile import Fold, Reading
from probes.snmp_session import Value


def answering_objects(
    readings: Sequence[Reading],
    wanted: Mapping[str, Mapping[str, str]],
    present: Mapping[str, Value],
) -> dict[str, dict[str, str]]:
    """Of each wanted column the rows that the device has and that are worth asking again: of a
    table of storage the main memory, and of two counters of one port the one to believe."""
    objects = {
        column: {row: oid for row, oid in rows.items() if oid in present}
        for column, rows in wanted.items()
    }
    best = _counters(readings, objects, present)
    kept: dict[str, set[str]] = {DISCONTINUITY: set(objects.get(DISCONTINUITY, ()))}
    for reading in readings:
        if reading.column:
            rows = {
                row
                for row, oid in objects[reading.oid].items()
                if best.get((reading.name, row), oid) == oid
                and concerns(reading, row, objects, present)
            }
            for column in reading.oids:
                kept.setdefault(column, set()).update(rows)
    return {
        column: {row: oid for row, oid in objects[column].items() if row in rows}
        for column, rows in kept.items()
        if column in objects
    }


def _counters(
    readings: Sequence[Reading],
    objects: Mapping[str, Mapping[str, str]],
    present: Mapping[str, Value],
) -> dict[tuple[str, str], str]:
    """For each reading and port its first counter, so the 64-bit one; unless that stands at nought
    while another counts: some firmwares have it in name only."""
    best: dict[tuple[str, str], str] = {}
    for reading in readings:
        if reading.fold is Fold.UPLINK:
            for row, oid in objects[reading.oid].items():
                if not present[best.setdefault((reading.name, row), oid)] and present[oid]:
                    best[reading.name, row] = oid
    return best


def concerns(
    reading: Reading,
    row: str,
    objects: Mapping[str, Mapping[str, str]],
    values: Mapping[str, Value],
) -> bool:
    """Whether a row is one of those ``where`` speaks of."""
    if reading.where is None:
        return True
    judge = objects.get(reading.where, {}).get(row, "")
    return _plain(values.get(judge)) in reading.where_in


def _plain(value: Value) -> int | str | None:
    """A value as a profile can name it: numbers, and text in lower case."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip().lower()
    return value if isinstance(value, int | str) else None
