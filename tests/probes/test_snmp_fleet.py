"""A province of devices in virtual time: who is silent costs the others nothing (issue 6)."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest

from model.check import Check
from model.kinds import Snmp
from model.measurement import Measurement, Outcome, Vantage
from model.snmp import Credentials, Version
from probes.round import Round
from probes.schedule import Schedule
from probes.snmp import ANSWER_SECONDS as TIMEOUT_SECONDS
from probes.snmp import SnmpProbe
from probes.snmp_session import Row, Value
from tests.probes import virtual_loop

LIVING, SILENT = 145, 2_000
INTERVAL_SECONDS = 60
ANSWER_SECONDS = 0.3
DEVICE: Mapping[str, Value] = {
    "1.3.6.1.2.1.1.1.0": b"a router",
    "1.3.6.1.2.1.1.2.0": "1.3.6.1.4.1.99999.1",
    "1.3.6.1.2.1.1.3.0": 8_640_000,
    "1.3.6.1.2.1.25.1.1.0": 8_640_000,
    "1.3.6.1.2.1.2.2.1.7.1": 1,
    "1.3.6.1.2.1.2.2.1.8.1": 1,
}
SECRETS = {name: Credentials(Version.V2C, name) for name in ("living", "silent")}


class FakeSession:
    """``probes.snmp_session.Session`` without a network."""

    def __init__(self, timeout_seconds: float, lives: bool) -> None:
        self._timeout_seconds = timeout_seconds
        self._lives = lives

    async def _pass(self) -> None:
        if not self._lives:
            await asyncio.sleep(self._timeout_seconds)
            raise TimeoutError
        await asyncio.sleep(ANSWER_SECONDS)

    async def get(self, oids: Sequence[str]) -> Mapping[str, Value]:
        """What the device has."""
        await self._pass()
        return {oid: DEVICE[oid] for oid in oids if oid in DEVICE}

    async def walk(self, column: str, _: int) -> AsyncIterator[Sequence[Row]]:
        """The rows of a column, in one step."""
        await self._pass()
        yield [(oid, value) for oid, value in DEVICE.items() if oid.startswith(f"{column}.")]


async def opener(address: str, credentials: Credentials, timeout_seconds: float) -> FakeSession:
    """``probes.snmp_session.Opener``."""
    return FakeSession(timeout_seconds, credentials.community == "living")


class LoopClock:
    """``probes.clock.Clock`` by the loop's time."""

    boot_id = 1

    def wall_ms(self) -> int:
        """Milliseconds since the loop began."""
        return round(asyncio.get_running_loop().time() * 1000)

    monotonic_ms = wall_ms

    def uptime_seconds(self) -> float:
        """Seconds since the loop began."""
        return asyncio.get_running_loop().time()


def checks(name: str, count: int, interval_seconds: int) -> list[Check]:
    """So many devices."""
    return [
        Check(
            site=f"{name}-{number}",
            vantage=Vantage.CENTRE,
            kind="device",
            target="device:routers",
            address=f"10.{'12'[name == 'silent']}.{number // 250}.{number % 250 + 1}",
            interval_seconds=interval_seconds,
            timeout_seconds=20.0,
            settings=Snmp(name),
        )
        for number in range(count)
    ]


def probe() -> SnmpProbe:
    """A probe in the loop's time; half of every random pause."""
    return SnmpProbe(
        opener,
        load=lambda _: SECRETS,
        monotonic=asyncio.get_running_loop().time,
        wall=asyncio.get_running_loop().time,
        rng=lambda least, most: (least + most) / 2,
    )


def test_all_at_once() -> None:
    """Asked in the same moment, 145 living devices end at the same second beside 2,000 silent ones
    as alone, and the silent cost no more than three questions each."""

    async def slowest(silent: int) -> float:
        one, loop = probe(), asyncio.get_running_loop()
        dead = [asyncio.create_task(one(check)) for check in checks("silent", silent, 300)]
        looks = await asyncio.gather(*map(one, checks("living", LIVING, 300)))
        ended = loop.time()
        assert {look.outcome for look in looks} == {Outcome.UP}
        assert [look.outcome for look in await asyncio.gather(*dead)] == [Outcome.DOWN] * silent
        assert loop.time() <= max(ended, 3 * TIMEOUT_SECONDS + 1.0)
        return ended

    alone, beside = virtual_loop.run(slowest(0)), virtual_loop.run(slowest(SILENT))
    assert beside == pytest.approx(alone)


def test_by_the_schedule() -> None:
    """In ten minutes of the probe's own schedule and round, no look at a living device ends more
    than a second later for the silent ones."""

    async def ten_minutes(silent: int) -> dict[tuple[str, int], int]:
        loop, clock, ended = asyncio.get_running_loop(), LoopClock(), dict[tuple[str, int], int]()

        def keep(measurement: Measurement, _: int) -> None:
            if measurement.site.startswith("living"):
                assert measurement.outcome is Outcome.UP
                turn = measurement.at_ms // (INTERVAL_SECONDS * 1000)
                ended[measurement.site, turn] = clock.wall_ms()

        looks = Round({"device": probe()}, clock, keep)
        everyone = checks("living", LIVING, INTERVAL_SECONDS)
        everyone += checks("silent", silent, INTERVAL_SECONDS)
        schedule, running = Schedule(everyone, 0), set[asyncio.Task[None]]()
        while loop.time() < 10 * INTERVAL_SECONDS:
            running.add(asyncio.create_task(looks.run(schedule.due(clock.wall_ms()))))
            await asyncio.sleep((schedule.wait_ms(clock.wall_ms()) or 1) / 1000)
        await asyncio.gather(*running)
        return ended

    alone, beside = (virtual_loop.run(ten_minutes(silent)) for silent in (0, SILENT))
    assert len(alone) >= LIVING * 9
    assert beside.keys() == alone.keys()
    assert max(beside[look] - alone[look] for look in alone) <= 1000
