"""A week concluded: islands, verdicts, blame, accounts, roll-up, as one process.

Goals: a province's week of 21.6 million looks from the centre (and the villages' own beside them)
in 15 s and 1.5 GB on two cores; the nation's 83,762 villages at five minutes in 120 s.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from bench.process import jangkau, measured

WEEK, END = "2026-W46", "2026-11-16"
ROUNDS = 3


def run() -> None:
    """The province, several times over; the nation once, when asked for with --nation."""
    _conclude("province, centre every 60 s", 2145, 14, "10.61.0.0/16", 60, 300, ROUNDS)
    if "--nation" in sys.argv:
        _conclude("nation, centre every 300 s", 83_762, 60, "10.0.0.0/8", 300, 3600, 1)


def _conclude(
    title: str,
    villages: int,
    kabupaten: int,
    network: str,
    centre_seconds: int,
    village_seconds: int,
    rounds: int,
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        province, data = Path(scratch) / "province", Path(scratch) / "data"
        measured(
            jangkau(
                *("simulate", "province", "--villages", str(villages), "--out", str(province)),
                *("--kabupaten", str(kabupaten), "--network", network, "--end", END),
                *("--interval", str(centre_seconds)),
            )
        )
        played = measured(
            jangkau(
                *("simulate", "history", "--province", str(province), "--data", str(data)),
                *("--weeks", "1", "--centre-interval", str(centre_seconds)),
                *("--village-interval", str(village_seconds)),
            )
        )
        print(f"{title}: history played in {played}")
        for _ in range(rounds):
            shutil.rmtree(data / "weeks", ignore_errors=True)
            used = measured(
                jangkau(
                    *("availability", "--by", "access", "--week", WEEK, "--data", str(data)),
                    *("--inventory", str(province / "inventory.yaml")),
                )
            )
            print(f"{title}: week concluded in {used}")
