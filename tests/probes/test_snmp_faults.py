"""Hostile answers (S-04): the count that issue 6 names for CI, more with JANGKAU_FAULTS."""

import os
import random
import resource
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from probes.snmp_fast import open_session
from tests.probes import snmp_agent
from tests.probes.snmp_agent import Agent, Request
from tests.probes.snmp_asking import at
from tests.probes.test_snmp_ask import UPTIME, rows

pytestmark = pytest.mark.anyio

FAULTS = int(os.environ.get("JANGKAU_FAULTS", "0"))
MUTATIONS = 200_000 + 1_600 * FAULTS
"""What S-04 wants in CI; a million with JANGKAU_FAULTS=500."""
AT_ONCE = 10
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

    def spoil(_: Request, honest: bytes) -> list[bytes]:
        return [*(mutated(honest, dice) for _ in range(AT_ONCE)), honest]

    agent = Agent(rows(2), spoil=spoil)
    session = await open_session("127.0.0.1", at(await snmp_agent.start(agent)), 0.5)
    asked = [UPTIME, "1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.31.1.1.1.6.1"]
    before, silent, questions = memory_bytes(), 0, MUTATIONS // AT_ONCE
    for number in range(questions):
        try:
            answer = await session.get(asked)
        except TimeoutError:
            silent += 1
            continue
        assert answer.keys() <= set(asked)
        if number == questions // 10:
            before = memory_bytes()
        agent.requests.clear()
        agent.times.clear()
    assert silent <= questions // 100 + 5
    assert memory_bytes() - before <= MEMORY_BYTES
