"""Equal tiles: each placed village has one, none is shared, neighbours stay near."""

import math
import random

import pytest

from maps.tiles import tiles
from model.region import Village


def village(number: int) -> Village:
    return Village(f"61.01.{number // 50 + 1:02d}.{2001 + number % 50}", f"Desa {number}")


@pytest.mark.parametrize("seed", range(3))
def test_no_two_villages_share_a_tile(seed: int) -> None:
    """A town full of villages and an empty hinterland: all tiles differ, and the tile of a village
    is on the average nearer to its own place than to any other village's."""
    rng = random.Random(seed)  # noqa: S311 - places of a test
    cells = [(rng.randrange(300), rng.randrange(300)) for _ in range(150)]
    cells += [(rng.randrange(9000), rng.randrange(6000)) for _ in range(150)]
    side, found = tiles([village(at) for at in range(300)], cells)
    assert len(set(found)) == len(found) == 300
    away = [
        math.dist((c * side, r * side), cell) for (c, r), cell in zip(found, cells, strict=True)
    ]
    assert sum(away) / len(away) < 6 * side


def test_villages_without_a_place_have_no_tile() -> None:
    """Only placed villages are laid out, in their order; alone, a village stays where it is."""
    side, found = tiles([village(0), village(1)], [None, (70, 30)])
    assert len(found) == 1
    assert math.dist((found[0][0] * side, found[0][1] * side), (70, 30)) <= side
    assert tiles([village(0)], [None]) == (1, [])


def test_too_many_villages_are_not_laid_out() -> None:
    """A nation's tiles would be smaller than a pixel: the view is not offered."""
    many = [village(at) for at in range(5001)]
    assert tiles(many, [(at, at) for at in range(5001)]) == (1, [])
