"""The engine against hosts that refuse, repeat and keep silent, in a network namespace."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENTER = ["unshare", "-Urn"]


@pytest.fixture(scope="module", params=["raw", "datagram"])
def seen(request: pytest.FixtureRequest) -> dict[str, dict[str, object]]:
    """What the engine made of each host, with a raw and with an unprivileged socket."""
    try:
        subprocess.run([*ENTER, "test", "-w", "/dev/net/tun"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no user namespace with a TUN device here: {error}")
    script = [sys.executable, str(Path(__file__).with_name("namespace_echoes.py")), request.param]
    ran = subprocess.run(
        [*ENTER, *script],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.namespace
@pytest.mark.parametrize(
    ("address", "outcome", "reason", "counts"),
    [
        ("10.9.0.10", "UP", "", {"sent": 3, "received": 3, "duplicates": 0}),
        ("10.9.0.11", "DOWN", "host unreachable", {"sent": 3, "received": 0}),
        ("10.9.0.12", "DOWN", "host unreachable", {"sent": 3, "received": 0}),
        ("10.9.0.13", "DOWN", "no answer", {"sent": 3, "received": 0}),
        ("10.9.0.14", "UP", "", {"sent": 3, "received": 3}),
        ("10.77.0.1", "UNKNOWN", "no route", {"sent": 0, "received": 0}),
        ("10.78.0.1", "UNKNOWN", "no permission", {"sent": 0, "received": 0}),
    ],
)
def test_each_misfortune_is_told_apart(
    seen: dict[str, dict[str, object]],
    address: str,
    outcome: str,
    reason: str,
    counts: dict[str, int],
) -> None:
    """Answers, refusals (quoted in full or hardly), silence, repeats, and what never left us."""
    found = seen[address]
    assert (found["outcome"], found["reason"]) == (outcome, reason)
    assert {name: found[name] for name in counts} == counts


@pytest.mark.namespace
def test_repeats_are_counted(seen: dict[str, dict[str, object]]) -> None:
    """Every answer comes twice; only the very last repeat may come after the look is over."""
    assert seen["10.9.0.14"]["duplicates"] in (2, 3)
