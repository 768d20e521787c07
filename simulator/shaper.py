"""A narrow line as a TCP relay: what comes in on one side goes out on the other, so fast and no
faster.

Law: bytes are delayed, never changed or lost; each direction has the whole rate (a token bucket, as
``tc tbf`` has one).
"""

import asyncio
import logging
import time

from simulator.services import Handler

log = logging.getLogger(__name__)

_BLOCK_BYTES = 8 * 1024
_BURST_SECONDS = 0.02
"""What a bucket holds: what the line carries in so long, but at least one block."""


class Bucket:
    """How much may pass when. ``bytes_per_second`` above 0."""

    def __init__(self, bytes_per_second: float) -> None:
        self._rate = bytes_per_second
        self._most = max(_BLOCK_BYTES, bytes_per_second * _BURST_SECONDS)
        self._tokens = self._most
        self._at = time.monotonic()

    def wait_seconds(self, amount: int, now: float) -> float:
        """Take so many bytes from the bucket at a moment (monotonic seconds); returns for how long
        they have to wait."""
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._rate)
        self._at = now
        self._tokens -= amount
        return max(0.0, -self._tokens / self._rate)


def shaped(host: str, port: int, mbit_s: float) -> Handler:
    """A server that passes every connection on to ``host`` and ``port`` at so many Mbit/s (10^6
    bits a second) each way."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A small buffer: what is shaped is the line, not the time until a buffer is full.
        there, back = await asyncio.open_connection(host, port, limit=_BLOCK_BYTES)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pump(reader, back, Bucket(mbit_s * 1e6 / 8)))
                both.create_task(_pump(there, writer, Bucket(mbit_s * 1e6 / 8)))
        except* ConnectionError as gone:  # one side hung up: the line is as dead for the other
            log.debug("shaped line: %s", gone.exceptions[0])
        finally:
            back.close()

    return handle


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, bucket: Bucket) -> None:
    """Carry bytes one way until that side ends."""
    writer.transport.set_write_buffer_limits(high=_BLOCK_BYTES)
    while block := await reader.read(_BLOCK_BYTES):
        # The slowness that is simulated.
        await asyncio.sleep(bucket.wait_seconds(len(block), time.monotonic()))
        writer.write(block)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
