"""The collector's end of a throughput test: bytes to fetch, and a measure of those that arrive.

Law: one test at a time on each upstream, so that no two villages measure each other, and few in
all, so that the collector's own line is not what they measure. An amount and a time are bounded,
and whoever is not admitted costs nothing. An ASGI application without a framework.
"""

import asyncio
import json
import logging
import os
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from model.rate import Meter

log = logging.getLogger(__name__)

BYTES_MAX = 50_000_000
TESTS_AT_ONCE = 8
"""2,145 lines, tested for three seconds every six hours, are a third of a test at a time."""
LONGEST_SECONDS = 60.0
_BLOCK_BYTES = 16 * 1024
_UPSTREAM_MAX = 64

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Throughput:
    """``GET ?bytes=N`` answers with N bytes that do not compress; ``POST ?bytes=N`` takes them and
    answers ``{"mbit_s", "error_share", "bytes"}`` as soon as it knows. ``&upstream=ID``: 503 while
    another test runs on it (without one: of the same key), and while too many run in all.
    ``admit`` is told the Authorization header. A test ends after ``longest_seconds``, so that a
    client that stalls holds nobody up."""

    def __init__(
        self, admit: Callable[[str], bool], longest_seconds: float = LONGEST_SECONDS
    ) -> None:
        self._admit = admit
        self._longest_seconds = longest_seconds
        self._busy: set[str] = set()
        self._block = os.urandom(_BLOCK_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI 3)."""
        headers = {name.lower(): value for name, value in scope["headers"]}
        query = parse_qs(scope["query_string"].decode("latin-1"))
        key = headers.get(b"authorization", b"").decode("latin-1")
        upstream = query.get("upstream", [""])[0][:_UPSTREAM_MAX] or key
        try:
            size = min(int(query["bytes"][0]), BYTES_MAX)
            enough = float(query.get("enough", ["0.02"])[0])
            least = min(float(query.get("least", ["0.5"])[0]), self._longest_seconds)
        except (KeyError, ValueError):
            size = 0
        if size < 1:
            await _answer(send, 400, {"message": "?bytes= must be a whole number above 0"})
        elif not self._admit(key):
            await _answer(send, 401, {"message": "unauthorized access"})
        elif scope["method"] not in ("GET", "POST"):
            await _answer(send, 405, {"message": "use GET or POST"})
        elif upstream in self._busy or len(self._busy) >= TESTS_AT_ONCE:
            await _answer(send, 503, {"message": "another test runs on this upstream, or too many"})
        else:
            self._busy.add(upstream)
            try:
                async with asyncio.timeout(self._longest_seconds):
                    if scope["method"] == "GET":
                        await self._pour(size, send)
                    else:
                        await _measure(Meter(enough, least), size, receive, send)
            except TimeoutError:  # the server hangs up on an answer that was not finished
                log.info("a throughput test took more than %g s: given up", self._longest_seconds)
            finally:
                self._busy.discard(upstream)

    async def _pour(self, size: int, send: Send) -> None:
        await _start(send, 200, size, b"application/octet-stream")
        left = size
        while left > 0:
            block = self._block[: min(left, _BLOCK_BYTES)]
            left -= len(block)
            await send({"type": "http.response.body", "body": block, "more_body": left > 0})


async def _measure(meter: Meter, size: int, receive: Receive, send: Send) -> None:
    message: MutableMapping[str, Any] = {"more_body": True}
    known = False
    while meter.bytes < size and message.get("more_body", False) and not known:
        message = await receive()
        if message["type"] != "http.request":
            return  # whoever asked has gone
        if body := message.get("body", b""):
            known = meter.take(time.perf_counter(), len(body))
    found = meter.result()
    if found is None:
        await _answer(send, 422, {"message": "too few bytes to tell"})
        return
    said = {"mbit_s": found.mbit_s, "error_share": found.error_share, "bytes": meter.bytes}
    body = json.dumps(said).encode()
    await _start(send, 200, len(body), b"application/json")
    await send({"type": "http.response.body", "body": body, "more_body": True})
    # A server that closed now, with bytes unread, would reset the connection before the answer is
    # read (RFC 9112, 9.6). Whoever asked hangs up as soon as it has read it.
    while message.get("more_body", False):
        message = await receive()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _answer(send: Send, status: int, document: dict[str, Any]) -> None:
    body = json.dumps(document).encode()
    await _start(send, status, len(body), b"application/json")
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _start(send: Send, status: int, size: int, kind: bytes) -> None:
    headers = [(b"content-length", b"%d" % size), (b"content-type", kind)]
    if status == 503:
        headers.append((b"retry-after", b"30"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
