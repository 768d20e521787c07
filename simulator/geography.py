"""A fictional land: one cell of a crooked lattice for every village.

Law: neighbours share their border point for point, so the villages tile the land without a gap or
an overlap. Cells come in the order of a Hilbert curve: any stretch of consecutive cells is one
connected piece of land, which is how kecamatan and kabupaten become contiguous.
"""

import math
from dataclasses import dataclass

import numpy as np

CELL_DEGREES = 0.0745
"""Some 68 km² a village near the equator: the mean of Kalimantan Barat."""

WEST_DEGREES, SOUTH_DEGREES = 91.0, -2.4
"""In the open Indian Ocean, so that no map of the box can be taken for a map of a real place."""

KM_PER_DEGREE = 111.32

Ring = tuple[tuple[float, float], ...]
"""A closed outline of (longitude, latitude), anticlockwise; the first point comes again last."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The land of one village; ``lat`` and ``lon`` name a point in it."""

    ring: Ring
    lat: float
    lon: float
    area_km2: float


def hilbert(index: int, side: int) -> tuple[int, int]:
    """The column and row of a step of the Hilbert curve through a square of ``side`` (a power of
    two) cells. Consecutive steps are neighbours. Source: D. Hilbert, Math. Annalen 38 (1891)."""
    column = row = 0
    scale = 1
    while scale < side:
        right = 1 & (index >> 1)
        up = 1 & (index ^ right)
        if not up:
            if right:
                column, row = scale - 1 - column, scale - 1 - row
            column, row = row, column
        column += scale * right
        row += scale * up
        index >>= 2
        scale *= 2
    return column, row


def lay_out(rng: np.random.Generator, cells: int) -> list[Cell]:
    """So many cells in Hilbert order, deterministic for a generator."""
    side = 1 << math.ceil(math.log2(max(cells, 1)) / 2)
    knots = side + 1
    grid = np.stack(np.meshgrid(np.arange(knots), np.arange(knots), indexing="ij"), axis=-1)
    corners = _place(grid + rng.uniform(-0.2, 0.2, grid.shape), side)
    # Every border has one more point near its middle, again shared by both neighbours.
    bend = 0.1 * CELL_DEGREES
    along = (corners[:-1] + corners[1:]) / 2 + rng.uniform(-bend, bend, (side, knots, 2))
    upward = (corners[:, :-1] + corners[:, 1:]) / 2 + rng.uniform(-bend, bend, (knots, side, 2))
    corners, along, upward = (np.round(points, 5) for points in (corners, along, upward))
    found = []
    for index in range(cells):
        i, j = hilbert(index, side)
        outline = np.array(
            [
                corners[i, j],
                along[i, j],
                corners[i + 1, j],
                upward[i + 1, j],
                corners[i + 1, j + 1],
                along[i, j + 1],
                corners[i, j + 1],
                upward[i, j],
                corners[i, j],
            ]
        )
        lon, lat = outline[:-1].mean(axis=0)
        found.append(
            Cell(
                ring=tuple((float(x), float(y)) for x, y in outline),
                lat=round(float(lat), 5),
                lon=round(float(lon), 5),
                area_km2=round(_area_km2(outline), 2),
            )
        )
    return found


def _place(lattice: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]", side: int) -> "Points":
    """Lattice coordinates as degrees, warped by long waves so that no coast is a straight line."""
    x, y = lattice[..., 0], lattice[..., 1]
    wave = 2 * math.pi / max(side, 8)
    warped = np.stack(
        [x + 0.05 * side * np.sin(1.3 * wave * y), y + 0.05 * side * np.sin(1.7 * wave * x + 1)],
        axis=-1,
    )
    degrees: Points = warped * CELL_DEGREES + np.array([WEST_DEGREES, SOUTH_DEGREES])
    return degrees


def _area_km2(outline: "Points") -> float:
    """The area inside a closed outline in degrees (shoelace, flat at its own latitude)."""
    x, y = outline[:, 0], outline[:, 1]
    twice = np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])
    return float(twice) / 2 * KM_PER_DEGREE**2 * math.cos(math.radians(float(y.mean())))


Points = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
"""Coordinates; the last axis holds longitude and latitude."""
