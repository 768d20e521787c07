"""One direction of a throughput test: bytes move until their rate is known.

Law: the figure is the line's. Packets are counted by the kernel as they come (``tcp_counts.py``),
whatever order they come in and however late this program wakes up; when it is sure, no byte more.
"""

import asyncio
import json
import socket
import time
from collections.abc import Callable

import h11

from model.measurement import Outcome, Reason
from model.rate import Meter, Rate
from probes.connect import LookError, Stream
from probes.tcp_counts import Counts, tcp_counts

SAMPLE_SECONDS = 0.002
"""A sixth of a packet's time at 1 Mbit/s."""
ACCELERATED = 1.1
"""An accelerator at a satellite modem acknowledges in the collector's place (RFC 3135). Where that
made the figure larger, by this factor at least, what arrived is the truth."""
TOO_FEW = "too few bytes to tell"
_CHUNK_BYTES = 64 * 1024
_BLOCK = bytes(16 * 1024)
_UNSENT_BYTES = 32 * 1024
"""In our own buffers at most: what waits there when the figure is known goes out for nothing."""
_TCP_NOTSENT_LOWAT = 25
"""linux/tcp.h; the socket module has no name for it."""


class Transfer:
    """One connection's transfer. ``counts`` are the kernel's, as last seen.

    Both directions raise LookError; for an answer that is none of the collector's also ValueError,
    KeyError, TypeError and h11's RemoteProtocolError.
    """

    def __init__(self, stream: Stream, meter: Meter) -> None:
        self._stream, self._meter = stream, meter
        self._talk = h11.Connection(h11.CLIENT)
        self._socket: socket.socket = stream.writer.get_extra_info("socket")
        self.counts = tcp_counts(self._socket)

    async def download(self, request: h11.Request) -> Rate:
        """As the line counts: IP packets that arrived."""
        self._send(request)
        self._send(h11.EndOfMessage())
        if (status := await self._status()) != 200:
            raise _refused(status)
        body = asyncio.create_task(self._body())
        try:
            await self._watch({body}, lambda seen: seen.arrived)
        finally:
            await _stopped(body)
        if (found := self._meter.result()) is None:
            raise LookError(TOO_FEW, Outcome.UNKNOWN)
        return _as_packets(found, self.counts.arrived_packet_bytes)

    async def upload(self, request: h11.Request, most_bytes: int) -> Rate:
        """As the line counts: IP packets that were acknowledged; less, where less arrived."""
        self._socket.setsockopt(socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
        self._stream.writer.transport.set_write_buffer_limits(_UNSENT_BYTES)
        self._send(request)
        answer = asyncio.create_task(self._arrived())
        sending = asyncio.create_task(self._pour(most_bytes))
        try:
            await self._watch({answer, sending}, lambda seen: seen.delivered)
            await _stopped(sending)
            if not answer.done():
                self._send(h11.EndOfMessage())
            arrived = await answer
        finally:
            await _stopped(sending)
            await _stopped(answer)
        packet = self.counts.sent_packet_bytes
        if arrived is not None:  # the collector counts what packets carry
            payload_share = 1 - self.counts.header_bytes / packet
            arrived = arrived._replace(mbit_s=arrived.mbit_s / payload_share)
        delivered = self._meter.result()
        return upload_rate(delivered and _as_packets(delivered, packet), arrived)

    async def _watch(
        self, moving: set[asyncio.Task[Rate | None]], counted: Callable[[Counts], int]
    ) -> None:
        """Read the counts until the rate is known or one of ``moving`` has ended."""
        before = counted(self.counts)
        done: set[asyncio.Task[Rate | None]] = set()
        while not done:
            # A socket that has gone is asked for nothing: its end ends what moves.
            patience = None if self._stream.writer.transport.is_closing() else SAMPLE_SECONDS
            done, _ = await asyncio.wait(
                moving, timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
            if self._stream.writer.transport.is_closing():
                continue
            self.counts = tcp_counts(self._socket)
            now = counted(self.counts)
            if now > before and self._meter.take(time.perf_counter(), now - before):
                return
            before = now
        for task in done:
            task.result()  # what went wrong there is what went wrong here

    def _send(self, event: h11.Event) -> None:
        self._stream.writer.write(self._talk.send(event) or b"")

    async def _event(self) -> h11.Event:
        while not isinstance(event := self._talk.next_event(), h11.Event):
            if event is h11.PAUSED:
                raise h11.RemoteProtocolError("more than the answer")
            self._talk.receive_data(await self._stream.reader.read(_CHUNK_BYTES))
        return event

    async def _status(self) -> int:
        while not isinstance(event := await self._event(), h11.Response):
            pass
        return event.status_code

    async def _body(self) -> None:
        while not isinstance(await self._event(), h11.EndOfMessage):
            pass

    async def _arrived(self) -> Rate | None:
        """What the collector saw; None when it was too little to tell."""
        status = await self._status()
        if status == 422:
            return None
        if status != 200:
            raise _refused(status)
        body = bytearray()
        while not isinstance(event := await self._event(), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                body += event.data
        said = json.loads(body)
        return Rate(float(said["mbit_s"]), float(said["error_share"]))

    async def _pour(self, most_bytes: int) -> None:
        for _ in range(most_bytes // len(_BLOCK)):
            self._send(h11.Data(data=_BLOCK))
            await self._stream.writer.drain()


def upload_rate(delivered: Rate | None, arrived: Rate | None) -> Rate:
    """Of what was acknowledged and what the collector saw arrive, the one to believe: the first,
    which knows of losses, unless an accelerator made it. Raises LookError when there is neither."""
    if delivered is None:
        if arrived is None:
            raise LookError(TOO_FEW, Outcome.UNKNOWN)
        return arrived
    if arrived is not None:
        most = arrived.mbit_s * max(1 + arrived.error_share, ACCELERATED)
        if most < delivered.mbit_s:
            return arrived
    return delivered


def _refused(status: int) -> LookError:
    if status == 503:  # somebody else tests on this upstream just now
        return LookError(Reason.LINE_IN_USE, Outcome.UNKNOWN)
    return LookError(f"{Reason.WRONG_STATUS} {status}")


async def _stopped(task: asyncio.Task[Rate | None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _as_packets(found: Rate, packet_bytes: int) -> Rate:
    """From segments to the IP packets that carried them."""
    return found._replace(mbit_s=found.mbit_s * packet_bytes)
