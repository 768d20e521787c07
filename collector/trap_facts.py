"""What a notification says, as a measurement.

Law: a notification is a fact about the moment it came: the device lived and said this. One that we
do not know is kept under its number; nothing of its content but known numbers is kept.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from model.measurement import Measurement, Outcome, Rung, Vantage

KIND = "trap"
NAMES: Mapping[str, str] = {
    "1.3.6.1.6.3.1.1.5.1": "coldStart",
    "1.3.6.1.6.3.1.1.5.2": "warmStart",
    "1.3.6.1.6.3.1.1.5.3": "linkDown",
    "1.3.6.1.6.3.1.1.5.4": "linkUp",
    "1.3.6.1.6.3.1.1.5.5": "authenticationFailure",
    "1.3.6.1.2.1.33.2.1": "upsOnBattery",  # RFC 1628 upsTrapOnBattery
    "1.3.6.1.2.1.33.2.3": "upsAlarmAdded",
    "1.3.6.1.2.1.33.2.4": "upsAlarmRemoved",
    "1.3.6.1.4.1.318.0.5": "upsOnBattery",  # PowerNet-MIB (APC)
    "1.3.6.1.4.1.318.0.9": "upsOnLine",  # PowerNet-MIB powerRestored
}
"""SNMPv2-MIB, IF-MIB, UPS-MIB and APC's own, by the value of snmpTrapOID."""

_SYS_UPTIME = "1.3.6.1.2.1.1.3.0"
_IF_INDEX = "1.3.6.1.2.1.2.2.1.1"
_ALARM_DESCRIPTION = "1.3.6.1.2.1.33.1.6.2.1.2"
_ALARM_ON_BATTERY = "1.3.6.1.2.1.33.1.6.3.2"
_BATTERY: Mapping[str, float] = MappingProxyType({"upsOnBattery": 1.0, "upsOnLine": 0.0})
_OID = re.compile(r"\d{1,10}(?:\.\d{1,10}){1,24}", re.ASCII)
UNKNOWN = "unknown"


def fact(site: str, at_ms: int, trap_oid: str, values: Mapping[str, int | str]) -> Measurement:
    """The measurement of a notification. ``values``: its whole numbers and OIDs by OID; the rest
    (octets: names, addresses) is not wanted."""
    name = NAMES.get(trap_oid) or (trap_oid if _OID.fullmatch(trap_oid) else UNKNOWN)
    if name in ("upsAlarmAdded", "upsAlarmRemoved") and _ALARM_ON_BATTERY in [
        value for oid, value in values.items() if oid.startswith(_ALARM_DESCRIPTION + ".")
    ]:
        name = "upsOnBattery" if name == "upsAlarmAdded" else "upsOnLine"
    readings: dict[str, float] = {}
    if isinstance(ticks := values.get(_SYS_UPTIME), int) and 0 <= ticks < 2**32:
        readings["uptime_seconds"] = ticks / 100
    for oid, value in values.items():
        if oid.startswith(_IF_INDEX + ".") and isinstance(value, int) and 0 < value < 2**31:
            readings["interface_index"] = float(value)
    if name in _BATTERY:
        readings["on_battery"] = _BATTERY[name]
    return Measurement(
        site, Vantage.CENTRE, KIND, f"{Rung.DEVICE}:{name}", at_ms, Outcome.UP, readings
    )
