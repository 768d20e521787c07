"""The agent: looks go on whatever happens, a stop loses nothing."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from inventory.read import load
from model.check import Check
from model.errors import InputError
from model.inventory import Inventory
from model.measurement import Outcome
from probes import agent
from probes.agent import check_names, device_check, gap_writer, run_agent
from probes.clock import SystemClock
from probes.device import DeviceProbe
from probes.kinds import KINDS, open_probes
from probes.look import Look, Probe
from probes.receipt import Reply
from probes.segment import Gap
from probes.spool import Spool
from probes.uplink import Uplink

CLOCK = SystemClock()
ROOT = Path(__file__).parents[2]


def nobody(body: bytes, headers: Mapping[str, str]) -> Reply:
    raise ConnectionRefusedError(111, "Connection refused")


def checks(*kinds: str) -> list[Check]:
    return [Check("v-1", "village", kind, "national", "127.0.0.1", 1) for kind in kinds]


def run(
    spool: Spool,
    probes: Mapping[str, Probe],
    watched: list[Check],
    until: asyncio.Event,
    *,
    flush_seconds: float = 0.05,
) -> float:
    """Run an agent until ``until`` is set; returns the seconds that its stop took."""

    async def scene() -> float:
        stop = asyncio.Event()
        uplink = Uplink(spool, nobody, CLOCK, lambda _, high: high, probe="p-1")
        running = asyncio.create_task(
            run_agent(
                watched,
                probes=probes,
                clock=CLOCK,
                spool=spool,
                uplink=uplink,
                stop=stop,
                flush_seconds=flush_seconds,
            )
        )
        async with asyncio.timeout(10):
            await until.wait()
        stopped = time.monotonic()
        stop.set()
        await running
        return time.monotonic() - stopped

    return asyncio.run(scene())


def lines(spool: Spool) -> list[bytes]:
    batch = spool.batch(newest=False, max_records=10_000)
    return batch.lines if batch else []


def test_looks_are_saved_while_the_collector_is_away(tmp_path: Path) -> None:
    """What was seen before the stop is in the spool, though it was never flushed before."""
    spool = Spool(tmp_path, gap_writer("v-1", "village"))
    enough = asyncio.Event()

    async def counting(check: Check) -> Look:
        enough.set()
        return Look(Outcome.UP, {"received": 1})

    took = run(spool, {"up": counting}, checks("up"), enough, flush_seconds=3600)
    assert took < 5
    saved = lines(spool)
    assert len(saved) == 1
    assert saved[0].startswith(
        b"up,site=v-1,target=national,vantage=village outcome=1i,received=1i"
    )
    spool.close()


def test_a_hanging_look_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    """A look that never ends costs neither the others nor the stop, and leaves no record."""
    spool = Spool(tmp_path, gap_writer("v-1", "village"))
    both = asyncio.Event()
    begun: set[str] = set()

    async def hanging(check: Check) -> Look:
        begun.add("hanging")
        await asyncio.Event().wait()
        raise AssertionError

    async def quick(check: Check) -> Look:
        if begun:
            both.set()
        return Look(Outcome.UP, {})

    took = run(spool, {"hang": hanging, "up": quick}, checks("hang", "up"), both)
    assert took < 5
    assert all(line.startswith(b"up,") or b"not looked" in line for line in lines(spool))
    spool.close()


def test_a_look_that_cannot_be_written_is_a_bug_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Half an echo is our bug: UNKNOWN "bug" in the data, a trace in the log."""
    spool = Spool(tmp_path, gap_writer("v-1", "village"))
    seen = asyncio.Event()

    async def wrong(check: Check) -> Look:
        seen.set()
        return Look(Outcome.UP, {"received": 0.5})

    with caplog.at_level(logging.ERROR):
        run(spool, {"wrong": wrong}, checks("wrong"), seen)
    assert b'outcome=2i,reason="bug"' in lines(spool)[0]
    assert any(record.exc_info for record in caplog.records)
    spool.close()


class FullDisk(Spool):
    """A spool whose disk is full until the agent had to drop something."""

    freed = False

    def append(
        self, looks: Sequence[tuple[int, bytes]], now_ms: int, lost: Gap | None = None
    ) -> None:
        if lost is None and not self.freed:
            raise OSError(28, "No space left on device")
        super().append(looks, now_ms, lost)
        self.freed = True


def test_a_full_disk_costs_nothing_but_the_excess(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the spool takes nothing, looks wait in memory; what is too much becomes a gap."""
    monkeypatch.setattr(agent, "UNSAVED_MAX", 3)
    spool = FullDisk(tmp_path, gap_writer("v-1", "village"))
    looks = 0
    freed = asyncio.Event()

    async def counting(check: Check) -> Look:
        nonlocal looks
        looks += 1
        if spool.freed:
            freed.set()
        return Look(Outcome.UP, {})

    watched = [Check(f"v-{n}", "village", "up", "national", "::1", 1) for n in range(5)]
    run(spool, {"up": counting}, watched, freed)
    saved = lines(spool)
    gaps = [line for line in saved if line.startswith(b"gap,")]
    dropped = sum(int(gap.split(b"gap_looks=")[1].split(b"i")[0]) for gap in gaps)
    assert dropped > 0
    assert len(saved) - len(gaps) + dropped == looks
    spool.close()


def test_gap_line() -> None:
    """A gap is an ordinary measurement: since when, how long, how many looks, why."""
    assert gap_writer("v-1", "village")(Gap(1000, 61_500, 12)) == (
        b"gap,site=v-1,target=device,vantage=village outcome=2i,gap_seconds=60.5,gap_looks=12i,"
        b'reason="spool overflow" 1000'
    )


def test_device_report() -> None:
    """The probe reports its uptime and boot id."""
    look = asyncio.run(DeviceProbe(CLOCK)(device_check("v-1", "village", 60)))
    assert look.outcome is Outcome.UP
    assert look.readings["boot_id"] == CLOCK.boot_id
    assert look.readings["uptime_seconds"] > 0


def test_unknown_kinds_and_names_are_refused() -> None:
    """A check that could never be made or written stops the start, by name."""
    unknown = "no kind 'sonar'; kinds are captive"
    with ExitStack() as stack, pytest.raises(InputError, match=unknown):
        open_probes(checks("sonar"), CLOCK, stack)
    with pytest.raises(InputError, match="rename it"):
        check_names([Check("v-1", "village", "ping", "two\nlines", "::1", 60)])
    assert set(KINDS) >= {"ping", "device"}


def test_village_checks_of_an_inventory() -> None:
    """A village's probe looks at every target; the second of a rung bears its own name."""
    example: Inventory = load(ROOT / "inventory.yaml")
    found = example.village_checks(example.sites[0])
    assert [item.address for item in found] == [item.address for item in example.village_targets]
    assert len({item.key for item in found}) == len(found)
    assert {item.target.partition(":")[0] for item in found} == {
        item.rung for item in example.village_targets
    }
