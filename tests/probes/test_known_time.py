"""Dates: true after contact, honest before it, whatever the clocks do (T-01, T-02, T-04)."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from collector.envelope import Envelope, settle
from collector.line_protocol import LineError, decode
from model.timeline import Interval
from probes.known_time import RELEASED_MS, KnownTime, boot_text, stamp

TRUE_START_MS = 1_800_000_000_000
YEAR_MS = 365 * 86_400_000


class Device:
    """A device's clocks against the true time; the test turns all of them."""

    def __init__(self) -> None:
        self.true_ms = TRUE_START_MS
        self.boot_id = 1
        self.started_ms = self.true_ms
        self.wall_zero_ms = 0  # what the wall clock showed at the start of the device

    def wall_ms(self) -> int:
        return self.wall_zero_ms + self.monotonic_ms()

    def monotonic_ms(self) -> int:
        return self.true_ms - self.started_ms

    def uptime_seconds(self) -> float:
        return self.monotonic_ms() / 1000

    def reboot(self, off_ms: int, wall_ms: int) -> None:
        self.true_ms += off_ms
        self.boot_id += 1
        self.started_ms = self.true_ms
        self.wall_zero_ms = wall_ms


def date(true_ms: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=true_ms)
    return format_datetime(moment, usegmt=True)


def look(known: KnownTime, device: Device) -> bytes:
    line = b"ping,site=a,target=national,vantage=village outcome=1i %d" % known.wall_ms()
    return stamp(line, device.monotonic_ms(), boot_text(device))


def arrived(line: bytes, device: Device) -> tuple[int, float]:
    """(time, declared error in ms) of a line as the collector keeps it."""
    envelope = Envelope("p", "0" * 16, Interval(1, 2), boot_text(device), device.monotonic_ms())
    settled = settle(decode(line), envelope, device.true_ms)
    assert settled.at_ms is not None
    return settled.at_ms, settled.values()[0].get("clock_error_seconds", 0) * 1000


def test_the_clock_jumps_while_measuring(tmp_path: Path) -> None:
    """200 jumps of ten years, hours, seconds: every look of this start is right to two seconds
    after the first contact, those of before it included, and in order."""
    device = Device()
    known = KnownTime(tmp_path / "time", device)
    draws = random.Random(7)  # noqa: S311 - reproducible jumps
    made = []
    for number in range(200):
        jump = draws.choice([1000, 3_600_000, 10 * YEAR_MS, -1000, -3_600_000, -10 * YEAR_MS])
        device.wall_zero_ms = draws.choice(
            [device.wall_zero_ms + jump, device.started_ms, 0, 2**41]
        )
        made.append((device.true_ms, look(known, device)))
        device.true_ms += 60_000
        if number == 100:
            known.heard(date(device.true_ms), device.monotonic_ms())
    found = []
    for true_ms, line in made:
        dated = known.dated(line)
        assert dated is not None
        at_ms, error_ms = arrived(dated, device)
        assert abs(at_ms - true_ms) <= 2000
        assert error_ms == 0
        found.append(at_ms)
    assert found == sorted(found)


def test_a_clock_that_is_right_costs_no_byte(tmp_path: Path) -> None:
    """Where the device's clock agrees with the collector's, a line is sent without stamps."""
    device = Device()
    device.wall_zero_ms = device.started_ms
    known = KnownTime(tmp_path / "time", device)
    line = look(known, device)
    assert b"monotonic_ms=0i" in (known.dated(line) or b"")
    known.heard(date(device.true_ms), device.monotonic_ms())
    assert known.dated(line) == (
        b"ping,site=a,target=national,vantage=village outcome=1i %d" % TRUE_START_MS
    )
    assert known.dated(b"gap,site=a outcome=2i 5") == b"gap,site=a outcome=2i 5"


