"""The kind ``throughput``: how fast is the line, for how few bytes?

Law: users go first, and the month's budget is kept. A test that would exceed it, or that would take
the line from somebody, is UNKNOWN and costs nothing; a test ends as soon as its figure is sure.
"""

import asyncio
import math
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

import h11

from model.check import Check
from model.kinds import Throughput
from model.measurement import Outcome, Reason
from model.rate import Meter
from probes.budget import Budget
from probes.clock import Clock
from probes.connect import (
    LookError,
    Readings,
    Resolve,
    bounded,
    connected,
    find,
    trust,
)
from probes.look import Look
from probes.transfer import Transfer

ENOUGH_SHARE = 0.02
LEAST_SECONDS = 0.5
LEAST_ROUND_TRIPS = 10
"""Slow start doubles each round trip: ten of them fill any line of a village (RFC 5681)."""
LISTEN_SECONDS = 1.0


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
        trip_seconds = math.inf  # the shortest: what is left of the download delays the upload's
        for name, method in (("download", "GET"), ("upload", "POST")):
            taken: Readings = {}
            async with connected(
                address, port, taken, context, parts.hostname, narrow=False
            ) as stream:
                trip_seconds = min(trip_seconds, taken["connect_seconds"])
                least = max(LEAST_SECONDS, LEAST_ROUND_TRIPS * trip_seconds)
                transfer = Transfer(stream, Meter(ENOUGH_SHARE, least))
                target = f"{parts.path}?bytes={most}{tail}"
                before = readings["test_bytes"]
                try:
                    if method == "GET":
                        request = h11.Request(method=method, target=target, headers=head)
                        found = await transfer.download(request)
                    else:
                        target += f"&enough={ENOUGH_SHARE}&least={least:.3f}"
                        chunked = [*head, ("Transfer-Encoding", "chunked")]
                        request = h11.Request(method=method, target=target, headers=chunked)
                        found = await transfer.upload(request, most)
                except (h11.RemoteProtocolError, ValueError, KeyError, TypeError):
                    raise LookError(Reason.BAD_ANSWER) from None
                finally:
                    readings["test_bytes"] = before + transfer.counts.carried_bytes
            readings[f"{name}_mbit_s"] = found.mbit_s
            readings[f"{name}_error_share"] = found.error_share


def _key(file: str) -> str:
    try:
        return Path(file).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise LookError("no key file", Outcome.UNKNOWN) from None
