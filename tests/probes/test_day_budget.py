"""Bytes a day: kept whatever happens, saved in the stated order, counted from the IP header."""

import gzip
import json
import random
import re
import socket
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from model.check import Check
from model.measurement import Measurement, Outcome, Reason
from probes.agent import _Unsaved, gap_writer
from probes.day_budget import DAY_MS, METERED_BYTES_A_DAY, Budget, Saving
from probes.meter import tcp_bytes
from probes.receipt import Reply
from probes.spool import Spool
from probes.uplink import Uplink


class TurnedClock:
    boot_id = 1
    now_ms = 0

    def wall_ms(self) -> int:
        return 1_800_000_000_000 + self.now_ms

    def monotonic_ms(self) -> int:
        return self.now_ms

    def uptime_seconds(self) -> float:
        return self.now_ms / 1000


def check(target: str, kind: str = "ping") -> Check:
    return Check("v-1", "village", kind, target, "192.0.2.1", 60)


CHECKS = [
    check(name) for name in ("lan", "isp_gateway", "national", "international", "application:x")
]
DEVICE = check("device", "device")


def echoes(item: Check) -> Measurement:
    readings = {"sent": float(item.count), "received": float(item.count)}
    return Measurement(item.site, item.vantage, item.kind, item.target, 0, Outcome.UP, readings)


@pytest.mark.parametrize("seed", range(5))
def test_no_day_costs_more_than_declared(tmp_path: Path, seed: int) -> None:
    """Three days of a look a minute at five targets, with deliveries, a backlog and restarts: no
    window of 24 hours exceeds the budget by more than the request that met its end."""
    draws = random.Random(seed)  # noqa: S311 - reproducible days
    clock = TurnedClock()
    budget = Budget(METERED_BYTES_A_DAY, clock, tmp_path / "budget")
    spent: list[tuple[int, int]] = []
    next_delivery_ms = looked = 0
    backlog = 900_000
    for minute in range(3 * 1440):
        clock.now_ms = minute * 60_000
        before = sum(budget.spent.values())
        for item in CHECKS:
            allowed = budget.allowed(item)
            if allowed is not None:
                budget.looked(echoes(allowed))
                looked += 1
        if clock.now_ms >= next_delivery_ms and not budget.hold_seconds():
            size = min(backlog, 40_000) or 3_000
            backlog = max(0, backlog - 40_000)
            budget.spend("deliveries", size)
            next_delivery_ms = clock.now_ms + round(1000 * budget.delivery_seconds(300))
        spent.append((clock.now_ms, sum(budget.spent.values()) - before))
        if draws.random() < 0.002:
            budget.save()
            budget = Budget(METERED_BYTES_A_DAY, clock, tmp_path / "budget")
    window = total = 0
    for at_ms, count in spent:
        total += count
        while spent[window][0] <= at_ms - DAY_MS:
            total -= spent[window][1]
            window += 1
        assert total <= METERED_BYTES_A_DAY + 43_000
    assert backlog == 0, "the backlog came home all the same"
    assert looked > 0.1 * 3 * 1440 * len(CHECKS)


def test_what_is_saved_first(tmp_path: Path) -> None:
    """Deliveries, echoes, far targets, all looks, everything: in this order, by the bucket."""
    clock = TurnedClock()
    budget = Budget(800_000, clock, tmp_path / "budget")
    assert budget.capacity_bytes == 100_000

    def share() -> list[int]:
        allowed = [[budget.allowed(item) for _ in range(10)] for item in CHECKS]
        return [sum(item is not None for item in row) for row in allowed]

    assert (budget.saving, share()) == (Saving.NOTHING, [10] * 5)
    assert budget.delivery_seconds(10) == 10
    budget.spend("looks", 30_000)
    assert (budget.saving, share()) == (Saving.DELIVERIES, [10] * 5)
    assert budget.delivery_seconds(10) == 900
    assert budget.allowed(CHECKS[0]) == CHECKS[0]
    budget.spend("looks", 20_000)
    assert (budget.saving, share()) == (Saving.ECHOES, [10] * 5)
    allowed = budget.allowed(CHECKS[0])
    assert allowed is not None
    assert allowed.count == 2
    budget.spend("looks", 20_000)
    assert (budget.saving, share()) == (Saving.FAR, [10, 10, 2, 2, 2])
    budget.spend("looks", 15_000)
    assert (budget.saving, share()) == (Saving.ALL, [2] * 5)
    assert budget.delivery_seconds(10) == 3600
    assert budget.hold_seconds() == 0
    budget.spend("looks", 15_000)
    assert (budget.saving, share()) == (Saving.STOP, [0] * 5)
    assert budget.hold_seconds() >= 60
    assert budget.allowed(DEVICE) == DEVICE
    clock.now_ms += round(1000 * budget.hold_seconds())
    assert budget.hold_seconds() == 0


