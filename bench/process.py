"""A child process measured as a whole: wall seconds, CPU seconds, peak memory (wait4)."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple


class Used(NamedTuple):
    """What one run of a process took."""

    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float

    def __str__(self) -> str:
        return (
            f"{self.wall_seconds:.1f} s wall, {self.cpu_seconds:.1f} CPU-s, "
            f"{self.peak_megabytes:.0f} MB"
        )


def measured(command: Sequence[str]) -> Used:
    """Run a command to its end. Raises RuntimeError when it fails."""
    begun = time.perf_counter()
    child = subprocess.Popen(command)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begun
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{command[0]} ended with code {child.returncode}")
    return Used(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def jangkau(*words: str) -> list[str]:
    """The command line of one of our commands."""
    return [sys.executable, "-c", "from cli.main import main; main()", *words]
