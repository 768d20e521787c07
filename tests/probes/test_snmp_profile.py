"""Profiles: the allow-list holds against any file, and a mistake is named with its place."""

import asyncio
import random

import pytest

from model.errors import InputError
from model.measurement import METRICS
from probes.snmp_allowed import COLUMNS, SCALARS, may_get, may_walk
from probes.snmp_fast import open_session
from probes.snmp_profile import Profile, read_profile, standard_profiles
from tests.probes.snmp_asking import at

DANGEROUS = (
    "1.3.6.1.4.1.14988.1.1.18.1.1.2.1",  # runs a script
    "1.3.6.1.4.1.14988.1.1.18.1.1.2",
    "1.3.6.1.4.1.14988.1.1.7.1.0",  # restarts the router
    "1.3.6.1.4.1.14988.1.1.7.3.0",  # serial number
    "1.3.6.1.4.1.14988.1.1.5.1.1.1.1",  # hotspot users
    "1.3.6.1.4.1.14988.1.1.1.2.1.1.1",  # registration table: MAC addresses
    "1.3.6.1.4.1.14988.1.1.21.4.1.6.1",  # the newer one
    "1.3.6.1.4.1.14988.1.1.16.1.1.11.1",  # IMEI
    "1.3.6.1.4.1.14988.1.1.16.1.1.12.1",  # IMSI
    "1.3.6.1.4.1.14988.1.1.11.1.1.6.1",  # neighbours
    "1.3.6.1.4.1.8072.1.3.2.3.1.2.1",  # net-snmp extend runs a program
    "1.3.6.1.4.1.14988",
    "1.3.6.1.4.1.14988.1.1",
    "1.3.6.1.2.1.2.2.1.6.1",  # ifPhysAddress
    "1.3.6.1.2.1.4.22.1.2.1.10.0.0.1",  # ARP
    "1.3.6.1.2.1.1.4.0",  # sysContact
    "1.3.6.1.2.1.1.6.0",  # sysLocation
    "1.3.6.1.2.1",
    "1.3.6",
    "1",
    "",
    "1.3.6.1.2.1.1.3.0 ",
    "1.3.6.1.2.1.1.03.0",
    ".1.3.6.1.2.1.1.3.0",
    "1.3.6.1.4.1.14988.1.1.4.4.0/../18",
    "1.3.6.1.4.1.14988.1.1.4294967314.1.1.2.1",  # 18 + 2^32
)
HEAD = 'title = "hostile"\nconfirm = ["1.3.6.1.2.1.1.3.0"]\n[[reading]]\nname = "clients"\n'


@pytest.mark.parametrize("oid", DANGEROUS)
def test_what_must_never_be_asked(oid: str) -> None:
    """No form of a dangerous object passes the list, and no profile that names it is read."""
    assert not may_get(oid)
    assert not may_walk(oid)
    for key in ("oid", "column"):
        with pytest.raises(InputError, match=r"hostile\.toml: reading 1: .* not on the list"):
            read_profile(f'{HEAD}{key} = "{oid}"\n', "hostile", "hostile.toml")


@pytest.mark.parametrize("oid", DANGEROUS)
def test_the_last_door(oid: str) -> None:
    """Even who forges a profile in memory cannot make the session send such a request."""

    async def ask() -> None:
        session = await open_session("127.0.0.1", at(9), 0.05)
        with pytest.raises(ValueError, match="not on the list"):
            await session.get(["1.3.6.1.2.1.1.3.0", oid])
        with pytest.raises(ValueError, match="not on the list"):
            await anext(session.walk(oid, 10))

    asyncio.run(ask())


def test_no_subtree_of_a_vendor_is_listed() -> None:
    """No walk can begin above a column, and every dangerous object lies outside all of them."""
    seed = random.randrange(2**32)  # noqa: S311 - not a secret
    print(f"seed {seed}")  # noqa: T201 - to repeat a failure
    dice = random.Random(seed)  # noqa: S311 - not a secret
    for _ in range(20_000):
        arcs = [
            dice.choice((1, 2, 4, 6, 7, 11, 12, 18, 21, 100)) for _ in range(dice.randint(0, 5))
        ]
        oid = ".".join(["1.3.6.1.4.1.14988.1.1", *map(str, arcs)])
        if may_walk(oid):
            assert oid in COLUMNS
        if may_get(oid):
            assert oid in SCALARS or any(oid.startswith(f"{column}.") for column in COLUMNS)
            assert not oid.startswith(
                tuple(f"1.3.6.1.4.1.14988.1.1.{n}." for n in ("18", "7.1", "7.3", "21.4", "1.2"))
            )


@pytest.mark.parametrize("profile", standard_profiles(), ids=lambda profile: profile.id)
def test_standard_profiles(profile: Profile) -> None:
    """Every profile reads, names its MIB objects and metrics that exist, and fits its own id."""
    assert profile.readings
    for reading in profile.readings:
        assert reading.mib.count("::") == 1
        assert reading.name in METRICS
    for one in profile.sys_object_ids:
        assert profile.candidate(f"{one}.1.2")
        assert not profile.candidate(f"{one}1")


BAD = {
    "title = [": "this is not TOML",
    'titel = "x"': "'titel' is not a key",
    'title = "x"': "'title' and 'confirm' are needed",
    'title = "x"\nconfirm = "1.3"': "confirm: is not a list of texts",
    f'{HEAD}oid = "1.3.6.1.2.1.1.3.0"\nscale = "x"': "scale 'x' is not a number",
    f'{HEAD}oid = "1.3.6.1.2.1.1.3.0"\nkind = "x"': "'x' is not a valid Kind",
    f'{HEAD}oid = "1.3.6.1.2.1.1.3.0"\nskale = 1': "'skale' is not a key",
    HEAD: "give either 'oid' or 'column'",
    HEAD.replace("clients", "customers"): "name 'customers' is no metric",
}


@pytest.mark.parametrize("text", BAD)
def test_mistakes_are_named(text: str) -> None:
    """Each mistake in a profile is told with the file and what to do."""
    with pytest.raises(InputError) as caught:
        read_profile(text, "mine", "mine.toml")
    assert str(caught.value).startswith("mine.toml: ")
    assert BAD[text] in str(caught.value)
