"""Debian's snmpd, a real agent: v1, v2c and v3 with SHA-256 and AES."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from model.snmp import Credentials, Version
from probes.snmp_session import RefusedError
from tests.probes.snmp_asking import device
from tests.probes.snmpd_agent import running

USER, AUTHENTICATION, PRIVACY = "jangkau", "authentication-1", "privacy-of-tests"


@pytest.fixture(scope="module")
def snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an agent of our own."""
    with running(
        tmp_path_factory.mktemp("snmpd"),
        f'createUser {USER} SHA-256 "{AUTHENTICATION}" AES "{PRIVACY}"\nrouser {USER} priv\n'
        f'createUser long SHA-512 "{AUTHENTICATION}" AES "{PRIVACY}"\nrouser long priv\n'
        f'createUser signs SHA-384 "{AUTHENTICATION}"\nrouser signs auth\n'
        "createUser open\nrouser open noauth\n",
    ) as port:
        yield port


def v3(port: int, **other: str) -> Credentials:
    """The user of the agent; keywords spoil it."""
    good = {
        "user": USER,
        "authentication": "sha256",
        "authentication_password": AUTHENTICATION,
        "privacy": "aes128",
        "privacy_password": PRIVACY,
    }
    return Credentials(Version.V3, port=port, **{**good, **other})


@pytest.mark.parametrize("version", ["v1", "v2c", "v3"])
def test_versions(version: str, snmpd: int) -> None:
    """The same readings come by every version, and the uptime is that of this machine."""
    plain = Credentials(Version(version), "public", port=snmpd)
    poll = asyncio.run(device(v3(snmpd) if version == "v3" else plain).poll())
    assert {profile.id for profile in poll.plan.profiles} == {"interfaces", "netsnmp", "system"}
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    assert poll.readings["uptime_seconds"] == pytest.approx(uptime, abs=30)
    assert 0 < poll.readings["memory_used_share"] < 1
    assert poll.plan.sys_object_id == "1.3.6.1.4.1.8072.3.2.10"


@pytest.mark.parametrize(
    "other",
    [
        {"user": "long", "authentication": "sha512"},
        {
            "user": "signs",
            "authentication": "sha384",
            **dict.fromkeys(("privacy", "privacy_password"), ""),
        },
        {
            "user": "open",
            "authentication": "",
            "authentication_password": "",
            **dict.fromkeys(("privacy", "privacy_password"), ""),
        },
    ],
    ids=["authPriv with SHA-512", "authNoPriv", "noAuthNoPriv"],
)
def test_levels_of_v3(other: dict[str, str], snmpd: int) -> None:
    """Every security level of RFC 3414 opens the device for a user who needs no more."""
    poll = asyncio.run(device(v3(snmpd, **other)).poll())
    assert poll.plan.sys_object_id == "1.3.6.1.4.1.8072.3.2.10"
    assert "uptime_seconds" in poll.readings


def test_boot_id_is_that_of_the_host(snmpd: int) -> None:
    """Two polls of one life by two probes that know nothing of each other give one boot id, or
    the two ends of one minute."""
    first = asyncio.run(device(v3(snmpd)).poll()).readings
    again = device(v3(snmpd))
    second = asyncio.run(again.poll()).readings["boot_id"]
    third = asyncio.run(again.poll()).readings["boot_id"]
    assert second == third
    assert first["boot_id"] > 2**16


@pytest.mark.parametrize(
    "spoilt",
    [{"user": "nobody"}, {"authentication_password": "wrong-password"}, {"authentication": "sha1"}],
    ids=["user", "password", "hash"],
)
def test_refused(spoilt: dict[str, str], snmpd: int) -> None:
    """A wrong user, password or hash is told as a refusal, not as a silent device."""
    with pytest.raises(RefusedError):
        asyncio.run(device(v3(snmpd, **spoilt), timeout_seconds=1).poll())


def test_wrong_privacy_is_silence(snmpd: int) -> None:
    """An agent that cannot decrypt says nothing (RFC 3414, 3.2.8), nor do we invent an answer."""
    spoilt = {"privacy_password": "wrong-password"}
    with pytest.raises(TimeoutError):
        asyncio.run(device(v3(snmpd, **spoilt), timeout_seconds=0.3).poll())
