"""Forks a collector for every line on standard input: to start one a hundred times costs no more
than to import it once. Run as ``python -m tests.collector.nursery DATA_FOLDER``.

Each says on standard error where it listens; its process id, and "ended" when it has, come on
standard output.
"""

import importlib
import os
import sys
from pathlib import Path

from cli.collector import run

WANTED = (
    "cli.archives", "collector.archive.parquet", "collector.enrolment", "collector.feeder",
    "collector.salvage", "collector.server", "collector.throughput", "collector.watch",
    "inventory.read",
)  # fmt: skip
"""What ``run`` imports for itself."""


def main(data: Path) -> None:
    """Until the input ends."""
    for name in WANTED:
        importlib.import_module(name)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            run(data, listen="127.0.0.1:0", feed_seconds=0.1)
            os._exit(0)
        _say(str(child))
        os.waitpid(child, 0)
        _say("ended")


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
