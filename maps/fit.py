"""How a file of village polygons fits the register of villages.

Law: the register says which villages there are, the file only where they lie. What does not fit is
named, never guessed; what can be repaired is repaired and said.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maps.frames import points
from model.errors import InputError
from model.region import RegionCode, Register


@dataclass(frozen=True, slots=True)
class Overlap:
    """Ground that two villages claim, in square kilometres."""

    one: RegionCode
    other: RegionCode
    km2: float


@dataclass(frozen=True, slots=True)
class Fit:
    """What was found in a file of polygons.

    ``overlaps`` are the pairs that claim common ground, the largest first (empty where nobody
    looked for them, as it takes as long as all the rest). ``elsewhere`` pairs a village whose own
    point in the register lies in the polygon of another with that other: one of the codes is
    probably wrong.
    """

    matched: int
    without_polygon: tuple[RegionCode, ...] = ()
    not_in_register: tuple[str, ...] = ()
    twice: tuple[RegionCode, ...] = ()
    repaired: tuple[RegionCode, ...] = ()
    not_polygons: tuple[RegionCode, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    elsewhere: tuple[tuple[RegionCode, RegionCode], ...] = ()


def fitting(frame: Any, register: Register, path: Path) -> tuple[Any, Fit]:
    """The features of ``frame`` (columns ``code`` and ``geometry``, in metres) that are villages of
    the register, valid, each once and in code order; and what was wrong with the others.

    Raises InputError when nothing fits.
    """
    known = frame["code"].isin(list(register.by_code))
    strangers = tuple(sorted(frame["code"][~known]))
    frame = frame[known].sort_values("code", kind="stable")
    twice = frame["code"].duplicated()
    repeated = tuple(sorted(set(frame["code"][twice])))
    frame = frame[~twice].reset_index(drop=True)
    invalid = ~frame.geometry.is_valid & frame.geometry.geom_type.notna()
    # "structure" keeps outer rings outer and holes holes; what collapses to a line is no ground.
    frame.loc[invalid, "geometry"] = frame.geometry[invalid].make_valid(
        method="structure", keep_collapsed=False
    )
    flat = frame.geometry.geom_type.isin(["Polygon", "MultiPolygon"]) & ~frame.geometry.is_empty
    not_polygons = tuple(frame["code"][~flat])
    repaired = tuple(frame["code"][invalid & flat])
    frame = frame[flat].reset_index(drop=True)
    if frame.empty:
        # The ten digits of BPS look like ours without dots, and mean other villages.
        undotted = any(re.fullmatch(r"[0-9]{10}", code, re.ASCII) for code in strangers)
        hint = "; write dotted Kemendagri codes such as 61.01.13.2002: those of BPS are others"
        raise InputError(
            f"{path}: no polygon has the code of a village of register {register.version}"
            + (hint if undotted else "")
        )
    matched = set(frame["code"])
    return frame, Fit(
        matched=len(frame),
        without_polygon=tuple(v.code for v in register.villages if v.code not in matched),
        not_in_register=strangers,
        twice=repeated,
        repaired=repaired,
        not_polygons=not_polygons,
        elsewhere=_elsewhere(frame, register),
    )


def overlaps(frame: Any) -> tuple[Overlap, ...]:
    """Every pair of polygons (in metres) with common ground, the largest first."""
    codes, shapes = frame["code"], frame.geometry
    left, right = shapes.sindex.query(shapes)
    once = left < right
    left, right = left[once], right[once]
    common = shapes.iloc[left].intersection(shapes.iloc[right], align=False).area
    found = [
        Overlap(one, other, km2)
        for one, other, km2 in zip(
            codes.iloc[left], codes.iloc[right], (common / 1e6).tolist(), strict=True
        )
        if km2 > 0
    ]
    return tuple(sorted(found, key=lambda pair: (-pair.km2, pair.one, pair.other)))


def _elsewhere(frame: Any, register: Register) -> tuple[tuple[RegionCode, RegionCode], ...]:
    """Villages with a polygon whose point lies in another's and not in their own."""
    codes = list(frame["code"])
    here = set(codes)
    placed = [
        (village.code, (village.lon, village.lat))
        for village in register.villages
        if village.lon is not None and village.lat is not None and village.code in here
    ]
    if not placed:
        return ()
    places = points([place for _, place in placed]).to_crs(frame.crs)
    inside: dict[RegionCode, set[RegionCode]] = {}
    for point, polygon in zip(
        *frame.geometry.sindex.query(places, predicate="intersects"), strict=True
    ):
        inside.setdefault(placed[point][0], set()).add(codes[polygon])
    return tuple(
        (code, min(others)) for code, others in sorted(inside.items()) if code not in others
    )
