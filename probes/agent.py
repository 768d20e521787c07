"""The probe's loop: look when a check is due, keep what was seen, let the uplink carry it home.

Law: looking never waits for the disk or the line. It goes on while the collector is away, while the
disk is full, while a look hangs; and a stop loses nothing that was seen.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from model.check import Check
from model.errors import InputError
from model.measurement import Measurement, Outcome, Reason, Rung
from probes.clock import Clock
from probes.day_budget import Budget
from probes.known_time import boot_text, stamp
from probes.line_protocol import encode
from probes.look import Probe
from probes.round import Round
from probes.schedule import Schedule
from probes.segment import Gap
from probes.spool import Spool
from probes.uplink import Uplink

log = logging.getLogger(__name__)

LONGEST_WAIT_SECONDS = 10.0
"""Between two words to the watchdog."""
UNSAVED_MAX = 20_000
"""Measurements that wait in memory while the disk takes none; beyond it the oldest are a gap."""
APPEND_MAX = 1000
UPLINK_GRACE_SECONDS = 2.0


def device_check(site: str, vantage: str, interval_seconds: int) -> Check:
    """The probe's report on its own device (``probes/device.py``)."""
    return Check(site, vantage, "device", Rung.DEVICE, "", interval_seconds)


def gap_writer(site: str, vantage: str) -> Callable[[Gap], bytes]:
    """How a spool writes what it dropped: as a measurement of kind ``gap``, at the device."""

    def write(gap: Gap) -> bytes:
        readings = {
            "gap_seconds": (gap.end_ms - gap.start_ms) / 1000,
            "gap_looks": float(gap.looks),
        }
        return encode(
            Measurement(
                site,
                vantage,
                "gap",
                Rung.DEVICE,
                gap.start_ms,
                Outcome.UNKNOWN,
                readings,
                Reason.SPOOL_OVERFLOW,
            )
        )

    return write


def check_names(checks: Sequence[Check]) -> None:
    """Raise InputError for a check whose names cannot be written as line protocol."""
    for check in checks:
        try:
            encode(
                Measurement(check.site, check.vantage, check.kind, check.target, 0, Outcome.UNKNOWN)
            )
        except ValueError as error:
            raise InputError(f"check {check.key!r}: {error}; rename it") from None


@dataclass
class _Unsaved:
    """What was seen and is not durable yet: at most ``UNSAVED_MAX``."""

    spool: Spool
    clock: Clock
    budget: Budget | None = None
    seen: Callable[[Measurement], None] = lambda _: None
    lines: list[tuple[int, bytes]] = field(default_factory=list)
    lost: list[Gap] = field(default_factory=list)
    failing: bool = False

    def keep(self, measurement: Measurement, monotonic_ms: int) -> None:
        """Add a measurement. One that cannot be written is a bug, and says so in its place."""
        self.seen(measurement)
        if self.budget is not None and measurement.reason != Reason.BUDGET:
            self.budget.looked(measurement)
        try:
            line = encode(measurement)
        except ValueError:
            log.exception("a look at %s cannot be written: a bug of ours", measurement.site)
            line = encode(
                replace(measurement, outcome=Outcome.UNKNOWN, readings={}, reason=Reason.BUG)
            )
        line = stamp(line, monotonic_ms, boot_text(self.clock))
        self.lines.append((measurement.at_ms, line))
        self._bound()

    def affordable(self, due: Sequence[Check]) -> list[Check]:
        """The checks that the budget allows; the others are looks that say why there is none."""
        if self.budget is None:
            return list(due)
        found = []
        for check in due:
            allowed = self.budget.allowed(check)
            if allowed is not None:
                found.append(allowed)
                continue
            missed = Measurement(
                check.site,
                check.vantage,
                check.kind,
                check.target,
                self.clock.wall_ms(),
                Outcome.UNKNOWN,
                reason=Reason.BUDGET,
            )
            self.keep(missed, self.clock.monotonic_ms())
        return found

    async def save(self) -> None:
        """Append all, in batches; what a full disk does not take is kept for the next time."""
        while self.lines:
            some, lost = self.lines[:APPEND_MAX], self.lost
            self.lines, self.lost = self.lines[APPEND_MAX:], []
            try:
                await asyncio.to_thread(self.spool.append, some, self.clock.wall_ms(), *lost)
            except OSError as error:
                self.lines, self.lost = some + self.lines, lost + self.lost
                self._bound()
                if not self.failing:
                    log.error("the spool takes nothing, keeping in memory: %s", error)
                self.failing = True
                return
            self.failing = False

    def _bound(self) -> None:
        excess = len(self.lines) - UNSAVED_MAX
        if excess > 0:
            times = [at_ms for at_ms, _ in self.lines[:excess]]
            times += [moment for gap in self.lost for moment in (gap.start_ms, gap.end_ms)]
            looks = excess + sum(gap.looks for gap in self.lost)
            self.lost = [Gap(min(times), max(times), looks)]
            del self.lines[:excess]


