"""Politeness and patience: what we send to agents that struggle, loop, lie or come late (S-05)."""

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack

import pytest

from probes.snmp_ask import MOST_REPETITIONS, TRIES
from probes.snmp_fast import open_session
from probes.snmp_pace import PACKETS_A_SECOND, Pace
from tests.probes import snmp_agent
from tests.probes.snmp_agent import Agent, Request, Value, parse_oid, response
from tests.probes.snmp_asking import asker, at, device

pytestmark = pytest.mark.anyio

UPTIME = "1.3.6.1.2.1.1.3.0"
STATUS = "1.3.6.1.2.1.2.2.1.8"
SPEED = "1.3.6.1.2.1.31.1.1.1.15"


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of the tests."""
    return "asyncio"


@pytest.fixture(autouse=True)
async def agents() -> AsyncIterator[None]:
    """Agents end with their test."""
    yield
    await snmp_agent.close_all()


def rows(ports: int) -> dict[str, Value]:
    """A device with so many ports."""
    found: dict[str, Value] = {
        "1.3.6.1.2.1.1.1.0": (snmp_agent.STRING, "a switch"),
        "1.3.6.1.2.1.1.2.0": (snmp_agent.OID, "1.3.6.1.4.1.99999.1"),
        UPTIME: (snmp_agent.TIMETICKS, 8_640_000),
    }
    for port in range(1, ports + 1):
        for column in (7, 8):
            found[f"1.3.6.1.2.1.2.2.1.{column}.{port}"] = (snmp_agent.INTEGER, 1)
        for column in (13, 14, 19, 20):
            found[f"1.3.6.1.2.1.2.2.1.{column}.{port}"] = (snmp_agent.COUNTER32, 5)
        found[f"1.3.6.1.2.1.2.2.1.9.{port}"] = (snmp_agent.TIMETICKS, 40_000)
        found[f"{SPEED}.{port}"] = (snmp_agent.GAUGE32, 100)
        for column in (6, 10):
            found[f"1.3.6.1.2.1.31.1.1.1.{column}.{port}"] = (snmp_agent.COUNTER64, 2**40)
        found[f"1.3.6.1.2.1.31.1.1.1.19.{port}"] = (snmp_agent.TIMETICKS, 0)
    return found


async def test_pace() -> None:
    """No second sees more than five packets: tested on the times at which the agent was reached."""
    agent = Agent(rows(30))
    one = asker(at(await snmp_agent.start(agent)), pace=Pace(time.monotonic))
    await one.open()
    await asyncio.gather(one.walk(STATUS), one.get([UPTIME]))
    await one.walk(SPEED)
    times = agent.times
    assert len(times) >= PACKETS_A_SECOND + 3
    gaps = [late - early for early, late in zip(times, times[PACKETS_A_SECOND:], strict=False)]
    assert min(gaps) >= 0.99


async def test_too_big_is_halved() -> None:
    """A device that answers eight objects at most gets ever smaller requests, and gives all."""
    agent = Agent(rows(24), most_binds=8)
    one = asker(at(await snmp_agent.start(agent)))
    await one.open()
    assert len(await one.walk(STATUS)) == 24
    asked = [request.second for request in agent.requests if request.pdu == snmp_agent.GETBULK]
    assert max(asked) == MOST_REPETITIONS
    assert min(asked) > 0, "some devices hang on none"
    assert one.repetitions <= 8
    agent.requests.clear()
    found = await one.get([f"{SPEED}.{port}" for port in range(1, 25)])
    assert len(found) == 24 + 1
    assert one.most_objects <= 8
    agent.requests.clear()
    await one.get([f"{SPEED}.{port}" for port in range(1, 25)])
    assert all(len(request.oids) <= 8 for request in agent.requests), "it is remembered"


async def test_a_table_of_24_ports_in_two_round_trips() -> None:
    """Once a device is known, 24 ports with nine columns cost two requests."""
    agent = Agent(rows(24))
    one = device(at(await snmp_agent.start(agent)))
    await one.poll()
    agent.requests.clear()
    poll = await one.poll()
    assert len(agent.requests) == 2
    assert poll.readings["interfaces_up"] == 24
    assert len(poll.values) >= 24 * 9


@pytest.mark.parametrize("loop", [(5, 4, 4), (3, 3), (2, 1)])
async def test_loops_end(loop: Sequence[int]) -> None:
    """A walk that does not advance ends with the answer in which that shows: no further request."""

    def spoil(request: Request, honest: bytes) -> list[bytes]:
        column = parse_oid(STATUS)
        return [response(request, [((*column, n), (snmp_agent.INTEGER, 1)) for n in loop])]

    agent = Agent(rows(3), spoil=spoil)
    one = asker(at(await snmp_agent.start(agent)))
    await one.open()
    assert len(await one.walk(STATUS)) == 1
    assert len(agent.requests) == 1


async def test_a_table_of_thousands_is_not_read_to_its_end() -> None:
    """A walk stops at its limit."""
    agent = Agent(rows(1000))
    one = asker(at(await snmp_agent.start(agent)))
    await one.open()
    assert len(await one.walk(STATUS)) == 128
    assert len(agent.requests) == 13


async def test_one_outstanding_request() -> None:
    """While an answer is awaited nothing else is sent to the device."""
    waiting = 0
    most = 0

    def spoil(request: Request, honest: bytes) -> list[bytes]:
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        asyncio.get_running_loop().call_later(0.005, answer, request, honest)
        return []

    def answer(request: Request, honest: bytes) -> None:
        nonlocal waiting
        waiting -= 1
        agent.transport.sendto(honest, peers[-1])  # type: ignore[attr-defined] # a datagram transport

    peers = []
    agent = Agent(rows(24), spoil=spoil)
    received = agent.datagram_received
    agent.datagram_received = lambda data, addr: (peers.append(addr), received(data, addr))[1]  # type: ignore[method-assign, assignment, func-returns-value] # watched
    await device(at(await snmp_agent.start(agent))).poll()
    assert most == 1


async def test_wrong_ids_and_garbage_are_ignored() -> None:
    """A wrong request id, another community's answer and garbage change nothing and cost nothing;
    the honest answer behind them counts."""

    def spoil(request: Request, honest: bytes) -> list[bytes]:
        lie = [(oid, (snmp_agent.INTEGER, 666)) for oid in request.oids]
        wrong = request._replace(request_id=request.request_id ^ 1)
        return [b"", b"\x30\x80", b"\xff" * 900, response(wrong, lie), honest[:-3], honest]

    agent = Agent(rows(1), spoil=spoil)
    one = asker(at(await snmp_agent.start(agent)))
    await one.open()
    for _ in range(20):
        assert await one.get([UPTIME]) == {UPTIME: 8_640_000}
    assert len(agent.requests) == 20


async def test_answers_from_elsewhere_are_ignored() -> None:
    """A perfect answer from another port or another address is none: a hundred come first, each
    time, and the device's own counts."""
    with ExitStack() as stack:
        others = []
        for host in ("127.0.0.1", "127.0.0.2"):
            other = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            other.bind((host, 0))
            others.append(other)

        def spoil(request: Request, honest: bytes) -> list[bytes]:
            lie = [(oid, (snmp_agent.TIMETICKS, 666)) for oid in request.oids]
            for _ in range(50):
                for other in others:
                    other.sendto(response(request, lie), peers[-1])
            return [honest]

        peers: list[tuple[str, int]] = []
        agent = Agent(rows(1), spoil=spoil)
        received = agent.datagram_received
        agent.datagram_received = lambda data, addr: (peers.append(addr), received(data, addr))[1]  # type: ignore[method-assign, assignment, func-returns-value] # watched
        session = await open_session("127.0.0.1", at(await snmp_agent.start(agent)), 2.0)
        for _ in range(20):
            assert await session.get([UPTIME]) == {UPTIME: 8_640_000}


