"""1,024 simulated villages, 300 ms ± 50 ms and 2 % loss in bursts: what ``jangkau ping --all`` sees
of them beside fping, through the same TUN device in the same run.

Goals: the two agree on loss within sampling error and on the median within 1 ms.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from bench.process import jangkau
from inventory.write import write_inventory
from simulator.line import Line
from simulator.province import make_province
from simulator.tun import available, in_namespace, open_tun, responder, stop_on_signals

VILLAGES, ECHOES, SPACING_MS = 1024, 10, 400
LINE = Line(base_rtt_seconds=0.3, jitter_seconds=0.05, loss=0.02, congestion=0.0)
BURST_VARIANCE = 4  # bursts of 2.5 echoes make the variance four times that of single losses


def run() -> None:
    """Both pingers in turn, twice, in a namespace of their own."""
    why = available()
    if why is not None:
        print(f"no simulated network here: {why}")
        return
    with tempfile.TemporaryDirectory() as scratch:
        province = make_province(1, VILLAGES)
        write_inventory(province.inventory, province.register, Path(scratch))
        command = in_namespace([sys.executable, "-m", "bench.province", scratch])
        print(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout, end="")


def look(folder: str) -> None:
    """Inside the namespace: ask all sites by both pingers and print what they saw."""
    addresses = json.loads((Path(folder) / "addresses.json").read_text())
    ours_command = jangkau(
        *("ping", "--all", "--inventory", f"{folder}/inventory.yaml", "--json", "--timeout", "1"),
        *("--count", str(ECHOES), "--spacing", str(SPACING_MS / 1000), "--rate", "1000"),
    )
    fping_command = [
        *("fping", "-q", "-C", str(ECHOES), "-p", str(SPACING_MS), "-i", "1", "-t", "1000"),
        *addresses,
    ]
    for _ in range(2):
        ours = subprocess.run(ours_command, stdout=subprocess.PIPE, text=True, check=False)
        targets = json.loads(ours.stdout)["targets"]
        _say(
            "jangkau ping",
            sum(one["sent"] for one in targets),
            sum(one["received"] for one in targets),
            [one["rtt_median_seconds"] * 1000 for one in targets if one["received"]],
        )
        theirs = subprocess.run(fping_command, stderr=subprocess.PIPE, text=True, check=False)
        lines = [line.split(" : ")[1] for line in theirs.stderr.splitlines() if " : " in line]
        times = [[float(word) for word in line.split() if word != "-"] for line in lines]
        _say(
            "fping",
            ECHOES * len(lines),
            sum(len(one) for one in times),
            [statistics.median(one) for one in times if one],
        )


def _say(who: str, sent: int, received: int, medians_ms: list[float]) -> None:
    lost = 1 - received / sent
    error = (BURST_VARIANCE * 0.02 * 0.98 / sent) ** 0.5
    print(
        f"{who:<13} {sent} echoes, loss {lost:.2%} (sampling error {error:.2%}), "
        f"median of the sites' medians {statistics.median(medians_ms):.2f} ms"
    )


def serve(folder: str) -> None:
    """The responder, with ``look`` as its child; both end together."""
    province = make_province(1, VILLAGES)
    flat = replace(province, lines=dict.fromkeys(province.lines, LINE))
    addresses = [site.address for site in flat.inventory.sites if site.address is not None]
    (Path(folder) / "addresses.json").write_text(json.dumps(addresses))
    answers = responder(flat, (), open_tun(flat.network))
    stop = stop_on_signals()
    child = subprocess.Popen([sys.executable, "-m", "bench.province", folder, "look"])
    answers.serve(stop)
    sys.exit(child.wait())


if __name__ == "__main__":
    (look if sys.argv[2:] == ["look"] else serve)(sys.argv[1])
