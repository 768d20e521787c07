"""When checks fall due: spread, steady, and never in a burst."""

from collections import Counter

import pytest

from model.check import Check
from probes.schedule import Schedule, next_after_ms, phase_ms

START_MS = 1_790_000_000_000


def checks(count: int, interval_seconds: int = 60) -> list[Check]:
    return [
        Check(f"v-{number}", "centre", "ping", "site", "127.0.0.1", interval_seconds)
        for number in range(count)
    ]


def test_phases_are_spread() -> None:
    """2,145 villages at a minute: no second has more than three times its share."""
    seconds = Counter(phase_ms(check) // 1000 for check in checks(2145))
    assert set(seconds) == set(range(60))
    assert max(seconds.values()) < 3 * 2145 / 60


@pytest.mark.parametrize("now_ms", [START_MS, 0, -5, START_MS + 10**15])
def test_due_times_lie_on_the_grid(now_ms: int) -> None:
    """The next due time is after now, within an interval, at the check's phase; at any clock."""
    for check in checks(50, interval_seconds=7):
        due_ms = next_after_ms(check, now_ms)
        assert 0 < due_ms - now_ms <= 7000
        assert due_ms % 7000 == phase_ms(check)


def test_each_check_once_an_interval() -> None:
    """Waiting as told, every check is handed out once an interval, at its due time."""
    watched = checks(20)
    schedule = Schedule(watched, START_MS)
    now_ms, seen = START_MS, Counter[str]()
    while now_ms < START_MS + 600_000:
        wait_ms = schedule.wait_ms(now_ms)
        assert wait_ms is not None
        now_ms += wait_ms
        for check in schedule.due(now_ms):
            assert now_ms % 60_000 == phase_ms(check)
            seen[check.key] += 1
    assert set(seen.values()) <= {10, 11}
    assert len(seen) == 20


def test_restart_moves_nothing() -> None:
    """A probe that starts anew looks at the same moments."""
    (check,) = checks(1)
    first = Schedule([check], START_MS)
    second = Schedule([check], START_MS + 12_345)
    first_due = {START_MS + (first.wait_ms(START_MS) or 0) + k * 60_000 for k in range(3)}
    assert START_MS + 12_345 + (second.wait_ms(START_MS + 12_345) or 0) in first_due


def test_no_burst_after_a_pause() -> None:
    """An hour asleep costs 60 looks; each check then looks once."""
    watched = checks(30)
    schedule = Schedule(watched, START_MS)
    found = schedule.due(START_MS + 3_600_000)
    assert sorted(check.key for check in found) == sorted(check.key for check in watched)
    assert schedule.due(START_MS + 3_600_000) == []


@pytest.mark.parametrize("jump_ms", [-315_360_000_000, -3_600_000, -1000, 1000, 315_360_000_000])
def test_clock_jumps(jump_ms: int) -> None:
    """After any jump of the wall clock every check looks again within its interval."""
    watched = checks(30)
    schedule = Schedule(watched, START_MS)
    schedule.due(START_MS + 60_000)
    after_ms = START_MS + 60_000 + jump_ms
    found = schedule.due(after_ms) + schedule.due(after_ms + 60_000)
    assert {check.key for check in found} == {check.key for check in watched}


def test_nothing_to_do() -> None:
    """Without checks there is no due time."""
    assert Schedule([], START_MS).wait_ms(START_MS) is None
