"""A poll as a recording that snmpsim plays, to send with a bug report.

Law: what could name a person, a place or a device never enters it: the allow-list keeps most of it
away, and the few texts that people write themselves are replaced here.
"""

import re
from collections.abc import Mapping

from probes.snmp_device import SYS_DESCRIPTION, SYS_OBJECT_ID, Plan
from probes.snmp_interfaces import ALIAS, DESCRIPTION, HIGH_SPEED, NAME
from probes.snmp_profile import Kind
from probes.snmp_readings import SYS_UPTIME
from probes.snmp_session import Value

INTEGER, OCTETS, OID, COUNTER32, GAUGE32, TIMETICKS, COUNTER64 = 2, 4, 6, 65, 66, 67, 70
"""Tags of snmpsim's format (X.690 and RFC 2578)."""

_TAGS = {
    Kind.COUNTER32: COUNTER32,
    Kind.COUNTER64: COUNTER64,
    Kind.TIMETICKS: TIMETICKS,
    Kind.CHANGE_TIME: TIMETICKS,
}
_PORT_NAME = re.compile(
    r"(?:lo|eth|ether|wlan|wifi|lan|wan|br|bridge|sfp|sfp-sfpplus|pppoe-out|ppp|lte|wwan|vlan|ge|ath"
    r"|radio|en[ops]\w{0,8}|br-lan|br-wan)[\d./-]{0,8}",
    re.ASCII | re.IGNORECASE,
)
_ADDRESS = re.compile(
    rb"(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}|[\w.+-]+@[\w.-]+"
)
_HOST_NAME = re.compile(rb"^(Linux) \S+")  # net-snmp describes a system by uname, with its name


def recording(plan: Plan, values: Mapping[str, Value], once: Mapping[str, Value]) -> list[str]:
    """Lines ``oid|tag|value`` in the order of the OIDs. ``once``: what was asked at the meeting."""
    tags = {reading.oid: _TAGS.get(reading.kind, INTEGER) for reading in plan.readings}
    tags |= {SYS_UPTIME: TIMETICKS, HIGH_SPEED: GAUGE32}
    everything = {
        **once,
        **values,
        SYS_DESCRIPTION: plan.description.encode(),
        SYS_OBJECT_ID: plan.sys_object_id,
    }
    lines = []
    for oid in sorted(everything, key=_arcs):
        value = everything[oid]
        tag = tags.get(oid) or next(
            (tags[base] for base in tags if oid.startswith(base + ".")), INTEGER
        )
        lines.append(_line(oid, tag, value))
    return lines


def _line(oid: str, tag: int, value: Value) -> str:
    if isinstance(value, bytes):
        clean = _without_persons(oid, value)
        if clean.isascii() and clean.decode("ascii").isprintable():
            return f"{oid}|{OCTETS}|{clean.decode('ascii')}"
        return f"{oid}|{OCTETS}x|{clean.hex()}"
    if isinstance(value, str):
        return f"{oid}|{OID}|{value}"
    return f"{oid}|{tag}|{value}"


def _without_persons(oid: str, value: bytes) -> bytes:
    column, _, row = oid.rpartition(".")
    if column == ALIAS:
        return b""
    if column in (NAME, DESCRIPTION):
        text = value.decode("utf-8", "replace")
        return value if _PORT_NAME.fullmatch(text) else f"port{row}".encode()
    return _ADDRESS.sub(b"<removed>", _HOST_NAME.sub(rb"\1 host", value))


def _arcs(oid: str) -> list[int]:
    return [int(arc) for arc in oid.split(".")]
