"""Noticing that the wall clock was set."""

from collections.abc import Callable, Iterator

import pytest

from probes.clock_step import STEP_NS, StepWatch


def reading(values: list[int]) -> Callable[[], int]:
    """A clock that shows these values in turn."""
    left: Iterator[int] = iter(values)
    return lambda: next(left)


@pytest.mark.parametrize(
    ("jump_ns", "stepped"),
    [(0, False), (STEP_NS - 1, False), (STEP_NS, True), (-STEP_NS, True), (10**18, True)],
)
def test_a_jump_is_noticed_once(jump_ns: int, stepped: bool) -> None:
    """The clock is said to be set after it was, forward or back, and then not again."""
    wall = reading([5_000, 6_000 + jump_ns, 7_000 + jump_ns])
    watch = StepWatch(wall, reading([0, 0, 1_000, 1_000, 2_000, 2_000]))
    assert [watch.stepped(), watch.stepped()] == [stepped, False]


def test_an_interruption_is_no_step() -> None:
    """When we are held up between the two readings they are taken again."""
    second = 10**9
    wall = reading([0, 2 * second, 3 * second])
    monotonic = reading([0, 0, second, 2 * second, 3 * second, 3 * second])
    watch = StepWatch(wall, monotonic)
    assert not watch.stepped()
