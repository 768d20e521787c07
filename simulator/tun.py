"""Answers real packets: a TUN device behind which a whole province lies.

Law: every address answers with its own line's delay, jitter and loss (``line.py``) and under the
misfortune of the moment (``fate.py``); who cannot be reached does not answer. One process, one
file descriptor, a heap of answers that are due. It needs CAP_NET_ADMIN, which every user has in a
namespace of their own: ``unshare --user --map-root-user --net``. Source: Linux
Documentation/networking/tuntap.rst; ICMP: RFC 792.
"""

import fcntl
import heapq
import math
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
from simulator.packets import HOST_UNREACHABLE, TIME_EXCEEDED, echo_reply, error
from simulator.province import SimulatedProvince
from simulator.scenario import Event

DEVICE = "/dev/net/tun"
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C
_IFF_UP = 0x1
_RTM_NEWLINK, _NLM_REQUEST_ACK, _IFLA_TXQLEN = 16, 0x5, 13
_QUEUE_PACKETS = 20_000
_ICMP, _ECHO_REQUEST = 1, 8
_TTL = 8
"""Where in an IP header the time to live stands (RFC 791)."""
_ROUTERS = 245
"""Addresses at a network's end that are left for its routers (``province.py`` leaves 256)."""
_MOST_HOPS = 32
"""A packet that may go farther than any way here is long meets no router that would answer."""
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
    ``way`` holds the routers to it, ``detour`` those that join them while its path is another.
    """

    line: Line
    fate: Fate = field(default_factory=Fate)
    told: bool = False
    bad: bool | None = None
    way: tuple[bytes, ...] = ()
    detour: tuple[bytes, ...] = ()

    def hops(self, at_ms: int) -> tuple[bytes, ...]:
        """The routers on the way at this moment, packed addresses from the nearest on."""
        changed = any(_holds(part, at_ms) for part in self.fate.ailed("path_change"))
        return (*self.way[:1], *self.detour, *self.way[1:]) if changed else self.way

    def most_bytes(self, at_ms: int) -> float:
        """The largest IP packet that comes through; a larger one vanishes without a word."""
        holes = (
            one.amount
            for one in self.fate.ailing
            if one.kind == "mtu_black_hole" and _holds(one.interval, at_ms)
        )
        return min(holes, default=math.inf)

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
    """Every address of a province, packed: its sites and its anchors. The routers on the way to a
    site are its upstream nodes."""
    addresses = IPv4Network(province.network)
    nodes = sorted(province.inventory.upstreams)
    routers = {node: addresses[-3 - number % _ROUTERS].packed for number, node in enumerate(nodes)}
    found = {
        socket.inet_aton(site.address): Host(
            province.lines[site.id],
            all_fates.of(site.id),
            told=site.access in (Access.FIBRE, Access.FWA),
            way=tuple(routers[node] for node in reversed(province.inventory.upstream_chain(site))),
            detour=tuple(addresses[-3 - _ROUTERS - number].packed for number in range(2)),
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
        if packet[_TTL] < _MOST_HOPS and packet[_TTL] <= len(hops := host.hops(at_ms)):
            hop = hops[packet[_TTL] - 1]
            share = packet[_TTL] / (len(hops) + 1)
            self._later(
                now + share * host.line.base_rtt_seconds, error(TIME_EXCEEDED, hop, packet, header)
            )
            return
        if host.unreachable(at_ms):
            if host.refused(at_ms):
                refusal = error(HOST_UNREACHABLE, self._gateway, packet, header)
                self._later(now + _ANCHOR.base_rtt_seconds, refusal)
            return
        if len(packet) > host.most_bytes(at_ms):
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


def responder(province: SimulatedProvince, events: Iterable[Event], tun: int) -> Responder:
    """Whoever answers for a province under these events on a TUN device."""
    all_fates = fates(province, events)
    gateway = str(IPv4Network(province.network)[-2])
    return Responder(tun, hosts_of(province, all_fates), gateway, all_fates.line)


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
