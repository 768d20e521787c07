"""Lines: the loss and the delays that are asked for are the ones that are drawn."""

import numpy as np
import pytest

from model.site import Access
from simulator.line import (
    BURST_ECHOES,
    LONGEST_SECONDS,
    TYPICAL,
    burst_chances,
    draw_line,
    received_of,
    round_trips,
)


@pytest.mark.parametrize("loss", [0.0, 0.01, 0.1, 0.4, 0.8, 0.98])
def test_loss_and_bursts(loss: float) -> None:
    """The chain loses the share that is asked for, in bursts of two and a half echoes where so
    much loss allows it, the same by the echo and by the look."""
    enter, leave = burst_chances(loss)
    assert 0 <= enter <= 1
    assert enter / (enter + leave) == pytest.approx(loss)
    assert 1 / leave >= BURST_ECHOES - 1e-9
    looks = np.full(40_000, loss, dtype=np.float32)
    received = received_of(np.random.default_rng(1), looks, 5)
    assert received.min() >= 0
    assert 1 - received.mean() / 5 == pytest.approx(loss, abs=0.01)
    all_lost = loss * (1 - leave) ** 4
    assert np.mean(received == 0) == pytest.approx(all_lost, abs=0.01)


def test_round_trips_have_the_right_quantiles() -> None:
    """The order statistics are those of exponential delays on a fixed base; all figures of a look
    fit together; what was not received has none."""
    rng = np.random.default_rng(2)
    received = np.repeat(np.array([0, 1, 4, 5], dtype=np.int8), 20_000)
    base = np.full(received.size, 0.1, dtype=np.float32)
    found = round_trips(rng, received, base, np.full(received.size, 0.01, dtype=np.float32))
    assert np.all(np.isnan(found.median) == (received == 0))
    assert np.all(np.isnan(found.jitter) == (received < 2))
    five = received == 5
    assert np.median(found.median[five]) == pytest.approx(0.1 + 0.01 * np.log(2), abs=0.0008)
    assert found.least[five].mean() == pytest.approx(0.1 + 0.01 / 5, abs=0.0002)
    assert found.most[five].mean() == pytest.approx(
        0.1 + 0.01 * (1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5), abs=0.0005
    )
    seen = received > 0
    assert np.all(found.least[seen] <= found.median[seen])
    assert np.all(found.median[seen] <= found.p95[seen])
    assert np.all(found.p95[seen] <= found.most[seen])
    several = received > 1
    spread = found.most[several] - found.least[several]
    assert np.all(found.jitter[several] <= spread * 1.0001)


def test_delays_end() -> None:
    """No queue delays a packet beyond every time-out."""
    received = np.full(1000, 5, dtype=np.int8)
    slow = np.full(1000, 1.5, dtype=np.float32)
    found = round_trips(np.random.default_rng(3), received, slow, slow)
    assert float(found.most.max()) == pytest.approx(LONGEST_SECONDS)


@pytest.mark.parametrize("access", list(Access))
def test_lines_are_typical(access: Access) -> None:
    """Every technology has its delays; loss is 0.1 to 10 per cent, or what is asked for."""
    rng = np.random.default_rng(4)
    low, high = TYPICAL[access].base_rtt_seconds
    for _ in range(50):
        line = draw_line(rng, access)
        assert low - 1e-5 <= line.base_rtt_seconds <= high + 1e-5
        assert 0.001 <= line.loss <= 0.1
    assert 0.02 <= draw_line(rng, access, (0.02, 0.03)).loss <= 0.03
