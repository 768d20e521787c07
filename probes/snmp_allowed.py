"""The objects that may be asked of a device: a list in the code, not in a file.

Law: what is not listed is not asked, whatever a profile says. Only columns and scalars are listed,
never a subtree, so that no walk can stray into what runs scripts, restarts a router or names a
person. The check is the last thing before the wire.

A GET of 14988.1.1.18.1.1.2 (mtxrScriptRunOutput) runs the script on the router; 14988.1.1.7.1 is
mtxrSystemReboot. Neither is read, nor anything that holds a MAC address, IP address, telephone or
SIM number, serial number, user name, contact or place (Law 27/2022 on personal data).
"""

import re
from functools import lru_cache

_OID = re.compile(r"1(?:\.(?:0|[1-9][0-9]{0,9})){3,60}", re.ASCII)

SCALARS = frozenset(
    f"1.3.6.1.{tail}.0"
    for tail in (
        *("2.1.1.1", "2.1.1.2", "2.1.1.3"),  # sysDescr, sysObjectID, sysUpTime; no contact, place
        "2.1.25.1.1",  # hrSystemUptime
        "6.3.10.2.1.2",  # snmpEngineBoots
        *("2.1.33.1.1.1", "2.1.33.1.1.2"),  # UPS: manufacturer, model
        *(f"2.1.33.1.2.{n}" for n in range(1, 8)),  # UPS battery
        *("2.1.33.1.4.1", "2.1.33.1.4.2"),  # UPS: what feeds the output
        *(f"4.1.2021.4.{n}" for n in (5, 6, 14, 15)),  # UCD memory
        "4.1.2021.11.53",  # UCD ssCpuRawIdle
        *(f"4.1.14988.1.1.3.{n}" for n in (8, 10, 11, 12, 13, 15, 16)),  # MikroTik health
        "4.1.14988.1.1.4.4",  # licence version = RouterOS version
        *("4.1.14988.1.1.6.1", "4.1.14988.1.1.7.4", "4.1.14988.1.1.7.9"),  # leases, firmware, board
        *(f"4.1.14988.1.1.1.{n}" for n in (4, 6, 10)),  # counts of stations, CAPsMAN
        *("4.1.41112.1.4.8.3", "4.1.41112.1.4.8.4"),  # airMAX host
        *("4.1.41112.1.6.3.2", "4.1.41112.1.6.3.3", "4.1.41112.1.6.3.5", "4.1.41112.1.6.3.6"),
        *(f"4.1.48690.2.{n}" for n in (4, 5, 8, 9, 22, 23, 24)),  # Teltonika RUT9xx modem
        *(f"4.1.318.1.1.1.{n}" for n in ("2.2.1", "2.2.2", "2.2.3", "2.2.8", "3.2.1", "4.1.1")),
        *("4.1.534.1.2.1", "4.1.534.1.2.2", "4.1.534.1.2.4", "4.1.534.1.4.5"),  # Eaton; APC above
        *(f"4.1.4881.1.1.10.2.36.1.1.{n}" for n in (1, 2, 3)),  # Ruijie CPU 5 s, 1 min, 5 min
    )
)
COLUMNS = frozenset(
    f"1.3.6.1.{table}.{column}"
    for table, columns in (
        ("2.1.2.2.1", (1, 2, 3, 5, 7, 8, 9, 10, 13, 14, 16, 19, 20)),  # ifTable; not 6, the MAC
        ("2.1.31.1.1.1", (1, 6, 10, 15, 18, 19)),  # ifXTable
        ("2.1.25.2.3.1", (2, 3, 4, 5, 6)),  # hrStorage
        ("2.1.25.3.3.1", (2,)),  # hrProcessorLoad
        ("2.1.33.1.3.3.1", (2, 3)),  # UPS input frequency, voltage
        ("2.1.33.1.4.4.1", (2, 5)),  # UPS output voltage, load
        ("4.1.2021.10.1", (5,)),  # laLoadInt
        ("4.1.2021.13.16.2.1", (2, 3)),  # lm-sensors temperature
        ("4.1.2021.13.16.4.1", (2, 3)),  # lm-sensors voltage
        ("4.1.14988.1.1.3.100.1", (2, 3, 4)),  # RouterOS 7 health table
        ("4.1.14988.1.1.1.1.1", (2, 3, 4, 9)),  # Wi-Fi as a station
        ("4.1.14988.1.1.1.3.1", (6, 7, 9, 10)),  # Wi-Fi access point; not 4 and 5, its names
        ("4.1.14988.1.1.14.1.1", (90,)),  # link downs
        ("4.1.14988.1.1.15.1.1", (3, 6)),  # PoE
        ("4.1.14988.1.1.16.1.1", (2, 3, 4, 6, 7)),  # LTE; not 11 and 12, IMEI and IMSI
        ("4.1.14988.1.1.19.1.1", (10,)),  # optical power
        ("4.1.14988.1.1.21.3.1", (9,)),  # state of remote access points
        ("4.1.41112.1.4.1.1", (4, 7)),  # airMAX radio
        ("4.1.41112.1.4.5.1", (5, 7, 8, 9, 10, 15)),  # airMAX link; not the MAC of the other end
        ("4.1.41112.1.4.6.1", (3, 4)),  # airMAX quality
        ("4.1.41112.1.6.1.1.1", (6,)),  # UniFi radio
        ("4.1.41112.1.6.1.2.1", (8, 20)),  # UniFi stations by network
        ("4.1.48690.2.2.1", (12, 17, 19, 20, 21)),  # Teltonika modems; not 3, 7, 8: IMEI, IMSI
        ("4.1.534.1.3.4.1", (2,)),  # Eaton UPS input voltage
        ("4.1.11863.6.4.1.1.1.1", (2,)),  # TP-Link CPU
        ("4.1.11863.6.4.1.2.1.1", (2,)),  # TP-Link memory
        ("4.1.4881.1.1.10.2.35.1.1.1", (3,)),  # Ruijie memory
    )
    for column in columns
)


@lru_cache(maxsize=65_536)
def may_get(oid: str) -> bool:
    """Whether a GET may name ``oid``: a listed scalar, or a row of a listed column."""
    if not _OID.fullmatch(oid):
        return False
    if oid in SCALARS:
        return True
    arcs = oid.split(".")
    return any(".".join(arcs[:length]) in COLUMNS for length in range(9, len(arcs)))


def may_walk(oid: str) -> bool:
    """Whether ``oid`` is a column whose rows may be listed."""
    return oid in COLUMNS


def require_get(oid: str) -> None:
    """Raise ValueError unless ``may_get``."""
    if not may_get(oid):
        raise ValueError(f"{oid[:80]} is not on the list of objects that may be asked")


@lru_cache(maxsize=8192)
def require_all(oids: tuple[str, ...]) -> None:
    """``require_get`` for each; devices of one make are asked the same again and again."""
    for oid in oids:
        require_get(oid)


def require_walk(oid: str) -> None:
    """Raise ValueError unless ``may_walk``."""
    if not may_walk(oid):
        raise ValueError(f"{oid[:80]} is not on the list of columns that may be listed")
