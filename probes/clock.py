"""The probe's clocks: wall, monotonic, and which start of the device this is.

Law: the wall clock only labels; every wait and every "how long" is measured on the monotonic clock,
because a router without a battery clock starts in 1970 and jumps when it first hears of the time.
"""

import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """What the probe asks of time. Tests give it a clock that they turn themselves."""

    @property
    def boot_id(self) -> int:
        """A number of 48 bits that differs at each start of the device."""
        ...

    def wall_ms(self) -> int:
        """Milliseconds since the Unix epoch, as far as this device knows. May jump either way."""
        ...

    def monotonic_ms(self) -> int:
        """Milliseconds on a clock that never goes back while the device is up."""
        ...

    def uptime_seconds(self) -> float:
        """Seconds since the device started."""
        ...


@dataclass(frozen=True)
class SystemClock:
    """The clocks of a Linux device. The paths are those of proc(5); raises OSError without them."""

    boot_id_file: Path = Path("/proc/sys/kernel/random/boot_id")
    uptime_file: Path = Path("/proc/uptime")

    @cached_property
    def boot_id(self) -> int:
        """48 of the random bits of the kernel's boot id (RFC 9562, version 4): they fit the 53 bits
        of a float. The sh agent takes the same ones.

        A container shares the boot id of its host, which is what we want: the *device* started.
        """
        text = self.boot_id_file.read_text(encoding="ascii").strip()
        return int(text.replace("-", "")[:12], 16)

    def wall_ms(self) -> int:
        """``CLOCK_REALTIME`` in milliseconds."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """``CLOCK_BOOTTIME`` in milliseconds: unlike CLOCK_MONOTONIC it counts suspended time."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def uptime_seconds(self) -> float:
        """The first number of proc(5) ``uptime``."""
        return float(self.uptime_file.read_text(encoding="ascii").split()[0])
