"""How near a throughput look comes to a line that tbf shapes, and for how few bytes; beside iperf3.

Goal: within 5 % at 1, 4 and 20 Mbit/s, counted as IP packets. The line is a cable between two
namespaces with tbf at both ends; iperf3 measures the same line in the same run, for ten seconds as
it does by itself and once more with no more bytes than we took. Each figure is a share of the rate
that tbf was told; the medians of ``RUNS`` runs are judged.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

RATES = ("1", "4", "20")
RUNS = 3
GOAL_SHARE = 0.05
ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "tests" / "probes" / "namespace_throughput.py"
WAYS = ("download", "upload")


def run() -> None:
    """All rates, both directions, ours and iperf3 in turn."""
    unshare = shutil.which("unshare")
    if not shutil.which("tc") or unshare is None:
        print("tc or unshare is not installed: no bench")
        return
    seen: defaultdict[tuple[str, str, str], list[tuple[float, float]]] = defaultdict(list)
    for _ in range(RUNS):
        for rate, found in once(unshare).items():
            # tbf counts the Ethernet header (14 bytes) with each packet.
            true = float(rate) * 1500 / 1514
            for way in WAYS:
                mine = found[f"{way}_mbit_s"] / true, found["test_bytes"] / len(WAYS)
                seen[rate, way, "ours"].append(mine)
                for name, key in (("iperf3", way), ("iperf3, our bytes", f"{way}_of_our_bytes")):
                    if (peer := found.get("iperf3", {}).get(key)) is not None:
                        seen[rate, way, name].append((peer["mbit_s"] / true, peer["bytes"]))
    print(f"{'Mbit/s':>6}  {'':<9}{'':<19}{'of tbf':>7}{'worst':>7}{'MB':>8}")
    for (rate, way, who), figures in seen.items():
        shares = [share for share, _ in figures]
        middle = statistics.median(shares)
        worst = max(shares, key=lambda share: abs(share - 1))
        megabytes = statistics.median(size for _, size in figures) / 1e6
        verdict = "" if who != "ours" else "met" if abs(middle - 1) <= GOAL_SHARE else "NOT MET"
        print(
            f"{rate:>6}  {way:<9}{who:<19}{middle:>7.3f}{worst:>7.3f}{megabytes:>8.2f}  {verdict}"
        )


def once(unshare: str) -> dict[str, dict[str, Any]]:
    """What namespace_throughput.py says. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run(
            [unshare, "-Urn", sys.executable, str(SCRIPT), scratch, *RATES],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/sbin:/usr/bin:/bin", "IPERF3": "yes"},
        )
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found
