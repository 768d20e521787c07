"""The ping kind: echoes from one engine for all checks of a probe.

Law: one answer in time is UP. DOWN needs every echo of two salvos to have gone out and none to be
answered. Whatever kept us from asking or from hearing is UNKNOWN.
"""

import itertools
import logging
import math
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from model.check import Check
from model.errors import UnavailableError
from model.measurement import Outcome, Reason
from probes.echo import EchoRequest, EchoResult
from probes.icmp import EchoEngine
from probes.look import Look

log = logging.getLogger(__name__)
_IDLE_SECONDS = 60.0

RECEIVE_BUFFER_FULL = "receive buffer full"
"""UNKNOWN: answers came faster than we read them, so silence proves nothing."""


def look_of(result: EchoResult) -> Look:
    """Outcome, readings and reason of what came back.

    Readings are those of ``model.measurement.METRICS``; without a trustworthy round-trip time there
    is no ``rtt_...``. When answers were dropped in our own buffer there is no ``sent`` and
    ``received`` either: their difference would be our loss, not the line's.
    """
    readings: dict[str, float] = {"duplicates": result.duplicates, "late": result.late}
    if not result.answers_dropped:
        readings |= {"sent": result.sent, "received": result.received}
    times = sorted(rtt for rtt in result.rtt_seconds if rtt is not None)
    if times:
        readings |= {
            "rtt_min_seconds": times[0],
            "rtt_median_seconds": (times[(len(times) - 1) // 2] + times[len(times) // 2]) / 2,
            "rtt_p95_seconds": times[math.ceil(0.95 * len(times)) - 1],
            "rtt_max_seconds": times[-1],
        }
    steps = [
        abs(second - first)
        for first, second in zip(result.rtt_seconds, result.rtt_seconds[1:], strict=False)
        if first is not None and second is not None
    ]
    if steps:
        readings["jitter_seconds"] = sum(steps) / len(steps)
    outcome, reason = _judge(result)
    return Look(outcome, readings, reason)


def _judge(result: EchoResult) -> tuple[Outcome, str]:
    if result.received:
        return Outcome.UP, ""
    if result.failure:
        return Outcome.UNKNOWN, result.failure
    if result.answers_dropped:
        return Outcome.UNKNOWN, RECEIVE_BUFFER_FULL
    if result.error is not None:
        return Outcome.DOWN, Reason.UNREACHABLE
    return Outcome.DOWN, Reason.NO_ANSWER


class EchoService:
    """An engine in a thread of its own, for coroutines of any event loop."""

    def __init__(self, open_engine: Callable[[], EchoEngine] = EchoEngine) -> None:
        self._open_engine = open_engine
        self._engine = open_engine()
        self._engine_lock = threading.Lock()  # between waking an engine and replacing it
        self._arrived: deque[tuple[EchoRequest, Future[EchoResult]]] = deque()
        self._waiting: dict[str, Future[EchoResult]] = {}
        self._keys = itertools.count()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="echoes", daemon=True)
        self._thread.start()

    async def echo(self, request: EchoRequest) -> EchoResult:
        """What comes of a request, after ``longest_seconds`` and the queue at most. Raises
        InputError for what is no address, UnavailableError when the system allows no echoes, and
        the bug that stopped the engine."""
        future: Future[EchoResult] = Future()
        with self._engine_lock:
            if self._closing:
                raise UnavailableError("the echo service is closed")
            self._arrived.append((request, future))
            self._engine.wake()
        import asyncio  # noqa: PLC0415 - 30 ms that `jangkau ping` does without

        result = await asyncio.wrap_future(future)
        return result._replace(request=request)

    def close(self) -> None:
        """Stop the thread. Whoever still waits gets UnavailableError."""
        with self._engine_lock:
            self._closing = True
            self._engine.wake()
        self._thread.join()
        self._engine.close()

    def _run(self) -> None:
        while not self._closing:
            try:
                self._take_arrived()
                for result in self._engine.step(_IDLE_SECONDS):
                    self._waiting.pop(result.request.key).set_result(result)
            except Exception as error:
                log.exception("the echo engine failed: a bug of ours; starting another one")
                self._fail_waiting(error)
                with self._engine_lock:
                    self._engine.close()
                    self._engine = self._open_engine()
        self._take_arrived()
        self._fail_waiting(UnavailableError("the echo service was closed before the answers came"))

    def _take_arrived(self) -> None:
        while self._arrived:
            request, future = self._arrived.popleft()
            if not future.set_running_or_notify_cancel():
                continue  # whoever asked has gone
            key = str(next(self._keys))
            try:
                self._engine.add(request._replace(key=key))
            except Exception as error:  # noqa: BLE001 - it belongs to whoever asked, who raises it
                future.set_exception(error)
            else:
                self._waiting[key] = future

    def _fail_waiting(self, error: Exception) -> None:
        for future in self._waiting.values():
            future.set_exception(error)
        self._waiting.clear()


class PingProbe:
    """The kind ``ping``. When no echo of a check is answered it asks as often once more,
    ``confirm_after_seconds`` later, before it says DOWN; the readings then cover both salvos."""

    def __init__(
        self,
        service: EchoService,
        *,
        spacing_seconds: float = 0.2,
        confirm_after_seconds: float = 5.0,
    ) -> None:
        self._service = service
        self._spacing_seconds = spacing_seconds
        self._confirm_after_seconds = confirm_after_seconds

    def request(self, check: Check) -> EchoRequest:
        """What is sent for a check; its ``longest_seconds`` is the time that a look needs."""
        return EchoRequest(
            check.key,
            check.address,
            check.count,
            self._spacing_seconds,
            check.timeout_seconds,
            self._confirm_after_seconds,
        )

    async def __call__(self, check: Check) -> Look:
        try:
            result = await self._service.echo(self.request(check))
        except UnavailableError as error:
            log.warning("%s: %s", check.key, error)
            return Look(Outcome.UNKNOWN, {}, Reason.NO_PERMISSION)
        return look_of(result)
