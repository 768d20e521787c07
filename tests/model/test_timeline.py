"""Interval arithmetic, held against sets of whole milliseconds: none is gained or lost."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.measurement import Outcome
from model.timeline import Interval, Run, clip, intersect, subtract, total_ms, union

SMALL = st.lists(
    st.builds(Interval, st.integers(0, 24), st.integers(0, 24)).filter(lambda i: i[0] <= i[1]),
    max_size=8,
)


def milliseconds(intervals: Iterable[Interval]) -> set[int]:
    """The brute-force model: every millisecond that an interval holds."""
    return {ms for start, end in intervals for ms in range(start, end)}


def assert_canonical(intervals: list[Interval]) -> None:
    """Disjoint, in order, none empty."""
    assert all(start < end for start, end in intervals)
    assert all(a.end_ms <= b.start_ms for a, b in pairwise(intervals))


@given(SMALL)
def test_union_keeps_every_millisecond(items: list[Interval]) -> None:
    """The union holds what any holds; touching intervals become one."""
    merged = union(items)
    assert_canonical(merged)
    assert all(a.end_ms < b.start_ms for a, b in pairwise(merged))
    assert milliseconds(merged) == milliseconds(items)
    assert total_ms(merged) == len(milliseconds(items))


@given(SMALL, SMALL)
def test_intersect_keeps_what_both_hold(left: list[Interval], right: list[Interval]) -> None:
    """The intersection is that of the sets."""
    common = intersect(union(left), union(right))
    assert_canonical(common)
    assert milliseconds(common) == milliseconds(left) & milliseconds(right)


@given(SMALL, SMALL)
def test_subtract_keeps_what_only_the_left_holds(
    left: list[Interval], right: list[Interval]
) -> None:
    """The difference is that of the sets; with the intersection it makes the whole again."""
    a, b = union(left), union(right)
    rest = subtract(a, b)
    assert_canonical(rest)
    assert milliseconds(rest) == milliseconds(left) - milliseconds(right)
    assert total_ms(rest) + total_ms(intersect(a, b)) == total_ms(a)


@given(SMALL, SMALL)
def test_touching_intervals_may_stay_apart(left: list[Interval], right: list[Interval]) -> None:
    """Disjoint input need not be merged first: touching pieces give the same time."""
    pieces = [Interval(ms, ms + 1) for ms in sorted(milliseconds(left))]
    whole = union(right)
    assert milliseconds(subtract(pieces, whole)) == milliseconds(left) - milliseconds(right)
    assert milliseconds(intersect(whole, pieces)) == milliseconds(left) & milliseconds(right)
    assert milliseconds(subtract(whole, pieces)) == milliseconds(right) - milliseconds(left)


@pytest.mark.parametrize(
    ("item", "other", "expected"),
    [
        ((0, 10), (3, 5), (3, 5)),
        ((3, 5), (0, 10), (3, 5)),
        ((0, 5), (3, 10), (3, 5)),
        ((0, 5), (5, 10), None),  # half-open: they touch and share nothing
        ((7, 9), (0, 3), None),
    ],
)
def test_clip(
    item: tuple[int, int], other: tuple[int, int], expected: tuple[int, int] | None
) -> None:
    """An interval cut by another one is what both hold, or None."""
    assert Interval(*item).clip(Interval(*other)) == expected


def test_runs_are_clipped_and_keep_what_they_say() -> None:
    """Runs outside vanish, runs across a bound are cut there, and reasons and looks stay."""
    runs = [
        Run(0, 10, Outcome.UP, looks=2),
        Run(10, 20, Outcome.DOWN, "no answer", 3),
        Run(20, 30, Outcome.UNKNOWN, "not looked"),
    ]
    assert clip(runs, Interval(5, 15)) == [
        Run(5, 10, Outcome.UP, looks=2),
        Run(10, 15, Outcome.DOWN, "no answer", 3),
    ]
    assert clip(runs, Interval(30, 40)) == []
