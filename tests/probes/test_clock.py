"""The device's clocks."""

from pathlib import Path

from probes.clock import SystemClock


def test_boot_id_is_stable_and_48_bits(tmp_path: Path) -> None:
    """The same start gives the same number, another start another; it fits in a float."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("5d1a2d8e-43a1-4c44-9a3b-0d4a7f3d1b11\n")
    two.write_text("6d1a2d8e-43a1-4c44-9a3b-0d4a7f3d1b11\n")
    assert SystemClock(one).boot_id == SystemClock(one).boot_id != SystemClock(two).boot_id
    assert 0 < SystemClock(one).boot_id < 2**48


def test_uptime_is_read_from_the_system(tmp_path: Path) -> None:
    """proc(5): the first number is the uptime."""
    file = tmp_path / "uptime"
    file.write_text("351735.47 234388.90\n")
    assert SystemClock(uptime_file=file).uptime_seconds() == 351735.47


def test_clocks_of_this_machine() -> None:
    """The real clocks run, and agree on how long the machine is up."""
    clock = SystemClock()
    assert clock.wall_ms() > 1_735_689_600_000
    first = clock.monotonic_ms()
    assert clock.monotonic_ms() >= first > 0
    assert clock.uptime_seconds() > 0
    assert clock.boot_id == SystemClock().boot_id