async def run_agent(
    checks: Sequence[Check],
    *,
    probes: Mapping[str, Probe],
    clock: Clock,
    spool: Spool,
    uplink: Uplink,
    stop: asyncio.Event,
    flush_seconds: float = 10.0,
    at_once: int = 1000,
    abort_uplink: Callable[[], None] | None = None,
    budget: Budget | None = None,
    beat: Callable[[], None] = lambda: None,
    seen: Callable[[Measurement], None] = lambda _: None,
) -> None:
    """Look, keep and send until ``stop`` is set; then, within 5 s, save what was seen and return.

    ``flush_seconds`` is how often the spool is written (fewer writes spare the flash; a power cut
    costs what was seen since). ``abort_uplink`` ends an exchange that hangs at the stop;
    ``budget`` decides what is looked at; ``beat`` tells a watchdog that the loop lives;
    ``seen`` hears of every look.
    """
    check_names(checks)
    unsaved = _Unsaved(spool, clock, budget, seen)
    looks = Round(probes, clock, unsaved.keep, at_once)
    carrier = threading.Thread(target=uplink.serve, name="uplink", daemon=True)
    carrier.start()
    running: set[asyncio.Task[None]] = set()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_look(checks, looks, unsaved, stop, running, beat))
            group.create_task(_save(unsaved, uplink, stop, flush_seconds))
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await unsaved.save()
        uplink.stop()
        await asyncio.to_thread(carrier.join, UPLINK_GRACE_SECONDS)
        if carrier.is_alive() and abort_uplink is not None:
            abort_uplink()
            await asyncio.to_thread(carrier.join, UPLINK_GRACE_SECONDS)


async def _look(
    checks: Sequence[Check],
    looks: Round,
    unsaved: _Unsaved,
    stop: asyncio.Event,
    running: set[asyncio.Task[None]],
    beat: Callable[[], None],
) -> None:
    """The phases are those of the wall clock at the start; from then on only the monotonic clock
    counts, so that no step of the other one costs a look."""
    clock = unsaved.clock
    ahead_ms = clock.wall_ms() - clock.monotonic_ms()
    schedule = Schedule(checks, clock.monotonic_ms() + ahead_ms)
    while not stop.is_set():
        beat()
        due = unsaved.affordable(schedule.due(clock.monotonic_ms() + ahead_ms))
        if due:
            task = asyncio.create_task(looks.run(due))
            running.add(task)
            task.add_done_callback(running.discard)
        wait_ms = schedule.wait_ms(clock.monotonic_ms() + ahead_ms)
        seconds = LONGEST_WAIT_SECONDS if wait_ms is None else wait_ms / 1000
        await _pause(stop, min(seconds, LONGEST_WAIT_SECONDS))


async def _save(
    unsaved: _Unsaved, uplink: Uplink, stop: asyncio.Event, flush_seconds: float
) -> None:
    while not stop.is_set():
        await _pause(stop, flush_seconds)
        await unsaved.save()
        uplink.wake()


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, at most until the stop."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
