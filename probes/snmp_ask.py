"""Asking one device for many objects, whatever mood it is in.

Law: less is asked of a device that struggles, never more. A request that is too large is halved, a
walk that does not advance ends at once, a lost packet is repeated twice, later and at odd moments.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from model.snmp import Credentials, Version
from probes.snmp_pace import Pace
from probes.snmp_readings import SYS_UPTIME
from probes.snmp_session import Opener, Session, Value

_T = TypeVar("_T")

TRIES = 3
MOST_OBJECTS = 120
"""A table of 24 ports with nine columns in two requests; some 2,500 bytes of answer each."""
MOST_REPETITIONS = 10
MOST_ROWS = 128


class Asker:
    """One device. Use ``open`` before the rest; ``rng``: a number between two, for odd moments."""

    def __init__(
        self,
        address: str,
        credentials: Credentials,
        opener: Opener,
        pace: Pace,
        rng: Callable[[float, float], float],
        timeout_seconds: float,
    ) -> None:
        self._address = address
        self._credentials = credentials
        self._opener = opener
        self._pace = pace
        self._rng = rng
        self.timeout_seconds = timeout_seconds
        self.most_objects = MOST_OBJECTS
        self.repetitions = MOST_REPETITIONS
        self.heard = False
        self._anchor = SYS_UPTIME
        self._session: Session | None = None

    async def open(self) -> None:
        """A new session. Raises TimeoutError or RefusedError."""
        packets = 2 if self._credentials.version is Version.V3 else 0

        async def attempt() -> Session:
            await self._pace.take(packets)
            return await self._opener(self._address, self._credentials, self.timeout_seconds)

        self.heard = False
        self._session = await self._patiently(attempt)

    async def get(self, oids: Sequence[str]) -> dict[str, Value]:
        """The objects that the device has, in as many requests as it takes.

        Every request also names one that the device is known to have, sysUpTime at first: an answer
        without it is an error status (RFC 3416, 4.2.1), and half as much is asked. So is after a
        silence, since some drop what is too large without a word.
        """
        found: dict[str, Value] = {}
        waiting = [
            list(oids[at : at + self.most_objects]) for at in range(0, len(oids), self.most_objects)
        ]
        while waiting:
            some = waiting.pop(0)
            if len(some) > self.most_objects:
                waiting[:0] = [some[: self.most_objects], some[self.most_objects :]]
                continue
            try:
                answer = await self._get(some)
            except TimeoutError:
                if not found or len(some) <= 8:
                    raise
                answer = {}
            if answer and self._anchor not in answer:  # no sysUpTime: what it does have will do
                self._anchor = next(iter(answer))
            if answer:
                found |= answer
            elif len(some) > 1:
                half = (len(some) + 1) // 2
                if self._credentials.version is not Version.V1:
                    self.most_objects = max(4, half)
                waiting[:0] = [some[:half], some[half:]]
        return found

    async def _get(self, oids: Sequence[str]) -> dict[str, Value]:
        session = self._open_session()
        asked = list(oids) if self._anchor in oids else [*oids, self._anchor]

        async def attempt() -> dict[str, Value]:
            await self._pace.take()
            answer = dict(await session.get(asked))
            self.heard = True
            return answer

        return await self._patiently(attempt)

    async def walk(self, column: str) -> dict[str, Value]:
        """The rows of a column by instance, at most ``MOST_ROWS``; those after the first that does
        not advance are not believed."""
        while True:
            found, whole = await self._walk_once(column)
            if whole or self.repetitions == 1:
                return found
            self.repetitions //= 2

    async def _walk_once(self, column: str) -> tuple[dict[str, Value], bool]:
        """The rows, and whether the walk came to an honest end."""
        found: dict[str, Value] = {}
        last: tuple[int, ...] = ()
        steps = self._open_session().walk(column, self.repetitions)
        answered = False
        while True:
            await self._pace.take()
            try:
                rows = await anext(steps)
            except StopAsyncIteration:
                return found, answered
            except TimeoutError:
                return found, False
            answered = True
            for oid, value in rows:
                instance = oid[len(column) + 1 :]
                place = tuple(int(arc) for arc in instance.split("."))
                if place <= last or len(found) >= MOST_ROWS:
                    return found, True
                last = place
                found[instance] = value

    def _open_session(self) -> Session:
        if self._session is None:
            raise RuntimeError("open the session first")
        return self._session

    async def _patiently(self, attempt: Callable[[], Awaitable[_T]]) -> _T:
        for number in range(1, TRIES):
            try:
                return await attempt()
            except TimeoutError:
                await asyncio.sleep(self._rng(0.1, 0.4) * number)
        return await attempt()
