"""Checks of kind ``snmp``: whose devices they are, and what must not stand in an inventory."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from inventory.read import load
from model.errors import InputError
from model.kinds import Snmp
from model.measurement import Outcome, Reason
from model.snmp import Credentials, Version
from probes.snmp import SnmpProbe
from tests.probes.test_snmp_fleet import checks, opener

GOOD = Path(__file__).parents[1] / "data" / "inventories" / "good.yaml"
SITE = "semparuk-kd"


def written(folder: Path, line: str) -> Path:
    """The good inventory with one check of SNMP."""
    path = folder / "inventory.yaml"
    path.write_text(GOOD.read_text() + f"checks:\n  routers: {line}\n")
    return path


def test_a_device(tmp_path: Path) -> None:
    """It is asked from the centre, kept as the device's own word, at the site's pace; on a metered
    line six times less often."""
    line = f"{{kind: snmp, address: '{{address}}', credentials: routers, sites: [{SITE}]}}"
    plain = load(written(tmp_path, line))
    (check,) = [one for one in plain.centre_checks() if isinstance(one.settings, Snmp)]
    assert (check.kind, check.target, check.address) == ("device", "device:routers", "127.61.1.13")
    assert check.settings == Snmp("routers")
    path = written(tmp_path, line)
    metered = "    address: 127.61.1.13\n    metered: true\n"
    path.write_text(path.read_text().replace("    address: 127.61.1.13\n", metered))
    (rarer,) = [one for one in load(path).centre_checks() if isinstance(one.settings, Snmp)]
    assert rarer.interval_seconds == 6 * check.interval_seconds


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("credentials: routers", "'address' is missing"),
        ("address: 10.61.9.2", "'credentials' is missing"),
        ("address: 10.61.9.2, credentials: Routers 1", "checks.routers.credentials"),
        ("address: 10.61.9.2, credentials: routers, community: s3cret", "'community' is not"),
        ("address: 10.61.9.2, credentials: routers, oid: 1.3.6.1.4.1.14988", "'oid' is not"),
        ("address: 224.0.0.1, credentials: routers", "multicast"),
        ("address: 255.255.255.255, credentials: routers", "broadcast"),
        ("address: 10.61.9.0/24, credentials: routers", "10.61.9.0/24"),
        ("address: 10.61.9.2, credentials: routers, interval_seconds: 1", "interval_seconds"),
    ],
)
def test_mistakes(tmp_path: Path, keys: str, message: str) -> None:
    """Each mistake is named at its line; a community in an inventory is one and is not shown."""
    path = written(tmp_path, f"{{kind: snmp, {keys}, sites: [{SITE}]}}")
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        load(path)
    last = len(path.read_text().splitlines())
    assert f"inventory.yaml:{last}: checks.routers" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("address", ["router.example", "224.0.0.1", "255.255.255.255", "::", ""])
@pytest.mark.anyio
async def test_the_last_door(address: str, anyio_backend: str) -> None:
    """Whatever an inventory says: a name, everybody and nobody are not asked."""
    secrets = {"living": Credentials(Version.V2C, "living")}
    probe = SnmpProbe(opener, load=lambda _: secrets)
    (check,) = checks("living", 1, 60)
    wrong = replace(check, address=address)
    with pytest.raises(InputError, match="address"):
        probe.device(wrong)
    look = await probe(wrong)
    assert (look.outcome, look.reason) == (Outcome.UNKNOWN, Reason.NO_PERMISSION)


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of the tests."""
    return "asyncio"


def test_a_device_has_an_address_and_no_name(tmp_path: Path) -> None:
    """Who answers to a name can change between two polls; traps come from an address too."""
    line = f"{{kind: snmp, address: router.desa.id, credentials: routers, sites: [{SITE}]}}"
    with pytest.raises(InputError, match="is a name: SNMP devices are asked by"):
        load(written(tmp_path, line))
