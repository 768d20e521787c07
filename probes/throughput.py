"""The kind ``throughput``: how fast is the line, for how few bytes?

Law: users go first, and the month's budget is kept. A test that would exceed it, or that would take
the line from somebody, is UNKNOWN and costs nothing; a test ends as soon as its figure is sure.
"""

import asyncio
import json
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

import h11

from model.check import Check
from model.kinds import Throughput
from model.measurement import Outcome, Reason
from model.rate import Meter, Rate
from probes.budget import Budget
from probes.clock import Clock
from probes.connect import (
    LookError,
    Readings,
    Resolve,
    Stream,
    bounded,
    connected,
    find,
    trust,
)
from probes.look import Look

ENOUGH_SHARE = 0.02
LEAST_SECONDS = 0.5
LEAST_ROUND_TRIPS = 10
"""Slow start doubles each round trip: ten of them fill any line of a village (RFC 5681)."""
LISTEN_SECONDS = 1.0
_CHUNK_BYTES = 64 * 1024
_IP_TCP_HEADER_BYTES = 52
"""IPv4 20 + TCP 20 + time stamps 12 (RFC 7323): the line carries them with every segment."""
_TCP_INFO_MSS = struct.Struct("8x5I")  # tcpi_rto, ato, snd_mss, rcv_mss ...: linux/tcp.h


def line_bytes(file: Path = Path("/proc/net/dev")) -> int:
    """Bytes that the busiest interface has carried, both ways. Raises OSError."""
    counted = [0]
    for line in file.read_text(encoding="ascii").splitlines()[2:]:
        name, _, fields = line.partition(":")
        numbers = fields.split()
        if name.strip() != "lo":
            counted.append(int(numbers[0]) + int(numbers[8]))
    return max(counted)


class ThroughputProbe:
    """Readings: ``download_mbit_s`` and ``upload_mbit_s`` as the line counts (IP packets), each
    with its ``_error_share``, and ``test_bytes``."""

    def __init__(
        self,
        resolve: Resolve,
        clock: Clock,
        carried: Callable[[], int] = line_bytes,
    ) -> None:
        self._resolve = resolve
        self._clock = clock
        self._carried = carried
        self._turn = asyncio.Lock()

    async def __call__(self, check: Check) -> Look:
        settings = check.settings
        if not isinstance(settings, Throughput):
            raise TypeError(f"{check.key}: a throughput check carries Throughput settings")

        async def look(readings: Readings) -> None:
            budget = Budget(Path(settings.budget_file))
            most = int(settings.test_megabytes * 1e6)
            month, limit = self._clock.wall_ms(), int(settings.month_megabytes * 1e6)
            if budget.left(month, limit) < 2 * most:
                raise LookError(Reason.BUDGET, Outcome.UNKNOWN)
            if await self._users_mbit_s() > settings.busy_mbit_s:
                raise LookError(Reason.LINE_IN_USE, Outcome.UNKNOWN)
            # Booked before it is spent: a power cut in the middle must not make it free.
            budget.book(month, 2 * most)
            readings["test_bytes"] = 0
            try:
                await self._both_ways(settings, most, readings)
            finally:
                budget.book(month, int(readings["test_bytes"]) - 2 * most)

        if self._turn.locked():
            return Look(Outcome.UNKNOWN, {}, Reason.LINE_IN_USE)
        async with self._turn:
            return await bounded(check, look)

    async def _users_mbit_s(self) -> float:
        """What the line carries while we keep still."""
        before, begun = self._carried(), time.perf_counter()
        await asyncio.sleep(LISTEN_SECONDS)
        return (self._carried() - before) * 8 / 1e6 / (time.perf_counter() - begun)

    async def _both_ways(self, settings: Throughput, most: int, readings: Readings) -> None:
        parts = urlsplit(settings.url)
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        context = trust(settings.ca_file) if secure else None
        address = await find(parts.hostname or "", self._resolve, readings)
        head = [("Host", parts.netloc), ("User-Agent", "jangkau"), ("Connection", "close")]
        if settings.key_file is not None:
            head.append(("Authorization", f"Token {_key(settings.key_file)}"))
        tail = f"&upstream={quote(settings.upstream)}" if settings.upstream else ""
        for name, method in (("download", "GET"), ("upload", "POST")):
            taken: Readings = {}
            async with connected(
                address, port, taken, context, parts.hostname, narrow=False
            ) as stream:
                trip = taken["connect_seconds"]
                least = max(LEAST_SECONDS, LEAST_ROUND_TRIPS * trip)
                target = f"{parts.path}?bytes={most}{tail}"
                if method == "POST":
                    target += f"&enough={ENOUGH_SHARE}&least={least:.3f}"
                    length = [("Content-Length", str(most))]
                    request = h11.Request(method=method, target=target, headers=head + length)
                    found = await _upload(stream, request, most, readings)
                else:
                    request = h11.Request(method=method, target=target, headers=head)
                    found = await _download(stream, request, least, readings)
                share = 1 + _IP_TCP_HEADER_BYTES / _segment_bytes(stream, method)
            readings[f"{name}_mbit_s"] = found.mbit_s * share
            readings[f"{name}_error_share"] = found.error_share