def test_what_was_not_looked_at_says_so(tmp_path: Path) -> None:
    """A look that the budget forbids is a line with its reason, and costs nothing."""
    clock = TurnedClock()
    budget = Budget(8000, clock, tmp_path / "budget")
    budget.spend("looks", 1000)
    spool = Spool(tmp_path / "spool", gap_writer("v-1", "village"))
    unsaved = _Unsaved(spool, clock, budget)
    assert unsaved.affordable([*CHECKS, DEVICE]) == [DEVICE]
    lines = [line for _, line in unsaved.lines]
    assert len(lines) == 5
    assert all(f'outcome=2i,reason="{Reason.BUDGET}"'.encode() in line for line in lines)
    assert budget.spent == {"looks": 1000}
    spool.close()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"fill_bytes": "x"}', '{"fill_bytes": -5}'])
def test_a_damaged_count_is_none(tmp_path: Path, content: str) -> None:
    """A count that cannot be read does not stop the probe."""
    (tmp_path / "budget").write_text(content)
    assert Budget(1000, TurnedClock(), tmp_path / "budget").fill_bytes == 0


def test_the_count_outlives_a_restart(tmp_path: Path) -> None:
    """A restart is no fresh day."""
    budget = Budget(80_000, TurnedClock(), tmp_path / "budget")
    budget.spend("looks", 5000)
    budget.save()
    assert json.loads((tmp_path / "budget").read_text())["spent"] == {"looks": 5000}
    assert Budget(80_000, TurnedClock(), tmp_path / "budget").fill_bytes == 5000


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_kernel_s_count_of_a_connection(address: str) -> None:
    """The count is the payload of both ways and between 2 and 12 headers for so few packets."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as listener:
        with socket.create_connection(listener.getsockname()[:2]) as client:
            peer, _ = listener.accept()
            with peer:
                sender = threading.Thread(target=peer.sendall, args=(b"y" * 3000,))
                client.sendall(b"x" * 1000)
                sender.start()
                got = 0
                while got < 3000:
                    got += len(client.recv(4096))
                sender.join()
                header = (40 if ":" in address else 20) + 32
                assert 4000 + 3 * header <= tcp_bytes(client) <= 4000 + 14 * header
        with pytest.raises(OSError, match=re.escape("Bad file descriptor")):
            tcp_bytes(client)


def test_details_stay_at_home_while_saving(tmp_path: Path) -> None:
    """From the first step of saving on, what is sent has outcome, loss and median alone."""
    clock = TurnedClock()
    budget = Budget(80_000, clock, tmp_path / "budget")
    spool = Spool(tmp_path / "spool", gap_writer("v-1", "village"))
    full = b"ping,site=v-1 outcome=1i,sent=5i,rtt_min_seconds=0.1,rtt_median_seconds=0.2 5"
    bodies: list[bytes] = []

    def post(body: bytes, headers: Mapping[str, str]) -> Reply:
        bodies.append(gzip.decompress(body))
        raise ConnectionRefusedError

    spool.append([(5, full)], 5)
    for _ in range(2):
        link = Uplink(spool, post, clock, lambda _, high: high, probe="p", budget=budget)
        link.step()
        budget.spend("looks", 4000)
    assert bodies == [full, full.replace(b",rtt_min_seconds=0.1", b"")]
    spool.close()
