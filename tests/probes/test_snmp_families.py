"""Families of which there is no recording: agents made by hand from the structure of their MIBs,
and what real agents of any family get wrong. No real device stands behind these numbers."""

import asyncio
from collections.abc import Mapping

import pytest

from model.snmp import Credentials, Version
from probes.snmp_device import Poll
from tests.probes import snmp_agent
from tests.probes.snmp_agent import (
    COUNTER32,
    COUNTER64,
    GAUGE32,
    INTEGER,
    OID,
    STRING,
    TIMETICKS,
    Agent,
    Value,
)
from tests.probes.snmp_asking import device

TIK, UBNT = "1.3.6.1.4.1.14988.1.1", "1.3.6.1.4.1.41112.1"
TP, TLT, IF, IFX = (
    "1.3.6.1.4.1.11863.6.4.1",
    "1.3.6.1.4.1.48690.2",
    "1.3.6.1.2.1.2.2.1",
    "1.3.6.1.2.1.31.1.1.1",
)


def system(sys_object_id: str, ticks: int = 360_000) -> dict[str, Value]:
    """SNMPv2-MIB's system group."""
    return {
        "1.3.6.1.2.1.1.1.0": (STRING, b"made by hand"),
        "1.3.6.1.2.1.1.2.0": (OID, sys_object_id),
        "1.3.6.1.2.1.1.3.0": (TIMETICKS, ticks),
    }


