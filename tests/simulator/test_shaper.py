"""The shaped line: whole, in order, and never faster than it is told."""

import asyncio
import secrets
import time

import pytest

from simulator.services import serving
from simulator.shaper import Bucket, shaped


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while block := await reader.read(65_536):
        writer.write(block)
        await writer.drain()


async def _there_and_back(data: bytes, mbit_s: float) -> tuple[bytes, float]:
    """Send bytes through a shaped line to one who sends them back; how long it took."""
    async with (
        serving(_echo) as behind,
        serving(shaped("127.0.0.1", behind, mbit_s)) as port,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        begun = time.monotonic()

        async def send() -> None:
            writer.write(data)
            await writer.drain()
            writer.write_eof()

        _, got = await asyncio.gather(send(), reader.read(-1))
        took = time.monotonic() - begun
        writer.close()
        return got, took


def test_bytes_arrive_whole_and_not_too_soon() -> None:
    """100 kB through 4 Mbit/s arrive as they were sent, and not before they can have passed (200
    ms, less a full bucket)."""
    data = secrets.token_bytes(100_000)
    got, took = asyncio.run(_there_and_back(data, 4.0))
    assert got == data
    assert took >= (len(data) - 20_000) * 8 / 4e6


@pytest.mark.parametrize("rate", [1_000.0, 500_000.0, 2.5e6])
def test_a_bucket_gives_its_rate(rate: float) -> None:
    """Whoever waits as told gets the rate in the long run, however the amounts are cut; who was
    idle gets no more than a full bucket for it."""
    bucket = Bucket(rate)
    now = time.monotonic() + 1000  # long idle
    begun, passed = now, 0
    for amount in [1, 8192, 100, 5000] * 500:
        now += bucket.wait_seconds(amount, now)
        passed += amount
    full = max(8192, rate * 0.02)
    assert passed / (now - begun) == pytest.approx(rate, rel=(full + 8192) / passed)


def test_a_side_that_hangs_up_ends_the_other() -> None:
    """When nobody listens behind the line its client is hung up on."""

    async def run() -> bytes:
        async with serving(_echo) as gone:
            pass
        async with serving(shaped("127.0.0.1", gone, 1.0)) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            got = await reader.read(-1)
            writer.close()
            return got

    assert asyncio.run(run()) == b""
