"""How long it takes to play four weeks of a province into an archive (goal: under 60 s)."""

import os
import tempfile
import time
from pathlib import Path

from typer.testing import CliRunner

from cli.simulate import app


def run() -> None:
    """2,145 sites at 5 minutes from both vantages, four weeks; then a week at 1 minute."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _simulate("province", "--out", str(folder / "province"))
        for weeks, centre in (("4", "300"), ("1", "60")):
            data = folder / centre
            began, used = time.monotonic(), sum(os.times()[:4])
            _simulate(
                "history", "--province", str(folder / "province"), "--data", str(data),
                "--weeks", weeks, "--centre-interval", centre,
            )  # fmt: skip
            seconds, cpu = time.monotonic() - began, sum(os.times()[:4]) - used
            size = sum(path.stat().st_size for path in data.rglob("*.parquet"))
            print(
                f"history, {weeks} weeks, centre every {centre} s: {seconds:.1f} s, "
                f"{cpu:.1f} CPU-s, {size / 1e6:.0f} MB"
            )


def _simulate(*words: str) -> None:
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    if result.exit_code:
        raise RuntimeError(result.output)
    print(result.output.strip())