def _key(file: str) -> str:
    try:
        return Path(file).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise LookError("no key file", Outcome.UNKNOWN) from None


def _segment_bytes(stream: Stream, method: str) -> int:
    """Payload of a full segment of this connection, as TCP has agreed it."""
    sock = stream.writer.get_extra_info("socket")
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_MSS.size)
    _, _, sends, receives, _ = _TCP_INFO_MSS.unpack(info)
    return int(max(sends if method == "POST" else receives, 500))


async def _head(stream: Stream, talk: h11.Connection) -> None:
    """Wait for a good answer's head. Raises LookError for another one."""
    while True:
        event = talk.next_event()
        if event is h11.NEED_DATA:
            talk.receive_data(await stream.reader.read(_CHUNK_BYTES))
        elif isinstance(event, h11.Response):
            break
    if event.status_code == 503:  # somebody else tests on this upstream just now
        raise LookError(Reason.LINE_IN_USE, Outcome.UNKNOWN)
    if event.status_code != 200:
        raise LookError(f"{Reason.WRONG_STATUS} {event.status_code}")


async def _download(
    stream: Stream, request: h11.Request, least_seconds: float, readings: Readings
) -> Rate:
    talk = h11.Connection(h11.CLIENT)
    stream.writer.write((talk.send(request) or b"") + (talk.send(h11.EndOfMessage()) or b""))
    try:
        await _head(stream, talk)
        meter = Meter(ENOUGH_SHARE, least_seconds)
        while True:
            event = talk.next_event()
            if event is h11.NEED_DATA:
                talk.receive_data(await stream.reader.read(_CHUNK_BYTES))
            elif isinstance(event, h11.Data):
                readings["test_bytes"] += len(event.data)
                if meter.take(time.perf_counter(), len(event.data)):
                    break
            elif isinstance(event, h11.EndOfMessage):
                break
    except h11.RemoteProtocolError:
        raise LookError(Reason.BAD_ANSWER) from None
    found = meter.result()
    if found is None:
        raise LookError("too few bytes to tell", Outcome.UNKNOWN)
    return found


async def _upload(stream: Stream, request: h11.Request, most: int, readings: Readings) -> Rate:
    """Send until the collector, who sees the bytes arrive, has seen enough and says so."""
    talk = h11.Connection(h11.CLIENT)
    stream.writer.write(talk.send(request) or b"")
    before = readings["test_bytes"]
    sending = asyncio.create_task(_pour(stream, most, readings))
    try:
        await _head(stream, talk)
        body = bytearray()
        while not isinstance(event := talk.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                talk.receive_data(await stream.reader.read(_CHUNK_BYTES))
            elif isinstance(event, h11.Data):
                body += event.data
        said = json.loads(body)
        found = Rate(float(said["mbit_s"]), float(said["error_share"]))
        readings["test_bytes"] = before + int(said["bytes"])  # the rest never left our buffer
        return found
    except (h11.RemoteProtocolError, ValueError, KeyError, TypeError):
        raise LookError(Reason.BAD_ANSWER) from None
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def _pour(stream: Stream, most: int, readings: Readings) -> None:
    block = bytes(16 * 1024)
    for _ in range(most // len(block)):
        stream.writer.write(block)
        readings["test_bytes"] += len(block)
        await stream.writer.drain()
