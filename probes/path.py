"""The kind ``path``: by which routers does the way go, how large a packet fits, has it changed?

Law: all packets of a check are of one flow, in this look and in the next (Paris traceroute), so
that load balancing is no change of path; a router that keeps silent is no other router.
"""

import asyncio
import errno
import hashlib
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

from scapy.layers.inet import ICMP, IP, TCP, UDP  # noqa: TID251 - the one file that makes packets
from scapy.packet import Packet, Raw  # noqa: TID251 - the same

from model.check import Check
from model.kinds import Path, PathMethod
from model.measurement import Outcome, Reason
from probes.connect import LookError, Readings, Resolve, bounded, find
from probes.look import Look

WAVE = 4
"""Hops asked at once: hosts send few ICMP errors a second (RFC 1812, 4.3.2.8), and all the packets
beyond the target would be answered by the target alone."""
_PATIENCE_SECONDS = 1.0
_MTU_MIN_BYTES = 576
"""What every host takes (RFC 791)."""
_ANY_PORT = 9
_IP_MTU_DISCOVER, _IP_PMTUDISC_PROBE = 10, 3
"""linux/in.h: what the kernel remembers of a way's packet size does not stop our question."""
_IP_HEADER_BYTES = 20
_PROTOCOLS = {
    PathMethod.UDP: socket.IPPROTO_UDP,
    PathMethod.ICMP: socket.IPPROTO_ICMP,
    PathMethod.TCP: socket.IPPROTO_TCP,
}
_ECHO_REPLY, _UNREACHABLE, _TIME_EXCEEDED, _FRAGMENTATION_NEEDED = 0, 3, 11, 4


