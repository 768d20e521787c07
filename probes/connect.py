"""The way to a service: a name, a connection, a handshake, each with its time; and what stops it.

Law: a look has its check's time-out for everything together, and reads a bounded number of bytes.
What our own machine could not do is UNKNOWN; what the other side did not do is DOWN.
"""

import asyncio
import errno
import ipaddress
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import NamedTuple

from model.check import Check
from model.errors import UnavailableError
from model.measurement import Outcome, Reason
from probes.look import Look

BODY_BYTES_MAX = 128 * 1024
"""Read of one look at most. With what our buffers take besides, 256 KiB are never exceeded."""
STREAM_BYTES = 16 * 1024
RECEIVE_BUFFER_BYTES = 32 * 1024
"""Bounds what a sender gets rid of before we look at it (SO_RCVBUF; the kernel doubles it)."""

Readings = dict[str, float]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str], Awaitable[str]]
"""A name into one address. Raises LookError."""


class LookError(Exception):
    """A look came to its end before it was UP."""

    def __init__(self, reason: str, outcome: Outcome = Outcome.DOWN) -> None:
        super().__init__(reason)
        self.reason = reason
        self.outcome = outcome


async def bounded(check: Check, look: Callable[[Readings], Awaitable[None]]) -> Look:
    """``look`` within the check's time-out. It fills the readings, which are kept when it fails,
    and returns when all is well."""
    readings: Readings = {}
    try:
        async with asyncio.timeout(check.timeout_seconds):
            await look(readings)
    except LookError as error:
        return Look(error.outcome, readings, error.reason)
    except TimeoutError:
        return Look(Outcome.DOWN, readings, Reason.NO_ANSWER)
    except (ssl.SSLError, asyncio.IncompleteReadError):
        return Look(Outcome.DOWN, readings, Reason.BAD_ANSWER)
    except OSError as error:
        return Look(*_judge(error, readings))
    except UnavailableError as error:
        return Look(Outcome.UNKNOWN, readings, f"cannot look: {error}")
    return Look(Outcome.UP, readings)


_DOWN = {
    errno.ECONNREFUSED: Reason.REFUSED,
    errno.ECONNRESET: Reason.BAD_ANSWER,
    errno.EPIPE: Reason.BAD_ANSWER,
    errno.ECONNABORTED: Reason.BAD_ANSWER,
    errno.EHOSTUNREACH: Reason.UNREACHABLE,
}
_UNKNOWN = {
    errno.ENETUNREACH: Reason.NO_ROUTE,
    errno.EADDRNOTAVAIL: Reason.NO_ROUTE,
    errno.EAFNOSUPPORT: Reason.NO_ROUTE,
    errno.EACCES: Reason.NO_PERMISSION,
    errno.EPERM: Reason.NO_PERMISSION,
    errno.ENOBUFS: Reason.SEND_BUFFER_FULL,
}


def _judge(error: OSError, readings: Readings) -> tuple[Outcome, Readings, str]:
    if error.errno in _DOWN:
        return Outcome.DOWN, readings, _DOWN[error.errno]
    said = _UNKNOWN.get(error.errno or 0, f"cannot look: {error.strerror or error}")
    return Outcome.UNKNOWN, readings, said


def plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for (mapped, RFC 4291; NAT64, RFC 6052; 6to4, RFC
    3056); else the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def literal(host: str) -> Address | None:
    """The address that a host is written as; None for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


async def find(host: str, resolve: Resolve, readings: Readings) -> str:
    """The address of ``host``; ``resolve_seconds`` grows by the time that a name takes."""
    if (address := literal(host)) is not None:
        return str(address)
    begun = time.perf_counter()
    try:
        return await resolve(host)
    finally:
        _add(readings, "resolve_seconds", begun)


class Stream(NamedTuple):
    """Both directions of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@asynccontextmanager
async def connected(
    address: str,
    port: int,
    readings: Readings,
    context: ssl.SSLContext | None = None,
    server_name: str | None = None,
    *,
    narrow: bool = True,
) -> AsyncIterator[Stream]:
    """A connection, with TLS when there is a ``context``; closed at once at the end, whatever
    happened. ``connect_seconds`` and ``tls_seconds`` grow by what it took. ``narrow``: the peer can
    send us little before we look at it; false where its speed is what we measure."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    writer: asyncio.StreamWriter | None = None
    try:
        if narrow:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        begun = time.perf_counter()
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
        begun = _add(readings, "connect_seconds", begun)
        reader, writer = await asyncio.open_connection(
            sock=sock,
            limit=STREAM_BYTES,
            ssl=context,
            server_hostname=None if context is None else server_name or address,
        )
        if context is not None:
            _add(readings, "tls_seconds", begun)
        yield Stream(reader, writer)
    finally:
        # Abort, not close: a peer that never ends TLS must not keep us, nor the socket linger.
        if writer is not None:
            writer.transport.abort()
        else:
            sock.close()


def _add(readings: Readings, name: str, begun: float) -> float:
    now = time.perf_counter()
    readings[name] = readings.get(name, 0.0) + now - begun
    return now


@lru_cache(maxsize=64)
def trust(ca_file: str | None) -> ssl.SSLContext:
    """A context that verifies as a browser does; made once, since reading the authorities takes
    longer than many looks. Raises UnavailableError for a file that is no PEM of authorities."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise UnavailableError(f"ca_file {ca_file}: {error}") from None


_VERIFY_CODES = {  # X509_V_ERR_..., openssl-verification-options(1)
    9: Reason.CERTIFICATE_NOT_YET_VALID,
    10: Reason.CERTIFICATE_EXPIRED,
    62: Reason.CERTIFICATE_NAME,
    64: Reason.CERTIFICATE_NAME,
}


def tls_reason(error: ssl.SSLError) -> str:
    """In our words why a handshake failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFY_CODES.get(error.verify_code, Reason.CERTIFICATE_UNTRUSTED)
    return Reason.TLS_FAILED
