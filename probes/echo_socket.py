"""One ICMP socket for all targets of an address family, and what Linux can do for it.

Law: the kernel says when an answer came, which answers it had to drop, and why a request could not
go out; nothing of that is guessed here. Raw where we may (CAP_NET_RAW), otherwise the unprivileged
datagram ICMP socket (``net.ipv4.ping_group_range``). Sources: socket(7), ip(7), raw(7), icmp(7),
and the kernel's include/uapi headers for the numbers that Python's socket module lacks.
"""

import array
import errno
import os
import socket
import struct
import time

from model.errors import UnavailableError
from probes.echo_packet import IcmpError

# asm-generic/socket.h and linux/*.h; the same on x86, ARM, MIPS (OpenWrt) and RISC-V
_SO_ATTACH_FILTER = 26
_SO_RCVBUFFORCE = 33
_SO_TIMESTAMPNS = 35
_SO_MEMINFO = 55
_MEMINFO_DROPS = 8
_SOL_RAW = 255
_ICMP_FILTER = 1
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_ICMP6_FILTER = 1
_ORIGIN_ICMP = (2, 3)

_ICMP_ERRNOS = frozenset(
    (
        errno.EACCES,
        errno.ECONNREFUSED,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.EMSGSIZE,
        errno.ENETUNREACH,
        errno.ENONET,
        errno.ENOPROTOOPT,
        errno.EOPNOTSUPP,
        errno.EPROTO,
    )
)
"""What ICMP errors become in Linux (icmp_err_convert, icmpv6_err_convert)."""

_RECEIVE_BUFFER_BYTES = 8 << 20
_DATAGRAM_BYTES = 128
_ANCILLARY_BYTES = 64
_ERROR_ANCILLARY_BYTES = 256
_ERROR_QUEUE_BATCH = 1024
_STAMPS_WITHIN_SECONDS = 1.0

_TIMESPEC = struct.Struct("@ll")
_EXTENDED_ERROR = struct.Struct("=IBBBxII")

REMEDY = (
    "sending ICMP echoes is not allowed here: grant it to the interpreter with "
    "'setcap cap_net_raw+ep $(readlink -f .venv/bin/python)', or allow unprivileged echoes for "
    "everybody with 'sysctl net.ipv4.ping_group_range=\"0 2147483647\"'"
)


Datagram = tuple[bytes, str, int]
"""One answer: its bytes from the ICMP header on, its source, and the kernel's receive time
(nanoseconds of the wall clock). A plain tuple: ten thousand come in a second."""


