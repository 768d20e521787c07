"""The listening socket, and uvicorn on it: how long a connection may live and what it may cost.

Law: no plaintext but on loopback, and nobody's patience is abused. Whoever owes us bytes has
PATIENCE_SECONDS to send them, whoever has sent a request has its answer.
"""

import asyncio
import errno
import gc
import ipaddress
import resource
import signal
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn  # noqa: TID251 - the one file that serves
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol  # noqa: TID251 - as above

from collector.web import TOO_OFTEN
from model.errors import InputError, UnavailableError

IDLE_SECONDS = 330
"""How long a connection stays open after an answer: longer than the five minutes between a metered
line's batches, each of which would else pay for a TLS handshake. Idle, it costs us a descriptor and
8 kB of memory (52 kB with TLS; measured)."""
PATIENCE_SECONDS = 25.0
"""How long a TLS handshake, a request's head, or a body that nobody reads any more may take. (A
body that is read has a deadline of its own: ``admission.Limits.body_seconds``.)"""
HEAD_BYTES = 32 * 1024
"""What a request's head may have; a probe's has some 400."""
DEAF_SECONDS = 1.0
"""So long we do not listen to a connection that has just heard that it asks too often: a flood on
few connections would cost others their answers. Retry-After is as long at least."""
MOST_DESCRIPTORS = 65_536
MOST_UNDER_WAY = 256
"""Requests that were begun and not answered. Whoever comes then is refused before anything is
looked at: a whole province may come back in one moment, and who asks for our health must not wait
behind it. The connection stays (a probe pays for a new one by the byte) unless a body follows."""

_BUSY_BODY = b'{"code":"unavailable","message":"too many requests at once"}'
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(_BUSY_BODY)
)


class Config(uvicorn.Config):
    """uvicorn's, with an ear for what is answered before any application is asked (the status)."""

    turned_away: Callable[[int], None] = staticmethod(lambda _status: None)


class Connection(HttpToolsProtocol):
    """uvicorn's, with limits that it lacks: it waits for ever for the first head, takes one of any
    size, and any number at once."""

    _patience: asyncio.TimerHandle | None = None
    _in_head = True
    _head_bytes = 0
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._refused:
            self.transport.close()
        elif self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._turned_away(400)
                self.send_400_response("The head is too large.")
                return
        if self._patience is None and (self.cycle is None or self.cycle.response_complete):
            self._wait()  # for the rest of a head, or of a body that was answered before its end

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # (trailers, which nobody reads, would gather without limit)
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._wait_no_more()
        if len(self.tasks) >= MOST_UNDER_WAY and self.url != b"/healthz":
            self._refused = True
            self._turned_away(503)
            dated = b"".join(b"%b: %b\r\n" % one for one in self.server_state.default_headers)
            self.transport.write(_BUSY + dated + b"\r\n" + _BUSY_BODY)
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._refused:
            super().on_message_complete()
        self._refused = False

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.scope.get(TOO_OFTEN) and not self.transport.is_closing():
            self.flow.pause_reading()
            self.loop.call_later(DEAF_SECONDS, self._listen)

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def _turned_away(self, status: int) -> None:
        if isinstance(self.config, Config):
            self.config.turned_away(status)

    def _listen(self) -> None:
        if not self.transport.is_closing():
            self.flow.resume_reading()

    def _wait(self) -> None:
        self._patience = self.loop.call_later(PATIENCE_SECONDS, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


class _Server(uvicorn.Server):
    """uvicorn's, which leaves a TLS handshake the 60 seconds that asyncio does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if self.config.is_ssl:
            loop: Any = asyncio.get_running_loop()
            loop.create_server = partial(loop.create_server, ssl_handshake_timeout=PATIENCE_SECONDS)
        await super().startup(sockets)


def listen(address: str, *, encrypted: bool) -> socket.socket:
    """A bound socket for ``HOST:PORT`` (port 0: any). Raises InputError for an address that is none
    or that would carry keys in the clear, UnavailableError when it cannot be had."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    if not port.isdecimal() or int(port) > 65_535 or not host:
        raise InputError(f"--listen {address!r}: write HOST:PORT, for example 127.0.0.1:8086")
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise InputError(f"--listen {address!r}: the host must be an IP address") from None
    if not loopback and not encrypted:
        raise InputError(
            f"--listen {address}: without TLS only on loopback (keys would be readable on the "
            "way). Give --certificate and --private-key ('jangkau collector cert' makes them), or "
            "listen on 127.0.0.1"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, int(port)), family=family, backlog=2048)
    except OSError as error:
        hint = (
            "stop the other program or choose another port"
            if error.errno in (errno.EADDRINUSE,)
            else "choose another address"
        )
        raise UnavailableError(f"cannot listen on {address}: {error.strerror}; {hint}") from error
    # Connections inherit it. asyncio would set it only on sockets that name their protocol; without
    # it an answer of two segments waits 40 ms for the client's delayed acknowledgement.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def url_of(bound: socket.socket, *, encrypted: bool) -> str:
    """Where a bound socket can be reached."""
    host, port = bound.getsockname()[:2]
    return f"http{'s' if encrypted else ''}://{f'[{host}]' if ':' in host else host}:{port}"


def serve(
    app: Callable[..., Awaitable[None]],
    bound: socket.socket,
    certificate: Path | None = None,
    private_key: Path | None = None,
    ready: Callable[[], None] = lambda: None,
    turned_away: Callable[[int], None] = lambda _status: None,
) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished first (5 s at most).

    ``ready`` is called when connections queue up and a signal is heeded from then on;
    ``turned_away`` with the status of every answer that ``app`` was not asked for.
    """
    config = Config(
        app,
        http=Connection,
        log_level="error",  # strangers who speak no HTTP must not fill the log
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=5,
        ssl_certfile=certificate,
        ssl_keyfile=private_key,
    )
    config.turned_away = turned_away
    server = _Server(config)
    _raise_descriptor_limit()

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    # uvicorn stops on these once it runs, and then raises them again for whoever was there before.
    # Ours heed a signal that comes earlier, and see to it that nobody dies of the later one: the
    # journal is closed after us.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    # What is here by now stays until the end: the garbage collector need not look at it again.
    gc.freeze()
    ready()
    server.run(sockets=[bound])


def _raise_descriptor_limit() -> None:
    """Every probe may keep a connection, and the usual limit is 1,024 files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
