"""Looking: the checks that are due, each on its own.

Law: one look never costs another. Each has a deadline; what a look raises is a bug, logged with its
trace and recorded as UNKNOWN "bug"; a look that there was no room for is UNKNOWN "not looked".
"""

import asyncio
import logging
import math
from collections.abc import Callable, Iterable, Mapping

from model.check import Check
from model.measurement import Measurement, Outcome, Reason
from probes.clock import Clock
from probes.look import Look, Probe

log = logging.getLogger(__name__)

SLACK_SECONDS = 10.0
"""Beyond the answers' time-outs: name resolution, pacing, the pause before a second try."""


def deadline_seconds(check: Check) -> float:
    """How long a look may take before it is hopeless. Generous on purpose: a look that was cut
    short says nothing, while one that ran to its own end says DOWN."""
    return 2 * check.count * max(check.timeout_seconds, 0.25) + SLACK_SECONDS


class Round:
    """Runs looks and hands each finished one to ``keep`` at once, with the monotonic time
    (milliseconds) at which it began: the wall clock may be set while a look runs.

    ``probes`` is the table kind -> Probe; ``at_once`` caps the looks in flight. What is cancelled
    (the agent stops) leaves no measurement: the collector sees that nobody looked.
    """

    def __init__(
        self,
        probes: Mapping[str, Probe],
        clock: Clock,
        keep: Callable[[Measurement, int], None],
        at_once: int = 1000,
    ) -> None:
        self._probes = probes
        self._clock = clock
        self._keep = keep
        self._room = asyncio.Semaphore(at_once)
        self._waiting: set[str] = set()

    async def run(self, checks: Iterable[Check]) -> None:
        """Look at all of ``checks``; returns when the last one is done."""
        await asyncio.gather(*(self._look_in_turn(check) for check in checks))

    async def _look_in_turn(self, check: Check) -> None:
        if check.key in self._waiting:  # its last look has not even ended: the probe is overloaded
            missed = Look(Outcome.UNKNOWN, {}, Reason.NOT_LOOKED)
            at_ms, monotonic_ms = self._clock.wall_ms(), self._clock.monotonic_ms()
            self._keep(_measurement(check, at_ms, missed), monotonic_ms)
            return
        self._waiting.add(check.key)
        try:
            async with self._room:
                at_ms, monotonic_ms = self._clock.wall_ms(), self._clock.monotonic_ms()
                look = await self._look(check)
            self._keep(_measurement(check, at_ms, look), monotonic_ms)
        finally:
            self._waiting.discard(check.key)

    async def _look(self, check: Check) -> Look:
        scope = asyncio.timeout(deadline_seconds(check))
        try:
            async with scope:
                look = await self._probes[check.kind](check)
            for name, value in look.readings.items():
                if not math.isfinite(value):
                    raise ValueError(f"reading {name} is {value}")
        except Exception as error:
            if isinstance(error, TimeoutError) and scope.expired():
                return Look(Outcome.UNKNOWN, {}, Reason.DEADLINE)
            log.exception("look at %s failed: a bug of ours", check.key)
            return Look(Outcome.UNKNOWN, {}, Reason.BUG)
        return look


def _measurement(check: Check, at_ms: int, look: Look) -> Measurement:
    return Measurement(
        site=check.site,
        vantage=check.vantage,
        kind=check.kind,
        target=check.target,
        at_ms=at_ms,
        outcome=look.outcome,
        readings=look.readings,
        reason=look.reason,
    )
