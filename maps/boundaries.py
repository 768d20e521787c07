"""Village borders: read, checked against the register, simplified together, dissolved upward.

Law: the register says which villages there are, the file only where they lie. What does not fit is
reported, never guessed; shared borders stay shared; lengths and areas are never taken in degrees.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maps.frames import WGS84, equal_area_around, read_layer
from model.errors import InputError
from model.region import RegionCode, Register, kabupaten_of, kecamatan_of

Point = tuple[float, float]
"""Longitude and latitude in degrees, WGS 84."""

Polygon = tuple[tuple[Point, ...], ...]
"""Rings: the outer one, then the holes; the last point repeats the first."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a file of polygons fits the register. ``overlap_km2`` is claimed by more than one."""

    matched: int
    without_polygon: tuple[RegionCode, ...]
    not_in_register: tuple[str, ...]
    twice: tuple[RegionCode, ...]
    repaired: tuple[RegionCode, ...]
    not_polygons: tuple[RegionCode, ...]
    overlap_km2: float


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
    frame, fit = _fitting(_read(path, code_property), register, path)
    frame["geometry"] = frame.geometry.simplify_coverage(tolerance_metres)
    areas: dict[RegionCode, float] = dict(zip(frame["code"], frame["km2"], strict=True))
    labels = _labels(frame, "code")
    for upper in (kecamatan_of, kabupaten_of, lambda code: code[:2]):
        frame["upper"] = frame["code"].map(upper)
        # Adding whole areas is right only as far as villages do not overlap: see overlap_km2.
        areas |= frame.groupby("upper")["km2"].sum().to_dict()
        labels |= _labels(frame[["upper", "geometry"]].dissolve("upper").reset_index(), "upper")
    shapes = frame.geometry.to_crs(WGS84)
    return Boundaries(
        {code: _rings(shape) for code, shape in zip(frame["code"], shapes, strict=True)},
        areas,
        labels,
        fit,
    )


def _read(path: Path, code_property: str) -> Any:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; name one with --boundaries")
    frame = read_layer(path)
    if code_property not in frame.columns:
        raise InputError(
            f"{path}: no property {code_property!r}: each polygon needs its Kemendagri code there"
        )
    found = frame.rename(columns={code_property: "code"})[["code", "geometry"]]
    if found.geometry.is_empty.all() or found.geometry.isna().all():
        raise InputError(f"{path}: no shapes in it")
    found = found.to_crs(equal_area_around(found))
    found["code"] = found["code"].astype(str)
    return found


def _fitting(frame: Any, register: Register, path: Path) -> tuple[Any, Fit]:
    """The features that are villages of the register, valid and each once; and what was wrong."""
    known = frame["code"].isin(list(register.by_code))
    strangers = tuple(sorted(frame["code"][~known]))
    frame = frame[known].sort_values("code", kind="stable")
    twice = frame["code"].duplicated()
    repeated = tuple(sorted(set(frame["code"][twice])))
    frame = frame[~twice].reset_index(drop=True)
    invalid = ~frame.geometry.is_valid & frame.geometry.notna()
    frame.loc[invalid, "geometry"] = frame.geometry[invalid].make_valid()
    flat = frame.geometry.notna() & frame.geometry.geom_type.isin(["Polygon", "MultiPolygon"])
    flat &= ~frame.geometry.is_empty
    not_polygons = tuple(frame["code"][~flat])
    repaired = tuple(frame["code"][invalid & flat])
    frame = frame[flat].reset_index(drop=True)
    if frame.empty:
        raise InputError(
            f"{path}: no polygon has the code of a village of register {register.version}"
        )
    frame["km2"] = frame.geometry.area / 1e6
    matched = set(frame["code"])
    return frame, Fit(
        matched=len(frame),
        without_polygon=tuple(v.code for v in register.villages if v.code not in matched),
        not_in_register=strangers,
        twice=repeated,
        repaired=repaired,
        not_polygons=not_polygons,
        overlap_km2=float(frame["km2"].sum() - frame.geometry.union_all().area / 1e6),
    )


def _labels(frame: Any, column: str) -> dict[RegionCode, Point]:
    points = frame.geometry.representative_point().to_crs(WGS84)
    return {code: (point.x, point.y) for code, point in zip(frame[column], points, strict=True)}


def _rings(shape: Any) -> tuple[Polygon, ...]:
    parts = shape.geoms if shape.geom_type == "MultiPolygon" else (shape,)
    return tuple(
        tuple(tuple(ring.coords) for ring in (part.exterior, *part.interiors)) for part in parts
    )
