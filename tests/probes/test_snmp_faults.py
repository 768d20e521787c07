"""Hostile answers and silent fleets (S-04): short by default, long with JANGKAU_FAULTS."""

import asyncio
import os
import random
import resource
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from model.check import Check
from model.kinds import Snmp
from model.measurement import Outcome, Vantage
from probes.snmp import SnmpProbe, raise_descriptor_limit
from probes.snmp_fast import open_session
from tests.probes import snmp_agent
from tests.probes.snmp_agent import Agent, Request
from tests.probes.snmp_asking import at
from tests.probes.test_snmp_ask import UPTIME, rows

pytestmark = pytest.mark.anyio

FAULTS = int(os.environ.get("JANGKAU_FAULTS", "0"))
MUTATIONS = 3_000 + 400 * FAULTS
"""500 gives the 200,000 of S-04."""
LIVING, SILENT = 145, 2_000
MEMORY_BYTES = 32 * 2**20


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of the tests."""
    return "asyncio"


@pytest.fixture(autouse=True)
async def agents() -> AsyncIterator[None]:
    """Agents end with their test."""
    yield
    await snmp_agent.close_all()


def mutated(honest: bytes, dice: random.Random) -> bytes:
    """An answer gone wrong: bits, lengths, cuts, depth, long object ids."""
    data = bytearray(honest)
    match dice.randrange(7):
        case 0:
            for _ in range(dice.randint(1, 8)):
                data[dice.randrange(len(data))] = dice.randrange(256)
        case 1:
            del data[dice.randrange(len(data)) :]
        case 2:
            data[dice.randrange(len(data))] = 0x80
        case 3:
            at_byte = dice.randrange(len(data))
            data[at_byte:at_byte] = b"\x30\x80" * dice.randint(1, 700)
        case 4:
            data[1:2] = b"\x84" + dice.randbytes(4)
        case 5:
            at_byte = dice.randrange(len(data))
            data[at_byte:at_byte] = b"\x06\x82\x04\x00" + b"\xff" * 1024
        case _:
            data = bytearray(dice.randbytes(dice.randint(0, 1400)))
    return bytes(data)


def memory_bytes() -> int:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.faults
async def test_mutated_answers() -> None:
    """However an answer is mutated, the question ends: with the honest answer behind it or in a
    silence, never in another exception, and memory does not grow."""
    seed = random.randrange(2**32)  # noqa: S311 - not a secret
    print(f"seed {seed}")  # noqa: T201 - to repeat a failure
    dice = random.Random(seed)  # noqa: S311 - not a secret

    def spoil(request: Request, honest: bytes) -> list[bytes]:
        return [*(mutated(honest, dice) for _ in range(4)), honest]

    agent = Agent(rows(2), spoil=spoil)
    session = await open_session("127.0.0.1", at(await snmp_agent.start(agent)), 0.5)
    asked = [UPTIME, "1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.31.1.1.1.6.1"]
    before, silent = memory_bytes(), 0
    for number in range(MUTATIONS // 4):
        try:
            answer = await session.get(asked)
        except TimeoutError:
            silent += 1
            continue
        assert answer.keys() <= set(asked)
        if number == MUTATIONS // 40:
            before = memory_bytes()
        agent.requests.clear()
        agent.times.clear()
    assert silent <= MUTATIONS // 400 + 5
    assert memory_bytes() - before <= MEMORY_BYTES


@pytest.mark.faults
async def test_silent_devices_do_not_delay_the_living() -> None:
    """145 devices answer as fast beside 2,000 silent ones as alone, to within a second."""
    raise_descriptor_limit()
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < LIVING + SILENT + 200:
        pytest.skip("too few file descriptors: ulimit -n 4096")
    loud = Agent(rows(1))
    deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # never read: requests vanish in it
    deaf.bind(("0.0.0.0", 0))  # noqa: S104 - all of 127/8
    credentials = {
        "living": at(await snmp_agent.start(loud)),
        "silent": at(deaf.getsockname()[1]),
    }
    probe = SnmpProbe(open_session, load=lambda _: credentials)

    def checks(name: str, first: int, count: int) -> list[Check]:
        return [
            Check(
                f"{name}-{n}",
                Vantage.CENTRE,
                "device",
                "device:routers",
                address,
                300,
                timeout_seconds=20.0,
                settings=Snmp(name),
            )
            for n in range(first, first + count)
            for address in ("127.0.0.1" if name == "living" else f"127.7.{n // 250}.{n % 250 + 1}",)
        ]

    async def living() -> float:
        # each site has its own device: the probe keeps one address to one pace, so they are met
        # one after the other unless each asks by itself
        probes = [SnmpProbe(open_session, load=lambda _: credentials) for _ in range(LIVING)]
        begun = time.monotonic()
        looks = await asyncio.gather(
            *(one(check) for one, check in zip(probes, checks("living", 0, LIVING), strict=True))
        )
        assert {look.outcome for look in looks} == {Outcome.UP}
        return time.monotonic() - begun

    alone = await living()
    dead = [asyncio.create_task(probe(check)) for check in checks("silent", 0, SILENT)]
    beside = await living()
    assert not any(task.done() and task.result().outcome is Outcome.UP for task in dead)
    looks = await asyncio.gather(*dead)
    deaf.close()
    assert {look.outcome for look in looks} == {Outcome.DOWN}
    assert beside - alone <= 1.0
