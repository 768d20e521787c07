"""The write endpoint: InfluxDB v2's ``POST /api/v2/write``, with receipts for our own probes.

Law: the answer says success only after the journal's commit. Work is done in the order of its
price: key, declared length, requests in flight, rate, body, inflating, decoding, commit.
"""

import asyncio
import base64
import binascii
import os
import time
from collections.abc import Awaitable, Callable
from functools import partial

from collector.admission import Limits, Rates, TooLargeError, inflate
from collector.credentials import WRITE, Key, Keys
from collector.envelope import EnvelopeError, envelope, read
from collector.journal import Journal
from collector.line_protocol import PRECISIONS
from collector.receipts import Batch, Receipt, keep
from collector.unpacking import unpack
from collector.web import RETRY_SECONDS, Answer, Handled, Refused, Request, json_answer
from model.errors import UnavailableError

Stored = Callable[[Batch, Receipt, float], None]
"""Hears of every committed batch: what came of it, and how many seconds its commit took."""


class Ingest:
    """The endpoint's state: what is in flight, and the doors to the journal and the keys."""

    def __init__(
        self,
        journal: Journal,
        keys: Keys,
        limits: Limits,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        stored: Stored = lambda _batch, _receipt, _seconds: None,
    ) -> None:
        self.journal, self.keys, self.limits, self.wall_ms = journal, keys, limits, wall_ms
        self.rates = Rates(limits)
        self.in_flight = 0
        self._stored = stored

    def routes(self) -> list[Handled]:
        """For the table of routes."""
        return [
            Handled("POST", "/api/v2/write", self.write),
            Handled("POST", "/api/v1/batch", self.write_packed),
        ]

    def opens(self, authorization: str) -> bool:
        """Whether an Authorization header bears a key that may write. Raises UnavailableError."""
        token = _token(authorization)
        return self.keys.verify(token, role=WRITE, now_ms=self.wall_ms()) is not None

    async def write(self, request: Request) -> Answer:
        """``POST /api/v2/write``. Raises Refused, UnavailableError."""
        return await self._admitted(request, self._write)

    async def write_packed(self, request: Request) -> Answer:
        """``POST /api/v1/batch``. Raises Refused, UnavailableError."""
        return await self._admitted(request, self._write_packed)

    async def _admitted(
        self, request: Request, write: Callable[[Request, Key], Awaitable[Answer]]
    ) -> Answer:
        try:
            key = self._admit(request)
            self.in_flight += 1
            try:
                return await write(request, key)
            finally:
                self.in_flight -= 1
        except EnvelopeError as error:
            raise Refused(400, "invalid", str(error)) from error
        except TooLargeError as error:
            raise Refused(413, "request too large", str(error)) from error

    def _admit(self, request: Request) -> Key:
        key = caller(request, self.keys, WRITE, self.wall_ms())
        declared = request.headers.get("content-length", "0")
        if not (declared.isascii() and declared.isdecimal()) or len(declared) > 18:
            raise Refused(400, "invalid", "Content-Length is not a number")
        if int(declared) > self.limits.wire_bytes:
            raise TooLargeError(f"a body has at most {self.limits.wire_bytes} bytes")
        if self.in_flight >= self.limits.in_flight:
            raise Refused(503, "unavailable", "too many requests in flight", RETRY_SECONDS)
        wait = self.rates.wait_seconds(key.probe)
        if wait:
            raise Refused(429, "too many requests", "slow down", wait)
        if free_bytes_above_reserve(self.journal, self.limits) < 0:
            raise UnavailableError("the collector's disk is full: free some space")
        return key

    async def _write(self, request: Request, key: Key) -> Answer:
        precision = request.query_params.get("precision", "ns")
        if precision not in PRECISIONS:
            raise EnvelopeError(f"precision {precision[:10]!r}: use ns, us, ms or s")
        around = envelope(request.headers)
        if around is not None and around.probe != key.probe:
            raise Refused(403, "forbidden", "this key belongs to another probe")
        body, packed = await self._body(request)
        batch = read(
            body,
            packed=packed,
            precision=precision,
            envelope=around,
            key=key,
            received_ms=self.wall_ms(),
            points_max=self.limits.points,
        )
        receipt = await self._keep(batch)
        if around is not None:
            return json_answer({"receipt": receipt.document(key.probe, around.epoch)})
        if receipt.rejected:
            line, reason = receipt.rejected[0]
            raise Refused(
                400,
                "invalid",
                f"partial write: {len(receipt.rejected)} of {batch.span.length_ms} lines refused, "
                f"the others are kept; line {line + 1}: {reason}",
            )
        return Answer(204)

    async def _write_packed(self, request: Request, key: Key) -> Answer:
        sent = await self._sent(request)
        try:
            headers, lines = unpack(sent, self.limits)
        except TooLargeError:
            raise
        except ValueError as error:
            raise EnvelopeError(str(error)) from error
        around = envelope(headers)
        if around is None or around.probe != key.probe:
            raise Refused(403, "forbidden", "this key belongs to another probe")
        batch = read(
            b"\n".join(lines),
            precision="ms",
            envelope=around,
            key=key,
            received_ms=self.wall_ms(),
            points_max=self.limits.points,
        )
        receipt = await self._keep(batch)
        if receipt.kept == [batch.span]:  # in as few bytes as there are
            span = f"{batch.span.start_ms}-{batch.span.end_ms - 1}"
            return Answer(headers={"Receipt": f"{around.epoch} {span}"})
        return json_answer({"receipt": receipt.document(key.probe, around.epoch)})

    async def _keep(self, batch: Batch) -> Receipt:
        began = time.monotonic()
        receipt = await asyncio.wrap_future(self.journal.submit(partial(keep, batch=batch)))
        self._stored(batch, receipt, time.monotonic() - began)
        return receipt

    async def _body(self, request: Request) -> tuple[bytes, bytes | None]:
        """The body, and as what it came where that was gzip."""
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip", ""):
            raise Refused(415, "invalid", "Content-Encoding must be gzip or identity")
        sent = await self._sent(request)
        if encoding != "gzip":
            return sent, None
        try:
            return inflate(sent, self.limits), sent
        except TooLargeError:
            raise
        except ValueError as error:
            raise EnvelopeError(str(error)) from error

    async def _sent(self, request: Request) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > self.limits.wire_bytes:
                        raise TooLargeError(f"a body has at most {self.limits.wire_bytes} bytes")
        except TimeoutError:
            raise Refused(408, "invalid", "the body came too slowly", RETRY_SECONDS) from None
        return bytes(body)


def free_bytes_above_reserve(journal: Journal, limits: Limits) -> int:
    """How much may still be written; negative when the reserve is touched. The reserve is an
    eighth of the file system at most, so that a small disk can be used at all."""
    status = os.statvfs(journal.folder)
    reserve = min(limits.reserve_bytes, status.f_blocks * status.f_frsize // 8)
    return status.f_bavail * status.f_frsize - reserve


def caller(request: Request, keys: Keys, role: str, now_ms: int) -> Key:
    """Whose key the request bears. Raises Refused (401) for none, or one without the role."""
    key = keys.verify(_token(request.headers.get("authorization", "")), role=role, now_ms=now_ms)
    if key is None:
        raise Refused(401, "unauthorized", "unauthorized access")
    return key


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
