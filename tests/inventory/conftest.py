"""What tests of the inventory share: where real geodata lie, and bounds of time and memory."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("JANGKAU_SHARED", ROOT.parent / "shared"))
MEMORY_BYTES = 128 * 2**20
SECONDS = 2.0

BOUNDED = """
import resource, sys, time
from pathlib import Path
from model.errors import InputError
{imports}
path, limit = Path(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (4 * limit, 4 * limit))
began = time.process_time()
try:
    {call}
except InputError as error:
    print(str(error)[:300].replace("\\n", " | "))
else:
    sys.exit("was read")
print(time.process_time() - began)
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(int(status["VmHWM"].split()[0]) * 1024)
"""
"""VmHWM and not ru_maxrss: the latter starts with the size of the process that forked us."""


@pytest.fixture
def refused() -> Callable[[str, str, Path], str]:
    """Call something on ``path`` in a process of its own; it must raise InputError, in under 2 s of
    processor time and within 128 MiB. Gives back the message's beginning."""

    def run(imports: str, call: str, path: Path) -> str:
        script = BOUNDED.format(imports=imports, call=call)
        done = subprocess.run(
            [sys.executable, "-c", script, str(path), str(MEMORY_BYTES)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said, seconds, peak_bytes = done.stdout.splitlines()
        assert float(seconds) <= SECONDS
        assert int(peak_bytes) <= MEMORY_BYTES
        return said

    return run


@pytest.fixture(scope="session")
def geo() -> Path:
    """The folder of real geodata, which is never part of the project."""
    folder = SHARED / "geo"
    if not folder.is_dir():
        pytest.skip(f"no geodata in {folder}: name their parent folder in JANGKAU_SHARED")
    return folder
