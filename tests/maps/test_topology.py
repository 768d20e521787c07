"""Shared arcs: borders kept once, packed and found again."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maps.topology import Cell, Grid, Topology, mercator, pack, share, signed

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def unpack(text: str) -> list[int]:
    """The reader that the map's script has, in Python."""
    numbers, value, shift = [], 0, 0
    for letter in text:
        digit = _ALPHABET.index(letter)
        value |= (digit & 31) << shift
        shift += 5
        if not digit & 32:
            numbers.append(value)
            value = shift = 0
    return numbers


def rebuilt(topology: Topology, code: str) -> list[list[Cell]]:
    """The rings of a region from its arcs, open."""
    rings = []
    for refs in topology.shapes[code]:
        ring: list[Cell] = []
        for ref in refs:
            arc = topology.arcs[ref] if ref >= 0 else topology.arcs[~ref][::-1]
            assert not ring or ring[-1] == arc[0]
            ring += arc if not ring else arc[1:]
        assert ring[0] == ring[-1]
        rings.append(ring[:-1])
    return rings


def turned(ring: list[Cell]) -> list[Cell]:
    at = ring.index(min(ring))
    return ring[at:] + ring[:at]


def test_a_shared_border_is_kept_once() -> None:
    """Two neighbours: one arc between them, one outside each, and both shapes come back."""
    left = [(0, 0), (4, 0), (4, 2), (4, 4), (0, 4), (0, 0)]
    right = [(4, 0), (8, 0), (8, 4), (4, 4), (4, 2), (4, 0)]
    topology = share({"a": [left], "b": [right]})
    assert len(topology.arcs) == 3
    assert sorted(map(len, topology.users)) == [1, 1, 2]
    assert turned(rebuilt(topology, "a")[0]) == turned(left[:-1])
    assert turned(rebuilt(topology, "b")[0]) == turned(right[:-1])


def test_an_enclave_shares_its_whole_border() -> None:
    """A village inside another one is the other's hole, along the same arc."""
    outer = [(0, 0), (9, 0), (9, 9), (0, 9), (0, 0)]
    hole = [(3, 3), (3, 6), (6, 6), (6, 3), (3, 3)]
    enclave = [(6, 6), (3, 6), (3, 3), (6, 3), (6, 6)]
    topology = share({"a": [outer, hole], "b": [enclave]})
    assert len(topology.arcs) == 2
    assert {"a", "b"} in topology.users


def test_what_rounding_leaves_without_area_is_dropped() -> None:
    """A sliver of two cells has no inside."""
    assert share({"a": [[(0, 0), (1, 0), (1, 0), (0, 0)]]}).shapes["a"] == ()


def test_a_quilt_comes_back_whole() -> None:
    """Squares of a grid with crooked corners: each ring is rebuilt, each inner border once."""
    rng = random.Random(61)  # noqa: S311 - the same crooked quilt on every run
    corner = {
        (x, y): (x * 100 + rng.randrange(40), y * 100 + rng.randrange(40))
        for x in range(9)
        for y in range(9)
    }
    rings = {
        f"{x}-{y}": [[corner[x, y], corner[x + 1, y], corner[x + 1, y + 1], corner[x, y + 1]]]
        for x in range(8)
        for y in range(8)
    }
    topology = share(rings)
    edges = [frozenset(step) for arc in topology.arcs for step in pairwise(arc)]
    assert len(edges) == len(set(edges)) == 2 * 8 * 9
    assert all(turned(rebuilt(topology, code)[0]) == turned(ring) for code, [ring] in rings.items())


@given(st.lists(st.integers(-(2**40), 2**40)))
def test_packing_loses_nothing(numbers: list[int]) -> None:
    """Any whole numbers come back from their text."""
    back = [-(n + 1) // 2 if n % 2 else n // 2 for n in unpack(pack(map(signed, numbers)))]
    assert back == numbers


@pytest.mark.parametrize(("lon", "lat", "x", "y"), [(0, 0, 0.5, 0.5), (180, 85.051128779, 1, 0)])
def test_mercator(lon: float, lat: float, x: float, y: float) -> None:
    """The corners of the world map are where every web map has them."""
    assert mercator(lon, lat) == pytest.approx((x, y), abs=1e-9)


def test_a_cell_has_its_size_at_the_equator() -> None:
    """A degree on the equator is 111,319 m, in cells of 20 m."""
    grid = Grid.around([(109.0, 0.0), (110.0, 0.0)], 20)
    assert grid.cells([(109.0, 0.0), (110.0, 0.0)]) == [(0, 0), (round(111_319.49 / 20), 0)]
