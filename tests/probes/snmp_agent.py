"""An SNMP v1/v2c agent for tests that answers as it is told, rightly or wrongly.

Real agents (snmpd, snmpsim) do not misbehave on command; this one does: its ``spoil`` hook sees
each request and its honest answer and says what is sent instead. BER: X.690; messages: RFC 3416.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

GET, GETNEXT, RESPONSE, GETBULK = 0xA0, 0xA1, 0xA2, 0xA5
INTEGER, STRING, NULL, OID = 2, 4, 5, 6
COUNTER32, GAUGE32, TIMETICKS, COUNTER64 = 0x41, 0x42, 0x43, 0x46
NO_SUCH_INSTANCE, END_OF_VIEW = 0x81, 0x82
TOO_BIG, NO_SUCH_NAME = 1, 2

Oid = tuple[int, ...]
Value = tuple[int, int | bytes | str]
"""(BER tag, value): whole numbers, bytes, or a dotted OID."""


def tlv(tag: int, content: bytes) -> bytes:
    """One BER element, definite length."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def oid_bytes(oid: Oid) -> bytes:
    """The content of an OBJECT IDENTIFIER."""
    out = bytearray()
    for arc in (oid[0] * 40 + oid[1], *oid[2:]):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        out += bytes(reversed(groups))
    return bytes(out)


def parse_oid(text: str) -> Oid:
    """``1.3.6`` as numbers."""
    return tuple(int(arc) for arc in text.split("."))


def encode(value: Value) -> bytes:
    """A value of a varbind."""
    tag, content = value
    if tag == OID:
        return tlv(tag, oid_bytes(parse_oid(str(content))))
    if isinstance(content, int):
        room = content.bit_length() // 8 + 1
        return tlv(tag, content.to_bytes(room, "big", signed=True))
    return tlv(tag, content.encode() if isinstance(content, str) else content)


class Request(NamedTuple):
    """A decoded request; ``second`` is max-repetitions of GETBULK."""

    version: int
    community: bytes
    pdu: int
    request_id: int
    first: int
    second: int
    oids: Sequence[Oid]


def _read(data: bytes, at: int) -> tuple[int, bytes, int]:
    tag, size, at = data[at], data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        size, at = int.from_bytes(data[at : at + count], "big"), at + count
    return tag, data[at : at + size], at + size


def _elements(data: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at < len(data):
        tag, content, at = _read(data, at)
        found.append((tag, content))
    return found


def _oid(content: bytes) -> Oid:
    arcs, value = [], 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    return (arcs[0] // 40, arcs[0] % 40, *arcs[1:])


def parse(data: bytes) -> Request:
    """A well-formed v1 or v2c request; what our own side sends is nothing else."""
    version, community, (pdu, body) = _elements(_read(data, 0)[1])
    request_id, first, second, binds = _elements(body)
    oids = [_oid(_elements(bind)[0][1]) for _, bind in _elements(binds[1])]
    number = [int.from_bytes(item[1], "big", signed=True) for item in (request_id, first, second)]
    return Request(version[1][0], community[1], pdu, *number, oids)


def response(
    request: Request, binds: Sequence[tuple[Oid, Value]], status: int = 0, index: int = 0
) -> bytes:
    """The answer to ``request`` with these varbinds."""
    packed = b"".join(tlv(0x30, tlv(OID, oid_bytes(oid)) + encode(v)) for oid, v in binds)
    numbers = b"".join(encode((INTEGER, n)) for n in (request.request_id, status, index))
    head = encode((INTEGER, request.version)) + tlv(STRING, request.community)
    return tlv(0x30, head + tlv(RESPONSE, numbers + tlv(0x30, packed)))


def snmprec(text: str) -> dict[str, Value]:
    """The rows of a recording in snmpsim's format (hexadecimal values have an ``x`` at the tag)."""
    rows: dict[str, Value] = {}
    for line in filter(None, text.split("\n")):  # a value may hold what else ends a line
        oid, tag, content = line.rstrip("\r").split("|", 2)
        number = int(tag.rstrip("x"))
        if number in (INTEGER, COUNTER32, GAUGE32, TIMETICKS, COUNTER64):
            rows[oid] = (number, int(content))
        elif number == OID:
            rows[oid] = (number, content)
        else:
            rows[oid] = (number, bytes.fromhex(content) if "x" in tag else content.encode("latin1"))
    return rows


Spoil = Callable[[Request, bytes], "Sequence[bytes] | None"]


class Agent(asyncio.DatagramProtocol):
    """Answers from ``rows``; a request with another community is ignored, as the standard says."""

    def __init__(
        self,
        rows: Mapping[str, Value],
        community: bytes = b"public",
        spoil: Spoil | None = None,
        most_binds: int = 10_000,
    ) -> None:
        self.table = {parse_oid(oid): value for oid, value in rows.items()}
        self.order = sorted(self.table)
        self.community = community
        self.spoil = spoil
        self.most_binds = most_binds
        self.requests: list[Request] = []
        self.times: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's callback."""
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """asyncio's callback."""
        request = parse(data)
        self.requests.append(request)
        self.times.append(asyncio.get_running_loop().time())
        if request.community != self.community:
            return
        honest = self.answer(request)
        answers = self.spoil(request, honest) if self.spoil else [honest]
        for answer in answers or ():
            self.transport.sendto(answer, addr)  # type: ignore[attr-defined] # a datagram transport

    def answer(self, request: Request) -> bytes:
        """What an honest agent says."""
        binds: list[tuple[Oid, Value]] = []
        if request.pdu == GET:
            missing = (NO_SUCH_INSTANCE, b"")
            binds = [(oid, self.table.get(oid, missing)) for oid in request.oids]
        else:
            rounds = request.second if request.pdu == GETBULK else 1
            last = list(request.oids)
            for _ in range(max(0, rounds)):
                for position, oid in enumerate(last):
                    found = self.following(oid)
                    last[position] = found[0]
                    binds.append(found)
        if len(binds) > self.most_binds:
            return response(request, [(o, (NULL, b"")) for o in request.oids], TOO_BIG)
        unknown = [n for n, (_, v) in enumerate(binds, 1) if v[0] in (0x81, 0x82)]
        if request.version == 0 and unknown:  # v1 has no exceptions (RFC 1157, 4.1.2)
            nothing = [(oid, (NULL, b"")) for oid in request.oids]
            return response(request, nothing, NO_SUCH_NAME, unknown[0])
        return response(request, binds)

    def following(self, oid: Oid) -> tuple[Oid, Value]:
        """The next row after ``oid``."""
        at = bisect_right(self.order, oid)
        if at == len(self.order):
            return oid, (END_OF_VIEW, b"")
        return self.order[at], self.table[self.order[at]]


_OPEN: list[asyncio.BaseTransport] = []


async def close_all() -> None:
    """Close what ``start`` opened, within its loop."""
    while _OPEN:
        _OPEN.pop().close()
    await asyncio.sleep(0)  # a transport is closed in the next turn of the loop


async def start(agent: Agent, host: str = "127.0.0.1") -> int:
    """Bind ``agent`` to a free port and return it."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: agent, local_addr=(host, 0))
    _OPEN.append(transport)
    return int(transport.get_extra_info("sockname")[1])
