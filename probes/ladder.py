"""The ladder while looking: a rung that fails asks the ones below whether the fault is theirs.

Law: what fails above a broken rung is UNKNOWN because of it. Below is asked only on a failure, and
each rung at most once a round, however many above it fail; what answers is UP, always.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from model.check import Check
from model.ladder import LADDER, below, rung_of, rung_outcome, state
from model.measurement import Outcome, Reason, Rung
from probes.look import Look, Probe

FRESH_SECONDS = 30.0
"""How long a look at a lower rung answers for those above it."""


class Ladder:
    """All ladders of a probe: one for each site and vantage among ``checks``."""

    def __init__(
        self,
        checks: Iterable[Check],
        probes: Mapping[str, Probe],
        monotonic_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._probes = probes
        self._now = monotonic_seconds
        self._rungs: dict[tuple[str, str], dict[Rung, list[Check]]] = defaultdict(dict)
        self._seen: dict[str, tuple[float, Outcome]] = {}
        self._asking: dict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        for check in checks:
            rung = rung_of(check.target)
            if rung in LADDER:
                rungs = self._rungs[check.site, check.vantage]
                rungs.setdefault(rung, []).append(check)

    async def look(self, check: Check) -> Look:
        """Look at a check as its kind does, and judge a failure by what lies below."""
        look = await self._probes[check.kind](check)
        self._seen[check.key] = self._now(), look.outcome
        rung = rung_of(check.target)
        if look.outcome is not Outcome.DOWN or rung is None:
            return look
        broken = await self._broken(check, below(rung))
        if broken is None:
            return look
        return Look(Outcome.UNKNOWN, look.readings, Reason.BELOW + broken)

    async def _broken(self, check: Check, lower: Iterable[Rung]) -> Rung | None:
        place = check.site, check.vantage
        rungs = self._rungs.get(place, {})
        asked = {rung: rungs[rung] for rung in lower if rung in rungs}
        async with self._asking[place]:  # the second to fail finds the answers of the first
            old = [one for some in asked.values() for one in some if not self._fresh(one)]
            looks = await asyncio.gather(*(self._probes[one.kind](one) for one in old))
            for one, look in zip(old, looks, strict=True):
                self._seen[one.key] = self._now(), look.outcome
        outcomes = {
            rung: rung_outcome([self._seen[one.key][1] for one in some])
            for rung, some in asked.items()
        }
        return state(outcomes).broken

    def _fresh(self, check: Check) -> bool:
        at, _ = self._seen.get(check.key, (-FRESH_SECONDS, Outcome.UNKNOWN))
        return self._now() - at < FRESH_SECONDS
