"""Polygons as shared arcs, packed into short text: a border between two villages is kept once.

Law: packing loses nothing but what the grid rounds away, and both sides of a border round alike.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from typing import Any

import numpy as np

from model.region import RegionCode

Cell = tuple[int, int]
_ALPHABET = np.frombuffer(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", np.uint8
)
_BITS, _MORE = 5, 32


@dataclass(frozen=True, slots=True)
class Grid:
    """Whole-numbered cells of Web Mercator: the projection of the map, so that a phone needs not
    project. ``x0``, ``y0`` and ``size`` are in units of the world's width; y grows southward."""

    x0: float
    y0: float
    size: float

    @classmethod
    def around(cls, points: Sequence[tuple[float, float]], cell_metres: float) -> "Grid":
        """The grid whose origin is the north-western corner of ``points`` (lon, lat)."""
        x, y = mercator(*np.array(points, float).T)
        return cls(float(x.min()), float(y.min()), cell_metres / (2 * math.pi * 6378137.0))

    def cells(self, points: Sequence[tuple[float, float]]) -> list[Cell]:
        """The cells of positions (lon, lat) in degrees."""
        if not points:
            return []
        x, y = mercator(*np.array(points, float).T)
        columns = np.rint((x - self.x0) / self.size).astype(np.int64)
        rows = np.rint((y - self.y0) / self.size).astype(np.int64)
        return list(zip(columns.tolist(), rows.tolist(), strict=True))

    def rings(
        self, polygons: Mapping[RegionCode, Sequence[Sequence[Sequence[tuple[float, float]]]]]
    ) -> dict[RegionCode, list[list[Cell]]]:
        """The rings of each region, of all its parts, in cells."""
        rings = {
            code: [ring for part in parts for ring in part] for code, parts in polygons.items()
        }
        every = chain.from_iterable(chain.from_iterable(rings.values()))
        cells = iter(self.cells(list(every)))
        return {
            code: [list(islice(cells, len(ring))) for ring in each] for code, each in rings.items()
        }


def mercator(lon: Any, lat: Any) -> tuple[Any, Any]:
    """Web Mercator (EPSG:3857) in units of the world's width, from the north-western corner; of
    one position in degrees or of arrays."""
    sine = np.sin(np.radians(lat))
    return lon / 360 + 0.5, 0.5 - np.log((1 + sine) / (1 - sine)) / (4 * math.pi)


@dataclass(frozen=True, slots=True)
class Topology:
    """``shapes`` holds for each region its rings, each a list of arc numbers; ``~n`` means arc n
    backwards. Arcs are numbered as the shapes first use them, and run as they do there. ``users``
    names the regions on the sides of each arc."""

    arcs: tuple[tuple[Cell, ...], ...]
    shapes: Mapping[RegionCode, tuple[tuple[int, ...], ...]]
    users: tuple[frozenset[RegionCode], ...]


def share(rings: Mapping[RegionCode, Sequence[Sequence[Cell]]]) -> Topology:
    """Cut rings (in grid cells) where borders meet and keep each piece once."""
    clean = {code: [ring for raw in each if (ring := _open(raw))] for code, each in rings.items()}
    junctions = _junctions(ring for each in clean.values() for ring in each)
    numbers: dict[tuple[Cell, ...], int] = {}
    arcs: list[tuple[Cell, ...]] = []
    users: list[set[RegionCode]] = []
    shapes: dict[RegionCode, tuple[tuple[int, ...], ...]] = {}
    for code, each in clean.items():
        found: list[tuple[int, ...]] = []
        for ring in each:
            refs: list[int] = []
            for arc in _cut(ring, junctions):
                number = numbers.setdefault(min(arc, arc[::-1]), len(arcs))
                if number == len(arcs):
                    arcs.append(arc)
                    users.append(set())
                users[number].add(code)
                refs.append(number if arc == arcs[number] else ~number)
            found.append(tuple(refs))
        shapes[code] = tuple(found)
    return Topology(tuple(arcs), shapes, tuple(frozenset(each) for each in users))


def _open(ring: Sequence[Cell]) -> list[Cell]:
    """Without repeated points; empty when rounding has left no area."""
    kept = [cell for at, cell in enumerate(ring) if at == 0 or cell != ring[at - 1]]
    if len(kept) > 1 and kept[0] == kept[-1]:
        kept.pop()
    return kept if len(set(kept)) >= 3 else []


def _junctions(rings: Iterable[Sequence[Cell]]) -> set[Cell]:
    """Cells that are passed with different neighbours: there a shared border begins or ends."""
    neighbours: dict[Cell, tuple[Cell, Cell]] = {}
    junctions: set[Cell] = set()
    for ring in rings:
        for at, cell in enumerate(ring):
            before, after = ring[at - 1], ring[(at + 1) % len(ring)]
            pair = (before, after) if before <= after else (after, before)
            if neighbours.setdefault(cell, pair) != pair:
                junctions.add(cell)
    return junctions


def _cut(ring: Sequence[Cell], junctions: set[Cell]) -> list[tuple[Cell, ...]]:
    start = next((at for at, cell in enumerate(ring) if cell in junctions), None)
    if start is None:  # an island: begin where its twin (the hole around it) begins as well
        start = min(range(len(ring)), key=lambda at: ring[at])
    turned = [*ring[start:], *ring[: start + 1]]
    cuts = [at for at, cell in enumerate(turned) if cell in junctions or at in (0, len(ring))]
    return [tuple(turned[a : b + 1]) for a, b in pairwise(cuts)]


def pack(numbers: Iterable[int]) -> str:
    """Whole numbers from 0 to 2**62 as text, five bits a character, small ones short."""
    left = np.array(list(numbers), np.int64)
    columns = []
    alive = np.ones(len(left), bool)
    while alive.any():
        more = left >= _MORE
        columns.append(
            np.where(alive, _ALPHABET[(left & (_MORE - 1)) | np.where(more, _MORE, 0)], 0)
        )
        alive, left = more, left >> _BITS
    if not columns:
        return ""
    digits = np.stack(columns, axis=1).ravel()
    return digits[digits > 0].tobytes().decode("ascii")


def signed(number: int) -> int:
    """A number that may be negative as one from 0: 0, -1, 1, -2 ... become 0, 1, 2, 3 ..."""
    return number << 1 if number >= 0 else (-number << 1) - 1