class PathProbe:
    """Readings: ``hop_count``, ``path_id``, ``path_changed`` (from the second look on),
    ``path_mtu_bytes``, ``mtu_black_hole``. DOWN when the target never answered. IPv4 only."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._known: dict[str, tuple[str, ...]] = {}

    async def __call__(self, check: Check) -> Look:
        settings = check.settings
        if not isinstance(settings, Path):
            raise TypeError(f"{check.key}: a path check carries Path settings")

        async def look(readings: Readings) -> None:
            address = await find(check.address, self._resolve, readings)
            if ":" in address:
                raise LookError("path knows IPv4 only", Outcome.UNKNOWN)
            with ExitStack() as stack:
                tracer = _Tracer(stack, address, settings, flow_of(check.key))
                seen = await tracer.trace()
                readings["hop_count"] = len(seen)
                if not seen or seen[-1] != address:
                    raise LookError(Reason.NO_ANSWER)
                before = self._known.get(check.key)
                hops = filled(seen, before)
                self._known[check.key] = hops
                readings["path_id"] = path_id(hops)
                if before is not None:
                    readings["path_changed"] = int(hops != before)
                found = await tracer.mtu()
                if found is not None:
                    readings["path_mtu_bytes"], readings["mtu_black_hole"] = map(int, found)

        return await bounded(check, look)


def filled(hops: Sequence[str], before: Sequence[str] | None) -> tuple[str, ...]:
    """The hops, a silent one (empty) as the last look knew it where the ways are equally long."""
    if before is None or len(before) != len(hops):
        return tuple(hops)
    return tuple(one or other for one, other in zip(hops, before, strict=True))


def path_id(hops: Sequence[str]) -> int:
    """48 bits that differ for different ways; they fit a float."""
    return int.from_bytes(hashlib.sha256(" ".join(hops).encode()).digest()[:6], "big")


def flow_of(key: str) -> int:
    """The source port (UDP, TCP) or identifier (ICMP) of all packets of a check, for ever: what
    load balancers go by. With the TTL added it still fits 16 bits."""
    return 0x8000 + int.from_bytes(hashlib.sha256(key.encode()).digest()[:2], "big") % 0x7000


class _Quote(NamedTuple):
    """Of the packet that an ICMP error is about (RFC 792)."""

    target: str
    protocol: int
    number: int


def _quoted(message: Packet) -> _Quote:
    """Read by hand, since anybody may send anything there; nothing of a quote that was cut."""
    quote = bytes(message.payload)
    if len(quote) < _IP_HEADER_BYTES:
        return _Quote("", 0, 0)
    number = int.from_bytes(quote[4:6], "big")
    return _Quote(socket.inet_ntoa(quote[16:20]), quote[9], number)


class _Tracer:
    """One look's sockets and its flow. Needs CAP_NET_RAW: raises OSError (EPERM) without."""

    def __init__(self, stack: ExitStack, target: str, settings: Path, flow: int) -> None:
        self._target, self._settings = target, settings
        self._own = self._own_address(target)
        self._out = self._socket(stack, socket.IPPROTO_RAW)
        self._out.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _IP_PMTUDISC_PROBE)
        self._errors = self._socket(stack, socket.IPPROTO_ICMP)
        tcp = settings.method is PathMethod.TCP
        self._segments = self._socket(stack, socket.IPPROTO_TCP) if tcp else None
        self._flow = flow
        self._size = 0

    @staticmethod
    def _own_address(target: str) -> str:
        """Ours on the way to the target, as the kernel routes just now: scapy read the routes when
        it was loaded, and with another address the checksums would be wrong."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as routed:
            routed.connect((target, _ANY_PORT))
            return str(routed.getsockname()[0])

    @staticmethod
    def _socket(stack: ExitStack, protocol: int) -> socket.socket:
        opened = socket.socket(socket.AF_INET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
        return stack.enter_context(opened)

    async def trace(self) -> list[str]:
        """The address of each hop, empty for one that kept silent, up to the target or to the last
        that spoke."""
        hops: dict[int, str] = {}
        most = self._settings.hops_max
        for first in range(1, most + 1, WAVE):
            wave = range(first, min(first + WAVE, most + 1))
            for _ in range(2):  # a packet may be lost: the silent ones are asked once more
                silent = [ttl for ttl in wave if ttl not in hops]
                for ttl in silent:
                    self._send(self._probe(ttl))
                await self._listen(hops, set(silent))
                if self._target in hops.values() or not silent:
                    break
            if self._target in hops.values():
                break
        reached = [ttl for ttl, hop in hops.items() if hop == self._target]
        last = min(reached) if reached else max(hops, default=0)
        return [hops.get(ttl, "") for ttl in range(1, last + 1)]

    def _probe(self, ttl: int) -> Packet:
        head = IP(src=self._own, dst=self._target, ttl=ttl, id=self._flow + ttl)
        port = self._settings.port
        if self._settings.method is PathMethod.UDP:
            return head / UDP(sport=self._flow, dport=port) / Raw(bytes(12))
        if self._settings.method is PathMethod.TCP:
            return head / TCP(sport=self._flow, dport=port, seq=self._flow + ttl, flags="S")
        # Routers tell flows apart by the checksum of ICMP too: it must not change with the TTL.
        even = (0xFFFF - ttl).to_bytes(2, "big")
        return head / ICMP(id=self._flow, seq=ttl) / Raw(even + bytes(10))

    def _send(self, packet: Packet) -> None:
        self._out.sendto(bytes(packet), (self._target, 0))

    async def _listen(self, hops: dict[int, str], waited: set[int]) -> None:
        """Note who answered which of our packets until all have, the target's own answers last."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while waited - hops.keys() and (left := deadline - time.monotonic()) > 0:
            for packet in await self._received(left):
                ttl = self._whose(packet)
                if ttl in waited:
                    hops.setdefault(ttl, str(packet.src))
                    if packet.src == self._target:  # what was sent farther says nothing new
                        waited = {one for one in waited if one < ttl}

    async def _received(self, seconds: float) -> list[Packet]:
        """What came in within the time: at least one packet, or none."""
        loop = asyncio.get_running_loop()
        sockets = [one for one in (self._errors, self._segments) if one is not None]
        reads = {asyncio.ensure_future(loop.sock_recv(one, 2048)) for one in sockets}
        try:
            done, _ = await asyncio.wait(
                reads, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            return [IP(task.result()) for task in done]
        finally:
            for task in reads:
                task.cancel()

    def _whose(self, packet: Packet) -> int:
        """The TTL of our packet that this one answers; 0 when it answers none."""
        if TCP in packet and packet.src == self._target:
            answer = packet[TCP]
            mine = (answer.sport, answer.dport) == (self._settings.port, self._flow)
            return int(answer.ack - 1 - self._flow) if mine else 0
        if ICMP not in packet:
            return 0
        message = packet[ICMP]
        if message.type == _ECHO_REPLY:
            mine = message.id == self._flow and packet.src == self._target
            return int(message.seq) if mine else 0
        if message.type not in (_UNREACHABLE, _TIME_EXCEEDED):
            return 0
        quote = _quoted(message)
        mine = quote[:2] == (self._target, _PROTOCOLS[self._settings.method])
        return quote.number - self._flow if mine else 0

    async def mtu(self) -> tuple[int, bool] | None:
        """The largest IP packet that comes back from the target (RFC 8899: by trial, since the
        errors of RFC 1191 may be filtered), and whether larger ones vanish without a word. None
        when the target answers no echoes."""
        low, high = _MTU_MIN_BYTES, self._settings.mtu_max_bytes
        told: list[int] = []
        if not await self._fits(low, told):
            return None
        silent, named, tried = False, 0, high
        while low < high:
            if await self._fits(tried, told):
                low = tried
                if tried == named:  # a router said so, and it was right: nothing larger can fit
                    break
            else:
                silent = silent or not told
                high = tried - 1
            named = told.pop() if told else 0
            tried = named if low < named <= high else (low + high + 1) // 2
        return low, silent

    async def _fits(self, size: int, told: list[int]) -> bool:
        """Whether an echo of so many bytes, not to be fragmented, is answered; ``told`` gets the
        size that a router on the way names (RFC 1191)."""
        self._size += 1
        number = 0x4000 + self._size
        head = IP(src=self._own, dst=self._target, flags="DF", id=number)
        packet = head / ICMP(id=self._flow, seq=number) / Raw(bytes(size - 28))
        for _ in range(2):
            try:
                self._send(packet)
            except OSError as error:
                if error.errno != errno.EMSGSIZE:  # our own interface takes none so large
                    raise
                told.append(size - 1)
                return False
            deadline = time.monotonic() + _PATIENCE_SECONDS / 2
            while (left := deadline - time.monotonic()) > 0:
                for answer in await self._received(left):
                    if ICMP not in answer:
                        continue
                    message = answer[ICMP]
                    if message.type == _ECHO_REPLY and message.seq == number:
                        if message.id == self._flow and answer.src == self._target:
                            return True
                    elif (message.type, message.code) == (
                        _UNREACHABLE,
                        _FRAGMENTATION_NEEDED,
                    ) and _quoted(message) == (self._target, socket.IPPROTO_ICMP, number):
                        told.append(int(message.nexthopmtu))
                        return False
        return False
