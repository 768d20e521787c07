"""The write endpoint: InfluxDB v2's ``POST /api/v2/write``, with receipts for our own probes.

Law: the answer says success only after the journal's commit. Work is done in the order of its
price: key, declared length, requests in flight, rate, body, inflating, decoding, commit.
"""

import asyncio
import base64
import binascii
import errno
import ipaddress
import math
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from types import FrameType

import uvicorn  # noqa: TID251 - the one file that serves
from starlette.applications import Starlette  # noqa: TID251 - the one file that speaks HTTP
from starlette.requests import ClientDisconnect, Request  # noqa: TID251 - as above
from starlette.responses import JSONResponse, Response  # noqa: TID251 - as above
from starlette.routing import Route  # noqa: TID251 - as above

from collector.admission import Limits, Rates, TooLargeError, inflate
from collector.credentials import Key, Keys
from collector.envelope import EnvelopeError, envelope, read
from collector.journal import Journal
from collector.line_protocol import PRECISIONS
from collector.receipts import keep
from model.errors import InputError, UnavailableError

RETRY_SECONDS = 5
"""Retry-After where nothing better is known; probes add their own jitter."""


class RefusedError(Exception):
    """A request that is answered with an error, in InfluxDB's words."""

    def __init__(
        self, status: int, code: str, message: str, retry_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.retry_seconds = status, code, retry_seconds

    def response(self) -> Response:
        headers = {}
        if self.retry_seconds is not None:
            headers["Retry-After"] = str(max(1, math.ceil(self.retry_seconds)))
        return JSONResponse({"code": self.code, "message": str(self)}, self.status, headers)


class Ingest:
    """The endpoint's state: what is in flight, and the doors to the journal and the keys."""

    def __init__(
        self,
        journal: Journal,
        keys: Keys,
        limits: Limits,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.journal, self.keys, self.limits, self.wall_ms = journal, keys, limits, wall_ms
        self.rates = Rates(limits)
        self.in_flight = 0

    async def write(self, request: Request) -> Response:
        """``POST /api/v2/write``."""
        try:
            key = self._admit(request)
            self.in_flight += 1
            try:
                return await self._write(request, key)
            finally:
                self.in_flight -= 1
        except RefusedError as refused:
            return refused.response()
        except EnvelopeError as error:
            return RefusedError(400, "invalid", str(error)).response()
        except TooLargeError as error:
            return RefusedError(413, "request too large", str(error)).response()
        except UnavailableError as error:
            return RefusedError(507, "unavailable", str(error), RETRY_SECONDS).response()

    def _admit(self, request: Request) -> Key:
        key = self.keys.verify(_token(request.headers.get("authorization", "")))
        if key is None:
            raise RefusedError(401, "unauthorized", "unauthorized access")
        declared = request.headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared) > self.limits.wire_bytes:
            raise TooLargeError(f"a body has at most {self.limits.wire_bytes} bytes")
        if self.in_flight >= self.limits.in_flight:
            raise RefusedError(503, "unavailable", "too many requests in flight", RETRY_SECONDS)
        wait = self.rates.wait_seconds(key.probe)
        if wait:
            raise RefusedError(429, "too many requests", "slow down", wait)
        status = os.statvfs(self.journal.folder)
        reserve = min(self.limits.reserve_bytes, status.f_blocks * status.f_frsize // 8)
        if status.f_bavail * status.f_frsize < reserve:
            raise UnavailableError("the collector's disk is full: free some space")
        return key

    async def _write(self, request: Request, key: Key) -> Response:
        precision = request.query_params.get("precision", "ns")
        if precision not in PRECISIONS:
            raise EnvelopeError(f"precision {precision[:10]!r}: use ns, us, ms or s")
        around = envelope(request.headers)
        if around is not None and around.probe != key.probe:
            raise RefusedError(403, "forbidden", "this key belongs to another probe")
        body = await self._body(request)
        batch = read(
            body,
            precision=precision,
            envelope=around,
            key=key,
            received_ms=self.wall_ms(),
            points_max=self.limits.points,
        )
        receipt = await asyncio.wrap_future(self.journal.submit(partial(keep, batch=batch)))
        if around is not None:
            return JSONResponse({"receipt": receipt.document(key.probe, around.epoch)})
        if receipt.rejected:
            line, reason = receipt.rejected[0]
            raise RefusedError(
                400,
                "invalid",
                f"partial write: {len(receipt.rejected)} of {batch.span.length_ms} lines refused, "
                f"the others are kept; line {line + 1}: {reason}",
            )
        return Response(status_code=204)

    async def _body(self, request: Request) -> bytes:
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip", ""):
            raise RefusedError(415, "invalid", "Content-Encoding must be gzip or identity")
        body = bytearray()
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > self.limits.wire_bytes:
                        raise TooLargeError(f"a body has at most {self.limits.wire_bytes} bytes")
        except TimeoutError:
            raise RefusedError(408, "invalid", "the body came too slowly", RETRY_SECONDS) from None
        except ClientDisconnect:
            raise RefusedError(400, "invalid", "the body was cut off") from None
        if encoding != "gzip":
            return bytes(body)
        try:
            return inflate(bytes(body), self.limits)
        except TooLargeError:
            raise
        except ValueError as error:
            raise EnvelopeError(str(error)) from error


def _token(authorization: str) -> str:
    """The key in an Authorization header: ``Token``, ``Bearer``, or the password of ``Basic``."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() in ("token", "bearer"):
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def application(ingest: Ingest) -> Starlette:
    """The routes: the write endpoint, and what says that we live (also as InfluxDB clients ask)."""

    async def health(_request: Request) -> Response:
        return JSONResponse({"name": "jangkau", "status": "pass"})

    async def ping(_request: Request) -> Response:
        return Response(status_code=204)

    routes: list[tuple[str, Callable[[Request], Awaitable[Response]], str]] = [
        ("/api/v2/write", ingest.write, "POST"),
        ("/healthz", health, "GET"),
        ("/health", health, "GET"),
        ("/ping", ping, "GET"),
    ]
    return Starlette(routes=[Route(path, call, methods=[verb]) for path, call, verb in routes])


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
            "way). Give --certificate and --private-key, or listen on 127.0.0.1"
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


def serve(
    app: Starlette,
    bound: socket.socket,
    certificate: Path | None = None,
    private_key: Path | None = None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished first (5 s at most).

    ``ready`` is called when connections queue up and a signal is heeded from then on.
    """
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=32 * 1024,
        ssl_certfile=certificate,
        ssl_keyfile=private_key,
    )
    server = uvicorn.Server(config)

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    # uvicorn stops on these once it runs, and then raises them again for whoever was there before.
    # Ours heed a signal that comes earlier, and see to it that nobody dies of the later one: the
    # journal is closed after us.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    ready()
    server.run(sockets=[bound])