def port(index: int, name: bytes, octets: int, *, status: int = 1) -> dict[str, Value]:
    """A row of ifTable as every device has it: 32-bit counters, no ifXTable."""
    return {
        f"{IF}.2.{index}": (STRING, name),
        f"{IF}.3.{index}": (INTEGER, 6),
        f"{IF}.5.{index}": (GAUGE32, 100_000_000),
        f"{IF}.7.{index}": (INTEGER, 1),
        f"{IF}.8.{index}": (INTEGER, status),
        f"{IF}.9.{index}": (TIMETICKS, 1000),
        f"{IF}.10.{index}": (COUNTER32, octets),
        f"{IF}.16.{index}": (COUNTER32, octets // 2),
    }


def gauges(*rows: tuple[int, bytes, int, int]) -> dict[str, Value]:
    """mtxrGaugeTable: index, name, value, unit (1 celsius, 2 rpm, 3 dV, 4 dA, 5 dW, 6 status)."""
    found: dict[str, Value] = {}
    for index, name, value, unit in rows:
        found |= {
            f"{TIK}.3.100.1.2.{index}": (STRING, name),
            f"{TIK}.3.100.1.3.{index}": (INTEGER, value),
            f"{TIK}.3.100.1.4.{index}": (INTEGER, unit),
        }
    return found


ROUTEROS_7 = {
    **system("1.3.6.1.4.1.14988.1"),
    f"{TIK}.4.4.0": (STRING, b"7.16.1"),
    f"{TIK}.6.1.0": (GAUGE32, 17),
    **gauges(
        (13, b"voltage", 241, 3),
        (14, b"temperature", 47, 1),
        (17, b"cpu-temperature", 61, 1),
        (7001, b"fan1-speed", 3200, 2),
        (7103, b"psu2-state", 1, 6),
    ),
}
ROUTEROS_LTE = {
    **system("1.3.6.1.4.1.14988.1"),
    f"{TIK}.7.4.0": (STRING, b"7.12"),
    f"{TIK}.16.1.1.2.4": (INTEGER, -71),
    f"{TIK}.16.1.1.3.4": (INTEGER, -11),
    f"{TIK}.16.1.1.4.4": (INTEGER, -103),
    f"{TIK}.16.1.1.7.4": (INTEGER, 6),
    f"{TIK}.16.1.1.11.4": (STRING, b"356789012345678"),
    f"{TIK}.16.1.1.12.4": (STRING, b"510101234567890"),
}
UNIFI = {
    **system("1.3.6.1.4.1.8072.3.2.10"),
    f"{UBNT}.6.3.5.0": (COUNTER32, 86_400),
    f"{UBNT}.6.3.6.0": (STRING, b"6.6.77"),
    f"{UBNT}.6.1.1.1.6.1": (INTEGER, 23),
    f"{UBNT}.6.1.1.1.6.2": (INTEGER, 41),
    f"{UBNT}.6.1.2.1.8.1": (INTEGER, 5),
    f"{UBNT}.6.1.2.1.8.2": (INTEGER, 9),
    f"{UBNT}.6.1.2.1.8.7": (INTEGER, 0),
}
TPLINK = {
    **system("1.3.6.1.4.1.11863.5.38"),
    f"{TP}.1.1.1.2.1": (INTEGER, 34),
    f"{TP}.2.1.1.2.1": (INTEGER, 57),
}
TELTONIKA_7 = {
    **system("1.3.6.1.4.1.48690"),
    f"{TLT}.2.1.3.1": (STRING, b"356789012345678"),
    f"{TLT}.2.1.12.1": (INTEGER, -67),
    f"{TLT}.2.1.17.1": (INTEGER, 410),
    f"{TLT}.2.1.19.1": (STRING, b"11"),
    f"{TLT}.2.1.20.1": (STRING, b"-98"),
    f"{TLT}.2.1.21.1": (STRING, b"-10"),
}
TELTONIKA_OLD = {
    **system("1.3.6.1.4.1.48690"),
    f"{TLT}.4.0": (INTEGER, -67),
    f"{TLT}.9.0": (INTEGER, 410),
    f"{TLT}.22.0": (STRING, b"11.2"),
    f"{TLT}.23.0": (STRING, b"-98 dBm"),
    f"{TLT}.24.0": (STRING, b"-10"),
}
APC = {
    **system("1.3.6.1.4.1.318.1.3.27"),
    "1.3.6.1.4.1.318.1.1.1.2.2.1.0": (GAUGE32, 83),
    "1.3.6.1.4.1.318.1.1.1.2.2.3.0": (TIMETICKS, 150_000),
    "1.3.6.1.4.1.318.1.1.1.3.2.1.0": (GAUGE32, 0),
    "1.3.6.1.4.1.318.1.1.1.4.1.1.0": (INTEGER, 3),
}
RADIO = {"lte_sinr_db": 11, "lte_rsrp_dbm": -98, "lte_rsrq_db": -10}
FAMILIES: Mapping[str, tuple[Mapping[str, Value], str, Mapping[str, float | None]]] = {
    "RouterOS 7": (
        ROUTEROS_7,
        "mikrotik",
        {"supply_volts": 24.1, "temperature_celsius": 61, "dhcp_leases": 17, "clients": None},
    ),
    "RouterOS LTE": (
        ROUTEROS_LTE,
        "mikrotik",
        {"lte_rssi_dbm": -71, "lte_rsrq_db": -11, "lte_rsrp_dbm": -103, "lte_sinr_db": 6},
    ),
    "UniFi": (
        UNIFI,
        "unifi",
        {"clients": 14, "channel_used_share": 0.41, "uptime_seconds": 86_400},
    ),
    "TP-Link": (TPLINK, "tplink", {"cpu_share": 0.34, "memory_used_share": 0.57}),
    "Teltonika RutOS 7": (
        TELTONIKA_7,
        "teltonika",
        {**RADIO, "lte_rssi_dbm": -67, "temperature_celsius": 41},
    ),
    "Teltonika RUT9xx": (
        TELTONIKA_OLD,
        "teltonika",
        {**RADIO, "lte_sinr_db": 11.2, "lte_rssi_dbm": -67, "temperature_celsius": 41},
    ),
    "APC": (
        APC,
        "ups",
        {
            "on_battery": 1,
            "battery_charge_share": 0.83,
            "battery_left_seconds": 1500,
            "mains_volts": 0,
            "battery_celsius": None,
        },
    ),
}


def asked(agent: Agent, *, version: Version = Version.V2C, polls: int = 1) -> Poll:
    """What polling this agent brings."""

    async def run() -> Poll:
        try:
            credentials = Credentials(version, "public", port=await snmp_agent.start(agent))
            one = device(credentials)
            for _ in range(polls):
                poll = await one.poll()
            return poll
        finally:
            await snmp_agent.close_all()

    return asyncio.run(run())


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
@pytest.mark.parametrize("name", FAMILIES)
def test_family(name: str, version: Version) -> None:
    """Each family is told apart and read, by v1 as by v2c, and nothing personal is asked for."""
    rows, profile, expected = FAMILIES[name]
    agent = Agent(rows)
    poll = asked(agent, version=version)
    assert profile in {one.id for one in poll.plan.profiles}
    for reading, value in expected.items():
        assert poll.readings.get(reading) == (value and pytest.approx(value)), reading
    named = {".".join(map(str, oid)) for request in agent.requests for oid in request.oids}
    for personal in (f"{TIK}.16.1.1.11.4", f"{TIK}.16.1.1.12.4", f"{TLT}.2.1.3.1"):
        assert personal not in named


def test_a_device_without_ifxtable() -> None:
    """Sparse indices, 32-bit counters only, no names: ports are counted, the busier one is the
    uplink, and its speed is ifSpeed."""
    octets = {"1000003": 10_000_000, "7": 1_000_000}

    def spoil(request: snmp_agent.Request, honest: bytes) -> list[bytes]:
        for index, total in octets.items():  # traffic between the polls
            for column, share in ((10, 1), (16, 2)):
                oid = snmp_agent.parse_oid(f"{IF}.{column}.{index}")
                before = int(agent.table[oid][1])
                agent.table[oid] = (COUNTER32, before + total // 100_000 // share)
        return [honest]

    rows = {
        **system("1.3.6.1.4.1.99999.1"),
        **port(7, b"lan", octets["7"]),
        **port(1_000_003, b"", octets["1000003"]),
        **port(1_000_009, b"", 0, status=2),
    }
    agent = Agent(rows, spoil=spoil)
    poll = asked(agent, polls=2)
    assert (poll.readings["interfaces_up"], poll.readings["interfaces_down"]) == (2, 1)
    assert poll.readings["in_bits_per_second"] > poll.readings["out_bits_per_second"] > 0
    share = poll.readings["in_bits_per_second"] / 100e6
    assert poll.readings["utilisation_share"] == pytest.approx(min(1.0, share))
    assert [row.row for row in poll.rows if row.name == "interfaces_up"] == [
        *("lan", "1000003", "1000009"),
    ]


def test_64_bit_counters_in_name_only() -> None:
    """Where ifHCInOctets stands at nought and ifInOctets counts, the latter is asked; where both
    count, the former alone; a port that has only one is read by that one."""
    rows = system("1.3.6.1.4.1.99999.1")
    for index, high in ((1, 0), (2, 2**40)):
        rows |= port(index, b"ether", 5_000_000)
        rows |= {f"{IFX}.{column}.{index}": (COUNTER64, high) for column in (6, 10)}
    rows |= port(3, b"pppoe-out1", 77)
    poll = asked(Agent(rows))
    kept = {oid for oid in poll.plan.oids if oid.startswith((f"{IF}.10.", f"{IFX}.6."))}
    assert kept == {f"{IF}.10.1", f"{IFX}.6.2", f"{IF}.10.3"}


def test_wrong_types() -> None:
    """Text for a number, a negative for "not known", empty text, NULL and absurd values give no
    reading, and do not spoil their neighbours."""
    rows = {
        **ROUTEROS_7,
        **gauges((13, b"voltage", 0, 3), (14, b"temperature", -300, 1), (17, b"", 61, 1)),
        f"{TIK}.6.1.0": (STRING, b""),
        f"{TIK}.3.12.0": (snmp_agent.NULL, b""),
        "1.3.6.1.2.1.33.1.2.4.0": (INTEGER, -1),
        "1.3.6.1.2.1.33.1.4.1.0": (STRING, b"battery"),
        "1.3.6.1.2.1.33.1.2.5.0": (INTEGER, 271),
        **port(1, b"", 0),
        f"{IF}.8.1": (STRING, b"up"),
    }
    poll = asked(Agent(rows))
    found = {name for name in poll.readings if name != "boot_id"}
    assert found == {
        "uptime_seconds",
        "temperature_celsius",
        "battery_volts",
        "interface_change_seconds",
    }
    assert poll.readings["temperature_celsius"] == 61


@pytest.mark.parametrize(
    "rows",
    [
        {"1.3.6.1.2.1.1.5.0": (STRING, b"a name")},
        {"1.3.6.1.2.1.1.1.0": (STRING, b"")},
        {"1.3.6.1.2.1.1.2.0": (OID, "1.3.6.1.4.1.14988.1")},
    ],
    ids=["no system group", "a description only", "a number only"],
)
def test_a_device_that_says_next_to_nothing(rows: Mapping[str, Value]) -> None:
    """It gives no readings, is met again with few packets at each poll, and is asked every time, so
    that its silence would be noticed."""
    agent = Agent(rows)
    poll = asked(agent, polls=3)
    assert poll.readings == {}
    assert poll.plan.profiles == ()
    assert 6 <= len(agent.requests) <= 90
    silent = Agent(rows, spoil=lambda _request, _honest: [])
    with pytest.raises(TimeoutError):
        asked(silent)
