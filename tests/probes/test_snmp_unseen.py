"""Recordings that no profile was made for: whatever a device is, it gives sensible readings or
none. The small ones of snmpsim-data by default, all of them with JANGKAU_FAULTS."""

import asyncio
import bz2
import importlib.metadata
import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from model.measurement import METRICS
from model.snmp import Credentials, Version
from probes.snmp_allowed import COLUMNS, SCALARS, may_get, may_walk
from tests.probes import snmp_agent
from tests.probes.snmp_agent import GET, Agent, snmprec
from tests.probes.snmp_asking import device

LARGEST_BYTES = 2**40 if os.environ.get("JANGKAU_FAULTS") else 250_000
TABLES = {oid.rpartition(".")[0] for oid in COLUMNS}
TABLES |= {oid.rsplit(".", 2)[0] for oid in SCALARS}
_VALUE = r"(?:\d+\||\d+x\|(?:[\da-fA-F]{2})*\s*$)"
LISTED = re.compile(
    rf"(?:{'|'.join(map(re.escape, sorted(TABLES)))})\.[\d.]+\|{_VALUE}".encode(),
)
"""What is played of a recording: around what is listed, without snmpsim's variations and what is
written wrongly."""

SENSIBLE: Mapping[str, tuple[float, float]] = {
    "_share": (0, 1),
    "_dbm": (-160, 20),
    "_celsius": (-40, 125),
    "_volts": (0, 1000),
    "_seconds": (0, 10 * 365 * 86_400),
    "load_average": (0, 1000),
    "interfaces_up": (0, 64),
    "interfaces_down": (0, 64),
    "on_battery": (0, 1),
}


def recordings() -> dict[str, Path]:
    """All recordings by name, up to the size that we have time for."""
    try:
        files = importlib.metadata.files("snmpsim-data") or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    paths = [Path(str(file.locate())) for file in files if ".snmprec" in str(file)]
    return {
        path.name.partition(".snmprec")[0]: path
        for path in sorted(paths)
        if path.stat().st_size <= LARGEST_BYTES
    }


def test_there_are_recordings() -> None:
    """Without the package nothing of this is tested, and that is said."""
    if not recordings():
        pytest.skip("no recordings: pip install snmpsim-data")
    assert len(recordings()) >= 90


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
@pytest.mark.parametrize("name", recordings())
def test_unseen(name: str, version: Version) -> None:
    """No reading is beyond reason, none is made up, and nothing is asked that is not listed."""
    path = recordings()[name]
    with (bz2.open if path.suffix == ".bz2" else open)(path, "rb") as lines:
        text = b"".join(filter(LISTED.match, lines)).decode("latin1")
    agent = Agent(snmprec(text))

    async def run() -> Mapping[str, float]:
        try:
            credentials = Credentials(version, "public", port=await snmp_agent.start(agent))
            return (await device(credentials).poll()).readings
        finally:
            await snmp_agent.close_all()

    readings = asyncio.run(run())
    assert readings.keys() <= METRICS.keys()
    assert ("boot_id" in readings) == ("uptime_seconds" in readings)
    for reading, value in readings.items():
        for ending, (least, most) in SENSIBLE.items():
            if reading.endswith(ending):
                assert least <= value <= most, reading
    for request in agent.requests:
        for oid in (".".join(map(str, arcs)) for arcs in request.oids):
            walked = request.pdu != GET and any(f"{oid}.".startswith(f"{c}.") for c in COLUMNS)
            assert may_get(oid) or may_walk(oid) or walked
