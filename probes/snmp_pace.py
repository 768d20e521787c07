"""How gently one device is asked.

Law: one request is out at a time, and no second ever sees more than five packets of ours.
"""

import asyncio
from collections import deque
from collections.abc import Callable

PACKETS_A_SECOND = 5


class Pace:
    """The gate before every packet to one device. ``clock``: monotonic seconds."""

    def __init__(self, clock: Callable[[], float], per_second: int = PACKETS_A_SECOND) -> None:
        self._clock = clock
        self._sent: deque[float] = deque(maxlen=per_second)

    async def take(self, packets: int = 1) -> None:
        """Wait until so many more packets may go out, and count them as sent."""
        for _ in range(packets):
            full = len(self._sent) == self._sent.maxlen
            while full and (wait := self._sent[0] + 1.0 - self._clock()) > 0:
                await asyncio.sleep(wait)
            self._sent.append(self._clock())
