"""Answers real packets: a TUN device behind which a whole province lies.

Law: every address answers with its own line's delay, jitter and loss (``line.py``) and under the
misfortune of the moment (``fate.py``); who cannot be reached does not answer. One process, one
file descriptor, a heap of answers that are due. It needs CAP_NET_ADMIN, which every user has in a
namespace of their own: ``unshare --user --map-root-user --net``. Source: Linux
Documentation/networking/tuntap.rst; ICMP: RFC 792.
"""

import fcntl
import heapq
import os
import random
import select
import shutil
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path
from types import FrameType

from model.errors import UnavailableError
from model.site import Access
from model.timeline import Interval
from simulator.fate import Fate, Fates, fates
from simulator.line import LONGEST_SECONDS, MOST_LOSS, Line, added_delay_seconds, burst_chances
from simulator.province import SimulatedProvince
from simulator.scenario import Event

DEVICE = "/dev/net/tun"
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C
_IFF_UP = 0x1
_RTM_NEWLINK, _NLM_REQUEST_ACK, _IFLA_TXQLEN = 16, 0x5, 13
_QUEUE_PACKETS = 20_000
_ICMP, _ECHO_REQUEST, _UNREACHABLE, _HOST_UNREACHABLE = 1, 8, 3, 1
_ANCHOR = Line(base_rtt_seconds=0.006, jitter_seconds=0.0005, loss=0.0, congestion=0.0)
_UNSHARE = ("unshare", "--user", "--map-root-user", "--net")


def in_namespace(command: Iterable[str]) -> list[str]:
    """The command line that runs a command with a network of its own, without root."""
    return [*_UNSHARE, "--", *command]


def available() -> str | None:
    """Why packets cannot be answered on this machine; None when they can."""
    if not Path(DEVICE).exists():
        return f"{DEVICE} is missing: load the kernel module 'tun'"
    if shutil.which("unshare") is None:
        return "the command 'unshare' is missing: install the package util-linux"
    probe = "import fcntl,os,struct; fd=os.open('/dev/net/tun', os.O_RDWR); " + (
        f"fcntl.ioctl(fd, {_TUNSETIFF}, struct.pack('16sH22x', b'probe', {_IFF_TUN | _IFF_NO_PI}))"
    )
    tried = subprocess.run(  # noqa: S603 - our own words only
        in_namespace(["python3", "-c", probe]), capture_output=True, text=True, check=False
    )
    if tried.returncode:
        last = tried.stderr.strip().rpartition("\n")[2]
        return f"no TUN device in a user namespace here ({last}): allow user namespaces"
    return None


def open_tun(network: str, name: str = "village0") -> int:
    """Make a TUN device, up, with the first address of the network as ours, and bring loopback up.

    Returns its file descriptor. Raises UnavailableError outside a namespace in which we may.
    """
    try:
        tun = os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            _configure(tun, IPv4Network(network), name.encode())
        except OSError:
            os.close(tun)
            raise
    except OSError as error:
        raise UnavailableError(
            f"no TUN device ({error.strerror}): run this in a network namespace of its own, with "
            f"{' '.join(_UNSHARE)}"
        ) from None
    return tun


def _configure(tun: int, hosts: IPv4Network, name: bytes) -> None:
    fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH22x", name, _IFF_TUN | _IFF_NO_PI))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for request, address in ((_SIOCSIFADDR, hosts[1]), (_SIOCSIFNETMASK, hosts.netmask)):
            packed = struct.pack("16sHH4s16x", name, socket.AF_INET, 0, address.packed)
            fcntl.ioctl(control, request, packed)
        for device in (name, b"lo"):
            fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH22x", device, _IFF_UP))
    _lengthen_queue(socket.if_nametoindex(name.decode()))