async def test_objects_that_were_not_asked_are_left_out() -> None:
    """An answer about something else is no answer."""

    def spoil(request: Request, honest: bytes) -> list[bytes]:
        other = parse_oid("1.3.6.1.2.1.1.5.0")
        return [response(request, [(other, (snmp_agent.STRING, "name"))])]

    session = await open_session(
        "127.0.0.1", at(await snmp_agent.start(Agent(rows(1), spoil=spoil))), 1.0
    )
    assert await session.get([UPTIME]) == {}


async def test_garbage_buys_no_time() -> None:
    """A stream of wrong datagrams does not keep a request alive beyond its time-out."""

    def spoil(request: Request, honest: bytes) -> list[bytes]:
        wrong = response(request._replace(request_id=1), [])
        for number in range(200):
            loop = asyncio.get_running_loop()
            loop.call_later(number * 0.01, agent.transport.sendto, wrong, peer[0])  # type: ignore[attr-defined] # a datagram transport
        return []

    peer: list[tuple[str, int]] = []
    agent = Agent(rows(1), spoil=spoil)
    received = agent.datagram_received
    agent.datagram_received = lambda data, addr: (peer.append(addr), received(data, addr))[1]  # type: ignore[method-assign, assignment, func-returns-value] # watched
    session = await open_session("127.0.0.1", at(await snmp_agent.start(agent)), 0.3)
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        await session.get([UPTIME])
    assert time.monotonic() - begun < 1.0


