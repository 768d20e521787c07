"""How near a throughput look comes to a line that tbf shapes, in a namespace of its own.

Goal: within 5 % at 1, 4 and 20 Mbit/s, counted as IP packets; the peer is tbf itself.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

RATES = ("1", "4", "20")
GOAL_SHARE = 0.05
SCRIPT = Path(__file__).parents[1] / "tests" / "probes" / "namespace_throughput.py"


def run() -> None:
    """All rates, both directions, three times over."""
    for _ in range(3):
        with tempfile.TemporaryDirectory() as scratch:
            command = ["unshare", "-Urn", sys.executable, str(SCRIPT), scratch, *RATES]
            done = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
                env={
                    "PYTHONPATH": str(Path(__file__).parents[1]),
                    "PATH": "/usr/sbin:/usr/bin:/bin",
                },
            )
        for rate, seen in json.loads(done.stdout).items():
            # tbf counts the Ethernet header of loopback (14 bytes) besides.
            true = float(rate) * 1500 / 1514
            ratios = [seen[name] / true for name in ("download_mbit_s", "upload_mbit_s")]
            met = all(abs(ratio - 1) <= GOAL_SHARE for ratio in ratios)
            print(
                f"{rate:>3} Mbit/s: download {ratios[0]:.3f}, upload {ratios[1]:.3f} of tbf, "
                f"{seen['test_bytes'] / 1e6:.1f} MB ({'met' if met else 'NOT MET'})"
            )
