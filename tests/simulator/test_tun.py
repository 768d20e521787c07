"""Packets: well-formed answers at the right moment, and what fping sees of a whole province."""

import json
import shutil
import socket
import statistics
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from model.errors import UnavailableError
from model.outage import Cause
from model.timeline import Interval
from simulator.ailments import Ailing
from simulator.fate import Blocked, Fate
from simulator.line import Line
from simulator.packets import checksum, echo_reply
from simulator.tun import Host, Responder, available, in_namespace, open_tun

US, THEM, GATEWAY = "10.61.0.1", "10.61.1.7", "10.61.255.254"


def echo_request(
    source: str = US, target: str = THEM, payload: bytes = b"jangkau!", ttl: int = 64
) -> bytes:
    """An IPv4 packet with an ICMP echo request."""
    icmp = struct.pack("!BBHHH", 8, 0, 0, 4711, 1) + payload
    icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(icmp), 1, 0, ttl, 1, 0)
    head += socket.inet_aton(source) + socket.inet_aton(target)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + icmp


class Clock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wire() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a wire that keeps packets apart, as a TUN device does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        end.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def respond(wire: tuple[socket.socket, socket.socket], host: Host, packet: bytes) -> list[bytes]:
    """What comes back for a packet once all that is due has been sent."""
    ours, theirs = wire
    clock = Clock()
    hosts = {socket.inet_aton(THEM): host}
    responder = Responder(theirs.fileno(), hosts, GATEWAY, (), lambda: 5_000, clock)
    responder.handle(packet)
    clock.now += 0.0999
    responder.answer()
    with pytest.raises(BlockingIOError):  # the line takes 100 ms: nothing is there before
        ours.recv(2000)
    clock.now += 0.0002
    responder.answer()
    found = []
    while True:
        try:
            found.append(ours.recv(2000))
        except BlockingIOError:
            return found


QUIET = Line(base_rtt_seconds=0.1, jitter_seconds=0.0, loss=0.0, congestion=0.0)


def test_an_echo_comes_back_when_it_is_due(wire: tuple[socket.socket, socket.socket]) -> None:
    """After the line's delay, from the address that was asked, with sound checksums."""
    (answer,) = respond(wire, Host(QUIET), echo_request())
    assert answer[12:16] == socket.inet_aton(THEM)
    assert answer[16:20] == socket.inet_aton(US)
    assert (answer[20], answer[24:]) == (0, echo_request()[24:])
    assert checksum(answer[:20]) == checksum(answer[20:]) == 0


@pytest.mark.parametrize("payload", [b"", b"odd", b"\xff" * 56, bytes(range(256)) * 5])
def test_reply_checksums_hold(payload: bytes) -> None:
    """The corrected checksum is right for any payload."""
    assert checksum(echo_reply(echo_request(payload=payload), 20)[20:]) == 0