class EchoSocket:
    """A non-blocking ICMP socket. Raises UnavailableError when the system allows none, and OSError
    (EAFNOSUPPORT) where the address family does not exist."""

    def __init__(self, family: socket.AddressFamily) -> None:
        self.ipv6 = family == socket.AF_INET6
        protocol = socket.IPPROTO_ICMPV6 if self.ipv6 else socket.IPPROTO_ICMP
        try:
            self._socket = socket.socket(family, socket.SOCK_RAW, protocol)
            self.raw = True
        except PermissionError:
            try:
                self._socket = socket.socket(family, socket.SOCK_DGRAM, protocol)
            except PermissionError:
                raise UnavailableError(REMEDY) from None
            self.raw = False
        self._socket.setblocking(False)
        self.identifier = self._filter_strangers() if self.raw else self._bound_identifier()
        self._strip_ip_header = self.raw and not self.ipv6
        if self.ipv6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        else:
            self._socket.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER_BYTES)
        except PermissionError:  # without CAP_NET_ADMIN: as much as net.core.rmem_max allows
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        _await_kernel_stamps()
        self.send = self._socket.sendto
        """``send(packet, (address, ...))``. Raises OSError: a local failure, or the error that an
        earlier echo met (then ``errors`` holds it)."""

    def _bound_identifier(self) -> int:
        """The identifier that the kernel writes into our requests and selects answers by."""
        self._socket.bind(("", 0))
        return int(self._socket.getsockname()[1])

    def _filter_strangers(self) -> int:
        """Let only echo replies with a fresh identifier of ours wake this process."""
        identifier = int.from_bytes(os.urandom(2), "big")
        if self.ipv6:
            passed = [0xFFFFFFFF] * 8  # a set bit blocks; echo reply is 129
            passed[129 // 32] &= ~(1 << (129 % 32))
            self._socket.setsockopt(
                socket.IPPROTO_ICMPV6, _ICMP6_FILTER, struct.pack("=8I", *passed)
            )
            load_identifier = [(0x28, 0, 0, 4)]  # ldh [4]
        else:
            self._socket.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", 0xFFFFFFFE))
            load_identifier = [
                (0xB1, 0, 0, 0),  # ldx 4 * (header length of IPv4)
                (0x48, 0, 0, 4),  # ldh [x + 4]
            ]
        program = array.array("B")
        instructions = [
            *load_identifier,
            (0x15, 0, 1, identifier),  # jeq identifier, else skip one
            (0x06, 0, 0, 0xFFFF),  # accept
            (0x06, 0, 0, 0),  # drop
        ]
        for instruction in instructions:
            program.frombytes(struct.pack("=HBBI", *instruction))
        address, _ = program.buffer_info()
        self._socket.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(instructions), address)
        )
        return identifier

    def receive(self, limit: int) -> list[Datagram]:
        """The answers that wait, at most ``limit`` of them; fewer when that was all."""
        receive, unpack = self._socket.recvmsg, _TIMESPEC.unpack
        strip = self._strip_ip_header
        found: list[Datagram] = []
        while len(found) < limit:
            try:
                data, ancillary, _, source = receive(_DATAGRAM_BYTES, _ANCILLARY_BYTES)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno not in _ICMP_ERRNOS:
                    raise
                continue  # the kernel announces, once, what ``errors`` will read
            seconds, nanoseconds = unpack(ancillary[0][2])
            if strip:
                data = data[(data[0] & 0x0F) << 2 :]
            found.append((data, source[0], seconds * 1_000_000_000 + nanoseconds))
        return found

    def errors(self) -> list[IcmpError]:
        """The ICMP errors that came since the last call, strangers' among them."""
        found: list[IcmpError] = []
        for _ in range(_ERROR_QUEUE_BATCH):
            try:
                quoted, ancillary, _, destination = self._socket.recvmsg(
                    _DATAGRAM_BYTES, _ERROR_ANCILLARY_BYTES, socket.MSG_ERRQUEUE
                )
            except BlockingIOError:
                break
            for level, kind, data in ancillary:
                if (level, kind) not in (
                    (socket.IPPROTO_IP, _IP_RECVERR),
                    (socket.IPPROTO_IPV6, _IPV6_RECVERR),
                ):
                    continue
                _, origin, icmp_type, icmp_code, _, _ = _EXTENDED_ERROR.unpack_from(data)
                if origin in _ORIGIN_ICMP:
                    found.append(
                        IcmpError(
                            destination[0], quoted, icmp_type, icmp_code, _offender(data[16:])
                        )
                    )
        return found

    def dropped(self) -> int:
        """How many answers the kernel threw away so far because our buffer was full."""
        info = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 36)
        return int(struct.unpack_from("=I", info, 4 * _MEMINFO_DROPS)[0])

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()


def _offender(address: bytes) -> str:
    """The address in the ``struct sockaddr`` after a sock_extended_err (ip(7), IP_RECVERR)."""
    (family,) = struct.unpack_from("=H", address)
    if family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, address[4:8])
    return socket.inet_ntop(socket.AF_INET6, address[8:24])


def _await_kernel_stamps() -> None:
    """Return when the kernel stamps packets as they come in.

    It patches itself to do so some milliseconds after the first socket asks; until then a packet is
    stamped only when it is read, and its round trip would seem longer than it was. Datagrams to
    ourselves show which: a true stamp is older than our own look at the clock after sending.
    """
    give_up = time.monotonic() + _STAMPS_WITHIN_SECONDS
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mirror:
        mirror.settimeout(_STAMPS_WITHIN_SECONDS)
        mirror.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        try:
            mirror.bind(("127.0.0.1", 0))
            mirror.connect(mirror.getsockname())
        except OSError:
            return  # no loopback address (a bare network namespace): nothing to compare with
        while time.monotonic() < give_up:
            mirror.send(b"")
            sent_ns = time.time_ns()
            _, ancillary, _, _ = mirror.recvmsg(1, _ANCILLARY_BYTES)
            seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2])
            if seconds * 1_000_000_000 + nanoseconds <= sent_ns:
                return
    raise UnavailableError(
        "the kernel stamps no packets (SO_TIMESTAMPNS): round-trip times would be guesses"
    )
