"""A disk of 24 MiB that fills by foreign files and by data (R-08)."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.namespace
@pytest.mark.faults
def test_a_small_disk_that_fills_again_and_again(tmp_path: Path) -> None:
    """Full: 507 with Retry-After and nothing lost; free again: taken within ten seconds; at the end
    all that was acknowledged is there once, and the journal is sound."""
    if subprocess.run(["unshare", "-Urm", "true"], check=False, capture_output=True).returncode:  # noqa: S607 - of the system
        pytest.skip("no user namespace with mounts of its own")
    rounds = max(10, int(os.environ.get("JANGKAU_FAULTS", "0")) // 10)
    seed = int(os.environ.get("JANGKAU_SEED", str(random.randrange(10**6))))  # noqa: S311 - no secret
    print(f"{seed=}")  # noqa: T201 - to repeat it
    done = subprocess.run(
        ["unshare", "-Urm", sys.executable, "-m", "tests.collector.full_disk", str(tmp_path),  # noqa: S607 - as above
         str(rounds), str(seed)],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    print(told)  # noqa: T201 - a figure to see
    assert told["refused"] > rounds
    assert told["slowest_recovery_seconds"] <= 10