@pytest.mark.parametrize("seed", range(20))
def test_chains_of_starts_without_a_battery_clock(tmp_path: Path, seed: int) -> None:
    """50 starts, off for a second to 30 days, the clock at 1970, at the last known time or at the
    release, contact late or never: the true time always lies within the declared error."""
    print(f"seed {seed}")  # noqa: T201 - the seed of a random test
    draws = random.Random(seed)  # noqa: S311 - reproducible misfortune
    device = Device()
    known = KnownTime(tmp_path / "time", device)
    pending: list[tuple[int, bytes]] = []
    doubtful = 0
    for boot in range(50):
        contact = draws.random() < 0.3 or boot == 49
        for number in range(draws.randint(1, 8)):
            pending.append((device.true_ms, look(known, device)))
            device.true_ms += draws.randint(1000, 600_000)
            if contact and number == 0:
                known.heard(date(device.true_ms), device.monotonic_ms())
                for true_ms, line in pending:
                    dated = known.dated(line)
                    assert dated is not None
                    at_ms, error_ms = arrived(dated, device)
                    assert abs(at_ms - true_ms) <= error_ms + 2000
                    doubtful += error_ms > 0
                pending.clear()
        last_ms = known.wall_ms()
        if draws.random() < 0.5:
            known.close()
        device.reboot(
            draws.choice([1000, 60_000, 86_400_000, 30 * 86_400_000]),
            draws.choice([0, last_ms, RELEASED_MS]),
        )
        known = KnownTime(tmp_path / "time", device)
        earlier = [known.dated(line) for _, line in pending]
        assert all(line is None or known.in_contact or b"_error" not in line for line in earlier)
    assert doubtful > 0


def test_the_floor_never_sinks(tmp_path: Path) -> None:
    """A device that starts in 1970 shows at least the newest time it ever knew, and says so."""
    device = Device()
    known = KnownTime(tmp_path / "time", device)
    assert known.wall_ms() == RELEASED_MS == known.clamp_ms()
    device.true_ms += 5_000
    known.heard(date(device.true_ms), device.monotonic_ms())
    assert abs(known.wall_ms() - device.true_ms) <= 1000
    device.reboot(3_600_000, 0)
    again = KnownTime(tmp_path / "time", device)
    assert abs(again.wall_ms() - (TRUE_START_MS + 5_000)) <= 1000
    device.wall_zero_ms = device.started_ms
    assert again.clamp_ms() is None


def test_a_damaged_file_is_an_empty_one(tmp_path: Path) -> None:
    """What does not hold together is not believed; the probe starts all the same."""
    device = Device()
    path = tmp_path / "time"
    KnownTime(path, device).heard(date(device.true_ms), 0)
    path.write_bytes(path.read_bytes().replace(b"180", b"280"))
    device.reboot(1000, 0)
    assert KnownTime(path, device).wall_ms() == RELEASED_MS


def test_a_collector_that_was_ahead_is_corrected(tmp_path: Path) -> None:
    """A Date of ten years ahead does not stick: the next one from the collector counts."""
    device = Device()
    known = KnownTime(tmp_path / "time", device)
    known.heard(date(device.true_ms + 10 * YEAR_MS), 0)
    device.reboot(1000, 0)
    known = KnownTime(tmp_path / "time", device)
    known.heard(date(device.true_ms), device.monotonic_ms())
    assert abs(known.wall_ms() - device.true_ms) <= 1000
    known.heard("no date at all", device.monotonic_ms())
    known.heard("Wed, 21 Oct 99999 07:28:00 GMT", device.monotonic_ms())
    assert abs(known.wall_ms() - device.true_ms) <= 1000


@pytest.mark.parametrize("stamp_text", [-(2**62), -1, 0, 2**62, TRUE_START_MS + YEAR_MS])
def test_absurd_times_never_pass_for_the_newest(tmp_path: Path, stamp_text: int) -> None:
    """T-04: an absurd time is replaced where the monotonic clock tells the right one, and refused
    by the collector otherwise."""
    device = Device()
    known = KnownTime(tmp_path / "time", device)
    plain = b"ping,site=a,target=national,vantage=village outcome=1i %d" % stamp_text
    dated = known.dated(stamp(plain, device.monotonic_ms(), boot_text(device)))
    assert dated is not None
    assert arrived(dated, device) == (device.true_ms, 0)
    with pytest.raises(LineError):
        arrived(plain, device)
