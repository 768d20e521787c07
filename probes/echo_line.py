"""An address family as the engine sees it: its socket, its codec, and its failures in our words.

Law: what our own machine could not do is never called loss.
"""

import errno
import socket
from typing import Any

from model.errors import InputError
from model.measurement import Reason
from probes.echo_packet import EchoCodec
from probes.echo_socket import EchoSocket

_LOCAL_FAILURES = {
    errno.ENETUNREACH: Reason.NO_ROUTE,
    errno.EHOSTUNREACH: Reason.NO_ROUTE,
    errno.ENETDOWN: Reason.NO_ROUTE,
    errno.EADDRNOTAVAIL: Reason.NO_ROUTE,
    errno.EAFNOSUPPORT: Reason.NO_ROUTE,
    errno.EINVAL: Reason.NO_ROUTE,  # a blackhole route
    errno.EACCES: Reason.NO_PERMISSION,
    errno.EPERM: Reason.NO_PERMISSION,
    errno.ENOBUFS: Reason.SEND_BUFFER_FULL,
    errno.EAGAIN: Reason.SEND_BUFFER_FULL,
    errno.ENOMEM: Reason.SEND_BUFFER_FULL,
}


class EchoLine:
    """A socket and the codec that writes and reads for it."""

    def __init__(self, echo_socket: EchoSocket, secret: bytes) -> None:
        self.socket = echo_socket
        self.codec = EchoCodec(
            ipv6=echo_socket.ipv6, identifier=echo_socket.identifier, secret=secret
        )
        self._dropped = echo_socket.dropped()

    def newly_dropped(self) -> bool:
        """Whether the kernel threw answers away, for want of room, since the last call."""
        before, self._dropped = self._dropped, self.socket.dropped()
        return self._dropped != before


def why_not_sent(error: OSError) -> str:
    """The Reason of a send that failed locally, or the system's own words for it."""
    return _LOCAL_FAILURES.get(error.errno or 0) or f"cannot send: {error.strerror}"


def destination_of(address: str) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    """The address family and socket address of an IP literal. Raises InputError for anything else:
    names are for those to resolve who know when."""
    try:
        socket.inet_pton(socket.AF_INET, address)
    except OSError:
        pass
    else:
        return socket.AF_INET, (address, 0)
    try:
        packed = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
        found = socket.getaddrinfo(address, None, socket.AF_INET6, flags=socket.AI_NUMERICHOST)
    except OSError:
        raise InputError(f"{address!r} is not an IP address: write one like 10.61.1.2") from None
    # The address as answers will show it, and the scope that a link-local one needs.
    return socket.AF_INET6, (socket.inet_ntop(socket.AF_INET6, packed), *found[0][4][1:])
