"""The bytes of an ICMP echo (RFC 792, RFC 4443), without a socket.

Law: an answer is ours only when every byte of it is: type, identifier, length, checksum and a
payload that carries this engine's secret and the echo's serial number. The 16-bit sequence number
of ICMP wraps within seconds at ten thousand echoes a second, so nothing hangs on it alone.
"""

import struct
from enum import StrEnum
from typing import NamedTuple

_ECHO = struct.Struct("!BBHHH8sQ")
_QUOTED_HEADER = struct.Struct("!BBHHH")
ECHO_BYTES = _ECHO.size
"""Length of our requests and answers from the ICMP header on: 8 of header, 16 of payload. Small,
because some lines are paid by the megabyte."""

SECRET_BYTES = 8


class Stray(StrEnum):
    """Why a datagram is not the answer to an echo of ours."""

    FOREIGN = "foreign"
    TRUNCATED = "truncated"
    LATE = "late"


class IcmpError(NamedTuple):
    """An ICMP error about a request of ours or of a stranger: the address we had sent to, what it
    quotes of the request (from its ICMP header on), its type and code, and who sent it."""

    destination: str
    quoted: bytes
    type: int
    code: int
    sender: str


class Quote(NamedTuple):
    """What an ICMP error quotes of our request. Routers need to quote only its first eight bytes
    (RFC 792), so ``serial`` is None when the payload was cut off."""

    sequence: int
    serial: int | None


class EchoCodec:
    """Writes and reads the echoes of one socket."""

    def __init__(self, *, ipv6: bool, identifier: int, secret: bytes) -> None:
        self._request_type, self._reply_type = (128, 129) if ipv6 else (8, 0)
        self._identifier = identifier
        self._secret = secret
        # In IPv6 the kernel writes and checks the checksum: it covers addresses we do not see.
        self._checksum_is_ours = not ipv6
        self._fixed_sum = (self._request_type << 8) + identifier + sum(struct.unpack("!4H", secret))

    def request(self, serial: int) -> bytes:
        """The echo request with this serial number (64 bits); its low 16 bits are the sequence."""
        sequence = serial & 0xFFFF
        # The Internet checksum (RFC 1071) is arithmetic modulo 0xFFFF, in which 2**16 is 1: the
        # 64-bit serial counts as the sum of its four words.
        checksum = 0xFFFF - (self._fixed_sum + sequence + serial) % 0xFFFF
        return _ECHO.pack(
            self._request_type, 0, checksum, self._identifier, sequence, self._secret, serial
        )

    def read_reply(self, datagram: bytes) -> int | Stray:
        """The serial number that an answer carries, or why it is not an answer to us."""
        if len(datagram) != ECHO_BYTES:
            return self._read_odd_length(datagram)
        kind, code, _, identifier, sequence, secret, serial = _ECHO.unpack(datagram)
        if (
            secret != self._secret
            or identifier != self._identifier
            or kind != self._reply_type
            or code != 0
            or sequence != serial & 0xFFFF
            or (self._checksum_is_ours and int.from_bytes(datagram, "big") % 0xFFFF != 0)
        ):
            return Stray.FOREIGN
        return int(serial)

    def says_unreachable(self, error: IcmpError) -> bool:
        """Whether an ICMP error says that the request did not arrive: destination unreachable
        (other than "fragmentation needed"), time exceeded, parameter problem."""
        if self._request_type == 128:
            return error.type in (1, 3, 4)
        return error.type in (3, 11, 12) and (error.type, error.code) != (3, 4)

    def _read_odd_length(self, datagram: bytes) -> Stray:
        """A shorter answer under our identifier lost its end on the way; all else is foreign."""
        if len(datagram) >= ECHO_BYTES:
            return Stray.FOREIGN
        if len(datagram) < _QUOTED_HEADER.size:
            return Stray.TRUNCATED
        kind, _, _, identifier, _ = _QUOTED_HEADER.unpack_from(datagram)
        ours = kind == self._reply_type and identifier == self._identifier
        return Stray.TRUNCATED if ours else Stray.FOREIGN

    def read_quote(self, quoted: bytes) -> Quote | None:
        """Which of our requests an ICMP error is about; None when it is a stranger's."""
        if len(quoted) < _QUOTED_HEADER.size:
            return None
        kind, _, _, identifier, sequence = _QUOTED_HEADER.unpack_from(quoted)
        if kind != self._request_type or identifier != self._identifier:
            return None
        if len(quoted) < ECHO_BYTES:
            return Quote(sequence, None)
        *_, secret, serial = _ECHO.unpack_from(quoted)
        if secret != self._secret or sequence != serial & 0xFFFF:
            return None
        return Quote(sequence, serial)
