"""Who may come in, and how much of it: limits that are checked before any work is done.

Law: a request that will be refused costs us next to nothing. The order is key, declared length,
requests in flight, rate, and only then the body.
Figures: reliability requirements 11 and 12 (docs/collector.md).
"""

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request, one probe and all probes together may take."""

    wire_bytes: int = 1024 * 1024
    inflated_bytes: int = 8 * 1024 * 1024
    inflate_ratio: int = 100
    inflate_ratio_free_bytes: int = 64 * 1024
    """Below this size the ratio is not looked at: a small repetitive body compresses well."""
    points: int = 20_000
    in_flight: int = 64
    requests_per_second: float = 20.0
    request_burst: int = 100
    body_seconds: float = 20.0
    """A probe on a slow line sends 1 MiB/20 s at worst; who is slower must cut its batches."""
    reserve_bytes: int = 64 * 1024 * 1024
    """Free space that is not given to new data: checkpoints and the archive need it."""


MEMBERS_MAX = 16
PIECE_BYTES = 256 * 1024
"""Inflated at a time: zlib doubles its buffer, which would cost a bomb's size once more."""


class TooLargeError(ValueError):
    """The body is larger than allowed, on the wire or inflated."""


def inflate(body: bytes, limits: Limits) -> bytes:
    """The content of a gzip body of one or several members.

    Raises TooLargeError before more than the allowed size was produced, ValueError when the body
    is not gzip, is cut off, or carries something behind its end.
    """
    parts: list[bytes] = []
    total = members = 0
    allowed = min(
        limits.inflated_bytes,
        max(limits.inflate_ratio_free_bytes, len(body) * limits.inflate_ratio),
    )
    rest = body
    while rest:
        members += 1
        if members > MEMBERS_MAX:  # each costs a copy of what follows it
            raise TooLargeError(f"more than {MEMBERS_MAX} gzip members")
        stream = zlib.decompressobj(wbits=31)
        tail = rest
        while not stream.eof:
            try:
                part = stream.decompress(tail, min(PIECE_BYTES, allowed - total + 1))
            except zlib.error as error:
                raise ValueError(f"not gzip: {error}") from error
            tail = stream.unconsumed_tail
            total += len(part)
            if total > allowed:
                raise TooLargeError(f"inflates to more than {allowed} bytes")
            if not part and not tail and not stream.eof:
                raise ValueError("the gzip body is cut off")
            parts.append(part)
        rest = stream.unused_data
    return b"".join(parts)


@dataclass(slots=True)
class Rates:
    """A token bucket per probe. ``clock`` is monotonic, in seconds.

    Only probes with a valid key get a bucket, so there are no more buckets than keys.
    """

    limits: Limits
    clock: Callable[[], float] = time.monotonic
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict)

    def wait_seconds(self, probe: str) -> float:
        """Take a token: 0 when there was one, otherwise how long until there will be."""
        now = self.clock()
        tokens, at = self._buckets.get(probe, (float(self.limits.request_burst), now))
        rate = self.limits.requests_per_second
        tokens = min(self.limits.request_burst, tokens + (now - at) * rate)
        if tokens < 1:
            self._buckets[probe] = (tokens, now)
            return (1 - tokens) / rate
        self._buckets[probe] = (tokens - 1, now)
        return 0.0
