"""A summary adds up; its shares and bounds follow from its seconds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.summary import Summary

MS = st.integers(0, 10**10)
SUMMARIES = st.builds(Summary, MS, MS, MS, MS)


@given(SUMMARIES)
def test_bounds_hold_the_truth(one: Summary) -> None:
    """However the unknown time really was, the availability lies between the bounds."""
    assert one.window_ms == one.up_ms + one.down_ms + one.unknown_ms + one.excluded_ms
    if one.availability_bounds is None:
        assert one.up_ms == one.down_ms == one.unknown_ms == 0
        return
    low, high = one.availability_bounds
    assert 0 <= low <= high <= 1
    assert high - low == pytest.approx(1 - one.observed_share)
    if one.availability is not None:
        assert low - 1e-12 <= one.availability <= high + 1e-12


@given(st.lists(SUMMARIES, max_size=5))
def test_sums_add_up(many: list[Summary]) -> None:
    """The sum of windows is the window of the sum, in any order."""
    total = sum(many, Summary())
    assert total.window_ms == sum(one.window_ms for one in many)
    assert total == sum(reversed(many), Summary())


@pytest.mark.parametrize(
    ("summary", "availability", "observed", "bounds"),
    [
        (Summary(), None, 0.0, None),
        (Summary(unknown_ms=5), None, 0.0, (0.0, 1.0)),
        (Summary(excluded_ms=5), None, 0.0, None),
        (Summary(up_ms=3, down_ms=1), 0.75, 1.0, (0.75, 0.75)),
        (Summary(up_ms=2, down_ms=1, unknown_ms=1, excluded_ms=9), 2 / 3, 0.75, (0.5, 0.75)),
    ],
)
def test_no_data_is_neither_up_nor_down(
    summary: Summary,
    availability: float | None,
    observed: float,
    bounds: tuple[float, float] | None,
) -> None:
    """Unknown time is in no availability, excluded time in no share at all."""
    assert summary.availability == availability
    assert summary.observed_share == observed
    assert summary.availability_bounds == bounds