@pytest.mark.parametrize(
    ("host", "packet"),
    [
        (Host(Line(0.1, 0, 0.98, 0), bad=True), echo_request()),
        (Host(QUIET, Fate(blocked=[Blocked(Interval(0, 9_000), Cause.POWER)])), echo_request()),
        (Host(QUIET), echo_request(target="10.61.1.8")),
        (Host(QUIET), b"\x60" + echo_request()[1:]),
        (Host(QUIET), echo_request()[:9] + b"\x11" + echo_request()[10:]),
    ],
    ids=["unreachable-by-chance", "no-power", "nobody-there", "not-ipv4", "not-icmp"],
)
def test_silence(
    wire: tuple[socket.socket, socket.socket],
    host: Host,
    packet: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No answer from who is not there, is cut off, or loses the echo."""
    monkeypatch.setattr("random.random", lambda: 0.5)
    assert respond(wire, host, packet) == []


def test_a_router_refuses_for_a_cut_line(wire: tuple[socket.socket, socket.socket]) -> None:
    """Where a router stands before the cut it says "host unreachable", naming the packet."""
    cut = Interval(0, 9_000)
    fate = Fate(blocked=[Blocked(cut, Cause.LINK)], cut=[cut])
    ours, theirs = wire
    clock = Clock()
    hosts = {socket.inet_aton(THEM): Host(QUIET, fate, told=True)}
    responder = Responder(theirs.fileno(), hosts, GATEWAY, (), lambda: 5_000, clock)
    responder.handle(echo_request())
    clock.now += 1
    responder.answer()
    answer = ours.recv(2000)
    assert answer[12:16] == socket.inet_aton(GATEWAY)
    assert answer[20:22] == bytes([3, 1])
    assert answer[28:] == echo_request()[:28]
    assert checksum(answer[:20]) == checksum(answer[20:]) == 0


def test_not_in_a_namespace_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no TUN device may be made, the message says how."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("fcntl.ioctl", refuse)
    with pytest.raises(UnavailableError, match=r"not permitted.*unshare --user"):
        open_tun("10.61.0.0/16")


_PROVINCE = """
import socket, subprocess, sys
from simulator.line import Line
from simulator.tun import Host, Responder, open_tun, stop_on_signals
hosts = {}
for n in range(256):
    line = Line(0.25 + 0.1 * n / 255, 0.0, 0.02, 0.0)
    hosts[socket.inet_aton(f"10.61.1.{n}")] = Host(line)
responder = Responder(open_tun("10.61.0.0/16"), hosts, "10.61.255.254")
stop = stop_on_signals()
child = subprocess.Popen(
    ["fping", "-q", "-C", "10", "-p", "400", "-i", "1", "-t", "1000"],
    stdin=subprocess.PIPE, stderr=subprocess.STDOUT)
child.stdin.write("".join(f"10.61.1.{n}\\n" for n in range(256)).encode())
child.stdin.close()
assert responder.serve(stop) == 2560
child.wait()
"""


@pytest.mark.namespace
def test_fping_sees_the_lines() -> None:
    """256 villages with 300 ms ± 50 ms and 2 % loss in bursts: fping sees the loss within its
    sampling error, no answer too early, and the typical village's best time within 3 ms. (The
    line has no jitter here: whatever is above the best time is the load of this machine.)"""
    why = available() or (None if shutil.which("fping") else "fping is not installed")
    if why is not None:
        pytest.skip(why)
    ran = subprocess.run(
        in_namespace([sys.executable, "-c", _PROVINCE]),
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    lost = 0
    errors = []
    lines = [line.split(" : ") for line in ran.stdout.splitlines() if " : " in line]
    assert len(lines) == 256
    for address, values in lines:
        times = [float(value) for value in values.split() if value != "-"]
        lost += 10 - len(times)
        expected = 250 + 100 * int(address.strip().rpartition(".")[2]) / 255
        if times:
            errors.append(min(times) - expected)
    # Bursts of 2.5 echoes make the variance four times that of single losses.
    assert abs(lost / 2560 - 0.02) < 4 * (4 * 0.02 * 0.98 / 2560) ** 0.5
    assert min(errors) > -0.5
    assert statistics.median(errors) < 3


@pytest.mark.parametrize("ttl", [1, 2, 3])
def test_routers_answer_when_time_is_up(
    wire: tuple[socket.socket, socket.socket], ttl: int
) -> None:
    """A packet that may go so far meets the router there, in its share of the line's time; one that
    may go farther meets the site. While the path is another, two more routers stand on it."""
    way = tuple(socket.inet_aton(f"10.61.255.{n}") for n in (9, 8))
    detour = tuple(socket.inet_aton(f"10.61.254.{n}") for n in (1, 2))
    changed = Fate(ailing=[Ailing(Interval(0, 9_000), "path_change")])
    for fate, hops in ((Fate(), way), (changed, (way[0], *detour, way[1]))):
        packet = echo_request(ttl=ttl)
        ours, theirs = wire
        clock = Clock()
        hosts = {socket.inet_aton(THEM): Host(QUIET, fate, way=way, detour=detour)}
        responder = Responder(theirs.fileno(), hosts, GATEWAY, (), lambda: 5_000, clock)
        responder.handle(packet)
        clock.now += 0.11
        responder.answer()
        answer = ours.recv(2000)
        if ttl <= len(hops):
            assert (answer[12:16], answer[20:22]) == (hops[ttl - 1], bytes([11, 0]))
            assert answer[28:] == packet[:28]
        else:
            assert (answer[12:16], answer[20]) == (socket.inet_aton(THEM), 0)
        assert checksum(answer[:20]) == checksum(answer[20:]) == 0


def test_large_packets_vanish_in_a_hole(wire: tuple[socket.socket, socket.socket]) -> None:
    """What is larger than the hole lets through is not answered and not refused."""
    fate = Fate(ailing=[Ailing(Interval(0, 9_000), "mtu_black_hole", amount=1400.0)])
    small, large = (echo_request(payload=bytes(size - 28)) for size in (1400, 1401))
    assert len(respond(wire, Host(QUIET, fate), small)) == 1
    assert respond(wire, Host(QUIET, fate), large) == []


_PATHS = """
import asyncio, json, os, socket, sys
from contextlib import ExitStack
from model.check import Check
from model.kinds import Path, PathMethod
from model.timeline import Interval
from probes.clock import SystemClock
from probes.kinds import open_probes
from simulator.ailments import Ailing
from simulator.fate import Fate
from simulator.line import Line
from simulator.tun import Host, Responder, open_tun, stop_on_signals
always = Interval(0, 1 << 60)
way = tuple(socket.inet_aton(f"10.61.255.{n}") for n in (9, 8, 7))
detour = tuple(socket.inet_aton(f"10.61.254.{n}") for n in (1, 2))
hosts = {}
for n, ailing in enumerate([[], [Ailing(always, "path_change")],
                            [Ailing(always, "mtu_black_hole", amount=1400.0)]]):
    line = Line(0.02, 0.0, 0.0, 0.0)
    fate = Fate(ailing=ailing)
    hosts[socket.inet_aton(f"10.61.1.{n}")] = Host(line, fate, way=way, detour=detour)
responder = Responder(open_tun("10.61.0.0/16"), hosts, "10.61.255.254")
stop = stop_on_signals()
if os.fork():
    responder.serve(stop)
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
async def look():
    checks = [Check("s", "centre", "path", "application", f"10.61.1.{n}", 300, 30.0, 1,
                    Path(PathMethod.ICMP)) for n in range(3)]
    with ExitStack() as stack:
        path = open_probes(checks, SystemClock(), stack)["path"]
        print(json.dumps([dict((await path(one)).readings) for one in checks]))
asyncio.run(look())
"""


@pytest.mark.namespace
def test_our_own_look_finds_path_and_hole() -> None:
    """The kind ``path`` on real packets: the routers on the way, two more while it is another, and
    a hole that lets 1,400 bytes through and says nothing of the rest."""
    if (why := available()) is not None:
        pytest.skip(why)
    ran = subprocess.run(
        in_namespace([sys.executable, "-c", _PATHS]),
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    usual, other, holed = json.loads(ran.stdout)
    assert (usual["hop_count"], other["hop_count"], holed["hop_count"]) == (4, 6, 4)
    assert usual["path_id"] != other["path_id"]
    assert (usual["path_mtu_bytes"], usual["mtu_black_hole"]) == (1500, 0)
    assert (holed["path_mtu_bytes"], holed["mtu_black_hole"]) == (1400, 1)
