"""``jangkau snmp``: what it prints, what it says when a device does not answer, what it records."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.snmp import app
from model.errors import InputError
from model.snmp import Credentials, Version
from probes.snmp_allowed import may_get
from probes.snmp_pace import Pace
from probes.snmp_record import everything, recording
from tests.probes import snmp_agent
from tests.probes.snmp_agent import Agent, snmprec
from tests.probes.snmp_asking import device
from tests.probes.snmpd_agent import running
from tests.probes.test_snmp_recordings import free_port

GOOD = Path(__file__).parents[1] / "data" / "inventories" / "good.yaml"
SITE = "semparuk-kd"
PERSONAL = "sysContact Ali <ali@desa.id>\nsysLocation Jl. Merdeka 1\nsysName rumah-ali\n"


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A real agent that knows a person, an address and a name."""
    with running(tmp_path_factory.mktemp("snmpd"), PERSONAL) as port:
        yield port


@pytest.fixture
def inventory(tmp_path: Path, agent: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site with a device that answers, and where the secrets stand."""
    path, secrets = tmp_path / "inventory.yaml", tmp_path / "secrets.toml"
    text = GOOD.read_text()
    assert "address: 127.61.1.13" in text
    path.write_text(
        text.replace("address: 127.61.1.13", "address: 127.0.0.1")
        + f"checks:\n  routers: {{kind: snmp, address: '{{address}}', credentials: routers, "
        f"sites: [{SITE}], timeout_seconds: 15}}\n"
    )
    secrets.write_text(
        f'[routers]\nversion = "v2c"\ncommunity = "public"\nport = {agent}\n'
        f'[closed]\nversion = "v2c"\ncommunity = "public"\nport = {free_port()}\n'
        f'[wrong]\nversion = "v2c"\ncommunity = "guessed"\nport = {agent}\n'
        f'[stranger]\nuser = "nobody"\nport = {agent}\n'
    )
    secrets.chmod(0o600)
    monkeypatch.setenv("JANGKAU_SNMP_SECRETS", str(secrets))
    monkeypatch.chdir(tmp_path)
    # How gently and patiently it asks is tested elsewhere.
    monkeypatch.setattr("probes.snmp.ANSWER_SECONDS", 0.5)
    monkeypatch.setattr("probes.snmp.Pace", lambda clock: Pace(clock, per_second=1000))
    return path


def run(inventory: Path, *words: str) -> Result:
    """The command with these words; what it raises is raised here."""
    result = CliRunner().invoke(app, [*words, "--inventory", str(inventory)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def other(inventory: Path, credentials: str, more: str = "") -> None:
    """The device's check uses other credentials, or there is another device."""
    text = inventory.read_text().replace("credentials: routers", f"credentials: {credentials}")
    inventory.write_text(text + more)


def test_a_site_in_a_table(inventory: Path) -> None:
    """``jangkau snmp SITE`` tells what it is, which profiles fit, and readings with their units."""
    result = run(inventory, SITE, "--twice", "0")
    assert result.exit_code == 0
    assert f"{SITE} 127.0.0.1" in result.stdout
    assert "1.3.6.1.4.1.8072.3.2.10: ports, net-snmp" in result.stdout
    uptime = re.search(r"uptime_seconds +([\d,.]+) +s +HOST-RESOURCES-MIB::", result.stdout)
    assert uptime is not None
    seconds = float(Path("/proc/uptime").read_text().split()[0])
    assert float(uptime[1].replace(",", "")) == pytest.approx(seconds, abs=60)


def test_a_site_as_json(inventory: Path) -> None:
    """One document with every device; one that does not answer says why, and the exit code is 1."""
    port_closed = (
        f"  ups: {{kind: snmp, address: 127.0.0.1, credentials: closed, sites: [{SITE}]}}\n"
    )
    other(inventory, "routers", port_closed)
    result = run(inventory, SITE, "--json", "--twice", "0.1")
    assert result.exit_code == 1
    routers, ups = json.loads(result.stdout)["devices"]
    assert (routers["check"], routers["answered"]) == ("routers", True)
    assert routers["profiles"] == ["interfaces", "netsnmp", "system"]
    assert routers["readings"].keys() >= {"uptime_seconds", "boot_id", "in_errors_per_second"}
    assert {row["name"] for row in routers["rows"]} >= {"uptime_seconds", "load_average"}
    assert (ups["answered"], "SNMP port is closed" in ups["error"]) == (False, True)
    assert run(inventory, SITE, "--check", "routers", "--json").exit_code == 0


@pytest.mark.parametrize(
    ("credentials", "said"),
    [
        ("closed", "it lives, and its SNMP port is closed"),
        ("wrong", "no answer to three requests"),
        ("stranger", "it does not let us in"),
    ],
)
def test_no_readings(inventory: Path, credentials: str, said: str) -> None:
    """Who does not answer is told with what to do about it, and without a secret."""
    other(inventory, credentials)
    result = run(inventory, SITE)
    assert result.exit_code == 1
    told = " ".join(result.stderr.split())
    assert f"{SITE} 127.0.0.1: {said}" in told
    assert "guessed" not in told


def test_input_mistakes(inventory: Path) -> None:
    """No check, a check that is not there, several devices, credentials that are not there: each is
    told with the remedy."""
    with pytest.raises(InputError, match=r"--check x: semparuk-kd has routers"):
        run(inventory, SITE, "--check", "x")
    with pytest.raises(InputError, match=r"there is no site 'semparuk'.*did you mean semparuk-kd"):
        run(inventory, "semparuk")
    with pytest.raises(InputError, match=r"no \[ups\]"):
        run(inventory, "discover", "--credentials", "ups")
    other(inventory, "missing")
    with pytest.raises(InputError, match=r"no \[missing\]"):
        run(inventory, SITE)
    more = f"  ups: {{kind: snmp, address: 127.0.0.1, credentials: routers, sites: [{SITE}]}}\n"
    other(inventory, "missing", more)
    with pytest.raises(InputError, match="several devices: add --check, one of routers, ups"):
        run(inventory, "record", SITE)
    inventory.write_text(inventory.read_text().partition("checks:")[0])
    with pytest.raises(InputError, match="no check of kind snmp"):
        run(inventory, SITE)


def test_discover(inventory: Path) -> None:
    """Of all entries of the secrets the one that opens the device is found, with its profiles."""
    result = run(inventory, "discover", "--json")
    assert result.exit_code == 0
    (found,) = json.loads(result.stdout)
    assert (found["site"], found["credentials"]) == (SITE, "routers")
    assert found["profiles"] == ["interfaces", "netsnmp", "system"]
    assert run(inventory, "discover", "--credentials", "closed").exit_code == 1


def test_record(inventory: Path, tmp_path: Path) -> None:
    """A recording holds listed objects only, nothing personal, and can be played."""
    result = run(inventory, "record", SITE)
    assert result.exit_code == 0
    text = (tmp_path / f"{SITE}.snmprec").read_text()
    rows = snmprec(text)
    assert all(map(may_get, rows))
    assert rows["1.3.6.1.2.1.1.2.0"] == (snmp_agent.OID, "1.3.6.1.4.1.8072.3.2.10")
    description = rows["1.3.6.1.2.1.1.1.0"][1]
    assert isinstance(description, bytes)
    assert description.startswith(b"Linux host ")
    for personal in ("ali", "Ali", "Merdeka", "127.0.0.1"):
        assert personal not in text


def test_a_device_of_which_nothing_is_known(
    inventory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said that it answers, and what to do about it."""
    monkeypatch.setattr("probes.snmp.standard_profiles", tuple)
    result = run(inventory, SITE, "--twice", "0")
    assert result.exit_code == 0
    assert "nothing that our profiles read; 'jangkau snmp record" in " ".join(result.stderr.split())


@pytest.mark.anyio
async def test_what_people_write_is_replaced(anyio_backend: str) -> None:
    """Names of ports, their comments, mount points and addresses in texts do not enter a recording;
    what it gives when it is played is what the device gave."""
    rows: dict[str, snmp_agent.Value] = {
        "1.3.6.1.2.1.1.1.0": (snmp_agent.STRING, "router, ali@desa.id, 10.1.2.3"),
        "1.3.6.1.2.1.1.2.0": (snmp_agent.OID, "1.3.6.1.4.1.14988.1"),
        "1.3.6.1.2.1.1.3.0": (snmp_agent.TIMETICKS, 4_200),
        "1.3.6.1.4.1.14988.1.1.3.8.0": (snmp_agent.GAUGE32, 241),
        "1.3.6.1.4.1.14988.1.1.6.1.0": (snmp_agent.GAUGE32, 12),
        "1.3.6.1.2.1.25.2.3.1.2.7": (snmp_agent.OID, "1.3.6.1.2.1.25.2.1.4"),
        "1.3.6.1.2.1.25.2.3.1.3.7": (snmp_agent.STRING, "/home/ali"),
        "1.3.6.1.2.1.2.2.1.1.3": (snmp_agent.INTEGER, 3),
        "1.3.6.1.2.1.2.2.1.2.3": (snmp_agent.STRING, "to Pak Ali"),
        "1.3.6.1.2.1.2.2.1.3.3": (snmp_agent.INTEGER, 6),
        "1.3.6.1.2.1.2.2.1.7.3": (snmp_agent.INTEGER, 1),
        "1.3.6.1.2.1.2.2.1.8.3": (snmp_agent.INTEGER, 2),
        "1.3.6.1.2.1.2.2.1.10.3": (snmp_agent.COUNTER32, 2**32 - 1),
        "1.3.6.1.2.1.31.1.1.1.1.3": (snmp_agent.STRING, b"ether3"),
        "1.3.6.1.2.1.31.1.1.1.6.3": (snmp_agent.COUNTER64, 2**40),
        "1.3.6.1.2.1.31.1.1.1.18.3": (snmp_agent.STRING, "WAN 0812-3456-7890"),
    }
    port = await snmp_agent.start(Agent(rows))
    one = device(Credentials(Version.V2C, "public", port=port))
    text = "\n".join(recording(await everything(one.asker)))
    for personal in ("Ali", "ali", "desa.id", "10.1.2.3", "0812"):
        assert personal not in text
    played = snmprec(text)
    assert played.keys() == rows.keys()
    assert played["1.3.6.1.2.1.31.1.1.1.1.3"] == rows["1.3.6.1.2.1.31.1.1.1.1.3"]
    assert played["1.3.6.1.2.1.2.2.1.10.3"] == rows["1.3.6.1.2.1.2.2.1.10.3"]
    again = device(Credentials(Version.V2C, "public", port=await snmp_agent.start(Agent(played))))
    first, second = (await one.poll()).readings, (await again.poll()).readings
    assert {**first, "boot_id": 0} == {**second, "boot_id": 0}
    assert first["supply_volts"] == 24.1
    await snmp_agent.close_all()


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of the tests."""
    return "asyncio"
