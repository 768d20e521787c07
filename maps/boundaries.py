"""Village borders: read, made one coverage, simplified together, dissolved upward.

Law: shared borders stay shared, and each spot of ground lies in one village at most. Lengths and
areas are never taken in degrees, only in an equal-area projection around the province.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from maps.fit import Fit, fitting, overlaps
from maps.frames import (
    WGS84,
    dissolve,
    equal_area_around,
    is_finite,
    on_earth,
    one_coverage,
    points_inside,
    read_layer,
    write_layers,
)
from model.errors import InputError
from model.region import RegionCode, Register, kabupaten_of, kecamatan_of

Point = tuple[float, float]
"""Longitude and latitude in degrees, WGS 84."""

Polygon = tuple[tuple[Point, ...], ...]
"""Rings: the outer one, then the holes; the last point repeats the first."""

_SNAP_METRES, _GAP_METRES = 25.0, 100.0
"""Corners nearer than that are one, gaps narrower than that belong to a neighbour: far less than
what is known of an indicative border."""

_UPPER = {"kecamatan": kecamatan_of, "kabupaten": kabupaten_of, "province": lambda code: code[:2]}


@dataclass(frozen=True, slots=True)
class Boundaries:
    """``polygons`` of villages; ``area_km2`` (before simplification) and ``label_points`` (inside
    the region) of villages, kecamatan, kabupaten and provinces."""

    polygons: Mapping[RegionCode, tuple[Polygon, ...]]
    area_km2: Mapping[RegionCode, float]
    label_points: Mapping[RegionCode, Point]
    fit: Fit


def load_boundaries(
    path: Path, register: Register, *, code_property: str = "code", tolerance_metres: float = 100.0
) -> Boundaries:
    """Read village polygons from GeoJSON (or any file that GDAL reads, in any stated CRS).

    ``tolerance_metres`` is the side of the smallest triangle of border worth keeping (0: all).
    Raises InputError when the file cannot be read, lacks codes, or fits no village at all.
    """
    layers, fit = _layers(path, register, code_property, tolerance_metres)
    areas: dict[RegionCode, float] = {}
    labels: dict[RegionCode, Point] = {}
    for frame in layers.values():
        inside = points_inside(frame.geometry)
        areas |= dict(zip(frame["code"], frame["area_km2"], strict=True))
        labels |= {
            code: (x, y) for code, x, y in zip(frame["code"], inside.x, inside.y, strict=True)
        }
    villages = layers["village"]
    shapes = villages.geometry.to_crs(WGS84)
    polygons = {code: _rings(shape) for code, shape in zip(villages["code"], shapes, strict=True)}
    return Boundaries(polygons, areas, labels, fit)


def check_boundaries(path: Path, register: Register, *, code_property: str = "code") -> Fit:
    """How the polygons of a file fit the register, pairs that overlap among it. Raises InputError
    as ``load_boundaries`` does."""
    frame, fit = fitting(_read(path, code_property), register, path)
    return replace(fit, overlaps=overlaps(frame))


def import_boundaries(
    path: Path,
    register: Register,
    out: Path,
    *,
    code_property: str = "code",
    tolerance_metres: float = 100.0,
) -> Fit:
    """Write the borders as a GeoPackage of four layers (``village``, ``kecamatan``, ``kabupaten``,
    ``province``; columns ``code``, ``name``, ``area_km2``), which ``load_boundaries`` reads too.

    Raises InputError as ``load_boundaries`` does, UnavailableError when it cannot be written.
    """
    layers, fit = _layers(path, register, code_property, tolerance_metres)
    for frame in layers.values():
        frame["name"] = [_name(register, code) for code in frame["code"]]
    columns = ["code", "name", "area_km2", "geometry"]
    write_layers({name: one[columns].to_crs(WGS84) for name, one in layers.items()}, out)
    return fit


def _name(register: Register, code: RegionCode) -> str:
    village = register.by_code.get(code)
    return village.name if village else register.name(code)


def _layers(
    path: Path, register: Register, code_property: str, tolerance_metres: float
) -> tuple[dict[str, Any], Fit]:
    """Frames of each level (``code``, ``area_km2``, ``geometry`` in metres), and how the file fits.

    Areas are those of the coverage before it is simplified.
    """
    frame, fit = fitting(_read(path, code_property), register, path)
    frame["geometry"], whole = one_coverage(frame.geometry, _SNAP_METRES, _GAP_METRES)
    frame["area_km2"] = frame.geometry.area / 1e6
    frame["geometry"] = frame.geometry.simplify_coverage(tolerance_metres)
    layers = {"village": frame}
    for level, upper in _UPPER.items():
        upward = frame.assign(code=frame["code"].map(upper))
        frame = dissolve(upward, "code", overlapping=not whole)
        layers[level] = frame
    return layers, fit


def _read(path: Path, code_property: str) -> Any:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; name one with --boundaries")
    frame = read_layer(path, "village")
    if code_property not in frame.columns:
        raise InputError(
            f"{path}: no property {code_property!r}: each polygon needs its Kemendagri code there"
        )
    found = frame.rename(columns={code_property: "code"})[["code", "geometry"]]
    found["code"] = [str(code) if isinstance(code, str | int) else "" for code in found["code"]]
    placed = on_earth(found)
    if not placed.any():
        raise InputError(f"{path}: no shapes in it, or none that its CRS places on the earth")
    # Without a place: what is left out is named with what is no polygon.
    found.loc[~placed, "geometry"] = None
    flat = found.to_crs(equal_area_around(found))
    # The other side of the earth has no place in this projection.
    flat.loc[~is_finite(flat), "geometry"] = None
    return flat


def _rings(shape: Any) -> tuple[Polygon, ...]:
    parts = shape.geoms if shape.geom_type == "MultiPolygon" else (shape,)
    return tuple(
        tuple(tuple(ring.coords) for ring in (part.exterior, *part.interiors)) for part in parts
    )
