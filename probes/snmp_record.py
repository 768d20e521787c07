"""Everything that the allow-list knows of a device, as a recording that snmpsim plays: to send with
a bug report.

Law: what could name a person, a place or a device never enters it: the allow-list keeps most of it
away, and the few texts that people write themselves are replaced here.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping

from probes.snmp_allowed import COLUMNS, SCALARS
from probes.snmp_ask import Asker
from probes.snmp_interfaces import ALIAS, DESCRIPTION, HIGH_SPEED, NAME
from probes.snmp_profile import Kind, standard_profiles
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
STORAGE = "1.3.6.1.2.1.25.2.3.1.3"
_BELOW = re.compile(rb"/[^ ]+")  # where a disk is mounted may bear a user's name
_HOST_NAME = re.compile(rb"^(Linux) \S+")  # net-snmp describes a system by uname, with its name


async def everything(
    asker: Asker, told: Callable[[int, int], None] = lambda _done, _all: None
) -> dict[str, Value]:
    """What a device says of all listed objects, whatever the profiles make of it. ``asker`` is not
    open yet; ``told``: how many columns of how many are done. Raises TimeoutError, RefusedError,
    OSError."""
    await asker.open()
    found = await asker.get(sorted(SCALARS, key=_arcs))
    columns = sorted(COLUMNS, key=_arcs)
    rows: dict[str, dict[str, Value]] = defaultdict(dict)
    for number, column in enumerate(columns):
        table = column.rpartition(".")[0]
        if rows[table]:  # one column told which rows there are
            found |= await asker.get([f"{column}.{row}" for row in rows[table]])
        else:
            rows[table] = await asker.walk(column)
            found |= {f"{column}.{row}": value for row, value in rows[table].items()}
        told(number + 1, len(columns))
    return found


def recording(said: Mapping[str, Value]) -> list[str]:
    """Lines ``oid|tag|value`` in the order of the OIDs."""
    tags = {
        reading.oid: _TAGS.get(reading.kind, INTEGER)
        for profile in standard_profiles()
        for reading in profile.readings
    }
    tags |= {SYS_UPTIME: TIMETICKS, HIGH_SPEED: GAUGE32}
    return [
        _line(oid, tags.get(oid) or tags.get(_column(oid), INTEGER), said[oid])
        for oid in sorted(said, key=_arcs)
        if isinstance(said[oid], int | str | bytes)  # no listed object is of another type
    ]


def _column(oid: str) -> str:
    """The listed column of a row's OID; the OID itself for a scalar."""
    arcs = oid.split(".")
    every = (".".join(arcs[:length]) for length in range(9, len(arcs)))
    return next((one for one in every if one in COLUMNS), oid)


def _line(oid: str, tag: int, value: Value) -> str:
    if isinstance(value, bytes):
        clean = _without_persons(oid, value)
        if clean.isascii() and clean.decode("ascii").isprintable():
            return f"{oid}|{OCTETS}|{clean.decode('ascii')}"
        return f"{oid}|{OCTETS}x|{clean.hex()}"
    if isinstance(value, str):
        return f"{oid}|{OID}|{value}"
    if isinstance(value, int) and tag == INTEGER and value >= 2**31:
        tag = GAUGE32 if value < 2**32 else COUNTER64
    return f"{oid}|{tag}|{value}"


def _without_persons(oid: str, value: bytes) -> bytes:
    column = _column(oid)
    row = oid[len(column) + 1 :]
    if column == ALIAS:
        return b""
    if column in (NAME, DESCRIPTION):
        text = value.decode("utf-8", "replace")
        return value if _PORT_NAME.fullmatch(text) else f"port{row}".encode()
    if column == STORAGE:
        return _BELOW.sub(b"/...", value)
    return _ADDRESS.sub(b"<removed>", _HOST_NAME.sub(rb"\1 host", value))


def _arcs(oid: str) -> list[int]:
    return [int(arc) for arc in oid.split(".")]
