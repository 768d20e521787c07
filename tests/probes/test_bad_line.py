"""A backlog over a narrow line that loses packets (N-04), and the bytes that we say it cost."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("namespace_bad_line.py")
LINES = [(64, 2), (128, 10)]
if os.environ.get("JANGKAU_FAULTS"):
    LINES += [(64, 20), (256, 5), (256, 30)]
LOOKS = 40_320 if os.environ.get("JANGKAU_FAULTS") else 5760
"""A day at four targets; a week in the long run."""
BURST_BYTES = 3000


@pytest.mark.faults
@pytest.mark.parametrize(("kilobits", "loss"), LINES)
def test_a_day_comes_home(tmp_path: Path, kilobits: int, loss: int) -> None:
    """Every look arrives once, no exchange is stuck, and our count of the bytes is the
    interface's."""
    unshare = shutil.which("unshare")
    if unshare is None or not (shutil.which("tc") and shutil.which("nft")):
        pytest.skip("no unshare, tc or nft here (apt install util-linux iproute2 nftables)")
    if subprocess.run([unshare, "-Urn", "true"], check=False).returncode:
        pytest.skip("this machine allows no network namespaces")
    words = [str(tmp_path), str(kilobits), str(loss), str(LOOKS)]
    done = subprocess.run(
        [unshare, "-Urn", sys.executable, str(SCRIPT), *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    print(found)  # noqa: T201 - the figures
    assert found["kept"] == found["distinct"] == LOOKS
    assert found["longest_seconds"] <= 90
    # Packets that the line dropped were sent, and count with us; the interface saw the others.
    assert 0.95 <= found["wire_bytes"] / found["interface_bytes"] <= 1.05 + loss / 40
    beyond_burst = (found["interface_bytes"] - BURST_BYTES) * 8
    assert beyond_burst / found["seconds"] <= kilobits * 1100, "the line was not that narrow"
