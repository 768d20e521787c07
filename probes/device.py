"""The look at the device itself: that it lives, since when, and which start of it this is.

Law: reporting is the proof. A probe that can write this record was powered while it did; uptime and
boot id tell the collector a power cut from a cut line.
"""

import asyncio

from model.check import Check
from model.measurement import Outcome
from probes.board import Board
from probes.clock import Clock
from probes.look import Look


class DeviceProbe:
    """Kind ``device``: ``uptime_seconds`` and ``boot_id`` of the device that runs the probe, and
    what its board says of power and clients."""

    def __init__(self, clock: Clock, board: Board | None = None) -> None:
        self._clock = clock
        self._board = board or Board()

    async def __call__(self, check: Check) -> Look:  # noqa: ARG002 - the device is always our own
        """Read the clocks; never DOWN, since a device that is down reports nothing."""
        readings = {
            "uptime_seconds": self._clock.uptime_seconds(),
            "boot_id": float(self._clock.boot_id),
        }
        now_seconds = self._clock.wall_ms() / 1000
        return Look(
            Outcome.UP, readings | await asyncio.to_thread(self._board.readings, now_seconds)
        )
