"""A round: one look never costs another, and every look becomes one of three outcomes."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from model.check import Check
from model.measurement import Measurement, Outcome
from probes import round as round_module
from probes.look import Look
from probes.round import Round, deadline_seconds

CHECK = Check("v-1", "centre", "good", "site", "127.0.0.1", 60)


class FixedClock:
    """Counts its readings, so that the order of looks shows in their times."""

    boot_id = 1

    def __init__(self) -> None:
        self.now_ms = 1_790_000_000_000

    def wall_ms(self) -> int:
        self.now_ms += 1
        return self.now_ms

    def monotonic_ms(self) -> int:
        return self.now_ms

    def uptime_seconds(self) -> float:
        return 1.0


def keeper(found: list[Measurement]) -> Callable[[Measurement, int], None]:
    return lambda measurement, _: found.append(measurement)


async def good(check: Check) -> Look:
    return Look(Outcome.UP, {"rtt_median_seconds": 0.01})


async def broken(check: Check) -> Look:
    raise KeyError("a bug")


async def timed_out_inside(check: Check) -> Look:
    raise TimeoutError


async def not_a_number(check: Check) -> Look:
    return Look(Outcome.UP, {"rtt_median_seconds": float("nan")})


async def endless(check: Check) -> Look:
    await asyncio.Event().wait()
    raise AssertionError


PROBES = {
    "good": good,
    "broken": broken,
    "inside": timed_out_inside,
    "nan": not_a_number,
    "endless": endless,
}


def check(kind: str, site: str = "v-1") -> Check:
    return Check(site, "centre", kind, "site", "127.0.0.1", 60, timeout_seconds=0.5, count=1)


def test_one_bug_costs_one_look(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Bugs, nonsense, unknown kinds and hung looks are UNKNOWN with their reason; others go on."""
    monkeypatch.setattr(round_module, "SLACK_SECONDS", -0.95)
    found: list[Measurement] = []
    kinds = [*PROBES, "no such kind"]
    with caplog.at_level(logging.ERROR):
        asyncio.run(Round(PROBES, FixedClock(), keeper(found)).run([check(kind) for kind in kinds]))
    outcomes = {item.kind: (item.outcome, item.reason) for item in found}
    assert outcomes == {
        "good": (Outcome.UP, ""),
        "broken": (Outcome.UNKNOWN, "bug"),
        "inside": (Outcome.UNKNOWN, "bug"),
        "nan": (Outcome.UNKNOWN, "bug"),
        "endless": (Outcome.UNKNOWN, "deadline"),
        "no such kind": (Outcome.UNKNOWN, "bug"),
    }
    assert sum(record.exc_info is not None for record in caplog.records) == 4


def test_measurement_carries_the_check_and_the_start() -> None:
    """The time is that of the look's start; the rest is the check's and the look's."""
    found: list[Measurement] = []
    clock = FixedClock()
    asyncio.run(Round(PROBES, clock, keeper(found)).run([CHECK]))
    expected = Measurement(
        "v-1", "centre", "good", "site", clock.now_ms, Outcome.UP, {"rtt_median_seconds": 0.01}
    )
    assert found == [expected]


def test_cap_on_looks_in_flight() -> None:
    """Never more looks at once than allowed, and all of them in the end."""
    running = peak = 0

    async def counting(check: Check) -> Look:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0)
        running -= 1
        return Look(Outcome.UP, {})

    found: list[Measurement] = []
    watched = [check("count", f"v-{number}") for number in range(20)]
    asyncio.run(Round({"count": counting}, FixedClock(), keeper(found), at_once=3).run(watched))
    assert peak == 3
    assert len(found) == 20


def test_a_look_that_has_not_ended_is_not_begun_again() -> None:
    """Due again while it still runs: UNKNOWN "not looked", at once."""
    found: list[Measurement] = []

    async def scene() -> None:
        gate = asyncio.Event()

        async def gated(check: Check) -> Look:
            await gate.wait()
            return Look(Outcome.UP, {})

        looks = Round({"gated": gated}, FixedClock(), keeper(found))
        first = asyncio.create_task(looks.run([check("gated")]))
        await asyncio.sleep(0)
        await looks.run([check("gated")])
        gate.set()
        await first

    asyncio.run(scene())
    assert [item.reason for item in found] == ["not looked", ""]


def test_deadline_leaves_room_for_a_second_try() -> None:
    """A ping that asks twice (5 echoes, 2 s, a pause of 5 s) ends before its deadline."""
    slow = Check("v-1", "centre", "ping", "site", "127.0.0.1", 10, timeout_seconds=2.0, count=5)
    assert deadline_seconds(slow) > 2 * (4 * 0.2 + 2.0) + 5
