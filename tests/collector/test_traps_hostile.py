"""Hostile datagrams on the port for traps (S-04): counted, and forgotten."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from collector.traps import TrapReceiver
from model.measurement import Measurement
from tests.collector.test_traps import DOWN, SENDERS
from tests.probes.snmp_agent import (
    INTEGER,
    OID,
    STRING,
    TIMETICKS,
    Request,
    encode,
    oid_bytes,
    parse_oid,
    response,
    tlv,
)
from tests.probes.test_snmp_faults import MEMORY_BYTES, memory_bytes, mutated

FAULTS = int(os.environ.get("JANGKAU_FAULTS", "0"))
DATAGRAMS = 100_000 + 1_800 * FAULTS
"""A million with JANGKAU_FAULTS=500."""
CPU_SECONDS = 0.005
"""S-04: 999 of 1,000 datagrams cost no more."""


def trap_v1() -> bytes:
    """A coldStart as SNMPv1 tells it (RFC 1157, 4.1.6)."""
    fields = [
        tlv(OID, oid_bytes(parse_oid("1.3.6.1.4.1.99999"))),
        tlv(0x40, bytes((127, 0, 0, 1))),
        encode((INTEGER, 0)),
        encode((INTEGER, 0)),
        encode((TIMETICKS, 4200)),
        tlv(0x30, b""),
    ]
    head = encode((INTEGER, 0)) + tlv(STRING, b"public")
    return tlv(0x30, head + tlv(0xA4, b"".join(fields)))


def trap_v2c(pdu: int = 0xA7) -> bytes:
    """A linkDown (0xA7), or an inform of it (0xA6): RFC 3416, 4.2.6 and 4.2.7."""
    uptime = (parse_oid("1.3.6.1.2.1.1.3.0"), (TIMETICKS, 4200))
    name = (parse_oid("1.3.6.1.6.3.1.1.4.1.0"), (OID, DOWN))
    answer = response(Request(1, b"public", 0, 7, 0, 0, []), [uptime, name])
    return answer.replace(b"\xa2", bytes((pdu,)), 1)


def trap_v3() -> bytes:
    """A message of SNMPv3 with a user that exists and a digest that is none (RFC 3412, 6)."""
    numbers = [encode((INTEGER, 7)), encode((INTEGER, 65_507)), tlv(STRING, b"\x03")]
    head = tlv(0x30, b"".join([*numbers, encode((INTEGER, 3))]))
    engine = tlv(STRING, bytes.fromhex("80000000010203"))
    times = encode((INTEGER, 1)) + encode((INTEGER, 42))
    user = tlv(STRING, b"jangkau") + tlv(STRING, b"\0" * 24) + tlv(STRING, b"\1" * 8)
    security = tlv(STRING, tlv(0x30, engine + times + user))
    return tlv(0x30, encode((INTEGER, 3)) + head + security + tlv(STRING, b"\2" * 80))


@asynccontextmanager
async def listening(
    kept: list[Measurement],
) -> AsyncIterator[tuple[TrapReceiver, Callable[[bytes, str], None]]]:
    """A receiver, and how to give it a datagram from an address. Each comes when its sender may
    speak again."""
    clock = iter(range(10**9))
    receiver = TrapReceiver(
        SENDERS, kept.append, wall_ms=lambda: 1, monotonic=lambda: next(clock) * 2.0
    )
    await receiver.open("127.0.0.1", 0)

    def take(datagram: bytes, address: str) -> None:
        receiver._transport.datagram_received(datagram, (address, 1))

    try:
        yield receiver, take
    finally:
        receiver.close()
        await asyncio.sleep(0)  # a transport is closed in the next turn of the loop


@pytest.mark.faults
def test_hostile_datagrams() -> None:
    """Mutated and made-up datagrams are counted and cost milliseconds at most; the next honest trap
    is kept; memory stays."""
    seed = random.randrange(2**32)  # noqa: S311 - not a secret
    print(f"seed {seed}")  # noqa: T201 - to repeat a failure
    dice = random.Random(seed)  # noqa: S311 - not a secret
    honest = trap_v2c()
    plain, secure = [trap_v1(), honest, trap_v2c(0xA6)], trap_v3()

    async def run() -> None:
        kept: list[Measurement] = []
        before, spent = 0, []
        async with listening(kept) as (receiver, take):
            for number in range(DATAGRAMS):
                data = mutated(secure if number % 2 else dice.choice(plain), dice)
                begun = time.thread_time()
                take(data, f"127.0.0.{1 + number % 2}")
                spent.append(time.thread_time() - begun)
                if number % 100 == 0:
                    kept.clear()
                if number == DATAGRAMS // 10:
                    before = memory_bytes()
            kept.clear()
            take(honest, "127.0.0.1")
            counts = receiver.counts
        assert len(kept) == 1
        assert counts.total() == DATAGRAMS + 1
        assert counts["malformed"] > DATAGRAMS // 10
        assert memory_bytes() - before <= MEMORY_BYTES
        assert sorted(spent)[-DATAGRAMS // 1000] <= CPU_SECONDS

    asyncio.run(run())


@pytest.mark.parametrize(
    ("datagram", "address", "target"),
    [
        (trap_v1(), "127.0.0.1", "device:coldStart"),
        (trap_v2c(), "127.0.0.1", "device:linkDown"),
        (trap_v3(), "127.0.0.2", None),
    ],
    ids=["v1", "v2c", "v3"],
)
def test_the_seeds_are_what_they_say(datagram: bytes, address: str, target: str | None) -> None:
    """Unmutated they are an honest trap each, or one whose digest is wrong."""

    async def run() -> list[Measurement]:
        kept: list[Measurement] = []
        async with listening(kept) as (receiver, take):
            take(datagram, address)
            assert receiver.counts.total() == 1
            assert receiver.counts["malformed"] == 0
        return kept

    assert [one.target for one in asyncio.run(run())] == ([target] if target else [])
