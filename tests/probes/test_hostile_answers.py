"""S-13: hostile answers crash nothing, and cost a bounded number of bytes and seconds.

Fifty thousand of them; by hand, JANGKAU_FAULTS=500 makes half a million.
"""

import asyncio
import os
import socket
import struct
import time
from collections.abc import Callable
from contextlib import ExitStack
from random import Random

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP  # noqa: TID251 - to make what routers answer
from scapy.packet import Packet  # noqa: TID251 - the same

from model.kinds import Captive, Dns, Http, Path, Rtsp, Settings, Starlink, Tls
from model.measurement import METRICS, Outcome
from probes.clock import SystemClock
from probes.kinds import open_probes
from probes.path import WAVE, _Tracer
from probes.starlink import framed
from simulator.dish import Dish
from simulator.services import serving
from tests.probes.looking import check_of

ANSWERS = max(50_000, 1000 * int(os.environ.get("JANGKAU_FAULTS", "1")))
KINDS = 7
TIMEOUT_SECONDS = 0.3
BYTES_MAX = 256 * 1024
AT_ONCE = 128
PACKETS_SECONDS = 30.0
SEEDS = {
    "http": [
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhalo",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalo\r\n0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 301 X\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ],
    "rtsp": [
        b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 3\r\n\r\nv=0",
        b'RTSP/1.0 401 No\r\nWWW-Authenticate: Digest realm="x", nonce="y", qop="auth"\r\n\r\n',
    ],
    "starlink": [
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(framed(Dish().status()))
        + framed(Dish(obstructed=True, alerts=(1, 2), outage_cause=3).status()),
    ],
    "dns": [
        b"\x00\x1d\x00\x00\x81\x80\x00\x01\x00\x00\x00\x00\x00\x00\x04siap\x07example\x00\x00\x01\x00\x01",
        b"\xff\xff\x00\x00\x81\x80\x00\x00\x00\x01\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01",
    ],
    "tls": [
        b"\x16\x03\x03\x00\x31\x02\x00\x00\x2d\x03\x03" + bytes(40),
        b"\x15\x03\x01\x00\x02\x02\x28",
    ],
}


def mutated(random: Random, seed: bytes) -> bytes:
    """A seed with bytes changed, removed, doubled or put in; sometimes mere noise."""
    data = bytearray(seed)
    for _ in range(random.randrange(6)):
        at = random.randrange(len(data) + 1)
        match random.randrange(6):
            case 0:
                data[at : at + 1] = random.randbytes(1)
            case 1:
                del data[at : at + random.randrange(20)]
            case 2:
                data[at:at] = data[: random.randrange(200)]
            case 3:
                data[at:at] = random.choice((b"\r\n", b"\0", b"9" * 30, b"\xff" * 9, b": ", b"%00"))
            case 4:
                data[at:at] = random.randbytes(random.randrange(3000))
            case _:
                del data[at:]
    return bytes(data)


class Hostile:
    """Answers every connection with a mutation; sometimes drips, hangs, or never ends."""

    def __init__(self, random: Random, seeds: list[bytes]) -> None:
        self.random, self.seeds = random, seeds

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = mutated(self.random, self.random.choice(self.seeds))
        manner = self.random.randrange(20)
        if manner == 0:
            answer = answer[:40] + b"x" * 400_000
        for _ in range(1 + manner % 3):
            writer.write(answer)
            await writer.drain()
        if manner == 1:
            await reader.read()  # hangs until the look gives up


def settings_of(kind: str, port: int) -> Settings:
    return {
        "http": lambda: Http(f"http://127.0.0.1:{port}/", body_contains="halo"),
        "captive": lambda: Captive(f"http://127.0.0.1:{port}/"),
        "rtsp": lambda: Rtsp(port, user="u"),
        "starlink": lambda: Starlink(port),
        "tls": lambda: Tls(port),
    }[kind]()


class Starved:
    """For how long this process wanted to run and was not let: what others did on the machine
    meanwhile is not a look's doing. What we compute ourselves counts as the look's."""

    PULSE_SECONDS = 0.01

    def __init__(self) -> None:
        self.seconds = 0.0

    async def watch(self) -> None:
        while True:
            wall, cpu = time.monotonic(), time.process_time()
            await asyncio.sleep(self.PULSE_SECONDS)
            late = time.monotonic() - wall - self.PULSE_SECONDS - (time.process_time() - cpu)
            self.seconds += max(0.0, late)


async def look_often(settings: Settings, looks: int) -> None:
    """Look so often, a few at once, and hold every look to its promise."""
    check = check_of(settings, timeout_seconds=TIMEOUT_SECONDS)
    room = asyncio.Semaphore(AT_ONCE)
    starved = Starved()
    watching = asyncio.create_task(starved.watch())
    with ExitStack() as stack:
        stack.callback(watching.cancel)
        probe = open_probes([check], SystemClock(), stack)[check.kind]

        async def once() -> None:
            async with room:
                begun, before = time.monotonic(), starved.seconds
                look = await probe(check)
                took = time.monotonic() - begun - (starved.seconds - before)
                assert took < TIMEOUT_SECONDS + 1
            assert (look.outcome is Outcome.UP) == (look.reason == "")
            assert look.readings.keys() <= METRICS.keys()

        await asyncio.gather(*(once() for _ in range(looks)))


@pytest.mark.faults
@pytest.mark.parametrize("kind", ["http", "captive", "rtsp", "starlink", "tls"])
def test_streams(kind: str) -> None:
    """Mutated, dripping, endless and cut answers of servers that speak over a connection."""
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")  # noqa: T201 - shown when it fails
    hostile = Hostile(Random(seed), SEEDS["http" if kind == "captive" else kind])  # noqa: S311 - a test's chance

    async def run() -> None:
        async with serving(hostile) as port:
            await look_often(settings_of(kind, port), ANSWERS // KINDS)

    asyncio.run(run())


class LyingResolver(asyncio.DatagramProtocol):
    """Answers with mutations of a good answer, with loops of compression pointers among them."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        flags = self.random.choice((0x8180, 0x8180, 0x8380))  # the last: ask again over TCP
        head = data[:2] + struct.pack("!5H", flags, 1, self.random.choice((0, 1, 9, 65535)), 0, 0)
        loop = b"\xc0\x0c" * self.random.randrange(1, 9)
        record = struct.pack("!HHIH", self.random.choice((1, 5, 16)), 1, 60, 4) + b"\x0a\0\0\1"
        answer = head + data[12:] + loop + record * self.random.randrange(1, 30)
        changed = mutated(self.random, answer)[:60_000]
        self.transport.sendto(changed if self.random.randrange(3) else answer, addr)  # type: ignore[attr-defined] - a datagram transport


@pytest.mark.faults
def test_datagrams() -> None:
    """Mutated answers of a resolver, with pointer loops and records without end, over TCP too."""
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")  # noqa: T201 - shown when it fails
    random = Random(seed)  # noqa: S311 - a test's chance

    async def run() -> None:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: LyingResolver(random),
            ("127.0.0.1", 0),
        )
        port = transport.get_extra_info("sockname")[1]
        over_tcp = Hostile(random, SEEDS["dns"])
        async with serving(over_tcp, port=port):
            settings = Dns("siap.example", port=port, expected=("10.0.0.1",))
            await look_often(settings, ANSWERS // KINDS)
        transport.close()

    asyncio.run(run())


class Overheard(_Tracer):
    """A tracer without sockets: every packet that comes in is a mutation of a good answer."""

    def __init__(self, random: Random, answers: int) -> None:
        self._target, self._own, self._settings = "192.0.2.1", "192.0.2.2", Path(hops_max=WAVE)
        self._flow, self._size = 0x8000, 0
        self.random, self.left = random, answers
        quoted = IP(src=self._own, dst=self._target, id=self._flow + 1) / UDP() / bytes(12)
        big = IP(src=self._own, dst=self._target, id=0x4001) / ICMP() / bytes(12)
        head = IP(src="192.0.2.9", dst=self._own)
        self.seeds = [
            bytes(head / ICMP(type=11) / quoted),
            bytes(head / ICMP(type=3, code=4, nexthopmtu=1400) / big),
            bytes(head / ICMP(type=0, id=self._flow, seq=0x4001) / bytes(20)),
            bytes(head / TCP(dport=self._flow, flags="RA")),
        ]

    def _send(self, packet: Packet) -> None:
        bytes(packet)

    async def _received(self, seconds: float) -> list[Packet]:
        self.left -= 1
        if self.left < 0:
            await asyncio.sleep(seconds)  # nothing more comes
            return []
        seed = self.random.choice(self.seeds)
        # The kernel hands up whole IP headers only (ip(7)): what is mutated lies behind.
        return [IP(seed[:20] + mutated(self.random, seed[20:])[:2000])]


@pytest.mark.faults
def test_packets() -> None:
    """Mutated ICMP errors, echoes and segments: cut quotes, foreign ids, odd options."""
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")  # noqa: T201 - shown when it fails
    random = Random(seed)  # noqa: S311 - a test's chance
    left = ANSWERS // KINDS

    async def run() -> None:
        nonlocal left
        while left > 0:
            tracer = Overheard(random, min(left, 1000))
            left -= tracer.left
            begun = time.monotonic()
            hops = await tracer.trace()
            told: list[int] = []
            while tracer.left > 0:
                await tracer._fits(1500, told)
            assert len(hops) <= WAVE
            assert time.monotonic() - begun < PACKETS_SECONDS

    asyncio.run(run())


@pytest.mark.parametrize(
    ("head", "settings"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", lambda port: Http(f"http://127.0.0.1:{port}/")),
        (b"HTTP/1.1 200 OK\r\nX: ", lambda port: Http(f"http://127.0.0.1:{port}/")),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", Starlink),
        (b"", Rtsp),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 999999999\r\n\r\n", Rtsp),
        (b"HTTP/1.1 200 OK\r\n\r\n", lambda port: Captive(f"http://127.0.0.1:{port}/")),
        (b"\x16\x03\x03\x3f\xff\x02\x00\xff\xff", Tls),
        (b"\x17\x03\x03\x3f\xff", Tls),
    ],
)
def test_bytes_are_bounded(head: bytes, settings: Callable[[int], Settings]) -> None:
    """Of an answer without end a look takes less than 256 KiB off the wire, counted by a
    sender that keeps next to nothing in its own buffers."""
    taken: list[int] = []

    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        writer.transport.set_write_buffer_limits(4096)
        sent = len(head)
        writer.write(head)
        try:
            while True:
                writer.write(b"x" * 4096)
                sent += 4096
                await writer.drain()
        finally:
            taken.append(sent - writer.transport.get_write_buffer_size())

    async def run() -> None:
        async with serving(endless) as port:
            await look_often(settings(port), 1)
            while not taken:
                await asyncio.sleep(0)

    asyncio.run(run())
    assert taken[0] <= BYTES_MAX
