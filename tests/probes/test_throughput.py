"""The speed of a shaped line, the month's budget, and users first."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from model.kinds import Throughput
from model.measurement import Outcome, Reason
from model.rate import Meter, Rate, rate
from probes.budget import Budget
from probes.clock import SystemClock
from probes.connect import LookError
from probes.dns import resolve
from probes.look import Look
from probes.throughput import ThroughputProbe
from probes.transfer import upload_rate
from simulator.services import Handler, serving
from tests.probes.looking import check_of

ROOT = Path(__file__).parents[2]
RATES = ("1", "4", "20") if os.environ.get("JANGKAU_FAULTS") else ("4",)
NOVEMBER_MS, DECEMBER_MS = 1_795_000_000_000, 1_797_000_000_000


@pytest.mark.namespace
def test_shaped_line(tmp_path: Path) -> None:
    """Both directions see the line that tbf shapes, and tell a slow one from a fast one. How near
    they come is a matter of speed and stands in bench/throughput.py: shaping needs idle cores."""
    unshare = shutil.which("unshare")
    if not shutil.which("tc") or unshare is None:
        pytest.skip("no tc or no unshare here (apt install iproute2 util-linux)")
    if subprocess.run([unshare, "-Urn", "true"], check=False).returncode:
        pytest.skip("no user namespace here: a line cannot be shaped")
    script = [sys.executable, str(Path(__file__).with_name("namespace_throughput.py"))]
    done = subprocess.run(
        [unshare, "-Urn", *script, str(tmp_path), *RATES],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for mbit_s, seen in json.loads(done.stdout).items():
        print(mbit_s, seen)  # noqa: T201 - shown when it fails
        assert seen["outcome"] == "UP", seen
        # tbf counts the Ethernet header of loopback (14 bytes) besides
        for name in ("download_mbit_s", "upload_mbit_s"):
            true = float(mbit_s) * 1500 / 1514
            assert true / 5 < seen[name] < true * 2


def probe_and_check(folder: Path, carried: list[int], **more: float) -> tuple[Outcome, str]:
    numbers = iter(carried)
    probe = ThroughputProbe(resolve, SystemClock(), lambda: next(numbers))
    settings = Throughput("http://127.0.0.1:1/", budget_file=str(folder / "b.json"), **more)  # type: ignore[arg-type] - numbers only
    look = asyncio.run(probe(check_of(settings)))
    return look.outcome, look.reason


def test_users_first(tmp_path: Path) -> None:
    """A line that carries something is left to its users: UNKNOWN, and nothing is spent."""
    assert probe_and_check(tmp_path, [0, 10**6]) == (Outcome.UNKNOWN, Reason.LINE_IN_USE)
    assert Budget(tmp_path / "b.json").left(NOVEMBER_MS, 100) == 100


def test_month_is_spent(tmp_path: Path) -> None:
    """A test that the month cannot pay for is not made."""
    found = probe_and_check(tmp_path, [], month_megabytes=30.0, test_megabytes=20.0)
    assert found == (Outcome.UNKNOWN, Reason.BUDGET)


def test_a_failed_test_gives_back(tmp_path: Path) -> None:
    """What a failed test did not use is not booked."""
    assert probe_and_check(tmp_path, [0, 0])[0] is Outcome.DOWN
    account = Budget(tmp_path / "b.json")
    assert account.left(SystemClock().wall_ms(), 100) == 100


def slow_line(upload: bytes, *, cut_after: int = 100) -> Handler:
    """Half a megabyte at 8 Mbit/s, cut after so many blocks; ``upload`` answers whoever sends."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"POST"):
            writer.write(upload)
            await reader.read()
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n")
        for _ in range(cut_after):
            writer.write(bytes(5000))
            await writer.drain()
            await asyncio.sleep(0.005)  # the line

    return handle


ANSWER = b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s"


