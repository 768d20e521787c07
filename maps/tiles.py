"""Equal tiles: every village as one square of the same size, near where it lies.

Law: one village, one tile, no two on the same place; a large empty village does not shout. Villages
near the middle of their kecamatan choose first, the others take the nearest place that is free.
"""

import math
from collections.abc import Iterator, Sequence

from maps.topology import Cell
from model.region import Village

Tile = tuple[int, int]
_MOST = 5_000
"""More tiles than that cannot be told apart on a screen, nor laid out while one waits."""


def tiles(villages: Sequence[Village], cells: Sequence[Cell | None]) -> tuple[int, list[Tile]]:
    """The side of a tile in grid cells, and for each placed village its column and row.

    ``cells`` are the villages' places on the map's grid (None: no place, no tile). All tiles
    together have half the area of the box around the villages, so that the province keeps its form.
    An empty list where there are too many villages (or none).
    """
    placed = [(village, cell) for village, cell in zip(villages, cells, strict=True) if cell]
    if not placed or len(placed) > _MOST:
        return 1, []
    xs, ys = ([cell[axis] for _, cell in placed] for axis in (0, 1))
    area = (max(xs) - min(xs) + 1) * (max(ys) - min(ys) + 1)
    side = max(1, round(math.sqrt(area / 2 / len(placed))))
    middles = _middles(placed)
    order = sorted(
        range(len(placed)),
        key=lambda at: (math.dist(placed[at][1], middles[placed[at][0].kecamatan]), at),
    )
    taken: set[Tile] = set()
    found: list[Tile] = [(0, 0)] * len(placed)
    for at in order:
        x, y = placed[at][1]
        tile = next(place for place in _nearest(x / side, y / side) if place not in taken)
        taken.add(tile)
        found[at] = tile
    return side, found


def _middles(placed: Sequence[tuple[Village, Cell]]) -> dict[str, tuple[float, float]]:
    members: dict[str, list[Cell]] = {}
    for village, cell in placed:
        members.setdefault(village.kecamatan, []).append(cell)
    return {
        code: (sum(x for x, _ in each) / len(each), sum(y for _, y in each) / len(each))
        for code, each in members.items()
    }


def _nearest(x: float, y: float) -> Iterator[Tile]:
    """All tiles, the nearest first: ring by ring, and a ring's tile only when no tile of a further
    ring can be nearer."""
    column, row = round(x), round(y)
    waiting: list[tuple[float, Tile]] = []
    ring = 0
    while True:
        waiting += [
            (math.hypot(column + i - x, row + j - y), (column + i, row + j)) for i, j in _ring(ring)
        ]
        waiting.sort(reverse=True)
        # A tile of the next ring is at least this far away.
        while waiting and waiting[-1][0] <= ring + 0.5:
            yield waiting.pop()[1]
        ring += 1


def _ring(radius: int) -> Iterator[Tile]:
    """The steps from a tile to those around it at a distance of ``radius`` columns or rows."""
    if radius == 0:
        yield 0, 0
        return
    for step in range(-radius, radius):
        yield step, -radius
        yield radius, step
        yield -step, radius
        yield -radius, -step