async def test_silence_costs_three_packets() -> None:
    """A device that never answers is asked three times, later each time, and no more."""
    agent = Agent(rows(1), spoil=lambda _request, _honest: [])
    one = asker(at(await snmp_agent.start(agent)), timeout_seconds=0.05)
    await one.open()
    with pytest.raises(TimeoutError):
        await one.get([UPTIME])
    assert len(agent.requests) == TRIES
    first, second = (b - a for a, b in zip(agent.times, agent.times[1:], strict=False))
    assert first >= 0.05 + 0.1
    assert second >= 0.05 + 0.2


async def test_late_answers() -> None:
    """An answer that comes after the time-out is not taken for that of the next request."""
    numbers = iter(range(100))

    def spoil(request: Request, honest: bytes) -> list[bytes]:
        late = response(request, [(parse_oid(UPTIME), (snmp_agent.TIMETICKS, next(numbers)))])
        if len(agent.requests) == 1:
            held.append(late)
            return []
        return [*held, late]

    held: list[bytes] = []
    agent = Agent(rows(1), spoil=spoil)
    one = asker(at(await snmp_agent.start(agent)), timeout_seconds=0.1)
    await one.open()
    assert await one.get([UPTIME]) == {UPTIME: 1}
    assert await one.get([UPTIME]) == {UPTIME: 2}


@pytest.mark.parametrize("loss", [0.05, 0.30])
async def test_loss(loss: float) -> None:
    """At 5 and 30 per cent loss nearly all polls of a known device come through: each request
    fails three times in a row with the third power of the loss."""
    seed = random.randrange(2**32)  # noqa: S311 - not a secret
    print(f"seed {seed}")  # noqa: T201 - to repeat a failure
    dice = random.Random(seed)  # noqa: S311 - not a secret
    lossless = True

    def spoil(request: Request, honest: bytes) -> list[bytes]:
        return [honest] if lossless or dice.random() >= loss else []

    agent = Agent(rows(4), spoil=spoil)
    port = await snmp_agent.start(agent)
    fleet = [device(at(port), timeout_seconds=0.3) for _ in range(60)]
    await asyncio.gather(*(one.poll() for one in fleet))
    lossless = False
    polls = await asyncio.gather(*(one.poll() for one in fleet), return_exceptions=True)
    lost = sum(isinstance(poll, TimeoutError) for poll in polls)
    assert all(isinstance(poll, TimeoutError) or poll.readings for poll in polls)  # type: ignore[union-attr] # a Poll
    assert lost <= 60 * loss**3 + 5 * (60 * loss**3) ** 0.5 + 1