@pytest.mark.parametrize(
    ("upload", "cut_after", "outcome", "reason"),
    [
        (ANSWER % (b"503 Busy", 0, b""), 100, Outcome.UNKNOWN, Reason.LINE_IN_USE),
        (ANSWER % (b"401 No", 0, b""), 100, Outcome.DOWN, f"{Reason.WRONG_STATUS} 401"),
        (ANSWER % (b"200 OK", 4, b"halo"), 100, Outcome.DOWN, Reason.BAD_ANSWER),
        (ANSWER % (b"200 OK", 2, b"{}"), 100, Outcome.DOWN, Reason.BAD_ANSWER),
        (b"halo\r\n\r\n", 100, Outcome.DOWN, Reason.BAD_ANSWER),
        (b"", 3, Outcome.DOWN, Reason.BAD_ANSWER),
    ],
)
def test_the_other_end_is_wrong(
    tmp_path: Path, upload: bytes, cut_after: int, outcome: Outcome, reason: str
) -> None:
    """A collector that is busy, refuses, speaks nonsense or hangs up is said as such, and what the
    test had cost by then is booked."""

    async def run() -> Look:
        async with serving(slow_line(upload, cut_after=cut_after)) as port:
            probe = ThroughputProbe(resolve, SystemClock(), lambda: 0)
            file = str(tmp_path / "b.json")
            settings = Throughput(f"http://127.0.0.1:{port}/", budget_file=file)
            return await probe(check_of(settings, timeout_seconds=20))

    seen = asyncio.run(run())
    assert (seen.outcome, seen.reason) == (outcome, reason)
    spent = 10**9 - Budget(tmp_path / "b.json").left(SystemClock().wall_ms(), 10**9)
    assert spent == seen.readings["test_bytes"] > 0


def test_budget_over_months(tmp_path: Path) -> None:
    """A new month is new; a clock that was set back is not; damage means that nothing is left."""
    account = Budget(tmp_path / "b.json")
    account.book(NOVEMBER_MS, 60)
    assert account.left(NOVEMBER_MS, 100) == 40
    assert account.left(0, 100) == 40
    account.book(0, 10)
    assert account.left(NOVEMBER_MS, 100) == 30
    assert account.left(DECEMBER_MS, 100) == 100
    (tmp_path / "b.json").write_text("{")
    assert account.left(NOVEMBER_MS, 100) == 0


def test_rate_leaves_the_beginning_aside() -> None:
    """A burst at the beginning does not count; a steady rest is known exactly."""
    arrivals = [(0.0, 100_000)] + [(n * 0.01, 100_000 + n * 1250) for n in range(1, 200)]
    found = rate(arrivals)
    assert found is not None
    assert found.mbit_s == pytest.approx(1.0, rel=0.001)
    assert found.error_share < 0.001
    assert rate(arrivals[:20]) is None


def test_a_short_test_has_its_figure() -> None:
    """Too few arrivals to be sure are enough for a figure when no more will come."""
    short = Meter(0.02, 0.0)
    assert not any(short.take(n * 0.01, 1250) for n in range(20))
    found = short.result()
    assert found is not None
    assert found.mbit_s == pytest.approx(1.0, rel=0.01)
    nothing = Meter(0.02, 0.0)
    nothing.take(0.0, 1000)
    assert nothing.result() is None


def test_a_pause_is_no_rate() -> None:
    """A line that stands still for longer than a slice has its figure, and is not sure of it."""
    before = [(n * 0.01, n * 1250) for n in range(100)]
    found = rate([*before, *((at + 2, size + 125_000) for at, size in before)])
    assert found is not None
    assert found.mbit_s < 1
    assert found.error_share > 0.3


@pytest.mark.parametrize(
    ("delivered", "arrived", "believed"),
    [
        (Rate(4.0, 0.01), Rate(3.0, 0.5), Rate(4.0, 0.01)),  # gaps made the collector wait
        (Rate(4.0, 0.01), Rate(3.9, 0.001), Rate(4.0, 0.01)),
        (Rate(80.0, 0.01), Rate(1.0, 0.2), Rate(1.0, 0.2)),  # a modem acknowledged
        (Rate(4.0, 0.01), None, Rate(4.0, 0.01)),
        (None, Rate(1.0, 0.2), Rate(1.0, 0.2)),
    ],
)
def test_whom_an_upload_believes(
    delivered: Rate | None, arrived: Rate | None, believed: Rate
) -> None:
    """Acknowledgements, unless much less arrived than was acknowledged."""
    assert upload_rate(delivered, arrived) == believed


def test_an_upload_that_nobody_saw() -> None:
    """Too little both ways is no figure."""
    with pytest.raises(LookError, match="too few bytes"):
        upload_rate(None, None)


def test_meter_stops_as_soon_as_it_knows() -> None:
    """A steady line is known after the least time; an unsteady one is not known soon."""
    steady = Meter(0.02, 0.5)
    assert next(n for n in range(1000) if steady.take(n * 0.005, 1000)) == 100
    rough = Meter(0.02, 0.5)
    assert not any(rough.take(n * 0.005, 4000 * (n // 25 % 2)) for n in range(200))
    assert any(rough.take(1 + n * 0.005, 4000 * (n // 25 % 2)) for n in range(1000))