def _lengthen_queue(index: int) -> None:
    """Room for a burst to the whole province while we are not scheduled (the usual queue holds 500
    packets). By netlink, because the older ioctl asks for rights outside of our namespace."""
    change = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, 0, 0)
    change += struct.pack("=HHI", 8, _IFLA_TXQLEN, _QUEUE_PACKETS)
    header = struct.pack("=IHHII", 16 + len(change), _RTM_NEWLINK, _NLM_REQUEST_ACK, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        netlink.send(header + change)
        (error,) = struct.unpack_from("=i", netlink.recv(4096), 16)
    if error:
        raise OSError(-error, os.strerror(-error))


@dataclass(slots=True)
class Host:
    """One address: its line, its site's fate, and whether it is in a burst of loss just now.

    ``told`` hosts are behind a router that says "host unreachable" when their line is cut.
    """

    line: Line
    fate: Fate = field(default_factory=Fate)
    told: bool = False
    bad: bool | None = None

    def echo(self, at_ms: int, chance: Callable[[], float]) -> float | None:
        """The delay in seconds of an answer to an echo that comes now; None when it is lost."""
        loss, jitter, base = self.line.loss, self.line.jitter_seconds, self.line.base_rtt_seconds
        for change in self.fate.degraded:
            if _holds(change.interval, at_ms):
                loss = min(loss + change.loss, MOST_LOSS)
                jitter *= change.delay_factor
                base += added_delay_seconds(self.line.base_rtt_seconds, change.delay_factor)
        enter, leave = burst_chances(loss)
        if self.bad is None:  # the first echo finds the chain in its long-run state
            self.bad = chance() < loss
        else:
            self.bad = chance() < (1 - leave if self.bad else enter)
        if self.bad:
            return None
        return min(base + jitter * random.expovariate(1), LONGEST_SECONDS)

    def unreachable(self, at_ms: int) -> bool:
        """Whether nothing comes through to the host now."""
        return any(_holds(blocked.interval, at_ms) for blocked in self.fate.blocked)

    def refused(self, at_ms: int) -> bool:
        """Whether a router on the way says so."""
        return self.told and any(_holds(cut, at_ms) for cut in self.fate.cut)


def hosts_of(province: SimulatedProvince, all_fates: Fates) -> Mapping[bytes, Host]:
    """Every address of a province, packed: its sites and its anchors."""
    found = {
        socket.inet_aton(site.address): Host(
            province.lines[site.id],
            all_fates.of(site.id),
            told=site.access in (Access.FIBRE, Access.FWA),
        )
        for site in province.inventory.sites
        if site.address is not None
    }
    inventory = province.inventory
    for anchor in (*inventory.centre_anchors, *inventory.village_targets):
        found.setdefault(socket.inet_aton(anchor.address), Host(_ANCHOR))
    return found


class Responder:
    """Reads echo requests from a TUN device and answers each when it is due.

    Refusals come from ``gateway``. While the centre's own line is down (``dark``), nothing is
    answered at all. ``clock_ms`` is the wall clock, by which misfortune goes; delays are measured
    with ``monotonic`` (seconds).
    """

    def __init__(
        self,
        tun: int,
        hosts: Mapping[bytes, Host],
        gateway: str,
        dark: Iterable[Interval] = (),
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tun = tun
        self._hosts = hosts
        self._gateway = socket.inet_aton(gateway)
        self._dark = tuple(dark)
        self._clock_ms = clock_ms
        self._monotonic = monotonic
        self._due: list[tuple[float, int, bytes]] = []
        self._count = 0

    def serve(self, stop: int) -> int:
        """Answer until the file descriptor ``stop`` can be read; returns the number of requests."""
        while True:
            wait = self._due[0][0] - self._monotonic() if self._due else None
            # select() and not poll(): it waits to the microsecond, poll() to the millisecond.
            ready = select.select([self._tun, stop], [], [], None if wait is None else max(0, wait))
            if stop in ready[0]:
                return self._count
            if ready[0]:
                self._receive()
            self.answer()

    def _receive(self) -> None:
        while True:
            try:
                packet = os.read(self._tun, 65_535)
            except BlockingIOError:
                return
            self.handle(packet)

    def handle(self, packet: bytes) -> None:
        """Take one IP packet; what is no echo request to a known address is ignored."""
        header = (packet[0] & 0x0F) * 4
        if packet[0] >> 4 != 4 or packet[9] != _ICMP or packet[header] != _ECHO_REQUEST:
            return
        host = self._hosts.get(packet[16:20])
        at_ms = self._clock_ms()
        if host is None or any(_holds(dark, at_ms) for dark in self._dark):
            return
        self._count += 1
        now = self._monotonic()
        if host.unreachable(at_ms):
            if host.refused(at_ms):
                self._later(now + _ANCHOR.base_rtt_seconds, self._refusal(packet, header))
            return
        delay = host.echo(at_ms, random.random)
        if delay is not None:
            self._later(now + delay, echo_reply(packet, header))

    def _later(self, due: float, answer: bytes) -> None:
        heapq.heappush(self._due, (due, self._count, answer))

    def answer(self) -> None:
        """Send what is due."""
        now = self._monotonic()
        while self._due and self._due[0][0] <= now:
            os.write(self._tun, heapq.heappop(self._due)[2])

    def _refusal(self, packet: bytes, header: int) -> bytes:
        body = struct.pack("!BBHI", _UNREACHABLE, _HOST_UNREACHABLE, 0, 0) + packet[: header + 8]
        body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
        outer = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, _ICMP, 0)
        outer += self._gateway + packet[12:16]
        return outer[:10] + struct.pack("!H", checksum(outer)) + outer[12:] + body


def responder(province: SimulatedProvince, events: Iterable[Event], tun: int) -> Responder:
    """Whoever answers for a province under these events on a TUN device."""
    all_fates = fates(province, events)
    gateway = str(IPv4Network(province.network)[-2])
    return Responder(tun, hosts_of(province, all_fates), gateway, all_fates.line)


def echo_reply(packet: bytes, header: int) -> bytes:
    """The answer to an echo request: addresses swapped (which leaves the IP checksum as it is),
    type 8 made 0 and the checksum corrected for that alone (RFC 1624)."""
    old = int.from_bytes(packet[header + 2 : header + 4])
    changed = old + 0x0800
    corrected = (changed & 0xFFFF) + (changed >> 16)
    return b"".join(
        (
            packet[:12],
            packet[16:20],
            packet[12:16],
            packet[20:header],
            b"\x00" + packet[header + 1 : header + 2],
            corrected.to_bytes(2),
            packet[header + 4 :],
        )
    )


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) // 2 * 2]))
    total += data[-1] << 8 if len(data) % 2 else 0
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def stop_on_signals() -> int:
    """A file descriptor that can be read once SIGTERM or SIGINT has come, or a child has ended."""
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def stop(_number: int, _frame: FrameType | None) -> None:
        os.write(writer, b"x")

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, stop)
    return reader


def _holds(interval: Interval, at_ms: int) -> bool:
    return interval.start_ms <= at_ms < interval.end_ms
